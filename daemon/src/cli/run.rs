//! `burnward run`: the daemon, until a signal ends it.

mod progress;

use std::{net::SocketAddr, path::PathBuf, process::ExitCode};

use anyhow::Context as _;
use tokio::signal::unix::{SignalKind, signal};
use tracing::{error, info, warn};

use super::print;
use crate::{
    app::{Daemon, Options},
    config::{Config, OnDisk},
    definition::Removals,
};

/// Arguments of `run`; flags are called as Prometheus calls them.
#[derive(Debug, clap::Args)]
pub(super) struct RunArgs {
    /// The operator's configuration; without it ./burnward.yaml, then /etc/burnward/burnward.yaml, then defaults.
    #[arg(long = "config.file", value_name = "FILE")]
    config_file: Option<PathBuf>,

    /// Directory of the store, instead of the configuration's.
    #[arg(long = "storage.path", value_name = "DIR")]
    storage_path: Option<PathBuf>,

    /// Where to listen, instead of the configuration's.
    #[arg(long = "web.listen-address", value_name = "HOST:PORT")]
    listen: Option<SocketAddr>,

    /// Take definitions that remove all or more than half of the last good SLOs.
    #[arg(long)]
    accept_removals: bool,
}

/// Runs the daemon until SIGTERM or SIGINT, or until it is broken; SIGHUP loads the definitions again.
pub(super) async fn run(args: RunArgs) -> anyhow::Result<ExitCode> {
    let on_disk = OnDisk::read(args.config_file.clone())?;
    let config = with_flags(on_disk.at_start().clone(), &args)?;
    let removals = if args.accept_removals { Removals::Accepted } else { Removals::Guarded };
    let options = Options { removals, on_disk: Some(on_disk), ..Options::default() };
    let daemon = Daemon::start(config, options).await?;
    print::talk(format_args!("burnward listens on http://{}", daemon.address));
    let progress = tokio::spawn(progress::show(daemon.handle.view.clone()));
    let mut hangup = signal(SignalKind::hangup()).context("SIGHUP")?;
    let mut terminate = signal(SignalKind::terminate()).context("SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("SIGINT")?;
    loop {
        tokio::select! {
            _ = hangup.recv() => reload(&daemon).await,
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
            reason = daemon.broken() => {
                progress.abort();
                error!("burnward stops with an error: {reason}");
                daemon.stop().await;
                return Ok(ExitCode::FAILURE);
            }
        }
    }
    progress.abort();
    info!("stopping");
    daemon.stop().await;
    Ok(ExitCode::SUCCESS)
}

fn with_flags(mut config: Config, args: &RunArgs) -> anyhow::Result<Config> {
    if let Some(path) = &args.storage_path {
        config.storage.clone_from(path);
    }
    if let Some(listen) = args.listen {
        anyhow::ensure!(
            listen.ip().is_loopback() || config.token_file.is_some(),
            "--web.listen-address={listen} can be reached from elsewhere: set `token-file` in burnward.yaml first, or listen on 127.0.0.1"
        );
        if config.external_url == format!("http://{}", config.listen) {
            config.external_url = format!("http://{listen}");
        }
        config.listen = listen;
    }
    Ok(config)
}

async fn reload(daemon: &Daemon) {
    match daemon.handle.reload(Removals::Guarded).await {
        Ok(sentence) => info!("{sentence}"),
        Err(error) => warn!(%error, "the definitions were not loaded; the last good ones run on"),
    }
}
