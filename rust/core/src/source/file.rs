//! A regular file that any number of threads read at any offset.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use super::Source;
use super::version::Version;
use crate::error::{Error, Kind, Result};
use crate::platform;
use crate::process::PerProcess;

/// An open file that must not change.
pub struct FileSource {
    file: File,
    version: Arc<Version>,
}

impl FileSource {
    /// Opens a file. A directory or a pipe is an error.
    pub fn open(path: &Path) -> Result<Self> {
        // Check before opening: to open a pipe waits for its writer.
        let metadata = std::fs::metadata(path)?;
        if metadata.is_dir() {
            return Err(platform::directory_error().into());
        }
        if !metadata.is_file() {
            let reason = "not a regular file: csvfeed reads files that can be read again";
            return Err(io::Error::new(ErrorKind::InvalidInput, reason).into());
        }
        let file = File::open(path)?;
        let version = Version::of(platform::identity_of(&file)?);
        Ok(Self { file, version })
    }

    /// Opens a file again. It must have the same content as before.
    pub fn reopen(path: &Path, version: &Arc<Version>) -> Result<Self> {
        let source = Self::open(path)?;
        version.check(&source.file)?;
        Ok(Self { version: Arc::clone(version), ..source })
    }

    /// The version of its content.
    #[must_use]
    pub fn version(&self) -> &Arc<Version> {
        &self.version
    }
}

impl Source for FileSource {
    fn len(&self) -> u64 {
        self.version.identity().length()
    }

    fn identity(&self) -> String {
        format!("{:?}", self.version.identity())
    }

    fn is_local(&self) -> bool {
        true
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<()> {
        self.version.read_at(&self.file, offset, buffer)
    }
}

/// The most recently read files, kept open. A table may have more files than a process may open.
pub struct Handles {
    /// Each with its number; the most recently used last.
    open: Mutex<VecDeque<(usize, Arc<FileSource>)>>,
}

/// How many files stay open.
const OPEN: usize = 64;

/// The current limit on open files. It is lower if the process may open few.
static MOST: AtomicUsize = AtomicUsize::new(0);

/// All handles of this process, so that files of one can be closed when another cannot open any.
static ALL: PerProcess<Vec<Weak<Handles>>> = PerProcess::new();

/// Leaves most of the process's limit to others.
fn most_open() -> usize {
    const SHARE: usize = 4;
    platform::open_files_limit().map_or(OPEN, |limit| (limit / SHARE).clamp(1, OPEN))
}

impl Handles {
    /// Empty handles.
    #[must_use]
    pub fn new() -> Arc<Self> {
        MOST.store(most_open(), Ordering::Relaxed);
        let handles = Arc::new(Self { open: Mutex::default() });
        let mut all = ALL.lock();
        all.retain(|handles| handles.strong_count() > 0);
        all.push(Arc::downgrade(&handles));
        handles
    }

    fn known(&self) -> MutexGuard<'_, VecDeque<(usize, Arc<FileSource>)>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes all open files, unless another thread is using the list.
    fn take_all(&self) -> Option<VecDeque<(usize, Arc<FileSource>)>> {
        let mut known = self.open.try_lock().ok()?;
        Some(std::mem::take(&mut *known))
    }

    /// Opens a file. If the process has too many open files, closes those that nobody is reading.
    fn open(open: impl Fn() -> Result<FileSource>) -> Result<FileSource> {
        const ROUNDS: usize = 100;
        for _ in 0..ROUNDS {
            let result = open();
            if !matches!(&result, Err(error) if is_out_of_handles(error)) {
                return result;
            }
            let _ = MOST.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |most| Some((most / 2).max(1)));
            let all: Vec<_> = ALL.lock().iter().filter_map(Weak::upgrade).collect();
            // Dropped without holding a lock.
            let closed: Vec<_> = all.iter().filter_map(|handles| handles.take_all()).flatten().collect();
            if closed.is_empty() {
                // Other threads may soon be done reading.
                std::thread::sleep(Duration::from_millis(1));
            }
        }
        open()
    }

    fn get(&self, number: usize, open: impl Fn() -> Result<FileSource>) -> Result<Arc<FileSource>> {
        {
            let mut known = self.known();
            // It is usually among the last.
            if let Some(at) = known.iter().rposition(|(one, _)| *one == number) {
                let found = known.remove(at).expect("it was found there");
                let file = Arc::clone(&found.1);
                known.push_back(found);
                return Ok(file);
            }
        }
        let file = Arc::new(Self::open(open)?);
        // The tables of a process share the limit.
        let tables = ALL.lock().iter().filter(|handles| handles.strong_count() > 0).count();
        let most = (MOST.load(Ordering::Relaxed) / tables.max(1)).max(1);
        let mut known = self.known();
        known.push_back((number, Arc::clone(&file)));
        let more = known.len().saturating_sub(most);
        let oldest: Vec<_> = known.drain(..more).collect();
        drop(known);
        drop(oldest);
        Ok(file)
    }
}

/// Whether the process, or the machine, may not open more files.
fn is_out_of_handles(error: &Error) -> bool {
    matches!(&error.kind, Kind::Io(error) if platform::is_out_of_handles(error))
}

/// One of many files. It is opened when it is read.
pub struct LazyFile {
    path: PathBuf,
    version: Arc<Version>,
    number: usize,
    handles: Arc<Handles>,
}

impl LazyFile {
    /// A file that must not have changed since `version`. `number` distinguishes it from the other files of `handles`.
    pub fn new(path: PathBuf, version: Arc<Version>, number: usize, handles: Arc<Handles>) -> Result<Self> {
        if !version.is_certainly_unchanged(platform::identity_at(&path)?) {
            Handles::open(|| FileSource::reopen(&path, &version))?;
        }
        Ok(Self { path, version, number, handles })
    }
}

impl Source for LazyFile {
    fn len(&self) -> u64 {
        self.version.identity().length()
    }

    fn identity(&self) -> String {
        format!("{:?}", self.version.identity())
    }

    fn is_local(&self) -> bool {
        true
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<()> {
        self.handles.get(self.number, || FileSource::reopen(&self.path, &self.version))?.read_at(offset, buffer)
    }
}
