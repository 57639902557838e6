//! The messages: post, edit, and look back for one whose fate is not known. Renders nothing and decides nothing.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use burnward_core::{
    id::{PageId, PersonName},
    incident::MessageRef,
};
use serde_json::{Value, json};
use tokio::sync::{OnceCell, mpsc};

use super::{
    super::Sent,
    api::{Api, ConnectError, SocketError, read_secret},
    blocks::Body,
    classify::CallError,
    directory::Directory,
    interact::Interaction,
    limits::{Limits, Turns},
    reference::Key,
    status::{SlackStatus, Status},
};
use crate::{
    config::{Config, Person, SlackConfig},
    store::{Store, StoreError},
};

/// The type of our messages' metadata.
const METADATA: &str = "burnward_page";
/// Bound of a whole look-back.
const LOOK_BACK: Duration = Duration::from_secs(5);
/// How many messages a look-back asks for at a time.
const LOOK_BACK_MESSAGES: usize = 15;
/// Most pages of a thread that a look-back reads; a thread comes oldest first.
const THREAD_PAGES: usize = 20;
/// How long a click waits for the name of who clicked.
const WHO: Duration = Duration::from_secs(2);
/// How many clicks wait before further ones are refused.
const INBOX: usize = 256;

/// Our app in one Slack workspace; a handle that is cheap to clone.
#[derive(Debug, Clone)]
pub struct Slack(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    api: Api,
    config: SlackConfig,
    turns: Turns,
    directory: Directory,
    key: OnceCell<Key>,
    status: Status,
    inbox: mpsc::Sender<Interaction>,
    received: Mutex<Option<mpsc::Receiver<Interaction>>>,
    answers: reqwest::Client,
}

/// Where a message goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The conversation's identity, or a channel's name where the identity cannot be found out.
    pub channel: String,
    /// True where `channel` is an identity: then a look-back is possible.
    pub identified: bool,
}

/// The thread that a message goes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thread {
    /// The timestamp of its root.
    pub root: String,
    /// True where the message also shows in the channel.
    pub broadcast: bool,
}

/// What a look-back found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LookedBack {
    /// The message stands there.
    Found(MessageRef),
    /// It does not, as far as Slack shows.
    NotFound,
    /// Nobody can say.
    Impossible(String),
}

impl Slack {
    /// A client as it is configured; nothing is asked of Slack yet.
    pub fn connect(config: &SlackConfig) -> Result<Self, ConnectError> {
        Self::connect_with(config, Limits::default())
    }

    /// A client with limits of its own, for a Slack that has other ones.
    pub fn connect_with(config: &SlackConfig, limits: Limits) -> Result<Self, ConnectError> {
        let (inbox, received) = mpsc::channel(INBOX);
        let answers = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).timeout(Duration::from_secs(5)).no_proxy();
        Ok(Self(Arc::new(Inner {
            api: Api::new(config.api_url.as_deref(), config.bot_token_file.clone(), limits.call)?,
            config: config.clone(),
            turns: Turns::new(limits),
            directory: Directory::default(),
            key: OnceCell::new(),
            status: Status::default(),
            inbox,
            received: Mutex::new(Some(received)),
            answers: answers.build().map_err(|error| ConnectError::Base(error.without_url().to_string()))?,
        })))
    }

    /// How the connection is, for status, doctor and readiness.
    pub fn status(&self) -> SlackStatus {
        self.0.status.now()
    }

    /// Asks Slack who we are: the workspace's and the app's name.
    pub async fn test(&self) -> Result<String, CallError> {
        let answer = self.noted(self.0.api.post("auth.test", &json!({})).await)?;
        Ok(format!("{} as {}", answer["team"].as_str().unwrap_or("?"), answer["user"].as_str().unwrap_or("?")))
    }

    /// Asks Slack for a connection of Socket Mode, and makes none; `None` where Socket Mode is not configured.
    pub async fn test_socket(&self) -> Option<Result<(), SocketError>> {
        let file = self.0.config.app_token_file.clone()?;
        Some(self.0.api.open_connection(file).await)
    }

    /// The place of a channel as the operator wrote it.
    pub async fn channel(&self, written: &str) -> Place {
        match self.0.directory.channel(&self.0.api, written).await {
            Some(channel) => Place { channel, identified: true },
            None => Place { channel: written.to_owned(), identified: false },
        }
    }

    /// The conversation with a person; an error as the outcome of what was to be sent to them.
    pub async fn direct(&self, name: &PersonName, config: &Config) -> Result<Place, Sent> {
        let user = self.user(name, config.people.get(name)).await?;
        let channel = self.0.directory.direct(&self.0.api, &user).await?;
        Ok(Place { channel, identified: true })
    }

    /// The Slack user of a person.
    pub async fn user(&self, name: &PersonName, person: Option<&Person>) -> Result<String, Sent> {
        self.0.directory.user(&self.0.api, name, person).await
    }

    /// The configured person who is this Slack user; `None` where Slack does not say within a moment.
    pub async fn person(&self, user: &str, config: &Config) -> Option<PersonName> {
        match self.0.directory.person(user, &config.people) {
            Some(name) => Some(name),
            None => tokio::time::timeout(WHO, self.0.directory.find_person(&self.0.api, user, &config.people)).await.ok().flatten(),
        }
    }

    /// Waits until a message may go to the place.
    pub async fn turn(&self, place: &Place) {
        self.0.turns.message(&place.channel).await;
    }

    /// Waits until an edit may be made.
    pub async fn edit_turn(&self) {
        self.0.turns.edit().await;
    }

    /// Posts a message: one attempt.
    pub async fn post(&self, place: &Place, thread: Option<&Thread>, body: &Body) -> Sent {
        let mut request = request(&place.channel, body);
        request["metadata"] = json!({ "event_type": METADATA, "event_payload": { "page_id": body.page.as_str() } });
        if let Some(thread) = thread {
            request["thread_ts"] = json!(thread.root);
            request["reply_broadcast"] = json!(thread.broadcast);
        }
        match self.noted(self.0.api.post("chat.postMessage", &request).await) {
            Ok(answer) => self.arrived(&answer, place),
            Err(error) => error.into_sent(),
        }
    }

    /// Renders a message anew: one attempt. Text and blocks always go together, because text alone would take the blocks away; the metadata is not
    /// sent, so that it stays.
    pub async fn edit(&self, message: &MessageRef, body: &Body) -> Sent {
        let mut request = request(&message.channel, body);
        request["ts"] = json!(message.ts);
        match self.noted(self.0.api.post("chat.update", &request).await) {
            Ok(_) => Sent::Delivered(message.clone()),
            Err(error) => error.into_sent(),
        }
    }

    fn arrived(&self, answer: &Value, place: &Place) -> Sent {
        match (answer["channel"].as_str(), answer["ts"].as_str()) {
            (Some(channel), Some(ts)) => {
                if !place.identified {
                    self.0.directory.learn_channel(&place.channel, channel);
                }
                Sent::Delivered(MessageRef { channel: channel.to_owned(), ts: ts.to_owned() })
            }
            _ => Sent::Ambiguous { reason: "Slack said ok without saying where the message stands".to_owned() },
        }
    }

    /// Looks for a message that may have arrived: newest first, without a start time (clocks differ), by the page id in its metadata, 5 s in all.
    pub async fn look_back(&self, place: &Place, thread: Option<&Thread>, page: &PageId) -> LookedBack {
        if !place.identified {
            return LookedBack::Impossible(format!("the identity of {} is not known", place.channel));
        }
        let search = async {
            match thread {
                Some(thread) => self.look_in_thread(&place.channel, &thread.root, page).await,
                None => self.look_in_channel(&place.channel, page).await,
            }
        };
        match tokio::time::timeout(LOOK_BACK, search).await {
            Err(_) => LookedBack::Impossible(format!("Slack did not show its history within {} s", LOOK_BACK.as_secs())),
            Ok(Err(error)) => LookedBack::Impossible(error.to_string()),
            Ok(Ok(Some(ts))) => LookedBack::Found(MessageRef { channel: place.channel.clone(), ts }),
            Ok(Ok(None)) => LookedBack::NotFound,
        }
    }

    async fn look_in_channel(&self, channel: &str, page: &PageId) -> Result<Option<String>, CallError> {
        let params =
            [("channel", channel.to_owned()), ("limit", LOOK_BACK_MESSAGES.to_string()), ("include_all_metadata", "true".to_owned())];
        Ok(find(&self.0.api.get("conversations.history", &params).await?, page))
    }

    async fn look_in_thread(&self, channel: &str, root: &str, page: &PageId) -> Result<Option<String>, CallError> {
        let mut cursor = String::new();
        for _ in 0..THREAD_PAGES {
            let mut params = vec![
                ("channel", channel.to_owned()),
                ("ts", root.to_owned()),
                ("limit", LOOK_BACK_MESSAGES.to_string()),
                ("include_all_metadata", "true".to_owned()),
            ];
            if !cursor.is_empty() {
                params.push(("cursor", cursor.clone()));
            }
            let answer = self.0.api.get("conversations.replies", &params).await?;
            let found = find(&answer, page);
            answer["response_metadata"]["next_cursor"].as_str().unwrap_or_default().clone_into(&mut cursor);
            if found.is_some() || cursor.is_empty() {
                return Ok(found);
            }
        }
        Err(CallError::Unclear("the thread is too long to look through".to_owned()))
    }

    /// The key of our buttons' references; made at the first use and kept in the store.
    pub(crate) async fn key(&self, store: &Store) -> Result<&Key, StoreError> {
        self.0.key.get_or_try_init(|| Key::load(store)).await
    }

    /// The signing secret, read anew; `None` where requests over HTTP are not configured.
    pub(crate) fn signing_secret(&self) -> Option<std::io::Result<String>> {
        self.0.config.signing_secret_file.as_deref().map(read_secret)
    }

    /// Takes a click; false where too many wait already.
    pub(crate) fn take(&self, interaction: Interaction) -> bool {
        self.0.inbox.try_send(interaction).is_ok()
    }

    pub(super) fn inbox(&self) -> mpsc::Sender<Interaction> {
        self.0.inbox.clone()
    }

    pub(super) fn received(&self) -> Option<mpsc::Receiver<Interaction>> {
        self.0.received.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    pub(super) fn api(&self) -> &Api {
        &self.0.api
    }

    pub(super) fn config(&self) -> &SlackConfig {
        &self.0.config
    }

    pub(super) fn state(&self) -> &Status {
        &self.0.status
    }

    /// Tells one person, where they clicked, what became of it. A `response_url` elsewhere than at Slack is not called.
    pub(super) async fn answer(&self, response_url: &str, text: &str) {
        if !is_slack_url(response_url, self.0.api.base()) {
            tracing::warn!("an answer was asked for at a place that is not Slack's, nothing was sent there");
            return;
        }
        let body = json!({ "response_type": "ephemeral", "replace_original": false, "text": text });
        if let Err(error) = self.0.answers.post(response_url).json(&body).send().await {
            tracing::debug!(error = %error.without_url(), "Slack did not take an answer to a click");
        }
    }

    fn noted(&self, outcome: Result<Value, CallError>) -> Result<Value, CallError> {
        self.0.status.called(outcome.as_ref().err());
        outcome
    }
}

fn request(channel: &str, body: &Body) -> Value {
    json!({
        "channel": channel,
        "text": body.text.as_str(),
        "blocks": body.blocks,
        "unfurl_links": false,
        "unfurl_media": false,
        "link_names": false,
        "parse": "none",
    })
}

/// Slack's own host for answers, or the host of the configured API.
fn is_slack_url(response_url: &str, base: &url::Url) -> bool {
    let Ok(url) = url::Url::parse(response_url) else { return false };
    let no_login = url.username().is_empty() && url.password().is_none();
    let slack = url.scheme() == "https" && url.host_str() == Some("hooks.slack.com") && url.port().is_none();
    no_login && (slack || url.origin() == base.origin())
}

/// The timestamp of the message with this page id; foreign metadata of any shape is passed over.
fn find(answer: &Value, page: &PageId) -> Option<String> {
    let ours = |message: &&Value| {
        message["metadata"]["event_type"].as_str() == Some(METADATA)
            && message["metadata"]["event_payload"]["page_id"].as_str() == Some(page.as_str())
    };
    answer["messages"].as_array()?.iter().find(ours)?["ts"].as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_go_to_slack_alone() {
        let production: url::Url = "https://slack.com/api".parse().unwrap();
        let stand_in: url::Url = "http://127.0.0.1:4000/api".parse().unwrap();
        for (url, base, allowed) in [
            ("https://hooks.slack.com/actions/T1/2/3", &production, true),
            ("https://slack.com/actions", &production, true),
            ("http://hooks.slack.com/actions", &production, false),
            ("https://hooks.slack.com:8443/actions", &production, false),
            ("https://hooks.slack.com.evil.example/", &production, false),
            ("https://user@hooks.slack.com/", &production, false),
            ("http://169.254.169.254/", &production, false),
            ("http://127.0.0.1:4000/respond/1", &production, false),
            ("http://127.0.0.1:4000/respond/1", &stand_in, true),
            ("http://127.0.0.1:4001/respond/1", &stand_in, false),
            ("file:///etc/passwd", &stand_in, false),
            ("nonsense", &stand_in, false),
        ] {
            assert_eq!(is_slack_url(url, base), allowed, "{url}");
        }
    }

    #[test]
    fn a_look_back_reads_past_foreign_metadata() {
        let page = PageId::from_text("P-1");
        let answer = json!({ "messages": [
            { "ts": "5", "metadata": { "event_type": "other", "event_payload": { "n": 7, "page_id": "P-1" } } },
            { "ts": "4", "metadata": "odd" },
            { "ts": "3" },
            { "ts": "2", "metadata": { "event_type": "burnward_page", "event_payload": { "page_id": "P-1" } } },
        ]});
        assert_eq!(find(&answer, &page), Some("2".into()));
        assert_eq!(find(&answer, &PageId::from_text("P-2")), None);
        assert_eq!(find(&json!({}), &page), None);
    }
}
