//! Rows in a new order each epoch. The order depends only on the seed and the number of the epoch.
//!
//! Slices from all over the source are drawn at random until their rows fill a *shuffle window*, here a [`Window`]. Its
//! rows are shuffled uniformly and yielded while the next one fills. If one holds all rows, the epoch is a uniform
//! permutation, and the rows stay in memory for the next epoch.
//!
//! Windows over rows are drawn in the same way, with the slices that they begin in: see [`Units`].

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError};

use super::Rows;
use super::units::Units;
use super::windows::windows_in_a_block;
use crate::budget::{Budget, Size, has_memory, room_for};
use crate::error::{Error, Kind, Result};
use crate::pipeline::{Done, Jobs, Pipeline, Worker};
use crate::random::Random;
use crate::rows::{Block, Pool, Widths};

/// The seed of the orders, and how many rows are mixed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mixing {
    /// Determines the order of an epoch, together with its number.
    pub seed: u64,
    /// Maximum memory for rows, in bytes.
    pub memory: u64,
}

impl Mixing {
    /// How many of `total` rows are mixed at once.
    fn window(self, widths: Widths, total: u64) -> u64 {
        let row = 4 * widths.total() as u64;
        // Each row needs a place in the order of this epoch and of the next one.
        if total.saturating_mul(row + 8) <= self.memory && u32::try_from(total).is_ok() {
            return total;
        }
        // One window is emptied while the next one fills.
        (self.memory / 2 / (row + 4)).clamp(1, u64::from(u32::MAX))
    }

    /// The memory for windows of `window` rows, out of `total`, in bytes.
    fn bytes(self, widths: Widths, total: u64, window: u64) -> u64 {
        let row = 4 * widths.total() as u64;
        let windows = if window >= total { total.saturating_mul(row + 8) } else { 2 * window.saturating_mul(row + 4) };
        windows.min(self.memory)
    }
}

/// Values in a yielded block.
const BLOCK_VALUES: Size = Size { usual: 1 << 15, small: 32 };

/// Starts at row `first_row` of an epoch and continues with the following epochs, for ever. The second value is the
/// number of rows of the first block before that row.
pub fn shuffled(
    rows: Rows,
    budget: Budget,
    mixing: Mixing,
    epoch: u64,
    first_row: u64,
) -> Result<(Pipeline<Block>, u64)> {
    let width = Widths::of(&rows.table.schema).total();
    let block_rows = (BLOCK_VALUES.get().min(budget.block_bytes / 4) / width).max(1);
    start(rows, budget, mixing, epoch, first_row, block_rows as u64)
}

/// Like [`shuffled`], but yields the windows of the rows. Jobs yield whole batches of `batch_size` windows where they
/// can.
pub fn shuffled_windows(
    rows: Rows,
    budget: Budget,
    mixing: Mixing,
    batch_size: usize,
    epoch: u64,
    first_window: u64,
) -> Result<(Pipeline<Block>, u64)> {
    let shape = rows.windows.as_ref().map(|windows| windows.shape());
    let widths = Widths::of(&rows.table.schema);
    let widths = shape.map_or(widths, |shape| shape.widths(widths));
    start(rows, budget, mixing, epoch, first_window, windows_in_a_block(widths, batch_size, budget))
}

fn start(
    rows: Rows,
    budget: Budget,
    mixing: Mixing,
    epoch: u64,
    first: u64,
    block_rows: u64,
) -> Result<(Pipeline<Block>, u64)> {
    let widths = Widths::of(&rows.table.schema);
    let total = rows.count(0..rows.selection.row_index().slices());
    let window = mixing.window(widths, total);
    let needed = mixing.bytes(widths, total, window);
    if !has_memory(needed) {
        return Err(Kind::Window(needed).into());
    }
    let block_rows = block_rows.min(u64::from(u32::MAX)) as u32;
    let block_bytes = budget.block_bytes as u64;
    let units = Units::of(&rows, total, window);
    let order = Order { rows, mixing, total, window, units, block_bytes, block_rows };
    let (stream, skipped) = Stream::start(&order, epoch, first);
    let jobs = Shuffled {
        order,
        widths,
        stream: Mutex::new(stream),
        abandoned: Mutex::new(false),
        completed: Condvar::new(),
        slices: Pool::new(usize::MAX),
        pool: Pool::new(budget.window),
    };
    Ok((Pipeline::run(jobs, budget.threads, budget.window)?, skipped))
}

/// Determines the jobs and their order.
struct Order {
    rows: Rows,
    mixing: Mixing,
    /// The number of rows.
    total: u64,
    /// Rows in a window.
    window: u64,
    units: Units,
    /// Bytes of text read by one job.
    block_bytes: u64,
    /// Rows yielded by one job.
    block_rows: u32,
}

/// Rows that are mixed with one another.
struct Window {
    epoch: u64,
    number: u64,
    store: Arc<Store>,
    /// The row of the store at each place.
    order: OnceLock<Vec<u32>>,
}

/// The rows of some slices, filled in as they are read.
struct Store {
    /// The epoch that reads them. Its jobs report what could not be read; those of the next may run beside them.
    epoch: u64,
    slices: Vec<u32>,
    /// The first row, or window, of each slice, then their number.
    starts: Vec<u32>,
    /// The slice of every 2^`shift`-th of them, as a coarse index.
    coarse: Vec<u32>,
    shift: u32,
    blocks: Vec<OnceLock<Block>>,
    /// The number of blocks still missing.
    missing: AtomicUsize,
    /// The first slice that could not be read, and its error.
    failure: Mutex<Option<(usize, Error)>>,
}

impl Store {
    fn new(epoch: u64, units: Vec<u32>, order: &Order) -> Self {
        let mut starts = vec![0];
        let mut slices = Vec::new();
        let mut total = 0;
        for (slice, items) in order.units.slices(units, &order.rows) {
            slices.push(slice);
            total += items as u32;
            starts.push(total);
        }
        let shift = (total / (4 * slices.len() as u32).max(1)).max(1).ilog2();
        let mut slice = 0;
        let coarse = (0..=total >> shift).map(|step| {
            while starts[slice + 1] <= step << shift && slice + 2 < starts.len() {
                slice += 1;
            }
            slice as u32
        });
        let coarse = coarse.collect();
        let blocks = slices.iter().map(|_| OnceLock::new()).collect();
        let missing = AtomicUsize::new(slices.len());
        Self { epoch, slices, starts, coarse, shift, blocks, missing, failure: Mutex::default() }
    }

    fn count(&self) -> u32 {
        self.starts[self.slices.len()]
    }

    /// The place of a row, or of a window: its slice, and its position among those of the slice.
    #[inline]
    fn find(&self, row: u32) -> (u32, u32) {
        let mut slice = self.coarse[(row >> self.shift) as usize];
        while self.starts[slice as usize + 1] <= row {
            slice += 1;
        }
        (slice, row - self.starts[slice as usize])
    }
}

/// A single job.
#[derive(Clone)]
enum Job {
    /// Reads some slices of a store.
    Fill(Arc<Store>, Range<usize>),
    /// Draws the order of a window.
    Draw(Arc<Window>),
    /// Yields the rows at some places of a window.
    Yield(Arc<Window>, Range<u32>),
}

/// The jobs in order, from some job on.
struct Stream {
    /// The number of the first of `jobs`.
    first: u64,
    jobs: VecDeque<Option<Job>>,
    /// The window whose rows the last jobs yield.
    last: Arc<Window>,
    /// The windows of the epoch after that one, in reverse order.
    windows: Vec<Vec<u32>>,
}

impl Stream {
    fn start(order: &Order, epoch: u64, first_row: u64) -> (Self, u64) {
        let mut windows = order.windows(epoch);
        let mut before = 0;
        let mut number = 0;
        // A row past the end is looked up, in vain, in the last window.
        while windows.len() > 1 {
            let next = windows.last().expect("more than one");
            let count: u64 = next.iter().map(|&unit| order.units.items(unit, &order.rows)).sum();
            if before + count > first_row {
                break;
            }
            before += count;
            number += 1;
            windows.pop();
        }
        let store = Arc::new(Store::new(epoch, windows.pop().unwrap_or_default(), order));
        let within = first_row - before;
        let first_block = within / u64::from(order.block_rows) * u64::from(order.block_rows);
        let window = Arc::new(Window::new(epoch, number, Arc::clone(&store)));
        let mut jobs: VecDeque<_> = order.fills(&store).into();
        jobs.push_front(Job::Draw(Arc::clone(&window)));
        let mut stream = Self { first: 0, jobs: jobs.into_iter().map(Some).collect(), last: window, windows };
        stream.extend(order, first_block.min(u64::from(store.count())) as u32);
        (stream, within - first_block)
    }

    /// Appends jobs that yield the rows of the last window from a place on, interleaved with jobs that fill the next
    /// window.
    fn extend(&mut self, order: &Order, from: u32) {
        let window = Arc::clone(&self.last);
        let rows = from..window.store.count();
        let mut yields = rows
            .clone()
            .step_by(order.block_rows as usize)
            .map(|start| Job::Yield(Arc::clone(&window), start..rows.end.min(start.saturating_add(order.block_rows))));
        let (next, fills) = self.next_window(order);
        let mut fills = fills.into_iter();
        let (mut given, mut filled) = (0, 0);
        let (yields_in_all, fills_in_all) = (yields.len(), fills.len());
        // Spread the fills evenly: reading continues while rows are yielded, and ends when the next rows are due.
        loop {
            let due = filled * yields_in_all <= given * fills_in_all;
            let job = if due { fills.next().or_else(|| yields.next()) } else { yields.next().or_else(|| fills.next()) };
            let Some(job) = job else { break };
            if matches!(job, Job::Yield(..)) {
                given += 1;
            } else {
                filled += 1;
            }
            self.jobs.push_back(Some(job));
        }
        self.last = next;
    }

    /// The window after the last one, and the jobs that fill it.
    fn next_window(&mut self, order: &Order) -> (Arc<Window>, Vec<Job>) {
        let Window { epoch, number, store, .. } = &*self.last;
        let whole = *number == 0 && self.windows.is_empty();
        let (epoch, number) = if self.windows.is_empty() { (epoch + 1, 0) } else { (*epoch, number + 1) };
        let (store, mut jobs) = if whole && u64::from(store.count()) == order.rows.all_items() {
            // This window holds all rows, and so does the next.
            (Arc::clone(store), Vec::new())
        } else {
            if self.windows.is_empty() {
                self.windows = order.windows(epoch);
            }
            let store = Arc::new(Store::new(epoch, self.windows.pop().unwrap_or_default(), order));
            let fills = order.fills(&store);
            (store, fills)
        };
        let window = Arc::new(Window::new(epoch, number, store));
        jobs.insert(0, Job::Draw(Arc::clone(&window)));
        (window, jobs)
    }

    /// Takes job `index`. Each job is taken once.
    fn take(&mut self, order: &Order, index: u64) -> Job {
        let place = (index - self.first) as usize;
        while self.jobs.len() <= place {
            self.extend(order, 0);
        }
        let job = self.jobs[place].take().expect("each job is done once");
        while let Some(None) = self.jobs.front() {
            self.jobs.pop_front();
            self.first += 1;
        }
        job
    }
}

impl Window {
    fn new(epoch: u64, number: u64, store: Arc<Store>) -> Self {
        Self { epoch, number, store, order: OnceLock::new() }
    }
}

impl Order {
    /// The units of each window of an epoch, in reverse order of the windows.
    fn windows(&self, epoch: u64) -> Vec<Vec<u32>> {
        let mut order = self.units.all(&self.rows);
        let count = |unit: u32| self.units.rows(unit, &self.rows);
        let total: u64 = order.iter().map(|&unit| count(unit)).sum();
        // Windows of equal size, so that the last one is mixed as well as the others.
        let windows = total.div_ceil(self.window).max(1);
        if windows == 1 || self.window >= self.total {
            // The same order of slices in every epoch, so that an epoch can reuse the rows of the one before it.
            return vec![order];
        }
        Random::new(self.mixing.seed, &[epoch]).shuffle(&mut order);
        let mut found = vec![vec![]];
        let (mut before, mut within) = (0, 0);
        for unit in order {
            let more = count(unit);
            let due = u128::from(before) * u128::from(windows) >= u128::from(total) * found.len() as u128;
            // Only a unit that exceeds the limit by itself may break it.
            if within > 0 && (due || within + more > self.window) {
                found.push(vec![]);
                within = 0;
            }
            found.last_mut().expect("it begins with one").push(unit);
            within += more;
            before += more;
        }
        found.reverse();
        found
    }

    /// The jobs that fill a store.
    fn fills(&self, store: &Arc<Store>) -> Vec<Job> {
        let mut jobs = Vec::new();
        let mut start = 0;
        let mut size = 0;
        for (place, &slice) in store.slices.iter().enumerate() {
            let more = self.rows.text_bytes(slice as usize);
            if place > start && size + more > self.block_bytes {
                jobs.push(Job::Fill(Arc::clone(store), start..place));
                (start, size) = (place, 0);
            }
            size += more;
        }
        jobs.push(Job::Fill(Arc::clone(store), start..store.slices.len()));
        jobs
    }
}

/// Runs the jobs of a stream.
struct Shuffled {
    order: Order,
    widths: Widths,
    stream: Mutex<Stream>,
    abandoned: Mutex<bool>,
    /// Signals that a window is complete or that the jobs are abandoned.
    completed: Condvar,
    /// Buffers for slices.
    slices: Arc<Pool>,
    /// Buffers for yielded blocks.
    pool: Arc<Pool>,
}

impl Jobs<Block> for Shuffled {
    fn count(&self) -> u64 {
        u64::MAX
    }

    fn per_pass(&self) -> u64 {
        let selection = &self.order.rows.selection;
        self.order.rows.all_items().div_ceil(u64::from(self.order.block_rows)) + selection.row_index().slices() as u64
    }

    fn worker(self: Arc<Self>) -> Worker<Block> {
        let mut reader = self.order.rows.reader();
        let mut places = Vec::new();
        Box::new(move |index| {
            let job = self.stream.lock().unwrap_or_else(PoisonError::into_inner).take(&self.order, index);
            match job {
                Job::Fill(store, slices) => {
                    for place in slices.clone() {
                        let slice = store.slices[place] as usize;
                        let done = reader.read(slice..slice + 1, &self.slices);
                        if let Some(error) = done.error {
                            store.fail(place, error);
                            break;
                        }
                        let block = done.item.expect("a block or an error");
                        assert!(store.blocks[place].set(block).is_ok(), "each slice is read once");
                    }
                    if store.missing.fetch_sub(slices.len(), Ordering::AcqRel) == slices.len() {
                        self.notify_waiting();
                    }
                    Some(Done::nothing())
                }
                Job::Draw(window) => {
                    let mut order = room_for::<u32>(window.store.count() as usize);
                    order.extend(0..window.store.count());
                    Random::new(self.order.mixing.seed, &[window.epoch, window.number]).shuffle(&mut order);
                    assert!(window.order.set(order).is_ok(), "each order is drawn once");
                    self.notify_waiting();
                    Some(Done::nothing())
                }
                Job::Yield(window, rows) => {
                    let is_complete = self.wait_for(&window);
                    is_complete.then(|| self.mix(&window, rows, &mut places))
                }
            }
        })
    }

    fn may_wait(&self) -> bool {
        !self.order.rows.table.parts.are_local()
    }

    fn abandon(&self) {
        *self.abandoned.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.completed.notify_all();
        self.order.rows.table.parts.abandon();
    }
}

impl Store {
    fn fail(&self, place: usize, error: Error) {
        let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        if failure.as_ref().is_none_or(|(first, _)| place < *first) {
            *failure = Some((place, error));
        }
    }
}

impl Shuffled {
    /// Wakes the threads that wait for a window.
    fn notify_waiting(&self) {
        // Take the lock, so that no thread is between checking and waiting.
        drop(self.abandoned.lock().unwrap_or_else(PoisonError::into_inner));
        self.completed.notify_all();
    }

    /// Waits until a window is complete. Returns false if the jobs are abandoned. The jobs that complete the window
    /// have already started.
    fn wait_for(&self, window: &Window) -> bool {
        let is_complete = || window.order.get().is_some() && window.store.missing.load(Ordering::Acquire) == 0;
        if is_complete() {
            return true;
        }
        let abandoned = self.abandoned.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = |abandoned: &mut bool| !*abandoned && !is_complete();
        !*self.completed.wait_while(abandoned, waiting).unwrap_or_else(PoisonError::into_inner)
    }

    /// The rows at some places of a window.
    fn mix(&self, window: &Window, rows: Range<u32>, places: &mut Vec<(u32, u32)>) -> Done<Block> {
        let store = &*window.store;
        if window.epoch == store.epoch
            && let Some((_, error)) = store.failure.lock().unwrap_or_else(PoisonError::into_inner).take()
        {
            return Done::failed(error);
        }
        let order = window.order.get().expect("it was waited for");
        places.clear();
        places.extend(order[rows.start as usize..rows.end as usize].iter().map(|&row| store.find(row)));
        // A missing block belongs to a failure that another job reports.
        let blocks: Option<Vec<&Block>> = store.blocks.iter().map(OnceLock::get).collect();
        let Some(blocks) = blocks else { return Done::nothing() };
        let Some(windows) = &self.order.rows.windows else {
            return Done::with(Block::gather(&self.pool, self.widths, &blocks, places));
        };
        let places = places.iter().map(|&(place, number)| {
            let first_row = self.order.rows.selection.rows_before(store.slices[place as usize] as usize);
            let row = windows.row(windows.before(first_row) + u64::from(number));
            (place as usize, (row - first_row) as usize)
        });
        Done::with(Block::of_windows(&self.pool, self.widths, windows.shape(), &blocks, places))
    }
}
