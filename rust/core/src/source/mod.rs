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

    /// Fills `buffer` from `offset` on. Asking past the end, or finding the source changed, is an error.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<()>;
}
