//! Findings as annotations of a GitHub workflow. GitHub shows ten errors and ten warnings of a step and hides the rest without a word: so those that
//! matter most come first, the rest is counted in a line, and the job's summary holds all of them.

use std::{env, fs::OpenOptions, io::Write as _, path::Path};

use burnward_core::words::plural;

use super::{Report, changed::Changed, print, tree::Tree};
use crate::definition::{Colour, Severity};

/// So many of each severity GitHub shows of a step.
const SHOWN: usize = 10;

/// The summary of a step holds 1 MiB; what is longer GitHub drops as a whole.
const SUMMARY_BYTES: usize = 900 * 1024;

impl Report {
    pub(super) fn as_github(&self) -> String {
        let of = |severity| self.diagnostics.iter().filter(move |fault| fault.severity() == severity);
        let shown = [Severity::Error, Severity::Warning].into_iter().flat_map(|severity| of(severity).take(SHOWN));
        let tree = Tree::here();
        let mut lines: Vec<String> = shown.map(|fault| fault.to_github(&tree.path(fault.place.source.name()))).collect();
        let hidden = self.diagnostics.len() - lines.len();
        if hidden > 0 {
            lines.push(format!("::notice title=burnward check::{} more; the job's summary lists all", plural(hidden, "finding")));
        }
        lines.iter().fold(String::new(), |text, line| text + line + "\n")
    }

    /// Puts the most severe findings first, and of those the ones in changed lines.
    pub(super) fn rank(&mut self, changed: Option<&Changed>) {
        self.diagnostics.sort_by_key(|fault| (fault.severity(), !changed.is_some_and(|changed| changed.touches(&fault.place))));
    }

    /// Adds all findings to the summary of the job, where one is asked for; that it cannot be written is said, and fails nothing.
    pub(super) fn add_to_summary(&self) {
        if let Some(file) = env::var_os("GITHUB_STEP_SUMMARY").filter(|file| !file.is_empty())
            && let Err(error) = self.summarize(Path::new(&file))
        {
            print::talk(format_args!("note: {error}"));
        }
    }

    /// Adds all findings to a file, in Markdown.
    fn summarize(&self, file: &Path) -> Result<(), String> {
        let written =
            OpenOptions::new().append(true).create(true).open(file).and_then(|mut file| file.write_all(self.summary().as_bytes()));
        written.map_err(|error| format!("the job's summary {} cannot be written: {error}", file.display()))
    }

    fn summary(&self) -> String {
        let (errors, warnings) = self.count();
        let mut text = format!("### burnward check: {}, {}\n\n", plural(errors, "error"), plural(warnings, "warning"));
        for (at, fault) in self.diagnostics.iter().enumerate() {
            // A fence longer than any in the text cannot be closed by it.
            let shown = format!("````````text\n{}\n````````\n\n", fault.render(Colour::Never));
            if text.len() + shown.len() > SUMMARY_BYTES {
                text = text + &plural(self.diagnostics.len() - at, "finding") + " more: run `burnward check` to see them.\n";
                break;
            }
            text += &shown;
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{GOOD, report};
    use super::*;
    use crate::definition::Diagnostic;

    #[test]
    fn annotations_beyond_what_github_shows_are_counted_and_the_summary_holds_all() {
        let files: Vec<(String, String)> = (0..14).map(|n| (format!("{n}.yaml"), String::from("x: 1\nversion: burnward/v1\n"))).collect();
        let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        let (directory, report) = report(&files);
        let text = report.as_github();
        assert_eq!(text.lines().count(), 11);
        assert!(text.ends_with("46 findings more; the job's summary lists all\n"), "{text}");
        let summary = directory.path().join("summary.md");
        report.summarize(&summary).expect("it is written");
        let summary = std::fs::read_to_string(summary).expect("it is there");
        assert!(summary.starts_with("### burnward check: 56 errors, 0 warnings\n"), "{summary}");
        assert_eq!(summary.matches("````````text\n").count(), 56);
    }

    #[test]
    fn errors_come_before_warnings() {
        let advised = GOOD.replace("alerting: ticket", "alerting: page");
        let (_directory, mut report) = report(&[("a.yaml", &advised), ("b.yaml", "version: burnward/v2\n")]);
        report.rank(None);
        let severities: Vec<Severity> = report.diagnostics.iter().map(Diagnostic::severity).collect();
        assert!(severities.is_sorted() && severities.contains(&Severity::Warning), "{severities:?}");
    }

    #[test]
    fn of_twelve_errors_those_in_changed_lines_are_among_the_ten_that_are_shown() {
        let mistaken = |n: usize| GOOD.replace("checkout", &format!("service-{n}")).replace("99.9%", "100%");
        let files: Vec<(String, String)> = (0..12).map(|n| (format!("{n:02}.yaml"), mistaken(n))).collect();
        let files = files.iter().map(|(name, text)| (name.as_str(), text.as_str()));
        let advised = GOOD.replace("alerting: ticket", "alerting: page");
        let with_advice: Vec<(&str, &str)> = std::iter::once(("advice.yaml", advised.as_str())).chain(files).collect();
        let (directory, mut report) = report(&with_advice);
        let git = |arguments: &[&str]| {
            let output = std::process::Command::new("git").current_dir(directory.path()).args(arguments).output().expect("git is there");
            assert!(output.status.success(), "{output:?}");
        };
        git(&["init", "--quiet"]);
        git(&["add", "."]);
        git(&["-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "--quiet", "--message", "first"]);
        std::fs::write(directory.path().join("11.yaml"), mistaken(11).replace("100%", "101%")).expect("written");
        std::fs::write(directory.path().join("advice.yaml"), format!("# again\n{advised}")).expect("written");
        report.rank(Some(&Changed::since("HEAD", directory.path()).expect("a revision")));
        let shown = report.as_github();
        let first = shown.lines().next().expect("a line");
        assert!(first.starts_with("::error") && first.contains("11.yaml"), "{shown}");
        assert!(shown.lines().take(10).all(|line| line.starts_with("::error")), "{shown}");
        let order: Vec<Severity> = report.diagnostics.iter().map(Diagnostic::severity).collect();
        assert!(order.is_sorted() && order.contains(&Severity::Warning), "{order:?}");
        assert_eq!(order.iter().filter(|severity| **severity == Severity::Error).count(), 12);
    }
}
