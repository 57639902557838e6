//! The view: what the daemon knows now, published after every round, so that pages, API and messages show the same numbers.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use burnward_core::{
    evaluate::BudgetStatus,
    exclusion::{Case, Exclusions},
    id::{BudgetId, IncidentId, SloId, SourceName, TenantId},
    ledger::Unknown,
    slo::Slo,
    time::Timestamp,
};

/// Everything known now.
#[derive(Debug, Clone, Default)]
pub struct View {
    /// When it was published.
    pub as_of: Timestamp,
    /// The SLOs that run, by identity.
    pub slos: BTreeMap<SloId, Arc<Slo>>,
    /// Those of them that run on in an earlier version because their alerts hold, each with what takes its place then; `None`: it is gone.
    pub held: BTreeMap<SloId, Option<Arc<Slo>>>,
    /// What incidents at hand show of their budgets; any other is asked for ([`Handle::budgets`](crate::app::Handle::budgets)).
    pub at_hand: BTreeMap<TenantId, Arc<IncidentBudgets>>,
    /// The sources.
    pub sources: BTreeMap<(TenantId, SourceName), SourceView>,
    /// What people took out of budgets.
    pub exclusions: BTreeMap<TenantId, Arc<ExclusionsView>>,
    /// What is wrong with the definitions now in the directories; the last good ones run.
    pub definition_faults: Vec<DefinitionFault>,
    /// What is wrong with the operator's own texts; the built-in ones are used.
    pub text_faults: Vec<String>,
}

/// The budgets of a tenant's incidents at hand as they stood in the last round: ready, so that no message waits for the task that decides.
#[derive(Debug, Clone, Default)]
pub struct IncidentBudgets {
    /// The incidents: open, or resolved not long ago.
    pub incidents: BTreeSet<IncidentId>,
    /// The budgets of their alerts.
    pub budgets: Arc<BTreeMap<BudgetId, BudgetStatus>>,
}

/// What people took out of a tenant's budgets.
#[derive(Debug, Clone, Default)]
pub struct ExclusionsView {
    /// As it was recorded, oldest first.
    pub cases: Vec<Case>,
    /// The same as stretches of time; recurring ones up to some days ahead.
    pub exclusions: Arc<Exclusions>,
}

/// A source as it stands.
#[derive(Debug, Clone, Default)]
pub struct SourceView {
    /// Product and version, where it said so.
    pub product: Option<String>,
    /// The last time that every query was answered.
    pub last_good: Option<Timestamp>,
    /// Why it is blind, and since when.
    pub blind: Option<(Timestamp, Unknown)>,
    /// Up to where its samples are settled.
    pub settled: Option<Timestamp>,
    /// The source's clock minus ours, in milliseconds.
    pub skew_millis: Option<i64>,
    /// The queries of a round: what is asked, how many series came, how long it took, or why nothing came.
    pub queries: Arc<[QueryView]>,
    /// True while history is being filled in or a gap is being caught up.
    pub catching_up: bool,
    /// The replica that is read, where there are several.
    pub replica: Option<ReplicaView>,
    /// Whether it is asked everything.
    pub circuit: Circuit,
    /// How much older history is still to be read, of the SLO that lacks most.
    pub to_fill: Duration,
    /// What it lost of late.
    pub lost: Option<LostSamples>,
}

/// That a source has lost samples which were counted, as where its data was wiped. What was counted of them stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LostSamples {
    /// When it was noticed.
    pub noticed_at: Timestamp,
    /// Of which SLOs.
    pub slos: Vec<SloId>,
}

/// The replica that a source is read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplicaView {
    /// Its address.
    pub place: String,
    /// Which one it is in the order of the configuration, from 1.
    pub number: usize,
    /// How many there are.
    pub of: usize,
    /// Since when it is read, and what was wrong with the one before; `None` since the start.
    pub switched: Option<(Timestamp, String)>,
}

/// Whether a source is asked everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Circuit {
    /// Everything.
    #[default]
    Closed,
    /// It was blind for several rounds: one small question a tick until it answers.
    Open,
}

impl Circuit {
    /// As a word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
        }
    }
}

/// One query of a round.
#[derive(Debug, Clone)]
pub struct QueryView {
    /// The selector as it is sent.
    pub asked: String,
    /// When it was sent.
    pub asked_at: Timestamp,
    /// From, exclusive.
    pub from: Timestamp,
    /// To, inclusive.
    pub to: Timestamp,
    /// Series and milliseconds, or why nothing came.
    pub got: Result<(usize, u64), Unknown>,
}

/// A definition that does not load, or a directory of which too much is gone.
#[derive(Debug, Clone)]
pub struct DefinitionFault {
    /// Whose.
    pub tenant: TenantId,
    /// Which file.
    pub file: String,
    /// The diagnostics as `burnward check` prints them, without colour.
    pub text: String,
    /// What runs in its place.
    pub runs: InPlace,
}

/// What runs in place of a definition that is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InPlace {
    /// Its last good version.
    LastGood,
    /// Nothing: it never loaded.
    Nothing,
    /// All that ran before: each file loads, and most SLOs would be gone.
    AllOfBefore,
}
