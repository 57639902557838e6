//! What an explanation tells beside figures: where things are written and in which version, what was read for a budget, and what became of its alerts.

use std::{fmt, time::Duration};

use burnward_core::words;
use jiff::Timestamp as Instant;
use serde::{Deserialize, Serialize};

/// Characters of a selector in a sentence: values of labels may be of any length.
const SHOWN: usize = 200;

/// A place in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourcePlace {
    /// The file, as the daemon's configuration leads to it.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1, in characters.
    pub column: usize,
}

impl fmt::Display for SourcePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// The definition of an SLO that ran at a moment.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Definition {
    /// The version of its file: first 12 hex digits of the SHA-256 of the text.
    pub version: String,
    /// Which one it is of the versions that the SLO ran in, from 1.
    pub number: usize,
    /// Since when it runs.
    pub since: Instant,
    /// Where the SLO is written in it; absent where its text does not show it.
    pub place: Option<SourcePlace>,
    /// Since when the SLO says what it says: earlier versions of the file may have said the same of it.
    pub same_since: Instant,
    /// The last version that said something else of it; absent where there is none, or none among those that were looked into.
    pub before: Option<DefinitionBefore>,
    /// Versions before it that were not looked into, because there are so many.
    pub not_compared: usize,
}

/// A version that said something else.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DefinitionBefore {
    /// The version of the file.
    pub version: String,
    /// The file.
    pub file: String,
    /// Since when it ran.
    pub since: Instant,
    /// The name that the SLO had in it, where that was another.
    pub was: Option<String>,
    /// What it said otherwise.
    pub changes: Vec<DefinitionChange>,
}

/// A key of a definition that says something else now.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DefinitionChange {
    /// The key, as a path through the document.
    pub key: String,
    /// What stood there.
    pub before: Option<String>,
    /// What stands there now.
    pub after: Option<String>,
}

impl Definition {
    /// Which version, since when, and what it changed, in lines.
    pub fn lines(&self, when: impl Fn(Instant) -> String) -> Vec<String> {
        let Self { version, number, since, same_since, before, not_compared, .. } = self;
        let same = if same_since < since { format!("; the SLO says the same since {}", when(*same_since)) } else { String::new() };
        let first = format!("{version}, the {} it ran in, since {}{same}", ordinal(*number), when(*since));
        let told = match (before, *not_compared) {
            (Some(before), _) => before.line(when),
            (None, 0) => "no version before it said anything else of the SLO".to_owned(),
            (None, n) => format!("the versions before it say the same of the SLO, as far as they were compared; {n} older ones were not"),
        };
        vec![first, told]
    }
}

impl DefinitionBefore {
    fn line(&self, when: impl Fn(Instant) -> String) -> String {
        let said = |value: &Option<String>| value.clone().unwrap_or_else(|| "(nothing)".to_owned());
        let changes = self.changes.iter().map(|change| format!("{}: {} -> {}", change.key, said(&change.before), said(&change.after)));
        let was = self.was.iter().map(|was| format!("was: {was}"));
        format!(
            "{} of {}, since {}, said otherwise: {}",
            self.version,
            self.file,
            when(self.since),
            was.chain(changes).collect::<Vec<_>>().join("; ")
        )
    }
}

/// `1st`, `2nd`, `3rd`, `11th`.
fn ordinal(number: usize) -> String {
    let ending = match (number % 10, number % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        (_, _) => "th",
    };
    format!("{number}{ending}")
}

/// What became of an alert that is open: whether it called anybody, and what decided that.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Told {
    /// `page` or `ticket`.
    pub urgency: String,
    /// What it is about: `burn`, `no-data`, `no-traffic` or `blind-source`.
    #[serde(default = "burn")]
    pub about: String,
    /// Since when the alert is open.
    pub since: Instant,
    /// Its incident.
    pub incident: Option<String>,
    /// What decided whether somebody was called: `opened`, `reopened`, `joined`, `grouping`, `acknowledged`, `flapping`, `ticket`, `shadow`.
    pub decided_by: String,
    /// What became of it, in a sentence.
    pub sentence: String,
}

fn burn() -> String {
    "burn".to_owned()
}

impl Told {
    /// What it is called: `page`, `ticket`, `no-data ticket`, `blind-source page`.
    pub fn called(&self) -> String {
        if self.about == burn() { self.urgency.clone() } else { format!("{} {}", self.about, self.urgency) }
    }
}

/// An exclusion that takes time out of a budget's window.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TakenOut {
    /// `X-7`.
    pub id: String,
    /// How much time of the window it takes out; exclusions may overlap.
    pub seconds: f64,
    /// Why.
    pub reason: String,
    /// Who approved it.
    pub approver: String,
}

impl TakenOut {
    /// `5 min by X-7: load test (approved by sam)`.
    pub fn sentence(&self) -> String {
        let Self { id, seconds, reason, approver } = self;
        format!("{} by {id}: {reason} (approved by {approver})", words::duration(Duration::from_secs_f64(seconds.max(0.0))))
    }
}

/// What is read for a budget.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Reading {
    /// The parts of its SLI.
    pub parts: Vec<ReadPart>,
    /// The newest sample of all its events.
    pub newest_sample: Option<Instant>,
    /// How old that was when the budget was evaluated.
    pub newest_age_seconds: Option<f64>,
    /// Up to here samples are settled; what is newer is provisional.
    pub settled_to: Option<Instant>,
    /// How much time up to the evaluation is provisional.
    pub provisional_seconds: Option<f64>,
}

impl Reading {
    /// How new the newest sample is, and what of it may still change.
    pub fn freshness(&self, when: impl Fn(Instant) -> String) -> String {
        let span = |seconds: f64| words::duration(Duration::from_secs_f64(seconds.max(0.0)));
        let newest = match (self.newest_sample, self.newest_age_seconds) {
            (Some(at), Some(age)) => format!("sample of {}, {} old", when(at), span(age)),
            (_, _) => "no sample was ever seen".to_owned(),
        };
        match (self.settled_to, self.provisional_seconds) {
            (Some(to), Some(rest)) => format!("{newest}; settled up to {}, the {} since are provisional", when(to), span(rest)),
            (_, _) => newest,
        }
    }
}

/// A part of an SLI as it is read for one budget.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReadPart {
    /// What its series count: `bad events`.
    pub what: String,
    /// The question whose answer holds them, as it is sent.
    pub asked: String,
    /// Its own series alone, as a selector; absent where none tells them from others.
    pub own: Option<String>,
    /// How many series of the answer are counted for the budget; absent where an expression is asked, which has one value for each group.
    pub series: Option<usize>,
    /// Some of them by their labels, where they were asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub named: Vec<String>,
    /// Why they cannot be named, where they were asked for and cannot be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_named: Option<String>,
}

impl ReadPart {
    /// What is counted of the answer: `2 series of it: m{code="500"}`.
    pub fn counted(&self) -> String {
        let series = match self.series {
            Some(1) => "1 series".to_owned(),
            Some(count) => format!("{count} series"),
            None => "one value for each group".to_owned(),
        };
        match &self.own {
            Some(own) => format!("{}: {series} of {}", self.what, words::cut(own, SHOWN)),
            None => format!("{}: {series}", self.what),
        }
    }

    /// The series by name, and how many are not.
    pub fn names(&self) -> Vec<String> {
        let rest = self.series.unwrap_or_default().saturating_sub(self.named.len());
        let more = (!self.named.is_empty() && rest > 0).then(|| format!("and {rest} more"));
        self.named.iter().map(|name| words::cut(name, SHOWN)).chain(more).chain(self.not_named.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Instant {
        text.parse().expect("an instant")
    }

    fn lines(definition: &Definition) -> Vec<String> {
        definition.lines(|at| at.strftime("%b %-d %H:%M").to_string())
    }

    #[test]
    fn a_definition_says_which_version_it_is_and_what_it_changed() {
        let first = Definition {
            version: "0a1b2c3d4e5f".to_owned(),
            number: 1,
            since: at("2026-11-20T09:00:00Z"),
            place: None,
            same_since: at("2026-11-20T09:00:00Z"),
            before: None,
            not_compared: 0,
        };
        let said = ["0a1b2c3d4e5f, the 1st it ran in, since Nov 20 09:00", "no version before it said anything else of the SLO"];
        assert_eq!(lines(&first), said);
        let change =
            DefinitionChange { key: "objectives.30d.target".to_owned(), before: Some("99.5%".to_owned()), after: Some("99.9%".to_owned()) };
        let before = DefinitionBefore {
            version: "f00000000000".to_owned(),
            file: "checkout.yaml".to_owned(),
            since: at("2026-11-01T08:00:00Z"),
            was: None,
            changes: vec![change, DefinitionChange { key: "runbook".to_owned(), before: Some("a.md".to_owned()), after: None }],
        };
        let changed = Definition { number: 12, same_since: at("2026-11-18T00:00:00Z"), before: Some(before), ..first.clone() };
        assert_eq!(
            lines(&changed),
            [
                "0a1b2c3d4e5f, the 12th it ran in, since Nov 20 09:00; the SLO says the same since Nov 18 00:00",
                "f00000000000 of checkout.yaml, since Nov 1 08:00, said otherwise: objectives.30d.target: 99.5% -> 99.9%; runbook: a.md -> (nothing)",
            ]
        );
        let long = Definition { number: 33, not_compared: 12, ..first };
        assert_eq!(lines(&long)[1], "the versions before it say the same of the SLO, as far as they were compared; 12 older ones were not");
    }

    #[test]
    fn what_is_newest_and_what_is_provisional_is_said() {
        let reading = Reading {
            parts: Vec::new(),
            newest_sample: Some(at("2026-11-25T03:10:02Z")),
            newest_age_seconds: Some(4.0),
            settled_to: Some(at("2026-11-25T03:09:00Z")),
            provisional_seconds: Some(66.0),
        };
        let time = |at: Instant| at.strftime("%H:%M:%S").to_string();
        assert_eq!(reading.freshness(time), "sample of 03:10:02, 4 s old; settled up to 03:09:00, the 1 m 6 s since are provisional");
        let nothing = Reading { newest_sample: None, newest_age_seconds: None, settled_to: None, provisional_seconds: None, ..reading };
        assert_eq!(nothing.freshness(time), "no sample was ever seen");
    }

    #[test]
    fn series_are_counted_and_named_up_to_a_bound() {
        let part = ReadPart {
            what: "bad events".to_owned(),
            asked: "m".to_owned(),
            own: Some("m{code=\"500\"}".to_owned()),
            series: Some(3),
            named: vec!["m{code=\"500\",pod=\"a\"}".to_owned()],
            not_named: None,
        };
        assert_eq!(part.counted(), "bad events: 3 series of m{code=\"500\"}");
        assert_eq!(part.names(), ["m{code=\"500\",pod=\"a\"}", "and 2 more"]);
        let expression = ReadPart { series: None, own: None, named: Vec::new(), ..part };
        assert_eq!((expression.counted(), expression.names()), ("bad events: one value for each group".to_owned(), Vec::new()));
    }
}
