//! The second look: searches what was written for everything that identified the patient.
//!
//! Shares nothing with the rules that scrubbed it. [`Evidence`] is gathered from the headers of a
//! study as received; the [`Verifier`] made of it looks for every spelling of every value, in
//! every encoding that it may stand in, among the raw bytes of whatever is about to leave.
//!
//! A clinical word is not a name: see `names` for which part of a name counts where.

mod evidence;
mod explain;
mod filter;
mod forms;
mod grouped;
mod listed;
mod names;
mod spelling;
mod stands;
mod values;
mod verifier;
mod what;
mod words;

pub use evidence::{Evidence, TooMany};
pub use listed::listed_elements;
pub use verifier::{Kept, Residue, Verifier};
pub use what::What;

#[cfg(test)]
mod tests;
