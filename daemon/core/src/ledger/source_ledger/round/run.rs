//! Runs: the samples of a counter that go on from its last one, each without a fall and without a gap before it. Nearly all samples are of a run, and of
//! those nothing has to be asked that tells other samples apart.

use super::{Course, Round, add_near};
use crate::{
    ledger::{
        Counts, Sample,
        count::{Counter, Pace, exact},
        plan::Side,
        slice::Entry,
        source_ledger::parts::Route,
    },
    time::{Timestamp, millis},
};

/// A run under way.
struct Run<'s> {
    samples: &'s [Sample],
    counter: Counter,
    /// What one event is.
    event: Counts,
    stream: u32,
    /// The length of the finest slices, in milliseconds.
    slice: i64,
    /// From here on events count.
    from: Timestamp,
}

impl Run<'_> {
    /// Books the samples up to a moment, as many as go on; true where those are all.
    fn book(&mut self, until: Timestamp, pace: &Pace, entries: &mut Vec<Entry>) -> bool {
        let (mut end, mut place) = (i64::MIN, 0);
        while let [Sample { at, value }, rest @ ..] = self.samples {
            if *at > until {
                break;
            }
            let Some(events) = exact(*value).and_then(|value| self.counter.go_on(*at, value, pace)) else { return false };
            self.samples = rest;
            if events > 0 && *at >= self.from {
                end = next_end(end, at.millis(), self.slice);
                let counts = self.event.times(events);
                place = add_near(entries, place, Entry { stream: self.stream, end: Timestamp::from_millis(end), counts });
            }
        }
        true
    }
}

/// The end of the slice that holds an instant, which mostly is one of the next behind `end`.
fn next_end(mut end: i64, at: i64, slice: i64) -> i64 {
    if at.saturating_sub(end) > 4 * slice {
        end = at.div_euclid(slice) * slice;
    }
    while end < at {
        end += slice;
    }
    end
}

impl Round<'_> {
    /// Counts the first of these samples, as many as go on: the same as what is made of them one by one where no other replica was read. Gives back those
    /// that follow, and the counter at the last settled one and at the last one.
    pub(super) fn go_on<'s>(
        &mut self,
        course: &Course,
        side: &Side,
        route: &Route,
        samples: &'s [Sample],
        counter: Counter,
    ) -> (&'s [Sample], Counter, Counter) {
        let (stream, never) = (route.stream as usize, Timestamp::from_millis(i64::MAX));
        let from = if course.has_thresholds {
            self.counts_from(route.lane as usize, route.stream).unwrap_or(never)
        } else {
            Timestamp::from_millis(i64::MIN)
        };
        let mut run = Run { samples, counter, event: side.role.book(1), stream: route.stream, slice: millis(course.finest), from };
        let all_settled = run.book(course.settled, &self.pace, &mut self.settled[stream]);
        let settled = run.counter;
        if all_settled && !run.samples.is_empty() {
            let provisional = self.counted.provisional[stream].get_or_insert_default();
            run.book(never, &self.pace, &mut provisional.entries);
        }
        (run.samples, settled, run.counter)
    }
}
