//! Expressions of a source's query language, and the comparison that tells good values from bad ones.

use std::{fmt, sync::Arc};

/// A PromQL expression as it is sent. It was checked when its definition was loaded; equal texts are equal questions.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Expression(Arc<str>);

impl Expression {
    /// An expression that was checked.
    pub fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How a value must stand to a threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    Greater,
    /// `>=`
    AtLeast,
    /// `==`
    Equal,
    /// `!=`
    Different,
}

impl Comparison {
    /// All of them, in the order in which they are named to people.
    pub const ALL: [Self; 6] = [Self::AtMost, Self::Less, Self::AtLeast, Self::Greater, Self::Equal, Self::Different];

    /// The sign, as PromQL has it.
    pub const fn sign(self) -> &'static str {
        match self {
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::Greater => ">",
            Self::AtLeast => ">=",
            Self::Equal => "==",
            Self::Different => "!=",
        }
    }

    /// The comparison with this sign.
    pub fn parse(sign: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|comparison| comparison.sign() == sign)
    }

    /// Whether it holds. Infinities compare as numbers do; nothing holds for what is not a number.
    pub fn holds(self, value: f64, threshold: f64) -> bool {
        let Some(order) = value.partial_cmp(&threshold) else { return false };
        match self {
            Self::Less => order.is_lt(),
            Self::AtMost => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::AtLeast => order.is_ge(),
            Self::Equal => order.is_eq(),
            Self::Different => order.is_ne(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_comparison_holds_where_its_sign_says_and_never_for_what_is_no_number() {
        for (sign, below, equal, above) in [
            ("<", true, false, false),
            ("<=", true, true, false),
            (">", false, false, true),
            (">=", false, true, true),
            ("==", false, true, false),
            ("!=", true, false, true),
        ] {
            let comparison = Comparison::parse(sign).expect("a sign");
            for (value, expected) in [(f64::NEG_INFINITY, below), (1.0, below), (2.0, equal), (3.0, above), (f64::INFINITY, above)] {
                assert_eq!(comparison.holds(value, 2.0), expected, "{value} {sign} 2");
            }
            assert!(!comparison.holds(f64::NAN, 2.0), "NaN {sign} 2");
        }
        assert_eq!(Comparison::parse("=<"), None);
    }
}
