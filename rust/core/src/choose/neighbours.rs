//! Which of the chosen rows follow one another: runs of rows that no other row parts, with the same key.

use std::borrow::Cow;
use std::collections::HashSet;

use xxhash_rust::xxh3::xxh3_64;

/// How many keys of a part are remembered, at most. If a further one comes again, nobody is told.
const MOST_KEYS: usize = 1 << 16;

/// The runs of the chosen rows of a text.
#[derive(Debug, Default)]
pub(crate) struct Neighbours {
    /// The columns of the key.
    by: Vec<usize>,
    /// The number of chosen rows so far.
    rows: u64,
    /// The chosen rows, counted from 0, that do not belong to the row before them. Whether the first one does is not
    /// known here.
    starts: Vec<u64>,
    /// The hashes of the keys that differ from the key before them, but for the first one.
    changes: Vec<u64>,
    /// The keys of the first and of the latest row.
    first_key: Vec<u8>,
    key: Vec<u8>,
    next_key: Vec<u8>,
    /// Whether a row that was not chosen comes before the first one.
    begins_apart: bool,
    /// Whether a row that was not chosen comes after the latest one.
    is_parted: bool,
}

impl Neighbours {
    pub(crate) fn new(by: &[usize]) -> Self {
        Self { by: by.to_vec(), ..Self::default() }
    }

    /// So many rows that follow one another.
    pub(crate) fn of_rows(rows: u64) -> Self {
        Self { rows, ..Self::default() }
    }

    /// Takes note of a row that is not chosen.
    pub(crate) fn part(&mut self) {
        self.is_parted = true;
    }

    /// Takes note of the chosen ones of the next `count` rows.
    pub(crate) fn note<'t>(&mut self, chosen: &[usize], count: usize, key: impl Fn(usize, usize) -> Cow<'t, [u8]>) {
        let mut expected = 0;
        for &row in chosen {
            self.is_parted |= row > expected;
            expected = row + 1;
            self.add(|column| key(row, column));
        }
        self.is_parted |= count > expected;
    }

    fn add<'t>(&mut self, key: impl Fn(usize) -> Cow<'t, [u8]>) {
        self.next_key.clear();
        for &column in &self.by {
            let text = key(column);
            // With its length, so that no two keys have the same bytes.
            self.next_key.extend((text.len() as u64).to_le_bytes());
            self.next_key.extend_from_slice(&text);
        }
        if self.rows == 0 {
            self.begins_apart = self.is_parted;
            self.first_key.clone_from(&self.next_key);
        } else if self.is_parted || self.next_key != self.key {
            self.starts.push(self.rows);
            if self.next_key != self.key {
                self.changes.push(xxh3_64(&self.next_key));
            }
        }
        std::mem::swap(&mut self.key, &mut self.next_key);
        self.is_parted = false;
        self.rows += 1;
    }
}

/// Joins the neighbours of one text after another into runs.
pub(crate) struct Runs<F> {
    take: F,
    /// The current run.
    start: u64,
    end: u64,
    key: Vec<u8>,
    is_parted: bool,
    /// The hashes of the keys in this part so far.
    seen: HashSet<u64>,
    /// How often a key came again after another one.
    returns: u64,
}

impl<F: FnMut(std::ops::Range<u64>)> Runs<F> {
    /// Passes each run to `take`, in order.
    pub(crate) fn new(take: F) -> Self {
        Self { take, start: 0, end: 0, key: Vec::new(), is_parted: true, seen: HashSet::new(), returns: 0 }
    }

    /// Begins a part of the table, which ends the current run. Parts may have the same keys.
    pub(crate) fn part(&mut self) {
        self.is_parted = true;
        self.key.clear();
        self.seen.clear();
    }

    /// Adds the rows of the next text.
    pub(crate) fn add(&mut self, next: Neighbours) {
        if next.rows == 0 {
            self.is_parted |= next.is_parted;
            return;
        }
        if self.is_parted || next.begins_apart || next.first_key != self.key {
            self.cut(self.end);
        }
        if next.first_key != self.key {
            self.meet(xxh3_64(&next.first_key));
        }
        for hash in next.changes {
            self.meet(hash);
        }
        let before = self.end;
        for start in next.starts {
            self.cut(before + start);
        }
        self.end = before + next.rows;
        self.key = next.key;
        self.is_parted = next.is_parted;
    }

    fn meet(&mut self, hash: u64) {
        if self.seen.contains(&hash) {
            self.returns += 1;
        } else if self.seen.len() < MOST_KEYS {
            self.seen.insert(hash);
        }
    }

    fn cut(&mut self, row: u64) {
        if row > self.start {
            (self.take)(self.start..row);
        }
        self.start = row;
    }

    /// Passes on the last run. Returns how often a key came again after another one in the same part.
    pub(crate) fn finish(mut self) -> u64 {
        self.cut(self.end);
        self.returns
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn runs_do_not_depend_on_the_texts(
            // The key of each row, or none for one that is not chosen.
            rows in prop::collection::vec(prop::option::weighted(0.8, (0_u8..2, 0_u8..2)), 0..60),
            cuts in prop::collection::vec((1_usize..9, 1_usize..5), 60),
            by in prop::sample::select(vec![vec![], vec![0], vec![1], vec![0, 1]]),
        ) {
            let mut expected: Vec<std::ops::Range<u64>> = vec![];
            let (mut end, mut last) = (0, None);
            let (mut returns, mut keys) = (0, Vec::new());
            for row in &rows {
                let key = row.map(|(one, other)| by.iter().map(|&at| [one, other][at]).collect::<Vec<_>>());
                if let Some(key) = key.as_ref().filter(|&key| !by.is_empty() && keys.last() != Some(key)) {
                    returns += u64::from(keys.contains(key));
                    keys.push(key.clone());
                }
                if key.is_some() {
                    if key == last { expected.last_mut().unwrap().end += 1 } else { expected.push(end..end + 1) }
                    end += 1;
                }
                last = key;
            }
            let mut found = vec![];
            let mut runs = Runs::new(|run| found.push(run));
            let mut rest = &rows[..];
            for (count, group) in cuts {
                let (text, after) = rest.split_at(count.min(rest.len()));
                rest = after;
                let mut neighbours = Neighbours::new(&by);
                for group in text.chunks(group) {
                    if group.len() == 1 && group[0].is_none() {
                        neighbours.part();
                        continue;
                    }
                    let chosen: Vec<_> = (0..group.len()).filter(|&row| group[row].is_some()).collect();
                    let key = |row: usize, column: usize| {
                        let (one, other) = group[row].unwrap();
                        Cow::Owned(vec![b'k'; [one, other][column] as usize])
                    };
                    neighbours.note(&chosen, group.len(), key);
                }
                runs.add(neighbours);
            }
            let counted = runs.finish();
            prop_assert_eq!(counted, returns);
            prop_assert_eq!(found, expected);
        }
    }
}
