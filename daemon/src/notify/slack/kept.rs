//! What a post keeps of the words it was posted with: whom and what it was about, how bad it was, when. Its state and its buttons follow the incident.

use burnward_core::id::PageId;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::blocks::{Body, Controls, actions, context, section};
use crate::render::SlackMrkdwn;

/// The parts of a post, apart from its buttons.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Kept {
    /// The headline, as mrkdwn.
    headline: String,
    first: Value,
    details: Vec<Value>,
    people: Vec<Value>,
    footer: Vec<Value>,
}

impl Kept {
    pub(super) fn new(headline: &SlackMrkdwn, details: &[&SlackMrkdwn], people: &SlackMrkdwn, footer: &SlackMrkdwn) -> Self {
        let there = |text: &&SlackMrkdwn| !text.is_empty();
        Self {
            headline: headline.as_str().to_owned(),
            first: section(&headline.clone().bold()),
            details: details.iter().copied().filter(there).map(section).collect(),
            people: [people].into_iter().filter(there).map(context).collect(),
            footer: [footer].into_iter().filter(there).map(context).collect(),
        }
    }

    /// What was kept, read back; `None` where it is not of this version.
    pub fn read(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// As it is kept.
    pub fn text(&self) -> String {
        serde_json::to_string(self).expect("texts and JSON values are JSON")
    }

    /// The blocks as they are first posted.
    pub(super) fn blocks(&self, controls: &Controls) -> Vec<Value> {
        let parts = [self.details.clone(), actions(controls).into_iter().collect(), self.people.clone(), self.footer.clone()];
        [self.first.clone()].into_iter().chain(parts.into_iter().flatten()).collect()
    }

    /// The post with the state of its incident below its headline; without one as it was first posted.
    pub fn with_state(&self, state: Option<&SlackMrkdwn>, controls: &Controls, page: PageId) -> Body {
        let headline = SlackMrkdwn::sent_before(self.headline.clone());
        let Some(state) = state else { return Body { text: headline, blocks: self.blocks(controls), page } };
        let parts = [vec![section(state)], self.details.clone(), actions(controls).into_iter().collect(), self.footer.clone()];
        let blocks = [self.first.clone()].into_iter().chain(parts.into_iter().flatten()).collect();
        Body { text: headline.then(&SlackMrkdwn::literal(" · ")).then(state), blocks, page }
    }
}
