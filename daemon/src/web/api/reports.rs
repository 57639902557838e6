//! `/api/v1/reports/week`: the error budget report of a week, as JSON, as Markdown and as CSV.

use axum::{
    Json,
    extract::{Query, State},
    http::header,
    response::{IntoResponse, Response},
};
use burnward_core::{
    id::{TeamName, TenantId},
    window::Zone,
    words::cut,
};
use serde::Deserialize;

use super::{explain::Figures, problem::Problem, wire::WeekReport};
use crate::{
    app::Handle,
    calendar::zones::{self, Found},
    config::Config,
    render::ReportContext,
    report::{Asked, Asof, CivilWeek, ReportError, WeekError, Weekly, Which, csv, gather},
    web::{Site, access::Tenant},
};

/// Which report; an empty value is as none.
#[derive(Debug, Default, Deserialize)]
pub struct WeekQuery {
    /// Of which team; without it: of all.
    pub team: Option<String>,
    /// `2026-W47`; without it the last week that is over.
    pub week: Option<String>,
    /// A day: the seven days before it, instead of `week`.
    pub until: Option<String>,
    /// The zone in which the week begins and ends; without it that of the report that burnward.yaml sends, else UTC.
    pub timezone: Option<String>,
    /// `as-corrected` (without it) or `as-known-then`: at the end of the week.
    pub figures: Option<String>,
}

impl WeekQuery {
    fn given(value: Option<&String>) -> Option<&str> {
        value.map(String::as_str).filter(|value| !value.is_empty())
    }

    fn which(&self) -> Result<Which, Problem> {
        match (Self::given(self.week.as_ref()), Self::given(self.until.as_ref())) {
            (None, None) => Ok(Which::LastWhole),
            (Some(week), None) => Ok(Which::Named(week.to_owned())),
            (None, Some(day)) => Ok(Which::Until(day.to_owned())),
            (Some(_), Some(_)) => Err(Problem::bad_request("`week` and `until` choose one week each; give one of them")),
        }
    }

    fn team(&self) -> Result<Option<TeamName>, Problem> {
        let parse = |name: &str| TeamName::parse(name).map_err(|error| Problem::bad_request(&error.to_string()));
        Self::given(self.team.as_ref()).map(parse).transpose()
    }

    /// The zone that is asked for, else that of the report that burnward.yaml sends.
    fn zone(&self, config: &Config, tenant: &TenantId, team: Option<&TeamName>) -> Result<Zone, Problem> {
        let sent = || config.report_zone(tenant, team).map_or("UTC", Zone::as_str);
        let name = Self::given(self.timezone.as_ref()).unwrap_or_else(sent);
        match zones::find(name) {
            Found::Zone(zone) | Found::Renamed(zone) => Ok(zone),
            Found::Unknown { nearest } => {
                let advice = nearest.unwrap_or_else(|| "a name such as Europe/Berlin".to_owned());
                Err(Problem::bad_request(&format!("there is no time zone `{}`; write {advice}", cut(name, 40))))
            }
        }
    }

    /// The same as parameters of an address, without the tenant.
    pub fn parameters(&self) -> Vec<(&'static str, &str)> {
        let all =
            [("team", &self.team), ("week", &self.week), ("until", &self.until), ("timezone", &self.timezone), ("figures", &self.figures)];
        all.into_iter().filter_map(|(name, value)| Some((name, Self::given(value.as_ref())?))).collect()
    }
}

/// `GET /api/v1/reports/week`.
pub async fn week(State(site): State<Site>, tenant: Tenant, Query(query): Query<WeekQuery>) -> Result<Json<WeekReport>, Problem> {
    Ok(Json(WeekReport::of(&weekly(&site.handle, &tenant.0, &query).await?)))
}

/// `GET /api/v1/reports/week.md`.
pub async fn week_markdown(State(site): State<Site>, tenant: Tenant, Query(query): Query<WeekQuery>) -> Result<Response, Problem> {
    let weekly = weekly(&site.handle, &tenant.0, &query).await?;
    let document = site.renderer.report_document(&ReportContext::new(&weekly));
    Ok(([(header::CONTENT_TYPE, "text/markdown; charset=utf-8".to_owned()), attached(&weekly, "md")], document).into_response())
}

/// `GET /api/v1/reports/week.csv`.
pub async fn week_csv(State(site): State<Site>, tenant: Tenant, Query(query): Query<WeekQuery>) -> Result<Response, Problem> {
    let weekly = weekly(&site.handle, &tenant.0, &query).await?;
    let kind = (header::CONTENT_TYPE, "text/csv; charset=utf-8; header=present".to_owned());
    Ok(([kind, attached(&weekly, "csv")], csv(&weekly)).into_response())
}

/// As what a browser keeps it: `error-budgets-payments-2026-W47.csv`.
fn attached(weekly: &Weekly, ending: &str) -> (header::HeaderName, String) {
    let team = weekly.team.as_ref().map_or("all", TeamName::as_str);
    let week = weekly.week.name.replace(' ', "-");
    (header::CONTENT_DISPOSITION, format!("attachment; filename=\"error-budgets-{team}-{week}.{ending}\""))
}

/// The report that is asked for.
pub async fn weekly(handle: &Handle, tenant: &TenantId, query: &WeekQuery) -> Result<Weekly, Problem> {
    let (which, team) = (query.which()?, query.team()?);
    let zone = query.zone(&handle.config, tenant, team.as_ref())?;
    let now = handle.view.borrow().as_of;
    let week = CivilWeek::of(&which, &zone, now)?;
    let known = match Figures::read(query.figures.as_deref())? {
        Figures::AsCorrected => Asof::Corrected,
        Figures::AsKnownThen => Asof::KnownThen,
    };
    Ok(gather(handle, Asked { tenant: tenant.clone(), team, week, known }).await?)
}

impl From<WeekError> for Problem {
    fn from(error: WeekError) -> Self {
        Self::bad_request(&error.to_string())
    }
}

impl From<ReportError> for Problem {
    fn from(error: ReportError) -> Self {
        match error {
            ReportError::NoTeam(_) => Self::not_found(&error.to_string()),
            ReportError::Store(error) => error.into(),
        }
    }
}
