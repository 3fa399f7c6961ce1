//! The beginning of a text, of which nobody knows beforehand how much is needed.

use std::sync::atomic::{AtomicBool, Ordering};

use super::{MemorySource, Source, Stream};
use crate::error::{Kind, Result};

/// Bytes that are read at first; few in debug builds, so that they do not always do.
const FIRST: usize = if cfg!(debug_assertions) { 64 } else { 64 << 10 };

/// What a text begins with, in memory.
pub struct Prefix {
    bytes: MemorySource<Vec<u8>>,
    is_whole: bool,
    /// Whether more was asked for.
    is_short: AtomicBool,
}

impl Prefix {
    /// What `look` finds at the beginning of a source. It may be called again with more of it.
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

    /// What `look` finds at the beginning of the text of a stream. It may be called again with more of it.
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

    /// `read` brings the bytes to so many, and says whether there are no more.
    fn look_into<T>(
        mut read: impl FnMut(&mut Vec<u8>, usize) -> Result<bool>,
        mut look: impl FnMut(&dyn Source) -> Result<T>,
    ) -> Result<T> {
        let mut bytes = Vec::new();
        let mut wanted = FIRST;
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

/// A tar archive is text for a while.
fn refuse_archives(bytes: &[u8]) -> Result<()> {
    let is_tar = bytes.get(257..262).is_some_and(|mark| mark == b"ustar") && bytes[..257].contains(&0);
    if is_tar {
        return Err(Kind::NotText("a tar archive", "unpack it, for example with `tar -xf`").into());
    }
    Ok(())
}

impl Source for Prefix {
    fn len(&self) -> u64 {
        // Whatever it is, there is no end to be seen.
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
