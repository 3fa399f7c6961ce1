//! Columns whose marks are picked together, in one register.

/// Up to `COUNT` columns that lie close together.
pub(super) struct Pick<const COUNT: usize> {
    /// The first of the adjacent columns among which they are.
    pub(super) first: usize,
    /// The distance of each picked column from the first.
    pub(super) places: [u32; COUNT],
    /// The number of picked columns.
    pub(super) count: usize,
}

impl<const COUNT: usize> Pick<COUNT> {
    /// Splits the columns, in order, into as few picks as possible. The columns of each are among `span` adjacent ones.
    pub(super) fn all(columns: &[usize], span: usize) -> Vec<Self> {
        let mut picks = Vec::new();
        let mut rest = columns;
        while let [first, ..] = *rest {
            let (mut least, mut most) = (first, first);
            let fits = |&&column: &&usize| {
                (least, most) = (least.min(column), most.max(column));
                most - least < span
            };
            let count = rest.iter().take(COUNT).take_while(fits).count();
            let picked;
            (picked, rest) = rest.split_at(count);
            let first = picked.iter().copied().min().expect("at least one column");
            let mut places = [0; COUNT];
            for (place, column) in places.iter_mut().zip(picked) {
                *place = (column - first) as u32;
            }
            picks.push(Self { first, places, count });
        }
        picks
    }

    /// Makes room for the picked columns of some rows. Every store writes `COUNT` marks, however few are picked.
    pub(super) fn make_room(picks: &[Self], rows: usize, picked: &mut Vec<u32>) {
        let width: usize = picks.iter().map(|pick| pick.count).sum();
        let length = rows * width + COUNT;
        if picked.len() < length {
            picked.resize(length, 0);
        }
    }
}
