//! Originals and quarantined instances on their way from the spool into the store: sealed packs in
//! local temporary files.

mod raw;

pub use raw::{PackFault, RawPack};

use crate::error::SpoolError;
use crate::intake::SpooledInstance;
use crate::spool::Spool;
use scanveil_durable::{LocalFile, PRIVATE};
use scanveil_model::{HospitalId, IntakeMeta, ObjectId, Reason, SubjectId};
use scanveil_seal::{
    Entropy, HospitalKey, PACK_MAX_INSTANCES, PACK_TARGET_BYTES, PackEntry, PackMeta, RawZone,
    SealedObject, StudyKey, SubjectKey,
};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::Path;

/// How the names of local packs end.
const LOCAL_EXTENSION: &str = "svo-local";

/// Where packs are made from and written to.
#[derive(Clone, Copy)]
pub struct PackBench<'a> {
    /// Where the instances lie.
    pub spool: &'a Spool,
    /// The folder for temporary files; what is written there is sealed.
    pub dir: &'a Path,
    /// Where random bytes come from.
    pub entropy: &'a dyn Entropy,
}

/// Whose instances a pack holds.
#[derive(Clone, Copy)]
pub struct PackOwner<'a> {
    /// The hospital.
    pub hospital: &'a HospitalId,
    /// Its key, which keys the object's id.
    pub hospital_key: &'a HospitalKey,
    /// The patient, as a keyed hash.
    pub subject: SubjectId,
    /// The patient's key, which seals the pack.
    pub subject_key: &'a SubjectKey,
    /// The study, as a keyed hash.
    pub study_key: StudyKey,
}

/// A sealed pack in a local file, which is removed when this is dropped. It is not made durable: it
/// is only on its way to the store, and its instances stay in the spool until they are finished.
#[derive(Debug)]
pub struct LocalPack {
    object: SealedObject,
    file: LocalFile,
}

impl LocalPack {
    /// A pack that was sealed into a file.
    #[must_use]
    pub fn new(object: SealedObject, file: LocalFile) -> Self {
        Self { object, file }
    }

    /// The sealed object that the file holds.
    #[must_use]
    pub fn object(&self) -> &SealedObject {
        &self.object
    }

    /// Where the file lies.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.file.path()
    }
}

/// A new file for a pack, under a random name that [`sweep_local_packs`] knows by its ending.
///
/// # Errors
/// What the system says.
pub fn local_file(dir: &Path, entropy: &dyn Entropy) -> io::Result<(LocalFile, File)> {
    let mut name = [0; 16];
    entropy.fill(&mut name);
    LocalFile::create(dir.join(format!("{}.{LOCAL_EXTENSION}", ObjectId(name))), PRIVATE)
}

/// Removes the local packs that an interrupted process left in a folder. For the start of the
/// process, before it makes packs there.
///
/// # Errors
/// [`SpoolError::Io`] when the folder cannot be read or a file not be removed.
pub fn sweep_local_packs(dir: &Path) -> Result<(), SpoolError> {
    let failed = |error| SpoolError::io("sweep the folder of local packs", error);
    for entry in fs::read_dir(dir).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|extension| extension == LOCAL_EXTENSION) {
            fs::remove_file(path).map_err(failed)?;
        }
    }
    Ok(())
}

/// Divides a study's instances into what goes into one pack each: by series, in the order of their
/// UIDs (so that a repeated run makes the same packs), at most [`PACK_TARGET_BYTES`] or
/// [`PACK_MAX_INSTANCES`]; a larger instance lies alone.
#[must_use]
pub fn pack_groups(mut instances: Vec<SpooledInstance>) -> Vec<Vec<SpooledInstance>> {
    let series = |instance: &SpooledInstance| instance.meta().series_instance_uid.clone();
    instances.sort_by_cached_key(|instance| {
        (series(instance), instance.meta().sop_instance_uid.clone(), instance.digest())
    });
    let mut groups: Vec<Vec<SpooledInstance>> = Vec::new();
    let mut bytes = 0u64;
    for instance in instances {
        let fits = groups.last().and_then(|group| group.last()).is_some_and(|last| {
            last.meta().series_instance_uid == instance.meta().series_instance_uid
                && bytes.saturating_add(instance.length()) <= PACK_TARGET_BYTES
        });
        match groups.last_mut() {
            Some(group) if fits && group.len() < PACK_MAX_INSTANCES => {
                bytes += instance.length();
                group.push(instance);
            }
            _ => {
                bytes = instance.length();
                groups.push(vec![instance]);
            }
        }
    }
    groups
}

/// Seals originals into one pack of the vault.
///
/// # Errors
/// [`SpoolError`]: nothing is left of the pack then.
pub fn pack_originals(
    bench: &PackBench<'_>,
    owner: &PackOwner<'_>,
    instances: &[SpooledInstance],
) -> Result<LocalPack, SpoolError> {
    let held: Vec<_> = instances.iter().map(|instance| (instance, [].as_slice())).collect();
    pack(bench, owner, RawZone::Vault, &held)
}

/// Seals instances that could not be proven clean into one pack of the quarantine, each with its
/// reasons.
///
/// # Errors
/// [`SpoolError`]: nothing is left of the pack then.
pub fn pack_quarantined(
    bench: &PackBench<'_>,
    owner: &PackOwner<'_>,
    instances: &[(SpooledInstance, Vec<Reason>)],
) -> Result<LocalPack, SpoolError> {
    let held: Vec<_> =
        instances.iter().map(|(instance, reasons)| (instance, reasons.as_slice())).collect();
    pack(bench, owner, RawZone::Quarantine, &held)
}

fn pack(
    bench: &PackBench<'_>,
    owner: &PackOwner<'_>,
    zone: RawZone,
    held: &[(&SpooledInstance, &[Reason])],
) -> Result<LocalPack, SpoolError> {
    if held.iter().any(|(instance, _)| instance.meta().hospital != *owner.hospital) {
        return Err(SpoolError::Details("an instance of another hospital is among them"));
    }
    let meta = PackMeta {
        zone,
        hospital: owner.hospital.clone(),
        subject: owner.subject,
        study_key: owner.study_key,
        received_at_ms: held
            .iter()
            .map(|(instance, _)| instance.meta().received_at_ms)
            .max()
            .unwrap_or_default(),
    };
    let key = owner.subject_key.zone_key(zone.zone());
    let id = object_id(owner, zone, held);
    let mut pack = RawPack::create(bench.dir, bench.entropy, id, meta, &key)?;
    for (instance, reasons) in held {
        let mut reader = bench.spool.read(instance)?;
        pack.add(&mut reader, entry(instance, reasons)).map_err(|fault| match fault {
            PackFault::Read(error) => SpoolError::from_io("read a spooled record", error),
            PackFault::Pack(error) => error,
        })?;
    }
    pack.finish()
}

/// The same instances held for the same reasons make the same object, however often it is written.
fn object_id(
    owner: &PackOwner<'_>,
    zone: RawZone,
    held: &[(&SpooledInstance, &[Reason])],
) -> ObjectId {
    let mut content = blake3::Hasher::new();
    content.update(&owner.subject.0).update(&owner.study_key.0);
    for (instance, reasons) in held {
        content.update(&instance.digest().0).update(&(reasons.len() as u64).to_le_bytes());
        for reason in *reasons {
            let text = reason.to_string();
            content.update(&(text.len() as u64).to_le_bytes()).update(text.as_bytes());
        }
    }
    let context = match zone {
        RawZone::Vault => "vault pack",
        RawZone::Quarantine => "quarantine pack",
    };
    ObjectId(owner.hospital_key.keyed_id(context, content.finalize().as_bytes()))
}

fn entry(instance: &SpooledInstance, reasons: &[Reason]) -> PackEntry {
    let meta = instance.meta();
    PackEntry {
        sop_instance_uid: meta.sop_instance_uid.clone(),
        sop_class_uid: meta.sop_class_uid.clone(),
        series_instance_uid: meta.series_instance_uid.clone(),
        study_instance_uid: meta.study_instance_uid.clone(),
        transfer_syntax: meta.transfer_syntax.clone(),
        offset: 0,
        length: instance.length(),
        digest: instance.digest(),
        source: None,
        reasons: reasons.to_vec(),
        attributes: intake_attributes(meta),
    }
}

/// The attribute of an entry in the vault or in quarantine that holds the digest of what the
/// instance holds without its file meta information.
pub const INTAKE_CONTENT: &str = "intake.content";

/// How the instance came, for whoever looks into the pack later. Sealed with its index.
fn intake_attributes(meta: &IntakeMeta) -> BTreeMap<String, String> {
    let mut attributes = BTreeMap::from([
        ("intake.protocol".to_owned(), meta.protocol.as_str().to_owned()),
        ("intake.received_at_ms".to_owned(), meta.received_at_ms.to_string()),
        ("intake.peer".to_owned(), meta.peer.clone()),
    ]);
    if let Some(calling) = &meta.calling {
        attributes.insert("intake.calling".to_owned(), calling.clone());
    }
    if let Some(content) = &meta.content {
        attributes.insert(INTAKE_CONTENT.to_owned(), content.to_string());
    }
    attributes
}

#[cfg(test)]
mod tests;
