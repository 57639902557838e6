//! What a message says: the stored incident and what is known now, rendered at the moment of sending.

use std::collections::BTreeSet;

use burnward_core::{
    escalation,
    id::{PageId, PersonName},
    incident::{Actor, Incident, MessageKind, PageOutcome, Phase},
    oncall::Recipient,
    timeline,
};

use super::{Inner, MAX_REMEMBERED, attempt::Mark};
use crate::{
    config::Config,
    notify::{
        Sent,
        slack::{Body, Buttons, PageParts, Slack, page},
    },
    render::{PageContext, PageInput, SlackMrkdwn, TimelineContext},
    store::{Owed, StoreError, StoredIncident},
};

impl Inner {
    /// The body of a message.
    pub(super) async fn body(&self, slack: &Slack, owed: &Owed, stored: &StoredIncident, mark: Mark) -> Result<Body, StoreError> {
        match &owed.message.kind {
            MessageKind::Root | MessageKind::Again | MessageKind::Direct | MessageKind::Edit => self.page(slack, owed, stored, mark).await,
            MessageKind::Thread { seq, .. } => Ok(self.thread(owed, stored, *seq)),
        }
    }

    async fn page(&self, slack: &Slack, owed: &Owed, stored: &StoredIncident, mark: Mark) -> Result<Body, StoreError> {
        let incident = &stored.incident;
        let reference = slack.key(&self.handle.store).await?.seal(&owed.tenant, &incident.id);
        let guide = self.handle.guide(incident).unwrap_or_default();
        let texts = self.renderer.page(&self.context(owed, incident, &guide.steps).await);
        let mention = match owed.message.kind {
            MessageKind::Again if incident.is_open() => self.mention(slack, incident).await,
            MessageKind::Again | MessageKind::Root | MessageKind::Direct | MessageKind::Edit | MessageKind::Thread { .. } => None,
        };
        Ok(page(&PageParts {
            texts,
            buttons: Buttons::of(&incident.phase, incident.fault.urgency),
            reference,
            resolve_question: resolve_question(incident),
            links: self.links(incident, guide.runbook.as_deref()),
            mention,
            repeat: mark == Mark::Repeat,
            page: owed.message.id.clone(),
        }))
    }

    async fn context(&self, owed: &Owed, incident: &Incident, steps: &[String]) -> PageContext {
        let budgets = self.handle.budgets_in(incident).await;
        let view = self.handle.view.borrow().clone();
        let message = match owed.message.kind {
            MessageKind::Edit | MessageKind::Thread { .. } => None,
            MessageKind::Root | MessageKind::Again | MessageKind::Direct => Some(&owed.message),
        };
        let decided_at = if message.is_some() { owed.decided_at } else { incident.opened_at };
        PageContext::new(&PageInput {
            incident,
            message,
            decided_at,
            view: &view,
            budgets: &budgets,
            config: &self.handle.config,
            impacts: &[],
            steps,
            now: self.handle.clock.now(),
        })
    }

    /// One entry of the thread, with the numbers that were true right after it.
    fn thread(&self, owed: &Owed, stored: &StoredIncident, seq: u32) -> Body {
        let entries = timeline::entries(&stored.incident, &stored.events);
        let text = match entries.iter().find(|entry| entry.seq == seq) {
            Some(entry) => self.renderer.thread(&TimelineContext::new(entry, self.handle.clock.now())),
            None => SlackMrkdwn::literal("(this entry is no longer in the store)"),
        };
        Body::text(text, owed.message.id.clone())
    }

    /// Where the incident is shown, and its runbook.
    fn links(&self, incident: &Incident, runbook: Option<&str>) -> Vec<(url::Url, &'static str)> {
        let open = (format!("incidents/{}", incident.id), "Open");
        let runbook = runbook.map(|name| (format!("runbooks/{name}"), "Runbook"));
        [Some(open), runbook].into_iter().flatten().filter_map(|(path, label)| Some((self.address(&path, incident)?, label))).collect()
    }

    fn address(&self, path: &str, incident: &Incident) -> Option<url::Url> {
        let config = &self.handle.config;
        let mut url = url::Url::parse(&format!("{}/{path}", config.external_url.trim_end_matches('/'))).ok()?;
        if config.tenants.len() > 1 {
            url.query_pairs_mut().append_pair("tenant", incident.tenant.as_str());
        }
        Some(url)
    }

    /// Mentions of the people who are paged now and of the one who has it; one whom Slack does not know is not mentioned.
    async fn mention(&self, slack: &Slack, incident: &Incident) -> Option<SlackMrkdwn> {
        let config = &self.handle.config;
        let team = config.teams.get(&incident.team).cloned().unwrap_or_else(|| config.operators.team());
        let mut mentions: Option<SlackMrkdwn> = None;
        let paged = escalation::outlook(incident, &team).paged.into_iter().filter_map(|recipient| match recipient {
            Recipient::Person(name) => Some(name),
            Recipient::Channel(_) => None,
        });
        for name in paged.chain(holder(incident, config)).collect::<BTreeSet<_>>() {
            if let Ok(user) = slack.user(&name, config.people.get(&name)).await {
                let one = SlackMrkdwn::mention(&user);
                mentions = Some(mentions.map_or_else(|| one.clone(), |all| all.then(&SlackMrkdwn::literal(" ")).then(&one)));
            }
        }
        mentions
    }

    /// What came of an edit together with the copies: what is waited for is tried again as a whole, because an edit is the same however often it is made.
    pub(super) async fn with_copies(&self, slack: &Slack, stored: &StoredIncident, body: &Body, root: Sent) -> Sent {
        match root {
            Sent::Delivered(_) | Sent::Permanent { .. } => self.edit_copies(slack, stored, body).await.unwrap_or(root),
            Sent::Retry { .. } | Sent::Ambiguous { .. } => root,
        }
    }

    /// Every other post of the incident follows its state as the root does, so that none offers a button that no longer fits: direct messages, posts
    /// that called again, other channels. What shows the state already is left alone. `Some` where one has to wait.
    async fn edit_copies(&self, slack: &Slack, stored: &StoredIncident, body: &Body) -> Option<Sent> {
        let incident = &stored.incident;
        for (id, page) in incident.pages.iter().filter(|(id, _)| incident.root.as_ref() != Some(id)) {
            let PageOutcome::Delivered { message, .. } = &page.outcome else { continue };
            if self.state().shown.get(id) == Some(&incident.phase) {
                continue;
            }
            slack.edit_turn().await;
            match slack.edit(message, &Body { page: id.clone(), ..body.clone() }).await {
                Sent::Delivered(_) => {}
                Sent::Permanent { reason, .. } => tracing::info!(page = %id, reason, "a message still shows an earlier state"),
                waits @ (Sent::Retry { .. } | Sent::Ambiguous { .. }) => return Some(waits),
            }
            self.shows(id, &incident.phase);
        }
        None
    }

    /// Remembers which state a post shows.
    pub(super) fn shows(&self, page: &PageId, phase: &Phase) {
        let mut state = self.state();
        if state.shown.len() >= MAX_REMEMBERED {
            state.shown.clear();
        }
        state.shown.insert(page.clone(), phase.clone());
    }
}

fn resolve_question(incident: &Incident) -> String {
    format!("{} ends for everybody. If an alert still holds in 10 min, it is open again and says so.", incident.id)
}

/// The configured person who has an incident; `None` where nobody has it, or somebody of whom the configuration knows nothing.
fn holder(incident: &Incident, config: &Config) -> Option<PersonName> {
    match &incident.phase {
        Phase::Acknowledged { by: Actor::Person { name, .. }, .. } => {
            config.people.keys().find(|person| person.as_str() == name.as_str()).cloned()
        }
        Phase::Acknowledged { by: Actor::Daemon, .. } | Phase::Open | Phase::Resolved { .. } => None,
    }
}
