//! A test beside the SLO that it is of: whether its traffic can be, and whether what it expects could ever happen.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use burnward_core::{
    sli::Composite,
    slo::{AlertRow, Slo, Urgency},
};

use super::{Case, Expectation, Expected, Recipe, SloRef, Told, Traffic};
use crate::definition::{
    codes::{self, Code},
    diagnostic::{Diagnostic, Place},
    objective::row_list,
    reader::suggest,
};

/// SLOs of a tenant by service and name.
pub type Slos = BTreeMap<SloRef, Arc<Slo>>;

/// What a test needs to be run.
#[derive(Debug)]
pub struct Ready<'a> {
    /// The SLO, and the members of a journey.
    pub slos: Vec<Arc<Slo>>,
    /// The traffic, with how it shows.
    pub traffic: Vec<(&'a Traffic, Recipe)>,
}

impl SloRef {
    /// How an SLO is named within its tenant.
    pub fn of(slo: &Slo) -> Self {
        Self { service: slo.id.service.clone(), name: slo.id.name.clone() }
    }
}

impl std::fmt::Display for SloRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.service, self.name)
    }
}

impl Case {
    /// The test, ready to be run with these SLOs of its tenant.
    ///
    /// # Errors
    /// Every reason why it cannot be run, or could never pass.
    pub fn ready(&self, slos: &Slos) -> Result<Ready<'_>, Vec<Diagnostic>> {
        let Some(slo) = slos.get(&self.slo) else { return Err(vec![no_slo(&self.place, &self.slo, slos)]) };
        let mut faults = Vec::new();
        let mut needed = vec![Arc::clone(slo)];
        for member in slo.sli.composite().into_iter().flat_map(Composite::members) {
            let name = SloRef { service: member.slo.service.clone(), name: member.slo.name.clone() };
            match slos.get(&name) {
                Some(member) => needed.push(Arc::clone(member)),
                None => faults.push(no_slo(&self.place, &name, slos)),
            }
        }
        let mut traffic = Vec::new();
        for one in &self.traffic {
            match needed.iter().find(|slo| SloRef::of(slo) == one.slo).map(|slo| recipe(slo, one)) {
                Some(Ok(recipe)) => traffic.push((one, recipe)),
                Some(Err(why)) => faults.push(fault(&codes::TEST_TRAFFIC, &one.place, why)),
                None => {
                    let why = format!("{} is neither the SLO that is tested nor a member of it", one.slo);
                    faults.push(fault(&codes::TEST_TRAFFIC, &one.place, why));
                }
            }
        }
        faults.extend(self.expect.iter().filter_map(|expectation| impossible(slo, expectation)));
        if faults.is_empty() { Ok(Ready { slos: needed, traffic }) } else { Err(faults) }
    }
}

fn recipe(slo: &Slo, traffic: &Traffic) -> Result<Recipe, String> {
    let recipe = Recipe::of(slo, &traffic.labels)?;
    match (recipe.has_a_rate(), traffic.shape) {
        (true, None) => Err("the traffic does not say how much there is: constant, trickle, diurnal or burst".to_owned()),
        (false, Some(_)) => Err("this SLI has one event for each sample or slice, so its traffic has no rate".to_owned()),
        (true, Some(_)) | (false, None) => Ok(recipe),
    }
}

fn fault(code: &'static Code, place: &Place, message: String) -> Diagnostic {
    Diagnostic { code, message, place: place.clone(), related: Vec::new(), help: Vec::new() }
}

fn no_slo(place: &Place, slo: &SloRef, slos: &Slos) -> Diagnostic {
    let names: Vec<String> = slos.keys().map(ToString::to_string).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    suggest(fault(&codes::TEST_SLO, place, format!("there is no SLO {slo}")), &slo.to_string(), &names)
}

/// Why an expectation can never come true.
fn impossible(slo: &Slo, expectation: &Expectation) -> Option<Diagnostic> {
    let Expectation { what, place } = expectation;
    let group = match what {
        Expected::Begins { group, .. } | Expected::Ends { group, .. } | Expected::Budget { group, .. } => group.keys().collect(),
        Expected::Never(_) => Vec::new(),
    };
    if let Some(label) = group.into_iter().find(|label| !slo.per.contains(label)) {
        return Some(fault(&codes::TEST_EXPECT, place, format!("the SLO is not split by `{label}`")));
    }
    match what {
        Expected::Begins { told: told @ (Told::Page | Told::Ticket), row, .. } => {
            let rows = rows_of(slo, *told);
            let named = |row_: &AlertRow| row.is_none_or(|factor| factor == row_.factor);
            (!rows.iter().any(named)).then(|| {
                let diagnostic = fault(&codes::TEST_EXPECT, place, format!("no such row of the SLO can lead to a {}", told.word()));
                if rows.is_empty() { diagnostic } else { diagnostic.help(format!("its rows are: {}", row_list(&rows))) }
            })
        }
        Expected::Budget { objective: Some(objective), .. } => {
            let names: BTreeSet<&str> = slo.objectives.iter().map(|objective| objective.name.as_str()).collect();
            let names: Vec<&str> = names.into_iter().collect();
            let missing = !names.contains(&objective.as_str());
            missing
                .then(|| suggest(fault(&codes::TEST_EXPECT, place, format!("the SLO has no objective `{objective}`")), objective, &names))
        }
        Expected::Begins { told: Told::Blind, .. }
        | Expected::Ends { .. }
        | Expected::Never(_)
        | Expected::Budget { objective: None, .. } => None,
    }
}

fn rows_of(slo: &Slo, told: Told) -> Vec<AlertRow> {
    let wanted = |urgency: Urgency| Told::of(urgency) == told;
    slo.objectives.iter().flat_map(|objective| &objective.rows).copied().filter(|row| wanted(row.urgency)).collect()
}
