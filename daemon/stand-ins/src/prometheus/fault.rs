//! What can be wrong with an answer, from the wire up to single samples.

use serde::{Deserialize, Serialize};

/// Which requests a fault concerns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// `/api/v1/query`
    Query,
    /// `/api/v1/query_range`
    QueryRange,
    /// `/api/v1/status/...`
    Status,
}

/// One thing that is wrong. On the control API it is written as in `"hang"` or `{"value": "NaN"}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// The port is closed, for all classes.
    Refuse,
    /// The request is taken and nothing comes back.
    Hang,
    /// The head of the answer comes byte by byte and does not end in any time that somebody waits.
    SlowHead,
    /// The head comes at once, the body byte by byte.
    SlowBody,
    /// The connection is reset instead of an answer.
    Reset,
    /// A login page with status 200.
    Html,
    /// The right body under this content type; `None`: under none.
    ContentType(Option<String>),
    /// A redirect to this address.
    Redirect(String),
    /// A status with an error in the API's form.
    Status {
        /// Such as 503.
        code: u16,
        /// Such as `bad_data`.
        error_type: String,
        /// In words.
        message: String,
        /// The header Retry-After.
        retry_after: Option<String>,
    },
    /// The right answer, then so many mebibytes of blanks, which compress to a thousandth.
    GzipBomb {
        /// Decoded size.
        mebibytes: usize,
    },
    /// Pieces without end.
    Endless,
    /// Content-Length promises more than comes.
    LongContentLength,
    /// Content-Length promises less than the body has.
    ShortContentLength,
    /// The body ends in the middle, the transfer in order.
    Truncated,
    /// The body and once more the body.
    TwoObjects,
    /// The body and some letters.
    TrailingGarbage,
    /// The key `values` is there twice in each series.
    DuplicateKey,
    /// 200 arrays in each other in the place of the series.
    Nested,
    /// A success without data.
    NoData,
    /// An error of this type with status 200.
    ErrorWith200(String),
    /// A warning beside the data, as Thanos sends one for a partial answer.
    Warning(String),
    /// An info beside the data, as Prometheus 3 sends one.
    Info(String),
    /// VictoriaMetrics's mark of a partial answer.
    IsPartial,
    /// Each value is this text.
    Value(String),
    /// Values are numbers instead of text.
    NumberValue,
    /// No series.
    NoSeries,
    /// Each series twice.
    DuplicateSeries,
    /// The first sample of each series twice.
    RepeatedSample,
    /// Samples from the newest to the oldest.
    OutOfOrder,
    /// Two different values at one instant.
    ConflictingSamples,
    /// So many more series.
    ManySeries(usize),
    /// One more sample in each series, so many milliseconds after the instant asked for; negative: before it.
    SampleAfter(i64),
    /// A label of so many bytes in each series.
    LongLabel(usize),
    /// Each series says this value of a label, whatever was asked for.
    Label(String, String),
}
