//! A pass that writes every rejected row to a CSV file.

use std::borrow::Cow;
use std::io::{self, Write};
use std::sync::Arc;

use crate::budget::Budget;
use crate::error::{Error, Kind, Result};
use crate::pipeline::{Done, Jobs, Pipeline, Worker};
use crate::rows::rejects::{Recording, Reject, Rejects};
use crate::rows::{Parser, Pool};
use crate::split::Splitter;
use crate::table::Table;
use crate::table::parts::Lines;
use crate::text::Text;

const HEADER: &[u8] = b"path,line,byte_offset,column,reason,row\n";

/// Writes a file without rejects.
pub fn write_none(out: &mut impl Write) -> Result<u64> {
    out.write_all(HEADER).and_then(|()| out.flush()).map_err(Kind::Unwritten)?;
    Ok(0)
}

/// Writes every rejected row of a table as a row of CSV in UTF-8 and returns their number. `names` are the names of the
/// parts. Calls `check` several times a second and stops at the first error that it returns.
pub fn write<E: From<Error>>(
    table: &Table,
    names: &[&str],
    budget: Budget,
    out: &mut impl Write,
    check: impl FnMut() -> std::result::Result<(), E>,
) -> std::result::Result<u64, E> {
    let splitter = Splitter::of(table, budget.block_bytes, budget.max_row, false).decompressing_ahead(budget);
    let jobs = Rejecting { table: table.for_counting(), splitter };
    let mut report = Report::begin(out, table, names)?;
    Pipeline::run(jobs, table.parts.threads(budget.threads), budget.window)?
        .drain(|(rejects, end): (Rejects, u64)| Ok(report.add(&rejects, end)?), check)?;
    Ok(report.end()?)
}

/// A file of rejects.
pub(crate) struct Report<'a, W> {
    out: &'a mut W,
    table: &'a Table,
    /// The names of the parts.
    names: &'a [&'a str],
    lines: Lines<'a>,
    count: u64,
}

impl<'a, W: Write> Report<'a, W> {
    pub(crate) fn begin(out: &'a mut W, table: &'a Table, names: &'a [&'a str]) -> Result<Self> {
        out.write_all(HEADER).map_err(Kind::Unwritten)?;
        Ok(Self { out, table, names, lines: Lines::of(&table.parts), count: 0 })
    }

    /// Writes the rejects of the next text, which ends at a place in the table.
    pub(crate) fn add(&mut self, rejects: &Rejects, end: u64) -> Result<()> {
        for reject in rejects.list() {
            self.count += 1;
            write_row(self.out, reject, self.table, self.names, &mut self.lines).map_err(Kind::Unwritten)?;
        }
        // Count the lines of each text as it arrives, so that no reject has to catch up over many texts.
        self.lines.at(end);
        Ok(())
    }

    /// The number of rejects.
    pub(crate) fn end(self) -> Result<u64> {
        self.out.flush().map_err(Kind::Unwritten)?;
        Ok(self.count)
    }
}

fn write_row(
    out: &mut impl Write,
    reject: &Reject,
    table: &Table,
    names: &[&str],
    lines: &mut Lines<'_>,
) -> io::Result<()> {
    let Reject { error, row, .. } = reject;
    let place = error.offset.unwrap_or_default();
    let (part, offset) = table.parts.place(place);
    write_quoted(out, names[part].as_bytes())?;
    out.write_all(b",")?;
    if let Some(line) = lines.at(place) {
        write!(out, "{line}")?;
    }
    write!(out, ",{offset},")?;
    if let Some(name) = error.column.and_then(|column| table.schema.columns.get(column)) {
        write_quoted(out, name.as_bytes())?;
    }
    write!(out, ",{},", error.kind.reason())?;
    write_quoted(out, &table.dialect.encoding.to_utf8(Cow::Borrowed(row)))?;
    out.write_all(b"\n")
}

fn write_quoted(out: &mut impl Write, field: &[u8]) -> io::Result<()> {
    out.write_all(b"\"")?;
    for part in field.split_inclusive(|&byte| byte == b'"') {
        out.write_all(part)?;
        if part.ends_with(b"\"") {
            out.write_all(b"\"")?;
        }
    }
    out.write_all(b"\"")
}

/// Finds the rejects of each text, including their rows.
struct Rejecting {
    table: Table,
    splitter: Splitter,
}

impl Jobs<(Rejects, u64)> for Rejecting {
    fn count(&self) -> u64 {
        self.splitter.texts()
    }

    fn worker(self: Arc<Self>) -> Worker<(Rejects, u64)> {
        let Table { schema, dialect, simd, .. } = self.table.clone();
        let mut parser = Parser::new(&schema, dialect, simd).recording(Recording { most: usize::MAX, rows: true });
        let pool = Pool::new(1);
        let mut text = Text::default();
        Box::new(move |index| {
            let is_read = self.splitter.read(index, &mut text);
            Done::of_text(is_read, || {
                let (mut block, error) = parser.parse(&text, &pool);
                let end = (text.offset + text.bytes().len() as u64).min(text.end_in_source());
                Done { item: Some((block.take_rejects(), end)), error }
            })
        })
    }

    fn are_short(&self) -> bool {
        self.table.parts.are_local()
    }

    fn abandon(&self) {
        self.splitter.abandon();
    }
}
