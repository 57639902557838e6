//! What an incident does to users, in numbers: read off the inputs of the decisions that made its members fire.

use std::collections::{BTreeMap, BTreeSet};

use crate::id::{Group, SloId};

use super::{AlertKey, BurnFacts, Facts, Incident, Symptom};

/// How bad it was when it fired, for the SLO whose alerts show the largest share of bad events.
#[derive(Debug, Clone, PartialEq)]
pub struct Harm<'a> {
    /// The SLO.
    pub slo: &'a SloId,
    /// What its bad events are.
    pub symptom: Symptom,
    /// Share of bad events among all, over the short lookback of the row that fired, of all these groups together; each as it was when it fired.
    pub bad: f64,
    /// Its groups that are hit; empty where it is not split.
    pub groups: BTreeSet<&'a Group>,
}

impl Incident {
    /// How bad it was when the alerts fired that hold, and once it is resolved, all that ever did; `None` where nothing burns.
    pub fn harm(&self) -> Option<Harm<'_>> {
        worst(self.hit_members().map(|(alert, member)| (alert, &member.facts)))
    }

    /// How bad it was when it opened, whatever came after; `None` where nothing burns.
    pub fn harm_at_opening(&self) -> Option<Harm<'_>> {
        worst(self.first.iter())
    }

    /// The names of the groups that are hit, as people read them, in order.
    pub fn group_names(&self) -> Vec<String> {
        self.groups_hit().into_iter().map(Group::values).collect()
    }
}

fn worst<'a>(alerts: impl Iterator<Item = (&'a AlertKey, &'a Facts)>) -> Option<Harm<'a>> {
    let mut by_slo: BTreeMap<&SloId, Vec<(&AlertKey, &BurnFacts)>> = BTreeMap::new();
    for (alert, facts) in alerts {
        if let (Some(slo), Facts::Burn(burn)) = (alert.slo(), facts) {
            by_slo.entry(slo).or_default().push((alert, burn));
        }
    }
    let harms = by_slo.into_iter().filter_map(|(slo, burns)| harm(slo, &burns));
    harms.max_by(|a, b| a.bad.total_cmp(&b.bad))
}

fn harm<'a>(slo: &'a SloId, burns: &[(&'a AlertKey, &'a BurnFacts)]) -> Option<Harm<'a>> {
    let (_, first) = burns.first()?;
    let (bad, total) = burns.iter().fold((0, 0), |(bad, total), (_, burn)| (bad + burn.fired.short.bad, total + burn.fired.short.total()));
    Some(Harm {
        slo,
        symptom: first.symptom,
        bad: if total > 0 { bad as f64 / total as f64 } else { 0.0 },
        groups: burns.iter().filter_map(|(alert, _)| alert.group()).filter(|group| !group.is_whole()).collect(),
    })
}
