//! HTML that cannot be forgotten to be escaped: text and attribute values become `Html` only through here.

use axum::{
    http::header,
    response::{IntoResponse, Response},
};

/// Escaped HTML.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Html(String);

/// Names and values of attributes; values are escaped.
pub(crate) type Attributes<'a> = &'a [(&'static str, &'a str)];

impl From<&str> for Html {
    fn from(text: &str) -> Self {
        Self(escape(text))
    }
}

impl From<String> for Html {
    fn from(text: String) -> Self {
        Self(escape(&text))
    }
}

impl From<&String> for Html {
    fn from(text: &String) -> Self {
        Self(escape(text))
    }
}

impl From<Vec<Html>> for Html {
    fn from(parts: Vec<Html>) -> Self {
        parts.into_iter().collect()
    }
}

impl<const N: usize> From<[Html; N]> for Html {
    fn from(parts: [Html; N]) -> Self {
        parts.into_iter().collect()
    }
}

impl From<Option<Html>> for Html {
    fn from(part: Option<Html>) -> Self {
        part.unwrap_or_default()
    }
}

impl FromIterator<Html> for Html {
    fn from_iter<I: IntoIterator<Item = Html>>(parts: I) -> Self {
        let mut all = String::new();
        parts.into_iter().for_each(|part| all.push_str(&part.0));
        Self(all)
    }
}

impl Html {
    #[cfg(test)]
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// `<tag attributes>children</tag>`.
pub(crate) fn el(tag: &'static str, attributes: Attributes<'_>, children: impl Into<Html>) -> Html {
    Html(format!("<{tag}{}>{}</{tag}>", written(attributes), children.into().0))
}

/// `<tag attributes>`, for elements without an end.
pub(crate) fn void(tag: &'static str, attributes: Attributes<'_>) -> Html {
    Html(format!("<{tag}{}>", written(attributes)))
}

/// A hidden field of a form.
pub(crate) fn hidden(name: &str, value: &str) -> Html {
    void("input", &[("type", "hidden"), ("name", name), ("value", value)])
}

fn written(attributes: Attributes<'_>) -> String {
    attributes.iter().flat_map(|(name, value)| [" ", name, "=\"", &escape(value), "\""].map(str::to_owned)).collect()
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(character),
        }
    }
    out
}

/// A whole page with one style sheet and perhaps one script, both of this server, and nothing from elsewhere.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) title: String,
    pub(crate) style: &'static str,
    pub(crate) script: Option<&'static str>,
    pub(crate) body: Html,
}

impl Page {
    fn text(self) -> String {
        let script = self.script.map(|source| el("script", &[("src", source), ("defer", "")], ""));
        let head = [
            void("meta", &[("charset", "utf-8")]),
            void("meta", &[("name", "viewport"), ("content", "width=device-width, initial-scale=1")]),
            void("meta", &[("name", "color-scheme"), ("content", "light dark")]),
            el("title", &[], self.title),
            void("link", &[("rel", "stylesheet"), ("href", self.style)]),
            void("link", &[("rel", "icon"), ("href", "data:,")]),
            script.into(),
        ];
        let html = el("html", &[("lang", "en")], [el("head", &[], head), el("body", &[], self.body)]);
        format!("<!DOCTYPE html>\n{}\n", html.0)
    }
}

/// Only what this server itself serves may load, run or be posted to.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src data:; form-action 'self'; \
                      base-uri 'none'; frame-ancestors 'none'";

impl IntoResponse for Page {
    fn into_response(self) -> Response {
        let headers = [
            (header::CONTENT_TYPE, "text/html; charset=utf-8"),
            (header::CONTENT_SECURITY_POLICY, POLICY),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            // Not `no-referrer`: with it a browser sends a form with the origin `null`, which our own guard would refuse.
            (header::REFERRER_POLICY, "same-origin"),
            (header::CACHE_CONTROL, "no-store"),
        ];
        (headers, self.text()).into_response()
    }
}

/// A style sheet or script that is part of the program.
pub(crate) fn asset(kind: &'static str, text: &'static str) -> Response {
    ([(header::CONTENT_TYPE, kind), (header::X_CONTENT_TYPE_OPTIONS, "nosniff"), (header::CACHE_CONTROL, "no-cache")], text).into_response()
}

#[cfg(test)]
mod tests {
    use super::{Html, el, void};

    fn check(html: &Html, written: &str) {
        assert_eq!(html.as_str(), written);
    }

    #[test]
    fn text_and_attributes_stay_text() {
        check(&Html::from("<b>&'\""), "&lt;b&gt;&amp;&#39;&quot;");
        check(&el("a", &[("href", "\"><script>")], "x"), "<a href=\"&quot;&gt;&lt;script&gt;\">x</a>");
        check(&el("p", &[], [Html::from("a"), void("br", &[]), Html::from("b")]), "<p>a<br>b</p>");
    }
}
