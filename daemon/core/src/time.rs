//! Instants in the core: milliseconds since the Unix epoch, as Prometheus counts them. No clock is read here and no zone is known;
//! civil time belongs to the daemon's edge.

use std::time::Duration;

/// An instant, in whole milliseconds since 1970-01-01T00:00:00Z. Negative values lie before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The Unix epoch.
    pub const EPOCH: Self = Self(0);

    /// The instant `millis` milliseconds after the epoch.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// The instant `seconds` whole seconds after the epoch.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1000))
    }

    /// Milliseconds since the epoch.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Seconds since the epoch as Prometheus prints them in its JSON.
    pub fn seconds(self) -> f64 {
        self.0 as f64 / 1000.0
    }

    /// The instant `span` later; stops at the largest instant.
    #[must_use]
    pub fn plus(self, span: Duration) -> Self {
        Self(self.0.saturating_add(millis(span)))
    }

    /// The instant `span` earlier; stops at the smallest instant.
    #[must_use]
    pub fn minus(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(millis(span)))
    }

    /// How long after `earlier` this instant lies; zero if it does not.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// The latest multiple of `step` that is not after this instant. A zero step leaves the instant as it is.
    #[must_use]
    pub fn floor(self, step: Duration) -> Self {
        match millis(step) {
            0 => self,
            step => Self(self.0.div_euclid(step) * step),
        }
    }

    /// The earliest multiple of `step` that is not before this instant. A zero step leaves the instant as it is.
    #[must_use]
    pub fn ceil(self, step: Duration) -> Self {
        let floor = self.floor(step);
        if floor == self { self } else { floor.plus(step) }
    }
}

/// Whole milliseconds of a span, as many as fit into an instant.
pub(crate) fn millis(span: Duration) -> i64 {
    let seconds = i64::try_from(span.as_secs()).unwrap_or(i64::MAX);
    seconds.saturating_mul(1000).saturating_add(i64::from(span.subsec_millis()))
}

/// A span of whole minutes.
pub const fn minutes(n: u64) -> Duration {
    Duration::from_secs(n * 60)
}

/// A span of whole hours.
pub const fn hours(n: u64) -> Duration {
    Duration::from_secs(n * 3600)
}

/// A span of days of 24 hours.
pub const fn days(n: u64) -> Duration {
    Duration::from_secs(n * 86_400)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floor_and_ceil_meet_on_an_edge_and_differ_by_one_step_elsewhere() {
        let step = Duration::from_secs(10);
        for (at, floor, ceil) in [(0, 0, 0), (1, 0, 10_000), (9_999, 0, 10_000), (10_000, 10_000, 10_000), (-1, -10_000, 0)] {
            assert_eq!(Timestamp::from_millis(at).floor(step).millis(), floor, "floor of {at}");
            assert_eq!(Timestamp::from_millis(at).ceil(step).millis(), ceil, "ceil of {at}");
        }
    }

    #[test]
    fn a_span_longer_than_time_stops_at_its_ends() {
        assert_eq!(Timestamp::EPOCH.plus(Duration::MAX), Timestamp::from_millis(i64::MAX));
        assert_eq!(Timestamp::from_millis(-2).minus(Duration::MAX), Timestamp::from_millis(i64::MIN));
        assert_eq!(Timestamp::EPOCH.plus(Duration::new(9_223_372_036_854_775, 806_999_999)).millis(), i64::MAX - 1);
    }

    #[test]
    fn since_an_instant_in_the_future_is_zero() {
        assert_eq!(Timestamp::from_seconds(1).since(Timestamp::from_seconds(2)), Duration::ZERO);
    }
}
