//! File objects of Python, each read by a Python thread of its own.
//!
//! A `read` may never return, since it may wait for a device, a socket or a queue. A thread that waits here can give up, for
//! Ctrl-C or at the end of the process. The Python thread inside `read` is left behind like a daemon thread.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use csvfeed_core::error::{Error, Kind};
use csvfeed_core::source::{self, Source};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;

use crate::error::{failed, gone};
use crate::threads::call;

/// Time between two looks for Ctrl-C.
const PATIENCE: Duration = Duration::from_millis(50);

/// Time without a request after which the reading thread ends.
const IDLE: Duration = Duration::from_millis(200);

/// A seekable binary file object. Its content begins at its position when it was given.
pub(crate) struct FileObject {
    object: Py<PyAny>,
    /// Starts a thread that answers requests.
    serve: Py<PyAny>,
    start: u64,
    length: u64,
    requests: Arc<Queue>,
    identity: OnceLock<String>,
    /// The process that opened it. A forked process shares the position of the file, so it may not read.
    process: u32,
}

/// A file object during one pass.
pub(crate) struct FileObjectSource {
    file: Arc<FileObject>,
    is_abandoned: AtomicBool,
    /// Why `identity` failed, perhaps Ctrl-C. The next read returns this error.
    failure: Mutex<Option<Error>>,
}

impl FileObject {
    pub(crate) fn new(object: &Bound<'_, PyAny>) -> PyResult<Self> {
        let start = object.call_method0("tell")?;
        let end: u64 = object.call_method1("seek", (0, 2))?.extract()?;
        object.call_method1("seek", (&start,))?;
        let start = start.extract::<u64>()?;
        Ok(Self {
            object: object.clone().unbind(),
            serve: object.py().import("csvfeed.file_objects")?.getattr("serve")?.unbind(),
            start,
            length: end.saturating_sub(start),
            requests: Arc::default(),
            identity: OnceLock::new(),
            process: std::process::id(),
        })
    }

    /// A source for one pass, in the process that opened the file object.
    pub(crate) fn source(self: &Arc<Self>) -> Result<FileObjectSource, Error> {
        self.check_process()?;
        Ok(FileObjectSource { file: Arc::clone(self), is_abandoned: AtomicBool::new(false), failure: Mutex::default() })
    }

    fn check_process(&self) -> Result<(), Error> {
        if self.process == std::process::id() { Ok(()) } else { Err(Kind::ForkedObject.into()) }
    }

    /// Requests some bytes and returns the number of the request.
    fn ask(&self, offset: u64, length: usize) -> Result<u64, Error> {
        let (number, is_served) = self.requests.ask(self.start + offset, length);
        if !is_served {
            let start = |py: Python<'_>| {
                let requests = Bound::new(py, Requests(Arc::clone(&self.requests)))?;
                self.serve.bind(py).call1((&self.object, requests)).map(drop)
            };
            if let Err(error) = call(start) {
                let mut state = self.requests.state();
                state.is_served = false;
                state.forget(number);
                return Err(error);
            }
        }
        Ok(number)
    }
}

impl FileObjectSource {
    /// Waits for the answer to a request. Ctrl-C, the end of the interpreter and `abandon` end the wait.
    fn wait(&self, number: u64) -> Result<Answer, Error> {
        let requests = &self.file.requests;
        let mut state = requests.state();
        loop {
            if let Some(answer) = state.answers.remove(&number) {
                return Ok(answer);
            }
            if self.is_abandoned.load(Ordering::SeqCst) {
                state.forget(number);
                return Err(gone());
            }
            let (waited, timeout) =
                requests.answered.wait_timeout(state, PATIENCE).unwrap_or_else(PoisonError::into_inner);
            state = waited;
            if timeout.timed_out() {
                drop(state);
                // Only the main thread of Python runs signal handlers.
                #[expect(
                    clippy::redundant_closure_for_method_calls,
                    reason = "the method is not general over the lifetime"
                )]
                let checked = call(|py| py.check_signals());
                state = requests.state();
                if let Err(error) = checked {
                    state.forget(number);
                    return Err(error);
                }
            }
        }
    }
}

impl Source for FileObjectSource {
    fn len(&self) -> u64 {
        self.file.length
    }

    fn identity(&self) -> String {
        if let Some(known) = self.file.identity.get() {
            return known.clone();
        }
        match source::sum(self) {
            Ok(sum) => self.file.identity.get_or_init(|| sum).clone(),
            Err(error) => {
                *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                // An object that cannot be read equals no other.
                format!("{:p}", Arc::as_ptr(&self.file))
            }
        }
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<(), Error> {
        self.file.check_process()?;
        if let Some(failure) = self.failure.lock().unwrap_or_else(PoisonError::into_inner).take() {
            return Err(failure);
        }
        let number = self.file.ask(offset, buffer.len())?;
        let answer = self.wait(number)?;
        let chunks = answer.map_err(failed)?;
        if chunks.iter().map(|chunk| chunk.len()).sum::<usize>() != buffer.len() {
            return Err(Kind::SourceChanged("it ends too early").into());
        }
        let mut filled = 0;
        for chunk in &chunks {
            buffer[filled..filled + chunk.len()].copy_from_slice(chunk);
            filled += chunk.len();
        }
        Ok(())
    }

    fn abandon(&self) {
        self.is_abandoned.store(true, Ordering::SeqCst);
        // With the lock, so that no thread is between its check and its wait.
        drop(self.file.requests.state());
        self.file.requests.answered.notify_all();
    }
}

/// The requests to a file object. A thread never waits for the GIL while it holds the lock.
#[derive(Default)]
struct Queue {
    state: Mutex<State>,
    asked: Condvar,
    answered: Condvar,
}

type Answer = Result<Vec<PyBackedBytes>, PyErr>;

#[derive(Default)]
struct State {
    /// Number, offset and length of each open request.
    waiting: VecDeque<(u64, u64, usize)>,
    /// The request being served, unless its caller gave up.
    current: Option<u64>,
    answers: HashMap<u64, Answer>,
    next: u64,
    /// Whether a reading thread runs.
    is_served: bool,
}

impl State {
    fn forget(&mut self, number: u64) {
        self.waiting.retain(|(waiting, ..)| *waiting != number);
        self.answers.remove(&number);
        if self.current == Some(number) {
            self.current = None;
        }
    }
}

impl Queue {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Appends a request. The second value says whether a reading thread runs. If not, the caller starts one.
    fn ask(&self, offset: u64, length: usize) -> (u64, bool) {
        let mut state = self.state();
        let number = state.next;
        state.next += 1;
        state.waiting.push_back((number, offset, length));
        let is_served = std::mem::replace(&mut state.is_served, true);
        drop(state);
        self.asked.notify_one();
        (number, is_served)
    }

    /// The next request, or `None` after a while without one.
    fn take(&self) -> Option<(u64, usize)> {
        let deadline = Instant::now() + IDLE;
        let mut state = self.state();
        loop {
            if let Some((number, offset, length)) = state.waiting.pop_front() {
                state.current = Some(number);
                return Some((offset, length));
            }
            let Some(left) = deadline.checked_duration_since(Instant::now()) else {
                state.is_served = false;
                return None;
            };
            state = self.asked.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn answer(&self, answer: Answer) {
        let mut state = self.state();
        if let Some(number) = state.current.take() {
            state.answers.insert(number, answer);
        }
        drop(state);
        self.answered.notify_all();
    }
}

/// The requests to a file object, for the thread that reads it.
#[pyclass(frozen, module = "csvfeed._core")]
pub(crate) struct Requests(Arc<Queue>);

#[pymethods]
impl Requests {
    /// Offset and length of the next request. `None` tells the thread to end.
    fn take(&self, py: Python<'_>) -> Option<(u64, usize)> {
        py.detach(|| self.0.take())
    }

    /// Answers the request with the bytes, in pieces.
    fn answer(&self, chunks: Vec<PyBackedBytes>) {
        self.0.answer(Ok(chunks));
    }

    /// Answers the request with an exception.
    fn fail(&self, error: Bound<'_, PyAny>) {
        self.0.answer(Err(PyErr::from_value(error)));
    }
}
