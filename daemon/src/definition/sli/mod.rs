//! The `sli:` of an SLO, by its kind, and the labels that split it.

mod composite;
mod expression;
mod latency;
mod presence;
mod selectors;

use burnward_core::{
    id::TenantId,
    sli::{Counted, MatchOp, Matcher, Selector, Sli},
};

use super::{
    codes,
    matchers::{self, Turned, Wider},
    reader::{Fields, Keys, Reader, shortened},
    selector::is_label_name,
    yaml::{Entry, Node},
};
pub(super) use composite::check_objectives;
pub use expression::Promql;
pub(super) use expression::check_lookbacks;
pub(super) use selectors::parse_selector;
use selectors::{probes, selectors};

const KINDS: &str = "supported are `events` (bad or good, and total), `latency` (histogram, within and, where they apply, tolerated and buckets), `probe` (a gauge of 0 and 1), `presence` (series), `window` (expr, is and threshold), `query` (bad or good, and total) and `composite` (all-of or weighted)";
const SLI: Keys = Keys { of: "an SLI", known: &["events", "latency", "probe", "presence", "window", "query", "composite"], later: &[] };
const EVENTS: Keys =
    Keys { of: "an SLI of events", known: &["bad", "good", "total"], later: &[("tolerated", "supported are bad or good, and total")] };
/// Most labels that split an SLO.
const MAX_PER: usize = 8;

/// Reads `sli:` of a tenant's SLO that is split by these labels; `None` where they cannot be read.
pub(super) fn read(reader: &mut Reader, node: &Node, per: Option<&[String]>, promql: Promql, tenant: &TenantId) -> Option<Sli> {
    let fields = reader.map(node, &SLI)?;
    let given: Vec<&Entry> = fields.entries().iter().filter(|entry| SLI.known.contains(&entry.key.as_str())).collect();
    match given.as_slice() {
        [entry] if entry.key == "composite" => composite::read(reader, &entry.value, tenant),
        [entry] => read_kind(reader, entry, per, promql),
        [first, second, ..] => {
            let message = format!("an SLI is of one kind, and here are `{}` and `{}`", first.key, second.key);
            let diagnostic = reader.diagnostic(&codes::SLI, second.key_range.clone(), message);
            let related = reader.place(first.key_range.clone());
            reader.report(diagnostic.related(related, "the other one").help("make two SLOs of it"));
            None
        }
        // Whatever stands there instead was collected as an unknown key.
        [] if !fields.entries().is_empty() => None,
        [] => {
            let diagnostic = reader.diagnostic(&codes::SLI, fields.place(), "the SLI does not say of which kind it is");
            reader.report(diagnostic.help(KINDS));
            None
        }
    }
}

fn read_kind(reader: &mut Reader, kind: &Entry, per: Option<&[String]>, promql: Promql) -> Option<Sli> {
    let node = &kind.value;
    match kind.key.as_str() {
        "latency" => latency::read(reader, node, promql),
        "probe" => probes(reader, node).map(|probes| Sli::Probe { probes }),
        "presence" => presence::read(reader, node, per),
        "window" => expression::spoken(reader, kind, promql).and_then(|()| expression::read_window(reader, node, per, promql)),
        "query" => expression::spoken(reader, kind, promql).and_then(|()| expression::read_query(reader, node, per, promql)),
        _ => read_events(reader, node),
    }
}

fn read_events(reader: &mut Reader, node: &Node) -> Option<Sli> {
    let fields = reader.map(node, &EVENTS)?;
    let total = reader.required(&fields, "total", "'http_requests_total{job=\"checkout\"}'").and_then(|total| selectors(reader, total));
    let counted = counted(reader, &fields);
    let (counted, total) = (counted?, total?);
    differs(reader, node, &counted, &total)?;
    advise_on_same_sides(reader, node, &counted, &total);
    advise_on_part(reader, node, &counted, &total);
    Some(Sli::Events { counted, total })
}

/// A side that is the total says nothing.
fn differs(reader: &mut Reader, node: &Node, counted: &Counted, total: &[Selector]) -> Option<()> {
    let (side, word) = match counted {
        Counted::Bad(side) => (side, "bad"),
        Counted::Good(side) => (side, "good"),
    };
    if side.len() != total.len() || !side.iter().all(|selector| total.contains(selector)) {
        return Some(());
    }
    let message = format!("`{word}` and `total` are the same: every event is {word}");
    let diagnostic = reader.diagnostic(&codes::SAME_QUERY, node.range.clone(), message);
    reader.report(diagnostic.help(format!("narrow `{word}` to what makes an event {word}, such as code=~\"5..\"")));
    None
}

/// A side that differs from the total in matchers alone that take everything.
fn advise_on_same_sides(reader: &mut Reader, node: &Node, counted: &Counted, total: &[Selector]) {
    let (side, word) = match counted {
        Counted::Bad(side) => (side, "bad"),
        Counted::Good(side) => (side, "good"),
    };
    if are_same(side, total) {
        let message = format!("`{word}` and `total` are the same: every event is {word}");
        let diagnostic = reader.diagnostic(&codes::SAME_SIDES, node.range.clone(), message);
        reader.report(diagnostic.help(format!("narrow `{word}` to what makes an event {word}, such as code=~\"5..\"")));
    }
}

/// Whether both take the same series.
fn are_same(side: &[Selector], total: &[Selector]) -> bool {
    let total: Vec<Selector> = total.iter().map(matchers::needed).collect();
    side.len() == total.len() && side.iter().all(|selector| total.contains(&matchers::needed(selector)))
}

/// A side that is no part of the total: other series of the same metric, or beside what is called like the successes alone.
fn advise_on_part(reader: &mut Reader, node: &Node, counted: &Counted, total: &[Selector]) {
    let (side, word) = match counted {
        Counted::Bad(side) => (side, "bad"),
        Counted::Good(side) => (side, "good"),
    };
    if let Some((message, help)) = no_part(word, side, total) {
        let diagnostic = reader.diagnostic(&codes::NO_PART, node.range.clone(), message);
        reader.report(diagnostic.help(help));
    } else if let Some((message, help)) = turned(word, side) {
        let diagnostic = reader.diagnostic(&codes::TURNED, node.range.clone(), message);
        reader.report(diagnostic.help(help));
    }
}

/// What to say of a side of this name that takes what the other one is.
fn turned(word: &str, side: &[Selector]) -> Option<(String, String)> {
    let (of_side, other, is) = match word {
        "bad" => (Counted::Bad(side), "good", "succeeded"),
        _ => (Counted::Good(side), "bad", "failed"),
    };
    let Turned { matcher, taken, left, instead } = matchers::turned(&of_side)?;
    let message = format!("`{word}` is what {is}: {matcher} takes {taken}, and nothing like {left}");
    Some((message, format!("call it `{other}`, or write what is {word}, such as {instead}")))
}

/// What is wrong with a side of this name beside the total, and what to write instead.
fn no_part(word: &str, side: &[Selector], total: &[Selector]) -> Option<(String, String)> {
    if side.is_empty() || total.is_empty() {
        return None;
    }
    if let Some((one, other)) = matchers::outside(side, total) {
        let message = format!("`{word}` is no part of `total`: no series is both {one} and {other}");
        let help = "`total` is all events, the good and the bad ones: leave the matcher out of it, or give it as a list of both".to_owned();
        return Some((message, help));
    }
    if let Some(wider) = matchers::wider(side, total) {
        return Some(told_of_wider(word, &wider, total));
    }
    let successes = total.iter().find(|_| word == "bad" && total.iter().all(is_called_success) && !side.iter().any(is_called_success))?;
    let message = format!("`{}` is called like the good events alone, and `total` is all events", shortened(successes.metric()));
    let (good, bad) = (shortened(successes.metric()), side.first().map(|one| shortened(one.metric())).unwrap_or_default());
    Some((message, format!("where it is, add the bad ones: `total: ['{good}', '{bad}']`")))
}

/// What to say of a side that takes series which the total leaves out.
fn told_of_wider(word: &str, Wider { taken, asked, holds_all }: &Wider, total: &[Selector]) -> (String, String) {
    let such = taken.as_ref().map(|taken| format!(", such as those with {taken}")).unwrap_or_default();
    let why = if total.len() > 1 { "no selector of `total` takes them, ".to_owned() } else { String::new() };
    let why = match taken {
        Some(_) => format!("{why}`total` asks for {asked}"),
        None => format!("{why}`total` asks for {asked}, and `{word}` does not"),
    };
    let message = format!("`{word}` takes series that `total` leaves out{such}: {why}");
    let all = "`total` is all events, the good and the bad ones";
    let help = if *holds_all {
        format!(
            "{all}: exchange `{word}` and `total` where they are swapped, else leave {asked} out of `total` or write it into `{word}` as well"
        )
    } else {
        format!("{all}: leave {asked} out of it, or write it into `{word}` as well")
    };
    (message, help)
}

fn is_called_success(selector: &Selector) -> bool {
    selector.metric().split('_').any(|part| matches!(part, "success" | "successes" | "successful" | "succeeded"))
}

/// Advises where splitting by a label says nothing.
pub(super) fn advise_on_split(reader: &mut Reader, node: &Node, per: &[String], sli: &Sli) {
    for label in per {
        let Some((message, help)) = says_nothing(label, sli) else { continue };
        let diagnostic = reader.diagnostic(&codes::SPLIT_SAYS_NOTHING, node.range.clone(), message);
        reader.report(diagnostic.help(help));
    }
}

fn says_nothing(label: &str, sli: &Sli) -> Option<(String, &'static str)> {
    let selectors = sli.selectors();
    let (first, others) = selectors.split_first()?;
    let matched =
        |selector: &Selector| -> Vec<Matcher> { selector.matchers().iter().filter(|matcher| matcher.label == label).cloned().collect() };
    let of_first = matched(first);
    if others.iter().all(|selector| matched(selector) == of_first) {
        let pinned = of_first.iter().find(|matcher| matcher.op == MatchOp::Equal)?;
        let message = format!("all selectors ask for {pinned} alone, so splitting by `{label}` makes one group");
        return Some((message, "remove it from `per`, or the matcher from the selectors"));
    }
    let Sli::Events { counted: Counted::Bad(side) | Counted::Good(side), total } = sli else { return None };
    let judged = side.iter().all(|selector| !matched(selector).is_empty()) && total.iter().all(|selector| matched(selector).is_empty());
    let message = format!("`{label}` is what tells bad events from good ones, so each of its groups is wholly bad or wholly good");
    judged.then_some((message, "split by a label that is not judged, such as tenant or region"))
}

fn counted(reader: &mut Reader, fields: &Fields<'_>) -> Option<Counted> {
    let side = counted_entry(reader, fields)?;
    let selectors = reader.optional(fields, &side.key).and_then(|node| selectors(reader, node))?;
    Some(if side.key == "bad" { Counted::Bad(selectors) } else { Counted::Good(selectors) })
}

/// The side that is given beside the total: exactly one of `bad` and `good`.
fn counted_entry<'n>(reader: &mut Reader, fields: &Fields<'n>) -> Option<&'n Entry> {
    match (fields.entry("bad"), fields.entry("good")) {
        (Some(bad), Some(good)) => {
            let message = "give either `bad` or `good`, not both: the other follows from the total";
            let diagnostic = reader.diagnostic(&codes::SLI, good.key_range.clone(), message);
            let related = reader.place(bad.key_range.clone());
            reader.report(diagnostic.related(related, "the other one").help("remove one of them"));
            None
        }
        (None, None) if fields.misspelt("bad") || fields.misspelt("good") => None,
        (None, None) => {
            let diagnostic = reader.diagnostic(&codes::SLI, fields.place(), "neither `bad` nor `good` is given");
            reader.report(diagnostic.help("name the counter of bad events as `bad:`, or that of good events as `good:`"));
            None
        }
        (Some(side), None) | (None, Some(side)) => Some(side),
    }
}

const LABELS: &str = "use a label of the counters: a-z, A-Z, 0-9 and _, neither `le` nor a name that starts with __";

/// Reads `per:`: the labels that split an SLO.
pub(super) fn read_per(reader: &mut Reader, node: &Node) -> Option<Vec<String>> {
    let items = reader.list(node, "`per`")?;
    if items.len() > MAX_PER {
        reader.error(&codes::LABEL, node.range.clone(), format!("an SLO is split by at most {MAX_PER} labels"));
        return None;
    }
    let mut labels: Vec<String> = Vec::new();
    for item in items {
        let Some(label) = reader.text(item, "a label") else { continue };
        let legal = is_label_name(label) && !label.starts_with("__") && label != "le";
        if !legal || labels.iter().any(|have| have == label) {
            let (why, help) = if legal { ("is given twice", "remove it") } else { ("is not the name of a label to split by", LABELS) };
            let diagnostic = reader.diagnostic(&codes::LABEL, item.range.clone(), format!("`{}` {why}", shortened(label)));
            reader.report(diagnostic.help(help));
            continue;
        }
        labels.push(label.to_owned());
    }
    Some(labels)
}
