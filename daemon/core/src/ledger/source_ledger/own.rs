//! What of the source's answers is counted for one budget: for whoever asks why. Nothing is decided by it.

use std::collections::BTreeMap;

use super::{SourceLedger, round::OTHER};
use crate::{
    id::{Group, SloId},
    ledger::{
        Query,
        plan::{Role, Side, spellings},
    },
    sli::{MatchOp, Matcher, Selector},
};

/// One part of an SLI, as one budget has it.
#[derive(Debug, Clone, PartialEq)]
pub struct OwnPart {
    /// What its series count: `bad events`, `all events`.
    pub what: &'static str,
    /// The question whose answer holds them, among those of others.
    pub asked: Query,
    /// Its own series alone; `None` where no selector tells them from others: those of an expression, and of the group of all that were too many.
    pub own: Option<Query>,
    /// How many series of the answer are counted for it; `None` where none are told apart: an expression has one value for each group.
    pub series: Option<usize>,
}

impl SourceLedger {
    /// The parts of a group of an SLO; none of an SLO that is not of the plan, nor of one that others make up.
    pub fn own_parts(&self, slo: &SloId, group: &Group) -> Vec<OwnPart> {
        let Some(place) = self.plan.slos().position(|planned| planned.id == *slo) else { return Vec::new() };
        let (lane, queries) = (&self.plan.lanes()[place], self.plan.queries());
        if lane.sides.is_empty() {
            let of_expression = |query: usize| OwnPart { what: "values", asked: queries[query].clone(), own: None, series: None };
            return lane.event_queries().into_iter().map(of_expression).collect();
        }
        let taken = self.series_taken(slo, group);
        let part = |(at, side): (usize, &Side)| OwnPart {
            what: words(side.role),
            asked: queries[side.query].clone(),
            own: own_query(side, group),
            series: Some(taken.get(&at).copied().unwrap_or_default()),
        };
        lane.sides.iter().enumerate().map(part).collect()
    }

    /// By side of the SLO: how many series are counted for a group.
    fn series_taken(&self, slo: &SloId, group: &Group) -> BTreeMap<usize, usize> {
        let Some(stream) = self.stream(slo, group).map(|stream| stream.index) else { return BTreeMap::new() };
        let routes = self.series.iter().flat_map(|tracked| tracked.routes.iter()).filter(|route| route.stream == stream);
        routes.fold(BTreeMap::new(), |mut taken, route| {
            *taken.entry(route.side as usize).or_default() += 1;
            taken
        })
    }
}

const fn words(role: Role) -> &'static str {
    match role {
        Role::Bad => "bad events",
        Role::Good => "good events",
        Role::Within => "events within the threshold",
        Role::Tolerated => "events within the tolerated threshold",
        Role::TotalBesideBad | Role::TotalBesideGood => "all events",
        Role::Observed => "observations",
        Role::Probe => "probes",
        Role::Present => "series that must exist",
    }
}

/// The question for a side's series of one group.
fn own_query(side: &Side, group: &Group) -> Option<Query> {
    if group.labels().iter().any(|(_, value)| value == OTHER) {
        return None;
    }
    let equal = |(label, value): &(String, String)| Matcher { label: label.clone(), op: MatchOp::Equal, value: value.clone() };
    let bucket = side.boundary.map(|boundary| {
        let (op, value) = if boundary.is_finite() { (MatchOp::Regex, spellings(boundary)) } else { (MatchOp::Equal, "+Inf".to_owned()) };
        Matcher { label: "le".to_owned(), op, value }
    });
    let selector =
        group.labels().iter().map(equal).chain(bucket).fold(side.selector.clone(), |selector: Selector, matcher| selector.with(matcher));
    Some(match side.role {
        Role::Observed => Query::Histograms(selector),
        Role::Bad
        | Role::Good
        | Role::Within
        | Role::Tolerated
        | Role::TotalBesideBad
        | Role::TotalBesideGood
        | Role::Probe
        | Role::Present => Query::Raw(selector),
    })
}
