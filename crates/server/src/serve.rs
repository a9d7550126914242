//! Starting and stopping the server.

use crate::connection::Door;
use crate::observe::{Observer, observe};
use crate::status::{Entrance, Status, StatusSource};
use crate::{Listener, ServerConfig, ServerError, Transport, routes, tls};
use axum::Router;
use axum::middleware::from_fn_with_state;
use axum_server::Handle;
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;

/// How often old samples of histograms are folded together.
const UPKEEP: Duration = Duration::from_secs(5);
/// How long tasks that do not end by themselves are waited for at the very end.
const LAST_WAIT: Duration = Duration::from_secs(1);

/// The metrics of this process, as `/metrics` shows them.
#[derive(Clone)]
pub struct Metrics(PrometheusHandle);

impl Metrics {
    /// Starts to record the metrics of this process.
    ///
    /// # Errors
    /// [`ServerError::Metrics`] when something records them already.
    pub fn install() -> Result<Self, ServerError> {
        PrometheusBuilder::new().install_recorder().map(Self).map_err(|_| ServerError::Metrics)
    }

    /// Metrics that nothing is recorded in, for a server inside another program.
    #[must_use]
    pub fn detached() -> Self {
        Self(PrometheusBuilder::new().build_recorder().handle())
    }

    pub(crate) fn render(&self) -> String {
        self.0.render()
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
}

/// A running server. Dropping it stops it, as [`ServerHandle::shutdown`] does.
pub struct ServerHandle {
    runtime: Option<Runtime>,
    running: Vec<Running>,
    grace: Duration,
    receive: SocketAddr,
    page: Entrance,
    metrics: Entrance,
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

/// Starts the server on a runtime of its own. Addresses are bound and certificates are read before
/// it returns. Not to be called on a thread of another runtime.
///
/// # Errors
/// [`ServerError`] when an address cannot be bound, a certificate cannot be used, or no thread can
/// be started.
pub fn serve(config: &ServerConfig, parts: ServerParts) -> Result<ServerHandle, ServerError> {
    let runtime = Builder::new_multi_thread()
        .enable_all()
        .thread_name("http")
        .build()
        .map_err(ServerError::Runtime)?;
    let receive = bind(&config.receive)?;
    let operate = config.operate.as_ref().map(bind).transpose()?;
    let scrape = config.metrics.as_ref().map(bind).transpose()?;
    let entrance = |bound: &Bound| Entrance { address: bound.address, tls: bound.tls.is_some() };
    let web = entrance(&receive);
    let page_at = operate.as_ref().map_or(web, entrance);
    let metrics_at = scrape.as_ref().map_or(page_at, entrance);
    let status = Arc::new(Status::new(parts.status, web));
    let token = config.operator_token;
    let upkeep = parts.metrics.clone();
    let page = routes::operate(Arc::clone(&status), token);
    let metrics = routes::metrics(parts.metrics, token);

    let mut pages = page;
    let mut receivers = parts.receivers;
    let mut sites = Vec::new();
    match scrape {
        Some(bound) => sites.push((bound, metrics)),
        None => pages = pages.merge(metrics),
    }
    match operate {
        Some(bound) => sites.push((bound, pages)),
        None => receivers = receivers.merge(pages),
    }
    sites.push((receive, receivers));

    let door = Door::new(config.max_connections, Duration::from_millis(config.idle_connection_ms));
    let running = sites
        .into_iter()
        .map(|(bound, router)| {
            let router = router.merge(routes::health(Arc::clone(&status)));
            start(&runtime, bound, router, door.clone())
        })
        .collect::<Result<_, _>>()?;
    runtime.spawn(async move {
        let mut ticks = tokio::time::interval(UPKEEP);
        loop {
            ticks.tick().await;
            upkeep.0.run_upkeep();
        }
    });
    let grace = Duration::from_millis(config.shutdown_grace_ms);
    let runtime = Some(runtime);
    Ok(ServerHandle {
        runtime,
        running,
        grace,
        receive: web.address,
        page: page_at,
        metrics: metrics_at,
    })
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
    door: Door,
) -> Result<Running, ServerError> {
    let Bound { listener, tls, .. } = bound;
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
            let acceptor = RustlsAcceptor::new(config).acceptor(door);
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

    /// The metrics, as a collector takes them.
    #[must_use]
    pub fn metrics_url(&self) -> String {
        url(self.metrics, "/metrics")
    }

    /// Stops taking connections, lets requests at work end within the grace time, then stops. Not
    /// to be called on a thread of a runtime.
    pub fn shutdown(mut self) {
        self.stop();
    }

    fn stop(&mut self) {
        let Some(runtime) = self.runtime.take() else { return };
        for running in &self.running {
            running.handle.graceful_shutdown(Some(self.grace));
        }
        for running in self.running.drain(..) {
            let limit = self.grace + LAST_WAIT;
            let ended = async { tokio::time::timeout(limit, running.task).await };
            if runtime.block_on(ended).is_err() {
                tracing::warn!("a listener did not end in time");
            }
        }
        runtime.shutdown_timeout(LAST_WAIT);
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
