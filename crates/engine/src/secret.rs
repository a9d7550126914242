//! The secret that pseudonyms hang on, in a file that only its owner can read.

use crate::EngineError;
use scanveil_durable::{Written, write_first};
use scanveil_model::{Digest, ProjectName};
use scanveil_scrub::ProjectSecret;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use zeroize::Zeroizing;

/// First word of the file; the number is the version of its format.
const FORMAT: &str = "scanveil-secret-1";
/// The file is one line of 82 bytes; a longer one is another file.
const MOST_BYTES: u64 = 256;

/// What studies are known by in a journal: whoever has no secret learns nothing from it.
pub(crate) struct MarkKey(Zeroizing<[u8; 32]>);

impl MarkKey {
    fn derive(root: &[u8; 32], project: &ProjectName) -> Self {
        let context = "scanveil 2026-11-30 mark of a study in the journal of a run";
        let mut hasher = blake3::Hasher::new_derive_key(context);
        hasher.update(root).update(project.as_str().as_bytes());
        Self(Zeroizing::new(*hasher.finalize().as_bytes()))
    }

    /// The mark of what was seen.
    pub(crate) fn mark(&self, seen: &[u8]) -> Digest {
        Digest(*blake3::keyed_hash(&self.0, seen).as_bytes())
    }
}

/// What a run makes of the secret in the file.
pub struct Secrets {
    pub(crate) project: ProjectSecret,
    pub(crate) marks: MarkKey,
}

/// What is done where the secret file is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// It is made.
    Make,
    /// A secret is invented for this run alone.
    Invent,
}

/// Where a secret came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Its file was there.
    Read,
    /// Its file was made: whoever owns it has to be told to keep it.
    Made,
    /// It is in no file.
    Invented,
}

impl Secrets {
    /// Reads the secret, or makes it if it is not there, and derives the project's.
    ///
    /// # Errors
    /// [`EngineError::SecretOpen`], [`EngineError::SecretForm`], and what the system says.
    pub fn open(
        path: &Path,
        project: &ProjectName,
        missing: Missing,
    ) -> Result<(Self, Origin), EngineError> {
        let (root, origin) = match File::open(path) {
            Ok(file) => (read(file)?, Origin::Read),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let root = random().map_err(|error| failed(&error))?;
                if missing == Missing::Make {
                    make(path, &root).map_err(|error| failed(&error))?;
                    (root, Origin::Made)
                } else {
                    (root, Origin::Invented)
                }
            }
            Err(error) => return Err(failed(&error)),
        };
        let project_secret = ProjectSecret::derive(&root, project);
        let marks = MarkKey::derive(&root, project);
        Ok((Self { project: project_secret, marks }, origin))
    }
}

fn failed(error: &io::Error) -> EngineError {
    EngineError::path("the secret file", error)
}

fn read(file: File) -> Result<[u8; 32], EngineError> {
    let found = file.metadata().map_err(|error| failed(&error))?;
    if found.permissions().mode() & 0o077 != 0 {
        return Err(EngineError::SecretOpen);
    }
    let mut text = String::new();
    file.take(MOST_BYTES).read_to_string(&mut text).map_err(|error| failed(&error))?;
    parse(&text).ok_or(EngineError::SecretForm { format: FORMAT })
}

fn parse(text: &str) -> Option<[u8; 32]> {
    let (format, hex) = text.trim_end().split_once(' ')?;
    // 32 bytes in lower-case hex, as a digest is written.
    let bytes = Digest::parse(hex).ok().filter(|_| format == FORMAT)?;
    Some(bytes.0)
}

fn random() -> io::Result<[u8; 32]> {
    let mut bytes = [0; 32];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// Writes the file whole or not at all: a cut secret would be lost for good.
fn make(path: &Path, root: &[u8; 32]) -> io::Result<()> {
    // Unlike a replacement, it never takes the place of a secret that was made meanwhile.
    match write_first(path, format!("{FORMAT} {}\n", Digest(*root)).as_bytes())? {
        Written::First => Ok(()),
        Written::Before => Err(io::ErrorKind::AlreadyExists.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use scanveil_model::Coded;
    use std::fs;

    fn secret(path: &Path, missing: Missing) -> Result<Origin, EngineError> {
        let project = ProjectName::parse("research").unwrap();
        Secrets::open(path, &project, missing).map(|(_, origin)| origin)
    }

    #[test]
    fn made_once_private_and_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret.key");
        assert_eq!(secret(&path, Missing::Invent).unwrap(), Origin::Invented);
        assert!(!path.exists(), "a dry run writes nothing");
        assert_eq!(secret(&path, Missing::Make).unwrap(), Origin::Made);
        let text = fs::read_to_string(&path).unwrap();
        assert!(parse(&text).is_some());
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(secret(&path, Missing::Make).unwrap(), Origin::Read);
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn refused_when_others_can_read_it_or_it_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret.key");
        for (text, mode, code) in [
            (format!("{FORMAT} {}", "ab".repeat(32)), 0o640, "SV-CLI-014"),
            (format!("{FORMAT} {}", "ab".repeat(31)), 0o600, "SV-CLI-015"),
            (format!("scanveil-secret-2 {}", "ab".repeat(32)), 0o600, "SV-CLI-015"),
            (String::new(), 0o600, "SV-CLI-015"),
        ] {
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(secret(&path, Missing::Make).unwrap_err().code(), code);
        }
    }
}
