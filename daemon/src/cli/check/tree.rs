//! Files as code hosts name them: seen from the root of the git working tree, without `.` and `..`. They attach what is named otherwise to no file.

use std::{
    env,
    path::{Component, Path, PathBuf},
};

/// Where files are named from.
#[derive(Debug)]
pub(super) struct Tree {
    /// What relative paths are seen from.
    here: PathBuf,
    /// The root of the working tree; where there is none, the same.
    root: PathBuf,
}

impl Tree {
    /// The one of the current directory.
    pub(super) fn here() -> Self {
        Self::of(env::current_dir().unwrap_or_default())
    }

    fn of(here: PathBuf) -> Self {
        // In a further working tree of a repository, and in a submodule, `.git` is a file.
        let root = here.ancestors().find(|directory| directory.join(".git").exists()).unwrap_or(&here).to_owned();
        Self { here, root }
    }

    /// A file that diagnostics call so; what lies outside keeps its name.
    pub(super) fn path(&self, name: &str) -> String {
        let whole = plain(&self.here.join(name));
        let inside = whole.strip_prefix(&self.root).ok().filter(|path| !path.as_os_str().is_empty());
        inside.map_or_else(|| name.to_owned(), |path| path.display().to_string())
    }
}

/// A path without `.` and `..`.
fn plain(path: &Path) -> PathBuf {
    path.components().fold(PathBuf::new(), |mut plain, component| {
        match component {
            Component::CurDir => {}
            Component::ParentDir => drop(plain.pop()),
            Component::Prefix(_) | Component::RootDir | Component::Normal(_) => plain.push(component),
        }
        plain
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_named_from_the_root_of_the_working_tree() {
        let directory = tempfile::tempdir().expect("a directory");
        let (root, below) = (directory.path().join("repository"), directory.path().join("repository/team/docs"));
        std::fs::create_dir_all(&below).expect("made");
        let check = |here: &Path, rows: &[(&str, &str)]| {
            let tree = Tree::of(here.to_owned());
            for (name, expected) in rows {
                assert_eq!(tree.path(name), *expected, "{}: {name}", here.display());
            }
        };
        // Outside of any they are seen from where they are.
        check(&below, &[("./a.yaml", "a.yaml"), ("b/../c.yaml", "c.yaml"), ("../x.yaml", "../x.yaml"), (".", ".")]);
        std::fs::write(root.join(".git"), "gitdir: elsewhere").expect("written");
        let whole = root.join("z.yaml").display().to_string();
        check(&below, &[("./a.yaml", "team/docs/a.yaml"), ("../x.yaml", "team/x.yaml"), ("../../y.yaml", "y.yaml"), (&whole, "z.yaml")]);
        check(&root, &[("docs/../slos/a.yaml", "slos/a.yaml"), ("../b.yaml", "../b.yaml"), ("/etc/c.yaml", "/etc/c.yaml")]);
    }
}
