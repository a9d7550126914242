//! The figures of a look as gauges: what an operator sets alarms on.

use crate::status::{HospitalStatus, StatusSnapshot};
use metrics::{counter, gauge};
use scanveil_model::{HospitalId, ReasonCode};

/// Sets every gauge to what was seen.
pub(crate) fn set(status: &StatusSnapshot) {
    gauge!("scanveil_ready").set(f64::from(u8::from(status.ready)));
    gauge!("scanveil_problems").set(status.problems.len() as f64);
    let spool = &status.spool;
    gauge!("scanveil_spool_used_bytes").set(spool.used_bytes as f64);
    gauge!("scanveil_spool_limit_bytes").set(spool.max_bytes as f64);
    gauge!("scanveil_spool_set_aside_records").set(spool.set_aside as f64);
    gauge!("scanveil_spool_waiting_instances").set(spool.waiting as f64);
    gauge!("scanveil_spool_oldest_seconds").set(seconds(spool.oldest_waiting_ms));
    let pipeline = &status.pipeline;
    gauge!("scanveil_pipeline_studies").set(pipeline.studies as f64);
    gauge!("scanveil_pipeline_failing_studies").set(pipeline.failing as f64);
    counter!("scanveil_pipeline_failures_total").absolute(pipeline.failures);
    gauge!("scanveil_pipeline_last_success_timestamp_seconds")
        .set(timestamp(pipeline.last_success_at_ms));
    gauge!("scanveil_store_reachable").set(f64::from(u8::from(status.store.reachable)));
    counter!("scanveil_store_errors_total").absolute(status.store.errors);
    status.hospitals.iter().for_each(hospital);
}

fn hospital(status: &HospitalStatus) {
    let hospital = || status.hospital.to_string();
    gauge!("scanveil_hospital_waiting_instances", "hospital" => hospital())
        .set(status.waiting as f64);
    gauge!("scanveil_hospital_oldest_seconds", "hospital" => hospital())
        .set(seconds(status.oldest_waiting_ms));
    gauge!("scanveil_hospital_last_arrival_timestamp_seconds", "hospital" => hospital())
        .set(timestamp(status.last_arrival_at_ms));
    gauge!("scanveil_hospital_stored_instances", "hospital" => hospital())
        .set(status.stored.instances as f64);
    gauge!("scanveil_hospital_stored_bytes", "hospital" => hospital())
        .set(status.stored.bytes as f64);
    gauge!("scanveil_hospital_quarantined_instances", "hospital" => hospital())
        .set(status.held_back as f64);
    // Every reason has its series: one that is gone since the last look goes back to nothing.
    for code in ReasonCode::ALL {
        let found = status.quarantined.iter().find(|reason| reason.code == *code);
        gauge!("scanveil_quarantined_instances",
            "hospital" => hospital(), "reason" => code.as_str())
        .set(found.map_or(0, |reason| reason.instances) as f64);
    }
}

/// A hospital that is not configured any more has no figures: no alarm is raised about it.
pub(crate) fn gone(hospital: &HospitalId) {
    let hospital = || hospital.to_string();
    gauge!("scanveil_hospital_waiting_instances", "hospital" => hospital()).set(f64::NAN);
    gauge!("scanveil_hospital_oldest_seconds", "hospital" => hospital()).set(f64::NAN);
    gauge!("scanveil_hospital_last_arrival_timestamp_seconds", "hospital" => hospital())
        .set(f64::NAN);
    gauge!("scanveil_hospital_stored_instances", "hospital" => hospital()).set(f64::NAN);
    gauge!("scanveil_hospital_stored_bytes", "hospital" => hospital()).set(f64::NAN);
    gauge!("scanveil_hospital_quarantined_instances", "hospital" => hospital()).set(f64::NAN);
    for code in ReasonCode::ALL {
        gauge!("scanveil_quarantined_instances",
            "hospital" => hospital(), "reason" => code.as_str())
        .set(f64::NAN);
    }
}

/// Nothing waits: no age.
fn seconds(ms: Option<u64>) -> f64 {
    ms.unwrap_or(0) as f64 / 1000.0
}

/// Seconds since 1970; 0 for never.
fn timestamp(at_ms: Option<i64>) -> f64 {
    at_ms.unwrap_or(0) as f64 / 1000.0
}
