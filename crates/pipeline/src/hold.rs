//! Copies instances between the vault and quarantine: originals that a newer profile, or a newly
//! found name, holds back; and what was in quarantine and is an original like others now.

use crate::source::Source;
use crate::{PipelineError, Site};
use scanveil_catalog::StudyGeneration;
use scanveil_model::{ObjectId, Reason, SubjectId};
use scanveil_seal::{HospitalKey, PackEntry, PackMeta, PackReader, RawZone, SealError, SubjectKey};
use scanveil_storage::StoredReader;
use scanveil_vault::{LocalPack, PackFault, RawPack};
use std::path::Path;

/// Attributes of a held original: for which generation of which project, and by which profile.
pub(crate) const HELD_PROJECT: &str = "held.project";
pub(crate) const HELD_GENERATION: &str = "held.generation";
pub(crate) const HELD_PROFILE: &str = "held.profile";
const NOTES: [&str; 3] = [HELD_PROJECT, HELD_GENERATION, HELD_PROFILE];

/// Where instances go, whose they are, and where the packs are written.
pub(crate) struct CopyJob<'h> {
    pub(crate) zone: RawZone,
    /// The generation that lacks them, or has them now.
    pub(crate) made: &'h StudyGeneration,
    pub(crate) hospital_key: &'h HospitalKey,
    pub(crate) subject: SubjectId,
    pub(crate) subject_key: &'h SubjectKey,
    pub(crate) received_at_ms: i64,
    pub(crate) dir: &'h Path,
}

/// Copies instances into packs, each with its reasons.
pub(crate) fn copy_instances(
    site: &Site,
    job: &CopyJob<'_>,
    instances: &[(&Source, &[Reason])],
) -> Result<Vec<LocalPack>, PipelineError> {
    let mut packs = Vec::new();
    let mut open: Option<RawPack> = None;
    for (source, reasons) in instances {
        let Source::Original(reader, entry) = source else { continue };
        if open.as_ref().is_some_and(|pack| !pack.has_room_for(entry.length))
            && let Some(full) = open.take()
        {
            packs.push(full.finish()?);
        }
        let pack = match &mut open {
            Some(pack) => pack,
            none => none.insert(begin(site, job, entry, reasons)?),
        };
        copy_entry(reader, entry, noted(job, entry, reasons), pack)?;
    }
    if let Some(last) = open {
        packs.push(last.finish()?);
    }
    Ok(packs)
}

/// Copies one instance from pack to pack, under its new entry.
pub(crate) fn copy_entry(
    from: &PackReader<StoredReader>,
    entry: &PackEntry,
    noted: PackEntry,
    to: &mut RawPack,
) -> Result<(), PipelineError> {
    to.add(&mut from.instance(entry)?, noted).map_err(|fault| match fault {
        PackFault::Read(error) => SealError::from(error).into(),
        PackFault::Pack(error) => error.into(),
    })
}

/// The generation, the first instance and its reasons name the pack.
fn begin(
    site: &Site,
    job: &CopyJob<'_>,
    first: &PackEntry,
    reasons: &[Reason],
) -> Result<RawPack, PipelineError> {
    let mut content = blake3::Hasher::new();
    content.update(job.made.project.as_str().as_bytes());
    content.update(&[0]);
    content.update(&job.made.generation.0.to_le_bytes());
    content.update(&job.made.study_key.0);
    content.update(&first.digest.0);
    for reason in reasons {
        content.update(reason.to_string().as_bytes()).update(&[0]);
    }
    let context = match job.zone {
        RawZone::Quarantine => "held pack",
        RawZone::Vault => "kept pack",
    };
    let id = ObjectId(job.hospital_key.keyed_id(context, content.finalize().as_bytes()));
    let meta = PackMeta {
        zone: job.zone,
        hospital: job.made.hospital.clone(),
        subject: job.subject,
        study_key: job.made.study_key,
        received_at_ms: job.received_at_ms,
    };
    let key = job.subject_key.zone_key(job.zone.zone());
    Ok(RawPack::create(job.dir, site.entropy.as_ref(), id, meta, &key)?)
}

/// What is said of an instance in its new place.
fn noted(job: &CopyJob<'_>, entry: &PackEntry, reasons: &[Reason]) -> PackEntry {
    let mut entry = PackEntry { reasons: reasons.to_vec(), ..entry.clone() };
    entry.attributes.retain(|name, _| !NOTES.contains(&name.as_str()));
    if job.zone == RawZone::Quarantine {
        let made = job.made;
        let notes = [made.project.to_string(), made.generation.0.to_string(), made.profile.clone()];
        entry.attributes.extend(NOTES.map(str::to_owned).into_iter().zip(notes));
    }
    entry
}
