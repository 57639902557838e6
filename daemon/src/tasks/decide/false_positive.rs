//! An incident that was none: a person says so, with a reason and somebody's approval. Its time is taken out of the budgets of its alerts by exclusions that
//! name it, and its timeline says who did it. Nothing of the incident is changed.

use std::collections::BTreeSet;

use burnward_core::{
    exclusion::{Case, Correction, Entry, ExclusionId, Owner, Recorded, Scope, When, touched_slices},
    id::{Group, IncidentId, SloId, TenantId},
    incident::{Actor, AlertKey, Command, Incident, Phase, Spell},
    time::Timestamp,
    timeline,
    window::Interval,
    words,
};
use tracing::info;

use super::{Decider, book::Book, draft::Draft};
use crate::app::RequestError;

/// More groups than these are not taken out one by one: an incident of so many is hardly a mistake of all of them.
const MOST: usize = 200;

/// What a person says of an incident.
#[derive(Debug, Clone)]
pub struct FalsePositive {
    /// Which.
    pub incident: IncidentId,
    /// Why it was none.
    pub reason: String,
    /// Who approved it.
    pub approver: String,
}

impl Decider {
    /// Records that an incident was a false positive; committed when this returns. The exclusions by which its budgets get back what it spent: none where
    /// its alerts spent nothing.
    pub(super) async fn false_positive(
        &mut self,
        tenant: &TenantId,
        asked: FalsePositive,
        by: &Actor,
        now: Timestamp,
    ) -> Result<Vec<ExclusionId>, RequestError> {
        self.fetch_incident(tenant, &asked.incident, now).await?;
        let not_found = || RequestError::NotFound(asked.incident.to_string());
        let book = self.books.get(tenant).ok_or_else(not_found)?;
        let incident = book.incidents.get(&asked.incident).ok_or_else(not_found)?;
        let entries = entries(book, incident, &asked, by, now)?;
        let ids: Vec<ExclusionId> = entries.iter().map(|entry| entry.id).collect();
        let mut draft = Draft::new(book, &self.config, now);
        draft.command_to_incident(&asked.incident, &Command::Note { text: note(&asked, &ids) }, by);
        draft.audit(
            by,
            "incident.false-positive",
            asked.incident.to_string(),
            format!("{} (approved by {})", asked.reason, asked.approver),
        );
        draft.commit.corrections.extend(entries.iter().map(|entry| Correction::Excluded(Box::new(entry.clone()))));
        let (commit, touched) = draft.finish();
        self.commit_whole(&commit).await.map_err(|error| RequestError::Store(error.to_string()))?;
        info!(%tenant, incident = %asked.incident, exclusions = ids.len(), "an incident was marked as a false positive");
        self.absorb(tenant, touched, now);
        let recorded = entries.into_iter().map(|entry| Recorded { at: now, what: Correction::Excluded(Box::new(entry)) });
        self.take_corrections(tenant, recorded.collect(), now).await;
        self.publish(now);
        Ok(ids)
    }
}

/// One exclusion for each group of each SLO whose alert was in it.
fn entries(book: &Book, incident: &Incident, asked: &FalsePositive, by: &Actor, now: Timestamp) -> Result<Vec<Entry>, RequestError> {
    let refused = |why: String| Err(RequestError::Refused(why));
    let cases = &book.excluded.shown.cases;
    let Phase::Resolved { at, .. } = &incident.phase else {
        return refused("it is not over yet; resolve it, and then say that it was a false positive".to_owned());
    };
    // A mark from before it opened again says nothing of what happened since.
    if let Some(marked) = cases.iter().find(|case| marks(case, &incident.id) && case.recorded_at >= incident.waiting_since) {
        let (id, author) = (marked.entry.id, &marked.entry.author);
        return refused(format!("it was marked already by {author}; `burnward exclusion withdraw {id}` takes that back"));
    }
    let holding: Vec<String> = incident.open_members().map(|(alert, _)| timeline::subject(alert)).collect();
    if !holding.is_empty() {
        let hold = if holding.len() == 1 { "still holds" } else { "still hold" };
        return refused(format!(
            "{} {hold}, so that it is not known yet what it spent; say it once they have cleared",
            words::list(&holding, 3)
        ));
    }
    let stretch = touched_slices(Interval { from: unmarked_from(incident, cases), to: *at }, now);
    let burnt: BTreeSet<(&SloId, &Group)> = incident
        .members
        .keys()
        .filter_map(|key| match key {
            AlertKey::Budget(budget) => Some((&budget.slo, &budget.group)),
            AlertKey::Source(_) | AlertKey::Slo(_) | AlertKey::Test => None,
        })
        .collect();
    if burnt.len() > MOST {
        return refused(format!("{} groups burnt in it; take their time out with `burnward exclusion add`", burnt.len()));
    }
    let first = cases.iter().map(|case| case.entry.id.0).max().unwrap_or(0) + 1;
    let entry = |(id, (slo, group)): (u64, (&SloId, &Group))| Entry {
        id: ExclusionId(id),
        scope: Scope { of: Owner::Slo(slo.service.clone(), slo.name.clone()), group: group.clone() },
        when: When::Once(stretch),
        reason: asked.reason.clone(),
        author: by.to_string(),
        approver: asked.approver.clone(),
        incident: Some(incident.id.clone()),
    };
    Ok((first..).zip(burnt).map(entry).collect())
}

/// From where on nobody has said yet that it was none: what an earlier mark covers is not said again.
fn unmarked_from(incident: &Incident, cases: &[Case]) -> Timestamp {
    let marked = cases.iter().filter(|case| marks(case, &incident.id)).map(|case| case.recorded_at).max();
    let later = |spell: &&Spell| marked.is_none_or(|marked| spell.to.is_none_or(|to| to > marked));
    incident.spells.iter().find(later).map_or(incident.began, |spell| spell.from)
}

/// Whether an exclusion says that this incident was a false positive, and stands.
fn marks(case: &Case, incident: &IncidentId) -> bool {
    case.withdrawal.is_none() && case.entry.incident.as_ref() == Some(incident)
}

fn note(asked: &FalsePositive, ids: &[ExclusionId]) -> String {
    let FalsePositive { incident: _, reason, approver } = asked;
    let spent = match ids {
        [] => "No budget was spent by it.".to_owned(),
        [one] => format!("Its time is taken out of the budget: {one}."),
        [first, .., last] => format!("Its time is taken out of {} budgets: {first} to {last}.", ids.len()),
    };
    format!("False positive, approved by {approver}: {reason}\n{spent}")
}
