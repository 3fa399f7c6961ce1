//! Samples rows of a table as text, to inspect a table before reading it, and tells what single texts would be read as.

use std::io::{self, Write};
use std::ops::Range;
use std::sync::Arc;

use memchr::{memchr, memrchr};

use crate::budget::Size;
use crate::dialect::{BadQuote, Dialect, Encoding};
use crate::error::{Error, Kind, Result};
use crate::index::Careful;
use crate::pipeline::{Done, Jobs, Pipeline, Worker};
use crate::source::{Codec, Source, Stream, Transcoding};
use crate::split::Splitter;
use crate::table::Table;
use crate::table::missing::Missing;
use crate::table::parts::{Bytes, PartColumns, Parts, Place};
use crate::table::schema::OnError;
use crate::text::Text;
use crate::value::number::{Forms, Notation};
use crate::value::{Date, Duration, Part, boolean};

/// Bytes of text in a piece.
const PIECE: Size = Size { usual: 64 << 10, small: 128 };

/// Longest row allowed.
const MAX_ROW: usize = 16 << 20;

/// Bytes to read at each of several places.
const SLICE: Size = Size { usual: 64 << 10, small: 256 };

/// How many wrong rows are kept.
const MOST_WRONG: usize = 1000;

/// How much of a table to sample.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// Maximum number of rows from the beginning.
    pub rows: usize,
    /// Bytes of fields after which to stop.
    pub bytes: u64,
    /// The number of additional places, spread over a table that can be read anywhere. The last one is its end.
    pub places: u64,
}

/// Some rows of a table.
#[derive(Debug, Default)]
pub struct Sample {
    /// The text of each field, for rows with as many fields as the table has columns.
    pub rows: Vec<Vec<String>>,
    /// How many of `rows` are the first rows of the table, without gaps.
    pub first: usize,
    /// The fields of some wrong rows, each with the number of `rows` before it.
    pub wrong: Vec<(usize, Vec<String>)>,
    /// The number of wrong rows.
    pub wrong_count: u64,
    /// Whether the sample is the whole table.
    pub is_whole: bool,
    /// The error that ended the reading early.
    pub error: Option<Error>,
}

/// Why reading ends.
enum End<E> {
    Enough,
    Wrong(Error),
    Stopped(E),
}

impl<E> From<Error> for End<E> {
    fn from(error: Error) -> Self {
        Self::Wrong(error)
    }
}

/// A row: its fields, and whether their number is right.
type Row = (Vec<String>, bool);

/// Samples rows of a table. Calls `check` several times a second and stops at the first error that it returns.
pub fn sample<E: From<Error>>(
    table: &Table,
    wanted: Wanted,
    mut check: impl FnMut() -> std::result::Result<(), E>,
) -> std::result::Result<Sample, E> {
    let mut found = Sample::default();
    let mut bytes = 0;
    let mut seen = 0;
    let take = |(rows, text_end): (Vec<Row>, u64)| {
        seen = text_end;
        for (fields, is_right) in rows {
            if found.rows.len() >= wanted.rows || bytes >= wanted.bytes {
                return Err(End::Enough);
            }
            bytes += fields.iter().map(|field| field.len() as u64 + 1).sum::<u64>();
            found.add(fields, is_right);
        }
        Ok(())
    };
    match texts(table)?.drain(take, || check().map_err(End::Stopped)) {
        Ok(()) => found.is_whole = true,
        Err(End::Enough) => {}
        Err(End::Wrong(error)) => found.error = Some(error),
        Err(End::Stopped(error)) => return Err(error),
    }
    found.first = found.rows.len();
    if !found.is_whole && found.error.is_none() && !table.parts.has_streams() {
        let lengths: Vec<u64> =
            (0..table.parts.count()).map(|part| table.parts.part(part).data_length().unwrap_or_default()).collect();
        let whole = lengths.iter().sum::<u64>();
        let most = (wanted.rows as u64).div_ceil(wanted.places.max(1)) as usize;
        for place in 1..=wanted.places {
            check()?;
            // The last byte of the slice, counted over the rows of all parts, then over those of a single part.
            let mut last = (u128::from(whole) * u128::from(place) / u128::from(wanted.places)) as u64;
            let part = lengths.iter().position(|&length| {
                let is_here = last <= length;
                last -= if is_here { 0 } else { length };
                is_here
            });
            let Some(part) = part else { break };
            let first = last.saturating_sub((SLICE.get() as u64).min(whole / wanted.places));
            if table.parts.data_start(part) + first >= seen {
                found.add_slice(table, part, first..last, most)?;
            }
        }
    }
    Ok(found)
}

/// Writes a table as text, up to the end of the row at which it exceeds about `most` bytes. Returns whether this is the
/// whole table. Of several parts, writes only the first.
pub fn copy<E: From<Error>>(
    table: &Table,
    most: u64,
    out: &mut impl Write,
    mut check: impl FnMut() -> std::result::Result<(), E>,
) -> std::result::Result<bool, E> {
    let failed = |error: io::Error| Error::from(Kind::Unwritten(error));
    let part = table.parts.part(0).clone();
    let mut head = vec![0; part.data_start as usize];
    match &part.bytes {
        Bytes::Source(source) => source.read_at(0, &mut head)?,
        Bytes::Stream(stream) => {
            stream.open(0)?.fill(&mut head)?;
        }
    }
    out.write_all(&head).map_err(failed)?;
    let mut written = head.len() as u64;
    let first = Table { parts: Arc::new(Parts::new(vec![part])), ..table.clone() };
    let jobs = Copying(splitter(&first));
    let take = |text: Vec<u8>| {
        if written > 0 && written + text.len() as u64 > most {
            return Err(End::Enough);
        }
        out.write_all(&text).map_err(failed)?;
        written += text.len() as u64;
        Ok(())
    };
    let copied = Pipeline::run(jobs, 1, 4)?.drain(take, || check().map_err(End::Stopped));
    out.flush().map_err(failed)?;
    match copied {
        Ok(()) => Ok(true),
        Err(End::Enough) => Ok(false),
        Err(End::Wrong(error)) => Err(error.into()),
        Err(End::Stopped(error)) => Err(error),
    }
}

/// The first `length` bytes of the text of a source, or fewer, and whether they are all of it.
pub fn beginning(source: &Arc<dyn Source>, transcoding: Transcoding, length: usize) -> Result<(Vec<u8>, bool)> {
    let mut bytes = vec![0; length + 1];
    let filled = if let Some(stream) = Stream::with(source, Codec::of_source(&**source)?, transcoding) {
        stream.open(0)?.fill(&mut bytes)?
    } else {
        let filled = source.len().min(bytes.len() as u64) as usize;
        source.read_at(0, &mut bytes[..filled])?;
        filled
    };
    bytes.truncate(filled.min(length));
    Ok((bytes, filled <= length))
}

/// How to read a text.
pub enum Reading {
    /// As a number.
    Number,
    /// As a number in a form that must be given for its column.
    Form(Forms),
    /// As a duration, in seconds.
    Duration,
    /// As a boolean.
    Boolean,
    /// As a date, in days since 1970.
    Date(Date),
}

impl Reading {
    /// Dates in the given format; `None` is ISO 8601. `Err` explains what is wrong with the format.
    pub fn date(format: Option<&str>) -> std::result::Result<Self, String> {
        Date::new(format, None, &[Part::Days]).map(Self::Date)
    }

    /// Numbers in the named form, if it exists.
    #[must_use]
    pub fn form(name: &str) -> Option<Self> {
        Forms::named(&[name]).ok().map(Self::Form)
    }

    /// The value of a field with this text in a file of the given dialect; `None` if it cannot be read this way.
    #[must_use]
    pub fn value(&self, text: &str, dialect: Dialect) -> Option<f32> {
        match self {
            Self::Number => Notation::of(dialect).parse(&dialect.encoding.bytes_of(text)?),
            // The text is UTF-8 whatever the file is, and so is the sign of a currency in it.
            Self::Form(forms) => forms.parse(text.as_bytes(), Dialect { encoding: Encoding::Utf8, ..dialect }),
            Self::Duration => {
                let duration = Duration::default();
                duration.read(text.as_bytes()).ok().map(|nanos| duration.value(nanos))
            }
            Self::Boolean => boolean(text.as_bytes()).map(|is_true| f32::from(u8::from(is_true))),
            Self::Date(date) => date.read(text.as_bytes()).ok().map(|moment| date.part(&moment, Part::Days)),
        }
    }
}

/// Whether a field with this text is missing.
#[must_use]
pub fn means_nothing(text: &str, missing: &Missing) -> bool {
    missing.contains_word(text)
}

impl Sample {
    fn add(&mut self, fields: Vec<String>, is_right: bool) {
        if is_right {
            self.rows.push(fields);
            return;
        }
        self.wrong_count += 1;
        if self.wrong.len() < MOST_WRONG {
            self.wrong.push((self.rows.len(), fields));
        }
    }

    /// Adds the last `most` rows of a slice of a part.
    fn add_slice(&mut self, table: &Table, part: usize, slice: Range<u64>, most: usize) -> Result<()> {
        let Table { parts, dialect, schema, .. } = table;
        let part = parts.part(part);
        let Bytes::Source(source) = &part.bytes else { return Ok(()) };
        let mut bytes = vec![0; (slice.end - slice.start) as usize];
        source.read_at(part.data_start + slice.start, &mut bytes)?;
        if Some(slice.end) == part.data_length() {
            bytes.push(b'\n');
        }
        // Use whole lines only, unless the slice begins with the part.
        let begin = if slice.start == 0 { Some(0) } else { memchr(b'\n', &bytes).map(|newline| newline + 1) };
        let (Some(begin), Some(end)) = (begin, memrchr(b'\n', &bytes)) else { return Ok(()) };
        if begin > end {
            return Ok(());
        }
        let layout = part.layout.as_deref();
        let mut best = rows_of(&bytes[begin..=end], *dialect, schema.columns.len(), layout).0;
        let wrong = |rows: &[Row]| rows.iter().filter(|(_, is_right)| !is_right).count();
        if let (Some(quote), true) = (dialect.quote, wrong(&best) > 0) {
            // The slice may begin inside quotes. Then the first row ends what was quoted.
            let mut quoted = vec![quote];
            quoted.extend_from_slice(&bytes[begin..=end]);
            let other = rows_of(&quoted, *dialect, schema.columns.len(), layout).0;
            let other = other.get(1..).unwrap_or_default();
            if wrong(other) < wrong(&best) && other.len() > 1 {
                best = other.to_vec();
            }
        }
        let skipped = best.len().saturating_sub(most);
        for (fields, is_right) in best.into_iter().skip(skipped) {
            self.add(fields, is_right);
        }
        Ok(())
    }
}

fn splitter(table: &Table) -> Splitter {
    let mut table = table.clone();
    Arc::make_mut(&mut table.schema).on_error = OnError::Skip;
    Splitter::of(&table, PIECE.get(), MAX_ROW, false)
}

/// The rows of a table text by text, and the end of each text.
fn texts(table: &Table) -> Result<Pipeline<(Vec<Row>, u64)>> {
    Pipeline::run(Sampling { table: table.clone(), splitter: splitter(table) }, 1, 2)
}

/// The rows of some bytes that end with a newline, up to a quote that is never closed.
fn rows_of(
    bytes: &[u8],
    dialect: Dialect,
    columns: usize,
    layout: Option<&PartColumns>,
) -> (Vec<Row>, Option<BadQuote>) {
    let mut careful = Careful::new(dialect, bytes, 0).skipping_bad_rows(true);
    let mut rows = Vec::new();
    loop {
        let mut fields = Vec::with_capacity(columns);
        let row = match careful.next_row(|field| fields.push(text_of(&bytes[field], dialect))) {
            Ok(Some(row)) => row,
            Ok(None) => return (rows, None),
            Err(bad) => return (rows, Some(bad)),
        };
        let mut is_right = fields.len() == layout.map_or(columns, |layout| layout.fields) && row.stray.is_none();
        if layout.is_some_and(|layout| layout.ends_empty) {
            is_right &= fields.last().is_some_and(|last| dialect.is_blank(last.as_bytes()));
        }
        if let (true, Some(layout)) = (is_right, layout) {
            let text = |place: &Place| match place {
                Place::Field(at) => fields[*at].clone(),
                Place::Value(value) => value.clone(),
                Place::Absent => String::new(),
            };
            fields = layout.places.iter().map(text).collect();
        }
        rows.push((fields, is_right));
    }
}

/// The text of a field. A missing token with an escape, such as `\N`, stays as it is.
fn text_of(field: &[u8], dialect: Dialect) -> String {
    let is_token = matches!(field, [escape, b'N'] if Some(*escape) == dialect.escape);
    let text = if is_token { field.into() } else { dialect.text(field) };
    String::from_utf8_lossy(&text).into_owned()
}

/// Reads the rows of each text.
struct Sampling {
    table: Table,
    splitter: Splitter,
}

impl Jobs<(Vec<Row>, u64)> for Sampling {
    fn count(&self) -> u64 {
        self.splitter.texts()
    }

    fn worker(self: Arc<Self>) -> Worker<(Vec<Row>, u64)> {
        let mut text = Text::default();
        Box::new(move |job| {
            let is_read = self.splitter.read(job, &mut text);
            Done::of_text(is_read, || {
                let Table { dialect, schema, .. } = &self.table;
                let layout = text.layout().map(|layout| &**layout);
                let (rows, bad) = rows_of(text.bytes(), *dialect, schema.columns.len(), layout);
                let error = bad.map(|bad| bad.into_error(text.bytes(), text.offset, *dialect));
                Done { item: Some((rows, text.end_in_source())), error }
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

/// Passes each text on.
struct Copying(Splitter);

impl Jobs<Vec<u8>> for Copying {
    fn count(&self) -> u64 {
        self.0.texts()
    }

    fn worker(self: Arc<Self>) -> Worker<Vec<u8>> {
        let mut text = Text::default();
        Box::new(move |job| {
            let is_read = self.0.read(job, &mut text);
            Done::of_text(is_read, || Done::with(text.bytes().to_vec()))
        })
    }

    fn abandon(&self) {
        self.0.abandon();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle;
    use crate::simd::Simd;
    use crate::source::MemorySource;
    use crate::table::schema::{MissingTarget, Schema, Targets};
    use proptest::prelude::*;

    const COMMA: Dialect = Dialect::new(b',', Some(b'"'));
    const EVERYTHING: Wanted = Wanted { rows: usize::MAX, bytes: u64::MAX, places: 0 };

    fn table(text: &str, dialect: Dialect) -> Table {
        let columns = ["a", "b"].map(String::from).to_vec();
        let schema =
            Schema::resolve(columns, "header", None, &Targets::default(), Missing::default(), MissingTarget::Raise)
                .unwrap();
        let source = Arc::new(MemorySource::new(text.to_owned()));
        Table { parts: Parts::one(source, 0), dialect, schema: Arc::new(schema), simd: Simd::Portable }
    }

    fn take(table: &Table, wanted: Wanted) -> Sample {
        sample(table, wanted, || Ok::<_, Error>(())).unwrap()
    }

    /// Right rows, and wrong rows with the number of right rows before them.
    type Found = (Vec<Vec<String>>, Vec<(usize, Vec<String>)>);

    /// The rows as a [`Sample`] would have them.
    fn naively(text: &str) -> Found {
        let (mut right, mut wrong) = (vec![], vec![]);
        for row in oracle::rows(text.as_bytes(), COMMA) {
            let fields: Vec<_> = row.iter().map(|field| text_of(field, COMMA)).collect();
            if fields.len() == 2 { right.push(fields) } else { wrong.push((right.len(), fields)) }
        }
        (right, wrong)
    }

    fn text() -> impl Strategy<Value = String> {
        let field = "[ab]{0,3}|\"a,b\"|\"a\n\n\"\"b\"|é| a |7";
        let row = prop_oneof![
            9 => (field, field).prop_map(|(a, b)| format!("{a},{b}")),
            1 => prop::collection::vec(field, 1..4).prop_map(|fields| fields.join(",")),
        ];
        prop::collection::vec(row, 1..80).prop_map(|rows| rows.join("\n"))
    }

    proptest! {
        #![proptest_config(crate::checks::cases(60))]

        #[test]
        fn a_whole_sample_is_the_rows_of_the_table(text in text()) {
            let (right, wrong) = naively(&text);
            let found = take(&table(&text, COMMA), EVERYTHING);
            prop_assert!(found.is_whole && found.error.is_none());
            prop_assert_eq!(found.first, found.rows.len());
            prop_assert_eq!(found.wrong_count, wrong.len() as u64);
            prop_assert_eq!((found.rows, found.wrong), (right, wrong));
        }

        #[test]
        fn a_sample_begins_with_the_first_rows(text in text(), rows in 0_usize..50) {
            let (right, _) = naively(&text);
            let found = take(&table(&text, COMMA), Wanted { rows, ..EVERYTHING });
            prop_assert_eq!(found.is_whole, right.len() < rows || (right.len() == rows && found.is_whole));
            prop_assert_eq!(&found.rows[..], &right[..rows.min(right.len())]);
        }

        #[test]
        fn rows_of_other_places_are_rows_of_the_table(rows in 200_usize..400, places in 1_u64..9) {
            let text = (0..rows).map(|at| format!("{at},\"x,\n\n{at}\"\n")).collect::<Vec<_>>().concat();
            let found = take(&table(&text, COMMA), Wanted { rows: 10, places, ..EVERYTHING });
            prop_assert_eq!(found.first, 10);
            prop_assert!(found.rows.len() > 10);
            prop_assert_eq!(found.rows[found.rows.len() - 1].clone(), [format!("{}", rows - 1), format!("x,\n\n{}", rows - 1)]);
            for pair in found.rows.windows(2) {
                let number = |row: &[String]| row[0].parse::<usize>().unwrap();
                prop_assert!(number(&pair[0]) < number(&pair[1]), "no row twice");
            }
        }

        #[test]
        fn a_copy_is_the_beginning_of_the_table(text in text(), most in 1_u64..2000) {
            let mut copied = Vec::new();
            let is_whole = copy(&table(&text, COMMA), most, &mut copied, || Ok::<_, Error>(())).unwrap();
            let whole = format!("{text}\n");
            prop_assert!(whole.as_bytes().starts_with(&copied));
            prop_assert!(!is_whole || copied.len() >= text.len());
            let copied = String::from_utf8(copied).unwrap();
            let (right, _) = naively(&text);
            prop_assert!(right.starts_with(&naively(&copied).0), "no row is cut");
        }
    }

    #[test]
    fn a_quote_that_is_never_closed_ends_a_sample() {
        let found = take(&table("1,2\n3,\"4\n5,6\n", COMMA), EVERYTHING);
        assert_eq!(found.rows, [["1", "2"]]);
        assert!(!found.is_whole);
        assert!(matches!(found.error.unwrap().kind, Kind::UnclosedQuote));
    }

    #[test]
    fn texts_are_read_as_fields_are() {
        let plain = Dialect::default();
        let german = Dialect { decimal: b',', thousands: Some(b'.'), ..plain };
        assert_eq!(Reading::Number.value("1.234,5", german), Some(1234.5));
        assert_eq!(Reading::Number.value("1.234,5", plain), None);
        assert_eq!(Reading::Boolean.value("Yes", plain), Some(1.0));
        assert_eq!(Reading::Boolean.value("maybe", plain), None);
        let dates = Reading::date(Some("%d.%m.%Y")).unwrap();
        assert_eq!(dates.value("2.1.1970", plain), Some(1.0));
        assert_eq!(dates.value("31.2.1970", plain), None);
        assert_eq!(Reading::date(None).unwrap().value("1970-01-03", plain), Some(2.0));
        assert!(Reading::date(Some("%Q")).is_err());
        assert!(means_nothing("NA", &Missing::default()) && means_nothing("", &Missing::default()));
        assert!(!means_nothing("0", &Missing::default()));
        let escaped = Dialect { escape: Some(b'\\'), ..plain };
        assert_eq!(text_of(b"\\N", escaped), "\\N");
        assert_eq!(text_of(b"\"a\\\"b\"", escaped), "a\"b");
    }
}
