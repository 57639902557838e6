use std::time::Duration;

use burnward_core::{
    budget::BudgetLeft,
    burn_rate::{RowBurn, Verdict},
    exclusion::{Correction, Entry, ExclusionId, Owner, Scope, When},
    id::{BudgetId, Group, ObjectiveName, PageId, PersonName, ServiceName, SloId, SloName, SourceName, TeamName, TenantId},
    incident::{
        Actor, AlertKey, BlindFacts, BurnFacts, EscalationReason, Facts, FaultKey, IncidentEvent, JoinReason, Kind, MemberShare,
        MessageRef, PageReason, ReopenReason, Resolution, Subject, Symptom, Via, What,
    },
    ledger::{Counts, Reason, Unknown},
    oncall::Recipient,
    slo::{AlertRow, Urgency},
    time::Timestamp,
    units::{Factor, Ratio, Target},
    window::{Grain, Interval, Period, Window, Zone},
};
use proptest::{collection::vec, option, prelude::*, sample::select};

use super::*;

fn name() -> impl Strategy<Value = String> {
    "[a-z0-9][a-z0-9-]{0,20}"
}

fn slo_id() -> impl Strategy<Value = SloId> {
    (name(), name(), name()).prop_map(|(tenant, service, name)| SloId {
        tenant: TenantId::parse(&tenant).unwrap(),
        service: ServiceName::parse(&service).unwrap(),
        name: SloName::parse(&name).unwrap(),
    })
}

fn any_group() -> impl Strategy<Value = Group> {
    vec((any::<String>(), any::<String>()), 0..4).prop_map(Group::new)
}

fn alert_key() -> impl Strategy<Value = AlertKey> {
    let budget = (slo_id(), name(), any_group()).prop_map(|(slo, objective, group)| BudgetId {
        slo,
        objective: ObjectiveName::parse(&objective).unwrap(),
        group,
    });
    prop_oneof![
        budget.prop_map(AlertKey::Budget),
        name().prop_map(|name| AlertKey::Source(SourceName::parse(&name).unwrap())),
        slo_id().prop_map(AlertKey::Slo),
    ]
}

fn urgency() -> impl Strategy<Value = Urgency> {
    select(vec![Urgency::Page, Urgency::Ticket])
}

fn fault_key() -> impl Strategy<Value = FaultKey> {
    let subject = prop_oneof![
        name().prop_map(|name| Subject::Service(ServiceName::parse(&name).unwrap())),
        name().prop_map(|name| Subject::Source(SourceName::parse(&name).unwrap())),
    ];
    (subject, select(vec![Kind::Burn, Kind::CannotSee]), urgency()).prop_map(|(subject, kind, urgency)| FaultKey { subject, kind, urgency })
}

fn to() -> impl Strategy<Value = Recipient> {
    prop_oneof![name().prop_map(|name| Recipient::Person(PersonName::parse(&name).unwrap())), any::<String>().prop_map(Recipient::Channel),]
}

fn instant() -> impl Strategy<Value = Timestamp> {
    any::<i64>().prop_map(Timestamp::from_millis)
}

fn counts() -> impl Strategy<Value = Counts> {
    any::<[i64; 4]>().prop_map(|[good, tolerated, bad, unseen_millis]| Counts { good, tolerated, bad, unseen_millis })
}

fn alert_row() -> impl Strategy<Value = AlertRow> {
    let factor = (1..u64::MAX, 1..u64::MAX).prop_map(|(num, den)| Ratio::new(num, den).and_then(Factor::from_ratio).unwrap());
    (urgency(), factor, any::<Duration>(), any::<Duration>()).prop_map(|(urgency, factor, long, short)| AlertRow {
        urgency,
        factor,
        long,
        short,
    })
}

/// Every float but those that are no numbers, which are not equal to themselves.
fn number() -> impl Strategy<Value = f64> {
    any::<f64>().prop_filter("a number", |value| !value.is_nan())
}

fn row_burn() -> impl Strategy<Value = RowBurn> {
    (alert_row(), counts(), counts(), number(), number(), any::<bool>()).prop_map(|(row, long, short, long_burn, short_burn, holds)| {
        let verdict = if holds { Verdict::Holds } else { Verdict::Quiet };
        RowBurn { row, long, short, long_burn, short_burn, verdict }
    })
}

fn any_target() -> impl Strategy<Value = Target> {
    (1..u64::MAX - 1, any::<u8>()).prop_map(|(num, decimals)| Target::from_allowed(Ratio::new(num, u64::MAX).unwrap(), decimals).unwrap())
}

fn window() -> impl Strategy<Value = Window> {
    let grain = select(vec![Grain::Hour, Grain::HalfHour, Grain::QuarterHour]);
    let zone = ("[A-Za-z/_+-]{1,64}", grain).prop_map(|(name, grain)| Zone::parse(&name, grain).unwrap());
    let period = select(vec![Period::Week, Period::Month, Period::Quarter]);
    prop_oneof![any::<Duration>().prop_map(Window::Rolling), (period, zone).prop_map(|(period, zone)| Window::Calendar { period, zone })]
}

fn burn_facts() -> impl Strategy<Value = BurnFacts> {
    let left = (number(), number(), any::<Duration>()).prop_map(|(ratio, seconds, whole)| BudgetLeft { ratio, seconds, whole });
    let words = (
        any::<String>(),
        select(vec![
            Symptom::Failing,
            Symptom::TooSlow,
            Symptom::Down,
            Symptom::Downtime,
            Symptom::Missing,
            Symptom::OutOfBounds,
            Symptom::Broken,
        ]),
        any_target(),
    );
    let members = vec((slo_id(), any::<i64>()).prop_map(|(slo, cost)| MemberShare { slo, cost }), 0..3);
    (words, window(), row_burn(), instant(), left, (option::of(0.0..=1.0), option::of(any::<Duration>())), instant(), members).prop_map(
        |((title, symptom, target), window, fired, began, left, (coverage, runs_out), as_of, members)| BurnFacts {
            title,
            symptom,
            target,
            window,
            fired,
            began,
            left,
            coverage,
            runs_out,
            as_of,
            members,
        },
    )
}

fn facts() -> impl Strategy<Value = Facts> {
    let reason = select(vec![Reason::Unreachable, Reason::Partial, Reason::NotYet, Reason::TooManyGroups, Reason::Nan]);
    let blind = (reason, any::<String>(), instant(), vec(slo_id(), 0..3)).prop_map(|(reason, detail, since, hides)| BlindFacts {
        unknown: Unknown { reason, detail },
        since,
        hides,
    });
    prop_oneof![burn_facts().prop_map(|burn| Facts::Burn(Box::new(burn))), blind.prop_map(Facts::Blind)]
}

fn join_reason() -> impl Strategy<Value = JoinReason> {
    select(vec![JoinReason::NewSlo, JoinReason::Doubled, JoinReason::CameBack, JoinReason::OldAcknowledgement])
}

fn page_reason() -> impl Strategy<Value = PageReason> {
    let plain = vec![PageReason::Opened, PageReason::NotAcknowledged, PageReason::HelpAsked, PageReason::Reopened, PageReason::Unreachable];
    prop_oneof![select(plain), join_reason().prop_map(PageReason::Joined)]
}

fn page() -> impl Strategy<Value = PageId> {
    any::<String>().prop_map(|text| PageId::from_text(&text))
}

fn what() -> impl Strategy<Value = What> {
    let escalation = select(vec![EscalationReason::NotAcknowledged, EscalationReason::HelpAsked, EscalationReason::Unreachable]);
    let reopen = select(vec![ReopenReason::FiredAgain, ReopenReason::StillHolds]);
    let message = any::<(String, String)>().prop_map(|(channel, ts)| MessageRef { channel, ts });
    prop_oneof![
        (fault_key(), name(), alert_key(), facts()).prop_map(|(fault, team, alert, facts)| What::Opened {
            fault,
            team: TeamName::parse(&team).unwrap(),
            alert,
            facts
        }),
        (alert_key(), facts(), option::of(join_reason())).prop_map(|(alert, facts, notify)| What::Joined { alert, facts, notify }),
        alert_key().prop_map(|alert| What::Recovered { alert }),
        (page(), to(), any::<u32>(), any::<u32>(), page_reason()).prop_map(|(page, to, step, round, why)| What::PageOwed {
            page,
            to,
            step,
            round,
            why
        }),
        (page(), message, any::<bool>()).prop_map(|(page, at, maybe_repeat)| What::Delivered { page, at, maybe_repeat }),
        (page(), any::<String>()).prop_map(|(page, reason)| What::Undeliverable { page, reason }),
        Just(What::Acknowledged),
        (any::<u32>(), any::<u32>(), escalation).prop_map(|(step, round, why)| What::Escalated { step, round, why }),
        instant().prop_map(|at| What::EscalationDue { at }),
        Just(What::EscalationEnded),
        any::<String>().prop_map(|text| What::Noted { text }),
        select(vec![Resolution::Recovered, Resolution::ByPerson]).prop_map(|how| What::Resolved { how }),
        reopen.prop_map(|why| What::Reopened { why }),
    ]
}

fn actor() -> impl Strategy<Value = Actor> {
    let person = (any::<String>(), select(vec![Via::Slack, Via::Web, Via::Api])).prop_map(|(name, via)| Actor::Person { name, via });
    prop_oneof![Just(Actor::Daemon), person]
}

proptest! {
    #[test]
    fn every_event_comes_back_as_it_was(seq in any::<u32>(), at in instant(), by in actor(), what in what()) {
        let before = IncidentEvent { seq, at, by, what };
        prop_assert_eq!(event_from(seq, at, &event(&before).unwrap()).unwrap(), before);
    }

    #[test]
    fn faults_recipients_groups_and_slos_come_back(key in fault_key(), whom in to(), some in any_group(), ids in vec(slo_id(), 0..4)) {
        prop_assert_eq!(fault_from(&fault(&key).unwrap()).unwrap(), key);
        prop_assert_eq!(recipient_from(&recipient(&whom).unwrap()).unwrap(), whom);
        prop_assert_eq!(group(&labels(&some)).unwrap(), some);
        prop_assert_eq!(slos_from(&slos(&ids).unwrap()).unwrap(), ids);
    }
}

/// What stands in the stores of the first version: this text never changes, and newer versions read it.
#[test]
fn an_event_of_the_first_version_is_read() {
    let stored = r##"{"schema":1,"by":{"person":{"name":"ada","via":"slack"}},
        "what":{"page-owed":{"page":"P-0a1b2c","to":{"channel":"#payments"},"step":1,"round":0,"why":{"joined":"new-slo"}}}}"##;
    let read = event_from(3, Timestamp::from_millis(5), stored).unwrap();
    let what = What::PageOwed {
        page: PageId::from_text("P-0a1b2c"),
        to: Recipient::Channel("#payments".to_owned()),
        step: 1,
        round: 0,
        why: PageReason::Joined(JoinReason::NewSlo),
    };
    let by = Actor::Person { name: "ada".to_owned(), via: Via::Slack };
    assert_eq!(read, IncidentEvent { seq: 3, at: Timestamp::from_millis(5), by, what });
}

/// What stands in the stores of the first version that had exclusions.
#[test]
fn a_correction_of_the_first_version_is_read() {
    let stored =
        r#"{"excluded":{"service":"checkout","when":{"once":{"from":1000,"to":2000}},"reason":"r","author":"ana","approver":"sam"}}"#;
    let expected = Correction::Excluded(Box::new(Entry {
        id: ExclusionId(7),
        scope: Scope { of: Owner::Service(ServiceName::parse("checkout").unwrap()), group: Group::whole() },
        when: When::Once(Interval { from: Timestamp::from_seconds(1), to: Timestamp::from_seconds(2) }),
        reason: "r".to_owned(),
        author: "ana".to_owned(),
        approver: "sam".to_owned(),
        incident: None,
    }));
    assert_eq!(correction_from(ExclusionId(7), stored).unwrap(), expected);
    for damaged in ["{}", r#"{"excluded":{"slo":"a","when":{"once":{"from":1,"to":2}},"reason":"r","author":"a","approver":"s"}}"#] {
        assert!(matches!(correction_from(ExclusionId(7), damaged), Err(StoreError::Damaged { what: "correction", .. })), "{damaged}");
    }
}

#[test]
fn unknown_fields_are_skipped_and_optional_ones_may_be_missing() {
    let stored = r#"{"by":"daemon","colour":"red","what":{"resolved":{"how":"recovered","mood":"good"}}}"#;
    let read = event_from(1, Timestamp::EPOCH, stored).unwrap();
    assert_eq!(read.what, What::Resolved { how: Resolution::Recovered });
}

#[test]
fn a_damaged_event_is_an_error_that_says_so() {
    for stored in ["", "{}", r#"{"by":"daemon","what":"vanished"}"#, r#"{"schema":2,"by":"daemon","what":"acknowledged"}"#] {
        let error = event_from(1, Timestamp::EPOCH, stored).unwrap_err();
        assert!(matches!(error, StoreError::Damaged { what: "incident event", .. }), "{stored}: {error}");
    }
}

/// JSON has no numbers for these.
#[test]
fn floats_that_are_no_numbers_come_back() {
    #[derive(Debug, Serialize, Deserialize)]
    struct Row(#[serde(with = "values::float")] f64);
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0, f64::MIN_POSITIVE / 2.0] {
        let Row(back) = read("row", &written("row", &Row(value)).unwrap()).unwrap();
        assert_eq!((back.is_nan(), back.to_bits() == value.to_bits()), (value.is_nan(), true));
    }
}
