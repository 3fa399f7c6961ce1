//! Given categories that no value of the rows was among: each became code 0, which is hardly what was meant.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use csvfeed_core::literal::literal;
use csvfeed_core::table::schema::Schema;
use csvfeed_core::value::{Categories, ValueEncoding};
use pyo3::prelude::*;

/// The features of given categories that had none of them so far.
pub(super) struct Unmatched {
    schema: Arc<Schema>,
    left: Mutex<Vec<Feature>>,
    /// Whether there is nothing to look for, or to say, any more.
    is_done: AtomicBool,
    has_looked: AtomicBool,
}

/// A column, and its places among the features of a row. A list of categories has several.
struct Feature {
    column: usize,
    places: Range<usize>,
}

impl Unmatched {
    /// All features of given categories.
    pub(super) fn of(schema: Arc<Schema>) -> Self {
        let mut left: Vec<Feature> = Vec::new();
        for (place, &column) in schema.features.iter().enumerate() {
            if !matches!(schema.encoding(place).and_then(ValueEncoding::categories), Some(Categories::Listed(_))) {
                continue;
            }
            match left.last_mut() {
                Some(last) if last.column == column => last.places.end = place + 1,
                _ => left.push(Feature { column, places: place..place + 1 }),
            }
        }
        let is_done = AtomicBool::new(left.is_empty());
        Self { schema, left: Mutex::new(left), is_done, has_looked: AtomicBool::new(false) }
    }

    /// Looks for their categories in the features of some rows, until each has had one.
    pub(super) fn look(&self, rows: &[f32]) {
        if self.is_done.load(Ordering::Relaxed) {
            return;
        }
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let has_any = |places: &Range<usize>| {
            let mut rows = rows.chunks_exact(self.schema.features.len());
            rows.any(|row| row[places.clone()].iter().any(|&code| code != 0.0))
        };
        left.retain(|feature| !has_any(&feature.places));
        self.is_done.store(left.is_empty(), Ordering::Relaxed);
        self.has_looked.store(true, Ordering::Relaxed);
    }

    /// Warns once if a feature had none in the rows that were looked at.
    pub(super) fn warn(&self, py: Python<'_>, name: &str) -> PyResult<()> {
        if !self.has_looked.load(Ordering::Relaxed) || self.is_done.swap(true, Ordering::Relaxed) {
            return Ok(());
        }
        let left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let messages: Vec<_> = left.iter().map(|feature| self.message(feature, name)).collect();
        // A warning may run code of the caller.
        drop(left);
        let warn = py.import("csvfeed.errors")?.getattr("warn")?;
        messages.into_iter().try_for_each(|message| warn.call1((message,)).map(drop))
    }

    fn message(&self, feature: &Feature, name: &str) -> String {
        let encoding = self.schema.encoding(feature.places.start);
        let shown = match encoding.and_then(ValueEncoding::categories) {
            Some(Categories::Listed(known)) => known.shown(),
            _ => String::new(),
        };
        let column = &self.schema.columns[feature.column];
        let (codes, cure) = match encoding {
            Some(ValueEncoding::MultiHot(..)) => {
                ("all its features are 0", "csvfeed.MultiHot(\"auto\", ...)".to_owned())
            }
            _ => {
                ("each row has code 0, as for a missing value", format!("categories={{{}: \"auto\"}}", literal(column)))
            }
        };
        format!(
            "no value of column {column:?} in {name} is among its categories, {shown}: {codes}. Do they differ in case, \
             spelling or spaces? {cure} takes those of the file"
        )
    }
}
