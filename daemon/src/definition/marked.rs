//! Files of incidents that people marked, for a backtest to be compared with.

use std::{path::Path, sync::Arc, time::Duration};

use burnward_core::{
    id::{ServiceName, SloName},
    time::{Timestamp, days},
    window::Interval,
};

use super::{
    codes,
    diagnostic::{Diagnostic, Source},
    discover,
    document::read_version,
    reader::{Fields, Keys, Reader, shortened},
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

/// Reads a file.
///
/// # Errors
/// All mistakes, in the order of the file.
pub fn read(path: &Path) -> Result<Vec<Marked>, Vec<Diagnostic>> {
    let text = discover::read(path).map_err(|fault| vec![*fault])?;
    read_text(&discover::source(&path.display().to_string(), &text))
}

fn read_text(source: &Arc<Source>) -> Result<Vec<Marked>, Vec<Diagnostic>> {
    let root = yaml::parse(source)?;
    let mut reader = Reader::new(source);
    let incidents = read_root(&mut reader, &root).unwrap_or_default();
    if reader.failed() { Err(reader.finish()) } else { Ok(incidents) }
}

fn read_root(reader: &mut Reader, root: &Node) -> Option<Vec<Marked>> {
    let fields = reader.map(root, &FILE)?;
    read_version(reader, &fields);
    let node = reader.required(&fields, "incidents", "[{ name: ..., from: ..., to: ... }]")?;
    let items = reader.list(node, "`incidents`")?;
    if items.len() > MAX_INCIDENTS {
        reader.error(&codes::WRONG_TYPE, node.range.clone(), format!("a file holds at most {MAX_INCIDENTS} incidents"));
        return None;
    }
    Some(items.iter().filter_map(|item| read_one(reader, item)).collect())
}

fn read_one(reader: &mut Reader, node: &Node) -> Option<Marked> {
    let fields = reader.map(node, &INCIDENT)?;
    let name = reader.required(&fields, "name", "payments down").and_then(|node| reader.line(node, "an incident's name", LONGEST_NAME));
    let name = name.map(ToOwned::to_owned);
    let (service, slo) = read_subject(reader, &fields)?;
    let from = reader.required(&fields, "from", "2026-11-04T02:10:00Z").and_then(|node| read_moment(reader, node));
    let to_node = reader.required(&fields, "to", "2026-11-04T02:24:00Z");
    let to = to_node.and_then(|node| read_moment(reader, node));
    let when = Interval { from: from?, to: to? };
    if when.to <= when.from || when.length() > LONGEST {
        let diagnostic = reader.diagnostic(&codes::MARKED, to_node?.range.clone(), "an incident ends after it begins, within 31 days");
        reader.report(diagnostic.help("`from` and `to` are its own times, not those of a page"));
        return None;
    }
    Some(Marked { name: name?, service, slo, when })
}

/// A service, or an SLO as `service/name`, or neither: then it is one of everything.
fn read_subject(reader: &mut Reader, fields: &Fields<'_>) -> Option<(Option<ServiceName>, Option<SloName>)> {
    let service = match reader.optional(fields, "service") {
        Some(node) => Some(reader.name(node, "a service's name", ServiceName::parse)?),
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

    #[test]
    fn incidents_are_read_with_what_they_were_of() {
        let text = "version: burnward/v1
incidents:
  - { name: payments down, slo: checkout/availability, from: 2026-11-04T02:10:00Z, to: 2026-11-04T02:24:00Z }
  - { name: all slow, service: search, from: 2026-11-05T10:00:00+01:00, to: 2026-11-05T10:30:00+01:00 }
  - { name: the network, from: 2026-11-06T10:00:00Z, to: 2026-11-06T10:30:00Z }
";
        let marked = read_text(&Source::new("incidents.yaml", text)).expect("it reads");
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
";
        let faults = read_text(&Source::new("incidents.yaml", text)).expect_err("mistakes");
        let shown: Vec<String> = faults.iter().map(|fault| fault.render(Colour::Never)).collect();
        insta::assert_snapshot!("marked", shown.join("\n\n"));
    }
}
