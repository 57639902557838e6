//! Who and where: channels by name, people by e-mail address, conversations with people. Found once, then remembered.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, PoisonError},
};

use burnward_core::id::PersonName;
use serde_json::{Value, json};

use super::{
    super::{PermanentClass, Sent},
    api::Api,
    classify::CallError,
};
use crate::config::Person;

/// Most pages of the list of channels that are read; 1,000 channels each.
const MAX_PAGES: usize = 20;

/// What was found so far.
#[derive(Debug, Default)]
pub(super) struct Directory {
    channels: Mutex<HashMap<String, String>>,
    users: Mutex<BTreeMap<PersonName, String>>,
    directs: Mutex<HashMap<String, String>>,
}

fn known<K: std::hash::Hash + Eq + ?Sized, Q: std::borrow::Borrow<K> + std::hash::Hash + Eq>(
    map: &Mutex<HashMap<Q, String>>,
    key: &K,
) -> Option<String> {
    map.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
}

/// True for an identity as Slack gives them: `C0123ABCD`.
fn is_identity(text: &str) -> bool {
    text.len() >= 7 && text.starts_with(['C', 'G', 'D']) && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
}

impl Directory {
    /// The identity of a channel, written as `#name` or as an identity; `None` where it cannot be found out, and posting by name must do.
    pub(super) async fn channel(&self, api: &Api, written: &str) -> Option<String> {
        let name = written.trim_start_matches('#');
        if let Some(id) = known(&self.channels, name) {
            return Some(id);
        }
        if is_identity(name) {
            self.learn_channel(name, name);
        } else if let Err(error) = self.read_channels(api, name).await {
            tracing::debug!(%error, "the list of Slack's channels cannot be read, the name is used");
        }
        let id = known(&self.channels, name)?;
        join(api, &id).await;
        Some(id)
    }

    /// Remembers the identity that posting by name has shown.
    pub(super) fn learn_channel(&self, written: &str, id: &str) {
        let name = written.trim_start_matches('#').to_owned();
        self.channels.lock().unwrap_or_else(PoisonError::into_inner).insert(name, id.to_owned());
    }

    async fn read_channels(&self, api: &Api, wanted: &str) -> Result<(), CallError> {
        let mut cursor = String::new();
        for _ in 0..MAX_PAGES {
            let mut params = vec![
                ("limit", "1000".to_owned()),
                ("exclude_archived", "true".to_owned()),
                ("types", "public_channel,private_channel".to_owned()),
            ];
            if !cursor.is_empty() {
                params.push(("cursor", cursor.clone()));
            }
            let answer = api.get("conversations.list", &params).await?;
            if self.take_channels(&answer, wanted) {
                return Ok(());
            }
            text(&answer["response_metadata"]["next_cursor"]).clone_into(&mut cursor);
            if cursor.is_empty() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Remembers the channels of a page; true where the wanted one is among them.
    fn take_channels(&self, answer: &Value, wanted: &str) -> bool {
        let mut channels = self.channels.lock().unwrap_or_else(PoisonError::into_inner);
        for channel in answer["channels"].as_array().into_iter().flatten() {
            let (name, id) = (text(&channel["name"]), text(&channel["id"]));
            if !name.is_empty() && !id.is_empty() {
                channels.insert(name.to_owned(), id.to_owned());
            }
        }
        channels.contains_key(wanted)
    }

    /// The Slack user of a person; an error as the outcome of what was to be sent to them.
    pub(super) async fn user(&self, api: &Api, name: &PersonName, person: Option<&Person>) -> Result<String, Sent> {
        if let Some(id) = person.and_then(|person| person.slack.clone()) {
            return Ok(id);
        }
        if let Some(id) = self.users.lock().unwrap_or_else(PoisonError::into_inner).get(name) {
            return Ok(id.clone());
        }
        let email = person.and_then(|person| person.email.clone()).ok_or_else(|| unknown_person(name))?;
        let answer = api.get("users.lookupByEmail", &[("email", email)]).await.map_err(|error| prepared(error, "users.lookupByEmail"))?;
        let id = text(&answer["user"]["id"]).to_owned();
        if id.is_empty() {
            return Err(Sent::Retry { after: None, reason: "Slack knows the address but named no user".to_owned() });
        }
        self.users.lock().unwrap_or_else(PoisonError::into_inner).insert(name.clone(), id.clone());
        Ok(id)
    }

    /// The person of a Slack user, as far as that was found out.
    pub(super) fn person(&self, user: &str, people: &BTreeMap<PersonName, Person>) -> Option<PersonName> {
        let configured = people.iter().find(|(_, person)| person.slack.as_deref() == Some(user)).map(|(name, _)| name.clone());
        let users = self.users.lock().unwrap_or_else(PoisonError::into_inner);
        configured.or_else(|| users.iter().find(|(_, id)| *id == user).map(|(name, _)| name.clone()))
    }

    /// The person of a Slack user by the user's e-mail address, where it is not known yet.
    pub(super) async fn find_person(&self, api: &Api, user: &str, people: &BTreeMap<PersonName, Person>) -> Option<PersonName> {
        let answer = api.get("users.info", &[("user", user.to_owned())]).await.ok()?;
        let email = answer["user"]["profile"]["email"].as_str()?;
        let same = |person: &Person| person.email.as_deref().is_some_and(|known| known.eq_ignore_ascii_case(email));
        let name = people.iter().find(|(_, person)| same(person)).map(|(name, _)| name.clone())?;
        self.users.lock().unwrap_or_else(PoisonError::into_inner).insert(name.clone(), user.to_owned());
        Some(name)
    }

    /// The conversation with a user, opened before anything is sent to it, so that there is a place to look back in.
    pub(super) async fn direct(&self, api: &Api, user: &str) -> Result<String, Sent> {
        if let Some(id) = known(&self.directs, user) {
            return Ok(id);
        }
        let answer =
            api.post("conversations.open", &json!({ "users": user })).await.map_err(|error| prepared(error, "conversations.open"))?;
        let id = text(&answer["channel"]["id"]).to_owned();
        if id.is_empty() {
            return Err(Sent::Retry { after: None, reason: "Slack opened a conversation without naming it".to_owned() });
        }
        self.directs.lock().unwrap_or_else(PoisonError::into_inner).insert(user.to_owned(), id.clone());
        Ok(id)
    }
}

/// Joins a public channel: posting needs no membership, looking back does. Where it is refused (a private channel, a missing scope), messages still
/// go out.
async fn join(api: &Api, channel: &str) {
    if let Err(error) = api.post("conversations.join", &json!({ "channel": channel })).await {
        tracing::debug!(channel, %error, "the channel cannot be joined");
    }
}

fn unknown_person(name: &PersonName) -> Sent {
    Sent::Permanent { reason: format!("{name} has neither `slack` nor `email` in the configuration"), class: PermanentClass::Destination }
}

/// The failure of a preparing call: nothing was sent, and a scope that is missing for it closes only this way.
fn prepared(error: CallError, method: &str) -> Sent {
    match &error {
        CallError::Refused { code, .. } if code == "missing_scope" => {
            Sent::Permanent { reason: format!("the Slack app lacks the scope for {method}"), class: PermanentClass::Destination }
        }
        CallError::Refused { .. }
        | CallError::NotReached(_)
        | CallError::RateLimited(_)
        | CallError::Unclear(_)
        | CallError::NoToken(_) => match error.into_unsent() {
            Sent::Permanent { reason, class: PermanentClass::Content | PermanentClass::MessageGone } => {
                Sent::Permanent { reason, class: PermanentClass::Destination }
            }
            sent => sent,
        },
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identities_are_told_from_names() {
        for id in ["C0123ABCD", "G01234567", "D0123ABCD"] {
            assert!(is_identity(id), "{id}");
        }
        for name in ["payments", "C1", "checkout", "CHANNEL-OPS", "C0123abcd"] {
            assert!(!is_identity(name), "{name}");
        }
    }

    #[test]
    fn a_refusal_while_preparing_closes_only_this_way() {
        let refused = |code: &str| CallError::Refused { code: code.into(), detail: String::new() };
        for (code, class) in [
            ("missing_scope", PermanentClass::Destination),
            ("users_not_found", PermanentClass::Destination),
            ("odd", PermanentClass::Destination),
            ("token_revoked", PermanentClass::App),
        ] {
            assert!(
                matches!(prepared(refused(code), "conversations.open"), Sent::Permanent { class: found, .. } if found == class),
                "{code}"
            );
        }
        assert!(matches!(prepared(refused("internal_error"), "conversations.open"), Sent::Retry { .. }));
    }
}
