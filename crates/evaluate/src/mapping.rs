//! Mapping files: which new identifier an old one became.

use crate::error::EvaluateError;
use csv::{Reader, ReaderBuilder, StringRecord, Writer};
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

/// Kind, old and new identifier.
type Row<'r> = (Option<&'r str>, &'r str, &'r str);

/// The rows of a mapping file.
struct Rows {
    reader: Reader<File>,
    record: StringRecord,
    old: usize,
    new: usize,
    kind: Option<usize>,
}

impl Rows {
    fn open(path: &Path) -> Result<Self, EvaluateError> {
        let file = File::open(path).map_err(EvaluateError::io("read", path))?;
        let mut reader = ReaderBuilder::new().flexible(true).from_reader(file);
        let invalid = || EvaluateError::Mapping { line: 1, what: "header" };
        let header = reader.headers().map_err(|_| invalid())?.clone();
        // A file that a spreadsheet wrote can begin with a byte order mark.
        let plain = |title: &str| title.trim_start_matches('\u{feff}').trim().to_owned();
        let column = |name: &str| header.iter().position(|title| plain(title) == name);
        let (Some(old), Some(new)) = (column("id_old"), column("id_new")) else {
            return Err(invalid());
        };
        let kind = column("kind");
        Ok(Self { reader, record: StringRecord::new(), old, new, kind })
    }

    /// The next row.
    fn next(&mut self) -> Result<Option<Row<'_>>, EvaluateError> {
        let line = self.reader.position().line();
        let invalid = |what| EvaluateError::Mapping { line, what };
        if !self.reader.read_record(&mut self.record).map_err(|_| invalid("record"))? {
            return Ok(None);
        }
        let field = |at: usize| self.record.get(at).ok_or_else(|| invalid("record"));
        let kind = self.kind.map(field).transpose()?;
        Ok(Some((kind, field(self.old)?, field(self.new)?)))
    }
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
        let mut file = Rows::open(path)?;
        while let Some((line_kind, old, new)) = file.next()? {
            if line_kind.is_none_or(|name| name == kind.as_str()) {
                self.insert(old, new);
            }
        }
        Ok(())
    }

    /// Adds the pairs of a file with the column `kind` to the mapping of their kind; other kinds
    /// are passed over.
    ///
    /// # Errors
    /// When the file cannot be read or lacks a column.
    pub fn read_kinds(
        path: &Path,
        uids: &mut Self,
        patients: &mut Self,
    ) -> Result<(), EvaluateError> {
        let mut file = Rows::open(path)?;
        if file.kind.is_none() {
            return Err(EvaluateError::Mapping { line: 1, what: "header: no column `kind`" });
        }
        while let Some((kind, old, new)) = file.next()? {
            match kind {
                Some(kind) if kind == IdKind::Uid.as_str() => uids.insert(old, new),
                Some(kind) if kind == IdKind::Patient.as_str() => patients.insert(old, new),
                _ => {}
            }
        }
        Ok(())
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
