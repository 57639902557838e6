//! Files of incidents that people marked, for a backtest to be compared with.

use std::{collections::BTreeSet, path::Path, sync::Arc, time::Duration};

use burnward_core::{
    id::{ServiceName, SloId, SloName},
    time::{Timestamp, days},
    window::Interval,
};

use super::{
    codes,
    diagnostic::{Diagnostic, Source},
    discover,
    document::read_version,
    reader::{Fields, Keys, Reader, shortened, suggest},
    yaml::{self, Node},
};

const FILE: Keys = Keys { of: "a file of incidents", known: &["version", "incidents"], later: &[] };
const INCIDENT: Keys = Keys { of: "an incident", known: &["name", "service", "slo", "from", "to"], later: &[] };
const LONGEST_NAME: usize = 160;
const MAX_INCIDENTS: usize = 10_000;
/// Longer than this is no incident.
const LONGEST: Duration = days(31);

/// An incident that people marked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marked {
    /// What it is called.
    pub name: String,
    /// Of which service; `None`: any.
    pub service: Option<ServiceName>,
    /// Of which SLO of it; `None`: any.
    pub slo: Option<SloName>,
    /// When it was.
    pub when: Interval,
}

impl Marked {
    /// Whether it may be one of this SLO.
    pub fn may_be_of(&self, slo: &SloId) -> bool {
        self.service.as_ref().is_none_or(|service| *service == slo.service) && self.slo.as_ref().is_none_or(|name| *name == slo.name)
    }
}

/// Reads a file. `known`: the SLOs that there are, one of which an incident names where it names any.
///
/// # Errors
/// All mistakes, in the order of the file.
pub fn read(path: &Path, known: &BTreeSet<SloId>) -> Result<Vec<Marked>, Vec<Diagnostic>> {
    let text = discover::read(path).map_err(|fault| vec![*fault])?;
    read_text(&discover::source(&path.display().to_string(), &text), known)
}

fn read_text(source: &Arc<Source>, known: &BTreeSet<SloId>) -> Result<Vec<Marked>, Vec<Diagnostic>> {
    let root = yaml::parse(source)?;
    let mut reader = Reader::new(source);
    let incidents = read_root(&mut reader, &root, known).unwrap_or_default();
    if reader.failed() { Err(reader.finish()) } else { Ok(incidents) }
}

fn read_root(reader: &mut Reader, root: &Node, known: &BTreeSet<SloId>) -> Option<Vec<Marked>> {
    let fields = reader.map(root, &FILE)?;
    read_version(reader, &fields);
    let node = reader.required(&fields, "incidents", "[{ name: ..., from: ..., to: ... }]")?;
    let items = reader.list(node, "`incidents`")?;
    if items.len() > MAX_INCIDENTS {
        reader.error(&codes::WRONG_TYPE, node.range.clone(), format!("a file holds at most {MAX_INCIDENTS} incidents"));
        return None;
    }
    Some(items.iter().filter_map(|item| read_one(reader, item, known)).collect())
}

fn read_one(reader: &mut Reader, node: &Node, known: &BTreeSet<SloId>) -> Option<Marked> {
    let fields = reader.map(node, &INCIDENT)?;
    let name = reader.required(&fields, "name", "payments down").and_then(|node| reader.line(node, "an incident's name", LONGEST_NAME));
    let name = name.map(ToOwned::to_owned);
    let subject = read_subject(reader, &fields, known);
    let from = reader.required(&fields, "from", "2026-11-04T02:10:00Z").and_then(|node| read_moment(reader, node));
    let to_node = reader.required(&fields, "to", "2026-11-04T02:24:00Z");
    let to = to_node.and_then(|node| read_moment(reader, node));
    let (service, slo) = subject?;
    let when = Interval { from: from?, to: to? };
    if when.to <= when.from || when.length() > LONGEST {
        let diagnostic = reader.diagnostic(&codes::MARKED, to_node?.range.clone(), "an incident ends after it begins, within 31 days");
        reader.report(diagnostic.help("`from` and `to` are its own times, not those of a page"));
        return None;
    }
    Some(Marked { name: name?, service, slo, when })
}

/// A service, or an SLO as `service/name`, or neither: then it is one of everything.
fn read_subject(reader: &mut Reader, fields: &Fields<'_>, known: &BTreeSet<SloId>) -> Option<(Option<ServiceName>, Option<SloName>)> {
    let service = match reader.optional(fields, "service") {
        Some(node) => {
            let service = reader.name(node, "a service's name", ServiceName::parse)?;
            let services: BTreeSet<&str> = known.iter().map(|slo| slo.service.as_str()).collect();
            if !services.contains(service.as_str()) {
                let diagnostic = reader.diagnostic(&codes::MARKED, node.range.clone(), format!("no SLO is of a service `{service}`"));
                reader.report(suggest(diagnostic, service.as_str(), &services.into_iter().collect::<Vec<_>>()));
                return None;
            }
            Some(service)
        }
        None => None,
    };
    let Some(node) = reader.optional(fields, "slo") else { return Some((service, None)) };
    let text = reader.text(node, "`slo`")?.to_owned();
    let Some((of, name)) = text.split_once('/') else {
        let diagnostic =
            reader.diagnostic(&codes::MARKED, node.range.clone(), format!("`{}` is not an SLO as service/name", shortened(&text)));
        reader.report(diagnostic.help("write `service:` alone for all SLOs of a service"));
        return None;
    };
    let of = reader.name_at(of, node.range.clone(), "a service's name", ServiceName::parse)?;
    let name = reader.name_at(name, node.range.clone(), "an SLO's name", SloName::parse)?;
    if !known.iter().any(|slo| slo.service == of && slo.name == name) {
        let slos: BTreeSet<String> = known.iter().map(|slo| format!("{}/{}", slo.service, slo.name)).collect();
        let diagnostic = reader.diagnostic(&codes::MARKED, node.range.clone(), format!("there is no SLO `{of}/{name}`"));
        reader.report(suggest(diagnostic, &text, &slos.iter().map(String::as_str).collect::<Vec<_>>()));
        return None;
    }
    Some((Some(of), Some(name)))
}

fn read_moment(reader: &mut Reader, node: &Node) -> Option<Timestamp> {
    let text = reader.text(node, "a moment")?;
    let found = text.parse::<jiff::Timestamp>().ok().map(|instant| Timestamp::from_millis(instant.as_millisecond()));
    if found.is_none() {
        let diagnostic = reader.diagnostic(&codes::MARKED, node.range.clone(), format!("`{}` is not a moment", shortened(text)));
        reader.report(diagnostic.help("write it with its distance from UTC, such as 2026-11-04T02:10:00Z"));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definition::Colour;
    use burnward_core::id::TenantId;

    fn known() -> BTreeSet<SloId> {
        let slo = |service: &str, name: &str| SloId {
            tenant: TenantId::parse("main").unwrap(),
            service: ServiceName::parse(service).unwrap(),
            name: SloName::parse(name).unwrap(),
        };
        BTreeSet::from([slo("checkout", "availability"), slo("checkout", "latency"), slo("search", "availability")])
    }

    #[test]
    fn incidents_are_read_with_what_they_were_of() {
        let text = "version: burnward/v1
incidents:
  - { name: payments down, slo: checkout/availability, from: 2026-11-04T02:10:00Z, to: 2026-11-04T02:24:00Z }
  - { name: all slow, service: search, from: 2026-11-05T10:00:00+01:00, to: 2026-11-05T10:30:00+01:00 }
  - { name: the network, from: 2026-11-06T10:00:00Z, to: 2026-11-06T10:30:00Z }
";
        let marked = read_text(&Source::new("incidents.yaml", text), &known()).expect("it reads");
        let of: Vec<_> =
            marked.iter().map(|one| (one.service.as_ref().map(ServiceName::as_str), one.slo.as_ref().map(SloName::as_str))).collect();
        assert_eq!(of, [(Some("checkout"), Some("availability")), (Some("search"), None), (None, None)]);
        assert_eq!(marked[1].when.from, Timestamp::from_seconds(1_793_869_200));
    }

    #[test]
    fn what_is_no_incident_is_shown_at_its_place() {
        let text = "version: burnward/v1
incidents:
  - { name: a, slo: availability, from: 2026-11-04T02:10:00Z, to: 2026-11-04T02:24:00Z }
  - { name: b, from: yesterday, to: 2026-11-04T02:24:00Z }
  - { name: c, from: 2026-11-04T02:10:00Z, to: 2026-11-04T02:10:00Z }
  - { name: d, slo: checkout/availabilty, from: 2026-11-04T02:10:00Z, to: 2026-11-04T02:24:00Z }
  - { name: e, service: serch, from: 2026-11-04T02:10:00Z, to: 2026-11-04T02:24:00Z }
";
        let faults = read_text(&Source::new("incidents.yaml", text), &known()).expect_err("mistakes");
        let shown: Vec<String> = faults.iter().map(|fault| fault.render(Colour::Never)).collect();
        insta::assert_snapshot!("marked", shown.join("\n\n"));
    }
}
