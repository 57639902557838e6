//! The pages over a running daemon: what they show, what they never do, and that they show what the API answers.

mod actions;
mod exclusions;
mod explained;
mod house;
mod periods;
mod report;
mod shown;
mod standing;

use axum::http::StatusCode;
use house::House;

/// The pages of a tenant that burns, with an incident and a runbook.
async fn all_pages(house: &House) -> Vec<String> {
    let budgets = house.json("/api/v1/status?tenant=main").await["budgets"].as_array().expect("a list").clone();
    let each = budgets.iter().map(|budget| {
        let text = |key: &str| budget[key].as_str().expect("text").to_owned();
        format!("/slos/{}/{}?tenant=main&budget={}", text("service"), text("slo"), text("key"))
    });
    let fixed = [
        "/",
        "/?tenant=main&state=burning&team=payments",
        "/?tenant=vault",
        "/?tenant=dark",
        "/slos/checkout/availability?tenant=main",
        "/slos/checkout/availability?tenant=main&at=2025-11-24T16:03:00",
        "/slos/ghost/availability?tenant=main",
        "/slos/dark/availability?tenant=dark",
        "/incidents",
        "/incidents?tenant=vault",
        "/incidents/checkout-burn-1?tenant=main",
        "/incidents/checkout-burn-1?tenant=main&show=people",
        "/incidents/checkout-burn-1/postmortem?tenant=main",
        "/runbooks/checkout.md?tenant=main",
        "/reports/week?tenant=main",
        "/reports/week?tenant=vault",
        "/reports/week?tenant=dark&timezone=Asia/Kathmandu",
    ];
    fixed.into_iter().map(str::to_owned).chain(each).collect()
}

#[tokio::test]
async fn a_daemon_that_decides_nothing_any_more_is_not_healthy() {
    let house = House::on_fire().await;
    assert_eq!(house.get("/-/healthy").await.status, StatusCode::OK);
    let house = house.broken();
    let answer = house.get("/-/healthy").await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(answer.text().contains("decides nothing any more"), "{}", answer.text());
}
