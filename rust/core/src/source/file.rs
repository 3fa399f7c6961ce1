//! A regular file, read at any offset by any number of threads.

use std::fs::{File, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;

use super::Source;
use crate::error::{Kind, Result};

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
    /// The same in plain numbers: device, inode, length in bytes, and time of modification.
    #[must_use]
    pub fn numbers(self) -> (u64, u64, u64, i64, i64) {
        (self.device, self.inode, self.length, self.modified.0, self.modified.1)
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
        let identity = FileIdentity::of(&file.metadata()?);
        Ok(Self { file, identity })
    }

    /// Opens a file again, which must not have changed since.
    pub fn reopen(path: &Path, identity: FileIdentity) -> Result<Self> {
        let source = Self::open(path)?;
        if source.identity == identity { Ok(source) } else { Err(Kind::SourceChanged("another size or time").into()) }
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

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<()> {
        self.file.read_exact_at(buffer, offset).map_err(|error| match error.kind() {
            ErrorKind::UnexpectedEof => Kind::SourceChanged("it was truncated while it was read"),
            _ => Kind::Io(error),
        })?;
        if FileIdentity::of(&self.file.metadata()?) == self.identity {
            Ok(())
        } else {
            Err(Kind::SourceChanged("it was written to while it was read").into())
        }
    }
}
