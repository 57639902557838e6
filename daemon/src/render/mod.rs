//! Texts: typed contexts, the templates that turn them into sentences, and the sinks that keep values values.
//!
//! A template fills one slot of text; it never writes JSON, blocks or markup around other slots. The built-in templates are embedded; a file of
//! the same name in the operator's templates directory replaces one. One that is refused at load, or fails while it renders, falls back to the
//! built-in, and the fault is kept for the operator. A text can fail, a message cannot.

mod context;
pub mod csv;
mod faults;
mod guard;
mod sink;
mod templates;
pub mod words;

pub use context::{Moment, PageContext, PageInput, PostmortemContext, ReportContext, ReportPostContext, ReportPostRow, TimelineContext};
pub use faults::{Fault, Faults};
pub use guard::{MAX_LIST, Refused};
pub use sink::{Html, Language, Markdown, MdInline, Precision, Slack, SlackMrkdwn, Text, VALUE_CHARS, visible, visible_whole};
pub use templates::{PageTexts, Renderer, ReportTexts};

#[cfg(test)]
pub(crate) mod tests;
