//! The same service on a real S3 server: only the lines of `[store]` differ.

use crate::kit::{HOSPITAL, Installation, Wish, by_c_store, files_below, loopback};
use crate::running::LONG;
use scanveil_model::{Digest, Zone};
use scanveil_synth::{SynthInstance, ct_slices, mr_slices};
use scanveil_testkit::{S3Server, free_port, wait_until};
use std::fs;
use std::io;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// Stands between the service and the server, so that the line can be cut and mended.
struct Line {
    port: u16,
    target: u16,
    cut: Arc<AtomicBool>,
    open: Arc<Mutex<Vec<TcpStream>>>,
    thread: Option<JoinHandle<()>>,
}

impl Line {
    fn new(target: u16) -> Self {
        let mut line = Self {
            port: free_port(),
            target,
            cut: Arc::default(),
            open: Arc::default(),
            thread: None,
        };
        line.mend();
        line
    }

    fn mend(&mut self) {
        let listener = TcpListener::bind(loopback(self.port)).unwrap();
        listener.set_nonblocking(true).unwrap();
        self.cut.store(false, Ordering::SeqCst);
        let (cut, open, target) = (Arc::clone(&self.cut), Arc::clone(&self.open), self.target);
        self.thread = Some(std::thread::spawn(move || {
            while !cut.load(Ordering::SeqCst) {
                match listener.accept() {
                    Ok((client, _)) => pass(client, target, &open),
                    Err(_) => std::thread::sleep(Duration::from_millis(2)),
                }
            }
        }));
    }

    fn cut(&mut self) {
        self.cut.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
        for stream in self.open.lock().unwrap().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.cut();
    }
}

fn pass(client: TcpStream, target: u16, open: &Mutex<Vec<TcpStream>>) {
    let Ok(server) = TcpStream::connect(loopback(target)) else { return };
    client.set_nonblocking(false).unwrap();
    let copy = |from: &TcpStream, to: &TcpStream| {
        let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
        std::thread::spawn(move || {
            let _ = io::copy(&mut from, &mut to);
            let _ = to.shutdown(Shutdown::Write);
        });
    };
    copy(&client, &server);
    copy(&server, &client);
    open.lock().unwrap().extend([client, server]);
}

fn assert_holds(installation: &Installation, instances: &[SynthInstance]) {
    let holdings = installation.holdings();
    let mut wanted: Vec<Digest> = instances.iter().map(by_c_store).collect();
    wanted.sort_unstable();
    for zone in [Zone::Vault, Zone::Research] {
        let mut found = holdings[&zone].clone();
        found.sort_unstable();
        assert_eq!(found, wanted, "{}", zone.as_str());
    }
}

#[test]
fn the_same_life_on_s3_with_an_outage_in_it() {
    let Some(server) = S3Server::start() else { return };
    let port = server.endpoint().rsplit_once(':').unwrap().1.parse().unwrap();
    let mut line = Line::new(port);
    let store = format!(
        "kind = \"s3\"\nendpoint = \"http://127.0.0.1:{}\"\nregion = \"{}\"\nbucket = \"{}\"\n\
         credentials_file = \"{}\"\npath_style = true",
        line.port,
        server.region(),
        server.bucket(),
        server.credentials_file().display()
    );
    let mut installation = Installation::started(Wish { store, ..Wish::default() });
    assert_eq!(
        installation.json(&["store", "check"])["steps"][0]["problem"],
        serde_json::json!(null)
    );
    let mut instances: Vec<SynthInstance> = ct_slices(61, 4, 64).map(Result::unwrap).collect();
    installation.push_all(&instances);
    installation.settle();
    assert_holds(&installation, &instances);
    assert!(!installation.path("data/objects").exists());

    // The server cannot be reached: what arrives is taken, stays, and is stored later.
    line.cut();
    let more: Vec<SynthInstance> = mr_slices(61, 3, 64).map(Result::unwrap).collect();
    installation.push_all(&more);
    let failing = || {
        let status = installation.status().unwrap_or_default();
        status["problems"][0]["code"].as_str().is_some_and(|code| code.starts_with("SV-STORAGE"))
            && status["spool"]["waiting"] == 3
    };
    assert!(
        wait_until(LONG, failing),
        "{:?}\n{}",
        installation.status(),
        installation.last_words()
    );
    assert!(installation.log().contains("stays in the spool"));
    installation.kill();
    installation.start();
    line.mend();
    installation.settle();
    instances.extend(more);
    assert_holds(&installation, &instances);

    let profile = ["--hospital", HOSPITAL, "--profile", "longitudinal"];
    let run = installation.json(&[&["batch", "run"][..], &profile].concat());
    assert_eq!((&run["studies"], &run["scrubbed"]), (&2.into(), &7.into()));
    assert_holds(&installation, &instances);
    installation.release("before");
    installation.stop();
    fs::remove_file(installation.path("data/catalog.sqlite")).unwrap();
    let report = installation.json(&["store", "rebuild"]);
    assert_eq!(
        (&report["unreadable"], &report["unpublished"]),
        (&serde_json::json!({}), &0.into())
    );
    assert_holds(&installation, &instances);
    installation.release("after");
    let data = |release: &str| {
        let mut files = files_below(&installation.path(release));
        files.retain(|path, _| path.starts_with("data"));
        files
    };
    let after = data("after");
    assert!(data("before") == after);
    let certificates = after.keys().filter(|path| path.ends_with("certificate.json")).count();
    assert_eq!((certificates, after.len() - certificates), (2, 7));
}
