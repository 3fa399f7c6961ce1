//! The rows of a table from first to last, without a row index.

use std::sync::Arc;

use crate::budget::Budget;
use crate::error::Result;
use crate::pipeline::{Done, Jobs, Pipeline, Worker};
use crate::rows::rejects::Tally;
use crate::rows::{Block, Parser, Pool};
use crate::split::Splitter;
use crate::table::Table;
use crate::text::Text;

/// Parses the texts of a table in order.
pub(crate) struct Sequential {
    table: Table,
    splitter: Splitter,
    pool: Arc<Pool>,
    repeat: bool,
}

/// Starts reading. With `repeat`, starts over at the end of the source, for ever.
pub fn read(table: &Table, budget: Budget, repeat: bool) -> Result<Pipeline<Block>> {
    let runs_ahead = budget.threads > 1 && table.parts.decompressors() > 1;
    let budget = if runs_ahead { budget.beside_decompression() } else { budget };
    Pipeline::run(Sequential::new(table, budget, repeat), table.parts.threads(budget.threads), budget.window)
}

impl Sequential {
    pub(crate) fn new(table: &Table, budget: Budget, repeat: bool) -> Self {
        let splitter = Splitter::of(table, budget.block_bytes, budget.max_row, repeat).decompressing_ahead(budget);
        Self { table: table.clone(), splitter, pool: Pool::new(budget.window), repeat }
    }
}

impl Jobs<Block> for Sequential {
    fn count(&self) -> u64 {
        let pass = self.per_pass();
        if self.repeat && pass > 0 { u64::MAX } else { pass }
    }

    fn per_pass(&self) -> u64 {
        self.splitter.texts()
    }

    fn worker(self: Arc<Self>) -> Worker<Block> {
        let table = &self.table;
        let recording = Tally::recording(table.schema.max_rejects, 0);
        let mut parser = Parser::new(&table.schema, table.dialect, table.simd).recording(recording);
        let mut text = Text::default();
        Box::new(move |index| {
            let is_read = self.splitter.read(index, &mut text);
            Done::of_text(is_read, || {
                let (block, error) = parser.parse(&text, &self.pool);
                // A pass may end with an error and no row.
                let is_empty = block.rows == 0 && block.rejects().count() == 0;
                let item = (!is_empty || error.is_none()).then_some(block);
                Done { item, error }
            })
        })
    }

    fn are_short(&self) -> bool {
        self.table.parts.are_local()
    }

    fn may_wait(&self) -> bool {
        !self.table.parts.are_local()
    }

    fn abandon(&self) {
        self.splitter.abandon();
    }
}
