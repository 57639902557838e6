//! The store: what is decided is committed here, in one transaction, before anything is sent. SQL loads and commits; the core decides.
//! Every call on tenant data takes a `TenantId` that came from authentication or from configuration.

use std::{num::NonZeroU32, path::PathBuf};

use burnward_core::{
    alert::AlertState,
    exclusion::Correction,
    id::{BudgetId, IncidentId, PageId, SloId, SourceName, TeamName, TenantId},
    incident::{FaultKey, Incident, IncidentEvent, Message, MessageRef},
    ledger::Counted,
    oncall::Recipient,
    rename::Rename,
    time::Timestamp,
};

#[cfg(test)]
mod conformance;
mod rows;
pub mod sqlite;

pub use sqlite::SqliteStore as Store;

/// What one round or one command decided: committed whole or not at all.
#[derive(Debug, Clone)]
pub struct Commit {
    /// Whose.
    pub tenant: TenantId,
    /// When it was decided.
    pub at: Timestamp,
    /// What was counted; `None` for a command.
    pub round: Option<Round>,
    /// Alert states that changed.
    pub alerts: Vec<StoredAlert>,
    /// New incident events, in order.
    pub events: Vec<NewEvent>,
    /// Messages that are owed for them.
    pub messages: Vec<Message>,
    /// New events of the incidents that SLOs in shadow would have had, in order; no message is owed for them.
    pub shadow: Vec<NewEvent>,
    /// What people took out of budgets, or took back.
    pub corrections: Vec<Correction>,
    /// What was done, by whom, and why.
    pub audit: Vec<AuditEntry>,
}

impl Commit {
    /// A commit of nothing.
    pub fn empty(tenant: TenantId, at: Timestamp) -> Self {
        Self {
            tenant,
            at,
            round: None,
            alerts: Vec::new(),
            events: Vec::new(),
            messages: Vec::new(),
            shadow: Vec::new(),
            corrections: Vec::new(),
            audit: Vec::new(),
        }
    }

    /// True where there is nothing to commit.
    pub fn is_empty(&self) -> bool {
        self.round.is_none()
            && self.alerts.is_empty()
            && self.events.is_empty()
            && self.messages.is_empty()
            && self.shadow.is_empty()
            && self.corrections.is_empty()
            && self.audit.is_empty()
    }
}

/// Which commit it is, so that one that is tried again because nobody knows what became of it is not booked twice. Only the numbers of one daemon are
/// compared: what another left is read anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommitNumber {
    whole: i64,
    /// 0: all of it.
    part: u32,
}

impl CommitNumber {
    const fn of(whole: i64) -> Self {
        Self { whole, part: 0 }
    }

    /// The number of a part, counted from 1. The parts of a commit are committed one after the other; where the whole is there, each of them is.
    #[must_use]
    pub const fn part(self, part: NonZeroU32) -> Self {
        Self { part: part.get(), ..self }
    }
}

/// What was counted from one source in one round.
#[derive(Debug, Clone)]
pub struct Round {
    /// From which source.
    pub source: SourceName,
    /// Up to where samples are settled after it: the watermark.
    pub settled: Timestamp,
    /// The packed slices, `burnward_core::ledger::segment`; `None` where nothing was settled.
    pub blob: Option<Vec<u8>>,
    /// The packed state that a restart needs beside the slices (streams, coverage, back-fill); replaces the one before. `None`: unchanged.
    pub state: Option<Vec<u8>>,
    /// Where a second reading begins; each replaces the one before.
    pub behind: Behind,
    /// Those of the slices that are of samples which came late; an entry of its own, that no other replaces.
    pub late: Option<Vec<u8>>,
}

/// What a second reading begins with. `None`: unchanged.
#[derive(Debug, Clone, Default)]
pub struct Behind {
    /// The packed seal.
    pub seal: Option<Vec<u8>>,
    /// The packed log.
    pub log: Option<Vec<u8>>,
}

impl Round {
    /// What the store keeps of what was counted.
    pub fn of(source: SourceName, counted: &Counted) -> Self {
        Self {
            source,
            settled: counted.settled(),
            blob: counted.blob(),
            state: counted.state_blob(),
            behind: Behind { seal: counted.seal_blob(), log: counted.log_blob() },
            late: counted.late_blob(),
        }
    }
}

/// The state of one alert, with the inputs of its last change.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredAlert {
    /// Which budget.
    pub budget: BudgetId,
    /// Its states.
    pub state: AlertState,
    /// The arithmetic of the change in one line.
    pub why: String,
}

/// One alert change of the past, as `explain --at` reads it.
#[derive(Debug, Clone, PartialEq)]
pub struct AlertChangeRow {
    /// When.
    pub at: Timestamp,
    /// Which budget.
    pub budget: BudgetId,
    /// The states after it.
    pub state: AlertState,
    /// The arithmetic.
    pub why: String,
}

/// A new event of an incident.
#[derive(Debug, Clone, PartialEq)]
pub struct NewEvent {
    /// Of which incident.
    pub incident: IncidentId,
    /// Its fault and ordinal.
    pub fault: FaultKey,
    /// From 1, per tenant and fault.
    pub ordinal: u64,
    /// The event.
    pub event: IncidentEvent,
    /// The incident's phase after it, as a word, for lists: `open`, `acknowledged`, `resolved`.
    pub phase: &'static str,
}

/// A row of the audit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// Who.
    pub actor: String,
    /// What, as a stable word: `incident.acknowledge`, `alert.fire`, `definitions.load`.
    pub action: String,
    /// On what.
    pub subject: String,
    /// Why, in a sentence.
    pub detail: String,
}

/// A row of the audit as it is read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRow {
    /// When.
    pub at: Timestamp,
    /// The rest.
    pub entry: AuditEntry,
}

/// A message that waits for delivery.
#[derive(Debug, Clone, PartialEq)]
pub struct Owed {
    /// Whose.
    pub tenant: TenantId,
    /// The message.
    pub message: Message,
    /// How often it was tried.
    pub attempts: u32,
    /// True where an earlier attempt may have arrived: it was in flight when the daemon stopped, or its outcome was ambiguous.
    pub ambiguous: bool,
    /// The first time it was tried.
    pub first_attempt_at: Option<Timestamp>,
    /// The outcome of the last attempt, in a sentence.
    pub last_error: Option<String>,
    /// When it was decided.
    pub decided_at: Timestamp,
}

/// When a report fires next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportTimer {
    /// Whose.
    pub tenant: TenantId,
    /// Which of burnward.yaml, by what it is: whose, when, where to.
    pub report: String,
    /// When.
    pub due: Timestamp,
}

/// A report of the week before a firing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueReport {
    /// The identity of its message: the same firing is the same message.
    pub page: PageId,
    /// Of which team; `None`: of all.
    pub team: Option<TeamName>,
    /// In which zone the week begins and ends.
    pub timezone: String,
    /// When it was due.
    pub fired_at: Timestamp,
    /// How many earlier firings passed while burnward did not run.
    pub missed: usize,
    /// Where to.
    pub to: Recipient,
}

/// A report that waits for delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwedReport {
    /// Whose.
    pub tenant: TenantId,
    /// The report.
    pub report: DueReport,
    /// How often it was tried.
    pub attempts: u32,
    /// True where an earlier attempt may have arrived.
    pub ambiguous: bool,
    /// When it was decided.
    pub decided_at: Timestamp,
}

/// What came of an attempt, as the outbox keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttemptOutcome {
    /// It arrived.
    Delivered(MessageRef),
    /// It did not arrive; try again then.
    Retry {
        /// When.
        at: Timestamp,
        /// Why.
        reason: String,
    },
    /// It may have arrived; look back, then try again.
    Ambiguous {
        /// When.
        at: Timestamp,
        /// Why.
        reason: String,
    },
    /// It cannot arrive, or is no longer worth sending.
    Dropped {
        /// Why.
        reason: String,
    },
}

/// What the reason begins with why a page was not sent because nobody needs it any more: nobody has to be told of it.
pub const NOT_SENT: &str = "not sent: ";

/// What a post keeps when it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostWords {
    /// The words that it keeps, as its notifier writes them.
    pub words: String,
    /// The key of the state that it shows.
    pub shows: String,
}

/// A post of an incident that arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Post {
    /// Which page it is.
    pub page: PageId,
    /// Where it stands.
    pub at: MessageRef,
    /// The words that it keeps; absent of one that an earlier version sent.
    pub words: Option<String>,
    /// The key of the state that it shows.
    pub shows: Option<String>,
}

/// How full the outbox is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OutboxStats {
    /// Pages that wait.
    pub pages_owed: u64,
    /// When the oldest of them was decided.
    pub oldest_page: Option<Timestamp>,
    /// Pages that can never arrive.
    pub pages_undeliverable: u64,
    /// Thread posts and edits that wait.
    pub informs_owed: u64,
}

/// An incident with all its events.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredIncident {
    /// The fold of the events.
    pub incident: Incident,
    /// The events, in order.
    pub events: Vec<IncidentEvent>,
}

/// A definition file as it was when it last loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredDefinition {
    /// Its path.
    pub path: String,
    /// Its whole text.
    pub text: String,
    /// First 12 hex digits of the text's SHA-256.
    pub version: String,
    /// The SLOs that it holds.
    pub slos: Vec<SloId>,
    /// When it was loaded first.
    pub loaded_at: Timestamp,
}

/// What a load changes in the definitions that are kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DefinitionChanges {
    /// The new last good texts of their files.
    pub loaded: Vec<StoredDefinition>,
    /// Paths of files that are gone from what runs.
    pub removed: Vec<String>,
    /// Every SLO that runs on in an earlier version because its alert holds, with the path and the version of that text.
    pub held: Vec<(SloId, String, String)>,
    /// SLOs that go on by another name.
    pub renamed: Vec<Rename>,
    /// Every SLO that runs by what its file holds, with the path and the version of that text.
    pub runs: Vec<(SloId, String, String)>,
}

/// What a release of held versions changes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Release {
    /// The SLOs whose versions are let go of.
    pub slos: Vec<SloId>,
    /// Those that were waiting for another name.
    pub renamed: Vec<Rename>,
    /// What runs in their place, with the path and the version of its text.
    pub runs: Vec<(SloId, String, String)>,
}

/// A version of an SLO that ran.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunVersion {
    /// What it was called in that text.
    pub called: SloId,
    /// The path of the file.
    pub path: String,
    /// The version of its text.
    pub version: String,
    /// Since when it ran.
    pub since: Timestamp,
}

/// Why the store could not do it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another daemon holds the store.
    #[error("the store {path} is in use by another burnward ({holder}); stop it first, or give this one its own --storage.path")]
    InUse {
        /// The directory.
        path: String,
        /// Process id and host of the holder, where they are known.
        holder: String,
    },
    /// The store cannot be opened.
    #[error("cannot open the store {path}: {reason}")]
    Open {
        /// The file.
        path: String,
        /// Why, with what to do.
        reason: String,
    },
    /// A stored row does not make sense.
    #[error("the store holds a damaged {what}: {reason}")]
    Damaged {
        /// What kind of row.
        what: &'static str,
        /// Why.
        reason: String,
    },
    /// What was to be committed contradicts what is stored; nothing was changed.
    #[error("the store refuses a commit that contradicts it: {reason}")]
    Refused {
        /// Why.
        reason: String,
    },
    /// The disk is full; nothing was changed.
    #[error("the disk of the store is full")]
    Full,
    /// It was opened for reading.
    #[error("the store was opened for reading only")]
    ReadOnly,
    /// The daemon stopped before the store could answer.
    #[error("the daemon is stopping")]
    Stopping,
    /// SQLite refused.
    #[error("the store refused: {0}")]
    Sql(#[source] sqlx::Error),
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        /// SQLITE_FULL.
        const FULL: i32 = 13;
        match (sqlite::primary_code(&error), error) {
            (Some(FULL), _) => Self::Full,
            (_, sqlx::Error::PoolClosed) => Self::Stopping,
            (_, error) => Self::Sql(error),
        }
    }
}

/// A page id with the outcome that the outbox holds for it, for lists of undelivered pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UndeliveredPage {
    /// Which.
    pub page: PageId,
    /// Of which incident.
    pub incident: IncidentId,
    /// To whom, as text.
    pub to: String,
    /// When it was decided.
    pub decided_at: Timestamp,
    /// How often it was tried.
    pub attempts: u32,
    /// The last outcome in a sentence.
    pub last_error: Option<String>,
    /// True where it will not be tried again.
    pub given_up: bool,
}

/// How the store is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreHealth {
    /// Its file.
    pub file: PathBuf,
    /// Size of the file, in bytes.
    pub file_bytes: u64,
    /// Size of what is not yet moved into the file, in bytes.
    pub wal_bytes: u64,
    /// Version of SQLite.
    pub sqlite_version: String,
    /// SQLite's setting `synchronous`: `FULL`, so that what was committed survives a power cut.
    pub synchronous: &'static str,
    /// When something was committed last.
    pub last_commit_at: Option<Timestamp>,
    /// True where the last write found the disk full.
    pub full: bool,
    /// True where the ballast is in place: 16 MiB that are given up when the disk is full, so that pages still go out.
    pub ballast: bool,
}
