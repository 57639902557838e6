//! Chunks of samples in Prometheus's XOR encoding: the first sample whole, then the change of the time's step and the bits of the value that differ
//! (Facebook's Gorilla, as tsdb/chunkenc writes it).

/// Packs samples, at most 65,535 of them, times in milliseconds and ascending.
pub(super) fn pack(samples: &[(i64, f64)]) -> Vec<u8> {
    let mut out = Bits::default();
    let (mut last, mut step, mut window) = ((0_i64, 0_u64), 0_i64, None);
    for (at, (time, value)) in samples.iter().enumerate() {
        let bits = value.to_bits();
        match at {
            0 => {
                out.signed(*time);
                out.push(bits, 64);
            }
            1 => {
                step = time - last.0;
                out.unsigned(step.unsigned_abs());
                window = push_value(&mut out, bits ^ last.1, window);
            }
            _ => {
                let next = time - last.0;
                push_change(&mut out, next - step);
                step = next;
                window = push_value(&mut out, bits ^ last.1, window);
            }
        }
        last = (*time, bits);
    }
    let count = u16::try_from(samples.len()).expect("a chunk holds at most 65,535 samples");
    [count.to_be_bytes().as_slice(), &out.bytes].concat()
}

/// How the step of time changed, in the shortest of five forms.
fn push_change(out: &mut Bits, change: i64) {
    let fits = |bits: u32| (1 - (1 << (bits - 1))..=1 << (bits - 1)).contains(&change);
    let (prefix, length, bits) = match change {
        0 => (0, 1, 0),
        _ if fits(14) => (0b10, 2, 14),
        _ if fits(17) => (0b110, 3, 17),
        _ if fits(20) => (0b1110, 4, 20),
        _ => (0b1111, 4, 64),
    };
    out.push(prefix, length);
    out.push(change.cast_unsigned(), bits);
}

/// The bits in which a value differs from the one before, within the window of the last difference where they fit.
fn push_value(out: &mut Bits, difference: u64, window: Option<(u32, u32)>) -> Option<(u32, u32)> {
    if difference == 0 {
        out.push(0, 1);
        return window;
    }
    out.push(1, 1);
    let (leading, trailing) = (difference.leading_zeros().min(31), difference.trailing_zeros());
    match window {
        Some((zeros, tail)) if leading >= zeros && trailing >= tail => {
            out.push(0, 1);
            out.push(difference >> tail, 64 - zeros - tail);
            window
        }
        Some(_) | None => {
            let length = 64 - leading - trailing;
            out.push(1, 1);
            out.push(u64::from(leading), 5);
            out.push(u64::from(length & 63), 6);
            out.push(difference >> trailing, length);
            Some((leading, trailing))
        }
    }
}

/// A stream of bits, the highest first.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    /// Bits that are free in the last byte.
    free: u32,
}

impl Bits {
    /// The lowest `count` bits of `value`.
    fn push(&mut self, value: u64, count: u32) {
        let mut left = count;
        while left > 0 {
            if self.free == 0 {
                self.bytes.push(0);
                self.free = 8;
            }
            let take = left.min(self.free);
            let piece = (value >> (left - take)) & ((1 << take) - 1);
            let last = self.bytes.last_mut().expect("a byte was pushed");
            *last |= u8::try_from(piece << (self.free - take)).expect("it fits into what is free of a byte");
            self.free -= take;
            left -= take;
        }
    }

    fn unsigned(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.push((value & 0x7f) | 0x80, 8);
            value >>= 7;
        }
        self.push(value, 8);
    }

    fn signed(&mut self, value: i64) {
        self.unsigned(((value << 1) ^ (value >> 63)).cast_unsigned());
    }
}
