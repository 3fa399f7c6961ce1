//! What a shuffle draws as a whole: a slice, or a stretch of slices with the windows that begin in it.

use super::Rows;

/// What is drawn as a whole.
pub(super) enum Units {
    /// Each slice.
    Slices,
    /// Each stretch of slices, with the windows that begin in it.
    Stretches(Vec<Stretch>),
}

impl Units {
    /// Those of `total` rows, of which a shuffle mixes `mixed` at once.
    pub(super) fn of(rows: &Rows, total: u64, mixed: u64) -> Self {
        match &rows.windows {
            None => Self::Slices,
            // If all rows are mixed at once, the order of the slices does not matter.
            Some(windows) => Self::Stretches(stretches(rows, windows.shape().reach(), mixed >= total, mixed)),
        }
    }

    /// The units that have rows, in the order of the source.
    pub(super) fn all(&self, rows: &Rows) -> Vec<u32> {
        match self {
            Self::Slices => {
                let slices = rows.selection.row_index().slices();
                (0..slices as u32).filter(|&slice| rows.count(slice as usize..slice as usize + 1) > 0).collect()
            }
            Self::Stretches(stretches) => (0..stretches.len() as u32).collect(),
        }
    }

    /// The rows that are read for a unit.
    pub(super) fn rows(&self, unit: u32, rows: &Rows) -> u64 {
        match self {
            Self::Slices => rows.count(unit as usize..unit as usize + 1),
            Self::Stretches(stretches) => {
                let Stretch { start, read_end, .. } = stretches[unit as usize];
                rows.count(start as usize..read_end as usize)
            }
        }
    }

    /// How many rows, or windows, are drawn with a unit.
    pub(super) fn items(&self, unit: u32, rows: &Rows) -> u64 {
        match self {
            Self::Slices => rows.items(unit as usize..unit as usize + 1),
            Self::Stretches(stretches) => {
                let Stretch { start, end, .. } = stretches[unit as usize];
                rows.items(start as usize..end as usize)
            }
        }
    }

    /// The slices that are read for some units, each with the number of rows, or windows, that are drawn with it.
    pub(super) fn slices(&self, mut units: Vec<u32>, rows: &Rows) -> Vec<(u32, u64)> {
        match self {
            Self::Slices => units.into_iter().map(|slice| (slice, self.items(slice, rows))).collect(),
            Self::Stretches(stretches) => {
                // A stretch that follows another one has the rows that windows of that one need.
                units.sort_unstable();
                let mut slices: Vec<(u32, u64)> = Vec::new();
                for &unit in &units {
                    let Stretch { start, end, read_end } = stretches[unit as usize];
                    let shared = slices.partition_point(|&(slice, _)| slice < start);
                    for (slice, items) in &mut slices[shared..] {
                        if *slice < end {
                            *items = rows.items(*slice as usize..*slice as usize + 1);
                        }
                    }
                    let next = slices.last().map_or(start, |&(last, _)| start.max(last + 1));
                    slices.extend((next..read_end).filter_map(|slice| {
                        let range = slice as usize..slice as usize + 1;
                        let items = if slice < end { rows.items(range.clone()) } else { 0 };
                        (rows.count(range) > 0 && rows.needs(slice as usize)).then_some((slice, items))
                    }));
                }
                slices
            }
        }
    }
}

/// Slices that a shuffle reads together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stretch {
    /// The slices whose windows it has.
    start: u32,
    end: u32,
    /// The end of the slices that those windows need.
    read_end: u32,
}

/// How many times as many rows as it needs of others a stretch has.
const MORE_OWN: u64 = 4;

/// How many slices a stretch has at least.
const FEWEST_SLICES: usize = 8;

/// Cuts the rows into stretches whose windows reach `reach` rows further. They are long enough to read little twice, but
/// no longer than half of the `mixed` rows. If all rows are `together`, each slice is a stretch.
fn stretches(rows: &Rows, reach: u64, together: bool, mixed: u64) -> Vec<Stretch> {
    let slices = rows.selection.row_index().slices();
    let least = reach.saturating_mul(MORE_OWN).min(mixed / 2);
    let mut found: Vec<Stretch> = Vec::new();
    let mut start = 0;
    for slice in 0..slices {
        let end = slice + 1;
        let is_wanted = rows.count(slice..end) > 0 && rows.needs(slice);
        let count = rows.count(start..end);
        let is_long = together || count >= least && (end - start >= FEWEST_SLICES || count >= mixed / 8);
        let begins_gap = end < slices && !(rows.count(end..end + 1) > 0 && rows.needs(end));
        if !is_wanted {
            start = end;
        } else if is_long || begins_gap || end == slices {
            found.push(Stretch { start: start as u32, end: end as u32, read_end: 0 });
            start = end;
        }
    }
    for stretch in &mut found {
        // The rows that its last window needs.
        let reached = rows.selection.rows_before(stretch.end as usize).saturating_add(reach);
        let needed = rows.selection.slice_of(reached.min(rows.selection.rows()).saturating_sub(1)) + 1;
        stretch.read_end = if reach > 0 { stretch.end.max(needed as u32) } else { stretch.end };
    }
    found
}
