//! `burnward incident`: list, show, acknowledge, resolve, annotate, mark as a false positive.

use std::{fmt::Write as _, path::PathBuf, process::ExitCode};

use anyhow::Context as _;
use burnward_core::id::{IncidentId, TenantId};

use super::{
    client::{Client, OutputArgs, ServerArgs},
    table::{Table, ago, alert_name, local, words_of_people},
};
use crate::{
    store::Store,
    web::api::{
        incidents::detail,
        wire::{CommandOutcome, FalsePositiveBody, IncidentDetail, IncidentState, NoteBody},
    },
};

/// Arguments of `incident`.
#[derive(Debug, clap::Args)]
pub(super) struct IncidentArgs {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    server: ServerArgs,
    #[command(flatten)]
    output: OutputArgs,
    /// Read the store in this directory instead of asking a daemon.
    #[arg(long, value_name = "DIR", global = true)]
    offline: Option<PathBuf>,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Incidents, newest first.
    List {
        /// How many.
        #[arg(long, default_value_t = 50)]
        limit: usize,
    },
    /// An incident with its timeline.
    Show {
        /// Which, such as checkout-burn-3.
        id: String,
    },
    /// Take an incident: escalation stops.
    Ack {
        /// Which.
        id: String,
    },
    /// Ask for the next step now.
    Escalate {
        /// Which.
        id: String,
    },
    /// End an incident. If an alert of it still holds after ten minutes, it opens again.
    Resolve {
        /// Which.
        id: String,
    },
    /// Write something into the timeline.
    Note {
        /// Which.
        id: String,
        /// The words.
        text: String,
    },
    /// Say that an incident which is over was none: its time is taken out of its budgets.
    FalsePositive {
        /// Which.
        id: String,
        /// Why it was none.
        #[arg(long)]
        reason: String,
        /// Who approved it.
        #[arg(long)]
        approver: String,
    },
}

/// Runs the subcommand.
pub(super) async fn run(args: IncidentArgs) -> anyhow::Result<ExitCode> {
    let IncidentArgs { command, server, output, offline } = args;
    match command {
        Command::List { limit } => output.print(&list(&server, offline, limit).await?, |incidents| list_table(incidents))?,
        Command::Show { id } => output.print(&show(&server, offline, &id).await?, show_text)?,
        Command::Ack { id } => change(&server, output, &[&id, "acknowledge"], &()).await?,
        Command::Escalate { id } => change(&server, output, &[&id, "escalate"], &()).await?,
        Command::Resolve { id } => change(&server, output, &[&id, "resolve"], &()).await?,
        Command::FalsePositive { id, reason, approver } => {
            change(&server, output, &[&id, "false-positive"], &FalsePositiveBody { reason, approver }).await?;
        }
        Command::Note { id, text } => change(&server, output, &[&id, "note"], &NoteBody { text }).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn list(server: &ServerArgs, offline: Option<PathBuf>, limit: usize) -> anyhow::Result<Vec<IncidentState>> {
    match offline {
        Some(directory) => {
            let (store, tenant) = open(&directory, server).await?;
            let stored = store.incidents(&tenant, limit, None).await?;
            Ok(stored.iter().map(|stored| IncidentState::from(&stored.incident)).collect())
        }
        None => Client::new(server)?.get(&["incidents"], &[("limit", limit.to_string())]).await,
    }
}

async fn show(server: &ServerArgs, offline: Option<PathBuf>, id: &str) -> anyhow::Result<IncidentDetail> {
    match offline {
        Some(directory) => {
            let (store, tenant) = open(&directory, server).await?;
            let stored = store.incident(&tenant, &IncidentId::from_text(id)).await?;
            Ok(detail(&stored.with_context(|| format!("no incident `{id}`; `burnward incident list` shows all"))?, None))
        }
        None => Client::new(server)?.get(&["incidents", id], &[]).await,
    }
}

async fn open(directory: &std::path::Path, server: &ServerArgs) -> anyhow::Result<(Store, TenantId)> {
    let tenant = TenantId::parse(server.tenant.as_deref().unwrap_or("main"))?;
    Ok((Store::open_read_only(directory).await?, tenant))
}

async fn change(server: &ServerArgs, output: OutputArgs, path: &[&str], body: &impl serde::Serialize) -> anyhow::Result<()> {
    let path: Vec<&str> = ["incidents"].iter().chain(path).copied().collect();
    let outcome: CommandOutcome = Client::new(server)?.post(&path, body).await?;
    output.print(&outcome, |outcome| format!("{}\n", words_of_people(&outcome.sentence)))
}

fn list_table(incidents: &[IncidentState]) -> String {
    if incidents.is_empty() {
        return "no incidents\n".to_owned();
    }
    let mut table = Table::titled_by_two(&["INCIDENT", "STATE", "URGENCY", "WHAT", "BEGAN", "BY"]);
    for incident in incidents {
        let by = incident.phase_by.clone().unwrap_or_else(|| "-".to_owned());
        table.row(vec![incident.id.clone(), standing(incident), incident.urgency.clone(), incident.title.clone(), ago(incident.began), by]);
    }
    table.to_string()
}

/// How it stands: its phase, and that it goes on where a person resolved it all the same.
fn standing(incident: &IncidentState) -> String {
    match (&incident.goes_on, &incident.marked) {
        (Some(goes_on), _) => format!("{}, {}", incident.phase, words_of_people(&goes_on.what_for_whom())),
        (None, Some(marked)) => format!("{}, {marked}", incident.phase),
        (None, None) => incident.phase.clone(),
    }
}

fn show_text(detail: &IncidentDetail) -> String {
    let incident = &detail.incident;
    let title = words_of_people(&incident.title);
    let mut text = format!("{}  {}  {}\n{title}\n", incident.id, standing(incident), incident.urgency);
    let mut line =
        |name: &str, value: String| writeln!(text, "{name:<12} {}", words_of_people(&value)).expect("writing to a String cannot fail");
    line("team", incident.team.clone());
    line("began", local(incident.began));
    line("opened", local(incident.opened_at));
    if let (Some(by), Some(at)) = (&incident.phase_by, incident.phase_at) {
        line(&incident.phase, format!("{} by {by}", local(at)));
    }
    if let Some(goes_on) = &incident.goes_on {
        line("opens again", format!("{} unless it clears", local(goes_on.opens_again_at)));
    }
    if let Some(marked) = &detail.false_positive {
        line("marked", marked.sentence());
    }
    if let Some(flaps) = detail.now.as_ref().and_then(|now| now.flaps.as_ref()) {
        line("flaps", flaps.clone());
    }
    if let Some(at) = incident.escalates_at {
        line("escalates", format!("{} if nobody acknowledges", local(at)));
    }
    for alert in &incident.alerts {
        let state = alert.recovered_at.map_or_else(|| "holds".to_owned(), |at| format!("cleared {}", local(at)));
        line("alert", format!("{}  {state}", alert_name(&alert.id)));
    }
    text.push('\n');
    for entry in &detail.timeline {
        let (by, said) = (words_of_people(&entry.by), words_of_people(&entry.text));
        writeln!(text, "{}  {by:<10} {said}", local(entry.at)).expect("writing to a String cannot fail");
    }
    text
}
