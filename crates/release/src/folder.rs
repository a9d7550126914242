//! The release's folder: who it belongs to, safe paths, and whole files only.

use crate::{ReleaseError, ReleaseMode};
use scanveil_catalog::RecordId;
use scanveil_durable::{SHARED, TempFile, sync_folder};
use scanveil_model::{Digest, ProjectName, Uid};
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

/// Marks a folder as an unfinished release; gone when the manifest is there.
pub(crate) const MARKER: &str = "unfinished.json";
/// Name of the manifest.
pub(crate) const MANIFEST: &str = "manifest.json";
/// Name of the list of digests.
pub(crate) const LIST: &str = "manifest.b3";
/// Name of the data sheet.
pub(crate) const DATASHEET: &str = "DATASHEET.md";
/// Folder of the instances.
pub(crate) const DATA: &str = "data";
/// Folder of the tables.
pub(crate) const TABLES: &str = "tables";

/// Longest marker that is read.
const MAX_MARKER_BYTES: u64 = 4096;
/// Longest name of a patient's folder.
const MAX_PSEUDONYM: usize = 64;
/// Bytes hashed or copied at once.
const BUFFER: usize = 256 * 1024;
/// Deepest folder in a release: `data/<patient>/<study>/<series>`, seen from any folder above it.
const MAX_DEPTH: usize = 6;

#[derive(Serialize, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
struct Marker {
    version: u32,
    release: RecordId,
    project: ProjectName,
}

/// The folder that a release is written into.
pub(crate) struct Folder {
    root: PathBuf,
}

pub(crate) fn io_error(action: &'static str, path: &Path, source: io::Error) -> ReleaseError {
    if source.kind() == io::ErrorKind::StorageFull {
        return ReleaseError::DiskFull;
    }
    ReleaseError::Io { action, path: path.to_owned(), source }
}

impl Folder {
    /// Takes the folder for this release. An existing, non-empty folder is taken only to resume the
    /// release that was begun in it.
    pub(crate) fn take(
        root: &Path,
        mode: ReleaseMode,
        release: &RecordId,
        project: &ProjectName,
    ) -> Result<Self, ReleaseError> {
        fs::create_dir_all(root).map_err(|e| io_error("make the folder", root, e))?;
        let mut entries = fs::read_dir(root).map_err(|e| io_error("read the folder", root, e))?;
        let marker = Marker { version: 1, release: release.clone(), project: project.clone() };
        let folder = Self { root: root.to_owned() };
        if entries.next().is_some() {
            if mode == ReleaseMode::New {
                return Err(ReleaseError::NotEmpty { path: root.to_owned() });
            }
            let bytes = read_small(&root.join(MARKER))
                .map_err(|_| ReleaseError::NotResumable { path: root.to_owned() })?;
            if serde_json::from_slice::<Marker>(&bytes).ok() != Some(marker) {
                return Err(ReleaseError::NotResumable { path: root.to_owned() });
            }
        } else {
            folder.write_json(MARKER, &marker)?;
        }
        Ok(folder)
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Writes a file of our own name durably: temporary file, fsync, rename, fsync of the folder.
    pub(crate) fn write_file(
        &self,
        name: &str,
        fill: impl FnOnce(&mut BufWriter<HashingWriter<&mut File>>) -> Result<(), ReleaseError>,
    ) -> Result<(Digest, u64), ReleaseError> {
        let path = self.root.join(name);
        let parent = path.parent().unwrap_or(&self.root);
        fs::create_dir_all(parent).map_err(|e| io_error("make the folder", parent, e))?;
        let failed = |e| io_error("write", &path, e);
        let mut temporary = TempFile::create(&path, SHARED).map_err(failed)?;
        let mut writer = BufWriter::with_capacity(BUFFER, HashingWriter::new(temporary.file_mut()));
        fill(&mut writer)?;
        let hashed = writer.into_inner().map_err(|e| failed(e.into_error()))?.finish();
        temporary.finish().map_err(failed)?;
        Ok(hashed)
    }

    pub(crate) fn write_json(
        &self,
        name: &str,
        value: &impl Serialize,
    ) -> Result<(Digest, u64), ReleaseError> {
        let path = self.root.join(name);
        self.write_file(name, |out| {
            serde_json::to_writer_pretty(&mut *out, value)
                .map_err(|e| io_error("write", &path, e.into()))?;
            out.write_all(b"\n").map_err(|e| io_error("write", &path, e))
        })
    }

    /// Makes everything written so far durable, then says that the release is finished.
    pub(crate) fn finish(&self) -> Result<(), ReleaseError> {
        let path = self.root.join(MARKER);
        match fs::remove_file(&path) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => {
                return Err(io_error("remove", &path, e));
            }
            _ => {}
        }
        sync_folder(&self.root).map_err(|e| io_error("write", &self.root, e))
    }

    /// Removes every file below the data folder that `keep` does not want: what an interrupted run
    /// or an older generation left.
    pub(crate) fn clear_data(&self, keep: impl Fn(&str) -> bool) -> Result<(), ReleaseError> {
        for file in files_below(&self.root, DATA)? {
            let path = self.root.join(&file);
            if file.to_str().is_none_or(|name| !keep(name)) {
                fs::remove_file(&path).map_err(|e| io_error("remove a file in", &self.root, e))?;
            }
        }
        Ok(())
    }
}

/// Every file below `root/under`, as paths from `root`. Links are never followed.
pub(crate) fn files_below(root: &Path, under: &str) -> Result<Vec<PathBuf>, ReleaseError> {
    let mut files = Vec::new();
    let mut folders = vec![(PathBuf::from(under), 1)];
    while let Some((folder, depth)) = folders.pop() {
        let failed = |e| io_error("read the folder", root, e);
        let entries = match fs::read_dir(root.join(&folder)) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => continue,
            entries => entries.map_err(failed)?,
        };
        for entry in entries {
            let entry = entry.map_err(failed)?;
            let name = folder.join(entry.file_name());
            if !entry.file_type().map_err(failed)?.is_dir() {
                files.push(name);
            } else if depth < MAX_DEPTH {
                folders.push((name, depth + 1));
            } else {
                return Err(ReleaseError::TooDeep { path: root.to_owned() });
            }
        }
    }
    Ok(files)
}

/// The path of an instance within the release, or none when a part of it is not safe as a name.
pub(crate) fn instance_path(
    pseudonym: &str,
    study: &Uid,
    series: &Uid,
    instance: &Uid,
) -> Option<String> {
    let word = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    let named = !pseudonym.is_empty()
        && pseudonym.len() <= MAX_PSEUDONYM
        && pseudonym.bytes().all(word)
        && !pseudonym.starts_with('.');
    let parts = [study, series, instance];
    // A `Uid` may consist of dots alone, which would climb out of the folder.
    let proper = |uid: &&Uid| uid.as_str().split('.').all(|part| !part.is_empty());
    (named && parts.iter().all(proper)).then(|| {
        let [study, series, instance] = parts.map(Uid::as_str);
        format!("{DATA}/{pseudonym}/{study}/{series}/{instance}.dcm")
    })
}

/// Digest and length of a file.
pub(crate) fn hash_file(path: &Path) -> io::Result<(Digest, u64)> {
    let mut file = File::open(path)?;
    let mut hasher = HashingWriter::new(io::sink());
    let mut buffer = vec![0; BUFFER];
    loop {
        let n = file.read(&mut buffer)?;
        if n == 0 {
            return Ok(hasher.finish());
        }
        hasher.write_all(&buffer[..n])?;
    }
}

fn read_small(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_MARKER_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Hashes and counts what passes through.
pub(crate) struct HashingWriter<W> {
    inner: W,
    hasher: blake3::Hasher,
    bytes: u64,
}

impl<W: Write> HashingWriter<W> {
    pub(crate) fn new(inner: W) -> Self {
        Self { inner, hasher: blake3::Hasher::new(), bytes: 0 }
    }

    pub(crate) fn finish(self) -> (Digest, u64) {
        (Digest(*self.hasher.finalize().as_bytes()), self.bytes)
    }
}

impl<W: Write> Write for HashingWriter<W> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let n = self.inner.write(buf)?;
        self.hasher.update(&buf[..n]);
        self.bytes += n as u64;
        Ok(n)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::path::Component;

    proptest! {
        #![proptest_config(ProptestConfig {
            failure_persistence: None, ..ProptestConfig::default()
        })]

        /// Whatever a pseudonym and UIDs are: no path, or one that stays in the release's folder.
        #[test]
        fn no_path_leaves_the_folder(
            pseudonym in prop_oneof!["\\PC{0,70}", "[A-Za-z0-9._/\\\\-]{1,12}"],
            uids in proptest::collection::vec("[0-9.]{1,12}", 3),
        ) {
            let uids: Result<Vec<Uid>, _> = uids.iter().map(|text| Uid::parse(text)).collect();
            let Ok(uids) = uids else { return Ok(()) };
            let path = instance_path(&pseudonym, &uids[0], &uids[1], &uids[2]);
            if let Some(path) = path {
                let parts: Vec<_> = Path::new(&path).components().collect();
                prop_assert_eq!(parts.len(), 5, "{}", path);
                prop_assert!(parts.iter().all(|part| matches!(part, Component::Normal(_))));
                prop_assert!(path.is_ascii() && !path.contains(char::is_control));
            }
        }
    }

    #[test]
    fn paths_are_made_of_safe_names_only() {
        let uid = |text: &str| Uid::parse(text).unwrap();
        let table: &[(&str, &str, bool)] = &[
            ("p1", "1.2.3", true),
            ("SV-0A_b.c", "2.25.1", true),
            ("..", "1.2.3", false),
            (".hidden", "1.2.3", false),
            ("a/b", "1.2.3", false),
            ("a\\b", "1.2.3", false),
            ("", "1.2.3", false),
            ("p1", "..", false),
            ("p1", ".", false),
            ("p1", "1..2", false),
            ("p1", ".1", false),
        ];
        for (pseudonym, bad, ok) in table {
            let good = uid("1.2");
            for (study, series, instance) in
                [(bad, "1.2", "1.2"), (&"1.2", *bad, "1.2"), (&"1.2", "1.2", *bad)]
            {
                let (study, series, instance) = (uid(study), uid(series), uid(instance));
                let path = instance_path(pseudonym, &study, &series, &instance);
                assert_eq!(path.is_some(), *ok, "{pseudonym} {bad}");
            }
            assert!(instance_path(&"x".repeat(65), &good, &good, &good).is_none());
        }
    }
}
