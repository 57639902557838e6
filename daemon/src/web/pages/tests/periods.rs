//! A period that ended long ago, which the memory no longer holds: its figures are those that were shown while it ran.

use std::time::Duration;

use burnward_core::time::{days, minutes};

use super::house::{House, MARKUP};

/// Steps in which the house has caught up with whatever passed.
const MOST_STEPS: usize = 1_000;

impl House {
    /// Lets time pass in which the daemon does nothing; then it catches up, and tidies.
    async fn sleeps(&self, by: Duration) {
        let handle = &self.daemon.handle;
        handle.clock.advance(by);
        for _ in 0..MOST_STEPS {
            self.daemon.step().await;
            if handle.view.borrow().sources.iter().all(|((tenant, _), source)| tenant.as_str() != "vault" || !source.catching_up) {
                crate::tasks::tidy::tick(handle, handle.clock.now()).await;
                return;
            }
        }
        panic!("it still catches up after {MOST_STEPS} steps");
    }

    /// The budget of the vault over a calendar month.
    async fn monthly(&self) -> serde_json::Value {
        let status = self.json("/api/v1/status?tenant=vault").await;
        let budgets = status["budgets"].as_array().expect("a list").clone();
        budgets.into_iter().find(|budget| budget["timezone"] == "Europe/Berlin").expect("a budget by the month")
    }
}

#[tokio::test]
async fn a_month_that_the_memory_no_longer_holds_is_told_from_the_store() {
    let house = House::on_fire().await;
    house.sleeps(days(1)).await;
    let key = house.monthly().await["key"].as_str().expect("a key").to_owned();
    let of = |at: &str| format!("tenant=vault&budget={key}&at={at}");
    // When the history ends, and when the month does.
    let (running, ended) = (of("2025-11-24T17:00:00Z"), of("2025-11-30T23:00:00Z"));
    let explain = "/api/v1/slos/vault/availability/explain";
    let running = house.json(&format!("{explain}?{running}")).await["budgets"][0]["figures"].clone();
    assert!(running["good"].as_f64().is_some_and(|good| good > 5_000.0), "{running}");
    house.sleeps(days(50)).await;
    let told = house.json(&format!("{explain}?{ended}")).await["budgets"][0].clone();
    assert_eq!((told["period"]["name"].as_str(), told["period"]["later"].as_str()), (Some("November 2025"), Some("2025-12-31T23:00:00Z")));
    for figure in ["good", "bad", "sli_ratio", "left_ratio"] {
        assert_eq!(told["figures"][figure], running[figure], "{figure}: {told}");
    }
    let page = house.get(&format!("/slos/vault/availability?{ended}")).await.text();
    assert!(page.contains("<strong>November 2025, Europe/Berlin</strong> (ended)") && page.contains("100 % left"), "{page}");
}

#[tokio::test]
async fn the_report_of_a_week_is_to_be_had_as_it_was_known_at_its_end() {
    let house = House::on_fire().await;
    house.sleeps(days(8)).await;
    let failed = async |figures: &str| {
        let report = house.json(&format!("/api/v1/reports/week?tenant=main&week=2025-W48&figures={figures}")).await;
        let budgets = report["budgets"].as_array().expect("a list").clone();
        let own = budgets.into_iter().find(|budget| budget["group"][0][1] == MARKUP).expect("the group has a budget");
        (own["failed_in_week"].as_f64().expect("a number"), own["bad"].as_f64().expect("a number"))
    };
    let before = failed("as-corrected").await;
    assert!(before.0 > 600.0 && failed("as-known-then").await == before, "{before:?}");
    assert_eq!(house.exclude().await.status, axum::http::StatusCode::OK);
    house.daemon.fast_forward(minutes(1)).await;
    let corrected = failed("as-corrected").await;
    assert!(corrected.0 < before.0 - 400.0 && corrected.1 < before.1 - 400.0, "{corrected:?} of {before:?}");
    assert_eq!(failed("as-known-then").await, before, "nobody had excluded anything by then");

    // Of a week in which no daemon ran, every form says that its history was read later.
    for (week, told) in [("2025-W48", false), ("2025-W40", true)] {
        for path in ["/reports/week", "/api/v1/reports/week.md", "/api/v1/reports/week"] {
            let shown = house.get(&format!("{path}?tenant=main&week={week}&figures=as-known-then")).await.text();
            assert_eq!(shown.contains("no daemon ran it then"), told, "{path} {week}: {shown}");
        }
    }

    // Every form says what is not in its figures; of then, nothing.
    for (path, words) in [
        ("/reports/week", "Came late in the week\">nothing<"),
        ("/reports/week", "Excluded\">5 min by X-1<"),
        ("/api/v1/reports/week.md", "| 99.9 % over 30d | 5 min by X-1 | nothing |"),
        ("/api/v1/reports/week.csv", ",5,X-1,0,0,0,"),
        ("/api/v1/reports/week", "\"excluded_words\":\"5 min by X-1\""),
    ] {
        let told = async |figures: &str| house.get(&format!("{path}?tenant=main&week=2025-W48&figures={figures}")).await.text();
        let shown = told("as-corrected").await;
        assert!(shown.contains(words), "{path}: {shown}");
        let then = told("as-known-then").await;
        assert!(!then.contains("X-1") && !then.contains("Corrected"), "{path}: {then}");
    }
    let report = house.json("/api/v1/reports/week?tenant=main&week=2025-W48").await;
    let own = report["budgets"].as_array().expect("a list").iter().find(|budget| budget["group"][0][1] == MARKUP).expect("it is there");
    let status = house.json("/api/v1/status?tenant=main&at=2025-12-01T00:00:00Z&figures=as-corrected").await;
    let of_status = status["budgets"].as_array().expect("a list").iter().find(|budget| budget["key"] == own["key"]).expect("it is there");
    assert_eq!(own["corrected"]["excluded"], of_status["excluded"]);
}
