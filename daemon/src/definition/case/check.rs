//! A test beside the SLO that it is of: whether its traffic can be, and whether what it expects could ever happen.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use burnward_core::{
    sli::{Composite, Sli},
    slo::{AlertRow, Slo, Urgency},
};

use super::{Case, Expectation, Expected, Form, Recipe, SloRef, Told, Traffic, size};
use crate::definition::{
    codes::{self, Code},
    diagnostic::{Diagnostic, Place},
    matchers,
    objective::row_list,
    reader::{nearest, shortened, suggest},
};

/// SLOs of a tenant by service and name.
pub type Slos = BTreeMap<SloRef, Arc<Slo>>;

/// A series of bad events that was made up for an SLO whose selectors may not take what was meant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Doubtful {
    /// As a selector.
    pub series: String,
    /// What the doubt is, as `burnward explain` tells.
    pub code: &'static str,
}

/// What a test needs to be run.
#[derive(Debug)]
pub struct Ready<'a> {
    /// The SLO, and the members of a journey.
    pub slos: Vec<Arc<Slo>>,
    /// The traffic, with how it shows.
    pub traffic: Vec<(&'a Traffic, Recipe)>,
}

impl Ready<'_> {
    /// Series that were made up for selectors about which there are doubts: that they are taken says nothing of whether anybody exposes them.
    pub fn doubtful(&self) -> Vec<Doubtful> {
        let doubt_about = |slo: &SloRef| {
            let slo = self.slos.iter().find(|one| SloRef::of(one) == *slo)?;
            matchers::doubt_about(&slo.sli)
        };
        let of = |(traffic, recipe): &(&Traffic, Recipe)| {
            let code = doubt_about(&traffic.slo)?;
            Some(recipe.bad_series().into_iter().map(move |series| Doubtful { series: series.to_string(), code: code.id }))
        };
        let mut all: Vec<Doubtful> = self.traffic.iter().filter_map(of).flatten().collect();
        all.sort();
        all.dedup();
        all
    }
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
        let Some(slo) = slos.get(&self.slo) else { return Err(vec![no_slo(&self.slo_place, &self.slo, slos)]) };
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
            match needed.iter().find(|slo| SloRef::of(slo) == one.slo).map(|slo| recipe(slo, one, self.form)) {
                Some(Ok(recipe)) => traffic.push((one, recipe)),
                Some(Err(fault)) => faults.push(*fault),
                None => {
                    let why = format!("{} is neither the SLO that is tested nor a member of it", one.slo);
                    faults.push(fault(&codes::TEST_TRAFFIC, &one.place, why));
                }
            }
        }
        faults.extend(self.expect.iter().flat_map(|expectation| impossible(slo, expectation)));
        if self.form == Form::Whole {
            faults.extend(self.expect.iter().flat_map(|expectation| self.without_traffic(slo, expectation)));
            faults.extend(size::too_large(self, &traffic));
        }
        if faults.is_empty() { Ok(Ready { slos: needed, traffic }) } else { Err(faults) }
    }
}

/// How traffic shows; of a test with mistakes what is missing is not told again.
fn recipe(slo: &Slo, traffic: &Traffic, form: Form) -> Result<Recipe, Box<Diagnostic>> {
    let refused = |why: String| Box::new(fault(&codes::TEST_TRAFFIC, &traffic.place, why));
    let recipe = Recipe::of(slo, &traffic.labels).map_err(|why| {
        let named: Vec<&str> = traffic.labels.keys().map(String::as_str).filter(|label| !slo.per.iter().any(|per| per == label)).collect();
        let missing = slo.per.iter().filter(|label| !traffic.labels.contains_key(*label));
        let meant = missing.filter_map(|label| Some((nearest(label, &named)?, label)));
        meant.fold(refused(why), |fault, (written, label)| Box::new(fault.help(format!("`{written}`: did you mean `{label}`?"))))
    })?;
    match (recipe.has_a_rate(), traffic.shape) {
        (true, None) if form == Form::Whole => {
            Err(refused("the traffic does not say how much there is: constant, trickle, diurnal or burst".to_owned()))
        }
        (false, Some(_)) => Err(refused("this SLI has one event for each sample or slice, so its traffic has no rate".to_owned())),
        (true, Some(_) | None) | (false, None) => Ok(recipe),
    }
}

pub(super) fn fault(code: &'static Code, place: &Place, message: String) -> Diagnostic {
    Diagnostic { code, message, place: place.clone(), related: Vec::new(), help: Vec::new() }
}

fn no_slo(place: &Place, slo: &SloRef, slos: &Slos) -> Diagnostic {
    let names: Vec<String> = slos.keys().map(ToString::to_string).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    suggest(fault(&codes::TEST_SLO, place, format!("there is no SLO {slo}")), &slo.to_string(), &names)
}

impl Expected {
    /// The labels of the groups that it is about.
    fn group(&self) -> Option<&BTreeMap<String, String>> {
        match self {
            Self::Begins { group, .. } | Self::Ends { group, .. } | Self::Budget { group, .. } => Some(group),
            Self::Never(_) => None,
        }
    }
}

impl Case {
    /// The values of a group that no traffic has: whatever happens, it happens in another group. Groups that must exist are there without any.
    fn without_traffic(&self, slo: &Slo, expectation: &Expectation) -> Vec<Diagnostic> {
        let Expectation { what, place } = expectation;
        if matches!(&slo.sli, Sli::Presence { expected, .. } if !expected.is_empty()) {
            return Vec::new();
        }
        let asked: Vec<(&String, &String)> = what.group().into_iter().flatten().filter(|(label, _)| slo.per.contains(label)).collect();
        let has = |traffic: &Traffic, (label, value): &(&String, &String)| traffic.labels.get(*label) == Some(*value);
        let mut faults = Vec::new();
        for pair @ (label, value) in &asked {
            if !self.traffic.iter().any(|traffic| has(traffic, pair)) {
                let message = format!("no traffic of the test has {label}=\"{}\"", shortened(value));
                let known: BTreeSet<&str> =
                    self.traffic.iter().filter_map(|traffic| traffic.labels.get(*label)).map(String::as_str).collect();
                let known: Vec<&str> = known.into_iter().collect();
                faults.push(suggest(fault(&codes::TEST_EXPECT, place, message), value, &known));
            }
        }
        if faults.is_empty() && !asked.is_empty() && !self.traffic.iter().any(|traffic| asked.iter().all(|pair| has(traffic, pair))) {
            let message = "no traffic of the test has these labels together".to_owned();
            let help = "write them at one entry of `traffic`, or name fewer of them in `group`";
            faults.push(fault(&codes::TEST_EXPECT, place, message).help(help));
        }
        faults
    }
}

/// Why an expectation can never come true.
fn impossible(slo: &Slo, expectation: &Expectation) -> Vec<Diagnostic> {
    let Expectation { what, place } = expectation;
    let per: Vec<&str> = slo.per.iter().map(String::as_str).collect();
    let not_split = |label: &String| {
        let diagnostic = fault(&codes::TEST_EXPECT, place, format!("the SLO is not split by `{label}`"));
        if per.is_empty() {
            diagnostic.help("leave `group` away: without `per` it has one budget")
        } else {
            suggest(diagnostic, label, &per)
        }
    };
    let labels = what.group().into_iter().flat_map(BTreeMap::keys).filter(|label| !slo.per.contains(label));
    labels.map(not_split).chain(no_row(slo, expectation)).chain(no_objective(slo, expectation)).collect()
}

/// What no row of the SLO can lead to.
fn no_row(slo: &Slo, Expectation { what, place }: &Expectation) -> Option<Diagnostic> {
    let (told, row) = match what {
        Expected::Begins { told: told @ (Told::Page | Told::Ticket), row, .. } => (*told, *row),
        Expected::Ends { told: told @ (Told::Page | Told::Ticket), .. } => (*told, None),
        Expected::Begins { told: Told::Blind, .. }
        | Expected::Ends { told: Told::Blind, .. }
        | Expected::Never(_)
        | Expected::Budget { .. } => {
            return None;
        }
    };
    let rows = rows_of(slo, told);
    let named = |row_: &AlertRow| row.is_none_or(|factor| factor == row_.factor);
    (!rows.iter().any(named)).then(|| {
        let diagnostic = fault(&codes::TEST_EXPECT, place, format!("no such row of the SLO can lead to a {}", told.word()));
        diagnostic.help(match rows.as_slice() {
            [] => format!("nothing of it does: write `{0}: none`, or give it such a row under `alerting`", told.word()),
            rows => format!("its rows are: {}", row_list(rows)),
        })
    })
}

fn no_objective(slo: &Slo, Expectation { what, place }: &Expectation) -> Option<Diagnostic> {
    let objective = match what {
        Expected::Budget { objective, .. } => objective.as_ref()?,
        Expected::Begins { .. } | Expected::Ends { .. } | Expected::Never(_) => return None,
    };
    let names: BTreeSet<&str> = slo.objectives.iter().map(|objective| objective.name.as_str()).collect();
    let names: Vec<&str> = names.into_iter().collect();
    let message = format!("the SLO has no objective `{}`", shortened(objective));
    (!names.contains(&objective.as_str())).then(|| suggest(fault(&codes::TEST_EXPECT, place, message), objective, &names))
}

fn rows_of(slo: &Slo, told: Told) -> Vec<AlertRow> {
    let wanted = |urgency: Urgency| Told::of(urgency) == told;
    slo.objectives.iter().flat_map(|objective| &objective.rows).copied().filter(|row| wanted(row.urgency)).collect()
}
