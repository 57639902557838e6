//! Readers: one per tenant's source. A tick asks the decider what to read, asks the source, and hands the answers over to be decided.

mod together;

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};

use burnward_core::{
    id::TenantId,
    ledger::{Backfill, Blinds, Query, Read, Reads, Reason, Replica, SecondReading, Series, Unknown},
    sli::Selector,
    time::{Timestamp, minutes},
};
use futures_util::{FutureExt, StreamExt, future::BoxFuture, stream};
use tokio::time::Instant;
use tracing::{debug, info, warn};

use super::decide::{BackfillAnswers, Behind, BehindPlan, ReadPlan, RoundAnswers, SecondAnswers};
use crate::{
    app::Handle,
    source::{
        Answer, Source,
        merge::Merged,
        replicas::{Looked, Standing},
    },
    view::Circuit,
};
use together::{Question, Span, Together};

/// Queries of one source that are under way at once.
const AT_ONCE: usize = 4;

/// How often the time of one selector is halved whose samples are too much for one answer: to an eighth.
const HALVINGS: u32 = 3;

/// Steps of catching up in one tick, so that other work comes in between.
pub(crate) const STEPS_A_TICK: usize = 24;

/// Steps of filling in history in one tick.
pub(crate) const FILLS_A_TICK: usize = 4;

/// After so many rounds in which the source as a whole was blind, one question goes ahead of all others, so that a source in trouble is not
/// loaded with what it cannot answer, nor the reader held up by it.
const ROUNDS_OF_PATIENCE: u32 = 3;

/// After so many rounds of trouble in a row another replica is looked for, where there are several.
const ROUNDS_OF_TROUBLE: u32 = 2;

/// A source that gives no raw samples is probed again after this long.
const PROBED_AGAIN: Duration = minutes(5);

/// One that told what it is like is asked anew after this long: a clock that was off may have been set.
const PROBED_ANEW: Duration = minutes(15);

/// An answer, and the milliseconds that it took.
type Asked = (Result<Vec<Series>, Unknown>, u64);

/// Why a source gives no raw samples, and when that was found out.
#[derive(Debug, Clone)]
struct Limit {
    why: Unknown,
    since: Timestamp,
}

/// What a source told of itself last.
#[derive(Debug)]
struct Probed {
    replica: Option<Replica>,
    at: Timestamp,
}

/// Reads one source for one tenant.
#[derive(Debug, Clone)]
pub struct Reader {
    tenant: TenantId,
    source: Arc<Source>,
    handle: Handle,
    /// Rounds in a row in which the source as a whole was blind.
    blind_rounds: Arc<AtomicU32>,
    limit: Arc<Mutex<Option<Limit>>>,
    together: Arc<Together>,
    /// Rounds in a row in which the source was blind, or nothing was scraped into it.
    troubled_rounds: Arc<AtomicU32>,
    /// True while it did not answer its probe.
    probe_failed: Arc<AtomicBool>,
    /// When it answered its probe for good; `None`: not yet.
    probed: Arc<Mutex<Option<Probed>>>,
    /// What it warned of then, which is logged once.
    warned: Arc<Mutex<Vec<String>>>,
}

impl Reader {
    /// A reader of `source` for `tenant`.
    pub fn new(tenant: TenantId, source: Arc<Source>, handle: Handle) -> Self {
        let (limit, together, blind_rounds) = (Arc::default(), Arc::default(), Arc::default());
        let (troubled_rounds, probe_failed) = (Arc::default(), Arc::default());
        let (probed, warned) = (Arc::default(), Arc::default());
        Self { tenant, source, handle, blind_rounds, limit, together, troubled_rounds, probe_failed, probed, warned }
    }

    /// One tick: live samples first, then a bounded piece of what is missing behind them.
    pub async fn tick(&self, due: Timestamp) {
        for _ in 0..STEPS_A_TICK {
            if !self.round(due).await {
                return;
            }
        }
    }

    /// Probes the source where it has not answered for good yet, where another replica is read, and anew some time after it did.
    pub async fn probe_where_due(&self) {
        let (now, replica) = (self.handle.clock.now(), self.replica());
        let is_known = |probed: &Probed| probed.replica == replica && now.since(probed.at) < PROBED_ANEW;
        let known = self.probed.lock().unwrap_or_else(PoisonError::into_inner).as_ref().is_some_and(is_known);
        if !known && self.probe().await {
            *self.probed.lock().unwrap_or_else(PoisonError::into_inner) = Some(Probed { replica, at: now });
        }
    }

    /// Asks the source what it is like and tells the decider; true once it answered for good. One that gives no raw samples is asked again some time
    /// later. That it cannot be seen is for the readings to say.
    async fn probe(&self) -> bool {
        let now = self.handle.clock.now();
        if self.limit().is_some_and(|limit| now.since(limit.since) < PROBED_AGAIN) {
            return false;
        }
        match self.source.probe(now).await {
            Ok(probe) => {
                let limited = probe.limited.is_some();
                if self.probe_failed.swap(false, Ordering::Relaxed) {
                    info!(tenant = %self.tenant, product = probe.product, "the source answers");
                }
                *self.limit.lock().unwrap_or_else(PoisonError::into_inner) = probe.limited.map(|why| Limit { why, since: now });
                self.warn_of_news(probe.warnings);
                self.handle.probed(&self.tenant, probe.product, probe.skew_millis).await;
                !limited
            }
            Err(unknown) => {
                // Targets that burnward scrapes itself have nothing to show yet at the start: that is no failure.
                if unknown.reason != Reason::NotYet && !self.probe_failed.swap(true, Ordering::Relaxed) {
                    warn!(tenant = %self.tenant, %unknown, "the source did not answer when it was probed; it is probed again at every tick");
                }
                false
            }
        }
    }

    fn warn_of_news(&self, warnings: Vec<String>) {
        let mut warned = self.warned.lock().unwrap_or_else(PoisonError::into_inner);
        for warning in warnings.iter().filter(|warning| !warned.contains(warning)) {
            warn!(tenant = %self.tenant, "{warning}");
        }
        *warned = warnings;
    }

    /// The replica that is read, where there are several.
    pub fn replica(&self) -> Option<Replica> {
        self.source.replica()
    }

    fn limit(&self) -> Option<Limit> {
        self.limit.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// One reading; true where more is to be read at once.
    async fn round(&self, due: Timestamp) -> bool {
        let asked_at = self.handle.clock.now();
        let replica = self.replica();
        let plan = self.handle.plan(&self.tenant, asked_at, replica).await;
        let Some(ReadPlan { queries, reads }) = plan else { return false };
        let (mut results, took_millis) = self.ask(&queries, &reads).await;
        if self.looks_around(&reads, &mut results).await || self.replica() != replica {
            return true; // What one replica answered is not counted as another's.
        }
        let now = self.handle.clock.now();
        let circuit = if self.is_impatient() { Circuit::Open } else { Circuit::Closed };
        let (tenant, replica) = (self.tenant.clone(), self.source.replica_view());
        let answers = RoundAnswers { tenant, queries, reads, results, took_millis, replica, circuit, asked_at, due, now };
        let more = self.handle.answers(answers).await;
        if !more && !self.is_impatient() {
            self.read_behind().await;
        }
        more
    }

    /// Looks, after some rounds of trouble, whether another replica stands better; true where that one is read now. Where none does, the reason says so.
    async fn looks_around(&self, reads: &Reads, results: &mut [Result<Vec<Series>, Unknown>]) -> bool {
        let blind = reads.source_unknown(results).cloned();
        let (standing, why) = match (&blind, reads.targets_are_silent(results)) {
            (Some(unknown), _) if blinds_the_source(unknown) => (Standing::Blind, unknown.detail.as_str()),
            (Some(unknown), _) => (Standing::Useless, unknown.detail.as_str()),
            (None, true) => (Standing::Silent, "nothing is scraped into it"),
            (None, false) => (Standing::Well, ""),
        };
        if standing == Standing::Well {
            self.troubled_rounds.store(0, Ordering::Relaxed);
            return false;
        }
        if self.troubled_rounds.fetch_add(1, Ordering::Relaxed) + 1 < ROUNDS_OF_TROUBLE {
            return false;
        }
        match self.source.look_around(standing, why, self.handle.clock.now()).await {
            Looked::Switched => {
                self.troubled_rounds.store(0, Ordering::Relaxed);
                self.blind_rounds.store(0, Ordering::Relaxed);
                *self.limit.lock().unwrap_or_else(PoisonError::into_inner) = None;
                true
            }
            Looked::Stays(others) => {
                let is_of_source = |unknown: &&mut Unknown| blind.as_ref().is_some_and(|blind| unknown.is_of_source(blind));
                for unknown in results.iter_mut().filter_map(|result| result.as_mut().err()).filter(is_of_source) {
                    *unknown = others.iter().fold(unknown.clone(), |own, others| also(&own, others));
                }
                false
            }
        }
    }

    fn is_impatient(&self) -> bool {
        self.blind_rounds.load(Ordering::Relaxed) >= ROUNDS_OF_PATIENCE
    }

    async fn ask(&self, queries: &[Query], reads: &Reads) -> (Vec<Result<Vec<Series>, Unknown>>, Vec<u64>) {
        let asked = match reads.reads.len().checked_sub(1) {
            Some(last) if self.is_impatient() => self.ask_one_first(queries, reads, last).await,
            Some(_) | None => self.ask_all(queries, &reads.reads).await,
        };
        let (answers, took_millis): (Vec<_>, Vec<_>) = asked.into_iter().unzip();
        if let Some(unknown) = reads.source_unknown(&answers) {
            if self.blind_rounds.fetch_add(1, Ordering::Relaxed) == 0 {
                warn!(tenant = %self.tenant, %unknown, "the source cannot be seen");
            }
        } else {
            if self.blind_rounds.swap(0, Ordering::Relaxed) > 0 {
                info!(tenant = %self.tenant, "the source is seen again");
            }
            self.keep_failed_apart(queries, &reads.reads, &answers);
        }
        (answers, took_millis)
    }

    fn keep_failed_apart(&self, queries: &[Query], reads: &[Read], answers: &[Result<Vec<Series>, Unknown>]) {
        let failed = reads.iter().zip(answers).filter(|(_, answer)| answer.as_ref().is_err_and(blinds_the_source));
        for selector in failed.filter_map(|(read, _)| together::selector_of(&queries[read.query])) {
            self.together.keep_apart(selector);
        }
    }

    /// Asks the question of targets, a small one, or the last where there is none; the others only where it was answered, else they share its answer. Where
    /// it was answered in a way that cannot be used, those of raw samples do, which are worth nothing without it.
    async fn ask_one_first(&self, queries: &[Query], reads: &Reads, last: usize) -> Vec<Asked> {
        let of_targets = reads.of_targets();
        let (place, mut others) = (of_targets.unwrap_or(last), reads.reads.clone());
        let read = others.remove(place);
        let first = self.ask_one(&queries[read.query], read).await;
        let needs_targets = |read: &Read| of_targets.is_some() && !matches!(queries[read.query], Query::Stepped { .. });
        let shares = |read: &Read| match &first.0 {
            Ok(_) | Err(Unknown { reason: Reason::NoRaw, .. }) => false,
            Err(unknown) => blinds_the_source(unknown) || needs_targets(read),
        };
        let apart: Vec<Read> = others.iter().filter(|read| !shares(read)).copied().collect();
        let mut answers = self.ask_all(queries, &apart).await.into_iter();
        let mut answer = || answers.next().expect("one for each question");
        let mut asked: Vec<Asked> = others.iter().map(|read| if shares(read) { (first.0.clone(), 0) } else { answer() }).collect();
        asked.insert(place, first);
        asked
    }

    /// Asks selectors together where they can be; the answers in the order of the reads. A source that answers none of the first questions in time is not
    /// asked the others, so that a reading takes the time of one.
    async fn ask_all(&self, queries: &[Query], reads: &[Read]) -> Vec<Asked> {
        let (questions, silence) = (self.together.questions(queries, reads, None), &Silence::after(AT_ONCE));
        let alone = reads.iter().enumerate().filter(|(_, read)| together::selector_of(&queries[read.query]).is_none());
        let alone = alone.map(|(place, read)| {
            silence.unless_silent(vec![place], async move { vec![(place, self.ask_one(&queries[read.query], *read).await)] }.boxed())
        });
        let together =
            questions.iter().map(|question| silence.unless_silent(question.merged.parts.clone(), self.ask_question(question).boxed()));
        let answers: Vec<BoxFuture<'_, _>> = together.chain(alone).collect();
        let answers: Vec<Vec<(usize, Asked)>> = stream::iter(answers).buffered(AT_ONCE).collect().await;
        in_order(answers.into_iter().flatten().collect())
    }

    async fn ask_question(&self, question: &Question<'_>) -> Vec<(usize, Asked)> {
        self.ask_together(&question.merged, question).await
    }

    /// Asks for several selectors at once. What concerns only some of them is found by asking again in halves: one poisoned series blinds no other SLO.
    fn ask_together<'a>(&'a self, merged: &'a Merged, question: &'a Question<'a>) -> BoxFuture<'a, Vec<(usize, Asked)>> {
        async move {
            if let Some(Limit { why, .. }) = self.limit().filter(|_| question.span.step.is_none()) {
                return merged.parts.iter().map(|place| (*place, (Err(why.clone()), 0))).collect();
            }
            let began = Instant::now();
            let halvings = if merged.parts.len() == 1 { HALVINGS } else { 0 };
            let answer = self.read(&merged.selector, question.span, halvings).await;
            let took = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
            debug!(tenant = %self.tenant, parts = merged.parts.len(), took, ok = answer.is_ok(), "asked the source");
            let is_near_a_cap = answer.as_ref().is_ok_and(|answer| self.source.is_near_a_cap(answer));
            let unknown = match answer.and_then(|answer| merged.deal(answer.series)) {
                Ok(dealt) => {
                    self.together.answered(merged, is_near_a_cap);
                    return merged.parts.iter().copied().zip(dealt.into_iter().map(|series| (Ok(series), took))).collect();
                }
                Err(unknown) => unknown,
            };
            match merged.halves(&question.selectors).filter(|_| !blinds_the_source(&unknown)) {
                None => {
                    self.together.refused(merged, &unknown);
                    merged.parts.iter().map(|place| (*place, (Err(unknown.clone()), took))).collect()
                }
                Some(halves) => self.ask_halves(&halves, question, &unknown).await,
            }
        }
        .boxed()
    }

    /// Samples of a selector. Where they are too much for one answer its time is halved: the samples of both halves are those of the whole.
    fn read<'a>(&'a self, selector: &'a Selector, span: Span, halvings: u32) -> BoxFuture<'a, Result<Answer, Unknown>> {
        async move {
            let Span { from, to, step } = span;
            let whole = match step {
                None => self.source.read(selector, from, to).await,
                Some(step) => self.source.read_history(selector, from, to, step).await,
            };
            match whole {
                Err(Unknown { reason: Reason::TooBig, .. }) if halvings > 0 => {
                    let middle = from.plus(to.since(from) / 2);
                    let first = self.read(selector, Span { to: middle, ..span }, halvings - 1).await?;
                    Ok(first.then(self.read(selector, Span { from: middle, ..span }, halvings - 1).await?))
                }
                whole => whole,
            }
        }
        .boxed()
    }

    async fn ask_halves(&self, halves: &[Merged], question: &Question<'_>, unknown: &Unknown) -> Vec<(usize, Asked)> {
        let mut answers = Vec::new();
        for half in halves {
            answers.extend(self.ask_together(half, question).await);
        }
        if matches!(unknown.reason, Reason::TooBig | Reason::TooMany) && answers.iter().all(|(_, (answer, _))| answer.is_ok()) {
            self.together.was_too_much();
        }
        answers
    }

    async fn ask_one(&self, query: &Query, read: Read) -> Asked {
        let began = Instant::now();
        let answer = match (query, self.limit()) {
            (Query::Raw(_) | Query::Histograms(_), Some(Limit { why, .. })) => Err(why),
            (Query::Raw(selector), None) => self.read(selector, Span { from: read.from, to: read.to, step: None }, HALVINGS).await,
            (Query::Histograms(selector), None) => self.source.read_histograms(selector, read.from, read.to).await,
            (Query::Stepped { expression, step }, _) => self.source.read_steps(expression.as_str(), read.from, read.to, *step).await,
        };
        let took = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        debug!(tenant = %self.tenant, %query, took, ok = answer.is_ok(), "asked the source");
        (answer.map(|answer| answer.series), took)
    }

    /// The answers to a step of history.
    async fn history(&self, queries: &[Query], backfill: &Backfill) -> Vec<Result<Vec<Series>, Unknown>> {
        let (mut answers, silence) = (Vec::with_capacity(backfill.reads.len()), Silence::after(2));
        for question in self.together.questions(queries, &backfill.reads, Some(backfill.step)) {
            answers.extend(silence.unless_silent(question.merged.parts.clone(), self.ask_question(&question).boxed()).await);
        }
        for (place, read) in backfill.reads.iter().enumerate() {
            let asking = match &queries[read.query] {
                Query::Raw(_) => continue,
                Query::Histograms(selector) => self.source.read_histogram_steps(selector, read.from, read.to, backfill.step).boxed(),
                Query::Stepped { expression, step } => self.source.read_steps(expression.as_str(), read.from, read.to, *step).boxed(),
            };
            let asked = async move { vec![(place, (asking.await.map(|answer| answer.series), 0))] };
            answers.extend(silence.unless_silent(vec![place], asked.boxed()).await);
        }
        let answers = answers.into_iter().map(|(place, (answer, _))| (place, answer)).collect();
        in_order(answers)
    }

    /// Some steps behind the live reading, each planned after what was taken in before it, which makes older plans void.
    async fn read_behind(&self) {
        for _ in 0..FILLS_A_TICK {
            let replica = self.replica();
            match self.handle.plan_behind(&self.tenant, self.handle.clock.now(), replica).await {
                Some(BehindPlan { queries, step: Behind::Second(asked) }) => return self.read_again(queries, asked, replica).await,
                Some(BehindPlan { queries, step: Behind::Fill(backfill) }) => {
                    if !self.fill_in(queries, backfill, replica).await {
                        return;
                    }
                }
                None => return,
            }
        }
    }

    /// A stretch of what is settled, to find samples that came late.
    async fn read_again(&self, queries: Arc<[Query]>, asked: SecondReading, replica: Option<Replica>) {
        let results = self.ask_all(&queries, &asked.reads.reads).await.into_iter().map(|(answer, _)| answer).collect();
        if self.replica() != replica {
            return;
        }
        let now = self.handle.clock.now();
        self.handle.second(SecondAnswers { tenant: self.tenant.clone(), queries, asked, results, now }).await;
    }

    /// A step of older history; false where the source did not answer in time.
    async fn fill_in(&self, queries: Arc<[Query]>, backfill: Backfill, replica: Option<Replica>) -> bool {
        let results = self.history(&queries, &backfill).await;
        if self.replica() != replica {
            return true;
        }
        let late = |result: &Result<_, Unknown>| result.as_ref().is_err_and(|unknown| unknown.reason == Reason::Timeout);
        let answered = !results.iter().all(late);
        let now = self.handle.clock.now();
        self.handle.backfill(BackfillAnswers { tenant: self.tenant.clone(), queries, backfill, results, now }).await;
        answered
    }
}

/// Whether a source answers anything in time within one reading.
#[derive(Debug)]
struct Silence {
    /// After so many questions that were not answered in time, and none that was, it is silent.
    after: usize,
    heard: Mutex<Heard>,
}

#[derive(Debug, Default)]
struct Heard {
    answered: bool,
    late: Vec<Unknown>,
}

impl Silence {
    fn after(after: usize) -> Self {
        Self { after, heard: Mutex::default() }
    }

    /// Asks for these places, unless all of the first questions were not answered in time: then theirs is the answer.
    fn unless_silent<'a>(&'a self, places: Vec<usize>, asking: BoxFuture<'a, Vec<(usize, Asked)>>) -> BoxFuture<'a, Vec<(usize, Asked)>> {
        async move {
            if let Some(unknown) = self.why() {
                return places.into_iter().map(|place| (place, (Err(unknown.clone()), 0))).collect();
            }
            let asked = asking.await;
            self.hear(&asked);
            asked
        }
        .boxed()
    }

    fn why(&self) -> Option<Unknown> {
        let heard = self.heard();
        heard.late.first().filter(|_| !heard.answered && heard.late.len() >= self.after).cloned()
    }

    fn hear(&self, asked: &[(usize, Asked)]) {
        let mut heard = self.heard();
        match asked.first() {
            Some((_, (Err(unknown), _))) if unknown.reason == Reason::Timeout => heard.late.push(unknown.clone()),
            Some(_) => heard.answered = true,
            None => {}
        }
    }

    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Answers in the order of the reads that they are for.
fn in_order<T>(mut answers: Vec<(usize, T)>) -> Vec<T> {
    answers.sort_by_key(|(place, _)| *place);
    answers.into_iter().map(|(_, answer)| answer).collect()
}

/// Why nothing is seen, with what the other replicas answered.
fn also(own: &Unknown, others: &str) -> Unknown {
    let room: String = own.detail.chars().take(140).collect();
    let cut = if room.len() < own.detail.len() { "…" } else { "" };
    Unknown::new(own.reason, format!("{room}{cut}; the other replicas: {others}"))
}

fn blinds_the_source(unknown: &Unknown) -> bool {
    unknown.reason.blinds() == Blinds::Source
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use burnward_stand_ins::prometheus::FakePrometheus;

    use super::*;
    use crate::{
        app::{Daemon, Options, Pace},
        clock::Clock,
        config,
    };

    #[tokio::test]
    async fn a_clock_that_was_set_is_no_longer_told_to_be_off() {
        drop(rustls::crypto::ring::default_provider().install_default());
        let directory = tempfile::tempdir().expect("a directory");
        let fake = FakePrometheus::start().await.expect("it starts");
        let text = format!(
            "version: burnward/v1\nlisten: 127.0.0.1:0\nstorage: {{ path: store }}\nsources:\n  prom: {{ prometheus: {{ url: '{}' }} }}\n\
             tenants:\n  main: {{ slo-definitions: [slos], source: prom }}\n",
            fake.url()
        );
        std::fs::create_dir(directory.path().join("slos")).expect("made");
        let config = config::parse(&directory.path().join("burnward.yaml"), &text).expect("a configuration");
        let now = Timestamp::from_seconds(jiff::Timestamp::now().as_second());
        let options = Options { clock: Clock::by_hand(now), pace: Pace::ByHand, ..Options::default() };
        let daemon = Daemon::start(config, options).await.expect("started");
        let main = TenantId::parse("main").expect("a name");
        let reader = Reader::new(main.clone(), daemon.handle.sources[&main].clone(), daemon.handle.clone());
        let is_off = async || {
            reader.probe_where_due().await;
            daemon.step().await;
            let view = daemon.handle.view.borrow().clone();
            let skew = view.sources.values().find_map(|source| source.skew_millis).expect("it was probed");
            skew.abs() > 30_000
        };

        fake.set_skew_millis(120_000);
        assert!(is_off().await);
        // The stand-in goes by the clock of the machine, so that it is ahead of ours by what we are moved.
        fake.set_skew_millis(14 * 60_000);
        daemon.fast_forward(minutes(14)).await;
        assert!(is_off().await, "it was not asked again so soon");
        fake.set_skew_millis(16 * 60_000);
        daemon.fast_forward(minutes(2)).await;
        assert!(!is_off().await);
        daemon.stop().await;
    }

    /// Asks one question after the other, which are answered in time or not; how many were really asked.
    async fn check(in_time: &[bool], asked: usize) {
        let (silence, count) = (Silence::after(2), AtomicUsize::new(0));
        for (place, in_time) in in_time.iter().enumerate() {
            let asking = async {
                count.fetch_add(1, Ordering::Relaxed);
                let answer = if *in_time { Ok(Vec::new()) } else { Err(Unknown::new(Reason::Timeout, "no answer in time")) };
                vec![(place, (answer, 15_000))]
            };
            let answers = silence.unless_silent(vec![place], asking.boxed()).await;
            assert_eq!(answers.len(), 1, "each place has its answer");
            assert_eq!(answers[0].1.0.is_ok(), *in_time && count.load(Ordering::Relaxed) > place, "{place} of {answers:?}");
        }
        assert_eq!(count.load(Ordering::Relaxed), asked, "{in_time:?}");
    }

    #[tokio::test]
    async fn a_source_that_answers_none_of_the_first_questions_in_time_is_not_asked_the_others() {
        check(&[false, false, true, false], 2).await;
        check(&[false, true, false, false, false], 5).await;
        check(&[true, false, false, false], 4).await;
    }
}
