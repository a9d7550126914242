//! Mapping files: which new identifier an old one became.

use crate::error::EvaluateError;
use csv::{ReaderBuilder, StringRecord, Writer};
use std::collections::HashMap;
use std::fs::File;
use std::path::Path;

/// What a mapping maps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdKind {
    /// UIDs.
    Uid,
    /// Patient identifiers.
    Patient,
}

impl IdKind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Uid => "uid",
            Self::Patient => "patient",
        }
    }
}

/// Old identifiers and their new ones. It has no `Debug`: it holds values.
#[derive(Clone, Default)]
pub struct Mapping {
    pairs: HashMap<String, String>,
}

impl Mapping {
    /// Reads the pairs of one kind from a CSV file: the benchmark's `id_old,id_new`, of which all
    /// count, or `kind,id_old,id_new`, of which those of this kind count.
    ///
    /// # Errors
    /// When the file cannot be read or lacks a column.
    pub fn read(path: &Path, kind: IdKind) -> Result<Self, EvaluateError> {
        let mut mapping = Self::default();
        mapping.read_more(path, kind)?;
        Ok(mapping)
    }

    /// Adds the pairs of another file; of an old identifier that stands twice, the first counts.
    ///
    /// # Errors
    /// When the file cannot be read or lacks a column.
    pub fn read_more(&mut self, path: &Path, kind: IdKind) -> Result<(), EvaluateError> {
        let file = File::open(path).map_err(EvaluateError::io("read", path))?;
        let mut reader = ReaderBuilder::new().flexible(true).from_reader(file);
        let invalid = |what| move |line| EvaluateError::Mapping { line, what };
        let header = reader.headers().map_err(|_| invalid("header")(1))?.clone();
        let column = |name: &str| header.iter().position(|title| title.trim() == name);
        let (Some(old), Some(new)) = (column("id_old"), column("id_new")) else {
            return Err(invalid("header")(1));
        };
        let kinds = column("kind");
        let mut record = StringRecord::new();
        loop {
            let line = reader.position().line();
            if !reader.read_record(&mut record).map_err(|_| invalid("record")(line))? {
                return Ok(());
            }
            let wanted = kinds.is_none_or(|at| record.get(at) == Some(kind.as_str()));
            let (Some(old), Some(new)) = (record.get(old), record.get(new)) else {
                return Err(invalid("record")(line));
            };
            if wanted {
                self.pairs.entry(old.to_owned()).or_insert_with(|| new.to_owned());
            }
        }
    }

    /// Writes the pairs as the benchmark reads them, in order.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), EvaluateError> {
        let failed = |error: csv::Error| EvaluateError::io("write", path)(error.into());
        let mut writer = Writer::from_path(path).map_err(failed)?;
        writer.write_record(["id_old", "id_new"]).map_err(failed)?;
        let mut pairs: Vec<_> = self.pairs.iter().collect();
        pairs.sort();
        for (old, new) in pairs {
            writer.write_record([old, new]).map_err(failed)?;
        }
        writer.flush().map_err(EvaluateError::io("write", path))
    }

    /// The new identifier of an old one.
    #[must_use]
    pub fn get(&self, old: &str) -> Option<&str> {
        self.pairs.get(old).map(String::as_str)
    }

    /// Adds a pair, unless the old identifier is there already.
    pub fn insert(&mut self, old: &str, new: &str) {
        self.pairs.entry(old.to_owned()).or_insert_with(|| new.to_owned());
    }

    /// How many pairs there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.pairs.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }
}
