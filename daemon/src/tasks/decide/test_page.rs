//! A page marked TEST: an incident in which nothing is at fault, so that the whole way to a person can be tried.

use burnward_core::{
    id::{IncidentId, PersonName, ServiceName, TenantId},
    incident::{Actor, AlertKey, Answer, Command, Facts, FaultKey, Kind, Subject, TestFacts, What},
    oncall::{Recipient, Step, Team},
    slo::Urgency,
    time::{Timestamp, minutes},
};

use super::{Decider, book::operators, draft::Draft};
use crate::{app::RequestError, config::Config};

impl Decider {
    /// Opens a test incident that pages one person, or the operators' first step.
    pub(super) async fn test_page(
        &mut self,
        person: Option<PersonName>,
        by: &Actor,
        now: Timestamp,
    ) -> Result<(TenantId, IncidentId), RequestError> {
        let team = team(&self.config, person)?;
        let book = self.books.values().next().ok_or_else(|| RequestError::Refused("no tenant is configured".to_owned()))?;
        let tenant = book.tenant.clone();
        let subject = Subject::Service(ServiceName::parse("burnward").expect("`burnward` keeps to the alphabet of names"));
        let fault = FaultKey { subject, kind: Kind::Test, urgency: Urgency::Page };
        let facts = Facts::Test(TestFacts { by: by.to_string(), at: now });
        let mut draft = Draft::new(book, &self.config, now);
        let answer = draft.command_to_fault(&fault, &team, &Command::Fire { fault: fault.clone(), alert: AlertKey::Test, facts }, by);
        if !opened(&answer) {
            return Err(RequestError::Refused(
                "a test page waits for its acknowledgement already; it ends by itself after ten minutes".to_owned(),
            ));
        }
        let (commit, touched) = draft.finish();
        let incident = commit.events.first().map(|event| event.incident.clone()).expect("an incident that opened has an event");
        self.commit_whole(&commit).await.map_err(|error| RequestError::Store(error.to_string()))?;
        self.absorb(&tenant, touched, now);
        Ok((tenant, incident))
    }
}

fn opened(answer: &Answer) -> bool {
    match answer {
        Answer::Events(events) => events.iter().any(|what| matches!(what, What::Opened { .. })),
        Answer::Already { .. } => false,
    }
}

/// The operators' channel, with the person as the only step.
fn team(config: &Config, person: Option<PersonName>) -> Result<Team, RequestError> {
    let operators = operators(config);
    let page = match person {
        Some(person) if config.people.contains_key(&person) => vec![Recipient::Person(person)],
        Some(person) => return Err(RequestError::Refused(format!("there is no person `{person}` in burnward.yaml"))),
        None => operators.escalation.first().map(|step| step.page.clone()).unwrap_or_default(),
    };
    let step = Step { page, acknowledge_within: minutes(10) };
    Ok(Team { escalation: vec![step], ..operators })
}
