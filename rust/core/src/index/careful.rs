//! Finds the fields of any text byte by byte. Handles escapes, comments, runs of spaces and wrong quotes.

use std::ops::Range;

use super::quotes::State;
use crate::dialect::{BadQuote, Dialect};
use crate::error::Kind;

/// The meaning of a byte, regardless of its context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    Other,
    Delimiter,
    Newline,
    Return,
    Quote,
    Escape,
    Comment,
    Space,
}

const CLASSES: [Class; 8] = [
    Class::Other,
    Class::Delimiter,
    Class::Newline,
    Class::Return,
    Class::Quote,
    Class::Escape,
    Class::Comment,
    Class::Space,
];

/// What happens at a byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// Nothing.
    Nothing,
    /// The byte is skipped: the field starts after it.
    Skipped,
    /// A field ends before the byte.
    Field,
    /// A line ends with the byte.
    Line,
    /// The byte opens quotes. The field starts here; the spaces before it are dropped.
    Opened,
    /// The byte follows a closing quote, which ends the field.
    Closed,
    /// The byte follows a closing quote, where it is an error.
    Stray,
}

/// A state machine over bytes.
pub(crate) struct Machine {
    classes: [Class; 256],
    steps: [[(State, Event); CLASSES.len()]; State::ALL.len()],
}

impl Machine {
    pub(crate) fn new(dialect: Dialect) -> Self {
        let mut classes = [Class::Other; 256];
        let comment = dialect.comment.map(|byte| (byte, Class::Comment));
        let escape = dialect.escape.map(|byte| (byte, Class::Escape));
        let quote = dialect.quote.map(|byte| (byte, Class::Quote));
        let spaces = dialect.quote.filter(|_| dialect.skip_initial_space || dialect.skip_final_space);
        let spaces = spaces.map_or([].as_slice(), |_| &[(b' ', Class::Space), (b'\t', Class::Space)]);
        let ends = [(b'\r', Class::Return), (dialect.delimiter, Class::Delimiter), (b'\n', Class::Newline)];
        for (byte, class) in spaces.iter().copied().chain(comment).chain(escape).chain(quote).chain(ends) {
            classes[usize::from(byte)] = class;
        }
        let steps = State::ALL.map(|state| CLASSES.map(|class| spaced_step(state, class, dialect)));
        Self { classes, steps }
    }

    /// The effect of a byte in a state.
    #[inline]
    pub(crate) fn step(&self, state: State, byte: u8) -> (State, Event) {
        self.steps[state as usize][self.classes[usize::from(byte)] as usize]
    }

    /// The number of leading bytes that do not change the state.
    #[inline]
    pub(crate) fn ordinary(&self, state: State, bytes: &[u8]) -> usize {
        if !matches!(state, State::Field | State::Quoted | State::Comment) {
            return 0;
        }
        let is_other = |&byte: &u8| self.classes[usize::from(byte)] == Class::Other;
        bytes.iter().position(|byte| !is_other(byte)).unwrap_or(bytes.len())
    }
}

/// The effect of a byte in dialects that drop spaces around quotes.
fn spaced_step(state: State, class: Class, dialect: Dialect) -> (State, Event) {
    match (state, class) {
        (State::LineStart | State::FieldStart | State::Space, Class::Space) if dialect.skip_initial_space => {
            (State::Space, Event::Nothing)
        }
        (State::Space, Class::Quote) => (State::Quoted, Event::Opened),
        (State::QuoteInQuoted, Class::Space) if dialect.skip_final_space => (State::AfterQuote, Event::Closed),
        (State::AfterQuote, Class::Space) => (State::AfterQuote, Event::Nothing),
        (State::AfterQuote, Class::Return) => (State::Returned, Event::Nothing),
        (State::AfterQuote, Class::Escape) => (State::Escaped, Event::Stray),
        (State::AfterQuote, Class::Other | Class::Quote | Class::Comment) => (State::Field, Event::Stray),
        _ => step(state, class, dialect.has_runs()),
    }
}

fn step(state: State, class: Class, has_runs: bool) -> (State, Event) {
    match (state, class) {
        (State::Comment, Class::Newline) => (State::LineStart, Event::Line),
        (State::LineStart | State::Comment, Class::Comment) | (State::Comment, _) => (State::Comment, Event::Nothing),
        (State::Escaped, _) => (State::Field, Event::Nothing),
        (State::Quoted, Class::Quote) => (State::QuoteInQuoted, Event::Nothing),
        (State::Quoted, Class::Escape) => (State::EscapedInQuoted, Event::Nothing),
        (State::Quoted | State::EscapedInQuoted, _)
        | (State::LineStart | State::FieldStart | State::QuoteInQuoted, Class::Quote) => {
            (State::Quoted, Event::Nothing)
        }
        (State::LineStart | State::FieldStart, Class::Delimiter) if has_runs => (State::FieldStart, Event::Skipped),
        (_, Class::Newline) => (State::LineStart, Event::Line),
        (State::Returned, Class::Delimiter) => (State::FieldStart, Event::Stray),
        (_, Class::Delimiter) => (State::FieldStart, Event::Field),
        (State::QuoteInQuoted, Class::Return) => (State::Returned, Event::Nothing),
        (State::QuoteInQuoted | State::Returned, Class::Escape) => (State::Escaped, Event::Stray),
        (State::QuoteInQuoted | State::Returned, _) => (State::Field, Event::Stray),
        (_, Class::Escape) => (State::Escaped, Event::Nothing),
        _ => (State::Field, Event::Nothing),
    }
}

/// A row of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    /// The position of its first byte.
    pub start: usize,
    /// The position of its newline.
    pub newline: usize,
    /// The start of the first field with text after its closing quote.
    pub stray: Option<usize>,
}

/// Iterates over the rows of a text, which must end with a newline.
pub(crate) struct Careful<'a> {
    machine: Machine,
    dialect: Dialect,
    bytes: &'a [u8],
    position: usize,
    skips_bad_rows: bool,
}

impl<'a> Careful<'a> {
    /// Starts at `position`, which must be the start of a row.
    pub(crate) fn new(dialect: Dialect, bytes: &'a [u8], position: usize) -> Self {
        Self { machine: Machine::new(dialect), dialect, bytes, position, skips_bad_rows: false }
    }

    /// Sets whether a row with text after a closing quote is read to its end instead of being an error.
    pub(crate) fn skipping_bad_rows(self, skips_bad_rows: bool) -> Self {
        Self { skips_bad_rows, ..self }
    }

    /// The next row that is neither blank nor a comment; `None` at the end. Calls `on_field` with the range of each
    /// field, including the fields of a wrong row.
    #[inline]
    pub(crate) fn next_row(
        &mut self,
        mut on_field: impl FnMut(Range<usize>),
    ) -> std::result::Result<Option<Row>, BadQuote> {
        let mut state = State::LineStart;
        let (mut row, mut start) = (self.position, self.position);
        let mut fields = 0;
        let mut stray = None;
        // The end of a closing quote that is followed by spaces.
        let mut closed = None;
        let mut next = self.position;
        loop {
            next += self.machine.ordinary(state, &self.bytes[next..]);
            let Some(&byte) = self.bytes.get(next) else { break };
            let (at, before) = (next, state);
            next += 1;
            let event;
            (state, event) = self.machine.step(state, byte);
            match event {
                Event::Nothing => {}
                Event::Skipped => start = at + 1,
                Event::Opened => start = at,
                Event::Closed => closed = Some(at),
                Event::Field => {
                    on_field(start..closed.take().unwrap_or(at));
                    fields += 1;
                    start = at + 1;
                }
                Event::Line => {
                    let end = closed.take().unwrap_or_else(|| at - usize::from(self.ends_with_return(start..at)));
                    let field = start..end;
                    // Runs of delimiters separate fields; empty fields do not exist there.
                    let is_there = fields > 0 && !self.dialect.has_runs();
                    if before != State::Comment && (is_there || !field.is_empty()) {
                        on_field(field);
                        fields += 1;
                    }
                    if before != State::Comment && fields > 0 {
                        self.position = at + 1;
                        return Ok(Some(Row { start: row, newline: at, stray }));
                    }
                    (row, start) = (at + 1, at + 1);
                }
                Event::Stray if self.skips_bad_rows => {
                    stray = stray.or(Some(start));
                    closed = None;
                    if state == State::FieldStart {
                        // A delimiter after a carriage return also ends the field.
                        on_field(start..at);
                        fields += 1;
                        start = at + 1;
                    }
                }
                Event::Stray => return Err(BadQuote { position: start, kind: Kind::TextAfterQuote }),
            }
        }
        self.position = self.bytes.len();
        match state {
            State::LineStart => Ok(None),
            State::Quoted | State::EscapedInQuoted => Err(BadQuote { position: start, kind: Kind::UnclosedQuote }),
            _ => Err(BadQuote { position: start, kind: Kind::UnclosedEscape }),
        }
    }

    /// Whether the byte before a newline belongs to the line end: an unescaped carriage return.
    fn ends_with_return(&self, field: Range<usize>) -> bool {
        let [before @ .., b'\r'] = &self.bytes[field] else { return false };
        // The carriage return is unescaped if the number of escapes before it is even.
        let escapes = before.iter().rev().take_while(|&&byte| Some(byte) == self.dialect.escape);
        escapes.count().is_multiple_of(2)
    }
}
