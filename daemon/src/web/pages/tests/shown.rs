//! What pages show.

use axum::{
    body::Body,
    http::{StatusCode, header},
};
use burnward_core::{id::TenantId, time::minutes};
use serde_json::json;

use super::{
    all_pages,
    house::{House, MARKUP, QUOTES, browser},
};

#[tokio::test]
async fn every_page_keeps_to_the_policy_and_holds_no_value_as_markup() {
    let house = House::on_fire().await;
    for path in all_pages(&house).await {
        let answer = house.get(&path).await;
        let html = answer.text();
        assert_eq!(answer.status, StatusCode::OK, "{path}: {html}");
        assert_eq!(answer.header(header::CONTENT_TYPE), "text/html; charset=utf-8", "{path}");
        assert_eq!(answer.header(header::CACHE_CONTROL), "no-store", "{path}");
        assert!(answer.header(header::CONTENT_SECURITY_POLICY).contains("frame-ancestors 'none'"), "{path}");
        for banned in [" style=", "<style", "<img", "onerror='y'>", "javascript:", "http-equiv", MARKUP, QUOTES, "\u{202e}", "\u{200b}"] {
            assert!(!html.contains(banned), "{path} holds {banned}: {html}");
        }
        assert_eq!((html.matches("<h1").count(), html.matches("<script").count()), (1, 1), "{path}: the one script is ours");
        assert!(html.contains("<html lang=\"en\">") && html.contains("<main id=\"content\""), "{path}");
        assert!(html.contains("UTC"), "{path} says no zone");
        let longest = html.split(['<', '>', ' ', '\n']).map(str::len).max().unwrap_or_default();
        assert!(longest < 4_000 || html.contains("<polyline"), "{path} shows a value of {longest} bytes");
        assert!(!html.contains(&"x".repeat(300)), "{path} shows a value of 5,000 characters");
    }
}

#[tokio::test]
async fn hostile_values_are_shown_as_what_they_are() {
    let house = House::on_fire().await;
    let html = house.get("/?tenant=main").await.text();
    for shown in ["&#60;script&#62;alert(1)&#60;/script&#62;", "acme⟨U+202E⟩eman⟨U+200B⟩", "People can use checkout &#38; &#60;more&#62;"]
    {
        assert!(html.contains(shown), "{shown} in {html}");
    }
}

#[tokio::test]
async fn now_tells_incidents_first_then_budgets_worst_first() {
    let house = House::on_fire().await;
    let html = house.get("/?tenant=main").await.text();
    let html = html.split_once("id=\"open\"").expect("open incidents").1;
    let at = |text: &str| html.find(text).unwrap_or_else(|| panic!("{text} in {html}"));
    assert!(at("checkout-burn-1") < at("ghost-no-data-1"), "a page stands before a ticket");
    assert!(at("ghost-no-data-1") < at("Budgets, worst first"));
    assert!(at("BURNING</span>") < at("idle/availability"));
    assert!(at("idle/availability") < at("calm"));
    assert!(html.contains("Nobody has it; the next step is paged in"));
}

#[tokio::test]
async fn what_is_missing_is_said_in_words() {
    let house = House::on_fire().await;
    let now = house.get("/?tenant=main").await.text();
    assert!(now.contains("NO TRAFFIC</span>") && now.contains("no traffic in 30d"), "{now}");
    assert!(now.contains("no\u{a0}burn<small>") && now.contains("nothing burns") && !now.contains("0.0x"), "{now}");
    let ghost = house.get("/slos/ghost/availability?tenant=main").await.text();
    for says in ["CANNOT SEE</span>: <bdi>the source has no series for", "never seen", "cannot say", "0 series in", "Nothing was counted"] {
        assert!(ghost.contains(says), "{says} in {ghost}");
    }
    let idle = house.get("/slos/idle/availability?tenant=main").await.text();
    assert!(idle.contains("Nothing was counted in this window") || idle.contains("no traffic in 30d"), "{idle}");
}

#[tokio::test]
async fn blind_sources_undelivered_pages_and_broken_files_stand_on_top() {
    let house = House::on_fire().await;
    let dark = house.get("/?tenant=dark").await.text();
    assert!(dark.contains("Source gone does not answer (noticed"), "{dark}");
    assert!(dark.contains("This is not proof of an outage"), "{dark}");
    let main = house.get("/?tenant=main").await.text();
    assert!(main.contains("did not reach anybody"), "{main}");
    assert!(main.contains("broken.yaml") && main.contains("DOES NOT LOAD"), "{main}");
    assert!(main.find("did not reach anybody") < main.find("Open incidents"));
}

#[tokio::test]
async fn a_clock_that_is_off_stands_on_top() {
    let house = House::on_fire().await;
    let main = TenantId::parse("main").expect("a name");
    for (skew, told) in [(90_000, true), (30_000, false)] {
        house.daemon.handle.probed(&main, "Prometheus 3".to_owned(), Some(skew)).await;
        house.daemon.fast_forward(minutes(1)).await;
        let page = house.get("/?tenant=main").await.text();
        assert_eq!(page.contains("CLOCK OFF"), told, "{skew}: {page}");
        assert_eq!(page.contains("The clock of source prom is 1 m 30 s ahead of ours"), told, "{skew}: {page}");
    }
}

#[tokio::test]
async fn the_page_of_now_does_not_pass_for_the_past() {
    let house = House::on_fire().await;
    let past = house.get("/?tenant=main&at=2025-11-24T16:02:00Z").await;
    assert_eq!(past.status, StatusCode::BAD_REQUEST);
    assert!(past.text().contains("burnward status --at"), "{}", past.text());
    assert_eq!(house.get("/?tenant=main&at=").await.status, StatusCode::OK);
}

#[tokio::test]
async fn tenants_see_nothing_of_each_other() {
    let house = House::on_fire().await;
    let vault = house.get("/?tenant=vault").await.text();
    for foreign in ["checkout", "did not reach anybody", "broken.yaml", "Source gone"] {
        assert!(!vault.contains(foreign), "{foreign} in {vault}");
    }
    assert!(house.get("/incidents?tenant=vault").await.text().contains("nothing has fired yet"));
    let never = "/incidents/checkout-burn-9";
    for (foreign, never) in [
        ("/incidents/checkout-burn-1", never),
        ("/incidents/checkout-burn-1/postmortem", "/incidents/checkout-burn-9/postmortem"),
        ("/slos/checkout/availability", "/slos/chequers/availability"),
    ] {
        let (foreign_answer, never_answer) =
            (house.get(&format!("{foreign}?tenant=vault")).await, house.get(&format!("{never}?tenant=vault")).await);
        assert_eq!((foreign_answer.status, never_answer.status), (StatusCode::NOT_FOUND, StatusCode::NOT_FOUND));
        let same = foreign_answer
            .text()
            .replace("checkout-burn-1", "checkout-burn-9")
            .replace("/checkout/", "/chequers/")
            .replace("checkout/a", "chequers/a");
        assert_eq!(same, never_answer.text());
    }
}

#[tokio::test]
async fn filters_choose_by_state_service_and_team() {
    let house = House::on_fire().await;
    assert_eq!(house.get("/?tenant=main&state=nonsense").await.status, StatusCode::BAD_REQUEST);
    for (query, holds, lacks) in [
        ("state=burning", "BURNING</span>", "idle/availability"),
        ("service=idle", "idle/availability", "BURNING</span>"),
        ("team=nobody", "No budget matches", "idle/availability"),
        ("state=&service=&team=", "idle/availability", "Show all"),
    ] {
        let html = house.get(&format!("/?tenant=main&{query}")).await.text();
        let budgets = html.split_once("id=\"budgets\"").expect("budgets").1;
        assert!(budgets.contains(holds) && !budgets.contains(lacks), "{query}: {budgets}");
    }
}

#[tokio::test]
async fn the_burn_down_ends_at_what_every_surface_shows() {
    let house = House::on_fire().await;
    for budget in house.json("/api/v1/status?tenant=main").await["budgets"].as_array().expect("a list") {
        let Some(left) = budget["left_ratio"].as_f64() else { continue };
        let key = budget["key"].as_str().expect("text");
        let drawn = house.json(&format!("/api/v1/slos/checkout/availability/burn-down?tenant=main&budget={key}")).await;
        let points = drawn["points"].as_array().expect("a list");
        let last = points.last().expect("a point")["left_ratio"].as_f64().expect("a number");
        assert!((last - left).abs() < 1e-9, "{last} against {left}");
        let start = drawn["left_ratio_at_start"].as_f64().expect("a number");
        assert!((start - 1.0).abs() < 1e-9, "it begins untouched: {start}");
        let bad: i64 = points.iter().map(|point| point["bad"].as_i64().expect("a number")).sum();
        assert_eq!(bad, budget["bad"].as_i64().expect("a number"), "{key}");
        assert!(points.len() > 20, "a short past is drawn in fine slices: {}", points.len());
    }
}

#[tokio::test]
async fn a_calendar_window_is_shown_with_its_zone_and_drawn_to_its_end() {
    let house = House::on_fire().await;
    let budgets = house.json("/api/v1/status?tenant=vault").await["budgets"].as_array().expect("a list").clone();
    let month = budgets.iter().find(|budget| budget["objective"] == "calendar-month").expect("the month's budget");
    assert_eq!((&month["window"], &month["timezone"]), (&json!("calendar month"), &json!("Europe/Berlin")));
    assert_eq!((&month["window_from"], &month["window_to"]), (&json!("2025-10-31T23:00:00Z"), &json!("2025-11-30T23:00:00Z")));
    // 0.5 % of 30 days.
    assert_eq!((&month["budget_seconds"], &month["left_ratio"], &month["forecast_ratio"]), (&json!(12_960), &json!(1.0), &json!(1.0)));
    let key = month["key"].as_str().expect("text");
    let drawn = house.json(&format!("/api/v1/slos/vault/availability/burn-down?tenant=vault&budget={key}")).await;
    assert_eq!((&drawn["from"], &drawn["period"]["to"]), (&json!("2025-10-31T23:00:00Z"), &json!("2025-11-30T23:00:00Z")));
    let html = house.get(&format!("/slos/vault/availability?tenant=vault&budget={key}")).await.text();
    for words in
        ["99.5 % over calendar month, Europe/Berlin", "6 d 7 h to go", "3 h 36 m of 3 h 36 m", "class=\"forecast\"", "In 23 d 17 h"]
    {
        assert!(html.contains(words), "{words} in {html}");
    }
    // Nothing was counted in its first weeks: they are unseen, as the coverage has it, and no health.
    let seconds = |at: &serde_json::Value| at.as_str().and_then(|at| at.parse::<jiff::Timestamp>().ok()).expect("a moment").as_second();
    let uncounted = seconds(&drawn["counted_from"]) - seconds(&drawn["from"]);
    let passed = seconds(&drawn["to"]) - seconds(&drawn["from"]);
    assert!(uncounted > 20 * 86_400 && uncounted < passed, "{drawn}");
    let points = drawn["points"].as_array().expect("a list");
    let unseen: f64 = points.iter().map(|point| point["unseen_seconds"].as_f64().expect("a number")).sum();
    let covered = month["coverage_ratio"].as_f64().expect("a number");
    assert!((1.0 - unseen / passed as f64 - covered).abs() < 1e-3, "{unseen} of {passed} against {covered}");
    let table = html.split_once("Show data").expect("a table").1;
    for words in ["<td>not seen</td>", "<td>not counted</td>"] {
        assert!(table.contains(words), "{words} in {table}");
    }
    assert!(html.contains("to go; nothing of the first 23 d") && html.contains("class=\"unseen-time\" x=\"0\""), "{html}");
}

#[tokio::test]
async fn pages_and_api_show_the_same_figures() {
    let house = House::on_fire().await;
    let explained = house.json("/api/v1/slos/checkout/availability/explain?tenant=main").await;
    for budget in explained["budgets"].as_array().expect("a list") {
        let key = budget["figures"]["key"].as_str().expect("text");
        let html = house.get(&format!("/slos/checkout/availability?tenant=main&budget={key}")).await.text();
        for line in [budget["budget"].as_str(), budget["rows"][0]["long"].as_str(), budget["rows"][0]["rule"].as_str()] {
            let line = line.expect("text").replace('>', "&#62;").replace('<', "&#60;");
            assert!(html.contains(&line), "{line} in {html}");
        }
    }
}

#[tokio::test]
async fn a_moment_of_the_past_is_shown_as_it_stood() {
    let house = House::on_fire().await;
    let before = house.get("/slos/checkout/availability?tenant=main&at=2025-11-24T15:59:00").await.text();
    assert!(before.contains("As corrected, for") && before.contains("100 % left"), "{before}");
    assert!(before.contains("OK</span>") && !before.contains("BACK-FILLING</span>"), "{before}");
    for (at, expected) in
        [("9999-12-31T00:00:00Z", 400), ("yesterday", 400), ("2025-11-24T15:59:00Z", 200), ("2025-11-24T15:59", 200), ("", 200)]
    {
        let answer = house.get(&format!("/slos/checkout/availability?tenant=main&at={at}")).await;
        assert_eq!(answer.status.as_u16(), expected, "{at}");
    }
}

#[tokio::test]
async fn errors_are_pages_for_browsers_and_problems_for_programs() {
    let house = House::on_fire().await;
    for (path, status, says) in [
        ("/nowhere", 404, "There is nothing at this address"),
        ("/%3Cscript%3E", 404, "%3Cscript%3E"),
        ("/incidents/%3Cscript%3Ealert", 404, "&#60;script&#62;alert"),
        ("/?tenant=unknown", 404, "No such tenant"),
        ("/?skip=many", 400, "skip"),
        ("/incidents?before=x", 400, "is not a time"),
        ("/runbooks/..%2f..%2fetc%2fpasswd", 404, "has no runbook"),
        ("/runbooks/missing.md", 404, "has no runbook"),
        ("/slos/checkout/availability?tenant=main&budget=0", 404, "no such budget"),
        ("/slos/checkout/availability?tenant=main&at=foo", 400, "is not a time"),
        ("/incidents/checkout-burn-1/acknowledge?tenant=main", 405, "by their buttons only"),
    ] {
        let answer = house.get(path).await;
        let html = answer.text();
        assert_eq!((answer.status.as_u16(), answer.header(header::CONTENT_TYPE)), (status, "text/html; charset=utf-8"), "{path}");
        assert!(html.contains(says) && html.contains(&format!("ERROR {status}")) && html.matches("<script").count() == 1, "{path}: {html}");
    }
    let program = axum::http::Request::get("/nowhere").header(header::HOST, "localhost").body(Body::empty()).expect("a request");
    assert_eq!(house.ask(program).await.header(header::CONTENT_TYPE), "application/problem+json");
    let stranger = browser("GET", "/").header(header::HOST, "localhost");
    let mut stranger = stranger.body(Body::empty()).expect("a request");
    stranger.headers_mut().insert(header::HOST, "evil.example".parse().expect("a value"));
    let answer = house.ask(stranger).await;
    assert_eq!((answer.status.as_u16(), answer.text().contains("checkout")), (421, false));
}

#[tokio::test]
async fn style_and_icon_are_kept_for_good_under_the_name_of_their_hash() {
    let house = House::on_fire().await;
    let html = house.get("/").await.text();
    let css = html.split_once("rel=\"stylesheet\" href=\"").and_then(|(_, rest)| rest.split_once('"')).expect("a style").0.to_owned();
    let answer = house.get(&css).await;
    assert_eq!((answer.status, answer.header(header::CONTENT_TYPE)), (StatusCode::OK, "text/css; charset=utf-8"));
    assert!(answer.header(header::CACHE_CONTROL).contains("immutable"));
    assert_eq!(house.get("/assets/burnward-000000000000.css").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_first_answer_of_an_incident_is_light() {
    let house = House::on_fire().await;
    let request = browser("GET", "/incidents/checkout-burn-1?tenant=main").header(header::ACCEPT_ENCODING, "gzip");
    let answer = house.ask(request.body(Body::empty()).expect("a request")).await;
    assert_eq!(answer.header(header::CONTENT_ENCODING), "gzip");
    assert!(answer.body.len() < 14_000, "{} bytes", answer.body.len());
}

#[tokio::test]
async fn a_runbook_is_read_and_its_markup_stays_text() {
    let house = House::on_fire().await;
    let html = house.get("/runbooks/checkout.md?tenant=main").await.text();
    assert!(html.contains("<h1>Checkout fails</h1>") && html.contains("&lt;b&gt;Roll back&lt;/b&gt;"), "{html}");
    assert!(html.contains("/slos/checkout/availability?tenant=main"), "{html}");
    let incident = house.get("/incidents/checkout-burn-1?tenant=main").await.text();
    assert!(incident.contains("Look at <code>Now</code>.") && incident.contains("&lt;b&gt;Roll back&lt;/b&gt;"), "{incident}");
    assert!(incident.contains("/runbooks/checkout.md?tenant=main"), "{incident}");
}
