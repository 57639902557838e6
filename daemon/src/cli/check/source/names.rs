//! Metrics of the source that are called nearly like one that it does not have. All names are asked for once, where one is missing.

use std::collections::BTreeSet;

use burnward_core::{
    ledger::{Reason, Unknown},
    sli::Selector,
    time::hours,
};

use super::{Asked, selectors::Wanted};

/// So many names are told.
const TOLD: usize = 2;

impl Asked<'_> {
    /// Which metric is meant, as a question; nothing where none is called like it.
    pub(super) async fn meant(&self, wanted: &Wanted) -> Result<String, Unknown> {
        let names = self.names.get_or_try_init(async || self.all_names().await).await?;
        let (asked, written) = (wanted.asked.metric(), wanted.written.metric());
        // Of a histogram its author names the stem.
        let suffix = asked.strip_prefix(written).unwrap_or_default();
        let alike = alike(asked, names.iter().map(String::as_str).filter(|name| name.ends_with(suffix)));
        let alike: Vec<String> = alike.iter().map(|name| format!("`{}`", name.strip_suffix(suffix).unwrap_or(name))).collect();
        Ok(if alike.is_empty() { String::new() } else { format!("Did you mean {}?", alike.join(" or ")) })
    }

    /// None where the source lists no names, or so many that it does not.
    async fn all_names(&self) -> Result<BTreeSet<String>, Unknown> {
        let all = Selector::new("", Vec::new());
        match self.source.label_values("__name__", &all, self.now.minus(hours(1)), self.now).await {
            Ok(names) => Ok(names),
            Err(unknown) if unknown.reason == Reason::Unreachable => Err(unknown),
            Err(_) => Ok(BTreeSet::new()),
        }
    }
}

/// The names that are most like a name: spelt nearly the same, or the same but for an end such as `_total`.
fn alike<'n>(name: &str, names: impl Iterator<Item = &'n str>) -> Vec<&'n str> {
    let most = (name.chars().count() / 5).max(1);
    let begins = |one: &str, other: &str| one.strip_prefix(other).is_some_and(|rest| rest.starts_with('_') && !rest[1..].contains('_'));
    let distance = |other: &str| {
        if begins(name, other) || begins(other, name) {
            return Some(1);
        }
        // Names whose lengths differ by more are not near, however long they are.
        let is_near = name.len().abs_diff(other.len()) <= most;
        is_near.then(|| strsim::osa_distance(name, other)).filter(|distance| *distance <= most)
    };
    let mut found: Vec<(usize, &str)> = names.filter(|other| *other != name).filter_map(|other| Some((distance(other)?, other))).collect();
    found.sort_unstable();
    found.into_iter().map(|(_, name)| name).take(TOLD).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_spelt_nearly_the_same_are_told_the_nearest_first() {
        let names = ["go_goroutines", "http_request_seconds_bucket", "http_requests_total", "http_requests_totals", "up", "us"];
        for (name, expected) in [
            ("http_request_total", &["http_requests_total", "http_requests_totals"][..]),
            ("http_requests", &["http_requests_total", "http_requests_totals"]),
            ("htpp_requests_total", &["http_requests_total", "http_requests_totals"]),
            ("http_request_second_bucket", &["http_request_seconds_bucket"]),
            ("upp", &["up"]),
            ("http_errors_total", &[]),
            ("http", &[]),
            ("queue_length", &[]),
        ] {
            assert_eq!(alike(name, names.into_iter()), expected, "{name}");
        }
    }
}
