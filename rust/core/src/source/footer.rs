//! Texts without their last lines.

use std::io::{self, Read};

use memchr::memrchr;

use super::Source;
use crate::budget::Size;
use crate::error::Result;

/// How many bytes are read at a time. Debug builds read few, to cross boundaries often.
const PIECE: Size = Size { usual: 64 << 10, small: 100 };

/// Whether a byte is padding after the end of a text: Ctrl-Z or NUL, which old editors and disks append.
pub(crate) fn is_padding(byte: u8) -> bool {
    matches!(byte, 0 | 0x1A)
}

/// A source that ends early.
pub struct Shortened<S> {
    source: S,
    length: u64,
}

impl<S: Source> Shortened<S> {
    /// A source without its last `lines` lines.
    pub fn without_footer(source: S, lines: u64) -> Result<Self> {
        let mut tail = Vec::new();
        loop {
            // The bytes read so far may begin in the middle of a line.
            let start = source.len() - tail.len() as u64;
            if let Some(footer) = footer(&tail, lines, b'\n', start == 0) {
                return Ok(Self { source, length: start + footer as u64 });
            }
            let more = tail.len().max(PIECE.get()).min(start as usize);
            let mut longer = vec![0; more + tail.len()];
            source.read_at(start - more as u64, &mut longer[..more])?;
            longer[more..].copy_from_slice(&tail);
            tail = longer;
        }
    }

    /// A source that ends after `length` bytes.
    pub fn at(source: S, length: u64) -> Self {
        Self { source, length }
    }
}

impl<S: Source> Source for Shortened<S> {
    fn len(&self) -> u64 {
        self.length
    }

    fn identity(&self) -> String {
        format!("{} {}", self.length, self.source.identity())
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<()> {
        self.source.read_at(offset, buffer)
    }

    fn is_local(&self) -> bool {
        self.source.is_local()
    }

    fn abandon(&self) {
        self.source.abandon();
    }
}

/// The start of the last `lines` lines in `tail`, the end of a text or the `whole` of it; `None` if a longer tail is
/// needed.
fn footer(tail: &[u8], lines: u64, newline: u8, whole: bool) -> Option<usize> {
    let padding = tail.iter().rev().take_while(|&&byte| is_padding(byte)).count();
    if padding == tail.len() && !whole {
        return None;
    }
    let text = &tail[..tail.len() - padding];
    let mut start = text.len();
    for _ in 0..lines {
        let line = &text[..start];
        let before = line.strip_suffix(&[newline]).unwrap_or(line);
        match memrchr(newline, before) {
            Some(at) => start = at + 1,
            None if whole => return Some(0),
            None => return None,
        }
    }
    Some(start)
}

/// A text without its last lines, read from start to end.
pub(super) struct WithoutFooter<R> {
    text: R,
    lines: u64,
    newline: u8,
    /// Bytes that were read but not yet passed on.
    held: Vec<u8>,
    /// How many of them were passed on.
    passed: usize,
    /// How many of them may be passed on.
    free: usize,
    ended: bool,
}

impl<R: Read> WithoutFooter<R> {
    pub(super) fn new(text: R, lines: u64, newline: u8) -> Self {
        Self { text, lines, newline, held: Vec::new(), passed: 0, free: 0, ended: false }
    }

    /// Reads more bytes.
    fn take(&mut self) -> io::Result<()> {
        self.held.drain(..self.passed);
        (self.passed, self.free) = (0, 0);
        let before = self.held.len();
        self.held.resize(before + PIECE.get(), 0);
        let result = self.text.read(&mut self.held[before..]);
        self.held.truncate(before + result.as_ref().copied().unwrap_or(0));
        self.ended = result? == 0;
        if self.ended {
            self.free = footer(&self.held, self.lines, self.newline, true).unwrap_or(0);
            return Ok(());
        }
        // One more line, because only padding may follow.
        let mut rest = &self.held[..];
        for _ in 0..=self.lines {
            let Some(at) = memrchr(self.newline, rest) else { return Ok(()) };
            rest = &rest[..at];
        }
        self.free = rest.len() + 1;
        Ok(())
    }
}

impl<R: Read> Read for WithoutFooter<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.passed == self.free {
            if self.ended {
                return Ok(0);
            }
            self.take()?;
        }
        let count = buffer.len().min(self.free - self.passed);
        buffer[..count].copy_from_slice(&self.held[self.passed..self.passed + count]);
        self.passed += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::MemorySource;
    use proptest::prelude::*;

    /// A text without its last lines, computed line by line.
    fn naive(text: &[u8], lines: usize) -> &[u8] {
        let padding = text.iter().rev().take_while(|&&byte| is_padding(byte)).count();
        let text = &text[..text.len() - padding];
        let all: Vec<_> = text.split_inclusive(|&byte| byte == b'\n').collect();
        let kept = all.len().saturating_sub(lines);
        &text[..all[..kept].iter().map(|line| line.len()).sum()]
    }

    /// A reader that returns a few bytes at a time.
    struct Slow<'a>(&'a [u8], usize);

    impl Read for Slow<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = self.1.min(buffer.len());
            self.0.read(&mut buffer[..count])
        }
    }

    proptest! {
        #![proptest_config(crate::checks::cases(2_000))]

        #[test]
        fn the_last_lines_are_dropped(
            text in "([a,]{0,5}\n|[a,]{60,150}\n|\n){0,9}[a,]{0,9}(\u{1a}|\0){0,200}",
            lines in 1_usize..5,
            piece in 1_usize..150,
        ) {
            let expected = naive(text.as_bytes(), lines);
            let source = Shortened::without_footer(MemorySource::new(text.as_bytes()), lines as u64).unwrap();
            prop_assert_eq!(source.len(), expected.len() as u64);
            let mut found = Vec::new();
            let reader = Slow(text.as_bytes(), piece);
            WithoutFooter::new(reader, lines as u64, b'\n').read_to_end(&mut found).unwrap();
            prop_assert_eq!(found, expected);
        }
    }
}
