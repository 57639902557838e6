//! `burnward fmt`: lays documents out in one way. Exit code 0 fine, 1 files that are (or, with `--check`, would be) not as they should be, 2 could not.

use std::{
    fs,
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
    process::ExitCode,
};

use crate::definition::{Colour, Diagnostic, Source, discover, format};

/// What to lay out.
#[derive(Debug, clap::Args)]
pub(super) struct FmtArgs {
    /// Files and directories; `-` reads one document from standard input and writes it to standard output.
    #[arg(default_value = "slo-definitions")]
    paths: Vec<PathBuf>,

    /// Change nothing; name the files that are laid out otherwise, and exit with 1 where there are any.
    #[arg(long)]
    check: bool,
}

/// The name under which editors and `fmt` look for the schema.
const SCHEMA_FILE: &str = "slo.schema.json";

/// Runs the command.
pub(super) fn run(args: &FmtArgs) -> ExitCode {
    if args.paths.iter().any(|path| path == Path::new("-")) {
        return from_standard_input();
    }
    if let Some(missing) = args.paths.iter().find(|path| !path.exists()) {
        eprintln!("burnward: there is no {}", missing.display());
        return ExitCode::from(super::EXIT_CANNOT);
    }
    let found = discover::discover(&args.paths);
    let mut refused: Vec<Diagnostic> = found.faults.into_iter().map(|(_, fault)| fault).collect();
    let mut changed = 0;
    for file in &found.files {
        match lay_out(file, args.check) {
            Ok(false) => {}
            Ok(true) => {
                changed += 1;
                println!("{}", file.display());
            }
            Err(faults) => refused.extend(faults),
        }
    }
    for fault in &refused {
        eprintln!("{}\n", fault.render(Colour::Never));
    }
    let done = if args.check { "would be laid out anew" } else { "laid out anew" };
    eprintln!("{changed} of {} files {done}{}", found.files.len(), if refused.is_empty() { "" } else { "; some could not be" });
    ExitCode::from(u8::from(!refused.is_empty() || (args.check && changed > 0)))
}

/// Whether a file was not as it should be; it is written unless it is only checked.
fn lay_out(file: &Path, check: bool) -> Result<bool, Vec<Diagnostic>> {
    let text = discover::read(file).map_err(|fault| vec![*fault])?;
    let formatted = format::format(&Source::new(&file.display().to_string(), &text), schema_for(file).as_deref())?;
    if formatted == text {
        return Ok(false);
    }
    if !check {
        replace(file, &formatted).map_err(|error| vec![discover::unreadable(file, format!("cannot be written: {error}"))])?;
    }
    Ok(true)
}

/// Writes beside the file and renames, so that no reader sees half of it; a link stays one, and who may read it stays the same.
fn replace(file: &Path, text: &str) -> io::Result<()> {
    let target = file.canonicalize()?;
    let mut beside = tempfile::Builder::new().prefix(".burnward-fmt-").tempfile_in(target.parent().unwrap_or(Path::new(".")))?;
    beside.write_all(text.as_bytes())?;
    beside.as_file().set_permissions(fs::metadata(&target)?.permissions())?;
    beside.as_file().sync_all()?;
    beside.persist(&target)?;
    Ok(())
}

/// Where the schema lies as seen from a file: in its directory or the nearest one above it that has one.
fn schema_for(file: &Path) -> Option<String> {
    let path = file.canonicalize().ok()?;
    let (up, _) = path.ancestors().skip(1).enumerate().find(|(_, directory)| directory.join(SCHEMA_FILE).is_file())?;
    Some(if up == 0 { format!("./{SCHEMA_FILE}") } else { "../".repeat(up) + SCHEMA_FILE })
}

fn from_standard_input() -> ExitCode {
    let mut text = String::new();
    if let Err(error) = io::stdin().take(1 << 21).read_to_string(&mut text) {
        eprintln!("burnward: standard input cannot be read: {error}");
        return ExitCode::from(super::EXIT_CANNOT);
    }
    match format::format(&Source::new("-", &text), None) {
        Ok(formatted) => {
            print!("{formatted}");
            ExitCode::SUCCESS
        }
        Err(faults) => {
            faults.iter().for_each(|fault| eprintln!("{}\n", fault.render(Colour::Never)));
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    const UNTIDY: &str = "slos:   [ ]\n";

    #[test]
    fn a_file_is_replaced_whole_with_its_permissions_and_through_a_link() {
        let directory = tempfile::tempdir().expect("a directory");
        let (file, link) = (directory.path().join("real.yaml"), directory.path().join("slos/link.yaml"));
        fs::create_dir(directory.path().join("slos")).expect("a directory");
        fs::write(directory.path().join(SCHEMA_FILE), "{}").expect("written");
        fs::write(&file, UNTIDY).expect("written");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).expect("set");
        symlink(&file, &link).expect("linked");
        assert_eq!(lay_out(&link, true), Ok(true));
        assert_eq!(fs::read_to_string(&file).expect("there"), UNTIDY, "it was only checked");
        assert_eq!(lay_out(&link, false), Ok(true));
        assert_eq!(fs::read_to_string(&file).expect("there"), "# yaml-language-server: $schema=./slo.schema.json\nslos: []\n");
        assert!(link.is_symlink());
        assert_eq!(fs::metadata(&file).expect("there").permissions().mode() & 0o777, 0o640);
        assert_eq!(lay_out(&link, false), Ok(false));
        assert_eq!(fs::read_dir(directory.path()).expect("there").count(), 3, "nothing is left behind");
    }
}
