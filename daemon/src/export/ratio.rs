//! The share of bad events of an SLO over a lookback, as PromQL.

use std::time::Duration;

use burnward_core::sli::{Counted, HistogramKind, MatchOp, Matcher, Selector, Sli};

use crate::definition::duration;

/// Why an SLI has no such expression.
pub(super) const COMPOSITE: &str = "a composite judges slices of time by its members' verdicts, which rules do not know";
pub(super) const PRESENCE: &str = "which groups must exist cannot be said in a rule: an absent group has no series";

/// The share of bad events over the last `lookback`, of each group; `Err` with the reason where rules cannot say it.
pub(super) fn bad(sli: &Sli, per: &[String], lookback: Duration) -> Result<String, &'static str> {
    let range = duration::format(lookback);
    match sli {
        Sli::Events { counted, total } => {
            let rate = |selector: &Selector| format!("sum{}(rate({selector}[{range}]))", by(per));
            let total = added(&total.iter().map(rate).collect::<Vec<_>>());
            // Where the total is there and none of these is, there were none.
            let side = |selectors: &[Selector]| format!("({} or {total} * 0)", added(&selectors.iter().map(rate).collect::<Vec<_>>()));
            Ok(match counted {
                Counted::Bad(selectors) => format!("{} / ({total} > 0)", side(selectors)),
                Counted::Good(selectors) => format!("({total} - {}) / ({total} > 0)", side(selectors)),
            })
        }
        Sli::Latency { buckets, kind: HistogramKind::Classic, within, tolerated } => {
            let bucket = |le: Matcher| format!("sum{}(rate({}[{range}]))", by(per), buckets.with(le));
            let (total, good) = (bucket(infinite()), bucket(boundary(*within)));
            let good = match tolerated {
                None => good,
                Some(tolerated) => format!("(({good} + {}) / 2)", bucket(boundary(*tolerated))),
            };
            Ok(format!("({total} - {good}) / ({total} > 0)"))
        }
        Sli::Latency { buckets, kind: HistogramKind::Native, within, tolerated: _ } => {
            Ok(format!("1 - histogram_fraction(0, {within}, sum{}(rate({buckets}[{range}])))", by(per)))
        }
        Sli::Probe { probes } => {
            let of = |function: &str| {
                let sums = probes.iter().map(|probe| format!("sum{}({function}({probe}[{range}]))", by(per)));
                added(&sums.collect::<Vec<_>>())
            };
            Ok(format!("1 - {} / {}", of("sum_over_time"), of("count_over_time")))
        }
        Sli::Presence { series, slice, expected } if per.is_empty() && expected.is_empty() => {
            let slice = duration::format(*slice);
            let there = format!("(count(present_over_time({series}[{slice}])) > bool 0) or vector(0)");
            Ok(format!("1 - avg_over_time(({there})[{range}:{slice}])"))
        }
        Sli::Presence { .. } => Err(PRESENCE),
        Sli::Window { expression, is, threshold, slice } => {
            let slice = duration::format(*slice);
            // A value that is no number is unseen, and compares with nothing.
            let good = format!("(({expression}) >= -Inf) {} bool {threshold}", is.sign());
            Ok(format!("1 - avg_over_time(({good})[{range}:{slice}])"))
        }
        Sli::Query { counted, total, step } => {
            let step = duration::format(*step);
            let sum = |expression: &str| format!("sum_over_time(({expression})[{range}:{step}])");
            let total = sum(total.as_str());
            Ok(match counted {
                Counted::Bad(bad) => format!("({} or {total} * 0) / ({total} > 0)", sum(bad.as_str())),
                Counted::Good(good) => format!("({total} - ({} or {total} * 0)) / ({total} > 0)", sum(good.as_str())),
            })
        }
        Sli::Composite(_) => Err(COMPOSITE),
    }
}

/// What has a value while anything at all of the SLO is there; `None` where that is not one metric.
pub(super) fn presence(sli: &Sli) -> Option<String> {
    match sli {
        Sli::Events { total, .. } => Some(any(total)),
        Sli::Latency { buckets, .. } => Some(buckets.to_string()),
        Sli::Probe { probes } => Some(any(probes)),
        Sli::Window { expression, .. } => Some(expression.to_string()),
        Sli::Query { total, .. } => Some(total.to_string()),
        Sli::Presence { .. } | Sli::Composite(_) => None,
    }
}

fn any(selectors: &[Selector]) -> String {
    selectors.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ")
}

/// What follows `sum`: ` by (a, b) `, or nothing.
pub(super) fn by(per: &[String]) -> String {
    if per.is_empty() { String::new() } else { format!(" by ({}) ", per.join(", ")) }
}

fn joined(parts: &[String]) -> String {
    match parts {
        [only] => only.clone(),
        several => format!("({})", several.join(" + ")),
    }
}

/// The sum of what is there of these, as long as one of them is.
fn added(sums: &[String]) -> String {
    let whole = |at: usize, sum: &String| {
        let others: Vec<&str> = sums.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, sum)| sum.as_str()).collect();
        if others.is_empty() { sum.clone() } else { format!("({sum} or ({}) * 0)", others.join(" or ")) }
    };
    joined(&sums.iter().enumerate().map(|(at, sum)| whole(at, sum)).collect::<Vec<_>>())
}

/// All observations.
pub(super) fn infinite() -> Matcher {
    Matcher { label: "le".to_owned(), op: MatchOp::Equal, value: "+Inf".to_owned() }
}

/// A boundary in all spellings that exporters use: 1, 1.0 and 1e+06 of large ones.
pub(super) fn boundary(seconds: f64) -> Matcher {
    let mut spellings = vec![seconds.to_string()];
    if seconds.fract() == 0.0 {
        spellings.push(format!("{seconds}.0"));
    }
    if seconds >= 1e6 {
        let (digits, power) =
            format!("{seconds:e}").split_once('e').map(|(digits, power)| (digits.to_owned(), power.to_owned())).unwrap_or_default();
        spellings.push(format!("{digits}e+{power:0>2}"));
    }
    match spellings.as_slice() {
        [only] => Matcher { label: "le".to_owned(), op: MatchOp::Equal, value: only.clone() },
        several => {
            let escaped: Vec<String> = several.iter().map(|spelling| spelling.replace('.', "\\.").replace('+', "\\+")).collect();
            Matcher { label: "le".to_owned(), op: MatchOp::Regex, value: escaped.join("|") }
        }
    }
}
