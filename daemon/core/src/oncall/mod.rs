//! Who is told: teams, their channel and their escalation steps. Today a fixed list of people; schedules come behind the same question
//! "who is at step n?".

use std::{fmt, time::Duration};

use crate::id::{PersonName, TeamName};

/// Somebody or some place that a page can be owed to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Recipient {
    /// A person, reached by direct message.
    Person(PersonName),
    /// A channel, written as the operator wrote it: `#payments-oncall`.
    Channel(String),
}

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Person(name) => write!(f, "{name}"),
            Self::Channel(name) => f.write_str(name),
        }
    }
}

impl Recipient {
    /// Reads what `Display` wrote: a leading `#` makes a channel.
    pub fn parse(text: &str) -> Result<Self, crate::id::NameError> {
        if text.starts_with('#') { Ok(Self::Channel(text.to_owned())) } else { PersonName::parse(text).map(Self::Person) }
    }
}

/// One step of an escalation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Who is paged; at least one.
    pub page: Vec<Recipient>,
    /// How long to wait for an acknowledgement before the next step.
    pub acknowledge_within: Duration,
}

/// A team: its channel and its escalation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Team {
    /// Its name.
    pub name: TeamName,
    /// Where its incidents are shown.
    pub channel: String,
    /// The steps in order; at least one.
    pub escalation: Vec<Step>,
}

impl Team {
    /// Who is paged first; `None` for a team without a step.
    pub fn primary(&self) -> Option<&Recipient> {
        self.escalation.first()?.page.first()
    }
}
