//! What is said of a foreign SLO that is none: each of its mistakes, and nothing of the rest of it that is not so.

use super::{convert, openslo, pyrra, sloth};
use crate::definition::{
    Severity, Source,
    yaml::{self, Node, Value},
};

/// What is said of a text: `E1007 4:13 message | help`.
fn said(text: &str) -> Vec<String> {
    let line = |fault: &crate::definition::Diagnostic| {
        let place = fault.place.positions().0;
        format!("{} {}:{} {} | {}", fault.code.id, place.line, place.column, fault.message, fault.help.join(" | "))
    };
    convert(&[("a.yaml", text)]).faults.iter().map(line).collect()
}

/// The same of errors alone, without their advice.
fn errors(text: &str) -> Vec<String> {
    let faults = convert(&[("a.yaml", text)]).faults;
    let errors = faults.iter().filter(|fault| fault.severity() == Severity::Error);
    errors.map(|fault| format!("{} {}", fault.code.id, fault.message)).collect()
}

fn values(node: &Node, found: &mut Vec<std::ops::Range<usize>>) {
    match &node.value {
        Value::Scalar { .. } => found.push(node.range.clone()),
        Value::List(items) => items.iter().for_each(|item| values(item, found)),
        Value::Map(entries) => entries.iter().for_each(|entry| values(&entry.value, found)),
    }
}

#[test]
fn a_value_that_cannot_be_read_makes_no_other_line_one_that_nothing_stands_for() {
    let nothing = |text: &str| said(text).into_iter().filter(|said| said.contains("nothing here stands for it")).collect::<Vec<_>>();
    let mut tried = 0;
    for text in [sloth::FILE, sloth::OBJECT, sloth::WINDOWS, openslo::SLO, openslo::THRESHOLD, openslo::ALPHA, pyrra::RATIO] {
        let whole = nothing(text);
        let mut places = Vec::new();
        for root in &yaml::parse_all(&Source::new("a.yaml", text)).expect("it is YAML") {
            values(root, &mut places);
        }
        for place in places {
            let what = &text[place.clone()];
            if ["openslo/", "sloth.slok", "pyrra.dev", "prometheus/v1"].iter().any(|api| what.contains(api)) || what.contains('\n') {
                continue;
            }
            let broken = format!("{}'?!'{}", &text[..place.start], &text[place.end..]);
            let of_the_kind = text[..place.start].ends_with("kind: ");
            let more: Vec<String> = nothing(&broken).into_iter().filter(|said| !whole.contains(said) && !of_the_kind).collect();
            assert!(more.is_empty(), "`{what}` at {place:?}: {more:#?}\n{broken}");
            tried += 1;
        }
    }
    assert!(tried > 100, "{tried}");
}

const TRAP: &str = "apiVersion: openslo/v1
kind: SLO
metadata: { name: web, labels: { team: shop } }
spec:
  service: web
  indicator: { spec: { ratioMetric: { good: { metricSource: { spec: { query: g_total } } }, total: { metricSource: { spec: { query: t_total } } } } } }
  timeWindow: [{ duration: 1m, isRolling: false, calendar: { startTime: '2022-01-01 00:00:00', timeZone: America/New_York } }]
  budgetingMethod: Occurrences
  objectives: [{ op: gte, value: 1, target: 0.99 }]
  alertPolicies: []
";

#[test]
fn a_window_of_minutes_is_all_that_is_wrong() {
    let minutes = "E1503 7:28 the window is of minutes: in OpenSLO `m` is a minute, and a month is `M` | write `1M` for a month, or `30d` for thirty days";
    assert_eq!(said(TRAP), [minutes]);
}

#[test]
fn an_slo_shows_all_of_its_mistakes() {
    let text = TRAP
        .replace("query: g_total", "query: 'sum('")
        .replace("budgetingMethod: Occurrences", "budgetingMethod: Events")
        .replace("target: 0.99", "target: 1")
        .replace("alertPolicies: []", "alertPolicies: [none]");
    assert_eq!(
        errors(&text),
        [
            "E1502 the query cannot be read as PromQL: `(` is not closed",
            "E1503 the window is of minutes: in OpenSLO `m` is a minute, and a month is `M`",
            "E1007 `Events` is not a budgeting method",
            "E1504 there is no AlertPolicy `none` in what is read",
            "E1042 target must be below 100 %",
        ]
    );
    let sloth = "version: prometheus/v1\nservice: web\nlabels: { team: shop }\nslos: [{ name: a, objective: 100, sli: { events: { error_query: 'sum(', total_query: t } } }]\n";
    assert_eq!(errors(sloth), ["E1502 the error query cannot be read as PromQL: `(` is not closed", "E1042 target must be below 100 %"]);
    assert_eq!(convert(&[("a.yaml", sloth)]).documents, []);
    let pyrra = pyrra::RATIO.replace("4w", "1mo").replace("target: \"99.5\"", "target: \"100\"");
    assert_ne!(pyrra, pyrra::RATIO);
    let pyrra: Vec<String> = errors(&pyrra).iter().map(|said| said[..5].to_owned()).collect();
    assert_eq!(pyrra, ["E1046", "E1042"]);
}

#[test]
fn a_key_that_is_misspelt_is_told_with_the_one_that_is_meant() {
    let text = "version: prometheus/v1
service: web
labels: { team: shop }
slos:
  - name: a
    objectiv: 95
    descripton: the web answers
    sli: { events: { eror_query: 'sum(rate(e[{{.window}}]))', total_query: 'sum(rate(t[{{.window}}]))' } }
";
    assert_eq!(
        said(text),
        [
            "E1006 6:5 unknown key `objectiv` | did you mean `objective`?",
            "W2101 7:5 `descripton` is not carried over | did you mean `description`?",
            "E1502 8:22 an SLI of events has an error_query and a total_query | name both",
            "W2101 8:22 `eror_query` is not carried over | did you mean `error_query`?",
        ]
    );
}

#[test]
fn percent_where_openslo_takes_a_share_is_told_with_the_share() {
    for (target, meant) in [("99", "0.99"), ("99.5", "0.995"), ("99.90", "0.999"), ("95.", "0.95"), ("5", "0.05"), ("50.25", "0.5025")] {
        let expected = format!("`target: {target}` is not a share of one | write `target: {meant}`, or `targetPercent: {target}`");
        assert!(said(&TRAP.replace("target: 0.99", &format!("target: {target}"))).iter().any(|said| said.ends_with(&expected)), "{target}");
    }
    for target in ["100", "-1", "ninety", "0.9.9", "1e2"] {
        let expected = format!("`target: {target}` is not a share of one | write for example `target: 0.999`, or `targetPercent: 99.9`");
        assert!(said(&TRAP.replace("target: 0.99", &format!("target: {target}"))).iter().any(|said| said.ends_with(&expected)), "{target}");
    }
}

#[test]
fn a_query_that_is_no_promql_is_told_what_is_wrong_and_where() {
    let sloth = "version: prometheus/v1\nservice: web\nlabels: { team: shop }\nslos: [{ name: a, objective: 99, sli: { events: { error_query: 'sum(rate(a[{{.window}}])', total_query: t } } }]\n";
    let [told] = &said(sloth)[..] else { panic!("{:?}", said(sloth)) };
    assert!(told.starts_with("E1502 4:68 the error query cannot be read as PromQL: `(` is not closed |"), "{told}");
}

#[test]
fn a_share_where_the_other_tool_takes_percent_is_told_with_the_percentage() {
    let sloth = |target: &str| {
        format!(
            "version: prometheus/v1\nservice: web\nlabels: {{ team: shop }}\nslos: [{{ name: a, objective: {target}, sli: {{ events: {{ error_query: 'sum(rate(e[{{{{.window}}}}]))', total_query: 'sum(rate(t[{{{{.window}}}}]))' }} }} }}]\n"
        )
    };
    for (target, meant) in [("0.999", "99.9"), ("0.95", "95"), ("0.9", "90"), ("1", "99.9"), ("1.0", "99.9")] {
        let expected = format!(
            "E1007 4:30 `objective: {target}` is a share of one, and Sloth takes percent: it would be a target of {target} % | write `objective: {meant}`"
        );
        assert_eq!(said(&sloth(target)), [expected]);
    }
    assert_eq!(errors(&sloth("1.5")), Vec::<String>::new());
    let pyrra = pyrra::RATIO.replace("target: \"99.5\"", "target: \"0.995\"");
    let told: Vec<String> = said(&pyrra).into_iter().filter(|said| said.contains("0.995") || said.contains("the alert")).collect();
    let expected = "`target: 0.995` is a share of one, and Pyrra takes percent: it would be a target of 0.995 % | write `target: 99.5`";
    assert_eq!(told.iter().map(|said| said.splitn(3, ' ').nth(2).expect("a message")).collect::<Vec<_>>(), [expected]);
    let percent = openslo::SLO.replace("targetPercent: 99.5", "targetPercent: 0.995");
    assert!(
        said(&percent)
            .iter()
            .any(|said| said.contains("`targetPercent: 0.995` is a share of one") && said.ends_with("write `targetPercent: 99.5`"))
    );
}
