//! `burnward slack`: a Slack to try burnward with, and the manifest of its Slack app.

use std::{net::SocketAddr, path::PathBuf, process::ExitCode};

use burnward_stand_ins::slack::{Options, SlackStandIn};

use super::print;

/// Arguments of `slack`.
#[derive(Debug, clap::Args)]
pub(super) struct SlackArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Serve a Slack stand-in with a web page on which the channels are read and the buttons clicked.
    StandIn(StandInArgs),
    /// Print the app manifest to paste at <https://api.slack.com/apps?new_app=1>.
    Manifest {
        /// Where Slack reaches burnward over HTTP, such as `https://burnward.example`; without it: Socket Mode.
        #[arg(long, value_parser = web_address)]
        request_url: Option<url::Url>,
    },
}

/// Arguments of `slack stand-in`.
#[derive(Debug, clap::Args)]
struct StandInArgs {
    /// Where to listen.
    #[arg(long, default_value = "127.0.0.1:9096")]
    listen: SocketAddr,
    /// A channel that is there from the start, such as payments-oncall; repeatable.
    #[arg(long)]
    channel: Vec<String>,
    /// A person who is there from the start, such as Ana=ana@example.com; repeatable.
    #[arg(long, value_name = "NAME=EMAIL", value_parser = person)]
    person: Vec<NewPerson>,
    /// Append what was applied, one JSON object a line, to this file.
    #[arg(long)]
    journal: Option<PathBuf>,
    /// Where clicks are posted, signed, while no socket is open: burnward's interactions URL.
    #[arg(long)]
    interactions_url: Option<url::Url>,
    /// Hold Slack's rate limits: one post a second per channel, and the tiers of the methods.
    #[arg(long)]
    rate_limits: bool,
}

/// Somebody of the stand-in's workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
struct NewPerson {
    name: String,
    email: String,
}

fn person(text: &str) -> Result<NewPerson, String> {
    let (name, email) = text.split_once('=').map(|(name, email)| (name.trim(), email.trim())).unwrap_or_default();
    if name.is_empty() || !email.contains('@') {
        return Err("write NAME=EMAIL, such as Ana=ana@example.com".to_owned());
    }
    Ok(NewPerson { name: name.to_owned(), email: email.to_owned() })
}

/// Slack posts to addresses of the web alone.
fn web_address(text: &str) -> Result<url::Url, String> {
    let url: url::Url = text.parse().map_err(|error: url::ParseError| error.to_string())?;
    if ["https", "http"].contains(&url.scheme()) { Ok(url) } else { Err("write https://HOST, such as https://burnward.example".to_owned()) }
}

/// Runs the subcommand.
pub(super) async fn run(args: SlackArgs) -> anyhow::Result<ExitCode> {
    match args.command {
        Command::StandIn(args) => stand_in(args).await,
        Command::Manifest { request_url } => {
            print::line(crate::notify::slack::manifest(request_url.as_ref()))?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

async fn stand_in(args: StandInArgs) -> anyhow::Result<ExitCode> {
    let StandInArgs { listen, channel, person, journal, interactions_url, rate_limits } = args;
    let interactions_url = interactions_url.map(String::from);
    let options = Options { listen, journal_file: journal, interactions_url, rate_limits, ..Options::default() };
    let slack = SlackStandIn::start(options).await?;
    for name in &channel {
        slack.add_channel(name);
    }
    for NewPerson { name, email } in &person {
        slack.add_user(name, email);
    }
    print::line(format_args!("page            {}", slack.web_url()))?;
    print::line(format_args!("slack.api-url   {}", slack.api_url()))?;
    print::line(format_args!("bot token       {}", slack.bot_token()))?;
    print::line(format_args!("app token       {}", slack.app_token()))?;
    print::line(format_args!("signing secret  {}", slack.signing_secret()))?;
    print::talk("These are made-up tokens of the stand-in: write each into a file and name it in burnward.yaml. Ctrl-C stops.");
    tokio::signal::ctrl_c().await?;
    slack.shutdown().await;
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::{person, web_address};

    fn check(text: &str, expected: Option<(&str, &str)>) {
        let read = person(text).ok();
        assert_eq!(read.as_ref().map(|it| (it.name.as_str(), it.email.as_str())), expected, "{text}");
    }

    #[test]
    fn a_person_is_a_name_and_an_address() {
        check("Ana=ana@example.com", Some(("Ana", "ana@example.com")));
        check("Ana Lima = ana@example.com", Some(("Ana Lima", "ana@example.com")));
        check("Ana", None);
        check("=ana@example.com", None);
        check("Ana=", None);
    }

    #[test]
    fn slack_posts_to_addresses_of_the_web() {
        let taken = ["https://burnward.example", "http://10.0.0.1:9095", "ftp://x", "nonsense"].map(|text| web_address(text).is_ok());
        assert_eq!(taken, [true, true, false, false]);
    }
}
