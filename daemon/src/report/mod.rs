//! Reports: what a week did to the budgets of a tenant or of one team. The figures come from the ledger through the same functions as everything else
//! that is shown; here are the civil weeks, the gathering, and the words that all forms of a report share.

mod csv;
mod gather;
mod week;
pub mod words;

use burnward_core::{
    exclusion::{Case, ExclusionId, Known, Scope, When},
    id::{BudgetId, IncidentId, SloId, TeamName, TenantId},
    incident::Incident,
    report::ErrorBudgetReport,
    time::Timestamp,
};

use crate::view::ExclusionsView;

pub use csv::csv;
pub use gather::{Asked, Asof, ReportError, gather};
pub use week::{CivilWeek, WeekError, Which};

/// The error budget report of a week, as it is shown.
#[derive(Debug, Clone)]
pub struct Weekly {
    /// Whose budgets.
    pub tenant: TenantId,
    /// Of which team; `None`: of all.
    pub team: Option<TeamName>,
    /// The week.
    pub week: CivilWeek,
    /// Whose, as people read it: `payments`, `all teams of tenant acme`.
    pub whose: String,
    /// When it was put together: what is recorded later of that week is not in it.
    pub as_of: Timestamp,
    /// With what knowledge.
    pub asof: Asof,
    /// As known then: the SLOs that no daemon ran at the end of the week; what is shown of them was read later.
    pub not_run_then: Vec<SloId>,
    /// The report.
    pub report: ErrorBudgetReport,
    /// The incidents of the week that people marked as false positives, oldest first. What they spent is given back, so the figures do not show them.
    pub false_positives: Vec<Marked>,
}

/// An incident that was a false positive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marked {
    /// Which.
    pub incident: IncidentId,
    /// Why it was none.
    pub reason: String,
    /// Who said so.
    pub author: String,
    /// Who approved it.
    pub approver: String,
    /// The exclusions by which its budgets got back what was spent.
    pub exclusions: Vec<ExclusionId>,
    /// Of which budgets.
    pub scopes: Vec<Scope>,
    /// It has opened again since: what happened then is not marked.
    pub opened_again: bool,
    /// Until when it was marked: the end of what was taken out.
    pub until: Option<Timestamp>,
}

impl Marked {
    /// What a tenant's exclusions say of an incident, where they say that it was a false positive, as far as is known.
    pub fn of(record: &ExclusionsView, incident: &Incident, known: Known) -> Option<Self> {
        let stands = |case: &&Case| record.exclusions.get(case.entry.id).is_some_and(|exclusion| exclusion.stands(known));
        let naming = || record.cases.iter().filter(stands).filter(|case| case.entry.incident.as_ref() == Some(&incident.id));
        let first = &naming().next()?.entry;
        Some(Self {
            incident: incident.id.clone(),
            opened_again: naming().all(|case| case.recorded_at < incident.waiting_since),
            until: naming().filter_map(|case| end_of(&case.entry.when)).max(),
            reason: first.reason.clone(),
            author: first.author.clone(),
            approver: first.approver.clone(),
            exclusions: naming().map(|case| case.entry.id).collect(),
            scopes: naming().map(|case| case.entry.scope.clone()).collect(),
        })
    }
}

/// When a stretch that was taken out ends; one that comes back again and again has no end.
const fn end_of(when: &When) -> Option<Timestamp> {
    match when {
        When::Once(stretch) => Some(stretch.to),
        When::Recurring(_) => None,
    }
}

/// What is said behind the reason of a mark that does not hold any more.
pub const OPENED_AGAIN: &str = "; it has opened again since";

impl Weekly {
    /// What a reader is told of its knowledge; nothing where it holds all that is recorded.
    pub fn note(&self) -> Option<String> {
        match self.asof {
            Asof::Corrected => None,
            Asof::KnownThen => {
                let slos: Vec<String> = self.not_run_then.iter().map(|slo| format!("{}/{}", slo.service, slo.name)).collect();
                Some(words::known_then(&slos))
            }
        }
    }

    /// The false positives that a budget got something back from.
    pub fn false_positives_of<'a>(&'a self, budget: &'a BudgetId) -> impl Iterator<Item = &'a Marked> {
        self.false_positives.iter().filter(|marked| marked.scopes.iter().any(|scope| scope.covers(budget)))
    }
}
