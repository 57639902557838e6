//! What a text of another kind is told: words of other tools, sides of a merge conflict, tabs, expressions where a selector is wanted.

use super::{GOOD, codes, diagnostics, rendered};

/// What is said of the good document with this in the place of that, without the advice that every document gets.
fn said(replaced: &str, by: &str) -> String {
    let text = GOOD.replacen(replaced, by, 1);
    assert_ne!(text, GOOD, "{replaced}");
    let faults: Vec<_> = diagnostics(&text).into_iter().filter(|fault| fault.code.id != "W2010").collect();
    rendered(&faults)
}

#[test]
fn a_merge_conflict_is_one_error_that_names_its_marks() {
    insta::assert_snapshot!(said("team: payments\n", "<<<<<<< HEAD\nteam: payments\n||||||| base\n=======\nteam: shop\n>>>>>>> theirs\n"));
    let several = "<<<<<<< HEAD\nteam: payments\n=======\nteam: shop\n>>>>>>> theirs\n";
    assert!(said("team: payments\n", &several.repeat(3)).contains("(<<<<<<<, =======, >>>>>>>), and 2 more below"));
    assert_eq!(codes(&GOOD.replace("version:", "# <<<<<<< HEAD\n# =======\n# >>>>>>> theirs\nversion:")), [""; 0], "a comment is none");
}

#[test]
fn tabs_are_told_once() {
    insta::assert_snapshot!(said("      events:\n        bad", "\t events:\n\t\tbad"));
    assert_eq!(codes(&GOOD.replace("      - target", "\t- target")), ["E1003"]);
}

#[test]
fn words_of_other_tools_are_told_what_they_are_called_here() {
    let document = "description: pays\nobjective: 99.9\ntarget: 99.9\nsli: x\nowner: shop\nteam: payments";
    let slo = "description: pays\n    objective: 99.9\n    target: 99.9\n    indicator: x\n    team: shop\n    labels: {}\n    sli:";
    insta::assert_snapshot!(
        [
            said("team: payments", document),
            said("sli:", slo),
            said("bad:", "error_query:"),
            said("total:", "total_query:"),
            said("events:", "ratio:"),
            said("target: 99.9%", "objective: 99.9%"),
        ]
        .join("\n\n~~~\n\n")
    );
}

#[test]
fn what_is_misspelt_is_not_told_to_be_missing() {
    let all = |before: &str| -> Vec<&str> {
        let text = GOOD.replacen("    sli:", &format!("    {before}\n    sli:"), 1);
        diagnostics(&text).iter().map(|fault| fault.code.id).collect()
    };
    assert_eq!(all("title: Checkout"), ["W2010"]);
    assert_eq!(all("runbok: checkout.md"), ["E1006"]);
    assert_eq!(all("staus: shadow"), ["E1006"]);
    assert_eq!(all("titel: Checkout"), ["W2010", "E1006"]);
    assert_eq!(codes(&GOOD.replace("team:", "owner:")), ["E1006"]);
    assert_eq!(codes(&GOOD.replace("team:", "taem:")), ["E1006"]);
}

#[test]
fn an_expression_that_hides_gaps_is_told_both_in_a_selector() {
    let selector = "'http_requests_total{job=\"checkout\", code=~\"5..\"}'";
    insta::assert_snapshot!(
        [
            said(selector, "'http_errors_total or vector(0)'"),
            said(selector, "'sum(rate(http_errors_total[5m])) or vector(0)'"),
            said(selector, "'sum(rate(http_errors_total[5m]))'"),
        ]
        .join("\n\n")
    );
}
