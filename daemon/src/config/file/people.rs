//! `people:`, `teams:`, `operators:` and `slack:` who is told, and through what.

use std::{collections::BTreeMap, time::Duration};

use burnward_core::{
    id::{PersonName, TeamName},
    oncall::{Recipient, Step, Team},
    time::hours,
};

use super::File;
use crate::{
    config::{ACKNOWLEDGE_WITHIN, Operators, Person, SlackConfig},
    definition::{
        codes,
        reader::{Fields, Keys, shortened, suggest},
        yaml::{Node, Value},
    },
};

const LATER: &str = "remove it; an escalation is a fixed list of people and channels";
const PERSON: Keys = Keys {
    of: "a person",
    known: &["email", "slack"],
    later: &[("phone", "supported are email and slack"), ("timezone", "supported are email and slack")],
};
const TEAM: Keys = Keys { of: "a team", known: &["channel", "escalation"], later: &[("schedule", LATER), ("rotation", LATER)] };
const STEP: Keys = Keys { of: "a step of an escalation", known: &["page", "acknowledge-within"], later: &[("schedule", LATER)] };
const SLACK: Keys = Keys { of: "`slack`", known: &["api-url", "bot-token-file", "app-token-file", "signing-secret-file"], later: &[] };
/// Most steps of an escalation, and most recipients of a step.
const MAX_STEPS: usize = 20;

pub(super) type People = BTreeMap<PersonName, Person>;

pub(super) fn read_people(file: &mut File, fields: &Fields<'_>) -> People {
    let Some(node) = file.reader.optional(fields, "people") else { return People::new() };
    let Some(people) = file.reader.any_map(node, "`people`") else { return People::new() };
    let mut read = People::new();
    for entry in people.entries() {
        let name = file.reader.name_at(&entry.key, entry.key_range.clone(), "a person's name", PersonName::parse);
        let person = read_person(file, &entry.value);
        if let Some(name) = name {
            // A person with a mistake is known all the same, so that the mistake is told once.
            read.insert(name, person.unwrap_or(Person { email: None, slack: None }));
        }
    }
    read
}

fn read_person(file: &mut File, node: &Node) -> Option<Person> {
    let fields = file.map(node, &PERSON)?;
    let email = file.reader.optional(&fields, "email").and_then(|node| read_email(file, node));
    let slack = file.reader.optional(&fields, "slack").and_then(|node| read_slack_id(file, node));
    if fields.get("email").is_none() && fields.get("slack").is_none() {
        let diagnostic =
            file.reader.diagnostic(&codes::MISSING_KEY, fields.place(), "a person has neither `email` nor `slack` and cannot be reached");
        file.reader.report(diagnostic.help("add `email:` (Slack knows people by it) or `slack:` (the member id)"));
    }
    Some(Person { email, slack })
}

fn read_email(file: &mut File, node: &Node) -> Option<String> {
    let text = file.reader.line(node, "`email`", 254)?;
    let legal =
        text.split_once('@').is_some_and(|(user, host)| !user.is_empty() && host.contains('.') && !text.contains(char::is_whitespace));
    if !legal {
        file.reader.error(&codes::WRONG_TYPE, node.range.clone(), format!("`{}` is not an e-mail address", shortened(text)));
        return None;
    }
    Some(text.to_owned())
}

fn read_slack_id(file: &mut File, node: &Node) -> Option<String> {
    let text = file.reader.line(node, "`slack`", 64)?;
    let legal = text.starts_with(['U', 'W']) && text.len() >= 3 && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
    if !legal {
        let diagnostic =
            file.reader.diagnostic(&codes::SLACK_ID, node.range.clone(), format!("`{}` is not a Slack member id", shortened(text)));
        file.reader.report(diagnostic.help("write for example U012AB34C, from the profile's menu \"Copy member ID\""));
        return None;
    }
    Some(text.to_owned())
}

pub(super) fn read_operators(file: &mut File, fields: &Fields<'_>, people: &People) -> Option<Operators> {
    let node = file.reader.optional(fields, "operators")?;
    let (channel, escalation) = read_told(file, node, people)?;
    Some(Operators { channel, escalation })
}

/// The teams, and the operators as one of them. A team with a mistake is known all the same, with what is right of it: the mistake is told once, and not
/// again of whatever names the team.
pub(super) fn read_teams(file: &mut File, fields: &Fields<'_>, people: &People, operators: &Operators) -> BTreeMap<TeamName, Team> {
    let mut read = BTreeMap::from([(Operators::team_name(), operators.team())]);
    let Some(node) = file.reader.optional(fields, "teams") else { return read };
    let Some(teams) = file.reader.any_map(node, "`teams`") else { return read };
    for entry in teams.entries() {
        let name = file.reader.name_at(&entry.key, entry.key_range.clone(), "a team's name", TeamName::parse);
        let told = read_told(file, &entry.value, people);
        if name.as_ref() == Some(&Operators::team_name()) {
            let diagnostic =
                file.reader.diagnostic(&codes::DUPLICATE_NAME, entry.key_range.clone(), "the team `operators` is declared as `operators:`");
            file.reader.report(diagnostic.help("move it to the key `operators:` of the file"));
        } else if let Some(name) = name {
            let (channel, escalation) = told.unwrap_or_default();
            read.insert(name.clone(), Team { name, channel, escalation });
        }
    }
    read
}

/// Channel and escalation; without an escalation the channel is its only step.
fn read_told(file: &mut File, node: &Node, people: &People) -> Option<(String, Vec<Step>)> {
    let fields = file.map(node, &TEAM)?;
    let channel = file.reader.required(&fields, "channel", "\"#payments-oncall\"").and_then(|node| read_channel(file, node));
    let steps = match file.reader.optional(&fields, "escalation") {
        Some(node) => read_steps(file, node, people),
        None => {
            channel.clone().map(|channel| vec![Step { page: vec![Recipient::Channel(channel)], acknowledge_within: ACKNOWLEDGE_WITHIN }])
        }
    };
    Some((channel?, steps?))
}

pub(super) fn read_channel(file: &mut File, node: &Node) -> Option<String> {
    let text = file.reader.line(node, "a channel", 81)?;
    if is_channel(text) {
        return Some(text.to_owned());
    }
    let diagnostic = file.reader.diagnostic(&codes::CHANNEL, node.range.clone(), format!("`{}` is not a channel", shortened(text)));
    file.reader.report(diagnostic.help("write it with its # and in quotes, such as \"#payments-oncall\""));
    None
}

/// `#` and what Slack allows in a channel's name: letters and digits of any script, `-` and `_`, none of them upper-case.
fn is_channel(text: &str) -> bool {
    text.strip_prefix('#')
        .is_some_and(|name| !name.is_empty() && name.chars().all(|c| (c.is_alphanumeric() && !c.is_uppercase()) || matches!(c, '-' | '_')))
}

fn read_steps(file: &mut File, node: &Node, people: &People) -> Option<Vec<Step>> {
    let items = file.reader.list(node, "`escalation`")?;
    if items.is_empty() || items.len() > MAX_STEPS {
        let diagnostic =
            file.reader.diagnostic(&codes::ESCALATION, node.range.clone(), format!("an escalation has 1 to {MAX_STEPS} steps"));
        file.reader.report(diagnostic.help("leave `escalation` out where the channel alone is paged"));
        return None;
    }
    let read: Vec<Option<Step>> = items.iter().map(|item| read_step(file, item, people)).collect();
    read.into_iter().collect()
}

fn read_step(file: &mut File, node: &Node, people: &People) -> Option<Step> {
    let fields = file.map(node, &STEP)?;
    let bounds = Duration::from_secs(1)..=hours(24);
    let acknowledge_within = file.span(&fields, "acknowledge-within", bounds).unwrap_or(ACKNOWLEDGE_WITHIN);
    let page = file.reader.required(&fields, "page", "[ada]")?;
    let items = if let Value::List(items) = &page.value { items.as_slice() } else { std::slice::from_ref(page) };
    if items.is_empty() || items.len() > MAX_STEPS {
        file.reader.error(&codes::ESCALATION, page.range.clone(), format!("a step pages 1 to {MAX_STEPS} people or channels"));
        return None;
    }
    let read: Vec<Option<Recipient>> = items.iter().map(|item| read_recipient(file, item, people)).collect();
    Some(Step { page: read.into_iter().collect::<Option<_>>()?, acknowledge_within })
}

fn read_recipient(file: &mut File, node: &Node, people: &People) -> Option<Recipient> {
    if node.is_null() {
        let diagnostic = file.reader.diagnostic(&codes::CHANNEL, node.range.clone(), "nobody stands here");
        file.reader.report(diagnostic.help("put a channel into quotes, such as \"#payments\": YAML takes an unquoted # for a comment"));
        return None;
    }
    let text = file.reader.text(node, "a person or a channel")?;
    if text.starts_with('#') {
        return read_channel(file, node).map(Recipient::Channel);
    }
    let name = file.reader.name(node, "a person's name", PersonName::parse)?;
    if people.contains_key(&name) {
        return Some(Recipient::Person(name));
    }
    let names = Operators::names(people.keys());
    let diagnostic = file.reader.diagnostic(&codes::UNKNOWN_PERSON, node.range.clone(), format!("there is no person `{name}`"));
    file.reader.report(suggest(diagnostic, name.as_str(), &names).help("declare them under `people:`; a channel starts with #"));
    None
}

pub(super) fn read_slack(file: &mut File, fields: &Fields<'_>) -> Option<SlackConfig> {
    let node = file.reader.optional(fields, "slack")?;
    let inner = file.map(node, &SLACK)?;
    let api_url = file.url(&inner, "api-url");
    let app_token_file = file.path(&inner, "app-token-file");
    let signing_secret_file = file.path(&inner, "signing-secret-file");
    file.reader.required(&inner, "bot-token-file", "/run/secrets/slack-bot")?;
    let bot_token_file = file.path(&inner, "bot-token-file")?;
    Some(SlackConfig { api_url, bot_token_file, app_token_file, signing_secret_file })
}
