//! Damaged foreign documents: whatever is in a file, the conversion ends, and what comes out loads.

use proptest::prelude::*;

use super::{convert, loaded, openslo, pyrra, rules, sloth};

/// What is put in the place of a stretch of a line.
const PIECES: [&str; 24] = [
    "",
    " ",
    "{",
    "}",
    "[",
    "]",
    "'",
    "\"",
    "~",
    "0",
    "-1",
    "1e400",
    "99999999999999999999",
    "5m",
    "1M",
    "{{.window}}",
    "{{",
    "sum(",
    "/",
    " or vector(0)",
    "'a{le=\"nan\"}'",
    "&a",
    "*a",
    "\u{e9}",
];

fn damaged(text: &str, cuts: &[(usize, usize, usize)]) -> String {
    let mut lines: Vec<String> = text.lines().map(ToOwned::to_owned).collect();
    for (line, at, piece) in cuts {
        let line = line % lines.len();
        let chars: Vec<char> = lines[line].chars().collect();
        let from = at % (chars.len() + 1);
        let to = (from + at / 7 % 9).min(chars.len());
        lines[line] = chars[..from].iter().collect::<String>() + PIECES[piece % PIECES.len()] + &chars[to..].iter().collect::<String>();
        if at % 11 == 0 {
            lines.remove(line);
        }
        if lines.is_empty() {
            lines.push(String::new());
        }
    }
    lines.join("\n")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn damaged_documents_never_panic_and_what_comes_out_loads(
        which in 0_usize..6,
        cuts in prop::collection::vec((0_usize..400, 0_usize..200, 0_usize..24), 1..5),
    ) {
        let text = [sloth::FILE, openslo::SLO, pyrra::RATIO, rules::SLOTH, rules::PYRRA, rules::BY_HAND][which];
        loaded(&convert(&[("damaged.yaml", &damaged(text, &cuts))]));
    }
}
