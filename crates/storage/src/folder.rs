//! The store that needs nothing installed: objects as files in a folder.
//!
//! An object is `<root>/<key>`; its tags lie beside it in `<object id>.tags.json`. The tags are
//! written first, so that an object that can be seen has its tags.

use crate::key::{SUFFIX, ZONES};
use crate::object::{out_of_range, range_length};
use crate::tags::check_tags;
use crate::{
    CheckReport, KeyPrefix, Listing, ObjectInfo, ObjectKey, ObjectStore, Page, Result, StorageError,
};
use scanveil_durable::{PRIVATE, TempFile, make_folder, remove, sweep, sync_file, sync_folder};
use scanveil_model::{HospitalId, ObjectId, ObjectTags, Zone};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::fs::{self, File, Permissions};
use std::io::{self, Read, Write};
use std::ops::Range;
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::UNIX_EPOCH;

/// Version of the tags file that is written, and the only one so far.
const TAGS_VERSION: u32 = 1;
/// Longest tags file that is read.
const MAX_TAGS_BYTES: u64 = 16 * 1024;

/// The tags file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TagsFile {
    version: u32,
    tags: ObjectTags,
}

/// Objects as files in a folder. Files have mode 0600, folders that it makes 0700. Several
/// processes may use one folder.
#[derive(Debug)]
pub struct FolderStore {
    root: PathBuf,
    /// Folders whose names this process has made durable.
    durable: Mutex<HashSet<PathBuf>>,
}

impl FolderStore {
    /// Opens the folder, making it if it is missing, and removes what dead writers left unfinished.
    ///
    /// # Errors
    /// [`StorageError::Io`] when it cannot be made or read.
    pub fn open(root: &Path) -> Result<Self> {
        make_folder(root).map_err(|e| StorageError::io("making the store's folder", e))?;
        let sweep = |folder: &Path| {
            sweep(folder).map_err(|e| StorageError::io("sweeping the store's folder", e))
        };
        sweep(root)?;
        for zone in ZONES {
            let zone = root.join(zone.as_str());
            for hospital in names(&zone)? {
                let hospital = zone.join(hospital);
                for shard in names(&hospital)? {
                    sweep(&hospital.join(shard))?;
                }
            }
        }
        Ok(Self { root: root.to_owned(), durable: Mutex::default() })
    }

    fn object_path(&self, key: &ObjectKey) -> PathBuf {
        self.root.join(key.to_string())
    }

    /// Makes the folder of an object, and its name and those above it durable. Looked at once by
    /// each process: whoever made one may have been stopped before that.
    fn make_folder(&self, folder: &Path) -> io::Result<()> {
        let mut durable = self.durable.lock().unwrap_or_else(PoisonError::into_inner);
        if durable.contains(folder) && folder.is_dir() {
            return Ok(());
        }
        let above: Vec<&Path> = folder.ancestors().take_while(|path| *path != self.root).collect();
        for path in above.into_iter().rev() {
            make_folder(path)?;
        }
        durable.insert(folder.to_owned());
        Ok(())
    }

    /// Writes the tags file; its name is not durable before the folder is synced.
    fn write_tags(folder: &Path, key: &ObjectKey, tags: &ObjectTags) -> Result<()> {
        let failed = |error| StorageError::io("writing an object's tags", error);
        let document = TagsFile { version: TAGS_VERSION, tags: tags.clone() };
        let text = serde_json::to_vec(&document).map_err(|e| failed(e.into()))?;
        let mut file = TempFile::create(&folder.join(tags_name(key)), PRIVATE).map_err(failed)?;
        file.write_all(&text).map_err(failed)?;
        file.sync().map_err(failed)?;
        file.place().map_err(failed)
    }

    /// What both puts share: durable bytes, then the tags, then the object's name, then the folder.
    fn put(
        &self,
        key: &ObjectKey,
        tags: &ObjectTags,
        prepare: impl FnOnce(&Path) -> io::Result<Prepared>,
    ) -> Result<()> {
        check_tags(key, tags)?;
        let path = self.object_path(key);
        let folder = path.parent().unwrap_or(&self.root);
        let failed = |error| StorageError::io("writing an object", error);
        self.make_folder(folder).map_err(failed)?;
        let prepared = prepare(&path).map_err(failed)?;
        Self::write_tags(folder, key, tags)?;
        prepared.place(&path).map_err(failed)?;
        sync_folder(folder).map_err(failed)
    }
}

/// Bytes that are on the disk and have not got their name yet.
enum Prepared {
    /// In a file of our own, beside its name.
    Own(TempFile),
    /// In the caller's file.
    Given(PathBuf, File),
}

impl Prepared {
    fn given(source: &Path) -> io::Result<Self> {
        if !fs::symlink_metadata(source)?.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
        }
        let file = File::open(source)?;
        file.set_permissions(Permissions::from_mode(0o600))?;
        sync_file(&file)?;
        Ok(Self::Given(source.to_owned(), file))
    }

    /// Moves the bytes to their name, or copies them when they lie on another file system.
    fn place(self, target: &Path) -> io::Result<()> {
        match self {
            Self::Own(file) => file.place(),
            Self::Given(source, mut file) => match fs::rename(source, target) {
                Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
                    let mut copy = TempFile::create(target, PRIVATE)?;
                    io::copy(&mut file, &mut copy)?;
                    copy.sync()?;
                    copy.place()
                }
                result => result,
            },
        }
    }
}

fn tags_name(key: &ObjectKey) -> String {
    format!("{}.tags.json", key.object())
}

impl ObjectStore for FolderStore {
    /// Takes the file by renaming it when it lies on the same file system, else copies it.
    fn put_file(&self, key: &ObjectKey, path: &Path, tags: &ObjectTags) -> Result<()> {
        self.put(key, tags, |_| Prepared::given(path))
    }

    fn put_bytes(&self, key: &ObjectKey, bytes: &[u8], tags: &ObjectTags) -> Result<()> {
        self.put(key, tags, |path| {
            let mut file = TempFile::create(path, PRIVATE)?;
            file.write_all(bytes)?;
            file.sync()?;
            Ok(Prepared::Own(file))
        })
    }

    fn get_range(&self, key: &ObjectKey, range: Range<u64>) -> Result<Vec<u8>> {
        let length = range_length(key, &range)?;
        let failed = |error| missing_or(key, "reading an object", error);
        let file = File::open(self.object_path(key)).map_err(failed)?;
        if range.end > file.metadata().map_err(failed)?.len() {
            return Err(out_of_range(key, &range));
        }
        let length = usize::try_from(length).map_err(|_| out_of_range(key, &range))?;
        let mut bytes = vec![0; length];
        file.read_exact_at(&mut bytes, range.start).map_err(failed)?;
        Ok(bytes)
    }

    fn head(&self, key: &ObjectKey) -> Result<ObjectInfo> {
        let found = fs::metadata(self.object_path(key));
        let found = found.map_err(|e| missing_or(key, "looking for an object", e))?;
        Ok(info(key.clone(), &found))
    }

    fn tags(&self, key: &ObjectKey) -> Result<ObjectTags> {
        self.head(key)?;
        let wrong = |what| StorageError::Tags { key: key.to_string(), what };
        let failed = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => wrong("the tags file is missing"),
            _ => StorageError::io("reading an object's tags", error),
        };
        let mut text = Vec::new();
        File::open(self.object_path(key).with_file_name(tags_name(key)))
            .map_err(failed)?
            .take(MAX_TAGS_BYTES)
            .read_to_end(&mut text)
            .map_err(failed)?;
        let document: TagsFile =
            serde_json::from_slice(&text).map_err(|_| wrong("the tags file is not well formed"))?;
        if document.version != TAGS_VERSION {
            return Err(wrong("the tags file is of a version this program does not know"));
        }
        check_tags(key, &document.tags)?;
        Ok(document.tags)
    }

    fn set_tags(&self, key: &ObjectKey, tags: &ObjectTags) -> Result<()> {
        check_tags(key, tags)?;
        self.head(key)?;
        let path = self.object_path(key);
        let folder = path.parent().unwrap_or(&self.root);
        Self::write_tags(folder, key, tags)?;
        sync_folder(folder).map_err(|e| StorageError::io("writing an object's tags", e))
    }

    fn delete(&self, key: &ObjectKey) -> Result<()> {
        let failed = |error| StorageError::io("deleting an object", error);
        let path = self.object_path(key);
        // The object first: it is never seen without its tags.
        for file in [path.clone(), path.with_file_name(tags_name(key))] {
            remove(&file).map_err(failed)?;
        }
        match sync_folder(path.parent().unwrap_or(&self.root)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(error)),
            _ => Ok(()),
        }
    }

    fn list(&self, prefix: &KeyPrefix, page: &Page) -> Result<Listing> {
        let limit = page.clamped_limit();
        let after = page.after.as_ref().map(ToString::to_string).unwrap_or_default();
        // All keys below a folder come before `after` when its path does and `after` is not in it.
        let passed = |folder: &str| folder < after.as_str() && !after.starts_with(folder);
        let mut objects = Vec::new();
        for (zone, hospital) in self.hospitals(prefix)? {
            let below = format!("{}/{hospital}/", zone.as_str());
            if passed(&below) {
                continue;
            }
            for shard in names(&self.root.join(&below))? {
                let below = format!("{below}{shard}/");
                if passed(&below) {
                    continue;
                }
                for name in names(&self.root.join(&below))? {
                    let Some(object) = name.strip_suffix(SUFFIX) else { continue };
                    let Ok(object) = ObjectId::parse(object) else { continue };
                    let key = ObjectKey::new(zone, hospital.clone(), object);
                    if page.after.as_ref().is_some_and(|after| key <= *after) {
                        continue;
                    }
                    match self.head(&key) {
                        Ok(info) => objects.push(info),
                        // Deleted meanwhile, or a file that lies in a folder of another letter.
                        Err(StorageError::NotFound { .. }) => continue,
                        Err(error) => return Err(error),
                    }
                    if objects.len() > limit {
                        objects.truncate(limit);
                        let next = objects.last().map(|info| info.key.clone());
                        return Ok(Listing { objects, next });
                    }
                }
            }
        }
        Ok(Listing { objects, next: None })
    }

    fn check(&self) -> CheckReport {
        let mut report = CheckReport::new("folder");
        let failed = |error| StorageError::io("trying the store's folder", error);
        let written = TempFile::create(&self.root.join("check"), PRIVATE).and_then(|mut file| {
            file.write_all(b"scanveil")?;
            file.flush()?;
            Ok(file)
        });
        let Some(probe) = report.step("a file can be written", written.map_err(failed)) else {
            return report;
        };
        let read = fs::read(probe.path()).map_err(failed).map(|bytes| bytes == b"scanveil");
        let path = probe.path().to_owned();
        drop(probe);
        let read = read.and_then(|same| if same { Ok(()) } else { Err(unlike_written()) });
        if report.step("it reads back the same", read).is_none() {
            return report;
        }
        let gone = match fs::metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(failed(error)),
            Ok(_) => Err(failed(io::Error::other("the file is still there"))),
        };
        report.step("it can be deleted", gone);
        let open = fs::metadata(&self.root).is_ok_and(|found| found.mode() & 0o077 != 0);
        let note = open.then_some("others may list it; mode 0700 is better");
        report.held("the folder is private", note);
        report
    }
}

impl FolderStore {
    /// The zones and hospitals of the prefix that have a folder, in the order of their keys.
    fn hospitals(&self, prefix: &KeyPrefix) -> Result<Vec<(Zone, HospitalId)>> {
        let mut found = Vec::new();
        for zone in ZONES {
            match prefix {
                KeyPrefix::Zone(wanted) | KeyPrefix::Hospital(wanted, _) if *wanted != zone => {}
                KeyPrefix::Hospital(_, hospital) => found.push((zone, hospital.clone())),
                _ => {
                    let mut names = names(&self.root.join(zone.as_str()))?;
                    names.sort_unstable_by_key(|name| format!("{name}/"));
                    let parsed = names.iter().filter_map(|name| HospitalId::parse(name).ok());
                    found.extend(parsed.map(|hospital| (zone, hospital)));
                }
            }
        }
        Ok(found)
    }
}

/// The names in a folder, sorted; none when there is no such folder. A name that is not UTF-8 is
/// not ours.
fn names(folder: &Path) -> Result<Vec<String>> {
    let failed = |error| StorageError::io("reading a folder of the store", error);
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error)
            if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) =>
        {
            return Ok(Vec::new());
        }
        Err(error) => return Err(failed(error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        names.extend(entry.map_err(failed)?.file_name().into_string());
    }
    names.sort_unstable();
    Ok(names)
}

fn info(key: ObjectKey, found: &fs::Metadata) -> ObjectInfo {
    let modified = found.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    let modified_at_ms = modified.and_then(|age| i64::try_from(age.as_millis()).ok());
    ObjectInfo { key, bytes: found.len(), modified_at_ms, crc32: None }
}

fn missing_or(key: &ObjectKey, action: &'static str, error: io::Error) -> StorageError {
    if error.kind() == io::ErrorKind::NotFound {
        StorageError::NotFound { key: key.to_string() }
    } else {
        StorageError::io(action, error)
    }
}

fn unlike_written() -> StorageError {
    StorageError::NotConfirmed { key: "of the check".to_owned(), what: "content" }
}
