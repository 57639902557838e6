//! What products answer differently, and an SLO says for itself: first values, targets of 100 %, time without events, time without data.

use std::time::Duration;

use burnward_core::{
    alert::AlertState,
    evaluate::{BudgetStatus, Evaluation, Input, State, evaluate, is_quiet},
    exclusion::Excluded,
    id::{BudgetId, Group},
    ledger::{Reason, Series, Sums},
    slo::{NewSeries, NoDataThen, Slo},
    time::{days, hours, minutes},
    units::{Target, TargetError},
    window::Interval,
};

use crate::from_samples::{BAD, Day, START, TOTAL, availability, series, slo};

/// The one budget of a day as it stands at its end.
fn standing(day: &Day) -> BudgetStatus {
    let now = START.plus(days(1));
    let stream = day.ledger.streams().find(|stream| *stream.slo == day.slo.id).expect("a stream");
    let sums = day.ledger.sums(stream.index, now);
    let input = Input {
        sums: sums.as_ref().map(|sums| sums as &dyn Sums).map_err(Clone::clone),
        held: None,
        over: Interval::ending(now, days(1)),
        newest_sample: stream.newest_sample,
        counted_from: stream.counted_from,
        unjudged: Duration::ZERO,
        excluded: Excluded::default(),
        began: None,
        catching_up: false,
        to_fill: Duration::ZERO,
        members: Vec::new(),
    };
    let objective = &day.slo.objectives[0];
    let budget = BudgetId { slo: day.slo.id.clone(), objective: objective.name.clone(), group: Group::whole() };
    let Evaluation { status, .. } = evaluate(&day.slo, objective, budget, &input, AlertState::default(), now);
    status
}

fn with(policy: impl FnOnce(&mut Slo)) -> Slo {
    let mut slo = slo(availability());
    policy(&mut slo);
    slo
}

#[test]
fn first_failures_of_a_new_series_never_vanish() {
    let total = series(TOTAL, |minute| Some(100 * minute));
    let bad = series(BAD, |minute| (minute >= 1000).then_some(7));
    for (policy, counted) in [(NewSeries::Auto, 7), (NewSeries::CountFirst, 7), (NewSeries::Baseline, 0)] {
        let day = Day::of_slo(with(|slo| slo.new_series = policy), &[total.clone(), bad.clone()]);
        assert_eq!(day.over(days(1)).bad, counted, "{policy:?}: `increase` says 0");
    }
}

#[test]
fn a_target_of_100_percent_is_refused() {
    for text in ["100%", "100.0%", "100.000000%"] {
        assert_eq!(Target::percent(text), Err(TargetError::Hundred), "{text}: any failure would be infinitely too many");
    }
    assert!(Target::percent("99.9999999%").is_ok());
}

#[test]
fn without_traffic_nothing_failed_and_no_figure_is_invented() {
    let held = [series(TOTAL, |_| Some(5)), series(BAD, |_| Some(0))];
    let status = standing(&Day::of(availability(), &held));
    assert_eq!((status.state, status.sli, status.left), (State::NoTraffic, None, None));
    assert!((status.coverage - 1.0).abs() < 1e-9, "all of it was seen: {}", status.coverage);
}

#[test]
fn an_hour_without_traffic_is_told_where_it_was_counted_and_seen() {
    let stops = |last: i64| [series(TOTAL, |minute| Some(minute.min(last))), series(BAD, |_| Some(0))];
    let quiet = |held: &[Series], over| is_quiet(Day::of(availability(), held).over(over), days(1), over);
    assert!(quiet(&stops(1370), hours(1)));
    assert!(!quiet(&stops(1400), hours(1)), "the last event is 40 min old");
    let counts = Day::of(availability(), &stops(0)).over(hours(1));
    assert!(!is_quiet(counts, minutes(30), hours(1)), "counting began half an hour ago");
}

#[test]
fn no_data_is_never_ok() {
    let gone =
        |last: i64| [series(TOTAL, |minute| (minute <= last).then_some(100 * minute)), series(BAD, |minute| (minute <= last).then_some(0))];
    let status = standing(&Day::of(availability(), &gone(1400)));
    assert_eq!((status.state, status.left), (State::CannotSee, None));
    assert_eq!(status.unknown.map(|unknown| unknown.reason), Some(Reason::Stale));
}

#[test]
fn time_without_data_bounds_the_budget_and_counts_as_bad_only_where_the_slo_says_so() {
    // Ten hours in the middle of the day are gone, and with them what a restarted counter does not tell.
    let seen = |minute: i64| (minute <= 400).then_some(100 * minute).or_else(|| (minute > 1000).then_some(100 * (minute - 1000)));
    let held = [series(TOTAL, seen), series(BAD, |minute| seen(minute).map(|_| 0))];
    let status = standing(&Day::of(availability(), &held));
    assert_eq!((status.state, status.counts.bad), (State::Ok, 0));
    let unseen = status.unseen.expect("ten hours");
    assert_eq!((unseen.time, unseen.most.ratio.to_bits()), (minutes(601), 1.0_f64.to_bits()));
    assert_eq!(
        unseen.events, 60_172,
        "as many a minute as were counted in 839: a hundred, and a hundred that the restarted counter tells of the gap"
    );
    assert!(unseen.least.is_spent());

    let strict = standing(&Day::of_slo(with(|slo| slo.no_data.then = NoDataThen::CountAsBad), &held));
    assert_eq!((strict.state, strict.counts.bad, strict.left), (State::Spent, 60_172, Some(unseen.least)));
}
