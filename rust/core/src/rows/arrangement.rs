//! The order in which columns are read and where their values go.

use std::ops::Range;

use crate::table::parts::{Layout, Place};
use crate::table::roles::PerRole;
use crate::table::schema::Schema;

/// A column whose fields are not plain numbers.
pub(super) struct EncodedColumn {
    pub(super) column: usize,
    /// The values that its fields become: each as a place in a row of the arrangement and a place among features,
    /// targets and weight.
    pub(super) values: Vec<(usize, usize)>,
}

impl EncodedColumn {
    /// The encoded columns of an arrangement, in file order.
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

/// The order in which columns are read and where their values go.
pub(super) struct Arrangement {
    /// The number of fields in a row of the part.
    pub(super) fields: usize,
    /// The columns in file order, so that fields are converted in place if all columns are wanted. Columns without a
    /// field in the part come last.
    pub(super) columns: Vec<usize>,
    /// The position of each column in the schema, which may have another order than the part; then those of the ids.
    pub(super) names: Vec<usize>,
    /// The field of each id; `usize::MAX` if the part has no field of it.
    ids_at: Vec<usize>,
    /// The place of each column among the features, targets and weight of a row.
    pub(super) places: Vec<usize>,
    /// The columns that make up each role, as runs of neighbours.
    pub(super) runs: PerRole<Vec<Range<usize>>>,
    /// The columns that hold plain numbers (`numbers`), and their fields (`number_columns`).
    pub(super) numbers: Vec<usize>,
    pub(super) number_columns: Vec<usize>,
    /// What each of `numbers` becomes where it is missing. `None` if it is a target or a weight, which may skip its row.
    pub(super) without: Vec<Option<f32>>,
    /// The columns that are read in other ways.
    pub(super) encoded: Vec<EncodedColumn>,
    /// The columns without a field in the part.
    pub(super) constants: Vec<Constant>,
}

/// A column that has the same value in every row of a part.
pub(super) struct Constant {
    /// Its place in a row of the arrangement.
    pub(super) at: usize,
    /// Its value. `None` skips every row of the part; `Err` means that the value is wrong.
    pub(super) value: Result<Option<f32>, ()>,
}

impl Arrangement {
    /// The arrangement of a part. `layout` gives the places of the columns if they differ from the schema.
    pub(super) fn of(schema: &Schema, layout: Option<&Layout>) -> Self {
        let roles = schema.roles();
        let wanted = schema.wanted();
        let field = |column: usize| match layout.map(|layout| &layout.places[column]) {
            None => column,
            Some(Place::Field(field)) => *field,
            Some(Place::Value(_) | Place::Absent) => usize::MAX,
        };
        let position = |place: usize| field(wanted[place]);
        let mut places: Vec<usize> = (0..wanted.len()).collect();
        places.sort_by_key(|&place| position(place));
        let columns: Vec<usize> = places.iter().map(|&place| position(place)).collect();
        let ids = schema.ids.columns.iter().map(|id| id.column);
        let ids_at = ids.clone().map(field).collect();
        let names = places.iter().map(|&place| wanted[place]).chain(ids).collect();
        let in_fields = columns.iter().take_while(|&&column| column != usize::MAX).count();
        let numbers: Vec<usize> = (0..in_fields).filter(|&at| schema.encoding(places[at]).is_none()).collect();
        let number_columns = numbers.iter().map(|&at| columns[at]).collect();
        let is_feature = |place: &usize| *place < schema.features.len();
        let without = |&at: &usize| Some(places[at]).filter(is_feature).map(|place| schema.missing_value(place));
        let without = numbers.iter().map(without).collect();
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
        Self { fields, columns, names, ids_at, places, runs, numbers, number_columns, without, encoded, constants }
    }

    /// The place of an id among the columns and the ids after them.
    pub(super) fn place_of_id(&self, number: usize) -> usize {
        self.columns.len() + number
    }

    /// The field of a column, or of an id, by its place among them.
    pub(super) fn field_at(&self, at: usize) -> usize {
        self.columns.iter().chain(&self.ids_at).nth(at).copied().unwrap_or(usize::MAX)
    }

    /// Whether some values are not read as plain numbers.
    pub(super) fn is_mixed(&self) -> bool {
        !self.encoded.is_empty() || !self.constants.is_empty()
    }
}
