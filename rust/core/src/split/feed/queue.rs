//! The pieces of all parts in their order, while several threads supply the parts.
//!
//! Each thread supplies one part from start to end, and the threads take the parts in order. So the pieces of a part may
//! be there before its turn. They wait in a queue of their own and join the common one when all parts before theirs have
//! ended. Nothing here waits; `Feed` does.

use std::collections::VecDeque;

use crate::error::Error;
use crate::table::parts::{Bytes, Parts};
use crate::text::Text;

/// How many pieces of the part whose turn it is may wait, whatever waits of others.
pub(super) const AHEAD: usize = 4;

pub(super) enum Piece {
    Text { text: Text, last: bool },
    Place { part: usize, offset: u64, last: bool },
    Failure(Error),
}

/// What is there at a place of the queue.
pub(super) enum Found {
    Piece(Piece),
    /// It was not supplied yet.
    NotYet,
    /// There is no such piece.
    End,
}

#[derive(Default)]
pub(super) struct Queue {
    /// The number of the first of `pieces`.
    first: u64,
    /// The pieces whose turn has come; `None` where one was taken.
    pieces: VecDeque<Option<Piece>>,
    /// How many of `pieces` wait.
    waiting: usize,
    /// The latest piece, held back until it is known whether it is the last of its part, and of the pass.
    pending: Option<Piece>,
    /// The parts that were begun, from the one whose turn it is.
    begun: VecDeque<Supply>,
    /// The number of the first of `begun`, counted over all passes.
    turn: u64,
    /// How many pieces wait for the turn of their part.
    early: usize,
    /// The number of pieces of this pass so far.
    count: u64,
    /// The number of pieces in a pass, known after the first pass.
    pass: Option<u64>,
    /// Whether nothing follows `pieces`: all were supplied, or the last of them is a failure.
    ended: bool,
}

/// A part that was begun.
enum Supply {
    /// A thread reads its text.
    Text { pieces: VecDeque<Piece>, ended: bool },
    /// Readers can read it at any offset: its pieces need only be named, from this one on.
    Places { next: u64 },
}

impl Queue {
    pub(super) fn pass(&self) -> Option<u64> {
        self.pass
    }

    /// How many pieces wait.
    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        self.waiting + self.early
    }

    pub(super) fn has_ended(&self) -> bool {
        self.ended
    }

    /// How many pieces have had their turn.
    pub(super) fn arrived(&self) -> u64 {
        self.first + self.pieces.len() as u64
    }

    /// The part whose turn it is, counted over all passes.
    pub(super) fn turn(&self) -> u64 {
        self.turn
    }

    /// Begins the next part that a thread must read. Returns its number, counted over all passes; `None` if there is no
    /// such part any more.
    pub(super) fn begin(&mut self, parts: &Parts, repeat: bool) -> Option<u64> {
        let count = parts.count() as u64;
        loop {
            let number = self.turn + self.begun.len() as u64;
            if self.ended || (number >= count && !repeat) {
                return None;
            }
            let is_stream = matches!(parts.part((number % count) as usize).bytes, Bytes::Stream(_));
            self.begun.push_back(if is_stream {
                Supply::Text { pieces: VecDeque::new(), ended: false }
            } else {
                Supply::Places { next: 0 }
            });
            if is_stream {
                return Some(number);
            }
        }
    }

    /// Whether another part may be begun while at most `most` pieces wait.
    pub(super) fn may_begin(&self, most: usize) -> bool {
        self.begun.len() < most
    }

    /// Whether there is room for a piece of part `number` while at most `most` pieces wait. There is always room for the
    /// part whose turn it is, once readers have taken what waits.
    pub(super) fn has_room(&self, number: u64, most: usize) -> bool {
        self.waiting + self.early < most || (number == self.turn && self.waiting < AHEAD)
    }

    /// Adds a piece to part `number`, and ends the part with a failure.
    pub(super) fn put(&mut self, number: u64, piece: Piece) {
        let is_failure = matches!(piece, Piece::Failure(_));
        if let Some(Supply::Text { pieces, ended }) = self.supply(number) {
            pieces.push_back(piece);
            *ended |= is_failure;
            self.early += 1;
        }
    }

    /// Ends part `number`.
    pub(super) fn end(&mut self, number: u64) {
        if let Some(Supply::Text { ended, .. }) = self.supply(number) {
            *ended = true;
        }
    }

    fn supply(&mut self, number: u64) -> Option<&mut Supply> {
        self.begun.get_mut((number - self.turn) as usize)
    }

    /// Takes piece `index`.
    pub(super) fn take(&mut self, index: u64) -> Found {
        let place = (index - self.first) as usize;
        let Some(piece) = self.pieces.get_mut(place) else {
            return if self.ended { Found::End } else { Found::NotYet };
        };
        let piece = piece.take().expect("each piece is taken once");
        self.waiting -= 1;
        while let Some(None) = self.pieces.front() {
            self.pieces.pop_front();
            self.first += 1;
        }
        Found::Piece(piece)
    }

    /// Adds all pieces whose turn has come to the common queue.
    pub(super) fn advance(&mut self, parts: &Parts, size: u64, repeat: bool) {
        let count = parts.count() as u64;
        while let (false, Some(supply)) = (self.ended, self.begun.front_mut()) {
            let part = (self.turn % count) as usize;
            let has_ended = match supply {
                Supply::Text { pieces, ended } => {
                    let (pieces, has_ended) = (std::mem::take(pieces), *ended);
                    self.early -= pieces.len();
                    for piece in pieces {
                        self.add(piece);
                    }
                    has_ended
                }
                Supply::Places { next } => {
                    let length = parts.part(part).data_length().unwrap_or(0);
                    let offset = *next * size;
                    if offset < length {
                        if self.waiting >= AHEAD {
                            return;
                        }
                        *next += 1;
                        self.add(Piece::Place { part, offset, last: length - offset <= size });
                    }
                    offset >= length
                }
            };
            if has_ended && !self.ended {
                self.end_turn(count, repeat);
            } else if matches!(self.begun.front(), Some(Supply::Text { .. })) {
                return;
            }
        }
    }

    /// Adds a piece of the part whose turn it is.
    fn add(&mut self, piece: Piece) {
        if let Piece::Failure(_) = piece {
            // The piece held back is complete, but it is not the end of the part.
            self.flush();
            self.push(piece);
            self.ended = true;
            return;
        }
        self.count += 1;
        self.flush();
        self.pending = Some(piece);
    }

    fn flush(&mut self) {
        if let Some(piece) = self.pending.take() {
            self.push(piece);
        }
    }

    fn push(&mut self, piece: Piece) {
        self.pieces.push_back(Some(piece));
        self.waiting += 1;
    }

    /// Ends the part whose turn it is.
    fn end_turn(&mut self, count: u64, repeat: bool) {
        if let Some(Piece::Text { last, .. } | Piece::Place { last, .. }) = &mut self.pending {
            *last = true;
        }
        self.begun.pop_front();
        self.turn += 1;
        if self.turn.is_multiple_of(count) {
            // Readers must learn the end of the pass before they get its last piece.
            self.pass = Some(self.count);
            self.flush();
            self.ended = !repeat || self.count == 0;
            self.count = 0;
        }
    }
}
