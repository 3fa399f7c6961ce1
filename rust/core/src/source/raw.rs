//! Adapts a source to the traits of the standard library.

use std::fmt;
use std::io::{self, Read};

use super::Source;
use crate::error::{Error, Kind};

/// The bytes of a source, read in order.
#[derive(Clone, Copy)]
pub(super) struct Raw<'a> {
    pub(super) source: &'a dyn Source,
    pub(super) position: u64,
    pub(super) end: u64,
}

impl<'a> Raw<'a> {
    /// A byte range of the same source.
    pub(super) fn part(&self, start: u64, length: u64) -> Option<Raw<'a>> {
        let end = start.checked_add(length).filter(|&end| end <= self.source.len())?;
        Some(Raw { source: self.source, position: start, end })
    }
}

impl Read for Raw<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = (self.end - self.position).min(buffer.len() as u64) as usize;
        if count > 0 {
            self.source.read_at(self.position, &mut buffer[..count]).map_err(wrap)?;
            self.position += count as u64;
        }
        Ok(count)
    }
}

impl io::Seek for Raw<'_> {
    fn seek(&mut self, to: io::SeekFrom) -> io::Result<u64> {
        let position = match to {
            io::SeekFrom::Start(position) => Some(position),
            io::SeekFrom::End(back) => self.end.checked_add_signed(back),
            io::SeekFrom::Current(by) => self.position.checked_add_signed(by),
        };
        let position = position.filter(|&position| position <= self.end);
        self.position = position.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}

/// Carries a csvfeed error through readers that only know `io::Error`.
struct Wrapped(Error);

impl fmt::Debug for Wrapped {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.kind.fmt(formatter)
    }
}

impl fmt::Display for Wrapped {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.kind.fmt(formatter)
    }
}

impl std::error::Error for Wrapped {}

pub(super) fn wrap(error: Error) -> io::Error {
    io::Error::other(Wrapped(error))
}

/// The error behind a failed read.
pub(super) fn explain(codec: &'static str, error: io::Error) -> Error {
    if error.raw_os_error().is_some() {
        return error.into();
    }
    let reason = match error.kind() {
        io::ErrorKind::UnexpectedEof => "it ends too early".to_owned(),
        _ => error.to_string(),
    };
    match error.downcast::<Wrapped>() {
        Ok(wrapped) => wrapped.0,
        Err(_) => Kind::Damaged { codec, reason }.into(),
    }
}
