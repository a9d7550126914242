//! Waiting until the pipeline is done with everything that was acknowledged.

use super::send::Push;
use crate::output::Failure;
use indicatif::ProgressBar;
use scanveil_catalog::{Catalog, Stage};
use scanveil_model::HospitalId;
use scanveil_pipeline::Site;
use std::path::Path;
use std::time::{Duration, Instant};

/// How often to look.
const POLL: Duration = Duration::from_millis(100);
/// How long nothing may move.
const STANDSTILL: Duration = Duration::from_secs(120);

/// One counter of the catalogue.
pub(super) fn counter(
    catalog: &Catalog,
    hospital: &HospitalId,
    stage: Stage,
) -> Result<u64, Failure> {
    let counters = catalog.counters()?;
    let found = counters.iter().find(|one| one.hospital == *hospital && one.stage == stage);
    Ok(found.map_or(0, |one| one.total))
}

/// Waits until the spool is empty and the catalogue has counted everything that was acknowledged.
pub(super) fn settle(
    site: &Site,
    pushes: &[Push],
    log: &Path,
    bar: &ProgressBar,
) -> Result<(), Failure> {
    let wanted: u64 = pushes.iter().map(Push::acknowledged).sum();
    bar.set_length(wanted);
    let mut last = (u64::MAX, u64::MAX);
    let mut moved = Instant::now();
    loop {
        let pending = site.spool().map_or(0, |spool| spool.stats().pending as u64);
        let mut counted = 0;
        for push in pushes {
            counted += counter(site.catalog(), &push.hospital, Stage::Received)?;
        }
        bar.set_position(counted.min(wanted));
        if pending == 0 && counted >= wanted {
            bar.finish_and_clear();
            return Ok(());
        }
        if (pending, counted) != last {
            last = (pending, counted);
            moved = Instant::now();
        } else if moved.elapsed() > STANDSTILL {
            let text = format!(
                "the pipeline stands still: {counted} of {wanted} instances are done, {pending} \
                 wait in the spool"
            );
            let next = format!("look for errors in {}", log.display());
            return Err(Failure::new("SV-CLI-023", text, &next));
        }
        std::thread::sleep(POLL);
    }
}
