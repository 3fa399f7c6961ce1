//! The slow path for fields that are not plain numbers, and the errors of wrong fields.

use std::borrow::Cow;
use std::ops::Range;

use super::Block;
use super::arrangement::Arrangement;
use super::rejects::{Recording, Reject};
use crate::dialect::Dialect;
use crate::error::{Error, Kind};
use crate::fields::WINDOW;
use crate::index::{BadRow, Rows};
use crate::simd::Simd;
use crate::table::missing::{self, Value};
use crate::table::parts::Place;
use crate::table::schema::Schema;
use crate::text::Text;
use crate::value::number::{self, Forms};
use crate::value::vocabulary::Latest;

/// Advice about a carriage return in a number.
const RETURN: &str = "A CR alone, as it has one, ends no line here: if the line ends are mixed, convert them to LF, for \
                      example with `tr '\\r' '\\n'`";

/// The text being read and how to read it.
pub(super) struct Reading<'a> {
    pub(super) schema: &'a Schema,
    pub(super) dialect: Dialect,
    pub(super) simd: Simd,
    pub(super) arrangement: &'a Arrangement,
    pub(super) text: &'a Text,
    pub(super) recording: Recording,
}

/// A field that does not fit its column.
pub(super) struct WrongField {
    pub(super) row: usize,
    /// Its place among the columns of the arrangement and the ids.
    pub(super) at: usize,
    pub(super) place: Range<usize>,
    pub(super) kind: Kind,
}

/// A field that cannot be compared.
pub(super) struct Incomparable {
    pub(super) row: usize,
    /// Position of the column in the schema.
    pub(super) column: usize,
    pub(super) place: Range<usize>,
    pub(super) kind: Kind,
}

impl Reading<'_> {
    /// The field of a column in each row; `None` if the part has no field of it.
    pub(super) fn field_of(&self, column: usize) -> Option<usize> {
        match self.text.layout().map(|layout| &layout.places[column]) {
            None => Some(column),
            Some(Place::Field(field)) => Some(*field),
            Some(Place::Value(_) | Place::Absent) => None,
        }
    }

    /// The text of a column in one of the rows. It is empty for a token that an escape would make another text.
    pub(super) fn key(&self, rows: Rows<'_>, row: usize, column: usize) -> Cow<'_, [u8]> {
        let field = match self.text.layout().map(|layout| &layout.places[column]) {
            None => column,
            Some(Place::Field(field)) => *field,
            Some(Place::Value(value)) => return value.as_bytes().to_owned().into(),
            Some(Place::Absent) => return Cow::default(),
        };
        let field = self.text.field(rows.place(row, field));
        let text = self.dialect.text(field);
        if self.dialect.escape.is_some() && self.is_escaped_token(field, &text) {
            return Cow::default();
        }
        text
    }

    /// Whether a field is a token for no value as it is written, but not once it is unescaped: `\N`, which is an N then.
    fn is_escaped_token(&self, field: &[u8], text: &[u8]) -> bool {
        let missing = &self.schema.missing;
        missing::is_missing(field, self.dialect, missing)
            && !std::str::from_utf8(text).is_ok_and(|text| missing.contains_word(text))
    }

    /// Whether the raw field is recognizably missing. Where one value is missing, the next is usually written alike.
    #[inline]
    pub(super) fn is_missing(&self, place: Range<usize>, latest: &mut Latest) -> bool {
        let text = self.text.padded();
        // A quoted field needs a closer look.
        self.dialect.quote != Some(text[place.start]) && self.schema.missing.contains_again(text, place, latest)
    }

    /// The value of a field that is not a plain number. `wanted` is its position among the features, targets and weight
    /// of its row. Returns `None` if the row must be skipped.
    #[cold]
    pub(super) fn read_field_carefully(
        &self,
        place: Range<usize>,
        column: usize,
        wanted: usize,
    ) -> std::result::Result<Option<f32>, Kind> {
        let field = self.text.field(place);
        match missing::value(field, self.dialect, &self.schema.missing) {
            Value::Number(number) => Ok(Some(number)),
            Value::Missing => self.schema.read_missing(wanted),
            Value::Other => Err(self.no_number(field, column, Schema::advice)),
        }
    }

    /// The error for a field that should be a plain number. `advice` tells of its word and its column.
    pub(super) fn no_number(
        &self,
        field: &[u8],
        column: usize,
        advice: impl Fn(&Schema, &[u8], usize) -> String,
    ) -> Kind {
        if field.contains(&0) {
            return Kind::Nul;
        }
        if self.dialect.has_space_before_quote(field) {
            return Kind::SpaceBeforeQuote;
        }
        if field.trim_ascii().contains(&b'\r') {
            return Kind::Number(RETURN.to_owned());
        }
        let (word, name) = (self.dialect.text(field), self.schema.quoted_name(column));
        if let Some(advice) = self.schema.other_delimiter(&word) {
            return Kind::Number(advice);
        }
        match number::other_notation(&word, self.dialect, Forms::default(), &name) {
            Some(notation) => Kind::Notation(notation),
            None => Kind::Number(advice(self.schema, &word, column)),
        }
    }

    /// The error for a wrong field.
    pub(super) fn wrong_field(&self, kind: Kind, place: Range<usize>, column: usize) -> Error {
        let offset = self.text.offset + (place.start - WINDOW) as u64;
        let text = match self.text.layout().map(|layout| &layout.places[column]) {
            Some(Place::Value(value)) => value.as_bytes(),
            _ => &self.text.padded()[place],
        };
        self.dialect.error(kind, offset, text).in_column(column)
    }

    /// The error for a row with a field that cannot be compared.
    pub(super) fn incomparable(&self, wrong: Incomparable) -> Error {
        let Incomparable { column, place, kind, .. } = wrong;
        self.wrong_field(kind, place, column)
    }

    /// Records a row rejected because of one of its fields. `before` rows of the block precede it.
    #[cold]
    pub(super) fn record_field(&self, wrong: Incomparable, line: Range<usize>, before: usize, block: &mut Block) {
        let Incomparable { column, place, kind, .. } = wrong;
        block.rejects.add(self.recording, kind.reason(), || {
            let error = self.wrong_field(kind, place, column);
            Reject { error, row: self.text_of(line), before }
        });
    }

    /// Records a malformed row, which follows the rows already in the block.
    #[cold]
    pub(super) fn record_row(&self, bad: BadRow, block: &mut Block) {
        let padded = self.text.padded();
        let (columns, reference) = (self.arrangement.fields, self.schema.reference);
        let before = block.rows;
        block.rejects.add(self.recording, bad.reason(columns, reference), || {
            let offset = self.text.offset.wrapping_sub(WINDOW as u64);
            Reject {
                error: bad.error(padded, offset, columns, reference, self.dialect),
                row: self.text_of(bad.place(padded)),
                before,
            }
        });
    }

    /// The text of a row, if rows are recorded. Includes the spaces at both ends of its line, even if they are
    /// delimiters.
    fn text_of(&self, row: Range<usize>) -> Vec<u8> {
        if !self.recording.rows {
            return Vec::new();
        }
        let (padded, Range { mut start, mut end }) = (self.text.padded(), row);
        let Dialect { skip_initial_space, skip_final_space, .. } = self.dialect;
        if self.dialect.has_runs() || skip_initial_space || skip_final_space {
            let is_space = |byte: &&u8| matches!(**byte, b' ' | b'\t');
            start -= padded[WINDOW..start].iter().rev().take_while(is_space).count();
            end += padded[end..].iter().take_while(is_space).count();
        }
        padded[start..end].to_vec()
    }
}
