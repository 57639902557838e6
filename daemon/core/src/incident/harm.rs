//! What an incident does to users, in numbers: read off the inputs of the decisions that made its members fire.

use std::{collections::BTreeMap, time::Duration};

use crate::{
    id::{Group, SloId},
    units::Target,
};

use super::{AlertKey, BurnFacts, Facts, Incident, Member, Symptom};

/// How bad it was when it fired, for the SLO whose alerts show the largest share of bad events.
#[derive(Debug, Clone, PartialEq)]
pub struct Harm<'a> {
    /// The SLO.
    pub slo: &'a SloId,
    /// What its bad events are.
    pub symptom: Symptom,
    /// Share of bad events among all, over the short lookback of the row that fired, of all its groups that are hit together; each as it was when it fired.
    pub bad: f64,
    /// That lookback; the shortest where they differ.
    pub over: Duration,
    /// Its target.
    pub target: Target,
}

impl Incident {
    /// How bad it was when it fired; `None` where nothing burns.
    pub fn harm(&self) -> Option<Harm<'_>> {
        let mut burns: BTreeMap<&SloId, Vec<&BurnFacts>> = BTreeMap::new();
        for (slo, burn) in self.hit_members().filter_map(|member| Some((member.0.slo()?, burn(member)?))) {
            burns.entry(slo).or_default().push(burn);
        }
        let harms = burns.into_iter().filter_map(|(slo, burns)| harm_of(slo, &burns));
        harms.max_by(|a, b| a.bad.total_cmp(&b.bad))
    }

    /// The names of the groups that are hit, as people read them, in order.
    pub fn group_names(&self) -> Vec<String> {
        self.groups_hit().into_iter().map(Group::values).collect()
    }
}

fn harm_of<'a>(slo: &'a SloId, burns: &[&BurnFacts]) -> Option<Harm<'a>> {
    let first = burns.first()?;
    let (bad, total) = burns.iter().fold((0, 0), |(bad, total), burn| (bad + burn.fired.short.bad, total + burn.fired.short.total()));
    Some(Harm {
        slo,
        symptom: first.symptom,
        bad: if total > 0 { bad as f64 / total as f64 } else { 0.0 },
        over: burns.iter().map(|burn| burn.fired.row.short).min()?,
        target: first.target,
    })
}

fn burn<'a>((_, member): (&'a AlertKey, &'a Member)) -> Option<&'a BurnFacts> {
    match &member.facts {
        Facts::Burn(burn) => Some(burn),
        Facts::Blind(_) | Facts::Test(_) => None,
    }
}
