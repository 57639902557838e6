//! `burnward diff`: what SLO documents change against those that run, of a git revision, or of other files. Exit code 0 no difference, 1 differences, 2
//! could not do it.

mod effect;
mod git;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use anyhow::bail;
use burnward_core::{id::TenantId, slo::Slo};

use super::{
    client::{Client, ServerArgs},
    documents, print,
};
use crate::{
    config::{self, Config, TenantConfig},
    definition::{self, Context, Loaded, Severity, document::Templates, template::Library},
    diff::{Difference, compare, words},
    web::api::wire::RunningDefinitions,
};

/// What `--against` says for the daemon.
const RUNNING: &str = "running";

/// Arguments of `diff`.
#[derive(Debug, clap::Args)]
pub(super) struct DiffArgs {
    /// The newer files and directories; without any, those of burnward.yaml, else ./slo-definitions.
    paths: Vec<PathBuf>,

    /// What they are compared with: `running` for the daemon, files or a directory, or a git revision such as main.
    #[arg(long, value_name = "WHAT", default_value = RUNNING)]
    against: String,

    /// Also what the changes would have done over so long a history, such as 30d: how many pages, for whom, at night or by day.
    #[arg(long, value_name = "DURATION")]
    backtest: Option<String>,

    /// That history from the Prometheus at this URL instead of the tenants' sources.
    #[arg(long, value_name = "URL", conflicts_with = "recorded", requires = "backtest")]
    source: Option<String>,

    /// That history from a file of OpenMetrics text with timestamps, up to its last sample.
    #[arg(long, value_name = "FILE", requires = "backtest")]
    recorded: Option<PathBuf>,

    /// How the differences are written.
    #[arg(short, long, value_enum, default_value_t = Form::Table)]
    output: Form,

    /// The configuration that says which teams and directories there are; ./burnward.yaml, else /etc/burnward/burnward.yaml.
    #[arg(long = "config.file", value_name = "FILE")]
    config_file: Option<PathBuf>,

    #[command(flatten)]
    server: ServerArgs,
}

/// How differences are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Form {
    /// For people.
    Table,
    /// For programs.
    Json,
    /// For a comment on a pull request.
    Md,
}

/// Runs the command.
pub(super) async fn run(args: DiffArgs) -> anyhow::Result<ExitCode> {
    let config = match config::discover(args.config_file.as_deref()) {
        Some(_) => config::read(args.config_file.as_deref())?,
        None => Config::default(),
    };
    if let Some(missing) = args.paths.iter().find(|path| !path.exists()) {
        bail!("there is no {}", missing.display());
    }
    let length = args.backtest.as_deref().map(effect::length).transpose()?;
    let sides = sides(&args, &config)?;
    let mut sets = Vec::with_capacity(sides.len());
    for side in &sides {
        let read = definition::read_paths(&side.paths, &side.context);
        refuse_faulty(&read)?;
        sets.push(Sets { older: older_of(&args, side, &read.slos).await?, newer: read.slos });
    }
    let all = |of: fn(&Sets) -> &Vec<Arc<Slo>>| sets.iter().flat_map(of).cloned().collect::<Vec<_>>();
    let mut difference = compare(&all(|sets| &sets.older), &all(|sets| &sets.newer), &config.teams);
    if let Some(length) = length {
        let config = Arc::new(config);
        for (side, sets) in sides.iter().zip(&sets) {
            effect::add(&mut difference, &args, &config, (side, sets), length).await?;
        }
    }
    print::text(written(&difference, args.output, sides.len() > 1))?;
    Ok(if difference.changes.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn written(difference: &Difference, form: Form, shows_tenant: bool) -> String {
    match form {
        Form::Table => words::text(difference, shows_tenant),
        Form::Json => format!("{:#}\n", words::json(difference)),
        Form::Md => words::markdown(difference, shows_tenant),
    }
}

/// The two sets of SLOs of one tenant.
struct Sets {
    older: Vec<Arc<Slo>>,
    newer: Vec<Arc<Slo>>,
}

/// The documents of one tenant that are compared.
struct Side {
    paths: Vec<PathBuf>,
    /// True where the paths were named, so that they may be a part of what the tenant has.
    named: bool,
    context: Context,
    /// Where the tenant's documents lie, and the operator's templates.
    directories: Vec<PathBuf>,
    template_directories: Vec<PathBuf>,
}

fn sides(args: &DiffArgs, config: &Config) -> anyhow::Result<Vec<Side>> {
    let wanted = |tenant: &TenantId| args.server.tenant.as_ref().is_none_or(|named| named == tenant.as_str());
    let tenants: BTreeMap<TenantId, TenantConfig> =
        config.tenants.iter().filter(|(tenant, _)| wanted(tenant)).map(|(tenant, place)| (tenant.clone(), place.clone())).collect();
    let Some((tenant, place)) = documents::tenant_of(&tenants, &args.paths) else {
        bail!("the configuration has no tenant {}", args.server.tenant.as_deref().unwrap_or_default());
    };
    let (library, template_directories) = (documents::library(Some(config)), config.slo_templates.clone());
    if !args.paths.is_empty() {
        let of_tenant = context(tenant, place, config, &library);
        let templates = documents::templates_of_paths(place, of_tenant.templates.clone(), &args.paths);
        return Ok(vec![Side {
            paths: args.paths.clone(),
            named: true,
            context: Context { templates, ..of_tenant },
            directories: place.slo_definitions.clone(),
            template_directories,
        }]);
    }
    let side = |(tenant, place): (&TenantId, &TenantConfig)| Side {
        paths: place.slo_definitions.clone(),
        named: false,
        context: context(tenant, place, config, &library),
        directories: place.slo_definitions.clone(),
        template_directories: template_directories.clone(),
    };
    Ok(tenants.iter().map(side).collect())
}

/// What documents refer to is a matter of `burnward check`.
fn context(tenant: &TenantId, place: &TenantConfig, config: &Config, library: &Arc<Library>) -> Context {
    let templates = Templates { library: library.clone(), instances: place.made.clone(), ..Templates::default() };
    Context { promql: config.promql(&place.source), templates, ..Context::unchecked(tenant.clone(), place.source.clone()) }
}

/// The newer side must be whole: an SLO whose file does not load is not one that is gone.
fn refuse_faulty(read: &Loaded) -> anyhow::Result<()> {
    let faulty: Vec<String> = read.faulty.iter().map(|path| path.display().to_string()).collect();
    match faulty.first() {
        Some(file) => bail!(
            "{} not load: see `burnward check {file}`",
            if faulty.len() == 1 { format!("{file} does") } else { format!("{} do", faulty.join(", ")) }
        ),
        None => Ok(()),
    }
}

/// The older set: what runs, what a revision holds, or what other files hold.
async fn older_of(args: &DiffArgs, side: &Side, newer: &[Arc<Slo>]) -> anyhow::Result<Vec<Arc<Slo>>> {
    if args.against == RUNNING {
        let client = Client::new(&args.server.of_tenant(Some(side.context.tenant.as_str())))?;
        let running: RunningDefinitions = client.get(&["definitions"], &[]).await?;
        for held in &running.held {
            print::talk(format_args!("note: {}", held.sentence()));
        }
        let texts = running.files.into_iter().map(|file| (PathBuf::from(file.path), file.text));
        // What was made of templates runs as what it was made into.
        let context = Context { templates: Templates::default(), ..side.context.clone() };
        let runs = told(definition::read_texts(texts, &context), "runs");
        return Ok(runs.into_iter().filter(|slo| !side.named || side.is_about(slo, newer)).collect());
    }
    let path = PathBuf::from(&args.against);
    if path.exists() {
        return Ok(told(definition::read_paths(&[path], &side.context), "stands there"));
    }
    let texts = git::texts(&args.against, &side.paths)?;
    let of_then = |directories: &[PathBuf]| git::texts(&args.against, directories).map(|texts| Arc::new(Library::of_texts(texts)));
    // Where they are not of that repository, those of today count.
    let library = of_then(&side.template_directories).unwrap_or_else(|_| side.context.templates.library.clone());
    let beside = if side.named { of_then(&side.directories)? } else { Arc::default() };
    let context = Context { templates: Templates { library, beside, ..side.context.templates.clone() }, ..side.context.clone() };
    Ok(told(definition::read_texts(texts, &context), "stood there"))
}

impl Side {
    /// Whether an SLO that runs is of the named files: by its own name or its former one, or by the file that it comes from.
    fn is_about(&self, slo: &Slo, newer: &[Arc<Slo>]) -> bool {
        let file = Path::new(&slo.origin.file);
        let same_file = |path: &PathBuf| path.is_dir() || file.ends_with(path) || path.ends_with(file);
        newer.iter().any(|new| new.id == slo.id || new.former().as_ref() == Some(&slo.id)) || self.paths.iter().any(same_file)
    }
}

/// The SLOs of the older side; of a file that does not load by the rules of this version, a note.
fn told(read: Loaded, how: &str) -> Vec<Arc<Slo>> {
    for fault in read.diagnostics().filter(|fault| fault.severity() == Severity::Error) {
        print::talk(format_args!("note: what {how} does not load, and counts as new: {}", fault.redacted().message));
    }
    read.slos
}
