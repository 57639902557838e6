//! The members of a journey, and what each cost it.

use burnward_core::{
    evaluate::BudgetStatus,
    sli::composite::{Composite, Members},
    slo::Slo,
};
use serde::{Deserialize, Serialize};

use super::{Events, Why};
use crate::report::words as told;

/// A member of a journey, with what it did to a budget over its window.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct JourneyMember {
    /// `service/name`.
    pub slo: String,
    /// Its share of a weighted journey; `None` in one that needs all.
    pub weight_percent: Option<String>,
    /// From which share of good events on a slice is good for it.
    pub good_from_percent: String,
    /// What a slice is taken for in which it was not seen: `unknown`, `exclude`, `count-as-bad`.
    pub no_data: String,
    /// Slices that it cost the journey. Where all are needed, one that is bad for several members counts for each.
    pub bad: Events,
    /// All slices that were bad for the journey.
    pub journey_bad: Events,
    /// Time of slices in which it was not seen.
    pub unseen_seconds: f64,
    /// Why it cannot be seen now.
    pub unknown: Option<Why>,
}

impl JourneyMember {
    /// The members of a budget; none where the definition that runs is another one by now.
    pub(super) fn all(slo: Option<&Slo>, status: &BudgetStatus) -> Vec<Self> {
        let Some(composite) = slo.and_then(|slo| slo.sli.composite()) else { return Vec::new() };
        let members = composite.members().zip(&status.members).enumerate().filter(|(_, (member, seen))| member.slo == seen.slo);
        let shown = members.map(|(at, (member, seen))| Self {
            slo: format!("{}/{}", member.slo.service, member.slo.name),
            weight_percent: weight(composite, at),
            good_from_percent: member.good_from.as_percent(),
            no_data: member.unseen.word().to_owned(),
            bad: Events(status.unit.count(seen.cost)),
            journey_bad: Events(status.unit.count(status.counts.bad)),
            unseen_seconds: seen.verdicts.unseen_millis as f64 / 1e3,
            unknown: seen.unknown.as_ref().map(Why::from),
        });
        shown.collect()
    }

    /// What it is judged by: `33.3 %, good from 95 %, no data: exclude`.
    pub fn terms(&self) -> String {
        let weight = self.weight_percent.as_ref().map_or_else(String::new, |weight| format!("{weight} %, "));
        format!("{weight}good from {} %, no data: {}", self.good_from_percent, self.no_data)
    }

    /// What it cost: `5 of 7 bad slices`.
    pub fn costs(&self) -> String {
        told::member_cost(self.bad.0, self.journey_bad.0)
    }
}

fn weight(composite: &Composite, at: usize) -> Option<String> {
    match &composite.members {
        Members::AllOf(_) => None,
        Members::Weighted(members) => members.get(at).map(|(_, weight)| weight.words().trim_end_matches('%').to_owned()),
    }
}
