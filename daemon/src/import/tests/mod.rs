//! Foreign documents as wholes: what comes out, what is said, and that nothing of a file makes it panic.

mod damaged;
mod direct;
mod documentation;
mod mistakes;
mod openslo;
mod pyrra;
mod rules;
mod sloth;
mod unread;

use burnward_core::{
    id::{SourceName, TenantId},
    slo::Slo,
};

use super::{Imported, Options, import};
use crate::definition::{
    Context, Source,
    document::{self, version_of},
};

fn context() -> Context {
    Context::unchecked(TenantId::parse("main").expect("a name"), SourceName::parse("prom").expect("a name"))
}

fn convert(files: &[(&str, &str)]) -> Imported {
    let sources: Vec<_> = files.iter().map(|(name, text)| super::source(name, text)).collect();
    import(&sources, &Options::default(), &context())
}

/// The SLOs of what came out, which loads.
fn loaded(imported: &Imported) -> Vec<Slo> {
    let read = |text: &str| document::read(&Source::new("out.yaml", text), &version_of(text), &context());
    let slos = imported.documents.iter().flat_map(|document| match read(&document.text) {
        Ok((slos, _)) => slos,
        Err(faults) => panic!("{}\n{}", document.text, faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")),
    });
    slos.map(|slo| (*slo).clone()).collect()
}

/// What came out, and behind it each word that was said, in one line.
fn shown(files: &[(&str, &str)]) -> String {
    let imported = convert(files);
    loaded(&imported);
    let texts: Vec<&str> = imported.documents.iter().map(|document| document.text.as_str()).collect();
    let said = imported.faults.iter().map(|fault| format!("{fault}\n  {}\n", fault.help.join("\n  ")));
    texts.join("---\n") + "=====\n" + &said.collect::<String>()
}

#[test]
fn every_code_of_other_tools_is_met_here() {
    let plugin =
        sloth::FILE.replace("      events:\n        error_query: sum", "      plugin: { id: a }\n      x:\n        error_query: sum");
    let texts = [
        sloth::FILE.to_owned(),
        plugin,
        openslo::SLO.to_owned(),
        openslo::SLO.replace("28d", "1m"),
        openslo::SLO.replace("alertPolicyRef: fast", "alertPolicyRef: none"),
        openslo::ALPHA.to_owned(),
        "apiVersion: apps/v1\nkind: Deployment\n".to_owned(),
    ];
    let met: std::collections::BTreeSet<&str> = texts.iter().flat_map(|text| codes(text)).collect();
    let unmet = crate::definition::codes::ALL.iter().map(|code| code.id).filter(|id| id.starts_with("E15") || id.starts_with("W21"));
    assert_eq!(unmet.filter(|id| !met.contains(id)).collect::<Vec<_>>(), Vec::<&str>::new());
}

/// The codes of all that was said.
fn codes(text: &str) -> Vec<&'static str> {
    convert(&[("slo.yaml", text)]).faults.iter().map(|fault| fault.code.id).collect()
}
