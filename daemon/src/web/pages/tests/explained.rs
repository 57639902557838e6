//! Why a budget stands as it does: what was read, where it is written and in which version, which rule or policy decided each row, and whom its alert called.

use axum::http::StatusCode;
use serde_json::Value;

use super::house::House;
use crate::definition::Removals;

const SLO: &str = "/slos/checkout/availability";

impl House {
    async fn explanation(&self, more: &str) -> Value {
        self.json(&format!("/api/v1{SLO}/explain?tenant=main{more}")).await
    }

    /// The `key` of the budget of a group.
    async fn key_of(&self, group: &str) -> String {
        let explained = self.explanation("").await;
        let of_group = |budget: &&Value| budget["figures"]["group"][0][1] == group;
        let budget = explained["budgets"].as_array().expect("a list").iter().find(of_group).expect("it is split by tenant");
        budget["figures"]["key"].as_str().expect("text").to_owned()
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("text: {value}"))
}

fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap_or_else(|| panic!("a list: {value}"))
}

#[tokio::test]
async fn what_is_read_for_a_budget_is_counted_and_named_when_somebody_asks() {
    let house = House::on_fire().await;
    let key = house.key_of("calm").await;
    let counted = house.explanation(&format!("&budget={key}")).await;
    let [query] = list(&counted["slo"]["queries"]) else { panic!("one question serves both sides: {counted:#}") };
    assert_eq!(text(&query["asked"]), "checkout_requests_total{job=\"checkout\"}");
    assert!(query["at"].is_string() && query["series"] == 10, "{query}");
    let reading = &counted["budgets"][0]["reading"];
    let parts: Vec<_> =
        list(&reading["parts"]).iter().map(|part| (text(&part["what"]), text(&part["own"]), part["series"].as_u64())).collect();
    assert_eq!(
        parts,
        [
            ("bad events", "checkout_requests_total{code=\"500\",job=\"checkout\",tenant=\"calm\"}", Some(1)),
            ("all events", "checkout_requests_total{job=\"checkout\",tenant=\"calm\"}", Some(2)),
        ]
    );
    assert!(reading["parts"][0]["named"].is_null(), "the source is not asked for names: {reading}");
    assert_eq!((&reading["newest_age_seconds"], &reading["provisional_seconds"]), (&0.0.into(), &60.0.into()));
    let named = house.explanation(&format!("&budget={key}&series=named")).await;
    assert_eq!(
        list(&named["budgets"][0]["reading"]["parts"][0]["named"]),
        ["checkout_requests_total{code=\"500\",instance=\"one:80\",job=\"checkout\",tenant=\"calm\"}"]
    );
    let html = house.get(&format!("{SLO}?tenant=main&budget={key}")).await.text();
    assert!(html.contains("bad events: 1 series of checkout_requests_total{code=&#34;500&#34;"), "{html}");
    assert!(html.contains("&#38;series=named#asked\">Name the series</a>"), "{html}");
    let html = house.get(&format!("{SLO}?tenant=main&budget={key}&series=named")).await.text();
    assert!(html.contains("instance=&#34;one:80&#34;") && !html.contains("Name the series"), "{html}");
    let refused = house.get(&format!("{SLO}?tenant=main&series=all")).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn each_row_says_why_it_pages_or_not_and_each_alert_whom_it_called() {
    let house = House::on_fire().await;
    let explained = house.explanation("").await;
    let budgets = list(&explained["budgets"]);
    let told: Vec<_> = budgets.iter().flat_map(|budget| list_or_none(&budget["told"])).filter(|told| told["urgency"] == "page").collect();
    let by = |word: &str| told.iter().filter(|told| told["decided_by"] == word).count();
    assert_eq!((told.len(), by("opened"), by("joined")), (4, 1, 3), "{told:#?}");
    let opened = told.iter().find(|told| told["decided_by"] == "opened").expect("one");
    let sentence = "it opened checkout-burn-1 and paged ada, #payments; not delivered yet to ada, #payments";
    assert_eq!(text(&opened["sentence"]), sentence);
    let burning = &budgets[0];
    assert_eq!(text(&burning["rows"][0]["because"]), "pages: over 1h and over 5m the burn is above 14.4x");
    assert_eq!(text(&burning["rows"][0]["decided_by"]), "burn-rate");
    assert!(burning["rows"][0]["place"].is_null(), "a default row stands nowhere");
    let calm = house.key_of("calm").await;
    let calm = &house.explanation(&format!("&budget={calm}")).await["budgets"][0];
    assert_eq!(text(&calm["rows"][0]["because"]), "does not page: over 1h the burn is 0.0x and over 5m 0.0x, neither above 14.4x");
    assert!(calm["told"].is_null(), "nothing of it is open");
    let html = house.get(&format!("{SLO}?tenant=main")).await.text();
    for sentence in [&burning["rows"][0]["because"], &burning["told"][0]["sentence"]] {
        assert!(html.contains(text(sentence)), "{sentence} in {html}");
    }
    let dark = house.json("/api/v1/slos/dark/availability/explain?tenant=dark").await;
    let row = &dark["budgets"][0]["rows"][0];
    assert_eq!((text(&row["rule"]), text(&row["decided_by"])), ("page 14.4x 1h/5m", "blind-source"));
    assert!(text(&row["because"]).starts_with("decides nothing, because nobody sees ("), "{row}");
    let ghost = house.json("/api/v1/slos/ghost/availability/explain?tenant=main").await;
    let [told] = list(&ghost["told"]) else { panic!("one ticket tells of it: {ghost:#}") };
    assert_eq!((text(&told["about"]), text(&told["urgency"]), text(&told["incident"])), ("no-data", "ticket", "ghost-no-data-1"));
    let ghost = &ghost["budgets"][0]["rows"][0];
    assert_eq!(text(&ghost["decided_by"]), "no-data");
    let told = "; `no-data: tell-owner after 5m` says who is told of that: it is told in ghost-no-data-1";
    assert!(text(&ghost["because"]).ends_with(told), "{ghost}");
    let html = house.get("/slos/ghost/availability?tenant=main").await.text();
    assert!(html.contains("<strong>The no-data ticket</strong> since "), "{html}");
    let html = house.get("/slos/dark/availability?tenant=dark").await.text();
    assert!(html.contains("decides nothing, because nobody sees") && html.contains("as written"), "{html}");
}

fn list_or_none(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

#[tokio::test]
async fn an_acknowledged_page_says_who_has_it_and_what_joins_later_is_told_to_nobody() {
    let house = House::on_fire().await;
    let answer = house.post("/incidents/checkout-burn-1/acknowledge?tenant=main", "").await;
    assert!(answer.status.is_redirection(), "{}", answer.text());
    let told = &house.explanation("").await["budgets"][0]["told"][0];
    assert!(text(&told["sentence"]).contains(" has acknowledged it"), "{told}");
    let before = house.explanation("&at=2025-11-24T16:05:00Z").await;
    let told: Vec<_> = list(&before["budgets"]).iter().flat_map(|budget| list_or_none(&budget["told"])).collect();
    assert!(!told.is_empty() && told.iter().all(|told| !text(&told["sentence"]).contains("acknowledged")), "{told:#?}");
}

#[tokio::test]
async fn a_moment_of_the_past_says_what_is_known_of_it_and_what_is_not() {
    let house = House::on_fire().await;
    let past = house.explanation("&at=2025-11-24T16:03:00Z").await;
    let kept = list(&past["kept"]);
    assert!(text(&kept[0]).starts_with("not kept: the questions as they were sent"), "{kept:?}");
    assert!(text(&kept[1]).contains("by slices of 10 s"), "{kept:?}");
    assert!(past["budgets"][0]["reading"].is_null() && past["slo"]["queries"] == Value::Array(Vec::new()));
    assert!(house.explanation("").await["kept"].is_null());
    let html = house.get(&format!("{SLO}?tenant=main&at=2025-11-24T16:03:00")).await.text();
    for sentence in kept {
        assert!(html.contains(text(sentence)), "{sentence} in {html}");
    }
}

#[tokio::test]
async fn the_definition_says_its_place_its_version_and_what_it_changed() {
    let house = House::on_fire().await;
    let explained = async |more: &str| house.json(&format!("/api/v1/slos/vault/availability/explain?tenant=vault{more}")).await;
    let first = explained("").await;
    let definition = &first["definition"];
    let place = |value: &Value| (value["line"].as_u64(), value["column"].as_u64());
    let file = text(&first["slo"]["file"]).to_owned();
    assert_eq!((&definition["version"], &definition["number"]), (&first["slo"]["version"], &1.into()));
    assert_eq!(place(&definition["place"]), (Some(5), Some(11)));
    assert!(definition["before"].is_null());
    let of_30d = |explained: &Value| list(&explained["budgets"]).iter().find(|budget| budget["figures"]["window"] == "30d").cloned();
    assert_eq!(place(&of_30d(&first).expect("a budget")["place"]), (Some(14), Some(9)));

    let load = async |text: &str| {
        std::fs::write(&file, text).expect("written");
        house.daemon.handle.reload(Removals::Guarded).await.expect("it loads");
        house.daemon.fast_forward(std::time::Duration::from_secs(15)).await;
    };
    let written = std::fs::read_to_string(&file).expect("the document");
    let commented = format!("# nothing of the SLO\n{written}");
    load(&commented).await;
    let same = explained("").await;
    assert_eq!((&same["definition"]["number"], &same["definition"]["before"]), (&2.into(), &Value::Null), "the file alone changed");
    assert_eq!(same["definition"]["same_since"], definition["since"]);
    let rows =
        "        window: 30d\n        alerting:\n          rows:\n            - { urgency: ticket, burn-rate: 2, long: 1d, short: 2h }\n";
    load(&commented.replace("        window: 30d\n", rows)).await;
    let changed = explained("").await;
    let definition = &changed["definition"];
    assert_eq!((&definition["version"], &definition["number"]), (&changed["slo"]["version"], &3.into()), "{definition:#}");
    let keys: Vec<_> = list(&definition["before"]["changes"]).iter().map(|change| text(&change["key"])).collect();
    assert_eq!(keys, ["objectives.30d.alerting"], "{definition:#}");
    assert_eq!(place(&of_30d(&changed).expect("a budget")["rows"][0]["place"]), (Some(19), Some(15)));
    let then = explained("&at=2025-11-24T16:03:00Z").await;
    assert_eq!(then["definition"]["version"], first["slo"]["version"], "that of then");
    let html = house.get("/slos/vault/availability?tenant=vault").await.text();
    assert!(html.contains("the 3rd it ran in") && html.contains("objectives.30d.alerting: "), "{html}");
}
