//! What operators expect of a daemon: `/-/healthy`, `/-/ready`, `/-/reload`, `/metrics`.

use axum::{
    Router,
    extract::{Query, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use burnward_core::words::plural;
use serde::Deserialize;
use tracing::info;

use super::{Site, api::problem::Problem};
use crate::{
    definition::Removals,
    notify::slack::{Slack, SlackStatus, Socket},
    view::{InPlace, View},
};

/// Routes that a supervisor or a scraper reaches without a token: they name no tenant and no SLO.
pub(super) fn open_routes() -> Router<Site> {
    Router::new().route("/-/healthy", get(healthy)).route("/-/ready", get(ready)).route("/metrics", get(metrics))
}

/// Routes that need a token where there are tokens.
pub(super) fn guarded_routes() -> Router<Site> {
    Router::new().route("/-/reload", post(reload))
}

/// Healthy is a daemon that decides: one that does not is to be started anew.
async fn healthy(State(site): State<Site>) -> (StatusCode, &'static str) {
    if site.handle.requests.is_closed() {
        (StatusCode::SERVICE_UNAVAILABLE, "burnward decides nothing any more: its deciding task has ended; start it anew\n")
    } else {
        (StatusCode::OK, "burnward is healthy\n")
    }
}

#[derive(Deserialize)]
struct ReadyQuery {
    verbose: Option<String>,
}

/// Whether something is well, what, and how it is.
type Line = (bool, &'static str, String);

/// How many SLOs are loaded, which files are not, and whether a removal is refused: each file is well then.
fn definition_lines(view: &View) -> Vec<Line> {
    let refused = view.definition_faults.iter().filter(|fault| fault.runs == InPlace::AllOfBefore).count();
    let files = view.definition_faults.len() - refused;
    let loaded = format!("{} loaded, {} at fault", plural(view.slos.len(), "SLO"), plural(files, "file"));
    let removals = (refused > 0).then(|| {
        let tenants = plural(refused, "tenant");
        let text = format!(
            "a removal of most SLOs of {tenants} is refused, those of before run on: `burnward doctor` says of which and what to do"
        );
        (false, "removals", text)
    });
    [(files == 0, "definitions", loaded)].into_iter().chain(removals).collect()
}

/// How the way to people is.
fn slack_line(status: Option<SlackStatus>) -> Line {
    let (fine, text) = match status {
        None => (false, "not configured: pages wait in the outbox".to_owned()),
        Some(SlackStatus { trouble: Some(trouble), .. }) => (false, trouble),
        Some(SlackStatus { trouble: None, socket: Socket::Connecting { trouble } }) => {
            (false, format!("no connection for buttons yet: {}", trouble.as_deref().unwrap_or("it is being made")))
        }
        Some(SlackStatus { trouble: None, socket: Socket::Connected }) => (true, "answers, buttons are connected".to_owned()),
        Some(SlackStatus { trouble: None, socket: Socket::Off }) => (true, "answers, buttons come by signed requests".to_owned()),
    };
    (fine, "slack", text)
}

/// Ready is who can keep the promise: the store answers, and every page that is owed can go out.
async fn ready(State(site): State<Site>, Query(query): Query<ReadyQuery>) -> Response {
    let store = site.handle.store.outbox_stats().await;
    let view = site.handle.view.borrow().clone();
    let blind = view.sources.values().filter(|source| source.blind.is_some()).count();
    let idle = view.sources.values().filter(|source| source.blind.is_none() && source.last_good.is_none()).count();
    let idle = if idle > 0 { format!(", {idle} not asked yet: no SLO has read it") } else { String::new() };
    let mut lines = vec![
        (store.is_ok(), "store", if store.is_ok() { "answers".to_owned() } else { "does not answer".to_owned() }),
        slack_line(site.slack.as_ref().map(Slack::status)),
        (blind == 0, "sources", format!("{blind} of {} blind{idle}", view.sources.len())),
    ];
    lines.extend(definition_lines(&view));
    if let Ok(stats) = &store {
        lines.push((
            stats.pages_owed == 0,
            "outbox",
            format!("{} pages wait, {} cannot arrive", stats.pages_owed, stats.pages_undeliverable),
        ));
    }
    let status = if store.is_ok() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let body = if query.verbose.is_some() {
        let told = |(fine, name, text): &Line| format!("{} {name}: {text}\n", if *fine { "ok  " } else { "warn" });
        lines.iter().map(told).collect::<Vec<_>>().concat()
    } else if store.is_ok() {
        "burnward is ready\n".to_owned()
    } else {
        "burnward is not ready: the store does not answer\n".to_owned()
    };
    (status, body).into_response()
}

async fn metrics(State(site): State<Site>) -> Response {
    let stats = site.handle.store.outbox_stats().await.unwrap_or_default();
    let age = stats.oldest_page.map(|decided| site.handle.clock.now().since(decided)).unwrap_or_default();
    site.handle.metrics.outbox(stats.pages_owed, age);
    ([(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], site.handle.metrics.text()).into_response()
}

async fn reload(State(site): State<Site>) -> Result<String, Problem> {
    let sentence = site.handle.reload(Removals::Guarded).await?;
    info!("loaded again, as asked over HTTP: {sentence}");
    Ok(format!("{sentence}\n"))
}

#[cfg(test)]
mod tests {
    use burnward_core::id::TenantId;

    use super::*;
    use crate::view::DefinitionFault;

    #[track_caller]
    fn check(runs: &[InPlace], expected: &[(bool, &str, &str)]) {
        let fault = |runs: &InPlace| DefinitionFault {
            tenant: TenantId::parse("main").expect("a name"),
            file: "shop.yaml".to_owned(),
            text: String::new(),
            runs: *runs,
        };
        let lines = definition_lines(&View { definition_faults: runs.iter().map(fault).collect(), ..View::default() });
        let told: Vec<(bool, &str, &str)> = lines.iter().map(|(fine, name, text)| (*fine, *name, text.as_str())).collect();
        assert_eq!(told, expected);
    }

    #[test]
    fn a_refused_removal_is_no_file_at_fault() {
        let refused =
            "a removal of most SLOs of 1 tenant is refused, those of before run on: `burnward doctor` says of which and what to do";
        check(&[], &[(true, "definitions", "0 SLOs loaded, 0 files at fault")]);
        check(&[InPlace::LastGood, InPlace::Nothing], &[(false, "definitions", "0 SLOs loaded, 2 files at fault")]);
        check(&[InPlace::AllOfBefore], &[(true, "definitions", "0 SLOs loaded, 0 files at fault"), (false, "removals", refused)]);
        let both = [(false, "definitions", "0 SLOs loaded, 1 file at fault"), (false, "removals", refused)];
        check(&[InPlace::AllOfBefore, InPlace::LastGood], &both);
    }
}
