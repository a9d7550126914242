//! Who may be in a release, by the configuration of the day.

use crate::{PipelineError, Site};
use scanveil_model::{HospitalId, ProjectName};
use std::collections::BTreeSet;

/// What the configuration says of a project's releases.
#[derive(Debug, Clone)]
pub struct ReleaseRules {
    /// Hospitals that the project takes.
    pub admitted: BTreeSet<HospitalId>,
    /// Hospitals that there are.
    pub configured: BTreeSet<HospitalId>,
    /// Label of the project's profile.
    pub profile: String,
}

impl ReleaseRules {
    /// The rules of a project.
    ///
    /// # Errors
    /// [`PipelineError::Unknown`] when there is no such project.
    pub fn of(site: &Site, project: &ProjectName) -> Result<Self, PipelineError> {
        let settings = site.settings();
        let own = settings.config.project(project)?;
        let configured: BTreeSet<HospitalId> =
            settings.config.hospitals.iter().map(|hospital| hospital.id.clone()).collect();
        Ok(Self {
            admitted: configured.iter().filter(|hospital| own.takes(hospital)).cloned().collect(),
            configured,
            profile: settings.profile(project)?.label(),
        })
    }

    /// Refuses a hospital that the project does not take.
    ///
    /// # Errors
    /// [`PipelineError::Unknown`] or [`PipelineError::Config`].
    pub fn admits(
        &self,
        hospital: &HospitalId,
        project: &ProjectName,
    ) -> Result<(), PipelineError> {
        if !self.configured.contains(hospital) {
            return Err(PipelineError::Unknown { what: "hospital", name: hospital.to_string() });
        }
        if !self.admitted.contains(hospital) {
            let text = format!("project {project} does not take hospital {hospital}");
            return Err(PipelineError::config(text));
        }
        Ok(())
    }
}
