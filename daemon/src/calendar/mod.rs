//! Civil time of windows: which interval a calendar window is at a moment. The core knows no zones; here they are.

pub mod zones;

use burnward_core::{
    time::Timestamp,
    window::{Interval, Period, Window},
};
use jiff::{
    Timestamp as Instant, ToSpan,
    civil::{Date, Weekday},
    tz::TimeZone,
};

/// What a window is over at `now`: a rolling one ends there, a calendar one is the period that holds `now`. An instant at the edge of two periods
/// belongs to the one that ends there, as events do. A zone that is gone from the database is taken as UTC.
pub fn interval(window: &Window, now: Timestamp) -> Interval {
    match window {
        Window::Rolling(length) => Interval::ending(now, *length),
        Window::Calendar { period, zone } => calendar_period(*period, &TimeZone::get(zone.as_str()).unwrap_or(TimeZone::UTC), now),
    }
}

/// The name of a period of a calendar window: `October 2026`, `2026-W47`, `Q4 2026`; empty of a rolling one.
pub fn name(window: &Window, over: Interval) -> String {
    let Window::Calendar { period, zone } = window else { return String::new() };
    let begin = Instant::from_millisecond(over.from.millis()).unwrap_or(Instant::MIN);
    let first = TimeZone::get(zone.as_str()).unwrap_or(TimeZone::UTC).to_datetime(begin).date();
    match period {
        Period::Week => {
            let week = first.iso_week_date();
            format!("{:04}-W{:02}", week.year(), week.week())
        }
        Period::Month => first.strftime("%B %Y").to_string(),
        Period::Quarter => format!("Q{} {}", (first.month() + 2) / 3, first.year()),
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
pub fn start_of_day(day: Date, zone: &TimeZone) -> Timestamp {
    let start = zone.to_zoned(day.at(0, 0, 0, 0)).and_then(|zoned| zoned.start_of_day());
    Timestamp::from_millis(start.map_or(i64::MAX, |start| start.timestamp().as_millisecond()))
}

#[cfg(test)]
mod tests {
    use burnward_core::{
        budget,
        time::{days, minutes},
        units::Target,
    };

    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::from_millis(text.parse::<Instant>().expect("an instant").as_millisecond())
    }

    fn window(period: Period, name: &str) -> Window {
        match zones::find(name) {
            zones::Found::Zone(zone) | zones::Found::Renamed(zone) => Window::Calendar { period, zone },
            zones::Found::Unknown { .. } => panic!("{name}"),
        }
    }

    fn check(period: Period, zone: &str, now: &str, from: &str, to: &str) {
        assert_eq!(interval(&window(period, zone), at(now)), Interval { from: at(from), to: at(to) }, "{period:?} of {now} in {zone}");
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
        for (now, from, to) in [
            ("2026-02-28", "2026-01-01", "2026-04-01"),
            ("2026-04-01", "2026-04-01", "2026-07-01"),
            ("2026-09-30", "2026-07-01", "2026-10-01"),
            ("2026-10-01", "2026-10-01", "2027-01-01"),
        ] {
            let [from, to] = [from, to].map(|day| format!("{day}T00:00:00Z"));
            check(Period::Quarter, "UTC", &format!("{now}T12:00:00Z"), &from, &to);
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
        check(Period::Month, "America/Asuncion", "2017-10-15T12:00:00Z", "2017-10-01T04:00:00Z", "2017-11-01T03:00:00Z");
        check(Period::Week, "Pacific/Apia", "2011-12-29T12:00:00Z", "2011-12-26T10:00:00Z", "2012-01-01T10:00:00Z");
    }

    #[test]
    fn an_instant_at_the_edge_belongs_to_the_period_that_ends_there() {
        check(Period::Month, "UTC", "2026-10-01T00:00:00Z", "2026-09-01T00:00:00Z", "2026-10-01T00:00:00Z");
        check(Period::Month, "UTC", "2026-10-01T00:00:00.001Z", "2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z");
    }

    #[test]
    fn the_minutes_that_a_target_allows_are_those_of_the_periods_length() {
        let target = Target::percent("99.5%").expect("a target");
        for (zone, now, seconds) in [
            // 31 days: 223.2 min; an hour more, and an hour less.
            ("UTC", "2026-10-15T12:00:00Z", 13_392),
            ("UTC", "2026-11-15T12:00:00Z", 12_960),
            ("UTC", "2026-02-15T12:00:00Z", 12_096),
            ("Europe/Berlin", "2026-10-15T12:00:00Z", 13_410),
            ("Europe/Berlin", "2026-03-15T12:00:00Z", 13_374),
        ] {
            let over = interval(&window(Period::Month, zone), at(now));
            assert_eq!(budget::whole(target, over.length()).as_secs(), seconds, "{now} in {zone}");
        }
    }

    /// All periods of all zones that the database has: no hole, no overlap, every edge on the zone's slices, every length as it can be.
    #[test]
    fn periods_of_every_zone_follow_one_another_on_edges_of_its_slices() {
        let known = |name: &String| !matches!(zones::find(name), zones::Found::Unknown { .. });
        let names: Vec<String> = jiff::tz::db().available().map(|name| name.to_string()).filter(known).collect();
        assert!(names.len() > 400, "{} zones", names.len());
        for name in names {
            for period in [Period::Week, Period::Month, Period::Quarter] {
                let window = window(period, &name);
                let mut over = interval(&window, at("2019-12-15T00:00:00Z"));
                while over.to < at("2027-01-01T00:00:00Z") {
                    let next = interval(&window, over.to.plus(minutes(1)));
                    assert_eq!(next.from, over.to, "{period:?} in {name}");
                    assert_eq!(next.from.floor(window.edges()), next.from, "{period:?} in {name}");
                    assert!(next.length() <= window.longest(), "{period:?} in {name}: {:?}", next.length());
                    over = next;
                }
            }
        }
    }
}
