//! One connection: PDUs are read out of a fixed buffer, presentation data values are handed on as
//! slices of it, and all waiting is counted against a limit.

use super::control::{Clock, Control, Phase};
use super::error::DimseError;
use super::limits::{
    BUFFER_BYTES, DimseLimits, MAX_ASSOCIATE_LENGTH, MAX_CONTROL_LENGTH, MAX_LINGER_BYTES,
    OPENING_BUFFER_BYTES,
};
use super::permission::Permission;
use super::secure::is_pause;
use crate::pace::Pace;
use crate::places::Place;
use dicom_ul::pdu::{AbortRQServiceProviderReason, AbortRQSource, Pdu, read_pdu};
use std::io::{self, Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// What `read_pdu` demands as a lower bound of its limit, and therefore ours too.
pub(super) const MIN_PDU_LENGTH: u32 = 1018;

const ASSOCIATE_RQ: u8 = 1;
const ASSOCIATE_AC: u8 = 2;
const ASSOCIATE_RJ: u8 = 3;
const P_DATA_TF: u8 = 4;
const RELEASE_RQ: u8 = 5;
const RELEASE_RP: u8 = 6;
const ABORT: u8 = 7;

/// What a peer says next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// A presentation data value begins; [`Link::chunk`] gives its bytes.
    Value(ValueHead),
    /// A-RELEASE-RQ.
    Release,
    /// A-RELEASE-RP.
    ReleaseReply,
    /// A-ABORT.
    Abort,
    /// The connection ended between two PDUs.
    Closed,
}

/// The head of a presentation data value (PS3.8 9.3.5.1, E.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ValueHead {
    pub(super) context: u8,
    pub(super) is_command: bool,
    pub(super) is_last: bool,
}

/// What the reader waits for, which decides how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wait {
    /// The next message: nothing is under way, so that a stop may end the wait.
    Message,
    /// More of the message under way.
    More,
}

/// What one PDU may still cost in waiting.
struct Patience {
    what: &'static str,
    left: Duration,
    /// Nothing is under way: a stop, or somebody who needs the place, may end the wait.
    may_stop: bool,
    /// A message is under way, and has to keep to the least rate.
    paced: bool,
}

/// The place of an association, whether it was given to another, and what it was given for.
pub(super) struct Seat {
    pub(super) place: Place,
    pub(super) given_away: Arc<AtomicBool>,
    pub(super) permission: Permission,
}

/// The patience of PS3.8's ARTIM timer.
fn artim(limits: &DimseLimits, may_stop: bool) -> Patience {
    Patience { what: "ARTIM", left: limits.artim_timeout, may_stop, paced: false }
}

/// A connection with its buffer and its limits.
pub(super) struct Link<S> {
    stream: S,
    limits: DimseLimits,
    control: Arc<Control>,
    clock: Arc<dyn Clock>,
    opened: Duration,
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
    pdu_left: usize,
    value_left: usize,
    patience: Patience,
    pace: Pace,
    seat: Option<Seat>,
}

impl<S: Read + Write> Link<S> {
    /// Wraps a connected stream whose reads return within the poll interval.
    pub(super) fn new(
        stream: S,
        limits: DimseLimits,
        control: Arc<Control>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let opened = clock.now();
        let patience = artim(&limits, true);
        let pace = Pace::new(limits.least_rate, limits.rate_window);
        Self {
            stream,
            limits,
            control,
            clock,
            opened,
            buffer: vec![0; OPENING_BUFFER_BYTES].into_boxed_slice(),
            start: 0,
            end: 0,
            pdu_left: 0,
            value_left: 0,
            patience,
            pace,
            seat: None,
        }
    }

    /// The association is agreed on: from here on much may come at once.
    pub(super) fn begin(&mut self, seat: Option<Seat>) {
        let mut buffer = vec![0; BUFFER_BYTES].into_boxed_slice();
        let unread = self.end - self.start;
        buffer[..unread].copy_from_slice(&self.buffer[self.start..self.end]);
        (self.buffer, self.start, self.end) = (buffer, 0, unread);
        self.seat = seat;
    }

    pub(super) fn limits(&self) -> &DimseLimits {
        &self.limits
    }

    /// Whether no new message may begin.
    pub(super) fn is_stopping(&self) -> bool {
        self.control.reached(Phase::Stopping)
    }

    /// Whether the sender may still send: asked between two messages.
    pub(super) fn check_permission(&self) -> Result<(), DimseError> {
        match &self.seat {
            Some(seat) if !seat.permission.holds() => Err(DimseError::Withdrawn),
            _ => Ok(()),
        }
    }

    pub(super) fn now(&self) -> Duration {
        self.clock.now()
    }

    /// Refills the empty buffer; false at the end of the stream.
    fn fill(&mut self) -> Result<bool, DimseError> {
        loop {
            let stop_at = if self.patience.may_stop { Phase::Stopping } else { Phase::Aborting };
            if self.control.reached(stop_at) {
                return Err(DimseError::Stopping);
            }
            let seat = self.seat.as_ref().filter(|_| self.patience.may_stop);
            if seat.is_some_and(|seat| seat.given_away.load(Ordering::Acquire)) {
                return Err(DimseError::Yielded);
            }
            if self.patience.may_stop {
                self.check_permission()?;
            }
            let before = self.clock.now();
            let result = self.stream.read(&mut self.buffer);
            let after = self.clock.now();
            if after.saturating_sub(self.opened) > self.limits.association_timeout {
                return Err(DimseError::Timeout("association"));
            }
            let waited = after.saturating_sub(before);
            let Some(left) = self.patience.left.checked_sub(waited) else {
                return Err(DimseError::Timeout(self.patience.what));
            };
            self.patience.left = left;
            let came = *result.as_ref().unwrap_or(&0);
            if self.patience.paced && !self.pace.note(waited, came) {
                return Err(DimseError::TooSlow { least: self.limits.least_rate });
            }
            match result {
                Ok(0) => return Ok(false),
                Ok(count) => {
                    (self.start, self.end) = (0, count.min(self.buffer.len()));
                    return Ok(true);
                }
                Err(error) if is_pause(&error) => {}
                Err(error) => match error.kind() {
                    // A TLS peer that goes without close_notify, and one that resets.
                    io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset => {
                        return Ok(false);
                    }
                    _ => return Err(DimseError::Io(error)),
                },
            }
        }
    }

    /// Reads a few bytes that may straddle two fills.
    fn take<const N: usize>(&mut self) -> Result<[u8; N], DimseError> {
        let mut out = [0; N];
        let mut done = 0;
        while done < N {
            if self.start == self.end && !self.fill()? {
                return Err(DimseError::Closed);
            }
            let count = (N - done).min(self.end - self.start);
            out[done..done + count].copy_from_slice(&self.buffer[self.start..][..count]);
            self.start += count;
            done += count;
        }
        Ok(out)
    }

    /// Reads a small PDU's body after its header and parses both. Memory grows with the bytes that
    /// came, not with the length claimed.
    fn small_pdu(&mut self, header: [u8; 6], limit: u32) -> Result<Pdu, DimseError> {
        let length = u32::from_be_bytes([header[2], header[3], header[4], header[5]]);
        if length > limit {
            return Err(DimseError::TooLong {
                what: "PDU",
                length: length.into(),
                limit: limit.into(),
            });
        }
        let mut pdu = header.to_vec();
        let mut left = length as usize;
        while left > 0 {
            if self.start == self.end && !self.fill()? {
                return Err(DimseError::Closed);
            }
            let count = left.min(self.end - self.start);
            pdu.extend_from_slice(&self.buffer[self.start..][..count]);
            self.start += count;
            left -= count;
        }
        match read_pdu(pdu.as_slice(), limit.max(MIN_PDU_LENGTH), true) {
            Ok(Some(pdu)) => Ok(pdu),
            Ok(None) | Err(_) => Err(DimseError::Protocol("PDU does not parse")),
        }
    }

    /// Reads the PDU that opens an association: A-ASSOCIATE-RQ for an acceptor, -AC or -RJ for a
    /// requestor, A-ABORT for both.
    pub(super) fn opening(&mut self) -> Result<Pdu, DimseError> {
        self.patience = artim(&self.limits, true);
        let header = self.take::<6>()?;
        match header[0] {
            ASSOCIATE_RQ | ASSOCIATE_AC => self.small_pdu(header, MAX_ASSOCIATE_LENGTH),
            ASSOCIATE_RJ | ABORT => self.small_pdu(header, MAX_CONTROL_LENGTH),
            _ => Err(DimseError::Protocol("PDU that opens no association")),
        }
    }

    /// What comes next. What is left of the value before is skipped.
    pub(super) fn next(&mut self, wait: Wait) -> Result<Next, DimseError> {
        while !self.chunk()?.is_empty() {}
        // PDUs without a value say nothing: they do not renew the patience for the next message.
        let mut idle_left = self.limits.idle_timeout;
        loop {
            if self.pdu_left > 0 {
                return self.value_head().map(Next::Value);
            }
            if wait == Wait::Message {
                if !self.rest(&mut idle_left)? {
                    return Ok(Next::Closed);
                }
            } else {
                self.patience = self.reading();
                if self.start == self.end && !self.fill()? {
                    return Ok(Next::Closed);
                }
            }
            self.patience = self.reading();
            let header = self.take::<6>()?;
            match header[0] {
                P_DATA_TF => self.begin_data(header)?,
                RELEASE_RQ | RELEASE_RP | ABORT => return self.control_pdu(header),
                _ => return Err(DimseError::Protocol("unexpected PDU")),
            }
        }
    }

    /// Waits for the next message, with the place to give away meanwhile; false when the stream
    /// ended.
    fn rest(&mut self, idle_left: &mut Duration) -> Result<bool, DimseError> {
        if self.start == self.end {
            if let Some(seat) = &self.seat {
                seat.place.idle();
            }
            self.patience =
                Patience { what: "idle", left: *idle_left, may_stop: true, paced: false };
            if !self.fill()? {
                return Ok(false);
            }
            *idle_left = self.patience.left;
        }
        if let Some(seat) = &self.seat {
            seat.place.busy();
        }
        self.pace.restart();
        Ok(true)
    }

    fn reading(&self) -> Patience {
        let left = self.limits.read_timeout;
        Patience { what: "read", left, may_stop: false, paced: true }
    }

    fn begin_data(&mut self, header: [u8; 6]) -> Result<(), DimseError> {
        let length = u32::from_be_bytes([header[2], header[3], header[4], header[5]]);
        let limit = self.limits.max_pdu_length;
        // PS3.8 D.1.1: longer than announced is a protocol error.
        if length > limit {
            return Err(DimseError::TooLong {
                what: "P-DATA-TF",
                length: length.into(),
                limit: limit.into(),
            });
        }
        self.pdu_left = length as usize;
        Ok(())
    }

    fn control_pdu(&mut self, header: [u8; 6]) -> Result<Next, DimseError> {
        match self.small_pdu(header, MAX_CONTROL_LENGTH)? {
            Pdu::ReleaseRQ => Ok(Next::Release),
            Pdu::ReleaseRP => Ok(Next::ReleaseReply),
            _ => Ok(Next::Abort),
        }
    }

    fn value_head(&mut self) -> Result<ValueHead, DimseError> {
        const HEAD: usize = 6;
        if self.pdu_left < HEAD {
            return Err(DimseError::Protocol("presentation data value is cut off"));
        }
        let [l0, l1, l2, l3, context, flags] = self.take::<HEAD>()?;
        let length = u32::from_be_bytes([l0, l1, l2, l3]) as usize;
        // The item length counts context and flags, and the item must end within its PDU.
        if length < 2 || length - 2 > self.pdu_left - HEAD {
            return Err(DimseError::Protocol("presentation data value does not fit its PDU"));
        }
        self.pdu_left -= HEAD;
        self.value_left = length - 2;
        Ok(ValueHead { context, is_command: flags & 1 != 0, is_last: flags & 2 != 0 })
    }

    /// The next bytes of the value under way, straight from the buffer; empty at its end.
    pub(super) fn chunk(&mut self) -> Result<&[u8], DimseError> {
        if self.value_left == 0 {
            return Ok(&[]);
        }
        if self.start == self.end && !self.fill()? {
            return Err(DimseError::Closed);
        }
        let count = self.value_left.min(self.end - self.start);
        let from = self.start;
        self.start += count;
        self.value_left -= count;
        self.pdu_left -= count;
        Ok(&self.buffer[from..from + count])
    }

    /// The next value of the message under way.
    pub(super) fn more(&mut self) -> Result<ValueHead, DimseError> {
        match self.next(Wait::More)? {
            Next::Value(head) => Ok(head),
            Next::Release | Next::ReleaseReply => {
                Err(DimseError::Protocol("release within a message"))
            }
            Next::Abort => Err(DimseError::Aborted),
            Next::Closed => Err(DimseError::Closed),
        }
    }

    /// Hands every piece of the data set to `each`; gives the data set's length.
    pub(super) fn data_set(
        &mut self,
        context: u8,
        mut each: impl FnMut(&[u8], u64),
    ) -> Result<u64, DimseError> {
        let mut length = 0;
        loop {
            let head = self.more()?;
            if head.is_command || head.context != context {
                return Err(DimseError::Protocol("command set within a data set"));
            }
            loop {
                let chunk = self.chunk()?;
                if chunk.is_empty() {
                    break;
                }
                length += chunk.len() as u64;
                each(chunk, length);
            }
            if head.is_last {
                return Ok(length);
            }
        }
    }

    /// Writes whole PDUs at once, within the time limit however slowly the peer takes them.
    pub(super) fn write(&mut self, mut bytes: &[u8]) -> Result<(), DimseError> {
        let until = self.clock.now() + self.limits.write_timeout;
        loop {
            let step = if bytes.is_empty() {
                self.stream.flush().map(|()| None)
            } else {
                self.stream.write(bytes).map(Some)
            };
            match step {
                Ok(None) => return Ok(()),
                Ok(Some(0)) => return Err(DimseError::Closed),
                Ok(Some(count)) => bytes = &bytes[count.min(bytes.len())..],
                Err(error) if is_pause(&error) => {}
                Err(error) => return Err(DimseError::Io(error)),
            }
            if self.clock.now() > until {
                return Err(DimseError::Timeout("write"));
            }
        }
    }

    /// Writes a PDU that is no data.
    pub(super) fn write_pdu(&mut self, pdu: &Pdu) -> Result<(), DimseError> {
        let mut bytes = Vec::with_capacity(1024);
        dicom_ul::write_pdu(&mut bytes, pdu)
            .map_err(|_| DimseError::Protocol("PDU cannot be written"))?;
        self.write(&bytes)
    }

    /// Tells the peer that the association is over because of an error of one of the two; silent
    /// where there is nobody to tell.
    pub(super) fn abort(&mut self, error: &DimseError) {
        use AbortRQServiceProviderReason as Why;
        let source = match error {
            DimseError::Aborted | DimseError::Closed | DimseError::Io(_) => return,
            DimseError::Protocol(_) => AbortRQSource::ServiceProvider(Why::UnexpectedPdu),
            DimseError::TooLong { .. } => AbortRQSource::ServiceProvider(Why::InvalidPduParameter),
            DimseError::Timeout(_) | DimseError::TooSlow { .. } => {
                AbortRQSource::ServiceProvider(Why::ReasonNotSpecified)
            }
            _ => AbortRQSource::ServiceUser,
        };
        if self.write_pdu(&Pdu::AbortRQ { source }).is_ok() {
            self.linger();
        }
    }

    /// Waits for the peer to close, so that our last PDU is not lost in a reset (PS3.8 9.2, Sta13).
    pub(super) fn linger(&mut self) {
        if let Some(seat) = &self.seat {
            seat.place.idle();
        }
        self.patience = artim(&self.limits, false);
        let mut seen = 0;
        while seen <= MAX_LINGER_BYTES && matches!(self.fill(), Ok(true)) {
            seen += self.end;
        }
    }
}
