//! Downtime by name: which slices of an objective that is counted in slices of time were bad, and which nobody saw, merged into spells.
//!
//! Neighbours with the same verdict are one spell. A slice that lies within excluded time is of a spell of its own kind, because it weighs nothing or
//! counts as up; it is listed all the same, so that what was taken out can be seen.

use std::time::Duration;

use crate::{ledger::Counts, time::Timestamp, window::Interval};

/// The verdict of the slices of a spell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// Too many of their events failed.
    Bad,
    /// Nobody saw them.
    Unseen,
}

/// Neighbouring slices with one verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spell {
    /// From the start of the first slice to the end of the last.
    pub over: Interval,
    /// What they were.
    pub verdict: Verdict,
    /// True where people took them out of the budget.
    pub excluded: bool,
}

impl Spell {
    /// How many slices of this length it is.
    pub fn slices(&self, length: Duration) -> u64 {
        u64::try_from(self.over.length().as_millis() / length.as_millis().max(1)).unwrap_or(u64::MAX)
    }
}

/// The spells among the verdicts on slices of this length, oldest first: seconds as bad, milliseconds as unseen. Good ones are none. `excluded` are
/// stretches that neither overlap nor touch.
pub fn spells(length: Duration, verdicts: impl IntoIterator<Item = (Timestamp, Counts)>, excluded: &[Interval]) -> Vec<Spell> {
    let mut spells: Vec<Spell> = Vec::new();
    for (end, counts) in verdicts {
        let Some(verdict) = verdict(counts) else { continue };
        let over = Interval { from: end.minus(length), to: end };
        let slice = Spell { over, verdict, excluded: excluded.iter().any(|stretch| stretch.from <= over.from && over.to <= stretch.to) };
        match spells.last_mut() {
            Some(last) if last.over.to == over.from && (last.verdict, last.excluded) == (slice.verdict, slice.excluded) => {
                last.over.to = over.to;
            }
            Some(_) | None => spells.push(slice),
        }
    }
    spells
}

fn verdict(counts: Counts) -> Option<Verdict> {
    if counts.bad > 0 {
        Some(Verdict::Bad)
    } else if counts.good == 0 && counts.unseen_millis > 0 {
        Some(Verdict::Unseen)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::minutes;

    const START: Timestamp = Timestamp::from_seconds(1_761_955_200);

    /// The verdicts of minutes from `START`: `b` bad, `u` unseen, `g` good, `.` none.
    fn check(verdicts: &str, excluded: &[(u32, u32)], expected: &[(u32, u32, Verdict, bool)]) {
        let at = |minute: u32| START.plus(minutes(1) * minute);
        let counts = |word| match word {
            'b' => Some(Counts { bad: 60, ..Counts::default() }),
            'u' => Some(Counts { unseen_millis: 60_000, ..Counts::default() }),
            'g' => Some(Counts { good: 60, ..Counts::default() }),
            _ => None,
        };
        let slices = (1_u32..).zip(verdicts.chars()).filter_map(|(minute, word)| Some((at(minute), counts(word)?)));
        let excluded: Vec<Interval> = excluded.iter().map(|(from, to)| Interval { from: at(*from), to: at(*to) }).collect();
        let spell = |(from, to, verdict, excluded): &(u32, u32, Verdict, bool)| Spell {
            over: Interval { from: at(*from), to: at(*to) },
            verdict: *verdict,
            excluded: *excluded,
        };
        assert_eq!(spells(minutes(1), slices, &excluded), expected.iter().map(spell).collect::<Vec<_>>(), "{verdicts}");
    }

    #[test]
    fn neighbours_with_one_verdict_are_one_spell() {
        check("", &[], &[]);
        check("ggg", &[], &[]);
        check("gbbgb", &[], &[(1, 3, Verdict::Bad, false), (4, 5, Verdict::Bad, false)]);
        check("bbuub", &[], &[(0, 2, Verdict::Bad, false), (2, 4, Verdict::Unseen, false), (4, 5, Verdict::Bad, false)]);
        check("b.b", &[], &[(0, 1, Verdict::Bad, false), (2, 3, Verdict::Bad, false)]);
    }

    #[test]
    fn what_was_taken_out_is_apart_and_only_whole_slices_are() {
        check("bbbb", &[(1, 3)], &[(0, 1, Verdict::Bad, false), (1, 3, Verdict::Bad, true), (3, 4, Verdict::Bad, false)]);
        check("bb", &[(5, 9)], &[(0, 2, Verdict::Bad, false)]);
        let spell = Spell { over: Interval { from: START, to: START.plus(minutes(7)) }, verdict: Verdict::Bad, excluded: false };
        assert_eq!(spell.slices(minutes(1)), 7);
    }
}
