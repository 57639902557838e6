//! Expressions at the edges of a step: what their values mean for good and bad.
//!
//! Every instant stands for the step that ends there. A window's slice is one event: good if its value compares as promised. A query yields the events of
//! the step, counted in millionths so that no fraction is lost: sums of whole numbers stay exact, whatever the order.
//!
//! A value that is missing or cannot be counted makes its step unseen. A missing side beside a total that is there is zero events of that side, as with
//! counters: the series of the first failure does not exist before it.

use std::{
    collections::{BTreeMap, btree_map::Entry as Slot},
    time::Duration,
};

use super::{Counts, Reason, Series, Unknown, group_of, plan::Role, source_ledger::Answers};
use crate::{
    id::Group,
    sli::{Comparison, Counted, Expression, Sli},
    time::Timestamp,
};

/// Millionths of an event.
const MILLIONTHS: f64 = 1e6;

/// More events a second than this are not counted: over a window of a year their millionths would outgrow what the sums hold.
const MOST_A_SECOND: f64 = 250_000.0;

/// Values may lie this much beyond the end of what was asked before the clocks are called skewed.
const SKEW: Duration = Duration::from_secs(30);

/// What an SLO of expressions asks, and how the answers are judged.
#[derive(Debug, Clone)]
pub(super) struct Steps {
    /// The spacing of the instants; divides an hour.
    pub step: Duration,
    judge: Judge,
}

#[derive(Debug, Clone)]
enum Judge {
    /// A slice is good if the value compares so.
    Compare { expression: Asked, is: Comparison, threshold: f64 },
    /// The values are numbers of events.
    Count { side: Asked, role: Role, total: Asked },
}

/// An expression and the query that asks it.
#[derive(Debug, Clone)]
struct Asked {
    expression: Expression,
    query: usize,
}

/// What one instant tells of a group.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Outcome {
    /// What happened in the step that ends there.
    Counted(Counts),
    /// It cannot be counted.
    Fault(Unknown),
}

/// What the answers tell, by group and instant.
pub(super) type Readings = BTreeMap<Group, BTreeMap<Timestamp, Outcome>>;

/// The values of one expression; two at once contradict each other.
type Values = BTreeMap<(Group, Timestamp), Result<f64, Unknown>>;

impl Steps {
    /// What an SLI asks; `None` where it reads raw samples. `query` gives each expression its place among the queries.
    pub(super) fn of(sli: &Sli, mut query: impl FnMut(&Expression, Duration) -> usize) -> Option<Self> {
        match sli {
            Sli::Events { .. } | Sli::Latency { .. } | Sli::Probe { .. } | Sli::Presence { .. } | Sli::Composite(_) => None,
            Sli::Window { expression, is, threshold, slice } => {
                let expression = Asked { expression: expression.clone(), query: query(expression, *slice) };
                Some(Self { step: *slice, judge: Judge::Compare { expression, is: *is, threshold: *threshold } })
            }
            Sli::Query { counted, total, step } => {
                let (role, side) = match counted {
                    Counted::Bad(side) => (Role::Bad, side),
                    Counted::Good(side) => (Role::Good, side),
                };
                let mut asked = |expression: &Expression| Asked { expression: expression.clone(), query: query(expression, *step) };
                Some(Self { step: *step, judge: Judge::Count { side: asked(side), role, total: asked(total) } })
            }
        }
    }

    /// The queries whose answers it needs.
    pub(super) fn queries(&self) -> Vec<usize> {
        match &self.judge {
            Judge::Compare { expression, .. } => vec![expression.query],
            Judge::Count { side, total, .. } => vec![side.query, total.query],
        }
    }

    /// What decides the meaning of what it counts.
    pub(super) fn meaning(&self) -> String {
        match &self.judge {
            Judge::Compare { expression, is, threshold } => format!("{} {} {threshold} {:?}", expression.expression, is.sign(), self.step),
            Judge::Count { side, role, total } => format!("{role:?} {} of {} {:?}", side.expression, total.expression, self.step),
        }
    }

    /// The expression without whose values nothing is known.
    pub(super) fn total(&self) -> &Expression {
        match &self.judge {
            Judge::Compare { expression, .. } => &expression.expression,
            Judge::Count { total, .. } => &total.expression,
        }
    }

    /// What the answers tell of each group that these labels make.
    ///
    /// # Errors
    /// A value beyond what was asked, or beside the instants that were asked for.
    pub(super) fn readings(&self, per: &[String], answers: &Answers<'_>, to: Timestamp) -> Result<Readings, Unknown> {
        let values = |asked: &Asked| {
            let series = answers.get(&asked.query).and_then(|answer| answer.ok()).unwrap_or_default();
            self.values(per, series, to)
        };
        let mut readings = Readings::new();
        match &self.judge {
            Judge::Compare { expression, is, threshold } => {
                for ((group, at), value) in values(expression)? {
                    let outcome = value.and_then(|value| compare(value, *is, *threshold));
                    readings.entry(group).or_default().insert(at, outcome.into());
                }
            }
            Judge::Count { side, role, total } => {
                let mut sides = values(side)?;
                for ((group, at), total) in values(total)? {
                    let key = (group, at);
                    let side = sides.remove(&key).unwrap_or(Ok(0.0));
                    let outcome = side.and_then(|side| self.count(*role, side, total?));
                    readings.entry(key.0).or_default().insert(at, outcome.into());
                }
            }
        }
        Ok(readings)
    }

    fn values(&self, per: &[String], series: &[Series], to: Timestamp) -> Result<Values, Unknown> {
        let mut values = Values::new();
        for Series { labels, samples, .. } in series {
            let group = group_of(per, labels);
            for sample in samples {
                if sample.at > to.plus(SKEW) || sample.at.floor(self.step) != sample.at {
                    let detail = format!("a value lies at {} s, which was not asked for", sample.at.seconds());
                    return Err(Unknown::new(Reason::ClockSkew, detail));
                }
                match values.entry((group.clone(), sample.at)) {
                    Slot::Vacant(slot) => drop(slot.insert(Ok(sample.value))),
                    Slot::Occupied(mut slot) => drop(slot.insert(Err(several(&group)))),
                }
            }
        }
        Ok(values)
    }

    /// The events of one step. More good events than events in all say nothing; more bad ones are booked as they are, so that an outage that two
    /// exporters tell of at different moments is not missed.
    fn count(&self, role: Role, side: f64, total: f64) -> Result<Counts, Unknown> {
        let (side, total) = (self.millionths(side)?, self.millionths(total)?);
        let noise = 1 + total / 1_000_000_000_000;
        let side = if (total..=total + noise).contains(&side) { total } else { side };
        if role == Role::Good && side > total {
            let detail = format!("{} good events of {} events in all in one step", events(side), events(total));
            return Err(Unknown::new(Reason::GoodAboveTotal, detail));
        }
        let rest = total - side;
        Ok(if role == Role::Good {
            Counts { good: side, bad: rest, ..Counts::default() }
        } else {
            Counts { good: rest, bad: side, ..Counts::default() }
        })
    }

    /// A number of events in millionths, to the nearest.
    fn millionths(&self, value: f64) -> Result<i64, Unknown> {
        let most = MOST_A_SECOND * self.step.as_secs_f64();
        let fault = |reason, what: &str| Err(Unknown::new(reason, format!("a number of events is {what}")));
        let rounded = (value * MILLIONTHS).round();
        if value.is_nan() {
            fault(Reason::Nan, "NaN, as 0 / 0 is")
        } else if value.is_infinite() {
            fault(Reason::Infinite, "infinite, as 1 / 0 is")
        } else if rounded < 0.0 {
            fault(Reason::Negative, &format!("negative: {value}"))
        } else if value > most {
            fault(Reason::TooLarge, &format!("{value:e}; at most {most:e} are counted in a step: divide both expressions by 1000"))
        } else {
            #[expect(clippy::cast_possible_truncation, reason = "whole, and at most 9e14")]
            Ok(rounded as i64)
        }
    }
}

impl From<Result<Counts, Unknown>> for Outcome {
    fn from(result: Result<Counts, Unknown>) -> Self {
        match result {
            Ok(counts) => Self::Counted(counts),
            Err(unknown) => Self::Fault(unknown),
        }
    }
}

/// One slice: good or bad.
fn compare(value: f64, is: Comparison, threshold: f64) -> Result<Counts, Unknown> {
    if value.is_nan() {
        return Err(Unknown::new(Reason::Nan, "the expression is NaN, as 0 / 0 is"));
    }
    let holds = is.holds(value, threshold);
    Ok(Counts { good: i64::from(holds), bad: i64::from(!holds), ..Counts::default() })
}

fn several(group: &Group) -> Unknown {
    let which = if group.is_whole() { String::new() } else { format!(" for {group}") };
    let advice = "aggregate it, or name the labels that tell them apart in `per`";
    Unknown::new(Reason::Duplicate, format!("the expression has several values at once{which}: {advice}"))
}

/// Millionths as a person reads them.
fn events(millionths: i64) -> String {
    format!("{}", millionths as f64 / MILLIONTHS)
}
