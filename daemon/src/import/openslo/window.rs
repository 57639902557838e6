//! `timeWindow:` (of v1alpha `timeWindows:`): rolling or of the calendar.

use std::{ops::Range, time::Duration};

use burnward_core::{time::days, window::CALENDAR_PACE};
use jiff::civil;

use crate::{
    definition::{
        build::word,
        codes, duration,
        reader::{Reader, shortened},
        yaml::Node,
    },
    import::{
        Settings,
        tree::{Fields, pass_over, tell},
    },
};

/// The window of an SLO.
pub(super) struct Window {
    /// `30d`, or `calendar month`.
    pub(super) span: Node,
    pub(super) timezone: Option<Node>,
    /// The length by which alert rows are scaled.
    pub(super) pace: Duration,
}

impl Window {
    /// In the place of one that could not be read.
    pub(super) fn stand_in(place: &Range<usize>, span: Duration) -> Self {
        Self { span: word(place, duration::format(span)), timezone: None, pace: span }
    }
}

/// A number of units, as `4w`; `M` is a month and `m` a minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Span {
    count: u32,
    unit: Unit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Second,
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Quarter,
    Year,
}

/// Reads the one window.
pub(super) fn read(reader: &mut Reader, spec: &Fields<'_>, settings: &Settings<'_>) -> Option<Window> {
    let Some(node) = spec.either(reader, "timeWindow", "timeWindows") else {
        let place = spec.place();
        let message = format!("the SLO has no time window; {} are taken", duration::format(settings.window));
        tell(reader, &codes::CHANGED, &place, message, "write `timeWindow: [{ duration: 30d, isRolling: true }]`");
        return Some(Window { span: word(&place, duration::format(settings.window)), timezone: None, pace: settings.window });
    };
    let [item] = reader.list(node, "`timeWindow`")? else {
        pass_over(reader, node);
        tell(reader, &codes::WRONG_TYPE, &node.range, "an SLO has exactly one time window", "make an SLO of each");
        return None;
    };
    let window = Fields::of(reader, item, "a time window")?;
    let span = read_span(reader, &window);
    let rolling = window.flag(reader, "isRolling");
    let calendar = window.get(reader, "calendar");
    let rolls = rolling.unwrap_or(calendar.is_none());
    if rolls {
        window.left(reader, "calendar", "a window that rolls has none; write `isRolling: false` for periods of the calendar");
    }
    let calendar = calendar.filter(|_| !rolls).and_then(|node| read_calendar(reader, node));
    window.finish(reader);
    let (place, span) = span?;
    if rolls { of_rolling(reader, &place, span) } else { of_calendar(reader, &place, span, calendar) }
}

/// `calendar:` with its texts, each where it stands.
struct Calendar<'n> {
    zone: Option<(&'n Node, &'n str)>,
    start: Option<(&'n Node, &'n str)>,
}

fn read_calendar<'n>(reader: &mut Reader, node: &'n Node) -> Option<Calendar<'n>> {
    let fields = Fields::of(reader, node, "`calendar`")?;
    let calendar = Calendar { zone: fields.text(reader, "timeZone"), start: fields.text(reader, "startTime") };
    fields.finish(reader);
    Some(calendar)
}

/// `duration: 4w`, or of v1alpha `count: 4` and `unit: Week`.
fn read_span(reader: &mut Reader, window: &Fields<'_>) -> Option<(Range<usize>, Span)> {
    if let Some((node, text)) = window.text(reader, "duration") {
        let span = shorthand(text);
        if span.is_none() {
            let message = format!("`{}` is not a duration of OpenSLO", shortened(text));
            tell(
                reader,
                &codes::FOREIGN_WINDOW,
                &node.range,
                message,
                "write a number with one of m, h, d, w, M, Q and Y, such as 30d or 1M",
            );
        }
        return span.map(|span| (node.range.clone(), span));
    }
    let (unit, count) = (window.text(reader, "unit"), window.text(reader, "count"));
    let (Some((node, unit)), Some((_, count))) = (unit, count) else {
        let place = window.place();
        tell(reader, &codes::MISSING_KEY, &place, "the time window has no duration", "write `duration: 30d`");
        return None;
    };
    let known = match unit {
        "Second" => Some(Unit::Second),
        "Minute" => Some(Unit::Minute),
        "Hour" => Some(Unit::Hour),
        "Day" => Some(Unit::Day),
        "Week" => Some(Unit::Week),
        "Month" => Some(Unit::Month),
        "Quarter" => Some(Unit::Quarter),
        "Year" => Some(Unit::Year),
        _ => None,
    };
    let span = known.zip(count.parse().ok()).map(|(unit, count)| Span { count, unit });
    if span.is_none() {
        let message = format!("`{} {}` is not a time window", shortened(count), shortened(unit));
        tell(reader, &codes::FOREIGN_WINDOW, &node.range, message, "units are Day, Week, Month and Quarter");
    }
    span.map(|span| (node.range.clone(), span))
}

fn shorthand(text: &str) -> Option<Span> {
    let (count, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let unit = match unit {
        "m" => Unit::Minute,
        "h" => Unit::Hour,
        "d" => Unit::Day,
        "w" => Unit::Week,
        "M" => Unit::Month,
        "Q" => Unit::Quarter,
        "Y" => Unit::Year,
        _ => return None,
    };
    Some(Span { count: count.parse().ok().filter(|count| *count > 0)?, unit })
}

impl Span {
    /// `None` where the unit has no fixed length.
    fn fixed(self) -> Option<Duration> {
        let seconds: u64 = match self.unit {
            Unit::Second => 1,
            Unit::Minute => 60,
            Unit::Hour => 3600,
            Unit::Day => 86_400,
            Unit::Week => 604_800,
            Unit::Month | Unit::Quarter | Unit::Year => return None,
        };
        Some(Duration::from_secs(seconds * u64::from(self.count)))
    }

    /// Shorter than any window of an SLO: a minute where a month was meant.
    fn is_minutes(self) -> bool {
        self.fixed().is_some_and(|span| span < Duration::from_hours(1))
    }
}

fn too_short(reader: &mut Reader, place: &Range<usize>) {
    let message = "the window is of minutes: in OpenSLO `m` is a minute, and a month is `M`";
    tell(reader, &codes::FOREIGN_WINDOW, place, message, "write `1M` for a month, or `30d` for thirty days");
}

fn of_rolling(reader: &mut Reader, place: &Range<usize>, span: Span) -> Option<Window> {
    if span.is_minutes() {
        too_short(reader, place);
        return None;
    }
    let pace = span.fixed().unwrap_or_else(|| {
        let length = match span.unit {
            Unit::Quarter => 90,
            Unit::Year => 365,
            Unit::Second | Unit::Minute | Unit::Hour | Unit::Day | Unit::Week | Unit::Month => 30,
        };
        let pace = days(length) * span.count;
        let message = format!("months have no fixed length, so a rolling window of them becomes {}", duration::format(pace));
        tell(reader, &codes::CHANGED, place, message, "write the days out, or `calendar:` for months of the calendar");
        pace
    });
    Some(Window { span: word(place, duration::format(pace)), timezone: None, pace })
}

fn of_calendar(reader: &mut Reader, place: &Range<usize>, span: Span, calendar: Option<Calendar<'_>>) -> Option<Window> {
    if span.is_minutes() {
        too_short(reader, place);
        return None;
    }
    let period = match (span.count, span.unit) {
        (1, Unit::Week) => "week",
        (1, Unit::Month) => "month",
        (1, Unit::Quarter) | (3, Unit::Month) => "quarter",
        _ => {
            let message = "there is no such period of the calendar here";
            let help = "periods are 1w (from Monday), 1M and 1Q; any other window rolls: `isRolling: true`";
            tell(reader, &codes::FOREIGN_WINDOW, place, message, help);
            return None;
        }
    };
    let (zone, start) = calendar.map_or((None, None), |Calendar { zone, start }| (zone, start));
    if let Some((node, text)) = start
        && !begins(period, text)
    {
        let message = format!("`startTime` is not carried over: a {period} here begins at midnight of its first day");
        tell(reader, &codes::CHANGED, &node.range, message, "periods that begin at another time cannot be expressed");
    }
    if zone.is_none() {
        tell(reader, &codes::CHANGED, place, "the calendar names no time zone; UTC is taken", "write `calendar: { timeZone: ... }`");
    }
    let timezone = zone.map_or_else(|| word(place, "UTC"), |(node, text)| word(&node.range, text));
    Some(Window { span: word(place, format!("calendar {period}")), timezone: Some(timezone), pace: CALENDAR_PACE })
}

/// Whether a time such as `2020-01-01 00:00:00` begins a period.
fn begins(period: &str, text: &str) -> bool {
    let Ok(at) = text.trim().parse::<civil::DateTime>() else { return false };
    let first = match period {
        "week" => at.weekday() == civil::Weekday::Monday,
        "quarter" => at.day() == 1 && (at.month() - 1) % 3 == 0,
        _ => at.day() == 1,
    };
    first && at.time() == civil::Time::midnight()
}
