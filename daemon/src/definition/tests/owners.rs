//! Who is woken for an SLO that pages: somebody, or a channel that nobody reads at night.

use std::path::Path;

use super::{GOOD, codes, context, rendered};
use crate::{
    config,
    definition::{
        Source,
        document::{self, Context, Teams, version_of},
    },
};

/// The codes that a document gets beside such teams.
fn advised(document: &str, teams: &str) -> (Vec<&'static str>, String) {
    let text = format!("version: burnward/v1\npeople: {{ ada: {{ slack: U1A }} }}\nteams: {{ payments: {teams} }}\n");
    let config = config::parse(Path::new("burnward.yaml"), &text).expect("it loads");
    let context = Context { teams: Teams::of(&config.teams), ..context() };
    let (_, mut advice) = document::read(&Source::new("slo.yaml", document), &version_of(document), &context).expect("it loads");
    advice.retain(|fault| fault.code.id != "W2010");
    (advice.iter().map(|fault| fault.code.id).collect(), rendered(&advice))
}

const CHANNEL: &str = "{ channel: '#payments' }";

#[test]
fn an_slo_that_pages_a_channel_alone_is_told_where_its_team_stands() {
    insta::assert_snapshot!(advised(GOOD, CHANNEL).1, @r"
    warning[W2021]: `availability` pages, and nobody in the team `payments` is woken
     --> slo.yaml:3:7
      |
    3 | team: payments
      |       ^^^^^^^^ its escalation names channels alone
      |
      = help: add `escalation: [{ page: [NAME] }]` to the team in burnward.yaml, or set `alerting: ticket` where nobody is to get up
    ");
}

#[test]
fn a_person_anywhere_in_the_escalation_is_somebody() {
    for teams in [
        "{ channel: '#payments', escalation: [{ page: [ada] }] }",
        "{ channel: '#a', escalation: [{ page: '#a' }, { page: [ada, '#b'] }] }",
    ] {
        assert_eq!(advised(GOOD, teams).0, [""; 0], "{teams}");
    }
    assert_eq!(advised(GOOD, "{ channel: '#payments', escalation: [{ page: '#payments' }, { page: ['#leads'] }] }").0, ["W2021"]);
}

#[test]
fn what_opens_tickets_alone_needs_nobody_at_night() {
    let tickets = GOOD.replace("window: 30d", "window: 30d\n        alerting: ticket");
    assert_eq!(advised(&tickets, CHANNEL).0, [""; 0]);
    assert_eq!(advised(&format!("{tickets}    no-data: {{ after: 10m, then: page }}\n"), CHANNEL).0, ["W2021"]);
    assert_eq!(advised(&GOOD.replace("team: payments", "team: operators"), CHANNEL).0, ["W2021"], "by default the operators are a channel");
}

#[test]
fn whatever_is_counted_has_a_team() {
    let journey = GOOD.replace("team: payments\n", "").replace(
        "events:\n        bad: 'http_requests_total{job=\"checkout\", code=~\"5..\"}'\n        total: 'http_requests_total{job=\"checkout\"}'",
        "composite: { all-of: [{ slo: checkout/a, good-if-at-least: 99% }, { slo: checkout/b, good-if-at-least: 99% }] }",
    );
    assert_eq!(codes(&journey), ["E1008"]);
}
