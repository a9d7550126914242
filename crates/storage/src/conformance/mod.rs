//! A store that fails on purpose, for tests of other crates, and what every store must do.

mod faulty;
#[cfg(test)]
mod run;

pub use faulty::{FaultyStore, StoreCall, StoreFault};
#[cfg(test)]
pub(crate) use run::{ConformanceLoad, check_conformance, sample_tags};
