//! The id of this process, and values that survive a fork even if other threads were using them.
//!
//! A fork copies locks in their current state. A thread that held one does not exist in the child, so the lock would
//! stay locked for ever.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

/// The id of this process; 0 while it is unknown.
static ID: AtomicU32 = AtomicU32::new(0);

/// The id of this process. Each batch and each read needs it, and the system takes longer to tell it than a small batch
/// takes.
#[must_use]
pub fn id() -> u32 {
    match ID.load(Ordering::Relaxed) {
        0 => update_id(),
        id => id,
    }
}

/// Asks the system for the id. A forked process must do so before anything else.
pub fn update_id() -> u32 {
    let id = std::process::id();
    ID.store(id, Ordering::Relaxed);
    id
}

/// A value behind a lock, separate for each process. A child process starts with a copy of its parent's value, or with
/// the default if another thread held the lock during the fork.
pub struct PerProcess<T>(OnceLock<Box<Own<T>>>);

struct Own<T> {
    process: u32,
    value: Mutex<T>,
    /// The value of a process forked from this one.
    child: PerProcess<T>,
}

impl<T> Own<T> {
    fn new(value: T) -> Self {
        Self { process: id(), value: Mutex::new(value), child: PerProcess::new() }
    }
}

impl<T> PerProcess<T> {
    /// The default value, created on first use.
    #[must_use]
    pub const fn new() -> Self {
        Self(OnceLock::new())
    }

    /// A value for this process.
    #[must_use]
    pub fn with(value: T) -> Self {
        Self(OnceLock::from(Box::new(Own::new(value))))
    }
}

impl<T> Default for PerProcess<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Clone + Default> PerProcess<T> {
    /// The lock of this process.
    pub fn mutex(&self) -> &Mutex<T> {
        let process = id();
        let mut own = self.0.get_or_init(|| Box::new(Own::new(T::default())));
        while own.process != process {
            own = own.child.0.get_or_init(|| {
                let inherited = own.value.try_lock().map(|value| value.clone());
                Box::new(Own::new(inherited.unwrap_or_default()))
            });
        }
        &own.value
    }

    /// Locks the value for this thread.
    pub fn lock(&self) -> MutexGuard<'_, T> {
        self.mutex().lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_is_that_of_the_system() {
        assert_eq!([id(), id(), update_id()], [std::process::id(); 3]);
    }

    /// A value left by another process.
    fn inherited(value: i32) -> PerProcess<i32> {
        let own = Own { process: 0, value: Mutex::new(value), child: PerProcess::new() };
        PerProcess(OnceLock::from(Box::new(own)))
    }

    #[test]
    fn a_process_starts_with_a_copy_of_the_inherited_value() {
        let value = inherited(3);
        *value.lock() += 1;
        assert_eq!(*value.lock(), 4);
        assert_eq!(*value.0.get().unwrap().value.lock().unwrap(), 3);
    }

    #[test]
    fn a_value_locked_by_another_process_becomes_the_default() {
        let value = inherited(3);
        let held = value.0.get().unwrap().value.lock().unwrap();
        assert_eq!(*value.lock(), 0);
        drop(held);
    }
}
