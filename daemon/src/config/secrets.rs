//! Secrets do not belong into burnward.yaml. Where one stands there all the same, it is neither used nor shown: diagnostics quote the file, so the file is
//! masked before anything can quote it.

use std::ops::Range;

use crate::definition::Diagnostic;

/// Words that make a key a secret's.
const SECRET_WORDS: [&str; 7] = ["token", "secret", "password", "passwd", "api-key", "apikey", "credential"];
/// How Slack's tokens start; they are masked wherever they stand.
const TOKEN_PREFIXES: [&str; 5] = ["xoxb-", "xapp-", "xoxp-", "xoxe-", "xoxe."];

/// True for a key that would hold a secret itself: `bot-token`, but not `bot-token-file`.
pub(crate) fn is_secret_key(key: &str) -> bool {
    let key = key.to_ascii_lowercase().replace('_', "-");
    !key.ends_with("-file") && SECRET_WORDS.iter().any(|word| key.contains(word))
}

/// True for a text that is a token itself, such as one that was written where the name of its file belongs.
pub(super) fn is_token(text: &str) -> bool {
    TOKEN_PREFIXES.iter().any(|prefix| text.trim_start().starts_with(prefix))
}

/// The text as it may be shown: every value of a secret's key, every token of Slack's and every password in a URL is replaced by as many
/// asterisks, so that places stay where they are.
pub(crate) fn mask(text: &str) -> String {
    starred(text, values(text).into_iter().chain(tokens(text)).chain(passwords(text)))
}

/// A diagnostic, whose words may quote the file, with every token of Slack's replaced in them.
pub(crate) fn without_tokens(mut fault: Diagnostic) -> Diagnostic {
    let mask_tokens = |words: &str| starred(words, tokens(words).into_iter());
    fault.message = mask_tokens(&fault.message);
    fault.help.iter_mut().for_each(|help| *help = mask_tokens(help));
    fault
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
        is_secret_key(word)
    })
}

/// Each token once, and no byte looked at for two of them: a text of nothing but beginnings takes no longer than another.
fn tokens(text: &str) -> Vec<Range<usize>> {
    let ends = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`' | ',' | '}' | ']');
    let begins = |at: usize| TOKEN_PREFIXES.iter().any(|prefix| text[at..].starts_with(prefix));
    words(text.match_indices('x').map(|(at, _)| at).filter(|at| begins(*at)), text, ends)
}

/// What stands between `://` and `@` of a URL.
fn passwords(text: &str) -> Vec<Range<usize>> {
    let urls = words(text.match_indices("://").map(|(at, _)| at + 3), text, |c| c.is_whitespace() || matches!(c, '"' | '\''));
    urls.into_iter().filter_map(|url| text[url.clone()].rfind('@').map(|len| url.start..url.start + len)).collect()
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
        ] {
            assert_eq!(mask(text), masked);
            assert_eq!(mask(text).len(), text.len());
        }
    }

    #[test]
    fn a_text_of_beginnings_alone_takes_no_longer_than_another() {
        for begin in ["xoxb-", "://", "xapp-1://@", "token:", "'token' : "] {
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
