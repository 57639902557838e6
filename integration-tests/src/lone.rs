//! A daemon over stand-ins of Prometheus and without Slack: for stories of what happens between a source and the ledger.

use std::{fmt::Write as _, path::Path};

use anyhow::anyhow;
use burnward::{
    app::{Daemon, Options, Pace},
    clock::Clock,
    config,
};
use burnward_core::time::Timestamp;

use crate::world::install_tls;

/// A document with one SLO: payments, over a counter `hits_total`.
pub const PAYMENTS: &str = r#"version: burnward/v1
service: shop
team: operators
slos:
  - name: pay
    title: Customers can pay
    sli: { events: { bad: 'hits_total{code="500"}', total: 'hits_total' } }
    objectives: [ { target: 99%, window: 1d } ]
"#;

/// What the daemon reads, for whom, how often.
#[derive(Debug)]
pub struct Lone<'a> {
    /// Its pace, as it is written: `10s`.
    pub tick: &'a str,
    /// The sources, each with the keys of its `prometheus`: `url: "http://..."`.
    pub sources: &'a [(&'a str, String)],
    /// The tenants, each with its source; all have the same documents.
    pub tenants: &'a [(&'a str, &'a str)],
    /// The documents, each with the name of its file.
    pub documents: &'a [(&'a str, &'a str)],
}

impl Lone<'_> {
    /// Starts the daemon: its documents lie in `root/slos`, its store in `root/store`.
    pub async fn start(&self, root: &Path, options: Options) -> anyhow::Result<Daemon> {
        self.start_with("", root, options).await
    }

    /// The same with more keys of its configuration.
    pub async fn start_with(&self, more: &str, root: &Path, options: Options) -> anyhow::Result<Daemon> {
        install_tls();
        let (slos, store) = (root.join("slos"), root.join("store"));
        std::fs::create_dir_all(&slos)?;
        for (name, text) in self.documents {
            std::fs::write(slos.join(name), text)?;
        }
        let mut text = format!(
            "version: burnward/v1\nlisten: 127.0.0.1:0\ntick: {}\nstorage: {{ path: \"{}\" }}\nsources:\n",
            self.tick,
            store.display()
        );
        for (name, keys) in self.sources {
            writeln!(text, "  {name}: {{ prometheus: {{ {keys} }} }}")?;
        }
        text.push_str("tenants:\n");
        for (tenant, source) in self.tenants {
            writeln!(text, "  {tenant}: {{ slo-definitions: [\"{}\"], source: {source} }}", slos.display())?;
        }
        text.push_str(more);
        let config = config::parse(&root.join("burnward.yaml"), &text).map_err(|error| anyhow!("{error}"))?;
        Daemon::start(config, options).await
    }
}

/// The keys of a source at this address.
pub fn at(url: &str) -> String {
    format!("url: \"{url}\"")
}

/// A clock that starts there and is moved by hand.
pub fn by_hand(start: Timestamp) -> Options {
    Options { clock: Clock::by_hand(start), pace: Pace::ByHand, ..Options::default() }
}
