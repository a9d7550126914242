//! DIMSE: the receiver of C-STORE and C-ECHO (PS3.4 B, PS3.7, PS3.8) and a sender of both.
//!
//! One thread per association. Instance bytes go from the socket's buffer straight into the spool's
//! sink; nothing is held back, and no length is believed before its bytes are there.

mod association;
mod command;
mod control;
mod error;
mod limits;
mod link;
mod negotiate;
mod outgoing;
mod permission;
mod secure;
mod sender;
mod server;
mod status;
mod tls;

pub use error::DimseError;
pub use limits::DimseLimits;
pub use outgoing::{Outgoing, OutgoingFile, SendSummary, send_all};
pub use sender::{Sender, SenderOptions};
pub use server::{DimseConfig, DimseServer, PlainListener, TlsListener};
pub use status::Status;
pub use tls::{ClientAuth, TlsClient, TlsServer};

#[cfg(any(test, fuzzing))]
mod tests;
#[cfg(any(test, fuzzing))]
pub use tests::{fuzz_command, fuzz_session};
