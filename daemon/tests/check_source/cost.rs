//! What a tick costs, and what asking costs.

use burnward_stand_ins::prometheus::FakePrometheus;

use super::{SLOS, check, now, shop};

#[tokio::test(flavor = "multi_thread")]
async fn what_a_tick_costs_is_measured_slo_by_slo() {
    let fake = shop().await;
    // A sample every second, also of the time in which the check will run.
    for (code, second) in ["200", "500"].into_iter().flat_map(|code| (0..600).map(move |second| (code, second))) {
        fake.push(&[("__name__", "requests_total"), ("tenant", "a"), ("code", code)], now() + second * 1000, 1000.0);
    }
    let (fine, _) = SLOS.split_once("  - name: misspelt").expect("the second one");
    let two = format!(
        "{fine}  - name: pages\n    sli: {{ window: {{ expr: 'count(requests_total)', is: '>', threshold: 1 }} }}\n    objectives: *o\n"
    );
    let source = format!("--source={}", fake.url());
    let (code, text) = check(&two, &[&source, "--cost"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("A tick of 10s asks http://") && text.contains(" 2 questions for 2 SLOs, each about the last 1m10s:"), "{text}");
    assert!(text.lines().any(|line| line.starts_with("shop/fine ") && line.ends_with(" ms")), "{text}");
    let (_, json) = check(&two, &[&source, "--cost", "-o", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json[..=json.rfind('}').expect("an object")]).expect("JSON");
    let costs = &json["costs"][0];
    assert_eq!((&costs["questions_together"], &costs["slos"][0]["slo"]), (&2.into(), &"shop/fine".into()), "{costs}");
    assert_eq!((&costs["slos"][0]["questions"], &costs["slos"][0]["series"]), (&1.into(), &2.into()), "{costs}");
    assert!(costs["slos"][0]["samples"].as_u64().is_some_and(|samples| samples >= 2), "{costs}");
    let (code, _) = check(&two, &["--cost"]);
    assert_eq!(code, Some(2), "there is no source to ask");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tick_reads_again_what_is_not_settled_so_that_rare_scrapes_are_measured() {
    let fake = FakePrometheus::start().await.expect("a free port");
    for second in (-3600..600).step_by(30) {
        fake.push(&[("__name__", "requests_total"), ("tenant", "a"), ("code", "500")], now() + second * 1000, 1000.0);
    }
    let (fine, _) = SLOS.split_once("  - name: misspelt").expect("the second one");
    let (_, json) = check(fine, &[&format!("--source={}", fake.url()), "--cost", "-o", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json[..=json.rfind('}').expect("an object")]).expect("JSON");
    let costs = &json["costs"][0];
    assert_eq!((&costs["tick_seconds"], &costs["read_back_seconds"]), (&10.0.into(), &70.0.into()), "{costs}");
    assert_eq!(&costs["slos"][0]["series"], 1, "{costs}");
    assert!(costs["slos"][0]["samples"].as_u64().is_some_and(|samples| (2..=3).contains(&samples)), "{costs}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_well_costs_a_few_small_questions() {
    let fake = shop().await;
    let (fine, _) = SLOS.split_once("  - name: misspelt").expect("the second one");
    let (_, text) = check(fine, &[&format!("--source={}", fake.url())]);
    let asked: Vec<String> = fake.asked().iter().map(|asked| asked.form.get("query").cloned().unwrap_or_default()).collect();
    let of_the_slo: Vec<&String> = asked.iter().filter(|query| query.contains("requests_total")).collect();
    assert!((6..=8).contains(&of_the_slo.len()), "{of_the_slo:#?}\n{text}");
    assert!(of_the_slo.iter().all(|query| !query.contains("last_over_time")), "{of_the_slo:#?}");
}
