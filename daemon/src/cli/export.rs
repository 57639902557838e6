//! `burnward export`: SLOs as rules of Prometheus, OpenSLO or a dashboard of Grafana on stdout, and what those cannot hold on stderr.

use std::{path::PathBuf, process::ExitCode, sync::Arc};

use burnward_core::{id::TenantId, slo::Slo};
use clap::{Args, ValueEnum};

use super::{documents, import::unchecked, print};
use crate::{
    config::{self, Config, TenantConfig},
    definition::{self, Colour, Context, Severity, document::Templates},
    export::{self, Exported},
};

pub(super) const EXAMPLES: &str = "Examples:
  burnward export --format=prometheus-rules > rules.yaml         all SLOs of burnward.yaml
  burnward export shop.yaml --format=openslo                     those of a file
  burnward export --format=grafana --slo=checkout > board.json   a dashboard of one service";

/// What to write, and how.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct ExportArgs {
    /// Files and directories of SLO documents; without any, those of burnward.yaml, else ./slo-definitions.
    paths: Vec<PathBuf>,

    /// What to write.
    #[arg(short, long, value_enum)]
    format: Format,

    /// Only this SLO, as service/name, or all of a service.
    #[arg(long, value_name = "SERVICE[/NAME]")]
    slo: Option<String>,

    /// Of which tenant, where burnward.yaml has several and no path is named.
    #[arg(long, value_name = "NAME")]
    tenant: Option<String>,

    /// The configuration that says where documents are; ./burnward.yaml, else /etc/burnward/burnward.yaml.
    #[arg(long = "config.file", value_name = "FILE")]
    config_file: Option<PathBuf>,
}

/// What to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Recording and alerting rules of Prometheus.
    PrometheusRules,
    /// Documents of openslo/v1.
    Openslo,
    /// A dashboard of Grafana over the recording rules.
    Grafana,
}

/// Writes. Exit code 0, 1 where a document does not load, 2 where there is no such SLO.
pub(super) fn run(args: &ExportArgs) -> anyhow::Result<ExitCode> {
    let (paths, templates) = paths(args)?;
    let loaded = definition::read_paths(&paths, &Context { templates, ..unchecked()? });
    let errors: Vec<_> = loaded.diagnostics().filter(|fault| fault.severity() == Severity::Error).collect();
    for fault in &errors {
        print::talk(format_args!("{}\n", fault.render(Colour::Never)));
    }
    let wanted = |slo: &&Arc<Slo>| {
        let id = format!("{}/{}", slo.id.service, slo.id.name);
        args.slo.as_ref().is_none_or(|named| *named == id || *named == slo.id.service.as_str())
    };
    let slos: Vec<Arc<Slo>> = loaded.slos.iter().filter(wanted).cloned().collect();
    if let Some(named) = args.slo.as_ref().filter(|_| slos.is_empty() && errors.is_empty()) {
        anyhow::bail!("there is no SLO {named}");
    }
    let format = match args.format {
        Format::PrometheusRules => export::Format::PrometheusRules,
        Format::Openslo => export::Format::OpenSlo,
        Format::Grafana => export::Format::Grafana,
    };
    if slos.is_empty() && !errors.is_empty() {
        print::talk("Wrote nothing: no document of these loads.");
        return Ok(ExitCode::FAILURE);
    }
    let Exported { text, slos: written, losses } = export::export(&slos, format);
    print::text(text)?;
    for loss in losses {
        print::talk(format_args!("not carried over: {loss}"));
    }
    print::talk(format_args!("Wrote {written} of {} SLOs.", slos.len()));
    Ok(ExitCode::from(u8::from(!errors.is_empty())))
}

/// What is named; else the directories of the one tenant that there is, or that is named: what two tenants call alike would be one rule. Beside it the
/// templates that it may be made of.
fn paths(args: &ExportArgs) -> anyhow::Result<(Vec<PathBuf>, Templates)> {
    if !args.paths.is_empty() {
        let config = config::discover(args.config_file.as_deref()).and_then(|_| config::read(args.config_file.as_deref()).ok());
        return Ok((args.paths.clone(), documents::context(config.as_ref(), &args.paths).templates));
    }
    let config = match config::discover(args.config_file.as_deref()) {
        Some(_) => config::read(args.config_file.as_deref())?,
        None => Config::default(),
    };
    let wanted = |tenant: &TenantId| args.tenant.as_deref().is_none_or(|named| named == tenant.as_str());
    let of_tenant = |(tenant, place): (&TenantId, &TenantConfig)| {
        let context = documents::context_of(tenant, place, Some(&config), &documents::library(Some(&config)));
        (place.slo_definitions.clone(), context.templates)
    };
    let mut tenants = config.tenants.iter().filter(|(tenant, _)| wanted(tenant)).map(of_tenant);
    match (tenants.next(), tenants.next()) {
        (Some(of_one), None) => Ok(of_one),
        (Some(_), Some(_)) => anyhow::bail!("the configuration has several tenants: name one as --tenant=NAME"),
        (None, _) => anyhow::bail!("the configuration has no tenant {}", args.tenant.as_deref().unwrap_or_default()),
    }
}
