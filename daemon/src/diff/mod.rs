//! What lies between two sets of SLOs: which are new, gone, renamed or changed, in the words of their documents, and who is paged that was not before.
//!
//! `facts` spells an SLO out, `effect` tells what both sets would have done over a span of history, `words` writes what was found. Nothing here loads,
//! asks or decides.

pub mod effect;
mod facts;
pub mod words;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use burnward_core::{
    id::{SloId, TeamName},
    oncall::Team,
    slo::{NoDataThen, Slo, Urgency},
    status::Status,
};

pub use effect::{Backtested, Effect};
pub use facts::{Fact, facts};

/// Everything that differs, in the order of the names.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// The SLOs that differ.
    pub changes: Vec<Change>,
    /// Who is paged by some SLO of the newer set and by none of the older one.
    pub newly_paged: Vec<String>,
    /// What the changes would have done over a span of history; `None`: nobody looked.
    pub backtested: Option<Backtested>,
}

/// One SLO that differs.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// Its identity, of the newer set where it is in both.
    pub id: SloId,
    /// Where it is written, `file:line`; of the newer set where it is in both.
    pub place: String,
    /// What became of it.
    pub what: What,
    /// Who was paged by it first, and who is, as burnward.yaml names them: empty where nobody; `team payments` where no team of that name is known.
    pub paged: (Vec<String>, Vec<String>),
    /// What it would have done over a span of history; `None`: nobody looked.
    pub effect: Option<Effect>,
}

/// What became of an SLO.
#[derive(Debug, Clone, PartialEq)]
pub enum What {
    /// The newer set alone holds it.
    Added(Vec<Fact>),
    /// The older set alone holds it.
    Removed,
    /// Both hold it, and it says something else now.
    Changed {
        /// What it was called before, where that is another name.
        was: Option<SloId>,
        /// What it says otherwise.
        facts: Vec<FactChange>,
    },
}

/// A fact that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FactChange {
    /// The key, as a path through the document: `objectives.month.target`.
    pub key: String,
    /// What stood there; `None`: nothing.
    pub before: Option<String>,
    /// What stands there now; `None`: nothing.
    pub after: Option<String>,
}

/// Compares two sets of SLOs. `teams` say whom a page goes to.
pub fn compare(older: &[Arc<Slo>], newer: &[Arc<Slo>], teams: &BTreeMap<TeamName, Team>) -> Difference {
    let before: BTreeMap<&SloId, &Arc<Slo>> = older.iter().map(|slo| (&slo.id, slo)).collect();
    let after: BTreeMap<&SloId, &Arc<Slo>> = newer.iter().map(|slo| (&slo.id, slo)).collect();
    let predecessor = |slo: &Slo| {
        let renamed = || slo.former().filter(|former| !after.contains_key(former)).and_then(|former| before.get(&former).copied());
        before.get(&slo.id).copied().or_else(renamed)
    };
    let paged = |slo: &Slo| paged_first(slo, teams);
    let mut changes = Vec::new();
    let mut continued = BTreeSet::new();
    for slo in newer {
        let Some(old) = predecessor(slo) else {
            changes.push(Change { what: What::Added(facts(slo)), paged: (Vec::new(), paged(slo)), ..Change::of(slo) });
            continue;
        };
        continued.insert(&old.id);
        let was = Some(&old.id).filter(|id| **id != slo.id).cloned();
        let differing = differing(&facts(old), &facts(slo));
        if was.is_some() || !differing.is_empty() {
            changes.push(Change { what: What::Changed { was, facts: differing }, paged: (paged(old), paged(slo)), ..Change::of(slo) });
        }
    }
    let gone = older.iter().filter(|slo| !continued.contains(&slo.id));
    changes.extend(gone.map(|slo| Change { paged: (paged(slo), Vec::new()), ..Change::of(slo) }));
    changes.sort_by(|a, b| a.id.cmp(&b.id));
    let by_any = |slos: &[Arc<Slo>]| slos.iter().flat_map(|slo| paged(slo)).collect::<BTreeSet<String>>();
    let newly_paged = by_any(newer).difference(&by_any(older)).cloned().collect();
    Difference { changes, newly_paged, backtested: None }
}

impl Change {
    /// What it was called before, where that is another name.
    pub const fn former(&self) -> Option<&SloId> {
        match &self.what {
            What::Changed { was, .. } => was.as_ref(),
            What::Added(_) | What::Removed => None,
        }
    }

    fn of(slo: &Slo) -> Self {
        let place = format!("{}:{}", slo.origin.file, slo.origin.line);
        Self { id: slo.id.clone(), place, what: What::Removed, paged: (Vec::new(), Vec::new()), effect: None }
    }
}

/// Who is paged first by an SLO that can page at all: in shadow and while it is suspended it cannot.
fn paged_first(slo: &Slo, teams: &BTreeMap<TeamName, Team>) -> Vec<String> {
    let rows = slo.objectives.iter().flat_map(|objective| &objective.rows);
    let tells = slo.status == Status::Active;
    let pages = tells && (rows.into_iter().any(|row| row.urgency == Urgency::Page) || slo.no_data.then == NoDataThen::Page);
    match teams.get(&slo.team).and_then(|team| team.escalation.first()) {
        _ if !pages => Vec::new(),
        Some(step) => step.page.iter().map(ToString::to_string).collect(),
        None => vec![format!("team {}", slo.team)],
    }
}

/// What differs between two lists of facts: in the order of the newer one, then what is gone.
fn differing(before: &[Fact], after: &[Fact]) -> Vec<FactChange> {
    let value = |facts: &[Fact], key: &str| facts.iter().find(|fact| fact.key == key).map(|fact| fact.value.clone());
    let keys = after.iter().chain(before.iter().filter(|fact| value(after, &fact.key).is_none())).map(|fact| &fact.key);
    let changes = keys.map(|key| FactChange { key: key.clone(), before: value(before, key), after: value(after, key) });
    changes.filter(|change| change.before != change.after).collect()
}

#[cfg(test)]
mod tests;
