//! Findings as a `JUnit` report, which most CI systems show: a suite for each file, in it a case for each finding, or one that passed.

use std::collections::BTreeMap;

use quick_junit::{NonSuccessKind, Report as Junit, TestCase, TestCaseStatus, TestSuite};

use super::Report;
use crate::definition::{Colour, Diagnostic, Severity};

impl Report {
    /// Findings from this severity on fail their case; others pass, with what they say as the output of the case.
    pub(super) fn as_junit(&self, fails_from: Severity) -> String {
        let mut suites: BTreeMap<&str, Vec<&Diagnostic>> = self.checked.iter().map(|file| (file.as_str(), Vec::new())).collect();
        for fault in &self.diagnostics {
            suites.entry(fault.place.source.name()).or_default().push(fault);
        }
        let mut report = Junit::new("burnward check");
        report.add_test_suites(suites.iter().map(|(file, faults)| suite(file, faults, fails_from)));
        if !self.failures.is_empty() {
            report.add_test_suite(not_checked(&self.failures));
        }
        report.to_string().expect("what is written into memory cannot fail") + "\n"
    }
}

fn suite(file: &str, faults: &[&Diagnostic], fails_from: Severity) -> TestSuite {
    let mut suite = TestSuite::new(file);
    for fault in faults {
        let fault = fault.redacted();
        let (at, _) = fault.place.positions();
        let fails = fault.severity() <= fails_from;
        let status = if fails { TestCaseStatus::non_success(NonSuccessKind::Failure) } else { TestCaseStatus::success() };
        let mut case = TestCase::new(format!("{} at {}:{}", fault.code.id, at.line, at.column), status);
        if fails {
            case.status.set_message(fault.message.as_str()).set_type(fault.code.id).set_description(fault.render(Colour::Never));
        } else {
            case.set_system_out(fault.render(Colour::Never));
        }
        suite.add_test_case(case);
    }
    if faults.is_empty() {
        suite.add_test_case(TestCase::new("loads", TestCaseStatus::success()));
    }
    suite
}

/// What should have been checked and could not be.
fn not_checked(failures: &[String]) -> TestSuite {
    let mut suite = TestSuite::new("not checked");
    suite.add_test_cases(failures.iter().map(|failure| {
        let mut case = TestCase::new(failure.as_str(), TestCaseStatus::non_success(NonSuccessKind::Error));
        case.status.set_message(failure.as_str());
        case
    }));
    suite
}

#[cfg(test)]
mod tests {
    use super::super::tests::{GOOD, report};
    use super::*;

    #[test]
    fn a_file_that_loads_is_a_case_that_passed_and_each_finding_a_case_that_failed() {
        let (directory, report) = report(&[("a.yaml", &GOOD.replace("99.9%", "100%")), ("b.yaml", GOOD)]);
        let shown = |fails_from| report.as_junit(fails_from).replace(&directory.path().display().to_string(), "slos");
        insta::assert_snapshot!(shown(Severity::Error));
    }

    #[test]
    fn advice_fails_only_where_it_is_to() {
        let (_directory, report) = report(&[("a.yaml", &GOOD.replace("alerting: ticket", "alerting: page"))]);
        let failures = |fails_from| report.as_junit(fails_from).matches("<failure").count();
        assert_eq!((failures(Severity::Error), failures(Severity::Warning)), (0, 1), "{:?}", report.diagnostics);
    }
}
