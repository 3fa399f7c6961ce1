//! Finds where the rows of a file begin and the names of its columns.

use super::encoding::{is_western, unknown};
use super::ending::{Ends, FirstRows, Last, after_names};
use super::lines::{first_row, read_row, skip_lines};
use super::other_formats::{binary, refuse_binary, refuse_other_text};
use crate::dialect::{Dialect, UTF8_BOM};
use crate::error::{Error, Kind, Result};
use crate::index::Careful;
use crate::source::Source;
use crate::table::missing::{self, Missing};
use crate::table::schema::{OnError, positional_name};

/// Whether the first row names the columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Header {
    /// It does if one of its fields is neither a number nor a missing token.
    Auto,
    /// It does.
    Present,
    /// It does not. The columns are called `column_0`, `column_1`, …
    Absent,
    /// It does not. These are the names.
    Names(Vec<String>),
}

/// The properties of a file found at its beginning.
#[derive(Clone, Debug)]
pub struct Head {
    /// The name of each column, in file order.
    pub columns: Vec<String>,
    /// Where the number of columns comes from, for messages.
    pub reference: &'static str,
    /// Byte offset of the first data row.
    pub data_start: u64,
    /// Whether there are data rows.
    pub has_rows: bool,
    /// Whether the first row names the columns.
    pub is_named: bool,
    /// Whether the first row ends with CRLF.
    pub returns: bool,
    /// How to treat the field after the last delimiter of each row.
    pub last: Last,
}

impl Head {
    /// Returns an error if there are no rows.
    pub fn require_rows(&self) -> Result<()> {
        if self.has_rows { Ok(()) } else { Err(Kind::Empty("the file holds a header and no rows after it").into()) }
    }

    /// Whether each row ends with a delimiter that does not start another column.
    #[must_use]
    pub fn ends_empty(&self) -> bool {
        self.last != Last::Kept
    }

    /// Keeps the empty last column if the first file of the table has it, too.
    pub fn keep_last_of(&mut self, first: &[String]) {
        let name = positional_name(self.columns.len());
        let has_one_more = first.len() == self.columns.len() + 1;
        if self.last == Last::Dropped && has_one_more && (!self.is_named || first.last() == Some(&name)) {
            self.columns.push(name);
            self.last = Last::Kept;
        }
    }
}

/// Reads the byte-order mark and the header. The header may have up to `max_row` bytes.
pub fn read_head(
    source: &dyn Source,
    dialect: Dialect,
    header: &Header,
    missing: &Missing,
    on_error: OnError,
    max_row: usize,
) -> Result<Head> {
    let data_start = skip_to_table(source, dialect)?;
    let Some(first) = first_row(source, dialect, data_start)? else {
        let comments = if dialect.comment.is_some() { " and comments" } else { "" };
        return Err(Kind::Empty(match (dialect.skip_rows, comments) {
            (0, "") => "the file holds nothing but blank lines",
            (0, _) => "the file holds nothing but blank lines and comments",
            _ => "the file holds nothing after the lines that skip_rows= leaves out",
        })
        .into());
    };
    let row = read_row(source, dialect, first, max_row);
    let skips = on_error == OnError::Skip;
    let rows_from = |offset| FirstRows::new(source, dialect, offset, max_row);
    let added = |names: &[String]| Ends::added(names.len(), dialect, skips).find(rows_from(data_start));
    if let (Header::Names(names), OnError::Skip) = (header, on_error) {
        // The first row may be wrong, and the names are known.
        let returns = row.is_ok_and(|(text, _)| text.ends_with(b"\r\n"));
        let (columns, reference) = (names.clone(), "header= given");
        let last = added(names)?;
        return Ok(Head { columns, reference, data_start, has_rows: true, is_named: false, returns, last });
    }
    let (text, end) = row?;
    let mut fields = Vec::new();
    let mut places = Vec::new();
    Careful::new(dialect, &text, 0)
        .next_row(|field| {
            fields.push(&text[field.clone()]);
            places.push(first + field.start as u64);
        })
        .map_err(|bad| bad.into_error(&text, first, dialect))?;
    let is_value = |field: &&[u8]| !matches!(missing::value(field, dialect, missing), missing::Value::Other);
    let is_named = match header {
        Header::Auto => !fields.iter().all(is_value),
        Header::Present => true,
        Header::Absent | Header::Names(_) => false,
    };
    let returns = text.ends_with(b"\r\n");
    if is_named {
        if memchr::memchr(0, &text).is_some() {
            // The file format shows in the first bytes of the row, not in a name.
            let field = fields.iter().position(|field| field.contains(&0)).unwrap_or_default();
            return Err(dialect.error(binary(&text, first), places[field], fields[field]).in_column(field));
        }
        let mut columns = column_names(&fields, &places, dialect)?;
        let what = "skip_rows_after_header= leaves out";
        let data_start = skip_lines(source, first + end as u64, dialect.skip_rows_after_header, what)?;
        let has_rows = first_row(source, dialect, data_start)?.is_some();
        let mut reference = "header";
        let body = after_names(&fields, rows_from(data_start), missing, skips)?;
        if body.last == Last::Dropped {
            columns.pop();
        }
        if body.has_index {
            columns.insert(0, positional_name(0));
            reference = "header and the index before it";
        }
        return Ok(Head { columns, reference, data_start, has_rows, is_named, returns, last: body.last });
    }
    if dialect.skip_rows_after_header > 0 {
        let message = "skip_rows_after_header= leaves out lines after a header, and the first row seems to be none: \
                       header=True takes it for one";
        return Err(Error { offset: Some(first), ..Kind::Column(message.to_owned()).into() });
    }
    let last = match header {
        Header::Names(names) if names.len() + 1 == fields.len() || dialect.fills_short_rows => added(names)?,
        Header::Names(_) => Last::Kept,
        _ => Ends::dropped(&fields, dialect, skips).map_or(Ok(Last::Kept), |ends| ends.find(rows_from(data_start)))?,
    };
    let width = fields.len() - usize::from(last == Last::Dropped);
    let fills = |names: &[String]| dialect.fills_short_rows && names.len() > fields.len();
    let (columns, reference) = match header {
        Header::Names(names) if fills(names) => (names.clone(), "header= given"),
        Header::Names(names) if names.len() != fields.len() && last == Last::Kept => {
            let (found, expected) = (fields.len(), names.len());
            let advice = ": is the delimiter another one, or a name missing?";
            let kind = Kind::RowLength { found, expected, reference: "header= given", advice };
            return Err(dialect.error(kind, first, text.trim_ascii_end()));
        }
        Header::Names(names) => (names.clone(), "header= given"),
        _ => ((0..width).map(positional_name).collect(), "first row"),
    };
    Ok(Head { columns, reference, data_start, has_rows: true, is_named, returns, last })
}

/// The length of the byte-order mark, and some bytes after it. Returns an error if the file is not text.
pub(super) fn start_of(source: &dyn Source) -> Result<(u64, Vec<u8>)> {
    let mut start = vec![0; source.len().min(24) as usize];
    source.read_at(0, &mut start)?;
    if start.is_empty() {
        return Err(Kind::Empty("the file is empty").into());
    }
    refuse_binary(&start)?;
    let mark = if start.starts_with(UTF8_BOM) { UTF8_BOM.len() } else { 0 };
    Ok((mark as u64, start.split_off(mark)))
}

/// Where the first possible row starts: after the byte-order mark and the lines to skip before the header.
pub(super) fn skip_to_table(source: &dyn Source, dialect: Dialect) -> Result<u64> {
    let (mark, start) = start_of(source)?;
    let named = separator_line(&start).filter(|_| dialect.skip_rows == 0);
    if let Some(delimiter) = named.filter(|&delimiter| delimiter != dialect.delimiter) {
        let delimiter = char::from(delimiter).to_string();
        let line = start.split(|&byte| byte == b'\n').next().unwrap_or_default();
        return Err(dialect.error(Kind::OtherDelimiter(delimiter), mark, line.trim_ascii_end()));
    }
    let lines = if named.is_some() { 1 } else { dialect.skip_rows };
    let table = skip_lines(source, mark, lines, "skip_rows= leaves out")?;
    refuse_other_text(source, table)?;
    Ok(table)
}

/// The delimiter named by a first line such as `sep=;`, which spreadsheets write.
pub(super) fn separator_line(start: &[u8]) -> Option<u8> {
    let (name, rest) = start.split_at_checked(4)?;
    match rest {
        [delimiter, b'\n', ..] | [delimiter, b'\r', b'\n', ..] if name.eq_ignore_ascii_case(b"sep=") => {
            Some(*delimiter)
        }
        _ => None,
    }
}

/// The names in the fields of a header row. `places` are the offsets of the fields.
fn column_names(fields: &[&[u8]], places: &[u64], dialect: Dialect) -> Result<Vec<String>> {
    let mut names = Vec::with_capacity(fields.len());
    for (column, (field, &offset)) in fields.iter().zip(places).enumerate() {
        let wrong = |kind| dialect.error(kind, offset, field).in_column(column);
        let is_quoted = field.first().is_some_and(|&byte| Some(byte) == dialect.quote);
        if field.contains(&b'\r') && !is_quoted && dialect.escape.is_none() {
            return Err(wrong(Kind::LineEnds("a CR alone stands here, and LF ends other lines")));
        }
        if dialect.has_space_before_quote(field) {
            return Err(wrong(Kind::SpaceBeforeQuote));
        }
        let not_utf8 = |_| wrong(if is_western(field) { Kind::NameNotUtf8 } else { unknown(field).kind });
        let name = String::from_utf8(dialect.text(field).into_owned()).map_err(not_utf8)?;
        names.push(if name.is_empty() { positional_name(column) } else { name });
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::MemorySource;

    const COMMA: Dialect = Dialect::new(b',', Some(b'"'));

    fn head(bytes: &[u8], header: &Header) -> Result<Head> {
        read_head(&MemorySource::new(bytes), COMMA, header, &Missing::default(), OnError::Raise, 1 << 20)
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
    fn a_name_like_markup_is_a_name() {
        for (row, names) in [
            ("<DATE>,<OPEN>", ["<DATE>", "<OPEN>"]),
            ("{a},{b}", ["{a}", "{b}"]),
            ("[km],[s]", ["[km]", "[s]"]),
            ("{\"a\":1},n", ["{\"a\":1}", "n"]),
        ] {
            assert_eq!(head(format!("{row}\n1,2\n").as_bytes(), &Header::Auto).unwrap().columns, names);
        }
    }

    #[test]
    fn files_that_are_not_tables_are_refused() {
        let kind = |bytes: &[u8]| {
            head(bytes, &Header::Auto).and_then(|head| head.require_rows()).unwrap_err().kind.to_string()
        };
        assert!(kind(b"").contains("empty"));
        assert!(kind(b"\n\r\n\n").contains("blank lines"));
        assert!(kind(b"x,y\n\n\r\n").contains("no rows"));
        assert!(kind(b"\xFF\xFEx\0,\0y\0\n\0").contains("UTF-16LE"));
        assert!(kind(b"x\0,\0y\0\n\x001\0,\x002\0\n\0").contains("UTF-16LE"));
        assert!(kind(b"\"x,y\n1,2\n").contains("never closed"));
        assert!(kind(b"\0x\0,\0y\0\n\0\x31").contains("UTF-16BE"));
        assert!(kind(b"\x38\x04\x3C\x04,\0\x4F\x04\n\0").contains("UTF-16LE"));
        assert!(kind(b"x\0\0\0,\0\0\0y\0\0\0\n\0\0\0").contains("UTF-32LE"));
        assert!(kind(b"\x07\0\x01\0ab\0\0\x05c\n1").contains("not text"));
        assert!(kind(b"{\"a\": \"1\", \"b\": 2}\n").contains("JSON"));
        assert!(kind(b"[{\"a\": 1}, {\"a\": 2}]").contains("JSON"));
        assert!(kind(b"{\n  \"a\": 1\n}\n").contains("JSON"));
        assert!(kind(b"<!DOCTYPE html>\n<html>\n").contains("HTML"));
        assert!(kind(b"x\xFF,y\n1,2\n").contains("not UTF-8"));
    }
}
