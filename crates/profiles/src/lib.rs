//! Profiles as documents: imported from other tools, compared, and tested by example.

mod behaviour;
mod describe;
mod dictionary;
mod diff;
mod error;
mod import;

pub use behaviour::{CaseFailure, CaseResult, builtin_tests, run};
pub use describe::{describe_action, describe_condition, describe_subject};
pub use diff::{Difference, Side, diff};
pub use error::ProfilesError;
pub use import::{ImportKind, Imported, NotExpressed, import};

#[cfg(test)]
mod tests;
