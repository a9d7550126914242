//! The real program, serving on free ports of the loopback interface with a folder of its own.

use scanveil_catalog::{Catalog, ObjectFilter, QuarantineFilter, Stage};
use scanveil_ingest::TokenDigest;
use scanveil_model::{HospitalId, ProjectName, ReasonCode, Zone};
use scanveil_testkit::{ChildGuard, free_ports, wait_until};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{Read, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// Longest wait for anything; two cores may be shared with many other tests.
pub(crate) const LONG: Duration = Duration::from_secs(120);
/// Starts tried, because a free port can be taken by somebody else before the program binds it.
const MAX_STARTS: usize = 3;
const SCANVEIL: &str = env!("CARGO_BIN_EXE_scanveil");

/// Whether a missing peer fails the test.
pub(crate) fn peers_are_required() -> bool {
    std::env::var_os("SCANVEIL_REQUIRE_SERVERS").is_some_and(|value| value == "1")
}

/// Finds a program of a peer; prints one line when it is not there.
pub(crate) fn peer(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let more = ["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from);
    let found = std::env::split_paths(&path).chain(more).map(|dir| dir.join(program));
    let found = found.into_iter().find(|file| file.is_file());
    absent_unless(found, program)
}

/// The Python that has the packages of scripts/requirements.txt; prints one line when there is
/// none.
pub(crate) fn peer_python() -> Option<PathBuf> {
    let venv = std::env::var_os("SCANVEIL_TEST_VENV").map(PathBuf::from);
    let python = venv.unwrap_or_else(|| workspace().join(".local/venv")).join("bin/python");
    absent_unless(Some(python).filter(|python| python.is_file()), "the Python of the test peers")
}

fn absent_unless(found: Option<PathBuf>, what: &str) -> Option<PathBuf> {
    if found.is_none() {
        assert!(!peers_are_required(), "{what} is missing: run scripts/setup test");
        eprintln!("skipped: {what} is missing (run scripts/setup test)");
    }
    found
}

/// The root of the workspace.
pub(crate) fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("crates/scanveil is two deep")
}

/// What a program printed, both streams, and whether it ended well.
pub(crate) struct Said {
    pub(crate) text: String,
    pub(crate) well: bool,
}

/// Runs a program to its end.
pub(crate) fn run(command: &mut Command) -> Said {
    let output = command.stdin(Stdio::null()).output();
    let output = output.unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let text = [output.stdout, output.stderr].concat();
    Said { text: String::from_utf8_lossy(&text).into_owned(), well: output.status.success() }
}

/// Runs a program that has to end well, and gives what it printed.
pub(crate) fn run_well(command: &mut Command) -> String {
    let said = run(command);
    assert!(said.well, "{command:?}: {}", said.text);
    said.text
}

/// One HTTP/1.0 exchange with a loopback port: status and body; nothing when nobody answers.
pub(crate) fn http(port: u16, head: &str, body: &[u8]) -> Option<(u16, Vec<u8>)> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok()?;
    stream.set_read_timeout(Some(LONG)).ok()?;
    let length = body.len();
    let head = format!("{head}\r\nHost: localhost:{port}\r\nContent-Length: {length}\r\n\r\n");
    stream.write_all(head.as_bytes()).ok()?;
    // A server that refuses may close before it has read everything: its answer counts.
    let _ = stream.write_all(body);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n")?;
    let status = std::str::from_utf8(answer.get(9..12)?).ok()?.parse().ok()?;
    Some((status, answer.split_off(end + 4)))
}

/// A hospital of the configuration.
pub(crate) struct Hospital {
    pub(crate) id: String,
    pub(crate) called: String,
    /// Lines of its table beside those that all have.
    pub(crate) more: String,
}

impl Hospital {
    /// A hospital that takes everything that comes from this machine.
    pub(crate) fn open(id: &str, called: &str) -> Self {
        let more = "calling = [{ network = \"127.0.0.0/8\" }]".to_owned();
        Self { id: id.to_owned(), called: called.to_owned(), more }
    }

    /// The token its uploads carry.
    pub(crate) fn token(&self) -> String {
        format!("svt_made-up-token-of-{}", self.id)
    }
}

/// What the service is started with.
pub(crate) struct Setup {
    pub(crate) hospitals: Vec<Hospital>,
    /// How long a study stays open, milliseconds.
    pub(crate) quiet_ms: u64,
    /// With a TLS listener for DICOM, for which [`Running::dir`] gets certificates.
    pub(crate) tls: bool,
}

/// The running service. Dropping it kills it and removes its folder.
pub(crate) struct Running {
    // Fields drop in this order: the process must be gone before its folder is removed.
    process: ChildGuard,
    pub(crate) dimse: u16,
    pub(crate) dimse_tls: u16,
    pub(crate) http: u16,
    dir: TempDir,
}

/// Instances in the current generation of research, and those held in quarantine by first reason.
#[derive(Debug)]
pub(crate) struct Fate {
    pub(crate) released: u64,
    pub(crate) held: BTreeMap<ReasonCode, u64>,
}

impl Fate {
    /// Instances in quarantine.
    pub(crate) fn held_back(&self) -> u64 {
        self.held.values().sum()
    }
}

/// Counters of one hospital.
pub(crate) type Counts = BTreeMap<Stage, u64>;

impl Running {
    /// Starts the service and waits until it is ready.
    pub(crate) fn start(setup: &Setup) -> Self {
        let mut log = String::new();
        for _ in 0..MAX_STARTS {
            match Self::try_start(setup) {
                Ok(running) => return running,
                Err(why) => log = why,
            }
        }
        panic!("the service did not get ready in {MAX_STARTS} starts: {log}");
    }

    fn try_start(setup: &Setup) -> Result<Self, String> {
        let dir = TempDir::with_prefix("scanveil-it-").expect("a temporary folder");
        let [dimse, dimse_tls, http] = free_ports::<3>();
        if setup.tls {
            write_certificates(dir.path());
        }
        let config = config(setup, [dimse, dimse_tls, http]);
        fs::write(dir.path().join("scanveil.toml"), config).expect("writing the configuration");
        let log = File::create(dir.path().join("log.txt")).expect("making the log");
        let mut command = Command::new(SCANVEIL);
        command
            .args(["serve", "--config", "scanveil.toml"])
            .current_dir(dir.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("sharing the log"))
            .stderr(log);
        let process = ChildGuard::spawn(&mut command).expect("starting scanveil");
        let mut running = Self { process, dimse, dimse_tls, http, dir };
        let ready =
            wait_until(LONG, || !running.process.is_running() || answers_ready(running.http));
        if ready && running.process.is_running() { Ok(running) } else { Err(running.log()) }
    }

    /// Its folder.
    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Its process id.
    pub(crate) fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// What it has logged and printed so far.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.dir().join("log.txt")).unwrap_or_default()
    }

    /// Asks it to stop and waits until it has.
    pub(crate) fn stop(&mut self) {
        self.process.terminate();
        let ended = self.process.wait(LONG);
        assert!(ended.is_some_and(|status| status.success()), "{ended:?}: {}", self.log());
    }

    /// Runs another command of the program with the same configuration.
    pub(crate) fn command(&self, arguments: &[&str]) -> String {
        let mut command = Command::new(SCANVEIL);
        command.args(arguments).args(["--config", "scanveil.toml"]).current_dir(self.dir());
        run_well(&mut command)
    }

    fn catalog(&self) -> Catalog {
        Catalog::open(&self.dir().join("data/catalog.sqlite")).expect("opening the catalogue")
    }

    /// The catalogue's counters by hospital.
    pub(crate) fn counts(&self) -> BTreeMap<String, Counts> {
        let mut counts = BTreeMap::<String, Counts>::new();
        for counter in self.catalog().counters().expect("reading the counters") {
            let hospital = counts.entry(counter.hospital.to_string()).or_default();
            hospital.insert(counter.stage, counter.total);
        }
        counts
    }

    /// Waits until the catalogue has so many instances received, over all hospitals.
    pub(crate) fn wait_for(&self, received: u64) {
        let mut found = 0;
        let done = wait_until(LONG, || {
            found = self.counts().values().filter_map(|c| c.get(&Stage::Received)).sum();
            found >= received
        });
        assert!(done, "{found} of {received} instances in the catalogue: {}", self.log());
    }

    /// What has become of everything that was received.
    pub(crate) fn fate(&self) -> Fate {
        let catalog = self.catalog();
        let project = ProjectName::parse("research").expect("a project's name");
        let studies = catalog.studies(&project).expect("reading the studies");
        let released = studies.iter().map(|study| study.released).sum();
        let mut fate = Fate { released, held: BTreeMap::new() };
        let mut filter = QuarantineFilter::default();
        loop {
            let page = catalog.quarantine(&filter, 500).expect("reading the quarantine");
            let Some(last) = page.last() else { return fate };
            filter.after = Some((last.object, last.entry, last.ordinal));
            for first in page.iter().filter(|record| record.ordinal == 0) {
                *fate.held.entry(first.code).or_default() += 1;
            }
        }
    }

    /// How many instances in quarantine wait for nothing any more, because their sender has sent
    /// others in their place: they are still there.
    pub(crate) fn replaced(&self) -> u64 {
        let catalog = self.catalog();
        let mut listed = BTreeSet::new();
        let mut filter = QuarantineFilter::default();
        loop {
            let page = catalog.quarantine(&filter, 500).expect("reading the quarantine");
            let Some(last) = page.last() else { break };
            filter.after = Some((last.object, last.entry, last.ordinal));
            listed.extend(page.iter().map(|record| (record.object, record.entry)));
        }
        let all = catalog.objects(&ObjectFilter::default(), u32::MAX).expect("reading the objects");
        let held = all.iter().filter(|object| object.zone == Zone::Quarantine);
        let kept: u64 = held.map(|object| object.entries).sum();
        kept - listed.len() as u64
    }

    /// Transfer syntaxes of the research copies, and how many there are of each.
    pub(crate) fn transfer_syntaxes(&self) -> BTreeMap<String, usize> {
        let catalog = self.catalog();
        let project = ProjectName::parse("research").expect("a project's name");
        let mut found = BTreeMap::new();
        for object in catalog.current_objects(&project).expect("reading the objects") {
            for instance in catalog.instances(&object.object).expect("reading the instances") {
                let syntax = instance.transfer_syntax.expect("a research copy names its syntax");
                *found.entry(syntax.as_str().to_owned()).or_default() += 1;
            }
        }
        found
    }

    /// How many different instances of a hospital are held for each reason.
    pub(crate) fn reasons(&self, hospital: &str) -> BTreeMap<ReasonCode, u64> {
        let hospital = HospitalId::parse(hospital).expect("a hospital's id");
        let counts = self.catalog().quarantine_counts().expect("reading the quarantine");
        let own = counts.iter().filter(|count| count.hospital == hospital);
        own.map(|count| (count.code, count.instances)).collect()
    }
}

fn answers_ready(port: u16) -> bool {
    matches!(http(port, "GET /health/ready HTTP/1.0", b""), Some((200, _)))
}

fn config(setup: &Setup, [dimse, dimse_tls, http]: [u16; 3]) -> String {
    let mut text = format!(
        "data_dir = \"data\"\n[dimse]\nlisten = \"127.0.0.1:{dimse}\"\n\
         [http]\nlisten = \"127.0.0.1:{http}\"\n[pipeline]\nquiet_ms = {}\n",
        setup.quiet_ms
    );
    if setup.tls {
        let _ = writeln!(
            text,
            "[dimse.tls]\nlisten = \"127.0.0.1:{dimse_tls}\"\ntls = {{ certificate = \
             \"server.pem\", key = \"server.key\", client_ca = \"ca.pem\" }}"
        );
    }
    for hospital in &setup.hospitals {
        let token = TokenDigest::of(&hospital.token());
        let _ = writeln!(
            text,
            "[[hospital]]\nid = \"{}\"\ncalled_ae = \"{}\"\nallow_plain_dimse = true\n\
             retention = {{ class = \"care\", years = 30 }}\ntokens = [\"{token}\"]\n{}",
            hospital.id, hospital.called, hospital.more
        );
    }
    text + "[[project]]\nname = \"research\"\n"
}

/// `ca.pem`, and certificates of that authority for `server` and `client`.
fn write_certificates(dir: &Path) {
    use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
    let ca_key = KeyPair::generate().expect("a key");
    let mut params = CertificateParams::new(Vec::new()).expect("an authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, "test authority");
    let ca = params.self_signed(&ca_key).expect("an authority");
    fs::write(dir.join("ca.pem"), ca.pem()).expect("writing a certificate");
    let issuer = Issuer::new(params, ca_key);
    for name in ["server", "client"] {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(vec!["localhost".into()]).expect("a certificate");
        params.distinguished_name.push(DnType::CommonName, name);
        let certificate = params.signed_by(&key, &issuer).expect("a certificate");
        fs::write(dir.join(format!("{name}.pem")), certificate.pem()).expect("writing it");
        let mut file = private(&dir.join(format!("{name}.key")));
        file.write_all(key.serialize_pem().as_bytes()).expect("writing a key");
    }
}

fn private(path: &Path) -> File {
    use std::os::unix::fs::OpenOptionsExt;
    let file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    file.expect("making a key file")
}
