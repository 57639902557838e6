//! Slack's mrkdwn as HTML: bold, italic, struck, code, quotes, links, mentions, dates. What is none of these stays text.

use std::fmt::Write as _;

use jiff::{Timestamp, tz::TimeZone};

use super::super::world::World;
use crate::html::{Html, el, void};

/// Emphasis within emphasis.
const DEEPEST: usize = 4;

/// Whose eyes read: mentions of them stand out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'a> {
    pub(super) world: &'a World,
    pub(super) user: &'a str,
}

/// The text that a reader sees, entities undone.
pub(super) fn decode(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

/// One piece of markup: how long it is in the source, and what it shows.
type Piece = Option<(usize, Html)>;

impl Reader<'_> {
    /// A text with markup, of several lines.
    pub(super) fn mrkdwn(self, text: &str) -> Html {
        let mut parts = Vec::new();
        for (index, part) in text.split("```").enumerate() {
            match index % 2 {
                0 => parts.push(self.quoted(part)),
                _ => parts.push(el("pre", &[], decode(part.trim_matches('\n')))),
            }
        }
        parts.into()
    }

    /// The one-line text of a notification: mentions by name, no markup.
    pub(super) fn notification(self, text: &str) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let taken = if let Some((taken, shown)) = self.sequence(rest) {
                out.push_str(&shown.words);
                taken
            } else {
                out.push(if first == '\n' { ' ' } else { first });
                first.len_utf8()
            };
            rest = &rest[taken..];
        }
        decode(&out)
    }

    fn quoted(self, text: &str) -> Html {
        let mut parts = Vec::new();
        let mut lines = text.split('\n').peekable();
        while let Some(line) = lines.next() {
            if let Some(quote) = line.strip_prefix("&gt;") {
                parts.push(el("blockquote", &[], self.inline(quote.trim_start(), 0)));
                continue;
            }
            parts.push(self.inline(line, 0));
            if lines.peek().is_some() {
                parts.push(void("br", &[]));
            }
        }
        parts.into()
    }

    fn inline(self, text: &str, depth: usize) -> Html {
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        let mut before = None;
        while let Some(first) = rest.chars().next() {
            let piece = match first {
                '<' => self.sequence(rest).map(|(taken, shown)| (taken, shown.html)),
                '`' => code(rest),
                '*' => self.emphasis(rest, "strong", before, depth),
                '_' => self.emphasis(rest, "em", before, depth),
                '~' => self.emphasis(rest, "s", before, depth),
                ':' => emoji(rest),
                _ => None,
            };
            let taken = if let Some((taken, html)) = piece {
                parts.push(Html::from(decode(&std::mem::take(&mut plain))));
                parts.push(html);
                taken
            } else {
                plain.push(first);
                first.len_utf8()
            };
            before = rest[..taken].chars().next_back();
            rest = &rest[taken..];
        }
        parts.push(Html::from(decode(&plain)));
        parts.into()
    }

    /// Emphasis begins where a word may begin and ends where one may end.
    fn emphasis(self, rest: &str, tag: &'static str, before: Option<char>, depth: usize) -> Piece {
        let mark = rest.chars().next()?;
        let inside = &rest[1..];
        if depth >= DEEPEST || before.is_some_and(char::is_alphanumeric) || inside.starts_with([mark, ' ']) {
            return None;
        }
        let end = closing(inside, mark)?;
        Some((end + 2, el(tag, &[], self.inline(&inside[..end], depth + 1))))
    }

    /// A control sequence `<…>`.
    fn sequence(self, rest: &str) -> Option<(usize, Shown)> {
        let inside = &rest.strip_prefix('<')?[..rest.find('>')? - 1];
        let (target, label) = inside.split_once('|').map_or((inside, None), |(target, label)| (target, Some(label)));
        let shown = match target.chars().next()? {
            '@' => self.person(&target[1..]),
            '#' => self.channel(&target[1..]),
            '!' => special(&target[1..], label),
            _ => link(target, label)?,
        };
        Some((inside.len() + 2, shown))
    }

    fn person(self, id: &str) -> Shown {
        let class = if id == self.user { "mention me" } else { "mention" };
        Shown::mention(class, format!("@{}", self.world.user_name(id)))
    }

    fn channel(self, id: &str) -> Shown {
        let name = self.world.conversation(id).map_or(id, |channel| channel.name.as_str());
        Shown::mention("mention", format!("#{name}"))
    }
}

/// What a sequence shows: on the page, and in a notification.
struct Shown {
    html: Html,
    words: String,
}

impl Shown {
    fn mention(class: &str, words: String) -> Self {
        Self { html: el("span", &[("class", class)], &words), words }
    }
}

fn special(name: &str, label: Option<&str>) -> Shown {
    if let Some(date) = name.strip_prefix("date^") {
        return date_shown(date, label);
    }
    let loud = matches!(name, "here" | "channel" | "everyone");
    let group = name.strip_prefix("subteam^").map(|id| format!("@{}", label.unwrap_or(id).trim_start_matches('@')));
    Shown::mention(if loud { "mention loud" } else { "mention" }, group.unwrap_or_else(|| format!("@{name}")))
}

/// Web addresses alone are links; every other scheme shows as text.
fn link(target: &str, label: Option<&str>) -> Option<Shown> {
    let web = target.starts_with("http://") || target.starts_with("https://");
    let mail = target.starts_with("mailto:");
    let words = decode(label.unwrap_or(target.trim_start_matches("mailto:")));
    let address = decode(target);
    match (web, mail) {
        (true, _) => {
            let attributes = [("href", address.as_str()), ("rel", "noopener noreferrer nofollow"), ("target", "_blank")];
            Some(Shown { html: el("a", &attributes, &words), words })
        }
        (false, true) => Some(Shown { html: Html::from(&words), words }),
        (false, false) => None,
    }
}

/// `unix^format` or `unix^format^link`; shown in UTC, because a server does not know its reader's zone.
fn date_shown(date: &str, fallback: Option<&str>) -> Shown {
    let mut parts = date.splitn(3, '^');
    let time = parts.next().and_then(|unix| Timestamp::from_second(unix.parse().ok()?).ok());
    let (Some(time), Some(format)) = (time, parts.next()) else {
        let words = decode(fallback.unwrap_or_default());
        return Shown { html: Html::from(&words), words };
    };
    let words = decode(&written_date(time, format));
    let utc = time.to_string();
    Shown { html: el("time", &[("datetime", &utc), ("title", &utc)], &words), words }
}

fn written_date(time: Timestamp, format: &str) -> String {
    let at = time.to_zoned(TimeZone::UTC);
    let tokens = [
        ("{date_num}", "%Y-%m-%d"),
        ("{date_short_pretty}", "%b %-d, %Y"),
        ("{date_long_pretty}", "%A, %B %-d, %Y"),
        ("{date_pretty}", "%B %-d, %Y"),
        ("{date_short}", "%b %-d, %Y"),
        ("{date_long}", "%A, %B %-d, %Y"),
        ("{date}", "%B %-d, %Y"),
        ("{time_secs}", "%H:%M:%S UTC"),
        ("{time}", "%H:%M UTC"),
    ];
    let mut out = format.to_owned();
    for (token, pattern) in tokens {
        if out.contains(token) {
            let mut written = String::new();
            if write!(written, "{}", at.strftime(pattern)).is_ok() {
                out = out.replace(token, &written);
            }
        }
    }
    out
}

fn code(rest: &str) -> Piece {
    let inside = &rest[1..];
    let end = inside.find('`').filter(|end| *end > 0)?;
    (!inside[..end].contains('\n')).then(|| (end + 2, el("code", &[], decode(&inside[..end]))))
}

/// Where the closing mark stands: not within code or a sequence, after a letter, before the end of a word.
fn closing(inside: &str, mark: char) -> Option<usize> {
    let mut position = 0;
    let mut before = ' ';
    while let Some(first) = inside[position..].chars().next() {
        let rest = &inside[position..];
        let skipped = match first {
            '<' => rest.find('>').map(|end| end + 1),
            '`' => rest[1..].find('`').map(|end| end + 2),
            _ => None,
        };
        let ends = rest[first.len_utf8()..].chars().next().is_none_or(|next| !next.is_alphanumeric());
        if first == mark && position > 0 && !before.is_whitespace() && ends {
            return Some(position);
        }
        let step = skipped.unwrap_or(first.len_utf8());
        before = rest[..step].chars().next_back().unwrap_or(' ');
        position += step;
    }
    None
}

/// The emoji that pages use; every other name stays as it was written.
const EMOJI: [(&str, &str); 14] = [
    (":rotating_light:", "🚨"),
    (":warning:", "⚠️"),
    (":white_check_mark:", "✅"),
    (":heavy_check_mark:", "✔️"),
    (":x:", "❌"),
    (":fire:", "🔥"),
    (":eyes:", "👀"),
    (":bell:", "🔔"),
    (":no_bell:", "🔕"),
    (":red_circle:", "🔴"),
    (":large_green_circle:", "🟢"),
    (":hourglass:", "⌛"),
    (":question:", "❓"),
    (":boom:", "💥"),
];

fn emoji(rest: &str) -> Piece {
    let (name, sign) = EMOJI.iter().find(|(name, _)| rest.starts_with(name))?;
    Some((name.len(), el("span", &[("role", "img"), ("aria-label", name.trim_matches(':'))], *sign)))
}

#[cfg(test)]
mod tests {
    use super::{Reader, World};

    fn check(text: &str, html: &str) {
        let mut world = World::new();
        let ada = world.add_user("Ada", "ada@example.com");
        assert_eq!(Reader { world: &world, user: &ada }.mrkdwn(text).as_str(), html, "{text}");
    }

    #[test]
    fn markup_becomes_html_and_the_rest_stays_text() {
        for (text, html) in [
            ("*bold* _it_ ~no~ `a*b*`", "<strong>bold</strong> <em>it</em> <s>no</s> <code>a*b*</code>"),
            ("2*3*4 and snake_case_name", "2*3*4 and snake_case_name"),
            ("*a _b_ c*", "<strong>a <em>b</em> c</strong>"),
            ("* not bold *", "* not bold *"),
            ("*open", "*open"),
            ("a\nb", "a<br>b"),
            ("&gt; said\nthen", "<blockquote>said</blockquote>then"),
            ("```x\n<b>```", "<pre>x\n&lt;b&gt;</pre>"),
            ("&lt;!channel&gt; &amp;", "&lt;!channel&gt; &amp;"),
            ("<script>", "&lt;script&gt;"),
            ("<@U00000001>", "<span class=\"mention me\">@Ada</span>"),
            ("<@U99>", "<span class=\"mention\">@U99</span>"),
            ("<!here>", "<span class=\"mention loud\">@here</span>"),
            ("<!subteam^S1|@sre>", "<span class=\"mention\">@sre</span>"),
            ("<javascript:alert(1)|x>", "&lt;javascript:alert(1)|x&gt;"),
            (
                "<https://a.example/?x=1&amp;y=%22|go &lt;>",
                "<a href=\"https://a.example/?x=1&amp;y=%22\" rel=\"noopener noreferrer nofollow\" target=\"_blank\">go &lt;</a>",
            ),
            (
                "<!date^1531420618^{date_short} {time}|then>",
                "<time datetime=\"2018-07-12T18:36:58Z\" title=\"2018-07-12T18:36:58Z\">Jul 12, 2018 18:36 UTC</time>",
            ),
            ("<!date^nonsense^{time}|then>", "then"),
            (":fire: :unknown:", "<span role=\"img\" aria-label=\"fire\">🔥</span> :unknown:"),
        ] {
            check(text, html);
        }
    }

    #[test]
    fn a_notification_is_one_line_without_markup() {
        let mut world = World::new();
        let ada = world.add_user("Ada", "ada@example.com");
        let reader = Reader { world: &world, user: &ada };
        assert_eq!(reader.notification("a &lt; b\n<@U00000001> <https://a.example|open>"), "a < b @Ada open");
    }
}
