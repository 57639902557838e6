//! Downtime by name.

use std::time::Duration;

use burnward_core::{
    downtime::{Spell, Verdict},
    evaluate::BudgetStatus,
    window::Interval,
};
use jiff::Timestamp as Instant;
use serde::{Deserialize, Serialize};

use super::{budget_key, instant};

/// Which slices of a budget's window were bad, or seen by nobody: `GET /api/v1/slos/{service}/{name}/downtime`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Downtime {
    /// Which budget.
    pub budget: String,
    /// Its `key`.
    pub key: String,
    /// Where the window begins; of a calendar window the period.
    pub from: Instant,
    /// Up to when it is told.
    pub to: Instant,
    /// How long a slice is.
    pub slice_seconds: u64,
    /// All bad slices together, without those that were taken out.
    pub bad_seconds: f64,
    /// All slices that nobody saw, without those that were taken out.
    pub unseen_seconds: f64,
    /// All bad slices that people took out of the budget.
    pub excluded_seconds: f64,
    /// Share of the window that was seen.
    pub coverage_ratio: f64,
    /// Neighbouring slices with one verdict, newest first.
    pub spells: Vec<DowntimeSpell>,
}

/// Neighbouring slices with one verdict.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DowntimeSpell {
    /// Where the first slice begins.
    pub from: Instant,
    /// Where the last slice ends.
    pub to: Instant,
    /// How long that is.
    pub seconds: f64,
    /// How many slices that are.
    pub slices: u64,
    /// `bad` or `unseen`.
    pub verdict: String,
    /// True where people took them out of the budget.
    pub excluded: bool,
}

impl Downtime {
    /// The spells of a budget over a stretch, oldest first.
    pub fn of(status: &BudgetStatus, over: Interval, length: Duration, spells: &[Spell]) -> Self {
        let sum = |verdict: Verdict, excluded: bool| {
            let own = spells.iter().filter(|spell| spell.verdict == verdict && spell.excluded == excluded);
            own.map(|spell| spell.over.length()).sum::<Duration>().as_secs_f64()
        };
        Self {
            budget: status.budget.to_string(),
            key: budget_key(&status.budget),
            from: instant(over.from),
            to: instant(over.to),
            slice_seconds: length.as_secs(),
            bad_seconds: sum(Verdict::Bad, false),
            unseen_seconds: sum(Verdict::Unseen, false),
            excluded_seconds: sum(Verdict::Bad, true),
            coverage_ratio: status.coverage,
            spells: spells.iter().rev().map(|spell| DowntimeSpell::of(spell, length)).collect(),
        }
    }
}

impl DowntimeSpell {
    fn of(spell: &Spell, length: Duration) -> Self {
        Self {
            from: instant(spell.over.from),
            to: instant(spell.over.to),
            seconds: spell.over.length().as_secs_f64(),
            slices: spell.slices(length),
            verdict: match spell.verdict {
                Verdict::Bad => "bad",
                Verdict::Unseen => "unseen",
            }
            .to_owned(),
            excluded: spell.excluded,
        }
    }
}
