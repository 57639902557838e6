//! The index of a block (tsdb/docs/format/index.md, version 2), and what it shares with the files of chunks: numbers of variable length and the checksum.

use std::collections::BTreeMap;

/// Names and values, sorted by name.
pub(super) type Labels = Vec<(&'static str, String)>;

/// Where a chunk stands, and over which times.
pub(super) struct Placed {
    pub(super) first: i64,
    pub(super) last: i64,
    pub(super) reference: u64,
}

/// The index of a block while it is gathered.
#[derive(Default)]
pub(super) struct Index {
    series: Vec<(Labels, Vec<Placed>)>,
}

impl Index {
    /// How many series it has.
    pub(super) const fn len(&self) -> usize {
        self.series.len()
    }

    /// Adds a series; they come in the order of their labels.
    pub(super) fn add(&mut self, labels: Labels, chunks: Vec<Placed>) {
        self.series.push((labels, chunks));
    }

    /// The bytes of the file.
    pub(super) fn pack(&self) -> Vec<u8> {
        let symbols = self.symbols();
        let mut out = vec![0xBA, 0xAA, 0xD7, 0x00, 2];
        let symbols_at = out.len();
        push_section(&mut out, &symbol_table(&symbols));
        align(&mut out, 16);
        let series_at = out.len();
        let mut postings: BTreeMap<(&str, &str), Vec<u32>> = BTreeMap::new();
        for (labels, chunks) in &self.series {
            align(&mut out, 16);
            let reference = u32::try_from(out.len() / 16).expect("an index is smaller than 64 GiB");
            let names = labels.iter().map(|(name, value)| (*name, value.as_str())).chain([("", "")]);
            for pair in names {
                postings.entry(pair).or_default().push(reference);
            }
            let body = series(labels, chunks, &symbols);
            push_unsigned(&mut out, body.len() as u64);
            out.extend_from_slice(&body);
            out.extend_from_slice(&crc32c(&body));
        }
        let labels_at = out.len();
        align(&mut out, 4);
        let postings_at = out.len();
        let mut offsets = Vec::with_capacity(postings.len());
        for (pair, references) in &postings {
            align(&mut out, 4);
            offsets.push((*pair, out.len() as u64));
            let count = u32::try_from(references.len()).expect("fewer series than 2^32").to_be_bytes();
            push_section(&mut out, &count.into_iter().chain(references.iter().flat_map(|one| one.to_be_bytes())).collect::<Vec<_>>());
        }
        let label_table_at = out.len();
        push_section(&mut out, &0_u32.to_be_bytes());
        let posting_table_at = out.len();
        push_section(&mut out, &posting_table(&offsets));
        let places = [symbols_at, series_at, labels_at, label_table_at, postings_at, posting_table_at];
        let contents: Vec<u8> = places.iter().flat_map(|place| (*place as u64).to_be_bytes()).collect();
        out.extend_from_slice(&contents);
        out.extend_from_slice(&crc32c(&contents));
        out
    }

    /// All names and values, each with its number.
    fn symbols(&self) -> BTreeMap<&str, u64> {
        let texts = self.series.iter().flat_map(|(labels, _)| labels).flat_map(|(name, value)| [*name, value.as_str()]);
        let mut symbols: BTreeMap<&str, u64> = texts.chain([""]).map(|text| (text, 0)).collect();
        for (number, place) in (0..).zip(symbols.values_mut()) {
            *place = number;
        }
        symbols
    }
}

fn symbol_table(symbols: &BTreeMap<&str, u64>) -> Vec<u8> {
    let mut table = u32::try_from(symbols.len()).expect("fewer symbols than 2^32").to_be_bytes().to_vec();
    for symbol in symbols.keys() {
        push_text(&mut table, symbol);
    }
    table
}

fn series(labels: &[(&'static str, String)], chunks: &[Placed], symbols: &BTreeMap<&str, u64>) -> Vec<u8> {
    let mut body = Vec::new();
    push_unsigned(&mut body, labels.len() as u64);
    for (name, value) in labels {
        push_unsigned(&mut body, symbols[name]);
        push_unsigned(&mut body, symbols[value.as_str()]);
    }
    push_unsigned(&mut body, chunks.len() as u64);
    let mut before: Option<&Placed> = None;
    for chunk in chunks {
        match before {
            None => push_signed(&mut body, chunk.first),
            Some(before) => push_unsigned(&mut body, (chunk.first - before.last).unsigned_abs()),
        }
        push_unsigned(&mut body, (chunk.last - chunk.first).unsigned_abs());
        match before {
            None => push_unsigned(&mut body, chunk.reference),
            Some(before) => push_signed(&mut body, chunk.reference.cast_signed() - before.reference.cast_signed()),
        }
        before = Some(chunk);
    }
    body
}

fn posting_table(offsets: &[((&str, &str), u64)]) -> Vec<u8> {
    let mut table = u32::try_from(offsets.len()).expect("fewer label values than 2^32").to_be_bytes().to_vec();
    for ((name, value), offset) in offsets {
        table.push(2); // How many texts follow.
        push_text(&mut table, name);
        push_text(&mut table, value);
        push_unsigned(&mut table, *offset);
    }
    table
}

/// A section with its length before and its sum behind it.
fn push_section(out: &mut Vec<u8>, body: &[u8]) {
    out.extend_from_slice(&u32::try_from(body.len()).expect("a section is smaller than 4 GiB").to_be_bytes());
    out.extend_from_slice(body);
    out.extend_from_slice(&crc32c(body));
}

fn align(out: &mut Vec<u8>, to: usize) {
    out.resize(out.len().next_multiple_of(to), 0);
}

fn push_text(out: &mut Vec<u8>, text: &str) {
    push_unsigned(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

/// A number in seven bits a byte, the lowest first.
pub(super) fn push_unsigned(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(u8::try_from(value & 0x7f).expect("seven bits") | 0x80);
        value >>= 7;
    }
    out.push(u8::try_from(value).expect("seven bits"));
}

fn push_signed(out: &mut Vec<u8>, value: i64) {
    push_unsigned(out, ((value << 1) ^ (value >> 63)).cast_unsigned());
}

/// The checksum of Castagnoli, big-endian.
pub(super) fn crc32c(bytes: &[u8]) -> [u8; 4] {
    let sum = bytes.iter().fold(u32::MAX, |sum, byte| (sum >> 8) ^ SUMS[usize::from(sum.to_le_bytes()[0] ^ byte)]);
    (!sum).to_be_bytes()
}

const SUMS: [u32; 256] = sums();

const fn sums() -> [u32; 256] {
    let mut sums = [0; 256];
    let mut byte: u32 = 0;
    while byte < 256 {
        let mut sum = byte;
        let mut bit = 0;
        while bit < 8 {
            sum = (sum >> 1) ^ (0x82F6_3B78 * (sum & 1));
            bit += 1;
        }
        sums[byte as usize] = sum;
        byte += 1;
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_castagnoli() {
        assert_eq!(crc32c(b"123456789"), 0xE306_9283_u32.to_be_bytes());
    }
}
