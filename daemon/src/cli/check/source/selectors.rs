//! What a selector matches: nothing, too much, for too short a time, too rarely, or without the labels of `per`.

use std::{collections::BTreeSet, time::Duration};

use burnward_core::{
    ledger::{Blinds, Series, Unknown},
    sli::Selector,
    slo::Slo,
    time::Timestamp,
    words,
};

use super::{
    Asked,
    finding::{About, Finding},
    longest_in_words,
    nothing::Told,
    questions::{LOOKED_AT, Matching, SCRAPES_WITHIN, step_of},
};
use crate::definition::{codes, reader, row_words};

/// More series are not read of one SLO: the source adds them up.
pub(super) const MOST_SERIES: u64 = 10_000;
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
                    let told = Told {
                        code: &codes::SOURCE_NOTHING,
                        message: self.nothing_since(&wanted.written, last),
                        about: wanted.about(),
                        no_metric: "was the metric renamed, or its target removed? burnward would stand at CANNOT SEE",
                        means: ". burnward would stand at CANNOT SEE",
                    };
                    findings.push(self.nothing(wanted, told).await?);
                }
                Matching::Never => findings.push(self.nothing(wanted, self.never(slo, wanted)).await?),
            }
        }
        Ok(findings)
    }

    /// A selector of all events without a series.
    fn never(&self, slo: &Slo, wanted: &Wanted) -> Told {
        Told {
            code: &codes::SOURCE_NOTHING,
            message: self.never_within(slo, &wanted.written),
            about: wanted.about(),
            no_metric: "is the metric's name right, and is its target scraped by this source?",
            means: "",
        }
    }

    pub(super) fn never_within(&self, slo: &Slo, selector: &Selector) -> String {
        format!("{selector} matches nothing, neither now nor within {}", words::lookback(self.in_source(slo)))
    }

    pub(super) fn nothing_since(&self, selector: &Selector, last: Timestamp) -> String {
        format!("{selector} matches nothing now; the last of it was about {} ago", words::duration(self.now.since(last)))
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
        let Some(first) = self.began_within(&wanted.asked, self.in_source(slo)).await? else { return Ok(None) };
        let (age, window) = (words::duration(self.now.since(first)), longest_in_words(slo));
        let message = format!("{} has existed for about {age}, and the window is {window}", wanted.written);
        let help = "the time before counts as not seen until the window has passed over it".to_owned();
        Ok(Some(Finding { code: &codes::SOURCE_YOUNG, message, help, about: wanted.about() }))
    }

    /// When it was seen first, where that is less than half of the window ago.
    pub(super) async fn began_within(&self, selector: &Selector, window: Duration) -> Result<Option<Timestamp>, Unknown> {
        let first = self.over(selector, window).await?.first().copied().unwrap_or(self.now);
        if self.now.since(first) + step_of(window) >= window / 2 {
            return Ok(None);
        }
        self.first_seen(selector, first, step_of(window)).await.map(Some)
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
