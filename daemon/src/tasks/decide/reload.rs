//! Loading definitions, at the start and again: a bad file never replaces a good one, one bad file never blocks the others, and an empty mount never
//! removes everything (invariant 9).

use std::{
    collections::{BTreeMap, BTreeSet},
    iter,
    sync::Arc,
};

use burnward_core::{
    id::{SloId, TenantId},
    rename::{Rename, Renames},
    slo::Slo,
    status::Status,
    time::Timestamp,
    words::plural,
};
use tracing::{info, warn};

use super::{
    Decider,
    book::Book,
    commit::{Change, make_once},
};
use crate::{
    app::RequestError,
    config::{Config, TenantConfig},
    definition::{self, Acceptance, FileVersion, Removals, template::Library},
    store::{AuditEntry, DefinitionChanges, Store, StoreError, StoredDefinition},
    view::{DefinitionFault, InPlace, View},
};

/// The SLOs that run for a tenant, and what is wrong with the files.
#[derive(Debug, Default)]
pub struct Opened {
    /// What runs by the files, and by the last good text of each that does not load.
    pub(super) slos: Vec<Arc<Slo>>,
    /// Versions of before that run on in their place, because their alerts hold (invariant 9).
    pub(super) held: Vec<Arc<Slo>>,
    /// What does not load.
    pub(super) faults: Vec<DefinitionFault>,
    /// SLOs that go on by another name from now on.
    pub(super) renamed: Vec<Rename>,
}

/// Loads every tenant's definitions at the start.
pub async fn open_definitions(
    store: &Store,
    config: &Config,
    removals: Removals,
    now: Timestamp,
) -> Result<BTreeMap<TenantId, Opened>, StoreError> {
    let library = Arc::new(Library::read(&config.slo_templates));
    let mut opened = BTreeMap::new();
    for (tenant, place) in &config.tenants {
        opened.insert(tenant.clone(), open(store, config, &library, tenant, place, removals, now).await?);
    }
    Ok(opened)
}

async fn open(
    store: &Store,
    config: &Config,
    library: &Arc<Library>,
    tenant: &TenantId,
    place: &TenantConfig,
    removals: Removals,
    now: Timestamp,
) -> Result<Opened, StoreError> {
    let stored = store.definitions(tenant).await?;
    let last_good = definition::load_stored(tenant, place, &stored);
    let counted = store.counted_slos(tenant).await?;
    let mut loaded = definition::load(tenant, place, config, library);
    loaded.refuse_second_histories(&counted);
    let acceptance = definition::accept(&last_good, &loaded, removals);
    let mut faults = loaded.view_faults(tenant);
    for fault in &mut faults {
        let runs = |path: &str| acceptance.runs().files.iter().any(|file| file.path == path);
        if runs(&fault.file) || loaded.is_template_of(&fault.file, runs) {
            fault.runs = InPlace::LastGood;
        }
    }
    for fault in &faults {
        warn!(%tenant, file = fault.file, "a definition does not load; `burnward check` and the status say why");
    }
    if let Some(directory) = place.slo_definitions.first() {
        faults.extend(acceptance.fault(directory).map(|fault| DefinitionFault {
            tenant: tenant.clone(),
            file: directory.display().to_string(),
            text: fault.render(definition::Colour::Never),
            runs: InPlace::AllOfBefore,
        }));
    }
    if let Acceptance::Refused { would_remove, runs } = &acceptance {
        let (would_remove, of) = (would_remove.len(), runs.slos.len());
        warn!(%tenant, would_remove, of, "a removal of most SLOs is refused (E1301) and the last good definitions run on; `burnward doctor` says what to do");
    }
    let held = held(store, tenant, place, &last_good.slos, &acceptance.runs().slos, now).await?;
    if !held.is_empty() {
        let slos: Vec<String> = held.iter().map(|slo| slo.id.to_string()).collect();
        info!(%tenant, slos = slos.join(", "), "these were changed or removed while their alerts hold; they run on as before until they clear");
    }
    let renamed = renamed(&acceptance.runs().slos, &counted, &held, now);
    save(store, tenant, Saved { stored: &stored, acceptance: &acceptance, held: &held, renamed: &renamed }, now).await?;
    Ok(Opened { slos: acceptance.runs().slos.clone(), held, faults, renamed })
}

/// The SLOs that take over the history of their former names now: not while an alert of the former one holds, which runs on until then.
fn renamed(runs: &[Arc<Slo>], counted: &BTreeSet<SloId>, held: &[Arc<Slo>], now: Timestamp) -> Vec<Rename> {
    let taken_over =
        |slo: &&Arc<Slo>| slo.former().is_some_and(|former| counted.contains(&former) && !held.iter().any(|held| held.id == former));
    runs.iter().filter(taken_over).filter_map(|slo| rename_of(slo, now)).collect()
}

/// The rename that an SLO asks for.
pub(super) fn rename_of(slo: &Slo, at: Timestamp) -> Option<Rename> {
    Some(Rename { at, service: slo.id.service.clone(), from: slo.was.clone()?, to: slo.id.name.clone() })
}

/// Whether an SLO waits for a version of before, by its own name or by the former one.
fn waits(slo: &Slo, held: &[Arc<Slo>]) -> bool {
    held.iter().any(|held| held.id == slo.id || slo.former().as_ref() == Some(&held.id))
}

/// An SLO with the path and the version of the text that it runs by.
pub(super) fn run_of(slo: &Slo) -> (SloId, String, String) {
    (slo.id.clone(), slo.origin.file.clone(), slo.origin.version.clone())
}

/// A rename as the audit tells it.
pub(super) fn audit_of(rename: &Rename) -> AuditEntry {
    let Rename { at: _, service, from, to } = rename;
    AuditEntry {
        actor: "burnward".to_owned(),
        action: "slo.rename".to_owned(),
        subject: format!("{service}/{to}"),
        detail: format!("it was called {from}; its ledger, alerts, incidents and exclusions go on"),
    }
}

/// The versions that run on: of every SLO whose alert holds, the one that decided it, where the files say something else by now. One in shadow told
/// nobody, so that nothing is silenced where it does not.
async fn held(
    store: &Store,
    tenant: &TenantId,
    place: &TenantConfig,
    last_good: &[Arc<Slo>],
    runs: &[Arc<Slo>],
    now: Timestamp,
) -> Result<Vec<Arc<Slo>>, StoreError> {
    let alerts = store.alerts(tenant).await?;
    let holds: BTreeSet<SloId> = alerts.into_iter().filter(|alert| alert.state.holds()).map(|alert| alert.budget.slo).collect();
    if holds.is_empty() {
        return Ok(Vec::new());
    }
    let mut ran: BTreeMap<SloId, Arc<Slo>> = last_good.iter().map(|slo| (slo.id.clone(), slo.clone())).collect();
    for (id, definition) in store.held_definitions(tenant).await? {
        let loaded = definition::load_stored(tenant, place, &[definition]);
        ran.extend(loaded.slos.into_iter().filter(|slo| slo.id == id).map(|slo| (id.clone(), slo)));
    }
    let runs: BTreeMap<&SloId, &Arc<Slo>> = runs.iter().map(|slo| (&slo.id, slo)).collect();
    let other = |slo: &Arc<Slo>| runs.get(&slo.id).is_none_or(|new| text_of(new) != text_of(slo));
    let told = |slo: &Arc<Slo>| slo.status.at(now) != &Status::Shadow;
    Ok(ran.into_values().filter(|slo| holds.contains(&slo.id) && told(slo) && other(slo)).collect())
}

fn text_of(slo: &Slo) -> (&str, &str) {
    (&slo.origin.file, &slo.origin.version)
}

/// What a load leaves in the store.
struct Saved<'a> {
    /// What was there before.
    stored: &'a [StoredDefinition],
    acceptance: &'a Acceptance,
    held: &'a [Arc<Slo>],
    renamed: &'a [Rename],
}

/// Keeps the texts that run as the last good ones, where they changed.
async fn save(store: &Store, tenant: &TenantId, saved: Saved<'_>, now: Timestamp) -> Result<(), StoreError> {
    let Saved { stored, acceptance, held, renamed } = saved;
    let runs = acceptance.runs();
    let known = |file: &FileVersion| stored.iter().any(|have| have.path == file.path && have.version == file.version);
    let gone = |have: &&StoredDefinition| !runs.files.iter().any(|file| file.path == have.path);
    let changes = DefinitionChanges {
        loaded: runs.files.iter().filter(|file| !known(file)).map(|file| definition_of(file, &runs.slos, now)).collect(),
        removed: stored.iter().filter(gone).map(|have| have.path.clone()).collect(),
        held: held.iter().map(|slo| run_of(slo)).collect(),
        renamed: renamed.to_vec(),
        runs: runs.slos.iter().filter(|slo| !waits(slo, held)).map(|slo| run_of(slo)).collect(),
    };
    let held_before = store.held_definitions(tenant).await?.len();
    if changes == (DefinitionChanges { runs: changes.runs.clone(), ..DefinitionChanges::default() }) && held_before == 0 {
        return Ok(());
    }
    let mut audit: Vec<AuditEntry> = renamed.iter().map(audit_of).collect();
    if !changes.loaded.is_empty() || !changes.removed.is_empty() {
        let run = format!("{} changed, {} gone, {} SLOs run", changes.loaded.len(), changes.removed.len(), runs.slos.len());
        let detail = if held.is_empty() { run } else { format!("{run}, {} as before until their alerts clear", held.len()) };
        audit.push(AuditEntry { actor: "burnward".to_owned(), action: "definitions.load".to_owned(), subject: tenant.to_string(), detail });
    }
    make_once(store, Change::Loaded(tenant, &changes, now, &audit)).await
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
        for (tenant, mut opened) in opened {
            faults.append(&mut opened.faults);
            self.keep_standing(&tenant);
            if let Some(book) = self.books.get_mut(&tenant) {
                let renames = Renames::new(called_anew(book, &opened, now));
                book.call_anew(&renames, now);
                book.replace_slos(opened.slos, opened.held, now);
                if !renames.is_empty() {
                    book.read_back(&self.store, &self.config, now).await;
                } else if book.ledger.lacks_history() {
                    book.reload_ledger(&self.store, &self.config, now).await;
                }
            }
        }
        let slos = self.books.values().map(|book| book.slos.len()).sum();
        let waiting: usize = self.books.values().map(|book| book.pending.len()).sum();
        let refused = faults.iter().filter(|fault| fault.runs == InPlace::AllOfBefore).count();
        let sentence = sentence(slos, waiting, faults.len() - refused, refused);
        self.metrics.reloaded(faults.is_empty());
        self.view.send_modify(|view| Arc::<View>::make_mut(view).definition_faults = faults);
        self.publish(now);
        Ok(sentence)
    }
}

/// The renames that a book does not know: those of this load, and those that an earlier one left in the store without our knowing.
fn called_anew(book: &Book, opened: &Opened, now: Timestamp) -> Vec<Rename> {
    let runs_on = |former: &SloId| opened.slos.iter().chain(&opened.held).any(|slo| slo.id == *former);
    let is_news = |slo: &&Arc<Slo>| {
        let former = slo.former().filter(|former| book.slos.contains_key(former) && !runs_on(former));
        former.is_some()
            && !book.slos.contains_key(&slo.id)
            && !opened.renamed.iter().any(|rename| rename.to == slo.id.name && rename.service == slo.id.service)
    };
    let unknown = opened.slos.iter().filter(is_news).filter_map(|slo| rename_of(slo, now));
    opened.renamed.iter().cloned().chain(unknown).collect()
}

fn sentence(slos: usize, waiting: usize, faults: usize, refused: usize) -> String {
    let run = if slos == 1 { "1 SLO runs".to_owned() } else { format!("{slos} SLOs run") };
    let waiting = (waiting > 0).then(|| match waiting {
        1 => "1 changed or removed SLO runs on as before until its alert clears".to_owned(),
        _ => format!("{waiting} changed or removed SLOs run on as before until their alerts clear"),
    });
    let faulty = (faults > 0).then(|| format!("{} at fault: `burnward status` says what and why", plural(faults, "file")));
    let refused = (refused > 0).then(|| "a removal of most SLOs is refused: `burnward doctor` says of which and what to do".to_owned());
    iter::once(run).chain(waiting).chain(faulty).chain(refused).collect::<Vec<_>>().join("; ")
}
