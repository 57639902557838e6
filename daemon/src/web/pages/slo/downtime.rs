//! Downtime by name: the spells of bad slices, newest first.

use std::time::Duration;

use burnward_core::words;

use super::super::{figures::Mark, frame::Links, when::Stamp};
use crate::web::api::wire::{Budget, Downtime, DowntimeSpell};

/// Spells on the page.
const ROWS: usize = 50;

/// The downtime of a window.
pub(super) struct DowntimeFigures {
    /// The whole of it in a sentence.
    pub(super) says: String,
    /// The newest spells.
    pub(super) rows: Vec<SpellRow>,
    /// How many older ones there are.
    pub(super) more: usize,
    /// All of them.
    pub(super) json: String,
}

/// One spell.
pub(super) struct SpellRow {
    pub(super) mark: Mark,
    pub(super) excluded: bool,
    pub(super) from: Stamp,
    pub(super) to: Stamp,
    /// `7 min, 7 slices of 1 min`.
    pub(super) lasted: String,
}

impl DowntimeFigures {
    pub(super) fn of(downtime: &Downtime, figures: &Budget, path: &str, links: &Links) -> Self {
        let from = downtime.to.to_string();
        Self {
            says: says(downtime, figures),
            rows: downtime.spells.iter().take(ROWS).map(|spell| SpellRow::of(spell, downtime.slice_seconds)).collect(),
            more: downtime.spells.len().saturating_sub(ROWS),
            json: links.with(&format!("/api/v1{path}/downtime"), &[("budget", &figures.key), ("at", &from)]),
        }
    }
}

impl SpellRow {
    fn of(spell: &DowntimeSpell, slice_seconds: u64) -> Self {
        let (icon, word, like) =
            if spell.verdict == "unseen" { ("?", "UNSEEN", "state-cannot-see") } else { ("▲", "BAD", "state-burning") };
        let slices = words::plural(usize::try_from(spell.slices).unwrap_or(usize::MAX), "slice");
        Self {
            mark: Mark { class: like.to_owned(), icon: icon.to_owned(), word: word.to_owned() },
            excluded: spell.excluded,
            from: Stamp::of(spell.from),
            to: Stamp::of(spell.to),
            lasted: format!("{}, {slices} of {}", span(spell.seconds), words::duration(Duration::from_secs(slice_seconds))),
        }
    }
}

/// `27 min of downtime in 3 spells, of 3 h 36 m that are allowed; 4 min that nobody saw; 10 min of downtime taken out.`
fn says(downtime: &Downtime, figures: &Budget) -> String {
    let down = downtime.spells.iter().filter(|spell| spell.verdict == "bad" && !spell.excluded).count();
    let allowed = figures.budget_seconds.map(|whole| format!(", of {} that are allowed", words::duration(Duration::from_secs(whole))));
    let bad = match (down, downtime.coverage_ratio) {
        (0, seen) if seen <= 0.0 => "Nobody saw any slice".to_owned(),
        (0, seen) if seen < 0.9995 => format!("No slice that was seen was bad; {} of the window was", words::whole_percent(seen)),
        (0, _) => "No slice was bad".to_owned(),
        (_, _) => {
            let spells = words::plural(down, "spell");
            format!("{} of downtime in {spells}{}", span(downtime.bad_seconds), allowed.unwrap_or_default())
        }
    };
    let unseen = (downtime.unseen_seconds > 0.0).then(|| format!("; {} that nobody saw", span(downtime.unseen_seconds)));
    let excluded = (downtime.excluded_seconds > 0.0).then(|| format!("; {} of downtime taken out", span(downtime.excluded_seconds)));
    format!("{bad}{}{}.", unseen.unwrap_or_default(), excluded.unwrap_or_default())
}

fn span(seconds: f64) -> String {
    words::duration(Duration::try_from_secs_f64(seconds).unwrap_or_default())
}
