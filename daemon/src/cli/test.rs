//! `burnward test`: runs the tests of SLO documents, offline. Exit code 0 all passed, 1 some did not, 2 could not do it.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    time::{Duration, Instant},
};

use burnward_core::{units::Factor, words};
use clap::{Args, ValueEnum};
use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};

use super::{check, documents, print};
use crate::{
    config::{self, Config, ConfigError},
    definition::{
        self, Colour, Diagnostic, Loaded, Severity,
        case::{Case, Doubtful, Form, SloRef, Slos},
        discover,
    },
    replay::{self, Happened, Outcome},
};

/// What to test, and how to say it.
#[derive(Debug, Args)]
pub(super) struct TestArgs {
    /// Files and directories; without any, those of burnward.yaml, else ./slo-definitions.
    paths: Vec<PathBuf>,

    /// Only tests whose SLO or name holds this text.
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,

    /// How outcomes are written.
    #[arg(short, long, value_enum, default_value_t = Format::Text)]
    output: Format,

    /// The configuration that says how often sources are read, and who is told; ./burnward.yaml, else /etc/burnward/burnward.yaml.
    #[arg(long = "config.file", value_name = "FILE")]
    config_file: Option<PathBuf>,
}

/// How outcomes are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    #[value(alias = "table")]
    Text,
    /// For programs.
    Json,
    /// For what collects the tests of a build.
    Junit,
}

/// Runs the tests, prints, and says by the exit code whether all passed.
pub(super) async fn run(args: TestArgs) -> anyhow::Result<ExitCode> {
    let start = Instant::now();
    if let Some(missing) = args.paths.iter().chain(&args.config_file).find(|path| !path.exists()) {
        print::talk(format_args!("burnward: there is no {}", missing.display()));
        return Ok(ExitCode::from(super::EXIT_CANNOT));
    }
    let config = match config::discover(args.config_file.as_deref()).map(|_| config::read(args.config_file.as_deref())) {
        Some(Ok(config)) => Some(config),
        Some(Err(ConfigError(faults))) => {
            for fault in faults {
                print::talk(fault.render(check::colour()));
            }
            return Ok(ExitCode::from(super::EXIT_CANNOT));
        }
        None => None,
    };
    let loaded = load(&args.paths, config.as_ref());
    let config = Arc::new(config.unwrap_or_default());
    let mut report = Report::default();
    for loaded in &loaded {
        report.run(loaded, args.only.as_deref(), &config).await;
    }
    if let Some(only) = args.only.as_ref().filter(|_| report.tests.is_empty() && report.not_run == 0) {
        print::talk(format_args!("burnward: no test has `{only}` in its name or that of its SLO"));
        return Ok(ExitCode::from(super::EXIT_CANNOT));
    }
    if report.tests.is_empty() && report.diagnostics.is_empty() {
        print::talk("burnward: nothing to test: no document has `tests:` of that kind");
    }
    print::text(report.text(args.output, check::colour(), start.elapsed()))?;
    Ok(ExitCode::from(report.exit_code()))
}

/// What is tested: of each tenant, or at these paths.
fn load(paths: &[PathBuf], config: Option<&Config>) -> Vec<Loaded> {
    if !paths.is_empty() {
        let (paths, only) = with_their_slos(paths, config);
        let mut loaded = definition::read_paths(&paths, &documents::context(config, &paths));
        let is_named = |case: &Case| only.iter().any(|path| Path::new(case.place.source.name()) == path);
        loaded.tests.retain(|case| only.is_empty() || is_named(case));
        // Mistakes of other files matter where an SLO that is tested may be among what they keep from loading.
        let is_there = |case: &Arc<Case>| loaded.slos.iter().any(|slo| SloRef::of(slo) == case.slo);
        if !only.is_empty() && loaded.tests.iter().all(is_there) {
            loaded.keep_faults_of(&only);
        }
        return vec![loaded];
    }
    let tenants = config.map_or_else(|| Config::default().tenants, |config| config.tenants.clone());
    let library = documents::library(config);
    tenants
        .iter()
        .map(|(tenant, place)| definition::read_paths(&place.slo_definitions, &documents::context_of(tenant, place, config, &library)))
        .collect()
}

/// Files that hold tests alone, with the documents of their tenant beside them, whose SLOs they are of; and which tests are meant then.
fn with_their_slos(paths: &[PathBuf], config: Option<&Config>) -> (Vec<PathBuf>, Vec<PathBuf>) {
    let default = Config::default();
    let place = documents::tenant_of(&config.unwrap_or(&default).tenants, paths).map(|(_, place)| place);
    let directories = place.iter().flat_map(|place| &place.slo_definitions).filter(|directory| directory.is_dir());
    if paths.iter().all(|path| path.is_file() && discover::is_of_tests(path)) {
        (paths.iter().chain(directories).cloned().collect(), paths.to_vec())
    } else {
        (paths.to_vec(), Vec::new())
    }
}

/// What was run, and what came of it.
#[derive(Debug, Default)]
struct Report {
    tests: Vec<Ran>,
    /// Mistakes of documents and tests.
    diagnostics: Vec<Diagnostic>,
    /// How many tests have mistakes and were not run.
    not_run: usize,
}

/// A test that was run.
#[derive(Debug)]
struct Ran {
    slo: SloRef,
    name: String,
    file: String,
    line: usize,
    /// What was not as expected, each with the line of its expectation.
    failures: Vec<(String, String, Option<usize>)>,
    told: Vec<Happened>,
    /// Series of bad events that may be nobody's.
    doubtful: Vec<Doubtful>,
    drawing: String,
}

impl Report {
    async fn run(&mut self, loaded: &Loaded, only: Option<&str>, config: &Arc<Config>) {
        self.diagnostics.extend(loaded.diagnostics().filter(|fault| fault.severity() == Severity::Error).cloned());
        let slos: Slos = loaded.slos.iter().map(|slo| (SloRef::of(slo), Arc::clone(slo))).collect();
        let wanted = |case: &&Arc<Case>| only.is_none_or(|text| case.name.contains(text) || case.slo.to_string().contains(text));
        for case in loaded.tests.iter().filter(wanted) {
            let ready = case.ready(&slos);
            self.not_run += usize::from(case.form == Form::Broken || ready.is_err());
            match ready {
                Ok(_) if case.form == Form::Broken => {}
                Ok(ready) => self.tests.push(Ran::of(loaded, case, ready.doubtful(), &replay::run(case, &ready, config).await)),
                // What the files themselves show was said when they were read.
                Err(faults) => {
                    let same = |known: &Diagnostic, fault: &Diagnostic| {
                        (known.code, &known.message, &known.place) == (fault.code, &fault.message, &fault.place)
                    };
                    let new = |fault: &Diagnostic| !loaded.diagnostics().any(|known| same(known, fault));
                    self.diagnostics.extend(faults.into_iter().map(|fault| loaded.told(fault)).filter(new));
                }
            }
        }
    }

    fn failed(&self) -> usize {
        self.tests.iter().filter(|ran| !ran.failures.is_empty()).count()
    }

    fn exit_code(&self) -> u8 {
        u8::from(self.failed() > 0 || !self.diagnostics.is_empty())
    }

    fn text(&self, format: Format, colour: Colour, elapsed: Duration) -> String {
        match format {
            Format::Text => self.as_text(colour, elapsed),
            Format::Json => self.as_json(),
            Format::Junit => self.as_junit(),
        }
    }

    fn as_text(&self, colour: Colour, elapsed: Duration) -> String {
        let mut text = String::new();
        for diagnostic in &self.diagnostics {
            let _ = writeln!(text, "{}\n", diagnostic.render(colour));
        }
        for (slo, tests) in self.by_slo() {
            let _ = writeln!(text, "{slo}");
            text.extend(tests.iter().map(|ran| ran.as_text()));
        }
        let failed = self.failed();
        let ran = format!(
            "Ran {} of {} ({:.2} s)",
            words::plural(self.tests.len(), "test"),
            words::plural(self.by_slo().len(), "SLO"),
            elapsed.as_secs_f64()
        );
        let mistakes = match self.diagnostics.len() {
            0 => String::new(),
            count => format!(" {} above.", words::plural(count, "mistake")),
        };
        let not_run = if self.not_run == 0 { String::new() } else { format!(", {} not run", self.not_run) };
        let _ = writeln!(text, "{ran}: {} passed, {failed} failed{not_run}.{mistakes}", self.tests.len() - failed);
        text
    }

    fn by_slo(&self) -> BTreeMap<&SloRef, Vec<&Ran>> {
        let mut by_slo: BTreeMap<&SloRef, Vec<&Ran>> = BTreeMap::new();
        for ran in &self.tests {
            by_slo.entry(&ran.slo).or_default().push(ran);
        }
        by_slo
    }

    fn as_json(&self) -> String {
        let report = serde_json::json!({
            "schema": "burnward/v1/test",
            "passed": self.tests.len() - self.failed(),
            "failed": self.failed(),
            "not_run": self.not_run,
            "tests": self.tests.iter().map(Ran::as_json).collect::<Vec<_>>(),
            "diagnostics": self.diagnostics.iter().map(Diagnostic::to_json).collect::<Vec<_>>(),
        });
        format!("{report:#}\n")
    }

    fn as_junit(&self) -> String {
        let mut report = quick_junit::Report::new("burnward test");
        for (slo, tests) in self.by_slo() {
            let mut suite = TestSuite::new(slo.to_string());
            suite.add_test_cases(tests.iter().map(|ran| ran.as_junit()));
            report.add_test_suite(suite);
        }
        if !self.diagnostics.is_empty() {
            let mut suite = TestSuite::new("documents");
            suite.add_test_cases(self.diagnostics.iter().map(Diagnostic::redacted).map(|fault| {
                let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
                status.set_message(fault.message.clone()).set_type(fault.code.id).set_description(fault.render(Colour::Never));
                TestCase::new(fault.place.source.name().to_owned(), status)
            }));
            report.add_test_suite(suite);
        }
        report.to_string().unwrap_or_default()
    }
}

impl Ran {
    fn of(loaded: &Loaded, case: &Case, doubtful: Vec<Doubtful>, outcome: &Outcome<'_>) -> Self {
        // What a template says is told of at its line there.
        let at = loaded.written(&case.place);
        let line = |place: &definition::diagnostic::Place| loaded.written(place).positions().0.line;
        let failures = outcome.failures.iter().map(|failure| {
            let at = failure.expectation.map(|expectation| line(&expectation.place));
            (failure.expected.clone(), failure.actual.clone(), at)
        });
        Self {
            slo: case.slo.clone(),
            name: case.name.clone(),
            file: at.source.name().to_owned(),
            line: at.positions().0.line,
            failures: failures.collect(),
            told: outcome.told.clone(),
            doubtful,
            drawing: if outcome.failures.is_empty() { String::new() } else { replay::draw(case, outcome) },
        }
    }

    fn as_text(&self) -> String {
        let result = if self.failures.is_empty() { "ok  " } else { "FAIL" };
        let doubt = self.doubtful.first().map_or_else(String::new, |made| format!(" (in doubt: {})", made.code));
        let mut text = format!("  {result}  {}{doubt}\n", self.name);
        for Doubtful { series, code } in &self.doubtful {
            let _ = writeln!(text, "        bad events were written as {series}: does anybody expose that? burnward explain {code}");
        }
        for (expected, actual, line) in &self.failures {
            let _ = writeln!(text, "        {}:{}", self.file, line.unwrap_or(self.line));
            let _ = writeln!(text, "          expected  {expected}\n          actual    {actual}");
        }
        for line in self.drawing.lines() {
            let _ = writeln!(text, "          {line}");
        }
        text
    }

    fn as_json(&self) -> serde_json::Value {
        let failure = |(expected, actual, line): &(String, String, Option<usize>)| serde_json::json!({ "line": line.unwrap_or(self.line), "expected": expected, "actual": actual });
        serde_json::json!({
            "slo": self.slo.to_string(),
            "name": self.name,
            "file": self.file,
            "line": self.line,
            "passed": self.failures.is_empty(),
            "failures": self.failures.iter().map(failure).collect::<Vec<_>>(),
            "doubtful_series": self.doubtful.iter().map(|made| serde_json::json!({ "series": made.series, "code": made.code })).collect::<Vec<_>>(),
            "told": self.told.iter().map(told_as_json).collect::<Vec<_>>(),
        })
    }

    fn as_junit(&self) -> TestCase {
        let status = if self.failures.is_empty() {
            TestCaseStatus::success()
        } else {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            let first = self.failures.first().map(|(expected, actual, _)| format!("expected {expected}, actual {actual}"));
            status.set_message(first.unwrap_or_default()).set_description(self.as_text());
            status
        };
        let mut case = TestCase::new(self.name.clone(), status);
        case.set_classname(self.slo.to_string());
        case
    }
}

fn told_as_json(happened: &Happened) -> serde_json::Value {
    let group: BTreeMap<&str, &str> = happened.group.labels().iter().map(|(label, value)| (label.as_str(), value.as_str())).collect();
    serde_json::json!({
        "what": happened.told.word(),
        "from_seconds": happened.from.as_secs_f64(),
        "to_seconds": happened.to.map(|to| to.as_secs_f64()),
        "group": group,
        "objective": happened.objective,
        "burn_rate": happened.row.map(Factor::as_f64),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENTATION: &str = include_str!("../../../docs/slo-tests.md");

    fn fenced(kind: &str) -> &'static str {
        let (_, rest) = DOCUMENTATION.split_once(&format!("```{kind}\n")).expect("a block");
        rest.split_once("\n```").expect("it ends").0
    }

    async fn tested(paths: &[PathBuf], config: Option<&Config>) -> Report {
        let mut report = Report::default();
        let run_by = Arc::new(config.cloned().unwrap_or_default());
        for loaded in load(paths, config) {
            report.run(&loaded, None, &run_by).await;
        }
        report
    }

    async fn of_text(name: &str, text: &str) -> (tempfile::TempDir, Report) {
        let directory = tempfile::tempdir().expect("a directory");
        std::fs::write(directory.path().join(name), text).expect("a file");
        let report = tested(&[directory.path().to_owned()], None).await;
        (directory, report)
    }

    #[tokio::test]
    async fn every_shipped_slo_has_tests_and_they_pass() {
        let repository = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a repository");
        let config = config::read(Some(&repository.join("docs/burnward.example.yaml"))).expect("the example loads");
        let report = tested(&[], Some(&config)).await;
        assert_eq!(report.exit_code(), 0, "{}", report.text(Format::Text, Colour::Never, Duration::ZERO));
        let tested: Vec<String> = report.by_slo().keys().map(ToString::to_string).collect();
        let slos =
            ["burnward/evaluation", "burnward/page-delivery", "shop/availability", "shop/demo-checkout", "shop/latency", "shop/visit"];
        assert_eq!(tested, slos);
    }

    #[tokio::test]
    async fn the_example_of_the_documentation_passes_and_fails_as_it_says() {
        let (_directory, report) = of_text("checkout.yaml", fenced("yaml")).await;
        assert_eq!((report.exit_code(), report.tests.len()), (0, 2));
        let slow = fenced("yaml").replace("{ tenant: acme }, constant: 20/s", "{ tenant: acme }, constant: 1/m");
        let (directory, report) = of_text("checkout.yaml", &slow).await;
        let text = report.text(Format::Text, Colour::Never, Duration::from_millis(20));
        assert_eq!(text.replace(&format!("{}/", directory.path().display()), "").trim_end(), fenced("text"));
        assert_eq!(report.exit_code(), 1);
    }

    #[tokio::test]
    async fn a_mistake_in_one_test_keeps_no_other_from_running() {
        let broken = fenced("yaml").replace("share: 10%", "share: 0.1").replace("wakes nobody\n", "wakes nobody\n    slo: avail\n");
        let (_directory, report) = of_text("a.yaml", &broken).await;
        let codes: Vec<&str> = report.diagnostics.iter().map(|fault| fault.code.id).collect();
        assert_eq!(codes, ["E1100", "E1102"], "all of it at once");
        let text = report.text(Format::Text, Colour::Never, Duration::from_millis(20));
        assert!(text.ends_with("Ran 1 test of 1 SLO (0.02 s): 1 passed, 0 failed, 1 not run. 2 mistakes above.\n"), "{text}");
        assert_eq!(report.exit_code(), 1);
    }

    #[tokio::test]
    async fn a_file_of_tests_alone_is_of_the_slos_of_its_tenant() {
        let directory = tempfile::tempdir().expect("a directory");
        let (slos, tests) = fenced("yaml").split_once("tests:\n").expect("tests");
        let named = tests.replace("    lasts", "    slo: checkout/availability\n    lasts");
        let (documents, file) = (directory.path().join("slos"), directory.path().join("a.slotest.yaml"));
        std::fs::create_dir(&documents).expect("a directory");
        let unbooked = fenced("yaml").replace("    runbook: checkout-availability.md\n", "");
        std::fs::write(documents.join("a.yaml"), unbooked).expect("a file");
        std::fs::write(documents.join("broken.yaml"), "version: burnward/v1\nservice: other\nslos: []\n").expect("a file");
        std::fs::write(&file, format!("version: burnward/v1\ntests:\n{named}")).expect("a file");
        let text = format!(
            "version: burnward/v1\nteams: {{ payments: {{ channel: '#a' }} }}\ntenants: {{ main: {{ slo-definitions: {}, source: prometheus }} }}\n",
            documents.display()
        );
        let config = config::parse(&directory.path().join("burnward.yaml"), &text).expect("it loads");
        let report = tested(&[file], Some(&config)).await;
        assert!(slos.contains("availability"));
        assert_eq!((report.tests.len(), report.failed()), (2, 0), "the tests of the documents are not run");
        assert_eq!(report.exit_code(), 0, "a mistake of another file is none of these tests");
        std::fs::write(documents.join("a.yaml"), "version: burnward/v1\n").expect("a file");
        let report = tested(&[directory.path().join("a.slotest.yaml")], Some(&config)).await;
        assert!(report.diagnostics.iter().any(|fault| fault.place.source.name().ends_with("/a.yaml")), "{:?}", report.diagnostics);
    }

    #[tokio::test]
    async fn a_group_that_no_traffic_has_is_a_mistake_of_the_test() {
        let (_directory, report) =
            of_text("a.yaml", &fenced("yaml").replace("14.4, group: { tenant: acme }", "14.4, group: { tenant: acm }")).await;
        let [fault] = report.diagnostics.as_slice() else { panic!("{:?}", report.diagnostics) };
        assert_eq!(fault.message, "no traffic of the test has tenant=\"acm\"");
        assert_eq!(fault.help, ["did you mean `acme`?"]);
    }

    #[tokio::test]
    async fn what_failed_is_shown_with_what_happened_in_its_place() {
        let elsewhere = fenced("yaml").replace(
            "group: { tenant: acme } }\n      - clear: { from: 1h20m, to: 2h }",
            "group: { tenant: globex } }\n      - clear: { from: 1h1m, to: 1h2m }",
        );
        let (directory, report) = of_text("checkout.yaml", &elsewhere).await;
        let text = report.text(Format::Text, Colour::Never, Duration::from_millis(20));
        insta::assert_snapshot!("test_elsewhere", text.replace(&format!("{}/", directory.path().display()), ""));
    }

    /// Each kind of expectation has its marks: a page at no time, a budget, an end, blindness; and groups do not share a line.
    #[tokio::test]
    async fn every_kind_of_failure_has_its_marks_on_the_time_line() {
        let (document, _) = fenced("yaml").split_once("tests:\n").expect("tests");
        let traffic = "lasts: 2h
    traffic:
      - { labels: { tenant: acme }, constant: 20/s, failing: [{ share: 20%, from: 1h, to: 1h20m }] }
      - { labels: { tenant: globex }, constant: 20/s, failing: [{ share: 50%, from: 20m, to: 30m }] }
    expect:";
        let test = |name: &str, expect: &str| format!("  - name: {name}\n    {traffic}\n      - {expect}\n");
        let tests = test("never", "page: none")
            + &test("budget", "budget: { at: 90m, above: 99%, group: { tenant: globex } }")
            + &test("blind", "blind: { from: 30m, to: 40m }")
            + &test(
                "groups",
                "page: { from: 5m, to: 10m, group: { tenant: globex } }\n      - clear: { from: 1h1m, to: 1h2m, group: { tenant: acme } }",
            );
        let (directory, report) = of_text("checkout.yaml", &format!("{document}tests:\n{tests}")).await;
        let text = report.text(Format::Text, Colour::Never, Duration::from_millis(20));
        insta::assert_snapshot!("test_time_lines", text.replace(&format!("{}/", directory.path().display()), ""));
    }

    #[tokio::test]
    async fn programs_are_told_the_same() {
        let (directory, report) =
            of_text("a.slotest.yaml", &fenced("yaml").replace("tenant: acme }, constant: 20/s", "tenant: acme }, constant: 1/m")).await;
        assert_eq!(report.exit_code(), 1, "a file of tests holds no SLOs");
        drop(directory);
        let (directory, report) =
            of_text("a.yaml", &fenced("yaml").replace("tenant: acme }, constant: 20/s", "tenant: acme }, constant: 1/m")).await;
        let shown = |format| report.text(format, Colour::Never, Duration::ZERO).replace(&directory.path().display().to_string(), "slos");
        insta::assert_snapshot!("test_json", shown(Format::Json));
        insta::assert_snapshot!("test_junit", shown(Format::Junit));
    }

    /// That it passes says nothing where the series that it was made of are nobody's.
    #[tokio::test]
    async fn series_that_may_be_nobodys_are_told_of() {
        let text = fenced("yaml").replace("code=~\"5..\"", "code=\"5..\"");
        let (_directory, report) = of_text("a.yaml", &text).await;
        let text = report.text(Format::Text, Colour::Never, Duration::ZERO);
        let said = "        bad events were written as http_requests_total{code=\"5..\",job=\"checkout\",tenant=\"acme\"}: does anybody expose that? burnward explain W2022\n";
        assert_eq!(text.matches(said).count(), 2, "{text}");
        assert_eq!(text.matches(" (in doubt: W2022)\n").count(), 2, "{text}");
        let other =
            fenced("yaml").replace("total: 'http_requests_total{job=\"checkout\"}'", "total: 'http_requests_total{job=\"chekout\"}'");
        let (_directory, report) = of_text("a.yaml", &other).await;
        assert!(report.text(Format::Text, Colour::Never, Duration::ZERO).contains("burnward explain W2024"));
        let (_directory, report) = of_text("a.yaml", fenced("yaml")).await;
        assert!(report.tests.iter().all(|ran| ran.doubtful.is_empty()));
    }

    /// An SLO of each kind, with traffic in which all of it fails from the first hour on.
    #[tokio::test]
    async fn every_kind_of_sli_takes_traffic() {
        for (sli, traffic) in [
            ("events: { good: 'm_total{ok=\"yes\"}', total: 'm_total' }", "constant: 5/s, "),
            (
                "events: { bad: ['errors_total', 'aborts_total'], total: 'requests_total' }",
                "burst: { usual: 1/s, peak: 9/s, from: 30m, to: 2h }, ",
            ),
            ("latency: { histogram: 'm_seconds', within: 300ms, tolerated: 1s }", "diurnal: { low: 1/s, high: 9/s }, "),
            ("probe: 'probe_success{job=\"x\"}'", ""),
            ("presence: { series: 'worker{name=~\"a|b\"}', slice: 1m }", ""),
            ("window: { expr: 'max(age)', is: '<=', threshold: 60, slice: 1m }", ""),
            ("query: { bad: 'bad', total: 'all', step: 1m }", "constant: 5/s, "),
        ] {
            let text = format!(
                "version: burnward/v1
service: a
team: b
slos:
  - name: c
    sli: {{ {sli} }}
    objectives: [{{ target: 99%, window: 30d, alerting: page }}]
tests:
  - {{ name: d, lasts: 2h, traffic: [{{ {traffic}failing: [{{ share: 100%, from: 1h }}] }}], expect: [{{ page: {{ from: 1h, to: 1h12m }} }}, {{ budget: {{ at: 1h, above: 99.9% }} }}] }}
"
            );
            let (_directory, report) = of_text("a.yaml", &text).await;
            assert_eq!(
                (report.exit_code(), report.tests.len()),
                (0, 1),
                "{sli}\n{}",
                report.text(Format::Text, Colour::Never, Duration::ZERO)
            );
        }
    }
}
