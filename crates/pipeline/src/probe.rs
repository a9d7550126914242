//! Asks the store now and then whether it answers, so that an outage is seen before a study needs
//! it.

use crate::{Activity, PipelineError, Site};
use scanveil_model::Coded;
use scanveil_storage::{KeyPrefix, Page, StorageError};
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

/// How often the store is asked. A listing of one object costs next to nothing.
const EVERY: Duration = Duration::from_secs(15);

/// Asks until it is dropped; a question that is under way then is not waited for.
pub(crate) struct StoreProbe {
    _stop: Sender<()>,
}

impl StoreProbe {
    pub(crate) fn start(site: &Arc<Site>, activity: &Arc<Activity>) -> Result<Self, PipelineError> {
        let (stop, stopped) = channel();
        let (store, activity) = (site.store().clone(), Arc::clone(activity));
        std::thread::Builder::new()
            .name("store-probe".into())
            .spawn(move || {
                let mut was_reachable = true;
                loop {
                    let asked = store.list(&KeyPrefix::All, &Page { after: None, limit: 1 });
                    let reachable = asked.is_ok();
                    if reachable != was_reachable {
                        tell(asked.as_ref().err());
                    }
                    was_reachable = reachable;
                    match asked {
                        Ok(_) => activity.store.answered(),
                        Err(error) => activity.store.failed(error.report()),
                    }
                    if stopped.recv_timeout(EVERY) != Err(RecvTimeoutError::Timeout) {
                        return;
                    }
                }
            })
            .map_err(|source| PipelineError::Folder { what: "a thread", source })?;
        Ok(Self { _stop: stop })
    }
}

fn tell(error: Option<&StorageError>) {
    match error {
        Some(error) => tracing::error!(
            code = error.code(),
            next = error.next_step(),
            "the store does not answer: {error}"
        ),
        None => tracing::info!("the store answers again"),
    }
}
