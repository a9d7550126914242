//! Real senders: what each of them sends is found in the catalogue, and whoever may not send is
//! told why in the sender's own words.

use crate::running::{Hospital, Running, Setup, http, peer, peer_python, run, run_well, workspace};
use scanveil_catalog::Stage;
use scanveil_synth::{Corpus, CorpusSpec, Expect, SynthInstance};
use scanveil_testkit::{ChildGuard, free_ports, wait_until};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The quiet time of these tests: short, for there is little to send.
const QUIET_MS: u64 = 1_000;

/// A service for one hospital that takes everything from this machine as MERCY.
fn serve(tls: bool) -> Running {
    let hospitals = vec![Hospital::open("mercy", "MERCY")];
    Running::start(&Setup { hospitals, quiet_ms: QUIET_MS, tls })
}

/// Some invented instances as files: every kind of object of one hospital.
struct Files {
    paths: Vec<PathBuf>,
    instances: Vec<SynthInstance>,
}

impl Files {
    fn write(dir: &Path, wanted: impl Fn(&SynthInstance) -> bool) -> Self {
        let folder = dir.join("send");
        fs::create_dir(&folder).unwrap();
        let corpus = Corpus::generate(7, CorpusSpec::tiny()).map(Result::unwrap);
        let instances: Vec<SynthInstance> = corpus.filter(|one| wanted(one)).collect();
        let write = |(at, one): (usize, &SynthInstance)| {
            let path = folder.join(format!("{at:03}.dcm"));
            fs::write(&path, &one.file).unwrap();
            path
        };
        let paths = instances.iter().enumerate().map(write).collect();
        Self { paths, instances }
    }

    fn len(&self) -> u64 {
        self.instances.len() as u64
    }

    /// Waits until all are in the catalogue, and checks what became of them.
    fn are_received_by(&self, service: &Running) {
        service.wait_for(self.len());
        assert_eq!(service.counts()["mercy"][&Stage::Received], self.len());
        let fate = service.fate();
        assert_eq!(fate.released + fate.held_back(), self.len(), "{fate:?}");
        let doomed = self.instances.iter().filter(|one| one.expected == Expect::Quarantine);
        assert!(fate.held_back() >= doomed.count() as u64, "{fate:?}");
        assert!(fate.released * 2 > self.len(), "{fate:?}");
    }
}

/// Few instances, yet every transfer syntax: one of each pair of study and syntax.
fn one_of_each() -> impl Fn(&SynthInstance) -> bool {
    let seen = std::cell::RefCell::new(BTreeSet::new());
    move |one| seen.borrow_mut().insert((one.study, one.transfer_syntax))
}

/// A configuration for storescu that proposes each pair of class and syntax in a context of its
/// own, so that nothing is converted on the way.
pub(crate) fn storescu_contexts(pairs: &BTreeSet<(String, String)>) -> String {
    let mut text = "[[TransferSyntaxes]]\n".to_owned();
    let syntaxes: BTreeSet<&String> = pairs.iter().map(|(_, syntax)| syntax).collect();
    let names: BTreeMap<&String, usize> = syntaxes.into_iter().zip(1..).collect();
    for (syntax, name) in &names {
        let _ = writeln!(text, "[S{name}]\nTransferSyntax1 = {syntax}");
    }
    text += "[[PresentationContexts]]\n[Pairs]\n";
    for (number, (class, syntax)) in (1..).zip(pairs) {
        let _ = writeln!(text, "PresentationContext{number} = {class}\\S{}", names[syntax]);
    }
    text + "[[Profiles]]\n[Pairs]\nPresentationContexts = Pairs\n"
}

fn storescu(service: &Running, files: &Files, port: u16, more: &[&str]) -> String {
    let pairs = files.instances.iter();
    let pairs = pairs.map(|one| (one.sop_class.to_owned(), one.transfer_syntax.to_owned()));
    let contexts = service.dir().join("storescu.cfg");
    fs::write(&contexts, storescu_contexts(&pairs.collect())).unwrap();
    let mut command = Command::new("storescu");
    command.args(["-v", "-nh", "-aec", "MERCY", "-xf"]).arg(contexts).arg("Pairs").args(more);
    run_well(command.arg("localhost").arg(port.to_string()).args(&files.paths))
}

fn successes(storescu_said: &str) -> u64 {
    storescu_said.matches("Received Store Response (Success)").count() as u64
}

#[test]
fn storescu_sends_every_transfer_syntax() {
    if peer("storescu").is_none() {
        return;
    }
    let service = serve(false);
    let files = Files::write(service.dir(), |_| true);
    let said = storescu(&service, &files, service.dimse, &[]);
    assert_eq!(successes(&said), files.len(), "{said}");
    files.are_received_by(&service);
    let sent: BTreeSet<&str> = files.instances.iter().map(|one| one.transfer_syntax).collect();
    let clean = files.instances.iter().filter(|one| one.expected == Expect::Clean);
    let clean: BTreeSet<&str> = clean.map(|one| one.transfer_syntax).collect();
    assert!(sent.len() >= 6 && clean.len() >= 5, "the corpus has too few: {sent:?}, {clean:?}");
    let kept = service.transfer_syntaxes();
    assert_eq!(kept.keys().map(String::as_str).collect::<BTreeSet<_>>(), clean);
}

#[test]
fn storescu_sends_over_tls_with_a_client_certificate_and_not_without() {
    if peer("storescu").is_none() {
        return;
    }
    let service = serve(true);
    let files = Files::write(service.dir(), |one| one.hospital == 0 && one.study < 2);
    let at = |name: &str| service.dir().join(name).display().to_string();
    let (key, certificate, ca) = (at("client.key"), at("client.pem"), at("ca.pem"));
    let tls = ["+tls", &key, &certificate, "+cf", &ca];
    let said = storescu(&service, &files, service.dimse_tls, &tls);
    assert_eq!(successes(&said), files.len(), "{said}");
    files.are_received_by(&service);
    let mut anonymous = Command::new("echoscu");
    anonymous.args(["-v", "+tla", "+cf", &ca, "-aec", "MERCY", "localhost"]);
    let said = run(anonymous.arg(service.dimse_tls.to_string()));
    assert!(!said.well, "{}", said.text);
    assert!(service.log().contains("SV-INGEST-"), "{}", service.log());
}

#[test]
fn echoscu_is_answered_or_told_why_not() {
    if peer("echoscu").is_none() {
        return;
    }
    let calling = |id: &str, called: &str, rule: &str| Hospital {
        more: format!("calling = [{{ {rule} }}]"),
        ..Hospital::open(id, called)
    };
    let hospitals = vec![
        Hospital::open("mercy", "MERCY"),
        calling("strict", "STRICT", "ae = \"ONLYTHIS\", network = \"127.0.0.0/8\""),
        calling("far", "FAR", "network = \"192.0.2.0/24\""),
        calling("nobody", "NOBODY", "ae = \"NEVER\", network = \"192.0.2.1\""),
    ];
    let service = Running::start(&Setup { hospitals, quiet_ms: QUIET_MS, tls: false });
    let echo = |calling: &str, called: &str| {
        let mut command = Command::new("echoscu");
        command.args(["-v", "-aet", calling, "-aec", called, "127.0.0.1"]);
        run(command.arg(service.dimse.to_string()))
    };
    let (bad_called, bad_calling) =
        ("Called AE Title Not Recognized", "Calling AE Title Not Recognized");
    let table = [
        ("ANY", "MERCY", None),
        ("ONLYTHIS", "STRICT", None),
        ("OTHER", "STRICT", Some(bad_calling)),
        ("ANY", "FAR", Some(bad_calling)),
        ("NEVER", "NOBODY", Some(bad_calling)),
        ("ANY", "WHO", Some(bad_called)),
    ];
    for (calling, called, refusal) in table {
        let said = echo(calling, called);
        let Some(reason) = refusal else {
            assert!(said.well, "{calling} to {called}: {}", said.text);
            continue;
        };
        assert!(!said.well, "{calling} to {called}: {}", said.text);
        assert!(said.text.contains("Rejected Permanent"), "{calling} to {called}: {}", said.text);
        assert!(said.text.contains(reason), "{calling} to {called}: {}", said.text);
    }
    let log = service.log();
    for reason in ["called-ae-title", "calling-ae-title"] {
        assert!(log.contains(&format!("\"reason\":\"{reason}\"")), "{log}");
    }
}

/// An Orthanc that knows the service as the modality `scanveil`.
struct Orthanc {
    _process: ChildGuard,
    http: u16,
}

impl Orthanc {
    fn start(program: &Path, dir: &Path, scanveil: u16) -> Self {
        let [web, dicom] = free_ports::<2>();
        let folder = dir.join("orthanc");
        fs::create_dir(&folder).unwrap();
        let config = serde_json::json!({
            "Name": "peer", "HttpPort": web, "DicomPort": dicom, "DicomAet": "ORTHANC",
            "RemoteAccessAllowed": false, "AuthenticationEnabled": false, "Plugins": [],
            "StorageDirectory": folder.join("db"), "IndexDirectory": folder.join("db"),
            "DicomModalities": { "scanveil": ["MERCY", "127.0.0.1", scanveil] },
        });
        fs::write(folder.join("orthanc.json"), config.to_string()).unwrap();
        let log = fs::File::create(folder.join("log.txt")).unwrap();
        let mut command = Command::new(program);
        command.arg(folder.join("orthanc.json")).current_dir(&folder).stdin(Stdio::null());
        command.stdout(log.try_clone().unwrap()).stderr(log);
        let process = ChildGuard::spawn(&mut command).unwrap();
        let up = || matches!(http(web, "GET /system HTTP/1.0", b""), Some((200, _)));
        let log = || fs::read_to_string(folder.join("log.txt")).unwrap_or_default();
        assert!(wait_until(crate::running::LONG, up), "Orthanc does not answer: {}", log());
        Self { _process: process, http: web }
    }

    fn post(&self, path: &str, body: &[u8]) -> serde_json::Value {
        let (status, answer) = http(self.http, &format!("POST {path} HTTP/1.0"), body).unwrap();
        assert_eq!(status, 200, "{path}: {}", String::from_utf8_lossy(&answer));
        serde_json::from_slice(&answer).unwrap()
    }
}

#[test]
fn orthanc_forwards_what_it_was_given() {
    let Some(program) = peer("Orthanc") else { return };
    let service = serve(false);
    let files = Files::write(service.dir(), one_of_each());
    let orthanc = Orthanc::start(&program, service.dir(), service.dimse);
    let upload = |path: &PathBuf| {
        let answer = orthanc.post("/instances", &fs::read(path).unwrap());
        answer["ID"].as_str().unwrap().to_owned()
    };
    let resources: Vec<String> = files.paths.iter().map(upload).collect();
    let order = serde_json::json!({ "Resources": resources, "Synchronous": true });
    let answer = orthanc.post("/modalities/scanveil/store", order.to_string().as_bytes());
    assert_eq!(answer["FailedInstancesCount"], 0, "{answer}");
    assert_eq!(answer["InstancesCount"], files.len(), "{answer}");
    files.are_received_by(&service);
}

fn python_peer(
    python: &Path,
    script: &str,
    arguments: &[&str],
    files: &Files,
) -> serde_json::Value {
    let script = workspace().join("scripts/peers").join(script);
    let text = run_well(Command::new(python).arg(script).args(arguments).args(&files.paths));
    // Warnings of the libraries stand before the result.
    serde_json::from_str(text.lines().last().unwrap_or_default()).expect(&text)
}

#[test]
fn pynetdicom_sends_plainly_and_over_tls() {
    let Some(python) = peer_python() else { return };
    let service = serve(true);
    let files = Files::write(service.dir(), one_of_each());
    let send = |port: u16, more: &[&str]| {
        let port = port.to_string();
        let arguments = [&["--port", &port], more].concat();
        python_peer(&python, "pynetdicom_send.py", &arguments, &files)
    };
    let all = serde_json::json!({ "statuses": { "0000": files.len() } });
    assert_eq!(send(service.dimse, &["--called", "MERCY"]), all);
    files.are_received_by(&service);
    let at = |name: &str| service.dir().join(name).display().to_string();
    let (ca, certificate, key) = (at("ca.pem"), at("client.pem"), at("client.key"));
    let secure = ["--called", "MERCY", "--tls", &ca, &certificate, &key, "--"];
    assert_eq!(send(service.dimse_tls, &secure), all);
    service.wait_for(files.len() * 2);
    assert_eq!(service.counts()["mercy"][&Stage::Duplicate], files.len());
    let refused = serde_json::json!({ "rejected": "Called AE title not recognised" });
    assert_eq!(send(service.dimse, &["--called", "WHO"]), refused);
}

#[test]
fn dicomweb_client_stores_with_its_token_only() {
    let Some(python) = peer_python() else { return };
    let service = serve(false);
    let files = Files::write(service.dir(), one_of_each());
    let url = format!("http://127.0.0.1:{}", service.http);
    let store = |token: &str| {
        python_peer(&python, "dicomweb_store.py", &["--url", &url, "--token", token], &files)
    };
    let token = Hospital::open("mercy", "MERCY").token();
    assert_eq!(store("svt_wrong"), serde_json::json!({ "status": 401 }));
    assert_eq!(store(&token), serde_json::json!({ "stored": files.len(), "failed": 0 }));
    files.are_received_by(&service);
}

/// Runs curl and gives the status.
fn curl(url: &str, token: Option<&str>, kind: &str, body: &Path) -> String {
    let mut command = Command::new("curl");
    command.args(["-sS", "--noproxy", "*", "-o", "/dev/null", "-w", "%{http_code}", "-X", "POST"]);
    command.args(["-H", &format!("Content-Type: {kind}")]);
    command.args(["-H", "Accept: application/dicom+json"]);
    if let Some(token) = token {
        command.args(["-H", &format!("Authorization: Bearer {token}")]);
    }
    let body = format!("@{}", body.display());
    run_well(command.arg("--data-binary").arg(body).arg(url))
}

#[test]
fn curl_stores_single_instances_and_archives_with_the_token_only() {
    if peer("curl").is_none() {
        return;
    }
    let service = serve(false);
    let files = Files::write(service.dir(), one_of_each());
    let archive = service.dir().join("studies.zip");
    write_zip(&archive, &files.paths[1..]);
    let root = format!("http://127.0.0.1:{}", service.http);
    let (studies, upload) = (format!("{root}/studies"), format!("{root}/upload"));
    let token = Hospital::open("mercy", "MERCY").token();
    let dicom = "application/dicom";
    for wrong in [None, Some("svt_wrong"), Some("")] {
        assert_eq!(curl(&studies, wrong, dicom, &files.paths[0]), "401", "{wrong:?}");
        assert_eq!(curl(&upload, wrong, "application/zip", &archive), "401", "{wrong:?}");
    }
    assert_eq!(curl(&studies, Some(&token), "text/plain", &files.paths[0]), "415");
    assert_eq!(curl(&studies, Some(&token), dicom, &files.paths[0]), "200");
    assert_eq!(curl(&upload, Some(&token), "application/zip", &archive), "200");
    files.are_received_by(&service);
}

fn write_zip(path: &Path, files: &[PathBuf]) {
    let mut archive = zip::ZipWriter::new(fs::File::create(path).unwrap());
    for (at, file) in files.iter().enumerate() {
        let name = format!("series/{at}.dcm");
        archive.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        std::io::Write::write_all(&mut archive, &fs::read(file).unwrap()).unwrap();
    }
    archive.finish().unwrap();
}

#[test]
fn what_is_dropped_into_the_watched_folder_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    let mercy = Hospital::open("mercy", "MERCY");
    let more = format!("{}\nfolder = \"{}\"", mercy.more, folder.path().display());
    let hospitals = vec![Hospital { more, ..mercy }];
    let service = Running::start(&Setup { hospitals, quiet_ms: QUIET_MS, tls: false });
    let files = Files::write(service.dir(), one_of_each());
    let inner = folder.path().join("from the scanner");
    fs::create_dir(&inner).unwrap();
    for path in &files.paths {
        fs::copy(path, inner.join(path.file_name().unwrap())).unwrap();
    }
    fs::write(inner.join("notes.txt"), "not an instance").unwrap();
    files.are_received_by(&service);
    let left = || fs::read_dir(&inner).unwrap().count();
    assert!(wait_until(crate::running::LONG, || left() == 0), "{} files stay", left());
    assert_eq!(fs::read_dir(folder.path().join("rejected")).unwrap().count(), 1);
}
