//! Windows in the order of their first rows.
//!
//! One sequence of jobs reads rows and copies windows of them. Rows are read once, and kept while windows need them.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};

use super::windows_in_a_block;
use crate::budget::Budget;
use crate::choose::windows::Windows;
use crate::epoch::in_order::runs;
use crate::epoch::{RowReader, Rows};
use crate::error::{Error, Result};
use crate::pipeline::{Done, Jobs, Pipeline, Worker};
use crate::rows::{Block, Pool, Widths};

/// Starts at window `first_window`. Jobs yield whole batches of `batch_size` windows where they can.
pub fn in_order(
    rows: Rows,
    windows: Arc<Windows>,
    budget: Budget,
    batch_size: usize,
    first_window: u64,
) -> Result<Pipeline<Block>> {
    let row = Widths::of(&rows.table.schema);
    let in_a_block = windows_in_a_block(windows.shape().widths(row), batch_size, budget);
    let first = if first_window < windows.count() { windows.row(first_window) } else { rows.selection.rows() };
    let runs = runs(&rows, rows.selection.slice_of(first), budget.block_bytes as u64);
    let stream = Stream { first: 0, jobs: VecDeque::new(), runs: 0, windows: first_window, segments: VecDeque::new() };
    let jobs = InOrder {
        stream: Mutex::new(stream),
        state: Mutex::default(),
        has_read: Condvar::new(),
        segments: Pool::new(budget.window),
        pool: Pool::new(budget.window),
        rows,
        windows,
        runs,
        row,
        in_a_block,
    };
    Pipeline::run(jobs, budget.threads, budget.window)
}

struct InOrder {
    rows: Rows,
    windows: Arc<Windows>,
    /// Ranges of consecutive slices that are read together.
    runs: Vec<(u32, u32)>,
    /// The values of a row.
    row: Widths,
    /// Windows that one job yields.
    in_a_block: u64,
    stream: Mutex<Stream>,
    state: Mutex<State>,
    /// Signals that a segment was read or that the jobs are abandoned.
    has_read: Condvar,
    /// Buffers for segments.
    segments: Arc<Pool>,
    /// Buffers for windows.
    pool: Arc<Pool>,
}

#[derive(Default)]
struct State {
    abandoned: bool,
    /// How many segments were read.
    read: usize,
    /// The first row that could not be read, and its error until a job yields it. Jobs that run beside that one need
    /// the row, too.
    failure: Option<(u64, Option<Error>)>,
}

/// The rows of a run of slices.
struct Segment {
    slices: Range<u32>,
    first_row: u64,
    end_row: u64,
    /// The rows up to the first wrong one.
    block: OnceLock<Option<Block>>,
}

enum Job {
    /// Reads a segment.
    Read(Arc<Segment>),
    /// Yields some windows.
    Yield(Yield),
}

struct Yield {
    segments: Vec<Arc<Segment>>,
    windows: Range<u64>,
}

/// The jobs in order, from some job on.
struct Stream {
    /// The number of the first of `jobs`.
    first: u64,
    jobs: VecDeque<Option<Job>>,
    /// How many runs have jobs.
    runs: usize,
    /// The first window without a job.
    windows: u64,
    /// The segments that later windows may need.
    segments: VecDeque<Arc<Segment>>,
}

impl Stream {
    /// Takes job `index`. Each job is taken once. `None` if there is no such job.
    fn take(&mut self, of: &InOrder, index: u64) -> Option<Job> {
        let place = (index - self.first) as usize;
        while self.jobs.len() <= place && self.runs < of.runs.len() {
            self.extend(of);
        }
        let job = self.jobs.get_mut(place)?.take();
        while let Some(None) = self.jobs.front() {
            self.jobs.pop_front();
            self.first += 1;
        }
        job
    }

    /// Appends a job that reads the next segment, and those of the windows that are complete with it.
    fn extend(&mut self, of: &InOrder) {
        let (start, end) = of.runs[self.runs];
        let row = |slice: u32| of.rows.selection.rows_before(slice as usize);
        let (first_row, end_row) = (row(start), row(end));
        let segment = Arc::new(Segment { slices: start..end, first_row, end_row, block: OnceLock::new() });
        self.runs += 1;
        self.segments.push_back(Arc::clone(&segment));
        self.jobs.push_back(Some(Job::Read(segment)));
        let windows = &of.windows;
        let total = windows.count();
        let is_last = self.runs == of.runs.len();
        let complete = if is_last { total } else { windows.complete_before(end_row) };
        while self.windows < total {
            let end = (self.windows + of.in_a_block).min(total);
            // The last ones wait for all rows, which may hold an error.
            if end > complete || end == total && !is_last {
                break;
            }
            let needed = windows.row(end - 1) + windows.shape().reach();
            let segments = self.segments.iter().take_while(|segment| segment.first_row <= needed).cloned().collect();
            self.jobs.push_back(Some(Job::Yield(Yield { segments, windows: self.windows..end })));
            self.windows = end;
            let next = if end < total { windows.row(end) } else { u64::MAX };
            while self.segments.front().is_some_and(|segment| segment.end_row <= next) {
                self.segments.pop_front();
            }
        }
    }
}

impl Jobs<Block> for InOrder {
    fn count(&self) -> u64 {
        let stream = self.stream();
        let is_known = stream.runs == self.runs.len();
        if is_known { stream.first + stream.jobs.len() as u64 } else { u64::MAX }
    }

    fn per_pass(&self) -> u64 {
        self.windows.count().div_ceil(self.in_a_block) + self.runs.len() as u64
    }

    fn worker(self: Arc<Self>) -> Worker<Block> {
        let mut reader = self.rows.reader();
        Box::new(move |index| {
            let job = self.stream().take(&self, index)?;
            match job {
                Job::Read(segment) => {
                    self.read(&segment, &mut reader);
                    Some(Done::nothing())
                }
                Job::Yield(wanted) => self.wait_for(&wanted).then(|| self.copy(&wanted)),
            }
        })
    }

    fn are_short(&self) -> bool {
        self.rows.table.parts.are_local()
    }

    fn may_wait(&self) -> bool {
        !self.rows.table.parts.are_local()
    }

    fn abandon(&self) {
        self.state().abandoned = true;
        self.has_read.notify_all();
        self.rows.table.parts.abandon();
    }
}

impl InOrder {
    fn stream(&self) -> MutexGuard<'_, Stream> {
        self.stream.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self, segment: &Segment, reader: &mut RowReader) {
        let Range { start, end } = segment.slices;
        let Done { item, error } = reader.read(start as usize..end as usize, &self.segments);
        let wrong_row = segment.first_row + item.as_ref().map_or(0, |block| block.rows as u64);
        let mut state = self.state();
        if let Some(error) = error
            && state.failure.as_ref().is_none_or(|(row, _)| wrong_row < *row)
        {
            state.failure = Some((wrong_row, Some(error)));
        }
        // Nobody may see the rows before the failure after them.
        assert!(segment.block.set(item).is_ok(), "each segment is read once");
        state.read += 1;
        drop(state);
        self.has_read.notify_all();
    }

    /// Waits for the rows of some windows. Returns false if the jobs are abandoned. The jobs that read the rows have
    /// already started.
    fn wait_for(&self, wanted: &Yield) -> bool {
        let is_last = self.is_last(wanted);
        let waiting = |state: &mut State| {
            let is_read = wanted.segments.iter().all(|segment| segment.block.get().is_some());
            !state.abandoned && !(is_read && (!is_last || state.read == self.runs.len()))
        };
        !self.has_read.wait_while(self.state(), waiting).unwrap_or_else(PoisonError::into_inner).abandoned
    }

    fn is_last(&self, wanted: &Yield) -> bool {
        wanted.windows.end == self.windows.count()
    }

    /// The windows before the first one that needs a wrong row. The last window needs all rows.
    fn copy(&self, wanted: &Yield) -> Done<Block> {
        let mut windows = wanted.windows.clone();
        let mut error = None;
        let mut state = self.state();
        if let Some((row, failed)) = &mut state.failure {
            let right = self.windows.complete_before(*row).min(windows.end - u64::from(self.is_last(wanted)));
            if right < windows.end {
                windows.end = right.max(windows.start);
                error = failed.take();
            }
        }
        drop(state);
        let segments = &wanted.segments;
        // Up to a segment that lacks rows, which no right window needs.
        let blocks: Vec<_> = segments.iter().map_while(|segment| segment.block.get()?.as_ref()).collect();
        let places = (0..(windows.end - windows.start) as usize).map(|number| {
            let row = self.windows.row(windows.start + number as u64);
            let segment = segments.partition_point(|segment| segment.first_row <= row) - 1;
            (segment, (row - segments[segment].first_row) as usize)
        });
        let item = Block::of_windows(&self.pool, self.row, self.windows.shape(), &blocks, places);
        Done { item: Some(item), error }
    }
}
