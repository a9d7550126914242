//! What `scanveil study` takes.

use super::ConfigArg;
use clap::{ArgGroup, Args, Subcommand};
use scanveil_model::{HospitalId, Uid};

#[derive(Subcommand)]
pub(crate) enum StudyCommand {
    /// What became of a study: received, held, made and released. Shows nothing that identifies.
    Status(StudyStatusArgs),
}

#[derive(Args)]
#[command(group(ArgGroup::new("study").required(true).args(["uid", "accession", "sender"])))]
pub(crate) struct StudyStatusArgs {
    #[command(flatten)]
    pub(crate) config: ConfigArg,
    /// Its Study Instance UID, as it was sent.
    #[arg(value_parser = uid)]
    pub(crate) uid: Option<Uid>,
    /// Its accession number, as it was sent; `-` reads it from standard input, so that it stays
    /// out of the shell's history.
    #[arg(long, value_name = "NUMBER|-")]
    pub(crate) accession: Option<String>,
    /// Who sent it: a calling AE title, or `stow`, `upload`, `folder`.
    #[arg(long, value_name = "NAME")]
    pub(crate) sender: Option<String>,
    /// With --sender: what was received at this time or later, such as 2026-11-30T08:00:00Z.
    #[arg(long, value_name = "TIME", requires = "sender")]
    pub(crate) since: Option<jiff::Timestamp>,
    /// With --sender: what was received at this time or before.
    #[arg(long, value_name = "TIME", requires = "sender")]
    pub(crate) until: Option<jiff::Timestamp>,
    /// Only this hospital.
    #[arg(long)]
    pub(crate) hospital: Option<HospitalId>,
}

/// A UID; an error never repeats what was typed.
fn uid(text: &str) -> Result<Uid, String> {
    Uid::parse(text).map_err(|_| "it is no UID".to_owned())
}
