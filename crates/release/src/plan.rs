//! What a release will hold: read from the catalogue and the indexes of the packs, before a file is
//! written.

use crate::certificates::{Certificate, named};
use crate::folder::instance_path;
use crate::line::Line;
use crate::lost::{Lost, Opened, lost, opened, unknown};
use crate::{LeftOut, ReleaseError, ReleaseFilter, ReleaseRequest, ReleaseSources, Unreadable};
use rayon::prelude::*;
use scanveil_catalog::ObjectRecord;
use scanveil_model::{Digest, HospitalId, Uid};
use scanveil_seal::{
    KeyId, PackEntry, PackIndex, PackReader, ResearchKeys, SealError, StreamHeader,
};
use scanveil_storage::{ObjectKey, Store, StoredReader};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;

/// Most instances of one release: what bounds the memory of its lists.
const MAX_INSTANCES: usize = 2_000_000;

/// Why instances are left out whose object is missing, changed, or whose key is lost.
const UNREADABLE: &str = "unreadable";
/// Why instances are left out whose object the catalogue does not know.
const UNKNOWN: &str = "not-in-catalogue";
/// Why instances are left out whose patient's key was destroyed.
const ERASED: &str = "erased";
/// Why instances are left out that other rules made than the project's own.
const OTHER_PROFILE: &str = "other-profile";

/// Opens packs of the research zone.
pub(crate) struct Opener<'a> {
    pub(crate) store: &'a Store,
    pub(crate) keys: &'a dyn ResearchKeys,
}

impl Opener<'_> {
    /// Opens a pack and checks that it is the object that the catalogue means.
    pub(crate) fn open(
        &self,
        object: &ObjectRecord,
    ) -> Result<PackReader<StoredReader>, ReleaseError> {
        let pack = self.open_key(&object.key())?;
        let index = pack.index();
        let differs = [
            ("the project", index.project != object.project),
            ("the generation", index.generation != object.generation),
            ("the study", index.study_key != object.study_key),
            ("the number of instances", index.entries.len() as u64 != object.entries),
        ];
        match differs.into_iter().find(|(_, differs)| *differs) {
            Some((what, _)) => Err(ReleaseError::ObjectMismatch { object: object.object, what }),
            None => Ok(pack),
        }
    }

    /// Opens the pack at this place and checks that it is the one that belongs there.
    pub(crate) fn open_key(
        &self,
        key: &ObjectKey,
    ) -> Result<PackReader<StoredReader>, ReleaseError> {
        let failed = |source| ReleaseError::Object { object: key.object(), source };
        let source =
            self.store.open(key).map_err(|e| failed(SealError::Io(io::Error::other(e))))?;
        let research_key = |header: &StreamHeader| match header.key_id {
            KeyId::Subject(subject) => self.keys.zone_key(&header.hospital, &subject),
            KeyId::Intake => Err(SealError::KeyRefused),
        };
        let pack = PackReader::open(source, research_key).map_err(failed)?;
        let index = pack.index();
        let differs = [
            ("its id", pack.header().object_id != key.object()),
            ("the zone", index.zone != key.zone()),
            ("the hospital", index.hospital != *key.hospital()),
        ];
        match differs.into_iter().find(|(_, differs)| *differs) {
            Some((what, _)) => Err(ReleaseError::ObjectMismatch { object: key.object(), what }),
            None => Ok(pack),
        }
    }
}

/// What will be written, sorted by path, and what will not.
pub(crate) struct Plan {
    pub(crate) objects: Vec<ObjectRecord>,
    pub(crate) lines: Vec<Line>,
    pub(crate) certificates: Vec<Certificate>,
    pub(crate) left_out: Vec<LeftOut>,
}

impl Plan {
    /// Takes out what these objects hold.
    pub(crate) fn leave_out_objects(&mut self, objects: &BTreeSet<usize>) {
        let before = self.lines.len();
        self.lines.retain(|line| !objects.contains(&line.object));
        let instances = (before - self.lines.len()) as u64;
        match self.left_out.iter_mut().find(|left| left.reason == UNREADABLE) {
            Some(left) => left.instances += instances,
            None => {
                self.left_out.push(LeftOut { reason: UNREADABLE.to_owned(), instances });
                self.left_out.sort_by(|a, b| a.reason.cmp(&b.reason));
            }
        }
    }
}

/// Instances left out so far, by reason.
#[derive(Default)]
struct Tally(BTreeMap<String, u64>);

impl Tally {
    fn add(&mut self, reason: &str, instances: u64) {
        if instances > 0 {
            *self.0.entry(reason.to_owned()).or_default() += instances;
        }
    }
}

/// Plans the release of the project's current generation. Who may be in it is decided here, by the
/// request: what the catalogue has of others is counted and left out.
pub(crate) fn plan(
    request: &ReleaseRequest,
    sources: &ReleaseSources<'_>,
    opener: &Opener<'_>,
) -> Result<Plan, ReleaseError> {
    let mut tally = Tally::default();
    for held in sources.catalog.held_back(&request.project)? {
        let excluded = request.excludes(&held.hospital);
        tally.add(excluded.unwrap_or(held.code.as_str()), held.instances);
    }
    let mut objects = sources.catalog.current_objects(&request.project)?;
    let replaced = sources.catalog.replaced()?;
    objects.retain(|object| {
        let reason = request.excludes(&object.hospital).or_else(|| {
            let other = request.only_profile && !object.profile.starts_with(&request.profile);
            other.then_some(OTHER_PROFILE)
        });
        reason.into_iter().for_each(|reason| tally.add(reason, object.entries));
        reason.is_none()
    });
    let read: Vec<Result<Found, ReleaseError>> = objects
        .par_iter()
        .enumerate()
        .with_max_len(1)
        .map(|(number, object)| lines_of(number, object, request, opener, (sources, &replaced)))
        .collect();
    let (mut lines, mut certificates, mut lost) = (Vec::new(), Vec::new(), Vec::new());
    for result in read {
        let found = result?;
        lines.extend(found.lines);
        certificates.extend(found.certificate);
        found.skipped.0.iter().for_each(|(reason, n)| tally.add(reason, *n));
        lost.extend(found.lost);
        if lines.len() > MAX_INSTANCES {
            return Err(ReleaseError::TooMany { count: lines.len(), limit: MAX_INSTANCES });
        }
    }
    let unknown = unknown(request, sources, opener)?;
    if request.unreadable == Unreadable::Fail {
        lost.extend(unknown);
        ReleaseError::unless_whole(lost)?;
    } else {
        let instances = |lost: &[Lost]| lost.iter().map(|one| one.instances.unwrap_or(1)).sum();
        tally.add(UNREADABLE, instances(&lost));
        tally.add(UNKNOWN, instances(&unknown));
    }
    lines.sort_by(|a, b| (&a.path, a.object, a.entry).cmp(&(&b.path, b.object, b.entry)));
    drop_repeats(&mut lines, &mut tally);
    let left_out =
        tally.0.into_iter().map(|(reason, instances)| LeftOut { reason, instances }).collect();
    Ok(Plan { objects, lines, certificates: named(certificates), left_out })
}

/// Keeps one of several copies of an instance. Where the copies differ none is kept, since nothing
/// tells which is right.
fn drop_repeats(lines: &mut Vec<Line>, tally: &mut Tally) {
    let mut conflicts = Vec::new();
    for pair in lines.windows(2) {
        if pair[0].path == pair[1].path && pair[0].digest != pair[1].digest {
            conflicts.push(pair[0].path.clone());
        }
    }
    let before = lines.len();
    lines.retain(|line| conflicts.binary_search(&line.path).is_err());
    tally.add("conflicting-copies", (before - lines.len()) as u64);
    lines.dedup_by(|later, first| later.path == first.path);
}

/// What one pack holds.
#[derive(Default)]
struct Found {
    lines: Vec<Line>,
    certificate: Option<Certificate>,
    skipped: Tally,
    /// The object itself, when it could not be opened.
    lost: Option<Lost>,
}

fn lines_of(
    number: usize,
    object: &ObjectRecord,
    request: &ReleaseRequest,
    opener: &Opener<'_>,
    (sources, replaced): (&ReleaseSources<'_>, &BTreeSet<(HospitalId, Digest)>),
) -> Result<Found, ReleaseError> {
    let mut found = Found::default();
    let pack = match opened(opener.open(object))? {
        Opened::Whole(pack) => pack,
        Opened::Erased => {
            found.skipped.add(ERASED, object.entries);
            return Ok(found);
        }
        Opened::Lost(what) => {
            found.lost = Some(lost(sources, object, what));
            return Ok(found);
        }
    };
    let index = pack.index();
    let patient: Arc<str> = index.patient_pseudonym.as_deref().unwrap_or_default().into();
    let profile: Arc<str> = index.profile.as_deref().unwrap_or_default().into();
    for (place, entry) in index.entries.iter().enumerate() {
        let unsafe_name = || ReleaseError::UnsafeName { object: object.object, entry: place };
        let mut line = line_of(index, entry, &patient, &profile).ok_or_else(unsafe_name)?;
        (line.object, line.entry) = (number, place);
        if place == 0 {
            found.certificate = certificate_of(index, object, &line);
        }
        let is_replaced = |source| replaced.contains(&(object.hospital.clone(), source));
        if entry.source.is_some_and(is_replaced) {
            // Somebody decided that another one is right.
            found.skipped.add("corrected", 1);
            continue;
        }
        match reason_to_leave_out(&request.filter, &line) {
            Some(reason) => found.skipped.add(reason, 1),
            None => found.lines.push(line),
        }
    }
    Ok(found)
}

/// The certificate that a pack carries, with the study's folder as its path.
fn certificate_of(index: &PackIndex, object: &ObjectRecord, line: &Line) -> Option<Certificate> {
    Some(Certificate {
        path: line.path.rsplitn(3, '/').last()?.to_owned(),
        patient: Arc::clone(&line.patient),
        study: line.study.clone(),
        text: index.certificate.clone()?,
        digest: index.certificate_digest()?,
        made: (index.received_at_ms, object.object),
    })
}

/// None when an identifier is missing or no safe name.
fn line_of(
    index: &PackIndex,
    entry: &PackEntry,
    patient: &Arc<str>,
    profile: &Arc<str>,
) -> Option<Line> {
    let uid = |uid: &Option<Uid>| uid.clone();
    let (study, series) = (uid(&entry.study_instance_uid)?, uid(&entry.series_instance_uid)?);
    let sop_instance = uid(&entry.sop_instance_uid)?;
    Some(Line {
        path: instance_path(patient, &study, &series, &sop_instance)?,
        patient: Arc::clone(patient),
        study,
        series,
        sop_instance,
        sop_class: uid(&entry.sop_class_uid)?,
        transfer_syntax: uid(&entry.transfer_syntax)?,
        digest: entry.digest,
        bytes: entry.length,
        generation: index.generation?,
        profile: Arc::clone(profile),
        attributes: entry.attributes.clone(),
        object: 0,
        entry: 0,
    })
}

fn reason_to_leave_out(filter: &ReleaseFilter, line: &Line) -> Option<&'static str> {
    let modality = line.attribute("Modality").unwrap_or_default();
    if !filter.modalities.is_empty() && !filter.modalities.contains(modality) {
        return Some("filter-modality");
    }
    if !filter.sop_classes.is_empty() && !filter.sop_classes.contains(&line.sop_class) {
        return Some("filter-sop-class");
    }
    None
}
