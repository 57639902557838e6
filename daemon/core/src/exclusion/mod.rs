//! Exclusions: time that a person took out of budgets, with a reason and somebody's approval.
//!
//! An exclusion is an entry that is never changed; withdrawing it is another entry. So what was known at any moment can be asked for as well as what
//! is known now. Which stretches a recurring one covers is civil time, which is not known here: whoever asks hands them in.
//!
//! Only whole slices are taken out, those that lie within what was asked: an exclusion never reaches further than somebody approved. Slices are of
//! 10 s where it is known early, and of the length that old slices have where it is recorded afterwards ([`whole_slices`]).

mod record;

use std::{fmt, time::Duration};

use crate::{
    id::{BudgetId, Group, NameError, ObjectiveName, ServiceName, SloId, SloName},
    ledger::{Counts, segment},
    time::Timestamp,
    window::Interval,
};

pub use record::{Case, Correction, Entry, Recorded, Recurrence, When, Withdrawal, fold};

/// An exclusion's identity within its tenant: `X-7`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExclusionId(pub u64);

impl ExclusionId {
    /// Reads `X-7`, `x-7` or `7`.
    pub fn parse(text: &str) -> Option<Self> {
        text.strip_prefix(['X', 'x']).and_then(|rest| rest.strip_prefix('-')).unwrap_or(text).parse().ok().map(Self)
    }
}

impl fmt::Display for ExclusionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "X-{}", self.0)
    }
}

/// Which budgets an exclusion is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// Whose budgets.
    pub of: Owner,
    /// Labels that a budget's group must have; empty: any group.
    pub group: Group,
}

/// Whose budgets an exclusion is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owner {
    /// All SLOs of the tenant.
    Tenant,
    /// All SLOs of a service.
    Service(ServiceName),
    /// One SLO.
    Slo(ServiceName, SloName),
    /// One objective of an SLO.
    Objective(ServiceName, SloName, ObjectiveName),
}

/// Its parts, as records and requests spell it: a service, an SLO of it, an objective of that.
pub type OwnerParts<S, N, O> = (Option<S>, Option<N>, Option<O>);

impl Owner {
    /// The owner of these parts; `None` where one lacks what it is a part of.
    pub fn of((service, slo, objective): OwnerParts<ServiceName, SloName, ObjectiveName>) -> Option<Self> {
        match (service, slo, objective) {
            (None, None, None) => Some(Self::Tenant),
            (Some(service), None, None) => Some(Self::Service(service)),
            (Some(service), Some(slo), None) => Some(Self::Slo(service, slo)),
            (Some(service), Some(slo), Some(objective)) => Some(Self::Objective(service, slo, objective)),
            (None, Some(_), _) | (_, None, Some(_)) => None,
        }
    }

    /// Its parts.
    pub const fn parts(&self) -> OwnerParts<&ServiceName, &SloName, &ObjectiveName> {
        match self {
            Self::Tenant => (None, None, None),
            Self::Service(service) => (Some(service), None, None),
            Self::Slo(service, slo) => (Some(service), Some(slo), None),
            Self::Objective(service, slo, objective) => (Some(service), Some(slo), Some(objective)),
        }
    }

    /// The owner whose parts are these texts.
    ///
    /// # Errors
    /// A text that is no name.
    pub fn parse((service, slo, objective): OwnerParts<&str, &str, &str>) -> Result<Option<Self>, NameError> {
        let parts = (
            service.map(ServiceName::parse).transpose()?,
            slo.map(SloName::parse).transpose()?,
            objective.map(ObjectiveName::parse).transpose()?,
        );
        Ok(Self::of(parts))
    }
}

impl Scope {
    /// Whether a budget is meant.
    pub fn covers(&self, budget: &BudgetId) -> bool {
        self.names(&budget.slo, &budget.objective) && self.holds(&budget.group)
    }

    /// Whether some group of an objective may be meant.
    pub fn names(&self, slo: &SloId, objective: &ObjectiveName) -> bool {
        let own = match &self.of {
            Owner::Objective(_, _, named) => named == objective,
            Owner::Tenant | Owner::Service(_) | Owner::Slo(..) => true,
        };
        own && self.is_of(slo)
    }

    /// Whether some budget over the events of a group is meant.
    pub fn touches(&self, slo: &SloId, group: &Group) -> bool {
        self.is_of(slo) && self.holds(group)
    }

    /// Whether some budget of an SLO may be meant.
    pub fn is_of(&self, slo: &SloId) -> bool {
        match &self.of {
            Owner::Tenant => true,
            Owner::Service(service) => *service == slo.service,
            Owner::Slo(service, name) | Owner::Objective(service, name, _) => *service == slo.service && *name == slo.name,
        }
    }

    fn holds(&self, group: &Group) -> bool {
        self.group.labels().iter().all(|label| group.labels().contains(label))
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.of {
            Owner::Tenant => f.write_str("all SLOs")?,
            Owner::Service(service) => write!(f, "{service}")?,
            Owner::Slo(service, name) => write!(f, "{service}/{name}")?,
            Owner::Objective(service, name, objective) => write!(f, "{service}/{name}#{objective}")?,
        }
        write!(f, "{}", self.group)
    }
}

/// What an SLO makes of excluded time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ExcludedTime {
    /// Its events are taken out, good and bad: what is left is judged as if that time had not been.
    #[default]
    Removed,
    /// Its events stay in the whole and count as good.
    CountsAsGood,
}

impl ExcludedTime {
    /// The word as definitions write it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Removed => "removed",
            Self::CountsAsGood => "counts-as-good",
        }
    }

    /// A window's counts without what lies in excluded time. That nobody saw in that time hides nothing any more.
    #[must_use]
    pub fn apply(self, all: Counts, excluded: Counts) -> Counts {
        let rest = all - excluded;
        match self {
            Self::Removed => rest,
            Self::CountsAsGood => Counts { good: rest.good + excluded.total(), ..rest },
        }
    }
}

/// What of a window is excluded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Excluded {
    /// What was counted in that time.
    pub counts: Counts,
    /// How long it is.
    pub time: Duration,
    /// How much of that is since counting began.
    pub held: Duration,
    /// What the SLO makes of it.
    pub treated: ExcludedTime,
}

impl Excluded {
    /// The same, of a window of which the ledger holds what is after `counted_from`, up to `until`. The stretches neither overlap nor touch.
    #[must_use]
    pub fn held_since(self, counted_from: Option<Timestamp>, stretches: &[Interval], over: Interval, until: Timestamp) -> Self {
        let held = counted_from.map(|from| Interval { from: from.max(over.from), to: over.to.min(until) });
        Self { held: held.map_or(Duration::ZERO, |held| time_within(stretches, held).min(self.time)), ..self }
    }
}

/// How long stretches that neither overlap nor touch lie within another.
pub fn time_within(stretches: &[Interval], over: Interval) -> Duration {
    stretches.iter().map(|stretch| stretch.to.min(over.to).since(stretch.from.max(over.from))).sum()
}

/// What is known: all that is recorded by now, or what was by a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// As corrected: everything.
    Now,
    /// As it was known then: what was recorded up to that moment.
    By(Timestamp),
}

/// One exclusion with the stretches that it takes out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exclusion {
    /// Which.
    pub id: ExclusionId,
    /// From which budgets.
    pub scope: Scope,
    /// When it was recorded.
    pub recorded_at: Timestamp,
    /// When it was withdrawn.
    pub withdrawn_at: Option<Timestamp>,
    /// Whole slices, sorted.
    pub stretches: Vec<Interval>,
}

impl Exclusion {
    /// Whether it stood, as far as was known.
    pub fn stands(&self, known: Known) -> bool {
        match known {
            Known::Now => self.withdrawn_at.is_none(),
            Known::By(at) => self.recorded_at <= at && self.withdrawn_at.is_none_or(|withdrawn| withdrawn > at),
        }
    }
}

/// All exclusions of a tenant, withdrawn ones too.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exclusions(Vec<Exclusion>);

impl Exclusions {
    /// These exclusions.
    pub fn new(exclusions: Vec<Exclusion>) -> Self {
        Self(exclusions)
    }

    /// The exclusion of this identity.
    pub fn get(&self, id: ExclusionId) -> Option<&Exclusion> {
        self.0.iter().find(|exclusion| exclusion.id == id)
    }

    /// Those that take time out of a budget.
    pub fn of(&self, budget: &BudgetId, known: Known) -> impl Iterator<Item = &Exclusion> {
        self.0.iter().filter(move |exclusion| exclusion.stands(known) && exclusion.scope.covers(budget))
    }

    /// The time that is taken out of a budget: sorted, and no two stretches overlap.
    pub fn stretches(&self, budget: &BudgetId, known: Known) -> Vec<Interval> {
        merged(self.of(budget, known).flat_map(|exclusion| exclusion.stretches.iter().copied()).collect())
    }

    /// The instants after `since` at which somebody sums the events of a group: also those of withdrawn exclusions, which were known once.
    pub fn edges(&self, slo: &SloId, group: &Group, since: Timestamp) -> Vec<Timestamp> {
        let touching = self.0.iter().filter(|exclusion| exclusion.scope.touches(slo, group));
        let stretches = touching.flat_map(|exclusion| &exclusion.stretches);
        let mut edges: Vec<Timestamp> = stretches.flat_map(|stretch| [stretch.from, stretch.to]).filter(|edge| *edge > since).collect();
        edges.sort_unstable();
        edges.dedup();
        edges
    }
}

/// The whole slices that lie within what was asked, as slices are held for an exclusion that is recorded then; `None` where there is none.
pub fn whole_slices(asked: Interval, recorded_at: Timestamp) -> Option<Interval> {
    let grid = |edge: Timestamp| segment::grid(recorded_at.since(edge));
    let whole = Interval { from: asked.from.ceil(grid(asked.from)), to: asked.to.floor(grid(asked.to)) };
    (whole.from < whole.to).then_some(whole)
}

/// The slices that what was asked touches: all that an incident's failures can be in.
pub fn touched_slices(asked: Interval, recorded_at: Timestamp) -> Interval {
    let grid = |edge: Timestamp| segment::grid(recorded_at.since(edge));
    Interval { from: asked.from.floor(grid(asked.from)), to: asked.to.ceil(grid(asked.to)) }
}

/// The same time in stretches that neither overlap nor touch, sorted.
pub fn merged(mut stretches: Vec<Interval>) -> Vec<Interval> {
    stretches.retain(|stretch| stretch.from < stretch.to);
    stretches.sort_unstable();
    stretches.dedup_by(|next, last| {
        let joins = next.from <= last.to;
        if joins {
            last.to = last.to.max(next.to);
        }
        joins
    });
    stretches
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        id::TenantId,
        time::{days, hours, minutes},
    };

    const AT: fn(i64) -> Timestamp = Timestamp::from_seconds;

    fn stretch(from: i64, to: i64) -> Interval {
        Interval { from: AT(from), to: AT(to) }
    }

    fn slo(service: &str, name: &str) -> SloId {
        SloId {
            tenant: TenantId::parse("main").expect("a name"),
            service: ServiceName::parse(service).expect("a name"),
            name: SloName::parse(name).expect("a name"),
        }
    }

    fn budget(objective: &str, labels: &[(&str, &str)]) -> BudgetId {
        let labels = labels.iter().map(|(label, value)| ((*label).to_owned(), (*value).to_owned())).collect();
        BudgetId { slo: slo("checkout", "latency"), objective: ObjectiveName::parse(objective).expect("a name"), group: Group::new(labels) }
    }

    fn exclusion(id: u64, recorded_at: i64, withdrawn_at: Option<i64>, stretches: Vec<Interval>) -> Exclusion {
        let scope = Scope { of: Owner::Tenant, group: Group::whole() };
        Exclusion { id: ExclusionId(id), scope, recorded_at: AT(recorded_at), withdrawn_at: withdrawn_at.map(AT), stretches }
    }

    #[test]
    fn a_scope_covers_what_it_names_and_what_lies_below_it() {
        let service = |name: &str| ServiceName::parse(name).expect("a name");
        let name = |name: &str| SloName::parse(name).expect("a name");
        let objective = |name: &str| ObjectiveName::parse(name).expect("a name");
        let acme = Group::new(vec![("tenant".to_owned(), "acme".to_owned())]);
        for (of, group, covers_main, covers_sla) in [
            (Owner::Tenant, Group::whole(), true, true),
            (Owner::Service(service("checkout")), Group::whole(), true, true),
            (Owner::Service(service("cart")), Group::whole(), false, false),
            (Owner::Slo(service("checkout"), name("latency")), Group::whole(), true, true),
            (Owner::Slo(service("checkout"), name("availability")), Group::whole(), false, false),
            (Owner::Objective(service("checkout"), name("latency"), objective("sla")), Group::whole(), false, true),
            (Owner::Tenant, acme.clone(), true, false),
        ] {
            let scope = Scope { of, group };
            let of_acme = budget("main", &[("region", "eu"), ("tenant", "acme")]);
            assert_eq!((scope.covers(&of_acme), scope.covers(&budget("sla", &[]))), (covers_main, covers_sla), "{scope}");
        }
    }

    #[test]
    fn what_is_known_by_a_moment_holds_neither_later_entries_nor_later_withdrawals() {
        let excluded = Exclusions::new(vec![
            exclusion(1, 100, None, vec![stretch(0, 10)]),
            exclusion(2, 200, Some(300), vec![stretch(10, 20)]),
            exclusion(3, 400, None, vec![stretch(30, 40)]),
        ]);
        let of = |known| excluded.stretches(&budget("main", &[]), known);
        for (known, expected) in [
            (Known::By(AT(99)), vec![]),
            (Known::By(AT(100)), vec![stretch(0, 10)]),
            (Known::By(AT(299)), vec![stretch(0, 20)]),
            (Known::By(AT(300)), vec![stretch(0, 10)]),
            (Known::Now, vec![stretch(0, 10), stretch(30, 40)]),
        ] {
            assert_eq!(of(known), expected, "{known:?}");
        }
        let edges = excluded.edges(&slo("checkout", "latency"), &Group::whole(), AT(0));
        assert_eq!(edges, [AT(10), AT(20), AT(30), AT(40)]);
    }

    #[test]
    fn an_exclusion_takes_out_the_whole_slices_within_it_and_older_slices_are_longer() {
        let asked = Interval { from: AT(90_061), to: AT(93_599) };
        for (age, expected) in
            [(minutes(0), Some((90_070, 93_590))), (hours(3), Some((90_120, 93_540))), (days(10), Some((90_300, 93_300))), (days(60), None)]
        {
            let whole = whole_slices(asked, asked.to.plus(age));
            assert_eq!(whole, expected.map(|(from, to)| stretch(from, to)), "{age:?} later");
        }
    }

    #[test]
    fn stretches_that_overlap_or_touch_are_one() {
        let all = vec![stretch(50, 60), stretch(0, 10), stretch(5, 20), stretch(20, 30), stretch(40, 40), stretch(52, 55)];
        assert_eq!(merged(all), [stretch(0, 30), stretch(50, 60)]);
    }

    #[test]
    fn excluded_events_leave_the_whole_or_count_as_good() {
        let all = Counts { good: 90, tolerated: 4, bad: 6, unseen_millis: 500 };
        let excluded = Counts { good: 10, tolerated: 1, bad: 5, unseen_millis: 400 };
        assert_eq!(ExcludedTime::Removed.apply(all, excluded), Counts { good: 80, tolerated: 3, bad: 1, unseen_millis: 100 });
        assert_eq!(ExcludedTime::CountsAsGood.apply(all, excluded), Counts { good: 96, tolerated: 3, bad: 1, unseen_millis: 100 });
    }
}
