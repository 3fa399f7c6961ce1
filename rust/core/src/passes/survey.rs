//! The pass that tells where the rows of a table are and which categories its columns have.
//!
//! Whoever needs one of the two first causes the pass, which finds both. This process remembers them for the same table.

use std::sync::{Arc, MutexGuard};

use super::row_index::{self, Aim, Found, Purpose, RowIndex};
use super::vocabulary::{Remembered, Search};
use crate::budget::Budget;
use crate::error::{Error, Kind};
use crate::process::PerProcess;
use crate::table::Table;
use crate::table::columns::Vocabularies;
use crate::value::Vocabulary;

/// The row index of a table, and the vocabularies of the columns whose categories its schema leaves to be found, as far
/// as they are known then: categories that cannot be found are an error only for whoever needs them. Stops with an error
/// at the first reject beyond the limit. Calls `check` several times a second and stops at the first error that it
/// returns.
pub fn row_index<E: From<Error>>(
    table: &Table,
    budget: Budget,
    slice_bytes: u64,
    check: impl FnMut() -> std::result::Result<(), E>,
) -> std::result::Result<(Arc<RowIndex>, Vocabularies), E> {
    let (words, rows) = (Remembered::of(table), RememberedRows::of(table, budget, slice_bytes));
    let columns = table.schema.unread();
    let mut known = known(&words, &columns);
    if let Some(row_index) = rows.get(table) {
        return Ok((row_index, known));
    }
    let search = search(table, &columns, &known);
    let Found { row_index, vocabularies } =
        row_index::find(table, Aim::rows(search.clone()), budget, slice_bytes, check)?;
    remember(&words, search, vocabularies, &mut known);
    // Rows that a pass counts for their own sake are not given up.
    let row_index = Arc::new(row_index.ok_or_else(|| Error::from(Kind::Internal))?);
    rows.add(&row_index);
    Ok((row_index, known))
}

/// The vocabularies of some columns over all rows of a table, sorted by their bytes, which is by code point. The pass
/// makes the row index as well, and remembers it. Calls `check` several times a second and stops at the first error that
/// it returns.
pub fn vocabularies<E: From<Error>>(
    table: &Table,
    columns: &[usize],
    budget: Budget,
    slice_bytes: u64,
    check: impl FnMut() -> std::result::Result<(), E>,
) -> std::result::Result<Vocabularies, E> {
    let (words, rows) = (Remembered::of(table), RememberedRows::of(table, budget, slice_bytes));
    let mut known = known(&words, columns);
    let search = search(table, columns, &known);
    if search.is_some() {
        let aim = Aim { purpose: Purpose::Vocabularies, counts: rows.get(table).is_none(), search: search.clone() };
        let Found { row_index, vocabularies } = row_index::find(table, aim, budget, slice_bytes, check)?;
        remember(&words, search, vocabularies, &mut known);
        if let Some(row_index) = row_index {
            rows.add(&Arc::new(row_index));
        }
    }
    Ok(known)
}

/// What is remembered of some columns.
fn known(words: &Remembered, columns: &[usize]) -> Vocabularies {
    columns.iter().filter_map(|&column| Some((column, words.get(column)?))).collect()
}

/// A search for the categories of the other columns, if there are any.
fn search(table: &Table, columns: &[usize], known: &Vocabularies) -> Option<Search> {
    Search::within(table, columns.iter().copied().filter(|column| !known.contains_key(column)).collect())
}

/// Remembers what a search found.
fn remember(words: &Remembered, search: Option<Search>, found: Option<Vec<Arc<Vocabulary>>>, known: &mut Vocabularies) {
    let columns = search.into_iter().flat_map(|search| search.columns);
    for (column, vocabulary) in columns.zip(found.into_iter().flatten()) {
        words.add(column, &vocabulary);
        known.insert(column, vocabulary);
    }
}

/// The row index of a table that this process made before.
struct RememberedRows {
    name: String,
}

/// Row indexes, the most recently used last.
static REMEMBERED: PerProcess<Vec<(String, Arc<RowIndex>)>> = PerProcess::new();
const REMEMBERED_MOST: usize = 32;

fn remembered() -> MutexGuard<'static, Vec<(String, Arc<RowIndex>)>> {
    REMEMBERED.lock()
}

impl RememberedRows {
    fn of(table: &Table, budget: Budget, slice_bytes: u64) -> Self {
        Self { name: format!("{} {slice_bytes} {}", table.for_counting().description(), budget.max_row) }
    }

    /// The row index. `None` if its rejects exceed the limit: a new pass finds the one to report, which may not be
    /// remembered.
    fn get(&self, table: &Table) -> Option<Arc<RowIndex>> {
        let mut known = remembered();
        let at = known.iter().position(|(name, _)| *name == self.name)?;
        known[at..].rotate_left(1);
        let (_, row_index) = known.last()?;
        let is_allowed = table.schema.max_rejects.is_none_or(|most| row_index.left_out() <= most);
        is_allowed.then(|| Arc::clone(row_index))
    }

    fn add(&self, row_index: &Arc<RowIndex>) {
        let mut known = remembered();
        known.retain(|(name, _)| *name != self.name);
        if known.len() == REMEMBERED_MOST {
            known.remove(0);
        }
        known.push((self.name.clone(), Arc::clone(row_index)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::{self, Dialect};
    use crate::error::Result;
    use crate::index::tests::{careful_dialect, careful_text};
    use crate::oracle;
    use crate::passes::vocabulary::{Limit, MOST};
    use crate::simd::Simd;
    use crate::source::MemorySource;
    use crate::table::missing::Missing;
    use crate::table::parts::{Bytes, Part, Parts};
    use crate::table::schema::{Column, MissingTarget, OnError, Schema, Targets};
    use crate::value::{Categories, ValueEncoding};
    use proptest::prelude::*;
    use std::collections::{BTreeSet, HashMap};

    const COMMA: Dialect = Dialect::new(b',', Some(b'"'));

    /// A table with the columns "a" and "b", of which these are targets.
    fn table(texts: &[Vec<u8>], dialect: Dialect, simd: Simd, targets: &[Column]) -> Table {
        let columns = ["a", "b"].map(String::from).to_vec();
        let missing = Missing::new(["NA"]);
        let targets = Targets::one(targets, None);
        let schema = Schema::resolve(columns, "header", None, &targets, missing, MissingTarget::Raise).unwrap();
        let part = |text: &Vec<u8>| Part {
            bytes: Bytes::Source(Arc::new(MemorySource::new(text.clone()))),
            data_start: 0,
            layout: None,
        };
        let parts = Arc::new(Parts::new(texts.iter().map(part).collect()));
        Table { parts, dialect, schema: Arc::new(schema), simd }
    }

    fn find(table: &Table, aim: Aim, budget: Budget, slice_bytes: u64) -> Result<Found> {
        row_index::find(table, aim, budget, slice_bytes, || Ok::<_, Error>(()))
    }

    /// Finds vocabularies and nothing else.
    fn words_alone(columns: &[usize], limit: Limit) -> Aim {
        let search = Search { columns: columns.to_vec(), separators: HashMap::new(), limit };
        Aim { purpose: Purpose::Vocabularies, counts: false, search: Some(search) }
    }

    proptest! {
        #![proptest_config(crate::checks::cases(200))]

        #[test]
        fn the_categories_are_the_words_of_the_file_in_order(
            rows in prop::collection::vec(
                ("[ab]{0,2}|NA| a |\"b\"|\" b,\n\"|\"a\"\"b\"|\"\"|a very long word|é", "[xyz]{1,9}"),
                1..60,
            ),
            (threads, memory) in (1_usize..9, prop::option::of(1_usize..20_000)),
            slice_bytes in 1_u64..200,
        ) {
            let text = rows.iter().map(|(a, b)| format!("{a},{b}\n")).collect::<Vec<_>>().concat();
            let mut expected = [BTreeSet::new(), BTreeSet::new()];
            for row in oracle::rows(text.as_bytes(), COMMA) {
                for (field, expected) in row.iter().zip(&mut expected) {
                    let word = String::from_utf8(dialect::unquote(field, COMMA).into_owned()).unwrap();
                    expected.extend(Some(word).filter(|word| !word.is_empty() && word != "NA"));
                }
            }
            for simd in Simd::available() {
                let table = table(&[text.clone().into_bytes()], COMMA, simd, &[]);
                let found = find(&table, words_alone(&[1, 0], MOST), Budget::new(threads, memory), slice_bytes).unwrap();
                for (column, found) in [1, 0].into_iter().zip(found.vocabularies.unwrap()) {
                    let expected = expected[column].iter().map(String::as_bytes);
                    prop_assert!(found.words().eq(expected), "{:?}", column);
                }
            }
        }
    }

    fn rows_of_categories() -> impl Strategy<Value = Vec<u8>> {
        let row = prop_oneof![
            12 => "[a-d]{1,2},[0-9]\r?\n",
            3 => "\"[a-d]\n,\",[0-9]\n",
            1 => "[a-d],\n",
            1 => "[a-d],x\n",
            1 => "[a-d],1,2\n",
            1 => " \"[a-d]\",1\n",
            1 => "\n{1,9}",
        ];
        let row = prop_oneof![30 => row.prop_map(String::into_bytes), 1 => Just(b"\xFF,1\n".to_vec())];
        prop::collection::vec(row, 0..50).prop_map(|rows| rows.concat())
    }

    /// What can be told from outside about a result.
    fn seen<T>(found: Result<T>) -> std::result::Result<T, String> {
        found.map_err(|error| format!("{:?} {:?} {}", error.offset, error.column, error.kind))
    }

    fn words(found: &[Arc<Vocabulary>]) -> Vec<Vec<Vec<u8>>> {
        found.iter().map(|found| found.words().map(<[u8]>::to_vec).collect()).collect()
    }

    fn index(found: &RowIndex) -> (Vec<u8>, String) {
        (found.to_bytes(), format!("{:?}", found.rejects()))
    }

    proptest! {
        #![proptest_config(crate::checks::cases(400))]

        /// One pass finds what two passes find, and fails if the pass it is for fails.
        #[test]
        fn one_pass_does_for_two(
            texts in prop::collection::vec(prop_oneof![careful_text(), rows_of_categories(), rows_of_categories()], 1..3),
            dialect in prop_oneof![careful_dialect(), Just(COMMA), Just(COMMA)],
            [skips, skips_missing, has_classes] in any::<[bool; 3]>(),
            max_rejects in prop::option::of(0_u64..4),
            (slice_bytes, max_row, threads) in (1_u64..40, prop_oneof![20_usize..200, Just(1 << 20)], 1_usize..3),
        ) {
            let mut table = table(&texts, dialect, *Simd::available().last().unwrap(), &[Column::Index(1)]);
            let schema = Arc::make_mut(&mut table.schema);
            schema.on_error = if skips { OnError::Skip } else { OnError::Raise };
            schema.missing_target = if skips_missing { MissingTarget::Skip } else { MissingTarget::Raise };
            schema.max_rejects = max_rejects.filter(|_| skips);
            let class = has_classes.then_some(ValueEncoding::Class(Categories::Unread));
            schema.encodings = vec![Some(ValueEncoding::Category(Categories::Unread)), class];
            let search = Search::of(&table).unwrap();
            let budget = Budget { threads, block_bytes: 100, window: 4, max_row, ahead: 0 };
            let find = |table: &Table, aim| find(table, aim, budget, slice_bytes);

            let rows = find(&table, Aim::rows(None)).map(|found| index(&found.row_index.unwrap()));
            let alone = find(&table, words_alone(&search.columns, MOST)).map(|found| words(&found.vocabularies.unwrap()));
            let (rows, alone) = (seen(rows), seen(alone));

            let joint = seen(find(&table, Aim::rows(Some(search.clone()))));
            let found = joint.as_ref().ok().and_then(|found| found.vocabularies.as_deref()).map(words);
            prop_assert_eq!(joint.map(|found| index(&found.row_index.unwrap())), rows.clone());
            if rows.is_ok() {
                prop_assert_eq!(found, alone.clone().ok());
            }

            let aim = Aim { counts: true, ..words_alone(&search.columns, MOST) };
            let joint = seen(find(&table, aim));
            let found = joint.as_ref().ok().and_then(|found| found.row_index.as_ref()).map(index);
            prop_assert_eq!(joint.map(|found| words(&found.vocabularies.unwrap())), alone.clone());
            if alone.is_ok() {
                // Whoever needs only vocabularies does not mind how many rows are rejected.
                Arc::make_mut(&mut table.schema).max_rejects = None;
                let rows = find(&table, Aim::rows(None)).map(|found| index(&found.row_index.unwrap()));
                prop_assert_eq!(found, rows.ok());
            }
        }
    }

    #[test]
    fn too_many_categories_are_refused() {
        let text = (0..100).map(|at| format!("{at},x\n")).collect::<Vec<_>>().concat();
        let table = table(&[text.into_bytes()], COMMA, Simd::Portable, &[]);
        let budget = Budget::new(2, None);
        let found = |limit| find(&table, words_alone(&[0], limit), budget, 100);
        assert!(found(Limit { words: 100, bytes: 190 }).is_ok());
        for limit in [Limit { words: 99, bytes: 190 }, Limit { words: 100, bytes: 189 }] {
            let error = found(limit).err().unwrap();
            assert!(error.kind.to_string().contains("categories={\"a\": 100000}"), "{}", error.kind);
            assert_eq!(error.column, Some(0));
            // Rows are counted all the same.
            let search = Search { columns: vec![0], separators: HashMap::new(), limit };
            let counted = find(&table, Aim::rows(Some(search)), budget, 100).unwrap();
            assert_eq!((counted.row_index.unwrap().rows(), counted.vocabularies.is_none()), (100, true));
        }
    }
}
