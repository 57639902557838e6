//! Samples made from what our own ledger keeps: good and bad events by the minute, as counters that a source would have shown. So a span can be lived
//! through again whose samples no source has any more, to the minute.
//!
//! The ledger keeps minutes for eight days, five minutes for 35, hours beyond; events of a longer slice are spread over its minutes.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use burnward_core::{
    id::SloId,
    ledger::{Counts, Damaged, Plan, Sample, Settings, SourceLedger, Stored, StoredStream, Stream},
    sli::{Counted, HistogramKind, Labels, MatchOp, Matcher, Selector, Sli},
    slo::Slo,
    time::{Timestamp, days, hours, minutes},
    window::Interval,
    words,
};

use super::Samples;
use crate::report::words::utc;

const MINUTE: Duration = minutes(1);

/// How old slices of these lengths are at most.
const LEVELS: [(Duration, Duration); 2] = [(days(8), MINUTE), (days(35), minutes(5))];

/// Alert rows with a shorter lookback than this cannot be decided by minutes.
pub const SHORTEST_LOOKBACK: Duration = minutes(5);

/// SLOs that are named.
const LISTED: usize = 5;

/// What a ledger keeps, ready to be replayed.
#[derive(Debug)]
pub struct Kept {
    /// What the ledger shows.
    pub samples: Samples,
    /// The SLOs, counted from that.
    pub slos: Vec<Arc<Slo>>,
    /// From where on whole minutes are kept, up to where samples are settled.
    pub fine: Interval,
    /// What of these minutes was filled in from history, and so is held in longer slices, the finest first.
    pub filled: Vec<Filled>,
}

/// What was filled in from history at one spacing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filled {
    /// How long its slices are.
    pub slice: Duration,
    /// Where it lies, of all these SLOs.
    pub over: Interval,
    /// Of which SLOs.
    pub slos: BTreeSet<SloId>,
}

impl Filled {
    /// What that means for what is told of it.
    pub fn sentence(&self) -> String {
        let Self { slice, over, slos } = self;
        let named: Vec<String> = slos.iter().map(|slo| format!("{}/{}", slo.service, slo.name)).collect();
        let slice = words::duration(*slice);
        format!(
            "From {} to {} what the ledger keeps of {} was filled in from history, in slices of {slice}: pages of that time may come up to {slice} later than they would have, and a row with a short lookback may not fire.",
            utc(over.from),
            utc(over.to),
            words::list(&named, LISTED)
        )
    }

    /// What of a span was filled in, by spacing. What an expression yields at its own steps is held as it is live.
    fn of(ledger: &SourceLedger, slos: &[Arc<Slo>], span: Interval) -> Vec<Self> {
        let mut filled: BTreeMap<Duration, Self> = BTreeMap::new();
        for slo in slos.iter().filter(|slo| !matches!(slo.sli, Sli::Window { .. } | Sli::Query { .. })) {
            for fill in ledger.fills(&slo.id).iter().filter(|fill| fill.step > MINUTE && fill.from < span.to && fill.to > span.from) {
                let part = Interval { from: fill.from.max(span.from), to: fill.to.min(span.to) };
                let of_step = filled.entry(fill.step).or_insert_with(|| Self { slice: fill.step, over: part, slos: BTreeSet::new() });
                of_step.over = Interval { from: of_step.over.from.min(part.from), to: of_step.over.to.max(part.to) };
                of_step.slos.insert(slo.id.clone());
            }
        }
        filled.into_values().collect()
    }
}

/// Of these SLOs, what the ledger keeps of a span and of the windows before it.
///
/// # Errors
/// The ledger cannot be read.
pub fn read(stored: &Stored, slos: &[Arc<Slo>], settings: Settings, span: Interval) -> Result<Kept, Damaged> {
    let now = stored.settled.unwrap_or(span.to);
    let ledger = SourceLedger::restore(Plan::new(slos), settings, stored, now)?;
    let by_id: BTreeMap<&SloId, &Arc<Slo>> = slos.iter().map(|slo| (&slo.id, slo)).collect();
    let mut samples = Samples::default();
    for stream in ledger.streams() {
        let (Some(slo), Some(from)) = (by_id.get(&*stream.slo), stream.counted_from) else { continue };
        let longest = slo.objectives.iter().map(|objective| objective.window.longest()).max().unwrap_or_default();
        let from = from.max(span.from.minus(longest));
        // Where minutes are kept any of them is an edge; before that, the hour is one of every length.
        let from = from.ceil(if now.since(from) < LEVELS[0].0 { MINUTE } else { hours(1) });
        let over = Interval { from, to: span.to.min(now) };
        let series = SeriesOf::stream(slo, stream);
        series.write(&mut samples, &StoredStream::of(stored, stream.index)?, over, now);
    }
    let fine = Interval { from: now.minus(days(8)).ceil(MINUTE), to: now };
    let filled = Filled::of(&ledger, slos, Interval { from: span.from.max(fine.from), to: span.to });
    let slos = slos.iter().map(|slo| Arc::new(counted_from_ledger(slo))).collect();
    Ok(Kept { samples, slos, fine, filled })
}

/// An SLO whose events are the counters that the ledger's slices become.
fn counted_from_ledger(slo: &Slo) -> Slo {
    let of_slo = |metric: &str| {
        let matcher = Matcher { label: SLO.to_owned(), op: MatchOp::Equal, value: name_of(slo) };
        Selector::new(metric, vec![matcher])
    };
    let sli = if tolerates(&slo.sli) {
        Sli::Latency { buckets: of_slo(BUCKETS), kind: HistogramKind::Classic, within: 1.0, tolerated: Some(2.0) }
    } else {
        Sli::Events { counted: Counted::Bad(vec![of_slo(BAD)]), total: vec![of_slo(EVENTS)] }
    };
    Slo { sli, ..slo.clone() }
}

const SLO: &str = "burnward_slo";
const EVENTS: &str = "burnward_ledger_events_total";
const BAD: &str = "burnward_ledger_bad_total";
const BUCKETS: &str = "burnward_ledger_bucket";

fn name_of(slo: &Slo) -> String {
    format!("{}/{}", slo.id.service, slo.id.name)
}

/// Whether some of its events count half.
const fn tolerates(sli: &Sli) -> bool {
    match sli {
        Sli::Latency { tolerated, kind, .. } => tolerated.is_some() || matches!(kind, HistogramKind::Native),
        Sli::Events { .. } | Sli::Probe { .. } | Sli::Presence { .. } | Sli::Window { .. } | Sli::Query { .. } | Sli::Composite(_) => false,
    }
}

/// The series of one stream, which are scraped from a target of its own: what is unseen of one stream is seen of others.
struct SeriesOf {
    up: Labels,
    /// Each with what it counts of a good, a tolerated and a bad event.
    counters: Vec<(Labels, [i64; 3])>,
    /// What the ledger calls one event.
    per_event: i64,
}

impl SeriesOf {
    fn stream(slo: &Slo, stream: &Stream) -> Self {
        let labels = |metric: &str, le: &str| {
            let own = [
                ("__name__", metric.to_owned()),
                ("job", "burnward".to_owned()),
                ("instance", format!("{}{}", name_of(slo), stream.group)),
            ];
            let group = stream.group.labels().iter().map(|(label, value)| (label.as_str(), value.clone()));
            Labels::new(own.into_iter().chain(group).chain([(SLO, name_of(slo)), ("le", le.to_owned())]))
        };
        let target = labels("up", "");
        let up = Labels::new([("__name__", "up"), ("job", target.get("job")), ("instance", target.get("instance"))]);
        let counters = if tolerates(&slo.sli) {
            vec![(labels(BUCKETS, "1"), [1, 0, 0]), (labels(BUCKETS, "2"), [1, 1, 0]), (labels(BUCKETS, "+Inf"), [1, 1, 1])]
        } else {
            vec![(labels(EVENTS, ""), [1, 1, 1]), (labels(BAD, ""), [0, 0, 1])]
        };
        Self { up, counters, per_event: slo.sli.unit().per_event() }
    }

    fn write(&self, samples: &mut Samples, kept: &StoredStream, over: Interval, now: Timestamp) {
        let (mut sum, mut shown) = (Counts::default(), vec![0; self.counters.len()]);
        let mut at = over.from;
        self.sample(samples, sum, &mut shown, at);
        while at < over.to {
            let age = now.since(at);
            let length = LEVELS.iter().find(|(oldest, _)| age < *oldest).map_or(hours(1), |(_, length)| *length);
            let slice = kept.between(Interval { from: at, to: at.plus(length) });
            let parts = i64::try_from(length.as_secs() / MINUTE.as_secs()).unwrap_or(1).max(1);
            let hidden = slice.unseen_millis * 2 > i64::try_from(length.as_millis()).unwrap_or(i64::MAX);
            for part in 1..=parts {
                at = at.plus(MINUTE);
                let minute = |count: i64| count * part / parts - count * (part - 1) / parts;
                sum += Counts { good: minute(slice.good), tolerated: minute(slice.tolerated), bad: minute(slice.bad), unseen_millis: 0 };
                if !hidden {
                    self.sample(samples, sum, &mut shown, at);
                }
            }
        }
    }

    /// In a single slice good events may be fewer than none, of exporters that tell of one event at two moments; no counter falls for that.
    fn sample(&self, samples: &mut Samples, sum: Counts, shown: &mut [i64], at: Timestamp) {
        samples.push(&self.up, Sample { at, value: 1.0 });
        for ((labels, [good, tolerated, bad]), shown) in self.counters.iter().zip(shown) {
            let events = (sum.good * good + sum.tolerated * tolerated + sum.bad * bad) / self.per_event;
            *shown = events.max(*shown);
            samples.push(labels, Sample { at, value: *shown as f64 });
        }
    }
}
