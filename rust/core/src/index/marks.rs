//! Lists of positions.

use std::ops::Deref;

/// Positions in a vector that keeps its length from text to text, so that its tail is initialized only once.
#[derive(Default)]
pub(super) struct Marks {
    places: Vec<u32>,
    pub(super) count: usize,
}

impl Deref for Marks {
    type Target = [u32];

    fn deref(&self) -> &[u32] {
        &self.places[..self.count]
    }
}

impl Marks {
    pub(super) fn clear(&mut self) {
        self.count = 0;
    }

    pub(super) fn push(&mut self, mark: u32) {
        self.room()[0] = mark;
        self.advance(1);
    }

    pub(super) fn copy(&mut self, marks: &[u32]) {
        self.places.clear();
        self.places.extend_from_slice(marks);
        self.count = marks.len();
    }

    pub(super) fn filled(&mut self) -> &mut [u32] {
        &mut self.places[..self.count]
    }

    /// The next places, as many as a chunk has bytes. Write to them before calling [`Marks::advance`].
    #[inline]
    pub(super) fn room(&mut self) -> &mut [u32; 64] {
        if self.places.len() < self.count + 64 {
            self.grow(64);
        }
        self.places[self.count..].first_chunk_mut().expect("room for a chunk")
    }

    /// Like [`Marks::room`], for several chunks.
    #[inline]
    pub(super) fn rooms(&mut self, chunks: usize) -> &mut [u32] {
        if self.places.len() < self.count + 64 * chunks {
            self.grow(64 * chunks);
        }
        &mut self.places[self.count..self.count + 64 * chunks]
    }

    #[cold]
    fn grow(&mut self, more: usize) {
        self.places.resize((self.count + more).next_power_of_two(), 0);
    }

    /// Appends the first `count` places of the room.
    #[inline]
    pub(super) fn advance(&mut self, count: usize) {
        self.count += count;
    }
}
