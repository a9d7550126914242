//! `keys rotate`, `subject` and `audit`.

use super::ConfigArg;
use clap::{Args, Subcommand};
use scanveil_govern::{ChainHash, PersonName, Reason, RequestId};
use scanveil_model::{HospitalId, ProjectName};
use std::path::PathBuf;

#[derive(Args)]
pub(crate) struct KeysRotateArgs {
    #[command(flatten)]
    pub(crate) config: ConfigArg,
    /// The hospital.
    #[arg(long)]
    pub(crate) hospital: HospitalId,
    /// Why, in one line; kept sealed beside the secret.
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Reason,
}

#[derive(Subcommand)]
pub(crate) enum SubjectCommand {
    /// Asks for the patient behind a pseudonym or a UID of a release.
    Request(SubjectRequestArgs),
    /// Approves a request of somebody else.
    Approve(SubjectStepArgs),
    /// Writes the answer to an approved request, for whoever asked.
    Reveal(SubjectRevealArgs),
    /// Requests and how far they are.
    List(ConfigArg),
    /// People who may ask and approve.
    #[command(subcommand)]
    Approver(ApproverCommand),
}

#[derive(Args)]
#[command(group = clap::ArgGroup::new("whom").required(true).args(["pseudonym", "uid"]))]
pub(crate) struct SubjectRequestArgs {
    #[command(flatten)]
    pub(crate) config: ConfigArg,
    /// The project of the release.
    #[arg(long)]
    pub(crate) project: ProjectName,
    /// The hospital whose patient it is; not needed where the project takes only one.
    #[arg(long)]
    pub(crate) hospital: Option<HospitalId>,
    /// Patient ID of the release.
    #[arg(long, value_name = "SV...")]
    pub(crate) pseudonym: Option<String>,
    /// Study, Series or SOP Instance UID of the release.
    #[arg(long, value_name = "UID")]
    pub(crate) uid: Option<String>,
    /// Who asks: a registered person.
    #[arg(long = "as", value_name = "NAME")]
    pub(crate) by: PersonName,
    /// Why, in one line, for those who approve; kept sealed.
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Reason,
    /// Days until it expires.
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..=30))]
    pub(crate) days: u32,
}

/// A request, and who goes on with it.
#[derive(Args)]
pub(crate) struct SubjectStepArgs {
    #[command(flatten)]
    pub(crate) config: ConfigArg,
    /// The request.
    pub(crate) request: RequestId,
    /// Who you are: approving is for a registered person who did not ask, revealing for who asked.
    #[arg(long = "as", value_name = "NAME")]
    pub(crate) by: PersonName,
    /// A file of mode 0600 with your token; standard input without it.
    #[arg(long, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct SubjectRevealArgs {
    #[command(flatten)]
    pub(crate) step: SubjectStepArgs,
    /// Where pseudonym, Patient ID and issuer are written (identifying!), as CSV with mode 0600.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
}

#[derive(Subcommand)]
pub(crate) enum ApproverCommand {
    /// Registers a person: prints the token once.
    Add {
        #[command(flatten)]
        config: ConfigArg,
        /// The person: a letter, then letters, digits, '.', '_' and '-'.
        name: PersonName,
    },
    /// Takes a person out: approvals given by them count no more.
    Remove {
        #[command(flatten)]
        config: ConfigArg,
        /// The person.
        name: PersonName,
    },
    /// Who is registered.
    List(ConfigArg),
}

#[derive(Subcommand)]
pub(crate) enum AuditCommand {
    /// Whether the log is as it was written; exits with 2 if not.
    Verify(AuditVerifyArgs),
    /// The events.
    List(AuditListArgs),
}

#[derive(Args)]
pub(crate) struct AuditVerifyArgs {
    #[command(flatten)]
    pub(crate) config: ConfigArg,
    /// A hash that was printed earlier and written down: the chain has to pass through it.
    #[arg(long, value_name = "HASH", value_parser = chain_hash)]
    pub(crate) through: Option<ChainHash>,
}

#[derive(Args)]
pub(crate) struct AuditListArgs {
    #[command(flatten)]
    pub(crate) config: ConfigArg,
    /// Only about this hospital.
    #[arg(long)]
    pub(crate) hospital: Option<HospitalId>,
    /// Only of this request.
    #[arg(long)]
    pub(crate) request: Option<RequestId>,
    /// Only the newest ones.
    #[arg(long, value_name = "N")]
    pub(crate) last: Option<usize>,
}

fn chain_hash(text: &str) -> Result<ChainHash, &'static str> {
    ChainHash::parse(text).ok_or("a hash is 64 hexadecimal digits")
}
