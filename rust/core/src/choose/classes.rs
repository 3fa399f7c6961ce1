//! The classes of rows: the texts of a column. How many rows of each class are drawn, by the number of its rows.

use std::ops::Range;

use super::fold::dealt_below;
use crate::value::Vocabulary;

/// The maximum number of classes. A column with more holds names or numbers.
pub(crate) const MOST_CLASSES: usize = 10_000;

/// How often a row may be repeated. The rows of a slice are read together, with their copies.
const MOST_COPIES: u64 = 1000;

/// How many classes a message lists.
const SHOWN: usize = 10;

/// Which rows of each class are drawn.
#[derive(Clone, Debug, PartialEq)]
pub enum Draw {
    /// A random part, or the rest.
    Part {
        /// The fraction of rows that are held out.
        fraction: f64,
        /// Whether to choose the held-out rows or the others.
        held_out: bool,
    },
    /// One of several folds, or the rest.
    Fold {
        /// The fold, from 0.
        number: u64,
        /// The number of folds.
        count: u64,
        /// Whether to choose the held-out rows or the others.
        held_out: bool,
    },
    /// As many as make the classes as frequent as asked for.
    Balance {
        /// How frequent.
        ratio: Ratio,
        /// Whether rows are repeated, instead of left out.
        oversample: bool,
    },
}

/// How frequent the classes are to be.
#[derive(Clone, Debug, PartialEq)]
pub enum Ratio {
    /// The rarest class has at least so many rows for each row of the most frequent one.
    Least(f64),
    /// The rows of each class are in proportion to its number.
    Shares(Vec<(String, f64)>),
}

/// The texts of a column, and the number of rows with each.
#[derive(Debug, Default)]
pub(crate) struct Census {
    texts: Vocabulary,
    rows: Vec<u64>,
}

impl Census {
    /// Adds rows with the same text.
    pub(crate) fn add(&mut self, text: &[u8], rows: u64) {
        let code = match self.texts.code(text) {
            0 => {
                self.texts.add(text);
                self.rows.push(0);
                self.rows.len()
            }
            code => code as usize,
        };
        self.rows[code - 1] += rows;
    }

    /// Adds the rows of another one.
    pub(crate) fn merge(&mut self, other: &Self) {
        for (text, &rows) in other.texts.words().zip(&other.rows) {
            self.add(text, rows);
        }
    }

    /// The number of texts.
    pub(crate) fn count(&self) -> usize {
        self.rows.len()
    }
}

/// The classes of rows, in the order of their texts.
#[derive(Debug)]
pub(crate) struct Classes {
    /// All texts of the column, and the class of each. All texts that mean "no value" are one class, the empty one.
    pub(super) texts: Vocabulary,
    pub(super) class_of: Vec<u32>,
    pub(super) names: Vec<Vec<u8>>,
    pub(super) rows: Vec<u64>,
}

impl Classes {
    pub(crate) fn of(census: &Census, is_missing: impl Fn(&[u8]) -> bool) -> Self {
        let name = |text: &[u8]| if is_missing(text) { Vec::new() } else { text.to_vec() };
        let all: Vec<_> = census.texts.words().map(name).collect();
        let mut names = all.clone();
        names.sort_unstable();
        names.dedup();
        let class = |name: &Vec<u8>| names.binary_search(name).expect("it is one of them") as u32;
        let class_of: Vec<u32> = all.iter().map(class).collect();
        let mut rows = vec![0; names.len()];
        for (&class, more) in class_of.iter().zip(&census.rows) {
            rows[class as usize] += more;
        }
        Self { texts: Vocabulary::new(census.texts.words()), class_of, names, rows }
    }

    fn shown(&self, class: usize) -> String {
        format!("{:?}", String::from_utf8_lossy(&self.names[class]))
    }

    /// The first classes for a message.
    fn all_shown(&self) -> String {
        let shown = (0..self.names.len().min(SHOWN)).map(|class| self.shown(class)).collect::<Vec<_>>().join(", ");
        if self.names.len() > SHOWN { format!("{shown}, … ({} in all)", self.names.len()) } else { shown }
    }
}

/// How often the rows of a class are drawn. Its rows have random keys, and the order of the keys gives them ranks.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Share {
    /// The ranks of some rows.
    pub ranks: Range<u64>,
    /// How often each of them is drawn, and each of the others.
    pub within: u32,
    pub outside: u32,
}

impl Share {
    /// Some rows, which are held out, or the others.
    fn part(ranks: Range<u64>, held_out: bool) -> Self {
        Self { ranks, within: held_out.into(), outside: (!held_out).into() }
    }
}

impl Draw {
    /// How often the rows of each class are drawn. Otherwise a message says why they cannot be.
    pub(super) fn shares(&self, classes: &Classes) -> Result<Vec<Share>, String> {
        match self {
            Self::Part { fraction, held_out } => {
                let part = |&rows: &u64| Share::part(0..((rows as f64 * fraction).round() as u64).min(rows), *held_out);
                Ok(classes.rows.iter().map(part).collect())
            }
            Self::Fold { number, count, held_out } => {
                // The rows are dealt out class by class, so that the folds differ by at most one row in all, too.
                let mut before = 0;
                let fold = |&rows: &u64| {
                    let until =
                        |fold: u64| dealt_below(before + rows, fold, *count) - dealt_below(before, fold, *count);
                    let ranks = until(*number)..until(*number + 1);
                    before += rows;
                    Share::part(ranks, *held_out)
                };
                Ok(classes.rows.iter().map(fold).collect())
            }
            Self::Balance { ratio, oversample } => {
                let wanted = ratio.rows(classes, *oversample)?;
                let share = |(class, (&rows, wanted)): (usize, (&u64, u64))| {
                    let (copies, ranks) = (wanted / rows, 0..wanted % rows);
                    if wanted.div_ceil(rows) > MOST_COPIES {
                        return Err(format!(
                            "class {} has {rows} of the {wanted} rows that it is to have, so each would come more than \
                             {MOST_COPIES} times: method=\"undersample\" leaves out rows of the other classes, and \
                             another ratio= needs fewer copies",
                            classes.shown(class)
                        ));
                    }
                    Ok(Share { ranks, within: copies as u32 + 1, outside: copies as u32 })
                };
                classes.rows.iter().zip(wanted).enumerate().map(share).collect()
            }
        }
    }
}

impl Ratio {
    /// How many rows of each class are wanted: at most those there are, or at least.
    fn rows(&self, classes: &Classes, oversample: bool) -> Result<Vec<u64>, String> {
        let rows = &classes.rows;
        let wanted: Vec<f64> = match self {
            Self::Least(ratio) => {
                let (fewest, most) = (rows.iter().min().copied().unwrap_or(0), rows.iter().max().copied().unwrap_or(0));
                let bound = if oversample { most as f64 * ratio } else { fewest as f64 / ratio };
                vec![bound; rows.len()]
            }
            Self::Shares(shares) => {
                let of = |class: usize| {
                    let name = &classes.names[class];
                    shares.iter().find(|(of, _)| of.as_bytes() == name).map(|(_, share)| *share).ok_or(class)
                };
                let own: Result<Vec<f64>, usize> = (0..rows.len()).map(of).collect();
                let own = own.map_err(|class| {
                    format!("ratio= has no number for the class {} of some rows: give it one", classes.shown(class))
                })?;
                if let Some((name, _)) =
                    shares.iter().find(|(of, _)| !classes.names.iter().any(|name| name == of.as_bytes()))
                {
                    return Err(format!(
                        "ratio= names the class {name:?}, and no row has it. The classes are {}, as the file writes them",
                        classes.all_shown()
                    ));
                }
                let scales = rows.iter().zip(&own).map(|(&rows, share)| rows as f64 / share);
                let scale = if oversample { scales.fold(0.0, f64::max) } else { scales.fold(f64::INFINITY, f64::min) };
                own.into_iter().map(|share| scale * share).collect()
            }
        };
        let whole = |(wanted, &rows): (f64, &u64)| {
            let wanted = wanted.round().min(2_f64.powi(62)) as u64;
            if oversample { wanted.max(rows) } else { wanted.clamp(1, rows) }
        };
        Ok(wanted.into_iter().zip(rows).map(whole).collect())
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Classes with these numbers of rows, called "0", "1" and so on.
    pub(in super::super) fn classes(rows: &[u64]) -> Classes {
        let mut census = Census::default();
        for (class, &rows) in rows.iter().enumerate() {
            census.add(format!("{class}").as_bytes(), rows);
        }
        Classes::of(&census, <[u8]>::is_empty)
    }

    fn drawn(share: &Share, rows: u64) -> u64 {
        let within = share.ranks.end - share.ranks.start;
        within * u64::from(share.within) + (rows - within) * u64::from(share.outside)
    }

    #[test]
    fn all_texts_without_a_value_are_one_class() {
        let mut census = Census::default();
        for (text, rows) in [("b", 3), ("NA", 1), ("", 2), ("a", 4), ("b", 1)] {
            census.add(text.as_bytes(), rows);
        }
        let classes = Classes::of(&census, |text| text.is_empty() || text == b"NA");
        assert_eq!(classes.names, [&b""[..], b"a", b"b"]);
        assert_eq!(classes.rows, [3, 4, 4]);
        assert_eq!(classes.class_of, [2, 0, 0, 1]);
    }

    proptest! {
        #[test]
        fn folds_differ_by_at_most_one_row_in_each_class_and_in_all(
            rows in prop::collection::vec(1_u64..30, 1..9),
            count in 2_u64..9,
        ) {
            let classes = classes(&rows);
            let mut sizes = vec![];
            let mut ends = vec![0; rows.len()];
            for number in 0..count {
                let [rest, fold] = [false, true].map(|held_out| {
                    Draw::Fold { number, count, held_out }.shares(&classes).unwrap()
                });
                for (class, &rows) in rows.iter().enumerate() {
                    prop_assert_eq!(fold[class].ranks.start, ends[class]);
                    ends[class] = fold[class].ranks.end;
                    let size = drawn(&fold[class], rows);
                    prop_assert!([rows / count, rows.div_ceil(count)].contains(&size));
                    prop_assert_eq!(drawn(&rest[class], rows), rows - size);
                }
                sizes.push(fold.iter().zip(&rows).map(|(share, &rows)| drawn(share, rows)).sum::<u64>());
            }
            prop_assert_eq!(&ends, &rows);
            prop_assert!(sizes.iter().max().unwrap() - sizes.iter().min().unwrap() <= 1, "{:?}", sizes);
        }

        #[test]
        fn classes_are_as_frequent_as_asked_for(
            classes_of in prop::collection::vec((1_u64..60, 0.5_f64..3.0), 1..6),
            ratio in 0.1_f64..=1.0,
        ) {
            let rows: Vec<u64> = classes_of.iter().map(|&(rows, _)| rows).collect();
            let classes = classes(&rows);
            let drawn = |ratio: &Ratio, oversample| -> Vec<u64> {
                let shares = Draw::Balance { ratio: ratio.clone(), oversample }.shares(&classes).unwrap();
                shares.iter().zip(&rows).map(|(share, &rows)| drawn(share, rows)).collect()
            };
            let (fewest, most) = (*rows.iter().min().unwrap(), *rows.iter().max().unwrap());
            prop_assert_eq!(drawn(&Ratio::Least(1.0), false), vec![fewest; rows.len()]);
            prop_assert_eq!(drawn(&Ratio::Least(1.0), true), vec![most; rows.len()]);
            for (&rows, drawn) in rows.iter().zip(drawn(&Ratio::Least(ratio), false)) {
                prop_assert_eq!(drawn, rows.min((fewest as f64 / ratio).round() as u64));
            }
            for (&rows, drawn) in rows.iter().zip(drawn(&Ratio::Least(ratio), true)) {
                prop_assert_eq!(drawn, rows.max((most as f64 * ratio).round() as u64));
            }
            let shares = classes_of.iter().enumerate().map(|(class, &(_, share))| (class.to_string(), share));
            let shares = Ratio::Shares(shares.collect());
            for oversample in [false, true] {
                let drawn = drawn(&shares, oversample);
                // One class has all of its rows, once each, and the others are in proportion to it.
                let scales = drawn.iter().zip(&rows).zip(&classes_of);
                let scale = scales.filter(|((drawn, rows), _)| drawn == rows).map(|((&drawn, _), (_, share))| drawn as f64 / share);
                let scale = if oversample { scale.fold(0.0, f64::max) } else { scale.fold(f64::INFINITY, f64::min) };
                for (&drawn, (_, share)) in drawn.iter().zip(&classes_of) {
                    prop_assert!((drawn as f64 - scale * share).abs() <= 0.5 + 1e-9 || drawn == 1);
                }
            }
        }
    }

    #[test]
    fn what_cannot_be_drawn_is_told() {
        let classes = classes(&[1, 2000]);
        let message = |ratio, oversample| Draw::Balance { ratio, oversample }.shares(&classes).unwrap_err();
        let shares = |names: &[&str]| Ratio::Shares(names.iter().map(|&name| (name.to_owned(), 1.0)).collect());
        assert!(message(Ratio::Least(1.0), true).contains("class \"0\" has 1 of the 2000 rows"));
        assert!(message(shares(&["1"]), false).contains("no number for the class \"0\""));
        assert!(message(shares(&["0", "1", "2"]), false).contains("names the class \"2\", and no row has it"));
    }
}
