//! Upload of zip archives: `POST /upload`.

use super::answer::{Tally, retry_when_full};
use super::body::{Metered, Piece, PipeReader, pipe, pump};
use super::media::MediaType;
use super::unzip::{Ended, Kind, Member, Unzip};
use super::{Sender, Web, WebError};
use crate::arrival::{Arrival, Origin, Outcome, Refusal};
use axum::Json;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use scanveil_model::{Coded, ErrorReport, Protocol};
use serde::Serialize;
use std::collections::VecDeque;
use std::sync::Arc;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, spawn_blocking};

/// Most failures that an answer lists one by one; all are counted.
const LISTED_FAILURES: usize = 1000;

/// `POST /upload` with a zip archive of instances.
pub(crate) async fn upload(State(web): State<Arc<Web>>, request: Request) -> Response {
    web.answer(request, async |parts, body| receive(&web, parts, body).await).await
}

async fn receive(web: &Arc<Web>, parts: Parts, mut body: Metered) -> Result<Response, WebError> {
    let sender = web.sender(&parts)?;
    let kind = parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let kind = kind.and_then(MediaType::parse).ok_or(WebError::MediaType)?;
    if !["application/zip", "application/x-zip-compressed"].contains(&kind.essence.as_str()) {
        return Err(WebError::MediaType);
    }
    let _place = web.admit(&sender, &parts.headers)?;
    let (input, receiver) = pipe();
    let unpacking = Unpacking {
        web: Arc::clone(web),
        origin: sender.origin(Protocol::Upload),
        sender,
        report: UploadReport::default(),
        tally: Tally::default(),
        waiting: VecDeque::new(),
    };
    let task = spawn_blocking(move || unpacking.run(receiver));
    let pumped = pump(&mut body, input).await;
    let (report, tally, stopped) = task.await.map_err(|_| WebError::Internal)?;
    // What broke the body is the cause of what the archive looked like then.
    Ok(answer(report, &tally, pumped.err().or(stopped)))
}

/// The answer to an upload. Members are named by their place in the archive only.
#[derive(Debug, Default, Serialize)]
struct UploadReport {
    /// Instances that are durable.
    stored: u64,
    /// Members that were not taken.
    failed: u64,
    /// Folders and files that file managers add.
    skipped: u64,
    /// The first failures, in the order of the archive.
    failures: Vec<UploadFailure>,
    /// Why the rest of the archive was not read, if it was not.
    #[serde(skip_serializing_if = "Option::is_none")]
    stopped: Option<ErrorReport>,
}

#[derive(Debug, Serialize)]
struct UploadFailure {
    /// Place in the archive, from 0.
    index: u64,
    code: &'static str,
    next_step: String,
}

fn answer(mut report: UploadReport, tally: &Tally, stopped: Option<WebError>) -> Response {
    report.stored = tally.stored;
    report.failed = tally.failed;
    report.stopped = stopped.map(|fault| fault.report());
    let status = match stopped {
        Some(fault) if tally.stored == 0 => fault.status(),
        Some(_) => StatusCode::ACCEPTED,
        None => tally.status(),
    };
    let mut response = (status, Json(report)).into_response();
    retry_when_full(&mut response);
    response
}

/// Takes the instances out of an archive, in a blocking task.
struct Unpacking {
    web: Arc<Web>,
    sender: Sender,
    origin: Origin,
    report: UploadReport,
    tally: Tally,
    /// Instances that become durable while the next ones are unpacked, with their places.
    waiting: VecDeque<(u64, JoinHandle<Outcome>)>,
}

impl Unpacking {
    fn run(mut self, pipe: mpsc::Receiver<Piece>) -> (UploadReport, Tally, Option<WebError>) {
        let unpacked = self.members(PipeReader::new(pipe));
        let settled = self.settle(0);
        let stopped = unpacked.and(settled).err();
        (self.report, self.tally, stopped)
    }

    fn members(&mut self, pipe: PipeReader) -> Result<(), WebError> {
        let web = Arc::clone(&self.web);
        let mut unzip = Unzip::new(pipe, &web.limits);
        let mut files = 0_u64;
        for index in 0.. {
            let Some(member) = unzip.next_member()? else { break };
            if member.kind == Kind::Clutter {
                unzip.read(&member, &mut |_| false)?;
                self.report.skipped += 1;
                continue;
            }
            files += 1;
            self.file(&mut unzip, &member, index)?;
        }
        if files == 0 { Err(WebError::Empty) } else { Ok(()) }
    }

    fn file(
        &mut self,
        unzip: &mut Unzip<'_, PipeReader>,
        member: &Member,
        index: u64,
    ) -> Result<(), WebError> {
        self.web.check_sender(&self.sender)?;
        let (intake, limit) = (Arc::clone(&self.web.intake), self.web.limits.max_instance_bytes);
        let mut arrival = Arrival::new(intake, self.origin.clone(), None, limit);
        let mut refusal = None;
        let ended = unzip.read(member, &mut |bytes| {
            refusal = arrival.write(bytes).err();
            refusal.is_none()
        });
        let refusal = match &ended {
            _ if refusal.is_some() => refusal,
            Ok(Ended::Whole) => None,
            Ok(Ended::Packing) => Some(Refusal::Packing),
            Ok(Ended::Damaged) | Err(_) => Some(Refusal::Damaged),
        };
        let complete = match refusal {
            Some(why) => Err(arrival.refused(why)),
            None => arrival.end(),
        };
        match complete {
            Ok(complete) => {
                self.waiting.push_back((index, spawn_blocking(move || complete.commit())));
                self.settle(self.web.limits.max_commits_in_flight)?;
            }
            Err(outcome) => {
                // The order of the failures is the order of the archive.
                self.settle(0)?;
                self.count(index, &outcome);
            }
        }
        ended.map(|_| ())
    }

    /// Waits until no more instances than that are on their way to becoming durable.
    fn settle(&mut self, left: usize) -> Result<(), WebError> {
        while self.waiting.len() > left {
            let Some((index, task)) = self.waiting.pop_front() else { break };
            let outcome = Handle::current().block_on(task).map_err(|_| WebError::Internal)?;
            self.count(index, &outcome);
        }
        Ok(())
    }

    fn count(&mut self, index: u64, outcome: &Outcome) {
        self.tally.add(outcome);
        if let Err(why) = &outcome.result
            && self.report.failures.len() < LISTED_FAILURES
        {
            let failure = UploadFailure { index, code: why.code(), next_step: why.next_step() };
            self.report.failures.push(failure);
        }
    }
}
