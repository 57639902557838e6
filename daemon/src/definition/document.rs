//! One SLO document: service, team and its SLOs, checked and completed with defaults.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use burnward_core::{
    exclusion::ExcludedTime,
    id::{ServiceName, SloId, SloName, SourceName, TeamName, TenantId},
    oncall::{Recipient, Team},
    sli::Sli,
    slo::{LowTraffic, NewSeries, NoData, NoDataThen, NoTraffic, Objective, Origin, Slo, Urgency},
    status::Status,
    time::{days, hours, minutes},
};
use sha2::{Digest, Sha256};

use super::{
    case::{self, Case, NamedBy},
    codes,
    diagnostic::{Diagnostic, Severity, Source},
    objective,
    reader::{Fields, Keys, Reader, shortened, suggest},
    runbook,
    sli::{self, Promql},
    status,
    template::{self, Instance, Library},
    yaml::{self, Entry, Node},
};
use crate::{config::is_configuration_tree, import};

/// What a document is read in: whose it is, and what its names must refer to.
#[derive(Debug, Clone)]
pub struct Context {
    /// Whose documents they are.
    pub tenant: TenantId,
    /// Where the tenant's samples come from.
    pub source: SourceName,
    /// Whether that evaluates expressions.
    pub promql: Promql,
    /// Where runbooks are.
    pub runbooks: Runbooks,
    /// Which teams there are.
    pub teams: Teams,
    /// The templates of elsewhere that documents may be made of, and what the operator makes of them.
    pub templates: Templates,
}

impl Context {
    /// One in which documents are read for themselves: no name of a team or a runbook is looked for, and there are no templates.
    pub fn unchecked(tenant: TenantId, source: SourceName) -> Self {
        let (promql, runbooks, teams) = (Promql::Spoken, Runbooks::Unchecked, Teams::Unchecked);
        Self { tenant, source, promql, runbooks, teams, templates: Templates::default() }
    }
}

/// What templates there are beside those that are read with the documents.
#[derive(Debug, Clone, Default)]
pub struct Templates {
    /// The operator's.
    pub library: Arc<Library>,
    /// Where single files are read: those of the tenant's other documents.
    pub beside: Arc<Library>,
    /// What burnward.yaml makes of them for the tenant, by the name that each goes by in the place of a file's.
    pub instances: Vec<(String, Instance)>,
}

/// Where runbooks are looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Runbooks {
    /// Nowhere: names are taken as they are, as for texts that loaded before.
    Unchecked,
    /// The tenant has no directory of runbooks.
    Missing,
    /// In this directory.
    Directory(PathBuf),
}

/// Which teams a document may name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Teams {
    /// Any, as for texts that loaded before, or where there is no configuration.
    Unchecked,
    /// These, and whom each wakes.
    Known(BTreeMap<TeamName, Wakes>),
}

/// Whom the escalation of a team reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wakes {
    /// A person at least.
    Somebody,
    /// Channels alone.
    Nobody,
}

impl Teams {
    /// Those that a configuration declares.
    pub fn of(declared: &BTreeMap<TeamName, Team>) -> Self {
        let names_a_person = |team: &Team| team.escalation.iter().flat_map(|step| &step.page).any(|to| matches!(to, Recipient::Person(_)));
        let wakes = |team| if names_a_person(team) { Wakes::Somebody } else { Wakes::Nobody };
        Self::Known(declared.iter().map(|(name, team)| (name.clone(), wakes(team))).collect())
    }
}

/// The version of the format.
pub const VERSION: &str = "burnward/v1";

const DOCUMENT: Keys = Keys { of: "an SLO document", known: &["version", "service", "team", "slos", "tests"], later: &[] };
const TESTS: Keys = Keys { of: "a file of tests", known: &["version", "tests"], later: &[] };
const SLO: Keys = Keys {
    of: "an SLO",
    known: &[
        "name",
        "was",
        "title",
        "runbook",
        "sli",
        "per",
        "objectives",
        "no-data",
        "no-traffic",
        "low-traffic",
        "new-series",
        "excluded-time",
        "status",
    ],
    later: &[("depends-on", "remove it; incidents are grouped by service"), ("template", "make a document of a template: `from: NAME`")],
};
const NO_DATA: Keys = Keys { of: "`no-data`", known: &["after", "then"], later: &[] };
const NO_TRAFFIC: Keys = Keys { of: "`no-traffic`", known: &["after", "then"], later: &[] };
const LONGEST_TITLE: usize = 120;
/// How many SLOs a document holds at most.
pub(crate) const MAX_SLOS: usize = 1000;

/// The SLOs of a document with advice, or all of its mistakes.
pub type Read = Result<(Vec<Arc<Slo>>, Vec<Diagnostic>), Vec<Diagnostic>>;

/// A document that loads.
#[derive(Debug, Default)]
pub struct Document {
    /// Its SLOs.
    pub slos: Vec<Arc<Slo>>,
    /// Its tests.
    pub tests: Vec<Arc<Case>>,
    /// What somebody should look at.
    pub advice: Vec<Diagnostic>,
    /// What is wrong with tests, and what somebody should look at in them. It keeps no SLO from loading.
    pub of_tests: Vec<Diagnostic>,
}

/// Reads the SLOs of one document; what is wrong with its tests is among the advice.
///
/// # Errors
/// All mistakes and advice, in the order of the file.
pub fn read(source: &Arc<Source>, version: &str, context: &Context) -> Read {
    read_whole(source, version, context).map(|document| (document.slos, in_order([document.advice, document.of_tests].concat())))
}

/// Reads one document, or those of another tool as what they convert to.
///
/// # Errors
/// All mistakes and advice, in the order of the file.
pub fn read_whole(source: &Arc<Source>, version: &str, context: &Context) -> Result<Document, Vec<Diagnostic>> {
    read_parsed(source, yaml::parse(source), version, context)
}

/// The same for a text that was parsed.
///
/// # Errors
/// As [`read_whole`].
pub(super) fn read_parsed(
    source: &Arc<Source>,
    parsed: Result<Node, Vec<Diagnostic>>,
    version: &str,
    context: &Context,
) -> Result<Document, Vec<Diagnostic>> {
    match parsed {
        Ok(root) if import::is_foreign(&root) => read_foreign(source, &[root], version, context),
        Ok(root) => read_tree(source, &root, version, context),
        Err(faults) if faults.iter().any(|fault| fault.code == &codes::SEVERAL_DOCUMENTS) => match yaml::parse_all(source) {
            Ok(roots) if roots.iter().any(import::is_foreign) => read_foreign(source, &roots, version, context),
            Ok(roots) => Err(with_those_of_each(source, faults, &roots, (version, context))),
            Err(_) => Err(with_others(source, faults, version, context)),
        },
        Err(faults) => Err(with_others(source, faults, version, context)),
    }
}

/// The mistake that a text holds several documents, with those of the first, and of each further one that is one of SLOs.
fn with_those_of_each(
    source: &Arc<Source>,
    faults: Vec<Diagnostic>,
    roots: &[Node],
    (version, context): (&str, &Context),
) -> Vec<Diagnostic> {
    let is_of_slos = |root: &Node| matches!(&root.value, yaml::Value::Map(entries) if entries.iter().any(|entry| entry.key == "slos"));
    let wanted = roots.iter().enumerate().filter(|(at, root)| is_plain(root) && (*at == 0 || is_of_slos(root)));
    let mistakes = wanted.flat_map(|(_, root)| match read_tree(source, root, version, context) {
        Ok(document) => [document.advice, document.of_tests].concat(),
        Err(faults) => faults,
    });
    in_order(faults.into_iter().chain(mistakes).collect())
}

/// Whether a tree is to be a document of SLOs and nothing else.
fn is_plain(root: &Node) -> bool {
    !import::is_foreign(root) && template::role(root) == template::Role::Plain && !is_configuration_tree(root)
}

/// The mistakes that keep a text from being one document, with those of the document that it begins with.
fn with_others(source: &Arc<Source>, faults: Vec<Diagnostic>, version: &str, context: &Context) -> Vec<Diagnostic> {
    let Some(first) = yaml::read_on(source).filter(|first| is_plain(&first.root)) else { return faults };
    let others = match read_tree(source, &first.root, version, context) {
        Ok(document) => [document.advice, document.of_tests].concat(),
        Err(others) => others,
    };
    in_order(faults.into_iter().chain(others.into_iter().filter(|other| first.is_of_its_own(other))).collect())
}

/// Reads the tree of a document.
///
/// # Errors
/// As [`read_whole`].
pub(crate) fn read_tree(source: &Arc<Source>, root: &Node, version: &str, context: &Context) -> Result<Document, Vec<Diagnostic>> {
    let mut reader = Reader::new(source);
    let document = read_root(&mut reader, root, version, context).unwrap_or_default();
    finish(reader, document)
}

/// Reads documents of another tool as what they convert to; everything points to where it stands there, where secrets are not shown.
fn read_foreign(source: &Arc<Source>, roots: &[Node], version: &str, context: &Context) -> Result<Document, Vec<Diagnostic>> {
    let source = import::source(source.name(), source.text());
    let import::Trees { documents, for_their_mistakes, faults } = import::documents(&source, roots);
    let (mut reader, mut aside) = (Reader::new(&source), Reader::new(&source));
    for tree in &for_their_mistakes {
        read_root(&mut aside, tree, version, context);
    }
    let mistakes = aside.finish().into_iter().filter(|fault| fault.severity() == Severity::Error);
    for fault in faults.into_iter().chain(mistakes) {
        reader.report(fault);
    }
    let mut whole = Document::default();
    for tree in &documents {
        whole.slos.extend(read_root(&mut reader, tree, version, context).unwrap_or_default().slos);
    }
    finish(reader, whole).map_err(team_once)
}

/// A team that foreign labels name and nobody declared is told once, with what to add.
fn team_once(faults: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let mut told = BTreeSet::new();
    let mut once: Vec<Diagnostic> =
        faults.into_iter().filter(|fault| fault.code != &codes::UNKNOWN_TEAM || told.insert(fault.message.clone())).collect();
    for fault in once.iter_mut().filter(|fault| fault.code == &codes::UNKNOWN_TEAM) {
        fault.help.push("or name another one, which comes before what other labels say, by the label `burnward.dev/team`".to_owned());
    }
    once
}

/// Reads a file that holds tests alone.
///
/// # Errors
/// All mistakes and advice, in the order of the file.
pub fn read_tests(source: &Arc<Source>) -> Result<Document, Vec<Diagnostic>> {
    let root = yaml::parse(source)?;
    let mut reader = Reader::new(source);
    let mut document = Document::default();
    if let Some(fields) = reader.map(&root, &TESTS) {
        read_version(&mut reader, &fields);
        let node = reader.required(&fields, "tests", "[{ name: ..., slo: checkout/availability, lasts: 3h, traffic: ..., expect: ... }]");
        let cases = node.map(|node| read_cases(source, node, &NamedBy::Service)).unwrap_or_default();
        (document.tests, document.of_tests) = cases;
    }
    finish(reader, document)
}

/// Tests, and their mistakes apart from those of the SLOs.
fn read_cases(source: &Arc<Source>, node: &Node, named_by: &NamedBy<'_>) -> (Vec<Arc<Case>>, Vec<Diagnostic>) {
    let mut reader = Reader::new(source);
    let cases = case::read(&mut reader, node, named_by);
    (cases, reader.finish())
}

fn finish(reader: Reader, document: Document) -> Result<Document, Vec<Diagnostic>> {
    let failed = reader.failed();
    let advice = reader.finish();
    if failed { Err(in_order([advice, document.of_tests].concat())) } else { Ok(Document { advice, ..document }) }
}

/// Diagnostics of one file, from its first line to its last.
pub(super) fn in_order(mut faults: Vec<Diagnostic>) -> Vec<Diagnostic> {
    faults.sort_by_key(|fault| fault.place.range.clone().map_or((0, 0), |range| (range.start, range.end)));
    faults
}

/// First 12 hex digits of the SHA-256 of a text.
pub fn version_of(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    let digits = digest.iter().take(6).flat_map(|byte| [byte >> 4, byte & 0xf]);
    digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect()
}

/// What all SLOs of a document share.
struct Shared<'a> {
    service: Option<ServiceName>,
    team: Option<TeamName>,
    version: &'a str,
    context: &'a Context,
}

fn read_root(reader: &mut Reader, root: &Node, version: &str, context: &Context) -> Option<Document> {
    let fields = reader.map(root, &DOCUMENT)?;
    read_version(reader, &fields);
    let service =
        reader.required(&fields, "service", "checkout").and_then(|node| reader.name(node, "a service's name", ServiceName::parse));
    let team = reader.required(&fields, "team", "payments").and_then(|node| read_team(reader, node, &context.teams));
    let shared = Shared { service, team, version, context };
    let (slos, names) = match reader.required(&fields, "slos", "[{ name: availability, sli: ..., objectives: ... }]") {
        Some(node) => read_slos(reader, node, &shared),
        None => Default::default(),
    };
    if let (Some(team), Some(entry)) = (&shared.team, fields.entry("team")) {
        advise_on_team(reader, &entry.value, (team, &context.teams), &slos);
    }
    let named_by = NamedBy::Document { service: shared.service.as_ref(), slos: &names };
    let tests = reader.optional(&fields, "tests").map(|node| read_cases(reader.source(), node, &named_by));
    let (tests, of_tests) = tests.unwrap_or_default();
    Some(Document { slos, tests, advice: Vec::new(), of_tests })
}

/// The SLOs, and the names of all that stand there: those with mistakes, too.
fn read_slos(reader: &mut Reader, node: &Node, shared: &Shared<'_>) -> (Vec<Arc<Slo>>, Vec<SloName>) {
    let items = reader.list(node, "`slos`").unwrap_or_default();
    if matches!(&node.value, yaml::Value::List(_)) && (items.is_empty() || items.len() > MAX_SLOS) {
        reader.error(&codes::WRONG_TYPE, node.range.clone(), format!("a document holds 1 to {MAX_SLOS} SLOs"));
    }
    let mut names: Vec<(SloName, Range<usize>)> = Vec::new();
    let slos = items.iter().filter_map(|item| read_slo(reader, item, shared, &mut names)).map(Arc::new).collect();
    (slos, names.into_iter().map(|(name, _)| name).collect())
}

/// Checks the `version:` that every file starts with.
pub fn read_version(reader: &mut Reader, fields: &Fields<'_>) {
    let Some(node) = reader.required(fields, "version", VERSION) else { return };
    if let Some(text) = reader.text(node, "`version`")
        && text != VERSION
    {
        let message = format!("version `{}` is not known", shortened(text));
        let diagnostic = reader.diagnostic(&codes::VERSION, node.range.clone(), message);
        reader.report(diagnostic.help(format!("this burnward reads `version: {VERSION}`")));
    }
}

fn read_team(reader: &mut Reader, node: &Node, teams: &Teams) -> Option<TeamName> {
    let team = reader.name(node, "a team's name", TeamName::parse)?;
    match teams {
        Teams::Known(known) if !known.contains_key(&team) => {
            let diagnostic = reader.diagnostic(&codes::UNKNOWN_TEAM, node.range.clone(), format!("there is no team `{team}`"));
            let names: Vec<&str> = known.keys().map(TeamName::as_str).collect();
            reader.report(suggest(diagnostic, team.as_str(), &names).help("declare it under `teams:` in burnward.yaml"));
            None
        }
        Teams::Known(_) | Teams::Unchecked => Some(team),
    }
}

/// A page that wakes nobody waits until somebody looks.
fn advise_on_team(reader: &mut Reader, node: &Node, (team, teams): (&TeamName, &Teams), slos: &[Arc<Slo>]) {
    let wakes = match teams {
        Teams::Known(known) => known.get(team),
        Teams::Unchecked => None,
    };
    let Some(slo) = slos.iter().find(|slo| pages(slo)).filter(|_| wakes == Some(&Wakes::Nobody)) else { return };
    let message = format!("`{}` pages, and nobody in the team `{team}` is woken", slo.id.name);
    let diagnostic = reader.diagnostic(&codes::NOBODY_WOKEN, node.range.clone(), message).label("its escalation names channels alone");
    let help = "add `escalation: [{ page: [NAME] }]` to the team in burnward.yaml, or set `alerting: ticket` where nobody is to get up";
    reader.report(diagnostic.help(help));
}

fn read_slo(reader: &mut Reader, node: &Node, shared: &Shared<'_>, names: &mut Vec<(SloName, Range<usize>)>) -> Option<Slo> {
    let fields = reader.map(node, &SLO)?;
    let name_node = reader.required(&fields, "name", "availability");
    let name = name_node.and_then(|node| read_name(reader, node, names));
    let was = reader.optional(&fields, "was").and_then(|node| read_was(reader, node, name.as_ref()));
    let title = reader.optional(&fields, "title").and_then(|node| reader.line(node, "a title", LONGEST_TITLE)).map(ToOwned::to_owned);
    let sli_node = reader.required(&fields, "sli", "{ events: { bad: 'errors_total', total: 'requests_total' } }");
    let per = reader.optional(&fields, "per").map_or(Some(Vec::new()), |node| sli::read_per(reader, node));
    let sli = sli_node.and_then(|node| sli::read(reader, node, per.as_deref(), shared.context.promql, &shared.context.tenant));
    let objectives =
        reader.required(&fields, "objectives", "[{ target: 99.9%, window: 30d }]").and_then(|node| objective::read(reader, node));
    let no_data = read_no_data(reader, &fields);
    let no_traffic = read_no_traffic(reader, &fields);
    let low_traffic = read_low_traffic(reader, &fields);
    let new_series = read_new_series(reader, &fields);
    let excluded_time = read_excluded_time(reader, &fields);
    let status = status::read(reader, &fields);
    // What is in shadow tells nobody, and needs one once it is active.
    let telling = objectives.as_deref().filter(|_| status != Status::Shadow);
    let runbook = read_runbook(reader, &fields, telling, &shared.context.runbooks);
    if let (Some(node), Some(sli), Some(objectives)) = (sli_node, &sli, &objectives) {
        sli::check_lookbacks(reader, node, sli, objectives);
        if let Some(composite) = sli.composite() {
            sli::check_objectives(reader, node, composite, objectives);
        }
    }
    if let (Some(entry), Some(per), Some(sli)) = (fields.entry("per"), &per, &sli) {
        sli::advise_on_split(reader, &entry.value, per, sli);
    }
    if let (Some(entry), Some(sli)) = (fields.entry("new-series"), &sli) {
        check_new_series(reader, entry, sli);
    }
    if let (Some(entry), Some(sli)) = (fields.entry("no-traffic"), &sli) {
        check_no_traffic(reader, entry, sli);
    }
    let (name, service, node) = (name?, shared.service.clone()?, name_node?);
    let title = title.unwrap_or_else(|| format!("{service} {name}"));
    let id = SloId { tenant: shared.context.tenant.clone(), service, name };
    let origin = origin(reader, node, shared.version);
    let (team, source) = (shared.team.clone()?, shared.context.source.clone());
    Some(Slo {
        id,
        was,
        title,
        team,
        runbook,
        source,
        sli: sli?,
        per: per?,
        objectives: objectives?,
        no_data,
        no_traffic,
        new_series,
        low_traffic,
        excluded_time,
        status,
        origin,
    })
}

fn origin(reader: &Reader, name: &Node, version: &str) -> Origin {
    let line = reader.source().position(name.range.start).line;
    Origin { file: reader.source().name().to_owned(), line: u32::try_from(line).unwrap_or(u32::MAX), version: version.to_owned() }
}

fn read_name(reader: &mut Reader, node: &Node, names: &mut Vec<(SloName, Range<usize>)>) -> Option<SloName> {
    let name = reader.name(node, "an SLO's name", SloName::parse)?;
    if let Some((_, first)) = names.iter().find(|(have, _)| *have == name) {
        let diagnostic = reader.diagnostic(&codes::DUPLICATE_NAME, node.range.clone(), format!("two SLOs are called `{name}`"));
        let related = reader.place(first.clone());
        reader.report(diagnostic.related(related, "the first one").help("give one of them another name"));
        return None;
    }
    names.push((name.clone(), node.range.clone()));
    Some(name)
}

/// The former name: within the service, because incidents and whole exclusions are of a service.
fn read_was(reader: &mut Reader, node: &Node, name: Option<&SloName>) -> Option<SloName> {
    let was = reader.name(node, "the name that an SLO of this service had", SloName::parse)?;
    if Some(&was) == name {
        let diagnostic = reader.diagnostic(&codes::FORMER_NAME, node.range.clone(), format!("`{was}` is the name that the SLO has"));
        reader.report(diagnostic.help("remove it, or write the name that the SLO had before"));
        return None;
    }
    Some(was)
}

fn read_no_data(reader: &mut Reader, fields: &Fields<'_>) -> NoData {
    const BOUNDS: std::ops::RangeInclusive<Duration> = minutes(1)..=days(7);
    let default = NoData { after: minutes(5), then: NoDataThen::TellOwner };
    let Some(node) = reader.optional(fields, "no-data") else { return default };
    let Some(inner) = reader.map(node, &NO_DATA) else { return default };
    let after = reader.optional(&inner, "after").and_then(|node| reader.duration_within(node, "`after`", BOUNDS));
    let then = match reader.optional(&inner, "then") {
        Some(node) => read_then(reader, node),
        None => None,
    };
    NoData { after: after.unwrap_or(default.after), then: then.unwrap_or(default.then) }
}

fn read_then(reader: &mut Reader, node: &Node) -> Option<NoDataThen> {
    let word = reader.text(node, "`then`")?;
    let known = NoDataThen::ALL.into_iter().find(|known| known.word() == word);
    if known.is_none() {
        one_of(reader, node, word, &NoDataThen::ALL.map(NoDataThen::word));
    }
    known
}

/// `fine`, `tell-owner`, or a mapping that says after how long.
fn read_no_traffic(reader: &mut Reader, fields: &Fields<'_>) -> NoTraffic {
    const BOUNDS: std::ops::RangeInclusive<Duration> = minutes(1)..=days(7);
    const AFTER: Duration = hours(1);
    let Some(node) = reader.optional(fields, "no-traffic") else { return NoTraffic::default() };
    let (then, after) = match &node.value {
        yaml::Value::Map(_) => {
            let Some(inner) = reader.map(node, &NO_TRAFFIC) else { return NoTraffic::default() };
            let after = reader.optional(&inner, "after").and_then(|node| reader.duration_within(node, "`after`", BOUNDS));
            (reader.required(&inner, "then", "tell-owner"), after)
        }
        yaml::Value::Scalar { .. } | yaml::Value::List(_) => (Some(node), None),
    };
    let known = [NoTraffic::Fine, NoTraffic::TellOwner { after: after.unwrap_or(AFTER) }];
    let Some((node, word)) = then.and_then(|node| Some((node, reader.text(node, "`no-traffic`")?))) else { return NoTraffic::default() };
    known.into_iter().find(|policy| policy.word() == word).unwrap_or_else(|| {
        one_of(reader, node, word, &known.map(NoTraffic::word));
        NoTraffic::default()
    })
}

fn read_low_traffic(reader: &mut Reader, fields: &Fields<'_>) -> LowTraffic {
    let Some(node) = reader.optional(fields, "low-traffic") else { return LowTraffic::default() };
    match reader.text(node, "`low-traffic`") {
        Some("exact") | None => LowTraffic::Exact,
        Some("off") => LowTraffic::Off,
        Some(other) => {
            one_of(reader, node, other, &["exact", "off"]);
            LowTraffic::default()
        }
    }
}

fn read_excluded_time(reader: &mut Reader, fields: &Fields<'_>) -> ExcludedTime {
    const ALL: [ExcludedTime; 2] = [ExcludedTime::Removed, ExcludedTime::CountsAsGood];
    let Some(node) = reader.optional(fields, "excluded-time") else { return ExcludedTime::default() };
    let Some(word) = reader.text(node, "`excluded-time`") else { return ExcludedTime::default() };
    let known = ALL.into_iter().find(|known| known.word() == word);
    if known.is_none() {
        one_of(reader, node, word, &ALL.map(ExcludedTime::word));
    }
    known.unwrap_or_default()
}

fn read_new_series(reader: &mut Reader, fields: &Fields<'_>) -> NewSeries {
    const KNOWN: [NewSeries; 3] = [NewSeries::Auto, NewSeries::CountFirst, NewSeries::Baseline];
    let Some(node) = reader.optional(fields, "new-series") else { return NewSeries::Auto };
    let Some(text) = reader.text(node, "`new-series`") else { return NewSeries::Auto };
    KNOWN.into_iter().find(|policy| policy.word() == text).unwrap_or_else(|| {
        one_of(reader, node, text, &KNOWN.map(NewSeries::word));
        NewSeries::Auto
    })
}

/// Only counters have a first value.
fn check_new_series(reader: &mut Reader, entry: &Entry, sli: &Sli) {
    if !sli.counts_counters() {
        let message = "`new-series` says what the first value of a counter is, and this SLI counts none";
        let diagnostic = reader.diagnostic(&codes::NEW_SERIES, entry.key_range.clone(), message);
        reader.report(diagnostic.help("remove it"));
    }
}

/// Only what counts requests or observations can be without any: of slices of time and probes there is always the next.
fn check_no_traffic(reader: &mut Reader, entry: &Entry, sli: &Sli) {
    if !sli.can_be_silent() {
        let message = "`no-traffic` is about requests, and this SLI counts probes or slices of time";
        let diagnostic = reader.diagnostic(&codes::NO_TRAFFIC, entry.key_range.clone(), message);
        reader.report(diagnostic.help("remove it; `no-data` says what happens when none comes"));
    }
}

/// Refuses a word.
fn one_of(reader: &mut Reader, node: &Node, word: &str, known: &[&str]) {
    let diagnostic = reader.diagnostic(&codes::WRONG_TYPE, node.range.clone(), format!("`{}` is not known here", shortened(word)));
    reader.report(diagnostic.help(format!("supported: {}", known.join(", "))));
}

/// Whether it ever calls for somebody at once.
fn pages(slo: &Slo) -> bool {
    has_page_rows(&slo.objectives) || slo.no_data.then == NoDataThen::Page
}

fn has_page_rows(objectives: &[Objective]) -> bool {
    objectives.iter().flat_map(|objective| &objective.rows).any(|row| row.urgency == Urgency::Page)
}

fn read_runbook(reader: &mut Reader, fields: &Fields<'_>, objectives: Option<&[Objective]>, runbooks: &Runbooks) -> Option<String> {
    if fields.entry("runbook").is_none() {
        if objectives.is_some_and(has_page_rows) && !["runbook", "status"].iter().any(|key| fields.misspelt(key)) {
            let diagnostic = reader.diagnostic(&codes::NO_RUNBOOK, fields.place(), "the SLO pages someone but has no runbook");
            reader.report(diagnostic.help("add `runbook: NAME.md`, the name of a file in the tenant's runbooks directory"));
        }
        return None;
    }
    let node = reader.optional(fields, "runbook")?;
    let name = reader.text(node, "`runbook`")?;
    if !runbook::is_file_name(name) {
        let message = format!("`{}` is not the name of a runbook", shortened(name));
        let diagnostic = reader.diagnostic(&codes::RUNBOOK_NAME, node.range.clone(), message);
        reader.report(diagnostic.help("a file name without directories that ends in .md, such as checkout-availability.md"));
        return None;
    }
    let missing = match runbooks {
        Runbooks::Unchecked => return Some(name.to_owned()),
        Runbooks::Missing => "the tenant has no `runbooks:` directory in burnward.yaml".to_owned(),
        Runbooks::Directory(directory) if directory.join(name).is_file() => return Some(name.to_owned()),
        Runbooks::Directory(directory) => format!("there is no file {}", directory.join(name).display()),
    };
    let diagnostic = reader.diagnostic(&codes::RUNBOOK, node.range.clone(), "the runbook does not exist");
    reader.report(diagnostic.help(missing));
    None
}
