//! The question to ask if a file can be read in several ways.

use std::fmt;

use crate::dialect::Dialect;
use crate::literal::literal;
use crate::value::number::Notation;

/// How many columns, rows and characters of a field are shown.
const COLUMNS: usize = 5;
const ROWS: usize = 2;
const CHARACTERS: usize = 24;

/// A way of reading a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// The dialect.
    pub dialect: Dialect,
    /// Whether the first row names the columns.
    pub is_named: bool,
    /// Whether each row ends with a delimiter that does not start another column.
    pub ends_empty: bool,
    /// How much it looks like a table, from 0 to 1.
    pub score: f64,
    /// The names of its columns, if it has any.
    pub names: Option<Vec<String>>,
    /// The first rows.
    pub rows: Vec<Vec<String>>,
}

/// Several plausible ways of reading a file, likeliest first.
#[derive(Clone, Debug, PartialEq)]
pub struct Undecided {
    /// The choices.
    pub choices: Vec<Choice>,
}

impl std::error::Error for Undecided {}

impl Choice {
    /// The arguments that select this choice: those that differ from another choice or from the defaults.
    fn arguments(&self, others: &[Choice]) -> String {
        let usual = Dialect::default();
        let one = |byte: Option<u8>| byte.map_or("None".to_owned(), |byte| literal(&char::from(byte).to_string()));
        let flag = |is_set: bool| if is_set { "True" } else { "False" }.to_owned();
        let written = |dialect: &Dialect| {
            [
                ("delimiter", one(Some(dialect.delimiter))),
                ("quote", one(dialect.quote)),
                ("escape", one(dialect.escape)),
                ("comment", one(dialect.comment)),
                ("decimal", one(Some(dialect.decimal))),
                ("thousands", one(dialect.thousands)),
                ("skip_rows", dialect.skip_rows.to_string()),
                ("skip_initial_space", flag(dialect.skip_initial_space)),
                ("skip_final_space", flag(dialect.skip_final_space)),
            ]
        };
        let differs = |at: usize, value: &str| {
            value != written(&usual)[at].1 || others.iter().any(|other| written(&other.dialect)[at].1 != value)
        };
        let own = written(&self.dialect).into_iter().enumerate();
        let mut arguments: Vec<_> = own
            .filter(|(at, (_, value))| differs(*at, value))
            .map(|(_, (name, value))| format!("{name}={value}"))
            .collect();
        if others.iter().any(|other| other.is_named != self.is_named) {
            arguments.push(format!("header={}", flag(self.is_named)));
        }
        if arguments.is_empty() {
            arguments.push(format!("delimiter={}", one(Some(self.dialect.delimiter))));
        }
        arguments.join(", ")
    }

    fn describe(&self) -> String {
        let width = self.rows.first().or(self.names.as_ref()).map_or(0, Vec::len);
        let names = self.names.as_ref().map(|names| format!(" {}", list(names, &|name| literal(&short(name)))));
        let mut text = format!("{width} column{}", if width == 1 { "" } else { "s" });
        text += &names.unwrap_or_default();
        for (at, row) in self.rows.iter().take(ROWS).enumerate() {
            text += if at == 0 { "; first rows " } else { " and " };
            text += &list(row, &|field| self.value(field));
        }
        text
    }

    /// A field as it would be read.
    fn value(&self, field: &str) -> String {
        let number = Notation::of(self.dialect).parse(field.trim().as_bytes());
        number.map_or_else(|| literal(&short(field)), |number| number.to_string())
    }
}

fn list(fields: &[String], shown: &dyn Fn(&str) -> String) -> String {
    let mut texts: Vec<_> = fields.iter().take(COLUMNS).map(|field| shown(field)).collect();
    if fields.len() > COLUMNS {
        texts.push("…".to_owned());
    }
    format!("[{}]", texts.join(", "))
}

fn short(text: &str) -> String {
    let shown: String = text.chars().take(CHARACTERS).collect();
    if shown.len() < text.len() { shown + "…" } else { shown }
}

impl fmt::Display for Undecided {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.choices.len() == 1 {
            write!(formatter, "it is not clear how the file is written. The likeliest way, which does not fit well:")?;
        } else {
            write!(formatter, "the file can be read in {} ways, with different values:", self.choices.len())?;
        }
        for choice in &self.choices {
            let others: Vec<_> = self.choices.iter().filter(|other| *other != choice).cloned().collect();
            write!(formatter, "\n  {} reads {}", choice.arguments(&others), choice.describe())?;
        }
        write!(formatter, "\nSay which it is with these arguments")?;
        if self.choices.len() == 1 { write!(formatter, ", or others") } else { Ok(()) }
    }
}
