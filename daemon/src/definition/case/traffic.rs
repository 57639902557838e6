//! The `traffic:` of a test.

use std::{collections::BTreeMap, time::Duration};

use super::{
    BadSeries, Failing, Rate, Shape, SloRef, Traffic,
    read::{Scene, list, read_labels, read_slo, read_span, read_time},
};
use crate::definition::{
    codes,
    reader::{Fields, Keys, Reader, shortened},
    yaml::{Entry, Node},
};

const TRAFFIC: Keys = Keys {
    of: "traffic",
    known: &["slo", "labels", "constant", "trickle", "diurnal", "burst", "failing", "born", "bad-series"],
    later: &[],
};
const SHAPES: [&str; 4] = ["constant", "trickle", "diurnal", "burst"];
const DIURNAL: Keys = Keys { of: "diurnal traffic", known: &["low", "high", "high-at"], later: &[] };
const BURST: Keys = Keys { of: "a burst", known: &["usual", "peak", "from", "to"], later: &[] };
const FAILING: Keys = Keys { of: "what fails", known: &["share", "from", "to"], later: &[] };
const BAD_SERIES: [BadSeries; 2] = [BadSeries::FromTheStart, BadSeries::WithTheFirst];

/// A whole in millionths.
const WHOLE: u32 = 1_000_000;

/// Reads the traffic of a test of this SLO.
pub(super) fn read(reader: &mut Reader, node: &Node, slo: Option<&SloRef>, scene: &Scene<'_>) -> Vec<Traffic> {
    let Some(items) = list(reader, node, "`traffic`") else { return Vec::new() };
    items.iter().filter_map(|item| read_one(reader, item, slo, scene)).collect()
}

fn read_one(reader: &mut Reader, node: &Node, slo: Option<&SloRef>, scene: &Scene<'_>) -> Option<Traffic> {
    let fields = reader.map(node, &TRAFFIC)?;
    let own = reader.optional(&fields, "slo").map(|node| read_slo(reader, node, scene.named_by));
    let labels = reader.optional(&fields, "labels").map_or(Some(BTreeMap::new()), |node| read_labels(reader, node, "`labels`"));
    let shape = read_shape(reader, &fields, scene);
    let failing = reader.optional(&fields, "failing").map_or_else(Vec::new, |node| read_failing(reader, node, scene));
    let born = match reader.optional(&fields, "born") {
        Some(node) => read_time(reader, node, "`born`", scene),
        None => Some(Duration::ZERO),
    };
    let bad_series = read_bad_series(reader, &fields);
    let slo = own.unwrap_or_else(|| slo.cloned())?;
    Some(Traffic { slo, labels: labels?, shape: shape?, failing, born: born?, bad_series, place: reader.place(node.range.clone()) })
}

/// The shape that is given; of an SLI that has one event a sample none is.
#[expect(clippy::option_option, reason = "the outer one says that it could not be read")]
fn read_shape(reader: &mut Reader, fields: &Fields<'_>, scene: &Scene<'_>) -> Option<Option<Shape>> {
    let given: Vec<&Entry> = fields.entries().iter().filter(|entry| SHAPES.contains(&entry.key.as_str())).collect();
    match given.as_slice() {
        [] => Some(None),
        [entry] => match entry.key.as_str() {
            "constant" => read_rate(reader, &entry.value, "`constant`").map(Shape::Constant),
            "trickle" => read_trickle(reader, &entry.value),
            "diurnal" => read_diurnal(reader, &entry.value),
            _ => read_burst(reader, &entry.value, scene),
        }
        .map(Some),
        [first, second, ..] => {
            let message = format!("traffic has one shape, and here are `{}` and `{}`", first.key, second.key);
            let diagnostic = reader.diagnostic(&codes::TEST_TRAFFIC, second.key_range.clone(), message);
            let related = reader.place(first.key_range.clone());
            reader.report(diagnostic.related(related, "the other one").help("make two entries of it, which are added"));
            None
        }
    }
}

fn read_rate(reader: &mut Reader, node: &Node, of: &str) -> Option<Rate> {
    let text = reader.text(node, of)?;
    let rate = Rate::parse(text);
    if rate.is_none() {
        let message = format!("`{}` is not a rate of events", shortened(text));
        let diagnostic = reader.diagnostic(&codes::TEST_RATE, node.range.clone(), message);
        reader.report(diagnostic.help("write a number and a unit of time, such as 20/s, 600/m, 10/h or 100/d; at most 1000000/s"));
    }
    rate
}

fn read_trickle(reader: &mut Reader, node: &Node) -> Option<Shape> {
    let rate = read_rate(reader, node, "`trickle`")?;
    if rate.micros_a_second() > 1e6 {
        let diagnostic = reader.diagnostic(&codes::TEST_RATE, node.range.clone(), "a trickle is at most one event a second");
        reader.report(diagnostic.help("write `constant:` for more"));
        return None;
    }
    Some(Shape::Trickle(rate))
}

fn read_diurnal(reader: &mut Reader, node: &Node) -> Option<Shape> {
    let fields = reader.map(node, &DIURNAL)?;
    let low = reader.required(&fields, "low", "2/s").and_then(|node| read_rate(reader, node, "`low`"));
    let high = reader.required(&fields, "high", "40/s").and_then(|node| read_rate(reader, node, "`high`"));
    let high_at = match reader.optional(&fields, "high-at") {
        Some(node) => read_time_of_day(reader, node),
        None => Some(Duration::from_hours(14)),
    };
    Some(Shape::Diurnal { low: low?, high: high?, high_at: high_at? })
}

fn read_time_of_day(reader: &mut Reader, node: &Node) -> Option<Duration> {
    let text = reader.text(node, "`high-at`")?;
    let number = |text: &str, below: u64| {
        let two_digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<u64>().ok().filter(|number| two_digits && *number < below)
    };
    let found = text.split_once(':').and_then(|(hour, minute)| Some(Duration::from_mins(number(hour, 24)? * 60 + number(minute, 60)?)));
    if found.is_none() {
        let message = format!("`{}` is not a time of day", shortened(text));
        let diagnostic = reader.diagnostic(&codes::TEST_TIME, node.range.clone(), message);
        reader.report(diagnostic.help("write hours and minutes in quotes, such as '14:00'"));
    }
    found
}

fn read_burst(reader: &mut Reader, node: &Node, scene: &Scene<'_>) -> Option<Shape> {
    let fields = reader.map(node, &BURST)?;
    let usual = reader.required(&fields, "usual", "1/s").and_then(|node| read_rate(reader, node, "`usual`"));
    let peak = reader.required(&fields, "peak", "100/s").and_then(|node| read_rate(reader, node, "`peak`"));
    let when = read_span(reader, &fields, scene);
    Some(Shape::Burst { usual: usual?, peak: peak?, when: when? })
}

fn read_failing(reader: &mut Reader, node: &Node, scene: &Scene<'_>) -> Vec<Failing> {
    let Some(items) = list(reader, node, "`failing`") else { return Vec::new() };
    let mut failing: Vec<Failing> = Vec::new();
    for item in items {
        let Some(one) = read_one_failing(reader, item, scene) else { continue };
        if failing.iter().any(|other| one.when.from < other.when.to && other.when.from < one.when.to) {
            let diagnostic = reader.diagnostic(&codes::TEST_TIME, item.range.clone(), "two stretches of failures overlap");
            reader.report(diagnostic.help("say for each stretch which share fails in it"));
        }
        failing.push(one);
    }
    failing
}

fn read_one_failing(reader: &mut Reader, node: &Node, scene: &Scene<'_>) -> Option<Failing> {
    let fields = reader.map(node, &FAILING)?;
    let share = reader.required(&fields, "share", "20%").and_then(|node| read_share(reader, node, "`share`"));
    let when = read_span(reader, &fields, scene);
    Some(Failing { share: u32::try_from(share?).ok()?, when: when? })
}

/// A percentage from 0 to 100 with at most four decimals, in millionths.
pub(super) fn read_share(reader: &mut Reader, node: &Node, of: &str) -> Option<i64> {
    let share = read_percent(reader, node, of)?;
    if !(0..=i64::from(WHOLE)).contains(&share) {
        reader.error(&codes::TEST_RATE, node.range.clone(), format!("{of} lies between 0% and 100%"));
        return None;
    }
    Some(share)
}

/// A percentage, which may be negative, in millionths.
pub(super) fn read_percent(reader: &mut Reader, node: &Node, of: &str) -> Option<i64> {
    let text = reader.text(node, of)?;
    let found = percent(text);
    if found.is_none() {
        let message = format!("`{}` is not a percentage", shortened(text));
        let diagnostic = reader.diagnostic(&codes::TEST_RATE, node.range.clone(), message);
        reader.report(diagnostic.help("write a number with at most four decimals and %, such as 20% or 99.5%"));
    }
    found
}

fn percent(text: &str) -> Option<i64> {
    let number = text.strip_suffix('%')?.trim_end();
    let (sign, number) = number.strip_prefix('-').map_or((1, number), |number| (-1, number));
    let (whole, decimals) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |text: &str, most: usize| (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole, 9) || !digits(decimals, 4) {
        return None;
    }
    format!("{whole}{decimals:0<4}").parse::<i64>().ok().map(|millionths| sign * millionths)
}

fn read_bad_series(reader: &mut Reader, fields: &Fields<'_>) -> BadSeries {
    let Some(node) = reader.optional(fields, "bad-series") else { return BadSeries::default() };
    let Some(word) = reader.text(node, "`bad-series`") else { return BadSeries::default() };
    let known = BAD_SERIES.into_iter().find(|known| known.word() == word);
    if known.is_none() {
        let message = format!("`{}` is not known here", shortened(word));
        let diagnostic = reader.diagnostic(&codes::WRONG_TYPE, node.range.clone(), message);
        reader.report(diagnostic.help(format!("known are: {}", BAD_SERIES.map(BadSeries::word).join(", "))));
    }
    known.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::percent;

    #[test]
    fn percentages_are_millionths() {
        for (text, millionths) in [("20%", 200_000), ("99.5%", 995_000), ("0.0001%", 1), ("-24 %", -240_000), ("100%", 1_000_000)] {
            assert_eq!(percent(text), Some(millionths), "{text}");
        }
        for text in ["20", "0.00001%", "%", "1.%", "1e2%", "--1%"] {
            assert_eq!(percent(text), None, "{text}");
        }
    }
}
