//! Text that is to be had only from its beginning on: what is compressed, or in another encoding.

use std::io::{self, Read};
use std::sync::Arc;

use super::carriage::translate;
use super::footer::WithoutFooter;
use super::raw::{Raw, explain};
use super::{Codec, Source, Transcoding, zip};
use crate::error::{Kind, Result};

/// A source whose bytes are not yet the text.
pub struct Stream {
    raw: Arc<dyn Source>,
    codec: Option<Codec>,
    encoding: Transcoding,
    /// Whether lines end with a carriage return alone.
    returns: bool,
    /// Lines at the end that are left out.
    footer: u64,
}

impl Stream {
    /// What has to be done to the bytes of `raw`, compressed with `codec`, to have its text; `None` when they are the text.
    #[must_use]
    pub fn with(raw: &Arc<dyn Source>, codec: Option<Codec>, encoding: Transcoding) -> Option<Self> {
        let is_text = codec.is_none() && encoding == Transcoding::AsItIs;
        (!is_text).then(|| Self { raw: Arc::clone(raw), codec, encoding, returns: false, footer: 0 })
    }

    /// The same, whose lines end with a carriage return alone, or not.
    #[must_use]
    pub fn with_returns(self, returns: bool) -> Self {
        Self { returns, ..self }
    }

    /// The same without the last lines.
    #[must_use]
    pub fn without_footer(self, lines: u64) -> Self {
        Self { footer: lines, ..self }
    }

    /// What it is made of.
    #[must_use]
    pub fn raw(&self) -> &Arc<dyn Source> {
        &self.raw
    }

    /// What tells the text from others and from what it was before.
    #[must_use]
    pub fn identity(&self) -> String {
        let Self { raw, codec, encoding, returns, footer } = self;
        let line_end = if *returns { "CR " } else { "" };
        let footer = if *footer > 0 { format!("-{footer} ") } else { String::new() };
        format!("{codec:?} {encoding:?} {line_end}{footer}{}", raw.identity())
    }

    /// About how long the text is. It is the same whenever the source is.
    #[must_use]
    pub fn likely_length(&self) -> u64 {
        // What numbers in decimal come to, as a rule.
        let growth = if self.codec.is_some() { 4 } else { 1 };
        self.raw.len().saturating_mul(growth)
    }

    /// The text from byte `skipped` on.
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

/// The text of a stream, as it comes.
pub struct Text<'a> {
    decoded: Box<dyn Read + Send + 'a>,
    codec: &'static str,
    returns: bool,
    /// Bytes that have come.
    position: u64,
}

impl Text<'_> {
    /// Fills `buffer` with what comes next, and says how far: less only at the end.
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

    /// Fills some of `buffer` with what comes next; none at the end.
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
