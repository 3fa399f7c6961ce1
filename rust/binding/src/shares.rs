//! The row index that several processes find together: each counts its share of the table.

use std::ops::Deref;
use std::sync::Arc;

use csvfeed_core::error::Kind;
use csvfeed_core::passes::row_index::{RowIndex, Share};
use csvfeed_core::table::Table;
use pyo3::prelude::*;

use crate::input::Input;
use crate::signals::{Stop, check_signals};
use crate::vocabularies;

/// The table, readable at any place.
fn table(py: Python<'_>, input: &Input) -> PyResult<Table> {
    let table = input.table(py)?;
    input.spooled(py, table)
}

/// Runs a pass over the table without the GIL.
fn pass<R: Send>(
    py: Python<'_>,
    input: &Input,
    run: impl FnOnce(&Table, u64) -> Result<R, Stop> + Send,
) -> PyResult<R> {
    let table = table(py, input)?;
    let slice_bytes = input.slice_bytes(&table);
    py.detach(|| run(&table, slice_bytes)).map_err(|stop| input.stopped(py, stop, &table.parts))
}

/// What a process counts alone.
pub(crate) fn count(py: Python<'_>, input: &Input, place: (u64, u64)) -> PyResult<Vec<u8>> {
    let count = |table: &Table, slice_bytes| Share::count(table, input.budget(), slice_bytes, place, check_signals);
    let share = pass(py, input, count)?;
    let told = share.without_categories().to_bytes();
    *input.own_share().lock() = Some((place, share));
    Ok(told)
}

/// The complete share of a process, given those of all.
pub(crate) fn complete<B: Deref<Target = [u8]> + Sync>(
    py: Python<'_>,
    input: &Input,
    index: usize,
    shares: &[B],
) -> PyResult<Vec<u8>> {
    let complete = |table: &Table, slice_bytes| {
        let shares = read(table, shares)?;
        let place = (index as u64, shares.len() as u64);
        let own = input.own_share().lock().take_if(|(counted, _)| *counted == place);
        let own = own.map_or_else(|| shares[index].clone(), |(_, share)| share);
        own.complete(table, input.budget(), slice_bytes, (index, &shares), check_signals)
    };
    Ok(pass(py, input, complete)?.to_bytes())
}

/// Joins the complete shares to a row index and vocabularies, which the input keeps.
pub(crate) fn join<B: Deref<Target = [u8]> + Sync>(py: Python<'_>, input: &Input, shares: &[B]) -> PyResult<()> {
    let join = |table: &Table, slice_bytes| {
        let (row_index, found) = Share::join(table, &read(table, shares)?);
        if table.schema.max_rejects.is_none_or(|most| row_index.left_out() <= most) {
            return Ok((row_index, found));
        }
        // A pass over the table finds the row that is one too many.
        Ok((RowIndex::make(table, input.budget(), slice_bytes, check_signals)?, found))
    };
    let (row_index, found) = pass(py, input, join)?;
    vocabularies::keep(input, found);
    *input.shared_row_index().lock() = Some(Arc::new(row_index));
    Ok(())
}

/// The row index that several processes found together, serialized.
pub(crate) fn to_bytes(input: &Input) -> Option<Vec<u8>> {
    input.shared_row_index().lock().as_ref().map(|row_index| row_index.to_bytes())
}

/// Takes over a serialized row index, if it is one.
pub(crate) fn recall(input: &Input, row_index: &[u8]) {
    *input.shared_row_index().lock() = RowIndex::from_bytes(row_index).map(Arc::new);
}

fn read<B: Deref<Target = [u8]>>(table: &Table, shares: &[B]) -> Result<Vec<Share>, Stop> {
    let unreadable = || Stop::Error(Kind::SourceChanged("another process counts its rows in another way").into());
    shares.iter().map(|share| Share::from_bytes(table, share).ok_or_else(unreadable)).collect()
}
