//! Compares the head of a whole file, and its batches for any number of threads, with a naive reader.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use crate::batch::{Batches, NextBatch, Remainder};
use crate::budget::Budget;
use crate::choose::Step;
use crate::dialect::Dialect;
use crate::epoch::selection::Selection;
use crate::epoch::{Rows, in_order};
use crate::error::{Error, Kind};
use crate::head::{Head, Header, read_head};
use crate::oracle::{self, Table, Wrong};
use crate::passes::row_index::RowIndex;
use crate::passes::sequential;
use crate::pipeline::Pipeline;
use crate::rows::Block;
use crate::rows::rejects::REMEMBERED;
use crate::rows::{Buffer, Widths};
use crate::simd::Simd;
use crate::source::{CarriageReturns, MemorySource, Source};
use crate::table::ids::Ids;
use crate::table::missing::Value;
use crate::table::missing::{MISSING, Missing};
use crate::table::parts::{self, Bytes, Layout, Part, PartColumns, Parts};
use crate::table::schema::{MissingTarget, OnError, Schema};
use crate::value::number::Forms;
use arbitrary::Arbitrary;

use super::{Marks, naive_value, spell, wrong_row};

const LETTERS: &[u8] = b"123,,,;\t\n\n\r\"'.-e x\\#";
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";
const MAX_ROW: usize = 1 << 20;

/// Fields from which files are built. Their delimiters and quotes are special in a single dialect and wrong in the
/// others.
const FIELDS: [&str; 36] = [
    "1",
    "-2.5",
    "123456",
    "9",
    "0.125000",
    "-7.250000000000000000e-01",
    "16777217",
    "3.4028235677973366e38",
    "0.30000001192092896",
    "1e5",
    "1e-46",
    "+3",
    " 4\t",
    "\"5\"",
    "' 6 '",
    "",
    "NA",
    "-9",
    "nan",
    "inf",
    "1.00000005960464477539062500000000000000000000001",
    "00000000000000000000000000000000000000000000000012",
    "12345678901234567890e-19",
    ".5",
    "\\4",
    "1'234'567",
    "#",
    "\\",
    "\"a,\nb\"\"\"",
    "'a;\r\n'",
    "word",
    "1.2.3",
    "7,8",
    "\"a",
    "\"a\"b",
    "\0",
];

/// A file and how to read it.
#[derive(Arbitrary, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a choice of its own")]
pub struct Input<'a> {
    marks: Marks,
    threads: u8,
    block_bytes: u8,
    window: u8,
    batch_size: u8,
    drop_remainder: bool,
    missing_target: Policy,
    /// Whether wrong rows are skipped, and how many may be.
    skip: bool,
    max_rejects: Option<u8>,
    /// Whether some missing tokens are numbers.
    missing_numbers: bool,
    features: Features,
    target: Option<u8>,
    weight: Option<u8>,
    /// A second weight, as an output of a model has it.
    other_weight: Option<u8>,
    /// Whether each row has one more weight, which is 1.
    unit_weights: bool,
    /// Whether the rows repeat in a second part, whose columns are rotated by this number of places.
    again: Option<u8>,
    writing: Writing,
    /// Whether lines end with a carriage return alone.
    returns: bool,
    bytes: &'a [u8],
}

/// How the bytes become a file.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Writing {
    AsTheyAre,
    Letters,
    /// One field for each byte, with this number of fields in a row.
    Fields(u8),
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Policy {
    Raise,
    Skip,
    Keep,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Features {
    All,
    ButTheTarget,
    Two(u8, u8),
}

/// Rows as features, targets and weights; the error that ends them; and the rejects among them.
#[derive(Debug, PartialEq)]
struct Found {
    rows: Vec<[Vec<u32>; 3]>,
    wrong: Option<Place>,
    rejects: Vec<Place>,
}

/// An offset, a column, and the problem there.
type Place = (usize, Option<usize>, Problem);

/// The problem that an error reports.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Problem {
    TooMany,
    Row(Wrong),
    Number,
    Nul,
    Target,
    Weight,
}

impl Input<'_> {
    /// Compares the batches of every instruction set with those of the naive reader.
    ///
    /// # Panics
    ///
    /// If they differ.
    pub fn check(&self) {
        let dialect = self.marks.dialect();
        let mut bytes = self.file(dialect.delimiter);
        if self.returns {
            bytes.retain(|&byte| byte != b'\r');
        }
        if bytes.windows(4).any(|name| name.eq_ignore_ascii_case(b"sep=")) {
            // The line may be skipped as a separator line.
            return;
        }
        if bytes.iter().rfind(|byte| !b"\r\n".contains(byte)).is_some_and(|byte| b"\0\x1A".contains(byte)) {
            // Padding after the last line is no row.
            return;
        }
        let source: Arc<dyn Source> = if self.returns {
            let written = bytes.iter().map(|&byte| if byte == b'\n' { b'\r' } else { byte });
            Arc::new(CarriageReturns(MemorySource::new(written.collect::<Vec<_>>())))
        } else {
            Arc::new(MemorySource::new(bytes.clone()))
        };
        let tokens: Vec<&str> = if self.missing_numbers { vec!["NA", "-9", "0.125"] } else { MISSING.to_vec() };
        let missing = Missing::of(&tokens, dialect);
        let on_error = OnError::Raise;
        let Ok(head) = read_head(&*source, dialect, &Header::Auto, &missing, on_error, MAX_ROW) else { return };
        // Other tests cover rows that end with a delimiter and rows with an index.
        if !head.has_rows || head.ends_empty() || head.reference.contains("index") {
            return;
        }
        check_head(&bytes, dialect, &tokens, &head);

        let data_start = head.data_start;
        let schema = Arc::new(self.schema(head, missing));
        let mut parts = vec![Part { bytes: Bytes::Source(source), data_start, layout: None }];
        let mut naive = Found { rows: vec![], wrong: None, rejects: vec![] };
        let naive_reader = NaiveReader { dialect, schema: &schema, tokens: &tokens };
        let rows = &bytes[data_start as usize..];
        let newlines = |row: &Vec<u8>| memchr::memchr_iter(b'\n', row).count();
        if oracle::lines(rows, dialect).0.iter().map(newlines).any(|lines| lines > 10) {
            // A quoted field of so many lines may have rows in it, which other tests cover.
            return;
        }
        naive_reader.read(rows, data_start as usize, None, &mut naive);
        if let Some(further) = self.again {
            let count = schema.columns.len();
            let layout = PartColumns::reordered((0..count).map(|column| (column + usize::from(further)) % count));
            parts.push(Part { layout: Some(Arc::clone(&layout)), ..parts[0].clone() });
            // One byte between two parts belongs to neither.
            let start = bytes.len() + 1 + data_start as usize;
            naive_reader.read(rows, start, Some(&layout), &mut naive);
        }
        let parts = Arc::new(Parts::new(parts));
        let budget = Budget {
            threads: 1 + usize::from(self.threads % 3),
            block_bytes: 1 + usize::from(self.block_bytes),
            window: 1 + usize::from(self.window % 5),
            max_row: MAX_ROW,
            ahead: usize::from(self.window) * 100,
        };
        let slice_bytes = 1 + u64::from(self.batch_size);
        let table =
            |simd| crate::table::Table { parts: Arc::clone(&parts), dialect, schema: Arc::clone(&schema), simd };
        if naive.wrong.is_none() {
            let row_index = RowIndex::make(&table(Simd::Portable), budget, slice_bytes, || Ok::<_, Error>(()));
            let steps = [Step::Shard { index: 0, count: 1, batch_size: 1, drop_remainder: false }];
            let row_index = Arc::new(row_index.unwrap());
            assert_eq!(row_index.rows(), naive.rows.len() as u64);
            let rejects: Vec<_> = row_index.rejects().list().iter().map(|reject| place(&reject.error)).collect();
            assert_eq!(rejects, naive.rejects[..naive.rejects.len().min(REMEMBERED)]);
            assert_eq!(row_index.left_out(), naive.rejects.len() as u64);
            // The only shard of one contains all rows, found slice by slice.
            let all =
                Selection::make(&table(Simd::Portable), row_index, &steps, budget, || Ok::<_, Error>(())).unwrap();
            for simd in Simd::available() {
                let rows = Rows::new(table(simd), Arc::clone(&all), None, true);
                let (pipeline, _) = in_order(rows, budget, 0).unwrap();
                let (rows, error) = read(pipeline, &schema, usize::MAX, false);
                assert_eq!(rows, naive.rows, "{simd:?}: {}", bytes.escape_ascii());
                assert!(error.is_none_or(|error| matches!(error.kind, Kind::Empty(_))));
            }
        }
        let batch_size = 1 + usize::from(self.batch_size % 32);
        let every_row_is_left_out = naive.rows.is_empty();
        if naive.wrong.is_some() || self.drop_remainder {
            naive.rows.truncate(naive.rows.len() / batch_size * batch_size);
        }
        for simd in Simd::available() {
            let pipeline = sequential::read(&table(simd), budget, false).unwrap();
            let (rows, error) = read(pipeline, &schema, batch_size, self.drop_remainder);
            let is_empty = |error: &Error| matches!(error.kind, Kind::Empty(_)) && every_row_is_left_out;
            let wrong = error.filter(|error| !is_empty(error)).map(|error| place(&error));
            let found = Found { rows, wrong, rejects: naive.rejects.clone() };
            assert_eq!(found, naive, "{simd:?}: {}", bytes.escape_ascii());
        }
    }

    fn file(&self, delimiter: u8) -> Vec<u8> {
        let columns = match self.writing {
            Writing::AsTheyAre => return spell(self.bytes, None),
            Writing::Letters => return spell(self.bytes, Some(LETTERS)),
            Writing::Fields(columns) => 1 + usize::from(columns % 6),
        };
        let mut file = vec![];
        for (at, &byte) in self.bytes.iter().enumerate() {
            // Fields that end the reading are rare.
            let common = if byte < 250 { 26 } else { FIELDS.len() };
            file.extend_from_slice(FIELDS[usize::from(byte) % common].as_bytes());
            if (at + 1) % columns > 0 {
                file.push(delimiter);
            } else {
                file.extend_from_slice([&b"\n"[..], b"\r\n", b"\n", b"\n\r\n"][usize::from(byte) / 32 % 4]);
            }
        }
        file
    }

    fn schema(&self, head: Head, missing: Missing) -> Schema {
        let count = head.columns.len();
        let place = |column: u8| usize::from(column) % count;
        let target = self.target.map(place);
        let is_weight = |weight: &usize| target.is_some_and(|target| target != *weight);
        let mut features: Vec<usize> = match self.features {
            Features::All => (0..count).collect(),
            Features::ButTheTarget => (0..count).filter(|&column| Some(column) != target).collect(),
            Features::Two(one, other) => vec![place(one), place(other)],
        };
        features.dedup();
        if features.is_empty() {
            features.push(0);
        }
        Schema {
            columns: head.columns,
            reference: head.reference,
            features,
            targets: target.into_iter().collect(),
            weights: [self.weight, self.other_weight].into_iter().flatten().map(place).filter(is_weight).collect(),
            encodings: Vec::new(),
            forms: Forms::default(),
            missing,
            missing_target: match self.missing_target {
                Policy::Raise => MissingTarget::Raise,
                Policy::Skip => MissingTarget::Skip,
                Policy::Keep => MissingTarget::Keep,
            },
            on_error: if self.skip { OnError::Skip } else { OnError::Raise },
            max_rejects: self.max_rejects.filter(|_| self.skip).map(|most| u64::from(most % 8)),
            fill: Vec::new(),
            unit_weights: self.unit_weights,
            ids: Ids::default(),
        }
    }
}

/// Checks that the first row names the columns if one of its fields is neither a number nor missing.
fn check_head(bytes: &[u8], dialect: Dialect, tokens: &[&str], head: &Head) {
    let mark = if bytes.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
    let text = &bytes[mark..];
    let Table { rows, .. } = oracle::table(text, dialect, None);
    let first = rows.first().expect("a row");
    assert_eq!(head.columns.len(), first.len());
    let is_header = first.iter().any(|field| naive_value(&text[field.clone()], dialect, tokens) == Value::Other);
    let after = first[first.len() - 1].end;
    let newline = text[after..].iter().position(|&byte| byte == b'\n');
    let data_start = if is_header { after + newline.expect("rows after the header") + 1 } else { 0 };
    assert_eq!(head.data_start as usize, mark + data_start, "{}", bytes.escape_ascii());
}

/// Reads the rows one by one and field by field.
struct NaiveReader<'a> {
    dialect: Dialect,
    schema: &'a Schema,
    tokens: &'a [&'a str],
}

impl NaiveReader<'_> {
    /// Reads the rows of a part that starts at `start`, unless an earlier error ended the reading.
    fn read(&self, text: &[u8], mut start: usize, layout: Option<&Layout>, found: &mut Found) {
        let Self { dialect, schema, .. } = *self;
        if found.wrong.is_some() {
            return;
        }
        let columns = Some(schema.columns.len());
        let data_start = start;
        let (lines, unclosed) = match schema.on_error {
            OnError::Skip => oracle::lines(text, dialect),
            OnError::Raise => (vec![text.to_vec()], None),
        };
        for line in lines {
            let table = oracle::table(&line, dialect, columns);
            let mut wrong = table.wrong.map(|(at, wrong)| (start + at, None, Problem::Row(wrong)));
            for row in &table.rows {
                match self.read_row(&line, row, layout) {
                    Ok(values) => found.rows.extend(values),
                    Err((at, column, problem)) => {
                        wrong = Some((start + at, column, problem));
                        break;
                    }
                }
            }
            start += line.len();
            let Some(wrong) = wrong else { continue };
            if schema.on_error == OnError::Raise {
                found.wrong = Some(wrong);
                return;
            }
            if schema.max_rejects == Some(found.rejects.len() as u64) {
                found.wrong = Some((wrong.0, wrong.1, Problem::TooMany));
                return;
            }
            found.rejects.push(wrong);
        }
        found.wrong = unclosed.map(|(at, wrong)| (data_start + at, None, Problem::Row(wrong)));
    }

    /// The values of a row; `None` if it is skipped because its target or weight is missing; or its error.
    fn read_row(
        &self,
        text: &[u8],
        row: &[Range<usize>],
        layout: Option<&Layout>,
    ) -> Result<Option<[Vec<u32>; 3]>, Place> {
        let Self { dialect, schema, tokens } = *self;
        let parts = [&schema.features[..], &schema.targets, &schema.weights[..]];
        let mut is_kept = true;
        let mut values = [vec![], vec![], vec![]];
        let mut wrong: Option<(usize, Place)> = None;
        for (part, columns) in parts.iter().enumerate() {
            for &column in *columns {
                let at = layout.map_or(column, |layout| field_of(layout, column));
                let field: Range<usize> = row[at].clone();
                let begins_row = field.start == 0 || text[field.start - 1] == b'\n';
                let mark = if begins_row { BYTE_ORDER_MARK } else { b"" };
                let field_text = text[field.clone()].strip_prefix(mark).unwrap_or(&text[field.clone()]);
                let problem = match naive_value(field_text, dialect, tokens) {
                    Value::Number(number) => {
                        values[part].push(number.to_bits());
                        continue;
                    }
                    Value::Missing if part > 0 && schema.missing_target == MissingTarget::Skip => {
                        is_kept = false;
                        continue;
                    }
                    Value::Missing if part == 0 || schema.missing_target == MissingTarget::Keep => {
                        values[part].push(f32::NAN.to_bits());
                        continue;
                    }
                    Value::Missing if part == 1 => Problem::Target,
                    Value::Missing => Problem::Weight,
                    Value::Other if field_text.contains(&0) => Problem::Nul,
                    Value::Other => Problem::Number,
                };
                // Of several errors in a row, the first in the file counts. Fields that a short row lacks share a place.
                if wrong.is_none_or(|(first, _)| at < first) {
                    wrong = Some((at, (field.start, Some(column), problem)));
                }
            }
        }
        values[2].extend(schema.unit_weights.then_some(1_f32.to_bits()));
        wrong.map_or(Ok(is_kept.then_some(values)), |(_, wrong)| Err(wrong))
    }
}

/// Reads all batches and returns their rows and the error that ended them. Checks the size of each batch.
fn read(
    pipeline: Pipeline<Block>,
    schema: &Schema,
    size: usize,
    drop_remainder: bool,
) -> (Vec<[Vec<u32>; 3]>, Option<Error>) {
    let widths = Widths::of(schema);
    let remainder = if drop_remainder { Remainder::Drop } else { Remainder::Keep };
    let mut batches = Batches::new(pipeline, widths, size, remainder).allowing(schema.max_rejects);
    let mut rows = vec![];
    loop {
        match batches.next(Duration::from_secs(60)) {
            Ok(NextBatch::Batch(batch)) => {
                assert!(rows.len() % size == 0, "only the last batch is short");
                let count = batch.rows.len();
                assert!(count == size || (0 < count && count < size && !drop_remainder));
                let arrays = batch.block.arrays();
                let bits = |buffer: &Buffer, width: usize, row: usize| {
                    buffer.values(row * width..(row + 1) * width).iter().map(|value| value.to_bits()).collect()
                };
                rows.extend(batch.rows.map(|row| {
                    [
                        bits(&arrays.features, widths.features, row),
                        bits(&arrays.targets, widths.targets, row),
                        bits(&arrays.weights, widths.weights, row),
                    ]
                }));
            }
            Ok(NextBatch::Pending) => panic!("nothing within a minute"),
            Ok(NextBatch::End) => return (rows, None),
            Err(error) => {
                assert!(matches!(batches.next(Duration::ZERO), Ok(NextBatch::End)), "nothing comes after an error");
                return (rows, Some(error));
            }
        }
    }
}

fn field_of(layout: &Layout, column: usize) -> usize {
    match layout.places[column] {
        parts::Place::Field(field) => field,
        _ => panic!("a column without a field"),
    }
}

fn place(error: &Error) -> Place {
    let problem = problem(&error.kind).unwrap_or_else(|| panic!("{error:?}"));
    (error.offset.expect("a place") as usize, error.column, problem)
}

fn problem(kind: &Kind) -> Option<Problem> {
    Some(match kind {
        Kind::TooManyRejects { .. } => Problem::TooMany,
        Kind::Number(_) | Kind::Notation(_) | Kind::Form(..) | Kind::SpaceBeforeQuote => Problem::Number,
        Kind::Nul => Problem::Nul,
        Kind::MissingTarget("target") => Problem::Target,
        Kind::MissingTarget(_) => Problem::Weight,
        kind => Problem::Row(wrong_row(kind)?),
    })
}
