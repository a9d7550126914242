//! Where sealed objects lie: one interface over a local folder and an S3-compatible service.
//!
//! [`ObjectStore`] is the interface, [`FolderStore`] and [`S3Store`] keep it, and
//! [`check_conformance`] holds both to it. [`Store`] is what the rest of the program uses: it takes
//! only sealed objects and gives a [`StoredObject`] only after the store confirmed to hold it.

mod conformance;
mod error;
mod folder;
mod key;
mod object;
mod s3;
mod store;
mod tags;

pub use conformance::{
    ConformanceLoad, FaultyStore, StoreCall, StoreFault, check_conformance, sample_tags,
};
pub use error::{Result, StorageError};
pub use folder::FolderStore;
pub use key::{KeyPrefix, ObjectKey};
pub use object::{
    CheckReport, CheckStep, Listing, MAX_LIST_KEYS, MAX_RANGE_BYTES, ObjectInfo, ObjectStore, Page,
};
pub use s3::{ChecksumMode, S3Config, S3Credentials, S3Store};
pub use store::{Objects, Store, StoredObject, StoredReader};

#[cfg(test)]
mod tests;
