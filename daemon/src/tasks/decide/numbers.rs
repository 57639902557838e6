//! The numbers on messages that stand in Slack: when what they show has moved, an edit is owed, at most one a minute.

use std::collections::BTreeMap;

use burnward_core::{
    evaluate::BudgetStatus,
    id::{BudgetId, IncidentId},
    incident::{Incident, refresh},
    time::Timestamp,
    words,
};

use super::{book::Book, draft::Draft, round::budgets_of};

/// What the messages of incidents show of their budgets, as people read it.
pub(super) type Shown = BTreeMap<IncidentId, Vec<String>>;

/// Owes an edit for every open incident whose numbers moved since the round before; what the incidents show now. After a restart the first round
/// only takes note. `statuses` holds those of every budget that the incidents show.
pub(super) fn refresh_moved(book: &Book, statuses: &BTreeMap<BudgetId, BudgetStatus>, draft: &mut Draft<'_>, now: Timestamp) -> Shown {
    let open = book.incidents.values().filter(|incident| incident.is_open());
    let shown: Shown = open.map(|incident| (incident.id.clone(), figures(incident, statuses))).collect();
    let moved = |(id, figures): &(&IncidentId, &Vec<String>)| book.shown.get(*id).is_some_and(|before| before != *figures);
    let moved = shown.iter().filter(moved).filter_map(|(id, _)| refresh(book.incidents.get(id)?, now));
    draft.commit.messages.extend(moved);
    shown
}

/// The figures of an incident's budgets: what is left, and how fast it goes.
fn figures(incident: &Incident, statuses: &BTreeMap<BudgetId, BudgetStatus>) -> Vec<String> {
    budgets_of(incident).filter_map(|budget| statuses.get(budget)).map(figure).collect()
}

fn figure(status: &BudgetStatus) -> String {
    let left = status.left.map_or_else(String::new, |left| words::whole_percent(left.ratio));
    let burns = status.rows.iter().flat_map(|row| [row.long_burn, row.short_burn]).map(words::times);
    burns.fold(left, |figure, burn| figure + " " + &burn)
}
