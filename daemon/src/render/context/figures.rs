//! The figures of a burning budget: as known now where a round has evaluated it since it fired, else as it fired.

use std::{collections::BTreeMap, time::Duration};

use burnward_core::{
    budget::{BudgetLeft, Unseen},
    burn_rate::RowBurn,
    evaluate::BudgetStatus,
    id::BudgetId,
    incident::{AlertKey, BurnFacts, Facts, Incident, Member, MemberShare, Symptom},
    ledger::Counts,
    slo::Urgency,
    time::Timestamp,
    units::Target,
    window::Window,
};

/// One burning (or recovered) budget of an incident.
#[derive(Debug, Clone)]
pub(super) struct Figures<'a> {
    pub(super) budget: &'a BudgetId,
    pub(super) title: &'a str,
    pub(super) symptom: Symptom,
    pub(super) target: Target,
    pub(super) window: &'a Window,
    pub(super) row: RowBurn,
    pub(super) left: BudgetLeft,
    /// What unseen time may hide of it, as known now.
    pub(super) unseen: Option<Unseen>,
    /// The share of the window that was seen; `None` where it was not kept.
    pub(super) coverage: Option<f64>,
    /// How much of the window's beginning is still to be read.
    pub(super) to_fill: Duration,
    pub(super) runs_out: Option<Duration>,
    pub(super) as_of: Timestamp,
    /// When its burn began.
    pub(super) began: Timestamp,
    /// How much of the row's long lookback was counted and seen.
    pub(super) counted: Duration,
    /// Share of bad events that the headline counts, as it was when the alert fired.
    pub(super) fired: Counts,
    pub(super) recovered: bool,
    /// Of a journey: the members that made it burn when it fired, the worst first.
    pub(super) members: &'a [MemberShare],
    /// What the journey lost then, over the row's long lookback.
    pub(super) journey_bad: i64,
}

impl<'a> Figures<'a> {
    /// The figures of every budget of the incident, worst first: those that still burn by burn rate, then the others by what is left.
    pub(super) fn of(incident: &'a Incident, live: &BTreeMap<BudgetId, BudgetStatus>) -> Vec<Self> {
        let mut all: Vec<Self> = incident.members.iter().filter_map(|(key, member)| Self::of_member(key, member, live)).collect();
        let burn = |one: &Self| if one.recovered { 0.0 } else { one.row.short_burn };
        all.sort_by(|a, b| {
            let by_burn = a.recovered.cmp(&b.recovered).then(burn(b).total_cmp(&burn(a)));
            by_burn.then(a.left.ratio.total_cmp(&b.left.ratio)).then(a.budget.cmp(b.budget))
        });
        all
    }

    fn of_member(key: &'a AlertKey, member: &'a Member, live: &BTreeMap<BudgetId, BudgetStatus>) -> Option<Self> {
        match (key, &member.facts) {
            (AlertKey::Budget(budget), Facts::Burn(facts)) => {
                let fired = Self::as_fired(budget, facts, member);
                Some(live.get(budget).and_then(|status| fired.as_now(status)).unwrap_or(fired))
            }
            (
                AlertKey::Budget(_) | AlertKey::Source(_) | AlertKey::Slo(_) | AlertKey::Test,
                Facts::Burn(_) | Facts::Blind(_) | Facts::Test(_),
            ) => None,
        }
    }

    fn as_fired(budget: &'a BudgetId, facts: &'a BurnFacts, member: &Member) -> Self {
        Self {
            budget,
            title: &facts.title,
            symptom: facts.symptom,
            target: facts.target,
            window: &facts.window,
            row: facts.fired,
            left: facts.left,
            unseen: None,
            coverage: facts.coverage,
            to_fill: Duration::ZERO,
            runs_out: facts.runs_out,
            as_of: facts.as_of,
            began: facts.began.min(member.joined_at),
            counted: seen_of(&facts.fired, facts.fired.row.long),
            fired: headline_counts(&facts.fired),
            recovered: member.recovered_at.is_some(),
            members: &facts.members,
            journey_bad: facts.fired.long.bad,
        }
    }

    /// The same with what a later round has found.
    fn as_now(&self, status: &BudgetStatus) -> Option<Self> {
        let row = *status.rows.iter().find(|row| row.row == self.row.row)?;
        let left = status.left?;
        let as_of = status.newest_sample?;
        (as_of >= self.as_of && status.unknown.is_none()).then(|| Self {
            row,
            left,
            unseen: status.unseen,
            coverage: Some(status.coverage),
            to_fill: status.to_fill,
            runs_out: status.runs_out,
            as_of,
            counted: seen_of(&row, status.counted_from.map_or(row.row.long, |from| status.as_of.since(from).min(row.row.long))),
            ..self.clone()
        })
    }

    /// Share of bad events over the row's short lookback.
    pub(super) fn failing(&self) -> f64 {
        bad_share(self.row.short)
    }
}

/// How much of a row's long lookback was seen, of which this much is counted.
fn seen_of(row: &RowBurn, counted: Duration) -> Duration {
    counted.saturating_sub(Duration::from_millis(u64::try_from(row.long.unseen_millis).unwrap_or(0)))
}

/// What a headline counts: a page what fails now, a ticket what failed over its long lookback.
pub(super) const fn headline_counts(row: &RowBurn) -> Counts {
    match row.row.urgency {
        Urgency::Page => row.short,
        Urgency::Ticket => row.long,
    }
}

/// Share of bad events, tolerated ones half; 0 without events.
pub(super) fn bad_share(counts: Counts) -> f64 {
    if counts.total() <= 0 { 0.0 } else { ((counts.bad as f64 + counts.tolerated as f64 / 2.0) / counts.total() as f64).max(0.0) }
}
