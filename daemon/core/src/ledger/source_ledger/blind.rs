//! What the answers of a round tell of their source as a whole: whether it is blind, and whether it stands still.

use std::collections::BTreeSet;

use super::{Read, Reads};
use crate::ledger::{Blinds, Reason, Series, Unknown};

impl Reads {
    /// Why the source as a whole is blind, by its answers in the order of the questions. One question that fails is a matter of the SLOs that hang on it: the
    /// source is blind where no answer to any question can be used, for whatever reason, where that of its targets cannot, or where several questions were not
    /// answered and they are at least half of all. A refusal of all that one SLO asks is its own mistake, unless the targets are refused too.
    pub fn source_unknown<'a>(&self, answers: &'a [Result<Vec<Series>, Unknown>]) -> Option<&'a Unknown> {
        let asked: Vec<Heard<'a>> = self.reads.iter().zip(answers).filter_map(|(read, answer)| Heard::of(read, answer)).collect();
        let of_targets: Vec<Heard<'a>> = asked.iter().filter(|heard| Some(heard.query) == self.targets).copied().collect();
        unheard(&of_targets)
            .or_else(|| all_useless(&of_targets))
            .or_else(|| most_unheard(&asked))
            .or_else(|| all_useless(&asked).filter(|_| !self.is_one_slo_refused(&asked)))
    }

    fn is_one_slo_refused(&self, asked: &[Heard<'_>]) -> bool {
        let slos: BTreeSet<usize> = self.cohorts.iter().flat_map(|cohort| cohort.lanes.iter().copied()).collect();
        slos.len() <= 1 && asked.iter().all(|heard| heard.unknown.is_some_and(|unknown| unknown.reason == Reason::BadQuery))
    }

    /// The place of the question of targets, of the live one where there is one: it is small, and what is asked of raw samples is worth nothing without it.
    pub fn of_targets(&self) -> Option<usize> {
        self.reads.iter().position(|read| Some(read.query) == self.targets)
    }

    /// True where the targets were asked for up to now and nothing was scraped of any of late: the source answers, and stands still.
    pub fn targets_are_silent(&self, answers: &[Result<Vec<Series>, Unknown>]) -> bool {
        let live = self.cohorts.iter().filter(|cohort| cohort.live).flat_map(|cohort| cohort.reads.clone());
        let of_targets = live.filter(|at| Some(self.reads[*at].query) == self.targets).filter_map(|at| answers.get(at));
        let mut scraped = of_targets.map(|answer| answer.as_ref().map_or(1, Vec::len)).peekable();
        scraped.peek().is_some() && scraped.all(|series| series == 0)
    }
}

/// What became of one question.
#[derive(Debug, Clone, Copy)]
struct Heard<'a> {
    query: usize,
    /// Why its answer cannot be used, if so.
    unknown: Option<&'a Unknown>,
}

impl<'a> Heard<'a> {
    /// `None` where it was not asked at all: of a source that is known to give no raw samples, or before its targets were scraped for the first time.
    fn of(read: &Read, answer: &'a Result<Vec<Series>, Unknown>) -> Option<Self> {
        let unknown = answer.as_ref().err();
        let was_asked = !unknown.is_some_and(|unknown| matches!(unknown.reason, Reason::NoRaw | Reason::NotYet));
        was_asked.then_some(Self { query: read.query, unknown })
    }

    /// Why there was no answer, which is of the source.
    fn unheard(&self) -> Option<&'a Unknown> {
        self.unknown.filter(|unknown| unknown.reason.blinds() == Blinds::Source)
    }
}

/// Why one of them was not answered.
fn unheard<'a>(asked: &[Heard<'a>]) -> Option<&'a Unknown> {
    asked.iter().find_map(Heard::unheard)
}

/// The same where it is so of all questions, or of several that are at least half of them.
fn most_unheard<'a>(asked: &[Heard<'a>]) -> Option<&'a Unknown> {
    let all: BTreeSet<usize> = asked.iter().map(|heard| heard.query).collect();
    let failed: BTreeSet<usize> = asked.iter().filter(|heard| heard.unheard().is_some()).map(|heard| heard.query).collect();
    unheard(asked).filter(|_| failed.len() == all.len() || (failed.len() > 1 && failed.len() * 2 >= all.len()))
}

/// Why no answer can be used: a reason of the source where there is one, else the first.
fn all_useless<'a>(asked: &[Heard<'a>]) -> Option<&'a Unknown> {
    let first = asked.first()?.unknown?;
    asked.iter().all(|heard| heard.unknown.is_some()).then(|| unheard(asked).unwrap_or(first))
}
