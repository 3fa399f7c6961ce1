//! Passes over a whole table: its rows in order, its row index and vocabularies, samples and rejects.

pub mod rejects;
pub mod row_index;
pub mod sample;
pub mod sequential;
pub mod survey;
mod vocabulary;
