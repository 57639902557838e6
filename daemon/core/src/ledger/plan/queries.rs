//! The queries of a plan while they are collected: the widest selectors that serve every side.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use super::{LanePlan, Role, Side, TargetQueries, boundary::spellings};
use crate::{
    ledger::Query,
    sli::{Expression, MatchOp, Matcher, Selector},
};

/// The queries while they are being collected.
#[derive(Default)]
pub(super) struct Queries {
    pub(super) all: Vec<Query>,
    /// Selectors that others may be served by.
    wide: BTreeMap<Selector, usize>,
    /// Selectors that only their own series may be told by.
    alone: BTreeMap<Selector, usize>,
    /// Histograms, with their thresholds in the query.
    histograms: BTreeMap<Selector, usize>,
    /// Native histograms.
    native: BTreeMap<Selector, usize>,
    /// Expressions with their steps.
    stepped: BTreeMap<(Expression, Duration), usize>,
}

impl Queries {
    pub(super) fn of(lanes: &[LanePlan]) -> Self {
        let mut queries = Self::default();
        let mut plain = BTreeSet::new();
        let mut thresholds: BTreeMap<&Selector, BTreeSet<String>> = BTreeMap::new();
        for side in lanes.iter().flat_map(|lane| &lane.sides) {
            match side.boundary {
                Some(boundary) if boundary.is_finite() => {
                    thresholds.entry(&side.selector).or_default().insert(spellings(boundary));
                }
                Some(_) => {}
                None if side.role == Role::Observed => queries.native_for(&side.selector),
                None if side.compiled.local() => {
                    plain.insert(&side.selector);
                }
                None => queries.alone_for(&side.selector),
            }
        }
        // The targets are asked for in any case: a probe of `up` needs no question of its own.
        let up = Selector::new("up", Vec::new());
        if plain.iter().any(|selector| up.covers(selector)) {
            plain.insert(&up);
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
        self.all.push(Query::Raw(selector));
        self.all.len() - 1
    }

    /// The query that asks for the values of an expression.
    pub(super) fn stepped(&mut self, expression: &Expression, step: Duration) -> usize {
        let (all, key) = (&mut self.all, (expression.clone(), step));
        *self.stepped.entry(key).or_insert_with_key(|(expression, step)| {
            all.push(Query::Stepped { expression: expression.clone(), step: *step });
            all.len() - 1
        })
    }

    fn native_for(&mut self, selector: &Selector) {
        if !self.native.contains_key(selector) {
            self.all.push(Query::Histograms(selector.clone()));
            self.native.insert(selector.clone(), self.all.len() - 1);
        }
    }

    fn alone_for(&mut self, selector: &Selector) {
        if !self.alone.contains_key(selector) {
            let at = self.ask(selector.clone());
            self.alone.insert(selector.clone(), at);
        }
    }

    /// The query that holds the series of a side.
    pub(super) fn serving(&self, side: &Side) -> usize {
        let at = if side.boundary.is_some() {
            self.histograms.get(&side.selector)
        } else if side.role == Role::Observed {
            self.native.get(&side.selector)
        } else if side.compiled.local() {
            self.wide.get(&widest(&side.selector, &self.wide.keys().collect()))
        } else {
            self.alone.get(&side.selector)
        };
        *at.expect("every side was collected before")
    }

    /// For each query of a histogram's thresholds one of all its buckets.
    pub(super) fn for_looks(&mut self) -> BTreeMap<usize, usize> {
        let histograms: Vec<(Selector, usize)> = self.histograms.iter().map(|(selector, at)| (selector.clone(), *at)).collect();
        histograms.into_iter().map(|(selector, at)| (at, self.ask(selector))).collect()
    }

    pub(super) fn for_targets(&mut self) -> TargetQueries {
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
