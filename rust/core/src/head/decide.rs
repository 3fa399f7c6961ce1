//! Chooses the likeliest way of reading a file, or reports that it is ambiguous.

use std::collections::HashSet;

use memchr::{memchr2, memmem};

use super::encoding::encoding_of;
use super::header::{Header, separator_line, skip_to_table, start_of};
use super::numbers::NOTATIONS;
use super::other_formats::binary;
use super::reading::{Named, Reading};
use super::sample::{DELIMITERS, Sample, require_lines};
use super::undecided::{Choice, Undecided};
use crate::dialect::{Dialect, Encoding};
use crate::error::{Error, Kind, Result};
use crate::source::Source;
use crate::table::missing::{MISSING, Missing};

/// Minimum score of a table.
const LEAST: f64 = 0.45;

/// A reading is close to the best one if it has at least this share of the best score.
const CLOSE: f64 = 0.8;

/// Most readings to report, and most rows to keep of each.
const MOST_CHOICES: usize = 4;
const MOST_ROWS: usize = 3;

/// How many rows of two readings are compared.
const COMPARED: usize = 200;

/// What the caller knows about a file. `None` must be detected.
#[derive(Clone, Copy, Debug, Default)]
pub struct Given {
    /// The delimiter.
    pub delimiter: Option<u8>,
    /// The quote, or `Some(None)` for no quotes.
    pub quote: Option<Option<u8>>,
    /// The escape, or `Some(None)` for no escapes.
    pub escape: Option<Option<u8>>,
    /// The byte that starts a comment, or `Some(None)` for no comments.
    pub comment: Option<Option<u8>>,
    /// The number of lines before the header.
    pub skip_rows: Option<u64>,
    /// The decimal sign.
    pub decimal: Option<u8>,
    /// The thousands separator, or `Some(None)` for none.
    pub thousands: Option<Option<u8>>,
    /// The character encoding.
    pub encoding: Option<Encoding>,
    /// Whether spaces before an opening quote are dropped.
    pub skip_initial_space: Option<bool>,
    /// Whether spaces after a closing quote are dropped.
    pub skip_final_space: Option<bool>,
    /// Whether the first row is a header.
    pub is_named: Option<bool>,
}

/// The result of detection.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact about the file, and any may be true with any")]
pub struct Sniffed {
    /// The detected dialect.
    pub dialect: Dialect,
    /// Whether the first row is a header.
    pub is_named: bool,
    /// Whether the first row ends with CRLF.
    pub returns: bool,
    /// Whether each row ends with a delimiter that does not start another column.
    pub ends_empty: bool,
    /// Whether only the first column lacks a name.
    pub has_index: bool,
    /// The readings considered, likeliest first.
    pub choices: Vec<Choice>,
}

/// The same dialect with the detected delimiter and without the spaces around quotes; and the header, detected from the
/// rows below it if it is [`Header::Auto`]. `windows` are pieces from [`super::elsewhere`].
pub fn detect_delimiter(
    source: &dyn Source,
    windows: Vec<Vec<u8>>,
    dialect: Dialect,
    header: &Header,
    missing: &Missing,
) -> Result<(Dialect, Header)> {
    let named = separator_line(&start_of(source)?.1);
    let dialect = Dialect { delimiter: named.unwrap_or(dialect.delimiter), ..dialect };
    if named.is_some() && dialect.skip_rows > 0 {
        return Ok((dialect, header.clone()));
    }
    let start = skip_to_table(source, dialect)?;
    let sample = Sample::of(source, start, windows)?;
    if named.is_some() && !has_spaces_beside_quotes(&sample, dialect) {
        return Ok((dialect, header.clone()));
    }
    refuse_nuls(&sample, start)?;
    let given = Given {
        delimiter: named,
        quote: Some(dialect.quote),
        // An escape changes which bytes delimit.
        escape: dialect.escape.map(Some),
        comment: Some(dialect.comment),
        skip_rows: (dialect.skip_rows > 0).then_some(dialect.skip_rows),
        decimal: Some(dialect.decimal),
        thousands: Some(dialect.thousands),
        encoding: Some(dialect.encoding),
        skip_initial_space: dialect.skip_initial_space.then_some(true),
        skip_final_space: dialect.skip_final_space.then_some(true),
        is_named: match header {
            Header::Auto => None,
            Header::Present => Some(true),
            Header::Absent | Header::Names(_) => Some(false),
        },
    };
    let ranked = rank(&sample, dialect, &given, missing);
    if ranked.is_empty() {
        return Ok((dialect, header.clone()));
    }
    let placed = |error: Error| Error { offset: Some(start), ..error };
    let best = choose(&ranked, &given).map_err(placed)?;
    if best.dialect.skip_rows > dialect.skip_rows || best.dialect.escape != dialect.escape {
        return Err(placed(undecided(&ranked[..1], &given)));
    }
    let Dialect { delimiter, skip_initial_space, skip_final_space, .. } = best.dialect;
    let header = match header {
        Header::Auto if best.begins_alike() => {
            if is_named(best, &choice(best, &given).0, &given).map_err(placed)? {
                Header::Present
            } else {
                Header::Absent
            }
        }
        given => given.clone(),
    };
    Ok((Dialect { delimiter, skip_initial_space, skip_final_space, ..dialect }, header))
}

/// Detects how a source is written. `windows` are pieces from [`super::elsewhere`].
pub fn sniff(source: &dyn Source, windows: Vec<Vec<u8>>, given: &Given) -> Result<Sniffed> {
    let named = separator_line(&start_of(source)?.1).filter(|_| given.skip_rows.is_none_or(|lines| lines == 0));
    let mut dialect = Dialect { skip_rows: given.skip_rows.unwrap_or_default(), ..Dialect::default() };
    let given = Given { delimiter: given.delimiter.or(named), ..*given };
    dialect.delimiter = given.delimiter.unwrap_or(dialect.delimiter);
    let start = skip_to_table(source, dialect)?;
    let sample = Sample::of(source, start, windows)?;
    require_lines(&sample)?;
    refuse_nuls(&sample, start)?;
    dialect.encoding = given.encoding.map_or_else(|| encoding_of(&sample), Ok)?;
    let missing = Missing::of(MISSING, dialect);
    let ranked = rank(&sample, dialect, &given, &missing);
    let Some(first) = ranked.first() else {
        return Err(Kind::Empty("the file holds nothing but blank lines and comments").into());
    };
    let returns =
        memchr::memchr(b'\n', &sample.beginning).is_some_and(|at| at > 0 && sample.beginning[at - 1] == b'\r');
    let placed = |error: Error| Error { offset: Some(start), ..error };
    let best = choose(&ranked, &given).map_err(placed)?;
    let (choice, other) = choice(best, &given);
    if let Some(other) = other {
        return Err(placed(Kind::Undecided(Box::new(Undecided { choices: vec![choice, other] })).into()));
    }
    let is_named = is_named(best, &choice, &given).map_err(placed)?;
    let mut dialect = choice.dialect;
    if named.is_some() && dialect.skip_rows > 0 {
        // The line that names the delimiter counts among the lines before the table.
        dialect.skip_rows += 1;
    }
    let has_index = first.has_index;
    let choices = ranked.iter().take(MOST_CHOICES).map(|reading| self::choice(reading, &given).0).collect();
    Ok(Sniffed { dialect, is_named, returns, ends_empty: best.ends_empty(is_named), has_index, choices })
}

/// Whether the first row is a header. Returns an error that asks if both are likely. `choice` describes the reading.
fn is_named(reading: &Reading<'_>, choice: &Choice, given: &Given) -> Result<bool> {
    match (given.is_named, reading.named) {
        (Some(is_named), _) => Ok(is_named),
        (None, Named::Perhaps) => {
            Err(Kind::Undecided(Box::new(Undecided { choices: with_and_without_header(choice) })).into())
        }
        (None, named) => Ok(named == Named::Yes),
    }
}

/// A choice that takes the first row for a header, and the same choice that takes it for data.
fn with_and_without_header(choice: &Choice) -> Vec<Choice> {
    let yes = Choice { is_named: true, ..choice.clone() };
    let first = yes.names.clone().unwrap_or_default();
    let rows = std::iter::once(first).chain(yes.rows.clone()).collect();
    let no = Choice { is_named: false, names: None, rows, ..yes.clone() };
    vec![yes, no]
}

fn refuse_nuls(sample: &Sample, start: u64) -> Result<()> {
    match sample.beginning.split(|&byte| byte == b'\n').next() {
        Some(line) if line.contains(&0) => Err(Error { offset: Some(start), ..binary(line, start).into() }),
        _ => Ok(()),
    }
}

/// All readings of a sample, likeliest first. Of several with the same result, only the first is kept.
fn rank<'a>(sample: &'a Sample, dialect: Dialect, given: &Given, missing: &Missing) -> Vec<Reading<'a>> {
    let may_skip = given.skip_rows.is_none();
    let mut readings: Vec<Reading<'_>> = candidates(sample, dialect, given)
        .into_iter()
        .flat_map(|dialect| Reading::all(sample, dialect, may_skip, missing))
        .filter(|reading| reading.width > 1 || !sample.has(reading.dialect.delimiter) || given.delimiter.is_some())
        .collect();
    // If quotes are right in every row, they are meant as quotes.
    let quoted: Vec<_> =
        readings.iter().filter(|reading| !reading.has_wrong_quotes).map(|reading| reading.dialect).collect();
    let is_plain = |dialect: Dialect| quoted.contains(&Dialect { quote: Some(b'"'), ..dialect });
    readings.retain(|reading| reading.dialect.quote.is_some() || given.quote.is_some() || !is_plain(reading.dialect));
    let penalty = |reading: &Reading<'_>| {
        // If the caller says that commas are decimal, they hardly delimit fields.
        let is_both = given.decimal == Some(b',') && reading.dialect.delimiter == b',' && reading.width > 1;
        if is_both { 0.5 } else { 1.0 }
    };
    for reading in &mut readings {
        reading.score *= penalty(reading);
    }
    readings.sort_by(|one, other| other.score.total_cmp(&one.score));
    let mut seen = HashSet::new();
    readings.retain(|reading| seen.insert(reading.data(COMPARED)));
    retain_spaced(&mut readings);
    readings
}

/// If quotes are right in every row once the spaces around them are dropped, those spaces are not part of the values.
fn retain_spaced(readings: &mut Vec<Reading<'_>>) {
    let skipped = |dialect: Dialect| u8::from(dialect.skip_initial_space) + u8::from(dialect.skip_final_space);
    let spaced: Vec<_> = readings
        .iter()
        .filter(|reading| skipped(reading.dialect) > 0 && !reading.has_wrong_quotes)
        .map(|reading| (reading.dialect, reading.score))
        .collect();
    let is_same = |one: Dialect, other: Dialect| {
        (one.delimiter, one.escape, one.comment) == (other.delimiter, other.escape, other.comment)
            && (one.quote == other.quote || other.quote.is_none())
    };
    readings.retain(|reading| {
        !spaced.iter().any(|&(dialect, score)| {
            is_same(dialect, reading.dialect) && skipped(reading.dialect) < skipped(dialect) && reading.score <= score
        })
    });
}

/// The dialects that are possible given the bytes of a sample.
fn candidates(sample: &Sample, dialect: Dialect, given: &Given) -> Vec<Dialect> {
    let known = [given.quote, given.escape, given.comment];
    let is_free = |byte: &u8| !known.contains(&Some(Some(*byte)));
    let delimiters = match given.delimiter {
        Some(delimiter) => vec![delimiter],
        None => delimiters(sample, is_free),
    };
    let mut found = Vec::new();
    for &delimiter in &delimiters {
        let quotes = given.quote.map_or_else(|| quotes(sample, delimiter), |quote| vec![quote]);
        for &quote in &quotes {
            let escapes = given.escape.map_or_else(|| escapes(sample, delimiter, quote), |escape| vec![escape]);
            for &escape in &escapes {
                let comments = given.comment.map_or_else(|| comments(sample), |comment| vec![comment]);
                let plain = Dialect { delimiter, quote, escape, ..dialect };
                for dialect in spaces(sample, plain, given) {
                    found.extend(comments.iter().map(|&comment| Dialect { comment, ..dialect }));
                }
            }
        }
    }
    found
}

/// The delimiters that occur, and one that does not, which reads each line as one column.
fn delimiters(sample: &Sample, is_free: impl Fn(&u8) -> bool) -> Vec<u8> {
    const USUAL: usize = 5;
    let lines: Vec<_> = sample.lines().filter(|line| !line.trim_ascii().is_empty()).take(COMPARED).collect();
    // A rare delimiter must be in most lines.
    let is_everywhere =
        |byte: u8| 10 * lines.iter().filter(|line| line.contains(&byte)).count() >= 8 * lines.len().max(1);
    let mut found: Vec<_> = DELIMITERS[..USUAL].iter().copied().filter(|&byte| sample.has(byte)).collect();
    found.extend(DELIMITERS[USUAL..].iter().copied().filter(|&byte| is_everywhere(byte)));
    found.retain(&is_free);
    let absent = *b",;\t|~^\x1F\x01\x02";
    found.extend(absent.iter().copied().find(|byte| is_free(byte) && !sample.has(*byte)));
    found
}

/// The possible quotes: a double quote; a single quote if it encloses a field; none if double quotes begin a field.
fn quotes(sample: &Sample, delimiter: u8) -> Vec<Option<u8>> {
    let mut found = vec![Some(b'"')];
    let encloses = |quote: u8| {
        sample.lines().any(|line| {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            line.split(|&byte| byte == delimiter).any(|field| field.first() == Some(&quote))
                && line.split(|&byte| byte == delimiter).any(|field| field.len() > 1 && field.last() == Some(&quote))
        })
    };
    if encloses(b'\'') {
        found.push(Some(b'\''));
    }
    if sample.lines().any(|line| line.split(|&byte| byte == delimiter).any(|field| field.first() == Some(&b'"'))) {
        found.push(None);
    }
    found
}

/// The same dialect and, if spaces stand between delimiters and quotes, variants that drop those before quotes, after
/// quotes, or both.
fn spaces(sample: &Sample, dialect: Dialect, given: &Given) -> Vec<Dialect> {
    let ways = |given: Option<bool>, has_spaces: &dyn Fn(&[u8]) -> bool| match given {
        Some(skips) => vec![skips],
        None if dialect.quote.is_some() && sample.lines().any(has_spaces) => vec![false, true],
        None => vec![false],
    };
    let initial = ways(given.skip_initial_space, &|line| dialect.row_has_space_before_quote(line));
    let last = ways(given.skip_final_space, &|line| dialect.row_has_space_after_quote(line));
    let with =
        |skip_final_space| move |&skip_initial_space| Dialect { skip_initial_space, skip_final_space, ..dialect };
    last.into_iter().flat_map(|skips| initial.iter().map(with(skips)).collect::<Vec<_>>()).collect()
}

fn has_spaces_beside_quotes(sample: &Sample, dialect: Dialect) -> bool {
    sample.lines().any(|line| dialect.row_has_space_before_quote(line) || dialect.row_has_space_after_quote(line))
}

/// The possible escapes: none; a backslash if it precedes a special byte.
fn escapes(sample: &Sample, delimiter: u8, quote: Option<u8>) -> Vec<Option<u8>> {
    let special = |byte: u8| Some(byte) == quote || byte == delimiter || byte == b'\n' || byte == b'\\';
    let is_escape = |piece: &Vec<u8>| {
        memmem::find_iter(piece, b"\\").any(|at| piece.get(at + 1).is_some_and(|&next| special(next)))
    };
    let has_escapes = is_escape(&sample.beginning) || sample.windows.iter().any(is_escape);
    if has_escapes { vec![None, Some(b'\\')] } else { vec![None] }
}

/// The possible comment bytes: none; those that lines begin with.
fn comments(sample: &Sample) -> Vec<Option<u8>> {
    let begins = |mark: u8| sample.lines().any(|line| line.first() == Some(&mark));
    let has_any = memchr2(b'#', b'%', &sample.beginning).is_some() || !sample.windows.is_empty();
    let found = [b'#', b'%'].into_iter().filter(|&mark| has_any && begins(mark)).map(Some);
    std::iter::once(None).chain(found).collect()
}

/// The best reading, if it is good enough for a table and no other is close.
fn choose<'a, 'b>(ranked: &'b [Reading<'a>], given: &Given) -> Result<&'b Reading<'a>> {
    let best = &ranked[0];
    if best.score < LEAST && given.delimiter.is_none() {
        return Err(undecided(&ranked[..ranked.len().min(2)], given));
    }
    let close = ranked.iter().take_while(|reading| reading.score >= CLOSE * best.score).count();
    if close > 1 {
        return Err(undecided(&ranked[..close.min(MOST_CHOICES)], given));
    }
    Ok(best)
}

fn undecided(readings: &[Reading<'_>], given: &Given) -> Error {
    let choices = readings.iter().flat_map(|reading| {
        let choice = choice(reading, given).0;
        let is_open = reading.named == Named::Perhaps && given.is_named.is_none();
        if is_open { with_and_without_header(&choice) } else { vec![choice] }
    });
    let choices = choices.collect();
    Kind::Undecided(Box::new(Undecided { choices })).into()
}

/// Describes a reading to the user. If its numbers are ambiguous, also returns the choice in the other notation.
fn choice(reading: &Reading<'_>, given: &Given) -> (Choice, Option<Choice>) {
    let allowed = |at: usize| {
        let (decimal, thousands) = NOTATIONS[at];
        given.decimal.is_none_or(|given| given == decimal)
            && given.thousands.is_none_or(|given| given == thousands)
            && thousands.is_none_or(|byte| Some(byte) != reading.dialect.quote)
    };
    let (notation, other) = reading.numbers().notation(reading.dialect.delimiter, allowed);
    let written = |notation: usize| {
        let (decimal, thousands) = NOTATIONS[notation];
        let decimal = given.decimal.unwrap_or(decimal);
        let dialect = Dialect { decimal, thousands: given.thousands.unwrap_or(thousands), ..reading.dialect };
        let is_named = reading.named != Named::No;
        let ends_empty = reading.ends_empty(is_named);
        let (mut names, mut rows) = (reading.names(), reading.data(MOST_ROWS));
        if ends_empty {
            let columns = reading.width - 1;
            rows.iter_mut().chain(&mut names).for_each(|fields| fields.truncate(columns));
        }
        Choice { dialect, is_named, ends_empty, score: reading.score, names, rows }
    };
    (written(notation), other.map(written))
}
