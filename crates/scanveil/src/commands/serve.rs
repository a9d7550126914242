//! `scanveil serve`: receivers, pipeline, HTTP side.

use crate::cli::ServeArgs;
use crate::commands::status::Status;
use crate::output::{Failure, Output};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use scanveil_ingest::{
    ClientAuth, DimseConfig, DimseServer, FolderConfig, FolderHandle, FolderWatcher, HospitalRoute,
    Intake, PlainListener, TlsListener, TlsServer, TokenDigest, TokenTable, router, show_counters,
};
use scanveil_pipeline::{
    Config, Problem, Severity, Site, SiteMode, Tls, Worker, intake, preflight,
};
use scanveil_server::{
    Listener, Metrics, ServerConfig, ServerHandle, ServerParts, Transport, serve,
};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

/// How long running associations get to finish their instance.
const GRACE: Duration = Duration::from_secs(20);

/// A running service.
pub(crate) struct Service {
    pub(crate) site: Arc<Site>,
    http: ServerHandle,
    dimse: Vec<DimseServer>,
    folders: Vec<FolderHandle>,
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
        let dimse = start_dimse(site.config(), &intake)?;
        let folders = start_folders(site.config(), &intake)?;
        let entrance = dimse.first().and_then(|server| {
            let tls = server.tls_address();
            tls.map(|at| (at, true)).or_else(|| server.plain_address().map(|at| (at, false)))
        });
        let status = Arc::new(Status::new(&site, worker.activity(), entrance)?);
        let http = start_http(site.config(), intake, status, metrics)?;
        Ok(Self { site, http, dimse, folders, worker })
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
        self.dimse.iter().find_map(DimseServer::plain_address)
    }

    /// Where C-STORE with TLS is received.
    pub(crate) fn dimse_tls_addr(&self) -> Option<SocketAddr> {
        self.dimse.iter().find_map(DimseServer::tls_address)
    }

    /// Stops receiving, then the pipeline; what is not done stays in the spool.
    pub(crate) fn stop(self) {
        for server in self.dimse {
            server.stop(GRACE);
        }
        drop(self.folders);
        self.http.shutdown();
        self.worker.stop();
    }
}

/// One server for those who may speak plainly, one for all with TLS.
fn start_dimse(config: &Config, intake: &Intake) -> Result<Vec<DimseServer>, Failure> {
    let routes = |plain: bool| -> Vec<HospitalRoute> {
        let hospitals = config.hospitals.iter().filter(|h| !plain || h.allow_plain_dimse);
        hospitals.filter_map(scanveil_pipeline::Hospital::route).collect()
    };
    let limits = config.dimse.limits.limits(config.dimse.max_associations);
    let mut servers = Vec::new();
    if let Some(listener) = &config.dimse.tls
        && let Some(tls) = &listener.tls
    {
        let Some(clients) = &tls.client_ca else {
            return Err(Failure::new(
                "SV-CLI-003",
                "dimse.tls names no client_ca: anybody could send",
                "name the certificates of the authorities whose senders are let in",
            ));
        };
        let auth = ClientAuth::Required(clients.clone());
        let tls = TlsServer::from_pem_files(&tls.certificate, &tls.key, &auth)?;
        servers.push(DimseServer::start(
            DimseConfig {
                plain: None,
                tls: Some(TlsListener { address: listener.listen, tls }),
                routes: routes(false),
                limits: limits.clone(),
            },
            Arc::clone(intake),
        )?);
    }
    let plain = routes(true);
    if let Some(address) = config.dimse.listen.filter(|_| !plain.is_empty()) {
        servers.push(DimseServer::start(
            DimseConfig {
                plain: Some(PlainListener { address }),
                tls: None,
                routes: plain,
                limits,
            },
            Arc::clone(intake),
        )?);
    }
    Ok(servers)
}

fn start_folders(config: &Config, intake: &Intake) -> Result<Vec<FolderHandle>, Failure> {
    let mut handles = Vec::new();
    for hospital in &config.hospitals {
        if let Some(folder) = &hospital.folder {
            let mut watch = FolderConfig::new(hospital.id.clone(), folder.clone());
            watch.after = hospital.folder_after;
            handles.push(FolderWatcher::new(watch, Arc::clone(intake))?.start()?);
        }
    }
    Ok(handles)
}

fn transport(tls: Option<&Tls>) -> Transport {
    match tls {
        None => Transport::Plain,
        Some(tls) => Transport::Tls { certificate: tls.certificate.clone(), key: tls.key.clone() },
    }
}

fn start_http(
    config: &Config,
    intake: Intake,
    status: Arc<Status>,
    metrics: Metrics,
) -> Result<ServerHandle, Failure> {
    let mut tokens = Vec::new();
    for hospital in &config.hospitals {
        for digest in &hospital.tokens {
            tokens.push((TokenDigest::parse(digest)?, hospital.id.clone()));
        }
    }
    let table = TokenTable::new(tokens)?;
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
    server.operator_token =
        config.http.operator_token.as_deref().map(TokenDigest::parse).transpose()?;
    let receivers = router(intake, table, config.http.limits.clone());
    Ok(serve(&server, ServerParts { receivers, status, metrics })?)
}

pub(crate) fn run(args: &ServeArgs, output: &Output) -> Result<ExitCode, Failure> {
    let mut config = Config::load(&args.config.config)?;
    config.http.listen = args.http.unwrap_or(config.http.listen);
    config.dimse.listen = args.dimse.or(config.dimse.listen);
    // What counts is what is in force: a flag can open what the file keeps closed.
    config.check()?;
    startable(&config)?;
    more_files(&config);
    let signals = Signals::new()?;
    let service = Service::start(config, Metrics::install()?)?;
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
    signals.wait();
    tracing::info!("stopping: finishing what is in work");
    service.stop();
    Ok(ExitCode::SUCCESS)
}

/// Whether everything is there that the configuration names.
fn startable(config: &Config) -> Result<(), Failure> {
    let problems = preflight(config);
    match problems.into_iter().find(|problem| problem.severity == Severity::Fatal) {
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

/// The signals that end the service.
pub(crate) struct Signals(tokio::runtime::Runtime, tokio::signal::unix::Signal);

impl Signals {
    /// Listens from now on, so that no signal is missed during the start.
    pub(crate) fn new() -> Result<Self, Failure> {
        let failed = |error: std::io::Error| {
            Failure::new("SV-CLI-004", format!("signals: {error}"), "check the system's limits")
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(failed)?;
        let terminate = runtime.block_on(async {
            tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
        });
        Ok(Self(runtime, terminate.map_err(failed)?))
    }

    /// Waits for Ctrl-C or SIGTERM.
    pub(crate) fn wait(mut self) {
        let terminate = &mut self.1;
        self.0.block_on(async {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
        });
    }
}
