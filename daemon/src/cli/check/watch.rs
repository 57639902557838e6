//! `burnward check --watch`: checks again whenever what was checked is saved. The files are looked at again and again: a message of the system that
//! one changed does not come from network and container file systems, nor for the target of a link that is swapped.

use std::{
    collections::BTreeMap,
    fs::{self, Metadata},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    pin::pin,
    process::ExitCode,
    time::Duration,
};

use burnward_core::words;

use super::{CheckArgs, print};
use crate::{
    config::{self, Config},
    definition::discover,
};

/// How often is looked. What was saved is checked once it has stayed the same for as long: an editor may write a file in several steps.
const PACE: Duration = Duration::from_millis(300);
/// So many changed files are named.
const NAMED: usize = 3;

/// Checks, and checks again, until it is interrupted; the exit code is that of the last check.
pub(super) async fn until_interrupted(args: &CheckArgs) -> anyhow::Result<ExitCode> {
    let mut interrupted = pin!(tokio::signal::ctrl_c());
    loop {
        let before = Looks::of(args);
        let outcome = super::once(args).await?;
        print::talk(format_args!("watching {}; Ctrl-C ends", words::plural(before.files.len(), "file")));
        tokio::select! {
            changed = next_change(args, &before) => print::talk(format_args!("\n{} changed", words::list(&changed, NAMED))),
            said = &mut interrupted => {
                said?;
                return Ok(outcome);
            }
        }
    }
}

/// Waits until files look otherwise, and have stopped changing; names them.
async fn next_change(args: &CheckArgs, before: &Looks) -> Vec<String> {
    let mut last = before.clone();
    loop {
        tokio::time::sleep(PACE).await;
        let now = Looks::of(args);
        if now != *before && now == last {
            return now.differences(before);
        }
        last = now;
    }
}

/// What changes when somebody saves a file: its size, the time of its last change in nanoseconds, and which file it is.
type Look = (u64, i128, u64);

/// How everything that is checked lies on disk.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Looks {
    files: BTreeMap<PathBuf, Look>,
}

impl Looks {
    fn of(args: &CheckArgs) -> Self {
        let named = args.config_file.as_deref();
        let config = config::read(named).unwrap_or_default();
        let documents = if args.paths.is_empty() { definitions(&config) } else { args.paths.clone() };
        let runbooks = config.tenants.values().filter_map(|tenant| tenant.runbooks.as_ref()).flat_map(|directory| entries(directory));
        let files = discover::discover(&documents).files.into_iter().chain(config::discover(named)).chain(runbooks);
        Self { files: files.filter_map(|file| file.metadata().ok().map(|about| (file, look(&about)))).collect() }
    }

    /// The files that look otherwise, are new, or are gone.
    fn differences(&self, before: &Self) -> Vec<String> {
        let changed = self.files.iter().filter(|(file, look)| before.files.get(*file) != Some(look)).map(|(file, _)| file);
        let gone = before.files.keys().filter(|file| !self.files.contains_key(*file));
        changed.chain(gone).map(|file| file.display().to_string()).collect()
    }
}

fn definitions(config: &Config) -> Vec<PathBuf> {
    config.tenants.values().flat_map(|tenant| tenant.slo_definitions.clone()).collect()
}

fn entries(directory: &Path) -> Vec<PathBuf> {
    fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}

fn look(about: &Metadata) -> Look {
    (about.len(), i128::from(about.mtime()) * 1_000_000_000 + i128::from(about.mtime_nsec()), about.ino())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        check: CheckArgs,
    }

    #[test]
    fn what_is_saved_new_replaced_or_gone_is_seen_and_nothing_else() {
        let directory = tempfile::tempdir().expect("a directory");
        let write = |name: &str, text: &str| fs::write(directory.path().join(name), text).expect("written");
        for name in ["a.yaml", "b.yaml", "c.yaml", "d.txt"] {
            write(name, "x: 1\n");
        }
        let line = Line::parse_from(["check", directory.path().to_str().expect("UTF-8")]);
        let before = Looks::of(&line.check);
        assert_eq!(before, Looks::of(&line.check));
        write("d.txt", "y: 2, and longer\n");
        assert_eq!(before, Looks::of(&line.check), "it is no document");
        write("a.yaml", "x: 10\n");
        fs::remove_file(directory.path().join("b.yaml")).expect("removed");
        write("beside", "x: 2\n");
        fs::rename(directory.path().join("beside"), directory.path().join("c.yaml")).expect("renamed");
        write("e.yaml", "x: 1\n");
        let names: Vec<String> = Looks::of(&line.check).differences(&before);
        let names: Vec<&str> = names.iter().filter_map(|name| name.rsplit('/').next()).collect();
        assert_eq!(names, ["a.yaml", "c.yaml", "e.yaml", "b.yaml"]);
    }
}
