//! What samples of text can show: series, but no expressions and no native histograms. SLOs of those are left out of a replay, and so are the journeys
//! that they are part of: what was there all the time is not told as something that could not be seen.

use std::{collections::BTreeSet, sync::Arc};

use burnward_core::{id::SloId, slo::Slo};

/// SLOs, by whether samples of text show them.
#[derive(Debug, Default)]
pub struct OfText {
    /// What they show.
    pub shown: Vec<Arc<Slo>>,
    /// What they do not, each with why; in the order of the SLOs.
    pub left_out: Vec<(SloId, &'static str)>,
}

impl OfText {
    /// These SLOs.
    pub fn of(slos: Vec<Arc<Slo>>) -> Self {
        Self::without(slos, &BTreeSet::new())
    }

    /// These SLOs but some, which are left out in another version.
    pub fn without(slos: Vec<Arc<Slo>>, others: &BTreeSet<SloId>) -> Self {
        let is_out = |slo: &&Arc<Slo>| own(slo).is_some() || others.contains(&slo.id);
        let mut unknown: BTreeSet<SloId> = slos.iter().filter(is_out).map(|slo| slo.id.clone()).collect();
        // A journey may be part of another one.
        loop {
            let hidden = |slo: &&Arc<Slo>| !unknown.contains(&slo.id) && leads_over(slo, &unknown);
            let more: Vec<SloId> = slos.iter().filter(hidden).map(|slo| slo.id.clone()).collect();
            if more.is_empty() {
                break;
            }
            unknown.extend(more);
        }
        let (out, shown): (Vec<_>, Vec<_>) = slos.into_iter().partition(|slo| unknown.contains(&slo.id));
        let why = |slo: &Slo| match own(slo) {
            Some(why) => why,
            None if leads_over(slo, &unknown) => "a journey over one of those",
            None => "its other version is left out",
        };
        let left_out = out.iter().map(|slo| (slo.id.clone(), why(slo))).collect();
        Self { shown, left_out }
    }

    /// What is left out and why, as words behind `note: `; `None`: nothing.
    pub fn note(&self) -> Option<String> {
        if self.left_out.is_empty() {
            return None;
        }
        let each = self.left_out.iter().map(|(id, why)| format!("{}/{} ({why})", id.service, id.name));
        let each = each.collect::<Vec<_>>().join(", ");
        Some(format!("left out, because samples of text do not show it: {each}"))
    }
}

/// A note of what is left out, as a sentence by itself.
pub fn as_sentence(note: &str) -> String {
    format!("{}.", note.replacen('l', "L", 1))
}

/// Why samples of text do not show an SLO, by its own SLI.
fn own(slo: &Slo) -> Option<&'static str> {
    if !slo.sli.expressions().is_empty() {
        Some("expressions need a source that evaluates them")
    } else if slo.sli.native_threshold().is_some() {
        Some("native histograms are not in text")
    } else {
        None
    }
}

fn leads_over(slo: &Slo, unknown: &BTreeSet<SloId>) -> bool {
    slo.sli.composite().is_some_and(|journey| journey.members().any(|member| unknown.contains(&member.slo)))
}
