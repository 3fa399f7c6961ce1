//! The pieces of parts whose length nobody knows, as a thread of their own brings them.
//!
//! It fills buffers laid out as the parsers want them, which they take and give back without a copy. Pieces of parts that
//! can be read at any offset are only named, and read by whoever takes them.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use super::Text;
use super::pieces::ROOM_FOR_A_ROW;
use crate::error::{Error, Kind, Result};
use crate::parts::{Bytes, Parts};
use crate::source::Stream;

/// Pieces that may wait to be taken.
const AHEAD: usize = 4;

/// Brings pieces.
pub(super) struct Feed {
    shared: Arc<Shared>,
    /// Started with the first piece that is asked for.
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// What became of asking for a piece.
pub(super) enum Fed {
    /// It is in the text.
    Text { last: bool },
    /// It is to be read from there in a part, counted from its first row.
    Place { part: usize, offset: u64, last: bool },
    /// It is past the end.
    End,
    /// It was given up.
    Nothing,
}

enum Piece {
    Text { text: Text, last: bool },
    Place { part: usize, offset: u64, last: bool },
    Failure(Error),
}

struct Shared {
    parts: Arc<Parts>,
    size: usize,
    repeat: bool,
    state: Mutex<State>,
    /// A piece arrived, or everything ends.
    arrived: Condvar,
    /// A piece was taken, or everything ends.
    taken: Condvar,
}

#[derive(Default)]
struct State {
    /// The number of the first of `pieces`.
    first: u64,
    /// What has been brought, with holes where it has been taken already.
    pieces: VecDeque<Option<Piece>>,
    /// How many of them are there.
    waiting: usize,
    /// Buffers to be filled again.
    free: Vec<Text>,
    /// Pieces in a pass, once the first is over.
    pass: Option<u64>,
    /// Whether there are no more than have been brought.
    ended: bool,
    stopped: bool,
    /// Whether the thread ended before its work was done.
    broken: bool,
}

impl Feed {
    /// `repeat` begins again at the end, for ever.
    pub(super) fn new(parts: Arc<Parts>, size: usize, repeat: bool) -> Self {
        let state = Mutex::default();
        let shared = Shared { parts, size, repeat, state, arrived: Condvar::new(), taken: Condvar::new() };
        Self { shared: Arc::new(shared), thread: Mutex::new(None) }
    }

    pub(super) fn in_a_pass(&self) -> u64 {
        self.shared.lock().pass.unwrap_or(u64::MAX)
    }

    /// Takes piece `index`, which may be put into `text`.
    pub(super) fn take(&self, index: u64, text: &mut Text) -> Result<Fed> {
        self.start()?;
        let mut state = self.shared.lock();
        let piece = loop {
            let place = (index - state.first) as usize;
            if state.stopped {
                return Ok(Fed::Nothing);
            }
            if place < state.pieces.len() {
                break state.pieces[place].take().expect("each piece is taken once");
            }
            if state.ended {
                return Ok(Fed::End);
            }
            if state.broken {
                return Err(Kind::Internal.into());
            }
            state = self.shared.arrived.wait(state).unwrap_or_else(PoisonError::into_inner);
        };
        state.waiting -= 1;
        while let Some(None) = state.pieces.front() {
            state.pieces.pop_front();
            state.first += 1;
        }
        let fed = match piece {
            Piece::Text { text: found, last } => {
                state.free.push(std::mem::replace(text, found));
                Ok(Fed::Text { last })
            }
            Piece::Place { part, offset, last } => Ok(Fed::Place { part, offset, last }),
            Piece::Failure(error) => Err(error),
        };
        drop(state);
        self.shared.taken.notify_one();
        fed
    }

    fn start(&self) -> Result<()> {
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        if thread.is_none() {
            let shared = Arc::clone(&self.shared);
            let work = move || {
                let alarm = Alarm(&shared);
                if let Err(error) = shared.work() {
                    shared.put(Piece::Failure(error));
                }
                std::mem::forget(alarm);
            };
            *thread = Some(std::thread::Builder::new().name("csvfeed-stream".to_owned()).spawn(work)?);
        }
        Ok(())
    }

    /// Gives up.
    pub(super) fn stop(&self) {
        self.shared.lock().stopped = true;
        self.shared.arrived.notify_all();
        self.shared.taken.notify_all();
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.stop();
        let thread = self.thread.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        // A panic was reported to whoever waited.
        thread.map(JoinHandle::join);
    }
}

/// Tells those who wait when the thread panics.
struct Alarm<'a>(&'a Shared);

impl Drop for Alarm<'_> {
    fn drop(&mut self) {
        self.0.lock().broken = true;
        self.0.arrived.notify_all();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Goes through the parts, once or until it is stopped.
    fn work(&self) -> Result<()> {
        let mut pass = Pass { shared: self, pieces: 0, pending: None };
        loop {
            for part in 0..self.parts.count() {
                let goes_on = match &self.parts.part(part).bytes {
                    Bytes::Stream(stream) => pass.stream(part, stream)?,
                    Bytes::Source(_) => pass.name(part),
                };
                if !goes_on {
                    return Ok(());
                }
            }
            // The end of the pass has to be known before its last piece is handed over.
            self.lock().pass = Some(pass.pieces);
            let is_empty = pass.pieces == 0;
            if !pass.flush() || !self.repeat || is_empty {
                self.lock().ended = true;
                self.arrived.notify_all();
                return Ok(());
            }
            pass.pieces = 0;
        }
    }

    /// Hands a piece over, once there is room for it; false when everything ends.
    fn put(&self, piece: Piece) -> bool {
        let mut state = self.lock();
        while !state.stopped && state.waiting >= AHEAD {
            state = self.taken.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if state.stopped {
            return false;
        }
        state.pieces.push_back(Some(piece));
        state.waiting += 1;
        drop(state);
        self.arrived.notify_all();
        true
    }

    /// A buffer with room for a piece of a part.
    fn buffer(&self, part: usize) -> Text {
        let mut text = self.lock().free.pop().unwrap_or_default();
        text.reserve(ROOM_FOR_A_ROW, self.size);
        text.layout.clone_from(&self.parts.part(part).layout);
        text
    }
}

/// One pass through the parts. The piece that was made last is kept until it is known whether it is the last of its part,
/// and of the pass.
struct Pass<'a> {
    shared: &'a Shared,
    pieces: u64,
    pending: Option<Piece>,
}

impl Pass<'_> {
    fn flush(&mut self) -> bool {
        self.pending.take().is_none_or(|piece| self.shared.put(piece))
    }

    fn put(&mut self, piece: Piece) -> bool {
        self.pieces += 1;
        self.flush() && {
            self.pending = Some(piece);
            true
        }
    }

    fn end_part(&mut self) {
        if let Some(Piece::Text { last, .. } | Piece::Place { last, .. }) = &mut self.pending {
            *last = true;
        }
    }

    /// Names the pieces of a part that others can read.
    fn name(&mut self, part: usize) -> bool {
        let length = self.shared.parts.part(part).data_length().unwrap_or(0);
        let size = self.shared.size as u64;
        (0..length.div_ceil(size)).all(|piece| {
            let offset = piece * size;
            self.put(Piece::Place { part, offset, last: length - offset <= size })
        })
    }

    /// Brings the pieces of a stream.
    fn stream(&mut self, part: usize, stream: &Stream) -> Result<bool> {
        let result = self.bring(part, stream);
        if let Err(error) = result {
            // What came before is whole, but not the end of the part.
            self.flush();
            return Err(Error { offset: error.offset.or(Some(self.shared.parts.data_start(part))), ..error });
        }
        result
    }

    fn bring(&mut self, part: usize, stream: &Stream) -> Result<bool> {
        let mut offset = self.shared.parts.data_start(part);
        let mut bytes = stream.open(self.shared.parts.part(part).data_start)?;
        loop {
            let mut text = self.shared.buffer(part);
            let (start, end) = (text.start, text.end);
            let mut filled = start;
            while filled < end {
                let count = bytes.next(&mut text.buffer[filled..end])?;
                if count == 0 {
                    break;
                }
                filled += count;
                if self.shared.lock().stopped {
                    return Ok(false);
                }
            }
            text.end = filled;
            text.offset = offset;
            offset += (filled - start) as u64;
            let is_end = filled < end;
            if filled > start && !self.put(Piece::Text { text, last: false }) {
                return Ok(false);
            }
            if is_end {
                self.end_part();
                return Ok(true);
            }
        }
    }
}
