//! The heads of the parts of a table.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak, mpsc};
use std::time::Duration;

use csvfeed_core::dialect::Dialect;
use csvfeed_core::error::{Error, Kind};
use csvfeed_core::head::{Head, Header, detect_delimiter, elsewhere, read_head};
use csvfeed_core::source::{CarriageReturns, Codec, Prefix, Shortened, Source, Stream, Transcoding, ends_with_returns};
use csvfeed_core::table::missing::Missing;
use csvfeed_core::table::parts::{self, Bytes, Parts};
use csvfeed_core::table::schema::OnError;

use pyo3::prelude::*;

use crate::error::line;
use crate::origin::Origin;

/// Threads that read heads from far away.
const FAR_THREADS: usize = 16;

/// How long it takes until Ctrl-C is looked for.
const PATIENCE: Duration = Duration::from_millis(50);

/// Heads that are read at once while the first part that has one is looked for.
const LOOKED_AT: usize = 16;

/// Says how the beginning of a file is read.
#[derive(Clone, Copy)]
pub(crate) struct Reading<'a> {
    pub dialect: Dialect,
    /// Whether its delimiter is that of the first part.
    pub finds_delimiter: bool,
    pub transcoding: Transcoding,
    pub missing: &'a Missing,
    pub on_error: OnError,
    /// Lines at the end that are left out.
    pub skip_footer: u64,
    pub max_row: usize,
    pub threads: usize,
}

/// What makes the bytes of a part a text.
#[derive(Clone, Copy)]
pub(crate) struct Unpacking {
    /// What they are compressed with.
    pub codec: Option<Codec>,
    /// What they are written in.
    pub transcoding: Transcoding,
    /// Whether lines end with a carriage return alone.
    pub returns: bool,
    /// Lines at the end that are left out, and where that is, unless it is known only when it comes.
    pub skip_footer: u64,
    pub end: Option<u64>,
}

impl Unpacking {
    /// Whether the bytes are the text as it is.
    pub(crate) fn is_plain(self) -> bool {
        self.codec.is_none() && self.transcoding == Transcoding::AsItIs && !self.returns
    }

    /// The text of a source.
    pub(crate) fn text(self, source: Arc<dyn Source>) -> Bytes {
        if let Some(stream) = Stream::with(&source, self.codec, self.transcoding) {
            return Bytes::Stream(Arc::new(stream.with_returns(self.returns).without_footer(self.skip_footer)));
        }
        let text = self.lines(source);
        Bytes::Source(match self.end {
            Some(end) => Arc::new(Shortened::at(text, end)),
            None => text,
        })
    }

    /// A source that is a text as it is, with its line ends as others have them.
    fn lines(self, source: Arc<dyn Source>) -> Arc<dyn Source> {
        if self.returns { Arc::new(CarriageReturns(source)) } else { source }
    }

    /// What `look` finds at the beginning of the text of a source.
    fn look<T>(self, source: &Arc<dyn Source>, look: impl FnMut(&dyn Source) -> Result<T, Error>) -> Result<T, Error> {
        match self.text(Arc::clone(source)) {
            Bytes::Stream(stream) => Prefix::of_stream(&stream, look),
            Bytes::Source(source) => Prefix::of_source(&*source, look),
        }
    }

    /// The same once it is known what the lines end with, and where the last of them is that is not left out.
    fn without_footer(self, source: &Arc<dyn Source>, max_row: usize) -> Result<Self, Error> {
        if self.skip_footer == 0 {
            return Ok(self);
        }
        let plain = Self { skip_footer: 0, ..self };
        let returns = plain.look(source, |text| ends_with_returns(text, max_row))?;
        let found = Self { returns, ..self };
        if Stream::with(source, self.codec, self.transcoding).is_some() {
            return Ok(found);
        }
        let text = Shortened::without_footer(found.lines(Arc::clone(source)), self.skip_footer)?;
        Ok(Self { end: Some(text.len()), ..found })
    }
}

/// What makes the bytes of a part a text, and what it begins with.
struct Found {
    unpacking: Unpacking,
    head: Start,
}

/// What a part begins with.
enum Start {
    /// A head, and how the part is written.
    Head(Dialect, Box<Head>),
    /// Nothing: there is not one row, for that reason, up to the end.
    Empty { end: u64, error: Box<Error> },
}

/// A part, and what was found at its beginning.
pub(crate) struct PartHead {
    pub origin: Origin,
    pub name: String,
    pub unpacking: Unpacking,
    /// Byte offset of the first row.
    pub data_start: u64,
    /// The columns of its own; `None` where it holds nothing at all.
    pub columns: Option<Vec<String>>,
    /// Whether each row ends with a delimiter that begins no column.
    pub ends_empty: bool,
    /// Whether it has a row.
    pub has_rows: bool,
}

/// The beginnings of all parts.
pub(crate) struct Heads {
    /// The first head that there is, which says what the columns are called.
    pub head: Head,
    pub dialect: Dialect,
    pub parts: Vec<PartHead>,
}

/// The first part that cannot be read.
pub(crate) struct Failed {
    pub part: usize,
    pub error: Box<Error>,
    pub line: Option<u64>,
}

/// What is known of a part.
pub(crate) struct Part {
    pub origin: Origin,
    pub name: String,
    pub unpacking: Unpacking,
    /// Byte offset of the first row.
    pub data_start: u64,
    /// Where it has the columns, if its fields are not exactly those of the table, in that order.
    pub layout: Option<parts::Layout>,
}

impl Reading<'_> {
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
        // A stream has no end to look at.
        let windows = match unpacking.text(Arc::clone(&source)) {
            Bytes::Source(text) if self.finds_delimiter => elsewhere(&*text)?,
            _ => vec![],
        };
        let look = |text: &dyn Source| {
            let returns = ends_with_returns(text, self.max_row)?;
            let translated = CarriageReturns(text);
            let text = if returns { &translated } else { text };
            let find = || {
                let mut dialect = self.dialect;
                if self.finds_delimiter {
                    let windows = if returns { with_newlines(&windows) } else { windows.clone() };
                    dialect = detect_delimiter(text, windows, dialect, self.missing)?;
                }
                let head = read_head(text, dialect, header, self.missing, self.on_error, self.max_row)?;
                Ok(Start::Head(dialect, Box::new(head)))
            };
            let head = find().or_else(|error: Error| match error.kind {
                Kind::Empty(_) | Kind::TooFewLines(_) => Ok(Start::Empty { end: text.len(), error: Box::new(error) }),
                _ => Err(error),
            })?;
            let unpacking = Unpacking { returns: returns || unpacking.returns, ..unpacking };
            Ok(Found { unpacking, head })
        };
        unpacking.look(&source, look)
    }

    /// Reads the heads of some parts; the first that has one says what the columns are. Parts that hold nothing are passed
    /// over, unless all do. Calls `check` several times a second; an error that it returns ends the work.
    pub(crate) fn heads<E: From<Failed>>(
        &self,
        origins: Vec<(Origin, String)>,
        header: &Header,
        mut check: impl FnMut() -> Result<(), E>,
    ) -> Result<Heads, E> {
        let (mut found, dialect, head) = self.first_head(&origins, header, &mut check)?;
        let header = match header {
            Header::Auto if head.is_named => &Header::Present,
            // The first row of another part may be wrong, and says nothing that is not known.
            Header::Auto | Header::Absent if self.on_error == OnError::Skip => &Header::Names(head.columns.clone()),
            Header::Auto => &Header::Absent,
            given => given,
        };
        let others = Self { dialect, finds_delimiter: false, ..*self };
        let results = others.read_each(&origins[found.len()..], header, &mut check)?;
        for result in results {
            let mut one = result.map_err(|error| self.failed(&origins, found.len(), error))?;
            if let Start::Head(_, other) = &mut one.head {
                other.keep_last_of(&head.columns);
            }
            found.push(one);
        }
        let has_rows = |found: &Found| matches!(&found.head, Start::Head(_, head) if head.has_rows);
        if !found.iter().any(has_rows) {
            let first = found.iter().position(|found| matches!(found.head, Start::Head(..))).unwrap_or_default();
            head.require_rows().map_err(|error| self.failed(&origins, first, error))?;
        }
        let part = |((origin, name), Found { unpacking, head }): ((Origin, String), Found)| match head {
            Start::Head(_, head) => {
                let ends_empty = head.ends_empty();
                let Head { columns, data_start, has_rows, .. } = *head;
                PartHead { origin, name, unpacking, data_start, columns: Some(columns), ends_empty, has_rows }
            }
            Start::Empty { end, .. } => {
                let (columns, ends_empty, has_rows) = (None, false, false);
                PartHead { origin, name, unpacking, data_start: end, columns, ends_empty, has_rows }
            }
        };
        Ok(Heads { head, dialect, parts: origins.into_iter().zip(found).map(part).collect() })
    }

    /// The parts up to the first that has a head, how that is written, and its head.
    fn first_head<E: From<Failed>>(
        &self,
        origins: &[(Origin, String)],
        header: &Header,
        check: &mut impl FnMut() -> Result<(), E>,
    ) -> Result<(Vec<Found>, Dialect, Head), E> {
        let mut found: Vec<Found> = Vec::new();
        while found.len() < origins.len() {
            // The first is seldom empty.
            let count = if found.is_empty() { 1 } else { LOOKED_AT.min(origins.len() - found.len()) };
            for result in self.read_each(&origins[found.len()..][..count], header, check)? {
                let one = result.map_err(|error| self.failed(origins, found.len(), error))?;
                found.push(one);
                if let Some(Found { head: Start::Head(dialect, head), .. }) = found.last() {
                    let (dialect, head) = (*dialect, (**head).clone());
                    return Ok((found, dialect, head));
                }
            }
        }
        match found.swap_remove(0).head {
            Start::Empty { error, .. } => Err(self.failed(origins, 0, *error).into()),
            Start::Head(..) => unreachable!("it was returned"),
        }
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

    /// The heads of some parts, in order, up to the first that cannot be read.
    fn read_each<E>(
        &self,
        origins: &[(Origin, String)],
        header: &Header,
        check: &mut impl FnMut() -> Result<(), E>,
    ) -> Result<Vec<Result<Found, Error>>, E> {
        let work = Work::default();
        let found = Mutex::new(Vec::with_capacity(origins.len()));
        let thread = || std::thread::Builder::new().name("csvfeed-head".to_owned());
        let read = || {
            loop {
                let at = work.next.fetch_add(1, Ordering::Relaxed);
                // Those before one that failed are looked at all the same: the first counts.
                if at >= origins.len() || at >= work.end.load(Ordering::Relaxed) {
                    return;
                }
                let (origin, name) = &origins[at];
                let result = self.read(origin, name, header, &work);
                if result.is_err() {
                    work.end.fetch_min(at, Ordering::Relaxed);
                }
                found.lock().unwrap_or_else(PoisonError::into_inner).push((at, result));
            }
        };
        let may_take_long = origins.iter().any(|(origin, _)| origin.calls_python());
        let threads =
            if may_take_long { FAR_THREADS.min(origins.len()) } else { self.threads.min(origins.len().div_ceil(4)) };
        std::thread::scope(|scope| {
            let read = &read;
            if !may_take_long {
                for _ in 1..threads {
                    // This one reads them all where no other can be started.
                    if thread().spawn_scoped(scope, read).is_err() {
                        break;
                    }
                }
                read();
                return Ok(());
            }
            let (tell, told) = mpsc::channel::<()>();
            for number in 0..threads {
                let tell = tell.clone();
                let work = move || {
                    read();
                    drop(tell);
                };
                match thread().spawn_scoped(scope, work) {
                    Ok(_) => {}
                    Err(error) if number == 0 => {
                        found
                            .lock()
                            .unwrap_or_else(PoisonError::into_inner)
                            .push((0, Err(Kind::Threads(error).into())));
                        break;
                    }
                    Err(_) => break,
                }
            }
            drop(tell);
            while let Err(mpsc::RecvTimeoutError::Timeout) = told.recv_timeout(PATIENCE) {
                check().inspect_err(|_| work.give_up())?;
            }
            Ok(())
        })?;
        let mut found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
        found.sort_by_key(|(at, _)| *at);
        Ok(found.into_iter().map(|(_, result)| result).collect())
    }
}

/// What the threads that read heads share.
struct Work {
    /// The next part to be read.
    next: AtomicUsize,
    /// The first that need not be.
    end: AtomicUsize,
    /// What they read that is far away.
    far: Mutex<Vec<Weak<dyn Source>>>,
    /// What they opened to see what it is.
    opened: Mutex<Vec<Py<PyAny>>>,
}

impl Default for Work {
    fn default() -> Self {
        Self {
            next: AtomicUsize::new(0),
            end: AtomicUsize::new(usize::MAX),
            far: Mutex::default(),
            opened: Mutex::default(),
        }
    }
}

impl Work {
    fn begin(&self, source: &Arc<dyn Source>) {
        self.far.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::downgrade(source));
        if self.is_given_up() {
            source.abandon();
        }
    }

    fn begin_opening(&self, handle: Py<PyAny>) {
        self.opened.lock().unwrap_or_else(PoisonError::into_inner).push(handle);
    }

    fn is_given_up(&self) -> bool {
        self.end.load(Ordering::SeqCst) == 0
    }

    fn give_up(&self) {
        self.end.store(0, Ordering::SeqCst);
        let far = std::mem::take(&mut *self.far.lock().unwrap_or_else(PoisonError::into_inner));
        far.iter().filter_map(Weak::upgrade).for_each(|source| source.abandon());
        // Never with the lock, which those who have the GIL take.
        let opened = std::mem::take(&mut *self.opened.lock().unwrap_or_else(PoisonError::into_inner));
        Python::try_attach(|py| opened.iter().for_each(|handle| drop(handle.call_method0(py, "close"))));
    }
}

/// The same pieces of text, with newlines in place of carriage returns.
fn with_newlines(pieces: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let newline = |byte: &u8| if *byte == b'\r' { b'\n' } else { *byte };
    pieces.iter().map(|piece| piece.iter().map(newline).collect()).collect()
}
