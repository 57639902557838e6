//! The worked figures of the product's own texts and sketches, which must agree to the digit: 99.9 % over 30 days, 15.2 % of 3,637 requests a second
//! failing since 03:04:16, 71 % of the budget left.

use std::time::Duration;

use burnward_core::{
    alert_rows::default_rows,
    budget::{self, BudgetLeft},
    burn_rate::{self, RowBurn},
    ledger::Counts,
    time::{days, hours, minutes},
    words,
};

use crate::slices::{Slices, counts, target};

/// Events and failures of ten seconds; ten seconds are used because the rates are not whole.
const CALM: Counts = Counts { good: 36_370, tolerated: 0, bad: 0, unseen_millis: 0 };
const FAILING: Counts = Counts { good: 36_370 - 5_528, tolerated: 0, bad: 5_528, unseen_millis: 0 };

/// The budget of the story: 0.029 % of the month failed.
fn left() -> BudgetLeft {
    BudgetLeft::of(target("99.9%"), days(30), counts(9_427_104_000, 2_733_860)).expect("traffic")
}

#[test]
fn seventy_one_percent_are_30_m_40_s_of_43_m_12_s() {
    assert_eq!(words::budget_left(&left()), "71 % left (30 m 40 s of 43 m 12 s)");
}

#[test]
fn at_the_rate_of_the_five_minutes_it_is_gone_in_3_h_22_m() {
    let burn = burn_rate::burn(FAILING, target("99.9%"));
    assert_eq!(words::times(burn), "152x");
    let span = budget::runs_out(left(), burn, days(30)).expect("it burns");
    assert_eq!(words::duration(span), "3 h 22 m");
}

#[test]
fn the_hour_passes_its_limit_at_03_10_and_reads_14_6x_two_seconds_later() {
    let fast = default_rows(target("99.9%"), days(30)).rows[0];
    let mut slices = Slices::new(Duration::from_secs(10), CALM);
    let holds_after = (1..=60_u64).find(|_| {
        slices.push(FAILING);
        RowBurn::of(fast, target("99.9%"), &slices).holds()
    });
    let began = 3 * 3600 + 4 * 60 + 16;
    assert_eq!(holds_after.map(|slices| words::lookback(Duration::from_secs(began + 10 * slices))).as_deref(), Some("3h10m6s"));

    let bad = 552.8 * 346.0;
    let share = bad / (3637.0 * 3600.0);
    assert!(bad / 3600.0 > 53.05 && bad / 3600.0 < 53.15, "53.1 failures a second over the hour");
    assert_eq!((words::percent(share), words::times(share / 0.001)), ("1.46 %".to_owned(), "14.6x".to_owned()));
}

#[test]
fn thirty_eight_minutes_cost_13_4_percent_and_1_26_million_requests() {
    let failures = counts(0, 552 * 38 * 60 + 8 * 38 * 6);
    assert_eq!(words::count(failures.bad), "1.26 M");
    let share = budget::spent(target("99.9%"), failures, 9_427_104_000.0).expect("traffic");
    assert_eq!(words::percent(share), "13.4 %");
}

#[test]
fn the_lines_of_the_status_table_agree_with_themselves() {
    for (percent, bad_of_a_million, text) in [
        ("99.9%", 290, "71 % left (30 m 40 s of 43 m 12 s)"),
        ("95%", 62_000, "24 % overspent (8 h 38 m beyond 1 d 12 h)"),
        ("99.95%", 100, "80 % left (17 m 17 s of 21 m 36 s)"),
    ] {
        let left = BudgetLeft::of(target(percent), days(30), counts(1_000_000, bad_of_a_million)).expect("traffic");
        assert_eq!(words::budget_left(&left), text, "{percent}");
    }
}

#[test]
fn fourteen_and_four_tenths_for_an_hour_spend_two_percent_of_a_month() {
    let hour = counts(1_000_000, 14_400);
    assert!((burn_rate::burn(hour, target("99.9%")) - 14.4).abs() < 1e-9);
    assert_eq!(budget::spent(target("99.9%"), hour, 720.0 * 1_000_000.0).map(words::percent).as_deref(), Some("2.00 %"));
    assert_eq!(hours(1), minutes(60));
}
