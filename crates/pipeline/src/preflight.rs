//! What would keep the service from starting, or from receiving anything, found without starting
//! it: files, folders, addresses, callers.

use crate::config::{Config, StoreKind, Tls};
use crate::keys::sealed_on_disk;
use crate::site::load_profile;
use rustix::fs::{Access, access};
use scanveil_ingest::{ClientAuth, TlsServer, TokenDigest, TokenTable};
use scanveil_model::Coded;
use scanveil_storage::S3Credentials;
use scanveil_vault::{BadKeyFile, Keyring, KeyringError, bad_key_files};
use std::fs::{self, File};
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// How bad a problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// The service starts, and something that is configured can never work.
    Useless,
    /// The service does not start.
    Fatal,
}

impl Severity {
    /// As it stands in a table.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Useless => "cannot work",
            Self::Fatal => "does not start",
        }
    }
}

/// Something about the configuration that its text alone does not show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// How bad it is.
    pub severity: Severity,
    /// The setting that it is about.
    pub setting: String,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub next_step: String,
}

/// Looks at everything that the configuration names on this machine. Nothing is made or changed.
#[must_use]
pub fn preflight(config: &Config) -> Vec<Problem> {
    let mut found = Findings::default();
    found.data(config);
    found.store(config);
    found.receivers(config);
    found.hospitals(config);
    for project in &config.projects {
        let setting = format!("project {}: profile", project.name);
        if let Err(error) = load_profile(&project.profile) {
            found.coded(&setting, &error);
        }
    }
    found.0
}

/// Looks at the addresses: whether they are this machine's, free, and each another.
#[must_use]
pub fn check_addresses(config: &Config) -> Vec<Problem> {
    let mut found = Findings::default();
    let mut addresses = vec![("http.listen", config.http.listen)];
    addresses.extend(config.dimse.listen.map(|at| ("dimse.listen", at)));
    addresses.extend(config.dimse.tls.as_ref().map(|at| ("dimse.tls.listen", at.listen)));
    addresses.extend(config.http.health.as_ref().map(|at| ("http.health.listen", at.listen)));
    for (number, (setting, address)) in addresses.iter().enumerate() {
        let clash = addresses[..number].iter().find(|(_, other)| overlap(*address, *other));
        if let Some((other, _)) = clash {
            let what = format!("{address} is the address of {other} too");
            found.add(Severity::Fatal, setting, what, "give each listener a port of its own");
        } else if let Err(error) = TcpListener::bind(address) {
            let (severity, step) = match error.kind() {
                io::ErrorKind::AddrInUse => {
                    (Severity::Note, "if it is not this service that runs already, free the port")
                }
                io::ErrorKind::PermissionDenied => {
                    (Severity::Fatal, "take a port over 1023, or give the service the right to it")
                }
                _ => (Severity::Fatal, "name an address of this machine"),
            };
            found.add(severity, setting, format!("cannot listen on {address}: {error}"), step);
        }
    }
    found.0
}

fn overlap(a: SocketAddr, b: SocketAddr) -> bool {
    let any = a.ip().is_unspecified() || b.ip().is_unspecified();
    a.port() == b.port() && a.port() != 0 && (any || a.ip() == b.ip())
}

#[derive(Default)]
struct Findings(Vec<Problem>);

impl Findings {
    fn add(&mut self, severity: Severity, setting: &str, what: impl Into<String>, step: &str) {
        self.0.push(Problem {
            severity,
            setting: setting.to_owned(),
            what: what.into(),
            next_step: step.to_owned(),
        });
    }

    fn coded(&mut self, setting: &str, error: &dyn Coded) {
        self.add(Severity::Fatal, setting, error.to_string(), &error.next_step());
    }

    /// A folder that the service makes or uses.
    fn folder(&mut self, setting: &str, path: &Path, must_exist: bool) {
        let step = "make the folder, or correct its path, and give it to the service's user";
        let Some(there) =
            path.ancestors().find(|above| above.as_os_str().is_empty() || above.exists())
        else {
            return self.add(Severity::Fatal, setting, "no part of its path is there", step);
        };
        let there = if there.as_os_str().is_empty() { Path::new(".") } else { there };
        let what = if must_exist && there != path {
            format!("{} is not there", path.display())
        } else if !there.is_dir() {
            format!("{} is no folder", there.display())
        } else if access(there, Access::WRITE_OK | Access::EXEC_OK).is_err() {
            format!("{} may not be written", there.display())
        } else {
            return;
        };
        self.add(Severity::Fatal, setting, what, step);
    }

    /// A file that only its owner may read.
    fn private(&mut self, setting: &str, path: &Path) -> bool {
        let what = match File::open(path).and_then(|file| file.metadata()) {
            Err(error) => format!("{} cannot be read: {error}", path.display()),
            Ok(found) if !found.is_file() => format!("{} is no file", path.display()),
            Ok(found) if found.permissions().mode() & 0o077 != 0 => {
                let what = format!("{} can be read by others than its owner", path.display());
                self.add(
                    Severity::Fatal,
                    setting,
                    what,
                    "run chmod 600 on it; if others may have \
                     read it, make a new key",
                );
                return false;
            }
            Ok(_) => return true,
        };
        self.add(
            Severity::Fatal,
            setting,
            what,
            "correct the path, and give the file to the \
             service's user",
        );
        false
    }

    fn data(&mut self, config: &Config) {
        self.folder("data_dir", &config.data_dir, false);
        let keys = config.keys_dir();
        self.keys(config, &keys);
        let mode = fs::metadata(&config.data_dir).map_or(0, |found| found.permissions().mode());
        if mode & 0o077 != 0 {
            let what = format!("others may look into {}", config.data_dir.display());
            self.add(Severity::Note, "data_dir", what, "run chmod 700 on it");
        }
    }

    /// Keys that are not there, or cannot be used. One damaged file concerns one hospital or
    /// patient: the others are received.
    fn keys(&mut self, config: &Config, keys: &Path) {
        if let (Ok(false), Some(found)) = (Keyring::is_in(keys), sealed_on_disk(config)) {
            self.coded("keys_dir", &KeyringError::Lost { path: keys.to_owned(), found });
        }
        for BadKeyFile { file, report, is_root } in bad_key_files(keys) {
            let severity = if is_root { Severity::Fatal } else { Severity::Note };
            let setting = format!("keys_dir: {}", file.display());
            self.add(severity, &setting, report.message, &report.next_step);
        }
    }

    fn store(&mut self, config: &Config) {
        match config.store.kind() {
            StoreKind::Folder => {
                if let Some(path) = &config.store.path {
                    self.folder("store.path", path, false);
                }
            }
            StoreKind::S3 => {
                let file = config.store.credentials_file.as_deref();
                if let Err(error) = S3Credentials::load(file) {
                    self.coded("store.credentials_file", &error);
                }
            }
        }
    }

    fn receivers(&mut self, config: &Config) {
        if let Some(tls) = &config.http.tls {
            self.tls("http.tls", tls, &ClientAuth::None);
        }
        if let Some(tls) = config.http.health.as_ref().and_then(|health| health.tls.as_ref()) {
            self.tls("http.health.tls", tls, &ClientAuth::None);
        }
        match config.dimse.tls.as_ref().map(|listener| &listener.tls) {
            None => {}
            Some(None) => self.add(
                Severity::Fatal,
                "dimse.tls",
                "it has an address and no certificate",
                "add tls = { certificate = ..., key = ..., client_ca = ... }",
            ),
            Some(Some(Tls { client_ca: None, .. })) => self.add(
                Severity::Fatal,
                "dimse.tls",
                "it names no client_ca: anybody could send",
                "name the certificates of the authorities whose senders are let in",
            ),
            Some(Some(tls @ Tls { client_ca: Some(clients), .. })) => {
                self.tls("dimse.tls", tls, &ClientAuth::Required(clients.clone()));
            }
        }
        if config.dimse.max_associations == 0 {
            let step = "allow at least one, or leave the setting out";
            self.add(Severity::Fatal, "dimse.max_associations", "no association is let in", step);
        }
        if let Some(Err(error)) = config.http.operator_token.as_deref().map(TokenDigest::parse) {
            self.coded("http.operator_token", &error);
        }
    }

    fn tls(&mut self, setting: &str, tls: &Tls, clients: &ClientAuth) {
        if self.private(&format!("{setting}.key"), &tls.key)
            && let Err(error) = TlsServer::from_pem_files(&tls.certificate, &tls.key, clients)
        {
            self.coded(setting, &error);
        }
    }

    fn hospitals(&mut self, config: &Config) {
        if config.hospitals.is_empty() {
            let step = "add a [[hospital]]: `scanveil config example` shows one";
            self.add(Severity::Useless, "hospital", "there is none: nothing is received", step);
        }
        let mut tokens = Vec::new();
        for hospital in &config.hospitals {
            let setting = |name: &str| format!("hospital {}: {name}", hospital.id);
            if let Some(folder) = &hospital.folder {
                self.folder(&setting("folder"), folder, true);
            }
            for digest in &hospital.tokens {
                match TokenDigest::parse(digest) {
                    Ok(digest) => tokens.push((digest, hospital.id.clone())),
                    Err(error) => self.coded(&setting("tokens"), &error),
                }
            }
            if hospital.called_ae.is_some() && hospital.calling.is_empty() {
                let step = "list who may call, such as calling = [{ network = \"10.1.0.0/16\" }]";
                let what = "nobody may send to its AE title";
                self.add(Severity::Useless, &setting("calling"), what, step);
            }
            let plain = hospital.allow_plain_dimse && config.dimse.listen.is_some();
            if hospital.called_ae.is_some() && !plain && config.dimse.tls.is_none() {
                let step = "add [dimse.tls], or say allow_plain_dimse = true on a trusted network";
                let what = "no listener takes its AE title";
                self.add(Severity::Useless, &setting("called_ae"), what, step);
            }
            if hospital.called_ae.is_none()
                && hospital.tokens.is_empty()
                && hospital.folder.is_none()
            {
                let step = "give it a called_ae with callers, a token or a folder";
                self.add(Severity::Useless, &setting("id"), "there is no way to send", step);
            }
        }
        if let Err(error) = TokenTable::new(tokens) {
            self.coded("hospital: tokens", &error);
        }
    }
}
