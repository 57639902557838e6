//! When a recurring exclusion takes time out: the rule is civil time, and its zone maps it to instants as for every schedule ([`crate::schedule`]).
//!
//! A rule is a line of a crontab or an RRULE of RFC 5545. The crate `rrule` reads and iterates an RRULE in civil time only, dressed as UTC: what its
//! own zones would make of gaps and folds is not asked. So a rule that is finer than a day, or that carries instants of its own, is refused.

use std::time::Duration;

use burnward_core::{
    exclusion::Recurrence,
    time::{Timestamp, days, minutes},
    window::Interval,
};
use jiff::{civil::DateTime, tz::TimeZone};
use thiserror::Error;

use crate::schedule::{self, Crontab, CrontabError, Schedule};

/// Why a recurrence cannot be.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RecurrenceError {
    /// The zone is not in the time zone database.
    #[error("there is no time zone `{0}`; one is called Europe/Berlin")]
    Zone(String),
    /// The line of a crontab is none.
    #[error("as a line of a crontab, {0}; as an RRULE it would hold FREQ=")]
    Crontab(#[from] CrontabError),
    /// A part of the RRULE that is not taken.
    #[error("{part} is not taken in an RRULE: {instead}")]
    Part {
        /// Which.
        part: &'static str,
        /// What to do instead.
        instead: &'static str,
    },
    /// The RRULE is none.
    #[error("it is no RRULE: {0}")]
    Rrule(String),
    /// It lasts too long, or not at all.
    #[error("a stretch lasts from 1 minute to 7 days")]
    Lasts,
    /// Nothing comes of it.
    #[error("it never takes any time out: no stretch begins between its first and its last moment")]
    Never,
    /// One begins before the one before it ends.
    #[error(
        "a stretch begins before the one before it ends, so that hardly any time would be left; let each last less than the time between two"
    )]
    Overlaps,
    /// It comes too often.
    #[error("it comes more than {MOST_A_DAY} times a day; write one longer stretch")]
    TooOften,
}

/// How long a stretch may last.
const LASTS: std::ops::RangeInclusive<Duration> = minutes(1)..=days(7);

/// A rule that comes more often is refused: each edge is kept for years, for every group.
const MOST_A_DAY: usize = 4;

/// Where it is looked at how often a rule comes.
const SAMPLE_DAYS: usize = 35;

/// Where it is looked at whether a rule comes at all.
const SOME_DAY: Duration = days(366 * 4 + 1);

/// The longest RRULE, in characters.
const MAX_CHARACTERS: usize = 300;

/// The beginnings that are looked at, of one rule: 25 months at the most a day, and as many again before them.
const MAX_BEGINNINGS: usize = 10_000;

/// A recurrence whose rule and zone are known.
#[derive(Debug)]
pub struct Occurrences {
    rule: Rule,
    zone: TimeZone,
    lasts: Duration,
    from: Timestamp,
    until: Timestamp,
}

#[derive(Debug)]
enum Rule {
    Crontab(Box<Schedule>),
    Rrule(Box<rrule::RRuleSet>),
}

impl Occurrences {
    /// Reads a recurrence.
    ///
    /// # Errors
    /// What is wrong with it, and what to write instead.
    pub fn read(recurrence: &Recurrence) -> Result<Self, RecurrenceError> {
        let Recurrence { rule, zone, lasts, from, until } = recurrence;
        let zone = TimeZone::get(zone).map_err(|_| RecurrenceError::Zone(zone.clone()))?;
        if !LASTS.contains(lasts) {
            return Err(RecurrenceError::Lasts);
        }
        let rule = if rule.to_ascii_uppercase().contains("FREQ=") {
            Rule::Rrule(Box::new(read_rrule(rule, &zone, *from)?))
        } else {
            Rule::Crontab(Box::new(Schedule::new(Crontab::parse(rule)?, zone.clone())))
        };
        let until = until.unwrap_or(Timestamp::from_millis(i64::MAX));
        let occurrences = Self { rule, zone, lasts: *lasts, from: *from, until };
        let first = occurrences.beginnings().take_while(|at| *at <= from.plus(SOME_DAY)).next().ok_or(RecurrenceError::Never)?;
        let sample: Vec<Timestamp> = occurrences.beginnings().take_while(|at| *at < first.plus(days(SAMPLE_DAYS as u64))).collect();
        if sample.len() > MOST_A_DAY * SAMPLE_DAYS {
            return Err(RecurrenceError::TooOften);
        }
        if sample.windows(2).any(|pair| pair[1].since(pair[0]) <= *lasts) {
            return Err(RecurrenceError::Overlaps);
        }
        Ok(occurrences)
    }

    /// The stretches that begin up to `to` and end after `after`.
    pub fn stretches(&self, after: Timestamp, to: Timestamp) -> Vec<Interval> {
        let beginnings = self.beginnings().take_while(|from| *from <= to);
        beginnings.map(|from| Interval { from, to: from.plus(self.lasts) }).filter(|stretch| stretch.to > after).collect()
    }

    /// The stretch that is on at a moment, or the next one.
    pub fn next(&self, now: Timestamp) -> Option<Interval> {
        self.beginnings().map(|from| Interval { from, to: from.plus(self.lasts) }).find(|stretch| stretch.to > now)
    }

    fn beginnings(&self) -> impl Iterator<Item = Timestamp> + '_ {
        let all: Box<dyn Iterator<Item = Timestamp> + '_> = match &self.rule {
            Rule::Crontab(schedule) => Box::new(schedule.upcoming(self.from.minus(Duration::from_millis(1)))),
            Rule::Rrule(rules) => Box::new(rules.into_iter().filter_map(|civil| self.instant(civil.timestamp()))),
        };
        all.take(MAX_BEGINNINGS).skip_while(|at| *at < self.from).take_while(|at| *at <= self.until)
    }

    /// The instant of a civil time that is dressed as seconds since the epoch.
    fn instant(&self, dressed: i64) -> Option<Timestamp> {
        let civil = TimeZone::UTC.to_datetime(jiff::Timestamp::from_second(dressed).ok()?);
        schedule::once(&self.zone, civil).map(|at| Timestamp::from_millis(at.as_millisecond()))
    }
}

/// An RRULE that counts from the civil time of `from`.
fn read_rrule(text: &str, zone: &TimeZone, from: Timestamp) -> Result<rrule::RRuleSet, RecurrenceError> {
    let rule = text.trim().to_ascii_uppercase();
    let rule = rule.strip_prefix("RRULE:").unwrap_or(&rule);
    refuse_parts(rule)?;
    let start: DateTime = zone.to_datetime(jiff::Timestamp::from_millisecond(from.millis()).unwrap_or(jiff::Timestamp::UNIX_EPOCH));
    let rule = sharp(rule);
    let whole = format!("DTSTART:{}\nRRULE:{rule}", start.strftime("%Y%m%dT%H%M%SZ"));
    whole.parse().map_err(|error: rrule::RRuleError| RecurrenceError::Rrule(error.to_string()))
}

/// A rule that names an hour and no minute means the full hour, not the minute at which it happens to be written down.
fn sharp(rule: &str) -> String {
    let names = |part: &str| rule.split(';').any(|named| named.trim_start().starts_with(part));
    let mut sharp = rule.trim_end_matches(';').to_owned();
    if names("BYHOUR=") && !names("BYMINUTE=") {
        sharp.push_str(";BYMINUTE=0");
    }
    if !names("BYSECOND=") {
        sharp.push_str(";BYSECOND=0");
    }
    sharp
}

/// Refuses what would not be civil time, or is said in another place.
fn refuse_parts(rule: &str) -> Result<(), RecurrenceError> {
    let refused = |part, instead| Err(RecurrenceError::Part { part, instead });
    if rule.chars().count() > MAX_CHARACTERS || rule.chars().any(char::is_control) {
        return refused("more than one line, or one of more than 300 characters,", "write one rule");
    }
    for (part, instead) in [
        ("DTSTART", "the exclusion's own beginning is where it counts from"),
        ("UNTIL=", "give the exclusion an end"),
        ("FREQ=SECONDLY", "a rule is daily or rarer"),
        ("FREQ=MINUTELY", "a rule is daily or rarer"),
        ("FREQ=HOURLY", "a rule is daily or rarer, with BYHOUR where there are several hours"),
    ] {
        if rule.contains(part) {
            return refused(part, instead);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use burnward_core::time::hours;

    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::from_millis(text.parse::<jiff::Timestamp>().expect("an instant").as_millisecond())
    }

    fn recurrence(rule: &str, zone: &str, from: &str) -> Recurrence {
        Recurrence { rule: rule.to_owned(), zone: zone.to_owned(), lasts: hours(2), from: at(from), until: None }
    }

    /// The beginnings of the first stretches as a clock in the zone shows them.
    fn beginnings(rule: &str, zone: &str, from: &str, count: usize) -> Vec<String> {
        let occurrences = Occurrences::read(&recurrence(rule, zone, from)).expect("a rule");
        let shown = |at: Timestamp| {
            let at = jiff::Timestamp::from_millisecond(at.millis()).expect("an instant").to_zoned(occurrences.zone.clone());
            at.strftime("%Y-%m-%d %H:%M %:z").to_string()
        };
        occurrences.beginnings().take(count).map(shown).collect()
    }

    #[test]
    fn a_crontab_and_an_rrule_say_the_same_and_go_once_through_gap_and_fold() {
        let expected = ["2026-03-22 02:30 +01:00", "2026-03-29 03:00 +02:00", "2026-04-05 02:30 +02:00"];
        for rule in
            ["30 2 * * SUN", "RRULE:FREQ=WEEKLY;BYDAY=SU;BYHOUR=2;BYMINUTE=30", "freq=weekly;byday=su;byhour=2;byminute=30;bysecond=0"]
        {
            assert_eq!(beginnings(rule, "Europe/Berlin", "2026-03-20T00:00:00Z", 3), expected, "{rule}");
        }
        for rule in ["30 2 * * SUN", "FREQ=WEEKLY;BYDAY=SU;BYHOUR=2;BYMINUTE=30"] {
            let fold = beginnings(rule, "Europe/Berlin", "2026-10-20T00:00:00Z", 2);
            assert_eq!(fold, ["2026-10-25 02:30 +02:00", "2026-11-01 02:30 +01:00"], "{rule}");
        }
    }

    #[test]
    fn an_rrule_takes_its_time_of_day_from_its_beginning_and_counts_from_there() {
        let shown = beginnings("FREQ=MONTHLY;BYDAY=1SU;COUNT=2", "America/New_York", "2026-11-25T06:00:00Z", 9);
        assert_eq!(shown, ["2026-12-06 01:00 -05:00", "2027-01-03 01:00 -05:00"]);
    }

    #[test]
    fn an_rrule_with_an_hour_means_the_full_hour_and_whole_minutes_always() {
        for (rule, first) in [
            ("FREQ=MONTHLY;BYDAY=1SU;BYHOUR=2", "2026-12-06 02:00 +00:00"),
            ("FREQ=DAILY;BYHOUR=2;BYMINUTE=30", "2026-11-26 02:30 +00:00"),
            ("FREQ=WEEKLY;BYDAY=SU;", "2026-11-29 11:47 +00:00"),
        ] {
            let occurrences = Occurrences::read(&recurrence(rule, "UTC", "2026-11-25T11:47:31Z")).expect("a rule");
            let begins = occurrences.stretches(at("2026-11-25T11:47:31Z"), at("2027-06-01T00:00:00Z"))[0].from;
            assert_eq!(begins, at(&first.replace(" +00:00", ":00Z").replace(' ', "T")), "{rule}");
        }
    }

    #[test]
    fn stretches_last_elapsed_time_and_end_with_the_exclusion() {
        let nightly =
            Recurrence { until: Some(at("2026-03-29T23:59:00Z")), ..recurrence("0 1 * * *", "Europe/Berlin", "2026-03-27T12:00:00Z") };
        let occurrences = Occurrences::read(&nightly).expect("a rule");
        let stretch = |from: &str, to: &str| Interval { from: at(from), to: at(to) };
        let all = occurrences.stretches(at("2026-03-28T02:00:00Z"), at("2026-06-01T00:00:00Z"));
        assert_eq!(all, [stretch("2026-03-29T00:00:00Z", "2026-03-29T02:00:00Z"), stretch("2026-03-29T23:00:00Z", "2026-03-30T01:00:00Z")]);
    }

    #[test]
    fn the_next_stretch_is_the_one_that_is_on_or_comes() {
        let monthly = Occurrences::read(&recurrence("0 2 1 * *", "UTC", "2026-11-25T00:00:00Z")).expect("a rule");
        for (now, from) in [
            ("2026-11-26T00:00:00Z", Some("2026-12-01T02:00:00Z")),
            ("2026-12-01T03:59:59Z", Some("2026-12-01T02:00:00Z")),
            ("2026-12-01T04:00:00Z", Some("2027-01-01T02:00:00Z")),
        ] {
            assert_eq!(monthly.next(at(now)).map(|stretch| stretch.from), from.map(at), "{now}");
        }
        let over = Recurrence { until: Some(at("2026-12-02T00:00:00Z")), ..recurrence("0 2 1 * *", "UTC", "2026-11-25T00:00:00Z") };
        assert_eq!(Occurrences::read(&over).expect("a rule").next(at("2026-12-01T04:00:00Z")), None);
    }

    /// Over every zone and rule that the clocks' changes can touch: once a night, never twice, and never long before or after its hour.
    #[test]
    fn a_night_has_one_stretch_through_every_change_of_clocks() {
        for zone in ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "America/Santiago", "UTC"] {
            for rule in ["30 2 * * *", "FREQ=DAILY;BYHOUR=2;BYMINUTE=30", "0 0 * * *", "FREQ=DAILY;BYHOUR=0"] {
                let shown = beginnings(rule, zone, "2026-01-01T12:00:00Z", 730);
                let days: std::collections::BTreeSet<&str> = shown.iter().map(|at| &at[..10]).collect();
                assert_eq!((shown.len(), days.len()), (730, 730), "{rule} in {zone}");
                let hour = if rule.contains("30") { ["02:30", "03:00"] } else { ["00:00", "01:00"] };
                let strange: Vec<&String> = shown.iter().filter(|at| !hour.contains(&&at[11..16])).collect();
                assert!(strange.is_empty(), "{rule} in {zone}: {strange:?}");
            }
        }
    }

    #[test]
    fn what_is_no_rule_is_refused_with_what_to_write() {
        for (rule, says) in [
            ("0 2 * *", "there are 4 fields"),
            ("FREQ=HOURLY", "a rule is daily or rarer"),
            ("FREQ=DAILY;UNTIL=20270101T000000Z", "give the exclusion an end"),
            ("FREQ=DAILY\nRRULE:FREQ=WEEKLY", "write one rule"),
            ("FREQ=SOMETIMES", "it is no RRULE"),
            ("FREQ=DAILY;BYHOUR=25", "it is no RRULE"),
            ("*/10 * * * *", "more than 4 times a day"),
            ("FREQ=DAILY;BYHOUR=0,1,2,3,4,5", "more than 4 times a day"),
            ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "never"),
        ] {
            let error = Occurrences::read(&recurrence(rule, "UTC", "2026-11-25T06:00:00Z")).expect_err(rule).to_string();
            assert!(error.contains(says), "{rule}: {error}");
        }
        let endless = Recurrence { lasts: hours(30), ..recurrence("0 2 * * *", "UTC", "2026-11-25T06:00:00Z") };
        assert_eq!(Occurrences::read(&endless).expect_err("all time"), RecurrenceError::Overlaps);
        let nowhere = Occurrences::read(&recurrence("0 2 * * *", "Mars/Olympus", "2026-11-25T06:00:00Z")).expect_err("no such zone");
        assert_eq!(nowhere.to_string(), "there is no time zone `Mars/Olympus`; one is called Europe/Berlin");
    }
}
