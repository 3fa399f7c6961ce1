//! Fills a text with bytes of a table.

use std::ops::Range;

use crate::dialect::Dialect;
use crate::error::{Error, Kind, Result};
use crate::table::parts::{Bytes, Parts};
use crate::text::Text;

/// Room before a piece for the row carried over from the previous piece.
const ROOM_FOR_A_ROW: usize = 4096;

impl Text {
    /// Makes room for a piece of `size` bytes.
    pub(super) fn make_room(&mut self, size: usize) {
        self.reserve(ROOM_FOR_A_ROW, size);
    }

    /// Fills the text with whole rows: the given places of the table. `ends_part` tells that padding may follow them.
    pub(crate) fn fill(&mut self, parts: &Parts, dialect: Dialect, bytes: Range<u64>, ends_part: bool) -> Result<()> {
        self.reserve(0, (bytes.end - bytes.start) as usize);
        self.read_from(parts, parts.place(bytes.start).0, bytes.start)?;
        if ends_part {
            self.end_before_padding();
        }
        self.has_quotes = dialect.quote_in(self.bytes());
        self.needs_careful_scan = dialect.needs_careful_scan(self.bytes());
        self.end_with_newline(dialect);
        Ok(())
    }

    /// Fills the reserved room from place `offset`, which lies in `part`.
    pub(super) fn read_from(&mut self, parts: &Parts, part: usize, offset: u64) -> Result<()> {
        self.offset = offset;
        self.layout.clone_from(&parts.part(part).layout);
        let (_, at) = parts.place(offset);
        let buffer = &mut self.buffer[self.start..self.end];
        let result = match &parts.part(part).bytes {
            Bytes::Source(source) => source.read_at(at, buffer),
            // This is slow but rare: it happens only if part of a cache is damaged.
            Bytes::Stream(stream) => stream.open(at).and_then(|mut text| {
                let is_whole = text.fill(buffer)? == buffer.len();
                if is_whole { Ok(()) } else { Err(Kind::SourceChanged("it ends too early").into()) }
            }),
        };
        result
            .map_err(|error| Error { offset: Some(error.offset.map_or(offset, |found| offset - at + found)), ..error })
    }
}
