//! The proof that an instance was scrubbed.

use crate::outcome::Outcome;
use scanveil_model::{Action, Digest, Uid};
use std::collections::BTreeMap;

/// What an instance is, and what it is called after scrubbing (PS3.3 C.12.1, C.7.3.1, C.7.2.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    /// SOP Class UID, the same as before.
    pub sop_class: Uid,
    /// New SOP Instance UID.
    pub sop_instance: Uid,
    /// New Series Instance UID.
    pub series: Uid,
    /// New Study Instance UID.
    pub study: Uid,
}

/// Proof that an instance was scrubbed: made only by [`StudyScrubber::scrub`].
///
/// No other crate can make one, or change one:
///
/// ```
/// fn reads(one: &scanveil_scrub::ScrubbedInstance) { let _ = one.length(); }
/// ```
/// ```compile_fail
/// fn forges(one: scanveil_scrub::ScrubbedInstance) -> scanveil_scrub::ScrubbedInstance {
///     scanveil_scrub::ScrubbedInstance { length: 0, ..one }
/// }
/// ```
pub struct ScrubbedInstance {
    pub(crate) names: Names,
    pub(crate) transfer_syntax: Uid,
    pub(crate) patient_pseudonym: String,
    pub(crate) digest: Option<Digest>,
    pub(crate) header_digest: Digest,
    pub(crate) length: u64,
    pub(crate) actions: BTreeMap<Action, u32>,
    pub(crate) outcome: Outcome,
}

impl ScrubbedInstance {
    /// What the instance is called now.
    #[must_use]
    pub fn names(&self) -> &Names {
        &self.names
    }
    /// Transfer syntax of the output, the same as of the input.
    #[must_use]
    pub fn transfer_syntax(&self) -> &Uid {
        &self.transfer_syntax
    }
    /// The patient's pseudonym in this project.
    #[must_use]
    pub fn patient_pseudonym(&self) -> &str {
        &self.patient_pseudonym
    }
    /// BLAKE3 digest of the output, unless the scrubber makes none
    /// ([`StudyScrubber::without_digests`](crate::StudyScrubber::without_digests)).
    #[must_use]
    pub fn digest(&self) -> Option<Digest> {
        self.digest
    }
    /// BLAKE3 digest of the output up to the pixel data: file meta information and elements, before
    /// they are deflated if they are.
    #[must_use]
    pub fn header_digest(&self) -> Digest {
        self.header_digest
    }
    /// Bytes of the output.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.length
    }
    /// How many elements met which action.
    #[must_use]
    pub fn actions(&self) -> &BTreeMap<Action, u32> {
        &self.actions
    }
    /// How many elements met which action for which reason.
    pub fn counts(&self) -> impl Iterator<Item = (Action, String, u64)> + '_ {
        self.outcome.counts.iter().map(|(action, because, count)| (action, because.word(), count))
    }
    /// How many findings of which kind were taken out of texts.
    #[must_use]
    pub fn findings(&self) -> &BTreeMap<&'static str, u32> {
        &self.outcome.findings
    }
    /// What was accepted by evidence, and what was written though it did not come in: how often, by
    /// the words of [`Noticed`](crate::Noticed).
    #[must_use]
    pub fn noticed(&self) -> &BTreeMap<&'static str, u32> {
        &self.outcome.noticed
    }
    /// De-identified attributes for tables, by keyword.
    #[must_use]
    pub fn attributes(&self) -> &BTreeMap<String, String> {
        &self.outcome.attributes
    }
}
