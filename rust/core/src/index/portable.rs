//! Delimiters and newlines in 64-byte steps, in ordinary 64-bit registers.

use crate::number::WINDOW;

const ONES: u64 = 0x0101_0101_0101_0101;
const LOW_BITS: u64 = 0x7F7F_7F7F_7F7F_7F7F;

/// Appends the position of each delimiter and newline of `bytes[WINDOW..]`, and returns how many are newlines.
pub(super) fn marks(bytes: &[u8], delimiter: u8, marks: &mut Vec<u32>) -> usize {
    let delimiters = ONES * u64::from(delimiter);
    let newlines = ONES * u64::from(b'\n');
    let mut count = 0;
    let mut filled = marks.len();
    let (chunks, rest) = bytes[WINDOW..].as_chunks::<64>();
    let mut base = WINDOW as u32;
    let mut step = |chunk: &[u8; 64], valid: u64| {
        let mut mask = 0;
        let mut ends = 0;
        for (at, word) in chunk.as_chunks::<8>().0.iter().enumerate() {
            let word = u64::from_le_bytes(*word);
            let newline = zero_bytes(word ^ newlines);
            mask |= gather(zero_bytes(word ^ delimiters) | newline) << (8 * at);
            ends |= gather(newline) << (8 * at);
        }
        mask &= valid;
        count += (ends & valid).count_ones() as usize;
        if marks.len() < filled + 64 {
            marks.resize((filled + 64).next_power_of_two(), 0);
        }
        let found = mask.count_ones() as usize;
        let out: &mut [u32; 64] = marks[filled..].first_chunk_mut().expect("64 places were made");
        // Four at a time: one branch for each four fields; what is written past the last is overwritten by the next.
        let mut at = 0;
        while at < found {
            for place in &mut out[at..][..4] {
                *place = base + mask.trailing_zeros();
                mask &= mask.wrapping_sub(1);
            }
            at += 4;
        }
        filled += found;
        base += 64;
    };
    for chunk in chunks {
        step(chunk, !0);
    }
    let mut last = [0; 64];
    last[..rest.len()].copy_from_slice(rest);
    step(&last, (1 << rest.len()) - 1);
    marks.truncate(filled);
    count
}

/// The high bit of each byte that is zero. Exact: no byte borrows from its neighbour.
#[inline]
fn zero_bytes(word: u64) -> u64 {
    !((word & LOW_BITS).wrapping_add(LOW_BITS) | word | LOW_BITS)
}

/// The high bits of the eight bytes, as eight bits in their order.
#[inline]
fn gather(high_bits: u64) -> u64 {
    (high_bits >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(5_000))]

        #[test]
        fn finds_each_delimiter_and_newline(text in "[,;\n+\u{B}x]{0,300}") {
            let bytes = [&[b','; WINDOW], text.as_bytes()].concat();
            let mut found = vec![];
            let newlines = marks(&bytes, b',', &mut found);
            let naive = |wanted: &[u8]| -> Vec<u32> {
                (WINDOW..bytes.len()).filter(|&at| wanted.contains(&bytes[at])).map(|at| at as u32).collect()
            };
            prop_assert_eq!(found, naive(b",\n"));
            prop_assert_eq!(newlines, naive(b"\n").len());
        }
    }
}
