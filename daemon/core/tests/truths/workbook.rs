//! Other figures of the SRE Workbook's chapter 5.

use std::time::Duration;

use burnward_core::{
    alert_rows::default_rows,
    budget,
    burn_rate::{self, RowBurn},
    ledger::Sums,
    time::{days, hours, minutes},
};

use crate::slices::{Slices, Watched, counts, page_row, target};

#[test]
fn fifteen_percent_for_ten_minutes_is_figure_5_6() {
    let mut service = Watched::clean(vec![page_row("14.4", hours(1), minutes(5))]);
    let detected = service.seconds_until_a_change(1500, 600).expect("it fires");
    assert_eq!(detected, 346);
    (detected..600).for_each(|_| assert_eq!(service.second(1500), []));
    let cleared = service.seconds_until_a_change(0, 3600).expect("it clears");
    assert_eq!(Duration::from_secs(cleared), minutes(4) + Duration::from_secs(32));

    let long_is_high = |service: &Watched| service.burns()[0].long_burn > 14.4;
    let mut since_the_end = cleared;
    while long_is_high(&service) {
        service.second(0);
        since_the_end += 1;
    }
    assert_eq!(Duration::from_secs(since_the_end), minutes(54) + Duration::from_secs(15), "the long lookback alone");
}

#[test]
fn one_lookback_alone_detects_as_fast_and_resets_an_hour_later() {
    let mut service = Watched::clean(vec![page_row("36", hours(1), hours(1))]);
    assert_eq!(service.seconds_until_a_change(10_000, 3600), Some(130));
    let reset = service.seconds_until_a_change(0, 3600);
    assert_eq!(reset.map(Duration::from_secs), Some(minutes(57) + Duration::from_secs(51)));
    assert_eq!(Watched::clean(vec![page_row("36", hours(1), hours(1))]).seconds_until_a_change(350, 7200), None, "35x never alerts");
}

#[test]
fn a_lookback_of_36_hours_sees_a_total_outage_after_two_minutes() {
    let mut service = Watched::clean(vec![page_row("1", hours(36), minutes(10))]);
    assert_eq!(service.seconds_until_a_change(10_000, 3600), Some(130));
}

#[test]
fn spikes_of_five_minutes_that_a_duration_would_hide_open_a_page() {
    let mut service = Watched::clean(default_rows(target("99.9%"), days(30)).rows);
    assert_eq!(service.seconds_until_a_change(10_000, 300), Some(52));
}

#[test]
fn burn_rates_and_failing_shares_correspond_as_in_table_5_4() {
    for (burn, bad) in [(1.0, 1), (2.0, 2), (10.0, 10), (1000.0, 1000)] {
        assert!((burn_rate::burn(counts(1000, bad), target("99.9%")) - burn).abs() < 1e-9, "{bad} of 1,000");
    }
}

#[test]
fn a_row_fires_when_its_share_of_the_budget_is_spent() {
    let table = default_rows(target("99.9%"), days(30)).rows;
    for (row, share) in table.iter().zip([0.02, 0.05, 0.1, 0.1]) {
        let spent = row.factor.as_f64() * row.long.div_duration_f64(days(30));
        assert!((spent - share).abs() < 1e-12, "{row:?}");
    }
}

#[test]
fn one_failure_in_ten_requests_of_an_hour_burns_at_100_and_alone_in_its_lookback_at_1000() {
    let target = target("99.9%");
    assert!((burn_rate::burn(counts(10, 1), target) - 100.0).abs() < 1e-9);
    assert!((burn_rate::burn(counts(1, 1), target) - 1000.0).abs() < 1e-9);
}

#[test]
fn ten_requests_an_hour_allow_seven_failures_a_month_and_one_of_them_is_above_the_fast_factor() {
    let target = target("99.9%");
    assert!((7200.0 * target.allowed().as_f64() - 7.2).abs() < 1e-12);
    let share = budget::spent(target, counts(1, 1), 7200.0).expect("traffic");
    assert!((share - 0.139).abs() < 0.0005, "{share}");

    let mut slices = Slices::new(minutes(6), counts(1, 0));
    slices.push(counts(1, 1));
    let fast = default_rows(target, days(30)).rows[0];
    assert!(RowBurn::of(fast, target, &slices).holds());
}

#[test]
fn a_total_outage_of_an_hour_at_90_percent_spends_too_little_for_the_fast_page() {
    let target = target("90%");
    let spent = hours(1).div_duration_f64(budget::whole(target, days(30)));
    assert!((spent - 0.0139).abs() < 0.0001, "{spent}");
    let outage = Slices::new(minutes(1), counts(100, 100));
    assert!(!RowBurn::of(page_row("14.4", hours(1), minutes(5)), target, &outage).holds());
    assert!(RowBurn::of(page_row("6", hours(6), minutes(30)), target, &outage).holds());
    assert_eq!(outage.over(hours(1)), counts(6000, 6000));
}
