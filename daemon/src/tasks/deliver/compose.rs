//! What a message says: the stored incident and what is known now, rendered at the moment of sending.

use std::collections::BTreeSet;

use burnward_core::{
    escalation,
    id::PersonName,
    incident::{Actor, Incident, Kind, MessageKind, Phase, Standing},
    oncall::Recipient,
    timeline, words,
};

use super::{Inner, attempt::Mark};
use crate::{
    config::Config,
    notify::slack::{Body, Buttons, Controls, Kept, PageParts, Slack, page},
    render::{PageContext, PageInput, Precision, SlackMrkdwn, TimelineContext},
    store::{Owed, Post, PostWords, StoreError, StoredIncident},
};

impl Inner {
    /// The body of a message, and the words that it keeps: those of a post beside the root.
    pub(super) async fn body(
        &self,
        slack: &Slack,
        owed: &Owed,
        stored: &StoredIncident,
        mark: Mark,
    ) -> Result<(Body, Option<PostWords>), StoreError> {
        match &owed.message.kind {
            MessageKind::Root | MessageKind::Edit => Ok((self.page(slack, owed, stored, mark).await?.0, None)),
            MessageKind::Again | MessageKind::Direct => {
                let (body, kept) = self.page(slack, owed, stored, mark).await?;
                let shows = stored.incident.standing_of(&owed.message.id).key();
                Ok((body, Some(PostWords { words: kept.text(), shows })))
            }
            MessageKind::Thread { seq, .. } => Ok((self.thread(owed, stored, *seq), None)),
        }
    }

    async fn page(&self, slack: &Slack, owed: &Owed, stored: &StoredIncident, mark: Mark) -> Result<(Body, Kept), StoreError> {
        let incident = &stored.incident;
        let guide = self.handle.guide(incident).unwrap_or_default();
        let texts = self.renderer.page(&self.context(owed, incident, &guide.steps).await);
        let mention = match owed.message.kind {
            MessageKind::Again if incident.is_open() => self.mention(slack, incident).await,
            MessageKind::Again | MessageKind::Root | MessageKind::Direct | MessageKind::Edit | MessageKind::Thread { .. } => None,
        };
        Ok(page(&PageParts {
            texts,
            controls: self.controls(slack, owed, incident, Buttons::of(&incident.phase, incident.fault.urgency)).await?,
            links: self.links(incident, guide.runbook.as_deref()),
            mention,
            repeat: mark == Mark::Repeat,
            page: owed.message.id.clone(),
        }))
    }

    async fn controls(&self, slack: &Slack, owed: &Owed, incident: &Incident, buttons: Buttons) -> Result<Controls, StoreError> {
        let reference = slack.key(&self.handle.store).await?.seal(&owed.tenant, &incident.id);
        Ok(Controls { buttons, reference, resolve_question: resolve_question(incident) })
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

    /// A post in the words it was posted with, and the state of now. One whose words were not kept shows what the root does.
    pub(super) async fn in_its_words(&self, slack: &Slack, owed: &Owed, stored: &StoredIncident, post: &Post) -> Result<Body, StoreError> {
        let incident = &stored.incident;
        let standing = incident.standing_of(&post.page);
        let Some(kept) = post.words.as_deref().and_then(Kept::read) else {
            let (body, _) = self.page(slack, owed, stored, Mark::None).await?;
            return Ok(Body { page: post.page.clone(), ..body });
        };
        let controls = self.controls(slack, owed, incident, Buttons::of_post(standing, incident.fault.urgency)).await?;
        Ok(kept.with_state(state(standing, incident.fault.kind).as_ref(), &controls, post.page.clone()))
    }
}

/// What a post says of the state; nothing while it is as it was when it was posted.
fn state(standing: Standing<'_>, kind: Kind) -> Option<SlackMrkdwn> {
    let clock = |at| SlackMrkdwn::literal(" ").then(&SlackMrkdwn::moment(at, Precision::Minute));
    let name = |by: &Actor| SlackMrkdwn::value(&by.to_string());
    match standing {
        Standing::Waits => None,
        Standing::Taken { at, by } => Some(SlackMrkdwn::literal("◆ Acknowledged by ").then(&name(by)).then(&clock(at))),
        Standing::GoesOn { at, by, again } => Some(
            SlackMrkdwn::literal("▲ ")
                .then(&SlackMrkdwn::literal(words::goes_on(kind)))
                .then(&SlackMrkdwn::literal(", resolved by "))
                .then(&name(by))
                .then(&clock(at))
                .then(&SlackMrkdwn::literal("; opens again"))
                .then(&clock(again)),
        ),
        Standing::Over { at } => Some(SlackMrkdwn::literal("● Over").then(&clock(at))),
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
