//! What tests need and the product must not contain: child processes that cannot outlive a test,
//! free loopback ports, bounded waiting, and a real S3 server started for one test.
//!
//! Only ever a dev-dependency. Of this workspace it depends on `durable` alone, so that every other
//! crate can use it without a cycle; the faulty store is `scanveil_storage::FaultyStore`.
#![allow(
    clippy::panic,
    clippy::expect_used,
    reason = "a helper of tests fails the test that uses it by panicking with the reason"
)]

mod child;
mod http;
mod ports;
mod power;
mod s3_server;

pub use child::{ChildGuard, peak_rss_kib, wait_until};
pub use ports::{free_port, free_ports};
pub use power::PowerLoss;
pub use s3_server::S3Server;

#[cfg(test)]
mod tests;
