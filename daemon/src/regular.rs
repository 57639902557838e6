//! Files that people name, opened only where they are files: a pipe into which nobody writes never answers, and a device never ends.

use std::{fs::File, io, path::Path};

/// Opens a regular file, or a link to one.
///
/// # Errors
/// It cannot be opened, or is a directory, a pipe or a device.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    // Asked before: opening a pipe waits for somebody who writes into it.
    if !path.metadata()?.is_file() {
        return Err(io::Error::other("not a regular file"));
    }
    File::open(path)
}
