//! Every command about documents, on what is shipped and on documents with mistakes: what it prints and by which code it ends.

use std::{fmt::Write as _, fs, path::Path};

use super::{copy, run, workplace};

/// What a console shows of these lines, with the codes that they end by.
fn transcript(lines: &[&str], directory: &Path) -> String {
    let mut text = String::new();
    for line in lines {
        let (code, printed) = run(line, directory);
        writeln!(text, "$ {line}\n{}\n[{code}]\n", printed.trim_end()).expect("a String takes it");
    }
    text
}

#[test]
fn on_what_is_shipped() {
    let directory = tempfile::tempdir().expect("a directory");
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a repository");
    for part in ["slo-definitions", "runbooks"] {
        copy(&repository.join(part), &directory.path().join(part));
    }
    // The configuration that is shipped lies in docs and names what is beside that. Its reports are told with their next dates.
    let text = fs::read_to_string(repository.join("docs/burnward.example.yaml")).expect("it is shipped");
    let (without_reports, _) = text.split_once("\nreports:").expect("it has reports");
    fs::create_dir(directory.path().join("docs")).expect("a directory");
    fs::write(directory.path().join("docs/burnward.yaml"), without_reports).expect("written");
    let configuration = "--config.file docs/burnward.yaml";
    let lines = [
        format!("burnward check --strict {configuration}"),
        format!("burnward check --strict -o github {configuration}"),
        format!("burnward check --strict -o junit {configuration}"),
        format!("burnward check --strict -o json {configuration}"),
        format!("burnward check --strict -o sarif {configuration} | head -n 12"),
        format!("burnward test {configuration}"),
        "burnward fmt --check slo-definitions".to_owned(),
        "burnward diff slo-definitions --against slo-definitions".to_owned(),
        "burnward export --format prometheus-rules --slo shop/latency slo-definitions".to_owned(),
        "burnward export --format openslo --slo shop/availability slo-definitions".to_owned(),
        "burnward export --format grafana --slo shop/availability slo-definitions 2> /dev/null | head -n 40".to_owned(),
    ];
    insta::assert_snapshot!("shipped", transcript(&lines.each_ref().map(String::as_str), directory.path()));
}

#[test]
fn on_documents_with_mistakes() {
    let directory = workplace("guide");
    let lines = [
        "burnward check broken.yaml",
        "burnward check -o github broken.yaml",
        "burnward check -o junit broken.yaml",
        "burnward check -o json broken.yaml",
        "burnward check -o sarif broken.yaml | head -n 36",
        "burnward test broken.yaml",
        "burnward backtest --definitions broken.yaml --recorded nothing.om",
        "burnward diff broken.yaml --against slo-definitions",
        "burnward fmt --check broken.yaml",
        "burnward export --format prometheus-rules broken.yaml",
        "burnward import broken.yaml",
        "burnward check nothing.yaml",
        "burnward explain E9999",
    ];
    insta::assert_snapshot!("broken", transcript(&lines, directory.path()));
}
