//! The share of a row index that one of several processes counts, so that none of them has to read the whole table.
//!
//! A process does not know the row that is open where its share begins. So it first counts as if the share began outside
//! quotes, and follows the share from every other state as well. The shares of all processes then tell where the open
//! row of each begins, and in which state. A process completes its share: it counts the text that begins with the open
//! row, and counts again if the state was another one. All shares together give the row index of the whole table, and the
//! vocabularies of the columns whose categories its schema leaves to be found.

use std::sync::Arc;

use super::{Aim, Counted, RowIndex, Seen, SliceCounting, Starts, piece_bytes};
use crate::budget::Budget;
use crate::error::{Error, Result};
use crate::index::State;
use crate::passes::vocabulary::{Collected, Search};
use crate::pipeline::Done;
use crate::rows::rejects::Rejects;
use crate::split::{FirstEnd, Passage, Splitter};
use crate::table::Table;
use crate::table::columns::Vocabularies;
use crate::text::Text;

/// What one process counted.
#[derive(Clone, Debug)]
pub struct Share {
    passage: Passage,
    /// The slices from the first end of a row on, or from the open row on once the share is complete.
    slices: Slices,
    /// The state in which the share was assumed to begin; `None` if it could not be counted so.
    assumed: Option<State>,
    /// The categories in the slices; `None` if they are not sought or could not be found.
    words: Option<Collected>,
}

/// Slices, and the number of rejects in them.
#[derive(Clone, Debug, Default, PartialEq)]
struct Slices {
    list: Vec<Slice>,
    left_out: u64,
}

/// The place of a slice, and its rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Slice {
    start: u64,
    end: u64,
    rows: u64,
}

/// How a share begins.
#[derive(Clone, Copy)]
struct Beginning {
    state: State,
    /// The place of the open row; `None` if no row is open.
    open_row: Option<u64>,
}

impl Share {
    /// Counts share `index` of `count`. No part of the table may be a stream. Rejects have no limit. Calls `check`
    /// several times a second and stops at the first error that it returns.
    pub fn count<E: From<Error>>(
        table: &Table,
        budget: Budget,
        slice_bytes: u64,
        (index, count): (u64, u64),
        mut check: impl FnMut() -> std::result::Result<(), E>,
    ) -> std::result::Result<Self, E> {
        let mut count = |state| {
            let check = || check().map_err(Ended::Checked);
            Self::count_from(table, budget, slice_bytes, (index, count), state, check)
        };
        let share = match count(Some(State::Field)) {
            // It may be wrong only if it begins so.
            Err(Ended::Failed(_)) => count(None),
            share => share,
        };
        share.map_err(|ended| match ended {
            Ended::Checked(error) => error,
            Ended::Failed(error) => error.into(),
        })
    }

    /// Counts a share that begins in `state`, or only follows it.
    fn count_from<E: From<Error>>(
        table: &Table,
        budget: Budget,
        slice_bytes: u64,
        place: (u64, u64),
        state: Option<State>,
        check: impl FnMut() -> std::result::Result<(), E>,
    ) -> std::result::Result<Self, E> {
        let splitter = Arc::new(Splitter::of_run(table, piece_bytes(slice_bytes), budget.max_row, place, state));
        let search = Search::of(table);
        let mut slices = Slices::default();
        let mut words = search.as_ref().map(Collected::new);
        let take = |seen: Seen| {
            slices.add(seen.slices.unwrap_or_default());
            words = words.take().zip(seen.words).and_then(|(words, new)| words.and(table, &new).ok());
            Ok(())
        };
        SliceCounting::new(table, Arc::clone(&splitter), slice_bytes, Aim::rows(search)).run(budget, take, check)?;
        Ok(Self { passage: splitter.passage(), slices, assumed: state, words })
    }

    /// Completes this share, which is number `index` of `shares`: those of all processes in their order. Theirs need no
    /// categories.
    pub fn complete<E: From<Error>>(
        self,
        table: &Table,
        budget: Budget,
        slice_bytes: u64,
        (index, shares): (usize, &[Self]),
        check: impl FnMut() -> std::result::Result<(), E>,
    ) -> std::result::Result<Self, E> {
        let mut share = self;
        let Beginning { state, open_row } = Beginning::of(index, shares);
        let end = share.passage.from(state);
        let Some(first) = end.first else {
            // Its bytes belong to a row that ends in a later share.
            let words = Search::of(table).as_ref().map(Collected::new);
            return Ok(Self { slices: Slices::default(), words, ..share });
        };
        let start = open_row.or(share.passage.start).unwrap_or(first.piece);
        let Done { item, error } = count_first(table, budget, slice_bytes, start, first)?;
        if let Some(error) = error {
            return Err(error.into());
        }
        let first = item.unwrap_or_default();
        let mut slices = Slices::default();
        slices.add(first.slices.unwrap_or_default());
        let is_as_assumed = share.assumed.is_some_and(|assumed| share.passage.from(assumed).first == end.first);
        if !is_as_assumed {
            let place = (index as u64, shares.len() as u64);
            share = Self::count_from(table, budget, slice_bytes, place, Some(state), check)?;
        }
        slices.list.append(&mut share.slices.list);
        slices.left_out += share.slices.left_out;
        let words = share.words.take().zip(first.words).and_then(|(words, new)| words.and(table, &new).ok());
        Ok(Self { slices, words, ..share })
    }

    /// The share without its categories, which only its own process needs to complete it.
    #[must_use]
    pub fn without_categories(&self) -> Self {
        Self { words: None, ..self.clone() }
    }

    /// Joins the complete shares of all processes. The rejects of the row index are unknown, as from a cache. There are no
    /// vocabularies if a share lacks its categories.
    #[must_use]
    pub fn join(table: &Table, shares: &[Self]) -> (RowIndex, Vocabularies) {
        let mut starts = Starts::of(table);
        for slice in shares.iter().flat_map(|share| &share.slices.list) {
            starts.add(&(slice.start..slice.end), slice.rows);
        }
        let left_out = shares.iter().map(|share| share.slices.left_out).sum();
        let row_index = RowIndex { starts: starts.finish(), left_out, rejects: Rejects::default() };
        let words = Search::of(table).and_then(|search| {
            let add = |words: Collected, share: &Self| words.and(table, share.words.as_ref()?.found()).ok();
            let words = shares.iter().try_fold(Collected::new(&search), add)?;
            Some(search.columns.into_iter().zip(words.finish()).collect())
        });
        (row_index, words.unwrap_or_default())
    }

    /// Serializes the share.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut words = self.passage.to_words();
        words.push(self.assumed.map_or(u64::MAX, |state| state as u64));
        words.push(self.slices.left_out);
        words.extend(self.slices.list.iter().flat_map(|slice| [slice.start, slice.end, slice.rows]));
        let mut bytes: Vec<u8> =
            [words.len() as u64].iter().chain(&words).flat_map(|word| word.to_le_bytes()).collect();
        if let Some(words) = &self.words {
            words.write(&mut bytes);
        }
        bytes
    }

    /// Restores a serialized share of the same table.
    #[must_use]
    pub fn from_bytes(table: &Table, bytes: &[u8]) -> Option<Self> {
        let (count, bytes) = bytes.split_first_chunk()?;
        let length = usize::try_from(u64::from_le_bytes(*count)).ok()?.checked_mul(8)?;
        let (words, categories) = bytes.split_at_checked(length)?;
        let words: Vec<u64> = words.as_chunks().0.iter().map(|&word| u64::from_le_bytes(word)).collect();
        let (passage, rest) = Passage::from_words(&words)?;
        let (&[assumed, left_out], slices) = rest.split_first_chunk()?;
        let assumed = usize::try_from(assumed).ok().and_then(|assumed| State::ALL.get(assumed).copied());
        let (slices, []) = slices.as_chunks::<3>() else { return None };
        let list = slices.iter().map(|&[start, end, rows]| Slice { start, end, rows }).collect();
        let words = match categories {
            [] => None,
            categories => Some(Collected::read(&Search::of(table)?, categories)?),
        };
        Some(Self { passage, slices: Slices { list, left_out }, assumed, words })
    }
}

impl Beginning {
    /// How a share begins, after the shares before it.
    fn of(index: usize, shares: &[Share]) -> Self {
        let first = Self { state: State::LineStart, open_row: None };
        shares[..index].iter().fold(first, |begins, share| {
            let end = share.passage.from(begins.state);
            let open_row = match end.first {
                Some(_) => end.open_row,
                None => begins.open_row.or(share.passage.start),
            };
            Self { state: end.state, open_row }
        })
    }
}

impl Slices {
    fn add(&mut self, counted: Vec<Counted>) {
        for Counted { bytes, rows, rejects } in counted {
            self.list.push(Slice { start: bytes.start, end: bytes.end, rows });
            self.left_out += rejects.count();
        }
    }
}

/// Why counting ended early.
enum Ended<E> {
    Checked(E),
    Failed(Error),
}

impl<E> From<Error> for Ended<E> {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// Counts the text that begins with the row at place `start`, which is open at the beginning of a share.
fn count_first(table: &Table, budget: Budget, slice_bytes: u64, start: u64, first: FirstEnd) -> Result<Done<Seen>> {
    let piece = piece_bytes(slice_bytes);
    let splitter = Splitter::of(table, piece, budget.max_row, false);
    let mut text = Text::default();
    // A row is too long if a piece without an end of a row makes it so.
    let shortest = (budget.max_row + 1).max(piece) as u64;
    if let Some(longer) = first.piece.checked_sub(start + shortest) {
        let end = first.piece - longer / piece as u64 * piece as u64;
        text.fill(&table.parts, table.dialect, start..end, false)?;
        return Err(splitter.too_long_row(&text.bytes()[..(end - start) as usize], start));
    }
    text.fill(&table.parts, table.dialect, start..first.rows_end, first.ends_part)?;
    let counting = SliceCounting::new(table, Arc::new(splitter), slice_bytes, Aim::rows(Search::of(table)));
    Ok(counting.count(&mut text, &mut counting.counter()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::Dialect;
    use crate::index::tests::{careful_dialect, careful_text};
    use crate::passes::row_index::find;
    use crate::simd::simd;
    use crate::source::MemorySource;
    use crate::table::missing::Missing;
    use crate::table::parts::{Bytes, Part, Parts};
    use crate::table::schema::{Column, MissingTarget, OnError, Schema, Targets};
    use crate::value::{Categories, ValueEncoding};
    use proptest::prelude::*;

    fn table(texts: &[Vec<u8>], dialect: Dialect, on_error: OnError, missing_target: MissingTarget) -> Table {
        let columns = ["a", "b"].map(String::from).to_vec();
        let encodings = vec![Some(ValueEncoding::Category(Categories::Unread))];
        let target = [Column::Index(1)];
        let missing = Missing::default();
        let mut schema =
            Schema::resolve(columns, "header", None, &Targets::one(&target, None), missing, missing_target).unwrap();
        (schema.on_error, schema.encodings) = (on_error, encodings);
        let part = |text: &Vec<u8>| Part {
            bytes: Bytes::Source(Arc::new(MemorySource::new(text.clone()))),
            data_start: 0,
            layout: None,
        };
        let parts = Arc::new(Parts::new(texts.iter().map(part).collect()));
        Table { parts, dialect, schema: Arc::new(schema), simd: simd().unwrap() }
    }

    /// The row index and the vocabularies that `count` processes find together.
    fn together(table: &Table, budget: Budget, slice_bytes: u64, count: u64) -> Result<(RowIndex, Vocabularies)> {
        let check = || Ok::<_, Error>(());
        let sent = |share: &Share| Share::from_bytes(table, &share.to_bytes()).unwrap();
        let one = |index| Share::count(table, budget, slice_bytes, (index, count), check);
        let own = (0..count).map(one).collect::<Result<Vec<_>>>()?;
        let shares: Vec<_> = own.iter().map(|share| sent(&share.without_categories())).collect();
        let complete = |(index, own): (usize, Share)| own.complete(table, budget, slice_bytes, (index, &shares), check);
        let whole = own.into_iter().enumerate().map(complete).collect::<Result<Vec<_>>>()?;
        Ok(Share::join(table, &whole.iter().map(sent).collect::<Vec<_>>()))
    }

    fn seen(
        found: Result<(RowIndex, Vocabularies)>,
    ) -> std::result::Result<(Vec<super::super::Start>, u64, String), String> {
        let seen = |(index, words): (RowIndex, Vocabularies)| (index.starts, index.left_out, format!("{words:?}"));
        found.map(seen).map_err(|error| format!("{:?} {}", error.offset, error.kind))
    }

    fn number_rows() -> impl Strategy<Value = Vec<u8>> {
        let row = prop_oneof![
            8 => "[0-9]{1,9},[0-9]{1,9}\r?\n",
            4 => "(k[0-9]|\"k\n[0-3]\"),[0-9]\n",
            2 => "\"[0-9]{1,5}\",\"[0-9]{1,3}\"\n",
            1 => "\"1\n2\",[0-9]\n",
            1 => "[0-9]{1,40},\n",
            1 => "\n{1,20}",
            1 => "x[0-9]{90},1\n",
        ];
        prop::collection::vec(row, 0..60).prop_map(|rows| rows.concat().into_bytes())
    }

    #[test]
    fn a_text_that_ends_within_a_slice_makes_no_empty_one() {
        let text = b"\n\n;aa\";\n1,,;\n'\\ \"a\"'\r \\\\\n\r\",\r'aa\ra\r;\"\r1;\\ a' ;,\\'";
        let dialect = Dialect { escape: Some(b'\\'), ..Dialect::new(b',', None) };
        let table = table(&[text.to_vec()], dialect, OnError::Raise, MissingTarget::Raise);
        let budget = Budget { threads: 1, block_bytes: 100, window: 4, max_row: 20, ahead: 0 };
        let alone = find(&table, Aim::rows(Search::of(&table)), budget, 3, || Ok::<_, Error>(())).unwrap();
        let alone = (alone.row_index.unwrap(), alone.vocabularies.into_iter().flatten().enumerate().collect());
        assert_eq!(seen(together(&table, budget, 3, 1)), seen(Ok(alone)));
    }

    proptest! {
        #![proptest_config(crate::checks::cases(150))]

        #[test]
        fn shares_make_the_row_index_of_the_whole_table(
            texts in prop::collection::vec(prop_oneof![careful_text(), number_rows()], 1..4),
            dialect in prop_oneof![careful_dialect(), Just(Dialect::new(b',', Some(b'"')))],
            skips in any::<[bool; 2]>(),
            (slice_bytes, max_row, threads) in (1_u64..40, prop_oneof![20_usize..200, Just(1 << 20)], 1_usize..3),
            count in 1_u64..9,
        ) {
            let on_error = if skips[0] { OnError::Skip } else { OnError::Raise };
            let missing_target = if skips[1] { MissingTarget::Skip } else { MissingTarget::Raise };
            let table = table(&texts, dialect, on_error, missing_target);
            let budget = Budget { threads, block_bytes: 100, window: 4, max_row, ahead: 0 };
            let alone = find(&table, Aim::rows(Search::of(&table)), budget, slice_bytes, || Ok::<_, Error>(()));
            let alone = alone.map(|found| {
                let words = found.vocabularies.into_iter().flatten().enumerate().collect();
                (found.row_index.unwrap(), words)
            });
            prop_assert_eq!(seen(together(&table, budget, slice_bytes, count)), seen(alone));
        }
    }
}
