//! Connections: how many at once, whose they are, and how long one may do nothing.
//!
//! A connection is at work while a request is: its header has arrived and its answer is not made.
//! Everything else (the TLS handshake, headers, the time between requests, taking the answer) has
//! one deadline that no trickling byte renews. A connection that is not at work gives its place to
//! another when there is no other.

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::response::Response;
use axum_server::accept::Accept;
use scanveil_ingest::{Guest, Place, PlaceLimits, Places, Quiet};
use std::future::{Ready, ready};
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::time::{Instant, Sleep, sleep};
use tower_service::Service;

/// Accepts connections while there are places.
#[derive(Clone)]
pub(crate) struct Door {
    listener: &'static str,
    places: Places,
    /// Longest time without a request at work.
    rest: Duration,
    crowds: Arc<Quiet>,
}

impl Door {
    pub(crate) fn new(listener: &'static str, limits: PlaceLimits, rest: Duration) -> Self {
        let crowds = Arc::new(Quiet::new());
        Self { listener, places: Places::new(limits, || 0), rest, crowds }
    }

    fn enter(&self, stream: &TcpStream) -> io::Result<(Arc<Work>, oneshot::Receiver<()>)> {
        stream.set_nodelay(true)?;
        let guest = Guest::stranger(stream.peer_addr()?.ip());
        let (tell, given_away) = oneshot::channel();
        let listener = self.listener;
        let leave = move || {
            count_refused(listener, "gave-way");
            // A connection that has gone meanwhile needs no telling.
            let _ = tell.send(());
        };
        match self.places.take(guest, leave) {
            Ok(place) => Ok((Arc::new(Work::new(place)), given_away)),
            Err(full) => {
                count_refused(listener, full.label());
                if let Some(unsaid) = self.crowds.may_speak() {
                    let reason = full.label();
                    tracing::warn!(listener, reason, unsaid, "connections are refused: {full}");
                }
                Err(io::ErrorKind::ConnectionRefused.into())
            }
        }
    }
}

fn count_refused(listener: &'static str, reason: &'static str) {
    metrics::counter!("scanveil_refused_connections_total",
        "listener" => listener, "reason" => reason)
    .increment(1);
}

impl<S> Accept<TcpStream, S> for Door {
    type Stream = Connection;
    type Service = Working<S>;
    type Future = Ready<io::Result<(Connection, Working<S>)>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        ready(self.enter(&stream).map(|(work, given_away)| {
            let connection = Connection {
                stream,
                work: Arc::clone(&work),
                rest: self.rest,
                timer: Box::pin(sleep(self.rest)),
                given_away: Some(given_away),
            };
            (connection, Working { service, work })
        }))
    }
}

/// What a connection's requests tell it.
pub(crate) struct Work {
    place: Place,
    requests: Mutex<Requests>,
}

struct Requests {
    at_work: usize,
    /// Since when there is none.
    rests_since: Instant,
    /// The connection, to be woken when the last of them ends.
    connection: Option<Waker>,
}

impl Work {
    fn new(place: Place) -> Self {
        let requests =
            Mutex::new(Requests { at_work: 0, rests_since: Instant::now(), connection: None });
        Self { place, requests }
    }

    fn requests(&self) -> MutexGuard<'_, Requests> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request at work, until it is dropped.
struct AtWork(Arc<Work>);

impl AtWork {
    fn begin(work: &Arc<Work>) -> Self {
        work.requests().at_work += 1;
        work.place.busy();
        Self(Arc::clone(work))
    }
}

impl Drop for AtWork {
    fn drop(&mut self) {
        let mut requests = self.0.requests();
        requests.at_work -= 1;
        if requests.at_work == 0 {
            requests.rests_since = Instant::now();
            self.0.place.idle();
            requests.connection.take().into_iter().for_each(Waker::wake);
        }
    }
}

/// A service whose requests count as work of their connection.
#[derive(Clone)]
pub(crate) struct Working<S> {
    service: S,
    work: Arc<Work>,
}

impl<S, B> Service<Request<B>> for Working<S>
where
    S: Service<Request<B>, Response = Response>,
    S::Future: Send + 'static,
    S::Error: 'static,
{
    type Response = Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.service.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let at_work = AtWork::begin(&self.work);
        let answer = self.service.call(request);
        Box::pin(async move {
            let answer = answer.await?;
            Ok(answer.map(|body| Body::new(Answer { body, _at_work: at_work })))
        })
    }
}

/// A body that belongs to a request at work until it has been handed on.
struct Answer {
    body: Body,
    _at_work: AtWork,
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.body.size_hint()
    }
}

/// A connection that ends when it rests for too long, or when its place is given away. While a
/// request is at work, its receiver has the deadlines.
pub(crate) struct Connection {
    stream: TcpStream,
    work: Arc<Work>,
    rest: Duration,
    timer: Pin<Box<Sleep>>,
    given_away: Option<oneshot::Receiver<()>>,
}

impl Connection {
    /// Looks at the deadline whatever the socket says: bytes do not renew it.
    fn watch<T>(&mut self, cx: &mut Context<'_>, poll: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if let Some(given_away) = &mut self.given_away {
            match Pin::new(given_away).poll(cx) {
                Poll::Ready(Ok(())) => return Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
                Poll::Ready(Err(_)) => self.given_away = None,
                Poll::Pending => {}
            }
        }
        let mut requests = self.work.requests();
        if requests.at_work > 0 {
            requests.connection = Some(cx.waker().clone());
            return poll;
        }
        let deadline = requests.rests_since + self.rest;
        drop(requests);
        if self.timer.deadline() != deadline {
            self.timer.as_mut().reset(deadline);
        }
        match self.timer.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => poll,
        }
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let poll = Pin::new(&mut self.stream).poll_read(cx, buffer);
        self.watch(cx, poll)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let poll = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.watch(cx, poll)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let poll = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.watch(cx, poll)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
