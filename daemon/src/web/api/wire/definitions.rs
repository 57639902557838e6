//! The documents that run.

use std::{collections::BTreeMap, time::Duration};

use burnward_core::{
    id::TeamName,
    oncall::{Recipient, Step, Team},
};
use jiff::Timestamp as Instant;
use serde::{Deserialize, Serialize};

use super::{HeldVersion, instant};
use crate::store::StoredDefinition;

/// The documents of a tenant that run: `GET /api/v1/definitions`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RunningDefinitions {
    /// `burnward/v1/definitions`.
    pub schema: String,
    /// The last good text of each file, in the order of their paths.
    pub files: Vec<RunningDefinition>,
    /// SLOs that run on in an earlier version than their file holds, because their alerts hold.
    pub held: Vec<HeldVersion>,
    /// The teams that are told, as burnward.yaml said when the daemon was started.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub teams: Vec<RunningTeam>,
}

/// A team that is told.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RunningTeam {
    /// Its name.
    pub name: String,
    /// Where its incidents are shown.
    pub channel: String,
    /// Whom each step pages.
    pub escalation: Vec<RunningStep>,
}

/// A step of an escalation.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RunningStep {
    /// People by their names, channels by theirs with `#`.
    pub page: Vec<String>,
    /// How long it waits for an acknowledgement.
    pub acknowledge_within_seconds: u64,
}

impl RunningDefinitions {
    /// The teams that are told; `None` where the daemon does not say, or one has a name that is none.
    pub fn teams_that_run(&self) -> Option<BTreeMap<TeamName, Team>> {
        let teams: Option<BTreeMap<TeamName, Team>> = self.teams.iter().map(RunningTeam::team).collect();
        teams.filter(|teams| !teams.is_empty())
    }
}

impl RunningTeam {
    /// A team of the configuration.
    pub fn of(team: &Team) -> Self {
        let step = |step: &Step| RunningStep {
            page: step.page.iter().map(ToString::to_string).collect(),
            acknowledge_within_seconds: step.acknowledge_within.as_secs(),
        };
        Self { name: team.name.to_string(), channel: team.channel.clone(), escalation: team.escalation.iter().map(step).collect() }
    }

    fn team(&self) -> Option<(TeamName, Team)> {
        let step = |RunningStep { page, acknowledge_within_seconds }: &RunningStep| {
            let page = page.iter().map(|name| Recipient::parse(name).ok()).collect::<Option<Vec<_>>>()?;
            Some(Step { page, acknowledge_within: Duration::from_secs(*acknowledge_within_seconds) })
        };
        let name = TeamName::parse(&self.name).ok()?;
        let escalation = self.escalation.iter().map(step).collect::<Option<Vec<_>>>()?;
        Some((name.clone(), Team { name, channel: self.channel.clone(), escalation }))
    }
}

/// A document that runs.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RunningDefinition {
    /// Its path, as the daemon's configuration leads to it.
    pub path: String,
    /// First 12 hex digits of the SHA-256 of its text.
    pub version: String,
    /// When this version was loaded first.
    pub loaded_at: Instant,
    /// Its whole text.
    pub text: String,
}

impl RunningDefinition {
    /// A document as the store keeps it.
    pub fn of(stored: &StoredDefinition) -> Self {
        let StoredDefinition { path, text, version, loaded_at, slos: _ } = stored.clone();
        Self { path, version, loaded_at: instant(loaded_at), text }
    }
}
