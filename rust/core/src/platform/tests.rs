use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use super::*;

/// A directory of its own, removed at the end.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("csvfeed-platform-{}-{number}", std::process::id()));
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(&self.0).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Whether Wine runs the tests.
fn is_wine() -> bool {
    std::env::var_os("CSVFEED_WINE").is_some()
}

fn write(path: &Path, text: &str) -> File {
    fs::write(path, text).unwrap();
    File::open(path).unwrap()
}

#[test]
fn threads_read_and_write_at_offsets() {
    const LENGTH: usize = 5000;
    let directory = Directory::new();
    let path = directory.0.join("file");
    let file = File::options().read(true).write(true).create_new(true).open(path).unwrap();
    let byte = |at: usize| (at * at % 251) as u8;
    std::thread::scope(|scope| {
        for part in 0..4 {
            let file = &file;
            // The last part first: a write behind the end makes the file longer.
            scope.spawn(move || {
                for start in (part * LENGTH / 4..(part + 1) * LENGTH / 4).step_by(50).rev() {
                    let bytes: Vec<_> = (start..start + 50).map(byte).collect();
                    file.write_all_at(&bytes, start as u64).unwrap();
                }
            });
        }
    });
    std::thread::scope(|scope| {
        for part in 0..4 {
            let file = &file;
            scope.spawn(move || {
                let mut bytes = [0; 70];
                for start in (part..LENGTH - 70).step_by(7) {
                    file.read_exact_at(&mut bytes, start as u64).unwrap();
                    assert!((start..).zip(bytes).all(|(at, found)| found == byte(at)), "{start}");
                }
            });
        }
    });
    let mut bytes = [0; 2];
    assert_eq!(file.read_exact_at(&mut bytes, LENGTH as u64 - 1).unwrap_err().kind(), ErrorKind::UnexpectedEof);
    assert_eq!(file.read_exact_at(&mut bytes, 2 * LENGTH as u64).unwrap_err().kind(), ErrorKind::UnexpectedEof);
    file.read_exact_at(&mut [], 2 * LENGTH as u64).unwrap();
}

#[test]
fn an_identity_tells_files_and_versions_apart() {
    let directory = Directory::new();
    let (path, other) = (directory.0.join("file"), directory.0.join("other"));
    let file = write(&path, "x,y\n1,2\n");
    let first = identity_of(&file).unwrap();
    assert_eq!(first.length(), 8);
    assert_eq!(first, identity_at(&path).unwrap());
    assert_eq!(first, identity_of(&File::open(&path).unwrap()).unwrap());
    let same_text = identity_of(&write(&other, "x,y\n1,2\n")).unwrap();
    assert!(!same_text.differs_at_most_in_change_time(&first), "another file");

    std::thread::sleep(2 * TICK);
    drop(file);
    // The same length.
    fs::write(&path, "x,y\n1,3\n").unwrap();
    let written = identity_at(&path).unwrap();
    assert!(!written.differs_at_most_in_change_time(&first), "another content");
    assert!(written.changed() > first.changed());
    assert_ne!(identity_at(&other).unwrap(), written);

    fs::rename(&other, &path).unwrap();
    let replaced = identity_at(&path).unwrap();
    assert!(replaced.differs_at_most_in_change_time(&same_text), "a name is no content");
    assert!(!replaced.differs_at_most_in_change_time(&written), "another file has the name");
}

#[test]
fn times_are_those_that_the_standard_library_tells() {
    let directory = Directory::new();
    let path = directory.0.join("file");
    let file = File::create(&path).unwrap();
    for since in [Duration::from_secs(1), Duration::new(1_764_460_800, 123_456_700)] {
        file.set_modified(UNIX_EPOCH + since).unwrap();
        let expected = (since.as_secs() as i64, i64::from(since.subsec_nanos()));
        assert_eq!(identity_of(&file).unwrap().modified, expected);
        assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), UNIX_EPOCH + since);
    }
    let now = UNIX_EPOCH.elapsed().unwrap().as_secs() as i64;
    let (changed, _) = identity_of(&file).unwrap().changed();
    assert!((now - 3600..=now).contains(&changed), "nobody set the change time: {changed}, now {now}");
}

#[test]
fn a_removed_file_has_no_name() {
    let directory = Directory::new();
    let path = directory.0.join("file");
    let file = File::create(&path).unwrap();
    assert!(has_name(&file).unwrap());
    let moved = directory.0.join("moved");
    fs::rename(&path, &moved).unwrap();
    assert!(has_name(&file).unwrap());
    fs::remove_file(&moved).unwrap();
    // Wine removes a file when its last handle is closed, and does not tell so before.
    assert!(is_wine() || !has_name(&file).unwrap());
}

#[test]
fn a_nameless_file_disappears_with_its_handle() {
    let directory = Directory::new();
    let path = directory.0.join("file");
    let mut file = create_nameless(&path).unwrap();
    file.write_all(b"some text").unwrap();
    let mut bytes = [0; 4];
    file.read_exact_at(&mut bytes, 5).unwrap();
    assert_eq!(&bytes, b"text");
    assert!(File::open(&path).is_err(), "nobody else opens it");
    drop(file);
    assert!(directory.names().is_empty());

    fs::write(&path, "").unwrap();
    assert_eq!(create_nameless(&path).unwrap_err().kind(), ErrorKind::AlreadyExists);
    assert_eq!(directory.names(), ["file"], "the file of somebody else stays");
}

#[test]
fn a_locked_draft_replaces_an_open_file() {
    let directory = Directory::new();
    let (path, draft) = (directory.0.join("file"), directory.0.join("draft"));
    let old = write(&path, "old");
    let new = File::create_new(&draft).unwrap();
    new.try_lock().unwrap();
    let other = File::options().write(true).open(&draft).unwrap();
    assert!(other.try_lock().is_err(), "another handle sees the lock");
    drop(other);
    new.write_all_at(b"new", 0).unwrap();
    // Wine cannot replace a file that is open.
    let old = (!is_wine()).then_some(old);
    fs::rename(&draft, &path).unwrap();
    // Wine unlocks it, and reports an error all the same.
    let unlocked = new.unlock();
    assert!(is_wine() || unlocked.is_ok());
    let mut bytes = [0; 3];
    if let Some(old) = old {
        old.read_exact_at(&mut bytes, 0).unwrap();
        assert_eq!(&bytes, b"old", "whoever has it open goes on");
    }
    File::open(&path).unwrap().read_exact_at(&mut bytes, 0).unwrap();
    assert_eq!(&bytes, b"new");
    assert_eq!(directory.names(), ["file"]);
}

#[test]
fn errors_say_what_they_are() {
    assert!(directory_error().raw_os_error().is_some(), "Python raises an OSError for it");
    assert!(!is_out_of_handles(&directory_error()));
    assert!(open_files_limit().is_none_or(|limit| limit > 3));
}
