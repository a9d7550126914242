//! Files that a command writes where the user says. What is there already is not replaced unless
//! an earlier run of the same kind made it, or the user says so; an input, a link, a device or a
//! folder never is.

use crate::output::{Failure, io_failure};
use scanveil_durable::{PRIVATE, SHARED, TempFile};
use scanveil_engine::{identity, place};
use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

/// How much of a file that is there already is read to tell whose it is.
const HEAD: u64 = 128;

/// Who may read the file.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Privacy {
    /// It identifies: its owner only.
    Private,
    /// As the user's mask says.
    Plain,
}

/// What is asked for.
pub(crate) struct Wanted<'w> {
    /// The option that names it, for messages.
    pub(crate) option: &'static str,
    /// Where it goes.
    pub(crate) path: &'w Path,
    /// Who may read it.
    pub(crate) privacy: Privacy,
    /// Whether a file that begins so is one that an earlier run made.
    pub(crate) ours: fn(&[u8]) -> bool,
    /// Whether the user lets another file be replaced.
    pub(crate) force: bool,
}

/// A file that may be written.
pub(crate) struct OutFile {
    option: &'static str,
    path: PathBuf,
    privacy: Privacy,
    /// What is there now and is not ours.
    replaced: Option<(u64, u64)>,
}

impl OutFile {
    /// Looks whether the file may be written; nothing is written yet.
    ///
    /// # Errors
    /// What is there that must stay, or that the folder is not there.
    pub(crate) fn claim(wanted: &Wanted<'_>) -> Result<Self, Failure> {
        let Wanted { option, path, privacy, ours, force } = *wanted;
        let unusable = |what: &str| {
            Failure::new(
                "SV-CLI-043",
                format!("{option}: {what}"),
                "name a file that is not there yet, in a folder that is",
            )
        };
        if path.file_name().is_none() {
            return Err(unusable("it names no file"));
        }
        let folder = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        if !folder.is_dir() {
            return Err(unusable("its folder is not there"));
        }
        let replaced = match fs::symlink_metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(io_failure(option, &error)),
            Ok(found) if !found.is_file() => {
                return Err(unusable("what is there is a link, a device or a folder"));
            }
            Ok(_) if begins(path).is_ok_and(|head| ours(&head)) => None,
            Ok(_) if !force => {
                return Err(Failure::new(
                    "SV-CLI-044",
                    format!("{option}: a file is there that no earlier run of this command wrote"),
                    "name another file, or say --force if it may go",
                ));
            }
            Ok(found) => Some(identity(&found)),
        };
        Ok(Self { option, path: path.to_owned(), privacy, replaced })
    }

    /// Whether it replaces a file that the user gave up.
    pub(crate) fn replaces(&self) -> bool {
        self.replaced.is_some()
    }

    /// Refuses to replace a file that the run reads, whatever the user allowed.
    ///
    /// # Errors
    /// When it is that file, by whatever name.
    pub(crate) fn spare(&self, read: &Path) -> Result<(), Failure> {
        let Some(replaced) = self.replaced else { return Ok(()) };
        if fs::metadata(read).is_ok_and(|it| identity(&it) == replaced) {
            return Err(taken(self.option, "this run reads it"));
        }
        Ok(())
    }

    /// Refuses a file that is another of the run's own.
    ///
    /// # Errors
    /// When both have one name.
    pub(crate) fn differs_from(&self, other: &Self) -> Result<(), Failure> {
        if place(&self.path) == place(&other.path) {
            return Err(taken(self.option, "another option names the same file"));
        }
        Ok(())
    }

    /// Refuses an identifying file within a folder that is for others.
    ///
    /// # Errors
    /// When it lies there.
    pub(crate) fn keeps_out_of(&self, folder: &Path) -> Result<(), Failure> {
        match self.privacy {
            Privacy::Private => keep_out(self.option, &self.path, folder),
            Privacy::Plain => Ok(()),
        }
    }

    /// The file as it is called.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes the file under another name, and gives it its own when it is whole.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn write(
        &self,
        fill: impl FnOnce(&mut BufWriter<&mut File>) -> io::Result<()>,
    ) -> Result<(), Failure> {
        self.replace(fill).map_err(|error| io_failure(self.option, &error))
    }

    fn replace(
        &self,
        fill: impl FnOnce(&mut BufWriter<&mut File>) -> io::Result<()>,
    ) -> io::Result<()> {
        let mode = if self.privacy == Privacy::Private { PRIVATE } else { SHARED };
        let mut file = TempFile::create(&self.path, mode)?;
        let mut out = BufWriter::new(file.file_mut());
        fill(&mut out)?;
        out.flush()?;
        drop(out);
        file.finish()
    }
}

fn taken(option: &str, why: &str) -> Failure {
    Failure::new("SV-CLI-045", format!("{option}: it cannot be there: {why}"), "name another file")
}

/// Refuses an identifying file within a folder that is for others.
///
/// # Errors
/// When it lies there.
pub(crate) fn keep_out(option: &str, file: &Path, folder: &Path) -> Result<(), Failure> {
    if place(file).starts_with(place(folder)) {
        return Err(taken(option, "it would lie in the output folder, which is for others"));
    }
    Ok(())
}

fn begins(path: &Path) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    File::open(path)?.take(HEAD).read_to_end(&mut head)?;
    Ok(head)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn claim(path: &Path, force: bool) -> Result<OutFile, Failure> {
        OutFile::claim(&Wanted {
            option: "--report",
            path,
            privacy: Privacy::Private,
            ours: |head| head.starts_with(b"ours"),
            force,
        })
    }

    fn code(done: Result<impl Sized, Failure>) -> String {
        done.err().map_or_else(|| "done".to_owned(), |failure| failure.0.code)
    }

    #[test]
    fn what_is_there_stays_unless_it_is_ours_or_given_up() {
        let temp = tempfile::tempdir().unwrap();
        let at = |name: &str| temp.path().join(name);
        for (name, text) in [("ours", "ours 1"), ("theirs", "a scan"), ("empty", "")] {
            fs::write(at(name), text).unwrap();
        }
        symlink(at("nowhere"), at("link")).unwrap();
        symlink(at("theirs"), at("alias")).unwrap();
        fs::create_dir(at("folder")).unwrap();
        for (name, force, expected) in [
            ("new", false, "done"),
            ("ours", false, "done"),
            ("theirs", false, "SV-CLI-044"),
            ("theirs", true, "done"),
            ("empty", false, "SV-CLI-044"),
            ("link", true, "SV-CLI-043"),
            ("alias", true, "SV-CLI-043"),
            ("folder", true, "SV-CLI-043"),
            ("none/new", true, "SV-CLI-043"),
            ("..", true, "SV-CLI-043"),
        ] {
            assert_eq!(code(claim(&at(name), force)), expected, "{name} {force}");
        }
        assert_eq!(code(claim(Path::new("/dev/null"), true)), "SV-CLI-043");
        assert_eq!(code(claim(Path::new("/dev/full"), true)), "SV-CLI-043");
        assert_eq!(fs::read(at("theirs")).unwrap(), b"a scan", "claiming writes nothing");
    }

    #[test]
    fn an_input_is_spared_by_whatever_name_it_is_called() {
        let temp = tempfile::tempdir().unwrap();
        let at = |name: &str| temp.path().join(name);
        fs::write(at("scan"), "a scan").unwrap();
        fs::hard_link(at("scan"), at("same")).unwrap();
        let claimed = claim(&at("same"), true).unwrap();
        assert_eq!(code(claimed.spare(&at("scan"))), "SV-CLI-045");
        assert_eq!(code(claimed.spare(&at("other"))), "done");
        let first = claim(&at("new"), false).unwrap();
        let second = claim(&temp.path().join(".").join("new"), false).unwrap();
        assert_eq!(code(first.differs_from(&second)), "SV-CLI-045");
        assert_eq!(code(first.keeps_out_of(temp.path())), "SV-CLI-045");
        assert_eq!(code(first.keeps_out_of(&at("out"))), "done");
    }

    #[test]
    fn it_is_written_whole_and_private_or_not_at_all() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("ours");
        fs::write(&path, "ours").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let claimed = claim(&path, false).unwrap();
        let failed = claimed.write(|out| {
            out.write_all(b"half")?;
            Err(io::ErrorKind::StorageFull.into())
        });
        assert_eq!(code(failed), "SV-CLI-001");
        assert_eq!(fs::read(&path).unwrap(), b"ours");
        claimed.write(|out| out.write_all(b"whole")).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"whole");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(temp.path()).unwrap().count(), 1, "no part is left");
    }
}
