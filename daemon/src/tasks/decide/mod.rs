//! The task that decides. One mailbox, one order: answers of sources, commands of people, outcomes of deliveries and timers all pass through it, each is
//! decided by the core, committed, and only then seen by anybody.

mod book;
mod commit;
mod decided;
#[cfg(test)]
mod doubt;
mod draft;
mod exclusions;
mod false_positive;
mod lost;
mod numbers;
mod own;
mod past;
mod rehearsal;
mod reload;
mod round;
mod shadow;
mod standing;
mod test_page;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use burnward_core::{
    assumed::{self, Stretch},
    evaluate::BudgetStatus,
    exclusion::Known,
    id::{BudgetId, IncidentId, TenantId},
    incident::{Actor, Answer, Command, next_due},
    ledger::{Backfill, Counts, Image, Late, Query, Reads, Replica, SecondReading, Series, Slice, SourceLedger, Sums as _, Unknown},
    rename::Renames,
    slo::CountedIn,
    time::Timestamp,
};
use tokio::{
    sync::{
        Notify,
        mpsc::{self, error::TryRecvError},
        oneshot, watch,
    },
    time::Instant,
};
use tracing::{info, warn};

use self::{
    book::Book,
    commit::{Change, make_once},
    decided::Decided,
    draft::Draft,
};
use crate::{
    app::{Request, RequestError},
    config::Config,
    metrics::{Metrics, Outcome},
    render::Faults,
    store::{Commit, Round, Store},
    view::{SourceView, View},
};

pub(crate) use book::settings as ledger_settings;
pub use exclusions::CorrectionAsked;
pub use false_positive::FalsePositive;
pub use own::Own;
pub use past::{Groups, Moment, PastAsked, PastBudget, Place, Reach, SlicesAsked};
pub use rehearsal::Rehearsal;
pub use reload::{Opened, open_definitions};
pub use round::RoundAnswers;
pub use standing::worst_first;

/// What a reader needs to ask a source.
#[derive(Debug, Clone)]
pub struct ReadPlan {
    /// The distinct questions.
    pub queries: Arc<[Query]>,
    /// What is read now, live samples first.
    pub reads: Reads,
}

/// What a reader asks a source for behind the live reading, when nothing newer is missing.
#[derive(Debug, Clone)]
pub struct BehindPlan {
    /// The distinct questions.
    pub queries: Arc<[Query]>,
    /// The step.
    pub step: Behind,
}

/// A step behind the live reading.
#[derive(Debug, Clone)]
pub enum Behind {
    /// What is settled is read again.
    Second(SecondReading),
    /// Older history that waits to be filled in, when nothing is read again.
    Fill(Backfill),
}

/// A stretch that was read again.
#[derive(Debug)]
pub struct SecondAnswers {
    /// For whom.
    pub tenant: TenantId,
    /// The plan's queries, by which it was asked.
    pub queries: Arc<[Query]>,
    /// What was asked for.
    pub asked: SecondReading,
    /// The answers in the order of its reads.
    pub results: Vec<Result<Vec<Series>, Unknown>>,
    /// Now.
    pub now: Timestamp,
}

/// Older history that was read.
#[derive(Debug)]
pub struct BackfillAnswers {
    /// For whom.
    pub tenant: TenantId,
    /// The plan's queries, by which it was asked.
    pub queries: Arc<[Query]>,
    /// What was asked for.
    pub backfill: Backfill,
    /// The answers in the order of its reads.
    pub results: Vec<Result<Vec<Series>, Unknown>>,
    /// Now.
    pub now: Timestamp,
}

/// The deciding task: the books of all tenants and where decisions go.
#[derive(Debug)]
pub struct Decider {
    config: Arc<Config>,
    store: Store,
    metrics: Metrics,
    faults: Faults,
    books: BTreeMap<TenantId, Book>,
    view: watch::Sender<Arc<View>>,
    /// Told after every commit that owes messages.
    wake_delivery: Arc<Notify>,
    /// Who waits for all budgets of a tenant.
    waiting: BTreeMap<TenantId, Vec<oneshot::Sender<Arc<Vec<BudgetStatus>>>>>,
}

/// What a decider is made of.
#[derive(Debug)]
pub struct Parts {
    /// The configuration.
    pub config: Arc<Config>,
    /// The store.
    pub store: Store,
    /// Our own metrics.
    pub metrics: Metrics,
    /// What went wrong with texts, shown in the view.
    pub faults: Faults,
    /// Told after every commit that owes messages.
    pub wake_delivery: Arc<Notify>,
}

impl Decider {
    /// Reads every tenant's book from the store and publishes a first view.
    pub async fn load(
        parts: Parts,
        opened: BTreeMap<TenantId, Opened>,
        now: Timestamp,
    ) -> anyhow::Result<(Self, watch::Receiver<Arc<View>>)> {
        let (view, receiver) = watch::channel(Arc::new(View::default()));
        let mut books = BTreeMap::new();
        let mut definition_faults = Vec::new();
        for (tenant, mut opened) in opened {
            let tenant_config = &parts.config.tenants[&tenant];
            definition_faults.append(&mut opened.faults);
            let book = Book::load(&parts.store, &parts.config, &tenant, tenant_config, opened, now).await?;
            books.insert(tenant, book);
        }
        let Parts { config, store, metrics, faults, wake_delivery } = parts;
        let decider = Self { config, store, metrics, faults, books, view, wake_delivery, waiting: BTreeMap::new() };
        decider.metrics.reloaded(definition_faults.is_empty());
        decider.view.send_modify(|view| Arc::make_mut(view).definition_faults = definition_faults);
        decider.publish(now);
        Ok((decider, receiver))
    }

    /// Serves the mailbox until every sender is gone. While somebody waits for all budgets, some of them are made after each request.
    pub async fn run(mut self, mut mailbox: mpsc::Receiver<Request>) {
        loop {
            let request = if self.waiting.is_empty() {
                mailbox.recv().await.ok_or(TryRecvError::Disconnected)
            } else {
                tokio::task::yield_now().await;
                mailbox.try_recv()
            };
            match request {
                Ok(request) => self.serve(request).await,
                Err(TryRecvError::Empty) => {}
                Err(TryRecvError::Disconnected) => return,
            }
            self.make_piece();
        }
    }

    /// Makes some of the budgets that somebody waits for.
    fn make_piece(&mut self) {
        let Some(tenant) = self.waiting.keys().next().cloned() else { return };
        let made = self.books.get_mut(&tenant).map_or_else(|| Some(Arc::default()), Book::make_piece);
        if let Some(budgets) = made {
            self.show(&tenant, &budgets);
        }
    }

    /// Answers those who wait for a tenant's budgets.
    fn show(&mut self, tenant: &TenantId, budgets: &Arc<Vec<BudgetStatus>>) {
        for reply in self.waiting.remove(tenant).unwrap_or_default() {
            answer(reply, Arc::clone(budgets));
        }
    }

    /// Makes the budgets that nobody has looked at yet, before something changes that they are made from.
    fn keep_standing(&mut self, tenant: &TenantId) {
        if let Some(book) = self.books.get_mut(tenant) {
            let budgets = book.standing();
            self.show(tenant, &budgets);
        }
    }

    async fn serve(&mut self, request: Request) {
        match request {
            Request::Plan { tenant, now, replica, reply } => {
                self.settle_doubt(&tenant, now).await;
                answer(reply, self.plan(&tenant, now, replica));
            }
            Request::PlanBehind { tenant, now, replica, reply } => answer(reply, self.plan_behind(&tenant, now, replica)),
            Request::Answers { answers, reply } => answer(reply, self.take_answers(*answers).await),
            Request::Backfill { answers, reply } => answer(reply, self.take_backfill(*answers).await),
            Request::Second { answers, taken } => {
                self.take_second(*answers).await;
                answer(taken, ());
            }
            Request::Probed { tenant, product, skew_millis } => self.take_probe(&tenant, product, skew_millis),
            Request::Timers { now, reply } => answer(reply, self.timers(now).await),
            Request::Incident { tenant, incident, command, by, now, reply } => {
                answer(reply, self.command(&tenant, &incident, &command, &by, now).await);
            }
            Request::Reload { removals, now, reply } => answer(reply, self.reload(removals, now).await),
            Request::Correct { tenant, asked, by, now, reply } => answer(reply, self.correct(&tenant, asked, &by, now).await),
            Request::FalsePositive { tenant, asked, by, now, reply } => {
                answer(reply, self.false_positive(&tenant, asked, &by, now).await);
            }
            Request::TestPage { person, by, now, reply } => answer(reply, self.test_page(person, &by, now).await),
            Request::Slices { asked, known, late, reply } => answer(reply, self.slices(&asked, known, &late)),
            Request::Past { tenant, asked, late, reply } => {
                answer(reply, self.books.get(&tenant).map(|book| book.past(&asked, &late)).unwrap_or_default());
            }
            Request::Own { slo, group, reply } => {
                answer(reply, self.books.get(&slo.tenant).map(|book| Own::of(&book.ledger, &slo, &group)));
            }
            Request::FirstValues { budget, stretches, reply } => {
                let within = |book: &Book| own::first_values(&book.ledger, &budget, &stretches);
                answer(reply, self.books.get(&budget.slo.tenant).map(within).unwrap_or_default());
            }
            Request::Edges { tenant, reply } => answer(reply, self.books.get(&tenant).map(|book| book.ledger.edges())),
            Request::Image { tenant, but, reply } => answer(reply, self.image(&tenant, &but).await),
            Request::Between { budget, from, to, reply } => answer(reply, self.between(&budget, from, to)),
            Request::Budgets { tenant, reply } => self.waiting.entry(tenant).or_default().push(reply),
            Request::BudgetsOf { slo, reply } => {
                answer(reply, self.books.get_mut(&slo.tenant).map(|book| book.standing_of(&slo)).unwrap_or_default());
            }
        }
    }

    /// Between two requests the memory holds what the store holds, up to its last round.
    async fn image(&self, tenant: &TenantId, but: &BTreeSet<u32>) -> Option<Image> {
        let book = self.books.get(tenant).filter(|book| !book.in_doubt)?;
        let part = book.ledger.image_parts().find(|part| !but.contains(part))?;
        let through = self.store.last_round().await.inspect_err(|error| warn!(%tenant, %error, "no image of the ledger is kept")).ok()?;
        Some(Image { part, through, blob: book.ledger.image(part)? })
    }

    fn slices(&self, asked: &SlicesAsked, known: Known, late: &[Late]) -> Vec<Slice> {
        let SlicesAsked { budget, counted_in, over, at_most } = asked;
        let Some(book) = self.books.get(&budget.slo.tenant) else { return Vec::new() };
        let Some(stream) = book.ledger.any_stream(&budget.slo, &budget.group) else { return Vec::new() };
        let excluded = book.excluded.shown.exclusions.stretches(budget, known);
        let stream = book.ledger.counted_in(stream.index, *counted_in);
        book.ledger.slices_as_known(stream, *over, *at_most, &excluded, &Late::unknown(late, known))
    }

    /// What was counted of a budget over a stretch, and how many events may have happened in unseen time of it.
    fn between(&self, budget: &BudgetId, from: Timestamp, to: Timestamp) -> Option<(Counts, i64)> {
        let (ledger, stream) = self.stream(budget)?;
        let past = ledger.past(stream, to);
        let slo = self.books.get(&budget.slo.tenant).and_then(|book| book.slos.get(&budget.slo));
        let objective = slo.and_then(|slo| slo.objectives.iter().find(|objective| objective.name == budget.objective));
        let hidden = slo.zip(objective).map(|(slo, objective)| {
            let stretch = Stretch { from, to, counted_from: ledger.held_from(stream) };
            assumed::events(slo, objective.counted_in, past.since(from).unseen_millis, &past, stretch)
        });
        Some((ledger.between(stream, from, to), hidden.unwrap_or_default()))
    }

    /// The stream that a budget is counted in; of a budget that is gone, that of the events of its group.
    fn stream(&self, budget: &BudgetId) -> Option<(&SourceLedger, u32)> {
        let book = self.books.get(&budget.slo.tenant)?;
        let stream = book.ledger.any_stream(&budget.slo, &budget.group)?;
        let objectives = book.slos.get(&budget.slo).map_or(&[][..], |slo| &slo.objectives);
        let objective = objectives.iter().find(|objective| objective.name == budget.objective);
        let counted_in = objective.map_or(CountedIn::Events, |objective| objective.counted_in);
        Some((&book.ledger, book.ledger.counted_in(stream.index, counted_in)))
    }

    fn plan(&mut self, tenant: &TenantId, now: Timestamp, replica: Option<Replica>) -> Option<ReadPlan> {
        Some(self.books.get_mut(tenant)?.plan(now, replica))
    }

    fn plan_behind(&mut self, tenant: &TenantId, now: Timestamp, replica: Option<Replica>) -> Option<BehindPlan> {
        self.books.get_mut(tenant).filter(|book| !book.in_doubt)?.plan_behind(now, replica)
    }

    async fn take_answers(&mut self, answers: RoundAnswers) -> bool {
        let began = Instant::now();
        if self.waiting.contains_key(&answers.tenant) {
            self.keep_standing(&answers.tenant);
        }
        let Some(book) = self.books.get_mut(&answers.tenant) else { return false };
        if answers.queries != *book.ledger.plan().queries() {
            return true; // The plan changed while the source was asked: ask again by the new one.
        }
        let Decided { commit, after } = book.decide(&self.config, &answers);
        let blind = after.evaluated.source_blind.is_some();
        self.metrics.held_back(after.evaluated.newly_held_back);
        let committed = self.commit_parts(commit).await;
        let Some(book) = self.books.get_mut(&answers.tenant) else { return false };
        book.take(after, &committed);
        let cleared = book.cleared();
        if !cleared.is_empty() && !book.in_doubt {
            book.keep_standing();
            let release = book.release(&cleared, answers.now);
            let audit: Vec<_> = release.renamed.iter().map(reload::audit_of).collect();
            let released = Change::Released(&answers.tenant, &release, answers.now, &audit);
            match make_once(&self.store, released).await {
                Ok(()) => {
                    let some = !release.renamed.is_empty();
                    book.call_anew(&Renames::new(release.renamed), answers.now);
                    book.promote(&cleared, answers.now);
                    if some {
                        book.read_back(&self.store, &self.config, answers.now).await;
                    }
                }
                Err(error) => warn!(tenant = %answers.tenant, %error, "changed definitions wait for one more round"),
            }
        }
        if book.in_doubt {
            book.read_back(&self.store, &self.config, answers.now).await;
        } else if committed.round_lost || book.ledger.lacks_history() {
            book.reload_ledger(&self.store, &self.config, answers.now).await;
        }
        book.forget_old(answers.now);
        self.observe_round(&answers, blind, began.elapsed());
        self.publish(answers.now);
        answers.reads.catching_up
    }

    fn observe_round(&self, answers: &RoundAnswers, blind: bool, took: Duration) {
        let late = answers.now.since(answers.due) + took;
        let outcome = match (blind, late > self.config.tick) {
            (true, _) => Outcome::blind,
            (false, true) => Outcome::late,
            (false, false) => Outcome::on_time,
        };
        self.metrics.evaluated(outcome, late, took);
    }

    async fn take_backfill(&mut self, answers: BackfillAnswers) -> bool {
        let Some(book) = self.books.get_mut(&answers.tenant) else { return false };
        if book.in_doubt || answers.queries != *book.ledger.plan().queries() {
            return true;
        }
        let counted = book.ledger.count_backfill(&answers.backfill, &answers.results);
        let round = Round::of(book.source.clone(), &counted);
        let commit = Commit { round: Some(round), ..Commit::empty(answers.tenant.clone(), answers.now) };
        let outcome = self.commit_whole(&commit).await;
        let Some(book) = self.books.get_mut(&answers.tenant) else { return false };
        match outcome {
            Ok(()) => {
                book.keep_standing();
                book.ledger.apply(counted);
            }
            Err(error) => warn!(tenant = %answers.tenant, %error, "a step of history could not be committed; it is read again"),
        }
        self.publish(answers.now);
        true
    }

    /// What was read again; at the end of it the entries by which what came late corrects the ledger.
    async fn take_second(&mut self, answers: SecondAnswers) {
        let Some(book) = self.books.get_mut(&answers.tenant) else { return };
        if book.in_doubt || answers.queries != *book.ledger.plan().queries() {
            return;
        }
        let Some(counted) = book.ledger.take_second_reading(&answers.asked, &answers.results) else { return };
        let round = Round::of(book.source.clone(), &counted);
        if round.late.is_some() {
            warn!(tenant = %answers.tenant, source = %book.source, "samples came later than the settling time of the source; the budgets are corrected");
        }
        if let Some(first) = counted.lost().first() {
            let (source, slos) = (&book.source, counted.lost().len());
            warn!(tenant = %answers.tenant, %source, slos, first = %first, "the source has lost samples that were counted; what was counted of them stays");
            book.source_view.lost = Some(lost::note(&self.store, &answers.tenant, source, counted.lost(), answers.now).await);
        }
        let commit = Commit { round: Some(round), ..Commit::empty(answers.tenant.clone(), answers.now) };
        let outcome = self.commit_whole(&commit).await;
        let Some(book) = self.books.get_mut(&answers.tenant) else { return };
        book.keep_standing();
        match outcome {
            Ok(()) => book.ledger.apply(counted),
            Err(error) => {
                warn!(tenant = %answers.tenant, %error, "what was read again could not be committed; it is read once more");
                book.reload_ledger(&self.store, &self.config, answers.now).await;
            }
        }
    }

    fn take_probe(&mut self, tenant: &TenantId, product: String, skew_millis: Option<i64>) {
        if let Some(book) = self.books.get_mut(tenant) {
            book.source_view = SourceView { product: Some(product), skew_millis, ..book.source_view.clone() };
        }
    }

    /// Runs the timers that are due and answers when the next one is.
    async fn timers(&mut self, now: Timestamp) -> Option<Timestamp> {
        let tenants: Vec<TenantId> = self.books.keys().cloned().collect();
        for tenant in &tenants {
            self.timers_of(tenant, now).await;
        }
        self.books.values().flat_map(|book| book.incidents.values()).filter_map(next_due).min()
    }

    async fn timers_of(&mut self, tenant: &TenantId, now: Timestamp) {
        self.settle_doubt(tenant, now).await;
        let Some((commit, touched)) = self.books.get(tenant).and_then(|book| book.decide_timers(&self.config, now)) else { return };
        if self.commit_whole(&commit).await.is_ok() {
            self.absorb(tenant, touched, now);
        }
    }

    /// A command of a person or of the delivery: committed when this returns.
    async fn command(
        &mut self,
        tenant: &TenantId,
        id: &IncidentId,
        command: &Command,
        by: &Actor,
        now: Timestamp,
    ) -> Result<Answer, RequestError> {
        self.fetch_incident(tenant, id, now).await?;
        let not_found = || RequestError::NotFound(id.to_string());
        let book = self.books.get(tenant).ok_or_else(not_found)?;
        let mut draft = Draft::new(book, &self.config, now);
        let answer = draft.command_to_incident(id, command, by).ok_or_else(not_found)?;
        if !draft.is_empty() {
            let (commit, touched) = draft.finish();
            self.commit_whole(&commit).await.map_err(|error| RequestError::Store(error.to_string()))?;
            self.absorb(tenant, touched, now);
            info!(%tenant, incident = %id, command = command.word(), "the incident took a command");
        }
        Ok(answer)
    }

    /// Brings an incident that left the book back into it: a late acknowledgement, a note after the end, a delivery that took long.
    async fn fetch_incident(&mut self, tenant: &TenantId, id: &IncidentId, now: Timestamp) -> Result<(), RequestError> {
        self.settle_doubt(tenant, now).await;
        let Some(book) = self.books.get_mut(tenant) else { return Err(RequestError::NotFound(id.to_string())) };
        if !book.incidents.contains_key(id) {
            let stored = self.store.incident(tenant, id).await.map_err(|error| RequestError::Store(error.to_string()))?;
            let stored = stored.ok_or_else(|| RequestError::NotFound(id.to_string()))?;
            book.incidents.insert(id.clone(), stored.incident);
        }
        Ok(())
    }

    fn absorb(&mut self, tenant: &TenantId, touched: draft::Touched, now: Timestamp) {
        if let Some(book) = self.books.get_mut(tenant) {
            touched.into_book(book);
        }
        self.publish(now);
    }

    /// Publishes what is known now.
    fn publish(&self, now: Timestamp) {
        let mut view = View { as_of: now, definition_faults: self.view.borrow().definition_faults.clone(), ..View::default() };
        for (tenant, book) in &self.books {
            view.slos.extend(book.slos.iter().map(|(id, slo)| (id.clone(), slo.clone())));
            view.held.extend(book.pending.iter().map(|(id, next)| (id.clone(), next.clone())));
            view.at_hand.insert(tenant.clone(), Arc::clone(&book.at_hand));
            view.exclusions.insert(tenant.clone(), book.excluded.shown.clone());
            let source = SourceView { to_fill: book.ledger.to_fill(now), ..book.source_view.clone() };
            view.sources.insert((tenant.clone(), book.source.clone()), source);
        }
        view.text_faults = self.faults.list().iter().map(ToString::to_string).collect();
        let unseen = self.books.values().flat_map(|book| book.unknown.values()).sum();
        let blind = view.sources.values().filter(|source| source.blind.is_some()).count();
        self.metrics.blindness(unseen, blind);
        for ((_, name), source) in &view.sources {
            self.metrics.source_state(name, source);
        }
        self.view.send_replace(Arc::new(view));
    }
}

/// Answers a request whose asker may have gone.
fn answer<T>(reply: oneshot::Sender<T>, value: T) {
    if reply.send(value).is_err() {
        tracing::debug!("nobody waited for an answer any more");
    }
}
