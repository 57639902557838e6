//! Why a budget stands as it does: the arithmetic of its rows, the rule that decided, and what would make its alerts clear; in words, from the same
//! figures that the decision used.
//!
//! Times of day are not told here: the core knows no zone.

mod outcome;

pub use outcome::{DecidedBy, RowOutcome, unseen};

use crate::{
    alert::{Edge, Step, fastest, was_seen},
    budget::{BudgetLeft, Unseen},
    burn_rate::{Doubt, FailedShare, HeldBack, RowBurn, Verdict, burn, compare, contradicts},
    chance,
    evaluate::{BudgetStatus, State},
    exclusion::{Excluded, ExcludedTime},
    ledger::Counts,
    slo::{AlertRow, CountedIn, NoDataThen, Urgency},
    status::{Status, Suspension},
    units::{EventUnit, Factor, Target},
    window::Window,
    words,
};

/// The explanation of one evaluation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The budget: `71 % left (30 m 40 s of 43 m 12 s); at the 5m rate gone in 3 h 22 m`.
    pub budget: String,
    /// What people took out of it: `2 h 30 m: bad 120 of 4,000, removed`; `None` where nothing was.
    pub excluded: Option<String>,
    /// How much of the window was seen, and what the rest may hide: `97 % of the window; 21 h 36 m unseen may hold 1,200 events: 60 % to 71 % left`.
    pub seen: String,
    /// What the target allows: `0.100 %`.
    pub allowed: String,
    /// Every row, in the order of the objective.
    pub rows: Vec<RowExplanation>,
    /// What came of each of them, in the same order.
    pub outcomes: Vec<RowOutcome>,
    /// Which rule decided the state.
    pub decided: String,
    /// What would make each alert that holds clear; empty where none holds.
    pub clears: Vec<String>,
}

/// The explanation of one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowExplanation {
    /// The condition: `page when 1h > 14.4x and 5m > 14.4x`.
    pub rule: String,
    /// The arithmetic of the long lookback: `1h: bad 191,160 of 13,093,200 = 1.460 %, burn 14.6x > 14.4x`.
    pub long: String,
    /// The same of the short lookback.
    pub short: String,
    /// Whether it holds.
    pub holds: bool,
    /// Why it does not hold although both are above: `held back: 1 failure of 10 in 1h ...`.
    pub held_back: Option<String>,
}

/// Explains a budget as it stands.
pub fn explain(status: &BudgetStatus) -> Explanation {
    Explanation {
        budget: budget_line(status),
        excluded: excluded_line(status.excluded, status.unit),
        seen: seen(status),
        allowed: words::exact_percent(status.target.allowed().as_f64()),
        rows: status.rows.iter().map(|burn| row(burn, status.target, status.unit)).collect(),
        outcomes: outcome::outcomes(status),
        decided: decided(status),
        clears: [Urgency::Page, Urgency::Ticket].into_iter().filter_map(|urgency| clears_when(status, urgency)).collect(),
    }
}

/// How sure the share of good observations is where some lie in the bucket of a native histogram that holds the threshold, in seconds: `good are 97.5 % to
/// 99.5 %: 20 of 1,000 observations lie in the bucket that holds 0.3 s, and half of them is taken for good`. `None` where none do.
pub fn around_threshold(counts: Counts, threshold: f64) -> Option<String> {
    let Counts { good, tolerated, .. } = counts;
    let share = |good: i64| words::exact_percent(good as f64 / counts.total() as f64);
    (tolerated > 0 && counts.total() > 0).then(|| {
        format!(
            "good are {} to {}: {} of {} observations lie in the bucket that holds {threshold} s, and half of them is taken for good",
            share(good),
            share(good + tolerated),
            words::grouped(tolerated),
            words::grouped(counts.total()),
        )
    })
}

/// The arithmetic of a step in one line, for the audit: `1h: bad 191,160 of 13,093,200 = 1.460 %, burn 14.6x > 14.4x and 5m: ... -> page`.
pub(crate) fn why(step: &Step, target: Target, unit: EventUnit) -> String {
    let urgency = urgency_word(step.urgency);
    match step.edge {
        Edge::Opens(burn) => {
            let row = row(&burn, target, unit);
            format!("{} and {} -> {urgency}", row.long, row.short)
        }
        Edge::Clears { fastest, lowest } => {
            let limit = match step.urgency {
                Urgency::Page => lowest,
                Urgency::Ticket => fastest.row.factor,
            };
            format!(
                "no {urgency} row holds; {} -> {urgency} clears",
                arithmetic(&words::lookback(fastest.row.short), unit, fastest.short, limit, target)
            )
        }
    }
}

fn row(burn: &RowBurn, target: Target, unit: EventUnit) -> RowExplanation {
    let AlertRow { urgency, factor, long, short } = burn.row;
    let (long, short) = (words::lookback(long), words::lookback(short));
    RowExplanation {
        rule: format!("{} when {long} > {factor}x and {short} > {factor}x", urgency_word(urgency)),
        holds: burn.holds(),
        held_back: held_back(burn, target, unit),
        long: arithmetic(&long, unit, burn.long, factor, target),
        short: arithmetic(&short, unit, burn.short, factor, target),
    }
}

/// `held back: 1 failure of 10 in 1h may be chance: 1.0 % of such lookbacks have as many at 99.9 %, and 0.010 % is the limit; 2 of 10 page`.
fn held_back(burn: &RowBurn, target: Target, unit: EventUnit) -> Option<String> {
    let Verdict::HeldBack(why) = burn.verdict else { return None };
    Some(match why {
        HeldBack::Chance { probability } => chance_words(burn, probability, target, unit),
        HeldBack::Young { counted } => {
            let whole = burn.long_burn * counted.div_duration_f64(burn.row.long);
            let (counted, long) = (words::duration(counted), words::lookback(burn.row.long));
            format!(
                "held back: {counted} of {long} are counted; had the rest no failure, the burn would be {}",
                words::times_beside(whole, burn.row.factor)
            )
        }
    })
}

fn chance_words(burn: &RowBurn, chance: f64, target: Target, unit: EventUnit) -> String {
    let lookback = words::lookback(burn.row.long);
    let (likely, limit) = (words::percent(chance), words::percent(chance::LIMIT));
    let (failed, percent) = (failures(burn.long, unit), target.as_percent());
    let enough = enough(burn.long, target, unit);
    format!(
        "held back: {failed} in {lookback} may be chance: {likely} of such lookbacks have as many at {percent} %, and {limit} is the limit; {enough}"
    )
}

/// `1 failure of 10`: as the test counted them, half failures dropped.
fn failures(counts: Counts, unit: EventUnit) -> String {
    let (failed, events) = chance::whole_failures(counts, unit);
    format!("{} of {}", words::plural(usize::try_from(failed).unwrap_or(usize::MAX), "failure"), whole(events))
}

/// How many failures of as many events would not be held back.
fn enough(counts: Counts, target: Target, unit: EventUnit) -> String {
    let (_, events) = chance::whole_failures(counts, unit);
    match chance::failures_beyond(events, target) {
        Some(failed) => format!("{} of {} page", whole(failed), whole(events)),
        None => format!("no number of {} pages", whole(events)),
    }
}

fn whole(number: u64) -> String {
    words::grouped(i64::try_from(number).unwrap_or(i64::MAX))
}

/// The arithmetic of each of these rows, by their place, that is held back, in one line, for the audit; `None` where none is.
pub fn why_held_back(status: &BudgetStatus, rows: &[usize]) -> Option<String> {
    let why = |burn: &RowBurn| {
        let row = row(burn, status.target, status.unit);
        Some(format!("{} and {} -> {} {}", row.long, row.short, urgency_word(burn.row.urgency), row.held_back?))
    };
    let whys: Vec<String> = rows.iter().filter_map(|place| status.rows.get(*place)).filter_map(why).collect();
    (!whys.is_empty()).then(|| whys.join("; "))
}

/// Why rows above their burn rates do not page or open a ticket, in the fewest words, to stand beside a state that does not say so; `None` where none is held
/// back, and where an alert is open: `held back: few events`.
pub fn held_back_in_short(status: &BudgetStatus) -> Option<String> {
    let is = |wanted: fn(HeldBack) -> bool| status.rows.iter().any(|burn| matches!(burn.verdict, Verdict::HeldBack(why) if wanted(why)));
    let chance = is(|why| matches!(why, HeldBack::Chance { .. })).then_some("few events");
    let young = is(|why| matches!(why, HeldBack::Young { .. })).then_some("young history");
    let whys: Vec<&str> = chance.into_iter().chain(young).collect();
    (!whys.is_empty() && status.state != State::Burning).then(|| format!("held back: {}", whys.join(", ")))
}

/// The places of the rows that are held back.
pub fn rows_held_back(status: &BudgetStatus) -> Vec<usize> {
    status.rows.iter().enumerate().filter(|(_, burn)| burn.is_held_back()).map(|(place, _)| place).collect()
}

fn arithmetic(lookback: &str, unit: EventUnit, counts: Counts, factor: Factor, target: Target) -> String {
    let Some(share) = FailedShare::of(counts) else { return format!("{lookback}: no events") };
    let sign = match compare(counts, factor, target) {
        std::cmp::Ordering::Less => '<',
        std::cmp::Ordering::Equal => '=',
        std::cmp::Ordering::Greater => '>',
    };
    let rate = words::times_beside(burn(counts, target), factor);
    let counted = counted(unit, counts);
    format!("{lookback}: {counted} = {}, burn {rate} {sign} {factor}x{}", words::exact_percent(share.as_f64()), doubt(counts))
}

fn counted(unit: EventUnit, counts: Counts) -> String {
    let tolerated = match counts.tolerated {
        0 => String::new(),
        n => format!(" and half of {} tolerated", unit.count(n)),
    };
    format!("bad {}{tolerated} of {}", unit.count(counts.bad), unit.count(counts.total()))
}

fn doubt(counts: Counts) -> String {
    Doubt::of(counts).map_or_else(String::new, |doubt| format!(" ({})", doubt.words()))
}

fn budget_line(status: &BudgetStatus) -> String {
    match &status.left {
        None if status.unknown.is_some() => "unknown".to_owned(),
        None => no_events(status),
        Some(left) => {
            let so_far = if status.to_fill.is_zero() { "" } else { " so far" };
            format!("{}{so_far}{}{}{}", words::budget_left(left), runs_out(status), rest(status), doubt(status.counts))
        }
    }
}

fn no_events(status: &BudgetStatus) -> String {
    match &status.window {
        Window::Rolling(length) => format!("no events in {}", words::lookback(*length)),
        Window::Calendar { period, .. } => {
            format!("no events since the {} began {} ago", period.word(), words::duration(status.over.passed(status.as_of)))
        }
    }
}

/// What a calendar window comes to: `; 12 d 4 h to go, 38 % left then at the rate so far`.
fn rest(status: &BudgetStatus) -> String {
    let Some(forecast) = status.forecast else { return String::new() };
    let rest = words::duration(status.over.to.since(status.as_of));
    format!("; {rest} to go, {} then at the rate so far", words::share_left(&forecast))
}

fn excluded_line(Excluded { counts, time, treated, held: _ }: Excluded, unit: EventUnit) -> Option<String> {
    let made = match treated {
        ExcludedTime::Removed => "removed",
        ExcludedTime::CountsAsGood => "counted as good",
    };
    (!time.is_zero()).then(|| format!("{}: {}, {made}", words::duration(time), counted(unit, counts)))
}

fn seen(status: &BudgetStatus) -> String {
    let seen = format!("{} of the window", words::whole_percent(status.coverage));
    if !status.to_fill.is_zero() {
        return format!("{seen}; the first {} of it are still to be read", words::duration(status.to_fill));
    }
    let Some(unseen) = &status.unseen else { return seen };
    let time = words::duration(unseen.time);
    if unseen.events == 0 {
        return format!("{seen}; {time} unseen, and no events in what was seen");
    }
    let events = match status.counted_in {
        CountedIn::Events => format!("may hold {} events, at the rate of what was seen", status.unit.count(unseen.events)),
        CountedIn::Slices(_) => "may be good or bad".to_owned(),
    };
    let counted = match status.no_data {
        NoDataThen::TellOwner | NoDataThen::Page if takes_unseen_for_the_rest(status, unseen) => {
            "; what is shown takes them to have failed as often as those that were seen"
        }
        NoDataThen::TellOwner | NoDataThen::Page => "",
        NoDataThen::CountAsBad => "; counted as bad (`no-data`)",
    };
    format!("{seen}; {time} unseen {events}: {}{counted}", words::left_between(&unseen.least, &unseen.most))
}

/// Whether what is left is that of a window whose unseen time went as the rest of it, so that the budget moved when the silence ended although nothing failed
/// since: events are a share of the time that they were counted over, holes included. While nothing is seen the figures stand.
fn takes_unseen_for_the_rest(status: &BudgetStatus, unseen: &Unseen) -> bool {
    let shown = |left: BudgetLeft| words::whole_percent(left.ratio);
    let is_between = |left: BudgetLeft| left.ratio < unseen.most.ratio && shown(left) != shown(unseen.most);
    status.counted_in == CountedIn::Events && status.unknown.is_none() && status.left.is_some_and(is_between)
}

fn runs_out(status: &BudgetStatus) -> String {
    match (status.runs_out, fastest(&status.rows)) {
        (Some(span), Some(burn)) => format!("; at the {} rate gone in {}", words::lookback(burn.row.short), words::duration(span)),
        (Some(_) | None, Some(_) | None) => String::new(),
    }
}

fn decided(status: &BudgetStatus) -> String {
    match &status.status {
        Status::Active => by_state(status),
        Status::Shadow => format!("{}; its SLO is in shadow: nobody is told", by_state(status)),
        Status::Suspended(Suspension { reason, .. }) => format!("nothing: its SLO is suspended ({reason})"),
    }
}

fn by_state(status: &BudgetStatus) -> String {
    match status.state {
        State::Burning => burning(status),
        State::CannotSee => format!("cannot see: {}", status.unknown.as_ref().map_or_else(String::new, ToString::to_string)),
        State::Spent if holds_undecided(status) => format!("{}; nothing is left of the budget", by_rows(status)),
        State::Spent => "no alert holds, and nothing is left of the budget".to_owned(),
        State::BackFilling if status.to_fill.is_zero() => {
            "what happened since the last read is being caught up with; nothing is decided until then".to_owned()
        }
        State::BackFilling => {
            format!("{}; the budget is not known yet: {} are still to be read", by_rows(status), words::duration(status.to_fill))
        }
        State::NoTraffic => "no events, so nothing failed".to_owned(),
        State::Ok => by_rows(status),
    }
}

/// What holds opens an alert in the same round. Where a row holds and no alert is open, nobody decided by these figures: they were filled in later, or
/// corrected.
fn holds_undecided(status: &BudgetStatus) -> bool {
    status.rows.iter().any(|burn| burn.holds() && status.alerts.since(burn.row.urgency).is_none())
}

fn by_rows(status: &BudgetStatus) -> String {
    if holds_undecided(status) {
        let (rows, verb) = match status.rows.iter().filter(|burn| burn.holds()).count() {
            1 => ("one row".to_owned(), "holds"),
            several => (format!("{several} rows"), "hold"),
        };
        return format!(
            "nothing was decided by these figures: {rows} {verb}, and no alert was open; they were filled in or corrected afterwards"
        );
    }
    match (status.rows.is_empty(), rows_held_back(status).len()) {
        (true, _) => "the objective has no alert rows".to_owned(),
        (false, 0) => "no row holds".to_owned(),
        (false, 1) => "no row holds; one is above its burn rate and held back, as it says".to_owned(),
        (false, several) => format!("no row holds; {several} are above their burn rates and held back, as they say"),
    }
}

fn burning(status: &BudgetStatus) -> String {
    let open = [Urgency::Page, Urgency::Ticket].into_iter().filter(|urgency| status.alerts.since(*urgency).is_some());
    let verdicts: Vec<String> = open.map(|urgency| verdict(status, urgency)).collect();
    let unknown = status.unknown.as_ref().map(|unknown| match status.rows.as_slice() {
        [] => format!("cannot see ({unknown}): nothing changes"),
        [_, ..] => format!("the budget is unknown ({unknown})"),
    });
    verdicts.into_iter().chain(unknown).collect::<Vec<_>>().join("; ")
}

fn verdict(status: &BudgetStatus, urgency: Urgency) -> String {
    let word = urgency_word(urgency);
    let holding = status.rows.iter().filter(|burn| burn.row.urgency == urgency && burn.holds()).max_by_key(|burn| burn.row.factor);
    match holding {
        Some(burn) => {
            format!(
                "{word}: {} and {} are both above {}x",
                words::lookback(burn.row.long),
                words::lookback(burn.row.short),
                burn.row.factor
            )
        }
        None if status.rows.is_empty() => format!("{word}: still open"),
        None => format!("{word}: no row holds any more, and it has not cleared yet"),
    }
}

fn clears_when(status: &BudgetStatus, urgency: Urgency) -> Option<String> {
    status.alerts.since(urgency)?;
    let rows = || status.rows.iter().filter(move |burn| burn.row.urgency == urgency);
    let fastest = fastest(rows())?;
    let lowest = rows().map(|burn| burn.row.factor).min()?;
    let short = words::lookback(fastest.row.short);
    let sight = if contradicts(fastest.short, status.target) {
        format!(", once the counts of the last {short} no longer contradict each other")
    } else if was_seen(fastest.short, fastest.row.short) {
        String::new()
    } else {
        format!(", once at least half of the last {short} was seen")
    };
    Some(match urgency {
        Urgency::Page => format!("the page clears when no page row holds and {short} is at or below {lowest}x{sight}"),
        Urgency::Ticket => format!("the ticket clears when no ticket row holds{sight}"),
    })
}

const fn urgency_word(urgency: Urgency) -> &'static str {
    match urgency {
        Urgency::Page => "page",
        Urgency::Ticket => "ticket",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        alert::AlertState,
        alert_rows::default_rows,
        budget::{BudgetLeft, Unseen},
        id::{BudgetId, Group, ObjectiveName, ServiceName, SloId, SloName, TenantId},
        ledger::{Reason, Sums, Unknown},
        slo::SliceRule,
        time::{Timestamp, days, hours, minutes},
        units::GoodShare,
        window::Interval,
    };
    use std::time::Duration;

    /// Everything over the last hour failed as told; before it nothing did.
    pub(super) struct Hour {
        pub(super) long: Counts,
        pub(super) short: Counts,
    }

    impl Sums for Hour {
        fn over(&self, lookback: Duration) -> Counts {
            match lookback {
                lookback if lookback <= minutes(5) => self.short,
                lookback if lookback <= hours(1) => self.long,
                _ => Counts { good: 9_424_370_140, bad: 2_733_860, ..Counts::default() },
            }
        }

        fn since(&self, from: Timestamp) -> Counts {
            self.over(Timestamp::EPOCH.since(from))
        }
    }

    pub(super) fn counts(total: i64, bad: i64) -> Counts {
        Counts { good: total - bad, bad, ..Counts::default() }
    }

    pub(super) fn status(sums: &Hour, state: State, alerts: AlertState) -> BudgetStatus {
        let (target, window) = (Target::percent("99.9%").expect("a target"), days(30));
        let rows: Vec<RowBurn> = default_rows(target, window).rows.into_iter().map(|row| RowBurn::of(row, target, sums)).collect();
        let counts = sums.over(window);
        let left = BudgetLeft::of(target, window, counts);
        BudgetStatus {
            budget: BudgetId {
                slo: SloId {
                    tenant: TenantId::parse("main").expect("a name"),
                    service: ServiceName::parse("checkout").expect("a name"),
                    name: SloName::parse("availability").expect("a name"),
                },
                objective: ObjectiveName::parse("30d").expect("a name"),
                group: Group::whole(),
            },
            state,
            status: Status::Active,
            since: None,
            target,
            window: Window::Rolling(window),
            over: Interval::ending(Timestamp::EPOCH, window),
            counted_in: CountedIn::Events,
            counts,
            unit: EventUnit::Event,
            excluded: Excluded::default(),
            sli: None,
            left,
            forecast: None,
            window_total: counts.total() as f64,
            runs_out: crate::budget::runs_out(left.expect("traffic"), rows[0].short_burn, window),
            rows,
            counted_from: Some(Timestamp::EPOCH),
            coverage: 1.0,
            to_fill: Duration::ZERO,
            unseen: None,
            no_data: NoDataThen::TellOwner,
            doubt: None,
            newest_sample: None,
            as_of: Timestamp::EPOCH,
            unknown: None,
            alerts,
            members: Vec::new(),
        }
    }

    pub(super) const PAGED: AlertState = AlertState { page: Some(Timestamp::EPOCH), ticket: None };

    #[test]
    fn a_burning_budget_is_explained_to_the_digit() {
        let burn = Hour { long: counts(13_093_200, 191_160), short: counts(1_091_100, 165_847) };
        let explanation = explain(&status(&burn, State::Burning, PAGED));
        assert_eq!(explanation.budget, "71 % left (30 m 40 s of 43 m 12 s); at the 5m rate gone in 3 h 22 m");
        assert_eq!(explanation.allowed, "0.100 %");
        let fast = &explanation.rows[0];
        assert_eq!(fast.rule, "page when 1h > 14.4x and 5m > 14.4x");
        assert_eq!(fast.long, "1h: bad 191,160 of 13,093,200 = 1.460 %, burn 14.6x > 14.4x");
        assert_eq!(fast.short, "5m: bad 165,847 of 1,091,100 = 15.200 %, burn 152.0x > 14.4x");
        assert_eq!(explanation.decided, "page: 1h and 5m are both above 14.4x");
        assert_eq!(explanation.clears, ["the page clears when no page row holds and 5m is at or below 6x"]);
    }

    #[test]
    fn a_budget_of_which_nobody_is_told_says_so() {
        let burn = Hour { long: counts(13_093_200, 191_160), short: counts(1_091_100, 165_847) };
        let said = |of: Status| explain(&BudgetStatus { status: of, ..status(&burn, State::Burning, PAGED) }).decided;
        assert_eq!(said(Status::Shadow), "page: 1h and 5m are both above 14.4x; its SLO is in shadow: nobody is told");
        let suspension = Suspension { reason: "the exporter is rebuilt".to_owned(), until: Timestamp::EPOCH };
        assert_eq!(said(Status::Suspended(suspension)), "nothing: its SLO is suspended (the exporter is rebuilt)");
    }

    #[test]
    fn a_page_that_no_row_holds_says_what_it_waits_for() {
        let waiting = Hour { long: counts(10_000, 100), short: Counts { unseen_millis: 200_000, ..counts(1000, 0) } };
        let explanation = explain(&status(&waiting, State::Burning, PAGED));
        assert_eq!(explanation.decided, "page: no row holds any more, and it has not cleared yet");
        assert_eq!(
            explanation.clears,
            ["the page clears when no page row holds and 5m is at or below 6x, once at least half of the last 5m was seen"]
        );
    }

    #[test]
    fn every_state_says_which_rule_decided() {
        let calm = Hour { long: counts(0, 0), short: counts(1000, 0) };
        for (state, words) in [
            (State::Ok, "no row holds"),
            (State::Spent, "no alert holds, and nothing is left of the budget"),
            (State::BackFilling, "what happened since the last read is being caught up with; nothing is decided until then"),
            (State::NoTraffic, "no events, so nothing failed"),
        ] {
            let explanation = explain(&status(&calm, state, AlertState::default()));
            assert_eq!(explanation.decided, words);
            assert_eq!(explanation.clears, Vec::<String>::new());
            assert_eq!(explanation.rows[0].long, "1h: no events");
        }
    }

    /// History that was filled in is never decided: the daemon did not run then.
    #[test]
    fn rows_that_hold_where_no_alert_was_open_were_not_decided() {
        let burn = Hour { long: counts(13_093_200, 191_160), short: counts(1_091_100, 165_847) };
        let said = |state| explain(&status(&burn, state, AlertState::default())).decided;
        let words =
            "nothing was decided by these figures: one row holds, and no alert was open; they were filled in or corrected afterwards";
        assert_eq!(said(State::Ok), words);
        assert_eq!(said(State::Spent), format!("{words}; nothing is left of the budget"));
    }

    #[test]
    fn blindness_is_told_with_its_reason_alone_and_beside_an_alert() {
        let calm = Hour { long: counts(1000, 0), short: counts(1000, 0) };
        let unknown = Some(Unknown { reason: Reason::Timeout, detail: "no answer within 15 s".into() });
        let blind = BudgetStatus { unknown: unknown.clone(), ..status(&calm, State::CannotSee, AlertState::default()) };
        assert_eq!(explain(&BudgetStatus { left: None, ..blind.clone() }).budget, "unknown");
        assert_eq!(explain(&blind).decided, "cannot see: timeout: no answer within 15 s");
        let paged = BudgetStatus { unknown, rows: vec![], ..status(&calm, State::Burning, PAGED) };
        assert_eq!(explain(&paged).decided, "page: still open; cannot see (timeout: no answer within 15 s): nothing changes");
    }

    #[test]
    fn what_unseen_time_may_hide_is_told_with_its_assumption() {
        let calm = Hour { long: counts(1000, 0), short: counts(1000, 0) };
        let left = |ratio| BudgetLeft { ratio, ..BudgetLeft::untouched(Target::percent("99.9%").expect("a target"), days(30)) };
        let unseen = |events| Some(Unseen { time: minutes(130), events, least: left(0.6), most: left(0.71) });
        let shown_of = |ratio: Option<f64>, unknown: Option<Unknown>| {
            let status = status(&calm, State::Ok, AlertState::default());
            explain(&BudgetStatus { coverage: 0.97, unseen: unseen(1_200), left: ratio.map(left), unknown, ..status }).seen
        };
        let shown = |events: i64, no_data: NoDataThen, counted_in: CountedIn| {
            let unseen = unseen(events);
            explain(&BudgetStatus { coverage: 0.97, unseen, no_data, counted_in, ..status(&calm, State::Ok, AlertState::default()) }).seen
        };
        assert_eq!(
            shown(1_200, NoDataThen::TellOwner, CountedIn::Events),
            "97 % of the window; 2 h 10 m unseen may hold 1,200 events, at the rate of what was seen: 60 % to 71 % left"
        );
        assert_eq!(
            shown_of(Some(0.68), None),
            "97 % of the window; 2 h 10 m unseen may hold 1,200 events, at the rate of what was seen: 60 % to 71 % left; what is shown takes them to have failed as often as those that were seen"
        );
        let blind = Unknown { reason: Reason::Timeout, detail: "no answer within 15 s".to_owned() };
        for stands in [shown_of(Some(0.71), None), shown_of(None, None), shown_of(Some(0.68), Some(blind))] {
            assert!(stands.ends_with("60 % to 71 % left"), "{stands}");
        }
        assert_eq!(
            shown(1_200, NoDataThen::CountAsBad, CountedIn::Events),
            "97 % of the window; 2 h 10 m unseen may hold 1,200 events, at the rate of what was seen: 60 % to 71 % left; counted as bad (`no-data`)"
        );
        assert_eq!(shown(0, NoDataThen::Page, CountedIn::Events), "97 % of the window; 2 h 10 m unseen, and no events in what was seen");
        let rule = SliceRule { length: minutes(1), good_from: GoodShare::percent("99%").expect("a share") };
        assert_eq!(
            shown(7_800, NoDataThen::Page, CountedIn::Slices(rule)),
            "97 % of the window; 2 h 10 m unseen may be good or bad: 60 % to 71 % left"
        );
    }

    #[test]
    fn what_lies_around_the_threshold_of_a_native_histogram_is_told_from_both_sides() {
        let counts = Counts { good: 975, tolerated: 20, bad: 5, ..Counts::default() };
        let text = around_threshold(counts, 0.3).expect("twenty do");
        assert_eq!(
            text,
            "good are 97.500 % to 99.500 %: 20 of 1,000 observations lie in the bucket that holds 0.3 s, and half of them is taken for good"
        );
        assert_eq!(around_threshold(Counts { tolerated: 0, ..counts }, 0.3), None);
    }

    #[test]
    fn tolerated_events_and_equal_rates_are_shown_as_they_are() {
        let target = Target::percent("99%").expect("a target");
        let text = arithmetic("1h", EventUnit::Event, Counts { good: 98, tolerated: 2, ..Counts::default() }, Factor::ONE, target);
        assert_eq!(text, "1h: bad 0 and half of 2 tolerated of 100 = 1.000 %, burn 1.0x = 1x");
    }
}
