//! `burnward shadow`: what SLOs in shadow would have told, beside the real incidents of their services.

use std::{fmt::Write as _, process::ExitCode, time::Duration};

use burnward_core::words;

use super::{
    client::{Client, OutputArgs, ServerArgs},
    table::{Table, local},
};
use crate::web::api::wire::{ShadowAlert, ShadowList, ShadowSlo};

/// Arguments of `shadow`.
#[derive(Debug, clap::Args)]
pub(super) struct ShadowArgs {
    /// One SLO as service/name, also one that is active by now; without it every SLO that is in shadow, or would have told something.
    slo: Option<String>,

    /// So long, up to now.
    #[arg(long, value_name = "DURATION", default_value = "30d")]
    last: String,

    /// A page later than this after an incident's beginning is late.
    #[arg(long, value_name = "DURATION", default_value = "10m")]
    late_after: String,

    #[command(flatten)]
    server: ServerArgs,
    #[command(flatten)]
    output: OutputArgs,
}

/// Runs the command.
pub(super) async fn run(args: ShadowArgs) -> anyhow::Result<ExitCode> {
    let slo = args.slo.iter().map(|slo| ("slo", slo.clone()));
    let query: Vec<(&str, String)> = slo.chain([("last", args.last.clone()), ("late-after", args.late_after.clone())]).collect();
    let list: ShadowList = Client::new(&args.server)?.get(&["shadow"], &query).await?;
    args.output.print(&list, text)?;
    Ok(ExitCode::SUCCESS)
}

fn text(list: &ShadowList) -> String {
    if list.slos.is_empty() {
        return "No SLO is in shadow. `status: shadow` in its document lets one decide without telling anybody.\n".to_owned();
    }
    list.slos.iter().map(of_slo).collect::<Vec<_>>().join("\n")
}

fn of_slo(slo: &ShadowSlo) -> String {
    let mut text = format!("{}/{}  {}\n", slo.service, slo.slo, slo.title);
    let mut line = |line: String| writeln!(text, "{line}").expect("writing to a String cannot fail");
    line(format!("  status   {}; {}", slo.status, in_shadow(slo)));
    line(format!("  told     {}", slo.sentence()));
    for incident in &slo.score.incidents {
        let after = incident.after_seconds.map_or_else(String::new, |after| format!(" after {}", words::duration(seconds(after))));
        line(format!("  incident {} of {}: {}{after}", incident.incident, local(incident.from), incident.became));
    }
    if slo.alerts.is_empty() {
        return text;
    }
    let mut table = Table::new(&["OPENED", "WHAT", "ROW", "BURN LONG/SHORT", "SPENT", "LASTED", "WOULD CALL", "OF", "INCIDENT"]);
    for alert in &slo.alerts {
        table.row(row(alert));
    }
    format!("{text}\n{table}")
}

fn in_shadow(slo: &ShadowSlo) -> String {
    match slo.in_shadow.as_slice() {
        [] => "not in shadow within the span".to_owned(),
        [.., last] if slo.status == "shadow" => format!("in shadow since {}", local(last.from)),
        [.., last] => format!("in shadow from {} to {}", local(last.from), local(last.to)),
    }
}

fn row(alert: &ShadowAlert) -> Vec<String> {
    let dash = || "-".to_owned();
    let lasted = |ended: jiff::Timestamp| words::duration(ended.duration_since(alert.opened).unsigned_abs());
    vec![
        local(alert.opened),
        alert.what.clone(),
        alert.row.clone().unwrap_or_else(dash),
        alert.burn.map_or_else(dash, |(long, short)| format!("{} / {}", words::times(long), words::times(short))),
        alert.spent_ratio.map_or_else(dash, words::whole_percent),
        alert.ended.map_or_else(|| "holds".to_owned(), lasted),
        if alert.would_call.is_empty() { "nobody anew".to_owned() } else { alert.would_call.join(", ") },
        alert.alert.clone(),
        alert.incident.clone().unwrap_or_else(dash),
    ]
}

fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}
