//! The categories of columns, as a pass over the rows collects them.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, MutexGuard};

use crate::dialect;
use crate::error::{Error, Kind, Result};
use crate::fields::WINDOW;
use crate::index::Rows;
use crate::process::PerProcess;
use crate::table::parts::Place;
use crate::table::schema::OnError;
use crate::table::{Table, missing};
use crate::text::Text;
use crate::value::{Vocabulary, list};

/// How much a vocabulary may hold.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limit {
    pub words: usize,
    pub bytes: usize,
}

/// Maximum number of categories of a column, and maximum bytes. A column with more holds names or numbers, and a code
/// for each is of no use to a model.
pub(crate) const MOST: Limit = Limit { words: 1_000_000, bytes: 256 << 20 };

/// Maximum number of categories of lists, each of which is a value of the row.
const MOST_IN_LISTS: usize = 10_000;

impl Limit {
    fn allows(self, vocabulary: &Vocabulary) -> bool {
        vocabulary.count() <= self.words && vocabulary.bytes() <= self.bytes
    }
}

/// The columns whose categories a pass finds.
#[derive(Clone, Debug)]
pub(crate) struct Search {
    /// Their positions in the table.
    pub columns: Vec<usize>,
    /// The separators of those that hold lists.
    pub separators: HashMap<usize, u8>,
    pub limit: Limit,
}

impl Search {
    /// For the columns whose categories a table leaves to be found; `None` if there are none.
    pub(crate) fn of(table: &Table) -> Option<Self> {
        Self::within(table, table.schema.unread())
    }

    /// For some columns of a table; `None` if there are none.
    pub(crate) fn within(table: &Table, columns: Vec<usize>) -> Option<Self> {
        let separators = table.schema.separators();
        (!columns.is_empty()).then_some(Self { columns, separators, limit: MOST })
    }

    /// An empty vocabulary for each column.
    pub(crate) fn nothing(&self) -> Vec<Vocabulary> {
        vec![Vocabulary::default(); self.columns.len()]
    }

    /// How much the vocabulary of a column may hold.
    fn limit(&self, column: usize) -> Limit {
        let Limit { words, bytes } = self.limit;
        let words = if self.separators.contains_key(&column) { words.min(MOST_IN_LISTS) } else { words };
        Limit { words, bytes }
    }

    fn too_many(&self, table: &Table, column: usize) -> Error {
        let Limit { words, bytes } = self.limit(column);
        let name = table.schema.quoted_name(column);
        let advice = if self.separators.contains_key(&column) {
            format!(
                "lists={{{name}: csvfeed.MultiHot([...])}} names those to read, of which each is a value of the row"
            )
        } else {
            format!("categories={{{name}: 100000}} puts them into so many hash buckets")
        };
        let message = format!(
            "the column has more than {words} different values, or more than {} MiB of them: {advice}",
            bytes >> 20
        );
        Error::from(Kind::Column(message)).in_column(column)
    }
}

/// Finds the categories of one text after another. Each thread has one.
pub(crate) struct Finder {
    table: Table,
    search: Search,
    /// The categories that this thread has already reported.
    known: Vec<Vocabulary>,
}

impl Finder {
    pub(crate) fn new(table: &Table, search: &Search) -> Self {
        Self { table: table.clone(), search: search.clone(), known: search.nothing() }
    }

    /// Adds the new categories of some rows to `new`. `wrong` has a place in each row that is left out, in file order.
    /// Returns the first error in the file.
    pub(crate) fn look(&mut self, text: &Text, rows: Rows<'_>, wrong: &[u64], new: &mut [Vocabulary]) -> Option<Error> {
        let Self { table, search, known } = self;
        let columns = search.columns.iter().zip(known).zip(new);
        let errors = columns.filter_map(|((&column, known), new)| {
            let looking = Looking { table, search, text, rows, wrong, column };
            looking.look(known, new).err()
        });
        errors.min_by_key(|error| error.offset)
    }
}

/// One column of some rows.
struct Looking<'a> {
    table: &'a Table,
    search: &'a Search,
    text: &'a Text,
    rows: Rows<'a>,
    wrong: &'a [u64],
    column: usize,
}

impl Looking<'_> {
    fn offset_of(&self, position: usize) -> u64 {
        self.text.offset + (position - WINDOW) as u64
    }

    fn is_left_out(&self, row: usize) -> bool {
        let Range { start, end } = self.rows.line(self.text.padded(), row);
        let next = self.wrong.partition_point(|&offset| offset < self.offset_of(start));
        self.wrong.get(next).is_some_and(|&offset| offset <= self.offset_of(end))
    }

    /// Adds the new values to `known` and `new`.
    fn look(&self, known: &mut Vocabulary, new: &mut Vocabulary) -> Result<()> {
        let Self { text, rows, wrong, column, .. } = *self;
        let Table { schema, dialect, .. } = self.table;
        let bytes = text.padded();
        let at = match text.layout().map(|layout| &layout.places[column]) {
            None => column,
            Some(Place::Field(field)) => *field,
            Some(Place::Absent) => return Ok(()),
            Some(Place::Value(value)) => {
                let word = value.trim_matches([' ', '\t']);
                let counts = wrong.is_empty() || (0..rows.count()).any(|row| !self.is_left_out(row));
                if counts && !schema.missing.contains_word(word) {
                    self.add(word.as_bytes(), known, new);
                }
                return Ok(());
            }
        };
        let is_literal = dialect.is_literal();
        for row in 0..rows.count() {
            let place = rows.place(row, at);
            let plain = if is_literal { dialect::plain(bytes, dialect.quote, place.clone()) } else { None };
            let is_known = |plain: Range<usize>| match self.search.separators.get(&column) {
                Some(&separator) => list::names(bytes, plain, separator).all(|name| known.code_at(bytes, name) != 0),
                None => known.code_at(bytes, plain) != 0,
            };
            if plain.is_some_and(|plain| plain.is_empty() || is_known(plain)) {
                continue;
            }
            let place = rows.whole(bytes, place);
            let field = text.field(place.clone());
            if missing::is_missing(field, *dialect, &schema.missing) || (!wrong.is_empty() && self.is_left_out(row)) {
                continue;
            }
            if dialect.has_space_before_quote(field) {
                let error = dialect.error(Kind::SpaceBeforeQuote, self.offset_of(place.start), field);
                return Err(error.in_column(column));
            }
            let word = dialect.text(field);
            if std::str::from_utf8(&word).is_err() {
                let error = dialect.error(Kind::CategoryNotUtf8, self.offset_of(place.start), field);
                return Err(error.in_column(column));
            }
            self.add(&word, known, new);
            if !self.search.limit(column).allows(known) {
                return Err(self.search.too_many(self.table, column));
            }
        }
        Ok(())
    }

    /// Adds what a word has of categories.
    fn add(&self, word: &[u8], known: &mut Vocabulary, new: &mut Vocabulary) {
        let mut add = |word: &[u8]| {
            if known.add(word) {
                new.add(word);
            }
        };
        match self.search.separators.get(&self.column) {
            Some(&separator) => {
                let is_missing = |name: &[u8]| self.table.schema.missing.contains_utf8(name);
                let names = list::names(word, 0..word.len(), separator).map(|name| &word[name]);
                names.filter(|name| !is_missing(name)).for_each(add);
            }
            None => add(word),
        }
    }
}

/// The categories that all threads have found so far.
#[derive(Clone, Debug)]
pub(crate) struct Collected {
    search: Search,
    found: Vec<Vocabulary>,
}

impl Collected {
    pub(crate) fn new(search: &Search) -> Self {
        Self { search: search.clone(), found: search.nothing() }
    }

    /// These and those of the next text. Fails if a column has too many.
    pub(crate) fn and(mut self, table: &Table, new: &[Vocabulary]) -> Result<Self> {
        for ((found, new), &column) in self.found.iter_mut().zip(new).zip(&self.search.columns) {
            for word in new.words() {
                found.add(word);
            }
            if !self.search.limit(column).allows(found) {
                return Err(self.search.too_many(table, column));
            }
        }
        Ok(self)
    }

    /// The categories of each column.
    pub(crate) fn found(&self) -> &[Vocabulary] {
        &self.found
    }

    /// Serializes the categories.
    pub(crate) fn write(&self, bytes: &mut Vec<u8>) {
        for found in &self.found {
            bytes.extend((found.count() as u64).to_le_bytes());
            for word in found.words() {
                bytes.extend((word.len() as u64).to_le_bytes());
                bytes.extend(word);
            }
        }
    }

    /// Restores the categories of an equal search.
    pub(crate) fn read(search: &Search, mut bytes: &[u8]) -> Option<Self> {
        fn number(bytes: &mut &[u8]) -> Option<usize> {
            let (number, rest) = bytes.split_first_chunk()?;
            *bytes = rest;
            usize::try_from(u64::from_le_bytes(*number)).ok()
        }
        let mut collected = Self::new(search);
        for found in &mut collected.found {
            for _ in 0..number(&mut bytes)? {
                let length = number(&mut bytes)?;
                let (word, rest) = bytes.split_at_checked(length)?;
                found.add(word);
                bytes = rest;
            }
        }
        bytes.is_empty().then_some(collected)
    }

    /// The vocabulary of each column, sorted by its bytes, which is by code point.
    pub(crate) fn finish(self) -> Vec<Arc<Vocabulary>> {
        let sorted = |found: Vocabulary| {
            let mut words: Vec<&[u8]> = found.words().collect();
            words.sort_unstable();
            Arc::new(Vocabulary::new(words))
        };
        self.found.into_iter().map(sorted).collect()
    }
}

/// The vocabularies of a table that this process found before.
pub(crate) struct Remembered {
    name: String,
    separators: HashMap<usize, u8>,
}

/// Vocabularies by table and column, the most recently used last.
static REMEMBERED: PerProcess<Vec<(String, usize, Arc<Vocabulary>)>> = PerProcess::new();
const REMEMBERED_MOST: usize = 64;

fn remembered() -> MutexGuard<'static, Vec<(String, usize, Arc<Vocabulary>)>> {
    REMEMBERED.lock()
}

impl Remembered {
    pub(crate) fn of(table: &Table) -> Self {
        let Table { parts, dialect, schema, .. } = table;
        let rows = if schema.on_error == OnError::Skip {
            // The result depends on which rows are wrong.
            format!("{:?}", schema.for_counting())
        } else {
            schema.columns.len().to_string()
        };
        let name = format!("{} {dialect:?} {:?} {rows}", parts.identity(), schema.missing);
        Self { name, separators: schema.separators() }
    }

    /// The name under which the vocabulary of a column is remembered.
    fn name_of(&self, column: usize) -> String {
        format!("{} {:?}", self.name, self.separators.get(&column))
    }

    /// The vocabulary of a column.
    pub(crate) fn get(&self, column: usize) -> Option<Arc<Vocabulary>> {
        let (mut known, own) = (remembered(), self.name_of(column));
        let at = known.iter().position(|(name, at, _)| *name == own && *at == column)?;
        known[at..].rotate_left(1);
        known.last().map(|(.., vocabulary)| Arc::clone(vocabulary))
    }

    pub(crate) fn add(&self, column: usize, vocabulary: &Arc<Vocabulary>) {
        let (mut known, own) = (remembered(), self.name_of(column));
        known.retain(|(name, at, _)| *name != own || *at != column);
        known.push((own, column, Arc::clone(vocabulary)));
        while known.len() > REMEMBERED_MOST || known.iter().map(|(.., of)| of.bytes()).sum::<usize>() > MOST.bytes {
            known.remove(0);
        }
    }
}
