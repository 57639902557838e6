//! The SLOs that rules stand for, put together from their alerts and from what else is recorded of them.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    time::Duration,
};

use burnward_core::{
    alert_rows::default_rows,
    slo::{AlertRow, Urgency},
    time::days,
    units::{Factor, Target},
    window::CALENDAR_PACE,
};
use promql_parser::parser::Expr;

use super::{
    CALENDAR, Covered, Rule, Rules, SHADOW,
    alert::{self, Alternative, Comparison},
};
use crate::{
    definition::{
        build::{list, map, word},
        codes, duration,
        promql::bare,
        reader::{Reader, shortened},
        yaml::Node,
    },
    import::{
        Converted, Kept, Settings, TEAMS, expression,
        expression::Side,
        factor,
        indicator::{self, Indicator, Query},
        rows::{self, Rows, urgency_of},
        tree::{name, name_by, tell},
    },
};

/// By which an SLO is told from others.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    /// By labels: service and name.
    Labels(String, String),
    /// By what is counted, as text.
    Counted(String),
}

/// An SLO as far as it is found.
#[derive(Debug, Clone)]
struct Slo {
    service: String,
    service_by: ServiceBy,
    name: String,
    team: Option<String>,
    place: Range<usize>,
    side: Side,
    share: Query,
    objectives: BTreeMap<String, Objective>,
    no_data: Option<(Range<usize>, String, Urgency)>,
    /// Where it is said that it is in shadow.
    shadow: Option<Range<usize>>,
}

/// What names a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ServiceBy {
    Label,
    /// The group of the rules, where no label does.
    Group,
}

/// One of its objectives.
#[derive(Debug, Clone)]
struct Objective {
    place: Range<usize>,
    budget: f64,
    window: Option<Duration>,
    /// The window of the calendar that is recorded, and its time zone.
    calendar: Option<[String; 2]>,
    rows: Vec<AlertRow>,
    /// An alert without a burn rate, whose threshold is taken for the budget; how loudly it speaks, and the word for that.
    plain: Option<(Urgency, Option<String>)>,
    /// Whether a label says what it is called.
    named: bool,
}

/// What an objective without any alert has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum WithoutRows {
    /// No rows: nobody is told.
    None,
    /// The default rows, of an SLO in shadow, since no alerts are written of it.
    Default,
}

/// All of them, in the order of their keys.
#[derive(Debug, Default)]
pub(super) struct Slos(BTreeMap<Key, Slo>);

impl Slos {
    pub(super) fn of(reader: &mut Reader, rules: &mut Rules) -> Self {
        let mut slos = Self::default();
        slos.recorded(rules);
        for at in 0..rules.all.len() {
            slos.alert(reader, at, rules);
        }
        slos.rest(rules);
        slos
    }

    /// What tools record of each SLO, whether it has alerts or not: its target.
    fn recorded(&mut self, rules: &mut Rules) {
        for at in 0..rules.all.len() {
            let rule = &rules.all[at];
            let target = matches!(rule.record.as_deref(), Some("slo:objective:ratio" | "burnward:target:ratio"));
            let Some(((key, service_by), target)) = labelled(rule).zip(rule.expr.as_ref().and_then(factor::number)).filter(|_| target)
            else {
                continue;
            };
            let Some((ratio, share)) = shortest_ratio(rules, &key) else { continue };
            let (rule, place) = (rule.clone(), rule.place.clone());
            let slo = self.entry((key, service_by), &rule, Side::Bad, share, ratio, rules);
            slo.objective(&rule, &place, 1.0 - target);
        }
    }

    fn entry(&mut self, (key, by): (Key, ServiceBy), rule: &Rule, side: Side, share: Expr, from: usize, rules: &mut Rules) -> &mut Slo {
        rules.used.insert(from);
        let of_ratio = &rules.all[from];
        let named = |keys: &[&str]| keys.iter().find_map(|key| rule.labels.get(*key)).cloned();
        let (service, service_by, name) = match &key {
            Key::Labels(service, name) => (service.clone(), by, name.clone()),
            Key::Counted(_) => {
                let (name, service) = (rule.alert.clone().unwrap_or_default(), named(&["service", "job", "app"]));
                let service_by = if service.is_some() { ServiceBy::Label } else { ServiceBy::Group };
                (service.unwrap_or_else(|| rule.group.clone()), service_by, name)
            }
        };
        self.0.entry(key).or_insert_with(|| Slo {
            service,
            service_by,
            name,
            team: TEAMS.iter().find_map(|key| rule.labels.get(*key)).cloned(),
            place: rule.place.clone(),
            side,
            share: Query { expr: share, place: of_ratio.expr_place.clone() },
            objectives: BTreeMap::new(),
            no_data: None,
            shadow: (rule.labels.get(SHADOW).map(String::as_str) == Some("shadow")).then(|| rule.place.clone()),
        })
    }

    fn alert(&mut self, reader: &mut Reader, at: usize, rules: &mut Rules) {
        let rule = rules.all[at].clone();
        let (Some(_), Some(expr)) = (&rule.alert, &rule.expr) else { return };
        if self.absence(&rule, expr) {
            rules.used.insert(at);
            return;
        }
        let mut left = Vec::new();
        let severity = rule.labels.get("sloth_severity").or_else(|| rule.labels.get("severity"));
        let urgency = severity.map_or(Urgency::Ticket, |word| urgency_of(word));
        for Alternative { expr, condition } in alert::alternatives(expr, rules) {
            let Some(condition) = condition else {
                left.push(expr);
                continue;
            };
            let Some(first) = condition.first() else { continue };
            let from = first.through.last().copied().unwrap_or(at);
            let by_labels = labelled(&rule).or_else(|| labelled(&rules.all[from]));
            let (key, service_by) = by_labels.unwrap_or_else(|| (Key::Counted(counted(first)), ServiceBy::Group));
            if let Some((one, other)) = different(&condition) {
                tell_of_thresholds(reader, &rule, one, other);
                rules.used.insert(at);
                continue;
            }
            let Some(found) = burn(&condition, &rule) else {
                left.push(expr);
                continue;
            };
            let row = match found {
                Burn::Row { budget, factor, long, short } => Some((budget, AlertRow { urgency, factor, long, short })),
                Burn::Plain { .. } => None,
            };
            let burns = |slo: &&Slo| slo.objectives.values().any(|objective| objective.plain.is_none());
            if let Some(slo) = self.0.get(&key).filter(|slo| matches!(found, Burn::Plain { .. }) && burns(slo)) {
                rules.covered.insert(at, Covered { name: slo.name.clone(), place: slo.place.clone() });
                continue;
            }
            rules.used.insert(at);
            rules.used.extend(condition.iter().flat_map(|comparison| comparison.through.iter().copied()));
            let slo = self.entry((key, service_by), &rule, first.side, first.share.clone(), from, rules);
            match (row, found) {
                (Some((budget, row)), _) => slo.objective(&rule, &rule.place, budget).rows.push(row),
                (None, Burn::Plain { budget } | Burn::Row { budget, .. }) => {
                    let objective = slo.objective(&rule, &rule.place, budget);
                    if objective.plain.as_ref().is_none_or(|(urgency, _)| *urgency == Urgency::Ticket) {
                        objective.plain = Some((urgency, severity.cloned()));
                    }
                }
            }
            if let ([_], Some((_, row))) = (condition.as_slice(), row) {
                tell_of_short(reader, &rule, row);
            }
            tell_of_waiting(reader, &rule);
            tell_of_merged(reader, &rule, &condition);
        }
        if rules.used.contains(&at) {
            tell_of_left(reader, &rule, &left, rules);
        }
    }

    /// An alert that a metric is gone, of an SLO that is known by labels.
    fn absence(&mut self, rule: &Rule, expr: &Expr) -> bool {
        let absent = is_absence(expr);
        let Some((key, _)) = labelled(rule).filter(|_| absent) else { return false };
        let urgency = rule.labels.get("severity").map_or(Urgency::Ticket, |word| urgency_of(word));
        let (place, after) = rule.waits.clone().unwrap_or_else(|| (rule.place.clone(), "5m".to_owned()));
        // Alerts of absence stand behind the others, or are found by a second look.
        match self.0.get_mut(&key) {
            Some(slo) => slo.no_data = Some((place, after, urgency)),
            None => return false,
        }
        true
    }

    /// What belongs to an SLO without adding to it: ratios over other lookbacks, further figures; and its window.
    fn rest(&mut self, rules: &mut Rules) {
        for at in 0..rules.all.len() {
            let rule = rules.all[at].clone();
            let Some(key) = labelled(&rule).map(|(key, _)| key).or_else(|| referred(&rule)) else { continue };
            if !self.0.contains_key(&key) {
                continue;
            }
            let unknown = rule.alert.is_some() && !rules.used.contains(&at);
            if unknown && !rule.expr.as_ref().is_some_and(|expr| self.absence(&rule, expr)) {
                continue;
            }
            rules.used.insert(at);
            let Some(slo) = self.0.get_mut(&key) else { continue };
            let window = window_of(&rule);
            let wanted = |id: &str| rule.labels.get(OBJECTIVE).is_none_or(|objective| id == objective);
            for (_, objective) in slo.objectives.iter_mut().filter(|(id, _)| wanted(id)) {
                objective.window = objective.window.max(window);
                objective.calendar = objective.calendar.take().or_else(|| calendar_of(&rule));
            }
        }
    }

    pub(super) fn converted(self, reader: &mut Reader, of_object: Option<&Node>, settings: &Settings<'_>) -> Vec<Converted> {
        let mut slos: Vec<Slo> = self.0.into_values().collect();
        slos.sort_by_key(|slo| slo.place.start);
        slos.into_iter().filter_map(|slo| slo.converted(reader, of_object, settings)).collect()
    }
}

/// `absent(x)`, as it is or compared with 1.
fn is_absence(expr: &Expr) -> bool {
    match bare(expr) {
        Expr::Call(call) => matches!(call.func.name, "absent" | "absent_over_time"),
        Expr::Binary(binary) => binary.op.to_string() == "==" && is_absence(&binary.lhs),
        _ => false,
    }
}

/// `BurnsFast` as `Burns-Fast`.
fn words_apart(name: &str) -> String {
    let mut apart = String::with_capacity(name.len());
    for c in name.chars() {
        if c.is_uppercase() && apart.ends_with(|before: char| before.is_lowercase() || before.is_ascii_digit()) {
            apart.push('-');
        }
        apart.push(c);
    }
    apart
}

/// Labels by which tools name an SLO.
fn labelled(rule: &Rule) -> Option<(Key, ServiceBy)> {
    let label = |key: &str| rule.labels.get(key).cloned();
    let tool = |tool: &str| label(&format!("{tool}_service")).zip(label(&format!("{tool}_slo")));
    match (tool("sloth").or_else(|| tool("burnward")), label("slo")) {
        (Some((service, name)), _) => Some((Key::Labels(service, name), ServiceBy::Label)),
        (None, Some(name)) => {
            let (service, by) =
                label("service").map_or_else(|| (rule.group.clone(), ServiceBy::Group), |service| (service, ServiceBy::Label));
            Some((Key::Labels(service, name).normal(), by))
        }
        (None, None) => None,
    }
}

/// The SLO of Sloth whose series an expression reads.
fn referred(rule: &Rule) -> Option<Key> {
    let expr = rule.expr.as_ref()?;
    let text = expr.to_string();
    let value = |label: &str| {
        let (_, rest) = text.split_once(&format!("{label}=\""))?;
        rest.split_once('"').map(|(value, _)| value.to_owned())
    };
    Some(Key::Labels(value("sloth_service")?, value("sloth_slo")?))
}

impl Key {
    /// Groups of Pyrra are called after the SLO, each with a suffix of its own.
    fn normal(self) -> Self {
        match self {
            Self::Labels(service, name) => {
                let service =
                    ["-increase", "-generic"].iter().find_map(|suffix| service.strip_suffix(suffix)).unwrap_or(&service).to_owned();
                Self::Labels(service, name)
            }
            Self::Counted(text) => Self::Counted(text),
        }
    }
}

/// The ratio of an SLO with the shortest lookback, and which rule records it.
fn shortest_ratio(rules: &Rules, key: &Key) -> Option<(usize, Expr)> {
    let ratios =
        rules.all.iter().enumerate().filter(|(_, rule)| rule.record.is_some() && labelled(rule).is_some_and(|(own, _)| own == *key));
    let ratios = ratios.filter_map(|(at, rule)| {
        let expr = rule.expr.as_ref()?;
        let ratio = expression::parts(expr, Side::Bad).is_some() || expression::averaged(expr, Side::Bad).is_some();
        Some((expression::range(expr).filter(|_| ratio)?, at, expr.clone()))
    });
    ratios.min_by_key(|(range, at, _)| (*range, *at)).map(|(_, at, expr)| (at, expr))
}

/// What is counted, without the lookback.
fn counted(comparison: &Comparison) -> String {
    let step = Duration::from_mins(1);
    format!("{:?} {}", comparison.side, expression::of_one_step(&comparison.share, comparison.lookback, step))
}

/// The label by which `burnward export` tells the objectives of an SLO apart.
const OBJECTIVE: &str = "burnward_objective";

/// What a condition says of a budget.
enum Burn {
    /// A row over two lookbacks.
    Row { budget: f64, factor: Factor, long: Duration, short: Duration },
    /// A share of bad events over one lookback.
    Plain { budget: f64 },
}

fn burn(condition: &[Comparison], rule: &Rule) -> Option<Burn> {
    let labelled = || rule.labels.get("burn_rate").and_then(|text| Factor::parse(text).ok());
    match condition {
        [only] if only.product.is_none() && labelled().is_none() => Some(Burn::Plain { budget: only.threshold }),
        [one, other] if counted(one) == counted(other) => {
            let (factor, budget) = if let Some((factor, budget)) = one.product {
                (Factor::parse(&number_text(factor)).ok()?, budget)
            } else {
                let factor = labelled()?;
                (factor, one.threshold / factor.as_f64())
            };
            let (long, short) = (one.lookback.max(other.lookback), one.lookback.min(other.lookback));
            Some(Burn::Row { budget, factor, long, short })
        }
        [one] => {
            let (factor, budget) = one.product?;
            let (factor, long) = (Factor::parse(&number_text(factor)).ok()?, one.lookback);
            Some(Burn::Row { budget, factor, long, short: shorter(long) })
        }
        _ => None,
    }
}

/// Scrapes are a minute apart at most, mostly: two of them lie in the short lookback.
const SHORTEST: Duration = Duration::from_mins(2);

/// The short lookback of an alert that has only one: a twelfth of it, long enough to hold two scrapes.
fn shorter(long: Duration) -> Duration {
    let short = (long / 12).max(SHORTEST);
    if short < long { short } else { long / 2 }
}

/// The two thresholds of lookbacks that are compared with different shares.
fn different(condition: &[Comparison]) -> Option<(f64, f64)> {
    let [one, other] = condition else { return None };
    let apart = (one.threshold - other.threshold).abs() > 1e-9 * one.threshold.abs().max(other.threshold.abs());
    (apart && counted(one) == counted(other)).then_some((one.threshold, other.threshold))
}

fn tell_of_thresholds(reader: &mut Reader, rule: &Rule, one: f64, other: f64) {
    let name = rule.alert.as_ref().map(|name| shortened(name)).unwrap_or_default();
    let (one, other) = (number_text(one), number_text(other));
    let message = format!(
        "a condition of the alert `{name}` is not carried over: its lookbacks are compared with {one} and with {other}, and a row has one burn rate for both"
    );
    let help = "write a row by hand below `alerting:` of the SLO, with the burn rate that is meant";
    tell(reader, &codes::NOT_CARRIED, &rule.expr_place, message, help);
}

/// `alerting:` of an alert that has no rows: the default ones, of which those that page are left out where it would not have paged.
fn as_loud(reader: &mut Reader, place: &Range<usize>, urgency: Urgency, severity: Option<&str>) -> Option<Node> {
    match urgency {
        Urgency::Page => None,
        Urgency::Ticket => {
            let message = match severity {
                Some(severity) => format!("the severity `{}` is none that pages, so the SLO opens tickets", shortened(severity)),
                None => "no severity is given, so the SLO opens tickets".to_owned(),
            };
            tell(reader, &codes::CHANGED, place, message, "take `alerting: ticket` out where somebody is to be woken");
            Some(word(place, "ticket"))
        }
    }
}

/// A number as a person writes it, without the noise of its last digits.
fn number_text(number: f64) -> String {
    let text = format!("{number:.6}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// The window that a rule tells of: what Sloth and `burnward export` record, or the range of the sums that Pyrra keeps.
fn window_of(rule: &Rule) -> Option<Duration> {
    let days_from = |least: f64| rule.expr.as_ref().and_then(factor::number).filter(|number| *number >= least && *number <= 366.0);
    let span = |days: f64| Duration::from_secs_f64((days * 86_400.0).round());
    match rule.record.as_deref()? {
        "slo:time_period:days" => days_from(1.0).map(span),
        "burnward:window:days" => days_from(1.0 / 1440.0).map(span),
        record if record.contains(":increase") => rule.expr.as_ref().and_then(expression::range).filter(|range| *range >= days(1)),
        _ => None,
    }
}

/// The window of the calendar that `burnward export` says of a target.
fn calendar_of(rule: &Rule) -> Option<[String; 2]> {
    let [window, zone] = CALENDAR.map(|label| rule.labels.get(label).cloned());
    Some([window?, zone?])
}

/// A time that Prometheus waits before it fires has no counterpart.
fn tell_of_waiting(reader: &mut Reader, rule: &Rule) {
    if let Some((place, text)) = rule.waits.as_ref().filter(|(_, text)| duration::parse(text).is_ok()) {
        let message = format!("`for: {}` is not carried over: a row holds as soon as both lookbacks are above it", shortened(text));
        tell(reader, &codes::CHANGED, place, message, "the long lookback makes sure that it matters");
    }
}

/// An alert over one lookback, which gets a second one.
fn tell_of_short(reader: &mut Reader, rule: &Rule, row: AlertRow) {
    let name = rule.alert.as_ref().map(|name| shortened(name)).unwrap_or_default();
    let (long, short) = (duration::format(row.long), duration::format(row.short));
    let message =
        format!("the alert `{name}` looks back over {long} alone, and a row over two lookbacks: `short: {short}`, by which it ends sooner");
    tell(
        reader,
        &codes::CHANGED,
        &rule.expr_place,
        message,
        "write another `short:` where that is too short for how often targets are scraped",
    );
}

/// An alert that speaks once of several groups has a counterpart in each of them.
fn tell_of_merged(reader: &mut Reader, rule: &Rule, condition: &[Comparison]) {
    let merged: BTreeSet<&str> = condition.iter().flat_map(|comparison| comparison.merged.iter().map(String::as_str)).collect();
    // What is added up all together, because its sides are split otherwise, is told of as that.
    let added_up = |comparison: &Comparison| {
        let fitted = expression::parts(&comparison.share, comparison.side).and_then(expression::fitted);
        fitted.is_some_and(|fitted| !merged.iter().all(|label| fitted.by.iter().any(|by| by == label)))
    };
    if merged.is_empty() || condition.iter().any(added_up) {
        return;
    }
    let name = rule.alert.as_ref().map(|name| shortened(name)).unwrap_or_default();
    let labels = merged.into_iter().collect::<Vec<_>>().join(", ");
    let message = format!(
        "the alert `{name}` aggregates over `{labels}`, which tells the shares apart: each of them has a budget and alerts of its own here"
    );
    tell(reader, &codes::CHANGED, &rule.expr_place, message, "divide the sums of all events where there is to be one budget");
}

/// Alternatives of an alert that are no condition of an SLO, beside others that are.
fn tell_of_left(reader: &mut Reader, rule: &Rule, left: &[&Expr], rules: &Rules) {
    let name = rule.alert.as_ref().map(|name| shortened(name)).unwrap_or_default();
    for alternative in left {
        let (why, help) = alert::why_not(alternative, rules).unwrap_or_else(|| {
            let help = "leave it in an alert of its own; what compares a share of bad events with a budget is an SLO";
            ("it compares no share of bad events with a number".to_owned(), help)
        });
        let message = format!("of the alert `{name}`, `or {}` is not carried over: {why}", shortened(&alternative.to_string()));
        tell(reader, &codes::NOT_CARRIED, &rule.expr_place, message, help);
    }
}

/// An objective that no alert was carried over for.
fn tell_of_nobody(reader: &mut Reader, place: &Range<usize>, percent: &str) {
    let message =
        format!("no alert on the objective of {percent} is carried over, so nobody is told when its budget burns: `alerting: none`");
    tell(reader, &codes::CHANGED, place, message, "take `alerting: none` out for the default alert rows");
}

impl Slo {
    fn objective(&mut self, rule: &Rule, place: &Range<usize>, budget: f64) -> &mut Objective {
        let label = rule.labels.get(OBJECTIVE);
        let named = label.is_some();
        let id = label.cloned().unwrap_or_else(|| percent_of(budget));
        let fresh = || Objective { place: place.clone(), budget, window: None, calendar: None, rows: Vec::new(), plain: None, named };
        self.objectives.entry(id).or_insert_with(fresh)
    }

    fn converted(self, reader: &mut Reader, of_object: Option<&Node>, settings: &Settings<'_>) -> Option<Converted> {
        let place = self.place.clone();
        let service = name(reader, &self.service, &place, "a service's name");
        if self.service_by == ServiceBy::Group {
            let message = format!("no label names the service, so the name of the group is taken for it: `{}`", shortened(&self.service));
            tell(reader, &codes::CHANGED, &place, message, "label the alert with `service:`");
        }
        let slo_name = name_by(reader, &self.name, &words_apart(&self.name), &place, "an SLO's name");
        let team = match self.team.as_ref().and_then(|team| name(reader, team, &place, "a team's name")) {
            Some(team) => team,
            None => crate::import::team(reader, &[of_object], &place, settings),
        };
        let sli = indicator::of_ratio(reader, self.side, &self.share);
        if let Some(place) = &self.shadow {
            let message = "the rules hold no alert of an SLO in shadow, so it has the default alert rows";
            tell(reader, &codes::CHANGED, place, message, "write `alerting:` of its objectives where it had others");
        }
        let without_rows = if self.shadow.is_some() { WithoutRows::Default } else { WithoutRows::None };
        let several = self.objectives.len() > 1;
        let objectives: Vec<Node> = self
            .objectives
            .iter()
            .map(|(id, objective)| objective.node(reader, (several || objective.named).then_some(id.as_str()), without_rows, settings))
            .collect();
        let Indicator { sli, per } = sli;
        let slo = map(
            &place,
            [
                ("name", Some(slo_name?)),
                ("sli", Some(sli)),
                ("per", per),
                ("objectives", Some(list(&place, objectives))),
                ("status", self.shadow.as_ref().map(|place| word(place, "shadow"))),
                ("no-data", self.no_data.as_ref().map(|(place, after, urgency)| no_data(place, after, *urgency))),
            ],
        );
        Some(Converted { service: service?, team, slo, kept: Kept::Whole })
    }
}

fn no_data(place: &Range<usize>, after: &str, urgency: Urgency) -> Node {
    let then = match urgency {
        Urgency::Page => "page",
        Urgency::Ticket => "tell-owner",
    };
    map(place, [("after", Some(word(place, after))), ("then", Some(word(place, then)))])
}

/// The target that leaves so much: `99.9%`, without the noise of a float's last digits.
fn percent_of(budget: f64) -> String {
    let text = format!("{:.7}", (1.0 - budget) * 100.0);
    format!("{}%", text.trim_end_matches('0').trim_end_matches('.'))
}

impl Objective {
    fn node(&self, reader: &mut Reader, id: Option<&str>, without_rows: WithoutRows, settings: &Settings<'_>) -> Node {
        let place = &self.place;
        let percent = percent_of(self.budget);
        let paced = self.calendar.as_ref().map(|_| CALENDAR_PACE);
        let window = paced.or(self.window).unwrap_or_else(|| {
            let window = duration::format(settings.window);
            let message = format!("the rules do not say over which window the objective is; {window} are taken");
            tell(reader, &codes::CHANGED, place, message, "name another one as `burnward import --window 28d`");
            settings.window
        });
        let alerting = match (Target::percent(&percent), self.plain.as_ref().filter(|_| self.rows.is_empty())) {
            (Ok(_), Some((urgency, severity))) => {
                let message = format!(
                    "a share of bad events over one lookback says nothing of a budget; its threshold is taken for the target, {percent}"
                );
                let help = "the default rows alert on how fast the budget burns: choose a target that users would agree to";
                tell(reader, &codes::CHANGED, place, message, help);
                let pages = Target::percent(&percent)
                    .is_ok_and(|target| default_rows(target, window).rows.iter().any(|row| row.urgency == Urgency::Page));
                if *urgency == Urgency::Page && !pages {
                    let message = format!("at a target of {percent} no burn is as fast as the rows that page, so nobody is paged");
                    tell(reader, &codes::CHANGED, place, message, "choose a higher target, or write rows below `alerting:`");
                }
                as_loud(reader, place, *urgency, severity.as_deref())
            }
            (Ok(_), None) if without_rows == WithoutRows::Default && self.rows.is_empty() => None,
            (Ok(target), None) => {
                let alerting = rows::alerting(reader, place, Rows { all: self.rows.clone(), target, window });
                if alerting == Some(word(place, "none")) {
                    tell_of_nobody(reader, place, &percent);
                }
                alerting
            }
            (Err(_), _) => None,
        };
        let id = id.and_then(|id| name(reader, id, place, "an objective's name"));
        let calendar = self.calendar.clone();
        map(
            place,
            [
                ("name", id),
                ("target", Some(word(place, percent))),
                ("window", Some(word(place, calendar.clone().map_or_else(|| duration::format(window), |[window, _]| window)))),
                ("timezone", calendar.map(|[_, zone]| word(place, zone))),
                ("alerting", alerting),
            ],
        )
    }
}
