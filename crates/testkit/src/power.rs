//! What a power failure leaves: of everything written, only what was made durable.

use scanveil_durable::{Observing, Synced, observe};
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::rc::Rc;

/// Sees what this thread makes durable, and can show at any time what a disk would hold after a
/// power failure: no byte and no name that was not synced, as the strictest file system has it.
pub struct PowerLoss {
    disk: Rc<RefCell<Disk>>,
    _observing: Observing,
}

/// What is durable, by the numbers of files and folders.
#[derive(Default)]
struct Disk {
    bytes: HashMap<u64, Vec<u8>>,
    names: HashMap<u64, BTreeMap<OsString, Name>>,
    /// Held open, so that the system gives their numbers to nothing else.
    held: Vec<File>,
}

/// What a name in a folder stands for.
enum Name {
    File(u64),
    Folder(u64),
}

impl PowerLoss {
    /// Begins to watch.
    #[must_use]
    pub fn watch() -> Self {
        let disk = Rc::new(RefCell::new(Disk::default()));
        let seen = Rc::clone(&disk);
        let observing = observe(move |synced| seen.borrow_mut().keep(synced));
        Self { disk, _observing: observing }
    }

    /// Writes into the new folder `to` what would be left of the folder `from`, whose own name is
    /// taken for durable.
    pub fn leave(&self, from: &Path, to: &Path) {
        let number = fs::metadata(from).expect("a folder").ino();
        self.disk.borrow().write(number, to);
    }
}

impl Disk {
    fn keep(&mut self, synced: Synced<'_>) {
        let (Synced::File(file) | Synced::Folder(file)) = synced;
        // Opened again: the caller's may be for writing only, and has its own place in the file.
        let place = format!("/proc/self/fd/{}", file.as_raw_fd());
        let mut again = File::open(&place).expect("an open file");
        let number = again.metadata().expect("metadata").ino();
        match synced {
            Synced::File(_) => {
                let mut bytes = Vec::new();
                again.read_to_end(&mut bytes).expect("the bytes");
                self.bytes.insert(number, bytes);
            }
            Synced::Folder(_) => {
                let entries = fs::read_dir(&place).expect("the names").map(|entry| {
                    let entry = entry.expect("a name");
                    // Held as well: what has a durable name keeps its number.
                    let found = entry.metadata().expect("metadata");
                    self.held.extend(File::open(entry.path()).ok());
                    let kind = if found.is_dir() { Name::Folder } else { Name::File };
                    (entry.file_name(), kind(found.ino()))
                });
                let names = entries.collect();
                self.names.insert(number, names);
            }
        }
        self.held.push(again);
    }

    fn write(&self, number: u64, to: &Path) {
        DirBuilder::new().mode(0o700).create(to).expect("a new folder");
        for (name, what) in self.names.get(&number).into_iter().flatten() {
            let path = to.join(name);
            let number = match what {
                Name::Folder(number) => {
                    self.write(*number, &path);
                    continue;
                }
                Name::File(number) => number,
            };
            let bytes = self.bytes.get(number).map_or(&[][..], Vec::as_slice);
            let mut options = OpenOptions::new();
            let file = options.write(true).create_new(true).mode(0o600).open(&path);
            file.and_then(|mut file| file.write_all(bytes)).expect("a new file");
        }
    }
}
