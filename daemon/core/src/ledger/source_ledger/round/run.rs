//! Runs: the samples of a counter that go on from its last one, each without a fall and without a gap before it. Nearly all samples are of a run, and of
//! those nothing has to be asked that tells other samples apart.

use super::{Course, Round, Sight, add_near, follow::Followed};
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

/// How the events of a counter are booked.
struct Booking {
    stream: u32,
    /// What one event is.
    event: Counts,
    /// The length of the finest slices, in milliseconds.
    slice: i64,
    /// From here on events count.
    from: Timestamp,
}

impl Booking {
    /// Books the first of these samples, as many as go on, and moves the counter on; gives back those that follow.
    fn run<'s>(&self, counter: &mut Counter, pace: &Pace, mut samples: &'s [Sample], entries: &mut Vec<Entry>) -> &'s [Sample] {
        let Some(first) = samples.first() else { return samples };
        let (mut end, mut place) = (first.at.millis().div_euclid(self.slice) * self.slice, 0);
        while let [Sample { at, value }, rest @ ..] = samples {
            let Some(events) = exact(*value).and_then(|value| counter.go_on(*at, value, pace)) else { break };
            samples = rest;
            if events > 0 && *at >= self.from {
                while end < at.millis() {
                    end += self.slice;
                }
                let (stream, counts) = (self.stream, self.event.times(events));
                place = add_near(entries, place, Entry { stream, end: Timestamp::from_millis(end), counts });
            }
        }
        samples
    }
}

impl Round<'_> {
    /// Counts the first of these samples, as many as go on: the same as what is made of them one by one where no other replica was read. Gives back those
    /// that follow.
    pub(super) fn go_on<'s>(
        &mut self,
        course: &Course,
        side: &Side,
        route: &Route,
        sight: &Sight<'_>,
        samples: &'s [Sample],
        followed: &mut Followed,
    ) -> &'s [Sample] {
        let Some(mut counter) = followed.counter.filter(|_| !sight.is_odd()) else { return samples };
        let stream = route.stream as usize;
        let never = Timestamp::from_millis(i64::MAX);
        let from = if course.has_thresholds {
            self.counts_from(route.lane as usize, route.stream).unwrap_or(never)
        } else {
            Timestamp::from_millis(i64::MIN)
        };
        let booking = Booking { stream: route.stream, event: side.role.book(1), slice: millis(course.finest), from };
        let (settled, newer) = samples.split_at(samples.partition_point(|sample| sample.at <= course.settled));
        let mut rest = booking.run(&mut counter, &self.pace, settled, &mut self.settled[stream]).len() + newer.len();
        followed.kept = Some(counter);
        if rest == newer.len() {
            let provisional = self.counted.provisional[stream].get_or_insert_default();
            rest = booking.run(&mut counter, &self.pace, newer, &mut provisional.entries).len();
        }
        followed.counter = Some(counter);
        if rest < samples.len() {
            followed.heard = Some((samples[0].at, counter));
        }
        &samples[samples.len() - rest..]
    }
}
