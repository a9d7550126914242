//! Finds what identifies a person in one free-text value, and takes it out; the clinical words
//! stay. Pure: no files, no clock, no randomness; the dictionaries are part of the binary.
//!
//! [`Cleaner::find`] asks, in order: the study's own values ([`Known`]), addresses of machines,
//! street addresses, numbers and dates, words of Chinese, Japanese and Korean, and at last every
//! word that is left: a word of the vocabulary stays, a name goes, a word that is both goes where a
//! title or another name stands beside it, and a word that nothing knows goes unless it looks
//! technical. [`Cleaner::clean`] deletes what was found, with what leads to it.

mod address;
mod clean;
mod cleaner;
mod eastern;
mod fold;
mod hosts;
mod houses;
mod kind;
mod known;
mod lexicon;
mod lists;
mod names;
mod numbers;
mod stem;
mod structures;
mod table;
mod titles;
mod token;
mod words;

pub use cleaner::{Cleaned, Cleaner};
pub use kind::{Finding, Kind, Word};
pub use known::{Known, KnownBuilder, TooMany};

#[cfg(test)]
mod tests;
