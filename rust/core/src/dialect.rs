//! What the bytes mean: delimiter, quote, line ends, byte-order mark and header.

use memchr::{memchr, memchr2};

use crate::error::{Error, Kind, Result};
use crate::number;
use crate::schema::Missing;
use crate::source::Source;

const UTF8_BOM: &[u8] = b"\xEF\xBB\xBF";
/// UTF-32 first: its little-endian mark begins with UTF-16's.
const FOREIGN_BOMS: [(&[u8], &str, &str); 4] = [
    (b"\xFF\xFE\0\0", "UTF-32LE", ""),
    (b"\0\0\xFE\xFF", "UTF-32BE", ""),
    (b"\xFF\xFE", "UTF-16LE", "read it with encoding=\"utf-16\", or "),
    (b"\xFE\xFF", "UTF-16BE", "read it with encoding=\"utf-16\", or "),
];

/// What files begin with that are no text, what they are and what helps.
const FOREIGN_FORMATS: [(&[u8], &str, &str); 10] = [
    (b"\x1F\x8B", "compressed with gzip", "decompress it, for example with `gunzip`"),
    (b"PK\x03\x04", "a zip archive or a spreadsheet", "unpack it, or export it as CSV"),
    (b"\x28\xB5\x2F\xFD", "compressed with zstd", "decompress it, for example with `unzstd`"),
    (b"\xFD7zXZ\0", "compressed with xz", "decompress it, for example with `unxz`"),
    (b"BZh91AY&SY", "compressed with bzip2", "decompress it, for example with `bunzip2`"),
    (b"PAR1\x15", "a Parquet file", "export it as CSV"),
    (b"\x04\x22\x4D\x18", "compressed with lz4", "decompress it, for example with `unlz4`"),
    (b"7z\xBC\xAF\x27\x1C", "a 7z archive", "unpack it, for example with `7z x`"),
    (b"\x1F\x9D", "compressed with compress", "decompress it, for example with `uncompress`"),
    (b"SQLite format 3\0", "an SQLite database", "export the table as CSV"),
];

/// How fields and rows are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dialect {
    /// The byte between two fields.
    pub delimiter: u8,
    /// The byte around a field that may hold delimiters and line ends; `None` when no byte means that.
    pub quote: Option<u8>,
}

/// Whether the first row names the columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Header {
    /// It does when one of its fields is neither a number nor a missing token.
    Auto,
    /// It does.
    Present,
    /// It does not; the columns are called `column_0`, `column_1`, …
    Absent,
    /// It does not; these are the names.
    Names(Vec<String>),
}

/// What the start of a source says about the rest.
#[derive(Clone, Debug)]
pub struct Head {
    /// A name for each column, in file order.
    pub columns: Vec<String>,
    /// Where the number of columns was read from, for messages.
    pub reference: &'static str,
    /// Byte offset of the first data row.
    pub data_start: u64,
    /// Whether there is one.
    pub has_rows: bool,
}

impl Head {
    /// An error unless there are rows.
    pub fn require_rows(&self) -> Result<()> {
        if self.has_rows { Ok(()) } else { Err(Kind::Empty("the file holds a header and no rows after it").into()) }
    }
}

impl Dialect {
    /// Where the field that starts at `start` ends: the position of its delimiter or newline. A carriage return before
    /// the newline still belongs to the field. `text` ends with a newline; a quoted field that runs over it is not
    /// closed.
    pub(crate) fn field_end(self, text: &[u8], start: usize) -> std::result::Result<usize, BadQuote> {
        let Some(quote) = self.quote.filter(|&quote| text[start] == quote) else {
            let end = memchr2(self.delimiter, b'\n', &text[start..]);
            return Ok(start + end.expect("a text ends with a newline"));
        };
        let mut position = start + 1;
        let closing = loop {
            let Some(found) = memchr(quote, &text[position..]) else {
                return Err(BadQuote { position: start, kind: Kind::UnclosedQuote });
            };
            position += found;
            if text.get(position + 1) != Some(&quote) {
                break position;
            }
            position += 2;
        };
        let mut end = closing + 1;
        if text[end..].starts_with(b"\r\n") {
            end += 1;
        }
        if text.get(end).is_some_and(|&byte| byte == self.delimiter || byte == b'\n') {
            Ok(end)
        } else {
            Err(BadQuote { position: start, kind: Kind::TextAfterQuote })
        }
    }

    /// Whether there is a quote in `text`.
    pub(crate) fn quote_in(self, text: &[u8]) -> bool {
        self.quote.is_some_and(|quote| memchr(quote, text).is_some())
    }

    /// The fields of the row that starts at `start` and the position after its newline.
    fn row(self, text: &[u8], start: usize) -> std::result::Result<(Vec<&[u8]>, usize), BadQuote> {
        let mut fields = Vec::new();
        let mut position = start;
        loop {
            let end = self.field_end(text, position)?;
            let field = &text[position..end];
            if text[end] == b'\n' {
                fields.push(field.strip_suffix(b"\r").unwrap_or(field));
                return Ok((fields, end + 1));
            }
            fields.push(field);
            position = end + 1;
        }
    }
}

/// A field whose quotes are wrong.
#[derive(Debug)]
pub(crate) struct BadQuote {
    /// Position of the field in its text.
    pub position: usize,
    /// What is wrong.
    pub kind: Kind,
}

impl BadQuote {
    /// The error for a field of `text`, which starts at byte `offset` (modulo 2^64) of the source.
    pub(crate) fn into_error(self, text: &[u8], offset: u64) -> Error {
        let field = &text[self.position..];
        let line = memchr(b'\n', field).unwrap_or(field.len());
        Error::at(self.kind, offset.wrapping_add(self.position as u64), &field[..line])
    }
}

/// Bytes that are read at a time while the head is looked for; few in debug builds, to cross their boundaries.
const PIECE: usize = if cfg!(debug_assertions) { 16 } else { 1 << 13 };

/// Reads the byte-order mark and the header, whose row may have up to `max_row` bytes.
pub fn read_head(
    source: &dyn Source,
    dialect: Dialect,
    header: &Header,
    missing: &Missing,
    max_row: usize,
) -> Result<Head> {
    let mut start = [0; 16];
    let start = &mut start[..source.len().min(16) as usize];
    source.read_at(0, start)?;
    if start.is_empty() {
        return Err(Kind::Empty("the file is empty").into());
    }
    if let Some((_, name, advice)) = FOREIGN_BOMS.iter().find(|(mark, ..)| start.starts_with(mark)) {
        return Err(Error { offset: Some(0), ..Kind::Encoding(name, advice).into() });
    }
    if let Some((_, what, advice)) = FOREIGN_FORMATS.iter().find(|(mark, ..)| start.starts_with(mark)) {
        return Err(Error { offset: Some(0), ..Kind::NotText(what, advice).into() });
    }
    let data_start = if start.starts_with(UTF8_BOM) { UTF8_BOM.len() as u64 } else { 0 };
    let Some(first) = first_row(source, data_start)? else {
        return Err(Kind::Empty("the file holds nothing but blank lines").into());
    };
    let (text, end) = read_row(source, dialect, first, max_row)?;
    let fields = dialect.row(&text, 0).map_err(|bad| bad.into_error(&text, first))?.0;
    let is_value = |field: &&[u8]| !matches!(number::value(field, dialect.quote, missing), number::Value::Other);
    let named_by_first_row = match header {
        Header::Auto => !fields.iter().all(is_value),
        Header::Present => true,
        Header::Absent | Header::Names(_) => false,
    };
    if named_by_first_row {
        let columns = column_names(&fields, dialect, first)?;
        let data_start = first + end as u64;
        let has_rows = first_row(source, data_start)?.is_some();
        return Ok(Head { columns, reference: "header", data_start, has_rows });
    }
    let (columns, reference) = match header {
        Header::Names(names) if names.len() != fields.len() => {
            let (found, expected) = (fields.len(), names.len());
            let advice = ": is the delimiter another one, or a name missing?";
            let kind = Kind::RowLength { found, expected, reference: "header= given", advice };
            return Err(Error::at(kind, first, text.trim_ascii_end()));
        }
        Header::Names(names) => (names.clone(), "header= given"),
        _ => ((0..fields.len()).map(positional_name).collect(), "first row"),
    };
    Ok(Head { columns, reference, data_start, has_rows: true })
}

/// The byte offset of the first line from `offset` on that is not blank.
fn first_row(source: &dyn Source, mut offset: u64) -> Result<Option<u64>> {
    let mut piece = [0; PIECE];
    while offset < source.len() {
        let size = (source.len() - offset).min(PIECE as u64) as usize;
        source.read_at(offset, &mut piece[..size])?;
        let blank = skip_blank_lines(&piece[..size], 0);
        offset += blank as u64;
        // A carriage return at the end of a piece may begin a line end, and at the end of the file it is one.
        if piece[blank..size] == *b"\r" && offset + 1 == source.len() {
            return Ok(None);
        }
        if blank < size && piece[blank..size] != *b"\r" {
            return Ok(Some(offset));
        }
    }
    Ok(None)
}

/// The row that starts at byte `offset`, with a newline at its end, and how many bytes of the source it takes.
fn read_row(source: &dyn Source, dialect: Dialect, offset: u64, max_row: usize) -> Result<(Vec<u8>, usize)> {
    let mut size = PIECE;
    loop {
        let length = (source.len() - offset).min(size as u64) as usize;
        let whole = offset + length as u64 == source.len();
        let mut text = vec![0; length];
        source.read_at(offset, &mut text)?;
        if whole && !text.ends_with(b"\n") {
            text.push(b'\n');
        }
        // Up to the last newline every row is whole, unless that newline is quoted.
        let rows = memchr::memrchr(b'\n', &text).map_or(0, |newline| newline + 1);
        if rows > 0 {
            match dialect.row(&text[..rows], 0).map(|(_, end)| end) {
                Ok(end) => {
                    text.truncate(end);
                    return Ok((text, end.min(length)));
                }
                Err(bad) if whole || !matches!(bad.kind, Kind::UnclosedQuote) => {
                    return Err(bad.into_error(&text, offset));
                }
                Err(_) => {}
            }
        }
        if size > max_row {
            text.push(b'\n');
            return Err(match dialect.row(&text, 0) {
                Ok(_) => Error::at(Kind::RowTooLong { limit: max_row }, offset, &text),
                Err(bad) => bad.into_error(&text, offset),
            });
        }
        size *= 4;
    }
}

/// What a column without a name is called.
fn positional_name(column: usize) -> String {
    format!("column_{column}")
}

/// The names that a header row at byte `offset` gives.
fn column_names(fields: &[&[u8]], dialect: Dialect, offset: u64) -> Result<Vec<String>> {
    let mut names = Vec::with_capacity(fields.len());
    let mut offset = offset;
    for (column, field) in fields.iter().enumerate() {
        let wrong = |kind| Error::at(kind, offset, field).in_column(column);
        if field.contains(&0) {
            let (name, advice) = match field {
                [0, 0, 0, ..] => ("UTF-32BE", ""),
                [_, 0, 0, 0, ..] => ("UTF-32LE", ""),
                [0, ..] => ("UTF-16BE", "read it with encoding=\"utf-16-be\", or "),
                _ => ("UTF-16LE", "read it with encoding=\"utf-16-le\", or "),
            };
            return Err(wrong(Kind::Encoding(name, advice)));
        }
        let is_quoted = field.first().is_some_and(|&byte| Some(byte) == dialect.quote);
        if field.contains(&b'\r') && !is_quoted {
            return Err(wrong(Kind::LineEnds));
        }
        let name = number::unquote(field, dialect.quote).into_owned();
        let name = String::from_utf8(name).map_err(|_| wrong(Kind::NameNotUtf8))?;
        names.push(if name.is_empty() { positional_name(column) } else { name });
        offset += field.len() as u64 + 1;
    }
    Ok(names)
}

/// The position of the first line from `start` on that is not blank.
fn skip_blank_lines(text: &[u8], start: usize) -> usize {
    let mut position = start;
    loop {
        match &text[position..] {
            [b'\n', ..] => position += 1,
            [b'\r', b'\n', ..] => position += 2,
            _ => return position,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::MemorySource;

    const COMMA: Dialect = Dialect { delimiter: b',', quote: Some(b'"') };

    fn head(bytes: &[u8], header: &Header) -> Result<Head> {
        read_head(&MemorySource::new(bytes), COMMA, header, &Missing::default(), 1 << 20)
    }

    #[test]
    fn a_first_row_with_a_word_is_a_header() {
        let found = head(b"x,\"a \"\"b\"\"\",3\n1,2,3\n", &Header::Auto).unwrap();
        assert_eq!(found.columns, ["x", "a \"b\"", "3"]);
        assert_eq!(found.data_start, 14);
    }

    #[test]
    fn a_first_row_of_numbers_and_missing_tokens_is_data() {
        let found = head(b"\xEF\xBB\xBF1,NA,,-inf\n", &Header::Auto).unwrap();
        assert_eq!(found.columns, ["column_0", "column_1", "column_2", "column_3"]);
        assert_eq!(found.data_start, 3);
    }

    #[test]
    fn a_header_longer_than_the_first_piece_is_read_whole() {
        let names: Vec<_> = (0..40_000).map(|i| format!("name{i}")).collect();
        let found = head(format!("{}\n1\n", names.join(",")).as_bytes(), &Header::Auto).unwrap();
        assert_eq!(found.columns, names);
    }

    #[test]
    fn a_quoted_name_may_hold_a_line_end() {
        let found = head(b"\r\n\n\"a\nb\",c\r\n\r\n1,2", &Header::Auto).unwrap();
        assert_eq!(found.columns, ["a\nb", "c"]);
    }

    #[test]
    fn what_cannot_be_a_table_is_refused() {
        let kind = |bytes: &[u8]| {
            head(bytes, &Header::Auto).and_then(|head| head.require_rows()).unwrap_err().kind.to_string()
        };
        assert!(kind(b"").contains("empty"));
        assert!(kind(b"\n\r\n\n").contains("blank lines"));
        assert!(kind(b"x,y\n\n\r\n").contains("no rows"));
        assert!(kind(b"\xFF\xFEx\0,\0y\0\n\0").contains("UTF-16LE"));
        assert!(kind(b"x\0,\0y\0\n\x001\0,\x002\0\n\0").contains("UTF-16LE"));
        assert!(kind(b"\"x,y\n1,2\n").contains("never closed"));
        assert!(kind(b"x\xFF,y\n1,2\n").contains("not UTF-8"));
    }
}
