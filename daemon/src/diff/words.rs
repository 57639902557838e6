//! A difference for people, for a pull request, and for programs.

use std::fmt::Write as _;

use burnward_core::{id::SloId, words};

use super::{
    Backtested, Change, Difference, Effect, Fact, FactChange, TeamChange, What,
    effect::{Page, Told},
};
use crate::report::words::utc;

/// For a terminal. `shows_tenant`: several tenants are compared.
pub fn text(difference: &Difference, shows_tenant: bool) -> String {
    let mut text = String::new();
    for change in &difference.changes {
        let name = name(&change.id, shows_tenant);
        let sign = match change.what {
            What::Added(_) => '+',
            What::Removed => '-',
            What::Changed { .. } => '~',
        };
        line(&mut text, &format!("{sign} {name}   {}", change.place));
        let rows = rows(change, shows_tenant);
        let width = rows.iter().map(|(key, _)| key.chars().count()).max().unwrap_or(0);
        for (key, value) in rows {
            line(&mut text, &format!("    {key:width$}   {value}"));
        }
    }
    for TeamChange { team, facts } in &difference.teams {
        line(&mut text, &format!("~ team {team}"));
        let width = facts.iter().map(|fact| fact.key.chars().count()).max().unwrap_or(0);
        for fact in facts {
            line(&mut text, &format!("    {:width$}   {}", fact.key, arrow(fact)));
        }
    }
    if !difference.newly_paged.is_empty() {
        line(&mut text, &format!("Paged that were not before: {}.", people(&difference.newly_paged)));
    }
    for sentence in told_of_backtest(difference) {
        line(&mut text, &sentence);
    }
    line(&mut text, &counts(difference));
    text
}

/// What all changes would have done, and by whose clocks night is told.
fn told_of_backtest(difference: &Difference) -> Vec<String> {
    let told = |backtested: &Backtested| {
        let sum = [backtested.sentence()].into_iter().chain(backtested.night());
        sum.chain(backtested.unseen.iter().cloned()).collect::<Vec<_>>()
    };
    difference.backtested.iter().flat_map(told).collect()
}

/// For a comment on a pull request.
pub fn markdown(difference: &Difference, shows_tenant: bool) -> String {
    let mut text = format!("### {}\n", counts(difference));
    for change in &difference.changes {
        let what = match change.what {
            What::Added(_) => "added",
            What::Removed => "removed",
            What::Changed { .. } => "changed",
        };
        line(&mut text, &format!("\n**{}** {what} (`{}`)", name(&change.id, shows_tenant), change.place));
        let rows = rows(change, shows_tenant);
        if !rows.is_empty() {
            line(&mut text, "\n| key | change |\n|---|---|");
        }
        for (key, value) in rows {
            line(&mut text, &format!("| {key} | {} |", value.replace('|', "\\|")));
        }
    }
    for TeamChange { team, facts } in &difference.teams {
        line(&mut text, &format!("\n**team {team}** changed\n\n| key | change |\n|---|---|"));
        for fact in facts {
            line(&mut text, &format!("| {} | {} |", fact.key, arrow(fact).replace('|', "\\|")));
        }
    }
    let backtested = told_of_backtest(difference);
    if !backtested.is_empty() {
        line(&mut text, &format!("\n{}", backtested.join(" ")));
    }
    if !difference.newly_paged.is_empty() {
        line(&mut text, &format!("\n**Paged that were not before:** {}", people(&difference.newly_paged)));
    }
    text
}

/// For programs.
pub fn json(difference: &Difference) -> serde_json::Value {
    let change = |change: &Change| {
        let (what, was, facts) = match &change.what {
            What::Added(facts) => ("added", None, facts.iter().map(|Fact { key, value }| row(key, None, Some(value))).collect()),
            What::Removed => ("removed", None, Vec::new()),
            What::Changed { was, facts } => {
                let facts = facts.iter().map(|FactChange { key, before, after }| row(key, before.as_ref(), after.as_ref()));
                ("changed", was.as_ref().map(SloId::to_string), facts.collect::<Vec<_>>())
            }
        };
        serde_json::json!({
            "slo": change.id.to_string(),
            "place": change.place,
            "what": what,
            "was": was,
            "facts": facts,
            "paged_before": change.paged.0,
            "paged": change.paged.1,
            "tickets_to_before": change.ticketed.0,
            "tickets_to": change.ticketed.1,
            "effect": change.effect.as_ref().map(effect),
            "not_lived_through": change.not_lived,
        })
    };
    let team = |TeamChange { team, facts }: &TeamChange| {
        let facts = facts.iter().map(|FactChange { key, before, after }| row(key, before.as_ref(), after.as_ref()));
        serde_json::json!({ "team": team.as_str(), "facts": facts.collect::<Vec<_>>() })
    };
    serde_json::json!({
        "schema": "burnward/v1/diff",
        "changes": difference.changes.iter().map(change).collect::<Vec<_>>(),
        "teams": difference.teams.iter().map(team).collect::<Vec<_>>(),
        "newly_paged": difference.newly_paged,
        "backtest": difference.backtested.as_ref().map(backtest),
    })
}

fn backtest(backtested: &Backtested) -> serde_json::Value {
    serde_json::json!({
        "from": utc(backtested.span.from),
        "to": utc(backtested.span.to),
        "unseen": backtested.unseen,
        "sum": effect(&backtested.sum),
        "night_timezones": backtested.zones,
        "night_is_utc_for_teams": backtested.without_zone,
    })
}

fn effect(effect: &Effect) -> serde_json::Value {
    serde_json::json!({ "before": told(&effect.before), "after": told(&effect.after), "at_once": effect.at_once() })
}

fn told(told: &Told) -> serde_json::Value {
    let page = |page: &Page| {
        serde_json::json!({
            "at": utc(page.at),
            "lasted_seconds": page.lasted.map(|lasted| lasted.as_secs_f64()),
            "why": page.why,
            "group": page.group,
            "to": page.to,
            "at_night": page.at_night,
        })
    };
    let person = |(person, pages): (String, usize)| serde_json::json!({ "person": person, "pages": pages });
    serde_json::json!({
        "pages": told.pages.len(),
        "at_night": told.at_night(),
        "tickets": told.tickets,
        "no_data_messages": told.no_data,
        "no_data_pages": told.no_data_pages,
        "left_ratio": told.least.map(|least| least.left),
        "coverage_ratio": told.least.map(|least| least.seen),
        "people": told.people().into_iter().map(person).collect::<Vec<_>>(),
        "each_page": told.pages.iter().map(page).collect::<Vec<_>>(),
    })
}

fn row(key: &str, before: Option<&String>, after: Option<&String>) -> serde_json::Value {
    serde_json::json!({ "key": key, "before": before, "after": after })
}

/// What is told of one SLO: key, and what became of it.
fn rows(change: &Change, shows_tenant: bool) -> Vec<(String, String)> {
    let mut rows: Vec<(String, String)> = match &change.what {
        What::Removed => Vec::new(),
        What::Added(facts) => facts.iter().map(|fact| (fact.key.clone(), fact.value.clone())).collect(),
        What::Changed { was, facts } => {
            let was = was.iter().map(|was| ("was".to_owned(), name(was, shows_tenant)));
            was.chain(facts.iter().map(|fact| (fact.key.clone(), arrow(fact)))).collect()
        }
    };
    for (key, (before, after)) in [("pages", &change.paged), ("tickets", &change.ticketed)] {
        match &change.what {
            What::Added(_) => rows.push((key.to_owned(), people(after))),
            What::Removed | What::Changed { .. } if before != after => {
                rows.push((key.to_owned(), format!("{} -> {}", people(before), people(after))));
            }
            What::Removed | What::Changed { .. } => {}
        }
    }
    rows.extend(change.not_lived.iter().map(|why| ("backtest".to_owned(), format!("not lived through: {why}"))));
    if let Some(effect) = &change.effect {
        rows.push(("backtest".to_owned(), effect.words()));
        rows.extend(effect.after.lines().into_iter().map(|page| (String::new(), page)));
        rows.extend(effect.at_once().map(|words| ("at once".to_owned(), words)));
    }
    rows
}

/// `99.5% -> 99.9%`.
fn arrow(FactChange { key: _, before, after }: &FactChange) -> String {
    let [before, after] = [before, after].map(|value| value.as_deref().unwrap_or("(nothing)"));
    format!("{before} -> {after}")
}

fn people(paged: &[String]) -> String {
    if paged.is_empty() { "nobody".to_owned() } else { paged.join(", ") }
}

fn name(id: &SloId, shows_tenant: bool) -> String {
    if shows_tenant { id.to_string() } else { format!("{}/{}", id.service, id.name) }
}

/// `1 changed, 1 added, 0 removed.`
fn counts(difference: &Difference) -> String {
    let of = |kind: fn(&What) -> bool| difference.changes.iter().filter(|change| kind(&change.what)).count();
    let changed = of(|what| matches!(what, What::Changed { .. }));
    let added = of(|what| matches!(what, What::Added(_)));
    let removed = of(|what| matches!(what, What::Removed));
    let teams = match difference.teams.len() {
        0 => String::new(),
        1 => "; 1 team differs".to_owned(),
        many => format!("; {many} teams differ"),
    };
    if difference.changes.is_empty() {
        return format!("No SLO differs{teams}.");
    }
    let total = words::plural(difference.changes.len(), "SLO");
    format!("{total}: {changed} changed, {added} added, {removed} removed{teams}.")
}

fn line(text: &mut String, words: &str) {
    writeln!(text, "{words}").expect("writing to a String cannot fail");
}
