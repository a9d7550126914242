//! One association on the acceptor's side: negotiation, then messages until release or abort.

use super::command::{C_CANCEL_RQ, C_ECHO_RQ, C_STORE_RQ, Command, RESPONSE, pack_command};
use super::error::DimseError;
use super::limits::MAX_COMMAND_LENGTH;
use super::link::{Link, Next, Seat, ValueHead, Wait};
use super::negotiate::{Agreed, Context, Decision, Refusal, Service, ae_title, decide};
use super::permission::Permission;
use super::status::{Status, StoreOutcome};
use crate::current::Current;
use crate::intake::{HospitalRoute, Intake, IntakeError, Prefix, ReceivingSink, now_ms};
use crate::places::{Full, Guest, Place, Places};
use dicom_ul::pdu::{AssociationRQ, Pdu};
use metrics::{counter, histogram};
use scanveil_model::{Coded, IntakeMeta, Protocol, Uid};
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tracing::{info, warn};

/// What all associations of a receiver share.
pub(super) struct Desk {
    pub(super) routes: Current<Vec<HospitalRoute>>,
    pub(super) intake: Intake,
    pub(super) places: Places,
}

/// What one association did.
#[derive(Debug, Default)]
struct Counts {
    stored: u64,
    refused: u64,
    echoes: u64,
    bytes: u64,
    warned: bool,
}

/// Serves one connection to its end. Its place among those that have not asked for an association
/// yet is given back when it has.
pub(super) fn serve<S: Read + Write>(
    mut link: Link<S>,
    peer: SocketAddr,
    desk: &Desk,
    opening: Option<Place>,
) {
    let agreed = match open(&mut link, peer, desk) {
        Ok(Some(agreed)) => agreed,
        Ok(None) => return,
        Err(error) => {
            count_association("failed");
            info!(%peer, code = error.code(), %error, "no association");
            link.abort(&error);
            return;
        }
    };
    drop(opening);
    count_association("accepted");
    info!(
        %peer, hospital = %agreed.hospital, called = %agreed.called, calling = %agreed.calling,
        contexts = agreed.contexts.len(), "association started"
    );
    let mut association = Association {
        link,
        agreed,
        peer,
        intake: &desk.intake,
        counts: Counts::default(),
        prefix: Prefix::new(),
        out: Vec::with_capacity(1024),
    };
    let ended = association.run();
    if let Err(error) = &ended {
        association.link.abort(error);
    }
    let Association { agreed, counts, .. } = &association;
    let (code, outcome) = match &ended {
        Ok(()) => ("", "released".to_owned()),
        Err(error) => (error.code(), error.to_string()),
    };
    info!(
        %peer, hospital = %agreed.hospital, called = %agreed.called, calling = %agreed.calling,
        stored = counts.stored, refused = counts.refused, echoes = counts.echoes,
        bytes = counts.bytes, code, outcome, "association ended"
    );
}

fn count_association(result: &'static str) {
    counter!("scanveil_dimse_associations_total", "result" => result).increment(1);
}

/// Negotiates; `None` when the peer was rejected.
fn open<S: Read + Write>(
    link: &mut Link<S>,
    peer: SocketAddr,
    desk: &Desk,
) -> Result<Option<Agreed>, DimseError> {
    let request = match link.opening()? {
        Pdu::AssociationRQ(request) => request,
        Pdu::AbortRQ { .. } => return Err(DimseError::Aborted),
        _ => return Err(DimseError::Protocol("PDU that opens no association")),
    };
    let max_pdu_length = link.limits().max_pdu_length;
    let routes = desk.routes.now();
    match decide(&request, peer.ip(), &routes, max_pdu_length) {
        // Many senders do not notice a refusal by status, and all notice a rejection: so it comes
        // while there is still room for those who have begun.
        Decision::Accept(..) if desk.intake.admits().is_err() => {
            reject(link, peer, &request, desk, Refusal::NoRoom);
            Ok(None)
        }
        Decision::Accept(agreed, answer) => match sit(desk, peer, &agreed) {
            Ok(seat) => {
                link.begin(Some(seat));
                link.write_pdu(&Pdu::AssociationAC(answer))?;
                Ok(Some(*agreed))
            }
            Err(full) => {
                reject(link, peer, &request, desk, Refusal::TooManyAssociations(full));
                Ok(None)
            }
        },
        Decision::Reject(refusal) => {
            reject(link, peer, &request, desk, refusal);
            Ok(None)
        }
        Decision::Malformed(why) => Err(DimseError::Protocol(why)),
    }
}

/// A place for the association. Who loses it later is told so when it is idle.
fn sit(desk: &Desk, peer: SocketAddr, agreed: &Agreed) -> Result<Seat, Full> {
    let given_away = Arc::new(AtomicBool::new(false));
    let tell = Arc::clone(&given_away);
    let guest = Guest { hospital: Some(agreed.hospital.clone()), ..Guest::stranger(peer.ip()) };
    let place = desk.places.take(guest, move || tell.store(true, Ordering::Release))?;
    let permission = Permission::new(&desk.routes, agreed, peer.ip());
    Ok(Seat { place, given_away, permission })
}

/// Counts a rejection by hospital and sender. What the configuration does not name stays out of the
/// labels: a stranger could write anything there.
fn count_rejection(request: &AssociationRQ, desk: &Desk, refusal: Refusal) {
    count_association("rejected");
    let called = ae_title(&request.called_ae_title);
    let routes = desk.routes.now();
    let route = routes.iter().find(|route| Some(&route.called_ae) == called.as_ref());
    let calling = ae_title(&request.calling_ae_title);
    let calling = calling.filter(|ae| route.is_some_and(|route| route.names(ae)));
    counter!("scanveil_dimse_rejects_total",
        "hospital" => route.map_or_else(|| "unknown".to_owned(), |route| route.hospital.to_string()),
        "sender" => calling.map_or_else(|| "unlisted".to_owned(), |ae| ae.to_string()),
        "reason" => refusal.label())
    .increment(1);
}

fn reject<S: Read + Write>(
    link: &mut Link<S>,
    peer: SocketAddr,
    request: &AssociationRQ,
    desk: &Desk,
    refusal: Refusal,
) {
    count_rejection(request, desk, refusal);
    let shown = |text: &str| ae_title(text).map_or_else(|| "?".to_owned(), |ae| ae.to_string());
    warn!(
        %peer, called = shown(&request.called_ae_title),
        calling = shown(&request.calling_ae_title), reason = refusal.label(),
        next_step = refusal.next_step(), "association rejected"
    );
    if link.write_pdu(&Pdu::AssociationRJ(refusal.pdu())).is_ok() {
        link.linger();
    }
}

struct Association<'a, S> {
    link: Link<S>,
    agreed: Agreed,
    peer: SocketAddr,
    intake: &'a Intake,
    counts: Counts,
    prefix: Prefix,
    out: Vec<u8>,
}

impl<S: Read + Write> Association<'_, S> {
    fn run(&mut self) -> Result<(), DimseError> {
        loop {
            if self.link.is_stopping() {
                return Err(DimseError::Stopping);
            }
            match self.link.next(Wait::Message)? {
                Next::Value(head) => {
                    self.link.check_permission()?;
                    self.message(head)?;
                }
                Next::Release => {
                    self.link.write_pdu(&Pdu::ReleaseRP)?;
                    self.link.linger();
                    return Ok(());
                }
                Next::ReleaseReply => return Err(DimseError::Protocol("unexpected release reply")),
                Next::Abort => return Err(DimseError::Aborted),
                Next::Closed => return Err(DimseError::Closed),
            }
        }
    }

    /// One message: its command set, its data set if any, and the response.
    fn message(&mut self, head: ValueHead) -> Result<(), DimseError> {
        let context = self
            .agreed
            .context(head.context)
            .ok_or(DimseError::Protocol("presentation context that was not accepted"))?
            .clone();
        let command = self.command(head)?;
        match command.field {
            C_STORE_RQ => self.store(&context, &command),
            C_ECHO_RQ => self.echo(&context, &command),
            // PS3.7 9.3.2.3: nothing of ours can be cancelled, and there is no response.
            C_CANCEL_RQ => Ok(()),
            field if field & RESPONSE != 0 => {
                Err(DimseError::Protocol("response to nothing that was asked"))
            }
            _ => {
                self.drain(&context, &command)?;
                let comment = Some("SV-INGEST-115 only C-STORE and C-ECHO are offered");
                self.respond(&context, &command, Status::UNRECOGNIZED_OPERATION, comment)
            }
        }
    }

    /// Gathers a command set from its fragments.
    fn command(&mut self, mut head: ValueHead) -> Result<Command, DimseError> {
        let mut bytes = Vec::with_capacity(512);
        let context = head.context;
        loop {
            if !head.is_command || head.context != context {
                return Err(DimseError::Protocol("data set where a command set belongs"));
            }
            loop {
                let chunk = self.link.chunk()?;
                if chunk.is_empty() {
                    break;
                }
                if bytes.len() + chunk.len() > MAX_COMMAND_LENGTH {
                    return Err(DimseError::TooLong {
                        what: "command set",
                        length: (bytes.len() + chunk.len()) as u64,
                        limit: MAX_COMMAND_LENGTH as u64,
                    });
                }
                bytes.extend_from_slice(chunk);
            }
            if head.is_last {
                return Command::parse(&bytes);
            }
            head = self.link.more()?;
        }
    }

    /// Takes a data set off the connection and forgets it, so that the association can go on.
    fn drain(&mut self, context: &Context, command: &Command) -> Result<(), DimseError> {
        if command.has_data_set {
            self.link.data_set(context.id, |_, _| ())?;
        }
        Ok(())
    }

    fn echo(&mut self, context: &Context, command: &Command) -> Result<(), DimseError> {
        self.drain(context, command)?;
        self.counts.echoes += 1;
        let status = match context.service {
            Service::Verification => Status::SUCCESS,
            Service::Storage => Status::SOP_CLASS_NOT_SUPPORTED,
        };
        self.respond(context, command, status, None)
    }

    /// C-STORE (PS3.7 9.3.1). Success goes out only after the spool's receipt is in hand.
    fn store(&mut self, context: &Context, command: &Command) -> Result<(), DimseError> {
        let started = self.link.now();
        let outcome = match admit(context, command) {
            Ok(instance) => self.receive(context, instance)?,
            Err(outcome) => {
                self.drain(context, command)?;
                outcome
            }
        };
        histogram!("scanveil_dimse_store_seconds")
            .record(self.link.now().saturating_sub(started).as_secs_f64());
        self.count(outcome);
        self.respond(context, command, outcome.status(), outcome.comment())?;
        if outcome == StoreOutcome::SpoolFull { Err(DimseError::SpoolFull) } else { Ok(()) }
    }

    /// Counts an outcome, in the metrics that all receivers share.
    fn count(&mut self, outcome: StoreOutcome) {
        let hospital = self.agreed.hospital.to_string();
        if outcome == StoreOutcome::Stored {
            self.counts.stored += 1;
            counter!("scanveil_received_instances_total",
                "protocol" => "dimse", "hospital" => hospital)
            .increment(1);
        } else {
            self.counts.refused += 1;
            counter!("scanveil_refused_instances_total",
                "protocol" => "dimse", "hospital" => hospital, "reason" => outcome.label())
            .increment(1);
        }
    }

    /// Streams the data set behind file meta information into the spool. An outcome other than
    /// `Stored` means that nothing of it is left and that its bytes are off the connection.
    fn receive(&mut self, context: &Context, instance: &Uid) -> Result<StoreOutcome, DimseError> {
        let mut receiving = Receiving::open(self.intake, context, instance, &self.agreed);
        let prefix = &mut self.prefix;
        prefix.clear();
        let limit = self.link.limits().max_instance_bytes;
        let length = self.link.data_set(context.id, |chunk, length| {
            prefix.push(chunk);
            receiving.write(chunk, length > limit);
        })?;
        self.counts.bytes += length;
        let meta = self.meta(context, instance);
        let outcome = match (length, meta) {
            (0, _) => Err(Failure::Outcome(StoreOutcome::NoDataSet)),
            (_, Err(outcome)) => receiving.end().and(Err(Failure::Outcome(outcome))),
            (_, Ok(meta)) => {
                receiving.end().and_then(|sink| sink.commit(meta).map_err(Failure::Intake))
            }
        };
        match outcome {
            Ok(receipt) => {
                counter!("scanveil_received_bytes_total",
                    "protocol" => "dimse", "hospital" => self.agreed.hospital.to_string())
                .increment(receipt.length);
                Ok(StoreOutcome::Stored)
            }
            Err(Failure::Outcome(outcome)) => Ok(outcome),
            Err(Failure::Intake(error)) => {
                self.warn(&error);
                Ok(StoreOutcome::from(&error))
            }
        }
    }

    /// What the record says of the instance; refused when the data set is of another SOP class than
    /// the command (PS3.4 B.2.3, status A900).
    fn meta(&self, context: &Context, instance: &Uid) -> Result<IntakeMeta, StoreOutcome> {
        let syntax = &context.transfer_syntax;
        let peeked = scanveil_dataset::peek_data_set(self.prefix.bytes(), syntax.as_str());
        if peeked.sop_class_uid.is_some_and(|class| class != context.abstract_syntax) {
            return Err(StoreOutcome::WrongClass);
        }
        Ok(IntakeMeta {
            hospital: self.agreed.hospital.clone(),
            received_at_ms: now_ms(),
            protocol: Protocol::Dimse,
            peer: self.peer.ip().to_canonical().to_string(),
            calling: Some(self.agreed.calling.to_string()),
            sop_class_uid: Some(context.abstract_syntax.clone()),
            sop_instance_uid: Some(instance.clone()),
            study_instance_uid: peeked.study_instance_uid,
            series_instance_uid: peeked.series_instance_uid,
            transfer_syntax: Some(syntax.clone()),
            content: None,
        })
    }

    /// Says once per association why the spool takes nothing; the counts say how often.
    fn warn(&mut self, error: &IntakeError) {
        if !std::mem::replace(&mut self.counts.warned, true) {
            warn!(
                peer = %self.peer, hospital = %self.agreed.hospital, code = error.code(), %error,
                next_step = error.next_step(), "instance refused"
            );
        }
    }

    fn respond(
        &mut self,
        context: &Context,
        command: &Command,
        status: Status,
        comment: Option<&'static str>,
    ) -> Result<(), DimseError> {
        self.out.clear();
        let response = command.response(status, comment);
        pack_command(&mut self.out, context.id, &response, self.agreed.peer_max_pdu);
        self.link.write(&self.out)
    }
}

/// Whether a C-STORE-RQ may be received at all.
fn admit<'c>(context: &Context, command: &'c Command) -> Result<&'c Uid, StoreOutcome> {
    if !command.has_data_set {
        return Err(StoreOutcome::NoDataSet);
    }
    if context.service != Service::Storage
        || command.sop_class.as_ref() != Some(&context.abstract_syntax)
    {
        return Err(StoreOutcome::ClassNotSupported);
    }
    command.sop_instance.as_ref().ok_or(StoreOutcome::InvalidInstance)
}

enum Failure {
    Outcome(StoreOutcome),
    Intake(IntakeError),
}

/// The sink while the data set flows: after the first failure the rest goes nowhere.
struct Receiving(Result<Box<dyn ReceivingSink>, Failure>);

impl Receiving {
    fn open(intake: &Intake, context: &Context, instance: &Uid, agreed: &Agreed) -> Self {
        let sink = intake.receive(&agreed.hospital).and_then(|mut sink| {
            let meta = scanveil_dataset::file_meta(
                context.abstract_syntax.as_str(),
                instance.as_str(),
                context.transfer_syntax.as_str(),
            );
            sink.write_all(&meta)?;
            Ok(sink)
        });
        Self(sink.map_err(Failure::Intake))
    }

    fn write(&mut self, chunk: &[u8], is_too_long: bool) {
        let Ok(sink) = &mut self.0 else { return };
        if is_too_long {
            self.0 = Err(Failure::Outcome(StoreOutcome::TooLong));
        } else if let Err(error) = sink.write_all(chunk) {
            self.0 = Err(Failure::Intake(error.into()));
        }
    }

    fn end(self) -> Result<Box<dyn ReceivingSink>, Failure> {
        self.0
    }
}
