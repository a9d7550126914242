//! A request to find a patient again: asked by one, approved by two others, answered once.

use crate::{Approvers, GovernError, PersonName, Token};
use scanveil_model::{Hex, HospitalId, ProjectName, Uid};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;

/// Approvals that a request needs, of as many people, none of whom asked.
pub const APPROVALS: usize = 2;
/// The newest format of a request's state.
const REQUEST_FORMAT: u32 = 1;
const ASK_CONTEXT: &str = "scanveil v1 escrow ask";
const APPROVAL_HEADER: &str = "scanveil approval 1";

/// The identifier of a request: 16 hexadecimal digits.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RequestId(String);

impl RequestId {
    /// A new identifier; `fill` fills the slice with unpredictable bytes.
    #[must_use]
    pub fn generate(fill: &dyn Fn(&mut [u8])) -> Self {
        let mut bytes = [0; 8];
        fill(&mut bytes);
        Self(Hex::encode(&bytes))
    }

    /// Parses and checks the identifier.
    ///
    /// # Errors
    /// [`GovernError::RequestId`].
    pub fn parse(text: &str) -> Result<Self, GovernError> {
        Hex::decode::<8>(text).ok_or(GovernError::RequestId)?;
        Ok(Self(text.to_owned()))
    }

    /// The identifier as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for RequestId {
    type Error = GovernError;
    fn try_from(text: String) -> Result<Self, GovernError> {
        Self::parse(&text)
    }
}

impl From<RequestId> for String {
    fn from(id: RequestId) -> Self {
        id.0
    }
}

impl std::str::FromStr for RequestId {
    type Err = GovernError;
    fn from_str(text: &str) -> Result<Self, GovernError> {
        Self::parse(text)
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RequestId({})", self.0)
    }
}

/// Why something is asked or done: one line of 3 to 200 characters. It may name a patient by
/// mistake, so that it is sealed wherever it is kept, and has no `Debug`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Reason(String);

impl Reason {
    /// Parses and checks the reason.
    ///
    /// # Errors
    /// [`GovernError::Reason`].
    pub fn parse(text: &str) -> Result<Self, GovernError> {
        let text = text.trim();
        let long = (3..=200).contains(&text.chars().count()) && text.len() <= 400;
        if !long || text.chars().any(char::is_control) {
            return Err(GovernError::Reason);
        }
        Ok(Self(text.to_owned()))
    }

    /// The reason as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Reason {
    type Error = GovernError;
    fn try_from(text: String) -> Result<Self, GovernError> {
        Self::parse(&text)
    }
}

impl From<Reason> for String {
    fn from(reason: Reason) -> Self {
        reason.0
    }
}

impl std::str::FromStr for Reason {
    type Err = GovernError;
    fn from_str(text: &str) -> Result<Self, GovernError> {
        Self::parse(text)
    }
}

/// Whom a request is about, in the words of the released data.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Target {
    /// The pseudonym in Patient ID.
    Pseudonym(String),
    /// The Study, Series or SOP Instance UID of a released instance.
    Uid(Uid),
}

impl Target {
    /// A pseudonym: `SV` and 16 characters of Crockford's base 32.
    ///
    /// # Errors
    /// [`GovernError::Target`].
    pub fn pseudonym(text: &str) -> Result<Self, GovernError> {
        let base_32 =
            |b: u8| b.is_ascii_digit() || (b.is_ascii_uppercase() && !b"ILOU".contains(&b));
        match text.strip_prefix("SV") {
            Some(rest) if rest.len() == 16 && rest.bytes().all(base_32) => {
                Ok(Self::Pseudonym(text.to_owned()))
            }
            _ => Err(GovernError::Target),
        }
    }

    /// A UID.
    ///
    /// # Errors
    /// [`GovernError::Target`].
    pub fn uid(text: &str) -> Result<Self, GovernError> {
        Uid::parse(text).map(Self::Uid).map_err(|_| GovernError::Target)
    }

    /// The pseudonym or UID as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Pseudonym(text) => text,
            Self::Uid(uid) => uid.as_str(),
        }
    }
}

/// What is asked. It never changes: approvals are signatures over it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    /// The request's identifier.
    pub id: RequestId,
    /// The hospital whose patient it is.
    pub hospital: HospitalId,
    /// The project whose pseudonym or UID it is.
    pub project: ProjectName,
    /// Whom it is about.
    pub target: Target,
    /// Who asks.
    pub by: PersonName,
    /// Why.
    pub reason: Reason,
    /// When it was asked, in milliseconds since 1970.
    pub asked_at_ms: i64,
    /// From when on it is refused, in milliseconds since 1970.
    pub expires_at_ms: i64,
}

impl Ask {
    /// What approvals are bound to: every field, in the order above, as JSON.
    fn digest(&self) -> [u8; 32] {
        // Texts and numbers always serialize.
        let json = serde_json::to_vec(self).unwrap_or_default();
        blake3::derive_key(ASK_CONTEXT, &json)
    }
}

/// One person's consent to one request: a signature that only the person's token makes.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    /// Who approved.
    pub by: PersonName,
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
    #[serde(with = "Hex")]
    signature: [u8; 64],
}

/// How far a request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RequestState {
    /// Approvals are missing.
    Waiting,
    /// It can be carried out.
    Approved,
    /// Its time is over.
    Expired,
    /// It was carried out.
    Revealed,
}

impl RequestState {
    /// The word in tables.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Approved => "approved",
            Self::Expired => "expired",
            Self::Revealed => "revealed",
        }
    }
}

/// A request and what became of it. Its bytes are kept sealed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EscrowRequest {
    format: u32,
    ask: Ask,
    approvals: Vec<Approval>,
    revealed_at_ms: Option<i64>,
}

#[derive(Deserialize)]
struct FormatOnly {
    format: u32,
}

impl EscrowRequest {
    /// A new request, which nobody has approved yet.
    #[must_use]
    pub fn new(ask: Ask) -> Self {
        Self { format: REQUEST_FORMAT, ask, approvals: Vec::new(), revealed_at_ms: None }
    }

    /// Reads what [`EscrowRequest::to_bytes`] wrote for this request.
    ///
    /// # Errors
    /// [`GovernError::NewerFormat`], [`GovernError::RequestDamaged`].
    pub fn from_bytes(id: &RequestId, bytes: &[u8]) -> Result<Self, GovernError> {
        let damaged = || GovernError::RequestDamaged(id.clone());
        let found: FormatOnly = serde_json::from_slice(bytes).map_err(|_| damaged())?;
        if found.format > REQUEST_FORMAT {
            let (what, format) = ("the state of a request", found.format);
            return Err(GovernError::NewerFormat { what, format });
        }
        let request: Self = serde_json::from_slice(bytes).map_err(|_| damaged())?;
        let right = request.format == REQUEST_FORMAT && request.ask.id == *id;
        if right { Ok(request) } else { Err(damaged()) }
    }

    /// The state as bytes, to be sealed.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        // Texts and numbers always serialize.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// What is asked.
    #[must_use]
    pub fn ask(&self) -> &Ask {
        &self.ask
    }

    /// Who has approved, whether or not it still counts: a person may have been taken out since.
    #[must_use]
    pub fn approvals(&self) -> &[Approval] {
        &self.approvals
    }

    /// How far it is.
    #[must_use]
    pub fn state(&self, approvers: &Approvers, now_ms: i64) -> RequestState {
        match self.open(now_ms) {
            Err(GovernError::Done(_)) => RequestState::Revealed,
            Err(_) => RequestState::Expired,
            Ok(()) if self.counting(approvers).len() >= APPROVALS => RequestState::Approved,
            Ok(()) => RequestState::Waiting,
        }
    }

    /// Adds the approval of a person who shows the right token.
    ///
    /// # Errors
    /// Why it does not count: [`GovernError::PersonUnknown`], [`GovernError::WrongToken`],
    /// [`GovernError::Expired`], [`GovernError::Done`], [`GovernError::OwnRequest`],
    /// [`GovernError::ApprovedBefore`], [`GovernError::ApprovedEnough`].
    pub fn approve(
        &mut self,
        approvers: &Approvers,
        by: &PersonName,
        token: &Token,
        now_ms: i64,
    ) -> Result<(), GovernError> {
        approvers.prove(by, token)?;
        self.open(now_ms)?;
        if *by == self.ask.by {
            return Err(GovernError::OwnRequest(by.clone()));
        }
        let counting = self.counting(approvers);
        if counting.contains(by) {
            return Err(GovernError::ApprovedBefore(by.clone()));
        }
        if counting.len() >= APPROVALS {
            return Err(GovernError::ApprovedEnough(self.ask.id.clone()));
        }
        // Approvals of people who were taken out, or of their earlier tokens, give way.
        self.approvals.retain(|approval| counting.contains(&approval.by));
        let signature = token.sign(&self.message(by, now_ms))?;
        self.approvals.push(Approval { by: by.clone(), at_ms: now_ms, signature });
        Ok(())
    }

    /// Whether the person may have the answer now.
    ///
    /// # Errors
    /// Why not: [`GovernError::PersonUnknown`], [`GovernError::WrongToken`],
    /// [`GovernError::NotYours`], [`GovernError::Expired`], [`GovernError::Done`],
    /// [`GovernError::NotApproved`].
    pub fn may_reveal(
        &self,
        approvers: &Approvers,
        to: &PersonName,
        token: &Token,
        now_ms: i64,
    ) -> Result<(), GovernError> {
        approvers.prove(to, token)?;
        if *to != self.ask.by {
            return Err(GovernError::NotYours(to.clone()));
        }
        self.open(now_ms)?;
        let have = self.counting(approvers).len();
        if have < APPROVALS {
            return Err(GovernError::NotApproved { have, need: APPROVALS });
        }
        Ok(())
    }

    /// Notes that it was carried out: a request is answered once.
    pub fn revealed(&mut self, now_ms: i64) {
        self.revealed_at_ms = Some(now_ms);
    }

    fn open(&self, now_ms: i64) -> Result<(), GovernError> {
        if self.revealed_at_ms.is_some() {
            return Err(GovernError::Done(self.ask.id.clone()));
        }
        if !(self.ask.asked_at_ms..self.ask.expires_at_ms).contains(&now_ms) {
            return Err(GovernError::Expired(self.ask.id.clone()));
        }
        Ok(())
    }

    /// People whose approval counts: registered now, not who asked, and with a signature over this
    /// very request by the token that they have now.
    fn counting(&self, approvers: &Approvers) -> BTreeSet<PersonName> {
        let counts = |approval: &&Approval| {
            let message = self.message(&approval.by, approval.at_ms);
            let person = approvers.find(&approval.by);
            approval.by != self.ask.by
                && person.is_ok_and(|person| person.has_signed(&message, &approval.signature))
        };
        self.approvals.iter().filter(counts).map(|approval| approval.by.clone()).collect()
    }

    /// What an approval signs.
    fn message(&self, by: &PersonName, at_ms: i64) -> Vec<u8> {
        let ask = Hex::encode(&self.ask.digest());
        format!("{APPROVAL_HEADER}\n{}\n{ask}\n{by}\n{at_ms}\n", self.ask.id).into_bytes()
    }
}
