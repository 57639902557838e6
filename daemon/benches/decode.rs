//! How long an answer of Prometheus takes to read at 60,000 series: `cargo bench -p burnward --bench decode`. Prints figures and asserts none.

use std::{
    fmt::Write as _,
    hint::black_box,
    sync::Arc,
    time::{Duration, Instant},
};

use burnward::source::prometheus::decode::{Bounds, Points, Range, Seen, matrix};
use burnward_core::time::Timestamp;

/// The daemon's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const SERIES: usize = 60_000;
const SCRAPE: Duration = Duration::from_secs(15);
const NOW: Timestamp = Timestamp::from_seconds(1_700_000_000);

fn main() {
    let answers: Vec<String> = (0..12_u32).map(|tick| answer(NOW.plus(SCRAPE * tick))).collect();
    println!("{SERIES} series, {} MB", answers[0].len() / 1_000_000);
    let first = timed(|| decode(&answers[0], NOW, &Arc::default())).1;
    println!("the first answer: {first:.2?}");
    let mut seen = decode(&answers[0], NOW, &Arc::default());
    let mut took = Vec::new();
    for (answer, tick) in answers.iter().zip(0_u32..).skip(1) {
        let (next, one) = timed(|| decode(answer, NOW.plus(SCRAPE * tick), &seen));
        seen = next;
        took.push(one);
    }
    took.sort();
    println!("an answer with the same series: p50 {:.2?}, max {:.2?}", took[took.len() / 2], took[took.len() - 1]);
}

fn decode(answer: &str, now: Timestamp, seen: &Arc<Seen>) -> Arc<Seen> {
    let after = now.minus(SCRAPE * 5);
    let bounds = Bounds {
        range: Range { earliest: after, after, to: now.plus(Duration::from_secs(1)) },
        max_series: 100_000,
        points: Points::Numbers,
    };
    let (series, seen) = matrix(answer.as_bytes(), bounds, seen).expect("a whole answer");
    assert_eq!(series.len(), SERIES);
    black_box(series);
    seen
}

/// Five samples of each series, as Prometheus writes them.
fn answer(now: Timestamp) -> String {
    let mut text = String::from(r#"{"status":"success","data":{"resultType":"matrix","result":["#);
    for series in 0..SERIES {
        let separator = if series == 0 { "" } else { "," };
        let (code, customer, service) = ([200, 404, 500][series / 20_000], series / 2_000 % 10, series % 1_000);
        let pod = ["a", "b"][series / 1_000 % 2];
        write!(
            text,
            r#"{separator}{{"metric":{{"__name__":"http_requests_total","code":"{code}","customer":"customer-{customer:02}","instance":"10.0.0.7:8080","job":"fleet","pod":"{pod}","service":"svc{service:05}"}},"values":["#
        )
        .expect("a String");
        for back in (0..5_u32).rev() {
            let at = now.minus(SCRAPE * back);
            let comma = if back == 0 { "" } else { "," };
            write!(text, r#"[{}.{:03},"{}"]{comma}"#, at.millis() / 1000, series % 1_000, at.millis() / 1000 * 7 + 40).expect("a String");
        }
        text.push_str("]}");
    }
    text.push_str("]}}");
    text
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let made = work();
    (made, start.elapsed())
}
