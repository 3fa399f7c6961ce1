//! The roles of columns: feature, target, sample weight, and id.

/// One value for each role.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PerRole<T> {
    /// The value for the features.
    pub features: T,
    /// The value for the targets.
    pub targets: T,
    /// The value for the sample weights.
    pub weights: T,
}

/// How many values a row has in each role.
pub type Widths = PerRole<usize>;

impl<T> PerRole<T> {
    /// A reference to each value.
    pub fn as_ref(&self) -> PerRole<&T> {
        let Self { features, targets, weights } = self;
        PerRole { features, targets, weights }
    }

    /// A mutable reference to each value.
    pub fn as_mut(&mut self) -> PerRole<&mut T> {
        let Self { features, targets, weights } = self;
        PerRole { features, targets, weights }
    }

    /// Pairs each value with that of the same role in `other`.
    pub fn zip<U>(self, other: PerRole<U>) -> PerRole<(T, U)> {
        PerRole {
            features: (self.features, other.features),
            targets: (self.targets, other.targets),
            weights: (self.weights, other.weights),
        }
    }

    /// Applies `change` to each value, in the order of the fields.
    pub fn map<U>(self, mut change: impl FnMut(T) -> U) -> PerRole<U> {
        PerRole { features: change(self.features), targets: change(self.targets), weights: change(self.weights) }
    }
}

impl<T> IntoIterator for PerRole<T> {
    type Item = T;
    type IntoIter = std::array::IntoIter<T, 3>;

    fn into_iter(self) -> Self::IntoIter {
        [self.features, self.targets, self.weights].into_iter()
    }
}

impl Widths {
    /// The number of values in a row.
    #[must_use]
    pub fn total(self) -> usize {
        self.into_iter().sum()
    }
}

/// What the fields of an id hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdKind {
    /// Any text in UTF-8.
    Text,
    /// An integer of 64 bits.
    Integer,
}

/// A column that identifies a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Id {
    /// Its position.
    pub column: usize,
    /// What its fields hold.
    pub kind: IdKind,
}

/// The columns that identify a row.
#[derive(Clone, Debug, Default)]
pub struct Ids {
    /// The columns, in the order in which the caller names them.
    pub columns: Vec<Id>,
    /// Whether blocks keep the texts of their rows.
    pub are_kept: bool,
}
