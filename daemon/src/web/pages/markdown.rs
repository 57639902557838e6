//! Markdown of people as HTML that can do nothing: raw HTML is shown as text, links lead to http, https or another runbook, images become links.

use std::fmt;

use askama::filters::HtmlSafe;
use comrak::{
    Arena, Options, format_html,
    nodes::{AstNode, NodeValue},
    parse_document,
};

use super::frame::Links;
use crate::definition::runbook::is_file_name;

/// Rendered Markdown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rendered(String);

impl HtmlSafe for Rendered {}

impl fmt::Display for Rendered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Rendered {
    /// A whole document.
    pub(super) fn document(text: &str, links: &Links) -> Self {
        let arena = Arena::new();
        let options = options();
        let root = parse_document(&arena, text, &options);
        tame(root, links);
        Self(html(root, &options))
    }

    /// One line, without a paragraph around it.
    pub(super) fn inline(line: &str, links: &Links) -> Self {
        let Self(html) = Self::document(line, links);
        let inner = html.trim().strip_prefix("<p>").and_then(|rest| rest.strip_suffix("</p>"));
        Self(inner.filter(|inner| !inner.contains("<p>")).map_or_else(|| html.clone(), str::to_owned))
    }
}

fn options() -> Options<'static> {
    let mut options = Options::default();
    options.extension.table = true;
    options.extension.strikethrough = true;
    options.extension.tasklist = true;
    options.render.escape = true;
    options
}

fn html<'a>(root: &'a AstNode<'a>, options: &Options<'_>) -> String {
    let mut out = String::new();
    format_html(root, options, &mut out).expect("writing to a String cannot fail");
    out
}

/// Takes away every address that a page of ours does not lead to.
fn tame<'a>(root: &'a AstNode<'a>, links: &Links) {
    let nodes: Vec<&AstNode<'_>> = root.descendants().collect();
    for node in nodes {
        let url = match &node.data().value {
            NodeValue::Link(link) | NodeValue::Image(link) => address(&link.url, links),
            _ => continue,
        };
        match url {
            Some(url) => lead_to(node, url),
            None => unwrap(node),
        }
    }
}

/// Makes a link or an image a link to `url`.
fn lead_to<'a>(node: &'a AstNode<'a>, url: String) {
    let mut data = node.data_mut();
    let (NodeValue::Link(link) | NodeValue::Image(link)) = &data.value else { return };
    let mut link = link.clone();
    link.url = url;
    data.value = NodeValue::Link(link);
}

/// Leaves of a link only its words.
fn unwrap<'a>(node: &'a AstNode<'a>) {
    let children: Vec<&AstNode<'_>> = node.children().collect();
    for child in children {
        node.insert_before(child);
    }
    node.detach();
}

/// Where a link may lead: to http and https, and to another runbook.
fn address(url: &str, links: &Links) -> Option<String> {
    let lower = url.to_ascii_lowercase();
    if lower.starts_with("https://") || lower.starts_with("http://") {
        return url::Url::parse(url).ok().map(|url| url.to_string());
    }
    let name = url.strip_prefix("./").unwrap_or(url);
    is_file_name(name).then(|| links.to(&format!("/runbooks/{name}")))
}

#[cfg(test)]
mod tests {
    use burnward_core::id::TenantId;

    use super::*;
    use crate::config::Config;

    fn links() -> Links {
        Links::of(&Config::default(), &TenantId::parse("main").expect("a name"))
    }

    #[test]
    fn nothing_of_a_runbook_runs_loads_or_leads_astray() {
        for (text, expected) in [
            ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;\n"),
            ("a <img src=x onerror=y> b", "<p>a &lt;img src=x onerror=y&gt; b</p>\n"),
            ("<svg><style>*{}</style></svg>", "<p>&lt;svg&gt;&lt;style&gt;*{}&lt;/style&gt;&lt;/svg&gt;</p>\n"),
            ("<base href=//evil>", "&lt;base href=//evil&gt;\n"),
            ("[x](javascript:alert(1))", "<p>x</p>\n"),
            ("[x](JaVaScRiPt:alert(1))", "<p>x</p>\n"),
            ("[x](data:text/html,y)", "<p>x</p>\n"),
            ("[x](//evil.example)", "<p>x</p>\n"),
            ("[x](/-/reload)", "<p>x</p>\n"),
            ("![pixel](http://beacon.example/x.png)", "<p><a href=\"http://beacon.example/x.png\">pixel</a></p>\n"),
            ("![pixel](data:image/png;base64,AAAA)", "<p>pixel</p>\n"),
            ("[y](https://example.com/a?b=\"><i>)", "<p><a href=\"https://example.com/a?b=%22%3E%3Ci%3E\">y</a></p>\n"),
            ("[other](./checkout.md)", "<p><a href=\"/runbooks/checkout.md\">other</a></p>\n"),
            ("[other](../../etc/passwd.md)", "<p>other</p>\n"),
            ("## Heading", "<h2>Heading</h2>\n"),
        ] {
            assert_eq!(Rendered::document(text, &links()).to_string(), expected, "{text}");
        }
    }

    #[test]
    fn a_step_is_one_line_without_a_paragraph() {
        assert_eq!(
            Rendered::inline("Run `burnward doctor`, **then** look.", &links()).to_string(),
            "Run <code>burnward doctor</code>, <strong>then</strong> look."
        );
    }
}
