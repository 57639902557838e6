//! Which version of an SLO ran at a moment, where its parts stand in that, and what the version before it said.

use std::collections::BTreeSet;

use burnward_core::{slo::Slo, time::Timestamp};

use crate::{
    app::Handle,
    definition::places::{ObjectivePlaces, Places},
    diff::{FactChange, What, compare},
    store::{RunVersion, StoreError, StoredDefinition},
    then::slo_of,
    web::api::wire::{Definition, DefinitionBefore, DefinitionChange, SourcePlace, instant},
};

/// Texts that are looked into at most for what the SLO said before.
const COMPARED: usize = 10;

/// Where the parts of an SLO stand in a version of its file.
#[derive(Debug, Default)]
pub(super) struct Written {
    file: String,
    places: Option<Places>,
}

impl Written {
    /// Where an SLO stands in the version that it is of.
    pub(super) async fn of(handle: &Handle, slo: &Slo) -> Result<Self, StoreError> {
        let run = RunVersion {
            called: slo.id.clone(),
            path: slo.origin.file.clone(),
            version: slo.origin.version.clone(),
            since: Timestamp::EPOCH,
        };
        let stored = handle.store.definition_version(&slo.id.tenant, &run).await?;
        Ok(stored.map(|stored| Self::within(&stored, &run)).unwrap_or_default())
    }

    fn within(stored: &StoredDefinition, run: &RunVersion) -> Self {
        Self { file: run.path.clone(), places: Places::find(&run.path, &stored.text, &run.called) }
    }

    /// Where its name stands.
    fn name(&self) -> Option<SourcePlace> {
        self.places.as_ref().map(|places| self.place(places.name))
    }

    /// Where the objective with this number begins.
    pub(super) fn objective(&self, number: usize) -> Option<SourcePlace> {
        self.of_objective(number).map(|objective| self.place(objective.at))
    }

    /// Where a row of its own stands.
    pub(super) fn row(&self, objective: usize, row: usize) -> Option<SourcePlace> {
        Some(self.place(*self.of_objective(objective)?.rows.get(row)?))
    }

    fn of_objective(&self, number: usize) -> Option<&ObjectivePlaces> {
        self.places.as_ref()?.objectives.get(number)
    }

    fn place(&self, at: crate::definition::diagnostic::Position) -> SourcePlace {
        SourcePlace { file: self.file.clone(), line: at.line, column: at.column }
    }
}

/// The definition that ran at a moment; `None` where none is noted.
pub(super) async fn of(handle: &Handle, slo: &Slo, until: Timestamp) -> Result<Option<Definition>, StoreError> {
    let runs = handle.store.versions_of(&slo.id, until).await?;
    let Some((run, earlier)) = runs.split_first() else { return Ok(None) };
    let Some(stored) = handle.store.definition_version(&slo.id.tenant, run).await? else { return Ok(None) };
    let said = slo_of(handle, &slo.id, run, stored.clone());
    let mut definition = Definition {
        version: run.version.clone(),
        number: runs.len(),
        since: instant(run.since),
        place: Written::within(&stored, run).name(),
        same_since: instant(run.since),
        before: None,
        not_compared: 0,
    };
    let mut looked_into = BTreeSet::from([(&run.path, &run.version)]);
    for (at, before) in earlier.iter().enumerate() {
        if looked_into.contains(&(&before.path, &before.version)) {
            definition.same_since = instant(before.since);
            continue;
        }
        if looked_into.len() > COMPARED {
            definition.not_compared = earlier.len() - at;
            break;
        }
        looked_into.insert((&before.path, &before.version));
        let text = handle.store.definition_version(&slo.id.tenant, before).await?;
        let said_before = text.and_then(|stored| slo_of(handle, &slo.id, before, stored));
        let changes = said.as_ref().zip(said_before.as_ref()).map(|(said, before)| changes(before, said));
        let was = Some(&before.called.name).filter(|name| **name != slo.id.name).map(ToString::to_string);
        match changes {
            Some(changes) if changes.is_empty() && was.is_none() => definition.same_since = instant(before.since),
            Some(changes) => {
                let (version, file, since) = (before.version.clone(), before.path.clone(), instant(before.since));
                definition.before = Some(DefinitionBefore { version, file, since, was, changes });
                break;
            }
            None => {
                definition.not_compared = earlier.len() - at;
                break;
            }
        }
    }
    Ok(Some(definition))
}

/// What an SLO says otherwise than before.
fn changes(before: &Slo, now: &Slo) -> Vec<DefinitionChange> {
    let difference = compare(&[before.clone().into()], &[now.clone().into()], &std::collections::BTreeMap::new());
    let facts = difference.changes.into_iter().filter_map(|change| match change.what {
        What::Changed { facts, .. } => Some(facts),
        What::Added(_) | What::Removed => None,
    });
    facts.flatten().map(|FactChange { key, before, after }| DefinitionChange { key, before, after }).collect()
}
