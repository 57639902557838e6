//! SLOs of other tools, as documents of burnward: OpenSLO, Sloth, Pyrra and rule files of Prometheus.
//!
//! A foreign file is read by the same reader as an own one and becomes the tree of an own document whose parts keep their places in the foreign file. So
//! everything that is found later, by the very checks of own documents, points at the line that its author wrote; and loading a foreign file directly is
//! the same as converting it first. What cannot be carried over is said at its line, never dropped without a word. Nothing here asks a source.

mod expression;
mod factor;
mod indicator;
mod openslo;
mod pyrra;
mod rows;
mod rules;
mod sloth;
mod tree;

#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, ops::Range, sync::Arc, time::Duration};

use burnward_core::{id::TeamName, sli::Selector, time::days, words::plural};

use crate::{
    config::secrets,
    definition::{
        Diagnostic, Severity, Source,
        build::{list, map, quoted, word},
        codes,
        document::{self, Context, MAX_SLOS, VERSION},
        format, print,
        reader::{Reader, shortened},
        yaml::{self, Node, Value},
    },
};
use expression::Side;
use indicator::Indicator;
use openslo::Library;
pub(crate) use openslo::{RUNBOOK, STATUS, SUSPENDED};
pub(crate) use rules::{CALENDAR, SHADOW};
use tree::{moved, name, pass_over, peek, peek_text, read_key, tell, tell_of_unread};

/// What a foreign file leaves open.
#[derive(Debug, Clone)]
pub struct Options {
    /// The team of SLOs that name none; without it `operators`.
    pub team: Option<TeamName>,
    /// The window of SLOs whose file says none, as those of Sloth.
    pub window: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self { team: None, window: days(30) }
    }
}

/// What all files that are converted together say.
struct Settings<'a> {
    options: &'a Options,
    window: Duration,
    sloth: Option<sloth::Windows>,
    library: &'a Library,
}

/// An SLO as it was converted; its names and keys stand where they came from.
#[derive(Debug, Clone)]
struct Converted {
    service: Node,
    team: Node,
    slo: Node,
    kept: Kept,
}

/// Whether an SLO is one, or is read for its other mistakes alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kept {
    Whole,
    /// A part of it could not be read, which was told of; something that is never kept stands in for it.
    ForItsMistakes,
}

impl Kept {
    /// Of parts, each of which was read or told of.
    fn of(parts: &[bool]) -> Self {
        if parts.iter().all(|read| *read) { Self::Whole } else { Self::ForItsMistakes }
    }
}

/// A target that stands in for one that could not be read.
const STAND_IN_TARGET: &str = "99%";

/// A document that came out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// The service of its SLOs.
    pub service: String,
    /// The team that is told.
    pub team: String,
    /// How many SLOs it holds.
    pub slos: usize,
    /// Its text, which `burnward check` takes.
    pub text: String,
}

/// What came out of foreign files.
#[derive(Debug, Clone, Default)]
pub struct Imported {
    /// One document for each service and team, in order of their names; several where a document does not hold all of their SLOs.
    pub documents: Vec<Document>,
    /// What could not be carried over, and what it became instead, by file and place.
    pub faults: Vec<Diagnostic>,
}

/// Which tool a document is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    OpenSlo,
    SlothFile,
    SlothObject,
    SlothWindows,
    Pyrra,
    /// A rule file of Prometheus.
    Rules,
    /// The same as an object of Kubernetes.
    RulesObject,
    /// A list of Kubernetes objects.
    List,
    /// Something of Kubernetes, or of a version, that is not known here.
    Unknown,
}

/// Which tool a document is of; `None` for one that does not say that it is of another tool.
fn format_of(root: &Node) -> Option<Format> {
    let (api, kind) = (peek_text(root, "apiVersion"), peek_text(root, "kind").unwrap_or_default());
    match api {
        Some(api) if api.starts_with("openslo") => Some(Format::OpenSlo),
        Some("sloth.slok.dev/v1") if kind == "PrometheusServiceLevel" => Some(Format::SlothObject),
        Some("sloth.slok.dev/v1") if kind == "AlertWindows" => Some(Format::SlothWindows),
        Some("pyrra.dev/v1alpha1") if kind == "ServiceLevelObjective" => Some(Format::Pyrra),
        Some("monitoring.coreos.com/v1") if kind == "PrometheusRule" => Some(Format::RulesObject),
        Some("v1") if kind == "List" => Some(Format::List),
        Some(_) => Some(Format::Unknown),
        None if peek_text(root, "version").is_some_and(|version| version.starts_with("prometheus/")) => Some(Format::SlothFile),
        None if peek(root, "version").is_none() && peek(root, "groups").is_some() => Some(Format::Rules),
        None => None,
    }
}

/// Whether a document says that it is of another tool.
pub(crate) fn is_foreign(root: &Node) -> bool {
    format_of(root).is_some()
}

/// Whether one of the documents of a text says so.
pub(crate) fn is_foreign_text(source: &Arc<Source>) -> bool {
    yaml::parse_all(source).is_ok_and(|roots| roots.iter().any(is_foreign))
}

/// A foreign file as documents, whose parts stand where they came from.
pub(crate) struct Trees {
    /// Those of SLOs that were read as wholes.
    pub(crate) documents: Vec<Node>,
    /// Those of SLOs with parts that were told of and that something stands in for: only their mistakes are their own.
    pub(crate) for_their_mistakes: Vec<Node>,
    /// What there is to say.
    pub(crate) faults: Vec<Diagnostic>,
}

/// The SLOs of one foreign file.
pub(crate) fn documents(source: &Arc<Source>, roots: &[Node]) -> Trees {
    let (whole, roots) = (roots, flattened(roots));
    let library = Library::of(std::iter::once((source, roots.as_slice())));
    let options = Options::default();
    let mut reader = Reader::new(source);
    let sloth = windows_of(&mut reader, &roots);
    let converted = convert(&mut reader, &roots, &Settings { options: &options, window: options.window, sloth, library: &library });
    let is_of_rules = |root: &Node| matches!(format_of(root), Some(Format::Rules | Format::RulesObject));
    if converted.is_empty() && !reader.failed() && !roots.is_empty() && roots.iter().all(is_of_rules) {
        // An alert that never fires, or always, is a mistake in the rules themselves, whatever becomes of them.
        let dead = said(reader, whole).into_iter().filter(|fault| fault.code == &codes::PROMQL_CONSTANT);
        let mut reader = Reader::new(source);
        rules::without_slo(&mut reader, &roots);
        let faults = reader.finish().into_iter().chain(dead).collect();
        return Trees { documents: Vec::new(), for_their_mistakes: Vec::new(), faults };
    }
    if let Some(first) = roots.first().filter(|_| converted.is_empty() && !reader.failed()) {
        let message = "no SLO is in this file, so nothing of it is loaded";
        tell(&mut reader, &codes::NOT_CARRIED, &first.range, message, "put what an SLO names into the file of the SLO");
    }
    let (kept, others) = converted.into_iter().partition(|slo| slo.kept == Kept::Whole);
    let trees = |slos| grouped(slos).values().flat_map(|slos| slos.chunks(MAX_SLOS)).map(document).collect();
    Trees { documents: trees(kept), for_their_mistakes: trees(others), faults: said(reader, whole) }
}

/// A foreign file. Other tools write credentials into theirs, and diagnostics quote lines: so the values of keys that look like secrets are not shown.
pub fn source(name: &str, text: &str) -> Arc<Source> {
    Source::masked(name, text, secrets::mask)
}

/// Converts files that belong together: an object of one may be named in another.
pub fn import(sources: &[Arc<Source>], options: &Options, context: &Context) -> Imported {
    let mut imported = Imported::default();
    let mut files: Vec<File<'_>> = Vec::new();
    for source in sources {
        match yaml::parse_all(source) {
            Ok(whole) => files.push(File { source, reader: Reader::new(source), roots: flattened(&whole), whole }),
            Err(faults) => imported.faults.extend(faults),
        }
    }
    let library = Library::of(files.iter().map(|file| (file.source, file.roots.as_slice())));
    let mut settings = Settings { options, window: options.window, sloth: None, library: &library };
    for file in &mut files {
        settings.sloth = windows_of(&mut file.reader, &file.roots).or(settings.sloth.take());
    }
    let mut all: Vec<(Arc<Source>, Converted)> = Vec::new();
    for File { source, mut reader, whole, roots } in files {
        let converted = convert(&mut reader, &roots, &settings);
        imported.faults.extend(said(reader, &whole));
        for slo in converted {
            match checked(source, &slo, context) {
                Ok(advice) if slo.kept == Kept::Whole => {
                    imported.faults.extend(advice);
                    all.push((source.clone(), slo));
                }
                Ok(_) => {}
                Err(faults) => imported.faults.extend(faults),
            }
        }
    }
    imported.documents = printed(all, &mut imported.faults);
    imported
}

/// A foreign file that is being read.
struct File<'a> {
    source: &'a Arc<Source>,
    reader: Reader,
    /// Its documents.
    whole: Vec<Node>,
    /// The same, with the objects of lists in the place of those.
    roots: Vec<Node>,
}

/// What there is to say of a file, each thing once: with every key that nobody asked for.
fn said(mut reader: Reader, whole: &[Node]) -> Vec<Diagnostic> {
    for root in whole {
        if format_of(root) == Some(Format::List) {
            for key in ["apiVersion", "kind", "items"] {
                read_key(&mut reader, root, key);
            }
        }
        tell_of_unread(&mut reader, root);
    }
    let mut said: Vec<Diagnostic> = Vec::new();
    let mut without_team = 0;
    let mut again: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for fault in reader.finish() {
        let is_of_team = fault.code == &codes::NO_TEAM;
        without_team += usize::from(is_of_team);
        if said.contains(&fault) || (is_of_team && without_team > 1) {
            continue;
        }
        let is_same = |other: &Diagnostic| other.code == fault.code && other.message == fault.message && other.help == fault.help;
        match said.iter().position(is_same).filter(|_| fault.code == &codes::NOT_CARRIED) {
            Some(first) => again.entry(first).or_default().push(fault.place.positions().0.line),
            None => said.push(fault),
        }
    }
    for (first, lines) in again {
        said[first].help.push(format!("the same stands in {}", in_lines(&lines)));
    }
    if let Some(first) = said.iter_mut().find(|fault| fault.code == &codes::NO_TEAM).filter(|_| without_team > 1) {
        first.help.insert(0, format!("so it is of {} more of this file", plural(without_team - 1, "SLO")));
    }
    said
}

/// `line 7`, `lines 7, 9 and 12`, `lines 7, 9, 12 and 4 more`.
fn in_lines(lines: &[usize]) -> String {
    const NAMED: usize = 5;
    let texts: Vec<String> = lines.iter().take(NAMED).map(ToString::to_string).collect();
    match (lines.len().saturating_sub(NAMED), texts.split_last()) {
        (0, Some((only, []))) => format!("line {only}"),
        (0, Some((last, first))) => format!("lines {} and {last}", first.join(", ")),
        (more, _) => format!("lines {} and {more} more", texts.join(", ")),
    }
}

/// The last `AlertWindows` of a file.
fn windows_of(reader: &mut Reader, roots: &[Node]) -> Option<sloth::Windows> {
    let mut last = None;
    for root in roots.iter().filter(|root| format_of(root) == Some(Format::SlothWindows)) {
        last = sloth::read_windows(reader, root).or(last);
    }
    last
}

/// Advice of own documents that tells of what the other tool counts, and not of how it is written here.
const OF_WHAT_IS_COUNTED: [&codes::Code; 4] = [&codes::SAME_SIDES, &codes::NO_PART, &codes::MATCHER, &codes::TURNED];

/// Whether an SLO is one by all checks of own documents, with the advice on what it counts.
fn checked(source: &Arc<Source>, slo: &Converted, context: &Context) -> Result<Vec<Diagnostic>, Vec<Diagnostic>> {
    match document::read_tree(source, &document(std::slice::from_ref(slo)), "", context) {
        Ok(read) => Ok(read.advice.into_iter().filter(|fault| OF_WHAT_IS_COUNTED.contains(&fault.code)).collect()),
        Err(faults) => Err(faults.into_iter().filter(|fault| fault.severity() == Severity::Error).collect()),
    }
}

fn convert(reader: &mut Reader, roots: &[Node], settings: &Settings<'_>) -> Vec<Converted> {
    let mut converted = Vec::new();
    for root in roots {
        match format_of(root) {
            Some(Format::OpenSlo) => converted.extend(openslo::read(reader, root, settings)),
            Some(Format::SlothFile) => converted.extend(sloth::read(reader, root, settings)),
            Some(Format::SlothObject) => converted.extend(sloth::read_object(reader, root, settings)),
            Some(Format::Pyrra) => converted.extend(pyrra::read(reader, root, settings)),
            Some(Format::Rules) => converted.extend(rules::read(reader, root, settings)),
            Some(Format::RulesObject) => converted.extend(rules::read_object(reader, root, settings)),
            // Read before, since they hold for all files; flattened before.
            Some(Format::SlothWindows | Format::List) => {}
            Some(Format::Unknown) | None => unknown(reader, root),
        }
    }
    converted
}

const KNOWN: &str = "known are openslo/v1 and v1alpha, Sloth's `version: prometheus/v1` and sloth.slok.dev/v1 PrometheusServiceLevel, pyrra.dev/v1alpha1 ServiceLevelObjective, and rules of Prometheus (`groups:`, PrometheusRule)";

fn unknown(reader: &mut Reader, root: &Node) {
    let place = peek(root, "kind").or_else(|| peek(root, "apiVersion")).or_else(|| peek(root, "version")).unwrap_or(root).range.clone();
    let said = |key: &str| peek_text(root, key).map(shortened).unwrap_or_default();
    let message = match (peek(root, "apiVersion").is_some(), peek_text(root, "version")) {
        (true, _) => format!("`{} {}` is not a document of SLOs that is known here", said("apiVersion"), said("kind")),
        (false, Some(VERSION)) => "this is a document of burnward already".to_owned(),
        (false, _) => "this is not a document of SLOs of another tool".to_owned(),
    };
    tell(reader, &codes::FOREIGN, &place, message, KNOWN);
    pass_over(reader, root);
}

/// The objects of lists beside the others.
fn flattened(roots: &[Node]) -> Vec<Node> {
    let inner = |root: &Node| match (format_of(root), peek(root, "items").map(|items| &items.value)) {
        (Some(Format::List), Some(Value::List(items))) => items.clone(),
        _ => vec![root.clone()],
    };
    roots.iter().flat_map(inner).collect()
}

fn text(node: &Node) -> String {
    match &node.value {
        Value::Scalar { text, .. } => text.clone(),
        Value::List(_) | Value::Map(_) => String::new(),
    }
}

/// By service and team: a document has one of each.
fn grouped(converted: Vec<Converted>) -> BTreeMap<(String, String), Vec<Converted>> {
    let mut grouped: BTreeMap<(String, String), Vec<Converted>> = BTreeMap::new();
    for slo in converted {
        grouped.entry((text(&slo.service), text(&slo.team))).or_default().push(slo);
    }
    grouped
}

/// A document of these SLOs, which have one service and team; at the place of the first of them.
fn document(slos: &[Converted]) -> Node {
    let Some(first) = slos.first() else { return list(&(0..0), Vec::new()) };
    let place = &first.slo.range;
    map(
        place,
        [
            ("version", Some(word(place, VERSION))),
            ("service", Some(first.service.clone())),
            ("team", Some(first.team.clone())),
            ("slos", Some(list(place, slos.iter().map(|slo| slo.slo.clone()).collect()))),
        ],
    )
}

/// The texts of documents; an SLO that has the name of another one of its service is told of, and left out.
fn printed(all: Vec<(Arc<Source>, Converted)>, faults: &mut Vec<Diagnostic>) -> Vec<Document> {
    let mut first: BTreeMap<(String, String), (Arc<Source>, Range<usize>)> = BTreeMap::new();
    let mut origins: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    let mut kept = Vec::new();
    for (source, slo) in all {
        let name = peek(&slo.slo, "name").unwrap_or(&slo.slo);
        let id = (text(&slo.service), text(name));
        let mut reader = Reader::new(&source);
        if let Some((other, range)) = first.get(&id) {
            let message = format!("there are two SLOs {}/{}", id.0, id.1);
            let diagnostic = reader.diagnostic(&codes::DUPLICATE_SLO, name.range.clone(), message);
            let related = Reader::new(other).place(range.clone());
            reader.report(diagnostic.related(related, "the first one").help("give one of them another name"));
            faults.extend(reader.finish());
            continue;
        }
        first.insert(id, (source.clone(), name.range.clone()));
        let files = origins.entry((text(&slo.service), text(&slo.team))).or_default();
        if !files.iter().any(|file| file == source.name()) {
            files.push(source.name().to_owned());
        }
        kept.push(slo);
    }
    let document = |id: &(String, String), slos: &[Converted]| {
        let origin = origins.get(id).map(|files| files.join(", ")).unwrap_or_default();
        let text = laid_out(format!("# Converted from {origin} by `burnward import`.\n{}", print::text(&document(slos))));
        Document { service: id.0.clone(), team: id.1.clone(), slos: slos.len(), text }
    };
    grouped(kept).iter().flat_map(|(id, slos)| slos.chunks(MAX_SLOS).map(move |slos| document(id, slos))).collect()
}

/// As `burnward fmt` lays it out.
fn laid_out(text: String) -> String {
    format::format(&Source::new("converted", &text), None).unwrap_or(text)
}

/// Labels by which tools name the team that owns an SLO.
const TEAMS: [&str; 5] = ["burnward.dev/team", "pyrra.dev/team", "team", "owner", "routing_key"];
/// The team that always exists.
const OPERATORS: &str = "operators";

/// The value of a label; OpenSLO's may be lists, of which it is the first.
fn first_of(node: &Node) -> &Node {
    match &node.value {
        Value::List(items) => items.first().unwrap_or(node),
        Value::Scalar { .. } | Value::Map(_) => node,
    }
}

/// The team that these labels name, else the one of the options.
fn team(reader: &mut Reader, labels: &[Option<&Node>], at: &Range<usize>, settings: &Settings<'_>) -> Node {
    let mut named = TEAMS.iter().flat_map(|key| labels.iter().flatten().map(move |labels| (*labels, *key)));
    let names_one = |(labels, key): &(&Node, &str)| peek(labels, key).is_some_and(|node| !text(first_of(node)).is_empty());
    let label = named.find(names_one).and_then(|(labels, key)| read_key(reader, labels, key));
    if let Some(Node { value: Value::List(teams), range }) =
        label.filter(|node| matches!(&node.value, Value::List(teams) if teams.len() > 1))
    {
        let message = format!("of {} teams the first one is taken", teams.len());
        tell(
            reader,
            &codes::NOT_CARRIED,
            range,
            message,
            "an SLO has one team, which is paged; its escalation in burnward.yaml may page others",
        );
    }
    let label = label.map(first_of);
    if let Some(team) = label.and_then(|node| name(reader, &text(node), &node.range, "a team's name")) {
        return team;
    }
    if let Some(team) = &settings.options.team {
        return word(at, team.as_str());
    }
    let message = "no team is named, so `operators` is told";
    tell(reader, &codes::NO_TEAM, at, message, "label it with `team:`, or name one for all with `burnward import --team NAME`");
    word(at, OPERATORS)
}

/// The target of a tool that takes percent; a share of one is told of with the percentage that it stands for.
fn percent(reader: &mut Reader, key: &str, tool: &str, target: (&Node, &str)) -> Option<String> {
    let (node, text) = (target.0, target.1.trim());
    let is_share = text.parse::<f64>().is_ok_and(|number| number > 0.0 && number <= 1.0);
    if !is_share {
        return Some(format!("{text}%"));
    }
    let message = format!("`{key}: {0}` is a share of one, and {tool} takes percent: it would be a target of {0} %", shortened(text));
    let meant = openslo::percent_of(text).filter(|percent| percent != "100%").unwrap_or_else(|| "99.9%".to_owned());
    tell(reader, &codes::WRONG_TYPE, &node.range, message, format!("write `{key}: {}`", meant.trim_end_matches('%')));
    None
}

/// An indicator in the place of one that could not be read: it has no mistakes of its own.
fn stand_in(place: &Range<usize>) -> Indicator {
    let counter = |metric: &str| [Selector::new(metric, Vec::new())];
    Indicator { sli: indicator::events_sli(Side::Bad, (place, &counter("bad")), (place, &counter("total"))), per: None }
}

/// Most characters of a title.
const TITLE: usize = 120;

/// The first line of a description, as a title; none where it is empty.
fn title(reader: &mut Reader, text: &str, place: &Range<usize>) -> Option<Node> {
    let first = text.lines().map(str::trim).find(|line| !line.is_empty())?;
    let whole = first.split_whitespace().collect::<Vec<_>>().join(" ");
    if whole.chars().count() <= TITLE {
        return Some(quoted(place, whole));
    }
    let cut: String = whole.chars().take(TITLE).collect();
    let cut = cut.rsplit_once(' ').map_or(cut.as_str(), |(words, _)| words).to_owned();
    tell(reader, &codes::CHANGED, place, format!("a title has at most {TITLE} characters, so the end is cut off"), "shorten it");
    Some(quoted(place, cut))
}
