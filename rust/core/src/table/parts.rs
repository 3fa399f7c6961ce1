//! The files that a table is made of.
//!
//! Their rows come one after the other, and nothing goes over from one to the next: each ends as a file of its own does.
//! A place in the table is one number, in which each part has a range of its own, whether its length is known or not;
//! between two of them there is at least one byte that belongs to none.

use std::convert::Infallible;
use std::sync::Arc;

use xxhash_rust::xxh3::Xxh3;

use crate::error::Result;
use crate::source::{Source, SpooledText, Stream, StreamText, fingerprint, samples};

/// The range of places of a part whose length is not known, in bytes.
const ROOM: u64 = 1 << 44;

/// The columns of a table in a part.
pub type Layout = Arc<PartColumns>;

/// Where a part has the columns of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartColumns {
    /// Where each column of the table is.
    pub places: Vec<Place>,
    /// How many fields a row of the part has.
    pub fields: usize,
    /// Whether each row ends with a delimiter: the last field belongs to no column and must be empty.
    pub ends_empty: bool,
}

/// Where a column of a table is in a part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the field of that position.
    Field(usize),
    /// In no field: the part's path gives all rows this value. An empty one is missing.
    Value(String),
    /// Nowhere: the column is missing in all rows.
    Absent,
}

impl PartColumns {
    /// A part that has all columns of the table, each in the field of that position.
    #[must_use]
    pub fn reordered(fields: impl IntoIterator<Item = usize>) -> Layout {
        let places: Vec<_> = fields.into_iter().map(Place::Field).collect();
        Arc::new(Self { fields: places.len(), places, ends_empty: false })
    }
}

/// What a part is read from.
#[derive(Clone)]
pub enum Bytes {
    /// Its text, at any offset.
    Source(Arc<dyn Source>),
    /// Its text, from the beginning on.
    Stream(Arc<Stream>),
}

/// A file of a table.
#[derive(Clone)]
pub struct Part {
    /// Its text.
    pub bytes: Bytes,
    /// Byte offset of its first row.
    pub data_start: u64,
    /// Where it has the columns, if its fields are not exactly those of the table, in that order.
    pub layout: Option<Layout>,
}

impl Part {
    /// How many bytes its rows take, if that is known.
    pub(crate) fn data_length(&self) -> Option<u64> {
        match &self.bytes {
            Bytes::Source(source) => Some(source.len().saturating_sub(self.data_start)),
            Bytes::Stream(_) => None,
        }
    }

    fn identity(&self) -> String {
        match &self.bytes {
            Bytes::Source(source) => source.identity(),
            Bytes::Stream(stream) => stream.identity(),
        }
    }
}

/// The files of a table, in their order.
#[derive(Clone)]
pub struct Parts {
    parts: Vec<Part>,
    /// The place in the table of the first byte of each.
    starts: Vec<u64>,
}

impl Parts {
    /// Some files.
    ///
    /// # Panics
    ///
    /// When there are none.
    #[must_use]
    pub fn new(parts: Vec<Part>) -> Self {
        assert!(!parts.is_empty(), "a table has a part");
        let mut start = 0_u64;
        let room = |part: &Part| {
            let first = start;
            start = start.saturating_add(match &part.bytes {
                Bytes::Source(source) => source.len() + 1,
                Bytes::Stream(_) => ROOM,
            });
            first
        };
        let starts = parts.iter().map(room).collect();
        Self { parts, starts }
    }

    /// A single file, whose rows begin at byte `data_start`.
    #[must_use]
    pub fn one(source: Arc<dyn Source>, data_start: u64) -> Arc<Self> {
        Arc::new(Self::new(vec![Part { bytes: Bytes::Source(source), data_start, layout: None }]))
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.parts.len()
    }

    /// One of them.
    #[must_use]
    pub fn part(&self, part: usize) -> &Part {
        &self.parts[part]
    }

    /// The place of the first row of a part.
    pub(crate) fn data_start(&self, part: usize) -> u64 {
        self.place_of(part, self.parts[part].data_start)
    }

    /// The place of a byte of a part.
    pub(crate) fn place_of(&self, part: usize, offset: u64) -> u64 {
        self.starts[part] + offset
    }

    /// Which part a place is in, and the byte of the part.
    #[must_use]
    pub fn place(&self, offset: u64) -> (usize, u64) {
        let part = self.starts.partition_point(|&start| start <= offset).saturating_sub(1);
        (part, offset - self.starts[part])
    }

    /// The parts that cannot be read at any offset.
    pub fn streams(&self) -> impl Iterator<Item = &Stream> {
        self.parts.iter().filter_map(|part| match &part.bytes {
            Bytes::Source(_) => None,
            Bytes::Stream(stream) => Some(&**stream),
        })
    }

    /// Whether there are such parts.
    #[must_use]
    pub fn has_streams(&self) -> bool {
        self.streams().next().is_some()
    }

    /// Whether reading them waits for nothing but a disk.
    pub(crate) fn are_at_hand(&self) -> bool {
        self.parts.iter().all(|part| match &part.bytes {
            Bytes::Source(source) => source.is_at_hand(),
            Bytes::Stream(_) => false,
        })
    }

    /// How many of so many threads are of use: no more than keep up with the one that decompresses.
    pub(crate) fn threads(&self, threads: usize) -> usize {
        const ENOUGH: usize = 8;
        if self.has_streams() { threads.min(ENOUGH) } else { threads }
    }

    /// The same places, to be read at any offset: `texts` are those of the streams.
    ///
    /// # Panics
    ///
    /// When there are fewer of them.
    #[must_use]
    pub fn spooled(&self, texts: Vec<SpooledText>) -> Arc<Self> {
        let mut spooled = self.clone();
        let mut texts = texts.into_iter();
        for part in &mut spooled.parts {
            if let Bytes::Stream(_) = part.bytes {
                part.bytes = Bytes::Source(Arc::new(texts.next().expect("a text for each stream")));
            }
        }
        Arc::new(spooled)
    }

    /// About how many bytes the texts have; the same whenever the files are.
    #[must_use]
    pub fn likely_length(&self) -> u64 {
        let length = |part: &Part| match &part.bytes {
            Bytes::Source(source) => source.len(),
            Bytes::Stream(stream) => stream.likely_length(),
        };
        self.parts.iter().map(length).sum()
    }

    /// What tells the rows from others.
    #[must_use]
    pub fn identity(&self) -> String {
        let describe = |part: &Part| format!("{} {} {:?}", part.identity(), part.data_start, part.layout);
        if let [part] = &self.parts[..] {
            return describe(part);
        }
        let mut sum = Xxh3::new();
        for part in &self.parts {
            sum.update(describe(part).as_bytes());
            sum.update(b"\n");
        }
        format!("{} parts {:032x}", self.parts.len(), sum.digest128())
    }

    /// What tells the content from another, by the length, the beginning and the end of each file.
    pub fn fingerprint(&self) -> Result<String> {
        let of = |part: &Part| {
            let bytes = match &part.bytes {
                Bytes::Source(source) => fingerprint(&**source),
                Bytes::Stream(stream) => fingerprint(&**stream.raw()),
            }?;
            // What the path says is content, too.
            let is_value = |place: &Place| matches!(place, Place::Value(_));
            let values = part.layout.as_ref().filter(|layout| layout.places.iter().any(is_value));
            Ok(values.map_or_else(|| bytes.clone(), |layout| format!("{bytes} {:?}", layout.places)))
        };
        if let [part] = &self.parts[..] {
            return of(part);
        }
        let mut sum = Xxh3::new();
        for part in &self.parts {
            sum.update(of(part)?.as_bytes());
        }
        Ok(format!("{:032x}", sum.digest128()))
    }

    /// What tells the content from another by pieces from all over the files; `None` where some are far away.
    pub fn samples(&self) -> Result<Option<String>> {
        const PIECES: usize = 256;
        let each = PIECES.div_ceil(self.parts.len());
        let mut sum = Xxh3::new();
        for part in &self.parts {
            let source = match &part.bytes {
                Bytes::Source(source) => source,
                Bytes::Stream(stream) => stream.raw(),
            };
            let Some(found) = samples(&**source, each)? else { return Ok(None) };
            sum.update(&found.to_le_bytes());
        }
        Ok(Some(format!("{:032x}", sum.digest128())))
    }

    /// The number of the physical line of byte `offset` of a part, counted from 1; `None` when it can no longer be read.
    #[must_use]
    pub fn line(&self, part: usize, offset: u64) -> Option<u64> {
        Lines::of(self).at(self.starts[part] + offset)
    }

    /// Gives up: whoever waits for bytes gets an error soon.
    pub(crate) fn abandon(&self) {
        for part in &self.parts {
            match &part.bytes {
                Bytes::Source(source) => source.abandon(),
                Bytes::Stream(stream) => stream.raw().abandon(),
            }
        }
    }
}

/// Counts the lines of parts from place to place.
pub struct Lines<'a> {
    parts: &'a Parts,
    part: usize,
    offset: u64,
    line: u64,
    /// The text of a part that is a stream, read up to there.
    text: Option<StreamText<'a>>,
    bytes: Vec<u8>,
}

impl<'a> Lines<'a> {
    /// From the start of the first part.
    #[must_use]
    pub fn of(parts: &'a Parts) -> Self {
        Self { parts, part: 0, offset: 0, line: 1, text: None, bytes: Vec::new() }
    }

    /// The number of the physical line, counted from 1 in its part, of a place that does not come before the one asked for
    /// last; `None` when it can no longer be read.
    pub fn at(&mut self, place: u64) -> Option<u64> {
        self.at_checking(place, &mut || Ok::<_, Infallible>(())).unwrap_or_else(|never| match never {})
    }

    /// The same. Calls `check` several times a second; an error that it returns ends the counting.
    pub(crate) fn at_checking<E>(
        &mut self,
        place: u64,
        check: &mut impl FnMut() -> std::result::Result<(), E>,
    ) -> std::result::Result<Option<u64>, E> {
        const PIECE: u64 = 1 << 18;
        const PIECES_A_CHECK: u64 = 256;
        let (part, offset) = self.parts.place(place);
        if part != self.part {
            *self = Self { part, bytes: std::mem::take(&mut self.bytes), ..Self::of(self.parts) };
        }
        self.bytes.resize(PIECE as usize, 0);
        for number in 1.. {
            let size = (offset.saturating_sub(self.offset)).min(PIECE);
            if size == 0 {
                break;
            }
            if self.read(size as usize).is_none() {
                return Ok(None);
            }
            if number % PIECES_A_CHECK == 0 {
                check()?;
            }
        }
        Ok(Some(self.line))
    }

    /// Counts the lines in the next bytes.
    fn read(&mut self, size: usize) -> Option<()> {
        let piece = &mut self.bytes[..size];
        match &self.parts.parts[self.part].bytes {
            Bytes::Source(source) => source.read_at(self.offset, piece).ok()?,
            Bytes::Stream(stream) => {
                if self.text.is_none() {
                    self.text = Some(stream.open(0).ok()?);
                }
                if self.text.as_mut()?.fill(piece).ok()? < size {
                    return None;
                }
            }
        }
        self.line += memchr::memchr_iter(b'\n', piece).count() as u64;
        self.offset += size as u64;
        Some(())
    }
}
