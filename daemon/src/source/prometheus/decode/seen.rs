//! The label sets of an answer, so that the next answer to the same question, which mostly has the same series in the same order, need not read them again.

use std::sync::Arc;

use burnward_core::{
    ledger::{Series, Unknown},
    sli::Labels,
};

use super::row;

/// How many series that are gone are skipped at once before a text counts as new.
const LOOK_AHEAD: usize = 16;

/// The label sets of an answer, in its order.
#[derive(Debug, Default)]
pub struct Seen {
    /// As they were written, one behind the other.
    text: Box<str>,
    /// Each with the end of its text.
    known: Vec<(usize, Labels)>,
    /// Sorted by labels, without repeats.
    sorted: bool,
}

impl Seen {
    pub(super) const fn walk(seen: &Arc<Self>) -> Walk<'_> {
        Walk { seen, next: 0, strayed: false }
    }

    fn of<'t>(texts: impl IntoIterator<Item = &'t str>, labels: impl IntoIterator<Item = Labels>) -> Self {
        let (mut text, mut known) = (String::new(), Vec::new());
        for (one, labels) in texts.into_iter().zip(labels) {
            text.push_str(one);
            known.push((text.len(), labels));
        }
        known.shrink_to_fit();
        let sorted = known.is_sorted_by(|(_, one), (_, next)| one < next);
        Self { text: text.into(), known, sorted }
    }

    fn text(&self, at: usize) -> &str {
        let begin = at.checked_sub(1).map_or(0, |before| self.known[before].0);
        &self.text[begin..self.known[at].0]
    }
}

/// An answer on its way along the one before.
pub(super) struct Walk<'s> {
    seen: &'s Arc<Seen>,
    next: usize,
    /// True once a series was new or gone.
    strayed: bool,
}

impl<'s> Walk<'s> {
    /// How many series there were before.
    pub(super) fn expected(&self) -> usize {
        self.seen.known.len()
    }

    /// The label set of the next series where it was seen before, and its text, which `rest` begins with: a JSON object begins with no other one.
    pub(super) fn known(&mut self, rest: &[u8]) -> Option<(Labels, &'s str)> {
        let ahead = self.next..self.seen.known.len().min(self.next + LOOK_AHEAD);
        let found = ahead.into_iter().find(|at| rest.starts_with(self.seen.text(*at).as_bytes()))?;
        self.strayed |= found > self.next;
        self.next = found + 1;
        Some((self.seen.known[found].1.clone(), self.seen.text(found)))
    }

    /// The label set of the next series.
    pub(super) fn labels(&mut self, text: &str) -> Result<Labels, Unknown> {
        if let Some((labels, _)) = self.known(text.as_bytes()) {
            return Ok(labels);
        }
        self.strayed = true;
        row::labels(text)
    }

    /// What the next answer is read along, and whether this one is sorted without repeats.
    pub(super) fn end(self, texts: &[&str], series: &[Series]) -> (Arc<Seen>, bool) {
        if !self.strayed && self.next == self.seen.known.len() {
            return (Arc::clone(self.seen), self.seen.sorted);
        }
        let seen = Seen::of(texts.iter().copied(), series.iter().map(|series| series.labels.clone()));
        let sorted = seen.sorted;
        (Arc::new(seen), sorted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(before: &[&str], now: &[&str]) {
        let labels = |name: &str| Labels::new([("__name__", name)]);
        let text = |name: &str| format!("{{\"__name__\":\"{name}\"}}");
        let texts: Vec<String> = before.iter().map(|name| text(name)).collect();
        let seen = Arc::new(Seen::of(texts.iter().map(String::as_str), before.iter().map(|name| labels(name))));
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
