//! What a template may hold. Checked when it is loaded, so that rendering one can neither run away nor reach outside its slot: no inline, no
//! partials, no decorators, no unescaped output, only known helpers, bounded size, depth and steps.
//!
//! The engine recurses over nested blocks while it parses (and 44 bytes of mutual partials would overflow the stack while it renders), so the
//! text is bounded before it is parsed and the tree is bounded before it is rendered.

use handlebars::template::{HelperTemplate, Parameter, Template, TemplateElement, TemplateMapping};

/// Most bytes of a template.
pub(super) const MAX_BYTES: usize = 32 * 1024;
/// Deepest nesting of blocks.
pub(super) const MAX_DEPTH: usize = 32;
/// Deepest nesting of lists.
pub(super) const MAX_EACH_DEPTH: usize = 2;
/// Longest list that a context holds.
pub const MAX_LIST: usize = 50;
/// Most steps that a render can take, with every list at its longest.
pub(super) const MAX_STEPS: usize = 250_000;
/// Most block openings in a template; the parser recurses over them.
const MAX_OPENINGS: usize = 200;
/// Most opening brackets from one tag to the next; the parser recurses over them.
const MAX_BRACKETS: usize = 64;

/// The helpers that a template may use.
const HELPERS: [&str; 20] = [
    "if", "unless", "each", "with", "eq", "ne", "gt", "gte", "lt", "lte", "and", "or", "not", "len", "time", "clock", "date", "first",
    "plural", "prose",
];

/// Why a template is refused, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct Refused {
    /// From 1.
    pub line: usize,
    /// In a sentence.
    pub reason: String,
}

/// Parses and checks a template.
pub(super) fn compile(text: &str) -> Result<Template, Refused> {
    before_parsing(text)?;
    let template =
        Template::compile(text).map_err(|error| Refused { line: error.pos().map_or(1, |(line, _)| line), reason: parse_error(&error) })?;
    let steps = walk(&template, &Place { depth: 0, each_depth: 0 })?;
    if steps > MAX_STEPS {
        return Err(Refused {
            line: 1,
            reason: format!("it may take {steps} steps with lists of {MAX_LIST}; at most {MAX_STEPS} are allowed"),
        });
    }
    Ok(template)
}

fn parse_error(error: &handlebars::TemplateError) -> String {
    let text = error.reason().to_string();
    text.lines().next_back().unwrap_or_default().trim().chars().take(300).collect()
}

/// Refuses by the bare text what the parser must not see.
fn before_parsing(text: &str) -> Result<(), Refused> {
    if text.len() > MAX_BYTES {
        return Err(Refused { line: 1, reason: format!("it has {} bytes; at most {MAX_BYTES} are allowed", text.len()) });
    }
    let mut openings = 0;
    for (at, _) in text.match_indices("{{") {
        let refused = |reason: String| Refused { line: line_of(text, at), reason };
        let rest = &text[at + 2..];
        let tag = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '~');
        if let Some(reason) = forbidden_tag(tag) {
            return Err(refused(reason.to_owned()));
        }
        openings += usize::from(tag.starts_with('#'));
        if openings > MAX_OPENINGS {
            return Err(refused(format!("more than {MAX_OPENINGS} blocks")));
        }
        let until_next = &rest[..rest.find("{{").unwrap_or(rest.len())];
        if until_next.matches(['(', '[', '{']).count() > MAX_BRACKETS {
            return Err(refused(format!("more than {MAX_BRACKETS} brackets after one `{{{{`")));
        }
    }
    Ok(())
}

fn line_of(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

fn forbidden_tag(tag: &str) -> Option<&'static str> {
    let block = tag.strip_prefix('#').map(str::trim_start);
    match tag.chars().next() {
        Some('{') => Some("`{{{` would write a value unescaped; use `{{`"),
        Some('&') => Some("`{{&` would write a value unescaped; use `{{`"),
        Some('>') => Some("partials (`{{>`) are not allowed"),
        Some('*') => Some("decorators (`{{*`) are not allowed"),
        _ if block.is_some_and(|rest| rest.starts_with('>')) => Some("partials (`{{#>`) are not allowed"),
        _ if block.is_some_and(|rest| rest.starts_with('*')) => Some("inline templates and decorators (`{{#*`) are not allowed"),
        _ => None,
    }
}

/// Where in the tree.
struct Place {
    depth: usize,
    each_depth: usize,
}

/// How many steps the elements may take.
fn walk(template: &Template, place: &Place) -> Result<usize, Refused> {
    let mut steps: usize = 0;
    for (at, element) in template.elements.iter().enumerate() {
        let line = template.mapping.get(at).map_or(1, |TemplateMapping { 0: line, .. }| *line);
        steps = steps.saturating_add(element_steps(element, place, line)?);
    }
    Ok(steps)
}

fn element_steps(element: &TemplateElement, place: &Place, line: usize) -> Result<usize, Refused> {
    let refused = |reason: &str| Err(Refused { line, reason: reason.to_owned() });
    match element {
        TemplateElement::RawString(_) | TemplateElement::Comment(_) => Ok(1),
        TemplateElement::Expression(helper) => expression(helper, line),
        TemplateElement::HelperBlock(helper) => block(helper, place, line),
        TemplateElement::HtmlExpression(_) => refused("`{{{` would write a value unescaped; use `{{`"),
        TemplateElement::DecoratorExpression(_) | TemplateElement::DecoratorBlock(_) => refused("decorators are not allowed"),
        TemplateElement::PartialExpression(_) | TemplateElement::PartialBlock(_) => refused("partials are not allowed"),
        _ => refused("this kind of tag is not allowed"),
    }
}

fn block(helper: &HelperTemplate, place: &Place, line: usize) -> Result<usize, Refused> {
    let is_each = name_of(&helper.name).as_deref() == Some("each");
    let inner = Place { depth: place.depth + 1, each_depth: place.each_depth + usize::from(is_each) };
    if inner.depth > MAX_DEPTH {
        return Err(Refused { line, reason: format!("blocks nest deeper than {MAX_DEPTH}") });
    }
    if inner.each_depth > MAX_EACH_DEPTH {
        return Err(Refused { line, reason: format!("`each` nests deeper than {MAX_EACH_DEPTH}") });
    }
    let head = call(helper, line)?;
    let body = helper.template.as_ref().map_or(Ok(0), |template| walk(template, &inner))?;
    let otherwise = helper.inverse.as_ref().map_or(Ok(0), |template| walk(template, &inner))?;
    let times = if is_each { MAX_LIST } else { 1 };
    Ok(body.saturating_mul(times).saturating_add(otherwise).saturating_add(head))
}

/// An expression: a variable where it is a bare name, else a call.
fn expression(helper: &HelperTemplate, line: usize) -> Result<usize, Refused> {
    let bare = helper.params.is_empty() && helper.hash.is_empty();
    let name = name_of(&helper.name);
    match name.as_deref() {
        Some(name) if bare && is_builtin(name) => Err(unknown_helper(name, line)),
        _ if bare => parameter(&helper.name, line),
        _ => call(helper, line),
    }
}

/// Helpers of the engine that are not allowed; as a bare name they would be called, not read.
fn is_builtin(name: &str) -> bool {
    matches!(name, "lookup" | "log" | "raw" | "helperMissing" | "blockHelperMissing")
}

fn call(helper: &HelperTemplate, line: usize) -> Result<usize, Refused> {
    let name = name_of(&helper.name).unwrap_or_default();
    if !HELPERS.contains(&name.as_str()) {
        return Err(unknown_helper(&name, line));
    }
    let mut steps = 1;
    for value in helper.params.iter().chain(helper.hash.values()) {
        steps += parameter(value, line)?;
    }
    Ok(steps)
}

fn unknown_helper(name: &str, line: usize) -> Refused {
    Refused { line, reason: format!("`{name}` is not a helper; there are {}", HELPERS.join(", ")) }
}

fn parameter(value: &Parameter, line: usize) -> Result<usize, Refused> {
    match value {
        Parameter::Subexpression(sub) => match sub.as_element() {
            TemplateElement::Expression(helper) => expression(helper, line),
            _ => Err(Refused { line, reason: "this kind of subexpression is not allowed".to_owned() }),
        },
        Parameter::Name(_) | Parameter::Literal(_) | Parameter::Path(_) => match name_of(value) {
            Some(name) if name.contains("@root") => {
                Err(Refused { line, reason: "`@root` is not allowed; name the value itself".to_owned() })
            }
            _ => Ok(1),
        },
        _ => Err(Refused { line, reason: "this kind of parameter is not allowed".to_owned() }),
    }
}

/// The name or path as it is written.
fn name_of(parameter: &Parameter) -> Option<String> {
    match parameter {
        Parameter::Name(name) => Some(name.clone()),
        Parameter::Path(handlebars::Path::Relative((_, raw)) | handlebars::Path::Local((_, _, raw))) => Some(raw.clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, line: usize, reason: &str) {
        let refused = compile(text).expect_err(text);
        assert_eq!(refused.line, line, "{text}: {refused}");
        assert!(refused.reason.contains(reason), "{text}: {refused}");
    }

    #[test]
    fn what_recurses_or_escapes_its_slot_is_refused_with_its_line() {
        check("a\n{{#*inline \"p\"}}x{{> p}}{{/inline}}{{> p}}", 2, "inline");
        check("{{> a}}", 1, "partials");
        check("{{#> a}}x{{/a}}", 1, "partials");
        check("{{ ~> a}}", 1, "partials");
        check("a\n\n{{* d}}", 3, "decorators");
        check("{{{x}}}", 1, "unescaped");
        check("{{~{x}~}}", 1, "unescaped");
        check("{{&x}}", 1, "unescaped");
        check("{{{{raw}}}}x{{{{/raw}}}}", 1, "unescaped");
        check("a\n{{lookup @root x}}", 2, "`lookup` is not a helper");
        check("{{lookup}}", 1, "`lookup` is not a helper");
        check("{{log x}}", 1, "`log` is not a helper");
        check("{{#if (lookup a b)}}x{{/if}}", 1, "`lookup` is not a helper");
        check("{{@root.secret}}", 1, "`@root`");
        check("{{#if @root.a}}x{{/if}}", 1, "`@root`");
        check("{{frobnicate x}}", 1, "`frobnicate` is not a helper");
        check("{{#frobnicate}}x{{/frobnicate}}", 1, "`frobnicate` is not a helper");
        check("{{#if x}}\nnever closed", 2, "");
    }

    #[test]
    fn what_could_run_away_is_refused() {
        check(&"x".repeat(MAX_BYTES + 1), 1, "bytes");
        check(&"{{#if a}}".repeat(2_000), 1, "blocks");
        check(&format!("{}{}", "{{#if a}}".repeat(40), "{{/if}}".repeat(40)), 1, "deeper than 32");
        check("{{#each a}}{{#each b}}{{#each c}}x{{/each}}{{/each}}{{/each}}", 1, "`each` nests deeper");
        check(&format!("{{{{#each a}}}}{{{{#each b}}}}{}{{{{/each}}}}{{{{/each}}}}", "{{x}}".repeat(200)), 1, "steps");
        check(&format!("{{{{if {}x", "(".repeat(10_000)), 1, "brackets");
        check(&format!("{{{{if {}1", "[".repeat(10_000)), 1, "brackets");
    }

    #[test]
    fn ordinary_templates_pass() {
        for text in [
            "",
            "plain",
            "{{a}} {{b.c}}",
            "{{#if (and a (not b))}}{{time at}}{{else if c}}x{{else}}y{{/if}}",
            "{{#each a}}{{#each this.b}}{{this}}{{/each}}{{@index}}{{../c}}{{/each}}",
            "{{!-- note --}}",
        ] {
            assert_eq!(compile(text).map(|_| ()), Ok(()), "{text}");
        }
    }
}
