//! What went wrong and at which byte; the line is worked out only when somebody asks.

use std::io;

use crate::parts::Parts;

/// Longest piece of the source that an error quotes, in bytes.
const QUOTED_TEXT: usize = 120;

/// A failure, with its place in the source as far as it has one.
#[derive(Debug)]
pub struct Error {
    /// What is wrong.
    pub kind: Kind,
    /// Byte offset of the offending field or row, from the start of the table: [`Parts::place`] finds it in its part.
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
    /// A field that should be a number is none.
    #[error(
        "not a number. If it stands for a missing value, add it with missing=[*csvfeed.MISSING, ...]; \
         if the column is text, leave it out with features= or target="
    )]
    Number,
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
    #[error("the file is {0}: {1}convert it to UTF-8, for example with `iconv -f {0} -t UTF-8`")]
    Encoding(&'static str, &'static str),
    /// The bytes are not in the encoding that they should be in.
    #[error("{0}")]
    Undecodable(&'static str),
    /// What is compressed cannot be decompressed.
    #[error(
        "the file is damaged or cut off: it cannot be decompressed ({codec}: {reason}). Fetch it, or make it, again"
    )]
    Damaged {
        /// What it is compressed with.
        codec: &'static str,
        /// What the decompressor says.
        reason: String,
    },
    /// An archive that is not read.
    #[error("{0}")]
    Archive(String),
    /// The decompressed text cannot be kept.
    #[error(
        "{error} (while the text is kept in {directory}, to be read in any order: TMPDIR= names another directory)"
    )]
    Spool {
        /// What the operating system said.
        error: io::Error,
        /// Where the text was to be kept.
        directory: String,
    },
    /// The parts of a table do not agree in their columns.
    #[error("{0}")]
    Parts(String),
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
    pub fn line(&self, parts: &Parts) -> Option<u64> {
        let (part, offset) = parts.place(self.offset?);
        parts.line(part, offset)
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
