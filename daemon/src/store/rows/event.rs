//! Incident events.

use burnward_core::{
    id::{PageId, TeamName},
    incident::{
        Actor, AlertKey, EscalationReason, Facts, FaultKey, IncidentEvent, JoinReason, MessageRef, PageReason, ReopenReason, Resolution,
        Via, What,
    },
    oncall::Recipient,
    time::Timestamp,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{
    facts::FactsRow,
    values::{AlertKeyRow, FaultKeyRow, MessageRefRow, RecipientRow, millis, text},
};

/// The number of the shape below; higher where an old reader would misunderstand a newer row.
const SCHEMA: u8 = 1;

/// An event without position and time.
#[derive(Serialize, Deserialize)]
pub(super) struct EventRow {
    #[serde(default = "first_schema")]
    schema: u8,
    #[serde(with = "ActorRow")]
    by: Actor,
    #[serde(with = "WhatRow")]
    what: What,
}

const fn first_schema() -> u8 {
    1
}

impl EventRow {
    pub(super) fn of(event: &IncidentEvent) -> Self {
        Self { schema: SCHEMA, by: event.by.clone(), what: event.what.clone() }
    }

    /// The event at its position and time; a sentence where the row is of a shape that is not known here.
    pub(super) fn into_event(self, seq: u32, at: Timestamp) -> Result<IncidentEvent, String> {
        match self.schema {
            ..=SCHEMA => Ok(IncidentEvent { seq, at, by: self.by, what: self.what }),
            newer => Err(format!("its shape has the number {newer}, this version knows {SCHEMA}")),
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Actor", rename_all = "kebab-case")]
enum ActorRow {
    Daemon,
    Person {
        name: String,
        #[serde(with = "ViaRow")]
        via: Via,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Via", rename_all = "kebab-case")]
enum ViaRow {
    Slack,
    Web,
    Api,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "What", rename_all = "kebab-case")]
enum WhatRow {
    Opened {
        #[serde(with = "FaultKeyRow")]
        fault: FaultKey,
        #[serde(with = "text")]
        team: TeamName,
        #[serde(with = "AlertKeyRow")]
        alert: AlertKey,
        #[serde(with = "FactsRow")]
        facts: Facts,
    },
    Joined {
        #[serde(with = "AlertKeyRow")]
        alert: AlertKey,
        #[serde(with = "FactsRow")]
        facts: Facts,
        #[serde(default, with = "maybe_join_reason", skip_serializing_if = "Option::is_none")]
        notify: Option<JoinReason>,
    },
    Recovered {
        #[serde(with = "AlertKeyRow")]
        alert: AlertKey,
    },
    PageOwed {
        #[serde(with = "text")]
        page: PageId,
        #[serde(with = "RecipientRow")]
        to: Recipient,
        step: u32,
        round: u32,
        #[serde(with = "PageReasonRow")]
        why: PageReason,
    },
    Delivered {
        #[serde(with = "text")]
        page: PageId,
        #[serde(with = "MessageRefRow")]
        at: MessageRef,
        maybe_repeat: bool,
    },
    Undeliverable {
        #[serde(with = "text")]
        page: PageId,
        reason: String,
    },
    Acknowledged,
    Escalated {
        step: u32,
        round: u32,
        #[serde(with = "EscalationReasonRow")]
        why: EscalationReason,
    },
    EscalationDue {
        #[serde(with = "millis")]
        at: Timestamp,
    },
    EscalationEnded,
    Noted {
        text: String,
    },
    Resolved {
        #[serde(with = "ResolutionRow")]
        how: Resolution,
    },
    Reopened {
        #[serde(with = "ReopenReasonRow")]
        why: ReopenReason,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "JoinReason", rename_all = "kebab-case")]
enum JoinReasonRow {
    NewSlo,
    Doubled,
    CameBack,
    OldAcknowledgement,
}

/// `with` for a reason that may be missing.
mod maybe_join_reason {
    use super::{Deserialize, Deserializer, JoinReason, JoinReasonRow, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    struct One(#[serde(with = "JoinReasonRow")] JoinReason);

    #[expect(clippy::ref_option, reason = "the signature that serde asks for")]
    pub(super) fn serialize<S: Serializer>(value: &Option<JoinReason>, to: S) -> Result<S::Ok, S::Error> {
        value.map(One).serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<JoinReason>, D::Error> {
        Ok(Option::<One>::deserialize(from)?.map(|One(reason)| reason))
    }
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "PageReason", rename_all = "kebab-case")]
enum PageReasonRow {
    Opened,
    NotAcknowledged,
    HelpAsked,
    Joined(#[serde(with = "JoinReasonRow")] JoinReason),
    Reopened,
    Unreachable,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "EscalationReason", rename_all = "kebab-case")]
enum EscalationReasonRow {
    NotAcknowledged,
    HelpAsked,
    Unreachable,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Resolution", rename_all = "kebab-case")]
enum ResolutionRow {
    Recovered,
    ByPerson,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "ReopenReason", rename_all = "kebab-case")]
enum ReopenReasonRow {
    FiredAgain,
    StillHolds,
}
