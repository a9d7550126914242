//! One instance on its way from an HTTP body, an archive or a folder into the spool.
//!
//! The first bytes are held until they prove to be a Part 10 file: what is not DICOM never reaches
//! the spool. After that everything streams.

use crate::intake::{Intake, IntakeError, PEEK_BYTES, Prefix, Receipt, ReceivingSink, now_ms};
use scanveil_dataset::{Peeked, peek_part10};
use scanveil_model::{Coded, HospitalId, IntakeMeta, Protocol, Reason, Uid};

/// Where an instance comes from.
#[derive(Debug, Clone)]
pub(crate) struct Origin {
    pub(crate) hospital: HospitalId,
    pub(crate) protocol: Protocol,
    /// The sender's address.
    pub(crate) peer: String,
}

/// Why one instance was not taken. Other instances of the same request go on.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// The bytes are not a Part 10 file.
    NotDicom(Reason),
    /// The instance belongs to another study than the one in the URL.
    StudyMismatch,
    /// The study in the URL could not be compared: the instance does not say its own early enough.
    StudyUnknown,
    /// The part says it is something else than DICOM.
    MediaType,
    /// The instance is longer than the limit.
    TooLarge,
    /// The bytes ended before the instance did, or their checksum is wrong.
    Damaged,
    /// The archive member is packed in a way that is not read.
    Packing,
    /// The spool did not take it.
    Spool(IntakeError),
}

impl Refusal {
    /// Stable code for answers and metrics.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::NotDicom(reason) => reason.code.as_str(),
            Self::StudyMismatch => "study-mismatch",
            Self::StudyUnknown => "study-unknown",
            Self::MediaType => "media-type",
            Self::TooLarge => "limit-exceeded",
            Self::Damaged => "truncated",
            Self::Packing => "packing",
            Self::Spool(IntakeError::Full) => "spool-full",
            Self::Spool(IntakeError::Refused(_)) => "refused",
            Self::Spool(_) => "spool-failed",
        }
    }

    /// What the sender can do next.
    pub(crate) fn next_step(&self) -> String {
        match self {
            Self::NotDicom(reason) => reason.code.next_step().to_owned(),
            Self::StudyMismatch => "send it to /studies, or to the study it belongs to".to_owned(),
            Self::StudyUnknown => "send it to /studies without a study in the address".to_owned(),
            Self::MediaType => "send DICOM instances only, as application/dicom".to_owned(),
            Self::TooLarge => "have the operator raise max_instance_bytes".to_owned(),
            Self::Damaged => "send it again: it arrived damaged or incomplete".to_owned(),
            Self::Packing => "pack it with deflate, without encryption".to_owned(),
            Self::Spool(error) => error.next_step(),
        }
    }

    /// Failure Reason (0008,1197), PS3.18 I.2.2 and the status families of PS3.4 B.2.3.
    pub(crate) fn failure_reason(&self) -> u16 {
        match self {
            // "Cxxx: Error: Cannot understand"
            Self::NotDicom(_) | Self::MediaType | Self::Damaged | Self::Packing => 0xC000,
            Self::StudyUnknown => 0xC001,
            // "A9xx: Error: Data Set does not match ..."
            Self::StudyMismatch => 0xA901,
            // "A7xx: Refused: Out of Resources"
            Self::TooLarge | Self::Spool(IntakeError::Full) => 0xA700,
            // PS3.7 C.5.17: "0124H: Refused: Not authorized"
            Self::Spool(IntakeError::Refused(_)) => 0x0124,
            // PS3.7 C.5.16: "0110H: Processing failure"
            Self::Spool(_) => 0x0110,
        }
    }
}

/// What became of one instance.
pub(crate) struct Outcome {
    pub(crate) sop_class_uid: Option<Uid>,
    pub(crate) sop_instance_uid: Option<Uid>,
    pub(crate) result: Result<Receipt, Refusal>,
}

impl Outcome {
    /// A refusal of something that never came as far as naming itself.
    pub(crate) fn unnamed(origin: &Origin, why: Refusal) -> Self {
        Self::counted(origin, None, Err(why))
    }

    fn counted(origin: &Origin, peeked: Option<Peeked>, result: Result<Receipt, Refusal>) -> Self {
        let protocol = origin.protocol.as_str();
        let hospital = origin.hospital.to_string();
        match &result {
            Ok(receipt) => {
                metrics::counter!("scanveil_received_instances_total",
                    "protocol" => protocol, "hospital" => hospital.clone())
                .increment(1);
                metrics::counter!("scanveil_received_bytes_total",
                    "protocol" => protocol, "hospital" => hospital)
                .increment(receipt.length);
            }
            Err(why) => metrics::counter!("scanveil_refused_instances_total",
                "protocol" => protocol, "hospital" => hospital, "reason" => why.code())
            .increment(1),
        }
        let (sop_class_uid, sop_instance_uid) =
            peeked.map_or((None, None), |peeked| (peeked.sop_class_uid, peeked.sop_instance_uid));
        Self { sop_class_uid, sop_instance_uid, result }
    }
}

/// An instance that is still arriving.
pub(crate) struct Arrival {
    intake: Intake,
    origin: Origin,
    /// The study every instance must belong to, when the sender named one.
    study: Option<Uid>,
    limit: u64,
    length: u64,
    /// The first bytes, until they have shown what they are.
    prefix: Option<Prefix>,
    peeked: Option<Peeked>,
    sink: Option<Box<dyn ReceivingSink>>,
}

impl Arrival {
    pub(crate) fn new(intake: Intake, origin: Origin, study: Option<Uid>, limit: u64) -> Self {
        let prefix = Some(Prefix::new());
        Self { intake, origin, study, limit, length: 0, prefix, peeked: None, sink: None }
    }

    /// Takes the next bytes. After an error the instance is to be given to [`Arrival::refused`].
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), Refusal> {
        self.length = self.length.saturating_add(bytes.len() as u64);
        if self.length > self.limit {
            return Err(Refusal::TooLarge);
        }
        let mut rest = bytes;
        if let Some(prefix) = &mut self.prefix {
            let room = PEEK_BYTES - prefix.bytes().len();
            let (head, tail) = bytes.split_at(bytes.len().min(room));
            prefix.push(head);
            if prefix.bytes().len() < PEEK_BYTES {
                return Ok(());
            }
            self.open()?;
            rest = tail;
        }
        self.put(rest)
    }

    /// The last byte has come.
    pub(crate) fn end(mut self) -> Result<Complete, Outcome> {
        if self.prefix.is_some()
            && let Err(why) = self.open()
        {
            return Err(self.refused(why));
        }
        let (Some(sink), Some(peeked)) = (self.sink.take(), self.peeked.take()) else {
            return Err(self.refused(Refusal::Damaged));
        };
        Ok(Complete { sink, peeked, origin: self.origin })
    }

    /// Gives up: nothing of the instance is left in the spool.
    pub(crate) fn refused(self, why: Refusal) -> Outcome {
        drop(self.sink);
        Outcome::counted(&self.origin, self.peeked, Err(why))
    }

    fn open(&mut self) -> Result<(), Refusal> {
        let Some(prefix) = self.prefix.take() else {
            return Ok(());
        };
        let peeked = peek_part10(prefix.bytes()).map_err(Refusal::NotDicom)?;
        let named = peeked.study_instance_uid.clone();
        self.peeked = Some(peeked);
        match (&self.study, &named) {
            (Some(wanted), Some(named)) if wanted != named => return Err(Refusal::StudyMismatch),
            (Some(_), None) => return Err(Refusal::StudyUnknown),
            _ => {}
        }
        let sink = self.intake.receive(&self.origin.hospital).map_err(Refusal::Spool)?;
        self.sink = Some(sink);
        self.put(prefix.bytes())
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), Refusal> {
        match &mut self.sink {
            Some(sink) => sink.write_all(bytes).map_err(|e| Refusal::Spool(IntakeError::from(e))),
            None => Ok(()),
        }
    }
}

/// An instance whose last byte has arrived and which waits to be made durable.
pub(crate) struct Complete {
    sink: Box<dyn ReceivingSink>,
    peeked: Peeked,
    origin: Origin,
}

impl Complete {
    /// Makes it durable: only now may the sender be told of success (invariant 5).
    pub(crate) fn commit(self) -> Outcome {
        let Self { sink, peeked, origin } = self;
        let result = sink.commit(IntakeMeta {
            hospital: origin.hospital.clone(),
            received_at_ms: now_ms(),
            protocol: origin.protocol,
            peer: origin.peer.clone(),
            calling: None,
            sop_class_uid: peeked.sop_class_uid.clone(),
            sop_instance_uid: peeked.sop_instance_uid.clone(),
            study_instance_uid: peeked.study_instance_uid.clone(),
            series_instance_uid: peeked.series_instance_uid.clone(),
            transfer_syntax: peeked.transfer_syntax.clone(),
            content: None,
        });
        Outcome::counted(&origin, Some(peeked), result.map_err(Refusal::Spool))
    }
}

#[cfg(test)]
pub(crate) mod testing;
