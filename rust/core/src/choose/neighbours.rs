//! Which of the chosen rows follow one another: runs of rows that no other row parts, with the same key.

use std::borrow::Cow;

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
}

impl<F: FnMut(std::ops::Range<u64>)> Runs<F> {
    /// Passes each run to `take`, in order.
    pub(crate) fn new(take: F) -> Self {
        Self { take, start: 0, end: 0, key: Vec::new(), is_parted: true }
    }

    /// Ends the current run.
    pub(crate) fn part(&mut self) {
        self.is_parted = true;
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
        let before = self.end;
        for start in next.starts {
            self.cut(before + start);
        }
        self.end = before + next.rows;
        self.key = next.key;
        self.is_parted = next.is_parted;
    }

    fn cut(&mut self, row: u64) {
        if row > self.start {
            (self.take)(self.start..row);
        }
        self.start = row;
    }

    /// Passes on the last run.
    pub(crate) fn finish(mut self) {
        self.cut(self.end);
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
            for row in &rows {
                let key = row.map(|(one, other)| by.iter().map(|&at| [one, other][at]).collect::<Vec<_>>());
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
            runs.finish();
            prop_assert_eq!(found, expected);
        }
    }
}
