//! Distinguishes a file from others and from its later versions.

/// Seconds and nanoseconds since 1970.
pub(crate) type Time = (i64, i64);

/// Identifies one version of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FileIdentity {
    pub(super) device: u64,
    pub(super) inode: u64,
    pub(super) length: u64,
    pub(super) modified: Time,
    /// The last change of content, mode or links. Ordinary programs cannot set it.
    pub(super) changed: Time,
}

impl FileIdentity {
    /// Length in bytes.
    #[must_use]
    pub fn length(self) -> u64 {
        self.length
    }

    pub(crate) fn changed(self) -> Time {
        self.changed
    }

    /// Whether the two differ at most in their change time.
    pub(crate) fn differs_at_most_in_change_time(self, other: &Self) -> bool {
        Self { changed: other.changed, ..self } == *other
    }
}
