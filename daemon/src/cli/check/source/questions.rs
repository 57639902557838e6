//! The questions themselves: counts of series, a few instants, the newest samples. What was counted for one SLO is not asked again for another.

use std::{collections::BTreeMap, sync::PoisonError, time::Duration};

use burnward_core::{
    ledger::{Blinds, Sample, Series, Unknown},
    sli::Selector,
    slo::Slo,
    time::{Timestamp, minutes},
};

use super::{
    Asked,
    finding::{About, Finding},
    kept, longest_window, refused,
};

/// Values are looked at one by one up to so many series.
pub(super) const LOOKED_AT: u64 = 1_000;
/// Instants of the window at which a series is looked for.
const INSTANTS: u32 = 24;
/// The newest samples are looked at within this, for how often a target is scraped.
pub(super) const SCRAPES_WITHIN: Duration = minutes(15);
/// What is exact now is asked for at a multiple of this.
const NOW: Duration = Duration::from_secs(10);

/// A sample stands for a series for so long.
const STALE: Duration = minutes(5);

/// How many series match.
pub(super) enum Matching {
    /// So many now.
    Now(u64),
    /// None now; the last ones then.
    Until(Timestamp),
    /// None in the whole window.
    Never,
}

/// The instants of a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Instants {
    from: Timestamp,
    to: Timestamp,
    step: Duration,
}

/// What was counted, by the question and its instants.
pub(super) type Counted = BTreeMap<(String, Instants), Vec<Sample>>;

impl Asked<'_> {
    /// The longest window of an SLO, as far as the source can hold it.
    pub(super) fn in_source(&self, slo: &Slo) -> Duration {
        kept(self.probe).map_or(longest_window(slo), |keeps| keeps.min(longest_window(slo)))
    }

    /// What a selector matches now, or when it did last. An instant sees some minutes; where none of the window shows a series, what lies between them is looked at.
    pub(super) async fn matching(&self, selector: &Selector, window: Duration) -> Result<Matching, Unknown> {
        let now = self.count(&selector.to_string()).await?;
        if now > 0 {
            return Ok(Matching::Now(now));
        }
        let step = step_of(window);
        let last = match self.over(selector, window).await?.last() {
            Some(seen) => self.last_seen(selector, seen.minus(STALE), seen.plus(step), step_of(step)).await,
            None => self.last_seen(selector, self.now.minus(window), self.now, step).await,
        };
        match last {
            // Its first sample is younger than the moment that was asked about.
            Ok(Some(last)) if last > self.now.floor(NOW) => self.just_begun(selector, last).await,
            Ok(last) => Ok(last.map_or(Matching::Never, Matching::Until)),
            Err(unknown) if unknown.reason.blinds() == Blinds::Slo => Ok(Matching::Never),
            Err(unknown) => Err(unknown),
        }
    }

    /// How many have a sample of the last moments.
    async fn just_begun(&self, selector: &Selector, last: Timestamp) -> Result<Matching, Unknown> {
        let query = format!("count(last_over_time({selector}[{}s]))", NOW.as_secs());
        let counted = self.counted(&query, Instants { from: self.now, to: self.now.plus(NOW), step: NOW }).await?;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count, which saturates")]
        Ok(counted.last().map_or(Matching::Until(last), |sample| Matching::Now(sample.value as u64)))
    }

    /// The instants of the window at which the selector matched something.
    pub(super) async fn over(&self, selector: &Selector, window: Duration) -> Result<Vec<Timestamp>, Unknown> {
        let instants = Instants { from: self.now.minus(window), to: self.now, step: step_of(window) };
        Ok(self.counted(&format!("count({selector})"), instants).await?.iter().map(|sample| sample.at).collect())
    }

    pub(super) async fn count(&self, selector: &str) -> Result<u64, Unknown> {
        let instants = Instants { from: self.now.minus(NOW), to: self.now, step: NOW };
        let counted = self.counted(&format!("count({selector})"), instants).await?;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count, which saturates")]
        Ok(counted.last().map_or(0, |sample| sample.value as u64))
    }

    /// The one series that a count is.
    async fn counted(&self, query: &str, instants: Instants) -> Result<Vec<Sample>, Unknown> {
        let key = (query.to_owned(), instants);
        let known = self.counted.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        if let Some(known) = known {
            return Ok(known);
        }
        let Instants { from, to, step } = instants;
        let answer = self.source.read_steps(query, from, to, step).await?;
        let samples = answer.series.into_iter().next().map(|series| series.samples).unwrap_or_default();
        self.counted.lock().unwrap_or_else(PoisonError::into_inner).insert(key, samples.clone());
        Ok(samples)
    }

    pub(super) async fn at_now(&self, query: &str) -> Result<Vec<Series>, Unknown> {
        Ok(self.source.read_steps(query, self.now.minus(NOW), self.now, NOW).await?.series)
    }

    /// The newest samples, of as many series as are looked at; `None` where there are none or more. A refusal is a finding.
    pub(super) async fn newest(&self, selector: &Selector, findings: &mut Vec<Finding>) -> Result<Option<Vec<Series>>, Unknown> {
        if !(1..=LOOKED_AT).contains(&self.count(&selector.to_string()).await?) {
            return Ok(None);
        }
        match self.source.read(selector, self.now.minus(SCRAPES_WITHIN), self.now).await {
            Ok(answer) => Ok(Some(answer.series)),
            Err(unknown) if unknown.reason.blinds() == Blinds::Slo => {
                findings.push(refused(&unknown, About::Selector(selector.clone())));
                Ok(None)
            }
            Err(unknown) => Err(unknown),
        }
    }

    /// When it was seen first, to some seconds: it was at `seen`, and not a `step` before.
    pub(super) async fn first_seen(&self, selector: &Selector, mut seen: Timestamp, mut step: Duration) -> Result<Timestamp, Unknown> {
        while step > NOW {
            let finer = step_of(step);
            let instants = Instants { from: seen.minus(step), to: seen, step: finer };
            let counted = self.counted(&format!("count({selector})"), instants).await?;
            let first = counted.first().map(|sample| sample.at);
            (seen, step) = (first.unwrap_or(seen), finer);
        }
        Ok(seen)
    }

    /// When its last sample of a span was, to some seconds, by looking at stretches of `step`, then at finer ones; `None` where it has none.
    async fn last_seen(
        &self,
        selector: &Selector,
        mut from: Timestamp,
        to: Timestamp,
        mut step: Duration,
    ) -> Result<Option<Timestamp>, Unknown> {
        let (mut to, mut last) = (to.min(self.now), None);
        loop {
            let query = format!("count(last_over_time({selector}[{}s]))", step.as_secs());
            let counted = self.counted(&query, Instants { from, to: to.plus(step), step }).await?;
            let Some(seen) = counted.last().map(|sample| sample.at) else { return Ok(last) };
            if step <= NOW {
                return self.last_sample(selector, seen.minus(step), seen).await.map(|last| last.or(Some(seen)));
            }
            (from, to, last) = (seen.minus(step), seen.min(self.now), Some(seen.min(self.now)));
            step = step_of(step);
        }
    }

    async fn last_sample(&self, selector: &Selector, from: Timestamp, to: Timestamp) -> Result<Option<Timestamp>, Unknown> {
        let answer = self.source.read(selector, from, to).await?;
        Ok(answer.series.iter().filter_map(|series| series.samples.last()).map(|sample| sample.at).max())
    }
}

/// The spacing of the instants at which a series is looked for.
pub(super) fn step_of(window: Duration) -> Duration {
    Duration::from_secs((window / INSTANTS).as_secs().max(1))
}
