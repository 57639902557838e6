//! What `burnward init` says of some days is what a backtest of them says, and what it writes passes every check.

use std::{
    path::Path,
    process::{Command, Output},
};

use burnward_integration_tests::{binary::burnward, shop_week::openmetrics};
use burnward_stand_ins::prometheus::{Real, backfill};
use serde_json::Value;

const DAYS: [&str; 4] = ["--to", "2025-11-07T00:00:00Z", "--last", "2d"];

/// What stands beside the two targets.
const SENTENCES: [&str; 2] = [
    "99.94 % measured over 4 days (25.39 M events); in the last 2 days 99.99 % would have been missed, and paged once, 99.95 % would have been missed, and paged once, 99.9 % never.",
    "99.72 % measured over 4 days (25.39 M events); in the last 2 days 99.95 % would have been missed, and paged once, 99.9 % would have been missed, and paged once, 99.5 % would have paged once, 99 % would have paged once.",
];

async fn run(directory: &Path, args: &[&str]) -> anyhow::Result<Output> {
    let mut command = Command::new(burnward()?);
    command.args(args).current_dir(directory);
    Ok(tokio::task::spawn_blocking(move || command.output()).await??)
}

async fn told(directory: &Path, args: &[&str]) -> anyhow::Result<String> {
    let output = run(directory, args).await?;
    anyhow::ensure!(
        output.status.success(),
        "{args:?}: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(String::from_utf8(output.stdout)?)
}

/// The comments and lines of a document, one after another, so that a sentence is found wherever it is broken.
fn flat(text: &str) -> String {
    text.lines().map(|line| line.trim().trim_start_matches("# ")).collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn what_init_says_of_days_is_what_a_backtest_of_them_says() -> anyhow::Result<()> {
    let directory = tempfile::tempdir()?;
    let root = directory.path();
    let data = root.join("prometheus");
    backfill(&data, &openmetrics()).await?;
    let real = Real::start(&data, "global: {}\n").await?;
    let work = root.join("work");
    std::fs::create_dir(&work)?;
    told(&work, &["init", "--team", "payments"]).await?;
    let configuration = work.join("burnward.yaml");
    let text = std::fs::read_to_string(&configuration)?.replace("http://127.0.0.1:9090", &real.url()) + "tick: 1m\n";
    std::fs::write(&configuration, text)?;
    std::fs::write(work.join("runbooks/shop.md"), "# The shop\n\n1. Look.\n")?;

    // By the name of the source; the only job and the only team are found.
    let out = "slo-definitions/shop.yaml";
    let mut init = vec!["init", "--source", "prometheus", "--runbook", "shop.md", "--out", out, "-o", "json"];
    init.extend(DAYS);
    let proposed: Value = serde_json::from_str(&told(&work, &init).await?)?;
    let document = std::fs::read_to_string(work.join(out))?;
    assert_eq!(proposed["text"].as_str(), Some(document.as_str()));
    assert!(document.contains("service: shop\nteam: payments\n"), "{document}");
    told(&work, &["check", "--strict", "slo-definitions"]).await?;
    told(&work, &["fmt", "--check", "slo-definitions"]).await?;

    let slos = proposed["slos"].as_array().expect("a list");
    assert_eq!(slos.iter().map(|slo| slo["name"].as_str().unwrap_or_default()).collect::<Vec<_>>(), ["availability", "latency"]);
    for slo in slos {
        let name = format!("shop/{}", slo["name"].as_str().unwrap_or_default());
        let targets = slo["measured"]["targets"].as_array().expect("a list");
        assert!(targets.iter().any(|target| target["pages"].as_u64() > Some(0)), "days with pages: {targets:#?}");
        let mut backtest = vec!["backtest", name.as_str(), "--definitions", out, "--what-if", "target=99.9,99.5,99", "-o", "json"];
        backtest.extend(DAYS);
        let lived: Value = serde_json::from_str(&told(&work, &backtest).await?)?;
        let runs = lived["tenants"][0]["runs"].as_array().expect("a list");
        for (percent, run) in ["99.9", "99.5", "99"].iter().zip(&runs[1..]) {
            let target = targets.iter().find(|target| target["target_percent"] == *percent).expect("it was tried");
            assert_eq!(target["pages"], run["pages"], "{name}: {target} against {}", run["what_if"]);
        }
    }
    let words = flat(&document);
    for sentence in SENTENCES {
        assert!(words.contains(sentence), "{sentence}\n{document}");
    }
    Ok(())
}

#[tokio::test]
async fn what_a_source_does_not_have_is_told_with_what_it_has() -> anyhow::Result<()> {
    let directory = tempfile::tempdir()?;
    let root = directory.path();
    let data = root.join("prometheus");
    backfill(&data, &text_of_two_jobs()).await?;
    let real = Real::start(&data, "global: {}\n").await?;
    let url = real.url();
    let at = ["--source", &url, "--to", "2025-11-10T00:00:00Z", "--last", "1d"];
    let said = |output: Output| String::from_utf8_lossy(&output.stderr).replace(&url, "URL");

    let several = run(root, &[&["init"], &at[..]].concat()).await?;
    assert_eq!(several.status.code(), Some(2));
    assert_eq!(
        said(several),
        "burnward: URL has metrics for SLOs of 2 jobs, and a document is of one service: choose one
  --job='basket'  http_requests_total
  --job='search'  http_requests_total
"
    );
    let missing = run(root, &[&["init", "--job", "nobody"], &at[..]].concat()).await?;
    assert_eq!(missing.status.code(), Some(2));
    assert_eq!(said(missing), "burnward: URL has no series that {job=\"nobody\"} matches in the last 1d; its jobs are basket, search\n");

    // Few requests, none of which failed, for half of the day.
    let young = run(root, &[&["init", "--job", "basket"], &at[..]].concat()).await?;
    assert_eq!(young.status.code(), Some(0));
    let words = flat(&String::from_utf8_lossy(&young.stdout));
    for sentence in [
        "None was seen, so whether this would match one cannot be told.",
        "No failure was seen, so nobody can tell whether the bad side would count one: try it before you trust it.",
        "12 hours are not a month: look again with `burnward backtest` once there is more.",
    ] {
        assert!(words.contains(sentence), "{sentence}\n{words}");
    }
    Ok(())
}

/// Requests of two jobs without a failure, in the second half of a day.
fn text_of_two_jobs() -> String {
    use std::fmt::Write as _;
    let noon = 1_762_689_600;
    let mut text = String::from("# TYPE http_requests counter\n");
    for job in ["basket", "search"] {
        for minute in 0..=720_i64 {
            writeln!(
                text,
                "http_requests_total{{job=\"{job}\",instance=\"{job}-1:80\",code=\"200\"}} {} {}",
                minute * 30,
                noon + minute * 60
            )
            .expect("a String");
        }
    }
    text + "# EOF\n"
}
