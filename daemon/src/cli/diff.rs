//! `burnward diff`: what SLO documents change against those that run, of a git revision, or of other files. Exit code 0 no difference, 1 differences, 2
//! could not do it.

mod effect;
mod git;
mod refused;
mod sides;

use std::{path::PathBuf, process::ExitCode, sync::Arc};

use anyhow::bail;
use burnward_core::slo::Slo;

use self::{
    refused::Refused,
    sides::{Against, Older, RUNNING, sides},
};
use super::{client::ServerArgs, print};
use crate::{
    config::{self, Config},
    diff::{Difference, compare_with, words},
};

/// Arguments of `diff`.
#[derive(Debug, clap::Args)]
pub(super) struct DiffArgs {
    /// The newer files and directories; without any, those of burnward.yaml, else ./slo-definitions.
    paths: Vec<PathBuf>,

    /// What they are compared with: `running` for the daemon, files or a directory, or a git revision such as main.
    #[arg(long, value_name = "WHAT", default_value = RUNNING)]
    against: String,

    /// Also what the changes would have done over so long a history, such as 30d: how many pages, for whom, at night or by day.
    #[arg(long, value_name = "DURATION")]
    backtest: Option<String>,

    /// That history from the Prometheus at this URL instead of the tenants' sources.
    #[arg(long, value_name = "URL", conflicts_with = "recorded", requires = "backtest")]
    source: Option<String>,

    /// That history from a file of OpenMetrics text with timestamps, up to its last sample.
    #[arg(long, value_name = "FILE", requires = "backtest")]
    recorded: Option<PathBuf>,

    /// How the differences are written.
    #[arg(short, long, value_enum, default_value_t = Form::Table)]
    output: Form,

    /// The configuration that says which teams and directories there are; ./burnward.yaml, else /etc/burnward/burnward.yaml.
    #[arg(long = "config.file", value_name = "FILE")]
    config_file: Option<PathBuf>,

    #[command(flatten)]
    server: ServerArgs,
}

/// How differences are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Form {
    /// For people.
    #[value(alias = "text")]
    Table,
    /// For programs.
    Json,
    /// For a comment on a pull request.
    Md,
}

/// Runs the command.
pub(super) async fn run(args: DiffArgs) -> anyhow::Result<ExitCode> {
    let config = match config::discover(args.config_file.as_deref()) {
        Some(_) => Some(config::read(args.config_file.as_deref())?),
        None => None,
    };
    if let Some(missing) = args.paths.iter().find(|path| !path.exists()) {
        bail!("there is no {}", missing.display());
    }
    let length = args.backtest.as_deref().map(effect::length).transpose()?;
    let against = Against::of(&args);
    let sides = sides(&args, config.as_ref(), &against)?;
    let (mut sets, mut refused, mut teams_before) = (Vec::with_capacity(sides.len()), Refused::default(), None);
    for side in &sides {
        let read = side.read();
        let older = side.older(&args, &against, &read.slos).await;
        refused.take(&read, older.as_ref().map_or(&[], |older| &older.slos), &against);
        if read.faulty.is_empty() {
            let Older { slos: older, teams } = older?;
            teams_before = teams_before.or(teams);
            sets.push(Sets { older, newer: read.slos });
        }
    }
    if !refused.is_nothing() {
        print::talk(refused.text(&against));
        refused.written(args.output, &against).map(print::text).transpose()?;
        bail!("{}", refused.sentence());
    }
    // Without a configuration at hand nobody says that a team is another one by now.
    let without = || Config { teams: teams_before.clone().unwrap_or_default(), ..Config::default() };
    let config = Arc::new(config.unwrap_or_else(without));
    let before = Arc::new(Config { teams: teams_before.unwrap_or_else(|| config.teams.clone()), ..Config::clone(&config) });
    let all = |of: fn(&Sets) -> &Vec<Arc<Slo>>| sets.iter().flat_map(of).cloned().collect::<Vec<_>>();
    let mut difference = compare_with((&all(|sets| &sets.older), &before.teams), (&all(|sets| &sets.newer), &config.teams));
    if let Some(length) = length {
        for (side, sets) in sides.iter().zip(&sets) {
            effect::add(&mut difference, &args, (&before, &config), (side, sets), length).await?;
        }
    }
    print::text(written(&difference, args.output, sides.len() > 1))?;
    Ok(if difference.is_nothing() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn written(difference: &Difference, form: Form, shows_tenant: bool) -> String {
    match form {
        Form::Table => words::text(difference, shows_tenant),
        Form::Json => format!("{:#}\n", words::json(difference)),
        Form::Md => words::markdown(difference, shows_tenant),
    }
}

/// The two sets of SLOs of one tenant.
struct Sets {
    older: Vec<Arc<Slo>>,
    newer: Vec<Arc<Slo>>,
}
