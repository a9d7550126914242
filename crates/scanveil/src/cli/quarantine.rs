//! `quarantine`.

use super::ConfigArg;
use clap::{Args, Subcommand};
use scanveil_govern::{PersonName, Reason};
use scanveil_model::{Decision, HospitalId, ReasonCode};
use std::path::PathBuf;

#[derive(Subcommand)]
pub(crate) enum QuarantineCommand {
    /// What is held, in groups that can be decided together; exits with 0 also when there is some.
    List(QuarantineListArgs),
    /// One instance: why it is held, and what can be decided.
    Show {
        #[command(flatten)]
        config: ConfigArg,
        /// The first digits of its identifier, at least 8.
        id: String,
    },
    /// Writes instances as they were received (identifying!) into a folder, to look at them.
    Export(QuarantineExportArgs),
    /// Decides about instances: one by one, or a group by its plan.
    Decide(QuarantineDecideArgs),
}

/// Which instances are meant.
#[derive(Args, Clone)]
pub(crate) struct HeldArgs {
    /// Only this hospital.
    #[arg(long)]
    pub(crate) hospital: Option<HospitalId>,
    /// Only this reason, such as `uid-conflict`.
    #[arg(long = "code", value_name = "REASON", value_parser = reason_code)]
    pub(crate) code: Option<ReasonCode>,
    /// Only this sender: a calling AE title, or `stow`, `upload`, `folder`.
    #[arg(long)]
    pub(crate) sender: Option<String>,
    /// Only this group of `quarantine list`.
    #[arg(long)]
    pub(crate) group: Option<String>,
    /// Only what was received so many days ago, or before.
    #[arg(long, value_name = "DAYS")]
    pub(crate) older_than: Option<u32>,
}

#[derive(Args)]
pub(crate) struct QuarantineListArgs {
    #[command(flatten)]
    pub(crate) config: ConfigArg,
    #[command(flatten)]
    pub(crate) held: HeldArgs,
    /// Each instance instead of groups.
    #[arg(long)]
    pub(crate) each: bool,
}

/// Who does it, and why.
#[derive(Args, Clone)]
pub(crate) struct SignArgs {
    /// Who you are: a registered person.
    #[arg(long = "as", value_name = "NAME", required_unless_present = "dry_run")]
    pub(crate) by: Option<PersonName>,
    /// A file of mode 0600 with your token; standard input without it.
    #[arg(long, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
    /// Why, in one line; kept sealed.
    #[arg(long, value_name = "TEXT", required_unless_present = "dry_run")]
    pub(crate) reason: Option<Reason>,
    /// Change nothing; say what would be done.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Args)]
pub(crate) struct QuarantineExportArgs {
    #[command(flatten)]
    pub(crate) config: ConfigArg,
    /// The first digits of the instances' identifiers, at least 8.
    #[arg(required = true, value_name = "ID")]
    pub(crate) ids: Vec<String>,
    /// The folder, made with mode 0700; files have mode 0600.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Beside each `uid-conflict`, the instance that has its UID, where its original is kept.
    #[arg(long)]
    pub(crate) with_first: bool,
    #[command(flatten)]
    pub(crate) sign: SignArgs,
}

#[derive(Args)]
pub(crate) struct QuarantineDecideArgs {
    #[command(flatten)]
    pub(crate) config: ConfigArg,
    /// correct: it takes the place of the first under its UID. keep-first: the first stays. merge:
    /// the patient identifiers are one person's. release: you have looked at its pixels and vouch
    /// for them. discard: it goes, and a certificate stays.
    #[arg(value_parser = decision)]
    pub(crate) decision: Decision,
    /// The first digits of the instances' identifiers, at least 8; without any, all that the
    /// options below mean.
    #[arg(value_name = "ID")]
    pub(crate) ids: Vec<String>,
    #[command(flatten)]
    pub(crate) held: HeldArgs,
    /// For merge: the instance whose patient identifier is the right one.
    #[arg(long, value_name = "ID")]
    pub(crate) into: Option<String>,
    /// The plan that `--dry-run` printed: needed for everything but single instances.
    #[arg(long)]
    pub(crate) plan: Option<String>,
    /// For discard: where the certificate is written, as JSON with mode 0600.
    #[arg(long, value_name = "FILE")]
    pub(crate) certificate: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) sign: SignArgs,
}

fn reason_code(text: &str) -> Result<ReasonCode, String> {
    let found = ReasonCode::ALL.iter().copied().find(|code| code.as_str() == text);
    let all = || ReasonCode::ALL.iter().map(|code| code.as_str()).collect::<Vec<_>>().join(", ");
    found.ok_or_else(|| format!("it is one of {}", all()))
}

fn decision(text: &str) -> Result<Decision, String> {
    let all = || Decision::ALL.iter().map(|one| one.as_str()).collect::<Vec<_>>().join(", ");
    Decision::parse(text).ok_or_else(|| format!("it is one of {}", all()))
}
