//! The spool as receivers see it.

use crate::content::Content;
use scanveil_ingest::{Intake, IntakeError, IntakeSink, Receipt, ReceivingSink};
use scanveil_model::{Coded, HospitalId, IntakeMeta};
use scanveil_vault::{Receiving, Spool, SpoolError};
use std::io::{self, Write};
use std::sync::Arc;

/// The entrance of a spool for the receivers.
#[must_use]
pub fn intake(spool: Arc<Spool>) -> Intake {
    Arc::new(SpoolIntake(spool))
}

struct SpoolIntake(Arc<Spool>);

/// An instance on its way into the spool, and what it holds.
struct Arriving {
    receiving: Receiving,
    content: Content,
}

fn refused(error: SpoolError) -> IntakeError {
    tracing::error!(code = error.code(), next = error.next_step(), "not received: {error}");
    match error {
        SpoolError::Full(_) => IntakeError::Full,
        error => IntakeError::Io(io::Error::other(error)),
    }
}

impl IntakeSink for SpoolIntake {
    fn admits(&self) -> Result<(), IntakeError> {
        self.0.admits().map_err(refused)
    }

    fn receive(&self, hospital: &HospitalId) -> Result<Box<dyn ReceivingSink>, IntakeError> {
        let receiving = self.0.receive(hospital).map_err(refused)?;
        Ok(Box::new(Arriving { receiving, content: Content::new() }))
    }
}

impl Write for Arriving {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // The receiver tells its sender by the kind; the log gets the code and the next step.
        let taken = self.receiving.write(bytes).inspect_err(|error| {
            let spool = error.get_ref().and_then(|inner| inner.downcast_ref::<SpoolError>());
            if let Some(error) = spool {
                tracing::error!(
                    code = error.code(),
                    next = error.next_step(),
                    "not received: {error}"
                );
            }
        })?;
        self.content.push(&bytes[..taken]);
        Ok(taken)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.receiving.flush()
    }
}

impl ReceivingSink for Arriving {
    fn commit(self: Box<Self>, meta: IntakeMeta) -> Result<Receipt, IntakeError> {
        let meta = IntakeMeta { content: self.content.finish(), ..meta };
        let spooled = self.receiving.commit(meta).map_err(refused)?;
        Ok(Receipt { digest: spooled.digest(), length: spooled.length() })
    }
}
