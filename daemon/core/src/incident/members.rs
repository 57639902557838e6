//! The alerts of an incident, with what is counted of them kept beside: an alert that joins thousands costs no recount of them.

use std::{
    collections::{BTreeMap, BTreeSet, btree_map},
    ops::Deref,
};

use crate::{
    id::{Group, SloId},
    time::Timestamp,
};

use super::{AlertKey, Facts};

/// An alert within an incident.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// When it joined, the last time that it did.
    pub joined_at: Timestamp,
    /// The inputs of the last time it fired.
    pub facts: Facts,
    /// When it cleared; `None` while it holds.
    pub recovered_at: Option<Timestamp>,
}

/// The alerts of an incident, recovered ones too. Read as a map.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Members {
    all: BTreeMap<AlertKey, Member>,
    /// How many hold.
    open: usize,
    /// By group that is not the whole: how many alerts of it hold.
    hit: BTreeMap<Group, usize>,
    slos: BTreeSet<SloId>,
}

impl Members {
    /// An alert fires, for the first time or again.
    pub(super) fn join(&mut self, alert: &AlertKey, member: Member) {
        let holds = member.recovered_at.is_none();
        let held = self.all.insert(alert.clone(), member).is_some_and(|before| before.recovered_at.is_none());
        self.slos.extend(alert.slo().cloned());
        match (held, holds) {
            (false, true) => self.open(alert),
            (true, false) => self.close(alert),
            (true, true) | (false, false) => {}
        }
    }

    /// An alert cleared; what cleared before stays as it is.
    pub(super) fn recover(&mut self, alert: &AlertKey, at: Timestamp) {
        if let Some(member) = self.all.get_mut(alert).filter(|member| member.recovered_at.is_none()) {
            member.recovered_at = Some(at);
            self.close(alert);
        }
    }

    fn open(&mut self, alert: &AlertKey) {
        self.open += 1;
        if let Some(group) = group(alert) {
            *self.hit.entry(group.clone()).or_default() += 1;
        }
    }

    fn close(&mut self, alert: &AlertKey) {
        self.open -= 1;
        if let Some(btree_map::Entry::Occupied(mut hit)) = group(alert).map(|group| self.hit.entry(group.clone())) {
            *hit.get_mut() -= 1;
            if *hit.get() == 0 {
                hit.remove();
            }
        }
    }

    /// How many alerts hold.
    pub fn open_count(&self) -> usize {
        self.open
    }

    /// The groups of which an alert holds; an SLO that is not split adds none.
    pub(super) fn hit(&self) -> impl ExactSizeIterator<Item = &Group> {
        self.hit.keys()
    }

    /// Whether an alert of this group holds.
    pub(super) fn is_hit(&self, group: &Group) -> bool {
        self.hit.contains_key(group)
    }

    /// The SLOs whose alerts are or were members.
    pub(super) const fn slos(&self) -> &BTreeSet<SloId> {
        &self.slos
    }
}

/// The group of an alert, unless its SLO is not split.
pub(super) fn group(alert: &AlertKey) -> Option<&Group> {
    alert.group().filter(|group| !group.is_whole())
}

impl Deref for Members {
    type Target = BTreeMap<AlertKey, Member>;

    fn deref(&self) -> &Self::Target {
        &self.all
    }
}

impl<'m> IntoIterator for &'m Members {
    type Item = (&'m AlertKey, &'m Member);
    type IntoIter = btree_map::Iter<'m, AlertKey, Member>;

    fn into_iter(self) -> Self::IntoIter {
        self.all.iter()
    }
}

impl FromIterator<(AlertKey, Member)> for Members {
    fn from_iter<I: IntoIterator<Item = (AlertKey, Member)>>(members: I) -> Self {
        members.into_iter().fold(Self::default(), |mut all, (alert, member)| {
            all.join(&alert, member);
            all
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::incident::story::{alert, facts};

    proptest! {
        #[test]
        fn what_is_kept_is_what_a_recount_finds(acts in prop::collection::vec((any::<bool>(), prop::sample::select(vec!["a", "b", "latency/a", "export/"])), 0..40)) {
            let mut members = Members::default();
            for ((fires, name), at) in acts.into_iter().zip(0..).map(|(act, at)| (act, Timestamp::from_seconds(at))) {
                let (key, of) = (alert(name), facts(at));
                if fires {
                    members.join(&key, Member { joined_at: at, facts: of, recovered_at: None });
                } else {
                    members.recover(&key, at);
                }
                let open: Vec<&AlertKey> = members.iter().filter(|(_, member)| member.recovered_at.is_none()).map(|(key, _)| key).collect();
                prop_assert_eq!(members.open_count(), open.len());
                let groups: BTreeSet<&Group> = open.into_iter().filter_map(group).collect();
                prop_assert_eq!(members.hit().collect::<BTreeSet<_>>(), groups);
                prop_assert_eq!(members.slos().iter().collect::<BTreeSet<_>>(), members.keys().filter_map(AlertKey::slo).collect());
                prop_assert_eq!(&members.clone().all.into_iter().collect::<Members>(), &members);
            }
        }
    }
}
