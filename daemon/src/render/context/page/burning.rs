//! What burns, on a page: how bad it is, of which SLOs and groups, and what is left of the budget.

use burnward_core::{
    exclusion::{Exclusion, Known, time_within},
    id::{BudgetId, Group, ObjectiveName, SloId},
    incident::{MemberShare, Symptom},
    ledger::Counts,
    sli::Sli,
    slo::Urgency,
    units::{Factor, Target},
    window::Interval,
    words,
};

use super::{
    super::{
        Moment,
        figures::{Figures, bad_share, headline_counts},
    },
    BudgetContext, BurnContext, GroupContext, HEADLINE_VALUE, LISTED, PageInput, SloContext, group_name, until,
};

pub(super) fn burn(figures: &[Figures<'_>], headline: &[&Figures<'_>], input: &PageInput<'_>) -> Option<BurnContext> {
    let worst = *headline.first()?;
    let like: Vec<&Figures<'_>> = headline.iter().copied().filter(|one| is_like(one, worst)).collect();
    let together: Counts = like.iter().map(|one| headline_counts(&one.row)).sum();
    let fired: Counts = like.iter().map(|one| one.fired).sum();
    let (slos, more_slos) = slos(figures, input);
    Some(BurnContext {
        failing: words::percent(bad_share(together)),
        of: format!("{}{}", of_what(worst, like.len() > 1, input), as_it_fired(together, fired, worst.target)),
        limit: words::percent(worst.target.allowed().as_f64()),
        budget: budget(worst, figures.len() > 1, input),
        slos,
        more_slos,
    })
}

/// What it was when it fired, where what it is now is within the limit: the alert clears only some time after.
fn as_it_fired(now: Counts, fired: Counts, target: Target) -> String {
    let within = |counts: Counts| bad_share(counts) <= target.allowed().as_f64();
    if within(now) && !within(fired) { format!(", {} when it fired", words::percent(bad_share(fired))) } else { String::new() }
}

/// The same objective of the same SLO, of another group that is in the same state.
pub(super) fn is_like(one: &Figures<'_>, worst: &Figures<'_>) -> bool {
    one.budget.slo == worst.budget.slo && one.budget.objective == worst.budget.objective && one.recovered == worst.recovered
}

/// What the share is of; in brief where several groups have taken the room.
fn of_what(worst: &Figures<'_>, several: bool, input: &PageInput<'_>) -> String {
    let sli = input.view.slos.get(&worst.budget.slo).map(|slo| &slo.sli);
    let failing = match (worst.symptom, sli) {
        (Symptom::Failing | Symptom::Down, _) if several => "failing".to_owned(),
        (Symptom::TooSlow, _) if several => "too slow".to_owned(),
        (Symptom::Broken, _) if several => "of the time broken".to_owned(),
        (Symptom::Broken, _) => broken_by(worst),
        (Symptom::OutOfBounds, _) if several => "of the time out of bounds".to_owned(),
        (Symptom::TooSlow, Some(Sli::Latency { within, tolerated: None, .. })) => format!("of requests slower than {}", seconds(*within)),
        (Symptom::TooSlow, Some(Sli::Latency { within, tolerated: Some(tolerated), .. })) => {
            format!("of requests slower than {} (half up to {})", seconds(*within), seconds(*tolerated))
        }
        (Symptom::OutOfBounds, Some(Sli::Window { is, threshold, .. })) => format!("of the time not {} {threshold}", is.sign()),
        (Symptom::Downtime, Some(Sli::Latency { .. })) => "of the time too slow".to_owned(),
        (
            symptom @ (Symptom::Failing | Symptom::TooSlow | Symptom::Down | Symptom::Downtime | Symptom::Missing | Symptom::OutOfBounds),
            _,
        ) => words::symptom(symptom).to_owned(),
    };
    match worst.row.row.urgency {
        Urgency::Page => failing,
        Urgency::Ticket => format!("{failing} over {}", words::duration(worst.counted)),
    }
}

/// The members of a journey that it fails for.
fn broken_by(worst: &Figures<'_>) -> String {
    let name = |share: &MemberShare| format!("{}/{}", share.slo.service, share.slo.name);
    match worst.members {
        [] => words::symptom(Symptom::Broken).to_owned(),
        [only] => format!("of the time broken by {}", name(only)),
        [first, rest @ ..] => format!("of the time broken by {} and {} more", name(first), rest.len()),
    }
}

/// A latency in seconds, as a person writes it: `300 ms`, `2 s`.
fn seconds(within: f64) -> String {
    if within < 1.0 { format!("{} ms", (within * 1e6).round() / 1e3) } else { format!("{within} s") }
}

/// What of an incident's time is taken out of a budget, and by which exclusions.
fn excluded(budget: &BudgetId, input: &PageInput<'_>) -> Option<String> {
    let record = input.view.exclusions.get(&budget.slo.tenant)?;
    let over = Interval { from: input.incident.began, to: until(input) };
    let within = |stretch: &Interval| Interval { from: stretch.from.max(over.from), to: stretch.to.min(over.to) };
    let stretches = record.exclusions.stretches(budget, Known::Now);
    let time = time_within(&stretches, over);
    let touches = |exclusion: &&Exclusion| exclusion.stretches.iter().map(within).any(|part| part.from < part.to);
    let by: Vec<String> = record.exclusions.of(budget, Known::Now).filter(touches).map(|exclusion| exclusion.id.to_string()).collect();
    (!time.is_zero())
        .then(|| format!("{} of this burn are excluded by {}; alerts count them", words::duration(time), words::list(&by, LISTED)))
}

fn budget(worst: &Figures<'_>, several: bool, input: &PageInput<'_>) -> BudgetContext {
    let whose = (several && !worst.budget.group.is_whole()).then(|| group_name(&worst.budget.group, HEADLINE_VALUE));
    BudgetContext {
        whose,
        left: words::budget_left(&worst.left),
        left_between: worst.unseen.as_ref().and_then(words::unseen_left),
        seen: worst.coverage.and_then(words::window_seen),
        still_to_read: (!worst.to_fill.is_zero()).then(|| words::duration(worst.to_fill)),
        excluded: excluded(worst.budget, input),
        window: words::promise(&words::window_spoken(worst.window), objective(worst, input)),
        runs_out: worst.runs_out.map(words::duration),
        long: long(worst),
        long_failing: words::percent(bad_share(worst.row.long)),
        long_burn: times(worst.row.long_burn, worst.row.row.factor),
        short: words::duration(worst.row.row.short),
        short_failing: words::percent(worst.failing()),
        short_burn: times(worst.row.short_burn, worst.row.row.factor),
        threshold: words::times(worst.row.row.factor.as_f64()),
        as_of: Moment::at(worst.as_of, input.now),
    }
}

/// The name of a budget's objective, where another one of its SLO reads the same without it.
fn objective<'a>(figures: &Figures<'a>, input: &PageInput<'_>) -> Option<&'a str> {
    let slo = input.view.slos.get(&figures.budget.slo)?;
    slo.told_by_name(&figures.budget.objective).map(ObjectiveName::as_str)
}

/// The long lookback, with how much of it was counted where that is not most of it.
fn long(worst: &Figures<'_>) -> String {
    let long = words::duration(worst.row.row.long);
    if worst.counted * 10 < worst.row.row.long * 9 { format!("{long} ({} counted)", words::duration(worst.counted)) } else { long }
}

/// A burn rate, with more decimals only where it would look like the threshold.
fn times(burn: f64, factor: Factor) -> String {
    let brief = words::times(burn);
    if brief == words::times(factor.as_f64()) { words::times_beside(burn, factor) } else { brief }
}

/// The SLOs, worst first, and how many are left out.
fn slos(figures: &[Figures<'_>], input: &PageInput<'_>) -> (Vec<SloContext>, usize) {
    let mut ids: Vec<&SloId> = Vec::new();
    for one in figures {
        if !ids.contains(&&one.budget.slo) {
            ids.push(&one.budget.slo);
        }
    }
    let listed = ids.iter().take(LISTED).filter_map(|id| slo(id, figures, input)).collect();
    (listed, ids.len().saturating_sub(LISTED))
}

fn slo(id: &SloId, figures: &[Figures<'_>], input: &PageInput<'_>) -> Option<SloContext> {
    let of_slo: Vec<&Figures<'_>> = figures.iter().filter(|one| one.budget.slo == *id).collect();
    let first = of_slo.first()?;
    let mut groups: Vec<(&Group, GroupContext)> = Vec::new();
    for one in of_slo.iter().filter(|one| !one.recovered && !one.budget.group.is_whole()) {
        if groups.iter().all(|(known, _)| **known != one.budget.group) {
            groups.push((&one.budget.group, GroupContext { name: one.budget.group.values(), failing: words::percent(one.failing()) }));
        }
    }
    let burning = groups.len();
    Some(SloContext {
        name: id.name.to_string(),
        title: first.title.to_owned(),
        target: targets(&of_slo, input),
        groups: groups.into_iter().take(LISTED).map(|(_, context)| context).collect(),
        more: burning.saturating_sub(LISTED),
        recovered: of_slo.iter().filter(|one| one.recovered).count(),
        members: first.members.iter().map(|share| member(share, first.journey_bad)).collect(),
    })
}

/// The target of an SLO; where it has several objectives those that burn, by name, the worst first, or those that did.
fn targets(of_slo: &[&Figures<'_>], input: &PageInput<'_>) -> String {
    let burning = of_slo.iter().any(|one| !one.recovered);
    let mut hit: Vec<&Figures<'_>> = Vec::new();
    for one in of_slo.iter().filter(|one| !one.recovered || !burning) {
        if hit.iter().all(|known| known.budget.objective != one.budget.objective) {
            hit.push(one);
        }
    }
    let runs = of_slo.first().and_then(|first| input.view.slos.get(&first.budget.slo));
    let is_one_of_several = hit.len() > 1 || runs.is_some_and(|slo| slo.objectives.len() > 1);
    let told = |one: &&Figures<'_>| {
        let target = format!("{} %", one.target.as_percent());
        if is_one_of_several { format!("{target}, objective {}", one.budget.objective) } else { target }
    };
    hit.iter().take(LISTED).map(told).collect::<Vec<_>>().join("; ")
}

/// A member of a journey with the share of the bad slices that it cost.
fn member(share: &MemberShare, journey_bad: i64) -> String {
    let ratio = if journey_bad > 0 { share.cost as f64 / journey_bad as f64 } else { 0.0 };
    format!("{}/{} ({})", share.slo.service, share.slo.name, words::whole_percent(ratio))
}
