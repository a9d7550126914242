//! What of every hospital is where now: the figures of the status page. Nothing is summed up over
//! generations that have been replaced.

use crate::decisions::NOT_CLOSED;
use crate::query::{NEWEST, STILL_HELD};
use crate::row::Fields;
use crate::{Catalog, CatalogError};
use scanveil_model::HospitalId;
use sqlx::{QueryBuilder, Sqlite};
use std::collections::BTreeMap;

/// What is there of one hospital.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Holding {
    /// Received instances of which the newest generation of a project has a clean copy, each
    /// counted once however many projects have it.
    pub stored_instances: u64,
    /// Bytes of the objects of those generations.
    pub stored_bytes: u64,
    /// Received instances in quarantine of which no newest generation has a clean copy, and
    /// about which nobody has decided.
    pub held_instances: u64,
    /// When the last instance arrived that has been processed, milliseconds since 1970 (UTC).
    pub last_received_ms: Option<i64>,
}

impl Catalog {
    /// What is there of every hospital that anything is there of.
    ///
    /// # Errors
    /// [`CatalogError`] when the database fails.
    pub fn holdings(&self) -> Result<BTreeMap<HospitalId, Holding>, CatalogError> {
        let instances = |zone: &str, which: &str| {
            format!(
                "SELECT o.hospital, COUNT(DISTINCT COALESCE(i.source_digest, i.digest)) AS n \
                 FROM objects o JOIN instances i ON i.object = o.object \
                 WHERE o.zone = '{zone}' AND {which} GROUP BY o.hospital"
            )
        };
        let bytes = format!(
            "SELECT o.hospital, CAST(SUM(o.bytes) AS BIGINT) AS n FROM objects o \
             WHERE o.zone = 'research' AND {NEWEST} GROUP BY o.hospital"
        );
        let last = "SELECT hospital, MAX(last_received_ms) AS n FROM studies GROUP BY hospital";
        let mut holdings: BTreeMap<HospitalId, Holding> = BTreeMap::new();
        for (hospital, n) in self.by_hospital(&instances("research", NEWEST))? {
            holdings.entry(hospital).or_default().stored_instances = count(n);
        }
        for (hospital, n) in self.by_hospital(&bytes)? {
            holdings.entry(hospital).or_default().stored_bytes = count(n);
        }
        let held = format!("{STILL_HELD} AND {NOT_CLOSED}");
        for (hospital, n) in self.by_hospital(&instances("quarantine", &held))? {
            holdings.entry(hospital).or_default().held_instances = count(n);
        }
        for (hospital, n) in self.by_hospital(last)? {
            holdings.entry(hospital).or_default().last_received_ms = Some(n);
        }
        Ok(holdings)
    }

    fn by_hospital(&self, select: &str) -> Result<Vec<(HospitalId, i64)>, CatalogError> {
        let mut select = QueryBuilder::<Sqlite>::new(select);
        self.db.run(async {
            let rows = select.build().fetch_all(self.db.readers()).await?;
            rows.iter()
                .map(|row| {
                    let row = Fields { table: "objects", row };
                    Ok((row.id("hospital")?, row.signed("n")?))
                })
                .collect()
        })
    }
}

/// A count or a sum of lengths is never negative.
fn count(n: i64) -> u64 {
    u64::try_from(n).unwrap_or(0)
}
