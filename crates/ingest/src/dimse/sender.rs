//! A sender (SCU) of C-ECHO and C-STORE: one association, streaming from any reader.

use super::command::{
    C_ECHO_RQ, C_STORE_RQ, Command, LAST_FRAGMENT, PDATA_HEADER, RESPONSE, echo_request,
    pack_command, pdata_header, pdv_room, store_request,
};
use super::control::{Control, SystemClock};
use super::error::DimseError;
use super::limits::{DimseLimits, MAX_COMMAND_LENGTH, MAX_PRESENTATION_CONTEXTS};
use super::link::{Link, Next, Wait};
use super::negotiate::{
    APPLICATION_CONTEXT, IMPLICIT_LITTLE_ENDIAN, VERIFICATION, max_length, user_variables,
};
use super::secure::{Secure, prepare};
use super::status::Status;
use super::tls::TlsClient;
use dicom_ul::pdu::{
    AssociationAC, AssociationRQ, Pdu, PresentationContextProposed, PresentationContextResultReason,
};
use rustls::ClientConnection;
use scanveil_model::{AeTitle, Uid};
use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Longest wait for one address of the peer to answer.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);

/// Whom to call, as whom, and how.
#[derive(Clone)]
pub struct SenderOptions {
    /// `host:port`.
    pub peer: String,
    /// Our AE title.
    pub calling: AeTitle,
    /// The peer's AE title.
    pub called: AeTitle,
    /// TLS; plain when absent.
    pub tls: Option<TlsClient>,
    /// Limits and time limits.
    pub limits: DimseLimits,
}

/// Anything an association runs over.
trait Stream: Read + Write + Send {}
impl<T: Read + Write + Send> Stream for T {}

struct Accepted {
    id: u8,
    class: Uid,
    syntax: Uid,
}

/// An open association. Dropped without a release, the connection just ends.
pub struct Sender {
    link: Link<Box<dyn Stream>>,
    accepted: Vec<Accepted>,
    peer_max_pdu: usize,
    message_id: u16,
    out: Vec<u8>,
}

fn connect(options: &SenderOptions) -> Result<TcpStream, DimseError> {
    let mut last = io::Error::from(io::ErrorKind::NotFound);
    for address in options.peer.to_socket_addrs().map_err(DimseError::Connect)? {
        match TcpStream::connect_timeout(&address, CONNECT_TIMEOUT) {
            Ok(stream) => {
                prepare(&stream, &options.limits).map_err(DimseError::Connect)?;
                return Ok(stream);
            }
            Err(error) => last = error,
        }
    }
    Err(DimseError::Connect(last))
}

fn secure(tls: &TlsClient, stream: TcpStream, longest: Duration) -> Result<Secure, DimseError> {
    let connection = ClientConnection::new(Arc::clone(&tls.config), tls.name.clone())
        .map_err(DimseError::TlsSetup)?;
    let started = Instant::now();
    Secure::shake_hands(connection, stream, || started.elapsed() <= longest)
}

/// One context per pair, and one for Verification while there is room (PS3.8 9.3.2.2).
fn propose(pairs: &[(Uid, Uid)]) -> Result<Vec<PresentationContextProposed>, DimseError> {
    let mut wanted: Vec<(&str, &str)> = Vec::with_capacity(pairs.len() + 1);
    for (class, syntax) in pairs {
        let pair = (class.as_str(), syntax.as_str());
        if !wanted.contains(&pair) {
            wanted.push(pair);
        }
    }
    if wanted.len() > MAX_PRESENTATION_CONTEXTS {
        return Err(DimseError::TooManyContexts);
    }
    let verification = (VERIFICATION, IMPLICIT_LITTLE_ENDIAN);
    if wanted.len() < MAX_PRESENTATION_CONTEXTS && !wanted.contains(&verification) {
        wanted.push(verification);
    }
    let contexts = wanted.into_iter().zip((1u8..=255).step_by(2));
    Ok(contexts
        .map(|((class, syntax), id)| PresentationContextProposed {
            id,
            abstract_syntax: class.into(),
            transfer_syntaxes: vec![syntax.into()],
        })
        .collect())
}

fn accepted(proposed: &[PresentationContextProposed], answer: &AssociationAC) -> Vec<Accepted> {
    let taken = |id: u8| {
        answer.presentation_contexts.iter().any(|context| {
            context.id == id && context.reason == PresentationContextResultReason::Acceptance
        })
    };
    proposed
        .iter()
        .filter(|context| taken(context.id))
        .filter_map(|context| {
            let class = Uid::parse(&context.abstract_syntax).ok()?;
            let syntax = Uid::parse(context.transfer_syntaxes.first()?).ok()?;
            Some(Accepted { id: context.id, class, syntax })
        })
        .collect()
}

impl Sender {
    /// Opens an association that can carry Verification and these pairs of SOP class and transfer
    /// syntax.
    ///
    /// # Errors
    /// [`DimseError`]: no connection, no handshake, rejected, or more than 128 pairs.
    pub fn associate(options: &SenderOptions, pairs: &[(Uid, Uid)]) -> Result<Self, DimseError> {
        let proposed = propose(pairs)?;
        let stream = connect(options)?;
        let stream: Box<dyn Stream> = match &options.tls {
            None => Box::new(stream),
            Some(tls) => Box::new(secure(tls, stream, options.limits.handshake_timeout)?),
        };
        // A receiver answers in a few bytes, as late as its disk allows.
        let limits = DimseLimits { least_rate: 0, ..options.limits.clone() };
        let mut link =
            Link::new(stream, limits, Arc::new(Control::new()), Arc::new(SystemClock::new()));
        link.write_pdu(&Pdu::AssociationRQ(AssociationRQ {
            protocol_version: 1,
            calling_ae_title: options.calling.to_string(),
            called_ae_title: options.called.to_string(),
            application_context_name: APPLICATION_CONTEXT.into(),
            presentation_contexts: proposed.clone(),
            user_variables: user_variables(options.limits.max_pdu_length),
        }))?;
        match link.opening()? {
            Pdu::AssociationAC(answer) => {
                link.begin(None);
                Ok(Self {
                    link,
                    accepted: accepted(&proposed, &answer),
                    peer_max_pdu: max_length(&answer.user_variables),
                    message_id: 0,
                    out: Vec::new(),
                })
            }
            Pdu::AssociationRJ(why) => Err(DimseError::Rejected(why.source.to_string())),
            Pdu::AbortRQ { .. } => Err(DimseError::Aborted),
            _ => Err(DimseError::Protocol("no answer to an association request")),
        }
    }

    fn context(&self, class: &str, syntax: &str) -> Result<u8, DimseError> {
        self.accepted
            .iter()
            .find(|context| context.class.as_str() == class && context.syntax.as_str() == syntax)
            .map(|context| context.id)
            .ok_or(DimseError::NotAccepted)
    }

    fn next_message(&mut self) -> u16 {
        self.message_id = self.message_id.wrapping_add(1);
        self.message_id
    }

    /// C-ECHO.
    ///
    /// # Errors
    /// [`DimseError`] when the association breaks.
    pub fn echo(&mut self) -> Result<Status, DimseError> {
        let id = self.context(VERIFICATION, IMPLICIT_LITTLE_ENDIAN)?;
        let class = Uid::parse(VERIFICATION).map_err(|_| DimseError::NotAccepted)?;
        let message = self.next_message();
        self.out.clear();
        pack_command(&mut self.out, id, &echo_request(message, &class), self.peer_max_pdu);
        self.link.write(&self.out)?;
        self.response(id, C_ECHO_RQ, message)
    }

    /// C-STORE of one data set (no preamble, no file meta information) as it comes from `data`.
    ///
    /// # Errors
    /// [`DimseError::NotAccepted`] without using the association; any other breaks it, also a
    /// `data` that cannot be read to its end, because half a data set cannot be taken back.
    pub fn store(
        &mut self,
        class: &Uid,
        instance: &Uid,
        syntax: &Uid,
        mut data: impl Read,
    ) -> Result<Status, DimseError> {
        let id = self.context(class.as_str(), syntax.as_str())?;
        let message = self.next_message();
        let command = store_request(message, class, instance);
        let room = pdv_room(self.peer_max_pdu);
        let mut out = std::mem::take(&mut self.out);
        let sent = send_message(&mut self.link, &mut out, id, &command, room, &mut data);
        self.out = out;
        if let Err(error) = sent {
            self.link.abort(&error);
            return Err(error);
        }
        self.response(id, C_STORE_RQ, message)
    }

    fn response(&mut self, id: u8, request: u16, message: u16) -> Result<Status, DimseError> {
        let mut bytes = Vec::new();
        loop {
            let head = self.link.more()?;
            if !head.is_command || head.context != id {
                return Err(DimseError::Protocol("no response where one belongs"));
            }
            loop {
                let chunk = self.link.chunk()?;
                if chunk.is_empty() {
                    break;
                }
                if bytes.len() + chunk.len() > MAX_COMMAND_LENGTH {
                    return Err(DimseError::Protocol("response is too long"));
                }
                bytes.extend_from_slice(chunk);
            }
            if head.is_last {
                break;
            }
        }
        let answer = Command::parse(&bytes)?;
        match answer.status {
            Some(status)
                if answer.field == request | RESPONSE && answer.responded_to == Some(message) =>
            {
                Ok(status)
            }
            _ => Err(DimseError::Protocol("response to something else")),
        }
    }

    /// Ends the association in order (PS3.8 7.2).
    ///
    /// # Errors
    /// [`DimseError`] when the peer does not answer the release.
    pub fn release(mut self) -> Result<(), DimseError> {
        self.link.write_pdu(&Pdu::ReleaseRQ)?;
        match self.link.next(Wait::More)? {
            Next::ReleaseReply => Ok(()),
            Next::Abort => Err(DimseError::Aborted),
            Next::Closed => Err(DimseError::Closed),
            Next::Value(_) | Next::Release => Err(DimseError::Protocol("no release reply")),
        }
    }
}

/// Sends a command and its data set. The command travels in one write with the first fragment. One
/// byte is read ahead, so that the last fragment is known to be the last.
fn send_message<S: Read + Write>(
    link: &mut Link<S>,
    out: &mut Vec<u8>,
    id: u8,
    command: &[u8],
    room: usize,
    data: &mut impl Read,
) -> Result<(), DimseError> {
    out.clear();
    pack_command(out, id, command, room + 6);
    let mut ahead = None;
    loop {
        let head = out.len();
        out.resize(head + PDATA_HEADER + room + 1, 0);
        let body = &mut out[head + PDATA_HEADER..];
        let mut filled = 0;
        if let Some(byte) = ahead.take() {
            body[0] = byte;
            filled = 1;
        }
        while filled <= room {
            match data.read(&mut body[filled..]) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(DimseError::Source(error)),
            }
        }
        let is_last = filled <= room;
        if !is_last {
            ahead = Some(body[room]);
            filled = room;
        }
        let flags = if is_last { LAST_FRAGMENT } else { 0 };
        out[head..head + PDATA_HEADER].copy_from_slice(&pdata_header(id, flags, filled));
        link.write(&out[..head + PDATA_HEADER + filled])?;
        if is_last {
            return Ok(());
        }
        out.clear();
    }
}
