//! Reads UTF-16 text as UTF-8.

use std::io::{self, ErrorKind, Read};

use encoding_rs::{Decoder, DecoderResult, UTF_16BE, UTF_16LE};

use super::raw::wrap;
use crate::budget::Size;
use crate::error::Kind;

/// How many bytes are read at a time.
const INPUT: Size = Size { usual: 64 << 10, small: 62 };

/// The maximum length of a character in bytes.
const CHARACTER: usize = 4;

/// How the bytes of a text are decoded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Transcoding {
    /// Not at all: they are UTF-8 or another superset of ASCII.
    #[default]
    AsItIs,
    /// As UTF-16 in the order given by the byte-order mark.
    Utf16,
    /// As UTF-16, little-endian.
    Utf16Le,
    /// As UTF-16, big-endian.
    Utf16Be,
}

impl Transcoding {
    /// The transcoding for an encoding name; `AsItIs` for names that need none.
    #[must_use]
    pub fn named(name: &str) -> Self {
        match name {
            "utf-16" => Self::Utf16,
            "utf-16-le" => Self::Utf16Le,
            "utf-16-be" => Self::Utf16Be,
            _ => Self::AsItIs,
        }
    }

    /// Decodes `text` to UTF-8 without the byte-order mark.
    pub(super) fn decode<'a>(self, mut text: Box<dyn Read + Send + 'a>) -> io::Result<Box<dyn Read + Send + 'a>> {
        if self == Self::AsItIs {
            return Ok(text);
        }
        let mut mark = [0; 2];
        let length = fill(&mut text, &mut mark)?;
        let found = match mark[..length] {
            [0xFF, 0xFE] => Some(Self::Utf16Le),
            [0xFE, 0xFF] => Some(Self::Utf16Be),
            _ => None,
        };
        let wrong = |message| Err(wrap(Kind::Undecodable(message).into()));
        let (kind, rest) = match (self, found) {
            (Self::Utf16, Some(found)) => (found, 0),
            (Self::Utf16, None) if length == 0 => (Self::Utf16Le, 0),
            (Self::Utf16, None) => {
                return wrong(
                    "the file has no byte-order mark: say which UTF-16 it is with encoding=\"utf-16-le\" or \
                     \"utf-16-be\", or leave encoding= out if it is UTF-8",
                );
            }
            (asked, Some(found)) if asked != found => {
                return wrong("its byte-order mark says the other byte order: encoding=\"utf-16\" goes by the mark");
            }
            (asked, Some(_)) => (asked, 0),
            (asked, None) => (asked, length),
        };
        let encoding = if kind == Self::Utf16Be { UTF_16BE } else { UTF_16LE };
        let mut input = vec![0; INPUT.get()];
        input[..rest].copy_from_slice(&mark[..rest]);
        let decoder = encoding.new_decoder_without_bom_handling();
        Ok(Box::new(Decoding {
            text,
            decoder,
            input,
            start: 0,
            end: rest,
            ended: false,
            finished: false,
            output: Vec::new(),
            given: 0,
        }))
    }
}

/// Reads until `buffer` is full or the text ends.
pub(crate) fn fill(text: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match text.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

struct Decoding<'a> {
    text: Box<dyn Read + Send + 'a>,
    decoder: Decoder,
    /// The input buffer. The bytes from `start` to `end` are not decoded yet.
    input: Vec<u8>,
    start: usize,
    end: usize,
    /// Whether the input has ended, and whether the decoder has been told.
    ended: bool,
    finished: bool,
    /// Output that did not fit, and how much of it has been passed on.
    output: Vec<u8>,
    given: usize,
}

impl Read for Decoding<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        if self.given < self.output.len() {
            return Ok(self.give(buffer));
        }
        if buffer.len() >= 4 * CHARACTER {
            return self.decode(buffer);
        }
        // The decoder needs room for whole characters.
        let mut output = std::mem::take(&mut self.output);
        output.resize(4 * CHARACTER, 0);
        let count = self.decode(&mut output)?;
        output.truncate(count);
        (self.output, self.given) = (output, 0);
        Ok(self.give(buffer))
    }
}

impl Decoding<'_> {
    fn give(&mut self, buffer: &mut [u8]) -> usize {
        let rest = &self.output[self.given..];
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        self.given += count;
        count
    }

    fn decode(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut written = 0;
        while !self.finished {
            if self.start == self.end && !self.ended {
                self.end = fill(&mut self.text, &mut self.input)?;
                self.start = 0;
                self.ended = self.end < self.input.len();
            }
            let input = &self.input[self.start..self.end];
            let (result, read, count) =
                self.decoder.decode_to_utf8_without_replacement(input, &mut buffer[written..], self.ended);
            self.start += read;
            written += count;
            match result {
                DecoderResult::Malformed(..) => {
                    let message = "the file is not valid UTF-16: is it in another encoding, or cut off?";
                    return Err(wrap(Kind::Undecodable(message).into()));
                }
                DecoderResult::OutputFull => return Ok(written),
                DecoderResult::InputEmpty if self.ended => self.finished = true,
                DecoderResult::InputEmpty if written > 0 => return Ok(written),
                DecoderResult::InputEmpty => {}
            }
        }
        Ok(written)
    }
}
