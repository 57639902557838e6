//! An address with a password may stand where a path, a revision or a server belongs: no command repeats the password.

use std::{
    fs,
    process::{Command, Stdio},
};

const SLOS: &str = "version: burnward/v1
service: shop
team: operators
slos:
  - name: availability
    sli: { events: { bad: failed_total, total: all_total } }
    objectives: [{ target: 99.9%, window: 30d, alerting: ticket }]
";

const ADDRESS: &str = "https://ada:s3cr3t@localhost:1/x.yaml";

#[test]
fn no_command_repeats_the_password_of_an_argument() {
    let place = tempfile::tempdir().expect("a directory");
    fs::create_dir(place.path().join("slo-definitions")).expect("a directory");
    fs::write(place.path().join("slo-definitions/shop.yaml"), SLOS).expect("a file");
    for args in [
        &["check", ADDRESS][..],
        &["check", "--config.file", ADDRESS],
        &["fmt", ADDRESS],
        &["test", ADDRESS],
        &["import", ADDRESS],
        &["export", "--format=openslo", ADDRESS],
        &["diff", ADDRESS],
        &["diff", "--against", ADDRESS],
        &["diff", "--against", ADDRESS, "-o", "json"],
        &["diff", "--server", ADDRESS],
        &["backtest", ADDRESS],
        &["backtest", "--recorded", ADDRESS],
        &["backtest", "--source", ADDRESS],
        &["status", "--server", ADDRESS],
        &["status", "--server", "https://ada:s3cr3t@localhost:1no"],
        &["explain", ADDRESS],
        &["doctor", "--config.file", ADDRESS],
        &["run", "--config.file", ADDRESS],
        &["templates", "--config.file", ADDRESS],
        &["init", "--metrics", ADDRESS],
        &["init", "--source", ADDRESS],
        &[ADDRESS],
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_burnward"));
        let output = command.args(args).current_dir(place.path()).stdin(Stdio::null()).output().expect("it runs");
        let said = [output.stdout, output.stderr].map(|said| String::from_utf8_lossy(&said).into_owned()).concat();
        assert!(!said.contains("s3cr3t"), "{args:?}: {said}");
        assert!(said.contains("localhost:1"), "{args:?} says nothing of its argument: {said}");
    }
}
