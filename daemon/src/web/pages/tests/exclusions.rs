//! Time that people take out of budgets: over the API, on the pages, in the figures of now and of then.

use std::time::Duration;

use axum::{
    body::Body,
    http::{StatusCode, header},
};
use burnward_core::time::minutes;
use serde_json::{Value, json};

use super::house::{Answer, FAULT, House, MARKUP, browser};
use crate::web::api::wire::instant;

impl House {
    async fn send(&self, path: &str, body: &Value) -> Answer {
        let request = browser("POST", path)
            .header(header::ORIGIN, "http://127.0.0.1:9095")
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body.to_string()));
        self.ask(request.expect("a request")).await
    }

    /// The explanation of the budget of the group that wants to be markup.
    async fn explained(&self, more: &str) -> Value {
        let key = self.key().await;
        self.json(&format!("/api/v1/slos/checkout/availability/explain?tenant=main&budget={key}{more}")).await["budgets"][0].clone()
    }

    async fn key(&self) -> String {
        let status = self.json("/api/v1/status?tenant=main").await;
        let budgets = status["budgets"].as_array().expect("a list");
        let own = budgets.iter().find(|budget| budget["group"][0][1] == MARKUP).expect("the group has a budget");
        own["key"].as_str().expect("text").to_owned()
    }

    /// Takes the first five minutes of the fault out of the group's budgets.
    pub(super) async fn exclude(&self) -> Answer {
        let body = json!({
            "service": "checkout", "slo": "availability", "group": [["tenant", MARKUP]],
            "from": instant(FAULT).to_string(), "to": instant(FAULT.plus(minutes(5))).to_string(),
            "reason": "a <b>drill</b>", "approver": "sam",
        });
        self.send("/api/v1/exclusions?tenant=main", &body).await
    }
}

#[tokio::test]
async fn excluded_time_leaves_the_budget_and_never_the_alert() {
    let house = House::on_fire().await;
    let before = house.explained("").await["figures"].clone();
    let added = house.exclude().await;
    assert_eq!(added.status, StatusCode::OK, "{}", added.text());
    let state = added.json();
    assert_eq!(
        (&state["id"], &state["author"], &state["stretches"][0]["to"]),
        (&json!("X-1"), &json!("local"), &json!(instant(FAULT.plus(minutes(5)))))
    );

    house.daemon.fast_forward(minutes(1)).await;
    let after = house.explained("").await;
    let figures = &after["figures"];
    // Two failures a second, scraped every 15 s: those up to five minutes after the fault began.
    assert_eq!((&figures["excluded"]["bad"], &figures["excluded"]["seconds"]), (&json!(600), &json!(300)));
    assert_eq!(figures["bad"].as_i64(), before["bad"].as_i64().map(|bad| bad + 120 - 600), "a minute more failed, five minutes are out");
    assert_eq!(after["excluded"], json!("5 min: bad 600 of 3,000, removed"));
    assert_eq!(
        (&figures["state"], &figures["rows"][0]["holds"]),
        (&json!("BURNING"), &json!(true)),
        "the alert is decided on what was measured"
    );
    assert_eq!(figures["rows"][0]["long_bad"].as_i64(), Some(before["rows"][0]["long_bad"].as_i64().expect("a number") + 120));
    let burn_down = house.json(&format!("/api/v1/slos/checkout/availability/burn-down?tenant=main&budget={}", house.key().await)).await;
    let points = burn_down["points"].as_array().expect("a list").clone();
    let sum = |key: &str| points.iter().map(|point| point[key].as_f64().expect("a number")).sum::<f64>();
    assert_eq!((sum("bad"), sum("excluded_seconds")), (figures["bad"].as_f64().expect("a number"), 300.0));
}

#[tokio::test]
async fn an_incident_says_what_of_its_burn_is_excluded() {
    let house = House::on_fire().await;
    let now = || house.json("/api/v1/incidents/checkout-burn-1?tenant=main");
    assert!(now().await["now"]["burn"]["excluded"].is_null());
    let body = json!({
        "service": "checkout", "from": instant(FAULT).to_string(), "to": instant(FAULT.plus(minutes(5))).to_string(),
        "reason": "a drill", "approver": "sam",
    });
    assert_eq!(house.send("/api/v1/exclusions?tenant=main", &body).await.status, StatusCode::OK);
    let told = now().await["now"]["burn"]["excluded"].as_str().unwrap_or_default().to_owned();
    assert!(told.ends_with(" of this burn are excluded by X-1; alerts count them"), "{told}");
    let page = house.get("/incidents/checkout-burn-1?tenant=main").await.text();
    assert!(page.contains(&told), "{page}");
}

#[tokio::test]
async fn the_status_of_a_moment_holds_the_budgets_of_then_and_nothing_of_now() {
    let house = House::on_fire().await;
    let now = house.json("/api/v1/status?tenant=main").await;
    let as_of = now["as_of"].as_str().expect("a time").to_owned();
    let then = house.json(&format!("/api/v1/status?tenant=main&at={as_of}")).await;
    assert_eq!((&then["as_of"], then["budgets"].as_array().map(Vec::len)), (&now["as_of"], now["budgets"].as_array().map(Vec::len)));
    assert_eq!((then["sources"].as_array().map(Vec::len), then["open_incidents"].as_array().map(Vec::len)), (Some(0), Some(0)));
    assert!(house.get("/api/v1/status?tenant=main&at=2999-01-01T00:00:00Z").await.text().contains("lies in the future"));
}

#[tokio::test]
async fn figures_of_then_are_shown_with_what_was_known_then_and_as_corrected() {
    let house = House::on_fire().await;
    house.exclude().await;
    house.daemon.fast_forward(minutes(1)).await;
    let at = format!("&at={}", instant(FAULT.plus(Duration::from_secs(330))));
    let bad = |explained: &Value| explained["figures"]["bad"].as_i64().expect("a number");
    let (corrected, known) = (house.explained(&at).await, house.explained(&format!("{at}&figures=as-known-then")).await);
    assert_eq!(
        (bad(&corrected), bad(&known)),
        (60, 660),
        "five minutes and a half of failures, of which five were taken out half a minute later"
    );
    assert_eq!(known["excluded"], Value::Null);
    let key = house.key().await;
    let slo = |more: &str| format!("/api/v1/slos/checkout/availability?tenant=main&budget={key}{more}");
    for (explained, figures) in [(&corrected, "as-corrected"), (&known, "as-known-then")] {
        let stood = house.json(&slo(&format!("{at}&figures={figures}"))).await;
        assert_eq!((&stood["budgets"], &stood["figures"]), (&json!([explained["figures"]]), &json!(figures)));
    }
    for nonsense in ["&at=foo", "&at=2999-01-01T00:00:00Z", "&figures=bogus"] {
        assert_eq!(house.get(&slo(nonsense)).await.status, StatusCode::BAD_REQUEST, "{nonsense}");
    }
    let page = |figures: &str| format!("/slos/checkout/availability?tenant=main&at=2025-11-24T16:05:30&figures={figures}");
    assert!(house.get(&page("as-known-then")).await.text().contains("As it was known at"));
    assert!(house.get(&page("as-corrected")).await.text().contains("As corrected, for"));
    assert_eq!(house.get(&page("as-i-like")).await.status, StatusCode::BAD_REQUEST);

    let withdrawn = house.send("/api/v1/exclusions/X-1/withdraw?tenant=main", &json!({ "reason": "the wrong hour" })).await;
    assert_eq!(withdrawn.json()["withdrawn"]["by"], json!("local"), "{}", withdrawn.text());
    house.daemon.fast_forward(minutes(1)).await;
    assert_eq!(bad(&house.explained(&at).await), 660, "taken back");
    let then = format!("&at={}&figures=as-known-then", instant(FAULT.plus(Duration::from_secs(390))));
    assert_eq!(bad(&house.explained(&then).await), 180, "at six minutes and a half, five were known to be out");
    let audit = house.daemon.handle.store.audit(&burnward_core::id::TenantId::parse("main").expect("a name"), 1_000).await.expect("read");
    let actions: Vec<_> = audit.iter().filter(|row| row.entry.subject == "X-1").map(|row| row.entry.action.as_str()).collect();
    assert_eq!(actions, ["exclusion.withdraw", "exclusion.add"]);
}

#[tokio::test]
async fn the_page_lists_who_took_out_what_and_why() {
    let house = House::on_fire().await;
    let untouched = house.get("/slos/checkout/availability?tenant=main").await.text();
    assert!(!untouched.contains("Excluded time"));
    house.exclude().await;
    house.daemon.fast_forward(minutes(1)).await;
    let html = house.get(&format!("/slos/checkout/availability?tenant=main&budget={}", house.key().await)).await.text();
    for says in [
        "Excluded time",
        "EXCLUDED</span>",
        "X-1",
        "a &#60;b&#62;drill&#60;/b&#62;",
        "local, approved by sam",
        "<span>Excluded</span> <strong>5 min</strong>",
        "key-excluded",
    ] {
        assert!(html.contains(says), "{says} in {html}");
    }
    house.send("/api/v1/exclusions/x-1/withdraw?tenant=main", &json!({ "reason": "the wrong hour" })).await;
    let html = house.get("/slos/checkout/availability?tenant=main").await.text();
    assert!(html.contains("WITHDRAWN</span>") && html.contains("taken back by local: the wrong hour"), "{html}");
}

#[tokio::test]
async fn what_cannot_be_excluded_is_refused_in_words() {
    let house = House::on_fire().await;
    let body = json!({ "service": "checkout", "to": "2025-11-24T18:00:00Z", "reason": "r", "approver": "sam" });
    let with = |key: &str, value: Value| {
        let mut body = body.clone();
        body[key] = value;
        body
    };
    for (body, says) in [
        (with("service", json!("chekout")), "no SLO that runs is chekout"),
        (with("group", json!([["region", "eu"]])), "split by these labels"),
        (with("colour", json!("red")), "colour"),
        (with("to", json!("soon")), "is not a time"),
    ] {
        let answer = house.send("/api/v1/exclusions?tenant=main", &body).await;
        assert!(answer.status.is_client_error() && answer.text().contains(says), "{body}: {}", answer.text());
    }
    for (id, status) in [("X-9", StatusCode::NOT_FOUND), ("me", StatusCode::NOT_FOUND)] {
        let answer = house.send(&format!("/api/v1/exclusions/{id}/withdraw?tenant=main"), &json!({ "reason": "r" })).await;
        assert_eq!(answer.status, status, "{id}");
    }
    house.exclude().await;
    let twice = json!({ "reason": "r" });
    house.send("/api/v1/exclusions/X-1/withdraw?tenant=main", &twice).await;
    let again = house.send("/api/v1/exclusions/X-1/withdraw?tenant=main", &twice).await;
    assert_eq!(again.status, StatusCode::CONFLICT);
    assert_eq!(house.json("/api/v1/exclusions?tenant=vault").await, json!([]), "another tenant sees none");
}
