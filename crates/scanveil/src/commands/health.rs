//! `scanveil health`: for container health checks and scripts.

use crate::cli::HealthArgs;
use crate::output::{Failure, Output};
use reqwest::blocking::Client;
use scanveil_pipeline::{Config, Http};
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
        .tls_danger_accept_invalid_certs(own && http.tls.is_some())
        .build();
    let url = format!("{}/health/ready", base.trim_end_matches('/'));
    let answer = client.and_then(|client| client.get(url).send()).map_err(failed)?;
    let ready = answer.status().is_success();
    output.result(&serde_json::json!({ "ready": ready }), || {
        if ready { "ready" } else { "not ready: look at the status page" }.to_owned()
    });
    Ok(if ready { ExitCode::SUCCESS } else { ExitCode::from(2) })
}

/// Where this machine reaches its own service.
fn address(http: &Http) -> String {
    let ip = match http.listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    let scheme = if http.tls.is_some() { "https" } else { "http" };
    format!("{scheme}://{}", SocketAddr::new(ip, http.listen.port()))
}

#[cfg(test)]
mod tests {
    use super::*;

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
    }
}
