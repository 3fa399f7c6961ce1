//! Tracks the content of a file, to tell a change of its bytes from a change of its name, mode or links.
//!
//! A write moves the change time of a file, which nobody can set back. But so do `chmod`, a new hard link, and a backup
//! that restores the access time. Only the bytes tell these apart. Each read therefore records a checksum, and if only
//! the change time has moved, the bytes are read again and compared. A file is compared with everything that this
//! process has read of it, for any dataset.

use std::collections::HashMap;
use std::fs::File;
use std::io::ErrorKind;
use std::sync::{Arc, MutexGuard, Weak};
use std::time::{SystemTime, UNIX_EPOCH};

use xxhash_rust::xxh3::{Xxh3, xxh3_64};

use crate::budget::Size;
use crate::error::{Error, Kind, Result};
use crate::platform::{FileExt, FileIdentity, TICK, Time, identity_of};
use crate::process::PerProcess;

/// How many checksums are kept of a file. If there are more, every other one is dropped.
const SUMS: Size = Size { usual: 1 << 18, small: 1 << 10 };

/// How many bytes are read again at most. A spread sample stands for larger files.
const COMPARED: u64 = 1 << 30;

/// How often a file may change its times during one read.
const ROUNDS: usize = 100;

/// One content of a file.
pub struct Version {
    identity: FileIdentity,
    seen: PerProcess<Seen>,
}

/// What was read of a file.
#[derive(Clone, Default)]
struct Seen {
    /// The latest change time at which the content is known to be the same.
    changed: Time,
    /// Whether any later write will move the times.
    is_settled: bool,
    /// The length and checksum of the read at each offset.
    sums: HashMap<u64, (usize, u64)>,
    /// One in 2^`sparsity` offsets is kept.
    sparsity: u32,
}

/// The versions that are in use.
static KNOWN: PerProcess<HashMap<FileIdentity, Weak<Version>>> = PerProcess::new();

impl Version {
    /// The version of a file with this identity, shared within the process.
    pub(super) fn of(identity: FileIdentity) -> Arc<Self> {
        let mut known = KNOWN.lock();
        if let Some(version) = known.get(&identity).and_then(Weak::upgrade) {
            return version;
        }
        if known.len() == known.capacity() {
            known.retain(|_, version| version.strong_count() > 0);
        }
        let seen = Seen {
            changed: identity.changed(),
            is_settled: is_old(identity.changed()),
            sums: HashMap::new(),
            sparsity: 0,
        };
        let version = Arc::new(Self { identity, seen: PerProcess::with(seen) });
        known.insert(identity, Arc::downgrade(&version));
        version
    }

    /// The identity of the file when it was first opened.
    #[must_use]
    pub fn identity(&self) -> FileIdentity {
        self.identity
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock()
    }

    /// Whether a file with the identity `found` certainly has the same content.
    pub(super) fn is_certainly_unchanged(&self, found: FileIdentity) -> bool {
        found.differs_at_most_in_change_time(&self.identity) && found.changed() == self.seen().changed
    }

    /// Compares an open file with this version.
    pub(super) fn check(&self, file: &File) -> Result<()> {
        let found = identity_of(file)?;
        if self.is_certainly_unchanged(found) {
            return Ok(());
        }
        if !found.differs_at_most_in_change_time(&self.identity) {
            return Err(Kind::SourceChanged("another size or time").into());
        }
        let mut seen = self.seen();
        self.compare(&mut seen, file, "another content")
    }

    /// Fills `buffer` with bytes of this version from `offset` on.
    pub(super) fn read_at(&self, file: &File, offset: u64, buffer: &mut [u8]) -> Result<()> {
        for _ in 0..ROUNDS {
            file.read_exact_at(buffer, offset).map_err(|error| match error.kind() {
                ErrorKind::UnexpectedEof => Kind::SourceChanged("it was truncated while it was read"),
                _ => Kind::Io(error),
            })?;
            let sum = sum(buffer);
            let found = identity_of(file)?;
            if !found.differs_at_most_in_change_time(&self.identity) {
                return Err(written());
            }
            let mut seen = self.seen();
            if seen.changed != found.changed() {
                // The buffer may be older or newer than the change time just accepted, so read it again.
                self.compare(&mut seen, file, WRITTEN)?;
                continue;
            }
            seen.note(offset, buffer.len(), sum)?;
            if !seen.is_settled && is_old(found.changed()) {
                self.compare(&mut seen, file, WRITTEN)?;
            }
            return Ok(());
        }
        Err(written())
    }

    /// Reads everything again, compares it, and accepts the new change time.
    fn compare(&self, seen: &mut Seen, file: &File, difference: &'static str) -> Result<()> {
        let is_other = || Error::from(Kind::SourceChanged(difference));
        let mut bytes = Vec::new();
        for _ in 0..ROUNDS {
            let before = identity_of(file)?;
            for (offset, (length, known)) in seen.spread() {
                bytes.resize(length, 0);
                file.read_exact_at(&mut bytes, offset).map_err(|error| match error.kind() {
                    ErrorKind::UnexpectedEof => is_other(),
                    _ => error.into(),
                })?;
                if self::sum(&bytes) != known {
                    return Err(is_other());
                }
            }
            let after = identity_of(file)?;
            if !after.differs_at_most_in_change_time(&self.identity) {
                return Err(is_other());
            }
            if before == after {
                seen.changed = after.changed();
                seen.is_settled = is_old(seen.changed);
                return Ok(());
            }
        }
        Err(is_other())
    }
}

impl Seen {
    /// Records a read, which must agree with an earlier one at the same place.
    fn note(&mut self, offset: u64, length: usize, sum: u64) -> Result<()> {
        if let Some(known) = self.sums.get_mut(&offset) {
            let is_other = known.0 == length && known.1 != sum;
            *known = (length, sum);
            return if is_other { Err(written()) } else { Ok(()) };
        }
        if self.is_kept(offset) {
            self.sums.insert(offset, (length, sum));
        }
        while self.sums.len() > SUMS.get() {
            self.sparsity += 1;
            let kept: HashMap<_, _> = self.sums.drain().collect();
            self.sums = kept.into_iter().filter(|(offset, _)| self.is_kept(*offset)).collect();
        }
        Ok(())
    }

    fn is_kept(&self, offset: u64) -> bool {
        xxh3_64(&offset.to_le_bytes()).trailing_zeros() >= self.sparsity
    }

    /// The reads to compare, in file order.
    fn spread(&self) -> Vec<(u64, (usize, u64))> {
        let mut all: Vec<_> = self.sums.iter().map(|(offset, known)| (*offset, *known)).collect();
        all.sort_unstable_by_key(|(offset, _)| *offset);
        let bytes: u64 = all.iter().map(|(_, (length, _))| *length as u64).sum();
        let step = usize::try_from(bytes.div_ceil(COMPARED)).unwrap_or(usize::MAX).max(1);
        all.into_iter().step_by(step).collect()
    }
}

const WRITTEN: &str = "it was written to while it was read";

fn written() -> Error {
    Kind::SourceChanged(WRITTEN).into()
}

/// A checksum over a quarter of the bytes of a read; all of them would add noticeably to the parsing time. Runs of cache
/// lines count, because the processor fetches neighbours faster than single lines. Which run of four counts varies, so
/// that rows of equal length cannot hide behind one another. The last bytes count in full, and so do short texts.
fn sum(bytes: &[u8]) -> u64 {
    const RUN: usize = 512;
    const GROUP: usize = 4 * RUN;
    let mut sum = [0_u64; 8];
    let mut order = [0_u64; 8];
    let (groups, rest) = bytes.as_chunks::<GROUP>();
    for (number, group) in groups.iter().enumerate() {
        let run = (number ^ (number >> 2)) % 4;
        for line in group[run * RUN..(run + 1) * RUN].as_chunks::<64>().0 {
            let words: [u64; 8] = bytemuck::pod_read_unaligned(line);
            for ((sum, order), word) in sum.iter_mut().zip(&mut order).zip(words) {
                *sum = sum.wrapping_add(word);
                *order = order.wrapping_add(*sum);
            }
        }
    }
    let mut all = Xxh3::new();
    all.update(bytemuck::cast_slice(&sum));
    all.update(bytemuck::cast_slice(&order));
    all.update(rest);
    all.digest()
}

/// Whether any later write gets a later time than this.
fn is_old((seconds, nanoseconds): Time) -> bool {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let since = i128::from(seconds) * 1_000_000_000 + i128::from(nanoseconds);
    now.as_nanos() as i128 > since + TICK.as_nanos() as i128
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checksum_changes_with_its_bytes() {
        let bytes: Vec<u8> = (0..10_000_u32).map(|at| (at * at % 251) as u8).collect();
        let of_all = sum(&bytes);
        assert_eq!(of_all, sum(&bytes.clone()));
        let seen = (0..bytes.len()).filter(|&at| {
            let mut other = bytes.clone();
            other[at] ^= 1;
            sum(&other) != of_all
        });
        assert!(seen.count() >= bytes.len() / 4);
        let mut turned = bytes.clone();
        turned.rotate_left(64);
        assert_ne!(sum(&turned), of_all);
        for length in 1..64 {
            let mut other = bytes[..length].to_vec();
            other[length - 1] ^= 1;
            assert_ne!(sum(&other), sum(&bytes[..length]));
        }
    }

    #[test]
    fn many_checksums_are_thinned_evenly() {
        let mut seen = Seen { changed: (0, 0), is_settled: true, sums: HashMap::new(), sparsity: 0 };
        let most = SUMS.get();
        for offset in 0..10 * most as u64 {
            seen.note(offset, 1, offset).unwrap();
        }
        assert!((most / 8..=most).contains(&seen.sums.len()), "{}", seen.sums.len());
        let offsets: Vec<_> = seen.spread().into_iter().map(|(offset, _)| offset).collect();
        assert!(offsets.is_sorted());
        assert!(offsets.iter().any(|&offset| offset < most as u64));
        assert!(offsets.iter().any(|&offset| offset > 9 * most as u64));
        assert!(seen.note(offsets[0], 1, 1 << 40).is_err(), "another sum at a known place");
    }
}
