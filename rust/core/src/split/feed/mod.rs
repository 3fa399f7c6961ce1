//! Threads that supply the pieces of parts whose length is unknown.
//!
//! Each thread reads the text of one part after the other into buffers in the layout that the parsers need. They take and
//! return these buffers without a copy. With several threads, the text of later parts waits for the turn of its part, as
//! far as memory allows. For parts that can be read at any offset, the feed only names the pieces; whoever takes such a
//! piece reads it.

mod queue;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use crate::budget::within_memory;
use crate::error::{Error, Kind, Result};
use crate::source::Stream;
use crate::table::parts::{Bytes, Parts};
use crate::text::Text;
use queue::{AHEAD, Found, Piece, Queue};

/// Supplies pieces from threads.
pub(super) struct Feed {
    shared: Arc<Shared>,
    /// How many threads may supply parts.
    most_threads: usize,
    /// Started on the first request for a piece.
    threads: Mutex<Vec<JoinHandle<()>>>,
    /// The process that started the threads.
    process: u32,
}

/// The answer to a request for a piece.
pub(super) enum Fed {
    /// The piece is in the text.
    Text { last: bool },
    /// The piece must be read from the part at this offset from its first row.
    Place { part: usize, offset: u64, last: bool },
    /// There is no such piece.
    End,
    /// Reading was abandoned.
    Nothing,
}

struct Shared {
    parts: Arc<Parts>,
    /// Bytes in a piece.
    size: usize,
    repeat: bool,
    /// How many pieces may wait.
    most: usize,
    state: Mutex<State>,
    /// Signals that a piece arrived or that everything ends.
    arrived: Condvar,
    /// Signals the thread that supplies the part whose turn it is that a piece was taken, or that everything ends.
    taken: Condvar,
    /// Signals one of the other threads that there is room for a piece, or all of them that another part has its turn or
    /// that everything ends.
    room: Condvar,
    /// Signals that a part may be begun, or that everything ends.
    may_begin: Condvar,
}

#[derive(Default)]
struct State {
    queue: Queue,
    /// Buffers for reuse.
    free: Vec<Text>,
    stopped: bool,
    /// Whether a thread ended before it had finished.
    broken: bool,
}

impl Feed {
    /// A single thread. With `repeat`, starts over at the end, for ever.
    pub(super) fn new(parts: Arc<Parts>, size: usize, repeat: bool) -> Self {
        let shared = Shared {
            parts,
            size,
            repeat,
            most: AHEAD,
            state: Mutex::default(),
            arrived: Condvar::new(),
            taken: Condvar::new(),
            room: Condvar::new(),
            may_begin: Condvar::new(),
        };
        Self { shared: Arc::new(shared), most_threads: 1, threads: Mutex::default(), process: std::process::id() }
    }

    /// Lets up to `threads` threads supply parts, as long as at most `ahead` bytes of text wait.
    ///
    /// # Panics
    ///
    /// If a thread was started.
    pub(super) fn run_ahead(&mut self, threads: usize, ahead: usize) {
        let shared = Arc::get_mut(&mut self.shared).expect("no thread was started");
        let pieces = ahead / shared.size;
        self.most_threads = threads.min(shared.parts.decompressors()).min(1 + pieces / AHEAD);
        if self.most_threads > 1 {
            shared.most = pieces;
        }
    }

    pub(super) fn per_pass(&self) -> u64 {
        self.shared.lock().queue.pass().unwrap_or(u64::MAX)
    }

    /// Takes piece `index`, into `text` if its bytes are at hand.
    pub(super) fn take(&self, index: u64, text: &mut Text) -> Result<Fed> {
        self.start()?;
        let shared = &*self.shared;
        let mut state = shared.lock();
        let piece = loop {
            if state.stopped {
                return Ok(Fed::Nothing);
            }
            match state.queue.take(index) {
                Found::Piece(piece) => break piece,
                Found::End => return Ok(Fed::End),
                Found::NotYet if state.broken => return Err(Kind::Internal.into()),
                Found::NotYet => state = shared.arrived.wait(state).unwrap_or_else(PoisonError::into_inner),
            }
        };
        let fed = match piece {
            Piece::Text { text: found, last } => {
                state.free.push(std::mem::replace(text, found));
                Ok(Fed::Text { last })
            }
            Piece::Place { part, offset, last } => Ok(Fed::Place { part, offset, last }),
            Piece::Failure(error) => Err(error),
        };
        // Now there may be room to name more pieces.
        shared.advance(state);
        shared.taken.notify_all();
        shared.room.notify_one();
        fed
    }

    fn start(&self) -> Result<()> {
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        if !threads.is_empty() {
            return Ok(());
        }
        for number in 0..self.most_threads {
            let shared = Arc::clone(&self.shared);
            let work = move || {
                let alarm = Alarm(&shared);
                shared.work();
                std::mem::forget(alarm);
            };
            let builder = std::thread::Builder::new().name(format!("csvfeed-stream-{number}"));
            match builder.spawn(work) {
                Ok(thread) => threads.push(thread),
                Err(error) if number == 0 => return Err(Kind::Threads(error).into()),
                // Fewer threads suffice.
                Err(_) => break,
            }
        }
        Ok(())
    }

    /// Stops the threads.
    pub(super) fn stop(&self) {
        self.shared.lock().stopped = true;
        self.shared.wake_all();
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        let threads = std::mem::take(self.threads.get_mut().unwrap_or_else(PoisonError::into_inner));
        if self.process != std::process::id() {
            // The threads run in the other process only, and the lock is in the state that process left it in.
            return threads.into_iter().for_each(std::mem::forget);
        }
        self.stop();
        for thread in threads {
            // A panic has already been reported to the waiting reader.
            let _ = thread.join();
        }
    }
}

/// Wakes the waiting readers when a thread panics.
struct Alarm<'a>(&'a Shared);

impl Drop for Alarm<'_> {
    fn drop(&mut self) {
        self.0.lock().broken = true;
        self.0.wake_all();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake_all(&self) {
        self.arrived.notify_all();
        self.taken.notify_all();
        self.room.notify_all();
        self.may_begin.notify_all();
    }

    /// Supplies one part after the other until there are no more or everything ends.
    fn work(&self) {
        while let Some(number) = self.begin() {
            let part = (number % self.parts.count() as u64) as usize;
            let Bytes::Stream(stream) = &self.parts.part(part).bytes else { unreachable!("the others are named") };
            let result = within_memory(|| self.supply(number, part, stream));
            let mut state = self.lock();
            match result.unwrap_or_else(|| Err(Kind::OutOfMemory.into())) {
                Ok(true) => state.queue.end(number),
                // The part must not seem to end here.
                Ok(false) => return,
                Err(error) => state.queue.put(number, Piece::Failure(error)),
            }
            self.advance(state);
        }
    }

    /// Begins the next part, once it may begin.
    fn begin(&self) -> Option<u64> {
        let mut state = self.lock();
        while !state.stopped && !state.broken && !state.queue.has_ended() && !state.queue.may_begin(self.most) {
            state = self.may_begin.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if state.stopped || state.broken {
            return None;
        }
        let number = state.queue.begin(&self.parts, self.repeat);
        self.advance(state);
        number
    }

    /// Moves on the pieces whose turn has come, and tells whoever waits for them.
    fn advance(&self, mut state: MutexGuard<'_, State>) {
        let queue = &mut state.queue;
        let (turn, arrived) = (queue.turn(), queue.arrived());
        queue.advance(&self.parts, self.size as u64, self.repeat);
        let has_turned = queue.turn() != turn || queue.has_ended();
        let has_arrived = queue.arrived() != arrived || queue.has_ended();
        drop(state);
        if has_arrived {
            self.arrived.notify_all();
        }
        if has_turned {
            self.taken.notify_all();
            self.room.notify_all();
            self.may_begin.notify_all();
        }
    }

    /// Hands a piece over once there is room. Returns false when everything ends.
    fn put(&self, number: u64, piece: Piece) -> bool {
        let mut state = self.lock();
        loop {
            if state.stopped || state.broken || state.queue.has_ended() {
                return false;
            }
            if state.queue.has_room(number, self.most) {
                break;
            }
            let signal = if state.queue.turn() == number { &self.taken } else { &self.room };
            state = signal.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.queue.put(number, piece);
        self.advance(state);
        true
    }

    /// A buffer with room for a piece of a part.
    fn buffer(&self, part: usize) -> Text {
        let mut text = self.lock().free.pop().unwrap_or_default();
        text.make_room(self.size);
        text.layout.clone_from(&self.parts.part(part).layout);
        text
    }

    /// Supplies the pieces of a stream. Returns false when everything ends before the stream.
    fn supply(&self, number: u64, part: usize, stream: &Stream) -> Result<bool> {
        self.read_pieces(number, part, stream).map_err(|error| {
            let parts = &self.parts;
            let offset = error.offset.map_or_else(|| parts.data_start(part), |offset| parts.place_of(part, offset));
            Error { offset: Some(offset), ..error }
        })
    }

    fn read_pieces(&self, number: u64, part: usize, stream: &Stream) -> Result<bool> {
        let mut offset = self.parts.data_start(part);
        let mut bytes = stream.open(self.parts.part(part).data_start)?;
        loop {
            let mut text = self.buffer(part);
            let (start, end) = (text.start, text.end);
            let mut filled = start;
            while filled < end {
                let count = bytes.next(&mut text.buffer[filled..end])?;
                if count == 0 {
                    break;
                }
                filled += count;
                let state = self.lock();
                if state.stopped || state.queue.has_ended() {
                    return Ok(false);
                }
            }
            text.end = filled;
            text.offset = offset;
            offset += (filled - start) as u64;
            let is_end = filled < end;
            if filled > start && !self.put(number, Piece::Text { text, last: false }) {
                return Ok(false);
            }
            if is_end {
                return Ok(true);
            }
        }
    }
}
