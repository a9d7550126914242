//! Where sealed objects lie: one interface over a local folder and an S3-compatible service.
//!
//! [`ObjectStore`] is the interface, [`FolderStore`] and [`S3Store`] keep it, and
//! the tests hold both to it. [`Store`] is what the rest of the program uses: it takes
//! only sealed objects and gives a [`StoredObject`] only after the store confirmed to hold it.

mod conformance;
mod error;
mod folder;
mod key;
mod object;
mod s3;
mod store;
mod tags;

#[cfg(test)]
pub(crate) use conformance::{ConformanceLoad, check_conformance, sample_tags};
pub use conformance::{FaultyStore, StoreCall, StoreFault};
pub use error::{Result, StorageError};
pub use folder::FolderStore;
pub use key::{KeyPrefix, ObjectKey};
pub use object::{CheckReport, CheckStep, Listing, ObjectInfo, ObjectStore, Page};
pub use s3::{ChecksumMode, S3Config, S3Credentials, S3Store};
pub use store::{Objects, Store, StoredObject, StoredReader};

#[cfg(test)]
mod tests;
