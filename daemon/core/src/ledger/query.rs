//! What is asked of a source: raw samples or native histograms of a selector, or the values of an expression at the edges of a step.

use std::{fmt, time::Duration};

use crate::{
    sli::{Expression, Selector},
    words,
};

/// One question, which many SLOs may share.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Query {
    /// Raw samples with their own timestamps.
    Raw(Selector),
    /// Native histograms with their own timestamps.
    Histograms(Selector),
    /// The values of an expression at every multiple of `step`.
    Stepped {
        /// The expression.
        expression: Expression,
        /// The spacing of the instants.
        step: Duration,
    },
}

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Raw(selector) | Self::Histograms(selector) => selector.fmt(f),
            Self::Stepped { expression, step } => write!(f, "{expression} every {}", words::lookback(*step)),
        }
    }
}
