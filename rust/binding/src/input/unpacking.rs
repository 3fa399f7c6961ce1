//! From the bytes of a part to its text: decompress, transcode, normalise line ends, cut the footer.

use std::sync::Arc;

use csvfeed_core::error::Error;
use csvfeed_core::source::{CarriageReturns, Codec, Prefix, Shortened, Source, Stream, Transcoding, ends_with_returns};
use csvfeed_core::table::parts::Bytes;

/// How the bytes of a part become its text.
#[derive(Clone, Copy)]
pub(crate) struct Unpacking {
    /// The compression.
    pub codec: Option<Codec>,
    /// The encoding, if it is not one that the core reads directly.
    pub transcoding: Transcoding,
    /// Whether lines end with a carriage return alone.
    pub returns: bool,
    /// Lines to leave out at the end.
    pub skip_footer: u64,
    /// The byte where these begin. `None` if only reading tells.
    pub end: Option<u64>,
}

impl Unpacking {
    /// Whether the bytes are the text.
    pub(crate) fn is_plain(self) -> bool {
        self.codec.is_none() && self.transcoding == Transcoding::AsItIs && !self.returns
    }

    /// The text of a source.
    pub(crate) fn text(self, source: Arc<dyn Source>) -> Bytes {
        if let Some(stream) = Stream::with(&source, self.codec, self.transcoding) {
            return Bytes::Stream(Arc::new(stream.with_returns(self.returns).without_footer(self.skip_footer)));
        }
        let text = self.lines(source);
        Bytes::Source(match self.end {
            Some(end) => Arc::new(Shortened::at(text, end)),
            None => text,
        })
    }

    /// The source with newlines in place of carriage returns, if these end its lines.
    fn lines(self, source: Arc<dyn Source>) -> Arc<dyn Source> {
        if self.returns { Arc::new(CarriageReturns(source)) } else { source }
    }

    /// What `look` finds at the beginning of the text of a source.
    pub(super) fn look<T>(
        self,
        source: &Arc<dyn Source>,
        look: impl FnMut(&dyn Source) -> Result<T, Error>,
    ) -> Result<T, Error> {
        match self.text(Arc::clone(source)) {
            Bytes::Stream(stream) => Prefix::of_stream(&stream, look),
            Bytes::Source(source) => Prefix::of_source(&*source, look),
        }
    }

    /// The same, with the line ends known and the footer found.
    pub(super) fn without_footer(self, source: &Arc<dyn Source>, max_row: usize) -> Result<Self, Error> {
        if self.skip_footer == 0 {
            return Ok(self);
        }
        let plain = Self { skip_footer: 0, ..self };
        let returns = plain.look(source, |text| ends_with_returns(text, max_row))?;
        let found = Self { returns, ..self };
        if Stream::with(source, self.codec, self.transcoding).is_some() {
            return Ok(found);
        }
        let text = Shortened::without_footer(found.lines(Arc::clone(source)), self.skip_footer)?;
        Ok(Self { end: Some(text.len()), ..found })
    }
}
