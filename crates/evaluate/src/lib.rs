//! Scores a de-identified folder against an answer key, by the rules and in the formats of the
//! MIDI-B benchmark: ten actions, an SQLite answer database, CSV mapping files.
//!
//! No value of a data element is in a result: failures name the file, the element and the action.

mod answer;
mod error;
mod index;
mod key;
mod mapping;
mod output;
mod path;
mod pixels;
mod rules;
mod score;
mod tokens;

pub use answer::{Action, Answer, Category, InstanceAnswers};
pub use error::EvaluateError;
pub use key::AnswerKey;
pub use mapping::{IdKind, Mapping};
pub use score::{ElementFailures, Failure, Figures, Score, Tally, score};

#[cfg(test)]
mod tests;
