//! `burnward postmortem draft`: the draft of an incident, as Markdown.

use std::process::ExitCode;

use super::client::{Client, OutputArgs, ServerArgs};
use crate::web::api::wire::Postmortem;

/// Arguments of `postmortem`.
#[derive(Debug, clap::Args)]
pub(super) struct PostmortemArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Print the draft: times to detect, acknowledge and resolve, budget spent, who was hit, the timeline.
    Draft {
        /// Which incident.
        incident: String,
        #[command(flatten)]
        server: ServerArgs,
        #[command(flatten)]
        output: OutputArgs,
    },
}

/// Runs the subcommand.
pub(super) async fn run(args: PostmortemArgs) -> anyhow::Result<ExitCode> {
    let Command::Draft { incident, server, output } = args.command;
    let postmortem: Postmortem = Client::new(&server)?.get(&["incidents", &incident, "postmortem"], &[]).await?;
    output.print(&postmortem, |postmortem| postmortem.markdown.clone())?;
    Ok(ExitCode::SUCCESS)
}
