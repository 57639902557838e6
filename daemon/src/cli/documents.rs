//! Which documents a command is about, what they are read in (those of a tenant of burnward.yaml, or named paths), and how those it makes are written.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use burnward_core::id::TenantId;
use clap::ValueEnum;

use crate::{
    config::{Config, TenantConfig},
    definition::{
        Context, Promql,
        document::{Runbooks, Teams, Templates},
        template::Library,
    },
};

/// How documents that a command makes are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Written {
    /// Documents on stdout, what else is to be said on stderr.
    Yaml,
    /// Both on stdout, for programs.
    Json,
}

/// The context of named paths, by the tenant that they are of.
pub(super) fn context(config: Option<&Config>, paths: &[PathBuf]) -> Context {
    let default = Config::default();
    let (tenant, place) = tenant_of(&config.unwrap_or(&default).tenants, paths).expect("a configuration has a tenant");
    context_of_paths(tenant, place, config, paths)
}

/// The context of named paths of a tenant, whose other documents may hold their templates.
pub(super) fn context_of_paths(tenant: &TenantId, place: &TenantConfig, config: Option<&Config>, paths: &[PathBuf]) -> Context {
    let context = context_of(tenant, place, config, &library(config));
    Context { templates: templates_of_paths(place, context.templates, paths), ..context }
}

/// Templates for named paths of a tenant: what burnward.yaml makes of them is not among the paths.
pub(super) fn templates_of_paths(place: &TenantConfig, of_tenant: Templates, paths: &[PathBuf]) -> Templates {
    Templates { beside: beside(place, paths), instances: Vec::new(), ..of_tenant }
}

/// The operator's templates.
pub(super) fn library(config: Option<&Config>) -> Arc<Library> {
    Arc::new(Library::read(config.map(|config| config.slo_templates.as_slice()).unwrap_or_default()))
}

/// The templates of a tenant's documents, for paths that are a part of them alone.
fn beside(place: &TenantConfig, paths: &[PathBuf]) -> Arc<Library> {
    let directories: Vec<PathBuf> = place.slo_definitions.iter().filter(|directory| directory.is_dir()).cloned().collect();
    let is_whole = |path: &PathBuf| directories.iter().any(|directory| path.canonicalize().ok() == directory.canonicalize().ok());
    if paths.iter().all(is_whole) { Arc::default() } else { Arc::new(Library::of_documents(&directories)) }
}

/// The tenant whose directory holds the first of these paths, else the first tenant; `None` where there is none.
pub(super) fn tenant_of<'a>(tenants: &'a BTreeMap<TenantId, TenantConfig>, paths: &[PathBuf]) -> Option<(&'a TenantId, &'a TenantConfig)> {
    let holds = |place: &TenantConfig| place.slo_definitions.iter().any(|directory| paths.iter().any(|path| is_below(path, directory)));
    tenants.iter().find(|(_, place)| holds(place)).or_else(|| tenants.iter().next())
}

fn is_below(path: &Path, directory: &Path) -> bool {
    matches!((path.canonicalize(), directory.canonicalize()), (Ok(path), Ok(directory)) if path.starts_with(&directory))
}

pub(super) fn context_of(tenant: &TenantId, place: &TenantConfig, config: Option<&Config>, library: &Arc<Library>) -> Context {
    let runbooks = match &place.runbooks {
        Some(directory) if config.is_some() || directory.is_dir() => Runbooks::Directory(directory.clone()),
        Some(_) => Runbooks::Unchecked,
        None => Runbooks::Missing,
    };
    let teams = config.map_or(Teams::Unchecked, |config| Teams::of(&config.teams));
    let promql = config.map_or(Promql::Spoken, |config| config.promql(&place.source));
    let templates = Templates { library: library.clone(), instances: place.made.clone(), ..Templates::default() };
    Context { tenant: tenant.clone(), source: place.source.clone(), promql, runbooks, teams, templates }
}
