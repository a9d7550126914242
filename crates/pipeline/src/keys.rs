//! The keyring of an installation: it is made only where nothing can have been sealed yet. New keys
//! beside old objects would open none of them, and give everybody another pseudonym.

use crate::site::CATALOG;
use crate::{Config, PipelineError};
use scanveil_seal::Entropy;
use scanveil_storage::{KeyPrefix, ObjectStore, Store};
use scanveil_vault::{Keyring, KeyringError};
use std::fs;
use std::sync::Arc;

/// Opens the keyring. The store is asked only where there is none.
pub(crate) fn open_keyring(
    config: &Config,
    store: &Arc<dyn ObjectStore>,
    entropy: Arc<dyn Entropy>,
) -> Result<Keyring, PipelineError> {
    let path = config.keys_dir();
    if !Keyring::is_in(&path)? {
        let beside = sealed_on_disk(config);
        let found = match beside {
            None => Store::new(Arc::clone(store)).objects(KeyPrefix::All).next().transpose()?,
            Some(_) => None,
        };
        if let Some(found) = beside.or(found.map(|_| "an object in the store")) {
            return Err(KeyringError::Lost { path, found }.into());
        }
    }
    Ok(Keyring::open(path, entropy)?)
}

/// What lies in the data folder that was sealed under a keyring, or knows of such things.
pub(crate) fn sealed_on_disk(config: &Config) -> Option<&'static str> {
    if config.data_dir.join(CATALOG).exists() {
        return Some("a catalogue");
    }
    let spool = config.spool_folder();
    let records = ["segments", "large", "aside"].iter().any(|kind| {
        fs::read_dir(spool.join(kind)).is_ok_and(|mut entries| entries.next().is_some())
    });
    records.then_some("a record in the spool")
}
