//! Text in an unnamed temporary file, where it can be read in any order.

use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Weak, mpsc};
use std::time::Duration;

use xxhash_rust::xxh3::Xxh3;

use super::{Source, Stream};
use crate::budget::Size;
use crate::error::{Error, Kind, Result};
use crate::platform::{FileExt, create_nameless};
use crate::process::PerProcess;

/// How many bytes are written at a time.
const PIECE: Size = Size { usual: 256 << 10, small: 100 };

/// A temporary file that disappears when nobody uses it, even if the process is killed.
pub struct Spool {
    file: File,
    directory: String,
    /// Bytes written.
    length: u64,
    sum: Xxh3,
}

/// Spools by the identity of their content.
static SHARED: PerProcess<Vec<(String, Weak<Texts>)>> = PerProcess::new();

/// The texts of some streams, concatenated.
struct Texts {
    file: File,
    /// The start and length of each.
    places: Vec<(u64, u64)>,
}

/// One of the texts in a spool.
#[derive(Clone)]
pub struct SpooledText {
    texts: Arc<Texts>,
    place: usize,
    identity: String,
}

impl Spool {
    /// An empty spool in a directory.
    pub fn begin(directory: &Path) -> Result<Self> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let shown = directory.display().to_string();
        let open = || loop {
            let number = NUMBER.fetch_add(1, Ordering::Relaxed);
            let path = directory.join(format!(".csvfeed-{}-{number}", std::process::id()));
            match create_nameless(&path) {
                // Left by an earlier process with this number that was killed at this point.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                created => return created,
            }
        };
        match open() {
            Ok(file) => Ok(Self { file, directory: shown, length: 0, sum: Xxh3::new() }),
            Err(error) => Err(Kind::Spool { error, directory: shown }.into()),
        }
    }

    /// Appends bytes.
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.append(bytes)?;
        self.sum.update(bytes);
        Ok(())
    }

    fn append(&mut self, bytes: &[u8]) -> Result<()> {
        self.file.write_all(bytes).map_err(|error| Kind::Spool { error, directory: self.directory.clone() })?;
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// The written text, identified by its content.
    #[must_use]
    pub fn finish(self) -> SpooledText {
        let identity = format!("{:032x}", self.sum.digest128());
        let places = vec![(0, self.length)];
        SpooledText { texts: Arc::new(Texts { file: self.file, places }), place: 0, identity }
    }

    /// The texts of some streams. Decompresses them unless this process already has them. Calls `check` several times a
    /// second and stops at the first error that it returns.
    pub fn texts<E: From<Error> + Send>(
        streams: &[&Stream],
        directory: &Path,
        mut check: impl FnMut() -> std::result::Result<(), E>,
    ) -> std::result::Result<Vec<SpooledText>, E> {
        let identities: Vec<_> = streams.iter().map(|stream| stream.identity()).collect();
        let name = identities.join("\n");
        let texts = match known(&name) {
            Some(texts) => texts,
            None => share(name, Self::make(streams, directory, &mut check)?),
        };
        let text = |(place, identity)| SpooledText { texts: Arc::clone(&texts), place, identity };
        Ok(identities.into_iter().enumerate().map(text).collect())
    }

    fn make<E: From<Error> + Send>(
        streams: &[&Stream],
        directory: &Path,
        check: &mut impl FnMut() -> std::result::Result<(), E>,
    ) -> std::result::Result<Texts, E> {
        let stopped = AtomicBool::new(false);
        let (sender, receiver) = mpsc::channel();
        std::thread::scope(|scope| {
            let write = || {
                // Report success and failure alike.
                let result = Self::begin(directory).and_then(|spool| spool.write_texts(streams, &stopped));
                // Nobody listens after the work is abandoned.
                let _ = sender.send(result);
            };
            std::thread::Builder::new()
                .name("csvfeed-spool".to_owned())
                .spawn_scoped(scope, write)
                .map_err(|error| Error::from(Kind::Threads(error)))?;
            loop {
                match receiver.recv_timeout(Duration::from_millis(50)) {
                    Ok(result) => return Ok(result?),
                    Err(mpsc::RecvTimeoutError::Disconnected) => return Err(Error::from(Kind::Internal).into()),
                    Err(mpsc::RecvTimeoutError::Timeout) => check().inspect_err(|_| {
                        stopped.store(true, Ordering::Relaxed);
                        for stream in streams {
                            stream.raw().abandon();
                        }
                    })?,
                }
            }
        })
    }

    fn write_texts(mut self, streams: &[&Stream], stopped: &AtomicBool) -> Result<Texts> {
        let mut places = Vec::with_capacity(streams.len());
        let mut buffer = vec![0; PIECE.get()];
        for stream in streams {
            let start = self.length;
            let mut text = stream.open(0)?;
            while !stopped.load(Ordering::Relaxed) {
                match text.fill(&mut buffer)? {
                    0 => break,
                    count => self.append(&buffer[..count])?,
                }
            }
            places.push((start, self.length - start));
        }
        Ok(Texts { file: self.file, places })
    }
}

fn known(name: &str) -> Option<Arc<Texts>> {
    let shared = SHARED.lock();
    shared.iter().find(|(known, _)| known == name)?.1.upgrade()
}

fn share(name: String, texts: Texts) -> Arc<Texts> {
    // Another thread may have made the same texts meanwhile.
    known(&name).unwrap_or_else(|| {
        let texts = Arc::new(texts);
        let mut shared = SHARED.lock();
        shared.retain(|(_, texts)| texts.strong_count() > 0);
        shared.push((name, Arc::downgrade(&texts)));
        texts
    })
}

impl Source for SpooledText {
    fn len(&self) -> u64 {
        self.texts.places[self.place].1
    }

    fn identity(&self) -> String {
        self.identity.clone()
    }

    fn is_local(&self) -> bool {
        true
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<()> {
        let (start, length) = self.texts.places[self.place];
        if offset + buffer.len() as u64 > length {
            return Err(io::Error::from(ErrorKind::UnexpectedEof).into());
        }
        Ok(self.texts.file.read_exact_at(buffer, start + offset)?)
    }
}
