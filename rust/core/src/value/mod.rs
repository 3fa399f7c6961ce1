//! Converts the text of one field to a float32.
//!
//! [`number`] parses numbers. The other modules encode what is not a number: a category becomes its place in a
//! [`Vocabulary`], which is given or found in the file, or the number of its hash bucket; a boolean becomes 1 or 0; a
//! date becomes one or more [parts](date::Part); a duration becomes a number of units. A [`List`] becomes as many values
//! as it has items.

mod boolean;
pub mod date;
pub mod duration;
pub mod list;
pub mod number;
mod spread;
pub mod vocabulary;
mod word;

use std::sync::Arc;

use xxhash_rust::xxh3::xxh3_64;

use number::Forms;

pub(crate) use boolean::{boolean, boolean_at};
pub use date::{Date, Part};
pub use duration::Duration;
pub use list::List;
pub use vocabulary::Vocabulary;
pub(crate) use word::{is_utf8, is_utf8_at};

/// The largest code. Beyond it, not every integer is a float32.
pub const MOST_CODES: u32 = 1 << 24;

/// How to read the fields of a column that does not hold plain numbers.
#[derive(Clone, Debug)]
pub enum ValueEncoding {
    /// The code of the category, from 1; 0 if it is unknown.
    Category(Categories),
    /// The class, from 0, of a category that is a target. An unknown one is a missing target.
    Class(Categories),
    /// 1 for true and 0 for false.
    Boolean,
    /// A part of the date.
    Date(Arc<Date>, Part),
    /// The length of the duration.
    Duration(Duration),
    /// A number in another notation than the usual one.
    Number(Forms),
    /// The number at this place of a list, counted from 0.
    List(List, usize),
    /// 1 if the category at this place, counted from 0, is in a list, and 0 if it is not. A single one stands for all if
    /// the categories have not been read yet.
    MultiHot(Arc<MultiHot>, usize),
}

/// Lists of categories.
#[derive(Clone, Debug)]
pub struct MultiHot {
    /// All categories: given or found, not hashed.
    pub categories: Categories,
    /// The byte between two of them.
    pub separator: u8,
}

impl MultiHot {
    /// All categories, once they have been read.
    #[must_use]
    pub fn vocabulary(&self) -> Option<&Arc<Vocabulary>> {
        match &self.categories {
            Categories::Listed(known) | Categories::Found(known) => Some(known),
            Categories::Hashed(_) | Categories::Unread => None,
        }
    }
}

/// How categories become codes.
#[derive(Clone, Debug)]
pub enum Categories {
    /// By their position among all categories of the file, which have not been read yet.
    Unread,
    /// By their position in a given list.
    Listed(Arc<Vocabulary>),
    /// By their position among all categories of the file, leaving out rejected rows.
    Found(Arc<Vocabulary>),
    /// By their hash bucket, out of this number.
    Hashed(u32),
}

impl ValueEncoding {
    /// The default for a missing feature.
    pub(crate) fn missing(&self) -> f32 {
        if matches!(self, Self::Category(_) | Self::MultiHot(..)) { 0.0 } else { f32::NAN }
    }

    /// The number of codes or classes; `None` if the column has no codes or its categories have not been read yet. The
    /// codes of a feature include 0.
    #[must_use]
    pub fn count(&self) -> Option<u64> {
        if matches!(self, Self::MultiHot(..)) {
            return None;
        }
        let categories = match self.categories()? {
            Categories::Listed(known) | Categories::Found(known) => known.count() as u64,
            Categories::Hashed(buckets) => u64::from(*buckets),
            Categories::Unread => return None,
        };
        Some(categories + u64::from(matches!(self, Self::Category(_))))
    }

    /// How categories become codes; `None` if the column has no categories.
    #[must_use]
    pub fn categories(&self) -> Option<&Categories> {
        match self {
            Self::Category(categories) | Self::Class(categories) => Some(categories),
            Self::MultiHot(lists, _) => Some(&lists.categories),
            Self::Boolean | Self::Date(..) | Self::Duration(_) | Self::Number(_) | Self::List(..) => None,
        }
    }

    /// Whether this stands for lists of categories that have not been read yet.
    pub(crate) fn is_unread_list(&self) -> bool {
        matches!(self, Self::MultiHot(lists, _) if lists.vocabulary().is_none())
    }

    /// The same encoding for a target: categories become classes.
    pub(crate) fn of_target(self) -> Self {
        match self {
            Self::Category(categories) => Self::Class(categories),
            other => other,
        }
    }

    /// Converts the position of a category, counted from 1, to a code or a class.
    #[inline]
    pub(crate) fn numbered(&self, place: f32) -> f32 {
        place - self.before_first()
    }

    /// What to subtract from the position of a category.
    #[inline]
    pub(crate) fn before_first(&self) -> f32 {
        f32::from(u8::from(matches!(self, Self::Class(_))))
    }

    /// The kind of the column in one word.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Category(_) | Self::Class(_) => "category",
            Self::Boolean => "boolean",
            Self::Date(..) => "date",
            Self::Duration(_) => "duration",
            Self::Number(_) => "number",
            Self::List(..) => "list",
            Self::MultiHot(..) => "multi_hot",
        }
    }
}

/// The hash bucket of a category, counted from 1. It never changes between versions.
#[inline]
pub(crate) fn bucket(category: &[u8], buckets: Buckets) -> f32 {
    (1 + buckets.remainder(xxh3_64(category))) as f32
}

/// A number of hash buckets. It divides by multiplication, which takes half as long.
#[derive(Clone, Copy)]
pub(crate) struct Buckets {
    count: u64,
    /// 2^64 / `count`, or less by at most one.
    reciprocal: u64,
}

impl Buckets {
    /// `count` buckets, at least one.
    pub(crate) fn new(count: u32) -> Self {
        let count = u64::from(count);
        Self { count, reciprocal: u64::MAX / count }
    }

    #[inline]
    fn remainder(self, hash: u64) -> u64 {
        // The quotient, or one less.
        let quotient = ((u128::from(hash) * u128::from(self.reciprocal)) >> 64) as u64;
        let rest = hash - quotient * self.count;
        if rest >= self.count { rest - self.count } else { rest }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(crate::checks::cases(5_000))]

        #[test]
        fn a_bucket_is_the_remainder(
            hash in prop_oneof![any::<u64>(), (0_u64..1 << 20).prop_map(|less| u64::MAX - less), 0_u64..1 << 20],
            count in prop_oneof![1..=MOST_CODES, 1_u32..20, (0_u32..25).prop_map(|power| 1 << power)],
            times in any::<u64>(),
        ) {
            let multiple = times / u64::from(count) * u64::from(count);
            for hash in [hash, multiple, multiple.wrapping_sub(1)] {
                prop_assert_eq!(Buckets::new(count).remainder(hash), hash % u64::from(count));
            }
        }
    }
}
