//! The whole program from outside: the binary, serving, and whoever sends to it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking with the reason"
)]

mod command_line;
mod damage;
mod demo;
mod documents;
mod escrow;
mod evaluate;
mod full;
mod kill;
#[allow(dead_code, reason = "a kit has more tools than each test needs")]
mod kit;
mod lifecycle;
mod peers;
mod quarantine;
mod received;
mod reload;
mod resume;
mod running;
mod scrub;
mod store_s3;
mod study;
mod watch;
