//! What operators are told beside incidents: that a text of theirs is not used. It is not owed by the outbox: the fault stays in status and log. A restart
//! finds it again, and tells it again where it does not stand among the newest messages of the channel.

use burnward_core::id::PageId;
use tracing::debug;

use super::{Deliver, Inner};
use crate::{
    notify::{
        Sent,
        slack::{Body, LookedBack, Slack},
    },
    render::{Fault, SlackMrkdwn},
};

impl Deliver {
    /// Tells the operators' channel of faults of texts that it was not told of yet, beside everything else.
    pub(super) fn tell_operators(&self) {
        let (Some(slack), false) = (self.0.slack.clone(), self.0.state().telling) else { return };
        let untold = self.0.untold();
        if untold.is_empty() {
            return;
        }
        self.0.state().telling = true;
        let inner = self.0.clone();
        self.0.workers.spawn(async move {
            inner.tell_faults(&slack, untold).await;
            inner.state().telling = false;
        });
    }
}

impl Inner {
    fn untold(&self) -> Vec<Body> {
        let state = self.state();
        self.renderer.faults().list().iter().map(body).filter(|body| !state.told.contains(&body.page)).collect()
    }

    async fn tell_faults(&self, slack: &Slack, untold: Vec<Body>) {
        let place = slack.channel(&self.handle.config.operators.channel).await;
        for body in untold {
            if let LookedBack::Found(_) = slack.look_back(&place, None, &body.page).await {
                self.state().told.insert(body.page);
                continue;
            }
            slack.turn(&place).await;
            match slack.post(&place, None, &body).await {
                Sent::Delivered(_) | Sent::Ambiguous { .. } | Sent::Permanent { .. } => drop(self.state().told.insert(body.page)),
                Sent::Retry { reason, .. } => return debug!(reason, "the operators are told later"),
            }
        }
    }
}

fn body(fault: &Fault) -> Body {
    let sentence = fault.to_string();
    let page = PageId::of(&["text-fault", &sentence]);
    Body { text: SlackMrkdwn::literal("\u{25B2} burnward: ").then(&SlackMrkdwn::value(&sentence)), blocks: Vec::new(), page }
}
