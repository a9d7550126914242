//! Tables as CSV and as Parquet, written from any source of cells without a copy of the whole.

use crate::ReleaseError;
use parquet::basic::{Compression, LogicalType, Repetition, Type as Physical};
use parquet::column::writer::ColumnWriter;
use parquet::data_type::ByteArray;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::Type;
use std::borrow::Cow;
use std::io::Write;
use std::sync::Arc;

/// Rows of a Parquet row group: what bounds the memory of the writer.
const ROWS_PER_GROUP: usize = 65_536;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// UTF-8 text.
    Text,
    /// Signed 64-bit integers; a cell that is not one is null in Parquet.
    Integer,
}

/// Gives one cell by row and column; none where there is no value.
type Cells<'a> = dyn Fn(usize, usize) -> Option<Cow<'a, str>> + 'a;

/// A table whose cells are asked for one by one.
pub(crate) struct Grid<'a> {
    /// Names and kinds of the columns.
    pub(crate) columns: Vec<(String, Kind)>,
    /// How many rows there are.
    pub(crate) rows: usize,
    /// The cells.
    pub(crate) cell: Box<Cells<'a>>,
}

/// Writes the table as CSV (RFC 4180, UTF-8, one header line, empty where there is no value).
///
/// Spreadsheets take a cell that begins with `=`, `+`, `-`, `@`, a tab or a carriage return for a
/// formula. The texts come from outside, so such a cell gets an apostrophe in front, unless it is a
/// number or a list of numbers. The Parquet table has every value as it is.
pub(crate) fn write_csv(table: &Grid<'_>, out: &mut dyn Write) -> Result<(), ReleaseError> {
    let mut csv =
        csv::WriterBuilder::new().terminator(csv::Terminator::Any(b'\n')).from_writer(out);
    let failed = |source: csv::Error| ReleaseError::Table { source: Box::new(source) };
    csv.write_record(table.columns.iter().map(|(name, _)| name)).map_err(failed)?;
    for row in 0..table.rows {
        for column in 0..table.columns.len() {
            let cell = (table.cell)(row, column).unwrap_or_default();
            if is_formula(&cell) {
                csv.write_field(format!("'{cell}")).map_err(failed)?;
            } else {
                csv.write_field(cell.as_bytes()).map_err(failed)?;
            }
        }
        csv.write_record(None::<&[u8]>).map_err(failed)?;
    }
    csv.flush().map_err(|source| ReleaseError::Table { source: Box::new(source) })
}

fn is_formula(cell: &str) -> bool {
    // A backslash separates the values of one attribute (PS3.5 6.2).
    let numbers = || cell.split('\\').all(|part| part.trim().parse::<f64>().is_ok());
    cell.starts_with(['=', '+', '-', '@', '\t', '\r']) && !numbers()
}

/// Writes the table as Parquet: optional columns, Snappy.
pub(crate) fn write_parquet(table: &Grid<'_>, out: impl Write + Send) -> Result<(), ReleaseError> {
    let failed = |source| ReleaseError::Table { source: Box::new(source) };
    let mut fields = Vec::with_capacity(table.columns.len());
    for (name, kind) in &table.columns {
        let builder = match kind {
            Kind::Text => Type::primitive_type_builder(name, Physical::BYTE_ARRAY)
                .with_logical_type(Some(LogicalType::String)),
            Kind::Integer => Type::primitive_type_builder(name, Physical::INT64),
        };
        let field = builder.with_repetition(Repetition::OPTIONAL).build().map_err(failed)?;
        fields.push(Arc::new(field));
    }
    let schema = Type::group_type_builder("schema").with_fields(fields).build().map_err(failed)?;
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_created_by("scanveil".to_owned())
        .build();
    let mut file =
        SerializedFileWriter::new(out, Arc::new(schema), Arc::new(properties)).map_err(failed)?;
    let mut first = 0;
    while first < table.rows {
        let end = (first + ROWS_PER_GROUP).min(table.rows);
        let mut group = file.next_row_group().map_err(failed)?;
        write_group(table, first..end, &mut group).map_err(failed)?;
        group.close().map_err(failed)?;
        first = end;
    }
    file.close().map_err(failed)?;
    Ok(())
}

fn write_group<W: Write + Send>(
    table: &Grid<'_>,
    rows: std::ops::Range<usize>,
    group: &mut SerializedRowGroupWriter<'_, W>,
) -> Result<(), parquet::errors::ParquetError> {
    for column in 0..table.columns.len() {
        let Some(mut writer) = group.next_column()? else { break };
        let mut levels = Vec::with_capacity(rows.len());
        match writer.untyped() {
            ColumnWriter::Int64ColumnWriter(typed) => {
                let mut values = Vec::new();
                for row in rows.clone() {
                    let cell = (table.cell)(row, column);
                    let value = cell.and_then(|cell| cell.trim().parse::<i64>().ok());
                    levels.push(i16::from(value.is_some()));
                    values.extend(value);
                }
                typed.write_batch(&values, Some(&levels), None)?;
            }
            ColumnWriter::ByteArrayColumnWriter(typed) => {
                let mut values = Vec::new();
                for row in rows.clone() {
                    let cell = (table.cell)(row, column);
                    levels.push(i16::from(cell.is_some()));
                    values.extend(cell.map(|cell| ByteArray::from(cell.as_ref())));
                }
                typed.write_batch(&values, Some(&levels), None)?;
            }
            // The schema above has columns of these two kinds only.
            _ => {}
        }
        writer.close()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_told_from_numbers() {
        let table: &[(&str, bool)] = &[
            ("", false),
            ("CT", false),
            ("-1", false),
            ("-1.5e3", false),
            ("-1\\0\\0\\0\\1\\0", false),
            ("+1.0\\-2", false),
            ("=1+1", true),
            ("-1+cmd", true),
            ("-1\\=HYPERLINK()", true),
            ("@SUM(A1)", true),
            ("\t=1", true),
            ("-", true),
        ];
        for (cell, formula) in table {
            assert_eq!(is_formula(cell), *formula, "{cell}");
        }
    }
}
