//! What is read and what it means: everything but which of its rows are wanted, and in which order.

use std::sync::Arc;

use crate::dialect::Dialect;
use crate::schema::Schema;
use crate::simd::Simd;
use crate::source::Source;

/// A source, the meaning of its bytes and the use of its columns.
#[derive(Clone)]
pub struct Table {
    /// The bytes.
    pub source: Arc<dyn Source>,
    /// How fields and rows are told apart.
    pub dialect: Dialect,
    /// Byte offset of the first row.
    pub data_start: u64,
    /// Which column goes where.
    pub schema: Arc<Schema>,
    /// The instructions it is read with.
    pub simd: Simd,
}

impl Table {
    /// All that its values depend on, in a form that is the same whenever that is.
    #[must_use]
    pub fn description(&self) -> String {
        let Self { source, dialect, data_start, schema, simd: _ } = self;
        format!("{} {dialect:?} {data_start} {schema:?}", source.identity())
    }

    /// The same rows with no values, for counting them.
    #[must_use]
    pub fn for_counting(&self) -> Self {
        Self { schema: Arc::new(self.schema.for_counting()), ..self.clone() }
    }
}
