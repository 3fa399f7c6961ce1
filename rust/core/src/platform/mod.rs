//! What differs between operating systems: reading and writing at an offset, the identity of a file, temporary files
//! without a name, and the limits of open files.

mod identity;
#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

pub use identity::FileIdentity;
pub(crate) use identity::Time;
#[cfg(unix)]
use unix as system;
#[cfg(windows)]
use windows as system;

pub(crate) use system::{
    FileExt, TICK, create_nameless, directory_error, has_name, identity_at, identity_of, is_out_of_handles,
    open_files_limit,
};

#[cfg(test)]
mod tests;
