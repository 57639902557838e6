//! The `objectives:` of an SLO: target, window, and the alert rows that guard them.

use std::{collections::BTreeMap, ops::RangeInclusive, time::Duration};

use burnward_core::{
    alert_rows::{self, DefaultRows, RowError},
    id::ObjectiveName,
    slo::{AlertRow, CountedIn, Objective, SliceRule, Urgency},
    time::{days, minutes},
    units::{Factor, GoodShare, Target, TargetError},
    window::{Period, Window},
};

use super::{
    codes,
    diagnostic::Diagnostic,
    duration,
    reader::{Fields, Keys, Reader, shortened, suggest},
    yaml::{Node, Value},
    zone,
};

const OBJECTIVE: Keys = Keys { of: "an objective", known: &["name", "target", "window", "timezone", "counted-in", "alerting"], later: &[] };
const COUNTED_IN: Keys = Keys { of: "`counted-in`", known: &["slices", "good-if-at-least"], later: &[] };
const SLICES: RangeInclusive<Duration> = minutes(1)..=minutes(60);
const ALERTING: Keys = Keys { of: "`alerting`", known: &["rows"], later: &[] };
const ROW: Keys = Keys { of: "an alert row", known: &["urgency", "burn-rate", "long", "short"], later: &[] };
const ALERTING_WORDS: [&str; 3] = ["page", "ticket", "none"];
const WINDOWS: RangeInclusive<Duration> = minutes(1)..=days(366);
const PERIODS: [Period; 3] = [Period::Week, Period::Month, Period::Quarter];
const A_WINDOW: &str = "write a rolling window such as 30d, or one of the calendar such as `calendar month`";
/// Most objectives of an SLO, and most rows of an objective.
const MAX_ENTRIES: usize = 16;

/// Reads `objectives:`; at least one, with names that differ.
pub(super) fn read(reader: &mut Reader, node: &Node) -> Option<Vec<Objective>> {
    let items = reader.list(node, "`objectives`")?;
    if items.is_empty() || items.len() > MAX_ENTRIES {
        reader.error(&codes::WRONG_TYPE, node.range.clone(), format!("an SLO has 1 to {MAX_ENTRIES} objectives"));
    }
    let mut read = Vec::new();
    let mut names: Vec<(ObjectiveName, &Node)> = Vec::new();
    for item in items.iter().take(MAX_ENTRIES) {
        let Some(parts) = read_one(reader, item) else { continue };
        if let Some(name) = &parts.name {
            match names.iter().find(|(have, _)| have == name) {
                Some((_, first)) => twice(reader, item, first, name),
                None => names.push((name.clone(), item)),
            }
        }
        read.extend(parts.whole());
    }
    (read.len() == items.len() && !read.is_empty()).then_some(read)
}

fn twice(reader: &mut Reader, node: &Node, first: &Node, name: &ObjectiveName) {
    let message = format!("two objectives of the SLO are called `{name}`");
    let diagnostic = reader.diagnostic(&codes::DUPLICATE_NAME, node.range.clone(), message);
    let related = reader.place(first.range.clone());
    reader.report(
        diagnostic.related(related, "the first one").help("give one of them a `name:`; without one, an objective is called as its window"),
    );
}

/// An objective as far as it could be read.
struct Parts {
    name: Option<ObjectiveName>,
    target: Option<Target>,
    window: Option<Window>,
    counted_in: Option<CountedIn>,
    rows: Option<Vec<AlertRow>>,
}

impl Parts {
    /// The objective, where nothing of it is missing.
    fn whole(self) -> Option<Objective> {
        let Self { name, target, window, counted_in, rows } = self;
        Some(Objective { name: name?, target: target?, window: window?, counted_in: counted_in?, rows: rows? })
    }
}

fn read_one(reader: &mut Reader, node: &Node) -> Option<Parts> {
    let fields = reader.map(node, &OBJECTIVE)?;
    let target_node = reader.required(&fields, "target", "99.9%");
    let target = target_node.and_then(|node| read_target(reader, node));
    let window = reader.required(&fields, "window", "30d").and_then(|node| read_window(reader, node, &fields));
    let counted_in = match reader.optional(&fields, "counted-in") {
        Some(node) => read_counted_in(reader, node, window.as_ref()),
        None => Some(CountedIn::Events),
    };
    let name = match reader.optional(&fields, "name") {
        Some(node) => reader.name(node, "an objective's name", ObjectiveName::parse),
        None => window.as_ref().and_then(|window| ObjectiveName::parse(&default_name(window)).ok()),
    };
    let alerting = match reader.optional(&fields, "alerting") {
        Some(node) => read_alerting(reader, node),
        None => Some(Alerting::Default { only: None }),
    };
    let rows = match alerting {
        Some(Alerting::None) => Some(Vec::new()),
        Some(Alerting::Default { only }) => {
            let known = target_node.zip(target).zip(window.as_ref());
            known.map(|((node, target), window)| default_rows(reader, node, target, window.pace(), only))
        }
        Some(Alerting::Rows(nodes)) => own_rows(reader, nodes, target, window.as_ref().map(Window::shortest)),
        None => None,
    };
    if let (Some(node), Some(CountedIn::Slices(rule)), Some(rows)) = (fields.get("counted-in"), &counted_in, &rows) {
        check_slices(reader, node, rule.length, rows);
    }
    Some(Parts { name, target, window, counted_in, rows })
}

/// A row whose short lookback is shorter than a slice would most of the time look at no verdict, and end while all fails.
fn check_slices(reader: &mut Reader, node: &Node, length: Duration, rows: &[AlertRow]) {
    let Some(short) = rows.iter().map(|row| row.short).min().filter(|short| *short < length) else { return };
    let (length, short) = (duration::format(length), duration::format(short));
    let place = match &node.value {
        Value::Map(entries) => entries.iter().find(|entry| entry.key == "slices").map(|entry| entry.value.range.clone()),
        Value::Scalar { .. } | Value::List(_) => None,
    };
    let message = format!("a slice of {length} is longer than the shortest lookback of the alert rows, {short}");
    let diagnostic = reader.diagnostic(&codes::STEP, place.unwrap_or_else(|| node.range.clone()), message);
    reader.report(diagnostic.help(format!(
        "shorten it to {short} at most, write rows with longer lookbacks below `alerting:`, or `alerting: none` beside an objective that pages"
    )));
}

fn read_counted_in(reader: &mut Reader, node: &Node, window: Option<&Window>) -> Option<CountedIn> {
    let fields = reader.map(node, &COUNTED_IN)?;
    let length = reader.required(&fields, "slices", "1m").and_then(|node| read_slice(reader, node, window));
    let good_from = reader.required(&fields, "good-if-at-least", "99%").and_then(|node| read_good_share(reader, node));
    Some(CountedIn::Slices(SliceRule { length: length?, good_from: good_from? }))
}

/// The length of slices: they begin with every hour, and with the window where that is the calendar's.
fn read_slice(reader: &mut Reader, node: &Node, window: Option<&Window>) -> Option<Duration> {
    let length = reader.duration(node, "a slice")?;
    let divides = |whole: Duration| whole.as_millis().is_multiple_of(length.as_millis());
    let between = window.map(Window::edges).filter(|edges| !divides(*edges));
    let message = if !SLICES.contains(&length) || !length.as_millis().is_multiple_of(60_000) || !divides(minutes(60)) {
        "a slice has whole minutes and divides an hour".to_owned()
    } else if let Some(edges) = between {
        format!("periods of this time zone begin between two slices: they need slices that divide {}", duration::format(edges))
    } else {
        return Some(length);
    };
    let diagnostic = reader.diagnostic(&codes::SLICE, node.range.clone(), message);
    reader.report(diagnostic.help("write for example `slices: 1m` or `slices: 5m`"));
    None
}

pub(super) fn read_good_share(reader: &mut Reader, node: &Node) -> Option<GoodShare> {
    let text = reader.text(node, "a share")?;
    let share = GoodShare::percent(text).ok();
    if share.is_none() {
        let message = format!("`{}` is not a share of good events", shortened(text));
        let diagnostic = reader.diagnostic(&codes::SLICE, node.range.clone(), message);
        reader.report(diagnostic.help("write a share above 0 % and up to 100 %, such as `99%`"));
    }
    share
}

/// An objective without a name is called as its window: `30d`, `calendar-month`.
fn default_name(window: &Window) -> String {
    match window {
        Window::Rolling(length) => duration::format(*length),
        Window::Calendar { period, .. } => format!("calendar-{}", period.word()),
    }
}

fn read_target(reader: &mut Reader, node: &Node) -> Option<Target> {
    let text = reader.text(node, "a target")?;
    let error = match Target::percent(text) {
        Ok(target) => return Some(target),
        Err(error) => error,
    };
    let (code, message, label) = match &error {
        TargetError::Hundred => (&codes::TARGET_HUNDRED, "target must be below 100 %".to_owned(), "a 100 % target leaves no error budget"),
        TargetError::NoPercent => (&codes::TARGET_PERCENT, "a target is written with a percent sign".to_owned(), ""),
        TargetError::NotDecimal(_) => (&codes::TARGET_NUMBER, "not a decimal number with a percent sign".to_owned(), ""),
        TargetError::TooPrecise => (&codes::TARGET_PRECISION, error.to_string(), ""),
        TargetError::OutOfRange => (&codes::TARGET_RANGE, "a target lies above 0 % and below 100 %".to_owned(), ""),
    };
    let help = match error {
        TargetError::Hundred => "use 99.9%, or 99.95% for about 22 minutes a month".to_owned(),
        TargetError::NoPercent | TargetError::NotDecimal(_) | TargetError::TooPrecise | TargetError::OutOfRange => target_help(text),
    };
    let diagnostic = reader.diagnostic(code, node.range.clone(), message);
    reader.report(diagnostic.label(label).help(help));
    None
}

fn target_help(text: &str) -> String {
    target_proposal(text).map_or_else(|| "write for example `99.9%`".to_owned(), |proposal| format!("write `{proposal}`"))
}

/// The target that the author most likely meant: a comma for a point, a missing sign, a share of one, too many digits.
fn target_proposal(text: &str) -> Option<String> {
    let number = text.trim().trim_end_matches('%').trim().replace(',', ".");
    let cut: String = number.chars().take("99.9999999".len()).collect();
    let candidates = [share_as_percent(&number).unwrap_or_default(), format!("{number}%"), format!("{cut}%")];
    candidates.into_iter().find(|candidate| Target::percent(candidate).is_ok())
}

/// `0.999` as `99.9%` and `0.9` as `90%`, by moving the point.
fn share_as_percent(number: &str) -> Option<String> {
    let digits = number.strip_prefix("0.").filter(|digits| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()))?;
    let padded = format!("{digits:0<2}");
    let (whole, rest) = padded.split_at(2);
    Some(if rest.is_empty() { format!("{whole}%") } else { format!("{whole}.{rest}%") })
}

/// A window with its time zone, which a calendar window has and a rolling one has not.
fn read_window(reader: &mut Reader, node: &Node, fields: &Fields<'_>) -> Option<Window> {
    let text = reader.text(node, "a window")?;
    if let Some(period) = text.strip_prefix("calendar") {
        let period = read_period(reader, node, period.trim());
        let zone = reader.required(fields, "timezone", "Europe/Berlin").and_then(|node| zone::read(reader, node));
        return Some(Window::Calendar { period: period?, zone: zone? });
    }
    if let Some(zone) = fields.entry("timezone") {
        let diagnostic = reader.diagnostic(&codes::TIMEZONE, zone.key_range.clone(), "a rolling window has no time zone");
        reader.report(diagnostic.help("remove `timezone`, or write a window of the calendar such as `calendar month`"));
    }
    read_rolling(reader, node, text).map(Window::Rolling)
}

fn read_period(reader: &mut Reader, node: &Node, word: &str) -> Option<Period> {
    let found = PERIODS.into_iter().find(|period| period.word() == word);
    if found.is_none() {
        let message = match word {
            "" => "a calendar window names its period".to_owned(),
            word => format!("`{}` is not a period of calendar windows", shortened(word)),
        };
        let diagnostic = reader.diagnostic(&codes::WINDOW, node.range.clone(), message);
        reader.report(diagnostic.help("periods are `calendar week`, `calendar month` and `calendar quarter`"));
    }
    found
}

fn read_rolling(reader: &mut Reader, node: &Node, text: &str) -> Option<Duration> {
    let (message, help) = match duration::parse(text) {
        Ok(window) if WINDOWS.contains(&window) => return Some(window),
        Ok(_) | Err(duration::DurationError::TooLong) => ("a window lies between 1m and 366d".to_owned(), "most objectives use 30d or 28d"),
        Err(duration::DurationError::Ambiguous) => (
            "`M` is ambiguous: months have no fixed length".to_owned(),
            "write `calendar month` for months, 30d for thirty days, 1m for a minute",
        ),
        Err(error) => (format!("not a window: {error}"), A_WINDOW),
    };
    let diagnostic = reader.diagnostic(&codes::WINDOW, node.range.clone(), message);
    reader.report(diagnostic.help(help));
    None
}

/// What `alerting:` says.
enum Alerting<'n> {
    None,
    Default { only: Option<Urgency> },
    Rows(&'n [Node]),
}

fn read_alerting<'n>(reader: &mut Reader, node: &'n Node) -> Option<Alerting<'n>> {
    if let Value::List(_) = node.value {
        let diagnostic = reader.diagnostic(&codes::ALERTING, node.range.clone(), "own rows stand below the key `rows`");
        reader.report(diagnostic.help("write `alerting: { rows: [...] }`"));
        return None;
    }
    if let Value::Map(_) = node.value {
        let fields = reader.map(node, &ALERTING)?;
        let rows = reader.required(&fields, "rows", "[{ urgency: page, burn-rate: 14.4, long: 1h, short: 5m }]")?;
        let rows_of = reader.list(rows, "`rows`")?;
        if rows_of.is_empty() || rows_of.len() > MAX_ENTRIES {
            let diagnostic = reader.diagnostic(&codes::ALERTING, rows.range.clone(), format!("an objective has 1 to {MAX_ENTRIES} rows"));
            reader.report(diagnostic.help("write `alerting: none` where nobody is to be told"));
            return None;
        }
        return Some(Alerting::Rows(rows_of));
    }
    match reader.text(node, "`alerting`")? {
        "none" => Some(Alerting::None),
        "page" => Some(Alerting::Default { only: Some(Urgency::Page) }),
        "ticket" => Some(Alerting::Default { only: Some(Urgency::Ticket) }),
        other => {
            let message = format!("`alerting: {}` is not known", shortened(other));
            let diagnostic = reader.diagnostic(&codes::ALERTING, node.range.clone(), message);
            let diagnostic = suggest(diagnostic, other, &ALERTING_WORDS);
            reader.report(diagnostic.help("leave `alerting` out for the default rows, both pages and tickets"));
            None
        }
    }
}

fn default_rows(reader: &mut Reader, target_node: &Node, target: Target, window: Duration, only: Option<Urgency>) -> Vec<AlertRow> {
    let wanted = |row: &AlertRow| only.is_none_or(|urgency| row.urgency == urgency);
    let DefaultRows { rows, left_out } = alert_rows::default_rows(target, window);
    let rows: Vec<AlertRow> = rows.into_iter().filter(wanted).collect();
    // A target below one percent is a share that was given the sign of a percentage.
    let meant =
        share_as_percent(&target.as_percent()).map(|meant| format!("did you mean `{meant}`? A target is a percentage, not a share of one"));
    let mut out: BTreeMap<String, Vec<&AlertRow>> = BTreeMap::new();
    for (row, error) in left_out.iter().filter(|(row, _)| wanted(row)) {
        out.entry(why_left_out(error)).or_default().push(row);
    }
    let words = |(why, left_out): (&String, &Vec<&AlertRow>)| {
        let word = if left_out.len() == 1 { "row" } else { "rows" };
        format!("the default {word} {} {why}", row_list(left_out.iter().copied()))
    };
    if rows.is_empty() {
        let message = format!("{}; none is left, so nobody will be told", out.iter().map(words).collect::<Vec<_>>().join("; "));
        let diagnostic = reader.diagnostic(&codes::NO_ALERTS, target_node.range.clone(), message);
        let diagnostic = meant.into_iter().fold(diagnostic, Diagnostic::help);
        reader.report(diagnostic.help("write rows of your own below `alerting:`, or `alerting: none`"));
        return rows;
    }
    for message in out.iter().map(words) {
        let diagnostic = reader.diagnostic(&codes::ROW_LEFT_OUT, target_node.range.clone(), message);
        let nobody = if rows.iter().any(|row| row.urgency == Urgency::Page) { "" } else { "; nobody is paged" };
        let diagnostic = meant.iter().cloned().fold(diagnostic.label("left out"), Diagnostic::help);
        reader.report(diagnostic.help(format!("what remains: {}{nobody}", row_list(&rows))));
    }
    rows
}

/// Why default rows are left out, behind their names: `can never fire ...`.
pub fn why_left_out(error: &RowError) -> String {
    match error {
        RowError::NeverFires { target, most, .. } => {
            format!("can never fire: at a target of {}% a total outage burns at {most}x", target.as_percent())
        }
        RowError::Empty => "would look back less than a second".to_owned(),
        RowError::ShortNotShorter { .. } | RowError::BeyondWindow { .. } | RowError::BelowAllowed(_) => format!("cannot be: {error}"),
    }
}

/// `page 14.4x 1h/5m, page 6x 6h/30m`
pub(super) fn row_list<'a>(rows: impl IntoIterator<Item = &'a AlertRow>) -> String {
    rows.into_iter().map(row_words).collect::<Vec<_>>().join(", ")
}

/// `page 14.4x 1h/5m`
pub fn row_words(row: &AlertRow) -> String {
    let urgency = match row.urgency {
        Urgency::Page => "page",
        Urgency::Ticket => "ticket",
    };
    format!("{urgency} {}x {}/{}", row.factor, duration::format(row.long), duration::format(row.short))
}

fn own_rows(reader: &mut Reader, nodes: &[Node], target: Option<Target>, window: Option<Duration>) -> Option<Vec<AlertRow>> {
    let rows: Vec<Option<AlertRow>> = nodes.iter().map(|node| own_row(reader, node, target, window)).collect();
    for (at, row) in rows.iter().enumerate() {
        if row.is_some() && rows[..at].contains(row) {
            let diagnostic = reader.diagnostic(&codes::ROW, nodes[at].range.clone(), "this row is in the list twice");
            reader.report(diagnostic.help("remove it"));
        }
    }
    rows.into_iter().collect()
}

/// A row is judged by what is known of it and of its objective, so that one mistake does not hide the next.
fn own_row(reader: &mut Reader, node: &Node, target: Option<Target>, window: Option<Duration>) -> Option<AlertRow> {
    let fields = reader.map(node, &ROW)?;
    let urgency = reader.required(&fields, "urgency", "page").and_then(|node| read_urgency(reader, node));
    let factor = reader.required(&fields, "burn-rate", "14.4").and_then(|node| read_factor(reader, node));
    let long = reader.required(&fields, "long", "1h").and_then(|node| reader.duration(node, "`long`"));
    let short = reader.required(&fields, "short", "5m").and_then(|node| reader.duration(node, "`short`"));
    let mistakes = alert_rows::Parts { factor, long, short, target, window }.mistakes();
    for mistake in &mistakes {
        wrong_row(reader, &fields, mistake);
    }
    let row = AlertRow { urgency: urgency?, factor: factor?, long: long?, short: short? };
    mistakes.is_empty().then_some(row)
}

fn wrong_row(reader: &mut Reader, fields: &Fields<'_>, mistake: &RowError) {
    let (code, blamed) = match mistake {
        RowError::NeverFires { .. } => (&codes::ROW_NEVER, "burn-rate"),
        RowError::BelowAllowed(_) => (&codes::ROW_ALWAYS, "burn-rate"),
        RowError::Empty | RowError::ShortNotShorter { .. } => (&codes::ROW, "short"),
        RowError::BeyondWindow { .. } => (&codes::ROW, "long"),
    };
    let place = fields.get(blamed).map_or_else(|| fields.place(), |node| node.range.clone());
    let diagnostic = reader.diagnostic(code, place, mistake.to_string());
    reader.report(match mistake {
        RowError::NeverFires { factor, .. } if *factor > Factor::ONE => diagnostic.help(reachable_above(*factor)),
        RowError::NeverFires { .. }
        | RowError::BelowAllowed(_)
        | RowError::Empty
        | RowError::ShortNotShorter { .. }
        | RowError::BeyondWindow { .. } => diagnostic,
    });
}

/// Above which target a burn rate can be reached: `1 - 1 / factor`, rounded up to hundredths of a percent.
fn reachable_above(factor: Factor) -> String {
    let percent = (10_000.0 * (1.0 - 1.0 / factor.as_f64())).ceil() / 100.0;
    format!("only above a target of {percent}% does a whole outage burn at more than {factor}")
}

fn read_urgency(reader: &mut Reader, node: &Node) -> Option<Urgency> {
    match reader.text(node, "`urgency`")? {
        "page" => Some(Urgency::Page),
        "ticket" => Some(Urgency::Ticket),
        other => {
            let message = format!("`{}` is not an urgency", shortened(other));
            let diagnostic = reader.diagnostic(&codes::ALERTING, node.range.clone(), message);
            reader.report(suggest(diagnostic, other, &["page", "ticket"]));
            None
        }
    }
}

fn read_factor(reader: &mut Reader, node: &Node) -> Option<Factor> {
    let text = reader.text(node, "`burn-rate`")?;
    let factor = Factor::parse(text).ok();
    if factor.is_none() {
        let message = format!("`{}` is not a positive decimal number such as 14.4", shortened(text));
        reader.error(&codes::FACTOR, node.range.clone(), message);
    }
    factor
}
