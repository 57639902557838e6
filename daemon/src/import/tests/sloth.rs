//! Sloth.

use super::{codes, loaded, shown};

pub(super) const FILE: &str = include_str!("../../../fixtures/foreign/sloth.yaml");

pub(super) const OBJECT: &str = include_str!("../../../fixtures/foreign/sloth-object.yaml");

pub(super) const WINDOWS: &str = include_str!("../../../fixtures/foreign/sloth-windows.yaml");

#[test]
fn a_file_becomes_a_document_with_exact_counters_where_they_are_found() {
    insta::assert_snapshot!(shown(&[("sloth.yaml", FILE)]));
}

#[test]
fn an_object_of_kubernetes_and_windows_of_its_own() {
    insta::assert_snapshot!(shown(&[("search.yaml", OBJECT), ("windows.yaml", WINDOWS)]));
}

#[test]
fn without_alerts_of_its_own_the_rows_are_the_default_ones() {
    let slos = loaded(&super::convert(&[("search.yaml", OBJECT)]));
    let rows: Vec<String> = slos[0].objectives[0].rows.iter().map(crate::definition::row_words).collect();
    assert_eq!(rows, ["page 14.4x 1h/5m", "page 6x 6h/30m", "ticket 3x 1d/2h", "ticket 1x 3d/6h"]);
    assert_eq!(slos[0].per, ["tenant"]);
}

#[test]
fn what_cannot_be_counted_is_refused_and_the_rest_is_converted() {
    let plugin = "    sli: { plugin: { id: sloth-common/kubernetes/apiserver/availability } }\n";
    let text = format!("{FILE}  - name: other\n    objective: 99\n{plugin}");
    assert!(codes(&text).contains(&"E1502"));
    assert_eq!(loaded(&super::convert(&[("a.yaml", &text)])).len(), 5);
    assert!(codes(&FILE.replace("objective: 99.9", "objective: 100")).contains(&"E1042"));
    assert!(codes(&FILE.replace("{{.window}}", "{{.span}}")).contains(&"E1502"));
    assert!(codes(&FILE.replace("error_query: sum", "error_query: sum(")).contains(&"E1502"));
}

#[test]
fn a_gauge_of_fractions_keeps_its_fractions() {
    let text = FILE.replace(
        "1 - avg_over_time(probe_success{job=\"basket\"}[{{.window}}])",
        "1 - sum(sum_over_time(satisfaction[{{.window}}])) / sum(count_over_time(satisfaction[{{.window}}]))",
    );
    let slos = loaded(&super::convert(&[("a.yaml", &text)]));
    let asked: Vec<String> = slos[2].sli.expressions().iter().map(ToString::to_string).collect();
    assert_eq!(asked, ["sum(sum_over_time(satisfaction[1m]))", "sum(count_over_time(satisfaction[1m]))"]);
}

#[test]
fn one_slo_twice_is_told_of() {
    assert!(codes(&FILE.replace("name: reachable", "name: wifi")).contains(&"E1022"));
}
