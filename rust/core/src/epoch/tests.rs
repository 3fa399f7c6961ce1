//! Compares epochs with a naive reading of the whole table.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use proptest::prelude::*;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::portion::Portion;
use super::*;
use crate::batch::{Batches, NextBatch, Remainder};
use crate::budget::Budget;
use crate::choose::classes::{Draw, Ratio};
use crate::choose::conditions::{Conditions, Wanted};
use crate::choose::strata::Keys;
use crate::choose::{GroupFields, Step};
use crate::dialect::Dialect;
use crate::error::Error;
use crate::passes::row_index::RowIndex;
use crate::pipeline::Pipeline;
use crate::rows::Widths;
use crate::simd::simd;
use crate::source::MemorySource;
use crate::table::missing::Missing;
use crate::table::parts::Parts;
use crate::table::schema::{Column, MissingTarget, Schema, Targets};

/// A row: its number, its key and its target; -1 stands for a missing target.
type Row = (u32, u32, i32);

/// Rows with the columns "text", "number", "key" and "target".
fn text(rows: &[Row]) -> String {
    let line = |&(number, key, target): &Row| {
        let target = if target < 0 { "NA".to_owned() } else { target.to_string() };
        let text = if number % 7 == 0 { format!("\"a,\n{number}\"") } else { "b".to_owned() };
        let blank = if number % 11 == 0 { "\n" } else { "" };
        format!("{text},{number},k{key},{target}\n{blank}")
    };
    rows.iter().map(line).collect()
}

pub(crate) fn table(text: String, missing_target: MissingTarget) -> Table {
    let columns = ["text", "number", "key", "target"].map(String::from).to_vec();
    let schema = Schema::resolve(
        columns,
        "header",
        Some(&[Column::Index(1)]),
        &Targets::one(&[Column::Index(3)], None),
        Missing::default(),
        missing_target,
    );
    Table {
        parts: Parts::one(Arc::new(MemorySource::new(text.into_bytes())), 0),
        dialect: Dialect::new(b',', Some(b'"')),
        schema: Arc::new(schema.unwrap()),
        simd: simd().unwrap(),
    }
}

pub(crate) fn select(table: &Table, budget: Budget, slice_bytes: u64, steps: &[Step]) -> Arc<Selection> {
    let check = || Ok::<_, Error>(());
    let row_index = RowIndex::make(table, budget, slice_bytes, check).unwrap();
    Selection::make(table, Arc::new(row_index), steps, budget, check).unwrap()
}

/// The numbers of `count` rows after the first `skipped`. Checks that the targets agree.
pub(crate) fn read((pipeline, skipped): (Pipeline<Block>, u64), count: u64) -> Vec<u32> {
    let widths = Widths { features: 1, targets: 1, weights: 0 };
    let mut batches = Batches::new(pipeline, widths, 3, Remainder::Keep).of(skipped, count);
    let mut numbers = Vec::new();
    loop {
        match batches.next(Duration::from_secs(5)).unwrap() {
            NextBatch::Batch(batch) => {
                let arrays = batch.block.arrays();
                let features = arrays.features.values(batch.rows.clone());
                let targets = arrays.targets.values(batch.rows);
                assert!(features.iter().zip(targets).all(|(x, y)| y.is_nan() || x.to_bits() == y.to_bits()));
                numbers.extend(features.iter().map(|&x| x as u32));
            }
            NextBatch::Pending => panic!("nothing for five seconds"),
            NextBatch::End => return numbers,
        }
    }
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    prop::collection::vec((0_u32..12, prop::bool::weighted(0.1)), 1..150).prop_map(|rows| {
        let row = |(number, (key, missing)): (usize, (u32, bool))| {
            (number as u32, key, if missing { -1 } else { number as i32 })
        };
        rows.into_iter().enumerate().map(row).collect()
    })
}

/// Conditions, and which rows meet them.
type Meeting = (Arc<Conditions>, fn(&Row) -> bool);

fn conditions() -> Vec<Meeting> {
    let schema = table(String::new(), MissingTarget::Keep).schema;
    let made = |column, wanted| Arc::new(Conditions::new(vec![(column, wanted)], &schema).unwrap());
    let texts = |words: &[&str]| Wanted::Texts(words.iter().map(|word| (*word).to_owned()).collect());
    let range = Wanted::Numbers(vec![(Some("20".to_owned()), Some("90".to_owned()))]);
    vec![
        (made(1, range), |row| (20..=90).contains(&row.0)),
        (made(2, texts(&["k1", "k3", "k8"])), |row| [1, 3, 8].contains(&row.1)),
        (made(3, Wanted::Present), |row| row.2 >= 0),
        (made(0, texts(&["b"])), |row| row.0 % 7 != 0),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let fraction = prop::sample::select(&[0.1, 0.3, 0.5, 0.9]);
    prop_oneof![
        (fraction.clone(), 0_u64..3, any::<bool>()).prop_map(|(fraction, seed, held_out)| Step::Part {
            fraction,
            seed,
            held_out
        }),
        (fraction, 0_u64..3, any::<bool>()).prop_map(|(fraction, seed, held_out)| Step::Key {
            column: 2,
            fraction,
            seed,
            held_out
        }),
        (0_u64..100, prop::option::of(0_u64..100))
            .prop_map(|(start, more)| { Step::Run(start..more.map_or(u64::MAX, |more| start + more)) }),
        (0_usize..4).prop_map(|at| Step::Where(conditions().swap_remove(at).0)),
        (0_u64..3, 0_u64..3, any::<bool>()).prop_map(|(number, seed, held_out)| Step::Fold {
            number,
            count: 3,
            seed,
            held_out
        }),
        (0_u64..3, 0_u64..3, any::<bool>()).prop_map(|(number, seed, held_out)| Step::KeyFold {
            column: 2,
            number,
            count: 3,
            seed,
            held_out
        }),
        (draw(), 0_u64..3).prop_map(|(draw, seed)| Step::Classes { column: 2, draw, seed }),
        (0_u64..3, 1_u64..20, any::<bool>()).prop_map(|(index, batch_size, drop_remainder)| {
            Step::Shard { index, count: 3, batch_size, drop_remainder }
        }),
    ]
}

fn draw() -> impl Strategy<Value = Draw> {
    prop_oneof![
        (prop::sample::select(&[0.1, 0.5, 0.9]), any::<bool>())
            .prop_map(|(fraction, held_out)| Draw::Part { fraction, held_out }),
        (0_u64..3, any::<bool>()).prop_map(|(number, held_out)| Draw::Fold { number, count: 3, held_out }),
        any::<bool>().prop_map(|oversample| Draw::Balance { ratio: Ratio::Least(1.0), oversample }),
    ]
}

/// The rows that a draw by class leaves, found class by class.
fn draw_naively(rows: &[Row], draw: &Draw, seed: u64) -> Vec<Row> {
    let keys = Keys::new(2, seed);
    let mut classes: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (at, row) in rows.iter().enumerate() {
        classes.entry(format!("k{}", row.1)).or_default().push(at);
    }
    let sizes = || classes.values().map(Vec::len);
    let (fewest, most) = (sizes().min().unwrap(), sizes().max().unwrap());
    let mut times = vec![0; rows.len()];
    let mut dealt = 0;
    for mut class in classes.into_values() {
        class.sort_by_key(|&at| keys.of(at as u64));
        let count = class.len();
        match *draw {
            Draw::Part { fraction, held_out } => {
                let held = (count as f64 * fraction).round() as usize;
                class.iter().enumerate().for_each(|(rank, &at)| times[at] = usize::from((rank < held) == held_out));
            }
            Draw::Fold { number, count: folds, held_out } => {
                let mut folds: Vec<u64> = (dealt..dealt + count as u64).map(|card| card % folds).collect();
                folds.sort_unstable();
                class.iter().zip(folds).for_each(|(&at, fold)| times[at] = usize::from((fold == number) == held_out));
                dealt += count as u64;
            }
            Draw::Balance { oversample, .. } => {
                let wanted = if oversample { most } else { fewest };
                class.iter().cycle().take(wanted).for_each(|&at| times[at] += 1);
            }
        }
    }
    rows.iter().zip(times).flat_map(|(&row, times)| std::iter::repeat_n(row, times)).collect()
}

fn budget() -> impl Strategy<Value = Budget> {
    (1_usize..4, 1_usize..300, 1_usize..6).prop_map(|(threads, block_bytes, window)| Budget {
        threads,
        block_bytes,
        window,
        max_row: 1 << 20,
        ahead: 0,
    })
}

/// For steps that need no fields.
struct NoFields;

impl GroupFields for NoFields {
    fn key(&self, _row: usize, _column: usize) -> Cow<'_, [u8]> {
        unreachable!()
    }

    fn meet(&mut self, _conditions: &Conditions, _rows: &mut Vec<usize>) {
        unreachable!()
    }

    fn rule_out(&mut self, _conditions: &Conditions, _rows: &mut Vec<usize>) {
        unreachable!()
    }
}

/// The rows that one more step selects, decided row by row.
fn choose(rows: Vec<Row>, step: &Step, selection: impl Fn(&[Step]) -> Arc<Selection>) -> Vec<Row> {
    if let Step::Key { fraction, seed, held_out, .. } = *step {
        let limit = (fraction * 2_f64.powi(64)) as u64;
        let held = |row: &Row| xxh3_64_with_seed(format!("k{}", row.1).as_bytes(), seed) < limit;
        return rows.into_iter().filter(|row| held(row) == held_out).collect();
    }
    if let Step::Run(Range { start, end }) = *step {
        let kept = |place: usize| (start..end).contains(&(place as u64));
        return rows.into_iter().enumerate().filter(|(place, _)| kept(*place)).map(|(_, row)| row).collect();
    }
    if let Step::Where(given) = step {
        let is_given = |(known, _): &Meeting| format!("{known:?}") == format!("{given:?}");
        let (_, meets) = conditions().into_iter().find(is_given).unwrap();
        return rows.into_iter().filter(meets).collect();
    }
    if let Step::KeyFold { number, count, seed, held_out, .. } = *step {
        let fold = |row: &Row| {
            let hash = xxh3_64_with_seed(format!("k{}", row.1).as_bytes(), seed);
            (hash as f64 / 2_f64.powi(64) * count as f64) as u64
        };
        return rows.into_iter().filter(|row| (fold(row) == number) == held_out).collect();
    }
    if let Step::Classes { draw, seed, .. } = step {
        return draw_naively(&rows, draw, *seed);
    }
    // A part or shard depends only on the number of rows. A single slice holds them all.
    let chosen = selection(std::slice::from_ref(step));
    let mut chooser = chosen.chooser(0..chosen.row_index().slices()).unwrap();
    let mut places = (0..rows.len()).collect();
    chooser.choose(&mut places, rows.len(), &mut NoFields);
    places.into_iter().map(|place| rows[place]).collect()
}

proptest! {
    #![proptest_config(crate::checks::cases(300))]

    #[test]
    fn an_epoch_has_the_rows_that_are_chosen(
        rows in rows(),
        steps in prop::collection::vec(step(), 0..4),
        skip: bool,
        (budget, slice_bytes) in (budget(), 1_u64..400),
        memory in 0_u64..4000,
        from in 0.0_f64..1.1,
        seed in 0_u64..5,
    ) {
        let policy = if skip { MissingTarget::Skip } else { MissingTarget::Keep };
        let table = table(text(&rows), policy);
        let mut expected: Vec<Row> = rows.iter().copied().filter(|row| !skip || row.2 >= 0).collect();
        let mut drawn = 0;
        for step in &steps {
            // A table with the same number of rows.
            let alike = self::table("b,1,k,1\n".repeat(expected.len().max(1)), policy);
            let in_place = step.in_place(drawn);
            drawn += u64::from(step.is_drawn());
            if !expected.is_empty() {
                expected = choose(expected, &in_place, |steps| select(&alike, budget, 1 << 30, steps));
            }
        }
        let expected: Vec<u32> = expected.iter().map(|row| row.0).collect();
        let total = expected.len() as u64;
        let selection = select(&table, budget, slice_bytes, &steps);
        // The stripes of a shard depend on the bytes of the table, but here all rows are within one stripe.
        prop_assert_eq!(selection.rows(), total);
        let bytes = selection.to_bytes();
        let again = Selection::from_bytes(&bytes, selection.row_index().slices(), &steps).unwrap();
        prop_assert_eq!(again.rows(), total);

        let mut in_portions = Vec::new();
        for Portion { slices, parts, rows, text_bytes } in selection.portions(&table.parts, 2 * slice_bytes) {
            prop_assert_eq!(parts, 0..1);
            let whole = selection.row_index().bytes(slices.clone());
            prop_assert!(text_bytes <= whole.end - whole.start);
            let portion = Selection::portion_from_bytes(&selection.portion_to_bytes(slices), &steps).unwrap();
            prop_assert_eq!(portion.rows(), rows);
            let own = Rows::new(table.clone(), portion, None, true);
            in_portions.extend(read(in_order(own, budget, 0).unwrap(), rows));
        }
        prop_assert_eq!(&in_portions, &expected);

        let first = ((total as f64 * from) as u64).min(total);
        let all = || Rows::new(table.clone(), Arc::clone(&again), None, true);
        prop_assert_eq!(&read(in_order(all(), budget, 0).unwrap(), total), &expected);
        prop_assert_eq!(&read(in_order(all(), budget, first).unwrap(), total - first), &expected[first as usize..]);

        if total > 0 {
            let mixing = Mixing { seed, memory };
            let epoch = |number, first, budget| {
                read(shuffled(all(), budget, mixing, number, first).unwrap(), total - first)
            };
            let whole = epoch(4, 0, budget);
            let sorted = |mut rows: Vec<u32>| {
                rows.sort_unstable();
                rows
            };
            // A row may be there several times.
            prop_assert_eq!(sorted(whole.clone()), sorted(expected.clone()));
            prop_assert_eq!(&epoch(4, first, budget), &whole[first as usize..]);
            let other = Budget { threads: 2, block_bytes: 100, window: 3, ..budget };
            prop_assert_eq!(&epoch(4, 0, other), &whole, "the order depends on seed and epoch alone");
            // An epoch continues with the next one.
            let two = read(shuffled(all(), budget, mixing, 3, 0).unwrap(), 2 * total);
            prop_assert_eq!(&two[total as usize..], &whole[..]);
        }
    }
}

#[test]
fn an_order_is_new_in_each_epoch_and_for_each_seed() {
    let rows: Vec<Row> = (0..1000).map(|number| (number, 0, number as i32)).collect();
    let table = table(text(&rows), MissingTarget::Raise);
    let budget = Budget { threads: 2, block_bytes: 200, window: 4, max_row: 1 << 20, ahead: 0 };
    let selection = select(&table, budget, 100, &[]);
    let mut orders = HashSet::new();
    for memory in [1 << 20, 2000] {
        for (seed, epoch) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
            let rows = Rows::new(table.clone(), Arc::clone(&selection), None, true);
            orders.insert(read(shuffled(rows, budget, Mixing { seed, memory }, epoch, 0).unwrap(), 1000));
        }
    }
    assert_eq!(orders.len(), 8);
}

#[test]
fn a_wrong_row_ends_the_epoch_before_its_window() {
    let mut rows: Vec<Row> = (0..500).map(|number| (number, 0, number as i32)).collect();
    rows[321].2 = -1;
    let table = table(text(&rows), MissingTarget::Raise);
    let budget = Budget { threads: 3, block_bytes: 200, window: 6, max_row: 1 << 20, ahead: 0 };
    let selection = select(&table, budget, 100, &[]);
    let widths = Widths { features: 1, targets: 1, weights: 0 };
    for memory in [1 << 20, 2000] {
        let rows = Rows::new(table.clone(), Arc::clone(&selection), None, true);
        let (pipeline, _) = shuffled(rows, budget, Mixing { seed: 1, memory }, 0, 0).unwrap();
        let mut batches = Batches::new(pipeline, widths, 10, Remainder::Keep).of(0, 500);
        let error = loop {
            match batches.next(Duration::from_secs(5)) {
                Ok(NextBatch::Batch(batch)) => {
                    assert!(!batch.block.arrays().targets.values(batch.rows).iter().any(|y| y.is_nan()));
                }
                Ok(_) => panic!("the error is lost"),
                Err(error) => break error,
            }
        };
        assert!(error.kind.to_string().contains("target is missing"));
        assert_eq!(error.column, Some(3));
    }
}
