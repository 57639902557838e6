//! The attributes of tags in raw HTML, as far as it takes to find what a page links to and what it calls its places. No tree is made, and nothing is refused.

use std::ops::Range;

/// The values of these attributes, named in small letters, of all tags in order, with where each stands. Comments have none.
pub(super) fn attributes(html: &str, names: &[&str]) -> Vec<(String, Range<usize>)> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(tag) = html[at..].find('<').map(|tag| at + tag) {
        let rest = &html[tag..];
        at = match rest.strip_prefix("<!--") {
            Some(comment) => comment.find("-->").map_or(html.len(), |end| tag + 4 + end),
            None if rest[1..].starts_with(|c: char| c.is_ascii_alphabetic()) => of_tag(html, tag + 1, names, &mut found),
            None => tag + 1,
        };
    }
    found
}

/// Reads one tag from its name on; where it ends.
fn of_tag(html: &str, from: usize, names: &[&str], found: &mut Vec<(String, Range<usize>)>) -> usize {
    let until = |at: usize, end: &dyn Fn(char) -> bool| html[at..].find(end).map_or(html.len(), |length| at + length);
    let blank = |c: char| c.is_ascii_whitespace();
    let mut at = until(from, &|c| blank(c) || c == '/' || c == '>');
    loop {
        at = until(at, &|c| !blank(c) && c != '/');
        if html[at..].is_empty() || html[at..].starts_with('>') {
            return at;
        }
        // A name has one character at least, whatever that is.
        let first = html[at..].chars().next().map_or(1, char::len_utf8);
        let end = until(at + first, &|c| blank(c) || matches!(c, '=' | '/' | '>'));
        let name = html[at..end].to_ascii_lowercase();
        let sign = until(end, &|c| !blank(c));
        at = end;
        if !html[sign..].starts_with('=') {
            continue;
        }
        let start = until(sign + 1, &|c| !blank(c));
        let quote = html[start..].chars().next().filter(|c| matches!(c, '"' | '\''));
        let value = match quote {
            Some(quote) => start + 1..until(start + 1, &|c| c == quote),
            None => start..until(start, &|c| blank(c) || c == '>'),
        };
        at = html.len().min(value.end + usize::from(quote.is_some()));
        if names.contains(&name.as_str()) {
            found.push((html[value.clone()].trim().replace("&amp;", "&"), value));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_however_they_are_written() {
        for (html, expected) in [
            ("<a href=\"a.md\">x</a>", "a.md"),
            ("<A class='b' HREF = 'a b.md'/>", "a b.md"),
            ("<a href=a.md>x</a><img src=b.png >", "a.md b.png"),
            ("<a href='a?b=1&amp;c=2'>", "a?b=1&c=2"),
            ("<a title='href=\"a.md\"' data-href='b'>", ""),
            ("<!-- <a href=\"a.md\"> --><a href=b>", "b"),
            ("</a href=b> 1 < 2 <a", ""),
            ("<a \u{fc}=1 href='\u{fc}.md", "\u{fc}.md"),
            ("<a = href", ""),
            ("<a href", ""),
            ("<a href=", ""),
        ] {
            let found = attributes(html, &["href", "src"]);
            assert!(found.iter().all(|(_, range)| html.get(range.clone()).is_some()), "{html}");
            assert_eq!(found.iter().map(|(value, _)| value.as_str()).collect::<Vec<_>>().join(" "), expected, "{html}");
        }
    }
}
