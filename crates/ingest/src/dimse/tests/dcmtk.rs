//! DCMTK as an independent peer, where it is installed.

use super::kit::{Door, Memory, Mood, limits, part10, routes};
use crate::current::Current;
use crate::dimse::{
    DimseConfig, DimseServer, OutgoingFile, PlainListener, SenderOptions, send_all,
};
use scanveil_model::AeTitle;
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

/// Whether a tool can be run. Where servers are required its absence is a failure.
fn has(tool: &str) -> bool {
    let found =
        Command::new(tool).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if found.is_ok() {
        return true;
    }
    let required = std::env::var_os("SCANVEIL_REQUIRE_SERVERS").is_some_and(|value| value == "1");
    assert!(!required, "DCMTK's {tool} is required and not installed");
    writeln!(std::io::stderr(), "skipped: no DCMTK").unwrap();
    false
}

fn files(folder: &Path, count: usize) -> Vec<Vec<u8>> {
    (0..count)
        .map(|at| {
            let file = part10(&format!("1.2.3.{at}"), 1000 + 70_000 * at);
            std::fs::write(folder.join(format!("{at}.dcm")), &file).unwrap();
            file
        })
        .collect()
}

#[test]
fn storescu_and_echoscu_are_served() {
    if !has("storescu") || !has("echoscu") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut sent = files(folder.path(), 5);
    let memory = Memory::new(Mood::Takes);
    let config = DimseConfig {
        plain: Some(PlainListener { address: "127.0.0.1:0".parse().unwrap() }),
        tls: None,
        routes: Current::fixed(routes()),
        limits: limits(),
    };
    let server = DimseServer::start(config, Arc::new(Door(Arc::clone(&memory)))).unwrap();
    let port = server.plain_address().unwrap().port().to_string();
    let run = |tool: &str, called: &str, more: &[&str]| {
        let mut command = Command::new(tool);
        command.args(["-aet", "PACS", "-aec", called, "127.0.0.1", &port]).args(more);
        command.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().success()
    };
    assert!(run("echoscu", "WYSTAN", &[]));
    assert!(!run("echoscu", "NOBODY", &[]));
    assert!(run("storescu", "WYSTAN", &["+sd", folder.path().to_str().unwrap()]));
    *memory.mood.lock().unwrap() = Mood::Full;
    assert!(!run("storescu", "WYSTAN", &[folder.path().join("0.dcm").to_str().unwrap()]));
    server.stop(Duration::from_secs(20));

    let mut stored: Vec<_> = memory.stored.lock().unwrap().iter().map(data_set_of).collect();
    let mut sent: Vec<_> = sent.drain(..).map(|file| data_set_in(&file)).collect();
    stored.sort();
    sent.sort();
    assert!(stored == sent);
}

fn data_set_of(stored: &super::kit::Stored) -> Vec<u8> {
    data_set_in(&stored.bytes)
}

fn data_set_in(file: &[u8]) -> Vec<u8> {
    file[scanveil_dataset::peek_part10(file).unwrap().data_set_at..].to_vec()
}

#[test]
fn storescp_takes_what_our_sender_sends() {
    if !has("storescp") {
        return;
    }
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let sent = files(from.path(), 5);
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut server = Command::new("storescp")
        .arg("-od")
        .arg(to.path())
        .args(["-aet", "WYSTAN", "+uf", "-fe", ".dcm", &port.to_string()])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let peer = format!("127.0.0.1:{port}");
    while TcpStream::connect(&peer).is_err() {
        assert!(server.try_wait().unwrap().is_none(), "storescp has ended");
        std::thread::yield_now();
    }
    let options = SenderOptions {
        peer,
        calling: AeTitle::parse("PACS").unwrap(),
        called: AeTitle::parse("WYSTAN").unwrap(),
        tls: None,
        limits: limits(),
    };
    let outgoing: Vec<_> = std::fs::read_dir(from.path())
        .unwrap()
        .map(|entry| OutgoingFile::from_path(&entry.unwrap().path()).unwrap())
        .collect();
    let summary = send_all(&options, &outgoing, 1);
    server.kill().unwrap();
    server.wait().unwrap();
    assert_eq!((summary.taken, summary.unsent), (5, 0), "{:?}", summary.errors);
    let mut taken: Vec<_> = std::fs::read_dir(to.path())
        .unwrap()
        .map(|entry| data_set_in(&std::fs::read(entry.unwrap().path()).unwrap()))
        .collect();
    let mut sent: Vec<_> = sent.iter().map(|file| data_set_in(file)).collect();
    taken.sort();
    sent.sort();
    assert!(taken == sent);
}
