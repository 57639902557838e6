//! Whether values are those of counters, or of probes.

use std::ops::RangeInclusive;

use burnward_core::{
    ledger::{Reason, Series, Unknown},
    sli::Selector,
};

use super::{
    Asked,
    finding::{About, Finding},
};
use crate::{definition::codes, source::prometheus::MetricKind};

impl Asked<'_> {
    /// Counters hold whole numbers, and only rise.
    pub(super) async fn values(&self, selectors: impl Iterator<Item = &Selector>) -> Result<Vec<Finding>, Unknown> {
        let mut findings = Vec::new();
        for selector in selectors {
            let Some(series) = self.newest(selector, &mut findings).await? else { continue };
            let last = series.iter().filter_map(|series| series.samples.last()).map(|sample| sample.value);
            let about = About::Selector(selector.clone());
            if let Some(value) = last.into_iter().find(|value| is_no_count(*value)) {
                let message = format!("{selector} has the value {value}, which no counter of events has");
                let help = "events are whole numbers: use the counter's `_count`, or add up fractions with `query`".to_owned();
                findings.push(Finding { code: &codes::SOURCE_REFUSES, message, help, about });
            } else if let Some(why) = self.gauge(selector, &series).await? {
                let message = format!("{selector} is no counter: {why}");
                let help = "compare its value in a `window`, or count the counter that stands beside it".to_owned();
                findings.push(Finding { code: &codes::SOURCE_GAUGE, message, help, about });
            }
        }
        Ok(findings)
    }

    /// Why a metric is no counter; `None` where nothing says so.
    pub(super) async fn gauge(&self, selector: &Selector, series: &[Series]) -> Result<Option<&'static str>, Unknown> {
        Ok(match self.kind(selector.metric()).await? {
            Some(MetricKind::Gauge) => Some("its targets say that it is a gauge"),
            Some(MetricKind::Counter | MetricKind::Other) => None,
            None => series.iter().any(falls_like_a_gauge).then_some("it fell again and again in the last 15 minutes, and never to nothing"),
        })
    }

    /// A probe is 0 or 1.
    pub(super) async fn no_probe(&self, probe: &Selector) -> Result<Vec<Finding>, Unknown> {
        let mut findings = Vec::new();
        let Some(series) = self.newest(probe, &mut findings).await? else { return Ok(findings) };
        let odd = series.iter().flat_map(|series| &series.samples).map(|sample| sample.value).find(|value| ![0.0, 1.0].contains(value));
        let why = match (self.kind(probe.metric()).await?, odd) {
            (Some(MetricKind::Counter), _) => Some("its targets say that it is a counter".to_owned()),
            (Some(MetricKind::Gauge | MetricKind::Other) | None, Some(value)) => Some(format!("it has the value {value}")),
            (Some(MetricKind::Gauge | MetricKind::Other) | None, None) => None,
        };
        findings.extend(why.map(|why| {
            let message = format!("{probe} is no probe of 0 and 1: {why}; whatever is above 0 is good");
            let help = "count a counter as `events`, and compare any other value in a `window`".to_owned();
            Finding { code: &codes::SOURCE_PROBE, message, help, about: About::Selector(probe.clone()) }
        }));
        Ok(findings)
    }

    /// What the source knows of the kind of a metric; `None` where it keeps no such thing.
    pub(super) async fn kind(&self, metric: &str) -> Result<Option<MetricKind>, Unknown> {
        match self.source.kind_of_metric(metric).await {
            Ok(kind) => Ok(kind),
            Err(unknown) if unknown.reason == Reason::Unreachable => Err(unknown),
            Err(_) => Ok(None),
        }
    }
}

fn is_no_count(value: f64) -> bool {
    const COUNTS: RangeInclusive<f64> = 0.0..=9_007_199_254_740_992.0;
    !COUNTS.contains(&value) || value.fract() != 0.0
}

/// Two falls in one series, neither of them to less than half: a counter that starts anew begins near zero.
fn falls_like_a_gauge(series: &Series) -> bool {
    let falls = series.samples.windows(2).filter(|pair| pair[1].value < pair[0].value);
    let (mut many, mut all_stay_high) = (0, true);
    for pair in falls {
        many += 1;
        all_stay_high &= pair[1].value > pair[0].value / 2.0;
    }
    many >= 2 && all_stay_high
}
