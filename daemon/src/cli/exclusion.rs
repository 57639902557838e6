//! `burnward exclusion`: take time out of error budgets, list what was taken out, take it back.

use std::{fmt::Write as _, process::ExitCode, time::Duration};

use anyhow::Context as _;
use burnward_core::words;

use super::{
    client::{Client, OutputArgs, ServerArgs},
    table::{Table, local},
};
use crate::{
    definition::duration,
    web::api::wire::{Asked, ExclusionBody, ExclusionState, Stretch, WithdrawalBody},
};

/// Arguments of `exclusion`.
#[derive(Debug, clap::Args)]
pub(super) struct ExclusionArgs {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    server: ServerArgs,
    #[command(flatten)]
    output: OutputArgs,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Take time out of budgets: once, again and again, or afterwards. Alerts do not look at it.
    Add(Box<AddArgs>),
    /// What was taken out, newest first, withdrawn ones too.
    List {
        /// Only of this SLO, as service/name.
        slo: Option<String>,
    },
    /// Take an exclusion back. It stays in the record.
    Withdraw {
        /// Which, such as X-7.
        id: String,
        /// Why.
        #[arg(long)]
        reason: String,
    },
}

/// Whose budgets.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct Owner {
    /// All SLOs of the tenant.
    #[arg(long)]
    all: bool,
    /// All SLOs of a service.
    #[arg(long, value_name = "NAME")]
    service: Option<String>,
    /// One SLO, as service/name.
    #[arg(long, value_name = "SLO")]
    slo: Option<String>,
}

#[derive(Debug, clap::Args)]
struct AddArgs {
    #[command(flatten)]
    of: Owner,
    /// Only this objective of the SLO.
    #[arg(long, value_name = "NAME", requires = "slo")]
    objective: Option<String>,
    /// Only groups with this label value; may be repeated.
    #[arg(long, value_name = "LABEL=VALUE")]
    group: Vec<String>,

    /// Where it begins, such as 2026-12-01T02:00 with --timezone, or 2026-12-01T01:00:00Z; without it: now.
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// Where it ends; of what recurs, no stretch begins after it.
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
    /// A line of a crontab, such as "0 2 * * SUN", or an RRULE, such as "FREQ=MONTHLY;BYDAY=1SU;BYHOUR=2".
    #[arg(long, value_name = "RULE", requires_all = ["lasts", "timezone"])]
    every: Option<String>,
    /// How long each stretch of what recurs lasts, such as 2h.
    #[arg(long, value_name = "DURATION", requires = "every")]
    lasts: Option<String>,
    /// The zone of the rule and of times without one, such as Europe/Berlin.
    #[arg(long, value_name = "ZONE")]
    timezone: Option<String>,

    /// Why, in a sentence.
    #[arg(long)]
    reason: String,
    /// Who approved it.
    #[arg(long, value_name = "NAME")]
    approver: String,
}

/// Runs the subcommand.
pub(super) async fn run(args: ExclusionArgs) -> anyhow::Result<ExitCode> {
    let ExclusionArgs { command, server, output } = args;
    let client = Client::new(&server)?;
    match command {
        Command::Add(args) => {
            let added: ExclusionState = client.post(&["exclusions"], &body(*args)?).await?;
            output.print(&added, recorded)?;
        }
        Command::List { slo } => {
            let query: Vec<(&str, String)> = slo.into_iter().map(|slo| ("slo", slo)).collect();
            let listed: Vec<ExclusionState> = client.get(&["exclusions"], &query).await?;
            output.print(&listed, |listed| table(listed))?;
        }
        Command::Withdraw { id, reason } => {
            let withdrawn: ExclusionState = client.post(&["exclusions", &id, "withdraw"], &WithdrawalBody { reason }).await?;
            output.print(&withdrawn, |withdrawn| format!("{} takes nothing out any more; it stays in the record\n", withdrawn.id))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn body(args: AddArgs) -> anyhow::Result<ExclusionBody> {
    let AddArgs { of: Owner { all, service, slo }, objective, group, from, to, every, lasts, timezone, reason, approver } = args;
    let (service, slo) = match slo {
        Some(slo) => {
            let (service, name) = slo.split_once('/').with_context(|| format!("--slo={slo}: write it as service/name"))?;
            (Some(service.to_owned()), Some(name.to_owned()))
        }
        None => (service, None),
    };
    let group = group.iter().map(|pair| label(pair)).collect::<anyhow::Result<_>>()?;
    let lasts = lasts.map(|text| duration::parse(&text).map_err(|error| anyhow::anyhow!("--lasts={text}: {error}"))).transpose()?;
    let lasts_seconds = lasts.map(|lasts| lasts.as_secs());
    Ok(ExclusionBody { all, service, slo, objective, group, from, to, every, timezone, lasts_seconds, reason, approver })
}

fn label(pair: &str) -> anyhow::Result<(String, String)> {
    let (label, value) = pair.split_once('=').with_context(|| format!("--group={pair}: write it as label=value"))?;
    Ok((label.to_owned(), value.to_owned()))
}

/// What was recorded, and which time it really takes out.
fn recorded(state: &ExclusionState) -> String {
    let mut text = format!("{} takes time out of {}: {}\n", state.id, state.scope, state.reason);
    let mut line = |line: String| writeln!(text, "  {line}").expect("writing to a String cannot fail");
    line(format!("asked     {}", asked(&state.asked)));
    match state.stretches.as_slice() {
        [] if state.asked.every.is_some() => {}
        [] => line("takes     nothing: no whole slice lies within that; old slices are of 1 min, 5 min and 1 h".to_owned()),
        stretches => stretches.iter().for_each(|stretch| line(format!("takes     {}", shown(stretch)))),
    }
    if state.asked.every.is_some() {
        line(format!("next      {}", state.next.as_ref().map_or_else(|| "none: no stretch comes any more".to_owned(), shown)));
    }
    line(format!("approved  by {}, as {} says", state.approver, state.author));
    for left in &state.leaves {
        line(format!("beside    {left}"));
    }
    line("figures show it with the next evaluation; alerts do not look at it".to_owned());
    text
}

fn asked(asked: &Asked) -> String {
    let until = asked.to.map_or_else(String::new, |to| format!(" to {}", local(to)));
    match (&asked.every, &asked.timezone, asked.lasts_seconds) {
        (Some(rule), Some(zone), Some(lasts)) => {
            format!("{} each time of {rule} in {zone}, from {}{until}", words::duration(Duration::from_secs(lasts)), local(asked.from))
        }
        (_, _, _) => format!("{}{until}", local(asked.from)),
    }
}

fn shown(stretch: &Stretch) -> String {
    format!("{} to {}", local(stretch.from), local(stretch.to))
}

fn table(states: &[ExclusionState]) -> String {
    if states.is_empty() {
        return "no time was taken out of any budget\n".to_owned();
    }
    let mut table = Table::titled_by_two(&["EXCLUSION", "OF", "ASKED", "NEXT", "REASON", "BY", "APPROVED BY", "STATE"]);
    for state in states {
        let withdrawn = |back: &crate::web::api::wire::Withdrawn| format!("withdrawn {} by {}: {}", local(back.at), back.by, back.reason);
        table.row(vec![
            state.id.clone(),
            state.scope.clone(),
            asked(&state.asked),
            state.next.as_ref().map_or_else(|| "-".to_owned(), shown),
            state.reason.clone(),
            state.author.clone(),
            state.approver.clone(),
            state.withdrawn.as_ref().map_or_else(|| if state.takes_nothing() { "takes nothing" } else { "stands" }.to_owned(), withdrawn),
        ]);
    }
    table.to_string()
}
