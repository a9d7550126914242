//! A real S3 server (SeaweedFS) for one test.

use crate::child::{ChildGuard, wait_until};
use crate::{free_ports, http};
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// Environment variable that names a virtual environment with `bin/weed`.
const VENV_VARIABLE: &str = "SCANVEIL_TEST_VENV";
/// When this environment variable is `1`, a missing server fails the test instead of skipping it.
const REQUIRE_VARIABLE: &str = "SCANVEIL_REQUIRE_SERVERS";
/// Longest time from start to the first accepted write; 3 to 5 s on an idle machine.
const READY_LIMIT: Duration = Duration::from_secs(90);
/// Starts tried, because a free port can be taken by somebody else before the server binds it.
const MAX_STARTS: usize = 3;
/// The bucket that is there when the server is handed over.
const BUCKET: &str = "scanveil-test";

/// A SeaweedFS server with one empty bucket, on free loopback ports and a folder of its own.
/// Dropping it kills the server (SIGKILL: a graceful stop takes more than 20 s) and removes the
/// folder.
#[derive(Debug)]
pub struct S3Server {
    // Fields drop in this order: the process must be gone before its folder is removed.
    process: ChildGuard,
    s3_port: u16,
    credentials_file: PathBuf,
    dir: TempDir,
}

impl S3Server {
    /// Starts a server and waits until it takes writes.
    ///
    /// `None` when no `weed` is found in `$SCANVEIL_TEST_VENV/bin`, `.local/venv/bin` or `PATH`: it
    /// then prints one line and the test returns.
    ///
    /// # Panics
    /// When the server does not get ready, or is missing while `SCANVEIL_REQUIRE_SERVERS=1` says
    /// that it may not be.
    #[must_use]
    pub fn start() -> Option<Self> {
        let Some(weed) = find_weed() else {
            assert!(
                std::env::var_os(REQUIRE_VARIABLE).is_none_or(|v| v != "1"),
                "no S3 server (weed) found, and {REQUIRE_VARIABLE}=1: run scripts/setup"
            );
            eprintln!("skipped: no S3 server (run scripts/setup)");
            return None;
        };
        let mut log = String::new();
        for _ in 0..MAX_STARTS {
            match Self::try_start(&weed) {
                Ok(server) => return Some(server),
                Err(why) => log = why,
            }
        }
        panic!("the S3 server did not get ready in {MAX_STARTS} starts; its last words: {log}");
    }

    /// `http://127.0.0.1:<port>`.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.s3_port)
    }

    /// The bucket that is there from the start.
    #[must_use]
    pub fn bucket(&self) -> &'static str {
        BUCKET
    }

    /// A region name to configure; this server takes any.
    #[must_use]
    pub fn region(&self) -> &'static str {
        "us-east-1"
    }

    /// The access key id that may do everything.
    #[must_use]
    pub fn access_key_id(&self) -> &'static str {
        "test"
    }

    /// The secret access key that goes with it.
    #[must_use]
    pub fn secret_access_key(&self) -> &'static str {
        "testsecret"
    }

    /// A credentials file (mode 0600) with both keys, in the form of AWS's shared credentials file.
    #[must_use]
    pub fn credentials_file(&self) -> &Path {
        &self.credentials_file
    }

    /// A folder that goes when the server goes, for what a test needs beside it.
    #[must_use]
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// The server's process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Kills the server and leaves the rest, to see what a client does then.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    fn try_start(weed: &Path) -> Result<Self, String> {
        let dir = TempDir::with_prefix("scanveil-s3-").expect("making a temporary folder");
        let (config, credentials_file) = write_config(dir.path());
        let log_path = dir.path().join("server.log");
        let log = File::create(&log_path).expect("making the server's log file");
        let ports = free_ports::<9>();
        let mut command = Command::new(weed);
        command
            .args(server_arguments(dir.path(), &config, &ports))
            .current_dir(dir.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("sharing the log file"))
            .stderr(log);
        let process = ChildGuard::spawn(&mut command)
            .unwrap_or_else(|e| panic!("{} cannot be started: {e}", weed.display()));
        let mut server = Self { process, s3_port: ports[S3], credentials_file, dir };
        if server.wait_ready(ports[FILER]) {
            return Ok(server);
        }
        server.kill();
        let log = fs::read(&log_path).unwrap_or_default();
        let tail = &log[log.len().saturating_sub(2000)..];
        Err(String::from_utf8_lossy(tail).into_owned())
    }

    /// Health first, then a first write through the filer, which needs the volume server to be up;
    /// the filer takes it unsigned, and its `/buckets` folder is what the S3 side serves.
    fn wait_ready(&mut self, filer: u16) -> bool {
        let ok = |answer: Option<u16>| answer.is_some_and(|status| (200..300).contains(&status));
        let probe = format!("/buckets/{BUCKET}/ready");
        let s3_port = self.s3_port;
        let mut gone = false;
        let ready = wait_until(READY_LIMIT, || {
            gone = !self.process.is_running();
            gone || (ok(http::status(s3_port, "GET", "/healthz", b""))
                && ok(http::status(filer, "PUT", &probe, b"ready"))
                && ok(http::status(filer, "DELETE", &probe, b"")))
        });
        ready && !gone
    }
}

/// Places in the array of ports.
const MASTER: usize = 0;
const VOLUME: usize = 2;
const FILER: usize = 4;
const S3: usize = 6;

fn server_arguments(dir: &Path, config: &Path, ports: &[u16; 9]) -> Vec<String> {
    let data = dir.join("data");
    let logs = dir.join("logs");
    for folder in [&data, &logs] {
        fs::create_dir_all(folder).expect("making a temporary folder");
    }
    let mut arguments = vec![
        format!("-logdir={}", logs.display()),
        "server".to_owned(),
        format!("-dir={}", data.display()),
        "-ip=127.0.0.1".to_owned(),
        "-ip.bind=127.0.0.1".to_owned(),
        "-filer".to_owned(),
        "-s3".to_owned(),
        format!("-s3.config={}", config.display()),
        // The server reports usage to its makers unless told not to.
        "-master.telemetry=false".to_owned(),
        "-volume.max=50".to_owned(),
        "-master.volumeSizeLimitMB=64".to_owned(),
        "-s3.port.iceberg=0".to_owned(),
        "-s3.port.lance=0".to_owned(),
        format!("-debug.port={}", ports[8]),
        format!("-filer.localSocket={}", dir.join("filer.sock").display()),
        format!("-s3.localSocket={}", dir.join("s3.sock").display()),
    ];
    for (name, at) in [("master", MASTER), ("volume", VOLUME), ("filer", FILER), ("s3", S3)] {
        arguments.push(format!("-{name}.port={}", ports[at]));
        arguments.push(format!("-{name}.port.grpc={}", ports[at + 1]));
    }
    arguments
}

fn write_config(dir: &Path) -> (PathBuf, PathBuf) {
    let config = dir.join("s3.json");
    private_file(
        &config,
        r#"{"identities":[{"name":"t","credentials":[{"accessKey":"test","secretKey":"testsecret"}],
            "actions":["Admin","Read","List","Tagging","Write"]}]}"#,
    );
    let credentials = dir.join("credentials");
    private_file(
        &credentials,
        "[default]\naws_access_key_id = test\naws_secret_access_key = testsecret\n",
    );
    (config, credentials)
}

fn private_file(path: &Path, text: &str) {
    fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .expect("writing a file of the test server");
}

fn find_weed() -> Option<PathBuf> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2);
    let venv = std::env::var_os(VENV_VARIABLE).map(|venv| PathBuf::from(venv).join("bin"));
    let local = workspace.map(|root| root.join(".local/venv/bin"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    venv.into_iter()
        .chain(local)
        .chain(std::env::split_paths(&path))
        .map(|folder| folder.join("weed"))
        .find(|file| file.is_file())
}
