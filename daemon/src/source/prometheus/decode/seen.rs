//! The label sets of an answer, so that the next answer to the same question, which mostly has the same series in the same order, need not read them again.

use std::sync::Arc;

use burnward_core::{
    ledger::{Series, Unknown},
    sli::Labels,
};

use super::row::{self, Row};

/// How many series that are gone are skipped at once before a text counts as new.
const LOOK_AHEAD: usize = 16;

/// The label sets of an answer, in its order.
#[derive(Debug, Default)]
pub struct Seen {
    known: Vec<(Box<str>, Labels)>,
    /// Sorted by labels, without repeats.
    sorted: bool,
}

impl Seen {
    pub(super) const fn walk(seen: &Arc<Self>) -> Walk<'_> {
        Walk { seen, next: 0, strayed: false }
    }
}

/// An answer on its way along the one before.
pub(super) struct Walk<'s> {
    seen: &'s Arc<Seen>,
    next: usize,
    /// True once a series was new or gone.
    strayed: bool,
}

impl Walk<'_> {
    /// The label set of the next series.
    pub(super) fn labels(&mut self, text: &str) -> Result<Labels, Unknown> {
        let ahead = &self.seen.known[self.next..];
        if let Some(skipped) = ahead.iter().take(LOOK_AHEAD).position(|(known, _)| **known == *text) {
            self.strayed |= skipped > 0;
            self.next += skipped + 1;
            Ok(ahead[skipped].1.clone())
        } else {
            self.strayed = true;
            row::labels(text)
        }
    }

    /// What the next answer is read along, and whether this one is sorted without repeats.
    pub(super) fn end(self, rows: &[Row<'_>], series: &[Series]) -> (Arc<Seen>, bool) {
        if !self.strayed && self.next == self.seen.known.len() {
            return (Arc::clone(self.seen), self.seen.sorted);
        }
        let known = rows.iter().zip(series).map(|(row, series)| (row.metric.get().into(), series.labels.clone())).collect();
        let sorted = series.is_sorted_by(|one, next| one.labels < next.labels);
        (Arc::new(Seen { known, sorted }), sorted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(before: &[&str], now: &[&str]) {
        let labels = |name: &str| Labels::new([("__name__", name)]);
        let text = |name: &str| format!("{{\"__name__\":\"{name}\"}}");
        let known = before.iter().map(|name| (text(name).into(), labels(name))).collect();
        let seen = Arc::new(Seen { known, sorted: true });
        let mut walk = Seen::walk(&seen);
        for name in now {
            assert_eq!(walk.labels(&text(name)), Ok(labels(name)), "{before:?} then {now:?}");
        }
        assert_eq!(walk.strayed || walk.next != before.len(), before != now, "{before:?} then {now:?}");
    }

    #[test]
    fn labels_are_the_same_whether_a_series_was_seen_or_is_new_or_others_are_gone() {
        for now in [&["a", "b", "c"][..], &["a", "c"], &["b"], &[], &["a", "aa", "b", "c"], &["c", "b", "a"], &["a", "a", "b", "c"], &["x"]]
        {
            check(&["a", "b", "c"], now);
        }
        check(&[], &["a"]);
    }
}
