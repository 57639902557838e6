//! Loading definitions, at the start and again: a bad file never replaces a good one, one bad file never blocks the others, and an empty mount never
//! removes everything (invariant 9).

use std::{collections::BTreeMap, iter, sync::Arc};

use burnward_core::{id::TenantId, slo::Slo, time::Timestamp, words::plural};
use tracing::warn;

use super::Decider;
use crate::{
    app::RequestError,
    config::{Config, TenantConfig},
    definition::{self, Acceptance, FileVersion, Removals},
    store::{AuditEntry, Store, StoreError, StoredDefinition},
    view::{DefinitionFault, View},
};

/// The SLOs that run for a tenant, and what is wrong with the files.
#[derive(Debug, Default)]
pub struct Opened {
    /// What runs.
    pub(super) slos: Vec<Arc<Slo>>,
    /// What does not load.
    pub(super) faults: Vec<DefinitionFault>,
}

/// Loads every tenant's definitions at the start.
pub async fn open_definitions(
    store: &Store,
    config: &Config,
    removals: Removals,
    now: Timestamp,
) -> Result<BTreeMap<TenantId, Opened>, StoreError> {
    let mut opened = BTreeMap::new();
    for (tenant, place) in &config.tenants {
        opened.insert(tenant.clone(), open(store, config, tenant, place, removals, now).await?);
    }
    Ok(opened)
}

async fn open(
    store: &Store,
    config: &Config,
    tenant: &TenantId,
    place: &TenantConfig,
    removals: Removals,
    now: Timestamp,
) -> Result<Opened, StoreError> {
    let stored = store.definitions(tenant).await?;
    let last_good = definition::load_stored(tenant, place, &stored);
    let loaded = definition::load(tenant, place, config);
    let acceptance = definition::accept(&last_good, &loaded, removals);
    let mut faults = loaded.view_faults(tenant);
    for fault in &mut faults {
        fault.last_good_runs = acceptance.runs().files.iter().any(|file| file.path == fault.file);
    }
    if let Some(directory) = place.slo_definitions.first() {
        faults.extend(acceptance.fault(directory).map(|fault| DefinitionFault {
            tenant: tenant.clone(),
            file: directory.display().to_string(),
            text: fault.render(definition::Colour::Never),
            last_good_runs: true,
        }));
    }
    for fault in &faults {
        warn!(%tenant, file = fault.file, "a definition does not load; `burnward check` and the status say why");
    }
    save(store, tenant, &stored, &acceptance, now).await?;
    Ok(Opened { slos: acceptance.runs().slos.clone(), faults })
}

/// Keeps the texts that run as the last good ones, where they changed.
async fn save(
    store: &Store,
    tenant: &TenantId,
    stored: &[StoredDefinition],
    acceptance: &Acceptance,
    now: Timestamp,
) -> Result<(), StoreError> {
    let runs = acceptance.runs();
    let known = |file: &FileVersion| stored.iter().any(|have| have.path == file.path && have.version == file.version);
    let changed: Vec<StoredDefinition> =
        runs.files.iter().filter(|file| !known(file)).map(|file| definition_of(file, &runs.slos, now)).collect();
    let gone: Vec<String> =
        stored.iter().filter(|have| !runs.files.iter().any(|file| file.path == have.path)).map(|have| have.path.clone()).collect();
    if changed.is_empty() && gone.is_empty() {
        return Ok(());
    }
    let detail = format!("{} changed, {} gone, {} SLOs run", changed.len(), gone.len(), runs.slos.len());
    let audit = AuditEntry { actor: "burnward".to_owned(), action: "definitions.load".to_owned(), subject: tenant.to_string(), detail };
    store.save_definitions(tenant, &changed, &gone, now, &[audit]).await
}

fn definition_of(file: &FileVersion, slos: &[Arc<Slo>], now: Timestamp) -> StoredDefinition {
    StoredDefinition {
        path: file.path.clone(),
        text: file.text.clone(),
        version: file.version.clone(),
        slos: slos.iter().filter(|slo| slo.origin.file == file.path).map(|slo| slo.id.clone()).collect(),
        loaded_at: now,
    }
}

impl Decider {
    /// Loads the definitions again; a sentence that says what runs now.
    pub(super) async fn reload(&mut self, removals: Removals, now: Timestamp) -> Result<String, RequestError> {
        let opened =
            open_definitions(&self.store, &self.config, removals, now).await.map_err(|error| RequestError::Store(error.to_string()))?;
        let mut faults = Vec::new();
        for (tenant, opened) in opened {
            faults.extend(opened.faults);
            if let Some(book) = self.books.get_mut(&tenant) {
                book.replace_slos(opened.slos, now);
                if book.ledger.lacks_history() {
                    book.reload_ledger(&self.store, &self.config, now).await;
                }
            }
        }
        let slos = self.books.values().map(|book| book.slos.len()).sum();
        let waiting: usize = self.books.values().map(|book| book.pending.len()).sum();
        let sentence = sentence(slos, waiting, faults.len());
        self.metrics.reloaded(faults.is_empty());
        self.view.send_modify(|view| Arc::<View>::make_mut(view).definition_faults = faults);
        self.publish(now);
        Ok(sentence)
    }
}

fn sentence(slos: usize, waiting: usize, faults: usize) -> String {
    let run = if slos == 1 { "1 SLO runs".to_owned() } else { format!("{slos} SLOs run") };
    let waiting = (waiting > 0).then(|| format!("{} wait until their alerts clear", plural(waiting, "changed definition")));
    let faulty = (faults > 0).then(|| format!("{} at fault: `burnward status` says what and why", plural(faults, "file")));
    iter::once(run).chain(waiting).chain(faulty).collect::<Vec<_>>().join("; ")
}
