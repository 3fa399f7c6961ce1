//! The Python extension module `csvfeed._core`: conversions between Python and `csvfeed-core`, and nothing else.

mod batches;
mod choice;
mod dialect;
mod error;
mod forks;
mod ids;
mod input;
mod options;
mod plan;
mod reader;
mod rejects;
mod sample;
mod shares;
mod signals;
mod sniff;
mod steps;
mod threads;
mod vocabularies;

use pyo3::prelude::*;

/// The reading core of csvfeed.
#[pymodule]
mod _core {
    use numpy::PyArray1;
    use pyo3::prelude::*;
    use pyo3::types::PyBytes;

    #[pymodule_export]
    use super::batches::{Batches, Progress};
    #[pymodule_export]
    use super::input::Requests;
    #[pymodule_export]
    use super::plan::Plan;
    #[pymodule_export]
    use super::reader::Reader;
    #[pymodule_export]
    use super::sample::beginning;
    #[pymodule_export]
    use super::sniff::sniff;

    /// The instruction set in use.
    #[pyfunction]
    fn simd(py: Python<'_>) -> PyResult<&'static str> {
        let chosen = csvfeed_core::simd::simd();
        chosen
            .map(csvfeed_core::simd::Simd::name)
            .map_err(|error| crate::error::exception(py, &error, crate::error::Where::default()))
    }

    /// The source of each row of a group of a mix, as a byte.
    #[pyfunction]
    #[expect(clippy::needless_pass_by_value, reason = "arguments of Python are extracted into values")]
    fn interleave(py: Python<'_>, counts: Vec<usize>, seed: u64, epoch: u64, group: u64) -> Bound<'_, PyBytes> {
        PyBytes::new(py, &csvfeed_core::choose::interleave::interleave(&counts, seed, epoch, group))
    }

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        // The first array imports parts of numpy, where Ctrl-C would cause a panic. Make it here.
        module.py().import("numpy")?;
        super::forks::register(module.py())?;
        super::threads::register(module.py())?;
        drop(PyArray1::<f32>::zeros(module.py(), 0, false));
        module.add("SAMPLE", csvfeed_core::head::SAMPLE)?;
        module.add("MISSING", csvfeed_core::table::missing::MISSING.to_vec())?;
        module.add("SMALL_BUFFERS", csvfeed_core::budget::small_buffers())?;
        module.add("DEBUG", cfg!(debug_assertions))
    }
}
