//! What a running service does by its configuration: exchanged as a whole, so that nobody sees half
//! of a new one.

use crate::site::load_profile;
use crate::{Config, Hospital, Http, PipelineError};
use scanveil_ingest::{HospitalRoute, TokenDigest, TokenTable};
use scanveil_model::{HospitalId, ProjectName};
use scanveil_scrub::Profile;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A configuration, and what follows from it. Never changed: another takes its place.
pub struct Settings {
    /// The configuration.
    pub config: Arc<Config>,
    /// Hospitals by C-STORE.
    pub routes: Arc<Vec<HospitalRoute>>,
    /// Those of them that may speak without TLS.
    pub plain_routes: Arc<Vec<HospitalRoute>>,
    /// Tokens of uploads.
    pub tokens: Arc<TokenTable>,
    /// The token that opens page, status and metrics.
    pub operator_token: Arc<Option<TokenDigest>>,
    profiles: BTreeMap<ProjectName, Arc<Profile>>,
}

impl Settings {
    /// Reads the profiles and parses the tokens.
    ///
    /// # Errors
    /// [`PipelineError`] naming what cannot be used.
    pub fn new(config: Config) -> Result<Self, PipelineError> {
        let routes = |plain: bool| -> Arc<Vec<HospitalRoute>> {
            let hospitals = config.hospitals.iter().filter(|h| !plain || h.allow_plain_dimse);
            Arc::new(hospitals.filter_map(Hospital::route).collect())
        };
        let mut tokens = Vec::new();
        for hospital in &config.hospitals {
            for digest in &hospital.tokens {
                let digest = TokenDigest::parse(digest).map_err(|error| {
                    PipelineError::config(format!("hospital {}: tokens: {error}", hospital.id))
                })?;
                tokens.push((digest, hospital.id.clone()));
            }
        }
        let operator = config.http.operator_token.as_deref().map(TokenDigest::parse).transpose();
        let mut profiles = BTreeMap::new();
        for project in &config.projects {
            profiles.insert(project.name.clone(), Arc::new(load_profile(&project.profile)?));
        }
        Ok(Self {
            routes: routes(false),
            plain_routes: routes(true),
            tokens: Arc::new(
                TokenTable::new(tokens)
                    .map_err(|error| PipelineError::config(format!("tokens: {error}")))?,
            ),
            operator_token: Arc::new(
                operator.map_err(|error| {
                    PipelineError::config(format!("http.operator_token: {error}"))
                })?,
            ),
            profiles,
            config: Arc::new(config),
        })
    }

    /// The compiled profile of a project.
    ///
    /// # Errors
    /// [`PipelineError::Unknown`] when there is no such project.
    pub fn profile(&self, project: &ProjectName) -> Result<&Arc<Profile>, PipelineError> {
        self.profiles
            .get(project)
            .ok_or_else(|| PipelineError::Unknown { what: "project", name: project.to_string() })
    }

    /// Whether a hospital is configured.
    #[must_use]
    pub fn knows(&self, hospital: &HospitalId) -> bool {
        self.config.hospital(hospital).is_ok()
    }
}

impl Config {
    /// This configuration, with what can be changed while the service runs as another has it:
    /// hospitals, projects, and the operator's token.
    #[must_use]
    pub fn reloaded(&self, from: &Self) -> Self {
        let operator_token = from.http.operator_token.clone();
        Self {
            hospitals: from.hospitals.clone(),
            projects: from.projects.clone(),
            http: Http { operator_token, ..self.http.clone() },
            ..self.clone()
        }
    }
}
