//! Which SLOs metrics are good for: counters that tell bad events from others, pairs of counters, histograms of durations, probes, and at last whether
//! a service can be scraped at all. What people feel comes first: answers of a service before what it asks of others.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use burnward_core::sli::{MatchOp, Matcher, Selector};

use super::{
    convention,
    family::{Boundary, Family},
    pair,
};
use crate::definition::{duration, selector};

/// An SLO that could be.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// Its name within the service.
    pub name: String,
    /// What it promises.
    pub title: String,
    /// What it counts.
    pub indicator: Indicator,
    /// What a reader should know about how it counts, a sentence each.
    pub remarks: Vec<String>,
    /// Labels that tell customers apart, and how many values were seen.
    pub per: Option<(String, usize)>,
}

/// What a candidate counts.
#[derive(Debug, Clone, PartialEq)]
pub enum Indicator {
    /// Bad events among all.
    Events {
        /// Which are bad.
        bad: Selector,
        /// All.
        total: Selector,
        /// Whether a bad one was ever seen.
        failed: bool,
    },
    /// Observations that are at most so long.
    Latency {
        /// The histogram, without `_bucket`.
        histogram: Selector,
        /// Which of the boundaries.
        within: Duration,
        /// Whether that was chosen by what was observed.
        by_observation: bool,
        /// Whether the histogram is a native one.
        native: bool,
    },
    /// Samples of 0 and 1.
    Probe {
        /// What is sampled.
        series: Selector,
    },
}

impl Indicator {
    /// The selector of all events, as a source has them.
    pub fn total(&self) -> Selector {
        match self {
            Self::Events { total, .. } => total.clone(),
            Self::Latency { histogram, native: true, .. } => histogram.clone(),
            Self::Latency { histogram, native: false, .. } => {
                let all = Matcher { label: "le".to_owned(), op: MatchOp::Regex, value: "\\+Inf".to_owned() };
                Selector::new(&format!("{}_bucket", histogram.metric()), histogram.matchers().to_vec()).with(all)
            }
            Self::Probe { series } => series.clone(),
        }
    }

    /// Whether it is counted of this metric, or of the histogram that this one is a part of.
    fn counts(&self, metric: &str) -> bool {
        let is = |own: &str| pair::histogram_of(own) == pair::histogram_of(metric);
        match self {
            Self::Events { bad, total, .. } => is(bad.metric()) || is(total.metric()),
            Self::Latency { .. } | Self::Probe { .. } => is(self.metric()),
        }
    }

    /// The metric that a reader knows it by.
    pub fn metric(&self) -> &str {
        match self {
            Self::Events { total, .. } => total.metric(),
            Self::Latency { histogram, .. } => histogram.metric(),
            Self::Probe { series } => series.metric(),
        }
    }
}

/// What was found in metrics.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Found {
    /// What is proposed, most worth first.
    pub proposed: Vec<Candidate>,
    /// Metrics that would do, too.
    pub others: Vec<String>,
    /// What could not be used, and why, a sentence each.
    pub unused: Vec<String>,
}

/// More SLOs of one service are too many to begin with.
const MOST_PROPOSED: usize = 4;

/// Labels by which customers are told apart.
const CUSTOMERS: [&str; 6] = ["tenant", "tenant_id", "customer", "customer_id", "organization", "org_id"];
/// More groups are not kept apart.
const MOST_GROUPS: usize = 1_000;

/// Beginnings of metrics that client libraries have about themselves, and of what a process is made of.
const OF_THE_PROCESS: [&str; 12] = [
    "promhttp_",
    "go_",
    "process_",
    "python_",
    "jvm_",
    "nodejs_",
    "scrape_",
    "logback_",
    "log4j2_",
    "net_conntrack_",
    "prometheus_sd_",
    "executor_",
];

/// Words for what is answered to somebody.
const ANSWERING: [&str; 12] =
    ["http", "https", "grpc", "rpc", "request", "requests", "handled", "handling", "handler", "response", "responses", "query"];

/// How much a metric tells of what people feel, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Worth {
    /// Answers to requests over HTTP.
    Http,
    /// Answers to calls over gRPC.
    Grpc,
    /// Answers of another kind.
    Answers,
    /// Work that can fail.
    Work,
    /// What is asked of others.
    Outgoing,
    /// The process itself: proposed only where it is asked for by name.
    Process,
}

impl Worth {
    fn of(family: &Family) -> Self {
        let words: BTreeSet<&str> = family.words().into_iter().collect();
        let has = |word: &str| words.contains(word);
        if OF_THE_PROCESS.iter().any(|beginning| family.name.starts_with(beginning)) {
            Self::Process
        } else if ["client", "outgoing", "upstream", "egress"].into_iter().any(has) {
            Self::Outgoing
        } else if has("grpc") || has("rpc") {
            Self::Grpc
        } else if has("http") || has("https") {
            Self::Http
        } else if ANSWERING.into_iter().any(has) {
            Self::Answers
        } else {
            Self::Work
        }
    }

    /// Whether one indicator of a kind is enough: the others count the same answers in another way.
    const fn is_one(self) -> bool {
        match self {
            Self::Http | Self::Grpc => true,
            Self::Answers | Self::Work | Self::Outgoing | Self::Process => false,
        }
    }
}

/// The kinds of indicators, in the order in which they are proposed of one worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Availability,
    Latency,
}

/// What is looked for in which metrics.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// As people call the service.
    pub service: &'a str,
    /// Matchers of everything that is counted.
    pub matchers: &'a [Matcher],
    /// The metric that was asked for by its name, if any: then whatever it can be counted for is proposed, and nothing else.
    pub metric: &'a str,
    /// Native histograms that are known as such, by name.
    pub native: &'a BTreeSet<String>,
}

/// The SLOs that these metrics are good for.
pub fn find(families: &[Family], wanted: Wanted<'_>) -> Found {
    let by_name: BTreeMap<&str, &Family> = families.iter().map(|family| (family.name.as_str(), family)).collect();
    let mut found = Found::default();
    let mut ranked: Vec<(Worth, Kind, String, Candidate)> = Vec::new();
    for family in families {
        let worth = Worth::of(family);
        let rank = |kind, candidate: Candidate| (worth, kind, stem(family), candidate);
        ranked.extend(wanted.events(family, &by_name).map(|candidate| rank(Kind::Availability, candidate)));
        match wanted.latency(family) {
            Some(Ok(candidate)) if wanted.named() || may_answer(&family.name) => {
                ranked.push(rank(Kind::Latency, candidate));
            }
            Some(Err(why)) => found.unused.push(why),
            Some(Ok(_)) | None => {}
        }
        ranked.extend(wanted.probe(family).map(|candidate| rank(Kind::Availability, candidate)));
    }
    ranked.retain(|(.., candidate)| {
        let written = is_written(&candidate.indicator);
        if !written {
            found.unused.push(format!("{} has labels that a document cannot write", candidate.indicator.metric()));
        }
        written && (!wanted.named() || candidate.indicator.counts(wanted.metric))
    });
    ranked.sort_by(|one, other| (one.0, one.1, native_last(&one.3), &one.2).cmp(&(other.0, other.1, native_last(&other.3), &other.2)));
    let answers = ranked.first().is_some_and(|(worth, ..)| *worth <= Worth::Answers);
    let mut kinds = BTreeSet::new();
    let mut names = BTreeSet::new();
    for (worth, kind, stem, candidate) in ranked {
        if worth == Worth::Process && !wanted.named() {
            continue;
        }
        let again = worth.is_one() && !kinds.insert((worth, kind));
        let beside = answers && worth > Worth::Answers && !wanted.named();
        if again || beside || found.proposed.len() >= MOST_PROPOSED {
            found.others.push(candidate.indicator.metric().to_owned());
            continue;
        }
        let name = name_of(kind, &stem, worth, &names);
        names.insert(name.clone());
        found.proposed.push(Candidate { name, ..candidate });
    }
    found.others.dedup();
    found
}

/// Whether a metric may tell good events from bad, by its name alone.
pub(super) fn may_tell(name: &str, named: bool) -> bool {
    let kind = ["_total", "_count", "_requests", "_seconds_bucket"].into_iter().any(|end| name.ends_with(end)) || name == "probe_success";
    let own = OF_THE_PROCESS.iter().any(|beginning| name.starts_with(beginning));
    let answering = !name.ends_with("_bucket") || may_answer(name);
    let classic = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b':');
    classic && (named || (kind && !own && answering))
}

/// Whether a metric has a word for what is answered to somebody.
pub(super) fn may_answer(name: &str) -> bool {
    Family::named(name).words().iter().any(|word| ANSWERING.contains(word))
}

/// What a metric tells, by its name alone: the less, the more people feel it.
pub(super) fn worth_of_name(name: &str) -> u8 {
    match Worth::of(&Family::named(name)) {
        Worth::Http => 0,
        Worth::Grpc => 1,
        Worth::Answers => 2,
        Worth::Work => 3,
        Worth::Outgoing => 4,
        Worth::Process => 5,
    }
}

/// Whether a label tells customers apart.
pub(super) fn tells_customers(label: &str) -> bool {
    CUSTOMERS.contains(&label)
}

/// Whether its selectors read back as they are written.
fn is_written(indicator: &Indicator) -> bool {
    match indicator {
        Indicator::Events { bad, total, .. } => selector::is_faithful(bad) && selector::is_faithful(total),
        Indicator::Latency { histogram: series, .. } | Indicator::Probe { series } => selector::is_faithful(series),
    }
}

/// A counter and a histogram before a native histogram of the same worth.
const fn native_last(candidate: &Candidate) -> bool {
    matches!(candidate.indicator, Indicator::Latency { native: true, .. })
}

/// Whether the service can be scraped, for want of anything better.
pub fn reachable(service: &str, matchers: &[Matcher]) -> Candidate {
    Candidate {
        name: "reachable".to_owned(),
        title: format!("{service} can be scraped"),
        indicator: Indicator::Probe { series: Selector::new("up", matchers.to_vec()) },
        remarks: vec![
            "Each scrape of each target is one event. This tells whether processes answer, not whether people are served: count requests where you can.".to_owned(),
        ],
        per: None,
    }
}

impl Wanted<'_> {
    const fn named(&self) -> bool {
        !self.metric.is_empty()
    }

    fn selector(&self, metric: &str) -> Selector {
        Selector::new(metric, self.matchers.to_vec())
    }

    /// Bad events among all: by a label, or by a counter of failures beside one of everything.
    fn events(&self, family: &Family, all: &BTreeMap<&str, &Family>) -> Option<Candidate> {
        let counts =
            family.name.ends_with("_total") || family.name.ends_with("_count") || self.named() || family.name.ends_with("_requests");
        if !counts || family.name.ends_with("_bucket") {
            return None;
        }
        self.by_label(family).or_else(|| self.by_pair(family, all))
    }

    fn by_label(&self, family: &Family) -> Option<Candidate> {
        let convention = convention::of(family)?;
        let total = self.selector(&family.name);
        let mut remarks = vec![match convention.seen_bad.as_slice() {
            [] => format!("Bad: {}. None was seen, so whether this would match one cannot be told.", convention.meaning),
            seen => format!("Bad: {}. Seen: {}.", convention.meaning, listed(seen)),
        }];
        if !convention.doubtful.is_empty() {
            remarks.push(format!("Counts as good, and may not be: {}.", listed(&convention.doubtful)));
        }
        Some(Candidate {
            name: String::new(),
            title: self.promise(family, "without an error"),
            indicator: Indicator::Events { bad: total.with(convention.bad), total, failed: !convention.seen_bad.is_empty() },
            remarks,
            per: per(family),
        })
    }

    fn by_pair(&self, family: &Family, all: &BTreeMap<&str, &Family>) -> Option<Candidate> {
        let total = pair::whole_of(family, all)?;
        Some(Candidate {
            name: String::new(),
            title: self.promise(total, "without an error"),
            indicator: Indicator::Events { bad: self.selector(&family.name), total: self.selector(&total.name), failed: true },
            remarks: vec![format!("Taken for granted by the names: {} counts failures, too.", total.name)],
            per: per(total),
        })
    }

    /// A histogram of seconds, or why it cannot be used.
    fn latency(&self, family: &Family) -> Option<Result<Candidate, String>> {
        let native = self.native.contains(&family.name);
        let histogram = if native { family.name.as_str() } else { family.name.strip_suffix("_bucket")? };
        if !histogram.ends_with("_seconds") {
            return None;
        }
        let finite: Vec<Boundary> = family.boundaries.iter().copied().filter(|boundary| boundary.seconds.is_finite()).collect();
        let (within, by_observation) = if native {
            (NATIVE_WITHIN, false)
        } else {
            match threshold(&finite, observations(family)) {
                Some(chosen) => chosen,
                None if finite.is_empty() => {
                    return Some(Err(format!(
                        "{histogram} has no bucket but +Inf: it may be a native histogram, which text does not show; ask a Prometheus with --source"
                    )));
                }
                None => return Some(Err(format!("{histogram} has no bucket boundary of whole milliseconds"))),
            }
        };
        let boundaries: Vec<String> = finite.iter().filter_map(|boundary| as_duration(boundary.seconds)).map(duration::format).collect();
        let remark = if native {
            "A native histogram knows every power of two exactly: 125ms, 250ms, 500ms, 1s.".to_owned()
        } else {
            format!("Its boundaries: {}.", boundaries.join(", "))
        };
        let text = duration::format(within);
        Some(Ok(Candidate {
            name: String::new(),
            title: self.promise(family, &format!("within {text}")),
            indicator: Indicator::Latency { histogram: self.selector(histogram), within, by_observation, native },
            remarks: vec![remark],
            per: per(family),
        }))
    }

    /// What a blackbox exporter tells.
    fn probe(&self, family: &Family) -> Option<Candidate> {
        let known = family.name == "probe_success" || (self.named() && (family.name == "up" || family.name.ends_with("_up")));
        known.then(|| Candidate {
            name: String::new(),
            title: format!("{} answers when it is tried", cut(self.service)),
            indicator: Indicator::Probe { series: self.selector(&family.name) },
            remarks: vec!["Each try is one event.".to_owned()],
            per: None,
        })
    }

    fn promise(&self, family: &Family, how: &str) -> String {
        let service = cut(self.service);
        match Worth::of(family) {
            Worth::Http | Worth::Answers => format!("Requests to {service} are answered {how}"),
            Worth::Grpc => format!("Calls of {service} are answered {how}"),
            Worth::Outgoing => format!("What {service} asks of others is answered {how}"),
            Worth::Work | Worth::Process => format!("{} of {service}: done {how}", cut(&stem(family).replace('-', " "))),
        }
    }
}

/// A title has room for so much of a name.
fn cut(text: &str) -> String {
    burnward_core::words::cut(text, 40)
}

/// Where nothing is known of durations, a native histogram is asked for what is exact in each.
const NATIVE_WITHIN: Duration = Duration::from_millis(500);

/// At most ten values.
fn listed(values: &[String]) -> String {
    burnward_core::words::list(values, 10)
}

fn per(family: &Family) -> Option<(String, usize)> {
    let of = |label: &&str| family.labels.get(*label).map(|values| ((*label).to_owned(), values.len()));
    CUSTOMERS.iter().find_map(of).filter(|(_, values)| (2..=MOST_GROUPS).contains(values))
}

/// The observations of all buckets.
fn observations(family: &Family) -> f64 {
    family.boundaries.last().filter(|last| last.seconds.is_infinite()).map_or(0.0, |last| last.observed)
}

/// So many observations are enough to choose a boundary by.
const ENOUGH: f64 = 100.0;
/// What is aimed at: 99 %, with a quarter of its budget left.
const AIM: f64 = 0.9925;
/// Where nothing was observed, the boundary next to this is taken.
const USUAL_SECONDS: f64 = 0.5;

/// The boundary that nearly all observations keep, and whether observations say so: the smallest that 99 % keep with some room, else the largest.
fn threshold(finite: &[Boundary], observations: f64) -> Option<(Duration, bool)> {
    let usable: Vec<(Duration, &Boundary)> =
        finite.iter().filter_map(|boundary| Some((as_duration(boundary.seconds)?, boundary))).collect();
    if observations >= ENOUGH {
        let kept = usable.iter().find(|(_, boundary)| boundary.observed >= AIM * observations).or(usable.last())?;
        return Some((kept.0, true));
    }
    let apart = |boundary: &Boundary| (boundary.seconds / USUAL_SECONDS).ln().abs();
    let usual = usable.iter().min_by(|one, other| apart(one.1).total_cmp(&apart(other.1)))?;
    Some((usual.0, false))
}

/// A boundary as a document writes it: whole milliseconds, above zero.
fn as_duration(seconds: f64) -> Option<Duration> {
    let millis = (seconds * 1000.0).round();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be positive and small, and whole")]
    let duration = (1.0..1e9).contains(&millis).then(|| Duration::from_millis(millis as u64))?;
    // Compared as numbers, as counting does: what is not this many milliseconds to the last digit is another boundary.
    (duration.as_secs_f64().total_cmp(&seconds).is_eq()).then_some(duration)
}

/// The name of a metric without what every metric has.
fn stem(family: &Family) -> String {
    let ends = ["_total", "_count", "_bucket", "_seconds", "_duration"];
    let mut name = family.name.to_ascii_lowercase();
    for end in ends {
        if let Some(shorter) = name.strip_suffix(end).filter(|shorter| !shorter.is_empty()) {
            name = shorter.to_owned();
        }
    }
    let kept: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    kept.split('-').filter(|word| !word.is_empty() && !pair::FAILURES.contains(word)).collect::<Vec<_>>().join("-")
}

/// A name that no other has: `availability` and `latency` of what answers, and of others with their stem.
fn name_of(kind: Kind, stem: &str, worth: Worth, taken: &BTreeSet<String>) -> String {
    const LONGEST_STEM: usize = 45;
    let kind = match kind {
        Kind::Availability => "availability",
        Kind::Latency => "latency",
    };
    let stem: String = stem.chars().take(LONGEST_STEM).collect();
    let numbered = (2..).map(|number| format!("{kind}-{number}"));
    let plain = (worth <= Worth::Answers).then(|| kind.to_owned());
    let mut names = plain.into_iter().chain([format!("{}-{kind}", stem.trim_matches('-'))]).chain(numbered);
    names.find(|name| !taken.contains(name) && !name.starts_with('-')).unwrap_or_else(|| kind.to_owned())
}

/// The service that a job is, as a name: what is not of its alphabet becomes `-`.
pub fn service_name(text: &str) -> Option<String> {
    let plain: String = text.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect();
    let plain = plain.split('-').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-");
    let plain = plain.get(..plain.len().min(63)).unwrap_or_default().trim_matches('-').to_owned();
    (!plain.is_empty()).then_some(plain)
}
