//! The settings of how much senders may do at once, and for how long: `[dimse.limits]`,
//! `[http.limits]` and `[http.connections]`.

use crate::PipelineError;
use scanveil_ingest::{DimseLimits, WebLimits};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Least value of a time limit: less would end what is only on its way.
const SHORTEST_MS: u64 = 10;
/// Greatest value of a time limit: thirty days.
const LONGEST_MS: u64 = 30 * 24 * 3_600_000;
/// Most places of any kind: each takes a file descriptor and memory.
const MOST_PLACES: usize = 100_000;
/// What DICOM allows of a PDU's length (PS3.8 D.1), and what is sensible of it.
const PDU_BYTES: std::ops::RangeInclusive<u32> = 4096..=(1 << 24);

/// The DIMSE receiver's limits.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct DimseSettings {
    /// Most associations of one address.
    pub max_per_address: usize,
    /// Associations that are kept for each hospital; half of an even share when not set.
    pub kept_per_hospital: Option<usize>,
    /// Most connections that have not asked for an association yet.
    pub max_opening: usize,
    /// Most of them from one address.
    pub max_opening_per_address: usize,
    /// Longest TLS handshake.
    pub handshake_ms: u64,
    /// Longest wait for an association request, and for a peer to close.
    pub associate_ms: u64,
    /// Longest pause between two messages.
    pub idle_ms: u64,
    /// The same while another sender needs the place.
    pub idle_when_full_ms: u64,
    /// Longest wait for the next bytes within a message.
    pub read_ms: u64,
    /// Longest wait for a peer to take an answer.
    pub write_ms: u64,
    /// Longest association.
    pub association_ms: u64,
    /// Least bytes per second within a message.
    pub min_bytes_per_s: u64,
    /// How much waiting is looked at together for the least rate.
    pub rate_window_ms: u64,
    /// Longest data set.
    pub max_instance_bytes: u64,
    /// Longest P-DATA-TF that is announced and taken.
    pub max_pdu_bytes: u32,
}

fn ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

impl Default for DimseSettings {
    fn default() -> Self {
        let limits = DimseLimits::default();
        Self {
            max_per_address: limits.max_per_address,
            kept_per_hospital: limits.kept_per_hospital,
            max_opening: limits.max_opening,
            max_opening_per_address: limits.max_opening_per_address,
            handshake_ms: ms(limits.handshake_timeout),
            associate_ms: ms(limits.artim_timeout),
            idle_ms: ms(limits.idle_timeout),
            idle_when_full_ms: ms(limits.yields_after),
            read_ms: ms(limits.read_timeout),
            write_ms: ms(limits.write_timeout),
            association_ms: ms(limits.association_timeout),
            min_bytes_per_s: limits.least_rate,
            rate_window_ms: ms(limits.rate_window),
            max_instance_bytes: limits.max_instance_bytes,
            max_pdu_bytes: limits.max_pdu_length,
        }
    }
}

impl DimseSettings {
    /// What the receiver is told, with so many associations at a time.
    #[must_use]
    pub fn limits(&self, max_associations: usize) -> DimseLimits {
        DimseLimits {
            max_associations,
            max_per_address: self.max_per_address,
            kept_per_hospital: self.kept_per_hospital,
            max_opening: self.max_opening,
            max_opening_per_address: self.max_opening_per_address,
            yields_after: Duration::from_millis(self.idle_when_full_ms),
            least_rate: self.min_bytes_per_s,
            rate_window: Duration::from_millis(self.rate_window_ms),
            max_pdu_length: self.max_pdu_bytes,
            max_instance_bytes: self.max_instance_bytes,
            handshake_timeout: Duration::from_millis(self.handshake_ms),
            artim_timeout: Duration::from_millis(self.associate_ms),
            idle_timeout: Duration::from_millis(self.idle_ms),
            read_timeout: Duration::from_millis(self.read_ms),
            write_timeout: Duration::from_millis(self.write_ms),
            association_timeout: Duration::from_millis(self.association_ms),
            ..DimseLimits::default()
        }
    }

    pub(crate) fn check(&self, most: usize, hospitals: usize) -> Result<(), PipelineError> {
        places("dimse.max_associations", most)?;
        places("dimse.limits.max_per_address", self.max_per_address)?;
        places("dimse.limits.max_opening", self.max_opening)?;
        places("dimse.limits.max_opening_per_address", self.max_opening_per_address)?;
        kept("dimse.limits", self.kept_per_hospital, "dimse.max_associations", most, hospitals)?;
        for (name, value) in [
            ("handshake_ms", self.handshake_ms),
            ("associate_ms", self.associate_ms),
            ("idle_ms", self.idle_ms),
            ("idle_when_full_ms", self.idle_when_full_ms),
            ("read_ms", self.read_ms),
            ("write_ms", self.write_ms),
            ("association_ms", self.association_ms),
            ("rate_window_ms", self.rate_window_ms),
        ] {
            time("dimse.limits", name, value)?;
        }
        if self.max_instance_bytes == 0 {
            return Err(PipelineError::config("dimse.limits.max_instance_bytes is 0"));
        }
        if !PDU_BYTES.contains(&self.max_pdu_bytes) {
            let text = format!(
                "dimse.limits.max_pdu_bytes is {}: {} to {} are possible",
                self.max_pdu_bytes,
                PDU_BYTES.start(),
                PDU_BYTES.end()
            );
            return Err(PipelineError::config(text));
        }
        Ok(())
    }
}

/// Connections of the HTTP listeners.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Connections {
    /// Most at a time, on each listener.
    pub max: usize,
    /// Most of one address.
    pub max_per_address: usize,
    /// Longest time without a request at work: TLS handshake, whole header, between two requests.
    pub header_ms: u64,
}

impl Default for Connections {
    fn default() -> Self {
        Self { max: 512, max_per_address: 128, header_ms: 30_000 }
    }
}

impl Connections {
    pub(crate) fn check(&self) -> Result<(), PipelineError> {
        places("http.connections.max", self.max)?;
        places("http.connections.max_per_address", self.max_per_address)?;
        time("http.connections", "header_ms", self.header_ms)
    }
}

/// Checks what uploads may do.
pub(crate) fn check_uploads(limits: &WebLimits, hospitals: usize) -> Result<(), PipelineError> {
    places("http.limits.max_uploads", limits.max_uploads)?;
    places("http.limits.max_uploads_per_token", limits.max_uploads_per_token)?;
    places("http.limits.max_uploads_per_address", limits.max_uploads_per_address)?;
    let most = limits.max_uploads;
    kept("http.limits", limits.kept_per_hospital, "http.limits.max_uploads", most, hospitals)?;
    for (name, value) in [
        ("idle_timeout_ms", limits.idle_timeout_ms),
        ("request_timeout_ms", limits.request_timeout_ms),
        ("rate_window_ms", limits.rate_window_ms),
    ] {
        time("http.limits", name, value)?;
    }
    for (name, value) in [
        ("max_body_bytes", limits.max_body_bytes),
        ("max_instance_bytes", limits.max_instance_bytes),
        ("max_parts", u64::from(limits.max_parts)),
        ("max_part_header_bytes", limits.max_part_header_bytes as u64),
        ("max_unpacked_bytes", limits.max_unpacked_bytes),
        ("max_unpack_ratio", limits.max_unpack_ratio),
    ] {
        if value == 0 {
            return Err(PipelineError::config(format!("http.limits.{name} is 0")));
        }
    }
    Ok(())
}

fn places(name: &str, value: usize) -> Result<(), PipelineError> {
    if (1..=MOST_PLACES).contains(&value) {
        return Ok(());
    }
    Err(PipelineError::config(format!("{name} is {value}: 1 to {MOST_PLACES} are possible")))
}

/// Every hospital must be able to send something while all the others send.
fn kept(
    table: &str,
    kept: Option<usize>,
    name: &str,
    most: usize,
    hospitals: usize,
) -> Result<(), PipelineError> {
    let each = kept.unwrap_or(1);
    if each.checked_mul(hospitals).is_some_and(|all| all <= most) {
        return Ok(());
    }
    Err(PipelineError::config(format!(
        "{name} is {most}, too few to keep {each} for each of {hospitals} hospitals: raise it, or \
         lower {table}.kept_per_hospital"
    )))
}

fn time(table: &str, name: &str, value: u64) -> Result<(), PipelineError> {
    if (SHORTEST_MS..=LONGEST_MS).contains(&value) {
        return Ok(());
    }
    Err(PipelineError::config(format!(
        "{table}.{name} is {value}: {SHORTEST_MS} to {LONGEST_MS} milliseconds are possible"
    )))
}

#[cfg(test)]
mod tests {
    use crate::Config;
    use scanveil_model::Coded;

    /// Two hospitals that send by C-STORE and by upload.
    fn base() -> String {
        let hospital = |id: &str, digit: char| {
            format!(
                "[[hospital]]\nid = \"{id}\"\ncalled_ae = \"{id}\"\ntokens = [\"sha256:{}\"]\n\
                 retention = {{ class = \"care\", years = 1 }}\n",
                digit.to_string().repeat(64)
            )
        };
        format!("data_dir = \"data\"\n{}{}", hospital("one", '1'), hospital("two", '2'))
    }

    #[test]
    fn limits_that_make_no_sense_are_named() {
        Config::parse(&base()).unwrap();
        let table = [
            ("dimse]\nmax_associations = 0", "dimse.max_associations is 0"),
            ("dimse]\nmax_associations = 1", "too few to keep 1 for each of 2 hospitals"),
            ("dimse.limits]\nmax_per_address = 0", "dimse.limits.max_per_address"),
            ("dimse.limits]\nkept_per_hospital = 65", "too few to keep 65"),
            ("dimse.limits]\nhandshake_ms = 0", "dimse.limits.handshake_ms is 0"),
            ("dimse.limits]\nidle_ms = 99999999999", "dimse.limits.idle_ms"),
            ("dimse.limits]\nmax_pdu_bytes = 100", "dimse.limits.max_pdu_bytes"),
            ("dimse.limits]\nhandshake_s = 1", "handshake_s"),
            ("http.limits]\nmax_uploads = 1", "http.limits.max_uploads is 1, too few"),
            ("http.limits]\nidle_timeout_ms = 1", "http.limits.idle_timeout_ms"),
            ("http.limits]\nmax_body_bytes = 0", "http.limits.max_body_bytes"),
            ("http.connections]\nmax = 0", "http.connections.max is 0"),
            ("http.connections]\nheader_ms = 0", "http.connections.header_ms"),
            ("http.health]\nlisten = \"0.0.0.0:8043\"", "http.health"),
        ];
        for (lines, said) in table {
            let error = Config::parse(&format!("{}[{lines}\n", base())).unwrap_err();
            assert!(error.to_string().contains(said), "{lines}: {error}");
            assert!(!error.next_step().is_empty());
        }
    }
}
