//! What `scanveil store` takes.

use super::ConfigArg;
use clap::{Args, Subcommand};

#[derive(Subcommand)]
pub(crate) enum StoreCommand {
    /// Whether the store can be used, and whether it has what the catalogue knows, whole; exits
    /// with 2 when anything is wrong, and names it.
    Check(StoreCheckArgs),
    /// Builds the catalogue again from the store and the keys, and keeps the old one; exits with 2
    /// when something that was known is gone or cannot be opened, and names it.
    Rebuild(StoreRebuildArgs),
}

#[derive(Args)]
pub(crate) struct StoreCheckArgs {
    #[command(flatten)]
    pub(crate) config: ConfigArg,
    /// Look at lists, sizes, tags and indexes only; do not read every byte.
    #[arg(long)]
    pub(crate) quick: bool,
}

#[derive(Args)]
pub(crate) struct StoreRebuildArgs {
    #[command(flatten)]
    pub(crate) config: ConfigArg,
    /// Forget what is gone: it is lost and will not come back.
    #[arg(long)]
    pub(crate) accept_loss: bool,
}
