//! Compares the marks, rows and errors of a text under each instruction set with the oracle.

use std::sync::Arc;

use crate::fields::WINDOW;
use crate::index::Index;
use crate::oracle;
use crate::simd::Simd;
use crate::source::MemorySource;
use crate::split::Splitter;
use crate::text::Text;
use arbitrary::Arbitrary;

use super::{Marks, spell, wrong_row};

const LETTERS: &[u8] = b",,,; \\#\t\n\n\r\"\"'1x+\x0B\x0C\x8C\xAC";

/// A text and how to read it.
#[derive(Arbitrary, Debug)]
pub struct Input<'a> {
    marks: Marks,
    /// The number of columns; by default that of the first row.
    columns: Option<u8>,
    /// Rows in a group.
    group: u8,
    /// How often the bytes are repeated, because some chunks are longer than most inputs.
    copies: u8,
    as_they_are: bool,
    bytes: &'a [u8],
}

impl Input<'_> {
    /// Compares the index of every instruction set with the naive one.
    ///
    /// # Panics
    ///
    /// If they differ.
    pub fn check(&self) {
        let bytes = spell(self.bytes, (!self.as_they_are).then_some(LETTERS)).repeat(1 + usize::from(self.copies % 8));
        if bytes.is_empty() {
            return;
        }
        let dialect = self.marks.dialect();
        let columns = match self.columns {
            Some(columns) => 1 + usize::from(columns % 8),
            None => oracle::table(&bytes, dialect, None).rows.first().map_or(1, Vec::len),
        };
        let expected = oracle::table(&bytes, dialect, Some(columns));
        let places: Vec<_> = expected.rows.iter().flatten().cloned().collect();

        let mut text = Text::default();
        let splitter =
            Splitter::new(Simd::Portable, Arc::new(MemorySource::new(bytes.clone())), dialect, 0, bytes.len(), 1 << 20);
        assert!(matches!(splitter.read(0, &mut text), Ok(true)));
        assert!(text.bytes().starts_with(&bytes));
        // Reuse one index, which keeps the data of the previous instruction set.
        let mut index = Index::default();
        for simd in Simd::available() {
            let error = index.fill(simd, &text, dialect, columns, "header");
            let wrong = error.map(|error| {
                let at = error.offset.expect("a place in the text") as usize;
                (at, wrong_row(&error.kind).expect("a wrong row"))
            });
            assert_eq!(wrong, expected.wrong, "{simd:?}: {:?}", bytes.escape_ascii());
            assert_eq!(index.rows(), expected.rows.len(), "{simd:?}: {:?}", bytes.escape_ascii());
            let mut found = vec![];
            for rows in index.groups(columns, 1 + usize::from(self.group)) {
                assert!((1..=1 + usize::from(self.group)).contains(&rows.count()));
                let fields = (0..rows.count() * columns).map(|at| rows.whole(text.padded(), rows.fields().place(at)));
                found.extend(fields.map(|place| place.start - WINDOW..place.end - WINDOW));
            }
            assert_eq!(found, places, "{simd:?}: {:?}", bytes.escape_ascii());
        }
    }
}
