//! What Slack does to the text of a message before it keeps it: control sequences stay, bare `& < >` become entities, bare links are linked
//! (docs.slack.dev, messaging/formatting-message-text).

/// Whether bare web addresses become links, as they do unless `parse` is `none` or a text object is `verbatim`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BareLinks {
    Link,
    Leave,
}

/// The text as Slack keeps and returns it.
pub(super) fn normalise(text: &str, bare: BareLinks) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let taken = match first {
            '<' => control(rest, &mut out),
            '&' => ampersand(rest, &mut out),
            '>' => replace(">", "&gt;", &mut out),
            'h' if bare == BareLinks::Link => bare_link(rest, &mut out),
            _ => keep(first, &mut out),
        };
        rest = &rest[taken..];
    }
    out
}

/// Plain text: no control sequence has a meaning.
pub(super) fn normalise_plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let taken = match first {
            '<' => replace("<", "&lt;", &mut out),
            '&' => ampersand(rest, &mut out),
            '>' => replace(">", "&gt;", &mut out),
            _ => keep(first, &mut out),
        };
        rest = &rest[taken..];
    }
    out
}

fn keep(character: char, out: &mut String) -> usize {
    out.push(character);
    character.len_utf8()
}

fn replace(plain: &str, entity: &str, out: &mut String) -> usize {
    out.push_str(entity);
    plain.len()
}

fn ampersand(rest: &str, out: &mut String) -> usize {
    match ["&amp;", "&lt;", "&gt;"].into_iter().find(|entity| rest.starts_with(entity)) {
        Some(entity) => replace(entity, entity, out),
        None => replace("&", "&amp;", out),
    }
}

fn control(rest: &str, out: &mut String) -> usize {
    match rest.find('>').map(|end| &rest[..=end]) {
        Some(sequence) if is_control(&sequence[1..sequence.len() - 1]) => replace(sequence, sequence, out),
        Some(_) | None => replace("<", "&lt;", out),
    }
}

/// Whether the inside of `<…>` is a mention, a special mention, a date or a link.
pub(super) fn is_control(inside: &str) -> bool {
    let target = inside.split('|').next().unwrap_or_default();
    let id = |text: &str, first: &[char]| {
        text.starts_with(first) && text.len() > 1 && text.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit())
    };
    if inside.contains('<') || inside.contains('\n') {
        return false;
    }
    match target.chars().next() {
        Some('@') => id(&target[1..], &['U', 'W']),
        Some('#') => id(&target[1..], &['C', 'G']),
        Some('!') => is_special(&target[1..]),
        _ => is_link(target),
    }
}

fn is_special(name: &str) -> bool {
    matches!(name, "here" | "channel" | "everyone") || name.starts_with("subteam^S") || name.starts_with("date^")
}

/// Whether this is an address that Slack would link.
pub(super) fn is_link(target: &str) -> bool {
    let schemes = ["http://", "https://", "mailto:", "tel:"];
    schemes.iter().any(|scheme| target.len() > scheme.len() && target.starts_with(scheme)) && !target.contains(char::is_whitespace)
}

fn bare_link(rest: &str, out: &mut String) -> usize {
    let web = rest.starts_with("http://") || rest.starts_with("https://");
    let at_word_start = out.chars().next_back().is_none_or(|before| !before.is_alphanumeric());
    let end = rest.find(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | '|' | '"' | '`')).unwrap_or(rest.len());
    let address = rest[..end].trim_end_matches(['.', ',', ')', ';', ':', '!', '?', '*', '_', '~']);
    if !web || !at_word_start || !is_link(address) {
        return keep('h', out);
    }
    out.push('<');
    let mut inside = address;
    while let Some(first) = inside.chars().next() {
        let taken = if first == '&' { ampersand(inside, out) } else { keep(first, out) };
        inside = &inside[taken..];
    }
    out.push('>');
    address.len()
}

#[cfg(test)]
mod tests {
    use super::{BareLinks, normalise, normalise_plain};

    fn check(text: &str, kept: &str) {
        assert_eq!(normalise(text, BareLinks::Link), kept, "{text}");
    }

    #[test]
    fn control_sequences_stay_and_bare_signs_become_entities() {
        for (text, kept) in [
            ("a & b < c > d", "a &amp; b &lt; c &gt; d"),
            ("&lt;!channel&gt; &amp;", "&lt;!channel&gt; &amp;"),
            ("<@U01> <#C01|x> <!here>", "<@U01> <#C01|x> <!here>"),
            ("<!subteam^S1> <!date^1^{time}|then>", "<!subteam^S1> <!date^1^{time}|then>"),
            ("<b>bold</b>", "&lt;b&gt;bold&lt;/b&gt;"),
            ("<https://a.example/?x=1|go>", "<https://a.example/?x=1|go>"),
            ("<javascript:alert(1)|go>", "&lt;javascript:alert(1)|go&gt;"),
            ("<@u01>", "&lt;@u01&gt;"),
            ("see https://a.example/x?a=1&b=2.", "see <https://a.example/x?a=1&amp;b=2>."),
            ("xhttps://a.example", "xhttps://a.example"),
            ("héhé <", "héhé &lt;"),
        ] {
            check(text, kept);
        }
    }

    #[test]
    fn links_stay_text_where_they_are_not_wanted() {
        assert_eq!(normalise("https://a.example", BareLinks::Leave), "https://a.example");
    }

    #[test]
    fn plain_text_mentions_nobody() {
        assert_eq!(normalise_plain("<!channel> & co"), "&lt;!channel&gt; &amp; co");
    }
}
