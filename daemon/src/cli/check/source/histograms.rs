//! Histograms: of the right kind, with a boundary at each threshold.

use burnward_core::{
    ledger::{Unknown, plan},
    sli::{MatchOp, Matcher, Selector},
    slo::Slo,
};

use super::{
    Asked,
    finding::{About, Finding},
    selectors::Wanted,
};
use crate::definition::codes;

impl Asked<'_> {
    pub(super) async fn classic(&self, slo: &Slo, buckets: &Selector, thresholds: &[f64]) -> Result<Vec<Finding>, Unknown> {
        let all = buckets.with(Matcher { label: "le".to_owned(), op: MatchOp::Regex, value: "\\+Inf".to_owned() });
        let stem = buckets.metric().strip_suffix("_bucket").unwrap_or(buckets.metric());
        let written = Selector::new(stem, buckets.matchers().to_vec());
        let mut findings = self.totals(slo, &[Wanted { asked: all, written: written.clone() }]).await?;
        if findings.iter().any(|finding| finding.code == &codes::SOURCE_NOTHING) {
            if self.count(&written.to_string()).await? > 0 {
                return Ok(advised(findings, "it is a native histogram: write `buckets: native`"));
            }
            return Ok(findings);
        }
        let answer = self.at_now(&format!("count by (le) ({buckets})")).await?;
        let boundaries = plan::boundaries_of(&answer);
        for threshold in thresholds.iter().filter(|threshold| !boundaries.contains(threshold)) {
            let beside = plan::beside(*threshold, &boundaries);
            let message = format!("{threshold} s is no bucket boundary of {written}{beside}");
            let help = "choose one of the boundaries, or have the service observe into such a bucket".to_owned();
            findings.push(Finding { code: &codes::SOURCE_BUCKET, message, help, about: About::Threshold(*threshold) });
        }
        Ok(findings)
    }

    pub(super) async fn native(&self, slo: &Slo, histogram: &Selector) -> Result<Vec<Finding>, Unknown> {
        let findings = self.totals(slo, &[Wanted::as_written(histogram)]).await?;
        let classic = Selector::new(&format!("{}_bucket", histogram.metric()), histogram.matchers().to_vec());
        if findings.iter().any(|finding| finding.code == &codes::SOURCE_NOTHING) && self.count(&classic.to_string()).await? > 0 {
            return Ok(advised(findings, "it is a classic histogram: remove `buckets: native`"));
        }
        Ok(findings)
    }
}

/// The same findings with this advice.
fn advised(findings: Vec<Finding>, help: &str) -> Vec<Finding> {
    findings.into_iter().map(|finding| Finding { help: help.to_owned(), ..finding }).collect()
}
