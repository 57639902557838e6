//! What people take out of budgets: where it begins and ends is kept between slices, so that it can be subtracted exactly however old it is.

use std::sync::Arc;

use super::{SourceLedger, Stream, days};
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
        let longest = self.level_specs.iter().flatten().map(|level| level.keep).max().unwrap_or_default();
        let (before, since) = (std::mem::replace(&mut self.exclusions, exclusions), now.minus(longest.max(days(36)) + days(1)));
        let before = (before, std::mem::replace(&mut self.edges_since, since));
        let fresh: Vec<Marks> = self.streams.iter().map(|held| Marks::at(&self.edges_of(&held.stream))).collect();
        let marks = match stored {
            None => Ok(fresh.into_iter().zip(&self.streams).map(|(marks, held)| held.slices.marks().carried_into(marks)).collect()),
            Some(stored) => counted(fresh, stored),
        };
        match marks {
            Ok(marks) => {
                for (held, marks) in self.streams.iter_mut().zip(marks) {
                    held.slices.set_marks(marks);
                }
                Ok(())
            }
            Err(damaged) => {
                (self.exclusions, self.edges_since) = before;
                Err(damaged)
            }
        }
    }

    /// The edges that no roll-up may cross.
    pub fn edges(&self) -> Edges {
        Edges::new(self.streams.iter().map(|held| (held.stream.index, self.edges_of(&held.stream))))
            .with_grains(self.streams.iter().map(|held| (held.stream.index, held.grain)))
    }

    pub(super) fn edges_of(&self, stream: &Stream) -> Vec<Timestamp> {
        self.exclusions.edges(&stream.slo, &stream.group, self.edges_since)
    }
}

/// The marks with all that is stored; what a later release stored of streams that are not known here is left out.
fn counted(mut marks: Vec<Marks>, stored: &Stored) -> Result<Vec<Marks>, Damaged> {
    for segment in &stored.segments {
        let Some(marks) = marks.get_mut(segment.key.stream as usize).filter(|marks| !marks.is_empty()) else { continue };
        for (end, counts) in unpack_segment(segment.key.step(), &segment.blob)? {
            marks.add(end, counts);
        }
    }
    for (_, blob) in &stored.rounds {
        let round = RoundSlices::unpack(blob)?;
        for entry in &round.entries {
            if let Some(marks) = marks.get_mut(entry.stream as usize) {
                marks.add(entry.end, entry.counts);
            }
        }
        for span in &round.spans {
            if let Some(marks) = marks.get_mut(span.stream as usize) {
                marks.add_span(span);
            }
        }
    }
    Ok(marks)
}
