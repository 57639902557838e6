//! Commands as people meet them: as the guide shows them, in a GitHub workflow, as hooks of a commit, watching.
//!
//! Each line `$ burnward ...` of a `console` block of the guide is run, in a copy of fixtures/guide, and what it prints must stand below it, word for word.
//! Durations are those of no machine: they are written as 0.01 s.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, pipe},
    path::Path,
    process::{Command, Output, Stdio},
};

use serde_json::Value;

const GUIDE: &str = include_str!("../../docs/guide.md");

/// The blocks of the guide that show commands.
fn shown() -> impl Iterator<Item = &'static str> {
    GUIDE.split("```console\n").skip(1).map(|rest| rest.split("\n```").next().expect("a block ends"))
}

/// Runs a line in a directory; its output and talk as they come.
fn run(line: &str, directory: &Path) -> String {
    let (mut reader, writer) = pipe().expect("a pipe");
    let words = line.strip_prefix("burnward ").unwrap_or_else(|| panic!("`{line}` is no command of burnward"));
    let mut command = Command::new(env!("CARGO_BIN_EXE_burnward"));
    command.args(words.split_whitespace()).current_dir(directory).env_clear().stdin(Stdio::null());
    let mut child = command.stdout(writer.try_clone().expect("a second end")).stderr(writer).spawn().expect("it runs");
    drop(command);
    let mut printed = String::new();
    reader.read_to_string(&mut printed).expect("UTF-8");
    child.wait().expect("it ends");
    without_durations(&printed)
}

/// `(0.31 s)` as `(0.01 s)`.
fn without_durations(printed: &str) -> String {
    let mut parts = printed.split(" s)");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, rest| {
        let kept = text.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
        if kept.ends_with('(') && kept.len() < text.len() { format!("{kept}0.01 s){rest}") } else { format!("{text} s){rest}") }
    })
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a directory");
    for entry in fs::read_dir(from).expect("a directory") {
        let path = entry.expect("an entry").path();
        let beside = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            copy(&path, &beside);
        } else {
            fs::copy(&path, &beside).expect("copied");
        }
    }
}

/// A copy of what the guide speaks of.
fn workplace() -> tempfile::TempDir {
    let directory = tempfile::tempdir().expect("a directory");
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/guide"), directory.path());
    directory
}

#[test]
fn what_the_guide_shows_is_what_the_commands_print() {
    let mut commands = 0;
    for block in shown() {
        let directory = workplace();
        let mut printed = String::new();
        for line in block.lines().filter_map(|line| line.strip_prefix("$ ")) {
            printed = printed + "$ " + line + "\n" + &run(line, directory.path());
            commands += 1;
        }
        let lines = |text: &str| text.trim_end().lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n");
        assert_eq!(lines(block), lines(&printed), "what is printed is\n{printed}");
    }
    assert!(commands >= 5, "{commands}");
}

/// Runs the script of the action as a workflow does, with inputs as variables.
fn action(directory: &Path, inputs: &[(&str, &str)]) -> Output {
    let text = include_str!("../../action.yml");
    let action: Value = serde_saphyr::from_str(text).expect("it is YAML");
    let step = &action["runs"]["steps"][0];
    let script = step["run"].as_str().expect("a script");
    let mut command = Command::new("bash");
    command.args(["--noprofile", "--norc", "-e", "-o", "pipefail", "-c", script]).current_dir(directory);
    let of_the_binary = Path::new(env!("CARGO_BIN_EXE_burnward")).parent().expect("a directory");
    command.env_clear().env("PATH", format!("{}:/usr/bin:/bin", of_the_binary.display()));
    command.env("GITHUB_STEP_SUMMARY", directory.join("summary.md"));
    for (variable, given) in step["env"].as_object().expect("variables") {
        let input = given.as_str().and_then(|text| text.strip_prefix("${{ inputs.")?.strip_suffix(" }}")).expect("an input");
        let default = action["inputs"][input]["default"].as_str().unwrap_or_else(|| panic!("{input} is an input with a default"));
        let value = inputs.iter().find(|(name, _)| *name == input).map_or(default, |(_, value)| value);
        command.env(variable, value);
    }
    command.output().expect("bash is there")
}

#[test]
fn the_action_annotates_and_its_inputs_stay_text() {
    let directory = workplace();
    let run = |inputs: &[(&str, &str)]| {
        let output = action(directory.path(), inputs);
        (output.status.code(), String::from_utf8(output.stdout).expect("UTF-8"))
    };
    let (code, printed) = run(&[("paths", "broken.yaml\nslo-definitions")]);
    assert_eq!(
        (code, printed.lines().filter(|line| line.starts_with("::error file=broken.yaml,line=")).count()),
        (Some(1), 3),
        "{printed}"
    );
    assert!(fs::read_to_string(directory.path().join("summary.md")).expect("a summary").starts_with("### burnward check: 3 errors"));
    assert_eq!(run(&[]), (Some(0), String::new()));
    assert_eq!(run(&[("paths", "$(touch\nstolen) `touch` ; --strict"), ("changed-since", "$(touch stolen)")]).0, Some(2));
    assert!(!directory.path().join("stolen").exists());
    fs::write(
        directory.path().join("advised.yaml"),
        fs::read_to_string(directory.path().join("slo-definitions/checkout.yaml"))
            .expect("text")
            .replace("    runbook: checkout-availability.md\n", ""),
    )
    .expect("written");
    assert_eq!(run(&[("paths", "advised.yaml")]).0, Some(0));
    assert_eq!(run(&[("paths", "advised.yaml"), ("strict", "true")]).0, Some(1));
    assert_eq!(run(&[("paths", "advised.yaml"), ("source", "http://127.0.0.1:1")]).0, Some(2), "nobody answers there");
}

#[test]
fn the_hooks_of_a_commit_are_commands_that_take_files() {
    let hooks: Value = serde_saphyr::from_str(include_str!("../../.pre-commit-hooks.yaml")).expect("it is YAML");
    let hooks = hooks.as_array().expect("a list");
    let outcomes = hooks.iter().map(|hook| {
        let directory = workplace();
        let entry = hook["entry"].as_str().and_then(|entry| entry.strip_prefix("burnward ")).expect("a command of burnward");
        let mut command = Command::new(env!("CARGO_BIN_EXE_burnward"));
        let output =
            command.args(entry.split(' ')).args(["broken.yaml", "slo-definitions/checkout.yaml"]).current_dir(directory.path()).output();
        (hook["id"].as_str().expect("an id"), output.expect("it runs").status.code())
    });
    assert_eq!(outcomes.collect::<Vec<_>>(), [("burnward-fmt", Some(0)), ("burnward-check", Some(1))]);
}

#[test]
fn a_watching_check_checks_again_what_is_saved() {
    let directory = workplace();
    let mut command = Command::new(env!("CARGO_BIN_EXE_burnward"));
    command
        .args(["check", "--watch", "broken.yaml"])
        .current_dir(directory.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().expect("it runs");
    let mut told = BufReader::new(child.stdout.take().expect("a pipe")).lines().map(|line| line.expect("UTF-8"));
    let mut said = BufReader::new(child.stderr.take().expect("a pipe")).lines().map(|line| line.expect("UTF-8"));
    let mut summary = || told.find(|line| line.starts_with("Checked ")).expect("it goes on");
    assert!(summary().contains(": 3 errors, "));
    // Before that line the files were looked at: what is written from now on is a change.
    said.find(|line| line.starts_with("watching ")).expect("it says so");
    fs::copy(directory.path().join("slo-definitions/checkout.yaml"), directory.path().join("broken.yaml")).expect("copied");
    assert!(summary().contains(": 0 errors, "));
    assert!(said.any(|line| line == "broken.yaml changed"));
    child.kill().expect("killed");
    child.wait().expect("it ends");
}
