//! What every step has in common: it is checked, recorded, and done; and what is kept of it sealed.

use crate::cli::ConfigArg;
use crate::output::{Failure, io_failure};
use scanveil_govern::{
    Actor, Ask, AuditLog, ErrorCode, EscrowRequest, Event, GovernError, Office, OfficeGuard,
    Outcome, PersonName, Reason, RequestId, Token,
};
use scanveil_model::HospitalId;
use scanveil_pipeline::{Config, OsEntropy, Site};
use scanveil_seal::Entropy;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use zeroize::Zeroizing;

/// The folder of people, requests and the audit log, below the data folder.
const FOLDER: &str = "govern";
/// A token is 68 bytes; a longer file is another one.
const MOST_TOKEN_BYTES: u64 = 256;

/// When an action is recorded.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Recorded {
    /// Once, right before it is done.
    Before,
    /// That it begins, and how it ends.
    Around,
}

/// Where an installation's people, requests and audit log are.
pub(crate) fn folder(config: &Config) -> PathBuf {
    config.data_dir.join(FOLDER)
}

/// Whoever runs this program.
pub(crate) fn user() -> Actor {
    Actor::user(rustix::process::getuid().as_raw())
}

/// Checks an action, records it, and does it. What `check` refuses is recorded as refused; what
/// cannot be recorded is not done.
pub(crate) fn step<C, R>(
    log: &AuditLog,
    mut event: Event,
    recorded: Recorded,
    check: impl FnOnce(&mut Event) -> Result<C, Failure>,
    act: impl FnOnce(C, &mut Event) -> Result<R, Failure>,
) -> Result<R, Failure> {
    let end = |event: &mut Event, outcome, failure: Option<&Failure>| {
        event.outcome = outcome;
        event.code = failure.and_then(|failure| ErrorCode::parse(&failure.0.code));
        event.at_ms = scanveil_pipeline::now_ms();
        log.append(event)
    };
    let checked = match check(&mut event) {
        Ok(checked) => checked,
        Err(failure) => {
            end(&mut event, Outcome::Refused, Some(&failure))?;
            return Err(failure);
        }
    };
    let around = recorded == Recorded::Around;
    end(&mut event, if around { Outcome::Begun } else { Outcome::Done }, None)?;
    match act(checked, &mut event) {
        Ok(result) => {
            if around {
                end(&mut event, Outcome::Done, None)?;
            }
            Ok(result)
        }
        Err(failure) => {
            end(&mut event, Outcome::Failed, Some(&failure))?;
            Err(failure)
        }
    }
}

/// An installation, and its people and requests.
pub(crate) struct Desk {
    pub(crate) site: Arc<Site>,
    pub(crate) office: Office,
}

impl Desk {
    pub(crate) fn open(arg: &ConfigArg) -> Result<Self, Failure> {
        let site = super::super::site(arg)?;
        let office = Office::open(folder(&site.config()))?;
        Ok(Self { site, office })
    }

    /// As [`step`], into this installation's log.
    pub(crate) fn step<C, R>(
        &self,
        event: Event,
        recorded: Recorded,
        check: impl FnOnce(&mut Event) -> Result<C, Failure>,
        act: impl FnOnce(C, &mut Event) -> Result<R, Failure>,
    ) -> Result<R, Failure> {
        step(&self.office.log(), event, recorded, check, act)
    }

    /// Opens the sealed state of a request.
    pub(crate) fn load(&self, id: &RequestId) -> Result<EscrowRequest, Failure> {
        let sealed = self.office.request(id)?;
        let (hospital, bytes) = self.site.keyring().open_note(&note_name(id), &sealed)?;
        let request = EscrowRequest::from_bytes(id, &bytes)?;
        if request.ask().hospital != hospital {
            return Err(GovernError::RequestDamaged(id.clone()).into());
        }
        Ok(request)
    }

    /// Seals the state of a request under its hospital's key.
    pub(crate) fn save(&self, lock: &OfficeGuard, request: &EscrowRequest) -> Result<(), Failure> {
        let (id, hospital) = (&request.ask().id, &request.ask().hospital);
        let bytes = request.to_bytes();
        let sealed = self.site.keyring().seal_note(hospital, &note_name(id), &bytes)?;
        Ok(self.office.save_request(lock, id, &sealed)?)
    }

    /// Keeps a reason in somebody's own words, sealed; the log names it.
    pub(crate) fn keep_reason(
        &self,
        hospital: &HospitalId,
        by: &PersonName,
        reason: &Reason,
    ) -> Result<RequestId, Failure> {
        let id = RequestId::generate(&|bytes| OsEntropy.fill(bytes));
        let note = serde_json::json!({ "by": by, "reason": reason.as_str() }).to_string();
        let name = format!("quarantine export {id}");
        let sealed = self.site.keyring().seal_note(hospital, &name, note.as_bytes())?;
        self.office.save_export(&self.office.lock()?, &id, &sealed)?;
        Ok(id)
    }

    /// Whom a request is about, as a keyed hash: the same for every request about the same target.
    pub(crate) fn reference(&self, ask: &Ask) -> Result<[u8; 16], Failure> {
        let keys = self.site.keyring().existing_hospital(&ask.hospital)?;
        Ok(keys.key.keyed_id("audit reference", ask.target.as_str().as_bytes()))
    }

    /// Says in an event what it is about.
    pub(crate) fn describe(&self, event: &mut Event, ask: &Ask) -> Result<(), Failure> {
        event.hospital = Some(ask.hospital.clone());
        event.project = Some(ask.project.clone());
        event.reference = Some(self.reference(ask)?);
        Ok(())
    }
}

fn note_name(id: &RequestId) -> String {
    format!("escrow request {id}")
}

/// Reads a token from a file that only its owner can read, or from standard input.
pub(crate) fn read_token(path: Option<&Path>) -> Result<Token, Failure> {
    let failed = |error: &io::Error| io_failure("the token", error);
    let mut text = Zeroizing::new(String::with_capacity(MOST_TOKEN_BYTES as usize));
    let read = match path {
        None => io::stdin().take(MOST_TOKEN_BYTES).read_to_string(&mut text),
        Some(path) => {
            let file = File::open(path).map_err(|error| failed(&error))?;
            let found = file.metadata().map_err(|error| failed(&error))?;
            if found.permissions().mode() & 0o077 != 0 {
                return Err(GovernError::TokenExposed.into());
            }
            file.take(MOST_TOKEN_BYTES).read_to_string(&mut text)
        }
    };
    read.map_err(|error| failed(&error))?;
    Ok(Token::parse(&text)?)
}
