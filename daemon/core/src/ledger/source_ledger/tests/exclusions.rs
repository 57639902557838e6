use super::*;
use crate::{
    exclusion::{Excluded, Exclusion, ExclusionId, Exclusions, Owner, Scope, whole_slices},
    window::Interval,
};

/// What the daemon was told to take out, and what of it stands.
#[derive(Default)]
struct Record(Vec<Exclusion>);

impl Record {
    /// Records that this is taken out, at `now`.
    fn exclude(&mut self, from: i64, to: i64, now: Timestamp) {
        let stretches = whole_slices(Interval { from: at(from), to: at(to) }, now).into_iter().collect();
        let (id, scope) = (ExclusionId(self.0.len() as u64 + 1), Scope { of: Owner::Tenant, group: Group::whole() });
        self.0.push(Exclusion { id, scope, recorded_at: now, withdrawn_at: None, stretches });
    }

    fn tell(&self, daemon: &mut Daemon, now: Timestamp) {
        let exclusions = Arc::new(Exclusions::new(self.0.clone()));
        let days = daemon.ledger.days_of_edges(Arc::clone(&exclusions), now);
        let mut stored = daemon.stored();
        stored.segments.retain(|segment| days.contains(&(segment.key.stream, segment.key.day)));
        daemon.ledger.set_exclusions(exclusions, Some(&stored), now).expect("own blobs");
    }

    /// After a restart: the edges that are known without what is stored are taken over.
    fn tell_again(&self, daemon: &mut Daemon, now: Timestamp) {
        if !daemon.ledger.carry_exclusions(Arc::new(Exclusions::new(self.0.clone())), now) {
            self.tell(daemon, now);
        }
    }

    fn stretches(&self) -> Vec<Interval> {
        crate::exclusion::merged(self.0.iter().flat_map(|exclusion| exclusion.stretches.iter().copied()).collect())
    }
}

/// What lies in the stretches by every single entry of the history.
fn naive(daemon: &Daemon, start: Timestamp, stretches: &[Interval]) -> Counts {
    let held = &daemon.ledger.streams[0];
    let entries = daemon.history.entries.iter().chain(&held.newer.entries);
    let spans = daemon.history.spans.iter().chain(&held.newer.spans);
    let within = |stretch: &Interval| {
        let from = stretch.from.max(start);
        let counts = entries.clone().filter(|entry| entry.end > from && entry.end <= stretch.to).map(|entry| entry.counts);
        counts.chain(spans.clone().map(|span| span.within(from, stretch.to))).sum::<Counts>()
    };
    stretches.iter().map(within).sum()
}

/// `None` while nothing is seen.
fn excluded(daemon: &Daemon, lookback: Duration, stretches: &[Interval], now: Timestamp) -> Option<Excluded> {
    Some(daemon.ledger.sums(0, now).ok()?.excluded(now.minus(lookback), stretches))
}

/// What happens to the daemon beside the samples.
#[derive(Debug, Clone)]
enum Happens {
    Nothing,
    Restarts,
    Compacts,
    /// An image is kept.
    Images,
    /// So many seconds around now.
    Excludes {
        from: i64,
        length: i64,
    },
}

fn happens() -> impl Strategy<Value = Happens> {
    prop_oneof![
        4 => Just(Happens::Nothing),
        1 => Just(Happens::Restarts),
        2 => Just(Happens::Compacts),
        2 => Just(Happens::Images),
        3 => (-700_000_i64..40_000, 1_i64..40_000).prop_map(|(from, length)| Happens::Excludes { from, length }),
        2 => (-9_000_i64..9_000, 1_i64..9_000).prop_map(|(from, length)| Happens::Excludes { from, length }),
    ]
}

/// Days of an instance that is scraped every two minutes and fails sometimes, with a pause in it.
fn source(days: i64) -> Source {
    let mut source = Source::default();
    let (mut good, mut bad) = (0, 0);
    for second in (0..days * 86_400).step_by(120).filter(|second| !(90_000..100_000).contains(second)) {
        good += 100 + u64::try_from(second % 7_000).expect("positive");
        bad += u64::try_from(second % 11).expect("positive");
        source.scrape(at(second + 7), &[("200", good), ("500", bad)]);
    }
    source
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn what_is_excluded_equals_the_sum_of_its_entries_whatever_is_rolled_up(
        events in prop::collection::vec((600_i64..20_000, happens()), 20..60),
        read_out in prop::sample::subsequence(vec![1_u64, 6, 24, 72, 240, 720], 3),
    ) {
        let source = source(12);
        let (mut daemon, mut record, mut now) = (Daemon::start(availability(), at(0)), Record::default(), 0);
        for (later, event) in events {
            now += later;
            match event {
                Happens::Nothing => {}
                Happens::Restarts => {
                    daemon.restart(at(now));
                    record.tell_again(&mut daemon, at(now));
                }
                Happens::Compacts => daemon.compact(at(now)),
                Happens::Images => daemon.keep_image(0),
                Happens::Excludes { from, length } => {
                    record.exclude(now + from, now + from + length, at(now));
                    record.tell(&mut daemon, at(now));
                }
            }
            daemon.tick(&source, at(now));
            let stretches = record.stretches();
            for lookback in read_out.iter().map(|length| hours(*length)) {
                let start = daemon.ledger.streams[0].slices.start_of(lookback, at(now));
                let Some(got) = excluded(&daemon, lookback, &stretches, at(now)) else { continue };
                prop_assert_eq!(got.counts, naive(&daemon, start, &stretches), "over {:?}", lookback);
                let past = daemon.ledger.past(0, at(now)).excluded(at(now).minus(lookback), &stretches);
                let step = daemon.ledger.streams[0].slices.step_reaching(at(now).minus(lookback));
                prop_assert_eq!(past.counts, naive(&daemon, at(now).minus(lookback).floor(step), &stretches), "up to now as to a moment");
            }
        }
    }
}

#[test]
fn an_exclusion_that_is_known_early_keeps_its_edges_for_the_whole_window() {
    let mut source = Source::default();
    steady(&mut source, 0, 7_200, 1_800);
    let mut daemon = Daemon::start(availability(), at(0));
    let mut record = Record::default();
    record.exclude(1_800, 2_400, at(0));
    record.tell(&mut daemon, at(0));
    daemon.tick_every(&source, 10, 0, 7_200);
    for later in [hours(2), days(1), days(9), days(29)] {
        let now = at(0).plus(later).ceil(hours(1));
        daemon.compact(now);
        daemon.restart(now);
        record.tell(&mut daemon, now);
        let excluded = daemon.ledger.streams[0].slices.sum_between(hours(1), record.stretches()[0]);
        assert_eq!(excluded.total(), 600, "after {later:?}");
    }
}

#[test]
fn an_edge_that_nobody_made_moves_inwards() {
    let mut source = Source::default();
    steady(&mut source, 0, 9_000, NEVER);
    let mut daemon = Daemon::start(availability(), at(0));
    daemon.tick_every(&source, 10, 0, 9_000);
    let stretches = [Interval { from: at(1_810), to: at(7_210) }];
    let over = |lookback| excluded(&daemon, lookback, &stretches, at(9_000)).expect("seen").counts.total();
    assert_eq!((over(days(30)), over(hours(6))), (3_600, 5_340), "from hour to hour, from minute to minute");
}
