//! Excluded time: who took what out of the budget, when and why, and what was taken back.

use std::time::Duration;

use burnward_core::words;

use super::super::{figures::Mark, frame::Links, when::Stamp};
use crate::{
    render::visible,
    web::api::wire::{Asked, ExclusionState, Stretch},
};

/// Stretches that are listed of a recurring exclusion.
const STRETCHES: usize = 6;

/// An exclusion as a row.
pub(super) struct ExcludedRow {
    pub(super) mark: Mark,
    pub(super) id: String,
    pub(super) scope: String,
    /// As it was asked for, in words.
    pub(super) asked: String,
    /// The stretches that it takes out, newest first.
    pub(super) stretches: Vec<(Stamp, Stamp)>,
    pub(super) more: usize,
    /// The next stretch of a recurring one, where it is not among those that are listed.
    pub(super) next: Option<(Stamp, Stamp)>,
    /// True where nothing can come of it.
    pub(super) takes_nothing: bool,
    pub(super) reason: String,
    pub(super) by: String,
    pub(super) recorded: Stamp,
    pub(super) incident: Option<(String, String)>,
    /// Who took it back and why, and when.
    pub(super) withdrawn: Option<(String, Stamp)>,
}

impl ExcludedRow {
    pub(super) fn of(state: &ExclusionState, links: &Links) -> Self {
        let word = match (&state.withdrawn, state.takes_nothing()) {
            (Some(_), _) => ("–", "WITHDRAWN"),
            (None, true) => ("–", "TAKES NOTHING"),
            (None, false) => ("◇", "EXCLUDED"),
        };
        let stretch = |stretch: &Stretch| (Stamp::of(stretch.from), Stamp::of(stretch.to));
        Self {
            mark: Mark { class: "state-no-traffic".to_owned(), ..Mark::of(word.0, word.1) },
            id: state.id.clone(),
            scope: visible(&state.scope),
            asked: asked(&state.asked),
            stretches: state.stretches.iter().rev().take(STRETCHES).map(stretch).collect(),
            more: state.stretches.len().saturating_sub(STRETCHES),
            next: state.next.as_ref().filter(|next| state.stretches.iter().all(|known| known.from != next.from)).map(stretch),
            takes_nothing: state.takes_nothing(),
            reason: visible(&state.reason),
            by: format!("{}, approved by {}", visible(&state.author), visible(&state.approver)),
            recorded: Stamp::of(state.recorded_at),
            incident: state.incident.as_ref().map(|id| (visible(id), links.to(&format!("/incidents/{id}")))),
            withdrawn: state
                .withdrawn
                .as_ref()
                .map(|back| (format!("taken back by {}: {}", visible(&back.by), visible(&back.reason)), Stamp::of(back.at))),
        }
    }
}

fn asked(asked: &Asked) -> String {
    let (Some(rule), Some(zone), Some(lasts)) = (&asked.every, &asked.timezone, asked.lasts_seconds) else { return "once".to_owned() };
    format!("{} each time of {} in {}", words::duration(Duration::from_secs(lasts)), visible(rule), visible(zone))
}
