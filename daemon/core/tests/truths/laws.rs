//! Laws of deciding, over random counts: failures never silence, blindness never decides, no group hears another.

use std::{collections::BTreeMap, time::Duration};

use burnward_core::{
    alert::{AlertState, Edge, step},
    alert_rows::default_rows,
    burn_rate::RowBurn,
    ledger::{Counts, Sums},
    slo::{AlertRow, Urgency},
    time::{Timestamp, days},
};
use proptest::prelude::*;

use crate::slices::{counts, target};

const NOW: Timestamp = Timestamp::from_seconds(1_000_000);

/// Counts per lookback.
#[derive(Debug, Clone)]
struct PerLookback(BTreeMap<Duration, Counts>);

impl Sums for PerLookback {
    fn over(&self, lookback: Duration) -> Counts {
        self.0.get(&lookback).copied().unwrap_or_default()
    }

    fn since(&self, from: Timestamp) -> Counts {
        self.over(NOW.since(from))
    }
}

fn rows() -> Vec<AlertRow> {
    default_rows(target("99.9%"), days(30)).rows
}

fn lookbacks() -> Vec<Duration> {
    rows().into_iter().flat_map(|row| [row.long, row.short]).collect()
}

/// Failures per mille of a hundred thousand events, dense around the factors.
fn any_sums() -> impl Strategy<Value = PerLookback> {
    let bad = prop_oneof![0_i64..3_000, 550_i64..650, 1_400_i64..1_480, 0_i64..100_000];
    prop::collection::vec(bad, lookbacks().len())
        .prop_map(|bads| PerLookback(lookbacks().into_iter().zip(bads.into_iter().map(|bad| counts(100_000, bad))).collect()))
}

fn any_state() -> impl Strategy<Value = AlertState> {
    let since = || prop::option::of(Just(Timestamp::from_seconds(900_000)));
    (since(), since()).prop_map(|(page, ticket)| AlertState { page, ticket })
}

fn burns(sums: &PerLookback) -> Vec<RowBurn> {
    rows().into_iter().map(|row| RowBurn::of(row, target("99.9%"), sums)).collect()
}

fn after(before: AlertState, sums: &PerLookback) -> AlertState {
    step(before, &burns(sums), target("99.9%"), NOW).0
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn turning_good_events_bad_never_silences_an_alert(before in any_state(), sums in any_sums(), turned in prop::collection::vec(0_i64..3_000, 8)) {
        let mut worse = sums.clone();
        for (counts, turned) in worse.0.values_mut().zip(turned) {
            let turned = turned.min(counts.good);
            *counts = Counts { good: counts.good - turned, bad: counts.bad + turned, ..*counts };
        }
        let (better, worse) = (after(before, &sums), after(before, &worse));
        prop_assert!(better.page.is_none() || worse.page.is_some());
        prop_assert!(better.ticket.is_none() || worse.ticket.is_some());
    }

    #[test]
    fn a_second_step_over_the_same_sums_changes_nothing_unless_it_just_cleared(before in any_state(), sums in any_sums()) {
        let first = after(before, &sums);
        let (second, steps) = step(first, &burns(&sums), target("99.9%"), NOW);
        prop_assert_eq!(second, first);
        prop_assert!(steps.is_empty(), "an alert that cleared must not open again by the same sums");
    }

    #[test]
    fn tickets_and_pages_are_independent(before in any_state(), other in any_state(), sums in any_sums()) {
        let mixed = AlertState { page: before.page, ticket: other.ticket };
        prop_assert_eq!(after(mixed, &sums).page, after(before, &sums).page);
        prop_assert_eq!(after(mixed, &sums).ticket, after(other, &sums).ticket);
    }

    #[test]
    fn an_alert_opens_exactly_when_a_row_of_its_urgency_holds(sums in any_sums()) {
        let burns = burns(&sums);
        let opened = step(AlertState::default(), &burns, target("99.9%"), NOW).1;
        for urgency in [Urgency::Page, Urgency::Ticket] {
            let opens = opened.iter().any(|step| step.urgency == urgency && matches!(step.edge, Edge::Opens(_)));
            prop_assert_eq!(opens, burns.iter().any(|burn| burn.row.urgency == urgency && burn.holds()));
        }
    }

    #[test]
    fn time_that_nobody_saw_clears_nothing(before in any_state(), sums in any_sums()) {
        let mut blind = PerLookback(sums.0.keys().map(|lookback| (*lookback, Counts::default())).collect());
        for (lookback, counts) in &mut blind.0 {
            counts.unseen_millis = i64::try_from(lookback.as_millis()).expect("short");
        }
        prop_assert_eq!(after(before, &blind), before);
    }
}
