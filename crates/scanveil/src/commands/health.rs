//! `scanveil health`: for container health checks and scripts.

use crate::cli::HealthArgs;
use crate::output::{Failure, Output};
use reqwest::blocking::Client;
use scanveil_pipeline::{Config, Http};
use serde::Deserialize;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

pub(crate) fn run(args: &HealthArgs, output: &Output) -> Result<ExitCode, Failure> {
    let http = match &args.config {
        Some(file) => Config::load(file)?.http,
        None => Http::default(),
    };
    let own = args.url.is_none();
    let base = args.url.clone().unwrap_or_else(|| address(&http));
    let failed = |error: reqwest::Error| {
        Failure::new(
            "SV-CLI-006",
            format!("the service does not answer: {}", error.without_url()),
            "check that it runs, and that --url or --config says where",
        )
    };
    // The machine's own service is asked by its address, which its certificate does not name.
    let client = Client::builder()
        .timeout(Duration::from_secs(5))
        .tls_danger_accept_invalid_certs(own && base.starts_with("https:"))
        .build();
    let url = format!("{}/health/ready", base.trim_end_matches('/'));
    let answer = client.and_then(|client| client.get(url).send()).map_err(failed)?;
    let ready = answer.status().is_success();
    // Something else than scanveil may answer there, and in any form.
    let said: Said = answer.json().unwrap_or_default();
    let result = serde_json::json!({
        "ready": ready, "degraded": said.degraded, "problems": said.problems,
    });
    output.result(&result, || {
        let word = match (ready, said.degraded) {
            (false, _) => "not ready: nothing can be received",
            (true, true) => "ready, but something needs attention",
            (true, false) => return "ready".to_owned(),
        };
        format!("{word} ({}); the status page says more", said.problems.join(", "))
    });
    Ok(if ready { ExitCode::SUCCESS } else { ExitCode::from(2) })
}

/// What the service says of its health.
#[derive(Default, Deserialize)]
struct Said {
    degraded: bool,
    problems: Vec<String>,
}

/// Where this machine reaches its own service: by the listener that is there for it, if there is.
fn address(http: &Http) -> String {
    let (listen, tls) = match &http.health {
        Some(health) => (health.listen, health.tls.is_some()),
        None => (http.listen, http.tls.is_some()),
    };
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    let scheme = if tls { "https" } else { "http" };
    format!("{scheme}://{}", SocketAddr::new(ip, listen.port()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use scanveil_pipeline::Listener;

    #[test]
    fn an_unspecified_address_is_asked_on_loopback() {
        for (listen, url) in [
            ("0.0.0.0:8042", "http://127.0.0.1:8042"),
            ("[::]:1", "http://[::1]:1"),
            ("10.1.2.3:9", "http://10.1.2.3:9"),
        ] {
            let http = Http { listen: listen.parse().unwrap(), ..Http::default() };
            assert_eq!(address(&http), url);
        }
        let health = Listener { listen: "127.0.0.1:8043".parse().unwrap(), tls: None };
        let http = Http { health: Some(health), ..Http::default() };
        assert_eq!(address(&http), "http://127.0.0.1:8043");
    }
}
