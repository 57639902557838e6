//! What people take out of budgets: where it begins and ends is kept between slices, so that it can be subtracted exactly however old it is.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use super::{SourceLedger, Stream, VERDICTS, days};
use crate::{
    exclusion::Exclusions,
    ledger::{
        Damaged, Edges, Stored,
        marks::Marks,
        segment::{RoundSlices, unpack_segment},
    },
    time::Timestamp,
};

impl SourceLedger {
    /// Takes the exclusions of the tenant as they are now. Those that begin or end before what is counted need what is `stored`, from which what lies
    /// before their edges is counted; without it, only edges that the ledger has already, or that lie ahead, are exact.
    ///
    /// # Errors
    /// A stored blob cannot be read; nothing is changed then.
    pub fn set_exclusions(&mut self, exclusions: Arc<Exclusions>, stored: Option<&Stored>, now: Timestamp) -> Result<(), Damaged> {
        let before = self.put_exclusions(exclusions, now);
        let fresh = self.fresh_marks();
        let marks = match stored {
            None => Ok(self.all_carried(fresh)),
            Some(stored) => counted(fresh, stored),
        };
        match marks {
            Ok(marks) => {
                self.put_marks(marks);
                Ok(())
            }
            Err(damaged) => {
                (self.exclusions, self.edges_since) = before;
                Err(damaged)
            }
        }
    }

    /// The same without what is stored; false, and nothing is changed, where there is an edge of which it would not be known what lies before.
    pub fn carry_exclusions(&mut self, exclusions: Arc<Exclusions>, now: Timestamp) -> bool {
        let before = self.put_exclusions(exclusions, now);
        let fresh = self.fresh_marks();
        let is_known = |(stream, marks): (&u32, &Marks)| {
            self.kept(*stream).is_some_and(|kept| marks.are_known(kept.slices.marks(), kept.slices.newest_end()))
        };
        if !fresh.iter().all(is_known) {
            (self.exclusions, self.edges_since) = before;
            return false;
        }
        self.put_marks(self.all_carried(fresh));
        true
    }

    /// Which segments hold what lies before the edges of these exclusions, within the hours of those: of which streams, from which days. What is `stored` of
    /// others need not be given to `set_exclusions`; all rounds must be.
    pub fn days_of_edges(&mut self, exclusions: Arc<Exclusions>, now: Timestamp) -> Vec<(u32, Timestamp)> {
        let before = self.put_exclusions(exclusions, now);
        let fresh = self.fresh_marks();
        (self.exclusions, self.edges_since) = before;
        let days_of = |(stream, marks): (u32, Marks)| {
            let days: BTreeSet<Timestamp> = marks.instants().map(|at| at.floor(days(1))).collect();
            days.into_iter().map(move |day| (stream, day))
        };
        fresh.into_iter().flat_map(days_of).collect()
    }

    /// Puts exclusions in place; gives back what stood there.
    fn put_exclusions(&mut self, exclusions: Arc<Exclusions>, now: Timestamp) -> (Arc<Exclusions>, Timestamp) {
        let longest = self.level_specs.iter().flatten().map(|level| level.keep).max().unwrap_or_default();
        let since = now.minus(longest.max(days(36)) + days(1));
        (std::mem::replace(&mut self.exclusions, exclusions), std::mem::replace(&mut self.edges_since, since))
    }

    /// Marks at all edges, where nothing was counted yet.
    fn fresh_marks(&self) -> BTreeMap<u32, Marks> {
        self.all_edges().map(|(stream, edges)| (stream, Marks::at(&edges))).collect()
    }

    fn all_carried(&self, fresh: BTreeMap<u32, Marks>) -> BTreeMap<u32, Marks> {
        fresh.into_iter().map(|(stream, marks)| (stream, self.carried(stream, marks))).collect()
    }

    fn put_marks(&mut self, marks: BTreeMap<u32, Marks>) {
        for (stream, marks) in marks {
            if let Some(slices) = self.slices_mut(stream) {
                slices.set_marks(marks);
            }
        }
    }

    /// The edges that no roll-up may cross.
    pub fn edges(&self) -> Edges {
        let of_events = self.streams.iter().map(|held| (held.stream.index, held.grain));
        let of_verdicts = (VERDICTS..).zip(&self.judged).map(|(stream, judged)| (stream, judged.rule.length));
        Edges::new(self.all_edges()).with_grains(of_events.chain(of_verdicts))
    }

    /// The edges of every stream. Those of verdicts lie where whole slices end.
    fn all_edges(&self) -> impl Iterator<Item = (u32, Vec<Timestamp>)> + '_ {
        let of_events = self.streams.iter().map(|held| (held.stream.index, self.edges_of(&held.stream, held.place)));
        let of_verdicts =
            (VERDICTS..).zip(&self.judged).map(|(stream, judged)| (stream, self.verdict_edges(judged.of, judged.rule.length)));
        of_events.chain(of_verdicts)
    }

    pub(super) fn verdict_edges(&self, events: u32, length: Duration) -> Vec<Timestamp> {
        let held = &self.streams[events as usize];
        whole(length, self.edges_of(&held.stream, held.place))
    }

    fn carried(&self, stream: u32, marks: Marks) -> Marks {
        match self.kept(stream) {
            Some(kept) => kept.slices.marks().carried_into(marks),
            None => marks,
        }
    }

    /// Those of a composite lie where whole slices end, too.
    pub(super) fn edges_of(&self, stream: &Stream, place: Option<usize>) -> Vec<Timestamp> {
        let edges = self.exclusions.edges(&stream.slo, &stream.group, self.edges_since);
        match self.composite_slice(place) {
            Some(length) => whole(length, edges),
            None => edges,
        }
    }
}

fn whole(length: Duration, edges: Vec<Timestamp>) -> Vec<Timestamp> {
    edges.into_iter().flat_map(|edge| [edge.floor(length), edge.ceil(length)]).collect()
}

/// The marks with all that is stored; what a later release stored of streams that are not known here is left out.
fn counted(mut marks: BTreeMap<u32, Marks>, stored: &Stored) -> Result<BTreeMap<u32, Marks>, Damaged> {
    for segment in &stored.segments {
        let Some(marks) = marks.get_mut(&segment.key.stream).filter(|marks| !marks.is_empty()) else { continue };
        for (end, counts) in unpack_segment(segment.key.step(), &segment.blob)? {
            marks.add(end, counts);
        }
    }
    for (_, blob) in &stored.rounds {
        let round = RoundSlices::unpack(blob)?;
        for entry in &round.entries {
            if let Some(marks) = marks.get_mut(&entry.stream) {
                marks.add(entry.end, entry.counts);
            }
        }
        for span in &round.spans {
            if let Some(marks) = marks.get_mut(&span.stream) {
                marks.add_span(span);
            }
        }
    }
    Ok(marks)
}
