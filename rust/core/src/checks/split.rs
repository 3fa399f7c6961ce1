//! Checks that pieces of any size give texts with the rows of the whole source.

use std::sync::Arc;

use crate::error::Kind;
use crate::oracle;
use crate::simd::Simd;
use crate::source::MemorySource;
use crate::split::Splitter;
use crate::text::Text;
use arbitrary::Arbitrary;

use super::{Marks, spell};

const LETTERS: &[u8] = b",; \\#\t\n\n\r\"\"\"'a";

/// A source and how to cut it.
#[derive(Arbitrary, Debug)]
pub struct Input<'a> {
    marks: Marks,
    piece: u8,
    /// The start of the rows.
    data_start: u8,
    /// The longest row allowed, if it should be short.
    max_row: Option<u8>,
    as_they_are: bool,
    bytes: &'a [u8],
}

impl Input<'_> {
    /// Cuts the source twice under each instruction set and compares the rows of the texts with those of the whole.
    ///
    /// # Panics
    ///
    /// If they differ.
    pub fn check(&self) {
        for simd in Simd::available() {
            self.check_under(simd);
        }
    }

    fn check_under(&self, simd: Simd) {
        let bytes = spell(self.bytes, (!self.as_they_are).then_some(LETTERS));
        let dialect = self.marks.dialect();
        let data_start = usize::from(self.data_start).min(bytes.len());
        let max_row = self.max_row.map_or(1 << 20, |max_row| usize::from(max_row) + 2);
        let piece = 1 + usize::from(self.piece);
        let source = Arc::new(MemorySource::new(bytes.clone()));
        let splitter = Splitter::new(simd, source, dialect, data_start as u64, piece, max_row);
        let bytes = &bytes[data_start..];
        assert_eq!(splitter.texts() as usize, bytes.len().div_ceil(piece));

        let mut text = Text::default();
        for pass in 0..2 {
            let mut joined = vec![];
            let mut rows = vec![];
            for index in pass * splitter.texts()..(pass + 1) * splitter.texts() {
                match splitter.read(index, &mut text) {
                    Ok(more) => assert!(more),
                    Err(error) => {
                        let offset = error.offset.expect("a place in the source") as usize - data_start;
                        match error.kind {
                            Kind::RowTooLong { limit } => assert_eq!((limit, offset), (max_row, joined.len())),
                            Kind::UnclosedQuote | Kind::TextAfterQuote | Kind::SpaceAfterQuote => {
                                assert!(offset >= joined.len());
                            }
                            kind => panic!("{kind}"),
                        }
                        // The oracle does not report a row that never ends, and a row may end with CRLF.
                        let length = |row: &Vec<Vec<u8>>| row.iter().map(|field| field.len() + 1).sum::<usize>() + 1;
                        let first = oracle::rows(&bytes[joined.len()..], dialect).first().map(length);
                        // It does not report comments or runs of spaces either.
                        let is_all =
                            dialect.comment.is_none() && dialect.delimiter != b' ' && !dialect.skip_initial_space;
                        assert!(!is_all || first.is_none_or(|length| length > max_row), "{first:?} {max_row}");
                        assert!(matches!(splitter.read(index + 1, &mut text), Ok(false)));
                        return;
                    }
                }
                let found = text.bytes();
                assert!(found.is_empty() || text.offset as usize == data_start + joined.len());
                assert!(found.is_empty() || found.ends_with(b"\n"));
                assert!(text.has_quotes() || found.iter().all(|&byte| Some(byte) != dialect.quote));
                joined.extend_from_slice(found);
                rows.extend(oracle::rows(found, dialect));
            }
            let newline = match *bytes {
                [] => false,
                [.., before, b'\n'] => Some(before) == dialect.escape,
                [.., last] => last != b'\n',
            };
            assert_eq!(joined, [bytes, if newline { b"\n" } else { b"" }].concat());
            assert_eq!(rows, oracle::rows(&joined, dialect));
        }
    }
}
