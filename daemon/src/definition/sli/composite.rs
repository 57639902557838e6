//! `composite`: a journey that is made of other SLOs. Whether those exist is seen when all files are read: [`crate::definition::journeys`].

use std::time::Duration;

use burnward_core::{
    id::{ServiceName, SloId, SloName, TenantId},
    sli::{
        Sli, Weight,
        composite::{Composite, Member, Members, WhenUnseen},
    },
    slo::{CountedIn, Objective},
    time::{hours, minutes},
};

use crate::definition::{
    codes, duration,
    objective::read_good_share,
    reader::{Fields, Keys, Reader, shortened, suggest},
    yaml::Node,
};

const COMPOSITE: Keys = Keys { of: "a composite", known: &["all-of", "weighted", "slice"], later: &[] };
const MEMBER: Keys = Keys { of: "a member", known: &["slo", "good-if-at-least", "no-data"], later: &[] };
const WEIGHTED: Keys = Keys { of: "a weighted member", known: &["slo", "weight", "good-if-at-least", "no-data"], later: &[] };
const SLICE: Duration = minutes(1);
/// Fewest and most members.
const SIZE: std::ops::RangeInclusive<usize> = 2..=20;

/// Reads `composite: { all-of or weighted, slice }` of a tenant's SLO; `None` where it cannot be read.
pub(super) fn read(reader: &mut Reader, node: &Node, tenant: &TenantId) -> Option<Sli> {
    let fields = reader.map(node, &COMPOSITE)?;
    let slice = read_slice(reader, &fields);
    let members = read_members(reader, &fields, tenant);
    Some(Sli::Composite(Composite { members: members?, slice: slice? }))
}

fn read_members(reader: &mut Reader, fields: &Fields<'_>, tenant: &TenantId) -> Option<Members> {
    match (fields.entry("all-of"), fields.entry("weighted")) {
        (Some(all), Some(weighted)) => {
            let message = "give either `all-of` or `weighted`, not both";
            let diagnostic = reader.diagnostic(&codes::COMPOSITE, weighted.key_range.clone(), message);
            let related = reader.place(all.key_range.clone());
            reader.report(diagnostic.related(related, "the other one").help("remove one of them"));
            None
        }
        (None, None) if fields.misspelt("all-of") || fields.misspelt("weighted") => None,
        (None, None) => {
            let diagnostic = reader.diagnostic(&codes::COMPOSITE, fields.place(), "the composite does not say what it is made of");
            reader.report(diagnostic.help("name its members as `all-of: [{ slo: checkout/availability, good-if-at-least: 99% }, ...]`"));
            None
        }
        (Some(_), None) => {
            let items = reader.optional(fields, "all-of").and_then(|node| items(reader, node))?;
            let read: Vec<Option<Member>> =
                items.iter().map(|item| read_member(reader, item, &MEMBER, tenant).map(|(member, _)| member)).collect();
            let members: Vec<Member> = read.into_iter().collect::<Option<_>>()?;
            no_doubles(reader, items, members.iter())?;
            Some(Members::AllOf(members))
        }
        (None, Some(_)) => {
            let node = reader.optional(fields, "weighted")?;
            let items = items(reader, node)?;
            let read: Vec<Option<(Member, Weight)>> = items.iter().map(|item| read_weighted(reader, item, tenant)).collect();
            let members: Vec<(Member, Weight)> = read.into_iter().collect::<Option<_>>()?;
            no_doubles(reader, items, members.iter().map(|(member, _)| member))?;
            adds_up(reader, node, &members)?;
            Some(Members::Weighted(members))
        }
    }
}

fn items<'n>(reader: &mut Reader, node: &'n Node) -> Option<&'n [Node]> {
    let items = reader.list(node, "the members")?;
    if SIZE.contains(&items.len()) {
        return Some(items);
    }
    let message = format!("a composite has {} to {} members, and here are {}", SIZE.start(), SIZE.end(), items.len());
    let diagnostic = reader.diagnostic(&codes::COMPOSITE, node.range.clone(), message);
    reader.report(diagnostic.help("a single SLO needs no composite; of many, make one for each step of the journey"));
    None
}

fn read_weighted(reader: &mut Reader, node: &Node, tenant: &TenantId) -> Option<(Member, Weight)> {
    let (member, fields) = read_member(reader, node, &WEIGHTED, tenant)?;
    let weight = reader.required(&fields, "weight", "50%").and_then(|node| read_weight(reader, node))?;
    Some((member, weight))
}

fn read_member<'n>(reader: &mut Reader, node: &'n Node, keys: &Keys, tenant: &TenantId) -> Option<(Member, Fields<'n>)> {
    let fields = reader.map(node, keys)?;
    let slo = reader.required(&fields, "slo", "checkout/availability").and_then(|node| read_slo(reader, node, tenant));
    let good_from = reader.required(&fields, "good-if-at-least", "99%").and_then(|node| read_good_share(reader, node));
    let unseen = match reader.optional(&fields, "no-data") {
        Some(node) => read_unseen(reader, node)?,
        None => WhenUnseen::default(),
    };
    Some((Member { slo: slo?, good_from: good_from?, unseen }, fields))
}

/// `service/name`; the tenant is that of the document.
fn read_slo(reader: &mut Reader, node: &Node, tenant: &TenantId) -> Option<SloId> {
    let text = reader.text(node, "a member")?;
    let parts = text.split_once('/').filter(|_| !text.contains(':'));
    let parsed = parts.and_then(|(service, name)| Some((ServiceName::parse(service).ok()?, SloName::parse(name).ok()?)));
    let Some((service, name)) = parsed else {
        let (message, help) = if text.contains(':') {
            ("a member is named without its tenant", "only SLOs of the same tenant can be members; write `service/name`")
        } else {
            ("a member is named by its service and its name", "write `service/name`, such as `checkout/availability`")
        };
        let diagnostic = reader.diagnostic(&codes::MEMBER, node.range.clone(), format!("{message}, not `{}`", shortened(text)));
        reader.report(diagnostic.help(help));
        return None;
    };
    Some(SloId { tenant: tenant.clone(), service, name })
}

fn read_unseen(reader: &mut Reader, node: &Node) -> Option<WhenUnseen> {
    let text = reader.text(node, "`no-data`")?;
    let known = WhenUnseen::ALL.into_iter().find(|rule| rule.word() == text);
    if known.is_none() {
        let words = WhenUnseen::ALL.map(WhenUnseen::word);
        let diagnostic = reader.diagnostic(&codes::WRONG_TYPE, node.range.clone(), format!("`{}` is not known here", shortened(text)));
        reader.report(suggest(diagnostic, text, &words));
    }
    known
}

fn read_weight(reader: &mut Reader, node: &Node) -> Option<Weight> {
    let text = reader.text(node, "a weight")?;
    let weight = Weight::percent(text).ok();
    if weight.is_none() {
        let diagnostic = reader.diagnostic(&codes::WEIGHT, node.range.clone(), format!("`{}` is not a weight", shortened(text)));
        reader.report(
            diagnostic.help("write a percentage above 0 % with at most one decimal, such as 60% or 33.3%; leave out what does not count"),
        );
    }
    weight
}

/// Named twice, a member would count twice.
fn no_doubles<'m>(reader: &mut Reader, items: &[Node], members: impl Iterator<Item = &'m Member>) -> Option<()> {
    let mut seen: Vec<&SloId> = Vec::new();
    for (member, item) in members.zip(items) {
        if let Some(first) = seen.iter().position(|slo| **slo == member.slo) {
            let message = format!("{}/{} is a member twice", member.slo.service, member.slo.name);
            let diagnostic = reader.diagnostic(&codes::MEMBER_TWICE, item.range.clone(), message);
            let related = reader.place(items[first].range.clone());
            reader.report(diagnostic.related(related, "the first one").help("remove one of them"));
            return None;
        }
        seen.push(&member.slo);
    }
    Some(())
}

fn adds_up(reader: &mut Reader, node: &Node, members: &[(Member, Weight)]) -> Option<()> {
    let sum: u32 = members.iter().map(|(_, weight)| u32::from(weight.tenths())).sum();
    if sum == u32::from(Weight::WHOLE.tenths()) {
        return Some(());
    }
    let message = format!("the weights add up to {}.{} %", sum / 10, sum % 10);
    let diagnostic = reader.diagnostic(&codes::WEIGHT, node.range.clone(), message);
    reader.report(diagnostic.help("they are shares of the journey: let them add up to 100 %, such as 33.3%, 33.3% and 33.4%"));
    None
}

fn read_slice(reader: &mut Reader, fields: &Fields<'_>) -> Option<Duration> {
    if fields.entry("slice").is_none() {
        return Some(SLICE);
    }
    let node = reader.optional(fields, "slice")?;
    let slice = reader.duration_within(node, "`slice`", minutes(1)..=hours(1))?;
    if slice.as_millis().is_multiple_of(60_000) && hours(1).as_millis().is_multiple_of(slice.as_millis()) {
        return Some(slice);
    }
    let message = format!("{} is no whole number of minutes that divides an hour", duration::format(slice));
    let diagnostic = reader.diagnostic(&codes::STEP, node.range.clone(), message);
    reader.report(diagnostic.help("write one of 1m, 2m, 3m, 4m, 5m, 6m, 10m, 12m, 15m, 20m, 30m and 1h"));
    None
}

/// A composite is in slices of time already, which must fit the periods of its windows.
pub(in crate::definition) fn check_objectives(reader: &mut Reader, node: &Node, composite: &Composite, objectives: &[Objective]) {
    for objective in objectives {
        match objective.counted_in {
            CountedIn::Events => {}
            CountedIn::Slices(_) => {
                let message = format!("the objective `{}` is counted in slices, and so is the composite already", objective.name);
                let diagnostic = reader.diagnostic(&codes::SLICE, node.range.clone(), message);
                reader.report(diagnostic.help("remove `counted-in:`; `slice:` of the composite says how long its slices are"));
            }
        }
        let edges = objective.window.edges();
        if !edges.as_millis().is_multiple_of(composite.slice.as_millis()) {
            let message = format!("periods of `{}` begin between two slices of {}", objective.name, duration::format(composite.slice));
            let diagnostic = reader.diagnostic(&codes::SLICE, node.range.clone(), message);
            reader.report(diagnostic.help(format!("its time zone needs slices that divide {}", duration::format(edges))));
        }
    }
}
