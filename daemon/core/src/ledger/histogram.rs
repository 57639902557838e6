//! Native histograms: which observations lie within a threshold, in one sample and between two.
//!
//! A native histogram tells only the buckets that hold something, and their resolution may change while it lives. So a threshold is compared with what is
//! there: where no bucket holds it strictly between its ends, every observation is known to lie on one side of it, and the count is exact. Where one
//! does, the observations of that bucket are on either side: they are kept apart, so that good is known from both sides.
//!
//! Between two samples the same is asked of the finest edges that no bucket of either cuts. Resolutions are powers of each other, so that a coarser one
//! has part of the edges of a finer one: a change of resolution makes the uncertain part wider and loses nothing. A part that became smaller is a reset.

/// A native histogram at one moment, of whole numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Histogram {
    /// All observations; those that are not a number lie in no bucket.
    count: u64,
    /// In order, without overlaps.
    buckets: Vec<Bucket>,
}

/// A bucket with what it and all below it hold.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Bucket {
    lower: f64,
    upper: f64,
    up_to: u64,
}

/// Observations by a threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Parts {
    /// At most the threshold.
    pub within: u64,
    /// In the bucket that holds it: on either side.
    pub around: u64,
    /// Above it, or not a number.
    pub above: u64,
}

impl Histogram {
    /// Of the count of all observations and the buckets as lower bound, upper bound and count, in any order. `None` where the buckets overlap, have no
    /// width, or hold more than there is.
    pub fn new(count: u64, buckets: impl IntoIterator<Item = (f64, f64, u64)>) -> Option<Self> {
        let mut given: Vec<(f64, f64, u64)> = buckets.into_iter().filter(|(_, _, held)| *held > 0).collect();
        given.sort_by(|one, other| one.0.total_cmp(&other.0));
        let ordered = given.windows(2).all(|pair| pair[0].1 <= pair[1].0) && given.iter().all(|(lower, upper, _)| lower < upper);
        let mut up_to = 0_u64;
        let mut buckets = Vec::with_capacity(given.len());
        for (lower, upper, held) in given {
            up_to = up_to.checked_add(held)?;
            buckets.push(Bucket { lower, upper, up_to });
        }
        (ordered && up_to <= count).then_some(Self { count, buckets })
    }

    /// All of its observations by a threshold.
    pub(super) fn parts(&self, threshold: f64) -> Parts {
        let edges = self.edges().filter(|edge| !self.cuts(*edge)).collect::<Vec<_>>();
        let (from, to) = around(threshold, &edges, self.cuts(threshold));
        let (within, around) = (self.below(from), self.below(to));
        Parts { within, around: around - within, above: self.count - around }
    }

    /// The observations since an earlier sample by a threshold; `None` where it was reset in between.
    pub(super) fn since(&self, earlier: &Self, threshold: f64) -> Option<Parts> {
        let cuts = |edge: f64| self.cuts(edge) || earlier.cuts(edge);
        let mut edges: Vec<f64> = self.edges().chain(earlier.edges()).filter(|edge| !cuts(*edge)).collect();
        edges.sort_by(f64::total_cmp);
        edges.dedup();
        let grown = |from: f64, to: f64| {
            let now = self.below(to) - self.below(from);
            now.checked_sub(earlier.below(to) - earlier.below(from))
        };
        let whole = self.count.checked_sub(earlier.count)?;
        if edges.windows(2).any(|pair| grown(pair[0], pair[1]).is_none()) {
            return None;
        }
        let (from, to) = around(threshold, &edges, cuts(threshold));
        let (within, around) = (grown(f64::NEG_INFINITY, from)?, grown(from, to)?);
        Some(Parts { within, around, above: whole.checked_sub(within + around)? })
    }

    /// Of the store: the count of all observations, and the buckets as `new` takes them.
    pub(super) fn told(&self) -> (u64, impl ExactSizeIterator<Item = (f64, f64, u64)>) {
        let below = [0].into_iter().chain(self.buckets.iter().map(|bucket| bucket.up_to)).collect::<Vec<_>>();
        let bucket = |(at, bucket): (usize, &Bucket)| (bucket.lower, bucket.upper, bucket.up_to - below[at]);
        let buckets: Vec<_> = self.buckets.iter().enumerate().map(bucket).collect();
        (self.count, buckets.into_iter())
    }

    fn edges(&self) -> impl Iterator<Item = f64> + '_ {
        self.buckets.iter().flat_map(|bucket| [bucket.lower, bucket.upper])
    }

    /// True where a bucket lies on both sides of an edge.
    fn cuts(&self, edge: f64) -> bool {
        let next = self.buckets.partition_point(|bucket| bucket.upper <= edge);
        self.buckets.get(next).is_some_and(|bucket| bucket.lower < edge)
    }

    /// What lies in buckets that end at an edge or before it.
    fn below(&self, edge: f64) -> u64 {
        let next = self.buckets.partition_point(|bucket| bucket.upper <= edge);
        next.checked_sub(1).map_or(0, |last| self.buckets[last].up_to)
    }
}

/// The edges on both sides of a threshold that a bucket cuts; of any other, itself.
fn around(threshold: f64, edges: &[f64], cut: bool) -> (f64, f64) {
    if !cut {
        return (threshold, threshold);
    }
    let next = edges.partition_point(|edge| *edge <= threshold);
    let below = next.checked_sub(1).map_or(f64::NEG_INFINITY, |last| edges[last]);
    (below, edges.get(next).copied().unwrap_or(f64::INFINITY))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn histogram(count: u64, buckets: &[(f64, f64, u64)]) -> Histogram {
        Histogram::new(count, buckets.iter().copied()).expect("in order")
    }

    fn parts(within: u64, around: u64, above: u64) -> Parts {
        Parts { within, around, above }
    }

    #[test]
    fn a_threshold_on_an_edge_or_where_nothing_lies_is_exact() {
        let seen = histogram(12, &[(0.25, 0.5, 3), (0.5, 1.0, 4), (2.0, 4.0, 5)]);
        for (threshold, expected) in [
            (0.1, parts(0, 0, 12)),
            (0.25, parts(0, 0, 12)),
            (0.5, parts(3, 0, 9)),
            (1.0, parts(7, 0, 5)),
            (1.5, parts(7, 0, 5)),
            (2.0, parts(7, 0, 5)),
            (9.0, parts(12, 0, 0)),
        ] {
            assert_eq!(seen.parts(threshold), expected, "{threshold}");
        }
    }

    #[test]
    fn what_lies_in_the_bucket_of_the_threshold_is_on_either_side() {
        let seen = histogram(12, &[(0.25, 0.5, 3), (0.5, 1.0, 4), (2.0, 4.0, 5)]);
        assert_eq!(seen.parts(0.3), parts(0, 3, 9));
        assert_eq!(seen.parts(0.75), parts(3, 4, 5));
        assert_eq!(seen.parts(3.0), parts(7, 5, 0));
    }

    #[test]
    fn what_is_not_a_number_is_not_within_anything() {
        assert_eq!(histogram(5, &[(0.5, 1.0, 3)]).parts(2.0), parts(3, 0, 2));
    }

    #[test]
    fn negative_and_zero_buckets_lie_below() {
        let seen = histogram(6, &[(-2.0, -1.0, 1), (-0.001, 0.001, 2), (0.5, 1.0, 3)]);
        assert_eq!(seen.parts(0.5), parts(3, 0, 3));
    }

    #[test]
    fn buckets_that_contradict_each_other_are_no_histogram() {
        for (count, buckets) in
            [(9, vec![(0.5, 1.0, 1), (0.75, 1.5, 1)]), (1, vec![(0.5, 1.0, 2)]), (2, vec![(1.0, 1.0, 1)]), (2, vec![(f64::NAN, 1.0, 1)])]
        {
            assert_eq!(Histogram::new(count, buckets), None);
        }
    }

    #[test]
    fn what_is_told_makes_the_same_histogram() {
        let seen = histogram(12, &[(-1.0, 0.5, 3), (0.5, 1.0, 4), (2.0, 4.0, 4)]);
        let (count, buckets) = seen.told();
        assert_eq!(Histogram::new(count, buckets), Some(seen));
    }

    #[test]
    fn a_change_of_resolution_loses_nothing_and_widens_the_uncertain_part() {
        let fine = histogram(10, &[(0.5, 0.7, 4), (0.7, 1.0, 6)]);
        let coarse = histogram(15, &[(0.5, 1.0, 15)]);
        assert_eq!(coarse.since(&fine, 1.0), Some(parts(5, 0, 0)));
        assert_eq!(coarse.since(&fine, 0.7), Some(parts(0, 5, 0)), "the coarse bucket holds the threshold");
        assert_eq!(histogram(11, &[(0.5, 0.7, 4), (0.7, 1.0, 7)]).since(&fine, 0.7), Some(parts(0, 0, 1)));
    }

    #[test]
    fn a_part_that_became_smaller_is_a_reset_though_the_whole_grew() {
        let before = histogram(10, &[(0.5, 1.0, 9), (4.0, 8.0, 1)]);
        assert_eq!(histogram(20, &[(0.5, 1.0, 8), (4.0, 8.0, 12)]).since(&before, 2.0), None);
        assert_eq!(histogram(9, &[(0.5, 1.0, 9)]).since(&before, 2.0), None);
        assert_eq!(histogram(30, &[(8.0, 16.0, 30)]).since(&before, 2.0), None);
    }

    /// The bounds of powers of two, `fineness` buckets to each doubling; every fineness is a power of two, so that coarse edges are fine ones too.
    fn bucketed(observations: &[f64], fineness: i32) -> Histogram {
        let bound = |n: i32| 2_f64.powf(f64::from(n) / f64::from(fineness));
        let held = |n: i32| observations.iter().filter(|value| **value > bound(n - 1) && **value <= bound(n)).count();
        let buckets = (-8 * fineness..=8 * fineness).map(|n| (bound(n - 1), bound(n), held(n) as u64));
        Histogram::new(observations.len() as u64, buckets).expect("in order")
    }

    proptest! {
        #[test]
        fn good_lies_between_the_ends_whatever_the_resolutions(
            early in prop::collection::vec(0.01_f64..100.0, 0..40), late in prop::collection::vec(0.01_f64..100.0, 0..40),
            resolutions in prop::array::uniform2(0_u32..4), threshold in 0.05_f64..50.0,
        ) {
            let all: Vec<f64> = early.iter().chain(&late).copied().collect();
            let [first, second] = resolutions.map(|power| 2_i32.pow(power));
            let (before, after) = (bucketed(&early, first), bucketed(&all, second));
            for (parts, observed) in [(after.parts(threshold), &all), (after.since(&before, threshold).expect("no reset"), &late)] {
                let good = observed.iter().filter(|value| **value <= threshold).count() as u64;
                prop_assert!(parts.within <= good && good <= parts.within + parts.around, "{parts:?} {good}");
                prop_assert_eq!(parts.within + parts.around + parts.above, observed.len() as u64);
            }
            for exact in [0.25, 1.0, 8.0] {
                prop_assert_eq!(after.since(&before, exact).expect("no reset").around, 0, "a bound of every resolution");
            }
        }
    }
}
