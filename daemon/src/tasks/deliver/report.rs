//! Reports that are owed: one at a time and beside the pages, so that none of these waits for one.
//!
//! | outcome | what follows |
//! |---|---|
//! | delivered | it ends |
//! | surely not sent | again, at most a minute later, for three days |
//! | perhaps sent | it is looked for twice; where it stands it ends, else it is sent again and says that it may be a repeat |
//! | refused as built | once as plain text |
//! | the channel is gone or closed, or three days passed | it ends, and the operators' channel is told |
//!
//! What it says is gathered when it is sent. While history is being read that burnward missed, it waits for that, at most an hour.

use std::time::Duration;

use burnward_core::{
    id::TenantId,
    oncall::Recipient,
    time::{Timestamp, days, hours},
};
use tracing::{error, info, warn};

use super::{
    Deliver, Inner,
    attempt::{LOOK_AFTER, is_class, pause, reason},
};
use crate::{
    calendar::zones::{self, Found},
    notify::{
        PermanentClass, Sent,
        slack::{Body, LookedBack, Place, ReportParts, Slack, report},
    },
    render::{ReportPostContext, SlackMrkdwn},
    report::{Asked, Asof, CivilWeek, ReportError, Weekly, Which, gather},
    store::{AttemptOutcome, OwedReport, StoreError},
};

/// Most reports that are looked at at a time.
const MAX_DUE: usize = 100;
/// How long it is tried.
const TRIED_FOR: Duration = days(3);
/// How long it waits for history.
const WAITS_FOR: Duration = hours(1);
/// How long until it is looked again whether history is there.
const HISTORY_PAUSE: Duration = Duration::from_secs(10);

impl Deliver {
    /// Sends the reports that are due, one after another, where none is being sent.
    pub(super) fn start_reports(&self, now: Timestamp) {
        let Some(slack) = self.0.slack.clone() else { return };
        if std::mem::replace(&mut self.0.state().reporting, true) {
            return;
        }
        let inner = self.0.clone();
        self.0.workers.spawn(async move {
            if let Err(error) = inner.reports(&slack, now).await {
                warn!(%error, "a report waits, because the store does");
            }
            inner.state().reporting = false;
        });
    }
}

/// How far a report got.
enum Step {
    /// What came of it.
    Ends(AttemptOutcome),
    /// It was sent, or is about to be.
    Sent(Sent),
    /// It is no longer owed.
    Gone,
}

impl Inner {
    async fn reports(&self, slack: &Slack, now: Timestamp) -> Result<(), StoreError> {
        for owed in self.handle.store.due_reports(now, MAX_DUE).await? {
            let outcome = match self.report(slack, &owed).await? {
                Step::Ends(outcome) => outcome,
                Step::Sent(sent) => self.outcome(&owed, sent),
                Step::Gone => continue,
            };
            self.told(slack, &owed, &outcome).await;
            self.handle.store.finish_attempt(&owed.tenant, &owed.report.page, outcome, self.handle.clock.now()).await?;
        }
        Ok(())
    }

    async fn report(&self, slack: &Slack, owed: &OwedReport) -> Result<Step, StoreError> {
        if self.reads_history(&owed.tenant) && self.handle.clock.now().since(owed.decided_at) < WAITS_FOR {
            return Ok(Step::Ends(self.again(HISTORY_PAUSE, "history is being read")));
        }
        let Recipient::Channel(channel) = &owed.report.to else { return Ok(Step::Ends(dropped("it is not for a channel"))) };
        let place = slack.channel(channel).await;
        let repeat = match self.look(slack, owed, &place).await {
            Ok(repeat) => repeat,
            Err(outcome) => return Ok(Step::Ends(outcome)),
        };
        let weekly = match self.gathered(owed).await {
            Ok(weekly) => weekly,
            Err(NoReport::Never(why)) => return Ok(Step::Ends(dropped(&why))),
            Err(NoReport::Store(error)) => return Err(error),
        };
        let body = self.post(owed, &weekly, repeat);
        slack.turn(&place).await;
        if !self.handle.store.begin_attempt(&owed.tenant, &owed.report.page, self.handle.clock.now()).await? {
            return Ok(Step::Gone);
        }
        let sent = slack.post(&place, None, &body).await;
        if !is_class(&sent, PermanentClass::Content) {
            return Ok(Step::Sent(sent));
        }
        error!(page = %owed.report.page, reason = reason(&sent), "Slack refuses a report as we built it, plain text is sent");
        Ok(Step::Sent(slack.post(&place, None, &body.plain()).await))
    }

    /// Whether the tenant's source is being read for what was missed, or was not yet read.
    fn reads_history(&self, tenant: &TenantId) -> bool {
        let view = self.handle.view.borrow();
        view.sources
            .iter()
            .any(|((of, _), source)| of == tenant && source.blind.is_none() && (source.catching_up || source.last_good.is_none()))
    }

    /// Looks for a report that may have arrived: whether it is sent as a repeat, or what came of it.
    async fn look(&self, slack: &Slack, owed: &OwedReport, place: &Place) -> Result<bool, AttemptOutcome> {
        if !owed.ambiguous {
            return Ok(false);
        }
        let page = &owed.report.page;
        match slack.look_back(place, None, page).await {
            LookedBack::Found(at) => Err(AttemptOutcome::Delivered(at)),
            LookedBack::NotFound if self.state().looked.insert(page.clone()) => {
                Err(self.unknown_report("it was not found at the first look"))
            }
            LookedBack::NotFound => Ok(true),
            LookedBack::Impossible(reason) => {
                warn!(%page, reason, "whether a report arrived cannot be looked up");
                Ok(true)
            }
        }
    }

    /// The report of the last whole week before its firing, with what is known now.
    async fn gathered(&self, owed: &OwedReport) -> Result<Weekly, NoReport> {
        let report = &owed.report;
        let zone = match zones::find(&report.timezone) {
            Found::Zone(zone) | Found::Renamed(zone) => zone,
            Found::Unknown { .. } => return Err(NoReport::Never(format!("there is no time zone `{}`", report.timezone))),
        };
        let week = CivilWeek::of(&Which::LastWhole, &zone, report.fired_at).map_err(|error| NoReport::Never(error.to_string()))?;
        let asked = Asked { tenant: owed.tenant.clone(), team: report.team.clone(), week, known: Asof::default() };
        gather(&self.handle, asked).await.map_err(|error| match error {
            ReportError::NoTeam(_) => NoReport::Never(error.to_string()),
            ReportError::Store(error) => NoReport::Store(error),
        })
    }

    fn post(&self, owed: &OwedReport, weekly: &Weekly, repeat: bool) -> Body {
        let context = ReportPostContext::new(weekly, owed.report.fired_at, owed.report.missed, self.handle.clock.now());
        let link = self.report_address(weekly);
        report(ReportParts { texts: self.renderer.report_post(&context), link, repeat, page: owed.report.page.clone() })
    }

    fn report_address(&self, weekly: &Weekly) -> Option<url::Url> {
        let config = &self.handle.config;
        let mut url = url::Url::parse(&format!("{}/reports/week", config.external_url.trim_end_matches('/'))).ok()?;
        let tenant = (config.tenants.len() > 1).then_some(("tenant", weekly.tenant.as_str()));
        let team = weekly.team.as_ref().map(|team| ("team", team.as_str()));
        let week = [("week", weekly.week.name.as_str()), ("timezone", weekly.week.zone.as_str())];
        url.query_pairs_mut().extend_pairs(tenant.into_iter().chain(team).chain(week));
        Some(url)
    }

    fn outcome(&self, owed: &OwedReport, sent: Sent) -> AttemptOutcome {
        let is_old = self.handle.clock.now().since(owed.decided_at) > TRIED_FOR;
        match sent {
            Sent::Delivered(at) => AttemptOutcome::Delivered(at),
            Sent::Ambiguous { reason } => self.unknown_report(&reason),
            Sent::Retry { reason, .. } | Sent::Permanent { reason, class: PermanentClass::App } if is_old => dropped(&reason),
            Sent::Retry { after, reason } => self.again(pause(after, owed.attempts), &reason),
            Sent::Permanent { reason, class: PermanentClass::App } => self.again(pause(None, u32::MAX), &reason),
            Sent::Permanent { reason, class: PermanentClass::Destination | PermanentClass::Content | PermanentClass::MessageGone } => {
                dropped(&reason)
            }
        }
    }

    fn again(&self, pause: Duration, reason: &str) -> AttemptOutcome {
        AttemptOutcome::Retry { at: self.handle.clock.now().plus(pause), reason: reason.to_owned() }
    }

    fn unknown_report(&self, reason: &str) -> AttemptOutcome {
        AttemptOutcome::Ambiguous { at: self.handle.clock.now().plus(LOOK_AFTER), reason: reason.to_owned() }
    }

    /// Says what came of a report; of one that cannot arrive in the operators' channel, too.
    async fn told(&self, slack: &Slack, owed: &OwedReport, outcome: &AttemptOutcome) {
        let (page, to) = (&owed.report.page, &owed.report.to);
        match outcome {
            AttemptOutcome::Delivered(_) => {
                self.state().looked.remove(page);
                info!(%page, %to, "report delivered");
            }
            AttemptOutcome::Retry { reason, .. } | AttemptOutcome::Ambiguous { reason, .. } => {
                info!(%page, %to, attempts = owed.attempts, reason, "a report waits");
            }
            AttemptOutcome::Dropped { reason } => {
                error!(%page, %to, reason, "a report cannot be delivered");
                let place = slack.channel(&self.handle.config.operators.channel).await;
                slack.turn(&place).await;
                if let Sent::Retry { reason, .. } | Sent::Permanent { reason, .. } = slack.post(&place, None, &lost(owed, reason)).await {
                    warn!(%page, reason, "the operators could not be told of it");
                }
            }
        }
    }
}

/// Why there is no report to send.
enum NoReport {
    /// There never will be.
    Never(String),
    /// The store cannot say.
    Store(StoreError),
}

fn dropped(reason: &str) -> AttemptOutcome {
    AttemptOutcome::Dropped { reason: reason.to_owned() }
}

/// What the operators are told of a report that cannot arrive.
fn lost(owed: &OwedReport, reason: &str) -> Body {
    let whose = owed.report.team.as_ref().map_or_else(|| "all teams".to_owned(), ToString::to_string);
    let told = format!("the weekly report of {whose} could not be posted to {}: {reason}. It is at /reports/week.", owed.report.to);
    Body::text(SlackMrkdwn::literal("\u{25B2} burnward: ").then(&SlackMrkdwn::value(&told)), owed.report.page.clone())
}
