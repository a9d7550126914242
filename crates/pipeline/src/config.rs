//! The configuration: one TOML file, then the environment (`SCANVEIL_HTTP__LISTEN=...`), then
//! flags.

use crate::PipelineError;
use crate::limits::{Connections, DimseSettings, check_uploads};
use figment::Figment;
use figment::providers::{Env, Format, Toml};
use scanveil_ingest::{AfterTaking, CallingRule, DimseLimits, HospitalRoute, WebLimits};
use scanveil_model::{AeTitle, HospitalId, ProjectName, RetentionClass};
use scanveil_storage::{ChecksumMode, S3Config};
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// Variables of the environment that begin alike but are no settings: where the configuration is,
/// what to log, and what tests are told.
const NOT_SETTINGS: &[&str] = &["config", "log", "require_servers", "test_venv"];

/// The keyring's folder below the data folder, unless it is set.
const KEYS: &str = "keys";

/// Longest retention, in years.
const MOST_YEARS: u32 = 1000;
/// Longest stay in quarantine, in days.
const MOST_DAYS: u32 = 36_500;

/// Everything that can be set.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where keys, spool, catalogue and (with a folder store) objects lie.
    pub data_dir: PathBuf,
    /// Where the keys lie; `keys` below the data folder when not set.
    pub keys_dir: Option<PathBuf>,
    /// The object store.
    #[serde(default)]
    pub store: StoreSettings,
    /// The spool.
    #[serde(default)]
    pub spool: SpoolSettings,
    /// The DIMSE receiver.
    #[serde(default)]
    pub dimse: Dimse,
    /// The HTTP receiver, status page, health and metrics.
    #[serde(default)]
    pub http: Http,
    /// The pipeline.
    #[serde(default)]
    pub pipeline: Pipeline,
    /// The hospitals.
    #[serde(default, rename = "hospital")]
    pub hospitals: Vec<Hospital>,
    /// The projects; without any, a project `research` with the profile `basic` takes every
    /// hospital.
    #[serde(default, rename = "project")]
    pub projects: Vec<Project>,
}

/// Which object store.
#[derive(Debug, Clone, Copy, Deserialize, Serialize, Default, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum StoreKind {
    /// A folder below the data folder.
    #[default]
    Folder,
    /// An S3-compatible service.
    S3,
}

/// The object store.
#[derive(Debug, Clone, Deserialize, Serialize, Default)]
#[serde(deny_unknown_fields, default)]
pub struct StoreSettings {
    /// Folder or S3; a bucket alone means S3.
    pub kind: Option<StoreKind>,
    /// The folder; `objects` below the data folder when not set.
    pub path: Option<PathBuf>,
    /// S3: the endpoint; the service's own when not set.
    pub endpoint: Option<String>,
    /// S3: the region.
    pub region: Option<String>,
    /// S3: the bucket.
    pub bucket: Option<String>,
    /// S3: a file with the credentials, mode 0600; the environment when not set.
    pub credentials_file: Option<PathBuf>,
    /// S3: the bucket in the path instead of the host name; on when an endpoint is named.
    pub path_style: Option<bool>,
    /// S3: when checksums are computed.
    pub request_checksum_calculation: Option<ChecksumMode>,
    /// S3: allow plain HTTP to a host that is not this one.
    pub allow_plain_http: bool,
}

impl StoreSettings {
    /// Which store it is.
    #[must_use]
    pub fn kind(&self) -> StoreKind {
        let implied = if self.bucket.is_some() { StoreKind::S3 } else { StoreKind::Folder };
        self.kind.unwrap_or(implied)
    }

    /// The settings of an S3 store.
    ///
    /// # Errors
    /// [`PipelineError::Config`] when region or bucket are missing.
    pub fn s3(&self) -> Result<S3Config, PipelineError> {
        let need = |value: &Option<String>, name: &str| {
            value.clone().ok_or_else(|| PipelineError::config(format!("store.{name} is missing")))
        };
        let mut s3 = S3Config::new(&need(&self.region, "region")?, &need(&self.bucket, "bucket")?);
        s3.endpoint.clone_from(&self.endpoint);
        s3.path_style = self.path_style.unwrap_or(self.endpoint.is_some());
        s3.credentials_file.clone_from(&self.credentials_file);
        s3.allow_plain_http = self.allow_plain_http;
        if let Some(mode) = self.request_checksum_calculation {
            s3.request_checksum_calculation = mode;
        }
        Ok(s3)
    }
}

/// The spool's bounds.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct SpoolSettings {
    /// Most bytes in the spool.
    pub max_bytes: u64,
    /// Bytes of disk that must stay free.
    pub min_free_bytes: u64,
}

impl Default for SpoolSettings {
    fn default() -> Self {
        Self { max_bytes: 64 << 30, min_free_bytes: 1 << 30 }
    }
}

/// Certificate and key of a TLS listener.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// Certificate chain, PEM.
    pub certificate: PathBuf,
    /// Private key, PEM, mode 0600.
    pub key: PathBuf,
    /// Certificates of the authorities whose clients are let in; DIMSE requires it.
    pub client_ca: Option<PathBuf>,
}

/// An address to listen on.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Listener {
    /// Address and port.
    pub listen: SocketAddr,
    /// TLS; plain when absent.
    pub tls: Option<Tls>,
}

/// The DIMSE receiver. Plain associations are taken for hospitals that allow them by name.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Dimse {
    /// Plain listener; none when empty.
    pub listen: Option<SocketAddr>,
    /// TLS listener.
    pub tls: Option<Listener>,
    /// Most associations at a time.
    pub max_associations: usize,
    /// Shares and time limits.
    pub limits: DimseSettings,
}

impl Default for Dimse {
    fn default() -> Self {
        Self {
            listen: Some(SocketAddr::from(([0, 0, 0, 0], 11112))),
            tls: None,
            max_associations: DimseLimits::default().max_associations,
            limits: DimseSettings::default(),
        }
    }
}

/// The HTTP side.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Http {
    /// Address and port. Plain HTTP is for loopback only, unless `tls` is set.
    pub listen: SocketAddr,
    /// TLS.
    pub tls: Option<Tls>,
    /// Digest of the token that opens status page and metrics from other machines.
    pub operator_token: Option<String>,
    /// A listener for health, metrics and the page that the receivers cannot starve.
    pub health: Option<Listener>,
    /// Connections of each listener.
    pub connections: Connections,
    /// What uploads may do.
    pub limits: WebLimits,
}

impl Default for Http {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8042)),
            tls: None,
            operator_token: None,
            health: None,
            connections: Connections::default(),
            limits: WebLimits::default(),
        }
    }
}

/// The pipeline.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Pipeline {
    /// A study is complete when nothing has arrived for it for so long, in milliseconds.
    pub quiet_ms: u64,
    /// Threads that scrub; 0 for one per core.
    pub jobs: usize,
}

impl Default for Pipeline {
    fn default() -> Self {
        Self { quiet_ms: 10_000, jobs: 0 }
    }
}

/// How long a hospital's data is kept.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Retention {
    /// The class, as it stands in the tags.
    pub class: RetentionClass,
    /// Years from the day of receipt.
    pub years: u32,
    /// Days that quarantined data is kept.
    #[serde(default = "quarantine_days")]
    pub quarantine_days: u32,
}

fn quarantine_days() -> u32 {
    90
}

fn yes() -> bool {
    true
}

/// A hospital.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Hospital {
    /// Its name in keys, tags and commands.
    pub id: HospitalId,
    /// The region its data stays in; must be the store's.
    pub region: Option<String>,
    /// Whether identified originals are kept in the vault.
    #[serde(default = "yes")]
    pub keep_originals: bool,
    /// Retention.
    pub retention: Retention,
    /// The AE title its senders call.
    pub called_ae: Option<AeTitle>,
    /// Who may call it, from where.
    #[serde(default)]
    pub calling: Vec<CallingRule>,
    /// Allow DIMSE without TLS.
    #[serde(default)]
    pub allow_plain_dimse: bool,
    /// Digests of the tokens its uploads carry.
    #[serde(default)]
    pub tokens: Vec<String>,
    /// A folder to take files from.
    pub folder: Option<PathBuf>,
    /// What happens to a file of that folder when its instance is durable.
    #[serde(default)]
    pub folder_after: AfterTaking,
}

impl Hospital {
    /// The DIMSE route, if it has an AE title.
    #[must_use]
    pub fn route(&self) -> Option<HospitalRoute> {
        Some(HospitalRoute {
            hospital: self.id.clone(),
            called_ae: self.called_ae.clone()?,
            calling: self.calling.clone(),
        })
    }
}

/// A research project.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Project {
    /// Its name.
    pub name: ProjectName,
    /// A profile that comes with scanveil, or a file.
    #[serde(default = "basic")]
    pub profile: String,
    /// The hospitals it takes; all when empty.
    #[serde(default)]
    pub hospitals: Vec<HospitalId>,
}

fn basic() -> String {
    "basic".to_owned()
}

impl Project {
    /// Whether the project takes a hospital's data.
    #[must_use]
    pub fn takes(&self, hospital: &HospitalId) -> bool {
        self.hospitals.is_empty() || self.hospitals.contains(hospital)
    }
}

impl Config {
    /// Reads the file and the environment, and checks them.
    ///
    /// # Errors
    /// [`PipelineError::ConfigSyntax`] or [`PipelineError::Config`].
    pub fn load(file: &Path) -> Result<Self, PipelineError> {
        let text = std::fs::read_to_string(file)
            .map_err(|error| PipelineError::ConfigSyntax(format!("{}: {error}", file.display())))?;
        let mut config = Self::parse(&text)?;
        // Paths in the file are relative to the file, so that it means the same from everywhere.
        let base = file.parent().unwrap_or(Path::new("."));
        config.resolve(base);
        Ok(config)
    }

    /// Reads a configuration from text and the environment.
    ///
    /// # Errors
    /// [`PipelineError::ConfigSyntax`] or [`PipelineError::Config`].
    pub fn parse(text: &str) -> Result<Self, PipelineError> {
        let mut config: Self = Figment::new()
            .merge(Toml::string(text))
            .merge(Env::prefixed("SCANVEIL_").ignore(NOT_SETTINGS).split("__"))
            .extract()
            .map_err(|error| PipelineError::ConfigSyntax(error.to_string()))?;
        if config.projects.is_empty() {
            let name =
                ProjectName::parse("research").map_err(|e| PipelineError::config(e.to_string()))?;
            config.projects.push(Project { name, profile: basic(), hospitals: Vec::new() });
        }
        config.check()?;
        Ok(config)
    }

    fn resolve(&mut self, base: &Path) {
        let fix = |path: &mut PathBuf| {
            if path.is_relative() {
                *path = base.join(&*path);
            }
        };
        fix(&mut self.data_dir);
        self.keys_dir.iter_mut().for_each(fix);
        let listeners = self.dimse.tls.iter_mut().chain(self.http.health.as_mut());
        let tls = listeners.filter_map(|l| l.tls.as_mut()).chain(self.http.tls.as_mut());
        for tls in tls {
            fix(&mut tls.certificate);
            fix(&mut tls.key);
            tls.client_ca.iter_mut().for_each(fix);
        }
        self.store.path.iter_mut().for_each(fix);
        self.store.credentials_file.iter_mut().for_each(fix);
        self.hospitals.iter_mut().filter_map(|h| h.folder.as_mut()).for_each(fix);
        for project in &mut self.projects {
            if project.profile.ends_with(".toml") {
                let mut path = PathBuf::from(&project.profile);
                fix(&mut path);
                project.profile = path.to_string_lossy().into_owned();
            }
        }
    }

    /// Whether its parts fit together: to be asked again when something was changed.
    ///
    /// # Errors
    /// [`PipelineError::Config`] and [`PipelineError::Unknown`].
    pub fn check(&self) -> Result<(), PipelineError> {
        self.check_hospitals()?;
        for (at, project) in self.projects.iter().enumerate() {
            if self.projects[..at].iter().any(|other| other.name == project.name) {
                return Err(PipelineError::config(format!(
                    "project {} stands twice",
                    project.name
                )));
            }
            for hospital in &project.hospitals {
                self.hospital(hospital)?;
            }
        }
        if self.http.tls.is_none() && !self.http.listen.ip().is_loopback() {
            return Err(PipelineError::config(
                "http.listen is open to other machines: set http.tls, or listen on 127.0.0.1",
            ));
        }
        let health = self.http.health.as_ref();
        if health.is_some_and(|h| h.tls.is_none() && !h.listen.ip().is_loopback()) {
            return Err(PipelineError::config(
                "http.health is open to other machines: set http.health.tls, or listen on 127.0.0.1",
            ));
        }
        self.check_limits()?;
        if self.store.kind() == StoreKind::S3 {
            self.store.s3()?.validate()?;
        }
        Ok(())
    }

    fn check_limits(&self) -> Result<(), PipelineError> {
        let calling = self.hospitals.iter().filter(|h| h.called_ae.is_some()).count();
        self.dimse.limits.check(self.dimse.max_associations, calling)?;
        let uploading = self.hospitals.iter().filter(|h| !h.tokens.is_empty()).count();
        check_uploads(&self.http.limits, uploading)?;
        self.http.connections.check()
    }

    fn check_hospitals(&self) -> Result<(), PipelineError> {
        for (at, hospital) in self.hospitals.iter().enumerate() {
            let others = &self.hospitals[..at];
            if others.iter().any(|other| other.id == hospital.id) {
                return Err(PipelineError::config(format!(
                    "hospital {} stands twice",
                    hospital.id
                )));
            }
            let ae = &hospital.called_ae;
            if ae.is_some() && others.iter().any(|other| other.called_ae == *ae) {
                let text = format!("hospital {} has the AE title of another", hospital.id);
                return Err(PipelineError::config(text));
            }
            if let (Some(region), Some(store)) = (&hospital.region, &self.store.region)
                && region != store
            {
                let text = format!(
                    "hospital {} keeps its data in {region}, the store is in {store}",
                    hospital.id
                );
                return Err(PipelineError::config(text));
            }
            let retention = &hospital.retention;
            if !(1..=MOST_YEARS).contains(&retention.years)
                || !(1..=MOST_DAYS).contains(&retention.quarantine_days)
            {
                let text = format!(
                    "hospital {}: retention is 1 to {MOST_YEARS} years, quarantine_days 1 to \
                     {MOST_DAYS}",
                    hospital.id
                );
                return Err(PipelineError::config(text));
            }
            // Nothing that is acknowledged may have nowhere to go.
            if !hospital.keep_originals && !self.projects.iter().any(|p| p.takes(&hospital.id)) {
                let text = format!(
                    "hospital {} keeps no originals and no project takes it: what it sends would \
                     be lost",
                    hospital.id
                );
                return Err(PipelineError::config(text));
            }
        }
        Ok(())
    }

    /// The folder of the keys.
    #[must_use]
    pub fn keys_dir(&self) -> PathBuf {
        self.keys_dir.clone().unwrap_or_else(|| self.data_dir.join(KEYS))
    }

    /// A hospital by name.
    ///
    /// # Errors
    /// [`PipelineError::Unknown`] when the configuration does not name it.
    pub fn hospital(&self, id: &HospitalId) -> Result<&Hospital, PipelineError> {
        self.hospitals
            .iter()
            .find(|hospital| hospital.id == *id)
            .ok_or_else(|| PipelineError::Unknown { what: "hospital", name: id.to_string() })
    }

    /// A project by name.
    ///
    /// # Errors
    /// [`PipelineError::Unknown`] when the configuration does not name it.
    pub fn project(&self, name: &ProjectName) -> Result<&Project, PipelineError> {
        self.projects
            .iter()
            .find(|project| project.name == *name)
            .ok_or_else(|| PipelineError::Unknown { what: "project", name: name.to_string() })
    }
}
