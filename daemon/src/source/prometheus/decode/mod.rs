//! The JSON of the API, read strictly and once: borrowed text, no tree. What the format does not promise is refused, never guessed.
//!
//! Values that are numbers are passed on as they are (NaN, infinite, negative, fractional): the core judges them where it counts. Tens of thousands of
//! series come with every tick, mostly the same as before: their labels are read once (`seen`), and an answer of the usual form in one go (`usual`).

mod native;
mod row;
mod seen;
mod usual;

use std::{cell::Cell, fmt, marker::PhantomData, sync::Arc};

use burnward_core::{
    ledger::{Reason, Series, Unknown},
    time::Timestamp,
};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor},
};

use self::row::{Row, named};
pub use self::seen::Seen;
use self::seen::Walk;
use crate::source::http::unknown;

/// The furthest instant that is taken for one, in seconds: about the year 142,000.
const MAX_SECONDS: f64 = 4.4e12;

/// What an answer must stay within.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Where its samples may lie.
    pub range: Range,
    /// More series are refused.
    pub max_series: usize,
    /// What its points are.
    pub points: Points,
}

/// What was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Points {
    /// Numbers; a native histogram among them is refused.
    Numbers,
    /// Native histograms; a number among them is passed on without one.
    Histograms,
}

/// Where samples may lie and which of them are wanted.
#[derive(Debug, Clone, Copy)]
pub struct Range {
    /// The earliest instant that an honest answer can hold.
    pub earliest: Timestamp,
    /// Samples at or before this are dropped.
    pub after: Timestamp,
    /// The latest instant.
    pub to: Timestamp,
}

/// The series of a matrix, sorted by labels, each with its samples sorted by time; and what helps to read the next answer to the same question. `seen`
/// is that of the answer before.
pub fn matrix(body: &[u8], bounds: Bounds, seen: &Arc<Seen>) -> Result<(Vec<Series>, Arc<Seen>), Unknown> {
    usual::matrix(body, bounds, seen).map_or_else(|| general_matrix(body, bounds, seen), Ok)
}

/// The same, in any form.
fn general_matrix(body: &[u8], bounds: Bounds, seen: &Arc<Seen>) -> Result<(Vec<Series>, Arc<Seen>), Unknown> {
    let over = Cell::new(false);
    let envelope = envelope(body, MatrixSeed { max: bounds.max_series, over: &over });
    if over.get() {
        return Err(too_many(bounds.max_series + 1, bounds.max_series));
    }
    let rows = data(envelope?)?;
    let mut walk = Seen::walk(seen);
    let series = rows.iter().map(|row| row.series(&mut walk, bounds)).collect::<Result<Vec<_>, _>>()?;
    let texts: Vec<&str> = rows.iter().map(|row| row.metric.get()).collect();
    finish(walk, &texts, series)
}

/// Series in their order, without those that have no samples, and what the next answer is read along.
fn finish(walk: Walk<'_>, texts: &[&str], mut series: Vec<Series>) -> Result<(Vec<Series>, Arc<Seen>), Unknown> {
    let (seen, sorted) = walk.end(texts, &series);
    if !sorted {
        sort_distinct(&mut series)?;
    }
    series.retain(|series| !series.samples.is_empty());
    Ok((series, seen))
}

/// Sorts by labels.
fn sort_distinct(series: &mut [Series]) -> Result<(), Unknown> {
    series.sort_by(|one, other| one.labels.cmp(&other.labels));
    match series.windows(2).find(|pair| pair[0].labels == pair[1].labels) {
        None => Ok(()),
        Some(pair) => Err(unknown(Reason::Duplicate, format!("{} came twice with the same labels", named(&pair[0].labels)))),
    }
}

/// Any other data, such as that of a status page.
pub(super) fn plain<'de, T: Deserialize<'de>>(body: &'de [u8]) -> Result<T, Unknown> {
    data(envelope(body, PhantomData)?)
}

/// A refusal in the API's own words, or `None` where the body is no such thing.
pub(super) fn refusal(body: &[u8]) -> Option<Refusal> {
    let envelope = envelope(body, PhantomData::<IgnoredAny>).ok()?;
    Some(Refusal { kind: envelope.error_type?, message: envelope.error.unwrap_or_default() })
}

/// More series than the cap.
pub(super) fn too_many(have: usize, max: usize) -> Unknown {
    unknown(Reason::TooMany, format!("the answer has at least {have} series, {max} are allowed"))
}

/// An error of the API.
#[derive(Debug)]
pub(super) struct Refusal {
    kind: String,
    /// What it says.
    pub(super) message: String,
}

impl Refusal {
    /// Whether the question was fine and asked for more samples than the server gives in one answer: what Prometheus says above `query.max-samples`,
    /// and VictoriaMetrics above `search.maxSamplesPerQuery`. Neither has a type of its own for it.
    pub(super) fn is_of_samples(&self) -> bool {
        ["would load too many samples", "search.maxSamplesPerQuery"].iter().any(|words| self.message.contains(words))
    }

    /// By Prometheus's `errorType`.
    pub(super) fn reason(&self) -> Reason {
        match self.kind.as_str() {
            _ if self.is_of_samples() => Reason::TooBig,
            "bad_data" | "execution" => Reason::BadQuery,
            "timeout" => Reason::Timeout,
            "unavailable" | "too_many_requests" => Reason::Busy,
            _ => Reason::SourceError,
        }
    }
}

fn bad_json(text: impl AsRef<str>) -> Unknown {
    unknown(Reason::BadJson, text)
}

/// The outermost object, without a judgement on it.
struct Envelope<T> {
    status: Option<String>,
    data: Option<T>,
    error_type: Option<String>,
    error: Option<String>,
    warnings: Vec<String>,
    /// VictoriaMetrics's word for an answer that lacks some of its nodes.
    is_partial: bool,
}

fn envelope<'de, S: DeserializeSeed<'de>>(body: &'de [u8], seed: S) -> Result<Envelope<S::Value>, Unknown> {
    let mut json = serde_json::Deserializer::from_slice(body);
    let envelope = json.deserialize_map(EnvelopeVisitor(seed)).and_then(|envelope| json.end().map(|()| envelope));
    envelope.map_err(|error| bad_json(format!("not the JSON of the API: {error}")))
}

/// The data of a success that is whole.
fn data<T>(envelope: Envelope<T>) -> Result<T, Unknown> {
    match envelope.status.as_deref() {
        Some("success") => {}
        Some("error") => {
            let refusal = Refusal { kind: envelope.error_type.unwrap_or_default(), message: envelope.error.unwrap_or_default() };
            return Err(unknown(refusal.reason(), format!("error {}: {}", refusal.kind, refusal.message)));
        }
        Some(other) => return Err(bad_json(format!("the status is `{other}`, neither success nor error"))),
        None => return Err(bad_json("the answer has no status")),
    }
    if let Some(warning) = envelope.warnings.first() {
        return Err(unknown(Reason::Partial, format!("the answer warns: {warning}")));
    }
    if envelope.is_partial {
        return Err(unknown(Reason::Partial, "the answer says that some of its nodes are missing"));
    }
    envelope.data.ok_or_else(|| bad_json("a success without data"))
}

struct EnvelopeVisitor<S>(S);

impl<'de, S: DeserializeSeed<'de>> Visitor<'de> for EnvelopeVisitor<S> {
    type Value = Envelope<S::Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with status and data")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut seed = Some(self.0);
        let (mut status, mut data, mut error_type, mut error, mut warnings, mut is_partial) = (None, None, None, None, None, None);
        while let Some(key) = map.next_key::<Text<'de>>()? {
            match key.as_str() {
                "status" => once(&mut status, "status", map.next_value()?)?,
                "data" => data = map.next_value_seed(Nullable(seed.take().ok_or_else(|| A::Error::duplicate_field("data"))?))?,
                "errorType" => once(&mut error_type, "errorType", map.next_value()?)?,
                "error" => once(&mut error, "error", map.next_value()?)?,
                "warnings" => once(&mut warnings, "warnings", map.next_value::<Option<Vec<String>>>()?)?,
                "isPartial" => once(&mut is_partial, "isPartial", map.next_value()?)?,
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        let warnings = warnings.flatten().unwrap_or_default();
        Ok(Envelope { status, data, error_type, error, warnings, is_partial: is_partial.unwrap_or(false) })
    }
}

fn once<T, E: serde::de::Error>(slot: &mut Option<T>, name: &'static str, value: T) -> Result<(), E> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(E::duplicate_field(name)),
    }
}

/// Text that is borrowed where it holds no escapes.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] std::borrow::Cow<'a, str>);

impl Text<'_> {
    fn as_str(&self) -> &str {
        &self.0
    }
}

/// The seed's value, or `None` for null.
struct Nullable<S>(S);

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Nullable<S> {
    type Value = Option<S::Value>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_option(self)
    }
}

impl<'de, S: DeserializeSeed<'de>> Visitor<'de> for Nullable<S> {
    type Value = Option<S::Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("data or null")
    }

    fn visit_none<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        self.0.deserialize(deserializer).map(Some)
    }
}

/// `{"resultType": "matrix", "result": [...]}`, with at most `max` rows; `over` tells that there were more.
#[derive(Clone, Copy)]
struct MatrixSeed<'c> {
    max: usize,
    over: &'c Cell<bool>,
}

impl<'de> DeserializeSeed<'de> for MatrixSeed<'_> {
    type Value = Vec<Row<'de>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for MatrixSeed<'_> {
    type Value = Vec<Row<'de>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with resultType and result")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let (mut kind, mut rows) = (None, None);
        while let Some(key) = map.next_key::<Text<'de>>()? {
            match key.as_str() {
                "resultType" => once(&mut kind, "resultType", map.next_value::<String>()?)?,
                "result" => once(&mut rows, "result", map.next_value_seed(RowsSeed(self))?)?,
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        match kind.as_deref() {
            Some("matrix") => rows.ok_or_else(|| A::Error::missing_field("result")),
            Some(other) => Err(A::Error::custom(format_args!("a matrix was asked for and a {other} came"))),
            None => Err(A::Error::missing_field("resultType")),
        }
    }
}

struct RowsSeed<'c>(MatrixSeed<'c>);

impl<'de> DeserializeSeed<'de> for RowsSeed<'_> {
    type Value = Vec<Row<'de>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for RowsSeed<'_> {
    type Value = Vec<Row<'de>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of series")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut rows = Vec::new();
        while let Some(row) = seq.next_element()? {
            if rows.len() == self.0.max {
                self.0.over.set(true);
                return Err(A::Error::custom("too many series"));
            }
            rows.push(row);
        }
        Ok(rows)
    }
}

/// The instant to the millisecond. Prometheus keeps whole milliseconds and prints them as decimal seconds; the float between is off by
/// less than a thousandth of that.
pub(super) fn instant(seconds: f64) -> Option<Timestamp> {
    let millis = (seconds * 1000.0).round();
    #[expect(clippy::cast_possible_truncation, reason = "whole and below 2^53 by the check")]
    (seconds.abs() <= MAX_SECONDS).then_some(Timestamp::from_millis(millis as i64))
}
