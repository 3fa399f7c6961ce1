//! The heads of the parts of a table, which must have the same columns.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak, mpsc};
use std::time::Duration;

use csvfeed_core::dialect::{Dialect, Head, Header, detect_delimiter, read_head};
use csvfeed_core::error::{Error, Kind};
use csvfeed_core::parts::{self, Bytes, Layout, Parts};
use csvfeed_core::schema::{Missing, OnError};
use csvfeed_core::source::{CarriageReturns, Codec, Prefix, Source, Stream, Transcoding, ends_with_returns};

use pyo3::prelude::*;

use crate::error::line;
use crate::origin::Origin;

/// Threads that read heads from far away.
const FAR_THREADS: usize = 16;

/// How long it takes until Ctrl-C is looked for.
const PATIENCE: Duration = Duration::from_millis(50);

/// Columns that are named when parts differ.
const NAMED: usize = 5;

/// Says how the beginning of a file is read.
#[derive(Clone, Copy)]
pub(crate) struct Reading<'a> {
    pub dialect: Dialect,
    /// Whether its delimiter is that of the first part.
    pub finds_delimiter: bool,
    pub transcoding: Transcoding,
    pub missing: &'a Missing,
    pub on_error: OnError,
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
}

impl Unpacking {
    /// The text of a source.
    pub(crate) fn text(self, source: Arc<dyn Source>) -> Bytes {
        match Stream::with(&source, self.codec, self.transcoding) {
            Some(stream) => Bytes::Stream(Arc::new(stream.with_returns(self.returns))),
            None if self.returns => Bytes::Source(Arc::new(CarriageReturns(source))),
            None => Bytes::Source(source),
        }
    }
}

/// What the beginning of a part says.
struct Found {
    unpacking: Unpacking,
    dialect: Dialect,
    head: Head,
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
    /// Where it has the columns, if not in the order of the first.
    pub layout: Option<Layout>,
}

impl Reading<'_> {
    fn read(&self, origin: &Origin, name: &str, header: &Header, work: &Work) -> Result<Found, Error> {
        origin.look(&|handle| work.begin_opening(handle), &|| work.is_given_up())?;
        let source = origin.open(name, None)?;
        if origin.calls_python() {
            work.begin(&source);
        }
        let codec = Codec::of_source(&*source)?;
        let look = |text: &dyn Source| {
            let returns = ends_with_returns(text, self.max_row)?;
            let translated = CarriageReturns(text);
            let text = if returns { &translated } else { text };
            let mut dialect = self.dialect;
            if self.finds_delimiter {
                dialect = detect_delimiter(text, dialect, self.missing)?;
            }
            let head = read_head(text, dialect, header, self.missing, self.on_error, self.max_row)?;
            Ok(Found { unpacking: Unpacking { codec, transcoding: self.transcoding, returns }, dialect, head })
        };
        match Stream::with(&source, codec, self.transcoding) {
            Some(stream) => Prefix::of_stream(&stream, look),
            None => Prefix::of_source(&*source, look),
        }
    }

    /// Reads the heads of some parts; the first of them says what the columns are. Calls `check` several times a second; an
    /// error that it returns ends the work.
    pub(crate) fn parts<E: From<Failed>>(
        &self,
        origins: Vec<(Origin, String)>,
        header: &Header,
        mut check: impl FnMut() -> Result<(), E>,
    ) -> Result<(Head, Dialect, Vec<Part>), E> {
        let failed = |(part, error): (usize, Error)| {
            let (origin, name) = &origins[part];
            let line = error.offset.and_then(|offset| self.line(origin, name, &error, offset));
            Failed { part, error: Box::new(error), line }
        };
        let first = self.read_each(&origins[..1], header, &mut check)?.pop();
        let Found { unpacking, dialect, head: first } = first.expect("a part").map_err(|error| failed((0, error)))?;
        let header = match header {
            Header::Auto if first.reference == "header" => &Header::Present,
            // The first row of another part may be wrong, and says nothing that is not known.
            Header::Auto | Header::Absent if self.on_error == OnError::Skip => &Header::Names(first.columns.clone()),
            Header::Auto => &Header::Absent,
            given => given,
        };
        let others = Self { dialect, finds_delimiter: false, ..*self };
        let others = others.read_each(&origins[1..], header, &mut check)?.into_iter().enumerate();
        let found = others.map(|(at, result)| result.map_err(|error| failed((at + 1, error))));
        let found = found.collect::<Result<Vec<_>, _>>()?;
        if !first.has_rows && !found.iter().any(|found| found.head.has_rows) {
            first.require_rows().map_err(|error| failed((0, error)))?;
        }
        let mut layouts = Layouts { known: HashMap::new(), first: &first, name: &origins[0].1 };
        let mut heads = vec![(unpacking, first.data_start, None)];
        for (at, Found { unpacking, head, .. }) in found.into_iter().enumerate() {
            let layout = layouts.of(head.columns).map_err(|error| failed((at + 1, error)))?;
            heads.push((unpacking, head.data_start, layout));
        }
        let parts = origins.into_iter().zip(heads).map(|((origin, name), (unpacking, data_start, layout))| Part {
            origin,
            name,
            unpacking,
            data_start,
            layout,
        });
        Ok((first, dialect, parts.collect()))
    }

    /// The line of an error at the beginning of a part.
    fn line(&self, origin: &Origin, name: &str, error: &Error, offset: u64) -> Option<u64> {
        let source = origin.open(name, None).ok()?;
        let codec = Codec::of_source(&*source).ok()?;
        let look = |text: &dyn Source| ends_with_returns(text, self.max_row);
        let returns = match Stream::with(&source, codec, self.transcoding) {
            Some(stream) => Prefix::of_stream(&stream, look),
            None => Prefix::of_source(&*source, look),
        };
        let bytes = Unpacking { codec, transcoding: self.transcoding, returns: returns.ok()? }.text(source);
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

/// Where parts have the columns of the first.
struct Layouts<'a> {
    known: HashMap<Vec<String>, Layout>,
    first: &'a Head,
    name: &'a str,
}

impl Layouts<'_> {
    fn of(&mut self, columns: Vec<String>) -> Result<Option<Layout>, Error> {
        let Head { columns: expected, reference, .. } = self.first;
        if columns == *expected {
            return Ok(None);
        }
        if *reference != "header" {
            let (found, expected, name) = (columns.len(), expected.len(), self.name);
            return Err(
                Kind::Parts(format!("the first row has {found} fields where that of {name} has {expected}")).into()
            );
        }
        if let Some(layout) = self.known.get(&columns) {
            return Ok(Some(Arc::clone(layout)));
        }
        let mut places: HashMap<&str, Vec<usize>> = HashMap::new();
        // A name that there is twice is found in the order of the file.
        for (at, name) in columns.iter().enumerate().rev() {
            places.entry(name).or_default().push(at);
        }
        let mut missing = Vec::new();
        let mut layout = Vec::with_capacity(expected.len());
        for name in expected {
            match places.get_mut(name.as_str()).and_then(Vec::pop) {
                Some(at) => layout.push(at),
                None => missing.push(name.as_str()),
            }
        }
        let mut more: Vec<_> = places.into_values().flatten().collect();
        more.sort_unstable();
        if missing.is_empty() && more.is_empty() {
            let layout: Layout = layout.into();
            self.known.insert(columns, Arc::clone(&layout));
            return Ok(Some(layout));
        }
        let more: Vec<_> = more.into_iter().map(|at| columns[at].as_str()).collect();
        let differences = [("it lacks ", missing), ("it has also ", more)];
        let differences = differences.iter().filter(|(_, names)| !names.is_empty());
        let differences: Vec<_> = differences.map(|(what, names)| format!("{what}{}", list(names))).collect();
        let (name, differences) = (self.name, differences.join(", and "));
        Err(Error {
            offset: Some(0),
            ..Kind::Parts(format!("the columns are not those of {name}: {differences}")).into()
        })
    }
}

fn list(names: &[&str]) -> String {
    let shown: Vec<_> = names.iter().take(NAMED).map(|name| format!("{name:?}")).collect();
    let more = names.len().saturating_sub(NAMED);
    shown.join(", ") + &if more > 0 { format!(" and {more} more") } else { String::new() }
}
