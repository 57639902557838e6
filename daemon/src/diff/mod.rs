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
    oncall::{Step, Team},
    slo::{NoDataThen, NoTraffic, Slo, Urgency},
    status::Status,
};

pub use effect::{Backtested, Effect};
pub use facts::{Fact, facts};

/// Everything that differs, in the order of the names.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// The SLOs that differ.
    pub changes: Vec<Change>,
    /// The teams of these SLOs whose pages go elsewhere, in the order of their names.
    pub teams: Vec<TeamChange>,
    /// Who is paged by some SLO of the newer set and by none of the older one.
    pub newly_paged: Vec<String>,
    /// What the changes would have done over a span of history; `None`: nobody looked.
    pub backtested: Option<Backtested>,
}

/// A team that is told otherwise than before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TeamChange {
    /// Its name.
    pub team: TeamName,
    /// What differs: where its incidents are shown, and whom each step of its escalation pages. Nothing on one side: the team is not there.
    pub facts: Vec<FactChange>,
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
    /// Where its tickets went, and where they go: of a burn that is slow, and of what cannot be seen or does not happen. Empty where nobody is told.
    pub ticketed: (Vec<String>, Vec<String>),
    /// What it would have done over a span of history; `None`: nobody looked, or it cannot be told.
    pub effect: Option<Effect>,
    /// Why that cannot be told, where somebody looked.
    pub not_lived: Option<String>,
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

type Teams = BTreeMap<TeamName, Team>;

/// Compares two sets of SLOs. `teams` say whom a page goes to.
pub fn compare(older: &[Arc<Slo>], newer: &[Arc<Slo>], teams: &Teams) -> Difference {
    compare_with((older, teams), (newer, teams))
}

/// Compares two sets of SLOs, each with the teams that say whom a page goes to.
pub fn compare_with((older, teams_before): (&[Arc<Slo>], &Teams), (newer, teams): (&[Arc<Slo>], &Teams)) -> Difference {
    let before: BTreeMap<&SloId, &Arc<Slo>> = older.iter().map(|slo| (&slo.id, slo)).collect();
    let after: BTreeMap<&SloId, &Arc<Slo>> = newer.iter().map(|slo| (&slo.id, slo)).collect();
    let predecessor = |slo: &Slo| {
        let renamed = || slo.former().filter(|former| !after.contains_key(former)).and_then(|former| before.get(&former).copied());
        before.get(&slo.id).copied().or_else(renamed)
    };
    let paged_before = |slo: &Slo| paged_first(slo, teams_before);
    let paged = |slo: &Slo| paged_first(slo, teams);
    let ticketed_before = |slo: &Slo| ticketed(slo, teams_before);
    let ticketed = |slo: &Slo| ticketed(slo, teams);
    let mut changes = Vec::new();
    let mut continued = BTreeSet::new();
    for slo in newer {
        let Some(old) = predecessor(slo) else {
            changes.push(Change {
                what: What::Added(facts(slo)),
                paged: (Vec::new(), paged(slo)),
                ticketed: (Vec::new(), ticketed(slo)),
                ..Change::of(slo)
            });
            continue;
        };
        continued.insert(&old.id);
        let was = Some(&old.id).filter(|id| **id != slo.id).cloned();
        let differing = differing(&facts(old), &facts(slo));
        if was.is_some() || !differing.is_empty() {
            changes.push(Change {
                what: What::Changed { was, facts: differing },
                paged: (paged_before(old), paged(slo)),
                ticketed: (ticketed_before(old), ticketed(slo)),
                ..Change::of(slo)
            });
        }
    }
    let gone = older.iter().filter(|slo| !continued.contains(&slo.id));
    let removed =
        |slo: &Arc<Slo>| Change { paged: (paged_before(slo), Vec::new()), ticketed: (ticketed_before(slo), Vec::new()), ..Change::of(slo) };
    changes.extend(gone.map(removed));
    changes.sort_by(|a, b| a.id.cmp(&b.id));
    let by_older: BTreeSet<String> = older.iter().flat_map(|slo| paged_before(slo)).collect();
    let by_newer: BTreeSet<String> = newer.iter().flat_map(|slo| paged(slo)).collect();
    let newly_paged = by_newer.difference(&by_older).cloned().collect();
    let named: BTreeSet<&TeamName> = older.iter().chain(newer).map(|slo| &slo.team).collect();
    let teams = named.into_iter().filter_map(|name| team_change(name, teams_before.get(name), teams.get(name))).collect();
    Difference { changes, teams, newly_paged, backtested: None }
}

/// What differs of a team that both sides know; of one that a side does not know, its documents say more.
fn team_change(name: &TeamName, before: Option<&Team>, after: Option<&Team>) -> Option<TeamChange> {
    let facts = differing(&facts_of(before?), &facts_of(after?));
    (!facts.is_empty()).then(|| TeamChange { team: name.clone(), facts })
}

fn facts_of(team: &Team) -> Vec<Fact> {
    let step = |step: &Step| {
        let page: Vec<String> = step.page.iter().map(ToString::to_string).collect();
        format!("{} within {}", page.join(" and "), burnward_core::words::duration(step.acknowledge_within))
    };
    let steps: Vec<String> = team.escalation.iter().map(step).collect();
    let fact = |key: &str, value: String| Fact { key: key.to_owned(), value };
    let escalation = (!steps.is_empty()).then(|| fact("escalation", steps.join(", then ")));
    [fact("channel", team.channel.clone())].into_iter().chain(escalation).collect()
}

impl Difference {
    /// True where neither an SLO nor a team of one differs.
    pub fn is_nothing(&self) -> bool {
        self.changes.is_empty() && self.teams.is_empty()
    }
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
        let nobody = || (Vec::new(), Vec::new());
        Self { id: slo.id.clone(), place, what: What::Removed, paged: nobody(), ticketed: nobody(), effect: None, not_lived: None }
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

/// Where tickets of an SLO go: to its team's channel, where it opens any at all.
fn ticketed(slo: &Slo, teams: &BTreeMap<TeamName, Team>) -> Vec<String> {
    let slow = slo.objectives.iter().flat_map(|objective| &objective.rows).any(|row| row.urgency == Urgency::Ticket);
    let silent = slo.sli.can_be_silent() && matches!(slo.no_traffic, NoTraffic::TellOwner { .. });
    let opens = slo.status == Status::Active && (slow || silent || slo.no_data.then == NoDataThen::TellOwner);
    let channel = || teams.get(&slo.team).map_or_else(|| format!("team {}", slo.team), |team| team.channel.clone());
    opens.then(channel).into_iter().collect()
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
