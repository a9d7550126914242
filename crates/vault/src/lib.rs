//! Identified data at rest, always sealed: the spool (durable before acknowledged), the keyring,
//! and the packs of originals and of quarantined instances.

mod error;
mod intake;
mod keyring;
mod packs;
mod spool;

pub use error::{FullCause, SpoolError};
pub use intake::{SpoolId, SpoolKeys, SpooledInstance};
pub use keyring::{
    BadKeyFile, HospitalKeys, HospitalListing, Keyring, KeyringError, SecretVersion, bad_key_files,
};
pub use packs::{
    INTAKE_CONTENT, LocalPack, PackBench, PackFault, PackOwner, RawPack, local_file, pack_groups,
    pack_originals, pack_quarantined, sweep_local_packs,
};
pub use spool::{
    AsideFolder, DAMAGE_CODE, Finding, Receiving, SetAside, Spool, SpoolConfig, SpoolReader,
    SpoolStats, Waiting,
};
