//! Rule files of Prometheus: of Sloth, of Pyrra, and by hand.

use super::{convert, loaded, shown};

/// As Sloth generates them, shortened to two lookbacks of one SLO.
pub(super) const SLOTH: &str = include_str!("../../../fixtures/foreign/rules-of-sloth.yaml");

/// As Pyrra generates them, shortened.
pub(super) const PYRRA: &str = include_str!("../../../fixtures/foreign/rules-of-pyrra.yaml");

pub(super) const BY_HAND: &str = include_str!("../../../fixtures/foreign/rules-by-hand.yaml");

#[test]
fn rules_of_sloth_become_the_slo_that_they_came_from() {
    insta::assert_snapshot!(shown(&[("sloth-rules.yaml", SLOTH)]));
}

#[test]
fn rules_of_pyrra_become_the_slo_that_they_came_from() {
    insta::assert_snapshot!(shown(&[("pyrra-rules.yaml", PYRRA)]));
}

#[test]
fn alerts_by_hand_become_slos_and_what_is_none_is_told_of() {
    insta::assert_snapshot!(shown(&[("rules.yaml", BY_HAND)]));
}

#[test]
fn an_slo_of_sloth_without_alerts_tells_nobody() {
    let (recordings, _) = SLOTH.split_once("  - name: sloth-slo-alerts").expect("alerts");
    let slos = loaded(&convert(&[("rules.yaml", recordings)]));
    assert!(slos[0].objectives[0].rows.is_empty());
    assert_eq!(slos[0].objectives[0].target.as_percent(), "99.9");
}

#[test]
fn a_ratio_that_is_no_share_is_no_slo() {
    let text = "groups: [{ name: a, rules: [{ alert: X, expr: 'sum(rate(a[5m])) / sum(rate(b[5m])) > 5' }] }]";
    let said: Vec<&str> = convert(&[("rules.yaml", text)]).faults.iter().map(|fault| fault.code.id).collect();
    assert_eq!(said, ["W2101"]);
}

#[test]
fn recording_rules_that_name_themselves_do_not_turn_in_circles() {
    let text = "groups: [{ name: a, rules: [{ record: a, expr: b }, { record: b, expr: a }, { alert: X, expr: a > 2 * 0.01 }] }]";
    assert!(convert(&[("rules.yaml", text)]).documents.is_empty());
}
