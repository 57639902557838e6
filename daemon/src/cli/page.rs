//! `burnward page test`: a page marked TEST through the whole path, with the time of each step.

use std::{process::ExitCode, time::Duration};

use tokio::time::{Instant, sleep};

use super::{
    client::{Client, ServerArgs},
    print,
};
use crate::web::api::wire::{IncidentDetail, IncidentState, TestPageBody};

/// Arguments of `page`.
#[derive(Debug, clap::Args)]
pub(super) struct PageArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Page somebody with a message marked TEST, and follow it until it is acknowledged.
    Test {
        /// Whom, as burnward.yaml calls them; without it the operators' first step.
        #[arg(long, value_name = "PERSON")]
        user: Option<String>,
        /// How long to wait for the acknowledgement; 0 only waits for the delivery.
        #[arg(long, value_name = "SECONDS", default_value_t = 120)]
        wait: u64,
        #[command(flatten)]
        server: ServerArgs,
    },
}

/// How long a page may need to arrive before the test has failed.
const DELIVERY: Duration = Duration::from_secs(30);

/// Runs the subcommand. Exit code 0 once it was delivered and, if that is waited for, acknowledged; 1 otherwise.
pub(super) async fn run(args: PageArgs) -> anyhow::Result<ExitCode> {
    let Command::Test { user, wait, server } = args.command;
    let client = Client::new(&server)?;
    let began = Instant::now();
    let incident: IncidentState = client.post(&["pages", "test"], &TestPageBody { person: user }).await?;
    print::line(format_args!("decided       {}  {}", incident.opened_at, incident.id))?;
    let Some(delivered) = follow(&client, &incident.id, DELIVERY, |detail| detail.delivered_at).await? else {
        print::line(format_args!(
            "not delivered within {} s; `burnward status` lists it, `burnward doctor` looks for the cause",
            DELIVERY.as_secs()
        ))?;
        return Ok(ExitCode::from(1));
    };
    print::line(format_args!("delivered     {delivered}"))?;
    if wait == 0 {
        return Ok(ExitCode::SUCCESS);
    }
    print::talk(format_args!("waiting up to {wait} s for the acknowledgement: click the button"));
    let Some(taken) = follow(&client, &incident.id, Duration::from_secs(wait), |detail| detail.acknowledged_at).await? else {
        print::line(format_args!("not acknowledged within {wait} s"))?;
        return Ok(ExitCode::from(1));
    };
    print::line(format_args!("acknowledged  {taken}"))?;
    print::line(format_args!("OK in {:.1} s", began.elapsed().as_secs_f64()))?;
    Ok(ExitCode::SUCCESS)
}

/// Where in an incident's record a milestone stands.
type Milestone = fn(&IncidentDetail) -> Option<jiff::Timestamp>;

/// When the test reached a milestone; `None` when time runs out first.
async fn follow(client: &Client, id: &str, at_most: Duration, milestone: Milestone) -> anyhow::Result<Option<jiff::Timestamp>> {
    let deadline = Instant::now() + at_most;
    loop {
        let detail: IncidentDetail = client.get(&["incidents", id], &[]).await?;
        if let Some(at) = milestone(&detail) {
            return Ok(Some(at));
        }
        if Instant::now() >= deadline {
            return Ok(None);
        }
        sleep(Duration::from_millis(250)).await;
    }
}
