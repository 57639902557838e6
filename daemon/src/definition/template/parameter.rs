//! The parameters of a template: what each may be, and the values that are given for them.

use std::ops::Range;

use burnward_core::{id::SloName, units::GoodShare};

use crate::definition::{
    codes,
    diagnostic::Place,
    reader::{Keys, Reader, shortened, suggest},
    selector, sli,
    yaml::{Entry, Node},
};

const PARAMETER: Keys = Keys { of: "a parameter", known: &["type", "default", "description"], later: &[] };
/// Most parameters of a template.
const MAX_PARAMETERS: usize = 50;
/// Longest text and longest label value, in characters.
const LONGEST: usize = 500;
const LONGEST_DESCRIPTION: usize = 200;

/// What a parameter is, and so where it may stand and what may be given for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    /// A text for people, or a word of the format.
    Text,
    /// The value of a label.
    LabelValue,
    /// A selector.
    Selector,
    /// A duration.
    Duration,
    /// A share with a percent sign.
    Percent,
    /// A decimal number.
    Number,
}

impl Type {
    const ALL: [Self; 6] = [Self::Text, Self::LabelValue, Self::Selector, Self::Duration, Self::Percent, Self::Number];

    /// As it is written.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Text => "string",
            Self::LabelValue => "label-value",
            Self::Selector => "selector",
            Self::Duration => "duration",
            Self::Percent => "percent",
            Self::Number => "number",
        }
    }

    /// A value that may be given for it.
    pub(super) const fn example(self) -> &'static str {
        match self {
            Self::Text | Self::LabelValue => "checkout",
            Self::Selector => "requests_total",
            Self::Duration => "5m",
            Self::Percent => "99%",
            Self::Number => "2",
        }
    }

    /// Where a parameter of it may stand.
    pub(super) const fn places(self) -> &'static str {
        match self {
            Self::Text => "a string stands in texts and words outside of queries; what stands in quotes within a query is a label-value",
            Self::LabelValue => "a label-value stands within the quotes of a matcher, as in job=\"$(job)\", or in texts",
            Self::Selector => "a selector stands in a query as a selector, as in $(requests) or $(requests){code=\"500\"}",
            Self::Duration => {
                "a duration is the whole value of a key that takes one, or stands in the brackets of an expression, or in texts"
            }
            Self::Percent => "a percent is the whole value of a key that takes one, or stands in texts",
            Self::Number => "a number is the whole value of a key that takes one, or an operand of an expression, or stands in texts",
        }
    }

    /// A value as it may be written into a document; what is wrong with it is collected.
    fn read(self, reader: &mut Reader, node: &Node, of: &str) -> Option<String> {
        match self {
            Self::Text | Self::LabelValue => reader.line(node, of, LONGEST).map(ToOwned::to_owned),
            Self::Selector => sli::parse_selector(reader, node).map(|selector| selector.to_string()),
            Self::Duration => reader.duration(node, of).and_then(|_| reader.text(node, of)).map(ToOwned::to_owned),
            Self::Percent => {
                read_as(reader, node, of, |text| GoodShare::percent(text).is_ok(), "write a share with a percent sign, such as `99.9%`")
            }
            Self::Number => read_as(reader, node, of, is_number, "write a decimal number, such as 14.4"),
        }
    }
}

fn read_as(reader: &mut Reader, node: &Node, of: &str, legal: fn(&str) -> bool, help: &str) -> Option<String> {
    let text = reader.text(node, of)?.to_owned();
    if legal(&text) {
        return Some(text);
    }
    let diagnostic = reader.diagnostic(&codes::PARAMETER_VALUE, node.range.clone(), format!("{of}: `{}` is none", shortened(&text)));
    reader.report(diagnostic.help(help));
    None
}

fn is_number(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let positive = text.strip_prefix('-').unwrap_or(text);
    let (whole, rest) = positive.split_once('.').unwrap_or((positive, "0"));
    text.len() <= 20 && digits(whole) && digits(rest)
}

/// A value that is given for a parameter.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Given {
    pub(super) kind: Type,
    /// As it may be written into a document.
    pub(super) text: String,
    /// Where it is written.
    pub(super) at: Place,
}

/// A parameter as it is declared.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Parameter {
    pub(super) name: String,
    pub(super) kind: Type,
    pub(super) description: Option<String>,
    /// Where its name stands.
    pub(super) at: Range<usize>,
    pub(super) default: Option<Given>,
}

impl Parameter {
    /// What it is, for advice: "`job` is a label-value: the job of the service".
    pub(super) fn about(&self) -> String {
        let about = self.description.as_deref().map(|text| format!(": {text}")).unwrap_or_default();
        format!("`{}` is a {}{about}", self.name, self.kind.word())
    }

    /// The value that is given for it at a place.
    pub(super) fn read(&self, reader: &mut Reader, entry: &Entry) -> Option<Given> {
        let of = format!("`{}`, a {}", self.name, self.kind.word());
        if entry.value.is_null() {
            let diagnostic = reader.diagnostic(&codes::PARAMETER_VALUE, entry.key_range.clone(), format!("{of}, has no value"));
            reader.report(diagnostic.help("give it one, or remove the line for the default"));
            return None;
        }
        let text = self.kind.read(reader, &entry.value, &of)?;
        Some(Given { kind: self.kind, text, at: reader.place(entry.value.range.clone()) })
    }

    /// Stands for a value where none is given: to look at a template by itself.
    pub(super) fn stand_in(&self, at: Place) -> Given {
        self.default.clone().unwrap_or_else(|| Given { kind: self.kind, text: self.kind.example().to_owned(), at })
    }
}

/// Reads `parameters:`.
pub(super) fn read(reader: &mut Reader, node: &Node) -> Vec<Parameter> {
    let Some(fields) = reader.any_map(node, "`parameters`") else { return Vec::new() };
    if fields.entries().len() > MAX_PARAMETERS {
        let message = format!("a template has at most {MAX_PARAMETERS} parameters");
        reader.error(&codes::PARAMETER, node.range.clone(), message);
        return Vec::new();
    }
    fields.entries().iter().filter_map(|entry| read_one(reader, entry)).collect()
}

fn read_one(reader: &mut Reader, entry: &Entry) -> Option<Parameter> {
    let name = reader.name_at(&entry.key, entry.key_range.clone(), "a parameter's name", SloName::parse)?;
    let fields = reader.map(&entry.value, &PARAMETER)?;
    let kind = reader.required(&fields, "type", "label-value").and_then(|node| read_type(reader, node));
    let description = reader.optional(&fields, "description").and_then(|node| reader.line(node, "a description", LONGEST_DESCRIPTION));
    let mut parameter = Parameter {
        name: name.to_string(),
        kind: kind?,
        description: description.map(ToOwned::to_owned),
        at: entry.key_range.clone(),
        default: None,
    };
    parameter.default = fields.entry("default").and_then(|entry| parameter.read(reader, entry));
    Some(parameter)
}

fn read_type(reader: &mut Reader, node: &Node) -> Option<Type> {
    let word = reader.text(node, "`type`")?;
    let known = Type::ALL.into_iter().find(|known| known.word() == word);
    if known.is_none() {
        let message = format!("`{}` is not a type of parameters", shortened(word));
        let diagnostic = reader.diagnostic(&codes::PARAMETER, node.range.clone(), message);
        reader.report(suggest(diagnostic, word, &Type::ALL.map(Type::word)));
    }
    known
}

/// Whether a text names a parameter.
pub(super) fn is_name(text: &str) -> bool {
    SloName::parse(text).is_ok()
}

/// Whether a byte may belong to a word of PromQL, so that something beside it would be joined to it.
pub(super) fn joins(byte: u8) -> bool {
    selector::is_label_name(std::str::from_utf8(&[byte]).unwrap_or_default()) || byte.is_ascii_digit() || matches!(byte, b'.' | b':')
}
