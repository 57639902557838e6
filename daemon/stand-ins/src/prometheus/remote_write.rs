//! Samples in the form of Prometheus's remote write 0.1: protobuf messages `WriteRequest`, in snappy's block format. What is written are numbers and
//! native histograms; the compression compresses nothing, which its format allows.

/// Samples of one series.
#[derive(Debug, Clone)]
pub struct Written {
    /// All labels with `__name__`.
    pub labels: Vec<(String, String)>,
    /// By time in milliseconds.
    pub samples: Vec<(i64, Value)>,
}

/// What a sample is.
#[derive(Debug, Clone)]
pub enum Value {
    /// A number.
    Number(f64),
    /// A native histogram of whole numbers.
    Histogram {
        /// The resolution: `2^schema` buckets to each doubling.
        schema: i32,
        /// Index and count of the buckets that hold something, in order; bucket `n` ends at `2^(n / 2^schema)`.
        buckets: Vec<(i32, u64)>,
    },
}

/// One request holds so many milliseconds: Prometheus takes no sample that is much older than its newest.
const PIECE: i64 = 600_000;

/// The bodies of requests that write all of it, in the order of time.
pub(super) fn requests(written: &[Written]) -> Vec<Vec<u8>> {
    let moments = || written.iter().flat_map(|series| &series.samples).map(|(at, _)| at.div_euclid(PIECE));
    let (Some(first), Some(last)) = (moments().min(), moments().max()) else { return Vec::new() };
    (first..=last).map(|piece| snappy(&request(written, piece))).collect()
}

fn request(written: &[Written], piece: i64) -> Vec<u8> {
    let mut message = Message::default();
    for series in written {
        message.message(1, &time_series(series, piece));
    }
    message.0
}

fn time_series(series: &Written, piece: i64) -> Message {
    let mut message = Message::default();
    let mut labels = series.labels.clone();
    labels.sort();
    for (name, value) in &labels {
        let mut label = Message::default();
        label.bytes(1, name.as_bytes());
        label.bytes(2, value.as_bytes());
        message.message(1, &label);
    }
    for (at, value) in series.samples.iter().filter(|(at, _)| at.div_euclid(PIECE) == piece) {
        match value {
            Value::Number(number) => {
                let mut sample = Message::default();
                sample.double(1, *number);
                sample.int(2, *at);
                message.message(2, &sample);
            }
            Value::Histogram { schema, buckets } => message.message(4, &histogram(*at, *schema, buckets)),
        }
    }
    message
}

fn histogram(at: i64, schema: i32, buckets: &[(i32, u64)]) -> Message {
    let mut message = Message::default();
    message.varint(1, buckets.iter().map(|(_, held)| held).sum());
    message.double(3, 0.0);
    message.signed(4, schema.into());
    message.double(5, 1e-128);
    message.varint(6, 0);
    let mut next = 0;
    let mut deltas = Message::default();
    let mut before = 0_i64;
    for (index, held) in buckets {
        let mut span = Message::default();
        span.signed(1, (index - next).into());
        span.varint(2, 1);
        message.message(11, &span);
        next = index + 1;
        let held = i64::try_from(*held).expect("few");
        deltas.plain(zigzag(held - before));
        before = held;
    }
    message.message(12, &deltas);
    message.int(15, at);
    message
}

/// A message while it is written: fields with their numbers.
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    fn plain(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push(number.to_le_bytes()[0] | 0x80);
            number >>= 7;
        }
        self.0.push(number.to_le_bytes()[0]);
    }

    fn varint(&mut self, field: u64, number: u64) {
        self.plain(field << 3);
        self.plain(number);
    }

    /// An `int64`.
    fn int(&mut self, field: u64, number: i64) {
        self.varint(field, number.cast_unsigned());
    }

    /// A `sint32` or `sint64`.
    fn signed(&mut self, field: u64, number: i64) {
        self.varint(field, zigzag(number));
    }

    fn double(&mut self, field: u64, number: f64) {
        self.plain(field << 3 | 1);
        self.0.extend(number.to_le_bytes());
    }

    fn bytes(&mut self, field: u64, bytes: &[u8]) {
        self.plain(field << 3 | 2);
        self.plain(bytes.len() as u64);
        self.0.extend(bytes);
    }

    fn message(&mut self, field: u64, message: &Self) {
        self.bytes(field, &message.0);
    }
}

const fn zigzag(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)).cast_unsigned()
}

/// The length, then literals of at most 64 KiB.
fn snappy(bytes: &[u8]) -> Vec<u8> {
    let mut block = Message::default();
    block.plain(bytes.len() as u64);
    for literal in bytes.chunks(1 << 16) {
        let last = u16::try_from(literal.len() - 1).expect("at most 64 KiB");
        block.0.push(61 << 2);
        block.0.extend(last.to_le_bytes());
        block.0.extend(literal);
    }
    block.0
}
