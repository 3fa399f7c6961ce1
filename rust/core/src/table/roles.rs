//! The roles that columns have: features, targets and weights.

/// One of something for each role.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PerRole<T> {
    /// That of the features.
    pub features: T,
    /// That of the targets.
    pub targets: T,
    /// That of the sample weights.
    pub weights: T,
}

/// How many values a row has in each role. It has one weight with a weight column or with unit weights, else none.
pub type Widths = PerRole<usize>;

impl<T> PerRole<T> {
    /// References to each.
    pub fn as_ref(&self) -> PerRole<&T> {
        let Self { features, targets, weights } = self;
        PerRole { features, targets, weights }
    }

    /// The same, to change what they refer to.
    pub fn as_mut(&mut self) -> PerRole<&mut T> {
        let Self { features, targets, weights } = self;
        PerRole { features, targets, weights }
    }

    /// Each together with that of the same role in `other`.
    pub fn zip<U>(self, other: PerRole<U>) -> PerRole<(T, U)> {
        PerRole {
            features: (self.features, other.features),
            targets: (self.targets, other.targets),
            weights: (self.weights, other.weights),
        }
    }

    /// What `change` makes of each, in the order of the fields.
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
    /// How many values a row has.
    #[must_use]
    pub fn total(self) -> usize {
        self.into_iter().sum()
    }
}
