//! Memory for values.

use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::ops::Range;
use std::ptr::NonNull;

use crate::budget::out_of_memory;

/// Values of float32, the first on a 64-byte boundary, so that frameworks that borrow aligned arrays can.
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

    /// Room for at least `length` values, of which the first `filled` stay, or the end of the job of this thread.
    pub(super) fn reserve(&mut self, length: usize, filled: usize) {
        if !self.try_reserve(length, filled) {
            out_of_memory();
        }
    }

    /// The same, or `false` when there is no memory for it.
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

    /// Some of the values.
    ///
    /// # Panics
    ///
    /// When the range is not within the buffer.
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

    /// The address of value `at`, for handing the values from there on to somebody who may write to them; they must
    /// not be read here any more.
    ///
    /// # Panics
    ///
    /// When the place is not within the buffer.
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
