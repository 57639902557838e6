//! What burn-rate arithmetic gets wrong elsewhere, over slices as the ledger keeps them.

use burnward_core::{
    alert_rows::default_rows,
    budget::BudgetLeft,
    burn_rate::{FailedShare, RowBurn},
    ledger::{Counts, Sums},
    slo::AlertRow,
    time::{Timestamp, days, hours, minutes},
    units::Target,
};

use crate::slices::{Slices, counts, page_row, target};

fn failed(slices: &Slices) -> f64 {
    FailedShare::of(slices.over(days(1))).expect("traffic").as_f64()
}

#[test]
fn an_outage_at_night_weighs_as_the_events_it_had() {
    let mut day = Slices::new(minutes(1), Counts::default());
    day.extend(720, counts(1000, 0));
    day.extend(660, counts(10, 0));
    day.extend(60, counts(10, 10));
    assert!((failed(&day) - 600.0 / 727_200.0).abs() < 1e-15, "0.0825 %, where a mean of ratios says 4.03 %");
}

#[test]
fn ten_minutes_without_traffic_leave_a_perfect_day_perfect() {
    let mut day = Slices::new(minutes(1), Counts::default());
    day.extend(700, counts(100, 0));
    day.extend(10, Counts::default());
    day.extend(730, counts(100, 0));
    assert_eq!(failed(&day).to_bits(), 0.0_f64.to_bits());
    let left = BudgetLeft::of(target("99.9%"), days(1), day.over(days(1))).expect("traffic");
    assert_eq!(left.ratio.to_bits(), 1.0_f64.to_bits());
}

#[test]
fn failures_of_the_last_hour_are_a_share_of_the_whole_day() {
    let mut day = Slices::new(minutes(1), Counts::default());
    day.extend(1380, counts(100, 0));
    day.extend(60, counts(100, 10));
    assert!((failed(&day) - 600.0 / 144_000.0).abs() < 1e-15, "0.417 %, where dropped zeros say 9.67 %");
}

#[test]
fn lookbacks_of_two_groups_never_combine() {
    let row = page_row("14.4", hours(1), minutes(5));
    let (mut over, mut new) = (Slices::new(minutes(1), counts(100, 0)), Slices::new(minutes(1), counts(100, 0)));
    over.extend(50, counts(100, 50));
    over.extend(10, counts(100, 0));
    new.extend(58, counts(10_000, 0));
    new.extend(2, counts(10_000, 2_000));
    let (over, new) = (RowBurn::of(row, target("99.9%"), &over), RowBurn::of(row, target("99.9%"), &new));
    assert!(over.long_burn > 14.4 && over.short_burn < 14.4 && !over.holds(), "{over:?}");
    assert!(new.long_burn < 14.4 && new.short_burn > 14.4 && !new.holds(), "{new:?}");
}

/// A lookback like any other.
struct Everywhere(Counts);

impl Sums for Everywhere {
    fn over(&self, _lookback: std::time::Duration) -> Counts {
        self.0
    }

    fn since(&self, _from: Timestamp) -> Counts {
        self.0
    }
}

fn holds(row: AlertRow, target: Target, total: i64, bad: i64) -> bool {
    RowBurn::of(row, target, &Everywhere(counts(total, bad))).holds()
}

#[test]
fn a_share_exactly_at_the_limit_never_fires_at_any_target() {
    for percent in ["99.9%", "99.95%", "99.99%", "99.999%", "97.3%"] {
        let target = target(percent);
        for row in default_rows(target, days(30)).rows {
            let (factor, allowed) = (row.factor.ratio(), target.allowed());
            for scale in [1, 7, 1_000_003] {
                let total = i64::try_from(factor.den() * allowed.den() * scale).expect("small");
                let limit = i64::try_from(factor.num() * allowed.num() * scale).expect("small");
                assert!(!holds(row, target, total, limit), "{percent} at {}x, {limit} of {total}", row.factor);
                assert!(holds(row, target, total, limit + 1), "{percent} at {}x, one more than {limit} of {total}", row.factor);
            }
        }
    }
}

#[test]
fn nothing_is_rounded_before_it_is_compared() {
    let row = page_row("9", hours(1), minutes(5));
    assert!(holds(row, target("99.9%"), 100_000, 904), "9.04x is above 9x");
    assert!(holds(row, target("99.9%"), 100_000_000_000, 900_000_001), "so is 9.00000001x");
    assert!(!holds(row, target("99.9%"), 100_000, 900));
}

#[test]
fn six_nines_and_more_can_be_measured() {
    let share = BudgetLeft::of(target("99.99999%"), days(30), counts(1_000_000_000, 50)).expect("traffic");
    assert!((share.ratio - 0.5).abs() < 1e-12, "{share:?}");
    assert!(holds(page_row("1", hours(1), minutes(5)), target("99.9999999%"), 1_000_000_000, 2));
    assert!(!holds(page_row("1", hours(1), minutes(5)), target("99.9999999%"), 1_000_000_000, 1));
}
