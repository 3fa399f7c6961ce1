//! The limits of reading: how many threads parse and how much memory they hold.
//!
//! A job that cannot get memory unwinds with `OutOfMemory`; the pipeline turns that into an error.

use std::hint::black_box;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::LazyLock;

/// Whether blocks and buffers are a few bytes small, so that ordinary tests cross their ends everywhere. In this crate's
/// own tests and under the fuzz targets they are. In a debug build they are if the environment has
/// `CSVFEED_BUFFERS=small`. In a release build this is a constant.
#[must_use]
pub fn small_buffers() -> bool {
    static ASKED_FOR: LazyLock<bool> =
        LazyLock::new(|| std::env::var_os("CSVFEED_BUFFERS").is_some_and(|value| value == "small"));
    cfg!(any(test, feature = "testing")) || cfg!(debug_assertions) && *ASKED_FOR
}

/// The size of a block or buffer.
#[derive(Clone, Copy)]
pub(crate) struct Size {
    /// The size for users.
    pub usual: usize,
    /// The size if there are [`small_buffers`].
    pub small: usize,
}

impl Size {
    /// The size in this process.
    pub(crate) fn get(self) -> usize {
        if small_buffers() { self.small } else { self.usual }
    }
}

/// Bytes of text that one job parses. A block, its marks and its values fit in a core's L2 cache.
pub(crate) const BLOCK_BYTES: Size = Size { usual: 256 << 10, small: 128 };

/// Longest row allowed when the caller sets no `memory`.
const MAX_ROW: usize = 16 << 20;

/// How many threads read and how much memory they may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Threads that parse. When jobs are short, the consumer's thread counts as one of them while it waits.
    pub threads: usize,
    /// Bytes of text in a block.
    pub block_bytes: usize,
    /// Blocks that are being parsed or wait for the consumer.
    pub window: usize,
    /// Length of the longest row allowed, in bytes.
    pub max_row: usize,
    /// Bytes of decompressed text that may wait for the turn of their part.
    pub ahead: usize,
}

/// The default of [`Budget::ahead`] for each thread: the text of a part of usual size.
const AHEAD: Size = Size { usual: 32 << 20, small: 1 << 10 };

/// The most of it.
const MOST_AHEAD: usize = 512 << 20;

impl Budget {
    /// A budget with buffers of at most about `memory` bytes. A block takes its text and up to twice as much for its
    /// marks; each block in the window takes up to twice its text for its values. The default is 7 blocks a thread and
    /// 4 more: 4.5 MiB on 2 threads, 113 MiB on 64.
    #[must_use]
    pub fn new(threads: usize, memory: Option<usize>) -> Self {
        let window = 2 * threads + 2;
        let blocks = 3 * threads + 2 * window;
        let Some(memory) = memory else {
            let ahead = threads.saturating_mul(AHEAD.get()).min(MOST_AHEAD);
            return Self { threads, block_bytes: BLOCK_BYTES.get(), window, max_row: MAX_ROW, ahead };
        };
        let block_bytes = (memory / blocks).clamp(64, BLOCK_BYTES.get());
        let more = (memory / block_bytes).saturating_sub(blocks) / 2;
        let max_row = memory.clamp(1 << 20, 1 << 31);
        Self { threads, block_bytes, window: window + more, max_row, ahead: more * block_bytes }
    }

    /// This budget for a pass that decompresses parts ahead, which takes half of what the window would have beyond its
    /// least size.
    #[must_use]
    pub(crate) fn beside_decompression(self) -> Self {
        let least = 2 * self.threads + 2;
        let more = self.window.saturating_sub(least);
        Self { window: self.window - more / 2, ..self }
    }

    /// Bytes of buffers that this budget allows.
    #[must_use]
    pub fn bytes(self) -> usize {
        self.block_bytes.saturating_mul(3 * self.threads + 2 * self.window)
    }
}

/// The panic payload of a job that cannot get memory for its rows.
pub(crate) struct OutOfMemory;

/// Ends the job that runs on this thread.
pub(crate) fn out_of_memory() -> ! {
    resume_unwind(Box::new(OutOfMemory))
}

/// Extends a buffer with zeros to `length` bytes. Ends the job on this thread if there is no memory.
pub(crate) fn extend_zeroed(buffer: &mut Vec<u8>, length: usize) {
    if buffer.try_reserve(length.saturating_sub(buffer.len())).is_err() {
        out_of_memory();
    }
    buffer.resize(length, 0);
}

/// An empty vector with room for `count` values. Ends the job on this thread if there is no memory.
pub(crate) fn room_for<T>(count: usize) -> Vec<T> {
    let mut values = Vec::new();
    if values.try_reserve_exact(count).is_err() {
        out_of_memory();
    }
    values
}

/// Whether the process can allocate `bytes` more bytes.
pub(crate) fn has_memory(bytes: u64) -> bool {
    let mut probe = Vec::<u8>::new();
    let result = usize::try_from(bytes).is_ok_and(|bytes| probe.try_reserve_exact(bytes).is_ok());
    black_box(probe.as_ptr());
    result
}

/// Runs `work`. Returns `None` if it ran out of memory.
pub(crate) fn within_memory<R>(work: impl FnOnce() -> R) -> Option<R> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(result) => Some(result),
        Err(payload) if payload.is::<OutOfMemory>() => None,
        Err(payload) => resume_unwind(payload),
    }
}
