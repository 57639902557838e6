//! Slack: pages as messages with buttons, edited in place, and the clicks that come back over Socket Mode or signed requests.

mod api;
mod blocks;
mod classify;
mod client;
mod directory;
mod interact;
mod kept;
mod limits;
mod manifest;
mod reference;
mod report;
mod socket;
mod status;

use tokio_util::sync::CancellationToken;

pub use api::{ConnectError, SocketError};
pub use blocks::{ACKNOWLEDGE, Body, Buttons, Controls, PageParts, page, repeat_mark};
pub use classify::{CallError, Class, class};
pub use client::{LookedBack, Place, Slack, Thread};
pub use interact::{Interaction, Unread, act};
pub use kept::Kept;
pub use limits::Limits;
pub use manifest::manifest;
pub use reference::{Key, MAX_REFERENCE};
pub use report::{ReportParts, report};
pub use status::{SlackStatus, Socket};

use crate::app::Handle;

/// Acts on clicks until told to stop, one at a time and in order, and keeps the connections of Socket Mode where it is configured.
pub async fn listen(slack: Slack, handle: Handle, stop: CancellationToken) {
    let Some(mut received) = slack.received() else { return };
    let socket = slack.config().app_token_file.clone().map(|file| tokio::spawn(socket::keep(slack.clone(), file, stop.clone())));
    loop {
        tokio::select! {
            click = received.recv() => match click {
                Some(click) => act(&slack, &handle, &click).await,
                None => break,
            },
            () = stop.cancelled() => break,
        }
    }
    if let Some(socket) = socket
        && let Err(error) = socket.await
    {
        tracing::error!(%error, "Socket Mode ended badly");
    }
}
