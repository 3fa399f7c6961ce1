//! The input of a dataset: its files, their dialect, and the columns to read. Readers, plans and iterators share it.

mod crew;
mod find;
mod headers;
mod layouts;
mod opening;
mod origin;
mod part;
mod place;
mod served;
mod table;
mod unpacking;

pub(crate) use find::{find, find_one};
pub(crate) use served::Requests;
pub(crate) use table::{Input, Vocabularies};
