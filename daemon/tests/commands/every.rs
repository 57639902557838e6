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

/// Six hours of the sample shop, half an hour of which one request in ten fails, as promtool writes samples.
fn recorded() -> String {
    let begins = 1_764_028_800;
    let failed = |minute: u64| minute.clamp(120, 150).saturating_sub(120) * 60;
    let sample = |code: &str, count: u64, minute: u64| {
        format!("shop_requests_total{{job=\"shop\",tenant=\"acme\",code=\"{code}\"}} {count} {}\n", begins + minute * 60)
    };
    let good: String = (0..=360).map(|minute| sample("200", minute * 600 - failed(minute), minute)).collect();
    let bad: String = (0..=360).map(|minute| sample("500", failed(minute), minute)).collect();
    format!("# TYPE shop_requests counter\n{good}{bad}# EOF\n")
}

#[test]
fn on_what_is_shipped() {
    let directory = tempfile::tempdir().expect("a directory");
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a repository");
    for part in ["slo-definitions", "runbooks"] {
        copy(&repository.join(part), &directory.path().join(part));
    }
    fs::copy(repository.join("slo.schema.json"), directory.path().join("slo.schema.json")).expect("it is shipped");
    // The configuration that is shipped lies in docs and names what is beside that. Its reports are told with their next dates.
    let text = fs::read_to_string(repository.join("docs/burnward.example.yaml")).expect("it is shipped");
    let (without_reports, _) = text.split_once("\nreports:").expect("it has reports");
    fs::create_dir(directory.path().join("docs")).expect("a directory");
    fs::write(directory.path().join("docs/burnward.yaml"), without_reports).expect("written");
    let configuration = "--config.file docs/burnward.yaml";
    fs::write(directory.path().join("shop.om"), recorded()).expect("written");
    fs::create_dir(directory.path().join("empty")).expect("a directory");
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
        format!("burnward check --effective {configuration} | head -n 40"),
        format!("burnward templates {configuration}"),
        format!("burnward backtest shop/availability {configuration} --recorded shop.om"),
        format!("burnward backtest shop/availability {configuration} --recorded shop.om -o md"),
        "burnward export --format openslo --slo shop/availability slo-definitions 2> /dev/null > empty/shop.yaml; burnward import empty/shop.yaml".to_owned(),
        "burnward import slo-definitions/shop/shop.yaml".to_owned(),
        "burnward explain shop/availability 2>&1 | cut -d: -f1-4".to_owned(),
        "burnward schema | head -n 5; burnward schema | cmp - slo.schema.json && echo as it is shipped".to_owned(),
        "cd empty && burnward init".to_owned(),
        "burnward check --strict --config.file empty/burnward.yaml".to_owned(),
    ];
    insta::assert_snapshot!("shipped", transcript(&lines.each_ref().map(String::as_str), directory.path()));
}

#[test]
fn on_documents_with_mistakes() {
    let directory = workplace("guide");
    let write = |name: &str, text: &str| fs::write(directory.path().join(name), text).expect("written");
    write("broken.template.yaml", "version: burnward/v1\ntemplate: http\nslos: []\n");
    write(
        "broken.sloth.yaml",
        "version: prometheus/v1\nservice: a\nslos:\n  - name: A_b\n    objective: 101\n    sli: { events: { error_query: 'sum(', total_query: 'sum(rate(t[{{.window}}]))' } }\n",
    );
    write("broken.burnward.yaml", "version: burnward/v1\nsources: 3\n");
    write("broken.txt", "# TYPE a counter\na{ 1\n");
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
        "burnward import broken.sloth.yaml",
        "burnward check broken.sloth.yaml",
        "burnward check --effective broken.template.yaml",
        "burnward templates --config.file broken.burnward.yaml",
        "burnward init",
        "burnward init --metrics broken.txt",
        "burnward schema broken.yaml",
        "burnward explain checkout 2>&1 | cut -d: -f1-2",
        "burnward explain checkout/gone 2>&1 | cut -d: -f1-4",
        "burnward check nothing.yaml",
        "burnward explain E9999",
    ];
    insta::assert_snapshot!("broken", transcript(&lines, directory.path()));
}
