//! `presence`: what must exist, in slices of time, and the groups that are awaited.

use std::{ops::RangeInclusive, time::Duration};

use burnward_core::{
    id::Group,
    sli::Sli,
    time::{hours, minutes},
};

use super::selectors::read_selector;
use crate::definition::{
    codes, duration,
    reader::{Keys, Reader, shortened},
    yaml::{Node, Value},
};

const PRESENCE: Keys = Keys { of: "an SLI of presence", known: &["series", "slice", "expected"], later: &[] };
const SLICE: Duration = minutes(1);
const UNIT: Duration = Duration::from_secs(10);
const SLICES: RangeInclusive<Duration> = UNIT..=minutes(5);
/// Most groups that are named.
const MAX_EXPECTED: usize = 200;

/// Reads `presence: { series, slice, expected }` of an SLO that is split by these labels; `None` where they cannot be read.
pub(super) fn read(reader: &mut Reader, node: &Node, per: Option<&[String]>) -> Option<Sli> {
    let fields = reader.map(node, &PRESENCE)?;
    let series = reader.required(&fields, "series", "'up{job=\"checkout\"}'").and_then(|node| read_selector(reader, node));
    let slice = match fields.entry("slice") {
        None => Some(SLICE),
        Some(_) => reader.optional(&fields, "slice").and_then(|node| read_slice(reader, node)),
    };
    let expected = match fields.entry("expected") {
        None => Some(Vec::new()),
        Some(_) => reader.optional(&fields, "expected").zip(per).and_then(|(node, per)| read_expected(reader, node, per)),
    };
    Some(Sli::Presence { series: series?, slice: slice?, expected: expected? })
}

fn read_slice(reader: &mut Reader, node: &Node) -> Option<Duration> {
    let slice = reader.duration_within(node, "`slice`", SLICES)?;
    let whole = |long: Duration, short: Duration| long.as_millis().is_multiple_of(short.as_millis());
    if whole(slice, UNIT) && whole(hours(1), slice) {
        return Some(slice);
    }
    let message = format!("{} is no whole number of ten seconds that divides an hour", duration::format(slice));
    let diagnostic = reader.diagnostic(&codes::STEP, node.range.clone(), message);
    reader.report(diagnostic.help("write one of 10s, 20s, 30s, 1m, 90s, 2m, 3m, 4m and 5m"));
    None
}

/// The groups as they are named: by the value of the one label in `per`, or by a mapping of all of them.
fn read_expected(reader: &mut Reader, node: &Node, per: &[String]) -> Option<Vec<Group>> {
    let items = reader.list(node, "`expected`")?;
    if per.is_empty() {
        let diagnostic = reader.diagnostic(&codes::EXPECTED, node.range.clone(), "`expected` names groups, and the SLO is not split");
        reader.report(diagnostic.help("write `per: [label]` beside `sli:`, or remove `expected`"));
        return None;
    }
    if items.is_empty() || items.len() > MAX_EXPECTED {
        reader.error(&codes::WRONG_TYPE, node.range.clone(), format!("`expected` names 1 to {MAX_EXPECTED} groups"));
        return None;
    }
    let read: Vec<Option<Group>> = items.iter().map(|item| read_group(reader, item, per)).collect();
    let groups: Vec<Group> = read.into_iter().collect::<Option<_>>()?;
    for (at, group) in groups.iter().enumerate() {
        if groups[..at].contains(group) {
            let message = format!("the group `{}` is named twice", shortened(&group.values()));
            let diagnostic = reader.diagnostic(&codes::EXPECTED, items[at].range.clone(), message);
            reader.report(diagnostic.help("remove it"));
            return None;
        }
    }
    Some(groups)
}

fn read_group(reader: &mut Reader, node: &Node, per: &[String]) -> Option<Group> {
    let pairs = match (&node.value, per) {
        (Value::Scalar { .. }, [label]) => Some(vec![(label.clone(), reader.text(node, "a label's value")?.to_owned())]),
        (Value::Map(entries), _) => {
            let all = entries.len() == per.len() && entries.iter().all(|entry| per.contains(&entry.key));
            let pair =
                |reader: &mut Reader, key: &str, value: &Node| Some((key.to_owned(), reader.text(value, "a label's value")?.to_owned()));
            let pairs: Vec<_> = entries.iter().map(|entry| pair(reader, &entry.key, &entry.value)).collect::<Option<_>>()?;
            all.then_some(pairs)
        }
        (Value::Scalar { .. } | Value::List(_), _) => None,
    };
    if pairs.is_none() {
        let message = "a group is named by the labels in `per`, all of them and no others";
        let diagnostic = reader.diagnostic(&codes::EXPECTED, node.range.clone(), message);
        let example: Vec<String> = per.iter().map(|label| format!("{label}: ...")).collect();
        reader.report(diagnostic.help(format!("write {{ {} }}", example.join(", "))));
    }
    pairs.map(Group::new)
}
