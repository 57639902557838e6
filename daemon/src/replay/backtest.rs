//! A backtest: what would have been paged over a span of history, by the SLOs as they are and as they might be.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use burnward_core::{
    alert_rows::{check_row, default_rows},
    evaluate::BudgetStatus,
    id::{SloId, SourceName, TenantId},
    ledger::Unknown,
    slo::{AlertRow, Objective, Slo},
    status::Status,
    units::{Factor, Target},
    window::Interval,
    words::{grouped, plural},
};

use super::{Alarm, Entrant, Life, Past, Replay};
use crate::{
    config::Config,
    definition::duration,
    report::words::utc,
    tasks::decide::{Rehearsal, worst_first},
};

/// A change that is tried.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Change {
    /// Every objective has this target.
    Target(Target),
    /// The rows with the first burn rate have the second.
    Row(Factor, Factor),
}

impl Change {
    /// The change in words: `target 99.5%`, `row 14.4x at 10x`.
    pub fn words(self) -> String {
        match self {
            Self::Target(target) => format!("target {}%", target.as_percent()),
            Self::Row(from, to) => format!("row {from}x at {to}x"),
        }
    }

    /// An SLO with this change.
    pub fn of(self, slo: &Slo) -> Slo {
        let objectives = slo.objectives.iter().map(|objective| self.of_objective(objective)).collect();
        Slo { objectives, ..slo.clone() }
    }

    /// Whether it changes none of these SLOs, because no row has its burn rate.
    pub fn is_idle(self, slos: &[Arc<Slo>]) -> bool {
        match self {
            Self::Target(_) => false,
            Self::Row(from, _) => {
                !slos.iter().flat_map(|slo| &slo.objectives).flat_map(|objective| &objective.rows).any(|row| row.factor == from)
            }
        }
    }

    /// Why rows that it makes cannot stand, each reason once: they never fire, or fire below the allowed rate.
    pub fn faults(self, slos: &[Arc<Slo>]) -> Vec<String> {
        let of_objective = |objective: &Objective| -> Vec<String> {
            let Objective { target, window, rows, .. } = self.of_objective(objective);
            rows.iter().filter_map(|row| check_row(*row, target, window.pace()).err()).map(|why| why.to_string()).collect()
        };
        let all: BTreeSet<String> = slos.iter().flat_map(|slo| &slo.objectives).flat_map(of_objective).collect();
        all.into_iter().collect()
    }

    fn of_objective(self, objective: &Objective) -> Objective {
        let rows = match self {
            Self::Target(target) => {
                // Rows that follow from the target and the window follow from the new target.
                let as_default = |target| default_rows(target, objective.window.pace()).rows;
                let urgencies: Vec<_> = objective.rows.iter().map(|row| row.urgency).collect();
                let own_kind = |rows: Vec<_>| -> Vec<AlertRow> {
                    rows.into_iter().filter(|row: &AlertRow| urgencies.contains(&row.urgency)).collect()
                };
                if own_kind(as_default(objective.target)) == objective.rows { own_kind(as_default(target)) } else { objective.rows.clone() }
            }
            Self::Row(from, to) => {
                let changed = objective.rows.iter().map(|row| if row.factor == from { AlertRow { factor: to, ..*row } } else { *row });
                changed.collect()
            }
        };
        let target = match self {
            Self::Target(target) => target,
            Self::Row(_, _) => objective.target,
        };
        Objective { target, rows, ..objective.clone() }
    }
}

/// Rounds that are lived through at most: four years at a tick of 15 seconds.
const MOST_TICKS: i64 = 10_000_000;

/// A span that can be lived through.
///
/// # Errors
/// It has too many ticks.
pub fn bounded(span: Interval, tick: Duration) -> anyhow::Result<Interval> {
    let long = span.to.since(span.from);
    anyhow::ensure!(
        long.as_millis() / tick.as_millis().max(1) <= u128::from(MOST_TICKS.unsigned_abs()),
        "{} to {} is {}, and at most {} ticks of {} are lived through: choose a part of it by --last, or by --from and --to",
        utc(span.from),
        utc(span.to),
        plural(usize::try_from(long.as_secs() / 86_400).unwrap_or(usize::MAX), "day"),
        grouped(MOST_TICKS),
        duration::format(tick)
    );
    Ok(span)
}

/// One tenant's SLOs over a span of history.
#[derive(Debug)]
pub struct Backtest {
    /// Whose.
    pub tenant: TenantId,
    /// From where the samples are, for how they are read.
    pub source: SourceName,
    /// The SLOs, each from its beginning on.
    pub slos: Vec<Entrant>,
    /// What else is tried, side by side.
    pub changes: Vec<Change>,
    /// From the first tick to the last.
    pub span: Interval,
}

/// A set of SLOs that is lived through by itself.
#[derive(Debug, Clone)]
pub struct Set {
    /// Who is told.
    pub config: Arc<Config>,
    /// The SLOs, each from its beginning on.
    pub slos: Vec<Entrant>,
}

/// What would have happened.
#[derive(Debug)]
pub struct Lived {
    /// By which change; `None`: as it is.
    pub change: Option<Change>,
    /// The alerts that fired, oldest first.
    pub alarms: Vec<Alarm>,
    /// Every budget at the end, worst first.
    pub budgets: Vec<BudgetStatus>,
}

impl Backtest {
    /// Lives through the span, with a word of progress after each tick; first as it is, then each change. SLOs that are in shadow or suspended are judged as if
    /// they were active, each kind with incidents of its own: those of the others would be joined by what calls nobody, or the other way round.
    ///
    /// # Errors
    /// Why the history could not be read to the end.
    pub async fn run(&self, past: Past, config: &Arc<Config>, passed: impl FnMut(Duration)) -> Result<Vec<Lived>, Unknown> {
        let changes: Vec<Option<Change>> = std::iter::once(None).chain(self.changes.iter().copied().map(Some)).collect();
        let quiet: BTreeSet<&SloId> = self.slos.iter().filter(|entrant| is_quiet(&entrant.slo)).map(|entrant| &entrant.slo.id).collect();
        let kinds: &[Kind] = match (quiet.is_empty(), quiet.len() == self.slos.len()) {
            (true, _) => &[Kind::Active],
            (false, true) => &[Kind::Quiet],
            (false, false) => &[Kind::Active, Kind::Quiet],
        };
        let slos = |change: Option<Change>, kind: Kind| {
            let of = |slo: &Slo| change.map_or_else(|| slo.clone(), |change| change.of(slo));
            let slos = self.slos.iter().map(|Entrant { slo, from }| Entrant { slo: kind.alone(of(slo), is_quiet(slo)), from: *from });
            slos.collect()
        };
        let each = || changes.iter().flat_map(|change| kinds.iter().map(move |kind| (*change, *kind)));
        let sets = each().map(|(change, kind)| Set { config: Arc::clone(config), slos: slos(change, kind) }).collect();
        let lived = live((&self.tenant, &self.source), sets, (self.span, config.tick), past, passed).await?;
        let of_change = |(change, lived): (&Option<Change>, &[Lived])| {
            let mut joined = Lived { change: *change, alarms: Vec::new(), budgets: Vec::new() };
            for (kind, lived) in kinds.iter().zip(lived) {
                let is_own = |slo: &SloId| (*kind == Kind::Quiet) == quiet.contains(slo);
                let is_told = |alarm: &&Alarm| alarm.slo().map_or(*kind == kinds[0], is_own);
                joined.alarms.extend(lived.alarms.iter().filter(is_told).cloned());
                joined.budgets.extend(lived.budgets.iter().filter(|status| is_own(&status.budget.slo)).cloned());
            }
            joined.alarms.sort_by_key(|alarm| alarm.at);
            Lived { budgets: worst_first(joined.budgets), ..joined }
        };
        Ok(changes.iter().zip(lived.chunks(kinds.len())).map(of_change).collect())
    }
}

/// Whose pages and tickets a set tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Of active SLOs.
    Active,
    /// Of those in shadow or suspended.
    Quiet,
}

impl Kind {
    /// An SLO as it is in a set of this kind: active, or in shadow where it is of the other.
    fn alone(self, slo: Slo, is_quiet: bool) -> Arc<Slo> {
        let status = if (self == Self::Quiet) == is_quiet { Status::Active } else { Status::Shadow };
        Arc::new(Slo { status, ..slo })
    }
}

/// True where nobody is told of an SLO, or nothing is decided of it.
fn is_quiet(slo: &Slo) -> bool {
    slo.status != Status::Active
}

/// Lives through a span with several sets of SLOs of a tenant side by side, each SLO from its beginning on, with a word of progress after each tick. Each
/// tells by its status.
///
/// # Errors
/// Why the history could not be read to the end.
pub async fn live(
    (tenant, source): (&TenantId, &SourceName),
    sets: Vec<Set>,
    (span, tick): (Interval, Duration),
    past: Past,
    mut passed: impl FnMut(Duration),
) -> Result<Vec<Lived>, Unknown> {
    let (mut rehearsals, mut awaited) = (Vec::new(), Vec::new());
    for Set { config, slos } in sets {
        let (there, later): (Vec<_>, Vec<_>) = slos.into_iter().partition(|entrant| entrant.from <= span.from);
        let slos = there.into_iter().map(|entrant| entrant.slo).collect();
        rehearsals.push(Rehearsal::new(config, tenant.clone(), source.clone(), slos, span.from));
        awaited.push(later);
    }
    let mut replay = Replay::side_by_side(rehearsals, past).awaiting(awaited);
    let mut now = span.from;
    while now <= span.to {
        replay.tick(now).await;
        if let Some(broken) = replay.broken() {
            return Err(broken.clone());
        }
        now = now.plus(tick);
        passed(now.min(span.to).since(span.from));
    }
    let lived = |life: &mut Life| Lived { change: None, alarms: life.alarms().to_vec(), budgets: life.statuses().to_vec() };
    Ok(replay.lives().iter_mut().map(lived).collect())
}
