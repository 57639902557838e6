//! The report of a week: the same figures as everywhere, in every form, and hostile values that stay values.

use axum::http::{StatusCode, header};

use super::house::{House, MARKUP};

/// The week that the house burns in goes on: its figures are those of now.
const THIS_WEEK: &str = "tenant=main&week=2025-W48";

#[tokio::test]
async fn report_status_and_page_show_the_same_budgets() {
    let house = House::on_fire().await;
    let status = house.json("/api/v1/status?tenant=main").await;
    let report = house.json(&format!("/api/v1/reports/week?{THIS_WEEK}")).await;
    let page = house.get(&format!("/reports/week?{THIS_WEEK}")).await.text();
    assert_eq!(report["whole"], false, "{report}");
    let reported = report["budgets"].as_array().expect("a list");
    let standing = status["budgets"].as_array().expect("a list");
    assert_eq!(reported.len(), standing.len());
    for budget in standing {
        let same = reported.iter().find(|row| row["key"] == budget["key"]).expect("reported");
        for figure in ["left_ratio", "left_seconds", "budget_seconds", "good", "bad", "coverage_ratio", "state", "sli_ratio"] {
            assert_eq!(same[figure], budget[figure], "{figure} of {}", budget["id"]);
        }
        if let Some(left) = budget["left_ratio"].as_f64().filter(|left| *left >= 0.0) {
            let shown = format!("{} left", burnward_core::words::whole_percent(left));
            assert!(page.contains(&shown), "{shown} in {page}");
        }
    }
    assert!(page.contains("The week is not over") && page.contains("checkout-burn-1"), "{page}");
}

#[tokio::test]
async fn what_burned_stands_above_what_is_calm_and_what_is_unseen_is_not_fine() {
    let house = House::on_fire().await;
    let report = house.json(&format!("/api/v1/reports/week?{THIS_WEEK}")).await;
    let rows = report["budgets"].as_array().expect("a list");
    let verdicts: Vec<&str> = rows.iter().map(|row| row["verdict"].as_str().expect("text")).collect();
    let rank = |verdict: &str| ["FREEZE", "CANNOT SAY", "CAREFUL", "SHIP"].iter().position(|word| *word == verdict);
    assert!(verdicts.windows(2).all(|pair| rank(pair[0]) <= rank(pair[1])), "{verdicts:?}");
    for row in rows.iter().filter(|row| row["service"] == "ghost") {
        assert_eq!((row["verdict"].as_str(), row["seen_ratio"].as_f64()), (Some("CANNOT SAY"), Some(0.0)), "{row}");
    }
}

#[tokio::test]
async fn a_week_that_nobody_saw_is_not_told_as_quiet_in_any_form() {
    let house = House::on_fire().await;
    let before = "tenant=main&week=2025-W46";
    let report = house.json(&format!("/api/v1/reports/week?{before}")).await;
    for row in report["budgets"].as_array().expect("a list") {
        let told = ["verdict", "state", "no_left", "no_spent"].map(|key| row[key].as_str().unwrap_or_default());
        assert_eq!(told, ["CANNOT SAY", "CANNOT SEE", "not seen", "not seen"], "{row}");
    }
    for form in ["week", "week.md", "week.csv"] {
        let text = house.get(&format!("/reports/{form}?{before}")).await.text();
        assert!(text.contains("not seen") && !text.to_lowercase().contains("no traffic"), "{form}: {text}");
    }
}

#[tokio::test]
async fn a_period_before_anything_was_counted_has_no_figures_and_no_newest_sample() {
    let house = House::on_fire().await;
    let path = "/slos/vault/availability?tenant=vault";
    let status = house.json("/api/v1/status?tenant=vault").await;
    let monthly =
        status["budgets"].as_array().expect("a list").iter().find(|budget| budget["timezone"] == "Europe/Berlin").expect("a budget");
    let key = monthly["key"].as_str().expect("a key");
    let now = house.get(&format!("{path}&budget={key}")).await.text();
    assert!(now.contains("<strong>November 2025, Europe/Berlin</strong> (so far)"), "{now}");
    let october = house.get(&format!("{path}&budget={key}&at=2025-10-31T23:00:00Z")).await.text();
    for told in ["<strong>October 2025, Europe/Berlin</strong> (ended)", "CANNOT SEE", "Earlier period", "Later period"] {
        assert!(october.contains(told), "{told}: {october}");
    }
    assert!(!october.contains("Newest sample"), "{october}");
}

#[tokio::test]
async fn every_form_has_its_type_and_holds_no_value_as_markup_or_formula() {
    let house = House::on_fire().await;
    for (path, kind) in [
        ("/reports/week.json", "application/json"),
        ("/reports/week.csv", "text/csv; charset=utf-8; header=present"),
        ("/reports/week.md", "text/markdown; charset=utf-8"),
        ("/api/v1/reports/week.csv", "text/csv; charset=utf-8; header=present"),
    ] {
        let answer = house.get(&format!("{path}?{THIS_WEEK}")).await;
        assert_eq!((answer.status, answer.header(header::CONTENT_TYPE)), (StatusCode::OK, kind), "{path}");
    }
    let markdown = house.get(&format!("/reports/week.md?{THIS_WEEK}")).await.text();
    assert!(!markdown.contains(MARKUP) && markdown.contains("# Error budgets of all teams"), "{markdown}");
    let csv = house.get(&format!("/reports/week.csv?{THIS_WEEK}")).await.text();
    let columns = csv.lines().next().expect("a line of names").split(',').count();
    assert!(csv.lines().skip(1).all(|line| line.matches(',').count() + 1 >= columns), "{csv}");
}

#[tokio::test]
async fn a_report_that_cannot_be_is_refused_in_words() {
    let house = House::on_fire().await;
    for (query, status, says) in [
        ("week=2025-W99", 400, "is not a week such as 2026-W47"),
        ("week=2030-W01", 400, "lies in the future"),
        ("until=soon", 400, "is not a day"),
        ("week=2025-W47&until=2025-11-24", 400, "give one of them"),
        ("timezone=Mars/Base", 400, "There is no time zone"),
        ("team=nobody", 404, "There is no team"),
        ("tenant=unknown", 404, "No such tenant"),
        ("skip=many", 400, "skip"),
    ] {
        let answer = house.get(&format!("/reports/week?{query}")).await;
        assert_eq!(answer.status.as_u16(), status, "{query}: {}", answer.text());
        assert!(answer.text().contains(says), "{query}: {}", answer.text());
    }
}

#[tokio::test]
async fn tenants_see_nothing_of_each_other_in_reports() {
    let house = House::on_fire().await;
    for form in ["week", "week.json", "week.csv", "week.md"] {
        let vault = house.get(&format!("/reports/{form}?tenant=vault&week=2025-W48")).await;
        assert_eq!(vault.status, StatusCode::OK, "{form}");
        assert!(!vault.text().contains("checkout"), "{form}: {}", vault.text());
    }
}
