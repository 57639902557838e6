//! The packed form of slices: every level with all that its ring holds, oldest first, and the marks. What is unpacked answers as what was packed did.

use std::time::Duration;

use super::{Level, RunningSums, Slices, column::Column};
use crate::{
    ledger::{
        Damaged,
        marks::Marks,
        segment::varint::{Reader, Writer},
        slice::LevelSpec,
    },
    time::days,
};

/// More slices than a level of any SLO has: two years of the shortest coarsest ones.
const MOST_SLOTS: u128 = 1 << 17;

impl Slices {
    pub(in crate::ledger) fn pack(&self, out: &mut Writer) {
        out.list(self.levels.iter(), |out, level| level.pack(out));
        self.marks().pack(out);
    }

    pub(in crate::ledger) fn unpack(reader: &mut Reader<'_>) -> Result<Self, Damaged> {
        let levels = reader.list(Level::unpack)?;
        if levels.is_empty() {
            return Err(reader.damaged("a stream has no levels"));
        }
        let mut slices = Self { levels, marks: None, running: RunningSums::default() };
        slices.set_marks(Marks::unpack(reader)?);
        Ok(slices)
    }
}

impl Level {
    fn pack(&self, out: &mut Writer) {
        out.unsigned(millis(self.spec.step));
        out.unsigned(millis(self.spec.keep));
        out.option(self.newest, Writer::signed);
        if self.newest.is_none() {
            return;
        }
        let open = [self.open.good, self.open.tolerated, self.open.bad, self.open.unseen_millis];
        let present = |column: &Column, open: i64| u8::from(open != 0 || !column.is_all_zero());
        let columns = || self.columns.iter().zip(open);
        out.byte(columns().zip(0..).fold(0, |bits, ((column, open), at)| bits | present(column, open) << at));
        for (column, open) in columns().filter(|(column, open)| present(column, *open) == 1) {
            // The slot of the newest slice is the last one, and zero.
            pack_numbers(self.slots_oldest_first().map(|slot| column.get(slot)).take(self.slots - 1).chain([open]), out);
        }
    }

    fn unpack(reader: &mut Reader<'_>) -> Result<Self, Damaged> {
        let spec = LevelSpec { step: Duration::from_millis(reader.unsigned()?), keep: Duration::from_millis(reader.unsigned()?) };
        if spec.step.is_zero() || spec.step > days(1) || spec.keep.as_millis() / spec.step.as_millis() > MOST_SLOTS {
            return Err(reader.damaged("a level is not one"));
        }
        let mut level = Self::new(spec);
        level.newest = reader.option(Reader::signed)?;
        let Some(newest) = level.newest else { return Ok(level) };
        if newest.unsigned_abs() > i64::MAX.unsigned_abs() / 2 / millis(spec.step) {
            return Err(reader.damaged("an instant is out of range"));
        }
        let present = reader.byte()?;
        if present > 0b1111 {
            return Err(reader.damaged("a level holds what this release does not know"));
        }
        let (slots, all) = (level.slots_oldest_first(), level.slots);
        for (column, at) in level.columns.iter_mut().zip(0..) {
            if present >> at & 1 == 1 {
                column.unpack(slots.clone(), all, reader)?;
            }
        }
        level.open_newest();
        Ok(level)
    }
}

impl Column {
    fn unpack(&mut self, mut slots: impl Iterator<Item = usize>, all: usize, reader: &mut Reader<'_>) -> Result<(), Damaged> {
        while let Some(slot) = slots.next() {
            match reader.signed()? {
                0 => {
                    let zeros = usize::try_from(reader.unsigned()?).unwrap_or(usize::MAX);
                    if zeros == 0 || (zeros > 1 && slots.nth(zeros - 2).is_none()) {
                        return Err(reader.damaged("it counts zeros that it does not hold"));
                    }
                }
                number => self.set(slot, number, all),
            }
        }
        Ok(())
    }
}

/// Numbers; a zero is followed by how many zeros stand there.
fn pack_numbers(numbers: impl Iterator<Item = i64>, out: &mut Writer) {
    let mut zeros = 0;
    for number in numbers {
        if number == 0 {
            zeros += 1;
        } else {
            pack_zeros(&mut zeros, out);
            out.signed(number);
        }
    }
    pack_zeros(&mut zeros, out);
}

fn pack_zeros(zeros: &mut u64, out: &mut Writer) {
    if *zeros > 0 {
        out.signed(0);
        out.unsigned(std::mem::take(zeros));
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        ledger::{Counts, slice::standard_levels},
        time::{Timestamp, hours, minutes},
    };

    fn packed(slices: &Slices) -> Vec<u8> {
        let mut out = Writer::default();
        out.byte(1);
        slices.pack(&mut out);
        out.0
    }

    fn unpacked(blob: &[u8]) -> Result<Slices, Damaged> {
        let mut reader = Reader::new(blob, "test", 1)?;
        let slices = Slices::unpack(&mut reader)?;
        reader.end()?;
        Ok(slices)
    }

    proptest! {
        #[test]
        fn slices_come_back(
            entries in prop::collection::vec((0_i64..8_000_000, 0_i64..3, any::<i64>()), 0..60),
            marks in prop::collection::vec(0_i64..8_000_000, 0..4),
            later in prop::collection::vec((0_i64..8_900_000, -3_i64..5), 0..9),
        ) {
            let mut slices = Slices::new(&standard_levels(hours(720), minutes(15)));
            let marks: Vec<Timestamp> = marks.into_iter().map(Timestamp::from_seconds).collect();
            slices.set_marks(Marks::at(&marks));
            for (at, small, large) in entries {
                let counts = Counts { good: small, bad: large >> 40, unseen_millis: large >> 12, ..Counts::default() };
                slices.add(Timestamp::from_seconds(at), counts);
            }
            let blob = packed(&slices);
            let mut restored = unpacked(&blob).expect("own blob");
            prop_assert_eq!(packed(&restored), blob);
            for (at, n) in later {
                for slices in [&mut slices, &mut restored] {
                    slices.add(Timestamp::from_seconds(at), Counts { good: n, ..Counts::default() });
                }
            }
            let now = Timestamp::from_seconds(8_900_000);
            for lookback in [minutes(5), hours(1), hours(6), hours(72), hours(720)] {
                prop_assert_eq!(restored.over(lookback, now), slices.over(lookback, now));
            }
            prop_assert_eq!(restored.newest_end(), slices.newest_end());
            prop_assert_eq!(restored.marks(), slices.marks());
            prop_assert_eq!(packed(&restored), packed(&slices));
        }

        #[test]
        fn a_damaged_image_is_an_error_and_never_a_panic(blob in prop::collection::vec(any::<u8>(), 0..60), at in 0_usize..400, byte: u8) {
            let _ = unpacked(&[&[1], blob.as_slice()].concat());
            let mut slices = Slices::new(&standard_levels(hours(720), hours(1)));
            slices.add(Timestamp::from_seconds(4_000_000), Counts { good: 300, unseen_millis: 7, ..Counts::default() });
            let mut blob = packed(&slices);
            let at = at % blob.len();
            blob[at] = byte;
            if let Ok(mut damaged) = unpacked(&blob) {
                damaged.add(Timestamp::from_seconds(4_000_100), Counts { good: 1, ..Counts::default() });
            }
        }
    }
}
