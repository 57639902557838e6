//! The bar that a person at a terminal sees while older history is read.

use std::{
    io::{IsTerminal as _, stderr},
    sync::Arc,
    time::Duration,
};

use indicatif::{ProgressBar, ProgressStyle};
use tokio::{sync::watch, time::sleep};

use crate::view::View;

/// What is filled in sooner needs no bar.
const PATIENCE: Duration = Duration::from_secs(1);

/// Draws until nothing is left to be read; not at all where nobody looks on.
pub(super) async fn show(mut view: watch::Receiver<Arc<View>>) {
    if !stderr().is_terminal() {
        return;
    }
    sleep(PATIENCE).await;
    let mut bar: Option<ProgressBar> = None;
    loop {
        let left = left(&view.borrow_and_update());
        match (&bar, left.is_zero()) {
            (None, true) => {}
            (None, false) => bar = Some(begin(left)),
            (Some(bar), true) => {
                bar.finish_and_clear();
                return;
            }
            (Some(bar), false) => bar.set_position(bar.length().unwrap_or(0).saturating_sub(hours(left))),
        }
        if view.changed().await.is_err() {
            return;
        }
    }
}

fn begin(left: Duration) -> ProgressBar {
    let style = ProgressStyle::with_template("reading older history {wide_bar} {pos}/{len} h, {eta} left");
    ProgressBar::new(hours(left).max(1)).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// How much history is still to be read, of the source that lacks most.
fn left(view: &View) -> Duration {
    view.sources.values().map(|source| source.to_fill).max().unwrap_or_default()
}

/// Begun hours count whole: the bar is full when nothing is left.
const fn hours(left: Duration) -> u64 {
    left.as_secs().div_ceil(3600)
}
