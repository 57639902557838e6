//! Runs a test: replays its traffic, and compares what burnward did with what was expected.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use burnward_core::{
    evaluate::BudgetStatus,
    id::{Group, SloId},
    incident::{AlertKey, Facts, Kind},
    slo::Slo,
    status::Status,
    time::Timestamp,
    units::Factor,
};

use super::{Alarm, Past, Replay, written};
use crate::{
    config::Config,
    definition::case::{Case, Expectation, Expected, Ready, Told},
    tasks::decide::Rehearsal,
};

/// What became of a test.
#[derive(Debug)]
pub struct Outcome<'a> {
    /// What was not as expected; none: it passed.
    pub failures: Vec<Failure<'a>>,
    /// What somebody was told of the SLO.
    pub told: Vec<Happened>,
}

/// What was not as expected.
#[derive(Debug)]
pub struct Failure<'a> {
    /// The expectation; `None`: something happened that no line expects.
    pub expectation: Option<&'a Expectation>,
    /// What was expected.
    pub expected: String,
    /// What happened instead.
    pub actual: String,
}

/// Something that somebody was told, by times of the test.
#[derive(Debug, Clone, PartialEq)]
pub struct Happened {
    /// What.
    pub told: Told,
    /// When it began.
    pub from: Duration,
    /// When it ended; `None`: it lasted to the end of the test.
    pub to: Option<Duration>,
    /// In which group.
    pub group: Group,
    /// Of which objective; `None` of what is no budget.
    pub objective: Option<String>,
    /// By the row with this burn rate.
    pub row: Option<Factor>,
}

/// A budget at a moment that an expectation asks for.
struct Standing {
    at: Duration,
    statuses: Vec<BudgetStatus>,
}

/// Runs a test by this configuration, whose clock and whose source are its own.
pub async fn run<'a>(case: &'a Case, ready: &Ready<'a>, config: &Arc<Config>) -> Outcome<'a> {
    let Some(slo) = ready.slos.first() else { return Outcome { failures: Vec::new(), told: Vec::new() } };
    let samples = written::samples(case, &ready.traffic);
    let slos = ready.slos.iter().map(as_if_active).collect();
    let rehearsal = Rehearsal::new(config.clone(), slo.id.tenant.clone(), slo.source.clone(), slos, case.begins);
    let mut replay = Replay::new(rehearsal, Past::Samples(samples));
    let mut moments: Vec<Duration> = case.expect.iter().filter_map(asked_at).collect();
    moments.sort_unstable();
    moments.dedup();
    let mut moments = moments.into_iter().peekable();
    let mut standings = Vec::new();
    let mut at = Duration::ZERO;
    loop {
        replay.tick(case.begins.plus(at)).await;
        while let Some(moment) = moments.next_if(|moment| *moment <= at) {
            let own = replay.statuses().iter().filter(|status| status.budget.slo == slo.id).cloned().collect();
            standings.push(Standing { at: moment, statuses: own });
        }
        if at >= case.lasts {
            break;
        }
        at = (at + config.tick).min(case.lasts);
    }
    let told: Vec<Happened> = replay.alarms().iter().filter_map(|alarm| happened(alarm, &slo.id, case.begins)).collect();
    let mut failures: Vec<Failure<'a>> =
        case.expect.iter().filter_map(|expectation| missed(expectation, &told, &standings, case)).collect();
    // What is shown already beside an expectation that it misses is not shown again.
    let is_shown = |told: Told| failures.iter().filter_map(|failure| failure.expectation).any(|missed| missed.what.begins() == Some(told));
    let strange: Vec<_> =
        told.iter().filter(|happened| !is_shown(happened.told)).filter_map(|happened| unexpected(happened, case, slo)).collect();
    failures.extend(strange);
    Outcome { failures, told }
}

/// An SLO as if it were active: what it would tell is what a test asks, whatever its status.
fn as_if_active(slo: &Arc<Slo>) -> Arc<Slo> {
    match slo.status {
        Status::Active => Arc::clone(slo),
        Status::Shadow | Status::Suspended(_) => Arc::new(Slo { status: Status::Active, ..Slo::clone(slo) }),
    }
}

fn asked_at(expectation: &Expectation) -> Option<Duration> {
    match &expectation.what {
        Expected::Budget { at, .. } => Some(*at),
        Expected::Begins { .. } | Expected::Ends { .. } | Expected::Never(_) => None,
    }
}

fn happened(alarm: &Alarm, slo: &SloId, begins: Timestamp) -> Option<Happened> {
    let (told, budget) = match (&alarm.alert, alarm.fault.kind) {
        (AlertKey::Budget(budget), Kind::Burn) if budget.slo == *slo => (Told::of(alarm.fault.urgency), Some(budget)),
        (AlertKey::Slo(of), Kind::CannotSee) if of == slo => (Told::Blind, None),
        (AlertKey::Source(_), Kind::CannotSee) => (Told::Blind, None),
        (AlertKey::Budget(_) | AlertKey::Slo(_) | AlertKey::Source(_) | AlertKey::Test, Kind::Burn | Kind::CannotSee | Kind::Test) => {
            return None;
        }
    };
    let row = match &alarm.facts {
        Facts::Burn(burn) => Some(burn.fired.row.factor),
        Facts::Blind(_) | Facts::Test(_) => None,
    };
    Some(Happened {
        told,
        from: alarm.at.since(begins),
        to: alarm.cleared.map(|at| at.since(begins)),
        group: budget.map_or_else(Group::whole, |budget| budget.group.clone()),
        objective: budget.map(|budget| budget.objective.as_str().to_owned()),
        row,
    })
}

fn is_in(group: &Group, asked: &BTreeMap<String, String>) -> bool {
    asked.iter().all(|(label, value)| group.labels().iter().any(|(name, have)| name == label && have == value))
}

/// An expectation that did not come true.
fn missed<'a>(expectation: &'a Expectation, told: &[Happened], standings: &[Standing], case: &Case) -> Option<Failure<'a>> {
    let (expected, actual) = match &expectation.what {
        Expected::Begins { told: kind, within, group, row } => {
            let of_kind = || told.iter().filter(|happened| happened.told == *kind && is_in(&happened.group, group));
            let by_row = |happened: &&Happened| row.is_none_or(|row| happened.row == Some(row));
            if of_kind().filter(by_row).any(|happened| within.holds(happened.from)) {
                return None;
            }
            let by = row.map_or_else(String::new, |row| format!(" by the row of {}x", row.as_f64()));
            let expected = format!("{}{}{by} from {} to {}", a(*kind), of_group(group), words::time(within.from), words::time(within.to));
            (expected, list(told, *kind, group, words::began))
        }
        Expected::Ends { told: kind, within, group } => {
            let of_kind = || told.iter().filter(|happened| happened.told == *kind && is_in(&happened.group, group));
            if of_kind().any(|happened| happened.to.is_some_and(|to| within.holds(to))) {
                return None;
            }
            let what = format!("the end of {}{}", a(*kind), of_group(group));
            (format!("{what} from {} to {}", words::time(within.from), words::time(within.to)), list(told, *kind, group, words::lasted))
        }
        Expected::Never(kind) => {
            told.iter().find(|happened| happened.told == *kind)?;
            (format!("no {} in {}", kind.word(), words::time(case.lasts)), list(told, *kind, &BTreeMap::new(), words::began))
        }
        Expected::Budget { at, above, below, group, objective } => {
            let standing = standings.iter().find(|standing| standing.at == *at)?;
            let of_objective = |status: &&BudgetStatus| objective.as_ref().is_none_or(|name| status.budget.objective.as_str() == name);
            let asked: Vec<&BudgetStatus> =
                standing.statuses.iter().filter(of_objective).filter(|status| is_in(&status.budget.group, group)).collect();
            let wrong: Vec<String> =
                asked.iter().filter(|status| !words::is_between(status, *above, *below)).map(|status| words::left(status)).collect();
            if wrong.is_empty() && !asked.is_empty() {
                return None;
            }
            let actual = if asked.is_empty() { "there is no such budget yet".to_owned() } else { wrong.join("; ") };
            (format!("at {} {} left{}", words::time(*at), words::bounds(*above, *below), of_group(group)), actual)
        }
    };
    Some(Failure { expectation: Some(expectation), expected, actual })
}

/// What happened although no line expects it: pages in every test, the others where the test speaks of them.
fn unexpected<'a>(happened: &Happened, case: &'a Case, slo: &Slo) -> Option<Failure<'a>> {
    let mut speaks = happened.told == Told::Page;
    for Expectation { what, .. } in &case.expect {
        match what {
            Expected::Never(told) if *told == happened.told => return None,
            Expected::Begins { told, within, group, row } if *told == happened.told => {
                let by_row = row.is_none_or(|row| happened.row == Some(row));
                if within.holds(happened.from) && is_in(&happened.group, group) && by_row {
                    return None;
                }
                speaks = true;
            }
            Expected::Never(_) | Expected::Begins { .. } | Expected::Ends { .. } | Expected::Budget { .. } => {}
        }
    }
    speaks.then(|| Failure {
        expectation: None,
        expected: format!("no other {} of {}", happened.told.word(), slo.id.name),
        actual: words::began(happened),
    })
}

fn a(told: Told) -> &'static str {
    match told {
        Told::Page => "a page",
        Told::Ticket => "a ticket",
        Told::Blind => "being told that it cannot be seen",
    }
}

fn of_group(group: &BTreeMap<String, String>) -> String {
    if group.is_empty() { String::new() } else { format!(" of {}", group.values().cloned().collect::<Vec<_>>().join(", ")) }
}

/// What happened of this kind in these groups; where nothing did, that, and what happened in others.
fn list(told: &[Happened], kind: Told, group: &BTreeMap<String, String>, say: fn(&Happened) -> String) -> String {
    let (inside, outside): (Vec<&Happened>, Vec<&Happened>) =
        told.iter().filter(|happened| happened.told == kind).partition(|happened| is_in(&happened.group, group));
    let none = format!("no {}{}", kind.word(), of_group(group));
    let shown: Vec<String> = if inside.is_empty() {
        std::iter::once(none).chain(outside.into_iter().map(say)).collect()
    } else {
        inside.into_iter().map(say).collect()
    };
    shown.join("; ")
}

mod words {
    //! What happened, in words.

    use std::time::Duration;

    use burnward_core::evaluate::BudgetStatus;

    use super::Happened;
    use crate::definition::duration;

    pub(super) fn time(at: Duration) -> String {
        duration::format(at)
    }

    pub(super) fn began(happened: &Happened) -> String {
        let row = happened.row.map_or_else(String::new, |row| format!(" by the row of {}x", row.as_f64()));
        format!("{} at {}{}{row}", happened.told.word(), time(happened.from), of_budget(happened))
    }

    pub(super) fn lasted(happened: &Happened) -> String {
        let to = happened.to.map_or_else(|| "to the end of the test".to_owned(), |to| format!("to {}", time(to)));
        format!("{} from {} {to}{}", happened.told.word(), time(happened.from), of_budget(happened))
    }

    fn of_budget(happened: &Happened) -> String {
        let group = happened.group.values();
        let group = if group.is_empty() { String::new() } else { format!(" of {group}") };
        happened.objective.as_ref().map_or(group.clone(), |objective| format!("{group} ({objective})"))
    }

    /// Whether what is left lies strictly between two bounds, in millionths.
    pub(super) fn is_between(status: &BudgetStatus, above: Option<i64>, below: Option<i64>) -> bool {
        let share = |millionths: i64| millionths as f64 / 1e6;
        status
            .left
            .is_some_and(|left| above.is_none_or(|above| left.ratio > share(above)) && below.is_none_or(|below| left.ratio < share(below)))
    }

    pub(super) fn bounds(above: Option<i64>, below: Option<i64>) -> String {
        let percent = |millionths: i64| format!("{} %", millionths as f64 / 1e4);
        let above = above.map(|above| format!("more than {}", percent(above)));
        let below = below.map(|below| format!("less than {}", percent(below)));
        above.into_iter().chain(below).collect::<Vec<_>>().join(" and ")
    }

    pub(super) fn left(status: &BudgetStatus) -> String {
        let name = format!("{}{}", status.budget.objective, status.budget.group);
        match (&status.left, &status.unknown) {
            (Some(left), _) => format!("{:.3} % left of {name}", left.ratio * 100.0),
            (None, Some(unknown)) => format!("{name} cannot be seen: {unknown}"),
            (None, None) => format!("no traffic in {name}"),
        }
    }
}
