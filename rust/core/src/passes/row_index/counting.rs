//! The pass that cuts each text into slices and counts their rows. It can find categories on the way, for which it splits
//! the rows into fields.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::budget::{BLOCK_BYTES, Budget};
use crate::error::Error;
use crate::index;
use crate::passes::vocabulary::{Finder, Search};
use crate::pipeline::{Done, Jobs, Pipeline, Worker};
use crate::rows::rejects::{self, Recording, Rejects, Tally};
use crate::rows::{Parser, Pool};
use crate::split::Splitter;
use crate::table::Table;
use crate::table::schema::OnError;
use crate::text::Text;
use crate::value::Vocabulary;

/// How many slices one job counts, if they fit in a block.
const SLICES_IN_A_PIECE: u64 = 16;

/// Bytes of text that one job counts.
pub(super) fn piece_bytes(slice_bytes: u64) -> usize {
    slice_bytes.saturating_mul(SLICES_IN_A_PIECE).clamp(1, BLOCK_BYTES.get() as u64) as usize
}

/// What a pass is for. Nothing else ends it with an error: what it only finds on the way is given up instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    Rows,
    Vocabularies,
}

/// What a pass finds.
#[derive(Clone, Debug)]
pub(crate) struct Aim {
    pub purpose: Purpose,
    /// Whether it counts rows.
    pub counts: bool,
    /// Whose categories it finds.
    pub search: Option<Search>,
}

impl Aim {
    /// To count rows, and to find categories on the way.
    pub(crate) fn rows(search: Option<Search>) -> Self {
        Self { purpose: Purpose::Rows, counts: true, search }
    }
}

/// A slice and its rows.
pub(super) struct Counted {
    pub bytes: Range<u64>,
    pub rows: u64,
    pub rejects: Rejects,
}

/// What a text has.
#[derive(Default)]
pub(super) struct Seen {
    /// Its slices; `None` if they are not counted.
    pub slices: Option<Vec<Counted>>,
    /// The new categories of each column; `None` if they are not sought.
    pub words: Option<Vec<Vocabulary>>,
}

/// Cuts each text into slices and counts their rows.
pub(super) struct SliceCounting {
    table: Table,
    splitter: Arc<Splitter>,
    slice_bytes: usize,
    recording: Recording,
    aim: Aim,
    /// Whether the pass has given up what it is not for.
    gave_up: AtomicBool,
}

/// What a thread needs.
pub(super) struct Counter {
    parser: Parser,
    pool: Arc<Pool>,
    finder: Option<Finder>,
}

impl SliceCounting {
    pub(super) fn new(table: &Table, splitter: Arc<Splitter>, slice_bytes: u64, aim: Aim) -> Self {
        Self {
            recording: Tally::recording(table.schema.max_rejects, rejects::REMEMBERED),
            table: table.for_counting(),
            splitter,
            slice_bytes: slice_bytes as usize,
            aim,
            gave_up: AtomicBool::new(false),
        }
    }

    /// Passes what each text has to `take`, in order.
    pub(super) fn run<E: From<Error>>(
        self,
        budget: Budget,
        take: impl FnMut(Seen) -> std::result::Result<(), E>,
        check: impl FnMut() -> std::result::Result<(), E>,
    ) -> std::result::Result<(), E> {
        // No more threads than have room for a text and its marks.
        let piece = piece_bytes(self.slice_bytes as u64);
        let threads = (budget.bytes() / (3 * piece)).clamp(1, budget.threads);
        let threads = self.table.parts.threads(threads);
        Pipeline::run(self, threads, budget.window)?.drain(take, check)
    }

    pub(super) fn counter(&self) -> Counter {
        let Table { schema, dialect, simd, .. } = &self.table;
        // No category of a rejected row counts.
        let all = Recording { most: usize::MAX, rows: false };
        let recording = if self.aim.search.is_some() { all } else { self.recording };
        Counter {
            parser: Parser::new(schema, *dialect, *simd).recording(recording),
            pool: Pool::new(1),
            finder: self.aim.search.as_ref().map(|search| Finder::new(&self.table, search)),
        }
    }

    /// Cuts a text into slices and counts their rows, up to the first wrong row.
    pub(super) fn count(&self, text: &mut Text, counter: &mut Counter) -> Done<Seen> {
        let Table { dialect, simd, .. } = &self.table;
        let gave_up = self.gave_up.load(Ordering::Relaxed);
        let goes_on = |purpose| self.aim.purpose == purpose || !gave_up;
        let mut seen = Seen {
            slices: (self.aim.counts && goes_on(Purpose::Rows)).then(Vec::new),
            words: self.aim.search.as_ref().filter(|_| goes_on(Purpose::Vocabularies)).map(Search::nothing),
        };
        let mut start = 0;
        let mut error = None;
        let length = text.bytes().len();
        while start < length && error.is_none() {
            // A short rest at the end of a text joins the last slice.
            let is_last = length - start <= self.slice_bytes.saturating_add(self.slice_bytes / 2);
            let row_end = || text.row_end(*simd, *dialect, start, self.slice_bytes);
            let end = if is_last { length } else { row_end() };
            // The last text may have one newline more than the source.
            let bytes = text.offset + start as u64..(text.offset + end as u64).min(text.end_in_source());
            error = text.within(start..end, |text| self.look(text, bytes, counter, &mut seen));
            start = end;
        }
        if seen.words.is_none() || seen.slices.is_none() {
            self.gave_up.store(true, Ordering::Relaxed);
        }
        // With an error: one of the rejects before it may exceed the limit.
        Done { item: Some(seen), error }
    }

    /// Looks at the rows of a slice, up to the first wrong one.
    fn look(&self, text: &Text, bytes: Range<u64>, counter: &mut Counter, seen: &mut Seen) -> Option<Error> {
        let Table { schema, dialect, simd, .. } = &self.table;
        let Counter { parser, pool, finder } = counter;
        let skips = schema.on_error == OnError::Skip;
        let is_parsed = !schema.only_counts() && (seen.slices.is_some() || skips);
        let finder = finder.as_mut().zip(seen.words.as_mut());
        let (mut rows, mut rejects, mut error) = if is_parsed {
            let (mut block, error) = parser.parse(text, pool);
            (block.rows, block.take_rejects(), error)
        } else {
            let (rows, error) = match finder {
                Some(_) => parser.find_rows(text),
                None => index::count_rows(*simd, text, *dialect),
            };
            (rows, Rejects::default(), error)
        };
        if let Some((finder, words)) = finder {
            let mut find = |parser: &Parser| {
                let wrong = rejects.places();
                parser.rows().find_map(|rows| finder.look(text, rows, &wrong, &mut *words))
            };
            match (self.aim.purpose, &error) {
                (Purpose::Rows, None) => {
                    if find(parser).is_some() {
                        seen.words = None;
                    }
                }
                (Purpose::Rows, Some(_)) => {
                    seen.words = None;
                    if !is_parsed {
                        // Counting does not look at fields.
                        (rows, error) = index::count_rows(*simd, text, *dialect);
                    }
                }
                (Purpose::Vocabularies, None) => error = find(parser),
                (Purpose::Vocabularies, Some(_)) => {
                    seen.slices = None;
                    if is_parsed && !skips {
                        // A wrong target does not matter.
                        error = parser.find_rows(text).1;
                    }
                    error = find(parser).or(error);
                }
            }
            rejects.truncate(self.recording);
        }
        if let Some(slices) = &mut seen.slices {
            slices.push(Counted { bytes, rows: rows as u64, rejects });
        }
        error
    }
}

impl Jobs<Seen> for SliceCounting {
    fn count(&self) -> u64 {
        self.splitter.texts()
    }

    fn worker(self: Arc<Self>) -> Worker<Seen> {
        let mut counter = self.counter();
        let mut text = Text::default();
        Box::new(move |index| {
            let is_read = self.splitter.read(index, &mut text);
            Done::of_text(is_read, || self.count(&mut text, &mut counter))
        })
    }

    fn are_short(&self) -> bool {
        self.table.parts.are_local()
    }

    fn may_wait(&self) -> bool {
        !self.table.parts.are_local()
    }

    fn abandon(&self) {
        self.splitter.abandon();
    }
}
