//! `sources:` where samples come from.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::RangeInclusive,
    time::Duration,
};

use burnward_core::{
    id::SourceName,
    time::{hours, minutes},
};

use super::File;
use crate::{
    config::{
        ClientCertificate, Credentials, EnforcedLabel, PrometheusConfig, ReplicaLabel, ScrapeConfig, SourceConfig, TlsFiles,
        secrets::is_secret_key,
    },
    definition::{
        codes,
        reader::{Fields, Keys, shortened},
        yaml::{Entry, Node},
    },
};

const TENANT_HEADER: &str = "write it as `headers: { X-Scope-OrgID: ... }`";
const SOURCE: Keys = Keys { of: "a source", known: &["prometheus", "scrape"], later: &[] };
const PROMETHEUS: Keys = Keys {
    of: "a Prometheus source",
    known: &[
        "url",
        "replicas",
        "replica-label",
        "enforced-label",
        "bearer-token-file",
        "basic-auth",
        "headers",
        "tls",
        "at-once",
        "settle",
        "timeout",
        "max-bytes",
        "max-series",
    ],
    later: &[("tenant-header", TENANT_HEADER)],
};
const BASIC: Keys = Keys { of: "`basic-auth`", known: &["user", "password-file"], later: &[] };
const TLS: Keys = Keys { of: "`tls`", known: &["ca-file", "certificate-file", "key-file"], later: &[] };
/// Most replicas of a source.
const MAX_REPLICAS: usize = 8;
/// Headers that are ours, HTTP's, or secret.
const OWN_HEADERS: [&str; 10] = [
    "authorization",
    "proxy-authorization",
    "cookie",
    "host",
    "connection",
    "content-type",
    "content-length",
    "content-encoding",
    "transfer-encoding",
    "accept-encoding",
];
/// Most headers, and the longest value of one.
const MAX_HEADERS: usize = 16;
const MAX_HEADER: usize = 1000;
const SCRAPE: Keys = Keys { of: "a scrape source", known: &["targets", "every", "job"], later: &[] };
/// Most targets that we scrape ourselves.
const MAX_TARGETS: usize = 100;

/// The sources that are fine, and the names of all: a source with a mistake is known all the same, so that the mistake is told once.
pub(super) fn read_sources(file: &mut File, fields: &Fields<'_>) -> (BTreeMap<SourceName, SourceConfig>, BTreeSet<SourceName>) {
    let (mut read, mut declared) = (BTreeMap::new(), BTreeSet::new());
    let Some(node) = file.reader.optional(fields, "sources") else { return (read, declared) };
    let Some(sources) = file.reader.any_map(node, "`sources`") else { return (read, declared) };
    for entry in sources.entries() {
        let name = file.reader.name_at(&entry.key, entry.key_range.clone(), "a source's name", SourceName::parse);
        let source = read_source(file, &entry.value);
        declared.extend(name.clone());
        if let (Some(name), Some(source)) = (name, source) {
            read.insert(name, source);
        }
    }
    (read, declared)
}

fn read_source(file: &mut File, node: &Node) -> Option<SourceConfig> {
    let fields = file.map(node, &SOURCE)?;
    match (fields.get("prometheus"), fields.get("scrape")) {
        (Some(prometheus), None) => read_prometheus(file, prometheus).map(SourceConfig::Prometheus),
        (None, Some(scrape)) => read_scrape(file, scrape).map(SourceConfig::Scrape),
        (Some(_), Some(_)) | (None, None) => {
            let diagnostic = file.reader.diagnostic(&codes::MISSING_KEY, fields.place(), "a source is either `prometheus` or `scrape`");
            file.reader.report(diagnostic.help("write `prometheus: { url: ... }` or `scrape: { targets: [...] }`"));
            None
        }
    }
}

fn read_prometheus(file: &mut File, node: &Node) -> Option<PrometheusConfig> {
    let fields = file.map(node, &PROMETHEUS)?;
    let urls = read_urls(file, &fields);
    let defaults = PrometheusConfig::at("");
    let replica_label = file.reader.optional(&fields, "replica-label").and_then(|node| read_replica_label(file, node));
    let enforced_label = file.reader.optional(&fields, "enforced-label").and_then(|node| read_enforced_label(file, node));
    if let (Some(replica), Some(enforced)) = (&replica_label, &enforced_label)
        && replica.name == enforced.name
    {
        let message = format!("`{}` tells replicas apart, so it cannot be the same for all series", enforced.name);
        file.reader.error(&codes::WRONG_TYPE, fields.place(), message);
    }
    let is_refused = enforced_label.is_none() && fields.get("enforced-label").is_some();
    let credentials = read_credentials(file, &fields);
    let headers = read_headers(file, &fields);
    let tls = read_tls(file, &fields);
    let at_once = number(file, &fields, "at-once", 1..=64).unwrap_or(defaults.at_once);
    let settle = file.span(&fields, "settle", Duration::from_secs(1)..=hours(1)).unwrap_or(defaults.settle);
    let timeout = file.span(&fields, "timeout", Duration::from_secs(1)..=minutes(2)).unwrap_or(defaults.timeout);
    let max_bytes = number(file, &fields, "max-bytes", (1 << 20)..=(1 << 30)).unwrap_or(defaults.max_bytes);
    let max_series = number(file, &fields, "max-series", 1..=10_000_000).unwrap_or(defaults.max_series);
    let mut urls = urls.filter(|_| !is_refused)?.into_iter();
    let (url, other_replicas) = (urls.next()?, urls.collect());
    Some(PrometheusConfig {
        url,
        other_replicas,
        replica_label,
        enforced_label,
        credentials,
        headers,
        tls,
        at_once,
        settle,
        timeout,
        max_bytes,
        max_series,
    })
}

/// The one address, or those of several replicas.
fn read_urls(file: &mut File, fields: &Fields<'_>) -> Option<Vec<String>> {
    let Some(replicas) = file.reader.optional(fields, "replicas") else {
        let url = file.reader.required(fields, "url", "http://127.0.0.1:9090").and_then(|node| file.url_of(node, "url"));
        return url.map(|url| vec![url]);
    };
    if fields.get("url").is_some() {
        let diagnostic = file.reader.diagnostic(&codes::WRONG_TYPE, fields.place(), "a source has either `url` or `replicas`, not both");
        file.reader.report(diagnostic.help("write all addresses under `replicas`; the first one is read as long as it answers"));
        return None;
    }
    let items = file.reader.list(replicas, "`replicas`")?;
    if !(2..=MAX_REPLICAS).contains(&items.len()) {
        let message = format!("a source has 2 to {MAX_REPLICAS} replicas");
        let diagnostic = file.reader.diagnostic(&codes::NUMBER, replicas.range.clone(), message);
        file.reader.report(diagnostic.help("name a single one as `url`"));
        return None;
    }
    let read: Vec<Option<String>> = items.iter().map(|item| file.url_of(item, "a replica")).collect();
    for (at, url) in read.iter().enumerate() {
        let first = read[..at].iter().position(|other| other.is_some() && other == url);
        if let (Some(first), Some(url)) = (first, url) {
            let diagnostic = file.reader.diagnostic(&codes::DUPLICATE_NAME, items[at].range.clone(), format!("`{url}` is there twice"));
            let related = file.reader.place(items[first].range.clone());
            file.reader.report(diagnostic.related(related, "the first one").help("remove one of them"));
        }
    }
    read.into_iter().collect()
}

/// `{ label: [value, value] }`.
fn read_replica_label(file: &mut File, node: &Node) -> Option<Box<ReplicaLabel>> {
    let given = file.reader.any_map(node, "`replica-label`")?;
    let [entry] = given.entries() else {
        let diagnostic = file.reader.diagnostic(&codes::NUMBER, node.range.clone(), "`replica-label` names one label");
        file.reader.report(diagnostic.help("write for example `replica-label: { prometheus_replica: [eu-0, eu-1] }`"));
        return None;
    };
    is_label(file, entry)?;
    let items = file.reader.list(&entry.value, "the values of `replica-label`")?;
    if !(2..=MAX_REPLICAS).contains(&items.len()) {
        file.reader.error(&codes::NUMBER, entry.value.range.clone(), format!("a source has 2 to {MAX_REPLICAS} replicas"));
        return None;
    }
    let values: Vec<Option<String>> =
        items.iter().map(|item| file.reader.line(item, "a value of `replica-label`", 200).map(ToOwned::to_owned)).collect();
    Some(Box::new(ReplicaLabel { name: entry.key.clone(), values: values.into_iter().collect::<Option<_>>()? }))
}

/// `{ label: value }`.
fn read_enforced_label(file: &mut File, node: &Node) -> Option<Box<EnforcedLabel>> {
    let given = file.reader.any_map(node, "`enforced-label`")?;
    let [entry] = given.entries() else {
        let diagnostic = file.reader.diagnostic(&codes::NUMBER, node.range.clone(), "`enforced-label` names one label");
        file.reader.report(diagnostic.help("write for example `enforced-label: { tenant: acme }`"));
        return None;
    };
    is_label(file, entry)?;
    let value = file.reader.line(&entry.value, "the value of `enforced-label`", 200)?.to_owned();
    Some(Box::new(EnforcedLabel { name: entry.key.clone(), value }))
}

/// Refuses what is no name of a label.
fn is_label(file: &mut File, entry: &Entry) -> Option<()> {
    let legal = !entry.key.starts_with(|c: char| c.is_ascii_digit()) && entry.key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if legal && !entry.key.is_empty() && !entry.key.starts_with("__") {
        return Some(());
    }
    let message = format!("`{}` is no name of a label", shortened(&entry.key));
    file.reader.error(&codes::WRONG_TYPE, entry.key_range.clone(), message);
    None
}

fn read_credentials(file: &mut File, fields: &Fields<'_>) -> Credentials {
    let bearer = file.path(fields, "bearer-token-file");
    let basic = file.reader.optional(fields, "basic-auth").and_then(|node| read_basic(file, node));
    match (bearer, basic) {
        (Some(_), Some(_)) => {
            let message = "a source has either `bearer-token-file` or `basic-auth`, not both";
            file.reader.error(&codes::WRONG_TYPE, fields.place(), message);
            Credentials::None
        }
        (Some(path), None) => Credentials::Bearer(path),
        (None, Some(basic)) => basic,
        (None, None) => Credentials::None,
    }
}

fn read_basic(file: &mut File, node: &Node) -> Option<Credentials> {
    let fields = file.map(node, &BASIC)?;
    let user = file.reader.required(&fields, "user", "burnward").and_then(|node| file.reader.line(node, "`user`", 200).map(str::to_owned));
    let given = file.reader.required(&fields, "password-file", "/run/secrets/prometheus");
    let password_file = given.and_then(|_| file.path(&fields, "password-file"));
    Some(Credentials::Basic { user: user?, password_file: password_file? })
}

fn read_headers(file: &mut File, fields: &Fields<'_>) -> BTreeMap<String, String> {
    let mut headers = BTreeMap::new();
    let Some(node) = file.reader.optional(fields, "headers") else { return headers };
    let Some(given) = file.reader.any_map(node, "`headers`") else { return headers };
    if given.entries().len() > MAX_HEADERS {
        file.reader.error(&codes::NUMBER, node.range.clone(), format!("a source has at most {MAX_HEADERS} headers"));
        return headers;
    }
    for entry in given.entries() {
        let name = entry.key.to_ascii_lowercase();
        let legal = reqwest::header::HeaderName::try_from(name.as_str()).is_ok();
        if !legal || OWN_HEADERS.contains(&name.as_str()) || is_secret_key(&name) {
            let message = format!("`{}` is not a header to set here", shortened(&entry.key));
            let diagnostic = file.reader.diagnostic(&codes::WRONG_TYPE, entry.key_range.clone(), message);
            let help = "set headers such as X-Scope-OrgID; a secret goes into a file: `bearer-token-file` or `basic-auth`";
            file.reader.report(diagnostic.help(help));
            continue;
        }
        let Some(value) = file.reader.line(&entry.value, "a header", MAX_HEADER) else { continue };
        if value.is_ascii() {
            headers.insert(name, value.to_owned());
        } else {
            file.reader.error(&codes::WRONG_TYPE, entry.value.range.clone(), "a header is plain ASCII");
        }
    }
    headers
}

fn read_tls(file: &mut File, fields: &Fields<'_>) -> TlsFiles {
    let Some(node) = file.reader.optional(fields, "tls") else { return TlsFiles::default() };
    let Some(inner) = file.map(node, &TLS) else { return TlsFiles::default() };
    let ca = file.path(&inner, "ca-file");
    let client = match (file.path(&inner, "certificate-file"), file.path(&inner, "key-file")) {
        (Some(certificate), Some(key)) => Some(ClientCertificate { certificate, key }),
        (None, None) => None,
        (Some(_), None) | (None, Some(_)) => {
            file.reader.error(&codes::MISSING_KEY, inner.place(), "`certificate-file` and `key-file` belong together");
            None
        }
    };
    TlsFiles { ca, client }
}

fn number(file: &mut File, fields: &Fields<'_>, key: &str, bounds: RangeInclusive<usize>) -> Option<usize> {
    let node = file.reader.optional(fields, key)?;
    let text = file.reader.text(node, key)?;
    match text.parse::<usize>() {
        Ok(value) if bounds.contains(&value) => Some(value),
        Ok(_) | Err(_) => {
            let message = format!("`{key}` is a whole number from {} to {}", bounds.start(), bounds.end());
            file.reader.error(&codes::NUMBER, node.range.clone(), message);
            None
        }
    }
}

fn read_scrape(file: &mut File, node: &Node) -> Option<ScrapeConfig> {
    let fields = file.map(node, &SCRAPE)?;
    let targets = file.reader.required(&fields, "targets", "[http://127.0.0.1:9100/metrics]").and_then(|node| read_targets(file, node));
    let every = file.span(&fields, "every", Duration::from_secs(1)..=minutes(5)).unwrap_or(Duration::from_secs(15));
    let job = match file.reader.optional(&fields, "job") {
        Some(node) => file.reader.line(node, "`job`", 100).map(ToOwned::to_owned),
        None => Some("scrape".to_owned()),
    };
    Some(ScrapeConfig { targets: targets?, every, job: job? })
}

fn read_targets(file: &mut File, node: &Node) -> Option<Vec<String>> {
    let items = file.reader.list(node, "`targets`")?;
    if items.is_empty() || items.len() > MAX_TARGETS {
        file.reader.error(&codes::NUMBER, node.range.clone(), format!("a scrape source has 1 to {MAX_TARGETS} targets"));
        return None;
    }
    let read: Vec<Option<String>> = items.iter().map(|item| file.url_of(item, "a target")).collect();
    refuse_same_instance(file, items, &read);
    read.into_iter().collect()
}

/// Series are told apart by host and port, their `instance`.
fn refuse_same_instance(file: &mut File, items: &[Node], targets: &[Option<String>]) {
    let instances: Vec<Option<String>> = targets.iter().map(|target| target.as_deref().and_then(instance)).collect();
    for (at, instance) in instances.iter().enumerate() {
        let first = instances[..at].iter().position(|other| other.is_some() && other == instance);
        if let (Some(first), Some(instance)) = (first, instance) {
            let message = format!("two targets have the instance `{instance}`");
            let diagnostic = file.reader.diagnostic(&codes::DUPLICATE_NAME, items[at].range.clone(), message);
            let related = file.reader.place(items[first].range.clone());
            file.reader.report(diagnostic.related(related, "the first one").help("put one of them into a source of its own, or remove it"));
        }
    }
}

fn instance(target: &str) -> Option<String> {
    let url = url::Url::parse(target).ok()?;
    Some(format!("{}:{}", url.host_str()?, url.port_or_known_default()?))
}
