//! What common client libraries and frameworks write into the label that tells how an event ended.
//!
//! HTTP: 5xx is the server's fault; 4xx is the client's and counts as good. gRPC: the codes that OpenTelemetry's conventions call errors of a server
//! span, Unknown, DeadlineExceeded, Unimplemented, Internal, Unavailable and DataLoss. Words: `success` and `failure` and what else is usual.

use std::collections::BTreeSet;

use burnward_core::sli::{MatchOp, Matcher};

use super::family::Family;

/// Labels whose values are codes of HTTP or gRPC, the usual ones first.
const CODES: [&str; 15] = [
    "code",
    "status",
    "status_code",
    "http_status_code",
    "http_response_status_code",
    "http_status",
    "http_code",
    "response_code",
    "envoy_response_code",
    "envoy_response_code_class",
    "status_class",
    "grpc_code",
    "grpc_status",
    "grpc_response_status",
    "rpc_grpc_status_code",
];

/// Labels whose values are words.
const OUTCOMES: [&str; 6] = ["outcome", "result", "status", "state", "success", "error"];

/// Codes of gRPC, and whether the server is at fault.
const GRPC: [(&str, bool); 17] = [
    ("OK", false),
    ("Canceled", false),
    ("Unknown", true),
    ("InvalidArgument", false),
    ("DeadlineExceeded", true),
    ("NotFound", false),
    ("AlreadyExists", false),
    ("PermissionDenied", false),
    ("ResourceExhausted", false),
    ("FailedPrecondition", false),
    ("Aborted", false),
    ("OutOfRange", false),
    ("Unimplemented", true),
    ("Internal", true),
    ("Unavailable", true),
    ("DataLoss", true),
    ("Unauthenticated", false),
];

/// Words for what went well; `true` of a label `success`, `false` of a label `error` beside them.
const GOOD_WORDS: [&str; 9] = ["success", "succeeded", "successful", "ok", "completed", "complete", "delivered", "passed", "served"];
/// Words for what failed.
const BAD_WORDS: [&str; 14] = [
    "error",
    "errors",
    "errored",
    "failure",
    "failed",
    "fail",
    "exception",
    "server_error",
    "timeout",
    "timed_out",
    "internal_error",
    "panic",
    "crashed",
    "unavailable",
];

/// How bad events are told from others by a label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Convention {
    /// What bad events have.
    pub(super) bad: Matcher,
    /// What that means, for people.
    pub(super) meaning: &'static str,
    /// Values that were seen and are bad.
    pub(super) seen_bad: Vec<String>,
    /// Values that were seen, count as good, and may not be.
    pub(super) doubtful: Vec<String>,
}

/// The label of a family by which bad events are told, by the first convention that its values keep.
pub(super) fn of(family: &Family) -> Option<Convention> {
    let values = |label: &'static str| family.labels.get(label).map(|values| (label, values));
    let by_code = CODES.into_iter().filter_map(values).find_map(|(label, values)| http(label, values).or_else(|| grpc(label, values)));
    by_code.or_else(|| OUTCOMES.into_iter().filter_map(values).find_map(|(label, values)| words(label, values)))
}

/// Whether the values of a label may tell how events ended.
pub(super) fn is_telling(label: &str) -> bool {
    CODES.contains(&label) || OUTCOMES.contains(&label)
}

fn matcher(label: &str, op: MatchOp, value: impl Into<String>) -> Matcher {
    Matcher { label: label.to_owned(), op, value: value.into() }
}

/// Status codes of HTTP, `200`, or their classes, `2xx` or `2`.
fn http(label: &str, values: &BTreeSet<String>) -> Option<Convention> {
    let is_code = |value: &&String| {
        let class = value.starts_with(['1', '2', '3', '4', '5']);
        let rest = value.get(1..).unwrap_or_default();
        class && (rest.is_empty() || rest.eq_ignore_ascii_case("xx") || (rest.len() == 2 && rest.bytes().all(|b| b.is_ascii_digit())))
    };
    let (codes, others): (Vec<&String>, Vec<&String>) = values.iter().partition(is_code);
    // What had no answer is often told as 0 or in a word.
    if codes.is_empty() || codes.len() < others.len() {
        return None;
    }
    let classes = codes.iter().all(|code| code.len() == 1);
    if classes && !label.contains("class") {
        return None;
    }
    let bad = if classes { matcher(label, MatchOp::Equal, "5") } else { matcher(label, MatchOp::Regex, "5..") };
    let seen_bad = codes.iter().filter(|code| code.starts_with('5')).map(|code| (*code).clone()).collect();
    let doubtful = others.into_iter().filter(|other| !other.is_empty()).cloned().collect();
    Some(Convention { bad, meaning: "answers with a status of 5xx", seen_bad, doubtful })
}

/// Codes of gRPC as words, in the writing of Go or of Java, or as numbers.
fn grpc(label: &str, values: &BTreeSet<String>) -> Option<Convention> {
    let plain = |text: &str| text.replace('_', "").to_ascii_lowercase();
    let number = |place: usize| place.to_string();
    let place = |value: &str| GRPC.iter().position(|(name, _)| plain(name) == plain(value));
    let numbered = |value: &str| (0..GRPC.len()).find(|place| number(*place) == value);
    let all = |known: &dyn Fn(&str) -> Option<usize>| !values.is_empty() && values.iter().all(|value| known(value).is_some());
    let bad_places = || GRPC.iter().enumerate().filter(|(_, (_, bad))| *bad);
    let meaning = "calls that end in a code for which the server is at fault";
    let in_numbers = label.contains("grpc") && all(&numbered);
    if !in_numbers && !all(&place) {
        return None;
    }
    let shouts = values.iter().any(|value| value.len() > 2 && *value == value.to_ascii_uppercase());
    let written = |(place, (name, _)): (usize, &(&str, bool))| match (in_numbers, shouts) {
        (true, _) => number(place),
        (false, true) => shouting(name),
        (false, false) => (*name).to_owned(),
    };
    let pattern: Vec<String> = bad_places().map(written).collect();
    let found = |value: &str| if in_numbers { numbered(value) } else { place(value) };
    let is_bad = |value: &&String| found(value).is_some_and(|place| GRPC[place].1);
    let seen_bad = values.iter().filter(is_bad).cloned().collect();
    Some(Convention { bad: matcher(label, MatchOp::Regex, pattern.join("|")), meaning, seen_bad, doubtful: Vec::new() })
}

/// `DEADLINE_EXCEEDED`
fn shouting(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.push(c.to_ascii_uppercase());
    }
    out
}

/// Words such as `success` and `failed`. Where none of those for failures was seen, everything but success is bad: nobody knows what else it is called.
fn words(label: &str, values: &BTreeSet<String>) -> Option<Convention> {
    let plain = |text: &str| text.replace(['-', ' '], "_").to_ascii_lowercase();
    let truth = |value: &str, word: &str| matches!(label, "success" | "error") && plain(value) == word;
    let (good_truth, bad_truth) = if label == "error" { ("false", "true") } else { ("true", "false") };
    let is_good = |value: &str| GOOD_WORDS.contains(&plain(value).as_str()) || truth(value, good_truth);
    let is_bad = |value: &str| BAD_WORDS.contains(&plain(value).as_str()) || truth(value, bad_truth);
    let seen_bad: Vec<String> = values.iter().filter(|value| is_bad(value)).cloned().collect();
    let seen_good: Vec<String> = values.iter().filter(|value| is_good(value)).cloned().collect();
    let (bad, doubtful) = match (seen_bad.as_slice(), seen_good.as_slice()) {
        ([], []) => return None,
        ([], good) => (one_of(label, good, MatchOp::NotEqual, MatchOp::NotRegex), Vec::new()),
        (bad, _) => {
            let doubtful = values.iter().filter(|value| !value.is_empty() && !is_good(value) && !is_bad(value)).cloned().collect();
            (one_of(label, bad, MatchOp::Equal, MatchOp::Regex), doubtful)
        }
    };
    Some(Convention { bad, meaning: "events that are said to have failed", seen_bad, doubtful })
}

/// A matcher of one value, or of several.
fn one_of(label: &str, values: &[String], of_one: MatchOp, of_several: MatchOp) -> Matcher {
    match values {
        [one] => matcher(label, of_one, one),
        several => matcher(label, of_several, several.iter().map(|value| regex_syntax::escape(value)).collect::<Vec<_>>().join("|")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(label: &str, values: &[&str]) -> Option<(String, String, String)> {
        let values = values.iter().map(|value| (*value).to_owned()).collect();
        let family = Family { labels: [(label.to_owned(), values)].into(), ..Family::named("x_total") };
        of(&family).map(|found| (found.bad.to_string(), found.seen_bad.join(" "), found.doubtful.join(" ")))
    }

    fn found(bad: &str, seen: &str, doubtful: &str) -> (String, String, String) {
        (bad.to_owned(), seen.to_owned(), doubtful.to_owned())
    }

    #[test]
    fn status_codes_of_http_are_bad_from_500_on_as_codes_and_as_classes() {
        assert_eq!(check("code", &["200", "404", "500", "503"]), Some(found(r#"code=~"5..""#, "500 503", "")));
        assert_eq!(check("status", &["200", "204"]), Some(found(r#"status=~"5..""#, "", "")));
        assert_eq!(check("code", &["2xx", "5xx"]), Some(found(r#"code=~"5..""#, "5xx", "")));
        assert_eq!(check("envoy_response_code_class", &["2", "4", "5"]), Some(found(r#"envoy_response_code_class="5""#, "5", "")));
        assert_eq!(check("code", &["200", "500", "unknown"]), Some(found(r#"code=~"5..""#, "500", "unknown")));
    }

    #[test]
    fn codes_of_grpc_are_read_as_words_in_both_writings_and_as_numbers() {
        let go = r#"grpc_code=~"Unknown|DeadlineExceeded|Unimplemented|Internal|Unavailable|DataLoss""#;
        assert_eq!(check("grpc_code", &["OK", "NotFound", "Internal"]), Some(found(go, "Internal", "")));
        assert_eq!(check("grpc_code", &["OK"]), Some(found(go, "", "")));
        let java = r#"code=~"UNKNOWN|DEADLINE_EXCEEDED|UNIMPLEMENTED|INTERNAL|UNAVAILABLE|DATA_LOSS""#;
        assert_eq!(check("code", &["OK", "UNAVAILABLE"]), Some(found(java, "UNAVAILABLE", "")));
        assert_eq!(check("rpc_grpc_status_code", &["0", "14"]), Some(found(r#"rpc_grpc_status_code=~"2|4|12|13|14|15""#, "14", "")));
    }

    #[test]
    fn words_are_taken_as_seen_and_what_nobody_knows_counts_as_good_and_is_told() {
        assert_eq!(
            check("outcome", &["SUCCESS", "SERVER_ERROR", "CLIENT_ERROR"]),
            Some(found(r#"outcome="SERVER_ERROR""#, "SERVER_ERROR", "CLIENT_ERROR"))
        );
        assert_eq!(check("result", &["success", "failed", "timeout"]), Some(found(r#"result=~"failed|timeout""#, "failed timeout", "")));
        assert_eq!(check("success", &["true", "false"]), Some(found(r#"success="false""#, "false", "")));
        assert_eq!(check("error", &["true", "false"]), Some(found(r#"error="true""#, "true", "")));
    }

    #[test]
    fn without_a_failure_everything_but_success_is_bad() {
        assert_eq!(check("result", &["success"]), Some(found(r#"result!="success""#, "", "")));
        assert_eq!(check("status", &["completed", "ok"]), Some(found(r#"status!~"completed|ok""#, "", "")));
    }

    #[test]
    fn what_keeps_no_convention_tells_nothing() {
        for (label, values) in
            [("code", &["a", "b"][..]), ("status", &["1", "2"]), ("state", &["idle", "busy"]), ("job", &["500"]), ("code", &[])]
        {
            assert_eq!(check(label, values), None, "{label} {values:?}");
        }
    }
}
