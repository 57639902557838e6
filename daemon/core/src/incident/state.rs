//! The state of an incident, and what surfaces and decisions read off it.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use crate::{
    id::{Group, IncidentId, PageId, SloId, TeamName, TenantId},
    oncall::Recipient,
    time::Timestamp,
};

use super::{Actor, AlertKey, Facts, FaultKey, Kind, Member, Members, MessageRef, PageReason, RECHECK, Resolution, members::group};

/// The state of an incident: the fold of its events.
#[derive(Debug, Clone, PartialEq)]
pub struct Incident {
    /// Whose it is.
    pub tenant: TenantId,
    /// Its identity.
    pub id: IncidentId,
    /// Its number among the incidents of its fault, from 1.
    pub ordinal: u64,
    /// The fault.
    pub fault: FaultKey,
    /// Who is responsible.
    pub team: TeamName,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// When the burn or blindness began, the earliest of its members.
    pub began: Timestamp,
    /// Open, taken or over.
    pub phase: Phase,
    /// When it burned, or could not be seen: from each beginning until nothing went on any more; never empty. The pauses between them are no part of it.
    pub spells: Vec<Spell>,
    /// Since when it waits, or waited, for somebody to take it: the opening, the last re-opening, or the end of an old acknowledgement.
    pub waiting_since: Timestamp,
    /// Its alerts, recovered ones too.
    pub members: Members,
    /// What fired in the moment of its opening, with the inputs of then: what its title says.
    pub first: BTreeMap<AlertKey, Facts>,
    /// How far escalation has come.
    pub escalation: Escalation,
    /// What became of each message that was owed.
    pub pages: BTreeMap<PageId, PageState>,
    /// The message that became the root of the thread: the first that was owed.
    pub root: Option<PageId>,
    /// When somebody was last told by a new post, and how many groups were hit then.
    pub last_told: LastTold,
    /// The last acknowledgement, kept across re-opening.
    pub last_acknowledged: Option<(Timestamp, Actor)>,
    /// The last time that somebody asked for help.
    pub last_help: Option<(Timestamp, Actor)>,
    /// The last note.
    pub last_note: Option<Note>,
    /// Position of the last event.
    pub last_seq: u32,
}

/// What surfaces and decisions read off an incident.
impl Incident {
    /// True until it is resolved; an acknowledged one is open.
    pub const fn is_open(&self) -> bool {
        match self.phase {
            Phase::Open | Phase::Acknowledged { .. } => true,
            Phase::Resolved { .. } => false,
        }
    }

    /// When it opens again by itself: a person resolved it while an alert still holds. `None`: it is open, or nothing of it holds.
    pub fn opens_again(&self) -> Option<Timestamp> {
        match self.phase {
            Phase::Resolved { at, how: Resolution::ByPerson, .. } if self.fault.kind != Kind::Test && self.members.open_count() > 0 => {
                Some(at.plus(RECHECK))
            }
            Phase::Open | Phase::Acknowledged { .. } | Phase::Resolved { .. } => None,
        }
    }

    /// True where nothing of it goes on: it is resolved, and no alert holds that a person resolved away. What is not at rest stands among the open ones.
    pub fn is_at_rest(&self) -> bool {
        self.ended().is_some()
    }

    /// When it ended; `None` as long as it is not at rest.
    pub fn ended(&self) -> Option<Timestamp> {
        match self.phase {
            Phase::Resolved { at, .. } if self.opens_again().is_none() => Some(at),
            Phase::Open | Phase::Acknowledged { .. } | Phase::Resolved { .. } => None,
        }
    }

    /// How long it burned or could not be seen, in all, without the pauses.
    pub fn lasted(&self, now: Timestamp) -> Duration {
        self.spells.iter().map(|spell| spell.lasts(now)).sum()
    }

    /// What a post says of the state: that of the incident until what it called for is over, and that ever after.
    pub fn standing_of(&self, page: &PageId) -> Standing<'_> {
        match (self.pages.get(page).and_then(|page| page.over), &self.phase, self.opens_again()) {
            (Some(at), _, _) => Standing::Over { at },
            (None, Phase::Resolved { at, .. }, None) => Standing::Over { at: *at },
            (None, Phase::Resolved { at, by, .. }, Some(again)) => Standing::GoesOn { at: *at, by, again },
            (None, Phase::Acknowledged { at, by }, _) => Standing::Taken { at: *at, by },
            (None, Phase::Open, _) => Standing::Waits,
        }
    }

    /// The phase as a stable word, for lists: `open`, `acknowledged`, `resolved`.
    pub const fn phase_word(&self) -> &'static str {
        self.phase.word()
    }

    /// The alerts that hold.
    pub fn open_members(&self) -> impl Iterator<Item = (&AlertKey, &Member)> {
        self.members.iter().filter(|(_, member)| member.recovered_at.is_none())
    }

    /// True where the alert is a member and holds.
    pub fn holds(&self, alert: &AlertKey) -> bool {
        self.members.get(alert).is_some_and(|member| member.recovered_at.is_none())
    }

    /// The alerts that hold, and once nothing of it goes on, all that ever did.
    pub fn hit_members(&self) -> impl Iterator<Item = (&AlertKey, &Member)> {
        let over = self.is_at_rest();
        self.members.iter().filter(move |(_, member)| over || member.recovered_at.is_none())
    }

    /// The groups that are hit: of the alerts that hold, and once nothing of it goes on, of all that ever did. An SLO that is not split adds none.
    pub fn groups_hit(&self) -> BTreeSet<&Group> {
        if self.is_at_rest() { self.members.keys().filter_map(group).collect() } else { self.members.hit().collect() }
    }

    /// How many groups are hit.
    pub(super) fn count_groups_hit(&self) -> usize {
        if self.is_at_rest() { self.groups_hit().len() } else { self.members.hit().len() }
    }

    /// The SLOs whose alerts are or were members.
    pub fn slos(&self) -> &BTreeSet<SloId> {
        self.members.slos()
    }

    /// The message that became the root of the thread, with what became of it.
    pub fn root_page(&self) -> Option<(&PageId, &PageState)> {
        self.pages.get_key_value(self.root.as_ref()?)
    }

    /// When the first page arrived, by `until`, of those that were owed since it began to wait for somebody; `None`: none had.
    pub fn first_arrival(&self, until: Timestamp) -> Option<Timestamp> {
        let arrivals = self.pages.values().filter(|page| page.decided_at >= self.waiting_since).filter_map(|page| match page.outcome {
            PageOutcome::Delivered { at, .. } => Some(at),
            PageOutcome::Owed | PageOutcome::Undeliverable { .. } => None,
        });
        arrivals.min().filter(|arrival| *arrival <= until)
    }

    /// The pages that are on their way.
    pub fn owed_pages(&self) -> impl Iterator<Item = (&PageId, &PageState)> {
        self.pages.iter().filter(|(_, page)| matches!(page.outcome, PageOutcome::Owed))
    }

    /// The identity as a borrowed value, with the tenant: the first parts of every message's identity.
    pub(super) const fn name(&self) -> (&TenantId, &IncidentId) {
        (&self.tenant, &self.id)
    }
}

/// A stretch in which something of an incident went on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spell {
    /// When it began.
    pub from: Timestamp,
    /// When nothing of it went on any more; `None` while something does.
    pub to: Option<Timestamp>,
}

impl Spell {
    /// How long it lasts or lasted.
    fn lasts(&self, now: Timestamp) -> Duration {
        self.to.unwrap_or(now).since(self.from)
    }
}

/// Where an incident stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Phase {
    /// Nobody has taken it.
    Open,
    /// Somebody has.
    Acknowledged {
        /// When.
        at: Timestamp,
        /// Who.
        by: Actor,
    },
    /// It is over.
    Resolved {
        /// When.
        at: Timestamp,
        /// Who.
        by: Actor,
        /// How.
        how: Resolution,
    },
}

impl Phase {
    /// The phase as a stable word: `open`, `acknowledged`, `resolved`.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Acknowledged { .. } => "acknowledged",
            Self::Resolved { .. } => "resolved",
        }
    }
}

/// How far escalation has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Escalation {
    /// The step that was paged last, from 0.
    pub step: u32,
    /// The round, from 0.
    pub round: u32,
    /// How often something new called for people: 0 for the opening, one more for each re-opening, each join that was told and each request for help.
    pub calls: u32,
    /// When the next step is due; `None` when acknowledged, resolved, ended, or a ticket.
    pub due: Option<Timestamp>,
}

/// A message that is or was owed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageState {
    /// To whom.
    pub to: Recipient,
    /// When it was decided.
    pub decided_at: Timestamp,
    /// Escalation step, from 0.
    pub step: u32,
    /// Why.
    pub why: PageReason,
    /// What became of it.
    pub outcome: PageOutcome,
    /// When what it called for was over; `None` as long as something of it goes on. What comes back later has pages of its own.
    pub over: Option<Timestamp>,
}

/// What a post of an incident says of its state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing<'a> {
    /// Nobody has taken it.
    Waits,
    /// Somebody has.
    Taken {
        /// When.
        at: Timestamp,
        /// Who.
        by: &'a Actor,
    },
    /// A person resolved it, and it goes on.
    GoesOn {
        /// When it was resolved.
        at: Timestamp,
        /// Who resolved it.
        by: &'a Actor,
        /// When it opens again.
        again: Timestamp,
    },
    /// What the post called for is over.
    Over {
        /// Since when.
        at: Timestamp,
    },
}

impl Standing<'_> {
    /// A text that is the same for the same state only.
    pub fn key(&self) -> String {
        match self {
            Self::Waits => "waits".to_owned(),
            Self::Taken { at, .. } => format!("taken {}", at.millis()),
            Self::GoesOn { at, .. } => format!("goes on {}", at.millis()),
            Self::Over { at } => format!("over {}", at.millis()),
        }
    }
}

/// What became of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PageOutcome {
    /// On its way.
    Owed,
    /// It arrived.
    Delivered {
        /// When.
        at: Timestamp,
        /// Where it stands.
        message: MessageRef,
    },
    /// It cannot arrive.
    Undeliverable {
        /// When that was known.
        at: Timestamp,
        /// Why.
        reason: String,
    },
}

/// A person's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: Actor,
    /// The words; untrusted text.
    pub text: String,
}

/// What was true when somebody was last told by a new post.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastTold {
    /// When.
    pub at: Timestamp,
    /// How many groups were hit then, at least 1; those that join while the post is still new count as told, because it is edited.
    pub groups: usize,
}
