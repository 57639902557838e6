//! Former names: `was:` takes over the history of an SLO that has another name by now. What one SLO was cannot be what another is, or was, too.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::Arc,
};

use burnward_core::{id::SloId, slo::Slo};

use super::{
    codes::{self, Code},
    diagnostic::Diagnostic,
    load::Loaded,
};

impl Loaded {
    /// Refuses the files that claim a former name which some SLO still has, or which several claim.
    pub(super) fn refuse_wrong_former_names(&mut self) {
        let by_id: BTreeMap<&SloId, &Arc<Slo>> = self.slos.iter().map(|slo| (&slo.id, slo)).collect();
        let mut by_former: BTreeMap<SloId, Vec<&Arc<Slo>>> = BTreeMap::new();
        for (slo, former) in self.slos.iter().filter_map(|slo| Some((slo, slo.former()?))) {
            by_former.entry(former).or_default().push(slo);
        }
        let mut faults: Vec<(PathBuf, Diagnostic)> = Vec::new();
        for (former, claiming) in &by_former {
            for slo in claiming {
                let fault = match (by_id.get(former), claiming.iter().find(|other| other.id != slo.id)) {
                    (Some(have), _) => Some(self.still_there(slo, have)),
                    (None, Some(other)) => Some(self.claimed_twice(slo, other)),
                    (None, None) => None,
                };
                faults.extend(fault.map(|fault| (PathBuf::from(&slo.origin.file), fault)));
            }
        }
        self.refuse_for(faults);
    }

    /// Refuses the files that would join two histories: of the former name and of the new one something was counted already.
    pub fn refuse_second_histories(&mut self, counted: &BTreeSet<SloId>) {
        let both = |slo: &&Arc<Slo>| counted.contains(&slo.id) && slo.former().is_some_and(|former| counted.contains(&former));
        let faults = self.slos.iter().filter(both).map(|slo| {
            let former = slo.was.as_ref().map(ToString::to_string).unwrap_or_default();
            let message = format!("{former} and {} have each a history of their own", slo.id.name);
            let fault = self.former_fault(&codes::TWO_HISTORIES, slo, message);
            let fault = fault.help(format!("remove `was:` to go on with what was counted as {}", slo.id.name));
            let help = format!("or give the SLO a name that none had before, to go on with what was counted as {former}");
            (PathBuf::from(&slo.origin.file), fault.help(help))
        });
        let faults = faults.collect();
        self.refuse_for(faults);
    }

    fn still_there(&self, slo: &Slo, have: &Slo) -> Diagnostic {
        let swapped = have.former().as_ref() == Some(&slo.id);
        let message = if swapped {
            format!("{} and {} claim each other's history", slo.id.name, have.id.name)
        } else {
            format!("there is still an SLO {}/{}, which goes on with its own history", have.id.service, have.id.name)
        };
        let fault = self.former_fault(&codes::FORMER_NAME, slo, message).related(self.place(have), "it is defined here");
        fault.help(if swapped { "remove `was:` from both: names cannot be swapped" } else { "remove one of the two" })
    }

    fn claimed_twice(&self, slo: &Slo, other: &Slo) -> Diagnostic {
        let former = slo.was.as_ref().map(ToString::to_string).unwrap_or_default();
        let message = format!("{} and {} both claim the history of {former}", slo.id.name, other.id.name);
        let fault = self.former_fault(&codes::FORMER_NAME, slo, message).related(self.place(other), "the other one");
        fault.help("leave `was:` with the one that is to go on with the history")
    }

    fn former_fault(&self, code: &'static Code, slo: &Slo, message: String) -> Diagnostic {
        let former = slo.was.as_ref().map(ToString::to_string).unwrap_or_default();
        Diagnostic { code, message, place: self.line_with(slo, &["was:", &former]), related: Vec::new(), help: Vec::new() }
    }

    /// Takes back what these files hold, for these reasons.
    pub(super) fn refuse_for(&mut self, faults: Vec<(PathBuf, Diagnostic)>) {
        let refused: BTreeSet<PathBuf> = faults.iter().map(|(path, _)| path.clone()).collect();
        for (path, fault) in faults {
            self.faults.entry(path).or_default().push(fault);
        }
        self.refuse(&refused);
    }
}
