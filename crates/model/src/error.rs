//! What every error an operator can meet has in common: a stable code and a next step.

use serde::Serialize;

/// An error with a stable code and advice. Implementations never carry a value from a data set:
/// tag paths, lengths, digests and codes only (invariant 3).
pub trait Coded: std::error::Error {
    /// Stable, searchable code such as `SV-STORE-003`. Never reused for another meaning.
    fn code(&self) -> &'static str;
    /// One sentence: what the person who sees this should do next.
    fn next_step(&self) -> String;

    /// The error as commands print it with `--json`.
    fn report(&self) -> ErrorReport {
        ErrorReport {
            code: self.code().to_owned(),
            message: self.to_string(),
            next_step: self.next_step(),
        }
    }
}

/// A printable error: what failed, its stable code, and what to do next.
#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
pub struct ErrorReport {
    /// Stable code.
    pub code: String,
    /// What failed and why.
    pub message: String,
    /// What to do next.
    pub next_step: String,
}
