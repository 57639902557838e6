//! A hash of texts and numbers that is the same for ever: the stored state holds its results.

/// Two multiply-and-fold lanes over words of 8 bytes.
pub(crate) struct Hash {
    low: u64,
    high: u64,
}

impl Hash {
    /// Of nothing yet.
    pub(crate) const fn new() -> Self {
        Self { low: 0x9E37_79B9_7F4A_7C15, high: 0xD1B5_4A32_D192_ED03 }
    }

    /// Takes a number.
    pub(crate) fn word(&mut self, word: u64) {
        self.low = fold(self.low ^ word, 0xA076_1D64_78BD_642F);
        self.high = fold(self.high ^ word, 0xE703_7ED1_A0B4_28DB);
    }

    /// Takes a text; two texts are never taken for one.
    pub(crate) fn text(&mut self, text: &str) {
        let mut words = text.as_bytes().chunks_exact(8);
        for word in &mut words {
            self.word(u64::from_le_bytes(word.try_into().expect("chunks of 8")));
        }
        let mut last = [0_u8; 8];
        last[..words.remainder().len()].copy_from_slice(words.remainder());
        self.word(u64::from_le_bytes(last));
        self.word(text.len() as u64);
    }

    /// The whole result.
    pub(crate) fn finish(mut self) -> u128 {
        self.word(0x8EBC_6AF0_9C88_C6E3);
        (u128::from(self.high) << 64) | u128::from(self.low)
    }

    /// Half of it.
    pub(crate) fn finish_short(self) -> u64 {
        low_half(self.finish())
    }
}

/// The product's halves folded; a zero never sticks.
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    low_half((product >> 64) ^ product).rotate_left(23).wrapping_add(a)
}

#[expect(clippy::cast_possible_truncation, reason = "the lower half is what is asked for")]
const fn low_half(wide: u128) -> u64 {
    wide as u64
}
