//! One installation: configuration, keys, spool, store and catalogue, opened together.

use crate::attempt::under_way;
use crate::documents::DocumentProcess;
use crate::edges::OsEntropy;
use crate::keys::open_keyring;
use crate::settings::Settings;
use crate::{Config, Hospital, PipelineError, StoreKind};
use scanveil_catalog::Catalog;
use scanveil_model::{HospitalId, ObjectTags, Zone};
use scanveil_scrub::Profile;
use scanveil_seal::Entropy;
use scanveil_storage::{FolderStore, KeyPrefix, ObjectKey, ObjectStore, Page, S3Store, Store};
use scanveil_vault::{
    Keyring, KeyringError, Spool, SpoolConfig, SpooledInstance, sweep_local_packs,
};
use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

/// The version that objects and generations are marked with.
pub const ENGINE: &str = env!("CARGO_PKG_VERSION");

/// The catalogue's name below the data folder.
pub(crate) const CATALOG: &str = "catalog.sqlite";
/// The folder below the data folder for what is under way: sealed packs, notes, locks.
pub(crate) const WORK: &str = "work";
/// The service's own folder for temporary files, below the work folder.
const SERVICE: &str = "service";

/// Whether the spool is opened: one process at a time can.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SiteMode {
    /// The service: with the spool.
    Service,
    /// A command beside it: without.
    Command,
}

/// One opened installation.
pub struct Site {
    settings: RwLock<Arc<Settings>>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) keyring: Keyring,
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) store: Store,
    pub(crate) spool: Option<Arc<Spool>>,
    pub(crate) work: PathBuf,
    pub(crate) pool: rayon::ThreadPool,
}

/// Makes a folder that nobody else can look into, unless it is there.
pub(crate) fn make_folder(path: &Path, what: &'static str) -> Result<(), PipelineError> {
    use std::os::unix::fs::DirBuilderExt;
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|source| PipelineError::Folder { what, source })
}

impl Config {
    /// Where the spool lies.
    #[must_use]
    pub fn spool_folder(&self) -> std::path::PathBuf {
        self.data_dir.join("spool")
    }
}

impl Site {
    /// Opens everything the configuration names. With [`SiteMode::Service`] the second part is what
    /// the spool still holds from before.
    ///
    /// # Errors
    /// [`PipelineError`] naming what cannot be opened.
    pub fn open(
        config: Config,
        mode: SiteMode,
    ) -> Result<(Arc<Self>, Vec<SpooledInstance>), PipelineError> {
        let store = open_store(&config)?;
        Self::open_on(config, mode, store)
    }

    /// As [`Site::open`], on this store.
    pub(crate) fn open_on(
        config: Config,
        mode: SiteMode,
        store: Arc<dyn ObjectStore>,
    ) -> Result<(Arc<Self>, Vec<SpooledInstance>), PipelineError> {
        let data = config.data_dir.clone();
        make_folder(&data, "the data folder")?;
        let entropy: Arc<dyn Entropy> = Arc::new(OsEntropy);
        let keyring = open_keyring(&config, &store, Arc::clone(&entropy))?;
        let work = data.join(WORK);
        make_folder(&work, "the work folder")?;
        let (spool, pending) = match mode {
            SiteMode::Command => (None, Vec::new()),
            SiteMode::Service => {
                let mut spool = SpoolConfig::new(config.spool_folder());
                spool.max_bytes = config.spool.max_bytes;
                spool.min_free_bytes = config.spool.min_free_bytes;
                let keys = Arc::new(Keyring::open(config.keys_dir(), Arc::clone(&entropy))?);
                let (spool, pending) = Spool::open(spool, keys, Arc::clone(&entropy))?;
                // Only the one process that has the spool may sweep what a crash left.
                let own = work.join(SERVICE);
                make_folder(&own, "the work folder")?;
                sweep_local_packs(&own)?;
                (Some(spool), pending)
            }
        };
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(config.pipeline.jobs)
            .thread_name(|at| format!("scrub-{at}"))
            .build()
            .map_err(|error| PipelineError::config(format!("pipeline.jobs: {error}")))?;
        let (store, catalog) = (Store::new(store), open_catalog(&data, &keyring)?);
        if mode == SiteMode::Service {
            refuse_empty(&store, &catalog)?;
        }
        let site = Self {
            store,
            catalog: Arc::new(catalog),
            settings: RwLock::new(Arc::new(Settings::new(config)?)),
            entropy,
            keyring,
            spool,
            work,
            pool,
        };
        Ok((Arc::new(site), pending))
    }

    /// The configuration in force, and what follows from it. Whoever keeps it keeps that one.
    #[must_use]
    pub fn settings(&self) -> Arc<Settings> {
        Arc::clone(&self.settings.read().unwrap_or_else(PoisonError::into_inner))
    }
    /// Puts another configuration in force. What was begun under the one before ends under it.
    pub fn adopt(&self, settings: Settings) {
        *self.settings.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(settings);
    }
    /// The configuration in force.
    #[must_use]
    pub fn config(&self) -> Arc<Config> {
        Arc::clone(&self.settings().config)
    }
    /// The catalogue.
    #[must_use]
    pub fn catalog(&self) -> &Arc<Catalog> {
        &self.catalog
    }
    /// The object store.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }
    /// The keys.
    #[must_use]
    pub fn keyring(&self) -> &Keyring {
        &self.keyring
    }
    /// The spool, in the service.
    #[must_use]
    pub fn spool(&self) -> Option<&Arc<Spool>> {
        self.spool.as_ref()
    }

    /// Objects that are being put, or that an interrupted attempt left: they are not published.
    ///
    /// # Errors
    /// What the work folder gives.
    pub fn under_way(&self) -> io::Result<BTreeSet<ObjectKey>> {
        under_way(&self.work)
    }

    /// The version of a hospital's secret that pseudonyms hang on from now on.
    pub(crate) fn secret_in_force(&self, hospital: &HospitalId) -> Result<u32, PipelineError> {
        match self.keyring.existing_hospital(hospital) {
            Ok(keys) => Ok(keys.secret_version),
            // It gets its keys with the first thing it sends.
            Err(KeyringError::HospitalUnknown(_)) => Ok(1),
            Err(error) => Err(error.into()),
        }
    }

    /// Where the service writes temporary files.
    pub(crate) fn service_dir(&self) -> PathBuf {
        self.work.join(SERVICE)
    }

    /// The tags of an object of this hospital received at this time.
    pub(crate) fn tags(&self, hospital: &Hospital, zone: Zone, received_at_ms: i64) -> ObjectTags {
        let retention = &hospital.retention;
        let span = match zone {
            Zone::Quarantine => jiff::Span::new().days(i64::from(retention.quarantine_days)),
            Zone::Vault | Zone::Research => jiff::Span::new().years(i64::from(retention.years)),
        };
        let received = jiff::Timestamp::from_millisecond(received_at_ms).unwrap_or_default();
        let day = received.to_zoned(jiff::tz::TimeZone::UTC).date();
        ObjectTags {
            hospital: hospital.id.clone(),
            zone,
            retention_class: retention.class.clone(),
            retain_until: day.saturating_add(span).to_string(),
            profile: "none".to_owned(),
            generation: None,
            project: None,
        }
    }
}

/// Opens the catalogue; makes one only where nothing can have been stored yet: a new one beside
/// stored objects would know nothing of them.
fn open_catalog(data: &Path, keyring: &Keyring) -> Result<Catalog, PipelineError> {
    let path = data.join(CATALOG);
    if !path.exists() && keyring.list()?.iter().any(|hospital| hospital.subjects > 0) {
        return Err(PipelineError::CatalogMissing(path));
    }
    Ok(Catalog::open(&path)?)
}

/// An empty store beside a catalogue that knows objects is another than the one in use: a folder
/// that is not mounted, a wrong bucket. Nothing may be put there. One that does not answer may well
/// be the right one.
fn refuse_empty(store: &Store, catalog: &Catalog) -> Result<(), PipelineError> {
    let page = Page { limit: 1, ..Page::first() };
    let empty = store.list(&KeyPrefix::All, &page).is_ok_and(|listing| listing.objects.is_empty());
    if empty && catalog.has_objects()? {
        return Err(PipelineError::StoreEmpty);
    }
    Ok(())
}

pub(crate) fn open_store(config: &Config) -> Result<Arc<dyn ObjectStore>, PipelineError> {
    Ok(match config.store.kind() {
        StoreKind::Folder => {
            let path = config.store.path.clone().unwrap_or_else(|| config.data_dir.join("objects"));
            make_folder(&path, "the object folder")?;
            Arc::new(FolderStore::open(&path)?)
        }
        StoreKind::S3 => Arc::new(S3Store::new(&config.store.s3()?)?),
    })
}

/// A profile that comes with scanveil by name, or one from a file; documents are read apart.
///
/// # Errors
/// [`PipelineError::Unknown`] or [`PipelineError::Config`].
pub fn load_profile(name: &str) -> Result<Profile, PipelineError> {
    let reader = Arc::new(DocumentProcess::default());
    if let Some(profile) = Profile::builtin(name) {
        return Ok(profile.with_reader(reader));
    }
    if !name.ends_with(".toml") {
        return Err(PipelineError::Unknown { what: "profile", name: name.to_owned() });
    }
    let text = std::fs::read_to_string(name)
        .map_err(|error| PipelineError::config(format!("profile {name}: {error}")))?;
    let profile = Profile::from_toml(&text);
    let profile = profile.map_err(|error| PipelineError::config(format!("{name}: {error}")))?;
    Ok(profile.with_reader(reader))
}
