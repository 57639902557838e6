//! A list that mostly holds one or two, and then takes no memory of its own.

use std::ops::{Deref, DerefMut};

/// A list.
#[derive(Debug, Clone, PartialEq, Default)]
pub(in crate::ledger) enum Few<T> {
    #[default]
    None,
    One([T; 1]),
    Two([T; 2]),
    More(Vec<T>),
}

impl<T: Copy> Few<T> {
    /// Appends one.
    pub(in crate::ledger) fn push(&mut self, new: T) {
        match self {
            Self::None => *self = Self::One([new]),
            Self::One([first]) => *self = Self::Two([*first, new]),
            Self::Two([first, second]) => *self = Self::More(vec![*first, *second, new]),
            Self::More(all) => all.push(new),
        }
    }

    /// Keeps those that `keeps` says, which may alter them.
    pub(in crate::ledger) fn retain_mut(&mut self, keeps: impl FnMut(&mut T) -> bool) {
        let mut all = self.to_vec();
        all.retain_mut(keeps);
        *self = all.into_iter().collect();
    }
}

impl<T: Copy> FromIterator<T> for Few<T> {
    fn from_iter<I: IntoIterator<Item = T>>(all: I) -> Self {
        let mut few = Self::None;
        all.into_iter().for_each(|one| few.push(one));
        few
    }
}

impl<T> Deref for Few<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        match self {
            Self::None => &[],
            Self::One(all) => all,
            Self::Two(all) => all,
            Self::More(all) => all,
        }
    }
}

impl<T> DerefMut for Few<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        match self {
            Self::None => &mut [],
            Self::One(all) => all,
            Self::Two(all) => all,
            Self::More(all) => all,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_holds_what_a_list_does(numbers in prop::collection::vec(0_u8..9, 0..6), least in 0_u8..9) {
            let mut few: Few<u8> = numbers.iter().copied().collect();
            prop_assert_eq!(&few[..], &numbers[..]);
            let mut plain = numbers;
            let keeps = |number: &mut u8| {
                *number += 1;
                *number > least
            };
            few.retain_mut(keeps);
            plain.retain_mut(keeps);
            for number in few.iter_mut().chain(&mut plain) {
                *number *= 2;
            }
            prop_assert_eq!(&few[..], &plain[..]);
        }
    }
}
