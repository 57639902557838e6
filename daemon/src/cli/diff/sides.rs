//! Both sides of a comparison: the documents of today, and those that run, that a git revision holds, or that stand in other files; each with the
//! configuration that they were read by.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::bail;
use burnward_core::{
    id::{TeamName, TenantId},
    oncall::Team,
    slo::Slo,
};

use super::{DiffArgs, git};
use crate::{
    cli::{
        client::Client,
        documents::{context_of, library, templates_of_paths, tenant_of},
        print,
    },
    config::{self, Config, TenantConfig},
    definition::{
        self, Context, Loaded, Severity,
        document::{Runbooks, Teams, Templates},
        template::Library,
    },
    web::api::wire::RunningDefinitions,
};

/// What `--against` says for the daemon.
pub(super) const RUNNING: &str = "running";

/// What documents are compared with.
pub(super) enum Against<'a> {
    /// What the daemon runs.
    Running,
    /// Other files.
    Files(&'a Path),
    /// What a revision held, with the configuration that it held, where it did.
    Revision { revision: &'a str, config: Option<Box<Config>> },
}

impl<'a> Against<'a> {
    pub(super) fn of(args: &'a DiffArgs) -> Self {
        let path = Path::new(&args.against);
        if args.against == RUNNING {
            Self::Running
        } else if path.exists() {
            Self::Files(path)
        } else {
            Self::Revision { revision: &args.against, config: config_of(args).map(Box::new) }
        }
    }

    /// The configuration of the older side, where that has one of its own.
    pub(super) fn config(&self) -> Option<&Config> {
        match self {
            Self::Running | Self::Files(_) => None,
            Self::Revision { config, .. } => config.as_deref(),
        }
    }
}

/// The configuration as the revision holds it; `None` where it holds none, or one that does not load by the rules of today.
fn config_of(args: &DiffArgs) -> Option<Config> {
    let path = config::discover(args.config_file.as_deref())?;
    // A revision that is none is told of where its documents are read.
    let (path, text) = git::texts(&args.against, &[path]).ok()?.into_iter().next()?;
    match config::parse(&path, &text) {
        Ok(config) => Some(config),
        Err(error) => {
            print::talk(format_args!("note: of {} today's {} is taken, because there {error}", args.against, path.display()));
            None
        }
    }
}

/// The documents of one tenant on both sides; `None`: that side does not have the tenant.
pub(super) struct Side {
    pub(super) tenant: TenantId,
    pub(super) newer: Option<Documents>,
    older: Option<Documents>,
    /// True where the paths were named, so that they may be a part of what the tenant has.
    named: bool,
}

/// Where the documents of one tenant are, and by what they are read.
#[derive(Clone)]
pub(super) struct Documents {
    paths: Vec<PathBuf>,
    pub(super) context: Context,
    /// Where the tenant's documents lie, and the operator's templates.
    directories: Vec<PathBuf>,
    template_directories: Vec<PathBuf>,
}

/// The older set of SLOs, and whom its teams wake, where that is other than today's.
pub(super) struct Older {
    pub(super) slos: Vec<Arc<Slo>>,
    pub(super) teams: Option<BTreeMap<TeamName, Team>>,
}

/// The tenants that are compared.
pub(super) fn sides(args: &DiffArgs, config: Option<&Config>, against: &Against<'_>) -> anyhow::Result<Vec<Side>> {
    let wanted = |tenant: &TenantId| args.server.tenant.as_ref().is_none_or(|named| named == tenant.as_str());
    let default = Config::default();
    let today = config.unwrap_or(&default);
    let then = against.config().unwrap_or(today);
    let tenants = |config: &Config| -> BTreeMap<TenantId, TenantConfig> {
        config.tenants.iter().filter(|(tenant, _)| wanted(tenant)).map(|(tenant, place)| (tenant.clone(), place.clone())).collect()
    };
    let (newer, older) = (tenants(today), tenants(then));
    let Some((first, _)) = tenant_of(&newer, &args.paths).or_else(|| tenant_of(&older, &args.paths)) else {
        bail!("the configuration has no tenant {}", args.server.tenant.as_deref().unwrap_or_default());
    };
    let side = |tenant: &TenantId| Side {
        tenant: tenant.clone(),
        newer: newer.get(tenant).map(|place| Documents::of((tenant, place), config, &args.paths)),
        older: older.get(tenant).map(|place| Documents::of((tenant, place), Some(then), &args.paths).unchecked()),
        named: !args.paths.is_empty(),
    };
    if !args.paths.is_empty() {
        return Ok(vec![side(first)]);
    }
    let mut all: Vec<&TenantId> = newer.keys().chain(older.keys()).collect();
    all.sort_unstable();
    all.dedup();
    Ok(all.into_iter().map(side).collect())
}

impl Documents {
    /// Those of a tenant, or the named ones of it.
    fn of((tenant, place): (&TenantId, &TenantConfig), config: Option<&Config>, named: &[PathBuf]) -> Self {
        let of_tenant = context_of(tenant, place, config, &library(config));
        let (directories, template_directories) =
            (place.slo_definitions.clone(), config.map(|config| config.slo_templates.clone()).unwrap_or_default());
        if named.is_empty() {
            return Self { paths: directories.clone(), context: of_tenant, directories, template_directories };
        }
        let templates = templates_of_paths(place, of_tenant.templates.clone(), named);
        Self { paths: named.to_vec(), context: Context { templates, ..of_tenant }, directories, template_directories }
    }

    /// What they refer to was there when they loaded.
    fn unchecked(self) -> Self {
        Self { context: Context { runbooks: Runbooks::Unchecked, teams: Teams::Unchecked, ..self.context }, ..self }
    }

    /// As they were at a revision.
    fn at(&self, revision: &str, named: bool) -> anyhow::Result<Loaded> {
        let texts = git::texts(revision, &self.paths)?;
        let of_then = |directories: &[PathBuf]| git::texts(revision, directories).map(|texts| Arc::new(Library::of_texts(texts)));
        // Where they are not of that repository, those of today count.
        let library = of_then(&self.template_directories).unwrap_or_else(|_| self.context.templates.library.clone());
        let beside = if named { of_then(&self.directories)? } else { Arc::default() };
        let context = Context { templates: Templates { library, beside, ..self.context.templates.clone() }, ..self.context.clone() };
        Ok(definition::read_texts(texts, &context))
    }
}

impl Side {
    /// The documents of today, as the daemon would read them.
    pub(super) fn read(&self) -> Loaded {
        self.newer.as_ref().map(|newer| definition::read_paths(&newer.paths, &newer.context)).unwrap_or_default()
    }

    /// The older set: what runs, what a revision holds, or what other files hold.
    pub(super) async fn older(&self, args: &DiffArgs, against: &Against<'_>, newer: &[Arc<Slo>]) -> anyhow::Result<Older> {
        let Some(older) = &self.older else { return Ok(Older { slos: Vec::new(), teams: None }) };
        match against {
            Against::Running => {
                let client = Client::new(&args.server.of_tenant(Some(self.tenant.as_str())))?;
                let running: RunningDefinitions = client.get(&["definitions"], &[]).await?;
                for held in &running.held {
                    print::talk(format_args!("note: {}", held.sentence()));
                }
                let teams = running.teams_that_run();
                let texts = running.files.into_iter().map(|file| (PathBuf::from(file.path), file.text));
                // What was made of templates runs as what it was made into.
                let context = Context { templates: Templates::default(), ..older.context.clone() };
                let runs = told(definition::read_texts(texts, &context), "runs");
                Ok(Older { slos: runs.into_iter().filter(|slo| !self.named || self.is_about(slo, newer)).collect(), teams })
            }
            Against::Files(path) => {
                let slos = told(definition::read_paths(&[path.to_path_buf()], &older.context), "stands there");
                Ok(Older { slos, teams: None })
            }
            Against::Revision { revision, config } => {
                let slos = told(older.at(revision, self.named)?, "stood there");
                Ok(Older { slos, teams: config.as_ref().map(|config| config.teams.clone()) })
            }
        }
    }

    /// Whether an SLO that runs is of the named files: by its own name or its former one, or by the file that it comes from.
    fn is_about(&self, slo: &Slo, newer: &[Arc<Slo>]) -> bool {
        let of_file = |path: &PathBuf| path.is_dir() || is_same_file(path, slo);
        let paths = self.newer.iter().flat_map(|newer| &newer.paths);
        newer.iter().any(|new| new.id == slo.id || new.former().as_ref() == Some(&slo.id)) || paths.into_iter().any(of_file)
    }
}

/// Whether an SLO comes from this file, whatever directory either is told from.
pub(super) fn is_same_file(path: &Path, slo: &Slo) -> bool {
    let file = Path::new(&slo.origin.file);
    file.ends_with(path) || path.ends_with(file)
}

/// The SLOs of the older side; of a file that does not load by the rules of this version, a note.
fn told(read: Loaded, how: &str) -> Vec<Arc<Slo>> {
    for fault in read.diagnostics().filter(|fault| fault.severity() == Severity::Error) {
        print::talk(format_args!("note: what {how} does not load, and counts as new: {}", fault.redacted().message));
    }
    read.slos
}
