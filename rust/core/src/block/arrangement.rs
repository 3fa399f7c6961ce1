//! Which columns are read, and where their values go.

use std::ops::Range;

use super::coded::Coded;
use crate::parts::Layout;
use crate::schema::Schema;

/// Which columns are read, and where their values go.
pub(super) struct Arrangement {
    /// The columns, in the order of the file, so that fields are converted where they stand if all are wanted.
    pub(super) columns: Vec<usize>,
    /// What they are in the schema, where the file has them in another order.
    pub(super) names: Vec<usize>,
    /// For each of them, its place among a row's features, targets and weight, one after the other.
    pub(super) places: Vec<usize>,
    /// Which of them make up the features, the targets and the weight: runs of neighbours.
    pub(super) runs: [Vec<Range<usize>>; 3],
    /// Which of them are numbers, and the columns of these.
    pub(super) numbers: Vec<usize>,
    pub(super) number_columns: Vec<usize>,
    /// The others.
    pub(super) coded: Vec<Coded>,
}

impl Arrangement {
    /// `layout` says where the columns of the schema are, if not in its order.
    pub(super) fn of(schema: &Schema, layout: Option<&Layout>) -> Self {
        let roles = [&schema.features[..], &schema.targets, schema.weight.as_slice()];
        let wanted = schema.wanted();
        let position = |place: usize| layout.map_or(wanted[place], |layout| layout[wanted[place]]);
        let mut places: Vec<usize> = (0..wanted.len()).collect();
        places.sort_by_key(|&place| position(place));
        let columns: Vec<usize> = places.iter().map(|&place| position(place)).collect();
        let names = places.iter().map(|&place| wanted[place]).collect();
        let numbers: Vec<usize> = (0..places.len()).filter(|&at| schema.code(places[at]).is_none()).collect();
        let number_columns = numbers.iter().map(|&at| columns[at]).collect();
        let coded = Coded::of(schema, &columns, &places);
        let mut found_at = vec![0; places.len()];
        for (at, &place) in places.iter().enumerate() {
            found_at[place] = at;
        }
        let mut rest = &found_at[..];
        let runs = roles.map(|role| {
            let part;
            (part, rest) = rest.split_at(role.len());
            part.chunk_by(|one, next| one + 1 == *next).map(|run| run[0]..run[0] + run.len()).collect()
        });
        Self { columns, names, places, runs, numbers, number_columns, coded }
    }
}
