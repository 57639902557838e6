//! The command line: one file per command. Data goes to stdout, talk to stderr, both through `print`; exit code 0 fine, 1 findings, 2 could not
//! do it.

mod backtest;
mod bar;
pub mod check;
mod client;
mod coverage;
mod demo;
mod diff;
mod doctor;
mod documents;
mod exclusion;
mod explain;
mod export;
mod fmt;
mod identity;
mod import;
mod incident;
mod init;
mod page;
mod postmortem;
mod print;
mod report;
mod run;
mod schema;
mod shadow;
mod slack;
mod status;
mod table;
mod templates;
mod test;
mod version;

use std::{io::IsTerminal as _, process::ExitCode};

use clap::{Parser, Subcommand};
use tracing::{Level, Metadata};
use tracing_subscriber::{EnvFilter, filter::filter_fn, layer::SubscriberExt as _, util::SubscriberInitExt as _};

use crate::config::secrets::redacted;

/// burnward evaluates SLOs against Prometheus, keeps error budgets, pages the person on call through Slack, and keeps the incident's timeline.
#[derive(Debug, Parser)]
#[command(name = "burnward", version, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,

    /// Which log lines are written: error, warn, info, debug, or a tracing filter.
    /// Without it info for `run` and `slack`, and warn for the commands that a person reads.
    #[arg(long = "log.level", value_name = "LEVEL", global = true, env = "BURNWARD_LOG_LEVEL")]
    log_level: Option<String>,

    /// How log lines are written.
    #[arg(long = "log.format", global = true, default_value = "text")]
    log_format: LogFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum LogFormat {
    Text,
    Json,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Propose first SLOs from a metrics endpoint or a Prometheus, or lay out a first configuration.
    Init(Box<init::InitArgs>),
    /// Run the daemon.
    Run(run::RunArgs),
    /// See a service fail, a page arrive, an acknowledgement and a recovery; no configuration, no network.
    Demo(demo::DemoArgs),
    /// Check SLO documents and burnward.yaml.
    Check(check::CheckArgs),
    /// Lay SLO documents out in one way; comments and order stay.
    Fmt(fmt::FmtArgs),
    /// Run the tests of SLO documents: traffic that is written down, and what is expected of it.
    Test(test::TestArgs),
    /// Show what SLO documents change: against the running daemon, a git revision or other files.
    Diff(diff::DiffArgs),
    /// Convert SLOs of OpenSLO, Sloth, Pyrra or Prometheus rules into documents of burnward.
    Import(import::ImportArgs),
    /// Write SLOs as rules of Prometheus, as OpenSLO, or as a dashboard of Grafana.
    Export(export::ExportArgs),
    /// Live through a span of history: every page and ticket that it would have sent.
    Backtest(Box<backtest::BacktestArgs>),
    /// Show every error budget, worst first.
    Status(status::StatusArgs),
    /// Explain an SLO's state now or at a moment, or a diagnostic code such as E1042.
    Explain(explain::ExplainArgs),
    /// List what SLOs in shadow would have told, beside the real incidents of their services.
    Shadow(shadow::ShadowArgs),
    /// Take time out of error budgets, list it, take it back.
    Exclusion(exclusion::ExclusionArgs),
    /// List, show, acknowledge, resolve or annotate incidents.
    Incident(incident::IncidentArgs),
    /// Print the postmortem draft of an incident.
    Postmortem(postmortem::PostmortemArgs),
    /// Report what a week did to the error budgets, and what it cost people.
    Report(report::ReportArgs),
    /// Tell which documents are made of which version of a template, who stays at an older one, and who overrides what.
    Templates(templates::TemplatesArgs),

    /// Print the JSON Schema of SLO documents, by which editors complete and underline.
    Schema,
    /// Send a page marked TEST through the whole path.
    Page(page::PageArgs),
    /// Check configuration, source, Slack, clock and store.
    Doctor(doctor::DoctorArgs),
    /// A Slack to try burnward with, and the manifest of its Slack app.
    Slack(slack::SlackArgs),
    /// Print version and build.
    Version,
}

/// Could not do it.
pub const EXIT_CANNOT: u8 = 2;

/// Runs the command that the arguments name.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return without_command(&error),
    };
    start_log(&cli);
    if rustls::crypto::ring::default_provider().install_default().is_err() {
        tracing::debug!("a TLS provider was installed before");
    }
    match cli.command {
        Command::Init(args) => asynchronous(init::run(*args)),
        Command::Run(args) => asynchronous(run::run(args)),
        Command::Demo(args) => asynchronous(demo::run(args)),
        Command::Check(args) => asynchronous(check::run(args)),
        Command::Fmt(args) => fmt::run(&args).unwrap_or_else(|error| cannot(&error)),
        Command::Test(args) => asynchronous(test::run(args)),
        Command::Diff(args) => asynchronous(diff::run(args)),
        Command::Import(args) => import::run(&args).unwrap_or_else(|error| cannot(&error)),
        Command::Export(args) => export::run(&args).unwrap_or_else(|error| cannot(&error)),
        Command::Backtest(args) => asynchronous(backtest::run(*args)),
        Command::Status(args) => asynchronous(status::run(args)),
        Command::Explain(args) => asynchronous(explain::run(args)),
        Command::Shadow(args) => asynchronous(shadow::run(args)),
        Command::Exclusion(args) => asynchronous(exclusion::run(args)),
        Command::Incident(args) => asynchronous(incident::run(args)),
        Command::Postmortem(args) => asynchronous(postmortem::run(args)),
        Command::Report(args) => asynchronous(report::run(args)),
        Command::Templates(args) => templates::run(&args).unwrap_or_else(|error| cannot(&error)),
        Command::Schema => schema::run().unwrap_or_else(|error| cannot(&error)),
        Command::Page(args) => asynchronous(page::run(args)),
        Command::Doctor(args) => asynchronous(doctor::run(args)),
        Command::Slack(args) => asynchronous(slack::run(args)),
        Command::Version => version::run().unwrap_or_else(|error| cannot(&error)),
    }
}

/// Help, or what is wrong with the arguments, which are not repeated with the password of an address.
fn without_command(error: &clap::Error) -> ExitCode {
    let plain = error.to_string();
    if redacted(&plain) == plain {
        error.exit();
    }
    print::talk(plain.trim_end());
    ExitCode::from(EXIT_CANNOT)
}

/// Runs a command on the runtime; an error is one line on stderr and exit code 2.
fn asynchronous(command: impl Future<Output = anyhow::Result<ExitCode>>) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return cannot(&error.into()),
    };
    runtime.block_on(command).unwrap_or_else(|error| cannot(&error))
}

fn cannot(error: &anyhow::Error) -> ExitCode {
    print::talk(format_args!("burnward: {error:#}"));
    ExitCode::from(EXIT_CANNOT)
}

/// What these libraries say below info holds addresses with the tickets of Slack's sockets.
const SPEAK_OF_TICKETS: [&str; 3] = ["slack_morphism", "tungstenite", "tokio_tungstenite"];

fn tells_no_secret(line: &Metadata<'_>) -> bool {
    let library = line.target().split("::").next().unwrap_or_default();
    *line.level() <= Level::INFO || !SPEAK_OF_TICKETS.contains(&library)
}

fn start_log(cli: &Cli) {
    let level = match (&cli.log_level, &cli.command) {
        (Some(level), _) => level.as_str(),
        (None, Command::Run(_) | Command::Slack(_)) => "info",
        (None, _) => "warn",
    };
    let filter = EnvFilter::try_new(level).unwrap_or_else(|error| {
        print::talk(format_args!("burnward: --log.level={level}: {error}; using info"));
        EnvFilter::new("info")
    });
    let registry = tracing_subscriber::registry().with(filter).with(filter_fn(tells_no_secret));
    let writer = std::io::stderr;
    match cli.log_format {
        LogFormat::Text => {
            registry.with(tracing_subscriber::fmt::layer().with_ansi(std::io::stderr().is_terminal()).with_writer(writer)).init();
        }
        LogFormat::Json => registry.with(tracing_subscriber::fmt::layer().json().with_writer(writer)).init(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_the_help_are_commands() {
        for examples in [import::EXAMPLES, export::EXAMPLES] {
            let lines: Vec<&str> = examples.lines().filter(|line| line.starts_with("  burnward ")).collect();
            assert!(lines.len() >= 3, "{examples}");
            for line in lines {
                let command = line.split("   ").find(|part| part.contains("burnward")).unwrap_or_default();
                let words = command.split(" > ").next().unwrap_or_default().split_whitespace();
                if let Err(error) = Cli::try_parse_from(words) {
                    panic!("{line}\n{error}");
                }
            }
        }
    }
}
