//! Counters that are there from the start: an alarm on one that has never counted would be silent.

use metrics::counter;
use scanveil_model::HospitalId;

const PROTOCOLS: [&str; 4] = ["dimse", "stow", "upload", "folder"];
const LISTENERS: [&str; 4] = ["dimse", "dimse-tls", "http", "health"];

/// Shows what receivers count, at nothing, for these hospitals.
pub fn show_counters<'h>(hospitals: impl IntoIterator<Item = &'h HospitalId>) {
    for listener in LISTENERS {
        counter!("scanveil_refused_connections_total",
            "listener" => listener, "reason" => "gave-way")
        .increment(0);
    }
    let names = hospitals.into_iter().map(|hospital| hospital.to_string());
    for hospital in names.chain(["unknown".to_owned()]) {
        let unknown = hospital == "unknown";
        let reason = if unknown { "called-ae-title" } else { "calling-ae-title" };
        counter!("scanveil_dimse_rejects_total",
            "hospital" => hospital.clone(), "sender" => "unlisted", "reason" => reason)
        .increment(0);
        let reason = if unknown { "no-token" } else { "places-hospital" };
        counter!("scanveil_refused_requests_total",
            "hospital" => hospital.clone(), "reason" => reason)
        .increment(0);
        for protocol in PROTOCOLS.iter().filter(|_| !unknown) {
            counter!("scanveil_received_instances_total",
                "protocol" => *protocol, "hospital" => hospital.clone())
            .increment(0);
            counter!("scanveil_refused_instances_total",
                "protocol" => *protocol, "hospital" => hospital.clone(), "reason" => "spool-full")
            .increment(0);
        }
    }
}
