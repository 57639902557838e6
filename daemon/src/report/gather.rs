//! Gathering what a report is made of: budgets from the ledger, incidents and alert states from the store.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use burnward_core::{
    alert::AlertState,
    evaluate::BudgetStatus,
    exclusion::Known,
    id::{BudgetId, SloId, TeamName, TenantId},
    report::{BudgetWeek, ErrorBudgetReport, Row, Spans, Told},
    slo::Slo,
    time::{Timestamp, days},
    window::Interval,
};
use thiserror::Error;

use super::{CivilWeek, Marked, Weekly};
use crate::{
    app::Handle,
    store::{StoreError, StoredIncident},
    tasks::decide::{Groups, Moment, PastAsked, PastBudget},
    then::{all_then, not_run, splits_then},
    view::View,
};

/// SLOs that are asked of the deciding task at a time, so that nothing waits for a report.
const AT_A_TIME: usize = 50;

/// How long after the end of a week an incident may be opened whose burn began in it: longer than the longest default lookback.
const TOLD_LATER: Duration = days(4);

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Whose budgets.
    pub tenant: TenantId,
    /// Of which team; `None`: of all.
    pub team: Option<TeamName>,
    /// Which week.
    pub week: CivilWeek,
    /// With all that is recorded by now, or as it was known at its end.
    pub known: Asof,
}

/// With what knowledge a week is reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Asof {
    /// With all that is recorded by now, judged by the definitions that run now.
    #[default]
    Corrected,
    /// With what was recorded at the end of the week, judged by the definitions that ran then.
    KnownThen,
}

impl Asof {
    /// The word in addresses and answers.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Corrected => "as-corrected",
            Self::KnownThen => "as-known-then",
        }
    }

    /// What is known of a week that ends then.
    const fn known(self, end: Timestamp) -> Known {
        match self {
            Self::Corrected => Known::Now,
            Self::KnownThen => Known::By(end),
        }
    }
}

/// Why there is no report.
#[derive(Debug, Error)]
pub enum ReportError {
    /// No such team.
    #[error("there is no team `{0}`: neither burnward.yaml nor an SLO names it")]
    NoTeam(TeamName),
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Puts a report together.
///
/// # Errors
/// No such team, or a store that cannot be read.
pub async fn gather(handle: &Handle, asked: Asked) -> Result<Weekly, ReportError> {
    let Asked { tenant, team, week, known: asof } = asked;
    let view = handle.view.borrow().clone();
    let slos = slos_of(&view, &tenant, team.as_ref());
    if let Some(team) = team.as_ref().filter(|team| slos.is_empty() && !handle.config.teams.contains_key(team)) {
        return Err(ReportError::NoTeam(team.clone()));
    }
    let over = week.over;
    let known = asof.known(over.to);
    let incidents = incidents(handle, &tenant, over, known).await?;
    let spans = Spans::of(incidents.iter().map(|stored| &stored.incident), over);
    let moments = vec![moment(handle, &tenant, over.to, known).await?, moment(handle, &tenant, over.from, known).await?];
    let by = match asof {
        Asof::Corrected => BTreeMap::new(),
        Asof::KnownThen => all_then(handle, &tenant, over.to).await?,
    };
    let groups = Groups::SplitBy(splits_then(handle, &tenant, None, over.to).await?);
    // Of a week that goes on, the budgets as they stand now.
    let statuses = if week.whole { Arc::default() } else { handle.budgets(&tenant).await.unwrap_or_default() };
    let live: BTreeMap<_, _> = statuses.iter().map(|status| (&status.budget, status)).collect();
    let mut rows = Vec::new();
    for slos in slos.chunks(AT_A_TIME) {
        let asked = PastAsked {
            groups: groups.clone(),
            moments: moments.clone(),
            slices: Some(over),
            by: by.clone(),
            ..PastAsked::of(slos.to_vec())
        };
        let past = handle.past(&tenant, asked).await?;
        rows.extend(past.into_iter().filter_map(|past| row(past, over, &spans, &live)));
    }
    let false_positives = false_positives(&view, &tenant, team.as_ref(), &incidents, known);
    let told: Vec<Told<'_>> = incidents.iter().map(|stored| Told { incident: &stored.incident, events: &stored.events }).collect();
    let report = ErrorBudgetReport::of(over, rows, &told, &week.nights(), team.as_ref());
    let not_run_then = match asof {
        Asof::Corrected => Vec::new(),
        Asof::KnownThen => not_run(handle, &tenant, over.to).await?.into_iter().filter(|slo| slos.contains(slo)).collect(),
    };
    let whose = whose(&tenant, team.as_ref(), handle.config.tenants.len());
    Ok(Weekly { tenant, team, whose, week, as_of: handle.clock.now(), report, false_positives, asof, not_run_then })
}

/// The tenant is named where there are several.
fn whose(tenant: &TenantId, team: Option<&TeamName>, tenants: usize) -> String {
    let team = team.map_or_else(|| "all teams".to_owned(), ToString::to_string);
    if tenants > 1 { format!("{team} of tenant {tenant}") } else { team }
}

fn slos_of(view: &View, tenant: &TenantId, team: Option<&TeamName>) -> Vec<SloId> {
    let own = |slo: &&Arc<Slo>| slo.id.tenant == *tenant && team.is_none_or(|team| slo.team == *team);
    view.slos.values().filter(own).map(|slo| slo.id.clone()).collect()
}

/// The incidents that reach into the week, oldest first.
async fn incidents(handle: &Handle, tenant: &TenantId, week: Interval, known: Known) -> Result<Vec<StoredIncident>, StoreError> {
    let opened_before = match known {
        Known::Now => week.to.plus(TOLD_LATER),
        Known::By(then) => then,
    };
    let mut stored = handle.store.incidents_between(tenant, week.from, opened_before).await?;
    stored.retain(|stored| stored.incident.began.min(stored.incident.opened_at) < week.to);
    Ok(stored)
}

/// The incidents that people marked as false positives, by the exclusions that name them.
fn false_positives(view: &View, tenant: &TenantId, team: Option<&TeamName>, incidents: &[StoredIncident], known: Known) -> Vec<Marked> {
    let Some(record) = view.exclusions.get(tenant) else { return Vec::new() };
    let own = incidents.iter().map(|stored| &stored.incident).filter(|incident| team.is_none_or(|team| incident.team == *team));
    own.filter_map(|incident| Marked::of(record, incident, known)).collect()
}

async fn moment(handle: &Handle, tenant: &TenantId, at: Timestamp, known: Known) -> Result<Moment, StoreError> {
    let alerts: BTreeMap<BudgetId, AlertState> = handle.store.alerts_at(tenant, at).await?.into_iter().collect();
    Ok(Moment { at, known, alerts: Arc::new(alerts) })
}

fn row(past: PastBudget, week: Interval, spans: &Spans, live: &BTreeMap<&BudgetId, &BudgetStatus>) -> Option<Row> {
    let PastBudget { slo, standing, held_from, counted, slices, members, corrections, budget: _, place, reaches: _ } = past;
    let [then, before] = <[BudgetStatus; 2]>::try_from(standing).ok()?;
    // Of an SLO without a series, what is wrong with its source right now is not the reason.
    let then = live.get(&then.budget).filter(|_| place.is_some()).map_or(then, |now| (*now).clone());
    Some(Row::of(BudgetWeek { slo: &slo, then, before, held_from, counted, slices: &slices, members, corrections }, week, spans))
}
