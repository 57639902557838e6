//! What stands in Slack follows the state of its incident: first the root, which everybody in the channel reads, then the posts that called, the newest
//! first. What changes while these are edited brings the root up first again. What has to wait is tried again as a whole, because an edit is the same
//! however often it is made.

use burnward_core::incident::MessageRef;
use tracing::info;

use super::{
    Inner,
    attempt::{Mark, Next, Way},
};
use crate::{
    notify::{PermanentClass, Sent, slack::Slack},
    store::{Owed, Post, StoreError},
};

/// Most edits in one attempt.
const MAX_EDITS: usize = 1_000;

/// How far the posts beside the root were brought.
enum Posts {
    /// They show the state of now.
    Done,
    /// One has to wait.
    Wait(Sent),
    /// The state changed: the root comes first.
    RootFirst,
}

impl Inner {
    /// Brings the root and the posts of an incident up to its state.
    pub(super) async fn follow(&self, slack: &Slack, owed: &Owed, mut way: Way) -> Result<Next, StoreError> {
        if !self.begin(owed, None).await? {
            return Ok(Next::Go);
        }
        for _ in 0..MAX_EDITS {
            let Some(sent) = self.edit_root(slack, owed, &mut way).await? else {
                return self.end(owed, "its incident is not in the store").await;
            };
            if waits(&sent) {
                return self.settle(owed, sent, Mark::None).await;
            }
            match self.edit_posts(slack, owed).await? {
                Posts::Done => return self.settle(owed, sent, Mark::None).await,
                Posts::Wait(waits) => return self.settle(owed, waits, Mark::None).await,
                Posts::RootFirst => {}
            }
        }
        self.settle(owed, later("there is no end to its changes"), Mark::None).await
    }

    /// Edits the root; where it had to be posted anew, that is known before anything else is done. `None` where there is no incident.
    async fn edit_root(&self, slack: &Slack, owed: &Owed, way: &mut Way) -> Result<Option<Sent>, StoreError> {
        slack.edit_turn().await;
        let Some(stored) = self.handle.store.incident(&owed.tenant, &owed.message.incident).await? else { return Ok(None) };
        let (body, _) = self.body(slack, owed, &stored, Mark::None).await?;
        let sent = self.made(slack, owed, way, &body).await;
        if let Some(moved) = moved(&sent, way) {
            self.handle.store.edit_stands(&owed.tenant, &owed.message.id, &moved).await?;
            way.edits = Some(moved);
        }
        Ok(Some(sent))
    }

    /// Posts beside the root follow the state, each once for each state and in its own words; read anew before each, because an edit takes its time.
    async fn edit_posts(&self, slack: &Slack, owed: &Owed) -> Result<Posts, StoreError> {
        let store = &self.handle.store;
        for _ in 0..MAX_EDITS {
            if store.take_renewal(&owed.tenant, &owed.message.id, self.handle.clock.now()).await? {
                return Ok(Posts::RootFirst);
            }
            let Some(stored) = store.incident(&owed.tenant, &owed.message.incident).await? else { return Ok(Posts::Done) };
            let posts = store.posts(&owed.tenant, &owed.message.incident).await?;
            let shows = |post: &Post| stored.incident.standing_of(&post.page).key();
            let Some(post) = posts.into_iter().find(|post| post.shows.as_ref() != Some(&shows(post))) else { return Ok(Posts::Done) };
            let body = self.in_its_words(slack, owed, &stored, &post).await?;
            slack.edit_turn().await;
            let sent = slack.edit(&post.at, &body).await;
            if waits(&sent) {
                return Ok(Posts::Wait(sent));
            }
            if let Sent::Permanent { reason, .. } = sent {
                info!(page = %post.page, reason, "a message still shows an earlier state");
            }
            store.post_shows(&owed.tenant, &post.page, shows(&post)).await?;
        }
        Ok(Posts::Wait(later("there is no end to its posts")))
    }
}

/// True where the same may succeed later.
fn waits(sent: &Sent) -> bool {
    match sent {
        Sent::Retry { .. } | Sent::Ambiguous { .. } | Sent::Permanent { class: PermanentClass::App, .. } => true,
        Sent::Delivered(_)
        | Sent::Permanent { class: PermanentClass::Destination | PermanentClass::Content | PermanentClass::MessageGone, .. } => false,
    }
}

/// Where the root stands now, if that is elsewhere than before.
fn moved(sent: &Sent, way: &Way) -> Option<MessageRef> {
    match sent {
        Sent::Delivered(at) if way.edits.as_ref() != Some(at) => Some(at.clone()),
        Sent::Delivered(_) | Sent::Retry { .. } | Sent::Ambiguous { .. } | Sent::Permanent { .. } => None,
    }
}

fn later(reason: &str) -> Sent {
    Sent::Retry { after: None, reason: reason.to_owned() }
}
