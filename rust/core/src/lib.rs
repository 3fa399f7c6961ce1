//! Parses CSV into batches of float32 rows.
//!
//! ```text
//! bytes ──> texts ──> field marks ──> float32 rows ──> batches
//! source    split     index           value, rows      batch
//! ```
//!
//! Each stage is a module and hands its result to the next. In the order of the data:
//!
//! 1. [`source`] reads bytes from a file or from memory at any offset. It decompresses compressed files from start to
//!    end.
//! 2. [`dialect`] describes how a file is written: delimiter, quote, escape, encoding. [`head`] reads the beginning of
//!    a file to find the column names and, on request, the dialect.
//! 3. [`table`] describes what to read: the files ([`table::parts`]), and the columns with their roles
//!    ([`table::schema`]).
//! 4. [`split`] cuts the bytes into row-aligned [`text`]s. Each text knows its byte offset.
//! 5. [`index`] finds the end of every field in a text.
//! 6. [`value`] converts one field to a float32: [`value::number`] rounds a number to the nearest float32, the other
//!    modules encode dates, durations, booleans and categories.
//! 7. [`rows`] applies these conversions to all rows of a text and collects the rejects.
//! 8. [`pipeline`] runs steps 4 to 7 on several threads, keeps the order of the file and stays within a [`budget`] of
//!    memory.
//! 9. [`batch`] cuts the parsed blocks into batches. It copies only where a batch spans two blocks.
//!
//! Three modules decide which rows are read and in which order:
//!
//! - [`choose`] computes parts of a table and shards from row numbers, keys or conditions on fields.
//! - [`passes`] reads a whole table once: to parse it in order, to build a row index, to find vocabularies, or to
//!   collect rejects.
//! - [`epoch`] yields the rows of one epoch: in file order, shuffled, or from a cache.
//!
//! [`stats`] computes statistics of each column in one pass. [`passes::sample`] shows what an unknown table holds.
//!
//! Indexing and number parsing take most of the time, so both have AVX-512, AVX2, NEON and portable implementations.
//! [`simd`] chooses one at run time, once per process.
//!
//! Every failure is an [`error::Error`]. It carries the byte offset where it occurred, if it has one.
//!
//! A module imports only modules that come after it in this order:
//!
//! ```text
//! batch, stats > epoch > passes > rows, pipeline > choose, split, head > index > text > table > value
//!     > dialect, source > error, simd, random, budget, fields, literal, process, platform
//! ```
//!
//! The feature `testing` is for the fuzz targets. It adds naive reference implementations (`oracle`) and the checks that
//! compare the fast paths with them (`checks`), and it makes blocks and buffers a few bytes small.

pub mod batch;
pub mod budget;
#[cfg(any(test, feature = "testing"))]
pub mod checks;
pub mod choose;
pub mod dialect;
pub mod epoch;
pub mod error;
pub mod fields;
pub mod head;
pub mod index;
pub mod literal;
#[cfg(any(test, feature = "testing"))]
pub mod oracle;
pub mod passes;
pub mod pipeline;
mod platform;
pub mod process;
mod random;
pub mod rows;
pub mod simd;
pub mod source;
pub mod split;
pub mod stats;
pub mod table;
pub mod text;
pub mod value;
