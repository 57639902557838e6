//! From when on there is something to look at. A source that is younger than the span that is asked for, or keeps less, shows nothing before, and an SLO
//! whose metric is new is new from there on: a replay begins there, and what was before is told as that instead of being lived through as blindness.
//! A gap behind the first sample stays what it is.
//!
//! How old a source is it does not say (Prometheus tells it only where it scrapes itself). So the first sample of what each SLO counts is looked for, by
//! small questions whose answers are one number for each instant: usually one, of a source that is younger at most twenty.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use burnward_core::{
    id::SloId,
    ledger::{Blinds, Reason, Unknown},
    sli::{
        Expression, Selector, Sli,
        composite::{Member, WhenUnseen},
    },
    slo::Slo,
    time::{Timestamp, minutes},
    window::Interval,
    words,
};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::Past;
use crate::{report::words::utc, source::Source};

/// What was seen so shortly before the span was there all the time.
pub(super) const JUST_BEFORE: Duration = minutes(15);
/// Instants of one question, and the parts that a span is searched in.
const PARTS: u32 = 32;
/// The first question about a whole span is of one part, each next one of twice as many, up to this: who finds something early reads little.
const MOST_PARTS: u32 = 8;
/// No first sample is told more exactly.
const FINEST: Duration = Duration::from_secs(1);
/// What is looked for at once; the source's own bound of requests holds beside it.
const AT_ONCE: usize = 8;
/// How often a question is asked that the source did not answer.
const TRIES: usize = 3;
/// SLOs that begin so shortly behind the span are not told of one by one.
const TOGETHER: Duration = minutes(5);
/// SLOs that are told of one by one.
const LISTED: usize = 5;

/// An SLO with the moment from which on it is lived through.
#[derive(Debug, Clone)]
pub struct Entrant {
    /// The SLO.
    pub slo: Arc<Slo>,
    /// From then on; before there is nothing to see of it.
    pub from: Timestamp,
}

impl Entrant {
    /// All of these from the same moment on.
    pub fn all(slos: Vec<Arc<Slo>>, from: Timestamp) -> Vec<Self> {
        slos.into_iter().map(|slo| Self { slo, from }).collect()
    }
}

/// The part of a span that can be looked at.
#[derive(Debug, Clone)]
pub struct Seen {
    /// The span that was asked for.
    pub asked: Interval,
    /// From the first sample of any of the SLOs to the end of what was asked for.
    pub span: Interval,
    /// The SLOs of each set, without those of which there is no sample at all.
    pub sets: Vec<Vec<Entrant>>,
    /// Those that begin behind the span, each with when.
    pub younger: BTreeMap<SloId, Timestamp>,
    /// Those of which there is no sample at all.
    pub never: BTreeSet<SloId>,
}

/// What an SLO needs a sample of before it can be looked at.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Sought {
    /// Any series of a selector.
    Series(Selector),
    /// Any value of an expression at a step.
    Value(Expression, Duration),
}

impl Seen {
    /// What can be looked at of these sets of SLOs, each of which is lived through by itself.
    ///
    /// # Errors
    /// The source does not answer. A question that it refuses, or that takes it too long, leaves the SLO as if it had been there all the time.
    pub async fn of(past: &Past, sets: Vec<Vec<Arc<Slo>>>, asked: Interval) -> Result<Self, Unknown> {
        let sought: BTreeSet<Sought> = sets.iter().flatten().flat_map(|slo| sought(&slo.sli)).collect();
        let firsts = stream::iter(sought).map(|sought| first(past, sought, asked)).buffered(AT_ONCE);
        let firsts: BTreeMap<Sought, Option<Timestamp>> = firsts.try_collect().await?;
        let beginnings: Vec<BTreeMap<SloId, Option<Timestamp>>> = sets.iter().map(|slos| beginnings(slos, &firsts)).collect();
        let from = beginnings.iter().flat_map(BTreeMap::values).flatten().min().copied().unwrap_or(asked.from);
        let (mut younger, mut never) = (BTreeMap::new(), BTreeSet::new());
        for (id, beginning) in beginnings.iter().flatten() {
            match beginning {
                Some(at) if *at > from => {
                    let first = younger.entry(id.clone()).or_insert(*at);
                    *first = (*first).min(*at);
                }
                Some(_) => {}
                None => {
                    never.insert(id.clone());
                }
            }
        }
        let entrants = |(slos, beginnings): (Vec<Arc<Slo>>, &BTreeMap<SloId, Option<Timestamp>>)| {
            let entrant = |slo: Arc<Slo>| beginnings.get(&slo.id).copied().flatten().map(|from| Entrant { slo, from });
            slos.into_iter().filter_map(entrant).collect()
        };
        let sets = sets.into_iter().zip(&beginnings).map(entrants).collect();
        Ok(Self { asked, span: Interval { from, to: asked.to }, sets, younger, never })
    }

    /// True where there is no sample of any SLO.
    pub fn is_nothing(&self) -> bool {
        self.sets.iter().all(Vec::is_empty)
    }

    /// What cannot be looked at, and since when the rest can, each in a sentence; nothing where all of it can.
    pub fn sentences(&self, place: &str) -> Vec<String> {
        let Self { asked, span, younger, never, .. } = self;
        let cut = (span.from > asked.from).then(|| {
            let [seen, asked] = [span, asked].map(|span| words::duration(span.length()));
            format!(
                "There are samples in {place} from {} on: of the {asked} that were asked for, the last {seen} are looked at.",
                utc(span.from)
            )
        });
        let told: Vec<(&SloId, &Timestamp)> = younger.iter().filter(|(_, from)| from.since(span.from) > TOGETHER).collect();
        let each = told
            .iter()
            .take(LISTED)
            .map(|(id, from)| format!("{} is looked at from {} on, where its first sample is.", short(id), utc(**from)));
        let more = told.len().saturating_sub(LISTED);
        let rest = (more > 0).then(|| format!("{} more begin later than the span.", words::plural(more, "SLO")));
        let without: Vec<String> = never.iter().map(short).collect();
        let without = (!never.is_empty())
            .then(|| format!("Left out, because there is no sample of it in {place} in this time: {}.", words::list(&without, LISTED)));
        cut.into_iter().chain(each).chain(rest).chain(without).collect()
    }
}

/// The name of an SLO within its tenant.
fn short(id: &SloId) -> String {
    format!("{}/{}", id.service, id.name)
}

/// What there must be a sample of, one of these; nothing for a journey, which other SLOs make up.
fn sought(sli: &Sli) -> Vec<Sought> {
    let series = |selectors: &[Selector]| selectors.iter().cloned().map(Sought::Series).collect();
    match sli {
        Sli::Events { total, .. } => series(total),
        Sli::Latency { buckets, .. } => series(std::slice::from_ref(buckets)),
        Sli::Probe { probes } => series(probes),
        Sli::Presence { series: only, expected, .. } if expected.is_empty() => series(std::slice::from_ref(only)),
        // What must exist is missed as soon as anything is scraped.
        Sli::Presence { series: awaited, .. } => series(&[awaited.clone(), Selector::new("up", Vec::new())]),
        Sli::Window { expression, slice, .. } => vec![Sought::Value(expression.clone(), *slice)],
        Sli::Query { total, step, .. } => vec![Sought::Value(total.clone(), *step)],
        Sli::Composite(_) => Vec::new(),
    }
}

/// When each SLO of a set begins; `None`: there is no sample of it.
fn beginnings(slos: &[Arc<Slo>], firsts: &BTreeMap<Sought, Option<Timestamp>>) -> BTreeMap<SloId, Option<Timestamp>> {
    let own = |slo: &Slo| sought(&slo.sli).iter().filter_map(|sought| firsts.get(sought).copied().flatten()).min();
    let mut all: BTreeMap<SloId, Option<Timestamp>> = slos.iter().map(|slo| (slo.id.clone(), own(slo))).collect();
    for slo in slos {
        let Some(journey) = slo.sli.composite() else { continue };
        let of = |member: &Member| all.get(&member.slo).copied().flatten();
        // As live, a journey begins where each member does that is not left out while it is unseen.
        let needed: Option<Vec<Timestamp>> = journey.members().filter(|member| member.unseen != WhenUnseen::Exclude).map(of).collect();
        let begins = match needed.as_deref() {
            None => None,
            Some([]) => journey.members().filter_map(of).min(),
            Some(each) => each.iter().max().copied(),
        };
        all.insert(slo.id.clone(), begins);
    }
    all
}

async fn first(past: &Past, sought: Sought, span: Interval) -> Result<(Sought, Option<Timestamp>), Unknown> {
    let first = match past {
        Past::Samples(samples) => Ok(samples.first(&sought, span)),
        Past::Source(fetched) => Search { source: fetched.source(), sought: &sought }.first(span).await,
    };
    match first {
        Ok(first) => Ok((sought, first)),
        Err(unknown) if unknown.reason.blinds() == Blinds::Slo || unknown.reason == Reason::Timeout => Ok((sought, Some(span.from))),
        Err(unknown) => Err(unknown),
    }
}

/// A search for the first sample.
struct Search<'a> {
    source: &'a Source,
    sought: &'a Sought,
}

impl Search<'_> {
    /// The first sample in a span, to the second; its beginning where there was one before. The samples between two instants are looked at as a whole,
    /// so that no gap between them hides the first one.
    async fn first(&self, span: Interval) -> Result<Option<Timestamp>, Unknown> {
        let at = span.from.floor(JUST_BEFORE);
        if self.within(Interval { from: at.minus(JUST_BEFORE), to: at }, JUST_BEFORE).await?.is_some() {
            return Ok(Some(span.from));
        }
        let (mut over, mut parts, mut known) = (span, 1, None);
        while over.from < over.to {
            let step = self.step(over);
            let found = self.coarse(over, step, parts).await?;
            known = found.map(|at| at.minus(step)).or(known);
            if step == self.finest() {
                break;
            }
            over = match found {
                Some(at) => Interval { from: at.minus(step), to: at },
                // What is left behind the last instant.
                None => Interval { from: over.to.floor(step), to: over.to },
            };
            parts = PARTS + 1;
        }
        Ok(known.map(|at| at.max(span.from)).filter(|at| *at < span.to))
    }

    /// The first instant of a stretch with something in the step before it, looked for in so many parts first and more and more then.
    async fn coarse(&self, over: Interval, step: Duration, mut parts: u32) -> Result<Option<Timestamp>, Unknown> {
        let mut from = over.from.floor(step);
        while from < over.to.floor(step) {
            let to = from.plus(step * parts).min(over.to.floor(step));
            // One instant more: VictoriaMetrics leaves out a sample that lies right at the last one.
            let found = self.within(Interval { from, to: to.plus(step) }, step).await?;
            if found.is_some() {
                return Ok(found);
            }
            (from, parts) = (to, parts.saturating_mul(2).min(parts.max(MOST_PARTS)));
        }
        Ok(None)
    }

    /// The first multiple of the step with something in the step before it.
    async fn within(&self, over: Interval, step: Duration) -> Result<Option<Timestamp>, Unknown> {
        let query = self.query(step);
        let mut answer = self.source.read_steps(&query, over.from, over.to, step).await;
        for _ in 1..TRIES {
            match &answer {
                Err(unknown) if unknown.reason.blinds() == Blinds::Source => {
                    answer = self.source.read_steps(&query, over.from, over.to, step).await;
                }
                Ok(_) | Err(_) => break,
            }
        }
        Ok(answer?.series.iter().flat_map(|series| &series.samples).map(|sample| sample.at).min())
    }

    fn query(&self, step: Duration) -> String {
        let range = step.as_secs();
        match self.sought {
            Sought::Series(selector) => format!("count(last_over_time({selector}[{range}s]))"),
            Sought::Value(expression, inner) => {
                format!("count(last_over_time(({})[{range}s:{}s]))", expression.as_str(), inner.as_secs().max(1))
            }
        }
    }

    /// What a stretch is searched by.
    fn step(&self, over: Interval) -> Duration {
        let finest = self.finest().as_secs();
        Duration::from_secs((over.length().as_secs() / u64::from(PARTS)).div_ceil(finest).max(1) * finest)
    }

    /// An expression has its values at steps.
    fn finest(&self) -> Duration {
        match self.sought {
            Sought::Series(_) => FINEST,
            Sought::Value(_, step) => (*step).max(FINEST),
        }
    }
}

#[cfg(test)]
mod tests {
    use burnward_core::{
        id::SourceName,
        time::{days, hours},
    };
    use burnward_stand_ins::prometheus::{Class, FakePrometheus, Fault};

    use super::*;
    use crate::{config::PrometheusConfig, metrics::Metrics, source::replicas::Replicas};

    /// The end of the span, which is no multiple of anything.
    const TO: Timestamp = Timestamp::from_seconds(1_700_000_017);

    /// When the first of these samples is found to be in the 30 days up to `TO`, and by how many questions.
    async fn found(samples: &[Timestamp]) -> (Result<Option<Timestamp>, Unknown>, usize) {
        let fake = FakePrometheus::start().await.expect("a port");
        for at in samples {
            fake.push(&[("__name__", "hits_total"), ("job", "shop")], at.millis(), 1.0);
        }
        (search(&fake).await, fake.asked().len())
    }

    async fn search(fake: &FakePrometheus) -> Result<Option<Timestamp>, Unknown> {
        // Fails where another test has installed it already.
        drop(rustls::crypto::ring::default_provider().install_default());
        let name = SourceName::parse("prom").expect("a name");
        let replicas = Replicas::new(&PrometheusConfig::at(fake.url()), Metrics::default().source(&name)).expect("a URL");
        let (source, sought) = (Source::Prometheus(replicas), Sought::Series(Selector::new("hits_total", Vec::new())));
        Search { source: &source, sought: &sought }.first(Interval { from: TO.minus(days(30)), to: TO }).await
    }

    /// Samples each 15 s.
    fn scraped(from: Timestamp, to: Timestamp) -> Vec<Timestamp> {
        std::iter::successors(Some(from), |at| Some(at.plus(Duration::from_secs(15)))).take_while(|at| *at <= to).collect()
    }

    #[tokio::test]
    async fn what_was_there_before_the_span_is_there_from_its_beginning_and_known_by_one_question() {
        let from = TO.minus(days(30));
        assert_eq!(found(&scraped(from.minus(hours(1)), from.plus(hours(1)))).await, (Ok(Some(from)), 1));
        // It was away when the span began: that is a gap, and not how old it is.
        let mut samples = scraped(from.minus(hours(2)), from.minus(hours(1)));
        samples.extend(scraped(from.plus(days(3)), from.plus(days(4))));
        assert_eq!(found(&samples).await.0, Ok(Some(from)));
    }

    #[tokio::test]
    async fn a_first_sample_is_found_to_the_second_wherever_it_lies() {
        for age in [days(29), days(16), days(2), hours(1), minutes(10), Duration::from_secs(40)] {
            let first = TO.minus(age).plus(Duration::from_millis(347));
            let (found, questions) = found(&scraped(first, TO)).await;
            let found = found.expect("an answer").expect("a sample");
            assert!(found <= first && first.since(found) <= Duration::from_secs(2), "{age:?}: {first:?}, and it is {found:?}");
            assert!(questions <= 20, "{age:?}: {questions} questions");
        }
    }

    #[tokio::test]
    async fn a_long_gap_behind_the_first_samples_hides_none_of_them() {
        let first = TO.minus(days(25));
        let mut samples = scraped(first, first.plus(minutes(7)));
        samples.extend(scraped(TO.minus(days(3)), TO));
        let found = found(&samples).await.0.expect("an answer").expect("a sample");
        assert!(found <= first && first.since(found) <= Duration::from_secs(2), "{found:?}");
    }

    #[tokio::test]
    async fn without_a_sample_there_is_no_beginning_and_a_source_that_does_not_answer_is_no_empty_one() {
        let (nothing, questions) = found(&[]).await;
        assert!(nothing == Ok(None) && questions <= 20, "{nothing:?} after {questions} questions");
        let fake = FakePrometheus::start().await.expect("a port");
        fake.fail(Class::QueryRange, Fault::Truncated).await;
        assert!(search(&fake).await.is_err());
    }
}
