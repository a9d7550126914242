//! Old and new identifiers, gathered from the second look.

use scanveil_scrub::{Mapping, MappingKind};
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// Old and new identifiers, each pair once: identifying, for the hospital's own eyes.
pub type Pairs = BTreeSet<(MappingKind, String, String)>;

/// Where any thread puts what it meets.
#[derive(Default)]
pub(crate) struct Mappings(Mutex<Pairs>);

impl Mappings {
    pub(crate) fn add(&self, found: Vec<Mapping>) {
        let mut pairs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        pairs.extend(found.into_iter().map(|pair| (pair.kind, pair.old, pair.new)));
    }

    pub(crate) fn into_pairs(self) -> Pairs {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}
