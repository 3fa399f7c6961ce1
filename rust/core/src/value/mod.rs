//! Columns that hold no numbers: what a field of theirs is read as.
//!
//! A category is its place in a [`Vocabulary`], which is given or [found](find_vocabularies) in the file, or the hash bucket that it
//! falls into; a boolean is 1 or 0; a date is taken apart into [parts](date::Part).

mod boolean;
pub mod date;
pub mod duration;
pub mod number;
pub mod vocabulary;

use std::sync::Arc;

use xxhash_rust::xxh3::xxh3_64;

use number::Forms;

pub(crate) use boolean::{boolean, boolean_at};
pub use date::{Date, Part};
pub use duration::Duration;
pub use vocabulary::Vocabulary;

/// The largest code: from here on, not every whole number is a float32.
pub const MOST_CODES: u32 = 1 << 24;

/// How the fields of a column are read that holds no numbers.
#[derive(Clone, Debug)]
pub enum ValueEncoding {
    /// By the category that they name; 0 is none.
    Category(Categories),
    /// By the category that they name, where it is a target: a class, counted from 0. One that is not known is a missing
    /// target.
    Class(Categories),
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
    /// By their place.
    Listed(Arc<Vocabulary>),
    /// Likewise, by their place among all that are in the rows of the file that are not left out as wrong.
    Found(Arc<Vocabulary>),
    /// By the bucket that they fall into, of so many.
    Hashed(u32),
}

impl ValueEncoding {
    /// What a missing feature becomes, unless something else is asked for.
    pub(crate) fn missing(&self) -> f32 {
        if matches!(self, Self::Category(_)) { 0.0 } else { f32::NAN }
    }

    /// How many codes or classes there are; `None` for what is no category, or still to be read. A feature has the code 0
    /// besides those of its categories.
    #[must_use]
    pub fn count(&self) -> Option<u64> {
        let categories = match self.categories()? {
            Categories::Listed(known) | Categories::Found(known) => known.count() as u64,
            Categories::Hashed(buckets) => u64::from(*buckets),
            Categories::Unread => return None,
        };
        Some(categories + u64::from(matches!(self, Self::Category(_))))
    }

    /// How its categories become codes, if it has categories.
    #[must_use]
    pub fn categories(&self) -> Option<&Categories> {
        match self {
            Self::Category(categories) | Self::Class(categories) => Some(categories),
            Self::Boolean | Self::Date(..) | Self::Duration(_) | Self::Number(_) => None,
        }
    }

    /// The same for a target: categories become classes.
    pub(crate) fn of_target(self) -> Self {
        match self {
            Self::Category(categories) => Self::Class(categories),
            other => other,
        }
    }

    /// What becomes of the place of a category, counted from 1: a code, or a class.
    #[inline]
    pub(crate) fn numbered(&self, place: f32) -> f32 {
        if matches!(self, Self::Class(_)) { place - 1.0 } else { place }
    }

    /// One word for it.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Category(_) | Self::Class(_) => "category",
            Self::Boolean => "boolean",
            Self::Date(..) => "date",
            Self::Duration(_) => "duration",
            Self::Number(_) => "number",
        }
    }
}

/// The place of a category by its hash, counted from 1, which is the same for good.
#[inline]
pub(crate) fn bucket(category: &[u8], buckets: u32) -> f32 {
    (1 + xxh3_64(category) % u64::from(buckets)) as f32
}
