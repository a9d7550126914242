//! The catalogue's figures for the status page, looked up beside it: however long the catalogue
//! takes, whether the service can receive is told at once.

use scanveil_catalog::{CatalogError, Holding, QuarantineCount, Stage};
use scanveil_model::{Coded, ErrorReport, HospitalId};
use scanveil_pipeline::Site;
use scanveil_server::{ReleaseStatus, Volume};
use scanveil_vault::Waiting;
use std::collections::BTreeMap;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Releases on the page.
const NEWEST: usize = 10;
/// How often the figures are looked up, at most.
const EVERY: Duration = Duration::from_secs(1);
/// A look may take one part in so many of the time.
const SHARE: u32 = 10;

/// What the catalogue said last.
#[derive(Debug, Clone, Default)]
pub(crate) struct Known {
    /// Instances ever published, by hospital.
    pub(crate) received: BTreeMap<HospitalId, u64>,
    /// What waits in the spool, seen at the same moment: it is not among those.
    pub(crate) waiting: BTreeMap<HospitalId, Waiting>,
    pub(crate) holdings: BTreeMap<HospitalId, Holding>,
    pub(crate) quarantined: Vec<QuarantineCount>,
    pub(crate) releases: Vec<ReleaseStatus>,
    /// Why the catalogue did not answer; the figures are those of before then.
    pub(crate) problem: Option<ErrorReport>,
}

/// The figures, renewed until this is dropped.
pub(crate) struct Figures {
    known: Arc<Mutex<Known>>,
    _stop: Sender<()>,
}

impl Figures {
    /// Looks the figures up, and again from here on.
    ///
    /// # Errors
    /// What the system says when it gives no thread.
    pub(crate) fn start(site: &Arc<Site>) -> std::io::Result<Self> {
        let (stop, stopped) = channel();
        let known = Arc::new(Mutex::new(Known::default()));
        renew(site, &known);
        // The site is closed when the service lets go of it, not when this thread has noticed.
        let (shared, site) = (Arc::clone(&known), Arc::downgrade(site));
        std::thread::Builder::new().name("figures".into()).spawn(move || {
            let mut took = Duration::ZERO;
            let wait = |took: Duration| EVERY.max(took * SHARE);
            while stopped.recv_timeout(wait(took)) == Err(RecvTimeoutError::Timeout) {
                let Some(site) = site.upgrade() else { return };
                let begun = Instant::now();
                renew(&site, &shared);
                took = begun.elapsed();
            }
        })?;
        Ok(Self { known, _stop: stop })
    }

    pub(crate) fn now(&self) -> Known {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn renew(site: &Site, known: &Mutex<Known>) {
    let looked = look(site);
    let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
    match looked {
        Ok(fresh) => *known = fresh,
        Err(error) => {
            known.problem = Some(error.report());
            known.waiting = waiting(site);
        }
    }
}

fn look(site: &Site) -> Result<Known, CatalogError> {
    let catalog = site.catalog();
    let counters = catalog.counters()?.into_iter();
    let received = counters.filter(|counter| counter.stage == Stage::Received);
    Ok(Known {
        received: received.map(|counter| (counter.hospital, counter.total)).collect(),
        waiting: waiting(site),
        holdings: catalog.holdings()?,
        quarantined: catalog.quarantine_counts()?,
        releases: releases(site)?,
        problem: None,
    })
}

fn waiting(site: &Site) -> BTreeMap<HospitalId, Waiting> {
    site.spool().map(|spool| spool.waiting()).unwrap_or_default()
}

fn releases(site: &Site) -> Result<Vec<ReleaseStatus>, CatalogError> {
    let records = site.catalog().releases()?;
    let mut releases: Vec<ReleaseStatus> = records
        .into_iter()
        .map(|record| ReleaseStatus {
            project: record.project,
            id: record.release.to_string(),
            volume: Volume { instances: record.instances, bytes: record.bytes },
            created_at_ms: record.created_at_ms,
        })
        .collect();
    releases.sort_by_key(|release| std::cmp::Reverse(release.created_at_ms));
    releases.truncate(NEWEST);
    Ok(releases)
}
