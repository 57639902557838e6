//! Slices against plain sums of what was booked.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::{
    ledger::{
        fixture,
        slice::{TEN_SECONDS, levels, standard_levels},
    },
    sli::MatchOp,
    time::{hours, minutes},
};

fn specs() -> Vec<LevelSpec> {
    levels(&fixture::availability("a", "m", &[("code", MatchOp::Equal, "500")]), &BTreeSet::new())
}

const LOOKBACKS: [Duration; 8] = [minutes(5), minutes(30), hours(1), hours(2), hours(6), hours(24), hours(72), hours(720)];

fn good(n: i64) -> Counts {
    Counts { good: n, ..Counts::default() }
}

#[test]
fn the_start_of_a_lookback_moves_back_to_an_edge() {
    let mut slices = Slices::new(&specs());
    slices.add(Timestamp::from_seconds(1_000), good(1));
    slices.add(Timestamp::from_seconds(1_010), good(10));
    for (now, expected) in [(1_295, 11), (1_299, 11), (1_300, 10), (1_309, 10), (1_310, 0)] {
        assert_eq!(slices.over(minutes(5), Timestamp::from_seconds(now)).1.good, expected, "at {now}");
    }
}

#[test]
fn a_late_entry_counts_where_it_belongs_or_only_where_it_is_still_kept() {
    let mut slices = Slices::new(&specs());
    slices.add(Timestamp::from_seconds(100_000), good(1));
    slices.add(Timestamp::from_seconds(90_000), good(10));
    let now = Timestamp::from_seconds(100_000);
    assert_eq!(slices.over(hours(1), now).1.good, 1);
    assert_eq!(slices.over(hours(6), now).1.good, 11);
}

#[test]
fn what_was_taken_back_is_not_the_newest_slice() {
    let newest = |slices: &Slices| slices.newest_end().map(Timestamp::millis);
    let mut slices = Slices::new(&specs());
    slices.add(Timestamp::from_seconds(3_595), good(4));
    slices.add(Timestamp::from_seconds(3_720), good(1));
    slices.add(Timestamp::from_seconds(3_720), good(-1));
    assert_eq!(newest(&slices), Some(3_600_000));
    // The finest level does not reach back as far as the last slice that holds something.
    slices.add(Timestamp::from_seconds(9_000), good(1));
    slices.add(Timestamp::from_seconds(9_000), good(-1));
    assert_eq!(newest(&slices), Some(3_600_000));
    slices.add(Timestamp::from_seconds(3_600), good(-4));
    assert_eq!(newest(&slices), None);
}

#[test]
fn numbers_that_outgrow_four_bytes_stay_exact() {
    let mut slices = Slices::new(&specs());
    slices.add(Timestamp::from_seconds(10), good(7));
    slices.add(Timestamp::from_seconds(20), good(1 << 40));
    assert_eq!(slices.over(minutes(5), Timestamp::from_seconds(30)).1.good, (1 << 40) + 7);
}

proptest! {
    /// However old the start of a period is, and however its events came to other levels.
    #[test]
    fn a_period_equals_the_sum_of_its_entries(
        entries in prop::collection::vec((0_i64..8_000_000, 1_i64..5), 1..60),
        edge in 0_i64..8_888,
        grain in prop::sample::select(vec![900_u64, 1800, 3600]),
        widened: bool,
    ) {
        let grain = Duration::from_secs(grain);
        let of_quarter = standard_levels(hours(93 * 24), grain);
        let mut slices = Slices::new(&if widened { standard_levels(hours(93 * 24), minutes(15)) } else { of_quarter });
        for (at, n) in &entries {
            slices.add(Timestamp::from_seconds(*at).ceil(TEN_SECONDS), good(*n));
        }
        if widened {
            slices = slices.with_levels(&of_quarter);
        }
        let from = Timestamp::from_seconds(edge * 900).floor(grain);
        let now = Timestamp::from_seconds(8_000_000);
        let naive: i64 = entries.iter().filter(|(at, _)| Timestamp::from_seconds(*at) > from).map(|(_, n)| n).sum();
        prop_assert_eq!(slices.over(now.since(from), now).1.good, naive);
    }

    #[test]
    fn levels_that_grow_finer_at_the_coarsest_lose_nothing(entries in prop::collection::vec((0_i64..3_000_000, 1_i64..5), 1..60)) {
        let mut slices = Slices::new(&standard_levels(hours(720), hours(1)));
        for (at, n) in &entries {
            slices.add(Timestamp::from_seconds(*at).ceil(TEN_SECONDS), good(*n));
        }
        let now = Timestamp::from_seconds(3_000_000);
        let kept = slices.over(hours(720), now).1;
        prop_assert_eq!(slices.with_levels(&standard_levels(hours(720), minutes(15))).over(hours(720), now).1, kept);
    }

    #[test]
    fn every_lookback_equals_the_sum_of_its_entries(
        entries in prop::collection::vec((0_i64..400_000, 0_i64..5), 1..60),
        spans in prop::collection::vec((0_i64..400_000, 1_i64..9_000), 0..3),
        lookback in prop::sample::select(vec![300_u64, 1800, 3600, 7200, 21600, 86400, 259_200, 2_592_000]),
    ) {
        let mut slices = Slices::new(&specs());
        let mut by_second: BTreeMap<i64, Counts> = BTreeMap::new();
        for (at, n) in &entries {
            let end = Timestamp::from_seconds(*at).ceil(TEN_SECONDS);
            slices.add(end, good(*n));
            *by_second.entry(end.millis() / 1000).or_default() += good(*n);
        }
        for (from, len) in &spans {
            let span = Span { stream: 0, from: Timestamp::from_seconds(*from), to: Timestamp::from_seconds(from + len) };
            slices.add_span(&span);
            for second in *from..from + len {
                *by_second.entry(second + 1).or_default() += Counts { unseen_millis: 1000, ..Counts::default() };
            }
        }
        let now = Timestamp::from_seconds(by_second.keys().last().copied().unwrap_or(0)).ceil(TEN_SECONDS);
        let lookback = Duration::from_secs(lookback);
        let (start, sum) = slices.over(lookback, now);
        let naive: Counts = by_second.range(start.millis() / 1000 + 1..).map(|(_, counts)| *counts).sum();
        prop_assert_eq!(sum, naive);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_is_ready_equals_what_is_added_up(
        turns in prop::collection::vec((0_i64..4_000, -300_i64..300, -3_i64..5, any::<bool>(), any::<bool>()), 1..80),
        lookbacks in prop::sample::subsequence(LOOKBACKS.to_vec(), 0..=8),
    ) {
        let lookbacks: Arc<[Duration]> = lookbacks.into();
        let (mut slices, mut plain) = (Slices::new(&specs()), Slices::new(&specs()));
        let mut second = 1_000_000;
        for (later, offset, n, blind, moves) in turns {
            second += if moves { later * 40 } else { later };
            let now = Timestamp::from_seconds(second);
            let end = Timestamp::from_seconds(second + offset * 10);
            for slices in [&mut slices, &mut plain] {
                slices.add(end, good(n));
                if blind {
                    slices.add_span(&Span { stream: 0, from: end.minus(minutes(3)), to: end });
                }
            }
            slices.make_ready(&lookbacks, now);
            let mut at_hand = [Counts::default(); 8];
            prop_assert!(slices.at_hand(&lookbacks, (now, now), good(7), &mut at_hand));
            for (lookback, sum) in lookbacks.iter().zip(at_hand) {
                prop_assert_eq!(sum, plain.over(*lookback, now).1 + good(7));
            }
            let begun = now.minus(hours(1));
            let is_begun = lookbacks.iter().all(|lookback| slices.over(*lookback, now).0 <= begun);
            prop_assert_eq!(slices.at_hand(&lookbacks, (now, begun), good(7), &mut at_hand), is_begun);
            prop_assert!(!slices.at_hand(&lookbacks, (now.plus(minutes(1)), now), good(7), &mut at_hand));
            for lookback in LOOKBACKS {
                for asked in [now, now.plus(minutes(1)), now.minus(hours(2))] {
                    prop_assert_eq!(slices.over(lookback, asked), plain.over(lookback, asked));
                }
            }
        }
    }
}
