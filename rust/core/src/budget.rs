//! How many threads read, and how much memory they may hold.

/// Text parsed as one job. It stays in a core's L2 cache together with its marks and values; tiny in debug builds, so
/// that ordinary tests cross block boundaries everywhere.
pub(crate) const BLOCK_BYTES: usize = if cfg!(debug_assertions) { 128 } else { 256 << 10 };

/// Longest row allowed without a `memory` that says otherwise.
const MAX_ROW: usize = 16 << 20;

/// How many threads read, and how much memory they may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Threads that parse. Of several the consumer's is one while it waits, where jobs are short.
    pub threads: usize,
    /// Bytes of text in a block.
    pub block_bytes: usize,
    /// Blocks that are being parsed or wait for the consumer.
    pub window: usize,
    /// Bytes of the longest row allowed.
    pub max_row: usize,
}

impl Budget {
    /// Buffers of at most about `memory` bytes: a block takes its text and up to twice as much for its marks, and each
    /// block in the window up to twice its text for its values. By default 7 blocks a thread and 4 more: 4.5 MiB on 2
    /// threads, 113 MiB on 64.
    #[must_use]
    pub fn new(threads: usize, memory: Option<usize>) -> Self {
        let window = 2 * threads + 2;
        let blocks = 3 * threads + 2 * window;
        let Some(memory) = memory else {
            return Self { threads, block_bytes: BLOCK_BYTES, window, max_row: MAX_ROW };
        };
        let block_bytes = (memory / blocks).clamp(64, BLOCK_BYTES);
        let more = (memory / block_bytes).saturating_sub(blocks) / 2;
        Self { threads, block_bytes, window: window + more, max_row: memory.clamp(1 << 20, 1 << 31) }
    }

    /// Bytes of buffers that it allows.
    pub(crate) fn bytes(self) -> usize {
        self.block_bytes.saturating_mul(3 * self.threads + 2 * self.window)
    }
}
