//! What Slack took, as the people see it to whom it was sent, with the moment of a clock that is moved by hand.

use burnward_core::time::Timestamp;
use burnward_stand_ins::slack::{Entry, SlackStandIn};
use serde_json::Value;

/// A post that Slack took.
#[derive(Debug, Clone)]
pub struct Received {
    /// Its number in Slack's journal.
    pub seq: u64,
    /// The tick in which it came.
    pub at: Timestamp,
    /// Where to: `#payments-oncall`, `@ada`.
    pub to: String,
    /// Where in it.
    pub place: Place,
    /// The incident that its last line names, where it has one as pages and tickets do.
    pub incident: Option<String>,
    /// All that it says: what notifies, and every text of its blocks.
    pub says: Vec<String>,
}

/// Where a post stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// By itself.
    Root,
    /// In a thread; `broadcast`: shown in the channel, too.
    Thread {
        /// Whether it is.
        broadcast: bool,
    },
}

impl Received {
    /// Whether one of its texts holds this.
    pub fn says(&self, words: &str) -> bool {
        self.says.iter().any(|text| text.contains(words))
    }
}

/// The posts behind a number of the journal, as they stand now.
pub(crate) fn received(slack: &SlackStandIn, after: u64, at: Timestamp) -> Vec<Received> {
    let posts = slack.journal_after(after).into_iter().filter(|entry| entry.method == "chat.postMessage");
    posts.map(|entry| of_entry(slack, entry, at)).collect()
}

fn of_entry(slack: &SlackStandIn, entry: Entry, at: Timestamp) -> Received {
    let message = slack.message(&entry.channel, &entry.ts).unwrap_or_default();
    let place = match &entry.thread_ts {
        None => Place::Root,
        Some(_) => Place::Thread { broadcast: message["subtype"] == "thread_broadcast" },
    };
    let mut says = vec![entry.text];
    texts(&message["blocks"], &mut says);
    // The last line of a page: its incident, its own identity, when it was decided.
    let own = format!(" · {} · decided ", entry.page_id.unwrap_or_default());
    let incident = says.iter().find_map(|text| Some(text.split_once(&own)?.0.to_owned()));
    let to = slack.conversation(&entry.channel).unwrap_or(entry.channel);
    Received { seq: entry.seq, at, to, place, incident, says }
}

/// Every text within blocks.
fn texts(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(text) if name == "text" => found.push(text.clone()),
                    _ => texts(value, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
        Value::String(_) | Value::Number(_) | Value::Bool(_) | Value::Null => {}
    }
}
