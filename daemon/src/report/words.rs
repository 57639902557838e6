//! The words that all forms of a report share.

use std::time::Duration;

use burnward_core::{
    evaluate::BudgetStatus,
    exclusion::{Excluded, ExcludedTime, ExclusionId},
    id::ObjectiveName,
    ledger::Counts,
    report::{MemberWeek, Row, TeamWeek, Times, Verdict},
    time::Timestamp,
    units::{EventCount, EventUnit},
    words::{self, duration, percent, plural, whole_percent},
};

use super::Marked;

/// What stands on a report of what was known then.
const KNOWN_THEN: &str = "As it was known at the end of the week, by the definitions that ran then.";

/// What stands on a report of what was known then, and which SLOs no daemon ran: `... What is shown of checkout/latency is of history that was read later: no
/// daemon ran it then.`
pub fn known_then(not_run: &[String]) -> String {
    let later = || format!(" What is shown of {} is of history that was read later: no daemon ran it then.", words::list(not_run, 3));
    format!("{KNOWN_THEN}{}", if not_run.is_empty() { String::new() } else { later() })
}

/// An instant for programs: `2026-11-16T00:00:00Z`.
pub fn utc(at: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.millis()).map_or_else(|_| String::new(), |at| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}

/// An SLO as a report names it: `checkout/availability`, and that it tells nobody, where it does not: `checkout/latency ○ SHADOW`.
pub fn named(then: &BudgetStatus) -> String {
    let slo = &then.budget.slo;
    let silent = if then.tells_nobody() { format!(" {} {}", then.icon(), then.word()) } else { String::new() };
    format!("{}/{}{silent}", slo.service, slo.name)
}

/// What a row's objective promises, with its name where another one of the SLO reads the same: `99.9 % over 30d`, `99.9 % over 30d (objective minutes)`.
pub fn objective(row: &Row) -> String {
    let then = &row.then;
    let told = format!("{} % over {}", then.target.as_percent(), words::window(&then.window));
    words::promise(&told, row.told_by_name.as_ref().map(ObjectiveName::as_str))
}

/// From this share on, all counts as seen.
const ALL_SEEN: f64 = 0.9995;

/// Incidents that are named in a cell.
const LISTED: usize = 2;

/// What became of a budget, with its sign: `-18.0 %, -7 m 46 s`, `+2.00 %, +52 s`, `unchanged`.
pub fn change(ratio: f64, seconds: f64) -> String {
    let sign = if ratio < 0.0 { '-' } else { '+' };
    let time = duration(Duration::try_from_secs_f64(seconds.abs()).unwrap_or(Duration::MAX));
    if ratio == 0.0 { "unchanged".to_owned() } else { format!("{sign}{}, {sign}{time}", percent(ratio.abs())) }
}

/// How many budgets have each verdict, worst first: `1 FREEZE, 2 CAREFUL, 14 SHIP`.
pub fn verdicts(counts: [(Verdict, usize); 4]) -> String {
    let told: Vec<String> =
        counts.iter().filter(|(_, count)| *count > 0).map(|(verdict, count)| format!("{count} {}", verdict.word())).collect();
    if told.is_empty() { "no SLOs".to_owned() } else { told.join(", ") }
}

/// How many of these verdicts, as words, there are of each, worst first.
pub fn count_verdicts<'a>(words: impl IntoIterator<Item = &'a str>) -> [(Verdict, usize); 4] {
    let words: Vec<&str> = words.into_iter().collect();
    Verdict::ALL.map(|verdict| (verdict, words.iter().filter(|word| **word == verdict.word()).count()))
}

/// What ate a budget: `checkout-burn-1 13.4 %, 0.30 % outside of incidents`, `nothing`; why nobody can tell.
pub fn ate<'a>(burns: impl Iterator<Item = (&'a str, Option<f64>)>, unattributed: Option<f64>, missing: Option<&str>) -> String {
    let mut parts: Vec<String> = burns.map(|(incident, spent)| format!("{incident} {}", share(spent))).collect();
    let rest = parts.len().saturating_sub(LISTED);
    parts.truncate(LISTED);
    if rest > 0 {
        parts.push(format!("{rest} more"));
    }
    parts.extend(unattributed.filter(|share| *share > 0.0).map(|share| format!("{} outside of incidents", percent(share))));
    if parts.is_empty() { missing.unwrap_or("nothing").to_owned() } else { parts.join(", ") }
}

/// What a member cost its journey: `5 of 7 bad slices`.
pub fn member_cost(bad: EventCount, journey_bad: EventCount) -> String {
    let slices = if journey_bad.rounded() == 1 { "slice" } else { "slices" };
    format!("{} of {} bad {slices}", words::event_count(bad), words::event_count(journey_bad))
}

/// The members of a journey with what each cost it: `checkout/availability: 5 of 7 bad slices; search/availability: 0 of 7 bad slices`.
pub fn members<'a>(members: impl Iterator<Item = &'a MemberWeek>) -> String {
    let told = |member: &MemberWeek| format!("{}/{}: {}", member.slo.service, member.slo.name, member_cost(member.bad, member.journey_bad));
    members.map(told).collect::<Vec<_>>().join("; ")
}

/// What stands for the whole of what could be seen.
pub const ALL: &str = "all";

/// How much was seen, and between what the budget is left where the rest may change that: `all`, `61 % of the week`,
/// `61 % of the week, 20 % of the window: 60 % to 71 % left`.
pub fn seen(week: f64, window: f64, between: Option<&str>) -> String {
    let part = |share: f64, of: &str| (share < ALL_SEEN).then(|| format!("{} of the {of}", whole_percent(share)));
    let parts: Vec<String> = [part(week, "week"), part(window, "window")].into_iter().flatten().collect();
    let seen = if parts.is_empty() { ALL.to_owned() } else { parts.join(", ") };
    between.map_or_else(|| seen.clone(), |between| format!("{seen}: {between}"))
}

/// What failed: `545` events, `16 min` of slices of time.
pub fn failures(failed: f64, unit: EventUnit) -> String {
    match unit {
        EventUnit::Event | EventUnit::Millionth => words::count(whole(failed)),
        EventUnit::Second => words::seconds(whole(failed)),
    }
}

/// What was taken out of a budget's window, and by which exclusions: `2 h by X-1`, `2 h by, counted as good`; nothing where none was.
pub fn excluded(excluded: &Excluded, by: &[ExclusionId]) -> Option<String> {
    let treated = match excluded.treated {
        ExcludedTime::Removed => "",
        ExcludedTime::CountsAsGood => ", counted as good",
    };
    let by: Vec<String> = by.iter().map(ToString::to_string).collect();
    (!excluded.time.is_zero()).then(|| format!("{} by {}{treated}", duration(excluded.time), words::list(&by, LISTED)))
}

/// What samples that came late changed in the week: `all +1,240, failed +3, unseen -10 m`; nothing where none came.
pub fn late(late: Counts, failed: f64, unit: EventUnit) -> Option<String> {
    let sign = |negative: bool| if negative { '-' } else { '+' };
    let events =
        |name: &str, number: f64| (number != 0.0).then(|| format!("{name} {}{}", sign(number < 0.0), failures(number.abs(), unit)));
    let unseen = Duration::from_millis(late.unseen_millis.unsigned_abs());
    let unseen = (!unseen.is_zero()).then(|| format!("unseen {}{}", sign(late.unseen_millis < 0), duration(unseen)));
    let told: Vec<String> =
        [events("all", unit.count(late.total()).as_f64()), events("failed", failed), unseen].into_iter().flatten().collect();
    (!told.is_empty()).then(|| told.join(", "))
}

/// How many budgets of a report are corrected: `2 budgets with excluded time, 1 budget with samples that came late`.
pub fn corrected(rows: &[Row]) -> Option<String> {
    let excluded = rows.iter().filter(|row| !row.then.excluded.time.is_zero());
    let mut by: Vec<ExclusionId> = excluded.clone().flat_map(|row| row.corrections.exclusions.iter().copied()).collect();
    by.sort_unstable();
    by.dedup();
    let by: Vec<String> = by.iter().map(ToString::to_string).collect();
    let excluded = Some(excluded.count()).filter(|count| *count > 0);
    let excluded = excluded.map(|count| format!("{} with excluded time ({})", plural(count, "budget"), words::list(&by, LISTED)));
    let late = Some(rows.iter().filter(|row| row.corrections.late != Counts::default()).count()).filter(|count| *count > 0);
    let late = late.map(|count| format!("{} with samples that came late", plural(count, "budget")));
    let told: Vec<String> = excluded.into_iter().chain(late).collect();
    (!told.is_empty()).then(|| told.join(", "))
}

/// The nearest whole number.
#[expect(clippy::cast_possible_truncation, reason = "a float beyond the range becomes its end")]
pub const fn whole(number: f64) -> i64 {
    number.round() as i64
}

/// The share of a budget that an incident spent: `13.4 %`.
pub fn share(share: Option<f64>) -> String {
    share.map_or_else(|| "not known".to_owned(), percent)
}

/// The share of a budget that a week spent, or why it is missing: `13.4 %`, `not seen`.
pub fn spent(share: Option<f64>, missing: Option<&str>) -> String {
    share.map_or_else(|| missing.unwrap_or_default().to_owned(), percent)
}

/// What a week cost these teams: `5 pages (2 at night), 3 incidents, 1 ticket`.
pub fn load(teams: &[TeamWeek]) -> String {
    let sum = |of: fn(&TeamWeek) -> usize| teams.iter().map(of).sum::<usize>();
    let at_night = sum(|team| team.people.iter().map(|person| person.at_night).sum());
    let night = if at_night > 0 { format!(" ({at_night} at night)") } else { String::new() };
    let (pages, incidents, tickets) = (sum(TeamWeek::pages), sum(|team| team.incidents), sum(|team| team.tickets));
    format!("{}{night}, {}, {}", plural(pages, "page"), plural(incidents, "incident"), plural(tickets, "ticket"))
}

/// How many incidents are not over: `3`; `3, 1 of them resolved and going on` where a person resolved one whose alerts still hold.
pub fn open(open: usize, goes_on: usize) -> String {
    if goes_on == 0 { open.to_string() } else { format!("{open}, {goes_on} of them resolved and going on") }
}

/// `57 s, at most 4 min` of several, `57 s` of one.
pub fn times(times: Times) -> String {
    if times.count > 1 { format!("{}, at most {}", duration(times.median), duration(times.longest)) } else { duration(times.median) }
}

/// False positives by their incidents: `checkout-burn-2, checkout-burn-5`.
pub fn incidents<'a>(marked: impl Iterator<Item = &'a Marked>) -> String {
    marked.map(|marked| marked.incident.as_str()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_late_says_what_changed_and_nothing_else() {
        let late = |good, bad, unseen_millis| Counts { good, bad, unseen_millis, ..Counts::default() };
        for (counts, unit, text) in [
            (late(1_237, 3, -600_000), EventUnit::Event, Some("all +1,240, failed +3, unseen -10 min")),
            (late(5, -5, 0), EventUnit::Event, Some("failed -5")),
            (late(-10, 0, 30_000), EventUnit::Event, Some("all -10, unseen +30 s")),
            (late(0, 0, 0), EventUnit::Event, None),
        ] {
            assert_eq!(super::late(counts, counts.bad as f64, unit).as_deref(), text);
        }
    }

    #[test]
    fn what_is_excluded_names_how_much_and_by_what() {
        let two = Excluded { time: Duration::from_hours(2), ..Excluded::default() };
        let good = Excluded { treated: ExcludedTime::CountsAsGood, ..two };
        assert_eq!(excluded(&two, &[ExclusionId(1), ExclusionId(4)]).as_deref(), Some("2 h by X-1, X-4"));
        assert_eq!(excluded(&good, &[ExclusionId(2)]).as_deref(), Some("2 h by X-2, counted as good"));
        assert_eq!(excluded(&Excluded::default(), &[ExclusionId(2)]), None);
    }

    #[test]
    fn a_change_says_its_direction_once_for_each_figure() {
        for (ratio, seconds, text) in [
            (-0.18, -466.0, "-18.0 %, -7 m 46 s"),
            (0.02, 52.0, "+2.00 %, +52 s"),
            (0.0, 0.0, "unchanged"),
            (-0.001, -2.6, "-0.10 %, -3 s"),
            (-1.5, -3888.0, "-150 %, -1 h 5 m"),
        ] {
            assert_eq!(change(ratio, seconds), text);
        }
    }
}
