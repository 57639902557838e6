//! Typed text sinks: the only way from untrusted text into a message or a document. A raw `String` does not compile into a sink; what goes in
//! is either a literal of ours, a value that is escaped here, or the output of a template whose every value was escaped here.
//!
//! In every sink a value is cut at 256 characters, and control, zero-width and bidirectional characters are shown instead of obeyed.

use std::{fmt, marker::PhantomData};

use burnward_core::time::Timestamp;

use super::words;

/// Longest value in a text, in characters.
pub const VALUE_CHARS: usize = 256;

/// A language of text that people read, with the rules that keep a value a value.
pub trait Language {
    /// One untrusted value, so that it is shown literally.
    fn escape(value: &str) -> String;
    /// One untrusted sentence in which people write code between backticks: what stands there is code where the language can show it so, and
    /// all else is shown literally.
    fn prose(value: &str) -> String {
        Self::escape(value)
    }
    /// An instant.
    fn moment(at: Timestamp, precision: Precision) -> String;
}

/// How much of an instant is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precision {
    /// Hour and minute, where the day is evident.
    Minute,
    /// With the second.
    Second,
    /// With the day.
    Day,
}

/// Text of one language that holds no unescaped value.
pub struct Text<L> {
    text: String,
    language: PhantomData<L>,
}

/// Slack's mrkdwn, in messages and their blocks.
pub type SlackMrkdwn = Text<Slack>;
/// Text within a line of Markdown.
pub type MdInline = Text<Markdown>;
/// Text within an HTML element or a quoted attribute.
pub type Html = Text<HtmlText>;

impl<L: Language> Text<L> {
    /// A text of our own, written in the program.
    pub fn literal(text: &'static str) -> Self {
        Self::from_escaped(text.to_owned())
    }

    /// An untrusted value.
    pub fn value(value: &str) -> Self {
        Self::from_escaped(L::escape(value))
    }

    /// An instant.
    pub fn moment(at: Timestamp, precision: Precision) -> Self {
        Self::from_escaped(L::moment(at, precision))
    }

    /// This text followed by another.
    #[must_use]
    pub fn then(mut self, next: &Self) -> Self {
        self.text.push_str(&next.text);
        self
    }

    /// What a template wrote; its engine escapes every value with `L::escape`.
    pub(super) fn from_escaped(text: String) -> Self {
        Self { text, language: PhantomData }
    }
}

impl<L> Text<L> {
    /// The text in its language.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// True where there is nothing to read.
    pub fn is_empty(&self) -> bool {
        self.text.trim().is_empty()
    }

    /// Its length in characters, as Slack counts.
    pub fn chars(&self) -> usize {
        self.text.chars().count()
    }
}

impl SlackMrkdwn {
    /// A mention, which notifies; only for identities that the operator's configuration or Slack's directory gave.
    pub fn mention(user: &str) -> Self {
        let id: String = user.chars().filter(char::is_ascii_alphanumeric).collect();
        Self::from_escaped(format!("<@{id}>"))
    }

    /// A text that was sent before, read back from the store.
    pub(crate) const fn sent_before(text: String) -> Self {
        Self { text, language: PhantomData }
    }

    /// A link to a page of ours; the URL comes from the operator's configuration.
    pub fn link(url: &url::Url, label: &'static str) -> Self {
        let target = url.as_str().replace('&', "&amp;").replace('<', "%3C").replace('>', "%3E").replace('|', "%7C");
        Self::from_escaped(format!("<{target}|{label}>"))
    }

    /// The text in bold, where there is some.
    #[must_use]
    pub fn bold(self) -> Self {
        if self.is_empty() { self } else { Self::from_escaped(format!("*{}*", self.text)) }
    }

    /// At most `max` characters, cut before an entity or token that would not fit whole.
    #[must_use]
    pub fn cut(self, max: usize) -> Self {
        if self.chars() <= max {
            return self;
        }
        let kept: String = self.text.chars().take(max.saturating_sub(1)).collect();
        let whole = kept.len() - open_token(&kept).map_or(0, |at| kept.len() - at);
        Self::from_escaped(format!("{}…", &kept[..whole]))
    }
}

/// Where a token or entity begins that the end of the text cuts through.
fn open_token(text: &str) -> Option<usize> {
    let token = text.rfind('<').filter(|at| !text[*at..].contains('>'));
    let entity = text.rfind('&').filter(|at| !text[*at..].contains(';'));
    match (token, entity) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (one, other) => one.or(other),
    }
}

impl<L> Clone for Text<L> {
    fn clone(&self) -> Self {
        Self { text: self.text.clone(), language: PhantomData }
    }
}

impl<L> PartialEq for Text<L> {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl<L> fmt::Debug for Text<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.text)
    }
}

impl<L> fmt::Display for Text<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Slack's mrkdwn: `&`, `<` and `>` are entities (docs.slack.dev, "Formatting message text"); it knows no escape for its marks, so that a value
/// that holds some stands in code, where marks, emoji and links are not read.
#[derive(Debug, Clone, Copy)]
pub enum Slack {}

/// Markdown as CommonMark and GitHub read it.
#[derive(Debug, Clone, Copy)]
pub enum Markdown {}

/// HTML.
#[derive(Debug, Clone, Copy)]
pub enum HtmlText {}

impl Language for Slack {
    fn escape(value: &str) -> String {
        let shown = visible(value);
        let entities = entities(&shown);
        if reads_as_marks(&shown) { format!("`{}`", entities.replace('`', "ˋ")) } else { entities }
    }

    fn prose(value: &str) -> String {
        with_code(&visible(value)).unwrap_or_else(|| Self::escape(value))
    }

    fn moment(at: Timestamp, precision: Precision) -> String {
        let (format, fallback) = match precision {
            Precision::Minute => ("{time}", words::utc_minute(at)),
            Precision::Second => ("{time_secs}", words::utc_second(at)),
            Precision::Day => ("{date_short_pretty} {time}", words::utc_day_minute(at)),
        };
        format!("<!date^{}^{format}|{fallback}>", at.millis().div_euclid(1000))
    }
}

impl Language for Markdown {
    fn escape(value: &str) -> String {
        let mut out = String::new();
        let shown = visible(value);
        let mut rest = shown.chars().peekable();
        while let Some(c) = rest.next() {
            match c {
                '&' => out.push_str("&amp;"),
                '<' => out.push_str("&lt;"),
                '>' => out.push_str("&gt;"),
                // A list begins only with a line.
                '-' | '+' if !out.is_empty() => out.push(c),
                // No address and no emoji begins with a colon before a space.
                ':' if rest.peek().is_none_or(|next| *next == ' ') => out.push(c),
                // A mention notifies people on GitHub and in Slack exports even where the mark is escaped.
                '@' => out.push_str("@\u{2060}"),
                '\\' | '`' | '*' | '_' | '[' | ']' | '#' | '+' | '-' | '|' | '~' | '$' | ':' => {
                    out.push('\\');
                    out.push(c);
                }
                _ => out.push(c),
            }
        }
        out
    }

    fn moment(at: Timestamp, precision: Precision) -> String {
        match precision {
            Precision::Minute => words::utc_minute(at),
            Precision::Second => words::utc_second(at),
            Precision::Day => words::utc_day_second(at),
        }
    }
}

impl Language for HtmlText {
    fn escape(value: &str) -> String {
        let mut out = String::new();
        for c in visible(value).chars() {
            match c {
                '&' => out.push_str("&amp;"),
                '<' => out.push_str("&lt;"),
                '>' => out.push_str("&gt;"),
                '"' => out.push_str("&quot;"),
                '\'' => out.push_str("&#39;"),
                _ => out.push(c),
            }
        }
        out
    }

    fn moment(at: Timestamp, precision: Precision) -> String {
        <Markdown as Language>::moment(at, precision)
    }
}

/// The value cut at 256 characters, with what cannot be seen made visible.
pub fn visible(value: &str) -> String {
    let mut characters = value.chars();
    let mut out = visible_whole(&characters.by_ref().take(VALUE_CHARS).collect::<String>());
    if characters.next().is_some() {
        out.push('…');
    }
    out
}

/// The whole value, with what cannot be seen made visible.
pub fn visible_whole(value: &str) -> String {
    let mut out = String::new();
    for c in value.chars() {
        match u32::from(c) {
            code @ 0..=0x1f => out.push(char::from_u32(0x2400 + code).unwrap_or('\u{fffd}')),
            0x7f => out.push('\u{2421}'),
            code if is_invisible(code) => out.extend(format!("⟨U+{code:04X}⟩").chars()),
            _ => out.push(c),
        }
    }
    out
}

/// C1 controls, soft hyphen, zero-width and bidirectional characters, line separators, tags, byte order mark.
fn is_invisible(code: u32) -> bool {
    matches!(code, 0x80..=0x9f | 0xad | 0x061c | 0x180e | 0x200b..=0x200f | 0x2028..=0x202e | 0x2060..=0x206f | 0xfeff | 0xfff9..=0xfffb | 0xe0000..=0xe007f)
}

/// A sentence of plain text and code in turns, which Slack's backticks part; `None` where one of them is not surely read as a mark, so that
/// what stands between would be obeyed.
fn with_code(shown: &str) -> Option<String> {
    let parts: Vec<&str> = shown.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return None;
    }
    let mut out = String::new();
    for (n, part) in parts.iter().enumerate() {
        let written = if n % 2 == 1 { code(part) } else { between_code(part, n == 0, n + 1 == parts.len()) };
        out.push_str(&written?);
    }
    Some(out)
}

/// Code that Slack shows as such: with something in it, and no space at its ends.
fn code(part: &str) -> Option<String> {
    (!part.is_empty() && part.trim() == part).then(|| format!("`{}`", entities(part)))
}

/// Text beside code, which it must not touch with a letter; one with marks stands in code of its own.
fn between_code(part: &str, first: bool, last: bool) -> Option<String> {
    let apart = char::is_whitespace;
    let begins =
        first || (last && part.is_empty()) || part.starts_with(|c: char| apart(c) || matches!(c, '.' | ',' | ';' | ':' | '!' | '?' | ')'));
    let ends = last || (first && part.is_empty()) || part.ends_with(|c: char| apart(c) || c == '(');
    if !reads_as_marks(part) {
        return (begins && ends).then(|| entities(part));
    }
    let text = part.trim();
    let bounded = (first || part.starts_with(apart)) && (last || part.ends_with(apart));
    let at = part.len() - part.trim_start().len();
    bounded.then(|| format!("{}`{}`{}", &part[..at], entities(text), &part[at + text.len()..]))
}

fn entities(shown: &str) -> String {
    shown.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Whether Slack would read marks, an emoji or a link in the value.
fn reads_as_marks(value: &str) -> bool {
    value.contains(['*', '_', '~', '`'])
        || value.starts_with(['>', '•'])
        || value.contains("://")
        || value.contains("www.")
        || value.contains('@')
        || has_emoji(value)
}

/// `:name:`; two digits between colons are a time of ours.
fn has_emoji(value: &str) -> bool {
    let name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '+' | '-' | '\'');
    let parts: Vec<&str> = value.split(':').collect();
    let between = parts.get(1..parts.len().saturating_sub(1)).unwrap_or_default();
    between.iter().any(|part| !part.is_empty() && part.chars().all(name) && !(part.len() == 2 && part.chars().all(|c| c.is_ascii_digit())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<L: Language>(value: &str, shown: &str) {
        assert_eq!(Text::<L>::value(value).as_str(), shown, "{value:?}");
    }

    #[test]
    fn a_value_notifies_nobody_in_slack() {
        check::<Slack>("<!channel>", "&lt;!channel&gt;");
        check::<Slack>("<!here> & co", "&lt;!here&gt; &amp; co");
        check::<Slack>("<@U123>", "`&lt;@U123&gt;`");
        check::<Slack>("<#C1>", "&lt;#C1&gt;");
        check::<Slack>("<!subteam^S1>", "&lt;!subteam^S1&gt;");
        check::<Slack>("@channel", "`@channel`");
    }

    #[test]
    fn a_value_is_no_link_in_slack() {
        check::<Slack>("<https://evil|Runbook>", "`&lt;https://evil|Runbook&gt;`");
        check::<Slack>("https://evil/?q=1", "`https://evil/?q=1`");
        check::<Slack>("mailto:a@b.example", "`mailto:a@b.example`");
    }

    #[test]
    fn marks_and_invisible_characters_are_shown() {
        check::<Slack>("*bold* _it_ `code` ~no~", "`*bold* _it_ ˋcodeˋ ~no~`");
        check::<Slack>("a\nb\tc\u{202e}d\u{200b}", "a␊b␉c⟨U+202E⟩d⟨U+200B⟩");
        check::<Slack>(":boom:", "`:boom:`");
        check::<Slack>("03:10:02 UTC", "03:10:02 UTC");
        check::<Slack>("10.0.0.1:9090", "10.0.0.1:9090");
        check::<Slack>("> quote", "`&gt; quote`");
    }

    #[test]
    fn code_in_a_sentence_stays_code_in_slack() {
        let prose = |value: &str, shown: &str| assert_eq!(Slack::prose(value), shown, "{value:?}");
        prose("Look at `kubectl get pods`", "Look at `kubectl get pods`");
        prose("Run `a <b & c` (or `d_e`), then wait.", "Run `a &lt;b &amp; c` (or `d_e`), then wait.");
        prose("Shed load", "Shed load");
        prose("`top` says *who*", "`top` `says *who*`");
        prose("https://evil `x`", "`https://evil` `x`");
        prose("<!channel> `<!here>`", "&lt;!channel&gt; `&lt;!here&gt;`");
    }

    #[test]
    fn a_sentence_whose_backticks_are_no_marks_stands_in_code_whole() {
        for value in ["a`*b*`c", "`*a*", "`a`*b*", "`` *a* ``", "` *a* `", "`a`:boom:", "`a``*b*`", "*a*`b`"] {
            assert_eq!(Slack::prose(value), format!("`{}`", value.replace('`', "ˋ")), "{value:?}");
        }
        assert_eq!(Slack::prose("`a\n*b*`"), "`a␊*b*`");
        assert_eq!(Slack::prose("`a` @channel"), "`a` `@channel`");
    }

    #[test]
    fn a_long_value_is_cut() {
        let shown = Text::<Slack>::value(&"x".repeat(200_000));
        assert_eq!(shown.chars(), VALUE_CHARS + 1);
        assert!(shown.as_str().ends_with('…'));
        assert!(Text::<Slack>::value(&":boom:".repeat(4_000)).chars() < 300);
    }

    #[test]
    fn cutting_a_text_never_cuts_through_an_entity_or_token() {
        for max in 1..40 {
            let cut = SlackMrkdwn::value("a & b").then(&SlackMrkdwn::moment(Timestamp::from_seconds(60), Precision::Minute)).cut(max);
            assert!(cut.chars() <= max, "{max}");
            assert_eq!(cut.as_str().matches('<').count(), cut.as_str().matches('>').count(), "{cut}");
            assert_eq!(cut.as_str().matches('&').count(), cut.as_str().matches("&amp;").count(), "{cut}");
        }
    }

    #[test]
    fn markdown_and_html_keep_values_literal() {
        check::<Markdown>("[x](javascript:alert(1))", "\\[x\\](javascript\\:alert(1))");
        check::<Markdown>("<img onerror> --> @team", "&lt;img onerror&gt; --&gt; @\u{2060}team");
        check::<Markdown>("# a\n---", "\\# a␊---");
        check::<Markdown>("- a: b", "\\- a: b");
        check::<Markdown>("http://a", "http\\://a");
        check::<HtmlText>("<script>\"'&", "&lt;script&gt;&quot;&#39;&amp;");
    }
}
