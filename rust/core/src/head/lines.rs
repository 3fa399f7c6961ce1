//! Reads lines and rows at a place of a source, before the source is split.

use memchr::memchr_iter;

use crate::budget::Size;
use crate::dialect::Dialect;
use crate::error::{Kind, Result};
use crate::index::Careful;
use crate::source::{Source, is_padding};

/// How many bytes are read at a time while searching the head.
const PIECE: Size = Size { usual: 1 << 13, small: 16 };

/// The byte offset after the given number of lines.
pub(super) fn skip_lines(source: &dyn Source, mut offset: u64, mut lines: u64, what: &'static str) -> Result<u64> {
    let mut piece = [0; PIECE.usual];
    while lines > 0 {
        let size = (source.len() - offset).min(PIECE.get() as u64) as usize;
        if size == 0 {
            return Err(Kind::TooFewLines(what).into());
        }
        source.read_at(offset, &mut piece[..size])?;
        let mut newlines = memchr_iter(b'\n', &piece[..size]);
        let wanted =
            newlines.by_ref().take(usize::try_from(lines).unwrap_or(usize::MAX)).inspect(|_| lines -= 1).last();
        offset += wanted.filter(|_| lines == 0).map_or(size, |newline| newline + 1) as u64;
    }
    Ok(offset)
}

/// The byte offset of the first line at or after `offset` that is neither blank nor a comment.
pub(super) fn first_row(source: &dyn Source, dialect: Dialect, offset: u64) -> Result<Option<u64>> {
    #[derive(Clone, Copy, PartialEq)]
    enum Line {
        Begins,
        Spaces,
        Returned,
        Comment,
        /// Padding after the end of the file, if nothing else follows.
        Padding,
    }
    let mut piece = [0; PIECE.usual];
    let (mut position, mut line_start, mut line) = (offset, offset, Line::Begins);
    // Where padding begins. It is a row if the file continues after it.
    let mut padding = None;
    while position < source.len() {
        let size = (source.len() - position).min(PIECE.get() as u64) as usize;
        source.read_at(position, &mut piece[..size])?;
        for &byte in &piece[..size] {
            position += 1;
            line = match (line, byte) {
                (_, b'\n') => {
                    line_start = position;
                    Line::Begins
                }
                (Line::Comment, _) => Line::Comment,
                (Line::Begins | Line::Returned | Line::Padding, byte) if is_padding(byte) => {
                    padding.get_or_insert(line_start);
                    Line::Padding
                }
                (Line::Begins, byte) if Some(byte) == dialect.comment && padding.is_none() => Line::Comment,
                (Line::Begins | Line::Spaces, b' ') if dialect.has_runs() => Line::Spaces,
                (Line::Begins | Line::Spaces | Line::Padding, b'\r') => Line::Returned,
                _ => return Ok(Some(padding.unwrap_or(line_start))),
            };
        }
    }
    // A carriage return at the end of the file is a line end.
    Ok(None)
}

/// The row at byte `offset`, with a newline at its end, and the number of bytes it takes in the source.
pub(super) fn read_row(source: &dyn Source, dialect: Dialect, offset: u64, max_row: usize) -> Result<(Vec<u8>, usize)> {
    let mut size = PIECE.get();
    loop {
        let length = (source.len() - offset).min(size as u64) as usize;
        let whole = offset + length as u64 == source.len();
        let mut text = vec![0; length];
        source.read_at(offset, &mut text)?;
        if whole {
            let padding = text.iter().rev().take_while(|&&byte| is_padding(byte)).count();
            text.truncate(length - padding);
            // If the text already ends with a newline, this adds a blank line, unless that newline is escaped.
            text.push(b'\n');
        }
        // Up to the last newline every row is complete, unless that newline is quoted.
        let rows = memchr::memrchr(b'\n', &text).map_or(0, |newline| newline + 1);
        if rows > 0 {
            match Careful::new(dialect, &text[..rows], 0).next_row(|_| {}) {
                Ok(Some(row)) => {
                    let end = row.newline + 1;
                    text.truncate(end);
                    return Ok((text, end.min(length)));
                }
                Err(bad) if whole || matches!(bad.kind, Kind::TextAfterQuote) => {
                    return Err(bad.into_error(&text, offset, dialect));
                }
                Ok(None) | Err(_) => {}
            }
        }
        if size > max_row {
            text.push(b'\n');
            return Err(match Careful::new(dialect, &text, 0).next_row(|_| {}) {
                Ok(_) => dialect.error(Kind::RowTooLong { limit: max_row }, offset, &text),
                Err(bad) => bad.into_error(&text, offset, dialect),
            });
        }
        size *= 4;
    }
}
