//! What is asked of the one task that decides, and why it was not carried out.

use std::{collections::BTreeSet, sync::Arc};

use burnward_core::{
    evaluate::BudgetStatus,
    exclusion::{ExclusionId, Known},
    id::{BudgetId, Group, IncidentId, PersonName, SloId, TenantId},
    incident::{Actor, Answer, Command},
    ledger::{Counts, Edges, FirstValuesWithin, Image, Late, Replica, Slice},
    time::Timestamp,
    window::Interval,
};
use tokio::sync::oneshot;

use crate::{
    definition::Removals,
    tasks::decide::{
        BackfillAnswers, BehindPlan, CorrectionAsked, FalsePositive, Own, PastAsked, PastBudget, ReadPlan, RoundAnswers, SecondAnswers,
        SlicesAsked,
    },
};

/// What is asked of the deciding task.
#[derive(Debug)]
pub enum Request {
    /// What is to be read for a tenant now.
    Plan {
        /// For whom.
        tenant: TenantId,
        /// Now.
        now: Timestamp,
        /// Which replica of the source will be asked, where there are several.
        replica: Option<Replica>,
        /// Where the plan goes; `None` for an unknown tenant.
        reply: oneshot::Sender<Option<ReadPlan>>,
    },
    /// What to ask a source behind the live reading.
    PlanBehind {
        /// For whom.
        tenant: TenantId,
        /// Now.
        now: Timestamp,
        /// Which replica of the source will be asked, where there are several.
        replica: Option<Replica>,
        /// Where the plan goes; `None` for an unknown tenant.
        reply: oneshot::Sender<Option<BehindPlan>>,
    },
    /// A source answered.
    Answers {
        /// What it answered.
        answers: Box<RoundAnswers>,
        /// True where more is to be read at once.
        reply: oneshot::Sender<bool>,
    },
    /// A source answered for older history.
    Backfill {
        /// What it answered.
        answers: Box<BackfillAnswers>,
        /// Whether it was taken.
        reply: oneshot::Sender<bool>,
    },
    /// A source was read again.
    Second {
        /// What it answered.
        answers: Box<SecondAnswers>,
        /// Told when it was taken.
        taken: oneshot::Sender<()>,
    },
    /// A source told what it is like.
    Probed {
        /// For whom.
        tenant: TenantId,
        /// Product and version.
        product: String,
        /// Its clock minus ours.
        skew_millis: Option<i64>,
    },
    /// Run the timers that are due.
    Timers {
        /// Now.
        now: Timestamp,
        /// When the next one is due.
        reply: oneshot::Sender<Option<Timestamp>>,
    },
    /// A command to an incident.
    Incident {
        /// Whose.
        tenant: TenantId,
        /// Which.
        incident: IncidentId,
        /// What.
        command: Command,
        /// Who.
        by: Actor,
        /// Now.
        now: Timestamp,
        /// Where the outcome goes.
        reply: oneshot::Sender<Result<Answer, RequestError>>,
    },
    /// Take time out of budgets, or take that back.
    Correct {
        /// Whose.
        tenant: TenantId,
        /// What.
        asked: CorrectionAsked,
        /// Who.
        by: Actor,
        /// Now.
        now: Timestamp,
        /// Where the outcome goes: which exclusion it is.
        reply: oneshot::Sender<Result<ExclusionId, RequestError>>,
    },
    /// Records that an incident was a false positive.
    FalsePositive {
        /// For whom.
        tenant: TenantId,
        /// What a person says of it.
        asked: FalsePositive,
        /// Who.
        by: Actor,
        /// Now.
        now: Timestamp,
        /// The exclusions.
        reply: oneshot::Sender<Result<Vec<ExclusionId>, RequestError>>,
    },
    /// Load the definitions again.
    Reload {
        /// Whether a set is taken that removes more than half of the SLOs.
        removals: Removals,
        /// Now.
        now: Timestamp,
        /// Where the outcome goes: a sentence for the person who asked.
        reply: oneshot::Sender<Result<String, RequestError>>,
    },
    /// Send a page marked TEST to a person, or to the operators' first step.
    TestPage {
        /// To whom; `None`: the operators.
        person: Option<PersonName>,
        /// Who asked.
        by: Actor,
        /// Now.
        now: Timestamp,
        /// Where the incident of the test goes.
        reply: oneshot::Sender<Result<(TenantId, IncidentId), RequestError>>,
    },
    /// The counted slices of a budget, for charts.
    Slices {
        /// Which.
        asked: SlicesAsked,
        /// With exclusions as they are known now, or as they were.
        known: Known,
        /// What was found late since.
        late: Vec<Late>,
        /// The slices.
        reply: oneshot::Sender<Vec<Slice>>,
    },
    /// How budgets stood at moments of the past, for reports.
    Past {
        /// Whose.
        tenant: TenantId,
        /// Which budgets, and when.
        asked: PastAsked,
        /// What was found late since the first moment of which is asked what was known then.
        late: Vec<Late>,
        /// The budgets.
        reply: oneshot::Sender<Vec<PastBudget>>,
    },
    /// How a tenant's budgets stand.
    Budgets {
        /// Whose.
        tenant: TenantId,
        /// All of them as of the last round, worst first.
        reply: oneshot::Sender<Arc<Vec<BudgetStatus>>>,
    },
    /// How the budgets of an SLO stand.
    BudgetsOf {
        /// Which.
        slo: SloId,
        /// Its budgets as of the last round, worst first.
        reply: oneshot::Sender<Vec<BudgetStatus>>,
    },
    /// What of the source's answers is counted for a group of an SLO.
    Own {
        /// Which SLO.
        slo: SloId,
        /// Which group.
        group: Group,
        /// What is its own; `None` for an unknown tenant.
        reply: oneshot::Sender<Option<Own>>,
    },
    /// How the first values of a budget's counters were taken.
    FirstValues {
        /// Of which budget.
        budget: BudgetId,
        /// Over which stretches.
        stretches: Vec<Interval>,
        /// Of each stretch, in their order; none where nothing is counted.
        reply: oneshot::Sender<Vec<FirstValuesWithin>>,
    },
    /// The edges that no roll-up of a tenant's ledger may cross.
    Edges {
        /// Whose.
        tenant: TenantId,
        /// The edges; `None` for an unknown tenant.
        reply: oneshot::Sender<Option<Edges>>,
    },
    /// What the memory holds of a part of a tenant's ledger.
    Image {
        /// Whose.
        tenant: TenantId,
        /// Parts that are not asked for.
        but: BTreeSet<u32>,
        /// The first of the others; `None` where there is none, or nobody can tell.
        reply: oneshot::Sender<Option<Image>>,
    },
    /// What was counted between two instants, for postmortems.
    Between {
        /// Of which budget.
        budget: BudgetId,
        /// From, exclusive.
        from: Timestamp,
        /// To, inclusive.
        to: Timestamp,
        /// The sum; `None` for an unknown stream.
        reply: oneshot::Sender<Option<(Counts, i64)>>,
    },
}

/// Why a request was not carried out.
#[derive(Debug, Clone, thiserror::Error)]
pub enum RequestError {
    /// No such incident in this tenant.
    #[error("no incident `{0}`; `burnward incident list` shows all")]
    NotFound(String),
    /// No such exclusion in this tenant.
    #[error("no exclusion {0}; `burnward exclusion list` shows all")]
    NoExclusion(ExclusionId),
    /// The store could not commit.
    #[error("nothing was changed, because the store could not commit: {0}")]
    Store(String),
    /// Not as it was asked.
    #[error("{0}")]
    Refused(String),
    /// The daemon is stopping.
    #[error("the daemon is stopping")]
    Stopping,
}
