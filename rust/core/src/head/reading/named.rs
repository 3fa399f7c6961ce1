//! Whether the first row of a reading names the columns.

use std::collections::HashSet;

use super::{Column, First, Reading};
use crate::dialect::unquote;
use crate::head::looks::{Field, Look, look};
use crate::head::sample::Row;
use crate::table::missing::Missing;

/// Whether the first row seems to be a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::head) enum Named {
    Yes,
    No,
    /// Text and a number that may be a name, such as a year.
    Perhaps,
}

impl Reading<'_> {
    /// Whether the first of several rows names the columns.
    pub(super) fn named(&self, missing: &Missing) -> Named {
        if self.first == First::Names {
            return Named::Yes;
        }
        let Some(row) = self.beginning.all.first() else { return Named::No };
        let names: Vec<_> =
            self.beginning.fields(row).map(|field| (field, look(field, self.dialect, missing))).collect();
        let forms: Vec<_> = self.columns.iter().map(Column::form).collect();
        let formed =
            || names.iter().zip(&forms).filter_map(|(&(field, name), form)| form.map(|form| (field, name, form)));
        let numbers: Vec<f64> = formed()
            .filter(|(_, name, _)| name.look == Look::Number)
            .filter_map(|(field, _, _)| self.number(field))
            .collect();
        let is_year = |number: &f64| (1900.0..=2100.0).contains(number) && number.fract() == 0.0;
        let are_years = !numbers.is_empty() && numbers.iter().all(is_year);
        // A dash, for example, is no name.
        let names_something = |byte: &u8| byte.is_ascii_alphanumeric() || b"#%$".contains(byte) || !byte.is_ascii();
        let is_name = |field: &[u8]| field.iter().any(names_something);
        if formed().any(|(field, name, form)| name.look != form && name.look != Look::Missing && is_name(field)) {
            // A value that cannot be read also differs from those below it, but it does not stand beside names.
            let is_value = formed().any(|(_, name, form)| name.look == form);
            return if !is_value || are_years || count_up(&numbers) { Named::Yes } else { Named::Perhaps };
        }
        if names.iter().all(|(_, name)| name.look.is_formed() || name.look == Look::Missing) {
            // pandas names the columns of an array 0, 1, ... and leaves the index without a name.
            let is_array = names[0].1.look == Look::Missing && count_up(&numbers) && numbers[0] == 0.0;
            if is_array && names.len() == numbers.len() + 1 {
                return Named::Yes;
            }
            // A number above texts is a name, or a value that is wrong.
            let is_above_text = |((_, name), column): (&(&[u8], Field), &Column<'_>)| {
                name.look.is_formed()
                    && !column.fields.is_empty()
                    && !column.present().any(|field| field.look.is_formed())
            };
            let is_other = names.iter().zip(&self.columns).any(is_above_text);
            return if is_other || self.are_numbered(&numbers, are_years) { Named::Perhaps } else { Named::No };
        }
        let again = self.come_again(&names);
        if forms.iter().all(Option::is_none) {
            return match again {
                0 => Named::Yes,
                _ if 2 * again <= names.len() || self.first_row_comes_again() => Named::Perhaps,
                _ => Named::No,
            };
        }
        // pandas writes the index first, without a name.
        if numbers.is_empty() && self.counts_rows_without_name() {
            return Named::Yes;
        }
        if count_up(&numbers) && numbers.len() > 2 && (are_years || numbers[0] == 0.0 || numbers.len() > 3) {
            return Named::Yes;
        }
        let texts = forms.iter().filter(|form| form.is_none()).count();
        // No name is a fraction.
        let are_values = numbers.iter().any(|number| number.fract() != 0.0) || 2 * again > texts;
        if are_values && !are_years && self.have_range(&names) { Named::No } else { Named::Perhaps }
    }

    fn number(&self, field: &[u8]) -> Option<f64> {
        std::str::from_utf8(&unquote(field, self.dialect)).ok()?.parse().ok()
    }

    /// Whether the first row, which holds only numbers, may number the columns: it counts up, unless the row below does
    /// so, too; or it holds years or integers, and the columns hold none.
    fn are_numbered(&self, first: &[f64], are_years: bool) -> bool {
        let values =
            |column: &Column<'_>| column.fields.iter().filter_map(|(field, _)| self.number(field)).collect::<Vec<_>>();
        let below: Vec<_> = self.columns.iter().map(values).collect();
        let second: Vec<f64> = below.iter().filter_map(|values| values.first().copied()).collect();
        if first.len() > 2 && count_up(first) && !count_up(&second) {
            return true;
        }
        let differ = |is: &dyn Fn(&f64) -> bool| {
            let has_none = |values: &Vec<f64>| 10 * values.iter().filter(|value| is(value)).count() <= values.len();
            first.iter().all(is) && below.iter().all(has_none)
        };
        let are_distinct = first.iter().map(|number| number.to_bits()).collect::<HashSet<_>>().len() == first.len();
        let is_integer = |number: &f64| number.fract() == 0.0;
        first.len() > 1 && are_distinct && ((are_years && !count_up(&second) && ascend(first)) || differ(&is_integer))
    }

    /// Whether the first column has an empty name and numbers the rows.
    fn counts_rows_without_name(&self) -> bool {
        let Some(first) = self.beginning.fields(&self.beginning.all[0]).next() else { return false };
        // Not those from elsewhere in the file.
        let rows = &self.beginning.all[1..];
        let numbers: Option<Vec<_>> =
            rows.iter().map(|row| self.number(self.beginning.fields(row).next().unwrap_or_default())).collect();
        self.dialect.is_blank(first) && numbers.is_some_and(|numbers| numbers.len() == 1 || count_up(&numbers))
    }

    /// In how many columns of text the first field comes again. Values repeat; names do not.
    fn come_again(&self, first: &[(&[u8], Field)]) -> usize {
        // Words beside numbers stand for missing values.
        let comes_again = |((first, _), column): &(&(&[u8], Field), &Column<'_>)| {
            let first = unquote(first, self.dialect);
            column.is_text() && column.fields.iter().any(|(field, _)| unquote(field, self.dialect) == first)
        };
        first.iter().zip(&self.columns).filter(comes_again).count()
    }

    /// Whether all fields of the first row come again together and only together, as in a file joined from files with a
    /// header each.
    fn first_row_comes_again(&self) -> bool {
        let rows = &self.beginning;
        let first: Vec<_> = rows.fields(&rows.all[0]).collect();
        let alike = |row: &Row| rows.fields(row).zip(&first).filter(|(field, first)| field == *first).count();
        let mut counts = rows.all[1..].iter().map(alike).filter(|&count| count > 0).peekable();
        counts.peek().is_some() && counts.all(|count| count == first.len())
    }

    /// Whether half of the numbers in a first row are like those in the rows below.
    fn have_range(&self, first: &[(&[u8], Field)]) -> bool {
        let (mut all, mut alike) = (0, 0);
        for ((field, _), column) in first.iter().zip(&self.columns).filter(|(_, column)| column.form().is_some()) {
            let Some(one) = self.number(field) else { continue };
            let below: Vec<_> = column.fields.iter().filter_map(|(text, _)| self.number(text)).collect();
            let bounds = |(least, most): (f64, f64), one: &f64| (least.min(*one), most.max(*one));
            let (least, most) = below.iter().fold((f64::MAX, f64::MIN), bounds);
            let is_in_range = (least - (most - least)..=most + (most - least)).contains(&one);
            all += 1;
            alike += usize::from(one.fract() != 0.0 || (is_in_range && below.iter().any(|one| one.fract() == 0.0)));
        }
        2 * alike >= all
    }

    /// Whether a row on its own names the columns.
    pub(super) fn named_alone(&self, missing: &Missing) -> Named {
        let is_value = |look: Look| matches!(look, Look::Missing | Look::Number);
        let row = &self.beginning.all[0];
        let is_data = self.beginning.fields(row).all(|field| is_value(look(field, self.dialect, missing).look));
        if is_data { Named::No } else { Named::Yes }
    }
}

/// Whether numbers count: each is one more than the one before it.
fn count_up(numbers: &[f64]) -> bool {
    numbers.len() > 1 && numbers.windows(2).all(|pair| (pair[1] - pair[0] - 1.0).abs() < 1e-9)
}

/// Whether numbers ascend as names of columns do, such as wavelengths: three in equal steps, or more in any steps.
fn ascend(numbers: &[f64]) -> bool {
    let steps: Vec<_> = numbers.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let are_equal = steps.windows(2).all(|pair| (pair[1] - pair[0]).abs() < 1e-9);
    steps.len() > 1 && (steps.len() > 2 || are_equal) && steps.iter().all(|&step| step > 0.0)
}
