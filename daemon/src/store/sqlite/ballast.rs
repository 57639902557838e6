//! The ballast: a file that only takes up space beside the store. On a full disk not even a DELETE can be committed. When that happens the
//! file is given up, so that what is decided is still committed and sent while somebody frees space; it comes back when there is room.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

/// Its size, in bytes: some hundred thousand pages that are owed, or hours of rounds.
const BYTES: u64 = 16 << 20;

/// The ballast of one store.
#[derive(Debug, Clone)]
pub(super) struct Ballast {
    path: PathBuf,
}

impl Ballast {
    /// The ballast of the store in `dir`, whether it is there or not.
    pub(super) fn of(dir: &Path) -> Self {
        Self { path: dir.join("burnward.ballast") }
    }

    /// True where it is there in its whole size.
    pub(super) fn is_there(&self) -> bool {
        fs::metadata(&self.path).is_ok_and(|found| found.len() >= BYTES)
    }

    /// Puts it there, unless it is or the disk has no room for it. Blocks for some milliseconds.
    pub(super) fn put(&self) -> io::Result<()> {
        if self.is_there() {
            return Ok(());
        }
        self.fill().inspect_err(|_| self.give_up())
    }

    /// Frees its space.
    pub(super) fn give_up(&self) {
        match fs::remove_file(&self.path) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => tracing::error!(path = %self.path.display(), %error, "the ballast cannot be removed"),
        }
    }

    /// Writes real bytes that do not compress, because a file that is only long takes up no space.
    fn fill(&self) -> io::Result<()> {
        let mut file = File::create(&self.path)?;
        let mut state = 0x9E37_79B9_7F4A_7C15_u64;
        let mut block = vec![0; 1 << 16];
        for _ in 0..BYTES / block.len() as u64 {
            for word in block.chunks_exact_mut(8) {
                // Xorshift: enough to be incompressible, and needs no source of randomness.
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                word.copy_from_slice(&state.to_le_bytes());
            }
            file.write_all(&block)?;
        }
        file.flush()
    }
}
