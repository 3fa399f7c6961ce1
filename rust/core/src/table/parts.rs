//! The files of a table.
//!
//! Rows follow one another across files, but no row spans two files: each file ends as if it stood alone. A place in
//! the table is a single number. Each part has its own range of places, whether or not its length is known, and at
//! least one place between two parts belongs to neither.

use std::convert::Infallible;
use std::ops::Range;
use std::sync::Arc;

use xxhash_rust::xxh3::Xxh3;

use crate::error::Result;
use crate::source::{Source, SpooledText, Stream, StreamText, fingerprint, samples};

/// Places reserved for a part of unknown length, in bytes.
const ROOM: u64 = 1 << 44;

/// The columns of the table within one part.
pub type Layout = Arc<PartColumns>;

/// Which field of a part holds which column of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartColumns {
    /// The place of each column of the table.
    pub places: Vec<Place>,
    /// Fields in each row of the part.
    pub fields: usize,
    /// Whether each row ends with a delimiter. The field after it belongs to no column and must be empty.
    pub ends_empty: bool,
}

/// The place of a table column within a part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// The field at this position.
    Field(usize),
    /// No field: the path of the part gives every row this value. An empty value is missing.
    Value(String),
    /// Nowhere: the column is missing in every row.
    Absent,
}

impl PartColumns {
    /// The layout of a part with all columns of the table, column after column in the given fields.
    #[must_use]
    pub fn reordered(fields: impl IntoIterator<Item = usize>) -> Layout {
        let places: Vec<_> = fields.into_iter().map(Place::Field).collect();
        Arc::new(Self { fields: places.len(), places, ends_empty: false })
    }
}

/// The bytes of a part.
#[derive(Clone)]
pub enum Bytes {
    /// Text that can be read at any offset.
    Source(Arc<dyn Source>),
    /// Text that can only be read from the start.
    Stream(Arc<Stream>),
}

/// One file of a table.
#[derive(Clone)]
pub struct Part {
    /// Its text.
    pub bytes: Bytes,
    /// Byte offset of its first row.
    pub data_start: u64,
    /// The layout of its columns, if its fields are not exactly the table's columns in the table's order.
    pub layout: Option<Layout>,
}

impl Part {
    /// Length of its rows in bytes, if known.
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

/// The files of a table, in order.
#[derive(Clone)]
pub struct Parts {
    parts: Vec<Part>,
    /// The place of the first byte of each part.
    starts: Vec<u64>,
}

impl Parts {
    /// Combines files into one table.
    ///
    /// # Panics
    ///
    /// If `parts` is empty.
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

    /// A single file whose rows begin at byte `data_start`.
    #[must_use]
    pub fn one(source: Arc<dyn Source>, data_start: u64) -> Arc<Self> {
        Arc::new(Self::new(vec![Part { bytes: Bytes::Source(source), data_start, layout: None }]))
    }

    /// The number of parts.
    #[must_use]
    pub fn count(&self) -> usize {
        self.parts.len()
    }

    /// The part with this position.
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

    /// The part that contains a place, and the byte offset within it.
    #[must_use]
    pub fn place(&self, offset: u64) -> (usize, u64) {
        let part = self.starts.partition_point(|&start| start <= offset).saturating_sub(1);
        (part, offset - self.starts[part])
    }

    /// The parts that cannot be read at any offset.
    pub fn streams(&self) -> impl Iterator<Item = &Stream> {
        self.streams_in(0..self.count())
    }

    /// Those of some parts.
    pub fn streams_in(&self, parts: Range<usize>) -> impl Iterator<Item = &Stream> {
        self.parts[parts].iter().filter_map(|part| match &part.bytes {
            Bytes::Source(_) => None,
            Bytes::Stream(stream) => Some(&**stream),
        })
    }

    /// Whether any part is a stream.
    #[must_use]
    pub fn has_streams(&self) -> bool {
        self.streams().next().is_some()
    }

    /// Whether reading waits for nothing slower than a disk.
    pub(crate) fn are_local(&self) -> bool {
        self.parts.iter().all(|part| match &part.bytes {
            Bytes::Source(source) => source.is_local(),
            Bytes::Stream(_) => false,
        })
    }

    /// How many threads may decompress parts at the same time. Whatever else a part waits for, it waits for alone.
    pub(crate) fn decompressors(&self) -> usize {
        let are_local = self.streams().all(|stream| stream.raw().is_local());
        if are_local { self.streams().count().max(1) } else { 1 }
    }

    /// How many of `threads` threads are useful. Those that decompress streams keep only a few busy.
    pub(crate) fn threads(&self, threads: usize) -> usize {
        const ENOUGH: usize = 8;
        if self.has_streams() { threads.min(ENOUGH) } else { threads }
    }

    /// The same table with each stream replaced by its spooled text, so that every place can be read at any offset.
    ///
    /// # Panics
    ///
    /// If there are fewer texts than streams.
    #[must_use]
    pub fn spooled(&self, texts: Vec<SpooledText>) -> Arc<Self> {
        self.spooled_in(0..self.count(), texts)
    }

    /// The same for some parts. The others stay as they are.
    ///
    /// # Panics
    ///
    /// If there are fewer texts than streams in these parts.
    #[must_use]
    pub fn spooled_in(&self, parts: Range<usize>, texts: Vec<SpooledText>) -> Arc<Self> {
        let mut spooled = self.clone();
        let mut texts = texts.into_iter();
        for part in &mut spooled.parts[parts] {
            if let Bytes::Stream(_) = part.bytes {
                part.bytes = Bytes::Source(Arc::new(texts.next().expect("a text for each stream")));
            }
        }
        Arc::new(spooled)
    }

    /// The approximate length of all texts in bytes. It is equal for equal files.
    #[must_use]
    pub fn likely_length(&self) -> u64 {
        let length = |part: &Part| match &part.bytes {
            Bytes::Source(source) => source.len(),
            Bytes::Stream(stream) => stream.likely_length(),
        };
        self.parts.iter().map(length).sum()
    }

    /// Identifies the rows of these files.
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

    /// A fingerprint of the content: the length, beginning and end of each file.
    pub fn fingerprint(&self) -> Result<String> {
        let of = |part: &Part| {
            let bytes = match &part.bytes {
                Bytes::Source(source) => fingerprint(&**source),
                Bytes::Stream(stream) => fingerprint(&**stream.raw()),
            }?;
            // Values taken from the path are content, too.
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

    /// A fingerprint of samples taken from all over the files; `None` if some files are remote.
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

    /// The 1-based physical line of byte `offset` of a part; `None` if the part can no longer be read.
    #[must_use]
    pub fn line(&self, part: usize, offset: u64) -> Option<u64> {
        Lines::of(self).at(self.starts[part] + offset)
    }

    /// Gives up reading: threads that wait for bytes get an error soon.
    pub(crate) fn abandon(&self) {
        for part in &self.parts {
            match &part.bytes {
                Bytes::Source(source) => source.abandon(),
                Bytes::Stream(stream) => stream.raw().abandon(),
            }
        }
    }
}

/// Counts lines up to increasing places.
pub struct Lines<'a> {
    parts: &'a Parts,
    part: usize,
    offset: u64,
    line: u64,
    /// The text of the current part if it is a stream, read up to `offset`.
    text: Option<StreamText<'a>>,
    bytes: Vec<u8>,
}

impl<'a> Lines<'a> {
    /// Starts at the beginning of the first part.
    #[must_use]
    pub fn of(parts: &'a Parts) -> Self {
        Self { parts, part: 0, offset: 0, line: 1, text: None, bytes: Vec::new() }
    }

    /// The line of a place, counted from 1 in its part; `None` if the part can no longer be read. Places must not
    /// decrease from call to call.
    pub fn at(&mut self, place: u64) -> Option<u64> {
        self.at_checking(place, &mut || Ok::<_, Infallible>(())).unwrap_or_else(|never| match never {})
    }

    /// Like [`Lines::at`], but calls `check` several times a second and stops at the first error that it returns.
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

    /// Counts the lines in the next `size` bytes.
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
