//! Columns that do not hold plain numbers, as the caller describes them.

use std::collections::HashMap;
use std::sync::Arc;

use super::ids::IdKind;
use super::schema::{Column, Schema, positions, wrong};
use crate::dialect::{self, Dialect, Encoding};
use crate::error::Result;
use crate::table::missing::Missing;
use crate::table::missing::{self, Value};
use crate::table::schema::positional_name;
use crate::value::number::Forms;
use crate::value::{Categories, Date, Duration, List, MOST_CODES, MultiHot, Part, ValueEncoding, Vocabulary};

/// Vocabularies by the position of their column.
pub type Vocabularies = HashMap<usize, Arc<Vocabulary>>;

/// The columns that are not read as plain numbers.
#[derive(Clone, Debug, Default)]
pub struct Columns {
    /// Columns of categories.
    pub categories: Vec<(Column, GivenCategories)>,
    /// Columns of booleans.
    pub booleans: Vec<Column>,
    /// Columns of dates.
    pub dates: Vec<(Column, GivenDate)>,
    /// Columns of durations.
    pub durations: Vec<(Column, GivenDuration)>,
    /// Columns of numbers in other notations than the usual one.
    pub numbers: GivenNumbers,
    /// Columns of lists.
    pub lists: Vec<(Column, GivenList)>,
    /// Columns that identify a row. [`Schema::with_ids`] adds them.
    pub ids: Vec<(Column, IdKind)>,
}

/// The names of the forms in which numbers are written.
#[derive(Clone, Debug)]
pub enum GivenNumbers {
    /// The forms of every column that is read as numbers.
    All(Vec<String>),
    /// The forms of single columns.
    Some(Vec<(Column, Vec<String>)>),
}

impl Default for GivenNumbers {
    fn default() -> Self {
        Self::Some(Vec::new())
    }
}

impl GivenNumbers {
    /// The columns with forms of their own.
    fn named(&self) -> &[(Column, Vec<String>)] {
        match self {
            Self::All(_) => &[],
            Self::Some(columns) => columns,
        }
    }

    /// The forms of all other columns.
    fn usual(&self) -> Result<Forms> {
        match self {
            Self::All(names) => forms_of(names),
            Self::Some(_) => Ok(Forms::default()),
        }
    }
}

/// The categories of a column.
#[derive(Clone, Debug)]
pub enum GivenCategories {
    /// The values that the file holds.
    Auto,
    /// The values of this list.
    Listed(Vec<String>),
    /// This number of hash buckets.
    Buckets(u64),
}

/// The dates of a column.
#[derive(Clone, Debug)]
pub struct GivenDate {
    /// The names of the parts to read, such as the year.
    pub parts: Vec<String>,
    /// The format of the dates; `None` is ISO 8601.
    pub format: Option<String>,
    /// The moment from which dates are counted.
    pub since: Option<String>,
}

/// The durations of a column.
#[derive(Clone, Debug)]
pub struct GivenDuration {
    /// The unit of the values.
    pub unit: String,
    /// The meaning of durations that have two numbers.
    pub format: Option<String>,
}

/// The lists of a column.
#[derive(Clone, Debug)]
pub enum GivenList {
    /// Of numbers.
    Numbers(List),
    /// Of categories, which are not hashed, with this separator.
    Categories(GivenCategories, u8),
}

impl Columns {
    /// Every column given, with the argument that names it.
    pub fn named(&self) -> impl Iterator<Item = (&'static str, &Column)> {
        let categories = self.categories.iter().map(|(column, _)| ("categories", column));
        let booleans = self.booleans.iter().map(|column| ("booleans", column));
        let dates = self.dates.iter().map(|(column, _)| ("dates", column));
        let numbers = self.numbers.named().iter().map(|(column, _)| ("numbers", column));
        let durations = self.durations.iter().map(|(column, _)| ("dates", column));
        let lists = self.lists.iter().map(|(column, _)| ("lists", column));
        let ids = self.ids.iter().map(|(column, _)| ("ids", column));
        categories.chain(booleans).chain(dates).chain(durations).chain(numbers).chain(lists).chain(ids)
    }

    /// Refuses the first row as header if its only text is in columns that are given by index and do not hold numbers, or
    /// that are not `read`: such a row may be data. `read` are the columns that are read if all are given by index.
    pub fn check_header(
        &self,
        names: &[String],
        read: Option<&[i64]>,
        dialect: Dialect,
        missing: &Missing,
    ) -> Result<()> {
        let columns = self.named().map(|(_, column)| column);
        let count = names.len() as i64;
        let from_first = |at: i64| if at < 0 { at + count } else { at };
        let coded: Vec<i64> = columns
            .filter_map(|column| match column {
                Column::Index(at) => Some(from_first(*at)),
                Column::Name(_) => None,
            })
            .collect();
        let is_read = |at: i64| read.is_none_or(|read| read.iter().any(|&other| from_first(other) == at));
        let mut others = names.iter().enumerate().filter(|(at, _)| {
            let at = *at as i64;
            !coded.contains(&at) && is_read(at)
        });
        let usual = self.numbers.usual()?;
        let is_usual = usual == Forms::default();
        let is_text = |at: usize, name: &String| {
            *name != positional_name(at)
                && (is_usual || usual.parse(name.as_bytes(), Dialect { encoding: Encoding::Utf8, ..dialect }).is_none())
                && missing::value(name.as_bytes(), Dialect { quote: None, escape: None, ..dialect }, missing)
                    == Value::Other
        };
        if (coded.is_empty() && is_usual && read.is_none()) || others.any(|(at, name)| is_text(at, name)) {
            return Ok(());
        }
        Err(wrong(format!(
            "header=\"auto\" cannot tell whether the first row, which begins with {:?}, names the columns or is data: say \
             header=True or header=False",
            names[0]
        )))
    }
}

/// How a column is read: as one value, or as several if it holds dates or lists.
type Encodings = Vec<ValueEncoding>;

impl Schema {
    /// Adds the columns that do not hold plain numbers. A date column becomes one feature for each part asked for, and a
    /// column of lists one value for each of theirs.
    pub fn with_columns(mut self, given: Columns) -> Result<Self> {
        let Columns { categories, booleans, dates, durations, numbers, lists, ids: _ } = given;
        let mut encodings: HashMap<usize, (&str, Encodings)> = HashMap::new();
        let mut add = |schema: &Self, at: usize, role: &'static str, encoding: Encodings| match encodings
            .insert(at, (role, encoding))
        {
            None => Ok(()),
            Some((other, _)) => {
                let name = &schema.columns[at];
                Err(wrong(format!(
                    "{other}= and {role}= both name column {name:?} (index {at}): it is one or the other"
                )))
            }
        };
        let (columns, kinds): (Vec<_>, Vec<_>) = categories.into_iter().unzip();
        for (at, given) in positions(&self.columns, &columns, "categories")?.into_iter().zip(kinds) {
            let categories = categories_of(given, &self.missing, "categories", &self.columns[at])?;
            add(&self, at, "categories", vec![ValueEncoding::Category(categories)])?;
        }
        for at in positions(&self.columns, &booleans, "booleans")? {
            add(&self, at, "booleans", vec![ValueEncoding::Boolean])?;
        }
        let (columns, kinds): (Vec<_>, Vec<_>) = dates.into_iter().unzip();
        for (at, given) in positions(&self.columns, &columns, "dates")?.into_iter().zip(kinds) {
            let date =
                date_of(&given).map_err(|what| wrong(format!("dates= of column {:?}: {what}", self.columns[at])))?;
            add(&self, at, "dates", date)?;
        }
        let (columns, kinds): (Vec<_>, Vec<_>) = durations.into_iter().unzip();
        for (at, GivenDuration { unit, format }) in positions(&self.columns, &columns, "dates")?.into_iter().zip(kinds)
        {
            let duration = Duration::new(&unit, format.as_deref())
                .map_err(|what| wrong(format!("dates= of column {:?}: {what}", self.columns[at])))?;
            add(&self, at, "dates", vec![ValueEncoding::Duration(duration)])?;
        }
        let (columns, names): (Vec<_>, Vec<_>) = numbers.named().iter().cloned().unzip();
        for (at, names) in positions(&self.columns, &columns, "numbers")?.into_iter().zip(names) {
            add(&self, at, "numbers", vec![ValueEncoding::Number(forms_of(&names)?)])?;
        }
        let (columns, lists): (Vec<_>, Vec<_>) = lists.into_iter().unzip();
        for (at, list) in positions(&self.columns, &columns, "lists")?.into_iter().zip(lists) {
            let values = match list {
                GivenList::Numbers(list) => (0..list.length).map(|place| ValueEncoding::List(list, place)).collect(),
                GivenList::Categories(given, separator) => {
                    let categories = categories_of(given, &self.missing, "lists", &self.columns[at])?;
                    multi_hot(MultiHot { categories, separator })
                }
            };
            add(&self, at, "lists", values)?;
        }
        let usual = numbers.usual()?;
        self.forms = usual;
        if usual != Forms::default() {
            for at in self.wanted() {
                encodings.entry(at).or_insert_with(|| ("numbers", vec![ValueEncoding::Number(usual)]));
            }
        }
        if encodings.is_empty() {
            return Ok(self);
        }
        self.check(&encodings)?;
        let mut wanted = vec![];
        let expand = |at: usize, wanted: &mut Vec<Option<ValueEncoding>>| {
            let encodings = encodings
                .get(&at)
                .map_or_else(|| vec![None], |(_, encodings)| encodings.iter().cloned().map(Some).collect());
            let count = encodings.len();
            wanted.extend(encodings);
            std::iter::repeat_n(at, count)
        };
        self.features = self.features.iter().flat_map(|&at| expand(at, &mut wanted)).collect();
        let features = wanted.len();
        self.targets = self.targets.iter().flat_map(|&at| expand(at, &mut wanted)).collect();
        for &at in &self.weights {
            let _ = expand(at, &mut wanted);
        }
        let targets = wanted.split_off(features);
        wanted.extend(targets.into_iter().map(|encoding| encoding.map(ValueEncoding::of_target)));
        self.encodings = wanted;
        self.check_names()?;
        Ok(self)
    }

    /// Refuses a feature that is made of a column and has the name of another column.
    fn check_names(&self) -> Result<()> {
        for (place, (column, name)) in self.features.iter().zip(self.names()).enumerate() {
            if self.encoding(place).is_some() && name != self.columns[*column] && self.columns.contains(&name) {
                let role =
                    if matches!(self.encoding(place), Some(ValueEncoding::Date(..))) { "dates" } else { "lists" };
                return Err(wrong(format!(
                    "{role}= makes a feature {name:?}, which is the name of a column: rename that"
                )));
            }
        }
        Ok(())
    }

    /// Checks that each of these columns is read, in a role that suits it.
    fn check(&self, encodings: &HashMap<usize, (&str, Encodings)>) -> Result<()> {
        let mut known: Vec<_> = encodings.iter().collect();
        known.sort_by_key(|(at, _)| **at);
        for (&at, (role, encodings)) in known {
            let name = &self.columns[at];
            let is_target = self.targets.contains(&at);
            if !is_target && !self.weights.contains(&at) && !self.features.contains(&at) {
                return Err(wrong(format!(
                    "{role}= names column {name:?} (index {at}), which is not read: name it in features= or target=, or \
                     leave it out of {role}="
                )));
            }
            if self.weights.contains(&at) && !matches!(*role, "booleans" | "numbers") {
                return Err(wrong(format!("{role}= names column {name:?} (index {at}), which is the weight")));
            }
            if is_target && *role == "dates" && encodings.len() > 1 {
                return Err(wrong(format!(
                    "dates= asks for {} parts of column {name:?} (index {at}), which is a target: a target has one",
                    encodings.len()
                )));
            }
        }
        Ok(())
    }

    /// The columns whose categories must still be found in the file.
    #[must_use]
    pub fn unread(&self) -> Vec<usize> {
        let is_unread = |encoding: &Option<ValueEncoding>| {
            matches!(encoding.as_ref().and_then(ValueEncoding::categories), Some(Categories::Unread))
        };
        let unread = self.wanted().into_iter().zip(&self.encodings).filter(|(_, encoding)| is_unread(encoding));
        let mut unread: Vec<_> = unread.map(|(at, _)| at).collect();
        unread.sort_unstable();
        unread.dedup();
        unread
    }

    /// Fills in the vocabularies found for those columns.
    #[must_use]
    pub fn with_vocabularies(mut self, found: &Vocabularies) -> Self {
        for (at, encoding) in self.wanted().into_iter().zip(&mut self.encodings) {
            if let (
                Some(
                    ValueEncoding::Category(categories @ Categories::Unread)
                    | ValueEncoding::Class(categories @ Categories::Unread),
                ),
                Some(found),
            ) = (encoding, found.get(&at))
            {
                *categories = Categories::Found(Arc::clone(found));
            }
        }
        self
    }

    /// The separator of each column of lists of categories, by its position.
    #[must_use]
    pub fn separators(&self) -> HashMap<usize, u8> {
        let lists = self.wanted().into_iter().zip(&self.encodings).filter_map(|(at, encoding)| match encoding {
            Some(ValueEncoding::MultiHot(lists, _)) => Some((at, lists.separator)),
            _ => None,
        });
        lists.collect()
    }

    /// Whether lists have categories that must still be found in the file, so that the values of a row are not known.
    #[must_use]
    pub fn has_unread_lists(&self) -> bool {
        self.encodings.iter().flatten().any(ValueEncoding::is_unread_list)
    }

    /// Fills in the vocabularies found for the categories of lists. Each category becomes a value of the row.
    pub fn with_lists(mut self, found: &Vocabularies) -> Result<Self> {
        let ends = [self.features.len(), self.features.len() + self.targets.len()];
        let wanted = self.wanted();
        let encodings = std::mem::take(&mut self.encodings);
        self.features.clear();
        self.targets.clear();
        for (place, column) in wanted.into_iter().enumerate() {
            let encoding = encodings.get(place).cloned().flatten();
            let values = match (encoding, found.get(&column)) {
                (Some(ValueEncoding::MultiHot(lists, _)), Some(vocabulary)) if lists.vocabulary().is_none() => {
                    if vocabulary.count() == 0 {
                        return Err(wrong(format!(
                            "lists= finds no category in column {:?} (index {column}): leave it out with features=",
                            self.columns[column]
                        )));
                    }
                    let categories = Categories::Found(Arc::clone(vocabulary));
                    multi_hot(MultiHot { categories, separator: lists.separator }).into_iter().map(Some).collect()
                }
                (encoding, _) => vec![encoding],
            };
            let columns = std::iter::repeat_n(column, values.len());
            match place {
                _ if place < ends[0] => self.features.extend(columns),
                _ if place < ends[1] => self.targets.extend(columns),
                _ => {}
            }
            self.encodings.extend(values);
        }
        self.check_names()?;
        Ok(self)
    }

    /// Each column that has a vocabulary, in the order of a row's values.
    #[must_use]
    pub fn vocabularies(&self) -> Vec<(usize, Arc<Vocabulary>)> {
        let mut found: Vec<(usize, Arc<Vocabulary>)> = vec![];
        for (at, encoding) in self.wanted().into_iter().zip(&self.encodings) {
            if let Some(Categories::Listed(vocabulary) | Categories::Found(vocabulary)) =
                encoding.as_ref().and_then(ValueEncoding::categories)
                && !found.iter().any(|(known, _)| *known == at)
            {
                found.push((at, Arc::clone(vocabulary)));
            }
        }
        found
    }
}

/// The values of lists of these categories.
fn multi_hot(lists: MultiHot) -> Encodings {
    let count = lists.vocabulary().map_or(1, |known| known.count());
    let lists = Arc::new(lists);
    (0..count).map(|place| ValueEncoding::MultiHot(Arc::clone(&lists), place)).collect()
}

fn categories_of(given: GivenCategories, missing: &Missing, role: &str, name: &str) -> Result<Categories> {
    let refuse = |what: String| Err(wrong(format!("{role}= of column {name:?}: {what}")));
    let most = u64::from(MOST_CODES);
    match given {
        GivenCategories::Auto => Ok(Categories::Unread),
        GivenCategories::Buckets(buckets) if (1..=most).contains(&buckets) => Ok(Categories::Hashed(buckets as u32)),
        GivenCategories::Buckets(buckets) => refuse(format!(
            "{buckets} hash buckets, where there may be 1 to {most}: float32 does not tell larger codes apart"
        )),
        GivenCategories::Listed(words) if words.is_empty() => refuse("the list is empty".to_owned()),
        GivenCategories::Listed(words) if words.len() as u64 > most => {
            refuse(format!("{} categories, where there may be {most}", words.len()))
        }
        GivenCategories::Listed(words) => {
            let mut vocabulary = Vocabulary::default();
            for word in &words {
                // The word as a field would hold it.
                let bare = dialect::unquote(word.as_bytes(), Dialect::new(b',', None));
                if bare.is_empty() {
                    return refuse("the list holds an empty text, which always means no value".to_owned());
                }
                if missing.contains_word(word.trim_matches([' ', '\t'])) {
                    return refuse(format!(
                        "the list holds {word:?}, which missing= reads as no value: take it out of one of them"
                    ));
                }
                if !vocabulary.add(&bare) {
                    return refuse(format!("the list holds {word:?} twice"));
                }
            }
            Ok(Categories::Listed(Arc::new(vocabulary.spread())))
        }
    }
}

fn forms_of(names: &[String]) -> Result<Forms> {
    Forms::named(names).map_err(|name| {
        let known: Vec<_> = Forms::NAMES.iter().map(|name| format!("{name:?}")).collect();
        wrong(format!("numbers= says {name:?}: there are {}", known.join(", ")))
    })
}

fn date_of(given: &GivenDate) -> std::result::Result<Encodings, String> {
    let mut parts = Vec::with_capacity(given.parts.len());
    for name in &given.parts {
        let Some(part) = Part::named(name) else {
            let known: Vec<_> = Part::ALL.iter().map(|(known, _)| format!("{known:?}")).collect();
            return Err(format!("no part {name:?}: there are {}", known.join(", ")));
        };
        if parts.contains(&part) {
            return Err(format!("the part {name:?} twice"));
        }
        parts.push(part);
    }
    if parts.is_empty() {
        return Err("no part of it is named".to_owned());
    }
    let date = Arc::new(Date::new(given.format.as_deref(), given.since.as_deref(), &parts)?);
    Ok(parts.into_iter().map(|part| ValueEncoding::Date(Arc::clone(&date), part)).collect())
}
