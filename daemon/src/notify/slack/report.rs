//! A report as Slack's blocks: a headline, a section per budget, so that a phone folds none of them, and a line below with the link.

use burnward_core::id::PageId;

use super::blocks::{Body, context, repeat_mark, section};
use crate::render::{ReportTexts, SlackMrkdwn};

/// Longest headline as a notification, in characters.
const MAX_TEXT: usize = 3_000;

/// What a report is put together from.
#[derive(Debug, Clone)]
pub struct ReportParts {
    /// Its texts.
    pub texts: ReportTexts,
    /// Where the whole of it is.
    pub link: Option<url::Url>,
    /// True where it may be a repeat: then it says so.
    pub repeat: bool,
    /// The message's identity.
    pub page: PageId,
}

/// The message of a report.
pub fn report(parts: ReportParts) -> Body {
    let ReportParts { texts: ReportTexts { headline, rows, footer }, link, repeat, page } = parts;
    let headline = if repeat { repeat_mark(&page).then(&headline) } else { headline };
    let footer =
        link.iter().fold(footer, |text, link| text.then(&SlackMrkdwn::literal(" · ")).then(&SlackMrkdwn::link(link, "Open the report")));
    let head = section(&headline.clone().bold());
    let blocks = [head].into_iter().chain(rows.iter().map(section)).chain([context(&footer)]).collect();
    Body { text: headline.cut(MAX_TEXT), blocks, page }
}
