//! Reads burnward.yaml with the same reader and diagnostics as SLO documents. Relative paths are taken from the directory of the file.

mod fleet;
mod people;
mod reports;
mod sources;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use burnward_core::{
    id::{SourceName, TenantId},
    time::minutes,
};

use self::{
    fleet::Classes,
    people::{read_operators, read_people, read_slack, read_teams},
    reports::read_reports,
    sources::read_sources,
};
use super::{Config, Operators, TenantConfig, secrets};
use crate::definition::{
    codes,
    diagnostic::{Colour, Diagnostic, Source},
    discover as files, document,
    reader::{Fields, Keys, Reader, shortened, suggest},
    yaml::{self, Entry, Node, Value},
};

/// The mistakes of a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError(pub Vec<Diagnostic>);

impl std::error::Error for ConfigError {}

/// As `burnward check` shows them, without colour.
impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all: Vec<String> = self.0.iter().map(|fault| fault.render(Colour::Never)).collect();
        write!(f, "the configuration does not load\n{}", all.join("\n\n"))
    }
}

const LATER: &str = "remove it; docs/configuration.md lists what is supported";
const CONFIG: Keys = Keys {
    of: "burnward.yaml",
    known: &[
        "version",
        "listen",
        "token-file",
        "external-url",
        "tick",
        "operators",
        "storage",
        "sources",
        "tenants",
        "people",
        "teams",
        "slack",
        "reports",
        "templates",
        "slo-templates",
        "tenant-classes",
    ],
    later: &[("email", LATER), ("webhooks", LATER), ("schedules", LATER)],
};
const STORAGE: Keys = Keys { of: "`storage`", known: &["path"], later: &[("postgres", "supported is `path`, a directory for SQLite")] };
const TENANT: Keys = Keys {
    of: "a tenant",
    known: &["slo-definitions", "runbooks", "source", "class", "templates", "with", "overrides", "pinned"],
    later: &[("groups-are-tenants", LATER), ("scope", LATER), ("quotas", LATER)],
};

/// The file to read: the one named, else ./burnward.yaml, else /etc/burnward/burnward.yaml; `None`: the defaults.
pub fn discover(named: Option<&Path>) -> Option<PathBuf> {
    let usual = || ["burnward.yaml", "/etc/burnward/burnward.yaml"].into_iter().map(PathBuf::from).find(|path| path.exists());
    named.map(Path::to_owned).or_else(usual)
}

/// Reads the configuration, or takes the defaults where there is none.
///
/// # Errors
/// All mistakes of the file, or why it cannot be read.
pub fn read(named: Option<&Path>) -> Result<Config, ConfigError> {
    let Some(path) = discover(named) else { return Ok(Config::default()) };
    let text = files::read(&path).map_err(|fault| ConfigError(vec![*fault]))?;
    parse(&path, &text)
}

/// Reads a configuration's text, with relative paths taken from the directory of `path`.
///
/// # Errors
/// All mistakes of the text.
pub fn parse(path: &Path, text: &str) -> Result<Config, ConfigError> {
    let source = Source::masked(&path.display().to_string(), text, secrets::mask);
    let root = yaml::parse(&source).map_err(ConfigError)?;
    let base = path.parent().filter(|parent| !parent.as_os_str().is_empty()).map(Path::to_owned).unwrap_or_default();
    let mut file = File { reader: Reader::new(&source), base };
    let config = file.root(&root);
    let failed = file.reader.failed();
    match config {
        Some(config) if !failed => Ok(config),
        Some(_) | None => Err(ConfigError(file.reader.finish())),
    }
}

/// True where a YAML text is a configuration and not an SLO document.
pub fn is_configuration(source: &Arc<Source>) -> bool {
    yaml::parse(source).is_ok_and(|root| is_configuration_tree(&root))
}

/// The same of a text that was parsed.
pub fn is_configuration_tree(root: &Node) -> bool {
    let Value::Map(entries) = &root.value else { return false };
    let has = |key: &str| entries.iter().any(|entry| entry.key == key);
    !has("slos") && !has("service") && CONFIG.known.iter().skip(1).any(|key| has(key))
}

/// A file being read.
struct File {
    reader: Reader,
    base: PathBuf,
}

impl File {
    fn root(&mut self, root: &Node) -> Option<Config> {
        self.refuse_secrets(root);
        let fields = self.map(root, &CONFIG)?;
        document::read_version(&mut self.reader, &fields);
        let defaults = Config::default();
        let token_file = self.path(&fields, "token-file");
        let listen = self.listen(&fields, token_file.is_some());
        let people = read_people(self, &fields);
        let operators = read_operators(self, &fields, &people).unwrap_or_default();
        let teams = read_teams(self, &fields, &people, &operators);
        let (sources, declared) = match fields.get("sources") {
            Some(_) => read_sources(self, &fields),
            None => (defaults.sources.clone(), defaults.sources.into_keys().collect()),
        };
        let classes = fleet::read_classes(self, &fields);
        let (tenants, named) = self.tenants(&fields, &declared, &classes);
        let external_url = self.url(&fields, "external-url").unwrap_or_else(|| format!("http://{listen}"));
        let tick = self.span(&fields, "tick", Duration::from_secs(1)..=minutes(5)).unwrap_or(defaults.tick);
        let storage = self.storage(&fields).unwrap_or_else(|| self.base.join(defaults.storage));
        let slack = read_slack(self, &fields);
        let reports = read_reports(self, &fields, &named, &teams);
        let templates = self.path(&fields, "templates");
        let slo_templates = if fields.get("slo-templates").is_some() { self.directories(&fields, "slo-templates") } else { None };
        Some(Config {
            listen,
            token_file,
            external_url,
            tick,
            operators,
            storage,
            sources,
            tenants,
            people,
            teams,
            slack,
            reports,
            templates,
            slo_templates: slo_templates.unwrap_or_default(),
        })
    }

    /// A mapping of the configuration. Keys of secrets are already reported and not reported again as unknown.
    fn map<'n>(&mut self, node: &'n Node, keys: &Keys) -> Option<Fields<'n>> {
        self.reader.map_beside(node, keys, secrets::is_secret_key)
    }

    /// Reports every key that would hold a secret itself, and every token.
    fn refuse_secrets(&mut self, node: &Node) {
        match &node.value {
            Value::Scalar { text, .. } if secrets::is_token(text) => {
                let diagnostic = self.reader.diagnostic(&codes::SECRET_INLINE, node.range.clone(), "a token stands in the configuration");
                self.reader.report(diagnostic.label("the value is not shown").help("write it into a file, and the file's path here"));
            }
            Value::Scalar { .. } => {}
            Value::List(items) => items.iter().for_each(|item| self.refuse_secrets(item)),
            Value::Map(entries) => entries.iter().for_each(|entry| self.refuse_secret_entry(entry)),
        }
    }

    fn refuse_secret_entry(&mut self, entry: &Entry) {
        if !secrets::is_secret_key(&entry.key) || matches!(entry.value.value, Value::Map(_)) {
            return self.refuse_secrets(&entry.value);
        }
        let message = format!("`{}` would be a secret in the configuration", shortened(&entry.key));
        let diagnostic = self.reader.diagnostic(&codes::SECRET_INLINE, entry.key_range.clone(), message);
        let key = match entry.key.as_str() {
            "password" => "basic-auth: { user: ..., password-file: ... }".to_owned(),
            other => format!("{}-file:", shortened(other)),
        };
        let help = format!("write it into a file of its own and name that as `{key}`");
        self.reader.report(diagnostic.label("the value is not shown").help(help));
    }

    fn listen(&mut self, fields: &Fields<'_>, has_tokens: bool) -> SocketAddr {
        let default = Config::default().listen;
        let Some(node) = self.reader.optional(fields, "listen") else { return default };
        let Some(text) = self.reader.text(node, "`listen`") else { return default };
        let Ok(address) = text.parse::<SocketAddr>() else {
            let message = format!("`{}` is not an address with a port", shortened(text));
            let diagnostic = self.reader.diagnostic(&codes::ADDRESS, node.range.clone(), message);
            self.reader.report(diagnostic.help("write for example 127.0.0.1:9095 or \"[::1]:9095\""));
            return default;
        };
        if !address.ip().is_loopback() && !has_tokens {
            let message = format!("{address} can be reached by others, and there is no `token-file`");
            let diagnostic = self.reader.diagnostic(&codes::LISTEN, node.range.clone(), message);
            self.reader.report(diagnostic.help("add `token-file: PATH`, or listen on 127.0.0.1"));
        }
        address
    }

    fn storage(&mut self, fields: &Fields<'_>) -> Option<PathBuf> {
        let node = self.reader.optional(fields, "storage")?;
        let inner = self.map(node, &STORAGE)?;
        self.reader.required(&inner, "path", "/var/lib/burnward")?;
        self.path(&inner, "path")
    }

    /// The tenants, and the names of all that stand there: those with mistakes, too.
    fn tenants(
        &mut self,
        fields: &Fields<'_>,
        sources: &BTreeSet<SourceName>,
        classes: &Classes,
    ) -> (BTreeMap<TenantId, TenantConfig>, BTreeSet<TenantId>) {
        let default_source = sources.first().filter(|_| sources.len() == 1);
        let (mut read, mut named) = (BTreeMap::new(), BTreeSet::new());
        let Some(node) = self.reader.optional(fields, "tenants") else {
            read = self.default_tenants(fields, default_source);
            named.extend(read.keys().cloned());
            return (read, named);
        };
        let Some(tenants) = self.reader.any_map(node, "`tenants`") else { return (read, named) };
        if tenants.entries().is_empty() {
            self.reader.error(&codes::MISSING_KEY, node.range.clone(), "`tenants` names no tenant");
        }
        for entry in tenants.entries() {
            let name = self.reader.name_at(&entry.key, entry.key_range.clone(), "a tenant's name", TenantId::parse);
            let tenant = self.tenant(&entry.value, sources, default_source, classes);
            named.extend(name.clone());
            if let (Some(name), Some(tenant)) = (name, tenant) {
                read.insert(name, tenant);
            }
        }
        (read, named)
    }

    /// Tenant `main` with the usual directories, where the source is not in doubt.
    fn default_tenants(&mut self, fields: &Fields<'_>, source: Option<&SourceName>) -> BTreeMap<TenantId, TenantConfig> {
        let Some(source) = source else {
            if fields.get("sources").is_some() && self.reader.failed() {
                // Which sources there are is not known for sure, and that was told.
                return BTreeMap::new();
            }
            let place = fields.entry("sources").map_or_else(|| fields.place(), |entry| entry.key_range.clone());
            let diagnostic = self.reader.diagnostic(
                &codes::MISSING_KEY,
                place,
                "there is not exactly one source, and no tenant says which one it reads",
            );
            self.reader.report(diagnostic.help("add `tenants: { main: { slo-definitions: slo-definitions, source: NAME } }`"));
            return BTreeMap::new();
        };
        let Config { tenants, .. } = Config::default();
        let at_base = |tenant: TenantConfig| TenantConfig {
            slo_definitions: tenant.slo_definitions.iter().map(|path| self.base.join(path)).collect(),
            runbooks: tenant.runbooks.map(|path| self.base.join(path)),
            source: source.clone(),
            made: Vec::new(),
        };
        tenants.into_iter().map(|(name, tenant)| (name, at_base(tenant))).collect()
    }

    fn tenant(
        &mut self,
        node: &Node,
        sources: &BTreeSet<SourceName>,
        default_source: Option<&SourceName>,
        classes: &Classes,
    ) -> Option<TenantConfig> {
        let fields = self.map(node, &TENANT)?;
        // What is made of templates may be all that a tenant has.
        let slo_definitions = if fleet::makes(&fields) && fields.get("slo-definitions").is_none() {
            Some(Vec::new())
        } else {
            self.directories(&fields, "slo-definitions")
        };
        let made = fleet::read_of_tenant(self, &fields, classes);
        let runbooks = self.path(&fields, "runbooks");
        let source = match self.reader.optional(&fields, "source") {
            Some(node) => self.known_source(node, sources),
            None if default_source.is_some() => default_source.cloned(),
            None => {
                self.reader.required(&fields, "source", "NAME");
                None
            }
        };
        Some(TenantConfig { slo_definitions: slo_definitions?, runbooks, source: source?, made })
    }

    fn known_source(&mut self, node: &Node, sources: &BTreeSet<SourceName>) -> Option<SourceName> {
        let name = self.reader.name(node, "a source's name", SourceName::parse)?;
        if sources.contains(&name) {
            return Some(name);
        }
        let names: Vec<&str> = sources.iter().map(SourceName::as_str).collect();
        let diagnostic = self.reader.diagnostic(&codes::UNKNOWN_SOURCE, node.range.clone(), format!("there is no source `{name}`"));
        self.reader.report(suggest(diagnostic, name.as_str(), &names).help("declare it under `sources:`"));
        None
    }

    /// A directory or a list of them.
    fn directories(&mut self, fields: &Fields<'_>, key: &str) -> Option<Vec<PathBuf>> {
        let Some(node) = self.reader.optional(fields, key) else {
            self.reader.required(fields, key, &format!("[{key}]"));
            return None;
        };
        let items = if let Value::List(items) = &node.value { items.as_slice() } else { std::slice::from_ref(node) };
        if items.is_empty() {
            self.reader.error(&codes::MISSING_KEY, node.range.clone(), format!("`{key}` names no directory"));
        }
        items.iter().map(|item| self.path_of(item, "a directory")).collect()
    }

    /// A path, taken from the directory of the file where it is relative.
    fn path(&mut self, fields: &Fields<'_>, key: &str) -> Option<PathBuf> {
        let node = self.reader.optional(fields, key)?;
        self.path_of(node, key)
    }

    fn path_of(&mut self, node: &Node, of: &str) -> Option<PathBuf> {
        self.reader.line(node, of, 4096).map(|text| self.base.join(text))
    }

    fn span(&mut self, fields: &Fields<'_>, key: &str, bounds: std::ops::RangeInclusive<Duration>) -> Option<Duration> {
        let node = self.reader.optional(fields, key)?;
        self.reader.duration_within(node, &format!("`{key}`"), bounds)
    }

    /// An http or https URL without user, query and fragment; without its trailing slash.
    fn url(&mut self, fields: &Fields<'_>, key: &str) -> Option<String> {
        let node = self.reader.optional(fields, key)?;
        self.url_of(node, key)
    }

    fn url_of(&mut self, node: &Node, of: &str) -> Option<String> {
        let text = self.reader.line(node, of, 2048)?;
        match url_fault(text) {
            None => Some(text.trim_end_matches('/').to_owned()),
            Some(why) => {
                let diagnostic = self.reader.diagnostic(&codes::URL, node.range.clone(), format!("`{of}`: {why}"));
                self.reader.report(diagnostic.help(match (why, of) {
                    (SECRET_IN_URL, "url") => "take it out of the URL, and write `basic-auth: { user: ..., password-file: ... }`",
                    (SECRET_IN_URL, _) => "take it out of the URL: secrets are read from files of their own",
                    _ => "write for example https://prometheus.example:9090",
                }));
                None
            }
        }
    }
}

const SECRET_IN_URL: &str = "a URL must not hold a user name or a password";

/// Why a text is not a URL to ask; `None` where it is one.
fn url_fault(text: &str) -> Option<&'static str> {
    let Ok(url) = url::Url::parse(text) else { return Some("not a URL") };
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        Some("not an http or https URL")
    } else if !url.username().is_empty() || url.password().is_some() {
        Some(SECRET_IN_URL)
    } else if url.query().is_some() || url.fragment().is_some() {
        Some("a URL must not have a query or a fragment")
    } else {
        None
    }
}

/// The people, teams and operators share this.
impl Operators {
    /// A list of names for suggestions.
    fn names<'a>(people: impl Iterator<Item = &'a burnward_core::id::PersonName>) -> Vec<&'a str> {
        people.map(burnward_core::id::PersonName::as_str).collect()
    }
}
