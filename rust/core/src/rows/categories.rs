//! Columns with categories of a vocabulary, most of which are written as they are.

use super::arrangement::EncodedColumn;
use super::mixed::Mixed;
use super::reading::Reading;
use crate::value::Vocabulary;

impl Reading<'_> {
    /// Reads the fields of a column that are words of the vocabulary. Adds the other rows to `pending`.
    #[inline(never)]
    pub(super) fn read_words(
        &self,
        column: &EncodedColumn,
        vocabulary: &Vocabulary,
        rows: usize,
        mixed: &mut Mixed<'_>,
        pending: &mut Vec<usize>,
    ) {
        pending.clear();
        let (text, width) = (self.text.padded(), self.arrangement.columns.len());
        let is_quoted = rows > 0 && self.dialect.quote == Some(text[mixed.rows.place(0, column.column).start]);
        let literal = vocabulary.literal(self.dialect.quote).filter(|_| !is_quoted && self.dialect.is_literal());
        let Some(literal) = literal else {
            pending.extend(0..rows);
            return;
        };
        let before_first = |&(at, wanted): &(usize, usize)| Some((at, self.schema.encoding(wanted)?.before_first()));
        let values: Vec<_> = column.values.iter().filter_map(before_first).collect();
        let places = mixed.rows.column(column.column).take(rows);
        let rows = places.zip(mixed.values.chunks_exact_mut(width)).enumerate();
        if let [(at, before_first)] = values[..] {
            for (row, (place, values)) in rows {
                match literal.code_at(text, place) {
                    0 => pending.push(row),
                    code => values[at] = code as i32 as f32 - before_first,
                }
            }
            return;
        }
        for (row, (place, row_values)) in rows {
            match literal.code_at(text, place) {
                0 => pending.push(row),
                code => {
                    for &(at, before_first) in &values {
                        row_values[at] = code as i32 as f32 - before_first;
                    }
                }
            }
        }
    }
}
