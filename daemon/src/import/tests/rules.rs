//! Rule files of Prometheus: of Sloth, of Pyrra, and by hand.

use burnward_core::slo::Urgency;

use super::{convert, loaded, shown};
use crate::definition::Colour;

/// As Sloth generates them, shortened to two lookbacks of one SLO.
pub(super) const SLOTH: &str = include_str!("../../../fixtures/foreign/rules-of-sloth.yaml");

/// As newer ones of Sloth generate them, of one SLO with the default rows.
const SLOTH_GROUPED: &str = include_str!("../../../fixtures/foreign/rules-of-sloth-grouped.yaml");

/// As Pyrra generates them, shortened.
pub(super) const PYRRA: &str = include_str!("../../../fixtures/foreign/rules-of-pyrra.yaml");

pub(super) const BY_HAND: &str = include_str!("../../../fixtures/foreign/rules-by-hand.yaml");

/// Ratios whose sides are split by different labels, or by labels that are not named.
const OTHERWISE: &str = "groups:
  - name: shop
    rules:
      - alert: PerCode
        expr: sum by (tenant, code) (rate(e_total[5m])) / ignoring (code) group_left sum by (tenant) (rate(t_total[5m])) > 0.05
        labels: { severity: critical, team: payments }
      - alert: Without
        expr: sum without (instance) (rate(f_total[5m])) / sum without (instance) (rate(u_total[5m])) > 0.05
        labels: { severity: critical, team: payments }
      - alert: Maxed
        expr: max by (tenant, pod) (rate(g_total[5m])) / ignoring (pod) group_left max by (tenant) (rate(v_total[5m])) > 0.05
        labels: { severity: critical, team: payments }
";

#[test]
fn rules_of_sloth_become_the_slo_that_they_came_from() {
    insta::assert_snapshot!(shown(&[("sloth-rules.yaml", SLOTH)]));
}

#[test]
fn comparisons_that_sloth_aggregates_are_the_default_rows() {
    let imported = convert(&[("sloth-rules.yaml", SLOTH_GROUPED)]);
    let [document] = &imported.documents[..] else { panic!("{:?}", imported.faults) };
    assert!(!document.text.contains("alerting"), "{}", document.text);
    assert_eq!(loaded(&imported)[0].objectives[0].rows.len(), 4);
    assert_eq!(imported.faults.iter().map(ToString::to_string).collect::<Vec<_>>(), Vec::<String>::new());
}

/// Recorded shares of each cluster, over two lookbacks, and an alert on them.
fn of_clusters(alert: &str, further: &[String]) -> String {
    let ratio = |over: &str, verb: &str| {
        let sum = |code: &str| format!("sum by (cluster) (rate(api_requests_total{{verb=\"{verb}\"{code}}}[{over}]))");
        format!("{} / {}", sum(",code=~\"5..\""), sum(""))
    };
    let record =
        |over: &str, verb: &str| format!("{{ record: 'api:burn{over}', expr: '{}', labels: {{ verb: {verb} }} }}", ratio(over, verb));
    let alert = format!("{{ alert: ApiBurns, expr: '{alert}', labels: {{ severity: critical, service: api, team: a }} }}");
    let own = [record("1h", "GET"), record("5m", "GET")];
    file(&own.into_iter().chain(further.iter().map(|verb| record("1h", verb))).chain([alert]).collect::<Vec<_>>())
}

#[test]
fn an_aggregation_that_changes_nothing_is_seen_through() {
    let plain = convert(&[("rules.yaml", &of_clusters("api:burn1h > 14.4 * 0.01 and api:burn5m > 14.4 * 0.01", &[]))]);
    assert_eq!(loaded(&plain)[0].objectives[0].rows.len(), 1);
    for alert in [
        "sum by (cluster) (api:burn1h) > (14.40 * 0.01000) and on (cluster) sum by (cluster) (api:burn5m) > (14.40 * 0.01000)",
        "max without (verb) (api:burn1h) > 14.4 * 0.01 and avg by (cluster, verb) (api:burn5m) > 14.4 * 0.01",
        "max by (cluster) (api:burn1h > 14.4 * 0.01) and group by (cluster) (api:burn5m > 14.4 * 0.01)",
        "100 * sum by (cluster) (api:burn1h) > 14.4 * 1 and 100 * sum by (cluster) (max by (cluster) (api:burn5m)) > 14.4 * 1",
    ] {
        let imported = convert(&[("rules.yaml", &of_clusters(alert, &[]))]);
        assert_eq!(imported.documents, plain.documents, "{alert}");
        assert_eq!(imported.faults.len(), plain.faults.len(), "{alert}: {:?}", imported.faults);
    }
}

#[test]
fn an_alert_that_speaks_once_of_several_groups_is_told_that_each_has_its_own() {
    let alert = "max(api:burn1h > 14.4 * 0.01) and max(api:burn5m > 14.4 * 0.01)";
    let imported = convert(&[("rules.yaml", &of_clusters(alert, &[]))]);
    assert_eq!(loaded(&imported)[0].objectives[0].rows.len(), 1);
    let said = imported.faults.iter().filter(|fault| fault.code.id == "W2102" && fault.message.contains("aggregates over `cluster`"));
    assert_eq!(said.count(), 1, "{:?}", imported.faults);
}

#[test]
fn an_aggregation_of_several_shares_is_told_as_that() {
    for (alert, further, says) in [
        ("sum by (cluster) (api:burn1h) > 14.4 * 0.01", &["LIST"][..], "`sum` is of several shares at once"),
        ("avg(api:burn1h) > 0.05", &[], "the avg of shares is not the share of all events"),
        ("max(api:burn1h) > 0.05", &[], "`max` is of several shares at once"),
        (
            "api:burn1h > 14.4 * 0.01 and sum(rate(api_requests_total[5m])) > 1",
            &[],
            "its condition `sum(rate(api_requests_total[5m])) > 1`",
        ),
    ] {
        let further: Vec<String> = further.iter().map(ToString::to_string).collect();
        let imported = convert(&[("rules.yaml", &of_clusters(alert, &further))]);
        assert!(imported.documents.is_empty(), "{alert}");
        assert!(
            imported.faults.iter().any(|fault| fault.code.id == "W2101" && fault.message.contains(says)),
            "{alert}: {:?}",
            imported.faults
        );
    }
}

/// An alert on recorded shares of some of their series counts these alone.
#[test]
fn what_an_alert_takes_of_recorded_shares_is_asked_of_the_counters() {
    let row = |matchers: &str| format!("api:burn1h{{{matchers}}} > 14.4 * 0.01 and api:burn5m{{{matchers}}} > 14.4 * 0.01");
    for (matchers, cluster) in [
        ("cluster=\"prod\"", "cluster=\"prod\","),
        ("cluster=~\"prod-.*\", verb=\"GET\"", "cluster=~\"prod-.*\","),
        ("verb=~\"GET|LIST\", cluster!=\"\"", "cluster!=\"\","),
        ("other=\"\", verb!=\"LIST\"", ""),
    ] {
        let imported = convert(&[("rules.yaml", &of_clusters(&row(matchers), &[]))]);
        let text = &imported.documents.first().unwrap_or_else(|| panic!("{matchers}: {:?}", imported.faults)).text;
        assert!(text.contains(&format!("bad: 'api_requests_total{{{cluster}code=~\"5..\",verb=\"GET\"}}'")), "{matchers}: {text}");
        assert!(text.contains(&format!("total: 'api_requests_total{{{cluster}verb=\"GET\"}}'")), "{matchers}: {text}");
    }
    for (matchers, further, says) in [
        ("verb=\"PUT\"", &[][..], "no SLO is found in it"),
        ("pod=\"a\"", &[], "asks for the label `pod`, which the recorded values do not have"),
        ("", &["LIST"], "is recorded by 2 rules, and each of them is an SLI of its own"),
        ("verb=~\"GET|LIST\"", &["LIST"], "is recorded by 2 rules"),
    ] {
        let further: Vec<String> = further.iter().map(ToString::to_string).collect();
        let imported = convert(&[("rules.yaml", &of_clusters(&row(matchers), &further))]);
        assert!(imported.documents.is_empty(), "{matchers}");
        assert!(imported.faults.iter().any(|fault| fault.message.contains(says)), "{matchers}: {:?}", imported.faults);
    }
}

#[test]
fn sides_of_a_ratio_that_are_recorded_by_themselves_are_looked_up() {
    let record = |name: &str, counter: &str, over: &str| {
        format!("{{ record: 'job:{name}:rate{over}', expr: 'sum by (job) (rate({counter}_total[{over}]))' }}")
    };
    let both = |over: &str| format!("job:errs:rate{over}{{job=\"x\"}} / job:reqs:rate{over}{{job=\"x\"}}");
    let ratio = |over: &str| format!("{{ record: 'job:errs:ratio{over}', expr: 'job:errs:rate{over} / job:reqs:rate{over}' }}");
    let recorded: Vec<String> =
        ["1h", "5m"].iter().flat_map(|over| [record("errs", "errs", over), record("reqs", "reqs", over), ratio(over)]).collect();
    for condition in [
        format!("{} > 14.4 * 0.001 and {} > 14.4 * 0.001", both("1h"), both("5m")),
        "job:errs:ratio1h{job=\"x\"} > 14.4 * 0.001 and job:errs:ratio5m{job=\"x\"} > 14.4 * 0.001".to_owned(),
        format!("100 * ({}) > 14.4 * 0.1 and 100 * ({}) > 14.4 * 0.1", both("1h"), both("5m")),
    ] {
        let alert = format!("{{ alert: Errors, expr: '{condition}', labels: {{ severity: critical, service: x, team: a }} }}");
        let imported = convert(&[("rules.yaml", &file(&recorded.iter().cloned().chain([alert]).collect::<Vec<_>>()))]);
        let text = &imported.documents.first().unwrap_or_else(|| panic!("{condition}: {:?}", imported.faults)).text;
        assert!(text.contains("bad: 'errs_total{job=\"x\"}'") && text.contains("total: 'reqs_total{job=\"x\"}'"), "{text}");
        assert_eq!(loaded(&imported)[0].objectives[0].rows.len(), 1);
    }
}

/// Two alerts on shares of different series are two SLOs.
#[test]
fn alerts_on_different_series_of_one_recorded_share_are_slos_of_their_own() {
    let record = "{ record: 'job:errs:ratio5m', expr: 'sum by (job) (rate(errs_total[5m])) / sum by (job) (rate(reqs_total[5m]))' }";
    let alert = |job: &str, threshold: &str| {
        format!(
            "{{ alert: Errors, expr: 'job:errs:ratio5m{{job=\"{job}\"}} > {threshold}', labels: {{ severity: critical, service: {job}, team: a }} }}"
        )
    };
    let imported = convert(&[("rules.yaml", &file(&[record.to_owned(), alert("a", "0.01"), alert("b", "0.05")]))]);
    let slos = loaded(&imported);
    let told: Vec<(String, String)> = slos.iter().map(|slo| (slo.id.service.to_string(), slo.objectives[0].target.as_percent())).collect();
    assert_eq!(told, [("a".to_owned(), "99".to_owned()), ("b".to_owned(), "95".to_owned())], "{:?}", imported.faults);
}

#[test]
fn an_alternative_that_is_no_row_is_told_beside_one_that_is() {
    let row = "api:burn1h > 14.4 * 0.01 and api:burn5m > 14.4 * 0.01";
    for (other, says) in [
        ("sum(rate(api_requests_total[5m])) > 1000", "it compares no share of bad events with a number"),
        (
            "api:burn1h > 0.05 and api:burn5m > 0.05",
            "its lookbacks are compared with a number of which neither a burn rate nor a budget can be read",
        ),
        ("api:burn1h > 14.4 * 0.01 and up == 1", "its condition `up == 1` compares no share of bad events with a number"),
    ] {
        let imported = convert(&[("rules.yaml", &of_clusters(&format!("({row}) or ({other})"), &[]))]);
        assert_eq!(loaded(&imported)[0].objectives[0].rows.len(), 1, "{other}");
        let told: Vec<_> = imported.faults.iter().filter(|fault| fault.message.starts_with("of the alert `ApiBurns`, `or ")).collect();
        let [told] = &told[..] else { panic!("{other}: {:?}", imported.faults) };
        assert!(told.code.id == "W2101" && told.message.contains(says), "{}", told.message);
    }
}

#[test]
fn rules_of_pyrra_become_the_slo_that_they_came_from() {
    insta::assert_snapshot!(shown(&[("pyrra-rules.yaml", PYRRA)]));
}

#[test]
fn alerts_by_hand_become_slos_and_what_is_none_is_told_of() {
    insta::assert_snapshot!(shown(&[("rules.yaml", BY_HAND)]));
}

/// A plain alert on a share of bad events of this counter, with these labels.
fn plain(counter: &str, threshold: &str, labels: &str) -> String {
    format!(
        "{{ alert: A-{counter}, expr: 'sum(rate({counter}_bad_total[5m]))/sum(rate({counter}_total[5m])) > {threshold}', labels: {labels} }}"
    )
}

fn file(rules: &[String]) -> String {
    format!("groups: [{{ name: g, rules: [ {} ] }}]", rules.join(", "))
}

#[test]
fn an_alert_that_wakes_nobody_elsewhere_wakes_nobody_here() {
    for (labels, pages) in [
        ("{ severity: warning, team: a }", false),
        ("{ severity: info }", false),
        ("{ severity: none }", false),
        ("{}", false),
        ("{ severity: critical }", true),
        ("{ severity: page }", true),
    ] {
        let imported = convert(&[("rules.yaml", &file(&[plain("x", "0.05", labels)]))]);
        let slos = loaded(&imported);
        let paged = slos[0].objectives[0].rows.iter().any(|row| row.urgency == Urgency::Page);
        let told = imported.faults.iter().any(|fault| fault.message.ends_with("so the SLO opens tickets"));
        assert_eq!((paged, told, slos[0].objectives[0].rows.is_empty()), (pages, !pages, false), "{labels}");
    }
}

#[test]
fn a_second_threshold_that_pages_is_not_lost_behind_one_that_does_not() {
    let two = [plain("x", "0.02", "{ severity: warning }"), plain("x", "0.05", "{ severity: critical }")];
    let slos = loaded(&convert(&[("rules.yaml", &file(&two))]));
    let paging: Vec<(String, bool)> = slos[0]
        .objectives
        .iter()
        .map(|objective| (objective.target.as_percent(), objective.rows.iter().any(|row| row.urgency == Urgency::Page)))
        .collect();
    assert_eq!(paging, [("95".to_owned(), true), ("98".to_owned(), false)]);
}

#[test]
fn what_is_split_otherwise_than_by_the_same_labels_is_told() {
    insta::assert_snapshot!(shown(&[("rules.yaml", OTHERWISE)]));
}

#[test]
fn lookbacks_with_thresholds_of_their_own_are_refused() {
    let expr = |factor: &str| {
        format!(
            "sum(rate(e_total[1h]))/sum(rate(t_total[1h])) > (14.4*0.001) and sum(rate(e_total[5m]))/sum(rate(t_total[5m])) > ({factor})"
        )
    };
    let rule = |factor: &str| format!("{{ alert: Mixed, expr: '{}' }}", expr(factor));
    let imported = convert(&[("rules.yaml", &file(&[rule("14.4*0.01")]))]);
    let said: Vec<String> = imported.faults.iter().map(ToString::to_string).collect();
    assert!(imported.documents.is_empty());
    assert_eq!(
        said,
        [
            "rules.yaml:1:52: a condition of the alert `Mixed` is not carried over: its lookbacks are compared with 0.0144 and with 0.144, and a row has one burn rate for both (W2101)"
        ]
    );
    assert_eq!(loaded(&convert(&[("rules.yaml", &file(&[rule("0.001*14.4")]))]))[0].objectives[0].rows.len(), 1);
}

#[test]
fn an_slo_of_sloth_without_alerts_tells_nobody() {
    let (recordings, _) = SLOTH.split_once("  - name: sloth-slo-alerts").expect("alerts");
    let imported = convert(&[("rules.yaml", recordings)]);
    let slos = loaded(&imported);
    assert!(slos[0].objectives[0].rows.is_empty());
    assert_eq!(slos[0].objectives[0].target.as_percent(), "99.9");
    let said: Vec<String> = imported.faults.iter().map(ToString::to_string).collect();
    let nobody = "no alert on the objective of 99.9% is carried over, so nobody is told when its budget burns: `alerting: none` (W2102)";
    assert!(said.iter().any(|said| said.ends_with(nobody)), "{said:?}");
}

/// As they are shipped by others: queries of Sourcegraph whose ratio is compared with a percentage, or is of something with itself.
#[test]
fn alerts_that_can_never_or_always_fire_are_told_of_as_such() {
    let response = |matchers: &str| format!("increase(src_graphql_search_response{{{matchers}}}[5m])");
    let over = |by: &str, part: &str, whole: &str, rest: &str| {
        format!("sum by ({by})({}) / ignoring({by}) group_left sum({}) {rest}", response(part), response(whole))
    };
    let timeouts = r#"status="partial_timeout",source="browser",request_name="CodeIntelSearch""#;
    for (expr, says) in [
        (over("status", timeouts, timeouts, "* 100 >= 5"), "the value is 100 whatever happens, so `>= 5` always holds"),
        (
            over("status", r#"status=~"error",source="other""#, r#"source="other""#, ">= 2"),
            "a ratio lies between 0 and 1, so `>= 2` never holds",
        ),
        (
            format!("sum({}) / sum({}) >= 5", response(r#"status="partial_timeout",source="other""#), response(r#"source="other""#)),
            "a ratio lies between 0 and 1, so `>= 5` never holds",
        ),
        (
            over("alert_type", r#"status="alert",alert_type!~"timed_out",source="other""#, r#"status="alert",source="other""#, ">= 5"),
            "a ratio lies between 0 and 1, so `>= 5` never holds",
        ),
        ("(avg(up) > 2 and max(x) > 3)".to_owned(), "the value lies between 0 and 1, so `> 2` never holds"),
    ] {
        let faults = convert(&[("rules.yaml", &file(&[format!("{{ alert: Broken, expr: '{expr}', for: 15m }}")]))]).faults;
        let [fault] = &faults[..] else { panic!("{expr}: {faults:?}") };
        assert_eq!(fault.code.id, "W2084", "{expr}");
        assert!(fault.message.contains(says), "{expr}: {}", fault.message);
    }
}

/// As GitLab's runbooks had it: 14.4 times a budget of 30 % is more than everything, behind a guard of little traffic, over shares that are recorded elsewhere.
#[test]
fn a_burn_rate_that_no_outage_reaches_is_told_with_the_fastest_one() {
    let of = |over: &str, factor: &str| format!("gitlab_component_errors:ratio_{over}{{type=\"sidekiq\"}} > ({factor} * 0.300000)");
    let row = |long: &str, short: &str, factor: &str| format!("({} and {})", of(long, factor), of(short, factor));
    let guard = "and on (type) (sum by (type) (gitlab_component_ops:rate_1h) >= 1)";
    let expr = format!("({} or {}) {guard}", row("1h", "5m", "14.4"), row("6h", "30m", "6"));
    let faults = convert(&[("rules.yaml", &file(&[format!("{{ alert: ErrorSLOViolation, expr: '{expr}', for: 2m }}")]))]).faults;
    let [fault] = &faults[..] else { panic!("{faults:?}") };
    assert_eq!(fault.code.id, "W2084");
    assert!(fault.message.contains("a ratio between 0 and 1, so `> 4.32` never holds"), "{}", fault.message);
    let help = fault.help.join(" ");
    assert!(
        help.contains("burns a budget of 30 % no faster than 3.33 times") && help.contains("a budget below 6.94 % for 14.4 times"),
        "{help}"
    );
    let slow = format!("{{ alert: Slow, expr: '{}', for: 2m }}", of("6h", "6"));
    let faults = convert(&[("rules.yaml", &file(&[slow]))]).faults;
    assert!(faults[0].message.contains("`> 1.8` never holds"), "{}", faults[0].message);
}

#[test]
fn what_always_or_never_holds_beside_another_condition_takes_nothing_from_that() {
    let share = "sum(rate(m{code=\"500\"}[5m])) / sum(rate(m[5m])) > 0.05";
    let of = |expr: &str| {
        let imported = convert(&[("rules.yaml", &file(&[format!("{{ alert: A, expr: '{expr}', labels: {{ severity: page }} }}")]))]);
        (imported.documents.len(), imported.faults.iter().any(|fault| fault.code.id == "W2084"))
    };
    assert_eq!(of(&format!("{share} or avg(up) > 2")), (1, false), "an alternative that never holds");
    assert_eq!(of(&format!("{share} and count(up) > 0")), (0, false), "a guard that holds wherever there is something is no mistake");
    assert_eq!(of(&format!("{share} unless avg(up) > 2")), (0, false));
    assert_eq!(of("avg(up) > 2 or avg(up) >= 0"), (0, true));
}

#[test]
fn two_lookbacks_without_a_burn_rate_are_told_what_to_write() {
    let share = |lookback: &str| format!("sum(rate(m{{code=\"500\"}}[{lookback}])) / sum(rate(m[{lookback}])) > 0.0144");
    let rule =
        |labels: &str| format!("{{ alert: Plain, expr: '{} and {}', labels: {{ severity: page{labels} }} }}", share("1h"), share("5m"));
    let imported = convert(&[("rules.yaml", &file(&[rule("")]))]);
    let said: Vec<String> = imported.faults.iter().map(ToString::to_string).collect();
    assert!(
        said[0].contains("its lookbacks are compared with a number of which neither a burn rate nor a budget can be read (W2101)"),
        "{said:?}"
    );
    assert_eq!(loaded(&convert(&[("rules.yaml", &file(&[rule(", burn_rate: \"14.4\"")]))]))[0].objectives[0].target.as_percent(), "99.9");
}

#[test]
fn a_service_that_the_recording_rule_names_is_not_that_of_the_group() {
    let ratio = |over: &str| format!("sum(rate(e[{over}])) / sum(rate(t[{over}]))");
    let record = |over: &str, labels: &str| format!("{{ record: 'r:{over}', expr: '{}', labels: {{ {labels} }} }}", ratio(over));
    let told = |labels: &str| {
        let alert = "{ alert: Burns, expr: 'r:1h > 14.4 * 0.001 and r:5m > 14.4 * 0.001', labels: { severity: page, team: a } }";
        let text = file(&[record("1h", labels), record("5m", labels), alert.to_owned()]);
        let imported = convert(&[("rules.yaml", &text)]);
        let service = loaded(&imported)[0].id.service.to_string();
        (service, imported.faults.iter().any(|fault| fault.message.contains("the name of the group is taken")))
    };
    assert_eq!(told("slo: basket, service: shop"), ("shop".to_owned(), false));
    assert!(told("slo: basket").1);
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

/// The one thing that is said of rules, as it is shown.
fn said_of(rules: &[String]) -> String {
    let faults = convert(&[("rules.yaml", &file(rules))]).faults;
    let of_rules = faults.iter().filter(|fault| fault.message.contains("is not carried over"));
    of_rules.map(|fault| fault.render(Colour::Never)).collect::<Vec<_>>().join("\n\n")
}

#[test]
fn an_alert_of_an_sli_that_another_one_stands_for_is_told_which_slo_covers_it() {
    let share = |lookback: &str| format!("sum(rate(m{{code=\"500\"}}[{lookback}])) / sum(rate(m[{lookback}]))");
    let burns = format!(
        "{{ alert: Burns, expr: '{} > 14.4 * 0.001 and {} > 14.4 * 0.001', labels: {{ severity: page, service: shop, team: a }} }}",
        share("1h"),
        share("5m")
    );
    let errors = format!("{{ alert: Errors, expr: '{} > 0.05', labels: {{ severity: page, service: shop, team: a }} }}", share("5m"));
    insta::assert_snapshot!(said_of(&[burns, errors]));
}

#[test]
fn a_rule_that_is_no_promql_is_told_what_is_wrong_and_where() {
    let broken = "{ alert: Broken, expr: 'sum(rate(x[5m)) > 3', labels: { severity: page } }".to_owned();
    insta::assert_snapshot!(said_of(&[broken]));
}

/// What is told of one rule of critical severity, and what is loaded of it.
fn of_one(expr: &str) -> (Vec<burnward_core::slo::Slo>, Vec<String>) {
    let rule = format!("{{ alert: Burns, expr: '{expr}', labels: {{ service: shop, team: web, severity: critical }} }}");
    let imported = convert(&[("rules.yaml", &file(&[rule]))]);
    let said = imported.faults.iter().map(|fault| fault.message.clone()).collect();
    (loaded(&imported), said)
}

#[test]
fn an_alert_over_one_lookback_gets_a_short_one_that_holds_two_scrapes_and_that_is_told() {
    for (range, short) in [("5m", "2m"), ("1h", "5m"), ("2m", "1m")] {
        let (slos, said) = of_one(&format!("sum(rate(m_bad_total[{range}])) / sum(rate(m_total[{range}])) > 14.4 * 0.001"));
        let row = slos[0].objectives[0].rows[0];
        assert_eq!(crate::definition::row_words(&row), format!("page 14.4x {range}/{short}"));
        let told = format!(
            "the alert `Burns` looks back over {range} alone, and a row over two lookbacks: `short: {short}`, by which it ends sooner"
        );
        assert!(said.contains(&told), "{said:?}");
    }
}

#[test]
fn sums_of_recorded_sides_and_shares_of_values_are_found_and_different_ranges_told() {
    let recorded = |name: &str, metric: &str| format!("{{ record: '{name}', expr: 'sum by (pod) (rate({metric}[5m]))' }}");
    let alert = "{ alert: Burns, expr: 'sum(job:errs:rate5m) / sum(job:reqs:rate5m) > 0.05', labels: { service: shop, team: web, severity: critical } }";
    let rules = [recorded("job:errs:rate5m", "e_total"), recorded("job:reqs:rate5m", "t_total"), alert.to_owned()];
    let imported = convert(&[("rules.yaml", &file(&rules))]);
    let slos = loaded(&imported);
    assert_eq!(
        slos[0].sli.selectors().iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["e_total", "t_total"],
        "{:?}",
        imported.faults
    );
    assert!(slos[0].per.is_empty());
    let (slos, _) = of_one("count(up{job=\"x\"} == 0) / count(up{job=\"x\"}) > 0.5");
    assert_eq!(
        slos[0].sli.expressions().iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["count(up{job=\"x\"} == 0)", "count(up{job=\"x\"})"]
    );
    let (_, said) = of_one("sum(increase(e_total[5m])) / sum(increase(t_total[10m])) > 0.01");
    let told = "the bad events are of 5m, and all events of 10m, so that their ratio is of no one stretch of time: both are counted over the same one";
    assert_eq!(said.iter().filter(|said| *said == told).count(), 1, "{said:?}");
}

#[test]
fn why_several_lookbacks_make_no_row_is_what_is_wrong_with_them() {
    let share =
        |metric: &str, range: &str| format!("sum(rate({metric}_bad_total[{range}])) / sum(rate({metric}_total[{range}])) > 14.4 * 0.01");
    let why =
        |parts: &[String]| of_one(&parts.join(" and ")).1.into_iter().find(|said| said.contains("is not carried over")).unwrap_or_default();
    let other = why(&[share("a", "1h"), share("b", "5m")]);
    assert!(
        other.contains("its lookbacks are of different shares, `sum(increase(a_bad_total[1m])) / sum(increase(a_total[1m]))` and "),
        "{other}"
    );
    let three = why(&[share("a", "1h"), share("a", "5m"), share("a", "2m")]);
    assert!(three.contains("it compares shares over 3 lookbacks at once"), "{three}");
}

#[test]
fn an_object_of_kubernetes_names_the_team_for_its_rules() {
    let rules = file(&[plain("a", "0.01", "{ service: shop, severity: critical }")]);
    let text = format!(
        "apiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\nmetadata: {{ name: x, labels: {{ team: plat, release: prom }} }}\nspec: {{ {rules} }}\n"
    );
    let imported = convert(&[("rules.yaml", &text)]);
    assert_eq!(loaded(&imported)[0].team.as_str(), "plat");
    let lost: Vec<&str> = imported.faults.iter().filter(|fault| fault.code.id == "W2101").map(|fault| fault.message.as_str()).collect();
    assert_eq!(lost, ["the label `release` is not carried over"]);
}

#[test]
fn a_ratio_of_gauges_series_by_series_is_added_up_and_a_page_that_no_row_leads_to_is_told() {
    let (slos, said) = of_one("kube_deployment_status_replicas_available{ns=\"p\"} / kube_deployment_spec_replicas{ns=\"p\"} < 0.99");
    let asked: Vec<String> = slos[0].sli.expressions().iter().map(ToString::to_string).collect();
    assert_eq!(asked, ["sum(kube_deployment_status_replicas_available{ns=\"p\"})", "sum(kube_deployment_spec_replicas{ns=\"p\"})"]);
    assert!(said.iter().any(|said| said.ends_with("both are added up all together")), "{said:?}");
    let (_, said) = of_one("count(up{job=\"x\"} == 0) / count(up{job=\"x\"}) > 0.5");
    let told = "at a target of 50% no burn is as fast as the rows that page, so nobody is paged";
    assert!(said.iter().any(|said| said == told), "{said:?}");
}
