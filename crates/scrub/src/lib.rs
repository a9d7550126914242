//! De-identification of one study: profiles, the tables of PS3.15 Annex E, the header, pixel rules
//! and a verification that looks for the study's own identifying values in what comes out.
//!
//! Pure: no file, clock, environment or randomness. A study goes through in two steps: every
//! instance is shown to [`StudyIdentity`], then [`StudyScrubber`] scrubs each, because a name found
//! in one instance must be cleaned from all of them.

mod attributes;
mod burned_in;
mod certificate;
mod codes;
mod codestream;
mod dates;
mod days;
mod decide;
mod header;
mod icc;
mod identity;
mod inspection;
mod iod;
mod kept;
mod keyed;
mod makers;
mod mask;
mod noticed;
mod options;
mod outcome;
mod person;
mod pixels;
mod plan;
mod prepared;
mod private;
mod profile;
mod reading;
mod rle;
mod scrubbed;
mod sink;
mod sop;
mod structured;
mod study;
mod suspicion;
mod table;
mod text;
mod treatment;
mod unlisted;
mod values;
mod vocabulary;
mod vouched;

pub use certificate::{Certificate, Certifying, Count};
pub use identity::StudyIdentity;
pub use inspection::{Inspector, Risk, Trace, TracePlace};
pub use keyed::ProjectSecret;
pub use noticed::Noticed;
pub use options::ProfileOption;
pub use prepared::Prepared;
pub use profile::{
    Case, CdaRule, Coarseness, Condition, DateSettings, Declaration, DocumentSettings, Explanation,
    IdleRule, PdfRule, PixelSettings, Profile, ProfileDocument, ProfileError, RuleAction,
    RuleDocument, TextSettings, Unlisted,
};
pub use scrubbed::{Names, ScrubbedInstance};
pub use sop::{PixelClass, SopClass};
pub use study::{Mapping, MappingKind, StudyScrubber, study_of};
pub use table::{Code, EDITION, TableRow, rows};
pub use vouched::Vouched;

#[cfg(test)]
mod tests;
