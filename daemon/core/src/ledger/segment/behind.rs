//! The packed memory of the second reading: the log of what was booked before where it was sampled, and the seal that a second reading begins at.

use super::{
    Damaged,
    varint::{Reader, Writer},
};
use crate::{
    ledger::{
        Counts,
        slice::{Entry, Span},
    },
    time::Timestamp,
};

const VERSION: u8 = 1;

/// What was booked before where it was sampled, of the stretch that is read again.
#[derive(Debug, Clone, PartialEq, Default)]
pub(in crate::ledger) struct Log {
    /// Events of gaps.
    pub displaced: Vec<Displaced>,
    /// Unseen stretches.
    pub hidden: Vec<Hidden>,
}

/// Events that were booked before the slice of their sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::ledger) struct Displaced {
    /// When they were sampled.
    pub at: Timestamp,
    /// Where they were booked.
    pub entry: Entry,
}

/// An unseen stretch, which is booked when the sample that ends it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::ledger) struct Hidden {
    /// When that was sampled.
    pub at: Timestamp,
    /// The stretch.
    pub span: Span,
}

/// Where a second reading begins: behind it nothing is read again.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::ledger) struct Seal {
    /// The watermark that most SLOs had.
    pub settled: Timestamp,
    /// The packed state there, with every counter.
    pub state: Vec<u8>,
}

impl Log {
    pub(in crate::ledger) fn pack(&self) -> Vec<u8> {
        let mut out = Writer::default();
        out.byte(VERSION);
        out.list(self.displaced.iter(), |out, Displaced { at, entry }| {
            out.signed(at.millis());
            out.unsigned(u64::from(entry.stream));
            out.signed(entry.end.millis());
            for number in [entry.counts.good, entry.counts.tolerated, entry.counts.bad, entry.counts.unseen_millis] {
                out.signed(number);
            }
        });
        out.list(self.hidden.iter(), |out, Hidden { at, span }| {
            out.signed(at.millis());
            out.unsigned(u64::from(span.stream));
            out.signed(span.from.millis());
            out.signed(span.to.millis());
        });
        out.0
    }

    pub(in crate::ledger) fn unpack(blob: &[u8]) -> Result<Self, Damaged> {
        let mut reader = Reader::new(blob, "log of the second reading", VERSION)?;
        let displaced = reader.list(|reader| {
            let (at, stream, end) = (instant(reader)?, reader.index()?, instant(reader)?);
            let (good, tolerated, bad, unseen_millis) = (reader.signed()?, reader.signed()?, reader.signed()?, reader.signed()?);
            Ok(Displaced { at, entry: Entry { stream, end, counts: Counts { good, tolerated, bad, unseen_millis } } })
        })?;
        let hidden = reader.list(|reader| {
            let (at, stream, from, to) = (instant(reader)?, reader.index()?, instant(reader)?, instant(reader)?);
            Ok(Hidden { at, span: Span { stream, from, to } })
        })?;
        reader.end()?;
        Ok(Self { displaced, hidden })
    }
}

impl Seal {
    /// What stands for none where there was one: nothing is read again from there.
    pub(in crate::ledger) const fn void(settled: Timestamp) -> Self {
        Self { settled, state: Vec::new() }
    }

    pub(in crate::ledger) const fn is_void(&self) -> bool {
        self.state.is_empty()
    }

    pub(in crate::ledger) fn pack(&self) -> Vec<u8> {
        let mut out = Writer::default();
        out.byte(VERSION);
        out.signed(self.settled.millis());
        out.blob(&self.state);
        out.0
    }

    pub(in crate::ledger) fn unpack(blob: &[u8]) -> Result<Self, Damaged> {
        let mut reader = Reader::new(blob, "seal of the second reading", VERSION)?;
        let seal = Self { settled: instant(&mut reader)?, state: reader.blob()? };
        reader.end()?;
        Ok(seal)
    }
}

fn instant(reader: &mut Reader<'_>) -> Result<Timestamp, Damaged> {
    reader.signed().map(Timestamp::from_millis)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn log() -> Log {
        let at = Timestamp::from_seconds;
        let counts = Counts { good: 1, tolerated: -2, bad: 1 << 40, unseen_millis: 3 };
        Log {
            displaced: vec![Displaced { at: at(9), entry: Entry { stream: 3, end: at(-10), counts } }],
            hidden: vec![Hidden { at: at(3), span: Span { stream: 1, from: at(1), to: at(2) } }],
        }
    }

    fn seal() -> Seal {
        Seal { settled: Timestamp::from_seconds(7), state: vec![0, 255, 7] }
    }

    #[test]
    fn both_come_back() {
        assert_eq!(Log::unpack(&log().pack()), Ok(log()));
        assert_eq!(Log::unpack(&Log::default().pack()), Ok(Log::default()));
        assert_eq!(Seal::unpack(&seal().pack()), Ok(seal()));
    }

    proptest! {
        #[test]
        fn a_damaged_one_is_an_error_and_never_a_panic(at in 0_usize..200, byte: u8, cut in 0_usize..200) {
            for mut blob in [log().pack(), seal().pack()] {
                let at = at % blob.len();
                blob[at] = byte;
                let cut = &blob[..cut % blob.len()];
                drop((Log::unpack(&blob), Log::unpack(cut), Seal::unpack(&blob), Seal::unpack(cut)));
            }
        }
    }
}
