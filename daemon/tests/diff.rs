//! `burnward diff` of files and git revisions, as a person calls it.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

const DOCUMENT: &str = "version: burnward/v1
service: checkout
team: payments
slos:
  - name: availability
    sli:
      events: { bad: 'e{code=\"500\"}', total: 'e' }
    objectives: [{ target: 99.5%, window: 30d, alerting: ticket }]
";

fn run(directory: &Path, program: &str, args: &[&str]) -> Output {
    let mut command = Command::new(program);
    // Neither the machine's git configuration nor a repository around the directory has a say.
    command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CEILING_DIRECTORIES", std::env::temp_dir());
    command.current_dir(directory).args(args).output().expect("it runs")
}

fn diff(directory: &Path, args: &[&str]) -> (Option<i32>, String, String) {
    let output = run(directory, env!("CARGO_BIN_EXE_burnward"), &[&["diff"], args].concat());
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

fn git(directory: &Path, args: &[&str]) {
    let output = run(directory, "git", &[&["-c", "user.name=Ada", "-c", "user.email=ada@example.com"], args].concat());
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn write(directory: &Path, name: &str, text: &str) {
    let path = directory.join(name);
    fs::create_dir_all(path.parent().expect("a path below the directory")).expect("a directory");
    fs::write(path, text).expect("a file");
}

#[test]
fn what_a_branch_changes_is_told_against_a_git_revision() {
    let root = tempfile::tempdir().unwrap();
    let directory = root.path();
    git(directory, &["init", "-q", "-b", "main"]);
    write(directory, "slo-definitions/checkout.yaml", DOCUMENT);
    write(directory, "slo-definitions/old.yaml", &DOCUMENT.replace("checkout", "old"));
    write(directory, "slo-definitions/.hidden.yaml", "not: [yaml");
    write(directory, "slo-definitions/README.md", "# not a definition");
    git(directory, &["add", "-A"]);
    git(directory, &["commit", "-q", "-m", "first"]);
    assert_eq!(diff(directory, &["--against", "main"]), (Some(0), "No SLO differs.\n".to_owned(), String::new()));

    write(directory, "slo-definitions/checkout.yaml", &DOCUMENT.replace("99.5%", "99.9%"));
    fs::remove_file(directory.join("slo-definitions/old.yaml")).unwrap();
    let (code, told, talk) = diff(directory, &["--against", "HEAD"]);
    assert_eq!((code, talk.as_str()), (Some(1), ""));
    let expected = "~ checkout/availability   slo-definitions/checkout.yaml:5
    objectives.30d.target   99.5% -> 99.9%
- old/availability   slo-definitions/old.yaml:5
2 SLOs: 1 changed, 0 added, 1 removed.
";
    assert_eq!(told, expected);
    let (_, of_one_file, _) = diff(directory, &["slo-definitions/checkout.yaml", "--against", "main"]);
    assert!(of_one_file.ends_with("1 SLO: 1 changed, 0 added, 0 removed.\n"), "{of_one_file}");
    let (_, from_below, _) = diff(&directory.join("slo-definitions"), &[".", "--against", "main"]);
    assert!(from_below.contains("~ checkout/availability   ./checkout.yaml:5\n"), "{from_below}");

    // A revision that does not load by the rules of today is a note, and not a refusal.
    write(directory, "slo-definitions/bad.yaml", &DOCUMENT.replace("checkout", "bad").replace("99.5%", "100%"));
    git(directory, &["add", "-A"]);
    git(directory, &["commit", "-q", "-m", "second"]);
    fs::remove_file(directory.join("slo-definitions/bad.yaml")).unwrap();
    let (code, _, talk) = diff(directory, &["--against", "main"]);
    assert_eq!(code, Some(0), "{talk}");
    assert!(talk.contains("does not load, and counts as new"), "{talk}");
}

#[test]
fn two_directories_are_compared_and_written_for_programs_and_pull_requests() {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), "a/checkout.yaml", DOCUMENT);
    write(root.path(), "b/renamed.yaml", &DOCUMENT.replace("99.5%", "99.9%"));
    let (code, json, _) = diff(root.path(), &["b", "--against", "a", "-o", "json"]);
    let told: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!((code, told["changes"][0]["facts"][0]["after"].as_str()), (Some(1), Some("99.9%")), "{told}");
    let (code, markdown, _) = diff(root.path(), &["b", "--against", "a", "-o", "md"]);
    assert!(code == Some(1) && markdown.contains("| objectives.30d.target | 99.5% -> 99.9% |"), "{markdown}");
}

#[test]
fn what_cannot_be_compared_is_said_with_what_to_do_and_exit_code_2() {
    let root = tempfile::tempdir().unwrap();
    let directory = root.path();
    write(directory, "slo-definitions/checkout.yaml", DOCUMENT);
    let cases: [(&[&str], &str); 5] = [
        (&["nowhere.yaml", "--against", "slo-definitions"], "there is no nowhere.yaml"),
        (&["--against", "v1.2"], "`v1.2` is neither `running`, nor a path, nor a revision of the git repository of slo-definitions"),
        (&["--against=--upload-pack=x"], "`--upload-pack=x` is neither"),
        (&["--server", "http://127.0.0.1:9"], "is `burnward run` running there?"),
        (&["--tenant", "acme", "--against", "slo-definitions"], "the configuration has no tenant acme"),
    ];
    for (args, expected) in cases {
        let (code, told, talk) = diff(directory, args);
        assert!(code == Some(2) && told.is_empty() && talk.contains(expected), "{args:?}: {code:?} {told}{talk}");
    }
    write(directory, "slo-definitions/broken.yaml", "version: burnward/v1\n");
    let (code, told, talk) = diff(directory, &["--against", "slo-definitions/checkout.yaml"]);
    assert!(code == Some(2) && told.is_empty(), "{told}");
    assert!(talk.contains("slo-definitions/broken.yaml does not load: see `burnward check slo-definitions/broken.yaml`"), "{talk}");
}
