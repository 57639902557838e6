//! Instants on pages: in UTC with the word, for programs in `datetime`, and how long ago.

use std::time::Duration;

use askama::{Template, filters::HtmlSafe};
use burnward_core::{time::minutes, words};
use jiff::Timestamp as Instant;

/// An instant as it is read at a moment: `03:10:02 UTC (6 min ago)`, with its day where that is not today's.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(source = r#"<time datetime="{{ iso }}">{{ text }}</time> <span class="ago">({{ ago }})</span>"#, ext = "html")]
pub(super) struct When {
    /// For programs.
    pub(super) iso: String,
    /// `03:10:02 UTC`.
    pub(super) text: String,
    /// `6 min ago`.
    pub(super) ago: String,
}

impl HtmlSafe for When {}

impl When {
    pub(super) fn of(at: Instant, now: Instant) -> Self {
        let same_day = at.strftime("%Y-%m-%d").to_string() == now.strftime("%Y-%m-%d").to_string();
        let format = if same_day { "%H:%M:%S UTC" } else { "%Y-%m-%d %H:%M:%S UTC" };
        Self { iso: at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(), text: at.strftime(format).to_string(), ago: ago(at, now) }
    }
}

/// An instant within a sentence: `2026-11-25 03:10:02 UTC`.
pub(super) fn spelt(at: Instant) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// An instant alone, with its day.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(source = r#"<time datetime="{{ iso }}">{{ text }}</time>"#, ext = "html")]
pub(super) struct Stamp {
    iso: String,
    text: String,
}

impl HtmlSafe for Stamp {}

impl Stamp {
    /// `2026-11-25 03:10:02 UTC`.
    pub(super) fn of(at: Instant) -> Self {
        Self::written(at, "%Y-%m-%d %H:%M:%S UTC")
    }

    /// As short as an axis over `span` allows; the axis says that it is UTC.
    pub(super) fn on_axis(at: Instant, span: Duration) -> Self {
        const DAY: u64 = 86_400;
        let format = match span.as_secs() {
            0..600 => "%H:%M:%S",
            600..DAY => "%H:%M",
            _ if span.as_secs() < 4 * DAY => "%b %-d, %H:%M",
            _ => "%b %-d",
        };
        Self::written(at, format)
    }

    fn written(at: Instant, format: &str) -> Self {
        Self { iso: at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(), text: at.strftime(format).to_string() }
    }
}

/// `6 min ago`, `in 4 min`, `now`.
pub(super) fn ago(at: Instant, now: Instant) -> String {
    match now.as_millisecond() - at.as_millisecond() {
        past @ 1000.. => format!("{} ago", rough(past)),
        future if future <= -1000 => format!("in {}", rough(-future)),
        _ => "now".to_owned(),
    }
}

/// A span without seconds from a minute on.
fn rough(millis: i64) -> String {
    let span = Duration::from_millis(millis.unsigned_abs());
    let whole = if span < minutes(1) { Duration::from_secs(span.as_secs()) } else { minutes(span.as_secs() / 60) };
    words::duration(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Instant {
        text.parse().expect("an instant")
    }

    #[test]
    fn an_instant_carries_its_zone_its_day_where_needed_and_its_age() {
        let now = at("2026-11-25T03:16:02Z");
        for (then, text, ago) in [
            ("2026-11-25T03:10:02Z", "03:10:02 UTC", "6 min ago"),
            ("2026-11-25T03:16:02.400Z", "03:16:02 UTC", "now"),
            ("2026-11-25T03:15:20Z", "03:15:20 UTC", "42 s ago"),
            ("2026-11-24T23:16:02Z", "2026-11-24 23:16:02 UTC", "4 h ago"),
            ("2026-11-25T03:20:02Z", "03:20:02 UTC", "in 4 min"),
        ] {
            let when = When::of(at(then), now);
            assert_eq!((when.text.as_str(), when.ago.as_str()), (text, ago), "{then}");
        }
    }

    #[test]
    fn an_instant_is_written_for_people_and_for_programs() {
        let when = When::of(at("2026-11-25T03:10:02.987Z"), at("2026-11-25T03:16:02Z"));
        let html = when.render().expect("rendered");
        assert_eq!(html, r#"<time datetime="2026-11-25T03:10:02Z">03:10:02 UTC</time> <span class="ago">(5 min ago)</span>"#);
    }
}
