//! The journal: what was really applied, in order, whatever the client was told. It is the oracle of delivery tests.

use std::{collections::VecDeque, fs::File, io::Write as _, path::Path};

use anyhow::Context as _;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Entries kept in memory; the file keeps all.
const KEPT: usize = 100_000;

/// One thing that happened in the workspace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Counts from 1, without gaps.
    pub seq: u64,
    /// When, by the stand-in's clock.
    #[serde(with = "super::clock::text")]
    pub at: Timestamp,
    /// The API method, or `click`, `ack`, `missed_ack`, `response_url`, `message` (written by a person).
    pub method: String,
    /// The channel's id; of a direct message its `D…`.
    pub channel: String,
    /// The message's `ts`; empty where there is none.
    pub ts: String,
    /// The thread's root, for a reply.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread_ts: Option<String>,
    /// `page_id` of the message's metadata.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page_id: Option<String>,
    /// Who clicked or wrote, where a person did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The notification text as it stands; of a click its `action_id`.
    pub text: String,
}

/// Entries in memory and, where wanted, in a file of JSON lines.
#[derive(Debug, Default)]
pub(super) struct Journal {
    last: u64,
    entries: VecDeque<Entry>,
    file: Option<File>,
}

impl Journal {
    pub(super) async fn open(file: Option<&Path>) -> anyhow::Result<Self> {
        match file {
            None => Ok(Self::default()),
            Some(path) => Ok(Self { file: Some(append_to(path).await?), ..Self::default() }),
        }
    }

    /// Numbers the entry and keeps it; the line is in the file before the client hears of it.
    pub(super) fn record(&mut self, mut entry: Entry) {
        self.last += 1;
        entry.seq = self.last;
        self.append(&entry);
        if self.entries.len() == KEPT {
            self.entries.pop_front();
        }
        self.entries.push_back(entry);
    }

    pub(super) fn since(&self, seq: u64) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(move |entry| entry.seq > seq)
    }

    pub(super) fn clear(&mut self) {
        self.entries.clear();
    }

    fn append(&mut self, entry: &Entry) {
        let Some(file) = &mut self.file else { return };
        let written = serde_json::to_string(entry).map_err(std::io::Error::other).and_then(|line| writeln!(file, "{line}"));
        if let Err(error) = written {
            tracing::error!(%error, "the journal's file cannot be written");
        }
    }
}

async fn append_to(path: &Path) -> anyhow::Result<File> {
    let file = tokio::fs::OpenOptions::new().create(true).append(true).open(path).await;
    Ok(file.with_context(|| format!("cannot open the journal {}", path.display()))?.into_std().await)
}
