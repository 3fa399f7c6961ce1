//! Reads the beginning of a file: where its rows begin, what its columns are called and, on request, how it is written.
//!
//! Detection weighs all evidence at once. Each way of reading a `sample` is a `reading` with a score: the share of
//! rows with the same number of fields, times how uniform the columns are (`looks`). `reading::named` judges whether the
//! first row is a header. `decide` ranks the readings.
//! If two are close and yield different values, it returns them as a question instead of guessing.

mod decide;
mod encoding;
mod ending;
mod header;
mod lines;
mod looks;
mod numbers;
mod other_formats;
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
