//! Lines of crontabs against tables of known days, and against a clock on the wall that is read minute by minute around every transition of every zone.

use std::collections::BTreeSet;

use jiff::{ToSpan as _, civil::DateTime, tz};
use proptest::prelude::*;

use super::*;

fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn schedule(line: &str, name: &str) -> Schedule {
    Schedule::new(Crontab::parse(line).unwrap_or_else(|error| panic!("{line}: {error}")), zone(name))
}

fn instant(text: &str) -> Timestamp {
    Timestamp::from_millis(text.parse::<jiff::Timestamp>().expect(text).as_millisecond())
}

/// As a clock on the wall shows it, with its offset.
fn shown(at: Timestamp, zone: &TimeZone) -> String {
    let at = jiff::Timestamp::from_millisecond(at.millis()).expect("an instant");
    at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M %:z").to_string()
}

/// The firings of a line within 48 hours, the days and times alone.
#[track_caller]
fn check(line: &str, name: &str, from: &str, expected: &[&str]) {
    let schedule = schedule(line, name);
    let from = instant(from);
    let end = from.plus(burnward_core::time::hours(48));
    let fired: Vec<String> = schedule.upcoming(from).take_while(|at| *at <= end).map(|at| shown(at, schedule.zone())).collect();
    assert_eq!(fired, expected, "{line} in {name}");
}

#[test]
fn a_fixed_hour_fires_once_through_a_gap_and_through_a_fold() {
    check("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", &["2026-03-29 03:00 +02:00", "2026-03-30 02:30 +02:00"]);
    check("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", &["2026-10-25 02:30 +02:00", "2026-10-26 02:30 +01:00"]);
    check("30 2 * * *", "America/New_York", "2026-03-07T12:00:00Z", &["2026-03-08 03:00 -04:00", "2026-03-09 02:30 -04:00"]);
    check("30 1 * * *", "America/New_York", "2026-10-31T12:00:00Z", &["2026-11-01 01:30 -04:00", "2026-11-02 01:30 -05:00"]);
    // Half an hour.
    check("15 2 * * *", "Australia/Lord_Howe", "2026-10-03T00:00:00Z", &["2026-10-04 02:30 +11:00", "2026-10-05 02:15 +11:00"]);
    check("45 1 * * *", "Australia/Lord_Howe", "2026-04-04T00:00:00Z", &["2026-04-05 01:45 +11:00", "2026-04-06 01:45 +10:30"]);
    // Two hours.
    check("30 1 * * *", "Antarctica/Troll", "2026-03-28T12:00:00Z", &["2026-03-29 03:00 +02:00", "2026-03-30 01:30 +02:00"]);
    // Midnight, which the clocks go over.
    check("0 0 * * *", "America/Sao_Paulo", "2018-11-03T12:00:00Z", &["2018-11-04 01:00 -02:00", "2018-11-05 00:00 -02:00"]);
    // A day that never was.
    check("0 9 30 12 *", "Pacific/Apia", "2011-12-29T12:00:00Z", &["2011-12-31 00:00 +14:00"]);
    // Clocks that are set back for Ramadan.
    check("30 2 * * *", "Africa/Casablanca", "2026-02-14T12:00:00Z", &["2026-02-15 02:30 +01:00", "2026-02-16 02:30 +00:00"]);
}

#[test]
fn times_that_meet_after_a_gap_fire_once() {
    check(
        "0,30 2,3 * * *",
        "Europe/Berlin",
        "2026-03-28T23:00:00Z",
        &[
            "2026-03-29 03:00 +02:00",
            "2026-03-29 03:30 +02:00",
            "2026-03-30 02:00 +02:00",
            "2026-03-30 02:30 +02:00",
            "2026-03-30 03:00 +02:00",
            "2026-03-30 03:30 +02:00",
        ],
    );
}

#[test]
fn a_wildcard_hour_runs_by_elapsed_time() {
    let times = |line: &str, from: &str, count: usize| -> Vec<String> {
        let schedule = schedule(line, "Europe/Berlin");
        schedule.upcoming(instant(from)).take(count).map(|at| shown(at, schedule.zone())[11..].to_owned()).collect()
    };
    assert_eq!(times("*/30 * * * *", "2026-03-29T00:00:00Z", 4), ["01:30 +01:00", "03:00 +02:00", "03:30 +02:00", "04:00 +02:00"]);
    assert_eq!(
        times("*/30 * * * *", "2026-10-24T23:30:00Z", 6),
        ["02:00 +02:00", "02:30 +02:00", "02:00 +01:00", "02:30 +01:00", "03:00 +01:00", "03:30 +01:00"]
    );
}

#[test]
fn a_fold_over_midnight_is_in_order() {
    // Clocks went from 00:01 back to 23:01 of the day before.
    let schedule = schedule("*/30 * * * *", "America/St_Johns");
    let fired: Vec<String> = schedule.upcoming(instant("2010-11-07T02:00:00Z")).take(5).map(|at| shown(at, schedule.zone())).collect();
    let expected = [
        "2010-11-07 00:00 -02:30",
        "2010-11-06 23:30 -03:30",
        "2010-11-07 00:00 -03:30",
        "2010-11-07 00:30 -03:30",
        "2010-11-07 01:00 -03:30",
    ];
    assert_eq!(fired, expected);
}

#[test]
fn days_are_named_as_in_crontab() {
    // Monday, 23 November 2026, in UTC.
    for (line, next) in [
        ("0 9 * * MON", "2026-11-23 09:00"),
        ("0 9 * * mon-fri", "2026-11-23 09:00"),
        ("0 9 * * 0", "2026-11-29 09:00"),
        ("0 9 * * 7", "2026-11-29 09:00"),
        ("0 9 * * 6-7", "2026-11-28 09:00"),
        ("0 9 * * FRI-SUN", "2026-11-27 09:00"),
        ("0 9 * * 1", "2026-11-23 09:00"),
        ("0 9 * * */2", "2026-11-24 09:00"),
        ("0 9 1 DEC *", "2026-12-01 09:00"),
        ("0 9 1 * FRI", "2026-11-27 09:00"),
        ("5-59/20 7 * * *", "2026-11-23 07:05"),
        ("0  9\t31 * *", "2026-12-31 09:00"),
        ("0 0 29 2 *", "2028-02-29 00:00"),
        ("0 0 29 2 */7", "2032-02-29 00:00"),
    ] {
        let schedule = schedule(line, "UTC");
        let at = schedule.after(instant("2026-11-23T00:00:00Z")).map(|at| shown(at, schedule.zone()));
        assert_eq!(at.as_deref(), Some(format!("{next} +00:00").as_str()), "{line}");
    }
}

#[test]
fn what_is_no_line_of_a_crontab_is_refused_with_the_field_at_fault() {
    for (line, says) in [
        ("", "there are 0 fields and not 5"),
        ("* * * * * *", "there are 6 fields and not 5"),
        ("0 9 * *", "there are 4 fields and not 5"),
        ("@reboot", "`@reboot` is a shorthand"),
        ("@daily", "`@daily` is a shorthand"),
        ("60 * * * *", "the minute, `60`, is not within 0 to 59"),
        ("* 24 * * *", "the hour, `24`, is not within 0 to 23"),
        ("* * 0 * *", "the day of the month, `0`, is not within 1 to 31"),
        ("* * * 13 *", "the month, `13`, is not within 1 to 12 or JAN to DEC"),
        ("* * * FOO *", "the month, `FOO`, is not within 1 to 12 or JAN to DEC"),
        ("* * * * 8", "the day of the week, `8`, is not within 0 to 7 or SUN to SAT"),
        ("* * * * FRI-MON", "the day of the week, `FRI-MON`, is a range that ends before it begins"),
        ("30-10 * * * *", "the minute, `30-10`, is not within 0 to 59"),
        ("*/0 * * * *", "the minute, `*/0`, has a step that is not a number from 1 to 59"),
        ("*/-1 * * * *", "the minute, `*/-1`, has a step"),
        ("5/15 * * * *", "the minute, `5/15`, has a step after a single value"),
        ("? * * * *", "the minute, `?`, is not a number"),
        ("* * L * *", "the day of the month, `L`, is not within 1 to 31"),
        ("1,,2 * * * *", "the minute, `1,,2`, is not a number"),
        ("0 0 30 2 *", "it never fires"),
        ("0 0 31 4,6,9,11 *", "it never fires"),
        (&"*/5 ".repeat(60), "longer than 200 characters"),
    ] {
        let error = Crontab::parse(line).expect_err(line).to_string();
        assert!(error.contains(says), "{line}: {error}");
    }
}

/// Transitions of four years, of every zone; zones with the same ones once.
fn transitions() -> Vec<(String, TimeZone, Vec<jiff::Timestamp>)> {
    let (from, to): (jiff::Timestamp, jiff::Timestamp) = (stamp("2025-01-01T00:00:00Z"), stamp("2029-01-01T00:00:00Z"));
    let mut known = BTreeSet::new();
    let mut zones = Vec::new();
    for name in tz::db().available() {
        let name = name.as_str().to_owned();
        let zone = zone(&name);
        let all: Vec<(jiff::Timestamp, tz::Offset)> =
            zone.following(from).take_while(|transition| transition.timestamp() < to).map(|t| (t.timestamp(), t.offset())).collect();
        if !all.is_empty() && known.insert((zone.to_offset(from), all.clone())) {
            zones.push((name, zone, all.into_iter().map(|(at, _)| at).collect()));
        }
    }
    zones
}

fn stamp(text: &str) -> jiff::Timestamp {
    text.parse().expect(text)
}

/// What a clock on the wall shows at each minute around a transition.
struct Wall(Vec<(jiff::Timestamp, DateTime)>);

impl Wall {
    fn around(at: jiff::Timestamp, zone: &TimeZone) -> Self {
        let from = at.checked_sub(27.hours()).expect("in range");
        Self(
            (0..54 * 60).map(|minute| from.checked_add(minute.minutes()).expect("in range")).map(|at| (at, zone.to_datetime(at))).collect(),
        )
    }

    /// When the clock first shows this time or has passed it; `None` where that is not for certain within these minutes.
    fn reaches(&self, civil: DateTime) -> Option<jiff::Timestamp> {
        let first = self.0.iter().position(|(_, shown)| *shown >= civil)?;
        (first > 0).then(|| self.0[first].0)
    }

    fn judged(&self) -> (jiff::Timestamp, jiff::Timestamp) {
        (self.0[60].0, self.0[52 * 60].0)
    }
}

fn fired(line: &str, zone: &TimeZone, (from, to): (jiff::Timestamp, jiff::Timestamp)) -> Vec<jiff::Timestamp> {
    let schedule = Schedule::new(Crontab::parse(line).expect(line), zone.clone());
    let core = |at: jiff::Timestamp| Timestamp::from_millis(at.as_millisecond());
    let fired = schedule.upcoming(core(from)).take_while(|at| *at <= core(to));
    fired.map(|at| jiff::Timestamp::from_millisecond(at.millis()).expect("an instant")).collect()
}

#[test]
fn every_zone_keeps_its_reports_through_every_transition() {
    let zones = transitions();
    assert!(zones.len() > 20, "{}: is there a database of zones?", zones.len());
    for (name, zone, transitions) in &zones {
        for at in transitions {
            let wall = Wall::around(*at, zone);
            fixed_hours_fire_once(name, zone, *at, &wall);
            wildcard_hours_follow_the_wall(name, zone, &wall);
        }
    }
}

fn fixed_hours_fire_once(name: &str, zone: &TimeZone, at: jiff::Timestamp, wall: &Wall) {
    let before = zone.to_datetime(at.checked_sub(1.minute()).expect("in range"));
    let after = zone.to_datetime(at);
    let times = [before, after].into_iter().flat_map(|shown| [-31, -1, 0, 1, 16, 31].map(|minutes| shown + minutes.minutes()));
    for time in times {
        let line = format!("{} {} * * *", time.minute(), time.hour());
        let (from, to) = wall.judged();
        let days = (-2..=2).map(|day| time.date() + day.days());
        let expected: BTreeSet<jiff::Timestamp> =
            days.filter_map(|date| wall.reaches(date.to_datetime(time.time()))).filter(|at| *at > from && *at <= to).collect();
        assert_eq!(fired(&line, zone, (from, to)), expected.into_iter().collect::<Vec<_>>(), "{line} in {name} around {at}");
    }
}

fn wildcard_hours_follow_the_wall(name: &str, zone: &TimeZone, wall: &Wall) {
    let (from, to) = wall.judged();
    for (line, fires) in [("*/20 * * * *", 20), ("45 * * * *", 60)] {
        let due = |shown: &DateTime| i32::from(shown.minute()).rem_euclid(fires) == if fires == 60 { 45 } else { 0 };
        let expected: Vec<_> = wall.0.iter().filter(|(at, shown)| *at > from && *at <= to && due(shown)).map(|(at, _)| *at).collect();
        assert_eq!(fired(line, zone, (from, to)), expected, "{line} in {name}");
    }
}

proptest! {
    #[test]
    fn no_text_stops_the_reader(text in "[0-9*/,a-zA-Z@? -]{0,40}") {
        if let Ok(line) = Crontab::parse(&text) {
            prop_assert_eq!(line.text().split(' ').count(), 5);
        }
    }

    #[test]
    fn firings_only_go_forward(
        line in prop::sample::select(vec!["*/7 * * * *", "30 2 * * *", "0 */3 * * 1-5", "59 23 28-31 * *", "0 0 1 1 *"]),
        name in prop::sample::select(vec!["Europe/Berlin", "Australia/Lord_Howe", "America/St_Johns", "Asia/Kathmandu"]),
        from in 0_i64..4_000_000_000,
    ) {
        let schedule = schedule(line, name);
        let fired: Vec<Timestamp> = schedule.upcoming(Timestamp::from_seconds(from)).take(20).collect();
        prop_assert_eq!(fired.len(), 20);
        prop_assert!(fired[0] > Timestamp::from_seconds(from) && fired.windows(2).all(|pair| pair[0] < pair[1]), "{:?}", fired);
    }
}
