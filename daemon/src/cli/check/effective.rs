//! `burnward check --effective`: the documents as they are in force, with what templates were made into, tenant by tenant.

use std::{fmt::Write as _, path::Path};

use burnward_core::id::TenantId;

use crate::definition::{Loaded, document};

/// A document in force.
#[derive(Debug, Clone)]
pub(super) struct InForce {
    tenant: TenantId,
    /// The file that it is, or that asks for it.
    file: String,
    /// What it is made of: the template and its file.
    of: Option<(String, String)>,
    text: String,
    /// First digits of the text's SHA-256, as incidents name it.
    version: String,
}

/// The documents of a tenant; each line of what was made with the file and line that it comes from.
pub(super) fn of(tenant: &TenantId, loaded: &Loaded, origins: bool) -> Vec<InForce> {
    let files = loaded.files.iter().map(|file| {
        let made = loaded.made().find(|(path, ..)| *path == Path::new(&file.path));
        let effective = made.and_then(|_| loaded.effective(Path::new(&file.path))).filter(|_| origins);
        let text = effective.map_or_else(|| file.text.clone(), |effective| effective.with_origins());
        let of = made.map(|(_, _, template)| (template.name.to_string(), template.file().to_owned()));
        InForce { tenant: tenant.clone(), file: file.path.clone(), of, version: document::version_of(&file.text), text }
    });
    files.collect()
}

/// All of them as YAML, one document after another.
pub(super) fn yaml(documents: &[InForce]) -> String {
    let mut out = String::new();
    for (at, InForce { tenant, file, of, text, version: _ }) in documents.iter().enumerate() {
        let separator = if at > 0 { "---\n" } else { "" };
        let of = of.as_ref().map(|(template, file)| format!(", made of {template} in {file}")).unwrap_or_default();
        // Writing to a String does not fail.
        let _ = writeln!(out, "{separator}# {file}, tenant {tenant}{of}");
        out.push_str(text.strip_prefix('\u{feff}').unwrap_or(text));
        if !text.ends_with('\n') {
            out.push('\n');
        }
    }
    out
}

/// The same as data.
pub(super) fn json(documents: &[InForce]) -> String {
    let document = |InForce { tenant, file, of, text, version }: &InForce| {
        let of = of.as_ref().map(|(template, file)| serde_json::json!({ "template": template, "file": file }));
        serde_json::json!({ "tenant": tenant.as_str(), "file": file, "made_of": of, "version": version, "text": text })
    };
    let documents: Vec<serde_json::Value> = documents.iter().map(document).collect();
    format!("{:#}\n", serde_json::json!({ "schema": "burnward/v1/effective", "documents": documents }))
}
