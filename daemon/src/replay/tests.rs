use std::sync::Arc;

use burnward_core::{
    id::{SourceName, TenantId},
    incident::AlertKey,
    ledger::Sample,
    sli::Labels,
    slo::{Slo, Urgency},
    status::Status,
    time::{hours, minutes},
    units::{Factor, Target},
    window::Interval,
};

use super::*;
use crate::{
    config::Config,
    definition::{Context, Source, document, marked::Marked},
};

const DOCUMENT: &str = r#"version: burnward/v1
service: checkout
team: payments
slos:
  - name: availability
    sli:
      events:
        bad: 'requests_total{code=~"5.."}'
        total: 'requests_total'
    objectives:
      - target: 99.9%
        window: 30d
"#;

fn slos() -> Vec<Arc<Slo>> {
    read(DOCUMENT)
}

fn read(text: &str) -> Vec<Arc<Slo>> {
    let source = SourceName::parse("prometheus").expect("a name");
    let tenant = TenantId::parse("main").expect("a name");
    let context = Context::unchecked(tenant, source);
    document::read(&Source::new("checkout.yaml", text), "v", &context).expect("it reads").0
}

/// Ten requests a second from one target, scraped every 15 s; from `bad` on all of them fail for `long`.
fn traffic(from: Timestamp, to: Timestamp, bad: Timestamp, long: Duration) -> Samples {
    let labels = |name: &str, code: &str| {
        Labels::new(
            [("__name__", name), ("job", "checkout"), ("instance", "a"), ("code", code)].map(|(name, value)| (name, value.to_owned())),
        )
    };
    let mut samples = Samples::default();
    let mut at = from;
    while at <= to {
        let failed = at.min(bad.plus(long)).since(bad).as_secs() * 10;
        let all = at.since(from).as_secs() * 10;
        samples.push(&labels("up", ""), Sample { at, value: 1.0 });
        samples.push(&labels("requests_total", "200"), Sample { at, value: (all - failed) as f64 });
        samples.push(&labels("requests_total", "500"), Sample { at, value: failed as f64 });
        at = at.plus(Duration::from_secs(15));
    }
    samples
}

#[tokio::test]
async fn a_fault_in_history_pages_and_clears_as_it_would_have_live() {
    let from = Timestamp::from_seconds(1_760_000_400);
    let bad = from.plus(hours(7));
    let to = from.plus(hours(10));
    let tenant = TenantId::parse("main").expect("a name");
    let source = SourceName::parse("prometheus").expect("a name");
    let start = from.plus(hours(6));
    let rehearsal = Rehearsal::new(Arc::new(Config::default()), tenant, source, slos(), start);
    let mut replay = Replay::new(rehearsal, Past::Samples(traffic(from, to, bad, minutes(10))));
    let mut now = start;
    while now <= to {
        replay.tick(now).await;
        now = now.plus(Duration::from_secs(10));
    }
    let pages: Vec<&Alarm> = replay.alarms().iter().filter(|alarm| alarm.fault.urgency == Urgency::Page).collect();
    assert_eq!(pages.len(), 1, "{pages:#?}");
    // A burn of 1,000 is above 14.4 over an hour after 14.4 / 1,000 of it, 52 s; the sample that shows it comes within 15 s, the tick within 10 s.
    let took = pages[0].at.since(bad);
    assert!(took > Duration::from_secs(51) && took <= Duration::from_secs(77), "{took:?}");
    assert!(matches!(&pages[0].alert, AlertKey::Budget(budget) if budget.slo.service.as_str() == "checkout"));
    assert!(matches!(&pages[0].calls, Calls::People { .. }));
    assert!(pages[0].cleared.is_some(), "the fault is over");
}

/// Whoever asks what an SLO in shadow would page is told; whoever asks whom a set of SLOs pages is not told of it.
#[tokio::test]
async fn a_backtest_judges_an_slo_in_shadow_as_if_it_were_active_and_a_life_does_not() {
    let from = Timestamp::from_seconds(1_760_000_400);
    let (bad, span) = (from.plus(hours(7)), Interval { from: from.plus(hours(6)), to: from.plus(hours(8)) });
    let (tenant, source) = (TenantId::parse("main").expect("a name"), SourceName::parse("prometheus").expect("a name"));
    let slos: Vec<Arc<Slo>> = slos().iter().map(|slo| Arc::new(Slo { status: Status::Shadow, ..Slo::clone(slo) })).collect();
    let past = || Past::Samples(traffic(from, span.to, bad, minutes(10)));
    let config = Arc::new(Config::default());
    let set = Set { config: Arc::clone(&config), slos: Entrant::all(slos.clone(), span.from) };
    let life = live((&tenant, &source), vec![set], (span, config.tick), past(), |_| ()).await.expect("samples are at hand");
    assert_eq!(life[0].alarms, []);
    let lived = Backtest { tenant, source, slos: Entrant::all(slos, span.from), changes: Vec::new(), span }
        .run(past(), &config, |_| ())
        .await
        .expect("samples are at hand");
    assert!(lived[0].alarms.iter().any(|alarm| alarm.told() == "page"));
}

/// What nobody is told of has incidents of its own in a backtest: it neither joins those of active SLOs, nor do these join its.
#[tokio::test]
async fn an_slo_in_shadow_takes_no_page_of_an_active_one() {
    let from = Timestamp::from_seconds(1_760_000_400);
    let span = Interval { from: from.plus(hours(6)), to: from.plus(hours(10)) };
    let (tenant, source) = (TenantId::parse("main").expect("a name"), SourceName::parse("prometheus").expect("a name"));
    let trial = DOCUMENT.replace("name: availability", "name: a-trial\n    status: shadow").replace("99.9%", "99.95%");
    let both: Vec<Arc<Slo>> = read(&trial).into_iter().chain(slos()).collect();
    let lived = async |slos: Vec<Arc<Slo>>| {
        let past = Past::Samples(traffic(from, span.to, from.plus(hours(7)), minutes(10)));
        let (tenant, source) = (tenant.clone(), source.clone());
        let backtest = Backtest {
            tenant,
            source,
            slos: Entrant::all(slos, span.from),
            changes: vec![Change::Target(Target::percent("99%").expect("a target"))],
            span,
        };
        backtest.run(past, &Arc::new(Config::default()), |_| ()).await.expect("samples are at hand")
    };
    let (together, alone, trials) = (lived(both).await, lived(slos()).await, lived(read(&trial)).await);
    for ((together, alone), trial) in together.iter().zip(&alone).zip(&trials) {
        assert!(!alone.alarms.is_empty() && !trial.alarms.is_empty());
        let of = |name: &str| {
            let is_its = |alarm: &&Alarm| alarm.slo().is_some_and(|slo| slo.name.as_str() == name);
            together.alarms.iter().filter(is_its).cloned().collect::<Vec<_>>()
        };
        assert_eq!((of("availability"), of("a-trial")), (alone.alarms.clone(), trial.alarms.clone()));
        assert!(together.alarms.is_sorted_by_key(|alarm| alarm.at));
        assert_eq!(together.budgets.len(), 2);
    }
}

/// The same fault as it is and by other targets and rows, beside what people marked.
#[tokio::test]
async fn a_backtest_tries_changes_side_by_side_and_is_scored() {
    let from = Timestamp::from_seconds(1_760_000_400);
    let (bad, to) = (from.plus(hours(7)), from.plus(hours(10)));
    let (tenant, source) = (TenantId::parse("main").expect("a name"), SourceName::parse("prometheus").expect("a name"));
    let target = Target::percent("99%").expect("a target");
    let [usual, high] = ["14.4", "900"].map(|text| Factor::parse(text).expect("a factor"));
    let changes = vec![Change::Target(target), Change::Row(usual, high)];
    let span = Interval { from: from.plus(hours(6)), to };
    let backtest = Backtest { tenant, source, slos: Entrant::all(slos(), span.from), changes, span };
    let mut passed = Duration::ZERO;
    let past = Past::Samples(traffic(from, to, bad, minutes(10)));
    let lived = backtest.run(past, &Arc::new(Config::default()), |now| passed = now).await.expect("samples are at hand");
    assert_eq!(passed, hours(4));
    let marked = |name: &str, after: Duration, long: Duration| Marked {
        name: name.to_owned(),
        service: None,
        slo: None,
        when: Interval { from: bad.plus(after), to: bad.plus(after).plus(long) },
    };
    let incidents = [marked("the fault", Duration::ZERO, minutes(10)), marked("another one", hours(2), minutes(10))];
    let told = lived.iter().map(|lived| {
        let score = Score::of(&lived.alarms, &incidents, minutes(5));
        (lived.change.map(Change::words), score.pages, score.found[0], score.found[1], score.precision(), score.recall())
    });
    // 100 % failing is a burn of 1,000 at 99.9 %: above 14.4 over an hour after 52 s. At 99 % it is 100: after 8 m 38 s. A row of 900x would need 54 minutes
    // of it, and the row of 6x over six hours holds after 2 m 10 s.
    let [first, second, third] = told.collect::<Vec<_>>().try_into().expect("three");
    let seconds = |found: Found| match found {
        Found::After(after) | Found::Late(after) => after.as_secs(),
        Found::Missed => 0,
    };
    assert_eq!((first.0.as_deref(), first.1, first.3, first.4, first.5), (None, 1, Found::Missed, Some(1.0), Some(0.5)));
    assert!((52..=80).contains(&seconds(first.2)) && matches!(first.2, Found::After(_)), "{:?}", first.2);
    // Somebody noticed it minutes after the page, or after it was over.
    let noticed = [marked("noticed late", minutes(5), minutes(5)), marked("something else", hours(2), minutes(10))];
    let score = Score::of(&lived[0].alarms, &noticed, minutes(5));
    assert_eq!((score.found[0], score.found[1], score.right), (Found::After(Duration::ZERO), Found::Missed, 1));
    assert_eq!(second.0.as_deref(), Some("target 99%"));
    assert!((518..=550).contains(&seconds(second.2)) && matches!(second.2, Found::Late(_)), "{:?}", second.2);
    assert_eq!(third.0.as_deref(), Some("row 14.4x at 900x"));
    assert!((129..=160).contains(&seconds(third.2)), "{:?}", third.2);
}

/// What samples of text cannot show would blind the source for what they do.
#[test]
fn expressions_beside_recorded_series_hide_nothing_of_them() {
    let rest = r"
  - name: queue
    sli: { window: { expr: 'max(queue_seconds)', is: '<=', threshold: 60 } }
    objectives: [{ target: 99%, window: 30d }]
  - name: sum
    sli: { query: { bad: 'sum(increase(a[1m]))', total: 'sum(increase(b[1m]))' } }
    objectives: [{ target: 99%, window: 30d }]
  - name: native
    sli: { latency: { histogram: 'h', within: 300ms, buckets: native } }
    objectives: [{ target: 99%, window: 30d }]
  - name: visit
    sli: { composite: { all-of: [{ slo: checkout/availability, good-if-at-least: 99% }, { slo: checkout/sum, good-if-at-least: 99% }] } }
    objectives: [{ target: 99%, window: 30d }]
";
    let OfText { shown, left_out } = OfText::of(read(&format!("{}{}", DOCUMENT.trim_end(), rest)));
    assert_eq!(shown.iter().map(|slo| slo.id.name.as_str()).collect::<Vec<_>>(), ["availability"]);
    let expression = "expressions need a source that evaluates them";
    let why: Vec<_> = left_out.iter().map(|(id, why)| (id.name.as_str(), *why)).collect();
    let [native, journey] = ["native histograms are not in text", "a journey over one of those"];
    assert_eq!(why, [("queue", expression), ("sum", expression), ("native", native), ("visit", journey)]);
}
