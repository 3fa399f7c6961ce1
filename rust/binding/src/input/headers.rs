//! The beginnings of the parts of a table: how each is written, and what its columns are called.

use std::sync::Arc;

use csvfeed_core::dialect::Dialect;
use csvfeed_core::error::{Error, Kind};
use csvfeed_core::head::{Head, Header, detect_delimiter, elsewhere, read_head};
use csvfeed_core::source::{CarriageReturns, Codec, Source, Transcoding, ends_with_returns};
use csvfeed_core::table::missing::Missing;
use csvfeed_core::table::parts::{self, Bytes, Parts};
use csvfeed_core::table::schema::OnError;

use super::header_threads::{self, Work};
use super::origin::Origin;
use super::part::Part;
use super::unpacking::Unpacking;
use crate::error::line;
use crate::signals::{Stop, check_signals};

/// Headers that are read at once while the first part that has one is looked for.
const LOOKED_AT: usize = 16;

/// How to read the beginning of a part.
#[derive(Clone, Copy)]
pub(crate) struct HeaderReader<'a> {
    pub dialect: Dialect,
    /// Whether the first part tells the delimiter.
    pub finds_delimiter: bool,
    pub transcoding: Transcoding,
    pub missing: &'a Missing,
    pub on_error: OnError,
    /// Lines to leave out at the end.
    pub skip_footer: u64,
    pub max_row: usize,
    pub threads: usize,
}

/// How the bytes of a part become its text, and what the text begins with.
struct Found {
    unpacking: Unpacking,
    start: Start,
}

/// What a part begins with.
enum Start {
    /// A header or a first row, and how the part is written.
    Head(Dialect, Box<Head>),
    /// No row up to the end, for this reason.
    Empty { end: u64, error: Box<Error> },
}

/// A part, and what was found at its beginning.
pub(crate) struct PartHeader {
    /// The part, without a layout so far.
    pub part: Part,
    /// Its own columns. `None` if it is empty.
    pub columns: Option<Vec<String>>,
    /// Whether each row ends with a delimiter that begins no column.
    pub ends_empty: bool,
    pub has_rows: bool,
}

/// The beginnings of all parts.
pub(crate) struct Headers {
    /// The first head among the parts, which names the columns.
    pub head: Head,
    pub dialect: Dialect,
    pub parts: Vec<PartHeader>,
}

/// The first part that cannot be read.
pub(crate) struct Failed {
    pub part: usize,
    pub error: Box<Error>,
    pub line: Option<u64>,
}

/// Why the headers are not read.
pub(crate) enum Stopped {
    Signal(Stop),
    Part(Failed),
}

impl From<Stop> for Stopped {
    fn from(stop: Stop) -> Self {
        Self::Signal(stop)
    }
}

impl From<Failed> for Stopped {
    fn from(failed: Failed) -> Self {
        Self::Part(failed)
    }
}

impl HeaderReader<'_> {
    /// Reads the beginnings of all parts. The first part with a row names the columns. Empty parts are skipped, but at
    /// least one part must have a row.
    pub(crate) fn read_all(&self, origins: Vec<(Origin, String)>, header: &Header) -> Result<Headers, Stopped> {
        let (mut found, dialect, head) = self.first_head(&origins, header)?;
        let header = match header {
            Header::Auto if head.is_named => &Header::Present,
            // The first row of a later part may be wrong, and the first part has named the columns.
            Header::Auto | Header::Absent if self.on_error == OnError::Skip => &Header::Names(head.columns.clone()),
            Header::Auto => &Header::Absent,
            given => given,
        };
        let others = Self { dialect, finds_delimiter: false, ..*self };
        for result in others.read_each(&origins[found.len()..], header)? {
            let mut one = result.map_err(|error| self.failed(&origins, found.len(), error))?;
            if let Start::Head(_, other) = &mut one.start {
                other.keep_last_of(&head.columns);
            }
            found.push(one);
        }
        self.require_rows(&origins, &found, &head)?;
        let parts = origins.into_iter().zip(found).map(|((origin, name), found)| found.into_part(origin, name));
        Ok(Headers { head, dialect, parts: parts.collect() })
    }

    /// The parts up to the first that is not empty, how that part is written, and its head.
    fn first_head(
        &self,
        origins: &[(Origin, String)],
        header: &Header,
    ) -> Result<(Vec<Found>, Dialect, Head), Stopped> {
        let mut found: Vec<Found> = Vec::new();
        while found.len() < origins.len() {
            // The first is seldom empty.
            let count = if found.is_empty() { 1 } else { LOOKED_AT.min(origins.len() - found.len()) };
            for result in self.read_each(&origins[found.len()..][..count], header)? {
                let one = result.map_err(|error| self.failed(origins, found.len(), error))?;
                found.push(one);
                if let Some(Found { start: Start::Head(dialect, head), .. }) = found.last() {
                    let (dialect, head) = (*dialect, (**head).clone());
                    return Ok((found, dialect, head));
                }
            }
        }
        match found.swap_remove(0).start {
            Start::Empty { error, .. } => Err(self.failed(origins, 0, *error).into()),
            Start::Head(..) => unreachable!("it was returned"),
        }
    }

    /// The beginnings of some parts, in order, up to the first that cannot be read.
    fn read_each(&self, origins: &[(Origin, String)], header: &Header) -> Result<Vec<Result<Found, Error>>, Stop> {
        let read = |at: usize, work: &Work| {
            let (origin, name) = &origins[at];
            self.read(origin, name, header, work)
        };
        if origins.iter().any(|(origin, _)| origin.calls_python()) {
            header_threads::read_slow(origins.len(), read, check_signals)
        } else {
            Ok(header_threads::read_fast(origins.len(), self.threads, read))
        }
    }

    fn read(&self, origin: &Origin, name: &str, header: &Header, work: &Work) -> Result<Found, Error> {
        origin.look(&|handle| work.begin_opening(handle), &|| work.is_given_up())?;
        let source = origin.open(name, None)?;
        if origin.calls_python() {
            work.begin(&source);
        }
        let codec = Codec::of_source(&*source)?;
        let Self { transcoding, skip_footer, .. } = *self;
        let unpacking = Unpacking { codec, transcoding, returns: false, skip_footer, end: None };
        let unpacking = unpacking.without_footer(&source, self.max_row)?;
        // Only a source can be sampled in the middle and at the end.
        let windows = match unpacking.text(Arc::clone(&source)) {
            Bytes::Source(text) if self.finds_delimiter => elsewhere(&*text)?,
            _ => vec![],
        };
        unpacking.look(&source, |text| {
            let returns = ends_with_returns(text, self.max_row)?;
            let translated = CarriageReturns(text);
            let windows = if returns { with_newlines(&windows) } else { windows.clone() };
            let start = self.start(if returns { &translated } else { text }, windows, header)?;
            Ok(Found { unpacking: Unpacking { returns: returns || unpacking.returns, ..unpacking }, start })
        })
    }

    /// What a text begins with.
    fn start(&self, text: &dyn Source, windows: Vec<Vec<u8>>, header: &Header) -> Result<Start, Error> {
        let find = || {
            let (mut dialect, mut header) = (self.dialect, header.clone());
            if self.finds_delimiter {
                (dialect, header) = detect_delimiter(text, windows, dialect, &header, self.missing)?;
            }
            let head = read_head(text, dialect, &header, self.missing, self.on_error, self.max_row)?;
            Ok(Start::Head(dialect, Box::new(head)))
        };
        find().or_else(|error: Error| match error.kind {
            Kind::Empty(_) | Kind::TooFewLines(_) => Ok(Start::Empty { end: text.len(), error: Box::new(error) }),
            _ => Err(error),
        })
    }

    /// Refuses a table in which no part has a row.
    fn require_rows(&self, origins: &[(Origin, String)], found: &[Found], head: &Head) -> Result<(), Failed> {
        let has_rows = |found: &Found| matches!(&found.start, Start::Head(_, head) if head.has_rows);
        if found.iter().any(has_rows) {
            return Ok(());
        }
        let first = found.iter().position(|found| matches!(found.start, Start::Head(..))).unwrap_or_default();
        head.require_rows().map_err(|error| self.failed(origins, first, error))
    }

    fn failed(&self, origins: &[(Origin, String)], part: usize, error: Error) -> Failed {
        let (origin, name) = &origins[part];
        let line = error.offset.and_then(|offset| self.line(origin, name, &error, offset));
        Failed { part, error: Box::new(error), line }
    }

    /// The line of an error at the beginning of a part.
    fn line(&self, origin: &Origin, name: &str, error: &Error, offset: u64) -> Option<u64> {
        let source = origin.open(name, None).ok()?;
        let codec = Codec::of_source(&*source).ok()?;
        let plain = Unpacking { codec, transcoding: self.transcoding, returns: false, skip_footer: 0, end: None };
        let returns = plain.look(&source, |text| ends_with_returns(text, self.max_row)).ok()?;
        let bytes = Unpacking { returns, ..plain }.text(source);
        line(error, &Parts::new(vec![parts::Part { bytes, data_start: 0, layout: None }]), 0, offset)
    }
}

impl Found {
    fn into_part(self, origin: Origin, name: String) -> PartHeader {
        let part = |data_start| Part { origin, name, unpacking: self.unpacking, data_start, layout: None };
        match self.start {
            Start::Head(_, head) => {
                let ends_empty = head.ends_empty();
                let Head { columns, data_start, has_rows, .. } = *head;
                PartHeader { part: part(data_start), columns: Some(columns), ends_empty, has_rows }
            }
            Start::Empty { end, .. } => {
                PartHeader { part: part(end), columns: None, ends_empty: false, has_rows: false }
            }
        }
    }
}

/// The same pieces of text, with newlines in place of carriage returns.
fn with_newlines(pieces: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let newline = |byte: &u8| if *byte == b'\r' { b'\n' } else { *byte };
    pieces.iter().map(|piece| piece.iter().map(newline).collect()).collect()
}
