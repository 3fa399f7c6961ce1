//! Bytes in memory.

use super::Source;
use crate::error::{Kind, Result};

/// Bytes in memory, owned by any type.
pub struct MemorySource<B>(B);

impl<B: AsRef<[u8]> + Send + Sync> MemorySource<B> {
    /// A source over `bytes`, without a copy.
    pub fn new(bytes: B) -> Self {
        Self(bytes)
    }

    pub(super) fn into_inner(self) -> B {
        self.0
    }
}

impl<B: AsRef<[u8]> + Send + Sync> Source for MemorySource<B> {
    fn len(&self) -> u64 {
        self.0.as_ref().len() as u64
    }

    fn identity(&self) -> String {
        format!("{:032x}", xxhash_rust::xxh3::xxh3_128(self.0.as_ref()))
    }

    fn is_local(&self) -> bool {
        true
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<()> {
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        let bytes = self.0.as_ref().get(start..start.saturating_add(buffer.len()));
        buffer.copy_from_slice(bytes.ok_or(Kind::SourceChanged("it ends too early"))?);
        Ok(())
    }
}
