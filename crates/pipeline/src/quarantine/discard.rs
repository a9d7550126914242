//! Takes instances out of the store: packs that hold others are written again without them.

use super::{DecisionRecord, QuarantineError};
use crate::attempt::Attempt;
use crate::hold::copy_entry;
use crate::publish::Ready;
use crate::{PipelineError, Site};
use scanveil_catalog::{KeyedId, ObjectFilter, ObjectRecord};
use scanveil_model::{Digest, Hex, HospitalId, ObjectId, Zone};
use scanveil_seal::{PackEntry, PackMeta, PackReader, RawZone};
use scanveil_storage::ObjectKey;
use scanveil_vault::{KeyringError, RawPack};
use std::collections::BTreeSet;
use std::path::Path;

/// Takes a record's instances out of quarantine and out of the vault. The study's lock is held.
/// Repeated after a crash, it does what is left to do.
pub(super) fn discard(
    site: &Site,
    record: &DecisionRecord,
    dir: &Path,
) -> Result<(), QuarantineError> {
    let hospital = &record.hospital;
    let gone: BTreeSet<Digest> = record.instances.iter().map(|one| one.source).collect();
    let attempt = Attempt::begin(site, hospital, &record.study)?;
    let mut ready = Ready::new(attempt);
    for zone in [RawZone::Quarantine, RawZone::Vault] {
        let filter = ObjectFilter {
            zone: Some(zone.zone()),
            hospital: Some(hospital.clone()),
            study_key: Some(record.study),
            ..ObjectFilter::default()
        };
        for object in site.catalog.objects(&filter, u32::MAX).map_err(PipelineError::from)? {
            let instances = site.catalog.instances(&object.object).map_err(PipelineError::from)?;
            if instances.iter().any(|one| gone.contains(&one.digest)) {
                take_out(site, &mut ready, &object, zone, &gone, dir)?;
            }
        }
    }
    ready.publish(site, &[])?;
    let places: Vec<(KeyedId, Digest)> = record
        .instances
        .iter()
        .filter_map(|one| Some((Hex::decode(one.sop_key.as_deref()?)?, one.source)))
        .collect();
    site.catalog.forget_instances(hospital, &places).map_err(PipelineError::from)?;
    Ok(())
}

/// Writes what else an object holds into a new one, and withdraws it.
fn take_out(
    site: &Site,
    ready: &mut Ready,
    object: &ObjectRecord,
    zone: RawZone,
    gone: &BTreeSet<Digest>,
    dir: &Path,
) -> Result<(), PipelineError> {
    let key = ObjectKey::new(zone.zone(), object.hospital.clone(), object.object);
    let subject = match site.keyring.existing_subject(&object.hospital, &object.subject) {
        // Erased: nothing in it can be read any more, and nothing has to be kept.
        Err(KeyringError::SubjectDestroyed(_)) => return ready.withdraw(key),
        subject => subject?,
    };
    let zone_key = subject.zone_key(zone.zone());
    let pack = PackReader::open(site.store.open(&key)?, |_| Ok(subject.zone_key(zone.zone())))?;
    let rest: Vec<&PackEntry> =
        pack.index().entries.iter().filter(|entry| !gone.contains(&entry.digest)).collect();
    if !rest.is_empty() {
        let id = rest_id(site, &object.hospital, object.object, &rest)?;
        let index = pack.index();
        let meta = PackMeta {
            zone,
            hospital: index.hospital.clone(),
            subject: index.subject,
            study_key: index.study_key,
            received_at_ms: index.received_at_ms,
        };
        let entropy = site.entropy.as_ref();
        let mut new = RawPack::create(dir, entropy, id, meta, &zone_key)?;
        for entry in rest {
            copy_entry(&pack, entry, entry.clone(), &mut new)?;
        }
        let sealed = new.finish()?;
        let tags = site.store.confirm(&key)?.tags().clone();
        ready.put(site, &sealed, &tags)?;
    }
    ready.withdraw(key)
}

/// What is left of an object is another object: the same one when it is written again.
fn rest_id(
    site: &Site,
    hospital: &HospitalId,
    object: ObjectId,
    rest: &[&PackEntry],
) -> Result<ObjectId, PipelineError> {
    let mut content = blake3::Hasher::new();
    content.update(&object.0);
    rest.iter().for_each(|entry| {
        content.update(&entry.digest.0);
    });
    let keys = site.keyring.existing_hospital(hospital)?;
    Ok(ObjectId(keys.key.keyed_id("rest of a pack", content.finalize().as_bytes())))
}

/// Whether any of these is still in the store, by the catalogue.
pub(super) fn are_gone(site: &Site, record: &DecisionRecord) -> Result<bool, PipelineError> {
    for zone in [Zone::Quarantine, Zone::Vault] {
        let filter = ObjectFilter {
            zone: Some(zone),
            hospital: Some(record.hospital.clone()),
            study_key: Some(record.study),
            ..ObjectFilter::default()
        };
        for object in site.catalog.objects(&filter, u32::MAX)? {
            let held = site.catalog.instances(&object.object)?;
            let gone = |digest| record.instances.iter().any(|one| one.source == digest);
            if held.iter().any(|one| gone(one.digest)) {
                return Ok(false);
            }
        }
    }
    Ok(true)
}
