//! Receivers: DIMSE C-STORE, STOW-RS, zip upload and the watched folder. Each hands what arrives to
//! the spool through [`IntakeSink`] and tells its sender "success" only with a [`Receipt`] in hand.

// cargo-fuzz sets cfg(fuzzing): what the fuzz targets call is no part of the interface.
#![allow(unexpected_cfgs)]

mod arrival;
mod counted;
mod current;
mod dimse;
mod folder;
mod intake;
mod pace;
mod places;
mod quiet;
mod web;

pub use counted::show_counters;
pub use current::Current;
pub use dimse::{
    ClientAuth, DimseConfig, DimseError, DimseLimits, DimseServer, Outgoing, OutgoingFile,
    PlainListener, SendSummary, Sender, SenderOptions, Status, TlsClient, TlsListener, TlsServer,
    send_all,
};
#[cfg(any(test, fuzzing))]
pub use dimse::{fuzz_command, fuzz_session};
pub use folder::{
    AfterTaking, FolderConfig, FolderError, FolderHandle, FolderRound, FolderWatcher,
};
pub use intake::{
    CallingRule, HospitalRoute, Intake, IntakeError, IntakeSink, Network, NetworkError, Receipt,
    ReceivingSink, now_ms,
};
pub use places::{Full, Guest, Place, PlaceLimits, Places};
pub use quiet::Quiet;
pub use web::{TokenDigest, TokenTable, WebError, WebLimits, generate_token, router};
