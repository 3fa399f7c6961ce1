//! The pieces of a table and their order.

use std::sync::Arc;

use super::feed::{Fed, Feed};
use crate::error::Result;
use crate::table::parts::Parts;
use crate::text::Text;

/// The pieces of a table, in order.
pub(super) struct Pieces {
    parts: Arc<Parts>,
    /// Bytes in a piece.
    size: u64,
    order: Order,
}

enum Order {
    /// All lengths are known. Holds the number of the first piece of each part, then the number of pieces.
    Known(Vec<u64>),
    /// Some lengths are unknown: threads go through the parts.
    Fed(Feed),
}

/// The answer to a request for a piece.
pub(super) enum Found {
    /// The piece is in the text. `last` tells whether it is the last of its part.
    Piece { last: bool },
    /// There is no such piece.
    End,
    /// Reading was abandoned.
    Nothing,
}

impl Pieces {
    /// Set `repeat` for more than one pass.
    pub(super) fn new(parts: Arc<Parts>, size: usize, repeat: bool) -> Self {
        let order = if parts.has_streams() {
            Order::Fed(Feed::new(Arc::clone(&parts), size, repeat))
        } else {
            let mut firsts = vec![0];
            let mut pieces = 0;
            for part in 0..parts.count() {
                let length = parts.part(part).data_length().expect("there are no streams");
                pieces += length.div_ceil(size as u64);
                firsts.push(pieces);
            }
            Order::Known(firsts)
        };
        Self { parts, size: size as u64, order }
    }

    /// Lets up to `threads` threads decompress parts, as long as at most `ahead` bytes of text wait for their turn.
    pub(super) fn decompress_ahead(&mut self, threads: usize, ahead: usize) {
        if let Order::Fed(feed) = &mut self.order {
            feed.run_ahead(threads, ahead);
        }
    }

    /// The number of pieces in a pass; `u64::MAX` while it is unknown.
    pub(super) fn per_pass(&self) -> u64 {
        match &self.order {
            Order::Known(firsts) => firsts[firsts.len() - 1],
            Order::Fed(feed) => feed.per_pass(),
        }
    }

    /// Reads piece `index`, counted over all passes, into `text`.
    pub(super) fn read(&self, index: u64, text: &mut Text) -> Result<Found> {
        match &self.order {
            Order::Known(firsts) => {
                let count = firsts[firsts.len() - 1];
                if count == 0 {
                    return Ok(Found::End);
                }
                let index = index % count;
                let part = firsts.partition_point(|&first| first <= index) - 1;
                let within = index - firsts[part];
                self.read_at(part, within * self.size, text)?;
                Ok(Found::Piece { last: index + 1 == firsts[part + 1] })
            }
            Order::Fed(feed) => match feed.take(index, text)? {
                Fed::Text { last } => Ok(Found::Piece { last }),
                Fed::Place { part, offset, last } => {
                    self.read_at(part, offset, text)?;
                    Ok(Found::Piece { last })
                }
                Fed::End => Ok(Found::End),
                Fed::Nothing => Ok(Found::Nothing),
            },
        }
    }

    /// Reads the piece of a part that begins `offset` bytes after its first row.
    fn read_at(&self, part: usize, offset: u64, text: &mut Text) -> Result<()> {
        let length = self.parts.part(part).data_length().unwrap_or(0);
        text.make_room(self.size.min(length - offset) as usize);
        text.read_from(&self.parts, part, self.parts.data_start(part) + offset)
    }

    pub(super) fn abandon(&self) {
        self.parts.abandon();
        if let Order::Fed(feed) = &self.order {
            feed.stop();
        }
    }
}
