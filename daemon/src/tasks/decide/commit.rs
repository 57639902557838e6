//! How a decision reaches the store: whole, once more if that fails, then in parts until what the store refuses stands alone. A failure does not say that
//! nothing was committed, so every commit has a number, by which each further try finds what is there already (ADR 0026).

use std::{
    collections::{BTreeMap, BTreeSet},
    num::NonZeroU32,
    sync::Arc,
};

use burnward_core::{
    evaluate::BudgetStatus,
    id::{BudgetId, TenantId},
    incident::Subject,
    time::Timestamp,
};
use tokio::time::Instant;
use tracing::{error, warn};

use super::{
    Decider,
    book::Book,
    draft::Touched,
    round::{Evaluated, budgets_of},
    standing::{AsOf, Standing},
};
use crate::{
    store::{AuditEntry, Commit, CommitNumber, DefinitionChanges, Release, Store, StoreError},
    view::{IncidentBudgets, SourceView},
};

/// What of a round reached the store.
#[derive(Debug, Default)]
pub(super) struct Committed {
    /// True where what was counted is not known to be in the store.
    pub(super) round_lost: bool,
    /// The services and sources whose decisions are not known to be in the store.
    pub(super) lost: BTreeSet<String>,
    /// True where the store did not answer whether it has one of them.
    in_doubt: bool,
}

/// Why a commit is not known to be in the store.
#[derive(Debug)]
enum NotCommitted {
    /// It is not there.
    Lost(StoreError),
    /// It may be there: the store does not answer whether it is.
    InDoubt(StoreError),
}

/// What is committed.
#[derive(Debug, Clone, Copy)]
pub(super) enum Change<'a> {
    /// What a round or a command decided.
    Decided(&'a Commit),
    /// Which definitions run, when, with the audit of it.
    Loaded(&'a TenantId, &'a DefinitionChanges, Timestamp, &'a [AuditEntry]),
    /// Which versions are held no more, likewise.
    Released(&'a TenantId, &'a Release, Timestamp, &'a [AuditEntry]),
}

impl<'a> Change<'a> {
    const fn tenant(self) -> &'a TenantId {
        match self {
            Self::Decided(commit) => &commit.tenant,
            Self::Loaded(tenant, ..) | Self::Released(tenant, ..) => tenant,
        }
    }
}

/// Where commits go.
trait Commits {
    /// A number that no commit had.
    fn number(&self) -> CommitNumber;

    /// Makes all of a change or nothing, and nothing where it is there already under this number.
    async fn make(&self, number: CommitNumber, change: Change<'_>) -> Result<(), StoreError>;

    /// Whether it is there under this number.
    async fn has(&self, tenant: &TenantId, number: CommitNumber) -> Result<bool, StoreError>;
}

impl Commits for Store {
    fn number(&self) -> CommitNumber {
        Self::number(self)
    }

    async fn make(&self, number: CommitNumber, change: Change<'_>) -> Result<(), StoreError> {
        match change {
            Change::Decided(commit) => self.commit_as(number, commit).await,
            Change::Loaded(tenant, changes, at, audit) => self.save_definitions(number, tenant, changes, at, audit).await,
            Change::Released(tenant, release, at, audit) => self.release_held(number, tenant, release, at, audit).await,
        }
    }

    async fn has(&self, tenant: &TenantId, number: CommitNumber) -> Result<bool, StoreError> {
        Self::has(self, tenant, number).await
    }
}

impl Decider {
    /// Commits, and tries once more. Wakes the delivery where messages are owed.
    pub(super) async fn commit_whole(&mut self, commit: &Commit) -> Result<(), StoreError> {
        let began = Instant::now();
        let outcome = twice(&self.store, self.store.number(), Change::Decided(commit)).await;
        self.metrics.committed(began.elapsed());
        match outcome {
            Ok(()) => {
                self.wake_delivery_for(commit);
                Ok(())
            }
            Err(NotCommitted::Lost(error)) => Err(error),
            Err(NotCommitted::InDoubt(error)) => {
                self.doubt(&commit.tenant);
                Err(error)
            }
        }
    }

    /// Commits a round; what the store refuses twice is split by service, so that one poisoned decision costs no other.
    pub(super) async fn commit_parts(&mut self, commit: Commit) -> Committed {
        let began = Instant::now();
        let committed = whole_or_parts(&self.store, &commit).await;
        self.metrics.committed(began.elapsed());
        self.wake_delivery_for(&commit);
        if committed.in_doubt {
            self.doubt(&commit.tenant);
        }
        committed
    }

    /// Reads a tenant's book again where the store did not say what it took. Until it does, decisions go on from what is known.
    pub(super) async fn settle_doubt(&mut self, tenant: &TenantId, now: Timestamp) {
        if let Some(book) = self.books.get_mut(tenant).filter(|book| book.in_doubt) {
            book.read_back(&self.store, &self.config, now).await;
        }
    }

    fn doubt(&mut self, tenant: &TenantId) {
        if let Some(book) = self.books.get_mut(tenant) {
            book.in_doubt = true;
        }
    }

    fn wake_delivery_for(&self, commit: &Commit) {
        if !commit.messages.is_empty() {
            self.wake_delivery.notify_one();
        }
    }
}

/// Makes a change of which definitions run, once, however often it is tried.
pub(super) async fn make_once(store: &Store, change: Change<'_>) -> Result<(), StoreError> {
    twice(store, store.number(), change).await.map_err(|error| match error {
        NotCommitted::Lost(error) | NotCommitted::InDoubt(error) => error,
    })
}

/// Commits, and tries once more; asks then whether it is there all the same.
async fn twice(store: &impl Commits, number: CommitNumber, change: Change<'_>) -> Result<(), NotCommitted> {
    let tenant = change.tenant();
    let Err(first) = store.make(number, change).await else { return Ok(()) };
    warn!(%tenant, error = %first, "a commit failed and is tried once more");
    let Err(second) = store.make(number, change).await else { return Ok(()) };
    match store.has(tenant, number).await {
        Ok(true) => Ok(()),
        Ok(false) => Err(NotCommitted::Lost(second)),
        Err(silence) => {
            warn!(%tenant, error = %silence, "the store does not say whether it has a commit; it is asked again");
            Err(NotCommitted::InDoubt(second))
        }
    }
}

async fn whole_or_parts(store: &impl Commits, commit: &Commit) -> Committed {
    let number = store.number();
    if twice(store, number, Change::Decided(commit)).await.is_ok() {
        return Committed::default();
    }
    let mut committed = Committed::default();
    let places = (1..).filter_map(NonZeroU32::new);
    for (place, (subject, part)) in places.zip(split(commit.clone())) {
        let (error, in_doubt) = match twice(store, number.part(place), Change::Decided(&part)).await {
            Ok(()) => continue,
            Err(NotCommitted::Lost(error)) => (error, false),
            Err(NotCommitted::InDoubt(error)) => (error, true),
        };
        error!(tenant = %part.tenant, part = subject.as_deref().unwrap_or("round"), %error, "the store refuses this part of a round");
        committed.in_doubt |= in_doubt;
        match subject {
            Some(subject) => drop(committed.lost.insert(subject)),
            None => committed.round_lost = true,
        }
    }
    committed
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
    for event in commit.shadow {
        let subject = event.fault.subject.to_string();
        parts.entry(Some(subject)).or_insert_with(|| empty.clone()).shadow.push(event);
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
        let (alerts, refused): (Vec<_>, Vec<_>) = evaluated.alerts.into_iter().partition(|(budget, _)| kept(budget.slo.service.as_str()));
        self.alerts.extend(alerts);
        let poisoned = self.slos.keys().filter(|slo| !kept(slo.service.as_str())).cloned().collect();
        let poisoned = std::mem::replace(&mut self.poisoned, poisoned);
        touched.without(&committed.lost).into_book(self);
        self.held_back = evaluated.held_back;
        self.standing = Standing::of(AsOf { at: evaluated.at, poisoned, refused: refused.into_iter().collect() });
        self.unseen = evaluated.unseen;
        self.unknown = evaluated.unknown;
        self.source_blind = evaluated.source_blind;
        self.slo_blind = evaluated.slo_blind;
        self.slo_silent = evaluated.slo_silent;
        self.source_view = source_view;
        self.at_hand = Arc::new(at_hand(self, evaluated.shown));
    }
}

/// What the incidents at hand show.
fn at_hand(book: &Book, mut shown: BTreeMap<BudgetId, BudgetStatus>) -> IncidentBudgets {
    let of_incidents: BTreeSet<&BudgetId> = book.incidents.values().flat_map(budgets_of).collect();
    shown.retain(|budget, _| of_incidents.contains(budget));
    IncidentBudgets { incidents: book.incidents.keys().cloned().collect(), budgets: Arc::new(shown) }
}

#[cfg(test)]
mod tests {
    use std::{collections::VecDeque, sync::Mutex};

    use burnward_core::{
        alert::AlertState,
        id::{BudgetId, Group, ObjectiveName, ServiceName, SloId, SloName, SourceName},
        rename::{Rename, Renames},
    };
    use proptest::prelude::*;

    use super::*;
    use crate::store::{Behind, Round, StoredAlert};

    /// What a store does with a commit.
    #[derive(Debug, Clone, Copy)]
    enum Deed {
        /// It commits, and says so.
        Commits,
        /// It commits nothing, and says so.
        Refuses,
        /// It commits, and answers with a failure: the connection broke behind the transaction.
        CommitsAndFails,
    }

    /// A store that does not always say what it did.
    struct Unsure {
        store: Store,
        deeds: Mutex<VecDeque<Deed>>,
        /// Whether it answers what it has.
        answers: bool,
    }

    impl Commits for Unsure {
        fn number(&self) -> CommitNumber {
            self.store.number()
        }

        async fn make(&self, number: CommitNumber, change: Change<'_>) -> Result<(), StoreError> {
            let deed = self.deeds.lock().unwrap().pop_front().unwrap_or(Deed::Commits);
            match deed {
                Deed::Commits => self.store.make(number, change).await,
                Deed::Refuses => Err(StoreError::Full),
                Deed::CommitsAndFails => self.store.make(number, change).await.and(Err(StoreError::Full)),
            }
        }

        async fn has(&self, tenant: &TenantId, number: CommitNumber) -> Result<bool, StoreError> {
            if self.answers { self.store.has(tenant, number).await } else { Err(StoreError::Stopping) }
        }
    }

    const SERVICES: [&str; 2] = ["checkout", "search"];

    fn source() -> SourceName {
        SourceName::parse("prom").expect("a name")
    }

    fn alert(tenant: &TenantId, service: &str) -> StoredAlert {
        let slo = SloId {
            tenant: tenant.clone(),
            service: ServiceName::parse(service).expect("a name"),
            name: SloName::parse("availability").expect("a name"),
        };
        let budget = BudgetId { slo, objective: ObjectiveName::parse("month").expect("a name"), group: Group::whole() };
        StoredAlert { budget, state: AlertState::default(), why: "14 > 6".into() }
    }

    /// A round with an alert of each service.
    fn round(tenant: &TenantId) -> Commit {
        let round = Round {
            source: source(),
            settled: Timestamp::EPOCH,
            blob: Some(vec![1]),
            state: None,
            behind: Behind::default(),
            late: Some(vec![2]),
        };
        Commit {
            round: Some(round),
            alerts: SERVICES.map(|service| alert(tenant, service)).into(),
            audit: vec![AuditEntry { actor: "burnward".into(), action: "a".into(), subject: "s".into(), detail: "d".into() }],
            ..Commit::empty(tenant.clone(), Timestamp::EPOCH)
        }
    }

    /// How often the round is in the store, and how often what was decided for each service is.
    async fn booked(store: &Store, tenant: &TenantId) -> (usize, [usize; 2]) {
        let rounds = store.ledger(tenant, &source()).await.unwrap().rounds.len();
        assert_eq!(store.audit(tenant, 9).await.unwrap().len(), rounds, "one transaction");
        let changes = store.alert_changes(tenant, None, Timestamp::EPOCH, Timestamp::EPOCH, 9).await.unwrap();
        let of = |service: &str| changes.iter().filter(|change| change.budget.slo.service.as_str() == service).count();
        (rounds, SERVICES.map(of))
    }

    /// Commits rounds, each of a tenant of its own, to a store that does as `deeds` say, and holds what it claims against what is there.
    async fn check(script: Vec<(Vec<Deed>, bool)>) {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).await.unwrap();
        for (place, (deeds, answers)) in script.into_iter().enumerate() {
            let tenant = TenantId::parse(&format!("t{place}")).unwrap();
            let unsure = Unsure { store: store.clone(), deeds: Mutex::new(deeds.clone().into()), answers };
            let committed = whole_or_parts(&unsure, &round(&tenant)).await;
            let (rounds, decisions) = booked(&store, &tenant).await;
            let claims = [!committed.round_lost].into_iter().chain(SERVICES.map(|service| !committed.lost.contains(service)));
            for (claimed, times) in claims.zip([rounds].into_iter().chain(decisions)) {
                let is_known = claimed == (times == 1) || (!claimed && committed.in_doubt);
                assert!(times <= 1 && is_known, "{deeds:?}: booked {times} times, {committed:?}");
            }
            assert!(!answers || !committed.in_doubt, "a store that answers leaves no doubt");
        }
        store.close().await;
    }

    #[tokio::test]
    async fn a_round_that_failed_behind_its_transaction_is_booked_once() {
        use Deed::{Commits, CommitsAndFails, Refuses};
        let tenant = TenantId::parse("main").unwrap();
        for deeds in [
            // The whole is there: no part of it is booked beside it.
            vec![CommitsAndFails],
            vec![Refuses, CommitsAndFails],
            vec![CommitsAndFails, Refuses],
            // The whole is refused, and parts fail behind their transactions.
            vec![Refuses, Refuses, CommitsAndFails, Commits, Refuses, CommitsAndFails],
        ] {
            let dir = tempfile::tempdir().unwrap();
            let store = Store::open(dir.path()).await.unwrap();
            let unsure = Unsure { store: store.clone(), deeds: Mutex::new(deeds.clone().into()), answers: true };
            let committed = whole_or_parts(&unsure, &round(&tenant)).await;
            assert!(!committed.round_lost && committed.lost.is_empty(), "{deeds:?}: {committed:?}");
            assert_eq!(booked(&store, &tenant).await, (1, [1, 1]), "{deeds:?}");
            store.close().await;
        }
    }

    /// The whole is there, the store says neither so nor anything else, and answers again when the parts come.
    #[tokio::test]
    async fn parts_of_a_whole_that_is_there_are_not_booked() {
        use Deed::{CommitsAndFails, Refuses};
        check(vec![(vec![CommitsAndFails, Refuses], false), (vec![CommitsAndFails, Refuses, Refuses, Refuses], false)]).await;
    }

    #[tokio::test]
    async fn a_change_of_definitions_that_failed_behind_its_transaction_is_made_once() {
        use Deed::{CommitsAndFails, Refuses};
        let tenant = TenantId::parse("main").unwrap();
        let rename = Rename {
            at: Timestamp::EPOCH,
            service: ServiceName::parse("checkout").unwrap(),
            from: SloName::parse("pay").unwrap(),
            to: SloName::parse("availability").unwrap(),
        };
        let audit = [AuditEntry { actor: "burnward".into(), action: "slo.rename".into(), subject: "s".into(), detail: "d".into() }];
        let changes = DefinitionChanges { renamed: vec![rename.clone()], ..DefinitionChanges::default() };
        let release = Release { renamed: vec![rename.clone()], ..Release::default() };
        for deeds in
            [vec![CommitsAndFails], vec![Refuses, CommitsAndFails], vec![CommitsAndFails, Refuses], vec![CommitsAndFails, CommitsAndFails]]
        {
            let dir = tempfile::tempdir().unwrap();
            let store = Store::open(dir.path()).await.unwrap();
            let unsure = || Unsure { store: store.clone(), deeds: Mutex::new(deeds.clone().into()), answers: true };
            let loaded = Change::Loaded(&tenant, &changes, Timestamp::EPOCH, &audit);
            twice(&unsure(), store.number(), loaded).await.unwrap();
            assert_eq!(store.renames(&tenant).await.unwrap(), Renames::new(vec![rename.clone()]), "{deeds:?}");
            let released = Change::Released(&tenant, &release, Timestamp::EPOCH, &audit);
            twice(&unsure(), store.number(), released).await.unwrap();
            assert_eq!(store.renames(&tenant).await.unwrap(), Renames::new(vec![rename.clone(); 2]), "{deeds:?}");
            assert_eq!(store.audit(&tenant, 9).await.unwrap().len(), 2, "{deeds:?}");
            store.close().await;
        }
    }

    #[tokio::test]
    async fn numbers_go_on_behind_those_of_the_daemon_before() {
        let (dir, tenant) = (tempfile::tempdir().unwrap(), TenantId::parse("main").unwrap());
        for starts in 1..4 {
            let store = Store::open(dir.path()).await.unwrap();
            store.commit(&round(&tenant)).await.unwrap();
            assert_eq!(booked(&store, &tenant).await, (starts, [starts, starts]), "the first commit of a start is one of its own");
            store.close().await;
        }
    }

    fn deeds() -> impl Strategy<Value = Vec<Deed>> {
        prop::collection::vec(prop_oneof![Just(Deed::Commits), Just(Deed::Refuses), Just(Deed::CommitsAndFails)], 0..9)
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 8, ..ProptestConfig::default() })]

        /// Whatever a store does and says: nothing is booked twice, and what is said of each part is so, or is known to be in doubt.
        #[test]
        fn nothing_is_booked_twice_whatever_the_store_says(script in prop::collection::vec((deeds(), any::<bool>()), 1..40)) {
            tokio::runtime::Runtime::new().unwrap().block_on(check(script));
        }
    }

    #[test]
    fn a_split_keeps_what_was_counted_apart_from_every_decision() {
        let parts = split(round(&TenantId::parse("main").expect("a name")));
        assert_eq!(parts.len(), 3);
        assert!(parts[&None].round.is_some() && parts.iter().all(|(subject, part)| subject.is_none() == part.alerts.is_empty()));
    }
}
