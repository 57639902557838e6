//! What the web, Slack and the tasks hold of the running daemon: what it knows, and the way to the task that decides.

use std::{
    collections::{BTreeMap, BTreeSet},
    iter,
    sync::Arc,
};

use burnward_core::{
    evaluate::BudgetStatus,
    exclusion::{ExclusionId, Known},
    id::{BudgetId, Group, IncidentId, PersonName, SloId, TenantId},
    incident::{Actor, Answer, Command, Incident, Kind},
    ledger::{Counts, Edges, FirstValuesWithin, Image, Late, Replica, Slice},
    slo::Slo,
    time::Timestamp,
    window::Interval,
};
use tokio::sync::{Notify, mpsc, oneshot, watch};

use super::{Request, RequestError};
use crate::{
    clock::Clock,
    config::{Config, OnDisk},
    definition::{Removals, looks::Looks, runbook},
    metrics::Metrics,
    source::Source,
    store::{Store, StoreError},
    tasks::decide::{
        BackfillAnswers, BehindPlan, CorrectionAsked, FalsePositive, Own, PastAsked, PastBudget, ReadPlan, RoundAnswers, SecondAnswers,
        SlicesAsked,
    },
    view::View,
};

/// What the web, Slack and the tasks hold of the running daemon.
#[derive(Debug, Clone)]
pub struct Handle {
    /// What is known now.
    pub view: watch::Receiver<Arc<View>>,
    /// The store; readers use it directly, decisions go through `command`.
    pub store: Store,
    /// The clock.
    pub clock: Clock,
    /// The configuration.
    pub config: Arc<Config>,
    /// Where it lies; `None` where it lies in no file.
    pub on_disk: Option<Arc<OnDisk>>,
    /// Our own metrics.
    pub metrics: Metrics,
    /// The mailbox of the one task that decides.
    pub requests: mpsc::Sender<Request>,
    /// Told when messages are owed.
    pub wake_delivery: Arc<Notify>,
    /// Where each tenant's samples come from; whoever asks why may ask there, decisions never do.
    pub sources: Arc<BTreeMap<TenantId, Arc<Source>>>,
    /// How the files lay of which the definitions were loaded last.
    pub loaded: Arc<watch::Sender<Looks>>,
}

/// What to do first.
#[derive(Debug, Clone, Default)]
pub struct Guide {
    /// The runbook's file.
    pub runbook: Option<String>,
    /// Its first steps, in Markdown.
    pub steps: Vec<String>,
}

impl Handle {
    /// Sends a command to an incident and waits for its outcome; it is committed when this returns.
    pub async fn command(&self, tenant: &TenantId, incident: &IncidentId, command: Command, by: Actor) -> Result<Answer, RequestError> {
        let (tenant, incident, now) = (tenant.clone(), incident.clone(), self.clock.now());
        self.ask(|reply| Request::Incident { tenant, incident, command, by, now, reply }).await?
    }

    /// Takes time out of budgets, or takes that back; it is committed when this returns.
    pub async fn correct(&self, tenant: &TenantId, asked: CorrectionAsked, by: Actor) -> Result<ExclusionId, RequestError> {
        let (tenant, now) = (tenant.clone(), self.clock.now());
        self.ask(|reply| Request::Correct { tenant, asked, by, now, reply }).await?
    }

    /// Records that an incident was a false positive; the exclusions that give back what it spent.
    pub async fn false_positive(&self, tenant: &TenantId, asked: FalsePositive, by: Actor) -> Result<Vec<ExclusionId>, RequestError> {
        let (tenant, now) = (tenant.clone(), self.clock.now());
        self.ask(|reply| Request::FalsePositive { tenant, asked, by, now, reply }).await?
    }

    /// Loads the definitions again; answers with a sentence that says what runs now, and which keys of burnward.yaml wait for a restart.
    pub async fn reload(&self, removals: Removals) -> Result<String, RequestError> {
        // Looked at before they are read: what is saved meanwhile is news.
        let files = self.files().await;
        let now = self.clock.now();
        let sentence = self.ask(|reply| Request::Reload { removals, now, reply }).await??;
        if let Some(files) = files {
            self.loaded.send_replace(files);
        }
        Ok(iter::once(sentence).chain(self.waiting().await).collect::<Vec<_>>().join("; "))
    }

    /// What of burnward.yaml waits for a restart, in a sentence; `None` where nothing does.
    async fn waiting(&self) -> Option<String> {
        let on_disk = self.on_disk.clone()?;
        tokio::task::spawn_blocking(move || on_disk.waiting().sentence()).await.ok().flatten()
    }

    /// How the files of the definitions lie now; `None` where the daemon is stopping.
    pub async fn files(&self) -> Option<Looks> {
        let config = self.config.clone();
        tokio::task::spawn_blocking(move || Looks::of_definitions(&config)).await.ok()
    }

    /// Sends a page marked TEST.
    pub async fn test_page(&self, person: Option<PersonName>, by: Actor) -> Result<(TenantId, IncidentId), RequestError> {
        let now = self.clock.now();
        self.ask(|reply| Request::TestPage { person, by, now, reply }).await?
    }

    /// The counted slices of a budget that cover a stretch.
    pub async fn slices(&self, asked: SlicesAsked, known: Known) -> Result<Vec<Slice>, StoreError> {
        let late = self.late(&asked.budget.slo.tenant, [known]).await?;
        Ok(self.ask(|reply| Request::Slices { asked, known, late, reply }).await.unwrap_or_default())
    }

    /// What was found late since the first moment of which is asked what was known then.
    pub async fn late(&self, tenant: &TenantId, known: impl IntoIterator<Item = Known>) -> Result<Vec<Late>, StoreError> {
        let known_then = known.into_iter().filter_map(|known| match known {
            Known::Now => None,
            Known::By(then) => Some(then),
        });
        let source = self.config.tenants.get(tenant).map(|tenant| &tenant.source);
        match known_then.min().zip(source) {
            Some((since, source)) => self.store.late(tenant, source, since).await,
            None => Ok(Vec::new()),
        }
    }

    /// How budgets stood at moments of the past.
    pub async fn past(&self, tenant: &TenantId, asked: PastAsked) -> Result<Vec<PastBudget>, StoreError> {
        // What came late of a stretch was recorded behind its beginning.
        let of_stretch = asked.slices.map(|over| Known::By(over.from));
        let late = self.late(tenant, asked.moments.iter().map(|moment| moment.known).chain(of_stretch)).await?;
        let tenant = tenant.clone();
        Ok(self.ask(|reply| Request::Past { tenant, asked, late, reply }).await.unwrap_or_default())
    }

    /// All budgets of a tenant as they stood in the last round, worst first; none before the first one. They are made when somebody asks, and once a round.
    ///
    /// # Errors
    /// The daemon is stopping.
    pub async fn budgets(&self, tenant: &TenantId) -> Result<Arc<Vec<BudgetStatus>>, RequestError> {
        let tenant = tenant.clone();
        self.ask(|reply| Request::Budgets { tenant, reply }).await
    }

    /// The same of one SLO.
    ///
    /// # Errors
    /// The daemon is stopping.
    pub async fn budgets_of(&self, slo: &SloId) -> Result<Vec<BudgetStatus>, RequestError> {
        let slo = slo.clone();
        self.ask(|reply| Request::BudgetsOf { slo, reply }).await
    }

    /// The budgets of an incident, among others, as they stood in the last round. Nobody is waited for where the incident is at hand, nor where it was opened
    /// so lately that the view does not know it: its own figures are as new. None where the daemon is stopping.
    pub async fn budgets_in(&self, incident: &Incident) -> Arc<BTreeMap<BudgetId, BudgetStatus>> {
        let at_hand = self.view.borrow().at_hand.get(&incident.tenant).cloned().unwrap_or_default();
        if at_hand.incidents.contains(&incident.id) || incident.is_open() {
            return Arc::clone(&at_hand.budgets);
        }
        let mut budgets = BTreeMap::new();
        for slo in incident.slos() {
            let own = self.budgets_of(slo).await.unwrap_or_default();
            budgets.extend(own.into_iter().map(|status| (status.budget.clone(), status)));
        }
        Arc::new(budgets)
    }

    /// What of the source's answers is counted for a group of an SLO; `None` where nobody can tell.
    pub async fn own(&self, slo: &SloId, group: &Group) -> Option<Own> {
        let (slo, group) = (slo.clone(), group.clone());
        self.ask(|reply| Request::Own { slo, group, reply }).await.ok().flatten()
    }

    /// How the first values of a budget's counters were taken that came within each of these stretches; none where nobody can tell.
    pub async fn first_values(&self, budget: &BudgetId, stretches: Vec<Interval>) -> Vec<FirstValuesWithin> {
        let budget = budget.clone();
        self.ask(|reply| Request::FirstValues { budget, stretches, reply }).await.unwrap_or_default()
    }

    /// What was counted of a budget over `(from, to]`, and how many events may have happened in unseen time of it.
    pub async fn between(&self, budget: &BudgetId, from: Timestamp, to: Timestamp) -> Option<(Counts, i64)> {
        let budget = budget.clone();
        self.ask(|reply| Request::Between { budget, from, to, reply }).await.ok().flatten()
    }

    /// The edges that no roll-up of a tenant's ledger may cross; `None` where nobody can tell.
    pub(crate) async fn edges(&self, tenant: &TenantId) -> Option<Edges> {
        let tenant = tenant.clone();
        self.ask(|reply| Request::Edges { tenant, reply }).await.ok().flatten()
    }

    /// What the memory holds of a part of a tenant's ledger, the first that is none of these; `None` where there is none, or nobody can tell.
    pub(crate) async fn image(&self, tenant: &TenantId, but: &BTreeSet<u32>) -> Option<Image> {
        let (tenant, but) = (tenant.clone(), but.clone());
        self.ask(|reply| Request::Image { tenant, but, reply }).await.ok().flatten()
    }

    /// The runbook of the worst SLO of an incident that has one, with its first steps; none for blindness, whose cause is elsewhere.
    pub fn guide(&self, incident: &Incident) -> Option<Guide> {
        match incident.fault.kind {
            Kind::Burn => self.slo_with_runbook(incident).and_then(|slo| self.guide_of(&slo)),
            Kind::CannotSee | Kind::Test => None,
        }
    }

    fn slo_with_runbook(&self, incident: &Incident) -> Option<Arc<Slo>> {
        let worst = incident.harm().map(|harm| harm.slo.clone());
        let all = worst.into_iter().chain(incident.slos().iter().cloned());
        let view = self.view.borrow();
        all.filter_map(|id| view.slos.get(&id).cloned()).find(|slo| slo.runbook.is_some())
    }

    fn guide_of(&self, slo: &Slo) -> Option<Guide> {
        let directory = self.config.tenants.get(&slo.id.tenant)?.runbooks.as_deref()?;
        let name = slo.runbook.as_deref()?;
        match runbook::read(directory, name) {
            Ok(runbook) => Some(Guide { runbook: Some(name.to_owned()), steps: runbook.first_steps }),
            Err(error) => {
                tracing::warn!(slo = %slo.id, %error, "the runbook of an incident cannot be read; it is shown without its steps");
                None
            }
        }
    }

    pub(crate) async fn plan(&self, tenant: &TenantId, now: Timestamp, replica: Option<Replica>) -> Option<ReadPlan> {
        let tenant = tenant.clone();
        self.ask(|reply| Request::Plan { tenant, now, replica, reply }).await.ok().flatten()
    }

    pub(crate) async fn plan_behind(&self, tenant: &TenantId, now: Timestamp, replica: Option<Replica>) -> Option<BehindPlan> {
        let tenant = tenant.clone();
        self.ask(|reply| Request::PlanBehind { tenant, now, replica, reply }).await.ok().flatten()
    }

    pub(crate) async fn answers(&self, answers: RoundAnswers) -> bool {
        self.ask(|reply| Request::Answers { answers: Box::new(answers), reply }).await.unwrap_or(false)
    }

    pub(crate) async fn backfill(&self, answers: BackfillAnswers) -> bool {
        self.ask(|reply| Request::Backfill { answers: Box::new(answers), reply }).await.unwrap_or(false)
    }

    pub(crate) async fn second(&self, answers: SecondAnswers) {
        drop(self.ask(|taken| Request::Second { answers: Box::new(answers), taken }).await);
    }

    pub(crate) async fn probed(&self, tenant: &TenantId, product: String, skew_millis: Option<i64>) {
        drop(self.requests.send(Request::Probed { tenant: tenant.clone(), product, skew_millis }).await);
    }

    /// Runs the timers that are due; when the next one is.
    pub(crate) async fn timers(&self) -> Option<Timestamp> {
        let now = self.clock.now();
        self.ask(|reply| Request::Timers { now, reply }).await.ok().flatten()
    }

    async fn ask<T>(&self, request: impl FnOnce(oneshot::Sender<T>) -> Request) -> Result<T, RequestError> {
        let (reply, answer) = oneshot::channel();
        self.requests.send(request(reply)).await.map_err(|_| RequestError::Stopping)?;
        answer.await.map_err(|_| RequestError::Stopping)
    }
}
