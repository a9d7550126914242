//! What must be known to reach a bucket, and from where the credentials come.

use crate::{Result, StorageError};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Longest wait for a connection, in milliseconds.
pub(crate) const CONNECT_TIMEOUT_MS: u64 = 10_000;
/// Longest wait for the first byte of an answer, in milliseconds.
pub(crate) const READ_TIMEOUT_MS: u64 = 60_000;
/// Longest single attempt, in milliseconds: one part of 16 MiB over a line of 1 Mbit/s.
pub(crate) const ATTEMPT_TIMEOUT_MS: u64 = 180_000;
/// Most attempts that can be configured.
const MAX_ATTEMPTS: u32 = 10;
/// Attempts where nothing is configured.
const DEFAULT_ATTEMPTS: u32 = 4;
/// Longest credentials file.
const MAX_CREDENTIALS_BYTES: u64 = 16 * 1024;
/// Longest access key id, secret or session token.
const MAX_SECRET_BYTES: usize = 4096;

/// Where the bucket is and how to talk to it. Holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct S3Config {
    /// `https://host[:port]`; none for Amazon's own endpoint of the region.
    #[serde(default)]
    pub endpoint: Option<String>,
    /// The region the bucket must be in.
    pub region: String,
    /// The bucket.
    pub bucket: String,
    /// Whether the bucket's name stands in the path instead of the host name, as most services
    /// other than Amazon's need it.
    #[serde(default)]
    pub path_style: bool,
    /// A file with the credentials, mode 0600; none to take them from the environment.
    #[serde(default)]
    pub credentials_file: Option<PathBuf>,
    /// Whether uploads carry a CRC-32 that the store checks.
    #[serde(default)]
    pub request_checksum_calculation: ChecksumMode,
    /// Allows plain http to another machine.
    #[serde(default)]
    pub allow_plain_http: bool,
    /// Attempts for each request, 1 to 10.
    #[serde(default = "default_attempts")]
    pub attempts: u32,
}

fn default_attempts() -> u32 {
    DEFAULT_ATTEMPTS
}

impl S3Config {
    /// A configuration with only what has no default.
    #[must_use]
    pub fn new(region: &str, bucket: &str) -> Self {
        Self {
            endpoint: None,
            region: region.to_owned(),
            bucket: bucket.to_owned(),
            path_style: false,
            credentials_file: None,
            request_checksum_calculation: ChecksumMode::default(),
            allow_plain_http: false,
            attempts: DEFAULT_ATTEMPTS,
        }
    }

    /// Looks at every setting without reaching for the store or the credentials.
    ///
    /// # Errors
    /// [`StorageError::Config`] or [`StorageError::InsecureEndpoint`].
    pub fn validate(&self) -> Result<()> {
        let wrong = |setting, what| Err(StorageError::Config { setting, what });
        let word = |text: &str, others: &[u8]| {
            text.bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || others.contains(&b))
        };
        if !(3..=63).contains(&self.bucket.len()) || !word(&self.bucket, b".-") {
            return wrong("bucket", "must be 3 to 63 of a-z, 0-9, `.` and `-`");
        }
        if !(1..=32).contains(&self.region.len()) || !word(&self.region, b"-") {
            return wrong("region", "must be 1 to 32 of a-z, 0-9 and `-`");
        }
        if !(1..=MAX_ATTEMPTS).contains(&self.attempts) {
            return wrong("attempts", "must be 1 to 10");
        }
        let Some(endpoint) = &self.endpoint else { return Ok(()) };
        let Some((secure, host)) = parse_endpoint(endpoint) else {
            return wrong("endpoint", "must be https://host or https://host:port");
        };
        if !secure && !is_loopback(host) && !self.allow_plain_http {
            return Err(StorageError::InsecureEndpoint);
        }
        Ok(())
    }
}

/// Splits an endpoint into whether it is https and its host.
fn parse_endpoint(text: &str) -> Option<(bool, &str)> {
    let (secure, rest) = match text.strip_prefix("https://") {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix("http://")?),
    };
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    let (host, port) = if let Some(rest) = rest.strip_prefix('[') {
        let (host, port) = rest.split_once(']')?;
        host.parse::<Ipv6Addr>().ok()?;
        (host, if port.is_empty() { None } else { Some(port.strip_prefix(':')?) })
    } else {
        let (host, port) = rest.split_once(':').map_or((rest, None), |(h, p)| (h, Some(p)));
        // This also refuses user names, paths and queries.
        let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'.' || b == b'-';
        if host.is_empty() || !host.bytes().all(plain) {
            return None;
        }
        (host, port)
    };
    if let Some(port) = port {
        port.parse::<u16>().ok().filter(|port| *port != 0)?;
    }
    Some((secure, host))
}

fn is_loopback(host: &str) -> bool {
    host == "localhost"
        || host.parse::<Ipv4Addr>().is_ok_and(|ip| ip.is_loopback())
        || host.parse::<Ipv6Addr>().is_ok_and(|ip| ip.is_loopback())
}

/// Whether uploads carry a checksum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChecksumMode {
    /// Every upload carries a CRC-32, which the store checks and answers with.
    #[default]
    WhenSupported,
    /// Only where S3 demands one: for stores that refuse checksums they do not know.
    WhenRequired,
}

/// Access key id, secret access key and, if temporary, session token. Never shown.
pub struct S3Credentials {
    access_key_id: Zeroizing<String>,
    secret_access_key: Zeroizing<String>,
    session_token: Option<Zeroizing<String>>,
}

impl fmt::Debug for S3Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("S3Credentials(..)")
    }
}

impl S3Credentials {
    /// From the file when one is named, else from the environment variables `AWS_ACCESS_KEY_ID`,
    /// `AWS_SECRET_ACCESS_KEY` and, if there, `AWS_SESSION_TOKEN`.
    ///
    /// # Errors
    /// [`StorageError`] `Credentials...`.
    pub fn load(file: Option<&Path>) -> Result<Self> {
        match file {
            Some(path) => Self::from_file(path),
            None => Self::from_variables(|name| std::env::var(name).ok()),
        }
    }

    pub(crate) fn from_variables(get: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let need = |variable: &'static str| {
            get(variable)
                .filter(|value| is_secret(value))
                .map(Zeroizing::new)
                .ok_or(StorageError::CredentialsMissing { variable })
        };
        Ok(Self {
            access_key_id: need("AWS_ACCESS_KEY_ID")?,
            secret_access_key: need("AWS_SECRET_ACCESS_KEY")?,
            session_token: get("AWS_SESSION_TOKEN").filter(|v| is_secret(v)).map(Zeroizing::new),
        })
    }

    /// The form of AWS's shared credentials file with one profile: an optional `[name]`, then
    /// `aws_access_key_id = ...`, `aws_secret_access_key = ...`, perhaps `aws_session_token = ...`.
    fn from_file(path: &Path) -> Result<Self> {
        let failed = |error| StorageError::io("reading the credentials file", error);
        let wrong = |what| StorageError::CredentialsFileFormat { path: path.to_owned(), what };
        let file = File::open(path).map_err(failed)?;
        let found = file.metadata().map_err(failed)?;
        let mode = found.permissions().mode() & 0o7777;
        if !found.is_file() {
            return Err(wrong("it is not a regular file"));
        }
        if mode & 0o077 != 0 {
            return Err(StorageError::CredentialsFileMode { path: path.to_owned(), mode });
        }
        if found.len() > MAX_CREDENTIALS_BYTES {
            return Err(wrong("it is too long"));
        }
        // Reserved at once, so that no copy of the secret is left behind by growing.
        let mut text = Zeroizing::new(String::with_capacity(MAX_CREDENTIALS_BYTES as usize));
        file.take(MAX_CREDENTIALS_BYTES)
            .read_to_string(&mut text)
            .map_err(|_| wrong("it cannot be read as text"))?;
        Self::from_text(&text).map_err(wrong)
    }

    fn from_text(text: &str) -> Result<Self, &'static str> {
        let (mut id, mut secret, mut token) = (None, None, None);
        let mut sections = 0;
        for line in text.lines().map(str::trim) {
            if line.is_empty() || line.starts_with('#') || line.starts_with(';') {
                continue;
            }
            if line.starts_with('[') {
                sections += 1;
                continue;
            }
            let (name, value) = line.split_once('=').ok_or("a line is not `name = value`")?;
            let place = match name.trim() {
                "aws_access_key_id" => &mut id,
                "aws_secret_access_key" => &mut secret,
                "aws_session_token" => &mut token,
                _ => return Err("it has a setting that is not a credential"),
            };
            let value = value.trim();
            if !is_secret(value) {
                return Err("a value is empty, too long or has a character no credential has");
            }
            if place.replace(Zeroizing::new(value.to_owned())).is_some() {
                return Err("a setting stands there twice");
            }
        }
        if sections > 1 {
            return Err("it has more than one profile");
        }
        Ok(Self {
            access_key_id: id.ok_or("aws_access_key_id is missing")?,
            secret_access_key: secret.ok_or("aws_secret_access_key is missing")?,
            session_token: token,
        })
    }

    pub(crate) fn provider(&self) -> aws_credential_types::Credentials {
        aws_credential_types::Credentials::new(
            self.access_key_id.as_str(),
            self.secret_access_key.as_str(),
            self.session_token.as_ref().map(|token| token.to_string()),
            None,
            "scanveil",
        )
    }
}

fn is_secret(text: &str) -> bool {
    (1..=MAX_SECRET_BYTES).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\'')
}
