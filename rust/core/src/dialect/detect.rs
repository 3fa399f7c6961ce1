//! What the beginning of a file says about how it is written.

use memchr::{memchr, memchr_iter, memrchr};

use super::head::{separator_line, skip_to_table, start_of};
use super::{Dialect, Encoding};
use crate::error::{Error, Kind, Result};
use crate::index::Careful;
use crate::number::{self, Value};
use crate::schema::{MISSING, Missing};
use crate::source::{MemorySource, Source};

/// Bytes that are looked at; more only if they hold no two lines.
pub const SAMPLE: usize = 64 << 10;
const LARGEST_SAMPLE: usize = 16 << 20;

/// What may stand between fields; of readings that are as good the first counts.
const DELIMITERS: [u8; 5] = *b",;\t| ";

/// Lines before a table that are looked for.
const MOST_SKIPPED: usize = 20;

/// How numbers may be written; of ways that are as good the first counts.
const NOTATIONS: [(u8, Option<u8>); 8] = [
    (b'.', None),
    (b',', None),
    (b'.', Some(b',')),
    (b',', Some(b'.')),
    (b'.', Some(b' ')),
    (b',', Some(b' ')),
    (b'.', Some(b'\'')),
    (b',', Some(b'\'')),
];

/// How a file seems to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sniffed {
    /// How fields, rows and numbers seem to be written.
    pub dialect: Dialect,
    /// Whether the first row names the columns.
    pub is_named: bool,
    /// Whether the first row ends with CRLF.
    pub returns: bool,
}

/// The same dialect with the delimiter that the first rows of a source have.
pub fn detect_delimiter(source: &dyn Source, dialect: Dialect, missing: &Missing) -> Result<Dialect> {
    if let Some(delimiter) = separator_line(&start_of(source)?.1) {
        return Ok(Dialect { delimiter, ..dialect });
    }
    let start = skip_to_table(source, dialect)?;
    let mut size = SAMPLE;
    let sample = loop {
        let length = (source.len() - start).min(size as u64) as usize;
        let mut bytes = vec![0; length];
        source.read_at(start, &mut bytes)?;
        let is_whole = start + length as u64 == source.len();
        if is_whole || size >= LARGEST_SAMPLE || memchr_iter(b'\n', &bytes).nth(1).is_some() {
            break Sample::new(bytes, is_whole);
        }
        size *= 4;
    };
    let reading = sample.best(dialect, missing).map_err(|error| Error { offset: Some(start), ..error })?;
    Ok(reading.map_or(dialect, |reading| Dialect { delimiter: reading.delimiter, ..dialect }))
}

/// Looks at the first bytes of a file, or at all of them.
pub fn sniff(bytes: &[u8], is_whole: bool) -> Result<Sniffed> {
    let source = MemorySource::new(bytes);
    let named = separator_line(&start_of(&source)?.1);
    let mut dialect = Dialect::default();
    dialect.delimiter = named.unwrap_or(dialect.delimiter);
    let table = &bytes[skip_to_table(&source, dialect)? as usize..];
    if std::str::from_utf8(bytes).is_err_and(|error| error.error_len().is_some()) {
        let is_windows = bytes.iter().any(|byte| (0x80..=0x9F).contains(byte));
        dialect.encoding = if is_windows { Encoding::Cp1252 } else { Encoding::Latin1 };
    }
    // An apostrophe is none that has no place between two fields.
    let is_between = |byte: u8| matches!(byte, b'\r' | b'\n') || DELIMITERS.contains(&byte);
    let opens = table.first() == Some(&b'\'') || table.windows(2).any(|pair| is_between(pair[0]) && pair[1] == b'\'');
    let closes = table.last() == Some(&b'\'') || table.windows(2).any(|pair| pair[0] == b'\'' && is_between(pair[1]));
    if opens && closes && memchr(b'"', table).is_none() {
        dialect.quote = Some(b'\'');
    }
    let mut lines = table.split(|&byte| byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
    // A single line may name the columns.
    if lines.by_ref().take_while(|line| line.starts_with(b"#")).count() > 1 {
        dialect.comment = Some(b'#');
    }
    let missing = Missing::of(MISSING, dialect);
    let mut sample = Sample::new(table.to_vec(), is_whole);
    if let Some(delimiter) = named {
        dialect.delimiter = delimiter;
    } else {
        let found = sample.best(dialect, &missing);
        let is_clear = |found: &Result<Option<Reading>>| matches!(found, Ok(Some(reading)) if reading.is_table());
        let is_likely = |found: &Result<Option<Reading>>| matches!(found, Ok(Some(reading)) if reading.is_likely());
        let escaped = Dialect { escape: Some(b'\\'), ..dialect };
        let with_escapes = if is_clear(&found) { Ok(None) } else { sample.best(escaped, &missing) };
        let delimiter = if is_clear(&with_escapes) {
            dialect = escaped;
            with_escapes?.map(|reading| reading.delimiter)
        } else if let Some((lines, rest, delimiter)) =
            (!is_likely(&found)).then(|| sample.table_after_lines(dialect, &missing)).flatten()
        {
            dialect.skip_rows = lines;
            sample = rest;
            Some(delimiter)
        } else {
            found?.map(|reading| reading.delimiter)
        };
        dialect.delimiter = delimiter.unwrap_or(dialect.delimiter);
    }
    let mut most = 0;
    let plain = dialect;
    for (decimal, thousands) in NOTATIONS {
        let other = Dialect { decimal, thousands, ..plain };
        let numbers = sample.read(other, &missing).map_or(0, |reading| reading.numbers);
        if numbers > most {
            (most, dialect) = (numbers, other);
        }
    }
    let mut is_named = false;
    let row = Careful::new(dialect, &sample.bytes, 0).next_row(|field| {
        is_named |= number::value(&sample.bytes[field], dialect, &missing) == Value::Other;
    });
    let returns = matches!(row, Ok(Some(row)) if row.newline > 0 && sample.bytes[row.newline - 1] == b'\r');
    Ok(Sniffed { dialect, is_named, returns })
}

/// The beginning of a table, of whole lines.
#[derive(Clone)]
struct Sample {
    bytes: Vec<u8>,
    is_whole: bool,
}

/// What a delimiter makes of a sample.
#[derive(Debug)]
struct Reading {
    delimiter: u8,
    /// The fields of the first row.
    first: Vec<String>,
    rows: usize,
    /// The rows that have as many fields as the first.
    regular: usize,
    /// The fields that are numbers.
    numbers: usize,
    /// How much of a table it looks: 1 when all fields after the first row are numbers or missing, 0 when all have delimiters
    /// or quotes left in them.
    score: f64,
    /// Whether none has.
    is_clean: bool,
    /// Whether the last field of each row is empty.
    ends_empty: bool,
}

impl Reading {
    fn is_regular(&self) -> bool {
        self.regular == self.rows
    }

    /// Whether it is several columns and several rows, all as long as the first.
    fn is_table(&self) -> bool {
        self.is_regular() && self.first.len() > 1 && self.rows > 1
    }

    /// Whether it is a table with a wrong row here and there.
    fn is_likely(&self) -> bool {
        let is_nearly = 10 * self.regular >= 9 * self.rows && self.rows >= 10;
        self.is_table() || (self.first.len() > 1 && is_nearly)
    }

    /// Whether most rows are as long as the first, which is then none of the lines before a table.
    fn fits(&self) -> bool {
        // Text has as many spaces by chance.
        let is_meant = self.is_clean || self.delimiter != b' ';
        is_meant && self.first.len() > 1 && self.regular > 2 && 3 * self.regular >= 2 * self.rows
    }

    /// Its first row, for a message.
    fn describe(&self) -> String {
        const SHOWN: usize = 4;
        let mut fields: Vec<_> = self.first.iter().take(SHOWN).map(|field| format!("{field:?}")).collect();
        fields.extend((self.first.len() > SHOWN).then(|| "…".to_owned()));
        let delimiter = char::from(self.delimiter).to_string();
        format!("with delimiter={delimiter:?} the first row is {}", fields.join(", "))
    }
}

impl Sample {
    fn new(mut bytes: Vec<u8>, is_whole: bool) -> Self {
        if is_whole {
            bytes.push(b'\n');
        } else {
            bytes.truncate(memrchr(b'\n', &bytes).map_or(0, |newline| newline + 1));
        }
        Self { bytes, is_whole }
    }

    /// What a dialect makes of it; `None` without a row, or when the first is none.
    fn read(&self, dialect: Dialect, missing: &Missing) -> Option<Reading> {
        let mut careful = Careful::new(dialect, &self.bytes, 0);
        let mut reading = Reading {
            delimiter: dialect.delimiter,
            first: vec![],
            rows: 0,
            regular: 0,
            numbers: 0,
            score: 0.0,
            is_clean: false,
            ends_empty: true,
        };
        let mut body = Tally::default();
        loop {
            let is_first = reading.rows == 0;
            let mut row = Tally::default();
            let mut is_empty = false;
            let found = careful.next_row(|field| {
                let field = &self.bytes[field];
                is_empty = field.trim_ascii().is_empty();
                if is_first {
                    reading.first.push(String::from_utf8_lossy(&dialect.text(field)).into_owned());
                }
                row.add(&Tally::of(field, dialect, missing));
            });
            match found {
                Ok(Some(_)) => {
                    reading.rows += 1;
                    reading.regular += usize::from(row.fields == reading.first.len());
                    reading.ends_empty &= is_empty;
                }
                // The sample may end within quotes.
                Err(bad) if self.is_whole || matches!(bad.kind, Kind::TextAfterQuote) => {
                    reading.rows += 1;
                    break;
                }
                Ok(None) | Err(_) => break,
            }
            if reading.rows == 2 {
                // The first row may be names, which say nothing, unless there is nothing else.
                body = Tally::default();
            }
            reading.numbers += row.numbers;
            body.add(&row);
        }
        if reading.regular == 0 {
            return None;
        }
        reading.score = body.likeness / body.fields as f64;
        reading.is_clean = body.left == 0;
        Some(reading)
    }

    /// The reading that looks most like a table; `None` without a row.
    fn best(&self, dialect: Dialect, missing: &Missing) -> Result<Option<Reading>> {
        let marks = [dialect.quote, dialect.escape, dialect.comment, dialect.thousands];
        let candidates = DELIMITERS.into_iter().filter(|&delimiter| !marks.contains(&Some(delimiter)));
        let mut readings: Vec<_> =
            candidates.filter_map(|delimiter| self.read(Dialect { delimiter, ..dialect }, missing)).collect();
        if readings.is_empty() {
            return Ok(None);
        }
        // With a wrong row here and there, if there is no other.
        let mut tables: Vec<_> = (0..readings.len()).filter(|&at| readings[at].first.len() > 1).collect();
        if tables.iter().any(|&at| readings[at].is_regular()) {
            tables.retain(|&at| readings[at].is_regular());
        } else {
            tables.retain(|&at| readings[at].is_likely());
        }
        if tables.is_empty() {
            let is_column = |reading: &Reading| {
                // Any other delimiter that does not occur makes one column of everything.
                let least = if reading.delimiter == b',' { 0.5 } else { 0.98 };
                reading.first.len() == 1 && reading.is_regular() && reading.score >= least
            };
            let one = readings.iter().position(is_column);
            if let Some(one) = one {
                return Ok(Some(readings.swap_remove(one)));
            }
            tables = (0..readings.len()).collect();
            tables.sort_by_key(|&at| std::cmp::Reverse((readings[at].regular, readings[at].first.len())));
            return Err(undecided(&readings[tables[0]], tables.get(1).map(|&at| &readings[at])));
        }
        let is_clean = tables.iter().any(|&at| readings[at].is_clean);
        tables.retain(|&at| readings[at].is_clean == is_clean);
        tables.sort_by(|&one, &other| readings[other].score.total_cmp(&readings[one].score));
        let best = readings[tables[0]].score;
        tables.retain(|&at| readings[at].score > best - 0.02);
        // Where nothing is left in the fields that looks wrong, it is a matter of more columns.
        if !is_clean && tables.len() > 1 {
            return Err(undecided(&readings[tables[0]], Some(&readings[tables[1]])));
        }
        let most = tables.iter().map(|&at| readings[at].first.len()).max();
        let found = tables.into_iter().filter(|&at| Some(readings[at].first.len()) == most).min();
        Ok(found.map(|at| readings.swap_remove(at)))
    }

    /// How many lines stand before a table of several columns and rows, the rest, and its delimiter. None if the first line is
    /// itself one of its rows, whatever is wrong in others.
    fn table_after_lines(&self, dialect: Dialect, missing: &Missing) -> Option<(u64, Self, u8)> {
        let starts = memchr_iter(b'\n', &self.bytes).take(MOST_SKIPPED).map(|newline| newline + 1);
        for (line, start) in std::iter::once(0).chain(starts).enumerate() {
            let rest = Self { bytes: self.bytes[start..].to_vec(), is_whole: self.is_whole };
            let best = rest.best(dialect, missing);
            let fits = rest.fitting(dialect, missing);
            let reading = match best {
                Ok(Some(reading)) if reading.is_likely() && reading.rows > 2 => Some(reading),
                _ => None,
            };
            let Some(reading) = reading.or(fits) else { continue };
            if line == 0 {
                return None;
            }
            // A row that is wrong would make those before it look like something else, but they are as long as the rest.
            let width = |line: &[u8]| memchr_iter(reading.delimiter, line).count() + 1;
            let mut skipped = self.bytes[..start - 1].split(|&byte| byte == b'\n');
            if skipped.clone().all(|line| width(line) < reading.first.len()) {
                // Names without the delimiter that ends each row.
                let is_header = |line: &[u8]| width(line) > 1 && width(line) + 1 == reading.first.len();
                if reading.ends_empty && skipped.next_back().is_some_and(is_header) {
                    return (line == 1).then(|| (0, self.clone(), reading.delimiter));
                }
                return Some((line as u64, rest, reading.delimiter));
            }
        }
        None
    }

    /// The reading whose first row is as long as most others, the longest if there are several.
    fn fitting(&self, dialect: Dialect, missing: &Missing) -> Option<Reading> {
        let marks = [dialect.quote, dialect.escape, dialect.comment, dialect.thousands];
        let candidates = DELIMITERS.into_iter().filter(|&delimiter| !marks.contains(&Some(delimiter)));
        candidates
            .filter_map(|delimiter| self.read(Dialect { delimiter, ..dialect }, missing))
            .filter(Reading::fits)
            .max_by_key(|reading| (reading.is_clean, reading.first.len()))
    }
}

/// What some fields look like.
#[derive(Default)]
struct Tally {
    fields: usize,
    numbers: usize,
    /// The sum of how much each looks like a field of a table.
    likeness: f64,
    /// Those that have delimiters or quotes left in them.
    left: usize,
}

impl Tally {
    fn of(field: &[u8], dialect: Dialect, missing: &Missing) -> Self {
        let value = number::value(field, dialect, missing);
        let has_comma = || {
            let comma = Dialect { decimal: b',', ..dialect };
            let is_number = matches!(number::value(field, comma, missing), Value::Number(_));
            dialect.delimiter != b',' && is_number && !field.trim_ascii().ends_with(b",")
        };
        let is_quoted = field.first().is_some_and(|&byte| Some(byte) == dialect.quote);
        let is_left = |byte: &u8| {
            let is_delimiter = *byte != b' ' && *byte != dialect.delimiter && DELIMITERS.contains(byte);
            is_delimiter || Some(*byte) == dialect.quote
        };
        let likeness = if field.trim_ascii().is_empty() {
            // Any delimiters that follow each other make some.
            0.5
        } else if value != Value::Other || has_comma() {
            1.0
        } else if is_quoted || !field.iter().any(is_left) {
            0.5
        } else {
            0.0
        };
        Self {
            fields: 1,
            numbers: usize::from(matches!(value, Value::Number(_))),
            likeness,
            left: usize::from(likeness < 0.5),
        }
    }

    fn add(&mut self, other: &Self) {
        self.fields += other.fields;
        self.numbers += other.numbers;
        self.likeness += other.likeness;
        self.left += other.left;
    }
}

fn undecided(one: &Reading, other: Option<&Reading>) -> Error {
    let readings = [Some(one), other].into_iter().flatten().map(Reading::describe).collect::<Vec<_>>().join("; ");
    Kind::Delimiter(format!("the delimiter cannot be told: {readings}. Say which it is with delimiter=")).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detect(text: &str) -> std::result::Result<char, String> {
        let source = MemorySource::new(text.as_bytes());
        detect_delimiter(&source, Dialect::default(), &Missing::default())
            .map(|dialect| char::from(dialect.delimiter))
            .map_err(|error| error.kind.to_string())
    }

    #[test]
    fn the_delimiter_is_that_of_a_table() {
        for (text, delimiter) in [
            ("a,b\n1,2\n", ','),
            ("a;b\n1,5;2,5\n", ';'),
            ("1,5;2,5;3,5\n1,5;2,5;3,5\n", ';'),
            ("a\tb\n1\t2\n", '\t'),
            ("a|b|c\n1|x, y|3\n", '|'),
            ("  a   b\n1.5   2\n  3 4\n", ' '),
            ("x\n1\n2\n", ','),
            ("an x\n1\n2\n", ','),
            ("1,5\n2,5\n", ','),
            ("x\n1,5\n2,5\n", ';'),
            ("1, 2, 3\n4, 5, 6\n", ','),
            ("2021-01-01 10:00;1,5\n2021-01-02 11:00;2,5\n", ';'),
            ("name,n\n\"a;b;c\",1\n\"d;e;f\",2\n", ','),
            ("a,b\n\"x\ny\",2\n", ','),
            ("SEP=|\na,b|c\n", '|'),
            ("", ','),
        ] {
            if !text.is_empty() {
                assert_eq!(detect(text), Ok(delimiter), "{text:?}");
            }
        }
    }

    #[test]
    fn what_cannot_be_told_is_an_error_that_shows_both() {
        let message = detect("a b;c d,e f\ng h;i j,k l\n").unwrap_err();
        assert!(message.contains("with delimiter=\",\" the first row is \"a b;c d\", \"e f\""), "{message}");
        assert!(message.contains("with delimiter=\";\""), "{message}");
        let message = detect("a,b,c\n1;2\n3\t4,5\n").unwrap_err();
        assert!(message.contains("cannot be told"), "{message}");
    }

    #[test]
    fn a_file_is_sniffed() {
        let sniffed = |text: &[u8]| sniff(text, true).unwrap();
        let german = sniffed(b"name;preis\r\nM\xFCller;1.234,50\r\nMaier;2,50\r\n");
        assert_eq!(
            german.dialect,
            Dialect {
                decimal: b',',
                thousands: Some(b'.'),
                encoding: Encoding::Latin1,
                ..Dialect::new(b';', Some(b'"'))
            }
        );
        assert!(german.is_named && german.returns);
        let commented = sniffed(b"# made by a machine\n# of iron\nx y\n1 2\n3 4\n");
        assert_eq!(commented.dialect, Dialect { comment: Some(b'#'), ..Dialect::new(b' ', Some(b'"')) });
        let skipped = sniffed(b"Report of May\n\nid,value\n1,2\n3,4\n");
        assert_eq!(skipped.dialect, Dialect { skip_rows: 1, ..Dialect::default() });
        let dump = sniffed(b"1\ta\\\n\\\tb\t\\N\n2\tc\td\n3\te\tf\n");
        assert_eq!(dump.dialect, Dialect { escape: Some(b'\\'), ..Dialect::new(b'\t', Some(b'"')) });
        let ragged = sniffed(b"a,b\n1,2\n3,4,5\n6,7\n8,9\n1,2\n3,4\n1,2\n3,4\n1,2\n3,4\n1,2\n");
        assert_eq!(ragged.dialect, Dialect::default());
        let mut lines: Vec<_> = (0..500).map(|n| format!("{};0,{}\n", n % 7, n + 100)).collect();
        lines[100] = "1;0,200;9\n".into();
        let decimals = Dialect { decimal: b',', ..Dialect::new(b';', Some(b'"')) };
        assert_eq!(sniffed(format!("x;y\n{}", lines.concat()).as_bytes()).dialect, decimals);
        let titled = sniffed(format!("Report\nx;y\n{}", lines.concat()).as_bytes());
        assert_eq!(titled.dialect, Dialect { skip_rows: 1, ..decimals });
        let short = sniffed(b"Report of May\nid,value\n1,2\n3,4,5\n6,7\n8,9\n");
        assert_eq!(short.dialect, Dialect { skip_rows: 1, ..Dialect::default() });
        // The header is no line before the table.
        assert!(sniff(b"x;y\n0;0,1\n1;0,2;9\n2;0,3\n3;0,4\n", true).is_err());
        assert_eq!(sniffed(b"x,y\n1,2,\n3,4,\n5,6,\n").dialect, Dialect::default());
        assert_eq!(sniffed(b"a,t\n1,it's\n2,'tis\n").dialect, Dialect::default());
        let numbers = sniffed(b"'1','2,5'\n'3','4'\n");
        assert_eq!(numbers.dialect, Dialect { decimal: b',', ..Dialect::new(b',', Some(b'\'')) });
        assert!(!numbers.is_named);
    }
}
