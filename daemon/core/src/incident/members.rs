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
    /// How its return was told; `None` where it never came back.
    pub back: Option<Back>,
}

impl Member {
    /// One that has just joined.
    pub const fn new(joined_at: Timestamp, facts: Facts) -> Self {
        Self { joined_at, facts, recovered_at: None, back: None }
    }
}

/// An alert that came back: it had recovered and fires again, or all of its SLO had recovered before it fired.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Back {
    /// When a post with a mention last told a return of it; `None`: none has yet.
    pub told_at: Option<Timestamp>,
    /// No post with a mention has told the last return.
    pub quiet: bool,
    /// It was in the incident itself before; otherwise it is another of its SLO, all of which had recovered.
    pub itself: bool,
    /// How often it came back, each time within an hour of the time before.
    pub times: u32,
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
    of_slo: BTreeMap<SloId, OfSlo>,
    /// Those that hold and whose return no post with a mention has told.
    quiet: BTreeSet<AlertKey>,
}

/// The alerts of an SLO.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct OfSlo {
    /// How many hold.
    open: usize,
    /// When the last of them cleared; `None` while one holds.
    recovered_at: Option<Timestamp>,
    /// When a return of one of them was last told.
    told_at: Option<Timestamp>,
}

impl Members {
    /// An alert fires, for the first time or again.
    pub(super) fn join(&mut self, alert: &AlertKey, member: Member) {
        let holds = member.recovered_at.is_none();
        let (recovered_at, back) = (member.recovered_at, member.back);
        let held = self.all.insert(alert.clone(), member).is_some_and(|before| before.recovered_at.is_none());
        self.slos.extend(alert.slo().cloned());
        match (held, holds) {
            (false, true) => self.open(alert),
            (true, false) => self.close(alert),
            (true, true) | (false, false) => {}
        }
        if holds && back.is_some_and(|back| back.quiet) {
            self.quiet.insert(alert.clone());
        } else {
            self.quiet.remove(alert);
        }
        self.note(alert, recovered_at, back.and_then(|back| back.told_at));
    }

    /// Keeps of an SLO when all of it had recovered, and when a return was told.
    fn note(&mut self, alert: &AlertKey, recovered_at: Option<Timestamp>, told_at: Option<Timestamp>) {
        if let Some(slo) = alert.slo() {
            let of_slo = self.of_slo.entry(slo.clone()).or_default();
            of_slo.told_at = of_slo.told_at.max(told_at);
            of_slo.recovered_at = if of_slo.open == 0 { of_slo.recovered_at.max(recovered_at) } else { None };
        }
    }

    /// An alert cleared; what cleared before stays as it is.
    pub(super) fn recover(&mut self, alert: &AlertKey, at: Timestamp) {
        if let Some(member) = self.all.get_mut(alert).filter(|member| member.recovered_at.is_none()) {
            member.recovered_at = Some(at);
            self.close(alert);
            self.quiet.remove(alert);
            self.note(alert, Some(at), None);
        }
    }

    /// A new post tells of whatever holds.
    pub(super) fn tell(&mut self, at: Timestamp) {
        for alert in std::mem::take(&mut self.quiet) {
            if let Some(back) = self.all.get_mut(&alert).and_then(|member| member.back.as_mut()) {
                (back.told_at, back.quiet) = (Some(at), false);
            }
            self.note(&alert, None, Some(at));
        }
    }

    /// Somebody takes the incident, and so knows of whatever holds.
    pub(super) fn know(&mut self) {
        for alert in std::mem::take(&mut self.quiet) {
            if let Some(back) = self.all.get_mut(&alert).and_then(|member| member.back.as_mut()) {
                back.quiet = false;
            }
        }
    }

    fn open(&mut self, alert: &AlertKey) {
        self.open += 1;
        if let Some(slo) = alert.slo() {
            self.of_slo.entry(slo.clone()).or_default().open += 1;
        }
        if let Some(group) = group(alert) {
            *self.hit.entry(group.clone()).or_default() += 1;
        }
    }

    fn close(&mut self, alert: &AlertKey) {
        self.open -= 1;
        if let Some(of_slo) = alert.slo().and_then(|slo| self.of_slo.get_mut(slo)) {
            of_slo.open -= 1;
        }
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

    /// Those that hold and whose return no post with a mention has told.
    pub(super) const fn quiet(&self) -> &BTreeSet<AlertKey> {
        &self.quiet
    }

    /// When the last alert of an SLO cleared; `None` while one holds, and where it has none.
    pub(super) fn recovered(&self, slo: &SloId) -> Option<Timestamp> {
        self.of_slo.get(slo)?.recovered_at
    }

    /// When a return of an alert of an SLO was last told.
    pub(super) fn return_told(&self, slo: &SloId) -> Option<Timestamp> {
        self.of_slo.get(slo)?.told_at
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
                    members.join(&key, Member::new(at, of));
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
