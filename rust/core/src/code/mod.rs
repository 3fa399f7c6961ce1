//! Columns that hold no numbers: what a field of theirs is read as.
//!
//! A category is its place in a [`Vocabulary`], which is given or [found](survey) in the file, or the hash bucket that it
//! falls into; a boolean is 1 or 0; a date is taken apart into [parts](date::Part).

mod boolean;
mod calendar;
pub mod columns;
pub mod date;
pub mod duration;
mod format;
pub mod survey;
pub mod vocabulary;

use std::sync::Arc;

use xxhash_rust::xxh3::xxh3_64;

use crate::number::Forms;

pub(crate) use boolean::{boolean, boolean_at};
pub use columns::{Columns, GivenCategories, GivenDate, GivenDuration, GivenNumbers};
pub use date::{Date, Part};
pub use duration::Duration;
pub use vocabulary::Vocabulary;

/// The largest code: from here on, not every whole number is a float32.
pub const MOST_CODES: u32 = 1 << 24;

/// How the fields of a column are read that holds no numbers.
#[derive(Clone, Debug)]
pub enum Code {
    /// By the category that they name; 0 is none.
    Category(Categories),
    /// 1 for true and 0 for false.
    Boolean,
    /// A part of the date that they hold.
    Date(Arc<Date>, Part),
    /// How long the duration is that they hold.
    Duration(Duration),
    /// A number that is not written as programs write it.
    Number(Forms),
}

/// How categories become codes.
#[derive(Clone, Debug)]
pub enum Categories {
    /// By their place among all that are in the file, which is still to be read for that.
    Unread,
    /// By their place, counted from 1; 0 for a feature that has another one.
    Listed(Arc<Vocabulary>),
    /// Likewise, by their place among all that are in the rows of the file that are not left out as wrong.
    Found(Arc<Vocabulary>),
    /// By the bucket that they fall into, of so many.
    Hashed(u32),
}

impl Code {
    /// What a missing feature becomes, unless something else is asked for.
    pub(crate) fn missing(&self) -> f32 {
        if matches!(self, Self::Category(_)) { 0.0 } else { f32::NAN }
    }

    /// How many codes there are, 0 among them; `None` for what is no category, or still to be read.
    #[must_use]
    pub fn count(&self) -> Option<u64> {
        match self {
            Self::Category(Categories::Listed(known) | Categories::Found(known)) => Some(1 + known.count() as u64),
            Self::Category(Categories::Hashed(buckets)) => Some(1 + u64::from(*buckets)),
            Self::Category(Categories::Unread)
            | Self::Boolean
            | Self::Date(..)
            | Self::Duration(_)
            | Self::Number(_) => None,
        }
    }

    /// One word for it.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Category(_) => "category",
            Self::Boolean => "boolean",
            Self::Date(..) => "date",
            Self::Duration(_) => "duration",
            Self::Number(_) => "number",
        }
    }
}

/// The code of a category by its hash, which is the same for good.
#[inline]
pub(crate) fn bucket(category: &[u8], buckets: u32) -> f32 {
    (1 + xxh3_64(category) % u64::from(buckets)) as f32
}
