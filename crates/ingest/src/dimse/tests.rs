//! The receiver and the sender against each other, against hand-written bytes, and against DCMTK;
//! and the entries of the fuzz targets (`fuzz/`), which use the same connection in memory.

#![cfg_attr(fuzzing, allow(dead_code))]
// Tests, though compiled for fuzzing too.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[cfg(test)]
mod dcmtk;
mod fuzz;
mod kit;
#[cfg(test)]
mod loopback;
#[cfg(test)]
mod slow;
#[cfg(test)]
mod tls;
#[cfg(test)]
mod wire;

pub use fuzz::{fuzz_command, fuzz_session};
