//! Reports: what a week did to the budgets of a tenant or of one team. The figures come from the ledger through the same functions as everything else
//! that is shown; here are the civil weeks, the gathering, and the words that all forms of a report share.

mod csv;
mod gather;
mod week;
pub mod words;

use burnward_core::{
    id::{TeamName, TenantId},
    report::ErrorBudgetReport,
    time::Timestamp,
};

pub use csv::csv;
pub use gather::{Asked, ReportError, gather};
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
    /// The report.
    pub report: ErrorBudgetReport,
}
