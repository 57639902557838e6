//! Tests of definitions as wholes: every diagnostic as it is shown, expressions, the attack list, directories, the documentation, the
//! schema, and what is shipped.

mod attacks;
mod beside;
mod cases;
mod diagnostics;
mod directories;
mod documentation;
mod elsewhere;
mod expressions;
mod field;
mod journeys;
mod kinds;
mod layout;
mod names;
mod owners;
mod schema;
mod shipped;
mod statuses;

use std::{collections::BTreeMap, path::Path};

use burnward_core::id::{SourceName, TeamName, TenantId};

use super::{
    Colour, Context, Diagnostic, Promql, Source,
    document::{self, Runbooks, Teams, Wakes, version_of},
};

/// A document that loads, with advice for its missing runbook.
const GOOD: &str = r#"version: burnward/v1
service: checkout
team: payments
slos:
  - name: availability
    sli:
      events:
        bad: 'http_requests_total{job="checkout", code=~"5.."}'
        total: 'http_requests_total{job="checkout"}'
    objectives:
      - target: 99.9%
        window: 30d
"#;

fn context() -> Context {
    Context {
        tenant: TenantId::parse("main").expect("a name"),
        source: SourceName::parse("prom").expect("a name"),
        promql: Promql::Spoken,
        runbooks: Runbooks::Directory(Path::new("/nonexistent/runbooks").to_owned()),
        teams: Teams::Known(BTreeMap::from([(TeamName::parse("payments").expect("a name"), Wakes::Somebody)])),
        templates: document::Templates::default(),
    }
}

fn read(text: &str) -> document::Read {
    document::read(&Source::new("slo.yaml", text), &version_of(text), &context())
}

/// All diagnostics of a document: errors, advice, and mistakes of its tests.
fn diagnostics(text: &str) -> Vec<Diagnostic> {
    let read = document::read_whole(&Source::new("slo.yaml", text), &version_of(text), &context());
    read.map_or_else(|faults| faults, |document| [document.advice, document.of_tests].concat())
}

/// Their codes, without the advice that every document of these tests gets.
fn codes(text: &str) -> Vec<&'static str> {
    diagnostics(text).iter().map(|fault| fault.code.id).filter(|id| *id != "W2010").collect()
}

fn rendered(faults: &[Diagnostic]) -> String {
    faults.iter().map(|fault| fault.render(Colour::Never)).collect::<Vec<_>>().join("\n\n")
}
