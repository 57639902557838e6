//! Which target to propose, from how good the last weeks were and how often each target would have paged in them.
//!
//! The strictest target of a ladder that leaves a quarter of its budget, allows at least ten failures, and pages no more often than the next looser one:
//! a page that every target sends is an outage, and so is one while at least a tenth fails; one that only the stricter sends is a needless one. Why so: `docs/adr/0035-proposed-targets.md`.

use burnward_core::units::Target;

/// The targets that are tried, strictest first.
const LADDER: [&str; 10] = ["99.99%", "99.95%", "99.9%", "99.5%", "99%", "98%", "95%", "90%", "80%", "50%"];

/// The part of a budget that may be spent in weeks like the last.
const MOST_SPENT: f64 = 0.75;
/// With fewer failures allowed, chance decides.
const FEWEST_ALLOWED: f64 = 10.0;

/// What a target would have meant.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tried {
    /// The target.
    pub target: Target,
    /// The pages that it would have sent.
    pub pages: usize,
    /// Those of them that told of an outage: at least a tenth of all failed when they were sent.
    pub outages: usize,
    /// The tickets.
    pub tickets: usize,
}

/// The targets of the ladder.
pub fn targets() -> Vec<Target> {
    LADDER.iter().filter_map(|text| Target::percent(text).ok()).collect()
}

/// How good the last weeks were.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measured {
    /// The share of good events.
    pub good: f64,
    /// How many events there were.
    pub events: f64,
}

impl Measured {
    /// The part of its budget that a target would have spent.
    pub fn spent(&self, target: Target) -> f64 {
        (1.0 - self.good) / target.allowed().as_f64()
    }

    pub(super) fn keeps(&self, target: Target) -> bool {
        self.spent(target) <= MOST_SPENT
    }

    /// Whether it allows enough failures to tell more than chance.
    pub(super) fn is_told_by_events(&self, target: Target) -> bool {
        self.events * target.allowed().as_f64() >= FEWEST_ALLOWED
    }
}

impl Tried {
    /// Pages that told of no outage: a looser target that sends fewer of them wakes nobody for nothing.
    const fn needless(&self) -> usize {
        self.pages - self.outages
    }
}

/// The target to propose, by its place among those that were tried, strictest first; `None` where none is kept.
pub fn choose(measured: Measured, tried: &[Tried]) -> Option<usize> {
    let fits = |tried: &Tried| measured.keeps(tried.target) && measured.is_told_by_events(tried.target);
    let next = |place: usize| tried.get(place + 1).map_or(usize::MAX, Tried::needless);
    let calm = tried.iter().enumerate().find(|(place, one)| fits(one) && one.needless() <= next(*place));
    calm.map(|(place, _)| place).or_else(|| tried.iter().position(fits))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The choice by the share of good, the events, and the pages of each target of the ladder.
    fn check(good: f64, events: f64, pages: [usize; 10]) -> Option<String> {
        check_with(good, events, pages, [0; 10])
    }

    /// The same where so many of the pages told of an outage.
    fn check_with(good: f64, events: f64, pages: [usize; 10], outages: [usize; 10]) -> Option<String> {
        let of_target = targets().into_iter().zip(pages.into_iter().zip(outages));
        let tried: Vec<Tried> = of_target.map(|(target, (pages, outages))| Tried { target, pages, outages, tickets: 0 }).collect();
        choose(Measured { good, events }, &tried).map(|place| tried[place].target.as_percent())
    }

    #[test]
    fn the_strictest_that_is_kept_with_room_and_pages_for_nothing_else() {
        for (good, pages, chosen) in [
            (0.9993, [9, 5, 2, 0, 0, 0, 0, 0, 0, 0], "99.5"),
            (0.9993, [9, 5, 0, 0, 0, 0, 0, 0, 0, 0], "99.9"),
            (0.9992, [9, 5, 0, 0, 0, 0, 0, 0, 0, 0], "99.5"),
            (0.99999, [0; 10], "99.99"),
            (0.93, [9, 9, 9, 9, 9, 9, 3, 1, 0, 0], "80"),
        ] {
            assert_eq!(check(good, 1e6, pages).as_deref(), Some(chosen), "{good}");
        }
    }

    #[test]
    fn a_page_that_the_looser_target_sends_too_is_an_outage_and_no_reason_against() {
        assert_eq!(check(0.9996, 1e6, [4, 3, 2, 2, 2, 1, 1, 1, 0, 0]).as_deref(), Some("99.9"));
    }

    /// One that every second looser target sleeps through, until none is left that tells of it.
    #[test]
    fn an_outage_is_no_reason_for_a_looser_target() {
        let (pages, outages) = ([4, 4, 3, 2, 1, 0, 0, 0, 0, 0], [2, 2, 2, 2, 1, 0, 0, 0, 0, 0]);
        assert_eq!(check_with(0.999, 1e6, pages, outages).as_deref(), Some("99.5"));
        assert_eq!(check(0.999, 1e6, pages).as_deref(), Some("98"), "as pages for less");
    }

    #[test]
    fn a_target_that_allows_less_than_ten_failures_is_left_to_chance_by_none() {
        assert_eq!(check(1.0, 3_000.0, [0; 10]).as_deref(), Some("99.5"));
        assert_eq!(check(1.0, 50.0, [0; 10]).as_deref(), Some("80"));
        assert_eq!(check(1.0, 5.0, [0; 10]), None);
    }

    #[test]
    fn what_fails_more_often_than_not_has_no_target() {
        assert_eq!(check(0.3, 1e6, [0; 10]), None);
    }
}
