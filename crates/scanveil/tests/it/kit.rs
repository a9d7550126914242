//! An installation that outlives its service: started, killed and started again on the same data,
//! and looked into with its own keys.

use crate::running::{LONG, http};
use scanveil_catalog::{Catalog, ObjectFilter};
use scanveil_dataset::{file_meta, peek_part10};
use scanveil_ingest::{DimseLimits, Sender, SenderOptions, Status, TokenDigest};
use scanveil_model::{AeTitle, Digest, HospitalId, ObjectId, ProjectName, Uid, Zone};
use scanveil_pipeline::{Config, Site, SiteMode, now_ms};
use scanveil_seal::PackReader;
use scanveil_storage::KeyPrefix;
use scanveil_synth::SynthInstance;
use scanveil_testkit::{ChildGuard, free_ports, wait_until};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use tempfile::TempDir;

/// The one hospital of these installations, and the AE title that selects it.
pub(crate) const HOSPITAL: &str = "mercy";
const CALLED: &str = "MERCY";
const TOKEN: &str = "svt_made-up-token-of-mercy";
/// Starts tried, because a free port can be taken by somebody else before the program binds it.
const MAX_STARTS: usize = 3;

/// What differs from one installation to another.
pub(crate) struct Wish {
    /// How long a study stays open, milliseconds.
    pub(crate) quiet_ms: u64,
    /// Further lines of `[spool]`.
    pub(crate) spool: String,
    /// The lines of `[store]`.
    pub(crate) store: String,
}

impl Default for Wish {
    fn default() -> Self {
        Self { quiet_ms: 150, spool: String::new(), store: String::new() }
    }
}

/// A folder with a configuration, and the service on it while it runs.
pub(crate) struct Installation {
    // Fields drop in this order: the process must be gone before its folder is removed.
    service: Option<ChildGuard>,
    dir: TempDir,
    wish: Wish,
    dimse: u16,
    http: u16,
}

/// What the store holds, by zone: the digest of the received bytes, as often as it is there.
pub(crate) type Holdings = BTreeMap<Zone, Vec<Digest>>;

impl Installation {
    /// Writes the configuration; nothing runs yet.
    pub(crate) fn new(wish: Wish) -> Self {
        let dir = TempDir::with_prefix("scanveil-it-").unwrap();
        let mut installation = Self { service: None, dir, wish, dimse: 0, http: 0 };
        installation.configure();
        installation
    }

    /// The installation with its service.
    pub(crate) fn started(wish: Wish) -> Self {
        let mut installation = Self::new(wish);
        installation.start();
        installation
    }

    fn configure(&mut self) {
        [self.dimse, self.http] = free_ports::<2>();
        let Wish { quiet_ms, spool, store } = &self.wish;
        let (dimse, http) = (self.dimse, self.http);
        let token = TokenDigest::of(TOKEN);
        let text = format!(
            "data_dir = \"data\"\n[spool]\nmin_free_bytes = 0\n{spool}\n[store]\n{store}\n\
             [dimse]\nlisten = \"127.0.0.1:{dimse}\"\n[http]\nlisten = \"127.0.0.1:{http}\"\n\
             [pipeline]\nquiet_ms = {quiet_ms}\n[[hospital]]\nid = \"{HOSPITAL}\"\n\
             called_ae = \"{CALLED}\"\ncalling = [{{ network = \"127.0.0.0/8\" }}]\n\
             allow_plain_dimse = true\ntokens = [\"{token}\"]\n\
             retention = {{ class = \"care\", years = 30 }}\n[[project]]\nname = \"research\"\n"
        );
        fs::write(self.file(), text).unwrap();
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.dir.path().join("scanveil.toml")
    }

    /// A path in its folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Everything that the service and the commands have logged.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.path("log.txt")).unwrap_or_default()
    }

    /// The end of the log, for messages.
    pub(crate) fn last_words(&self) -> String {
        let log = self.log();
        let lines: Vec<&str> = log.lines().rev().take(12).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("\n")
    }

    fn log_file(&self) -> File {
        OpenOptions::new().create(true).append(true).open(self.path("log.txt")).unwrap()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_scanveil"));
        command.args(arguments).env_remove("SCANVEIL_LOG").current_dir(self.dir.path());
        command.env("SCANVEIL_CONFIG", "scanveil.toml");
        command.stdin(Stdio::null());
        command
    }

    /// Starts the service and waits until it answers. It need not be ready: its store may be away.
    pub(crate) fn start(&mut self) {
        for _ in 0..MAX_STARTS {
            let mut command = self.command(&["serve", "--json"]);
            command.stdout(self.log_file()).stderr(self.log_file());
            let mut child = ChildGuard::spawn(&mut command).unwrap();
            let live = || http(self.http, "GET /health/live HTTP/1.0", b"");
            let up = || live().is_some_and(|(status, _)| status == 200);
            wait_until(LONG, || !child.is_running() || up());
            if child.is_running() {
                self.service = Some(child);
                return;
            }
            self.configure();
        }
        panic!("the service did not get ready in {MAX_STARTS} starts: {}", self.last_words());
    }

    /// Kills the service as a power cut would.
    pub(crate) fn kill(&mut self) {
        self.service.take().unwrap().kill();
    }

    /// Asks the service to stop and waits until it has.
    pub(crate) fn stop(&mut self) {
        let mut service = self.service.take().unwrap();
        service.terminate();
        let ended = service.wait(LONG);
        assert!(ended.is_some_and(|status| status.success()), "{ended:?}: {}", self.last_words());
    }

    /// The running service's process id.
    pub(crate) fn pid(&self) -> u32 {
        self.service.as_ref().unwrap().pid()
    }

    /// Runs a command of the program to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        let output = self.command(arguments).output().unwrap();
        self.log_file().write_all(&output.stderr).unwrap();
        output
    }

    /// Runs a command that has to end well, and gives what it printed.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let arguments = [arguments, &["--json"]].concat();
        let output = self.run(&arguments);
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Begins a command that is not waited for.
    pub(crate) fn begin(&self, arguments: &[&str]) -> ChildGuard {
        let mut command = self.command(arguments);
        command.stdout(self.log_file()).stderr(self.log_file());
        ChildGuard::spawn(&mut command).unwrap()
    }

    /// Makes a release, which has to succeed; gives its manifest.
    pub(crate) fn release(&self, out: &str) -> Value {
        self.json(&["release", "create", "--project", "research", "--out", out])
    }

    pub(crate) fn sender(&self, pairs: &[(Uid, Uid)]) -> Option<Sender> {
        self.sender_to(CALLED, pairs)
    }

    /// An association with the hospital of this AE title.
    pub(crate) fn sender_to(&self, called: &str, pairs: &[(Uid, Uid)]) -> Option<Sender> {
        let options = SenderOptions {
            peer: format!("127.0.0.1:{}", self.dimse),
            calling: AeTitle::parse("TESTPACS").unwrap(),
            called: AeTitle::parse(called).unwrap(),
            tls: None,
            limits: DimseLimits::default(),
        };
        Sender::associate(&options, pairs).ok()
    }

    /// Sends these over one association until one fails or the connection breaks; `acknowledged`
    /// hears of each that was taken. Gives the first status that was no success.
    pub(crate) fn push<'i>(
        &self,
        instances: impl IntoIterator<Item = &'i SynthInstance> + Clone,
        mut acknowledged: impl FnMut(&'i SynthInstance),
    ) -> Option<Status> {
        let pairs: BTreeSet<(Uid, Uid)> = instances.clone().into_iter().map(pair).collect();
        let mut sender = self.sender(&pairs.into_iter().collect::<Vec<_>>())?;
        for one in instances {
            let (class, syntax) = pair(one);
            let uid = Uid::parse(&one.sop_instance).unwrap();
            let status = sender.store(&class, &uid, &syntax, data_set(one)).ok()?;
            if !status.is_taken() {
                return Some(status);
            }
            acknowledged(one);
        }
        sender.release().ok();
        Some(Status::SUCCESS)
    }

    /// Sends these; all have to be taken.
    pub(crate) fn push_all<'i>(&self, instances: &'i [SynthInstance]) {
        let mut taken = 0;
        let status = self.push(instances, |_: &'i SynthInstance| taken += 1);
        assert_eq!(
            (status, taken),
            (Some(Status::SUCCESS), instances.len()),
            "{}",
            self.last_words()
        );
    }

    /// Sends files in one STOW-RS request; gives the status.
    pub(crate) fn stow(&self, files: &[&[u8]]) -> u16 {
        self.stow_as(TOKEN, files)
    }

    /// The same with another token.
    pub(crate) fn stow_as(&self, token: &str, files: &[&[u8]]) -> u16 {
        let mut body = Vec::new();
        for file in files {
            body.extend_from_slice(b"--cut\r\nContent-Type: application/dicom\r\n\r\n");
            body.extend_from_slice(file);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(b"--cut--\r\n");
        let head = format!(
            "POST /studies HTTP/1.0\r\nAuthorization: Bearer {token}\r\n\
             Accept: application/dicom+json\r\n\
             Content-Type: multipart/related; type=\"application/dicom\"; boundary=cut"
        );
        http(self.http, &head, &body).map_or(0, |(status, _)| status)
    }

    /// What the service says of itself.
    pub(crate) fn status(&self) -> Option<Value> {
        let (_, body) = http(self.http, "GET /api/status HTTP/1.0", b"")?;
        serde_json::from_slice(&body).ok()
    }

    /// What a GET of the service is answered with.
    pub(crate) fn get(&self, path: &str) -> Option<(u16, String)> {
        let (status, body) = http(self.http, &format!("GET {path} HTTP/1.0"), b"")?;
        Some((status, String::from_utf8_lossy(&body).into_owned()))
    }

    /// Waits until nothing is in the spool any more.
    pub(crate) fn settle(&self) {
        let begun = now_ms();
        let mut last = None;
        let empty = wait_until(LONG, || {
            last = self.status();
            // One look serves everybody for a second: an older one says nothing of now.
            last.as_ref().is_some_and(|status| {
                let fresh = status["taken_at_ms"].as_i64().is_some_and(|at| at > begun);
                fresh && status["spool"]["waiting"] == 0
            })
        });
        assert!(empty, "{last:?}\n{}", self.last_words());
    }

    /// Its parts, opened beside the service.
    pub(crate) fn open(&self) -> Arc<Site> {
        let config = Config::load(&self.file()).unwrap();
        Site::open(config, SiteMode::Command).unwrap().0
    }

    pub(crate) fn catalog(&self) -> Catalog {
        Catalog::open(&self.path("data/catalog.sqlite")).unwrap()
    }

    /// Opens every object in the store with the keyring and reads every instance in it; the
    /// catalogue has to say the same. Of research only the newest generation counts.
    pub(crate) fn holdings(&self) -> Holdings {
        let site = self.open();
        let mut holdings = Holdings::new();
        let current: BTreeSet<ObjectId> =
            site.catalog().current_objects(&research()).unwrap().iter().map(|o| o.object).collect();
        let known = site.catalog().objects(&ObjectFilter::default(), u32::MAX).unwrap();
        let known: BTreeSet<ObjectId> = known.iter().map(|object| object.object).collect();
        let mut stored = BTreeSet::new();
        for info in site.store().objects(KeyPrefix::All) {
            let key = info.unwrap().key;
            stored.insert(key.object());
            let pack = PackReader::open(site.store().open(&key).unwrap(), |header| {
                let scanveil_seal::KeyId::Subject(subject) = header.key_id else { panic!() };
                let subject = site.keyring().existing_subject(key.hospital(), &subject)?;
                Ok(subject.zone_key(header.zone))
            })
            .unwrap();
            pack.verify().unwrap();
            let entries = &pack.index().entries;
            let records = site.catalog().instances(&key.object()).unwrap();
            let digests: Vec<Digest> = records.iter().map(|record| record.digest).collect();
            assert_eq!(digests, entries.iter().map(|entry| entry.digest).collect::<Vec<_>>());
            if key.zone() != Zone::Research || current.contains(&key.object()) {
                let sources = entries.iter().map(|entry| entry.source.unwrap_or(entry.digest));
                holdings.entry(key.zone()).or_default().extend(sources);
            }
        }
        assert_eq!(stored, known, "the store and the catalogue differ");
        holdings
    }
}

pub(crate) fn research() -> ProjectName {
    ProjectName::parse("research").unwrap()
}

pub(crate) fn mercy() -> HospitalId {
    HospitalId::parse(HOSPITAL).unwrap()
}

pub(crate) fn pair(one: &SynthInstance) -> (Uid, Uid) {
    (Uid::parse(one.sop_class).unwrap(), Uid::parse(one.transfer_syntax).unwrap())
}

pub(crate) fn data_set(one: &SynthInstance) -> &[u8] {
    &one.file[peek_part10(&one.file).unwrap().data_set_at..]
}

/// Digest of what the receiver makes of an instance: by C-STORE only the data set travels, and the
/// receiver writes the file meta information (PS3.10 7.1).
pub(crate) fn by_c_store(one: &SynthInstance) -> Digest {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&file_meta(one.sop_class, &one.sop_instance, one.transfer_syntax));
    hasher.update(data_set(one));
    Digest(*hasher.finalize().as_bytes())
}

/// Every file below a folder, by its path from there.
pub(crate) fn files_below(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_owned();
                files.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    files
}

/// An address for messages and proxies on this machine.
pub(crate) fn loopback(port: u16) -> (Ipv4Addr, u16) {
    (Ipv4Addr::LOCALHOST, port)
}
