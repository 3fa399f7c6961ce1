//! A way of reading a sample, and how much the result looks like a table.

mod named;

use std::collections::{HashMap, HashSet};

pub(super) use named::Named;

use super::ending;
use super::looks::{Field, Look, look};
use super::numbers::Numbers;
use super::sample::{Row, Rows, Sample};
use crate::dialect::Dialect;
use crate::dialect::unquote;
use crate::table::missing::Missing;

/// How many lines before a table may be skipped.
const MOST_SKIPPED: usize = 20;

/// The share of the following rows that must be as long as the first for it to begin a table.
const LEAST_SHARE: f64 = 0.6;

/// The share of a column's values that must be numbers, or times, for it to be a numeric or time column.
const PURE: f64 = 0.9;

/// The weight of a number in a column of text, where it may be a code.
const AMONG_TEXT: f64 = 0.8;

/// How the first row relates to the rows after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum First {
    /// It has the same length.
    Alike,
    /// It names all columns but the first, an index.
    Names,
    /// It has the same length except for a delimiter that ends every other row.
    Unended,
    /// Neither.
    Other,
}

/// A column of a sample.
#[derive(Clone, Debug, Default)]
struct Column<'a> {
    fields: Vec<(&'a [u8], Field)>,
}

impl Column<'_> {
    fn present(&self) -> impl Iterator<Item = Field> {
        self.fields.iter().map(|(_, field)| *field).filter(|field| field.look != Look::Missing)
    }

    /// Numbers or times, if nearly all values are.
    fn form(&self) -> Option<Look> {
        let count = self.present().count();
        let of = |look: Look| self.present().filter(|field| field.look == look).count() as f64 / count as f64;
        [Look::Number, Look::Time].into_iter().find(|&look| count > 0 && of(look) >= PURE)
    }

    /// Whether most values are neither numbers nor times.
    fn is_text(&self) -> bool {
        2 * self.present().filter(|field| field.look.is_formed()).count() < self.present().count()
    }

    /// How much the column supports the reading, from 0 to 1: how uniform it is.
    fn worth(&self) -> f64 {
        let count = self.present().count();
        if count == 0 {
            return Look::Missing.worth();
        }
        let formed = |look: Look| self.present().filter(|field| field.look == look).count() as f64 / count as f64;
        let pure = formed(Look::Number).max(formed(Look::Time));
        if pure >= PURE {
            return pure;
        }
        let worth = |field: Field| if field.look.is_formed() { AMONG_TEXT } else { field.look.worth() };
        self.present().map(worth).sum::<f64>() / count as f64
    }
}

/// The result of reading a sample with a dialect.
#[derive(Clone, Debug)]
pub(super) struct Reading<'a> {
    /// The dialect, including the lines skipped before the table.
    pub dialect: Dialect,
    /// The number of fields in most rows.
    pub width: usize,
    /// How much it looks like a table, from 0 to 1.
    pub score: f64,
    pub named: Named,
    pub has_index: bool,
    /// Whether some row has a wrong quote.
    pub has_wrong_quotes: bool,
    first: First,
    beginning: Rows<'a>,
    columns: Vec<Column<'a>>,
}

impl<'a> Reading<'a> {
    /// Reads a sample with a dialect. Returns several readings if the first line may precede the table or may name all
    /// columns but the first, and none if there are no rows.
    pub(super) fn all(sample: &'a Sample, dialect: Dialect, may_skip: bool, missing: &Missing) -> Vec<Self> {
        let mut fallback = None;
        let mut found = Vec::new();
        let starts = sample.line_starts(if may_skip { MOST_SKIPPED } else { 0 });
        for (line, &start) in starts.iter().enumerate() {
            let beginning = sample.rows(dialect, start);
            let Some((width, share)) = shape(&beginning) else { continue };
            let first = first_of(&beginning, width, dialect, missing);
            let is_table = share >= LEAST_SHARE && first != First::Other && (line == 0 || beginning.all.len() > 1);
            let skipped = &sample.beginning[..start];
            if line > 0 && (!is_table || first != First::Alike || width == 1 || !may_precede(skipped, dialect, width)) {
                continue;
            }
            let dialect = Dialect { skip_rows: dialect.skip_rows + line as u64, ..dialect };
            let reading = |first| Self::new(sample, dialect, beginning.clone(), width, first, line > 0, missing);
            if !is_table {
                fallback = fallback.or_else(|| Some(reading(First::Other)));
                continue;
            }
            match (first, is_data(&beginning, width, dialect, missing)) {
                // The first line precedes the names.
                (First::Names, Some(false)) => fallback = fallback.or_else(|| Some(reading(First::Other))),
                (First::Names, None) => found.push(reading(first)),
                _ => {
                    found.push(reading(first));
                    return found;
                }
            }
        }
        if found.is_empty() { fallback.into_iter().collect() } else { found }
    }

    fn new(
        sample: &'a Sample,
        dialect: Dialect,
        beginning: Rows<'a>,
        width: usize,
        first: First,
        is_skipping: bool,
        missing: &Missing,
    ) -> Self {
        let elsewhere = sample.rows_elsewhere(dialect, width);
        let mut columns = vec![Column::default(); width];
        let (mut fitting, mut all) = (0, 0);
        let mut has_wrong_quotes = beginning.all[0].is_wrong;
        let is_alone = beginning.all.len() == 1;
        let pieces =
            std::iter::once((&beginning, usize::from(!is_alone))).chain(elsewhere.iter().map(|rows| (rows, 0)));
        for (rows, from) in pieces {
            for row in &rows.all[from..] {
                all += row.weight;
                has_wrong_quotes |= row.is_wrong;
                if row.is_wrong || row.width() != width {
                    continue;
                }
                fitting += row.weight;
                for (column, field) in columns.iter_mut().zip(rows.fields(row)) {
                    column.fields.push((field, look(field, dialect, missing)));
                }
            }
        }
        let share = fitting as f64 / all.max(1) as f64;
        let mut reading = Self {
            dialect,
            width,
            score: share,
            named: Named::Yes,
            has_index: first == First::Names,
            has_wrong_quotes,
            first,
            beginning,
            columns,
        };
        reading.named = if is_alone { reading.named_alone(missing) } else { reading.named(missing) };
        if reading.named == Named::No && first == First::Alike && !is_alone {
            // The first row is data like the others.
            let fields = reading.beginning.fields(&reading.beginning.all[0]);
            for (column, field) in reading.columns.iter_mut().zip(fields) {
                column.fields.push((field, look(field, dialect, missing)));
            }
        }
        reading.score *= reading.worth() * reading.likelihood(sample, is_skipping, missing);
        reading
    }

    /// How much the columns support the reading.
    fn worth(&self) -> f64 {
        let ends_empty = self.width > 1 && self.columns.last().is_some_and(|last| last.present().next().is_none());
        let columns = &self.columns[..self.width - usize::from(ends_empty)];
        columns.iter().map(Column::worth).sum::<f64>() / columns.len().max(1) as f64
    }

    /// How likely the reading is, regardless of its columns.
    fn likelihood(&self, sample: &Sample, is_skipping: bool, missing: &Missing) -> f64 {
        let Dialect { delimiter, quote, escape, comment, .. } = self.dialect;
        let mut factor = match self.first {
            First::Alike => 1.0,
            // A single name may be a title, with any two-column table after it.
            First::Names if self.width == 2 => 0.6,
            First::Unended | First::Names => 0.95,
            First::Other => 0.5,
        };
        if is_skipping && self.first == First::Alike {
            // If no names follow, the skipped line may hold them.
            factor *= if self.named == Named::No { 0.6 } else { 0.85 };
            if self.dialect.skip_initial_space || self.dialect.skip_final_space {
                // Prose with quoted words also has a shorter line before it.
                factor *= 0.65;
            }
        }
        factor *= if quote == Some(b'"') { 1.0 } else { 0.95 };
        factor *= if escape.is_none() { 1.0 } else { 0.95 };
        if let Some(comment) = comment {
            factor *= if self.comments_are_rows(sample, comment) { 0.75 } else { 0.97 };
        }
        if let Some(row) = self.beginning.all.first() {
            let left = self.beginning.fields(row).filter(|field| look(field, self.dialect, missing).look == Look::Left);
            factor *= 1.0 - 0.5 * left.count() as f64 / row.width().max(1) as f64;
        }
        if self.width == 1 {
            return factor * self.likelihood_of_one_column();
        }
        if self.is_doubled() {
            return factor * 0.3;
        }
        match delimiter {
            b' ' => factor * self.likelihood_of_spaces(sample),
            b':' => factor * 0.8,
            _ => factor,
        }
    }

    /// Whether the lines that start with the comment byte are as long as the other rows and are not just the header.
    fn comments_are_rows(&self, sample: &Sample, comment: u8) -> bool {
        let plain = Dialect { comment: None, ..self.dialect };
        let rows = sample.rows(plain, 0);
        let marked = |row: &&Row| rows.fields(row).next().is_some_and(|field| field.first() == Some(&comment));
        let commented = rows.all.iter().filter(marked);
        let alike = commented.clone().filter(|row| row.width() == self.width).count();
        2 * alike > commented.count()
    }

    fn likelihood_of_one_column(&self) -> f64 {
        // Any text can be read as one column.
        const ONE: f64 = 0.8;
        let fields = &self.columns[0].fields;
        let count = fields.len().max(1);
        let share = |is: &dyn Fn(&[u8], Look) -> bool| {
            fields.iter().filter(|(text, field)| is(text, field.look)).count() as f64 / count as f64
        };
        let has = |text: &[u8], byte: u8| text.contains(&byte);
        // Numbers with commas or spaces may be several fields.
        let may_be_several =
            |text: &[u8], look: Look| look == Look::Number && (has(text, b',') || has(text.trim_ascii(), b' '));
        let is_aligned = |text: &[u8], _: Look| text.trim_ascii().windows(2).any(|pair| pair == b"  ");
        let is_doubled = |text: &[u8], _: Look| text.windows(2).any(|pair| pair == b"::" || pair == b"||");
        if share(&is_aligned) > 0.5 || share(&is_doubled) > 0.9 {
            return 0.3;
        }
        if share(&may_be_several) > 0.5 { 0.7 * ONE } else { ONE }
    }

    /// Whether every second column is empty, because the real delimiter has two characters.
    fn is_doubled(&self) -> bool {
        let is_empty = |column: &Column<'_>| column.fields.iter().all(|(text, _)| text.is_empty());
        let is_named = |row: &Row| self.beginning.fields(row).skip(1).step_by(2).any(|field| !field.is_empty());
        if self.beginning.all.first().is_some_and(is_named) {
            return false;
        }
        self.width > 2
            && self.width % 2 == 1
            && self.columns.iter().skip(1).step_by(2).all(is_empty)
            && !self.columns.iter().all(is_empty)
    }

    /// Every text contains spaces. They delimit columns if the columns hold numbers or are aligned.
    fn likelihood_of_spaces(&self, sample: &Sample) -> f64 {
        let formed = self.columns.iter().filter(|column| column.form().is_some()).count();
        let is_aligned = |line: &[u8]| line.starts_with(b" ") || line.trim_ascii().windows(2).any(|pair| pair == b"  ");
        let lines: Vec<_> = sample.lines().filter(|line| !line.trim_ascii().is_empty()).collect();
        let aligned = lines.iter().filter(|line| is_aligned(line)).count();
        let is_quoted = |column: &Column| column.fields.iter().all(|(text, _)| text.len() > 1 && text[0] == b'"');
        if formed == self.width || 2 * aligned > lines.len() || self.columns.iter().any(is_quoted) {
            1.0
        } else if self.width > 2 && 2 * formed >= self.width {
            0.9
        } else if formed > 0 {
            0.75
        } else {
            0.6
        }
    }

    /// Whether the first row has as many fields as the rows after it.
    pub(super) fn begins_alike(&self) -> bool {
        self.first == First::Alike
    }

    /// Statistics of the numeric columns.
    pub(super) fn numbers(&self) -> Numbers {
        let mut numbers = Numbers::default();
        let no_quotes = Dialect { escape: None, ..self.dialect };
        // Such a column may contain words that mean "no value".
        let is_number = |field: &Field| field.look == Look::Number || !field.dressed.is_empty();
        let has_numbers =
            |column: &&Column<'_>| 2 * column.present().filter(is_number).count() > column.present().count();
        for column in self.columns.iter().filter(has_numbers) {
            let texts: Vec<_> = column.fields.iter().map(|(text, field)| (unquote(text, no_quotes), field)).collect();
            let fields: Vec<_> = texts.iter().map(|(text, field)| (&**text, field.notations)).collect();
            numbers.add(&fields);
            numbers.add_dressed(column.fields.iter().map(|(_, field)| field.dressed));
        }
        numbers
    }

    /// The text of the first `most` data rows, unquoted.
    pub(super) fn data(&self, most: usize) -> Vec<Vec<String>> {
        let named = usize::from(self.named != Named::No);
        let rows = self.beginning.all.iter().skip(named).take(most);
        let text = |field: &[u8]| String::from_utf8_lossy(&self.dialect.text(field)).into_owned();
        rows.map(|row| self.beginning.fields(row).map(text).collect()).collect()
    }

    /// Whether each row ends with a delimiter followed by nothing, including the first row unless it has one field
    /// less.
    pub(super) fn ends_empty(&self, is_named: bool) -> bool {
        let is_blank = |row: &Row| self.beginning.fields(row).last().is_some_and(|last| self.dialect.is_blank(last));
        let [first, body @ ..] = &self.beginning.all[..] else { return false };
        let is_whole = |row: &&Row| row.width() == self.width && !row.is_wrong;
        let ends_empty = body.iter().take(ending::MOST_ROWS).filter(is_whole).all(is_blank);
        match self.first {
            First::Alike => self.width > 1 && is_blank(first) && ends_empty,
            First::Unended => is_named && ends_empty && body.iter().all(|row| row.width() + 1 != self.width),
            First::Names | First::Other => false,
        }
    }

    /// The names of the columns, if the file gives them.
    pub(super) fn names(&self) -> Option<Vec<String>> {
        let row = self.beginning.all.first().filter(|_| self.named != Named::No)?;
        let text = |field: &[u8]| String::from_utf8_lossy(&self.dialect.text(field)).into_owned();
        let index = self.has_index.then(String::new);
        Some(index.into_iter().chain(self.beginning.fields(row).map(text)).collect())
    }
}

/// The most frequent width among rows with several fields, and the share of rows after the first that have it.
fn shape(rows: &Rows<'_>) -> Option<(usize, f64)> {
    let body = if rows.all.len() > 1 { &rows.all[1..] } else { &rows.all[..] };
    let first = rows.all.first()?.width();
    let mut counts: HashMap<usize, usize> = HashMap::new();
    for row in body.iter().filter(|row| !row.is_wrong && row.width() > 1) {
        *counts.entry(row.width()).or_default() += 1;
    }
    let width = counts.into_iter().max_by_key(|&(width, count)| (count, width == first, width));
    let width = width.map_or(1, |(width, _)| width);
    let all: usize = body.iter().map(|row| row.weight).sum();
    let fits = body.iter().filter(|row| row.width() == width && !row.is_wrong).count();
    Some((width, fits as f64 / all.max(1) as f64))
}

fn first_of(rows: &Rows<'_>, width: usize, dialect: Dialect, missing: &Missing) -> First {
    let first = rows.all.first().filter(|row| !row.is_wrong).map(Row::width);
    if first == Some(width) {
        return First::Alike;
    }
    if first.is_none_or(|first| first + 1 != width) {
        return First::Other;
    }
    let body: Vec<_> = rows.all[1..].iter().filter(|row| row.width() == width && !row.is_wrong).collect();
    let is_missing = |field: &[u8]| look(field, dialect, missing).look == Look::Missing;
    if body.iter().take(ending::MOST_ROWS).all(|row| rows.fields(row).last().is_some_and(is_missing)) {
        return First::Unended;
    }
    // Row names are present and distinct.
    let names: Option<HashSet<_>> =
        body.iter().map(|row| rows.fields(row).next().filter(|field| !is_missing(field))).collect();
    let is_index = names.is_some_and(|names| names.len() == body.len()) && body.len() == rows.all.len() - 1;
    if is_index { First::Names } else { First::Other }
}

/// Whether the second row is data, judged by the columns of numbers below it; `None` if there are none.
fn is_data(rows: &Rows<'_>, width: usize, dialect: Dialect, missing: &Missing) -> Option<bool> {
    let looks = |row: &Row| rows.fields(row).map(|field| look(field, dialect, missing).look).collect::<Vec<_>>();
    let second = looks(rows.all.get(1)?);
    let below: Vec<_> = rows.all[2..].iter().filter(|row| row.width() == width && !row.is_wrong).map(looks).collect();
    if below.is_empty() {
        return second.iter().any(|look| look.is_formed()).then_some(true);
    }
    let is_formed = |at: &usize| below.iter().all(|looks| looks[*at].is_formed() || looks[*at] == Look::Missing);
    let formed: Vec<_> = (0..width.min(second.len())).filter(is_formed).collect();
    if formed.is_empty() {
        return None;
    }
    Some(formed.iter().all(|&at| second[at].is_formed() || second[at] == Look::Missing))
}

/// Whether these lines can precede a table: each has fewer fields or is a sentence.
fn may_precede(lines: &[u8], dialect: Dialect, width: usize) -> bool {
    let mut lines = lines.split(|&byte| byte == b'\n');
    lines.all(|line| {
        let count = memchr::memchr_iter(dialect.delimiter, line).count();
        let spaced = line.windows(2).filter(|pair| *pair == [dialect.delimiter, b' ']).count();
        // A line that ends with a backslash continues.
        let goes_on = line.trim_ascii_end().ends_with(b"\\");
        !goes_on && (count + 1 < width || dialect.delimiter == b' ' || count == spaced)
    })
}
