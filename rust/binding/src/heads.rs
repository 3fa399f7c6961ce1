//! The heads of the parts of a table, which must have the same columns.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use csvfeed_core::dialect::{Dialect, Head, Header, read_head};
use csvfeed_core::error::{Error, Kind};
use csvfeed_core::parts::{self, Bytes, Layout, Parts};
use csvfeed_core::schema::Missing;
use csvfeed_core::source::{Codec, Encoding, Prefix, Source, Stream};

use crate::error::line;
use crate::origin::Origin;

/// Threads that read heads from far away.
const FAR_THREADS: usize = 16;

/// Columns that are named when parts differ.
const NAMED: usize = 5;

/// Says how the beginning of a file is read.
pub(crate) struct Reading<'a> {
    pub dialect: Dialect,
    pub encoding: Encoding,
    pub missing: &'a Missing,
    pub max_row: usize,
    pub threads: usize,
}

/// The first part that cannot be read, why, and on which line.
type Failed = (usize, Error, Option<u64>);

/// What is known of a part.
pub(crate) struct Part {
    pub origin: Origin,
    pub name: String,
    /// What it is compressed with.
    pub codec: Option<Codec>,
    /// Byte offset of the first row.
    pub data_start: u64,
    /// Where it has the columns, if not in the order of the first.
    pub layout: Option<Layout>,
}

/// The text of a source.
pub(crate) fn text(source: Arc<dyn Source>, codec: Option<Codec>, encoding: Encoding) -> Bytes {
    match Stream::with(&source, codec, encoding) {
        Some(stream) => Bytes::Stream(Arc::new(stream)),
        None => Bytes::Source(source),
    }
}

impl Reading<'_> {
    fn read(&self, origin: &Origin, name: &str, header: &Header) -> Result<(Option<Codec>, Head), Error> {
        let source = origin.open(name, None)?;
        let look = |text: &dyn Source| read_head(text, self.dialect, header, self.missing, self.max_row);
        let mut start = [0; 16];
        let start = &mut start[..source.len().min(16) as usize];
        source.read_at(0, start)?;
        let codec = Codec::of(start);
        let head = match Stream::with(&source, codec, self.encoding) {
            Some(stream) => Prefix::of_stream(&stream, look),
            None => Prefix::of_source(&*source, look),
        }?;
        Ok((codec, head))
    }

    /// Reads the heads of some parts; the first of them says what the columns are.
    pub(crate) fn parts(&self, origins: Vec<(Origin, String)>, header: &Header) -> Result<(Head, Vec<Part>), Failed> {
        let failed = |(part, error): (usize, Error)| {
            let (origin, name) = &origins[part];
            let line = error.offset.and_then(|offset| self.line(origin, name, &error, offset));
            (part, error, line)
        };
        let (origin, name) = &origins[0];
        let (codec, first) = self.read(origin, name, header).map_err(|error| failed((0, error)))?;
        let header = match header {
            Header::Auto if first.reference == "header" => &Header::Present,
            Header::Auto => &Header::Absent,
            given => given,
        };
        let found = self.others(&origins, header).map_err(failed)?;
        if !first.has_rows && !found.iter().any(|(_, head)| head.has_rows) {
            first.require_rows().map_err(|error| failed((0, error)))?;
        }
        let mut layouts = Layouts { known: HashMap::new(), first: &first, name };
        let mut heads = vec![(codec, first.data_start, None)];
        for (at, (codec, head)) in found.into_iter().enumerate() {
            let layout = layouts.of(head.columns).map_err(|error| failed((at + 1, error)))?;
            heads.push((codec, head.data_start, layout));
        }
        let parts = origins.into_iter().zip(heads).map(|((origin, name), (codec, data_start, layout))| Part {
            origin,
            name,
            codec,
            data_start,
            layout,
        });
        Ok((first, parts.collect()))
    }

    /// The line of an error at the beginning of a part.
    fn line(&self, origin: &Origin, name: &str, error: &Error, offset: u64) -> Option<u64> {
        let source = origin.open(name, None).ok()?;
        let mut start = [0; 16];
        let start = &mut start[..source.len().min(16) as usize];
        source.read_at(0, start).ok()?;
        let bytes = text(Arc::clone(&source), Codec::of(start), self.encoding);
        line(error, &Parts::new(vec![parts::Part { bytes, data_start: 0, layout: None }]), 0, offset)
    }

    /// The heads of all but the first.
    fn others(
        &self,
        origins: &[(Origin, String)],
        header: &Header,
    ) -> Result<Vec<(Option<Codec>, Head)>, (usize, Error)> {
        let next = AtomicUsize::new(1);
        let found = Mutex::new(Vec::with_capacity(origins.len()));
        let failed = AtomicUsize::new(usize::MAX);
        let work = || {
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                // Those before one that failed are looked at all the same: the first counts.
                if at >= origins.len() || at > failed.load(Ordering::Relaxed) {
                    return;
                }
                let (origin, name) = &origins[at];
                let result = self.read(origin, name, header);
                if result.is_err() {
                    failed.fetch_min(at, Ordering::Relaxed);
                }
                found.lock().unwrap_or_else(PoisonError::into_inner).push((at, result));
            }
        };
        let is_far = origins.iter().any(|(origin, _)| origin.is_far());
        let threads = if is_far { self.threads.max(FAR_THREADS) } else { self.threads };
        std::thread::scope(|scope| {
            for _ in 1..threads.min(origins.len() / 4) {
                scope.spawn(work);
            }
            work();
        });
        let mut found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
        found.sort_by_key(|(at, _)| *at);
        found.into_iter().map(|(at, result)| result.map_err(|error| (at, error))).collect()
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
