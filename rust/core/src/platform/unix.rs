//! Linux and other Unix systems.

use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind};
pub(crate) use std::os::unix::fs::FileExt;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::time::Duration;

use super::FileIdentity;

/// File systems store times in ticks: a second write within this time may leave the times unchanged.
pub(crate) const TICK: Duration = Duration::from_millis(10);

fn identity(metadata: &Metadata) -> FileIdentity {
    FileIdentity {
        device: metadata.dev(),
        inode: metadata.ino(),
        length: metadata.len(),
        modified: (metadata.mtime(), metadata.mtime_nsec()),
        changed: (metadata.ctime(), metadata.ctime_nsec()),
    }
}

/// The current identity of the file at a path.
pub(crate) fn identity_at(path: &Path) -> io::Result<FileIdentity> {
    Ok(identity(&fs::metadata(path)?))
}

/// The current identity of a file. Retries when a signal interrupts the call, as some mounted file systems report.
pub(crate) fn identity_of(file: &File) -> io::Result<FileIdentity> {
    loop {
        match file.metadata() {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            found => return found.map(|metadata| identity(&metadata)),
        }
    }
}

/// Whether an open file still has a name. It has none after it was removed.
pub(crate) fn has_name(file: &File) -> io::Result<bool> {
    Ok(file.metadata()?.nlink() > 0)
}

/// Creates a file that disappears with its handle, even if the process is killed. No file may have that path.
pub(crate) fn create_nameless(path: &Path) -> io::Result<File> {
    let file = File::options().read(true).write(true).create_new(true).mode(0o600).open(path)?;
    fs::remove_file(path).map(|()| file)
}

/// How many files this process may open, if the system says so.
pub(crate) fn open_files_limit() -> Option<usize> {
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok())
}

/// Whether the process, or the machine, may not open more files.
pub(crate) fn is_out_of_handles(error: &io::Error) -> bool {
    const ENFILE: i32 = 23;
    const EMFILE: i32 = 24;
    matches!(error.raw_os_error(), Some(ENFILE | EMFILE))
}

/// The error of reading a directory as a file.
pub(crate) fn directory_error() -> io::Error {
    const EISDIR: i32 = 21;
    io::Error::from_raw_os_error(EISDIR)
}
