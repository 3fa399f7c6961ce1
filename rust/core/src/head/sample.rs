//! Samples rows from the beginning, the middle and the end of a file.

use std::ops::Range;

use memchr::{memchr, memchr_iter, memrchr};

use crate::dialect::Dialect;
use crate::error::{Error, Kind, Result};
use crate::index::Careful;
use crate::source::Source;

/// How many bytes of the beginning are sampled. More are read only if they hold fewer than two lines.
pub const SAMPLE: usize = 64 << 10;
const LARGEST_SAMPLE: usize = 16 << 20;

/// How many bytes each window elsewhere has.
const WINDOW: u64 = 16 << 10;

/// Most rows to sample, from the beginning and from each window.
const MOST_ROWS: usize = 1000;
const MOST_WINDOW_ROWS: usize = 200;

/// The possible delimiters. Of equally good readings, the first wins. U+0001 is the default of Hive.
pub(super) const DELIMITERS: [u8; 10] = *b",;\t| \x01:^~\x1F";

/// Windows from the middle and the end of a source. Empty if the source is short, or remote and slow to seek.
pub fn elsewhere(source: &dyn Source) -> Result<Vec<Vec<u8>>> {
    let length = source.len();
    if length <= SAMPLE as u64 + 3 * WINDOW || !source.is_local() {
        return Ok(vec![]);
    }
    let places = [length / 3, length / 3 * 2, length - WINDOW];
    places
        .into_iter()
        .map(|place| {
            let mut bytes = vec![0; WINDOW as usize];
            source.read_at(place, &mut bytes)?;
            Ok(bytes)
        })
        .collect()
}

/// The sampled bytes of a file.
#[derive(Clone, Debug)]
pub(super) struct Sample {
    /// The beginning, in whole lines.
    pub beginning: Vec<u8>,
    /// Whether the beginning is the whole file.
    pub is_whole: bool,
    /// Windows from elsewhere, which begin and end anywhere.
    pub windows: Vec<Vec<u8>>,
}

impl Sample {
    /// Samples the beginning of a source from byte `start` on.
    pub(super) fn of(source: &dyn Source, start: u64, windows: Vec<Vec<u8>>) -> Result<Self> {
        let mut size = SAMPLE;
        loop {
            let length = (source.len() - start).min(size as u64) as usize;
            let mut bytes = vec![0; length];
            source.read_at(start, &mut bytes)?;
            let is_whole = start + length as u64 == source.len();
            if is_whole || size >= LARGEST_SAMPLE || memchr_iter(b'\n', &bytes).nth(1).is_some() {
                return Ok(Self::new(bytes, is_whole, windows));
            }
            size *= 4;
        }
    }

    pub(super) fn new(mut beginning: Vec<u8>, is_whole: bool, mut windows: Vec<Vec<u8>>) -> Self {
        // If lines end with a carriage return alone, the beginning has already been converted to newlines.
        for window in windows.iter_mut().filter(|window| memchr(b'\n', window).is_none()) {
            window.iter_mut().filter(|byte| **byte == b'\r').for_each(|byte| *byte = b'\n');
        }
        if is_whole {
            beginning.push(b'\n');
        } else {
            beginning.truncate(memrchr(b'\n', &beginning).map_or(0, |newline| newline + 1));
        }
        Self { beginning, is_whole, windows }
    }

    /// Where the lines of the beginning start, up to `most` after the first.
    pub(super) fn line_starts(&self, most: usize) -> Vec<usize> {
        let ends = memchr_iter(b'\n', &self.beginning).take(most).map(|newline| newline + 1);
        std::iter::once(0).chain(ends).filter(|&start| start < self.beginning.len()).collect()
    }

    /// All lines, including those of the windows.
    pub(super) fn lines(&self) -> impl Iterator<Item = &[u8]> {
        let pieces = std::iter::once(&self.beginning).chain(&self.windows);
        pieces.flat_map(|piece| piece.split(|&byte| byte == b'\n'))
    }

    pub(super) fn has(&self, byte: u8) -> bool {
        memchr(byte, &self.beginning).is_some() || self.windows.iter().any(|window| memchr(byte, window).is_some())
    }

    /// The rows of the beginning from byte `start` on.
    pub(super) fn rows(&self, dialect: Dialect, start: usize) -> Rows<'_> {
        Rows::of(&self.beginning, dialect, start, self.is_whole, MOST_ROWS)
    }

    /// The rows of each window, read from the line that fits best, since the first line may be inside quotes.
    pub(super) fn rows_elsewhere(&self, dialect: Dialect, width: usize) -> Vec<Rows<'_>> {
        self.windows.iter().filter_map(|window| Rows::somewhere(window, dialect, width)).collect()
    }
}

/// A row of a sample.
#[derive(Clone, Debug)]
pub(super) struct Row {
    /// The range of its fields.
    fields: Range<usize>,
    /// Whether it has a wrong quote.
    pub is_wrong: bool,
    /// Its weight: a wrong row counts once for each of its lines.
    pub weight: usize,
}

impl Row {
    pub(super) fn width(&self) -> usize {
        self.fields.len()
    }
}

/// Rows of a piece of text.
#[derive(Clone, Debug)]
pub(super) struct Rows<'a> {
    bytes: &'a [u8],
    fields: Vec<Range<usize>>,
    pub all: Vec<Row>,
}

impl<'a> Rows<'a> {
    fn of(bytes: &'a [u8], dialect: Dialect, start: usize, is_end: bool, most: usize) -> Self {
        let mut careful = Careful::new(dialect, bytes, start).skipping_bad_rows(true);
        let mut found = Self { bytes, fields: vec![], all: vec![] };
        let lines = |range: Range<usize>| memchr_iter(b'\n', &bytes[range]).count();
        while found.all.len() < most {
            let first = found.fields.len();
            match careful.next_row(|field| found.fields.push(field)) {
                Ok(Some(row)) => {
                    let is_wrong = row.stray.is_some();
                    let weight = if is_wrong { lines(row.start..row.newline) + 1 } else { 1 };
                    found.all.push(Row { fields: first..found.fields.len(), is_wrong, weight });
                }
                Ok(None) => break,
                Err(bad) => {
                    // The sample may end inside quotes, but not long after they opened.
                    let swallowed = lines(bad.position..bytes.len());
                    if is_end || swallowed > 50 {
                        found.all.push(Row {
                            fields: first..found.fields.len(),
                            is_wrong: true,
                            weight: swallowed.max(1),
                        });
                    } else {
                        found.fields.truncate(first);
                    }
                    break;
                }
            }
        }
        found
    }

    /// The rows of a piece that begins anywhere.
    fn somewhere(window: &'a [u8], dialect: Dialect, width: usize) -> Option<Self> {
        const TRIES: usize = 4;
        let starts = memchr_iter(b'\n', window).map(|newline| newline + 1).filter(|&start| start < window.len());
        let tries = if dialect.quote_in(window) { TRIES } else { 1 };
        let rows = |start| Self::of(window, dialect, start, false, MOST_WINDOW_ROWS);
        starts.take(tries).map(rows).max_by(|one, other| one.share(width).total_cmp(&other.share(width)))
    }

    /// The share of rows with this width, by weight.
    pub(super) fn share(&self, width: usize) -> f64 {
        let all: usize = self.all.iter().map(|row| row.weight).sum();
        let fits = |row: &&Row| row.width() == width && !row.is_wrong;
        self.all.iter().filter(fits).count() as f64 / all.max(1) as f64
    }

    /// The fields of a row.
    pub(super) fn fields(&self, row: &Row) -> impl Iterator<Item = &'a [u8]> {
        self.fields[row.fields.clone()].iter().map(|place| &self.bytes[place.clone()])
    }
}

/// Returns an error if the sample has only blank lines.
pub(super) fn require_lines(sample: &Sample) -> Result<()> {
    if sample.lines().all(|line| line.trim_ascii().is_empty()) {
        return Err(Error::from(Kind::Empty("the file holds nothing but blank lines")));
    }
    Ok(())
}
