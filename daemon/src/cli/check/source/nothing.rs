//! Why a selector takes nothing: its metric does not exist, a matcher takes none of it, or no series has all that its matchers ask for. Asked only where
//! nothing matches: a count for each matcher, the values of one label.

use std::collections::BTreeSet;

use burnward_core::{
    ledger::{Series, Unknown, plan},
    sli::{MatchOp, Matcher, Selector},
    words,
};

use super::{
    Asked,
    finding::{About, Finding},
    histograms::CHOOSE,
    selectors::{MOST_SERIES, Wanted, labels_of},
};
use crate::definition::{
    codes::{self, Code},
    reader,
    selector::is_label_name,
};

/// The matchers of a selector that has more are not looked at one by one.
const MOST_MATCHERS: usize = 8;
/// So many values of a label are named.
const NAMED: usize = 5;

/// What is said of a selector that takes nothing.
pub(super) struct Told {
    pub(super) code: &'static Code,
    pub(super) message: String,
    pub(super) about: About,
    /// The help where the source has no such metric.
    pub(super) no_metric: &'static str,
    /// What stands behind the matcher that is at fault.
    pub(super) means: &'static str,
}

/// What is at fault.
enum Cause {
    NoMetric,
    /// A threshold, in words and with what to write.
    Bucket(String, String),
    Matchers(String),
}

impl Asked<'_> {
    /// The finding that a selector takes nothing, with the matcher that is at fault. A threshold that is no boundary is told as that.
    pub(super) async fn nothing(&self, wanted: &Wanted, told: Told) -> Result<Finding, Unknown> {
        let Told { code, message, about, no_metric, means } = told;
        Ok(match self.cause(wanted).await? {
            Cause::NoMetric => {
                let end = if no_metric.ends_with('?') { " " } else { ". " };
                let help = match self.meant(wanted).await? {
                    meant if meant.is_empty() => no_metric.to_owned(),
                    meant => format!("{no_metric}{end}{meant}"),
                };
                Finding { code, message, help, about }
            }
            Cause::Bucket(message, help) => Finding { code: &codes::SOURCE_BUCKET, message, help, about },
            Cause::Matchers(why) => {
                let help = format!("the metric {} exists: {why}{means}", wanted.written.metric());
                Finding { code, message, help, about }
            }
        })
    }

    /// Whether the source has a metric now, whatever the labels.
    pub(super) async fn has_metric(&self, selector: &Selector) -> Result<bool, Unknown> {
        Ok(self.count(&bare(selector).to_string()).await? > 0)
    }

    /// The first label of a selector's matchers that no series of its metric has now.
    pub(super) async fn lost_label(&self, selector: &Selector) -> Result<Option<String>, Unknown> {
        for matcher in selector.matchers().iter().take(MOST_MATCHERS) {
            let has = Matcher { label: matcher.label.clone(), op: MatchOp::NotEqual, value: String::new() };
            if self.count(&bare(selector).with(has).to_string()).await? == 0 {
                return Ok(Some(matcher.label.clone()));
            }
        }
        Ok(None)
    }

    async fn cause(&self, wanted: &Wanted) -> Result<Cause, Unknown> {
        let matchers = wanted.written.matchers();
        if matchers.is_empty() || !self.has_metric(&wanted.asked).await? {
            return Ok(Cause::NoMetric);
        }
        if matchers.len() > MOST_MATCHERS {
            return Ok(Cause::Matchers("look at the matchers".to_owned()));
        }
        let mut needed = Vec::new();
        for matcher in matchers {
            if self.count(&without(&wanted.asked, matcher).to_string()).await? > 0 {
                needed.push(matcher);
            }
        }
        match needed.as_slice() {
            [] => self.alone(wanted).await,
            [matcher] => self.at_fault(matcher, &without(&wanted.asked, matcher), &without(&wanted.written, matcher)).await,
            several => Ok(Cause::Matchers(format!("no series has {} at once", in_words(several)))),
        }
    }

    /// Where it needs more than one matcher less: those that take nothing by themselves.
    async fn alone(&self, wanted: &Wanted) -> Result<Cause, Unknown> {
        let (asked, written) = (bare(&wanted.asked), bare(&wanted.written));
        let mut whys = Vec::new();
        for matcher in wanted.written.matchers() {
            if self.count(&asked.with(matcher.clone()).to_string()).await? > 0 {
                continue;
            }
            match self.at_fault(matcher, &asked, &written).await? {
                Cause::Matchers(why) => whys.push(why),
                bucket @ Cause::Bucket(..) => return Ok(bucket),
                Cause::NoMetric => {}
            }
        }
        if whys.is_empty() {
            let all: Vec<&Matcher> = wanted.written.matchers().iter().collect();
            whys.push(format!("no series has {} at once", in_words(&all)));
        }
        Ok(Cause::Matchers(whys.join("; ")))
    }

    /// A matcher that takes none of the series that are left without it.
    async fn at_fault(&self, matcher: &Matcher, asked: &Selector, written: &Selector) -> Result<Cause, Unknown> {
        let label = &matcher.label;
        let of = if written.matchers().is_empty() { String::new() } else { format!(" of {written}") };
        let has_not = format!("no series{of} has {matcher}");
        if !is_label_name(label) || self.count(&asked.to_string()).await? > MOST_SERIES {
            return Ok(Cause::Matchers(has_not));
        }
        let by_value = self.at_now(&format!("count by ({label}) ({asked})")).await?;
        if let Some(bucket) = no_bucket(matcher, written, &by_value) {
            return Ok(bucket);
        }
        let values: BTreeSet<&str> = by_value.iter().map(|series| series.labels.get(label)).filter(|value| !value.is_empty()).collect();
        if values.is_empty() {
            let known = self.newest(asked, &mut Vec::new()).await?.unwrap_or_default();
            return Ok(Cause::Matchers(format!("no series{of} has the label `{label}`{}", instead(label, &labels_of(&known)))));
        }
        let values = nearest_first(matcher, values);
        Ok(Cause::Matchers(format!("{has_not}; {label} has: {}", words::list(&values, NAMED))))
    }
}

/// A selector's metric with whatever labels.
fn bare(selector: &Selector) -> Selector {
    Selector::new(selector.metric(), Vec::new())
}

pub(super) fn without(selector: &Selector, matcher: &Matcher) -> Selector {
    Selector::new(selector.metric(), selector.matchers().iter().filter(|other| *other != matcher).cloned().collect())
}

fn in_words(matchers: &[&Matcher]) -> String {
    let texts: Vec<String> = matchers.iter().map(ToString::to_string).collect();
    match texts.split_last() {
        Some((last, first)) if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        _ => texts.concat(),
    }
}

fn instead(label: &str, known: &BTreeSet<String>) -> String {
    let names: Vec<&str> = known.iter().map(String::as_str).collect();
    match reader::nearest(label, &names) {
        Some(meant) => format!(": did you mean `{meant}`?"),
        None if known.is_empty() => String::new(),
        None => format!("; its labels are: {}", words::list(&known.iter().cloned().collect::<Vec<_>>(), NAMED)),
    }
}

/// A threshold that is no boundary of a classic histogram, or is spelt otherwise there.
fn no_bucket(matcher: &Matcher, written: &Selector, by_le: &[Series]) -> Option<Cause> {
    let stem = written.metric().strip_suffix("_bucket")?;
    if matcher.label != "le" || matcher.op != MatchOp::Equal {
        return None;
    }
    let threshold: f64 = matcher.value.parse().ok()?;
    let histogram = Selector::new(stem, written.matchers().to_vec());
    let spelt =
        by_le.iter().map(|series| series.labels.get("le")).find(|le| le.parse().is_ok_and(|le: f64| le.total_cmp(&threshold).is_eq()));
    if let Some(spelt) = spelt {
        let message = format!("{matcher} takes nothing of {histogram}: that boundary is spelt `{spelt}`");
        return Some(Cause::Bucket(message, format!("write le=\"{spelt}\"")));
    }
    let boundaries = plan::boundaries_of(by_le);
    if boundaries.is_empty() {
        return None;
    }
    let message = format!("{threshold} is no bucket boundary of {histogram}{}", plan::beside(threshold, &boundaries));
    Some(Cause::Bucket(message, CHOOSE.to_owned()))
}

/// The values that are most like that of a matcher first; numbers by their distance.
fn nearest_first(matcher: &Matcher, values: BTreeSet<&str>) -> Vec<String> {
    let to = matcher.value.as_str();
    let is_value = matches!(matcher.op, MatchOp::Equal | MatchOp::NotEqual);
    let number = |text: &str| text.parse::<f64>().ok().filter(|number| is_value && number.is_finite());
    let distance = |value: &str| match (number(to), number(value)) {
        (Some(to), Some(value)) => (to - value).abs(),
        _ => f64::from(u32::try_from(strsim::osa_distance(to, value)).unwrap_or(u32::MAX)),
    };
    let mut values: Vec<(f64, &str)> = values.into_iter().map(|value| (distance(value), value)).collect();
    values.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(b.1)));
    values.into_iter().map(|(_, value)| value.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_values_that_are_most_like_a_matcher_come_first() {
        use MatchOp::{Equal, Regex};
        for (op, to, values, first) in [
            (Equal, "chekout", &["cart", "checkout", "search"][..], "checkout"),
            (Equal, "503", &["200", "500", "404"], "500"),
            (Regex, "41.", &["404", "200"], "404"),
            (Equal, "0.3", &["1e9", "0.25", "0.5"], "0.25"),
        ] {
            let matcher = Matcher { label: "x".to_owned(), op, value: to.to_owned() };
            assert_eq!(nearest_first(&matcher, values.iter().copied().collect())[0], first, "{to}");
        }
    }

    #[test]
    fn matchers_stand_in_a_sentence() {
        let matcher = |label: &str| Matcher { label: label.to_owned(), op: MatchOp::Equal, value: "1".to_owned() };
        let (a, b, c) = (matcher("a"), matcher("b"), matcher("c"));
        assert_eq!(in_words(&[&a]), "a=\"1\"");
        assert_eq!(in_words(&[&a, &b, &c]), "a=\"1\", b=\"1\" and c=\"1\"");
    }
}
