//! Commands as people meet them: as the books show them, in a GitHub workflow, as hooks of a commit, watching.

mod books;
#[path = "../../build/commit.rs"]
mod commit;
mod every;
mod hour;
mod night;

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, pipe},
    path::Path,
    process::{Command, Output, Stdio},
};

use serde_json::Value;

/// Runs a line of a shell in a directory; the code that it ends by, and its output and talk as they come.
fn run(line: &str, directory: &Path) -> (i32, String) {
    let (mut reader, writer) = pipe().expect("a pipe");
    let of_the_binary = Path::new(env!("CARGO_BIN_EXE_burnward")).parent().expect("a directory");
    let mut command = Command::new("bash");
    command.args(["--noprofile", "--norc", "-c", line]).current_dir(directory).stdin(Stdio::null());
    command.env_clear().env("PATH", format!("{}:/usr/bin:/bin", of_the_binary.display()));
    // Nobody answers there: no line of a book reaches a daemon that runs on this machine.
    command.env("BURNWARD_SERVER", "http://127.0.0.1:1");
    command.envs([("GIT_CONFIG_GLOBAL", "/dev/null"), ("GIT_CONFIG_NOSYSTEM", "1")]);
    for role in ["AUTHOR", "COMMITTER"] {
        command.envs([(format!("GIT_{role}_NAME"), "Ada"), (format!("GIT_{role}_EMAIL"), "ada@example.com")]);
    }
    let mut child = command.stdout(writer.try_clone().expect("a second end")).stderr(writer).spawn().expect("bash is there");
    drop(command);
    let mut printed = String::new();
    reader.read_to_string(&mut printed).expect("UTF-8");
    (child.wait().expect("it ends").code().expect("no signal ended it"), without_durations(&printed))
}

/// `(0.31 s)` as `(0.01 s)`, and a last cell `12 ms` as `1 ms`.
fn without_durations(printed: &str) -> String {
    let mut parts = printed.split(" s)");
    let first = parts.next().unwrap_or_default().to_owned();
    let text = parts.fold(first, |text, rest| {
        let kept = text.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
        if kept.ends_with('(') && kept.len() < text.len() { format!("{kept}0.01 s){rest}") } else { format!("{text} s){rest}") }
    });
    let of_a_machine = |line: &str| {
        let number = line.strip_suffix(" ms").map(|rest| rest.trim_end_matches(|c: char| c.is_ascii_digit()));
        number.filter(|rest| rest.ends_with(' ')).map_or_else(|| line.to_owned(), |rest| format!("{rest}1 ms"))
    };
    text.lines().map(of_a_machine).fold(String::new(), |text, line| text + &line + "\n")
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

/// A copy of what a book speaks of: `guide` or `handbook`.
fn workplace(fixture: &str) -> tempfile::TempDir {
    let directory = tempfile::tempdir().expect("a directory");
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(fixture), directory.path());
    directory
}

/// Runs the script of the action as a workflow does, with inputs as variables.
fn action(directory: &Path, inputs: &[(&str, &str)]) -> Output {
    let text = include_str!("../../../action.yml");
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
    let directory = workplace("guide");
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

/// Secrets where none belong, and in the addresses that commands are given.
#[test]
fn no_secret_is_shown_by_any_command_in_any_form() {
    let directory = tempfile::tempdir().expect("a directory");
    let write = |name: &str, text: &str| fs::write(directory.path().join(name), text).expect("written");
    let slo = "slos: [{ name: a, sli: { events: { bad: 'e{code=\"500\"}', total: 'e' } }, objectives: [{ target: 99%, window: 30d, alerting: none }] }]";
    write("fine.yaml", &format!("version: burnward/v1\nservice: shop\nteam: shop\n{slo}\n"));
    write(
        "broken.yaml",
        &format!("version: burnward/v1\nservice: shop\nteam: ghp_hush\nauthorization: hush\nlink: 'http://h/?key=hush'\n{slo}\n"),
    );
    let headers =
        "{ Authorization: 'Bearer hush', Cookie: 'a=hush', Proxy-Authorization: hush, X-Token: hush, X-Mine: 'Bearer hush hush' }";
    let source = format!("{{ prometheus: {{ url: 'http://ada:hush@127.0.0.1:1/x?token=hush', headers: {headers} }} }}");
    write("refused.yaml", &format!("version: burnward/v1\nsources:\n  a: {source}\n"));
    write("torn.yaml", "version: burnward/v1\napi-key: [hush\n");
    write("incidents.yaml", "- { from: 2026-01-01T00:00:00Z, token: hush, to: 'http://ada:hush@h/' }\n");
    let shown = |line: &str, tells: &str| {
        let (code, printed) = run(line, directory.path());
        assert!(code != 0 && printed.contains(tells) && !printed.contains("hush"), "{line}\n{printed}");
    };
    let address = "'http://ada:hush@127.0.0.1:1/?token=hush'";
    for form in ["text", "json", "github", "sarif", "junit"] {
        shown(&format!("burnward check -o {form} refused.yaml broken.yaml"), "E1007");
        shown(&format!("burnward check -o {form} --source={address} fine.yaml"), "not checked against it");
    }
    for form in ["text", "json", "junit"] {
        shown(&format!("burnward test -o {form} broken.yaml"), "****");
    }
    for command in ["run", "doctor", "check"] {
        shown(&format!("burnward {command} --config.file refused.yaml"), "E1007");
    }
    shown("burnward fmt --check torn.yaml", "torn.yaml");
    shown("burnward import broken.yaml", "broken.yaml");
    shown(&format!("burnward init --source={address} --job x"), "127.0.0.1:1");
    shown(&format!("burnward backtest --definitions fine.yaml --source={address}"), "burnward: ");
    shown("burnward backtest --definitions fine.yaml --incidents incidents.yaml --source=http://127.0.0.1:1", "incidents.yaml");
    shown(&format!("burnward status --server={address}"), "no burnward answers at http://");
}

#[test]
fn the_daemon_of_a_directory_is_asked_where_its_configuration_says() {
    let directory = tempfile::tempdir().expect("a directory");
    let listen = |address: &str| {
        fs::write(directory.path().join("burnward.yaml"), format!("version: burnward/v1\nlisten: {address}\n")).expect("a file");
    };
    let asked = |line: &str| run(&format!("env -u BURNWARD_SERVER {line}"), directory.path()).1;
    listen("127.0.0.1:2");
    assert!(asked("burnward status").contains("no burnward answers at http://127.0.0.1:2/"), "{}", asked("burnward status"));
    assert!(asked("burnward status --server http://127.0.0.1:1").contains("no burnward answers at http://127.0.0.1:1/"));
    listen("127.0.0.1:2\nnonsense: 1");
    let said = asked("burnward status");
    assert!(
        said.starts_with("note: burnward.yaml does not load, so the daemon is asked at 127.0.0.1:9095; `--server` names another\n"),
        "{said}"
    );
    fs::write(directory.path().join("tokens"), "ada:0123456789abcdef0123456789abcdef\n").expect("a file");
    listen("\"[::]:3\"\ntoken-file: tokens");
    assert!(asked("burnward status").contains("no burnward answers at http://[::1]:3/"), "{}", asked("burnward status"));
}

#[test]
fn the_hooks_of_a_commit_lay_out_what_changed_and_check_all_of_it() {
    let hooks: Value = serde_saphyr::from_str(include_str!("../../../.pre-commit-hooks.yaml")).expect("it is YAML");
    let hooks = hooks.as_array().expect("a list");
    let outcomes = hooks.iter().map(|hook| {
        let directory = workplace("guide");
        let entry = hook["entry"].as_str().and_then(|entry| entry.strip_prefix("burnward ")).expect("a command of burnward");
        // Alone it is right; with the one that was there before, no more.
        let again = directory.path().join("slo-definitions/again.yaml");
        std::fs::copy(directory.path().join("slo-definitions/checkout.yaml"), again).expect("copied");
        let mut command = Command::new(env!("CARGO_BIN_EXE_burnward"));
        command.args(entry.split(' ')).current_dir(directory.path());
        if hook["pass_filenames"] != false {
            command.arg("slo-definitions/again.yaml");
        }
        let output = command.output().expect("it runs");
        let is_told_twice = String::from_utf8_lossy(&output.stdout).contains("E1022");
        (hook["id"].as_str().expect("an id"), output.status.code(), is_told_twice)
    });
    assert_eq!(outcomes.collect::<Vec<_>>(), [("burnward-fmt", Some(0), false), ("burnward-check", Some(1), true)]);
}

#[test]
fn a_watching_check_checks_again_what_is_saved() {
    let directory = workplace("guide");
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

#[test]
fn a_build_names_its_commit_and_what_is_not_committed() {
    let directory = tempfile::tempdir().expect("a directory");
    let root = directory.path();
    let none = "commit not known: built outside of a git checkout";
    assert_eq!(commit::told(root), none);
    fs::create_dir(root.join("unpacked")).expect("a directory");
    fs::write(root.join("Cargo.lock"), "").expect("written");
    let day = "2026-11-25T23:30:00-0800";
    let made = run(
        &format!(
            "git init --quiet --initial-branch main && git add . && GIT_AUTHOR_DATE={day} GIT_COMMITTER_DATE={day} git commit --quiet --message start && git rev-parse HEAD"
        ),
        root,
    );
    let told = format!("commit {} of 2026-11-26", &made.1[..12]);
    assert_eq!(commit::told(root), told, "the day is that of UTC");
    assert_eq!(commit::told(&root.join("unpacked")), none, "a tarball that was unpacked within a checkout of something else");
    fs::write(root.join("Cargo.lock"), "changed").expect("written");
    assert_eq!(commit::told(root), format!("{told}, with changes that are not committed"));
}

/// The demo says how it is asked, where another daemon has its usual port or not.
#[test]
fn the_demo_prints_commands_that_work() {
    let taken = std::net::TcpListener::bind(("127.0.0.1", 9095));
    let mut command = Command::new(env!("CARGO_BIN_EXE_burnward"));
    command.arg("demo").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().expect("it runs");
    let mut said = BufReader::new(child.stdout.take().expect("a pipe")).lines().map(|line| line.expect("UTF-8"));
    let line = said.find(|line| line.ends_with(" status")).expect("it prints how it is asked");
    let (_, asked) = line.split_once("  the same here  ").expect("a label");
    // Whatever the surroundings say of a daemon, the line names its own.
    let output =
        Command::new("bash").args(["--noprofile", "--norc", "-c", asked]).env_remove("BURNWARD_SERVER").output().expect("bash is there");
    child.kill().and_then(|()| child.wait()).expect("it ends");
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && shown.contains("shop/"), "{asked}: {shown}{}", String::from_utf8_lossy(&output.stderr));
    drop(taken);
}
