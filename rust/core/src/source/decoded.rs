//! Text that can only be read from its start: compressed, or in another encoding.

use std::io::{self, Read};
use std::sync::Arc;

use super::cr_line_ends::translate;
use super::footer::WithoutFooter;
use super::raw::{Raw, explain};
use super::{Codec, Source, Transcoding, zip};
use crate::error::{Kind, Result};

/// A source that must be decoded to get its text.
pub struct Stream {
    raw: Arc<dyn Source>,
    codec: Option<Codec>,
    encoding: Transcoding,
    /// Whether lines end with a carriage return alone.
    returns: bool,
    /// The number of lines to drop at the end.
    footer: u64,
}

impl Stream {
    /// The stream that decodes `raw`, which is compressed with `codec`; `None` if its bytes are already the text.
    #[must_use]
    pub fn with(raw: &Arc<dyn Source>, codec: Option<Codec>, encoding: Transcoding) -> Option<Self> {
        let is_text = codec.is_none() && encoding == Transcoding::AsItIs;
        (!is_text).then(|| Self { raw: Arc::clone(raw), codec, encoding, returns: false, footer: 0 })
    }

    /// Sets whether lines end with a carriage return alone.
    #[must_use]
    pub fn with_returns(self, returns: bool) -> Self {
        Self { returns, ..self }
    }

    /// Drops the last `lines` lines.
    #[must_use]
    pub fn without_footer(self, lines: u64) -> Self {
        Self { footer: lines, ..self }
    }

    /// The encoded bytes.
    #[must_use]
    pub fn raw(&self) -> &Arc<dyn Source> {
        &self.raw
    }

    /// Identifies this text in its current version.
    #[must_use]
    pub fn identity(&self) -> String {
        let Self { raw, codec, encoding, returns, footer } = self;
        let line_end = if *returns { "CR " } else { "" };
        let footer = if *footer > 0 { format!("-{footer} ") } else { String::new() };
        format!("{codec:?} {encoding:?} {line_end}{footer}{}", raw.identity())
    }

    /// The approximate length of the text. It is equal for equal sources.
    #[must_use]
    pub fn likely_length(&self) -> u64 {
        // The usual compression ratio of decimal numbers.
        let growth = if self.codec.is_some() { 4 } else { 1 };
        self.raw.len().saturating_mul(growth)
    }

    /// Opens the text at byte `skipped`.
    pub fn open(&self, skipped: u64) -> Result<Text<'_>> {
        let raw = Raw { source: &*self.raw, position: 0, end: self.raw.len() };
        let codec = self.codec.map_or("", Codec::name);
        let explain = |error| explain(codec, error);
        let decompressed: Box<dyn Read + Send + '_> = match self.codec {
            None => Box::new(raw),
            Some(Codec::Zip) => zip::open(raw)?,
            Some(codec) => codec.decompress(raw).map_err(explain)?,
        };
        let mut decoded = self.encoding.decode(decompressed).map_err(explain)?;
        if self.footer > 0 {
            let newline = if self.returns { b'\r' } else { b'\n' };
            decoded = Box::new(WithoutFooter::new(decoded, self.footer, newline));
        }
        let mut text = Text { decoded, codec, returns: self.returns, position: 0 };
        let mut left = skipped;
        let mut passed = vec![0; 1 << 13];
        while left > 0 {
            let wanted = left.min(passed.len() as u64) as usize;
            match text.fill(&mut passed[..wanted])? {
                0 => return Err(Kind::SourceChanged("it ends too early").into()),
                count => left -= count as u64,
            }
        }
        Ok(text)
    }
}

/// The text of a stream, read from start to end.
pub struct Text<'a> {
    decoded: Box<dyn Read + Send + 'a>,
    codec: &'static str,
    returns: bool,
    /// Bytes read so far.
    position: u64,
}

impl Text<'_> {
    /// Fills `buffer` with the next bytes and returns their number, which is smaller only at the end.
    pub fn fill(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.next(&mut buffer[filled..])? {
                0 => break,
                count => filled += count,
            }
        }
        Ok(filled)
    }

    /// Reads some of the next bytes into `buffer`; returns 0 at the end.
    pub(crate) fn next(&mut self, buffer: &mut [u8]) -> Result<usize> {
        loop {
            match self.decoded.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(explain(self.codec, error)),
                Ok(count) => {
                    if self.returns {
                        translate(&mut buffer[..count], self.position)?;
                    }
                    self.position += count as u64;
                    return Ok(count);
                }
            }
        }
    }
}
