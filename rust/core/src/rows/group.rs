//! A group of rows to values, and what becomes of those rows that are wrong.

use std::ops::Range;

use super::coded::Mixed;
use super::forms::Rewritten;
use super::reading::Reading;
use super::{Block, Widths};
use crate::choose::Chooser;
use crate::error::{Error, Kind, Result};
use crate::index::Rows;
use crate::table::schema::OnError;
use crate::value::number::{self, Plain};
use crate::value::{Categories, Code};

/// The buffers that a group of rows passes through.
#[derive(Default)]
pub(super) struct Group {
    /// Where the wanted numbers start and end, unless they are all there is.
    before: Vec<u32>,
    ends: Vec<u32>,
    values: Vec<f32>,
    /// The same values and, between them, what is read of columns that hold no numbers.
    mixed: Vec<f32>,
    /// Numbers of a column that is not written as programs write it.
    rewritten: Rewritten,
    /// The fields that are not plain numbers.
    declined: Vec<u32>,
    /// The rows that are chosen, unless all are, and their marks and ends.
    chosen: Vec<usize>,
    chosen_marks: Vec<u32>,
    chosen_ends: Vec<u32>,
    /// The fields that are not what they should be: of a row at most one for each way of reading.
    wrong: Vec<WrongField>,
    /// The rows that are left out as wrong, for want of a target or weight, or because they are not chosen.
    left_out: Vec<usize>,
}

/// A field that is not what its column is read as.
pub(super) struct WrongField {
    pub(super) row: usize,
    /// Its place among the columns of the arrangement.
    pub(super) at: usize,
    pub(super) place: Range<usize>,
    pub(super) kind: Kind,
}

impl Group {
    /// Appends a group of rows, up to the first that is wrong and not left out.
    pub(super) fn convert(
        &mut self,
        reading: &Reading<'_>,
        all: Rows<'_>,
        plain: Option<&mut Plain>,
        mut chooser: Option<&mut Chooser<'_>>,
        block: &mut Block,
    ) -> Result<()> {
        let Reading { schema, simd, arrangement, text, .. } = *reading;
        let key = |row, column| reading.key(all, row, column);
        let width = arrangement.columns.len();
        // Where some rows do not count, that has to be known before the others are chosen among.
        let choose_first = !schema.leaves_out() || width == 0;
        let mut rows = all;
        if let Some(chooser) = chooser.take_if(|_| choose_first) {
            self.chosen.clear();
            self.chosen.extend(0..all.count());
            chooser.choose(&mut self.chosen, key);
            if self.chosen.len() < all.count() {
                rows = all.only(&self.chosen, &mut self.chosen_marks, &mut self.chosen_ends);
            }
        }
        if width == 0 {
            block.rows += rows.count();
            return Ok(());
        }
        let numbers = arrangement.numbers.len();
        let as_they_stand = arrangement.number_columns.iter().copied().eq(0..arrangement.fields);
        let fields = if as_they_stand {
            rows.fields()
        } else {
            rows.pick(simd, &arrangement.number_columns, &mut self.before, &mut self.ends)
        };
        let count = rows.count() * numbers;
        if self.values.len() < count {
            self.values.resize(count, 0.0);
        }
        let values = &mut self.values[..count];
        self.declined.clear();
        let quote = reading.dialect.quote;
        let (bytes, places) = plain.map_or((text.padded(), fields), |plain| plain.fields(quote, fields));
        number::convert(simd, bytes, quote, places, values, &mut self.declined);
        if schema.missing.has_numbers() {
            let tokens = values.iter().enumerate().filter(|(_, value)| schema.missing.may_be(**value));
            self.declined.extend(tokens.map(|(at, _)| at as u32));
            self.declined.sort_unstable();
        }
        self.left_out.clear();
        self.wrong.clear();
        let mut row = 0;
        let mut rejected = None;
        for &at in &self.declined {
            let at = at as usize;
            // They are in order, and often many: a division for each would take longer than the rest.
            while at >= (row + 1) * numbers {
                row += 1;
            }
            if rejected == Some(row) {
                continue;
            }
            let place = fields.place(at);
            let at_column = arrangement.numbers[at - row * numbers];
            let (column, wanted) = (arrangement.names[at_column], arrangement.places[at_column]);
            if wanted < schema.features.len() && reading.is_missing(place.clone()) {
                // A missing feature is one, whatever else is.
                values[at] = schema.missing_value(wanted);
                continue;
            }
            match reading.read_with_care(place.clone(), column, wanted) {
                Ok(Some(value)) => values[at] = value,
                Ok(None) => leave_out(row, &mut self.left_out),
                Err(kind) => {
                    self.wrong.push(WrongField { row, at: at_column, place, kind });
                    if schema.on_error == OnError::Raise {
                        break;
                    }
                    // What else is wrong with it does not matter.
                    rejected = Some(row);
                }
            }
        }
        if arrangement.is_mixed() {
            self.mixed.resize(rows.count() * width, 0.0);
            if numbers > 0 {
                for (mixed, numbers) in self.mixed.chunks_exact_mut(width).zip(values.chunks_exact(numbers)) {
                    arrangement.numbers.iter().zip(numbers).for_each(|(&at, &number)| mixed[at] = number);
                }
            }
            let (left_out, wrong) = (&mut self.left_out, &mut self.wrong);
            let rewritten = &mut self.rewritten;
            let mixed = &mut Mixed { rows, values: &mut self.mixed, left_out, wrong, rewritten };
            reading.read_codes(mixed);
            reading.fill_constants(mixed);
        }
        let (kept, error) = settle(&mut self.wrong, &mut self.left_out, reading, rows, block);
        let values = if arrangement.is_mixed() { &self.mixed } else { &self.values };
        if let Some(chooser) = chooser {
            self.chosen.clear();
            let mut left_out = self.left_out.iter().peekable();
            self.chosen.extend((0..kept).filter(|row| left_out.next_if_eq(&row).is_none()));
            chooser.choose(&mut self.chosen, key);
            let mut chosen = self.chosen.iter().peekable();
            self.left_out.clear();
            self.left_out.extend((0..kept).filter(|row| chosen.next_if_eq(&row).is_none()));
        }
        let widths = Widths::of(schema);
        let mut first = 0;
        for &row in self.left_out.iter().chain([&kept]) {
            block.extend(widths, arrangement, &values[first.min(row) * width..row * width]);
            first = row + 1;
        }
        error.map_or(Ok(()), Err)
    }
}

/// Leaves the rows out that are wrong, and notes them; or says how many come before the first of them, and what is wrong
/// with it.
fn settle(
    wrong: &mut Vec<WrongField>,
    left_out: &mut Vec<usize>,
    reading: &Reading<'_>,
    rows: Rows<'_>,
    block: &mut Block,
) -> (usize, Option<Error>) {
    let Reading { schema, arrangement, .. } = *reading;
    let mut error = None;
    let mut kept = rows.count();
    if !wrong.is_empty() {
        // Of several in a row, the first counts; but what is found in the file lacks a category only where something else
        // is wrong with the row.
        let is_found = |wrong: &WrongField| {
            let code = schema.code(arrangement.places[wrong.at]);
            matches!((&wrong.kind, code), (Kind::Class(_), Some(Code::Class(Categories::Found(_)))))
        };
        wrong.sort_by_key(|wrong| (wrong.row, is_found(wrong), wrong.at));
        wrong.dedup_by_key(|wrong| wrong.row);
        if schema.on_error == OnError::Raise {
            let WrongField { row, at, place, kind } = wrong.swap_remove(0);
            kept = row;
            error = Some(reading.wrong_field(kind, place, arrangement.names[at]));
            left_out.retain(|&row| row < kept);
        } else {
            left_out.extend(wrong.iter().map(|wrong| wrong.row));
        }
    }
    if !wrong.is_empty() || arrangement.is_mixed() {
        left_out.sort_unstable();
        left_out.dedup();
    }
    if schema.on_error == OnError::Skip {
        for wrong in wrong.drain(..) {
            let row = wrong.row;
            let before = block.rows + row - left_out.partition_point(|&left_out| left_out < row);
            reading.note_field(wrong, rows.line(row), before, block);
        }
    }
    (kept, error)
}

/// Appends the row, which may lack both its target and its weight, to those that are left out.
fn leave_out(row: usize, left_out: &mut Vec<usize>) {
    if left_out.last() != Some(&row) {
        left_out.push(row);
    }
}
