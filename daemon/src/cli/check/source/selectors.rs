//! What a selector matches: nothing, too much, for too short a time, too rarely, or without the labels of `per`.

use std::{collections::BTreeSet, time::Duration};

use burnward_core::{
    ledger::{Blinds, Series, Unknown},
    sli::Selector,
    slo::Slo,
    words,
};

use super::{
    Asked,
    finding::{About, Finding},
    longest_window,
    questions::{LOOKED_AT, Matching, SCRAPES_WITHIN, step_of},
};
use crate::definition::{codes, reader, row_words};

/// Counters of more series are read as a sum by the source.
const MOST_SERIES: u64 = 10_000;
/// More groups are counted together.
const MOST_GROUPS: usize = 1_000;

/// A selector to ask for, and how its author wrote it.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pub(super) asked: Selector,
    pub(super) written: Selector,
}

impl Wanted {
    pub(super) fn as_written(selector: &Selector) -> Self {
        Self { asked: selector.clone(), written: selector.clone() }
    }

    pub(super) fn about(&self) -> About {
        About::Selector(self.written.clone())
    }
}

impl Asked<'_> {
    /// The selectors of all events: without any series nothing is known.
    pub(super) async fn totals(&self, slo: &Slo, selectors: &[Wanted]) -> Result<Vec<Finding>, Unknown> {
        let mut findings = Vec::new();
        for wanted in selectors {
            match self.matching(&wanted.asked, self.in_source(slo)).await? {
                Matching::Now(many) => {
                    findings.extend(too_many(wanted, many));
                    findings.extend(self.young(slo, wanted).await?);
                    findings.extend(self.scrapes(slo, wanted, many).await?);
                    findings.extend(self.groups(slo, wanted).await?);
                }
                Matching::Until(last) => {
                    let ago = words::duration(self.now.since(last));
                    let message = format!("{} matches nothing now; the last of it was about {ago} ago", wanted.written);
                    let help = "was the metric renamed, or its target removed? burnward would stand at CANNOT SEE".to_owned();
                    findings.push(Finding { code: &codes::SOURCE_NOTHING, message, help, about: wanted.about() });
                }
                Matching::Never => findings.push(self.never(slo, wanted).await?),
            }
        }
        Ok(findings)
    }

    /// A selector of all events without a series; where its metric exists, a matcher is at fault.
    pub(super) async fn never(&self, slo: &Slo, wanted: &Wanted) -> Result<Finding, Unknown> {
        let selector = &wanted.written;
        let bare = Selector::new(wanted.asked.metric(), Vec::new());
        let exists = !selector.matchers().is_empty() && self.count(&bare.to_string()).await? > 0;
        let window = words::lookback(self.in_source(slo));
        let help = if exists {
            format!("the metric {} exists: look at the matchers", selector.metric())
        } else {
            "is the metric's name right, and is its target scraped by this source?".to_owned()
        };
        let message = format!("{selector} matches nothing, neither now nor within {window}");
        Ok(Finding { code: &codes::SOURCE_NOTHING, message, help, about: wanted.about() })
    }

    /// The side that is counted beside the total: it may be absent where nothing failed yet.
    pub(super) async fn side(&self, slo: &Slo, selectors: &[Selector]) -> Result<Vec<Finding>, Unknown> {
        let mut findings = Vec::new();
        for selector in selectors {
            match self.matching(selector, self.in_source(slo)).await? {
                Matching::Now(many) => {
                    let wanted = Wanted::as_written(selector);
                    findings.extend(too_many(&wanted, many));
                    findings.extend(self.groups(slo, &wanted).await?.into_iter().filter(|finding| finding.code == &codes::SOURCE_LABEL));
                }
                Matching::Until(_) => {}
                Matching::Never => {
                    let message = format!("{selector} matched nothing within {}", words::lookback(self.in_source(slo)));
                    let help = "right where no such event ever happened; a misspelt label looks the same".to_owned();
                    findings.push(Finding { code: &codes::SOURCE_SIDE, message, help, about: About::Selector(selector.clone()) });
                }
            }
        }
        Ok(findings)
    }

    /// Whether the labels of `per` are there, and make not too many groups.
    pub(super) async fn groups(&self, slo: &Slo, wanted: &Wanted) -> Result<Vec<Finding>, Unknown> {
        if slo.per.is_empty() {
            return Ok(Vec::new());
        }
        let groups = self.at_now(&format!("count by ({}) ({})", slo.per.join(", "), wanted.asked)).await?;
        let missing: Vec<&String> = slo.per.iter().filter(|label| groups.iter().all(|group| group.labels.get(label).is_empty())).collect();
        let known = if missing.is_empty() { Vec::new() } else { self.newest(&wanted.asked, &mut Vec::new()).await?.unwrap_or_default() };
        let missing = missing.into_iter().map(|label| no_label(&wanted.written.to_string(), label, &labels_of(&known)));
        Ok(missing.chain(too_many_groups(groups.len())).collect())
    }

    /// Whether it has existed for most of the window.
    pub(super) async fn young(&self, slo: &Slo, wanted: &Wanted) -> Result<Option<Finding>, Unknown> {
        let asked = self.in_source(slo);
        let seen = self.over(&wanted.asked, asked).await?;
        let first = seen.first().copied().unwrap_or(self.now);
        if self.now.since(first) + step_of(asked) >= asked / 2 {
            return Ok(None);
        }
        let first = self.first_seen(&wanted.asked, first, step_of(asked)).await?;
        let (age, window) = (words::duration(self.now.since(first)), words::lookback(longest_window(slo)));
        let message = format!("{} has existed for about {age}, and the window is {window}", wanted.written);
        let help = "the time before counts as not seen until the window has passed over it".to_owned();
        Ok(Some(Finding { code: &codes::SOURCE_YOUNG, message, help, about: wanted.about() }))
    }

    /// Whether the shortest lookback of its alert rows holds two scrapes: the median distance of the newest samples is told, of as many series as are looked at.
    pub(super) async fn scrapes(&self, slo: &Slo, wanted: &Wanted, many: u64) -> Result<Option<Finding>, Unknown> {
        let rows = slo.objectives.iter().flat_map(|objective| &objective.rows);
        let Some(row) = rows.min_by_key(|row| row.short).filter(|_| many <= LOOKED_AT) else { return Ok(None) };
        let series = match self.source.read(&wanted.asked, self.now.minus(SCRAPES_WITHIN), self.now).await {
            Ok(answer) => answer.series,
            Err(unknown) if unknown.reason.blinds() == Blinds::Slo => return Ok(None),
            Err(unknown) => return Err(unknown),
        };
        Ok(distance(&series).filter(|distance| row.short < *distance * 2).map(|distance| {
            let every = words::lookback(distance);
            let selector = &wanted.written;
            let message =
                format!("{selector} is scraped about every {every}, and {} looks back {}", row_words(row), words::lookback(row.short));
            let help = "a lookback holds at least two scrapes: lengthen `short`, or scrape more often".to_owned();
            Finding { code: &codes::SOURCE_SCRAPES, message, help, about: wanted.about() }
        }))
    }
}

/// The median distance of neighbouring samples, in whole seconds; `None` where no series has two.
fn distance(series: &[Series]) -> Option<Duration> {
    let pairs = series.iter().flat_map(|one| one.samples.windows(2));
    let mut distances: Vec<u64> =
        pairs.map(|pair| pair[1].at.since(pair[0].at).as_millis().div_ceil(1000).try_into().unwrap_or(u64::MAX)).collect();
    distances.sort_unstable();
    distances.get(distances.len() / 2).copied().map(Duration::from_secs)
}

/// The names of all labels of these series.
pub(super) fn labels_of(series: &[Series]) -> BTreeSet<String> {
    let names = series.iter().flat_map(|series| series.labels.pairs().map(|(name, _)| name.to_owned()));
    names.filter(|name| name != "__name__" && name != "le").collect()
}

pub(super) fn no_label(what: &str, label: &str, known: &BTreeSet<String>) -> Finding {
    let message = format!("no series of {what} has the label `{label}`, so there is one group without a name");
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    let help = match reader::nearest(label, &known) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None if known.is_empty() => "write a label that its series have".to_owned(),
        None => format!("its labels are: {}", known.join(", ")),
    };
    Finding { code: &codes::SOURCE_LABEL, message, help, about: About::Label(label.to_owned()) }
}

pub(super) fn too_many(wanted: &Wanted, many: u64) -> Option<Finding> {
    (many > MOST_SERIES).then(|| {
        let many = words::grouped(i64::try_from(many).unwrap_or(i64::MAX));
        let message = format!("{} matches {many} series, and at most 10,000 are read one by one", wanted.written);
        let help = "add matchers, or let the source add them up with `query`".to_owned();
        Finding { code: &codes::SOURCE_TOO_MUCH, message, help, about: wanted.about() }
    })
}

pub(super) fn too_many_groups(groups: usize) -> Option<Finding> {
    (groups > MOST_GROUPS).then(|| {
        let message = format!("`per` makes {groups} groups, and at most {MOST_GROUPS} are kept apart");
        let help = "the rest is counted together as (other): split by fewer labels, or narrow the selectors".to_owned();
        Finding { code: &codes::SOURCE_GROUPS, message, help, about: About::Per }
    })
}
