//! Stage 6: threads, order, back-pressure, cancellation; the first error wins.
//!
//! Each thread takes the next text, parses it and puts the block where the consumer will look for it. Threads never run
//! more than a window ahead of the consumer, and the consumer takes blocks in the order of the file.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::block::{Block, Parser, Pool, Widths};
use crate::dialect::Dialect;
use crate::error::{Error, Kind, Result};
use crate::schema::Schema;
use crate::simd::{Simd, simd};
use crate::source::Source;
use crate::split::{Splitter, Text};

/// Text parsed as one job. It stays in a core's L2 cache together with its marks and values; tiny in debug builds, so
/// that ordinary tests cross block boundaries everywhere.
const BLOCK_BYTES: usize = if cfg!(debug_assertions) { 128 } else { 256 << 10 };

/// Longest row allowed without a `memory` that says otherwise.
const MAX_ROW: usize = 16 << 20;

/// How many threads read, and how much memory they may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Threads that parse.
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
}

/// Blocks of a source in the order of the file, parsed ahead of the consumer.
pub struct Pipeline {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
    /// The process that has the threads: a fork inherits the pipeline without them.
    process: u32,
}

/// What the threads work on, and where they meet the consumer.
struct Shared {
    splitter: Splitter,
    schema: Arc<Schema>,
    dialect: Dialect,
    simd: Simd,
    pool: Arc<Pool>,
    window: u64,
    /// Texts to read in all; `u64::MAX` for an endless pipeline.
    texts: u64,
    queue: Mutex<Queue>,
    /// Something arrived for the consumer.
    arrived: Condvar,
    /// The window moved, or everything ends.
    moved: Condvar,
}

#[derive(Default)]
struct Queue {
    /// The next text that a thread may take.
    next: u64,
    /// The block that the consumer takes next.
    taken: u64,
    /// The blocks from `taken` on, as far as they have arrived.
    blocks: VecDeque<Option<Parsed>>,
    stopped: bool,
    panicked: bool,
}

/// A block, and the error that ended it early.
type Parsed = (Block, Option<Error>);

/// What the consumer finds when it looks for the next block.
pub enum Next {
    /// The next block of the file.
    Block(Arc<Block>),
    /// The block is not ready yet.
    Pending,
    /// There are no more blocks.
    End,
}

impl Pipeline {
    /// Starts reading. `repeat` begins again at the end of the source, for ever.
    pub fn start(
        source: Arc<dyn Source>,
        dialect: Dialect,
        data_start: u64,
        schema: Arc<Schema>,
        budget: Budget,
        repeat: bool,
    ) -> Result<Self> {
        Self::start_with(simd()?, source, dialect, data_start, schema, budget, repeat)
    }

    /// The same with an instruction set of the caller's choice.
    pub fn start_with(
        simd: Simd,
        source: Arc<dyn Source>,
        dialect: Dialect,
        data_start: u64,
        schema: Arc<Schema>,
        budget: Budget,
        repeat: bool,
    ) -> Result<Self> {
        let splitter = Splitter::new(simd, source, dialect, data_start, budget.block_bytes, budget.max_row);
        let pass = splitter.texts();
        let texts = if repeat && pass > 0 { u64::MAX } else { pass };
        let shared = Arc::new(Shared {
            splitter,
            schema,
            dialect,
            simd,
            pool: Pool::new(budget.window),
            window: budget.window as u64,
            texts,
            queue: Mutex::default(),
            arrived: Condvar::new(),
            moved: Condvar::new(),
        });
        let threads = budget.threads.min(texts.try_into().unwrap_or(usize::MAX)).max(1);
        let mut pipeline = Self { shared, threads: Vec::with_capacity(threads), process: std::process::id() };
        for number in 0..threads {
            let shared = Arc::clone(&pipeline.shared);
            let thread = std::thread::Builder::new().name(format!("csvfeed-{number}"));
            pipeline.threads.push(thread.spawn(move || shared.work())?);
        }
        Ok(pipeline)
    }

    /// Blocks in one pass over the source.
    pub(crate) fn blocks_in_a_pass(&self) -> u64 {
        self.shared.splitter.texts()
    }

    /// The next block, waiting up to `patience` for it. After an error there is nothing more.
    ///
    /// A block that an error ended early comes first, and its error at the next call.
    pub fn next(&self, patience: Duration) -> Result<Next> {
        if self.process != std::process::id() {
            return Err(Kind::Forked.into());
        }
        let shared = &*self.shared;
        let mut queue = shared.lock();
        if !shared.is_ready(&queue) && !patience.is_zero() {
            let waiting = |queue: &mut Queue| !shared.is_ready(queue);
            queue =
                shared.arrived.wait_timeout_while(queue, patience, waiting).unwrap_or_else(PoisonError::into_inner).0;
        }
        if queue.panicked {
            return Err(Kind::Internal.into());
        }
        if queue.stopped || queue.taken == shared.texts {
            return Ok(Next::End);
        }
        let Some(parsed @ Some(_)) = queue.blocks.front_mut() else { return Ok(Next::Pending) };
        match parsed.take() {
            Some((block, None)) => {
                queue.blocks.pop_front();
                queue.taken += 1;
                drop(queue);
                shared.moved.notify_one();
                Ok(Next::Block(Arc::new(block)))
            }
            Some((block, Some(error))) if block.rows > 0 => {
                // The rows before the error count; the error keeps its place in the queue.
                let rest = Block::with_capacity(&shared.pool, Widths::of(&shared.schema), 0);
                *parsed = Some((rest, Some(error)));
                Ok(Next::Block(Arc::new(block)))
            }
            Some((_, Some(error))) => {
                queue.stopped = true;
                drop(queue);
                shared.wake_all();
                Err(error)
            }
            None => unreachable!("the block has arrived"),
        }
    }
}

impl Drop for Pipeline {
    fn drop(&mut self) {
        if self.process != std::process::id() {
            // There is nobody to stop, and the locks are as some thread of the other process left them.
            return self.threads.drain(..).for_each(std::mem::forget);
        }
        self.shared.lock().stopped = true;
        self.shared.wake_all();
        for thread in self.threads.drain(..) {
            // A panic was reported through the queue.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_ready(&self, queue: &Queue) -> bool {
        queue.stopped
            || queue.panicked
            || queue.taken == self.texts
            || queue.blocks.front().is_some_and(Option::is_some)
    }

    fn wake_all(&self) {
        self.splitter.abandon();
        self.arrived.notify_all();
        self.moved.notify_all();
    }

    /// Takes, parses and delivers texts until there are no more.
    fn work(&self) {
        let alarm = Alarm(self);
        let mut parser = Parser::new(&self.schema, self.dialect, self.simd);
        let mut text = Text::default();
        while let Some(index) = self.take() {
            let parsed = match self.splitter.read(index, &mut text) {
                Ok(true) => parser.parse(&text, &self.pool),
                Ok(false) => break,
                Err(error) => (Block::with_capacity(&self.pool, Widths::of(&self.schema), 0), Some(error)),
            };
            self.deliver(index, parsed);
        }
        std::mem::forget(alarm);
    }

    /// The next text to read, once the window lets it in; `None` when there is none.
    fn take(&self) -> Option<u64> {
        let mut queue = self.lock();
        while !queue.stopped && queue.next < self.texts && queue.next >= queue.taken + self.window {
            queue = self.moved.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
        if queue.stopped || queue.next >= self.texts {
            return None;
        }
        queue.next += 1;
        Some(queue.next - 1)
    }

    fn deliver(&self, index: u64, parsed: Parsed) {
        let mut queue = self.lock();
        let place = (index - queue.taken) as usize;
        if queue.blocks.len() <= place {
            queue.blocks.resize_with(place + 1, || None);
        }
        queue.blocks[place] = Some(parsed);
        drop(queue);
        if place == 0 {
            self.arrived.notify_all();
        }
    }
}

/// Tells the consumer when a thread panics, which would otherwise wait for ever.
struct Alarm<'a>(&'a Shared);

impl Drop for Alarm<'_> {
    fn drop(&mut self) {
        self.0.lock().panicked = true;
        self.0.wake_all();
    }
}

/// Counts the rows that a pass yields. Calls `check` several times a second; an error that it returns ends the count.
pub fn count_rows<E: From<Error>>(
    source: Arc<dyn Source>,
    dialect: Dialect,
    data_start: u64,
    schema: &Schema,
    budget: Budget,
    mut check: impl FnMut() -> std::result::Result<(), E>,
) -> std::result::Result<u64, E> {
    let pipeline = Pipeline::start(source, dialect, data_start, Arc::new(schema.for_counting()), budget, false)?;
    let patience = Duration::from_millis(50);
    let mut checked = Instant::now();
    let mut rows = 0;
    loop {
        match pipeline.next(patience)? {
            Next::Block(block) => rows += block.rows as u64,
            Next::Pending => {}
            Next::End => return Ok(rows),
        }
        if checked.elapsed() >= patience {
            check()?;
            checked = Instant::now();
        }
    }
}
