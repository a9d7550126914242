//! Receivers: DIMSE C-STORE, STOW-RS, zip upload and the watched folder. Each hands what arrives to
//! the spool through [`IntakeSink`] and tells its sender "success" only with a [`Receipt`] in hand.

mod intake;

pub use intake::{
    CallingRule, HospitalRoute, Intake, IntakeError, IntakeMeta, IntakeSink, Network, NetworkError,
    PEEK_BYTES, Protocol, Receipt, ReceivingSink, now_ms,
};
