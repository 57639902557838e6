//! Reports by schedule: when a line of `reports:` fires, its report is owed to its channel. Nothing is rendered or sent here.
//!
//! Each report has a timer in the store, which is committed together with what its firing owes: one report a firing, whenever the daemon stops. Firings
//! that pass while it does not run are one report when it does, that of the newest; how many there were is kept with it.

use std::sync::{Arc, Mutex, PoisonError};

use burnward_core::{id::PageId, oncall::Recipient, time::Timestamp};
use tracing::{error, info};

use crate::{
    app::Handle,
    config::ReportConfig,
    store::{DueReport, ReportTimer, StoreError},
};

/// The timers of the reports; a handle that is cheap to clone.
#[derive(Debug, Clone)]
pub struct Reports {
    handle: Handle,
    /// What the store holds; `None` before it was read.
    timers: Arc<Mutex<Option<Vec<ReportTimer>>>>,
}

impl Reports {
    /// The timers of the configuration's reports.
    pub fn new(handle: Handle) -> Self {
        Self { handle, timers: Arc::default() }
    }

    /// Owes the reports that have fired. A store that cannot say or keep it is asked again at the next tick.
    pub async fn tick(&self, now: Timestamp) {
        let timers = match self.known() {
            Some(timers) => timers,
            None => match self.begin(now).await {
                Ok(timers) => timers,
                Err(error) => return error!(%error, "the timers of reports cannot be read; it is tried again"),
            },
        };
        for timer in timers.iter().filter(|timer| timer.due <= now) {
            if let Err(error) = self.fire(timer, now).await {
                error!(tenant = %timer.tenant, report = timer.report, %error, "a report that is due could not be committed; it is tried again");
            }
        }
    }

    /// Reads the timers: of a report that is new the first firing is the next one from now.
    async fn begin(&self, now: Timestamp) -> Result<Vec<ReportTimer>, StoreError> {
        let stored = self.handle.store.report_timers().await?;
        let timer = |report: &ReportConfig| {
            let (tenant, name) = (report.tenant.clone(), report.name());
            let kept = stored.iter().find(|timer| timer.tenant == tenant && timer.report == name).map(|timer| timer.due);
            Some(ReportTimer { due: kept.or_else(|| report.schedule.after(now))?, tenant, report: name })
        };
        let timers: Vec<ReportTimer> = self.handle.config.reports.iter().filter_map(timer).collect();
        self.handle.store.set_report_timers(&timers).await?;
        self.remember(timers.clone());
        Ok(timers)
    }

    async fn fire(&self, timer: &ReportTimer, now: Timestamp) -> Result<(), StoreError> {
        let Some(report) = self.handle.config.reports.iter().find(|report| is_of(timer, report)) else { return Ok(()) };
        let fired = Fired::of(report, timer.due, now);
        let Some(due) = report.schedule.after(now) else { return Ok(()) };
        let next = ReportTimer { due, ..timer.clone() };
        let owed = DueReport {
            page: PageId::of(&["report", timer.tenant.as_str(), &timer.report, &fired.at.millis().to_string()]),
            team: report.team.clone(),
            timezone: report.zone.to_string(),
            fired_at: fired.at,
            missed: fired.missed,
            to: Recipient::Channel(report.to.clone()),
        };
        self.handle.store.fire_report(&next, &owed, now).await?;
        info!(tenant = %timer.tenant, report = timer.report, missed = fired.missed, "a report is due");
        if let Some(mut timers) = self.known() {
            timers.iter_mut().filter(|known| is_same(known, &next)).for_each(|known| known.due = next.due);
            self.remember(timers);
        }
        self.handle.wake_delivery.notify_one();
        Ok(())
    }

    fn known(&self) -> Option<Vec<ReportTimer>> {
        self.timers.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn remember(&self, timers: Vec<ReportTimer>) {
        *self.timers.lock().unwrap_or_else(PoisonError::into_inner) = Some(timers);
    }
}

/// Firings that are looked at after a long pause: more than two years of a daily report.
const MAX_MISSED: usize = 1_000;

/// The newest firing of a stretch, and how many came before it.
struct Fired {
    at: Timestamp,
    missed: usize,
}

impl Fired {
    fn of(report: &ReportConfig, due: Timestamp, now: Timestamp) -> Self {
        let later = report.schedule.upcoming(due).take(MAX_MISSED).take_while(|at| *at <= now);
        later.fold(Self { at: due, missed: 0 }, |fired, at| Self { at, missed: fired.missed + 1 })
    }
}

fn is_of(timer: &ReportTimer, report: &ReportConfig) -> bool {
    timer.tenant == report.tenant && timer.report == report.name()
}

fn is_same(one: &ReportTimer, other: &ReportTimer) -> bool {
    one.tenant == other.tenant && one.report == other.report
}
