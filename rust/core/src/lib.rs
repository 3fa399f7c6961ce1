//! CSV bytes to float32 batches, as one pipeline with one direction:
//!
//! ```text
//! bytes ──> texts ──> field marks ──> float32 rows ──> batches
//! source    split     index           number, block    batch
//! ```
//!
//! A [`table::Table`] is what is read: its [`parts`], which are files, and its [`schema`]. Its rows come in the order of the
//! file, each text after the one before it ([`sequential`]); or, once an [`row index`] tells where they are, those of a
//! [`selection`] in any order ([`epoch`]), from the source or from a [`cache`].
//!
//! 1. [`source`] reads bytes at an offset: a file or memory; or what is compressed, from its beginning on.
//! 2. [`split`] cuts them into row-aligned texts, each knowing its byte offset.
//! 3. [`index`] finds where each field of a text ends; [`dialect`] says what the bytes mean, and
//!    [`head`] how a file is written and what its columns are called.
//! 4. [`number`] rounds one field to the nearest float32, [`code`] reads what is no number; [`schema`] says which fields
//!    are wanted, as what, and where they go.
//! 5. [`block`] holds the parsed rows of one text, row-major.
//! 6. [`pipeline`] runs 1 to 5 on several threads, in order, within a [`budget`] of memory.
//! 7. [`batch`] cuts the blocks into batches, without a copy where a batch lies in one block.
//!
//! Instead of 7, [`stats`] says of the blocks of one pass what the columns hold, and [`code::find_vocabularies`] which categories there
//! are. 3 and 4 are where the time goes: [`simd`] chooses their instructions once, at run time.
//!
//! Every failure is an [`error::Error`]: what is wrong and at which byte. Of rows that are wrong and left out [`rejects`]
//! tells. Before anything is known of a table, a [`sample`] of it shows what it holds.
//!
//! The feature `oracle` adds the naive counterparts that the tests and the fuzz targets hold the fast paths against.

pub mod batch;
pub mod budget;
pub mod choose;
pub mod dialect;
pub mod epoch;
pub mod error;
pub mod fields;
pub mod head;
pub mod index;
#[cfg(any(test, feature = "oracle"))]
pub mod oracle;
pub mod passes;
pub mod pipeline;
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
