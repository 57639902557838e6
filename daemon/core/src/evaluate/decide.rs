//! What a round needs to know of every budget: whether it is worth a closer look. No figure is made, no name copied, and nothing put on the heap.
//!
//! The rules are those of [`evaluate`](super::evaluate), which shows what they were decided from.

use std::{collections::BTreeSet, time::Duration};

use super::{Asked, Input, KnownBad, unit};
use crate::{
    alert::{AlertState, Ending, after, turn},
    condition::{Condition, Says},
    ledger::{Counts, Sums, Unknown},
    slo::{AlertRow, Objective, Slo, Urgency},
    time::Timestamp,
    window::Window,
};

/// What decides an objective, ready for all of its budgets.
#[derive(Debug, Clone)]
pub struct Rules<'a> {
    slo: &'a Slo,
    objective: &'a Objective,
    /// All lookbacks that may be asked for, shortest first; the others name them by their places.
    lookbacks: Vec<Duration>,
    window: Option<usize>,
    rows: Vec<Row>,
    page: Option<(Ending, usize)>,
    ticket: Option<(Ending, usize)>,
}

/// An alert row.
#[derive(Debug, Clone, Copy)]
struct Row {
    condition: Condition,
    short: usize,
    long: usize,
}

/// So many lookbacks are looked up at once; rows that are written by hand may have more.
const AT_ONCE: usize = 16;

/// The sums of the lookbacks of some rules.
struct Looked<'a> {
    sums: &'a dyn Sums,
    lookbacks: &'a [Duration],
    /// Those of the lookbacks, where they were at hand.
    at_hand: Option<&'a [Counts]>,
}

impl<'a> Looked<'a> {
    /// Looks them up; `found` is room for them.
    fn up(sums: &'a dyn Sums, lookbacks: &'a [Duration], found: &'a mut [Counts; AT_ONCE]) -> Self {
        let into = found.get_mut(..lookbacks.len());
        Self { sums, lookbacks, at_hand: into.and_then(|into| sums.at_hand(lookbacks, into).then_some(&*into)) }
    }

    #[inline]
    fn over(&self, place: usize) -> Counts {
        self.at_hand.map_or_else(|| self.sums.over(self.lookbacks[place]), |found| found[place])
    }
}

/// What is decided of a budget.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The alert states after the step.
    pub alerts: AlertState,
    /// True where an alert opens or clears.
    pub changes: bool,
    /// True where a row is held back.
    pub holds_back: bool,
    /// Why we cannot see, where we cannot.
    pub unknown: Option<Unknown>,
    /// Then, the newest sample of what hides it.
    pub last_seen: Option<Timestamp>,
}

impl Decision {
    /// True where the budget is in the state [`CannotSee`](super::State::CannotSee).
    pub const fn cannot_see(&self) -> bool {
        self.unknown.is_some() && !self.alerts.holds()
    }
}

impl<'a> Rules<'a> {
    /// The rules of an objective.
    pub fn of(slo: &'a Slo, objective: &'a Objective) -> Self {
        let unit = unit(slo, objective);
        let endings = [Urgency::Page, Urgency::Ticket].map(|urgency| Ending::of(objective.rows.iter(), urgency));
        let window = match objective.window {
            Window::Rolling(length) => Some(length),
            Window::Calendar { .. } => None,
        };
        let of_rows = objective.rows.iter().flat_map(|row| [row.short, row.long]);
        let lookbacks: BTreeSet<Duration> = of_rows.chain(endings.iter().flatten().map(|ending| ending.short)).chain(window).collect();
        let lookbacks: Vec<Duration> = lookbacks.into_iter().collect();
        let place = |lookback: Duration| lookbacks.binary_search(&lookback).expect("one of them");
        let row = |row: &AlertRow| Row {
            condition: Condition::of(*row, objective.target, slo.low_traffic, unit),
            short: place(row.short),
            long: place(row.long),
        };
        let [page, ticket] = endings.map(|ending| ending.map(|ending| (ending, place(ending.short))));
        Self { slo, objective, rows: objective.rows.iter().map(row).collect(), page, ticket, window: window.map(place), lookbacks }
    }

    /// What [`evaluate`](super::evaluate) would decide.
    pub fn decide(&self, input: &Input<'_>, before: AlertState, now: Timestamp) -> Decision {
        let asked = Asked { slo: self.slo, objective: self.objective, input, now };
        let sums = match &input.sums {
            Ok(sums) => *sums,
            Err(unknown) => {
                let (unknown, last_seen) = (Some(unknown.clone()), asked.last_seen());
                return Decision { alerts: before, changes: false, holds_back: false, unknown, last_seen };
            }
        };
        let mut found = [Counts::default(); AT_ONCE];
        let looked = Looked::up(sums, &self.lookbacks, &mut found);
        let all = self.window.map_or_else(|| sums.since(input.over.from), |window| looked.over(window));
        let unknown = asked.unknown_window(asked.without_excluded(all)).or_else(|| asked.hidden_member());
        let (alerts, holds_back) = match self.slo.sli.composite() {
            Some(composite) => {
                let (known_bad, mut found) = (KnownBad { composite, sums }, [Counts::default(); AT_ONCE]);
                self.step(&asked, &Looked::up(&known_bad, &self.lookbacks, &mut found), before)
            }
            None => self.step(&asked, &looked, before),
        };
        let last_seen = unknown.as_ref().and_then(|_| asked.last_seen());
        Decision { alerts, changes: alerts != before, holds_back, unknown, last_seen }
    }

    /// The alert states after the step, and whether a row is held back.
    fn step(&self, asked: &Asked<'_>, looked: &Looked<'_>, before: AlertState) -> (AlertState, bool) {
        if !asked.decides() {
            return (before, false);
        }
        let counted = asked.counted();
        let (mut page_holds, mut ticket_holds, mut holds_back) = (false, false, false);
        for Row { condition, short, long } in &self.rows {
            match condition.judge(&looked.over(*short), || looked.over(*long), counted) {
                Says::Quiet => {}
                Says::Young | Says::Chance => holds_back = true,
                Says::Holds => match condition.row.urgency {
                    Urgency::Page => page_holds = true,
                    Urgency::Ticket => ticket_holds = true,
                },
            }
        }
        if asked.input.catching_up {
            return (before, holds_back);
        }
        let turned = |since: Option<Timestamp>, holds: bool, ending: Option<(Ending, usize)>| -> Option<Timestamp> {
            let is_over = || ending.is_some_and(|(ending, short)| ending.is_reached(looked.over(short), self.objective.target));
            after(since, turn(since, holds, is_over), asked.now)
        };
        let page = turned(before.page, page_holds, self.page);
        let ticket = turned(before.ticket, ticket_holds, self.ticket);
        (AlertState { page, ticket }, holds_back)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use crate::{
        alert_rows::default_rows,
        evaluate::{State, evaluate},
        exclusion::{Excluded, ExcludedTime},
        explain::rows_held_back,
        id::{BudgetId, Group},
        ledger::{Counts, MemberVerdicts, Reason, fixture},
        sli::{
            Counted, Expression, Sli,
            composite::{Composite, Member, Members, WhenUnseen},
        },
        slo::{AlertRow, CountedIn, LowTraffic, NoDataThen, SliceRule},
        time::{days, hours, minutes},
        units::{Factor, GoodShare, Target},
        window::{Grain, Interval, Period, Window, Zone},
    };

    const NOW: Timestamp = Timestamp::from_seconds(10_000_000);
    const LOOKBACKS: [Duration; 8] = [minutes(5), minutes(30), hours(1), hours(2), hours(6), hours(24), hours(72), days(30)];

    /// Counts of lookbacks, shortest first; the last stands for all longer ones.
    #[derive(Debug)]
    struct Table([Counts; 8]);

    impl Sums for Table {
        fn over(&self, lookback: Duration) -> Counts {
            self.0[LOOKBACKS.iter().position(|of| *of >= lookback).unwrap_or(LOOKBACKS.len() - 1)]
        }

        fn since(&self, from: Timestamp) -> Counts {
            self.over(NOW.since(from))
        }
    }

    /// None, few and many events, of which few, about as many as rows allow, most, or more than all fail.
    fn counts() -> impl Strategy<Value = Counts> {
        let total = prop_oneof![Just(0), 1..40_i64, 1_000..100_000_i64, Just(1 << 50)];
        let millis = prop_oneof![3 => Just(0), 1 => 0..400_000_i64, 1 => Just(2_592_000_000)];
        (total, prop_oneof![Just(0), 0..40_i64, 0..1_200_i64], 0..3_i64, millis).prop_map(|(total, per_mille, tolerated, unseen_millis)| {
            let bad = if per_mille == 1_199 { -total / 500 } else { total * per_mille / 1_000 };
            let tolerated = if total > 10 { tolerated } else { 0 };
            Counts { good: total - bad - tolerated, tolerated, bad, unseen_millis }
        })
    }

    fn sums() -> impl Strategy<Value = Table> {
        let one = counts().prop_map(|counts| Table([counts; 8]));
        prop_oneof![prop::array::uniform8(counts()).prop_map(Table), one]
    }

    fn rows(target: Target) -> impl Strategy<Value = Vec<AlertRow>> {
        let lookbacks = prop::sample::select(LOOKBACKS[..7].to_vec());
        let factor = prop::sample::select(vec!["0.5", "1", "3", "6", "14.4", "123456789", "0.00000000000001"]);
        let urgency = prop::sample::select(vec![Urgency::Page, Urgency::Ticket]);
        let any = (urgency, factor, lookbacks.clone(), lookbacks).prop_map(|(urgency, factor, one, other)| AlertRow {
            urgency,
            factor: Factor::parse(factor).expect("a factor"),
            long: one.max(other),
            short: one.min(other),
        });
        prop_oneof![Just(default_rows(target, days(30)).rows), prop::collection::vec(any, 0..5)]
    }

    fn sli() -> impl Strategy<Value = Sli> {
        let expression = || Expression::new("x");
        let member = |name, unseen| Member { slo: fixture::slo_id(name), good_from: GoodShare::percent("99%").expect("a share"), unseen };
        let members = Members::AllOf(vec![member("a", WhenUnseen::Unknown), member("b", WhenUnseen::Exclude)]);
        prop::sample::select(vec![
            fixture::availability("a", "m", &[]).sli.clone(),
            Sli::Query { counted: Counted::Bad(expression()), total: expression(), step: minutes(1) },
            Sli::Composite(Composite { members, slice: minutes(1) }),
        ])
    }

    fn slo() -> impl Strategy<Value = Slo> {
        let target =
            prop::sample::select(vec!["99.9%", "99%", "50%", "99.9999999%"]).prop_map(|text| Target::percent(text).expect("a target"));
        let month = Window::Calendar { period: Period::Month, zone: Zone::parse("UTC", Grain::Hour).expect("a zone") };
        let window = prop::sample::select(vec![Window::Rolling(days(30)), Window::Rolling(days(7)), month]);
        let rule = SliceRule { length: minutes(1), good_from: GoodShare::percent("99%").expect("a share") };
        let counted_in = prop::sample::select(vec![CountedIn::Events, CountedIn::Slices(rule)]);
        let policies = (
            prop::sample::select(vec![LowTraffic::Exact, LowTraffic::Off]),
            prop::sample::select(NoDataThen::ALL.to_vec()),
            prop::sample::select(vec![ExcludedTime::Removed, ExcludedTime::CountsAsGood]),
        );
        let objective = target.prop_flat_map(move |target| (Just(target), rows(target)));
        (sli(), objective, window, counted_in, policies).prop_map(|(sli, (target, rows), window, counted_in, policies)| {
            let mut slo = fixture::slo("a", sli, &[]);
            (slo.low_traffic, slo.no_data.then, slo.excluded_time) = policies;
            let objective = &mut slo.objectives[0];
            (objective.target, objective.rows, objective.window, objective.counted_in) = (target, rows, window, counted_in);
            slo
        })
    }

    fn state() -> impl Strategy<Value = AlertState> {
        let since = || prop::option::of(Just(NOW.minus(hours(1))));
        (since(), since()).prop_map(|(page, ticket)| AlertState { page, ticket })
    }

    fn member(unknown: bool, unseen: WhenUnseen) -> MemberVerdicts {
        MemberVerdicts {
            slo: fixture::slo_id("b"),
            verdicts: Counts::default(),
            cost: 0,
            unseen,
            unknown: unknown.then(|| Unknown::new(Reason::Stale, "the newest sample is 90 s old")),
            newest_sample: Some(NOW.minus(minutes(2))),
        }
    }

    proptest! {
        #[test]
        fn what_is_decided_is_what_the_full_evaluation_decides_and_shows(
            slo in slo(), sums in sums(), before in state(),
            (excluded, is_blind, catching_up, hidden) in (prop::option::of(counts()), any::<bool>(), any::<bool>(), any::<bool>()),
            counted_for in prop::option::of(prop::sample::select(vec![Duration::ZERO, minutes(10), hours(1), hours(20), days(40)])),
        ) {
            let blind = || Unknown::new(Reason::Timeout, "no answer within 15 s");
            let composed = slo.sli.composite().is_some();
            let members = [member(hidden, WhenUnseen::Unknown), member(true, WhenUnseen::Exclude)];
            let input = Input {
                // One in four is blind.
                sums: if is_blind && hidden { Err(blind()) } else { Ok(&sums) },
                held: Some(&sums),
                over: Interval::ending(NOW, days(30)),
                newest_sample: Some(NOW.minus(minutes(1))),
                counted_from: counted_for.map(|span| NOW.minus(span)),
                unjudged: Duration::ZERO,
                excluded: Excluded { counts: excluded.unwrap_or_default(), ..Excluded::default() },
                began: None,
                catching_up,
                to_fill: Duration::ZERO,
                members: members.into_iter().filter(|_| composed).collect(),
            };
            let objective = &slo.objectives[0];
            let decided = Rules::of(&slo, objective).decide(&input, before, NOW);
            let budget = BudgetId { slo: slo.id.clone(), objective: objective.name.clone(), group: Group::whole() };
            let full = evaluate(&slo, objective, budget, &input, before, NOW);
            prop_assert_eq!(decided.alerts, full.status.alerts);
            prop_assert_eq!(decided.changes, !full.changes.is_empty());
            prop_assert_eq!(decided.holds_back, !rows_held_back(&full.status).is_empty());
            prop_assert_eq!(&decided.unknown, &full.status.unknown);
            prop_assert_eq!(decided.cannot_see(), full.status.state == State::CannotSee);
            if decided.cannot_see() {
                prop_assert_eq!(decided.last_seen, full.status.since);
            }
        }
    }
}
