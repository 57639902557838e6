//! The book of one tenant: a cache of what the store holds, from which every decision is taken. It can be rebuilt from the store at any moment.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use burnward_core::{
    alert::AlertState,
    id::{BudgetId, IncidentId, SloId, SourceName, TenantId},
    incident::{FaultKey, Incident, is_over},
    ledger::{Damaged, Plan, Settings, SourceLedger, Unknown},
    oncall::Team,
    rename::Renames,
    slo::Slo,
    time::{Timestamp, days},
};

use tracing::{error, warn};

use super::{
    exclusions::Kept,
    lost,
    numbers::Shown,
    reload::{Opened, rename_of, run_of},
    shadow::ShadowIncidents,
    standing::Standing,
};
use crate::{
    config::{Config, SourceConfig, TenantConfig},
    store::{Release, Store, StoreError, StoredAlert, StoredIncident},
    view::{IncidentBudgets, SourceView},
};

/// How far back resolved incidents are looked for that are not over: one that a person resolved while an alert held is checked again, also after a
/// long downtime.
pub(super) const LOOK_BACK: Duration = days(30);

/// Groups per SLO; the rest is counted as `(other)`.
const MAX_GROUPS: usize = 1_000;

/// How long samples of a scrape source may come late: they are ours, so never.
const SCRAPE_SETTLE: Duration = Duration::from_secs(10);

/// Everything that decisions about one tenant are taken from.
#[derive(Debug)]
pub(super) struct Book {
    pub(super) tenant: TenantId,
    pub(super) source: SourceName,
    /// The SLOs that run.
    pub(super) slos: BTreeMap<SloId, Arc<Slo>>,
    /// Versions, by the name of the one before, that wait until its firing alerts have cleared; `None`: the SLO is to go.
    pub(super) pending: BTreeMap<SloId, Option<Arc<Slo>>>,
    pub(super) ledger: SourceLedger,
    /// True while the book may be other than what the store holds, because it could not be read back.
    pub(super) in_doubt: bool,
    pub(super) alerts: BTreeMap<BudgetId, AlertState>,
    /// The budgets as of the last round, as far as somebody looked.
    pub(super) standing: Standing,
    /// The budgets that could not be seen in the last round, and since when.
    pub(super) unseen: BTreeMap<BudgetId, Timestamp>,
    /// Of how many of its budgets each SLO could not tell the figures in the last round.
    pub(super) unknown: BTreeMap<SloId, usize>,
    /// The rows that were held back in the last round, each with its place in its budget.
    pub(super) held_back: BTreeSet<(BudgetId, usize)>,
    /// Open incidents, and those within their grace time.
    pub(super) incidents: BTreeMap<IncidentId, Incident>,
    pub(super) ordinals: BTreeMap<FaultKey, u64>,
    /// The incidents that SLOs in shadow would have had.
    pub(super) shadow: ShadowIncidents,
    /// Since when the source has not answered, and why.
    pub(super) source_blind: Option<(Timestamp, Unknown)>,
    /// Since when SLOs are blind although the source answers.
    pub(super) slo_blind: BTreeMap<SloId, (Timestamp, Unknown)>,
    /// SLOs whose owner is told that nothing happens, each with since when.
    pub(super) slo_silent: BTreeMap<SloId, (Timestamp, Unknown)>,
    /// SLOs whose decisions the store refused in the last round.
    pub(super) poisoned: BTreeSet<SloId>,
    pub(super) source_view: SourceView,
    /// What people took out of the budgets.
    pub(super) excluded: Kept,
    /// What the messages of open incidents showed after the last round.
    pub(super) shown: Shown,
    /// The budgets that incidents at hand show.
    pub(super) at_hand: Arc<IncidentBudgets>,
}

impl Book {
    /// Reads a tenant's book from the store.
    pub(super) async fn load(
        store: &Store,
        config: &Config,
        tenant: &TenantId,
        tenant_config: &TenantConfig,
        opened: Opened,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let (running, pending) = with_held(opened.slos, opened.held);
        let slos: Vec<Arc<Slo>> = running.values().cloned().collect();
        let source = tenant_config.source.clone();
        let excluded = Kept::load(store, tenant, now).await?;
        let ledger = load_ledger(store, config, tenant, &source, &slos, &excluded, now).await?;
        let incidents = store.live_incidents(tenant, now.minus(LOOK_BACK)).await?;
        let alerts = store.alerts(tenant).await?;
        Ok(Self {
            pending,
            alerts: states(alerts),
            incidents: live(incidents, now),
            ordinals: store.last_ordinals(tenant).await?,
            shadow: ShadowIncidents::load(store, tenant, now).await?,
            source_view: SourceView { lost: lost::noted(store, tenant, &source).await?, ..SourceView::default() },
            excluded,
            ..Self::new(tenant.clone(), source, running, ledger)
        })
    }

    /// A book of which nothing was decided yet.
    pub(super) fn new(tenant: TenantId, source: SourceName, slos: BTreeMap<SloId, Arc<Slo>>, ledger: SourceLedger) -> Self {
        Self {
            tenant,
            source,
            slos,
            pending: BTreeMap::new(),
            ledger,
            in_doubt: false,
            alerts: BTreeMap::new(),
            standing: Standing::default(),
            unseen: BTreeMap::new(),
            unknown: BTreeMap::new(),
            held_back: BTreeSet::new(),
            incidents: BTreeMap::new(),
            ordinals: BTreeMap::new(),
            shadow: ShadowIncidents::default(),
            source_blind: None,
            slo_blind: BTreeMap::new(),
            slo_silent: BTreeMap::new(),
            poisoned: BTreeSet::new(),
            source_view: SourceView::default(),
            excluded: Kept::default(),
            shown: Shown::new(),
            at_hand: Arc::default(),
        }
    }

    /// Throws the ledger's cache away and reads it from the store: after a round that could not be committed, and where a changed SLO needs more of the
    /// past than the cache had.
    pub(super) async fn reload_ledger(&mut self, store: &Store, config: &Config, now: Timestamp) {
        self.keep_standing();
        let slos: Vec<Arc<Slo>> = self.slos.values().cloned().collect();
        match load_ledger(store, config, &self.tenant, &self.source, &slos, &self.excluded, now).await {
            Ok(ledger) => self.ledger = ledger,
            Err(error) => {
                self.in_doubt = true;
                error!(tenant = %self.tenant, %error, "the ledger could not be read back; the next round tries again");
            }
        }
    }

    /// Reads everything that decisions are taken from again: after a commit of which nobody knows whether it is there, and where SLOs have new names.
    pub(super) async fn read_back(&mut self, store: &Store, config: &Config, now: Timestamp) {
        self.keep_standing();
        self.in_doubt = false;
        let again = async {
            let incidents = store.live_incidents(&self.tenant, now.minus(LOOK_BACK)).await?;
            let alerts = store.alerts(&self.tenant).await?;
            let ordinals = store.last_ordinals(&self.tenant).await?;
            let shadow = ShadowIncidents::load(store, &self.tenant, now).await?;
            Ok::<_, StoreError>((live(incidents, now), states(alerts), ordinals, shadow, Kept::load(store, &self.tenant, now).await?))
        };
        match again.await {
            Ok((incidents, alerts, ordinals, shadow, excluded)) => {
                (self.incidents, self.alerts, self.ordinals, self.excluded) = (incidents, alerts, ordinals, excluded);
                self.shadow = shadow;
            }
            Err(error) => {
                self.in_doubt = true;
                error!(tenant = %self.tenant, %error, "alerts and incidents could not be read back; the next round tries again");
            }
        }
        self.reload_ledger(store, config, now).await;
    }

    /// Forgets incidents whose grace time is over.
    pub(super) fn forget_old(&mut self, now: Timestamp) {
        self.incidents.retain(|_, incident| !is_over(incident, now));
        self.shadow.incidents.retain(|_, incident| !is_over(incident, now));
    }

    /// Whether any alert of an SLO fires.
    pub(super) fn fires(&self, slo: &SloId) -> bool {
        self.alerts.iter().any(|(budget, state)| budget.slo == *slo && state.holds())
    }

    /// Takes a new set of SLOs, and the versions of before that run on in their place.
    pub(super) fn replace_slos(&mut self, slos: Vec<Arc<Slo>>, held: Vec<Arc<Slo>>, now: Timestamp) {
        (self.slos, self.pending) = with_held(slos, held);
        self.after_change_of_slos(now);
    }

    /// The SLOs whose waiting versions may run now: their predecessors' alerts have cleared.
    pub(super) fn cleared(&self) -> Vec<SloId> {
        self.pending.keys().filter(|id| !self.fires(id)).cloned().collect()
    }

    /// What it changes in the store that the waiting versions of these SLOs run.
    pub(super) fn release(&self, cleared: &[SloId], now: Timestamp) -> Release {
        let waiting = || cleared.iter().filter_map(|id| Some((id, self.pending.get(id)?.as_ref()?)));
        Release {
            slos: cleared.to_vec(),
            renamed: waiting().filter(|(id, slo)| **id != slo.id).filter_map(|(_, slo)| rename_of(slo, now)).collect(),
            runs: waiting().map(|(_, slo)| run_of(slo)).collect(),
        }
    }

    /// Lets the waiting versions of these SLOs run.
    pub(super) fn promote(&mut self, cleared: &[SloId], now: Timestamp) {
        for id in cleared {
            self.slos.remove(id);
            if let Some(slo) = self.pending.remove(id).flatten() {
                self.slos.insert(slo.id.clone(), slo);
            }
        }
        self.after_change_of_slos(now);
    }

    /// Calls SLOs by their new names; before those run.
    pub(super) fn call_anew(&mut self, renames: &Renames, now: Timestamp) {
        let anew = |slo: &SloId| {
            let mut slo = slo.clone();
            renames.slo(&mut slo, now);
            slo
        };
        let anew_budget = |budget: &BudgetId| BudgetId { slo: anew(&budget.slo), ..budget.clone() };
        self.call_standing_anew(renames, now);
        self.unseen = std::mem::take(&mut self.unseen).into_iter().map(|(budget, since)| (anew_budget(&budget), since)).collect();
        self.unknown = std::mem::take(&mut self.unknown).into_iter().map(|(slo, unknown)| (anew(&slo), unknown)).collect();
        self.alerts = std::mem::take(&mut self.alerts).into_iter().map(|(budget, state)| (anew_budget(&budget), state)).collect();
        self.held_back = self.held_back.iter().map(|(budget, place)| (anew_budget(budget), *place)).collect();
        self.slo_blind = std::mem::take(&mut self.slo_blind).into_iter().map(|(slo, blind)| (anew(&slo), blind)).collect();
        self.slo_silent = std::mem::take(&mut self.slo_silent).into_iter().map(|(slo, silent)| (anew(&slo), silent)).collect();
    }

    fn after_change_of_slos(&mut self, now: Timestamp) {
        let slos: Vec<Arc<Slo>> = self.slos.values().cloned().collect();
        self.ledger.replace_plan(Plan::new(&slos).read_from(self.ledger.plan().replica()), now);
        self.standing.change(|statuses| statuses.retain(|status| self.slos.contains_key(&status.budget.slo)));
        self.unseen.retain(|budget, _| self.slos.contains_key(&budget.slo));
        self.unknown.retain(|slo, _| self.slos.contains_key(slo));
        self.forget_excluded_budgets();
        self.slo_blind.retain(|slo, _| self.slos.contains_key(slo));
        self.slo_silent.retain(|slo, _| self.slos.contains_key(slo));
    }
}

type Running = BTreeMap<SloId, Arc<Slo>>;
type Pending = BTreeMap<SloId, Option<Arc<Slo>>>;

/// What runs, and what waits for it: a version that is held runs in place of its successor, which may have another name, or of nothing where the SLO is gone.
fn with_held(slos: Vec<Arc<Slo>>, held: Vec<Arc<Slo>>) -> (Running, Pending) {
    let mut running: Running = slos.into_iter().map(|slo| (slo.id.clone(), slo)).collect();
    let called_now: BTreeMap<SloId, SloId> = running.values().filter_map(|slo| Some((slo.former()?, slo.id.clone()))).collect();
    let mut pending = Pending::new();
    for slo in held {
        let successor = running.remove(&slo.id).or_else(|| running.remove(called_now.get(&slo.id)?));
        pending.insert(slo.id.clone(), successor);
        running.insert(slo.id.clone(), slo);
    }
    (running, pending)
}

/// The incidents of which something can still come.
pub(super) fn live(stored: Vec<StoredIncident>, now: Timestamp) -> BTreeMap<IncidentId, Incident> {
    let incidents = stored.into_iter().map(|stored| stored.incident).filter(|incident| !is_over(incident, now));
    incidents.map(|incident| (incident.id.clone(), incident)).collect()
}

fn states(stored: Vec<StoredAlert>) -> BTreeMap<BudgetId, AlertState> {
    stored.into_iter().map(|stored| (stored.budget, stored.state)).collect()
}

async fn load_ledger(
    store: &Store,
    config: &Config,
    tenant: &TenantId,
    source: &SourceName,
    slos: &[Arc<Slo>],
    excluded: &Kept,
    now: Timestamp,
) -> Result<SourceLedger, StoreError> {
    let settings = settings(config, source);
    let images = store.ledger_images(tenant, source).await?;
    let from_images = SourceLedger::restore_from_images(Plan::new(slos), settings, &images, now).unwrap_or_else(|error| {
        warn!(%tenant, %source, %error, "an image of the ledger cannot be read; the ledger is read whole");
        None
    });
    drop(images);
    let damaged = |error: Damaged| StoreError::Damaged { what: "ledger", reason: error.to_string() };
    let mut ledger = match from_images {
        Some(ledger) => ledger,
        None => SourceLedger::restore(Plan::new(slos), settings, &store.ledger(tenant, source).await?, now).map_err(damaged)?,
    };
    let exclusions = &excluded.shown.exclusions;
    if !excluded.shown.cases.is_empty() && !ledger.carry_exclusions(Arc::clone(exclusions), now) {
        let stored = store.ledger_days(tenant, source, &ledger.days_of_edges(Arc::clone(exclusions), now)).await?;
        ledger.set_exclusions(Arc::clone(exclusions), Some(&stored), now).map_err(damaged)?;
    }
    Ok(ledger)
}

/// How a source is read.
pub(crate) fn settings(config: &Config, source: &SourceName) -> Settings {
    let history = matches!(config.sources.get(source), Some(SourceConfig::Prometheus(_)));
    Settings { settle: settle(config, source), max_groups_per_slo: MAX_GROUPS, history }
}

fn settle(config: &Config, source: &SourceName) -> Duration {
    match config.sources.get(source) {
        Some(SourceConfig::Prometheus(prometheus)) => prometheus.settle,
        Some(SourceConfig::Scrape(_)) | None => SCRAPE_SETTLE,
    }
}

/// The team that an incident is routed to; the operators where the team is gone from the configuration.
pub(super) fn team_of(config: &Config, name: &burnward_core::id::TeamName) -> Team {
    config.teams.get(name).cloned().unwrap_or_else(|| operators(config))
}

/// The operators as a team.
pub(super) fn operators(config: &Config) -> Team {
    Team {
        name: burnward_core::id::TeamName::parse("operators").expect("`operators` keeps to the alphabet of names"),
        channel: config.operators.channel.clone(),
        escalation: config.operators.escalation.clone(),
    }
}
