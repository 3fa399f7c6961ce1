//! Checks rows that end with a delimiter: nothing may follow it.

use memchr::memchr;

use super::{BadRow, Index, Run};
use crate::dialect::Dialect;

impl Index {
    /// Finds the rows whose last field is not empty and skips them. If wrong rows are not skipped, the rows end before
    /// the first of them, which is returned.
    pub(super) fn check_row_ends(&mut self, padded: &[u8], columns: usize, dialect: Dialect) -> Option<BadRow> {
        let ends = if self.trimmed.is_empty() { &*self.marks } else { &*self.trimmed };
        let is_right = |last: usize| {
            let (start, end) = (self.marks[last] as usize + 1, ends[last + 1] as usize);
            start == end || dialect.is_blank(&padded[start..end])
        };
        let mut lasts = self.runs.iter().flat_map(|run| (1..=run.rows).map(|row| run.before + row * columns - 1));
        if lasts.all(is_right) {
            return None;
        }
        let mut runs = Vec::with_capacity(self.runs.len() + 1);
        let mut first_wrong = None;
        'runs: for run in &self.runs {
            let mut right = Run { before: run.before, rows: 0 };
            for row in 0..run.rows {
                let before = run.before + row * columns;
                let last = before + columns - 1;
                if is_right(last) {
                    right.rows += 1;
                    continue;
                }
                let end = ends[last + 1] as usize;
                // Only the line end, or spaces that are dropped, can precede the newline.
                let newline = end + memchr(b'\n', &padded[end..]).unwrap_or_default();
                let start = self.marks[before] + 1;
                let bad = BadRow { start, end: newline as u32, found: columns as u32, stray: None, ends_empty: true };
                runs.extend((right.rows > 0).then_some(right));
                right = Run { before: before + columns, rows: 0 };
                if !self.skips_bad_rows {
                    first_wrong = Some(bad);
                    break 'runs;
                }
                self.bad_rows.push(bad);
            }
            runs.extend((right.rows > 0).then_some(right));
        }
        self.runs = runs;
        self.bad_rows.sort_unstable_by_key(|bad| bad.start);
        first_wrong
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::fields::WINDOW;
    use crate::oracle;
    use crate::simd::Simd;
    use crate::source::MemorySource;
    use crate::table::parts::{Bytes, Part, PartColumns, Parts, Place};
    use crate::text::Text;

    /// A text with two columns whose rows end with a delimiter.
    fn text_of(bytes: &[u8], dialect: Dialect) -> Text {
        let layout = PartColumns { places: vec![Place::Field(0), Place::Field(1)], fields: 3, ends_empty: true };
        let source = Bytes::Source(Arc::new(MemorySource::new(bytes.to_vec())));
        let parts = Parts::new(vec![Part { bytes: source, data_start: 0, layout: Some(Arc::new(layout)) }]);
        let mut text = Text::default();
        text.fill(&parts, dialect, 0..bytes.len() as u64, false).unwrap();
        text
    }

    /// The first two fields of each row.
    fn rows_of(index: &Index, text: &Text) -> Vec<Vec<Vec<u8>>> {
        let rows = index.groups(3, 4).flat_map(|rows| {
            (0..rows.count()).map(move |row| [0, 1].map(|column| rows.place(row, column))).collect::<Vec<_>>()
        });
        rows.map(|row| row.map(|place| text.padded()[place].to_vec()).to_vec()).collect()
    }

    proptest! {
        #![proptest_config(crate::checks::cases(2_000))]

        #[test]
        fn a_final_delimiter_does_not_change_the_rows(
            rows in prop::collection::vec(
                (
                    "[ab]{0,2}|\"a,b\"|\"a\n\"\"b\"",
                    "[ab]{0,2}|\"\"|\"\r\n\"",
                    prop_oneof![30 => ",", 3 => ", |,\"\"", 1 => "|,a|,\"b\"|,,|,a,"],
                    "\n|\r\n|\n\n",
                ),
                1..30,
            ),
            (has_escape, fills_short_rows) in (any::<bool>(), any::<bool>()),
        ) {
            let dialect = Dialect {
                escape: has_escape.then_some(b'\\'),
                fills_short_rows,
                ..Dialect::new(b',', Some(b'"'))
            };
            // An escape forces the careful scan.
            let mut bytes = if has_escape { b"\\a,b,\n".to_vec() } else { vec![] };
            let mut right = if has_escape { vec![vec![b"\\a".to_vec(), b"b".to_vec()]] } else { vec![] };
            let mut wrong = vec![];
            for (a, b, end, line_end) in &rows {
                let is_right = matches!(end.as_str(), "," | ", " | ",\"\"") || (end.is_empty() && fills_short_rows);
                if is_right {
                    right.extend(oracle::rows(format!("{a},{b}\n").as_bytes(), dialect));
                } else {
                    wrong.push((bytes.len(), right.len()));
                }
                bytes.extend_from_slice(format!("{a},{b}{end}{line_end}").as_bytes());
            }
            let text = text_of(&bytes, dialect);
            for simd in Simd::available() {
                let mut index = Index::skipping_bad_rows(true);
                prop_assert!(index.fill(simd, &text, dialect, 3, "header").is_none());
                prop_assert_eq!(&rows_of(&index, &text), &right);
                let starts: Vec<_> =
                    index.bad_rows().iter().map(|bad| bad.place(text.padded()).start - WINDOW).collect();
                prop_assert_eq!(starts, wrong.iter().map(|(start, _)| *start).collect::<Vec<_>>());
                let mut index = Index::default();
                let error = index.fill(simd, &text, dialect, 3, "header");
                let before = wrong.first().map_or(right.len(), |(_, before)| *before);
                prop_assert_eq!(error.map(|error| error.offset.unwrap() as usize), wrong.first().map(|(start, _)| *start));
                prop_assert_eq!(rows_of(&index, &text), &right[..before]);
            }
        }
    }
}
