//! Whole passes over a table: its rows in order, where they are, and which categories they hold.

pub mod rejects;
pub mod row_index;
pub mod sample;
pub mod sequential;
pub mod vocabulary;
