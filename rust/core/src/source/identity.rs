//! Distinguishes a file from others and from its later versions.

use std::fs::{File, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;

/// Seconds and nanoseconds since 1970.
pub(super) type Time = (i64, i64);

/// Identifies one version of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FileIdentity {
    device: u64,
    inode: u64,
    length: u64,
    modified: Time,
    /// The last change of content, mode or links. Nobody can set it.
    changed: Time,
}

impl FileIdentity {
    /// Length in bytes.
    #[must_use]
    pub fn length(self) -> u64 {
        self.length
    }

    pub(super) fn changed(self) -> Time {
        self.changed
    }

    /// Whether the two differ at most in their change time.
    pub(super) fn differs_at_most_in_change_time(self, other: &Self) -> bool {
        Self { changed: other.changed, ..self } == *other
    }

    pub(super) fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            length: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

/// The current identity of a file. Retries when a signal interrupts the call, as some mounted file systems report.
pub(super) fn identity_of(file: &File) -> io::Result<FileIdentity> {
    loop {
        match file.metadata() {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            found => return found.map(|metadata| FileIdentity::of(&metadata)),
        }
    }
}
