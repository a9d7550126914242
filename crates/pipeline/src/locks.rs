//! Locks between the service and the commands beside it. The kernel lets go of them when a process
//! dies.

use crate::site::make_folder;
use crate::{PipelineError, Site};
use scanveil_model::{HospitalId, ProjectName};
use scanveil_seal::StudyKey;
use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt;

/// Held for as long as it lives.
pub(crate) struct Held {
    _file: File,
}

fn failed(source: io::Error) -> PipelineError {
    PipelineError::Folder { what: "the folder of locks", source }
}

impl Site {
    fn lock_file(&self, name: &str) -> Result<File, PipelineError> {
        let folder = self.work.join("locks");
        make_folder(&folder, "the folder of locks")?;
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false).mode(0o600);
        options.open(folder.join(name)).map_err(failed)
    }

    /// Waits until nobody else makes anything of this study. Studies share a few locks.
    pub(crate) fn lock_study(&self, study: &StudyKey) -> Result<Held, PipelineError> {
        let file = self.lock_file(&format!("study-{:02x}", study.0[0]))?;
        file.lock().map_err(failed)?;
        Ok(Held { _file: file })
    }

    /// Waits until nobody else carries out decisions about this hospital's quarantine.
    pub(crate) fn lock_decisions(&self, hospital: &HospitalId) -> Result<Held, PipelineError> {
        let file = self.lock_file(&format!("decisions-{hospital}"))?;
        file.lock().map_err(failed)?;
        Ok(Held { _file: file })
    }

    /// Keeps other batches of this hospital and project out.
    pub(crate) fn lock_batch(
        &self,
        hospital: &HospitalId,
        project: &ProjectName,
    ) -> Result<Held, PipelineError> {
        let file = self.lock_file(&format!("batch-{hospital}.{project}"))?;
        match file.try_lock() {
            Ok(()) => Ok(Held { _file: file }),
            Err(TryLockError::WouldBlock) => Err(PipelineError::BatchRunning {
                hospital: hospital.clone(),
                project: project.clone(),
            }),
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }
}
