//! The wiring: one straight function that builds everything, and the handle that web, Slack and tasks hold of the running daemon.

use std::{
    collections::{BTreeMap, BTreeSet},
    iter,
    net::SocketAddr,
    sync::Arc,
    time::Duration,
};

use anyhow::Context as _;
use burnward_core::{
    evaluate::BudgetStatus,
    exclusion::{ExclusionId, Known},
    id::{BudgetId, Group, IncidentId, PersonName, SloId, SourceName, TenantId},
    incident::{Actor, Answer, Command, Incident, Kind},
    ledger::{Counts, Edges, FirstValuesWithin, Image, Late, Replica, Slice},
    slo::Slo,
    time::Timestamp,
    window::Interval,
};
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::info;

use crate::{
    clock::Clock,
    config::{Config, OnDisk, SourceConfig},
    definition::{Removals, looks::Looks, runbook},
    metrics::Metrics,
    notify::{
        self,
        slack::{Limits, Slack},
    },
    render::{self, Renderer},
    source::{Source, replicas::Replicas, scrape::Scrape},
    store::{Store, StoreError},
    tasks::{
        self,
        decide::{
            self, BackfillAnswers, BehindPlan, CorrectionAsked, Decider, FalsePositive, Own, PastAsked, PastBudget, ReadPlan, RoundAnswers,
            SecondAnswers, SlicesAsked,
        },
        deliver::Deliver,
        read::Reader,
        report::Reports,
    },
    view::View,
    web,
};

/// How many requests wait for the deciding task before askers wait themselves.
const MAILBOX: usize = 256;

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

/// What is asked of the deciding task.
#[derive(Debug)]
pub enum Request {
    /// What is to be read for a tenant now.
    Plan {
        /// For whom.
        tenant: TenantId,
        /// Now.
        now: Timestamp,
        /// Which replica of the source will be asked, where there are several.
        replica: Option<Replica>,
        /// Where the plan goes; `None` for an unknown tenant.
        reply: oneshot::Sender<Option<ReadPlan>>,
    },
    /// What to ask a source behind the live reading.
    PlanBehind {
        /// For whom.
        tenant: TenantId,
        /// Now.
        now: Timestamp,
        /// Which replica of the source will be asked, where there are several.
        replica: Option<Replica>,
        /// Where the plan goes; `None` for an unknown tenant.
        reply: oneshot::Sender<Option<BehindPlan>>,
    },
    /// A source answered.
    Answers {
        /// What it answered.
        answers: Box<RoundAnswers>,
        /// True where more is to be read at once.
        reply: oneshot::Sender<bool>,
    },
    /// A source answered for older history.
    Backfill {
        /// What it answered.
        answers: Box<BackfillAnswers>,
        /// Whether it was taken.
        reply: oneshot::Sender<bool>,
    },
    /// A source was read again.
    Second {
        /// What it answered.
        answers: Box<SecondAnswers>,
        /// Told when it was taken.
        taken: oneshot::Sender<()>,
    },
    /// A source told what it is like.
    Probed {
        /// For whom.
        tenant: TenantId,
        /// Product and version.
        product: String,
        /// Its clock minus ours.
        skew_millis: Option<i64>,
    },
    /// Run the timers that are due.
    Timers {
        /// Now.
        now: Timestamp,
        /// When the next one is due.
        reply: oneshot::Sender<Option<Timestamp>>,
    },
    /// A command to an incident.
    Incident {
        /// Whose.
        tenant: TenantId,
        /// Which.
        incident: IncidentId,
        /// What.
        command: Command,
        /// Who.
        by: Actor,
        /// Now.
        now: Timestamp,
        /// Where the outcome goes.
        reply: oneshot::Sender<Result<Answer, RequestError>>,
    },
    /// Take time out of budgets, or take that back.
    Correct {
        /// Whose.
        tenant: TenantId,
        /// What.
        asked: CorrectionAsked,
        /// Who.
        by: Actor,
        /// Now.
        now: Timestamp,
        /// Where the outcome goes: which exclusion it is.
        reply: oneshot::Sender<Result<ExclusionId, RequestError>>,
    },
    /// Records that an incident was a false positive.
    FalsePositive {
        /// For whom.
        tenant: TenantId,
        /// What a person says of it.
        asked: FalsePositive,
        /// Who.
        by: Actor,
        /// Now.
        now: Timestamp,
        /// The exclusions.
        reply: oneshot::Sender<Result<Vec<ExclusionId>, RequestError>>,
    },
    /// Load the definitions again.
    Reload {
        /// Whether a set is taken that removes more than half of the SLOs.
        removals: Removals,
        /// Now.
        now: Timestamp,
        /// Where the outcome goes: a sentence for the person who asked.
        reply: oneshot::Sender<Result<String, RequestError>>,
    },
    /// Send a page marked TEST to a person, or to the operators' first step.
    TestPage {
        /// To whom; `None`: the operators.
        person: Option<PersonName>,
        /// Who asked.
        by: Actor,
        /// Now.
        now: Timestamp,
        /// Where the incident of the test goes.
        reply: oneshot::Sender<Result<(TenantId, IncidentId), RequestError>>,
    },
    /// The counted slices of a budget, for charts.
    Slices {
        /// Which.
        asked: SlicesAsked,
        /// With exclusions as they are known now, or as they were.
        known: Known,
        /// What was found late since.
        late: Vec<Late>,
        /// The slices.
        reply: oneshot::Sender<Vec<Slice>>,
    },
    /// How budgets stood at moments of the past, for reports.
    Past {
        /// Whose.
        tenant: TenantId,
        /// Which budgets, and when.
        asked: PastAsked,
        /// What was found late since the first moment of which is asked what was known then.
        late: Vec<Late>,
        /// The budgets.
        reply: oneshot::Sender<Vec<PastBudget>>,
    },
    /// How a tenant's budgets stand.
    Budgets {
        /// Whose.
        tenant: TenantId,
        /// All of them as of the last round, worst first.
        reply: oneshot::Sender<Arc<Vec<BudgetStatus>>>,
    },
    /// How the budgets of an SLO stand.
    BudgetsOf {
        /// Which.
        slo: SloId,
        /// Its budgets as of the last round, worst first.
        reply: oneshot::Sender<Vec<BudgetStatus>>,
    },
    /// What of the source's answers is counted for a group of an SLO.
    Own {
        /// Which SLO.
        slo: SloId,
        /// Which group.
        group: Group,
        /// What is its own; `None` for an unknown tenant.
        reply: oneshot::Sender<Option<Own>>,
    },
    /// How the first values of a budget's counters were taken.
    FirstValues {
        /// Of which budget.
        budget: BudgetId,
        /// Over which stretches.
        stretches: Vec<Interval>,
        /// Of each stretch, in their order; none where nothing is counted.
        reply: oneshot::Sender<Vec<FirstValuesWithin>>,
    },
    /// The edges that no roll-up of a tenant's ledger may cross.
    Edges {
        /// Whose.
        tenant: TenantId,
        /// The edges; `None` for an unknown tenant.
        reply: oneshot::Sender<Option<Edges>>,
    },
    /// What the memory holds of a part of a tenant's ledger.
    Image {
        /// Whose.
        tenant: TenantId,
        /// Parts that are not asked for.
        but: BTreeSet<u32>,
        /// The first of the others; `None` where there is none, or nobody can tell.
        reply: oneshot::Sender<Option<Image>>,
    },
    /// What was counted between two instants, for postmortems.
    Between {
        /// Of which budget.
        budget: BudgetId,
        /// From, exclusive.
        from: Timestamp,
        /// To, inclusive.
        to: Timestamp,
        /// The sum; `None` for an unknown stream.
        reply: oneshot::Sender<Option<(Counts, i64)>>,
    },
}

/// Why a request was not carried out.
#[derive(Debug, Clone, thiserror::Error)]
pub enum RequestError {
    /// No such incident in this tenant.
    #[error("no incident `{0}`; `burnward incident list` shows all")]
    NotFound(String),
    /// No such exclusion in this tenant.
    #[error("no exclusion {0}; `burnward exclusion list` shows all")]
    NoExclusion(ExclusionId),
    /// The store could not commit.
    #[error("nothing was changed, because the store could not commit: {0}")]
    Store(String),
    /// Not as it was asked.
    #[error("{0}")]
    Refused(String),
    /// The daemon is stopping.
    #[error("the daemon is stopping")]
    Stopping,
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

/// What is decided at the start beside the configuration.
#[derive(Debug, Clone)]
pub struct Options {
    /// The clock.
    pub clock: Clock,
    /// Whether definitions are taken that remove more than half of the last good SLOs.
    pub removals: Removals,
    /// Who moves time on.
    pub pace: Pace,
    /// Where the configuration lies; `None` where it lies in no file.
    pub on_disk: Option<OnDisk>,
}

impl Default for Options {
    fn default() -> Self {
        Self { clock: Clock::Wall, removals: Removals::Guarded, pace: Pace::Live, on_disk: None }
    }
}

/// Who moves time on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pace {
    /// Tasks run by themselves.
    #[default]
    Live,
    /// Nothing happens but by `Daemon::step`; for stories and replays.
    ByHand,
}

impl Pace {
    /// Slack's limits; where time is moved by hand nothing waits for the real one.
    fn limits(self) -> Limits {
        match self {
            Self::Live => Limits::default(),
            Self::ByHand => Limits { channel: Duration::ZERO, edit: Duration::ZERO, ..Limits::default() },
        }
    }
}

/// A running daemon.
#[derive(Debug)]
pub struct Daemon {
    /// The way in.
    pub handle: Handle,
    /// Where the pages and the API are.
    pub address: SocketAddr,
    readers: Vec<Reader>,
    scrapers: Vec<(Arc<Source>, Duration)>,
    reports: Reports,
    deliver: Deliver,
    stop: CancellationToken,
    tracker: TaskTracker,
    /// What the check of the whole store found.
    damage: watch::Sender<Option<String>>,
}

/// How long a stopping daemon waits for what is under way.
const DRAIN: Duration = Duration::from_secs(10);

impl Daemon {
    /// Builds everything and starts it.
    pub async fn start(config: Config, options: Options) -> anyhow::Result<Self> {
        let now = options.clock.now();
        let config = Arc::new(config);
        if let Some(file) = &config.token_file {
            web::access::TokenFile::warn_of(file);
        }
        let store = Store::open(&config.storage).await?;
        let metrics = Metrics::default();
        let faults = render::Faults::default();
        let wake_delivery = Arc::new(Notify::new());

        let files = Looks::of_definitions(&config);
        let loaded = decide::open_definitions(&store, &config, options.removals, now).await?;
        let parts = decide::Parts {
            config: config.clone(),
            store: store.clone(),
            metrics: metrics.clone(),
            faults: faults.clone(),
            wake_delivery: wake_delivery.clone(),
        };
        let (decider, view) = Decider::load(parts, loaded, now).await?;
        let (requests, mailbox) = mpsc::channel(MAILBOX);
        let mut scrapers = Vec::new();
        // Tenants that read one source share it: its connections, its turns, what it scraped.
        let mut by_name: BTreeMap<&SourceName, Arc<Source>> = BTreeMap::new();
        let mut sources = BTreeMap::new();
        for (tenant, tenant_config) in &config.tenants {
            if !by_name.contains_key(&tenant_config.source) {
                let source = Arc::new(source(&config, tenant_config, &metrics).with_context(|| format!("tenant {tenant}"))?);
                if let Some(SourceConfig::Scrape(scrape)) = config.sources.get(&tenant_config.source) {
                    scrapers.push((source.clone(), scrape.every));
                }
                by_name.insert(&tenant_config.source, source);
            }
            sources.insert(tenant.clone(), by_name[&tenant_config.source].clone());
        }
        let sources = Arc::new(sources);
        let handle = Handle {
            view,
            store,
            clock: options.clock.clone(),
            config: config.clone(),
            on_disk: options.on_disk.map(Arc::new),
            metrics,
            requests,
            wake_delivery,
            sources: sources.clone(),
            loaded: Arc::new(watch::Sender::new(files)),
        };
        let readers =
            sources.iter().map(|(tenant, source)| Reader::new(tenant.clone(), source.clone(), handle.clone())).collect::<Vec<_>>();
        let renderer = Renderer::load(config.templates.as_deref(), faults);
        let slack = config.slack.as_ref().map(|slack| Slack::connect_with(slack, options.pace.limits())).transpose().context("slack")?;
        let deliver = Deliver::new(handle.clone(), renderer.clone(), slack.clone());
        let reports = Reports::new(handle.clone());

        let stop = CancellationToken::new();
        let tracker = TaskTracker::new();
        tracker.spawn(decider.run(mailbox));
        let listener = tokio::net::TcpListener::bind(config.listen).await.with_context(|| format!("cannot listen on {}", config.listen))?;
        let address = listener.local_addr()?;
        let site = web::Site { handle: handle.clone(), renderer, slack: slack.clone() };
        tracker.spawn(web::serve(listener, site.clone(), stop.clone()));
        if let Some(slack) = slack {
            tracker.spawn(notify::slack::listen(slack, site.handle.clone(), stop.clone()));
        }
        let (damage, _) = watch::channel(None);
        let daemon = Self { handle, address, readers, scrapers, reports, deliver, stop, tracker, damage };
        match options.pace {
            Pace::Live => daemon.spawn_loops(),
            Pace::ByHand => {}
        }
        info!(address = %daemon.address, version = env!("CARGO_PKG_VERSION"), "burnward runs");
        Ok(daemon)
    }

    /// The loops that move a live daemon.
    fn spawn_loops(&self) {
        for (source, every) in &self.scrapers {
            self.tracker.spawn(tasks::driver::scrape_loop(source.clone(), *every, self.handle.clone(), self.stop.clone()));
        }
        for reader in &self.readers {
            self.tracker.spawn(tasks::driver::read_loop(reader.clone(), self.handle.clone(), self.stop.clone()));
        }
        self.tracker.spawn(tasks::driver::timer_loop(self.handle.clone(), self.stop.clone()));
        if !self.handle.config.reports.is_empty() {
            self.tracker.spawn(tasks::driver::report_loop(self.reports.clone(), self.handle.clone(), self.stop.clone()));
        }
        self.tracker.spawn(tasks::driver::deliver_loop(self.deliver.clone(), self.handle.clone(), self.stop.clone()));
        self.tracker.spawn(tasks::driver::follow_loop(self.handle.clone(), self.stop.clone()));
        self.tracker.spawn(tasks::driver::tidy_loop(self.handle.clone(), self.stop.clone()));
        self.tracker.spawn(tasks::driver::check_store(self.handle.clone(), self.damage.clone(), self.stop.clone()));
    }

    /// One step of a daemon that is moved by hand: read, decide, run timers, deliver, all at the clock's now.
    pub async fn step(&self) {
        for (source, _) in &self.scrapers {
            tasks::driver::scrape_once(source, &self.handle).await;
        }
        for reader in &self.readers {
            reader.tick(self.handle.clock.now()).await;
        }
        self.handle.timers().await;
        self.reports.tick(self.handle.clock.now()).await;
        self.deliver.tick(self.handle.clock.now()).await;
    }

    /// Moves a clock that is moved by hand by whole ticks, with a step after each.
    pub async fn fast_forward(&self, by: Duration) {
        let tick = self.handle.config.tick;
        let ticks = by.as_millis() / tick.as_millis().max(1);
        for _ in 0..ticks {
            self.handle.clock.advance(tick);
            self.step().await;
        }
    }

    /// Resolves with the reason when this daemon must not go on: the task that decides has ended although nobody told it to, so that nothing is read,
    /// decided or paged any more; or the store was found damaged.
    pub async fn broken(&self) -> String {
        let mut damage = self.damage.subscribe();
        tokio::select! {
            () = self.handle.requests.closed() => "the task that decides has ended; its supervisor is to start burnward anew".to_owned(),
            Ok(found) = damage.wait_for(Option::is_some) => found.clone().unwrap_or_default(),
        }
    }

    /// Resolves when the daemon is told to stop.
    pub async fn stopped(&self) {
        self.stop.cancelled().await;
    }

    /// Stops everything, within ten seconds. What is not delivered stays owed in the store.
    pub async fn stop(self) {
        let Self { handle, readers, reports, deliver, stop, tracker, .. } = self;
        stop.cancel();
        tracker.close();
        drop((readers, reports, deliver));
        let store = handle.store.clone();
        drop(handle);
        if tokio::time::timeout(DRAIN, tracker.wait()).await.is_err() {
            tracing::warn!("some tasks did not stop in time; what they had under way is taken up again at the next start");
        }
        store.close().await;
        info!("burnward stopped");
    }
}

fn source(config: &Config, tenant: &crate::config::TenantConfig, metrics: &Metrics) -> anyhow::Result<Source> {
    let source = config.sources.get(&tenant.source).with_context(|| format!("there is no source `{}`", tenant.source))?;
    Ok(match source {
        SourceConfig::Prometheus(prometheus) => Source::Prometheus(Replicas::new(prometheus, metrics.source(&tenant.source))?),
        SourceConfig::Scrape(scrape) => Source::Scrape(Scrape::new(scrape)?),
    })
}
