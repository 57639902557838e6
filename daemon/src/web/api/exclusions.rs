//! `/api/v1/exclusions`: time that people take out of budgets, and take back.

use std::{sync::Arc, time::Duration};

use axum::{
    Json,
    extract::{Path, Query, State},
};
use burnward_core::{
    exclusion::{Case, ExclusionId, Known, Owner, Recurrence, Scope, When},
    id::{Group, NameError, ServiceName, SloId, SloName, TenantId},
    incident::Via,
    slo::Slo,
    time::{Timestamp, days},
    window::Interval,
    words::list as listed,
};
use jiff::{civil::DateTime, tz::TimeZone};
use serde::Deserialize;

use super::{
    explain::moment,
    problem::Problem,
    wire::{ExclusionBody, ExclusionState, WithdrawalBody},
};
use crate::{
    app::Handle,
    exclusion::recurrence::Occurrences,
    schedule,
    tasks::decide::CorrectionAsked,
    view::View,
    web::{
        Site,
        access::{Caller, Tenant},
    },
};

/// The longest stretch that comes once.
const LONGEST: Duration = days(92);

/// How far back and ahead time may be taken out: as far as the ledger reaches, and a year.
const BACK: Duration = days(762);
const AHEAD: Duration = days(366);

/// The longest reason and the longest name of an approver, in characters.
const REASON: usize = 500;
const APPROVER: usize = 120;

/// Parameters of the list.
#[derive(Debug, Default, Deserialize)]
pub struct ListQuery {
    /// Only those that take time out of this SLO, as service/name.
    slo: Option<String>,
}

/// `GET /api/v1/exclusions`: newest first, withdrawn ones too.
pub async fn list(State(site): State<Site>, tenant: Tenant, Query(query): Query<ListQuery>) -> Result<Json<Vec<ExclusionState>>, Problem> {
    let slo = query.slo.as_deref().map(|slo| slo_id(&tenant.0, slo)).transpose()?;
    if let Some(slo) = &slo {
        is_known(&site.handle, slo)?;
    }
    Ok(Json(states(&site.handle, &tenant.0, Known::Now, |scope| slo.as_ref().is_none_or(|slo| scope.is_of(slo)))))
}

/// The exclusions of a tenant that are about something, newest first: those that were recorded by then, and taken back only where that was, too.
pub fn states(handle: &Handle, tenant: &TenantId, known: Known, about: impl Fn(&Scope) -> bool) -> Vec<ExclusionState> {
    let view = handle.view.borrow();
    let Some(record) = view.exclusions.get(tenant) else { return Vec::new() };
    let was_known = |at: Timestamp| match known {
        Known::Now => true,
        Known::By(then) => at <= then,
    };
    let cases = record.cases.iter().filter(|case| about(&case.entry.scope) && was_known(case.recorded_at)).rev();
    let now = handle.clock.now();
    let state = |case: &Case| {
        let withdrawal = case.withdrawal.clone().filter(|withdrawal| was_known(withdrawal.at));
        Some(ExclusionState::of(&Case { withdrawal, ..case.clone() }, record.exclusions.get(case.entry.id)?, now))
    };
    cases.filter_map(state).collect()
}

/// An SLO that neither runs nor is named by an exclusion is a mistake: its list would be empty and look as if nothing were excluded.
fn is_known(handle: &Handle, slo: &SloId) -> Result<(), Problem> {
    let view = handle.view.borrow();
    let names = |scope: &Scope| match &scope.of {
        Owner::Tenant | Owner::Service(_) => false,
        Owner::Slo(..) | Owner::Objective(..) => scope.is_of(slo),
    };
    let named = view.exclusions.get(&slo.tenant).is_some_and(|record| record.cases.iter().any(|case| names(&case.entry.scope)));
    if named || view.slos.contains_key(slo) {
        return Ok(());
    }
    Err(Problem::not_found(&format!("no SLO `{}/{}` runs for this tenant; `burnward status` lists all", slo.service, slo.name)))
}

fn slo_id(tenant: &TenantId, text: &str) -> Result<SloId, Problem> {
    let wrong = || Problem::bad_request(&format!("`{}` is not an SLO as service/name", burnward_core::words::cut(text, 80)));
    let (service, name) = text.split_once('/').ok_or_else(wrong)?;
    Ok(SloId {
        tenant: tenant.clone(),
        service: ServiceName::parse(service).map_err(|_| wrong())?,
        name: SloName::parse(name).map_err(|_| wrong())?,
    })
}

/// `POST /api/v1/exclusions`.
pub async fn add(
    State(site): State<Site>,
    tenant: Tenant,
    caller: Caller,
    Json(body): Json<ExclusionBody>,
) -> Result<Json<ExclusionState>, Problem> {
    let asked = read(&body, site.handle.clock.now())?;
    let id = site.handle.correct(&tenant.0, asked, caller.actor(Via::Api)).await?;
    let recorded = one(&site.handle, &tenant.0, id)?;
    Ok(Json(ExclusionState { leaves: leaves(&site.handle.view.borrow(), &tenant.0, &scope(&body)?), ..recorded }))
}

/// An exclusion belongs to the budgets that it names (ADR 0019): which journeys keep the time of a member, and which members that of a journey.
fn leaves(view: &View, tenant: &TenantId, scope: &Scope) -> Vec<String> {
    let name = |slo: &SloId| format!("{}/{}", slo.service, slo.name);
    let of = |(journey, slo): (&SloId, &Arc<Slo>)| {
        let composite = slo.sli.composite().filter(|_| journey.tenant == *tenant)?;
        let (named, others): (Vec<&SloId>, Vec<&SloId>) =
            composite.members().map(|member| &member.slo).partition(|member| scope.is_of(member));
        let list = |slos: &[&SloId]| listed(&slos.iter().map(|slo| name(slo)).collect::<Vec<_>>(), 5);
        match (scope.is_of(journey), named.as_slice(), others.as_slice()) {
            (true, _, []) | (false, [], _) => None,
            (true, _, others) => Some(format!("the budgets of what {} is made of stay as they are: {}", name(journey), list(others))),
            (false, named, _) => Some(format!(
                "the journey {journey} stays as it is, for its users felt {}; to take the time out there, too, name {journey} as well",
                list(named),
                journey = name(journey)
            )),
        }
    };
    view.slos.iter().filter_map(of).collect()
}

/// `POST /api/v1/exclusions/{id}/withdraw`.
pub async fn withdraw(
    State(site): State<Site>,
    tenant: Tenant,
    caller: Caller,
    Path(id): Path<String>,
    Json(body): Json<WithdrawalBody>,
) -> Result<Json<ExclusionState>, Problem> {
    let unknown = || Problem::not_found(&format!("no exclusion `{}`", burnward_core::words::cut(&id, 40)));
    let id = ExclusionId::parse(&id).ok_or_else(unknown)?;
    let reason = words(&body.reason, "reason", REASON)?;
    let id = site.handle.correct(&tenant.0, CorrectionAsked::Withdraw { id, reason }, caller.actor(Via::Api)).await?;
    one(&site.handle, &tenant.0, id).map(Json)
}

fn one(handle: &Handle, tenant: &TenantId, id: ExclusionId) -> Result<ExclusionState, Problem> {
    let view = handle.view.borrow();
    let found = view.exclusions.get(tenant).and_then(|record| {
        let case = record.cases.iter().find(|case| case.entry.id == id)?;
        Some(ExclusionState::of(case, record.exclusions.get(id)?, handle.clock.now()))
    });
    found.ok_or_else(|| Problem::not_found(&format!("no exclusion {id}")))
}

/// Checks what is asked for.
fn read(body: &ExclusionBody, now: Timestamp) -> Result<CorrectionAsked, Problem> {
    Ok(CorrectionAsked::Exclude {
        scope: scope(body)?,
        when: when(body, now)?,
        reason: words(&body.reason, "reason", REASON)?,
        approver: words(&body.approver, "approver", APPROVER)?,
    })
}

fn scope(body: &ExclusionBody) -> Result<Scope, Problem> {
    let wrong = |error: NameError| Problem::bad_request(&error.to_string());
    let of = Owner::parse((body.service.as_deref(), body.slo.as_deref(), body.objective.as_deref())).map_err(wrong)?;
    let of = match (of, body.all) {
        (Some(Owner::Tenant), false) => return Err(Problem::bad_request("say what is excluded: a `service`, one of its SLOs, or `all`")),
        (Some(Owner::Service(_) | Owner::Slo(..) | Owner::Objective(..)), true) => {
            return Err(Problem::bad_request("`all` and `service` contradict each other"));
        }
        (Some(of), _) => of,
        (None, _) => return Err(Problem::bad_request("an SLO needs its `service`, an objective needs its `slo`")),
    };
    Ok(Scope { of, group: Group::new(body.group.clone()) })
}

fn when(body: &ExclusionBody, now: Timestamp) -> Result<When, Problem> {
    let zone = body.timezone.as_deref().map(zone).transpose()?;
    let instant = |text: &Option<String>| text.as_deref().map(|text| time(text, zone.as_ref().map(|(_, zone)| zone))).transpose();
    let (from, to) = (instant(&body.from)?.unwrap_or(now), instant(&body.to)?);
    if from < now.minus(BACK) || from > now.plus(AHEAD) {
        return Err(Problem::bad_request("it begins further back than the ledger reaches, 25 months, or more than a year ahead"));
    }
    match (&body.every, body.lasts_seconds, zone) {
        (None, None, _) => once(from, to),
        (None, Some(_), _) => Err(Problem::bad_request("`lasts` is said of what recurs; give `to`, or `every`")),
        (Some(_), None, _) => Err(Problem::bad_request("say with `lasts` how long each stretch lasts")),
        (Some(_), Some(_), None) => {
            Err(Problem::bad_request("what recurs does so in the civil time of a `timezone`, such as Europe/Berlin"))
        }
        (Some(rule), Some(lasts), Some((zone, _))) => {
            let recurrence = Recurrence { rule: rule.clone(), zone, lasts: Duration::from_secs(lasts), from, until: to };
            Occurrences::read(&recurrence).map_err(|error| Problem::bad_request(&error.to_string()))?;
            Ok(When::Recurring(recurrence))
        }
    }
}

fn once(from: Timestamp, to: Option<Timestamp>) -> Result<When, Problem> {
    let to = to.ok_or_else(|| Problem::bad_request("say with `to` when it ends"))?;
    match to.since(from) {
        Duration::ZERO => Err(Problem::bad_request("it ends before it begins")),
        length if length > LONGEST => {
            Err(Problem::bad_request("it is longer than 92 days; an SLO that does not count for so long is better left out"))
        }
        _ => Ok(When::Once(Interval { from, to })),
    }
}

fn zone(text: &str) -> Result<(String, TimeZone), Problem> {
    let known = TimeZone::get(text);
    let known = known.map_err(|_| Problem::bad_request(&format!("there is no time zone `{}`", burnward_core::words::cut(text, 64))))?;
    Ok((text.to_owned(), known))
}

/// An instant, or a civil time of a zone.
fn time(text: &str, zone: Option<&TimeZone>) -> Result<Timestamp, Problem> {
    let civil: Option<DateTime> =
        if text.ends_with(['Z', 'z']) { None } else { text.parse().ok().filter(|_| text.parse::<jiff::Timestamp>().is_err()) };
    match (civil, zone) {
        (None, _) => moment(text),
        (Some(_), None) => {
            Err(Problem::bad_request(&format!("`{text}` names no zone: give a `timezone`, or write it as 2026-11-25T03:10:00Z")))
        }
        (Some(civil), Some(zone)) => {
            let name = zone.iana_name().unwrap_or("the zone");
            let why = match schedule::shown_at(zone, civil).as_slice() {
                [at] => return Ok(Timestamp::from_millis(at.as_millisecond())),
                [first, .., last] => {
                    format!("comes twice in {name}, where the clocks are set back over it; write it as {first} or as {last}")
                }
                [] => format!(
                    "does not exist in {name}: the clocks are set forward over it; write a time before or after that, or one with Z"
                ),
            };
            Err(Problem::bad_request(&format!("`{text}` {why}")))
        }
    }
}

/// Why something is corrected, and who approved it.
pub fn reason_and_approver(reason: &str, approver: &str) -> Result<(String, String), Problem> {
    Ok((words(reason, "reason", REASON)?, words(approver, "approver", APPROVER)?))
}

fn words(text: &str, what: &str, most: usize) -> Result<String, Problem> {
    let text = text.trim();
    match text.chars().count() {
        0 => Err(Problem::bad_request(&format!("say the {what}"))),
        characters if characters > most => Err(Problem::bad_request(&format!("the {what} is longer than {most} characters"))),
        _ => Ok(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_795_000_000); // 2026-11-18T11:06:40Z

    fn body() -> ExclusionBody {
        ExclusionBody {
            service: Some("checkout".to_owned()),
            to: Some("2026-11-18T12:00:00Z".to_owned()),
            reason: "data base upgrade".to_owned(),
            approver: "sam".to_owned(),
            ..ExclusionBody::default()
        }
    }

    fn nightly() -> ExclusionBody {
        let text = |text: &str| Some(text.to_owned());
        ExclusionBody { every: text("0 2 * * SUN"), timezone: text("Europe/Berlin"), lasts_seconds: Some(7200), to: None, ..body() }
    }

    fn refusal(body: &ExclusionBody) -> String {
        match read(body, NOW) {
            Ok(asked) => panic!("it was taken: {asked:?}"),
            Err(problem) => problem.detail().to_owned(),
        }
    }

    #[test]
    fn what_is_missing_or_contradicts_is_refused_with_what_to_write() {
        let text = |text: &str| Some(text.to_owned());
        for (body, says) in [
            (ExclusionBody { service: None, ..body() }, "say what is excluded"),
            (ExclusionBody { all: true, ..body() }, "contradict"),
            (ExclusionBody { service: None, slo: text("availability"), ..body() }, "needs its `service`"),
            (ExclusionBody { objective: text("sla"), ..body() }, "needs its `slo`"),
            (ExclusionBody { service: text("A b"), ..body() }, "is not a name"),
            (ExclusionBody { to: None, ..body() }, "say with `to`"),
            (ExclusionBody { to: text("2026-11-18T11:00:00Z"), ..body() }, "ends before it begins"),
            (ExclusionBody { to: text("2027-11-18T11:00:00Z"), ..body() }, "longer than 92 days"),
            (ExclusionBody { to: text("2026-11-18T12:00"), ..body() }, "names no zone"),
            (ExclusionBody { to: text("noon"), ..body() }, "is not a time"),
            (
                ExclusionBody { from: text("2026-10-25T02:30"), timezone: text("Europe/Berlin"), ..body() },
                "write it as 2026-10-25T00:30:00Z or as 2026-10-25T01:30:00Z",
            ),
            (
                ExclusionBody { from: text("2027-03-28T02:10"), to: text("2027-03-28T02:50"), timezone: text("Europe/Berlin"), ..body() },
                "`2027-03-28T02:10` does not exist in Europe/Berlin: the clocks are set forward over it",
            ),
            (ExclusionBody { from: text("2020-01-01T00:00:00Z"), ..body() }, "25 months"),
            (ExclusionBody { lasts_seconds: Some(60), ..body() }, "of what recurs"),
            (ExclusionBody { lasts_seconds: None, ..nightly() }, "how long each stretch lasts"),
            (ExclusionBody { timezone: None, ..nightly() }, "civil time"),
            (ExclusionBody { timezone: text("Mars/Olympus"), ..nightly() }, "no time zone"),
            (ExclusionBody { every: text("0 25 * * *"), ..nightly() }, "the hour, `25`"),
            (ExclusionBody { reason: "  ".to_owned(), ..body() }, "say the reason"),
            (ExclusionBody { approver: String::new(), ..body() }, "say the approver"),
            (ExclusionBody { approver: "x".repeat(121), ..body() }, "longer than 120"),
        ] {
            let refusal = refusal(&body);
            assert!(refusal.contains(says), "{body:?}: {refusal}");
        }
    }

    #[test]
    fn civil_times_are_of_the_zone() {
        let civil = |text: &str| Some(text.to_owned());
        let body =
            ExclusionBody { from: civil("2026-11-18T13:30"), to: civil("2026-11-18 14:30"), timezone: civil("Europe/Berlin"), ..body() };
        let CorrectionAsked::Exclude { when: When::Once(stretch), .. } = read(&body, NOW).expect("taken") else { panic!("once") };
        let at = |text: &str| moment(text).expect("a moment");
        assert_eq!(stretch, Interval { from: at("2026-11-18T12:30:00Z"), to: at("2026-11-18T13:30:00Z") });
        assert!(matches!(read(&nightly(), NOW), Ok(CorrectionAsked::Exclude { when: When::Recurring(_), .. })));
    }
}
