//! The dialect of crontab: five fields, names of months and days, Sunday as 0 or 7, and a day that either of two day fields names.
//!
//! The crate `cron` reads each field and holds its set of numbers. What it would read otherwise than crontab is said to it in its own terms: it wants a
//! field of seconds, and it counts Sunday as 1. Which day fires is decided here, because it wants both day fields to agree.

use std::{fmt, str::FromStr as _};

use cron::TimeUnitSpec as _;
use jiff::{
    ToSpan as _,
    civil::{Date, Time, date},
};
use thiserror::Error;

/// The longest line, in characters.
const MAX_CHARACTERS: usize = 200;

/// How far ahead a firing is looked for: a 29 February on a given weekday can be 40 years away, around the year 2100.
pub(super) const HORIZON_DAYS: usize = 41 * 366;

/// The names of the fields, in their order.
const FIELDS: [&str; 5] = ["minute", "hour", "day of the month", "month", "day of the week"];

/// Days of the week as crontab names them, from Sunday.
const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/// A line of a crontab, such as `0 9 * * MON`.
#[derive(Debug, Clone)]
pub struct Crontab {
    text: String,
    fields: cron::Schedule,
    days: Days,
    hours: Hours,
}

/// Whether a line runs by the clock on the wall or by elapsed time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hours {
    /// Its hours are named.
    Fixed,
    /// Its hours begin with `*`.
    Wildcard,
}

/// How the two day fields make a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Days {
    /// One of them begins with `*`: both hold.
    Both,
    /// Both are restricted: either is enough.
    Either,
}

/// Why a text is not a line of a crontab.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CrontabError {
    /// A name in place of the fields.
    #[error("`{0}` is a shorthand; write the five fields")]
    Shorthand(String),
    /// Not five fields.
    #[error("there are {0} fields and not 5: minute, hour, day of the month, month, day of the week")]
    FieldCount(usize),
    /// Too long.
    #[error("it is longer than {MAX_CHARACTERS} characters")]
    TooLong,
    /// A field that cannot be.
    #[error("the {field}, `{text}`, {why}")]
    Field {
        /// Which.
        field: &'static str,
        /// As it was written.
        text: String,
        /// What is wrong with it.
        why: String,
    },
    /// It never fires.
    #[error("it never fires: no month has such a day")]
    Never,
}

impl Crontab {
    /// Reads a line.
    ///
    /// # Errors
    /// What is wrong with it, in which field.
    pub fn parse(text: &str) -> Result<Self, CrontabError> {
        if text.chars().count() > MAX_CHARACTERS {
            return Err(CrontabError::TooLong);
        }
        let fields: Vec<&str> = text.split_ascii_whitespace().collect();
        if let Some(shorthand) = fields.first().filter(|field| field.starts_with('@')) {
            return Err(CrontabError::Shorthand((*shorthand).to_owned()));
        }
        let [minute, hour, day, month, weekday] = fields.as_slice() else { return Err(CrontabError::FieldCount(fields.len())) };
        for (field, text) in FIELDS.into_iter().zip([*minute, *hour, *day, *month, *weekday]) {
            check(field, text)?;
        }
        let weekdays = weekdays(weekday).map_err(|why| fault(FIELDS[4], weekday, why))?;
        for (at, (field, text)) in FIELDS.into_iter().zip([*minute, *hour, *day, *month]).enumerate() {
            alone(at, text).map_err(|_| fault(field, text, format!("is not within {}", RANGES[at])))?;
        }
        let fields = cron::Schedule::from_str(&format!("0 {minute} {hour} {day} {month} {weekdays}"))
            .map_err(|error| fault("line", text, format!("is not understood: {error}")))?;
        let wild = |field: &str| field.starts_with('*');
        let line = Self {
            text: text.split_ascii_whitespace().collect::<Vec<_>>().join(" "),
            fields,
            days: if wild(day) || wild(weekday) { Days::Both } else { Days::Either },
            hours: if wild(hour) { Hours::Wildcard } else { Hours::Fixed },
        };
        if line.ever_fires() { Ok(line) } else { Err(CrontabError::Never) }
    }

    /// The line as it was written, with single spaces.
    pub fn text(&self) -> &str {
        &self.text
    }

    pub(super) const fn hours(&self) -> Hours {
        self.hours
    }

    /// Whether it fires on a civil day.
    pub(super) fn fires_on(&self, date: Date) -> bool {
        let of_month = self.fields.days_of_month().includes(ordinal(date.day()));
        // The crate counts from Sunday as 1.
        let of_week = self.fields.days_of_week().includes(ordinal(date.weekday().to_sunday_one_offset()));
        let day = match self.days {
            Days::Both => of_month && of_week,
            Days::Either => of_month || of_week,
        };
        day && self.fields.months().includes(ordinal(date.month()))
    }

    /// The civil times of a day at which it fires, in order.
    pub(super) fn times(&self) -> impl Iterator<Item = Time> + '_ {
        let hours = self.fields.hours().iter().filter_map(|hour| i8::try_from(hour).ok());
        hours.flat_map(|hour| {
            let minutes = self.fields.minutes().iter().filter_map(|minute| i8::try_from(minute).ok());
            minutes.filter_map(move |minute| Time::new(hour, minute, 0, 0).ok())
        })
    }

    /// Whether any day of the calendar's cycle is one on which it fires.
    fn ever_fires(&self) -> bool {
        date(2000, 1, 1).series(1.day()).take(HORIZON_DAYS).any(|date| self.fires_on(date))
    }
}

impl PartialEq for Crontab {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Crontab {}

impl fmt::Display for Crontab {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// What the first four fields may hold.
const RANGES: [&str; 4] = ["0 to 59", "0 to 23", "1 to 31", "1 to 12 or JAN to DEC"];

fn fault(field: &'static str, text: &str, why: impl Into<String>) -> CrontabError {
    CrontabError::Field { field, text: text.to_owned(), why: why.into() }
}

/// Only what crontab has: `*`, numbers, names, ranges, steps of `*` or of a range, and lists of these.
fn check(field: &'static str, text: &str) -> Result<(), CrontabError> {
    for item in text.split(',') {
        let (range, step) = item.split_once('/').map_or((item, None), |(range, step)| (range, Some(step)));
        let (first, last) = range.split_once('-').map_or((range, None), |(first, last)| (first, Some(last)));
        let word = |text: &str| !text.is_empty() && text.len() <= 9 && text.bytes().all(|b| b.is_ascii_alphanumeric());
        if !(range == "*" || word(first) && last.is_none_or(word)) {
            return Err(fault(field, text, "is not a number, a name, a range such as 1-5, * or a list of these"));
        }
        let number = |text: &str| text.parse::<u32>().ok().filter(|number| (1..=59).contains(number));
        if step.is_some_and(|step| number(step).is_none()) {
            return Err(fault(field, text, "has a step that is not a number from 1 to 59"));
        }
        if step.is_some() && range != "*" && last.is_none() {
            return Err(fault(field, text, "has a step after a single value; write a range such as 5-59/15"));
        }
    }
    Ok(())
}

/// A field as the crate reads it, all others free.
fn alone(at: usize, text: &str) -> Result<cron::Schedule, cron::error::Error> {
    let mut fields = ["0", "*", "*", "*", "*", "*"];
    fields[at + 1] = text;
    cron::Schedule::from_str(&fields.join(" "))
}

/// The days of the week as the crate counts them: a list of numbers from Sunday as 1.
fn weekdays(text: &str) -> Result<String, &'static str> {
    if text == "*" {
        return Ok("*".to_owned());
    }
    let mut days = Vec::new();
    for item in text.split(',') {
        let (range, step) = item.split_once('/').map_or((item, 1), |(range, step)| (range, step.parse().unwrap_or(1)));
        let (first, last) = match range.split_once('-') {
            _ if range == "*" => (0, 6),
            Some((first, last)) => (weekday(first)?, weekday(last)?),
            None => (weekday(range)?, weekday(range)?),
        };
        // A week may end with Sunday.
        let last = if last == 0 && first > 0 { 7 } else { last };
        if first > last {
            return Err("is a range that ends before it begins");
        }
        days.extend((first..=last).step_by(step).map(|day| (day % 7 + 1).to_string()));
    }
    Ok(days.join(","))
}

/// A day from Sunday as 0; Sunday is 7, too.
fn weekday(text: &str) -> Result<u32, &'static str> {
    let name = text.to_ascii_lowercase();
    let named = WEEKDAYS.iter().position(|day| *day == name).and_then(|day| u32::try_from(day).ok());
    let numbered = || text.parse::<u32>().ok().filter(|day| *day <= 7);
    named.or_else(numbered).ok_or("is not within 0 to 7 or SUN to SAT")
}

fn ordinal(number: i8) -> u32 {
    number.unsigned_abs().into()
}
