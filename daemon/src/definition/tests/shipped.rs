//! What is shipped loads: definitions, the example configuration, runbooks.

use std::{fs, path::PathBuf, sync::Arc};

use crate::config;
use crate::definition::{Colour, load, runbook};

fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().expect("the daemon stands in the repository").to_owned()
}

#[test]
fn the_shipped_definitions_load_without_a_word_under_the_example_configuration() {
    let config = config::read(Some(&repository().join("docs/burnward.example.yaml"))).expect("the example loads");
    let (tenant, place) = config.tenants.iter().next().expect("a tenant");
    let loaded = load(tenant, place, &config, &Arc::default());
    let faults: Vec<String> = loaded.diagnostics().map(|fault| fault.render(Colour::Never)).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    let ids: Vec<String> = loaded.slos.iter().map(|slo| slo.id.to_string()).collect();
    assert_eq!(
        ids,
        [
            "main:burnward/evaluation",
            "main:burnward/page-delivery",
            "main:shop/availability",
            "main:shop/demo-checkout",
            "main:shop/latency",
            "main:shop/visit",
        ]
    );
}

#[test]
fn every_runbook_has_an_owner_a_date_first_steps_and_checks() {
    let directory = repository().join("runbooks");
    for entry in fs::read_dir(&directory).expect("runbooks") {
        let name = entry.expect("a file").file_name().into_string().expect("UTF-8");
        let runbook = runbook::read(&directory, &name).expect(&name);
        assert!(!runbook.title.is_empty(), "{name}: no title");
        assert!(runbook.owner.as_deref().is_some_and(|owner| ["shop", "operators"].contains(&owner)), "{name}: owner");
        assert!(runbook.verified.as_deref().is_some_and(|day| day.parse::<jiff::civil::Date>().is_ok()), "{name}: verified");
        assert!((3..=7).contains(&runbook.first_steps.len()), "{name}: {:?}", runbook.first_steps);
        assert!(!runbook.checks.is_empty(), "{name}: nothing to check with");
        for command in &runbook.checks {
            assert!(command.starts_with("burnward ") || command.starts_with("curl "), "{name}: {command}");
        }
        for heading in ["Meaning", "Impact", "First steps", "Diagnosis", "Mitigation", "Verification"] {
            assert!(runbook.markdown.contains(&format!("\n## {heading}\n")), "{name}: no {heading}");
        }
    }
}

#[test]
fn links_between_shipped_documents_lead_somewhere() {
    for folder in ["runbooks", "docs"] {
        for entry in fs::read_dir(repository().join(folder)).expect("a folder") {
            let path = entry.expect("a file").path();
            if path.extension().is_some_and(|extension| extension == "md") {
                let text = fs::read_to_string(&path).expect("Markdown");
                for target in links(&text).filter(|target| !target.contains("://") && !target.starts_with('#')) {
                    let file = target.split('#').next().unwrap_or_default();
                    assert!(path.parent().expect("a folder").join(file).exists(), "{}: {target}", path.display());
                }
            }
        }
    }
}

/// The targets of `[text](target)`.
fn links(text: &str) -> impl Iterator<Item = &str> {
    text.split("](").skip(1).filter_map(|rest| rest.split(')').next())
}
