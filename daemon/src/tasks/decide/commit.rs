//! How a decision reaches the store: whole, once more if that fails, then in parts until what the store refuses stands alone.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use burnward_core::incident::Subject;
use tokio::time::Instant;
use tracing::{error, warn};

use super::{
    Decider,
    book::{Book, worst_first},
    draft::Touched,
    round::Evaluated,
};
use crate::{
    store::{Commit, StoreError},
    view::SourceView,
};

/// What of a round reached the store.
#[derive(Debug, Default)]
pub(super) struct Committed {
    /// True where what was counted is not in the store.
    pub(super) round_lost: bool,
    /// The services and sources whose decisions are not in the store.
    pub(super) lost: BTreeSet<String>,
}

impl Decider {
    /// Commits, and tries once more. Wakes the delivery where messages are owed.
    pub(super) async fn commit_whole(&self, commit: &Commit) -> Result<(), StoreError> {
        let began = Instant::now();
        let outcome = match self.store.commit(commit).await {
            Ok(()) => Ok(()),
            Err(first) => {
                warn!(tenant = %commit.tenant, error = %first, "a commit failed and is tried once more");
                self.store.commit(commit).await
            }
        };
        self.metrics.committed(began.elapsed());
        if outcome.is_ok() && !commit.messages.is_empty() {
            self.wake_delivery.notify_one();
        }
        outcome
    }

    /// Commits a round; what the store refuses twice is split by service, so that one poisoned decision costs no other.
    pub(super) async fn commit_parts(&self, commit: Commit) -> Committed {
        if self.commit_whole(&commit).await.is_ok() {
            return Committed::default();
        }
        let mut committed = Committed::default();
        for (subject, part) in split(commit) {
            if let Err(error) = self.commit_whole(&part).await {
                error!(tenant = %part.tenant, part = subject.as_deref().unwrap_or("round"), %error, "the store refuses this part of a round");
                match subject {
                    Some(subject) => drop(committed.lost.insert(subject)),
                    None => committed.round_lost = true,
                }
            }
        }
        committed
    }
}

/// The parts of a commit: what was counted (`None`), and the decisions of each service or source.
fn split(commit: Commit) -> BTreeMap<Option<String>, Commit> {
    let empty = Commit::empty(commit.tenant.clone(), commit.at);
    let mut parts: BTreeMap<Option<String>, Commit> = BTreeMap::new();
    let mut subject_of = BTreeMap::new();
    for event in commit.events {
        let subject = event.fault.subject.to_string();
        subject_of.insert(event.incident.clone(), subject.clone());
        parts.entry(Some(subject)).or_insert_with(|| empty.clone()).events.push(event);
    }
    for message in commit.messages {
        let subject = subject_of.get(&message.incident).cloned();
        parts.entry(subject).or_insert_with(|| empty.clone()).messages.push(message);
    }
    for alert in commit.alerts {
        let subject = Subject::Service(alert.budget.slo.service.clone()).to_string();
        parts.entry(Some(subject)).or_insert_with(|| empty.clone()).alerts.push(alert);
    }
    let base = parts.entry(None).or_insert_with(|| empty.clone());
    base.round = commit.round;
    base.corrections = commit.corrections;
    base.audit = commit.audit;
    parts
}

impl Book {
    /// Takes over what a round decided, as far as the store has it.
    pub(super) fn take_round(&mut self, touched: Touched, evaluated: Evaluated, source_view: SourceView, committed: &Committed) {
        let kept = |service: &str| !committed.lost.contains(service);
        for (budget, state) in evaluated.alerts {
            if kept(budget.slo.service.as_str()) {
                self.alerts.insert(budget, state);
            }
        }
        self.poisoned = self.slos.keys().filter(|slo| !kept(slo.service.as_str())).cloned().collect();
        touched.without(&committed.lost).into_book(self);
        self.held_back = evaluated.held_back;
        self.statuses = Arc::new(worst_first(evaluated.statuses));
        self.source_blind = evaluated.source_blind;
        self.slo_blind = evaluated.slo_blind;
        self.slo_silent = evaluated.slo_silent;
        self.source_view = source_view;
    }
}

#[cfg(test)]
mod tests {
    use burnward_core::{id::TenantId, time::Timestamp};

    use super::*;
    use crate::store::{AuditEntry, Behind, Round};

    #[test]
    fn a_split_keeps_what_was_counted_apart_from_every_decision() {
        let source = burnward_core::id::SourceName::parse("prom").expect("a name");
        let commit = Commit {
            round: Some(Round { source, settled: Timestamp::EPOCH, blob: None, state: None, behind: Behind::default(), late: None }),
            audit: vec![AuditEntry { actor: "burnward".into(), action: "a".into(), subject: "s".into(), detail: "d".into() }],
            ..Commit::empty(TenantId::parse("main").expect("a name"), Timestamp::EPOCH)
        };
        let parts = split(commit);
        assert_eq!(parts.len(), 1);
        assert!(parts[&None].round.is_some());
    }
}
