//! TLS over a blocking socket, one step at a time: every call does at most one read of the socket,
//! so that whoever calls can look at its deadlines however slowly a record trickles in.

use super::error::DimseError;
use super::limits::DimseLimits;
use rustls::Connection;
use std::io::{self, Read, Write};
use std::net::TcpStream;

/// A TLS connection. Reads and writes that came to no end within the socket's own time limit, or
/// brought no whole record, fail with a pause ([`is_pause`]) and are to be repeated.
pub(super) struct Secure {
    tls: Connection,
    socket: TcpStream,
}

/// Whether a read or write only came to the end of the poll interval.
pub(super) fn is_pause(error: &io::Error) -> bool {
    use io::ErrorKind::{Interrupted, TimedOut, WouldBlock};
    matches!(error.kind(), WouldBlock | TimedOut | Interrupted)
}

/// One write is one segment; reads and writes return often enough to look at limits and the stop
/// signal.
pub(super) fn prepare(stream: &TcpStream, limits: &DimseLimits) -> io::Result<()> {
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(limits.poll_interval))?;
    stream.set_write_timeout(Some(limits.poll_interval))
}

impl Secure {
    /// Shakes hands; `may_go_on` is asked before every step.
    pub(super) fn shake_hands(
        tls: impl Into<Connection>,
        socket: TcpStream,
        may_go_on: impl Fn() -> bool,
    ) -> Result<Self, DimseError> {
        let mut secure = Self { tls: tls.into(), socket };
        while secure.tls.is_handshaking() {
            if !may_go_on() {
                return Err(DimseError::Handshake(io::ErrorKind::TimedOut.into()));
            }
            let step = match secure.send() {
                Ok(()) if secure.tls.is_handshaking() => secure.receive(),
                other => other,
            };
            step.or_else(|error| if is_pause(&error) { Ok(()) } else { Err(error) })
                .map_err(DimseError::Handshake)?;
        }
        Ok(secure)
    }

    /// One read of the socket.
    fn receive(&mut self) -> io::Result<()> {
        if self.tls.read_tls(&mut self.socket)? == 0 && self.tls.is_handshaking() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if let Err(error) = self.tls.process_new_packets() {
            // The alert says why; it is no matter whether it arrives.
            let _ = self.tls.write_tls(&mut self.socket);
            return Err(io::Error::new(io::ErrorKind::InvalidData, error));
        }
        Ok(())
    }

    /// Writes what TLS has to say, one piece a call.
    fn send(&mut self) -> io::Result<()> {
        if self.tls.wants_write() {
            self.tls.write_tls(&mut self.socket)?;
        }
        if self.tls.wants_write() { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(()) }
    }
}

impl Read for Secure {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match self.tls.reader().read(out) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            done => return done,
        }
        self.receive()?;
        // Answers of TLS itself, such as a key update.
        if self.tls.wants_write() {
            self.tls.write_tls(&mut self.socket)?;
        }
        self.tls.reader().read(out)
    }
}

impl Write for Secure {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.send()?;
        let taken = self.tls.writer().write(bytes)?;
        match self.send() {
            Err(error) if !is_pause(&error) => Err(error),
            _ => Ok(taken),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.send()
    }
}
