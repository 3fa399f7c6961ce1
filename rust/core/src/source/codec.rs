//! The compression formats, detected by their first bytes.

use std::io::{self, BufRead, BufReader, ErrorKind, Read};

use super::Source;
use crate::budget::Size;
use crate::error::Result;

/// How many compressed bytes are read at a time.
pub(super) const INPUT: Size = Size { usual: 128 << 10, small: 64 };

/// The largest window of a zstd frame, as a power of two: the maximum of the zstd library.
const ZSTD_WINDOW: u32 = 31;

/// The compression format of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Codec {
    /// gzip with any number of members, as bgzip writes it.
    Gzip,
    /// zstd with any number of frames.
    Zstd,
    /// bzip2 with any number of streams.
    Bzip2,
    /// xz with any number of streams.
    Xz,
    /// A zip archive with a single file.
    Zip,
}

impl Codec {
    /// Detects the format from the first bytes of a file; `None` if they are not compressed in a supported format.
    #[must_use]
    pub fn of(start: &[u8]) -> Option<Self> {
        match start {
            [0x1F, 0x8B, 8, ..] => Some(Self::Gzip),
            // A frame, or a skippable frame before it.
            [0x28, 0xB5, 0x2F, 0xFD, ..] | [0x50..=0x5F, 0x2A, 0x4D, 0x18, ..] => Some(Self::Zstd),
            // A block, or the end of a stream without blocks.
            [b'B', b'Z', b'h', b'1'..=b'9', b'1', b'A', b'Y', b'&', b'S', b'Y', ..]
            | [b'B', b'Z', b'h', b'1'..=b'9', 0x17, b'r', b'E', b'8', b'P', 0x90, ..] => Some(Self::Bzip2),
            [0xFD, b'7', b'z', b'X', b'Z', 0, ..] => Some(Self::Xz),
            [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => Some(Self::Zip),
            _ => None,
        }
    }

    /// Detects the format from the first bytes of a source.
    pub fn of_source(source: &dyn Source) -> Result<Option<Self>> {
        let mut start = [0; 16];
        let start = &mut start[..source.len().min(16) as usize];
        source.read_at(0, start)?;
        Ok(Self::of(start))
    }

    /// The name of the format.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Bzip2 => "bzip2",
            Self::Xz => "xz",
            Self::Zip => "zip",
        }
    }

    /// Decompresses all members of `raw`.
    pub(super) fn decompress<'a>(self, raw: impl Read + Send + 'a) -> io::Result<Box<dyn Read + Send + 'a>> {
        let raw = BufReader::with_capacity(INPUT.get(), raw);
        Ok(match self {
            Self::Gzip => Box::new(Members { member: Some(flate2::bufread::GzDecoder::new(raw)) }),
            Self::Zstd => {
                let mut decoder = zstd::Decoder::with_buffer(raw)?;
                decoder.window_log_max(ZSTD_WINDOW)?;
                Box::new(decoder)
            }
            Self::Bzip2 => Box::new(bzip2::bufread::MultiBzDecoder::new(raw)),
            Self::Xz => Box::new(lzma_rust2::XzReader::new(raw, true)),
            Self::Zip => unreachable!("an archive is opened by its directory"),
        })
    }
}

/// The members of a gzip file in order. Only zeros, as on tapes, may follow the last.
struct Members<R> {
    /// `None` after the last member.
    member: Option<flate2::bufread::GzDecoder<R>>,
}

impl<R: BufRead> Read for Members<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(member) = &mut self.member {
            let count = member.read(buffer)?;
            if count > 0 || buffer.is_empty() {
                return Ok(count);
            }
            let mut raw = self.member.take().expect("it was there").into_inner();
            match raw.fill_buf()? {
                [0x1F, ..] => self.member = Some(flate2::bufread::GzDecoder::new(raw)),
                [] => {}
                _ => skip_zeros(&mut raw)?,
            }
        }
        Ok(0)
    }
}

fn skip_zeros(raw: &mut impl BufRead) -> io::Result<()> {
    loop {
        let bytes = raw.fill_buf()?;
        if bytes.iter().any(|&byte| byte != 0) {
            return Err(io::Error::new(ErrorKind::InvalidData, "something else follows the last member"));
        }
        match bytes.len() {
            0 => return Ok(()),
            length => raw.consume(length),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_not_detected_as_compressed() {
        for text in ["a,b\n1,2\n", "PK,y\n", "BZh9,y\n1,2\n", "(\u{b5}/,y\n", "", "\u{1f}", "P", "\u{feff}a\n"] {
            assert_eq!(Codec::of(text.as_bytes()), None, "{text:?}");
        }
    }
}
