//! The columns of a table of several parts, and where each part has them.

use std::collections::HashMap;
use std::sync::Arc;

use csvfeed_core::error::{Error, Kind};
use csvfeed_core::literal::literal;
use csvfeed_core::table::columns::Columns;
use csvfeed_core::table::missing::Missing;
use csvfeed_core::table::parts::{Layout, PartColumns, Place};
use csvfeed_core::table::schema::{Column, MissingTarget, Schema, Targets, argument};

use super::headers::{Failed, Headers, PartHeader};
use super::part::Part;
use crate::options::{Keys, Rule};

/// Most columns that an error names when parts differ.
const NAMED: usize = 5;

/// Where the last columns of a table come from.
#[derive(Clone, Copy)]
pub(crate) enum Ending {
    /// From the first file.
    Own,
    /// From elsewhere, for this reason.
    Added(&'static str),
}

impl Ending {
    /// Refuses a negative index if the last column is not that of the first file.
    pub(crate) fn check(self, column: &Column, role: &str) -> Result<(), Error> {
        match (column, self) {
            (Column::Index(index), Self::Added(why)) if *index < 0 => {
                // As `target=-1`, or `where(): -1`.
                let asked = argument(role).replace(')', "): ");
                Err(Kind::Column(format!("{asked}{index} counts from the last column, and {why}: name the column"))
                    .into())
            }
            _ => Ok(()),
        }
    }
}

/// The columns to read.
pub(crate) struct Wanted {
    pub features: Option<Vec<Column>>,
    pub targets: Targets,
    pub coded: Columns,
    /// Whether a feature may also be a target or the weight.
    pub allow_target_as_feature: bool,
}

/// Why these columns cannot be read.
pub(crate) enum Refused {
    Table(Error),
    Part(Failed),
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self::Table(error)
    }
}

/// The parts of a table, and the columns of all together.
pub(crate) struct Layouts {
    headers: Headers,
    rule: Rule,
    /// The keys of each part, if they become columns.
    keys: Option<Vec<Keys>>,
    /// All columns: first those of the files, then the keys.
    pub(crate) columns: Vec<String>,
    /// How many of the columns come from the files.
    in_files: usize,
    /// How many columns the first part has.
    own: usize,
    /// The part that names the columns.
    pub leader: usize,
}

impl Layouts {
    /// Combines the columns of all parts.
    pub(crate) fn new(headers: Headers, rule: Rule, keys: Option<Vec<Keys>>) -> Result<Self, Failed> {
        let leader = headers.parts.iter().position(|part| part.columns.is_some()).unwrap_or_default();
        let mut columns = headers.head.columns.clone();
        let own = columns.len();
        if rule == Rule::Union && headers.head.is_named {
            for part in &headers.parts {
                extend(&mut columns, part.columns.as_deref().unwrap_or_default());
            }
        }
        let in_files = columns.len();
        let leading = keys.iter().flat_map(|keys| if rule == Rule::Union { &keys[..] } else { &keys[leader..=leader] });
        for (key, _) in leading.flatten() {
            if !columns[in_files..].contains(key) {
                columns.push(key.clone());
            }
        }
        let layouts = Self { headers, rule, keys, columns, in_files, own, leader };
        layouts.check_keys()?;
        Ok(layouts)
    }

    /// Refuses a key with the name of a column: the name would be ambiguous.
    fn check_keys(&self) -> Result<(), Failed> {
        for (at, part) in self.headers.parts.iter().enumerate() {
            let keys = self.keys.as_ref().map_or(&[][..], |keys| &keys[at]);
            let columns = part.columns.as_deref().unwrap_or_default();
            if let Some((key, _)) = keys.iter().find(|(key, _)| columns.contains(key)) {
                return Err(refuse(
                    at,
                    format!(
                        "partitions=True makes a column {key:?} of the directories, and the file has one of that name, \
                         too: partitions=False reads that of the file"
                    ),
                ));
            }
        }
        Ok(())
    }

    /// Where the last columns come from.
    pub(crate) fn ending(&self) -> Ending {
        if self.in_files > self.own {
            Ending::Added("columns=\"union\" adds columns of later files after those of the first")
        } else if self.columns.len() > self.in_files {
            Ending::Added("partitions=True adds columns after those of the files")
        } else {
            Ending::Own
        }
    }

    /// The schema, and the parts with their layouts.
    pub(crate) fn resolve(
        self,
        wanted: Wanted,
        missing: Missing,
        missing_target: MissingTarget,
    ) -> Result<(Schema, Vec<Part>), Refused> {
        let Wanted { features, targets, coded, allow_target_as_feature } = wanted;
        let ending = self.ending();
        targets.outputs.iter().flatten().try_for_each(|column| ending.check(column, "target"))?;
        features.iter().flatten().try_for_each(|column| ending.check(column, "features"))?;
        targets.weights.iter().flatten().try_for_each(|column| ending.check(column, "weight"))?;
        coded.named().try_for_each(|(role, column)| ending.check(column, role))?;
        let schema = Schema::resolve(
            self.columns.clone(),
            self.headers.head.reference,
            features.as_deref(),
            &targets,
            missing,
            missing_target,
        )?;
        let schema = schema.with_ids(&coded.ids, features.is_none())?;
        let schema = if allow_target_as_feature { schema } else { schema.refuse_targets_as_features(&targets)? };
        let schema = schema.with_columns(coded)?;
        let parts = self.into_parts(&schema, features.is_none()).map_err(Refused::Part)?;
        Ok((schema, parts))
    }

    /// The parts with their layouts.
    fn into_parts(self, schema: &Schema, asks_for_all: bool) -> Result<Vec<Part>, Failed> {
        let mut needed = if asks_for_all { (0..self.columns.len()).collect() } else { schema.wanted() };
        needed.extend(schema.ids.columns.iter().map(|id| id.column));
        let mut known: HashMap<(Vec<String>, bool, Keys), Option<Layout>> = HashMap::new();
        let mut layouts = Vec::with_capacity(self.headers.parts.len());
        for (at, part) in self.headers.parts.iter().enumerate() {
            let Some(columns) = &part.columns else {
                layouts.push(None);
                continue;
            };
            let keys = self.keys.as_ref().map_or_else(Keys::new, |keys| keys[at].clone());
            let name = (columns.clone(), part.ends_empty, keys);
            let layout = if let Some(layout) = known.get(&name) {
                layout.clone()
            } else {
                let layout = self.layout(at, columns, &name.2, &needed, asks_for_all)?;
                if part.has_rows {
                    self.check_values(at, layout.as_ref(), schema)?;
                }
                known.insert(name, layout.clone());
                layout
            };
            layouts.push(layout);
        }
        let part = |(PartHeader { part, .. }, layout)| Part { layout, ..part };
        Ok(self.headers.parts.into_iter().zip(layouts).map(part).collect())
    }

    /// Where a part has the columns.
    fn layout(
        &self,
        at: usize,
        columns: &[String],
        keys: &Keys,
        needed: &[usize],
        asks_for_all: bool,
    ) -> Result<Option<Layout>, Failed> {
        let leader = &self.headers.parts[self.leader].part.name;
        if !self.headers.head.is_named && columns.len() != self.own {
            let (found, own) = (columns.len(), self.own);
            return Err(refuse(at, format!("the first row has {found} fields where that of {leader} has {own}")));
        }
        let ends_empty = self.headers.parts[at].ends_empty;
        if columns == &self.columns[..] && keys.is_empty() && !ends_empty {
            return Ok(None);
        }
        let (places, unused) = self.places(columns, keys);
        if self.rule == Rule::Same {
            let mut more: Vec<_> = unused.into_iter().map(|field| columns[field].as_str()).collect();
            let of_keys = &self.columns[self.in_files..];
            more.extend(keys.iter().map(|(key, _)| key.as_str()).filter(|key| !of_keys.iter().any(|of| of == key)));
            let lacks = self.lacking(&places, needed);
            if !lacks.is_empty() || (asks_for_all && !more.is_empty()) {
                return Err(refuse(at, differences(leader, &lacks, &more, asks_for_all)));
            }
        }
        Ok(Some(Arc::new(PartColumns { places, fields: columns.len() + usize::from(ends_empty), ends_empty })))
    }

    /// Where a part with these columns and keys has each column of the table, and which of its fields the table lacks.
    fn places(&self, columns: &[String], keys: &Keys) -> (Vec<Place>, Vec<usize>) {
        let mut fields: HashMap<&str, Vec<usize>> = HashMap::new();
        // The last field first, so that `pop` finds equal names in file order.
        for (field, name) in columns.iter().enumerate().rev() {
            fields.entry(name).or_default().push(field);
        }
        let (in_files, of_keys) = self.columns.split_at(self.in_files);
        let in_files = in_files.iter().map(|name| fields.get_mut(name.as_str()).and_then(Vec::pop).map(Place::Field));
        let mut places: Vec<_> = in_files.map(|place| place.unwrap_or(Place::Absent)).collect();
        places.extend(of_keys.iter().map(|name| {
            let value = keys.iter().find(|(key, _)| key == name).map(|(_, value)| Place::Value(value.clone()));
            value.unwrap_or(Place::Absent)
        }));
        let mut unused: Vec<_> = fields.into_values().flatten().collect();
        unused.sort_unstable();
        (places, unused)
    }

    /// The names of the needed columns that a part lacks.
    fn lacking(&self, places: &[Place], needed: &[usize]) -> Vec<&str> {
        let mut lacks: Vec<_> = needed.iter().copied().filter(|&column| places[column] == Place::Absent).collect();
        lacks.sort_unstable();
        lacks.dedup();
        lacks.into_iter().map(|column| self.columns[column].as_str()).collect()
    }

    /// Refuses values of directories that cannot be read as their column, and parts without a target.
    fn check_values(&self, at: usize, layout: Option<&Layout>, schema: &Schema) -> Result<(), Failed> {
        let Some(layout) = layout else { return Ok(()) };
        for (wanted, column) in schema.wanted().into_iter().enumerate() {
            let place = &layout.places[column];
            if matches!(place, Place::Field(_)) {
                continue;
            }
            let Err(kind) = schema.constant(place, wanted) else { continue };
            let name = &self.columns[column];
            let (kind, text) = match (kind, place) {
                (Kind::MissingTarget(what), Place::Absent) => {
                    let message = format!(
                        "it has no column {name:?}, which is the {what}: missing_target=\"skip\" leaves its rows out, \
                         \"keep\" reads it as NaN"
                    );
                    (Kind::Parts(message), None)
                }
                (kind, Place::Value(value)) => (kind, Some(value.clone())),
                (kind, _) => (kind, None),
            };
            let error = Error { kind, offset: None, column: Some(column), text };
            return Err(Failed { part: at, error: Box::new(error), line: None });
        }
        self.check_ids(at, layout, schema)
    }

    /// Refuses parts that have no integer where an id should be one.
    fn check_ids(&self, at: usize, layout: &Layout, schema: &Schema) -> Result<(), Failed> {
        for &id in &schema.ids.columns {
            let name = &self.columns[id.column];
            let (text, found) = match &layout.places[id.column] {
                Place::Field(_) => continue,
                Place::Value(value) => (Some(value.clone()), schema.check_id(id, value.as_bytes())),
                Place::Absent => (None, schema.check_id(id, b"")),
            };
            let Err(kind) = found else { continue };
            let kind = match text {
                Some(_) => kind,
                None => Kind::Parts(format!(
                    "it has no column {name:?}, whose integers are ids: ids={{{}: str}} reads an empty text there",
                    literal(name)
                )),
            };
            let error = Error { kind, offset: None, column: Some(id.column), text };
            return Err(Failed { part: at, error: Box::new(error), line: None });
        }
        Ok(())
    }
}

/// Adds the columns that `columns` lacks. If a part has a name twice, the result has it twice.
fn extend(columns: &mut Vec<String>, more: &[String]) {
    if more.iter().eq(columns.iter()) {
        return;
    }
    let mut known: HashMap<String, usize> = HashMap::new();
    for name in &*columns {
        *known.entry(name.clone()).or_default() += 1;
    }
    for name in more {
        match known.get_mut(name).filter(|count| **count > 0) {
            Some(count) => *count -= 1,
            None => columns.push(name.clone()),
        }
    }
}

fn refuse(part: usize, message: String) -> Failed {
    let error = Error { offset: Some(0), ..Kind::Parts(message).into() };
    Failed { part, error: Box::new(error), line: Some(1) }
}

fn differences(leader: &str, lacks: &[&str], more: &[&str], asks_for_all: bool) -> String {
    const UNION: &str = "columns=\"union\" reads the columns of all files, with no value where a file lacks one";
    if !asks_for_all {
        return format!("it lacks {}, which {leader} has and which is asked for: {UNION}", list(lacks));
    }
    let differences = [("it lacks ", lacks), ("it has also ", more)];
    let differences = differences.iter().filter(|(_, names)| !names.is_empty());
    let differences: Vec<_> = differences.map(|(what, names)| format!("{what}{}", list(names))).collect();
    format!(
        "the columns are not those of {leader}: {}. {UNION}; features=[...] may name the columns that all files have",
        differences.join(", and ")
    )
}

fn list(names: &[&str]) -> String {
    let shown: Vec<_> = names.iter().take(NAMED).map(|name| format!("{name:?}")).collect();
    let more = names.len().saturating_sub(NAMED);
    shown.join(", ") + &if more > 0 { format!(" and {more} more") } else { String::new() }
}
