//! Many SLOs cost a source few questions, and what is wrong with one of them stays its own.

use std::{path::Path, time::Duration};

use burnward::app::Daemon;
use burnward_core::{
    evaluate::State,
    id::TenantId,
    ledger::Reason,
    time::{Timestamp, minutes},
};
use burnward_integration_tests::lone::{Lone, at, by_hand};
use burnward_stand_ins::prometheus::FakePrometheus;

const START: Timestamp = Timestamp::from_seconds(1_700_000_000);
const TICK: Duration = Duration::from_secs(10);

/// A source with a counter of two codes for each service, scraped every 15 s from a quarter of an hour before the start until one after it.
async fn source(services: &[&str]) -> anyhow::Result<FakePrometheus> {
    let fake = FakePrometheus::start().await?;
    for scrape in -60..60_i32 {
        let at = START.millis() + i64::from(scrape) * 15_000;
        fake.push(&[("__name__", "up"), ("job", "fleet"), ("instance", "a:1")], at, 1.0);
        for service in services {
            for (code, pace) in [("200", 100.0), ("500", 0.0)] {
                let labels = [("__name__", "hits_total"), ("job", "fleet"), ("instance", "a:1"), ("service", service), ("code", code)];
                fake.push(&labels, at, 5000.0 + pace * f64::from(scrape));
            }
        }
    }
    Ok(fake)
}

fn slo(service: &str, name: &str, bad: &str) -> String {
    format!(
        r#"  - name: {name}
    title: It answers
    sli: {{ events: {{ bad: 'hits_total{{service="{service}",code=~"{bad}"}}', total: 'hits_total{{service="{service}"}}' }} }}
    objectives: [ {{ target: 99%, window: 1d }} ]
"#
    )
}

/// A daemon over the source, with these SLOs of each service.
async fn daemon(root: &Path, source: &FakePrometheus, services: &[(&str, &[String])]) -> anyhow::Result<Daemon> {
    let documents: Vec<(String, String)> = services
        .iter()
        .map(|(service, slos)| {
            let text = format!("version: burnward/v1\nservice: {service}\nteam: operators\nslos:\n{}", slos.concat());
            (format!("{service}.yaml"), text)
        })
        .collect();
    let documents: Vec<(&str, &str)> = documents.iter().map(|(name, text)| (&**name, &**text)).collect();
    let sources = [("prom", format!("{}, max-series: 20", at(source.url())))];
    let lone = Lone { tick: "10s", sources: &sources, tenants: &[("main", "prom")], documents: &documents };
    let daemon = lone.start(root, by_hand(START)).await?;
    daemon.fast_forward(minutes(3)).await;
    Ok(daemon)
}

/// What one tick asks the source for.
async fn asked_in_a_tick(daemon: &Daemon, source: &FakePrometheus) -> Vec<String> {
    let before = source.asked().len();
    daemon.fast_forward(TICK).await;
    let mut asked: Vec<String> =
        source.asked().split_off(before).into_iter().filter_map(|asked| asked.form.get("query").cloned()).collect();
    asked.sort();
    asked
}

/// How each service's budget stands.
async fn states(daemon: &Daemon) -> anyhow::Result<Vec<(String, State)>> {
    let budgets = daemon.handle.budgets(&TenantId::parse("main")?).await?;
    let mut states: Vec<_> = budgets.iter().map(|status| (status.budget.slo.service.to_string(), status.state)).collect();
    states.sort();
    Ok(states)
}

#[tokio::test]
async fn slos_of_many_services_and_a_second_one_on_the_same_metric_cost_one_question() -> anyhow::Result<()> {
    let (source, root) = (source(&["a", "b", "c"]).await?, tempfile::tempdir()?);
    let of = |service: &str| vec![slo(service, "available", "5.."), slo(service, "strict", "500")];
    let (a, b, c) = (of("a"), of("b"), of("c"));
    let daemon = daemon(root.path(), &source, &[("a", &a), ("b", &b), ("c", &c)]).await?;
    let asked = asked_in_a_tick(&daemon, &source).await;
    let metrics: Vec<&str> = asked.iter().filter_map(|query| query.split_once('[').map(|(selector, _)| selector)).collect();
    assert_eq!(metrics, [r#"hits_total{service=~"a|b|c"}"#, "process_start_time_seconds", "up"]);
    let states = states(&daemon).await?;
    assert_eq!(states.len(), 6);
    assert!(states.iter().all(|(_, state)| *state == State::Ok), "{states:?}");
    Ok(())
}

#[tokio::test]
async fn a_service_that_no_answer_has_room_for_blinds_no_other_and_is_asked_for_alone() -> anyhow::Result<()> {
    let (source, root) = (source(&["a", "b", "c"]).await?, tempfile::tempdir()?);
    let (a, b, c) = (vec![slo("a", "available", "5..")], vec![slo("b", "available", "5..")], vec![slo("c", "available", "5..")]);
    let daemon = daemon(root.path(), &source, &[("a", &a), ("b", &b), ("c", &c)]).await?;
    for pod in 0..30 {
        let (pod, at) = (pod.to_string(), START.millis() + 185_000);
        let labels = [("__name__", "hits_total"), ("job", "fleet"), ("instance", "a:1"), ("service", "b"), ("code", "200"), ("pod", &pod)];
        source.push(&labels, at, 1.0);
    }
    let first = asked_in_a_tick(&daemon, &source).await;
    let states = states(&daemon).await?;
    assert_eq!(states, [("a".to_owned(), State::Ok), ("b".to_owned(), State::CannotSee), ("c".to_owned(), State::Ok)]);
    let budgets = daemon.handle.budgets(&TenantId::parse("main")?).await?;
    let unknown = budgets.iter().find_map(|status| status.unknown.clone());
    assert_eq!(unknown.map(|unknown| unknown.reason), Some(Reason::TooMany));
    let next = asked_in_a_tick(&daemon, &source).await;
    assert!(first.len() > next.len() && next.len() == 4, "{first:#?} {next:#?}");
    assert!(next.iter().any(|query| query.starts_with(r#"hits_total{service="b"}["#)), "{next:#?}");
    Ok(())
}
