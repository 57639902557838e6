//! `burnward fmt`: lays documents out in one way. Exit code 0 fine, 1 files that are (or, with `--check`, would be) not as they should be, 2 could not.

use std::{
    collections::BTreeSet,
    fs,
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use burnward_core::words;

use super::print;
use crate::{
    definition::{Colour, Diagnostic, Source, discover, document::VERSION, format},
    import,
};

/// What to lay out.
#[derive(Debug, clap::Args)]
pub(super) struct FmtArgs {
    /// Files and directories; `-` reads one document from standard input and writes it to standard output.
    #[arg(default_value = "slo-definitions")]
    paths: Vec<PathBuf>,

    /// Change nothing; name the files that are laid out otherwise, and exit with 1 where there are any.
    #[arg(long)]
    check: bool,

    /// Write documents of an older `version:` in the newest one. There is one so far, burnward/v1: a document of another is named, and left alone.
    #[arg(long)]
    upgrade: bool,
}

/// The name under which editors and `fmt` look for the schema.
pub(super) const SCHEMA_FILE: &str = "slo.schema.json";

/// What became of the files.
#[derive(Debug, Default)]
struct Done {
    changed: Vec<PathBuf>,
    refused: Vec<Diagnostic>,
    /// Files that could not be written.
    failed: bool,
    /// There are documents that name no schema, and none lies above them.
    without_schema: bool,
}

/// Runs the command.
pub(super) fn run(args: &FmtArgs) -> anyhow::Result<ExitCode> {
    if args.paths.iter().any(|path| path == Path::new("-")) {
        return from_standard_input(args.upgrade);
    }
    if let Some(missing) = args.paths.iter().find(|path| !path.exists()) {
        print::talk(format_args!("burnward: there is no {}", missing.display()));
        return Ok(ExitCode::from(super::EXIT_CANNOT));
    }
    let found = discover::discover(&args.paths);
    let mut done = Done { refused: found.faults.into_iter().map(|(_, fault)| fault).collect(), ..Done::default() };
    for file in found.files.iter().chain(&found.tests) {
        done.lay_out(file, args);
    }
    for file in &done.changed {
        print::line(file.display())?;
    }
    show(&done.refused);
    let word = if args.check { "would be laid out anew" } else { "laid out anew" };
    let files = words::plural(found.files.len() + found.tests.len(), "file");
    let left = match done.left() {
        0 => String::new(),
        1 => "; 1 file left as it is".to_owned(),
        many => format!("; {many} files left as they are"),
    };
    print::talk(format_args!("{} of {files} {word}{left}", done.changed.len()));
    if done.without_schema && !args.check {
        print::talk(format_args!("note: no {SCHEMA_FILE} lies above: `burnward schema > {SCHEMA_FILE}` makes one, by which editors help"));
    }
    if args.upgrade {
        print::talk(format_args!("{VERSION} is the newest version of the format, and the first: there is none to upgrade from"));
    }
    Ok(done.exit_code(args.check))
}

impl Done {
    fn lay_out(&mut self, file: &Path, args: &FmtArgs) {
        let schema = schema_for(file);
        let laid_out = laid_out(file, schema.as_deref(), args.upgrade);
        self.without_schema |= schema.is_none() && laid_out.as_ref().is_ok_and(|laid_out| laid_out.names_no_schema);
        match laid_out.map(|laid_out| laid_out.new) {
            Ok(None) => {}
            Ok(Some(text)) => match if args.check { Ok(()) } else { replace(file, &text) } {
                Ok(()) => self.changed.push(file.to_owned()),
                Err(error) => {
                    self.refused.push(discover::unreadable(file, format!("cannot be written: {error}")));
                    self.failed = true;
                }
            },
            Err(faults) => self.refused.extend(faults),
        }
    }

    /// How many files could not be laid out.
    fn left(&self) -> usize {
        self.refused.iter().map(|fault| fault.place.source.name()).collect::<BTreeSet<_>>().len()
    }

    fn exit_code(&self, check: bool) -> ExitCode {
        match self {
            Self { failed: true, .. } => ExitCode::from(super::EXIT_CANNOT),
            Self { changed, refused, .. } => ExitCode::from(u8::from(!refused.is_empty() || (check && !changed.is_empty()))),
        }
    }
}

fn show(faults: &[Diagnostic]) {
    for fault in faults {
        print::talk(format_args!("{}\n", fault.render(Colour::Never)));
    }
}

/// A file that was laid out.
#[derive(Debug, Default)]
struct LaidOut {
    /// Its text, where that is another now.
    new: Option<String>,
    /// It is a document in which no line names its schema.
    names_no_schema: bool,
}

/// The text of a file as it should be, where it is not. A file of another tool is that tool's to lay out.
fn laid_out(file: &Path, schema: Option<&str>, upgrade: bool) -> Result<LaidOut, Vec<Diagnostic>> {
    let text = discover::read(file).map_err(|fault| vec![*fault])?;
    let source = discover::source(&file.display().to_string(), &text);
    if import::is_foreign_text(&source) {
        return Ok(LaidOut::default());
    }
    let formatted = lay_out(&source, schema, upgrade)?;
    Ok(LaidOut { new: (formatted != text).then_some(formatted), names_no_schema: format::names_no_schema(&source) })
}

fn lay_out(source: &Arc<Source>, schema: Option<&str>, upgrade: bool) -> Result<String, Vec<Diagnostic>> {
    if upgrade {
        format::known_version(source)?;
    }
    format::format(source, schema)
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
    schema_from(file.canonicalize().ok()?.parent()?)
}

/// The same as seen from what lies in a directory.
pub(super) fn schema_from(directory: &Path) -> Option<String> {
    let directory = directory.canonicalize().ok()?;
    let (up, _) = directory.ancestors().enumerate().find(|(_, directory)| directory.join(SCHEMA_FILE).is_file())?;
    Some(if up == 0 { format!("./{SCHEMA_FILE}") } else { "../".repeat(up) + SCHEMA_FILE })
}

fn from_standard_input(upgrade: bool) -> anyhow::Result<ExitCode> {
    let mut text = String::new();
    io::stdin().take(1 << 21).read_to_string(&mut text)?;
    match lay_out(&discover::source("-", &text), None, upgrade) {
        Ok(formatted) => {
            print::text(formatted)?;
            Ok(ExitCode::SUCCESS)
        }
        Err(faults) => {
            show(&faults);
            Ok(ExitCode::FAILURE)
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
        let done = |check| {
            let mut done = Done::default();
            done.lay_out(&link, &FmtArgs { paths: Vec::new(), check, upgrade: false });
            (done.changed.len(), done.exit_code(check))
        };
        assert_eq!(done(true), (1, ExitCode::FAILURE));
        assert_eq!(fs::read_to_string(&file).expect("there"), UNTIDY, "it was only checked");
        assert_eq!(done(false), (1, ExitCode::SUCCESS));
        assert_eq!(fs::read_to_string(&file).expect("there"), "# yaml-language-server: $schema=./slo.schema.json\nslos: []\n");
        assert!(link.is_symlink());
        assert_eq!(fs::metadata(&file).expect("there").permissions().mode() & 0o777, 0o640);
        assert_eq!(done(false), (0, ExitCode::SUCCESS));
        assert_eq!(done(true), (0, ExitCode::SUCCESS));
        assert_eq!(fs::read_dir(directory.path()).expect("there").count(), 3, "nothing is left behind");
    }

    #[test]
    fn documents_and_tests_that_find_no_schema_are_told_of() {
        let directory = tempfile::tempdir().expect("a directory");
        let lay_out = |name: &str, text: &str| {
            let file = directory.path().join(name);
            fs::write(&file, text).expect("written");
            let mut done = Done::default();
            done.lay_out(&file, &FmtArgs { paths: Vec::new(), check: false, upgrade: false });
            (
                done.without_schema,
                fs::read_to_string(&file).expect("there").starts_with("# yaml-language-server: $schema=./slo.schema.json\n"),
            )
        };
        for (text, document) in [
            ("slos: []\n", true),
            ("tests: []\n", true),
            ("sources: {}\n", false),
            ("# yaml-language-server: $schema=x\nslos: []\n", false),
        ] {
            assert_eq!(lay_out("a.slotest.yaml", text), (document, false), "{text}");
        }
        fs::write(directory.path().join(SCHEMA_FILE), "{}").expect("written");
        assert_eq!(lay_out("a.slotest.yaml", "tests: []\n"), (false, true));
    }

    #[test]
    fn a_file_that_cannot_be_laid_out_is_a_finding_and_one_that_cannot_be_written_is_not_done() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("a.yaml");
        let exit = |text: &str, args: &FmtArgs| {
            fs::write(&file, text).expect("written");
            let mut done = Done::default();
            done.lay_out(&file, args);
            (done.refused.iter().map(|fault| fault.code.id).collect::<Vec<_>>(), done.exit_code(args.check))
        };
        let args = |upgrade| FmtArgs { paths: Vec::new(), check: false, upgrade };
        assert_eq!(exit("a: [", &args(false)), (vec!["E1001"], ExitCode::FAILURE));
        assert_eq!(exit("a: [", &FmtArgs { check: true, ..args(false) }), (vec!["E1001"], ExitCode::FAILURE));
        assert_eq!(
            exit("version: burnward/v2\nslos: []\n", &args(false)),
            (vec![], ExitCode::SUCCESS),
            "which version it is matters to --upgrade alone"
        );
        assert_eq!(exit("version: burnward/v2\nslos: []\n", &args(true)), (vec!["E1012"], ExitCode::FAILURE));
        assert_eq!(exit("version: burnward/v1\nslos: []\n", &args(true)), (vec![], ExitCode::SUCCESS));
    }
}
