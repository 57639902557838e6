//! Samples that come late: found by the second reading, and then everything is as if they had come in time.

use super::{
    laws::{Instance, Turn, assert_verdicts_follow_from_events, every_kind, scraped_beside, turn},
    *,
};
use crate::{
    exclusion::Known,
    id::Group,
    ledger::{
        Late, Replica,
        slice::{Entry, MINUTE},
    },
    window::Interval,
};

/// A source that shows each sample only when it has arrived.
#[derive(Debug, Default)]
struct Delayed {
    shown: Source,
    to_come: BTreeMap<Timestamp, Vec<ToCome>>,
}

type ToCome = (Labels, Timestamp, f64, Option<Arc<Histogram>>);

impl Delayed {
    /// All samples of a source, each so much later as `delay` says.
    fn of(source: &Source, delay: impl Fn(&Labels, Timestamp) -> Duration) -> Self {
        let mut delayed = Self::default();
        for (labels, samples) in &source.series {
            for (at, value) in samples {
                let arrives = at.plus(delay(labels, *at));
                let histogram = source.histograms.get(labels).and_then(|histograms| histograms.get(at)).cloned();
                delayed.to_come.entry(arrives).or_default().push((labels.clone(), *at, *value, histogram));
            }
        }
        delayed
    }

    fn at(&mut self, now: Timestamp) -> &Source {
        let later = self.to_come.split_off(&now.plus(Duration::from_millis(1)));
        for (labels, at, value, histogram) in std::mem::replace(&mut self.to_come, later).into_values().flatten() {
            if let Some(histogram) = histogram {
                self.shown.histograms.entry(labels.clone()).or_default().insert(at, histogram);
            }
            self.shown.series.entry(labels).or_default().insert(at, value);
        }
        &self.shown
    }
}

fn run(daemon: &mut Daemon, source: &mut Delayed, from: i64, to: i64) {
    for now in (from..=to).step_by(30) {
        daemon.tick(source.at(at(now)), at(now));
        daemon.read_again(source.at(at(now)), at(now));
    }
}

/// What is booked, in slices of ten seconds, unseen time too.
fn slices(daemon: &Daemon) -> BTreeMap<(String, Timestamp), Counts> {
    let name = |stream: u32| daemon.name(stream);
    let mut slices: BTreeMap<_, Counts> = BTreeMap::new();
    for Entry { stream, end, counts } in daemon.history.entries.iter().filter(|entry| daemon.is_read(entry.stream)) {
        *slices.entry((name(*stream), end.ceil(TEN_SECONDS))).or_default() += *counts;
    }
    for span in daemon.history.spans.iter().filter(|span| daemon.is_read(span.stream)) {
        let first = span.from.millis() / 10_000;
        for end in (first..=span.to.millis() / 10_000).map(|slice| Timestamp::from_millis((slice + 1) * 10_000)) {
            *slices.entry((name(span.stream), end)).or_default() += span.within(end.minus(TEN_SECONDS), end);
        }
    }
    slices.retain(|_, counts| !counts.is_zero());
    slices
}

fn by_the_minute(slices: BTreeMap<(String, Timestamp), Counts>) -> BTreeMap<(String, Timestamp), Counts> {
    let mut minutes: BTreeMap<_, Counts> = BTreeMap::new();
    for ((name, end), counts) in slices {
        *minutes.entry((name, end.ceil(MINUTE))).or_default() += counts;
    }
    minutes.retain(|_, counts| !counts.is_zero());
    minutes
}

/// What two daemons do not agree on, each with what either says.
fn differing<K: Ord + Clone, V: PartialEq + Clone>(one: &BTreeMap<K, V>, other: &BTreeMap<K, V>) -> Vec<(K, Option<V>, Option<V>)> {
    let keys: BTreeSet<_> = one.keys().chain(other.keys()).collect();
    let of = |key: &K| (key.clone(), one.get(key).cloned(), other.get(key).cloned());
    keys.into_iter().map(of).filter(|(_, one, other)| one != other).collect()
}

/// Without the last verdicts, with which one daemon waits and another does not, because a slice looked judged before the late samples came.
fn awaited(
    slices: BTreeMap<(String, Timestamp), Counts>,
    known: &BTreeMap<(String, Timestamp), Counts>,
) -> BTreeMap<(String, Timestamp), Counts> {
    let is_last = |name: &String, end: Timestamp| known.range((name.clone(), end)..).next().is_none_or(|((next, _), _)| next != name);
    let waits = |(name, end): &(String, Timestamp)| name.contains(" in ") && is_last(name, *end);
    slices.into_iter().filter(|(key, _)| known.contains_key(key) || !waits(key)).collect()
}

/// One request a second, half of which fail while they are delayed.
fn two_hours() -> Source {
    let mut source = Source::default();
    for second in (0..7_200).step_by(15) {
        let at_second = u64::try_from(second).expect("positive");
        source.scrape(at(second), &[("200", 1_000 + at_second), ("500", 7 + at_second / 2)]);
    }
    source
}

fn between(from: i64, to: i64, delay: Duration) -> impl Fn(&Labels, Timestamp) -> Duration {
    move |_, sampled| if sampled > at(from) && sampled <= at(to) { delay } else { Duration::ZERO }
}

#[test]
fn a_source_without_late_samples_is_corrected_in_nothing() {
    let mut daemon = Daemon::start(two_slos(), at(0));
    let mut source = Delayed::of(&two_hours(), |_, _| Duration::ZERO);
    run(&mut daemon, &mut source, 0, 7_190);
    assert_eq!(daemon.late.len(), 0, "{:?}", daemon.late);
    let sealed = daemon.ledger.sealed().expect("it reads again");
    assert!(sealed > at(7_190 - 3_200) && sealed < at(7_190 - 1_800), "{}", sealed.since(at(0)).as_secs());
}

#[test]
fn samples_that_come_late_correct_what_was_known_and_what_was_known_stays() {
    let mut calm = Daemon::start(availability(), at(0));
    run(&mut calm, &mut Delayed::of(&two_hours(), |_, _| Duration::ZERO), 0, 7_190);
    let mut late = Daemon::start(availability(), at(0));
    let mut source = Delayed::of(&two_hours(), between(3_000, 3_600, minutes(20)));
    run(&mut late, &mut source, 0, 4_500);
    let known_then = slices(&late);
    run(&mut late, &mut source, 4_530, 7_190);
    assert_eq!(slices(&late), slices(&calm), "as corrected");
    assert_eq!(sums(&late, at(7_190)), sums(&calm, at(7_190)));
    let since: Vec<_> = late.late.iter().filter(|(recorded, _)| *recorded > at(4_500)).collect();
    assert!(!since.is_empty() && late.late.iter().all(|(recorded, _)| *recorded <= at(3_600 + 1_200 + 1_260)), "found within a walk");
    let mut without = by_the_minute(slices(&late));
    for entry in since.iter().flat_map(|(_, found)| &found.entries) {
        let slice = without.entry((late.name(entry.stream), entry.end)).or_default();
        *slice = *slice - entry.counts;
    }
    without.retain(|(_, end), counts| !counts.is_zero() && *end <= at(4_440));
    assert_eq!(without, by_the_minute(known_then), "as known at 4,500 s");
}

/// What is drawn of a moment adds up to its figure, as corrected and as known then, also where the moment cuts a slice; and that figure stands.
#[test]
fn the_slices_of_a_moment_add_up_to_its_figure() {
    let mut daemon = Daemon::start(availability(), at(0));
    let mut source = Delayed::of(&two_hours(), between(3_000, 3_600, minutes(20)));
    run(&mut daemon, &mut source, 0, 7_190);
    let found = daemon.late.iter().map(|(recorded, slices)| Late::unpack(*recorded, &slices.pack().expect("slices")).expect("own blob"));
    let late: Vec<Late> = found.collect();
    let (over, mut corrected) = (days(30), 0);
    for moment in [3_200, 3_204, 3_599, 3_601, 4_333, 7_190] {
        for known in [Known::Now, Known::By(at(moment))] {
            let past = daemon.ledger.past_as_known(0, at(moment), known, &late);
            let figure = past.over(over);
            for at_most in [7, 240] {
                let slices = Interval { from: at(moment).minus(over), to: at(moment) };
                let slices = daemon.ledger.slices_as_known(0, slices, at_most, &[], &Late::unknown(&late, known));
                let sum: Counts = slices.iter().map(|slice| slice.counts).sum();
                assert_eq!((sum.good, sum.bad), (figure.good, figure.bad), "{moment} {known:?} in {at_most}");
            }
            corrected += usize::from(known != Known::Now && figure != daemon.ledger.past(0, at(moment)).over(over));
            assert!(past.counted_to(at(moment).minus(over)).since(at(moment)) < MINUTE);
        }
    }
    assert!(corrected > 0, "something was known otherwise then");
}

#[test]
fn a_new_series_that_comes_late_is_found_with_its_first_failures() {
    let mut source = Source::default();
    for second in (0..7_200).step_by(15) {
        let at_second = u64::try_from(second).expect("positive");
        source.scrape(at(second), &[("200", 1_000 + at_second)]);
        if (3_000..3_300).contains(&second) {
            source.requests("a", at(second), &[("503", at_second - 2_990)]);
        }
    }
    let mut late = Daemon::start(availability(), at(0));
    let failures = |labels: &Labels, _| if labels.get("code") == "503" { minutes(10) } else { Duration::ZERO };
    run(&mut late, &mut Delayed::of(&source, failures), 0, 7_190);
    let bad: i64 = slices(&late).values().map(|counts| counts.bad).sum();
    assert_eq!(bad, 295, "from nothing to 295");
}

/// A process is restarted and its target relabelled while the scrapes that tell of both come late: until then its counters seem to begin at zero. Where
/// those scrapes leave a hole when it is read again, it is no loss.
#[test]
fn what_looks_like_a_loss_while_scrapes_come_late_is_found_when_they_are_there() {
    let mut source = Source::default();
    for second in (0..7_200).step_by(15) {
        let env: &[(&str, &str)] = if second < 2_180 { &[] } else { &[("env", "prod")] };
        let mut put = |labels: &[(&str, &str)], env: &[(&str, &str)], value: i64| {
            source.put(&[&[("job", "x"), ("instance", "a")], labels, env].concat(), at(second), value as f64);
        };
        put(&[("__name__", "up")], env, 1);
        put(&[("__name__", "process_start_time_seconds")], env, at(if second < 1_910 { -9_000 } else { 1_907 }).millis() / 1_000);
        let served = if second < 1_910 { second } else { second.min(1_940) - 1_900 + (second - 2_220).max(0) };
        put(&[("__name__", "m"), ("code", "500")], env, served);
    }
    let mut calm = Daemon::start(availability(), at(0));
    run(&mut calm, &mut Delayed::of(&source, |_, _| Duration::ZERO), 0, 7_190);
    let mut late = Daemon::start(availability(), at(0));
    let of_up = between(1_900, 2_195, Duration::from_secs(417));
    let delay = |labels: &Labels, sampled| if labels.get("__name__") == "up" { of_up(labels, sampled) } else { Duration::ZERO };
    run(&mut late, &mut Delayed::of(&source, delay), 0, 7_190);
    assert_eq!(late.lost, 0);
    assert_eq!(slices(&late), slices(&calm));
}

#[test]
fn a_walk_that_is_held_up_takes_nothing_back() {
    let mut daemon = Daemon::start(availability(), at(0));
    let mut source = Delayed::of(&two_hours(), |_, _| Duration::ZERO);
    let mut now = 0;
    run(&mut daemon, &mut source, now, 3_000);
    while daemon.ledger.second_reading(at(now)).is_none() {
        now = now.max(3_000) + 30;
        daemon.tick(source.at(at(now)), at(now));
    }
    run(&mut daemon, &mut source, now + 900, 7_190);
    assert_eq!(daemon.late, []);
    assert!(daemon.ledger.sealed().is_some_and(|sealed| sealed > at(3_000)), "it is walked once more");
}

#[test]
fn what_comes_late_behind_the_first_round_is_found_whatever_restarts() {
    let delay = || between(540, 600, minutes(5));
    let mut calm = Daemon::start(availability(), at(600));
    run(&mut calm, &mut Delayed::of(&two_hours(), |_, _| Duration::ZERO), 600, 7_190);
    for restarts in [vec![], vec![601], vec![601, 650]] {
        let mut late = Daemon::start(availability(), at(600));
        let mut source = Delayed::of(&two_hours(), delay());
        late.tick(source.at(at(600)), at(600));
        for now in restarts {
            late.restart(at(now));
        }
        run(&mut late, &mut source, 690, 7_190);
        assert_eq!(slices(&late), slices(&calm));
    }
}

#[test]
fn a_seal_of_another_replica_is_not_read_again_whatever_restarts() {
    let mut daemon = Daemon::start(availability(), at(0));
    daemon.ledger.read_from(Some(Replica::named("http://a")));
    run(&mut daemon, &mut Delayed::of(&two_hours(), |_, _| Duration::ZERO), 0, 2_000);
    assert!(daemon.ledger.sealed().is_some());
    daemon.ledger.read_from(Some(Replica::named("http://b")));
    daemon.round_without(&Source::default(), at(2_010), |_| true);
    daemon.restart(at(2_020));
    assert_eq!(daemon.ledger.sealed(), None);
}

#[test]
fn what_a_source_has_lost_is_no_correction() {
    // Ten minutes of failures, of which the series is younger than the seal; a gauge that fails; expressions.
    let mut source = Source::default();
    for second in (0..7_200).step_by(15) {
        let at_second = u64::try_from(second).expect("positive");
        source.scrape(at(second), &[("200", 1_000 + at_second)]);
        if (3_000..3_600).contains(&second) {
            source.requests("a", at(second), &[("500", 7 + at_second - 3_000)]);
        }
        source.put(&[("__name__", "p"), ("job", "x"), ("instance", "a")], at(second), f64::from(u8::from(second < 3_000)));
    }
    stepped::record(&mut source, 0, &[vec![Some(1.0); 120]]);
    let kinds =
        [fixture::probe("d", &["p"], &[]), fixture::presence("e", minutes(1), &[])].into_iter().chain(stepped::expressions("v", "q"));
    let slos: Vec<Arc<Slo>> = in_slices_too().into_iter().chain(kinds).collect();
    let mut wiped = Daemon::start(slos, at(0));
    run(&mut wiped, &mut Delayed::of(&source, |_, _| Duration::ZERO), 0, 4_000);
    let known = slices(&wiped);
    for samples in source.series.values_mut() {
        samples.retain(|sampled, _| *sampled > at(3_940));
    }
    wiped.restart(at(4_000));
    run(&mut wiped, &mut Delayed::of(&source, |_, _| Duration::ZERO), 4_000, 7_190);
    let kept = slices(&wiped);
    let changed: Vec<_> = known.iter().filter(|(key, counts)| kept.get(key) != Some(counts)).collect();
    assert!(changed.is_empty(), "{changed:?}");
    assert_eq!((wiped.late.len(), wiped.lost), (0, 5));
}

#[test]
fn what_a_source_has_lost_of_series_that_are_younger_than_the_seal_is_no_correction() {
    let mut source = Source::default();
    for second in (0..7_200).step_by(15) {
        let at_second = u64::try_from(second).expect("positive");
        source.up("a", at(second), 1.0);
        if second >= 300 {
            source.requests("a", at(second), &[("200", 1_000 + at_second)]);
            source.put(&[("__name__", "p"), ("job", "x"), ("instance", "a")], at(second), 1.0);
        }
    }
    stepped::record(&mut source, 5, &[vec![Some(1.0); 120]]);
    let kinds =
        [fixture::probe("d", &["p"], &[]), fixture::presence("e", minutes(1), &[])].into_iter().chain(stepped::expressions("v", "q"));
    let slos: Vec<Arc<Slo>> = availability().into_iter().chain(kinds).collect();
    let mut wiped = Daemon::start(slos, at(0));
    run(&mut wiped, &mut Delayed::of(&source, |_, _| Duration::ZERO), 0, 1_140);
    let known = slices(&wiped);
    for samples in source.series.values_mut() {
        samples.retain(|sampled, _| *sampled > at(1_140));
    }
    run(&mut wiped, &mut Delayed::of(&source, |_, _| Duration::ZERO), 1_170, 7_190);
    let kept = slices(&wiped);
    let changed: Vec<_> = known.iter().filter(|(key, counts)| kept.get(key) != Some(counts)).collect();
    assert!(changed.is_empty(), "{changed:?}");
    assert_eq!((wiped.late.len(), wiped.lost), (0, 5));
}

#[test]
fn what_a_source_has_lost_stays_through_a_restart_before_the_first_second_reading() {
    // Also where that was sooner than the last sample of what must exist stops standing for more.
    for wiped_at in [75, 570] {
        let mut source = Source::default();
        for second in (0..7_200).step_by(15) {
            let at_second = u64::try_from(second).expect("positive");
            source.scrape(at(second), &[("200", 1_000 + at_second), ("500", 7 + at_second / 2)]);
            source.put(&[("__name__", "p"), ("job", "x"), ("instance", "a")], at(second), 1.0);
        }
        let mut awaited = (*fixture::presence("w", Duration::from_secs(10), &["instance"])).clone();
        if let Sli::Presence { expected, .. } = &mut awaited.sli {
            *expected = vec![Group::new(vec![("instance".into(), "a".into())])];
        }
        let kinds = [fixture::probe("d", &["p"], &[]), fixture::presence("e", Duration::from_secs(10), &[]), Arc::new(awaited)];
        let slos: Vec<Arc<Slo>> = availability().into_iter().chain(kinds).collect();
        let mut wiped = Daemon::start(slos, at(0));
        run(&mut wiped, &mut Delayed::of(&source, |_, _| Duration::ZERO), 0, wiped_at);
        for samples in source.series.values_mut() {
            samples.retain(|sampled, _| *sampled > at(wiped_at));
        }
        run(&mut wiped, &mut Delayed::of(&source, |_, _| Duration::ZERO), wiped_at + 30, wiped_at + 420);
        let known = slices(&wiped);
        wiped.restart(at(wiped_at + 425));
        run(&mut wiped, &mut Delayed::of(&source, |_, _| Duration::ZERO), wiped_at + 430, 2_400);
        let kept = slices(&wiped);
        let changed: Vec<_> = known.iter().filter(|(key, counts)| kept.get(key) != Some(counts)).collect();
        assert!(changed.is_empty(), "{wiped_at}: {changed:?}");
        assert_eq!((wiped.late.len(), wiped.lost), (0, 4), "{wiped_at}");
    }
}

fn in_slices_too() -> Vec<Arc<Slo>> {
    let mut slo = (*availability()[0]).clone();
    slo.objectives.push(judged::in_slices(&slo.objectives[0], 1));
    vec![Arc::new(slo)]
}

/// What happens to a daemon while its source is late.
#[derive(Debug, Clone)]
enum Event {
    Nothing,
    Restart,
    Compact,
    NoAnswer,
    Remove,
    Split,
    Return,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        8 => Just(Event::Nothing),
        1 => Just(Event::Restart),
        1 => Just(Event::Compact),
        1 => Just(Event::NoAnswer),
        1 => Just(Event::Remove),
        1 => Just(Event::Split),
        1 => Just(Event::Return),
    ]
}

/// How late the samples of a batch are.
fn delays() -> impl Strategy<Value = Vec<u64>> {
    prop::collection::vec(prop_oneof![3 => Just(0_u64), 2 => 1_u64..120, 2 => 120_u64..1_800], 1..9)
}

/// So long it takes in seconds until what SLOs left unread is found: a walk begins within 20 minutes, and reads half an hour a tick of each stretch in which
/// SLOs stand at different points, of nine kinds that may have left at different times.
const SEARCHED: i64 = 3_600;

fn late_cases() -> ProptestConfig {
    ProptestConfig { max_shrink_iters: 300, ..cases(12) }
}

proptest! {
    #![proptest_config(late_cases())]

    #[test]
    fn late_samples_lead_to_the_same_sums_as_samples_that_come_in_time(
        a in prop::collection::vec(turn(), 1..160),
        b in prop::collection::vec(turn(), 1..80),
        up: bool,
        delays in delays(),
        events in prop::collection::vec((1_usize..40, event()), 0..12),
    ) {
        let slos = vec![availability()[0].clone(), two_slos()[1].clone()];
        let (source, end) = recorded(&a, &b, up);
        check(&slos, &source, end, &delays, Senders::One, &events)?;
    }
}

proptest! {
    #![proptest_config(late_cases())]

    #[test]
    fn late_samples_of_every_kind_lead_to_the_same_sums(
        (a, b) in (
            prop::collection::vec(turn(), 1..160),
            prop::collection::vec(turn(), 1..80),
        ),
        tenants in prop::collection::vec(prop::collection::vec(stepped::value(), 1..60), 1..4),
        (up, beside, fine) in any::<(bool, bool, bool)>(),
        delays in delays(),
        senders in prop_oneof![Just(Senders::One), Just(Senders::OneOfEachMetric)],
        events in prop::collection::vec((1_usize..40, event()), 0..12),
    ) {
        let (mut source, counters_end) = recorded(&a, &b, up);
        stepped::record(&mut source, 20, &tenants);
        // A value stands for five minutes.
        let values_end = tenants.iter().map(|values| (20 + i64::try_from(values.len()).expect("few")) * 60 + 300).max().expect("one");
        let end = counters_end.max(values_end);
        if beside {
            scraped_beside(&mut source, 600, end);
        }
        let slos: Vec<Arc<Slo>> = every_kind(fine).into_iter().chain(stepped::expressions("v", "q")).collect();
        check(&slos, &source, end, &delays, senders, &events)?;
    }
}

/// Who sends samples, and may be held up.
#[derive(Debug, Clone, Copy)]
enum Senders {
    One,
    OneOfEachMetric,
}

impl Senders {
    /// A batch of samples comes together, as where a sender was held up.
    fn delay(self, delays: &[u64], labels: &Labels, sampled: Timestamp) -> Duration {
        let batch = usize::try_from(sampled.millis() / 300_000).expect("positive");
        let sender = match self {
            Self::One => 0,
            Self::OneOfEachMetric => labels.get("__name__").bytes().map(usize::from).sum(),
        };
        Duration::from_secs(delays[(batch + sender) % delays.len()])
    }
}

/// Two instances, and a while after they end.
fn recorded(a: &[Turn], b: &[Turn], up: bool) -> (Source, i64) {
    let mut source = Source::default();
    let ends = [("a", 1_500, a), ("b", 1_507, b)].map(|(name, begin, turns)| Instance::record(&mut source, name, begin, up, turns).now);
    (source, (ends.into_iter().max().expect("two") + 300) / 10 * 10)
}

fn check(
    slos: &[Arc<Slo>],
    source: &Source,
    end: i64,
    delays: &[u64],
    senders: Senders,
    events: &[(usize, Event)],
) -> Result<(), TestCaseError> {
    let slos = slos.to_vec();
    let end_of_walks = (end + 3_600) / 30 * 30;
    let mut calm = Daemon::start(slos.clone(), at(0));
    run(&mut calm, &mut Delayed::of(source, |_, _| Duration::ZERO), 0, end_of_walks);
    let mut delayed = Delayed::of(source, |labels, sampled| senders.delay(delays, labels, sampled));
    let mut late = Daemon::start(slos.clone(), at(0));
    let mut events = events.iter();
    let mut next = events.next();
    let mut since = 0;
    for now in (0..=end_of_walks).step_by(30) {
        since += 1;
        if let Some((_, event)) = next.filter(|(ticks, _)| now > 600 && since >= *ticks) {
            match event {
                Event::Nothing => {}
                Event::Restart => late.restart(at(now)),
                Event::Compact => late.compact(at(now)),
                Event::NoAnswer => drop(late.round_without(delayed.at(at(now)), at(now), |_| true)),
                Event::Remove => late.replace_slos(slos[..1].to_vec(), at(now)),
                Event::Split => late.replace_slos(split_otherwise(&slos), at(now)),
                Event::Return => late.replace_slos(slos.clone(), at(now)),
            }
            (next, since) = (events.next(), 0);
        }
        late.tick(delayed.at(at(now)), at(now));
        late.read_again(delayed.at(at(now)), at(now));
    }
    // What came late while an SLO was away is found when it is back.
    late.replace_slos(slos, at(end_of_walks));
    run(&mut late, &mut delayed, end_of_walks, end_of_walks + SEARCHED);
    run(&mut calm, &mut Delayed::of(source, |_, _| Duration::ZERO), end_of_walks + 30, end_of_walks + SEARCHED);
    assert_verdicts_follow_from_events(&late)?;
    let known = by_the_minute(slices(&calm));
    prop_assert_eq!(differing(&awaited(by_the_minute(slices(&late)), &known), &known), vec![]);
    prop_assert_eq!(differing(&sums(&late, at(end_of_walks + SEARCHED)), &sums(&calm, at(end_of_walks + SEARCHED))), vec![]);
    Ok(())
}
