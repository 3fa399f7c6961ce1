//! What to read and what it means. Says nothing about which rows are wanted, or in which order.

pub mod columns;
pub mod ids;
pub mod missing;
pub mod parts;
pub mod roles;
pub mod schema;

use std::sync::Arc;

use crate::dialect::Dialect;
use crate::simd::Simd;
use parts::Parts;
use schema::Schema;

/// A set of files, the dialect of their bytes, and the roles of their columns.
#[derive(Clone)]
pub struct Table {
    /// The files.
    pub parts: Arc<Parts>,
    /// How bytes divide into rows and fields.
    pub dialect: Dialect,
    /// The columns and their roles.
    pub schema: Arc<Schema>,
    /// The instruction set that reads the table.
    pub simd: Simd,
}

impl Table {
    /// A text that is equal for two tables only if they yield the same values.
    #[must_use]
    pub fn description(&self) -> String {
        let Self { parts, dialect, schema, simd: _ } = self;
        format!("{} {dialect:?} {schema:?}", parts.identity())
    }

    /// The same rows without values, for counting.
    #[must_use]
    pub fn for_counting(&self) -> Self {
        Self { schema: Arc::new(self.schema.for_counting()), ..self.clone() }
    }
}
