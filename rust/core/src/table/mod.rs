//! What is read and what it means: everything but which of its rows are wanted, and in which order.

pub mod columns;
pub mod missing;
pub mod parts;
pub mod roles;
pub mod schema;

use std::sync::Arc;

use crate::dialect::Dialect;
use crate::simd::Simd;
use parts::Parts;
use schema::Schema;

/// Some files, the meaning of their bytes and the use of their columns.
#[derive(Clone)]
pub struct Table {
    /// The files.
    pub parts: Arc<Parts>,
    /// How fields and rows are told apart.
    pub dialect: Dialect,
    /// Which column goes where.
    pub schema: Arc<Schema>,
    /// The instructions it is read with.
    pub simd: Simd,
}

impl Table {
    /// All that its values depend on, in a form that is the same whenever that is.
    #[must_use]
    pub fn description(&self) -> String {
        let Self { parts, dialect, schema, simd: _ } = self;
        format!("{} {dialect:?} {schema:?}", parts.identity())
    }

    /// The same rows with no values, for counting them.
    #[must_use]
    pub fn for_counting(&self) -> Self {
        Self { schema: Arc::new(self.schema.for_counting()), ..self.clone() }
    }
}
