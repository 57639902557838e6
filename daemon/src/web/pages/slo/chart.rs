//! The burn-down as a drawing and as a table of the same numbers. The drawing holds lines alone; every word stands beside it, in text that does not shrink.

use std::{fmt::Write as _, time::Duration};

use burnward_core::words;
use jiff::Timestamp as Instant;

use super::super::when::Stamp;
use crate::{
    report::words as told,
    web::api::wire::{BurnDown, BurnDownPoint, IncidentState},
};

/// The drawing's own units.
const WIDTH: f64 = 1000.0;
const HEIGHT: f64 = 300.0;

/// Heights between two lines of the scale, as shares of the budget; the first with which the scale needs at most [`MOST_STEPS`] is taken.
const STEPS: [f64; 12] = [0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0];
const MOST_STEPS: f64 = 6.0;

/// A forecast that is lower, as it is where little was counted yet, leaves the drawing at its bottom, so that what was spent stays readable.
const LOWEST_FORECAST: f64 = -1.0;

/// A drawing with its scale, its legend and its table.
pub(super) struct Chart {
    /// What it shows, in a sentence.
    pub(super) says: String,
    /// The line, as points of a polyline.
    pub(super) line: String,
    /// From the last point to what is left at the end of a calendar window, at the rate so far.
    pub(super) forecast: Option<String>,
    /// The line closed to an area above nothing left.
    pub(super) area: String,
    /// Where nothing is left.
    pub(super) zero: String,
    /// The heights of the scale's lines.
    pub(super) grid: Vec<String>,
    /// The scale, top to bottom.
    pub(super) scale: Vec<String>,
    /// Beginning, middle, end.
    pub(super) times: [Stamp; 3],
    /// Stretches that were not seen: start and width.
    pub(super) unseen: Vec<(String, String)>,
    /// Stretches that people took out of the budget: start and width.
    pub(super) excluded: Vec<(String, String)>,
    /// Incidents: start and width.
    pub(super) incidents: Vec<(String, String)>,
    /// The slices, newest first.
    pub(super) rows: Vec<Slice>,
}

/// A row of the table.
pub(super) struct Slice {
    pub(super) until: Stamp,
    pub(super) bad: String,
    pub(super) total: String,
    pub(super) unseen: String,
    pub(super) excluded: String,
    pub(super) left: String,
}

impl Chart {
    pub(super) fn of(drawn: &BurnDown, incidents: &[IncidentState]) -> Self {
        let area = Area::of(drawn);
        let line = area.line(drawn);
        let zero = number(area.y(0.0));
        Self {
            says: says(drawn),
            area: format!("{},{zero} {line} {},{zero}", number(area.x(begin(drawn))), number(area.x(drawn.to))),
            forecast: area.forecast(drawn),
            line,
            grid: area.scale().map(|share| number(area.y(share))).collect(),
            scale: area.scale().map(|share| format!("{:.0} %", share * 100.0)).collect(),
            times: area.times(),
            unseen: area.stretches(drawn, |point| point.unseen_seconds > 0.0),
            excluded: area.stretches(drawn, |point| point.excluded_seconds > 0.0),
            incidents: incidents.iter().filter_map(|incident| area.span(incident.began, end_of(incident, drawn))).collect(),
            rows: drawn.points.iter().rev().map(|point| slice(point, begin(drawn))).collect(),
            zero,
        }
    }
}

/// Where the line begins: where anything was counted.
fn begin(drawn: &BurnDown) -> Instant {
    drawn.counted_from.unwrap_or(drawn.from)
}

fn end_of(incident: &IncidentState, drawn: &BurnDown) -> Instant {
    incident.phase_at.filter(|_| incident.phase == "resolved" && incident.goes_on.is_none()).unwrap_or(drawn.to)
}

/// How instants and shares lie on the drawing.
struct Area {
    from: Instant,
    to: Instant,
    step: f64,
    steps: u32,
}

impl Area {
    fn of(drawn: &BurnDown) -> Self {
        let forecast = drawn.period.as_ref().and_then(|period| period.forecast_ratio).map(|ratio| ratio.max(LOWEST_FORECAST));
        let lowest = drawn.points.iter().map(|point| point.left_ratio).chain(forecast).fold(0.0_f64, f64::min);
        let fits = |step: &&f64| ((1.0 - lowest) / **step).ceil() <= MOST_STEPS;
        let step = STEPS.iter().find(fits).copied().unwrap_or(1.0 - lowest);
        let (from, to) = drawn.period.as_ref().map_or((drawn.from, drawn.to), |period| (period.from, period.to));
        Self { from, to, step, steps: whole((1.0 - lowest) / step) }
    }

    fn forecast(&self, drawn: &BurnDown) -> Option<String> {
        let period = drawn.period.as_ref().filter(|period| drawn.to < period.to)?;
        let (forecast, last) = (period.forecast_ratio?, drawn.points.last()?);
        let point = |at: Instant, left: f64| format!("{},{}", number(self.x(at)), number(self.y(left)));
        let (at, left) = self.as_far_as_it_is_drawn((last.at, last.left_ratio), (period.to, forecast));
        Some(format!("{} {}", point(last.at, last.left_ratio), point(at, left)))
    }

    /// The end of a line, or where it leaves the drawing.
    fn as_far_as_it_is_drawn(&self, (from, high): (Instant, f64), (to, low): (Instant, f64)) -> (Instant, f64) {
        let bottom = 1.0 - self.step * f64::from(self.steps);
        if low >= bottom || high <= bottom {
            return (to, low);
        }
        let part = (high - bottom) / (high - low);
        let millis = (to.as_millisecond() - from.as_millisecond()) as f64 * part;
        (Instant::from_millisecond(from.as_millisecond() + told::whole(millis)).unwrap_or(to), bottom)
    }

    fn span_of_time(&self) -> Duration {
        Duration::from_millis(self.to.as_millisecond().saturating_sub(self.from.as_millisecond()).unsigned_abs())
    }

    /// From left to right, within the drawing.
    fn x(&self, at: Instant) -> f64 {
        let part = at.as_millisecond().saturating_sub(self.from.as_millisecond()) as f64;
        (part / (self.span_of_time().as_millis() as f64).max(1.0)).clamp(0.0, 1.0) * WIDTH
    }

    /// From top to bottom, within the drawing.
    fn y(&self, share: f64) -> f64 {
        ((1.0 - share) / (self.step * f64::from(self.steps))).clamp(0.0, 1.0) * HEIGHT
    }

    fn scale(&self) -> impl Iterator<Item = f64> {
        let step = self.step;
        (0..=self.steps).map(move |at| 1.0 - step * f64::from(at))
    }

    fn times(&self) -> [Stamp; 3] {
        let span = self.span_of_time();
        let middle = Instant::from_millisecond(i64::midpoint(self.from.as_millisecond(), self.to.as_millisecond())).unwrap_or(self.from);
        [self.from, middle, self.to].map(|at| Stamp::on_axis(at, span))
    }

    fn line(&self, drawn: &BurnDown) -> String {
        let start = (begin(drawn), drawn.left_ratio_at_start);
        let points = drawn.points.iter().filter(|point| point.at > start.0).map(|point| (point.at, point.left_ratio));
        let mut line = String::new();
        for (at, left) in std::iter::once(start).chain(points) {
            write!(line, "{},{} ", number(self.x(at)), number(self.y(left))).expect("writing to a String cannot fail");
        }
        line.trim_end().to_owned()
    }

    /// Stretches of slices with something about them, neighbours joined.
    fn stretches(&self, drawn: &BurnDown, with: impl Fn(&BurnDownPoint) -> bool) -> Vec<(String, String)> {
        let mut stretches: Vec<(Instant, Instant)> = Vec::new();
        let mut begin = drawn.from;
        for point in &drawn.points {
            match stretches.last_mut() {
                Some((_, end)) if with(point) && *end == begin => *end = point.at,
                Some(_) | None if with(point) => stretches.push((begin, point.at)),
                Some(_) | None => {}
            }
            begin = point.at;
        }
        stretches.into_iter().filter_map(|(from, to)| self.span(from, to)).collect()
    }

    /// A stretch of time as start and width; `None` where it lies outside.
    fn span(&self, from: Instant, to: Instant) -> Option<(String, String)> {
        let outside = to < self.from || from > self.to;
        let (left, right) = (self.x(from), self.x(to));
        (!outside).then(|| (number(left), number((right - left).max(2.0))))
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small positive number of steps")]
fn whole(steps: f64) -> u32 {
    steps.ceil().clamp(1.0, 1000.0) as u32
}

/// A coordinate with a tenth, without a tail of zeros.
fn number(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map_or_else(|| text.clone(), str::to_owned)
}

fn says(drawn: &BurnDown) -> String {
    let span = |from: Instant, to: Instant| Duration::from_millis(to.as_millisecond().saturating_sub(from.as_millisecond()).unsigned_abs());
    let end = drawn.points.last().map_or(drawn.left_ratio_at_start, |point| point.left_ratio);
    let spent = (drawn.left_ratio_at_start - end).max(0.0);
    let before = match drawn.counted_from {
        Some(begin) => format!("; nothing of the first {} was counted", words::duration(span(drawn.from, begin))),
        None if drawn.nothing_before => "; nothing of the window was counted before".to_owned(),
        None => String::new(),
    };
    let over = words::duration(span(drawn.from, drawn.to));
    let spent = words::whole_percent(spent);
    match drawn.period.as_ref().filter(|period| drawn.to < period.to) {
        None => format!("Over {over}{before}: {spent} of the budget was spent, {}.", left(end)),
        Some(period) => {
            let rest = words::duration(span(drawn.to, period.to));
            let then = period.forecast_ratio.map_or_else(String::new, |ratio| format!("; at the rate so far {} at the end", left(ratio)));
            format!("In {over}, with {rest} to go{before}: {spent} of the budget was spent, {}{then}.", left(end))
        }
    }
}

/// `71 % is left`, `24 % overspent`.
fn left(ratio: f64) -> String {
    if ratio < 0.0 {
        format!("it is {} overspent", words::whole_percent(-ratio))
    } else {
        format!("{} is left", words::whole_percent(ratio))
    }
}

/// A row of the table; up to where counting began nothing is known of what was left.
fn slice(point: &BurnDownPoint, begin: Instant) -> Slice {
    let nothing = !point.total.any() && point.unseen_seconds > 0.0;
    Slice {
        until: Stamp::of(point.at),
        bad: if nothing { "not seen".to_owned() } else { point.bad.to_string() },
        total: if nothing { "not seen".to_owned() } else { point.total.to_string() },
        unseen: time(point.unseen_seconds),
        excluded: time(point.excluded_seconds),
        left: if point.at > begin { format!("{:.2} %", point.left_ratio * 100.0) } else { "not counted".to_owned() },
    }
}

fn time(seconds: f64) -> String {
    match seconds {
        seconds if seconds > 0.0 => words::duration(Duration::try_from_secs_f64(seconds).unwrap_or_default()),
        _ => "nothing".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use burnward_core::units::EventUnit;

    use super::*;
    use crate::web::api::wire::{BurnDownPeriod, Events};

    fn at(seconds: i64) -> Instant {
        Instant::from_second(1_764_000_000 + seconds).expect("an instant")
    }

    fn events(number: i64) -> Events {
        Events(EventUnit::Event.count(number))
    }

    fn drawn(lefts: &[f64]) -> BurnDown {
        let point = |(index, left): (usize, &f64)| BurnDownPoint {
            at: at(60 * (i64::try_from(index).expect("small") + 1)),
            bad: events(1),
            total: events(100),
            unseen_seconds: 0.0,
            excluded_seconds: 0.0,
            left_ratio: *left,
        };
        BurnDown {
            budget: "main:checkout/availability#30d".into(),
            from: at(0),
            to: at(60 * i64::try_from(lefts.len()).expect("small")),
            nothing_before: false,
            counted_from: None,
            period: None,
            left_ratio_at_start: 1.0,
            points: lefts.iter().enumerate().map(point).collect(),
        }
    }

    #[test]
    fn the_scale_reaches_down_to_the_lowest_point() {
        for (lefts, scale) in [
            (&[0.9, 0.71][..], &["100 %", "75 %", "50 %", "25 %", "0 %"][..]),
            (&[0.2, -0.24], &["100 %", "75 %", "50 %", "25 %", "0 %", "-25 %"]),
            (&[0.0, -3.1], &["100 %", "0 %", "-100 %", "-200 %", "-300 %", "-400 %"]),
            (&[0.0, -8999.0], &["100 %", "-899900 %"]),
        ] {
            assert_eq!(Chart::of(&drawn(lefts), &[]).scale, scale, "{lefts:?}");
        }
    }

    #[test]
    fn the_line_goes_from_the_start_to_what_is_left() {
        let chart = Chart::of(&drawn(&[1.0, 0.5]), &[]);
        assert_eq!(chart.line, "0,0 500,0 1000,150");
        assert_eq!(chart.area, "0,300 0,0 500,0 1000,150 1000,300");
        assert_eq!(chart.says, "Over 2 min: 50 % of the budget was spent, 50 % is left.");
    }

    #[test]
    fn a_calendar_period_is_drawn_to_its_end_with_what_it_comes_to() {
        let mut month = drawn(&[1.0, 0.5]);
        let period = |ratio| BurnDownPeriod { from: at(0), to: at(240), timezone: "Europe/Berlin".into(), forecast_ratio: ratio };
        month.period = Some(period(Some(0.0)));
        let chart = Chart::of(&month, &[]);
        assert_eq!((chart.line.as_str(), chart.area.as_str()), ("0,0 250,0 500,150", "0,300 0,0 250,0 500,150 500,300"));
        assert_eq!(chart.forecast.as_deref(), Some("500,150 1000,300"));
        assert_eq!(
            chart.says,
            "In 2 min, with 2 min to go: 50 % of the budget was spent, 50 % is left; at the rate so far 0 % is left at the end."
        );
        month.period = Some(period(Some(-7.5)));
        let steep = Chart::of(&month, &[]);
        assert_eq!((steep.forecast.as_deref(), steep.scale.last().map(String::as_str)), (Some("500,75 593.8,300"), Some("-100 %")));
        month.period = Some(period(None));
        assert_eq!(Chart::of(&month, &[]).forecast, None);
        month.period = Some(BurnDownPeriod { to: at(120), ..period(Some(0.5)) });
        let ended = Chart::of(&month, &[]);
        assert_eq!((ended.forecast, ended.says.as_str()), (None, "Over 2 min: 50 % of the budget was spent, 50 % is left."));
    }

    #[test]
    fn a_period_is_drawn_from_where_counting_began_and_says_so() {
        let mut month = drawn(&[1.0, 1.0, 0.5]);
        month.period = Some(BurnDownPeriod { from: at(0), to: at(240), timezone: "Europe/Berlin".into(), forecast_ratio: None });
        month.counted_from = Some(at(90));
        for (point, unseen) in month.points.iter_mut().zip([60.0, 30.0]) {
            (point.bad, point.total, point.unseen_seconds) = (events(0), events(0), unseen);
        }
        let chart = Chart::of(&month, &[]);
        assert_eq!((chart.line.as_str(), chart.area.as_str()), ("375,0 500,0 750,150", "375,300 375,0 500,0 750,150 750,300"));
        assert_eq!(chart.unseen, [("0".to_owned(), "500".to_owned())]);
        assert_eq!(
            chart.says,
            "In 3 min, with 1 min to go; nothing of the first 1 m 30 s was counted: 50 % of the budget was spent, 50 % is left."
        );
        let table: Vec<_> = chart.rows.iter().map(|row| [&row.total, &row.unseen, &row.left].map(String::as_str)).collect();
        assert_eq!(table, [["100", "nothing", "50.00 %"], ["not seen", "30 s", "100.00 %"], ["not seen", "1 min", "not counted"]]);
    }

    #[test]
    fn what_was_not_seen_is_hatched_once_and_never_a_zero_in_the_table() {
        let mut unseen = drawn(&[1.0, 1.0, 1.0, 1.0]);
        for point in &mut unseen.points[1..3] {
            (point.bad, point.total, point.unseen_seconds) = (events(0), events(0), 60.0);
        }
        let chart = Chart::of(&unseen, &[]);
        assert_eq!(chart.unseen, [("250".to_owned(), "500".to_owned())]);
        assert_eq!((chart.rows[1].bad.as_str(), chart.rows[1].unseen.as_str()), ("not seen", "1 min"));
        assert_eq!((chart.rows[0].bad.as_str(), chart.rows[0].unseen.as_str()), ("1", "nothing"));
    }
}
