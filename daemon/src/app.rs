//! The wiring: one straight function that builds everything and starts the tasks.

use std::sync::Arc;

use burnward_core::{
    id::{IncidentId, TenantId},
    incident::{Actor, Answer, Command},
};
use tokio::sync::{mpsc, oneshot, watch};

use crate::{clock::Clock, config::Config, store::Store, view::View};

/// What the web, Slack and the tasks hold of the running daemon.
#[derive(Debug, Clone)]
pub struct Handle {
    /// What is known now.
    pub view: watch::Receiver<Arc<View>>,
    /// The store; readers use it directly, decisions go through `command`.
    pub store: Store,
    /// The clock.
    pub clock: Clock,
    /// The configuration.
    pub config: Arc<Config>,
    /// The mailbox of the one task that decides.
    pub requests: mpsc::Sender<Request>,
}

/// What is asked of the deciding task.
#[derive(Debug)]
pub enum Request {
    /// A command to an incident.
    Incident {
        /// Whose.
        tenant: TenantId,
        /// Which.
        incident: IncidentId,
        /// What.
        command: Command,
        /// Who.
        by: Actor,
        /// Where the outcome goes.
        reply: oneshot::Sender<Result<Answer, RequestError>>,
    },
    /// Load the definitions again.
    Reload {
        /// Where the outcome goes: a sentence for the person who asked.
        reply: oneshot::Sender<Result<String, RequestError>>,
    },
    /// Send a page marked TEST to a person, or to the operators' first step.
    TestPage {
        /// To whom; `None`: the operators.
        person: Option<burnward_core::id::PersonName>,
        /// Who asked.
        by: Actor,
        /// Where the incident of the test goes.
        reply: oneshot::Sender<Result<IncidentId, RequestError>>,
    },
}

/// Why a request was not carried out.
#[derive(Debug, Clone, thiserror::Error)]
pub enum RequestError {
    /// No such incident in this tenant.
    #[error("no incident `{0}`; `burnward incident list` shows all")]
    NotFound(String),
    /// The store could not commit.
    #[error("nothing was changed, because the store could not commit: {0}")]
    Store(String),
    /// Not as it was asked.
    #[error("{0}")]
    Refused(String),
    /// The daemon is stopping.
    #[error("the daemon is stopping")]
    Stopping,
}

impl Handle {
    /// Sends a command to an incident and waits for its outcome; it is committed when this returns.
    pub async fn command(&self, tenant: &TenantId, incident: &IncidentId, command: Command, by: Actor) -> Result<Answer, RequestError> {
        let (reply, outcome) = oneshot::channel();
        let request = Request::Incident { tenant: tenant.clone(), incident: incident.clone(), command, by, reply };
        self.requests.send(request).await.map_err(|_| RequestError::Stopping)?;
        outcome.await.map_err(|_| RequestError::Stopping)?
    }

    /// Loads the definitions again.
    pub async fn reload(&self) -> Result<String, RequestError> {
        let (reply, outcome) = oneshot::channel();
        self.requests.send(Request::Reload { reply }).await.map_err(|_| RequestError::Stopping)?;
        outcome.await.map_err(|_| RequestError::Stopping)?
    }

    /// Sends a page marked TEST.
    pub async fn test_page(&self, person: Option<burnward_core::id::PersonName>, by: Actor) -> Result<IncidentId, RequestError> {
        let (reply, outcome) = oneshot::channel();
        self.requests.send(Request::TestPage { person, by, reply }).await.map_err(|_| RequestError::Stopping)?;
        outcome.await.map_err(|_| RequestError::Stopping)?
    }
}
