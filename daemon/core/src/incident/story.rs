//! Stories for tests: an incident of the service checkout, told step by step at a clock moved by hand.
//!
//! The team `payments` has the channel `#pay` and three steps: ada for 5 min, sam and `#leads` for 10 min, li for 5 min.

use std::time::Duration;

use crate::{
    budget::BudgetLeft,
    burn_rate::{RowBurn, Verdict},
    id::{BudgetId, Group, ObjectiveName, PageId, ServiceName, SloId, SloName, SourceName, TeamName, TenantId},
    ledger::{Counts, Reason, Unknown},
    oncall::{Recipient, Step, Team},
    slo::{AlertRow, Urgency},
    time::{Timestamp, days, hours, minutes},
    units::{Factor, Target},
    window::Window,
};

use super::*;

/// Where stories begin: a round number of seconds after the epoch.
pub(crate) const START: Timestamp = Timestamp::from_seconds(1_000_000);

/// An incident in the making.
#[derive(Debug, Clone)]
pub(crate) struct Story {
    pub(crate) now: Timestamp,
    pub(crate) team: Team,
    pub(crate) urgency: Urgency,
    pub(crate) incident: Option<Incident>,
    /// Of the newest incident.
    pub(crate) events: Vec<IncidentEvent>,
    /// Of the last command, or of all commands since `together`.
    pub(crate) batch: Vec<IncidentEvent>,
    together: bool,
    pub(crate) answer: Answer,
}

/// A story about a page.
pub(crate) fn story() -> Story {
    let step = |page: &[&str], wait| Step { page: page.iter().map(|who| recipient(who)).collect(), acknowledge_within: wait };
    let escalation = vec![step(&["ada"], minutes(5)), step(&["sam", "#leads"], minutes(10)), step(&["li"], minutes(5))];
    let team = Team { name: TeamName::parse("payments").unwrap(), channel: "#pay".to_owned(), escalation };
    Story {
        now: START,
        team,
        urgency: Urgency::Page,
        incident: None,
        events: Vec::new(),
        batch: Vec::new(),
        together: false,
        answer: Answer::Events(Vec::new()),
    }
}

/// A story about a ticket.
pub(crate) fn ticket_story() -> Story {
    Story { urgency: Urgency::Ticket, ..story() }
}

pub(crate) fn recipient(text: &str) -> Recipient {
    Recipient::parse(text).unwrap()
}

pub(crate) fn person(name: &str) -> Actor {
    Actor::Person { name: name.to_owned(), via: Via::Slack }
}

pub(crate) fn tenant() -> TenantId {
    TenantId::parse("main").unwrap()
}

pub(crate) fn slo(name: &str) -> SloId {
    SloId { tenant: tenant(), service: ServiceName::parse("checkout").unwrap(), name: SloName::parse(name).unwrap() }
}

/// The alert of a group of an SLO, written `acme` (of availability), `latency/acme`, or `export/` where the SLO is not split.
pub(crate) fn alert(text: &str) -> AlertKey {
    let (name, group) = text.split_once('/').unwrap_or(("availability", text));
    let group = if group.is_empty() { Group::whole() } else { Group::new(vec![("tenant".to_owned(), group.to_owned())]) };
    AlertKey::Budget(BudgetId { slo: slo(name), objective: ObjectiveName::parse("default").unwrap(), group })
}

/// 15.2 % failing over 5 min and 1.46 % over 1 h, begun six minutes before.
pub(crate) fn facts(now: Timestamp) -> Facts {
    let counts = |bad, total| Counts { good: total - bad, bad, ..Counts::default() };
    let row = AlertRow { urgency: Urgency::Page, factor: Factor::parse("14.4").unwrap(), long: hours(1), short: minutes(5) };
    let (long, short) = (counts(191_160, 13_093_200), counts(165_847, 1_091_100));
    Facts::Burn(Box::new(BurnFacts {
        title: "Customers can pay".to_owned(),
        symptom: Symptom::Failing,
        target: Target::percent("99.9%").unwrap(),
        window: Window::Rolling(days(30)),
        fired: RowBurn { row, long, short, long_burn: 14.6, short_burn: 152.0, verdict: Verdict::Holds },
        began: now.minus(minutes(6)),
        left: BudgetLeft { ratio: 0.71, seconds: 1840.3, whole: Duration::from_secs(2592) },
        coverage: Some(1.0),
        runs_out: Some(Duration::from_secs(12_149)),
        as_of: now,
        members: Vec::new(),
    }))
}

/// Blind for five minutes.
pub(crate) fn blind(now: Timestamp) -> Facts {
    let unknown = Unknown { reason: Reason::Unreachable, detail: "connection refused by prom.example:9090".to_owned() };
    Facts::Blind(BlindFacts { unknown, since: now.minus(minutes(5)), hides: vec![slo("availability"), slo("latency")] })
}

impl Story {
    pub(crate) fn fault(&self) -> FaultKey {
        FaultKey { subject: Subject::Service(ServiceName::parse("checkout").unwrap()), kind: Kind::Burn, urgency: self.urgency }
    }

    pub(crate) fn after(mut self, span: Duration) -> Self {
        self.now = self.now.plus(span);
        self
    }

    /// From here on, commands belong to one round.
    pub(crate) fn together(mut self) -> Self {
        self.together = true;
        self.batch.clear();
        self
    }

    /// From here on, each command is a round of its own.
    pub(crate) fn alone(mut self) -> Self {
        self.together = false;
        self
    }

    pub(crate) fn fires(self, name: &str) -> Self {
        let command = Command::Fire { fault: self.fault(), alert: alert(name), facts: facts(self.now) };
        self.does(&command, &Actor::Daemon)
    }

    /// It fires with so many bad events of the 1,091,100 of five minutes.
    pub(crate) fn fires_at(self, name: &str, bad: i64) -> Self {
        let Facts::Burn(mut burn) = facts(self.now) else { unreachable!("these are facts of a burn") };
        burn.fired.short.good += burn.fired.short.bad - bad;
        burn.fired.short.bad = bad;
        let command = Command::Fire { fault: self.fault(), alert: alert(name), facts: Facts::Burn(burn) };
        self.does(&command, &Actor::Daemon)
    }

    pub(crate) fn sees_again(self) -> Self {
        let alert = AlertKey::Source(SourceName::parse("prom-eu").unwrap());
        self.does(&Command::Clear { alert }, &Actor::Daemon)
    }

    pub(crate) fn goes_blind(self) -> Self {
        let source = SourceName::parse("prom-eu").unwrap();
        let fault = FaultKey { subject: Subject::Source(source.clone()), kind: Kind::CannotSee, urgency: Urgency::Page };
        let command = Command::Fire { fault, alert: AlertKey::Source(source), facts: blind(self.now) };
        self.does(&command, &Actor::Daemon)
    }

    pub(crate) fn clears(self, name: &str) -> Self {
        self.does(&Command::Clear { alert: alert(name) }, &Actor::Daemon)
    }

    pub(crate) fn acknowledged_by(self, name: &str) -> Self {
        self.does(&Command::Acknowledge, &person(name))
    }

    pub(crate) fn help_asked_by(self, name: &str) -> Self {
        self.does(&Command::Escalate, &person(name))
    }

    pub(crate) fn noted_by(self, name: &str, text: &str) -> Self {
        self.does(&Command::Note { text: text.to_owned() }, &person(name))
    }

    pub(crate) fn resolved_by(self, name: &str) -> Self {
        self.does(&Command::Resolve, &person(name))
    }

    pub(crate) fn ticks(self) -> Self {
        self.does(&Command::Tick, &Actor::Daemon)
    }

    /// The newest page to `who` arrives.
    pub(crate) fn delivers(self, who: &str) -> Self {
        let command = Command::Delivered { page: self.page_to(who), at: message_ref(), maybe_repeat: false };
        self.does(&command, &Actor::Daemon)
    }

    /// The newest page to `who` cannot arrive.
    pub(crate) fn fails(self, who: &str) -> Self {
        let command = Command::Undeliverable { page: self.page_to(who), reason: "the account is closed".to_owned() };
        self.does(&command, &Actor::Daemon)
    }

    pub(crate) fn does(mut self, command: &Command, by: &Actor) -> Self {
        let team = self.team.clone();
        let tenant = tenant();
        let ordinal = self.incident.as_ref().map_or(0, |incident| incident.ordinal) + 1;
        let scope = Scope { tenant: &tenant, team: &team, ordinal };
        self.answer = handle(self.incident.as_ref(), command, by, &scope, self.now);
        let facts = match &self.answer {
            Answer::Events(facts) => facts.clone(),
            Answer::Already { .. } => Vec::new(),
        };
        let recorded = record(self.incident.clone(), facts, by, &scope, self.now);
        if !self.together {
            self.batch.clear();
        }
        if let Some((incident, events)) = recorded {
            self.take(incident, events);
        }
        self
    }

    fn take(&mut self, incident: Incident, events: Vec<IncidentEvent>) {
        if self.incident.as_ref().is_none_or(|before| before.id != incident.id) {
            self.events.clear();
        }
        self.events.extend(events.iter().cloned());
        self.batch.extend(events);
        self.incident = Some(incident);
    }

    pub(crate) fn state(&self) -> &Incident {
        self.incident.as_ref().expect("a story that has begun")
    }

    /// The page to `who` that was decided last.
    pub(crate) fn page_to(&self, who: &str) -> PageId {
        let owed = self.events.iter().rev().find_map(|event| match &event.what {
            What::PageOwed { page, to, .. } if to.to_string() == who => Some(page.clone()),
            _ => None,
        });
        owed.unwrap_or_else(|| panic!("no page to {who}"))
    }

    /// The message of the page to `who` that was decided last.
    pub(crate) fn message_to(&self, who: &str) -> Message {
        let page = self.page_to(who);
        let found = messages(self.state(), &self.events).into_iter().find(|message| message.id == page);
        found.unwrap_or_else(|| panic!("no message to {who}"))
    }

    pub(crate) fn pages(&self) -> Vec<String> {
        self.batch
            .iter()
            .filter_map(|event| match &event.what {
                What::PageOwed { to, .. } => Some(to.to_string()),
                _ => None,
            })
            .collect()
    }

    #[track_caller]
    pub(crate) fn expect_pages<const N: usize>(self, to: [&str; N]) -> Self {
        assert_eq!(self.pages(), to, "pages of {:#?}", self.batch);
        self
    }

    #[track_caller]
    pub(crate) fn expect_nothing(self) -> Self {
        assert_eq!(self.batch, [], "nothing should have happened");
        self
    }

    #[track_caller]
    pub(crate) fn expect_phase(self, word: &str) -> Self {
        assert_eq!(self.state().phase_word(), word);
        self
    }

    #[track_caller]
    pub(crate) fn expect_already(self, what: &str, by: &str) -> Self {
        match &self.answer {
            Answer::Already { what: w, by: b, .. } => assert_eq!((*w, b.to_string().as_str()), (what, by)),
            Answer::Events(facts) => panic!("expected already {what}, got {facts:?}"),
        }
        self
    }

    /// The kinds of the batch's facts, in order.
    #[track_caller]
    pub(crate) fn expect_facts<const N: usize>(self, words: [&str; N]) -> Self {
        let told: Vec<&str> = self.batch.iter().map(|event| word(&event.what)).collect();
        assert_eq!(told, words);
        self
    }

    /// The batch's messages, written `root #pay`, `thread`, `broadcast`, `edit`, `edit in 1 min`.
    #[track_caller]
    pub(crate) fn expect_messages<const N: usize>(self, expected: [&str; N]) -> Self {
        let written: Vec<String> = messages(self.state(), &self.batch).iter().map(|message| written(message, self.now)).collect();
        assert_eq!(written, expected);
        self
    }

    /// When the next timer is due, from now.
    #[track_caller]
    pub(crate) fn expect_due_in(self, span: Option<Duration>) -> Self {
        assert_eq!(next_due(self.state()), span.map(|span| self.now.plus(span)));
        self
    }
}

pub(crate) fn message_ref() -> MessageRef {
    MessageRef { channel: "C1".to_owned(), ts: "1.0".to_owned() }
}

const fn word(what: &What) -> &'static str {
    match what {
        What::Opened { .. } => "opened",
        What::Joined { notify: None, .. } => "joined",
        What::Joined { notify: Some(JoinReason::NewSlo), .. } => "joined: new SLO",
        What::Joined { notify: Some(JoinReason::Doubled), .. } => "joined: doubled",
        What::Joined { notify: Some(JoinReason::CameBack), .. } => "joined: came back",
        What::Joined { notify: Some(JoinReason::OldAcknowledgement), .. } => "joined: old acknowledgement",
        What::Recovered { .. } => "recovered",
        What::PageOwed { .. } => "page",
        What::Delivered { .. } => "delivered",
        What::Undeliverable { .. } => "undeliverable",
        What::Acknowledged => "acknowledged",
        What::Escalated { .. } => "escalated",
        What::EscalationDue { .. } => "timer",
        What::EscalationEnded => "escalation ended",
        What::Noted { .. } => "noted",
        What::Resolved { how: Resolution::Recovered } => "resolved: recovered",
        What::Resolved { how: Resolution::ByPerson } => "resolved: by a person",
        What::Reopened { why: ReopenReason::FiredAgain } => "open again: fired",
        What::Reopened { why: ReopenReason::StillHolds } => "open again: still holds",
    }
}

fn written(message: &Message, now: Timestamp) -> String {
    let late = match message.due.since(now) {
        Duration::ZERO => String::new(),
        span => format!(" in {}", crate::words::duration(span)),
    };
    match message.kind {
        MessageKind::Root => format!("root {}{late}", message.to),
        MessageKind::Again => format!("again {}{late}", message.to),
        MessageKind::Direct => format!("direct {}{late}", message.to),
        MessageKind::Thread { broadcast: true, .. } => format!("broadcast{late}"),
        MessageKind::Thread { broadcast: false, .. } => format!("thread{late}"),
        MessageKind::Edit => format!("edit{late}"),
    }
}
