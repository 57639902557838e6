//! Selectors and labels: what is asked of a source, and the same matching done here, in the RE2 dialect as Prometheus uses it.

use std::fmt;

/// A label set, sorted by name; `__name__` included. An absent label equals an empty one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Labels(Vec<(String, String)>);

impl Labels {
    /// A label set in any order; empty values are dropped, as Prometheus does. Of a repeated name the last value counts.
    pub fn new(pairs: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut map = std::collections::BTreeMap::new();
        for (name, value) in pairs {
            map.insert(name, value);
        }
        Self(map.into_iter().filter(|(_, value)| !value.is_empty()).collect())
    }

    /// The value of a label; empty where it is absent.
    pub fn get(&self, name: &str) -> &str {
        self.0.binary_search_by(|(have, _)| have.as_str().cmp(name)).map_or("", |at| self.0[at].1.as_str())
    }

    /// Name and value, sorted by name.
    pub fn pairs(&self) -> &[(String, String)] {
        &self.0
    }
}

/// How a matcher compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MatchOp {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `=~`
    Regex,
    /// `!~`
    NotRegex,
}

/// One matcher of a selector.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Matcher {
    /// The label.
    pub label: String,
    /// How it compares.
    pub op: MatchOp,
    /// With what.
    pub value: String,
}

/// A metric name with matchers, sorted and without repeats. Prints as PromQL.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Selector {
    metric: String,
    matchers: Vec<Matcher>,
}

impl Selector {
    /// The selector of `metric` with these matchers, in any order.
    pub fn new(metric: &str, mut matchers: Vec<Matcher>) -> Self {
        matchers.sort();
        matchers.dedup();
        Self { metric: metric.to_owned(), matchers }
    }

    /// The metric's name.
    pub fn metric(&self) -> &str {
        &self.metric
    }

    /// The matchers beside the name, sorted.
    pub fn matchers(&self) -> &[Matcher] {
        &self.matchers
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, _f: &mut fmt::Formatter<'_>) -> fmt::Result {
        unimplemented!()
    }
}
