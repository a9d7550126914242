//! From rows to records: every text is parsed again, since the file could have been changed.

use crate::CatalogError;
use scanveil_model::{Generation, ReasonCode, Zone};
use scanveil_seal::StudyKey;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

/// A row of a named table, read column by column.
pub(crate) struct Fields<'r> {
    pub(crate) table: &'static str,
    pub(crate) row: &'r SqliteRow,
}

impl Fields<'_> {
    pub(crate) fn corrupt(&self, column: &'static str) -> CatalogError {
        CatalogError::Corrupt { table: self.table, column }
    }

    pub(crate) fn text(&self, column: &'static str) -> Result<String, CatalogError> {
        Ok(self.row.try_get(column)?)
    }

    pub(crate) fn optional_text(
        &self,
        column: &'static str,
    ) -> Result<Option<String>, CatalogError> {
        Ok(self.row.try_get(column)?)
    }

    pub(crate) fn id<T: TryFrom<String>>(&self, column: &'static str) -> Result<T, CatalogError> {
        T::try_from(self.text(column)?).map_err(|_| self.corrupt(column))
    }

    pub(crate) fn optional_id<T: TryFrom<String>>(
        &self,
        column: &'static str,
    ) -> Result<Option<T>, CatalogError> {
        self.optional_text(column)?
            .map(|text| T::try_from(text).map_err(|_| self.corrupt(column)))
            .transpose()
    }

    pub(crate) fn study_key(&self, column: &'static str) -> Result<StudyKey, CatalogError> {
        StudyKey::parse(&self.text(column)?).ok_or_else(|| self.corrupt(column))
    }

    pub(crate) fn signed(&self, column: &'static str) -> Result<i64, CatalogError> {
        Ok(self.row.try_get(column)?)
    }

    pub(crate) fn number(&self, column: &'static str) -> Result<u64, CatalogError> {
        u64::try_from(self.signed(column)?).map_err(|_| self.corrupt(column))
    }

    pub(crate) fn generation(
        &self,
        column: &'static str,
    ) -> Result<Option<Generation>, CatalogError> {
        let number: Option<i64> = self.row.try_get(column)?;
        number
            .map(|n| u32::try_from(n).map(Generation).map_err(|_| self.corrupt(column)))
            .transpose()
    }

    pub(crate) fn zone(&self, column: &'static str) -> Result<Zone, CatalogError> {
        let text = self.text(column)?;
        [Zone::Vault, Zone::Research, Zone::Quarantine]
            .into_iter()
            .find(|zone| zone.as_str() == text)
            .ok_or_else(|| self.corrupt(column))
    }

    pub(crate) fn reason(&self, column: &'static str) -> Result<ReasonCode, CatalogError> {
        let text = self.text(column)?;
        ReasonCode::ALL
            .iter()
            .copied()
            .find(|code| code.as_str() == text)
            .ok_or_else(|| self.corrupt(column))
    }
}

/// A number as the database stores it.
pub(crate) fn stored(n: u64, what: &'static str) -> Result<i64, CatalogError> {
    i64::try_from(n).map_err(|_| CatalogError::TooLarge { what })
}

/// A keyed hash as the database stores it.
pub(crate) fn hex(id: &[u8; 16]) -> String {
    scanveil_model::ObjectId(*id).to_string()
}
