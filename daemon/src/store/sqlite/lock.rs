//! The lock file: one daemon per store. The lock is the operating system's and ends with the process; the text in it is for people.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{self, Read, Seek, Write},
    path::Path,
};

use super::super::StoreError;

/// The held lock; dropping it gives it back.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock of the store in `dir`, or says who holds it.
    pub(super) fn take(dir: &Path) -> Result<Self, StoreError> {
        let path = dir.join("burnward.lock");
        let cannot = |error: io::Error| StoreError::Open { path: path.display().to_string(), reason: cannot_write(&error) };
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).map_err(cannot)?;
        match file.try_lock() {
            Ok(()) => sign(&mut file).map_err(cannot).map(|()| Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(StoreError::InUse { path: dir.display().to_string(), holder: holder(&mut file) }),
            Err(TryLockError::Error(error)) => Err(cannot(error)),
        }
    }
}

/// What an operator can do about a directory that cannot be written.
pub(super) fn cannot_write(error: &io::Error) -> String {
    format!("{error}; the directory must exist or be creatable, and be writable for the user that runs burnward (see --storage.path)")
}

/// Writes who holds it.
fn sign(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "process {} on {}", std::process::id(), host())?;
    file.flush()
}

fn holder(file: &mut File) -> String {
    let mut text = String::new();
    match file.take(300).read_to_string(&mut text) {
        Ok(read) if read > 0 => text.trim().to_owned(),
        Ok(_) | Err(_) => "which has not said its name".to_owned(),
    }
}

fn host() -> String {
    let kernel = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let name = kernel.or_else(|| std::env::var("HOSTNAME").ok()).unwrap_or_default();
    if name.trim().is_empty() { "this host".to_owned() } else { name.trim().to_owned() }
}
