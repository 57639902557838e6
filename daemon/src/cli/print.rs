//! What a command writes: data to stdout, talk to stderr. The reader may go away at any time (`| head`, `| grep -q`): the rest is then not written, and
//! the command goes on to its own exit code. Any other failure to write data is an error: the disk behind it may be full. Talk often names an argument, and
//! an argument may hold a password: what is said is said without.

use std::{
    fmt,
    io::{self, Write as _},
};

use crate::config::secrets::redacted;

/// Writes data as it is.
pub(super) fn text(data: impl fmt::Display) -> io::Result<()> {
    unless_closed(write!(io::stdout(), "{data}").and_then(|()| io::stdout().flush()))
}

/// Writes a line of data.
pub(super) fn line(data: impl fmt::Display) -> io::Result<()> {
    text(format_args!("{data}\n"))
}

/// Says a line to a person, without the passwords and tokens that stand in it; nobody may be listening.
pub(super) fn talk(words: impl fmt::Display) {
    drop(writeln!(io::stderr(), "{}", redacted(&words.to_string())));
}

/// A reader that went away has all that it wanted.
fn unless_closed(written: io::Result<()>) -> io::Result<()> {
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(io::Error::new(error.kind(), format!("cannot write to stdout: {error}"))),
        Ok(()) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_closed_reader_is_no_error() {
        assert!(unless_closed(Err(io::ErrorKind::BrokenPipe.into())).is_ok());
        assert!(unless_closed(Err(io::ErrorKind::StorageFull.into())).is_err());
    }
}
