//! Reads bytes at any offset, or from start to end if they are compressed or in another encoding.

mod codec;
mod cr_line_ends;
mod decoded;
mod file;
mod footer;
mod memory;
mod prefix;
mod raw;
mod spool;
mod utf16;
mod version;
mod zip;

pub use codec::Codec;
pub use cr_line_ends::{CarriageReturns, ends_with_returns};
pub use decoded::Stream;
pub(crate) use decoded::Text as StreamText;
pub use file::{FileSource, Handles, LazyFile};
pub use footer::Shortened;
pub(crate) use footer::is_padding;
pub use memory::MemorySource;
pub use prefix::Prefix;
pub use spool::{Spool, SpooledText};
pub use utf16::Transcoding;
pub use version::Version;

pub use crate::platform::FileIdentity;

use crate::budget::Size;
use crate::error::Result;

/// Bytes of known length that several threads may read at once.
pub trait Source: Send + Sync {
    /// Length in bytes.
    fn len(&self) -> u64;

    /// Whether there are no bytes.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Identifies these bytes in their current version.
    fn identity(&self) -> String;

    /// Fills `buffer` with the bytes from `offset` on. Returns an error past the end, or if the source changed.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<()>;

    /// Whether reads wait for nothing slower than a disk.
    fn is_local(&self) -> bool {
        false
    }

    /// Gives up: calls of `read_at` that wait, and all later ones, soon return an error.
    fn abandon(&self) {}
}

/// A checksum of the length, the beginning and the end of a source.
pub fn fingerprint(source: &dyn Source) -> Result<String> {
    const ENDS: u64 = 1 << 16;
    let length = source.len();
    let size = length.min(ENDS);
    let mut bytes = vec![0; 2 * size as usize];
    let (first, last) = bytes.split_at_mut(size as usize);
    source.read_at(0, first)?;
    source.read_at(length - size, last)?;
    bytes.extend(length.to_le_bytes());
    Ok(format!("{:032x}", xxhash_rust::xxh3::xxh3_128(&bytes)))
}

/// A checksum of `count` pieces between the beginning and the end of a source; `None` if the source is remote, where
/// each piece would be a separate wait.
pub fn samples(source: &dyn Source, count: usize) -> Result<Option<u128>> {
    const PIECE: Size = Size { usual: 4 << 10, small: 16 };
    if !source.is_local() {
        return Ok(None);
    }
    let mut sum = xxhash_rust::xxh3::Xxh3::new();
    let length = source.len();
    let mut bytes = vec![0; (PIECE.get() as u64).min(length) as usize];
    for number in 1..=count as u128 {
        let place = u128::from(length - bytes.len() as u64) * number / (count as u128 + 1);
        source.read_at(place as u64, &mut bytes)?;
        sum.update(&bytes);
    }
    Ok(Some(sum.digest128()))
}

/// A checksum of all bytes of a source.
pub fn sum(source: &dyn Source) -> Result<String> {
    let mut sum = xxhash_rust::xxh3::Xxh3::new();
    let mut bytes = vec![0; 256 << 10];
    let mut offset = 0;
    while offset < source.len() {
        let wanted = (source.len() - offset).min(bytes.len() as u64) as usize;
        source.read_at(offset, &mut bytes[..wanted])?;
        sum.update(&bytes[..wanted]);
        offset += wanted as u64;
    }
    Ok(format!("{:032x}", sum.digest128()))
}
