//! How good the last weeks were, and how often each target would have paged in them: by a replay of the source's samples, as `burnward backtest` does.

use std::{sync::Arc, time::Duration};

use burnward_core::{
    burn_rate::FailedShare,
    evaluate::BudgetStatus,
    id::{SourceName, TenantId},
    incident::{Facts, Kind},
    ledger::{Blinds, Reason, Unknown},
    sli::Selector,
    slo::{Slo, Urgency},
    time::{Timestamp, days, hours},
    window::Interval,
};

use super::ladder::{self, Measured, Tried};
use crate::{
    config::Config,
    replay::{Alarm, Backtest, Calls, Change, Entrant, Fetched, Lived, Past, Score, is_page},
    source::{Source, prometheus::Prometheus},
};

/// The share of failures that makes an outage.
const OUTAGE: f64 = 0.1;
/// Series that are read one by one.
const MOST_SERIES: f64 = 10_000.0;
/// A replay reads so many samples, of targets that are scraped every 15 s: a minute or two. Of more series a shorter time is lived through.
const MOST_SAMPLES: f64 = 60e6;
const SAMPLES_AN_HOUR: f64 = 240.0;
/// The distance of the instants at which a series is looked for.
const LOOK: Duration = hours(1);
/// The same of what is younger than that.
const CLOSE_LOOK: Duration = Duration::from_mins(1);
/// Rounds are lived through at least so far apart: a target of a month is chosen by hours, not by seconds.
pub const TICK: Duration = Duration::from_mins(1);

/// What the last weeks say of an SLO.
#[derive(Debug, Clone, PartialEq)]
pub struct Evidence {
    /// What was lived through.
    pub span: Interval,
    /// Over which time it was counted how good it was: of a source that keeps more, up to the window.
    pub counted: Interval,
    /// How many hours of that nothing was seen.
    pub unseen: Duration,
    /// How good it was.
    pub measured: Measured,
    /// The targets that were tried, strictest first.
    pub tried: Vec<Tried>,
    /// How many series make it up, and that a longer time was left out for their number.
    pub cut_for_series: Option<f64>,
}

/// Where a series was.
struct Seen {
    first: Timestamp,
    last: Timestamp,
    hours: Vec<(Timestamp, f64)>,
}

/// What is lived through by whom.
#[derive(Debug)]
pub struct Measure<'a> {
    /// Asked for what is small.
    pub prometheus: &'a Prometheus,
    /// As the configuration calls it, for how it is read.
    pub name: &'a SourceName,
    /// How it is read, and who would be told.
    pub config: &'a Arc<Config>,
    /// What is asked for, at most.
    pub span: Interval,
}

impl Measure<'_> {
    /// Lives through the last weeks of an SLO at each target of the ladder. `passed` hears how far it is, and of how much.
    ///
    /// # Errors
    /// Why nothing can be said of this SLO, a sentence; or why the source cannot be asked any more.
    pub async fn of(
        &self,
        slo: &Arc<Slo>,
        total: &Selector,
        source: Source,
        passed: impl FnMut(Duration, Duration),
    ) -> Result<Result<Evidence, String>, Unknown> {
        let seen = match self.seen(total).await {
            Ok(Some(seen)) => seen,
            Ok(None) => return Ok(Err("nothing of it was seen".to_owned())),
            Err(unknown) if is_too_heavy(&unknown) => {
                return Ok(Err(format!("the source refuses to count its series: {}", unknown.detail)));
            }
            Err(unknown) => return Err(unknown),
        };
        let series = seen.hours.iter().map(|(_, series)| *series).fold(0.0, f64::max);
        if series > MOST_SERIES {
            return Ok(Err(format!(
                "it has {series} series, and at most 10,000 are read one by one: narrow it with --match, or let the source add them up with `query`"
            )));
        }
        if self.span.to.since(seen.last) > days(1) {
            return Ok(Err("the last of it was seen more than a day ago".to_owned()));
        }
        let (span, is_cut) = self.affordable(&seen);
        let within = seen.hours.iter().filter(|(at, _)| *at > span.from).count();
        let hours_in_span = span.length().as_secs() / LOOK.as_secs();
        let unseen = LOOK * u32::try_from(hours_in_span.saturating_sub(within as u64)).unwrap_or(u32::MAX);
        let lived = match self.live(slo, source, span, passed).await {
            Ok(lived) => lived,
            Err(unknown) if is_too_heavy(&unknown) => return Ok(Err(format!("its samples cannot be read: {}", unknown.detail))),
            Err(unknown) => return Err(unknown),
        };
        let status = lived.first().and_then(|lived| lived.budgets.first());
        let Some((measured, status)) = status.and_then(|status| Some((good(status)?, status))) else {
            return Ok(Err("nothing happened in it that could be counted".to_owned()));
        };
        let counted = Interval { from: status.counted_from.unwrap_or(span.from).max(status.over.from), to: status.as_of };
        let tried = lived.iter().filter_map(tried).collect();
        Ok(Ok(Evidence { span, counted, unseen, measured, tried, cut_for_series: is_cut.then_some(series) }))
    }

    /// The hours in which there was something to count, and of how many series. What is younger than an hour is looked for by the minute.
    async fn seen(&self, total: &Selector) -> Result<Option<Seen>, Unknown> {
        let mut hours = self.counted(total, self.span.from, LOOK).await?;
        if hours.is_empty() {
            let last_hour = self.span.to.minus(LOOK).max(self.span.from);
            hours = self.counted(total, last_hour, CLOSE_LOOK).await?.into_iter().next_back().into_iter().collect();
        }
        let ends = hours.first().zip(hours.last()).map(|((first, _), (last, _))| (*first, *last));
        Ok(ends.map(|(first, last)| Seen { first, last, hours }))
    }

    /// How many series there were at instants up to the end.
    async fn counted(&self, total: &Selector, from: Timestamp, step: Duration) -> Result<Vec<(Timestamp, f64)>, Unknown> {
        let answer = self.prometheus.read_steps(&format!("count({total})"), from, self.span.to, step).await?;
        Ok(answer.series.iter().flat_map(|one| &one.samples).map(|sample| (sample.at, sample.value)).collect())
    }

    /// As much of the time as there are samples of, up to what is read in a minute or two.
    fn affordable(&self, seen: &Seen) -> (Interval, bool) {
        let (to, mut from, mut samples) = (self.span.to, self.span.to, 0.0);
        for (at, series) in seen.hours.iter().rev() {
            samples += series * SAMPLES_AN_HOUR;
            if samples > MOST_SAMPLES {
                return (Interval { from, to }, true);
            }
            from = at.minus(LOOK);
        }
        (Interval { from: seen.first.minus(LOOK).max(self.span.from), to }, false)
    }

    async fn live(
        &self,
        slo: &Arc<Slo>,
        source: Source,
        span: Interval,
        mut passed: impl FnMut(Duration, Duration),
    ) -> Result<Vec<Lived>, Unknown> {
        let backtest = Backtest {
            tenant: TenantId::parse("main").expect("a name of the alphabet"),
            source: self.name.clone(),
            slos: vec![Entrant { slo: Arc::clone(slo), from: span.from }],
            changes: ladder::targets().into_iter().map(Change::Target).collect(),
            span,
        };
        let past = Past::Source(Box::new(Fetched::new(source, span.to)));
        backtest.run(past, self.config, |so_far| passed(so_far, span.length())).await
    }
}

/// What is wrong with one question and not with the source.
pub(super) fn is_too_heavy(unknown: &Unknown) -> bool {
    unknown.reason.blinds() == Blinds::Slo || matches!(unknown.reason, Reason::Timeout | Reason::TooBig | Reason::TooMany)
}

fn good(status: &BudgetStatus) -> Option<Measured> {
    let events = status.unit.count(status.counts.total()).as_f64();
    (events > 0.0).then(|| Measured { good: status.sli.unwrap_or(1.0), events })
}

fn tried(lived: &Lived) -> Option<Tried> {
    let Some(Change::Target(target)) = lived.change else { return None };
    let tickets = lived.alarms.iter().filter(|alarm| {
        alarm.fault.urgency == Urgency::Ticket && alarm.fault.kind == Kind::Burn && matches!(alarm.calls, Calls::People { .. })
    });
    let pages = Score::of(&lived.alarms, &[], Duration::ZERO).pages;
    let outages = lived.alarms.iter().filter(|alarm| is_page(alarm) && is_outage(alarm)).count();
    Some(Tried { target, pages, outages, tickets: tickets.count() })
}

/// Whether at least a tenth failed over the short lookback that an alert fired by.
fn is_outage(alarm: &Alarm) -> bool {
    let Facts::Burn(burn) = &alarm.facts else { return false };
    FailedShare::of(burn.fired.short).is_some_and(|share| share.as_f64() >= OUTAGE)
}
