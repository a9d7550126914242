//! Puts sealed objects into the store, then publishes all of a study in one transaction.

use crate::{ENGINE, PipelineError, Site};
use scanveil_catalog::{Arrival, Outcomes, Publication, StudyGeneration};
use scanveil_model::ObjectTags;
use scanveil_seal::{PackIndex, SealedObject};
use scanveil_storage::StoredObject;
use std::path::Path;

/// What is stored and waits to be published.
#[derive(Default)]
pub(crate) struct Ready {
    objects: Vec<(StoredObject, PackIndex)>,
    pub(crate) generations: Vec<StudyGeneration>,
}

impl Ready {
    /// Stores one sealed object.
    pub(crate) fn put(
        &mut self,
        site: &Site,
        object: &SealedObject,
        path: &Path,
        tags: &ObjectTags,
    ) -> Result<(), PipelineError> {
        let stored = site.store.put_sealed(object, path, tags)?;
        self.objects.push((stored, object.index().clone()));
        Ok(())
    }
}

/// Makes everything visible at once, or nothing.
pub(crate) fn publish(
    site: &Site,
    ready: &Ready,
    arrivals: &[Arrival],
) -> Result<(), PipelineError> {
    let objects: Vec<Publication<'_>> =
        ready.objects.iter().map(|(stored, index)| Publication { stored, index }).collect();
    let outcomes = Outcomes {
        objects: &objects,
        generations: &ready.generations,
        arrivals,
        withdrawn: &[],
        engine: ENGINE,
    };
    Ok(site.catalog.publish(&outcomes)?)
}
