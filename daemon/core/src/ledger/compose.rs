//! The arithmetic of composites: what a slice of a journey is, given the verdicts of its members on the same slice.
//!
//! | members | `all-of` | `weighted` |
//! |---|---|---|
//! | one is bad | bad, whatever the others are | its weight is bad |
//! | one is unseen, `unknown` | unseen | its weight is unseen |
//! | one is unseen, `exclude` | what the others say | its weight is in neither |
//! | one is unseen, `count-as-bad` | bad | its weight is bad |
//! | all are good | good | good |
//!
//! Where every member is left out, the slice is unseen. A slice is one event, of `weighted` a million millionths of one: whole numbers, so the sums of
//! slices are exact, in whatever order they are added.

use std::time::Duration;

use super::{Counts, verdict};
use crate::sli::{
    Weight,
    composite::{Composite, Members, WhenUnseen},
};

/// What one member says of a slice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Said {
    Good,
    Bad,
    Unseen,
    /// It is not asked.
    Nothing,
}

impl Said {
    /// From its verdict; one that is not there yet is unseen.
    fn of(verdict: Counts, unseen: WhenUnseen) -> Self {
        match (verdict.bad > 0, verdict.good > 0, unseen) {
            (true, _, _) | (false, false, WhenUnseen::CountAsBad) => Self::Bad,
            (false, true, _) => Self::Good,
            (false, false, WhenUnseen::Unknown) => Self::Unseen,
            (false, false, WhenUnseen::Exclude) => Self::Nothing,
        }
    }
}

/// What a slice of the journey is. `verdicts` are those of the members on that slice, in their order, in seconds.
pub fn compose(composite: &Composite, verdicts: &[Counts]) -> Counts {
    let said: Vec<Said> = composite.members().zip(verdicts).map(|(member, verdict)| Said::of(*verdict, member.unseen)).collect();
    if said.iter().all(|said| *said == Said::Nothing) {
        return verdict::unseen(composite.slice);
    }
    match &composite.members {
        Members::AllOf(_) if said.contains(&Said::Bad) => Counts { bad: 1, ..Counts::default() },
        Members::AllOf(_) if said.contains(&Said::Unseen) => verdict::unseen(composite.slice),
        Members::AllOf(_) => Counts { good: 1, ..Counts::default() },
        Members::Weighted(members) => said.iter().zip(members).map(|(said, (_, weight))| weighed(*said, *weight, composite.slice)).sum(),
    }
}

fn weighed(said: Said, weight: Weight, slice: Duration) -> Counts {
    match said {
        Said::Good => Counts { good: weight.millionths(), ..Counts::default() },
        Said::Bad => Counts { bad: weight.millionths(), ..Counts::default() },
        Said::Unseen => Counts { unseen_millis: share_of(slice, weight), ..Counts::default() },
        Said::Nothing => Counts::default(),
    }
}

/// A slice is of whole minutes, so that a tenth of a percent of it is of whole milliseconds.
fn share_of(slice: Duration, weight: Weight) -> i64 {
    i64::try_from(slice.as_millis() * u128::from(weight.tenths()) / u128::from(Weight::WHOLE.tenths())).unwrap_or(i64::MAX)
}

/// The same counts with the slices that were not seen as good ones: what is known to be bad, against all of the time. Alert rows of a composite are
/// decided by it: where a member is not seen, slices are known only where they are bad, and their share among the known ones would cry wolf.
pub fn known_bad(composite: &Composite, counts: Counts) -> Counts {
    let whole = match composite.members {
        Members::AllOf(_) => 1,
        Members::Weighted(_) => Weight::WHOLE.millionths(),
    };
    let unseen = i128::from(counts.unseen_millis) * i128::from(whole) / i128::try_from(composite.slice.as_millis().max(1)).unwrap_or(1);
    Counts { good: counts.good + i64::try_from(unseen).unwrap_or(0), ..counts }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ledger::fixture, sli::composite::Member, time::minutes, units::GoodShare};

    const GOOD: Counts = Counts { good: 60, tolerated: 0, bad: 0, unseen_millis: 0 };
    const BAD: Counts = Counts { good: 0, tolerated: 0, bad: 60, unseen_millis: 0 };
    const UNSEEN: Counts = Counts { good: 0, tolerated: 0, bad: 0, unseen_millis: 60_000 };
    const NOT_YET: Counts = Counts { good: 0, tolerated: 0, bad: 0, unseen_millis: 0 };

    fn member(name: &str, unseen: WhenUnseen) -> Member {
        Member { slo: fixture::slo_id(name), good_from: GoodShare::percent("99%").expect("a share"), unseen }
    }

    fn counts(good: i64, bad: i64, unseen_millis: i64) -> Counts {
        Counts { good, bad, unseen_millis, ..Counts::default() }
    }

    #[test]
    fn a_slice_is_good_where_it_is_for_all_and_bad_where_it_is_for_one() {
        use WhenUnseen::{CountAsBad, Exclude, Unknown};
        for (rules, verdicts, expected) in [
            ([Unknown, Unknown], [GOOD, GOOD], counts(1, 0, 0)),
            ([Unknown, Unknown], [GOOD, BAD], counts(0, 1, 0)),
            ([Unknown, Unknown], [BAD, BAD], counts(0, 1, 0)),
            ([Unknown, Unknown], [GOOD, UNSEEN], counts(0, 0, 60_000)),
            ([Unknown, Unknown], [GOOD, NOT_YET], counts(0, 0, 60_000)),
            ([Unknown, Unknown], [BAD, UNSEEN], counts(0, 1, 0)),
            ([Unknown, Exclude], [GOOD, UNSEEN], counts(1, 0, 0)),
            ([Unknown, Exclude], [BAD, UNSEEN], counts(0, 1, 0)),
            ([Unknown, Exclude], [UNSEEN, GOOD], counts(0, 0, 60_000)),
            ([Exclude, Exclude], [UNSEEN, NOT_YET], counts(0, 0, 60_000)),
            ([Unknown, CountAsBad], [GOOD, UNSEEN], counts(0, 1, 0)),
            ([Unknown, CountAsBad], [UNSEEN, GOOD], counts(0, 0, 60_000)),
        ] {
            let members = Members::AllOf(rules.map(|rule| member("a", rule)).to_vec());
            let composite = Composite { members, slice: minutes(1) };
            assert_eq!(compose(&composite, &verdicts), expected, "{rules:?} {verdicts:?}");
        }
    }

    #[test]
    fn weights_share_a_slice_out_to_the_last_millionth() {
        use WhenUnseen::{CountAsBad, Exclude, Unknown};
        for (rules, verdicts, expected) in [
            ([Unknown, Unknown], [GOOD, GOOD], counts(1_000_000, 0, 0)),
            ([Unknown, Unknown], [GOOD, BAD], counts(667_000, 333_000, 0)),
            ([Unknown, Unknown], [BAD, UNSEEN], counts(0, 667_000, 19_980)),
            ([Unknown, Exclude], [GOOD, UNSEEN], counts(667_000, 0, 0)),
            ([Unknown, CountAsBad], [GOOD, UNSEEN], counts(667_000, 333_000, 0)),
            ([Exclude, Exclude], [UNSEEN, UNSEEN], counts(0, 0, 60_000)),
        ] {
            let weights = ["66.7%", "33.3%"].map(|text| Weight::percent(text).expect("a weight"));
            let members = rules.into_iter().zip(weights).map(|(rule, weight)| (member("a", rule), weight)).collect();
            let composite = Composite { members: Members::Weighted(members), slice: minutes(1) };
            let composed = compose(&composite, &verdicts);
            assert_eq!(composed, expected, "{rules:?} {verdicts:?}");
            if !rules.contains(&Exclude) {
                assert_eq!(known_bad(&composite, composed).total(), 1_000_000, "what is unseen has its weight, too");
            }
        }
    }
}
