//! Sloth.

use burnward_core::sli::Sli;

use super::{codes, convert, loaded, shown};

pub(super) const FILE: &str = include_str!("../../../fixtures/foreign/sloth.yaml");

pub(super) const OBJECT: &str = include_str!("../../../fixtures/foreign/sloth-object.yaml");

pub(super) const WINDOWS: &str = include_str!("../../../fixtures/foreign/sloth-windows.yaml");

/// One SLO of this SLI.
fn counted_by(sli: &str) -> String {
    format!("version: prometheus/v1\nservice: a\nlabels: {{ team: b }}\nslos: [{{ name: a, objective: 99, sli: {{ {sli} }} }}]\n")
}

#[test]
fn a_ratio_in_percent_is_a_share_and_that_is_told() {
    let of_ratio = |ratio: &str| {
        let text = format!(
            "version: prometheus/v1\nservice: a\nslos: [{{ name: a, objective: 99, sli: {{ raw: {{ error_ratio_query: '{ratio}' }} }}, alerting: {{ page_alert: {{ disable: true }}, ticket_alert: {{ disable: true }} }} }}]\n"
        );
        let imported = convert(&[("slo.yaml", &text)]);
        let said: Vec<String> = imported.faults.iter().map(|fault| fault.message.clone()).filter(|said| said.contains("times")).collect();
        (loaded(&imported)[0].sli.clone(), said)
    };
    let ratio = "sum(rate(e{code=\"500\"}[{{.window}}])) / sum(rate(e[{{.window}}]))";
    let (share, said) = of_ratio(ratio);
    assert_eq!(said, Vec::<String>::new());
    for percent in [format!("100 * {ratio}"), format!("({ratio}) * 100")] {
        let told = "the ratio is 100 times a share of events, and a share is from 0 to 1: the factor is left out";
        assert_eq!(of_ratio(&percent), (share.clone(), vec![told.to_owned()]), "{percent}");
    }
    // A gauge in percent is made a share by it.
    assert_eq!(of_ratio("avg(full{a=\"1\"}) / 100").1, Vec::<String>::new());
}

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
fn errors_that_are_split_and_a_total_that_is_not_become_one_budget() {
    let text = "version: prometheus/v1\nservice: basket\nlabels: { team: shop }\nslos: [{ name: a, objective: 99, sli: { events: { error_query: 'sum by (tenant) (rate(e[{{.window}}]))', total_query: 'sum(rate(t[{{.window}}]))' } } }]\n";
    let imported = super::convert(&[("a.yaml", text)]);
    let slos = loaded(&imported);
    assert_eq!(slos[0].sli.selectors().iter().map(ToString::to_string).collect::<Vec<_>>(), ["e", "t"]);
    assert!(slos[0].per.is_empty());
    let said = "the bad events are split by `tenant`, and all events not at all: both are added up all together";
    assert!(imported.faults.iter().any(|fault| fault.code.id == "W2102" && fault.message == said), "{:?}", imported.faults);
}

#[test]
fn one_slo_twice_is_told_of() {
    assert!(codes(&FILE.replace("name: reachable", "name: wifi")).contains(&"E1022"));
}

#[test]
fn what_each_slo_of_a_file_loses_is_told_once_with_its_lines() {
    let slo = |name: &str| {
        format!(
            "  - name: {name}\n    objective: 99\n    labels: {{ category: a }}\n    sli: {{ events: {{ error_query: 'sum(rate(e[{{{{.window}}}}]))', total_query: 'sum(rate(t[{{{{.window}}}}]))' }} }}\n    alerting: {{ annotations: {{}} }}\n"
        )
    };
    let names = ["a", "b", "c", "d", "e", "f", "g", "h"];
    let text = format!("version: prometheus/v1\nservice: basket\nlabels: {{ team: shop }}\nslos:\n{}", names.map(slo).concat());
    let imported = super::convert(&[("sloth.yaml", &text)]);
    assert_eq!(loaded(&imported).len(), names.len());
    let said: Vec<String> = imported.faults.iter().map(|fault| format!("{fault}: {}", fault.help.last().map_or("", |help| help))).collect();
    assert_eq!(
        said,
        [
            "sloth.yaml:7:15: the label `category` is not carried over (W2101): the same stands in lines 12, 17, 22, 27, 32 and 2 more",
            "sloth.yaml:9:17: `annotations` is not carried over (W2101): the same stands in lines 14, 19, 24, 29, 34 and 2 more",
        ]
    );
}

#[test]
fn what_is_changed_in_queries_is_told_of() {
    let told = |bad: &str, total: &str| {
        let imported = convert(&[("slo.yaml", &counted_by(&format!("events: {{ error_query: '{bad}', total_query: '{total}' }}")))]);
        let said: Vec<String> = imported.faults.iter().map(|fault| format!("{} {}", fault.code.id, fault.message)).collect();
        (loaded(&imported).first().map(|slo| slo.sli.clone()), said)
    };
    let (as_written, said) = told("sum(rate(e{a=\"1\"}[{{.window}}]))", "sum(rate(e[{{.window}}]))");
    assert_eq!(said, Vec::<String>::new());
    let fixed = "W2102 the query looks back over `[5m]` whatever the lookback of an alert is, and that is not carried over: each alert counts the events of its own lookback, as with `[{{.window}}]`";
    assert_eq!(told("sum(rate(e{a=\"1\"}[5m]))", "sum(rate(e[5m]))"), (as_written.clone(), vec![fixed.to_owned()]));
    assert_eq!(told("sum(rate(e{a=\"1\"}[{{.window}}]))", "sum(rate(e[5m]))"), (as_written.clone(), vec![fixed.to_owned()]));
    let mixed = "W2102 the bad events are events of the whole range (`increase`), and all events events per second (`rate`), so that their ratio is no share: both are taken as events";
    assert_eq!(told("sum(increase(e{a=\"1\"}[{{.window}}]))", "sum(rate(e[{{.window}}]))"), (as_written, vec![mixed.to_owned()]));
    let (_, twice) = told("sum(increase(e{a=\"1\"}[{{.window}}])) * 2", "sum(rate(e[{{.window}}]))");
    assert_eq!(twice.iter().filter(|said| *said == mixed).count(), 1, "{twice:?}");
    let same = told("sum(rate(e[{{.window}}]))", "sum(rate(e[{{.window}}]))");
    assert_eq!(same, (None, vec!["E1089 `bad` and `total` are the same: every event is bad".to_owned()]));
}

#[test]
fn values_without_a_range_are_divided_as_they_are_and_counters_counted() {
    let taken = |bad: &str, total: &str| {
        let imported = convert(&[("slo.yaml", &counted_by(&format!("events: {{ error_query: '{bad}', total_query: '{total}' }}")))]);
        let sli = loaded(&imported)[0].sli.clone();
        let asked: Vec<String> = sli.expressions().iter().map(ToString::to_string).collect();
        let selectors: Vec<String> = sli.selectors().iter().map(ToString::to_string).collect();
        let told: Vec<String> = imported.faults.iter().map(|fault| format!("{} {}", fault.code.id, fault.message)).collect();
        (asked, selectors, told)
    };
    let values = "looks back over no range and is no counter by its name: its value of each minute is taken as that minute's events";
    for (bad, total) in [
        ("count(up == 0)", "count(up)"),
        ("sum(kube_deployment_status_replicas_unavailable)", "sum(kube_deployment_spec_replicas)"),
        ("sum(job:errors:rate5m)", "sum(job:requests:rate5m)"),
    ] {
        let (asked, _, told) = taken(bad, total);
        assert_eq!((asked, told), ([bad, total].map(ToOwned::to_owned).to_vec(), vec![format!("W2102 `{bad}` {values}")]));
    }
    let (asked, ..) = taken("sum(job:errors:rate5m)", "sum(rate(requests_total[{{.window}}]))");
    assert_eq!(asked, ["sum(job:errors:rate5m)", "sum(rate(requests_total[1m]))"], "events per second on both sides");
    let (_, selectors, told) = taken("sum(rate(e_total[{{.window}}]))", "sum(all_total)");
    assert_eq!((selectors.len(), told.len()), (2, 1), "a counter without a range beside one with it is a counter: {told:?}");
    let (asked, ..) = taken("max(sum by (pod) (e_total))", "max(sum by (pod) (all_total))");
    assert_eq!(asked[0], "max(sum by (pod) (increase(e_total[1m])))", "a restart is one of a series, not of a sum");
    let (_, selectors, told) = taken("sum(e_total{code=\"500\"})", "sum(e_total)");
    let counted = "W2102 the counters are read without a range, so what the other tool divides are all events since they began: the events of each minute are counted here";
    assert_eq!((selectors, told), (vec!["e_total{code=\"500\"}".to_owned(), "e_total".to_owned()], vec![counted.to_owned()]));
}

#[test]
fn probes_one_by_one_have_one_budget_and_that_is_told() {
    let told = |ratio: &str| {
        let imported = convert(&[("slo.yaml", &counted_by(&format!("raw: {{ error_ratio_query: '{ratio}' }}")))]);
        let said: Vec<String> = imported.faults.iter().map(|fault| format!("{} {}", fault.code.id, fault.message)).collect();
        (loaded(&imported)[0].sli.clone(), said)
    };
    let (one_by_one, said) = told("1 - avg_over_time(probe_success{job=\"bb\"}[{{.window}}])");
    assert_eq!(said, ["W2102 the series are not summed up in the query, and are here"]);
    assert_eq!(told("1 - avg(avg_over_time(probe_success{job=\"bb\"}[{{.window}}]))"), (one_by_one, Vec::new()));
    let (sli, said) = told("absent(up{job=\"x\"}) or vector(0)");
    assert!(matches!(sli, Sli::Presence { .. }), "{sli:?}");
    let [default, absent] = &said[..] else { panic!("{said:?}") };
    assert!(default.starts_with("W2101 `or vector(...)` at the ratio is not carried over"), "{default}");
    assert!(absent.starts_with("W2102 `absent(...)` is 1 or nothing, and never a ratio"), "{absent}");
}

/// What is asked for of a raw ratio, and what is told of it.
fn of_ratio(ratio: &str) -> (Vec<String>, Vec<String>) {
    let imported = convert(&[("slo.yaml", &counted_by(&format!("raw: {{ error_ratio_query: '{ratio}' }}")))]);
    let said = imported.faults.iter().map(|fault| format!("{} {}", fault.code.id, fault.message)).collect();
    let sli = loaded(&imported)[0].sli.clone();
    let asked = match sli.expressions().as_slice() {
        [] => sli.selectors().iter().map(ToString::to_string).collect(),
        expressions => expressions.iter().map(ToString::to_string).collect(),
    };
    (asked, said)
}

#[test]
fn a_guard_against_nothing_is_left_away_and_numbers_stay_in_their_unit() {
    let plain = of_ratio("sum(rate(e[{{.window}}])) / sum(rate(t[{{.window}}]))").0;
    let (asked, said) = of_ratio("sum(rate(e[{{.window}}])) / sum(rate(t[{{.window}}])) > 0");
    assert_eq!(asked, plain);
    assert!(said[0].starts_with("W2101 `> 0` at the ratio is not carried over"), "{said:?}");
    for guarded in [
        "(sum(rate(e[{{.window}}])) / sum(rate(t[{{.window}}])) > 0) or vector(0)",
        "sum(rate(e[{{.window}}])) / sum(rate(t[{{.window}}])) or vector(0)",
    ] {
        let (asked, said) = of_ratio(guarded);
        assert_eq!(asked, plain, "{guarded}");
        assert!(said[0].starts_with("W2101 `or vector(...)` at the ratio is not carried over"), "{said:?}");
    }
    let (asked, _) = of_ratio("sum(rate(e[{{.window}}])) / clamp_min(sum(rate(t[{{.window}}])), 100)");
    assert_eq!(asked, ["(sum(rate(e[1m]))) * 60", "(clamp_min(sum(rate(t[1m])), 100)) * 60"]);
    let (asked, said) = of_ratio("sum(increase(e[{{.window}}])) / (sum(increase(t[{{.window}}])) + 100)");
    assert_eq!(asked, ["sum(increase(e[1m]))", "(sum(increase(t[1m])) + 100)"]);
    assert!(said.iter().any(|said| said.starts_with("W2102 a number stands beside what increases over a range")), "{said:?}");
    let (asked, _) = of_ratio("avg(rate(e[{{.window}}])) and (sum(rate(t[{{.window}}])) > 50)");
    assert!(asked[0].contains("rate(t[1m])) > 50"), "{asked:?}");
}

#[test]
fn what_is_another_quantity_of_a_minute_is_told() {
    let (_, said) = of_ratio("max(sum by (pod) (rate(e[{{.window}}]))) / sum(rate(t[{{.window}}]))");
    assert!(said.iter().any(|said| said.starts_with("W2102 `max` is taken of each minute")), "{said:?}");
    let (_, said) = of_ratio("sum(changes(e[1h])) / sum(changes(t[1h]))");
    assert!(said.iter().any(|said| said.starts_with("W2102 `changes` is taken of each minute")), "{said:?}");
    let (asked, said) = of_ratio("sum(irate(e[{{.window}}])) / sum(irate(t[{{.window}}]))");
    assert_eq!(asked, ["e", "t"]);
    assert!(said[0].starts_with("W2102 `irate` is of the two newest samples alone"), "{said:?}");
    let (asked, _) = of_ratio("sum(last_over_time(q[10m])) / sum(last_over_time(r[10m]))");
    assert_eq!(asked, ["sum(last_over_time(q[10m]))", "sum(last_over_time(r[10m]))"]);
}
