//! The bar that a person at a terminal sees while history is lived through.

use std::{
    fmt,
    io::{IsTerminal as _, stderr},
    time::{Duration, Instant},
};

use burnward_core::{window::Interval, words};
use indicatif::{ProgressBar, ProgressState, ProgressStyle};

/// What is done sooner needs no bar.
const PATIENCE: Duration = Duration::from_secs(1);

/// The bar that a person at a terminal sees.
pub(super) struct Bar {
    began: Instant,
    drawn: ProgressBar,
    is_shown: bool,
}

impl Bar {
    pub(super) fn new(what: &str, span: Interval) -> Self {
        let style = ProgressStyle::with_template(&format!("{what} {{wide_bar}} {{pos}}/{{len}} h, {{rest}} left"));
        // Spans read as they do elsewhere: `1 m 5 s`.
        let rest = |state: &ProgressState, out: &mut dyn fmt::Write| {
            let rest = if state.pos() == 0 { "…".to_owned() } else { words::duration(Duration::from_secs(state.eta().as_secs())) };
            out.write_str(&rest).expect("the line is a text in memory");
        };
        let drawn = ProgressBar::hidden();
        drawn.set_length((span.length().as_secs() / 3600).max(1));
        drawn.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).with_key("rest", rest));
        Self { began: Instant::now(), drawn, is_shown: stderr().is_terminal() }
    }

    pub(super) fn passed(&self, passed: Duration) {
        if self.is_shown && self.drawn.is_hidden() && self.began.elapsed() >= PATIENCE {
            self.drawn.set_draw_target(indicatif::ProgressDrawTarget::stderr());
        }
        self.drawn.set_position(passed.as_secs() / 3600);
    }

    pub(super) fn end(&self) {
        self.drawn.finish_and_clear();
    }
}
