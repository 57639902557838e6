//! `burnward report week`: what the last week did to every budget, worst first.

use std::{fmt::Write as _, process::ExitCode, time::Duration};

use burnward_core::{budget::BudgetLeft, report::Times, words};

use super::{
    client::{Client, ServerArgs},
    print,
    table::{Table, group},
};
use crate::{
    report::words as told,
    web::api::wire::{ReportedBudget, ReportedTeam, ReportedTimes, WeekReport},
};

/// Arguments of `report`.
#[derive(Debug, clap::Args)]
pub(super) struct ReportArgs {
    #[command(subcommand)]
    report: Report,
}

#[derive(Debug, clap::Subcommand)]
enum Report {
    /// The error budgets of a week: what is left, what ate it, what it cost people; worst first.
    Week(WeekArgs),
}

#[derive(Debug, clap::Args)]
struct WeekArgs {
    /// Only the SLOs of this team.
    #[arg(long, value_name = "NAME")]
    team: Option<String>,

    /// Which week, such as 2026-W47; without it the last one that is over.
    #[arg(long, value_name = "WEEK", conflicts_with = "until")]
    week: Option<String>,

    /// The seven days before this day, such as 2026-11-19.
    #[arg(long, value_name = "DAY")]
    until: Option<String>,

    /// The time zone in which the week begins and ends; without it that of the report that burnward.yaml sends, else UTC.
    #[arg(long, value_name = "ZONE")]
    timezone: Option<String>,

    /// As it was known at the end of the week: without what was corrected since, by the definitions that ran then.
    #[arg(long)]
    as_known_then: bool,

    /// How the report is written.
    #[arg(short, long, value_enum, default_value_t = Form::Table)]
    output: Form,

    #[command(flatten)]
    server: ServerArgs,
}

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Form {
    /// For people.
    #[value(alias = "text")]
    Table,
    /// The API's own JSON.
    Json,
    /// A document in Markdown.
    Md,
    /// One line per budget, for a spreadsheet.
    Csv,
}

/// Runs the command.
pub(super) async fn run(args: ReportArgs) -> anyhow::Result<ExitCode> {
    let Report::Week(args) = args.report;
    let client = Client::new(&args.server)?;
    let given = [("team", &args.team), ("week", &args.week), ("until", &args.until), ("timezone", &args.timezone)];
    let figures = args.as_known_then.then(|| ("figures", "as-known-then".to_owned()));
    let query: Vec<(&str, String)> = given.into_iter().filter_map(|(name, value)| Some((name, value.clone()?))).chain(figures).collect();
    match args.output {
        Form::Table => print::text(text(&client.get(&["reports", "week"], &query).await?))?,
        Form::Json => {
            let report: WeekReport = client.get(&["reports", "week"], &query).await?;
            print::line(serde_json::to_string_pretty(&report)?)?;
        }
        Form::Md => print::text(client.text(&["reports", "week.md"], &query).await?)?,
        Form::Csv => print::text(client.text(&["reports", "week.csv"], &query).await?)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn text(report: &WeekReport) -> String {
    let mut text = format!("Error budgets of {}\n{}\n", report.whose, report.title);
    if !report.whole {
        text.push_str("The week is not over.\n");
    }
    if let Some(note) = &report.note {
        writeln!(text, "{note}").expect("writing to a String cannot fail");
    }
    let verdicts = told::count_verdicts(report.budgets.iter().map(|budget| budget.verdict.as_str()));
    writeln!(text, "{}\n", told::verdicts(verdicts)).expect("writing to a String cannot fail");
    text.push_str(&budgets(report));
    text.push_str(&burns(report));
    text.push_str(&journeys(report));
    text.push_str(&corrected(report));
    text.push_str(&blind(report));
    text.push_str(&false_positives(report));
    text.push_str(&people(report));
    text
}

fn budgets(report: &WeekReport) -> String {
    if report.budgets.is_empty() {
        return "no SLOs run; `burnward check slo-definitions` says whether there are any\n".to_owned();
    }
    let mut table =
        Table::titled_by_two(&["VERDICT", "SLO", "TARGET", "BUDGET LEFT", "CHANGE", "WEEK SPENT", "BY", "SEEN", "TEAM", "BECAUSE"]);
    for budget in &report.budgets {
        table.row(row(budget));
    }
    table.to_string()
}

/// `checkout/availability{acme}`.
fn name(budget: &ReportedBudget) -> String {
    let silent = budget.tells_nobody.as_ref().map_or_else(String::new, |silent| format!(" {silent}"));
    format!("{}/{}{}{silent}", budget.service, budget.slo, group(&budget.group))
}

/// `99.9 % 30d`.
fn target(budget: &ReportedBudget) -> String {
    budget.promise(&format!("{} % {}", budget.target_percent, budget.window))
}

fn row(budget: &ReportedBudget) -> Vec<String> {
    let outside =
        budget.spent_ratio.filter(|_| budget.failed_in_week > 0.0).map(|spent| spent * budget.unattributed / budget.failed_in_week);
    vec![
        format!("{} {}", budget.icon, budget.verdict),
        name(budget),
        target(budget),
        left(budget).or_else(|| budget.no_left.clone()).unwrap_or_default(),
        match (budget.change_ratio, budget.change_seconds) {
            (Some(ratio), Some(seconds)) => told::change(ratio, seconds),
            (_, _) => budget.no_change.clone().unwrap_or_default(),
        },
        told::spent(budget.spent_ratio, budget.no_spent.as_deref()),
        told::ate(budget.burns.iter().map(|burn| (burn.incident.as_str(), burn.spent_ratio)), outside, budget.no_spent.as_deref()),
        told::seen(budget.seen_ratio, budget.coverage_ratio, budget.left_between().as_deref()),
        budget.team.clone(),
        budget.because.clone(),
    ]
}

fn left(budget: &ReportedBudget) -> Option<String> {
    let left = BudgetLeft { ratio: budget.left_ratio?, seconds: budget.left_seconds?, whole: Duration::from_secs(budget.budget_seconds?) };
    Some(words::budget_left(&left))
}

fn burns(report: &WeekReport) -> String {
    if report.burns.is_empty() {
        return String::new();
    }
    let mut table = Table::titled_by_two(&["BIGGEST BURNS", "OF", "FAILED", "OF THE BUDGET"]);
    for burn in &report.burns {
        let incident = burn.incident.as_deref().unwrap_or("outside of incidents");
        table.row(vec![incident.to_owned(), burn.subject.clone(), burn.failed_words.clone(), told::share(burn.spent_ratio)]);
    }
    format!("\n{table}")
}

fn journeys(report: &WeekReport) -> String {
    let members = || report.budgets.iter().flat_map(|budget| budget.members.iter().map(move |member| (budget, member)));
    if members().next().is_none() {
        return String::new();
    }
    let mut table = Table::new(&["JOURNEY", "TARGET", "MEMBER", "COST IT IN THE WEEK", "NOT SEEN"]);
    for (budget, member) in members() {
        table.row(vec![name(budget), target(budget), member.slo.clone(), member.costs(), member.unseen()]);
    }
    format!("\n{table}")
}

fn corrected(report: &WeekReport) -> String {
    let corrected = || report.budgets.iter().filter_map(|budget| Some((budget, budget.corrected.as_ref()?)));
    if corrected().next().is_none() {
        return String::new();
    }
    let mut table = Table::new(&["CORRECTED", "TARGET", "EXCLUDED", "CAME LATE IN THE WEEK"]);
    for (budget, told) in corrected() {
        let or_none = |words: &str| if words.is_empty() { "nothing".to_owned() } else { words.to_owned() };
        table.row(vec![name(budget), target(budget), or_none(&told.excluded_words), or_none(&told.late_words)]);
    }
    format!("\n{table}")
}

fn blind(report: &WeekReport) -> String {
    if report.blind.is_empty() {
        return String::new();
    }
    let mut table = Table::new(&["COULD NOT SEE", "SINCE", "UNTIL", "HID", "INCIDENT"]);
    for stretch in &report.blind {
        let until = stretch.to.map_or_else(|| "still cannot".to_owned(), super::table::local);
        let hid = format!("{}: {}", words::plural(stretch.hid.len(), "SLO"), words::list(&stretch.hid, 3));
        table.row(vec![stretch.subject.clone(), super::table::local(stretch.from), until, hid, stretch.incident.clone()]);
    }
    format!("\n{table}")
}

fn false_positives(report: &WeekReport) -> String {
    if report.false_positives.is_empty() {
        return String::new();
    }
    let mut table = Table::new(&["FALSE POSITIVE", "REASON", "BY", "APPROVED BY", "GIVEN BACK BY"]);
    for marked in &report.false_positives {
        let given_back = words::list(&marked.exclusions, 3);
        table.row(vec![marked.incident.clone(), marked.reason_told(), marked.author.clone(), marked.approver.clone(), given_back]);
    }
    format!("\n{table}")
}

fn people(report: &WeekReport) -> String {
    if report.teams.is_empty() {
        return String::new();
    }
    let mut table = Table::new(&["TEAM", "PAGES", "PER PERSON", "INCIDENTS", "TICKETS", "OPEN", "ACKNOWLEDGED IN", "OVER IN"]);
    for team in &report.teams {
        table.row(team_row(team));
    }
    format!("\n{table}")
}

fn team_row(team: &ReportedTeam) -> Vec<String> {
    let person = |person: &crate::web::api::wire::ReportedPerson| {
        let night = if person.at_night > 0 { format!(" ({} at night)", person.at_night) } else { String::new() };
        format!("{} {}{night}", person.person, person.pages)
    };
    let people: Vec<String> = team.people.iter().map(person).collect();
    let never = if team.not_acknowledged > 0 { format!("; {} never", team.not_acknowledged) } else { String::new() };
    vec![
        team.team.clone(),
        team.pages.to_string(),
        if people.is_empty() { "-".to_owned() } else { people.join(", ") },
        team.incidents.to_string(),
        team.tickets.to_string(),
        told::open(team.open, team.goes_on),
        format!("{}{never}", times(team.to_acknowledge)),
        times(team.to_resolve),
    ]
}

fn times(times: Option<ReportedTimes>) -> String {
    let span = |seconds: f64| Duration::try_from_secs_f64(seconds).unwrap_or_default();
    times.map_or_else(
        || "-".to_owned(),
        |times| told::times(Times { median: span(times.median_seconds), longest: span(times.longest_seconds), count: times.count }),
    )
}
