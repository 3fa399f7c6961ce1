//! Work that is compiled for each instruction set.

/// A loop over all dates of a block, compiled for each instruction set.
pub(super) trait Loop {
    type Result;

    /// Implementations are always inlined.
    fn run(self) -> Self::Result;
}
