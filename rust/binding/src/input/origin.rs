//! `Origin`: where the bytes of a part come from, without an open handle.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use csvfeed_core::error::{Error, Kind};
use csvfeed_core::source::{FileSource, Handles, LazyFile, MemorySource, Source, Spool, SpooledText, Version};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyBytes, PyString};

use super::file_object::FileObject;
use crate::error::{failed, gone};
use crate::signals::Stop;
use crate::threads::{call, enter};

/// Bytes to read at a time from an object that can be read only once.
const CHUNK: usize = 256 << 10;

/// Where the bytes of a part come from.
pub(crate) enum Origin {
    File {
        path: PathBuf,
        version: Arc<Version>,
    },
    Memory(Arc<MemorySource<PyBackedBytes>>),
    /// An object of `csvfeed.source.Origin`, and what it opens, once known.
    Object {
        object: Py<PyAny>,
        known: OnceLock<Known>,
    },
    FileObject(Arc<FileObject>),
    /// A copy of an object that could be read only once.
    Spooled(Arc<SpooledText>),
}

/// What an object of `csvfeed.source.Origin` opens.
pub(crate) enum Known {
    /// A handle that can be read at any offset. The first reader takes the handle that is already open.
    Sized { size: u64, identity: String, first: Mutex<Option<Py<PyAny>>>, process: u32 },
    /// A copy of a handle that could be read only once.
    Spooled(Arc<SpooledText>),
}

impl Origin {
    /// The name of a part in errors.
    pub(crate) fn name(part: &Bound<'_, PyAny>) -> PyResult<String> {
        if part.is_instance_of::<PyBytes>() {
            return Ok("<bytes>".to_owned());
        }
        if part.is_instance_of::<PyString>() {
            return Ok(part.extract::<PathBuf>()?.display().to_string());
        }
        let name = part.getattr_opt("name")?.and_then(|name| name.extract().ok());
        Ok(match name {
            Some(name) => name,
            None if part.hasattr("read")? => format!("<{}>", part.get_type().name()?),
            None => part.str()?.to_string(),
        })
    }

    /// Finds a part. A file object that can be read only once is copied to a temporary file.
    pub(crate) fn find(part: &Bound<'_, PyAny>) -> Result<Self, Stop> {
        if part.is_instance_of::<PyBytes>() {
            return Ok(Self::Memory(Arc::new(MemorySource::new(read(part)?))));
        }
        if part.is_instance_of::<PyString>() {
            let path: PathBuf = part.extract()?;
            let version = Arc::clone(part.py().detach(|| FileSource::open(&path))?.version());
            return Ok(Self::File { path, version });
        }
        if part.hasattr("read")? {
            if part.call_method0("seekable")?.is_truthy()? {
                return Ok(Self::FileObject(Arc::new(FileObject::new(part)?)));
            }
            let mut spool = Spool::begin(&temporary_directory()?)?;
            loop {
                let chunk = read(&part.call_method1("read", (CHUNK,))?)?;
                if chunk.is_empty() {
                    return Ok(Self::Spooled(Arc::new(spool.finish())));
                }
                part.py().detach(|| spool.write(&chunk))?;
            }
        }
        Ok(Self::Object { object: part.clone().unbind(), known: OnceLock::new() })
    }

    /// Opens an object of `csvfeed.source.Origin` once, to see what it is. A handle that can be read only once is copied to
    /// a temporary file. `begun` receives the handle, and may close it to end a wait. `is_given_up` is called now and then.
    pub(crate) fn look(&self, begun: &dyn Fn(Py<PyAny>), is_given_up: &dyn Fn() -> bool) -> Result<(), Error> {
        if let Self::Object { object, known } = self
            && known.get().is_none()
        {
            let look = |py: Python<'_>| Self::known(object.bind(py), begun, is_given_up);
            let found = enter(look).ok_or_else(gone)?.map_err(Stop::into_error)?;
            known.get_or_init(|| found);
        }
        Ok(())
    }

    fn known(
        object: &Bound<'_, PyAny>,
        begun: &dyn Fn(Py<PyAny>),
        is_given_up: &dyn Fn() -> bool,
    ) -> Result<Known, Stop> {
        let handle = object.call_method0("open")?;
        begun(handle.clone().unbind());
        if is_given_up() {
            handle.call_method0("close")?;
            return Err(gone().into());
        }
        if let Some(size) = handle.getattr("size")?.extract()? {
            let identity = handle.getattr("identity")?.extract()?;
            return Ok(Known::Sized {
                size,
                identity,
                first: Mutex::new(Some(handle.unbind())),
                process: std::process::id(),
            });
        }
        let stream = || -> Result<SpooledText, Stop> {
            let mut spool = Spool::begin(&temporary_directory()?)?;
            for chunk in handle.call_method0("stream")?.try_iter()? {
                let chunk = read(&chunk?)?;
                object.py().detach(|| spool.write(&chunk))?;
                if is_given_up() {
                    return Err(gone().into());
                }
            }
            Ok(spool.finish())
        };
        let text = stream();
        let closed = handle.call_method0("close");
        let text = text?;
        closed?;
        Ok(Known::Spooled(Arc::new(text)))
    }

    /// Opens the part, which must be unchanged. One of `many` files, by its number, is opened when it is read.
    pub(crate) fn open(&self, name: &str, many: Option<(usize, &Arc<Handles>)>) -> Result<Arc<dyn Source>, Error> {
        Ok(match (self, many) {
            (Self::File { path, version }, None) => Arc::new(FileSource::reopen(path, version)?),
            (Self::File { path, version }, Some((number, handles))) => {
                Arc::new(LazyFile::new(path.clone(), Arc::clone(version), number, Arc::clone(handles))?)
            }
            (Self::Memory(memory), _) => Arc::<MemorySource<PyBackedBytes>>::clone(memory),
            (Self::FileObject(file), _) => Arc::new(file.source()?),
            (Self::Spooled(text), _) => Arc::<SpooledText>::clone(text),
            (Self::Object { object, known }, _) => match known.get().ok_or(Kind::Internal)? {
                Known::Spooled(text) => Arc::<SpooledText>::clone(text),
                Known::Sized { size, identity, first, process } => {
                    // A handle of another process belongs to that process.
                    let is_own = *process == std::process::id();
                    let first = if is_own { first.lock().map_or(None, |mut first| first.take()) } else { None };
                    Arc::new(ObjectSource {
                        object: Python::attach(|py| object.clone_ref(py)),
                        name: name.to_owned(),
                        size: *size,
                        identity: identity.clone(),
                        handle: first.map_or_else(OnceLock::new, OnceLock::from),
                        compared: OnceLock::new(),
                        opening: Mutex::new(()),
                        abandoned: AtomicBool::new(false),
                    })
                }
            },
        })
    }

    /// A string that changes when the part changes. `None` for bytes, which cannot change.
    pub(crate) fn identity(&self) -> Option<String> {
        match self {
            Self::File { version, .. } => Some(format!("{:?}", version.identity())),
            Self::Object { known, .. } => Some(match known.get()? {
                Known::Sized { size, identity, .. } => format!("{size} {identity}"),
                Known::Spooled(text) => text.identity(),
            }),
            Self::Memory(_) => None,
            Self::FileObject(file) => Some(format!("{:p}", Arc::as_ptr(file))),
            Self::Spooled(text) => Some(text.identity()),
        }
    }

    /// Whether no other process can read it.
    pub(crate) fn is_of_this_process(&self) -> bool {
        matches!(self, Self::FileObject(_) | Self::Spooled(_))
    }

    /// Whether the threads that read it call Python.
    pub(crate) fn calls_python(&self) -> bool {
        matches!(self, Self::FileObject(_) | Self::Object { .. })
    }

    /// Whether it is remote, so that reading is mostly waiting.
    pub(crate) fn is_far(&self) -> bool {
        matches!(self, Self::Object { .. })
    }
}

/// The directory of Python's temporary files.
pub(crate) fn temporary_directory() -> Result<PathBuf, Error> {
    let ask = |py: Python<'_>| py.import("tempfile")?.call_method0("gettempdir")?.extract();
    Python::try_attach(ask).ok_or_else(gone)?.map_err(failed)
}

/// The bytes that an object returned.
fn read(chunk: &Bound<'_, PyAny>) -> PyResult<PyBackedBytes> {
    match chunk.extract() {
        Ok(bytes) => Ok(bytes),
        Err(_) => Err(PyTypeError::new_err(format!("read() gave {} instead of bytes", chunk.get_type().name()?))),
    }
}

/// An object of `csvfeed.source.Origin`, opened at the first read.
struct ObjectSource {
    object: Py<PyAny>,
    name: String,
    size: u64,
    identity: String,
    handle: OnceLock<Py<PyAny>>,
    /// Set once the handle is known to be unchanged.
    compared: OnceLock<()>,
    /// Always locked before the GIL is taken.
    opening: Mutex<()>,
    abandoned: AtomicBool,
}

impl ObjectSource {
    fn handle(&self) -> Result<&Py<PyAny>, Error> {
        if let (Some(handle), Some(())) = (self.handle.get(), self.compared.get()) {
            return Ok(handle);
        }
        let _turn = self.opening.lock().unwrap_or_else(PoisonError::into_inner);
        let handle = if let Some(handle) = self.handle.get() {
            handle
        } else {
            let open = |py: Python<'_>| self.object.call_method0(py, "open");
            let handle = call(open)?;
            self.handle.get_or_init(|| handle)
        };
        // From here on `abandon` can close the handle, which ends any wait.
        if self.abandoned.load(Ordering::SeqCst) {
            self.close();
            return Err(gone());
        }
        let compare = |py: Python<'_>| -> PyResult<bool> {
            let handle = handle.bind(py);
            let size: Option<u64> = handle.getattr("size")?.extract()?;
            let identity: String = handle.getattr("identity")?.extract()?;
            Ok(size == Some(self.size) && identity == self.identity)
        };
        if !call(compare)? {
            return Err(Kind::SourceChanged("another size or version").into());
        }
        self.compared.get_or_init(|| ());
        Ok(handle)
    }

    fn close(&self) {
        if let Some(handle) = self.handle.get() {
            enter(|py| {
                // An iterator may be dropped while an exception is raised, which must survive this call.
                let raised = PyErr::take(py);
                // No caller is left to receive an error.
                let _ = handle.call_method0(py, "close");
                if let Some(raised) = raised {
                    raised.restore(py);
                }
            });
        }
    }
}

impl Source for ObjectSource {
    fn len(&self) -> u64 {
        self.size
    }

    fn identity(&self) -> String {
        format!("{} {} {}", self.name, self.size, self.identity)
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<(), Error> {
        let handle = self.handle()?;
        if self.abandoned.load(Ordering::SeqCst) {
            return Err(gone());
        }
        let fill = |py: Python<'_>| -> PyResult<bool> {
            let bytes = read(&handle.bind(py).call_method1("read", (offset, buffer.len()))?)?;
            let is_whole = bytes.len() == buffer.len();
            if is_whole {
                buffer.copy_from_slice(&bytes);
            }
            Ok(is_whole)
        };
        let is_whole = call(fill)?;
        if is_whole {
            Ok(())
        } else {
            Err(Kind::SourceChanged("it gave another number of bytes than it was asked for").into())
        }
    }

    fn abandon(&self) {
        self.abandoned.store(true, Ordering::SeqCst);
        self.close();
    }
}

impl Drop for ObjectSource {
    fn drop(&mut self) {
        self.close();
    }
}
