//! Reads text whose lines end with a carriage return alone.

use std::sync::Arc;

use memchr::memchr;

use super::Source;
use crate::budget::Size;
use crate::error::{Error, Kind, Result};

/// How many bytes after the first carriage return are searched for a newline.
const NEAR: u64 = 1 << 16;

/// How many bytes are read at a time. Debug builds read few, to cross boundaries often.
const PIECE: Size = Size { usual: 1 << 13, small: 16 };

/// A source with a newline in place of each carriage return. The underlying source must not contain newlines.
pub struct CarriageReturns<S>(pub S);

impl<S: Source> Source for CarriageReturns<S> {
    fn len(&self) -> u64 {
        self.0.len()
    }

    fn identity(&self) -> String {
        format!("CR {}", self.0.identity())
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<()> {
        self.0.read_at(offset, buffer)?;
        translate(buffer, offset)
    }

    fn is_local(&self) -> bool {
        self.0.is_local()
    }

    fn abandon(&self) {
        self.0.abandon();
    }
}

impl<S: Source + ?Sized> Source for &S {
    fn len(&self) -> u64 {
        (**self).len()
    }

    fn identity(&self) -> String {
        (**self).identity()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<()> {
        (**self).read_at(offset, buffer)
    }

    fn is_local(&self) -> bool {
        (**self).is_local()
    }

    fn abandon(&self) {
        (**self).abandon();
    }
}

impl<S: Source + ?Sized> Source for Arc<S> {
    fn len(&self) -> u64 {
        (**self).len()
    }

    fn identity(&self) -> String {
        (**self).identity()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<()> {
        (**self).read_at(offset, buffer)
    }

    fn is_local(&self) -> bool {
        (**self).is_local()
    }

    fn abandon(&self) {
        (**self).abandon();
    }
}

/// Replaces each carriage return by a newline. A newline in `bytes` is an error. The bytes start at `offset` of the
/// text.
pub(super) fn translate(bytes: &mut [u8], offset: u64) -> Result<()> {
    if let Some(at) = memchr(b'\n', bytes) {
        let kind = Kind::LineEnds("an LF stands here, and CR alone ends the lines before it");
        return Err(Error { offset: Some(offset + at as u64), ..kind.into() });
    }
    for byte in bytes {
        if *byte == b'\r' {
            *byte = b'\n';
        }
    }
    Ok(())
}

/// Whether lines end with a carriage return alone: the first line does, and no newline is near. The first line may have
/// up to `max_row` bytes.
pub fn ends_with_returns(source: &dyn Source, max_row: usize) -> Result<bool> {
    let mut piece = [0; PIECE.usual];
    let (mut offset, mut first) = (0, None);
    loop {
        let end = first.map_or(max_row as u64 + NEAR, |first| first + NEAR).min(source.len());
        let size = end.saturating_sub(offset).min(PIECE.get() as u64) as usize;
        if size == 0 {
            break;
        }
        let piece = &mut piece[..size];
        source.read_at(offset, piece)?;
        let newline = memchr(b'\n', piece);
        if first.is_none() {
            first = memchr(b'\r', &piece[..newline.unwrap_or(size)]).map(|at| offset + at as u64);
        }
        if newline.is_some() {
            return Ok(false);
        }
        offset += size as u64;
    }
    // At the end of a file, a carriage return may belong to a line end that was cut off.
    Ok(first.is_some_and(|first| first + 1 < source.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::MemorySource;

    fn returns(bytes: &[u8]) -> bool {
        ends_with_returns(&MemorySource::new(bytes), 1 << 20).unwrap()
    }

    #[test]
    fn the_first_line_end_decides_unless_a_newline_is_near() {
        assert!(returns(b"a,b\r1,2\r"));
        assert!(returns(b"a,b\r1,2"));
        assert!(returns(format!("{}\r1\r", "a".repeat(100_000)).as_bytes()));
        assert!(returns(format!("a\r{}\n", "1\r".repeat(1 << 15)).as_bytes()));
        for other in ["", "a,b", "a,b\n1,2\r", "a,b\r\n1,2\r\n", "a,b\r", "a\rb\n1\n", "\"a\rb\",c\r\n1,2\r\n"] {
            assert!(!returns(other.as_bytes()), "{other:?}");
        }
        assert!(!returns(format!("a\r{}\n", "1".repeat(60_000)).as_bytes()));
    }

    #[test]
    fn a_newline_is_an_error_at_its_place() {
        let source = CarriageReturns(MemorySource::new(&b"a\r1\r2\n3\r"[..]));
        let mut bytes = [0; 4];
        source.read_at(1, &mut bytes).unwrap();
        assert_eq!(&bytes, b"\n1\n2");
        let error = source.read_at(4, &mut bytes).unwrap_err();
        assert!(matches!(error.kind, Kind::LineEnds(_)));
        assert_eq!(error.offset, Some(6 - 1));
    }
}
