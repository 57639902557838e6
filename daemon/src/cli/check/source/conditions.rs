//! Whether what a `window` compares with its threshold ever comes out well in what the source has, and whether the threshold is in the unit of the values; and
//! whether counters are what the rise of a counter is taken of. Where some slices are good and some are not, one question is all.

use std::{collections::BTreeSet, time::Duration};

use burnward_core::{
    ledger::{Blinds, Unknown},
    sli::{Comparison, Selector},
    slo::Slo,
    time::Timestamp,
    words,
};

use super::{
    Asked,
    finding::{About, Finding},
    questions::step_of,
};
use crate::definition::{codes, promql};

/// So many of the newest slices are looked at first.
const NEWEST: u32 = 60;
/// From fewer slices nothing is concluded.
const FEWEST: usize = 5;
/// A threshold is far from values that are so many times smaller, or larger.
const FAR: f64 = 100.0;
/// Of so many selectors the kind is asked for.
const MOST_RISES: usize = 4;

/// What is compared.
#[derive(Clone, Copy)]
pub(super) struct Condition<'a> {
    pub(super) text: &'a str,
    pub(super) is: Comparison,
    pub(super) threshold: f64,
    pub(super) slice: Duration,
}

impl Condition<'_> {
    fn holds(&self, value: f64) -> bool {
        self.is.holds(value, self.threshold)
    }

    fn shown(&self) -> String {
        format!("`{} {}`", self.is.sign(), self.threshold)
    }
}

/// The values of slices that were looked at.
#[derive(Debug, Default)]
struct Seen {
    values: Vec<f64>,
    instants: BTreeSet<Timestamp>,
}

impl Seen {
    fn least(&self) -> f64 {
        self.values.iter().copied().fold(f64::INFINITY, f64::min)
    }

    fn most(&self) -> f64 {
        self.values.iter().copied().fold(f64::NEG_INFINITY, f64::max)
    }

    fn slices(&self) -> String {
        words::plural(self.instants.len(), "slice")
    }
}

/// What the metrics of an expression are measured in, as their names say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Seconds,
    Bytes,
    Ratio,
}

impl Unit {
    /// That of an expression's values; `None` where its metrics do not say it, or another one comes of them.
    fn of(text: &str) -> Option<Self> {
        let names: Vec<String> = promql::parts(text).selectors.iter().map(|selector| selector.metric().to_owned()).collect();
        let all = |ends: &[&str]| !names.is_empty() && names.iter().all(|name| ends.iter().any(|end| name.ends_with(end)));
        let any = |end: &str| names.iter().any(|name| name.ends_with(end));
        if any("_timestamp_seconds") || text.contains("time()") {
            return None;
        }
        // Sums over counts are seconds, as are quantiles of buckets; counts alone, and buckets that are divided, are not.
        let mean = all(&["_seconds", "_seconds_sum", "_seconds_count"]) && (any("_seconds_sum") || !any("_seconds_count"));
        let quantile = all(&["_seconds", "_seconds_bucket"]) && (!any("_seconds_bucket") || text.contains("histogram_quantile"));
        if mean || quantile {
            return Some(Self::Seconds);
        }
        [("_bytes", Self::Bytes), ("_ratio", Self::Ratio)].into_iter().find(|(end, _)| all(&[end])).map(|(_, unit)| unit)
    }
}

impl Asked<'_> {
    /// A condition that was met by no slice, or by each of them since its threshold is in another unit.
    pub(super) async fn condition(&self, slo: &Slo, condition: Condition<'_>) -> Result<Option<Finding>, Unknown> {
        let Condition { text, slice, .. } = condition;
        let window = self.in_source(slo);
        let mut seen = Seen::default();
        self.look(text, (slice * NEWEST).min(window.max(slice)), slice, &mut seen).await?;
        if is_well(condition, &seen, 1) {
            return Ok(None);
        }
        self.look(text, window, step_of(window).max(slice), &mut seen).await?;
        if is_well(condition, &seen, FEWEST) {
            return Ok(None);
        }
        let within = words::lookback(window);
        Ok(if seen.values.iter().any(|value| condition.holds(*value)) {
            too_far(condition, &seen, &within)
        } else {
            Some(never(condition, &seen, &within))
        })
    }

    async fn look(&self, text: &str, span: Duration, step: Duration, seen: &mut Seen) -> Result<(), Unknown> {
        let answer = match self.source.read_steps(text, self.now.minus(span), self.now, step).await {
            Ok(answer) => answer,
            // The expression itself was asked for, and is told of.
            Err(unknown) if unknown.reason.blinds() == Blinds::Slo => return Ok(()),
            Err(unknown) => return Err(unknown),
        };
        for sample in answer.series.iter().flat_map(|series| &series.samples).filter(|sample| !sample.value.is_nan()) {
            seen.values.push(sample.value);
            seen.instants.insert(sample.at);
        }
        Ok(())
    }

    /// Gauges of which an expression takes the rise of a counter. One that was `told` of is not told of again.
    pub(super) async fn no_counters(&self, text: &str, told: &mut BTreeSet<Selector>) -> Result<Vec<Finding>, Unknown> {
        let mut findings = Vec::new();
        for (function, selector) in promql::rises(text).into_iter().take(MOST_RISES) {
            let Some(series) = self.newest(&selector, &mut Vec::new()).await? else { continue };
            let Some(why) = self.gauge(&selector, &series).await? else { continue };
            if told.insert(selector.clone()) {
                let message = format!("{function}() is of counters, and {selector} is no counter: {why}");
                let help = "each fall would be taken for a restart: compare its value as it is, take delta() or deriv() of it, or name the counter that stands beside it; `promql-check: off` beside the expression silences this".to_owned();
                findings.push(Finding { code: &codes::SOURCE_GAUGE, message, help, about: About::Part(text.to_owned(), selector) });
            }
        }
        Ok(findings)
    }

    /// A probe that was good at no sample within the window.
    pub(super) async fn never_good(&self, slo: &Slo, probe: &Selector) -> Result<Option<Finding>, Unknown> {
        let Some(series) = self.newest(probe, &mut Vec::new()).await? else { return Ok(None) };
        let mut newest = series.iter().flat_map(|series| &series.samples).peekable();
        if newest.peek().is_none() || newest.any(|sample| sample.value != 0.0) {
            return Ok(None);
        }
        let window = self.in_source(slo);
        let step = step_of(window);
        let mut seen = Seen::default();
        self.look(&format!("max(max_over_time({probe}[{}s]))", step.as_secs()), window, step, &mut seen).await?;
        if seen.values.is_empty() || seen.most() != 0.0 {
            return Ok(None);
        }
        let message = format!("{probe} was 0 at each of its samples within {}: no event was good", words::lookback(window));
        let help = "does the probe reach its target at all, and is its module the right one? A gauge that is 1 while something is wrong is compared in a `window`: `is: '=='`, `threshold: 0`".to_owned();
        Ok(Some(Finding { code: &codes::SOURCE_NEVER, message, help, about: About::Selector(probe.clone()) }))
    }
}

/// Whether nothing is to be said of a condition, of which at least so many slices must be seen.
fn is_well(condition: Condition<'_>, seen: &Seen, fewest: usize) -> bool {
    let held = seen.values.iter().filter(|value| condition.holds(**value)).count();
    seen.instants.len() < fewest || (held > 0 && (held < seen.values.len() || too_far(condition, seen, "").is_none()))
}

fn never(condition: Condition<'_>, seen: &Seen, within: &str) -> Finding {
    let (least, most) = (seen.least(), seen.most());
    let values = if least.total_cmp(&most).is_eq() {
        format!("the value was {}", shown(least))
    } else {
        format!("the values lie between {} and {}", shown(least), shown(most))
    };
    let message =
        format!("{} held in none of the {} looked at within {within}: {values}, so every slice is bad", condition.shown(), seen.slices());
    let turned = match condition.is {
        Comparison::Less => Comparison::Greater,
        Comparison::AtMost => Comparison::AtLeast,
        Comparison::Greater => Comparison::Less,
        Comparison::AtLeast => Comparison::AtMost,
        Comparison::Equal => Comparison::Different,
        Comparison::Different => Comparison::Equal,
    };
    let sign = turned.sign();
    let help = format!(
        "`is` says what holds of a good slice: did you mean `is: '{sign}'`, or is the threshold in another unit than the values? Where it is as bad as that, `promql-check: off` beside the expression silences this"
    );
    Finding { code: &codes::SOURCE_NEVER, message, help, about: About::Key("is") }
}

/// A threshold that the values of every slice stay far from, where their unit says that another one is meant.
fn too_far(condition: Condition<'_>, seen: &Seen, within: &str) -> Option<Finding> {
    let Condition { text, is, threshold, .. } = condition;
    let (least, most) = (seen.least(), seen.most());
    let is_upper = matches!(is, Comparison::Less | Comparison::AtMost);
    let is_lower = matches!(is, Comparison::Greater | Comparison::AtLeast);
    let (nearest, times, what) = match Unit::of(text)? {
        Unit::Seconds if is_upper && threshold >= 10.0 && most > 0.0 && threshold >= most * FAR => {
            let meant = format!("the metric is in seconds: {threshold} ms is `threshold: {}`", threshold / 1000.0);
            (most, threshold / most, meant)
        }
        Unit::Ratio if is_upper && threshold > 1.0 && most > 0.0 && most <= 1.0 => {
            (most, threshold / most, format!("the metric is a ratio between 0 and 1: {threshold} % is `threshold: {}`", threshold / 100.0))
        }
        Unit::Bytes if is_lower && threshold > 0.0 && threshold < 1_048_576.0 && least >= threshold * FAR * FAR => {
            let meant = format!("the metric is in bytes: {threshold} GiB is `threshold: {}`", threshold * 1_073_741_824.0);
            (least, least / threshold, meant)
        }
        Unit::Seconds | Unit::Ratio | Unit::Bytes => return None,
    };
    let (extreme, away) = if is_upper { ("largest", "times the values") } else { ("smallest", "times below the values") };
    let message = format!(
        "{} held in each of the {} looked at within {within}, and the {extreme} value was {}: the threshold is {} {away}",
        condition.shown(),
        seen.slices(),
        shown(nearest),
        shown(times.floor())
    );
    let help = format!("{what}. Where it is meant to be that far off, `promql-check: off` beside the expression silences this");
    Some(Finding { code: &codes::SOURCE_FAR, message, help, about: About::Key("threshold") })
}

/// A value with three digits that say something.
fn shown(value: f64) -> String {
    if value == 0.0 || !value.is_finite() || (value.fract() == 0.0 && value.abs() < 1e9) {
        return format!("{value}");
    }
    let text = format!("{value:.2e}");
    text.parse::<f64>()
        .map_or(text, |rounded| if (1e-4..1e9).contains(&rounded.abs()) { format!("{rounded}") } else { format!("{rounded:e}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unit_of_an_expression_is_that_of_its_metrics() {
        use Unit::{Bytes, Ratio, Seconds};
        for (text, unit) in [
            ("max(lag_seconds)", Some(Seconds)),
            ("sum(rate(wait_seconds_sum[5m])) / sum(rate(wait_seconds_count[5m]))", Some(Seconds)),
            ("histogram_quantile(0.9, sum by (le) (rate(wait_seconds_bucket[5m])))", Some(Seconds)),
            ("histogram_quantile(0.9, sum(rate(wait_seconds[5m])))", Some(Seconds)),
            ("sum(rate(wait_seconds_count[5m]))", None),
            ("sum(rate(wait_seconds_bucket{le=\"1\"}[5m])) / sum(rate(wait_seconds_count[5m]))", None),
            ("sum(rate(wait_seconds_bucket{le=\"1\"}[5m])) / sum(rate(wait_seconds_bucket[5m]))", None),
            ("rate(cpu_seconds_total[5m])", None),
            ("time() - backup_timestamp_seconds", None),
            ("time() - backup_seconds", None),
            ("min(free_bytes)", Some(Bytes)),
            ("free_bytes / lag_seconds", None),
            ("disk_used_ratio", Some(Ratio)),
            ("up", None),
            ("vector(1)", None),
        ] {
            assert_eq!(Unit::of(text), unit, "{text}");
        }
    }

    fn seen(values: &[f64]) -> Seen {
        let instants = (0..).zip(values).map(|(second, _)| Timestamp::from_seconds(second)).collect();
        Seen { values: values.to_vec(), instants }
    }

    fn condition(text: &'static str, sign: &str, threshold: f64) -> Condition<'static> {
        Condition { text, is: Comparison::parse(sign).expect("a sign"), threshold, slice: Duration::from_mins(1) }
    }

    #[test]
    fn a_threshold_is_far_off_where_the_unit_of_the_values_says_so() {
        for (text, sign, threshold, values, is_far) in [
            ("lag_seconds", "<", 500.0, &[0.2, 4.1][..], true),
            ("lag_seconds", "<", 500.0, &[0.2, 5.1], false),
            ("lag_seconds", "<", 500.0, &[0.0, 0.0], false),
            ("lag_seconds", "<=", 5.0, &[0.01, 0.02], false),
            ("lag_milliseconds", "<", 500.0, &[0.2, 4.1], false),
            ("lag_seconds", ">", 0.001, &[0.2, 4.1], false),
            ("free_bytes", ">", 5.0, &[5e9, 6e9], true),
            ("free_bytes", ">", 5e8, &[5e12, 6e12], false),
            ("free_bytes", "<", 5e12, &[5e8, 6e8], false),
            ("used_ratio", "<", 80.0, &[0.2, 1.0], true),
            ("used_ratio", "<", 0.8, &[0.001, 0.002], false),
            ("used_ratio", "<", 80.0, &[20.0, 50.0], false),
        ] {
            let condition = condition(text, sign, threshold);
            assert_eq!(too_far(condition, &seen(values), "6h").is_some(), is_far, "{text} {sign} {threshold} {values:?}");
        }
    }

    #[test]
    fn nothing_is_said_where_some_slices_differ_or_too_few_were_seen() {
        let never = condition("lag_seconds", ">", 5.0);
        for (values, fewest, well) in [
            (&[][..], 1, true),
            (&[1.0, 2.0], 1, false),
            (&[1.0, 2.0], FEWEST, true),
            (&[1.0, 2.0, 1.0, 2.0, 1.0], FEWEST, false),
            (&[1.0, 2.0, 1.0, 2.0, 6.0], FEWEST, true),
            (&[6.0, 6.0, 6.0, 6.0, 6.0], FEWEST, true),
        ] {
            assert_eq!(is_well(never, &seen(values), fewest), well, "{values:?}");
        }
    }

    #[test]
    fn values_are_shown_with_what_says_something() {
        for (value, text) in
            [(0.0, "0"), (4.123_45, "4.12"), (1_234_567.5, "1230000"), (5e12, "5e12"), (0.000_012_34, "1.23e-5"), (200.0, "200")]
        {
            assert_eq!(shown(value), text);
        }
    }
}
