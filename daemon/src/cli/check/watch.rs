//! `burnward check --watch`: checks again whenever what was checked is saved.

use std::{path::PathBuf, pin::pin, process::ExitCode, time::Duration};

use burnward_core::words;

use super::{CheckArgs, print};
use crate::{
    config::{self, Config},
    definition::{
        discover,
        looks::{self, Looks},
    },
};

/// How often is looked. What was saved is checked once it has stayed the same for as long: an editor may write a file in several steps.
const PACE: Duration = Duration::from_millis(300);
/// So many changed files are named.
const NAMED: usize = 3;

/// Checks, and checks again, until it is interrupted; the exit code is that of the last check.
pub(super) async fn until_interrupted(args: &CheckArgs) -> anyhow::Result<ExitCode> {
    let mut interrupted = pin!(tokio::signal::ctrl_c());
    loop {
        let before = looks_of(args);
        let outcome = super::once(args).await?;
        print::talk(format_args!("watching {}; Ctrl-C ends", words::plural(before.count(), "file")));
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
        let now = looks_of(args);
        if now != *before && now == last {
            return now.differences(before);
        }
        last = now;
    }
}

/// How everything that is checked lies on disk.
fn looks_of(args: &CheckArgs) -> Looks {
    let named = args.config_file.as_deref();
    let config = config::read(named).unwrap_or_default();
    let documents = if args.paths.is_empty() { definitions(&config) } else { args.paths.clone() };
    let files = discover::discover(&documents).files.into_iter();
    Looks::of(files.chain(config::discover(named)).chain(looks::runbooks(&config)))
}

fn definitions(config: &Config) -> Vec<PathBuf> {
    config.tenants.values().flat_map(|tenant| tenant.slo_definitions.clone()).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

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
        let before = looks_of(&line.check);
        assert_eq!(before, looks_of(&line.check));
        write("d.txt", "y: 2, and longer\n");
        assert_eq!(before, looks_of(&line.check), "it is no document");
        write("a.yaml", "x: 10\n");
        fs::remove_file(directory.path().join("b.yaml")).expect("removed");
        write("beside", "x: 2\n");
        fs::rename(directory.path().join("beside"), directory.path().join("c.yaml")).expect("renamed");
        write("e.yaml", "x: 1\n");
        let names: Vec<String> = looks_of(&line.check).differences(&before);
        let names: Vec<&str> = names.iter().filter_map(|name| name.rsplit('/').next()).collect();
        assert_eq!(names, ["a.yaml", "c.yaml", "e.yaml", "b.yaml"]);
    }
}
