//! A request body as a bounded stream, and the bounded pipe that carries it to a blocking reader.

use super::{WebError, WebLimits};
use crate::pace::Pace;
use axum::body::{Body, BodyDataStream};
use bytes::{Buf, Bytes};
use futures::{Stream, StreamExt};
use std::io::{self, BufRead, Read};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, Sleep};

/// Pieces that wait between the network and a blocking reader; each is at most one network read.
const PIPE_PIECES: usize = 4;

/// How much is still read of a body that was refused, and for how long: a sender that is cut off
/// while it sends does not get to read why.
const LINGER_BYTES: usize = 4 << 20;
const LINGER_TIME: Duration = Duration::from_secs(1);

/// No limit on the bytes until the next event.
const UNLIMITED: u64 = u64::MAX;

/// What went wrong with a body, as it travels through another library's error type.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub(crate) struct BodyFault(pub(crate) WebError);

/// How many more bytes may come before the next event (a part's header has ended, for example).
#[derive(Clone)]
pub(crate) struct Allowance(Arc<AtomicU64>);

impl Allowance {
    pub(crate) fn set(&self, bytes: u64) {
        self.0.store(bytes, Ordering::Relaxed);
    }

    pub(crate) fn lift(&self) {
        self.set(UNLIMITED);
    }
}

/// A body that counts its bytes, ends when the sender is silent, slow or at it for too long, and
/// hands out one piece per poll.
///
/// The last point bounds memory: a multipart reader takes all that is ready before it looks at it,
/// and a fast sender always has more.
pub(crate) struct Metered {
    inner: Option<BodyDataStream>,
    rest: Rest,
    left: u64,
    allowance: Allowance,
    idle: Duration,
    pace: Pace,
    /// When the request must have come to its end.
    until: Instant,
    /// Since when the sender is waited for, and until when.
    silence: Option<(Instant, Pin<Box<Sleep>>)>,
    just_gave: bool,
    failed: bool,
}

impl Metered {
    pub(crate) fn new(body: Body, limits: &WebLimits) -> Self {
        let window = Duration::from_millis(limits.rate_window_ms);
        Self {
            inner: Some(body.into_data_stream()),
            rest: Rest::default(),
            left: limits.max_body_bytes,
            allowance: Allowance(Arc::new(AtomicU64::new(UNLIMITED))),
            idle: Duration::from_millis(limits.idle_timeout_ms),
            pace: Pace::new(limits.min_bytes_per_s, window),
            until: Instant::now() + Duration::from_millis(limits.request_timeout_ms),
            silence: None,
            just_gave: false,
            failed: false,
        }
    }

    pub(crate) fn allowance(&self) -> Allowance {
        self.allowance.clone()
    }

    /// What will be left of the body when it is dropped.
    pub(crate) fn rest(&self) -> Rest {
        self.rest.clone()
    }

    fn account(&mut self, length: usize) -> Result<(), WebError> {
        let now = Instant::now();
        let waited = self.silence.take().map_or(Duration::ZERO, |(since, _)| now - since);
        if now > self.until {
            return Err(WebError::Overtime);
        }
        if !self.pace.note(waited, length) {
            return Err(WebError::TooSlow);
        }
        let length = length as u64;
        self.left = self.left.checked_sub(length).ok_or(WebError::TooLarge)?;
        let allowed = self.allowance.0.load(Ordering::Relaxed);
        if allowed != UNLIMITED {
            // Judged before the next piece: the piece that ends the header may hold much data.
            if allowed == 0 {
                return Err(WebError::PartHeader);
            }
            self.allowance.set(allowed.saturating_sub(length));
        }
        Ok(())
    }
}

impl Stream for Metered {
    type Item = Result<Bytes, BodyFault>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        if this.failed {
            return Poll::Ready(None);
        }
        if std::mem::take(&mut this.just_gave) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let Some(inner) = &mut this.inner else { return Poll::Ready(None) };
        let outcome = match Pin::new(inner).poll_next(cx) {
            Poll::Ready(Some(Ok(bytes))) => this.account(bytes.len()).map(|()| bytes),
            Poll::Ready(Some(Err(_))) => Err(WebError::Disconnected),
            Poll::Ready(None) => return Poll::Ready(None),
            Poll::Pending => {
                let (_, silence) = this.silence.get_or_insert_with(|| {
                    let now = Instant::now();
                    let end = this.until.min(now + this.idle);
                    (now, Box::pin(tokio::time::sleep_until(end)))
                });
                match silence.as_mut().poll(cx) {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(()) if Instant::now() >= this.until => Err(WebError::Overtime),
                    Poll::Ready(()) => Err(WebError::Idle),
                }
            }
        };
        this.silence = None;
        this.just_gave = outcome.is_ok();
        this.failed = outcome.is_err();
        use WebError::{Disconnected, Idle, Overtime, TooSlow};
        if matches!(outcome, Err(Idle | TooSlow | Overtime | Disconnected)) {
            // Nothing more can be expected of it.
            this.inner = None;
        }
        Poll::Ready(Some(outcome.map_err(BodyFault)))
    }
}

impl Drop for Metered {
    fn drop(&mut self) {
        *self.rest.0.lock().unwrap_or_else(PoisonError::into_inner) = self.inner.take();
    }
}

/// What is left of a body that nobody wants any more.
#[derive(Clone, Default)]
pub(crate) struct Rest(Arc<Mutex<Option<BodyDataStream>>>);

impl Rest {
    /// Reads and drops a bounded part of it.
    pub(crate) async fn drain(self) {
        let rest = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut rest) = rest else { return };
        let drain = async {
            let mut left = LINGER_BYTES;
            while let Some(Ok(bytes)) = rest.next().await {
                match left.checked_sub(bytes.len()) {
                    Some(less) => left = less,
                    None => break,
                }
            }
        };
        // Too slow is as good a reason to stop as the end.
        let _ = tokio::time::timeout(LINGER_TIME, drain).await;
    }
}

/// What travels through the pipe. A pipe that closes without [`Piece::End`] was cut off.
pub(crate) enum Piece {
    Data(Bytes),
    End,
}

pub(crate) fn pipe() -> (mpsc::Sender<Piece>, mpsc::Receiver<Piece>) {
    mpsc::channel(PIPE_PIECES)
}

/// Sends a whole body into a pipe. When the reader has gone, the rest is read and dropped, so that
/// the sender gets to read its answer.
pub(crate) async fn pump(body: &mut Metered, pipe: mpsc::Sender<Piece>) -> Result<(), WebError> {
    let mut pipe = Some(pipe);
    while let Some(bytes) = body.next().await {
        let bytes = bytes.map_err(|fault| fault.0)?;
        if let Some(open) = &pipe
            && open.send(Piece::Data(bytes)).await.is_err()
        {
            pipe = None;
        }
    }
    if let Some(open) = pipe {
        // A reader that has gone has its own reason, which it returns.
        let _ = open.send(Piece::End).await;
    }
    Ok(())
}

/// The reading end of a pipe for blocking code. A cut-off pipe is an error, not an end.
pub(crate) struct PipeReader {
    pipe: mpsc::Receiver<Piece>,
    bytes: Bytes,
    ended: bool,
}

impl PipeReader {
    pub(crate) fn new(pipe: mpsc::Receiver<Piece>) -> Self {
        Self { pipe, bytes: Bytes::new(), ended: false }
    }
}

impl BufRead for PipeReader {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.bytes.is_empty() && !self.ended {
            match self.pipe.blocking_recv() {
                Some(Piece::Data(bytes)) => self.bytes = bytes,
                Some(Piece::End) => self.ended = true,
                None => return Err(io::ErrorKind::ConnectionAborted.into()),
            }
        }
        Ok(&self.bytes)
    }

    fn consume(&mut self, amount: usize) {
        self.bytes.advance(amount);
    }
}

impl Read for PipeReader {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let ready = self.fill_buf()?;
        let length = ready.len().min(out.len());
        out[..length].copy_from_slice(&ready[..length]);
        self.consume(length);
        Ok(length)
    }
}
