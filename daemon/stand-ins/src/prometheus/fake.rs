//! A Prometheus that answers what a test or a person puts into it, and that can be wrong in every way that a real one, or what stands in
//! front of it, can be.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use anyhow::Context;
use axum::Router;
use tokio::{net::TcpListener, sync::watch};
use tokio_util::sync::CancellationToken;

use super::{
    api, control,
    fault::{Class, Fault},
    tsdb::{LabelSet, Tsdb},
    wire::{Door, Tap},
};

/// How many requests are remembered.
const REMEMBERED: usize = 10_000;

/// A running stand-in; it stops on drop.
#[derive(Debug)]
pub struct FakePrometheus {
    url: String,
    control_url: String,
    switch: Switch,
    stop: CancellationToken,
}

/// A request that was answered, or not.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Asked {
    /// Path with query string.
    pub path: String,
    /// The fields of the form and of the query string.
    pub form: BTreeMap<String, String>,
    /// The headers; of a repeated one the last.
    pub headers: BTreeMap<String, String>,
}

impl FakePrometheus {
    /// Starts an empty one on a free port of the loopback, in the manner of Prometheus 2.
    pub async fn start() -> anyhow::Result<Self> {
        let (shut, should_be_shut) = watch::channel(false);
        let (is_shut, seen_shut) = watch::channel(false);
        let switch = Switch { state: Arc::default(), shut, is_shut: seen_shut };
        let door = Door::open(should_be_shut, is_shut).await.context("no free port")?;
        let url = format!("http://{}", axum::serve::Listener::local_addr(&door)?);
        let control = TcpListener::bind("127.0.0.1:0").await?;
        let control_url = format!("http://{}/_control", control.local_addr()?);
        let stop = CancellationToken::new();
        let pages = api::router(switch.clone()).merge(control::router(switch.clone()));
        tokio::spawn(stop.clone().run_until_cancelled_owned(async move {
            drop(axum::serve(door, pages.into_make_service_with_connect_info::<Tap>()).await);
        }));
        let pages: Router = control::router(switch.clone());
        tokio::spawn(stop.clone().run_until_cancelled_owned(async move { drop(axum::serve(control, pages).await) }));
        Ok(Self { url, control_url, switch, stop })
    }

    /// Base URL, without a trailing slash.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The control API on a port of its own, which stays open when the other is refused.
    pub fn control_url(&self) -> &str {
        &self.control_url
    }

    /// Adds a sample of a series; `__name__` is a label.
    pub fn push(&self, labels: &[(&str, &str)], at_millis: i64, value: f64) {
        let labels = labels.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
        self.switch.state().tsdb.push(labels, at_millis, value);
    }

    /// Whether a range leaves out its left end, as Prometheus 3 does.
    pub fn set_left_open(&self, left_open: bool) {
        self.switch.state().tsdb.left_open = left_open;
    }

    /// Its clock minus the machine's.
    pub fn set_skew_millis(&self, skew: i64) {
        self.switch.state().skew_millis = skew;
    }

    /// From now on requests of this class meet this fault.
    pub async fn fail(&self, class: Class, fault: Fault) {
        self.switch.fail(class, fault).await;
    }

    /// From now on questions whose query holds this text meet this fault, one of a connection or of an answer.
    pub fn fail_where(&self, query_holds: &str, fault: Fault) {
        self.switch.state().faults_of_queries.insert(query_holds.to_owned(), fault);
    }

    /// Ends all faults.
    pub async fn heal(&self) {
        self.switch.heal().await;
    }

    /// The requests so far, oldest first, at most the last 10,000.
    pub fn asked(&self) -> Vec<Asked> {
        self.switch.state().asked.iter().cloned().collect()
    }

    /// Runs until it is told to stop by the token; for people who run it by hand.
    pub async fn stopped(&self) {
        self.stop.cancelled().await;
    }
}

impl Drop for FakePrometheus {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// What the servers share.
#[derive(Debug, Clone)]
pub(super) struct Switch {
    state: Arc<Mutex<State>>,
    shut: watch::Sender<bool>,
    is_shut: watch::Receiver<bool>,
}

/// All that is known.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) tsdb: Tsdb,
    pub(super) faults: BTreeMap<Class, Fault>,
    /// By a text that the query holds.
    faults_of_queries: BTreeMap<String, Fault>,
    pub(super) skew_millis: i64,
    asked: VecDeque<Asked>,
}

impl State {
    pub(super) fn remember(&mut self, asked: Asked) {
        if self.asked.len() == REMEMBERED {
            self.asked.pop_front();
        }
        self.asked.push_back(asked);
    }

    /// What a question of this class meets.
    pub(super) fn fault_of(&self, class: Class, query: &str) -> Option<Fault> {
        let of_query = self.faults_of_queries.iter().find(|(text, _)| query.contains(text.as_str())).map(|(_, fault)| fault);
        self.faults.get(&class).or(of_query).cloned()
    }

    pub(super) fn asked(&self) -> impl Iterator<Item = &Asked> {
        self.asked.iter()
    }

    pub(super) fn push(&mut self, labels: LabelSet, at_millis: i64, value: f64) {
        self.tsdb.push(labels, at_millis, value);
    }
}

impl Switch {
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) async fn fail(&self, class: Class, fault: Fault) {
        let refuse = fault == Fault::Refuse;
        self.state().faults.insert(class, fault);
        if refuse {
            self.set_shut(true).await;
        }
    }

    pub(super) async fn heal(&self) {
        self.forget_faults();
        self.set_shut(false).await;
    }

    fn forget_faults(&self) {
        let mut state = self.state();
        state.faults.clear();
        state.faults_of_queries.clear();
    }

    /// Returns when the port is as it should be.
    async fn set_shut(&self, shut: bool) {
        self.shut.send_replace(shut);
        // Fails only where the server has stopped, and then the port is closed anyway.
        drop(self.is_shut.clone().wait_for(|is| *is == shut).await);
    }
}

#[cfg(test)]
mod tests {
    use super::{super::raw, *};

    /// Sends a request to a base URL of this machine; the answer with its head.
    async fn ask(base: &str, method: &str, path: &str, json: &str) -> std::io::Result<String> {
        let port = base.trim_start_matches("http://127.0.0.1:").trim_end_matches("/_control").parse().expect("a port");
        let head = format!("{method} {path} HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n", json.len());
        raw::exchange(port, &(head + json)).await
    }

    const QUERY: &str = "/api/v1/query?query=a%5B1m%5D&time=60";

    #[tokio::test]
    async fn samples_and_faults_are_given_over_http() {
        let fake = FakePrometheus::start().await.unwrap();
        let sample = r#"[{"labels":{"__name__":"a"},"at_millis":60000,"value":3}]"#;
        assert!(ask(fake.url(), "POST", "/_control/push", sample).await.unwrap().contains(" 204 "));
        assert!(ask(fake.url(), "GET", QUERY, "").await.unwrap().ends_with(r#""values":[[60,"3"]]}]}}"#));
        let order = r#"{"class":"query","fault":{"value":"NaN"}}"#;
        assert!(ask(fake.url(), "POST", "/_control/fault", order).await.unwrap().contains(" 204 "));
        assert!(ask(fake.url(), "GET", QUERY, "").await.unwrap().contains(r#"[60,"NaN"]"#));
        assert!(ask(fake.control_url(), "DELETE", "/_control/fault", "").await.unwrap().contains(" 204 "));
        assert!(ask(fake.url(), "GET", QUERY, "").await.unwrap().contains(r#"[60,"3"]"#));
        assert!(ask(fake.control_url(), "GET", "/_control/asked", "").await.unwrap().contains(r#""query":"a[1m]""#));
    }

    #[tokio::test]
    async fn a_port_that_refuses_is_opened_again_through_the_other_one() {
        let fake = FakePrometheus::start().await.unwrap();
        for _ in 0..3 {
            ask(fake.url(), "POST", "/_control/fault", r#"{"class":"status","fault":"refuse"}"#).await.unwrap();
            assert_eq!(ask(fake.url(), "GET", QUERY, "").await.unwrap_err().kind(), std::io::ErrorKind::ConnectionRefused);
            ask(fake.control_url(), "DELETE", "/_control/fault", "").await.unwrap();
            assert!(ask(fake.url(), "GET", QUERY, "").await.unwrap().contains(" 200 "));
        }
    }
}
