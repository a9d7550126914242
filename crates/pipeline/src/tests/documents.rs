use crate::documents::DocumentProcess;
use scanveil_documents::{DocumentReader, Unread};
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

/// Whatever the process does instead of answering: the document is held back, and the caller lives.
#[test]
fn a_process_that_fails_holds_the_document_back() {
    let dir = tempfile::tempdir().unwrap();
    let long = vec![b'x'; 4 << 20];
    for (name, script, longest) in [
        ("crashes", "kill -SEGV $$", 60),
        ("answers nothing", "cat > /dev/null", 60),
        ("does not read", "exit 0", 60),
        ("answers something else", "cat > /dev/null; echo '{\"format\":1}'", 60),
        ("never ends", "exec sleep 1000", 1),
        ("talks without end", "exec yes", 60),
    ] {
        let program = dir.path().join(name.replace(' ', "-"));
        std::fs::write(&program, format!("#!/bin/sh\nPATH=/usr/bin:/bin\n{script}\n")).unwrap();
        std::fs::set_permissions(&program, Permissions::from_mode(0o700)).unwrap();
        let process = DocumentProcess::of(program, Duration::from_secs(longest));
        assert_eq!(process.read_pdf(&long).err(), Some(Unread::ReaderFailed), "{name}");
    }
    let missing = DocumentProcess::of(dir.path().join("missing"), Duration::from_secs(1));
    assert_eq!(missing.read_pdf(&long).err(), Some(Unread::ReaderFailed));
}
