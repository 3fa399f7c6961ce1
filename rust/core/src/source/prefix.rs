//! The beginning of a text, extended as needed.

use std::sync::atomic::{AtomicBool, Ordering};

use super::{MemorySource, Source, Stream};
use crate::budget::Size;
use crate::error::{Kind, Result};

/// How many bytes are read at first. Debug builds read few, so that they do not always suffice.
const FIRST: Size = Size { usual: 64 << 10, small: 64 };

/// The beginning of a text, in memory.
pub struct Prefix {
    bytes: MemorySource<Vec<u8>>,
    is_whole: bool,
    /// Whether more bytes were requested than are available.
    is_short: AtomicBool,
}

impl Prefix {
    /// Calls `look` with the beginning of a source, again with more of it if needed, and returns its result.
    pub fn of_source<T>(source: &dyn Source, look: impl FnMut(&dyn Source) -> Result<T>) -> Result<T> {
        let length = source.len();
        Self::look_into(
            |bytes, wanted| {
                let start = bytes.len();
                bytes.resize(length.min(wanted as u64) as usize, 0);
                source.read_at(start as u64, &mut bytes[start..])?;
                Ok(bytes.len() as u64 == length)
            },
            look,
        )
    }

    /// Calls `look` with the beginning of a stream's text, again with more of it if needed, and returns its result.
    pub fn of_stream<T>(stream: &Stream, look: impl FnMut(&dyn Source) -> Result<T>) -> Result<T> {
        let mut text = stream.open(0)?;
        Self::look_into(
            |bytes, wanted| {
                let start = bytes.len();
                bytes.resize(wanted, 0);
                let count = text.fill(&mut bytes[start..])?;
                bytes.truncate(start + count);
                Ok(bytes.len() < wanted)
            },
            look,
        )
    }

    /// `read` extends the bytes to the given length and returns whether the end is reached.
    fn look_into<T>(
        mut read: impl FnMut(&mut Vec<u8>, usize) -> Result<bool>,
        mut look: impl FnMut(&dyn Source) -> Result<T>,
    ) -> Result<T> {
        let mut bytes = Vec::new();
        let mut wanted = FIRST.get();
        loop {
            let is_whole = read(&mut bytes, wanted)?;
            refuse_archives(&bytes)?;
            let prefix = Self { bytes: MemorySource::new(bytes), is_whole, is_short: AtomicBool::new(false) };
            let found = look(&prefix);
            if !prefix.is_short.into_inner() {
                return found;
            }
            bytes = prefix.bytes.into_inner();
            wanted *= 4;
        }
    }
}

/// Refuses tar archives, whose beginning looks like text.
fn refuse_archives(bytes: &[u8]) -> Result<()> {
    let is_tar = bytes.get(257..262).is_some_and(|mark| mark == b"ustar") && bytes[..257].contains(&0);
    if is_tar {
        return Err(Kind::NotText("a tar archive", "unpack it, for example with `tar -xf`").into());
    }
    Ok(())
}

impl Source for Prefix {
    fn len(&self) -> u64 {
        // The end is not known yet.
        if self.is_whole { self.bytes.len() } else { u64::MAX / 2 }
    }

    fn identity(&self) -> String {
        self.bytes.identity()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<()> {
        if !self.is_whole && offset + buffer.len() as u64 > self.bytes.len() {
            self.is_short.store(true, Ordering::Relaxed);
        }
        self.bytes.read_at(offset, buffer)
    }
}
