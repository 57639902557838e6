//! The packed state that a restart needs beside the slices: streams with their indices, what each SLO has read and filled in, and the last samples
//! of series that a restart would not find by reading a little before the watermark.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use super::{
    Damaged,
    varint::{Reader, Writer},
};
use crate::{
    id::{Group, ServiceName, SloId, SloName, TenantId},
    ledger::{
        Histogram, Replica,
        count::{Counter, SeriesKey, Spacings, TargetKey},
        coverage::Beat,
        slice::{HOUR, TEN_SECONDS},
        source_ledger::{BucketSeen, Fill, MAX_THRESHOLDS, Split},
    },
    slo::SliceRule,
    time::Timestamp,
    units::{GoodShare, Ratio},
};

const VERSION: u8 = 5;

/// An older version: watermarks on edges of ten seconds alone.
const BEFORE_GRIDS: u8 = 1;

/// An older version: latency has one threshold.
const ONE_THRESHOLD: u8 = 2;

/// An older version: no native histograms.
const ONLY_NUMBERS: u8 = 3;

/// An older version: an SLO is one, however it is split.
const BEFORE_SPLITS: u8 = 4;

/// The state as the store keeps it.
#[derive(Debug, Clone, PartialEq, Default)]
pub(in crate::ledger) struct State {
    /// The SLOs.
    pub lanes: Vec<StoredLane>,
    /// The streams, by index.
    pub streams: Vec<StoredStream>,
    /// The last samples of series that went quiet.
    pub quiet: Vec<Quiet>,
    /// The streams of verdicts, by index: of which stream, by which rule.
    pub judged: Vec<(u32, SliceRule)>,
    /// The replica that was read, where there are several.
    pub replica: Option<Replica>,
}

/// What one SLO has read.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::ledger) struct StoredLane {
    /// Which SLO.
    pub slo: SloId,
    /// The labels that it is split by, sorted.
    pub per: Vec<String>,
    /// A hash of what its counters mean; with another meaning they are not taken over.
    pub meaning: u64,
    /// What its watermark is a multiple of.
    pub grid: Duration,
    /// Its watermark, where it differs from the round's, moved back to the grid.
    pub watermark: Option<Timestamp>,
    /// See `Lane::begin`.
    pub begin: Timestamp,
    /// See `Lane::filled_to`.
    pub filled_to: Timestamp,
    /// See `Lane::fills`.
    pub fills: Vec<Fill>,
    /// See `Lane::beat`; only where it went quiet, or is the last before a standstill that goes on.
    pub beat: Option<Beat>,
    /// See `Lane::stood_still`.
    pub stood_still: Vec<(Timestamp, Timestamp)>,
    /// See `Lane::other_until`; kept where there are several replicas.
    pub other_until: Option<Timestamp>,
}

/// What is known of a stream.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::ledger) struct StoredStream {
    /// Index of its SLO among `lanes`.
    pub lane: u32,
    /// Its group.
    pub group: Group,
    /// See `Meta::counted_from`.
    pub counted_from: Option<Timestamp>,
    /// See `Meta::has_up`.
    pub has_up: bool,
    /// See `Meta::newest`; only where it went quiet.
    pub newest: Option<Beat>,
    /// See `Meta::buckets`; the newest only where it went quiet.
    pub buckets: [BucketSeen; MAX_THRESHOLDS],
    /// See `Meta::beat`; only where it went quiet.
    pub beat: Option<Beat>,
    /// See `Meta::targets`.
    pub targets: Vec<TargetKey>,
    /// The coarsest slices that it is rolled up to.
    pub grain: Duration,
}

/// The last sample of a series that went quiet.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::ledger) struct Quiet {
    /// Which series.
    pub key: SeriesKey,
    /// Of which stream, and by that of which SLO.
    pub stream: u32,
    /// On which side of the SLO.
    pub side: u32,
    /// The sample.
    pub counter: Counter,
    /// The same as a native histogram, where it is one.
    pub histogram: Option<Arc<Histogram>>,
}

impl StoredLane {
    /// Which SLO it is, and how it is split.
    pub(in crate::ledger) fn split(&self) -> Split {
        Split::new(Arc::new(self.slo.clone()), &self.per)
    }
}

impl State {
    pub(in crate::ledger) fn pack(&self) -> Vec<u8> {
        let mut out = Writer::default();
        out.byte(VERSION);
        out.list(self.lanes.iter(), pack_lane);
        out.list(self.streams.iter(), pack_stream);
        out.list(self.quiet.iter(), pack_quiet);
        self.pack_grains(&mut out);
        self.pack_judged(&mut out);
        if let Some(replica) = self.replica {
            out.unsigned(replica.number());
            self.pack_switches(&mut out);
        }
        out.0
    }

    pub(in crate::ledger) fn unpack(blob: &[u8]) -> Result<Self, Damaged> {
        let version = blob.first().copied().filter(|version| (BEFORE_GRIDS..=BEFORE_SPLITS).contains(version)).unwrap_or(VERSION);
        let mut reader = Reader::new(blob, "ledger state", version)?;
        let lanes = reader.list(|reader| unpack_lane(reader, version))?;
        let streams = reader.list(|reader| unpack_stream(reader, version))?;
        let mut state = Self { lanes, streams, quiet: reader.list(|reader| unpack_quiet(reader, version))?, ..Self::default() };
        if !reader.is_at_end() {
            state.unpack_grains(&mut reader)?;
        }
        if !reader.is_at_end() {
            state.judged = reader.list(unpack_judged)?;
        }
        if !reader.is_at_end() {
            state.replica = Some(Replica::from_number(reader.unsigned()?));
        }
        if !reader.is_at_end() {
            state.unpack_switches(&mut reader)?;
        }
        let (lanes, streams) = (state.lanes.len(), state.streams.len());
        let whole = state.streams.iter().all(|stream| (stream.lane as usize) < lanes)
            && state.quiet.iter().all(|quiet| (quiet.stream as usize) < streams)
            && state.judged.iter().all(|(of, _)| (*of as usize) < streams);
        if !whole {
            return Err(reader.damaged("it refers to what it does not hold"));
        }
        reader.end()?;
        if version <= BEFORE_SPLITS {
            state.split_lanes();
        }
        Ok(state)
    }

    /// Gives each of the ways in which the streams of an SLO are split a reading of its own, where an older version has one for all.
    fn split_lanes(&mut self) {
        let mut places: BTreeMap<(u32, Vec<String>), u32> = BTreeMap::new();
        let mut split = vec![false; self.lanes.len()];
        for stream in &mut self.streams {
            let per: Vec<String> = stream.group.labels().iter().map(|(label, _)| label.clone()).collect();
            let lane = stream.lane;
            stream.lane = *places.entry((lane, per.clone())).or_insert_with(|| {
                if !std::mem::replace(&mut split[lane as usize], true) {
                    self.lanes[lane as usize].per = per;
                    return lane;
                }
                let another = StoredLane { per, ..self.lanes[lane as usize].clone() };
                self.lanes.push(another);
                u32::try_from(self.lanes.len() - 1).unwrap_or(u32::MAX)
            });
        }
    }

    /// Nothing where there are none and nothing follows.
    fn pack_judged(&self, out: &mut Writer) {
        if !self.judged.is_empty() || self.replica.is_some() {
            out.list(self.judged.iter(), |out, (of, rule)| {
                out.unsigned(u64::from(*of));
                out.unsigned(rule.length.as_secs());
                out.unsigned(rule.good_from.failing().num());
                out.unsigned(rule.good_from.failing().den());
                out.byte(rule.good_from.decimals());
            });
        }
    }

    /// Those of the streams with another grain than an hour; nothing where all have it and nothing follows.
    fn pack_grains(&self, out: &mut Writer) {
        let grains: Vec<(usize, u64)> =
            self.streams.iter().map(|stream| stream.grain.as_secs()).enumerate().filter(|(_, grain)| *grain != HOUR.as_secs()).collect();
        if !grains.is_empty() || !self.judged.is_empty() || self.replica.is_some() {
            out.list(grains.into_iter(), |out, (stream, grain)| {
                out.len(stream);
                out.unsigned(grain);
            });
        }
    }

    /// Of the SLOs that were read from another replica before; nothing where there are none.
    fn pack_switches(&self, out: &mut Writer) {
        let switches: Vec<(usize, Timestamp)> =
            self.lanes.iter().enumerate().filter_map(|(lane, stored)| Some((lane, stored.other_until?))).collect();
        if !switches.is_empty() {
            out.list(switches.into_iter(), |out, (lane, until)| {
                out.len(lane);
                pack_instant(out, until);
            });
        }
    }

    fn unpack_switches(&mut self, reader: &mut Reader<'_>) -> Result<(), Damaged> {
        for (lane, until) in reader.list(|reader| Ok((reader.index()?, unpack_instant(reader)?)))? {
            let lane = self.lanes.get_mut(lane as usize).ok_or(reader.damaged("it names a switch of an SLO that it does not hold"))?;
            lane.other_until = Some(until);
        }
        Ok(())
    }

    fn unpack_grains(&mut self, reader: &mut Reader<'_>) -> Result<(), Damaged> {
        for (stream, grain) in reader.list(|reader| Ok((reader.index()?, reader.unsigned()?)))? {
            let grain = Some(Duration::from_secs(grain)).filter(|grain| !grain.is_zero() && HOUR.as_secs().is_multiple_of(grain.as_secs()));
            let stream = self.streams.get_mut(stream as usize);
            let (Some(stream), Some(grain)) = (stream, grain) else { return Err(reader.damaged("it names a grain that is none")) };
            stream.grain = grain;
        }
        Ok(())
    }
}

fn unpack_judged(reader: &mut Reader<'_>) -> Result<(u32, SliceRule), Damaged> {
    let (of, length) = (reader.index()?, reader.unsigned()?);
    let failing = Ratio::new(reader.unsigned()?, reader.unsigned()?);
    let good_from = failing.zip(Some(reader.byte()?)).and_then(|(failing, decimals)| GoodShare::from_failing(failing, decimals));
    let length = Some(length).filter(|length| *length > 0 && HOUR.as_secs().is_multiple_of(*length));
    let rule = good_from.zip(length).map(|(good_from, length)| SliceRule { length: Duration::from_secs(length), good_from });
    Ok((of, rule.ok_or(reader.damaged("it judges slices by a rule that is none"))?))
}

fn pack_lane(out: &mut Writer, lane: &StoredLane) {
    out.text(lane.slo.tenant.as_str());
    out.text(lane.slo.service.as_str());
    out.text(lane.slo.name.as_str());
    out.list(lane.per.iter(), |out, label| out.text(label));
    out.unsigned(lane.meaning);
    pack_length(out, lane.grid);
    out.option(lane.watermark, pack_instant);
    pack_instant(out, lane.begin);
    pack_instant(out, lane.filled_to);
    out.list(lane.fills.iter(), |out, fill| {
        pack_instant(out, fill.from);
        pack_instant(out, fill.to);
        pack_length(out, fill.step);
    });
    out.option(lane.beat, pack_beat);
    out.list(lane.stood_still.iter(), |out, (from, to)| {
        pack_instant(out, *from);
        pack_instant(out, *to);
    });
}

fn unpack_lane(reader: &mut Reader<'_>, version: u8) -> Result<StoredLane, Damaged> {
    Ok(StoredLane {
        slo: unpack_slo(reader)?,
        per: if version <= BEFORE_SPLITS { Vec::new() } else { reader.list(Reader::text)? },
        meaning: reader.unsigned()?,
        grid: if version == BEFORE_GRIDS { TEN_SECONDS } else { unpack_length(reader)? },
        watermark: reader.option(unpack_instant)?,
        begin: unpack_instant(reader)?,
        filled_to: unpack_instant(reader)?,
        fills: reader
            .list(|reader| Ok(Fill { from: unpack_instant(reader)?, to: unpack_instant(reader)?, step: unpack_length(reader)? }))?,
        beat: reader.option(unpack_beat)?,
        stood_still: reader.list(|reader| Ok((unpack_instant(reader)?, unpack_instant(reader)?)))?,
        other_until: None,
    })
}

fn unpack_slo(reader: &mut Reader<'_>) -> Result<SloId, Damaged> {
    let (tenant, service, name) = (reader.text()?, reader.text()?, reader.text()?);
    let bad = reader.damaged("a name of an SLO is none");
    Ok(SloId {
        tenant: TenantId::parse(&tenant).map_err(|_| bad.clone())?,
        service: ServiceName::parse(&service).map_err(|_| bad.clone())?,
        name: SloName::parse(&name).map_err(|_| bad)?,
    })
}

fn pack_stream(out: &mut Writer, stream: &StoredStream) {
    out.unsigned(u64::from(stream.lane));
    out.list(stream.group.labels().iter(), |out, (label, value)| {
        out.text(label);
        out.text(value);
    });
    out.option(stream.counted_from, pack_instant);
    out.byte(u8::from(stream.has_up));
    out.option(stream.newest, pack_beat);
    for bucket in stream.buckets {
        out.option(bucket.first, pack_instant);
        out.option(bucket.newest, pack_instant);
    }
    out.option(stream.beat, pack_beat);
    out.list(stream.targets.iter(), |out, target| out.0.extend_from_slice(&target.0.to_le_bytes()));
}

fn unpack_stream(reader: &mut Reader<'_>, version: u8) -> Result<StoredStream, Damaged> {
    let one_threshold = version <= ONE_THRESHOLD;
    let lane = reader.index()?;
    let group = Group::new(reader.list(|reader| Ok((reader.text()?, reader.text()?)))?);
    let counted_from = reader.option(unpack_instant)?;
    let first = if one_threshold { reader.option(unpack_instant)? } else { None };
    let has_up = reader.byte()? != 0;
    let newest = reader.option(unpack_beat)?;
    let buckets = if one_threshold {
        [BucketSeen { first, newest: reader.option(unpack_instant)? }, BucketSeen::default()]
    } else {
        [unpack_bucket(reader)?, unpack_bucket(reader)?]
    };
    let beat = reader.option(unpack_beat)?;
    let targets = reader.list(|reader| Ok(TargetKey(u64::from_le_bytes(reader.bytes()?))))?;
    Ok(StoredStream { lane, group, counted_from, has_up, newest, buckets, beat, targets, grain: HOUR })
}

fn unpack_bucket(reader: &mut Reader<'_>) -> Result<BucketSeen, Damaged> {
    Ok(BucketSeen { first: reader.option(unpack_instant)?, newest: reader.option(unpack_instant)? })
}

fn pack_quiet(out: &mut Writer, quiet: &Quiet) {
    out.0.extend_from_slice(&quiet.key.0.to_le_bytes());
    out.unsigned(u64::from(quiet.stream));
    out.unsigned(u64::from(quiet.side));
    pack_instant(out, quiet.counter.at);
    out.unsigned(quiet.counter.value);
    for spacing in quiet.counter.spacings.0 {
        out.unsigned(u64::from(spacing));
    }
    out.option(quiet.histogram.as_deref(), pack_histogram);
}

fn unpack_quiet(reader: &mut Reader<'_>, version: u8) -> Result<Quiet, Damaged> {
    let key = SeriesKey(u128::from_le_bytes(reader.bytes()?));
    let (stream, side, at, value) = (reader.index()?, reader.index()?, unpack_instant(reader)?, reader.unsigned()?);
    let spacings = Spacings([reader.index()?, reader.index()?, reader.index()?]);
    let histogram = if version <= ONLY_NUMBERS { None } else { reader.option(unpack_histogram)?.map(Arc::new) };
    Ok(Quiet { key, stream, side, counter: Counter { at, value, spacings }, histogram })
}

fn pack_histogram(out: &mut Writer, histogram: &Histogram) {
    let (count, buckets) = histogram.told();
    out.unsigned(count);
    out.list(buckets, |out, (lower, upper, held)| {
        out.0.extend_from_slice(&lower.to_bits().to_le_bytes());
        out.0.extend_from_slice(&upper.to_bits().to_le_bytes());
        out.unsigned(held);
    });
}

fn unpack_histogram(reader: &mut Reader<'_>) -> Result<Histogram, Damaged> {
    let bound = |reader: &mut Reader<'_>| Ok(f64::from_bits(u64::from_le_bytes(reader.bytes()?)));
    let count = reader.unsigned()?;
    let buckets = reader.list(|reader| Ok((bound(reader)?, bound(reader)?, reader.unsigned()?)))?;
    Histogram::new(count, buckets).ok_or_else(|| reader.damaged("a native histogram contradicts itself"))
}

fn pack_instant(out: &mut Writer, at: Timestamp) {
    out.signed(at.millis());
}

fn unpack_instant(reader: &mut Reader<'_>) -> Result<Timestamp, Damaged> {
    reader.signed().map(Timestamp::from_millis)
}

fn pack_length(out: &mut Writer, length: Duration) {
    out.unsigned(u64::try_from(length.as_millis()).unwrap_or(u64::MAX));
}

fn unpack_length(reader: &mut Reader<'_>) -> Result<Duration, Damaged> {
    reader.unsigned().map(Duration::from_millis)
}

fn pack_beat(out: &mut Writer, (at, usual): Beat) {
    pack_instant(out, at);
    pack_length(out, usual);
}

fn unpack_beat(reader: &mut Reader<'_>) -> Result<Beat, Damaged> {
    Ok((unpack_instant(reader)?, unpack_length(reader)?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ledger::fixture::slo_id;
    use crate::time::minutes;

    fn sample() -> State {
        let at = Timestamp::from_seconds;
        let beat = Some((at(3), Duration::from_secs(15)));
        State {
            lanes: vec![StoredLane {
                slo: slo_id("a"),
                per: vec!["tenant".into()],
                meaning: u64::MAX,
                grid: minutes(1),
                watermark: Some(at(5)),
                begin: at(-1),
                filled_to: at(1),
                fills: vec![Fill { from: at(1), to: at(2), step: minutes(5) }],
                beat,
                stood_still: vec![(at(1), at(2))],
                other_until: None,
            }],
            streams: vec![StoredStream {
                lane: 0,
                group: Group::new(vec![("tenant".into(), "ä\"\n".into())]),
                counted_from: Some(at(9)),
                has_up: true,
                newest: beat,
                buckets: [BucketSeen { first: Some(at(2)), newest: Some(at(8)) }, BucketSeen::default()],
                beat,
                targets: vec![TargetKey(7), TargetKey(u64::MAX)],
                grain: HOUR,
            }],
            quiet: vec![Quiet {
                key: SeriesKey(u128::MAX - 1),
                stream: 0,
                side: 1,
                counter: Counter { at: at(4), value: 1 << 53, spacings: Spacings([1, 2, 3]) },
                histogram: Histogram::new(9, [(0.25, 0.5, 2), (0.5, 1.0, 6)]).map(Arc::new),
            }],
            judged: vec![],
            replica: None,
        }
    }

    #[test]
    fn the_state_comes_back() {
        assert_eq!(State::unpack(&sample().pack()), Ok(sample()));
        assert_eq!(State::unpack(&State::default().pack()), Ok(State::default()));
        let mut fine = sample();
        fine.streams[0].grain = minutes(15);
        assert_eq!(State::unpack(&fine.pack()), Ok(fine));
        let mut judged = sample();
        judged.judged.push((0, SliceRule { length: minutes(1), good_from: GoodShare::percent("99.5%").expect("a share") }));
        assert_eq!(State::unpack(&judged.pack()), Ok(judged));
        let mut replicated = State { replica: Some(Replica::named("http://a")), ..sample() };
        assert_eq!(State::unpack(&replicated.pack()), Ok(replicated.clone()));
        replicated.lanes[0].other_until = Some(Timestamp::from_seconds(4));
        assert_eq!(State::unpack(&replicated.pack()), Ok(replicated));
    }

    #[test]
    fn a_cut_state_is_damaged() {
        let blob = sample().pack();
        for len in 0..blob.len() {
            assert!(State::unpack(&blob[..len]).is_err(), "{len} of {} bytes", blob.len());
        }
    }

    proptest! {
        #[test]
        fn a_damaged_state_is_an_error_and_never_a_panic(at in 0_usize..200, byte: u8) {
            let mut blob = sample().pack();
            let at = at % blob.len();
            blob[at] = byte;
            let _ = State::unpack(&blob);
        }
    }
}
