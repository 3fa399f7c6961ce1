//! Columns that identify a row. Their texts travel beside its values.

pub use super::roles::{Id, IdKind, Ids};
use crate::error::{Kind, Result};
use crate::table::schema::{Column, OnError, Schema, positions, wrong};

/// The integer that the text of an id stands for.
#[must_use]
pub fn integer(text: &[u8]) -> Option<i64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

impl Schema {
    /// Adds the columns that identify a row. If the features are those that nobody named (`are_default`), these columns
    /// are not among them.
    pub fn with_ids(mut self, given: &[(Column, IdKind)], are_default: bool) -> Result<Self> {
        let (names, kinds): (Vec<_>, Vec<_>) = given.iter().cloned().unzip();
        let columns = positions(&self.columns, &names, "ids")?;
        for &at in &columns {
            let role = match at {
                _ if self.targets.contains(&at) => "target",
                _ if self.weights.contains(&at) => "weight",
                _ => continue,
            };
            return Err(wrong(format!(
                "ids= names column {:?} (index {at}), which is the {role}: name another {role}, or say target=None if the \
                 file has none",
                self.columns[at]
            )));
        }
        if are_default {
            self.features.retain(|at| !columns.contains(at));
        }
        if self.features.is_empty() {
            return Err(wrong(
                "no feature column is left: ids=, target= and weight= name every column of the file. features= may name a \
                 column of ids=, too",
            ));
        }
        self.ids.columns = columns.into_iter().zip(kinds).map(|(column, kind)| Id { column, kind }).collect();
        Ok(self)
    }

    /// Whether the fields of ids are read: to keep them, or to leave out the rows where they are wrong.
    pub(crate) fn reads_ids(&self) -> bool {
        !self.ids.columns.is_empty() && (self.ids.are_kept || self.on_error == OnError::Skip)
    }

    /// What is wrong with the text of an id, if anything.
    pub fn check_id(&self, id: Id, text: &[u8]) -> std::result::Result<(), Kind> {
        match id.kind {
            IdKind::Text if std::str::from_utf8(text).is_ok() => Ok(()),
            IdKind::Text => Err(Kind::IdNotUtf8),
            IdKind::Integer if integer(text).is_some() => Ok(()),
            IdKind::Integer => Err(Kind::IntegerId(self.quoted_name(id.column))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::missing::Missing;
    use crate::table::schema::{MissingTarget, Targets};

    fn resolve(features: Option<&[Column]>, target: i64, ids: &[(i64, IdKind)]) -> std::result::Result<Schema, String> {
        let columns = ["a", "b", "c", "d"].map(String::from).to_vec();
        let targets = Targets::one(&[Column::Index(target)], None);
        let schema =
            Schema::resolve(columns, "header", features, &targets, Missing::default(), MissingTarget::Raise).unwrap();
        let ids: Vec<_> = ids.iter().map(|&(at, kind)| (Column::Index(at), kind)).collect();
        schema.with_ids(&ids, features.is_none()).map_err(|error| error.kind.to_string())
    }

    #[test]
    fn an_id_is_a_feature_only_if_it_is_named_as_one() {
        let schema = resolve(None, -1, &[(2, IdKind::Integer), (0, IdKind::Text)]).unwrap();
        assert_eq!(schema.features, [1]);
        let id = |column, kind| Id { column, kind };
        assert_eq!(schema.ids.columns, [id(2, IdKind::Integer), id(0, IdKind::Text)]);
        let named = [Column::Index(0), Column::Index(1)];
        assert_eq!(resolve(Some(&named), -1, &[(0, IdKind::Text)]).unwrap().features, [0, 1]);
    }

    #[test]
    fn wrong_ids_are_refused_with_a_reason() {
        let refused = |ids: &[i64]| {
            let ids: Vec<_> = ids.iter().map(|&at| (at, IdKind::Text)).collect();
            resolve(None, 3, &ids).unwrap_err()
        };
        assert!(refused(&[3]).contains("column \"d\" (index 3), which is the target"));
        assert!(refused(&[0, 0]).contains("twice"));
        assert!(refused(&[4]).contains("ids= asks for column 4"));
        assert!(refused(&[0, 1, 2]).contains("no feature column is left"));
    }

    #[test]
    fn integers_have_64_bits_and_no_fraction() {
        let read = |text: &str| integer(text.as_bytes());
        assert_eq!(read("9223372036854775807"), Some(i64::MAX));
        assert_eq!(read("-9223372036854775808"), Some(i64::MIN));
        assert_eq!((read("+007"), read("16777217")), (Some(7), Some(16_777_217)));
        for wrong in ["", "1.0", "1e3", "9223372036854775808", "NA", "1 2", "-"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
