//! Aligned memory for values.

use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::ops::Range;
use std::ptr::NonNull;

use crate::budget::out_of_memory;

/// A buffer of float32 values. It starts on a 64-byte boundary, so that frameworks that require aligned arrays can
/// borrow it.
pub struct Buffer {
    start: NonNull<f32>,
    capacity: usize,
}

// SAFETY: the buffer owns its memory, and only `&mut` methods write to it.
unsafe impl Send for Buffer {}
// SAFETY: as above.
unsafe impl Sync for Buffer {}

impl Default for Buffer {
    fn default() -> Self {
        Self { start: NonNull::dangling(), capacity: 0 }
    }
}

impl Buffer {
    fn layout(capacity: usize) -> Option<Layout> {
        Layout::array::<f32>(capacity).and_then(|layout| layout.align_to(64)).ok()
    }

    /// Makes room for at least `length` values and keeps the first `filled`. Ends the job on this thread if there is no
    /// memory.
    pub(super) fn reserve(&mut self, length: usize, filled: usize) {
        if !self.try_reserve(length, filled) {
            out_of_memory();
        }
    }

    /// Like `reserve`, but returns `false` if there is no memory.
    pub(super) fn try_reserve(&mut self, length: usize, filled: usize) -> bool {
        if length <= self.capacity {
            return true;
        }
        let capacity = length.max(self.capacity + self.capacity / 4);
        let Some(layout) = Self::layout(capacity) else { return false };
        // SAFETY: the layout is not empty, since `length` is above a capacity.
        let start = unsafe { alloc_zeroed(layout) };
        let Some(start) = NonNull::new(start.cast()) else { return false };
        let mut grown = Self { start, capacity };
        grown.values_mut()[..filled].copy_from_slice(self.values(0..filled));
        *self = grown;
        true
    }

    /// The values in `range`.
    ///
    /// # Panics
    ///
    /// If the range is out of bounds.
    #[must_use]
    pub fn values(&self, range: Range<usize>) -> &[f32] {
        assert!(range.start <= range.end && range.end <= self.capacity);
        // SAFETY: the range was checked, and all values up to the capacity were initialised when they were allocated.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr().add(range.start), range.len()) }
    }

    pub(super) fn values_mut(&mut self) -> &mut [f32] {
        // SAFETY: as in `values`; the borrow is exclusive.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.capacity) }
    }

    /// The address of value `at`. The caller may hand the values from there on to code that writes to them; nobody may
    /// then read them through this buffer.
    ///
    /// # Panics
    ///
    /// If `at` is out of bounds.
    #[must_use]
    pub fn address_of(&self, at: usize) -> *mut f32 {
        assert!(at <= self.capacity);
        self.start.as_ptr().wrapping_add(at)
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if self.capacity > 0 {
            let layout = Self::layout(self.capacity).expect("the layout of an allocation");
            // SAFETY: allocated in `try_reserve` with the same layout.
            unsafe { dealloc(self.start.as_ptr().cast(), layout) }
        }
    }
}
