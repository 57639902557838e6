//! The side of the events that is counted beside the total. That it is silent now, or was never there, may be right; what the total goes on without may not.

use std::time::Duration;

use burnward_core::{
    ledger::{Blinds, Unknown},
    sli::{Counted, Selector},
    slo::Slo,
    time::{Timestamp, days},
    words,
};

use super::{
    Asked,
    finding::{About, Finding},
    nothing::Told,
    questions::{Matching, step_of},
    selectors::{MOST_SERIES, Wanted, too_many},
};
use crate::definition::codes;

/// A side and its total are compared by what they rose over this.
const RISE_OVER: Duration = days(1);
/// A side is more than its total from this on: at the edges of the stretch both are estimated.
const CLEARLY: f64 = 1.01;

/// What the events of a side are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Good,
    Bad,
}

impl Kind {
    /// The key of the side.
    const fn word(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Bad => "bad",
        }
    }
}

/// A side, with the totals that it is counted beside.
#[derive(Clone, Copy)]
struct Side<'a> {
    slo: &'a Slo,
    kind: Kind,
    selectors: &'a [Selector],
    total: &'a [Selector],
}

impl<'a> Side<'a> {
    const fn of(slo: &'a Slo, counted: &'a Counted, total: &'a [Selector]) -> Self {
        let (kind, selectors) = match counted {
            Counted::Bad(selectors) => (Kind::Bad, selectors),
            Counted::Good(selectors) => (Kind::Good, selectors),
        };
        Self { slo, kind, selectors: selectors.as_slice(), total }
    }

    fn is_of_other_metric(&self, selector: &Selector) -> bool {
        self.total.iter().all(|total| total.metric() != selector.metric())
    }
}

impl Asked<'_> {
    /// Each selector of the side.
    pub(super) async fn side(&self, slo: &Slo, counted: &Counted, total: &[Selector]) -> Result<Vec<Finding>, Unknown> {
        let side = Side::of(slo, counted, total);
        let Side { kind, selectors, .. } = side;
        let (mut findings, mut ended, mut any_now) = (Vec::new(), Vec::new(), false);
        for selector in selectors {
            match self.matching(selector, self.in_source(slo)).await? {
                Matching::Now(many) => {
                    any_now = true;
                    findings.extend(self.present(side, selector, many).await?);
                }
                Matching::Until(last) => ended.push((selector, last)),
                Matching::Never => findings.push(self.never_was(side, selector).await?),
            }
        }
        for (selector, last) in ended {
            let finding = if kind == Kind::Good && !any_now {
                Some(self.good_ended(selector, last).await?)
            } else {
                self.ended(selector, last, side.is_of_other_metric(selector)).await?
            };
            findings.extend(finding);
        }
        if any_now && selectors.iter().any(|selector| side.is_of_other_metric(selector)) {
            findings.extend(self.exceeds(side).await?);
        }
        Ok(findings)
    }

    /// Beside a total that takes nothing: the metrics of the side that the source does not have, either.
    pub(super) async fn side_without_total(&self, slo: &Slo, counted: &Counted, total: &[Selector]) -> Result<Vec<Finding>, Unknown> {
        let side = Side::of(slo, counted, total);
        let mut findings = Vec::new();
        for selector in side.selectors.iter().filter(|selector| side.is_of_other_metric(selector)) {
            let never = matches!(self.matching(selector, self.in_source(slo)).await?, Matching::Never);
            if never && !self.has_metric(selector).await? {
                findings.push(self.never_was(side, selector).await?);
            }
        }
        Ok(findings)
    }

    /// A side of another metric that rose by more than the total did. That of the total's own metric is judged by the text alone.
    async fn exceeds(&self, side: Side<'_>) -> Result<Option<Finding>, Unknown> {
        let Some(part) = self.rise(side.selectors).await? else { return Ok(None) };
        let Some(all) = self.rise(side.total).await? else { return Ok(None) };
        let Some(selector) = side.selectors.iter().find(|selector| side.is_of_other_metric(selector)) else { return Ok(None) };
        Ok(is_more(part, all).then(|| {
            let kind = side.kind.word();
            let [part, all] = [part, all].map(whole);
            let within = words::lookback(RISE_OVER);
            let message = format!("`{kind}` rose by {part} within {within}, and `total` by {all}: more events are {kind} than there are");
            let help = format!(
                "`total` is all events, the {kind} ones among them: does it leave out a job or a route that `{kind}` takes, or does `{kind}` count \
                 attempts, and `total` requests?"
            );
            Finding { code: &codes::SOURCE_MORE, message, help, about: Wanted::as_written(selector).about() }
        }))
    }

    /// By how much the series of all these selectors rose together; `None` where the source does not tell.
    async fn rise(&self, selectors: &[Selector]) -> Result<Option<f64>, Unknown> {
        let over = words::lookback(RISE_OVER);
        let rises: Vec<String> = selectors.iter().map(|selector| format!("(sum(increase({selector}[{over}])) or vector(0))")).collect();
        match self.at_now(&rises.join(" + ")).await {
            Ok(series) => Ok(series.first().and_then(|series| series.samples.last()).map(|sample| sample.value)),
            Err(unknown) if unknown.reason.blinds() == Blinds::Slo => Ok(None),
            Err(unknown) => Err(unknown),
        }
    }

    async fn present(&self, side: Side<'_>, selector: &Selector, many: u64) -> Result<Vec<Finding>, Unknown> {
        let wanted = Wanted::as_written(selector);
        let mut findings: Vec<Finding> = too_many(&wanted, many).into_iter().collect();
        findings.extend(self.groups(side.slo, &wanted).await?.into_iter().filter(|finding| finding.code == &codes::SOURCE_LABEL));
        if side.is_of_other_metric(selector) {
            findings.extend(self.scrapes(side.slo, &wanted, many).await?);
        }
        findings.extend(self.younger(side, &wanted).await?);
        Ok(findings)
    }

    async fn never_was(&self, side: Side<'_>, selector: &Selector) -> Result<Finding, Unknown> {
        let (no_metric, means) = match side.kind {
            Kind::Bad => (
                "right where no such event ever happened; a misspelt name looks the same",
                ". Right where no such event ever happened; a misspelt label looks the same",
            ),
            Kind::Good if side.selectors.len() == 1 => {
                ("every event counts as bad: is the metric's name right?", ". Every event counts as bad")
            }
            Kind::Good => ("its events count as bad: is the metric's name right?", ". Its events count as bad"),
        };
        let message = format!("{selector} matched nothing within {}", words::lookback(self.in_source(side.slo)));
        let wanted = Wanted::as_written(selector);
        self.nothing(&wanted, Told { code: &codes::SOURCE_SIDE, message, about: wanted.about(), no_metric, means }).await
    }

    /// Good events have no series any more, and the total has.
    async fn good_ended(&self, selector: &Selector, last: Timestamp) -> Result<Finding, Unknown> {
        let message = format!("{}, and the total goes on: what happens since counts as bad", self.nothing_since(selector, last));
        let told = Told {
            code: &codes::SOURCE_GOOD_ENDED,
            message,
            about: Wanted::as_written(selector).about(),
            no_metric: "was the metric renamed?",
            means: ". Was the label or its value renamed, or does nothing succeed any more?",
        };
        self.nothing(&Wanted::as_written(selector), told).await
    }

    /// A selector that others go on without. Where its metric and its labels are there, nothing of the kind happens, and that is well.
    pub(super) async fn ended(&self, selector: &Selector, last: Timestamp, is_alone: bool) -> Result<Option<Finding>, Unknown> {
        let lost = if is_alone && !self.has_metric(selector).await? {
            format!("the metric {} is gone", selector.metric())
        } else {
            match self.lost_label(selector).await? {
                Some(label) => format!("no series of {} has the label `{label}` any more", selector.metric()),
                None => return Ok(None),
            }
        };
        let help = format!("{lost}: nothing is counted here, whatever happens. Was it renamed?");
        let about = Wanted::as_written(selector).about();
        Ok(Some(Finding { code: &codes::SOURCE_PART, message: self.nothing_since(selector, last), help, about }))
    }

    /// A side that begins within the window, while the total was there before. A bad counter that begins with its first failure is as it should be: of bad
    /// events the metric counts, and only where it is not the total's own.
    async fn younger(&self, side: Side<'_>, wanted: &Wanted) -> Result<Option<Finding>, Unknown> {
        let (counted, before) = match side.kind {
            Kind::Good if side.selectors.len() == 1 => (wanted.asked.clone(), "what was counted before counts as bad"),
            Kind::Bad if side.is_of_other_metric(&wanted.asked) => {
                (Selector::new(wanted.asked.metric(), Vec::new()), "nothing before counts as bad, whatever happened")
            }
            Kind::Good | Kind::Bad => return Ok(None),
        };
        let window = self.in_source(side.slo);
        let Some(first) = self.began_within(&counted, window).await? else { return Ok(None) };
        let Some(total) = side.total.first() else { return Ok(None) };
        let total_began = self.over(total, window).await?.first().copied();
        if total_began.is_none_or(|began| began.plus(step_of(window)) >= first) {
            return Ok(None);
        }
        let age = words::duration(self.now.since(first));
        let message = format!("{counted} has existed for about {age}, and the total for longer: {before}");
        let help =
            "right where nothing of the kind happened before; else the budget tells the truth once the window has passed over that time"
                .to_owned();
        Ok(Some(Finding { code: &codes::SOURCE_YOUNG, message, help, about: wanted.about() }))
    }

    /// All series of an SLO together, where no selector alone has too many.
    pub(super) async fn together(&self, slo: &Slo) -> Result<Option<Finding>, Unknown> {
        let selectors = slo.sli.selectors();
        let widest = |selector: &&Selector| !selectors.iter().any(|other| other.covers(selector) && (*other != *selector));
        let mut widest: Vec<&Selector> = selectors.iter().copied().filter(widest).collect();
        widest.sort();
        widest.dedup();
        let mut series = 0;
        for selector in &widest {
            series += self.count(&selector.to_string()).await?;
        }
        if series > MOST_SERIES {
            series = 0;
            // Selectors of one metric may take the same series.
            for of_metric in widest.chunk_by(|one, other| one.metric() == other.metric()) {
                let texts: Vec<String> = of_metric.iter().map(ToString::to_string).collect();
                series += self.count(&texts.join(" or ")).await?;
            }
        }
        Ok(crowded(series))
    }
}

/// Whether a part is more than the whole, by more than one event and more than an estimate can be wrong.
fn is_more(part: f64, all: f64) -> bool {
    part > all * CLEARLY && part - all > 1.0
}

fn whole(events: f64) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "events, which saturate")]
    words::grouped(events.round() as i64)
}

/// More series than are read of one SLO.
pub(super) fn crowded(series: u64) -> Option<Finding> {
    (series > MOST_SERIES).then(|| {
        let many = words::grouped(i64::try_from(series).unwrap_or(i64::MAX));
        let message = format!("its selectors take {many} series together, and at most 10,000 are read of one SLO");
        let help = "add matchers, or let the source add them up with `query`".to_owned();
        Finding { code: &codes::SOURCE_TOO_MUCH, message, help, about: About::Slo }
    })
}
