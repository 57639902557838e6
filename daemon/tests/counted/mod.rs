//! A ledger that has read some hours from a source, as the daemon reads them.

use std::{sync::Arc, time::Duration};

use burnward::{config::PrometheusConfig, definition::Context, source::prometheus::Prometheus};
use burnward_core::{
    id::{SourceName, TenantId},
    ledger::{Counts, Plan, Query, Read, Series, Settings, SourceLedger, Unknown},
    slo::Slo,
    time::{Timestamp, minutes},
};

/// A ledger that has read up to a moment.
pub(crate) struct Counted {
    ledger: SourceLedger,
}

impl Counted {
    /// Reads what these SLOs need, the six hours up to `now`.
    pub(crate) async fn from(source: &Prometheus, slos: &[Arc<Slo>], now: Timestamp) -> Self {
        let settings = Settings { settle: minutes(1), max_groups_per_slo: 100, history: true };
        let mut ledger = SourceLedger::new(Plan::new(slos), settings, now);
        for _ in 0..100 {
            let reads = ledger.reads(now);
            let mut answers = Vec::new();
            for read in &reads.reads {
                answers.push(ask(source, &ledger.plan().queries()[read.query], *read).await);
            }
            let counted = ledger.count(&reads, &answers);
            ledger.apply(counted);
            if !reads.catching_up {
                return Self { ledger };
            }
        }
        panic!("it never catches up");
    }

    /// What an SLO's group counted in `(from, to]`; the group is named by the values of its labels.
    pub(crate) fn of(&self, slo: &str, group: &str, from: Timestamp, to: Timestamp) -> Counts {
        self.ledger.between(self.index(slo, group), from, to)
    }

    fn index(&self, slo: &str, group: &str) -> u32 {
        let found = self.ledger.streams().find(|stream| stream.slo.name.as_str() == slo && stream.group.values() == group);
        let groups = || self.ledger.streams().map(|stream| format!("{} {}", stream.slo, stream.group)).collect::<Vec<_>>();
        found.unwrap_or_else(|| panic!("no {slo} of {group}: {:?}", groups())).index
    }
}

async fn ask(source: &Prometheus, query: &Query, read: Read) -> Result<Vec<Series>, Unknown> {
    let answer = match query {
        Query::Raw(selector) => source.read(selector, read.from, read.to).await,
        Query::Histograms(selector) => source.read_histograms(selector, read.from, read.to).await,
        Query::Stepped { expression, step } => source.read_steps(expression.as_str(), read.from, read.to, *step).await,
    };
    answer.map(|answer| answer.series)
}

/// A client of the server there.
pub(crate) fn client(url: &str) -> Prometheus {
    // Fails where another test has installed it already.
    drop(rustls::crypto::ring::default_provider().install_default());
    Prometheus::new(&PrometheusConfig { settle: Duration::from_secs(1), ..PrometheusConfig::at(url) }).expect("the configuration is fine")
}

/// For whom definitions are read: nothing that they refer to is looked for.
pub(crate) fn context() -> Context {
    Context::unchecked(TenantId::parse("main").expect("a name"), SourceName::parse("prom").expect("a name"))
}
