//! Evaluation of one budget at one moment: budget, burn rates, alert step, and the why of it.
//!
//! Every round decides of every budget, and few of them change: [`Rules::decide`] says which, without a figure, by the same rules that [`evaluate`] shows.

mod decide;

use std::time::Duration;

use crate::{
    alert::{self, AlertChange, AlertState, Change, Edge, Step},
    assumed::{self, Sliced, Stretch},
    budget::{self, BudgetLeft, Part, Unseen},
    burn_rate::{Doubt, FailedShare, RowBurn, contradicts},
    condition::Condition,
    exclusion::{Excluded, ExcludedTime},
    explain,
    id::BudgetId,
    incident::{BurnFacts, Facts, Symptom},
    ledger::{Counts, MemberVerdicts, Reason, Sums, Unknown, known_bad},
    sli::Composite,
    slo::{AlertRow, CountedIn, NoDataThen, Objective, Slo},
    status::Status,
    time::{Timestamp, minutes},
    units::{EventUnit, Target},
    window::{Interval, Window},
    words,
};

pub use decide::{Decision, Rules};

/// What a budget is evaluated from.
pub struct Input<'a> {
    /// Sums over lookbacks that end now, or why there are none.
    pub sums: Result<&'a dyn Sums, Unknown>,
    /// What the ledger holds where there are none: for showing, with what was not seen since. Nothing is decided by it.
    pub held: Option<&'a dyn Sums>,
    /// What the budget is over now: of a calendar window the present period, which ends in the future.
    pub over: Interval,
    /// Timestamp of the newest sample that the sums hold.
    pub newest_sample: Option<Timestamp>,
    /// From when on the ledger holds this budget's events; later than the window's start: the window is not yet full.
    pub counted_from: Option<Timestamp>,
    /// How much of the window lies before the first verdict on a slice although events are held there: nobody judged it. Of events nothing.
    pub unjudged: Duration,
    /// What of the window people took out of the budget.
    pub excluded: Excluded,
    /// When the present burn began, as far as the slices show it; `None`: they do not.
    pub began: Option<Timestamp>,
    /// True while what happened since the last read is being caught up with: nothing is decided.
    pub catching_up: bool,
    /// How much of the window's beginning the source is still to be asked for: nobody knows what happened there. Alerts are decided meanwhile.
    pub to_fill: Duration,
    /// What the members of a composite say of the window, in the order of the definition; empty for any other SLI.
    pub members: Vec<MemberVerdicts>,
}

impl Input<'_> {
    /// Of a budget of which nothing was ever counted, and why.
    pub fn nothing(unknown: Unknown, over: Interval) -> Self {
        Self {
            sums: Err(unknown),
            held: None,
            over,
            newest_sample: None,
            counted_from: None,
            unjudged: Duration::ZERO,
            excluded: Excluded::default(),
            began: None,
            catching_up: false,
            to_fill: Duration::ZERO,
            members: Vec::new(),
        }
    }
}

/// A budget as it stands: what every surface shows.
#[derive(Debug, Clone, PartialEq)]
pub struct BudgetStatus {
    /// Which budget.
    pub budget: BudgetId,
    /// Its state, whether its SLO tells somebody of it or not; what is shown is [`word`](Self::word).
    pub state: State,
    /// The status of its SLO.
    pub status: Status,
    /// Since when the page or ticket holds; when we cannot see, the last sample that was seen.
    pub since: Option<Timestamp>,
    /// The target.
    pub target: Target,
    /// The window.
    pub window: Window,
    /// Which interval that is now.
    pub over: Interval,
    /// What the budget is counted in.
    pub counted_in: CountedIn,
    /// Counted over the window, events or the seconds of slices; what people took out of the budget, and what may have happened unseen, is treated as
    /// the SLO says.
    pub counts: Counts,
    /// What these counts, and those of the rows, are numbers of.
    pub unit: EventUnit,
    /// What people took out of the budget.
    pub excluded: Excluded,
    /// Share of good events over the window; `None` without traffic.
    pub sli: Option<f64>,
    /// What is left of the budget; `None` without traffic.
    pub left: Option<BudgetLeft>,
    /// What will be left at the end of a calendar window whose rest goes as what has passed; `None` without traffic, and of a rolling window.
    pub forecast: Option<BudgetLeft>,
    /// How many events make up the window: those counted, and of a calendar window as many more as its rest is long. Of slices, the window's seconds.
    pub window_total: f64,
    /// How long the rest lasts at the rate of the fastest row's short lookback; `None` when spent, not burning, or enough to the end of a calendar window.
    pub runs_out: Option<Duration>,
    /// Every row with its arithmetic.
    pub rows: Vec<RowBurn>,
    /// From when on the ledger holds this budget's events; `None`: it holds none.
    pub counted_from: Option<Timestamp>,
    /// Share of the window that was seen: counted, and not unseen. 0 where the sums are unknown.
    pub coverage: f64,
    /// How much of the window's beginning is still to be read: until then the figures are of the rest, while alerts are decided.
    pub to_fill: Duration,
    /// What unseen time may hide, and between what is left; `None` where all was seen since counting began, where nothing is known of what is left, and
    /// while a part of the window is still to be read.
    pub unseen: Option<Unseen>,
    /// What the SLO makes of unseen time.
    pub no_data: NoDataThen,
    /// Why the counts cannot be true as they stand, where they cannot.
    pub doubt: Option<Doubt>,
    /// Timestamp of the newest sample.
    pub newest_sample: Option<Timestamp>,
    /// When this was evaluated.
    pub as_of: Timestamp,
    /// Why we cannot see: in the state `CannotSee`, and beside an alert that still holds.
    pub unknown: Option<Unknown>,
    /// The alert states after the step.
    pub alerts: AlertState,
    /// What the members of a composite say of the window, in the order of the definition; empty for any other SLI.
    pub members: Vec<MemberVerdicts>,
}

impl BudgetStatus {
    /// True where nobody is told of it, whatever its state.
    pub const fn tells_nobody(&self) -> bool {
        match self.status {
            Status::Active => false,
            Status::Shadow | Status::Suspended(_) => true,
        }
    }

    /// The word that every surface shows: its state; of an SLO that tells nobody, that it does not.
    pub const fn word(&self) -> &'static str {
        match &self.status {
            Status::Active => self.state.word(),
            Status::Shadow => "SHADOW",
            Status::Suspended(_) => "SUSPENDED",
        }
    }

    /// The icon that stands before the word.
    pub const fn icon(&self) -> &'static str {
        match &self.status {
            Status::Active => self.state.icon(),
            Status::Shadow => "○",
            Status::Suspended(_) => "·",
        }
    }
}

/// The state of a budget, as a word with an icon on every surface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// A page or ticket row holds.
    Burning,
    /// No data.
    CannotSee,
    /// Nothing is left.
    Spent,
    /// Older samples are being read: of the window's beginning, while alerts are decided, or of what happened since the last read, while they are not.
    BackFilling,
    /// Nothing happened, so nothing failed.
    NoTraffic,
    /// All is well.
    Ok,
}

impl State {
    /// The word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Burning => "BURNING",
            Self::CannotSee => "CANNOT SEE",
            Self::Spent => "SPENT",
            Self::BackFilling => "BACK-FILLING",
            Self::NoTraffic => "NO TRAFFIC",
            Self::Ok => "OK",
        }
    }

    /// The icon that stands before the word.
    pub const fn icon(self) -> &'static str {
        match self {
            Self::Burning => "▲",
            Self::CannotSee => "?",
            Self::Spent => "■",
            Self::BackFilling => "…",
            Self::NoTraffic => "–",
            Self::Ok => "●",
        }
    }
}

/// The outcome of one evaluation.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    /// The budget as it stands.
    pub status: BudgetStatus,
    /// The alerts that changed; at most one per urgency.
    pub changes: Vec<AlertChange>,
}

/// Evaluates one objective for one group: its budget, its burn rates and the step of its alerts.
///
/// No alert changes while the sums are unknown, what happened since the last read is being caught up with, or the SLO is suspended. A window whose counts contradict themselves, or that nobody saw, has no
/// figures; its rows are still decided, for what is wrong with the month must not hide an outage of the hour.
pub fn evaluate(slo: &Slo, objective: &Objective, budget: BudgetId, input: &Input<'_>, before: AlertState, now: Timestamp) -> Evaluation {
    let asked = Asked { slo, objective, input, now };
    let measured = asked.measured();
    let (after, steps) = match &input.sums {
        Ok(_) if !input.catching_up && asked.decides() => alert::step(before, &measured.rows, objective.target, now),
        Ok(_) | Err(_) => (before, Vec::new()),
    };
    let changes = steps.iter().map(|step| asked.change(&measured, step)).collect();
    Evaluation { status: asked.status(budget, measured, after), changes }
}

/// A budget as it stood at `at`, with the alert states of that moment: nothing is decided.
pub fn standing(slo: &Slo, objective: &Objective, budget: BudgetId, input: &Input<'_>, alerts: AlertState, at: Timestamp) -> BudgetStatus {
    let asked = Asked { slo, objective, input, now: at };
    let measured = asked.measured();
    asked.status(budget, measured, alerts)
}

/// Whether nothing happened in a lookback that is as long as somebody wants to be told of: it was counted, at least half of it was seen, and no event is in
/// it.
pub fn is_quiet(counts: Counts, counted: Duration, lookback: Duration) -> bool {
    counts.total() == 0 && counted >= lookback && unseen(counts) * 2 <= lookback
}

/// What is evaluated, from what, and when.
struct Asked<'a> {
    slo: &'a Slo,
    objective: &'a Objective,
    input: &'a Input<'a>,
    now: Timestamp,
}

/// What was read from the sums of one budget.
struct Measured {
    counts: Counts,
    /// `None` without traffic or where the window is unknown.
    share: Option<FailedShare>,
    left: Option<BudgetLeft>,
    forecast: Option<BudgetLeft>,
    unknown: Option<Unknown>,
    rows: Vec<RowBurn>,
    coverage: f64,
    window_total: f64,
    unseen: Option<Unseen>,
}

impl Measured {
    fn nothing(unknown: Unknown, window_total: f64) -> Self {
        Self {
            counts: Counts::default(),
            share: None,
            left: None,
            forecast: None,
            unknown: Some(unknown),
            rows: Vec::new(),
            coverage: 0.0,
            window_total,
            unseen: None,
        }
    }

    /// The most severe of what is true.
    fn state(&self, alerts: AlertState, is_read: bool) -> State {
        match self.left {
            _ if alerts.holds() => State::Burning,
            _ if self.unknown.is_some() => State::CannotSee,
            Some(left) if left.is_spent() => State::Spent,
            _ if !is_read => State::BackFilling,
            None => State::NoTraffic,
            Some(_) => State::Ok,
        }
    }
}

/// So soon after a sample the next one is due, where a source is scraped as usual.
const NEXT_DUE: Duration = minutes(1);

impl Asked<'_> {
    /// False while the SLO is suspended: its alerts stay as they are.
    fn decides(&self) -> bool {
        match self.slo.status.at(self.now) {
            Status::Active | Status::Shadow => true,
            Status::Suspended(_) => false,
        }
    }

    fn measured(&self) -> Measured {
        match (self.input.sums.clone(), self.input.held) {
            (Ok(sums), _) => {
                Measured { rows: self.objective.rows.iter().map(|row| self.row_burn(*row, sums)).collect(), ..self.measure(sums) }
            }
            (Err(unknown), Some(held)) => Measured { unknown: Some(unknown), ..self.measure(held) },
            (Err(unknown), None) => Measured::nothing(unknown, self.window_total(Counts::default(), Duration::ZERO)),
        }
    }

    /// The figures of the window, without the rows.
    fn measure(&self, sums: &dyn Sums) -> Measured {
        let target = &self.objective.target;
        let measured = self.in_window(sums);
        let unknown = self.unknown_window(measured);
        let hidden = self.hidden(measured, sums);
        let counts = self.slo.no_data.then.apply(measured, hidden);
        let known = || unknown.is_none().then_some(counts);
        let held = match self.slo.no_data.then {
            NoDataThen::TellOwner | NoDataThen::Page => self.held().saturating_sub(self.silence(measured, sums)),
            NoDataThen::CountAsBad => self.held(),
        };
        let left = known().and_then(|counts| self.left(counts, held));
        Measured {
            counts,
            share: known().and_then(FailedShare::of),
            left,
            forecast: self.rest().and_then(|_| known()).and_then(|counts| BudgetLeft::of(*target, self.length(), counts)),
            rows: Vec::new(),
            coverage: self.coverage(counts),
            window_total: self.window_total(counts, held),
            unseen: known().filter(|_| self.to_fill().is_zero()).and_then(|_| self.unseen(measured, hidden, left)),
            unknown: unknown.or_else(|| self.hidden_member()),
        }
    }

    /// What is still to be read where alerts are decided meanwhile.
    fn to_fill(&self) -> Duration {
        if self.input.catching_up { Duration::ZERO } else { self.input.to_fill }
    }

    /// What was counted over the window, and people did not take out.
    fn in_window(&self, sums: &dyn Sums) -> Counts {
        let all = match self.objective.window {
            Window::Rolling(length) => sums.over(length),
            Window::Calendar { .. } => sums.since(self.input.over.from),
        };
        self.without_excluded(all)
    }

    /// What the window holds, of all that was counted in it.
    fn without_excluded(&self, all: Counts) -> Counts {
        self.slo.excluded_time.apply(all, self.input.excluded.counts)
    }

    /// Why these counts of the window say nothing about the budget, where they do not.
    fn unknown_window(&self, measured: Counts) -> Option<Unknown> {
        self.contradiction(measured).or_else(|| self.blindness(measured))
    }

    /// How many events may have happened in the unseen time that people did not take out of the budget.
    fn hidden(&self, measured: Counts, sums: &dyn Sums) -> i64 {
        let stretch = Stretch { from: self.input.over.from, to: self.now, counted_from: self.input.counted_from };
        assumed::events(self.slo, self.objective.counted_in, measured.unseen_millis, sums, stretch)
    }

    /// How long nothing was seen by now, beyond the time in which the next sample was due: while that lasts, the budget stands as it was counted. What
    /// passed until then is counted on either side of the silence, so that its beginning gives nothing back.
    fn silence(&self, measured: Counts, sums: &dyn Sums) -> Duration {
        match self.input.newest_sample {
            Some(newest) if measured.unseen_millis > 0 => unseen(sums.since(newest)).min(self.now.since(newest).saturating_sub(NEXT_DUE)),
            Some(_) | None => Duration::ZERO,
        }
    }

    /// What is left whatever happened unseen, around what is left by what was measured.
    fn unseen(&self, measured: Counts, events: i64, left: Option<BudgetLeft>) -> Option<Unseen> {
        let unjudged = i64::try_from(self.input.unjudged.as_secs()).unwrap_or(i64::MAX);
        let (time, events) = (unseen(measured) + self.input.unjudged, events.saturating_add(unjudged));
        let failed = Counts { bad: measured.bad.saturating_add(events), ..measured };
        let passed = Counts { good: measured.good.saturating_add(events), ..measured };
        (!time.is_zero()).then_some(())?;
        let (least, most) = (self.left(failed, self.held())?, self.left(passed, self.held())?);
        let around =
            |bound: BudgetLeft, beyond: fn(&f64, &f64) -> bool| left.filter(|left| beyond(&left.ratio, &bound.ratio)).unwrap_or(bound);
        Some(Unseen { time, events, least: around(least, f64::lt), most: around(most, f64::gt) })
    }

    fn row_burn(&self, row: AlertRow, sums: &dyn Sums) -> RowBurn {
        let condition = Condition::of(row, self.objective.target, self.slo.low_traffic, self.unit());
        let judged = |sums: &dyn Sums| RowBurn::judged(&condition, sums, self.counted());
        match self.slo.sli.composite() {
            Some(composite) => judged(&KnownBad { composite, sums }),
            None => judged(sums),
        }
    }

    /// For how long this budget's events are held.
    fn counted(&self) -> Duration {
        self.input.counted_from.map_or(Duration::ZERO, |from| self.now.since(from))
    }

    /// Why a journey is not seen as a whole, beside what is seen of it.
    fn hidden_member(&self) -> Option<Unknown> {
        self.input.members.iter().find_map(MemberVerdicts::hides)
    }

    /// The newest sample of all that is seen; where a member of a journey hides it, that member's newest one.
    fn last_seen(&self) -> Option<Timestamp> {
        let hidden = self.input.members.iter().filter(|member| member.hides().is_some());
        hidden.map(|member| member.newest_sample).min().unwrap_or(self.input.newest_sample)
    }

    /// More good events than events in all, by so many that the counts say nothing about the budget: a broken SLI must not look healthy.
    fn contradiction(&self, counts: Counts) -> Option<Unknown> {
        contradicts(counts, self.objective.target).then(|| {
            let unit = self.unit();
            let (good, total) = (unit.count(counts.good), unit.count(counts.total()));
            let detail = format!("{good} good events of {total} events in all: one of the two counts is wrong");
            Unknown { reason: Reason::GoodAboveTotal, detail }
        })
    }

    /// What one of what is counted is.
    fn unit(&self) -> EventUnit {
        unit(self.slo, self.objective)
    }

    fn symptom(&self) -> Symptom {
        match self.objective.counted_in {
            CountedIn::Events => Symptom::of(&self.slo.sli),
            CountedIn::Slices(_) => Symptom::Downtime,
        }
    }

    /// What these counts of so much of the window leave; where no slice was judged yet, all of it.
    fn left(&self, counts: Counts, held: Duration) -> Option<BudgetLeft> {
        let left = BudgetLeft::so_far(self.objective.target, self.part(counts, held), counts);
        match self.objective.counted_in {
            CountedIn::Events => left,
            CountedIn::Slices(_) => left.or(Some(BudgetLeft::untouched(self.objective.target, self.length()))),
        }
    }

    /// A window without an event of which nothing was seen, or counted, is not a quiet one.
    fn blindness(&self, counts: Counts) -> Option<Unknown> {
        if counts.total() != 0 {
            return None;
        }
        let held = self.held();
        let hidden = match self.objective.counted_in {
            CountedIn::Events => held,
            CountedIn::Slices(rule) => rule.length,
        };
        if self.input.counted_from.is_none_or(|from| from >= self.now) || self.input.over.passed(self.now).is_zero() {
            let not_yet = || Unknown { reason: Reason::NotYet, detail: "nothing had been counted by then".to_owned() };
            return (!self.input.catching_up).then(not_yet);
        }
        let is_hidden = unseen(counts) >= hidden && !held.is_zero();
        is_hidden.then(|| Unknown { reason: Reason::Stale, detail: format!("none of the last {} was seen", words::duration(held)) })
    }

    /// How much of the window the ledger holds, without time that is taken out.
    fn held(&self) -> Duration {
        self.input.counted_from.map_or(Duration::ZERO, |from| {
            let held = self.now.since(from).min(self.input.over.passed(self.now));
            held.saturating_sub(self.removed(self.input.excluded.held))
        })
    }

    /// How much of the window has passed, without time that is taken out.
    fn passed(&self) -> Duration {
        self.input.over.passed(self.now).saturating_sub(self.removed(self.input.excluded.time))
    }

    /// How long the window is that the budget is for, without time that is taken out: the rest is judged as if that had not been.
    fn length(&self) -> Duration {
        self.input.over.length().saturating_sub(self.removed(self.input.excluded.time))
    }

    /// Excluded time, where the SLO takes it out.
    const fn removed(&self, excluded: Duration) -> Duration {
        match self.slo.excluded_time {
            ExcludedTime::Removed => excluded,
            ExcludedTime::CountsAsGood => Duration::ZERO,
        }
    }

    /// The part of the window that these counts are of: what the ledger holds of it; of slices, exactly the time that was judged.
    fn part(&self, counts: Counts, held: Duration) -> Part {
        let sliced = Sliced::of(self.slo, self.objective.counted_in);
        Part { passed: sliced.map_or(held, |sliced| sliced.judged(counts)), length: self.length() }
    }

    fn window_total(&self, counts: Counts, held: Duration) -> f64 {
        match self.objective.counted_in {
            CountedIn::Events => self.part(counts, held).window_total(counts.total()),
            CountedIn::Slices(_) => self.length().as_secs_f64(),
        }
    }

    /// How much of a calendar window is to come.
    fn rest(&self) -> Option<Duration> {
        match self.objective.window {
            Window::Rolling(_) => None,
            Window::Calendar { .. } => Some(self.input.over.to.since(self.now)),
        }
    }

    /// Time until the budget is spent at the rate of a row's short lookback, where that is before a calendar window ends, and within the length of a
    /// rolling one: beyond it, what fails now has left the window.
    fn runs_out(&self, measured: &Measured, burn: &RowBurn) -> Option<Duration> {
        let span = budget::runs_out(measured.left?, burn.short_burn, self.length())?;
        let within = self.rest().map_or(span <= self.length(), |rest| span < rest);
        within.then_some(span)
    }

    fn coverage(&self, counts: Counts) -> f64 {
        let passed = self.passed();
        if passed.is_zero() { 0.0 } else { self.held().saturating_sub(unseen(counts)).div_duration_f64(passed) }
    }

    fn change(&self, measured: &Measured, step: &Step) -> AlertChange {
        let change = match step.edge {
            Edge::Opens(fired) => Change::Fired(Facts::Burn(Box::new(self.facts(measured, fired)))),
            Edge::Clears { .. } => Change::Cleared,
        };
        AlertChange { urgency: step.urgency, change, why: explain::why(step, self.objective.target, self.unit()) }
    }

    fn facts(&self, measured: &Measured, fired: RowBurn) -> BurnFacts {
        let Objective { target, window, .. } = self.objective;
        BurnFacts {
            title: self.slo.title.clone(),
            symptom: self.symptom(),
            target: *target,
            window: window.clone(),
            fired,
            began: self.input.began.unwrap_or_else(|| self.now.minus(fired.row.short)),
            left: measured.left.unwrap_or_else(|| BudgetLeft::untouched(*target, self.length())),
            coverage: Some(measured.coverage),
            runs_out: self.runs_out(measured, &fired),
            as_of: self.input.newest_sample.unwrap_or(self.now),
            members: Vec::new(),
        }
    }

    fn status(&self, budget: BudgetId, measured: Measured, alerts: AlertState) -> BudgetStatus {
        let Objective { target, window, .. } = self.objective;
        BudgetStatus {
            budget,
            state: measured.state(alerts, !self.input.catching_up && self.input.to_fill.is_zero()),
            status: self.slo.status.at(self.now).clone(),
            since: alerts.page.or(alerts.ticket).or_else(|| measured.unknown.as_ref().and_then(|_| self.last_seen())),
            target: *target,
            window: window.clone(),
            over: self.input.over,
            counted_in: self.objective.counted_in,
            counts: measured.counts,
            unit: self.unit(),
            excluded: Excluded { treated: self.slo.excluded_time, ..self.input.excluded },
            sli: measured.share.map(|share| 1.0 - share.as_f64()),
            left: measured.left,
            forecast: measured.forecast,
            window_total: measured.window_total,
            runs_out: alert::fastest(&measured.rows).and_then(|burn| self.runs_out(&measured, burn)),
            counted_from: self.input.counted_from,
            coverage: measured.coverage,
            to_fill: self.to_fill(),
            unseen: measured.unseen,
            no_data: self.slo.no_data.then,
            doubt: Doubt::of(measured.counts),
            rows: measured.rows,
            newest_sample: self.input.newest_sample,
            as_of: self.now,
            unknown: measured.unknown,
            alerts,
            members: self.input.members.clone(),
        }
    }
}

/// What one of what an objective counts is.
fn unit(slo: &Slo, objective: &Objective) -> EventUnit {
    match objective.counted_in {
        CountedIn::Events => slo.sli.unit(),
        CountedIn::Slices(_) => EventUnit::Second,
    }
}

/// The sums of a composite as its alert rows take them: what is known to be bad, against all of the time.
struct KnownBad<'a> {
    composite: &'a Composite,
    sums: &'a dyn Sums,
}

impl Sums for KnownBad<'_> {
    fn over(&self, lookback: Duration) -> Counts {
        known_bad(self.composite, self.sums.over(lookback))
    }

    fn since(&self, from: Timestamp) -> Counts {
        known_bad(self.composite, self.sums.since(from))
    }

    fn at_hand(&self, lookbacks: &[Duration], into: &mut [Counts]) -> bool {
        let is_at_hand = self.sums.at_hand(lookbacks, into);
        for counts in into.iter_mut().filter(|_| is_at_hand) {
            *counts = known_bad(self.composite, *counts);
        }
        is_at_hand
    }
}

fn unseen(counts: Counts) -> Duration {
    Duration::from_millis(u64::try_from(counts.unseen_millis).unwrap_or(0))
}

#[cfg(test)]
mod tests;
