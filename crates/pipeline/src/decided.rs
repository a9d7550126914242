//! What people have decided about a study's instances in quarantine, as the work on it needs it.

use crate::material::Patient;
use crate::source::Source;
use crate::{PipelineError, Site};
use scanveil_model::{Decision, Digest, HospitalId};
use scanveil_scrub::Vouched;
use scanveil_seal::StudyKey;
use std::collections::{BTreeMap, BTreeSet};

/// The decisions about one study.
#[derive(Default)]
pub(crate) struct Decided {
    /// For whose pixels somebody vouches, and against which reasons.
    pub(crate) vouched: BTreeMap<Digest, Vouched>,
    /// Instances that are the study's patient's, whatever identifier they have.
    pub(crate) merged: BTreeSet<Digest>,
    /// The instance that names the right patient; the accepted ones of the study otherwise.
    pub(crate) right: Option<Digest>,
}

impl Decided {
    pub(crate) fn load(
        site: &Site,
        hospital: &HospitalId,
        study: &StudyKey,
    ) -> Result<Self, PipelineError> {
        let mut decided = Self::default();
        let mut codes: BTreeMap<Digest, BTreeSet<_>> = BTreeMap::new();
        for one in site.catalog.decisions(hospital, study)? {
            match one.decision {
                Decision::Release => codes.entry(one.source).or_default().extend(one.codes),
                Decision::Merge => {
                    decided.merged.insert(one.source);
                    decided.right = decided.right.or(one.other);
                }
                // The catalogue says which instance has the place under a UID.
                Decision::Correct | Decision::KeepFirst | Decision::Discard => {}
            }
        }
        decided.vouched =
            codes.into_iter().map(|(source, codes)| (source, Vouched::of(codes))).collect();
        Ok(decided)
    }

    /// The source whose patient identifier is the right one, where identifiers were merged.
    pub(crate) fn right_patient(
        &self,
        sources: &[Source],
        patients: &BTreeMap<usize, Patient>,
    ) -> Option<usize> {
        if self.merged.is_empty() {
            return None;
        }
        patients.keys().copied().find(|at| match self.right {
            Some(right) => sources[*at].digest() == right,
            None => !self.merged.contains(&sources[*at].digest()),
        })
    }
}
