//! Images: what the memory holds of some streams, packed, with the last round that is in it. A start reads them and the rounds behind, instead of the
//! segments of a month; each is a cache that can be left out. Parts are packed one at a time, because one after another keeps the rounds waiting less.

use std::collections::BTreeMap;

use super::SourceLedger;
use crate::{
    ledger::{
        Damaged, Image,
        cache::Slices,
        segment::varint::{Reader, Writer},
        verdict::VERDICTS,
    },
    time::Timestamp,
};

/// Raised with every change of what is packed: an image of another version is left out, and the ledger is read whole.
const VERSION: u8 = 2;

/// So many streams are one part.
const STREAMS_OF_A_PART: u32 = 1000;

impl SourceLedger {
    /// The parts of all streams, in order.
    pub fn image_parts(&self) -> impl Iterator<Item = u32> {
        let parts = |first: u32, streams: usize| {
            let last = first + u32::try_from(streams).expect("fewer streams than 2^31").saturating_sub(1);
            (first / STREAMS_OF_A_PART..=last / STREAMS_OF_A_PART).filter(move |_| streams > 0)
        };
        parts(0, self.streams.len()).chain(parts(VERDICTS, self.judged.len()))
    }

    /// The slices of a part, packed; `None` while the memory lacks some that the store may have. Streams that hold nothing are left out: the state need not
    /// name them yet.
    pub fn image(&self, part: u32) -> Option<Vec<u8>> {
        if self.lacks_history {
            return None;
        }
        let first = part * STREAMS_OF_A_PART;
        let streams = first..=first.saturating_add(STREAMS_OF_A_PART - 1);
        let held: Vec<(u32, &Slices)> =
            streams.filter_map(|stream| Some((stream, self.kept(stream)?.slices))).filter(|(_, slices)| !slices.is_empty()).collect();
        let mut out = Writer::default();
        out.byte(VERSION);
        out.list(held.into_iter(), |out, (stream, slices)| {
            out.unsigned(u64::from(stream));
            out.option(self.judged_at(stream).and_then(|judged| judged.first), |out, first| out.signed(first.millis()));
            slices.pack(out);
        });
        Some(out.0)
    }

    /// Takes the slices of images; answers up to which round those of a stream are held. `None` where the images do not suffice.
    pub(super) fn take_images(&mut self, images: &[Image]) -> Result<Option<impl Fn(u32) -> i64 + use<>>, Damaged> {
        let through: BTreeMap<u32, i64> = images.iter().map(|image| (image.part, image.through)).collect();
        if !self.image_parts().all(|part| through.contains_key(&part)) {
            return Ok(None);
        }
        for image in images {
            let mut reader = Reader::new(&image.blob, "image", VERSION)?;
            for _ in 0..reader.len()? {
                let (stream, first) = (reader.index()?, reader.option(Reader::signed)?);
                let slices = Slices::unpack(&mut reader)?;
                if stream / STREAMS_OF_A_PART != image.part {
                    return Err(reader.damaged("it holds a stream of another part"));
                }
                if !self.take_slices(stream, slices).ok_or(reader.damaged("it holds a stream that the state does not name"))? {
                    return Ok(None);
                }
                if let Some(judged) = stream.checked_sub(VERDICTS).and_then(|index| self.judged.get_mut(index as usize)) {
                    judged.first = first.map(Timestamp::from_millis);
                }
            }
            reader.end()?;
        }
        Ok(Some(move |stream: u32| through.get(&(stream / STREAMS_OF_A_PART)).copied().unwrap_or(i64::MAX)))
    }

    /// Takes the slices of a stream, at the levels that the plan asks for; false where they do not hold all of those, `None` for an unknown stream.
    fn take_slices(&mut self, stream: u32, slices: Slices) -> Option<bool> {
        let planned = match self.judged_at(stream) {
            Some(judged) => judged.asked,
            None => self.streams.get(stream as usize)?.place.is_some(),
        };
        let own = self.slices_mut(stream)?;
        let levels = own.specs();
        if !planned || slices.has_levels(&levels) {
            *own = slices;
            return Some(true);
        }
        let suffices = slices.suffice_for(&levels);
        *own = slices.with_levels(&levels);
        Some(suffices)
    }
}
