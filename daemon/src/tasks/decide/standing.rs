//! How the budgets of a tenant stand as of its last round. A round decides of every budget and makes the figures of few; the others are made when somebody
//! looks, from the ledger as the round left it, once, and kept until the next round (ADR 0029).
//!
//! Before anything that figures are made from changes between two rounds, those that nobody has looked at yet are made (`Book::keep_standing`): what is shown
//! never depends on when somebody looked.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use burnward_core::{
    alert::AlertState,
    evaluate::{BudgetStatus, Input, Rules, State, standing},
    exclusion::Excluded,
    id::{BudgetId, Group, SloId},
    ledger::{MemberVerdicts, Reason, Stream, Sums, Unknown},
    rename::Renames,
    slo::{Objective, Slo},
    time::Timestamp,
    window::Interval,
};

use super::book::Book;
use crate::calendar;

/// Budgets that are made at once, so that a decision never waits for more.
const PIECE: usize = 500;

/// The moment of a round.
#[derive(Debug, Clone, Copy)]
pub(super) struct At {
    /// When the source was asked: lookbacks end here.
    pub(super) asked_at: Timestamp,
    /// When it was decided.
    pub(super) now: Timestamp,
}

/// The budgets as of the last round, as far as they are made.
#[derive(Debug, Default)]
pub(super) struct Standing {
    /// `None` before the first round.
    as_of: Option<AsOf>,
    /// By SLO, while not all are made.
    made: BTreeMap<SloId, Vec<BudgetStatus>>,
    /// All of them, worst first.
    whole: Option<Arc<Vec<BudgetStatus>>>,
}

/// A round, with what of it the book does not hold.
#[derive(Debug)]
pub(super) struct AsOf {
    pub(super) at: At,
    /// The SLOs that it could not see because the store had refused the round before.
    pub(super) poisoned: BTreeSet<SloId>,
    /// The alert states that the store refused.
    pub(super) refused: BTreeMap<BudgetId, AlertState>,
}

impl Standing {
    /// As of a round; nothing is made yet.
    pub(super) const fn of(round: AsOf) -> Self {
        Self { as_of: Some(round), made: BTreeMap::new(), whole: None }
    }

    /// Calls SLOs by their new names, and forgets those that run no more. All are made.
    pub(super) fn change(&mut self, change: impl FnOnce(&mut Vec<BudgetStatus>)) {
        if let Some(whole) = &mut self.whole {
            change(Arc::make_mut(whole));
        }
    }
}

/// A budget with what it is evaluated from.
pub(super) struct Seen<'a> {
    pub(super) slo: &'a Slo,
    pub(super) objective: &'a Objective,
    pub(super) rules: &'a Rules<'a>,
    /// `None`: nothing was ever counted of the SLO.
    pub(super) stream: Option<&'a Stream>,
    /// The stream of events or verdicts that the objective is counted in.
    pub(super) counted_in: u32,
    pub(super) input: Input<'a>,
}

impl Seen<'_> {
    /// Which budget it is.
    pub(super) fn budget(&self) -> BudgetId {
        let group = self.stream.map_or_else(Group::whole, |stream| stream.group.clone());
        BudgetId { slo: self.slo.id.clone(), objective: self.objective.name.clone(), group }
    }
}

impl Book {
    /// Hands over every budget of an SLO with what it is evaluated from at a round. Why the SLO as a whole cannot be seen, if so.
    pub(super) fn each_budget(&self, slo: &Slo, at: At, poisoned: bool, mut with: impl FnMut(&Seen<'_>)) -> Option<Unknown> {
        let asked_at = at.asked_at;
        let rules = slo.objectives.iter().map(|objective| (Rules::of(slo, objective), calendar::interval(&objective.window, asked_at)));
        let rules: Vec<(Rules<'_>, Interval)> = rules.collect();
        let (mut streams, mut unknown, mut some_is_seen) = (self.ledger.streams_of_slo(&slo.id).peekable(), None, false);
        if streams.peek().is_none() {
            let unknown = self.ledger.unknown(&slo.id).unwrap_or_else(nothing_read);
            for (objective, (rules, over)) in slo.objectives.iter().zip(&rules) {
                let input = Input::nothing(unknown.clone(), *over);
                with(&Seen { slo, objective, rules, stream: None, counted_in: u32::MAX, input });
            }
            return Some(unknown);
        }
        for stream in streams {
            // Also of a blind source what was answered is decided: an SLO that lacks an answer says so itself.
            let sums = if poisoned { Err(refused_by_the_store()) } else { self.ledger.sums(stream.index, asked_at) };
            let hidden = || self.members_of(slo, stream, None, asked_at).iter().find_map(MemberVerdicts::hides);
            match sums.as_ref().err().cloned().or_else(hidden) {
                Some(why) => drop(unknown.get_or_insert(why)),
                None => some_is_seen = true,
            }
            for (objective, (rules, over)) in slo.objectives.iter().zip(&rules) {
                let counted_in = self.ledger.counted_in(stream.index, objective.counted_in);
                let own_sums = match &sums {
                    Ok(of_events) if counted_in == stream.index => Ok(*of_events),
                    Ok(_) => self.ledger.sums(counted_in, asked_at),
                    Err(unknown) => Err(unknown.clone()),
                };
                let held = self.ledger.past(counted_in, asked_at);
                let excluded = if self.excluded.is_empty() {
                    Excluded::default()
                } else {
                    let budget = BudgetId { slo: slo.id.clone(), objective: objective.name.clone(), group: stream.group.clone() };
                    self.excluded.excluded(&budget, own_sums.as_ref().map_err(|_| &held), stream.counted_from, *over, asked_at)
                };
                let unjudged = self.ledger.unjudged(counted_in, Interval { to: asked_at, ..*over });
                let input = Input {
                    sums: own_sums.as_ref().map(|sums| sums as &dyn Sums).map_err(Clone::clone),
                    held: Some(&held),
                    over: *over,
                    newest_sample: stream.newest_sample,
                    counted_from: self.ledger.counted_from(counted_in),
                    unjudged: unjudged.map_or(Duration::ZERO, Interval::length),
                    excluded,
                    began: None,
                    catching_up: stream.catching_up,
                    to_fill: self.ledger.to_fill_of(stream.index, over.from),
                    members: self.members_of(slo, stream, Some(*over), asked_at),
                };
                with(&Seen { slo, objective, rules, stream: Some(stream), counted_in, input });
            }
        }
        unknown.filter(|_| !some_is_seen)
    }

    /// What the members of a composite say of a stretch, or of this moment alone; nothing for any other SLI.
    fn members_of(&self, slo: &Slo, stream: &Stream, over: Option<Interval>, now: Timestamp) -> Vec<MemberVerdicts> {
        match slo.sli.composite() {
            Some(_) => self.ledger.members(stream.index, over.unwrap_or(Interval { from: now, to: now }), now),
            None => Vec::new(),
        }
    }

    /// A budget that is still not seen keeps its moment: samples of a part of it, or of too few targets, may come all the while.
    pub(super) fn still_unseen(status: BudgetStatus, since: Option<Timestamp>) -> BudgetStatus {
        match (status.state, since) {
            (State::CannotSee, Some(since)) => BudgetStatus { since: Some(since), ..status },
            (_, _) => status,
        }
    }

    /// All budgets as of the last round, worst first.
    pub(super) fn standing(&mut self) -> Arc<Vec<BudgetStatus>> {
        loop {
            if let Some(whole) = self.make_piece() {
                return whole;
            }
        }
    }

    /// Makes some more of the budgets as of the last round; all of them, where that was the rest.
    pub(super) fn make_piece(&mut self) -> Option<Arc<Vec<BudgetStatus>>> {
        if let Some(whole) = &self.standing.whole {
            return Some(Arc::clone(whole));
        }
        let mut made = 0;
        let left: Vec<SloId> = self.slos.keys().filter(|slo| !self.standing.made.contains_key(*slo)).cloned().collect();
        for slo in left {
            if made >= PIECE {
                return None;
            }
            made += self.make(&slo);
        }
        let all = std::mem::take(&mut self.standing.made).into_values().flatten().collect();
        let whole = Arc::new(worst_first(all));
        self.standing.whole = Some(Arc::clone(&whole));
        Some(whole)
    }

    /// The budgets of one SLO as of the last round, worst first.
    pub(super) fn standing_of(&mut self, slo: &SloId) -> Vec<BudgetStatus> {
        if let Some(whole) = &self.standing.whole {
            return whole.iter().filter(|status| status.budget.slo == *slo).cloned().collect();
        }
        if !self.standing.made.contains_key(slo) {
            self.make(slo);
        }
        self.standing.made.get(slo).cloned().map(worst_first).unwrap_or_default()
    }

    /// Makes what nobody has looked at yet, before something changes that it is made from.
    pub(super) fn keep_standing(&mut self) {
        drop(self.standing());
    }

    /// Makes the budgets of one SLO, in the order of their identities; how many there are.
    fn make(&mut self, id: &SloId) -> usize {
        let Some((slo, round)) = self.slos.get(id).zip(self.standing.as_of.as_ref()) else { return 0 };
        let mut statuses = Vec::new();
        self.each_budget(slo, round.at, round.poisoned.contains(id), |seen| {
            let budget = seen.budget();
            let stored = || self.alerts.get(&budget).copied().unwrap_or_default();
            let alerts = round.refused.get(&budget).copied().unwrap_or_else(stored);
            let alerts = if seen.stream.is_some() { alerts } else { AlertState::default() };
            let since = self.unseen.get(&budget).copied();
            statuses.push(Self::still_unseen(standing(slo, seen.objective, budget, &seen.input, alerts, round.at.now), since));
        });
        statuses.sort_by(|a, b| a.budget.cmp(&b.budget));
        let made = statuses.len();
        self.standing.made.insert(id.clone(), statuses);
        made
    }

    /// Calls SLOs by their new names.
    pub(super) fn call_standing_anew(&mut self, renames: &Renames, now: Timestamp) {
        self.standing.change(|statuses| {
            for status in statuses {
                renames.slo(&mut status.budget.slo, now);
            }
        });
    }
}

/// Budgets as they stand, worst first, and those of which nobody is told behind all others: by state, then by what is left, then by name.
pub fn worst_first(mut statuses: Vec<BudgetStatus>) -> Vec<BudgetStatus> {
    let left = |status: &BudgetStatus| status.left.map_or(f64::INFINITY, |left| left.ratio);
    // Numbers that are not negative are in the order of their bits.
    let in_order = |number: f64| if number.is_sign_negative() { !number.to_bits() } else { number.to_bits() | 1 << 63 };
    statuses.sort_by_cached_key(|status| (status.status.place(), status.state, in_order(left(status))));
    statuses
}

/// Why an SLO of which nothing was read yet cannot be seen.
fn nothing_read() -> Unknown {
    Unknown { reason: Reason::NotYet, detail: "nothing was read for it yet".to_owned() }
}

fn refused_by_the_store() -> Unknown {
    Unknown { reason: Reason::Store, detail: "the store refused what was decided for this SLO".to_owned() }
}
