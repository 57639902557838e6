//! The series of an answer as a round sees them: sorted, without repeats, with what is wrong about them.

use std::{borrow::Cow, time::Duration};

use crate::{
    ledger::{
        Reason, Sample, Series, Unknown,
        count::{SeriesKey, whole},
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
    /// Moments with two different values.
    conflicts: Vec<Timestamp>,
    /// The whole series contradicts itself.
    pub spoilt: Option<Unknown>,
    /// The lanes and sides that take it, where the ledger did not know them.
    pub fresh: Vec<(usize, usize)>,
}

/// The series of an answer by their identity. Spellings of one bucket boundary are one series; equal labels are a contradiction.
pub(super) fn sight_all(query: usize, series: &[Series]) -> Vec<Sight<'_>> {
    let mut keyed: Vec<(SeriesKey, &Series)> = series.iter().map(|series| (SeriesKey::of(&series.labels), series)).collect();
    keyed.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| a.1.labels.cmp(&b.1.labels)));
    keyed.chunk_by(|a, b| a.0 == b.0).map(|same| sight(query, same)).collect()
}

fn sight<'s>(query: usize, same: &[(SeriesKey, &'s Series)]) -> Sight<'s> {
    let (key, first) = same[0];
    let repeated = same.windows(2).any(|pair| pair[0].1.labels == pair[1].1.labels);
    let spoilt = repeated.then(|| Unknown::new(Reason::Duplicate, format!("the answer holds {} twice", shown(&first.labels))));
    let mut sight = Sight {
        query,
        key,
        labels: &first.labels,
        samples: Cow::Borrowed(&first.samples),
        conflicts: Vec::new(),
        spoilt,
        fresh: Vec::new(),
    };
    let sorted = first.samples.windows(2).all(|pair| pair[0].at < pair[1].at);
    if same.len() > 1 || !sorted {
        sight.sort(same);
    }
    sight
}

impl Sight<'_> {
    /// The value of one of its samples, if it can be counted.
    pub(super) fn value(&self, sample: &Sample) -> Result<u64, Unknown> {
        if self.conflicts.binary_search(&sample.at).is_ok() {
            let detail = format!("two different values at {} s in {}", sample.at.seconds(), shown(self.labels));
            return Err(Unknown::new(Reason::Duplicate, detail));
        }
        whole(sample.value).map_err(|reason| Unknown::new(reason, format!("the counter {} is {}", shown(self.labels), sample.value)))
    }
}

impl Sight<'_> {
    /// A sample beyond the end of what was asked.
    pub(super) fn skewed(&self, to: Timestamp) -> Option<Unknown> {
        let last = self.samples.last().filter(|sample| sample.at > to.plus(SKEW))?;
        Some(skew(self.labels, last.at, to))
    }

    /// Sorts the samples; exact repeats are one.
    fn sort(&mut self, same: &[(SeriesKey, &Series)]) {
        let mut samples: Vec<Sample> = same.iter().flat_map(|(_, series)| series.samples.iter().copied()).collect();
        samples.sort_by(|a, b| a.at.cmp(&b.at).then(a.value.total_cmp(&b.value)));
        samples.dedup_by(|a, b| {
            let repeat = a.at == b.at;
            if repeat && a.value.to_bits() != b.value.to_bits() && self.conflicts.last() != Some(&a.at) {
                self.conflicts.push(a.at);
            }
            repeat
        });
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
