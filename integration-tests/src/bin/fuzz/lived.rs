//! Texts that are lived through: recorded samples, tests beside SLOs, and what lies beside documents. Each in a bounded piece.

use std::{collections::BTreeSet, fs, path::PathBuf, sync::Arc, time::Duration};

use burnward::{
    config::Config,
    definition::{
        Colour, Diagnostic,
        case::{Case, Ready, SloRef, Slos},
        links, marked, read_texts, runbook,
    },
    replay::{self, Backtest, Past, Seen, recorded},
};
use burnward_core::{time::minutes, window::Interval};

use super::{LONGEST, NOW, context};

/// Rounds of a replay at most.
const ROUNDS: u32 = 60;
/// A test that lasts longer, or leaves more scrapes than so many, is read and not run.
const LONGEST_TEST: Duration = minutes(150);
const MOST_SCRAPES: u64 = 2_000;

/// What recorded samples are judged by.
const JUDGED: &str = r"version: burnward/v1
service: a
team: a
slos:
  - name: events
    sli: { events: { bad: 'hits_total{code=~`5..`}', total: 'hits_total' } }
    per: [job]
    objectives: [{ target: 99%, window: 1d }]
  - name: latency
    sli: { latency: { histogram: 'request_seconds', within: 500ms } }
    objectives: [{ target: 99%, window: 30d, counted-in: { slices: 1m, good-if-at-least: 90% } }]
  - name: probe
    sli: { probe: 'up' }
    objectives: [{ target: 99%, window: 1d }]
";

/// SLOs whose tests stand in a file of their own.
const TESTED: &str = r"version: burnward/v1
service: shop
team: a
slos:
  - name: events
    sli: { events: { bad: 'hits_total{code=~`5..`}', total: 'hits_total' } }
    per: [job]
    objectives: [{ target: 99%, window: 1d }]
";

/// Recorded samples of what `JUDGED` reads.
pub(super) fn recordings() -> Vec<String> {
    let lines = |of: &dyn Fn(u64) -> String| (0..40).map(|at| of(at) + "\n").collect::<String>();
    let start = 1_763_900_000;
    vec![
        format!(
            "# TYPE hits counter\n{}{}# EOF\n",
            lines(&|at| format!("hits_total{{job=\"a\",code=\"200\"}} {} {}", at * 50, start + at * 30)),
            lines(&|at| format!("hits_total{{job=\"a\",code=\"500\"}} {} {}", at % 17, start + at * 30))
        ),
        format!(
            "# TYPE request_seconds histogram\n{}{}# EOF\n",
            lines(&|at| format!("request_seconds_bucket{{le=\"0.5\"}} {} {}", at * 3, start + at * 15)),
            lines(&|at| format!("request_seconds_bucket{{le=\"+Inf\"}} {} {}", at * 4, start + at * 15))
        ),
        format!("# TYPE up gauge\n{}# EOF\n", lines(&|at| format!("up {} {}", at % 7 / 6, start + at * 60))),
    ]
}

/// Documents of tests alone.
pub(super) const OWN_FILE: &str = r"version: burnward/v1
tests:
  - name: a bad hour
    slo: shop/events
    begins: 2026-03-29T00:30:00Z
    lasts: 2h
    scraped: 30s
    traffic:
      - { labels: { job: a }, constant: 5/s, failing: [{ share: 30%, from: 30m, to: 45m }] }
      - { labels: { job: b }, trickle: 10/h, failing: [{ share: 10%, from: 1h, to: 2h }] }
    happens: [{ deploy: { at: 40m } }, { gap: { from: 50m, to: 1h } }]
    expect:
      - page: { from: 30m, to: 40m, group: { job: a } }
      - budget: { above: 10%, group: { job: b } }
";

/// Incidents of a file, as a backtest compares with them.
pub(super) const INCIDENTS: &str = r"version: burnward/v1
incidents:
  - { name: payments down, service: shop, from: 2026-11-04T02:10:00Z, to: 2026-11-04T02:24:00Z }
  - { name: search slow, service: search, slo: latency, from: 2026-11-05T10:00:00+01:00, to: 2026-11-05T11:00:00+01:00 }
";

fn wait<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(work)
}

/// Reads samples, and lives through the beginning of what they tell.
pub(super) fn recorded(text: &str) {
    let samples = match recorded::read_from(text.as_bytes(), NOW) {
        Ok(samples) => samples,
        Err(error) => return assert!(error.to_string().len() < LONGEST * 8, "the error is too long"),
    };
    let Some(reach) = samples.reach() else { return };
    let config = Arc::new(Config::default());
    let asked = Interval { from: reach.from, to: reach.to.min(reach.from.plus(config.tick * ROUNDS)) };
    let context = context();
    let slos = read_texts([(PathBuf::from("slo.yaml"), JUDGED.to_owned())], &context).slos;
    assert_eq!(slos.len(), 3, "what judges them loads");
    let past = Past::Samples(samples);
    let lived = wait(async {
        let seen = Seen::of(&past, vec![slos], asked).await.expect("samples at hand answer");
        drop(seen.sentences("the file"));
        let slos = seen.sets.into_iter().next().unwrap_or_default();
        let backtest = Backtest { tenant: context.tenant, source: context.source, slos, changes: Vec::new(), span: seen.span };
        backtest.run(past, &config, |_| {}).await.expect("samples at hand answer")
    });
    for alarm in lived.iter().flat_map(|lived| &lived.alarms) {
        // What burns begins with its slice, of a minute at most.
        let began = alarm.began();
        assert!(asked.from.minus(minutes(1)) <= began && began <= asked.to, "it fired outside of what was lived through");
    }
}

/// Reads tests, beside their SLOs and as a file of their own, and runs those that are short.
pub(super) fn tests(text: &str) {
    let name = |name: &str| PathBuf::from(name);
    let beside = vec![(name("slo.yaml"), text.to_owned())];
    let alone = vec![(name("slo.yaml"), TESTED.to_owned()), (name("a.slotest.yaml"), text.to_owned())];
    let config = Arc::new(Config::default());
    for texts in [beside, alone] {
        let loaded = read_texts(texts, &context());
        shown(loaded.diagnostics());
        let slos: Slos = loaded.slos.iter().map(|slo| (SloRef::of(slo), Arc::clone(slo))).collect();
        for case in loaded.tests.iter().take(2) {
            match case.ready(&slos) {
                Ok(ready) if is_short(case, &ready) => {
                    let outcome = wait(replay::run(case, &ready, &config));
                    assert!(replay::draw(case, &outcome).len() < LONGEST * 8, "the drawing is too long");
                }
                Ok(_) => {}
                Err(faults) => shown(faults.iter()),
            }
        }
    }
}

fn is_short(case: &Case, ready: &Ready<'_>) -> bool {
    let scrapes = (case.lasts.as_secs() / case.scraped.as_secs().max(1) + 1).saturating_mul(ready.traffic.len() as u64);
    case.lasts <= LONGEST_TEST && scrapes <= MOST_SCRAPES && ready.slos.len() <= 4
}

/// Reads a runbook with its links, and incidents of a file.
pub(super) fn beside(text: &str) {
    drop(runbook::parse(text));
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("a.md");
    fs::write(&file, text).expect("written");
    shown(links::of(directory.path(), "a.md").dead.iter());
    if let Err(faults) = marked::read(&file, &BTreeSet::new()) {
        shown(faults.iter());
    }
}

/// Each diagnostic is shown in every form.
fn shown<'d>(faults: impl Iterator<Item = &'d Diagnostic>) {
    let bytes: usize =
        faults.map(|fault| fault.render(Colour::Always).len() + fault.to_github("a.yaml").len() + fault.to_json().to_string().len()).sum();
    assert!(bytes < 16 << 20, "{bytes} bytes of diagnostics");
}
