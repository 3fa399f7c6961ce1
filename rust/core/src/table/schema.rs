//! Column roles (features, targets, weight) and the rules for missing values and wrong rows.

use std::collections::HashMap;

use crate::error::{Error, Kind, Result};
use crate::literal::literal;
use crate::table::missing::Missing;
use crate::table::roles::Ids;
use crate::table::roles::{PerRole, Widths};
use crate::value::ValueEncoding;
use crate::value::number::Forms;

/// What to do with a row whose target or weight is missing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MissingTarget {
    /// Raise an error.
    #[default]
    Raise,
    /// Skip the row.
    Skip,
    /// Keep the row; the missing value becomes NaN.
    Keep,
}

/// What to do with a row that is wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnError {
    /// Raise an error.
    #[default]
    Raise,
    /// Skip the row and record it.
    Skip,
}

impl OnError {
    /// The message of an error. If wrong rows are skipped, an error that still ends the reading explains why.
    #[must_use]
    pub fn message(self, error: &Error) -> String {
        match (&error.kind, self) {
            (Kind::UnclosedQuote, Self::Skip) => {
                format!(
                    "{}. on_error=\"skip\" cannot leave it out: nothing tells where the next row begins",
                    error.kind
                )
            }
            (Kind::RowsInQuotes { .. }, Self::Skip) => {
                format!("{}. on_error=\"skip\" does not leave it out: these rows would be lost with it", error.kind)
            }
            (kind, _) => kind.to_string(),
        }
    }
}

/// The name of a column that has none.
pub(crate) fn positional_name(column: usize) -> String {
    format!("column_{column}")
}

/// A column as the caller names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Column {
    /// By its name.
    Name(String),
    /// By its index from 0, or from the end if negative.
    Index(i64),
}

/// The targets and weights that the caller asks for.
#[derive(Clone, Debug, Default)]
pub struct Targets {
    /// The targets of each output of a model. An output has each column once; several outputs may share one.
    pub outputs: Vec<Vec<Column>>,
    /// Nothing, the weight of all outputs, or one for each: then `None` stands for the weight 1.
    pub weights: Vec<Option<Column>>,
}

impl Targets {
    /// The targets of a model with one output.
    #[must_use]
    pub fn one(targets: &[Column], weight: Option<&Column>) -> Self {
        Self {
            outputs: vec![targets.to_vec()],
            weights: weight.map(|weight| Some(weight.clone())).into_iter().collect(),
        }
    }

    /// The positions of all targets, output by output, and of all weights.
    fn positions(&self, columns: &[String]) -> Result<(Vec<usize>, Vec<usize>)> {
        let outputs = self.outputs.iter().map(|output| positions(columns, output, "target"));
        let outputs = outputs.collect::<Result<Vec<_>>>()?;
        let mut weights = vec![];
        for (output, weight) in self.weights.iter().enumerate() {
            let Some(weight) = weight else { continue };
            let weight = position(columns, weight, "weight")?;
            // The target of one output may be the weight of another.
            let weighed = if self.weights.len() == 1 { &outputs[..] } else { &outputs[output..=output] };
            if weighed.iter().all(Vec::is_empty) {
                return Err(wrong("a weight needs a target to weigh: name one with target="));
            }
            if weighed.iter().flatten().any(|&target| target == weight) {
                return Err(wrong("weight= and target= name the same column: name the target with target="));
            }
            weights.push(weight);
        }
        Ok((outputs.into_iter().flatten().collect(), weights))
    }
}

/// The columns of a table and the values of a row.
#[derive(Clone, Debug)]
pub struct Schema {
    /// The name of each column, in file order.
    pub columns: Vec<String>,
    /// Where the number of columns comes from, for messages.
    pub reference: &'static str,
    /// Positions of the feature columns, in feature order.
    pub features: Vec<usize>,
    /// Positions of the target columns.
    pub targets: Vec<usize>,
    /// Positions of the columns of sample weights: one, or several if outputs of a model have their own.
    pub weights: Vec<usize>,
    /// The encoding of each value of a row (features, targets, weights). `None`, or a position beyond the end, means a
    /// plain number.
    pub encodings: Vec<Option<ValueEncoding>>,
    /// The forms of numbers in columns that are not read.
    pub forms: Forms,
    /// The tokens that mean "no value".
    pub missing: Missing,
    /// What to do with a row without a target or weight.
    pub missing_target: MissingTarget,
    /// What to do with a row that is wrong.
    pub on_error: OnError,
    /// How many wrong rows may be skipped; `None` means any number.
    pub max_rejects: Option<u64>,
    /// What a missing value becomes, for each value of a row (features, targets, weights). Beyond the end: 0 for a
    /// category among the features, NaN for anything else.
    pub fill: Vec<f32>,
    /// Whether each row has one more weight, which is 1. It weighs outputs without a weight of their own, and tells
    /// rows from padding.
    pub unit_weights: bool,
    /// The columns that identify a row.
    pub ids: Ids,
}

impl Widths {
    /// The widths of a schema.
    #[must_use]
    pub fn of(schema: &Schema) -> Self {
        let weights = schema.weights.len() + usize::from(schema.unit_weights);
        Self { features: schema.features.len(), targets: schema.targets.len(), weights }
    }
}

impl Schema {
    /// Resolves the columns that the caller asked for. Without `features`, every column that is neither target nor
    /// weight becomes a feature.
    pub fn resolve(
        columns: Vec<String>,
        reference: &'static str,
        features: Option<&[Column]>,
        wanted: &Targets,
        missing: Missing,
        missing_target: MissingTarget,
    ) -> Result<Self> {
        let (targets, weights) = wanted.positions(&columns)?;
        let features = match features {
            Some([]) => return Err(wrong("features= is empty: name at least one column, or leave it out for all")),
            Some(features) => positions(&columns, features, "features")?,
            None => (0..columns.len()).filter(|at| !targets.contains(at) && !weights.contains(at)).collect(),
        };
        if features.is_empty() {
            let message = "no feature column is left: the file has only target and weight columns (target=None reads \
                           every column as a feature)";
            return Err(wrong(format!("{message}{}", only_column(&columns))));
        }
        Ok(Self {
            columns,
            reference,
            features,
            targets,
            unit_weights: !weights.is_empty() && weights.len() < wanted.weights.len(),
            weights,
            encodings: Vec::new(),
            forms: Forms::default(),
            missing,
            missing_target,
            on_error: OnError::Raise,
            max_rejects: None,
            fill: Vec::new(),
            ids: Ids::default(),
        })
    }

    /// Refuses a feature that is also a target or a weight: a model would only learn to copy it.
    pub fn refuse_targets_as_features(self, wanted: &Targets) -> Result<Self> {
        let is_target = |at: &usize| self.targets.contains(at);
        let shared = self.features.iter().find(|&at| is_target(at) || self.weights.contains(at));
        let Some(at) = shared else { return Ok(self) };
        let role = if is_target(at) { "target" } else { "weight" };
        // Nobody else says so.
        let is_default = matches!(&wanted.outputs[..], [output] if matches!(output[..], [Column::Index(-1)]));
        let by_default = if is_default && role == "target" {
            ", because it is the last column and target= says no other: a file without a target needs target=None. With \
             one,"
        } else {
            ":"
        };
        Err(wrong(format!(
            "features= names column {:?} (index {at}), which is the {role}{by_default} a model would be given what it is \
             to predict. Take it out of features=, or say allow_target_as_feature=True if that is meant, as for an autoencoder",
            self.columns[*at]
        )))
    }

    /// The positions among the features of the columns that the argument `role` names. A column stands for all its
    /// features; a name such as `date.year` or `pixels[7]` stands for the one feature that holds this part of a date or
    /// value of a list.
    pub fn feature_places(&self, wanted: &[Column], role: &str) -> Result<Vec<Vec<usize>>> {
        let mut places_of = vec![vec![]; self.columns.len()];
        for (place, &feature) in self.features.iter().enumerate() {
            places_of[feature].push(place);
        }
        let places = |column: &Column| {
            if let Column::Name(name) = column
                && !self.columns.contains(name)
                && let Some(place) =
                    (0..self.features.len()).find(|&place| self.name_in(self.features[place], place) == *name)
            {
                return Ok(vec![place]);
            }
            let at = position(&self.columns, column, role)?;
            let places = places_of[at].clone();
            if places.is_empty() {
                return Err(wrong(format!(
                    "{role}= names column {:?} (index {at}), which is no feature: name it in features=, or leave it \
                     out of {role}=",
                    self.columns[at]
                )));
            }
            Ok(places)
        };
        let found = wanted.iter().map(places).collect::<Result<Vec<_>>>()?;
        let mut seen = vec![false; self.features.len()];
        for &place in found.iter().flatten() {
            if std::mem::replace(&mut seen[place], true) {
                let at = self.features[place];
                let name = self.name_in(at, place);
                return Err(wrong(format!("{role}= names column {name:?} (index {at}) twice")));
            }
        }
        Ok(found)
    }

    /// The encoding of the value at position `wanted` of a row; `None` for a plain number.
    #[must_use]
    pub fn encoding(&self, wanted: usize) -> Option<&ValueEncoding> {
        self.encodings.get(wanted).and_then(Option::as_ref)
    }

    /// The number of values that a list becomes in each column of lists that is read, by the position of the column.
    #[must_use]
    pub fn list_lengths(&self) -> HashMap<usize, usize> {
        let lists = self.wanted().into_iter().zip(&self.encodings).filter_map(|(column, encoding)| match encoding {
            Some(ValueEncoding::List(list, _)) => Some((column, list.length)),
            Some(ValueEncoding::MultiHot(lists, _)) => Some((column, lists.vocabulary()?.count())),
            _ => None,
        });
        lists.collect()
    }

    /// How many values of a row say whether a list has a category.
    #[must_use]
    pub fn multi_hot_values(&self) -> usize {
        let is_one = |encoding: &&ValueEncoding| matches!(encoding, ValueEncoding::MultiHot(..));
        self.encodings.iter().flatten().filter(is_one).count()
    }

    /// Positions of the columns of each role.
    pub(crate) fn roles(&self) -> PerRole<&[usize]> {
        PerRole { features: &self.features, targets: &self.targets, weights: &self.weights }
    }

    /// The column of each value of a row: features, targets, weights.
    #[must_use]
    pub fn wanted(&self) -> Vec<usize> {
        self.roles().into_iter().flatten().copied().collect()
    }

    /// The names of all values of a row.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.wanted().into_iter().enumerate().map(|(wanted, column)| self.name_in(column, wanted)).collect()
    }

    /// The name of a value of a row that comes from this column: the name of the column, followed by the part if it is
    /// part of a date, by its place if it is in a list, and by the category that a list may have.
    fn name_in(&self, column: usize, wanted: usize) -> String {
        let name = &self.columns[column];
        match self.encoding(wanted) {
            Some(ValueEncoding::Date(_, part)) => format!("{name}.{part}"),
            Some(ValueEncoding::List(_, place)) => format!("{name}[{place}]"),
            Some(ValueEncoding::MultiHot(lists, place)) => match lists.vocabulary() {
                Some(known) => format!("{name}.{}", String::from_utf8_lossy(known.word(*place as u32 + 1))),
                None => name.clone(),
            },
            _ => name.clone(),
        }
    }

    /// Advice for a field of the only column that has the delimiter of several, as the name of the column has.
    pub(crate) fn other_delimiter(&self, word: &[u8]) -> Option<String> {
        let [name] = &self.columns[..] else { return None };
        let (delimiter, count) = delimiter_in(name)?;
        let word = std::str::from_utf8(word).ok()?;
        let shown = literal(&delimiter.to_string());
        (word.split(delimiter).count() == count)
            .then(|| format!("The only column of the file is {name:?}: delimiter={shown} makes {count} columns of it"))
    }

    /// The name of a column in quotes, or its index if the name is not unique.
    pub(crate) fn quoted_name(&self, column: usize) -> String {
        let name = &self.columns[column];
        let is_unique = self.columns.iter().filter(|known| *known == name).count() == 1;
        if is_unique { literal(name) } else { column.to_string() }
    }

    /// What a missing value at position `wanted` of a row becomes.
    pub(crate) fn missing_value(&self, wanted: usize) -> f32 {
        let usual =
            self.encoding(wanted).filter(|_| wanted < self.features.len()).map_or(f32::NAN, ValueEncoding::missing);
        self.fill.get(wanted).copied().unwrap_or(usual)
    }

    /// The position of a column that the argument `role` names.
    pub fn position(&self, column: &Column, role: &str) -> Result<usize> {
        position(&self.columns, column, role)
    }

    /// The same rows without values, for counting.
    #[must_use]
    pub fn for_counting(&self) -> Self {
        let mut schema = self.clone();
        schema.fill.clear();
        schema.unit_weights = false;
        schema.max_rejects = None;
        schema.ids.are_kept = false;
        if schema.on_error == OnError::Skip {
            // Any wrong value rejects its row, so every column must be parsed.
            return schema;
        }
        schema.encodings.drain(..schema.features.len().min(schema.encodings.len()));
        schema.features.clear();
        schema.ids.columns.clear();
        if schema.missing_target != MissingTarget::Skip {
            schema.targets.clear();
            schema.weights.clear();
            schema.encodings.clear();
        }
        schema
    }

    /// Whether a row must be parsed before it is known to count.
    pub(crate) fn may_skip_rows(&self) -> bool {
        self.missing_target == MissingTarget::Skip || self.on_error == OnError::Skip
    }

    /// The same rows with `missing` in place of missing values, to tell them from fields that hold NaN.
    pub(crate) fn for_stats(&self, missing: f32) -> Self {
        let fill = vec![missing; self.features.len() + self.targets.len() + self.weights.len()];
        Self { fill, unit_weights: false, ..self.clone() }
    }

    /// Whether no column is read, so that rows are only counted.
    pub(crate) fn only_counts(&self) -> bool {
        self.features.is_empty() && self.targets.is_empty() && self.weights.is_empty()
    }
}

pub(crate) fn wrong(message: impl Into<String>) -> crate::error::Error {
    Kind::Column(message.into()).into()
}

/// The delimiter that a name of a single column has, and how many columns it makes of it.
fn delimiter_in(name: &str) -> Option<(char, usize)> {
    let count = |delimiter: char| name.split(delimiter).count();
    let likeliest = ['\x01', ',', '|', '\t', ';'].into_iter().max_by_key(|&delimiter| count(delimiter))?;
    Some((likeliest, count(likeliest))).filter(|(_, columns)| *columns > 1)
}

/// Advice for a file that seems to have a single column but may have several.
fn only_column(columns: &[String]) -> String {
    let [name] = columns else { return String::new() };
    match delimiter_in(name) {
        Some((delimiter, count)) => {
            let delimiter = literal(&delimiter.to_string());
            format!(". Its only column is {name:?}: delimiter={delimiter} makes {count} columns of it")
        }
        None => format!(". Its only column is {name:?}: if these are several, delimiter= says what separates them"),
    }
}

/// Up to this many names are searched one by one. More are looked up in a map, which is faster in wide tables.
const FEW: usize = 16;

pub(crate) fn positions(columns: &[String], wanted: &[Column], role: &str) -> Result<Vec<usize>> {
    let mut found = Vec::with_capacity(wanted.len());
    let mut seen = vec![false; columns.len()];
    let mut named = HashMap::new();
    if wanted.len() > FEW {
        for (at, name) in columns.iter().enumerate() {
            named.entry(name).and_modify(|at| *at = None).or_insert(Some(at));
        }
    }
    for column in wanted {
        let known = if let Column::Name(name) = column { named.get(name).copied().flatten() } else { None };
        let at = known.map_or_else(|| position(columns, column, role), Ok)?;
        if std::mem::replace(&mut seen[at], true) {
            return Err(wrong(format!("{role}= names column {:?} (index {at}) twice", columns[at])));
        }
        found.push(at);
    }
    Ok(found)
}

/// How an error calls the argument `role`, which may also be a method: `target=` or `where()`.
#[must_use]
pub fn argument(role: &str) -> String {
    if role.ends_with(')') { role.to_owned() } else { format!("{role}=") }
}

fn position(columns: &[String], wanted: &Column, role: &str) -> Result<usize> {
    let argument = argument(role);
    match wanted {
        Column::Index(index) => {
            let count = columns.len() as i64;
            let at = if *index < 0 { index + count } else { *index };
            if (0..count).contains(&at) {
                Ok(at as usize)
            } else {
                Err(wrong(format!("{argument} asks for column {index}, but the file has {count} columns")))
            }
        }
        Column::Name(name) => {
            let mut found = (0..columns.len()).filter(|&at| columns[at] == *name);
            match (found.next(), found.next()) {
                (Some(at), None) => Ok(at),
                (Some(first), Some(second)) => Err(wrong(format!(
                    "{argument} asks for column {name:?}, which the header names at index {first} and again at {second}: \
                     use the index"
                ))),
                (None, _) => {
                    const SHOWN: usize = 20;
                    let mut known = columns.iter().take(SHOWN).map(|c| format!("{c:?}")).collect::<Vec<_>>().join(", ");
                    if columns.len() > SHOWN {
                        known.push_str(", …");
                    }
                    Err(wrong(format!(
                        "{argument} asks for column {name:?}, but the columns are {known}{}",
                        only_column(columns)
                    )))
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(features: Option<&[Column]>, targets: &[Column], weight: Option<&Column>) -> Result<Schema> {
        let columns = ["a", "b", "c", "b"].map(String::from).to_vec();
        let missing = Missing::default();
        Schema::resolve(columns, "header", features, &Targets::one(targets, weight), missing, MissingTarget::Raise)
    }

    fn name(name: &str) -> Column {
        Column::Name(name.into())
    }

    #[test]
    fn features_default_to_the_other_columns_in_file_order() {
        let schema = resolve(None, &[Column::Index(-2)], Some(&name("a"))).unwrap();
        assert_eq!((schema.features, schema.targets, schema.weights), (vec![1, 3], vec![2], vec![0]));
    }

    #[test]
    fn outputs_may_share_columns_and_have_weights_of_their_own() {
        let columns = |places: &[i64]| places.iter().copied().map(Column::Index).collect::<Vec<_>>();
        let found = |outputs: &[&[i64]], weights: &[Option<i64>]| {
            let weights = weights.iter().map(|weight| weight.map(Column::Index)).collect();
            let targets = Targets { outputs: outputs.iter().map(|output| columns(output)).collect(), weights };
            let names = ["a", "b", "c", "d"].map(String::from).to_vec();
            let schema = Schema::resolve(names, "header", None, &targets, Missing::default(), MissingTarget::Raise);
            let schema = schema.map_err(|error| error.kind.to_string())?;
            Ok::<_, String>((schema.features, schema.targets, schema.weights, schema.unit_weights))
        };
        assert_eq!(found(&[&[1], &[0, 1]], &[Some(2)]), Ok((vec![3], vec![1, 0, 1], vec![2], false)));
        assert_eq!(found(&[&[1], &[2]], &[None, Some(1)]), Ok((vec![0, 3], vec![1, 2], vec![1], true)));
        assert_eq!(found(&[&[1], &[2]], &[Some(2), Some(-4)]), Ok((vec![3], vec![1, 2], vec![2, 0], false)));
        assert!(found(&[&[1], &[2]], &[Some(1), None]).unwrap_err().contains("the same column"));
        assert!(found(&[&[1], &[2]], &[Some(2)]).unwrap_err().contains("the same column"));
        assert!(found(&[&[1], &[2, 2]], &[]).unwrap_err().contains("twice"));
    }

    #[test]
    fn wrong_columns_are_refused_with_a_reason() {
        let message = |result: Result<Schema>| result.unwrap_err().kind.to_string();
        assert!(message(resolve(None, &[name("z")], None)).contains("the columns are \"a\", \"b\", \"c\""));
        assert!(message(resolve(None, &[name("b")], None)).contains("index 1 and again at 3"));
        assert!(message(resolve(None, &[Column::Index(4)], None)).contains("has 4 columns"));
        assert!(message(resolve(None, &[Column::Index(0), name("a")], None)).contains("twice"));
        assert!(message(resolve(Some(&[]), &[name("a")], None)).contains("features= is empty"));
        assert!(message(resolve(None, &[name("a")], Some(&name("a")))).contains("the same column"));
        assert!(message(resolve(None, &[], Some(&name("a")))).contains("needs a target"));
    }

    #[test]
    fn a_feature_that_is_a_target_or_the_weight_is_refused() {
        let columns = |indices: &[i64]| indices.iter().copied().map(Column::Index).collect::<Vec<_>>();
        let refused = |features: &[i64]| {
            let schema = resolve(Some(&columns(features)), &columns(&[0, -1]), Some(&Column::Index(2))).unwrap();
            let targets = Targets::one(&columns(&[0, -1]), Some(&Column::Index(2)));
            schema.refuse_targets_as_features(&targets).err().map(|error| error.kind.to_string())
        };
        assert_eq!(refused(&[1]), None);
        assert!(refused(&[1, -4]).unwrap().contains("column \"a\" (index 0), which is the target"));
        assert!(refused(&[1, 3]).unwrap().contains("column \"b\" (index 3), which is the target"));
        assert!(refused(&[1, 2]).unwrap().contains("column \"c\" (index 2), which is the weight"));
    }

    #[test]
    fn features_are_found_by_name_or_index() {
        let schema = resolve(Some(&[Column::Index(3), name("a")]), &[name("c")], None).unwrap();
        let places = |wanted: &[Column]| schema.feature_places(wanted, "fill");
        assert_eq!(places(&[name("a"), Column::Index(-1)]).unwrap(), [[1], [0]]);
        let message = |wanted: &[Column]| places(wanted).unwrap_err().kind.to_string();
        assert!(message(&[name("c")]).contains("fill= names column \"c\" (index 2), which is no feature"));
        assert!(message(&[name("z")]).contains("fill= asks for column \"z\""));
        assert!(message(&[Column::Index(0), name("a")]).contains("twice"));
    }
}
