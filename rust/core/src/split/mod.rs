//! Cuts bytes into row-aligned texts that know their byte offsets.
//!
//! Any number of threads read the source in pieces of equal size. A row that spans two pieces belongs to the later one:
//! each piece hands its unfinished last row on. Which bytes a piece hands on depends on whether it begins inside a
//! quoted field, and only the piece before it can tell. The pieces therefore pass a `Carry` along in order. The
//! expensive work (reading, searching for quotes and line ends) happens before a piece's turn.

mod cut;
mod feed;
mod passage;
mod pieces;
mod read;

use std::ops::Range;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use crate::text::Text;
use cut::{Cut, Tail};
use passage::Followed;
pub(crate) use passage::{FirstEnd, Passage};
use pieces::{Found, Pieces};

use crate::budget::Budget;
use crate::dialect::Dialect;
use crate::error::{Error, Kind, Result};
use crate::index::{Careful, State};
use crate::simd::Simd;
use crate::source::Source;
use crate::table::Table;
use crate::table::parts::Parts;
use crate::table::schema::OnError;

/// What one piece hands to the next: its unfinished last row.
#[derive(Debug, Default)]
struct Carry {
    row: Vec<u8>,
    state: State,
}

/// Cuts a table into texts.
pub struct Splitter {
    pieces: Pieces,
    /// The run of pieces to cut, if not all of them.
    run: Option<Range<u64>>,
    dialect: Dialect,
    simd: Simd,
    max_row: usize,
    /// Whether rows with wrong quotes are left to later stages, as long as they end.
    skips_bad_rows: bool,
    turn: Mutex<Turn>,
    turned: Condvar,
}

struct Turn {
    /// The piece whose turn it is.
    index: u64,
    carry: Carry,
    /// Whether texts are left empty.
    open: Open,
    /// The effect of the run so far, if it begins in an unknown row.
    passage: Option<Passage>,
    /// Whether an earlier piece failed, so that later ones cannot be cut.
    broken: bool,
}

/// Which texts are left empty because the row before them is unknown.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Open {
    Never,
    UntilRowEnd,
    Always,
}

impl Splitter {
    /// Cuts everything from `data_start` on into pieces of `piece` bytes. Rows may have at most `max_row` bytes.
    pub fn new(
        simd: Simd,
        source: Arc<dyn Source>,
        dialect: Dialect,
        data_start: u64,
        piece: usize,
        max_row: usize,
    ) -> Self {
        Self::over(Parts::one(source, data_start), dialect, simd, piece, max_row, false)
    }

    /// Cuts a table into pieces of `piece` bytes. Set `repeat` for more than one pass.
    pub(crate) fn of(table: &Table, piece: usize, max_row: usize, repeat: bool) -> Self {
        let skips_bad_rows = table.schema.on_error == OnError::Skip;
        let parts = Arc::clone(&table.parts);
        Self { skips_bad_rows, ..Self::over(parts, table.dialect, table.simd, piece, max_row, repeat) }
    }

    /// Decompresses several parts at a time, as far as the budget allows.
    pub(crate) fn decompressing_ahead(mut self, budget: Budget) -> Self {
        self.pieces.decompress_ahead(budget.threads, budget.ahead);
        self
    }

    /// Cuts run `index` of `count` equal runs of pieces, as if it began in `state` in the middle of a row. The texts of the
    /// pieces up to the first end of a row are empty: their rows begin in an earlier run. Without a state, all texts are
    /// empty, and the run is only followed.
    ///
    /// # Panics
    ///
    /// If the table has streams.
    pub(crate) fn of_run(
        table: &Table,
        piece: usize,
        max_row: usize,
        (index, count): (u64, u64),
        state: Option<State>,
    ) -> Self {
        let mut run = Self::of(table, piece, max_row, false);
        let pieces = run.pieces.per_pass();
        assert!(pieces < u64::MAX, "a table with streams has no known number of pieces");
        let start = |index: u64| (u128::from(pieces) * u128::from(index) / u128::from(count)) as u64;
        run.run = Some(start(index)..start(index + 1));
        let carry = Carry { row: Vec::new(), state: state.unwrap_or_default() };
        let open = if state.is_some() { Open::UntilRowEnd } else { Open::Always };
        run.turn = Mutex::new(Turn { index: 0, carry, open, passage: Some(Passage::new()), broken: false });
        run
    }

    /// The effect of the run, once all its texts have been read.
    ///
    /// # Panics
    ///
    /// If this is not a run.
    pub(crate) fn passage(&self) -> Passage {
        let turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        turn.passage.clone().expect("a run follows its pieces")
    }

    fn over(parts: Arc<Parts>, dialect: Dialect, simd: Simd, piece: usize, max_row: usize, repeat: bool) -> Self {
        let turn = Turn { index: 0, carry: Carry::default(), open: Open::Never, passage: None, broken: false };
        let pieces = Pieces::new(parts, piece, repeat);
        let turn = Mutex::new(turn);
        Self { pieces, run: None, dialect, simd, max_row, skips_bad_rows: false, turn, turned: Condvar::new() }
    }

    /// The number of texts in one pass over the table; `u64::MAX` while it is unknown.
    #[must_use]
    pub fn texts(&self) -> u64 {
        self.run.as_ref().map_or_else(|| self.pieces.per_pass(), |run| run.end - run.start)
    }

    /// Reads text `index`, counted over all passes. Returns `false` if an earlier text failed or there are no more
    /// texts. Request every index once and in ascending order; any thread may do so.
    pub fn read(&self, index: u64, text: &mut Text) -> Result<bool> {
        let first = self.run.as_ref().map_or(0, |run| run.start);
        let found = match self.pieces.read(first + index, text) {
            Ok(Found::Piece { last }) => Ok((Cut::find(self.simd, text.bytes(), self.dialect), last)),
            Ok(Found::End | Found::Nothing) => return Ok(false),
            Err(error) => Err(error),
        };
        let mut turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        while turn.index != index && !turn.broken {
            turn = self.turned.wait(turn).unwrap_or_else(PoisonError::into_inner);
        }
        if turn.broken {
            return Ok(false);
        }
        let result = found.and_then(|(cut, last)| self.pass_on(&cut, last, text, &mut turn));
        turn.index += 1;
        turn.broken = result.is_err();
        drop(turn);
        self.turned.notify_all();
        result.map(|()| true)
    }

    /// Gives up: readers that wait for their turn return, and so does every later one.
    pub fn abandon(&self) {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner).broken = true;
        self.turned.notify_all();
        self.pieces.abandon();
    }

    /// Prepends the carried row to `text` and carries its own last row on.
    fn pass_on(&self, cut: &Cut, last: bool, text: &mut Text, turn: &mut Turn) -> Result<()> {
        let tail = |state| cut.tail(self.simd, text.bytes(), state, self.dialect);
        if let Some(passage) = &mut turn.passage {
            let (place, length) = (text.offset, text.bytes().len());
            passage.follow(&Followed { place, length, last, tail: &tail });
        }
        let carry = &mut turn.carry;
        let Tail { rows_end, state } = tail(carry.state);
        if turn.open != Open::Never {
            let rows_end = if last { Some(text.bytes().len()) } else { rows_end };
            carry.state = state;
            if let Some(rows_end) = rows_end.filter(|_| turn.open == Open::UntilRowEnd) {
                turn.open = Open::Never;
                carry.row.extend_from_slice(&text.bytes()[rows_end..]);
                if carry.row.is_empty() {
                    carry.state = State::LineStart;
                }
            }
            text.end = text.start;
            return Ok(());
        }
        let carried = carry.row.len();
        text.needs_careful_scan = matches!(cut, Cut::Careful) || self.dialect.needs_careful_scan(&carry.row);
        text.has_quotes = !matches!(cut, Cut::Plain { .. }) || self.dialect.quote_in(&carry.row);
        if rows_end.is_none() && !last {
            // No row ends here: the whole piece joins the carried row, and this text is empty.
            carry.row.extend_from_slice(text.bytes());
            carry.state = state;
            text.end = text.start;
            let offset = text.offset - carried as u64;
            return if carry.row.len() > self.max_row { Err(self.too_long(carry, offset)) } else { Ok(()) };
        }
        text.prepend(&carry.row);
        carry.row.clear();
        carry.state = State::LineStart;
        if last {
            text.end_before_padding();
            text.end_with_newline(self.dialect);
        } else if let Some(rows_end) = rows_end {
            let rows_end = text.start + carried + rows_end;
            carry.row.extend_from_slice(&text.buffer[rows_end..text.end]);
            // Only the careful scan distinguishes the start of a line from the start of a field.
            if !carry.row.is_empty() {
                carry.state = state;
            }
            text.end = rows_end;
        }
        Ok(())
    }

    /// The error for a row that begins with `bytes` and goes on.
    pub(crate) fn too_long_row(&self, bytes: &[u8], offset: u64) -> Error {
        let Tail { state, .. } = Cut::Careful.tail(self.simd, bytes, State::LineStart, self.dialect);
        self.too_long(&mut Carry { row: bytes.to_vec(), state }, offset)
    }

    fn too_long(&self, carry: &mut Carry, offset: u64) -> Error {
        if matches!(carry.state, State::Quoted | State::QuoteInQuoted | State::EscapedInQuoted) {
            carry.row.push(b'\n');
            let careful = Careful::new(self.dialect, &carry.row, 0);
            if let Err(bad) = careful.skipping_bad_rows(self.skips_bad_rows).next_row(|_| {}) {
                return bad.into_error(&carry.row, offset, self.dialect);
            }
        }
        self.dialect.error(Kind::RowTooLong { limit: self.max_row }, offset, &carry.row)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::tests::{careful_dialect, careful_text, text};
    use crate::oracle;
    use crate::source::MemorySource;
    use proptest::prelude::*;

    const QUOTED: Dialect = Dialect::new(b',', Some(b'"'));

    fn split(bytes: &[u8], dialect: Dialect, piece: usize, passes: u64) -> Result<Vec<(u64, Vec<u8>)>> {
        let source = Arc::new(MemorySource::new(bytes.to_vec()));
        let splitter = Splitter::new(Simd::Portable, source, dialect, 0, piece, 1 << 20);
        let mut text = Text::default();
        let mut texts = Vec::new();
        for index in 0..passes * splitter.texts() {
            assert!(splitter.read(index, &mut text)?);
            texts.push((text.offset, text.bytes().to_vec()));
        }
        Ok(texts)
    }

    #[test]
    fn a_quoted_newline_does_not_end_a_row() {
        for piece in 1..20 {
            let texts = split(b"a,\"b\n\"\"\nc\"\nd\n", QUOTED, piece, 1).unwrap();
            for (_, text) in texts {
                assert!(
                    [&b""[..], b"a,\"b\n\"\"\nc\"\n", b"d\n", b"a,\"b\n\"\"\nc\"\nd\n"].contains(&&text[..]),
                    "{text:?}"
                );
            }
        }
    }

    #[test]
    fn a_row_beyond_the_limit_is_an_error_at_its_place() {
        let split = |bytes: &[u8]| {
            let splitter = Splitter::new(Simd::Portable, Arc::new(MemorySource::new(bytes.to_vec())), QUOTED, 0, 8, 32);
            let mut text = Text::default();
            (0..splitter.texts()).find_map(|index| splitter.read(index, &mut text).err()).unwrap()
        };
        let error = split(format!("1,2\n3,\"{}", "4,5\n".repeat(50)).as_bytes());
        assert!(matches!(error.kind, Kind::UnclosedQuote));
        assert_eq!(error.offset, Some(6));
        let error = split(format!("1,2\n{}", "3".repeat(100)).as_bytes());
        assert!(matches!(error.kind, Kind::RowTooLong { limit: 32 }));
        assert_eq!(error.offset, Some(4));
    }

    proptest! {
        #![proptest_config(crate::checks::cases(5_000))]

        #[test]
        fn texts_are_whole_rows_of_the_source(soup in "[a\",\n\r]{1,60}", piece in 1_usize..30) {
            check_texts(soup.as_bytes(), QUOTED, piece)?;
        }
    }

    proptest! {
        #![proptest_config(crate::checks::cases(1_000))]

        #[test]
        fn long_texts_are_whole_rows_of_the_source(bytes in text(), piece in prop_oneof![1_usize..200, 900_usize..1200]) {
            check_texts(&bytes, QUOTED, piece)?;
        }
    }

    proptest! {
        #![proptest_config(crate::checks::cases(5_000))]

        #[test]
        fn texts_with_escapes_and_comments_are_whole_rows_of_the_source(
            bytes in careful_text(),
            dialect in careful_dialect(),
            piece in 1_usize..30,
        ) {
            prop_assume!(!bytes.is_empty());
            check_texts(&bytes, dialect, piece)?;
        }
    }

    fn check_texts(bytes: &[u8], dialect: Dialect, piece: usize) -> std::result::Result<(), TestCaseError> {
        let texts = split(bytes, dialect, piece, 2).unwrap();
        let (first, second) = texts.split_at(texts.len() / 2);
        prop_assert_eq!(first, second, "each pass is the same");

        let mut joined = Vec::new();
        for (offset, text) in first {
            prop_assert!(text.is_empty() || *offset == joined.len() as u64);
            prop_assert!(text.is_empty() || text.ends_with(b"\n"));
            joined.extend_from_slice(text);
        }
        prop_assert!(joined.starts_with(bytes) && joined.len() <= bytes.len() + 1);

        let rows: Vec<_> = first.iter().flat_map(|(_, text)| oracle::rows(text, dialect)).collect();
        prop_assert_eq!(rows, oracle::rows(&joined, dialect));
        Ok(())
    }
}
