//! `/api/v1/slos/{service}/{name}/downtime`: which slices of an objective that is counted in slices of time were bad, and which nobody saw.

use axum::{
    Json,
    extract::{Path, Query, State},
};
use burnward_core::{
    downtime::{Spell, Verdict, spells},
    evaluate::BudgetStatus,
    ledger::{Counts, Late, StoredStream},
    slo::{CountedIn, SliceRule, Slo},
    time::Timestamp,
    window::Interval,
};

use super::{
    explain::{ExplainQuery, When, at_moment, find, judging, statuses, stored_stream},
    problem::Problem,
    wire::Downtime,
};
use crate::{
    app::Handle,
    tasks::decide::{Groups, PastAsked, SlicesAsked},
    web::{Site, access::Tenant},
};

/// More slices than any period has.
const EVERY: usize = 10_000_000;

/// `GET /api/v1/slos/{service}/{name}/downtime`: of one budget; without `?budget=` of the worst.
pub async fn get(
    State(site): State<Site>,
    tenant: Tenant,
    Path((service, name)): Path<(String, String)>,
    Query(query): Query<ExplainQuery>,
) -> Result<Json<Downtime>, Problem> {
    let slo = find(&site.handle, &tenant.0, &service, &name)?;
    let when = query.when(site.handle.clock.now())?;
    let mut found = statuses(&site.handle, &slo, when, query.budget()).await?.into_iter();
    let status = match query.budget() {
        Some(_) => found.next(),
        None => found.find(|status| matches!(status.counted_in, CountedIn::Slices(_))),
    };
    let status = status.ok_or_else(|| Problem::not_found("the SLO has no such budget; its page lists all"))?;
    let status = at_moment(&site.handle, &slo, status, when).await?;
    let missing = || Problem::not_found("this budget is not counted in slices of time, so none of them is down");
    of(&site.handle, &slo, &status, when).await?.ok_or_else(missing).map(Json)
}

/// The downtime of a budget's window, up to the moment that is asked for; `None` where it is not counted in slices.
pub async fn of(handle: &Handle, slo: &Slo, status: &BudgetStatus, when: When) -> Result<Option<Downtime>, Problem> {
    let CountedIn::Slices(rule) = status.counted_in else { return Ok(None) };
    let over = Interval { from: status.over.from, to: when.at.unwrap_or(status.as_of).min(status.over.to) };
    let excluded = {
        let view = handle.view.borrow();
        let of_tenant = view.exclusions.get(&slo.id.tenant);
        of_tenant.map(|all| all.exclusions.stretches(&status.budget, when.figures.known(over.to))).unwrap_or_default()
    };
    let (unjudged, verdicts) = verdicts(handle, slo, status, rule, over, when).await?;
    let unjudged = unjudged.map(|over| Spell { over, verdict: Verdict::Unseen, excluded: false });
    let spells: Vec<Spell> = unjudged.into_iter().chain(spells(rule.length, verdicts, &excluded)).collect();
    Ok(Some(Downtime::of(status, over, rule.length, &spells)))
}

/// The verdicts of a stretch: the memory's where it still holds each of them, the store's before; and the part of it in which nothing was judged, because
/// nothing was counted, or history tells no slice from the next.
async fn verdicts(
    handle: &Handle,
    slo: &Slo,
    status: &BudgetStatus,
    rule: SliceRule,
    over: Interval,
    when: When,
) -> Result<(Option<Interval>, Vec<(Timestamp, Counts)>), Problem> {
    let known = when.figures.known(over.to);
    let by = judging(handle, slo, when).await?.map(|judging| (slo.id.clone(), judging)).into_iter().collect();
    let asked = PastAsked { groups: Groups::One(status.budget.group.clone()), by, ..PastAsked::of(vec![slo.id.clone()]) };
    let past = handle.past(&slo.id.tenant, asked).await?;
    let Some(place) = past.into_iter().find(|past| past.budget == status.budget).and_then(|past| past.place) else {
        return Ok((Some(over), Vec::new()));
    };
    let unjudged = Interval { to: place.counted_from.unwrap_or(over.to).min(over.to), ..over };
    let unjudged = Some(unjudged).filter(|unjudged| unjudged.from < unjudged.to);
    let split = place.each_from.map_or(over.to, |from| from.max(over.from).min(over.to));
    let mut found = Vec::new();
    if over.from < split {
        let before = Interval { to: split, ..over };
        let stream: StoredStream = stored_stream(handle, &slo.id.tenant, &place, before).await?;
        let late = handle.late(&slo.id.tenant, [known]).await?;
        found.extend(stream.without(place.stream, &Late::unknown(&late, known)).slices(before));
    }
    let asked = SlicesAsked {
        budget: status.budget.clone(),
        counted_in: status.counted_in,
        over: Interval { from: split, to: over.to },
        at_most: EVERY,
    };
    let held = handle.slices(asked, known).await?;
    found.extend(held.into_iter().map(|slice| (slice.end, slice.counts)));
    let blind_since = status.newest_sample.filter(|_| status.unknown.is_some());
    let is_silent = |end: Timestamp| blind_since.is_some_and(|newest| newest <= end.minus(rule.length)) && end <= over.to;
    for (_, counts) in found.iter_mut().filter(|(end, counts)| counts.is_zero() && is_silent(*end)) {
        counts.unseen_millis = i64::try_from(rule.length.as_millis()).unwrap_or(i64::MAX);
    }
    Ok((unjudged, found))
}
