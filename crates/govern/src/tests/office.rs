use super::*;
use crate::{Approvers, GovernError, Office, RequestId};
use scanveil_model::Coded;
use std::fs;
use std::os::unix::fs::PermissionsExt;

#[test]
fn people_and_requests_are_kept_privately() {
    let dir = tempfile::tempdir().unwrap();
    let office = Office::open(dir.path().join("govern")).unwrap();
    assert_eq!(office.approvers().unwrap(), Approvers::default());
    assert_eq!(office.requests().unwrap(), []);
    let id = RequestId::parse("00112233445566ff").unwrap();
    assert!(matches!(office.request(&id), Err(GovernError::RequestUnknown(_))));
    let mut approvers = Approvers::default();
    approvers.add(&person("anna"), &token(), 3).unwrap();
    {
        let lock = office.lock().unwrap();
        office.save_approvers(&lock, &approvers).unwrap();
        office.save_request(&lock, &id, b"one").unwrap();
        office.save_request(&lock, &id, b"sealed").unwrap();
    }
    let office = Office::open(dir.path().join("govern")).unwrap();
    assert_eq!(office.approvers().unwrap(), approvers);
    assert_eq!(office.request(&id).unwrap(), b"sealed");
    assert_eq!(office.requests().unwrap(), [id]);
    office.log().append(&event(1)).unwrap();
    let mut files = 0;
    for folder in ["govern", "govern/requests"].map(|name| dir.path().join(name)) {
        assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
        for entry in fs::read_dir(&folder).unwrap().map(Result::unwrap) {
            if entry.file_type().unwrap().is_file() {
                files += 1;
                let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
                assert_eq!(mode, 0o600, "{}", entry.path().display());
            }
        }
    }
    assert_eq!(files, 4, "the log, the people, the lock and the request");
}

#[test]
fn files_that_are_none_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let office = Office::open(dir.path()).unwrap();
    let path = dir.path().join("approvers.json");
    let long = " ".repeat(2 << 20);
    for (content, code) in [
        ("", "SV-GOVERN-004"),
        ("{\"format\":0,\"people\":[]}", "SV-GOVERN-004"),
        ("{\"format\":2,\"people\":[],\"x\":1}", "SV-GOVERN-003"),
        ("{\"format\":1,\"people\":[],\"x\":1}", "SV-GOVERN-004"),
        (&long, "SV-GOVERN-004"),
    ] {
        fs::write(&path, content).unwrap();
        assert_eq!(office.approvers().unwrap_err().code(), code);
    }
    // Names of others in the folder are passed over.
    fs::write(dir.path().join("requests/notes.txt"), "x").unwrap();
    fs::write(dir.path().join("requests/0011.sealed"), "x").unwrap();
    assert_eq!(office.requests().unwrap(), []);
}

#[test]
fn changes_wait_for_each_other() {
    let dir = tempfile::tempdir().unwrap();
    let office = Office::open(dir.path()).unwrap();
    std::thread::scope(|scope| {
        for number in 0..8 {
            let dir = dir.path();
            scope.spawn(move || {
                let office = Office::open(dir).unwrap();
                let lock = office.lock().unwrap();
                let mut approvers = office.approvers().unwrap();
                approvers.add(&person(&format!("p{number}")), &token(), number).unwrap();
                office.save_approvers(&lock, &approvers).unwrap();
            });
        }
    });
    assert_eq!(office.approvers().unwrap().people().len(), 8);
}
