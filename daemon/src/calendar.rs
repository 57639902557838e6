//! Civil time of windows: which interval a calendar window is at a moment. The core knows no zones; here they are.

use burnward_core::{
    time::Timestamp,
    window::{Interval, Period, Window, Zone},
};
use jiff::{
    Timestamp as Instant, ToSpan,
    civil::{Date, Weekday},
    tz::TimeZone,
};

/// The zone of this name, as the machine's time zone database has it, else the one that is built in.
pub fn time_zone(zone: &Zone) -> Option<TimeZone> {
    TimeZone::get(zone.as_str()).ok()
}

/// What a window is over at `now`: a rolling one ends there, a calendar one is the period that holds `now`. An instant at the edge of two periods
/// belongs to the one that ends there, as events do. A zone that is gone from the database is taken as UTC.
pub fn interval(window: &Window, now: Timestamp) -> Interval {
    match window {
        Window::Rolling(length) => Interval::ending(now, *length),
        Window::Calendar { period, zone } => calendar_period(*period, &time_zone(zone).unwrap_or(TimeZone::UTC), now),
    }
}

fn calendar_period(period: Period, zone: &TimeZone, now: Timestamp) -> Interval {
    let inside = Instant::from_millisecond(now.millis().saturating_sub(1)).unwrap_or(Instant::MIN);
    let day = zone.to_datetime(inside).date();
    let (first, next) = edges(period, day);
    Interval { from: start_of_day(first, zone), to: start_of_day(next, zone) }
}

/// The first day of the period that holds a day, and of the one after it.
fn edges(period: Period, day: Date) -> (Date, Date) {
    match period {
        Period::Week => {
            let monday = day.saturating_sub(i64::from(day.weekday().since(Weekday::Monday)).days());
            (monday, monday.saturating_add(1.week()))
        }
        Period::Month => (day.first_of_month(), day.first_of_month().saturating_add(1.month())),
        Period::Quarter => {
            let month = day.first_of_month();
            let first = month.saturating_sub(i64::from((month.month() - 1) % 3).months());
            (first, first.saturating_add(3.months()))
        }
    }
}

/// The first instant of a day; where midnight is skipped, the first after the gap.
fn start_of_day(day: Date, zone: &TimeZone) -> Timestamp {
    let start = zone.to_zoned(day.at(0, 0, 0, 0)).and_then(|zoned| zoned.start_of_day());
    Timestamp::from_millis(start.map_or(i64::MAX, |start| start.timestamp().as_millisecond()))
}

#[cfg(test)]
mod tests {
    use burnward_core::time::days;

    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::from_millis(text.parse::<Instant>().expect("an instant").as_millisecond())
    }

    fn check(period: Period, zone: &str, now: &str, from: &str, to: &str) {
        let window = Window::Calendar { period, zone: Zone::parse(zone).expect("a name") };
        assert_eq!(interval(&window, at(now)), Interval { from: at(from), to: at(to) }, "{period:?} of {now} in {zone}");
    }

    #[test]
    fn a_rolling_window_ends_now() {
        let now = at("2026-10-15T12:00:00Z");
        assert_eq!(interval(&Window::Rolling(days(30)), now), Interval { from: at("2026-09-15T12:00:00Z"), to: now });
    }

    #[test]
    fn periods_begin_on_monday_on_the_first_and_in_the_months_of_quarters() {
        check(Period::Week, "UTC", "2026-10-15T12:00:00Z", "2026-10-12T00:00:00Z", "2026-10-19T00:00:00Z");
        check(Period::Week, "UTC", "2026-10-18T23:59:59Z", "2026-10-12T00:00:00Z", "2026-10-19T00:00:00Z");
        check(Period::Month, "UTC", "2024-02-29T12:00:00Z", "2024-02-01T00:00:00Z", "2024-03-01T00:00:00Z");
        check(Period::Month, "UTC", "2026-12-31T12:00:00Z", "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z");
        for (now, from, to) in
            [("02-28", "01-01", "04-01"), ("04-01", "04-01", "07-01"), ("09-30", "07-01", "10-01"), ("10-01", "10-01", "")]
        {
            let to = if to.is_empty() { "2027-01-01T00:00:00Z".to_owned() } else { format!("2026-{to}T00:00:00Z") };
            check(Period::Quarter, "UTC", &format!("2026-{now}T12:00:00Z"), &format!("2026-{from}T00:00:00Z"), &to);
        }
    }

    #[test]
    fn periods_are_of_their_zone_and_hold_the_hours_that_its_clocks_pass() {
        check(Period::Month, "Europe/Berlin", "2026-09-30T22:30:00Z", "2026-09-30T22:00:00Z", "2026-10-31T23:00:00Z");
        check(Period::Month, "Asia/Kathmandu", "2026-10-15T00:00:00Z", "2026-09-30T18:15:00Z", "2026-10-31T18:15:00Z");
        check(Period::Month, "Australia/Lord_Howe", "2026-10-15T00:00:00Z", "2026-09-30T13:30:00Z", "2026-10-31T13:00:00Z");
    }

    #[test]
    fn a_day_whose_midnight_is_skipped_begins_after_the_gap() {
        check(Period::Week, "America/Asuncion", "2017-10-01T12:00:00Z", "2017-09-25T04:00:00Z", "2017-10-02T03:00:00Z");
        check(Period::Month, "America/Asuncion", "2017-10-15T12:00:00Z", "2017-10-01T04:00:00Z", "2017-11-01T03:00:00Z");
    }

    #[test]
    fn an_instant_at_the_edge_belongs_to_the_period_that_ends_there() {
        check(Period::Month, "UTC", "2026-10-01T00:00:00Z", "2026-09-01T00:00:00Z", "2026-10-01T00:00:00Z");
        check(Period::Month, "UTC", "2026-10-01T00:00:00.001Z", "2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z");
    }
}
