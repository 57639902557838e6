//! Which documents a command is about, and what they are read in: those of a tenant of burnward.yaml, or named paths.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use burnward_core::id::TenantId;

use crate::{
    config::{Config, TenantConfig},
    definition::{
        Context, Promql,
        document::{Runbooks, Teams},
    },
};

/// The context of named paths, by the tenant that they are of.
pub(super) fn context(config: Option<&Config>, paths: &[PathBuf]) -> Context {
    let default = Config::default();
    let (tenant, place) = tenant_of(&config.unwrap_or(&default).tenants, paths).expect("a configuration has a tenant");
    context_of(tenant, place, config)
}

/// The tenant whose directory holds the first of these paths, else the first tenant; `None` where there is none.
pub(super) fn tenant_of<'a>(tenants: &'a BTreeMap<TenantId, TenantConfig>, paths: &[PathBuf]) -> Option<(&'a TenantId, &'a TenantConfig)> {
    let holds = |place: &TenantConfig| place.slo_definitions.iter().any(|directory| paths.iter().any(|path| is_below(path, directory)));
    tenants.iter().find(|(_, place)| holds(place)).or_else(|| tenants.iter().next())
}

fn is_below(path: &Path, directory: &Path) -> bool {
    matches!((path.canonicalize(), directory.canonicalize()), (Ok(path), Ok(directory)) if path.starts_with(&directory))
}

pub(super) fn context_of(tenant: &TenantId, place: &TenantConfig, config: Option<&Config>) -> Context {
    let runbooks = match &place.runbooks {
        Some(directory) if config.is_some() || directory.is_dir() => Runbooks::Directory(directory.clone()),
        Some(_) => Runbooks::Unchecked,
        None => Runbooks::Missing,
    };
    let teams = config.map_or(Teams::Unchecked, |config| Teams::of(&config.teams));
    let promql = config.map_or(Promql::Spoken, |config| config.promql(&place.source));
    Context { tenant: tenant.clone(), source: place.source.clone(), promql, runbooks, teams }
}
