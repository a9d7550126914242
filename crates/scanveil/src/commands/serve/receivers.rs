//! The receivers by C-STORE and by folder: which ones run follows from the configuration.

use crate::output::Failure;
use scanveil_ingest::{
    AfterTaking, ClientAuth, Current, DimseConfig, DimseServer, FolderConfig, FolderHandle,
    FolderWatcher, HospitalRoute, Intake, PlainListener, TlsListener, TlsServer,
};
use scanveil_model::{ErrorReport, HospitalId};
use scanveil_pipeline::{Config, Hospital, Settings, Site};
use scanveil_server::Entrance;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long running associations get to finish their instance.
const GRACE: Duration = Duration::from_secs(20);

/// The receivers that run.
pub(crate) struct Receivers {
    site: Arc<Site>,
    intake: Intake,
    running: Mutex<Running>,
}

#[derive(Default)]
struct Running {
    /// Senders with TLS.
    tls: Option<DimseServer>,
    /// Senders that may speak plainly.
    plain: Option<DimseServer>,
    folders: Vec<(Watch, FolderHandle)>,
}

/// What a folder is watched for.
#[derive(Clone, PartialEq, Eq)]
struct Watch {
    hospital: HospitalId,
    folder: PathBuf,
    after: AfterTaking,
}

/// What other settings need beside what runs. Nothing has changed for anybody yet.
pub(crate) struct Prepared {
    plain: Option<DimseServer>,
    /// All folders that will be watched.
    wanted: Vec<Watch>,
    /// Those of them that are not yet.
    new: Vec<(Watch, FolderWatcher)>,
}

impl Receivers {
    /// Starts what the configuration names.
    pub(crate) fn start(site: &Arc<Site>, intake: Intake) -> Result<Self, Failure> {
        let own = Self { site: Arc::clone(site), intake, running: Mutex::default() };
        let config = site.config();
        own.running().tls = own.tls(&config)?;
        let prepared = own.prepare(&config)?;
        match own.adopt(prepared).pop() {
            None => Ok(own),
            Some(report) => Err(Failure(report)),
        }
    }

    fn running(&self) -> MutexGuard<'_, Running> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens what a configuration needs beside what runs.
    pub(crate) fn prepare(&self, config: &Config) -> Result<Prepared, Failure> {
        let running = self.running();
        let wanted: Vec<Watch> = config.hospitals.iter().filter_map(Watch::of).collect();
        let mut new = Vec::new();
        for watch in &wanted {
            if !running.folders.iter().any(|(own, _)| own == watch) {
                let mut folder = FolderConfig::new(watch.hospital.clone(), watch.folder.clone());
                folder.after = watch.after;
                new.push((watch.clone(), FolderWatcher::new(folder, Arc::clone(&self.intake))?));
            }
        }
        // A listener that nobody may send to any more stays, and closes every connection.
        let plainly =
            |hospital: &Hospital| hospital.allow_plain_dimse && hospital.route().is_some();
        let needed = running.plain.is_none() && config.hospitals.iter().any(plainly);
        let plain = match config.dimse.listen.filter(|_| needed) {
            None => None,
            Some(address) => Some(self.plain(config, address)?),
        };
        Ok(Prepared { plain, wanted, new })
    }

    /// Runs what was prepared, and ends what is not wanted any more. Gives what could not be done.
    pub(crate) fn adopt(&self, prepared: Prepared) -> Vec<ErrorReport> {
        let Prepared { plain, wanted, new } = prepared;
        let mut running = self.running();
        running.plain = running.plain.take().or(plain);
        // One that is dropped ends after the file at hand; only then may another begin in its
        // place.
        running.folders.retain(|(watch, _)| wanted.contains(watch));
        let mut failed = Vec::new();
        for (watch, watcher) in new {
            match watcher.start() {
                Ok(handle) => running.folders.push((watch, handle)),
                Err(error) => failed.push(Failure::from(error).0),
            }
        }
        failed
    }

    /// With TLS: everybody.
    fn tls(&self, config: &Config) -> Result<Option<DimseServer>, Failure> {
        let Some(listener) = &config.dimse.tls else { return Ok(None) };
        let Some(tls) = &listener.tls else { return Ok(None) };
        let Some(clients) = &tls.client_ca else {
            return Err(Failure::new(
                "SV-CLI-003",
                "dimse.tls names no client_ca: anybody could send",
                "name the certificates of the authorities whose senders are let in",
            ));
        };
        let auth = ClientAuth::Required(clients.clone());
        let tls = TlsServer::from_pem_files(&tls.certificate, &tls.key, &auth)?;
        let tls = TlsListener { address: listener.listen, tls };
        let config = DimseConfig {
            plain: None,
            tls: Some(tls),
            routes: self.routes(|settings| &settings.routes),
            limits: config.dimse.limits.limits(config.dimse.max_associations),
        };
        Ok(Some(DimseServer::start(config, Arc::clone(&self.intake))?))
    }

    /// Without TLS: those who may.
    fn plain(&self, config: &Config, address: SocketAddr) -> Result<DimseServer, Failure> {
        let config = DimseConfig {
            plain: Some(PlainListener { address }),
            tls: None,
            routes: self.routes(|settings| &settings.plain_routes),
            limits: config.dimse.limits.limits(config.dimse.max_associations),
        };
        Ok(DimseServer::start(config, Arc::clone(&self.intake))?)
    }

    fn routes(&self, of: fn(&Settings) -> &Arc<Vec<HospitalRoute>>) -> Current<Vec<HospitalRoute>> {
        let site = Arc::clone(&self.site);
        Current::new(move || Arc::clone(of(&site.settings())))
    }

    /// Where C-STORE without TLS is received.
    pub(crate) fn plain_addr(&self) -> Option<SocketAddr> {
        self.running().plain.as_ref().and_then(DimseServer::plain_address)
    }

    /// Where C-STORE with TLS is received.
    pub(crate) fn tls_addr(&self) -> Option<SocketAddr> {
        self.running().tls.as_ref().and_then(DimseServer::tls_address)
    }

    /// Where senders are told to send to.
    pub(crate) fn entrance(&self) -> Option<Entrance> {
        let tls = self.tls_addr().map(|address| Entrance { address, tls: true });
        tls.or_else(|| self.plain_addr().map(|address| Entrance { address, tls: false }))
    }

    /// Stops receiving.
    pub(crate) fn stop(&self) {
        let Running { tls, plain, folders } = std::mem::take(&mut *self.running());
        for server in [tls, plain].into_iter().flatten() {
            server.stop(GRACE);
        }
        drop(folders);
    }
}

impl Watch {
    fn of(hospital: &Hospital) -> Option<Self> {
        Some(Self {
            hospital: hospital.id.clone(),
            folder: hospital.folder.clone()?,
            after: hospital.folder_after,
        })
    }
}
