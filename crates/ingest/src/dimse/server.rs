//! The receiver: listeners, one thread per association, and an orderly stop.

use super::association::{Desk, serve};
use super::control::{Clock, Control, Phase, SystemClock};
use super::error::DimseError;
use super::limits::{DimseLimits, MAX_ENDING};
use super::link::{Link, MIN_PDU_LENGTH};
use super::secure::{Secure, prepare};
use super::tls::TlsServer;
use crate::current::Current;
use crate::intake::{HospitalRoute, Intake};
use crate::places::{Guest, Place, Places};
use crate::quiet::Quiet;
use metrics::{counter, gauge};
use rustls::ServerConnection;
use scanveil_model::Coded;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use tracing::{error, info, warn};

/// How long to wait after the system could give no connection, for example no file descriptor.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// How long aborted associations get to end.
const ABORT_GRACE: Duration = Duration::from_secs(5);

/// A listener without encryption, only for networks that the operator trusts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlainListener {
    /// Where to listen.
    pub address: SocketAddr,
}

/// A listener with TLS 1.3.
#[derive(Clone)]
pub struct TlsListener {
    /// Where to listen.
    pub address: SocketAddr,
    /// Certificate, key and client certificates.
    pub tls: TlsServer,
}

/// What a receiver needs to start.
#[derive(Clone)]
pub struct DimseConfig {
    /// Without encryption; only when asked for.
    pub plain: Option<PlainListener>,
    /// With TLS.
    pub tls: Option<TlsListener>,
    /// Hospitals, their AE titles and their senders; open associations are held against it too.
    pub routes: Current<Vec<HospitalRoute>>,
    /// Limits and time limits.
    pub limits: DimseLimits,
}

struct Shared {
    desk: Desk,
    limits: DimseLimits,
    control: Arc<Control>,
    clock: Arc<dyn Clock>,
    opening: Places,
    strangers: Quiet,
    crowds: Quiet,
    open: Mutex<usize>,
    one_ended: Condvar,
}

/// A running receiver. Stops when told to, or when dropped.
pub struct DimseServer {
    shared: Arc<Shared>,
    plain: Option<SocketAddr>,
    tls: Option<SocketAddr>,
    acceptors: Vec<JoinHandle<()>>,
}

fn check(config: &DimseConfig) -> Result<(), DimseError> {
    if config.plain.is_none() && config.tls.is_none() {
        return Err(DimseError::NoListener);
    }
    let routes = config.routes.now();
    for (at, route) in routes.iter().enumerate() {
        if routes[..at].iter().any(|other| other.called_ae == route.called_ae) {
            return Err(DimseError::DuplicateCalledAe(route.called_ae.clone()));
        }
    }
    let limits = &config.limits;
    let times = [limits.poll_interval, limits.write_timeout, limits.handshake_timeout];
    if times.iter().any(Duration::is_zero) {
        return Err(DimseError::BadLimit("a time limit of zero"));
    }
    if limits.max_pdu_length < MIN_PDU_LENGTH || limits.max_pdu_length > i32::MAX as u32 {
        return Err(DimseError::BadLimit("max_pdu_length"));
    }
    let places = [limits.max_associations, limits.max_per_address, limits.max_opening];
    if places.contains(&0) || limits.max_opening_per_address == 0 {
        return Err(DimseError::BadLimit("a number of places of zero"));
    }
    Ok(())
}

impl DimseServer {
    /// Opens the listeners and begins to receive.
    ///
    /// # Errors
    /// [`DimseError`] when the configuration contradicts itself or an address is not free.
    pub fn start(config: DimseConfig, intake: Intake) -> Result<Self, DimseError> {
        check(&config)?;
        let limits = config.limits;
        let routes = config.routes.clone();
        let places = Places::new(limits.associations(), move || routes.now().len());
        let shared = Arc::new(Shared {
            desk: Desk { routes: config.routes, intake, places },
            opening: Places::new(limits.opening(), || 0),
            limits,
            strangers: Quiet::new(),
            crowds: Quiet::new(),
            control: Arc::new(Control::new()),
            clock: Arc::new(SystemClock::new()),
            open: Mutex::new(0),
            one_ended: Condvar::new(),
        });
        let mut server = Self { shared, plain: None, tls: None, acceptors: Vec::with_capacity(2) };
        if let Some(listener) = config.plain {
            server.plain = Some(server.listen(listener.address, None)?);
        }
        if let Some(listener) = config.tls {
            server.tls = Some(server.listen(listener.address, Some(listener.tls))?);
        }
        Ok(server)
    }

    fn listen(
        &mut self,
        address: SocketAddr,
        tls: Option<TlsServer>,
    ) -> Result<SocketAddr, DimseError> {
        let failed = |source| DimseError::Bind { address, source };
        let listener = TcpListener::bind(address).map_err(failed)?;
        let bound = listener.local_addr().map_err(failed)?;
        let shared = Arc::clone(&self.shared);
        let security = if tls.is_some() { "TLS 1.3" } else { "none" };
        let acceptor = thread::Builder::new()
            .name("dimse-accept".into())
            .spawn(move || accept(&listener, tls.as_ref(), &shared))
            .map_err(failed)?;
        self.acceptors.push(acceptor);
        info!(address = %bound, security, "receiving DICOM");
        Ok(bound)
    }

    /// Where the plain listener listens.
    #[must_use]
    pub fn plain_address(&self) -> Option<SocketAddr> {
        self.plain
    }

    /// Where the TLS listener listens.
    #[must_use]
    pub fn tls_address(&self) -> Option<SocketAddr> {
        self.tls
    }

    /// Connections open now.
    #[must_use]
    pub fn associations(&self) -> usize {
        *self.shared.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stops: nothing new is accepted, the instance each association is receiving may end within
    /// `grace`, then the rest is aborted. Gives the number of connections that did not end.
    pub fn stop(mut self, grace: Duration) -> usize {
        self.close(grace)
    }

    fn close(&mut self, grace: Duration) -> usize {
        self.shared.control.set(Phase::Stopping);
        for address in [self.plain.take(), self.tls.take()].into_iter().flatten() {
            wake(address);
        }
        for acceptor in self.acceptors.drain(..) {
            if acceptor.join().is_err() {
                error!("a DICOM listener had failed");
            }
        }
        if self.wait(grace) > 0 {
            self.shared.control.set(Phase::Aborting);
            return self.wait(ABORT_GRACE);
        }
        0
    }

    fn wait(&self, longest: Duration) -> usize {
        let open = self.shared.open.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.shared.one_ended.wait_timeout_while(open, longest, |open| *open > 0);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

impl Drop for DimseServer {
    fn drop(&mut self) {
        if !self.acceptors.is_empty() {
            self.close(Duration::ZERO);
        }
    }
}

/// Makes a blocking accept return by connecting to it.
fn wake(mut address: SocketAddr) {
    if address.ip().is_unspecified() {
        let ip = match address.ip() {
            IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::LOCALHOST),
        };
        address.set_ip(ip);
    }
    if TcpStream::connect_timeout(&address, ABORT_GRACE).is_err() {
        warn!("the DICOM listener could not be woken; it ends with the next connection");
    }
}

fn accept(listener: &TcpListener, tls: Option<&TlsServer>, shared: &Arc<Shared>) {
    loop {
        let accepted = listener.accept();
        if shared.control.reached(Phase::Stopping) {
            return;
        }
        match accepted {
            Ok((stream, peer)) => begin(stream, peer, tls.cloned(), shared),
            Err(error) => {
                warn!(%error, "no connection could be accepted");
                thread::sleep(ACCEPT_PAUSE);
            }
        }
    }
}

/// One of the open connections; counted as long as its thread runs.
struct Open(Arc<Shared>);

impl Open {
    fn begin(shared: &Arc<Shared>) -> Option<Self> {
        let mut open = shared.open.lock().unwrap_or_else(PoisonError::into_inner);
        let limits = &shared.limits;
        if *open >= limits.max_associations + limits.max_opening + MAX_ENDING {
            return None;
        }
        *open += 1;
        gauge!("scanveil_dimse_connections").set(*open as f64);
        Some(Self(Arc::clone(shared)))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let mut open = self.0.open.lock().unwrap_or_else(PoisonError::into_inner);
        *open = open.saturating_sub(1);
        gauge!("scanveil_dimse_connections").set(*open as f64);
        self.0.one_ended.notify_all();
    }
}

fn count_refused(tls: bool, reason: &'static str) {
    let listener = if tls { "dimse-tls" } else { "dimse" };
    counter!("scanveil_refused_connections_total", "listener" => listener, "reason" => reason)
        .increment(1);
}

/// Gives a connection a place and a thread. An address that no hospital allows gets neither, and no
/// TLS handshake.
fn begin(stream: TcpStream, peer: SocketAddr, tls: Option<TlsServer>, shared: &Arc<Shared>) {
    if !shared.desk.routes.now().iter().any(|route| route.reaches(peer.ip())) {
        count_refused(tls.is_some(), "address");
        if let Some(unsaid) = shared.strangers.may_speak() {
            warn!(
                %peer, unsaid,
                next_step = "if it is a sender, add its network to the hospital's calling",
                "connection closed: no hospital allows this address"
            );
        }
        return;
    }
    let Some(open) = Open::begin(shared) else {
        return crowded(shared, peer, tls.is_some(), "connections");
    };
    let is_tls = tls.is_some();
    let closing = stream.try_clone();
    let leave = move || {
        count_refused(is_tls, "gave-way");
        // Its thread wakes up and ends; a socket that is gone needs no closing.
        let _ = closing.map(|stream| stream.shutdown(Shutdown::Both));
    };
    let place = match shared.opening.take(Guest::stranger(peer.ip()), leave) {
        Ok(place) => place,
        Err(full) => return crowded(shared, peer, is_tls, full.label()),
    };
    let started = thread::Builder::new()
        .name("dimse".into())
        .spawn(move || connection(stream, peer, tls.as_ref(), &open.0, place));
    if let Err(error) = started {
        warn!(%peer, %error, "no thread for a connection");
    }
}

fn crowded(shared: &Shared, peer: SocketAddr, tls: bool, reason: &'static str) {
    count_refused(tls, reason);
    if let Some(unsaid) = shared.crowds.may_speak() {
        warn!(%peer, reason, unsaid, "connection dropped: far too many are open");
    }
}

fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    tls: Option<&TlsServer>,
    shared: &Arc<Shared>,
    place: Place,
) {
    let prepared = prepare(&stream, &shared.limits).map_err(DimseError::Handshake);
    let ended = match (prepared, tls) {
        (Err(error), _) => Err(error),
        (Ok(()), None) => {
            serve(link(stream, shared), peer, &shared.desk, Some(place));
            Ok(())
        }
        (Ok(()), Some(tls)) => shake_hands(stream, tls, shared).map(|secure| {
            serve(link(secure, shared), peer, &shared.desk, Some(place));
        }),
    };
    if let Err(error) = ended {
        counter!("scanveil_dimse_associations_total", "result" => "handshake-failed").increment(1);
        info!(%peer, code = error.code(), cause = cause(&error), "no secure connection");
    }
}

/// What lies behind an error, for the log.
fn cause(error: &DimseError) -> String {
    std::error::Error::source(error).map(ToString::to_string).unwrap_or_default()
}

fn link<S: io::Read + io::Write>(stream: S, shared: &Arc<Shared>) -> Link<S> {
    let (control, clock) = (Arc::clone(&shared.control), Arc::clone(&shared.clock));
    Link::new(stream, shared.limits.clone(), control, clock)
}

fn shake_hands(stream: TcpStream, tls: &TlsServer, shared: &Shared) -> Result<Secure, DimseError> {
    let connection = ServerConnection::new(Arc::clone(&tls.0)).map_err(DimseError::TlsSetup)?;
    let clock = shared.clock.as_ref();
    let until = clock.now() + shared.limits.handshake_timeout;
    Secure::shake_hands(connection, stream, || {
        clock.now() <= until && !shared.control.reached(Phase::Stopping)
    })
}
