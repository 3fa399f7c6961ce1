//! Converts a group of rows to values and handles wrong rows.

use super::conditions::Comparing;
use super::mixed::{Lists, Mixed, Rewritten};
use super::reading::{Incomparable, Reading, WrongField};
use super::{Block, IdTexts, Widths};
use crate::choose::conditions::Conditions;
use crate::choose::{Chooser, GroupFields};
use crate::error::{Error, Kind, Result};
use crate::fields;
use crate::index::Rows;
use crate::table::schema::OnError;
use crate::value::number::{self, Plain, Token};
use crate::value::vocabulary::Latest;
use crate::value::{Categories, ValueEncoding};
use std::borrow::Cow;
use std::ops::{ControlFlow, Range};

/// The buffers for converting a group of rows, reused from group to group.
#[derive(Default)]
pub(super) struct Group {
    chosen: Chosen,
    numbers: Numbers,
    /// The values of all columns, numbers and others, if some are not plain numbers.
    mixed: Vec<f32>,
    /// The numbers of a column, rewritten to the usual notation.
    rewritten: Rewritten,
    /// The values of a column of lists.
    lists: Lists,
    /// The ids of the rows, if they are read.
    ids: IdTexts,
    /// The wrong fields. Each way of reading adds at most one for a row.
    wrong: Vec<WrongField>,
    /// The skipped rows: they are wrong, lack a target or weight, or were not chosen.
    skipped: Vec<usize>,
    /// The remaining rows, if some of them must be chosen.
    candidates: Vec<usize>,
    comparing: Comparing,
    /// The rejected rows, each with the field that is wrong.
    rejected: Vec<Incomparable>,
    /// The rows as often as they are chosen, if that may be more than once.
    repeated: Vec<usize>,
}

/// The rows that are read, unless all are, and their marks and ends.
#[derive(Default)]
struct Chosen {
    rows: Vec<usize>,
    marks: Vec<u32>,
    ends: Vec<u32>,
}

/// The fields that are read as numbers.
#[derive(Default)]
struct Numbers {
    /// Where the fields start and end, unless every field of the rows is wanted.
    before: Vec<u32>,
    ends: Vec<u32>,
    values: Vec<f32>,
    /// The fields that are not plain numbers.
    declined: Vec<u32>,
    /// The latest text that was a missing feature.
    missing: Option<Token>,
}

/// What a chooser may see of a group of rows.
struct Fields<'a> {
    reading: &'a Reading<'a>,
    rows: Rows<'a>,
    plain: Option<&'a mut Plain>,
    comparing: &'a mut Comparing,
}

impl GroupFields for Fields<'_> {
    fn key(&self, row: usize, column: usize) -> Cow<'_, [u8]> {
        self.reading.key(self.rows, row, column)
    }

    fn meet(&mut self, conditions: &Conditions, rows: &mut Vec<usize>) {
        self.reading.meet(conditions, self.rows, rows, self.plain.as_deref_mut(), self.comparing);
    }

    fn rule_out(&mut self, conditions: &Conditions, rows: &mut Vec<usize>) {
        self.reading.rule_out(conditions, self.rows, rows, self.plain.as_deref_mut(), self.comparing);
    }
}

impl Numbers {
    /// Converts the plain numbers of `rows` and lists the other fields, which may be missing or wrong.
    fn convert<'a>(&'a mut self, reading: &Reading<'_>, rows: Rows<'a>, plain: Option<&mut Plain>) -> Converted<'a> {
        let Reading { schema, simd, arrangement, text, .. } = *reading;
        let is_every_field = arrangement.number_columns.iter().copied().eq(0..arrangement.fields);
        let fields = if is_every_field {
            rows.fields()
        } else {
            rows.pick(simd, &arrangement.number_columns, &mut self.before, &mut self.ends)
        };
        let count = rows.count() * arrangement.numbers.len();
        if self.values.len() < count {
            self.values.resize(count, 0.0);
        }
        let values = &mut self.values[..count];
        self.declined.clear();
        let quote = reading.dialect.quote;
        // In another notation, commas may have become dots. A token that is a number is read as one first.
        let missing = self.missing.filter(|_| plain.is_none() && !schema.missing.has_numbers());
        let (bytes, places) = plain.map_or((text.padded(), fields), |plain| plain.fields(quote, fields));
        let found = number::convert_with(simd, bytes, quote, missing, places, values, &mut self.declined);
        if schema.missing.has_numbers() {
            let tokens = values.iter().enumerate().filter(|(_, value)| schema.missing.may_be(**value));
            self.declined.extend(tokens.map(|(at, _)| at as u32));
            self.declined.sort_unstable();
        }
        if found {
            fill_missing(values, &arrangement.without, &mut self.declined);
        }
        Converted { rows, fields, values, declined: &self.declined, missing: &mut self.missing }
    }
}

/// Gives the fields without a value, which are NaN, the values `without` one of their columns. Adds those that must have a
/// value to `declined`.
fn fill_missing(values: &mut [f32], without: &[Option<f32>], declined: &mut Vec<u32>) {
    let width = without.len();
    for (column, _) in without.iter().enumerate().filter(|(_, without)| without.is_none()) {
        let required = values.iter().enumerate().skip(column).step_by(width);
        declined.extend(required.filter(|(_, value)| value.is_nan()).map(|(at, _)| at as u32));
        // Some were declined already.
        declined.sort_unstable();
        declined.dedup();
    }
    // Another NaN may have a meaning of its own.
    let is_usual = |value: f32| value.to_bits() == f32::NAN.to_bits();
    if !without.iter().copied().flatten().all(is_usual) {
        for row in values.chunks_exact_mut(width) {
            for (value, without) in row.iter_mut().zip(without) {
                *value = if value.is_nan() { without.unwrap_or(f32::NAN) } else { *value };
            }
        }
    }
}

/// Numbers, some of which the slow path must still read.
struct Converted<'a> {
    rows: Rows<'a>,
    fields: fields::Fields<'a>,
    values: &'a mut [f32],
    declined: &'a [u32],
    /// The latest text that was a missing feature, for the next rows.
    missing: &'a mut Option<Token>,
}

impl<'a> Converted<'a> {
    /// Reads the fields that are not plain numbers. Stops at the first wrong one if errors are raised.
    fn read_declined(
        self,
        reading: &Reading<'_>,
        wrong: &mut Vec<WrongField>,
        skipped: &mut Vec<usize>,
    ) -> &'a mut [f32] {
        let Self { rows, fields, values, declined, missing } = self;
        let without = &reading.arrangement.without[..];
        let text = reading.text.padded();
        let count = values.len();
        let (before, ends) = (&fields.before[..count], &fields.ends[..count]);
        let mut careful = Careful { rows, latest: Latest::NONE, rejected: None, wrong, skipped };
        let (mut row, mut first) = (0, 0);
        for &at in declined {
            let at = at as usize;
            // Declined fields come in order and are often numerous; dividing each position would take longer than the
            // rest.
            while at - first >= without.len() {
                first += without.len();
                row += 1;
            }
            let place = before[at] as usize + 1..ends[at] as usize;
            // Where one value is missing, the next is usually written alike.
            if careful.latest.stands_at(text, &place)
                && let Some(value) = without[at - first]
            {
                values[at] = value;
                continue;
            }
            match careful.read(reading, place, row, at - first) {
                ControlFlow::Continue(Some(value)) => values[at] = value,
                ControlFlow::Continue(None) => {}
                ControlFlow::Break(()) => break,
            }
        }
        *missing = careful.latest.token().or(*missing);
        values
    }
}

/// Reads fields that are neither plain numbers nor missing like the one before.
struct Careful<'a> {
    rows: Rows<'a>,
    /// The latest text that was a missing feature.
    latest: Latest,
    /// The latest row with a wrong field.
    rejected: Option<usize>,
    wrong: &'a mut Vec<WrongField>,
    skipped: &'a mut Vec<usize>,
}

impl Careful<'_> {
    /// Reads the field of one of the number columns. Breaks at a wrong one if errors are raised.
    #[inline(never)]
    fn read(
        &mut self,
        reading: &Reading<'_>,
        place: Range<usize>,
        row: usize,
        number: usize,
    ) -> ControlFlow<(), Option<f32>> {
        let Reading { schema, arrangement, .. } = *reading;
        if self.rejected == Some(row) {
            return ControlFlow::Continue(None);
        }
        if let Some(value) = arrangement.without[number]
            && reading.is_missing(place.clone(), &mut self.latest)
        {
            // A missing feature is known at once.
            return ControlFlow::Continue(Some(value));
        }
        let place = self.rows.whole(reading.text.padded(), place);
        let at = arrangement.numbers[number];
        let (column, wanted) = (arrangement.names[at], arrangement.places[at]);
        match reading.read_field_carefully(place.clone(), column, wanted) {
            Ok(Some(value)) => return ControlFlow::Continue(Some(value)),
            Ok(None) => skip_row(row, self.skipped),
            Err(kind) => {
                self.wrong.push(WrongField { row, at, place, kind });
                if schema.on_error == OnError::Raise {
                    return ControlFlow::Break(());
                }
                // One error is enough to reject the row.
                self.rejected = Some(row);
            }
        }
        ControlFlow::Continue(None)
    }
}

impl Group {
    /// Appends a group of rows to the block. Stops at the first wrong row if errors are raised.
    pub(super) fn convert(
        &mut self,
        reading: &Reading<'_>,
        all: Rows<'_>,
        mut plain: Option<&mut Plain>,
        mut chooser: Option<&mut Chooser<'_>>,
        block: &mut Block,
    ) -> Result<()> {
        let Reading { schema, arrangement, .. } = *reading;
        let Self {
            chosen,
            numbers,
            mixed,
            rewritten,
            lists,
            ids,
            wrong,
            skipped,
            candidates,
            comparing,
            rejected,
            repeated,
        } = self;
        let width = arrangement.columns.len();
        // If rows may be skipped, choosing must wait until the skipped rows are known. But what conditions rule out need not
        // be read, unless it may be a reject.
        let choose_first = !schema.may_skip_rows() || width == 0;
        let repeats = chooser.as_ref().is_some_and(|chooser| chooser.repeats());
        let rules_out = |chooser: &Chooser<'_>| schema.on_error == OnError::Raise && chooser.begins_with_conditions();
        let mut fields = Fields { reading, rows: all, plain: plain.as_deref_mut(), comparing };
        fields.comparing.wrong.clear();
        let mut rows = all;
        let mut numbering = None;
        if let Some(chooser) = chooser.as_deref_mut().filter(|chooser| choose_first || rules_out(chooser)) {
            chosen.rows.clear();
            chosen.rows.extend(0..all.count());
            if choose_first {
                chooser.choose(&mut chosen.rows, all.count(), &mut fields);
                if repeats {
                    once_each(&mut chosen.rows, repeated);
                }
            } else {
                chooser.rule_out(&mut chosen.rows, &mut fields);
            }
            if chosen.rows.len() < all.count() {
                rows = all.only(&chosen.rows, &mut chosen.marks, &mut chosen.ends);
                numbering = Some(&chosen.rows[..]);
            }
        }
        let chooser = chooser.filter(|_| !choose_first);
        if !comparing.wrong.is_empty() {
            return Err(reading.incomparable(comparing.wrong.swap_remove(0)));
        }
        if width == 0 {
            block.rows += if repeats { repeated.len() } else { rows.count() };
            return Ok(());
        }
        skipped.clear();
        wrong.clear();
        let values = numbers.convert(reading, rows, plain.as_deref_mut()).read_declined(reading, wrong, skipped);
        let values = if arrangement.is_mixed() {
            mix(reading, values, mixed, rows.count());
            let group =
                &mut Mixed { rows, values: mixed, skipped, wrong, rewritten, lists, plain: plain.as_deref_mut() };
            reading.read_encoded(group);
            reading.fill_constants(group);
            &*mixed
        } else {
            &*values
        };
        if schema.reads_ids() {
            reading.read_ids(rows, ids, wrong);
        }
        let (mut kept, mut error) = resolve_errors(wrong, skipped, rejected, reading, rows);
        if let Some(chooser) = chooser {
            let fields = &mut Fields { reading, rows: all, plain, comparing };
            choose_kept(candidates, skipped, (kept, numbering), chooser, fields);
            if repeats {
                std::mem::swap(candidates, repeated);
            } else {
                skip_unchosen(candidates, skipped, kept);
            }
            let raises = |wrong: &Incomparable| schema.on_error == OnError::Raise || wrong.kind.is_of_file();
            if let Some(first) = comparing.wrong.iter().position(raises) {
                let first = comparing.wrong.drain(first..).next();
                if let Some(first) = first {
                    kept = numbering.map_or(first.row, |rows| rows.partition_point(|&row| row < first.row));
                    error = Some(reading.incomparable(first));
                }
                skipped.retain(|&row| row < kept);
                rejected.retain(|rejected| rejected.row < kept);
            }
            if schema.on_error == OnError::Skip {
                rejected.append(&mut comparing.wrong);
                rejected.sort_by_key(|rejected| rejected.row);
            }
        }
        for rejected in rejected.drain(..) {
            let row = rejected.row;
            let yielded = if repeats {
                repeated.partition_point(|&repeated| repeated < row)
            } else {
                row - skipped.partition_point(|&skipped| skipped < row)
            };
            reading.record_field(rejected, rows.line(reading.text.padded(), row), block.rows + yielded, block);
        }
        let repeated = repeats.then_some(&repeated[..]);
        append(reading, &Converting { values, ids, kept, skipped, repeated }, block);
        error.map_or(Ok(()), Err)
    }
}

/// Rows whose values are read.
struct Converting<'a> {
    values: &'a [f32],
    ids: &'a IdTexts,
    /// The number of rows before the first wrong one.
    kept: usize,
    skipped: &'a [usize],
    /// The rows as often as they are chosen, if that may be more than once.
    repeated: Option<&'a [usize]>,
}

/// Appends the chosen rows to the block. Each is read once, and copied as often as it is chosen.
fn append(reading: &Reading<'_>, rows: &Converting<'_>, block: &mut Block) {
    let Reading { schema, arrangement, .. } = *reading;
    let &Converting { values, ids, kept, skipped, repeated } = rows;
    let width = arrangement.columns.len();
    let mut append = |rows: Range<usize>| {
        block.extend(Widths::of(schema), arrangement, &values[rows.start * width..rows.end * width]);
        if schema.ids.are_kept {
            block.ids.extend_from(ids, rows);
        }
    };
    if let Some(repeated) = repeated {
        let repeated = &repeated[..repeated.partition_point(|&row| row < kept)];
        for run in repeated.chunk_by(|row, next| row + 1 == *next) {
            append(run[0]..run[0] + run.len());
        }
        return;
    }
    let mut first = 0;
    for &row in skipped.iter().chain([&kept]) {
        append(first.min(row)..row);
        first = row + 1;
    }
}

/// Puts the numbers of the rows into their places among the other values.
fn mix(reading: &Reading<'_>, values: &[f32], mixed: &mut Vec<f32>, rows: usize) {
    let arrangement = reading.arrangement;
    let (width, numbers) = (arrangement.columns.len(), arrangement.numbers.len());
    mixed.resize(rows * width, 0.0);
    if let [at] = arrangement.numbers[..] {
        for (mixed, &number) in mixed.chunks_exact_mut(width).zip(values) {
            mixed[at] = number;
        }
    } else if numbers > 0 {
        for (mixed, numbers) in mixed.chunks_exact_mut(width).zip(values.chunks_exact(numbers)) {
            arrangement.numbers.iter().zip(numbers).for_each(|(&at, &number)| mixed[at] = number);
        }
    }
}

/// Leaves each row once, and notes in `repeated` the places among these rows as often as they were there.
fn once_each(rows: &mut Vec<usize>, repeated: &mut Vec<usize>) {
    repeated.clear();
    let copies = rows.chunk_by(|row, next| row == next).enumerate();
    repeated.extend(copies.flat_map(|(place, copies)| std::iter::repeat_n(place, copies.len())));
    rows.dedup();
}

/// Of the first `kept` rows that are not skipped, keeps in `candidates` those that `chooser` selects. If the rows are only
/// some of the group, `numbering` has their places in it.
fn choose_kept(
    candidates: &mut Vec<usize>,
    skipped: &[usize],
    (kept, numbering): (usize, Option<&[usize]>),
    chooser: &mut Chooser<'_>,
    fields: &mut Fields<'_>,
) {
    let all = fields.rows.count();
    let place = |row: usize| numbering.map_or(row, |rows| rows.get(row).copied().unwrap_or(all));
    candidates.clear();
    let mut gone = skipped.iter().peekable();
    candidates.extend((0..kept).filter(|row| gone.next_if_eq(&row).is_none()).map(place));
    chooser.choose(candidates, place(kept), fields);
    if let Some(numbering) = numbering {
        for row in candidates {
            *row = numbering.partition_point(|place| place < row);
        }
    }
}

/// Skips all of the first `kept` rows but the candidates.
fn skip_unchosen(candidates: &[usize], skipped: &mut Vec<usize>, kept: usize) {
    let mut chosen = candidates.iter().peekable();
    skipped.clear();
    skipped.extend((0..kept).filter(|&row| chosen.next_if_eq(&&row).is_none()));
}

/// Rejects the wrong rows. If errors are raised instead, returns the number of rows before the first wrong one, and its
/// error.
fn resolve_errors(
    wrong: &mut Vec<WrongField>,
    skipped: &mut Vec<usize>,
    rejected: &mut Vec<Incomparable>,
    reading: &Reading<'_>,
    rows: Rows<'_>,
) -> (usize, Option<Error>) {
    let Reading { schema, arrangement, .. } = *reading;
    let mut error = None;
    let mut kept = rows.count();
    if !wrong.is_empty() {
        // Of several errors in a row, the first counts. An unknown class of a vocabulary found in the file comes last:
        // that pass skips rows with other errors, so such a class is only unknown because of the other error.
        let is_found = |wrong: &WrongField| {
            let encoding = arrangement.places.get(wrong.at).and_then(|&wanted| schema.encoding(wanted));
            let categories = encoding.and_then(ValueEncoding::categories);
            let is_class = matches!(wrong.kind, Kind::Class(_) | Kind::ListClass { .. });
            is_class && matches!(categories, Some(Categories::Found(_)))
        };
        let is_skipping = schema.on_error == OnError::Skip;
        // A row that is left out for another reason may have any text.
        let is_last = |wrong: &WrongField| is_found(wrong) || is_skipping && wrong.kind.is_of_file();
        wrong.sort_by_key(|wrong| (wrong.row, is_last(wrong), arrangement.field_at(wrong.at), wrong.at));
        wrong.dedup_by_key(|wrong| wrong.row);
        if let Some(first) = wrong.iter().position(|wrong| !is_skipping || wrong.kind.is_of_file()) {
            if let Some(WrongField { row, at, place, kind }) = wrong.drain(first..).next() {
                kept = row;
                error = Some(reading.wrong_field(kind, place, arrangement.names[at]));
            }
            skipped.retain(|&row| row < kept);
        }
        skipped.extend(wrong.iter().map(|wrong| wrong.row));
    }
    if !wrong.is_empty() || arrangement.is_mixed() {
        skipped.sort_unstable();
        skipped.dedup();
    }
    rejected.clear();
    if schema.on_error == OnError::Skip {
        let in_column =
            |WrongField { row, at, place, kind }| Incomparable { row, column: arrangement.names[at], place, kind };
        rejected.extend(wrong.drain(..).map(in_column));
    }
    (kept, error)
}

/// Appends a row to the skipped ones. A row that lacks both its target and its weight is added once.
fn skip_row(row: usize, skipped: &mut Vec<usize>) {
    if skipped.last() != Some(&row) {
        skipped.push(row);
    }
}
