//! `Part`: one file of a table.

use csvfeed_core::table::parts::Layout;

use super::origin::Origin;
use super::unpacking::Unpacking;

/// One part of the table.
pub(crate) struct Part {
    pub origin: Origin,
    pub name: String,
    pub unpacking: Unpacking,
    /// Byte offset of the first row.
    pub data_start: u64,
    /// Where the part has each column. `None` if its fields are those of the table, in the same order.
    pub layout: Option<Layout>,
}
