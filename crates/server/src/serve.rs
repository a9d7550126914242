//! Starting and stopping the server.

use crate::connection::Door;
use crate::observe::{Observer, observe};
use crate::status::{Entrance, Status, StatusSnapshot, StatusSource};
use crate::{Listener, ServerConfig, ServerError, Transport, gauges, routes, tls};
use axum::Router;
use axum::middleware::from_fn_with_state;
use axum_server::Handle;
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusRecorder};
use scanveil_ingest::{Current, PlaceLimits, TokenDigest};
use scanveil_model::HospitalId;
use std::collections::BTreeSet;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;

/// Most looks at the service at the same time; one serves all who ask.
const WATCH_THREADS: usize = 4;
/// How often old samples of histograms are folded together.
const UPKEEP: Duration = Duration::from_secs(5);
/// How long tasks that do not end by themselves are waited for at the very end.
const LAST_WAIT: Duration = Duration::from_secs(1);

/// The metrics of this process, as `/metrics` shows them.
#[derive(Clone)]
pub struct Metrics {
    recorder: Arc<PrometheusRecorder>,
    /// Hospitals whose gauges are set.
    shown: Arc<Mutex<BTreeSet<HospitalId>>>,
}

impl Metrics {
    /// Starts to record the metrics of this process.
    ///
    /// # Errors
    /// [`ServerError::Metrics`] when something records them already.
    pub fn install() -> Result<Self, ServerError> {
        let own = Self::detached();
        metrics::set_global_recorder(Arc::clone(&own.recorder))
            .map_err(|_| ServerError::Metrics)?;
        Ok(own)
    }

    /// Metrics that nothing is recorded in, for a server inside another program.
    #[must_use]
    pub fn detached() -> Self {
        let recorder = Arc::new(PrometheusBuilder::new().build_recorder());
        Self { recorder, shown: Arc::default() }
    }

    /// What was recorded, with the figures of this look.
    pub(crate) fn render(&self, status: &StatusSnapshot) -> String {
        let now = status.hospitals.iter().map(|one| one.hospital.clone()).collect();
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *shown, now);
        metrics::with_local_recorder(&*self.recorder, || {
            before.difference(&shown).for_each(gauges::gone);
            gauges::set(status);
        });
        self.recorder.handle().render()
    }
}

/// What the server serves.
pub struct ServerParts {
    /// The receivers' routes.
    pub receivers: Router,
    /// Who knows how the service is doing.
    pub status: Arc<dyn StatusSource>,
    /// The metrics.
    pub metrics: Metrics,
    /// Digest of the token that opens page, status and metrics. Without one they are shown to the
    /// machine itself only.
    pub operator_token: Current<Option<TokenDigest>>,
}

/// A running server. Dropping it stops it, as [`ServerHandle::shutdown`] does.
pub struct ServerHandle {
    runtimes: Option<Runtimes>,
    running: Vec<Running>,
    grace: Duration,
    receive: SocketAddr,
    page: Entrance,
    watch: Option<SocketAddr>,
}

/// The threads of the receivers, and those of whoever watches: the ones cannot starve the others.
struct Runtimes {
    receive: Runtime,
    watch: Runtime,
}

/// One listener at work.
struct Running {
    handle: Handle<SocketAddr>,
    task: JoinHandle<io::Result<()>>,
}

/// A listener that is bound, with what makes it speak.
struct Bound {
    listener: TcpListener,
    address: SocketAddr,
    tls: Option<RustlsConfig>,
}

/// Starts the server on runtimes of its own. Addresses are bound and certificates are read before
/// it returns. Not to be called on a thread of another runtime.
///
/// # Errors
/// [`ServerError`] when an address cannot be bound, a certificate cannot be used, or no thread can
/// be started.
pub fn serve(config: &ServerConfig, parts: ServerParts) -> Result<ServerHandle, ServerError> {
    let runtimes = Runtimes::start()?;
    let receive = bind(&config.receive)?;
    let watch = config.watch.as_ref().map(bind).transpose()?;
    let page = Entrance { address: receive.address, tls: receive.tls.is_some() };
    let watch_at = watch.as_ref().map(|bound| bound.address);
    let looks = runtimes.watch.handle().clone();
    let status = Arc::new(Status::new(parts.status, page, looks));
    let token = parts.operator_token;
    let watching = routes::operate(Arc::clone(&status), token.clone())
        .merge(routes::metrics(Arc::clone(&status), parts.metrics.clone(), token))
        .merge(routes::health(status));
    let mut running = Vec::with_capacity(2);
    if let Some(bound) = watch {
        let router = watching.clone();
        running.push(start(&runtimes.watch, bound, router, config, "health")?);
    }
    let receivers = parts.receivers.merge(watching);
    running.push(start(&runtimes.receive, receive, receivers, config, "http")?);
    let upkeep = parts.metrics.recorder.handle();
    runtimes.watch.spawn(async move {
        let mut ticks = tokio::time::interval(UPKEEP);
        loop {
            ticks.tick().await;
            upkeep.run_upkeep();
        }
    });
    Ok(ServerHandle {
        runtimes: Some(runtimes),
        running,
        grace: Duration::from_millis(config.shutdown_grace_ms),
        receive: page.address,
        page,
        watch: watch_at,
    })
}

impl Runtimes {
    fn start() -> Result<Self, ServerError> {
        let receive = Builder::new_multi_thread().enable_all().thread_name("http").build();
        let watch = Builder::new_multi_thread()
            .enable_all()
            .thread_name("health")
            .worker_threads(1)
            .max_blocking_threads(WATCH_THREADS)
            .build();
        let failed = ServerError::Runtime;
        Ok(Self { receive: receive.map_err(failed)?, watch: watch.map_err(failed)? })
    }
}

fn bind(listener: &Listener) -> Result<Bound, ServerError> {
    let failed = |source| ServerError::Bind { address: listener.address, source };
    let tls = match &listener.transport {
        Transport::Plain => None,
        Transport::Tls { certificate, key } => Some(tls::load(certificate, key)?),
    };
    let listener = TcpListener::bind(listener.address).map_err(failed)?;
    listener.set_nonblocking(true).map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok(Bound { listener, address, tls })
}

fn start(
    runtime: &Runtime,
    bound: Bound,
    router: Router,
    config: &ServerConfig,
    name: &'static str,
) -> Result<Running, ServerError> {
    let Bound { listener, tls, .. } = bound;
    let places = PlaceLimits {
        most: config.max_connections,
        per_address: config.max_connections_per_address,
        per_token: usize::MAX,
        kept_per_hospital: None,
        yields_after: Duration::ZERO,
    };
    let rest = Duration::from_millis(config.header_timeout_ms);
    let door = Door::new(name, places, rest);
    let observer = Observer::new(tls.is_some());
    let service = router
        .layer(from_fn_with_state(observer, observe))
        .into_make_service_with_connect_info::<SocketAddr>();
    let handle = Handle::new();
    let server = {
        // The listener is registered with the runtime that is entered here.
        let _entered = runtime.enter();
        axum_server::from_tcp(listener).map_err(ServerError::Runtime)?.handle(handle.clone())
    };
    let task = match tls {
        Some(config) => {
            let acceptor = RustlsAcceptor::new(config).handshake_timeout(rest).acceptor(door);
            runtime.spawn(server.acceptor(acceptor).serve(service))
        }
        None => runtime.spawn(server.acceptor(door).serve(service)),
    };
    Ok(Running { handle, task })
}

impl ServerHandle {
    /// Where hospitals send to, with the port that was taken.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.receive
    }

    /// The status page, as a browser takes it.
    #[must_use]
    pub fn page_url(&self) -> String {
        url(self.page, "/")
    }

    /// Where health and metrics have a listener of their own.
    #[must_use]
    pub fn watch_addr(&self) -> Option<SocketAddr> {
        self.watch
    }

    /// Stops taking connections, lets requests at work end within the grace time, then stops. Not
    /// to be called on a thread of a runtime.
    pub fn shutdown(mut self) {
        self.stop();
    }

    fn stop(&mut self) {
        let Some(runtimes) = self.runtimes.take() else { return };
        for running in &self.running {
            running.handle.graceful_shutdown(Some(self.grace));
        }
        for running in self.running.drain(..) {
            let limit = self.grace + LAST_WAIT;
            let ended = async { tokio::time::timeout(limit, running.task).await };
            if runtimes.watch.block_on(ended).is_err() {
                tracing::warn!("a listener did not end in time");
            }
        }
        runtimes.receive.shutdown_timeout(LAST_WAIT);
        runtimes.watch.shutdown_timeout(LAST_WAIT);
    }
}

impl Drop for ServerHandle {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A URL that can be opened on this machine: where the address means every address, by loopback.
fn url(entrance: Entrance, path: &str) -> String {
    let mut address = entrance.address;
    if address.ip().is_unspecified() {
        address.set_ip(match address {
            SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    format!("{}://{address}{path}", if entrance.tls { "https" } else { "http" })
}
