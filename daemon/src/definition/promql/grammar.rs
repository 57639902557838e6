//! The place of a mistake of grammar: where an operand or an operator is missing. The parser has said before that there is one.

use super::{
    Finding,
    scan::{JOINING, Kind, Scanned, Token},
};
use crate::definition::{codes, reader::shortened};

/// Words that are followed by a list of labels or values in parentheses.
const LISTS: [&str; 9] = ["by", "without", "on", "ignoring", "group_left", "group_right", "fill", "fill_left", "fill_right"];

/// The first place where an operand or an operator is missing.
pub(super) fn mistake(scanned: &Scanned<'_>) -> Option<Finding> {
    let mut walk = Walk { scanned, at: 0, before: Before::Nothing };
    while let Some(token) = scanned.tokens.get(walk.at) {
        if let Some((message, help)) = walk.step(token) {
            return Some(Finding::new(&codes::PROMQL, message, help).at(token.range.clone()));
        }
    }
    let last = scanned.tokens.last()?;
    (!walk.before.is_operand()).then(|| {
        let message = format!("something is missing after `{}`", shortened(scanned.of(last)));
        Finding::new(&codes::PROMQL, message, "write what stands on its right side").at(last.range.clone())
    })
}

/// What was read last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Before {
    Nothing,
    Operator,
    /// `(` of a call, which may be empty.
    Call,
    /// A name, which may be called, matched or ranged over.
    Name,
    Operand,
}

impl Before {
    fn is_operand(self) -> bool {
        matches!(self, Self::Name | Self::Operand)
    }
}

struct Walk<'s> {
    scanned: &'s Scanned<'s>,
    at: usize,
    before: Before,
}

type Mistake = Option<(String, &'static str)>;

impl Walk<'_> {
    /// Reads one token, with the brackets that belong to it.
    fn step(&mut self, token: &Token) -> Mistake {
        self.at += 1;
        let text = self.scanned.of(token);
        match token.kind {
            Kind::Word => self.word(text),
            Kind::Number | Kind::Text | Kind::Other => self.operand(text, Before::Operand),
            Kind::Open('(') => self.parenthesis(),
            Kind::Open('[') => self.range(),
            Kind::Open(_) => self.braces(),
            Kind::Close(_) => self.close(),
            Kind::Comma => self.comma(),
            Kind::Operator => self.operator(text),
        }
    }

    fn word(&mut self, word: &str) -> Mistake {
        if LISTS.contains(&word) {
            self.skip_list();
            return None;
        }
        match word {
            "bool" if self.before == Before::Operator => None,
            "offset" if self.before.is_operand() => {
                self.skip_amount();
                None
            }
            word if JOINING.contains(&word) => self.operator(word),
            word => self.operand(word, Before::Name),
        }
    }

    fn operand(&mut self, text: &str, becomes: Before) -> Mistake {
        let missing = self.before.is_operand();
        self.before = becomes;
        missing.then(|| {
            (format!("an operator is missing before `{}`", shortened(text)), "write it, such as + or /, or remove what is too much")
        })
    }

    fn operator(&mut self, sign: &str) -> Mistake {
        if sign == "@" {
            let missing = !self.before.is_operand();
            self.skip_amount();
            return missing.then(|| ("something is missing before `@`".to_owned(), "write what stands on its left side"));
        }
        let missing = !self.before.is_operand() && !matches!(sign, "+" | "-");
        self.before = Before::Operator;
        match sign {
            "=" => Some(("`=` stands within braces only".to_owned(), "write `==` to compare values")),
            "=~" | "!~" => Some((format!("`{sign}` stands within braces only"), "match labels as in up{job=~\"a|b\"}")),
            "~" | "!" => Some((format!("`{sign}` is no operator"), "write `!=` to compare values")),
            _ => missing.then(|| (format!("something is missing before `{sign}`"), "write what stands on its left side")),
        }
    }

    fn parenthesis(&mut self) -> Mistake {
        match self.before {
            Before::Name => {
                self.before = Before::Call;
                None
            }
            Before::Operand => Some(("an operator is missing before `(`".to_owned(), "write it, such as + or /")),
            Before::Nothing | Before::Operator | Before::Call => {
                self.before = Before::Nothing;
                None
            }
        }
    }

    fn close(&mut self) -> Mistake {
        let missing = matches!(self.before, Before::Nothing | Before::Operator);
        self.before = Before::Operand;
        missing.then(|| ("something is missing before `)`".to_owned(), "write it, or remove what stands before"))
    }

    fn comma(&mut self) -> Mistake {
        let missing = !self.before.is_operand();
        self.before = Before::Nothing;
        missing.then(|| ("something is missing before `,`".to_owned(), "remove the comma, or write what stands before"))
    }

    /// `[5m]`, `[1h:5m]`.
    fn range(&mut self) -> Mistake {
        let begins = self.scanned.tokens.get(self.at).map(|token| (token.kind, self.scanned.of(token)));
        let lonely = !self.before.is_operand();
        self.skip_to_close();
        self.before = Before::Operand;
        if lonely {
            return Some(("a range stands behind a selector or an expression".to_owned(), "write what it is a range of, as in up[5m]"));
        }
        match begins {
            Some((Kind::Number | Kind::Open('('), _) | (Kind::Word, "step" | "range" | "min" | "max")) => None,
            Some(_) | None => Some(("a range is a duration".to_owned(), "write one, such as [5m]")),
        }
    }

    /// `{job="x"}` behind a name or alone.
    fn braces(&mut self) -> Mistake {
        let missing = self.before == Before::Operand;
        self.skip_to_close();
        self.before = Before::Operand;
        missing.then(|| ("an operator is missing before `{`".to_owned(), "matchers stand behind a metric's name alone"))
    }

    fn skip_to_close(&mut self) {
        let mut depth = 1;
        while let Some(token) = self.scanned.tokens.get(self.at).filter(|_| depth > 0) {
            self.at += 1;
            match token.kind {
                Kind::Open(_) => depth += 1,
                Kind::Close(_) => depth -= 1,
                Kind::Word | Kind::Number | Kind::Text | Kind::Comma | Kind::Operator | Kind::Other => {}
            }
        }
    }

    fn skip_list(&mut self) {
        if self.scanned.tokens.get(self.at).is_some_and(|token| token.kind == Kind::Open('(')) {
            self.at += 1;
            self.skip_to_close();
        }
    }

    /// `5m`, `-5m`, `1700000000`, `end()`, `(5m + 1m)`.
    fn skip_amount(&mut self) {
        while self.scanned.tokens.get(self.at).is_some_and(|token| self.scanned.of(token) == "-") {
            self.at += 1;
        }
        if self.scanned.tokens.get(self.at).is_some_and(|token| token.kind != Kind::Open('(')) {
            self.at += 1;
        }
        self.skip_list();
    }
}
