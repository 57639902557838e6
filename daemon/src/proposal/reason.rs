//! Why a target is proposed, in words that stand beside it: `99.93 % measured over 28 days; 99.9 % would have paged twice, 99.5 % never.`

use std::time::Duration;

use burnward_core::{
    time::{days, hours},
    units::Target,
    words,
};

use super::{
    ladder::{self, Measured, Tried},
    measure::Evidence,
};

/// Fewer events say little of any target.
const FEW_EVENTS: f64 = 1_000.0;
/// A shorter time may not be like others.
const SHORT: Duration = days(7);

/// A target with the reasons for it, a sentence each.
#[derive(Debug, Clone, PartialEq)]
pub struct Reasoned {
    /// In percent: `99.9`.
    pub target: String,
    /// Why.
    pub why: Vec<String>,
}

/// The target to propose by what was measured. `failed`: whether a bad event was ever seen; `usual`: the target where nothing can be told.
pub fn of(evidence: &Evidence, failed: bool, usual: &str) -> Reasoned {
    let Evidence { measured, tried, .. } = evidence;
    let never_failed = measured.good >= 1.0 && !failed;
    let chosen = ladder::choose(*measured, tried);
    let usual_place = tried.iter().position(|one| one.target.as_percent() == usual);
    // Where nobody knows whether the bad side counts, nothing stricter than usual is promised.
    let place = if never_failed { chosen.max(usual_place.filter(|_| chosen.is_some())) } else { chosen };
    let mut why = vec![format!("{}{}.", measured_words(evidence), place.map(|place| pages(evidence, place)).unwrap_or_default())];
    why.extend(doubts(evidence, never_failed));
    let Some(place) = place else {
        why.push(if measured.good < 0.5 {
            "More than half failed, so no target fits: is what counts as bad right? The target is a usual one.".to_owned()
        } else {
            "Too few events for any target: each would hang on one or two failures. The target is a usual one.".to_owned()
        });
        return Reasoned { target: usual.to_owned(), why };
    };
    if let Some(stricter) =
        place.checked_sub(1).and_then(|stricter| tried.get(stricter)).filter(|stricter| is_left_to_chance(*measured, **stricter))
    {
        why.push(format!(
            "{} % would allow {} of so many events to fail: chance would decide.",
            stricter.target.as_percent(),
            words::count(rounded(measured.events * stricter.target.allowed().as_f64()))
        ));
    }
    Reasoned { target: tried[place].target.as_percent(), why }
}

/// `99.93 % measured over 28 days (1.26 M events)`
fn measured_words(evidence: &Evidence) -> String {
    let Measured { good, events } = evidence.measured;
    format!("{} measured over {} ({} events)", share(good), long(evidence.counted.length()), words::count(rounded(events)))
}

/// `a, b and c`.
fn in_words(names: &[&str]) -> String {
    match names {
        [only] => (*only).to_owned(),
        [others @ .., last] => format!("{} and {last}", others.join(", ")),
        [] => String::new(),
    }
}

/// What the targets around the chosen one would have done.
fn pages(evidence: &Evidence, place: usize) -> String {
    let Evidence { measured, tried, span, counted, .. } = evidence;
    let (first, last) = (place.saturating_sub(2), if tried[place].pages > 0 { place + 1 } else { place });
    let of = |one: &Tried| {
        let target = format!("{} %", one.target.as_percent());
        let missed = measured.spent(one.target) > 1.0;
        match (missed, one.pages) {
            (true, 0) => format!("{target} would have been missed"),
            (true, pages) => format!("{target} would have been missed, and paged {}", times(pages)),
            (false, 0) => format!("{target} never"),
            (false, pages) => format!("{target} would have paged {}", times(pages)),
        }
    };
    let words: Vec<String> = tried.iter().take(last + 1).skip(first).map(of).collect();
    let calm: Vec<&str> = words.iter().filter_map(|word| word.strip_suffix(" never")).collect();
    let words = if words.iter().any(|word| word.contains(" paged")) {
        words.join(", ")
    } else {
        let others = words.iter().filter(|word| !word.ends_with(" never")).cloned();
        others.chain((!calm.is_empty()).then(|| format!("{} would never have paged", in_words(&calm)))).collect::<Vec<_>>().join(", ")
    };
    let shorter = span.length() + hours(24) < counted.length();
    if shorter { format!("; in the last {} {words}", long(span.length())) } else { format!("; {words}") }
}

/// What makes the figures say less.
fn doubts(evidence: &Evidence, never_failed: bool) -> Vec<String> {
    let length = evidence.counted.length();
    let mut doubts = Vec::new();
    if never_failed {
        doubts.push("No failure was seen, so nobody can tell whether the bad side would count one: try it before you trust it.".to_owned());
    }
    if evidence.measured.events < FEW_EVENTS {
        doubts.push("There is little traffic: pages are held back while so few events may fail by chance.".to_owned());
    }
    if evidence.unseen > evidence.span.length() / 50 {
        doubts.push(format!("{} of that time nothing was seen.", words::duration(evidence.unseen)));
    }
    if let Some(series) = evidence.cut_for_series {
        doubts.push(format!(
            "Pages were looked for in {} alone: its {series} series have too many samples for more.",
            long(evidence.span.length())
        ));
    } else if length < SHORT {
        let length = long(length);
        let is = if length.starts_with("1 ") { "is" } else { "are" };
        doubts.push(format!("{} {is} not a month: look again with `burnward backtest` once there is more.", capital(&length)));
    }
    doubts
}

fn is_left_to_chance(measured: Measured, stricter: Tried) -> bool {
    measured.keeps(stricter.target) && !measured.is_told_by_events(stricter.target)
}

/// A share near one, with a digit of what is missing: `99.93 %`, `99.9966 %`, `100 %`.
fn share(good: f64) -> String {
    let bad = (1.0 - good) * 100.0;
    let decimals = (0..9_usize).find(|decimals| bad * 10_f64.powi(i32::try_from(*decimals).unwrap_or(9)) >= 2.95).unwrap_or(9);
    if bad <= 0.0 { "100 %".to_owned() } else { format!("{:.decimals$} %", good * 100.0) }
}

fn times(number: usize) -> String {
    match number {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        more => format!("{more} times"),
    }
}

/// Days, of less than two hours, of less than one minutes.
fn long(length: Duration) -> String {
    let minutes = (length.as_secs() + 30) / 60;
    if minutes < 60 {
        return words::plural(usize::try_from(minutes.max(1)).unwrap_or(usize::MAX), "minute");
    }
    let hours = (length.as_secs() + 1_800) / 3_600;
    let (number, noun) = if hours >= 48 { ((hours + 12) / 24, "day") } else { (hours.max(1), "hour") };
    words::plural(usize::try_from(number).unwrap_or(usize::MAX), noun)
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[expect(clippy::cast_possible_truncation, reason = "a number of events, which saturates")]
fn rounded(events: f64) -> i64 {
    events.round() as i64
}

/// What a target allows, in words.
pub fn allows(target: &str) -> String {
    let one_in = Target::percent(&format!("{target}%")).map_or(1, |target| target.allowed().den() / target.allowed().num());
    format!("It allows one event in {} to be bad.", words::grouped(i64::try_from(one_in).unwrap_or(i64::MAX)))
}

#[cfg(test)]
mod tests {
    use burnward_core::{time::Timestamp, window::Interval};

    use super::*;

    fn evidence(good: f64, events: f64, pages: [usize; 10]) -> Evidence {
        let to = Timestamp::from_seconds(1_764_000_000);
        let span = Interval { from: to.minus(days(28)), to };
        let tried =
            ladder::targets().into_iter().zip(pages).map(|(target, pages)| Tried { target, pages, outages: 0, tickets: 0 }).collect();
        Evidence { span, counted: span, unseen: Duration::ZERO, measured: Measured { good, events }, tried, cut_for_series: None }
    }

    fn check(evidence: &Evidence, failed: bool) -> String {
        let Reasoned { target, why } = of(evidence, failed, "99.9");
        format!("{target}: {}", why.join(" "))
    }

    #[test]
    fn the_neighbours_of_a_target_say_why_it_is_not_one_of_them() {
        assert_eq!(
            check(&evidence(0.9993, 1_263_000.0, [9, 5, 2, 0, 0, 0, 0, 0, 0, 0]), true),
            "99.5: 99.93 % measured over 28 days (1.26 M events); 99.95 % would have been missed, and paged 5 times, 99.9 % would have paged twice, 99.5 % never."
        );
        assert_eq!(
            check(&evidence(0.9996, 1e6, [4, 3, 2, 2, 2, 1, 1, 1, 0, 0]), true),
            "99.9: 99.96 % measured over 28 days (1.00 M events); 99.99 % would have been missed, and paged 4 times, 99.95 % would have paged 3 times, 99.9 % would have paged twice, 99.5 % would have paged twice."
        );
        assert_eq!(
            check(&evidence(0.999_999, 1e7, [0; 10]), true),
            "99.99: 99.99990 % measured over 28 days (10.00 M events); 99.99 % would never have paged."
        );
    }

    #[test]
    fn what_the_figures_do_not_say_is_said() {
        assert_eq!(
            check(&evidence(1.0, 1e6, [0; 10]), false),
            "99.9: 100 % measured over 28 days (1.00 M events); 99.99 %, 99.95 % and 99.9 % would never have paged. No failure was seen, so nobody can tell whether the bad side would count one: try it before you trust it."
        );
        assert_eq!(
            check(&evidence(1.0, 3_000.0, [0; 10]), true),
            "99.5: 100 % measured over 28 days (3,000 events); 99.95 %, 99.9 % and 99.5 % would never have paged. 99.9 % would allow 3 of so many events to fail: chance would decide."
        );
        assert_eq!(
            check(&evidence(0.2, 1e6, [9; 10]), true),
            "99.9: 20 % measured over 28 days (1.00 M events). More than half failed, so no target fits: is what counts as bad right? The target is a usual one."
        );
        assert_eq!(
            check(&evidence(1.0, 3.0, [0; 10]), true),
            "99.9: 100 % measured over 28 days (3 events). There is little traffic: pages are held back while so few events may fail by chance. Too few events for any target: each would hang on one or two failures. The target is a usual one."
        );
    }

    #[test]
    fn a_short_time_and_a_hidden_one_are_told() {
        let mut short = evidence(0.9993, 1e6, [0; 10]);
        short.span.from = short.span.to.minus(days(2));
        short.counted = short.span;
        short.unseen = hours(5);
        assert_eq!(
            check(&short, true),
            "99.9: 99.93 % measured over 2 days (1.00 M events); 99.99 % would have been missed, 99.95 % would have been missed, 99.9 % would never have paged. 5 h of that time nothing was seen. 2 days are not a month: look again with `burnward backtest` once there is more."
        );
    }

    #[test]
    fn minutes_are_not_called_an_hour() {
        let of = |minutes: u64| {
            let mut young = evidence(1.0, 30_750.0, [0; 10]);
            young.span.from = young.span.to.minus(Duration::from_mins(minutes));
            young.counted = young.span;
            check(&young, true)
        };
        assert!(of(11).starts_with("99.95: 100 % measured over 11 minutes (30,750 events)"), "{}", of(11));
        assert!(of(11).contains(". 11 minutes are not a month: look again with `burnward backtest` once there is more."), "{}", of(11));
        assert!(of(1).contains(". 1 minute is not a month: look again with `burnward backtest` once there is more."), "{}", of(1));
        assert!(of(60).contains("measured over 1 hour ("), "{}", of(60));
    }
}
