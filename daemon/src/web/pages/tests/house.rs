//! A daemon over a written history, with its real router: three tenants, of which one burns in every hostile group, one is well, and one has a source
//! that does not answer. Slack is not configured, so that pages stay owed.

use std::{path::Path, time::Duration};

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Request, StatusCode, header},
};
use burnward_core::time::{Timestamp, minutes};
use burnward_stand_ins::prometheus::FakePrometheus;
use tower::Service;

use crate::{
    app::{Daemon, Options, Pace},
    clock::Clock,
    config,
    render::{Faults, Renderer},
    web::{self, Site},
};

/// 2025-11-24 16:00:00 UTC: when requests begin to fail.
pub(super) const FAULT: Timestamp = Timestamp::from_seconds(1_764_000_000);

/// A value of a label that wants to be markup.
pub(super) const MARKUP: &str = "<script>alert(1)</script>";
/// One that wants to leave an attribute.
pub(super) const QUOTES: &str = "\"><img src=x onerror='y'> & {{ 7*7 }}";
/// One that wants to be read backwards.
const BACKWARDS: &str = "acme\u{202e}eman\u{200b}";

const SCRAPE: Duration = Duration::from_secs(15);

/// The house.
pub(super) struct House {
    pub(super) daemon: Daemon,
    pub(super) site: Site,
    router: Router,
    _prometheus: FakePrometheus,
    _directory: tempfile::TempDir,
}

/// An answer, read whole.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Answer {
    pub(super) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).expect("UTF-8")
    }

    pub(super) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }

    pub(super) fn header(&self, name: header::HeaderName) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("text"))
    }
}

impl House {
    /// The house six minutes after the fault began.
    pub(super) async fn on_fire() -> Self {
        drop(rustls::crypto::ring::default_provider().install_default());
        let directory = tempfile::tempdir().expect("a directory");
        let prometheus = FakePrometheus::start().await.expect("started");
        write_history(&prometheus);
        write_files(directory.path(), prometheus.url());
        let config = config::read(Some(&directory.path().join("burnward.yaml"))).expect("a configuration");
        let clock = Clock::by_hand(FAULT.minus(minutes(1)));
        let daemon = Daemon::start(config, Options { clock, pace: Pace::ByHand, ..Options::default() }).await.expect("started");
        daemon.fast_forward(minutes(7)).await;
        let site = Site { handle: daemon.handle.clone(), renderer: Renderer::load(None, Faults::default()), slack: None };
        let router = web::router(site.clone());
        Self { daemon, site, router, _prometheus: prometheus, _directory: directory }
    }

    /// The same pages over a daemon whose deciding task has ended.
    pub(super) fn broken(mut self) -> Self {
        self.site.handle.requests = tokio::sync::mpsc::channel(1).0;
        self.router = web::router(self.site.clone());
        self
    }

    /// A page as a browser asks for it.
    pub(super) async fn get(&self, path: &str) -> Answer {
        self.ask(browser("GET", path).body(Body::empty()).expect("a request")).await
    }

    /// The same data as a program asks for it.
    pub(super) async fn json(&self, path: &str) -> serde_json::Value {
        let request = Request::get(path).header(header::HOST, "127.0.0.1:9095").body(Body::empty()).expect("a request");
        self.ask(request).await.json()
    }

    /// A form as a page of ours sends it.
    pub(super) async fn post(&self, path: &str, form: &str) -> Answer {
        self.post_from("http://127.0.0.1:9095", path, form).await
    }

    /// A form as a page of `origin` sends it.
    pub(super) async fn post_from(&self, origin: &str, path: &str, form: &str) -> Answer {
        let request = browser("POST", path)
            .header(header::ORIGIN, origin)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(form.to_owned()));
        self.ask(request.expect("a request")).await
    }

    pub(super) async fn ask(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().call(request).await.expect("a router always answers");
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, 16 << 20).await.expect("a body").to_vec();
        Answer { status: parts.status, headers: parts.headers, body }
    }
}

pub(super) fn browser(method: &str, path: &str) -> axum::http::request::Builder {
    Request::builder().method(method).uri(path).header(header::HOST, "127.0.0.1:9095").header(header::ACCEPT, "text/html,*/*;q=0.8")
}

/// The values of `tenant`, and whether they fail.
pub(super) fn groups() -> [(String, bool); 5] {
    [
        (MARKUP.to_owned(), true),
        (QUOTES.to_owned(), true),
        (BACKWARDS.to_owned(), true),
        ("x".repeat(5_000), true),
        ("calm".to_owned(), false),
    ]
}

/// Half an hour of calm, then a fifth of the requests of some groups fails for a quarter of an hour; and a service that nobody calls.
fn write_history(prometheus: &FakePrometheus) {
    let begin = FAULT.minus(minutes(30));
    let mut at = begin;
    while at <= FAULT.plus(minutes(60)) {
        let seconds = at.since(begin).as_secs_f64();
        let failing = at.since(FAULT).min(minutes(15)).as_secs_f64();
        for (group, fails) in groups() {
            let bad = if fails { failing * 2.0 } else { 0.0 };
            push(prometheus, "checkout", &group, at, seconds * 10.0 - bad, bad);
        }
        push(prometheus, "idle", "nobody", at, 7.0, 0.0);
        push(prometheus, "vault", "inside", at, seconds, 0.0);
        for job in ["checkout", "idle", "vault"] {
            prometheus.push(&[("__name__", "up"), ("job", job), ("instance", "one:80")], at.millis(), 1.0);
        }
        at = at.plus(SCRAPE);
    }
}

fn push(prometheus: &FakePrometheus, job: &str, group: &str, at: Timestamp, good: f64, bad: f64) {
    let name = format!("{job}_requests_total");
    for (code, value) in [("200", good), ("500", bad)] {
        let labels = [("__name__", name.as_str()), ("job", job), ("instance", "one:80"), ("tenant", group), ("code", code)];
        prometheus.push(&labels, at.millis(), value);
    }
}

fn write_files(root: &Path, prometheus: &str) {
    write(&root.join("main/checkout.yaml"), &slo("checkout", "runbook: checkout.md"));
    write(&root.join("main/idle.yaml"), &slo("idle", "runbook: checkout.md"));
    write(&root.join("main/ghost.yaml"), &slo("ghost", "runbook: checkout.md"));
    write(&root.join("main/broken.yaml"), "version: burnward/v1\nservice: <b>\n");
    let month = "      - { target: 99.5%, window: calendar month, timezone: Europe/Berlin, alerting: none }\n";
    write(&root.join("vault/vault.yaml"), &(slo("vault", "runbook: checkout.md") + month));
    write(&root.join("dark/dark.yaml"), &slo("dark", "runbook: checkout.md"));
    write(
        &root.join("runbooks/checkout.md"),
        "---\nowner: payments\n---\n# Checkout fails\n\n## First steps\n1. Look at `Now`.\n2. <b>Roll back</b>.\n",
    );
    write(&root.join("burnward.yaml"), &configuration(root, prometheus));
}

fn slo(service: &str, more: &str) -> String {
    format!(
        r#"version: burnward/v1
service: {service}
team: payments
slos:
  - name: availability
    title: "People can use {service} & <more>"
    {more}
    sli:
      events:
        bad: '{service}_requests_total{{job="{service}", code="500"}}'
        total: '{service}_requests_total{{job="{service}"}}'
    per: [tenant]
    objectives:
      - target: 99.9%
        window: 30d
"#
    )
}

fn configuration(root: &Path, prometheus: &str) -> String {
    let root = root.display();
    format!(
        r##"version: burnward/v1
listen: 127.0.0.1:0
tick: 15s
operators: {{ channel: "#burnward", escalation: [ {{ page: [ada] }} ] }}
storage: {{ path: "{root}/store" }}
sources:
  prom: {{ prometheus: {{ url: "{prometheus}" }} }}
  gone: {{ prometheus: {{ url: "http://127.0.0.1:1" }} }}
tenants:
  main: {{ slo-definitions: ["{root}/main"], runbooks: "{root}/runbooks", source: prom }}
  vault: {{ slo-definitions: ["{root}/vault"], runbooks: "{root}/runbooks", source: prom }}
  dark: {{ slo-definitions: ["{root}/dark"], runbooks: "{root}/runbooks", source: gone }}
people:
  ada: {{ email: ada@example.com }}
  sam: {{ email: sam@example.com }}
teams:
  payments: {{ channel: "#payments", escalation: [ {{ page: [ada], acknowledge-within: 10m }}, {{ page: [sam] }} ] }}
"##
    )
}

fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().expect("a directory")).expect("created");
    std::fs::write(path, text).expect("written");
}
