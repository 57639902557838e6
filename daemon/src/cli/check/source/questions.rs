//! The questions themselves: counts of series, a few instants, the newest samples.

use std::time::Duration;

use burnward_core::{
    ledger::{Blinds, Series, Unknown},
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

/// How many series match.
pub(super) enum Matching {
    /// So many now.
    Now(u64),
    /// None now; the last ones then.
    Until(Timestamp),
    /// None in the whole window.
    Never,
}

impl Asked<'_> {
    /// The longest window of an SLO, as far as the source can hold it.
    pub(super) fn in_source(&self, slo: &Slo) -> Duration {
        kept(self.probe).map_or(longest_window(slo), |keeps| keeps.min(longest_window(slo)))
    }

    pub(super) async fn matching(&self, selector: &Selector, window: Duration) -> Result<Matching, Unknown> {
        let now = self.count(&selector.to_string()).await?;
        if now > 0 {
            return Ok(Matching::Now(now));
        }
        let Some(last) = self.over(selector, window).await?.last().copied() else { return Ok(Matching::Never) };
        Ok(Matching::Until(self.last_seen(selector, last, step_of(window)).await?))
    }

    /// The instants of the window at which the selector matched something.
    pub(super) async fn over(&self, selector: &Selector, window: Duration) -> Result<Vec<Timestamp>, Unknown> {
        let (query, from) = (format!("count({selector})"), self.now.minus(window));
        let answer = self.source.read_steps(&query, from, self.now, step_of(window)).await?;
        Ok(answer.series.iter().flat_map(|series| &series.samples).map(|sample| sample.at).collect())
    }

    pub(super) async fn count(&self, selector: &str) -> Result<u64, Unknown> {
        let counted = self.at_now(&format!("count({selector})")).await?;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count, which saturates")]
        Ok(counted.first().and_then(|series| series.samples.last()).map_or(0, |sample| sample.value as u64))
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
            let (query, finer) = (format!("count({selector})"), step_of(step));
            let answer = self.source.read_steps(&query, seen.minus(step), seen, finer).await?;
            let first = answer.series.iter().flat_map(|series| &series.samples).map(|sample| sample.at).min();
            (seen, step) = (first.unwrap_or(seen), finer);
        }
        Ok(seen)
    }

    /// When it was seen last, to some seconds: it was at `seen`, and not a `step` later.
    pub(super) async fn last_seen(&self, selector: &Selector, mut seen: Timestamp, mut step: Duration) -> Result<Timestamp, Unknown> {
        while step > NOW {
            let (query, finer) = (format!("count({selector})"), step_of(step));
            let answer = self.source.read_steps(&query, seen, seen.plus(step).min(self.now), finer).await?;
            let last = answer.series.iter().flat_map(|series| &series.samples).map(|sample| sample.at).max();
            (seen, step) = (last.unwrap_or(seen), finer);
        }
        // A sample counts as there for some minutes more than it is.
        let newest = self.source.read(selector, seen.minus(SCRAPES_WITHIN), seen).await.ok();
        let last = newest.iter().flat_map(|answer| &answer.series).filter_map(|series| series.samples.last()).map(|sample| sample.at).max();
        Ok(last.unwrap_or(seen))
    }
}

/// The spacing of the instants at which a series is looked for.
pub(super) fn step_of(window: Duration) -> Duration {
    Duration::from_secs((window / INSTANTS).as_secs().max(1))
}
