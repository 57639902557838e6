//! Histograms: of the right kind, with a boundary at each threshold, on every target and for as long as the histogram itself.

use std::collections::BTreeSet;

use burnward_core::{
    ledger::{Series, Unknown, plan},
    sli::{MatchOp, Matcher, Selector},
    slo::Slo,
    words,
};

use super::{
    Asked,
    finding::{About, Finding, is_nothing},
    questions::{LOOKED_AT, step_of},
    selectors::Wanted,
    sides::crowded,
};
use crate::definition::codes;

/// What to do about a threshold that is no boundary.
pub(super) const CHOOSE: &str = "choose one of the boundaries, or have the service observe into such a bucket";
/// So many of those that lack a bucket are named.
const NAMED: usize = 3;

/// A classic histogram.
struct Classic<'a> {
    slo: &'a Slo,
    /// All its buckets.
    buckets: &'a Selector,
    /// All observations.
    all: Selector,
    written: Selector,
}

impl Asked<'_> {
    pub(super) async fn classic(&self, slo: &Slo, buckets: &Selector, thresholds: &[f64]) -> Result<Vec<Finding>, Unknown> {
        let all = buckets.with(Matcher { label: "le".to_owned(), op: MatchOp::Regex, value: "\\+Inf".to_owned() });
        let stem = buckets.metric().strip_suffix("_bucket").unwrap_or(buckets.metric());
        let written = Selector::new(stem, buckets.matchers().to_vec());
        let mut findings = self.totals(slo, &[Wanted { asked: all.clone(), written: written.clone() }]).await?;
        if findings.iter().any(is_nothing) {
            if self.count(&written.to_string()).await? > 0 {
                return Ok(advised(findings, "it is a native histogram: write `buckets: native`"));
            }
            return Ok(findings);
        }
        let histogram = Classic { slo, buckets, all, written };
        let by_le = self.at_now(&format!("count by (le) ({buckets})")).await?;
        let boundaries = plan::boundaries_of(&by_le);
        let observed = series_of(&by_le, f64::INFINITY);
        let mut read = observed.many;
        for threshold in thresholds {
            let bucket = series_of(&by_le, *threshold);
            read += bucket.many;
            if bucket.many == 0 {
                let beside = plan::beside(*threshold, &boundaries);
                let message = format!("{threshold} s is no bucket boundary of {}{beside}", histogram.written);
                findings.push(Finding {
                    code: &codes::SOURCE_BUCKET,
                    message,
                    help: CHOOSE.to_owned(),
                    about: About::Threshold(*threshold),
                });
                continue;
            }
            if bucket.many < observed.many {
                findings.push(self.lacking(&histogram, *threshold, &bucket, observed.many).await?);
            }
            findings.extend(self.young_bucket(&histogram, *threshold, &bucket).await?);
        }
        if findings.iter().all(|finding| finding.code != &codes::SOURCE_TOO_MUCH) {
            findings.extend(crowded(read));
        }
        Ok(findings)
    }

    /// A threshold that some of the histogram's series have no bucket for, with the first of them.
    async fn lacking(&self, histogram: &Classic<'_>, threshold: f64, bucket: &Bucket, observed: u64) -> Result<Finding, Unknown> {
        let mut lacking = Vec::new();
        if observed <= LOOKED_AT {
            let labels: BTreeSet<&str> = histogram.slo.per.iter().map(String::as_str).chain(["instance", "job"]).collect();
            let by = labels.into_iter().collect::<Vec<_>>().join(", ");
            let groups = async |selector: &Selector| -> Result<BTreeSet<String>, Unknown> {
                let groups = self.at_now(&format!("count by ({by}) ({selector})")).await?;
                Ok(groups.iter().map(in_braces).collect())
            };
            let (all, has) = (groups(&histogram.all).await?, groups(&bucket.of(histogram.buckets)).await?);
            lacking = all.difference(&has).cloned().collect();
        }
        let first = if lacking.is_empty() { String::new() } else { format!(": {}", words::list(&lacking, NAMED)) };
        let message =
            format!("{} of {observed} series of {} have no bucket up to {threshold} s{first}", observed - bucket.many, histogram.written);
        let help = "what they observe is unseen: have all targets observe into the same buckets, or narrow the histogram".to_owned();
        Ok(Finding { code: &codes::SOURCE_SOME_BUCKETS, message, help, about: About::Threshold(threshold) })
    }

    /// A bucket that came later than the histogram.
    async fn young_bucket(&self, histogram: &Classic<'_>, threshold: f64, bucket: &Bucket) -> Result<Option<Finding>, Unknown> {
        let window = self.in_source(histogram.slo);
        let Some(first) = self.began_within(&bucket.of(histogram.buckets), window).await? else { return Ok(None) };
        let began = self.over(&histogram.all, window).await?.first().copied();
        Ok(began.filter(|began| began.plus(step_of(window)) < first).map(|_| {
            let age = words::duration(self.now.since(first));
            let message = format!(
                "the bucket up to {threshold} s of {} has existed for about {age}, and the histogram for longer",
                histogram.written
            );
            let help = "the time before counts as not seen until the window has passed over it".to_owned();
            Finding { code: &codes::SOURCE_YOUNG, message, help, about: About::Threshold(threshold) }
        }))
    }

    pub(super) async fn native(&self, slo: &Slo, histogram: &Selector) -> Result<Vec<Finding>, Unknown> {
        let findings = self.totals(slo, &[Wanted::as_written(histogram)]).await?;
        let classic = Selector::new(&format!("{}_bucket", histogram.metric()), histogram.matchers().to_vec());
        if findings.iter().any(is_nothing) && self.count(&classic.to_string()).await? > 0 {
            return Ok(advised(findings, "it is a classic histogram: remove `buckets: native`"));
        }
        Ok(findings)
    }
}

/// The series of one boundary.
struct Bucket {
    many: u64,
    /// As `le` spells it: client libraries differ.
    spelt: Vec<String>,
}

impl Bucket {
    fn of(&self, buckets: &Selector) -> Selector {
        let spelt: Vec<String> = self.spelt.iter().map(|le| le.replace('.', "\\.").replace('+', "\\+")).collect();
        buckets.with(Matcher { label: "le".to_owned(), op: MatchOp::Regex, value: spelt.join("|") })
    }
}

fn series_of(by_le: &[Series], boundary: f64) -> Bucket {
    let is_it = |series: &&Series| series.labels.get("le").parse().is_ok_and(|le: f64| le.total_cmp(&boundary).is_eq());
    let of_it: Vec<&Series> = by_le.iter().filter(is_it).collect();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count, which saturates")]
    let many = of_it.iter().filter_map(|series| series.samples.last()).map(|sample| sample.value as u64).sum();
    Bucket { many, spelt: of_it.iter().map(|series| series.labels.get("le").to_owned()).collect() }
}

fn in_braces(group: &Series) -> String {
    let labels: Vec<String> = group.labels.pairs().map(|(name, value)| format!("{name}=\"{value}\"")).collect();
    format!("{{{}}}", labels.join(","))
}

/// The same findings with this advice.
fn advised(findings: Vec<Finding>, help: &str) -> Vec<Finding> {
    findings.into_iter().map(|finding| Finding { help: help.to_owned(), ..finding }).collect()
}
