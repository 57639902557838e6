//! Socket Mode: Slack speaks to us over a connection that we make, so that nothing of ours must be reachable from outside. The callback only
//! hands over; the library sends the acknowledgement when it returns.

use std::{sync::Arc, time::Duration};

use slack_morphism::{errors::SlackClientError, prelude::*};
use tokio_util::sync::CancellationToken;

use super::{
    api::TokenFile,
    client::Slack,
    interact::{Interaction, Unread},
    status::Socket,
};

/// How many connections; each click comes over any one of them.
const CONNECTIONS: u32 = 2;
/// How long after the first connection the second begins, in seconds.
const STAGGER_SECONDS: u64 = 5;
/// How long after a failed connection the next is tried, in seconds.
const RECONNECT_SECONDS: u64 = 5;
/// How often a connection is probed, in seconds.
const PING_SECONDS: u64 = 5;
/// After how many unanswered probes a connection counts as lost: within 30 s.
const PINGS_LOST: u64 = 4;
/// After how long without a connection the token is read again and everything begins anew.
const STARTOVER: Duration = Duration::from_mins(1);

/// Keeps the connections until told to stop.
pub(super) async fn keep(slack: Slack, app_token_file: std::path::PathBuf, stop: CancellationToken) {
    let token_file = TokenFile::new(app_token_file);
    while !stop.is_cancelled() {
        slack.state().socket(Socket::Connecting { trouble: None });
        match token_file.read_again() {
            Ok((token, _)) => session(&slack, &token, &stop).await,
            Err(error) => {
                tracing::error!(%error, "Socket Mode waits for its token");
                slack.state().socket(Socket::Connecting { trouble: Some(error.to_string()) });
            }
        }
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs(RECONNECT_SECONDS)) => {}
            () = stop.cancelled() => {}
        }
    }
}

/// Runs connections with one token; ends when told to stop, or where none came about for too long.
async fn session(slack: &Slack, token: &SlackApiToken, stop: &CancellationToken) {
    let callbacks = SlackSocketModeListenerCallbacks::new()
        .with_hello_events(|_, _, states| hello(states))
        .with_interaction_events(interaction)
        .with_push_events(ignore_push)
        .with_command_events(refuse_command);
    let environment = Arc::new(
        SlackClientEventsListenerEnvironment::new(slack.api().client()).with_error_handler(trouble).with_user_state(slack.clone()),
    );
    let config = SlackClientSocketModeConfig::new()
        .with_max_connections_count(CONNECTIONS)
        .with_initial_backoff_in_seconds(STAGGER_SECONDS)
        .with_reconnect_timeout_in_seconds(RECONNECT_SECONDS)
        .with_ping_interval_in_seconds(PING_SECONDS)
        .with_ping_failure_threshold_times(PINGS_LOST);
    let listener = SlackClientSocketModeListener::new(&config, environment, callbacks);
    if let Err(error) = listener.listen_for(token).await {
        tracing::error!(%error, "Socket Mode cannot begin");
        return;
    }
    tokio::select! {
        () = async { listener.start().await; while_connected(slack).await } => {}
        () = stop.cancelled() => {}
    }
    listener.shutdown().await;
}

/// Returns where there has been no connection for too long.
async fn while_connected(slack: &Slack) {
    let mut waited = Duration::ZERO;
    let look = Duration::from_secs(1);
    while waited < STARTOVER {
        tokio::time::sleep(look).await;
        waited = match slack.status().socket {
            Socket::Connected => Duration::ZERO,
            Socket::Off | Socket::Connecting { .. } => waited + look,
        };
    }
}

async fn slack_of(states: &SlackClientEventsUserState) -> Option<Slack> {
    states.read().await.get_user_state::<Slack>().cloned()
}

async fn hello(states: SlackClientEventsUserState) {
    if let Some(slack) = slack_of(&states).await {
        tracing::info!("connected to Slack over Socket Mode");
        slack.state().socket(Socket::Connected);
    }
}

/// A click: handed over, nothing else; it is acknowledged when this returns, and comes again where it cannot be taken.
async fn interaction(event: SlackInteractionEvent, _: Arc<SlackHyperClient>, states: SlackClientEventsUserState) -> UserCallbackResult<()> {
    let slack = slack_of(&states).await.ok_or("the daemon is stopping")?;
    match Interaction::read(&serde_json::to_value(&event)?) {
        Ok(click) => slack.inbox().try_send(click).map_err(|_| "too many clicks wait".into()),
        Err(Unread::OtherKind) => Ok(()),
        Err(unread @ Unread::Lacks(_)) => {
            tracing::warn!(%unread, "a click from Slack cannot be read, nothing was done");
            Ok(())
        }
    }
}

async fn ignore_push(_: SlackPushEventCallback, _: Arc<SlackHyperClient>, _: SlackClientEventsUserState) -> UserCallbackResult<()> {
    Ok(())
}

async fn refuse_command(
    _: SlackCommandEvent,
    _: Arc<SlackHyperClient>,
    _: SlackClientEventsUserState,
) -> UserCallbackResult<SlackCommandEventResponse> {
    Ok(SlackCommandEventResponse::new(SlackMessageContent::new().with_text("This burnward has no slash commands.".to_owned())))
}

/// What went wrong on a connection (the library makes a new one), or a message that cannot be read; its body is not shown.
#[expect(clippy::needless_pass_by_value, reason = "the library's type of an error handler")]
fn trouble(
    error: Box<dyn std::error::Error + Send + Sync>,
    _: Arc<SlackHyperClient>,
    states: SlackClientEventsUserState,
) -> HttpStatusCode {
    let Some(SlackClientError::SocketModeProtocolError(lost)) = error.downcast_ref::<SlackClientError>() else {
        tracing::warn!("a message of Slack could not be handled");
        return HttpStatusCode::OK;
    };
    tracing::warn!(error = lost.message, "a Slack connection is lost, it is made anew");
    let slack = states.try_read().ok().and_then(|states| states.get_user_state::<Slack>().cloned());
    if let Some(slack) = slack {
        slack.state().socket(Socket::Connecting { trouble: Some(lost.message.clone()) });
    }
    HttpStatusCode::OK
}
