//! Blocks of Prometheus's database, written directly (tsdb/docs/format: chunks, index version 2, meta.json): tens of times faster than promtool.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use super::{
    Fleet, chunk,
    index::{Index, Placed, crc32c, push_unsigned},
};

/// Samples in a chunk, as Prometheus itself cuts them.
const CHUNK: usize = 120;

/// A file of chunks holds at most this.
const SEGMENT: u64 = 500 << 20;

/// How long a block is: 18 h, in seconds, so that a block's times fit into memory and two threads have enough to share.
const BLOCK: i64 = 18 * 3600;

/// A series that is computed from the fleet's counters and stored beside them, as a recording rule would.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    /// None.
    Nothing,
    /// The ratio of errors over five minutes, as Sloth's rules name it.
    SlothRatio,
}

/// A block to be written: its number, which makes its name, and `[from, to)` in seconds since the epoch.
#[derive(Clone, Copy)]
struct Block {
    number: usize,
    from: i64,
    to: i64,
}

/// Writes the fleet's counters over `[from, to)` into the data directory of a Prometheus, on all cores; answers how many samples.
pub fn write_blocks(fleet: &Fleet, recorded: Recorded, instance: &str, data: &Path, from: i64, to: i64) -> io::Result<usize> {
    let starts = (from..to).step_by(usize::try_from(BLOCK).unwrap_or(usize::MAX));
    let blocks: Vec<Block> = starts.zip(0..).map(|(from, number)| Block { number, from, to: (from + BLOCK).min(to) }).collect();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let written: io::Result<Vec<usize>> = std::thread::scope(|scope| {
        let share = |part: usize| {
            let mine: Vec<Block> = blocks.iter().skip(part).step_by(threads).copied().collect();
            scope.spawn(move || mine.iter().map(|block| write_block(fleet, recorded, instance, data, block)).sum())
        };
        let parts: Vec<_> = (0..threads).map(share).collect();
        parts.into_iter().map(|part| part.join().expect("a writer panicked")).collect()
    });
    Ok(written?.into_iter().sum())
}

fn write_block(fleet: &Fleet, recorded: Recorded, instance: &str, data: &Path, block: &Block) -> io::Result<usize> {
    let name = format!("01HZZZZZZZ{:016}", block.number);
    let folder = data.join(&name);
    fs::create_dir_all(folder.join("chunks"))?;
    let times: Vec<i64> = (block.from..block.to).step_by(usize::try_from(fleet.scrape).unwrap_or(1)).map(|second| second * 1000).collect();
    let mut chunks = Chunks::new(folder.join("chunks"));
    let mut index = Index::default();
    for counter in fleet.counters() {
        let samples: Vec<(i64, f64)> = times.iter().map(|at| (*at, fleet.value(counter, *at) as f64)).collect();
        index.add(counter.labels(instance), chunks.write_series(&samples)?);
    }
    if recorded == Recorded::SlothRatio {
        for service in 0..fleet.services {
            let samples: Vec<(i64, f64)> = times.iter().map(|at| (*at, error_ratio(fleet, service, *at))).collect();
            index.add(sloth_labels(service), chunks.write_series(&samples)?);
        }
    }
    let (series, samples) = (index.len(), index.len() * times.len());
    chunks.close()?;
    fs::write(folder.join("index"), index.pack())?;
    let meta = serde_json::json!({
        "ulid": name,
        "minTime": block.from * 1000,
        "maxTime": block.to * 1000,
        "stats": { "numSamples": samples, "numSeries": series, "numChunks": series * times.len().div_ceil(CHUNK) },
        "compaction": { "level": 1, "sources": [name] },
        "version": 1,
    });
    fs::write(folder.join("meta.json"), meta.to_string())?;
    Ok(samples)
}

/// The share of a service's requests of the last five minutes that failed.
fn error_ratio(fleet: &Fleet, service: usize, at: i64) -> f64 {
    let (mut failed, mut all) = (0, 0);
    for counter in fleet.counters_of(service) {
        let increase = fleet.value(counter, at) - fleet.value(counter, at - 300_000);
        all += increase;
        failed += if counter.is_error() { increase } else { 0 };
    }
    if all == 0 { 0.0 } else { failed as f64 / all as f64 }
}

fn sloth_labels(service: usize) -> Vec<(&'static str, String)> {
    let name = Fleet::service(service);
    vec![
        ("__name__", "slo:sli_error:ratio_rate5m".to_owned()),
        ("sloth_id", format!("{name}-availability")),
        ("sloth_service", name),
        ("sloth_slo", "availability".to_owned()),
        ("sloth_window", "5m".to_owned()),
    ]
}

/// The files of chunks.
struct Chunks {
    folder: PathBuf,
    file: Option<BufWriter<File>>,
    /// Number of the open file, from 1, and how long it is.
    number: u64,
    length: u64,
}

impl Chunks {
    const fn new(folder: PathBuf) -> Self {
        Self { folder, file: None, number: 0, length: 0 }
    }

    fn write_series(&mut self, samples: &[(i64, f64)]) -> io::Result<Vec<Placed>> {
        samples.chunks(CHUNK).map(|samples| self.write(samples)).collect()
    }

    fn write(&mut self, samples: &[(i64, f64)]) -> io::Result<Placed> {
        let packed = chunk::pack(samples);
        let mut record = Vec::with_capacity(packed.len() + 16);
        push_unsigned(&mut record, packed.len() as u64);
        let start = record.len();
        record.push(1); // The XOR encoding.
        record.extend_from_slice(&packed);
        let sum = crc32c(&record[start..]);
        record.extend_from_slice(&sum);
        let length = record.len() as u64;
        let (reference, file) = self.room_for(length)?;
        file.write_all(&record)?;
        self.length += length;
        Ok(Placed { first: samples[0].0, last: samples[samples.len() - 1].0, reference })
    }

    /// The reference of what is written next, and the file that it goes to.
    fn room_for(&mut self, length: u64) -> io::Result<(u64, &mut BufWriter<File>)> {
        if self.file.is_none() || self.length + length > SEGMENT {
            self.close()?;
            self.number += 1;
            let mut file = BufWriter::with_capacity(1 << 20, File::create(self.folder.join(format!("{:06}", self.number)))?);
            file.write_all(&[0x85, 0xBD, 0x40, 0xDD, 1, 0, 0, 0])?;
            self.length = 8;
            self.file = Some(file);
        }
        Ok((((self.number - 1) << 32) | self.length, self.file.as_mut().expect("opened above")))
    }

    fn close(&mut self) -> io::Result<()> {
        self.file.take().map_or(Ok(()), |mut file| file.flush())
    }
}

#[cfg(test)]
mod tests {
    use burnward_stand_ins::prometheus::Real;

    use super::*;
    use crate::world::install_tls;

    #[tokio::test]
    async fn a_real_prometheus_reads_every_sample_of_written_blocks() -> anyhow::Result<()> {
        install_tls();
        let directory = tempfile::tempdir()?;
        let fleet = Fleet { services: 3, customers: 2, origin: 1_700_000_000, scrape: 15 };
        let (from, to) = (1_700_100_000, 1_700_100_000 + 2 * BLOCK);
        fs::create_dir_all(directory.path().join("data"))?;
        let written = write_blocks(&fleet, Recorded::SlothRatio, "127.0.0.1:1", &directory.path().join("data"), from, to)?;
        assert_eq!(written, (fleet.series() + fleet.services) * usize::try_from(2 * BLOCK / 15)?);
        let real = Real::start(directory.path(), "global: {}\n").await?;
        let http = reqwest::Client::new();
        let ask = async |query: &str| -> anyhow::Result<Vec<serde_json::Value>> {
            let url = format!("{}/api/v1/query", real.url());
            let answer: serde_json::Value =
                http.post(url).form(&[("query", query), ("time", &(to - 1).to_string())]).send().await?.json().await?;
            Ok(answer["data"]["result"].as_array().cloned().unwrap_or_default())
        };
        let counted = ask("sum(count_over_time({__name__=~\".+\"}[2d]))").await?;
        assert_eq!(counted[0]["value"][1], written.to_string());
        let counter = fleet.counters().last().expect("it has some");
        let labels: Vec<String> = counter.labels("127.0.0.1:1")[1..].iter().map(|(name, value)| format!("{name}={value:?}")).collect();
        let series = ask(&format!("http_requests_total{{{}}}[1h]", labels.join(","))).await?;
        assert_eq!(series[0]["values"].as_array().map(Vec::len), Some(240));
        for sample in series[0]["values"].as_array().into_iter().flatten() {
            let at = sample[0].as_i64().expect("whole seconds") * 1000;
            assert_eq!(sample[1], fleet.value(counter, at).to_string());
        }
        Ok(())
    }
}
