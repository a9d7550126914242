use super::*;
use crate::arrival::testing::{MemorySpool, part10};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;

const STUDY: &str = "1.2.3.1";

struct Watched {
    folder: TempDir,
    spool: MemorySpool,
    watcher: FolderWatcher,
}

fn watched(change: impl FnOnce(&mut FolderConfig)) -> Watched {
    let folder = TempDir::new().unwrap();
    let hospital = HospitalId::parse("st-wystan").unwrap();
    let mut config = FolderConfig::new(hospital, folder.path().to_owned());
    change(&mut config);
    let spool = MemorySpool::default();
    let watcher = FolderWatcher::new(config, Arc::new(spool.clone())).unwrap();
    Watched { folder, spool, watcher }
}

impl Watched {
    fn put(&self, name: &str, bytes: &[u8]) {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    fn names(&self, folder: &str) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(self.folder.path().join(folder))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// Looks twice, so that what does not change has settled.
    fn settle(&mut self) -> FolderRound {
        self.watcher.round(0);
        self.watcher.round(10_000)
    }
}

#[test]
fn a_file_is_taken_once_it_has_settled() {
    let mut watched = watched(|_| {});
    let bytes = part10(STUDY, "1.2.3.4", 300_000);
    watched.put("IM1", &bytes[..1000]);
    let settling = FolderRound { settling: 1, ..FolderRound::default() };
    assert_eq!(watched.watcher.round(0), settling);
    assert_eq!(watched.watcher.round(1_999), settling);
    watched.put("IM1", &bytes);
    assert_eq!(watched.watcher.round(2_000), settling);
    assert_eq!(watched.watcher.round(3_999), settling);
    let taken = FolderRound { taken: 1, ..FolderRound::default() };
    assert_eq!(watched.watcher.round(4_000), taken);
    assert_eq!(watched.spool.stored(), [bytes]);
    assert_eq!(watched.names("."), [".taking", "rejected"]);
    assert_eq!(watched.watcher.round(9_000), FolderRound::default());
    watched.spool.look(|held| {
        let meta = &held.stored[0].1;
        assert_eq!(meta.protocol, Protocol::Folder);
        assert_eq!(meta.hospital.as_str(), "st-wystan");
        assert_eq!(meta.study_instance_uid.as_ref().unwrap().as_str(), STUDY);
    });
}

#[test]
fn what_is_not_dicom_is_moved_away_under_its_digest() {
    let mut watched = watched(|_| {});
    watched.put("Jane^Doe.pdf", b"%PDF-1.7 not an instance");
    watched.put("IM1", &part10(STUDY, "1.2.3.4", 10));
    let wanted = FolderRound { taken: 1, rejected: 1, ..FolderRound::default() };
    assert_eq!(watched.settle(), wanted);
    assert_eq!(watched.names("."), [".taking", "rejected"]);
    let names = watched.names("rejected");
    assert_eq!(names.len(), 1);
    assert!(Digest::parse(&names[0]).is_ok());
    assert_eq!(watched.settle(), FolderRound::default());
}

#[test]
fn taken_files_are_kept_where_that_is_wanted() {
    let mut watched = watched(|config| config.after = AfterTaking::Keep);
    let bytes = part10(STUDY, "1.2.3.4", 10);
    watched.put("a/b/IM1", &bytes);
    assert_eq!(watched.settle().taken, 1);
    let done = watched.names("done");
    assert_eq!(done.len(), 1);
    assert_eq!(fs::read(watched.folder.path().join("done").join(&done[0])).unwrap(), bytes);
    assert_eq!(watched.settle(), FolderRound::default());
}

#[test]
fn links_and_special_files_are_never_followed() {
    let mut watched = watched(|_| {});
    let outside = TempDir::new().unwrap();
    let target = outside.path().join("IM1");
    fs::write(&target, part10(STUDY, "1.2.3.4", 10)).unwrap();
    symlink(&target, watched.folder.path().join("link")).unwrap();
    symlink(outside.path(), watched.folder.path().join("linked-folder")).unwrap();
    let pipe = watched.folder.path().join("pipe");
    let mode = rustix::fs::Mode::RWXU;
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    assert_eq!(watched.settle(), FolderRound::default());
    assert!(target.exists() && watched.spool.stored().is_empty());
    // A link that takes a settled file's place between listing and opening is not followed either.
    assert!(watched.watcher.root.read(Path::new("link")).is_err());
    assert!(watched.watcher.root.read(Path::new("linked-folder/IM1")).is_err());
    assert!(watched.watcher.root.read(Path::new("pipe")).is_err());
}

#[test]
fn folders_are_looked_into_as_deep_as_configured() {
    let mut watched = watched(|config| config.max_depth = 2);
    for (number, name) in ["a", "x/b", "x/y/c", "x/y/z/d"].into_iter().enumerate() {
        watched.put(name, &part10(STUDY, &format!("1.2.3.{number}"), 10));
    }
    assert_eq!(watched.settle().taken, 3);
    assert_eq!(watched.names("x/y/z"), ["d"]);
}

#[test]
fn a_round_looks_at_no_more_files_than_allowed() {
    let mut watched = watched(|config| config.max_files = 2);
    for number in 0..5 {
        watched.put(&format!("IM{number}"), &part10(STUDY, &format!("1.2.3.{number}"), 10));
    }
    let taken: u64 = (0..4).map(|round| watched.watcher.round(round * 5_000).taken).sum();
    assert!((2..=4).contains(&taken));
    (4..12).for_each(|round| {
        watched.watcher.round(round * 5_000);
    });
    assert_eq!(watched.spool.stored().len(), 5);
}

#[test]
fn files_that_are_still_written_are_left_alone() {
    let mut watched = watched(|_| {});
    for name in [".hidden", "a.part", "b.tmp", "c.filepart"] {
        watched.put(name, &part10(STUDY, "1.2.3.4", 10));
    }
    assert_eq!(watched.settle(), FolderRound { settling: 4, ..FolderRound::default() });
    let from = watched.folder.path().join("a.part");
    fs::rename(from, watched.folder.path().join("a")).unwrap();
    watched.watcher.round(20_000);
    assert_eq!(watched.watcher.round(30_000).taken, 1);
}

#[test]
fn a_spool_that_admits_nobody_leaves_the_file_where_it_is() {
    let mut watched = watched(|_| {});
    watched.spool.set_closed(true);
    watched.put("IM1", &part10(STUDY, "1.2.3.4", 10));
    assert_eq!(watched.settle(), FolderRound { left: 1, ..FolderRound::default() });
    assert_eq!(watched.names("."), [".taking", "IM1", "rejected"]);
    watched.spool.set_closed(false);
    assert_eq!(watched.watcher.round(11_000).taken, 1);
    assert_eq!(watched.spool.stored().len(), 1);
}

/// A spool that does something when an instance is about to be durable.
struct Meanwhile<F>(MemorySpool, Arc<F>);

impl<F: Fn() + Send + Sync + 'static> crate::intake::IntakeSink for Meanwhile<F> {
    fn admits(&self) -> Result<(), IntakeError> {
        Ok(())
    }

    fn receive(
        &self,
        hospital: &HospitalId,
    ) -> Result<Box<dyn crate::intake::ReceivingSink>, IntakeError> {
        (self.1)();
        self.0.receive(hospital)
    }
}

/// A watcher beside which something happens to the folder while an instance is received.
fn meanwhile(act: impl Fn(&Path) + Send + Sync + 'static) -> Watched {
    let mut watched = watched(|_| {});
    let path = watched.folder.path().to_owned();
    let spool = Meanwhile(watched.spool.clone(), Arc::new(move || act(&path)));
    watched.watcher = FolderWatcher::new(watched.watcher.config.clone(), Arc::new(spool)).unwrap();
    watched
}

#[test]
fn a_file_that_takes_the_place_of_one_that_is_read_is_taken_too() {
    let other = part10(STUDY, "1.2.3.5", 20);
    let put = other.clone();
    let first = std::sync::atomic::AtomicBool::new(true);
    let mut watched = meanwhile(move |folder| {
        if first.swap(false, std::sync::atomic::Ordering::Relaxed) {
            fs::write(folder.join("new.part"), &put).unwrap();
            fs::rename(folder.join("new.part"), folder.join("IM1")).unwrap();
        }
    });
    let bytes = part10(STUDY, "1.2.3.4", 10);
    watched.put("IM1", &bytes);
    assert_eq!(watched.settle().taken, 1);
    assert_eq!(watched.names("."), [".taking", "IM1", "rejected"]);
    watched.watcher.round(20_000);
    assert_eq!(watched.watcher.round(30_000).taken, 1);
    assert_eq!(watched.spool.stored(), [bytes, other]);
    assert_eq!(watched.names("."), [".taking", "rejected"]);
}

#[test]
fn a_file_that_somebody_goes_on_writing_is_read_again() {
    let whole = part10(STUDY, "1.2.3.4", 20_000);
    let (head, tail) = (whole[..9_000].to_vec(), whole[9_000..].to_vec());
    let first = std::sync::atomic::AtomicBool::new(true);
    let mut watched = meanwhile(move |folder| {
        if first.swap(false, std::sync::atomic::Ordering::Relaxed) {
            let taken = fs::read_dir(folder.join(".taking")).unwrap().next().unwrap().unwrap();
            let mut file = fs::OpenOptions::new().append(true).open(taken.path()).unwrap();
            std::io::Write::write_all(&mut file, &tail).unwrap();
        }
    });
    watched.put("IM1", &head);
    assert_eq!(watched.settle(), FolderRound { settling: 1, ..FolderRound::default() });
    assert_eq!(watched.watcher.round(20_000).taken, 1);
    // What was read first is there as well: nothing that was written is lost.
    assert_eq!(watched.spool.stored(), [whole[..9_000].to_vec(), whole]);
    assert!(watched.names(".taking").is_empty());
}

#[test]
fn what_a_killed_process_was_taking_is_taken_by_the_next() {
    let mut watched = watched(|_| {});
    watched.put(".taking/0-0", &part10(STUDY, "1.2.3.4", 10));
    assert_eq!(watched.settle().taken, 1);
    assert_eq!(watched.spool.stored().len(), 1);
    assert!(watched.names(".taking").is_empty());
}

#[test]
fn files_that_are_never_taken_use_up_no_round() {
    let mut watched = watched(|config| config.max_files = 3);
    for number in 0..50 {
        watched.put(&format!(".{number}"), b"");
    }
    watched.put("IM1", &part10(STUDY, "1.2.3.4", 10));
    assert_eq!(watched.settle().taken, 1);
}

#[test]
fn a_full_spool_leaves_the_file_for_the_next_round() {
    let mut watched = watched(|_| {});
    watched.spool.set_room(Some(0));
    watched.put("IM1", &part10(STUDY, "1.2.3.4", 10));
    assert_eq!(watched.settle(), FolderRound { left: 1, ..FolderRound::default() });
    assert_eq!(watched.names(".taking").len(), 1);
    watched.spool.set_room(None);
    assert_eq!(watched.watcher.round(11_000).taken, 1);
    assert_eq!(watched.spool.stored().len(), 1);
}

#[test]
fn a_file_that_cannot_be_moved_away_is_not_taken_twice() {
    let mut watched = watched(|config| config.after = AfterTaking::Keep);
    fs::remove_dir(watched.folder.path().join("done")).unwrap();
    watched.put("IM1", &part10(STUDY, "1.2.3.4", 10));
    assert_eq!(watched.settle().taken, 1);
    assert_eq!(watched.watcher.round(60_000), FolderRound { left: 1, ..FolderRound::default() });
    assert_eq!(watched.spool.stored().len(), 1);
}

#[test]
fn a_file_over_the_limit_is_rejected() {
    let mut watched = watched(|config| config.max_instance_bytes = 1_000);
    watched.put("IM1", &part10(STUDY, "1.2.3.4", 10_000));
    assert_eq!(watched.settle().rejected, 1);
    assert!(watched.spool.stored().is_empty());
}

#[test]
fn a_started_watcher_takes_files_until_it_is_dropped() {
    let watched = watched(|config| {
        config.settle_ms = 0;
        config.interval_ms = 1;
    });
    let handle = watched.watcher.start().unwrap();
    let path = watched.folder.path();
    fs::write(path.join("IM1.tmp"), part10(STUDY, "1.2.3.4", 10)).unwrap();
    fs::rename(path.join("IM1.tmp"), path.join("IM1")).unwrap();
    watched.spool.wait(|held| !held.stored.is_empty() || held.dropped > 0);
    drop(handle);
}

#[test]
fn a_folder_that_is_missing_is_named() {
    let hospital = HospitalId::parse("a").unwrap();
    let config = FolderConfig::new(hospital, PathBuf::from("/nonexistent/scanveil"));
    let spool = Arc::new(MemorySpool::default());
    let Err(error) = FolderWatcher::new(config, spool) else { panic!("it was opened") };
    assert!(error.to_string().contains("/nonexistent/scanveil"));
}
