//! Secrets do not belong into files that diagnostics quote. Where one stands there all the same, it is neither used nor shown: a file is masked before
//! anything can quote it, and so is every line that names an address.

use std::ops::Range;

/// Words that make a key a secret's.
const SECRET_WORDS: [&str; 7] = ["token", "secret", "password", "passwd", "api-key", "apikey", "credential"];
/// Words of headers whose values are secrets. Only shown they are not: whether such a key may stand there, others say.
const HEADER_WORDS: [&str; 4] = ["authorization", "cookie", "bearer", "x-auth"];
/// Further words that make a parameter of a URL a secret's.
const PARAMETER_WORDS: [&str; 8] = ["auth", "code", "jwt", "key", "pass", "pwd", "session", "sig"];
/// How Slack's tokens start; they are masked wherever they stand.
const TOKEN_PREFIXES: [&str; 5] = ["xoxb-", "xapp-", "xoxp-", "xoxe-", "xoxe."];
/// How tokens of GitHub, GitLab and Grafana start, also where a name is suggested for one; they are masked where a word begins.
const OTHER_PREFIXES: [&str; 13] =
    ["ghp_", "gho_", "ghu_", "ghs_", "github_pat_", "glpat-", "glsa_", "ghp-", "gho-", "ghu-", "ghs-", "github-pat-", "glsa-"];

/// True for a key that would hold a secret itself: `bot-token`, but not `bot-token-file`.
pub(crate) fn is_secret_key(key: &str) -> bool {
    let key = key.to_ascii_lowercase().replace('_', "-");
    !key.ends_with("-file") && SECRET_WORDS.iter().any(|word| key.contains(word))
}

/// True for a text that is a token itself, such as one that was written where the name of its file belongs.
pub(super) fn is_token(text: &str) -> bool {
    TOKEN_PREFIXES.iter().chain(&OTHER_PREFIXES).any(|prefix| text.trim_start().starts_with(prefix))
}

/// The text of a file as it may be shown: every value of a secret's key or header, and what [`redacted`] replaces, is replaced by as many asterisks, so
/// that places stay where they are.
pub(crate) fn mask(text: &str) -> String {
    redacted(&starred(text, values(text).into_iter()))
}

/// Words that quote a file or name an address, as they may be shown: without tokens, and without user, password and secret parameters of URLs.
pub(crate) fn redacted(words: &str) -> String {
    starred(words, tokens(words).into_iter().chain(bearers(words)).chain(passwords(words)).chain(parameters(words)))
}

fn starred(text: &str, ranges: impl Iterator<Item = Range<usize>>) -> String {
    let mut masked = text.as_bytes().to_vec();
    for range in ranges {
        masked[range].iter_mut().filter(|byte| **byte != b'\n').for_each(|byte| *byte = b'*');
    }
    String::from_utf8(masked).expect("whole characters became asterisks")
}

/// The rest of each line behind a secret's key, and the lines indented deeper below it.
fn values(text: &str) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    let mut hidden_below: Option<usize> = None;
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let body = line.trim_end();
        let indent = body.len() - body.trim_start().len();
        if hidden_below.is_some_and(|limit| indent > limit || body.is_empty()) {
            ranges.push(start + indent.min(body.len())..start + body.len());
        } else {
            hidden_below = None;
            if let Some(colon) = secret_colon(body) {
                ranges.push(start + colon + 1..start + body.len());
                hidden_below = Some(indent);
            }
        }
        start += line.len();
    }
    ranges
}

/// The colon behind the first secret's key of a line.
fn secret_colon(line: &str) -> Option<usize> {
    line.match_indices(':').map(|(at, _)| at).find(|at| {
        let key = line[..*at].trim_end().trim_end_matches(['"', '\'']);
        let word = key.rsplit(|c: char| !(c.is_alphanumeric() || c == '-' || c == '_')).next().unwrap_or(key);
        is_secret_key(word) || is_secret_header(word)
    })
}

fn is_secret_header(key: &str) -> bool {
    let key = key.to_ascii_lowercase().replace('_', "-");
    !key.ends_with("-file") && HEADER_WORDS.iter().any(|word| key.contains(word))
}

/// Each token once, and no byte looked at for two of them: a text of nothing but beginnings takes no longer than another.
fn tokens(text: &str) -> Vec<Range<usize>> {
    let ends = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`' | ',' | '}' | ']');
    let within_word = |at: usize| text[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_');
    let begins = |at: usize| {
        let starts = |prefix: &&str| text[at..].starts_with(*prefix);
        TOKEN_PREFIXES.iter().any(starts) || (OTHER_PREFIXES.iter().any(starts) && !within_word(at))
    };
    words(text.match_indices(['x', 'g']).map(|(at, _)| at).filter(|at| begins(*at)), text, ends)
}

/// What follows `Bearer` where a value begins with it.
fn bearers(text: &str) -> Vec<Range<usize>> {
    const SCHEME: &str = "Bearer ";
    let begins = |at: &usize| text[..*at].trim_end_matches(' ').ends_with([':', '=', '"', '\'', '`']);
    let starts = text.match_indices(SCHEME).map(|(at, _)| at).filter(begins).map(|at| at + SCHEME.len());
    words(starts, text, |c| matches!(c, '\n' | '"' | '\'' | '`' | ',' | '}'))
}

/// What stands between `://` and `@` of a URL.
fn passwords(text: &str) -> Vec<Range<usize>> {
    urls(text).into_iter().filter_map(|url| text[url.clone()].rfind('@').map(|len| url.start..url.start + len)).collect()
}

/// Values of parameters of URLs that are called like secrets, and a query that has no parameters.
fn parameters(text: &str) -> Vec<Range<usize>> {
    let of_url = |url: Range<usize>| {
        let mut at = url.start;
        let mut found = Vec::new();
        for (nth, part) in text[url].split(['?', '&', '#', ';']).enumerate() {
            let behind = at.checked_sub(1).map(|before| text.as_bytes()[before]);
            match part.split_once('=') {
                Some((name, _)) if nth > 0 && is_secret_parameter(name) => found.push(at + name.len() + 1..at + part.len()),
                None if nth > 0 && behind == Some(b'?') => found.push(at..at + part.len()),
                Some(_) | None => {}
            }
            at += part.len() + 1;
        }
        found
    };
    urls(text).into_iter().flat_map(of_url).collect()
}

fn is_secret_parameter(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    is_secret_key(&name) || PARAMETER_WORDS.iter().any(|word| name.contains(word))
}

/// What follows `://` of each URL.
fn urls(text: &str) -> Vec<Range<usize>> {
    words(text.match_indices("://").map(|(at, _)| at + 3), text, |c| c.is_whitespace() || matches!(c, '"' | '\'' | '`'))
}

/// From each start to where its word ends; starts within a word that began before are a part of it.
fn words(starts: impl Iterator<Item = usize>, text: &str, ends: impl Fn(char) -> bool) -> Vec<Range<usize>> {
    let mut words: Vec<Range<usize>> = Vec::new();
    for at in starts {
        if words.last().is_none_or(|last| at >= last.end) {
            words.push(at..text[at..].find(&ends).map_or(text.len(), |len| at + len));
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_masked_and_file_names_are_not() {
        for (text, masked) in [
            ("bot-token: xoxb-1-abc\n", "bot-token:***********\n"),
            ("bot-token-file: /run/x\n", "bot-token-file: /run/x\n"),
            ("slack: { bot-token: 'a b', x: 1 }\n", "slack: { bot-token:**************\n"),
            ("password: |\n  line\n  two\nnext: 1\n", "password:**\n  ****\n  ***\nnext: 1\n"),
            ("note: xapp-7\n", "note: ******\n"),
            ("url: https://ada:pw@host/\n", "url: https://******@host/\n"),
            ("\"api_key\": hush", "\"api_key\":*****"),
            ("# “token: hush", "# “token:*****"),
            ("token: ä", "token:***"),
            ("a: xoxb-1-xapp-2,xoxb-3 b", "a: *************,****** b"),
            ("http://a,https://u:p@h c://d", "http://*************@h c://d"),
            ("{ Authorization: 'Bearer hush' }", "{ Authorization:****************"),
            ("  Set-Cookie: hush\n  x: 1", "  Set-Cookie:*****\n  x: 1"),
            ("proxy_authorization: |\n  hush", "proxy_authorization:**\n  ****"),
            ("bearer-token-file: /run/x", "bearer-token-file: /run/x"),
            ("{ X-Mine: 'Bearer hush hush', y: 1 }", "{ X-Mine: 'Bearer *********', y: 1 }"),
            ("title: Bearers of cards", "title: Bearers of cards"),
            ("url: http://h/x?token=hush&page=2#y", "url: http://h/x?token=****&page=2#y"),
            ("`http://h/?sig=hush;x=1` is", "`http://h/?sig=****;x=1` is"),
            ("http://h/x?hush", "http://h/x?****"),
            ("https://h/x#how-to?", "https://h/x#how-to?"),
            ("team: ghp_hush, glsa_hush", "team: ********, *********"),
            ("highs_total", "highs_total"),
        ] {
            assert_eq!(mask(text), masked);
            assert_eq!(mask(text).len(), text.len());
        }
    }

    #[test]
    fn a_text_of_beginnings_alone_takes_no_longer_than_another() {
        for begin in ["xoxb-", "://", "xapp-1://@", "token:", "'token' : ", ": Bearer ", "glpat-", "://?token=&"] {
            let text = begin.repeat(200_000);
            assert_eq!(mask(&text).len(), text.len(), "{begin}");
        }
    }

    proptest::proptest! {
        #[test]
        fn masking_keeps_every_byte_where_it_was(text in "[a-zä–:@/ \n'\\-]{0,60}|([ä–“ {'a-z]{0,3}token[ '\"]?: .{0,20}\n){0,4}") {
            let masked = mask(&text);
            proptest::prop_assert_eq!(masked.len(), text.len());
            proptest::prop_assert_eq!(masked.matches('\n').count(), text.matches('\n').count());
        }
    }
}
