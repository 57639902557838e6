//! Marks: counts up to instants that lie within a slice, so that a stretch between two such instants is summed exactly from coarse slices.
//!
//! A mark holds what was counted from the slice's edge before it up to it; what lies between two marks is the whole slices between them, plus the later
//! mark, minus the earlier one. An instant on an edge of a level needs no mark there.

use std::time::Duration;

use super::{
    Counts, Damaged,
    segment::varint::{Reader, Writer},
    slice::{FIVE_MINUTES, HOUR, MINUTE, Span},
};
use crate::{time::Timestamp, window::Grain};

/// The levels that have marks: those whose slices a person's times may cut.
const STEPS: [Duration; 5] = [MINUTE, FIVE_MINUTES, Grain::QuarterHour.step(), Grain::HalfHour.step(), HOUR];

/// The marks of one stream.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Marks {
    /// By level, in the order of `STEPS`; each sorted.
    levels: [Vec<Mark>; STEPS.len()],
}

/// No marks.
pub(super) static NO_MARKS: Marks = Marks { levels: [const { Vec::new() }; STEPS.len()] };

/// What was counted after the edge before `at`, up to it.
#[derive(Debug, Clone, PartialEq)]
struct Mark {
    at: Timestamp,
    counts: Counts,
}

impl Marks {
    /// Marks at these instants, where nothing was counted yet.
    pub(super) fn at(edges: &[Timestamp]) -> Self {
        let mut marks = Self::default();
        for edge in edges {
            marks.insert(*edge);
        }
        marks
    }

    /// One more instant.
    fn insert(&mut self, at: Timestamp) {
        for (marks, step) in self.levels.iter_mut().zip(STEPS) {
            if at.floor(step) == at {
                continue;
            }
            if let Err(place) = marks.binary_search_by_key(&at, |mark| mark.at) {
                marks.insert(place, Mark { at, counts: Counts::default() });
            }
        }
    }

    /// True where there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.levels.iter().all(Vec::is_empty)
    }

    /// Other marks, with what these hold at the same instants.
    pub(super) fn carried_into(&self, mut others: Self) -> Self {
        for (others, own) in others.levels.iter_mut().zip(&self.levels) {
            for mark in others {
                if let Ok(place) = own.binary_search_by_key(&mark.at, |mark| mark.at) {
                    mark.counts = own[place].counts;
                }
            }
        }
        others
    }

    /// Books a slice that ends at `end`.
    pub(super) fn add(&mut self, end: Timestamp, counts: Counts) {
        for (marks, step) in self.levels.iter_mut().zip(STEPS) {
            for mark in within(marks, end, end.ceil(step)) {
                mark.counts += counts;
            }
        }
    }

    /// Books unseen time.
    pub(super) fn add_span(&mut self, span: &Span) {
        for (marks, step) in self.levels.iter_mut().zip(STEPS) {
            for mark in within(marks, span.from.plus(Duration::from_millis(1)), span.to.ceil(step)) {
                mark.counts += span.within(mark.at.floor(step), mark.at);
            }
        }
    }

    /// What was counted from the edge of `step` before `at`, up to it; `None` where there is no mark.
    pub(super) fn up_to(&self, step: Duration, at: Timestamp) -> Option<Counts> {
        if at.floor(step) == at {
            return Some(Counts::default());
        }
        let marks = STEPS.iter().position(|known| *known == step).map(|level| &self.levels[level])?;
        marks.binary_search_by_key(&at, |mark| mark.at).ok().map(|place| marks[place].counts)
    }
}

impl Marks {
    /// All instants that are marked: each lies within an hour.
    pub(super) fn instants(&self) -> impl Iterator<Item = Timestamp> + '_ {
        let [.., of_hours] = &self.levels;
        of_hours.iter().map(|mark| mark.at)
    }

    /// True where each of these marks is one of `known` too, or lies ahead of all that was counted, in an hour that begins at `counted_to` or later.
    pub(super) fn are_known(&self, known: &Self, counted_to: Option<Timestamp>) -> bool {
        let is_ahead = |at: Timestamp| counted_to.is_none_or(|to| at.floor(HOUR) >= to);
        let is_known = |at: Timestamp, known: &[Mark]| known.binary_search_by_key(&at, |mark| mark.at).is_ok();
        let mut levels = self.levels.iter().zip(&known.levels);
        levels.all(|(marks, known)| marks.iter().all(|mark| is_ahead(mark.at) || is_known(mark.at, known)))
    }

    pub(super) fn pack(&self, out: &mut Writer) {
        for marks in &self.levels {
            out.list(marks.iter(), |out, mark| {
                out.signed(mark.at.millis());
                let Counts { good, tolerated, bad, unseen_millis } = mark.counts;
                for number in [good, tolerated, bad, unseen_millis] {
                    out.signed(number);
                }
            });
        }
    }

    pub(super) fn unpack(reader: &mut Reader<'_>) -> Result<Self, Damaged> {
        let mut marks = Self::default();
        for level in &mut marks.levels {
            *level = reader.list(|reader| {
                let at = Timestamp::from_millis(reader.signed()?);
                let mut number = || reader.signed();
                let counts = Counts { good: number()?, tolerated: number()?, bad: number()?, unseen_millis: number()? };
                Ok(Mark { at, counts })
            })?;
            if level.windows(2).any(|pair| pair[0].at >= pair[1].at) {
                return Err(reader.damaged("its marks are not in order"));
            }
        }
        Ok(marks)
    }
}

/// The marks from `first` up to and with `last`.
fn within(marks: &mut [Mark], first: Timestamp, last: Timestamp) -> &mut [Mark] {
    let low = marks.partition_point(|mark| mark.at < first);
    let high = low + marks[low..].partition_point(|mark| mark.at <= last);
    &mut marks[low..high]
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: fn(i64) -> Timestamp = Timestamp::from_seconds;

    fn good(n: i64) -> Counts {
        Counts { good: n, ..Counts::default() }
    }

    #[test]
    fn a_mark_holds_what_ends_within_its_slice_up_to_it() {
        let mut marks = Marks::at(&[AT(3_630), AT(3_600)]);
        for (end, n) in [(3_600, 1), (3_610, 10), (3_630, 100), (3_640, 1_000), (7_200, 10_000)] {
            marks.add(AT(end), good(n));
        }
        for step in STEPS {
            assert_eq!(marks.up_to(step, AT(3_630)), Some(good(110)), "{step:?}");
            assert_eq!(marks.up_to(step, AT(3_600)), Some(good(0)), "on an edge nothing lies before it");
            assert_eq!(marks.up_to(step, AT(3_620)), None, "no mark");
        }
    }

    #[test]
    fn a_mark_holds_its_part_of_a_span() {
        let mut marks = Marks::at(&[AT(3_690)]);
        marks.add_span(&Span { stream: 0, from: AT(3_000), to: AT(3_680) });
        let unseen = |step| marks.up_to(step, AT(3_690)).map(|counts| counts.unseen_millis);
        assert_eq!((unseen(MINUTE), unseen(HOUR)), (Some(20_000), Some(80_000)));
    }
}
