//! The input of a dataset: its files, their dialect, and the columns to read. Readers, plans and iterators share it.

mod file_object;
mod find;
mod header_threads;
mod headers;
mod layouts;
mod opening;
mod origin;
mod part;
mod place;
mod table;
mod unmatched;
mod unpacking;

pub(crate) use file_object::Requests;
pub(crate) use find::{find, find_one};
pub(crate) use table::Input;
