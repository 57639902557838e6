//! `burnward export`: SLOs as rules of Prometheus, OpenSLO or a dashboard of Grafana on stdout, and what those cannot hold on stderr.

use std::{path::PathBuf, process::ExitCode, sync::Arc};

use burnward_core::slo::Slo;
use clap::{Args, ValueEnum};

use super::{import::unchecked, print};
use crate::{
    definition::{self, Colour, Severity},
    export::{self, Exported},
};

/// What to write, and how.
#[derive(Debug, Args)]
pub(super) struct ExportArgs {
    /// Files and directories of SLO documents; ./slo-definitions without any.
    paths: Vec<PathBuf>,

    /// What to write.
    #[arg(short, long, value_enum)]
    format: Format,

    /// Only this SLO, as service/name, or all of a service.
    #[arg(long, value_name = "SERVICE[/NAME]")]
    slo: Option<String>,
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

/// Where documents are without a path.
const DEFAULT: &str = "slo-definitions";

/// Writes. Exit code 0, 1 where a document does not load, 2 where there is no such SLO.
pub(super) fn run(args: ExportArgs) -> anyhow::Result<ExitCode> {
    let paths = if args.paths.is_empty() { vec![PathBuf::from(DEFAULT)] } else { args.paths };
    let loaded = definition::read_paths(&paths, &unchecked()?);
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
    let Exported { text, slos: written, losses } = export::export(&slos, format);
    print::text(text)?;
    for loss in losses {
        print::talk(format_args!("not carried over: {loss}"));
    }
    print::talk(format_args!("Wrote {written} of {} SLOs.", slos.len()));
    Ok(ExitCode::from(u8::from(!errors.is_empty())))
}
