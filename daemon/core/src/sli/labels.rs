//! Label sets.

use std::{cmp::Ordering, fmt, sync::Arc};

use crate::hash::Hash;

/// A label set, sorted by name; `__name__` included. An absent label equals an empty one. A clone shares the text, and its identity is computed once.
#[derive(Clone)]
pub struct Labels(Arc<Set>);

struct Set {
    /// All names and values, one behind the other.
    text: Box<str>,
    /// Where each name and each value ends in the text.
    ends: Box<[(usize, usize)]>,
    identity: u128,
}

impl Labels {
    /// A label set in any order; empty values are dropped, as Prometheus does. Of a repeated name the last value counts.
    pub fn new<N: AsRef<str>, V: AsRef<str>>(pairs: impl IntoIterator<Item = (N, V)>) -> Self {
        let mut pairs: Vec<(N, V)> = pairs.into_iter().collect();
        if !pairs.is_sorted_by(|one, next| one.0.as_ref() < next.0.as_ref()) {
            pairs.reverse();
            pairs.sort_by(|one, other| one.0.as_ref().cmp(other.0.as_ref()));
            pairs.dedup_by(|next, first| next.0.as_ref() == first.0.as_ref());
        }
        pairs.retain(|(_, value)| !value.as_ref().is_empty());
        Self::of_sorted(&pairs)
    }

    fn of_sorted<N: AsRef<str>, V: AsRef<str>>(pairs: &[(N, V)]) -> Self {
        let length = pairs.iter().map(|(name, value)| name.as_ref().len() + value.as_ref().len()).sum();
        let (mut text, mut ends, mut hash) = (String::with_capacity(length), Vec::with_capacity(pairs.len()), Hash::new());
        for (name, value) in pairs {
            let (name, value) = (name.as_ref(), value.as_ref());
            text.push_str(name);
            let middle = text.len();
            text.push_str(value);
            ends.push((middle, text.len()));
            hash_pair(&mut hash, (name, value), boundary(name, value));
        }
        Self(Arc::new(Set { text: text.into(), ends: ends.into(), identity: hash.finish() }))
    }

    /// The value of a label; empty where it is absent.
    pub fn get(&self, name: &str) -> &str {
        self.pairs().find(|(have, _)| *have == name).map_or("", |(_, value)| value)
    }

    /// Name and value, sorted by name.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        let starts = std::iter::once(0).chain(self.0.ends.iter().map(|(_, end)| *end));
        starts.zip(&self.0.ends).map(|(start, (middle, end))| (&self.0.text[start..*middle], &self.0.text[*middle..*end]))
    }

    /// A hash of the set, in which every spelling of a bucket boundary is the same. Stable for ever: the state that a restart reads holds such hashes.
    pub(crate) fn identity(&self) -> u128 {
        self.0.identity
    }

    /// A hash of those of the names that are taken, in which every spelling of a bucket boundary is the same.
    pub(crate) fn identity_of(&self, is_taken: impl Fn(&str) -> bool) -> u128 {
        let mut hash = Hash::new();
        for (name, value) in self.pairs().filter(|(name, _)| is_taken(name)) {
            hash_pair(&mut hash, (name, value), boundary(name, value));
        }
        hash.finish()
    }

    /// The hash of the same set with another bucket boundary.
    pub(crate) fn identity_with(&self, boundary: f64) -> u128 {
        let mut hash = Hash::new();
        for (name, value) in self.pairs() {
            hash_pair(&mut hash, (name, value), if name == BOUNDARY { Some(boundary) } else { None });
        }
        hash.finish()
    }
}

/// The label of a bucket boundary.
const BOUNDARY: &str = "le";

/// The number of a bucket boundary, where the label is one.
fn boundary(name: &str, value: &str) -> Option<f64> {
    if name == BOUNDARY { value.parse().ok() } else { None }
}

fn hash_pair(hash: &mut Hash, (name, value): (&str, &str), boundary: Option<f64>) {
    hash.text(name);
    match boundary {
        Some(boundary) => hash.word(boundary.to_bits()),
        None => hash.text(value),
    }
}

impl Default for Labels {
    fn default() -> Self {
        Self::of_sorted::<&str, &str>(&[])
    }
}

impl PartialEq for Labels {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || (self.0.ends == other.0.ends && self.0.text == other.0.text)
    }
}

impl Eq for Labels {}

impl PartialOrd for Labels {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Labels {
    fn cmp(&self, other: &Self) -> Ordering {
        if Arc::ptr_eq(&self.0, &other.0) { Ordering::Equal } else { self.pairs().cmp(other.pairs()) }
    }
}

impl std::hash::Hash for Labels {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.identity.hash(state);
    }
}

impl fmt::Debug for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.pairs()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_sorted_without_empty_values_and_of_a_repeated_name_the_last_counts() {
        let labels = Labels::new([("job", "x"), ("code", ""), ("__name__", "m"), ("job", "y"), ("a", "1"), ("a", "")]);
        assert_eq!(labels.pairs().collect::<Vec<_>>(), [("__name__", "m"), ("job", "y")]);
        assert_eq!((labels.get("job"), labels.get("code"), labels.get("zone")), ("y", "", ""));
        assert_eq!(labels, Labels::new([("job".to_owned(), "y".to_owned()), ("__name__".to_owned(), "m".to_owned())]));
    }

    #[test]
    fn labels_are_ordered_by_their_pairs_and_not_by_their_joined_text() {
        let labels = |pairs: &[(&'static str, &'static str)]| Labels::new(pairs.iter().copied());
        assert!(labels(&[("a", "b")]) < labels(&[("a", "b"), ("c", "d")]));
        assert!(labels(&[("a", "c")]) < labels(&[("ab", "c")]));
        assert_ne!(labels(&[("a", "bc")]), labels(&[("ab", "c")]));
    }

    #[test]
    fn the_identity_is_the_same_for_every_spelling_of_a_boundary_and_for_ever() {
        let identity = |pairs: &[(&'static str, &'static str)]| Labels::new(pairs.iter().copied()).identity();
        assert_eq!(identity(&[("le", "0.30"), ("a", "b")]), identity(&[("a", "b"), ("le", "3e-1")]));
        assert_ne!(identity(&[("a", "bc")]), identity(&[("ab", "c")]));
        assert_ne!(identity(&[("v", "1.0")]), identity(&[("v", "1")]));
        assert_eq!(identity(&[("__name__", "m")]), 143_050_986_615_080_884_848_002_065_453_858_292_806);
    }
}
