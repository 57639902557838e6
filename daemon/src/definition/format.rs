//! How a document is laid out: indents, quotes and spaces in one way, comments and order as the author has them, and above them the line by which editors
//! find the schema. What a document means is never changed and no comment is lost: the trees and the comments before and after are compared.

use std::sync::Arc;

use pretty_yaml::{
    config::{FormatOptions, LanguageOptions, LayoutOptions, LineBreak, Quotes},
    format_text,
};

use super::{
    Diagnostic, Source, codes,
    comments::in_place,
    diagnostic::Place,
    discover,
    document::VERSION,
    reader::shortened,
    template::{Role, role},
    yaml::{Node, Value, comments, parse},
};

/// Lines are broken beyond so many columns where they can be.
const WIDTH: usize = 140;

/// Lines that begin further right are not laid out: pretty_yaml counts indents in the bits of a word.
const DEEPEST_INDENT: usize = 60;

/// So often at most a text is laid out until it stays as it is.
const PASSES: usize = 4;

/// How far right the first text of a line begins, behind spaces and the marks of lists and keys.
fn lead(line: &str) -> usize {
    line.len() - line.trim_start_matches([' ', '-', '?', ':']).len()
}

/// What editors that speak to yaml-language-server look for in the first lines.
const MODELINE: &str = "# yaml-language-server: $schema=";

/// The text of a document as it should be laid out. `schema` is where its JSON Schema lies as seen from the document; a line that names another stays.
///
/// # Errors
/// Every mistake that keeps the text from being one YAML document within the limits; or that it cannot be laid out without changing what it means or says.
pub fn format(source: &Arc<Source>, schema: Option<&str>) -> Result<String, Vec<Diagnostic>> {
    let before = parse(source)?;
    let laid_out = settled(source.text()).map_err(|why| vec![left_alone(source, &why)])?;
    let mut text = in_place(source, &Source::new(source.name(), &laid_out)).map_err(|fault| vec![*fault])?;
    if let Some(schema) = schema.filter(|_| is_document(&before) && !text.lines().any(|line| line.starts_with(MODELINE))) {
        text = format!("{MODELINE}{schema}\n{text}");
    }
    let laid_out = discover::source(source.name(), &text);
    let after = parse(&laid_out)?;
    let of = |source| comments(source).map_err(|fault| vec![*fault]);
    let (told, tells) = (of(source)?, of(&laid_out)?);
    let added = tells.len() - told.len().min(tells.len());
    match (same(&before, &after), tells[added..] == told) {
        (true, true) => Ok(text),
        (false, true | false) => Err(vec![left_alone(source, "the layout would change what it means")]),
        (true, false) => Err(vec![left_alone(source, "the layout would move or lose a comment")]),
    }
}

/// A layout that stays as it is when it is laid out once more; or why there is none.
fn settled(text: &str) -> Result<String, String> {
    let mut text = text.to_owned();
    for _ in 0..PASSES {
        if text.lines().any(|line| lead(line) > DEEPEST_INDENT) {
            return Err(format!("a line begins behind more than {DEEPEST_INDENT} columns of indentation"));
        }
        let next = format_text(&text, &options()).map_err(|error| error.to_string())?;
        if next == text {
            return Ok(text);
        }
        text = next;
    }
    Err("its layout does not settle".to_owned())
}

/// That a document is of the version that is written today: there is none before it that could be brought up to it.
///
/// # Errors
/// Every mistake that keeps the text from being one YAML document within the limits; or that its `version:` is another.
pub fn known_version(source: &Arc<Source>) -> Result<(), Vec<Diagnostic>> {
    let root = parse(source)?;
    let Value::Map(entries) = &root.value else { return Ok(()) };
    let Some(entry) = entries.iter().find(|entry| entry.key == "version") else { return Ok(()) };
    match &entry.value.value {
        Value::Scalar { text, .. } if text != VERSION => {
            let message = format!("version `{}` is not known, and nothing is known of how to bring it up to {VERSION}", shortened(text));
            let help = vec![String::from("a newer burnward may know it; the file is left as it is")];
            let place = Place::new(source, entry.value.range.clone());
            Err(vec![Diagnostic { code: &codes::VERSION, message, place, related: Vec::new(), help }])
        }
        Value::Scalar { .. } | Value::List(_) | Value::Map(_) => Ok(()),
    }
}

fn options() -> FormatOptions {
    FormatOptions {
        layout: LayoutOptions { print_width: WIDTH, indent_width: 2, line_break: LineBreak::Lf },
        language: LanguageOptions { quotes: Quotes::PreferSingle, trailing_comma: false, ..LanguageOptions::default() },
    }
}

/// Whether it is a document of SLOs, or one that is made of a template, or of tests alone, and not, say, a configuration.
fn is_document(root: &Node) -> bool {
    let known = |key: &str| matches!(key, "slos" | "tests");
    matches!(&root.value, Value::Map(entries) if entries.iter().any(|entry| known(&entry.key))) || role(root) == Role::Instance
}

/// Whether it is a document in which no line names its schema.
pub fn names_no_schema(source: &Arc<Source>) -> bool {
    !source.text().lines().any(|line| line.starts_with(MODELINE)) && parse(source).is_ok_and(|root| is_document(&root))
}

fn left_alone(source: &Arc<Source>, why: &str) -> Diagnostic {
    let message = format!("the file is left as it is: {why}");
    let help = vec![String::from("lay it out by hand where it is unusual, and format it again")];
    Diagnostic { code: &codes::NOT_FORMATTED, message, place: Place::file(source), related: Vec::new(), help }
}

/// The same values in the same order, wherever they stand.
fn same(one: &Node, other: &Node) -> bool {
    match (&one.value, &other.value) {
        (Value::Scalar { text, quoted }, Value::Scalar { text: other, quoted: other_quoted }) => text == other && quoted == other_quoted,
        (Value::List(items), Value::List(others)) => {
            items.len() == others.len() && items.iter().zip(others).all(|(one, other)| same(one, other))
        }
        (Value::Map(entries), Value::Map(others)) => {
            let pairs = entries.iter().zip(others);
            entries.len() == others.len() && pairs.clone().all(|(one, other)| one.key == other.key && same(&one.value, &other.value))
        }
        (Value::Scalar { .. } | Value::List(_) | Value::Map(_), _) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn formatted(text: &str) -> String {
        format(&Source::new("slo.yaml", text), Some("../slo.schema.json")).expect("it can be laid out")
    }

    #[test]
    fn indents_quotes_and_spaces_are_laid_out_and_comments_and_order_stay() {
        let untidy = "\u{feff}# Of payments.\r\nteam:   payments\r\nversion: burnward/v1\r\nservice: checkout   # the shop\r\nslos:\r\n    -   name: a\r\n        \
                      sli: {events: {bad: \"e{code='500'}\",total: 'e'}}\r\n        # Why 99.9.\r\n        objectives: [ {target: 99.9%, window: 30d} ]\r\n\r\n\r\n\r\n";
        assert_eq!(
            formatted(untidy),
            "# yaml-language-server: $schema=../slo.schema.json
# Of payments.
team: payments
version: burnward/v1
service: checkout # the shop
slos:
  - name: a
    sli: { events: { bad: \"e{code='500'}\", total: 'e' } }
    # Why 99.9.
    objectives: [{ target: 99.9%, window: 30d }]
"
        );
    }

    #[test]
    fn what_is_laid_out_stays_as_it_is_and_another_schema_is_kept() {
        for text in [
            "slos: a\n",
            "from: http-service\nservice: $(x)\n",
            "# yaml-language-server: $schema=https://example.org/x.json\nslos: a\n",
            "teams:\n  shop: { channel: '#shop' }\n",
        ] {
            let once = formatted(text);
            assert_eq!(formatted(&once), once);
            assert_eq!(once.matches(MODELINE).count(), usize::from(!text.contains("teams")), "{once}");
        }
    }

    #[test]
    fn a_comment_stays_beside_the_line_that_it_was_written_beside() {
        for (untidy, tidy) in [
            (
                "slos:\n- name: a\n  sli: b\n\n# Of the tests.\ntests:\n- name: c\n",
                "slos:\n  - name: a\n    sli: b\n\n# Of the tests.\ntests:\n  - name: c\n",
            ),
            (
                "slos:\n    - name: a\n      objectives:\n          - b\n          # - c\n    # - name: d\ntests: []\n",
                "slos:\n  - name: a\n    objectives:\n      - b\n      # - c\n  # - name: d\ntests: []\n",
            ),
            (
                "slos:\n  - sli: b\n    objectives:\n      - target: 99%\n        window: 7d\n\n  # end\ntests: [ ]\n",
                "slos:\n  - sli: b\n    objectives:\n      - target: 99%\n        window: 7d\n\n  # end\ntests: []\n",
            ),
            ("slos:\n  - expr: |\n      a\n# Of the tests.\ntests: []\n", "slos:\n  - expr: |\n      a\n# Of the tests.\ntests: []\n"),
        ] {
            let once = format(&Source::new("slo.yaml", untidy), None).expect("it can be laid out");
            assert_eq!(once, tidy);
            assert_eq!(format(&Source::new("slo.yaml", &once), None).as_deref(), Ok(tidy));
        }
    }

    #[test]
    fn what_is_no_document_is_refused_with_its_place() {
        let faults = format(&Source::new("slo.yaml", "a: [\n"), None).expect_err("it is no YAML");
        assert_eq!(faults[0].code.id, "E1001");
    }
}
