//! `burnward explain`: why an SLO stands as it does, now or at a moment; or what a diagnostic code means.

use std::{collections::BTreeSet, fmt::Write as _, process::ExitCode};

use anyhow::{Context as _, bail};
use burnward_core::{id::ServiceName, words};

use super::{
    check,
    client::{Client, OutputArgs, ServerArgs},
    coverage,
    identity::Identity,
    print,
    table::{Table, local},
};
use crate::render::visible_whole;
use crate::web::api::wire::{
    Budget, ExplainedBudget, FiguresReach, JourneyMember, Query, ReadPart, Reading, SloDetection, SloExplanation, Status, Told,
};

/// Arguments of `explain`.
#[derive(Debug, clap::Args)]
pub(super) struct ExplainArgs {
    /// An SLO as service/name, one of its budgets as service/name{group}#objective, a service, whose SLOs are listed, or a diagnostic code such as E1042.
    subject: String,

    /// At which moment, such as 2026-11-25T03:10:00Z; without it: now.
    #[arg(long, value_name = "TIME")]
    at: Option<String>,

    /// As it was known at that moment: without exclusions that were recorded since.
    #[arg(long, requires = "at")]
    as_known_then: bool,

    /// What its alert rows see of a steady burn: when, what is spent by then, and which burns no row sees.
    #[arg(long, conflicts_with = "at")]
    coverage: bool,

    #[command(flatten)]
    server: ServerArgs,
    #[command(flatten)]
    output: OutputArgs,
}

/// Runs the command.
pub(super) async fn run(args: ExplainArgs) -> anyhow::Result<ExitCode> {
    if let Some(text) = check::explain_code(&args.subject) {
        print::text(text)?;
        return Ok(ExitCode::SUCCESS);
    }
    if !args.subject.contains('/') {
        return list_service(&args).await;
    }
    let identity = Identity::parse(args.subject.strip_prefix("slo/").unwrap_or(&args.subject))?;
    let figures = args.as_known_then.then(|| ("figures", "as-known-then".to_owned()));
    let moment = args.at.iter().map(|at| ("at", at.clone())).chain(figures);
    // Of a moment of the past no series is known any more.
    let named = args.at.is_none().then(|| ("series", "named".to_owned()));
    let query: Vec<(&str, String)> = moment.chain(named).collect();
    let server = args.server.of_tenant(identity.tenant.as_deref());
    if args.coverage {
        return show_coverage(&server, &identity, args.output).await;
    }
    let path = ["slos", &identity.service, &identity.name, "explain"];
    let mut explanation: SloExplanation = Client::new(&server)?.get(&path, &query).await?;
    explanation.budgets.retain(|budget| identity.means(&budget.figures));
    if explanation.budgets.is_empty() && !identity.means_all() {
        bail!("{}/{} runs, but has no such budget as `{}`; `burnward status` lists all", identity.service, identity.name, args.subject);
    }
    args.output.print(&explanation, text)?;
    Ok(ExitCode::SUCCESS)
}

/// Lists the SLOs of a service: which of them is meant can be asked then.
async fn list_service(args: &ExplainArgs) -> anyhow::Result<ExitCode> {
    let (tenant, service) = args.subject.split_once(':').map_or((None, args.subject.as_str()), |(tenant, service)| (Some(tenant), service));
    if ServiceName::parse(service).is_err() {
        bail!(
            "`{}` is neither a diagnostic code, nor an SLO as service/name, nor a service; `burnward status` lists the SLOs",
            args.subject
        );
    }
    let at: Vec<(&str, String)> = args.at.iter().map(|at| ("at", at.clone())).collect();
    let asked = Client::new(&args.server.of_tenant(tenant))?.get(&["status"], &at).await;
    let mut status: Status =
        asked.with_context(|| format!("`{}` is no diagnostic code, and whether it is a service the daemon knows", args.subject))?;
    let services: BTreeSet<String> = status.budgets.iter().map(|budget| budget.service.clone()).collect();
    status.budgets.retain(|budget| budget.service == service);
    if status.budgets.is_empty() {
        let services: Vec<String> = services.into_iter().collect();
        let runs = if services.is_empty() { "no SLO runs".to_owned() } else { format!("services are {}", words::list(&services, 10)) };
        bail!("`{}` is neither a diagnostic code, nor an SLO as service/name, nor a service; {runs}", args.subject);
    }
    args.output.print(&status.budgets, |budgets| slos_of(service, budgets))?;
    Ok(ExitCode::SUCCESS)
}

/// The SLOs of a service, each with the worst state of its budgets, which stand worst first.
fn slos_of(service: &str, budgets: &[Budget]) -> String {
    let mut seen = BTreeSet::new();
    let worst: Vec<&Budget> = budgets.iter().filter(|budget| seen.insert(&budget.slo)).collect();
    let mut table = Table::titled_by_two(&["STATE", "SLO", "BUDGETS", "TITLE"]);
    for budget in &worst {
        let count = budgets.iter().filter(|other| other.slo == budget.slo).count();
        let (state, name) = (format!("{} {}", budget.icon, budget.state), format!("{service}/{}", budget.slo));
        table.row(vec![state, name, count.to_string(), budget.title.clone()]);
    }
    let first = worst.first().map_or("", |budget| &budget.slo);
    format!("{table}\n`burnward explain {service}/{first}` says why it stands as it does\n")
}

async fn show_coverage(server: &ServerArgs, identity: &Identity, output: OutputArgs) -> anyhow::Result<ExitCode> {
    let path = ["slos", &identity.service, &identity.name, "detection"];
    let detection: SloDetection = Client::new(server)?.get(&path, &[]).await?;
    output.print(&detection, coverage::text)?;
    Ok(ExitCode::SUCCESS)
}

fn text(explanation: &SloExplanation) -> String {
    let slo = &explanation.slo;
    let mut text = format!("{}/{}  {}\n", slo.service, slo.name, slo.title);
    let mut line = |line: String| writeln!(text, "{}", visible_whole(&line)).expect("writing to a String cannot fail");
    line(format!(
        "  at       {}{}",
        local(explanation.at),
        match (explanation.replayed, explanation.figures.as_str()) {
            (false, _) => "",
            (true, "as-known-then") => ", as it was known then, with the samples that came within the settling time",
            (true, _) => ", as corrected by what was recorded since; --as-known-then shows it without",
        }
    ));
    line(format!("  written  {}, version {}", written(explanation), slo.version));
    let told = explanation.definition.iter().flat_map(|definition| definition.lines(local));
    for (label, told) in ["version", "before"].into_iter().zip(told) {
        line(format!("  {label:8} {told}"));
    }
    if let Some(ran) = &explanation.ran_then {
        let since = local(ran.since);
        line(format!(
            "  then     version {} of {} ran, since {since}; figures and rows below are those of version {}, which runs now, from the same ledger: \
             --as-known-then shows those of then",
            ran.version, ran.file, slo.version
        ));
    }
    if let Some(held) = &slo.held {
        line(format!("  held     {}", held.sentence()));
    }
    for policy in &slo.policies {
        line(format!("  policy   {}: {}: {}", policy.key, policy.value, policy.meaning));
    }
    for query in &slo.queries {
        line(format!("  asked    {}{}", query.asked, asked(query)));
        line(format!("  got      {}", got(query)));
    }
    for told in &explanation.told {
        line(told_line(told));
    }
    for sentence in &explanation.kept {
        line(format!("  past     {sentence}"));
    }
    for exclusion in explanation.exclusions.iter().filter(|exclusion| exclusion.withdrawn.is_none()) {
        line(format!("  excludes {} of {}: {} (approved by {})", exclusion.id, exclusion.scope, exclusion.reason, exclusion.approver));
    }
    for budget in &explanation.budgets {
        line(String::new());
        for part in budget_lines(budget) {
            line(part);
        }
    }
    text
}

/// Where the SLO is written, to the column where that is known.
fn written(explanation: &SloExplanation) -> String {
    let of_this_version = explanation.definition.as_ref().filter(|definition| definition.version == explanation.slo.version);
    let place = of_this_version.and_then(|definition| definition.place.as_ref());
    place.map_or_else(|| format!("{}:{}", explanation.slo.file, explanation.slo.line), ToString::to_string)
}

/// When, and over which stretch.
fn asked(query: &Query) -> String {
    let at = query.at.map(|at| format!("at {}, ", local(at))).unwrap_or_default();
    format!("   {at}samples after {}", local(query.from))
}

fn got(query: &Query) -> String {
    match (&query.unknown, query.series, query.took_millis) {
        (Some(why), _, _) => format!("nothing: {} ({})", why.detail, why.reason),
        (None, Some(series), Some(took)) => format!("{series} series in {took} ms, samples up to {}", local(query.to)),
        (None, _, _) => "nothing yet".to_owned(),
    }
}

/// What became of an alert that is open.
fn told_line(told: &Told) -> String {
    format!("  told     the {} since {}: {} ({})", told.called(), local(told.since), told.sentence, told.decided_by)
}

fn member_line(member: &JourneyMember) -> String {
    let blind = member.unknown.as_ref().map_or_else(String::new, |why| format!("; ? CANNOT SEE: {} ({})", why.detail, why.reason));
    format!("  member   {}  {}; {}{blind}", member.slo, member.terms(), member.costs())
}

fn budget_lines(budget: &ExplainedBudget) -> Vec<String> {
    let mut lines = vec![
        format!("{}  {} {}", budget.id, budget.icon, budget.state),
        format!("  budget   {}; allowed {}", budget.budget, budget.allowed),
    ];
    lines.extend(budget.figures.tells_nobody.iter().map(|why| format!("  status   {}", why.sentence(local))));
    lines.push(format!("  seen     {}", budget.seen));
    lines.extend(budget.reach.iter().flat_map(FiguresReach::sentences).map(|sentence| format!("  as of    {sentence}")));
    lines.extend(budget.reading.iter().flat_map(reading_lines));
    lines.extend(budget.excluded.iter().map(|excluded| format!("  excluded {excluded}")));
    lines.extend(budget.excluded_by.iter().map(|taken_out| format!("           {}", taken_out.sentence())));
    lines.extend(budget.figures.members.iter().map(member_line));
    let place = budget.place.as_ref().map_or_else(String::new, |place| format!("; the objective stands at {place}"));
    lines.push(format!("  rows     {}{place}", budget.row_table.from));
    lines.extend(budget.row_table.left_out.iter().map(|left_out| format!("  left out {left_out}")));
    for row in &budget.rows {
        let mark = match (row.holds, &row.held_back) {
            (true, _) => "  HOLDS",
            (false, Some(_)) => "  HELD BACK",
            (false, None) => "",
        };
        lines.push(format!("  rule     {}{mark}   {}", row.rule, row.from()));
        let parts = [&row.long, &row.short, &row.because].into_iter().chain(&row.excluded).chain(&row.first_values);
        lines.extend(parts.filter(|part| !part.is_empty()).map(|part| format!("           {part}")));
    }
    lines.push(format!("  decided  {}", budget.decided));
    lines.extend(budget.told.iter().map(told_line));
    lines.extend(budget.clears.iter().map(|clears| format!("  clears   {clears}")));
    lines.extend(budget.changes.iter().map(|change| format!("  changed  {}  {}", local(change.at), change.why)));
    lines
}

/// Which series are counted, and how new the newest sample is.
fn reading_lines(reading: &Reading) -> Vec<String> {
    let part = |part: &ReadPart| {
        let names = part.names().into_iter().map(|name| format!("             {name}"));
        [format!("  reads    {}", part.counted())].into_iter().chain(names).collect::<Vec<_>>()
    };
    reading.parts.iter().flat_map(part).chain([format!("  newest   {}", reading.freshness(local))]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every instant of the explanation, as it stands there and as a person reads it here.
    fn instants(value: &serde_json::Value, found: &mut Vec<(String, String)>) {
        match value {
            serde_json::Value::String(text) => found.extend(text.parse().map(|at: jiff::Timestamp| (text.clone(), local(at)))),
            serde_json::Value::Array(values) => values.iter().for_each(|value| instants(value, found)),
            serde_json::Value::Object(fields) => fields.values().for_each(|value| instants(value, found)),
            serde_json::Value::Null | serde_json::Value::Bool(_) | serde_json::Value::Number(_) => {}
        }
    }

    #[test]
    fn an_explanation_reads_well() {
        let json: serde_json::Value = serde_json::from_str(include_str!("snapshots/explanation.json")).expect("JSON");
        let explanation = serde_json::from_value(json.clone()).expect("an explanation");
        let mut found = Vec::new();
        instants(&json, &mut found);
        let shown = found.into_iter().fold(text(&explanation), |text, (written, local)| text.replace(&local, &written));
        insta::assert_snapshot!(shown);
    }
}
