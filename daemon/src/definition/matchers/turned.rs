//! Sides of the events whose matchers take what the other side is: successes that are counted as bad, failures as good.

use burnward_core::sli::{CompiledSelector, Counted, Dialect, Labels, MatchOp, Matcher, Selector};

use super::{is_of_http, is_plain};

/// What shows a side to be the other one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::definition) struct Turned {
    /// The matcher that says so.
    pub(in crate::definition) matcher: Matcher,
    /// A value of its label that it takes.
    pub(in crate::definition) taken: String,
    /// One of the other kind, none of which it takes.
    pub(in crate::definition) left: &'static str,
    /// What would take that.
    pub(in crate::definition) instead: Matcher,
}

/// So many selectors of a side are looked at.
const MOST_SELECTORS: usize = 8;

/// Labels that hold codes of gRPC by their names.
const OF_GRPC: [&str; 5] = ["grpc_code", "grpc_status", "grpc_status_code", "rpc_grpc_status_code", "rpc_response_status_code"];

/// Codes of gRPC for which the server is at fault.
const FAULTS: [&str; 6] = ["Internal", "Unavailable", "DataLoss", "Unknown", "DeadlineExceeded", "Unimplemented"];

/// The first selector of a side that takes codes of the other side, and none of its own.
pub(in crate::definition) fn turned(side: &Counted<&[Selector]>) -> Option<Turned> {
    let (selectors, bad) = match side {
        Counted::Bad(selectors) => (selectors, true),
        Counted::Good(selectors) => (selectors, false),
    };
    selectors.iter().take(MOST_SELECTORS).find_map(|selector| {
        let by_label = selector.matchers().chunk_by(|left, right| left.label == right.label);
        by_label.into_iter().find_map(|matchers| of_http(matchers, bad).or_else(|| of_grpc(matchers, bad)))
    })
}

fn of_http(matchers: &[Matcher], bad: bool) -> Option<Turned> {
    let first = matchers.first().filter(|first| is_of_http(&first.label))?;
    let (well, failed): (Vec<String>, Vec<String>) =
        ((200..300).map(|code: u16| code.to_string()).collect(), (500..600).map(|code: u16| code.to_string()).collect());
    let (own, other, left, pattern) = if bad { (failed, well, "500", "5..") } else { (well, failed, "200", "2..") };
    let taken = turned_round(matchers, &own, &other)?;
    Some(Turned {
        matcher: first.clone(),
        taken,
        left,
        instead: Matcher { op: MatchOp::Regex, value: pattern.to_owned(), ..first.clone() },
    })
}

fn of_grpc(matchers: &[Matcher], bad: bool) -> Option<Turned> {
    let first =
        matchers.first().filter(|first| is_of_http(&first.label) || OF_GRPC.contains(&first.label.to_ascii_lowercase().as_str()))?;
    let (well, failed) = (vec!["OK".to_owned()], FAULTS.map(ToOwned::to_owned).to_vec());
    let (own, other, left, op) = if bad { (failed, well, "Internal", MatchOp::NotEqual) } else { (well, failed, "OK", MatchOp::Equal) };
    let taken = turned_round(matchers, &own, &other)?;
    Some(Turned { matcher: first.clone(), taken, left, instead: Matcher { op, value: "OK".to_owned(), ..first.clone() } })
}

/// A value of the other side that matchers take, where they take none of their own.
fn turned_round(matchers: &[Matcher], own: &[String], other: &[String]) -> Option<String> {
    let plain = |matcher: &Matcher| !matches!(matcher.op, MatchOp::Regex | MatchOp::NotRegex) || is_plain(&matcher.value);
    let label = matchers.first().filter(|_| matchers.iter().all(plain))?.label.as_str();
    let compiled = CompiledSelector::new(&Selector::new("", matchers.to_vec()), Dialect::default());
    let takes = |value: &&String| compiled.matches(&Labels::new([(label, value.as_str())]));
    let taken = other.iter().find(takes).filter(|_| compiled.local())?;
    (!own.iter().any(|value| takes(&value))).then(|| taken.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definition::selector;

    fn shown(side: &str, text: &str) -> Option<String> {
        let selectors = [selector::parse(text).expect(text)];
        let side = if side == "bad" { Counted::Bad(&selectors[..]) } else { Counted::Good(&selectors[..]) };
        turned(&side).map(|Turned { matcher, taken, left, instead }| format!("{matcher} {taken} {left} {instead}"))
    }

    #[test]
    fn a_side_that_takes_the_codes_of_the_other_is_found() {
        for (side, text, expected) in [
            ("bad", "x{code=~\"2..\"}", "code=~\"2..\" 200 500 code=~\"5..\""),
            ("bad", "x{job=\"a\",status=\"200\"}", "status=\"200\" 200 500 status=~\"5..\""),
            ("bad", "x{http_status!~\"5..\"}", "http_status!~\"5..\" 200 500 http_status=~\"5..\""),
            ("bad", "x{grpc_code=\"OK\"}", "grpc_code=\"OK\" OK Internal grpc_code!=\"OK\""),
            ("bad", "x{code=\"OK\"}", "code=\"OK\" OK Internal code!=\"OK\""),
            ("good", "x{code=~\"5..\"}", "code=~\"5..\" 500 200 code=~\"2..\""),
            ("good", "x{status_code=~\"503|504\"}", "status_code=~\"503|504\" 503 200 status_code=~\"2..\""),
            ("good", "x{code!~\"2..\"}", "code!~\"2..\" 500 200 code=~\"2..\""),
            ("good", "x{grpc_code!=\"OK\"}", "grpc_code!=\"OK\" Internal OK grpc_code=\"OK\""),
        ] {
            assert_eq!(shown(side, text).as_deref(), Some(expected), "{side}: {text}");
        }
    }

    #[test]
    fn a_side_that_may_be_meant_is_left_alone() {
        for (side, text) in [
            ("bad", "x{code=~\"5..\"}"),
            ("bad", "x{code=~\"4..|5..\"}"),
            ("bad", "x{code!~\"2..\"}"),
            ("bad", "x{code!~\"2..|4..\"}"),
            ("bad", "x{code=~\"4..\"}"),
            ("bad", "x{code!=\"500\"}"),
            ("bad", "x{status=\"error\"}"),
            ("bad", "x{status!=\"success\"}"),
            ("bad", "x{grpc_code!=\"OK\"}"),
            ("bad", "x{handler=~\"2..\"}"),
            ("bad", "x{code=~\"2..\",code!~\"2..\"}"),
            ("bad", "x{grpc_code=~\"OK|Internal\"}"),
            ("good", "x{code=~\"2..\"}"),
            ("good", "x{code=~\"4..\"}"),
            ("good", "x{code!~\"5..\"}"),
            ("good", "x{code=~\"[25]..\"}"),
            ("good", "x{grpc_code=\"OK\"}"),
            ("good", "x{grpc_code=\"NotFound\"}"),
            ("good", "x"),
        ] {
            assert_eq!(shown(side, text), None, "{side}: {text}");
        }
    }
}
