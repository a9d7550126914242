use super::temporary::link_first;
use super::*;
use std::os::unix::fs::PermissionsExt;

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn the_first_writer_wins_and_nothing_is_left() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.key");
    assert_eq!(write_first(&path, b"one").unwrap(), Written::First);
    assert_eq!(write_first(&path, b"two").unwrap(), Written::Before);
    assert_eq!(read_small(&path, 10).unwrap().unwrap(), b"one");
    assert_eq!(names(dir.path()), ["a.key"]);
    assert_eq!(mode(&path), 0o600);
}

#[test]
fn hard_links_do_as_well() {
    let dir = tempfile::tempdir().unwrap();
    let (from, to) = (dir.path().join("from"), dir.path().join("to"));
    fs::write(&from, "one").unwrap();
    assert_eq!(link_first(&from, &to).unwrap(), Written::First);
    assert_eq!(names(dir.path()), ["to"]);
    fs::write(&from, "two").unwrap();
    assert_eq!(link_first(&from, &to).unwrap(), Written::Before);
    assert_eq!(fs::read(&to).unwrap(), b"one");
}

#[test]
fn of_many_threads_one_is_first() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a");
    let outcomes: Vec<Written> = std::thread::scope(|scope| {
        let write = |n: u8| {
            let path = &path;
            scope.spawn(move || write_first(path, &[n; 100]).unwrap())
        };
        let threads: Vec<_> = (0..8).map(write).collect();
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    });
    assert_eq!(outcomes.iter().filter(|&&w| w == Written::First).count(), 1);
    let content = fs::read(&path).unwrap();
    assert!(content.len() == 100 && content.iter().all(|&b| b == content[0]));
    assert_eq!(names(dir.path()), ["a"]);
}

#[test]
fn leftovers_of_one_file_are_removed() {
    let dir = tempfile::tempdir().unwrap();
    for name in [".a.key.1-2.tmp", ".a.key.99-0.tmp", ".b.key.1-2.tmp", "a.key", ".a.key"] {
        fs::write(dir.path().join(name), "x").unwrap();
    }
    remove_leftovers(&dir.path().join("a.key")).unwrap();
    assert_eq!(names(dir.path()), [".a.key", ".b.key.1-2.tmp", "a.key"]);
}

#[test]
fn folders_are_made_with_their_parents_and_private() {
    let dir = tempfile::tempdir().unwrap();
    let deep = dir.path().join("a/b/c");
    make_folder(&deep).unwrap();
    make_folder(&deep).unwrap();
    assert_eq!(mode(&deep), 0o700);
    assert_eq!(mode(&dir.path().join("a")), 0o700);
}

#[test]
fn small_files_have_a_limit() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a");
    assert!(read_small(&path, 4).unwrap().is_none());
    fs::write(&path, "abc").unwrap();
    assert_eq!(read_small(&path, 4).unwrap().unwrap(), b"abc");
    fs::write(&path, "abcd").unwrap();
    assert_eq!(read_small(&path, 4).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
    remove(&path).unwrap();
    remove(&path).unwrap();
}

#[test]
fn a_replaced_file_is_the_new_one_and_nothing_is_left() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.json");
    for content in ["one", "two"] {
        replace(&path, content.as_bytes()).unwrap();
        assert_eq!(read_small(&path, 10).unwrap().unwrap(), content.as_bytes());
        assert_eq!((names(dir.path()), mode(&path)), (vec!["a.json".to_owned()], 0o600));
    }
    assert!(replace(&dir.path().join("missing/a.json"), b"x").is_err());
}

#[test]
fn a_local_file_goes_unless_it_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    let make = |name| LocalFile::create(at(name), PRIVATE).unwrap().0;
    drop(make("dropped"));
    make("kept").keep();
    make("discarded").discard().unwrap();
    let moved = make("moved");
    fs::rename(at("moved"), at("elsewhere")).unwrap();
    moved.discard().unwrap();
    assert_eq!(names(dir.path()), ["elsewhere", "kept"]);
    assert_eq!(mode(&at("kept")), PRIVATE);
    let taken = LocalFile::create(at("kept"), PRIVATE).unwrap_err();
    assert_eq!(taken.kind(), io::ErrorKind::AlreadyExists);
}
