//! docs/slack-stand-in.md: its commands work and the tests that it names exist.

use std::path::Path;

use burnward_stand_ins::slack::{Options, SlackStandIn};

use crate::client::Slack;

const DOCUMENT: &str = include_str!("../../../../docs/slack-stand-in.md");

/// What a curl command of the document posts, and where.
#[derive(Debug, PartialEq, Eq)]
struct Command {
    path: &'static str,
    body: Option<String>,
}

fn commands() -> Vec<Command> {
    DOCUMENT.lines().filter(|line| line.starts_with("curl ") || line.starts_with("ts=$(curl ")).map(command).collect()
}

fn command(line: &'static str) -> Command {
    let after = line.split("http://127.0.0.1:9096/").nth(1).unwrap();
    let path = after.split(['\'', ' ', ')']).next().unwrap();
    let quoted = line.split_once("-d '").and_then(|(_, rest)| rest.split_once("' http")).map(|(body, _)| body.to_owned());
    let expanded = line.split_once("-d \"").and_then(|(_, rest)| rest.split_once("\" http")).map(|(body, _)| body.replace("\\\"", "\""));
    Command { path, body: quoted.or(expanded) }
}

#[tokio::test]
async fn every_command_of_the_document_works() {
    let server = SlackStandIn::start(Options { ack_within: std::time::Duration::from_millis(50), ..Options::default() }).await.unwrap();
    server.add_channel("payments-oncall");
    server.add_user("Ana", "ana@example.com");
    let http = reqwest::Client::new();
    let mut ts = String::new();
    let commands = commands();
    assert!(commands.len() >= 15, "{commands:?}");
    for Command { path, body } in commands {
        let url = format!("{}{path}", server.web_url());
        let request = match (&body, path.contains("clear") || path.contains("reset")) {
            (Some(body), _) => http.post(url).header("content-type", "application/json; charset=utf-8").body(body.replace("$ts", &ts)),
            (None, true) => http.post(url),
            (None, false) => http.get(url),
        };
        let answer = request.bearer_auth(server.bot_token()).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 200, "{path} {body:?}");
        let answer: serde_json::Value = answer.json().await.unwrap();
        assert_ne!(answer["ok"], false, "{path}: {answer}");
        ts = answer["ts"].as_str().map_or(ts, str::to_owned);
        if path == "_control/refuse" {
            // Its refusal begins after the answer has left.
            while http.get(server.web_url()).send().await.is_ok() {
                tokio::task::yield_now().await;
            }
            server.clear_faults();
            while http.get(server.web_url()).send().await.is_err() {
                tokio::task::yield_now().await;
            }
        }
    }
}

#[tokio::test]
async fn every_fault_of_the_document_can_be_ordered() {
    let slack = Slack::start().await;
    let rows = DOCUMENT.lines().filter(|line| line.starts_with("| `{\"") || line.starts_with("| `\""));
    let mut orders = 0;
    for row in rows {
        let cell = row.split(" | ").next().unwrap();
        for kind in cell.split('`').filter(|part| part.starts_with(['"', '{'])) {
            let order = |method: &str| format!("{{\"method\": \"{method}\", \"kind\": {kind}}}");
            let mut taken = 0;
            for method in ["*", "interactive"] {
                let request = slack.http.post(format!("{}_control/fault", slack.server.web_url()));
                let answer = request.header("content-type", "application/json").body(order(method)).send().await.unwrap();
                taken += usize::from(answer.status().as_u16() == 200);
            }
            assert_eq!(taken, 1, "{kind}");
            orders += 1;
        }
    }
    assert_eq!(orders, 21, "all there are");
}

#[test]
fn every_test_that_the_document_names_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut sources = String::new();
    for directory in ["tests/slack", "src/slack"] {
        for file in std::fs::read_dir(root.join(directory)).unwrap() {
            let path = file.unwrap().path();
            sources += &if path.is_file() { std::fs::read_to_string(path).unwrap() } else { String::new() };
        }
    }
    let rules = DOCUMENT.split("## What it holds to").nth(1).unwrap();
    let names: Vec<&str> = rules.split('`').filter(|name| name.matches('_').count() >= 3 && !name.contains(' ')).collect();
    assert!(names.len() >= 35, "{names:?}");
    for name in names {
        assert!(sources.contains(&format!("fn {name}()")), "{name}");
    }
}
