//! Commands whose reader goes away (`| head`, `| grep -q`) end quietly, with the exit code of their work.

use std::{
    io::pipe,
    process::{Command, Output, Stdio},
};

fn into_a_closed_pipe(args: &[&str]) -> Output {
    let (reader, writer) = pipe().expect("a pipe");
    drop(reader);
    let mut command = Command::new(env!("CARGO_BIN_EXE_burnward"));
    command.args(args).stdin(Stdio::null()).stdout(writer).output().expect("it runs")
}

#[test]
fn a_command_whose_reader_went_away_says_nothing_and_succeeds() {
    for args in [
        &["version"][..],
        &["explain", "E1042"],
        &["slack", "manifest"],
        &["--help"],
        &["check", concat!(env!("CARGO_MANIFEST_DIR"), "/../slo-definitions")],
    ] {
        let output = into_a_closed_pipe(args);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{args:?}: {:?} {said}", output.status);
        assert!(!said.contains("panicked") && !said.contains("Broken pipe"), "{args:?}: {said}");
    }
}
