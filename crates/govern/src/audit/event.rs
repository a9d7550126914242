//! What one event of the log says. Nothing in it identifies a patient.

use crate::{PersonName, RequestId};
use scanveil_model::{Decision, Digest, Hex, HospitalId, ProjectName};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt;

/// The newest format of an event.
pub(super) const FORMAT: u32 = 1;

/// A short word of fixed characters, which can hold no value of a data set.
macro_rules! word {
    ($(#[$doc:meta])* $name:ident, $max:literal, $ok:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Cow<'static, str>);

        impl $name {
            /// The word, where it is one.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                let ok: fn(u8) -> bool = $ok;
                let right = (1..=$max).contains(&text.len()) && text.bytes().all(ok);
                right.then(|| Self(Cow::Owned(text.to_owned())))
            }
            /// The word as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl TryFrom<String> for $name {
            type Error = &'static str;
            fn try_from(text: String) -> Result<Self, Self::Error> {
                Self::parse(&text).ok_or("not a word of the log")
            }
        }
        impl From<$name> for String {
            fn from(word: $name) -> Self {
                word.0.into_owned()
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }
    };
}

word!(
    /// Who did it: a person's name, or `uid:` and the number of a user of the system.
    Actor,
    48,
    |b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._:-".contains(&b)
);
word!(
    /// What was done, such as `subject-reveal`.
    Action,
    40,
    |b| b.is_ascii_lowercase() || b == b'-'
);
word!(
    /// The stable code of an error, such as `SV-GOVERN-014`.
    ErrorCode,
    24,
    |b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'-'
);

impl Actor {
    /// A person who has shown who he is, or says so.
    #[must_use]
    pub fn person(name: &PersonName) -> Self {
        Self(Cow::Owned(name.as_str().to_owned()))
    }

    /// A user of the system.
    #[must_use]
    pub fn user(uid: u32) -> Self {
        Self(Cow::Owned(format!("uid:{uid}")))
    }

    /// The log itself.
    pub(super) fn log() -> Self {
        Self(Cow::Borrowed("log"))
    }
}

impl Action {
    /// A decision about the quarantine, such as `quarantine-correct`.
    #[must_use]
    pub fn quarantine(decision: Decision) -> Self {
        let word = format!("quarantine-{decision}");
        Self::parse(&word).unwrap_or(Self::QUARANTINE_DECIDE)
    }

    /// A new version of a hospital's secret was made.
    pub const KEYS_ROTATE: Self = Self(Cow::Borrowed("keys-rotate"));
    /// A person was registered.
    pub const APPROVER_ADD: Self = Self(Cow::Borrowed("approver-add"));
    /// A person was taken out.
    pub const APPROVER_REMOVE: Self = Self(Cow::Borrowed("approver-remove"));
    /// Somebody asked for a patient behind a pseudonym.
    pub const SUBJECT_REQUEST: Self = Self(Cow::Borrowed("subject-request"));
    /// Somebody approved that.
    pub const SUBJECT_APPROVE: Self = Self(Cow::Borrowed("subject-approve"));
    /// Somebody was told.
    pub const SUBJECT_REVEAL: Self = Self(Cow::Borrowed("subject-reveal"));
    /// A damaged record that the spool had kept aside is to be tried again.
    pub const SPOOL_RETRY: Self = Self(Cow::Borrowed("spool-retry"));
    /// A damaged record that the spool had kept aside was removed for good.
    pub const SPOOL_DISCARD: Self = Self(Cow::Borrowed("spool-discard"));
    /// Somebody took an identified instance out of quarantine, to look at it.
    pub const QUARANTINE_EXPORT: Self = Self(Cow::Borrowed("quarantine-export"));
    /// Somebody decided about instances in quarantine: the word is that of the decision.
    pub const QUARANTINE_DECIDE: Self = Self(Cow::Borrowed("quarantine-decide"));
    /// A hospital was added to the configuration of the running service.
    pub const HOSPITAL_ADD: Self = Self(Cow::Borrowed("hospital-add"));
    /// A hospital of the running service got other settings, callers or tokens.
    pub const HOSPITAL_CHANGE: Self = Self(Cow::Borrowed("hospital-change"));
    /// A hospital was taken out of the configuration of the running service.
    pub const HOSPITAL_REMOVE: Self = Self(Cow::Borrowed("hospital-remove"));
    /// A project was added to the configuration of the running service.
    pub const PROJECT_ADD: Self = Self(Cow::Borrowed("project-add"));
    /// A project of the running service got another profile or other hospitals.
    pub const PROJECT_CHANGE: Self = Self(Cow::Borrowed("project-change"));
    /// A project was taken out of the configuration of the running service.
    pub const PROJECT_REMOVE: Self = Self(Cow::Borrowed("project-remove"));
    /// The token that opens page, status and metrics is another.
    pub const OPERATOR_TOKEN_CHANGE: Self = Self(Cow::Borrowed("operator-token-change"));
    /// A running service was asked to read its configuration again, and refused it.
    pub const CONFIG_RELOAD: Self = Self(Cow::Borrowed("config-reload"));
    /// An append was interrupted; what it left is passed over.
    pub const LOG_INTERRUPTED: Self = Self(Cow::Borrowed("log-interrupted"));
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It is about to be done: recorded before anything identified is touched.
    Begun,
    /// It was done.
    Done,
    /// It was refused: the code says why.
    Refused,
    /// It could not be done: the code says why.
    Failed,
}

impl Outcome {
    /// The word in tables.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Begun => "begun",
            Self::Done => "done",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }
}

/// Bytes that an interrupted append left between two entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Skipped {
    /// How many.
    pub bytes: u64,
    /// Their BLAKE3 digest.
    #[serde(with = "Hex")]
    pub digest: [u8; 32],
}

/// One event to record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
    /// Who.
    pub who: Actor,
    /// What.
    pub action: Action,
    /// How it ended.
    pub outcome: Outcome,
    /// Why it was refused or failed.
    pub code: Option<ErrorCode>,
    /// The hospital it is about.
    pub hospital: Option<HospitalId>,
    /// The project it is about.
    pub project: Option<ProjectName>,
    /// The person of the staff it is about.
    pub person: Option<PersonName>,
    /// The request it belongs to.
    pub request: Option<RequestId>,
    /// Whom it is about: a keyed hash. Events about one patient have the same.
    pub reference: Option<[u8; 16]>,
    /// The record that is kept of it, sealed: its digest.
    pub record: Option<Digest>,
}

impl Event {
    /// An event about nothing in particular, to be filled in.
    #[must_use]
    pub fn new(at_ms: i64, who: Actor, action: Action, outcome: Outcome) -> Self {
        Self {
            at_ms,
            who,
            action,
            outcome,
            code: None,
            hospital: None,
            project: None,
            person: None,
            request: None,
            reference: None,
            record: None,
        }
    }
}

mod reference {
    //! An optional reference as hexadecimal.
    use scanveil_model::Hex;
    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(
        bytes: &Option<[u8; 16]>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&bytes.map_or_else(String::new, |bytes| Hex::encode(&bytes)))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<[u8; 16]>, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = Hex::decode(&text).ok_or_else(|| D::Error::custom("not 32 hex digits"))?;
        Ok(Some(bytes))
    }
}

/// One event as it stands in the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The format: 1.
    pub format: u32,
    /// Its number, from 1, without a gap.
    pub number: u64,
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
    /// Who.
    pub who: Actor,
    /// What.
    pub action: Action,
    /// How it ended.
    pub outcome: Outcome,
    /// Why it was refused or failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<ErrorCode>,
    /// The hospital it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hospital: Option<HospitalId>,
    /// The project it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<ProjectName>,
    /// The person of the staff it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonName>,
    /// The request it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<RequestId>,
    /// Whom it is about: a keyed hash.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "reference")]
    pub reference: Option<[u8; 16]>,
    /// The record that is kept of it, sealed: its BLAKE3 digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<Digest>,
    /// What an interrupted append left before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skipped: Option<Skipped>,
}

impl Entry {
    pub(super) fn of(number: u64, event: &Event) -> Self {
        let event = event.clone();
        Self {
            format: FORMAT,
            number,
            at_ms: event.at_ms,
            who: event.who,
            action: event.action,
            outcome: event.outcome,
            code: event.code,
            hospital: event.hospital,
            project: event.project,
            person: event.person,
            request: event.request,
            reference: event.reference,
            record: event.record,
            skipped: None,
        }
    }

    /// The note of an interrupted append.
    pub(super) fn interrupted(number: u64, at_ms: i64, skipped: Skipped) -> Self {
        let event = Event::new(at_ms, Actor::log(), Action::LOG_INTERRUPTED, Outcome::Done);
        Self { skipped: Some(skipped), ..Self::of(number, &event) }
    }
}
