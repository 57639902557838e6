//! The plan of one source: which queries are asked for a set of SLOs, and which SLO needs which answer for what.
//!
//! Queries are the widest selectors that serve every SLO: `m{job="a"}` serves `m{job="a",code=~"5.."}` too, whose series are told apart here.
//! All latency thresholds of one histogram share one query, whose `le` matcher admits every spelling of each threshold. A selector that cannot
//! be matched here (`CompiledSelector::local`) is asked for alone.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{Counts, count::hash_of};
use crate::{
    sli::{CompiledSelector, Counted, Dialect, Labels, MatchOp, Matcher, Selector, Sli},
    slo::Slo,
};

/// What is asked of one source, and which SLO needs which answer.
#[derive(Debug, Clone)]
pub struct Plan {
    queries: Vec<Selector>,
    lanes: Vec<LanePlan>,
    consumers: Vec<Consumers>,
    targets: Option<TargetQueries>,
}

/// The queries that tell of targets rather than of events.
#[derive(Debug, Clone, Copy)]
pub(super) struct TargetQueries {
    /// `up`
    pub up: usize,
    /// `process_start_time_seconds`
    pub starts: usize,
}

/// One SLO: it is counted as a whole or not at all.
#[derive(Debug, Clone)]
pub(super) struct LanePlan {
    /// The SLO.
    pub slo: Arc<Slo>,
    /// The counters that it is made of.
    pub sides: Vec<Side>,
    /// The queries that it needs, sorted, with those for targets.
    pub queries: Vec<usize>,
}

/// One selector of an SLO.
#[derive(Debug, Clone)]
pub(super) struct Side {
    /// What its events are.
    pub role: Role,
    /// The selector as the SLO has it.
    pub selector: Selector,
    /// The bucket boundary, for the sides of a latency SLO; infinite for all observations.
    pub boundary: Option<f64>,
    /// The query whose answer holds its series.
    pub query: usize,
    compiled: CompiledSelector,
}

/// What an increment of a counter means for good and bad. `good = total - bad`, or `bad = total - good`; sums are additive, so each side is booked for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Bad events.
    Bad,
    /// All events, where the bad are counted beside them.
    TotalBesideBad,
    /// Good events.
    Good,
    /// All events, where the good are counted beside them.
    TotalBesideGood,
}

impl Role {
    /// What `events` of this role add.
    pub(super) fn book(self, events: u64) -> Counts {
        let n = i64::try_from(events).unwrap_or(i64::MAX);
        match self {
            Self::Bad => Counts { bad: n, good: -n, ..Counts::default() },
            Self::TotalBesideBad => Counts { good: n, ..Counts::default() },
            Self::Good => Counts { good: n, bad: -n, ..Counts::default() },
            Self::TotalBesideGood => Counts { bad: n, ..Counts::default() },
        }
    }

    /// True for the side without which nothing is known.
    pub(super) const fn is_total(self) -> bool {
        match self {
            Self::TotalBesideBad | Self::TotalBesideGood => true,
            Self::Bad | Self::Good => false,
        }
    }
}

impl LanePlan {
    /// True where the SLO is a share of a histogram.
    pub(super) fn is_latency(&self) -> bool {
        self.sides.iter().any(|side| side.boundary.is_some())
    }

    /// What decides the meaning of its counters: while it is equal, counters may be carried from one plan to the next.
    fn meaning(&self) -> String {
        let sides: Vec<String> = self.sides.iter().map(|side| format!("{:?} {} {:?}", side.role, side.selector, side.boundary)).collect();
        format!("{} per {:?}", sides.join(" "), self.slo.per)
    }

    /// The same as a number, for the store.
    pub(super) fn meaning_hash(&self) -> u64 {
        hash_of(&self.meaning())
    }
}

impl Side {
    /// Whether a series of the query's answer belongs to this side.
    fn takes(&self, labels: &Labels) -> bool {
        self.compiled.matches(labels) && self.boundary.is_none_or(|boundary| bucket_boundary(labels) == Some(boundary))
    }
}

/// Who needs the series of one query, by a label value that they ask for.
#[derive(Debug, Clone, Default)]
struct Consumers {
    by_label: BTreeMap<(String, String), Vec<(usize, usize)>>,
    rest: Vec<(usize, usize)>,
}

impl Plan {
    /// The plan for these SLOs, all of one source, in the dialect of Prometheus 2.
    pub fn new(slos: &[Arc<Slo>]) -> Self {
        Self::in_dialect(slos, Dialect::default())
    }

    /// The plan for these SLOs, all of one source.
    pub fn in_dialect(slos: &[Arc<Slo>], dialect: Dialect) -> Self {
        let mut lanes: Vec<LanePlan> = slos.iter().map(|slo| lane(slo, dialect)).collect();
        let mut queries = Queries::of(&lanes);
        for side in lanes.iter_mut().flat_map(|lane| &mut lane.sides) {
            side.query = queries.serving(side);
        }
        let targets = (!lanes.is_empty()).then(|| queries.for_targets());
        for lane in &mut lanes {
            lane.queries = needed(lane, targets);
        }
        let consumers = (0..queries.selectors.len()).map(|query| Consumers::of(query, &lanes)).collect();
        Self { queries: queries.selectors, lanes, consumers, targets }
    }

    /// The distinct, widest selectors to ask for; `Read::query` is an index into them.
    pub fn queries(&self) -> &[Selector] {
        &self.queries
    }

    /// The SLOs, in the order of their definition.
    pub fn slos(&self) -> impl Iterator<Item = &Arc<Slo>> {
        self.lanes.iter().map(|lane| &lane.slo)
    }

    pub(super) fn lanes(&self) -> &[LanePlan] {
        &self.lanes
    }

    pub(super) const fn targets(&self) -> Option<TargetQueries> {
        self.targets
    }

    /// The sides that a series of this query's answer belongs to, as indices of lane and side, in order.
    pub(super) fn takers(&self, query: usize, labels: &Labels) -> Vec<(usize, usize)> {
        let consumers = &self.consumers[query];
        let named = labels.pairs().iter().filter_map(|pair| consumers.by_label.get(pair)).flatten();
        let mut takers: Vec<_> =
            named.chain(&consumers.rest).copied().filter(|(lane, side)| self.lanes[*lane].sides[*side].takes(labels)).collect();
        takers.sort_unstable();
        takers
    }
}

/// The number in `le`; classic histograms spell it in many ways.
fn bucket_boundary(labels: &Labels) -> Option<f64> {
    labels.get("le").parse().ok()
}

fn lane(slo: &Arc<Slo>, dialect: Dialect) -> LanePlan {
    let side = |role, selector: &Selector, boundary| Side {
        role,
        selector: selector.clone(),
        boundary,
        query: 0,
        compiled: CompiledSelector::new(selector, dialect),
    };
    let sides = match &slo.sli {
        Sli::Events { counted: Counted::Bad(bad), total } => {
            let bad = bad.iter().map(|selector| side(Role::Bad, selector, None));
            bad.chain(total.iter().map(|selector| side(Role::TotalBesideBad, selector, None))).collect()
        }
        Sli::Events { counted: Counted::Good(good), total } => {
            let good = good.iter().map(|selector| side(Role::Good, selector, None));
            good.chain(total.iter().map(|selector| side(Role::TotalBesideGood, selector, None))).collect()
        }
        Sli::Latency { buckets, within } => {
            vec![side(Role::Good, buckets, Some(*within)), side(Role::TotalBesideGood, buckets, Some(f64::INFINITY))]
        }
    };
    LanePlan { slo: Arc::clone(slo), sides, queries: Vec::new() }
}

fn needed(lane: &LanePlan, targets: Option<TargetQueries>) -> Vec<usize> {
    let of_targets = targets.into_iter().flat_map(|targets| [targets.up, targets.starts]);
    let queries: BTreeSet<usize> = lane.sides.iter().map(|side| side.query).chain(of_targets).collect();
    queries.into_iter().collect()
}

/// The queries while they are being collected.
struct Queries {
    selectors: Vec<Selector>,
    /// Selectors that others may be served by.
    wide: BTreeMap<Selector, usize>,
    /// Selectors that only their own series may be told by.
    alone: BTreeMap<Selector, usize>,
    /// Histograms, with their thresholds in the query.
    histograms: BTreeMap<Selector, usize>,
}

impl Queries {
    fn of(lanes: &[LanePlan]) -> Self {
        let mut queries = Self { selectors: Vec::new(), wide: BTreeMap::new(), alone: BTreeMap::new(), histograms: BTreeMap::new() };
        let mut plain = BTreeSet::new();
        let mut thresholds: BTreeMap<&Selector, BTreeSet<String>> = BTreeMap::new();
        for side in lanes.iter().flat_map(|lane| &lane.sides) {
            match side.boundary {
                Some(boundary) if boundary.is_finite() => {
                    thresholds.entry(&side.selector).or_default().insert(spellings(boundary));
                }
                Some(_) => {}
                None if side.compiled.local() => {
                    plain.insert(&side.selector);
                }
                None => queries.alone_for(&side.selector),
            }
        }
        for selector in &plain {
            if widest(selector, &plain) == **selector {
                let at = queries.ask((*selector).clone());
                queries.wide.insert((*selector).clone(), at);
            }
        }
        for (selector, spelt) in thresholds {
            let value = spelt.into_iter().chain(["\\+Inf".to_owned()]).collect::<Vec<_>>().join("|");
            let at = queries.ask(selector.with(Matcher { label: "le".to_owned(), op: MatchOp::Regex, value }));
            queries.histograms.insert(selector.clone(), at);
        }
        queries
    }

    fn ask(&mut self, selector: Selector) -> usize {
        self.selectors.push(selector);
        self.selectors.len() - 1
    }

    fn alone_for(&mut self, selector: &Selector) {
        if !self.alone.contains_key(selector) {
            let at = self.ask(selector.clone());
            self.alone.insert(selector.clone(), at);
        }
    }

    /// The query that holds the series of a side.
    fn serving(&self, side: &Side) -> usize {
        let at = if side.boundary.is_some() {
            self.histograms.get(&side.selector)
        } else if side.compiled.local() {
            self.wide.get(&widest(&side.selector, &self.wide.keys().collect()))
        } else {
            self.alone.get(&side.selector)
        };
        *at.expect("every side was collected before")
    }

    fn for_targets(&mut self) -> TargetQueries {
        let mut bare = |metric: &str| {
            let selector = Selector::new(metric, Vec::new());
            self.wide.get(&selector).copied().unwrap_or_else(|| self.ask(selector))
        };
        TargetQueries { up: bare("up"), starts: bare("process_start_time_seconds") }
    }
}

/// The widest of `among` that covers `selector`; itself where there is none. Of two equally wide the first in order.
fn widest(selector: &Selector, among: &BTreeSet<&Selector>) -> Selector {
    let matchers = selector.matchers();
    if matchers.len() > 10 {
        let covering = among.iter().filter(|other| other.covers(selector));
        return covering.min_by_key(|other| (other.matchers().len(), **other)).map_or_else(|| selector.clone(), |other| (*other).clone());
    }
    let subsets = (0_u32..1 << matchers.len()).map(|chosen| {
        let some = matchers.iter().enumerate().filter(|(bit, _)| chosen >> bit & 1 == 1).map(|(_, matcher)| matcher.clone());
        Selector::new(selector.metric(), some.collect())
    });
    let known = subsets.filter(|subset| among.contains(subset));
    known.min_by_key(|subset| (subset.matchers().len(), subset.clone())).unwrap_or_else(|| selector.clone())
}

impl Consumers {
    fn of(query: usize, lanes: &[LanePlan]) -> Self {
        let sides = || {
            let numbered = lanes.iter().enumerate();
            numbered.flat_map(move |(lane, plan)| {
                plan.sides.iter().enumerate().filter(move |(_, side)| side.query == query).map(move |(at, side)| ((lane, at), side))
            })
        };
        let mut common: BTreeMap<(String, String), usize> = BTreeMap::new();
        for (_, side) in sides() {
            for pair in equalities(side) {
                *common.entry(pair).or_default() += 1;
            }
        }
        let mut consumers = Self::default();
        for (taker, side) in sides() {
            match equalities(side).min_by_key(|pair| common.get(pair).copied()) {
                Some(pair) => consumers.by_label.entry(pair).or_default().push(taker),
                None => consumers.rest.push(taker),
            }
        }
        consumers
    }
}

/// The label values that every series of a side has.
fn equalities(side: &Side) -> impl Iterator<Item = (String, String)> + '_ {
    let equal = side.selector.matchers().iter().filter(|matcher| matcher.op == MatchOp::Equal && !matcher.value.is_empty());
    equal.map(|matcher| (matcher.label.clone(), matcher.value.clone()))
}

/// A regular expression for every spelling of a bucket boundary that client libraries use: `0.3`, `.3`, `0.30`, `3e-01`, `3.0E-1`; `30`, `30.0`, `3e+01`.
fn spellings(boundary: f64) -> String {
    let scientific = format!("{boundary:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let (digits, exponent) = (mantissa.replace('.', ""), exponent.parse::<i32>().unwrap_or(0));
    let sign = match exponent {
        0 => "[+-]?0+".to_owned(),
        up if up > 0 => format!("\\+?0*{up}"),
        down => format!("-0*{}", down.abs()),
    };
    let tail = if digits.len() == 1 { "(\\.0*)?".to_owned() } else { format!("\\.{}0*", &digits[1..]) };
    let scientific = format!("{}{tail}[eE]{sign}", &digits[..1]);
    match plain(&digits, exponent) {
        Some(plain) => format!("{plain}|{scientific}"),
        None => scientific,
    }
}

/// The spelling without an exponent, where it is not absurdly long.
fn plain(digits: &str, exponent: i32) -> Option<String> {
    let point = usize::try_from(exponent.abs()).ok().filter(|places| *places <= 20)?;
    Some(if exponent < 0 {
        format!("0?\\.{}{digits}0*", "0".repeat(point - 1))
    } else if digits.len() <= point + 1 {
        format!("{digits}{}(\\.0*)?", "0".repeat(point + 1 - digits.len()))
    } else {
        format!("{}\\.{}0*", &digits[..=point], &digits[point + 1..])
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::fixture;

    fn printed(plan: &Plan) -> Vec<String> {
        plan.queries().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn one_wide_query_serves_many_slos() {
        let plan = Plan::new(&[
            fixture::availability("a", r#"m{job="x"}"#, &[("code", MatchOp::Regex, "5..")]),
            fixture::availability("b", r#"m{job="x"}"#, &[("code", MatchOp::Equal, "500")]),
            fixture::availability("c", r#"m{job="y"}"#, &[]),
        ]);
        assert_eq!(printed(&plan), [r#"m{job="x"}"#, r#"m{job="y"}"#, "up", "process_start_time_seconds"]);
        let takers = plan.takers(0, &fixture::labels(&[("__name__", "m"), ("job", "x"), ("code", "500")]));
        assert_eq!(takers, [(0, 0), (0, 1), (1, 0), (1, 1)]);
        let takers = plan.takers(0, &fixture::labels(&[("__name__", "m"), ("job", "x"), ("code", "200")]));
        assert_eq!(takers, [(0, 1), (1, 1)]);
    }

    #[test]
    fn a_selector_that_cannot_be_matched_here_is_asked_for_alone() {
        let plan = Plan::new(&[fixture::availability("a", r#"m{job="x"}"#, &[("path", MatchOp::Regex, r"\pL+")])]);
        assert_eq!(printed(&plan), [r#"m{job="x",path=~"\\pL+"}"#, r#"m{job="x"}"#, "up", "process_start_time_seconds"]);
    }

    #[test]
    fn every_spelling_of_a_threshold_is_asked_for_and_no_other_number() {
        for (boundary, same, others) in [
            (0.3, vec!["0.3", "0.30", ".3", "3e-01", "3.0E-1", "3e-1"], vec!["0.31", "3", "30", "0.03", "1.3", "+Inf"]),
            (30.0, vec!["30", "30.0", "30.", "3e+01", "3.0e1"], vec!["3", "300", "30.1", "3e-01"]),
            (2.5, vec!["2.5", "2.50", "2.5e+00", "2.5e0"], vec!["25", "2.55", "0.25"]),
            (1e-5, vec!["0.00001", "1e-05", "1.0E-5"], vec!["0.0001", "1e-06"]),
            (10_000_000.0, vec!["10000000", "1e+07", "1.0E7", "10000000.0"], vec!["1e+08", "1e-07"]),
        ] {
            let regex = crate::sli::dialect::compile(&spellings(boundary), Dialect::default()).expect("own expression");
            for text in &same {
                assert!(regex.is_match(text), "{boundary} is also {text}");
                assert_eq!(text.parse(), Ok(boundary), "{text}");
            }
            for text in others {
                assert!(!regex.is_match(text), "{boundary} is not {text}");
            }
        }
    }

    #[test]
    fn thresholds_of_one_histogram_share_a_query() {
        let plan = Plan::new(&[fixture::latency("a", 0.3), fixture::latency("b", 1.0)]);
        assert_eq!(plan.queries().len(), 3);
        let takers = |le| plan.takers(0, &fixture::labels(&[("__name__", "h_bucket"), ("job", "x"), ("le", le)]));
        assert_eq!(
            (takers("0.30"), takers("1.0"), takers("+Inf"), takers("2")),
            (vec![(0, 0)], vec![(1, 0)], vec![(0, 1), (1, 1)], vec![])
        );
    }
}
