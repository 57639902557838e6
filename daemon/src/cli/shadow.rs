//! `burnward shadow`: what SLOs in shadow would have told, beside the real incidents of their services.

use std::{fmt::Write as _, process::ExitCode, time::Duration};

use burnward_core::words;

use super::{
    client::{Client, OutputArgs, ServerArgs},
    table::{Table, alert_name, local},
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
    let mut table =
        Table::titled_by_two(&["OPENED", "WHAT", "ROW", "BURN LONG/SHORT", "SPENT", "SEEN", "LASTED", "WOULD CALL", "OF", "INCIDENT"]);
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
        alert.coverage_ratio.map_or_else(dash, words::whole_percent),
        alert.ended.map_or_else(|| "holds".to_owned(), lasted),
        if alert.would_call.is_empty() { "nobody anew".to_owned() } else { alert.would_call.join(", ") },
        alert_name(&alert.alert),
        alert.incident.clone().unwrap_or_else(dash),
    ]
}

fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::web::api::wire::{ShadowIncident, ShadowScore, ShadowSpan};

    const GUIDE: &str = include_str!("../../../docs/guide.md");

    fn at(text: &str) -> Timestamp {
        text.parse().expect("an instant")
    }

    /// A page that somebody would have got.
    fn page(opened: &str, minutes: i64, row: &str, burn: (f64, f64), spent: f64) -> ShadowAlert {
        let opened = at(opened);
        ShadowAlert {
            what: "page".to_owned(),
            alert: "main:checkout/latency{}#30d".to_owned(),
            group: Vec::new(),
            row: Some(row.to_owned()),
            burn: Some(burn),
            began: opened,
            opened,
            ended: Some(opened + jiff::SignedDuration::from_mins(minutes)),
            spent_ratio: Some(spent),
            coverage_ratio: Some(1.0),
            would_call: vec!["#payments-oncall".to_owned(), "ada".to_owned()],
            incident: None,
        }
    }

    /// What the guide tells of: two pages, of which one found the one incident of the service.
    fn latency() -> ShadowSlo {
        let found = page("2026-11-25T03:04:04Z", 31, "14.4x 1h/5m", (15.2, 88.0), 0.21);
        let id = "checkout-burn-3";
        let from = at("2026-11-25T03:02:40Z");
        ShadowSlo {
            service: "checkout".to_owned(),
            slo: "latency".to_owned(),
            title: "Paying is fast".to_owned(),
            team: "payments".to_owned(),
            status: "shadow".to_owned(),
            in_shadow: vec![ShadowSpan { from: at("2026-11-20T09:00:04Z"), to: at("2026-11-26T00:00:00Z") }],
            pages: 2,
            tickets: 0,
            alerts: vec![
                page("2026-11-22T18:31:02Z", 22, "6x 6h/30m", (6.4, 9.1), 0.08),
                ShadowAlert { incident: Some(id.to_owned()), ..found },
            ],
            score: ShadowScore {
                incidents: vec![ShadowIncident { incident: id.to_owned(), from, became: "found".to_owned(), after_seconds: Some(84.0) }],
                found: 1,
                late: 0,
                missed: 0,
                false_pages: 1,
                precision_ratio: Some(0.5),
                recall_ratio: Some(1.0),
            },
        }
    }

    /// The words of a text, its times in the zone of this terminal, as the command shows them.
    fn words_here(text: &str) -> Vec<String> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let (mut here, mut place) = (Vec::new(), 0);
        while place < words.len() {
            let time = words.get(place..place + 3).filter(|three| three[2].trim_end_matches(':') == "UTC");
            if let Some(moment) = time.and_then(|three| format!("{}T{}Z", three[0], three[1]).parse().ok()) {
                let colon = if words[place + 2].ends_with(':') { ":" } else { "" };
                here.extend(format!("{}{colon}", local(moment)).split_whitespace().map(str::to_owned));
                place += 3;
            } else {
                here.push(words[place].to_owned());
                place += 1;
            }
        }
        here
    }

    #[test]
    fn the_guide_shows_what_the_command_prints() {
        let (_, after) = GUIDE.split_once("`burnward shadow checkout/latency --last 30d`:\n\n```text\n").expect("the guide shows it");
        let shown = after.split("\n```").next().unwrap_or_default();
        let printed = of_slo(&latency());
        assert_eq!(printed.split_whitespace().collect::<Vec<_>>(), words_here(shown), "{printed}");
        let utc = local(at("2026-11-25T03:04:04Z")).ends_with(" UTC");
        assert!(!utc || printed.trim_end() == shown, "in UTC to the letter: {printed}");
    }
}
