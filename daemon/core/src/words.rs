//! The words that every surface shares: durations, shares, counts, lists, and why something happened. Plain text without markup; whoever shows it
//! escapes it for its place.

use std::time::Duration;

use crate::{
    budget::{BudgetLeft, Unseen},
    incident::{EscalationReason, JoinReason, Kind, PageReason, ReopenReason, Symptom},
    sli::{Composite, Sli},
    units::{EventCount, Factor},
    window::Window,
};

/// The longest untrusted value within a sentence, in characters.
const VALUE_CHARACTERS: usize = 64;

/// A span in its two largest units, rounded to the smaller: `3 h 22 m`, `30 m 40 s`, `6 min`, `57 s`, `30 d`.
/// ```
/// use burnward_core::words::duration;
/// assert_eq!(duration(std::time::Duration::from_secs(12_107)), "3 h 22 m");
/// ```
pub fn duration(span: Duration) -> String {
    let seconds = rounded_to_two_units(span);
    let (days, hours, minutes, rest) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    match (days, hours, minutes, rest) {
        (0, 0, 0, 0) if span.is_zero() => "0 s".to_owned(),
        (0, 0, 0, 0) => "under 1 s".to_owned(),
        (0, 0, 0, s) => format!("{s} s"),
        (0, 0, m, 0) => format!("{m} min"),
        (0, 0, m, s) => format!("{m} m {s} s"),
        (0, h, 0, _) => format!("{h} h"),
        (0, h, m, _) => format!("{h} h {m} m"),
        (d, 0, _, _) => format!("{d} d"),
        (d, h, _, _) => format!("{d} d {h} h"),
    }
}

/// A whole number of seconds as a span; of a negative one its size.
pub fn seconds(seconds: i64) -> String {
    duration(Duration::from_secs(seconds.unsigned_abs()))
}

/// Whole seconds, rounded to the smaller of the two units that are shown.
fn rounded_to_two_units(span: Duration) -> u64 {
    let unit = match span.as_secs() {
        0..3600 => 1_000,
        3600..86_400 => 60_000,
        86_400.. => 3_600_000,
    };
    let rounded = (span.as_millis() + unit / 2) / unit * unit;
    u64::try_from(rounded / 1000).unwrap_or(u64::MAX)
}

/// A lookback as definitions write it, exact to the second: `5m`, `3d`, `2d19h12m`.
/// ```
/// use burnward_core::words::lookback;
/// assert_eq!(lookback(std::time::Duration::from_secs(300)), "5m");
/// ```
pub fn lookback(span: Duration) -> String {
    let seconds = span.as_secs();
    let units = [(seconds / 86_400, 'd'), (seconds / 3600 % 24, 'h'), (seconds / 60 % 60, 'm'), (seconds % 60, 's')];
    let parts: Vec<String> = units.into_iter().filter(|(n, _)| *n > 0).map(|(n, unit)| format!("{n}{unit}")).collect();
    if parts.is_empty() { "0s".to_owned() } else { parts.concat() }
}

/// A window as a table names it: `30d`, `calendar month, Europe/Berlin`.
pub fn window(window: &Window) -> String {
    match window {
        Window::Rolling(length) => lookback(*length),
        Window::Calendar { period, zone } => format!("calendar {}, {zone}", period.word()),
    }
}

/// A window within a sentence: `30 d`, `the calendar month in Europe/Berlin`.
pub fn window_spoken(window: &Window) -> String {
    match window {
        Window::Rolling(length) => duration(*length),
        Window::Calendar { period, zone } => format!("the calendar {} in {zone}", period.word()),
    }
}

/// What an objective promises, with its name where another one of its SLO promises the same: `99.9 % over 30d`, `99.9 % over 30d (objective minutes)`.
pub fn promise(told: &str, by_name: Option<&str>) -> String {
    by_name.map_or_else(|| told.to_owned(), |name| format!("{told} (objective {name})"))
}

/// A share between 0 and 1 as a percentage with its sign, precise enough to compare: `15.2 %`, `1.46 %`, `0.10 %`, `0.0050 %`.
/// ```
/// use burnward_core::words::percent;
/// assert_eq!(percent(0.152), "15.2 %");
/// ```
pub fn percent(share: f64) -> String {
    let value = share * 100.0;
    let decimals = match value.abs() {
        v if v >= 99.95 => 0,
        v if v >= 9.995 => 1,
        v if v >= 0.995 => 2,
        v if v > 0.0 => small_decimals(v),
        _ => 0,
    };
    if share < 1.0 && value >= 99.95 { "over 99.9 %".to_owned() } else { format!("{value:.decimals$} %") }
}

/// As many decimals as show two digits of a value under 1; at most 9.
fn small_decimals(value: f64) -> usize {
    (1..9_usize).find(|decimals| value * 10_f64.powi(i32::try_from(*decimals).unwrap_or(9)) >= 0.995).map_or(9, |first| first + 1)
}

/// What is left of a budget, as a share and as time: `71 % left (30 m 40 s of 43 m 12 s)`, `24 % overspent (10 m 22 s beyond 43 m 12 s)`.
pub fn budget_left(left: &BudgetLeft) -> String {
    let time = duration(Duration::try_from_secs_f64(left.seconds.abs()).unwrap_or(Duration::MAX));
    let whole = duration(left.whole);
    let of = if left.ratio < 0.0 { "beyond" } else { "of" };
    format!("{} ({time} {of} {whole})", share_left(left))
}

/// What is left of a budget as a share: `71 % left`, `24 % overspent`.
pub fn share_left(left: &BudgetLeft) -> String {
    if left.ratio < 0.0 { format!("{} overspent", whole_percent(-left.ratio)) } else { format!("{} left", whole_percent(left.ratio)) }
}

/// Between what a budget is left, as shares: `60 % to 71 % left`, `3 % overspent to 12 % left`.
pub fn left_between(least: &BudgetLeft, most: &BudgetLeft) -> String {
    let (low, high) = (share_left(least), share_left(most));
    let one_side = (least.ratio < 0.0) == (most.ratio < 0.0);
    match low == high {
        true => high,
        false if one_side => format!("{} to {high}", whole_percent(least.ratio.abs())),
        false => format!("{low} to {high}"),
    }
}

/// The same of what unseen time may hide, where the two ends differ as they are shown.
pub fn unseen_left(unseen: &Unseen) -> Option<String> {
    (share_left(&unseen.least) != share_left(&unseen.most)).then(|| left_between(&unseen.least, &unseen.most))
}

/// How much of a budget's window was seen, where that is not all: `62 % of the window seen`.
pub fn window_seen(coverage: f64) -> Option<String> {
    (coverage < 0.9995).then(|| format!("{} of the window seen", whole_percent(coverage)))
}

/// A share as whole percent, never rounded to nothing or to all: `71 %`, `under 1 %`, `over 99 %`.
pub fn whole_percent(share: f64) -> String {
    match share * 100.0 {
        value if value > 0.0 && value < 0.995 => "under 1 %".to_owned(),
        value if (99.5..100.0).contains(&value) => "over 99 %".to_owned(),
        value => format!("{value:.0} %"),
    }
}

/// A multiple of the allowed rate: `14.6x`, `152x`, `0.2x`.
pub fn times(burn: f64) -> String {
    if burn < 99.95 { format!("{burn:.1}x") } else { format!("{burn:.0}x") }
}

/// A burn rate as people say it: `14.6x`, `under 0.1x`, and `0x` where nothing fails.
pub fn burn(burn: f64) -> String {
    if burn <= 0.0 {
        "0x".to_owned()
    } else if burn < 0.05 {
        "under 0.1x".to_owned()
    } else {
        times(burn)
    }
}

/// A share in percent as arithmetic shows it, with three decimals, six where three would hide it: `1.460 %`, `0.000020 %`.
pub fn exact_percent(share: f64) -> String {
    let percent = share * 100.0;
    if percent != 0.0 && percent.abs() < 0.001 { format!("{percent:.6} %") } else { format!("{percent:.3} %") }
}

/// A burn rate beside the factor that it is compared with: as many decimals as it takes to tell them apart, at most six.
pub fn times_beside(burn: f64, factor: Factor) -> String {
    let shown = |decimals: usize, value: f64| format!("{value:.decimals$}");
    let apart = |decimals: &usize| shown(*decimals, burn) != shown(*decimals, factor.as_f64());
    let equal = shown(9, burn) == shown(9, factor.as_f64());
    let decimals = if equal { 1 } else { (1..6).find(apart).unwrap_or(6) };
    format!("{burn:.decimals$}x")
}

/// A number of things: `12`, `3,637`, `1.26 M`.
pub fn count(number: i64) -> String {
    match number.unsigned_abs() {
        0..1_000_000 => grouped(number),
        1_000_000..1_000_000_000 => format!("{:.2} M", number as f64 / 1e6),
        _ => format!("{:.2} G", number as f64 / 1e9),
    }
}

/// What an SLI counts: `events`, `probes`, `slices of 1 min`.
pub fn counted(sli: &Sli) -> String {
    match sli {
        Sli::Events { .. } | Sli::Latency { .. } | Sli::Query { .. } => "events".to_owned(),
        Sli::Probe { .. } => "probes".to_owned(),
        Sli::Presence { slice, .. } | Sli::Window { slice, .. } | Sli::Composite(Composite { slice, .. }) => {
            format!("slices of {}", duration(*slice))
        }
    }
}

/// A number of events in few characters: `12`, `12.5`, `1.26 M`.
pub fn event_count(events: EventCount) -> String {
    if events.rounded().unsigned_abs() < 100 { events.to_string() } else { count(events.rounded()) }
}

/// A whole number with its thousands apart, to the last digit: `13,093,200`.
pub fn grouped(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::from(if number < 0 { "-" } else { "" });
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number and its noun, whose plural ends in s: `1 alert`, `3 alerts`.
pub fn plural(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// Names in a sentence, at most `most` of them, each cut where it is long: `acme, globex and 3 more`.
pub fn list(names: &[String], most: usize) -> String {
    let shown: Vec<String> = names.iter().take(most).map(|name| cut(name, VALUE_CHARACTERS)).collect();
    match names.len().saturating_sub(most) {
        0 => shown.join(", "),
        rest if shown.is_empty() => rest.to_string(),
        rest => format!("{} and {rest} more", shown.join(", ")),
    }
}

/// At most `characters` of a text, the last one `…` where more was there.
pub fn cut(text: &str, characters: usize) -> String {
    if text.chars().count() <= characters {
        return text.to_owned();
    }
    let kept: String = text.chars().take(characters.saturating_sub(1)).collect();
    format!("{kept}…")
}

/// What bad events are, after a percentage: `15.2 % of requests failing`.
pub const fn symptom(symptom: Symptom) -> &'static str {
    match symptom {
        Symptom::Failing => "of requests failing",
        Symptom::TooSlow => "of requests too slow",
        Symptom::Down => "of probes failing",
        Symptom::Downtime => "of the time down",
        Symptom::Missing => "of the time missing",
        Symptom::OutOfBounds => "of the time out of bounds",
        Symptom::Broken => "of the time broken",
    }
}

/// Why a page is owed, as a clause.
pub const fn page_reason(why: PageReason) -> &'static str {
    match why {
        PageReason::Opened => "the incident opened",
        PageReason::NotAcknowledged => escalation_reason(EscalationReason::NotAcknowledged),
        PageReason::HelpAsked => escalation_reason(EscalationReason::HelpAsked),
        PageReason::Unreachable => escalation_reason(EscalationReason::Unreachable),
        PageReason::Joined(reason) => join_reason(reason),
        PageReason::Reopened => "it is open again",
    }
}

/// Why an incident escalated, as a clause.
pub const fn escalation_reason(why: EscalationReason) -> &'static str {
    match why {
        EscalationReason::NotAcknowledged => "nobody acknowledged in time",
        EscalationReason::HelpAsked => "help was asked for",
        EscalationReason::Unreachable => "nobody of the step before could be reached",
    }
}

/// Why an alert that joins is told with a new post, as a clause.
pub const fn join_reason(why: JoinReason) -> &'static str {
    match why {
        JoinReason::NewSlo => "another SLO joined",
        JoinReason::Doubled => "at least twice as many groups are hit",
        JoinReason::CameBack => "what had recovered fires again",
        JoinReason::OldAcknowledgement => "more joined, and the last acknowledgement is over 30 min old",
    }
}

/// What goes on although a person resolved it: `STILL FAILING`.
pub const fn goes_on(kind: Kind) -> &'static str {
    match kind {
        Kind::Burn | Kind::Test => "STILL FAILING",
        Kind::CannotSee => "STILL BLIND",
    }
}

/// That an alert flaps: `FLAPPING: checkout/availability for acme came back 4 times`.
pub fn flaps(alert: &str, times: u32) -> String {
    format!("FLAPPING: {alert} came back {times} times")
}

/// Why an incident is open again, as a clause.
pub const fn reopen_reason(why: ReopenReason) -> &'static str {
    match why {
        ReopenReason::FiredAgain => "an alert fired within 30 min of the end",
        ReopenReason::StillHolds => "10 min after a person resolved it, an alert still holds",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_show_their_two_largest_units() {
        for (seconds, text) in [
            (0, "0 s"),
            (57, "57 s"),
            (60, "1 min"),
            (360, "6 min"),
            (1840, "30 m 40 s"),
            (2592, "43 m 12 s"),
            (3600, "1 h"),
            (3601, "1 h"),
            (12_107, "3 h 22 m"),
            (12_149, "3 h 22 m"),
            (86_399, "1 d"),
            (86_400, "1 d"),
            (90_000, "1 d 1 h"),
            (2_592_000, "30 d"),
        ] {
            assert_eq!(duration(Duration::from_secs(seconds)), text, "{seconds} s");
        }
        assert_eq!(duration(Duration::from_millis(20)), "under 1 s");
    }

    #[test]
    fn what_is_left_lies_between_two_shares() {
        let left = |ratio| BudgetLeft { ratio, seconds: 0.0, whole: Duration::from_secs(2592) };
        for (least, most, text) in [
            (0.6, 0.71, "60 % to 71 % left"),
            (-0.24, -0.03, "24 % to 3 % overspent"),
            (-0.24, 0.03, "24 % overspent to 3 % left"),
            (0.9961, 0.9968, "over 99 % left"),
        ] {
            assert_eq!(left_between(&left(least), &left(most)), text);
        }
    }

    #[test]
    fn percentages_keep_the_digits_that_matter_and_never_claim_all() {
        for (share, text) in [
            (0.0, "0 %"),
            (0.152, "15.2 %"),
            (0.0146, "1.46 %"),
            (0.001, "0.10 %"),
            (0.000_05, "0.0050 %"),
            (0.0995, "9.95 %"),
            (0.099_96, "10.0 %"),
            (0.999_99, "over 99.9 %"),
            (1.0, "100 %"),
        ] {
            assert_eq!(percent(share), text, "{share}");
        }
    }

    #[test]
    fn what_is_left_of_a_budget_is_a_share_and_a_time() {
        let left = |ratio: f64| BudgetLeft { ratio, seconds: ratio * 2592.0, whole: Duration::from_secs(2592) };
        for (ratio, text) in [
            (0.71, "71 % left (30 m 40 s of 43 m 12 s)"),
            (1.0, "100 % left (43 m 12 s of 43 m 12 s)"),
            (0.999, "over 99 % left (43 m 9 s of 43 m 12 s)"),
            (0.0, "0 % left (0 s of 43 m 12 s)"),
            (-0.24, "24 % overspent (10 m 22 s beyond 43 m 12 s)"),
        ] {
            assert_eq!(budget_left(&left(ratio)), text);
        }
    }

    #[test]
    fn the_spans_in_the_words_are_those_of_the_rules() {
        assert!(reopen_reason(ReopenReason::FiredAgain).contains(&duration(crate::incident::GRACE)));
        assert!(reopen_reason(ReopenReason::StillHolds).contains(&duration(crate::incident::RECHECK)));
    }

    #[test]
    fn counts_burns_plurals_and_lists_read_well() {
        assert_eq!([0, 12, 3_637, 999_999, 1_260_000, -1_500].map(count), ["0", "12", "3,637", "999,999", "1.26 M", "-1,500"]);
        assert_eq!([0.2, 14.6, 99.94, 152.0].map(times), ["0.2x", "14.6x", "99.9x", "152x"]);
        assert_eq!([0, 1, 2].map(|n| plural(n, "alert")), ["0 alerts", "1 alert", "2 alerts"]);
        let names: Vec<String> = ["acme", "globex", "initech"].map(str::to_owned).into();
        assert_eq!(
            [0, 1, 2, 3].map(|most| list(&names, most)),
            ["3", "acme and 2 more", "acme, globex and 1 more", "acme, globex, initech"]
        );
        assert_eq!(cut("äöü", 2), "ä…");
    }

    #[test]
    fn lookbacks_are_exact() {
        for (seconds, text) in [(0, "0s"), (90, "1m30s"), (3600, "1h"), (241_920, "2d19h12m"), (20_160, "5h36m")] {
            assert_eq!(lookback(Duration::from_secs(seconds)), text);
        }
    }

    #[test]
    fn a_burn_rate_just_above_its_factor_does_not_look_equal_to_it() {
        let factor = Factor::parse("14.4").expect("a factor");
        for (rate, text) in [(14.6, "14.6x"), (14.4, "14.4x"), (14.4003, "14.4003x"), (14.400_000_01, "14.400000x"), (152.0, "152.0x")] {
            assert_eq!(times_beside(rate, factor), text);
        }
    }

    #[test]
    fn arithmetic_shows_every_digit_of_a_count_and_no_small_share_as_nothing() {
        for (n, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (-191_160, "-191,160"), (i64::MIN, "-9,223,372,036,854,775,808")] {
            assert_eq!(grouped(n), text);
        }
        for (share, text) in [(0.0, "0.000 %"), (0.152, "15.200 %"), (0.000_000_2, "0.000020 %")] {
            assert_eq!(exact_percent(share), text);
        }
    }
}
