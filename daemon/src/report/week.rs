//! Civil weeks: from Monday to Monday in the zone of a report.

use std::fmt;

use burnward_core::{
    time::{Timestamp, days},
    window::{Interval, Period, Window, Zone},
};
use jiff::{
    ToSpan as _,
    civil::{Date, ISOWeekDate, Time, Weekday, time},
    tz::TimeZone,
};
use thiserror::Error;

use crate::calendar::{interval, start_of_day};

/// When a page takes somebody's sleep, by the clock on the wall.
const NIGHT: (Time, Time) = (time(22, 0, 0, 0), time(7, 0, 0, 0));

/// A week as it is reported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CivilWeek {
    /// Its name: `2026-W47`, or the days of a week that does not begin on a Monday.
    pub name: String,
    /// In which zone it begins and ends.
    pub zone: Zone,
    /// From when to when; of a week that goes on, until now.
    pub over: Interval,
    /// True where it is over.
    pub whole: bool,
}

/// Which week is reported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    /// The last one that is over.
    LastWhole,
    /// `2026-W47`.
    Named(String),
    /// The seven days before the beginning of a day, `2026-11-19`.
    Until(String),
}

/// Why there is no such week to report.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum WeekError {
    /// Not the name of a week.
    #[error("`{0}` is not a week such as 2026-W47")]
    Name(String),
    /// Not a day.
    #[error("`{0}` is not a day such as 2026-11-19")]
    Day(String),
    /// It has not begun, or is not over yet.
    #[error("{0} lies in the future")]
    Future(String),
}

impl CivilWeek {
    /// The week that is asked for, as it stands at `now`.
    ///
    /// # Errors
    /// Why there is no such week.
    pub fn of(which: &Which, zone: &Zone, now: Timestamp) -> Result<Self, WeekError> {
        let civil = civil(zone);
        match which {
            Which::LastWhole => Ok(Self::last_whole(zone, &civil, now)),
            Which::Named(name) => Self::named(name, zone, &civil, now),
            Which::Until(day) => Self::until(day, zone, &civil, now),
        }
    }

    fn last_whole(zone: &Zone, civil: &TimeZone, now: Timestamp) -> Self {
        let week = Window::Calendar { period: Period::Week, zone: zone.clone() };
        let present = interval(&week, now);
        let over = if present.to <= now { present } else { interval(&week, present.from) };
        let monday = civil.to_datetime(edge(over.from)).date();
        Self { name: iso_name(monday), zone: zone.clone(), over, whole: true }
    }

    fn named(name: &str, zone: &Zone, civil: &TimeZone, now: Timestamp) -> Result<Self, WeekError> {
        let monday = monday_of(name).ok_or_else(|| WeekError::Name(shortened(name)))?;
        let over = seven_days(monday, civil);
        if over.from >= now {
            return Err(WeekError::Future(iso_name(monday)));
        }
        let passed = Interval { to: over.to.min(now), ..over };
        Ok(Self { name: iso_name(monday), zone: zone.clone(), over: passed, whole: over.to <= now })
    }

    fn until(day: &str, zone: &Zone, civil: &TimeZone, now: Timestamp) -> Result<Self, WeekError> {
        let end: Date = day.parse().map_err(|_| WeekError::Day(shortened(day)))?;
        let first = end.checked_sub(7.days()).map_err(|_| WeekError::Day(shortened(day)))?;
        let over = seven_days(first, civil);
        if over.to > now {
            return Err(WeekError::Future(end.to_string()));
        }
        let last = end.yesterday().map_err(|_| WeekError::Day(shortened(day)))?;
        let name = if first.weekday() == Weekday::Monday { iso_name(first) } else { format!("{first} to {last}") };
        Ok(Self { name, zone: zone.clone(), over, whole: true })
    }

    /// The nights of the week, from 22:00 to 07:00 by its zone's clocks.
    pub fn nights(&self) -> Vec<Interval> {
        let civil = civil(&self.zone);
        let first = civil.to_datetime(edge(self.over.from.minus(days(1)))).date();
        let at = |day: Date, time: Time| {
            let zoned = civil.to_zoned(day.to_datetime(time)).ok()?;
            Some(Timestamp::from_millis(zoned.timestamp().as_millisecond()))
        };
        let night = |day: Date| Some(Interval { from: at(day, NIGHT.0)?, to: at(day.tomorrow().ok()?, NIGHT.1)? });
        first.series(1.day()).take(10).filter_map(night).collect()
    }
}

/// `2026-W47, Mon 16 Nov to Sun 22 Nov (Europe/Berlin)`; of a week that goes on, until when it is told.
impl fmt::Display for CivilWeek {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let zone = civil(&self.zone);
        let day = |at: Timestamp| zone.to_datetime(edge(at)).strftime("%a %-d %b").to_string();
        let last = if self.whole {
            day(Timestamp::from_millis(self.over.to.millis() - 1))
        } else {
            zone.to_datetime(edge(self.over.to)).strftime("%a %-d %b %H:%M, so far").to_string()
        };
        write!(f, "{}, {} to {last} ({})", self.name, day(self.over.from), self.zone)
    }
}

/// A zone that is gone from the database is taken as UTC, as it is for windows.
fn civil(zone: &Zone) -> TimeZone {
    TimeZone::get(zone.as_str()).unwrap_or(TimeZone::UTC)
}

fn edge(at: Timestamp) -> jiff::Timestamp {
    jiff::Timestamp::from_millisecond(at.millis()).unwrap_or(jiff::Timestamp::MIN)
}

fn seven_days(first: Date, zone: &TimeZone) -> Interval {
    Interval { from: start_of_day(first, zone), to: start_of_day(first.saturating_add(7.days()), zone) }
}

/// The Monday of `2026-W47`.
fn monday_of(name: &str) -> Option<Date> {
    let (year, week) = name.split_once(['-']).and_then(|(year, week)| Some((year, week.strip_prefix(['W', 'w'])?)))?;
    let digits = |text: &str, length: usize| text.len() == length && text.bytes().all(|b| b.is_ascii_digit());
    if !digits(year, 4) || !digits(week, 2) {
        return None;
    }
    ISOWeekDate::new(year.parse().ok()?, week.parse().ok()?, Weekday::Monday).ok().map(ISOWeekDate::date)
}

fn iso_name(monday: Date) -> String {
    let week = monday.iso_week_date();
    format!("{:04}-W{:02}", week.year(), week.week())
}

fn shortened(text: &str) -> String {
    burnward_core::words::cut(text, 40)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::zones::{Found, find};

    fn at(text: &str) -> Timestamp {
        Timestamp::from_millis(text.parse::<jiff::Timestamp>().expect(text).as_millisecond())
    }

    fn zone(name: &str) -> Zone {
        match find(name) {
            Found::Zone(zone) => zone,
            found => panic!("{name}: {found:?}"),
        }
    }

    #[track_caller]
    fn check(which: &Which, name: &str, now: &str, expected: &str, from: &str, to: &str) {
        let week = CivilWeek::of(which, &zone(name), at(now)).expect("a week");
        assert_eq!((week.to_string().as_str(), week.over), (expected, Interval { from: at(from), to: at(to) }), "{which:?} at {now}");
    }

    #[test]
    fn without_a_wish_it_is_the_last_week_that_is_over() {
        let last = Which::LastWhole;
        let told = "2026-W47, Mon 16 Nov to Sun 22 Nov (Europe/Berlin)";
        let (from, to) = ("2026-11-15T23:00:00Z", "2026-11-22T23:00:00Z");
        check(&last, "Europe/Berlin", "2026-11-26T08:00:00Z", told, from, to);
        check(&last, "Europe/Berlin", "2026-11-22T23:00:00Z", told, from, to);
        check(&last, "Europe/Berlin", "2026-11-22T23:00:00.001Z", told, from, to);
        check(&last, "Europe/Berlin", "2026-11-29T22:59:59Z", told, from, to);
        let told = "2026-W53, Mon 28 Dec to Sun 3 Jan (UTC)";
        check(&last, "UTC", "2027-01-05T00:00:00Z", told, "2026-12-28T00:00:00Z", "2027-01-04T00:00:00Z");
    }

    #[test]
    fn a_week_of_daylight_saving_is_an_hour_shorter_or_longer() {
        for (name, hours) in [("2026-W13", 167), ("2026-W43", 169), ("2026-W44", 168)] {
            let week = CivilWeek::of(&Which::Named(name.to_owned()), &zone("Europe/Berlin"), at("2026-12-01T00:00:00Z")).expect("a week");
            assert_eq!(week.over.length(), burnward_core::time::hours(hours), "{name}");
        }
    }

    #[test]
    fn a_week_is_named_or_counted_back_from_a_day() {
        let named = |name: &str| Which::Named(name.to_owned());
        let until = |day: &str| Which::Until(day.to_owned());
        let now = "2026-11-26T08:16:00Z";
        let (from, to) = ("2026-11-16T00:00:00Z", "2026-11-23T00:00:00Z");
        check(&named("2026-w47"), "UTC", now, "2026-W47, Mon 16 Nov to Sun 22 Nov (UTC)", from, to);
        check(&until("2026-11-23"), "UTC", now, "2026-W47, Mon 16 Nov to Sun 22 Nov (UTC)", from, to);
        let told = "2026-11-18 to 2026-11-24, Wed 18 Nov to Tue 24 Nov (UTC)";
        check(&until("2026-11-25"), "UTC", now, told, "2026-11-18T00:00:00Z", "2026-11-25T00:00:00Z");
        let told = "2026-W48, Mon 23 Nov to Thu 26 Nov 08:16, so far (UTC)";
        check(&named("2026-W48"), "UTC", now, told, "2026-11-23T00:00:00Z", now);
    }

    #[test]
    fn what_is_no_week_is_said() {
        let (now, berlin) = (at("2026-11-26T08:16:00Z"), zone("Europe/Berlin"));
        for (which, says) in [
            (Which::Named("2026-W54".into()), "`2026-W54` is not a week such as 2026-W47"),
            (Which::Named("47".into()), "`47` is not a week"),
            (Which::Named("2026-W7".into()), "`2026-W7` is not a week"),
            (Which::Named("2026-W49".into()), "2026-W49 lies in the future"),
            (Which::Until("yesterday".into()), "`yesterday` is not a day such as 2026-11-19"),
            (Which::Until("-9999-01-02".into()), "is not a day"),
            (Which::Until("2026-11-27".into()), "2026-11-27 lies in the future"),
        ] {
            let error = CivilWeek::of(&which, &berlin, now).expect_err("no week").to_string();
            assert!(error.contains(says), "{which:?}: {error}");
        }
    }

    #[test]
    fn nights_are_from_ten_to_seven_by_the_zones_clocks() {
        let week = CivilWeek::of(&Which::Named("2026-W43".into()), &zone("Europe/Berlin"), at("2026-12-01T00:00:00Z")).expect("a week");
        let nights = week.nights();
        let covered = |text: &str| nights.iter().any(|night| at(text) > night.from && at(text) <= night.to);
        for (instant, is_night) in [
            ("2026-10-19T00:30:00Z", true),
            ("2026-10-19T05:30:00Z", false),
            ("2026-10-24T20:30:00Z", true),
            // The clocks were set back in this night.
            ("2026-10-25T05:30:00Z", true),
            ("2026-10-25T06:30:00Z", false),
            ("2026-10-25T22:30:00Z", true),
        ] {
            assert_eq!(covered(instant), is_night, "{instant}");
        }
    }
}
