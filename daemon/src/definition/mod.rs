//! SLO definitions: from YAML text to checked SLOs, or to diagnostics that say where and what to write instead.
//!
//! `yaml` makes a tree with places, `reader` takes it apart and collects mistakes, `document` and its neighbours turn it into the core's types,
//! `template` makes documents of templates,
//! `load` does so for directories, `format` lays texts out, `accept` decides what a start or a reload may change. Nothing here evaluates, asks a source, or reads a clock.

pub mod accept;
pub(crate) mod build;
pub mod case;
pub mod codes;
mod comments;
pub mod diagnostic;
pub mod discover;
pub mod document;
pub mod duration;
mod elsewhere;
pub mod format;
mod journeys;
mod lines;
pub mod links;
pub mod load;
pub mod looks;
mod making;
pub mod marked;
mod matchers;
mod names;
mod objective;
pub mod places;
pub(crate) mod print;
pub(crate) mod promql;
mod raw_html;
pub mod reader;
pub mod runbook;
pub(crate) mod selector;
mod sli;
mod status;
pub mod template;
pub mod yaml;
pub(crate) mod zone;

#[cfg(test)]
mod tests;

pub use accept::{Acceptance, Generation, Removals, accept};
pub use codes::explain;
pub use diagnostic::{Colour, Diagnostic, Severity, Source};
pub use document::Context;
pub use load::{FileVersion, Loaded, load, load_stored, read_paths, read_texts};
pub use making::counted;
pub use objective::{row_words, why_left_out};
pub use sli::Promql;

/// The JSON Schema (draft 07, which editors understand best) of SLO documents: keys, types, choices, with descriptions and examples. What it refuses
/// does not load; what it lets pass may still not load, for it knows neither selectors nor teams nor how keys hang together.
pub const SCHEMA: &str = include_str!("../../../slo.schema.json");
