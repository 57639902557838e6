//! What templates are rendered from: plain data with the words already chosen, built from the stored incident and what the daemon knows now.
//! Lists are at most 50 long.

mod figures;
mod page;
mod postmortem;
mod report;
mod report_post;

use burnward_core::{
    time::{Timestamp, hours},
    timeline::{Entry, Source},
};
use serde::Serialize;

pub use page::{PageContext, PageInput};
pub use postmortem::PostmortemContext;
pub use report::ReportContext;
pub use report_post::{ReportPostContext, ReportPostRow};

/// An instant, for the helpers `time`, `clock` and `date`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Moment {
    /// Milliseconds since 1970 in UTC.
    millis: i64,
    /// So long ago or ahead that the day must be said.
    far: bool,
}

impl Moment {
    /// The instant as it is read at `now`.
    pub(crate) fn at(at: Timestamp, now: Timestamp) -> Self {
        Self { millis: at.millis(), far: now.since(at).max(at.since(now)) > hours(18) }
    }
}

/// One entry of a timeline, as the thread of an incident shows it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TimelineContext {
    /// When.
    pub at: Moment,
    /// Who.
    pub by: String,
    /// What happened, in a sentence.
    pub text: String,
    /// A person did it.
    pub by_person: bool,
}

impl TimelineContext {
    /// The entry as it is read at `now`.
    pub fn new(entry: &Entry, now: Timestamp) -> Self {
        Self {
            at: Moment::at(entry.at, now),
            by: entry.by.clone(),
            text: entry.text.clone(),
            by_person: match entry.source {
                Source::People => true,
                Source::Machine => false,
            },
        }
    }
}
