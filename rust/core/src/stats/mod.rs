//! Computes count, mean, standard deviation and range of each column in one pass.
//!
//! The moments of a block are computed in float64 in two runs over its values; the second uses the mean of the first,
//! which avoids cancellation. Blocks are merged in file order with the update of Chan, Golub and `LeVeque` (Updating
//! formulae and a pairwise algorithm for computing sample variances, Stanford STAN-CS-79-773, 1979; Algorithms for
//! computing the sample variance, The American Statistician 37, 1983), which avoids it as well.

mod tile;

use std::sync::Arc;

use crate::budget::Budget;
use crate::epoch::selection::Selection;
use crate::epoch::{InOrder, Rows};
use crate::error::Error;
use crate::passes::sequential::Sequential;
use crate::pipeline::{Done, Jobs, Pipeline, Worker};
use crate::rows::rejects::{Rejects, Tally};
use crate::rows::{Block, Widths};
use crate::simd::Simd;
use crate::table::Table;
use tile::TILE;

/// Stands for a missing value in this pass: a NaN with a payload, which no parsed number has.
const MISSING: u32 = 0x7FC0_4D49;

/// The minimum number of values processed side by side.
const LANES: usize = 64;

/// The moments of a column's values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moments {
    /// Values that are not missing.
    pub count: u64,
    /// Values that are missing.
    pub missing: u64,
    mean: f64,
    /// The sum of squared deviations from the mean.
    squares: f64,
    min: f32,
    max: f32,
}

impl Moments {
    /// The moments of no values.
    pub const NONE: Self =
        Self { count: 0, missing: 0, mean: 0.0, squares: 0.0, min: f32::INFINITY, max: f32::NEG_INFINITY };

    /// The moments of a single value.
    fn one(value: f32) -> Self {
        if is_missing(value) {
            Self { missing: 1, ..Self::NONE }
        } else {
            // The deviation of an infinite value from its mean is NaN.
            let squares = if value.is_finite() { 0.0 } else { f64::NAN };
            Self { count: 1, missing: 0, mean: value.into(), squares, min: value, max: value }
        }
    }

    /// The moments of each column of a block that was parsed with `Schema::for_stats`: features, targets, weight.
    #[must_use]
    pub fn of(simd: Simd, block: &Block, widths: Widths) -> Vec<Self> {
        let arrays = block.values(widths, 0..block.rows).zip(widths);
        arrays.into_iter().flat_map(|(values, width)| of_columns(simd, values, width)).collect()
    }

    /// Adds the moments of the values that follow.
    pub fn merge(&mut self, other: &Self) {
        let missing = self.missing + other.missing;
        if self.count == 0 || other.count == 0 {
            let found = if self.count == 0 { *other } else { *self };
            *self = Self { missing, ..found };
            return;
        }
        let count = self.count + other.count;
        let share = other.count as f64 / count as f64;
        let off = other.mean - self.mean;
        let (mean, squares) = if off.is_finite() {
            (self.mean + off * share, self.squares + other.squares + off * off * (self.count as f64 * share))
        } else {
            // An infinite value makes the mean infinite or, together with one of the other sign, NaN.
            (self.mean + other.mean, f64::NAN)
        };
        let (min, max) = if self.min.is_nan() || other.min.is_nan() {
            (f32::NAN, f32::NAN)
        } else {
            (self.min.min(other.min), self.max.max(other.max))
        };
        *self = Self { count, missing, mean, squares, min, max };
    }

    /// The mean; NaN without values.
    #[must_use]
    pub fn mean(&self) -> f64 {
        if self.count == 0 { f64::NAN } else { self.mean }
    }

    /// The population standard deviation; NaN without values or with an infinite one.
    #[must_use]
    pub fn std(&self) -> f64 {
        (self.squares / self.count as f64).sqrt()
    }

    /// The smallest value; NaN without values or if one is NaN.
    #[must_use]
    pub fn min(&self) -> f32 {
        if self.count == 0 { f32::NAN } else { self.min }
    }

    /// The largest value; NaN without values or if one is NaN.
    #[must_use]
    pub fn max(&self) -> f32 {
        if self.count == 0 { f32::NAN } else { self.max }
    }
}

fn is_missing(value: f32) -> bool {
    value.to_bits() == MISSING
}

/// The moments of `width` columns whose `values` are row-major.
///
/// Narrow rows are combined until there are enough values side by side. If they do not fill whole tiles, the last tile
/// starts earlier and overlaps the one before it.
fn of_columns(simd: Simd, values: &[f32], width: usize) -> Vec<Moments> {
    let mut columns = vec![Moments::NONE; width];
    if width == 0 {
        return columns;
    }
    let stride = width * LANES.div_ceil(width);
    let (whole, rest) = values.split_at(values.len() / stride * stride);
    let mut done = 0;
    while done < stride {
        let at = done.min(stride - TILE);
        for (lane, moments) in tile::moments(simd, whole, stride, at).iter().enumerate().skip(done - at) {
            columns[(at + lane) % width].merge(moments);
        }
        done = at + TILE;
    }
    for (at, &value) in rest.iter().enumerate() {
        columns[at % width].merge(&Moments::one(value));
    }
    columns
}

/// The budget for [`stats`]. The block size depends on `memory` only, so that values are added in the same order for
/// any number of threads. The number of threads is limited to those that fit in `memory`.
#[must_use]
pub fn budget(threads: usize, memory: Option<usize>) -> Budget {
    const THREADS: usize = 8;
    let block_bytes = Budget::new(THREADS, memory).block_bytes;
    let fitting = memory.map_or(threads, |memory| (memory / block_bytes).saturating_sub(4) / 7);
    Budget { block_bytes, ..Budget::new(threads.min(fitting).max(1), memory) }
}

/// The moments of each column (features, targets, weight) over the selected rows, or over all rows. Calls `check`
/// several times a second and stops at the first error that it returns.
pub fn stats<E: From<Error>>(
    table: &Table,
    selection: Option<Arc<Selection>>,
    budget: Budget,
    check: impl FnMut() -> std::result::Result<(), E>,
) -> std::result::Result<Vec<Moments>, E> {
    let schema = Arc::new(table.schema.for_stats(f32::from_bits(MISSING)));
    let widths = Widths::of(&schema);
    let table = Table { schema, ..table.clone() };
    let simd = table.simd;
    let threads = table.parts.threads(budget.threads);
    // A pass over all rows is the first to meet their rejects. The rejects of a selection are already known.
    let mut tally = Tally::new(table.schema.max_rejects.filter(|_| selection.is_none()));
    let blocks: Arc<dyn Jobs<Block>> = match selection {
        None => Arc::new(Sequential::new(&table, budget, false)),
        Some(selection) => Arc::new(InOrder::new(Rows::new(table, selection, None, false), budget, 0)),
    };
    let mut columns = vec![Moments::NONE; widths.total()];
    Pipeline::run(Measuring { blocks, simd, widths }, threads, budget.window)?.drain(
        |(found, rejects): (Vec<Moments>, Rejects)| {
            if let Some((_, error)) = tally.add(rejects) {
                return Err(error.into());
            }
            for (column, more) in columns.iter_mut().zip(&found) {
                column.merge(more);
            }
            Ok(())
        },
        check,
    )?;
    Ok(columns)
}

/// Computes the moments of each block on the thread that parses it.
struct Measuring {
    blocks: Arc<dyn Jobs<Block>>,
    simd: Simd,
    widths: Widths,
}

impl Jobs<(Vec<Moments>, Rejects)> for Measuring {
    fn count(&self) -> u64 {
        self.blocks.count()
    }

    fn worker(self: Arc<Self>) -> Worker<(Vec<Moments>, Rejects)> {
        let mut read = Arc::clone(&self.blocks).worker();
        Box::new(move |index| {
            let Done { item, error } = read(index)?;
            let measure = |mut block: Block| (Moments::of(self.simd, &block, self.widths), block.take_rejects());
            Some(Done { item: item.map(measure), error })
        })
    }

    fn are_short(&self) -> bool {
        self.blocks.are_short()
    }

    fn abandon(&self) {
        self.blocks.abandon();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::Dialect;
    use crate::simd::simd;
    use crate::source::MemorySource;
    use crate::table::missing::Missing;
    use crate::table::parts::Parts;
    use crate::table::schema::{Column, MissingTarget, Schema, Targets};
    use num_bigint::BigInt;
    use proptest::prelude::*;

    /// A float32 as a multiple of 2^-149; every finite float32 is one.
    fn units(value: f32) -> BigInt {
        let bits = value.to_bits();
        let exponent = (bits >> 23) & 0xFF;
        let significand = BigInt::from(bits & 0x7F_FFFF | u32::from(exponent > 0) << 23);
        let magnitude = significand << exponent.saturating_sub(1);
        if value.is_sign_negative() { -magnitude } else { magnitude }
    }

    /// `numerator / denominator * 2^-scale` with a relative error of at most 2^-60.
    fn ratio(numerator: &BigInt, denominator: u64, scale: i32) -> f64 {
        const MORE: u64 = 124;
        let quotient: BigInt = (numerator << MORE) / denominator;
        let cut = quotient.bits().saturating_sub(62);
        let (sign, digits) = (quotient >> cut).to_u64_digits();
        let magnitude = digits.first().copied().unwrap_or(0) as f64;
        let power = cut as i32 - MORE as i32 - scale;
        let signed = if sign == num_bigint::Sign::Minus { -magnitude } else { magnitude };
        signed * 2_f64.powi(power / 2) * 2_f64.powi(power - power / 2)
    }

    /// Mean and standard deviation, computed with exact integers.
    fn exact(values: &[f32]) -> (f64, f64) {
        let count = values.len() as u64;
        let sum: BigInt = values.iter().map(|&value| units(value)).sum();
        let squares: BigInt = values.iter().map(|&value| units(value) * units(value)).sum();
        let variance = squares * count - &sum * &sum;
        (ratio(&sum, count, 149), ratio(&variance, count * count, 2 * 149).sqrt())
    }

    /// The smallest and the largest value.
    fn range(values: &[f32]) -> [f32; 2] {
        let values = values.iter().copied();
        [values.clone().fold(f32::INFINITY, f32::min), values.fold(f32::NEG_INFINITY, f32::max)]
    }

    /// Ignores the sign of zero.
    fn bits(range: [f32; 2]) -> [u32; 2] {
        range.map(|value| (value + 0.0).to_bits())
    }

    fn values() -> impl Strategy<Value = Vec<f32>> {
        let bits = any::<u32>().prop_map(f32::from_bits).prop_filter("finite", |value| value.is_finite());
        let near = |middle: f32| (0_u32..9).prop_map(move |up| f32::from_bits(middle.to_bits() + up));
        prop_oneof![
            prop::collection::vec(-9.0_f32..9.0, 1..300),
            prop::collection::vec(bits, 1..300),
            prop::collection::vec(near(1e8), 1..300),
            prop::collection::vec(near(-3e38), 1..300),
            prop::collection::vec(prop_oneof![9 => Just(1.5_f32), 1 => Just(1e30_f32)], 1..300),
            (any::<i16>(), 1_usize..300).prop_map(|(value, count)| vec![f32::from(value) / 10.0; count]),
        ]
    }

    /// The merged moments of all blocks. Checks that every instruction set gives the same bits.
    fn merged(values: &[f32], width: usize, block_rows: usize) -> Vec<Moments> {
        let merged_by = |simd| {
            let mut merged = vec![Moments::NONE; width];
            for block in values.chunks(block_rows * width) {
                for (column, more) in merged.iter_mut().zip(of_columns(simd, block, width)) {
                    column.merge(&more);
                }
            }
            merged
        };
        let merged = merged_by(Simd::Portable);
        for simd in Simd::available() {
            assert_eq!(format!("{:?}", merged_by(simd)), format!("{merged:?}"));
        }
        merged
    }

    proptest! {
        #![proptest_config(crate::checks::cases(400))]

        #[test]
        fn moments_are_near_those_of_exact_integers(
            columns in prop::collection::vec(values(), 1..4),
            block_rows in 1_usize..200,
            holes in prop::collection::vec(any::<prop::sample::Index>(), 0..4),
        ) {
            // Every column gets as many rows as the longest one; shorter columns are padded with missing values.
            let width = columns.len();
            let rows = columns.iter().map(Vec::len).max().unwrap() + holes.len();
            let mut table = vec![f32::from_bits(MISSING); rows * width];
            for (at, column) in columns.iter().enumerate() {
                let mut places: Vec<usize> = (0..rows).collect();
                for hole in holes.iter().take(rows - column.len()) {
                    places.remove(hole.index(places.len()));
                }
                for (&row, &value) in places.iter().zip(column) {
                    table[row * width + at] = value;
                }
            }
            for (column, found) in columns.iter().zip(merged(&table, width, block_rows)) {
                let (mean, std) = exact(column);
                prop_assert_eq!(found.count, column.len() as u64);
                prop_assert_eq!(found.missing, (rows - column.len()) as u64);
                prop_assert_eq!(bits([found.min(), found.max()]), bits(range(column)));
                let size = column.iter().map(|value| f64::from(value.abs())).sum::<f64>() / column.len() as f64;
                prop_assert!((found.mean() - mean).abs() <= 1e-14 * size, "mean {} {}", found.mean(), mean);
                // If values differ in their last bit only, float64 has 29 bits left for the deviation.
                prop_assert!((found.std() - std).abs() <= 1e-8 * std, "std {} {}", found.std(), std);
            }
        }

        #[test]
        fn infinities_and_nan_follow_ieee(
            column in prop::collection::vec(
                prop_oneof![6 => -9_f32..9.0, 1 => Just(f32::INFINITY), 1 => Just(f32::NEG_INFINITY), 1 => Just(f32::NAN)],
                1..9,
            ),
            block_rows in 1_usize..9,
        ) {
            let found = merged(&column, 1, block_rows)[0];
            let sum: f64 = column.iter().copied().map(f64::from).sum();
            if !sum.is_finite() {
                prop_assert_eq!(found.mean().to_bits() << 1, sum.to_bits() << 1);
                prop_assert_eq!(found.mean().is_sign_negative() || sum.is_nan(), sum.is_sign_negative() || sum.is_nan());
                prop_assert!(found.std().is_nan());
            }
            let is_nan = column.iter().any(|value| value.is_nan());
            let expected = if is_nan { [f32::NAN; 2] } else { range(&column) };
            prop_assert_eq!(bits([found.min(), found.max()]), bits(expected));
        }

        #[test]
        fn the_number_of_threads_changes_no_bit(
            rows in prop::collection::vec((-1e6_f32..1e6, prop::option::of(-1_f32..1.0)), 1..300),
            memory in prop::option::of(1_usize..20_000),
        ) {
            let number = |b: Option<f32>| b.map_or(String::new(), |b| b.to_string());
            let text: Vec<String> = rows.iter().map(|&(a, b)| format!("{a},{}\n", number(b))).collect();
            let columns = ["a", "b"].map(String::from).to_vec();
            let target = [Column::Index(1)];
            let missing = Missing::default();
            let schema =
                Schema::resolve(columns, "header", None, &Targets::one(&target, None), missing, MissingTarget::Keep).unwrap();
            let table = Table {
                parts: Parts::one(Arc::new(MemorySource::new(text.concat())), 0),
                dialect: Dialect::new(b',', Some(b'"')),
                schema: Arc::new(schema),
                simd: simd().unwrap(),
            };
            let found = [1, 2, 3, 40].map(|threads| {
                stats(&table, None, budget(threads, memory), || Ok::<_, Error>(())).unwrap()
            });
            prop_assert_eq!(found[0][0].count, rows.len() as u64);
            prop_assert_eq!(found[0][1].missing, rows.iter().filter(|(_, b)| b.is_none()).count() as u64);
            for other in &found[1..] {
                prop_assert_eq!(&found[0], other);
            }
        }
    }

    #[test]
    fn the_budget_keeps_to_the_memory() {
        for threads in [1, 2, 8, 64, 1 << 40] {
            for memory in [1 << 12, 1 << 16, 1 << 20, 1 << 24, 1 << 30] {
                let Budget { threads, block_bytes, window, .. } = budget(threads, Some(memory));
                assert!(threads >= 1 && (3 * threads + 2 * window) * block_bytes <= memory);
            }
        }
    }
}
