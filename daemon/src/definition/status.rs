//! The `status` of an SLO: whether what is decided of it tells somebody; and what somebody should know of a suspension once all files are read.

use std::{collections::BTreeMap, sync::Arc};

use burnward_core::{
    id::SloId,
    sli::Composite,
    slo::Slo,
    status::{Status, Suspension},
    time::Timestamp,
};
use jiff::{civil::Date, tz::TimeZone};

use super::{
    codes,
    diagnostic::{Diagnostic, Place},
    discover,
    load::Loaded,
    reader::{Fields, Keys, Reader, shortened, suggest},
    yaml::{self, Node},
};
use crate::report::words::utc;

const STATUS: Keys = Keys { of: "`status`", known: &["suspended"], later: &[] };
const SUSPENDED: Keys = Keys { of: "`suspended`", known: &["reason", "until"], later: &[] };
const LONGEST_REASON: usize = 200;
const EXAMPLE: &str = "{ reason: the exporter is rebuilt, until: 2026-12-01 }";

/// `active`, `shadow`, or a mapping that says why and until when it is suspended.
pub(super) fn read(reader: &mut Reader, fields: &Fields<'_>) -> Status {
    let Some(node) = reader.optional(fields, "status") else { return Status::default() };
    match &node.value {
        yaml::Value::Map(_) => read_suspended(reader, node).map_or(Status::Active, Status::Suspended),
        yaml::Value::Scalar { .. } | yaml::Value::List(_) => read_word(reader, node),
    }
}

fn read_word(reader: &mut Reader, node: &Node) -> Status {
    match reader.text(node, "`status`") {
        None | Some("active") => {}
        Some("shadow") => return Status::Shadow,
        Some("suspended") => {
            let diagnostic = reader.diagnostic(&codes::MISSING_KEY, node.range.clone(), "a suspension says why, and until when");
            reader.report(diagnostic.help(format!("write `status: {{ suspended: {EXAMPLE} }}`")));
        }
        Some(other) => {
            let diagnostic = reader.diagnostic(&codes::WRONG_TYPE, node.range.clone(), format!("`{}` is no status", shortened(other)));
            reader.report(suggest(diagnostic, other, &Status::WORDS));
        }
    }
    Status::Active
}

fn read_suspended(reader: &mut Reader, node: &Node) -> Option<Suspension> {
    let outer = reader.map(node, &STATUS)?;
    let inner = reader.required(&outer, "suspended", EXAMPLE)?;
    let fields = reader.map(inner, &SUSPENDED)?;
    let reason = reader.required(&fields, "reason", "the exporter is rebuilt");
    let reason = reason.and_then(|node| reader.line(node, "the reason of a suspension", LONGEST_REASON)).map(ToOwned::to_owned);
    let until = reader.required(&fields, "until", "2026-12-01").and_then(|node| read_until(reader, node));
    Some(Suspension { reason: reason?, until: until? })
}

/// A moment, or a day: its beginning in UTC.
fn read_until(reader: &mut Reader, node: &Node) -> Option<Timestamp> {
    let text = reader.text(node, "`until`")?;
    let day = || text.parse::<Date>().ok().filter(|_| text.len() == "2026-12-01".len())?.to_zoned(TimeZone::UTC).ok();
    let found = text.parse::<jiff::Timestamp>().ok().or_else(|| day().map(|day| day.timestamp()));
    if found.is_none() {
        let diagnostic =
            reader.diagnostic(&codes::UNTIL, node.range.clone(), format!("`{}` is neither a moment nor a day", shortened(text)));
        reader.report(
            diagnostic.help("write a day, which begins at midnight UTC, such as 2026-12-01, or a moment: 2026-12-01T09:00:00+01:00"),
        );
    }
    found.map(|instant| Timestamp::from_millis(instant.as_millisecond()))
}

impl Loaded {
    /// What the authors of suspensions may have forgotten: that one is over, or that a composite which tells somebody has a suspended member.
    pub fn notes_on_suspensions(&self, now: Timestamp) -> Vec<Diagnostic> {
        let by_id: BTreeMap<&SloId, &Arc<Slo>> = self.slos.iter().map(|slo| (&slo.id, slo)).collect();
        let of_members = |slo: &Arc<Slo>| {
            let members = slo.sli.composite().into_iter().flat_map(Composite::members);
            members.filter_map(|member| self.suspended_member(slo, by_id.get(&member.slo)?, now)).collect::<Vec<_>>()
        };
        self.slos.iter().flat_map(|slo| self.over(slo, now).into_iter().chain(of_members(slo))).collect()
    }

    fn over(&self, slo: &Slo, now: Timestamp) -> Option<Diagnostic> {
        let suspension = slo.status.suspension().filter(|suspension| suspension.until <= now)?;
        let message = format!("the suspension was over at {}: the SLO is active", utc(suspension.until));
        let place = self.place_behind(slo, "until:");
        let note = Diagnostic { code: &codes::SUSPENSION_OVER, message, place, related: Vec::new(), help: Vec::new() };
        Some(note.help("remove `status:`, or write a later `until:` where its data cannot be trusted yet"))
    }

    fn suspended_member(&self, journey: &Slo, of: &Slo, now: Timestamp) -> Option<Diagnostic> {
        let is_suspended = matches!(of.status.at(now), Status::Suspended(_));
        let tells = journey.status.at(now) == &Status::Active;
        if !is_suspended || !tells {
            return None;
        }
        let name = format!("{}/{}", of.id.service, of.id.name);
        let place = self.place_behind(journey, &name);
        let message = format!("{name} is suspended, and this composite goes on counting it");
        let note = Diagnostic { code: &codes::SUSPENDED_MEMBER, message, place, related: Vec::new(), help: Vec::new() };
        Some(note.help("suspend the composite too, or take the member out of it until then"))
    }

    /// Where a text stands for the first time behind an SLO's name; the name where it is not written out.
    fn place_behind(&self, slo: &Slo, wanted: &str) -> Place {
        let text = self.files.iter().find(|file| file.path == slo.origin.file).map_or("", |file| file.text.as_str());
        let line = usize::try_from(slo.origin.line).unwrap_or(usize::MAX).saturating_sub(1);
        let start: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
        match text[start..].find(wanted) {
            Some(at) => Place::new(&discover::source(&slo.origin.file, text), start + at..start + at + wanted.len()),
            None => self.place(slo),
        }
    }
}
