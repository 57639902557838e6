//! A column: one number of every slot of a ring, in as little memory as its numbers need.

use std::ops::Range;

/// One number of every slot.
#[derive(Debug, Clone)]
pub(super) enum Column {
    /// The slots that are not zero, sorted: none, or few.
    Sparse(Vec<(u32, i32)>),
    Narrow(Box<[i32]>),
    Wide(Box<[i64]>),
}

/// Of so many slots at most one may be filled while a column is sparse: half of what all of them would take.
const SPARSE: usize = 4;

impl Column {
    /// All zero.
    pub(super) const ZERO: Self = Self::Sparse(Vec::new());

    pub(super) fn get(&self, slot: usize) -> i64 {
        match self {
            Self::Sparse(cells) => place(cells, slot).map_or(0, |at| i64::from(cells[at].1)),
            Self::Narrow(cells) => i64::from(cells[slot]),
            Self::Wide(cells) => cells[slot],
        }
    }

    /// Adds to a slot, of so many.
    pub(super) fn add(&mut self, slot: usize, number: i64, slots: usize) {
        if number != 0 {
            self.set(slot, self.get(slot).saturating_add(number), slots);
        }
    }

    pub(super) fn set(&mut self, slot: usize, number: i64, slots: usize) {
        match (&mut *self, i32::try_from(number)) {
            (Self::Narrow(cells), Ok(narrow)) => cells[slot] = narrow,
            (Self::Wide(cells), _) => cells[slot] = number,
            (Self::Sparse(cells), Ok(narrow)) => match place(cells, slot) {
                Ok(at) if narrow == 0 => drop(cells.remove(at)),
                Ok(at) => cells[at].1 = narrow,
                Err(_) if narrow == 0 => {}
                Err(at) if (cells.len() + 1) * SPARSE <= slots => cells.insert(at, (key(slot), narrow)),
                Err(_) => {
                    let mut all = vec![0_i32; slots].into_boxed_slice();
                    for (slot, number) in cells.iter() {
                        all[*slot as usize] = *number;
                    }
                    all[slot] = narrow;
                    *self = Self::Narrow(all);
                }
            },
            (Self::Sparse(_) | Self::Narrow(_), Err(_)) => {
                let mut cells: Box<[i64]> = (0..slots).map(|at| self.get(at)).collect();
                cells[slot] = number;
                *self = Self::Wide(cells);
            }
        }
    }

    pub(super) fn clear(&mut self, slot: usize) {
        match self {
            Self::Sparse(cells) if cells.is_empty() => {}
            Self::Sparse(cells) => {
                if let Ok(at) = place(cells, slot) {
                    cells.remove(at);
                }
            }
            Self::Narrow(cells) => cells[slot] = 0,
            Self::Wide(cells) => cells[slot] = 0,
        }
    }

    pub(super) fn sum(&self, slots: Range<usize>) -> i64 {
        match self {
            Self::Sparse(cells) => {
                let from = cells.partition_point(|(slot, _)| (*slot as usize) < slots.start);
                cells[from..].iter().take_while(|(slot, _)| (*slot as usize) < slots.end).map(|(_, number)| i64::from(*number)).sum()
            }
            Self::Narrow(cells) => cells[slots].iter().map(|cell| i64::from(*cell)).sum(),
            Self::Wide(cells) => cells[slots].iter().sum(),
        }
    }

    pub(super) fn is_all_zero(&self) -> bool {
        match self {
            Self::Sparse(cells) => cells.is_empty(),
            Self::Narrow(cells) => cells.iter().all(|cell| *cell == 0),
            Self::Wide(cells) => cells.iter().all(|cell| *cell == 0),
        }
    }
}

/// Where a slot stands among those that are not zero, or would: mostly behind all of them.
fn place(cells: &[(u32, i32)], slot: usize) -> Result<usize, usize> {
    if cells.last().is_none_or(|(last, _)| *last < key(slot)) {
        return Err(cells.len());
    }
    cells.binary_search_by_key(&key(slot), |(slot, _)| *slot)
}

fn key(slot: usize) -> u32 {
    u32::try_from(slot).expect("a level has fewer than 2^32 slices")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_column_holds_its_numbers_whether_few_or_many(
            turns in prop::collection::vec((0_usize..40, prop::sample::select(vec![0, 1, -7, 1 << 20, 1 << 40]), any::<bool>()), 0..80),
            (from, to) in (0_usize..=40, 0_usize..=40),
        ) {
            let mut column = Column::ZERO;
            let mut plain = [0_i64; 40];
            for (slot, number, clears) in turns {
                if clears {
                    column.clear(slot);
                    plain[slot] = 0;
                } else {
                    column.add(slot, number, 40);
                    plain[slot] += number;
                }
            }
            prop_assert_eq!((0..40).map(|slot| column.get(slot)).collect::<Vec<_>>(), plain);
            let range = from.min(to)..from.max(to);
            prop_assert_eq!(column.sum(range.clone()), plain[range].iter().sum::<i64>());
        }
    }
}
