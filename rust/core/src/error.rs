//! What went wrong and at which byte; the line is worked out only when somebody asks.

use std::io;

use crate::source::Source;

/// Longest piece of the source that an error quotes, in bytes.
const QUOTED_TEXT: usize = 120;

/// A failure, with its place in the source as far as it has one.
#[derive(Debug)]
pub struct Error {
    /// What is wrong.
    pub kind: Kind,
    /// Byte offset of the offending field or row, from the start of the source.
    pub offset: Option<u64>,
    /// Position of the offending column, counted from 0.
    pub column: Option<usize>,
    /// The offending text, shortened.
    pub text: Option<String>,
}

/// What can be wrong. The display text says what it is and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum Kind {
    /// The operating system refused.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The file is not the one that the dataset was made for.
    #[error("the file changed after the dataset was made ({0}): make a new dataset once it is complete")]
    SourceChanged(&'static str),
    /// The source holds nothing to read.
    #[error("{0}")]
    Empty(&'static str),
    /// A field that should be a number is none; what to do about it.
    #[error("not a number. {0}")]
    Number(String),
    /// A field that should be true or false is neither.
    #[error(
        "not a boolean: understood are true/false, yes/no, t/f, y/n, on/off and 1/0, in any case. If it means no value, \
         add it with missing=[*csvfeed.MISSING, ...]"
    )]
    Boolean,
    /// A field that should be a date is none; how it would be written.
    #[error("not a date of {0}. If it means no value, add it with missing=[*csvfeed.MISSING, ...]")]
    Date(String),
    /// A date that there is not.
    #[error("there is no such date or time. If it means no value, add it with missing=[*csvfeed.MISSING, ...]")]
    NoSuchDate,
    /// A target that is none of its categories.
    #[error(
        "not one of the categories: add it to the list in categories=, or add it with missing=[*csvfeed.MISSING, ...] if \
         it means no value"
    )]
    Category,
    /// A category is not UTF-8.
    #[error("a category is not UTF-8: convert the file to UTF-8")]
    CategoryNotUtf8,
    /// A NUL byte stands in a field.
    #[error("a NUL byte in a number: the file is damaged, or is UTF-16 or UTF-32 text; convert it to UTF-8")]
    Nul,
    /// The target or the weight of a row is missing.
    #[error("the {0} is missing: missing_target=\"skip\" leaves such rows out, \"keep\" reads them as NaN")]
    MissingTarget(&'static str),
    /// A row has too few or too many fields.
    #[error("the row has {found} fields where the {reference} has {expected}{advice}")]
    RowLength {
        /// Fields in the offending row.
        found: usize,
        /// Fields that each row should have.
        expected: usize,
        /// What the expectation was read from.
        reference: &'static str,
        /// What may be the cause.
        advice: &'static str,
    },
    /// A row longer than the buffers may grow.
    #[error("the row is longer than {limit} bytes: is the line end CR alone? A larger memory= allows longer rows")]
    RowTooLong {
        /// The longest row allowed, in bytes.
        limit: usize,
    },
    /// A quoted field never ends.
    #[error("the quoted field that starts here is never closed: close it, or set quote= to what the file uses")]
    UnclosedQuote,
    /// Text follows a closing quote.
    #[error("text after a closing quote: a quote inside a quoted field is written twice (\"\")")]
    TextAfterQuote,
    /// The bytes are in an encoding that is not read.
    #[error("the file is {0}: convert it to UTF-8, for example with `iconv -f {0} -t UTF-8`")]
    Encoding(&'static str),
    /// The bytes are no text at all.
    #[error("the file is {0}, which is not read as it is: {1}")]
    NotText(&'static str, &'static str),
    /// Lines end with a carriage return alone.
    #[error("the line ends are CR alone: convert them to LF, for example with `tr '\\r' '\\n'`")]
    LineEnds,
    /// A column name is not UTF-8.
    #[error("a column name is not UTF-8: convert the file to UTF-8, or name the columns with header=[...]")]
    NameNotUtf8,
    /// A column was asked for that is not there, or in a way that makes no sense.
    #[error("{0}")]
    Column(String),
    /// A batch that cannot be held in memory.
    #[error("a batch of {0} rows does not fit into memory: a smaller batch_size= may")]
    Memory(usize),
    /// An instruction set was asked for that is not there.
    #[error("{0}")]
    Simd(String),
    /// The process forked while the source was read.
    #[error("the iterator belongs to the process that this one was forked from: iterate over the dataset anew")]
    Forked,
    /// A reading thread panicked, which is a bug in csvfeed.
    #[error("a reading thread failed: this is a bug in csvfeed, please report it")]
    Internal,
}

/// The result of everything in this crate that can fail.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An error with a place and the text that stands there.
    pub(crate) fn at(kind: Kind, offset: u64, text: &[u8]) -> Self {
        let shown = &text[..text.len().min(QUOTED_TEXT)];
        let mut quoted = String::from_utf8_lossy(shown).into_owned();
        if shown.len() < text.len() {
            quoted.push('…');
        }
        Self { kind, offset: Some(offset), column: None, text: Some(quoted) }
    }

    /// The same error in a column.
    pub(crate) fn in_column(self, column: usize) -> Self {
        Self { column: Some(column), ..self }
    }

    /// The 1-based number of the physical line on which the error is; `None` without a place, or when the source can
    /// no longer be read.
    #[must_use]
    pub fn line(&self, source: &dyn Source) -> Option<u64> {
        let mut left = self.offset?;
        let mut offset = 0;
        let mut line = 1;
        let mut bytes = vec![0; 1 << 18];
        while left > 0 {
            let wanted = left.min(bytes.len() as u64) as usize;
            source.read_at(offset, &mut bytes[..wanted]).ok()?;
            line += memchr::memchr_iter(b'\n', &bytes[..wanted]).count() as u64;
            offset += wanted as u64;
            left -= wanted as u64;
        }
        Some(line)
    }
}

impl From<Kind> for Error {
    fn from(kind: Kind) -> Self {
        Self { kind, offset: None, column: None, text: None }
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Kind::Io(error).into()
    }
}
