//! Pushing the invented studies, one after the other: by C-STORE for the first hospital, by
//! STOW-RS for the second.

use super::place::Place;
use crate::commands::serve::Service;
use crate::output::{Failure, Output};
use indicatif::{ProgressBar, ProgressStyle};
use scanveil_dataset::{file_meta, peek_part10};
use scanveil_ingest::{DimseLimits, Sender, SenderOptions};
use scanveil_model::{AeTitle, Digest, HospitalId, Uid};
use scanveil_synth::{Corpus, CorpusSpec, Expect, HOSPITALS, Planted, SynthInstance};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// Instances of its first study that a hospital sends a second time, as archives do.
const REPEATED: usize = 3;
/// Longest wait for the answer to one study by STOW-RS.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(120);
/// The boundary between the parts of a request, long enough to stand in no instance by chance.
const BOUNDARY: &str = "scanveil-demo-b7f1c2d94e60a83517";

/// How a hospital pushes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    CStore,
    StowRs,
}

impl Way {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::CStore => "C-STORE",
            Self::StowRs => "STOW-RS",
        }
    }
}

/// One instance that was sent and acknowledged: an entry of the answer key.
pub(super) struct Sent {
    /// Digest of the Part 10 file as the receiver must have it.
    pub(super) digest: Digest,
    pub(super) expected: Expect,
}

/// What one hospital pushed.
pub(super) struct Push {
    pub(super) hospital: HospitalId,
    pub(super) way: Way,
    pub(super) studies: u64,
    pub(super) bytes: u64,
    /// Instances that were sent a second time.
    pub(super) repeated: u64,
    /// Seconds spent sending, until everything was acknowledged as durable.
    pub(super) seconds: f64,
    pub(super) sent: Vec<Sent>,
    /// The files that were sent a second time, as the search must find something in them.
    pub(super) samples: Vec<Vec<u8>>,
}

impl Push {
    /// Instances the receiver acknowledged.
    pub(super) fn acknowledged(&self) -> u64 {
        self.sent.len() as u64 + self.repeated
    }

    /// Their bytes.
    pub(super) fn acknowledged_bytes(&self) -> u64 {
        self.bytes + self.samples.iter().map(|file| file.len() as u64).sum::<u64>()
    }
}

/// The invented studies.
pub(super) struct Studies {
    corpus: Corpus,
}

impl Studies {
    pub(super) fn new(seed: u64, slices: usize) -> Self {
        let slices = slices.max(1);
        let demo = CorpusSpec::demo();
        let spec = CorpusSpec {
            ct_slices: slices,
            mr_slices: slices,
            pet_slices: demo.pet_slices.min(slices),
            ..demo
        };
        Self { corpus: Corpus::new(seed, spec) }
    }

    pub(super) fn len(&self) -> usize {
        self.corpus.len()
    }

    /// Pushes one hospital's studies; its planted identifiers are added to `planted`.
    pub(super) fn push(
        &self,
        number: usize,
        line: &Line<'_>,
        planted: &mut BTreeSet<Planted>,
        bar: &ProgressBar,
    ) -> Result<Push, Failure> {
        let mut push = Push {
            hospital: hospital_id(number)?,
            way: line.way(),
            studies: 0,
            bytes: 0,
            repeated: 0,
            seconds: 0.0,
            sent: Vec::new(),
            samples: Vec::new(),
        };
        let mut again: Vec<SynthInstance> = Vec::new();
        let mut study: Vec<SynthInstance> = Vec::new();
        let all = self
            .corpus
            .instances()
            .filter(|one| one.as_ref().map_or(true, |instance| instance.hospital == number));
        // One study at a time is in memory.
        for instance in all {
            let instance = instance?;
            if study.first().is_some_and(|first| first.study != instance.study) {
                push.study(line, &study, planted, bar)?;
                if again.is_empty() {
                    again.extend(study.drain(..).take(REPEATED));
                }
                study.clear();
            }
            study.push(instance);
        }
        push.study(line, &study, planted, bar)?;
        let begun = Instant::now();
        line.send(&again, &mut |_| {})?;
        push.seconds += begun.elapsed().as_secs_f64();
        push.repeated = again.len() as u64;
        push.samples = again.into_iter().map(|instance| instance.file).collect();
        Ok(push)
    }
}

impl Push {
    fn study(
        &mut self,
        line: &Line<'_>,
        study: &[SynthInstance],
        planted: &mut BTreeSet<Planted>,
        bar: &ProgressBar,
    ) -> Result<(), Failure> {
        if study.is_empty() {
            return Ok(());
        }
        let begun = Instant::now();
        line.send(study, &mut |count| bar.inc(count))?;
        self.seconds += begun.elapsed().as_secs_f64();
        self.studies += 1;
        for instance in study {
            self.bytes += instance.file.len() as u64;
            self.sent
                .push(Sent { digest: line.arrives_as(instance)?, expected: instance.expected });
            planted.extend(instance.planted.iter().cloned());
        }
        Ok(())
    }
}

/// The name of a corpus' hospital, as the configuration has it.
pub(super) fn hospital_id(number: usize) -> Result<HospitalId, Failure> {
    HospitalId::parse(HOSPITALS[number].id).map_err(|error| defect(&error.to_string()))
}

/// Something that cannot be wrong in invented data, and is.
pub(super) fn defect(what: &str) -> Failure {
    Failure::new("SV-CLI-021", format!("the demonstration's own data: {what}"), "report this")
}

fn refused(what: String) -> Failure {
    Failure::new("SV-CLI-022", what, "look into the service's log in the demonstration's folder")
}

/// A bar for so many instances.
pub(super) fn bar(output: &Output, length: usize, what: &'static str) -> ProgressBar {
    let bar = if output.draws() { ProgressBar::new(length as u64) } else { ProgressBar::hidden() };
    let style =
        ProgressStyle::with_template("  {msg:10} {bar:40} {pos}/{len} instances, {elapsed}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.set_message(what);
    bar
}

/// A way into the service.
pub(super) enum Line<'a> {
    CStore(Box<SenderOptions>),
    StowRs { client: reqwest::blocking::Client, url: String, token: &'a str },
}

impl<'a> Line<'a> {
    /// C-STORE to the first hospital's AE title.
    pub(super) fn c_store(service: &Service) -> Result<Self, Failure> {
        let title = |text| AeTitle::parse(text).map_err(|error| defect(&error.to_string()));
        let [keeper, _] = HOSPITALS;
        let address = service.dimse_addr();
        let address = address.ok_or_else(|| defect("no C-STORE without TLS is received"))?;
        Ok(Self::CStore(Box::new(SenderOptions {
            peer: address.to_string(),
            calling: title(keeper.calling_ae)?,
            called: title(keeper.called_ae)?,
            tls: None,
            limits: DimseLimits::default(),
        })))
    }

    /// STOW-RS with the second hospital's token.
    pub(super) fn stow_rs(service: &Service, place: &'a Place) -> Result<Self, Failure> {
        let client = reqwest::blocking::Client::builder().no_proxy().timeout(ANSWER_TIMEOUT);
        Ok(Self::StowRs {
            client: client.build().map_err(|error| web(&error))?,
            url: format!("http://{}/studies", service.http_addr()),
            token: &place.token,
        })
    }

    fn way(&self) -> Way {
        match self {
            Self::CStore(_) => Way::CStore,
            Self::StowRs { .. } => Way::StowRs,
        }
    }

    /// Sends instances and waits until all of them are acknowledged.
    fn send(&self, study: &[SynthInstance], done: &mut dyn FnMut(u64)) -> Result<(), Failure> {
        match self {
            Self::CStore(options) => c_store(options, study, done),
            Self::StowRs { client, url, token } => {
                stow_rs(client, url, token, study)?;
                done(study.len() as u64);
                Ok(())
            }
        }
    }

    /// Digest of the file that the receiver makes of an instance: by C-STORE only the data set
    /// travels, and the receiver writes the file meta information (PS3.10 7.1).
    fn arrives_as(&self, instance: &SynthInstance) -> Result<Digest, Failure> {
        let mut hasher = blake3::Hasher::new();
        match self {
            Self::StowRs { .. } => hasher.update(&instance.file),
            Self::CStore(_) => {
                let (class, uid) = (instance.sop_class, &instance.sop_instance);
                hasher.update(&file_meta(class, uid, instance.transfer_syntax));
                hasher.update(data_set(instance)?)
            }
        };
        Ok(Digest(*hasher.finalize().as_bytes()))
    }
}

fn data_set(instance: &SynthInstance) -> Result<&[u8], Failure> {
    let peeked = peek_part10(&instance.file).map_err(|_| defect("a file is no instance"))?;
    Ok(instance.file.get(peeked.data_set_at..).unwrap_or_default())
}

fn uid(text: &str) -> Result<Uid, Failure> {
    Uid::parse(text).map_err(|error| defect(&error.to_string()))
}

/// One association for the study, as an archive does it.
fn c_store(
    options: &SenderOptions,
    study: &[SynthInstance],
    done: &mut dyn FnMut(u64),
) -> Result<(), Failure> {
    let mut pairs = BTreeSet::new();
    for instance in study {
        pairs.insert((uid(instance.sop_class)?, uid(instance.transfer_syntax)?));
    }
    let pairs: Vec<(Uid, Uid)> = pairs.into_iter().collect();
    let mut sender = Sender::associate(options, &pairs)?;
    for instance in study {
        let (class, syntax) = (uid(instance.sop_class)?, uid(instance.transfer_syntax)?);
        let name = uid(&instance.sop_instance)?;
        let status = sender.store(&class, &name, &syntax, data_set(instance)?)?;
        if !status.is_taken() {
            return Err(refused(format!("C-STORE was answered with status {status}")));
        }
        done(1);
    }
    Ok(sender.release()?)
}

/// One request for the study: multipart/related as PS3.18 10.5 has it.
fn stow_rs(
    client: &reqwest::blocking::Client,
    url: &str,
    token: &str,
    study: &[SynthInstance],
) -> Result<(), Failure> {
    let mut body = Vec::with_capacity(study.iter().map(|one| one.file.len() + 128).sum());
    for instance in study {
        body.extend(format!("--{BOUNDARY}\r\nContent-Type: application/dicom\r\n\r\n").bytes());
        body.extend(&instance.file);
        body.extend(b"\r\n");
    }
    body.extend(format!("--{BOUNDARY}--\r\n").bytes());
    let kind = format!("multipart/related; type=\"application/dicom\"; boundary={BOUNDARY}");
    let answer = client
        .post(url)
        .bearer_auth(token)
        .header("Content-Type", kind)
        .header("Accept", "application/dicom+json")
        .body(body)
        .send()
        .map_err(|error| web(&error))?;
    let status = answer.status();
    let module: serde_json::Value = answer.json().unwrap_or_default();
    // Referenced SOP Sequence (0008,1199): what was stored.
    let stored = module["00081199"]["Value"].as_array().map_or(0, Vec::len);
    if status != reqwest::StatusCode::OK || stored != study.len() {
        let of = study.len();
        return Err(refused(format!(
            "STOW-RS was answered with {status}, {stored} of {of} stored"
        )));
    }
    Ok(())
}

fn web(error: &reqwest::Error) -> Failure {
    let what = if error.is_timeout() { "no answer in time" } else { "the connection failed" };
    refused(format!("STOW-RS: {what}"))
}
