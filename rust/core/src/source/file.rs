//! A regular file, read at any offset by any number of threads.

use std::collections::VecDeque;
use std::fs::{File, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::Source;
use crate::error::{Error, Kind, Result};

const EISDIR: i32 = 21;

/// An open file that must stay as it was when it was opened.
pub struct FileSource {
    file: File,
    identity: FileIdentity,
}

/// What tells a file from a later version of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileIdentity {
    device: u64,
    inode: u64,
    length: u64,
    modified: (i64, i64),
}

impl FileIdentity {
    /// Length in bytes.
    #[must_use]
    pub fn length(self) -> u64 {
        self.length
    }

    /// Whether the file of that name is still this one.
    pub fn check(self, path: &Path) -> Result<()> {
        if Self::of(&std::fs::metadata(path)?) == self { Ok(()) } else { Err(changed_size_or_time()) }
    }

    fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            length: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
        }
    }
}

impl FileSource {
    /// Opens a file. A directory or a pipe is an error.
    pub fn open(path: &Path) -> Result<Self> {
        // Looked at before it is opened: opening a pipe waits for its writer.
        let metadata = std::fs::metadata(path)?;
        if metadata.is_dir() {
            return Err(io::Error::from_raw_os_error(EISDIR).into());
        }
        if !metadata.is_file() {
            let reason = "not a regular file: csvfeed reads files that can be read again";
            return Err(io::Error::new(ErrorKind::InvalidInput, reason).into());
        }
        let file = File::open(path)?;
        let identity = identity_of(&file)?;
        Ok(Self { file, identity })
    }

    /// Opens a file again, which must not have changed since.
    pub fn reopen(path: &Path, identity: FileIdentity) -> Result<Self> {
        let source = Self::open(path)?;
        if source.identity == identity { Ok(source) } else { Err(changed_size_or_time()) }
    }

    /// What tells this file from a later version of itself.
    #[must_use]
    pub fn identity(&self) -> FileIdentity {
        self.identity
    }
}

impl Source for FileSource {
    fn len(&self) -> u64 {
        self.identity.length
    }

    fn identity(&self) -> String {
        format!("{:?}", self.identity)
    }

    fn is_at_hand(&self) -> bool {
        true
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<()> {
        self.file.read_exact_at(buffer, offset).map_err(|error| match error.kind() {
            ErrorKind::UnexpectedEof => Kind::SourceChanged("it was truncated while it was read"),
            _ => Kind::Io(error),
        })?;
        if identity_of(&self.file)? == self.identity {
            Ok(())
        } else {
            Err(Kind::SourceChanged("it was written to while it was read").into())
        }
    }
}

/// What a file is now. On the consumer's thread a signal may come in between, which some mounted file systems tell of.
fn identity_of(file: &File) -> io::Result<FileIdentity> {
    loop {
        match file.metadata() {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            found => return found.map(|metadata| FileIdentity::of(&metadata)),
        }
    }
}

fn changed_size_or_time() -> Error {
    Kind::SourceChanged("another size or time").into()
}

/// The files that were read last, open: a table may have more of them than a process may open.
#[derive(Default)]
pub struct Handles {
    /// With the number that each is known by, the one used last at the end.
    open: Mutex<VecDeque<(usize, Arc<FileSource>)>>,
}

/// Files that stay open.
const OPEN: usize = 64;

impl Handles {
    fn get(&self, number: usize, open: impl FnOnce() -> Result<FileSource>) -> Result<Arc<FileSource>> {
        {
            let mut known = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            // As a rule the last, or one of the last.
            if let Some(at) = known.iter().rposition(|(one, _)| *one == number) {
                let found = known.remove(at).expect("it was found there");
                let file = Arc::clone(&found.1);
                known.push_back(found);
                return Ok(file);
            }
        }
        let file = Arc::new(open()?);
        let mut known = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        known.push_back((number, Arc::clone(&file)));
        let oldest = if known.len() > OPEN { known.pop_front() } else { None };
        drop(known);
        drop(oldest);
        Ok(file)
    }
}

/// One of many files, opened when it is read.
pub struct LazyFile {
    path: PathBuf,
    identity: FileIdentity,
    number: usize,
    handles: Arc<Handles>,
}

impl LazyFile {
    /// A file that must be what it was; `number` tells it from the others that `handles` are for.
    #[must_use]
    pub fn new(path: PathBuf, identity: FileIdentity, number: usize, handles: Arc<Handles>) -> Self {
        Self { path, identity, number, handles }
    }
}

impl Source for LazyFile {
    fn len(&self) -> u64 {
        self.identity.length
    }

    fn identity(&self) -> String {
        format!("{:?}", self.identity)
    }

    fn is_at_hand(&self) -> bool {
        true
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<()> {
        self.handles.get(self.number, || FileSource::reopen(&self.path, self.identity))?.read_at(offset, buffer)
    }
}
