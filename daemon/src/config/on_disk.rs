//! burnward.yaml as it lies on the disk, beside the one that runs: it is read at the start alone, and a reload says which of its keys wait for a restart.

use std::{collections::BTreeMap, fmt, net::SocketAddr, path::PathBuf};

use burnward_core::words;

use super::{Config, discover, read};

/// Changed keys that are named.
const NAMED: usize = 10;

/// Where burnward.yaml lies, and what it said at the start.
#[derive(Debug, Clone)]
pub struct OnDisk {
    named: Option<PathBuf>,
    at_start: Config,
}

/// What a restart would change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Waiting {
    /// Nothing: what runs is what is written.
    Nothing,
    /// These keys, of this file.
    Keys(String, Vec<String>),
    /// It does not load, or is gone: a restart would fail, or run without it.
    Broken(String),
}

impl OnDisk {
    /// Reads the configuration as [`read`] does, and remembers it.
    ///
    /// # Errors
    /// All mistakes of the file, or why it cannot be read.
    pub fn read(named: Option<PathBuf>) -> Result<Self, super::ConfigError> {
        let at_start = read(named.as_deref())?;
        Ok(Self { named, at_start })
    }

    /// What it said at the start.
    pub const fn at_start(&self) -> &Config {
        &self.at_start
    }

    /// What would be otherwise after a restart. Reads the file.
    pub fn waiting(&self) -> Waiting {
        let file = || discover(self.named.as_deref()).map_or_else(|| "burnward.yaml".to_owned(), |path| path.display().to_string());
        match read(self.named.as_deref()) {
            Err(_) => Waiting::Broken(file()),
            Ok(now) => match changed_keys(&self.at_start, &now) {
                keys if keys.is_empty() => Waiting::Nothing,
                keys => Waiting::Keys(file(), keys),
            },
        }
    }
}

impl Waiting {
    /// What somebody should know of it; `None`: nothing.
    pub fn sentence(&self) -> Option<String> {
        match self {
            Self::Nothing => None,
            Self::Keys(file, keys) => {
                let quoted: Vec<String> = keys.iter().map(|key| format!("`{key}`")).collect();
                Some(format!("of {file} these changed and are in force after a restart only: {}", words::list(&quoted, NAMED)))
            }
            Self::Broken(file) => Some(format!(
                "{file} does not load any more, and a restart would fail: `burnward check {file}` says why; the one of the start runs on"
            )),
        }
    }
}

/// The keys of which the two say something else, as paths: of sources, tenants, people and teams by name. What is made of a class is told of its tenants, for it is
/// these that change.
fn changed_keys(before: &Config, after: &Config) -> Vec<String> {
    let Config {
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
        slo_templates,
    } = before;
    let own_url = |url: &str, listen: SocketAddr| url != format!("http://{listen}");
    // Without an `external-url` of its own it follows `listen`.
    let url_changed = external_url != &after.external_url && (own_url(external_url, *listen) || own_url(&after.external_url, after.listen));
    let single = [
        ("listen", *listen != after.listen),
        ("token-file", *token_file != after.token_file),
        ("external-url", url_changed),
        ("tick", *tick != after.tick),
        ("operators", *operators != after.operators),
        ("storage", *storage != after.storage),
        ("slack", *slack != after.slack),
        ("reports", *reports != after.reports),
        ("templates", *templates != after.templates),
        ("slo-templates", *slo_templates != after.slo_templates),
    ];
    let single = single.into_iter().filter(|(_, changed)| *changed).map(|(key, _)| key.to_owned());
    // The team of the operators is told by its own key.
    let team_of_operators = format!("teams.{}", super::Operators::team_name());
    let named = [
        entries("sources", sources, &after.sources),
        entries("tenants", tenants, &after.tenants),
        entries("people", people, &after.people),
        entries("teams", teams, &after.teams),
    ];
    single.chain(named.into_iter().flatten().filter(|key| *key != team_of_operators)).collect()
}

/// The entries that were added, changed or removed.
fn entries<K: Ord + fmt::Display, V: PartialEq>(of: &str, before: &BTreeMap<K, V>, after: &BTreeMap<K, V>) -> Vec<String> {
    let changed = before.iter().filter(|(name, value)| after.get(*name) != Some(*value)).map(|(name, _)| name);
    let added = after.keys().filter(|name| !before.contains_key(*name));
    changed.chain(added).map(|name| format!("{of}.{name}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::parse;

    const TEXT: &str = r##"version: burnward/v1
tick: 10s
operators: { channel: "#burnward", escalation: [{ page: [ada] }] }
sources:
  prom: { prometheus: { url: "http://127.0.0.1:9090" } }
tenants:
  acme: { slo-definitions: acme, source: prom }
people:
  ada: { email: ada@example.com }
teams:
  shop: { channel: "#shop", escalation: [{ page: [ada] }] }
"##;

    fn changed(part: &str, other: &str) -> Vec<String> {
        let read = |text: &str| parse("burnward.yaml".as_ref(), text).unwrap_or_else(|error| panic!("{error}"));
        assert!(TEXT.contains(part), "{part}");
        changed_keys(&read(TEXT), &read(&TEXT.replace(part, other)))
    }

    #[test]
    fn each_key_that_says_something_else_is_named_and_no_other() {
        for (part, other, keys) in [
            ("tick: 10s", "# every ten seconds\ntick: 10000ms", &[][..]),
            ("tick: 10s", "tick: 20s", &["tick"]),
            ("tick: 10s", "listen: 127.0.0.1:9999", &["listen"]),
            ("tick: 10s", "listen: 127.0.0.1:9999\nexternal-url: https://slo.example", &["listen", "external-url"]),
            ("\"#burnward\"", "\"#others\"", &["operators"]),
            ("9090", "9091", &["sources.prom"]),
            ("9090\" } }", "9090\" } }\n  second: { prometheus: { url: \"http://127.0.0.1:9091\" } }", &["sources.second"]),
            ("acme: {", "globex: {", &["tenants.acme", "tenants.globex"]),
            ("slo-definitions: acme", "slo-definitions: others", &["tenants.acme"]),
            ("ada@example.com }", "ada@example.com }\n  sam: { email: sam@example.com }", &["people.sam"]),
            ("\"#shop\"", "\"#shop-oncall\"", &["teams.shop"]),
            ("tick: 10s", "storage: { path: elsewhere }", &["storage"]),
            ("tick: 10s", "templates: texts\nslo-templates: made\ntoken-file: tokens", &["token-file", "templates", "slo-templates"]),
            ("tick: 10s", "slack: { bot-token-file: bot, app-token-file: app }", &["slack"]),
            (
                "tick: 10s",
                "reports: [{ error-budget: week, team: shop, tenant: acme, cron: \"0 9 * * MON\", timezone: Europe/Berlin, to: \"#shop\" }]",
                &["reports"],
            ),
        ] {
            assert_eq!(changed(part, other), keys, "{other}");
        }
    }

    #[test]
    fn a_file_that_is_broken_or_gone_is_told_and_one_that_says_the_same_is_not() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("burnward.yaml");
        std::fs::write(&file, TEXT).expect("written");
        let on_disk = OnDisk::read(Some(file.clone())).expect("it loads");
        assert_eq!((on_disk.waiting(), on_disk.waiting().sentence()), (Waiting::Nothing, None));
        std::fs::write(&file, TEXT.replace("10s", "20s").replace("\"#shop\"", "\"#other\"")).expect("written");
        let name = file.display().to_string();
        let told = format!("of {name} these changed and are in force after a restart only: `tick`, `teams.shop`");
        assert_eq!(on_disk.waiting().sentence(), Some(told));
        std::fs::write(&file, "tick: [").expect("written");
        let told = format!(
            "{name} does not load any more, and a restart would fail: `burnward check {name}` says why; the one of the start runs on"
        );
        assert_eq!(on_disk.waiting().sentence().as_deref(), Some(told.as_str()));
        std::fs::remove_file(&file).expect("removed");
        assert_eq!(on_disk.waiting().sentence(), Some(told));
    }
}
