//! Snapshots of every text, to be proofread, and the attacks that a template or a value could try.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Duration};

use burnward_core::{
    alert::AlertState,
    budget::{BudgetLeft, Unseen},
    burn_rate::{RowBurn, Verdict},
    evaluate::{BudgetStatus, State},
    exclusion::{Excluded, Exclusion, ExclusionId, Exclusions, Owner, Scope},
    id::{BudgetId, Group, IncidentId, ObjectiveName, PageId, PersonName, ServiceName, SloId, SloName, SourceName, TeamName, TenantId},
    incident::{
        Actor, AlertKey, BlindFacts, BurnFacts, Escalation, Facts, FaultKey, Incident, JoinReason, Kind, LastTold, Member, Message,
        MessageKind, MessageRef, PageOutcome, PageReason, PageState, Phase, Resolution, Spell, Subject, Symptom, Via,
    },
    ledger::{Counts, Reason, Unknown},
    oncall::{Recipient, Step, Team},
    postmortem::BudgetImpact,
    slo::{AlertRow, CountedIn, NoDataThen, Urgency},
    status::Status,
    time::{Timestamp, days, hours, minutes},
    units::{EventUnit, Factor, Target},
    window::{Interval, Window},
};

use super::{Faults, PageContext, PageInput, PageTexts, Renderer};
use crate::{
    config::Config,
    definition::{self, Context},
    view::{ExclusionsView, View},
};

/// 2025-11-24 03:10:02 UTC, when the page of the story is decided.
pub(crate) const DECIDED: Timestamp = Timestamp::from_millis(1_763_953_802_000);

/// 03:04:16, when the burn of the story began.
pub(crate) fn began() -> Timestamp {
    DECIDED.minus(Duration::from_secs(346))
}

pub(crate) fn tenant() -> TenantId {
    TenantId::parse("main").unwrap()
}

pub(crate) fn slo_id(name: &str) -> SloId {
    SloId { tenant: tenant(), service: ServiceName::parse("checkout").unwrap(), name: SloName::parse(name).unwrap() }
}

pub(crate) fn budget_id(slo: &str, group: &str) -> BudgetId {
    let group = if group.is_empty() { Group::whole() } else { Group::new(vec![("tenant".into(), group.into())]) };
    BudgetId { slo: slo_id(slo), objective: ObjectiveName::parse("default").unwrap(), group }
}

/// `total` events of which `bad` are bad.
pub(crate) fn counts(bad: i64, total: i64) -> Counts {
    Counts { good: total - bad, tolerated: 0, bad, unseen_millis: 0 }
}

/// The story's facts: 99.9 % over 30 days, 15.2 % failing, 1 h at 1.46 %.
pub(crate) fn burn_facts(urgency: Urgency, short_bad: i64) -> BurnFacts {
    let row = AlertRow { urgency, factor: Factor::parse("14.4").unwrap(), long: hours(1), short: minutes(5) };
    let short = counts(short_bad, 1_091_100);
    let long = counts(191_160, 13_093_200);
    BurnFacts {
        title: "Customers can pay".into(),
        symptom: Symptom::Failing,
        target: Target::percent("99.9%").unwrap(),
        window: Window::Rolling(days(30)),
        fired: RowBurn { row, long, short, long_burn: 14.6, short_burn: short_bad as f64 / 1_091.1, verdict: Verdict::Holds },
        began: began(),
        left: BudgetLeft { ratio: 0.71, seconds: 1840.0, whole: Duration::from_secs(2592) },
        coverage: Some(1.0),
        runs_out: Some(minutes(202)),
        as_of: DECIDED,
        members: Vec::new(),
    }
}

fn member(facts: Facts) -> Member {
    Member::new(DECIDED, facts)
}

/// An incident of a burning budget per group, each a little better than the one before.
pub(crate) fn burning(groups: &[&str]) -> Incident {
    let members = groups.iter().zip(0..).map(|(group, rank)| {
        let facts = burn_facts(Urgency::Page, 165_847 - rank * 10_911);
        (AlertKey::Budget(budget_id("availability", group)), member(Facts::Burn(Box::new(facts))))
    });
    incident(
        FaultKey { subject: Subject::Service(ServiceName::parse("checkout").unwrap()), kind: Kind::Burn, urgency: Urgency::Page },
        members.collect(),
    )
}

pub(crate) fn incident(fault: FaultKey, members: BTreeMap<AlertKey, Member>) -> Incident {
    let page = PageId::of(&["main", "root"]);
    let root = PageState {
        to: Recipient::Channel("#payments-oncall".into()),
        decided_at: DECIDED,
        step: 0,
        why: PageReason::Opened,
        outcome: PageOutcome::Delivered {
            at: DECIDED.plus(Duration::from_secs(1)),
            message: MessageRef { channel: "C01PAY".into(), ts: "1763953803.000100".into() },
        },
        over: None,
    };
    Incident {
        tenant: tenant(),
        id: fault.incident(3),
        ordinal: 3,
        fault,
        team: TeamName::parse("payments").unwrap(),
        opened_at: DECIDED,
        began: began(),
        phase: Phase::Open,
        waiting_since: DECIDED,
        first: members.iter().map(|(alert, member)| (alert.clone(), member.facts.clone())).collect(),
        members: members.into_iter().collect(),
        escalation: Escalation { step: 0, round: 0, calls: 0, due: Some(DECIDED.plus(minutes(5))) },
        pages: BTreeMap::from([(page.clone(), root)]),
        root: Some(page),
        last_told: LastTold { at: DECIDED, groups: 1 },
        last_acknowledged: None,
        spells: vec![Spell { from: began(), to: None }],
        last_help: None,
        last_note: None,
        last_seq: 3,
    }
}

pub(crate) fn ana() -> Actor {
    Actor::Person { name: "ana".into(), via: Via::Slack }
}

pub(crate) fn config() -> Config {
    let person = |name: &str| Recipient::Person(PersonName::parse(name).unwrap());
    let step = |to: Recipient| Step { page: vec![to], acknowledge_within: minutes(5) };
    let name = TeamName::parse("payments").unwrap();
    let team = Team {
        name: name.clone(),
        channel: "#payments-oncall".into(),
        escalation: vec![step(person("ana")), step(person("sam")), step(Recipient::Channel("#payments-leads".into()))],
    };
    Config {
        listen: ([127, 0, 0, 1], 9095).into(),
        token_file: None,
        external_url: "https://burnward.example".into(),
        tick: Duration::from_secs(10),
        operators: crate::config::Operators { channel: "#burnward".into(), escalation: vec![step(person("ada"))] },
        storage: "unused".into(),
        sources: BTreeMap::new(),
        tenants: BTreeMap::new(),
        people: BTreeMap::new(),
        teams: BTreeMap::from([(name, team)]),
        slack: None,
        reports: Vec::new(),
        templates: None,
        slo_templates: Vec::new(),
    }
}

pub(crate) fn message(kind: MessageKind) -> Message {
    Message {
        id: PageId::of(&["main", "root"]),
        incident: IncidentId::new("checkout", "burn", 3),
        to: Recipient::Channel("#payments-oncall".into()),
        kind,
        due: DECIDED,
    }
}

pub(crate) fn context(incident: &Incident, impacts: &[BudgetImpact], now: Timestamp) -> PageContext {
    context_in(&View::default(), incident, impacts, now)
}

fn context_in(view: &View, incident: &Incident, impacts: &[BudgetImpact], now: Timestamp) -> PageContext {
    context_with(view, &BTreeMap::new(), incident, impacts, now)
}

fn context_with(
    view: &View,
    budgets: &BTreeMap<BudgetId, BudgetStatus>,
    incident: &Incident,
    impacts: &[BudgetImpact],
    now: Timestamp,
) -> PageContext {
    let steps = ["Roll back the last deploy", "Check the payment provider's status", "Shed load", "never shown"].map(str::to_owned);
    let message = message(MessageKind::Root);
    let config = config();
    let input =
        PageInput { incident, message: Some(&message), decided_at: DECIDED, view, budgets, config: &config, impacts, steps: &steps, now };
    PageContext::new(&input)
}

fn texts(incident: &Incident, impacts: &[BudgetImpact], now: Timestamp) -> PageTexts {
    Renderer::load(None, Faults::default()).page(&context(incident, impacts, now))
}

/// The texts as a reader sees them whose zone is UTC.
fn shown(texts: &PageTexts) -> String {
    let slots = [&texts.headline, &texts.budget, &texts.r#where, &texts.do_first, &texts.people, &texts.footer];
    slots.iter().filter(|slot| !slot.is_empty()).map(|slot| plain(slot.as_str())).collect::<Vec<_>>().join("\n")
}

/// Time tokens replaced by their fallback.
pub(crate) fn plain(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, token)) = rest.split_once("<!date^") {
        let (token, after) = token.split_once('>').unwrap();
        out.push_str(before);
        out.push_str(token.split_once('|').unwrap().1);
        rest = after;
    }
    out + rest
}

fn later(seconds: u64) -> Timestamp {
    DECIDED.plus(Duration::from_secs(seconds))
}

#[test]
fn a_page_says_what_for_whom_how_bad_since_when() {
    insta::assert_snapshot!(shown(&texts(&burning(&["acme"]), &[], later(14))), @r"
    ▲ checkout · acme: 15.2 % of requests failing (limit 0.10 %) for 6 min
    Budget of 30 d: 71 % left (30 m 40 s of 43 m 12 s), gone in 3 h 22 m at this rate.
    1 h: 1.46 % = 14.6x · 5 min: 15.2 % = 152x · page above 14.4x (as of 03:10:02 UTC)
    *availability* Customers can pay (99.9 %): acme 15.2 %
    *Do first*
    • Roll back the last deploy
    • Check the payment provider's status
    • Shed load
    ana is paged · goes to sam 03:15 UTC if not acknowledged
    checkout-burn-3 · P-74109c2f4dbf · decided 03:10:02 UTC
    ");
}

#[test]
fn a_command_of_the_runbook_can_be_copied() {
    let mut page = context(&burning(&["acme"]), &[], later(14));
    page.steps = ["1. Look at `kubectl get pods`", "`*all* of it`@channel"].map(str::to_owned).to_vec();
    let texts = Renderer::load(None, Faults::default()).page(&page);
    insta::assert_snapshot!(texts.do_first, @r"
    *Do first*
    • 1. Look at `kubectl get pods`
    • `ˋ*all* of itˋ@channel`
    ");
}

#[test]
fn what_people_took_out_of_the_budget_of_a_burn_is_said_on_its_page() {
    let exclusion = Exclusion {
        id: ExclusionId(1),
        scope: Scope { of: Owner::Tenant, group: Group::whole() },
        recorded_at: began(),
        withdrawn_at: None,
        stretches: vec![Interval { from: began().minus(minutes(3)), to: began().plus(minutes(2)) }],
    };
    let excluded = ExclusionsView { cases: Vec::new(), exclusions: Arc::new(Exclusions::new(vec![exclusion])) };
    let view = View { exclusions: BTreeMap::from([(tenant(), Arc::new(excluded))]), ..View::default() };
    let mut incident = burning(&["acme"]);
    let budget = |incident: &Incident| {
        let texts = Renderer::load(None, Faults::default()).page(&context_in(&view, incident, &[], later(60)));
        plain(texts.budget.as_str()).lines().next().unwrap_or_default().to_owned()
    };
    let left = "Budget of 30 d: 71 % left (30 m 40 s of 43 m 12 s)";
    let excluded = "2 min of this burn are excluded by X-1; alerts count them";
    assert_eq!(budget(&incident), format!("{left}, gone in 3 h 22 m at this rate. {excluded}."));
    incident.phase = Phase::Resolved { at: later(60), by: Actor::Daemon, how: Resolution::Recovered };
    assert_eq!(budget(&incident), format!("{left}; {excluded}"));
}

/// How a budget of an incident stands in the round that the page is rendered after.
fn stands(facts: &BurnFacts) -> BudgetStatus {
    BudgetStatus {
        budget: budget_id("availability", "acme"),
        state: State::Burning,
        status: Status::Active,
        since: Some(DECIDED),
        target: facts.target,
        window: facts.window.clone(),
        over: Interval::ending(DECIDED, days(30)),
        counted_in: CountedIn::Events,
        counts: facts.fired.long,
        unit: EventUnit::Event,
        excluded: Excluded::default(),
        sli: None,
        left: Some(facts.left),
        forecast: None,
        window_total: facts.fired.long.total() as f64,
        runs_out: facts.runs_out,
        rows: vec![facts.fired],
        counted_from: Some(DECIDED.minus(days(30))),
        coverage: 1.0,
        to_fill: Duration::ZERO,
        unseen: None,
        no_data: NoDataThen::TellOwner,
        doubt: None,
        newest_sample: Some(DECIDED),
        as_of: DECIDED,
        unknown: None,
        alerts: AlertState { page: Some(DECIDED), ticket: None },
        members: Vec::new(),
    }
}

#[test]
fn a_budget_in_slices_of_time_says_what_share_of_the_time_was_down() {
    let facts = BurnFacts { symptom: Symptom::Downtime, ..burn_facts(Urgency::Page, 165_847) };
    let members = BTreeMap::from([(AlertKey::Budget(budget_id("availability", "")), member(Facts::Burn(Box::new(facts))))]);
    let headline = texts(&incident(burning(&[""]).fault, members), &[], later(14)).headline;
    assert_eq!(plain(headline.as_str()), "▲ checkout: 15.2 % of the time down (limit 0.10 %) for 6 min");
}

#[test]
fn a_budget_of_which_not_all_was_seen_says_so_on_its_page() {
    let facts = burn_facts(Urgency::Page, 165_847);
    let line = |status: BudgetStatus| {
        let live = BTreeMap::from([(status.budget.clone(), status)]);
        let page = context_with(&View::default(), &live, &burning(&["acme"]), &[], later(60));
        plain(Renderer::load(None, Faults::default()).page(&page).budget.as_str()).lines().next().unwrap_or_default().to_owned()
    };
    let left = "Budget of 30 d: 71 % left (30 m 40 s of 43 m 12 s)";
    let read = BudgetStatus { to_fill: days(27) + hours(4), ..stands(&facts) };
    assert_eq!(line(read), format!("{left}, gone in 3 h 22 m at this rate. The first 27 d 4 h of the window are still to be read."));
    let of = |ratio| BudgetLeft { ratio, seconds: ratio * 2592.0, whole: Duration::from_secs(2592) };
    let hidden = Unseen { time: hours(9), events: 20_000, least: of(0.55), most: of(0.71) };
    let unseen = BudgetStatus { unseen: Some(hidden), coverage: 0.98, ..stands(&facts) };
    assert_eq!(line(unseen), format!("{left}; not all was seen: 55 % to 71 % left, gone in 3 h 22 m at this rate."));
}

#[test]
fn a_page_names_the_objective_where_another_one_of_its_slo_reads_the_same() {
    let line = |other: &str| {
        let text = format!(
            "version: burnward/v1\nservice: checkout\nteam: payments\nslos:\n  - name: availability\n    sli: {{ events: {{ bad: 'failed_total', total: 'all_total' }} }}\n    objectives:\n      - {{ name: default, target: 99.9%, window: 30d }}\n      - {{ name: minutes, target: {other}, counted-in: {{ slices: 1m, good-if-at-least: 99% }} }}\n"
        );
        let context = Context::unchecked(tenant(), SourceName::parse("prom").unwrap());
        let loaded = definition::read_texts([(PathBuf::from("checkout.yaml"), text)], &context);
        let view = View { slos: loaded.slos.into_iter().map(|slo| (slo.id.clone(), slo)).collect(), ..View::default() };
        assert_eq!(view.slos.len(), 1, "{:?}", loaded.faults);
        let page = context_in(&view, &burning(&["acme"]), &[], later(60));
        plain(Renderer::load(None, Faults::default()).page(&page).budget.as_str()).lines().next().unwrap_or_default().to_owned()
    };
    let left = "71 % left (30 m 40 s of 43 m 12 s), gone in 3 h 22 m at this rate.";
    assert_eq!(line("99.90%, window: 30d"), format!("Budget of 30 d (objective default): {left}"));
    assert_eq!(line("99.9%, window: 28d"), format!("Budget of 30 d: {left}"));
    assert_eq!(line("99.5%, window: 30d"), format!("Budget of 30 d: {left}"));
}

#[test]
fn a_page_names_the_objectives_that_burn_where_its_slo_has_several() {
    let line = |objectives: &str, burning: &[(&str, Option<Timestamp>)]| {
        let text = format!(
            "version: burnward/v1\nservice: checkout\nteam: payments\nslos:\n  - name: availability\n    sli: {{ events: {{ bad: 'failed_total', total: 'all_total' }} }}\n    objectives: [{objectives}]\n"
        );
        let context = Context::unchecked(tenant(), SourceName::parse("prom").unwrap());
        let loaded = definition::read_texts([(PathBuf::from("checkout.yaml"), text)], &context);
        let view = View { slos: loaded.slos.into_iter().map(|slo| (slo.id.clone(), slo)).collect(), ..View::default() };
        assert_eq!(view.slos.len(), 1, "{:?}", loaded.faults);
        let members = burning.iter().map(|(name, recovered_at)| {
            let budget = BudgetId { objective: ObjectiveName::parse(name).unwrap(), ..budget_id("availability", "") };
            let facts = Facts::Burn(Box::new(burn_facts(Urgency::Page, 165_847)));
            (AlertKey::Budget(budget), Member { recovered_at: *recovered_at, ..member(facts) })
        });
        let page = context_in(&view, &incident(super::tests::burning(&[""]).fault, members.collect()), &[], later(60));
        plain(Renderer::load(None, Faults::default()).page(&page).r#where.as_str())
    };
    let (one, two) = ("{ name: strict, target: 99.9%, window: 30d }", "{ name: loose, target: 99%, window: 30d }");
    let several = [one, two].join(", ");
    assert_eq!(line(one, &[("strict", None)]), "*availability* Customers can pay (99.9 %)");
    assert_eq!(line(&several, &[("strict", None)]), "*availability* Customers can pay (99.9 %, objective strict)");
    let both = "*availability* Customers can pay (99.9 %, objective loose; 99.9 %, objective strict)";
    assert_eq!(line(&several, &[("strict", None), ("loose", None)]), both);
    let recovered = "*availability* Customers can pay (99.9 %, objective strict) · 1 recovered";
    assert_eq!(line(&several, &[("strict", None), ("loose", Some(later(30)))]), recovered);
}

#[test]
fn the_first_ninety_characters_hold_the_facts_even_with_long_names() {
    let long = "a-customer-whose-name-does-not-end-soon";
    for groups in [&["acme"][..], &["acme", "globex"], &["acme", "globex", "initech"], &[long]] {
        let headline = plain(texts(&burning(groups), &[], later(14)).headline.as_str());
        let first: String = headline.chars().take(90).collect();
        assert!(first.contains("15.2 %") || first.contains("14."), "{first}");
        assert!(first.contains("for 6 min"), "{first}");
    }
}

#[test]
fn many_groups_are_named_in_few_words() {
    let groups: Vec<String> = (1..=10).map(|n| format!("tenant-{n:02}")).collect();
    let groups: Vec<&str> = groups.iter().map(String::as_str).collect();
    insta::assert_snapshot!(shown(&texts(&burning(&groups), &[], later(14))), @r"
    ▲ checkout · tenant-01, tenant-02 and 8 more: 10.7 % failing (limit 0.10 %) for 6 min
    Budget of tenant-01 over 30 d: 71 % left (30 m 40 s of 43 m 12 s), gone in 3 h 22 m at this rate.
    1 h: 1.46 % = 14.6x · 5 min: 15.2 % = 152x · page above 14.4x (as of 03:10:02 UTC)
    *availability* Customers can pay (99.9 %): tenant-01 15.2 %, tenant-02 14.2 %, tenant-03 13.2 %, tenant-04 12.2 %, tenant-05 11.2 %, tenant-06 10.2 %, tenant-07 9.20 %, tenant-08 8.20 %, tenant-09 7.20 %, tenant-10 6.20 %
    *Do first*
    • Roll back the last deploy
    • Check the payment provider's status
    • Shed load
    ana is paged · goes to sam 03:15 UTC if not acknowledged
    checkout-burn-3 · P-74109c2f4dbf · decided 03:10:02 UTC
    ");
}

#[test]
fn an_slo_that_is_not_split_names_no_group() {
    insta::assert_snapshot!(texts(&burning(&[""]), &[], later(14)).headline, @"▲ checkout: 15.2 % of requests failing (limit 0.10 %) for 6 min");
}

#[test]
fn a_headline_is_about_one_slo_with_its_own_groups_and_beginning() {
    let mut incident = burning(&["acme"]);
    let facts = BurnFacts { symptom: Symptom::Broken, began: DECIDED.minus(minutes(2)), ..burn_facts(Urgency::Page, 600_000) };
    let journey = (AlertKey::Budget(budget_id("journey", "")), member(Facts::Burn(Box::new(facts))));
    incident.members = incident.members.iter().map(|(alert, member)| (alert.clone(), member.clone())).chain([journey]).collect();
    insta::assert_snapshot!(texts(&incident, &[], later(14)).headline, @"▲ checkout: 55.0 % of the time broken (limit 0.10 %) for 2 min");
}

/// The incident of acme, to which these groups joined three minutes later, each 18 s after it began to fail, with the post that was owed for them.
fn joined(groups: &[(&str, i64)]) -> (Incident, PageId) {
    let mut incident = burning(&["acme"]);
    let joins = groups.iter().map(|(group, bad)| {
        let facts = BurnFacts { began: later(162), as_of: later(180), ..burn_facts(Urgency::Page, *bad) };
        (AlertKey::Budget(budget_id("availability", group)), Member::new(later(180), Facts::Burn(Box::new(facts))))
    });
    incident.members = incident.members.iter().map(|(alert, member)| (alert.clone(), member.clone())).chain(joins).collect();
    let again = PageId::of(&["main", "again"]);
    let why = PageReason::Joined(JoinReason::Doubled);
    let owed = PageState { decided_at: later(180), why, outcome: PageOutcome::Owed, ..incident.pages.values().next().unwrap().clone() };
    incident.pages.insert(again.clone(), owed);
    (incident, again)
}

/// The texts of a post, a second after it was decided three minutes into the incident.
fn texts_of(incident: &Incident, page: &PageId) -> PageTexts {
    let (config, budgets, view) = (config(), BTreeMap::new(), View::default());
    let message = Message { id: page.clone(), ..message(MessageKind::Again) };
    let (decided_at, now) = (later(180), later(181));
    let message = Some(&message);
    let input = PageInput { incident, message, decided_at, view: &view, budgets: &budgets, config: &config, impacts: &[], steps: &[], now };
    Renderer::load(None, Faults::default()).page(&PageContext::new(&input))
}

#[test]
fn a_post_for_a_group_that_joined_begins_with_its_own_figures_and_beginning() {
    let (incident, again) = joined(&[("globex", 490_995)]);
    insta::assert_snapshot!(shown(&texts_of(&incident, &again)), @r"
    ▲ checkout · globex: 45.0 % of requests failing (limit 0.10 %) for 19 s
    Budget of globex over 30 d: 71 % left (30 m 40 s of 43 m 12 s), gone in 3 h 22 m at this rate.
    1 h: 1.46 % = 14.6x · 5 min: 45.0 % = 450x · page above 14.4x (as of 03:13:02 UTC)
    *availability* Customers can pay (99.9 %): globex 45.0 %, acme 15.2 %
    Paged anew, because at least twice as many groups are hit. ana is paged · goes to sam 03:15 UTC if not acknowledged
    checkout-burn-3 · P-cab5ca0e4ad4 · decided 03:13:02 UTC
    ");
    let (worse_first, again) = joined(&[("globex", 54_555)]);
    insta::assert_snapshot!(texts_of(&worse_first, &again).headline, @"▲ checkout · globex: 5.00 % of requests failing (limit 0.10 %) for 19 s");
    let (mut first, again) = joined(&[("globex", 490_995)]);
    first.pages.remove(&again);
    let root = first.root.clone().unwrap();
    insta::assert_snapshot!(texts_of(&first, &root).headline, @"▲ checkout · globex, acme: 30.1 % failing (limit 0.10 %) for 8 min");
}

#[test]
fn a_post_for_groups_that_joined_together_is_about_these() {
    let (mut incident, again) = joined(&[("globex", 490_995), ("initech", 54_555)]);
    insta::assert_snapshot!(shown(&texts_of(&incident, &again)), @r"
    ▲ checkout · globex, initech: 25.0 % failing (limit 0.10 %) for 19 s
    Budget of globex over 30 d: 71 % left (30 m 40 s of 43 m 12 s), gone in 3 h 22 m at this rate.
    1 h: 1.46 % = 14.6x · 5 min: 45.0 % = 450x · page above 14.4x (as of 03:13:02 UTC)
    *availability* Customers can pay (99.9 %): globex 45.0 %, acme 15.2 %, initech 5.00 %
    Paged anew, because at least twice as many groups are hit. ana is paged · goes to sam 03:15 UTC if not acknowledged
    checkout-burn-3 · P-cab5ca0e4ad4 · decided 03:13:02 UTC
    ");
    let recovers = |(alert, member): (&AlertKey, &Member)| {
        let over = alert.group().is_some_and(|group| group.values() == "globex");
        (alert.clone(), Member { recovered_at: over.then(|| later(180)), ..member.clone() })
    };
    incident.members = incident.members.iter().map(recovers).collect();
    insta::assert_snapshot!(texts_of(&incident, &again).headline, @"▲ checkout · initech: 5.00 % of requests failing (limit 0.10 %) for 19 s");
}

#[test]
fn a_post_for_another_slo_is_about_that_one_however_badly_the_first_burns() {
    let (mut incident, again) = joined(&[]);
    let facts = BurnFacts { symptom: Symptom::TooSlow, began: later(120), ..burn_facts(Urgency::Page, 54_555) };
    let slow = (AlertKey::Budget(budget_id("latency", "")), Member::new(later(180), Facts::Burn(Box::new(facts))));
    incident.members = incident.members.iter().map(|(alert, member)| (alert.clone(), member.clone())).chain([slow]).collect();
    insta::assert_snapshot!(texts_of(&incident, &again).headline, @"▲ checkout: 5.00 % of requests too slow (limit 0.10 %) for 1 min");
}

#[test]
fn an_acknowledgement_counts_from_the_page_that_called_for_it() {
    let mut incident = burning(&["acme"]);
    incident.phase = Phase::Acknowledged { at: later(1260), by: ana() };
    incident.waiting_since = later(1200);
    incident.escalation.due = None;
    assert!(plain(texts(&incident, &[], later(1261)).people.as_str()).ends_with("Acknowledged by ana 03:31 UTC"), "none had arrived");
    let again = PageState { decided_at: later(1200), why: PageReason::Reopened, ..incident.pages.values().next().unwrap().clone() };
    let arrived = MessageRef { channel: "C01PAY".into(), ts: "1763953804.000100".into() };
    let again = PageState { outcome: PageOutcome::Delivered { at: later(1203), message: arrived }, ..again };
    incident.pages.insert(PageId::of(&["main", "again"]), again);
    assert!(plain(texts(&incident, &[], later(1261)).people.as_str()).ends_with("(57 s after the page)"));
}

#[test]
fn an_acknowledged_page_says_who_has_it() {
    let mut incident = burning(&["acme"]);
    incident.phase = Phase::Acknowledged { at: later(58), by: ana() };
    incident.escalation.due = None;
    insta::assert_snapshot!(shown(&texts(&incident, &[], later(60))), @r"
    ▲ checkout · acme: 15.2 % of requests failing (limit 0.10 %) for 6 min
    Budget of 30 d: 71 % left (30 m 40 s of 43 m 12 s), gone in 3 h 22 m at this rate.
    1 h: 1.46 % = 14.6x · 5 min: 15.2 % = 152x · page above 14.4x (as of 03:10:02 UTC)
    *availability* Customers can pay (99.9 %): acme 15.2 %
    *Do first*
    • Roll back the last deploy
    • Check the payment provider's status
    • Shed load
    Acknowledged by ana 03:11 UTC (57 s after the page)
    checkout-burn-3 · P-74109c2f4dbf · decided 03:10:02 UTC
    ");
}

#[test]
fn a_recovered_page_says_what_it_cost() {
    let mut incident = burning(&["acme"]);
    let resolved = began().plus(minutes(38));
    incident.phase = Phase::Resolved { at: resolved, by: Actor::Daemon, how: Resolution::Recovered };
    incident.escalation.due = None;
    let impact = BudgetImpact {
        budget: budget_id("availability", "acme"),
        counts: counts(1_260_000, 8_300_000),
        unit: EventUnit::Event,
        spent: Some(0.134),
        at_most: Some(0.134),
    };
    insta::assert_snapshot!(shown(&texts(&incident, &[impact], resolved)), @r"
    ● Recovered 03:42 UTC · checkout · acme: 38 min, 13.4 % of budget, 1.26 M failed
    Budget of 30 d: 71 % left (30 m 40 s of 43 m 12 s)
    *availability* Customers can pay (99.9 %): acme 15.2 %
    checkout-burn-3 · P-74109c2f4dbf · decided 03:10:02 UTC
    ");
    incident.phase = Phase::Resolved { at: resolved, by: ana(), how: Resolution::ByPerson };
    incident.members =
        incident.members.iter().map(|(alert, member)| (alert.clone(), Member { recovered_at: Some(resolved), ..member.clone() })).collect();
    insta::assert_snapshot!(texts(&incident, &[], resolved).headline, @"● Recovered <!date^1763955736^{time}|03:42 UTC> · checkout · acme: 38 min, resolved by ana");
}

#[test]
fn what_a_person_resolved_while_it_goes_on_says_so_first() {
    let mut incident = burning(&["acme"]);
    incident.phase = Phase::Resolved { at: later(120), by: ana(), how: Resolution::ByPerson };
    incident.escalation.due = None;
    insta::assert_snapshot!(shown(&texts(&incident, &[], later(180))), @r"
    ▲ STILL FAILING, resolved by ana · checkout · acme: 15.2 % of requests failing (limit 0.10 %) for 8 min; opens again 03:22 UTC
    Budget of 30 d: 71 % left (30 m 40 s of 43 m 12 s), gone in 3 h 22 m at this rate.
    1 h: 1.46 % = 14.6x · 5 min: 15.2 % = 152x · page above 14.4x (as of 03:10:02 UTC)
    *availability* Customers can pay (99.9 %): acme 15.2 %
    *Do first*
    • Roll back the last deploy
    • Check the payment provider's status
    • Shed load
    Resolved by ana 03:12 UTC; it is open again 03:22 UTC unless it clears
    checkout-burn-3 · P-74109c2f4dbf · decided 03:10:02 UTC
    ");
}

#[test]
fn a_ticket_says_that_it_is_one() {
    let mut facts = burn_facts(Urgency::Ticket, 2_000);
    facts.fired.row = AlertRow { urgency: Urgency::Ticket, factor: Factor::parse("1").unwrap(), long: days(3), short: hours(6) };
    facts.left.ratio = -0.24;
    facts.left.seconds = -622.0;
    facts.runs_out = None;
    let members = BTreeMap::from([(AlertKey::Budget(budget_id("availability", "")), member(Facts::Burn(Box::new(facts))))]);
    let fault = FaultKey { subject: Subject::Service(ServiceName::parse("checkout").unwrap()), kind: Kind::Burn, urgency: Urgency::Ticket };
    let mut incident = incident(fault, members);
    incident.escalation.due = None;
    insta::assert_snapshot!(shown(&texts(&incident, &[], later(14))), @r"
    ▲ Ticket · checkout: 1.46 % of requests failing over 3 d (limit 0.10 %) for 6 min
    Budget of 30 d: 24 % overspent (10 m 22 s beyond 43 m 12 s).
    3 d: 1.46 % = 14.6x · 6 h: 0.18 % = 1.8x · ticket above 1.0x (as of 03:10:02 UTC)
    *availability* Customers can pay (99.9 %)
    *Do first*
    • Roll back the last deploy
    • Check the payment provider's status
    • Shed load
    checkout-ticket-3 · P-74109c2f4dbf · decided 03:10:02 UTC
    ");
}

#[test]
fn blindness_has_words_of_its_own() {
    let source = SourceName::parse("prom-eu").unwrap();
    let unknown = Unknown { reason: Reason::Unreachable, detail: "prom.example:9090 refuses the connection since 02:51:10".into() };
    let hides = (1..=12).map(|n| slo_id(&format!("slo-{n:02}"))).collect();
    let facts = Facts::Blind(BlindFacts { unknown, since: began(), hides });
    let members = BTreeMap::from([(AlertKey::Source(source.clone()), member(facts))]);
    let mut incident = incident(FaultKey { subject: Subject::Source(source), kind: Kind::CannotSee, urgency: Urgency::Page }, members);
    insta::assert_snapshot!(shown(&texts(&incident, &[], later(14))), @r"
    ? prom-eu: cannot see since 03:04 UTC · hides 12 SLOs
    This is not proof of an outage: prom.example:9090 refuses the connection since 02:51:10
    Hidden: checkout/slo-01, checkout/slo-02, checkout/slo-03, checkout/slo-04, checkout/slo-05, checkout/slo-06, checkout/slo-07, checkout/slo-08, checkout/slo-09, checkout/slo-10 and 2 more
    *Do first*
    • Roll back the last deploy
    • Check the payment provider's status
    • Shed load
    ana is paged · goes to sam 03:15 UTC if not acknowledged
    prom-eu-cannot-see-3 · P-74109c2f4dbf · decided 03:10:02 UTC
    ");
    incident.phase = Phase::Resolved { at: later(600), by: Actor::Daemon, how: Resolution::Recovered };
    insta::assert_snapshot!(texts(&incident, &[], later(600)).headline, @"● Sees again <!date^1763954402^{time}|03:20 UTC> · prom-eu: 15 min");
}

#[test]
fn hostile_labels_stay_text_in_every_slot() {
    for value in [
        "<!channel>",
        "<@U123>",
        "<!subteam^S1>",
        "<https://evil|Runbook>",
        "{{secret}}",
        "{{> x}}",
        "${jndi:ldap://x}",
        "%s%n",
        "a\u{202e}b",
    ] {
        let texts = texts(&burning(&[value]), &[], later(14));
        let slots = [&texts.headline, &texts.budget, &texts.r#where, &texts.do_first, &texts.people, &texts.footer];
        for slot in slots {
            let tokens = plain(slot.as_str());
            assert!(!tokens.contains('<') && !tokens.contains('>'), "{value}: {tokens}");
            assert!(!tokens.contains('\u{202e}'), "{value}: {tokens}");
        }
        assert!(texts.headline.as_str().contains("checkout"), "{value}");
    }
    let headline = texts(&burning(&["{{secret}}"]), &[], later(14)).headline;
    assert!(headline.as_str().contains("{{secret}}"), "data is not a template: {headline}");
}

fn own(template: &str, text: &str) -> (tempfile::TempDir, Renderer, Faults) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(template);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
    let faults = Faults::default();
    let renderer = Renderer::load(Some(directory.path()), faults.clone());
    (directory, renderer, faults)
}

#[test]
fn an_own_template_replaces_the_built_in_one() {
    let (_directory, renderer, faults) =
        own("notify/slack/headline.hbs", "{{subject}} is on fire\n{{nothing}} {{time since}} {{time nothing}}");
    let headline = renderer.page(&context(&burning(&["acme"]), &[], DECIDED)).headline;
    assert_eq!(plain(headline.as_str()), "checkout is on fire ⟨missing: nothing⟩ 03:04 UTC ⟨missing: nothing⟩");
    assert_eq!(faults.list(), []);
}

#[test]
fn a_template_that_is_refused_or_fails_gives_way_to_the_built_in_one_and_is_told() {
    let built_in = texts(&burning(&["acme"]), &[], DECIDED).headline;
    for (text, told) in [
        ("{{{subject}}}", "line 1: `{{{`"),
        ("\n{{#each}}x{{/each}}", "line 2"),
        ("{{#if}}", "line 1"),
        ("{{plural subject \"a\"}}", "`plural` takes a number"),
    ] {
        let (_directory, renderer, faults) = own("notify/slack/headline.hbs", text);
        let page = context(&burning(&["acme"]), &[], DECIDED);
        assert_eq!(renderer.page(&page).headline, built_in, "{text}");
        assert_eq!(renderer.page(&page).headline, built_in, "{text}");
        let faults = faults.list();
        assert_eq!(faults.len(), 1, "told once: {faults:?}");
        assert!(faults[0].to_string().contains(told), "{text}: {}", faults[0]);
    }
}

#[test]
fn a_template_that_writes_without_end_is_stopped() {
    let text = format!("{{{{#each burn.slos}}}}{{{{#each groups}}}}{}{{{{/each}}}}{{{{/each}}}}", "x".repeat(30_000));
    let (_directory, renderer, faults) = own("notify/slack/where.hbs", &text);
    let groups: Vec<String> = (0..60).map(|n| format!("g{n}")).collect();
    let page = context(&burning(&groups.iter().map(String::as_str).collect::<Vec<_>>()), &[], DECIDED);
    assert!(renderer.page(&page).r#where.chars() < 3_000);
    assert!(faults.list()[0].reason.contains("more than 262144 bytes"), "{:?}", faults.list());
}

#[test]
fn a_file_that_replaces_no_template_is_told() {
    let (_directory, _renderer, faults) = own("notify/slack/headlines.hbs", "x");
    assert_eq!(faults.list()[0].template, "notify/slack/headlines.hbs");
}
