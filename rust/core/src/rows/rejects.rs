//! Rows that are wrong and left out, where `on_error` says so: what is wrong with each, in the order of the file.
//!
//! The parser notes those of each text, which travel with its block; whoever takes the blocks in their order keeps a
//! [`Tally`], and so knows which of them is one too many, whatever the threads and the blocks. A row is noted once, with the
//! error that it would have been.

use std::sync::OnceLock;

use crate::error::{Error, Kind};
use crate::table::parts::{Lines, Parts};

/// How many rejects of a table are remembered one by one; of the others it is known how many there are.
pub const REMEMBERED: usize = 100;

/// A row that is left out.
#[derive(Debug)]
pub struct Reject {
    /// What is wrong with it, and where.
    pub error: Error,
    /// The row without its line end, if it was asked for.
    pub row: Vec<u8>,
    /// Rows of its block that come before it.
    pub(crate) before: usize,
}

/// The rows that are left out of some text.
#[derive(Debug, Default)]
pub struct Rejects {
    /// How many there are, reason by reason.
    reasons: Vec<(&'static str, u64)>,
    /// The first of them.
    list: Vec<Reject>,
    /// The lines of these, once somebody asked.
    lines: OnceLock<Vec<u64>>,
}

/// Which rejects of a text are noted one by one, and how.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Noting {
    /// Only the first so many.
    pub most: usize,
    /// Together with the whole row.
    pub rows: bool,
}

impl Rejects {
    /// How many there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.reasons.iter().map(|(_, count)| count).sum()
    }

    /// How many there are for each reason, the reason that came first at the beginning.
    #[must_use]
    pub fn reasons(&self) -> &[(&'static str, u64)] {
        &self.reasons
    }

    /// The first of them, as many as were noted.
    #[must_use]
    pub fn list(&self) -> &[Reject] {
        &self.list
    }

    /// The lines of the first of them, in parts that can still be read. Calls `check` several times a second; an error that
    /// it returns ends the counting.
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

    /// Takes in the next, of which `note` tells more if it is to be noted.
    pub(crate) fn add(&mut self, noting: Noting, reason: &'static str, note: impl FnOnce() -> Reject) {
        self.count_in(reason, 1);
        if self.list.len() < noting.most {
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

/// The rejects met so far, of which only so many may be.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    allowed: Option<u64>,
    found: Rejects,
}

impl Tally {
    /// Nothing yet; `allowed` is how many there may be, if not any number.
    pub(crate) fn new(allowed: Option<u64>) -> Self {
        Self { allowed, found: Rejects::default() }
    }

    /// What has to be noted of each text so that the one too many can be told, and besides it the first `most`.
    pub(crate) fn noting(allowed: Option<u64>, most: usize) -> Noting {
        let needed = allowed.map_or(0, |allowed| usize::try_from(allowed.saturating_add(1)).unwrap_or(usize::MAX));
        Noting { most: most.max(needed), rows: false }
    }

    /// Takes in those of the next text. If they are too many: the rows of the text before the first of them that is, and the
    /// error to raise in its place.
    pub(crate) fn add(&mut self, rejects: Rejects) -> Option<(usize, Error)> {
        let before = self.found.count();
        if let Some(allowed) = self.allowed
            && before + rejects.count() > allowed
        {
            let reject = rejects.list.get((allowed - before) as usize)?;
            return Some((reject.before, reject.error.as_one_too_many(allowed)));
        }
        for &(reason, more) in &rejects.reasons {
            self.found.count_in(reason, more);
        }
        let room = REMEMBERED.saturating_sub(self.found.list.len());
        self.found.list.extend(rejects.list.into_iter().take(room));
        None
    }

    /// How many there are.
    pub(crate) fn count(&self) -> u64 {
        self.found.count()
    }

    /// All of them.
    pub(crate) fn into_found(self) -> Rejects {
        self.found
    }
}
