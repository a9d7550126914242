//! `scanveil serve`: receivers, pipeline, HTTP side.

pub(crate) mod control;
pub(crate) mod receivers;
pub(crate) mod reload;

use crate::cli::ServeArgs;
use crate::commands::status::Status;
use crate::commands::subject::desk;
use crate::output::{Failure, Output, io_failure};
use receivers::Receivers;
use reload::Reloader;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use scanveil_ingest::{Current, Intake, router, show_counters};
use scanveil_pipeline::{
    Config, Problem, Severity, Site, SiteMode, Tls, Worker, intake, preflight,
};
use scanveil_server::{
    Listener, Metrics, ServerConfig, ServerHandle, ServerParts, Transport, serve,
};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use tokio::net::UnixListener;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// A running service.
pub(crate) struct Service {
    pub(crate) site: Arc<Site>,
    receivers: Arc<Receivers>,
    http: ServerHandle,
    worker: Worker,
}

impl Service {
    /// Opens the installation and starts everything the configuration names. Receivers start last,
    /// so that nothing is acknowledged before the rest is there.
    pub(crate) fn start(config: Config, metrics: Metrics) -> Result<Self, Failure> {
        let (site, pending) = Site::open(config, SiteMode::Service)?;
        let spool = site.spool().cloned().ok_or_else(|| {
            Failure::new("SV-CLI-002", "the spool is not open", "report this: it is a defect")
        })?;
        let worker = Worker::start(Arc::clone(&site), pending)?;
        let intake = intake(spool);
        show_counters(site.config().hospitals.iter().map(|hospital| &hospital.id));
        let receivers = Arc::new(Receivers::start(&site, Arc::clone(&intake))?);
        let status = Arc::new(Status::new(&site, worker.activity(), &receivers)?);
        let http = start_http(&site, intake, status, metrics)?;
        Ok(Self { site, receivers, http, worker })
    }

    /// Where the HTTP side listens.
    pub(crate) fn http_addr(&self) -> SocketAddr {
        self.http.local_addr()
    }

    /// Where the status page is.
    pub(crate) fn page_url(&self) -> String {
        self.http.page_url()
    }

    /// Where health and metrics have a listener of their own.
    pub(crate) fn health_addr(&self) -> Option<SocketAddr> {
        self.http.watch_addr()
    }

    /// Where C-STORE without TLS is received.
    pub(crate) fn dimse_addr(&self) -> Option<SocketAddr> {
        self.receivers.plain_addr()
    }

    /// Where C-STORE with TLS is received.
    pub(crate) fn dimse_tls_addr(&self) -> Option<SocketAddr> {
        self.receivers.tls_addr()
    }

    /// Stops receiving, then the pipeline; what is not done stays in the spool.
    pub(crate) fn stop(self) {
        self.receivers.stop();
        self.http.shutdown();
        self.worker.stop();
    }
}

fn transport(tls: Option<&Tls>) -> Transport {
    match tls {
        None => Transport::Plain,
        Some(tls) => Transport::Tls { certificate: tls.certificate.clone(), key: tls.key.clone() },
    }
}

fn start_http(
    site: &Arc<Site>,
    intake: Intake,
    status: Arc<Status>,
    metrics: Metrics,
) -> Result<ServerHandle, Failure> {
    let config = site.config();
    let mut server = ServerConfig::new(Listener {
        address: config.http.listen,
        transport: transport(config.http.tls.as_ref()),
    });
    let connections = &config.http.connections;
    server.max_connections = connections.max;
    server.max_connections_per_address = connections.max_per_address;
    server.header_timeout_ms = connections.header_ms;
    server.watch = config.http.health.as_ref().map(|health| Listener {
        address: health.listen,
        transport: transport(health.tls.as_ref()),
    });
    let (for_uploads, for_operators) = (Arc::clone(site), Arc::clone(site));
    let tokens = Current::new(move || Arc::clone(&for_uploads.settings().tokens));
    let operator_token = Current::new(move || Arc::clone(&for_operators.settings().operator_token));
    let receivers = router(intake, tokens, config.http.limits.clone());
    Ok(serve(&server, ServerParts { receivers, status, metrics, operator_token })?)
}

pub(crate) fn run(args: &ServeArgs, output: &Output) -> Result<ExitCode, Failure> {
    let config = reload::load(args)?;
    startable(&config)?;
    more_files(&config);
    let signals = Signals::new()?;
    let service = Service::start(config, Metrics::install()?)?;
    let reloader = Reloader {
        site: Arc::clone(&service.site),
        receivers: Arc::clone(&service.receivers),
        args: args.clone(),
        file: std::path::absolute(&args.config.config)
            .map_err(|error| io_failure("the configuration", &error))?,
    };
    tell_waiting(&service.site);
    let control = signals.listen(&service.site.config());
    let dimse = [service.dimse_addr(), service.dimse_tls_addr()];
    output.result(
        &serde_json::json!({
            "page": service.page_url(), "http": service.http_addr(),
            "dimse": dimse[0], "dimse_tls": dimse[1], "health": service.health_addr(),
        }),
        || {
            let line = |name: &str, at: Option<SocketAddr>| {
                at.map(|at| format!("{name} {at}\n")).unwrap_or_default()
            };
            format!(
                "scanveil is running.\n  status page  {}\n  STOW-RS      {}\n{}{}{}stop it with Ctrl-C",
                service.page_url(),
                service.http_addr(),
                line("  C-STORE     ", dimse[0]),
                line("  C-STORE/TLS ", dimse[1]),
                line("  health      ", service.health_addr()),
            )
        },
    );
    signals.serve(&reloader, control.as_ref());
    tracing::info!("stopping: finishing what is in work");
    service.stop();
    Ok(ExitCode::SUCCESS)
}

/// Whether everything is there that the configuration names.
fn startable(config: &Config) -> Result<(), Failure> {
    let (fatal, others): (Vec<Problem>, Vec<Problem>) =
        preflight(config).into_iter().partition(|problem| problem.severity == Severity::Fatal);
    for Problem { setting, what, next_step, .. } in others {
        tracing::warn!(setting, next_step, "{what}");
    }
    match fatal.into_iter().next() {
        None => Ok(()),
        Some(Problem { setting, what, next_step, .. }) => {
            Err(Failure::new("SV-CLI-047", format!("{setting}: {what}"), &next_step))
        }
    }
}

/// Files that the service needs beside its connections: catalogue, spool, store, packs in work.
const OTHER_FILES: usize = 256;

/// Lets the process open as many files as the system allows it: every connection is one. Says so
/// where that is fewer than the configured limits need.
fn more_files(config: &Config) {
    let limit = getrlimit(Resource::Nofile);
    let raised = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
    let got = if raised.is_ok() { limit.maximum } else { limit.current };
    let http = config.http.connections.max * if config.http.health.is_some() { 2 } else { 1 };
    // A connection of the DIMSE receiver that has not asked for an association is two.
    let dimse = config.dimse.max_associations + 2 * config.dimse.limits.max_opening;
    let receivers =
        usize::from(config.dimse.tls.is_some()) + usize::from(config.dimse.listen.is_some());
    let needed = OTHER_FILES + http + dimse * receivers;
    if got.is_some_and(|got| got < needed as u64) {
        tracing::warn!(
            allowed = got,
            needed,
            next_step = "raise LimitNOFILE of the unit, or lower the limits of connections",
            "the system allows fewer open files than the configured connections need"
        );
    }
}

/// Says what waits for hospitals that are not configured.
fn tell_waiting(site: &Site) {
    for waiting in reload::waiting(site) {
        tracing::error!(
            hospital = %waiting.hospital, instances = waiting.instances,
            next_step = reload::WAITING_STEP,
            "instances wait in the spool for a hospital that is not configured"
        );
    }
}

/// The signals that end the service, or have it read its configuration again.
pub(crate) struct Signals {
    runtime: tokio::runtime::Runtime,
    terminate: Signal,
    hang_up: Signal,
}

impl Signals {
    /// Listens from now on, so that no signal is missed during the start.
    pub(crate) fn new() -> Result<Self, Failure> {
        let failed = |error: std::io::Error| {
            Failure::new("SV-CLI-004", format!("signals: {error}"), "check the system's limits")
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(failed)?;
        let signals = runtime.block_on(async {
            Ok((signal(SignalKind::terminate())?, signal(SignalKind::hangup())?))
        });
        let (terminate, hang_up) = signals.map_err(failed)?;
        Ok(Self { runtime, terminate, hang_up })
    }

    /// Waits for Ctrl-C or SIGTERM.
    pub(crate) fn wait(mut self) {
        self.runtime.block_on(async {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = self.terminate.recv() => {}
            }
        });
    }

    /// Where `scanveil config reload` asks; without it there is SIGHUP.
    fn listen(&self, config: &Config) -> Option<UnixListener> {
        let _entered = self.runtime.enter();
        let listening = control::listen(config);
        if let Err(error) = &listening {
            tracing::warn!(%error, next_step = "reload with SIGHUP, and look who has the \
                socket's name in /proc/net/unix", "no socket for `scanveil config reload`");
        }
        listening.ok()
    }

    /// Waits for Ctrl-C or SIGTERM, and reads the configuration again when asked to.
    fn serve(mut self, reloader: &Reloader, control: Option<&UnixListener>) {
        let asked = async |control: Option<&UnixListener>| match control {
            Some(listener) => listener.accept().await.ok(),
            None => std::future::pending().await,
        };
        self.runtime.block_on(async {
            loop {
                tokio::select! {
                    _ = tokio::signal::ctrl_c() => return,
                    _ = self.terminate.recv() => return,
                    _ = self.hang_up.recv() => {
                        // What came of it is in the log.
                        let _ = reloader.reload(&desk::user());
                    }
                    Some((stream, _)) = asked(control) => control::answer(stream, reloader).await,
                }
            }
        });
    }
}
