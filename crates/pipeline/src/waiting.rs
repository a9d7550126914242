//! What of a study waits in quarantine and may come through now: with the originals in the vault it
//! is what the study is made from. Hospitals that keep no originals have only this.

use crate::material::sop_key;
use crate::source::Source;
use crate::{PipelineError, Site};
use scanveil_catalog::{KeyedId, ObjectFilter};
use scanveil_model::{Digest, HospitalId, Zone};
use scanveil_seal::{HospitalKey, PackReader, StudyKey};
use scanveil_storage::ObjectKey;
use scanveil_vault::KeyringError;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Opens the study's objects in quarantine and gives each instance once that is not among `met`
/// (what the vault has), and that has, or is asked for, its place under its UID.
pub(crate) fn waiting(
    site: &Site,
    hospital: &HospitalId,
    key: &HospitalKey,
    study: &StudyKey,
    arriving: &BTreeSet<KeyedId>,
    mut met: BTreeSet<Digest>,
) -> Result<Vec<Source>, PipelineError> {
    let filter = ObjectFilter {
        zone: Some(Zone::Quarantine),
        hospital: Some(hospital.clone()),
        study_key: Some(*study),
        ..ObjectFilter::default()
    };
    let mut sources = Vec::new();
    for object in site.catalog.objects(&filter, u32::MAX)? {
        let instances = site.catalog.instances(&object.object)?;
        if instances.iter().all(|instance| met.contains(&instance.digest)) {
            continue;
        }
        let subject = match site.keyring.existing_subject(hospital, &object.subject) {
            // Erased: it is no more.
            Err(KeyringError::SubjectDestroyed(_)) => continue,
            subject => subject?,
        };
        let place = ObjectKey::new(Zone::Quarantine, hospital.clone(), object.object);
        let reader = site.store.open(&place)?;
        let zone_key = |_: &_| Ok(subject.zone_key(Zone::Quarantine));
        let pack = Arc::new(PackReader::open(reader, zone_key)?);
        for entry in &pack.index().entries {
            let source = Source::Original(Arc::clone(&pack), Box::new(entry.clone()));
            let has_place = match sop_key(key, &source) {
                None => true,
                Some(sop) if arriving.contains(&sop) => false,
                Some(sop) => {
                    let known = site.catalog.known_instance(hospital, &sop)?;
                    known.is_none_or(|known| known.source == entry.digest)
                }
            };
            if has_place && met.insert(entry.digest) {
                sources.push(source);
            }
        }
    }
    Ok(sources)
}
