//! Clicks: read tolerantly, acted on once, answered only to who clicked. Socket and HTTP lead here alike.

use std::time::Duration;

use burnward_core::{
    id::{IncidentId, TenantId},
    incident::{Actor, Answer, Command, Via},
};
use serde_json::Value;

use super::{
    blocks::{ACKNOWLEDGE, HELP, MORE, RESOLVE},
    client::Slack,
};
use crate::{
    app::{Handle, RequestError},
    render::{Precision, SlackMrkdwn, visible},
};

/// How long a click is remembered, so that the same one acts once.
const REMEMBERED: Duration = Duration::from_mins(10);
/// Longest identifier that is read from a payload.
const MAX_FIELD: usize = 3_000;

/// A click on a button or in a menu.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interaction {
    /// Who: Slack's identity.
    pub user: String,
    /// Who: the name that Slack gives.
    pub user_name: String,
    /// On which message.
    pub message_ts: String,
    /// Which button or menu.
    pub action: String,
    /// When, as Slack counts; tells clicks apart.
    pub action_ts: String,
    /// What was chosen in a menu.
    pub choice: Option<String>,
    /// What the buttons are about, sealed.
    pub reference: String,
    /// Where an answer to who clicked goes.
    pub response_url: Option<String>,
}

/// Why a payload is not a click of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unread {
    /// Another kind of interaction; ignored.
    #[error("not a click on a button")]
    OtherKind,
    /// A part is missing or too long.
    #[error("the payload has no {0}")]
    Lacks(&'static str),
}

impl Interaction {
    /// Reads a payload of Slack.
    pub fn read(payload: &Value) -> Result<Self, Unread> {
        if payload["type"].as_str() != Some("block_actions") {
            return Err(Unread::OtherKind);
        }
        let action = payload["actions"].get(0).ok_or(Unread::Lacks("action"))?;
        let user = &payload["user"];
        let id = field(&user["id"], "user")?;
        let name = [&user["username"], &user["name"], &user["id"]].into_iter().find_map(Value::as_str).unwrap_or_default();
        Ok(Self {
            user_name: visible(&name.chars().take(80).collect::<String>()),
            user: id,
            message_ts: field(&payload["container"]["message_ts"], "message")?,
            action: field(&action["action_id"], "action_id")?,
            action_ts: field(&action["action_ts"], "action_ts")?,
            choice: action["selected_option"]["value"].as_str().map(str::to_owned),
            reference: field(&action["block_id"], "block_id")?,
            response_url: payload["response_url"].as_str().filter(|url| url.len() <= MAX_FIELD).map(str::to_owned),
        })
    }

    /// What tells this click from every other.
    fn key(&self) -> String {
        format!("slack.click {} {} {} {}", self.message_ts, self.action_ts, self.user, self.action)
    }

    /// The command that it asks for.
    fn command(&self) -> Option<Command> {
        match (self.action.as_str(), self.choice.as_deref()) {
            (ACKNOWLEDGE, _) => Some(Command::Acknowledge),
            (HELP, _) => Some(Command::Escalate),
            (MORE, Some(RESOLVE)) => Some(Command::Resolve),
            _ => None,
        }
    }
}

fn field(value: &Value, name: &'static str) -> Result<String, Unread> {
    value.as_str().filter(|text| !text.is_empty() && text.len() <= MAX_FIELD).map(str::to_owned).ok_or(Unread::Lacks(name))
}

/// Acts on a click: at most once, and tells who clicked where it did nothing.
pub async fn act(slack: &Slack, handle: &Handle, click: &Interaction) {
    if let Some(answer) = outcome(slack, handle, click).await
        && let Some(url) = &click.response_url
    {
        slack.answer(url, answer.as_str()).await;
    }
}

/// What who clicked is told; `None` where the message itself will show what happened.
async fn outcome(slack: &Slack, handle: &Handle, click: &Interaction) -> Option<SlackMrkdwn> {
    let Some((tenant, incident)) = opened(slack, handle, click).await else {
        return Some(SlackMrkdwn::literal(
            "Nothing was done: this button is not one of this burnward. Use the buttons of a newer message.",
        ));
    };
    let Some(command) = click.command() else {
        return Some(SlackMrkdwn::literal("Nothing was done: this button is from another version of burnward."));
    };
    match handle.store.seen(&click.key(), handle.clock.now(), REMEMBERED).await {
        Ok(true) => {}
        Ok(false) => return None,
        Err(error) => tracing::warn!(%error, "a click cannot be remembered, it is acted on all the same"),
    }
    let by = Actor::Person { name: name(slack, handle, click).await, via: Via::Slack };
    told(handle.command(&tenant, &incident, command, by).await, &incident)
}

async fn opened(slack: &Slack, handle: &Handle, click: &Interaction) -> Option<(TenantId, IncidentId)> {
    match slack.key(&handle.store).await {
        Ok(key) => key.open(&click.reference),
        Err(error) => {
            tracing::error!(%error, "the key of Slack's buttons cannot be read, a click is lost");
            None
        }
    }
}

/// The configured name of who clicked, else Slack's with the identity, because display names can be chosen freely.
async fn name(slack: &Slack, handle: &Handle, click: &Interaction) -> String {
    match slack.person(&click.user, &handle.config).await {
        Some(person) => person.to_string(),
        None => format!("{} ({})", click.user_name, click.user),
    }
}

fn told(outcome: Result<Answer, RequestError>, incident: &IncidentId) -> Option<SlackMrkdwn> {
    match outcome {
        Ok(Answer::Events(_)) => None,
        Ok(Answer::Already { what, by, at }) => Some(
            SlackMrkdwn::literal("Nothing to do: already ")
                .then(&SlackMrkdwn::value(what))
                .then(&SlackMrkdwn::literal(" by "))
                .then(&SlackMrkdwn::value(&by.to_string()))
                .then(&SlackMrkdwn::literal(" at "))
                .then(&SlackMrkdwn::moment(at, Precision::Minute))
                .then(&SlackMrkdwn::literal(".")),
        ),
        Err(error) => {
            tracing::warn!(%incident, %error, "a click in Slack was not carried out");
            Some(
                SlackMrkdwn::literal("Nothing was done: ")
                    .then(&SlackMrkdwn::value(&error.to_string()))
                    .then(&SlackMrkdwn::literal(". Try again.")),
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use burnward_core::time::Timestamp;
    use serde_json::json;

    use super::*;
    use crate::render::tests::plain;

    fn payload() -> Value {
        json!({
            "type": "block_actions",
            "user": { "id": "U01ANA", "username": "ana", "team_id": "T1" },
            "container": { "type": "message", "message_ts": "1763953803.000100", "channel_id": "C01PAY" },
            "response_url": "https://hooks.slack.com/actions/1",
            "actions": [{ "type": "button", "action_id": ACKNOWLEDGE, "block_id": "bw1.a.b", "action_ts": "1763953860.1" }],
        })
    }

    fn with(path: &str, value: Value) -> Value {
        let mut payload = payload();
        *payload.pointer_mut(path).unwrap() = value;
        payload
    }

    #[test]
    fn a_click_is_read() {
        let click = Interaction::read(&payload()).unwrap();
        assert_eq!((click.user.as_str(), click.user_name.as_str(), click.reference.as_str()), ("U01ANA", "ana", "bw1.a.b"));
        assert_eq!(click.command(), Some(Command::Acknowledge));
    }

    #[test]
    fn odd_payloads_are_refused_with_their_lack() {
        for (payload, unread) in [
            (json!({}), Unread::OtherKind),
            (with("/type", json!("view_submission")), Unread::OtherKind),
            (with("/actions", json!([])), Unread::Lacks("action")),
            (with("/actions", json!("x")), Unread::Lacks("action")),
            (with("/user", json!(7)), Unread::Lacks("user")),
            (with("/container", Value::Null), Unread::Lacks("message")),
            (with("/actions/0/block_id", json!("x".repeat(MAX_FIELD + 1))), Unread::Lacks("block_id")),
        ] {
            assert_eq!(Interaction::read(&payload), Err(unread), "{payload}");
        }
    }

    #[test]
    fn an_unknown_action_asks_for_nothing() {
        for (action, choice) in [("other", None), (MORE, None), (MORE, Some("delete"))] {
            let mut click = Interaction::read(&payload()).unwrap();
            click.action = action.into();
            click.choice = choice.map(str::to_owned);
            assert_eq!(click.command(), None, "{action}");
        }
    }

    #[test]
    fn late_clicks_are_told_who_and_when() {
        let by = Actor::Person { name: "<!channel> ana".into(), via: Via::Web };
        let answer = Answer::Already { what: "acknowledged", by, at: Timestamp::from_seconds(1_763_953_860) };
        let text = told(Ok(answer), &IncidentId::from_text("x")).unwrap();
        assert_eq!(plain(text.as_str()), "Nothing to do: already acknowledged by &lt;!channel&gt; ana at 03:11 UTC.");
        assert_eq!(told(Ok(Answer::Events(Vec::new())), &IncidentId::from_text("x")), None);
        let text = told(Err(RequestError::Stopping), &IncidentId::from_text("x")).unwrap();
        assert_eq!(text.as_str(), "Nothing was done: the daemon is stopping. Try again.");
    }
}
