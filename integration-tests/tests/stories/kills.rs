//! `kill -9` at any moment: nothing that was decided is lost, and no page is sent twice unmarked.
//!
//! A script of faults plays against a Prometheus stand-in while the daemon is killed at random and started again. The oracle: the identities of the
//! pages that the core decides for that script, compared with what the Slack stand-in really took. `KILLS` sets how many kills (40), `SEED` replays one run.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    time::Duration,
};

use burnward_core::{
    id::{PersonName, ServiceName, TeamName, TenantId},
    incident::{Actor, AlertKey, Answer, BlindFacts, Command, Facts, FaultKey, Kind, Scope, Subject, What, handle},
    ledger::{Reason, Unknown},
    oncall::{Recipient, Step, Team},
    slo::Urgency,
    time::{Timestamp, hours},
};
use burnward_integration_tests::{binary::Process, world::install_tls};
use burnward_stand_ins::{
    prometheus::FakePrometheus,
    slack::{Entry, Fault, FaultKind, Options, SlackStandIn},
};
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};
use tokio::time::{Instant, sleep, sleep_until};

/// Services that fail one after another.
const SERVICES: usize = 24;

/// How long each fails.
const FAULT: Duration = Duration::from_secs(10);

/// How long Slack takes to answer what it took already: time for kills between the two.
const ANSWER: FaultKind = FaultKind::Slow { millis: 400 };

/// How long after the last kill everything that is owed may take.
const DRAIN: Duration = Duration::from_mins(1);

const CHANNEL: &str = "#services";

#[tokio::test(flavor = "multi_thread")]
async fn random_kills_lose_no_page_and_double_none_unmarked() -> anyhow::Result<()> {
    install_tls();
    let kills = number("KILLS").unwrap_or(40);
    let seed = number("SEED").unwrap_or_else(|| rand::rng().random());
    println!("replay: SEED={seed} KILLS={kills} cargo nextest run -p burnward-integration-tests random_kills --no-capture");

    let directory = tempfile::tempdir()?;
    let slack = SlackStandIn::start(Options::default()).await?;
    slack.add_user("ada", "ada@example.com");
    slack.add_channel(CHANNEL);
    slack.add_channel("#burnward");
    slack.fault(Fault::from_now_on("chat.postMessage", ANSWER))?;
    let prometheus = FakePrometheus::start().await?;
    let config = write_files(directory.path(), prometheus.url(), &slack)?;

    let mut random = StdRng::seed_from_u64(seed);
    let pauses: Vec<Duration> = (0..kills).map(|_| Duration::from_millis(random.random_range(200..2_200))).collect();
    let script = pauses.iter().sum::<Duration>();
    let traffic = async {
        play(&prometheus, script).await;
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = traffic => unreachable!("traffic goes on until the kills are done"),
        outcome = kill_and_check(&config, directory.path(), &slack, &pauses) => outcome?,
    }
    Ok(())
}

async fn kill_and_check(config: &Path, directory: &Path, slack: &SlackStandIn, pauses: &[Duration]) -> anyhow::Result<()> {
    let log = directory.join("log");
    let mut daemon = Process::run(config, &log)?;
    for pause in pauses {
        sleep(*pause).await;
        anyhow::ensure!(daemon.runs(), "the daemon ended by itself: {}", tail(&log));
        daemon.kill_9()?;
        daemon = Process::run(config, &log)?;
    }
    let expected = expected_pages();
    let deadline = Instant::now() + DRAIN;
    while Instant::now() < deadline && !expected.is_subset(&delivered(slack).into_keys().collect()) {
        sleep(Duration::from_millis(100)).await;
    }
    check(&expected, &delivered(slack));
    Ok(())
}

fn check(expected: &BTreeSet<String>, delivered: &BTreeMap<String, Vec<Entry>>) {
    let taken: BTreeSet<String> = delivered.keys().cloned().collect();
    let lost: Vec<&String> = expected.difference(&taken).collect();
    let invented: Vec<&String> = taken.difference(expected).collect();
    assert!(lost.is_empty(), "lost: {lost:?}");
    assert!(invented.is_empty(), "nobody decided: {invented:?}");
    let mut repeats = 0;
    for (page, posts) in delivered {
        let unmarked = posts.iter().filter(|post| !post.text.contains("possible repeat")).count();
        assert!(unmarked <= 1, "{page} stands {unmarked} times unmarked: {posts:?}");
        repeats += posts.len() - 1;
    }
    println!("{} pages, all delivered, {repeats} marked as possible repeats", expected.len());
}

/// The identities of the pages that the core decides for the script: every service's first burn, to the channel and to ada.
fn expected_pages() -> BTreeSet<String> {
    let tenant = TenantId::parse("main").expect("a name");
    let page = vec![Recipient::Person(PersonName::parse("ada").expect("a name"))];
    let team = Team {
        name: TeamName::parse("services").expect("a name"),
        channel: CHANNEL.to_owned(),
        escalation: vec![Step { page, acknowledge_within: hours(1) }],
    };
    (0..SERVICES).flat_map(|service| first_pages(service, &Scope { tenant: &tenant, team: &team, ordinal: 1 })).collect()
}

fn first_pages(service: usize, scope: &Scope<'_>) -> Vec<String> {
    let subject = Subject::Service(ServiceName::parse(&name(service)).expect("a name"));
    let fault = FaultKey { subject, kind: Kind::Burn, urgency: Urgency::Page };
    // A page's identity does not depend on the numbers that led to it: any facts will do.
    let unknown = Unknown { reason: Reason::NotYet, detail: String::new() };
    let facts = Facts::Blind(BlindFacts { unknown, since: Timestamp::EPOCH, hides: Vec::new() });
    let fire = Command::Fire { fault, alert: AlertKey::Test, facts };
    match handle(None, &fire, &Actor::Daemon, scope, Timestamp::EPOCH) {
        Answer::Events(events) => events.iter().filter_map(owed).collect(),
        Answer::Already { .. } => Vec::new(),
    }
}

fn owed(what: &What) -> Option<String> {
    if let What::PageOwed { page, .. } = what { Some(page.to_string()) } else { None }
}

/// What was posted as a page: root posts and direct messages, by identity.
fn delivered(slack: &SlackStandIn) -> BTreeMap<String, Vec<Entry>> {
    let mut pages: BTreeMap<String, Vec<Entry>> = BTreeMap::new();
    for entry in slack.journal() {
        if let (Some(page), "chat.postMessage", None) = (&entry.page_id, entry.method.as_str(), &entry.thread_ts) {
            pages.entry(page.clone()).or_default().push(entry);
        }
    }
    pages
}

/// A sample a second of every service, for ever; service `k` fails for ten seconds, each at its own time within the script.
async fn play(prometheus: &FakePrometheus, script: Duration) {
    let began = Instant::now();
    let mut counters = [(0_u32, 0_u32); SERVICES];
    let room = script.saturating_sub(FAULT + Duration::from_secs(5));
    for second in 0_u32.. {
        let elapsed = Duration::from_secs(u64::from(second));
        let now = burnward::clock::Clock::Wall.now().millis();
        for (service, (good, bad)) in counters.iter_mut().enumerate() {
            let start = Duration::from_secs(3) + room * u32::try_from(service).expect("small") / u32::try_from(SERVICES).expect("small");
            let fails = (start..start + FAULT).contains(&elapsed);
            *good += if fails { 5 } else { 10 };
            *bad += if fails { 5 } else { 0 };
            push(prometheus, &name(service), now, f64::from(*good), f64::from(*bad));
        }
        sleep_until(began + elapsed + Duration::from_secs(1)).await;
    }
}

fn push(prometheus: &FakePrometheus, service: &str, now: i64, good: f64, bad: f64) {
    let metric = format!("{}_requests_total", service.replace('-', "_"));
    let series = |code, value| {
        prometheus.push(&[("__name__", metric.as_str()), ("job", service), ("instance", "one:80"), ("code", code)], now, value);
    };
    series("200", good);
    series("500", bad);
    prometheus.push(&[("__name__", "up"), ("job", service), ("instance", "one:80")], now, 1.0);
}

fn name(service: usize) -> String {
    format!("svc-{service}")
}

fn write_files(root: &Path, prometheus: &str, slack: &SlackStandIn) -> anyhow::Result<std::path::PathBuf> {
    let write = |name: &str, text: &str| {
        let path = root.join(name);
        std::fs::create_dir_all(path.parent().unwrap_or(root)).and_then(|()| std::fs::write(path, text))
    };
    for service in 0..SERVICES {
        write(&format!("slo-definitions/{}.yaml", name(service)), &definition(&name(service)))?;
    }
    write("secrets/bot", slack.bot_token())?;
    write("secrets/app", slack.app_token())?;
    let config = format!(
        r##"version: burnward/v1
listen: 127.0.0.1:0
tick: 1s
operators: {{ channel: "#burnward", escalation: [ {{ page: [ada], acknowledge-within: 1h }} ] }}
storage: {{ path: "{root}/store" }}
sources:
  prom: {{ prometheus: {{ url: "{prometheus}", settle: 5s }} }}
tenants:
  main: {{ slo-definitions: ["{root}/slo-definitions"], source: prom }}
people:
  ada: {{ email: ada@example.com }}
teams:
  services: {{ channel: "{CHANNEL}", escalation: [ {{ page: [ada], acknowledge-within: 1h }} ] }}
slack: {{ api-url: "{slack}", bot-token-file: "{root}/secrets/bot", app-token-file: "{root}/secrets/app" }}
"##,
        root = root.display(),
        slack = slack.api_url(),
    );
    write("burnward.yaml", &config)?;
    Ok(root.join("burnward.yaml"))
}

fn definition(service: &str) -> String {
    let metric = format!("{}_requests_total", service.replace('-', "_"));
    format!(
        r#"version: burnward/v1
service: {service}
team: services
slos:
  - name: availability
    title: It answers
    sli:
      events:
        bad: '{metric}{{code="500"}}'
        total: '{metric}'
    objectives:
      - target: 99%
        window: 1d
        alerting:
          rows:
            - {{ urgency: page, burn-rate: 10, long: 30s, short: 5s }}
    no-data: {{ after: 1h, then: tell-owner }}
"#
    )
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

fn tail(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(15)..].join("\n")
}
