//! The plan of one source: which queries are asked for a set of SLOs, and which SLO needs which answer for what.
//!
//! Queries are the widest selectors that serve every SLO: `m{job="a"}` serves `m{job="a",code=~"5.."}` too, whose series are told apart here.
//! All latency thresholds of one histogram share one query, whose `le` matcher admits every spelling of each threshold. A selector that cannot
//! be matched here (`CompiledSelector::local`) is asked for alone. Equal expressions with an equal step are one query.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

mod boundary;
mod queries;
mod side;

pub(super) use boundary::bucket_boundary;
pub(super) use boundary::spellings;
pub use boundary::{beside, boundaries_of};
pub(super) use side::{Role, Side};

use super::{Query, Replica, count::hash_of, group_of, slice::TEN_SECONDS, steps::Steps};
use crate::{
    id::Group,
    sli::{Dialect, Labels, MatchOp, Sli},
    slo::Slo,
};
use queries::Queries;

/// What is asked of one source, and which SLO needs which answer.
#[derive(Debug, Clone)]
pub struct Plan {
    queries: Arc<[Query]>,
    lanes: Vec<LanePlan>,
    consumers: Vec<Consumers>,
    targets: Option<TargetQueries>,
    /// By the query of a histogram's thresholds: that of all its buckets, which is asked only where a threshold is missing.
    looks: BTreeMap<usize, usize>,
    /// The replica that is read, where there are several.
    replica: Option<Replica>,
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
    /// The counters that it is made of; none where it is made of expressions.
    pub sides: Vec<Side>,
    /// The expressions that it is made of.
    pub steps: Option<Steps>,
    /// The queries that it needs, sorted, with those for targets where it is made of counters.
    pub queries: Vec<usize>,
}

impl LanePlan {
    /// The thresholds of a histogram that the SLO is judged by, with the indices of their sides.
    pub(super) fn thresholds(&self) -> impl Iterator<Item = (usize, &Side)> {
        self.sides.iter().enumerate().filter(|(_, side)| side.is_threshold())
    }

    /// True where buckets of a histogram tell good from bad.
    pub(super) fn has_thresholds(&self) -> bool {
        self.thresholds().next().is_some()
    }

    /// True where failed scrapes are what is counted: they hide nothing then.
    pub(super) fn counts_scrapes(&self) -> bool {
        self.sides.iter().any(|side| side.role == Role::Probe && side.selector.metric() == "up")
    }

    /// True where the first value of a series may be events.
    pub(super) fn has_first_values(&self) -> bool {
        self.sides.iter().any(|side| side.role.is_counter() || side.role == Role::Observed)
    }

    /// The slices that are judged by what exists in them; `None` for an SLO of any other kind.
    pub(super) fn presence(&self) -> Option<Duration> {
        match &self.slo.sli {
            Sli::Presence { slice, .. } => Some(*slice),
            Sli::Events { .. } | Sli::Latency { .. } | Sli::Probe { .. } | Sli::Window { .. } | Sli::Query { .. } | Sli::Composite(_) => {
                None
            }
        }
    }

    /// The groups that there are from the start.
    pub(super) fn expected(&self) -> &[Group] {
        match &self.slo.sli {
            Sli::Presence { expected, .. } => expected,
            Sli::Events { .. } | Sli::Latency { .. } | Sli::Probe { .. } | Sli::Window { .. } | Sli::Query { .. } | Sli::Composite(_) => {
                &[]
            }
        }
    }

    /// The group that a series belongs to; `None` where the SLO names its groups and this is none of them.
    pub(super) fn group_of(&self, labels: &Labels) -> Option<Group> {
        let group = group_of(&self.slo.per, labels);
        (self.expected().is_empty() || self.expected().contains(&group)).then_some(group)
    }

    /// The longest window of its objectives.
    pub(super) fn longest_window(&self) -> Duration {
        self.slo.objectives.iter().map(|objective| objective.window.longest()).max().unwrap_or_default()
    }

    /// True where raw samples are counted.
    pub(super) fn is_raw(&self) -> bool {
        self.steps.is_none() && self.is_read()
    }

    /// True where the source is asked for it; false where other SLOs make it up.
    pub(super) fn is_read(&self) -> bool {
        self.slo.sli.composite().is_none()
    }

    /// What its watermark is a multiple of.
    pub(super) fn grid(&self) -> Duration {
        let composite = || self.slo.sli.composite().map_or(TEN_SECONDS, |composite| composite.slice);
        self.steps.as_ref().map_or_else(composite, |steps| steps.step)
    }

    /// The queries for its events.
    pub(super) fn event_queries(&self) -> Vec<usize> {
        self.sides.iter().map(|side| side.query).chain(self.steps.iter().flat_map(Steps::queries)).collect()
    }

    /// What decides the meaning of its counters: while it is equal, counters may be carried from one plan to the next.
    fn meaning(&self) -> String {
        if let Some(steps) = &self.steps {
            return format!("{} per {:?}", steps.meaning(), self.slo.per);
        }
        if let Some(composite) = self.slo.sli.composite() {
            return format!("{composite:?} per {:?}", self.slo.per);
        }
        let slice = self.presence().map_or_else(String::new, |slice| format!(" {slice:?}"));
        let within = self.slo.sli.native_threshold().map_or_else(String::new, |within| format!(" within {within}"));
        let sides: Vec<String> = self.sides.iter().map(|side| format!("{:?} {} {:?}", side.role, side.selector, side.boundary)).collect();
        format!("{}{slice}{within} per {:?}", sides.join(" "), self.slo.per)
    }

    /// The same as a number, for the store.
    pub(super) fn meaning_hash(&self) -> u64 {
        hash_of(&self.meaning())
    }
}

/// Who needs the series of one query, by a label value that they ask for.
#[derive(Debug, Clone, Default)]
struct Consumers {
    /// By label, then by value.
    by_label: BTreeMap<String, BTreeMap<String, Vec<(usize, usize)>>>,
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
        for lane in &mut lanes {
            for side in &mut lane.sides {
                side.query = queries.serving(side);
            }
            lane.steps = Steps::of(&lane.slo.sli, |expression, step| queries.stepped(expression, step));
        }
        let targets = lanes.iter().any(LanePlan::is_raw).then(|| queries.for_targets());
        for lane in &mut lanes {
            lane.queries = needed(lane, targets);
        }
        let looks = queries.for_looks();
        let consumers = (0..queries.all.len()).map(|query| Consumers::of(query, &lanes)).collect();
        Self { queries: queries.all.into(), lanes, consumers, targets, looks, replica: None }
    }

    /// The same, read from one of several replicas.
    #[must_use]
    pub fn read_from(self, replica: Option<Replica>) -> Self {
        Self { replica, ..self }
    }

    /// The replica that is read, where there are several.
    pub const fn replica(&self) -> Option<Replica> {
        self.replica
    }

    /// The distinct questions, each as wide as it serves; `Read::query` is an index into them.
    pub fn queries(&self) -> &Arc<[Query]> {
        &self.queries
    }

    /// The questions that are asked for events each time; not those that tell of targets, which are there once for all, nor those that are asked only where
    /// something is missing.
    pub fn asked_for_events(&self) -> Vec<&Query> {
        let asked: BTreeSet<usize> = self.lanes.iter().filter(|lane| lane.is_read()).flat_map(LanePlan::event_queries).collect();
        asked.into_iter().map(|query| &self.queries[query]).collect()
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

    /// The query of all buckets of the histogram whose thresholds this query asks for.
    pub(super) fn look(&self, query: usize) -> Option<usize> {
        self.looks.get(&query).copied()
    }

    /// All of these: the query of the thresholds, and that of all buckets.
    pub(super) fn looks(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        self.looks.iter().map(|(query, look)| (*query, *look))
    }

    /// The sides that a series of this query's answer belongs to, as indices of lane and side, in order.
    pub(super) fn takers(&self, query: usize, labels: &Labels) -> Vec<(usize, usize)> {
        let consumers = &self.consumers[query];
        let named = labels.pairs().filter_map(|(label, value)| consumers.by_label.get(label)?.get(value)).flatten();
        let mut takers: Vec<_> =
            named.chain(&consumers.rest).copied().filter(|(lane, side)| self.lanes[*lane].sides[*side].takes(labels)).collect();
        takers.sort_unstable();
        takers
    }
}

fn lane(slo: &Arc<Slo>, dialect: Dialect) -> LanePlan {
    LanePlan { slo: Arc::clone(slo), sides: side::sides_of(&slo.sli, dialect), steps: None, queries: Vec::new() }
}

fn needed(lane: &LanePlan, targets: Option<TargetQueries>) -> Vec<usize> {
    let of_targets = targets.into_iter().filter(|_| lane.is_raw()).flat_map(|targets| [targets.up, targets.starts]);
    let queries: BTreeSet<usize> = lane.event_queries().into_iter().chain(of_targets).collect();
    queries.into_iter().collect()
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
                Some((label, value)) => consumers.by_label.entry(label).or_default().entry(value).or_default().push(taker),
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
    fn thresholds_of_one_histogram_share_a_query() {
        let plan = Plan::new(&[fixture::latency("a", 0.3, None), fixture::latency("b", 1.0, Some(2.5))]);
        let targets = ["up", "process_start_time_seconds"];
        assert_eq!(printed(&plan)[1..3], targets);
        assert_eq!(printed(&plan)[3..], [r#"h_bucket{job="x"}"#], "asked only where a bucket is missing");
        let takers = |le| plan.takers(0, &fixture::labels(&[("__name__", "h_bucket"), ("job", "x"), ("le", le)]));
        assert_eq!(
            (takers("0.30"), takers("1.0"), takers("2.5"), takers("+Inf"), takers("2")),
            (vec![(0, 0)], vec![(1, 0)], vec![(1, 1)], vec![(0, 1), (1, 2)], vec![])
        );
    }
}
