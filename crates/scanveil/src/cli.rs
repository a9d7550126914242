//! The command line: a public interface, changed only by a decision record.

#[cfg(test)]
mod documented;
mod govern;
mod quarantine;
#[cfg(test)]
mod shown;
mod spool;
mod store;
mod study;

pub(crate) use govern::{
    ApproverCommand, AuditCommand, AuditListArgs, AuditVerifyArgs, KeysRotateArgs, SubjectCommand,
    SubjectRequestArgs, SubjectRevealArgs, SubjectStepArgs,
};

pub(crate) use quarantine::{
    HeldArgs, QuarantineCommand, QuarantineDecideArgs, QuarantineExportArgs, QuarantineListArgs,
    SignArgs,
};
pub(crate) use spool::{SpoolCommand, SpoolItemArgs};
pub(crate) use store::{StoreCheckArgs, StoreCommand, StoreRebuildArgs};
pub(crate) use study::{StudyCommand, StudyStatusArgs};

use clap::{Args, Parser, Subcommand, ValueEnum};
use scanveil_dataset::Vr;
use scanveil_model::{HospitalId, ProjectName};
use scanveil_profiles::ImportKind;
use std::path::PathBuf;

/// De-identify medical images: receive, scrub, seal, store, release.
#[derive(Parser)]
#[command(name = "scanveil", version, propagate_version = true, after_help = crate::exit::HELP)]
pub(crate) struct Cli {
    /// Print results and errors as JSON.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// What to log: error, warn, info, debug, or a filter such as `scanveil_ingest=debug`.
    #[arg(long, global = true, env = "SCANVEIL_LOG", value_name = "FILTER")]
    pub(crate) log: Option<String>,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Where the configuration is.
#[derive(Args, Clone)]
pub(crate) struct ConfigArg {
    /// The configuration file.
    #[arg(long, env = "SCANVEIL_CONFIG", default_value = "scanveil.toml", value_name = "FILE")]
    pub(crate) config: PathBuf,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// The whole flow on invented studies, on the embedded defaults.
    Demo(DemoArgs),
    /// Receivers, pipeline, status page.
    Serve(ServeArgs),
    /// De-identify files, folders and archives; no server needed.
    Scrub(ScrubArgs),
    /// Look for what still identifies someone.
    Inspect(InspectArgs),
    /// Hospitals of the configuration, and tokens for their uploads.
    #[command(subcommand)]
    Hospital(HospitalCommand),
    /// Projects of the configuration.
    #[command(subcommand)]
    Project(ProjectCommand),
    /// De-identification profiles.
    #[command(subcommand)]
    Profile(ProfileCommand),
    /// De-identify again what is stored, when rules improve.
    #[command(subcommand)]
    Batch(BatchCommand),
    /// Datasets for researchers.
    #[command(subcommand)]
    Release(ReleaseCommand),
    /// What the spool found damaged and keeps aside until somebody decides.
    #[command(subcommand)]
    Spool(SpoolCommand),
    /// The keys.
    #[command(subcommand)]
    Keys(KeysCommand),
    /// The patient behind a pseudonym: asked by one, approved by two others.
    #[command(subcommand)]
    Subject(SubjectCommand),
    /// The log of what was done about identified data.
    #[command(subcommand)]
    Audit(AuditCommand),
    /// What is held back and why, and what people decide about it.
    #[command(subcommand)]
    Quarantine(QuarantineCommand),
    /// What became of a study that was sent.
    #[command(subcommand)]
    Study(StudyCommand),
    /// The object store and its catalogue.
    #[command(subcommand)]
    Store(StoreCommand),
    /// The configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Ask a running service whether it is ready; exits with 0 if so.
    Health(HealthArgs),
    /// Completions for a shell, on standard output.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Make invented studies: for trying out, for tests, for an evaluation.
    Synth(SynthArgs),
    /// Score a de-identified folder against an answer key; exits with 2 when a check fails.
    Evaluate(EvaluateArgs),
    /// What the program starts itself, in a process of its own.
    #[command(subcommand, hide = true)]
    Worker(WorkerCommand),
}

#[derive(Subcommand)]
pub(crate) enum WorkerCommand {
    /// Reads a document on standard input and says what it holds on standard output.
    Document,
}

#[derive(Args)]
pub(crate) struct DemoArgs {
    /// Where the demo's data goes; a new folder below the system's temporary folder by default.
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
    /// End when the checks are done, with 0 only if everything held; else the service keeps
    /// running.
    #[arg(long)]
    pub(crate) exit: bool,
    /// What the invented studies hang on.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Slices of each CT and MR series.
    #[arg(long, default_value_t = 12)]
    pub(crate) slices: usize,
}

#[derive(Args, Clone)]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    pub(crate) config: ConfigArg,
    /// Overrides `http.listen`.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) http: Option<std::net::SocketAddr>,
    /// Overrides `dimse.listen`.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) dimse: Option<std::net::SocketAddr>,
}

#[derive(Args)]
pub(crate) struct ScrubArgs {
    /// Files, folders and zip archives.
    #[arg(required = true, value_name = "INPUT")]
    pub(crate) inputs: Vec<PathBuf>,
    /// Where the de-identified files go.
    #[arg(long, value_name = "DIR", required_unless_present = "dry_run")]
    pub(crate) out: Option<PathBuf>,
    /// A profile that comes with scanveil, or a file.
    #[arg(long, default_value = "basic", value_name = "NAME|FILE")]
    pub(crate) profile: String,
    /// The project: pseudonyms of different projects cannot be joined.
    #[arg(long, default_value = "research", value_name = "NAME")]
    pub(crate) project: ProjectName,
    /// The secret that pseudonyms hang on; made with mode 0600 if it is not there.
    #[arg(long, default_value = "scanveil-secret.key", value_name = "FILE")]
    pub(crate) secret: PathBuf,
    /// Write what was done to each file, as JSON, without a value of any data set.
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
    /// Write old and new identifiers (identifying!), as CSV with mode 0600.
    #[arg(long, value_name = "FILE")]
    pub(crate) mapping: Option<PathBuf>,
    /// Write which file was held back and why (names of files can identify!), as CSV with mode
    /// 0600.
    #[arg(long, value_name = "FILE")]
    pub(crate) held: Option<PathBuf>,
    /// Let --report, --mapping and --held replace files that scanveil did not write.
    #[arg(long)]
    pub(crate) force: bool,
    /// Threads; 0 for one per core.
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub(crate) jobs: usize,
    /// Write nothing; say what would be done.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Args)]
pub(crate) struct InspectArgs {
    /// Files, folders and zip archives.
    #[arg(required = true, value_name = "INPUT")]
    pub(crate) inputs: Vec<PathBuf>,
    /// Threads; 0 for one per core.
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub(crate) jobs: usize,
}

#[derive(Subcommand)]
pub(crate) enum HospitalCommand {
    /// What the configuration says of each hospital.
    List(ConfigArg),
    /// Makes a new upload token: prints it once, with the digest for the configuration.
    Token,
}

#[derive(Subcommand)]
pub(crate) enum ProjectCommand {
    /// Projects, their profiles, hospitals and current studies.
    List(ConfigArg),
}

#[derive(Subcommand)]
pub(crate) enum ProfileCommand {
    /// Profiles that come with scanveil.
    List,
    /// All settings and rules of a profile.
    Show {
        /// Name or file.
        profile: String,
    },
    /// What a profile does with an attribute, and why.
    Explain {
        /// Keyword or tag, as rules write them: `PatientName`, `00100010`, `(0010,0010)`,
        /// `60xx3000`, `(0019,xx0C)` with --creator, `(0019,GEMS_ACQU_01,0C)`.
        tag: String,
        /// Name or file.
        #[arg(long, default_value = "basic")]
        profile: String,
        #[command(flatten)]
        circumstances: CircumstanceArgs,
    },
    /// Say which rules of a profile cannot act; exits with 2 when there are any.
    Check {
        /// Name or file.
        profile: String,
    },
    /// Run behaviour tests; exits with 2 when a case fails.
    Test {
        /// Names or files; without any, all profiles that come with scanveil.
        profiles: Vec<String>,
        /// The tests, instead of those that come with the profile.
        #[arg(long, value_name = "FILE")]
        tests: Option<PathBuf>,
    },
    /// What two profiles do differently.
    Diff {
        /// Name or file.
        a: String,
        /// Name or file.
        b: String,
        #[command(flatten)]
        circumstances: CircumstanceArgs,
    },
    /// Another tool's recipe as a profile; what it could not express goes to standard error.
    Import {
        /// Whose: ctp, orthanc, deid or tcia-kb.
        #[arg(long, value_name = "KIND", value_parser = import_kind)]
        from: ImportKind,
        /// The recipe.
        file: PathBuf,
        /// The profile's name.
        #[arg(long)]
        name: ProjectName,
        /// Where the profile is written; without it, on standard output.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        /// Let --out replace a file.
        #[arg(long)]
        force: bool,
    },
}

/// Which instance and which place in it a question is about.
#[derive(Args, Clone)]
pub(crate) struct CircumstanceArgs {
    /// Modality, such as `CT`.
    #[arg(long)]
    pub(crate) modality: Option<String>,
    /// SOP Class UID, or the name of an object definition (`ct-image`).
    #[arg(long, value_name = "CLASS")]
    pub(crate) sop_class: Option<String>,
    /// Manufacturer.
    #[arg(long)]
    pub(crate) manufacturer: Option<String>,
    /// The manufacturer's model name.
    #[arg(long)]
    pub(crate) model: Option<String>,
    /// The hospital that sent it.
    #[arg(long)]
    pub(crate) hospital: Option<HospitalId>,
    /// Sequences that hold the attribute, outermost first, joined by `.`.
    #[arg(long, value_name = "PATH")]
    pub(crate) within: Option<String>,
    /// Creator of a private attribute.
    #[arg(long)]
    pub(crate) creator: Option<String>,
    /// Value representation, where the dictionary knows none.
    #[arg(long, value_parser = value_representation)]
    pub(crate) vr: Option<Vr>,
}

fn import_kind(text: &str) -> Result<ImportKind, String> {
    let known = ImportKind::ALL.map(|(name, _)| name).join(", ");
    ImportKind::find(text).ok_or_else(|| format!("it is one of {known}"))
}

fn value_representation(text: &str) -> Result<Vr, String> {
    let vr = <[u8; 2]>::try_from(text.as_bytes()).ok().map(Vr).filter(|vr| vr.is_known());
    vr.ok_or_else(|| "it is two letters of PS3.5, such as LO".to_owned())
}

#[derive(Args, Clone)]
pub(crate) struct BatchArgs {
    #[command(flatten)]
    pub(crate) config: ConfigArg,
    /// The hospital.
    #[arg(long)]
    pub(crate) hospital: HospitalId,
    /// The project.
    #[arg(long, default_value = "research")]
    pub(crate) project: ProjectName,
    /// The profile to apply; the project's own by default.
    #[arg(long)]
    pub(crate) profile: Option<String>,
}

#[derive(Args, Clone)]
pub(crate) struct BatchRunArgs {
    #[command(flatten)]
    pub(crate) batch: BatchArgs,
    /// Leave studies as they are of which originals are gone, instead of stopping.
    #[arg(long)]
    pub(crate) leave_out_unreadable: bool,
}

#[derive(Subcommand)]
pub(crate) enum BatchCommand {
    /// Prints what would change; changes nothing.
    Plan(BatchArgs),
    /// Does it. Stopped at any moment, the same command goes on.
    Run(BatchRunArgs),
    /// Batches and how far they are.
    List(ConfigArg),
}

#[derive(Args)]
pub(crate) struct ReleaseArgs {
    #[command(flatten)]
    pub(crate) config: ConfigArg,
    /// The project.
    #[arg(long)]
    pub(crate) project: ProjectName,
    /// The folder to write.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Only these hospitals.
    #[arg(long, value_name = "ID")]
    pub(crate) hospital: Vec<HospitalId>,
    /// Only these modalities.
    #[arg(long, value_name = "CODE")]
    pub(crate) modality: Vec<String>,
    /// Go on with a release that was begun in this folder.
    #[arg(long)]
    pub(crate) resume: bool,
    /// Leave out what is gone or cannot be opened (and count it) instead of stopping.
    #[arg(long)]
    pub(crate) leave_out_unreadable: bool,
    /// Leave out what was made with another profile than the project has today (and count it).
    #[arg(long)]
    pub(crate) only_current_profile: bool,
    /// How to cite the dataset.
    #[arg(long)]
    pub(crate) citation: Option<String>,
    /// Whom to ask about it.
    #[arg(long)]
    pub(crate) contact: Option<String>,
}

#[derive(Subcommand)]
pub(crate) enum ReleaseCommand {
    /// Writes a dataset: DICOM files, manifest, tables, data sheet.
    Create(ReleaseArgs),
    /// Checks a dataset against its manifest.
    Verify {
        /// The folder.
        dir: PathBuf,
    },
    /// Releases that were made.
    List(ConfigArg),
}

#[derive(Subcommand)]
pub(crate) enum KeysCommand {
    /// Hospitals that have keys, how many subjects, and which secret is in force.
    List(ConfigArg),
    /// Makes a new version of a hospital's pseudonym secret. Earlier ones are kept, sealed.
    Rotate(KeysRotateArgs),
}

#[derive(Subcommand)]
pub(crate) enum ConfigCommand {
    /// Whether the configuration can be used, and what it says.
    Check(ConfigArg),
    /// Has the running service read its configuration again; prints what changed. Exits with 1 when
    /// it is refused (nothing has changed then), with 2 when something needs a restart or a look.
    Reload(ConfigArg),
    /// An example to start from, on standard output.
    Example,
}

#[derive(Args)]
pub(crate) struct HealthArgs {
    /// Address of the service's HTTP side; `http://127.0.0.1:8042` by default.
    #[arg(long, conflicts_with = "config")]
    pub(crate) url: Option<String>,
    /// Take the address from this configuration.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct SynthArgs {
    /// What to make.
    pub(crate) kind: SynthKind,
    /// Where it goes.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Files; `corpus` and `leak-vectors` have a size of their own.
    #[arg(long, default_value_t = 100, value_name = "N")]
    pub(crate) count: usize,
    /// What it hangs on: the same seed gives the same files.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
}

/// What `scanveil synth` makes.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum SynthKind {
    /// One CT series, 512 x 512.
    Ct,
    /// One MR series, 64 x 64.
    Mr,
    /// Multi-frame files of 500 MB each.
    Big,
    /// Studies of three hospitals, with every kind of object.
    Corpus,
    /// Files that each hide an identifier in another place.
    LeakVectors,
    /// Hospitals' habits of typing, with the answer key for `scanveil evaluate`.
    Benchmark,
}

#[derive(Args)]
pub(crate) struct EvaluateArgs {
    /// The de-identified folder.
    #[arg(value_name = "OUTPUT")]
    pub(crate) output: PathBuf,
    /// The answer key: an SQLite database as the MIDI-B benchmark has it.
    #[arg(long, value_name = "FILE")]
    pub(crate) answers: PathBuf,
    #[command(flatten)]
    pub(crate) mappings: MappingArgs,
    /// Failures to name of each action; 5 by default, all with --json.
    #[arg(long, value_name = "N")]
    pub(crate) failures: Option<u64>,
}

/// Which new identifier an old one became.
#[derive(Args)]
#[group(required = true, multiple = true)]
pub(crate) struct MappingArgs {
    /// Old and new identifiers as `scanveil scrub --mapping` writes them: `kind,id_old,id_new`.
    #[arg(long, value_name = "FILE")]
    pub(crate) mapping: Vec<PathBuf>,
    /// Old and new UIDs: `id_old,id_new`.
    #[arg(long, value_name = "FILE")]
    pub(crate) uid_mapping: Vec<PathBuf>,
    /// Old and new patient identifiers: `id_old,id_new`.
    #[arg(long, value_name = "FILE")]
    pub(crate) patient_mapping: Vec<PathBuf>,
}
