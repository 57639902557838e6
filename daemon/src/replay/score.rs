//! Pages of a replay beside incidents that people marked: which of them it would have found, how late, and which pages nobody needed.

use std::{fmt::Write as _, time::Duration};

use burnward_core::{
    incident::{AlertKey, Incident, Kind, Phase, Subject},
    slo::Urgency,
    time::minutes,
    window::Interval,
    words,
};

use super::Alarm;
use crate::{definition::marked::Marked, report::words::utc};

/// A page that comes so soon after an incident is still one of it, for rows look back; and so soon before it, for people mark when they noticed.
const BESIDE: Duration = minutes(30);

/// What became of a marked incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// It paged so long after its beginning.
    After(Duration),
    /// The same, and later than was wanted.
    Late(Duration),
    /// Nobody was paged.
    Missed,
}

/// How a replay did.
#[derive(Debug, Clone, PartialEq)]
pub struct Score {
    /// What became of each marked incident, in their order.
    pub found: Vec<Found>,
    /// Which of the alarms belong to which marked incident, by their places; pages that belong to none are false.
    pub of: Vec<Option<usize>>,
    /// Pages in all, and those that belong to an incident.
    pub pages: usize,
    /// Pages that belong to a marked incident.
    pub right: usize,
}

impl Score {
    /// Compares alarms with incidents; what pages later than `late_after` an incident's beginning is late.
    pub fn of(alarms: &[Alarm], marked: &[Marked], late_after: Duration) -> Self {
        let of: Vec<Option<usize>> = alarms.iter().map(|alarm| marked.iter().position(|incident| belongs(alarm, incident))).collect();
        let paged = || alarms.iter().zip(&of).filter(|(alarm, _)| is_page(alarm));
        let found = |incident: &Marked| {
            let first = alarms.iter().filter(|alarm| is_page(alarm) && belongs(alarm, incident)).map(|alarm| alarm.at).min();
            match first.map(|at| at.max(incident.when.from).since(incident.when.from)) {
                None => Found::Missed,
                Some(after) if after > late_after => Found::Late(after),
                Some(after) => Found::After(after),
            }
        };
        let (pages, right) = (paged().count(), paged().filter(|(_, of)| of.is_some()).count());
        Self { found: marked.iter().map(found).collect(), pages, right, of }
    }

    /// The share of the pages that belong to an incident; `None` without a page, and without an incident to compare them with.
    pub fn precision(&self) -> Option<f64> {
        (self.pages > 0 && !self.found.is_empty()).then(|| self.right as f64 / self.pages as f64)
    }

    /// The share of the incidents that paged somebody; `None` without an incident.
    pub fn recall(&self) -> Option<f64> {
        let found = self.found.iter().filter(|found| **found != Found::Missed).count();
        (!self.found.is_empty()).then(|| found as f64 / self.found.len() as f64)
    }

    /// What became of these incidents, in sentences.
    pub fn text(&self, marked: &[Marked]) -> String {
        let (found, late, missed) = self.counts();
        let share = |share: Option<f64>| share.map_or_else(|| "none".to_owned(), words::whole_percent);
        let mut text = format!(
            "Of {}: {found} found in time, {late} late, {missed} missed; {} for none of them. Precision {}, recall {}.\n",
            words::plural(marked.len(), "marked incident"),
            words::plural(self.pages - self.right, "page"),
            share(self.precision()),
            share(self.recall()),
        );
        for (marked, found) in marked.iter().zip(&self.found) {
            let became = match found {
                Found::After(after) => format!("paged after {}", words::duration(*after)),
                Found::Late(after) => format!("paged late, after {}", words::duration(*after)),
                Found::Missed => "missed".to_owned(),
            };
            let _ = writeln!(text, "  {} at {}: {became}", marked.name, utc(marked.when.from));
        }
        text
    }

    /// How many incidents were found in time, late, and not.
    pub fn counts(&self) -> (usize, usize, usize) {
        self.found.iter().fold((0, 0, 0), |(found, late, missed), one| match one {
            Found::After(_) => (found + 1, late, missed),
            Found::Late(_) => (found, late + 1, missed),
            Found::Missed => (found, late, missed + 1),
        })
    }
}

impl Found {
    /// What became of it: `found`, `late`, `missed`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::After(_) => "found",
            Self::Late(_) => "late",
            Self::Missed => "missed",
        }
    }

    /// How long after its beginning it paged.
    pub const fn after(self) -> Option<Duration> {
        match self {
            Self::After(after) | Self::Late(after) => Some(after),
            Self::Missed => None,
        }
    }
}

/// An incident as somebody would mark it: from its beginning to its last recovery. `None` where it is of no service.
pub fn mark(incident: &Incident) -> Option<Marked> {
    let Subject::Service(service) = &incident.fault.subject else { return None };
    let recovered = incident.members.values().filter_map(|member| member.recovered_at).max();
    let last = recovered.unwrap_or(match incident.phase {
        Phase::Resolved { at, .. } | Phase::Acknowledged { at, .. } => at,
        Phase::Open => incident.opened_at,
    });
    let when = Interval { from: incident.began, to: last.max(incident.opened_at) };
    Some(Marked { name: incident.id.to_string(), service: Some(service.clone()), slo: None, when })
}

/// Whether an alarm woke somebody for a burning budget.
pub fn is_page(alarm: &Alarm) -> bool {
    alarm.fault.urgency == Urgency::Page && alarm.fault.kind == Kind::Burn && alarm.calls_people()
}

fn belongs(alarm: &Alarm, incident: &Marked) -> bool {
    let service = match &alarm.fault.subject {
        Subject::Service(service) => incident.service.as_ref().is_none_or(|of| of == service),
        Subject::Source(_) => false,
    };
    let slo = match &alarm.alert {
        AlertKey::Budget(budget) => incident.slo.as_ref().is_none_or(|of| *of == budget.slo.name),
        AlertKey::Slo(_) | AlertKey::Source(_) | AlertKey::Test => false,
    };
    let came_before = alarm.at < incident.when.from
        && alarm.at.plus(BESIDE) >= incident.when.from
        && alarm.cleared.is_none_or(|cleared| cleared > incident.when.from);
    let came_within = incident.when.from <= alarm.at && alarm.at <= incident.when.to.plus(BESIDE);
    service && slo && (came_before || came_within)
}
