//! `burnward check --source --cost`: what one tick asks of a source, SLO by SLO, measured by asking it once as a tick does. The source's own work is not
//! seen from here; how long its answer took is.

use std::{fmt, sync::Arc, time::Duration};

use burnward_core::{
    ledger::{Plan, Query, Unknown},
    slo::Slo,
    time::{Timestamp, minutes},
    words,
};
use futures_util::{StreamExt as _, stream};
use serde_json::{Value, json};
use tokio::time::{Instant, timeout_at};

use crate::{
    cli::table::Table,
    definition::duration,
    source::{Answer, prometheus::Prometheus},
};

/// All questions take no longer.
const WITHIN: Duration = minutes(1);
/// SLOs that are asked for at once.
const AT_ONCE: usize = 4;

/// What one tick asks of one source.
#[derive(Debug)]
pub(super) struct Costs {
    source: String,
    tick: Duration,
    /// How far back a tick reads.
    span: Duration,
    /// The questions of one tick for all SLOs together: equal ones, and those that a wider one serves, are asked once.
    together: usize,
    slos: Vec<(Arc<Slo>, Result<Cost, String>)>,
}

/// How often a source is read, and for how long samples may come late.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    pub(super) tick: Duration,
    pub(super) settle: Duration,
}

/// What one SLO costs alone.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Cost {
    questions: usize,
    series: usize,
    samples: usize,
    bytes: usize,
    took: Duration,
}

impl Costs {
    /// Asks for each SLO alone what a tick asks for: what came since the last one, and before it what is not settled, since samples may still come late.
    pub(super) async fn of(name: &str, source: &Prometheus, slos: &[Arc<Slo>], Pace { tick, settle }: Pace, now: Timestamp) -> Self {
        let deadline = Instant::now() + WITHIN;
        let questions: Vec<_> = slos.iter().map(|slo| timeout_at(deadline, cost(source, slo, settle + tick, now))).collect();
        let answers: Vec<_> = stream::iter(questions).buffered(AT_ONCE).collect().await;
        let answers = answers.into_iter().map(|answer| match answer {
            Ok(answer) => answer.map_err(|unknown: Unknown| unknown.to_string()),
            Err(_) => Err(format!("not asked within {}", duration::format(WITHIN))),
        });
        let together = Plan::new(slos).asked_for_events().len();
        Self { source: name.to_owned(), tick, span: settle + tick, together, slos: slos.iter().cloned().zip(answers).collect() }
    }

    /// As data.
    pub(super) fn to_json(&self) -> Value {
        let slos = self.slos.iter().map(|(slo, cost)| match cost {
            Ok(Cost { questions, series, samples, bytes, took }) => json!({
                "slo": name(slo), "questions": questions, "series": series, "samples": samples, "bytes": bytes, "took_seconds": took.as_secs_f64(),
            }),
            Err(why) => json!({ "slo": name(slo), "not_asked": why }),
        });
        json!({ "source": self.source, "tick_seconds": self.tick.as_secs_f64(), "read_back_seconds": self.span.as_secs_f64(), "questions_together": self.together, "slos": slos.collect::<Vec<_>>() })
    }
}

fn name(slo: &Slo) -> String {
    format!("{}/{}", slo.id.service, slo.id.name)
}

async fn cost(source: &Prometheus, slo: &Arc<Slo>, span: Duration, now: Timestamp) -> Result<Cost, Unknown> {
    let mut cost = Cost::default();
    for query in Plan::new(std::slice::from_ref(slo)).asked_for_events() {
        let Answer { series, bytes, took } = match &query {
            Query::Raw(selector) => source.read(selector, now.minus(span), now).await,
            Query::Histograms(selector) => source.read_histograms(selector, now.minus(span), now).await,
            Query::Stepped { expression, step } => {
                let before = u32::try_from(span.as_millis() / step.as_millis().max(1)).unwrap_or(u32::MAX).max(1);
                source.read_steps(expression.as_str(), now.minus(step.saturating_mul(before)), now, *step).await
            }
        }?;
        cost.questions += 1;
        cost.series += series.len();
        cost.samples += series.iter().map(|series| series.samples.len()).sum::<usize>();
        cost.bytes += bytes;
        cost.took += took;
    }
    Ok(cost)
}

/// The most samples first.
impl fmt::Display for Costs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { source, tick, span, together, slos } = self;
        let questions = words::plural(*together, "question");
        let (tick, span) = (duration::format(*tick), duration::format(*span));
        writeln!(f, "A tick of {tick} asks {source} {questions} for {}, each about the last {span}:", words::plural(slos.len(), "SLO"))?;
        let mut table = Table::new(&["SLO", "QUESTIONS", "SERIES", "SAMPLES", "BYTES", "ANSWERED IN"]);
        let mut sorted: Vec<&(Arc<Slo>, Result<Cost, String>)> = slos.iter().collect();
        sorted.sort_by_key(|(_, cost)| std::cmp::Reverse(cost.as_ref().map_or(usize::MAX, |cost| cost.samples)));
        for (slo, cost) in sorted {
            table.row(match cost {
                Ok(Cost { questions, series, samples, bytes, took }) => {
                    let mut cells = vec![name(slo)];
                    cells.extend(
                        [questions, series, samples, bytes].map(|number| words::grouped(i64::try_from(*number).unwrap_or(i64::MAX))),
                    );
                    cells.push(format!("{} ms", took.as_millis()));
                    cells
                }
                Err(why) => vec![name(slo), why.clone()],
            });
        }
        table.fmt(f)
    }
}
