//! Which lines of the working tree a git revision does not have.

use std::{
    collections::BTreeMap,
    ops::RangeInclusive,
    path::{Path, PathBuf},
    process::Command,
};

use crate::definition::diagnostic::Place;

/// Changed lines by file.
#[derive(Debug)]
pub(super) struct Changed {
    lines: BTreeMap<PathBuf, Vec<RangeInclusive<usize>>>,
}

impl Changed {
    /// What changed since the working tree and a revision parted; files that git does not know count as new.
    ///
    /// # Errors
    ///
    /// A sentence, where git is missing or does not know the revision.
    pub(super) fn since(revision: &str, directory: &Path) -> Result<Self, String> {
        let root = git(directory, &["rev-parse", "--show-toplevel"])?;
        let root = PathBuf::from(root.trim_end_matches('\n'));
        let revision = git(&root, &["rev-parse", "--verify", "--quiet", "--end-of-options", &format!("{revision}^{{commit}}")])
            .map_err(|_| format!("git knows no revision `{revision}`; in a workflow fetch it first: `fetch-depth: 0`"))?;
        let diff = ["diff", "--merge-base", "--unified=0", "--no-color", "--no-ext-diff", "--no-renames", revision.trim()];
        let mut changed = Self { lines: added_lines(&git(&root, &diff)?, &root) };
        let unknown = git(&root, &["ls-files", "--others", "--exclude-standard", "-z"])?;
        changed.lines.extend(unknown.split_terminator('\0').map(|name| (root.join(name), vec![1..=usize::MAX])));
        Ok(changed)
    }

    /// Whether a place lies in a changed line; that of a whole file does where anything in it changed.
    pub(super) fn touches(&self, place: &Place) -> bool {
        let Some(lines) = Path::new(place.source.name()).canonicalize().ok().and_then(|path| self.lines.get(&path)) else { return false };
        let (first, last) = place.positions();
        place.range.is_none() || lines.iter().any(|lines| *lines.start() <= last.line && first.line <= *lines.end())
    }
}

/// The lines that a diff without context adds, by file.
fn added_lines(diff: &str, root: &Path) -> BTreeMap<PathBuf, Vec<RangeInclusive<usize>>> {
    let mut lines: BTreeMap<PathBuf, Vec<_>> = BTreeMap::new();
    let mut file = None;
    for line in diff.lines() {
        if let Some(name) = line.strip_prefix("+++ ") {
            file = name.strip_prefix("b/").map(|name| root.join(name.trim_end_matches('\t')));
        } else if let (Some(file), Some(added)) = (&file, hunk(line)) {
            lines.entry(file.clone()).or_default().push(added);
        }
    }
    lines
}

/// The lines that a hunk adds: `@@ -3,2 +4,3 @@` adds 4 to 6.
fn hunk(line: &str) -> Option<RangeInclusive<usize>> {
    let (_, added) = line.strip_prefix("@@ -")?.split_once(" +")?;
    let (added, _) = added.split_once(" @@")?;
    let (first, count) = added.split_once(',').unwrap_or((added, "1"));
    let (first, count): (usize, usize) = (first.parse().ok()?, count.parse().ok()?);
    (count > 0).then(|| first..=first + count - 1)
}

fn git(directory: &Path, arguments: &[&str]) -> Result<String, String> {
    let output = Command::new("git").current_dir(directory).args(["-c", "core.quotePath=false"]).args(arguments).output();
    let output = output.map_err(|error| format!("git cannot be asked what changed: {error}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("git does not say what changed: {}", said.lines().next().unwrap_or("it failed")));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::definition::Source;

    fn repository() -> tempfile::TempDir {
        let directory = tempfile::tempdir().expect("a directory");
        let run = |arguments: &[&str]| git(directory.path(), arguments).expect("git works");
        run(&["init", "--quiet"]);
        fs::write(directory.path().join("old.yaml"), "a: 1\nb: 2\nc: 3\n").expect("written");
        run(&["add", "."]);
        run(&["-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "--quiet", "--message", "first"]);
        fs::write(directory.path().join("old.yaml"), "a: 1\nb: 22\nc: 3\nd: 4\n").expect("written");
        fs::write(directory.path().join("new.yaml"), "a: 1\n").expect("written");
        directory
    }

    #[test]
    fn lines_that_a_revision_does_not_have_and_files_that_git_does_not_know_are_changed() {
        let directory = repository();
        let changed = Changed::since("HEAD", directory.path()).expect("there is a revision");
        let touches = |name: &str, line: usize| {
            let path = directory.path().join(name);
            let text = fs::read_to_string(&path).expect("it is there");
            let start: usize = text.split_inclusive('\n').take(line - 1).map(str::len).sum();
            changed.touches(&Place::new(&Source::new(&path.display().to_string(), &text), start..start + 1))
        };
        assert_eq!([1, 2, 3, 4].map(|line| touches("old.yaml", line)), [false, true, false, true]);
        assert!(touches("new.yaml", 1));
    }

    #[test]
    fn a_revision_that_there_is_not_is_told_and_none_is_taken_for_an_option() {
        let directory = repository();
        for revision in ["nowhere", "--output=stolen", ""] {
            let error = Changed::since(revision, directory.path()).expect_err("there is none");
            assert!(error.contains(&format!("git knows no revision `{revision}`")), "{error}");
        }
        assert!(!directory.path().join("stolen").exists());
        let elsewhere = tempfile::tempdir().expect("a directory");
        let error = Changed::since("HEAD", elsewhere.path()).expect_err("there is no repository");
        assert!(error.starts_with("git does not say what changed: fatal: not a git repository"), "{error}");
    }
}
