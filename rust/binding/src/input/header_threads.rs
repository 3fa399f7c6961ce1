//! Threads that read the headers of many parts.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak, mpsc};
use std::thread::{self, Scope, ScopedJoinHandle};
use std::time::Duration;

use csvfeed_core::error::{Error, Kind};
use csvfeed_core::source::Source;
use pyo3::prelude::*;

/// Threads that wait for sources such as remote files.
const SLOW_THREADS: usize = 16;

/// Time between two looks for Ctrl-C.
const PATIENCE: Duration = Duration::from_millis(50);

/// Parts that are worth one more thread.
const PARTS_PER_THREAD: usize = 4;

/// What `read` returns for each of `count` parts, in order, up to the first error. For local files: this thread reads too.
pub(super) fn read_fast<T: Send>(
    count: usize,
    threads: usize,
    read: impl Fn(usize, &Work) -> Result<T, Error> + Sync,
) -> Vec<Result<T, Error>> {
    let crew = Crew::new(count, read);
    thread::scope(|scope| {
        for _ in 1..threads.min(count.div_ceil(PARTS_PER_THREAD)) {
            // Without another thread this one reads all parts.
            if start(scope, || crew.run()).is_err() {
                break;
            }
        }
        crew.run();
    });
    crew.into_results()
}

/// The same for sources that call Python and may take long: this thread calls `check` several times a second. An error of
/// `check` ends the work.
pub(super) fn read_slow<T: Send, E>(
    count: usize,
    read: impl Fn(usize, &Work) -> Result<T, Error> + Sync,
    mut check: impl FnMut() -> Result<(), E>,
) -> Result<Vec<Result<T, Error>>, E> {
    let crew = Crew::new(count, read);
    thread::scope(|scope| {
        // Disconnected once every thread has ended.
        let (running, ended) = mpsc::channel::<()>();
        for number in 0..SLOW_THREADS.min(count) {
            let (running, crew) = (running.clone(), &crew);
            let run = move || {
                crew.run();
                drop(running);
            };
            if let Err(error) = start(scope, run) {
                if number == 0 {
                    crew.add(0, Err(Kind::Threads(error).into()));
                }
                break;
            }
        }
        drop(running);
        while let Err(mpsc::RecvTimeoutError::Timeout) = ended.recv_timeout(PATIENCE) {
            check().inspect_err(|_| crew.work.give_up())?;
        }
        Ok(())
    })?;
    Ok(crew.into_results())
}

fn start<'scope>(
    scope: &'scope Scope<'scope, '_>,
    run: impl FnOnce() + Send + 'scope,
) -> io::Result<ScopedJoinHandle<'scope, ()>> {
    thread::Builder::new().name("csvfeed-head".to_owned()).spawn_scoped(scope, run)
}

struct Crew<T, Read> {
    count: usize,
    read: Read,
    work: Work,
    found: Mutex<Vec<(usize, Result<T, Error>)>>,
}

impl<T, Read: Fn(usize, &Work) -> Result<T, Error>> Crew<T, Read> {
    fn new(count: usize, read: Read) -> Self {
        Self { count, read, work: Work::default(), found: Mutex::new(Vec::with_capacity(count)) }
    }

    /// Reads parts until all are read. Each thread runs this.
    fn run(&self) {
        loop {
            let at = self.work.next.fetch_add(1, Ordering::Relaxed);
            // Parts before one that failed are still read, since the first error counts.
            if at >= self.count || at >= self.work.end.load(Ordering::Relaxed) {
                return;
            }
            let result = (self.read)(at, &self.work);
            if result.is_err() {
                self.work.end.fetch_min(at, Ordering::Relaxed);
            }
            self.add(at, result);
        }
    }

    fn add(&self, at: usize, result: Result<T, Error>) {
        self.found.lock().unwrap_or_else(PoisonError::into_inner).push((at, result));
    }

    fn into_results(self) -> Vec<Result<T, Error>> {
        let mut found = self.found.into_inner().unwrap_or_else(PoisonError::into_inner);
        found.sort_by_key(|(at, _)| *at);
        found.into_iter().map(|(_, result)| result).collect()
    }
}

/// What the threads share.
pub(super) struct Work {
    /// The next part to read.
    next: AtomicUsize,
    /// The first part that no thread needs to read. 0 once the work is given up.
    end: AtomicUsize,
    /// Slow sources that a thread reads.
    slow: Mutex<Vec<Weak<dyn Source>>>,
    /// Handles that a thread has opened to see what they are.
    opened: Mutex<Vec<Py<PyAny>>>,
}

impl Default for Work {
    fn default() -> Self {
        Self {
            next: AtomicUsize::new(0),
            end: AtomicUsize::new(usize::MAX),
            slow: Mutex::default(),
            opened: Mutex::default(),
        }
    }
}

impl Work {
    pub(super) fn begin(&self, source: &Arc<dyn Source>) {
        self.slow.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::downgrade(source));
        if self.is_given_up() {
            source.abandon();
        }
    }

    pub(super) fn begin_opening(&self, handle: Py<PyAny>) {
        self.opened.lock().unwrap_or_else(PoisonError::into_inner).push(handle);
    }

    pub(super) fn is_given_up(&self) -> bool {
        self.end.load(Ordering::SeqCst) == 0
    }

    /// Wakes the threads that wait for a source, so that they end.
    fn give_up(&self) {
        self.end.store(0, Ordering::SeqCst);
        let slow = std::mem::take(&mut *self.slow.lock().unwrap_or_else(PoisonError::into_inner));
        slow.iter().filter_map(Weak::upgrade).for_each(|source| source.abandon());
        // Without the lock while waiting for the GIL: threads that have the GIL take the lock.
        let opened = std::mem::take(&mut *self.opened.lock().unwrap_or_else(PoisonError::into_inner));
        Python::try_attach(|py| opened.iter().for_each(|handle| drop(handle.call_method0(py, "close"))));
    }
}
