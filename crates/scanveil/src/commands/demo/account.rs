//! The answer key: what became of each instance that was sent, by the catalogue and the release.

use super::send::Push;
use crate::output::Failure;
use scanveil_catalog::{Catalog, InstanceRecord, ObjectFilter, ObjectRecord, QuarantineFilter};
use scanveil_model::{Digest, HospitalId, ObjectId, ReasonCode, Zone};
use scanveil_pipeline::Site;
use scanveil_release::ReleaseManifest;
use scanveil_synth::Expect;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Objects or records asked for at a time.
const PAGE: u32 = 1000;

/// Instances that were counted against the answer key.
#[derive(Debug, Default, Serialize)]
pub(super) struct Account {
    pub(super) hospitals: Vec<HospitalAccount>,
    pub(super) quarantine: Vec<Held>,
    /// Sent and acknowledged, but neither clean nor in quarantine.
    pub(super) lost: u64,
    /// Clean or in quarantine more than once.
    pub(super) twice: u64,
    /// In the store, but never sent.
    pub(super) unknown: u64,
    /// Should be held back and are not.
    pub(super) leaked: u64,
    /// Should be clean, and how many of them are held back.
    pub(super) useful: u64,
    pub(super) held_in_vain: u64,
    /// Clean and not in the release, or in the release and not clean.
    pub(super) misreleased: u64,
    /// Originals kept against a hospital's policy, or missing.
    pub(super) originals_wrong: u64,
}

/// One hospital's part.
#[derive(Debug, Serialize)]
pub(super) struct HospitalAccount {
    pub(super) hospital: HospitalId,
    pub(super) sent: u64,
    pub(super) clean: u64,
    pub(super) quarantined: u64,
    pub(super) originals: u64,
}

/// Instances of a hospital that are held back for one reason.
#[derive(Debug, Serialize)]
pub(super) struct Held {
    pub(super) hospital: HospitalId,
    pub(super) reason: ReasonCode,
    pub(super) instances: u64,
    /// How many of them the answer key would have clean.
    pub(super) in_vain: u64,
    pub(super) next_step: &'static str,
}

impl Account {
    /// Instances held back in vain, if they are more than one useful instance in ten.
    fn too_much_in_vain(&self) -> u64 {
        if self.held_in_vain * 10 > self.useful { self.held_in_vain } else { 0 }
    }

    /// What is wrong, in plain words.
    pub(super) fn failures(&self) -> Vec<String> {
        let table = [
            (self.lost, "acknowledged instances are neither clean nor in quarantine"),
            (self.twice, "instances are there more than once"),
            (self.unknown, "instances are in the store that nobody sent"),
            (self.leaked, "instances came through that should have been held back"),
            (self.too_much_in_vain(), "useful instances were held back: too many to be of use"),
            (self.misreleased, "instances are clean and not released, or the other way round"),
            (self.originals_wrong, "originals are missing, or kept against the policy"),
        ];
        let wrong = table.into_iter().filter(|(count, _)| *count > 0);
        wrong.map(|(count, what)| format!("{count} {what}")).collect()
    }
}

/// What a zone of the store holds of one hospital, by the digest of what was received.
type Holdings = BTreeMap<Digest, Vec<InstanceRecord>>;

/// Compares catalogue and release with what was sent.
pub(super) fn account(
    site: &Site,
    pushes: &[Push],
    manifest: &ReleaseManifest,
) -> Result<Account, Failure> {
    let mut account = Account::default();
    let catalog = site.catalog();
    let current = catalog.current_objects(manifest.project())?;
    let mut clean_uids = BTreeSet::new();
    for push in pushes {
        let research = current.iter().filter(|object| object.hospital == push.hospital);
        let clean = holdings(catalog, research)?;
        let held = holdings(catalog, &zone(catalog, Zone::Quarantine, &push.hospital)?)?;
        let kept = holdings(catalog, &zone(catalog, Zone::Vault, &push.hospital)?)?;
        let keeps = site.config().hospital(&push.hospital)?.keep_originals;
        account.compare(push, [&clean, &held, &kept], usize::from(keeps));
        account.reasons(catalog, push, &held)?;
        let records = clean.into_values().flatten();
        clean_uids.extend(records.filter_map(|record| record.sop_instance_uid));
    }
    let released: BTreeSet<_> =
        manifest.instances().iter().map(|one| one.sop_instance_uid.clone()).collect();
    account.misreleased = clean_uids.symmetric_difference(&released).count() as u64
        + (manifest.instances().len() - released.len()) as u64;
    Ok(account)
}

impl Account {
    /// `originals` is how often each original must be there.
    fn compare(&mut self, push: &Push, holdings: [&Holdings; 3], originals: usize) {
        let [clean, held, kept] = holdings;
        let count = |holdings: &Holdings, digest| holdings.get(digest).map_or(0, Vec::len);
        let mut own = HospitalAccount {
            hospital: push.hospital.clone(),
            sent: push.sent.len() as u64,
            clean: 0,
            quarantined: 0,
            originals: 0,
        };
        for sent in &push.sent {
            let places = (count(clean, &sent.digest), count(held, &sent.digest));
            match places {
                (0, 0) => self.lost += 1,
                (1, 0) => own.clean += 1,
                (0, 1) => own.quarantined += 1,
                _ => self.twice += 1,
            }
            self.useful += u64::from(sent.expected == Expect::Clean);
            self.leaked += u64::from(places.0 > 0 && sent.expected == Expect::Quarantine);
            self.held_in_vain += u64::from(places.1 > 0 && sent.expected == Expect::Clean);
            let found = count(kept, &sent.digest);
            own.originals += found as u64;
            self.originals_wrong += u64::from(found != originals);
        }
        let sent: BTreeSet<Digest> = push.sent.iter().map(|one| one.digest).collect();
        for holdings in holdings {
            let unknown = holdings.iter().filter(|(digest, _)| !sent.contains(digest));
            self.unknown += unknown.map(|(_, records)| records.len() as u64).sum::<u64>();
        }
        self.hospitals.push(own);
    }

    fn reasons(&mut self, catalog: &Catalog, push: &Push, held: &Holdings) -> Result<(), Failure> {
        let mut found: BTreeMap<ReasonCode, (u64, u64)> = BTreeMap::new();
        let useful: BTreeSet<Digest> = push
            .sent
            .iter()
            .filter(|one| one.expected == Expect::Clean)
            .map(|one| one.digest)
            .collect();
        for (object, entry, code) in first_reasons(catalog, &push.hospital)? {
            let records = catalog.instances(&object)?;
            let source = records.iter().find(|record| record.entry == entry).map(source);
            let Some(source) = source.filter(|digest| held.contains_key(digest)) else { continue };
            let counts = found.entry(code).or_default();
            counts.0 += 1;
            counts.1 += u64::from(useful.contains(&source));
        }
        self.quarantine.extend(found.into_iter().map(|(reason, (instances, in_vain))| Held {
            hospital: push.hospital.clone(),
            reason,
            instances,
            in_vain,
            next_step: reason.next_step(),
        }));
        Ok(())
    }
}

/// Digest of the bytes an instance was received as.
fn source(record: &InstanceRecord) -> Digest {
    record.source.unwrap_or(record.digest)
}

fn holdings<'o>(
    catalog: &Catalog,
    objects: impl IntoIterator<Item = &'o ObjectRecord>,
) -> Result<Holdings, Failure> {
    let mut holdings = Holdings::new();
    for object in objects {
        for record in catalog.instances(&object.object)? {
            holdings.entry(source(&record)).or_default().push(record);
        }
    }
    Ok(holdings)
}

fn zone(
    catalog: &Catalog,
    zone: Zone,
    hospital: &HospitalId,
) -> Result<Vec<ObjectRecord>, Failure> {
    let hospital = Some(hospital.clone());
    let mut filter = ObjectFilter { zone: Some(zone), hospital, ..ObjectFilter::default() };
    let mut all = Vec::new();
    loop {
        let page = catalog.objects(&filter, PAGE)?;
        let Some(last) = page.last() else { return Ok(all) };
        filter.after = Some(last.object);
        all.extend(page);
    }
}

/// Object, entry and first reason of each instance in quarantine.
fn first_reasons(
    catalog: &Catalog,
    hospital: &HospitalId,
) -> Result<Vec<(ObjectId, u64, ReasonCode)>, Failure> {
    let hospital = Some(hospital.clone());
    let mut filter = QuarantineFilter { hospital, ..QuarantineFilter::default() };
    let mut all = Vec::new();
    loop {
        let page = catalog.quarantine(&filter, PAGE)?;
        let Some(last) = page.last() else { return Ok(all) };
        filter.after = Some((last.object, last.entry, last.ordinal));
        let first = page.iter().filter(|record| record.ordinal == 0);
        all.extend(first.map(|record| (record.object, record.entry, record.code)));
    }
}
