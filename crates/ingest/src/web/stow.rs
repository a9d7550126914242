//! STOW-RS, the store transaction of the studies resource (PS3.18 10.5).

use super::answer;
use super::body::{BodyFault, Metered, Piece, pipe};
use super::media::{Format, StowBody};
use super::{Sender, Web, WebError};
use crate::arrival::{Arrival, Origin, Outcome, Refusal};
use crate::intake::Intake;
use axum::extract::{Path, Request, State};
use axum::http::request::Parts;
use axum::response::Response;
use bytes::Bytes;
use multer::{Field, Multipart};
use scanveil_model::{Protocol, Uid};
use std::collections::VecDeque;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// `POST /studies`.
pub(crate) async fn store(State(web): State<Arc<Web>>, request: Request) -> Response {
    web.answer(request, async |parts, body| receive(&web, None, parts, body).await).await
}

/// `POST /studies/{study}`: every instance must belong to the study.
pub(crate) async fn store_in_study(
    State(web): State<Arc<Web>>,
    Path(study): Path<String>,
    request: Request,
) -> Response {
    web.answer(request, async |parts, body| receive(&web, Some(&study), parts, body).await).await
}

async fn receive(
    web: &Web,
    study: Option<&str>,
    parts: Parts,
    body: Metered,
) -> Result<Response, WebError> {
    let sender = web.sender(&parts)?;
    let format = Format::accepted(&parts.headers)?;
    let kind = StowBody::of(&parts.headers)?;
    let study = study.map(Uid::parse).transpose().map_err(|_| WebError::StudyUid)?;
    let _place = web.admit(&sender, &parts.headers)?;
    let mut store = Store::new(web, sender, study);
    let fault = match kind {
        StowBody::Single => store.single(body).await,
        StowBody::Multipart { boundary } => store.multipart(body, boundary).await,
    };
    let outcomes = store.finish().await?;
    Ok(answer::stow(&outcomes, format, fault.err()))
}

/// The instances of one request on their way into the spool.
///
/// One blocking task per instance. When an instance's last byte has arrived, its task makes it
/// durable while the next one arrives, so that a request pays for one flush and not for thousands.
struct Store<'a> {
    web: &'a Web,
    sender: Sender,
    origin: Origin,
    study: Option<Uid>,
    waiting: VecDeque<JoinHandle<Outcome>>,
    outcomes: Vec<Outcome>,
}

impl<'a> Store<'a> {
    fn new(web: &'a Web, sender: Sender, study: Option<Uid>) -> Self {
        let origin = sender.origin(Protocol::Stow);
        Self { web, sender, origin, study, waiting: VecDeque::new(), outcomes: Vec::new() }
    }

    async fn single(&mut self, mut body: Metered) -> Result<(), WebError> {
        let pipe = self.open().await?;
        super::body::pump(&mut body, pipe).await
    }

    async fn multipart(&mut self, body: Metered, boundary: String) -> Result<(), WebError> {
        let allowance = body.allowance();
        let header = self.web.limits.max_part_header_bytes as u64;
        let mut multipart = Multipart::new(body, boundary);
        let mut seen: u32 = 0;
        loop {
            allowance.set(header);
            let field = multipart.next_field().await.map_err(|error| fault(&error))?;
            allowance.lift();
            let Some(field) = field else { break };
            if seen >= self.web.limits.max_parts {
                return Err(WebError::TooMany);
            }
            seen += 1;
            self.part(field).await?;
        }
        if seen == 0 { Err(WebError::Empty) } else { Ok(()) }
    }

    async fn part(&mut self, mut field: Field<'_>) -> Result<(), WebError> {
        // RFC 2387 3.2: the type of a part is the root type where it names none.
        if field.content_type().is_some_and(|kind| kind.essence_str() != "application/dicom") {
            while field.chunk().await.map_err(|error| fault(&error))?.is_some() {}
            // Later answers must not overtake earlier ones: the task only keeps the place.
            let refusal = Outcome::unnamed(&self.origin, Refusal::MediaType);
            return self.enqueue(tokio::spawn(async { refusal })).await;
        }
        let mut pipe = Some(self.open().await?);
        while let Some(bytes) = field.chunk().await.map_err(|error| fault(&error))? {
            send(&mut pipe, bytes).await;
        }
        if let Some(open) = pipe {
            // A task that has gone has its own reason, which it returns.
            let _ = open.send(Piece::End).await;
        }
        Ok(())
    }

    async fn open(&mut self) -> Result<mpsc::Sender<Piece>, WebError> {
        self.web.check_sender(&self.sender)?;
        let (sender, receiver) = pipe();
        let intake = Arc::clone(&self.web.intake);
        let (origin, study) = (self.origin.clone(), self.study.clone());
        let limit = self.web.limits.max_instance_bytes;
        let task =
            tokio::task::spawn_blocking(move || take(intake, origin, study, limit, receiver));
        self.enqueue(task).await?;
        Ok(sender)
    }

    async fn enqueue(&mut self, task: JoinHandle<Outcome>) -> Result<(), WebError> {
        while self.waiting.len() > self.web.limits.max_commits_in_flight {
            self.settle_one().await?;
        }
        self.waiting.push_back(task);
        Ok(())
    }

    async fn settle_one(&mut self) -> Result<(), WebError> {
        if let Some(task) = self.waiting.pop_front() {
            self.outcomes.push(task.await.map_err(|_| WebError::Internal)?);
        }
        Ok(())
    }

    async fn finish(mut self) -> Result<Vec<Outcome>, WebError> {
        while !self.waiting.is_empty() {
            self.settle_one().await?;
        }
        Ok(self.outcomes)
    }
}

/// Hands bytes to the task of an instance; when that has gone, they are dropped.
async fn send(pipe: &mut Option<mpsc::Sender<Piece>>, bytes: Bytes) {
    if let Some(open) = pipe
        && open.send(Piece::Data(bytes)).await.is_err()
    {
        *pipe = None;
    }
}

/// Takes one instance off a pipe, in a blocking task.
fn take(
    intake: Intake,
    origin: Origin,
    study: Option<Uid>,
    limit: u64,
    mut pipe: mpsc::Receiver<Piece>,
) -> Outcome {
    let mut arrival = Arrival::new(intake, origin, study, limit);
    loop {
        match pipe.blocking_recv() {
            Some(Piece::Data(bytes)) => {
                if let Err(why) = arrival.write(&bytes) {
                    return arrival.refused(why);
                }
            }
            Some(Piece::End) => {
                return match arrival.end() {
                    Ok(complete) => complete.commit(),
                    Err(outcome) => outcome,
                };
            }
            None => return arrival.refused(Refusal::Damaged),
        }
    }
}

/// What a multipart reader's error means; its own text may quote the sender's headers.
fn fault(error: &multer::Error) -> WebError {
    match error {
        multer::Error::StreamReadFailed(source) => {
            source.downcast_ref::<BodyFault>().map_or(WebError::Disconnected, |fault| fault.0)
        }
        _ => WebError::Malformed,
    }
}
