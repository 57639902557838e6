//! Tells `burnward version` the commit of a release build. Other builds are not made anew with each commit.

use std::path::Path;

#[path = "build/commit.rs"]
mod commit;

/// What a release is made of beside the commit; a build script that names files is run again only for those.
const SOURCES: [&str; 5] = ["daemon/src", "daemon/core/src", "daemon/stand-ins/src", "templates", "Cargo.lock"];

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=build");
    let daemon = std::env::var("CARGO_MANIFEST_DIR").expect("cargo says where the package is");
    let root = Path::new(&daemon).parent().expect("the workspace lies above");
    let released = std::env::var("PROFILE").is_ok_and(|profile| profile == "release");
    let told = if released { of_release(root) } else { "commit not looked up: no release build".to_owned() };
    println!("cargo:rustc-env=BURNWARD_COMMIT={told}");
}

fn of_release(root: &Path) -> String {
    for source in SOURCES {
        println!("cargo:rerun-if-changed={}", root.join(source).display());
    }
    for moved in ["HEAD", "logs/HEAD"] {
        let path = commit::git(root, &["rev-parse", "--git-path", moved]).map(|path| root.join(path));
        if let Some(path) = path.filter(|path| path.exists()) {
            println!("cargo:rerun-if-changed={}", path.display());
        }
    }
    commit::told(root)
}
