//! `Input`: the parts of a table, how they are written, and the columns to read.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use csvfeed_core::budget::Budget;
use csvfeed_core::dialect::Dialect;
use csvfeed_core::error::{Error, Kind};
use csvfeed_core::head::Head;
use csvfeed_core::literal::literal;
use csvfeed_core::passes::row_index::{RowIndex, Share};
use csvfeed_core::process::PerProcess;
use csvfeed_core::source::{self, MemorySource, SpooledText};
use csvfeed_core::stats;
use csvfeed_core::table::Table;
use csvfeed_core::table::columns::Vocabularies;
use csvfeed_core::table::parts::Place;
use csvfeed_core::table::schema::{Column, Schema, argument};
use pyo3::prelude::*;

use super::layouts::Ending;
use super::part::Part;
use super::unmatched::Unmatched;
use crate::options::Rule;

/// Bytes of rows that a shuffle mixes unless `memory` says otherwise. The order of an epoch depends on this number, so it
/// is the same on every machine.
const SHUFFLE_MEMORY: u64 = 256 << 20;

/// The length of a field, in bytes, as far as the size of blocks depends on it.
const TYPICAL_FIELD: usize = 16;

/// How much an epoch may use.
pub(crate) struct Budgets {
    pub in_order: Budget,
    pub shuffled: Budget,
    /// Bytes of rows that a shuffle mixes.
    pub mixing: u64,
}

/// The parts of a table, how they are written, and the columns to read.
pub(crate) struct Input {
    pub(super) parts: Vec<Part>,
    /// The part that names the columns.
    pub(super) leader: usize,
    pub(super) rule: Rule,
    pub(super) ending: Ending,
    /// The name of all parts together.
    pub(crate) name: String,
    pub(crate) dialect: Dialect,
    pub(crate) head: Head,
    pub(crate) schema: Arc<Schema>,
    pub(super) threads: usize,
    pub(super) memory: Option<usize>,
    pub(super) memo: Memo,
}

/// What an input has found out so far.
#[derive(Default)]
pub(super) struct Memo {
    /// The decompressed text of parts that are read in any order.
    pub texts: PerProcess<Option<Vec<SpooledText>>>,
    /// The fingerprint of a table of many parts.
    pub fingerprint: OnceLock<(String, Option<String>)>,
    pub vocabularies: PerProcess<Option<Vocabularies>>,
    /// The share that this process counts of a row index that several find together, and its place among theirs.
    pub share: PerProcess<Option<((u64, u64), Share)>>,
    /// The row index that several processes found together.
    pub row_index: PerProcess<Option<Arc<RowIndex>>>,
    /// Whether a warning has said that rows were left out.
    pub has_warned: AtomicBool,
    /// Whether the warning about keys of windows that come again was given.
    pub has_warned_of_returns: AtomicBool,
    /// The given categories that no value has had so far.
    pub unmatched: OnceLock<Unmatched>,
    /// Whether the warning about numbers with the value of a missing token was given.
    pub has_warned_of_spelling: AtomicBool,
}

impl Input {
    /// The schema with these values for missing features and, if batches are padded, with weights that mark the padding.
    pub(crate) fn schema(&self, fill: Option<Vec<f32>>, padded: bool) -> Arc<Schema> {
        let mut schema = Arc::clone(&self.schema);
        if let Some(fill) = fill {
            Arc::make_mut(&mut schema).fill = fill;
        }
        if padded && !schema.targets.is_empty() && schema.weights.is_empty() {
            Arc::make_mut(&mut schema).unit_weights = true;
        }
        schema
    }

    /// The end of the first row.
    pub(crate) fn line_end(&self) -> &'static str {
        match self.head.returns {
            _ if self.parts[self.leader].unpacking.returns => "\r",
            true => "\r\n",
            false => "\n",
        }
    }

    /// The position of a column, named by the argument `role`, whose values decide which rows are read. All parts must have
    /// it, unless the table is their union.
    pub(crate) fn deciding_column(&self, column: &Column, role: &str) -> Result<usize, Error> {
        let at = self.position(column, role)?;
        let is_absent = |part: &&Part| part.layout.as_ref().is_some_and(|layout| layout.places[at] == Place::Absent);
        match self.parts.iter().find(is_absent).filter(|_| self.rule == Rule::Same) {
            None => Ok(at),
            Some(part) => Err(Kind::Column(format!(
                "{} names column {:?}, which {} lacks: columns=\"union\" takes it for empty there",
                argument(role),
                self.head.columns[at],
                part.name
            ))
            .into()),
        }
    }

    /// The position of a column that the argument `role` names.
    pub(crate) fn position(&self, column: &Column, role: &str) -> Result<usize, Error> {
        self.ending.check(column, role)?;
        self.schema.position(column, role)
    }

    /// The places among the features of the columns that the argument `role` names.
    pub(crate) fn feature_places(&self, columns: &[Column], role: &str) -> Result<Vec<Vec<usize>>, Error> {
        columns.iter().try_for_each(|column| self.ending.check(column, role))?;
        self.schema.feature_places(columns, role)
    }

    /// A string that changes when a file changes. `None` for bytes.
    pub(crate) fn identity(&self) -> Option<String> {
        let identities: Vec<_> = self.parts.iter().map(|part| part.origin.identity()).collect();
        if let [identity] = &identities[..] {
            return identity.clone();
        }
        let all = identities.into_iter().map(|identity| identity.unwrap_or_default() + "\n").collect::<String>();
        source::sum(&MemorySource::new(all)).ok()
    }

    /// Whether no other process can read it.
    pub(crate) fn is_of_this_process(&self) -> bool {
        self.parts.iter().any(|part| part.origin.is_of_this_process())
    }

    /// Whether the threads that read it call Python.
    pub(crate) fn calls_python(&self) -> bool {
        self.parts.iter().any(|part| part.origin.calls_python())
    }

    /// Whether the bytes of the files are their text: not compressed, no two-byte encoding, a newline after each line.
    pub(crate) fn is_plain(&self) -> bool {
        self.parts.iter().all(|part| part.unpacking.is_plain())
    }

    /// The vocabularies that a pass found in the source.
    pub(crate) fn vocabularies(&self) -> &PerProcess<Option<Vocabularies>> {
        &self.memo.vocabularies
    }

    /// The share that this process counts of a row index that several find together, and its place among theirs.
    pub(crate) fn own_share(&self) -> &PerProcess<Option<((u64, u64), Share)>> {
        &self.memo.share
    }

    /// The row index that several processes found together.
    pub(crate) fn shared_row_index(&self) -> &PerProcess<Option<Arc<RowIndex>>> {
        &self.memo.row_index
    }

    /// Whether a warning about left-out rows is due. It is due once.
    pub(crate) fn takes_warning(&self) -> bool {
        !self.memo.has_warned.swap(true, Ordering::Relaxed)
    }

    /// Whether a warning about keys that come again is due. It is due once.
    pub(crate) fn takes_warning_of_returns(&self) -> bool {
        !self.memo.has_warned_of_returns.swap(true, Ordering::Relaxed)
    }

    /// Notes which given categories have a value in some rows, of which these are the features.
    pub(crate) fn look_for_categories(&self, features: &[f32]) {
        self.unmatched().look(features);
    }

    /// Warns once if given categories had no value in the rows that were read, or if numbers have the value of a missing
    /// token.
    pub(crate) fn warn_of_values(&self, py: Python<'_>) -> PyResult<()> {
        self.unmatched().warn(py, &self.name)?;
        let Some(field) = self.schema.missing.spelling() else { return Ok(()) };
        if self.memo.has_warned_of_spelling.swap(true, Ordering::Relaxed) {
            return Ok(());
        }
        let (field, name) = (String::from_utf8_lossy(field), &self.name);
        let message = format!(
            "{field:?} in {name} has the value of a missing token, but is written differently, so csvfeed reads it as a \
             number. If it means no value, give missing= this text, too: missing=[..., {}]",
            literal(&field)
        );
        py.import("csvfeed.errors")?.call_method1("warn", (message,))?;
        Ok(())
    }

    fn unmatched(&self) -> &Unmatched {
        self.memo.unmatched.get_or_init(|| Unmatched::of(Arc::clone(&self.schema)))
    }

    /// The budget of a pass in file order.
    pub(crate) fn budget(&self) -> Budget {
        self.fitting(Budget::new(self.threads, self.memory))
    }

    /// A budget with smaller blocks if lists of categories become many more values than their text has bytes.
    fn fitting(&self, budget: Budget) -> Budget {
        let bytes = 4 * self.schema.multi_hot_values() / (TYPICAL_FIELD * self.schema.columns.len());
        Budget { block_bytes: (budget.block_bytes / bytes.max(1)).max(64), ..budget }
    }

    /// The budget of a pass for column statistics.
    pub(crate) fn budget_for_stats(&self) -> Budget {
        self.fitting(stats::budget(self.threads, self.memory))
    }

    /// The budgets of an epoch of one lane, of which this process reads `own` at the same time, and all processes `count`.
    ///
    /// The lanes of all processes share `memory`, which grows with them if they are to mix as many rows each. A process
    /// reads ahead within the share of its lanes then, though never within less than it would without `memory`.
    pub(crate) fn budgets(&self, own: usize, count: u64) -> Budgets {
        let threads = (self.threads / own).max(1);
        let Budget { max_row, .. } = self.budget();
        let lanes = usize::try_from(count).unwrap_or(usize::MAX);
        let usual = Budget::new(threads, None).bytes();
        let of_lane = |memory: usize| (memory / own).min(usual.max(memory / lanes));
        let budget =
            |memory: Option<usize>| self.fitting(Budget { max_row, ..Budget::new(threads, memory.map(of_lane)) });
        Budgets {
            in_order: budget(self.memory),
            shuffled: budget(self.memory.map(|memory| memory / 8)),
            mixing: self.mixing() / count,
        }
    }

    /// Bytes of rows that a shuffle mixes.
    fn mixing(&self) -> u64 {
        self.memory.map_or(SHUFFLE_MEMORY, |memory| (memory - memory / 8) as u64)
    }

    /// Bytes in a slice of the row index.
    pub(crate) fn slice_bytes(&self, table: &Table) -> u64 {
        RowIndex::slice_bytes(table.parts.likely_length(), self.mixing())
    }
}
