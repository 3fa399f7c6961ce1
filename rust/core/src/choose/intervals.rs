//! Closed intervals of values.

use std::cmp::Ordering;

/// Some intervals, none of which touch. Both ends belong to an interval.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Intervals<T>(Vec<(T, T)>);

impl<T: PartialOrd + Copy> Intervals<T> {
    /// These intervals, joined where they overlap. No end may be NaN, or less than its beginning.
    pub(crate) fn new(mut list: Vec<(T, T)>) -> Self {
        list.sort_by(|one, other| one.partial_cmp(other).unwrap_or(Ordering::Equal));
        let mut joined: Vec<(T, T)> = Vec::with_capacity(list.len());
        for (low, high) in list {
            match joined.last_mut().filter(|last| low <= last.1) {
                Some(before) if before.1 < high => before.1 = high,
                Some(_) => {}
                None => joined.push((low, high)),
            }
        }
        Self(joined)
    }

    /// Whether a value is in one of them. NaN is not.
    #[inline]
    pub(crate) fn hold(&self, value: T) -> bool {
        if let [(low, high)] = self.0[..] {
            return low <= value && value <= high;
        }
        self.last_from(value).is_some_and(|(_, high)| value <= high)
    }

    /// Whether a value is in one of them; `None` if it lies at an end.
    #[inline]
    pub(crate) fn hold_inside(&self, value: T) -> Option<bool> {
        match self.last_from(value) {
            Some((low, high)) if value <= high => (low < value && value < high).then_some(true),
            _ => Some(false),
        }
    }

    /// The last interval that begins at or before a value.
    #[inline]
    fn last_from(&self, value: T) -> Option<(T, T)> {
        self.0[..self.0.partition_point(|(low, _)| *low <= value)].last().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_value_is_held_if_an_interval_has_it(
            list in prop::collection::vec((-20_i32..20, 0_i32..6), 1..6),
            value in -30_i32..30,
        ) {
            let list: Vec<_> = list.into_iter().map(|(low, length)| (f64::from(low), f64::from(low + length))).collect();
            let intervals = Intervals::new(list.clone());
            let value = f64::from(value);
            let expected = list.iter().any(|&(low, high)| low <= value && value <= high);
            prop_assert_eq!(intervals.hold(value), expected);
            if let Some(held) = intervals.hold_inside(value) {
                prop_assert_eq!(held, expected);
            } else {
                prop_assert!(list.iter().any(|&(low, high)| [low, high].contains(&value)));
            }
            prop_assert!(!intervals.hold(f64::NAN));
            prop_assert_eq!(intervals.hold_inside(f64::NAN), Some(false));
        }
    }
}
