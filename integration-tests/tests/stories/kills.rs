//! `kill -9` at any moment: nothing that was decided is lost, and no page is sent twice unmarked.
//!
//! A script of faults plays against a Prometheus stand-in while the daemon is killed at random and started again. The oracle: the identities of the
//! pages that the core decides for that script, compared with what the Slack stand-in really took. `KILLS` sets how many kills (40), `SEED` replays one run.
//! In shadow the same script leaves each of these pages once in the list of what would have been told, and nothing in Slack.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    time::Duration,
};

use burnward::web::api::wire::ShadowList;
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
use tokio::{
    sync::{Mutex, MutexGuard},
    time::{Instant, sleep, sleep_until},
};

/// Services that fail one after another.
const SERVICES: usize = 24;

/// How long each fails: longer than a daemon needs, between two kills and on a busy machine, to start and to tell a person, who is not woken for what is over.
const FAULT: Duration = Duration::from_secs(40);

/// The last one begins to fail so long before the last kill. They begin no closer together than Slack takes messages.
const LAST: Duration = Duration::from_secs(15);

/// How long Slack takes to answer what it took already: time for kills between the two.
const ANSWER: FaultKind = FaultKind::Slow { millis: 400 };

/// How long after the last kill everything that is owed may take.
const DRAIN: Duration = Duration::from_mins(1);

const CHANNEL: &str = "#services";

#[tokio::test(flavor = "multi_thread")]
async fn random_kills_lose_no_page_and_double_none_unmarked() -> anyhow::Result<()> {
    let scene = Scene::open("active", FAULT, 40, "random_kills").await?;
    scene
        .play_and(async {
            let _daemon = scene.kill_again_and_again().await?;
            let expected = expected_pages();
            let deadline = Instant::now() + DRAIN;
            while Instant::now() < deadline && !expected.is_subset(&delivered(&scene.slack).into_keys().collect()) {
                sleep(Duration::from_millis(100)).await;
            }
            check(&expected, &delivered(&scene.slack));
            Ok(())
        })
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn kills_in_shadow_list_each_page_once_and_post_nothing() -> anyhow::Result<()> {
    // They fail through all kills and beyond: whoever fired before one must not fire again, and whoever had no time to does so after the last.
    let scene = Scene::open("shadow", DRAIN * 2, 20, "kills_in_shadow").await?;
    scene
        .play_and(async {
            let _daemon = scene.kill_again_and_again().await?;
            let every: BTreeMap<String, Vec<String>> = (0..SERVICES).map(|service| (name(service), vec!["page".to_owned()])).collect();
            let deadline = Instant::now() + DRAIN;
            while Instant::now() < deadline && scene.listed().await.ok().as_ref() != Some(&every) {
                sleep(Duration::from_millis(100)).await;
            }
            // Whatever a start left to be done twice has been done by then.
            sleep(LAST).await;
            assert_eq!(scene.listed().await?, every);
            let posts: Vec<Entry> = scene.slack.journal().into_iter().filter(|entry| entry.method == "chat.postMessage").collect();
            assert!(posts.is_empty(), "nobody is told: {posts:?}");
            Ok(())
        })
        .await
}

/// Two scripts at once would take each other the time in which a page is delivered between two kills.
static ALONE: Mutex<()> = Mutex::const_new(());

/// The script with those who take part in it.
struct Scene {
    _alone: MutexGuard<'static, ()>,
    directory: tempfile::TempDir,
    slack: SlackStandIn,
    prometheus: FakePrometheus,
    config: PathBuf,
    listen: SocketAddr,
    pauses: Vec<Duration>,
    fault: Duration,
}

impl Scene {
    async fn open(status: &str, fault: Duration, usual_kills: u64, test: &str) -> anyhow::Result<Self> {
        install_tls();
        let alone = ALONE.lock().await;
        let kills = number("KILLS").unwrap_or(usual_kills);
        let seed = number("SEED").unwrap_or_else(|| rand::rng().random());
        println!("replay: SEED={seed} KILLS={kills} cargo nextest run -p burnward-integration-tests {test} --no-capture");

        let directory = tempfile::tempdir()?;
        let slack = SlackStandIn::start(Options::default()).await?;
        slack.add_user("ada", "ada@example.com");
        slack.add_channel(CHANNEL);
        slack.add_channel("#burnward");
        slack.fault(Fault::from_now_on("chat.postMessage", ANSWER))?;
        let prometheus = FakePrometheus::start().await?;
        // Whoever is started again listens where the one before did.
        let listen = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?;
        let config = write_files(directory.path(), listen, status, prometheus.url(), &slack)?;
        let mut random = StdRng::seed_from_u64(seed);
        let pauses = (0..kills).map(|_| Duration::from_millis(random.random_range(200..2_200))).collect();
        Ok(Self { _alone: alone, directory, slack, prometheus, config, listen, pauses, fault })
    }

    /// Plays the traffic until `outcome` is there.
    async fn play_and(&self, outcome: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
        let traffic = async {
            play(&self.prometheus, self.pauses.iter().sum(), self.fault).await;
            std::future::pending::<()>().await;
        };
        tokio::select! {
            () = traffic => unreachable!("traffic goes on until the kills are done"),
            outcome = outcome => outcome,
        }
    }

    /// The daemon that is left when all kills are done.
    async fn kill_again_and_again(&self) -> anyhow::Result<Process> {
        let log = self.directory.path().join("log");
        let mut daemon = Process::run(&self.config, &log)?;
        for pause in &self.pauses {
            sleep(*pause).await;
            anyhow::ensure!(daemon.runs(), "the daemon ended by itself: {}", tail(&log));
            daemon.kill_9()?;
            daemon = Process::run(&self.config, &log)?;
        }
        Ok(daemon)
    }

    /// What would have been told, by service.
    async fn listed(&self) -> anyhow::Result<BTreeMap<String, Vec<String>>> {
        let list: ShadowList = reqwest::get(format!("http://{}/api/v1/shadow?last=1h", self.listen)).await?.json().await?;
        Ok(list.slos.into_iter().map(|slo| (slo.service, slo.alerts.into_iter().map(|alert| alert.what).collect())).collect())
    }
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

/// A sample a second of every service, for ever; service `k` fails for the length of a fault, each from its own time within the script on.
async fn play(prometheus: &FakePrometheus, script: Duration, fault: Duration) {
    let began = Instant::now();
    let mut counters = [(0_u32, 0_u32); SERVICES];
    let room = script.saturating_sub(LAST);
    for second in 0_u32.. {
        let elapsed = Duration::from_secs(u64::from(second));
        let now = burnward::clock::Clock::Wall.now().millis();
        for (service, (good, bad)) in counters.iter_mut().enumerate() {
            let start = Duration::from_secs(3) + room * u32::try_from(service).expect("small") / u32::try_from(SERVICES).expect("small");
            let fails = (start..start + fault).contains(&elapsed);
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

fn write_files(root: &Path, listen: SocketAddr, status: &str, prometheus: &str, slack: &SlackStandIn) -> anyhow::Result<PathBuf> {
    let write = |name: &str, text: &str| {
        let path = root.join(name);
        std::fs::create_dir_all(path.parent().unwrap_or(root)).and_then(|()| std::fs::write(path, text))
    };
    for service in 0..SERVICES {
        write(&format!("slo-definitions/{}.yaml", name(service)), &definition(&name(service), status))?;
    }
    write("secrets/bot", slack.bot_token())?;
    write("secrets/app", slack.app_token())?;
    let config = format!(
        r##"version: burnward/v1
listen: {listen}
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

fn definition(service: &str, status: &str) -> String {
    let metric = format!("{}_requests_total", service.replace('-', "_"));
    format!(
        r#"version: burnward/v1
service: {service}
team: services
slos:
  - name: availability
    title: It answers
    status: {status}
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
