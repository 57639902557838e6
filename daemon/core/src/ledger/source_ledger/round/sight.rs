//! The series of an answer as a round sees them: without repeats, with what is wrong about them.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use crate::{
    ledger::{
        Histogram, Reason, Sample, Series, Unknown,
        count::{SeriesKey, exact, whole},
        source_ledger::series::SeriesTable,
    },
    sli::Labels,
    time::Timestamp,
};

/// Samples may lie this much beyond the end of what was asked before the clocks are called skewed.
const SKEW: Duration = Duration::from_secs(30);

/// One series of an answer, its samples sorted and without repeats.
pub(super) struct Sight<'s> {
    pub query: usize,
    pub key: SeriesKey,
    pub labels: &'s Labels,
    pub samples: Cow<'s, [Sample]>,
    histograms: &'s BTreeMap<Timestamp, Arc<Histogram>>,
    /// Its place, where the ledger knows it.
    pub place: Option<u32>,
    /// The lanes and sides that take it, where the ledger did not know them.
    pub fresh: Vec<(usize, usize)>,
    /// What is wrong with it, where something is.
    odd: Option<Box<Odd>>,
}

/// What is wrong with a series.
#[derive(Default)]
struct Odd {
    /// Moments with two different values.
    conflicts: Vec<Timestamp>,
    /// The whole series contradicts itself.
    spoilt: Option<Unknown>,
}

/// The series of all answers that some SLO counts.
pub(super) struct Sights<'s> {
    /// Those with samples.
    pub all: Vec<Sight<'s>>,
    /// Where those of them stand that somebody takes whom the ledger does not know to.
    pub fresh: Vec<usize>,
    /// Why some of all stop those who take them.
    pub spoilt: Vec<(Unknown, Vec<usize>)>,
}

/// Adds the series of an answer by their identity. Spellings of one bucket boundary are one series; equal labels are a contradiction.
pub(super) fn sight_all<'s>(query: usize, series: &'s [Series], table: &SeriesTable, sights: &mut Vec<Sight<'s>>) {
    let (mut walk, mut new, mut last) = (table.walk(), BTreeSet::new(), None);
    let (first, mut in_order, mut repeated) = (sights.len(), true, false);
    for one in series {
        let key = SeriesKey::of(&one.labels);
        let place = walk.find(key);
        match place {
            Some(_) => in_order &= std::mem::replace(&mut last, place) < place,
            None => repeated |= !new.insert(key),
        }
        sights.push(Sight::of(query, key, place, one));
    }
    if !in_order {
        let mut known: Vec<u32> = sights[first..].iter().filter_map(|sight| sight.place).collect();
        known.sort_unstable();
        repeated |= known.windows(2).any(|pair| pair[0] == pair[1]);
    }
    if repeated {
        sights.truncate(first);
        sights.extend(joined(query, series, table));
    }
}

/// The same where some of the series have one identity.
fn joined<'s>(query: usize, series: &'s [Series], table: &SeriesTable) -> Vec<Sight<'s>> {
    let mut keyed: Vec<(SeriesKey, &Series)> = series.iter().map(|series| (SeriesKey::of(&series.labels), series)).collect();
    keyed.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| a.1.labels.cmp(&b.1.labels)));
    let mut walk = table.walk();
    keyed.chunk_by(|a, b| a.0 == b.0).map(|same| Sight::of_all(query, walk.find(same[0].0), same)).collect()
}

impl<'s> Sight<'s> {
    fn of(query: usize, key: SeriesKey, place: Option<u32>, series: &'s Series) -> Self {
        let samples = Cow::Borrowed(series.samples.as_slice());
        let Series { labels, histograms, .. } = series;
        let mut sight = Self { query, key, labels, samples, histograms, place, fresh: Vec::new(), odd: None };
        if !series.samples.is_sorted_by(|one, next| one.at < next.at) {
            sight.sort(&[(key, series)]);
        }
        sight
    }

    fn of_all(query: usize, place: Option<u32>, same: &[(SeriesKey, &'s Series)]) -> Self {
        let (key, first) = same[0];
        let mut sight = Self::of(query, key, place, first);
        if same.len() > 1 {
            sight.sort(same);
        }
        if same.windows(2).any(|pair| pair[0].1.labels == pair[1].1.labels) {
            let unknown = Unknown::new(Reason::Duplicate, format!("the answer holds {} twice", shown(&first.labels)));
            sight.odd.get_or_insert_default().spoilt = Some(unknown);
        }
        sight
    }
}

impl<'s> Sight<'s> {
    /// The value of one of its samples, if it can be counted.
    pub(super) fn value(&self, sample: &Sample) -> Result<u64, Unknown> {
        self.unambiguous(sample)?;
        whole(sample.value).map_err(|reason| Unknown::new(reason, format!("the counter {} is {}", shown(self.labels), sample.value)))
    }

    /// The same without a reason why not.
    pub(super) fn exact_value(&self, sample: &Sample) -> Option<u64> {
        exact(sample.value).filter(|_| !self.is_ambiguous(sample))
    }

    /// True where something is wrong with it.
    pub(super) const fn is_odd(&self) -> bool {
        self.odd.is_some()
    }

    /// The native histogram of one of its samples.
    pub(super) fn histogram(&self, sample: &Sample) -> Result<&'s Arc<Histogram>, Unknown> {
        let missing = || {
            let (series, at) = (shown(self.labels), sample.at.seconds());
            Unknown::new(Reason::Fractional, format!("{series} is no native histogram of whole numbers at {at}"))
        };
        self.histograms.get(&sample.at).ok_or_else(missing)
    }

    /// Whether one of its samples, taken as a gauge of 0 and 1, is good.
    pub(super) fn holds(&self, sample: &Sample) -> Result<bool, Unknown> {
        self.unambiguous(sample)?;
        let reason = match sample.value {
            value if value.is_nan() => Reason::Nan,
            value if value.is_infinite() => Reason::Infinite,
            value => return Ok(value > 0.5),
        };
        Err(Unknown::new(reason, format!("the gauge {} is {}", shown(self.labels), sample.value)))
    }

    /// Why a fall of its counter is not counted.
    pub(super) fn fell(&self, before: u64, value: u64) -> Unknown {
        let counter = shown(self.labels);
        Unknown::new(Reason::SuspectReset, format!("the counter {counter} fell from {before} to {value}: do replicas answer in turn?"))
    }

    fn unambiguous(&self, sample: &Sample) -> Result<(), Unknown> {
        if self.is_ambiguous(sample) {
            let detail = format!("two different values at {} s in {}", sample.at.seconds(), shown(self.labels));
            return Err(Unknown::new(Reason::Duplicate, detail));
        }
        Ok(())
    }

    fn is_ambiguous(&self, sample: &Sample) -> bool {
        self.odd.as_ref().is_some_and(|odd| odd.conflicts.binary_search(&sample.at).is_ok())
    }
}

impl Sight<'_> {
    /// Why it stops those who take it: a sample beyond the end of what was asked, or a contradiction.
    pub(super) fn spoilt(&self, to: Timestamp) -> Option<Unknown> {
        let skewed = self.samples.last().filter(|sample| sample.at > to.plus(SKEW));
        skewed.map(|last| skew(self.labels, last.at, to)).or_else(|| self.odd.as_ref().and_then(|odd| odd.spoilt.clone()))
    }

    /// Leaves out the samples behind `to`.
    pub(super) fn end_at(&mut self, to: Timestamp) {
        let until = self.samples.partition_point(|sample| sample.at <= to);
        match &mut self.samples {
            Cow::Borrowed(samples) => *samples = &samples[..until],
            Cow::Owned(samples) => samples.truncate(until),
        }
    }

    /// Sorts the samples; exact repeats are one.
    fn sort(&mut self, same: &[(SeriesKey, &Series)]) {
        let mut samples: Vec<Sample> = same.iter().flat_map(|(_, series)| series.samples.iter().copied()).collect();
        samples.sort_by(|a, b| a.at.cmp(&b.at).then(a.value.total_cmp(&b.value)));
        let mut conflicts = Vec::new();
        samples.dedup_by(|a, b| {
            let repeat = a.at == b.at;
            if repeat && a.value.to_bits() != b.value.to_bits() && conflicts.last() != Some(&a.at) {
                conflicts.push(a.at);
            }
            repeat
        });
        if !conflicts.is_empty() {
            self.odd.get_or_insert_default().conflicts = conflicts;
        }
        self.samples = Cow::Owned(samples);
    }
}

fn skew(labels: &Labels, at: Timestamp, to: Timestamp) -> Unknown {
    let ahead = at.since(to).as_secs();
    Unknown::new(Reason::ClockSkew, format!("a sample lies {ahead} s in the future, in {}", shown(labels)))
}

/// Labels as a person reads them.
fn shown(labels: &Labels) -> String {
    let pairs: Vec<String> =
        labels.pairs().filter(|(name, _)| *name != "__name__").map(|(name, value)| format!("{name}={value:?}")).collect();
    format!("{}{{{}}}", labels.get("__name__"), pairs.join(","))
}
