//! Rebuilds the catalogue from the store and the keys alone.

use crate::{PipelineError, Site};
use scanveil_catalog::{Catalog, KeyedId, Outcome, Publication};
use scanveil_model::{Coded, Digest, Zone};
use scanveil_seal::{KeyId, PackIndex, PackReader, SealError};
use scanveil_storage::{KeyPrefix, StoredObject};
use std::collections::BTreeMap;

/// What a rebuild found.
#[derive(Debug, Clone, Default, serde::Serialize)]
pub struct RebuildReport {
    /// Objects by zone.
    pub objects: BTreeMap<&'static str, u64>,
    /// Instances in them.
    pub instances: u64,
    /// Objects that could not be opened, by the error's code: keys destroyed, or damage.
    pub unreadable: BTreeMap<String, u64>,
    /// Whether batches, releases and counters were taken over from the old catalogue.
    pub carried_over: bool,
}

/// Builds a new catalogue beside the old one and puts it in its place. The site itself must not be
/// used for anything else afterwards. `tell` hears the number of objects read.
///
/// # Errors
/// [`PipelineError`] when the store cannot be listed or the new catalogue cannot be written.
pub fn rebuild_catalog(
    site: &Site,
    mut tell: impl FnMut(u64),
) -> Result<RebuildReport, PipelineError> {
    let rebuild = Catalog::begin_rebuild(&site.config.data_dir.join("catalog.sqlite"))?;
    let mut report = RebuildReport::default();
    let mut read = 0;
    for zone in [Zone::Vault, Zone::Quarantine, Zone::Research] {
        for info in site.store.objects(KeyPrefix::Zone(zone)) {
            let info = info?;
            match look(site, &info.key) {
                Ok((stored, index)) => {
                    report.instances += index.entries.len() as u64;
                    *report.objects.entry(zone.as_str()).or_default() += 1;
                    let known = known(site, zone, &index)?;
                    rebuild.add(&[Publication { stored: &stored, index: &index }])?;
                    rebuild.add_known(&index.hospital, &known)?;
                }
                Err(error) => {
                    tracing::warn!(code = error.code(), "an object is left out: {error}");
                    *report.unreadable.entry(error.code().to_owned()).or_default() += 1;
                }
            }
            read += 1;
            tell(read);
        }
    }
    report.carried_over = rebuild.carry_over()?;
    rebuild.finish()?;
    Ok(report)
}

fn look(
    site: &Site,
    key: &scanveil_storage::ObjectKey,
) -> Result<(StoredObject, PackIndex), PipelineError> {
    let reader = site.store.open(key)?;
    let pack = PackReader::open(reader, |header| {
        let KeyId::Subject(subject) = header.key_id else {
            return Err(SealError::ZoneMismatch);
        };
        let subject = site.keyring.existing_subject(&header.hospital, &subject)?;
        Ok(subject.zone_key(header.zone))
    })?;
    Ok((site.store.confirm(key)?, pack.index().clone()))
}

type Known = Vec<(KeyedId, Digest, Outcome)>;

/// Originals by the keyed hash of their UID, so that duplicates are told again.
fn known(site: &Site, zone: Zone, index: &PackIndex) -> Result<Known, PipelineError> {
    let outcome = match zone {
        Zone::Vault => Outcome::Accepted,
        Zone::Quarantine => Outcome::Quarantined,
        Zone::Research => return Ok(Vec::new()),
    };
    let keys = site.keyring.existing_hospital(&index.hospital)?;
    let key_of = |uid: &scanveil_model::Uid| keys.key.keyed_id("instance", uid.as_str().as_bytes());
    let entries = index.entries.iter();
    Ok(entries
        .filter_map(|e| Some((key_of(e.sop_instance_uid.as_ref()?), e.digest, outcome)))
        .collect())
}
