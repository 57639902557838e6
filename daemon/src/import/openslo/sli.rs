//! The indicator of an SLO: `ratioMetric` or `thresholdMetric`, within the SLO, in one of its objectives, or as an object of its own.

use std::ops::Range;

use super::Library;
use crate::{
    definition::{
        build::{map, quoted, word},
        codes,
        reader::{Reader, shortened},
        yaml::Node,
    },
    import::{
        expression::{self, Side},
        indicator::{self, Indicator, Plain, Query},
        stand_in,
        tree::{Fields, Told, pass_over, peek, peek_text, tell},
    },
};

/// What is measured.
#[derive(Debug, Clone)]
pub(super) enum Metric {
    /// Good or bad events of all.
    Ratio(Indicator),
    /// A value that each objective compares.
    Threshold(Query),
    /// One that could not be read, which was told of.
    Unread,
}

/// The indicator of an SLO; `None` where there is none.
pub(super) fn of_slo(reader: &mut Reader, spec: &Fields<'_>, library: &Library) -> Result<Option<Metric>, Told> {
    let (inline, reference) = (spec.get(reader, "indicator"), spec.get(reader, "indicatorRef"));
    let node = match (inline, reference) {
        (Some(inline), _) => inline.clone(),
        (None, Some(reference)) => library.find(reader, "SLI", reference).ok_or(Told)?,
        (None, None) => return Ok(None),
    };
    read_indicator(reader, &node, library).map(Some).ok_or(Told)
}

/// The indicator of an objective, likewise; of v1alpha `ratioMetrics:`.
pub(super) fn of_own(reader: &mut Reader, objective: &Fields<'_>, library: &Library) -> Result<Option<Metric>, Told> {
    if let Some(ratio) = objective.get(reader, "ratioMetrics") {
        return read_ratio(reader, ratio, library).map(|ratio| Some(Metric::Ratio(ratio))).ok_or(Told);
    }
    of_slo(reader, objective, library)
}

/// One that stands within an SLO, or an object of its own.
pub(super) fn read_indicator(reader: &mut Reader, node: &Node, library: &Library) -> Option<Metric> {
    let sli = Fields::of_object(reader, node, "an indicator")?;
    if let Some(metadata) = sli.metadata(reader) {
        metadata.finish(reader);
    }
    let spec = sli.get(reader, "spec");
    let read = match spec {
        Some(spec) => {
            let spec = Fields::of(reader, spec, "`spec`")?;
            let read = read_metric_kind(reader, &spec, library);
            spec.finish(reader);
            read
        }
        // Of v1alpha.
        None => read_metric_kind(reader, &sli, library),
    };
    sli.finish(reader);
    read
}

fn read_metric_kind(reader: &mut Reader, spec: &Fields<'_>, library: &Library) -> Option<Metric> {
    match (spec.get(reader, "ratioMetric"), spec.get(reader, "thresholdMetric")) {
        (Some(ratio), _) => read_ratio(reader, ratio, library).map(Metric::Ratio),
        (None, Some(threshold)) => read_query(reader, threshold, "the query", library).map(Metric::Threshold),
        (None, None) => {
            let place = spec.place();
            let message = "the indicator has neither a ratioMetric nor a thresholdMetric";
            tell(reader, &codes::FOREIGN_SLI, &place, message, "name the good (or bad) and all events as `ratioMetric:`");
            None
        }
    }
}

fn read_ratio(reader: &mut Reader, node: &Node, library: &Library) -> Option<Indicator> {
    let ratio = Fields::of(reader, node, "a ratio")?;
    let counter = ratio.flag(reader, "counter");
    let incremental = ratio.flag(reader, "incremental");
    let (good, bad, total) = (ratio.get(reader, "good"), ratio.get(reader, "bad"), ratio.get(reader, "total"));
    let raw = ratio.get(reader, "raw").zip(Some(ratio.text(reader, "rawType")));
    let place = ratio.place();
    ratio.finish(reader);
    if let Some((raw, kind)) = raw {
        let query = read_query(reader, raw, "the ratio", library);
        let side = match kind {
            Some((_, "failure")) => Side::Bad,
            Some((_, "success")) => Side::Good,
            Some((node, other)) => {
                let message = format!("`rawType: {}` is neither success nor failure", shortened(other));
                tell(reader, &codes::WRONG_TYPE, &node.range, message, "write success where the ratio is of good events");
                return None;
            }
            None => {
                tell(reader, &codes::MISSING_KEY, &place, "`raw` needs its `rawType`", "write success where the ratio is of good events");
                return None;
            }
        };
        return Some(indicator::of_ratio(reader, side, &query?));
    }
    let of_good = good.map(|good| read_query(reader, good, "the query", library));
    let of_bad = bad.map(|bad| read_query(reader, bad, "the query", library));
    let of_total = total.map(|total| read_query(reader, total, "the query of all events", library));
    let (side, part) = match (of_good, of_bad) {
        (Some(good), None) => (Side::Good, good),
        (None, Some(bad)) => (Side::Bad, bad),
        (Some(_), Some(_)) | (None, None) => {
            tell(reader, &codes::FOREIGN_SLI, &place, "a ratio has either good or bad events", "give one of `good:` and `bad:`");
            return None;
        }
    };
    let Some(total) = of_total else {
        tell(reader, &codes::FOREIGN_SLI, &place, "a ratio needs all events beside the good or bad ones", "add `total:`");
        return None;
    };
    let plain = match counter.or(incremental) {
        Some(true) => Plain::Counters,
        Some(false) => Plain::Intervals,
        None => Plain::Unsaid,
    };
    Some(indicator::of_parts(reader, side, &part?, &total?, plain))
}

/// Systems that answer PromQL.
const PROMQL: [&str; 8] = ["prometheus", "thanos", "mimir", "cortex", "victoriametrics", "amazonprometheus", "gcm-prometheus", "promql"];

/// A query: `metricSource: { type, spec: { query } }`, or of v1alpha `{ source, queryType, query }`.
fn read_query(reader: &mut Reader, node: &Node, of: &str, library: &Library) -> Option<Query> {
    let metric = Fields::of(reader, node, "a metric")?;
    let inner = metric.get(reader, "metricSource");
    if let Some(inner) = inner {
        metric.finish(reader);
        let source = Fields::of(reader, inner, "`metricSource`")?;
        let kind = source.text(reader, "type").map(|(node, kind)| (node.range.clone(), kind.to_owned()));
        let named = source.text(reader, "metricSourceRef").and_then(|(node, name)| kind_of_source(reader, node, name, library));
        let spec = source.required(reader, "spec");
        source.finish(reader);
        let spoken = is_promql(reader, kind.or(named));
        if spoken.is_none() {
            // What it says in another language was told of as a whole.
            pass_over(reader, inner);
        }
        let spec = Fields::of(reader, spec?, "`spec`")?;
        let query = spec.either(reader, "query", "promql").or_else(|| spec.get(reader, "expr"));
        let place = spec.place();
        spec.finish(reader);
        spoken?;
        let Some(query) = query else {
            tell(reader, &codes::FOREIGN_SLI, &place, "the metric source has no query", "write `spec: { query: ... }`");
            return None;
        };
        return indicator::query(reader, query, of);
    }
    let kind = metric.text(reader, "queryType").or(metric.text(reader, "source"));
    let kind = kind.map(|(node, kind)| (node.range.clone(), kind.to_owned()));
    let query = metric.required(reader, "query");
    metric.finish(reader);
    is_promql(reader, kind)?;
    indicator::query(reader, query?, of)
}

/// The type of a data source that is named, and that stands in what is read.
fn kind_of_source(reader: &Reader, node: &Node, name: &str, library: &Library) -> Option<(Range<usize>, String)> {
    let source = library.get(reader, "DataSource", name, &node.range)?;
    let kind = peek(&source, "spec").and_then(|spec| peek_text(spec, "type"))?;
    Some((node.range.clone(), kind.to_owned()))
}

/// Refuses queries of systems that do not answer PromQL; one whose system is not said is tried.
fn is_promql(reader: &mut Reader, kind: Option<(Range<usize>, String)>) -> Option<()> {
    let Some((place, kind)) = kind else { return Some(()) };
    if PROMQL.contains(&kind.to_ascii_lowercase().as_str()) {
        return Some(());
    }
    let message = format!("a query of `{}` cannot be asked of Prometheus", shortened(&kind));
    tell(reader, &codes::FOREIGN_SLI, &place, message, "write the SLO with a query in PromQL");
    None
}

/// The `sli:` of an objective: a value is compared as the objective says.
pub(super) fn of_objective(reader: &mut Reader, metric: Metric, objective: &Node, compares: Option<(Node, Node)>) -> Option<Indicator> {
    match (metric, compares) {
        (Metric::Unread, _) => Some(stand_in(&objective.range)),
        (Metric::Ratio(indicator), _) => {
            check_operator(reader, objective);
            Some(indicator)
        }
        (Metric::Threshold(query), Some((is, threshold))) => {
            let place = &query.place;
            check_direction(reader, objective, &query);
            let window = map(
                place,
                [
                    ("expr", Some(quoted(place, query.expr.to_string()))),
                    ("is", Some(is)),
                    ("threshold", Some(threshold)),
                    ("slice", Some(word(place, "1m"))),
                ],
            );
            Some(Indicator { sli: map(place, [("window", Some(window))]), per: None })
        }
        (Metric::Threshold(_), None) => {
            let message = "an objective of a thresholdMetric says how a good value stands to which threshold";
            tell(reader, &codes::MISSING_KEY, &objective.range, message, "write `op: lte` and `value: 0.5`");
            None
        }
    }
}

/// A latency that is good above its threshold is most likely the wrong way around: the operator says what good is, and many take it for what is bad.
fn check_direction(reader: &mut Reader, objective: &Node, query: &Query) {
    let above = peek(objective, "op").zip(peek_text(objective, "op")).filter(|(_, op)| matches!(*op, "gt" | "gte"));
    let Some((node, op)) = above.filter(|_| expression::is_better_low(&query.expr)) else { return };
    let message = format!(
        "`op: {op}` calls this value good above the threshold, and it is a latency or a high quantile, which is good below it; it is taken as it is written"
    );
    let help = format!("write `op: {}`: the operator says what is good, not what alerts", if op == "gt" { "lt" } else { "lte" });
    tell(reader, &codes::INVERTED, &node.range, message, help);
}

/// Of a ratio the target is what is compared, so an operator says nothing; one that points the wrong way is a mistake.
fn check_operator(reader: &mut Reader, objective: &Node) {
    if let Some(node) = peek(objective, "op").filter(|_| matches!(peek_text(objective, "op"), Some("lt" | "lte"))) {
        let message = "of a ratio, at least the target is to be good, and `op` says at most; at least is taken";
        tell(reader, &codes::INVERTED, &node.range, message, "remove `op`: it belongs to a thresholdMetric");
    }
}
