//! Which columns are read, and where their values go.

use std::ops::Range;

use crate::table::parts::{Layout, Place};
use crate::table::roles::PerRole;
use crate::table::schema::Schema;

/// A column whose fields are no numbers.
pub(super) struct EncodedColumn {
    pub(super) column: usize,
    /// What its fields become: places in a row of the arrangement, and among features, targets and weight.
    pub(super) values: Vec<(usize, usize)>,
}

impl EncodedColumn {
    /// Those among the columns of an arrangement, in the order of the file.
    pub(super) fn of(schema: &Schema, columns: &[usize], places: &[usize]) -> Vec<Self> {
        let mut encoded: Vec<Self> = vec![];
        for (at, (&column, &wanted)) in columns.iter().zip(places).enumerate() {
            if schema.encoding(wanted).is_none() {
                continue;
            }
            match encoded.last_mut().filter(|last| last.column == column) {
                Some(last) => last.values.push((at, wanted)),
                None => encoded.push(Self { column, values: vec![(at, wanted)] }),
            }
        }
        encoded
    }
}

/// Which columns are read, and where their values go.
pub(super) struct Arrangement {
    /// How many fields a row of the part has.
    pub(super) fields: usize,
    /// The columns, in the order of the file, so that fields are converted where they stand if all are wanted. Those that
    /// the part has no fields of come last.
    pub(super) columns: Vec<usize>,
    /// What they are in the schema, where the file has them in another order.
    pub(super) names: Vec<usize>,
    /// For each of them, its place among a row's features, targets and weight, one after the other.
    pub(super) places: Vec<usize>,
    /// Which of them make up the features, the targets and the weight: runs of neighbours.
    pub(super) runs: PerRole<Vec<Range<usize>>>,
    /// Which of them are numbers, and the columns of these.
    pub(super) numbers: Vec<usize>,
    pub(super) number_columns: Vec<usize>,
    /// Those that are read as something else.
    pub(super) encoded: Vec<EncodedColumn>,
    /// Those that the part has no fields of.
    pub(super) constants: Vec<Constant>,
}

/// A column that has the same value in all rows of a part.
pub(super) struct Constant {
    /// Its place in a row of the arrangement.
    pub(super) at: usize,
    /// Its value, or `None` where its rows are to be left out; `Err` where it is wrong.
    pub(super) value: Result<Option<f32>, ()>,
}

impl Arrangement {
    /// `layout` says where the columns of the schema are, if not in its order.
    pub(super) fn of(schema: &Schema, layout: Option<&Layout>) -> Self {
        let roles = schema.roles();
        let wanted = schema.wanted();
        let position = |place: usize| match layout.map(|layout| &layout.places[wanted[place]]) {
            None => wanted[place],
            Some(Place::Field(field)) => *field,
            Some(Place::Value(_) | Place::Absent) => usize::MAX,
        };
        let mut places: Vec<usize> = (0..wanted.len()).collect();
        places.sort_by_key(|&place| position(place));
        let columns: Vec<usize> = places.iter().map(|&place| position(place)).collect();
        let names = places.iter().map(|&place| wanted[place]).collect();
        let in_fields = columns.iter().take_while(|&&column| column != usize::MAX).count();
        let numbers: Vec<usize> = (0..in_fields).filter(|&at| schema.encoding(places[at]).is_none()).collect();
        let number_columns = numbers.iter().map(|&at| columns[at]).collect();
        let encoded = EncodedColumn::of(schema, &columns[..in_fields], &places);
        let constant = |at: usize| {
            let place = layout.map_or(&Place::Absent, |layout| &layout.places[wanted[places[at]]]);
            Constant { at, value: schema.constant(place, places[at]).map_err(|_| ()) }
        };
        let constants = (in_fields..places.len()).map(constant).collect();
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
        let fields = layout.map_or(schema.columns.len(), |layout| layout.fields);
        Self { fields, columns, names, places, runs, numbers, number_columns, encoded, constants }
    }

    /// Whether some values are not read as plain numbers.
    pub(super) fn is_mixed(&self) -> bool {
        !self.encoded.is_empty() || !self.constants.is_empty()
    }
}
