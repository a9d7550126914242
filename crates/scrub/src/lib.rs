//! De-identification of one study.

#![allow(missing_docs)]
use scanveil_dataset::Header;
use scanveil_model::{Action, Digest, Reason, ReasonCode, Uid};
use std::collections::BTreeMap;
use std::io::{Read, Write};

pub struct Profile;
impl Profile {
    #[must_use]
    pub fn builtin(name: &str) -> Option<Self> {
        (name == "basic").then_some(Self)
    }
    #[must_use]
    pub fn label(&self) -> String {
        "basic@0000000000000000".into()
    }
}
pub struct ProjectSecret(#[allow(dead_code)] [u8; 32]);
impl ProjectSecret {
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}
#[derive(Default)]
pub struct StudyIdentity;
impl StudyIdentity {
    #[must_use]
    pub fn new() -> Self {
        Self
    }
    pub fn observe(&mut self, header: &Header) -> Result<(), Reason> {
        let _ = header;
        Ok(())
    }
}
pub struct StudyScrubber;
impl StudyScrubber {
    pub fn new(
        profile: &Profile,
        secret: &ProjectSecret,
        identity: StudyIdentity,
    ) -> Result<Self, Reason> {
        let _ = (profile, secret, identity);
        Ok(Self)
    }
    pub fn scrub(
        &self,
        header: &Header,
        body: impl Read,
        out: impl Write,
    ) -> Result<ScrubbedInstance, Reason> {
        let _ = (header, body, out);
        Err(Reason::new(ReasonCode::Internal, "stub"))
    }
}
/// Proof that an instance was scrubbed: made only by [`StudyScrubber::scrub`].
pub struct ScrubbedInstance {
    pub(crate) sop_class_uid: Uid,
    pub(crate) sop_instance_uid: Uid,
    pub(crate) series_instance_uid: Uid,
    pub(crate) study_instance_uid: Uid,
    pub(crate) transfer_syntax: Uid,
    pub(crate) patient_pseudonym: String,
    pub(crate) digest: Digest,
    pub(crate) length: u64,
    pub(crate) actions: BTreeMap<Action, u32>,
    pub(crate) attributes: BTreeMap<String, String>,
}
impl ScrubbedInstance {
    #[must_use]
    pub fn sop_class_uid(&self) -> &Uid {
        &self.sop_class_uid
    }
    #[must_use]
    pub fn sop_instance_uid(&self) -> &Uid {
        &self.sop_instance_uid
    }
    #[must_use]
    pub fn series_instance_uid(&self) -> &Uid {
        &self.series_instance_uid
    }
    #[must_use]
    pub fn study_instance_uid(&self) -> &Uid {
        &self.study_instance_uid
    }
    #[must_use]
    pub fn transfer_syntax(&self) -> &Uid {
        &self.transfer_syntax
    }
    #[must_use]
    pub fn patient_pseudonym(&self) -> &str {
        &self.patient_pseudonym
    }
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }
    #[must_use]
    pub fn length(&self) -> u64 {
        self.length
    }
    #[must_use]
    pub fn actions(&self) -> &BTreeMap<Action, u32> {
        &self.actions
    }
    #[must_use]
    pub fn attributes(&self) -> &BTreeMap<String, String> {
        &self.attributes
    }
}
