//! Rows that `on_error="skip"` rejects: what is wrong with each, in file order.
//!
//! The parser records the rejects of each text, and they travel with its block. The consumer takes blocks in order and
//! keeps a `Tally`, so it always finds the same row to be one too many, regardless of threads and block sizes. Each
//! row is recorded once, with the error that it would have raised.

use std::sync::OnceLock;

use crate::error::{Error, Kind};
use crate::table::parts::{Lines, Parts};

/// How many rejects of a table are kept individually. The others are only counted.
pub const REMEMBERED: usize = 100;

/// A rejected row.
#[derive(Debug)]
pub struct Reject {
    /// What is wrong with it, and where.
    pub error: Error,
    /// The row without its line end, if rows are recorded.
    pub row: Vec<u8>,
    /// Rows of its block that precede it.
    pub(crate) before: usize,
}

/// The rejected rows of some text.
#[derive(Debug, Default)]
pub struct Rejects {
    /// The number of rejects for each reason.
    reasons: Vec<(&'static str, u64)>,
    /// The first rejects.
    list: Vec<Reject>,
    /// The line numbers of the first rejects, computed on demand.
    lines: OnceLock<Vec<u64>>,
}

/// Which rejects of a text are recorded individually, and how.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Recording {
    /// How many to record at most.
    pub most: usize,
    /// Whether to record the whole row.
    pub rows: bool,
}

impl Rejects {
    /// The number of rejects.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.reasons.iter().map(|(_, count)| count).sum()
    }

    /// The number of rejects for each reason, in order of first occurrence.
    #[must_use]
    pub fn reasons(&self) -> &[(&'static str, u64)] {
        &self.reasons
    }

    /// The first rejects, as many as were recorded.
    #[must_use]
    pub fn list(&self) -> &[Reject] {
        &self.list
    }

    /// The line numbers of the rejects in [`Rejects::list`]. Fails if a part can no longer be read. Calls `check`
    /// several times a second and stops at the first error that it returns.
    pub fn lines<E: From<Error>>(
        &self,
        parts: &Parts,
        mut check: impl FnMut() -> std::result::Result<(), E>,
    ) -> std::result::Result<&[u64], E> {
        if let Some(lines) = self.lines.get() {
            return Ok(lines);
        }
        let mut counted = Lines::of(parts);
        let mut lines = Vec::with_capacity(self.list.len());
        for place in self.list.iter().filter_map(|reject| reject.error.offset) {
            let unreadable = || Error::from(Kind::SourceChanged("it can no longer be read"));
            lines.push(counted.at_checking(place, &mut check)?.ok_or_else(unreadable)?);
        }
        Ok(self.lines.get_or_init(|| lines))
    }

    /// The places of the rejects that were recorded, in file order.
    pub(crate) fn places(&self) -> Vec<u64> {
        self.list.iter().filter_map(|reject| reject.error.offset).collect()
    }

    /// Keeps the first rejects as if no more had been recorded.
    pub(crate) fn truncate(&mut self, recording: Recording) {
        self.list.truncate(recording.most);
    }

    /// Counts a reject, and calls `note` to record it if there is room.
    pub(crate) fn add(&mut self, recording: Recording, reason: &'static str, note: impl FnOnce() -> Reject) {
        self.count_in(reason, 1);
        if self.list.len() < recording.most {
            self.list.push(note());
        }
    }

    fn count_in(&mut self, reason: &'static str, more: u64) {
        match self.reasons.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, count)) => *count += more,
            None => self.reasons.push((reason, more)),
        }
    }
}

/// The rejects so far, with the limit on their number.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    allowed: Option<u64>,
    found: Rejects,
}

impl Tally {
    /// An empty tally. `allowed` is the limit, or `None` for no limit.
    pub(crate) fn new(allowed: Option<u64>) -> Self {
        Self { allowed, found: Rejects::default() }
    }

    /// What to record of each text: at least the first `most` rejects, and enough to find the one that exceeds the
    /// limit.
    pub(crate) fn recording(allowed: Option<u64>, most: usize) -> Recording {
        let needed = allowed.map_or(0, |allowed| usize::try_from(allowed.saturating_add(1)).unwrap_or(usize::MAX));
        Recording { most: most.max(needed), rows: false }
    }

    /// Adds the rejects of the next text. If they exceed the limit, returns the number of rows of the text before the
    /// first reject beyond it, and the error to raise.
    pub(crate) fn add(&mut self, rejects: Rejects) -> Option<(usize, Error)> {
        let before = self.found.count();
        if let Some(allowed) = self.allowed
            && before + rejects.count() > allowed
        {
            let reject = rejects.list.get((allowed - before) as usize)?;
            return Some((reject.before, reject.error.as_too_many_rejects(allowed)));
        }
        for &(reason, more) in &rejects.reasons {
            self.found.count_in(reason, more);
        }
        let room = REMEMBERED.saturating_sub(self.found.list.len());
        self.found.list.extend(rejects.list.into_iter().take(room));
        None
    }

    /// The number of rejects.
    pub(crate) fn count(&self) -> u64 {
        self.found.count()
    }

    /// All rejects.
    pub(crate) fn into_found(self) -> Rejects {
        self.found
    }
}
