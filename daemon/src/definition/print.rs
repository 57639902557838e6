//! A tree as text, in the layout of the examples in the documentation: mappings in blocks, lists of words and alert rows within brackets, queries in
//! single quotes.

use std::fmt::Write as _;

use super::yaml::{Entry, Node, Value};

/// Keys whose mappings stand on one line.
const ON_ONE_LINE: [&str; 3] = ["rows", "no-data", "counted-in"];

/// The text of a document.
pub(crate) fn text(root: &Node) -> String {
    let mut out = String::new();
    block(&mut out, root, 0);
    out
}

fn block(out: &mut String, node: &Node, depth: usize) {
    match &node.value {
        Value::Map(entries) => {
            for (at, entry) in entries.iter().enumerate() {
                if at > 0 {
                    indent(out, depth);
                }
                self::entry(out, entry, depth);
            }
        }
        Value::List(items) => {
            for item in items {
                indent(out, depth);
                match &item.value {
                    Value::Map(entries) if !entries.is_empty() => {
                        out.push_str("- ");
                        block(out, item, depth + 1);
                    }
                    Value::Map(_) | Value::List(_) | Value::Scalar { .. } => {
                        out.push('-');
                        line(out, item);
                    }
                }
            }
        }
        Value::Scalar { .. } => {
            out.push_str(&scalar(node));
            out.push('\n');
        }
    }
}

fn entry(out: &mut String, entry: &Entry, depth: usize) {
    out.push_str(&key(&entry.key));
    out.push(':');
    let fold = ON_ONE_LINE.contains(&entry.key.as_str());
    match &entry.value.value {
        Value::Map(entries) if entries.is_empty() => line(out, &entry.value),
        Value::Map(_) if fold => line(out, &entry.value),
        Value::Map(_) => {
            out.push('\n');
            indent(out, depth + 1);
            block(out, &entry.value, depth + 1);
        }
        Value::List(items) if fold && !items.is_empty() => {
            out.push('\n');
            for item in items {
                indent(out, depth + 1);
                out.push('-');
                line(out, item);
            }
        }
        Value::List(items) if items.iter().all(|item| matches!(item.value, Value::Scalar { quoted: false, .. })) => line(out, &entry.value),
        Value::List(_) => {
            out.push('\n');
            block(out, &entry.value, depth + 1);
        }
        Value::Scalar { .. } => line(out, &entry.value),
    }
}

fn line(out: &mut String, node: &Node) {
    out.push(' ');
    out.push_str(&flow(node));
    out.push('\n');
}

fn flow(node: &Node) -> String {
    match &node.value {
        Value::Scalar { text, quoted: false } if text.is_empty() => "~".to_owned(),
        Value::Scalar { text, quoted: false } if text.contains([',', '[', ']', '{', '}']) => in_quotes(text),
        Value::Scalar { .. } => scalar(node),
        Value::List(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Value::Map(entries) => {
            let entries: Vec<String> = entries.iter().map(|entry| format!("{}: {}", key(&entry.key), flow(&entry.value))).collect();
            format!("{{ {} }}", entries.join(", "))
        }
    }
}

/// A key, in quotes where it is not a plain word.
fn key(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '/' | '.');
    let is_word = text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_') && text.chars().all(plain);
    if is_word { text.to_owned() } else { in_quotes(text) }
}

fn scalar(node: &Node) -> String {
    match &node.value {
        Value::Scalar { text, quoted: false } if !text.contains('\n') => text.clone(),
        Value::Scalar { text, .. } => in_quotes(text),
        Value::List(_) | Value::Map(_) => String::new(),
    }
}

fn in_quotes(text: &str) -> String {
    if text.contains('\n') {
        return format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"));
    }
    format!("'{}'", text.replace('\'', "''"))
}

fn indent(out: &mut String, depth: usize) {
    // Writing to a String does not fail.
    let _ = write!(out, "{:1$}", "", depth * 2);
}
