//! What people do on pages.

use axum::http::{StatusCode, header};
use burnward_core::time::minutes;

use super::house::{Answer, House};

const INCIDENT: &str = "/incidents/checkout-burn-1";

/// Sends a form of the incident's page.
async fn press(house: &House, action: &str, form: &str) -> Answer {
    house.post(&format!("{INCIDENT}/{action}?tenant=main"), form).await
}

/// Sends a form and follows it back.
async fn after(house: &House, action: &str, form: &str) -> String {
    let answer = press(house, action, form).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
    let back = answer.header(header::LOCATION).to_owned();
    assert!(back.starts_with(&format!("{INCIDENT}?tenant=main&")), "{back}");
    house.get(&back).await.text()
}

async fn phase(house: &House) -> String {
    house.json("/api/v1/incidents/checkout-burn-1?tenant=main").await["phase"].as_str().expect("text").to_owned()
}

#[tokio::test]
async fn an_incident_is_acknowledged_helped_noted_and_resolved_by_plain_forms() {
    let house = House::on_fire().await;
    let open = house.get(&format!("{INCIDENT}?tenant=main")).await.text();
    assert!(open.contains(">Acknowledge</button>") && open.contains("OPEN</span>"), "{open}");

    let acknowledged = after(&house, "acknowledge", "").await;
    assert!(acknowledged.contains("Done: it is acknowledged") && acknowledged.contains("ACKNOWLEDGED</span>"), "{acknowledged}");
    assert!(!acknowledged.contains(">Acknowledge</button>"), "{acknowledged}");
    assert!(after(&house, "acknowledge", "").await.contains("Nothing changed: it was acknowledged by local already"));

    assert!(after(&house, "escalate", "").await.contains("Done: the next step is paged now"));

    let noted = after(&house, "note", "text=rolled+back+%3Cb%3Ev412%3C%2Fb%3E%0D%0Asecond+line").await;
    assert!(noted.contains("rolled back &#60;b&#62;v412&#60;/b&#62;\nsecond line"), "{noted}");
    assert_eq!(press(&house, "note", "text=+").await.status, StatusCode::BAD_REQUEST);

    let resolved = after(&house, "resolve", "").await;
    assert!(resolved.contains("STILL FAILING</span>") && !resolved.contains("Resolve it now"), "{resolved}");
    assert!(after(&house, "acknowledge", "").await.contains("Nothing changed: it was resolved by local already"));
    assert_eq!(phase(&house).await, "resolved");
}

#[tokio::test]
async fn what_is_resolved_by_hand_while_it_goes_on_is_said_to_go_on_everywhere() {
    let house = House::on_fire().await;
    let said = after(&house, "resolve", "").await;
    assert!(said.contains("Done: Resolved by local") && said.contains("it is open again in 10 min unless it clears"), "{said}");
    for path in ["/", "/incidents", INCIDENT] {
        let page = house.get(&format!("{path}?tenant=main")).await.text();
        assert!(page.contains("STILL FAILING</span>") && page.contains("STILL FAILING for "), "{path}: {page}");
        assert!(!page.contains("RESOLVED</span>") && !page.contains("It is over"), "{path}: {page}");
    }
    let status = house.json("/api/v1/status?tenant=main").await;
    let burn = status["open_incidents"].as_array().into_iter().flatten().find(|incident| incident["id"] == "checkout-burn-1");
    let burn = burn.expect("what goes on stands among the open ones");
    assert_eq!((&burn["phase"], &burn["goes_on"]["what"]), (&"resolved".into(), &"STILL FAILING".into()), "{burn}");
    let now = house.get("/?tenant=main").await.text();
    assert!(now.contains("<strong>0</strong> Nobody has it") && !now.contains("Nobody has it; "), "who resolved it has it: {now}");
    let report = house.json("/api/v1/reports/week?tenant=main&week=2025-W48").await;
    let open = |team: &serde_json::Value| (team["open"].as_u64().expect("a number"), team["goes_on"].as_u64().expect("a number"));
    let (open, goes_on) =
        report["teams"].as_array().into_iter().flatten().map(open).fold((0, 0), |sum, team| (sum.0 + team.0, sum.1 + team.1));
    let listed = status["open_incidents"].as_array().map_or(0, Vec::len);
    assert_eq!((open, goes_on), (listed as u64, 1), "{report}");
    let page = house.get("/reports/week?tenant=main&week=2025-W48").await.text();
    assert!(page.contains(", 1 of them resolved and going on</td>"), "{page}");

    house.daemon.fast_forward(minutes(44)).await;
    let over = house.get(&format!("{INCIDENT}?tenant=main")).await.text();
    assert!(over.contains("RESOLVED</span>") && over.contains("It is over"), "{over}");
}

#[tokio::test]
async fn an_incident_that_was_none_gives_its_budgets_back_what_it_spent() {
    let house = House::on_fire().await;
    let form = "reason=load+test+of+%3Cb%3Eours%3C%2Fb%3E&approver=sam";
    assert!(!house.get(&format!("{INCIDENT}?tenant=main")).await.text().contains("It was a false positive"));
    let early = press(&house, "false-positive", form).await;
    assert!(early.status.is_client_error() && early.text().contains("not over yet"), "{}", early.text());

    after(&house, "resolve", "").await;
    let holds = press(&house, "false-positive", form).await;
    assert!(
        holds.status.is_client_error() && holds.text().contains("and 1 more still hold, so that it is not known yet"),
        "{}",
        holds.text()
    );
    // It is open again, because its alerts held, and ends with them.
    house.daemon.fast_forward(minutes(44)).await;
    assert_eq!(phase(&house).await, "resolved");
    assert_eq!(press(&house, "false-positive", "reason=+&approver=sam").await.status, StatusCode::BAD_REQUEST);
    let marked = after(&house, "false-positive", form).await;
    assert!(marked.contains("Done: it is a false positive"), "{marked}");
    assert!(marked.contains("False positive, approved by sam: load test of &#60;b&#62;ours&#60;/b&#62;"), "{marked}");
    assert!(marked.contains("Its time is taken out of 4 budgets: X-1 to X-4."), "{marked}");
    assert!(press(&house, "false-positive", form).await.text().contains("marked already"));

    // Its head says so, and the budgets have all of it back.
    assert!(marked.contains("false positive by local, approved by sam: load test of"), "{marked}");
    house.daemon.fast_forward(minutes(1)).await;
    let status = house.json("/api/v1/status?tenant=main").await;
    let excluded: Vec<i64> =
        status["budgets"].as_array().expect("a list").iter().filter_map(|budget| budget["excluded"]["bad"].as_i64()).collect();
    assert!(excluded.len() == 4 && excluded.iter().all(|bad| *bad > 0), "{excluded:?}");

    let list = house.json("/api/v1/incidents?tenant=main").await;
    let marks: Vec<_> =
        list.as_array().into_iter().flatten().map(|incident| (incident["id"].clone(), incident["marked"].clone())).collect();
    assert!(marks.contains(&("checkout-burn-1".into(), "false positive".into())), "{list}");
    assert_eq!(marks.iter().filter(|(_, marked)| marked.is_string()).count(), 1, "{list}");
    assert!(house.get("/incidents?tenant=main").await.text().contains("Marked: false positive."));

    // What it spent stays what it was at its end, while the window goes on.
    let spent = async || house.json("/api/v1/incidents/checkout-burn-1?tenant=main").await["now"]["spent"].clone();
    house.daemon.fast_forward(minutes(2)).await;
    let at_its_end = spent().await;
    house.daemon.fast_forward(minutes(5)).await;
    assert_eq!(spent().await, at_its_end);
    assert!(at_its_end.is_string(), "{at_its_end}");

    // Every form of the week's report says so, and no other incident is marked.
    let week = "tenant=main&week=2025-W48";
    let report = house.json(&format!("/api/v1/reports/week?{week}")).await;
    let told = &report["false_positives"];
    assert_eq!((told.as_array().map(Vec::len), &told[0]["incident"]), (Some(1), &"checkout-burn-1".into()), "{report}");
    assert_eq!(told[0]["exclusions"].as_array().map(Vec::len), Some(4));
    let then = house.get(&format!("/reports/week.md?{week}&figures=as-known-then")).await.text();
    assert!(then.contains("As it was known at the end of the week"), "{then}");
    let page = house.get(&format!("/reports/week?{week}")).await.text();
    assert!(page.contains("False positives</h2>") && page.contains("load test of &#60;b&#62;ours&#60;/b&#62;"), "{page}");
    let markdown = house.get(&format!("/reports/week.md?{week}")).await.text();
    assert!(markdown.contains("| checkout-burn-1 | load test of"), "{markdown}");
    let csv = house.get(&format!("/reports/week.csv?{week}")).await.text();
    assert_eq!(csv.matches(",checkout-burn-1,").count(), 4, "one in each of its budgets: {csv}");
}

#[tokio::test]
async fn a_change_is_taken_from_our_own_pages_only_and_never_by_get() {
    let house = House::on_fire().await;
    for action in ["acknowledge", "escalate", "resolve", "note", "false-positive"] {
        let path = format!("{INCIDENT}/{action}?tenant=main");
        for origin in ["https://evil.example", "null", "http://127.0.0.1:9096"] {
            let answer = house.post_from(origin, &path, "text=x").await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{origin} {action}");
            assert!(answer.text().contains("ERROR 403"), "{origin} {action}");
        }
        assert_eq!(house.get(&path).await.status, StatusCode::METHOD_NOT_ALLOWED, "{action}");
    }
    assert_eq!(phase(&house).await, "open");
}

#[tokio::test]
async fn another_tenants_incident_cannot_be_touched() {
    let house = House::on_fire().await;
    for action in ["acknowledge", "escalate", "resolve"] {
        assert_eq!(house.post(&format!("{INCIDENT}/{action}?tenant=vault"), "").await.status, StatusCode::NOT_FOUND, "{action}");
    }
    assert_eq!(phase(&house).await, "open");
}

#[tokio::test]
async fn the_timeline_can_be_read_by_source_and_names_where_people_acted() {
    let house = House::on_fire().await;
    after(&house, "acknowledge", "").await;
    let people = house.get(&format!("{INCIDENT}?tenant=main&show=people")).await.text();
    let timeline = people.split_once("class=\"timeline\"").expect("a timeline").1;
    assert!(timeline.contains("Acknowledged by local") && !timeline.contains("Opened."), "{timeline}");
    let machine = house.get(&format!("{INCIDENT}?tenant=main&show=machine")).await.text();
    let timeline = machine.split_once("class=\"timeline\"").expect("a timeline").1;
    assert!(timeline.contains("Opened.") && !timeline.contains("Acknowledged by local"), "{timeline}");
}

#[tokio::test]
async fn a_postmortem_draft_is_read_and_taken_along() {
    let house = House::on_fire().await;
    let html = house.get(&format!("{INCIDENT}/postmortem?tenant=main")).await.text();
    assert!(html.contains("Time to detect") && html.contains("Download as Markdown"), "{html}");
    let answer = house.get(&format!("{INCIDENT}/postmortem.md?tenant=main")).await;
    assert_eq!(answer.header(header::CONTENT_TYPE), "text/markdown; charset=utf-8");
    assert_eq!(answer.header(header::CONTENT_DISPOSITION), "attachment; filename=\"postmortem-checkout-burn-1.md\"");
    assert!(answer.text().starts_with("# "), "{}", answer.text());
}

#[tokio::test]
async fn pages_that_are_owed_stand_on_the_incident_and_the_clock_is_the_daemons() {
    let house = House::on_fire().await;
    let html = house.get(&format!("{INCIDENT}?tenant=main")).await.text();
    assert!(html.contains("NOBODY IS TOLD</span>") && html.contains("#payments") && html.contains("no Slack is configured"), "{html}");
    assert!(html.contains("none has arrived"), "{html}");
    assert_eq!(house.site.handle.clock.now(), house.daemon.handle.clock.now());
}
