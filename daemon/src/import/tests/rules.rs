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

/// The documents that rules become, as text; the names of metrics are `B`, `G` and `T`.
fn of_rules(rules: &str) -> Vec<String> {
    let written = |word: &str, metric: &str| (format!(" {word}"), format!(" sum(rate({metric}[5m]))"));
    let metrics = [written("B", "h{code=\\\"500\\\"}"), written("G", "h{code!=\\\"500\\\"}"), written("T", "h")];
    let expr = metrics.iter().fold(rules.to_owned(), |text, (word, metric)| text.replace(word.as_str(), metric));
    let text = format!("groups: [{{ name: a, rules: [{expr}] }}]");
    convert(&[("rules.yaml", &text)]).documents.into_iter().map(|document| document.text).collect()
}

/// Percentages are shares, wherever their hundred stands.
#[test]
fn a_constant_factor_of_a_share_is_one_of_its_threshold() {
    let alert = |expr: &str| of_rules(&format!("{{ alert: X, expr: \" {expr}\" }}"));
    for (share, percentages) in [
        (
            "B / T > 0.005",
            &[
                "100 * B / T > 0.5",
                "B * 100 / T > 0.5",
                "B / T * 100 > 0.5",
                "( B / T) * 100 > 0.5",
                "100 * ( B / T) >= 0.5",
                "B / ( T / 100) > 0.5",
                "1000 * B / T > 5",
                "100 * B / T > 100 * 0.005",
            ][..],
        ),
        ("1 - G / T > 0.005", &["100 * (1 - G / T) > 0.5", "100 - 100 * G / T > 0.5", "100 - ( G / T) * 100 > 0.5"]),
        ("G / T < 0.995", &["100 * G / T < 99.5"]),
        ("B / T > 14.4 * 0.001", &["100 * B / T > 14.4 * 0.1", "100 * B / T > 100 * 14.4 * 0.001", "100 * B / T > 14.4 * (100 - 99.9)"]),
        ("avg_over_time(up[5m]) < 0.99", &["100 * avg_over_time(up[5m]) < 99"]),
    ] {
        let expected = alert(share);
        assert_eq!(expected.len(), 1, "{share}");
        for percentage in percentages {
            assert_eq!(alert(percentage), expected, "{percentage}");
        }
    }
    let recorded = "{ record: r, expr: \"100 * B / T\" }, { alert: X, expr: r > 0.5 }";
    let plain = "{ record: r, expr: \" B / T\" }, { alert: X, expr: r > 0.005 }";
    assert_eq!(of_rules(recorded), of_rules(plain));
    assert_eq!(of_rules(&recorded.replace("r > 0.5", "r / 100 > 0.005")), of_rules(plain));
    for no_share in ["100 * B / T > 500", "1 - 100 * G / T > 0.5", "-100 * B / T > 0.5", "100 - G / T > 0.5"] {
        assert_eq!(alert(no_share), Vec::<String>::new(), "{no_share}");
    }
}

#[test]
fn recording_rules_that_name_themselves_do_not_turn_in_circles() {
    let text = "groups: [{ name: a, rules: [{ record: a, expr: b }, { record: b, expr: a }, { alert: X, expr: a > 2 * 0.01 }] }]";
    assert!(convert(&[("rules.yaml", text)]).documents.is_empty());
}
