//! The pace of the tasks: loops that end with the token, wait by the monotonic clock, and never run faster than their pace.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::watch,
    time::{Instant, MissedTickBehavior, interval_at},
};
use tokio_util::sync::CancellationToken;

use super::{deliver::Deliver, follow::Follow, read::Reader, report::Reports, tidy};
use crate::{app::Handle, source::Source};

/// The longest a due message or timer waits for its loop.
const PULSE: Duration = Duration::from_secs(1);

/// How often the files of the definitions are looked at: what was saved runs within two such spans, and the time that it takes to load.
const LOOKED_AT: Duration = Duration::from_secs(3);

/// How often the ledger is compacted and old rows go.
const TIDY: Duration = Duration::from_mins(10);

/// The store is checked after so long at the latest.
const CHECKED_AFTER: Duration = Duration::from_mins(1);

/// Scrapes at the configured interval.
pub async fn scrape_loop(source: Arc<Source>, every: Duration, handle: Handle, stop: CancellationToken) {
    let mut ticks = paced(every);
    while next(&mut ticks, &stop).await {
        scrape_once(&source, &handle).await;
    }
}

/// Scrapes once, where the source is one that we scrape.
pub async fn scrape_once(source: &Source, handle: &Handle) {
    match source {
        Source::Scrape(scrape) => scrape.scrape(handle.clock.now()).await,
        Source::Prometheus(_) => {}
    }
}

/// Reads the source at every tick, and probes it until it has answered, each replica anew, and every quarter of an hour.
pub async fn read_loop(reader: Reader, handle: Handle, stop: CancellationToken) {
    let mut ticks = paced(handle.config.tick);
    while next(&mut ticks, &stop).await {
        let due = handle.clock.now();
        let tick = async {
            reader.probe_where_due().await;
            reader.tick(due).await;
        };
        tokio::select! {
            () = tick => {}
            () = stop.cancelled() => return,
        }
    }
}

/// Runs timers that are due.
pub async fn timer_loop(handle: Handle, stop: CancellationToken) {
    let mut ticks = paced(PULSE);
    while next(&mut ticks, &stop).await {
        handle.timers().await;
    }
}

/// Owes the reports that fire.
pub async fn report_loop(reports: Reports, handle: Handle, stop: CancellationToken) {
    let mut ticks = paced(PULSE);
    while next(&mut ticks, &stop).await {
        reports.tick(handle.clock.now()).await;
    }
}

/// Delivers what is due: at once when something was decided, else every second.
pub async fn deliver_loop(deliver: Deliver, handle: Handle, stop: CancellationToken) {
    let mut ticks = paced(PULSE);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = handle.wake_delivery.notified() => {}
            () = stop.cancelled() => return,
        }
        deliver.start(handle.clock.now()).await;
    }
}

/// Loads definitions that were saved.
pub async fn follow_loop(handle: Handle, stop: CancellationToken) {
    let mut ticks = paced(LOOKED_AT);
    let mut follow = Follow::default();
    while next(&mut ticks, &stop).await {
        follow.tick(&handle).await;
    }
}

/// Compacts the ledger and drops what is no longer needed.
pub async fn tidy_loop(handle: Handle, stop: CancellationToken) {
    let mut ticks = paced(TIDY);
    while next(&mut ticks, &stop).await {
        tidy::tick(&handle, handle.clock.now()).await;
    }
}

/// Checks the whole file of the store once, behind the first evaluation, and tells what is wrong with it: what a start reads of it was sound, or it would
/// not have started.
pub async fn check_store(handle: Handle, damage: watch::Sender<Option<String>>, stop: CancellationToken) {
    let mut view = handle.view.clone();
    view.mark_unchanged();
    let evaluated = tokio::time::timeout(CHECKED_AFTER, view.changed());
    tokio::select! {
        // Checked all the same where nothing can be evaluated.
        _ = evaluated => {}
        () = stop.cancelled() => return,
    }
    let checked = tokio::select! {
        checked = handle.store.check() => checked,
        () = stop.cancelled() => return,
    };
    if let Err(damaged) = checked {
        damage.send_replace(Some(damaged.to_string()));
    }
}

/// Ticks that begin now; a tick that was missed is not made up for.
fn paced(every: Duration) -> tokio::time::Interval {
    let mut ticks = interval_at(Instant::now(), every.max(Duration::from_millis(50)));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

/// Waits for the next tick; false when it is time to stop.
async fn next(ticks: &mut tokio::time::Interval, stop: &CancellationToken) -> bool {
    tokio::select! {
        _ = ticks.tick() => true,
        () = stop.cancelled() => false,
    }
}
