//! The search for planted values: every spelling and encoding, in every byte of a folder.

mod forms;
mod scan;
mod walk;

pub use forms::{Encoding, Form};

use crate::SynthError;
use crate::key::{Planted, PlantedKind};
use aho_corasick::AhoCorasick;
use forms::Pattern;
use serde::Serialize;
use std::path::Path;

/// Shortest form, in bytes, to look for in de-identified files.
pub const TEXT_MIN_FORM: usize = 4;

/// Shortest form, in bytes, to look for in sealed data. A form of 8 letters, case ignored, is met
/// by chance once in 2^56 random positions: in 500 MB with 5,000 forms once in 30,000 searches. At
/// 5 bytes there would be a false hit in almost every search.
pub const SEALED_MIN_FORM: usize = 8;

/// Where in a file a value was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Layer {
    /// In the name of a file or folder.
    Name,
    /// In the bytes as they are.
    Content,
    /// In the inflated bytes: a deflated data set, a gzip or zlib file, an archive's member.
    Inflated,
}

/// One place where a planted value was found. Holds no value: ask [`Hunter::value`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Hit {
    /// The file or folder, relative to the folder searched.
    pub path: String,
    /// Byte offset within the layer.
    pub offset: u64,
    /// What was found.
    pub kind: PlantedKind,
    /// In which spelling.
    pub form: Form,
    /// In which encoding.
    pub encoding: Encoding,
    /// Where.
    pub layer: Layer,
    #[serde(skip)]
    pattern: usize,
}

/// What a search found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct HuntReport {
    /// Files searched.
    pub files: u64,
    /// Bytes searched, as they lie on the disk.
    pub bytes: u64,
    /// Bytes searched after inflating.
    pub inflated_bytes: u64,
    /// The hits, at most [`Hunter::HIT_LIMIT`].
    pub hits: Vec<Hit>,
    /// Further hits, only counted.
    pub hits_left_out: u64,
}

impl HuntReport {
    /// Whether nothing was found.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.hits.is_empty()
    }

    fn push(&mut self, hit: Hit) {
        if self.hits.len() < Hunter::HIT_LIMIT {
            self.hits.push(hit);
        } else {
            self.hits_left_out += 1;
        }
    }
}

/// Looks for a set of planted values.
pub struct Hunter {
    patterns: Vec<Pattern>,
    automaton: AhoCorasick,
    longest: usize,
}

impl Hunter {
    /// Most hits a report lists.
    pub const HIT_LIMIT: usize = 1000;

    /// Prepares the search for every form of the values that has at least `min_form` bytes: use
    /// [`TEXT_MIN_FORM`] for de-identified data and [`SEALED_MIN_FORM`] for sealed data.
    ///
    /// # Errors
    /// [`SynthError::Automaton`] when there are too many values for one search.
    pub fn new<'a>(
        planted: impl IntoIterator<Item = &'a Planted>,
        min_form: usize,
    ) -> Result<Self, SynthError> {
        let patterns = forms::patterns(planted, min_form);
        let automaton = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .build(patterns.iter().map(|pattern| &pattern.bytes))
            .map_err(|_| SynthError::Automaton { forms: patterns.len() })?;
        let longest = patterns.iter().map(|p| p.bytes.len()).max().unwrap_or(1);
        Ok(Self { patterns, automaton, longest })
    }

    /// How many forms are looked for.
    #[must_use]
    pub fn forms(&self) -> usize {
        self.patterns.len()
    }

    /// The spelling that a hit found: an identifier, so print it only when asked to.
    #[must_use]
    pub fn value(&self, hit: &Hit) -> &str {
        self.patterns.get(hit.pattern).map_or("", |pattern| &pattern.spelling)
    }

    /// Searches bytes in memory as if they were a file.
    ///
    /// # Errors
    /// [`SynthError::Io`] when they inflate to more than is searched.
    pub fn hunt_bytes(&self, bytes: &[u8]) -> Result<HuntReport, SynthError> {
        let mut report = HuntReport::default();
        walk::content(self, bytes, &mut report)?;
        Ok(report)
    }

    /// Searches every file below a folder: names, contents, and what deflate hides. Links are not
    /// followed; a file that vanishes meanwhile is passed over.
    ///
    /// # Errors
    /// [`SynthError::Io`] when a file cannot be read: an unsearched file is not a clean one.
    pub fn hunt_folder(&self, folder: &Path) -> Result<HuntReport, SynthError> {
        let mut report = HuntReport::default();
        walk::folder(self, folder, &mut report)?;
        Ok(report)
    }
}

#[cfg(test)]
mod tests;
