//! Composites: a journey that is made of other SLOs, judged in slices of time.
//!
//! A product of availabilities is no count of events, and neither is a mean of them. So time is cut into slices, each member judges each slice by its own
//! events, and the slice of the journey follows from these verdicts: [`crate::ledger::compose`].

use std::time::Duration;

use thiserror::Error;

use crate::{
    id::SloId,
    slo::SliceRule,
    units::{GoodShare, Ratio},
};

/// What a journey is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Composite {
    /// How the members make up the journey.
    pub members: Members,
    /// Length of a slice: whole minutes that divide an hour. Each slice is one event.
    pub slice: Duration,
}

/// How members make up a journey.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Members {
    /// A slice is good where it is for every member.
    AllOf(Vec<Member>),
    /// A slice is good by the weights of the members for which it is. The weights add up to one.
    Weighted(Vec<(Member, Weight)>),
}

/// One member of a journey.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Which SLO of the same tenant.
    pub slo: SloId,
    /// A slice is good for it where at least this share of its events is.
    pub good_from: GoodShare,
    /// What a slice is of which nobody saw it.
    pub unseen: WhenUnseen,
}

/// What a slice is taken for in which a member was not seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WhenUnseen {
    /// Not seen, unless it is bad for another member.
    #[default]
    Unknown,
    /// What the other members say.
    Exclude,
    /// Bad.
    CountAsBad,
}

impl WhenUnseen {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Unknown, Self::Exclude, Self::CountAsBad];

    /// As documents write it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Exclude => "exclude",
            Self::CountAsBad => "count-as-bad",
        }
    }
}

/// A member's part of a journey, in tenths of a percent: so a slice of whole minutes is shared out in whole milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Weight(u16);

/// Why a text is no weight.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is not a weight: a percentage above 0 % and up to 100 % with at most one decimal, such as 60% or 33.3%")]
pub struct WeightError(pub String);

impl Weight {
    /// The whole journey.
    pub const WHOLE: Self = Self(1000);

    /// Reads `60%` and `33.3%`.
    pub fn percent(text: &str) -> Result<Self, WeightError> {
        let bad = || WeightError(text.to_owned());
        let share = GoodShare::percent(text).map_err(|_| bad())?;
        let failing: Ratio = share.failing();
        let good = (failing.den() - failing.num()) * u64::from(Self::WHOLE.0);
        if !good.is_multiple_of(failing.den()) {
            return Err(bad());
        }
        u16::try_from(good / failing.den()).map(Self).map_err(|_| bad())
    }

    /// In tenths of a percent, 1 to 1000.
    pub const fn tenths(self) -> u16 {
        self.0
    }

    /// In millionths of a slice.
    pub const fn millionths(self) -> i64 {
        self.0 as i64 * 1000
    }

    /// As documents write it.
    pub fn words(self) -> String {
        let (whole, tenth) = (self.0 / 10, self.0 % 10);
        if tenth == 0 { format!("{whole}%") } else { format!("{whole}.{tenth}%") }
    }
}

impl Composite {
    /// The members, in the order of the definition.
    pub fn members(&self) -> impl Iterator<Item = &Member> {
        let (all, weighted): (&[Member], &[(Member, Weight)]) = match &self.members {
            Members::AllOf(members) => (members, &[]),
            Members::Weighted(members) => (&[], members),
        };
        all.iter().chain(weighted.iter().map(|(member, _)| member))
    }

    /// The rule by which a member's slices are judged.
    pub const fn rule(&self, member: &Member) -> SliceRule {
        SliceRule { length: self.slice, good_from: member.good_from }
    }

    /// What one slice of a member's failing costs the journey, in the unit of the composite.
    pub fn cost(&self, member: usize) -> i64 {
        match &self.members {
            Members::AllOf(_) => 1,
            Members::Weighted(members) => members.get(member).map_or(0, |(_, weight)| weight.millionths()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_weight_has_at_most_one_decimal() {
        for (text, tenths) in [("60%", 600), ("33.3%", 333), ("0.1%", 1), ("100%", 1000), ("50.0%", 500)] {
            assert_eq!(Weight::percent(text).map(Weight::tenths), Ok(tenths), "{text}");
        }
        for bad in ["0%", "33.33%", "0.6", "60", "-1%", "101%", "", "sixty%"] {
            assert_eq!(Weight::percent(bad), Err(WeightError(bad.to_owned())), "{bad}");
        }
        assert_eq!([333, 500].map(|tenths| Weight(tenths).words()), ["33.3%", "50%"]);
    }
}
