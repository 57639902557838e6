//! Exclusions: what people took out of a tenant's budgets, ready for every evaluation.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use burnward_core::{
    exclusion::{Case, Correction, Entry, Excluded, Exclusion, ExclusionId, Exclusions, Known, Recorded, Scope, When, fold, whole_slices},
    id::{BudgetId, TenantId},
    incident::Actor,
    ledger::{PastSums, Stored, StreamSums},
    slo::Slo,
    time::{Timestamp, days},
    window::Interval,
};
use tracing::{error, info, warn};

use super::{Decider, book::Book, draft::Draft};
use crate::{
    app::RequestError,
    exclusion::recurrence::Occurrences,
    store::{Store, StoreError},
    view::ExclusionsView,
};

/// How far ahead recurring exclusions are known: their edges must be known before the time comes.
const AHEAD: Duration = days(8);

/// They are looked at again when less than this is left of it.
const RENEW: Duration = days(2);

/// As far back as the ledger reaches: 25 months.
const BACK: Duration = days(762);

/// What people took out of a tenant's budgets, as a book keeps it.
#[derive(Debug, Default)]
pub(super) struct Kept {
    pub(super) shown: Arc<ExclusionsView>,
    /// Up to where recurring ones are known.
    until: Timestamp,
    /// The time that is taken out of each budget, where there is any.
    stretches: BTreeMap<BudgetId, Vec<Interval>>,
    /// Of how many streams they are known.
    streams: usize,
}

/// What a person asks for.
#[derive(Debug, Clone)]
pub enum CorrectionAsked {
    /// To take time out.
    Exclude {
        /// From which budgets.
        scope: Scope,
        /// Which time.
        when: When,
        /// Why.
        reason: String,
        /// Who approved it.
        approver: String,
    },
    /// To take an exclusion back.
    Withdraw {
        /// Which.
        id: ExclusionId,
        /// Why.
        reason: String,
    },
}

impl Kept {
    pub(super) async fn load(store: &Store, tenant: &TenantId, now: Timestamp) -> Result<Self, StoreError> {
        let record: Vec<Recorded> = store.corrections(tenant).await?;
        Ok(Self::of(fold(record), now))
    }

    fn of(cases: Vec<Case>, now: Timestamp) -> Self {
        let until = now.plus(AHEAD);
        let exclusions = Exclusions::new(cases.iter().map(|case| stretched(case, now.minus(BACK), until)).collect());
        Self { shown: Arc::new(ExclusionsView { cases, exclusions: Arc::new(exclusions) }), until, ..Self::default() }
    }

    /// True where nothing is taken out of any budget.
    pub(super) fn is_empty(&self) -> bool {
        self.stretches.is_empty()
    }

    /// What is taken out of a budget.
    pub(super) fn stretches(&self, budget: &BudgetId) -> &[Interval] {
        self.stretches.get(budget).map_or(&[], Vec::as_slice)
    }

    /// What of a budget's window is taken out, of sums as they are seen, or as they were held; of a stream that is counted from a moment on.
    pub(super) fn excluded(
        &self,
        budget: &BudgetId,
        sums: Result<&StreamSums<'_>, &PastSums<'_>>,
        counted_from: Option<Timestamp>,
        over: Interval,
        until: Timestamp,
    ) -> Excluded {
        let stretches = self.stretches(budget);
        if stretches.is_empty() {
            return Excluded::default();
        }
        let excluded = match sums {
            Ok(seen) => seen.excluded(over.from, stretches),
            Err(held) => held.excluded(over.from, stretches),
        };
        excluded.held_since(counted_from, stretches, over, until)
    }
}

/// A case as the stretches that it takes out between two moments.
fn stretched(case: &Case, after: Timestamp, until: Timestamp) -> Exclusion {
    let asked = match &case.entry.when {
        When::Once(stretch) => vec![*stretch],
        When::Recurring(recurrence) => match Occurrences::read(recurrence) {
            Ok(occurrences) => occurrences.stretches(after, until),
            Err(error) => {
                // It was read when it was recorded: the time zone database of this machine is another one.
                error!(exclusion = %case.entry.id, %error, "a recurring exclusion cannot be read any more and takes nothing out");
                Vec::new()
            }
        },
    };
    Exclusion {
        id: case.entry.id,
        scope: case.entry.scope.clone(),
        recorded_at: case.recorded_at,
        withdrawn_at: case.withdrawal.as_ref().map(|withdrawal| withdrawal.at),
        stretches: asked.into_iter().filter_map(|stretch| whole_slices(stretch, case.recorded_at)).collect(),
    }
}

impl Book {
    /// Brings the exclusions up to date for a round: further ahead when the time comes, and of budgets that are new.
    pub(super) fn refresh_exclusions(&mut self, now: Timestamp) {
        if self.excluded.shown.cases.is_empty() {
            return;
        }
        if now.plus(RENEW) > self.excluded.until {
            self.take_exclusions(Kept::of(self.excluded.shown.cases.clone(), now), None, now);
        }
        let streams = self.ledger.streams().count();
        if streams == self.excluded.streams {
            return;
        }
        let exclusions = self.excluded.shown.exclusions.clone();
        let budgets = self.ledger.streams().flat_map(|stream| {
            let objectives = self.slos.get(&*stream.slo).into_iter().flat_map(|slo| &slo.objectives);
            objectives.map(|objective| BudgetId {
                slo: (*stream.slo).clone(),
                objective: objective.name.clone(),
                group: stream.group.clone(),
            })
        });
        let taken = budgets.map(|budget| (exclusions.stretches(&budget, Known::Now), budget));
        self.excluded.stretches = taken.filter(|(taken, _)| !taken.is_empty()).map(|(taken, budget)| (budget, taken)).collect();
        self.excluded.streams = streams;
    }

    /// Looks at the exclusions of every budget again: other SLOs run.
    pub(super) fn forget_excluded_budgets(&mut self) {
        self.excluded.streams = 0;
    }

    /// Takes these as the tenant's exclusions. What began before what is counted needs what is stored.
    fn take_exclusions(&mut self, kept: Kept, stored: Option<&Stored>, now: Timestamp) {
        self.excluded = kept;
        if let Err(damaged) = self.ledger.set_exclusions(self.excluded.shown.exclusions.clone(), stored, now) {
            error!(tenant = %self.tenant, error = %damaged, "what lies before the edges of exclusions cannot be counted; they take out whole slices");
        }
    }
}

impl Decider {
    /// Records what a person asks for; committed when this returns.
    pub(super) async fn correct(
        &mut self,
        tenant: &TenantId,
        asked: CorrectionAsked,
        by: &Actor,
        now: Timestamp,
    ) -> Result<ExclusionId, RequestError> {
        self.settle_doubt(tenant, now).await;
        let Some(book) = self.books.get(tenant) else { return Err(RequestError::Refused("no such tenant".to_owned())) };
        let cases = &book.excluded.shown.cases;
        let (correction, id) = match asked {
            CorrectionAsked::Exclude { scope, when, reason, approver } => {
                covers_something(book, &scope)?;
                let id = ExclusionId(cases.iter().map(|case| case.entry.id.0).max().unwrap_or(0) + 1);
                (Correction::Excluded(Box::new(Entry { id, scope, when, reason, author: by.to_string(), approver, incident: None })), id)
            }
            CorrectionAsked::Withdraw { id, reason } => {
                stands(cases, id)?;
                (Correction::Withdrawn { id, reason, author: by.to_string() }, id)
            }
        };
        let mut draft = Draft::new(book, &self.config, now);
        draft.audit(by, action(&correction), id.to_string(), detail(&correction));
        draft.commit.corrections.push(correction.clone());
        let (commit, _) = draft.finish();
        self.commit_whole(&commit).await.map_err(|error| RequestError::Store(error.to_string()))?;
        info!(%tenant, exclusion = %id, action = action(&correction), "a correction was recorded");
        self.take_corrections(tenant, vec![Recorded { at: now, what: correction }], now).await;
        self.publish(now);
        Ok(id)
    }

    /// Takes committed corrections into the book.
    pub(super) async fn take_corrections(&mut self, tenant: &TenantId, recorded: Vec<Recorded>, now: Timestamp) {
        let Some(book) = self.books.get_mut(tenant) else { return };
        let before = book.excluded.shown.cases.iter().flat_map(as_record);
        let kept = Kept::of(fold(before.chain(recorded)), now);
        let days = book.ledger.days_of_edges(kept.shown.exclusions.clone(), now);
        let source = book.source.clone();
        let stored = self.store.ledger_days(tenant, &source, &days).await;
        self.keep_standing(tenant);
        if let Err(error) = &stored {
            warn!(%tenant, %error, "the ledger could not be read; an exclusion of the past takes out whole slices until the next start");
        }
        let Some(book) = self.books.get_mut(tenant) else { return };
        book.take_exclusions(kept, stored.ok().as_ref(), now);
        book.refresh_exclusions(now);
    }
}

/// A case as the entries that it came from.
fn as_record(case: &Case) -> impl Iterator<Item = Recorded> {
    let excluded = Recorded { at: case.recorded_at, what: Correction::Excluded(Box::new(case.entry.clone())) };
    let withdrawn = case.withdrawal.as_ref().map(|withdrawal| Recorded {
        at: withdrawal.at,
        what: Correction::Withdrawn { id: case.entry.id, reason: withdrawal.reason.clone(), author: withdrawal.author.clone() },
    });
    [excluded].into_iter().chain(withdrawn)
}

/// A name that no SLO has is a mistake: it would take out nothing and look as if it did.
fn covers_something(book: &Book, scope: &Scope) -> Result<(), RequestError> {
    let named = |slo: &Slo| {
        let splits = scope.group.labels().iter().all(|(label, _)| slo.per.contains(label));
        splits && slo.objectives.iter().any(|objective| scope.names(&slo.id, &objective.name))
    };
    if book.slos.values().any(|slo| named(slo)) {
        let mut groups = book.ledger.streams().filter(|stream| book.slos.get(&*stream.slo).is_some_and(|slo| named(slo)));
        if scope.group.is_whole() || groups.any(|stream| scope.touches(&stream.slo, &stream.group)) {
            return Ok(());
        }
        return Err(RequestError::Refused(format!("nothing was counted yet for a group {}; `burnward status` lists all", scope.group)));
    }
    let split = if scope.group.is_whole() { "" } else { ", split by these labels (`per`)" };
    Err(RequestError::Refused(format!("no SLO that runs is {scope}{split}; `burnward status` lists all")))
}

fn stands(cases: &[Case], id: ExclusionId) -> Result<(), RequestError> {
    match cases.iter().find(|case| case.entry.id == id).map(|case| &case.withdrawal) {
        Some(None) => Ok(()),
        Some(Some(withdrawal)) => Err(RequestError::Refused(format!("{id} was withdrawn already by {}", withdrawal.author))),
        None => Err(RequestError::NoExclusion(id)),
    }
}

const fn action(correction: &Correction) -> &'static str {
    match correction {
        Correction::Excluded(_) => "exclusion.add",
        Correction::Withdrawn { .. } => "exclusion.withdraw",
    }
}

fn detail(correction: &Correction) -> String {
    match correction {
        Correction::Excluded(entry) => format!("{}: {} (approved by {})", entry.scope, entry.reason, entry.approver),
        Correction::Withdrawn { reason, .. } => reason.clone(),
    }
}
