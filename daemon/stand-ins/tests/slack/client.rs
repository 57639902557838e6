//! A plain client of the stand-in, without any knowledge of it beyond Slack's documents.

use std::time::Duration;

use burnward_stand_ins::slack::{Options, SlackStandIn};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, tungstenite::Message};

/// A stand-in with one person and one channel that the bot has joined.
pub(crate) struct Slack {
    pub(crate) server: SlackStandIn,
    pub(crate) http: reqwest::Client,
    pub(crate) ada: String,
    pub(crate) channel: String,
}

impl Slack {
    pub(crate) async fn start() -> Self {
        Self::with(Options { ack_within: Duration::from_millis(300), ..Options::default() }).await
    }

    pub(crate) async fn with(options: Options) -> Self {
        let server = SlackStandIn::start(options).await.unwrap();
        let ada = server.add_user("Ada Lovelace", "ada@example.com");
        let channel = server.add_channel("#payments-oncall");
        server.invite_bot(&channel);
        let http = reqwest::Client::builder().timeout(Duration::from_secs(2)).build().unwrap();
        Self { server, http, ada, channel }
    }

    /// A writing call with a JSON body.
    pub(crate) async fn post(&self, method: &str, body: Value) -> Value {
        self.try_post(method, body).await.unwrap().json().await.unwrap()
    }

    pub(crate) async fn try_post(&self, method: &str, body: Value) -> reqwest::Result<reqwest::Response> {
        let request = self.http.post(self.url(method)).bearer_auth(self.server.bot_token());
        request.header("content-type", "application/json; charset=utf-8").body(body.to_string()).send().await
    }

    /// A reading call with its arguments in the query.
    pub(crate) async fn get(&self, method: &str, arguments: &[(&str, &str)]) -> Value {
        let mut url = reqwest::Url::parse(&self.url(method)).unwrap();
        url.query_pairs_mut().extend_pairs(arguments);
        self.http.get(url).bearer_auth(self.server.bot_token()).send().await.unwrap().json().await.unwrap()
    }

    pub(crate) fn url(&self, method: &str) -> String {
        format!("{}/{method}", self.server.api_url())
    }

    /// Posts a text into the channel and gives its `ts`.
    pub(crate) async fn say(&self, text: &str) -> String {
        let posted = self.post("chat.postMessage", json!({ "channel": self.channel, "text": text })).await;
        posted["ts"].as_str().unwrap().to_owned()
    }

    /// Posts a page with a button `ack` and a menu `more` and gives its `ts`.
    pub(crate) async fn page(&self) -> String {
        let plain = |text: &str| json!({ "type": "plain_text", "text": text });
        let more = json!([{ "text": plain("Resolve"), "value": "resolve" }, { "text": plain("Silence"), "value": "silence" }]);
        let body = json!({
            "channel": self.channel,
            "text": "checkout: 15 % failing",
            "blocks": [{
                "type": "actions",
                "block_id": "buttons",
                "elements": [
                    { "type": "button", "action_id": "ack", "text": plain("Acknowledge"), "value": "INC-1", "style": "primary" },
                    { "type": "overflow", "action_id": "more", "options": more },
                ],
            }],
            "metadata": { "event_type": "burnward_page", "event_payload": { "page_id": "P-1" } },
        });
        let posted = self.post("chat.postMessage", body).await;
        assert_eq!(posted["ok"], true, "{posted}");
        posted["ts"].as_str().unwrap().to_owned()
    }

    /// The texts that the journal holds of a method.
    pub(crate) fn applied(&self, method: &str) -> Vec<String> {
        self.server.journal().into_iter().filter(|entry| entry.method == method).map(|entry| entry.text).collect()
    }

    /// Opens a socket and reads its `hello`.
    pub(crate) async fn socket(&self) -> Socket {
        let request = self.http.post(self.url("apps.connections.open")).bearer_auth(self.server.app_token());
        let opened: Value = request.send().await.unwrap().json().await.unwrap();
        let url = opened["url"].as_str().unwrap_or_else(|| panic!("{opened}"));
        let mut socket = Socket(tokio_tungstenite::connect_async(url).await.unwrap().0);
        let hello = socket.read().await.unwrap();
        assert_eq!(hello["type"], "hello");
        assert_eq!(hello["connection_info"]["app_id"], "A00000001");
        socket
    }
}

/// The app's end of Socket Mode.
pub(crate) struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    /// The next JSON frame; `None` when the connection ended, with or without a close frame.
    pub(crate) async fn read(&mut self) -> Option<Value> {
        loop {
            match tokio::time::timeout(Duration::from_secs(5), self.0.next()).await.expect("a frame within five seconds") {
                Some(Ok(Message::Text(text))) => return Some(serde_json::from_str(&text).unwrap()),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(_) | Err(_)) | None => return None,
            }
        }
    }

    pub(crate) async fn acknowledge(&mut self, envelope: &Value) {
        let answer = json!({ "envelope_id": envelope["envelope_id"] });
        self.0.send(Message::Text(answer.to_string().into())).await.unwrap();
    }
}

/// The error code of an answer, or `ok`.
pub(crate) fn verdict(answer: &Value) -> &str {
    if answer["ok"] == true { "ok" } else { answer["error"].as_str().unwrap_or("no code") }
}
