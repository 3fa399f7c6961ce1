//! Parsed rows in a file, so that later epochs read them at the speed of memory.
//!
//! The first epoch writes the rows to a draft and renames it when it is complete, so nobody ever finds a partial file.
//! The file holds three arrays as they are in memory: features, targets and weights. Before them it holds a checksum of
//! each slice, so that damage is found where it is, and the data needed to find a row. A damaged file is
//! removed, and one with another key or layout is ignored; the rows are then read from the table. The next process that
//! starts to write removes the drafts of processes that were killed.

use std::fs::{self, File, TryLockError};
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, MutexGuard, Weak};

use xxhash_rust::xxh3::{Xxh3, xxh3_64, xxh3_128};

use super::selection::Selection;
use crate::choose::Step;
use crate::platform::{FileExt, has_name};
use crate::process::PerProcess;
use crate::rows::{Block, Pool, Widths};
use crate::table::roles::PerRole;

/// The first bytes of every cache file.
const MAGIC: [u8; 16] = *b"csvfeed cache 1\n";
/// The arrays begin at multiples of this number.
const ALIGNMENT: u64 = 64;
/// The file name extension of a draft.
const DRAFT: &str = "csvfeed-draft";
/// Magic, key, eight numbers and their checksum.
const HEADER: usize = 16 + 16 + 8 * 9;

/// The cache file for the rows of a selection, whether or not it exists.
pub struct Cache {
    path: PathBuf,
    key: u128,
    widths: Widths,
    state: PerProcess<State>,
}

#[derive(Clone, Default)]
enum State {
    /// There is no usable file.
    #[default]
    Absent,
    /// An epoch is writing a file.
    Written(Weak<Writer>),
    Complete(Arc<Complete>),
    /// The file could not be written. The message is reported once.
    Failed(Option<String>),
}

/// A file with all rows.
struct Complete {
    file: File,
    layout: Layout,
    sums: Vec<u64>,
    /// The values that replace missing ones.
    filling: Vec<f32>,
}

/// The layout of the file.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Layout {
    slices: u64,
    rows: u64,
    widths: Widths,
    /// The number of values that replace missing ones.
    filling: u64,
    /// The length of the serialized selection in bytes.
    selection: u64,
}

impl Layout {
    /// Bytes between the header and the rows: the checksums, the fill values and the selection.
    fn tables(&self) -> Option<u64> {
        self.slices.checked_mul(8)?.checked_add(self.filling.checked_mul(4)?)?.checked_add(self.selection)
    }

    /// The places of features, targets and weights, and the end of the file.
    fn places(&self) -> (PerRole<u64>, u64) {
        let Self { rows, widths, .. } = *self;
        let tables = self.tables().expect("as many bytes as there are");
        let features = (HEADER as u64 + tables).next_multiple_of(ALIGNMENT);
        let after = |start: u64, width: usize| (start + 4 * rows * width as u64).next_multiple_of(ALIGNMENT);
        let targets = after(features, widths.features);
        let weights = after(targets, widths.targets);
        (PerRole { features, targets, weights }, after(weights, widths.weights))
    }

    fn header(&self, key: u128, tables: &[u8]) -> Vec<u8> {
        let Self { slices, rows, widths, filling, selection } = *self;
        let mut header = [&MAGIC[..], &key.to_le_bytes()].concat();
        let PerRole { features, targets, weights } = widths.map(|width| width as u64);
        let numbers = [slices, rows, features, targets, weights, filling, selection, xxh3_64(tables)];
        header.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
        header.extend(xxh3_64(&header).to_le_bytes());
        header
    }
}

impl Cache {
    /// Opens the cache in a directory. `key` describes the source and every option that affects the rows. If the file
    /// exists, also returns the selection of its rows.
    #[must_use]
    pub fn open(directory: &Path, key: &str, widths: Widths, steps: &[Step]) -> (Arc<Self>, Option<Arc<Selection>>) {
        let key = xxh3_128(format!("{key} {} {}", cfg!(target_endian = "big"), env!("CARGO_PKG_VERSION")).as_bytes());
        let path = directory.join(format!("{key:032x}.csvfeed"));
        let (state, selection) = match Complete::open(&path, key, widths, steps) {
            Some((complete, selection)) => (State::Complete(Arc::new(complete)), Some(selection)),
            None => (State::Absent, None),
        };
        (Arc::new(Self { path, key, widths, state: PerProcess::with(state) }), selection)
    }

    /// The values that replace missing ones, if the file exists.
    pub fn filling(&self) -> Option<Vec<f32>> {
        if let State::Complete(complete) = &*self.state() { Some(complete.filling.clone()) } else { None }
    }

    /// Whether the file is known to exist.
    pub(crate) fn is_complete(&self) -> bool {
        matches!(*self.state(), State::Complete(_))
    }

    /// Why the file could not be written. Reported once.
    pub fn failure(&self) -> Option<String> {
        if let State::Failed(failure) = &mut *self.state() { failure.take() } else { None }
    }

    fn failed(&self, error: &io::Error) -> State {
        State::Failed(Some(format!("{}: {error}", self.path.display())))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    /// Starts to write the file, unless it exists or is being written. It is complete with the slices that `needs` names;
    /// the others are never read.
    pub(crate) fn begin(
        self: &Arc<Self>,
        selection: &Selection,
        filling: &[f32],
        needs: impl Fn(usize) -> bool,
    ) -> Option<Arc<Writer>> {
        let mut state = self.state();
        match &*state {
            State::Absent => {}
            State::Written(writer) if writer.strong_count() == 0 => {}
            State::Written(_) | State::Complete(_) | State::Failed(_) => return None,
        }
        match Writer::new(self, selection, filling, needs) {
            Ok(writer) => {
                let writer = Arc::new(writer);
                *state = State::Written(Arc::downgrade(&writer));
                Some(writer)
            }
            Err(error) => {
                *state = self.failed(&error);
                None
            }
        }
    }

    /// Reads the rows of some slices, if the file exists and is intact.
    pub(crate) fn read(&self, selection: &Selection, slices: Range<usize>, pool: &Arc<Pool>) -> Option<Block> {
        let complete = match &*self.state() {
            State::Complete(complete) => Arc::clone(complete),
            _ => return None,
        };
        let block = complete.read(selection, slices, pool);
        if block.is_none() {
            let mut state = self.state();
            // Unless another thread did this already.
            if matches!(&*state, State::Complete(known) if Arc::ptr_eq(known, &complete)) {
                *state = State::Absent;
                // If it cannot be removed, the next writer replaces it.
                let _ = fs::remove_file(&self.path);
            }
        }
        block
    }
}

impl Complete {
    fn open(path: &Path, key: u128, widths: Widths, steps: &[Step]) -> Option<(Self, Arc<Selection>)> {
        let file = File::open(path).ok()?;
        let mut header = [0; HEADER];
        file.read_exact_at(&mut header, 0).ok()?;
        let numbers: [u64; 8] =
            std::array::from_fn(|at| u64::from_le_bytes(header[32 + 8 * at..][..8].try_into().expect("eight bytes")));
        let [slices, rows, _, _, _, filling, selection, _] = numbers;
        let layout = Layout { slices, rows, widths, filling, selection };
        let length = file.metadata().ok()?.len();
        // First check that the file has as many bytes as the numbers say.
        let mut tables = vec![0; layout.tables().filter(|&tables| tables <= length)? as usize];
        file.read_exact_at(&mut tables, HEADER as u64).ok()?;
        if header[..] != layout.header(key, &tables) || layout.places().1 != length {
            return None;
        }
        let (sums, rest) = tables.split_at(8 * slices as usize);
        let (filling, selection) = rest.split_at(4 * filling as usize);
        let selection = Selection::from_bytes(selection, slices as usize, steps)?;
        let sums = sums.as_chunks().0.iter().map(|&sum| u64::from_le_bytes(sum)).collect();
        let filling = filling.as_chunks().0.iter().map(|&value| f32::from_le_bytes(value)).collect();
        (selection.rows() == rows).then_some((Self { file, layout, sums, filling }, selection))
    }

    /// Returns `None` if the rows cannot be read or are damaged.
    fn read(&self, selection: &Selection, slices: Range<usize>, pool: &Arc<Pool>) -> Option<Block> {
        let widths = self.layout.widths;
        let first = selection.rows_before(slices.start);
        let rows = (selection.rows_before(slices.end) - first) as usize;
        let mut parts = self.layout.places().0.zip(widths).into_iter();
        let block = Block::filled(pool, widths, rows, |values| {
            let (start, width) = parts.next().expect("three parts");
            self.file.read_exact_at(bytemuck::cast_slice_mut(values), start + 4 * first * width as u64)
        });
        let block = block.ok()?;
        let is_whole = |slice: usize| sum(&block, widths, rows_of(selection, slice, first)) == self.sums[slice];
        slices.into_iter().all(is_whole).then_some(block)
    }
}

/// The rows of a slice, counted from `first`.
fn rows_of(selection: &Selection, slice: usize, first: u64) -> Range<usize> {
    (selection.rows_before(slice) - first) as usize..(selection.rows_before(slice + 1) - first) as usize
}

/// The checksum of some rows.
fn sum(block: &Block, widths: Widths, rows: Range<usize>) -> u64 {
    let mut sum = Xxh3::new();
    for values in block.values(widths, rows) {
        sum.update(bytemuck::cast_slice(values));
    }
    sum.digest()
}

/// Writes the rows of a selection slice by slice, in any order and from any thread.
pub(crate) struct Writer {
    cache: Arc<Cache>,
    file: File,
    /// The path of the file until it is complete.
    draft: PathBuf,
    layout: Layout,
    selection: Vec<u8>,
    filling: Vec<f32>,
    /// The checksum of each slice.
    sums: Vec<AtomicU64>,
    /// Whether each slice is written: 0 or 1.
    written: Vec<AtomicUsize>,
    /// The number of slices still missing.
    left: AtomicUsize,
}

impl Writer {
    fn new(
        cache: &Arc<Cache>,
        selection: &Selection,
        filling: &[f32],
        needs: impl Fn(usize) -> bool,
    ) -> io::Result<Self> {
        if let Some(directory) = cache.path.parent() {
            fs::create_dir_all(directory)?;
            remove_abandoned(directory);
        }
        let (draft, file) = new_draft(&cache.path)?;
        let slices = selection.row_index().slices();
        let is_written =
            |&slice: &usize| selection.rows_before(slice) < selection.rows_before(slice + 1) && needs(slice);
        let needed = (0..slices).filter(is_written).count();
        let bytes = selection.to_bytes();
        let layout = Layout {
            slices: slices as u64,
            rows: selection.rows(),
            widths: cache.widths,
            filling: filling.len() as u64,
            selection: bytes.len() as u64,
        };
        let writer = Self {
            cache: Arc::clone(cache),
            file,
            draft,
            layout,
            selection: bytes,
            filling: filling.to_vec(),
            sums: (0..slices).map(|_| AtomicU64::new(Xxh3::new().digest())).collect(),
            written: (0..slices).map(|_| AtomicUsize::new(0)).collect(),
            left: AtomicUsize::new(needed),
        };
        writer.file.set_len(layout.places().1)?;
        Ok(writer)
    }

    /// Writes the rows of consecutive slices.
    pub(crate) fn write(&self, selection: &Selection, slices: Range<usize>, block: &Block) {
        if !matches!(&*self.cache.state(), State::Written(_)) {
            return;
        }
        if let Err(error) = self.try_to_write(selection, slices, block) {
            *self.cache.state() = self.cache.failed(&error);
            // Free the disk space at once: this writer may live as long as the dataset.
            let _ = self.file.set_len(0);
            let _ = fs::remove_file(&self.draft);
        }
    }

    fn try_to_write(&self, selection: &Selection, slices: Range<usize>, block: &Block) -> io::Result<()> {
        let widths = self.layout.widths;
        let first = selection.rows_before(slices.start);
        let parts = self.layout.places().0.zip(widths);
        for (values, (start, width)) in block.values(widths, 0..block.rows).zip(parts) {
            self.file.write_all_at(bytemuck::cast_slice(values), start + 4 * first * width as u64)?;
        }
        let mut fresh = 0;
        for slice in slices {
            let rows = rows_of(selection, slice, first);
            if !rows.is_empty() && self.written[slice].swap(1, Ordering::AcqRel) == 0 {
                self.sums[slice].store(sum(block, widths, rows), Ordering::Release);
                fresh += 1;
            }
        }
        if fresh > 0 && self.left.fetch_sub(fresh, Ordering::AcqRel) == fresh {
            self.finish()?;
        }
        Ok(())
    }

    /// Writes what precedes the rows, and moves the file to its final place.
    fn finish(&self) -> io::Result<()> {
        let sums: Vec<_> = self.sums.iter().map(|sum| sum.load(Ordering::Acquire)).collect();
        let mut tables: Vec<u8> = sums.iter().flat_map(|sum| sum.to_le_bytes()).collect();
        tables.extend(self.filling.iter().flat_map(|value| value.to_le_bytes()));
        tables.extend(&self.selection);
        self.file.write_all_at(&tables, HEADER as u64)?;
        self.file.write_all_at(&self.layout.header(self.cache.key, &tables), 0)?;
        // No sync: the checksums reveal what a power loss leaves behind.
        fs::rename(&self.draft, &self.cache.path)?;
        // Where locks are mandatory, this one would keep everybody from reading.
        let _ = self.file.unlock();
        // Open it again for reading.
        let file = File::open(&self.cache.path)?;
        *self.cache.state() =
            State::Complete(Arc::new(Complete { file, layout: self.layout, sums, filling: self.filling.clone() }));
        Ok(())
    }
}

/// Creates a draft and returns its path. The draft stays locked while it is open, which distinguishes it from the
/// drafts of killed processes.
fn new_draft(path: &Path) -> io::Result<(PathBuf, File)> {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    loop {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let draft = path.with_extension(format!("{}-{number}.{DRAFT}", std::process::id()));
        let file = match File::create_new(&draft) {
            // Left by an earlier process with this number, or by one on another machine.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
            file => file?,
        };
        // If another process has or had the lock, it took the draft for abandoned. File systems without locks have no
        // such process.
        let is_locked_by_others = matches!(file.try_lock(), Err(TryLockError::WouldBlock));
        if !is_locked_by_others && has_name(&file)? {
            return Ok((draft, file));
        }
    }
}

/// Removes the drafts of processes that were killed.
fn remove_abandoned(directory: &Path) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.extension().is_some_and(|extension| extension == DRAFT)
            && let Ok(file) = File::options().write(true).open(&path)
            && file.try_lock().is_ok()
        {
            // Remove it while it is locked, so that its creator does not continue to use it.
            let _ = fs::remove_file(&path);
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // A complete file has already been moved.
        let _ = fs::remove_file(&self.draft);
    }
}
