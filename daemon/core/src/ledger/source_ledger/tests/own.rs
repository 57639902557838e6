//! What of the answers is counted for one budget.

use super::*;

fn shown(daemon: &Daemon, slo: &str, group: &[(&str, &str)]) -> Vec<String> {
    let group = Group::new(group.iter().map(|(label, value)| ((*label).to_owned(), (*value).to_owned())).collect());
    let part = |part: OwnPart| {
        let own = part.own.map_or_else(|| "-".to_owned(), |own| own.to_string());
        format!("{}: {own} of {}: {}", part.what, part.asked, part.series.map_or_else(|| "?".to_owned(), |series| series.to_string()))
    };
    daemon.ledger.own_parts(&fixture::slo_id(slo), &group).into_iter().map(part).collect()
}

#[test]
fn a_group_has_the_series_with_its_labels_of_an_answer_that_serves_many() {
    let mut source = Source::default();
    for second in (-600_i32..600).step_by(15) {
        for (tenant, codes) in [("p", ["200", "500"].as_slice()), ("q", &["200"]), ("r", &["200"]), ("s", &["200"])] {
            for code in codes {
                source.put(
                    &[("__name__", "m"), ("job", "x"), ("instance", "a"), ("tenant", tenant), ("code", code)],
                    at(second.into()),
                    f64::from(second),
                );
            }
        }
        source.put(&[("__name__", "up"), ("job", "x"), ("instance", "a")], at(second.into()), 1.0);
    }
    let slos = vec![fixture::availability_per("a", r#"m{job="x"}"#, &[("code", MatchOp::Regex, "5..")], &["tenant"])];
    let settings = Settings { settle: minutes(1), max_groups_per_slo: 2, history: true };
    let mut daemon = Daemon::start_with(slos, settings, at(0));
    daemon.tick(&source, at(590));
    assert_eq!(
        shown(&daemon, "a", &[("tenant", "p")]),
        [r#"bad events: m{code=~"5..",job="x",tenant="p"} of m{job="x"}: 1"#, r#"all events: m{job="x",tenant="p"} of m{job="x"}: 2"#,]
    );
    assert_eq!(
        shown(&daemon, "a", &[("tenant", "(other)")]),
        [r#"bad events: - of m{job="x"}: 0"#, r#"all events: - of m{job="x"}: 2"#],
        "no selector tells the series of all that were too many"
    );
    assert_eq!(shown(&daemon, "a", &[("tenant", "nobody")])[1], r#"all events: m{job="x",tenant="nobody"} of m{job="x"}: 0"#);
    assert_eq!(shown(&daemon, "unknown", &[]), Vec::<String>::new());
}

#[test]
fn a_threshold_has_the_buckets_of_its_boundary_alone() {
    let daemon = Daemon::start(vec![fixture::latency("a", 1.0, None)], at(0));
    let shown = shown(&daemon, "a", &[]);
    assert!(shown[0].starts_with(r#"good events: h_bucket{job="x",le=~""#), "{shown:?}");
    assert!(shown[1].starts_with(r#"all events: h_bucket{job="x",le="+Inf"} of h_bucket{job="x",le=~""#), "{shown:?}");
}
