//! How budgets stood at moments of the past: for reports, and for whoever asks why. Nothing is decided.

use std::{collections::BTreeMap, iter, sync::Arc, time::Duration};

use burnward_core::{
    alert::AlertState,
    evaluate::{BudgetStatus, Input, State, standing},
    exclusion::{Excluded, ExclusionId, Known},
    id::{BudgetId, Group, SloId, SourceName},
    ledger::{Counts, Late, MemberVerdicts, Reason, StoredStream, Stream, Sums, Unknown, segment},
    report::{Corrections, spend::stretches},
    slo::{CountedIn, Objective, Slo},
    time::Timestamp,
    window::{Interval, Window},
    words,
};

use super::book::Book;
use crate::calendar;

/// What is asked of the past.
#[derive(Debug, Clone)]
pub struct PastAsked {
    /// Of which SLOs; unknown ones are left out of the answer.
    pub slos: Vec<SloId>,
    /// Of which of their groups.
    pub groups: Groups,
    /// How budgets stood when.
    pub moments: Vec<Moment>,
    /// The slices of a stretch, too, of budgets of which something failed in it, as far as was known at the first of the moments.
    pub slices: Option<Interval>,
    /// By which definitions these are judged, where not by those that run.
    pub by: BTreeMap<SloId, Arc<Slo>>,
    /// What the store holds of budgets, for moments whose windows begin before what the memory holds.
    pub stored: BTreeMap<BudgetId, Arc<StoredStream>>,
}

impl PastAsked {
    /// Nothing yet but which SLOs.
    pub const fn of(slos: Vec<SloId>) -> Self {
        Self {
            slos,
            groups: Groups::SplitBy(BTreeMap::new()),
            moments: Vec::new(),
            slices: None,
            by: BTreeMap::new(),
            stored: BTreeMap::new(),
        }
    }
}

/// Which groups are asked for.
#[derive(Debug, Clone)]
pub enum Groups {
    /// Those that an SLO was split into by these labels; where it is not named, by those of the definition that judges it.
    SplitBy(BTreeMap<SloId, Vec<String>>),
    /// This one, whether its SLO is split so now or was.
    One(Group),
    /// All that there are and were.
    Every,
}

/// Which slices of a budget are asked for.
#[derive(Debug, Clone)]
pub struct SlicesAsked {
    /// Which budget.
    pub budget: BudgetId,
    /// What it is counted in, by the definition that it is judged by.
    pub counted_in: CountedIn,
    /// Over which stretch.
    pub over: Interval,
    /// How many slices at most; neighbours are summed.
    pub at_most: usize,
}

/// A moment of the past.
#[derive(Debug, Clone)]
pub struct Moment {
    /// When.
    pub at: Timestamp,
    /// As corrected by now, or as it was known by some moment.
    pub known: Known,
    /// The states of the alerts then; a budget that is not named had none.
    pub alerts: Arc<BTreeMap<BudgetId, AlertState>>,
}

/// One budget at the moments that were asked for.
#[derive(Debug, Clone)]
pub struct PastBudget {
    /// Which budget.
    pub budget: BudgetId,
    /// Its SLO.
    pub slo: Arc<Slo>,
    /// Where its slices are; `None`: there are none.
    pub place: Option<Place>,
    /// How it stood, in the order of the moments.
    pub standing: Vec<BudgetStatus>,
    /// How far the figures of each of them reach.
    pub reaches: Vec<Reach>,
    /// From when on its events are held; `None`: none are.
    pub held_from: Option<Timestamp>,
    /// What was counted over the stretch outside of excluded time, of a calendar window in its last period alone; nothing where no stretch was asked for.
    pub counted: Counts,
    /// The slices that this is the sum of, at most an hour each; none where nothing failed.
    pub slices: Vec<(Interval, Counts)>,
    /// What the members of a journey did in the stretch, outside of excluded time.
    pub members: Vec<MemberVerdicts>,
    /// What corrected the figures of the first moment and of the stretch.
    pub corrections: Corrections,
}

/// How far the figures of a moment reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reach {
    /// Up to where events are counted: the moment, or the end of the slice that it lies in.
    pub to: Timestamp,
    /// True where no sample up to there is awaited any more: the figures stand.
    pub settled: bool,
    /// How long the slices are that the figures are sums of there; of history that was filled in, the spacing of the values that it was counted from.
    pub slices: Duration,
    /// Over how long at once events are held there, where that is longer than the shortest lookback of an alert row.
    pub coarse: Option<Duration>,
    /// For how long nobody had seen any sample of it, where nobody had: then no row decided.
    pub blind_for: Option<Duration>,
}

impl PastBudget {
    /// How it stood at each of the moments as somebody saw it then: nothing is decided by figures of a time that nobody sees.
    pub fn stood(self) -> impl Iterator<Item = (BudgetStatus, Option<Reach>)> {
        let reaches = self.reaches.into_iter().map(Some).chain(iter::repeat(None));
        self.standing.into_iter().zip(reaches).map(|(standing, reach)| match reach.and_then(|reach| reach.blind_for) {
            Some(blind_for) => (unseen(standing, blind_for), reach),
            None => (standing, reach),
        })
    }
}

/// A budget as it stood while nobody saw its samples.
fn unseen(standing: BudgetStatus, blind_for: Duration) -> BudgetStatus {
    let state = if standing.alerts.holds() { State::Burning } else { State::CannotSee };
    let unknown = Unknown::new(Reason::Stale, format!("nothing had been seen for {}", words::duration(blind_for)));
    BudgetStatus { state, rows: Vec::new(), runs_out: None, unknown: Some(unknown), ..standing }
}

/// Where the slices of a budget are, events or verdicts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// In the ledger of which source.
    pub source: SourceName,
    /// In which of its streams.
    pub stream: u32,
    /// From when on its events are counted, or judged.
    pub counted_from: Option<Timestamp>,
    /// From when on the memory holds each of its finest slices.
    pub each_from: Option<Timestamp>,
}

/// Slices of a stretch at most: of a week, by the hour, and one more where clocks are set back or the week begins within an hour.
const SLICES: usize = 7 * 24 + 2;

impl Book {
    /// The budgets of the SLOs at the moments; an SLO without a stream has one budget per objective, of which nothing was seen.
    /// `late` holds what was found late since the first moment of which is asked what was known then, and since the beginning of the stretch.
    pub(super) fn past(&self, asked: &PastAsked, late: &[Late]) -> Vec<PastBudget> {
        let slos: BTreeMap<&SloId, &Arc<Slo>> =
            asked.slos.iter().filter_map(|id| self.slos.get_key_value(id)).map(|(id, slo)| (id, asked.by.get(id).unwrap_or(slo))).collect();
        let mut found = Vec::new();
        for slo in slos.into_values() {
            let streams = self.streams_asked(slo, &asked.groups);
            for stream in &streams {
                found.extend(slo.objectives.iter().map(|objective| self.past_budget(slo, objective, stream, asked, late)));
            }
            if streams.is_empty() {
                found.extend(slo.objectives.iter().map(|objective| never_seen(slo, objective, asked)));
            }
        }
        found
    }

    fn streams_asked(&self, slo: &Slo, groups: &Groups) -> Vec<&Stream> {
        match groups {
            Groups::SplitBy(per) => self.ledger.streams_split_by(&slo.id, per.get(&slo.id).unwrap_or(&slo.per)).collect(),
            Groups::One(group) => self.ledger.any_stream(&slo.id, group).into_iter().collect(),
            Groups::Every => self.ledger.every_stream(&slo.id).collect(),
        }
    }

    fn past_budget(&self, slo: &Arc<Slo>, objective: &Objective, stream: &Stream, asked: &PastAsked, late: &[Late]) -> PastBudget {
        let budget = BudgetId { slo: slo.id.clone(), objective: objective.name.clone(), group: stream.group.clone() };
        let counted_in = self.ledger.counted_in(stream.index, objective.counted_in);
        let stored = asked.stored.get(&budget);
        let counted_from = if stored.is_some() { self.ledger.counted_from(counted_in) } else { self.ledger.held_from(counted_in) };
        let at_moment = |moment: &Moment| {
            let is_held = counted_from.is_some_and(|from| from < moment.at);
            let over = calendar::interval(&objective.window, moment.at);
            let stretches = self.excluded.shown.exclusions.stretches(&budget, moment.known);
            let held = self.ledger.past_as_known(counted_in, moment.at, moment.known, late);
            let stored = stored.map(|stored| stored.without(counted_in, &Late::unknown(late, moment.known)));
            let kept = stored.as_ref().map(|stored| stored.until(moment.at));
            let (sums, excluded): (&dyn Sums, Excluded) = match &kept {
                Some(kept) => (kept, kept.excluded(over.from, &stretches, objective.counted_in.length())),
                None => (&held, held.excluded(over.from, &stretches)),
            };
            let excluded = excluded.held_since(counted_from, &stretches, over, moment.at);
            let input = Input {
                sums: if is_held { Ok(sums) } else { Err(Unknown::new(Reason::NotYet, "nothing was counted for it until then")) },
                held: None,
                over,
                newest_sample: stream.newest_sample.filter(|_| is_held).map(|newest| newest.min(moment.at)),
                counted_from,
                unjudged: self.ledger.unjudged(counted_in, Interval { to: moment.at, ..over }).map_or(Duration::ZERO, Interval::length),
                excluded,
                began: None,
                catching_up: false,
                to_fill: self.ledger.to_fill_of(stream.index, over.from),
                members: self.past_members(slo, stream, Interval { to: moment.at, ..over }),
            };
            let alerts = moment.alerts.get(&budget).copied().unwrap_or_default();
            standing(slo, objective, budget.clone(), &input, alerts, moment.at)
        };
        let standing = asked.moments.iter().map(at_moment).collect();
        let settled = self.ledger.settled_of(stream.index);
        let reach = |moment: &Moment| {
            let from = calendar::interval(&objective.window, moment.at).from;
            let held = self.ledger.past(counted_in, moment.at);
            let to = if stored.is_some() { moment.at } else { held.counted_to(from) };
            let slice = match stored {
                Some(_) => segment::grid(settled.unwrap_or(moment.at).since(moment.at)),
                None => held.slice_of(from).unwrap_or_default(),
            };
            let filled =
                self.ledger.fills(&slo.id).iter().filter(|fill| fill.from < moment.at && fill.to >= moment.at).map(|fill| fill.step);
            let slices = filled.fold(slice, Duration::max);
            // Of a journey its members say who could not be seen.
            let of_samples = slo.sli.composite().is_none() && counted_from.is_some_and(|from| from < moment.at);
            let blind_for =
                if of_samples { self.ledger.past_as_known(stream.index, moment.at, moment.known, late).blind_for() } else { None };
            let shortest = objective.rows.iter().map(|row| row.short).min();
            let coarse = shortest.and_then(|shortest| {
                let lookback = Interval { from: moment.at.minus(shortest), to: moment.at };
                Some(self.ledger.grain_within(&slo.id, counted_in, lookback)).filter(|grain| *grain > shortest)
            });
            Reach { to, settled: settled.is_some_and(|settled| moment.at <= settled), slices, coarse, blind_for }
        };
        let reaches = asked.moments.iter().map(reach).collect();
        let over = asked.slices.map(|asked| within_period(&objective.window, asked));
        let known = asked.moments.first().map_or(Known::Now, |moment| moment.known);
        let excluded = self.excluded.shown.exclusions.stretches(&budget, known);
        let of_week = |over: Interval| {
            let past = self.ledger.past_as_known(counted_in, over.to, known, late);
            past.since(over.from) - past.excluded(over.from, &excluded).counts
        };
        let counted = over.map(of_week).unwrap_or_default();
        let slices = match over {
            Some(over) if counted.bad != 0 || counted.tolerated != 0 => {
                let slices = self.ledger.slices_as_known(counted_in, over, SLICES, &excluded, &Late::unknown(late, known));
                let rest: Vec<_> = slices.into_iter().map(|slice| (slice.end, slice.counts - slice.excluded.counts)).collect();
                stretches(over.from, &rest)
            }
            Some(_) | None => Vec::new(),
        };
        let late = over.map(|over| Late::corrected(late, known, counted_in, over, &excluded)).unwrap_or_default();
        let corrections = Corrections { exclusions: self.excluding(&budget, objective, asked.moments.first()), late };
        let members = over.map(|over| self.members_but(slo, stream, over, &excluded)).unwrap_or_default();
        let place = Place {
            source: self.source.clone(),
            stream: counted_in,
            counted_from: self.ledger.counted_from(counted_in),
            each_from: self.ledger.each_from(counted_in),
        };
        PastBudget {
            budget,
            slo: slo.clone(),
            place: Some(place),
            standing,
            reaches,
            held_from: counted_from,
            counted,
            slices,
            members,
            corrections,
        }
    }

    /// The exclusions that take time out of a budget's window at a moment.
    fn excluding(&self, budget: &BudgetId, objective: &Objective, moment: Option<&Moment>) -> Vec<ExclusionId> {
        let Some(moment) = moment else { return Vec::new() };
        let over = calendar::interval(&objective.window, moment.at);
        let within = |stretch: &Interval| stretch.from < moment.at && stretch.to > over.from;
        let excluding = self.excluded.shown.exclusions.of(budget, moment.known);
        excluding.filter(|exclusion| exclusion.stretches.iter().any(within)).map(|exclusion| exclusion.id).collect()
    }
}

impl Book {
    /// What the members of a composite said of a stretch; who of them could not be seen at its end is not known any more.
    fn past_members(&self, slo: &Slo, stream: &Stream, over: Interval) -> Vec<MemberVerdicts> {
        let members = slo.sli.composite().map(|_| self.ledger.members(stream.index, over, over.to)).unwrap_or_default();
        members.into_iter().map(|member| MemberVerdicts { unknown: None, ..member }).collect()
    }

    /// The same of a stretch without what was taken out of the composite's budget: whole slices of it.
    fn members_but(&self, slo: &Slo, stream: &Stream, over: Interval, excluded: &[Interval]) -> Vec<MemberVerdicts> {
        let Some(length) = slo.sli.composite().map(|composite| composite.slice) else { return Vec::new() };
        let mut members = self.past_members(slo, stream, over);
        for stretch in excluded {
            let whole = Interval { from: stretch.from.max(over.from).ceil(length), to: stretch.to.min(over.to).floor(length) };
            if whole.from >= whole.to {
                continue;
            }
            for (member, out) in members.iter_mut().zip(self.past_members(slo, stream, whole)) {
                member.verdicts = member.verdicts - out.verdicts;
                member.cost -= out.cost;
            }
        }
        members
    }
}

/// A budget of an SLO without a stream.
fn never_seen(slo: &Arc<Slo>, objective: &Objective, asked: &PastAsked) -> PastBudget {
    let budget = BudgetId { slo: slo.id.clone(), objective: objective.name.clone(), group: Group::whole() };
    let unknown = Unknown::new(Reason::NotYet, "no series of it was ever counted");
    let at_moment = |moment: &Moment| {
        let over = calendar::interval(&objective.window, moment.at);
        let input = Input::nothing(unknown.clone(), over);
        standing(slo, objective, budget.clone(), &input, AlertState::default(), moment.at)
    };
    let standing = asked.moments.iter().map(at_moment).collect();
    let unseen = asked.slices.map(|over| i64::try_from(over.length().as_millis()).unwrap_or(i64::MAX)).unwrap_or_default();
    let counted = Counts { unseen_millis: unseen, ..Counts::default() };
    PastBudget {
        budget,
        slo: slo.clone(),
        place: None,
        standing,
        reaches: Vec::new(),
        held_from: None,
        counted,
        slices: Vec::new(),
        members: Vec::new(),
        corrections: Corrections::default(),
    }
}

/// The part of a stretch that a budget's window is over at its end: what a calendar period did not hold is not of its budget.
fn within_period(window: &Window, stretch: Interval) -> Interval {
    match window {
        Window::Rolling(_) => stretch,
        Window::Calendar { .. } => Interval { from: stretch.from.max(calendar::interval(window, stretch.to).from), ..stretch },
    }
}
