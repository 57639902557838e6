//! Which commit a build is of. Nothing of the machine or of the time of building goes in, so that two builds of a commit are alike.

use std::{path::Path, process::Command};

/// How much of a commit's name is told: what git would shorten it to depends on the clone.
const SHOWN: usize = 12;

/// `commit 1a2b3c4d5e6f of 2026-11-27`, by the checkout whose root this is; what is not committed is said. Where there is none, as in a tarball, that.
pub(crate) fn told(root: &Path) -> String {
    checkout(root).unwrap_or_else(|| "commit not known: built outside of a git checkout".to_owned())
}

fn checkout(root: &Path) -> Option<String> {
    // Sources that were unpacked within another repository are not of its commit.
    let top = git(root, &["rev-parse", "--show-toplevel"])?;
    if Path::new(&top).canonicalize().ok()? != root.canonicalize().ok()? {
        return None;
    }
    let shown = git(root, &["show", "--no-patch", "--date=short-local", "--format=%H %cd", "HEAD"])?;
    let (commit, date) = shown.split_once(' ')?;
    let changes = git(root, &["status", "--porcelain", "--untracked-files=no"])?;
    let changed = if changes.is_empty() { "" } else { ", with changes that are not committed" };
    Some(format!("commit {} of {date}{changed}", commit.get(..SHOWN)?))
}

/// What git answers; `None` where it is missing or refuses.
pub(crate) fn git(root: &Path, asked: &[&str]) -> Option<String> {
    let mut git = Command::new("git");
    git.arg("--no-optional-locks").arg("-C").arg(root).args(asked).env("TZ", "UTC");
    // Within a hook of git these name the repository of the hook.
    for of_a_hook in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"] {
        git.env_remove(of_a_hook);
    }
    let answer = git.output().ok()?;
    let text = String::from_utf8(answer.stdout).ok()?;
    answer.status.success().then(|| text.trim_end().to_owned())
}
