//! What `scanveil spool` takes.

use super::ConfigArg;
use clap::{Args, Subcommand};
use scanveil_model::ObjectId;

#[derive(Subcommand)]
pub(crate) enum SpoolCommand {
    /// Lists what was found damaged; exits with 2 where something waits for a decision.
    List(ConfigArg),
    /// Has the service try a record again, after its bytes or its keys were restored.
    Retry(SpoolItemArgs),
    /// Removes a record for good, after its sender has sent it again.
    Discard(SpoolItemArgs),
}

/// One thing that the spool keeps aside.
#[derive(Args)]
pub(crate) struct SpoolItemArgs {
    #[command(flatten)]
    pub(crate) config: ConfigArg,
    /// Its id, as `spool list` shows it.
    pub(crate) id: ObjectId,
}
