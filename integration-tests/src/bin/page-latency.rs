//! From the first answer that holds the deciding sample to the page in the channel: 50 SLOs that begin to fail one after another, a real Prometheus that
//! scrapes them every five seconds, a recording proxy before it, and a live daemon. Prints p50 and maximum; exit code 1 above two seconds.
//!
//! `cargo run --release --locked -p burnward-integration-tests --bin page-latency`

use std::{
    path::Path,
    process::ExitCode,
    sync::{Arc, Mutex},
    time::Duration,
};

use anyhow::Context as _;
use axum::{Router, body::Bytes, extract::State, http::HeaderMap, response::IntoResponse, routing::get};
use burnward::{
    app::{Daemon, Options},
    clock::Clock,
    config,
};
use burnward_core::{
    id::{IncidentId, TenantId},
    incident::{Facts, Incident},
    time::Timestamp,
};
use burnward_integration_tests::world::install_tls;
use burnward_stand_ins::{
    prometheus::Real,
    slack::{self, SlackStandIn},
};
use tokio::{net::TcpListener, time::sleep};

/// SLOs, each of a service of its own.
const SERVICES: usize = 50;

/// The time between two services' failures: at most two of them are seen with one scrape, because Slack takes one message a second in a channel.
const STAGGER: Duration = Duration::from_millis(2_500);

/// How long all are well before the first fails.
const CALM: Duration = Duration::from_secs(20);

/// The bound that must hold.
const BOUND: Duration = Duration::from_secs(2);

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    install_tls();
    let began = Clock::Wall.now();
    let directory = tempfile::tempdir()?;
    let fleet = serve(Router::new().route("/metrics", get(fleet)).with_state(began)).await?;
    let prometheus = Real::start(&directory.path().join("prometheus"), &scrape_config(&fleet)).await?;
    let record = Record::new(prometheus.url());
    let proxy = serve(Router::new().fallback(forward).with_state(record.clone())).await?;
    let slack = SlackStandIn::start(slack::Options::default()).await?;
    slack.add_user("ada", "ada@example.com");
    slack.add_channel("#fleet");
    slack.add_channel("#burnward");
    let config = write_files(directory.path(), &proxy, &slack)?;
    let daemon = Daemon::start(config::read(Some(&config))?, Options::default()).await?;

    let all_failing = CALM + STAGGER * u32::try_from(SERVICES)?;
    eprintln!("{SERVICES} services begin to fail within {} s", all_failing.as_secs());
    sleep(all_failing + Duration::from_secs(20)).await;

    let mut latencies = Vec::new();
    for service in 0..SERVICES {
        latencies.push(latency(&daemon, &slack, &record, service).await.with_context(|| name(service))?);
    }
    latencies.sort_unstable();
    let (p50, max) = (latencies[SERVICES / 2], latencies[SERVICES - 1]);
    println!("answer that holds the deciding sample -> page in the channel, {SERVICES} SLOs: p50 {p50:?}, maximum {max:?}");
    daemon.stop().await;
    Ok(if max <= BOUND { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// How long after the first answer with its deciding sample a service's page stood in the channel.
async fn latency(daemon: &Daemon, slack: &SlackStandIn, record: &Record, service: usize) -> anyhow::Result<Duration> {
    let id = IncidentId::from_text(&format!("{}-burn-1", name(service)));
    let stored = daemon.handle.store.incident(&TenantId::parse("main")?, &id).await?.context("no incident")?;
    let deciding = deciding_sample(&stored.incident).context("no facts")?;
    let answered = record.first_with(&metric(service), deciding).context("no answer with the deciding sample was recorded")?;
    let (page, _) = stored.incident.root_page().context("no page")?;
    let posted = slack.journal().into_iter().find(|entry| entry.page_id.as_deref() == Some(page.as_str())).context("not posted")?;
    Ok(Timestamp::from_millis(posted.at.as_millisecond()).since(answered))
}

fn deciding_sample(incident: &Incident) -> Option<Timestamp> {
    incident.members.values().find_map(|member| match &member.facts {
        Facts::Burn(facts) => Some(facts.as_of),
        Facts::Blind(_) | Facts::Test(_) => None,
    })
}

/// The answers that went through the proxy: metric, newest sample, when.
#[derive(Clone)]
struct Record {
    to: String,
    http: reqwest::Client,
    answers: Arc<Mutex<Vec<(String, Timestamp, Timestamp)>>>,
}

impl Record {
    fn new(to: String) -> Self {
        Self { to, http: reqwest::Client::new(), answers: Arc::default() }
    }

    fn first_with(&self, metric: &str, sample: Timestamp) -> Option<Timestamp> {
        let answers = self.answers.lock().expect("no holder panics");
        answers.iter().find(|(of, newest, _)| of == metric && *newest >= sample).map(|(_, _, at)| *at)
    }

    fn note(&self, body: &[u8]) {
        let Ok(answer) = serde_json::from_slice::<serde_json::Value>(body) else { return };
        let series = answer["data"]["result"].as_array();
        let newest = series.into_iter().flatten().filter_map(|series| {
            let last = series["values"].as_array()?.last()?[0].as_f64()?;
            Some((series["metric"]["__name__"].as_str()?.to_owned(), last))
        });
        let at = Clock::Wall.now();
        let mut answers = self.answers.lock().expect("no holder panics");
        #[expect(clippy::cast_possible_truncation, reason = "milliseconds of a Unix time fit")]
        answers.extend(newest.map(|(metric, last)| (metric, Timestamp::from_millis((last * 1000.0).round() as i64), at)));
    }
}

async fn forward(
    State(record): State<Record>,
    method: reqwest::Method,
    uri: axum::http::Uri,
    headers: HeaderMap,
    body: Bytes,
) -> impl IntoResponse {
    let url = format!("{}{uri}", record.to);
    let content_type = headers.get("content-type").cloned().unwrap_or(reqwest::header::HeaderValue::from_static("text/plain"));
    let sent = record.http.request(method, url).header("content-type", content_type).body(body).send().await;
    match sent {
        Ok(answer) => {
            let (status, kind) = (answer.status(), answer.headers().get("content-type").cloned());
            let body = answer.bytes().await.unwrap_or_default();
            record.note(&body);
            let kind = kind.unwrap_or(reqwest::header::HeaderValue::from_static("application/json"));
            (status, [("content-type", kind)], body).into_response()
        }
        Err(error) => (axum::http::StatusCode::BAD_GATEWAY, error.to_string()).into_response(),
    }
}

/// The metrics of all services: 20 requests a second each; half of them fail from the service's moment on.
async fn fleet(State(began): State<Timestamp>) -> String {
    let elapsed = Clock::Wall.now().since(began);
    let counted = |span: Duration, a_second: u128| span.as_millis() * a_second / 1000;
    let shown = |service| {
        let start = CALM + STAGGER * u32::try_from(service).expect("small");
        let failing = elapsed.saturating_sub(start);
        let (bad, all) = (counted(failing, 10), counted(elapsed, 20));
        let metric = metric(service);
        format!("# TYPE {metric} counter\n{metric}{{code=\"200\"}} {}\n{metric}{{code=\"500\"}} {bad}\n", all - bad)
    };
    (0..SERVICES).map(shown).collect::<Vec<_>>().concat()
}

async fn serve(router: Router) -> anyhow::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(format!("http://{address}"))
}

fn scrape_config(fleet: &str) -> String {
    let target = fleet.trim_start_matches("http://");
    format!(
        "global: {{ scrape_interval: 5s }}\nscrape_configs:\n  - job_name: fleet\n    static_configs: [ {{ targets: [ \"{target}\" ] }} ]\n"
    )
}

fn name(service: usize) -> String {
    format!("svc-{service:02}")
}

fn metric(service: usize) -> String {
    format!("svc_{service:02}_requests_total")
}

fn write_files(root: &Path, prometheus: &str, slack: &SlackStandIn) -> anyhow::Result<std::path::PathBuf> {
    let write = |name: &str, text: &str| {
        let path = root.join(name);
        std::fs::create_dir_all(path.parent().unwrap_or(root)).and_then(|()| std::fs::write(path, text))
    };
    for service in 0..SERVICES {
        write(&format!("slo-definitions/{}.yaml", name(service)), &definition(service))?;
    }
    write("secrets/bot", slack.bot_token())?;
    write("secrets/app", slack.app_token())?;
    let config = format!(
        r##"version: burnward/v1
listen: 127.0.0.1:0
tick: 5s
operators: {{ channel: "#burnward", escalation: [ {{ page: [ada], acknowledge-within: 1h }} ] }}
storage: {{ path: "{root}/store" }}
sources:
  prom: {{ prometheus: {{ url: "{prometheus}" }} }}
tenants:
  main: {{ slo-definitions: ["{root}/slo-definitions"], source: prom }}
people:
  ada: {{ email: ada@example.com }}
teams:
  fleet: {{ channel: "#fleet", escalation: [ {{ page: ["#fleet"], acknowledge-within: 1h }} ] }}
slack: {{ api-url: "{slack}", bot-token-file: "{root}/secrets/bot", app-token-file: "{root}/secrets/app" }}
"##,
        root = root.display(),
        slack = slack.api_url(),
    );
    write("burnward.yaml", &config)?;
    Ok(root.join("burnward.yaml"))
}

fn definition(service: usize) -> String {
    let (name, metric) = (name(service), metric(service));
    format!(
        r#"version: burnward/v1
service: {name}
team: fleet
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
            - {{ urgency: page, burn-rate: 10, long: 1m, short: 15s }}
"#
    )
}
