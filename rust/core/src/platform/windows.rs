//! Windows.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::windows::fs::{FileExt as _, OpenOptionsExt};
use std::os::windows::io::AsRawHandle;
use std::path::Path;
use std::time::Duration;

use windows_sys::Win32::Foundation::{ERROR_DIRECTORY_NOT_SUPPORTED, ERROR_TOO_MANY_OPEN_FILES, FILETIME};
use windows_sys::Win32::Storage::FileSystem::{
    BY_HANDLE_FILE_INFORMATION, FILE_ATTRIBUTE_TEMPORARY, FILE_BASIC_INFO, FILE_FLAG_DELETE_ON_CLOSE,
    FILE_INFO_BY_HANDLE_CLASS, FILE_STANDARD_INFO, FileBasicInfo, FileStandardInfo, GetFileInformationByHandle,
    GetFileInformationByHandleEx,
};

use super::{FileIdentity, Time};

/// File systems take their times from a clock that ticks 64 times a second: a second write within this time may leave
/// the times unchanged.
pub(crate) const TICK: Duration = Duration::from_millis(20);

/// Reading and writing at an offset. Both move the cursor of the file, on which nobody relies.
pub(crate) trait FileExt {
    /// Fills `buffer` with the bytes from `offset` on.
    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()>;

    /// Writes all bytes from `offset` on.
    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;
}

impl FileExt for File {
    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        let mut done = 0;
        while done < buffer.len() {
            match self.seek_read(&mut buffer[done..], offset + done as u64)? {
                0 => return Err(ErrorKind::UnexpectedEof.into()),
                count => done += count,
            }
        }
        Ok(())
    }

    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let mut done = 0;
        while done < bytes.len() {
            match self.seek_write(&bytes[done..], offset + done as u64)? {
                0 => return Err(ErrorKind::WriteZero.into()),
                count => done += count,
            }
        }
        Ok(())
    }
}

/// The current identity of the file at a path.
pub(crate) fn identity_at(path: &Path) -> io::Result<FileIdentity> {
    // Without any right to the content, so that nobody who has the file open is in the way.
    identity_of(&File::options().access_mode(0).open(path)?)
}

/// The current identity of a file. NTFS keeps a change time as Unix does, which the standard library does not tell. Other
/// file systems may have none: there the time of the last write stands for it. Both times may move only when the file
/// is closed by whoever wrote to it.
pub(crate) fn identity_of(file: &File) -> io::Result<FileIdentity> {
    let mut found = BY_HANDLE_FILE_INFORMATION::default();
    // SAFETY: the handle is open as long as `file` is borrowed, and `found` has room for what is written to it.
    if unsafe { GetFileInformationByHandle(file.as_raw_handle(), &raw mut found) } == 0 {
        return Err(io::Error::last_os_error());
    }
    let FILETIME { dwLowDateTime: low, dwHighDateTime: high } = found.ftLastWriteTime;
    let written = joined(high, low) as i64;
    // SAFETY: the structure is the one of this class.
    let basic: FILE_BASIC_INFO = unsafe { information(file, FileBasicInfo)? };
    let changed = if basic.ChangeTime > 0 { basic.ChangeTime } else { written };
    Ok(FileIdentity {
        device: found.dwVolumeSerialNumber.into(),
        inode: joined(found.nFileIndexHigh, found.nFileIndexLow),
        length: joined(found.nFileSizeHigh, found.nFileSizeLow),
        modified: time(written),
        changed: time(changed),
    })
}

/// Whether an open file still has a name. It has none after it was removed.
pub(crate) fn has_name(file: &File) -> io::Result<bool> {
    // SAFETY: the structure is the one of this class.
    let standard: FILE_STANDARD_INFO = unsafe { information(file, FileStandardInfo)? };
    Ok(standard.NumberOfLinks > 0 && !standard.DeletePending)
}

/// What the system knows about an open file.
///
/// # Safety
///
/// `T` must be the structure that Windows writes for this class.
unsafe fn information<T: Default>(file: &File, class: FILE_INFO_BY_HANDLE_CLASS) -> io::Result<T> {
    let mut found = T::default();
    let size = size_of::<T>() as u32;
    // SAFETY: the handle is open as long as `file` is borrowed, and `found` has the size that is passed.
    if unsafe { GetFileInformationByHandleEx(file.as_raw_handle(), class, (&raw mut found).cast(), size) } == 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(found)
}

fn joined(high: u32, low: u32) -> u64 {
    u64::from(high) << 32 | u64::from(low)
}

/// A time in 100 nanoseconds since 1601.
fn time(ticks: i64) -> Time {
    const PER_SECOND: i64 = 10_000_000;
    const SECONDS_TO_1970: i64 = 11_644_473_600;
    (ticks.div_euclid(PER_SECOND) - SECONDS_TO_1970, 100 * ticks.rem_euclid(PER_SECOND))
}

/// Creates a file that disappears with its handle, even if the process is killed. Nobody else may open it. No file may have
/// that path.
pub(crate) fn create_nameless(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.read(true).write(true).create_new(true).share_mode(0);
    options.attributes(FILE_ATTRIBUTE_TEMPORARY).custom_flags(FILE_FLAG_DELETE_ON_CLOSE).open(path)
}

/// How many files this process may open: more than anybody opens.
pub(crate) fn open_files_limit() -> Option<usize> {
    None
}

/// Whether the process may not open more files.
pub(crate) fn is_out_of_handles(error: &io::Error) -> bool {
    error.raw_os_error() == Some(ERROR_TOO_MANY_OPEN_FILES as i32)
}

/// The error of reading a directory as a file.
pub(crate) fn directory_error() -> io::Error {
    io::Error::from_raw_os_error(ERROR_DIRECTORY_NOT_SUPPORTED as i32)
}
