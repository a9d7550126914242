//! Scrubs one study for one project: identity first, then every instance in parallel, packed by
//! series into sealed files.

use crate::label::secret_version;
use crate::material::Patient;
use crate::source::{Source, Watched};
use crate::{PipelineError, Site};
use rayon::prelude::*;
use scanveil_dataset::{Limits, open, open_slice, tags};
use scanveil_durable::LocalFile;
use scanveil_engine::{Rules, Study};
use scanveil_model::{
    Digest, Generation, HospitalId, ObjectId, ProjectName, Reason, ReasonCode, SubjectId,
};
use scanveil_scrub::{
    Certificate, Profile, ProjectSecret, ScrubbedInstance, StudyIdentity, StudyScrubber, Vouched,
};
use scanveil_seal::{HospitalKey, ResearchMeta, ResearchPack, StudyKey, ZoneKey};
use scanveil_vault::{LocalPack, local_file};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Instances up to this size are scrubbed in memory, in parallel; larger ones stream.
const INLINE: u64 = 4 << 20;
/// Bytes of input that are in memory at a time.
const AT_ONCE: u64 = 32 << 20;

/// What is the same for the whole study.
pub(crate) struct StudyJob<'j> {
    pub(crate) hospital: &'j HospitalId,
    pub(crate) hospital_key: &'j HospitalKey,
    pub(crate) subject: SubjectId,
    pub(crate) study_key: StudyKey,
    pub(crate) project: &'j ProjectName,
    pub(crate) generation: Generation,
    pub(crate) profile: &'j Profile,
    /// Of the profile and of the version of the secret.
    pub(crate) label: &'j str,
    pub(crate) secret: &'j ProjectSecret,
    pub(crate) research_key: &'j ZoneKey,
    pub(crate) received_at_ms: i64,
    /// The folder for temporary files.
    pub(crate) dir: &'j Path,
    /// For whose pixels somebody vouches.
    pub(crate) vouched: &'j BTreeMap<Digest, Vouched>,
}

impl StudyJob<'_> {
    fn vouched(&self, source: &Source) -> Vouched {
        self.vouched.get(&source.digest()).cloned().unwrap_or_default()
    }
}

/// What came of a study.
#[derive(Default)]
pub(crate) struct Scrubbed {
    /// The last of them carries the certificate.
    pub(crate) packs: Vec<LocalPack>,
    /// Index of the source, and why it is held back.
    pub(crate) held: Vec<(usize, Reason)>,
}

/// What has come of a study so far.
struct Doing<'d> {
    study: &'d Study<'d>,
    done: Scrubbed,
    /// The newest pack stays open until the study's certificate is known.
    last: Option<OpenPack>,
}

impl Doing<'_> {
    fn hold(&mut self, at: usize, reason: Reason) {
        self.study.held_back(reason.code.as_str());
        self.done.held.push((at, reason));
    }

    /// Takes a pack into which nothing more goes.
    fn pack(&mut self, full: OpenPack) -> Result<(), PipelineError> {
        if let Some(before) = self.last.replace(full) {
            self.done.packs.push(before.finish(None)?);
        }
        Ok(())
    }

    fn finish(self, profile: &Profile) -> Result<Scrubbed, PipelineError> {
        let Self { study, mut done, last } = self;
        if let Some(last) = last {
            done.packs.push(last.finish(study.certificate(profile).as_ref())?);
        }
        Ok(done)
    }
}

/// What a first look at every instance gives: the study's identity, and what cannot be read.
pub(crate) struct Observed {
    pub(crate) identity: StudyIdentity,
    /// Who each source says it is about.
    pub(crate) patients: BTreeMap<usize, Patient>,
    /// Accession Number (0008,0050), where it has one. Identifies.
    pub(crate) accessions: BTreeMap<usize, Vec<u8>>,
    pub(crate) held: Vec<(usize, Reason)>,
}

/// Shows the chosen sources to the identity.
pub(crate) fn observe(sources: &[Source], chosen: &[usize]) -> Result<Observed, PipelineError> {
    let mut observed = Observed {
        identity: StudyIdentity::new(),
        patients: BTreeMap::new(),
        accessions: BTreeMap::new(),
        held: Vec::new(),
    };
    let limits = Limits::default();
    for &at in chosen {
        let seen = sources[at].read(|reader| {
            let (header, _) = open(reader, &limits)?;
            observed.identity.observe(&header)?;
            let text = |tag| header.data.text(tag).unwrap_or_default().to_vec();
            let accession = text(tags::ACCESSION_NUMBER);
            if !accession.is_empty() {
                observed.accessions.insert(at, accession);
            }
            let (id, issuer) = (text(tags::PATIENT_ID), text(tags::ISSUER_OF_PATIENT_ID));
            Ok(Some(Patient { issuer, id }).filter(|patient| !patient.id.is_empty()))
        })?;
        match seen {
            Ok(patient) => observed.patients.extend(patient.map(|patient| (at, patient))),
            Err(reason) => observed.held.push((at, reason)),
        }
    }
    Ok(observed)
}

/// Scrubs the chosen sources.
pub(crate) fn scrub_study(
    site: &Site,
    job: &StudyJob<'_>,
    identity: StudyIdentity,
    sources: &[Source],
    chosen: &[usize],
) -> Result<Scrubbed, PipelineError> {
    let mut todo = chosen.to_vec();
    todo.sort_by_cached_key(|&at| {
        (sources[at].series_instance_uid().cloned(), sources[at].digest())
    });
    let study = Study::of(identity);
    let mut out = Doing { study: &study, done: Scrubbed::default(), last: None };
    let rules = Rules {
        profile: job.profile,
        secret: job.secret,
        hospital: Some(job.hospital.as_str()),
        attributes: true,
        digests: true,
    };
    let scrubber = match study.scrubber(&rules) {
        Ok(scrubber) => scrubber,
        Err(reason) => {
            let held = todo.into_iter().map(|at| (at, reason.clone())).collect();
            return Ok(Scrubbed { held, ..Scrubbed::default() });
        }
    };
    let same = |a: &usize, b: &usize| {
        sources[*a].series_instance_uid() == sources[*b].series_instance_uid()
    };
    for series in todo.chunk_by(same) {
        let (small, large): (Vec<usize>, Vec<usize>) =
            series.iter().partition(|&&at| sources[at].length() <= INLINE);
        small_instances(site, job, &scrubber, sources, &small, &mut out)?;
        for at in large {
            match large_instance(site, job, &scrubber, &sources[at])? {
                Ok((scrubbed, pack)) => {
                    study.clean(&scrubbed);
                    out.pack(pack)?;
                }
                Err(reason) => out.hold(at, reason),
            }
        }
    }
    out.finish(job.profile)
}

type One = Result<(ScrubbedInstance, Vec<u8>), Reason>;

fn scrub_in_memory(
    job: &StudyJob<'_>,
    scrubber: &StudyScrubber<'_>,
    source: &Source,
) -> Result<One, PipelineError> {
    let vouched = job.vouched(source);
    source.read(|reader| {
        let mut bytes = Vec::new();
        reader.read_to_end(&mut bytes).map_err(|_| unreadable())?;
        let (header, body) = open_slice(&bytes, &Limits::default())?;
        let mut out = Vec::with_capacity(bytes.len() + 1024);
        let scrubbed = scrubber.scrub_vouched(&header, body, &mut out, &vouched)?;
        Ok((scrubbed, out))
    })
}

/// Never seen: what could not be read is an error of the reader.
fn unreadable() -> Reason {
    Reason::new(ReasonCode::Internal, "the instance could not be read back")
}

fn small_instances(
    site: &Site,
    job: &StudyJob<'_>,
    scrubber: &StudyScrubber<'_>,
    sources: &[Source],
    series: &[usize],
    out: &mut Doing<'_>,
) -> Result<(), PipelineError> {
    let mut open_pack: Option<OpenPack> = None;
    let mut rest = series;
    while !rest.is_empty() {
        let mut bytes = 0;
        let fits = rest.iter().take_while(|&&at| {
            bytes += sources[at].length();
            bytes <= AT_ONCE
        });
        let (now, later) = rest.split_at(fits.count().max(1));
        rest = later;
        let done: Vec<One> = site.pool.install(|| {
            let each = now.par_iter().map(|&at| scrub_in_memory(job, scrubber, &sources[at]));
            each.collect::<Result<_, _>>()
        })?;
        for (&at, one) in now.iter().zip(done) {
            match one {
                Err(reason) => out.hold(at, reason),
                Ok((scrubbed, bytes)) => {
                    if open_pack.as_ref().is_some_and(|p| !p.pack.has_room_for(scrubbed.length()))
                        && let Some(full) = open_pack.take()
                    {
                        out.pack(full)?;
                    }
                    let pack = match &mut open_pack {
                        Some(pack) => pack,
                        none => none.insert(OpenPack::create(site, job, &sources[at].digest())?),
                    };
                    pack.pack.append(&scrubbed, sources[at].digest(), &bytes)?;
                    out.study.clean(&scrubbed);
                }
            }
        }
    }
    if let Some(last) = open_pack {
        out.pack(last)?;
    }
    Ok(())
}

/// Scrubs one large instance straight into its own pack. When it turns out not to be clean, the
/// file is thrown away whole.
fn large_instance(
    site: &Site,
    job: &StudyJob<'_>,
    scrubber: &StudyScrubber<'_>,
    source: &Source,
) -> Result<Result<(ScrubbedInstance, OpenPack), Reason>, PipelineError> {
    let vouched = job.vouched(source);
    let mut pack = OpenPack::create(site, job, &source.digest())?;
    let mut out = Watched::new(pack.pack.open_slot()?);
    let scrubbed = source.read(|reader| {
        let (header, body) = open(reader, &Limits::default())?;
        scrubber.scrub_vouched(&header, body, &mut out, &vouched)
    })?;
    let (slot, failed) = out.into_parts();
    if let Some(source) = failed {
        // The disk is full, or failed: that says nothing about the instance.
        return Err(PipelineError::Folder { what: "the work folder", source });
    }
    match scrubbed {
        Err(reason) => Ok(Err(reason)),
        Ok(scrubbed) => {
            slot.close(&scrubbed, source.digest())?;
            Ok(Ok((scrubbed, pack)))
        }
    }
}

/// A pack that is being written to the work folder.
struct OpenPack {
    pack: ResearchPack<File>,
    file: LocalFile,
}

impl OpenPack {
    /// Begins a pack whose identifier hangs on what it is made of: made again after a crash, it is
    /// the same object.
    fn create(site: &Site, job: &StudyJob<'_>, first: &Digest) -> Result<Self, PipelineError> {
        let mut content = blake3::Hasher::new();
        content.update(job.project.as_str().as_bytes());
        content.update(&[0]);
        content.update(&job.profile.digest().0);
        content.update(&job.generation.0.to_le_bytes());
        content.update(&job.study_key.0);
        content.update(&first.0);
        if secret_version(job.label) > 1 {
            // Under another secret it is another object.
            content.update(job.label.as_bytes());
        }
        let id = job.hospital_key.keyed_id("research pack", content.finalize().as_bytes());
        let (file, out) = local_file(job.dir, site.entropy.as_ref())
            .map_err(|source| PipelineError::Folder { what: "the work folder", source })?;
        let meta = ResearchMeta {
            hospital: job.hospital.clone(),
            subject: job.subject,
            project: job.project.clone(),
            generation: job.generation,
            profile: job.label.to_owned(),
            study_key: job.study_key,
            received_at_ms: job.received_at_ms,
        };
        let id = ObjectId(id);
        let pack = ResearchPack::new(out, id, meta, job.research_key, site.entropy.as_ref())?;
        Ok(Self { pack, file })
    }

    fn finish(self, certificate: Option<&Certificate>) -> Result<LocalPack, PipelineError> {
        let (_, object) = match certificate {
            Some(certificate) => self.pack.finish_certified(certificate)?,
            None => self.pack.finish()?,
        };
        Ok(LocalPack::new(object, self.file))
    }
}
