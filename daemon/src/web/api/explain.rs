//! `/api/v1/slos/{service}/{name}`, `.../explain` and `.../burn-down`: an SLO as it is written and as it stands, why, and how its budget was spent; now or
//! at a moment.

mod definition;
mod first_values;
mod reading;
mod taken_out;
mod told;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use axum::{
    Json,
    extract::{Path, Query, State},
};
use burnward_core::{
    evaluate::BudgetStatus,
    exclusion::Known,
    explain::{DecidedBy, Explanation, around_threshold, explain, unseen},
    id::{Group, ServiceName, SloId, SloName, TenantId},
    ledger::{StoredStream, Unknown},
    slo::{AlertRow, Objective, Slo},
    time::{Timestamp, days},
    window::{Interval, Window},
    words,
};
use serde::Deserialize;

use self::{definition::Written, first_values::OfRow};
use super::{
    burn_down, exclusions,
    problem::Problem,
    wire::{
        AlertChange, Budget, BurnDown, CalendarPeriod, ExplainedBudget, ExplainedRow, FiguresReach, HeldVersion, IncidentState, Policy,
        Query as WireQuery, RowTable, SloDetail, SloExplanation, Told, VersionRan, budget_key, instant, no_data_words,
    },
};
use crate::{
    app::Handle,
    calendar,
    definition::row_words,
    store::{StoreError, StoredIncident},
    tasks::decide::{Groups, Moment, PastAsked, PastBudget, Place, Reach, worst_first},
    then::{ran_then, splits_then},
    view::View,
    web::{Site, access::Tenant},
};

/// Alert changes that are listed per SLO.
const CHANGES: usize = 50;

/// Newest incidents among which those of an SLO are looked for.
const INCIDENTS: usize = 200;

/// How far back alert changes are listed.
const CHANGES_BACK: Duration = days(30);

/// Parameters of an SLO and of its explanation.
#[derive(Debug, Deserialize)]
pub struct ExplainQuery {
    /// RFC 3339; without it: now.
    at: Option<String>,
    /// The `key` of one budget; without it all budgets are explained.
    budget: Option<String>,
    /// `as-corrected` (without it) or `as-known-then`.
    figures: Option<String>,
    /// `named`: the source is asked for the names of some series of each budget.
    series: Option<String>,
}

/// Whether the source is asked for the names of series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Names {
    /// It is: whoever asks waits for it.
    Asked,
    /// It is not: series are counted alone.
    NotAsked,
}

impl Names {
    /// Reads the word of an address; without one nothing is asked.
    pub fn read(word: Option<&str>) -> Result<Self, Problem> {
        match word {
            None | Some("") => Ok(Self::NotAsked),
            Some("named") => Ok(Self::Asked),
            Some(_) => Err(Problem::bad_request("`series` is `named`, or left out")),
        }
    }
}

/// Which moment is asked for, and with what knowledge of it.
#[derive(Debug, Clone, Copy, Default)]
pub struct When {
    /// `None`: now.
    pub at: Option<Timestamp>,
    /// With what is recorded by now, or only what was recorded then.
    pub figures: Figures,
}

/// Which of the two truths about a moment is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Figures {
    /// With everything that is recorded by now.
    #[default]
    AsCorrected,
    /// With what was recorded at that moment.
    AsKnownThen,
}

impl Figures {
    /// The word in addresses and answers.
    pub const fn word(self) -> &'static str {
        match self {
            Self::AsCorrected => "as-corrected",
            Self::AsKnownThen => "as-known-then",
        }
    }

    /// Reads the word; nothing is `as-corrected`.
    pub fn read(word: Option<&str>) -> Result<Self, Problem> {
        match word {
            None | Some("" | "as-corrected") => Ok(Self::AsCorrected),
            Some("as-known-then") => Ok(Self::AsKnownThen),
            Some(_) => Err(Problem::bad_request("`figures` is `as-corrected` or `as-known-then`")),
        }
    }

    /// What is known of a moment.
    pub const fn known(self, at: Timestamp) -> Known {
        match self {
            Self::AsCorrected => Known::Now,
            Self::AsKnownThen => Known::By(at),
        }
    }
}

impl ExplainQuery {
    /// The `key` of the budget that is asked for.
    pub fn budget(&self) -> Option<&str> {
        self.budget.as_deref()
    }

    /// Which moment is asked for: none that is yet to come.
    pub fn when(&self, now: Timestamp) -> Result<When, Problem> {
        let at = self.at.as_deref().map(moment).transpose()?;
        Ok(When { at: at.map(|at| not_to_come(at, now)).transpose()?, figures: Figures::read(self.figures.as_deref())? })
    }
}

/// `GET /api/v1/slos/{service}/{name}`: now, or with its budgets as they stood at a moment.
pub async fn slo(
    State(site): State<Site>,
    tenant: Tenant,
    Path((service, name)): Path<(String, String)>,
    Query(query): Query<ExplainQuery>,
) -> Result<Json<SloDetail>, Problem> {
    let slo = find(&site.handle, &tenant.0, &service, &name)?;
    let when = query.when(site.handle.clock.now())?;
    match when.at {
        Some(_) => explanation(&site.handle, &slo, when, query.budget(), Names::NotAsked).await.map(|explanation| Json(explanation.slo)),
        None => detail(&site.handle, &slo, query.budget()).await.map(Json),
    }
}

/// `GET /api/v1/slos/{service}/{name}/explain`.
pub async fn get(
    State(site): State<Site>,
    tenant: Tenant,
    Path((service, name)): Path<(String, String)>,
    Query(query): Query<ExplainQuery>,
) -> Result<Json<SloExplanation>, Problem> {
    let slo = find(&site.handle, &tenant.0, &service, &name)?;
    let names = Names::read(query.series.as_deref())?;
    explanation(&site.handle, &slo, query.when(site.handle.clock.now())?, query.budget.as_deref(), names).await.map(Json)
}

/// `GET /api/v1/slos/{service}/{name}/burn-down`: of one budget; without `?budget=` of the worst.
pub async fn burn_down(
    State(site): State<Site>,
    tenant: Tenant,
    Path((service, name)): Path<(String, String)>,
    Query(query): Query<ExplainQuery>,
) -> Result<Json<BurnDown>, Problem> {
    let slo = find(&site.handle, &tenant.0, &service, &name)?;
    let when = query.when(site.handle.clock.now())?;
    let status = statuses(&site.handle, &slo, when, query.budget.as_deref()).await?.into_iter().next();
    let status = status.ok_or_else(|| Problem::not_found("the SLO has no such budget; its page lists all"))?;
    let status = at_moment(&site.handle, &slo, status, when).await?;
    let missing = || Problem::not_found("nothing was counted in the window of this budget, so there is nothing to draw");
    burn_down::of(&site.handle, &status, when).await?.ok_or_else(missing).map(Json)
}

/// A moment as it stands in an address.
pub fn moment(text: &str) -> Result<Timestamp, Problem> {
    let parsed: Result<jiff::Timestamp, _> = text.parse();
    parsed.map(|at| Timestamp::from_millis(at.as_millisecond())).map_err(|error| {
        Problem::bad_request(&format!("`{}` is not a time such as 2026-11-25T03:10:00Z: {error}", burnward_core::words::cut(text, 40)))
    })
}

/// Refuses a moment of which nothing can be known.
pub fn not_to_come(at: Timestamp, now: Timestamp) -> Result<Timestamp, Problem> {
    if at > now { Err(Problem::bad_request("that moment lies in the future; without it you get what is known now")) } else { Ok(at) }
}

/// The SLO of a tenant, by its name or by the one it had before; or 404.
pub fn find(handle: &Handle, tenant: &TenantId, service: &str, name: &str) -> Result<Arc<Slo>, Problem> {
    let missing = || Problem::not_found(&format!("no SLO `{service}/{name}` runs for this tenant; `burnward status` lists all"));
    let id = SloId {
        tenant: tenant.clone(),
        service: ServiceName::parse(service).map_err(|_| missing())?,
        name: SloName::parse(name).map_err(|_| missing())?,
    };
    let view = handle.view.borrow();
    let renamed = || view.slos.values().find(|slo| slo.former().as_ref() == Some(&id));
    view.slos.get(&id).or_else(renamed).cloned().ok_or_else(missing)
}

/// An SLO with its budgets as they stand: all of them, or the one with this key.
pub async fn detail(handle: &Handle, slo: &Slo, key: Option<&str>) -> Result<SloDetail, Problem> {
    let statuses = statuses(handle, slo, When::default(), key).await?;
    let queries = queries_of(handle, slo).await;
    Ok(detail_of(handle, slo, queries, |view| statuses.iter().map(|status| Budget::of(view, status)).collect()))
}

/// An SLO with these of its budgets.
fn detail_of(handle: &Handle, slo: &Slo, queries: Vec<WireQuery>, budgets: impl FnOnce(&View) -> Vec<Budget>) -> SloDetail {
    let view = handle.view.borrow();
    SloDetail {
        at: None,
        figures: None,
        service: slo.id.service.to_string(),
        name: slo.id.name.to_string(),
        title: slo.title.clone(),
        team: slo.team.to_string(),
        runbook: slo.runbook.clone(),
        file: slo.origin.file.clone(),
        line: slo.origin.line,
        version: slo.origin.version.clone(),
        held: HeldVersion::of(&view, &slo.id),
        policies: Policy::of(slo, handle.clock.now()),
        budgets: budgets(&view),
        queries,
    }
}

/// An SLO as it is written now, with its budgets at a moment of the past; what was asked then is not kept.
fn detail_of_then(handle: &Handle, slo: &Slo, at: Timestamp, figures: Figures, budgets: &[ExplainedBudget]) -> SloDetail {
    let (at, figures) = (Some(instant(at)), Some(figures.word().to_owned()));
    let budgets = budgets.iter().map(|budget| budget.figures.clone()).collect();
    SloDetail { at, figures, held: None, ..detail_of(handle, slo, Vec::new(), |_| budgets) }
}

/// The questions of the last round whose answers the SLO needs for its events.
async fn queries_of(handle: &Handle, slo: &Slo) -> Vec<WireQuery> {
    let own = handle.own(&slo.id, &Group::whole()).await;
    let asked: Vec<String> = own.iter().flat_map(|own| &own.parts).map(|part| part.asked.to_string()).collect();
    let view = handle.view.borrow();
    let queries = view.sources.get(&(slo.id.tenant.clone(), slo.source.clone())).map(|source| source.queries.iter());
    queries.into_iter().flatten().filter(|query| asked.contains(&query.asked)).map(WireQuery::from).collect()
}

/// Why an SLO's budgets stand as they do, now or at a moment of the past: all of them, or the one with this key.
pub async fn explanation(handle: &Handle, slo: &Slo, when: When, key: Option<&str>, names: Names) -> Result<SloExplanation, Problem> {
    let until = when.at.unwrap_or_else(|| handle.clock.now());
    let then = match when.at {
        Some(at) => ran_then(handle, slo, at).await?,
        None => None,
    };
    let judged = judging(handle, slo, when).await?;
    let judged_by = judged.as_deref().unwrap_or(slo);
    let written = Written::of(handle, judged_by).await?;
    let newest = handle.store.incidents(&slo.id.tenant, INCIDENTS, None).await?;
    let silence = told::of_silence(slo, &newest, until);
    let incidents = incidents_of(newest, &slo.id, until);
    let mut budgets = Vec::new();
    let (mut slices, mut taken_since) = (None, None);
    for status in statuses(handle, slo, when, key).await? {
        let (status, reach) = stood(handle, slo, status, when).await?;
        let changes = handle.store.alert_changes(&slo.id.tenant, Some(&status.budget), until.minus(CHANGES_BACK), until, CHANGES).await?;
        let changes = changes.iter().map(|change| AlertChange { at: instant(change.at), why: change.why.clone() }).collect();
        let (reading, begun) = match when.at {
            Some(_) => None,
            None => reading::of(handle, slo, &status, names).await,
        }
        .unzip();
        let told =
            if status.tells_nobody() { told::in_shadow(status.alerts) } else { told::of(&status.budget, status.alerts, &incidents, until) };
        let explained = explained(handle, judged_by, &status, &written, Silence { told: &silence, is_past: when.at.is_some() });
        slices = slices.max(reach.map(|reach| reach.slices));
        let reach = reach.map(|reach| FiguresReach::of(&reach, until));
        let known = when.figures.known(until);
        let first_values = first_values::of(handle, slo, &status, &begun.unwrap_or_default()).await;
        taken_since = taken_since.max(first_values.iter().filter_map(OfRow::known_since).max());
        let excluded_by = taken_out::of_window(&handle.view.borrow(), &status, known);
        budgets.extend(explained.map(|mut budget| {
            taken_out::note_in_rows(&mut budget.rows, &handle.view.borrow(), &status, known);
            first_values::note_in_rows(&mut budget.rows, slo, &first_values);
            ExplainedBudget { excluded_by, reading, told, changes, reach, ..budget }
        }));
    }
    let definition = definition::of(handle, slo, until).await?;
    let is_noted = definition.is_some();
    Ok(SloExplanation {
        at: instant(until),
        replayed: when.at.is_some(),
        figures: when.figures.word().to_owned(),
        definition,
        kept: if when.at.is_some() { kept(slices, is_noted, taken_since) } else { Vec::new() },
        slo: match when.at {
            None => detail(handle, slo, None).await?,
            Some(at) => detail_of_then(handle, judged_by, at, when.figures, &budgets),
        },
        ran_then: then.filter(|_| judged.is_none()).map(|then| VersionRan::from(&then.run)),
        exclusions: exclusions::states(handle, &slo.id.tenant, when.figures.known(until), |scope| scope.is_of(&slo.id)),
        budgets,
        told: silence,
        incidents: incidents.iter().map(|stored| IncidentState::from(&stored.incident)).collect(),
    })
}

/// What is still known of a moment whose figures are sums of slices of this length, and what is not; whether a version is noted that ran then; and since when
/// it is known how first values were taken, where not for all of it.
fn kept(slices: Option<Duration>, is_noted: bool, taken_since: Option<Timestamp>) -> Vec<String> {
    let by = slices.map_or_else(String::new, |length| format!(" by slices of {}", words::duration(length)));
    let not_run = (!is_noted).then(|| {
        "not known: a version that ran then. None is noted, so nothing was decided and nobody told; what stands here was read later"
            .to_owned()
    });
    let kept = [
        "not kept: the questions as they were sent, their answers, and which series these held; samples are counted, and then dropped"
            .to_owned(),
        format!("kept: good, bad and unseen{by}, from which these figures are made anew"),
        "kept: what each alert change was decided from, and every event of its incident, as they were committed".to_owned(),
    ];
    let not_taken = taken_since.map(|since| {
        format!("not kept: how the first values of counters were taken that began before {}; a restart forgets it", instant(since))
    });
    not_run.into_iter().chain(kept).chain(not_taken).collect()
}

/// The SLO by which a moment is judged, where it is not the one that runs: as known then, the version of then.
pub async fn judging(handle: &Handle, slo: &Slo, when: When) -> Result<Option<Arc<Slo>>, StoreError> {
    match (when.at, when.figures) {
        (Some(at), Figures::AsKnownThen) => Ok(ran_then(handle, slo, at).await?.and_then(|then| then.slo)),
        (Some(_) | None, _) => Ok(None),
    }
}

/// The budgets of an SLO, worst first: all of them, or the one with this key. Of a moment at which it was split otherwise they are those of then; as
/// corrected, a group of now can be asked for by its key.
pub async fn statuses(handle: &Handle, slo: &Slo, when: When, key: Option<&str>) -> Result<Vec<BudgetStatus>, Problem> {
    let is_asked = |status: &BudgetStatus| key.is_none_or(|key| budget_key(&status.budget) == key);
    if let Some(mut then) = statuses_then(handle, slo, when).await? {
        then.retain(is_asked);
        if !then.is_empty() || when.figures == Figures::AsKnownThen {
            return Ok(then);
        }
    }
    let mut own = handle.budgets_of(&slo.id).await?;
    own.retain(is_asked);
    Ok(own)
}

/// The budgets of an SLO at a moment at which it was split otherwise than now.
async fn statuses_then(handle: &Handle, slo: &Slo, when: When) -> Result<Option<Vec<BudgetStatus>>, Problem> {
    let Some(at) = when.at else { return Ok(None) };
    let tenant = &slo.id.tenant;
    let splits = splits_then(handle, tenant, Some(&slo.id.service), at).await?;
    if !splits.contains_key(&slo.id) {
        return Ok(None);
    }
    let alerts = handle.store.alerts_at(tenant, at).await?.into_iter().collect();
    let moments = vec![Moment { at, known: when.figures.known(at), alerts: Arc::new(alerts) }];
    let asked = PastAsked { groups: Groups::SplitBy(splits), moments, ..PastAsked::of(vec![slo.id.clone()]) };
    let past = handle.past(tenant, asked).await?;
    Ok(Some(worst_first(past.into_iter().flat_map(PastBudget::stood).map(|(status, _)| status).collect())))
}

/// The incidents that were opened until a moment and of which the SLO's alerts are or were members, newest first, as they stand now.
fn incidents_of(mut stored: Vec<StoredIncident>, slo: &SloId, until: Timestamp) -> Vec<StoredIncident> {
    stored.retain(|stored| stored.incident.opened_at <= until && stored.incident.slos().contains(slo));
    stored
}

/// A budget now, or at a moment of the past.
pub async fn at_moment(handle: &Handle, slo: &Slo, status: BudgetStatus, when: When) -> Result<BudgetStatus, Problem> {
    Ok(stood(handle, slo, status, when).await?.0)
}

/// The same with how far its figures reach, of a moment of the past of which anything is known.
async fn stood(handle: &Handle, slo: &Slo, status: BudgetStatus, when: When) -> Result<(BudgetStatus, Option<Reach>), Problem> {
    match when.at {
        Some(at) => replay(handle, slo, &status, at, when.figures).await,
        None => Ok((status, None)),
    }
}

/// A budget as the ledger shows it for a moment of the past, with the alert states that were stored then.
async fn replay(
    handle: &Handle,
    slo: &Slo,
    status: &BudgetStatus,
    at: Timestamp,
    figures: Figures,
) -> Result<(BudgetStatus, Option<Reach>), Problem> {
    let before = handle.store.alert_changes(&slo.id.tenant, Some(&status.budget), Timestamp::EPOCH, at, 1).await?;
    let alerts = before.into_iter().last().map(|change| (change.budget, change.state)).into_iter().collect();
    let judging = judging(handle, slo, When { at: Some(at), figures }).await?;
    let mut asked = PastAsked {
        groups: Groups::One(status.budget.group.clone()),
        moments: vec![Moment { at, known: figures.known(at), alerts: Arc::new(alerts) }],
        by: judging.map(|judging| (slo.id.clone(), judging)).into_iter().collect(),
        ..PastAsked::of(vec![slo.id.clone()])
    };
    let find = |past: Vec<PastBudget>| past.into_iter().find(|past| past.budget == status.budget);
    let mut found = find(handle.past(&slo.id.tenant, asked.clone()).await?);
    if found.is_none() && !asked.by.is_empty() {
        // An objective that the version of then did not have is judged by that of now.
        asked.by.clear();
        found = find(handle.past(&slo.id.tenant, asked.clone()).await?);
    }
    let Some(mut past) = found else { return Ok((status.clone(), None)) };
    if let Some((place, over)) = beyond_memory(&past) {
        let stored = stored_stream(handle, &slo.id.tenant, &place, over).await?;
        let stored = BTreeMap::from([(status.budget.clone(), Arc::new(stored))]);
        if let Some(found) = find(handle.past(&slo.id.tenant, PastAsked { stored, ..asked }).await?) {
            past = found;
        }
    }
    Ok(past.stood().next().unwrap_or_else(|| (status.clone(), None)))
}

/// Where the slices of a calendar period are that begins before what the memory holds of it, and which stretch is asked for. The edges of the window's
/// periods are edges of what is stored, so that the store's figures are as exact; of a rolling window they would not be.
fn beyond_memory(past: &PastBudget) -> Option<(Place, Interval)> {
    let standing = past.standing.first().filter(|standing| matches!(standing.window, Window::Calendar { .. }))?;
    let place = past.place.clone()?;
    let over = Interval { from: standing.over.from, to: standing.as_of };
    let is_behind = past.held_from.is_some_and(|held| held > over.from) && place.counted_from < past.held_from;
    is_behind.then_some((place, over))
}

/// What the store holds of a stream over a stretch.
pub async fn stored_stream(handle: &Handle, tenant: &TenantId, place: &Place, over: Interval) -> Result<StoredStream, Problem> {
    let stored = handle.store.stream(tenant, &place.source, place.stream, over).await?;
    StoredStream::of(&stored, place.stream).map_err(|error| StoreError::Damaged { what: "stream", reason: error.to_string() }.into())
}

/// The period of a calendar window, and its neighbours.
fn period(status: &BudgetStatus, now: Timestamp) -> Option<CalendarPeriod> {
    let Window::Calendar { zone, .. } = &status.window else { return None };
    let Interval { from, to } = status.over;
    let after = calendar::interval(&status.window, Timestamp::from_millis(to.millis() + 1));
    Some(CalendarPeriod {
        name: calendar::name(&status.window, status.over),
        from: instant(from),
        to: instant(to),
        timezone: zone.to_string(),
        ended: to <= status.as_of,
        earlier: instant(from),
        later: (after.to <= now).then(|| instant(after.to)),
    })
}

/// Who was told at a moment that nobody sees an SLO.
#[derive(Clone, Copy)]
struct Silence<'a> {
    told: &'a [Told],
    is_past: bool,
}

impl Silence<'_> {
    fn is_of_source(&self) -> bool {
        self.told.iter().any(|told| told.about == "blind-source")
    }

    /// By which incident they are told.
    fn who(&self) -> String {
        let incidents: Vec<&str> = self.told.iter().filter_map(|told| told.incident.as_deref()).collect();
        match (incidents.as_slice(), self.is_past) {
            ([], false) => "nobody so far".to_owned(),
            ([], true) => "nobody by then".to_owned(),
            ([_, ..], _) => format!("it is told in {}", incidents.join(", ")),
        }
    }
}

/// What the core tells of a budget; `None` where the objective has gone from the SLO meanwhile.
fn explained(handle: &Handle, slo: &Slo, status: &BudgetStatus, written: &Written, silence: Silence<'_>) -> Option<ExplainedBudget> {
    let number = slo.objectives.iter().position(|objective| objective.name == status.budget.objective)?;
    let objective = &slo.objectives[number];
    let explanation = explain(status);
    let view = handle.view.borrow().clone();
    // One question that fails blinds its own SLOs alone, whatever the class of its reason: whether the source is blind is known of the source.
    let source = view.sources.get(&(slo.id.tenant.clone(), slo.source.clone())).and_then(|source| source.blind.as_ref());
    let is_hidden = |unknown: &&Unknown| source.is_some_and(|(_, blind)| unknown.is_of_source(blind));
    let is_blind = |unknown: &&Unknown| if silence.is_past { silence.is_of_source() } else { is_hidden(unknown) };
    let blind = status.unknown.as_ref().filter(is_blind);
    let rows = rows(slo, objective, status, &explanation, (blind, silence));
    let places = (0..rows.len()).map(|row| written.row(number, row));
    let rows = rows.into_iter().zip(places).map(|(row, place)| ExplainedRow { place, ..row }).collect();
    let Explanation { budget, excluded, seen, allowed, decided, clears, .. } = explanation;
    let around = slo.sli.native_threshold().and_then(|threshold| around_threshold(status.counts, threshold));
    Some(ExplainedBudget {
        id: status.budget.to_string(),
        figures: Budget::of(&handle.view.borrow(), status),
        period: period(status, handle.clock.now()),
        state: status.word().to_owned(),
        icon: status.icon().to_owned(),
        budget: around.map_or_else(|| budget.clone(), |around| format!("{budget}; {around}")),
        excluded,
        seen,
        allowed,
        place: written.objective(number),
        excluded_by: Vec::new(),
        reading: None,
        row_table: RowTable::of(objective),
        rows,
        decided,
        clears,
        told: Vec::new(),
        changes: Vec::new(),
        reach: None,
    })
}

/// The rows with their arithmetic and their outcomes; of a budget that nobody sees, with why nothing is decided.
fn rows(
    slo: &Slo,
    objective: &Objective,
    status: &BudgetStatus,
    explanation: &Explanation,
    (blind, silence): (Option<&Unknown>, Silence<'_>),
) -> Vec<ExplainedRow> {
    let unseen_row = |row: &AlertRow| {
        let outcome = unseen(status, row.urgency);
        let told = match blind {
            Some(_) => "; a source that nobody sees is one page of its own, which lists what it hides".to_owned(),
            None if outcome.by == DecidedBy::NoData => {
                format!("; `no-data: {}` says who is told of that: {}", no_data_words(slo), silence.who())
            }
            None => String::new(),
        };
        ExplainedRow {
            rule: row_words(row),
            long: String::new(),
            short: String::new(),
            holds: false,
            held_back: None,
            decided_by: blind.map_or_else(|| outcome.by.word(), |_| "blind-source").to_owned(),
            because: format!("{}{told}", outcome.sentence),
            excluded: None,
            first_values: None,
            first_values_taken: Vec::new(),
            first_values_known_since: None,
            place: None,
        }
    };
    if status.rows.is_empty() {
        return objective.rows.iter().map(unseen_row).collect();
    }
    let seen = explanation.rows.iter().zip(&explanation.outcomes).map(|(row, outcome)| ExplainedRow {
        rule: row.rule.clone(),
        long: row.long.clone(),
        short: row.short.clone(),
        holds: row.holds,
        held_back: row.held_back.clone(),
        decided_by: outcome.by.word().to_owned(),
        because: outcome.sentence.clone(),
        excluded: None,
        first_values: None,
        first_values_taken: Vec::new(),
        first_values_known_since: None,
        place: None,
    });
    seen.collect()
}
