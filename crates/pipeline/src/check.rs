//! Checks the store: whether it can be used, and whether it has what the catalogue knows, whole.

use crate::finding::{Fault, Finding, FindingKind, fault};
use crate::objects::open_object;
use crate::{PipelineError, Site};
use rayon::prelude::*;
use scanveil_catalog::{ObjectFilter, ObjectRecord};
use scanveil_model::{ObjectId, Zone};
use scanveil_seal::{PackIndex, PackReader};
use scanveil_storage::{CheckReport, KeyPrefix, StoredReader};
use scanveil_vault::{BadKeyFile, bad_key_files};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Objects that are looked into between two reports of progress.
const AT_A_TIME: usize = 64;

/// How closely objects are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckDepth {
    /// Lists, sizes, tags, headers and indexes.
    Quick,
    /// Every byte too.
    Contents,
}

/// What a check of the store found.
#[derive(Debug, Clone, Serialize)]
pub struct StoreCheck {
    /// Whether the store can be used.
    #[serde(flatten)]
    pub usable: CheckReport,
    /// Objects that store and catalogue both have, by zone.
    pub objects: BTreeMap<&'static str, u64>,
    /// Whether every byte was read.
    pub contents_read: bool,
    /// Bytes of the objects that were looked into.
    pub bytes: u64,
    /// Objects that are being put, or that an interrupted attempt left.
    pub under_way: u64,
    /// Objects of patients whose key was destroyed.
    pub erased: u64,
    /// Key files that cannot be used.
    pub key_files: Vec<BadKeyFile>,
    /// Everything that is wrong with objects.
    pub findings: Vec<Finding>,
}

impl StoreCheck {
    /// Whether the store can be used and nothing is wrong with what is in it.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.usable.passed() && self.key_files.is_empty() && self.findings.is_empty()
    }
}

/// Tries the store and, when it can be used, holds it against the catalogue both ways. `tell` hears
/// how many objects were looked into, and of how many bytes.
///
/// # Errors
/// [`PipelineError`] when store, catalogue or keyring fail on the way; what is wrong with one
/// object is a finding.
pub fn check_store(
    site: &Site,
    depth: CheckDepth,
    mut tell: impl FnMut(u64, u64),
) -> Result<StoreCheck, PipelineError> {
    let mut check = StoreCheck {
        usable: site.store.object_store().check(),
        objects: BTreeMap::new(),
        contents_read: depth == CheckDepth::Contents,
        bytes: 0,
        under_way: 0,
        erased: 0,
        key_files: bad_key_files(&site.config().keys_dir()),
        findings: Vec::new(),
    };
    if !check.usable.passed() {
        return Ok(check);
    }
    let mut looked_at = 0;
    for zone in [Zone::Research, Zone::Vault, Zone::Quarantine] {
        let gone = compare(site, zone, &mut check)?;
        let mut some = Vec::new();
        let filter = ObjectFilter { zone: Some(zone), ..ObjectFilter::default() };
        let mut look = |some: &mut Vec<ObjectRecord>| {
            looked_at += some.len() as u64;
            look_into(site, depth, some, &mut check)?;
            some.clear();
            tell(looked_at, check.bytes);
            Ok::<_, PipelineError>(())
        };
        site.catalog.each_object(&filter, |record| {
            if !gone.contains(&record.object) {
                some.push(record);
            }
            if some.len() < AT_A_TIME { Ok(()) } else { look(&mut some) }
        })?;
        look(&mut some)?;
    }
    Ok(check)
}

/// Compares the lists of one zone. Gives the objects that need not be looked into.
fn compare(
    site: &Site,
    zone: Zone,
    check: &mut StoreCheck,
) -> Result<BTreeSet<ObjectId>, PipelineError> {
    let prefix = KeyPrefix::Zone(zone);
    let compared = site.catalog.compare(&site.store, &prefix, &|| site.under_way())?;
    let mut gone = BTreeSet::new();
    for record in &compared.missing {
        gone.insert(record.object);
        let detail = "the store has not got it";
        check.findings.push(Finding::of(FindingKind::Missing, record, &site.catalog, detail)?);
    }
    for (record, bytes) in &compared.resized {
        let detail = format!("{bytes} bytes, and it had {}", record.bytes);
        check.findings.push(Finding::of(FindingKind::Size, record, &site.catalog, detail)?);
    }
    for key in &compared.unknown {
        match unknown(site, key)? {
            Some(finding) => check.findings.push(finding),
            None => check.erased += 1,
        }
    }
    check.under_way += compared.under_way;
    check.objects.insert(zone.as_str(), compared.objects);
    Ok(gone)
}

/// An object that the catalogue does not know; none when its patient was erased.
pub(crate) fn unknown(
    site: &Site,
    key: &scanveil_storage::ObjectKey,
) -> Result<Option<Finding>, PipelineError> {
    let detail = "the catalogue does not know it";
    let finding = |detail: String| Finding::at(FindingKind::Unknown, key, detail);
    match open_object(&site.keyring, &site.store, key) {
        Ok(pack) => Ok(Some(finding(detail.to_owned()).says(pack.index(), &site.catalog)?)),
        Err(error) => Ok(match fault(error)? {
            Fault::Erased => None,
            Fault::Found(_, why) => Some(finding(format!("{detail}, and: {why}"))),
        }),
    }
}

fn look_into(
    site: &Site,
    depth: CheckDepth,
    records: &[ObjectRecord],
    check: &mut StoreCheck,
) -> Result<(), PipelineError> {
    let each: Vec<Result<Looked, PipelineError>> = site.pool.install(|| {
        records.par_iter().with_max_len(1).map(|record| look_at(site, depth, record)).collect()
    });
    for (record, looked) in records.iter().zip(each) {
        let looked = looked?;
        check.erased += u64::from(looked.erased);
        check.bytes += record.bytes;
        for (kind, detail) in looked.faults {
            check.findings.push(Finding::of(kind, record, &site.catalog, detail)?);
        }
    }
    Ok(())
}

#[derive(Default)]
struct Looked {
    erased: bool,
    faults: Vec<(FindingKind, String)>,
}

impl Looked {
    /// Notes what an error says of the object.
    fn note(&mut self, error: PipelineError) -> Result<(), PipelineError> {
        match fault(error)? {
            Fault::Erased => self.erased = true,
            Fault::Found(kind, detail) => self.faults.push((kind, detail)),
        }
        Ok(())
    }
}

fn look_at(site: &Site, depth: CheckDepth, record: &ObjectRecord) -> Result<Looked, PipelineError> {
    let mut looked = Looked::default();
    let key = record.key();
    match site.store.object_store().tags(&key) {
        Ok(tags) if tags == record.tags() => {}
        Ok(_) => looked.faults.push((FindingKind::Tags, "they differ from what was set".into())),
        Err(error) => looked.note(error.into())?,
    }
    let pack = match open_object(&site.keyring, &site.store, &key) {
        Ok(pack) => pack,
        Err(error) => {
            looked.note(error)?;
            return Ok(looked);
        }
    };
    if let Some(what) = differs(site, record, &pack)? {
        looked.faults.push((FindingKind::Rows, format!("{what} differs from the catalogue's")));
    }
    if depth == CheckDepth::Contents
        && let Err(error) = pack.verify()
    {
        looked.note(error.into())?;
    }
    Ok(looked)
}

/// What the catalogue and an object's index do not agree on.
fn differs(
    site: &Site,
    record: &ObjectRecord,
    pack: &PackReader<StoredReader>,
) -> Result<Option<&'static str>, PipelineError> {
    let index: &PackIndex = pack.index();
    let differs = [
        ("the study", index.study_key != record.study_key),
        ("the patient", index.subject != record.subject),
        ("the project", index.project != record.project),
        ("the generation", index.generation != record.generation),
        ("the certificate", index.certificate_digest() != record.certificate),
        ("the number of instances", index.entries.len() as u64 != record.entries),
    ];
    if let Some((what, _)) = differs.into_iter().find(|(_, differs)| *differs) {
        return Ok(Some(what));
    }
    let rows = site.catalog.instances(&record.object)?;
    let same = rows.len() == index.entries.len()
        && rows.iter().zip(&index.entries).all(|(row, entry)| row.digest == entry.digest);
    Ok((!same).then_some("the list of instances"))
}
