//! Stage 1: bytes, read at an offset.

mod file;
mod memory;

pub use file::{FileIdentity, FileSource};
pub use memory::MemorySource;

use crate::error::Result;

/// Bytes of a known length that several threads may read at once.
pub trait Source: Send + Sync {
    /// Length in bytes.
    fn len(&self) -> u64;

    /// Whether there are no bytes at all.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What tells these bytes from others and from what they were before.
    fn identity(&self) -> String;

    /// Fills `buffer` from `offset` on. Asking past the end, or finding the source changed, is an error.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<()>;
}

/// A sum of the length of a source, its beginning and its end.
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
