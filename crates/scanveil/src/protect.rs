//! Keeps what is in memory out of files that others may read: identifiers and keys pass through
//! every command.

use rustix::process::{Resource, Rlimit, setrlimit};
use std::io;

/// No image of this process or of any that it starts is written when it crashes, and no other
/// process of the same user may look into its memory.
///
/// # Errors
/// What the system refuses.
pub(crate) fn memory() -> io::Result<()> {
    // Processes that this one starts inherit the limit; the other is their own first step.
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    // A limit of zero does not stop a kernel that pipes images to a program (core(5)).
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    }
    Ok(())
}
