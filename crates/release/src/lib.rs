//! Research releases: plain DICOM files of a project's current generation with a manifest, tables
//! and a data sheet, and the check of such a folder.
//!
//! This crate holds research keys only. It knows nothing of the vault and opens nothing that
//! identifies a patient.

mod certificates;
mod create;
mod datasheet;
mod error;
mod folder;
mod line;
mod lost;
mod manifest;
mod plan;
mod request;
mod table;
mod tables;
mod verify;

pub use certificates::ManifestCertificate;
pub use create::create;
pub use error::ReleaseError;
pub use lost::Lost;
pub use manifest::{LeftOut, ManifestInstance, ReleaseManifest, Totals};
pub use request::{
    Progress, ReleaseFilter, ReleaseMode, ReleaseRequest, ReleaseSources, Unreadable,
};
pub use verify::{Problem, ProblemKind, VerifyReport, verify};

#[cfg(test)]
mod tests;
