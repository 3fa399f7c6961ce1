//! Finds the vocabularies of columns in one pass over all rows.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, MutexGuard};

use crate::budget::Budget;
use crate::dialect;
use crate::error::{Error, Kind, Result};
use crate::fields::WINDOW;
use crate::index::{Index, Rows};
use crate::pipeline::{Done, Jobs, Pipeline, Worker};
use crate::process::PerProcess;
use crate::rows::rejects::Recording;
use crate::rows::{Parser, Pool};
use crate::split::Splitter;
use crate::table::parts::Place;
use crate::table::schema::OnError;
use crate::table::{Table, missing};
use crate::text::Text;
use crate::value::Vocabulary;

/// Maximum number of categories of a column, and maximum bytes. A column with more holds names or numbers, and a code
/// for each is of no use to a model.
const MOST: Limit = Limit { words: 1_000_000, bytes: 256 << 20 };

#[derive(Clone, Copy, Debug)]
struct Limit {
    words: usize,
    bytes: usize,
}

impl Limit {
    fn allows(self, vocabulary: &Vocabulary) -> bool {
        vocabulary.count() <= self.words && vocabulary.bytes() <= self.bytes
    }
}

/// Finds the categories of some columns over all rows of a table, sorted by their bytes, which is by code point.
/// Remembers results for the same table within this process. Calls `check` several times a second and stops at the
/// first error that it returns.
pub fn find_vocabularies<E: From<Error>>(
    table: &Table,
    columns: &[usize],
    budget: Budget,
    check: impl FnMut() -> std::result::Result<(), E>,
) -> std::result::Result<Vec<Arc<Vocabulary>>, E> {
    let Table { parts, dialect, schema, .. } = table;
    // If wrong rows are skipped, the result depends on the whole schema.
    let rows = if schema.on_error == OnError::Skip { format!("{schema:?}") } else { schema.columns.len().to_string() };
    let name = format!("{} {dialect:?} {:?} {rows}", parts.identity(), schema.missing);
    let mut found: HashMap<usize, Arc<Vocabulary>> = HashMap::new();
    {
        let mut known = remembered();
        for &column in columns {
            if let Some(at) = known.iter().position(|(of, at, _)| *of == name && *at == column) {
                known[at..].rotate_left(1);
                found.insert(column, Arc::clone(&known[known.len() - 1].2));
            }
        }
    }
    let missing: Vec<usize> = columns.iter().copied().filter(|column| !found.contains_key(column)).collect();
    if !missing.is_empty() {
        let new = find(table, &missing, budget, MOST, check)?;
        let mut known = remembered();
        for (column, vocabulary) in missing.into_iter().zip(new) {
            known.push((name.clone(), column, Arc::clone(&vocabulary)));
            found.insert(column, vocabulary);
        }
        while known.len() > REMEMBERED_MOST || known.iter().map(|(.., of)| of.bytes()).sum::<usize>() > MOST.bytes {
            known.remove(0);
        }
    }
    Ok(columns.iter().map(|column| Arc::clone(&found[column])).collect())
}

/// Vocabularies by table and column, the most recently used last.
static REMEMBERED: PerProcess<Vec<(String, usize, Arc<Vocabulary>)>> = PerProcess::new();
const REMEMBERED_MOST: usize = 64;

fn remembered() -> MutexGuard<'static, Vec<(String, usize, Arc<Vocabulary>)>> {
    REMEMBERED.lock()
}

fn find<E: From<Error>>(
    table: &Table,
    columns: &[usize],
    budget: Budget,
    limit: Limit,
    mut check: impl FnMut() -> std::result::Result<(), E>,
) -> std::result::Result<Vec<Arc<Vocabulary>>, E> {
    let splitter = Splitter::of(table, budget.block_bytes, budget.max_row, false).decompressing_ahead(budget);
    let jobs = Survey { table: table.clone(), columns: columns.to_vec(), splitter, limit };
    let found = RefCell::new(vec![Vocabulary::default(); columns.len()]);
    let excess = || {
        let found = found.borrow();
        let at = found.iter().position(|vocabulary| !limit.allows(vocabulary))?;
        Some(too_many(table, columns[at], limit))
    };
    Pipeline::run(jobs, table.parts.threads(budget.threads), budget.window)?.drain(
        |new: Vec<Vocabulary>| {
            for (found, new) in found.borrow_mut().iter_mut().zip(new) {
                if limit.allows(found) {
                    for word in new.words() {
                        found.add(word);
                    }
                }
            }
            Ok(())
        },
        || excess().map_or_else(&mut check, |error| Err(error.into())),
    )?;
    if let Some(error) = excess() {
        return Err(error.into());
    }
    let sorted = |found: Vocabulary| {
        let mut words: Vec<&[u8]> = found.words().collect();
        words.sort_unstable();
        Arc::new(Vocabulary::new(words))
    };
    Ok(found.into_inner().into_iter().map(sorted).collect())
}

fn too_many(table: &Table, column: usize, limit: Limit) -> Error {
    let Limit { words, bytes } = limit;
    let name = table.schema.quoted_name(column);
    let message = format!(
        "the column has more than {words} different values, or more than {} MiB of them: categories={{{name}: 100000}} puts \
         them into so many hash buckets",
        bytes >> 20
    );
    Error::from(Kind::Column(message)).in_column(column)
}

/// Finds the categories of each text.
struct Survey {
    table: Table,
    columns: Vec<usize>,
    splitter: Splitter,
    limit: Limit,
}

impl Jobs<Vec<Vocabulary>> for Survey {
    fn count(&self) -> u64 {
        self.splitter.texts()
    }

    fn worker(self: Arc<Self>) -> Worker<Vec<Vocabulary>> {
        let Table { schema, dialect, simd, .. } = self.table.clone();
        let mut text = Text::default();
        let skips = schema.on_error == OnError::Skip;
        let mut index = Index::skipping_bad_rows(skips);
        // Tells which rows are rejected.
        let mut parser = skips.then(|| {
            let recording = Recording { most: usize::MAX, rows: false };
            Parser::new(&schema, dialect, simd).recording(recording)
        });
        let pool = Pool::new(1);
        // The categories that this thread has already reported.
        let mut known = vec![Vocabulary::default(); self.columns.len()];
        Box::new(move |job| {
            let is_read = self.splitter.read(job, &mut text);
            Done::of_text(is_read, || {
                let columns = text.layout().map_or(schema.columns.len(), |layout| layout.fields);
                let bad_row = index.fill(simd, &text, dialect, columns, schema.reference);
                let rejects = parser.as_mut().map(|parser| parser.parse(&text, &pool).0.take_rejects());
                let rejects = rejects.unwrap_or_default();
                let wrong: Vec<u64> = rejects.list().iter().filter_map(|reject| reject.error.offset).collect();
                let mut new = vec![Vocabulary::default(); self.columns.len()];
                for rows in index.groups(columns, usize::MAX) {
                    for ((&column, known), new) in self.columns.iter().zip(&mut known).zip(&mut new) {
                        if let Err(error) = self.look(&text, rows, &wrong, column, known, new) {
                            return Done::failed(error);
                        }
                    }
                }
                bad_row.map_or_else(|| Done::with(new), Done::failed)
            })
        })
    }

    fn are_short(&self) -> bool {
        self.table.parts.are_local()
    }

    fn abandon(&self) {
        self.splitter.abandon();
    }
}

impl Survey {
    /// Adds the new values of a column to `known` and `new`.
    fn look(
        &self,
        text: &Text,
        rows: Rows<'_>,
        wrong: &[u64],
        column: usize,
        known: &mut Vocabulary,
        new: &mut Vocabulary,
    ) -> Result<()> {
        let Table { schema, dialect, .. } = &self.table;
        let bytes = text.padded();
        let offset_of = |position: usize| text.offset + (position - WINDOW) as u64;
        let is_left_out = |row: usize| {
            let Range { start, end } = rows.line(row);
            let next = wrong.partition_point(|&offset| offset < offset_of(start));
            wrong.get(next).is_some_and(|&offset| offset <= offset_of(end))
        };
        let at = match text.layout().map(|layout| &layout.places[column]) {
            None => column,
            Some(Place::Field(field)) => *field,
            Some(Place::Absent) => return Ok(()),
            Some(Place::Value(value)) => {
                let word = value.trim_matches([' ', '\t']);
                let counts = wrong.is_empty() || (0..rows.count()).any(|row| !is_left_out(row));
                if counts && !schema.missing.contains_word(word) && known.add(word.as_bytes()) {
                    new.add(word.as_bytes());
                }
                return Ok(());
            }
        };
        let is_literal = dialect.is_literal();
        for row in 0..rows.count() {
            let place = rows.place(row, at);
            let plain = if is_literal { dialect::plain(bytes, dialect.quote, place.clone()) } else { None };
            if plain.is_some_and(|plain| plain.is_empty() || known.code_at(bytes, plain) != 0) {
                continue;
            }
            let field = text.field(place.clone());
            if missing::is_missing(field, *dialect, &schema.missing) || (!wrong.is_empty() && is_left_out(row)) {
                continue;
            }
            if dialect.has_space_before_quote(field) {
                return Err(dialect.error(Kind::SpaceBeforeQuote, offset_of(place.start), field).in_column(column));
            }
            let word = dialect.text(field);
            if std::str::from_utf8(&word).is_err() {
                return Err(dialect.error(Kind::CategoryNotUtf8, offset_of(place.start), field).in_column(column));
            }
            if known.add(&word) {
                new.add(&word);
            }
            if !self.limit.allows(known) {
                return Err(too_many(&self.table, column, self.limit));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::Dialect;
    use crate::oracle;
    use crate::simd::Simd;
    use crate::source::MemorySource;
    use crate::table::missing::Missing;
    use crate::table::parts::Parts;
    use crate::table::schema::{MissingTarget, Schema, Targets};
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    const COMMA: Dialect = Dialect::new(b',', Some(b'"'));

    fn table(text: &str, simd: Simd) -> Table {
        let columns = ["a", "b"].map(String::from).to_vec();
        let schema =
            Schema::resolve(columns, "header", None, &Targets::default(), Missing::new(["NA"]), MissingTarget::Raise)
                .unwrap();
        let source = Arc::new(MemorySource::new(text.to_owned()));
        Table { parts: Parts::one(source, 0), dialect: COMMA, schema: Arc::new(schema), simd }
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
                let table = table(&text, simd);
                let budget = Budget::new(threads, memory);
                let found = find(&table, &[1, 0], budget, MOST, || Ok::<_, Error>(())).unwrap();
                for (column, found) in [1, 0].into_iter().zip(found) {
                    let expected = expected[column].iter().map(String::as_bytes);
                    prop_assert!(found.words().eq(expected), "{:?}", column);
                }
            }
        }
    }

    #[test]
    fn too_many_categories_are_refused() {
        let text = (0..100).map(|at| format!("{at},x\n")).collect::<Vec<_>>().concat();
        let table = table(&text, Simd::Portable);
        let find = |limit| find(&table, &[0], Budget::new(2, None), limit, || Ok::<_, Error>(()));
        assert!(find(Limit { words: 100, bytes: 190 }).is_ok());
        for limit in [Limit { words: 99, bytes: 190 }, Limit { words: 100, bytes: 189 }] {
            let error = find(limit).err().unwrap();
            assert!(error.kind.to_string().contains("categories={\"a\": 100000}"), "{}", error.kind);
            assert_eq!(error.column, Some(0));
        }
    }
}
