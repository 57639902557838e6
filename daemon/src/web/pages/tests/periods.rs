//! A period that ended long ago, which the memory no longer holds: its figures are those that were shown while it ran.

use std::time::Duration;

use burnward_core::time::days;

use super::house::House;

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
    let running = house.monthly().await;
    assert!(running["good"].as_f64().is_some_and(|good| good > 5_000.0), "{running}");
    house.sleeps(days(50)).await;
    let key = running["key"].as_str().expect("a key");
    let explain = format!("/api/v1/slos/vault/availability/explain?tenant=vault&budget={key}&at=2025-11-30T23:00:00Z");
    let ended = house.json(&explain).await["budgets"][0].clone();
    assert_eq!(ended["period"]["name"], "November 2025", "{ended}");
    for figure in ["good", "bad", "sli_ratio", "left_ratio"] {
        assert_eq!(ended["figures"][figure], running[figure], "{figure}: {ended}");
    }
    assert_eq!(ended["period"]["later"], "2025-12-31T23:00:00Z");
    let page = house.get(&format!("/slos/vault/availability?tenant=vault&budget={key}&at=2025-11-30T23:00:00Z")).await.text();
    assert!(page.contains("<strong>November 2025, Europe/Berlin</strong> (ended)") && page.contains("100 % left"), "{page}");
}
