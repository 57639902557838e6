//! `burnward templates`: which documents are made of which version of a template, who stays at an older one, and who says something otherwise.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    path::PathBuf,
    process::ExitCode,
    sync::Arc,
};

use burnward_core::{id::TenantId, words::plural};

use super::{documents, print};
use crate::{
    config::{self, Config},
    definition::{self, Loaded, template::Library},
};

/// Arguments of `templates`.
#[derive(Debug, clap::Args)]
pub(super) struct TemplatesArgs {
    /// Files and directories; without any, those of the tenants of burnward.yaml.
    paths: Vec<PathBuf>,

    /// Only this tenant of burnward.yaml.
    #[arg(long, value_name = "NAME", conflicts_with = "paths")]
    tenant: Option<String>,

    /// How it is written.
    #[arg(short, long, value_enum, default_value_t = Form::Text)]
    output: Form,

    /// The configuration that says which tenants and templates there are; ./burnward.yaml, else /etc/burnward/burnward.yaml.
    #[arg(long = "config.file", value_name = "FILE")]
    config_file: Option<PathBuf>,
}

/// How it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Form {
    /// For people.
    #[value(alias = "table")]
    Text,
    /// For programs.
    Json,
}

/// Runs the command. Exit code 0, or 1 where something does not load, so that the report may lack it.
pub(super) fn run(args: &TemplatesArgs) -> anyhow::Result<ExitCode> {
    let config = match config::discover(args.config_file.as_deref()) {
        Some(_) => Some(config::read(args.config_file.as_deref())?),
        None => None,
    };
    if let Some(missing) = args.paths.iter().find(|path| !path.exists()) {
        anyhow::bail!("there is no {}", missing.display());
    }
    let library = documents::library(config.as_ref());
    let mut drift = Drift::default();
    drift.take_templates(&library);
    for (tenant, loaded) in loaded(args, config.as_ref(), &library)? {
        drift.take(&tenant, &loaded);
    }
    print::text(match args.output {
        Form::Text => drift.text(),
        Form::Json => drift.json(),
    })?;
    if drift.faulty > 0 {
        print::talk(format_args!("note: {} not load and may be missing here: `burnward check` says why", do_not(drift.faulty)));
    }
    Ok(ExitCode::from(u8::from(drift.faulty > 0)))
}

fn do_not(faulty: usize) -> String {
    format!("{} {}", plural(faulty, "file"), if faulty == 1 { "does" } else { "do" })
}

fn loaded(args: &TemplatesArgs, config: Option<&Config>, library: &Arc<Library>) -> anyhow::Result<Vec<(TenantId, Loaded)>> {
    if !args.paths.is_empty() {
        let context = documents::context(config, &args.paths);
        return Ok(vec![(context.tenant.clone(), definition::read_paths(&args.paths, &context))]);
    }
    let default = Config::default();
    let tenants = &config.unwrap_or(&default).tenants;
    let wanted = |tenant: &TenantId| args.tenant.as_ref().is_none_or(|named| named == tenant.as_str());
    if let Some(named) = args.tenant.as_ref().filter(|_| !tenants.keys().any(wanted)) {
        anyhow::bail!("burnward.yaml has no tenant {named}");
    }
    let of_tenant = |(tenant, place): (&TenantId, &config::TenantConfig)| {
        let context = documents::context_of(tenant, place, config, library);
        (tenant.clone(), definition::read_paths(&place.slo_definitions, &context))
    };
    Ok(tenants.iter().filter(|(tenant, _)| wanted(tenant)).map(of_tenant).collect())
}

/// What is made of one version of a template.
#[derive(Debug, Default)]
struct Version {
    file: String,
    made: Vec<Made>,
}

#[derive(Debug)]
struct Made {
    tenant: TenantId,
    file: String,
    /// Whether it stays at this version.
    pinned: bool,
    overrides: Vec<String>,
}

/// Who is where.
#[derive(Debug, Default)]
struct Drift {
    /// By the name of the template and its version. A tenant's own templates go by its name, too.
    templates: BTreeMap<(String, Option<TenantId>), BTreeMap<u32, Version>>,
    faulty: usize,
}

impl Drift {
    fn take_templates(&mut self, library: &Library) {
        for template in library.templates() {
            let versions = self.templates.entry((template.name.name.clone(), None)).or_default();
            template.file().clone_into(&mut versions.entry(template.name.version).or_default().file);
        }
    }

    fn take(&mut self, tenant: &TenantId, loaded: &Loaded) {
        self.faulty += loaded.faulty.len();
        let own: BTreeSet<&str> = loaded.own_templates().templates().map(|template| template.file()).collect();
        let whose = |file: &str| own.contains(file).then(|| tenant.clone());
        for template in loaded.own_templates().templates() {
            let versions = self.templates.entry((template.name.name.clone(), whose(template.file()))).or_default();
            template.file().clone_into(&mut versions.entry(template.name.version).or_default().file);
        }
        for (path, instance, template) in loaded.made() {
            let versions = self.templates.entry((template.name.name.clone(), whose(template.file()))).or_default();
            let made = Made {
                tenant: tenant.clone(),
                file: path.display().to_string(),
                pinned: instance.version.is_some(),
                overrides: instance.overridden(),
            };
            versions.entry(template.name.version).or_default().made.push(made);
        }
    }

    fn text(&self) -> String {
        if self.templates.is_empty() {
            return "No template is defined.\n".to_owned();
        }
        let mut out = String::new();
        for ((name, tenant), versions) in &self.templates {
            let of = tenant.as_ref().map(|tenant| format!(", of tenant {tenant}")).unwrap_or_default();
            // Writing to a String does not fail.
            let _ = writeln!(out, "{name}{of}");
            let newest = versions.keys().next_back().copied().unwrap_or_default();
            for (version, of_version) in versions.iter().rev() {
                out.push_str(&of_version.text(*version, *version == newest));
            }
        }
        out
    }

    fn json(&self) -> String {
        let templates: Vec<serde_json::Value> = self
            .templates
            .iter()
            .flat_map(|((name, tenant), versions)| {
                let newest = versions.keys().next_back().copied().unwrap_or_default();
                versions.iter().map(move |(version, of_version)| {
                    serde_json::json!({
                        "template": name,
                        "version": version,
                        "newest": *version == newest,
                        "tenant": tenant.as_ref().map(TenantId::as_str),
                        "file": of_version.file,
                        "documents": of_version.made.iter().map(Made::json).collect::<Vec<_>>(),
                    })
                })
            })
            .collect();
        format!("{:#}\n", serde_json::json!({ "schema": "burnward/v1/templates", "templates": templates }))
    }
}

impl Version {
    fn text(&self, version: u32, is_newest: bool) -> String {
        let tenants: BTreeSet<&TenantId> = self.made.iter().map(|made| &made.tenant).collect();
        let all = match self.made.len() {
            0 => "nothing is made of it".to_owned(),
            many => format!("{} of {}", plural(many, "document"), plural(tenants.len(), "tenant")),
        };
        let newest = if is_newest { ", the newest" } else { "" };
        let mut out = format!("  @{version}{newest}: {all} ({})\n", self.file);
        // Of the newest only who says something otherwise, or would stay behind, is of interest.
        for made in self.made.iter().filter(|made| !is_newest || made.pinned || !made.overrides.is_empty()) {
            let pinned = if made.pinned { ", pinned" } else { "" };
            let overrides = if made.overrides.is_empty() { String::new() } else { format!(", overrides {}", made.overrides.join(", ")) };
            // Writing to a String does not fail.
            let _ = writeln!(out, "    {}: {}{pinned}{overrides}", made.tenant, made.file);
        }
        out
    }
}

impl Made {
    fn json(&self) -> serde_json::Value {
        let Self { tenant, file, pinned, overrides } = self;
        serde_json::json!({ "tenant": tenant.as_str(), "file": file, "pinned": pinned, "overrides": overrides })
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const TEMPLATE: &str = "version: burnward/v1
template: web@1
parameters: { job: { type: label-value } }
team: payments
slos:
  - name: availability
    sli: { events: { bad: 'e{job=\"$(job)\", code=\"500\"}', total: 'e{job=\"$(job)\"}' } }
    objectives: [{ target: 99.9%, window: 30d, alerting: ticket }]
";

    #[test]
    fn who_is_at_which_version_and_says_what_otherwise_is_told() {
        let directory = tempfile::tempdir().expect("a directory");
        let write = |name: &str, text: &str| fs::write(directory.path().join(name), text).expect("a file");
        write("web1.yaml", TEMPLATE);
        write("web2.yaml", &TEMPLATE.replace("web@1", "web@2"));
        write("spare.yaml", &TEMPLATE.replace("web@1", "spare@1"));
        let instance = |from: &str, service: &str, more: &str| {
            format!("version: burnward/v1\nfrom: {from}\nservice: {service}\nwith: {{ job: {service} }}\n{more}")
        };
        write("a.yaml", &instance("web", "a", ""));
        write(
            "b.yaml",
            &instance("web", "b", "overrides: { availability: { title: x, objectives: { 30d: { target: 99%, alerting: none } } } }\n"),
        );
        write("c.yaml", &instance("web@1", "c", ""));
        write("d.yaml", &instance("web@2", "d", ""));
        let paths = [directory.path().to_owned()];
        let context = documents::context(None, &paths);
        let mut drift = Drift::default();
        drift.take(&context.tenant, &definition::read_paths(&paths, &context));
        let text = |text: String| text.replace(&format!("{}/", directory.path().display()), "");
        assert_eq!(
            text(drift.text()),
            "spare, of tenant main
  @1, the newest: nothing is made of it (spare.yaml)
web, of tenant main
  @2, the newest: 3 documents of 1 tenant (web2.yaml)
    main: b.yaml, overrides availability: title 30d.target 30d.alerting
    main: d.yaml, pinned
  @1: 1 document of 1 tenant (web1.yaml)
    main: c.yaml, pinned
"
        );
        insta::assert_snapshot!("json", text(drift.json()));
        assert_eq!(drift.faulty, 0);
    }
}
