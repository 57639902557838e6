//! Numbers of few bytes where they are small: little-endian base 128, signed ones folded (0, -1, 1, -2, ...).

use super::Damaged;

/// Writes numbers and texts.
#[derive(Debug, Default)]
pub(in crate::ledger) struct Writer(pub Vec<u8>);

impl Writer {
    pub(in crate::ledger) fn byte(&mut self, byte: u8) {
        self.0.push(byte);
    }

    pub(in crate::ledger) fn unsigned(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push(number.to_le_bytes()[0] | 0x80);
            number >>= 7;
        }
        self.0.push(number.to_le_bytes()[0]);
    }

    pub(in crate::ledger) fn len(&mut self, len: usize) {
        self.unsigned(len as u64);
    }

    pub(in crate::ledger) fn signed(&mut self, number: i64) {
        #[expect(clippy::cast_sign_loss, reason = "the bits are folded, not the number")]
        self.unsigned((number << 1) as u64 ^ (number >> 63) as u64);
    }

    pub(in crate::ledger) fn text(&mut self, text: &str) {
        self.blob(text.as_bytes());
    }

    pub(in crate::ledger) fn blob(&mut self, blob: &[u8]) {
        self.len(blob.len());
        self.0.extend_from_slice(blob);
    }

    pub(in crate::ledger) fn option<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        self.byte(u8::from(value.is_some()));
        if let Some(value) = value {
            write(self, value);
        }
    }

    pub(in crate::ledger) fn list<T>(&mut self, list: impl ExactSizeIterator<Item = T>, mut write: impl FnMut(&mut Self, T)) {
        self.len(list.len());
        for item in list {
            write(self, item);
        }
    }
}

/// Reads what a `Writer` wrote; every fault is `Damaged`.
#[derive(Debug)]
pub(in crate::ledger) struct Reader<'a> {
    rest: &'a [u8],
    what: &'static str,
}

impl<'a> Reader<'a> {
    /// Reads a blob of `what`, whose first byte must be this version.
    pub(in crate::ledger) fn new(blob: &'a [u8], what: &'static str, version: u8) -> Result<Self, Damaged> {
        let mut reader = Self { rest: blob, what };
        if reader.byte()? == version { Ok(reader) } else { Err(reader.damaged("it has a version that this release does not know")) }
    }

    /// Reads a blob of `what`, whose first byte is one of these versions: which.
    pub(in crate::ledger) fn of_versions(blob: &'a [u8], what: &'static str, versions: &[u8]) -> Result<(Self, u8), Damaged> {
        let version = blob.first().copied().filter(|version| versions.contains(version)).unwrap_or(versions[0]);
        Ok((Self::new(blob, what, version)?, version))
    }

    /// What the next so many bytes hold, by itself.
    pub(in crate::ledger) fn part(&mut self, len: usize) -> Result<Self, Damaged> {
        let (part, rest) = self.rest.split_at_checked(len).ok_or(self.damaged("it ends early"))?;
        self.rest = rest;
        Ok(Self { rest: part, what: self.what })
    }

    pub(in crate::ledger) const fn damaged(&self, why: &'static str) -> Damaged {
        Damaged { what: self.what, why }
    }

    pub(in crate::ledger) fn byte(&mut self) -> Result<u8, Damaged> {
        let (first, rest) = self.rest.split_first().ok_or(self.damaged("it ends early"))?;
        self.rest = rest;
        Ok(*first)
    }

    pub(in crate::ledger) fn unsigned(&mut self) -> Result<u64, Damaged> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7F);
            if shift == 63 && bits > 1 {
                break;
            }
            number |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(self.damaged("a number is too long"))
    }

    pub(in crate::ledger) fn signed(&mut self) -> Result<i64, Damaged> {
        let folded = self.unsigned()?;
        #[expect(clippy::cast_possible_wrap, reason = "the bits are unfolded, not the number")]
        Ok((folded >> 1) as i64 ^ -((folded & 1) as i64))
    }

    pub(in crate::ledger) fn index(&mut self) -> Result<u32, Damaged> {
        let number = self.unsigned()?;
        u32::try_from(number).map_err(|_| self.damaged("an index is too large"))
    }

    /// A count of things that take at least a byte each.
    pub(in crate::ledger) fn len(&mut self) -> Result<usize, Damaged> {
        let len = self.unsigned()?;
        usize::try_from(len).ok().filter(|len| *len <= self.rest.len()).ok_or(self.damaged("it counts more than it holds"))
    }

    pub(in crate::ledger) fn text(&mut self) -> Result<String, Damaged> {
        String::from_utf8(self.blob()?).map_err(|_| self.damaged("a text is not UTF-8"))
    }

    pub(in crate::ledger) fn blob(&mut self) -> Result<Vec<u8>, Damaged> {
        let len = self.len()?;
        let (blob, rest) = self.rest.split_at(len);
        self.rest = rest;
        Ok(blob.to_vec())
    }

    pub(in crate::ledger) fn bytes<const N: usize>(&mut self) -> Result<[u8; N], Damaged> {
        let (bytes, rest) = self.rest.split_first_chunk::<N>().ok_or(self.damaged("it ends early"))?;
        self.rest = rest;
        Ok(*bytes)
    }

    pub(in crate::ledger) fn option<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, Damaged>) -> Result<Option<T>, Damaged> {
        match self.byte()? {
            0 => Ok(None),
            1 => read(self).map(Some),
            _ => Err(self.damaged("an option is neither there nor absent")),
        }
    }

    pub(in crate::ledger) fn list<T>(&mut self, mut read: impl FnMut(&mut Self) -> Result<T, Damaged>) -> Result<Vec<T>, Damaged> {
        let len = self.len()?;
        (0..len).map(|_| read(self)).collect()
    }

    /// True where nothing follows.
    pub(in crate::ledger) const fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    /// Nothing may follow.
    pub(in crate::ledger) fn end(self) -> Result<(), Damaged> {
        if self.rest.is_empty() { Ok(()) } else { Err(self.damaged("something follows its end")) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn numbers_come_back(unsigned: u64, signed: i64, text in ".{0,20}") {
            let mut writer = Writer::default();
            writer.byte(1);
            writer.unsigned(unsigned);
            writer.signed(signed);
            writer.text(&text);
            let mut reader = Reader::new(&writer.0, "test", 1).expect("the version");
            prop_assert_eq!(reader.unsigned(), Ok(unsigned));
            prop_assert_eq!(reader.signed(), Ok(signed));
            prop_assert_eq!(reader.text(), Ok(text));
            prop_assert_eq!(reader.end(), Ok(()));
        }
    }

    #[test]
    fn a_number_without_end_is_damaged() {
        let blob = [1, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F];
        assert!(Reader::new(&blob, "test", 1).expect("the version").unsigned().is_err());
    }
}
