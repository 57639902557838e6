//! Runs: the samples of a counter that go on from its last one, each without a fall and without a gap before it. Nearly all samples are of a run, and of
//! those nothing has to be asked that tells other samples apart.

use super::{Round, Sight, add_near};
use crate::{
    ledger::{
        Sample,
        count::Counter,
        plan::Role,
        slice::Entry,
        source_ledger::parts::{Lane, Route},
    },
    time::Timestamp,
};

/// Where a counter stands before a read.
pub(super) struct Standing {
    pub counter: Counter,
    /// Up to here its samples are settled.
    pub settled: Timestamp,
    /// From here on events count; `None` where none do.
    pub counts_from: Option<Timestamp>,
}

/// How far a counter went on.
pub(super) struct Run {
    /// How many samples that were.
    pub samples: usize,
    /// At the last of them.
    pub last: Counter,
    /// At the last settled one.
    pub last_settled: Counter,
}

impl Round<'_> {
    /// Counts the first of these samples, as many as go on: the same as what is made of them one by one where no other replica was read.
    pub(super) fn go_on(&mut self, route: &Route, role: Role, sight: &Sight<'_>, samples: &[Sample], standing: &Standing) -> Run {
        let Standing { counter, settled, counts_from } = *standing;
        let mut run = Run { samples: 0, last: counter, last_settled: counter };
        let (finest, stream) = (self.finest(route.lane as usize), route.stream as usize);
        let (settled_entries, newer) = (&mut self.settled[stream], &mut self.counted.provisional[stream].get_or_insert_default().entries);
        let (mut next_settled, mut next_newer) = (0, 0);
        for sample in samples {
            let value = sight.exact_value(sample).filter(|_| Lane::remembers(sample.at.since(run.last.at)));
            let Some(events) = value.and_then(|value| run.last.go_on(sample.at, value, &self.rule)) else { break };
            run.samples += 1;
            let is_settled = sample.at <= settled;
            if is_settled {
                run.last_settled = run.last;
            }
            if events > 0 && counts_from.is_some_and(|from| sample.at >= from) {
                let entry = Entry { stream: route.stream, end: sample.at.ceil(finest), counts: role.book(events) };
                let (entries, next) = if is_settled { (&mut *settled_entries, &mut next_settled) } else { (&mut *newer, &mut next_newer) };
                *next = add_near(entries, *next, entry);
            }
        }
        run
    }
}
