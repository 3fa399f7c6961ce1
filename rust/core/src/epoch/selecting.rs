//! Selects rows: the steps say which, and passes tell what the steps cannot know.

use std::sync::Arc;

use super::selection::{Learned, Selection};
use super::{counting, strata};
use crate::budget::Budget;
use crate::choose::Step;
use crate::choose::strata::Keys;
use crate::error::Error;
use crate::passes::row_index::RowIndex;
use crate::table::Table;

impl Selection {
    /// Selects rows. A step by key or by conditions reads the table; with conditions it stops with an error at the first
    /// reject beyond the limit. Meanwhile it calls `check` several times a second and stops at the first error that it
    /// returns.
    pub fn make<E: From<Error>>(
        table: &Table,
        row_index: Arc<RowIndex>,
        steps: &[Step],
        budget: Budget,
        mut check: impl FnMut() -> std::result::Result<(), E>,
    ) -> std::result::Result<Arc<Self>, E> {
        let mut rejects = None;
        let selection = Self::of(row_index, steps, None, |selection, place, step| {
            if let Step::Classes { column, draw, seed } = step {
                let keys = Keys::new(*column, *seed);
                return strata::find(table, selection, &steps[..place], &keys, draw, budget, &mut check);
            }
            let found = counting::count(table, selection, budget, &mut check)?;
            rejects = found.rejects.or(rejects.take());
            Ok(Learned { strata: None, before: found.before })
        })?;
        let Some(rejects) = rejects else { return Ok(selection) };
        let left_out = rejects.count();
        let selection = Arc::unwrap_or_clone(selection);
        Ok(Arc::new(Self { left_out, rejects: Some(Arc::new(rejects)), ..selection }))
    }
}
