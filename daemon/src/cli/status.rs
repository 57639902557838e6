//! `burnward status`: every budget, worst first; what cannot be seen and what waits for delivery stands above.

use std::{fmt::Write as _, num::NonZeroUsize, process::ExitCode, time::Duration};

use burnward_core::words;

use super::{
    client::{Client, OutputArgs, ServerArgs},
    table::{Table, ago, group, local},
};
use crate::web::api::wire::{Budget, ExcludedShare, FiguresReach, IncidentState, Row, Status};

/// Arguments of `status`.
#[derive(Debug, clap::Args)]
pub(super) struct StatusArgs {
    /// Only the worst budgets.
    #[arg(long, value_name = "N")]
    worst: Option<NonZeroUsize>,

    /// The budgets as they stood at a moment, as far as was known then: 2026-11-25T03:10:00Z.
    #[arg(long, value_name = "TIME")]
    at: Option<String>,

    /// With --at: as corrected by what was recorded since.
    #[arg(long, requires = "at")]
    as_corrected: bool,

    /// Every tenant of the daemon, one after the other; as JSON a list.
    #[arg(long)]
    all_tenants: bool,

    /// Exit with 1 where a budget burns, is spent or cannot be seen.
    #[arg(long)]
    exit_code: bool,

    #[command(flatten)]
    server: ServerArgs,
    #[command(flatten)]
    output: OutputArgs,
}

/// Runs the command.
pub(super) async fn run(args: StatusArgs) -> anyhow::Result<ExitCode> {
    let mut statuses: Vec<Status> = vec![of_tenant(&args, None).await?];
    if args.all_tenants {
        for other in statuses[0].other_tenants.clone() {
            statuses.push(of_tenant(&args, Some(&other)).await?);
        }
    }
    let troubled = statuses.iter().flat_map(|status| &status.budgets).any(is_troubled);
    if let Some(worst) = args.worst {
        for status in &mut statuses {
            status.budgets.truncate(worst.get());
        }
    }
    let past = args.at.as_ref().map(|_| {
        if args.as_corrected {
            "as corrected by what was recorded since"
        } else {
            "as far as was known then, with the samples that came within the settling time"
        }
    });
    match statuses.as_slice() {
        [status] if !args.all_tenants => args.output.print(status, |status| text(status, past) + &others(status))?,
        all => args.output.print(&all, |all| all.iter().map(|status| headed(status, past)).collect::<Vec<_>>().join("\n"))?,
    }
    Ok(if args.exit_code && troubled { ExitCode::from(1) } else { ExitCode::SUCCESS })
}

async fn of_tenant(args: &StatusArgs, tenant: Option<&str>) -> anyhow::Result<Status> {
    Client::new(&args.server.of_tenant(tenant))?.get(&["status"], &asked(args)).await
}

fn is_troubled(budget: &Budget) -> bool {
    ["BURNING", "SPENT", "CANNOT SEE"].contains(&budget.state.as_str())
}

/// So many reasons why SLOs cannot be seen are told at most.
const REASONS: usize = 5;

/// A tenant's status under its name.
fn headed(status: &Status, past: Option<&str>) -> String {
    format!("tenant {}\n{}", status.tenant, text(status, past))
}

/// That there is more than this shows.
fn others(status: &Status) -> String {
    if status.other_tenants.is_empty() {
        return String::new();
    }
    let others = words::list(&status.other_tenants, 5);
    format!("\nThis is tenant {}; with --tenant or --all-tenants: {others}\n", status.tenant)
}

/// Which moment is asked for, with what knowledge.
fn asked(args: &StatusArgs) -> Vec<(&'static str, String)> {
    let figures = args.as_corrected.then(|| ("figures", "as-corrected".to_owned()));
    args.at.iter().map(|at| ("at", at.clone())).chain(figures).collect()
}

fn text(status: &Status, past: Option<&str>) -> String {
    let mut text = String::new();
    if let Some(knowledge) = past {
        writeln!(text, "at {}, {knowledge}", local(status.as_of)).expect("writing to a String cannot fail");
        for sentence in reaches(status) {
            writeln!(text, "· {sentence}").expect("writing to a String cannot fail");
        }
    }
    for notice in notices(status).into_iter().chain(unseen(status)) {
        writeln!(text, "{notice}").expect("writing to a String cannot fail");
    }
    if status.budgets.is_empty() {
        text.push_str("no SLOs run; `burnward check slo-definitions` says whether there are any\n");
        return text;
    }
    let mut table = Table::titled_by_two(&[
        "STATE",
        "SLO",
        "TARGET",
        "SLI",
        "BUDGET LEFT",
        "BURN SHORT/LONG",
        "RUNS OUT",
        "SEEN",
        "NEWEST SAMPLE",
        "TEAM",
    ]);
    for budget in &status.budgets {
        table.row(row(budget, past.is_some()));
    }
    text + &table.to_string()
}

/// What somebody should know of figures of the past: of the budget whose figures reach furthest beyond the moment, and what did not run then.
fn reaches(status: &Status) -> Vec<String> {
    let furthest =
        status.budgets.iter().filter_map(|budget| budget.reach.as_ref()).max_by(|a, b| a.beyond_seconds.total_cmp(&b.beyond_seconds));
    let mut sentences = furthest.map(FiguresReach::sentences).unwrap_or_default();
    let unsettled = status.budgets.iter().filter_map(|budget| budget.reach.as_ref()).any(|reach| !reach.settled);
    if unsettled && furthest.is_some_and(|reach| reach.settled) {
        sentences
            .push("samples up to this moment are still awaited for some of them: the figures may move until they are settled".to_owned());
    }
    if !status.not_run_then.is_empty() {
        let slos = words::list(&status.not_run_then, 3);
        sentences.push(format!("what is shown of {slos} is of history that was read later: no daemon ran it then"));
    }
    sentences
}

/// What somebody should know before any number.
fn notices(status: &Status) -> Vec<String> {
    let mut notices = Vec::new();
    for source in &status.sources {
        if let (Some(since), Some(why)) = (source.blind_since, &source.blind) {
            let circuit = if source.circuit == "open" { "; it is asked one small question a tick until it answers" } else { "" };
            notices.push(format!(
                "? CANNOT SEE: source {} does not answer (noticed {}): {} ({}){circuit}",
                source.name,
                ago(since),
                why.detail,
                why.reason
            ));
        }
        notices.extend(source.lost_sentence(ago).map(|sentence| format!("! {sentence}; what was counted of them stays")));
        notices.extend(source.replica_sentence(ago).map(|sentence| format!("· {sentence}")));
        notices.extend(source.skew_sentence().map(|sentence| format!("! {sentence}; pages may be late: synchronise both")));
        if source.catching_up {
            notices.push(format!("… source {} is being caught up; nothing is decided for what is not yet read", source.name));
        }
    }
    notices.extend(status.open_incidents.iter().filter_map(goes_on));
    let outbox = &status.outbox;
    if let Some(oldest) = outbox.oldest_page.filter(|_| outbox.undelivered.iter().any(|page| !page.given_up)) {
        let pages = words::plural(usize::try_from(outbox.pages_owed).unwrap_or(usize::MAX), "page");
        notices.push(format!("! {pages} not delivered, the oldest decided {}", ago(oldest)));
    }
    for page in outbox.undelivered.iter().take(5) {
        let why = page.last_error.as_deref().unwrap_or("not tried yet");
        notices.push(format!("!   {} to {} for {}: {why}", page.page, page.to, page.incident));
    }
    notices.extend(status.held.iter().map(|held| format!("· {}", held.sentence())));
    notices.extend(
        status
            .definition_faults
            .iter()
            .map(|fault| format!("! {} {}. {}\n{}", fault.file, fault.what_is_wrong(), fault.what_runs(), fault.text)),
    );
    notices.extend(status.text_faults.iter().map(|fault| format!("! {fault}")));
    notices
}

/// Why SLOs cannot be seen, each once; what hides all of a source is told of the source.
fn unseen(status: &Status) -> Vec<String> {
    let of_sources: Vec<&str> = status.sources.iter().filter_map(|source| source.blind.as_ref()).map(|why| why.detail.as_str()).collect();
    let mut reasons: Vec<String> = Vec::new();
    for budget in status.budgets.iter().filter(|budget| budget.state == "CANNOT SEE") {
        let Some(why) = budget.unknown.as_ref().filter(|why| !of_sources.contains(&why.detail.as_str())) else { continue };
        let reason = format!("? CANNOT SEE {}/{}: {} ({})", budget.service, budget.slo, why.detail, why.reason);
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
    let more = reasons.len().saturating_sub(REASONS);
    reasons.truncate(REASONS);
    reasons.extend((more > 0).then(|| format!("? {} more: `burnward explain service/slo` says why", words::plural(more, "reason"))));
    reasons
}

/// What a person resolved and what goes on.
fn goes_on(incident: &IncidentState) -> Option<String> {
    let goes_on = incident.goes_on.as_ref()?;
    let by = incident.phase_by.as_deref().unwrap_or("-");
    Some(format!("▲ {}: resolved by {by}, {}; opens again {}", incident.id, goes_on.what_for_whom(), local(goes_on.opens_again_at)))
}

fn row(budget: &Budget, past: bool) -> Vec<String> {
    let dash = || "-".to_owned();
    vec![
        state(budget),
        format!("{}/{}{}", budget.service, budget.slo, group(&budget.group)),
        budget.promise(&format!("{} % {}", budget.target_percent, budget.window_named())),
        budget.sli_ratio.map_or_else(dash, |ratio| format!("{:.3} %", ratio * 100.0)),
        left(budget).map_or_else(dash, |left| left + &between(budget) + &excluded(budget)),
        budget.fastest().filter(|row| budget.unknown.is_none() || row.long_total.any()).map_or_else(dash, Row::burns),
        if budget.unknown.is_some() || budget.rows.is_empty() { dash() } else { budget.runs_out() },
        words::whole_percent(budget.coverage_ratio),
        budget.newest_sample.map_or_else(dash, if past { local } else { ago }),
        budget.team.clone(),
    ]
}

/// `● OK`; `● OK, held back: few events`.
fn state(budget: &Budget) -> String {
    let held_back = budget.held_back.as_ref().map(|why| format!(", {why}"));
    format!("{} {}{}", budget.icon, budget.state, held_back.unwrap_or_default())
}

/// That it may be more or less, for not all was seen, or read.
fn between(budget: &Budget) -> String {
    if let Some(rest) = budget.still_to_read() {
        return format!(" so far; {rest}");
    }
    budget.left_between().map_or_else(String::new, |between| format!("; not all was seen: {between}"))
}

/// That people took time out of it.
fn excluded(budget: &Budget) -> String {
    let shown = |share: &ExcludedShare| format!(", {} excluded", words::duration(Duration::from_secs(share.seconds)));
    budget.excluded.as_ref().map_or_else(String::new, shown)
}

fn left(budget: &Budget) -> Option<String> {
    let left = burnward_core::budget::BudgetLeft {
        ratio: budget.left_ratio?,
        seconds: budget.left_seconds?,
        whole: Duration::from_secs(budget.budget_seconds?),
    };
    Some(words::budget_left(&left))
}
