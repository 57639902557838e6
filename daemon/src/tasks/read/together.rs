//! Which selectors are asked for in one question. Those that a source refused by themselves are asked for alone until it answers them; an answer that came
//! near to a cap makes later questions smaller.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use burnward_core::{
    ledger::{Blinds, Query, Read, Reason, Unknown},
    sli::Selector,
    time::Timestamp,
};

use crate::source::merge::{Merged, merge};

/// Selectors that are asked for together at most, in a live read.
const MOST: u32 = 250;

/// So many samples of a series are as many as a live read has; of more, fewer selectors are asked for together.
const SAMPLES: u64 = 8;

/// How often a series is usually scraped, in seconds.
const SCRAPE: u64 = 15;

/// How selectors are asked for together.
#[derive(Debug)]
pub(super) struct Together {
    most: AtomicU32,
    /// Selectors that were refused for a reason of their own.
    apart: Mutex<BTreeSet<Selector>>,
}

impl Default for Together {
    fn default() -> Self {
        Self { most: AtomicU32::new(MOST), apart: Mutex::default() }
    }
}

/// Where a question begins and ends; with a step it is for values at every step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
    pub(super) step: Option<Duration>,
}

/// What is asked at once.
#[derive(Debug)]
pub(super) struct Question<'q> {
    /// The selectors of the reads at its parts.
    pub(super) merged: Merged,
    pub(super) span: Span,
    /// Of all reads, by their places; those that are none of a selector have that of another.
    pub(super) selectors: Arc<[&'q Selector]>,
}

impl Together {
    /// The questions for the reads of selectors.
    pub(super) fn questions<'q>(&self, queries: &'q [Query], reads: &[Read], step: Option<Duration>) -> Vec<Question<'q>> {
        let raw: Vec<(usize, Read, &Selector)> =
            reads.iter().enumerate().filter_map(|(place, read)| Some((place, *read, selector_of(&queries[read.query])?))).collect();
        let Some((_, _, any)) = raw.first() else { return Vec::new() };
        let mut selectors = vec![*any; reads.len()];
        let mut spans: Vec<(Span, Vec<(usize, &Selector)>)> = Vec::new();
        for (place, read, selector) in &raw {
            selectors[*place] = selector;
            let span = Span { from: read.from, to: read.to, step };
            match spans.iter_mut().find(|(known, _)| *known == span) {
                Some((_, parts)) => parts.push((*place, selector)),
                None => spans.push((span, vec![(*place, selector)])),
            }
        }
        let selectors: Arc<[&Selector]> = selectors.into();
        let merged = spans.into_iter().flat_map(|(span, parts)| self.merged(&parts, span).into_iter().map(move |merged| (span, merged)));
        merged.map(|(span, merged)| Question { merged, span, selectors: Arc::clone(&selectors) }).collect()
    }

    fn merged(&self, parts: &[(usize, &Selector)], span: Span) -> Vec<Merged> {
        let apart = self.apart();
        let (alone, others): (Vec<_>, Vec<_>) = parts.iter().partition(|(_, selector)| apart.contains(*selector));
        let mut merged = merge(&others, self.at_most(span));
        merged.extend(alone.into_iter().map(|(place, selector)| Merged::alone(place, selector)));
        merged
    }

    /// Fewer where the question spans more samples.
    fn at_most(&self, span: Span) -> usize {
        let spacing = span.step.map_or(SCRAPE, |step| step.as_secs().max(1));
        let times_live = (span.to.since(span.from).as_secs() / spacing / SAMPLES).max(1);
        usize::try_from(u64::from(self.most.load(Ordering::Relaxed)) / times_live).unwrap_or(1).max(1)
    }

    /// A question was too much, or near to it: fewer from now on.
    pub(super) fn was_too_much(&self) {
        self.at_most_half_of(MOST);
    }

    fn at_most_half_of(&self, parts: u32) {
        let fewer = (self.most.load(Ordering::Relaxed).min(parts) / 2).max(1);
        self.most.store(fewer, Ordering::Relaxed);
    }

    /// What failed while the source as a whole answered is asked for alone: what is then answered is let go again, and what is too heavy stays alone.
    pub(super) fn keep_apart(&self, selector: &Selector) {
        self.apart().insert(selector.clone());
    }

    /// What was answered alone is asked for with others again; what was answered together may be one more next time, or far fewer where it came near to a
    /// cap. From half of a cap it never grows beyond it between two questions.
    pub(super) fn answered(&self, merged: &Merged, is_near_a_cap: bool) {
        match (merged.parts.as_slice(), is_near_a_cap) {
            ([_], _) => {
                self.apart().remove(&merged.selector);
            }
            (_, true) => self.was_too_much(),
            (_, false) => {
                let more = (self.most.load(Ordering::Relaxed) + 1).min(MOST);
                self.most.store(more, Ordering::Relaxed);
            }
        }
    }

    /// What was refused by itself is asked for alone from now on. A question for many that took too long is for half of them next time.
    pub(super) fn refused(&self, merged: &Merged, unknown: &Unknown) {
        match (merged.parts.as_slice(), unknown.reason) {
            ([_], reason) if reason.blinds() != Blinds::Source => {
                self.apart().insert(merged.selector.clone());
            }
            ([_], _) => {}
            (parts, Reason::Timeout) => self.at_most_half_of(u32::try_from(parts.len()).unwrap_or(MOST)),
            (_, _) => {}
        }
    }

    fn apart(&self) -> MutexGuard<'_, BTreeSet<Selector>> {
        self.apart.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The selector of a query for raw samples.
pub(super) fn selector_of(query: &Query) -> Option<&Selector> {
    match query {
        Query::Raw(selector) => Some(selector),
        Query::Histograms(_) | Query::Stepped { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use burnward_core::sli::{MatchOp, Matcher};

    use super::*;

    fn queries(count: usize) -> Vec<Query> {
        let matcher = |number: usize| Matcher { label: "service".to_owned(), op: MatchOp::Equal, value: format!("s{number}") };
        (0..count).map(|number| Query::Raw(Selector::new("m", vec![matcher(number)]))).collect()
    }

    fn sizes(together: &Together, queries: &[Query], seconds: i64) -> Vec<usize> {
        let (from, to) = (Timestamp::EPOCH, Timestamp::from_seconds(seconds));
        let reads: Vec<Read> = (0..queries.len()).map(|query| Read { query, from, to }).collect();
        together.questions(queries, &reads, None).iter().map(|question| question.merged.parts.len()).collect()
    }

    #[test]
    fn a_longer_stretch_and_an_answer_near_a_cap_make_smaller_questions() {
        let (together, queries) = (Together::default(), queries(500));
        assert_eq!(sizes(&together, &queries, 70), [250, 250]);
        assert_eq!(sizes(&together, &queries, 3600).len(), 500_usize.div_ceil(250 / 30));
        let selectors: Vec<(usize, &Selector)> = queries.iter().filter_map(selector_of).enumerate().collect();
        let many = merge(&selectors, 500).remove(0);
        together.answered(&many, true);
        assert_eq!(sizes(&together, &queries, 70), [125; 4]);
        together.answered(&many, false);
        assert_eq!(sizes(&together, &queries, 70), [126, 126, 126, 122]);
        together.refused(&many, &Unknown::new(Reason::Timeout, "no answer within 15 s"));
        assert_eq!(sizes(&together, &queries, 70).len(), 500_usize.div_ceil(63));
    }

    #[test]
    fn what_was_refused_is_asked_for_alone_until_it_is_answered() {
        let (together, queries) = (Together::default(), queries(3));
        let alone = Merged::alone(1, selector_of(&queries[1]).expect("raw"));
        together.refused(&alone, &Unknown::new(Reason::Timeout, "the source is slow"));
        assert_eq!(sizes(&together, &queries, 70), [3], "that is not of the selector");
        together.refused(&alone, &Unknown::new(Reason::TooMany, "too many series"));
        assert_eq!(sizes(&together, &queries, 70), [2, 1]);
        together.answered(&alone, false);
        assert_eq!(sizes(&together, &queries, 70), [3]);
    }
}
