//! Aligned memory for values.

use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::ops::Range;
use std::ptr::NonNull;

use memmap2::MmapMut;

use crate::budget::out_of_memory;

/// Bytes from which a buffer has pages of its own. The system clears them when they are first used, so that room costs
/// nothing until it is filled.
const OWN_PAGES: usize = 1 << 20;

/// The size of a huge page. One fault fetches a whole one.
const HUGE_PAGE: usize = 2 << 20;

/// A buffer of float32 values. It starts on a 64-byte boundary, so that frameworks that require aligned arrays can
/// borrow it.
pub struct Buffer {
    start: NonNull<f32>,
    capacity: usize,
    /// The pages, unless the values lie on the heap.
    pages: Option<MmapMut>,
}

// SAFETY: the buffer owns its memory, and only `&mut` methods write to it.
unsafe impl Send for Buffer {}
// SAFETY: as above.
unsafe impl Sync for Buffer {}

impl Default for Buffer {
    fn default() -> Self {
        Self { start: NonNull::dangling(), capacity: 0, pages: None }
    }
}

impl Buffer {
    fn layout(capacity: usize) -> Option<Layout> {
        Layout::array::<f32>(capacity).and_then(|layout| layout.align_to(64)).ok()
    }

    /// A buffer of `capacity` zeros, which is not 0. `None` if there is no memory.
    fn zeroed(capacity: usize) -> Option<Self> {
        let layout = Self::layout(capacity)?;
        if layout.size() < OWN_PAGES {
            // SAFETY: the layout is not empty.
            let start = NonNull::new(unsafe { alloc_zeroed(layout) })?;
            return Some(Self { start: start.cast(), capacity, pages: None });
        }
        let bytes = layout.size().checked_next_multiple_of(HUGE_PAGE)?;
        let mut pages = MmapMut::map_anon(bytes).ok()?;
        // Ordinary pages serve as well.
        #[cfg(target_os = "linux")]
        let _ = pages.advise(memmap2::Advice::HugePage);
        let start = NonNull::new(pages.as_mut_ptr())?;
        Some(Self { start: start.cast(), capacity, pages: Some(pages) })
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
        let Some(mut grown) = Self::zeroed(length.max(self.capacity + self.capacity / 4)) else { return false };
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
        if self.capacity > 0 && self.pages.is_none() {
            let layout = Self::layout(self.capacity).expect("the layout of an allocation");
            // SAFETY: allocated in `zeroed` with the same layout.
            unsafe { dealloc(self.start.as_ptr().cast(), layout) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_keeps_its_values_as_it_grows() {
        let mut buffer = Buffer::default();
        let mut filled = 0;
        // From the heap to pages of its own, and on.
        for length in [1, 100, OWN_PAGES / 4 - 1, OWN_PAGES / 4, HUGE_PAGE, HUGE_PAGE + 1, 2 * HUGE_PAGE] {
            buffer.reserve(length, filled);
            assert_eq!(buffer.address_of(0).addr() % 64, 0);
            assert!(
                buffer.values(filled..length).iter().all(|value| value.to_bits() == 0),
                "new values are initialized"
            );
            for (at, value) in buffer.values_mut()[..length].iter_mut().enumerate().skip(filled) {
                *value = at as f32;
            }
            filled = length;
            assert!(
                buffer.values(0..filled).iter().enumerate().all(|(at, value)| value.to_bits() == (at as f32).to_bits())
            );
        }
    }

    #[test]
    fn a_buffer_that_cannot_grow_keeps_its_values() {
        let mut buffer = Buffer::default();
        buffer.reserve(1, 0);
        buffer.values_mut()[0] = 1.0;
        for length in [1 << 58, usize::MAX / 4, usize::MAX] {
            assert!(!buffer.try_reserve(length, 1));
        }
        assert_eq!(buffer.values(0..1), [1.0]);
    }
}
