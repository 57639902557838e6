//! One round of a source: what its answers mean for every budget, and which alerts change.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use burnward_core::{
    alert::{AlertChange, AlertState, Change},
    beginning,
    evaluate::{BudgetStatus, Decision, evaluate, is_quiet},
    explain,
    id::{BudgetId, SloId, TenantId},
    incident::{Actor, AlertKey, BlindFacts, Command, Facts, FaultKey, Incident, Kind, Member, MemberShare, Subject},
    ledger::{MemberVerdicts, Query, Reads, Reason, Series, Stream, Sums as _, Unknown},
    slo::{Slo, Urgency},
    status::Status,
    time::{Timestamp, minutes},
    window::Interval,
    words,
};

use super::{
    book::{Book, operators, team_of},
    draft::Draft,
    lost, shadow,
    standing::{At, Seen},
};
use crate::{
    config::Config,
    store::StoredAlert,
    view::{Circuit, QueryView, ReplicaView, SourceView},
};

/// What a source answered in one round.
#[derive(Debug)]
pub struct RoundAnswers {
    /// For whom it was asked.
    pub tenant: TenantId,
    /// The plan's queries, by which the reads were asked.
    pub queries: Arc<[Query]>,
    /// What was asked for.
    pub reads: Reads,
    /// The answers in the order of the reads.
    pub results: Vec<Result<Vec<Series>, Unknown>>,
    /// Milliseconds that each took.
    pub took_millis: Vec<u64>,
    /// The replica that answered, where there are several.
    pub replica: Option<ReplicaView>,
    /// How much it will be asked next.
    pub circuit: Circuit,
    /// When it was asked: lookbacks end here.
    pub asked_at: Timestamp,
    /// When the round was due.
    pub due: Timestamp,
    /// When it is decided.
    pub now: Timestamp,
}

/// What a round leads to beside what is committed.
pub(super) struct Evaluated {
    /// The moment of the round.
    pub(super) at: At,
    /// The budgets that were looked at closely: those that change, or hold a row back, and those that incidents at hand show.
    pub(super) shown: BTreeMap<BudgetId, BudgetStatus>,
    /// Alert states that are other than before.
    pub(super) alerts: Vec<(BudgetId, AlertState)>,
    /// The budgets that cannot be seen, and since when.
    pub(super) unseen: BTreeMap<BudgetId, Timestamp>,
    /// Of how many of its budgets an SLO cannot tell the figures.
    pub(super) unknown: BTreeMap<SloId, usize>,
    pub(super) source_blind: Option<(Timestamp, Unknown)>,
    pub(super) slo_blind: BTreeMap<SloId, (Timestamp, Unknown)>,
    /// SLOs whose owner is told that nothing happens, each with since when.
    pub(super) slo_silent: BTreeMap<SloId, (Timestamp, Unknown)>,
    /// Rows that are held back, each with its place in its budget.
    pub(super) held_back: BTreeSet<(BudgetId, usize)>,
    /// How many budgets hold one back since this round.
    pub(super) newly_held_back: usize,
}

/// Decides of every budget of a book and writes the alerts that change into `draft`.
pub(super) fn evaluate_book(book: &Book, config: &Config, draft: &mut Draft<'_>, answers: &RoundAnswers) -> Evaluated {
    let now = answers.now;
    let source_blind = answers.reads.source_unknown(&answers.results).map(|unknown| (blind_since(book, answers.asked_at), unknown.clone()));
    let mut evaluated = Evaluated {
        at: At { asked_at: answers.asked_at, now },
        shown: BTreeMap::new(),
        alerts: Vec::new(),
        unseen: BTreeMap::new(),
        unknown: BTreeMap::new(),
        source_blind,
        slo_blind: BTreeMap::new(),
        slo_silent: BTreeMap::new(),
        held_back: BTreeSet::new(),
        newly_held_back: 0,
    };
    let before = Before::of(book);
    for slo in book.slos.values() {
        let unknown = evaluate_slo(book, config, draft, slo, &before, &mut evaluated);
        if let (Some(unknown), None) = (unknown, &evaluated.source_blind) {
            let since = book.slo_blind.get(&slo.id).map_or(now, |(since, _)| *since);
            evaluated.slo_blind.insert(slo.id.clone(), (since, unknown));
        }
        if let Some(silent) = silent(book, slo, evaluated.source_blind.as_ref().map(|(_, unknown)| unknown), answers.asked_at) {
            evaluated.slo_silent.insert(slo.id.clone(), silent);
        }
    }
    tell_blindness(book, config, draft, &evaluated, answers);
    clear_what_is_gone(book, draft, &mut evaluated);
    shadow::end_what_is_none(book, config, draft, &mut evaluated);
    evaluated
}

/// What is known of budgets from the rounds before, by SLO, so that none is named to be found.
struct Before<'a> {
    alerts: BTreeMap<&'a SloId, Vec<(&'a BudgetId, AlertState)>>,
    /// The budgets of incidents at hand.
    in_incidents: BTreeMap<&'a SloId, BTreeSet<&'a BudgetId>>,
}

impl<'a> Before<'a> {
    fn of(book: &'a Book) -> Self {
        let mut alerts: BTreeMap<&SloId, Vec<(&BudgetId, AlertState)>> = BTreeMap::new();
        for (budget, state) in &book.alerts {
            alerts.entry(&budget.slo).or_default().push((budget, *state));
        }
        let mut in_incidents: BTreeMap<&SloId, BTreeSet<&BudgetId>> = BTreeMap::new();
        for budget in book.incidents.values().chain(book.shadow.incidents.values()).flat_map(budgets_of) {
            in_incidents.entry(&budget.slo).or_default().insert(budget);
        }
        Self { alerts, in_incidents }
    }
}

/// The budgets whose alerts an incident is about.
pub(super) fn budgets_of(incident: &Incident) -> impl Iterator<Item = &BudgetId> {
    incident.members.keys().filter_map(|alert| match alert {
        AlertKey::Budget(budget) => Some(budget),
        AlertKey::Source(_) | AlertKey::Slo(_) | AlertKey::Test => None,
    })
}

/// Clears the alerts of SLOs that run no more: nobody looks at them, so they cannot end by themselves.
fn clear_what_is_gone(book: &Book, draft: &mut Draft<'_>, evaluated: &mut Evaluated) {
    let gone = |slo: &SloId| !book.slos.contains_key(slo);
    for (budget, _) in book.alerts.iter().filter(|(budget, state)| state.holds() && gone(&budget.slo)) {
        let why = "its SLO runs no more".to_owned();
        draft.audit(&Actor::Daemon, "alert.change", budget.to_string(), why.clone());
        draft.commit.alerts.push(StoredAlert { budget: budget.clone(), state: AlertState::default(), why });
        evaluated.alerts.push((budget.clone(), AlertState::default()));
    }
    for incident in book.incidents.values() {
        for (alert, _) in incident.open_members().filter(|(alert, _)| alert.slo().is_some_and(gone)) {
            draft.command_to_incident(&incident.id, &Command::Clear { alert: alert.clone() }, &Actor::Daemon);
        }
    }
}

/// Since when a source is blind: the first failure, or the last settled sample where that was long before (a daemon that was down itself).
fn blind_since(book: &Book, now: Timestamp) -> Timestamp {
    match &book.source_blind {
        Some((since, _)) => *since,
        None => now,
    }
}

/// Decides of an SLO's budgets; why the SLO as a whole cannot be seen, if so.
fn evaluate_slo(
    book: &Book,
    config: &Config,
    draft: &mut Draft<'_>,
    slo: &Slo,
    before: &Before<'_>,
    evaluated: &mut Evaluated,
) -> Option<Unknown> {
    let at = evaluated.at;
    let alerts = before.alerts.get(&slo.id).map_or(&[][..], Vec::as_slice);
    let in_incidents = before.in_incidents.get(&slo.id);
    book.each_budget(slo, at, book.poisoned.contains(&slo.id), |seen| {
        let before = state_of(seen, alerts);
        let decision = seen.rules.decide(&seen.input, before, at.now);
        if decision.unknown.is_some() {
            note_unknown(book, seen, &decision, evaluated);
        }
        if decision.changes || decision.holds_back || in_incidents.is_some_and(|budgets| budgets.contains(&seen.budget())) {
            look_closely(book, config, draft, seen, before, evaluated);
        }
    })
}

/// The states of a budget's alerts before the round; `alerts` are those of its SLO, by name.
fn state_of(seen: &Seen<'_>, alerts: &[(&BudgetId, AlertState)]) -> AlertState {
    let Some(stream) = seen.stream.filter(|_| !alerts.is_empty()) else { return AlertState::default() };
    let wanted = (&seen.objective.name, &stream.group);
    let found = alerts.binary_search_by(|(budget, _)| (&budget.objective, &budget.group).cmp(&wanted));
    found.map_or_else(|_| AlertState::default(), |place| alerts[place].1)
}

fn note_unknown(book: &Book, seen: &Seen<'_>, decision: &Decision, evaluated: &mut Evaluated) {
    *evaluated.unknown.entry(seen.slo.id.clone()).or_default() += 1;
    if decision.cannot_see() {
        let budget = seen.budget();
        if let Some(since) = book.unseen.get(&budget).copied().or(decision.last_seen) {
            evaluated.unseen.insert(budget, since);
        }
    }
}

/// Evaluates a budget with all of its figures, and writes down what changes.
fn look_closely(book: &Book, config: &Config, draft: &mut Draft<'_>, seen: &Seen<'_>, before: AlertState, evaluated: &mut Evaluated) {
    let (at, budget) = (evaluated.at, seen.budget());
    let mut evaluation = evaluate(seen.slo, seen.objective, budget.clone(), &seen.input, before, at.now);
    for change in &mut evaluation.changes {
        complete(book, seen, change, at.asked_at);
        apply_change(config, draft, seen.slo, &budget, change);
    }
    shadow::step_out(book, config, draft, seen, &evaluation.status, at);
    let held_back = held_back_since_now(book, &evaluation.status, &mut evaluated.held_back);
    evaluated.newly_held_back += usize::from(held_back.is_some());
    let whys: Vec<String> = evaluation.changes.iter().map(|change| change.why.clone()).chain(held_back).collect();
    if !whys.is_empty() {
        draft.commit.alerts.push(StoredAlert { budget: budget.clone(), state: evaluation.status.alerts, why: whys.join("; ") });
    }
    if evaluation.status.alerts != before {
        evaluated.alerts.push((budget.clone(), evaluation.status.alerts));
    }
    let since = evaluated.unseen.get(&budget).copied();
    evaluated.shown.insert(budget, Book::still_unseen(evaluation.status, since));
}

/// Why rows are held back that were not in the round before: an entry of the budget's history, for no suppression is silent.
fn held_back_since_now(book: &Book, status: &BudgetStatus, all: &mut BTreeSet<(BudgetId, usize)>) -> Option<String> {
    let rows: Vec<(BudgetId, usize)> = explain::rows_held_back(status).into_iter().map(|place| (status.budget.clone(), place)).collect();
    let newly: Vec<usize> = rows.iter().filter(|row| !book.held_back.contains(row)).map(|(_, place)| *place).collect();
    all.extend(rows);
    explain::why_held_back(status, &newly)
}

/// What a burn that fires tells beside its rows: since when, and by which members.
pub(super) fn complete(book: &Book, seen: &Seen<'_>, change: &mut AlertChange, now: Timestamp) {
    date_the_beginning(book, seen.counted_in, change, now);
    if let Some(stream) = seen.stream {
        name_the_members(book, stream, change, now);
    }
}

/// How many slices are looked at for the beginning of a burn.
const SLICES: usize = 400;

/// Sets when a burn began, within the fired row's long lookback, as finely as the ledger keeps it.
fn date_the_beginning(book: &Book, stream: u32, change: &mut AlertChange, now: Timestamp) {
    if let Change::Fired(Facts::Burn(facts)) = &mut change.change {
        let over = Interval::ending(now, facts.fired.row.long);
        let slices_of = |over: Interval| book.ledger.slices(stream, over.from, over.to, SLICES);
        if let Some(began) = beginning::of_burn(over, facts.fired.row.short, facts.target, slices_of) {
            facts.began = began;
        }
    }
}

/// Names the members that made a journey burn over the fired row's long lookback, the worst first.
fn name_the_members(book: &Book, stream: &Stream, change: &mut AlertChange, now: Timestamp) {
    if let Change::Fired(Facts::Burn(facts)) = &mut change.change {
        let members = book.ledger.members(stream.index, Interval { from: now.minus(facts.fired.row.long), to: now }, now);
        let shares = members.into_iter().filter(|member| member.cost > 0).map(|MemberVerdicts { slo, cost, .. }| MemberShare { slo, cost });
        facts.members = shares.collect();
        facts.members.sort_by(|a, b| b.cost.cmp(&a.cost).then_with(|| a.slo.cmp(&b.slo)));
    }
}

/// The fault that a burning budget of an SLO is.
pub(super) fn burn(slo: &Slo, urgency: Urgency) -> FaultKey {
    FaultKey { subject: Subject::Service(slo.id.service.clone()), kind: Kind::Burn, urgency }
}

fn apply_change(config: &Config, draft: &mut Draft<'_>, slo: &Slo, budget: &BudgetId, change: &AlertChange) {
    let fault = burn(slo, change.urgency);
    let alert = AlertKey::Budget(budget.clone());
    let command = match &change.change {
        Change::Fired(facts) => Command::Fire { fault: fault.clone(), alert, facts: facts.clone() },
        Change::Cleared => Command::Clear { alert },
    };
    shadow::tell(draft, slo, &fault, &team_of(config, &slo.team), &command);
    draft.audit(&Actor::Daemon, "alert.change", budget.to_string(), change.why.clone());
}

/// Fires and clears the alerts of blindness: of the source as a whole, or of SLOs although it answers.
fn tell_blindness(book: &Book, config: &Config, draft: &mut Draft<'_>, evaluated: &Evaluated, answers: &RoundAnswers) {
    tell_source(book, config, draft, evaluated, answers);
    let blindnesses =
        book.incidents.values().chain(book.shadow.incidents.values()).filter(|incident| incident.fault.kind == Kind::CannotSee);
    let told = blindnesses.flat_map(Incident::open_members).filter_map(|(alert, member)| Some((alert.slo()?, Told::of(member))));
    let told: BTreeMap<&SloId, Told> = told.collect();
    for slo in book.slos.values() {
        let told = told.get(&slo.id).copied();
        let goes_on = told == Some(Told::Silence) && is_without_events(book, slo, answers.now);
        tell_slo(config, draft, slo, evaluated, answers, told.map(|_| Since { goes_on }));
    }
}

fn tell_source(book: &Book, config: &Config, draft: &mut Draft<'_>, evaluated: &Evaluated, answers: &RoundAnswers) {
    let fault = FaultKey { subject: Subject::Source(book.source.clone()), kind: Kind::CannotSee, urgency: Urgency::Page };
    let alert = AlertKey::Source(book.source.clone());
    let telling = |slo: &&Arc<Slo>| slo.status.at(answers.now) == &Status::Active;
    // Where every SLO is in shadow or suspended, nobody is kept from hearing of anything.
    let patience =
        if book.slos.is_empty() { Some(minutes(5)) } else { book.slos.values().filter(telling).map(|slo| slo.no_data.after).min() };
    match &evaluated.source_blind {
        Some((since, unknown)) if patience.is_some_and(|patience| answers.now.since(*since) >= patience) => {
            let hides = evaluated.unknown.keys().filter(|id| book.slos.get(*id).is_none_or(|slo| telling(&slo))).cloned().collect();
            let facts = Facts::Blind(BlindFacts { unknown: unknown.clone(), since: *since, hides });
            draft.command_to_fault(&fault, &operators(config), &Command::Fire { fault: fault.clone(), alert, facts }, &Actor::Daemon);
        }
        None if !answers.reads.catching_up => {
            draft.command_to_fault(&fault, &operators(config), &Command::Clear { alert }, &Actor::Daemon);
        }
        Some(_) | None => {}
    }
}

/// What somebody was told of an SLO.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    /// It cannot be seen.
    Blindness,
    /// Nothing happens in it.
    Silence,
}

impl Told {
    fn of(member: &Member) -> Self {
        match &member.facts {
            Facts::Blind(blind) if blind.unknown.reason == Reason::NoTraffic => Self::Silence,
            Facts::Blind(_) | Facts::Burn(_) | Facts::Test(_) => Self::Blindness,
        }
    }
}

/// How it is with an SLO of which somebody was told.
#[derive(Debug, Clone, Copy)]
struct Since {
    /// Nothing has happened in it since: being seen again ends no silence, only events do.
    goes_on: bool,
}

/// `told`: somebody was told before that the SLO cannot be seen, or that nothing happens in it.
fn tell_slo(config: &Config, draft: &mut Draft<'_>, slo: &Slo, evaluated: &Evaluated, answers: &RoundAnswers, told: Option<Since>) {
    let blind = evaluated.slo_blind.get(&slo.id);
    let missing = blind.filter(|(since, _)| answers.now.since(*since) >= slo.no_data.after).map(|told| (slo.no_data.then.urgency(), told));
    let silent = evaluated.slo_silent.get(&slo.id).map(|told| (Urgency::Ticket, told));
    if told.is_none() && missing.or(silent).is_none() {
        return;
    }
    let alert = || AlertKey::Slo(slo.id.clone());
    let fault = |urgency| FaultKey { subject: Subject::Service(slo.id.service.clone()), kind: Kind::CannotSee, urgency };
    let team = team_of(config, &slo.team);
    if let Some((urgency, (since, unknown))) = missing.or(silent) {
        let fault = fault(urgency);
        let hides = if missing.is_some() { blind_alike(evaluated, slo, unknown) } else { vec![slo.id.clone()] };
        let facts = Facts::Blind(BlindFacts { unknown: unknown.clone(), since: *since, hides });
        shadow::tell(draft, slo, &fault, &team, &Command::Fire { fault: fault.clone(), alert: alert(), facts });
    }
    let goes_on = told.is_some_and(|since| since.goes_on);
    let is_over = !goes_on && blind.is_none() && evaluated.source_blind.is_none() && !answers.reads.catching_up;
    let told = missing.or(silent).map(|(urgency, _)| urgency);
    for urgency in urgencies(slo).filter(|urgency| is_over && told != Some(*urgency)) {
        shadow::tell(draft, slo, &fault(urgency), &team, &Command::Clear { alert: alert() });
    }
}

/// The SLOs of the service that cannot be seen for the same reason, those among them whose patience is longer.
fn blind_alike(evaluated: &Evaluated, slo: &Slo, unknown: &Unknown) -> Vec<SloId> {
    let alike = |id: &SloId, other: &Unknown| id.service == slo.id.service && other.reason == unknown.reason;
    evaluated.slo_blind.iter().filter(|(id, (_, other))| alike(id, other)).map(|(id, _)| id.clone()).collect()
}

/// How loudly the owner of an SLO may be told that nothing comes.
fn urgencies(slo: &Slo) -> impl Iterator<Item = Urgency> {
    let no_data = slo.no_data.then.urgency();
    let no_traffic = slo.no_traffic.told_after().map(|_| Urgency::Ticket);
    std::iter::once(no_data).chain(no_traffic.filter(|urgency| *urgency != no_data))
}

/// Whether no event is known of an SLO for as long as its owner wants to be told of, however much of that time was seen.
fn is_without_events(book: &Book, slo: &Slo, now: Timestamp) -> bool {
    let Some(after) = slo.no_traffic.told_after() else { return false };
    let is_without = |stream: &Stream| book.ledger.sums(stream.index, now).is_ok_and(|sums| sums.over(after).total() == 0);
    book.ledger.streams_of_slo(&slo.id).all(is_without)
}

/// Since when nothing happened in an SLO, where its owner wants to know: it is seen, and none of its groups had an event for so long.
fn silent(book: &Book, slo: &Slo, source_unknown: Option<&Unknown>, now: Timestamp) -> Option<(Timestamp, Unknown)> {
    let after = slo.no_traffic.told_after().filter(|_| source_unknown.is_none())?;
    let mut streams = book.ledger.streams_of_slo(&slo.id).peekable();
    streams.peek()?;
    let is_silent = |stream: &Stream| {
        let counted_for = stream.counted_from.map_or(Duration::ZERO, |from| now.since(from));
        let sums = book.ledger.sums(stream.index, now).ok().filter(|_| !stream.catching_up);
        sums.is_some_and(|sums| is_quiet(sums.over(after), counted_for, after))
    };
    streams.all(is_silent).then(|| {
        let since = book.slo_silent.get(&slo.id).map_or_else(|| now.minus(after), |(since, _)| *since);
        (since, Unknown::new(Reason::NoTraffic, format!("the source answers, and for {} nothing happened", words::duration(after))))
    })
}

/// What a person sees of the source after a round.
pub(super) fn source_view(book: &Book, evaluated: &Evaluated, settled: Timestamp, answers: &RoundAnswers) -> SourceView {
    let got = answers.results.iter().zip(&answers.took_millis);
    let queries = answers
        .reads
        .reads
        .iter()
        .zip(got)
        .map(|(read, (result, took))| QueryView {
            asked: answers.queries[read.query].to_string(),
            asked_at: answers.asked_at,
            from: read.from,
            to: read.to,
            got: result.as_ref().map(|series| (series.len(), *took)).map_err(Clone::clone),
        })
        .collect();
    // Of a source that no SLO reads nothing is known.
    let all_answered = evaluated.source_blind.is_none() && !answers.results.is_empty();
    SourceView {
        last_good: if all_answered { Some(answers.now) } else { book.source_view.last_good },
        blind: evaluated.source_blind.clone(),
        settled: Some(settled),
        queries,
        catching_up: answers.reads.catching_up,
        replica: answers.replica.clone(),
        circuit: answers.circuit,
        lost: lost::recent(book.source_view.lost.clone(), answers.now),
        ..book.source_view.clone()
    }
}
