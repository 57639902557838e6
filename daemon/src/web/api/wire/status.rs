//! The status of a tenant: its budgets, its sources, what waits for delivery, what does not load.

use std::time::Duration;

use burnward_core::words;
use jiff::Timestamp as Instant;
use serde::{Deserialize, Serialize};

use super::{Budget, HeldVersion, IncidentState, Why, instant};
use crate::view::{DefinitionFault, InPlace, LostSamples, QueryView, ReplicaView, SourceView};

/// `GET /api/v1/status`, with its budgets as they are read or as they are written.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Status<Budgets = Vec<Budget>> {
    /// `burnward/v1/status`.
    pub schema: String,
    /// Whose.
    #[serde(default)]
    pub tenant: String,
    /// The other tenants of the daemon: each has a status of its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub other_tenants: Vec<String>,
    /// When it was put together.
    pub as_of: Instant,
    /// Every budget, worst first.
    pub budgets: Budgets,
    /// Of a moment of the past: the SLOs that did not run then, so that what is shown of them is of history that was read later.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_run_then: Vec<String>,
    /// The sources.
    pub sources: Vec<SourceState>,
    /// The incidents that are not resolved, and those that a person resolved and that go on; oldest first.
    pub open_incidents: Vec<IncidentState>,
    /// What waits for delivery.
    pub outbox: Outbox,
    /// SLOs that run on in an earlier version because their alerts hold.
    #[serde(default)]
    pub held: Vec<HeldVersion>,
    /// Definitions that do not load; the last good ones run.
    pub definition_faults: Vec<Fault>,
    /// Texts of the operator that cannot be used; the built-in ones are.
    pub text_faults: Vec<String>,
}

impl<Budgets> Status<Budgets> {
    /// The same with its budgets in another shape.
    pub fn map<Others>(self, change: impl FnOnce(Budgets) -> Others) -> Status<Others> {
        Status {
            schema: self.schema,
            tenant: self.tenant,
            other_tenants: self.other_tenants,
            as_of: self.as_of,
            budgets: change(self.budgets),
            not_run_then: self.not_run_then,
            sources: self.sources,
            open_incidents: self.open_incidents,
            outbox: self.outbox,
            held: self.held,
            definition_faults: self.definition_faults,
            text_faults: self.text_faults,
        }
    }
}

/// A clock of a source that is off by more is told.
const TOLD_SKEW_MILLIS: u64 = 30_000;

/// A source.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SourceState {
    /// For whom it is read.
    pub tenant: String,
    /// Its name.
    pub name: String,
    /// Product and version.
    pub product: Option<String>,
    /// The last time that every query was answered.
    pub last_good: Option<Instant>,
    /// Since when it is blind.
    pub blind_since: Option<Instant>,
    /// Why.
    pub blind: Option<Why>,
    /// Up to where its samples are settled.
    pub settled: Option<Instant>,
    /// Its clock minus ours.
    pub skew_millis: Option<i64>,
    /// True while older samples are being read.
    pub catching_up: bool,
    /// The replica that is read, where there are several.
    pub replica: Option<Replica>,
    /// `open` while it stays blind and is asked one small question a tick; else `closed`.
    pub circuit: String,
    /// What it lost in the last week.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost: Option<Lost>,
    /// What was asked in the last round, and what came.
    pub queries: Vec<Query>,
}

/// That a source has lost samples which were counted. What was counted of them stays.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Lost {
    /// When it was noticed.
    pub noticed_at: Instant,
    /// Of which SLOs, as service/name.
    pub slos: Vec<String>,
}

/// The replica that a source is read from.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Replica {
    /// Its address.
    pub place: String,
    /// Which one it is in the order of the configuration, from 1.
    pub number: usize,
    /// How many there are.
    pub of: usize,
    /// Since when it is read in the place of another; absent since the start.
    pub switched_at: Option<Instant>,
    /// What was wrong with the one before.
    pub switched_because: Option<String>,
}

/// A query of a round.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Query {
    /// The selector as it was sent.
    pub asked: String,
    /// When it was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Instant>,
    /// From, exclusive.
    pub from: Instant,
    /// To, inclusive.
    pub to: Instant,
    /// How many series came.
    pub series: Option<usize>,
    /// How long it took.
    pub took_millis: Option<u64>,
    /// Why nothing came.
    pub unknown: Option<Why>,
}

/// What waits for delivery.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Outbox {
    /// Pages that wait.
    pub pages_owed: u64,
    /// When the oldest was decided.
    pub oldest_page: Option<Instant>,
    /// Pages that cannot arrive.
    pub pages_undeliverable: u64,
    /// Thread posts and edits that wait.
    pub informs_owed: u64,
    /// The pages that cannot arrive, and those that wait although an attempt failed or for more than ten seconds.
    pub undelivered: Vec<Undelivered>,
}

/// A page that has not arrived.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Undelivered {
    /// Which.
    pub page: String,
    /// Of which incident.
    pub incident: String,
    /// To whom.
    pub to: String,
    /// When it was decided.
    pub decided_at: Instant,
    /// How often it was tried.
    pub attempts: u32,
    /// What came of the last attempt.
    pub last_error: Option<String>,
    /// True where it is not tried again.
    pub given_up: bool,
}

/// A file that does not load, or a directory of which too much is gone.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Fault {
    /// Which.
    pub file: String,
    /// The diagnostics, as `burnward check` prints them.
    pub text: String,
    /// True where its last good version runs on; false where there never was one, so that nothing of it runs.
    pub last_good_runs: bool,
    /// True where each file loads and a removal of most SLOs is refused: `file` is the directory, and all that ran before runs on.
    #[serde(default)]
    pub removal_refused: bool,
}

impl SourceState {
    /// A source of a view.
    pub fn of(tenant: &str, name: &str, source: &SourceView) -> Self {
        Self {
            tenant: tenant.to_owned(),
            name: name.to_owned(),
            product: source.product.clone(),
            last_good: source.last_good.map(instant),
            blind_since: source.blind.as_ref().map(|(since, _)| instant(*since)),
            blind: source.blind.as_ref().map(|(_, unknown)| Why::from(unknown)),
            settled: source.settled.map(instant),
            skew_millis: source.skew_millis,
            catching_up: source.catching_up,
            replica: source.replica.as_ref().map(Replica::from),
            circuit: source.circuit.word().to_owned(),
            lost: source.lost.as_ref().map(Lost::from),
            queries: source.queries.iter().map(Query::from).collect(),
        }
    }
}

impl From<&LostSamples> for Lost {
    fn from(lost: &LostSamples) -> Self {
        let slos = lost.slos.iter().map(|slo| format!("{}/{}", slo.service, slo.name)).collect();
        Self { noticed_at: instant(lost.noticed_at), slos }
    }
}

impl SourceState {
    /// What it has lost, as a sentence; nothing where it has lost nothing.
    pub fn lost_sentence(&self, ago: impl Fn(Instant) -> String) -> Option<String> {
        let Lost { noticed_at, slos } = self.lost.as_ref()?;
        Some(format!("source {} has lost samples that were counted, of {} (noticed {})", self.name, words::list(slos, 3), ago(*noticed_at)))
    }

    /// That its clock is off, as a sentence; nothing where it is off by no more than half a minute, or not known.
    pub fn skew_sentence(&self) -> Option<String> {
        let skew = self.skew_millis.filter(|millis| millis.unsigned_abs() > TOLD_SKEW_MILLIS)?;
        let off = words::duration(Duration::from_secs(skew.unsigned_abs() / 1_000));
        Some(format!("the clock of source {} is {off} {} ours", self.name, if skew > 0 { "ahead of" } else { "behind" }))
    }

    /// Which replica is read, as a sentence; nothing where there is one alone.
    pub fn replica_sentence(&self, ago: impl Fn(Instant) -> String) -> Option<String> {
        let Replica { place, number, of, switched_at, switched_because } = self.replica.as_ref()?;
        let reads = format!("source {} reads replica {number} of {of}, {place}", self.name);
        match (switched_at, switched_because) {
            (Some(at), Some(why)) => Some(format!("{reads}, switched to {}; the one before: {why}", ago(*at))),
            (Some(_) | None, _) => Some(reads),
        }
    }
}

impl From<&ReplicaView> for Replica {
    fn from(replica: &ReplicaView) -> Self {
        Self {
            place: replica.place.clone(),
            number: replica.number,
            of: replica.of,
            switched_at: replica.switched.as_ref().map(|(at, _)| instant(*at)),
            switched_because: replica.switched.as_ref().map(|(_, why)| why.clone()),
        }
    }
}

impl From<&QueryView> for Query {
    fn from(query: &QueryView) -> Self {
        Self {
            asked: query.asked.clone(),
            at: Some(instant(query.asked_at)),
            from: instant(query.from),
            to: instant(query.to),
            series: query.got.as_ref().ok().map(|(series, _)| *series),
            took_millis: query.got.as_ref().ok().map(|(_, took)| *took),
            unknown: query.got.as_ref().err().map(Why::from),
        }
    }
}

impl Fault {
    /// What is wrong, in two or three words behind its name: `does not load`.
    pub const fn what_is_wrong(&self) -> &'static str {
        if self.removal_refused { "would remove most SLOs, which is refused" } else { "does not load" }
    }

    /// What runs in its place, as a sentence.
    pub const fn what_runs(&self) -> &'static str {
        match (self.removal_refused, self.last_good_runs) {
            (true, _) => "All that ran before runs on.",
            (false, true) => "Its last good version runs on.",
            (false, false) => "It never loaded: nothing of it runs.",
        }
    }
}

impl From<&DefinitionFault> for Fault {
    fn from(fault: &DefinitionFault) -> Self {
        let (last_good_runs, removal_refused) = (fault.runs != InPlace::Nothing, fault.runs == InPlace::AllOfBefore);
        Self { file: fault.file.clone(), text: fault.text.clone(), last_good_runs, removal_refused }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_off_by_more_than_half_a_minute_is_told() {
        let told = |skew_millis| SourceState::of("main", "prom", &SourceView { skew_millis, ..SourceView::default() }).skew_sentence();
        assert_eq!([None, Some(0), Some(30_000), Some(-30_000)].map(told), [None, None, None, None]);
        assert_eq!(told(Some(90_500)).as_deref(), Some("the clock of source prom is 1 m 30 s ahead of ours"));
        assert_eq!(told(Some(-31_000)).as_deref(), Some("the clock of source prom is 31 s behind ours"));
    }
}
