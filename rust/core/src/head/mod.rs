//! What the beginning of a file says: where its rows begin, what its columns are called, and how it seems to be written.
//!
//! How it is written is decided from all evidence at once. Each way of reading a [`sample`] is a [`reading`] with a score: how
//! many rows have the same number of fields, and how much each column is of one kind ([`looks`]). [`decide`] ranks them. Where
//! two are close and would read other values there is no answer, but a question.

mod decide;
mod ending;
mod foreign;
mod header;
mod letters;
mod lines;
mod looks;
mod numbers;
mod reading;
mod sample;
#[cfg(test)]
mod tests;
mod undecided;

pub use decide::{Given, Sniffed, detect_delimiter, sniff};
pub use ending::Last;
pub use header::{Head, Header, read_head};
pub use sample::{SAMPLE, elsewhere};
pub use undecided::{Choice, Undecided};
