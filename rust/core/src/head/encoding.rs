//! Detects the encoding of text that is not UTF-8.

use encoding_rs::{BIG5, EUC_JP, EUC_KR, GBK, SHIFT_JIS};

use super::sample::Sample;
use crate::dialect::Encoding;
use crate::error::{Error, Kind, Result};

/// The encoding of a sample, or an error if it is not supported.
pub(super) fn encoding_of(sample: &Sample) -> Result<Encoding> {
    let whole = |window: &Vec<u8>| {
        let start = memchr::memchr(b'\n', window)?;
        Some(window[start..=memchr::memrchr(b'\n', window)?].to_vec())
    };
    let mut bytes = sample.beginning.clone();
    bytes.extend(sample.windows.iter().filter_map(whole).flatten());
    if std::str::from_utf8(&bytes).is_ok() {
        return Ok(Encoding::Utf8);
    }
    if !is_western(&bytes) {
        return Err(unknown(&bytes));
    }
    let is_windows = bytes.iter().any(|byte| (0x80..=0x9F).contains(byte));
    Ok(if is_windows { Encoding::Cp1252 } else { Encoding::Latin1 })
}

/// The error for text in an unsupported encoding.
pub(super) fn unknown(bytes: &[u8]) -> Error {
    let decodes = |encoding: &&'static encoding_rs::Encoding| !encoding.decode_without_bom_handling(bytes).1;
    let found: Vec<_> =
        [SHIFT_JIS, EUC_JP, GBK, BIG5, EUC_KR].into_iter().filter(decodes).map(encoding_rs::Encoding::name).collect();
    Kind::UnknownEncoding { perhaps: found }.into()
}

/// Whether the bytes beyond ASCII are letters and signs of western languages in Latin-1 or Windows-1252, at plausible
/// places.
pub(super) fn is_western(bytes: &[u8]) -> bool {
    let is_letter = |byte: u8| (0xC0..=0xFF).contains(&byte) && !matches!(byte, 0xD7 | 0xF7);
    let is_rare_letter = |byte: u8| matches!(byte, 0x8A | 0x8C | 0x8E | 0x9A | 0x9C | 0x9E | 0x9F);
    let is_sign = |byte: u8| matches!(byte, 0x80 | 0x82 | 0x84..=0x87 | 0x89 | 0x91..=0x97 | 0x99 | 0xA0..=0xBF);
    let neighbour = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_alphabetic);
    let mut run = 0;
    let (mut all, mut odd) = (0_usize, 0_usize);
    for (at, &byte) in bytes.iter().enumerate() {
        run = if byte < 0x80 { 0 } else { run + 1 };
        if byte < 0x80 {
            continue;
        }
        all += 1;
        // Between two letters, only another letter or an apostrophe is plausible.
        let is_inside = neighbour(at.checked_sub(1)) && neighbour(Some(at + 1));
        let is_apostrophe = matches!(byte, 0x92 | 0xB4 | 0xAD | 0xB7 | 0x96 | 0x97 | 0xA0);
        let is_usual = is_letter(byte) || is_rare_letter(byte) || (is_sign(byte) && (!is_inside || is_apostrophe));
        odd += usize::from(!is_usual || run > 2);
    }
    20 * odd <= all
}
