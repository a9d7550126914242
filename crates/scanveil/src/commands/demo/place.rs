//! The folder of the demonstration and the configuration in it.

use crate::output::{Failure, io_failure};
use scanveil_ingest::generate_token;
use scanveil_pipeline::{OsEntropy, now_ms};
use scanveil_seal::Entropy;
use scanveil_synth::HOSPITALS;
use std::fs::{self, DirBuilder};
use std::io::ErrorKind;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// Names tried for a folder of our own below the temporary folder.
const ATTEMPTS: u32 = 100;

/// Where everything of one demonstration lies.
pub(super) struct Place {
    pub(super) dir: PathBuf,
    /// The token that the second hospital's uploads carry.
    pub(super) token: String,
}

impl Place {
    /// Takes the folder, which must be empty or missing, and writes the configuration into it.
    pub(super) fn take(dir: Option<&Path>) -> Result<Self, Failure> {
        let dir = match dir {
            Some(dir) => empty(dir)?,
            None => fresh()?,
        };
        // Paths are shown to people who copy them, perhaps into another terminal.
        let dir = fs::canonicalize(&dir).map_err(|error| failed(&dir, &error))?;
        let (token, digest) = generate_token(&|bytes| OsEntropy.fill(bytes));
        let place = Self { dir, token };
        let path = place.config();
        fs::write(&path, configuration(&digest.to_string()))
            .map_err(|error| failed(&path, &error))?;
        Ok(place)
    }

    pub(super) fn config(&self) -> PathBuf {
        self.dir.join("scanveil.toml")
    }

    pub(super) fn log(&self) -> PathBuf {
        self.dir.join("service.log")
    }

    pub(super) fn release(&self) -> PathBuf {
        self.dir.join("release")
    }

    pub(super) fn data(&self) -> PathBuf {
        self.dir.join("data")
    }
}

fn failed(path: &Path, error: &std::io::Error) -> Failure {
    io_failure(&path.display().to_string(), error)
}

/// Only this user may look into it: it will hold keys.
fn make(dir: &Path) -> std::io::Result<()> {
    DirBuilder::new().mode(0o700).create(dir)
}

fn empty(dir: &Path) -> Result<PathBuf, Failure> {
    if let Some(parent) = dir.parent() {
        fs::create_dir_all(parent).map_err(|error| failed(parent, &error))?;
    }
    match make(dir) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(failed(dir, &error)),
        _ => {}
    }
    let mut entries = fs::read_dir(dir).map_err(|error| failed(dir, &error))?;
    if entries.next().is_some() {
        return Err(Failure::new(
            "SV-CLI-020",
            format!("the folder {} is not empty", dir.display()),
            "name an empty folder, or leave --dir out",
        ));
    }
    Ok(dir.to_owned())
}

fn fresh() -> Result<PathBuf, Failure> {
    let seconds = now_ms() / 1000;
    let mut number = 0;
    loop {
        let name = format!("scanveil-demo-{seconds}-{}-{number}", std::process::id());
        let dir = std::env::temp_dir().join(name);
        match make(&dir) {
            Ok(()) => return Ok(dir),
            Err(error) if error.kind() == ErrorKind::AlreadyExists && number < ATTEMPTS => {
                number += 1;
            }
            Err(error) => return Err(failed(&dir, &error)),
        }
    }
}

/// A configuration as an operator would write it.
fn configuration(token_digest: &str) -> String {
    let [keeper, other] = HOSPITALS;
    format!(
        r#"# Written by `scanveil demo`: two invented hospitals with different policies.
data_dir = "data"

[dimse]
listen = "127.0.0.1:0" # port 0: any port that is free

[http]
listen = "127.0.0.1:0"

[pipeline]
quiet_ms = 1000 # a study is complete after one silent second; a real archive needs longer

# Pushes by C-STORE. Its identified originals are kept, sealed, for 30 years.
[[hospital]]
id = "{keeper}"
region = "eu-west-2"
keep_originals = true
retention = {{ class = "clinical-30y", years = 30, quarantine_days = 90 }}
called_ae = "{called}"
calling = [{{ ae = "{calling}", network = "127.0.0.0/8" }}]
allow_plain_dimse = true # this machine only

# Pushes by STOW-RS with a token, whose digest stands here. Its originals are not kept.
[[hospital]]
id = "{other}"
region = "ap-northeast-1"
keep_originals = false
retention = {{ class = "study-5y", years = 5, quarantine_days = 30 }}
tokens = ["{token_digest}"]

# Takes both hospitals.
[[project]]
name = "research"
profile = "basic"
"#,
        keeper = keeper.id,
        other = other.id,
        called = keeper.called_ae,
        calling = keeper.calling_ae,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use scanveil_pipeline::Config;

    #[test]
    fn the_configuration_is_one_and_its_hospitals_differ() {
        let config = Config::parse(&configuration(&format!("sha256:{}", "0a".repeat(32)))).unwrap();
        let [keeper, other] = &config.hospitals[..] else { panic!("two hospitals") };
        assert!(keeper.keep_originals && !other.keep_originals);
        assert_ne!(keeper.retention.class, other.retention.class);
        assert_ne!(keeper.region, other.region);
        assert!(keeper.called_ae.is_some() && other.called_ae.is_none());
        assert_eq!((keeper.tokens.len(), other.tokens.len()), (0, 1));
    }

    #[test]
    fn a_folder_with_something_in_it_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        assert!(empty(folder.path()).is_ok());
        assert!(empty(&folder.path().join("new").join("deeper")).is_ok());
        let refused = empty(folder.path()).err().map(|failure| failure.0.code);
        assert_eq!(refused.as_deref(), Some("SV-CLI-020"));
    }
}
