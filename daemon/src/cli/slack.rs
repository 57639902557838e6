//! `burnward slack`: a Slack to try burnward with, and the manifest of its Slack app.

use std::{net::SocketAddr, path::PathBuf, process::ExitCode};

use burnward_stand_ins::slack::{Options, SlackStandIn};

/// Arguments of `slack`.
#[derive(Debug, clap::Args)]
pub(super) struct SlackArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Serve a Slack stand-in with a web page on which the channels are read and the buttons clicked.
    StandIn {
        /// Where to listen.
        #[arg(long, default_value = "127.0.0.1:9096")]
        listen: SocketAddr,
        /// Append what was applied, one JSON object a line, to this file.
        #[arg(long)]
        journal: Option<PathBuf>,
    },
    /// Print the app manifest to paste at https://api.slack.com/apps?new_app=1.
    Manifest {
        /// Where Slack reaches burnward over HTTP, such as https://burnward.example; without it: Socket Mode.
        #[arg(long)]
        request_url: Option<url::Url>,
    },
}

/// Runs the subcommand.
pub(super) async fn run(args: SlackArgs) -> anyhow::Result<ExitCode> {
    match args.command {
        Command::StandIn { listen, journal } => stand_in(listen, journal).await,
        Command::Manifest { request_url } => {
            println!("{}", crate::notify::slack::manifest(request_url.as_ref()));
            Ok(ExitCode::SUCCESS)
        }
    }
}

async fn stand_in(listen: SocketAddr, journal_file: Option<PathBuf>) -> anyhow::Result<ExitCode> {
    let slack = SlackStandIn::start(Options { listen, journal_file, ..Options::default() }).await?;
    println!("page            {}", slack.web_url());
    println!("slack.api-url   {}", slack.api_url());
    println!("bot token       {}", slack.bot_token());
    println!("app token       {}", slack.app_token());
    println!("signing secret  {}", slack.signing_secret());
    eprintln!("These are made-up tokens of the stand-in: write each into a file and name it in burnward.yaml. Ctrl-C stops.");
    tokio::signal::ctrl_c().await?;
    slack.shutdown().await;
    Ok(ExitCode::SUCCESS)
}
