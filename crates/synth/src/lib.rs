//! Invented patients and studies with planted identifiers and an answer key, and the search for
//! them.
//!
//! The encoder here is written from the standard and shares no code with the crates under test.
//! Everything depends on a seed alone: the same seed gives the same bytes on every machine.

mod bench;
mod benchmark;
mod charset;
mod corpus;
mod error;
mod file;
mod glyphs;
mod hunt;
mod key;
mod kinds;
mod leak;
mod people;
mod pixels;
mod rle;
mod rng;
mod study;
mod wire;

pub use bench::{big_multiframe, ct_slices, mr_slices};
pub use benchmark::{
    Answer, AnswerAction, AnswerCategory, Benchmark, BenchmarkInstance, BenchmarkInstances,
    TypedText, typed_texts,
};
pub use charset::Charset;
pub use corpus::{Corpus, CorpusSpec};
pub use error::SynthError;
pub use file::Syntax;
pub use hunt::{Encoding, Form, Hit, HuntReport, Hunter, Layer, SEALED_MIN_FORM, TEXT_MIN_FORM};
pub use key::{Expect, Planted, PlantedKind, SynthInstance};
pub use leak::{LeakVector, leak_vectors};
pub use people::{HOSPITALS, HospitalInfo};
pub use wire::{Lengths, Vr};

#[cfg(test)]
mod tests;
