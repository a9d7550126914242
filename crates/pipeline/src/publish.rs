//! Puts sealed objects into the store, then publishes all of a study in one transaction.

use crate::attempt::Attempt;
use crate::{ENGINE, PipelineError, Site};
use scanveil_catalog::{Arrival, Outcomes, Publication, StudyGeneration};
use scanveil_model::{Digest, ObjectId, ObjectTags};
use scanveil_seal::PackIndex;
use scanveil_storage::{ObjectKey, StoredObject};
use scanveil_vault::LocalPack;
use std::collections::BTreeSet;

/// What is stored and waits to be published.
pub(crate) struct Ready {
    attempt: Attempt,
    objects: Vec<(StoredObject, PackIndex)>,
    pub(crate) generations: Vec<StudyGeneration>,
    /// Objects that are no more once this is published.
    withdrawn: Vec<ObjectKey>,
}

impl Ready {
    pub(crate) fn new(attempt: Attempt) -> Self {
        Self { attempt, objects: Vec::new(), generations: Vec::new(), withdrawn: Vec::new() }
    }

    /// Stores one sealed pack.
    pub(crate) fn put(
        &mut self,
        site: &Site,
        pack: &LocalPack,
        tags: &ObjectTags,
    ) -> Result<(), PipelineError> {
        let object = pack.object();
        let key = ObjectKey::new(object.zone(), object.hospital().clone(), object.object_id());
        self.attempt.note(&key)?;
        let stored = site.store.put_sealed(object, pack.path(), tags)?;
        self.objects.push((stored, object.index().clone()));
        Ok(())
    }

    /// An object goes, with what is published here: a crash in between takes it away later.
    pub(crate) fn withdraw(&mut self, key: ObjectKey) -> Result<(), PipelineError> {
        self.attempt.note(&key)?;
        self.withdrawn.push(key);
        Ok(())
    }

    /// Digests of the received bytes that something stored here holds or was made from.
    pub(crate) fn sources(&self) -> BTreeSet<Digest> {
        let entries = self.objects.iter().flat_map(|(_, index)| &index.entries);
        entries.map(|entry| entry.source.unwrap_or(entry.digest)).collect()
    }

    /// Makes everything visible at once, or nothing.
    pub(crate) fn publish(
        mut self,
        site: &Site,
        arrivals: &[Arrival],
    ) -> Result<(), PipelineError> {
        let objects: Vec<Publication<'_>> =
            self.objects.iter().map(|(stored, index)| Publication { stored, index }).collect();
        let withdrawn: Vec<ObjectId> = self.withdrawn.iter().map(ObjectKey::object).collect();
        site.catalog.publish(&Outcomes {
            objects: &objects,
            generations: &self.generations,
            arrivals,
            withdrawn: &withdrawn,
            engine: ENGINE,
        })?;
        for key in &self.withdrawn {
            site.store.delete(key)?;
        }
        self.attempt.end()
    }
}
