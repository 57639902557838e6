//! A backtest as a table, as JSON and as Markdown.

use std::{collections::BTreeMap, fmt::Write as _, time::Duration};

use burnward_core::{
    evaluate::BudgetStatus,
    id::SloId,
    incident::{AlertKey, Facts, Kind},
    slo::Urgency,
    status::Status,
    window::Interval,
    words,
};

use crate::{
    cli::table::Table,
    definition::marked::Marked,
    replay::{Alarm, Backtest, Found, Lived, Score, Seen, kept::Filled},
    report::words::utc,
};

/// One tenant's backtest, ready to be shown.
pub(super) struct Tested {
    tenant: String,
    history: History,
    slos: usize,
    /// Those of which nobody is told now, with the word of why.
    quiet: BTreeMap<SloId, &'static str>,
    runs: Vec<Run>,
    marked: Option<Vec<Marked>>,
    elsewhere: Elsewhere,
}

/// Marked incidents that could not be found here, and so are not missed.
#[derive(Default)]
struct Elsewhere {
    /// Those of another time.
    time: usize,
    /// Those of SLOs that were not lived through.
    slos: usize,
}

/// What was lived through.
pub(super) struct History {
    /// Where from.
    pub(super) place: String,
    pub(super) seen: Seen,
    /// What of it cannot be looked at.
    pub(super) sentences: Vec<String>,
    /// What of a ledger was filled in from history.
    pub(super) filled: Vec<Filled>,
    /// SLOs that it cannot show, and why.
    pub(super) left_out: Vec<(SloId, &'static str)>,
    /// How often it was read.
    pub(super) tick: Duration,
}

/// One way of the SLOs.
struct Run {
    /// What is changed in it; empty: nothing.
    change: String,
    alarms: Vec<Alarm>,
    budgets: Vec<BudgetStatus>,
    score: Score,
}

impl Tested {
    pub(super) fn of(backtest: &Backtest, lived: Vec<Lived>, marked: Option<&[Marked]>, late_after: Duration, history: History) -> Self {
        let in_span = |marked: &&Marked| marked.when.to > backtest.span.from && marked.when.from < backtest.span.to;
        let is_lived = |marked: &&Marked| backtest.slos.iter().any(|entrant| marked.may_be_of(&entrant.slo.id));
        let elsewhere = marked.map_or_else(Elsewhere::default, |marked| {
            let (here, other): (Vec<&Marked>, Vec<&Marked>) = marked.iter().partition(in_span);
            Elsewhere { time: other.len(), slos: here.len() - here.iter().filter(|marked| is_lived(marked)).count() }
        });
        let marked: Option<Vec<Marked>> =
            marked.map(|marked| marked.iter().filter(|marked| in_span(marked) && is_lived(marked)).cloned().collect());
        let run = |Lived { change, alarms, budgets }: Lived| Run {
            score: Score::of(&alarms, marked.as_deref().unwrap_or_default(), late_after),
            change: change.map_or_else(String::new, crate::replay::Change::words),
            alarms,
            budgets,
        };
        Self {
            tenant: backtest.tenant.to_string(),
            history,
            slos: backtest.slos.len(),
            quiet: backtest.slos.iter().filter_map(|entrant| Some((entrant.slo.id.clone(), quiet(&entrant.slo.status)?))).collect(),
            runs: lived.into_iter().map(run).collect(),
            marked,
            elsewhere,
        }
    }

    /// What became of the marked incidents, a line each; empty where nobody asked.
    fn scored(&self, run: &Run) -> String {
        let Some(marked) = &self.marked else { return String::new() };
        let more = |count: usize, of: &str| match count {
            0 => String::new(),
            count => format!("{} {of}, and not counted here.\n", words::plural(count, "more marked incident")),
        };
        run.score.text(marked)
            + &more(self.elsewhere.time, "of another time")
            + &more(self.elsewhere.slos, "of SLOs that were not lived through")
    }

    /// Why nobody is told of an alert now.
    fn status_of(&self, alarm: &Alarm) -> Option<&'static str> {
        self.quiet.get(alarm.slo()?).copied()
    }

    /// How often people would have been called, and how often of that by what calls nobody now.
    fn sentence(&self, run: &Run) -> String {
        let calls = |urgency| run.calls(urgency).filter(|alarm| self.status_of(alarm).is_some()).count();
        let (pages, tickets) = (calls(Urgency::Page), calls(Urgency::Ticket));
        if pages + tickets == 0 {
            return format!("{}.", run.sentence());
        }
        format!(
            "{}; of these {} and {} of SLOs that are in shadow or suspended.",
            run.sentence(),
            words::plural(pages, "page"),
            words::plural(tickets, "ticket")
        )
    }

    fn first(&self) -> Option<&Run> {
        self.runs.first()
    }

    fn title(&self) -> String {
        let span @ Interval { from, to } = self.history.seen.span;
        format!(
            "{}: {} over {} from {} to {}, read every {}",
            self.tenant,
            words::plural(self.slos, "SLO"),
            words::duration(span.length()),
            utc(from),
            utc(to),
            words::duration(self.history.tick)
        )
    }

    pub(super) fn as_table(&self) -> String {
        let mut text = format!("{}\n", self.title());
        for sentence in &self.history.sentences {
            let _ = writeln!(text, "{sentence}");
        }
        text.push('\n');
        let Some(run) = self.first() else { return text };
        if run.alarms.is_empty() {
            text += "Nobody would have been told anything.\n";
        } else {
            let mut table = Table::titled_by_two(&HEADINGS.map(str::to_uppercase).each_ref().map(String::as_str));
            for (alarm, of) in run.alarms.iter().zip(&run.score.of) {
                table.row(self.cells(alarm, *of).into());
            }
            text += &table.to_string();
        }
        let _ = writeln!(text, "\n{}", self.sentence(run));
        text += &self.scored(run);
        if self.runs.len() > 1 {
            let mut table = Table::new(&WHAT_IF.map(str::to_uppercase).each_ref().map(String::as_str));
            for run in &self.runs {
                table.row(run.side_by_side(self.marked.is_some()).into());
            }
            let _ = write!(text, "\n{table}");
        }
        text
    }

    pub(super) fn as_markdown(&self) -> String {
        let mut text = format!("### Backtest of {}\n\n", escaped(&self.title()));
        for sentence in &self.history.sentences {
            let _ = writeln!(text, "{}\n", escaped(sentence));
        }
        let Some(run) = self.first() else { return text };
        let _ = writeln!(text, "{}\n", self.sentence(run));
        if !run.alarms.is_empty() {
            let rows = run.alarms.iter().zip(&run.score.of).map(|(alarm, of)| self.cells(alarm, *of).to_vec());
            text += &markdown(&HEADINGS, rows);
        }
        for line in self.scored(run).lines() {
            let _ = writeln!(text, "- {}", escaped(line.trim_start()));
        }
        if self.marked.is_some() {
            text.push('\n');
        }
        if self.runs.len() > 1 {
            text += &markdown(&WHAT_IF, self.runs.iter().map(|run| run.side_by_side(self.marked.is_some()).to_vec()));
        }
        text
    }

    fn cells(&self, alarm: &Alarm, of: Option<usize>) -> [String; 10] {
        let marked = of.and_then(|place| self.marked.as_ref()?.get(place)).map_or("-", |marked| marked.name.as_str());
        let began = alarm.began();
        [
            utc(alarm.at),
            self.status_of(alarm).map_or_else(|| alarm.told(), |status| format!("{}, {status}", alarm.told())),
            alarm.alert.to_string(),
            alarm.row().unwrap_or_else(|| "-".to_owned()),
            words::duration(alarm.at.since(began)),
            alarm.spent().map_or_else(|| "-".to_owned(), words::whole_percent),
            alarm.coverage().map_or_else(|| "-".to_owned(), words::whole_percent),
            alarm.cleared.map_or_else(|| "to the end".to_owned(), |at| words::duration(at.since(alarm.at))),
            alarm.incident.to_string(),
            marked.to_owned(),
        ]
    }
}

const HEADINGS: [&str; 10] = ["when", "what", "of", "row", "after", "spent", "seen", "lasted", "incident", "marked"];
const WHAT_IF: [&str; 10] = ["what if", "pages", "tickets", "found", "late", "missed", "false", "median after", "least left", "seen"];

impl Run {
    fn of_kind(&self, urgency: Urgency, kind: Kind) -> impl Iterator<Item = &Alarm> {
        self.alarms.iter().filter(move |alarm| alarm.fault.urgency == urgency && alarm.fault.kind == kind)
    }

    /// The alerts of burning budgets that would have called people.
    fn calls(&self, urgency: Urgency) -> impl Iterator<Item = &Alarm> {
        self.of_kind(urgency, Kind::Burn).filter(|alarm| alarm.calls_people())
    }

    /// How often people would have been called.
    fn sentence(&self) -> String {
        let (pages, tickets) = (self.calls(Urgency::Page).count(), self.calls(Urgency::Ticket).count());
        let (silent, blind): (Vec<_>, Vec<_>) =
            self.alarms.iter().filter(|alarm| alarm.fault.kind == Kind::CannotSee).partition(|alarm| alarm.is_silence());
        let of = |alarms: Vec<&Alarm>, what: &str| match alarms.len() {
            0 => String::new(),
            count => format!("; {} that {what}", words::plural(count, "message")),
        };
        let unseen = of(blind, "something cannot be seen") + &of(silent, "there is no traffic");
        format!("{} and {}{unseen}", words::plural(pages, "page"), words::plural(tickets, "ticket"))
    }

    /// A line of the table of changes; what became of incidents only where they are compared with any.
    fn side_by_side(&self, compared: bool) -> [String; 10] {
        let (found, late, missed) = self.score.counts();
        let of_incidents = |count: usize| if compared { count.to_string() } else { "-".to_owned() };
        let of_budget = |status: &BudgetStatus| Some((status.left?.ratio, status.coverage));
        let least = self.budgets.iter().filter_map(of_budget).min_by(|one, other| one.0.total_cmp(&other.0));
        let tickets = self.calls(Urgency::Ticket).count();
        [
            if self.change.is_empty() { "as it is".to_owned() } else { self.change.clone() },
            self.score.pages.to_string(),
            tickets.to_string(),
            of_incidents(found),
            of_incidents(late),
            of_incidents(missed),
            of_incidents(self.score.pages - self.score.right),
            self.median_after().map_or_else(|| "-".to_owned(), words::duration),
            least.map_or_else(|| "-".to_owned(), |(left, _)| words::whole_percent(left)),
            least.map_or_else(|| "-".to_owned(), |(_, seen)| words::whole_percent(seen)),
        ]
    }

    /// The middle of the times from the beginning of a burn to its page: of an even number the longer one of the two there.
    fn median_after(&self) -> Option<Duration> {
        let mut after: Vec<Duration> = self.of_kind(Urgency::Page, Kind::Burn).map(|alarm| alarm.at.since(alarm.began())).collect();
        after.sort_unstable();
        after.get(after.len() / 2).copied()
    }
}

/// All of it for programs.
pub(super) fn as_json(tested: &[Tested]) -> String {
    let of_tenant = |tested: &Tested| {
        let History { place, seen, sentences: _, filled, left_out, tick } = &tested.history;
        let younger = seen.younger.iter().map(|(slo, from)| serde_json::json!({ "slo": name(slo), "from": utc(*from) }));
        let filled = filled.iter().map(|filled| {
            let slos = filled.slos.iter().map(name).collect::<Vec<_>>();
            serde_json::json!({ "from": utc(filled.over.from), "to": utc(filled.over.to), "slice_seconds": filled.slice.as_secs(), "slos": slos })
        });
        serde_json::json!({
            "tenant": tested.tenant,
            "history": place,
            "asked_from": utc(seen.asked.from),
            "from": utc(seen.span.from),
            "to": utc(seen.span.to),
            "tick_seconds": tick.as_secs_f64(),
            "slos": tested.slos,
            "younger_slos": younger.collect::<Vec<_>>(),
            "slos_without_samples": seen.never.iter().map(name).collect::<Vec<_>>(),
            "slos_left_out": left_out.iter().map(|(slo, why)| serde_json::json!({ "slo": name(slo), "why": why })).collect::<Vec<_>>(),
            "filled_in": filled.collect::<Vec<_>>(),
            "runs": tested.runs.iter().map(|run| run_as_json(run, tested)).collect::<Vec<_>>(),
        })
    };
    let all = serde_json::json!({ "schema": "burnward/v1/backtest", "tenants": tested.iter().map(of_tenant).collect::<Vec<_>>() });
    format!("{all:#}\n")
}

fn run_as_json(run: &Run, tested: &Tested) -> serde_json::Value {
    let marked = tested.marked.as_deref().unwrap_or_default();
    let alarm =
        |(alarm, of): (&Alarm, &Option<usize>)| alarm_as_json(alarm, tested.status_of(alarm), of.and_then(|place| marked.get(place)));
    let score = tested.marked.as_ref().map(|marked| {
        let (found, late, missed) = run.score.counts();
        let became = |(marked, found): (&Marked, &Found)| {
            let (word, after) = (found.word(), found.after().map(|after| after.as_secs_f64()));
            serde_json::json!({ "name": marked.name, "from": utc(marked.when.from), "to": utc(marked.when.to), "became": word, "after_seconds": after })
        };
        serde_json::json!({
            "incidents": marked.iter().zip(&run.score.found).map(became).collect::<Vec<_>>(),
            "found": found,
            "late": late,
            "missed": missed,
            "incidents_of_another_time": tested.elsewhere.time,
            "incidents_of_other_slos": tested.elsewhere.slos,
            "false_pages": run.score.pages - run.score.right,
            "precision_ratio": run.score.precision(),
            "recall_ratio": run.score.recall(),
        })
    });
    let budget = |status: &BudgetStatus| {
        let left = status.left.map(|left| left.ratio);
        serde_json::json!({ "budget": status.budget.to_string(), "left_ratio": left, "coverage_ratio": status.coverage })
    };
    serde_json::json!({
        "what_if": Some(&run.change).filter(|change| !change.is_empty()),
        "pages": run.score.pages,
        "alerts": run.alarms.iter().zip(&run.score.of).map(alarm).collect::<Vec<_>>(),
        "budgets": run.budgets.iter().map(budget).collect::<Vec<_>>(),
        "score": score,
    })
}

fn alarm_as_json(alarm: &Alarm, status: Option<&str>, marked: Option<&Marked>) -> serde_json::Value {
    let group: BTreeMap<&str, &str> = match &alarm.alert {
        AlertKey::Budget(budget) => budget.group.labels().iter().map(|(label, value)| (label.as_str(), value.as_str())).collect(),
        AlertKey::Slo(_) | AlertKey::Source(_) | AlertKey::Test => BTreeMap::new(),
    };
    let burn_rate = match &alarm.facts {
        Facts::Burn(burn) => Some(burn.fired.row.factor.as_f64()),
        Facts::Blind(_) | Facts::Test(_) => None,
    };
    serde_json::json!({
        "at": utc(alarm.at),
        "what": alarm.told(),
        "alert": alarm.alert.to_string(),
        "slo": alarm.slo().map(name),
        "status": status.unwrap_or("active"),
        "group": group,
        "burn_rate": burn_rate,
        "row": alarm.row(),
        "began": utc(alarm.began()),
        "detected_after_seconds": alarm.at.since(alarm.began()).as_secs_f64(),
        "budget_spent_ratio": alarm.spent(),
        "coverage_ratio": alarm.coverage(),
        "cleared": alarm.cleared.map(utc),
        "incident": alarm.incident.to_string(),
        "calls_people": alarm.calls_people(),
        "marked": marked.map(|marked| marked.name.as_str()),
    })
}

/// The word of a status in which nobody is told.
fn quiet(status: &Status) -> Option<&'static str> {
    match status {
        Status::Active => None,
        Status::Shadow => Some("shadow"),
        Status::Suspended(_) => Some("suspended"),
    }
}

fn name(slo: &SloId) -> String {
    format!("{}/{}", slo.service, slo.name)
}

fn markdown<const N: usize>(headings: &[&str; N], rows: impl Iterator<Item = Vec<String>>) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.iter().map(|cell| escaped(cell)).collect::<Vec<_>>().join(" | "));
    let headings = headings.map(ToOwned::to_owned);
    let rule = format!("|{}\n", "---|".repeat(N));
    rows.fold(line(&headings) + &rule, |text, row| text + &line(&row)) + "\n"
}

/// A text that means nothing else in a table of Markdown.
fn escaped(text: &str) -> String {
    text.chars().fold(String::new(), |mut out, c| {
        if matches!(c, '|' | '\\' | '`' | '*' | '_' | '<' | '>' | '[' | ']' | '#') {
            out.push('\\');
        }
        out.push(c);
        out
    })
}
