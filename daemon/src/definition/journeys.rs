//! What composites of a tenant are made of, checked when all of its files are read: that the members exist, count for themselves, and fit together.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use burnward_core::{
    id::SloId,
    sli::{
        Sli,
        composite::{Composite, Member},
    },
    slo::Slo,
};

use super::{
    codes::{self, Code},
    diagnostic::{Diagnostic, Place},
    discover, duration,
    load::Loaded,
    reader::suggest,
};

/// How files were found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ReadAs {
    /// In directories: all files of a tenant.
    Directories,
    /// Some of them by their own names.
    Files,
}

impl Loaded {
    /// The members of composites that are not among what was loaded, as `service/name`.
    pub fn members_elsewhere(&self) -> BTreeSet<String> {
        let ids: BTreeSet<&SloId> = self.slos.iter().map(|slo| &slo.id).collect();
        let members = self.slos.iter().filter_map(|slo| slo.sli.composite()).flat_map(Composite::members);
        members.filter(|member| !ids.contains(&member.slo)).map(|member| short(&member.slo)).collect()
    }

    /// Refuses the files whose composites cannot be. While some file does not load, a member that is not found may stand in it; where single files were
    /// read, in another one.
    pub(super) fn refuse_broken_journeys(&mut self, read: ReadAs) {
        let by_id: BTreeMap<&SloId, &Arc<Slo>> = self.slos.iter().map(|slo| (&slo.id, slo)).collect();
        let mut faults: Vec<(PathBuf, Diagnostic)> = Vec::new();
        for slo in &self.slos {
            let Some(composite) = slo.sli.composite() else { continue };
            for member in composite.members() {
                let fault = match by_id.get(&member.slo) {
                    Some(of) => self.unfit(slo, composite, member, of, &by_id),
                    None if self.faulty.is_empty() && read == ReadAs::Directories => Some(self.missing(slo, member, &by_id)),
                    None => None,
                };
                faults.extend(fault.map(|fault| (PathBuf::from(&slo.origin.file), fault)));
            }
        }
        self.refuse_for(faults);
    }

    fn missing(&self, slo: &Slo, member: &Member, by_id: &BTreeMap<&SloId, &Arc<Slo>>) -> Diagnostic {
        let name = short(&member.slo);
        let fault = self.fault(&codes::MEMBER, slo, &member.slo, format!("there is no SLO {name} in the directories of this tenant"));
        if let Some(renamed) = by_id.values().find(|slo| slo.former().as_ref() == Some(&member.slo)) {
            return fault.help(format!("it is called {} now", short(&renamed.id)));
        }
        let names: Vec<String> = by_id.keys().filter(|id| **id != &slo.id).map(|id| short(id)).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        suggest(fault, &name, &names).help("only SLOs of the same tenant can be members")
    }

    /// Why an SLO that exists cannot be a member.
    fn unfit(
        &self,
        slo: &Slo,
        composite: &Composite,
        member: &Member,
        of: &Slo,
        by_id: &BTreeMap<&SloId, &Arc<Slo>>,
    ) -> Option<Diagnostic> {
        let name = short(&of.id);
        if of.sli.composite().is_some() {
            let (message, help) = match cycle(&slo.id, &of.id, by_id) {
                Some(path) => (format!("the composite is made of itself: {path}"), "remove it from its own members"),
                None => (format!("{name} is a composite itself"), "name its members here instead: a composite is made of SLOs that count"),
            };
            return Some(self.fault(&codes::CYCLE, slo, &member.slo, message).related(self.place(of), "it is defined here").help(help));
        }
        if of.per != slo.per {
            let message = format!("{name} is split by {}, and the composite by {}", split(&of.per), split(&slo.per));
            let fault = self.fault(&codes::MEMBER_SPLIT, slo, &member.slo, message).related(self.place(of), "it is defined here");
            return Some(fault.help("split all members and the composite by the same labels in the same order"));
        }
        let step = step(&of.sli)?;
        if composite.slice.as_millis().is_multiple_of(step.as_millis()) {
            return None;
        }
        let (own, its) = (duration::format(composite.slice), duration::format(step));
        let message = format!("{name} is judged every {its}, which does not divide the composite's slices of {own}");
        let fault = self.fault(&codes::MEMBER_SLICE, slo, &member.slo, message).related(self.place(of), "it is defined here");
        Some(fault.help(format!("write `slice: {its}` or a multiple of it, or give {name} shorter slices")))
    }

    fn fault(&self, code: &'static Code, slo: &Slo, member: &SloId, message: String) -> Diagnostic {
        Diagnostic { code, message, place: self.place_of_member(slo, member), related: Vec::new(), help: Vec::new() }
    }

    /// Where a composite names a member: the first time behind its own name; its name where that is not written out.
    fn place_of_member(&self, slo: &Slo, member: &SloId) -> Place {
        if let Some(place) = self.place_of_instance(&slo.origin.file) {
            return place;
        }
        let name = short(member);
        let text = self.files.iter().find(|file| file.path == slo.origin.file).map_or("", |file| file.text.as_str());
        let line = usize::try_from(slo.origin.line).unwrap_or(usize::MAX).saturating_sub(1);
        let start: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
        match text[start..].find(&name) {
            Some(at) => Place::new(&discover::source(&slo.origin.file, text), start + at..start + at + name.len()),
            None => self.place(slo),
        }
    }
}

fn short(id: &SloId) -> String {
    format!("{}/{}", id.service, id.name)
}

fn split(per: &[String]) -> String {
    if per.is_empty() { "nothing".to_owned() } else { format!("[{}]", per.join(", ")) }
}

/// How far apart the moments are at which an SLI has events, where that is fixed.
fn step(sli: &Sli) -> Option<Duration> {
    sli.slice().or_else(|| sli.step())
}

/// The way from a composite to itself, over the first of its members.
fn cycle(from: &SloId, first: &SloId, by_id: &BTreeMap<&SloId, &Arc<Slo>>) -> Option<String> {
    let mut ways: Vec<Vec<&SloId>> = vec![vec![from, first]];
    let mut seen: BTreeSet<&SloId> = BTreeSet::new();
    while let Some(way) = ways.pop() {
        let last = *way.last()?;
        if last == from {
            return Some(way.into_iter().map(short).collect::<Vec<_>>().join(" -> "));
        }
        if seen.insert(last) {
            let members = by_id.get(last).and_then(|slo| slo.sli.composite()).into_iter().flat_map(Composite::members);
            ways.extend(members.map(|member| way.iter().copied().chain([&member.slo]).collect()));
        }
    }
    None
}
