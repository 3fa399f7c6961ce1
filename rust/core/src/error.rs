//! Errors. They carry the byte offset where they occurred; the line number is computed only on request.

use std::io;

/// A failure, with its place in the source if it has one.
#[derive(Debug)]
pub struct Error {
    /// What is wrong.
    pub kind: Kind,
    /// Byte offset of the offending field or row, from the start of the table.
    pub offset: Option<u64>,
    /// Position of the offending column, counted from 0.
    pub column: Option<usize>,
    /// The offending text, shortened.
    pub text: Option<String>,
}

/// What can go wrong. The display text says what is wrong and how to fix it.
#[derive(Debug, thiserror::Error)]
pub enum Kind {
    /// The operating system reported an error.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The file is not the one that the dataset was made for.
    #[error("the file changed after the dataset was made ({0}): make a new dataset once it is complete")]
    SourceChanged(&'static str),
    /// The source is empty.
    #[error("{0}")]
    Empty(&'static str),
    /// The file has fewer lines than should be skipped.
    #[error("the file has no more lines than {0}")]
    TooFewLines(&'static str),
    /// A field is not a number. Holds advice.
    #[error("not a number. {0}")]
    Number(String),
    /// A field is not a boolean. Holds the name of its column, in quotes.
    #[error(
        "not a boolean: understood are true/false, yes/no, t/f, y/n, on/off and 1/0, in any case. \
         categories={{{0}: [\"nein\", \"ja\"]}} reads such other words as the codes 1 and 2, those of a target as 0 and 1. If it \
         means no value, add it with missing=[*csvfeed.MISSING, ...]"
    )]
    Boolean(String),
    /// A field is not a date in the expected format, which is given.
    #[error("not a date of {0}. If it means no value, add it with missing=[*csvfeed.MISSING, ...]")]
    Date(String),
    /// A date or time that does not exist, such as 30 February. Holds advice.
    #[error("no such date or time exists{0}. If it means no value, add it with missing=[*csvfeed.MISSING, ...]")]
    NoSuchDate(String),
    /// A date in an unknown time zone.
    #[error(
        "the time zone is not known: understood are offsets such as +01:00 and GMT+0100, Z, UTC, GMT, EST, EDT, CDT, MST, \
         MDT, PST and PDT. What another name means depends on the place and the year: write offsets into the file, or \
         convert the column to UTC"
    )]
    Zone,
    /// A field is not a duration. Holds the expected notation.
    #[error("not a duration: {0}. If it means no value, add it with missing=[*csvfeed.MISSING, ...]")]
    Duration(&'static str),
    /// A list has another number of values than its column. Holds advice.
    #[error(
        "the list has {found} value{} where lists= says {expected}{advice}",
        if *found == 1 { "" } else { "s" }
    )]
    ListLength {
        /// Values in the list.
        found: usize,
        /// Values that it should have.
        expected: usize,
        /// A likely cause.
        advice: String,
    },
    /// A value in a list is not a number. Holds the value, its place, which is counted from 0, and advice.
    #[error("value {place} of the list, counted from 0, is {value:?}, which is not a number. {advice}")]
    ListValue {
        /// The value.
        value: String,
        /// Its place in the list.
        place: usize,
        /// A likely cause.
        advice: String,
    },
    /// A target is not one of its classes, which are listed.
    #[error(
        "not one of the classes of the target, {}: add it to the list in categories=, leave such rows out with \
         missing_target=\"skip\" or read them as NaN with \"keep\"; if it means no value, add it with \
         missing=[*csvfeed.MISSING, ...]",
        .0
    )]
    Class(String),
    /// A list that is a target has an item that is not one of its classes, which are listed.
    #[error(
        "the list has {item:?}, which is not one of the classes of the target, {known}: add it to \
         csvfeed.MultiHot, leave such rows out with missing_target=\"skip\" or read them as NaN with \"keep\"; if it \
         means no value, add it with \
         missing=[*csvfeed.MISSING, ...]"
    )]
    ListClass {
        /// The item.
        item: String,
        /// The classes.
        known: String,
    },
    /// A category is not valid UTF-8.
    #[error("a category is not UTF-8: say how the file is written with encoding=, or convert it to UTF-8")]
    CategoryNotUtf8,
    /// An id is not valid UTF-8.
    #[error("an id is not UTF-8: say how the file is written with encoding=, or convert it to UTF-8")]
    IdNotUtf8,
    /// An id is not an integer, as the caller says. Holds the name of its column.
    #[error("not an integer from -2**63 to 2**63 - 1, as ids= says of this column: ids={{{0}: str}} reads any text")]
    IntegerId(String),
    /// A field is a number in another notation, which is named.
    #[error("not a number as the file is read; it is one with {0}")]
    Notation(String),
    /// A field is not a number in any of the forms given for its column. Holds the names of the forms, and advice.
    #[error("not a number of the form that numbers= says ({0}). {1}")]
    Form(String, String),
    /// A field contains a NUL byte.
    #[error(
        "a NUL byte in a number: the file is damaged, or is UTF-16 text, which encoding=\"utf-16\" reads, or UTF-32, to be converted"
    )]
    Nul,
    /// The target or the weight of a row is missing.
    #[error("the {0} is missing: missing_target=\"skip\" leaves such rows out, \"keep\" reads them as NaN")]
    MissingTarget(&'static str),
    /// A row has too few or too many fields.
    #[error(
        "the row has {found} field{} where the {reference} has {expected}{advice}",
        if *found == 1 { "" } else { "s" }
    )]
    RowLength {
        /// Fields in the offending row.
        found: usize,
        /// Fields expected in each row.
        expected: usize,
        /// Where the expected number comes from.
        reference: &'static str,
        /// A likely cause.
        advice: &'static str,
    },
    /// A row has a value after its final delimiter, or lacks the final delimiter that the other rows have.
    #[error("{0}")]
    RowEnd(&'static str),
    /// A row is longer than the buffers may grow.
    #[error(
        "the row is longer than {limit} bytes: is its line end CR alone, unlike the first? A larger memory= allows longer rows"
    )]
    RowTooLong {
        /// The longest row allowed, in bytes.
        limit: usize,
    },
    /// A quoted field is never closed.
    #[error("the quoted field that starts here is never closed: close it, or set quote= to what the file uses")]
    UnclosedQuote,
    /// A quoted field has lines that are like rows.
    #[error(
        "the quoted field that starts here spans {lines} lines, which look like rows: close it in its line, or write a quote \
         that is text twice in a quoted field (\"\"). If the file has no quoted fields, quote=None reads it"
    )]
    RowsInQuotes {
        /// The number of lines.
        lines: usize,
    },
    /// Text follows a closing quote.
    #[error(
        "text after a closing quote: a quote inside a quoted field is written twice (\"\"), or with escape= after that \
         character"
    )]
    TextAfterQuote,
    /// A space precedes a quote.
    #[error("a space before a quote, which opens no field there: skip_initial_space=True reads it")]
    SpaceBeforeQuote,
    /// Spaces follow a closing quote.
    #[error("a space after a closing quote: skip_final_space=True reads it")]
    SpaceAfterQuote,
    /// The source ends right after an escape character.
    #[error("the last row ends after an escape: is the file cut off here, or escape= another one?")]
    UnclosedEscape,
    /// The file is in an unsupported encoding.
    #[error("the file is {0}: {1}convert it to UTF-8, for example with `iconv -f {0} -t UTF-8`")]
    Encoding(&'static str, &'static str),
    /// The bytes are not valid in the encoding of the file.
    #[error("{0}")]
    Undecodable(&'static str),
    /// A compressed file cannot be decompressed.
    #[error(
        "the file is damaged or cut off: it cannot be decompressed ({codec}: {reason}). Fetch it, or make it, again"
    )]
    Damaged {
        /// The compression format.
        codec: &'static str,
        /// The message of the decompressor.
        reason: String,
    },
    /// An unsupported archive.
    #[error("{0}")]
    Archive(String),
    /// The decompressed text cannot be stored.
    #[error(
        "{error} (while the text is kept in {directory}, to be read in any order: TMPDIR= names another directory)"
    )]
    Spool {
        /// The error of the operating system.
        error: io::Error,
        /// The directory chosen for the text.
        directory: String,
    },
    /// The columns of the files of a table do not match.
    #[error("{0}")]
    Parts(String),
    /// The file is not a text file.
    #[error("the file is {0}, which is not read as it is: {1}")]
    NotText(&'static str, &'static str),
    /// Some lines end with a carriage return alone and others do not.
    #[error("the line ends are mixed: {0}. Convert them to LF, for example with `tr '\\r' '\\n'`")]
    LineEnds(&'static str),
    /// A column name is not valid UTF-8.
    #[error(
        "a column name is not UTF-8: say what the file is with encoding=, most often \"latin-1\" or \"cp1252\", convert \
         it to UTF-8, or name the columns with header=[...]"
    )]
    NameNotUtf8,
    /// The first line declares another delimiter than the caller gave.
    #[error("the first line says that the delimiter is {0:?}: write delimiter={0:?}, or \"auto\"")]
    OtherDelimiter(String),
    /// The dialect of the text is ambiguous. The source of the error lists the choices.
    #[error("{0}")]
    Undecided(Box<dyn std::error::Error + Send + Sync>),
    /// The text is neither UTF-8 nor in a western encoding.
    #[error(
        "the text is not UTF-8, and not in a western encoding as it seems{}: convert it, for example with \
         `iconv -f {} -t UTF-8`, once you know what it is. encoding=\"latin-1\" reads its numbers, and not its texts",
        if perhaps.is_empty() { String::new() } else { format!(": it may be {}", perhaps.join(", ")) },
        perhaps.first().unwrap_or(&"ENCODING")
    )]
    UnknownEncoding {
        /// The encodings in which the text would be valid.
        perhaps: Vec<&'static str>,
    },
    /// A column that does not exist or cannot be used as the caller asked.
    #[error("{0}")]
    Column(String),
    /// A batch does not fit in memory.
    #[error("a batch of {0} rows does not fit into memory: a smaller batch_size= may")]
    Memory(usize),
    /// An instruction set that this processor lacks.
    #[error("{0}")]
    Simd(String),
    /// More rows are wrong than `max_rejects` allows.
    #[error(
        "this is wrong row number {}, where max_rejects={allowed}: {what}. ds.rejects has all of them: correct them, or \
         allow more",
        allowed.saturating_add(1)
    )]
    TooManyRejects {
        /// How many wrong rows are allowed.
        allowed: u64,
        /// What is wrong with the row that exceeds the limit.
        what: &'static str,
    },
    /// Output could not be written.
    #[error("{0}")]
    Unwritten(io::Error),
    /// The process forked while the source was being read.
    #[error("the iterator belongs to the process that this one was forked from: iterate over the dataset anew")]
    Forked,
    /// The process forked, and the source is a file object.
    #[error(
        "the file object is open in the process that this one was forked from, and both would move its one position: make \
         the dataset of a path, or open the file in this process"
    )]
    ForkedObject,
    /// The rows being read do not fit in memory.
    #[error("there is no memory for the rows that are read ahead or mixed: a smaller memory= takes less")]
    OutOfMemory,
    /// The rows that a shuffle mixes do not fit in memory.
    #[error(
        "this process has no {} MiB of memory for the rows that shuffle() mixes: a smaller memory= takes less",
        .0.div_ceil(1 << 20)
    )]
    Window(u64),
    /// Every run of rows is shorter than a window.
    #[error(
        "no window fits: with its target it takes {needed} rows, and {longest} is the most that follow one another in a file, \
         with the same key and no row left out{}",
        sorting(by)
    )]
    NoWindow {
        /// Rows of a window, up to that of its target.
        needed: u64,
        /// Rows in the longest run.
        longest: u64,
        /// The names of the columns of the key.
        by: Vec<String>,
    },
    /// No thread could be started.
    #[error(
        "no thread can be started ({0}): the process, its user or its container may have no more of them, or no memory for \
         their stacks"
    )]
    Threads(io::Error),
    /// A reading thread panicked. This is a bug in csvfeed.
    #[error("a reading thread failed: this is a bug in csvfeed, please report it")]
    Internal,
}

impl Kind {
    /// Whether this is an error even if wrong rows are skipped: it tells that the whole file is read wrongly.
    pub(crate) fn is_of_file(&self) -> bool {
        matches!(self, Self::CategoryNotUtf8)
    }

    /// Why a row is rejected, in a few words. Rows with the same fault get the same reason.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Number(_) | Self::Notation(_) | Self::Form(..) | Self::ListValue { .. } => "not a number",
            Self::ListLength { .. } => "wrong number of values",
            Self::Boolean(_) => "not a boolean",
            Self::Date(_) | Self::NoSuchDate(_) | Self::Zone => "not a date",
            Self::Duration(_) => "not a duration",
            Self::Class(_) | Self::ListClass { .. } => "not one of the classes",
            Self::IntegerId(_) => "not an integer id",
            Self::IdNotUtf8 => "not UTF-8",
            Self::Nul => "a NUL byte in a number",
            Self::MissingTarget("weight") => "no weight",
            Self::MissingTarget(_) => "no target",
            Self::RowLength { .. } | Self::RowEnd(_) => "wrong number of fields",
            Self::SpaceBeforeQuote => "a space before a quote",
            Self::TextAfterQuote | Self::SpaceAfterQuote => "text after a closing quote",
            _ => "unreadable",
        }
    }
}

/// The result of every fallible function in this crate.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// This error, with `column` as its column.
    pub(crate) fn in_column(self, column: usize) -> Self {
        Self { column: Some(column), ..self }
    }

    /// The error to raise in place of this one when it exceeds the number of rejects allowed.
    pub(crate) fn as_too_many_rejects(&self, allowed: u64) -> Self {
        let Self { ref kind, offset, column, ref text } = *self;
        let kind = Kind::TooManyRejects { allowed, what: kind.reason() };
        Self { kind, offset, column, text: text.clone() }
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

/// How to sort a file so that the rows of one key stand together.
fn sorting(by: &[String]) -> String {
    if by.is_empty() {
        return String::new();
    }
    let by: Vec<_> = by.iter().map(|name| format!("{name:?}")).collect();
    format!(". Windows take neighbouring rows: sort the file by {}, then by time", by.join(", "))
}
