//! Runbooks: Markdown files with a front matter, of which the title and the first numbered steps stand on a page.
//!
//! ```
//! let text = "---\nowner: shop\nverified: 2026-11-25\n---\n# Shop: requests fail\n\n## First steps\n1. Look at the `Now` page.\n2. Roll back.\n";
//! let runbook = burnward::definition::runbook::parse(text);
//! assert_eq!((runbook.title.as_str(), runbook.first_steps.len()), ("Shop: requests fail", 2));
//! assert_eq!(runbook.owner.as_deref(), Some("shop"));
//! ```

use std::{
    fs::File,
    io::{self, Read as _},
    path::Path,
};

use super::diagnostic::visible;

/// A runbook.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Runbook {
    /// The first heading; empty where there is none.
    pub title: String,
    /// The team that keeps it, from the front matter.
    pub owner: Option<String>,
    /// The day on which somebody last went through it, as the front matter says.
    pub verified: Option<String>,
    /// The first numbered list, item by item, as one line each. Untrusted text, with Markdown's marks.
    pub first_steps: Vec<String>,
    /// The commands of its `sh check` blocks: they only look, and change nothing.
    pub checks: Vec<String>,
    /// The Markdown without the front matter.
    pub markdown: String,
}

/// Largest runbook, in bytes.
const MAX_BYTES: u64 = 1 << 20;
/// Longest line of a step on a page, in characters.
const LONGEST_STEP: usize = 400;

/// True for a file name without directories: letters, digits, `.`, `-`, `_`, ending in `.md`, at most 100 bytes.
pub fn is_file_name(name: &str) -> bool {
    let legal = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
    let stem = name.strip_suffix(".md").unwrap_or_default();
    !stem.is_empty() && name.len() <= 100 && name.bytes().all(legal) && !name.starts_with('.')
}

/// Reads the runbook `name` of a directory.
///
/// # Errors
/// The name is not one of a file, or the file cannot be read, is not a regular file, or is larger than 1 MiB.
pub fn read(directory: &Path, name: &str) -> io::Result<Runbook> {
    text(directory, name).map(|text| parse(&text))
}

/// Its text as it stands in the file.
///
/// # Errors
/// As [`read`].
pub fn text(directory: &Path, name: &str) -> io::Result<String> {
    let refuse = |why: &str| Err(io::Error::new(io::ErrorKind::InvalidInput, format!("runbook {}: {why}", visible(name))));
    if !is_file_name(name) {
        return refuse("not a file name");
    }
    let path = directory.join(name);
    if !path.metadata()?.is_file() {
        return refuse("not a regular file");
    }
    let mut text = String::new();
    File::open(path)?.take(MAX_BYTES + 1).read_to_string(&mut text)?;
    if text.len() as u64 > MAX_BYTES {
        return refuse("larger than 1 MiB");
    }
    Ok(text)
}

/// Takes a runbook apart. Any text is a runbook, if need be one without title and steps.
pub fn parse(text: &str) -> Runbook {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text).replace("\r\n", "\n");
    let (front, body) = front_matter(&text);
    let field = |key: &str| {
        let value = front.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'));
        value.map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
    };
    let title = prose(body).find_map(|line| line.strip_prefix("# ")).unwrap_or_default().trim().to_owned();
    let first_steps = steps(body);
    Runbook { title, owner: field("owner"), verified: field("verified"), first_steps, checks: checks(body), markdown: body.to_owned() }
}

/// The lines between two `---` at the start, and the rest.
fn front_matter(text: &str) -> (&str, &str) {
    text.strip_prefix("---\n").and_then(|rest| rest.split_once("\n---\n")).unwrap_or(("", text))
}

/// The lines outside of fenced blocks.
fn prose(body: &str) -> impl Iterator<Item = &str> {
    let mut fenced = false;
    body.lines().filter(move |line| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        !fence && !fenced
    })
}

fn steps(body: &str) -> Vec<String> {
    let mut steps: Vec<String> = Vec::new();
    for line in prose(body) {
        match (numbered(line), steps.last_mut()) {
            (Some(step), _) => steps.push(step.to_owned()),
            (None, None) => {}
            (None, Some(_)) if line.trim().is_empty() => {}
            (None, Some(last)) if line.starts_with(' ') => *last = format!("{last} {}", line.trim()),
            (None, Some(_)) => break,
        }
    }
    steps.into_iter().map(|step| step.chars().take(LONGEST_STEP).collect()).collect()
}

/// The text of a line `1. text`.
fn numbered(line: &str) -> Option<&str> {
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    if digits == 0 || digits > 3 { None } else { line[digits..].strip_prefix(". ").map(str::trim) }
}

/// The lines of fenced blocks that are marked `sh check`, without comments.
fn checks(body: &str) -> Vec<String> {
    let mut checks = Vec::new();
    let mut inside = false;
    for line in body.lines().map(str::trim) {
        if line.starts_with("```") {
            inside = line == "```sh check";
        } else if inside && !line.is_empty() && !line.starts_with('#') {
            checks.push(line.to_owned());
        }
    }
    checks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_numbered_list_is_read_with_its_continuation_lines() {
        let text = "# T\n\n```\n1. not this\n```\n## First steps\n\n1. One\n   goes on.\n\n2. Two\n\nText\n\n1. Another list\n";
        assert_eq!(parse(text).first_steps, ["One goes on.", "Two"]);
    }

    #[test]
    fn check_blocks_hold_commands() {
        let text = "# T\n```sh check\n# comment\nburnward status\n```\n```sh\nrm x\n```\n";
        assert_eq!(parse(text).checks, ["burnward status"]);
    }

    #[test]
    fn any_text_is_a_runbook() {
        assert_eq!(parse(""), Runbook::default());
        assert_eq!(parse("---\nowner: a").owner, None);
        assert_eq!(parse("---\r\nowner: a\r\n---\r\n# T\r\n").owner.as_deref(), Some("a"));
    }

    #[test]
    fn a_runbook_is_named_by_a_file_name_alone() {
        for (name, legal) in
            [("a.md", true), ("../a.md", false), ("a/b.md", false), (".md", false), (".a.md", false), ("a.txt", false), ("a\0.md", false)]
        {
            assert_eq!(is_file_name(name), legal, "{name:?}");
        }
    }
}
