//! The SLO documents of a git revision, read by the machine's own git: nothing is checked out.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
};

use anyhow::{Context as _, bail};

use crate::definition::discover;

/// The `*.yaml` and `*.yml` files below the paths as they were at a revision, each with the path that it has today.
///
/// # Errors
/// No git, no repository there, or no such revision.
pub(super) fn texts(revision: &str, paths: &[PathBuf]) -> anyhow::Result<Vec<(PathBuf, String)>> {
    if revision.starts_with('-') {
        bail!("`{revision}` is neither `running`, nor a path, nor a git revision");
    }
    let mut texts = Vec::new();
    for path in paths {
        let place = Place::of(path);
        let listed = place.git(&["ls-tree", "-r", "-z", revision, "--", &place.below], None);
        let listed = listed.with_context(|| {
            format!("`{revision}` is neither `running`, nor a path, nor a revision of the git repository of {}", path.display())
        })?;
        let files: Vec<(String, PathBuf)> = listed.split(|byte| *byte == 0).filter_map(|entry| file(entry, &place.directory)).collect();
        let objects: Vec<&str> = files.iter().map(|(object, _)| object.as_str()).collect();
        let objects = objects.join("\n") + "\n";
        let mut held = place.git(&["cat-file", "--batch"], Some(objects))?;
        for (_, path) in files {
            let text = next_object(&mut held).with_context(|| format!("{} of {revision}", path.display()))?;
            texts.push((path, text));
        }
    }
    Ok(texts)
}

/// Where git is asked, and about what.
struct Place {
    directory: PathBuf,
    below: String,
}

impl Place {
    fn of(path: &Path) -> Self {
        match (path.is_dir(), path.parent(), path.file_name()) {
            (false, Some(directory), Some(name)) => {
                let directory = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
                Self { directory: directory.to_owned(), below: name.to_string_lossy().into_owned() }
            }
            (_, _, _) => Self { directory: path.to_owned(), below: ".".to_owned() },
        }
    }

    fn git(&self, arguments: &[&str], input: Option<String>) -> anyhow::Result<Vec<u8>> {
        let mut command = Command::new("git");
        command.arg("-C").arg(&self.directory).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().context("git does not run here")?;
        let stdin = child.stdin.take();
        let writer = thread::spawn(move || {
            let (Some(mut stdin), Some(input)) = (stdin, input) else { return };
            drop(stdin.write_all(input.as_bytes())); // git that ends early says why on its own.
        });
        let output = child.wait_with_output()?;
        drop(writer.join());
        if !output.status.success() {
            bail!("git {}: {}", arguments.first().copied().unwrap_or_default(), String::from_utf8_lossy(&output.stderr).trim());
        }
        Ok(output.stdout)
    }
}

/// An entry of `ls-tree`, `mode type object<TAB>name`: the object of a regular YAML file that is not hidden.
fn file(entry: &[u8], directory: &Path) -> Option<(String, PathBuf)> {
    let entry = String::from_utf8_lossy(entry);
    let (about, name) = entry.split_once('\t')?;
    let mut about = about.split(' ');
    let regular = about.next()?.starts_with("100") && about.next()? == "blob";
    let path = Path::new(name);
    let wanted = regular && discover::is_definition(path);
    wanted.then(|| Some((about.next()?.to_owned(), if directory == Path::new(".") { path.to_owned() } else { directory.join(path) })))?
}

/// Takes the next object from the output of `cat-file --batch`: `object type size<LF>bytes<LF>`.
fn next_object(held: &mut Vec<u8>) -> anyhow::Result<String> {
    let end = held.iter().position(|byte| *byte == b'\n').context("git broke off")?;
    let head = String::from_utf8_lossy(&held[..end]).into_owned();
    let size: usize = head.rsplit(' ').next().and_then(|size| size.parse().ok()).with_context(|| format!("git says {head}"))?;
    let rest = held.split_off((end + 1).min(held.len()));
    let bytes = rest.get(..size).context("git broke off")?.to_vec();
    *held = rest.get(size + 1..).unwrap_or_default().to_vec();
    String::from_utf8(bytes).context("it is not UTF-8")
}
