//! The second look: every instance is scrubbed.

use crate::EngineError;
use crate::held::Held;
use crate::inputs::{Passed, Seen, Work, digest, with_instance};
use crate::journal::Entry;
use crate::mappings::Mappings;
use crate::plan::{Fate, Found, Instance, Job, Plan};
use crate::run::Settings;
use crate::staging::Staging;
use crate::study::{Rules, guarded};
use crate::watch::{Step, Watch};
use rayon::prelude::*;
use scanveil_dataset::{Body, Header};
use scanveil_model::{Action, Digest, Reason, ReasonCode};
use scanveil_scrub::{Prepared, ScrubbedInstance, StudyScrubber};
use std::collections::{BTreeMap, HashMap};
use std::io::{self, Read};
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};

/// What came of an input.
pub enum Outcome {
    /// It came out.
    Clean(Box<Clean>),
    /// The same instance as that of an earlier input, by its index.
    Duplicate(usize),
    /// It was held back.
    Held(Box<Held>),
    /// No instance, and nothing that anybody would miss.
    Passed(Passed),
    /// The run was stopped before.
    NotReached,
}

/// An instance that came out.
pub struct Clean {
    /// How long the output is.
    pub bytes: u64,
    /// Of the output; kept where there is a report, or another input to compare with.
    pub digest: Option<Digest>,
    /// What was done to it; kept where there is a report.
    pub details: Option<Details>,
}

/// What a report says of it.
pub struct Details {
    /// Where the output lies, below the output folder.
    pub output: String,
    /// Elements by what was done to them.
    pub actions: BTreeMap<Action, u32>,
    /// What was accepted by evidence, and written though it did not come in.
    pub noticed: BTreeMap<String, u32>,
}

/// An outcome with the input's own digest and length, for the report.
pub struct Done {
    /// What came of the input.
    pub outcome: Outcome,
    /// The input's own digest and length, where somebody lists them.
    pub input: Option<(Digest, u64)>,
}

/// The second look.
pub(crate) struct Scrubbing<'r, 'p> {
    pub(crate) settings: &'r Settings<'p>,
    pub(crate) plan: &'r Plan<'p>,
    /// `None` in a dry run.
    pub(crate) staging: Option<&'r Staging>,
    pub(crate) mappings: Option<&'r Mappings>,
    /// What an earlier run has finished, by the index of the input.
    pub(crate) finished: HashMap<usize, Entry>,
    pub(crate) watch: &'r Watch<'r>,
}

impl<'p> Scrubbing<'_, 'p> {
    /// Scrubs everything; outcomes are in the order of the inputs.
    pub(crate) fn run(&self) -> Result<Vec<Done>, EngineError> {
        let jobs = &self.plan.jobs;
        // Study by study, so that few are open at a time.
        let mut order: Vec<usize> = (0..jobs.len()).collect();
        order.sort_by_key(|&at| jobs[at].instance().map_or(0, |instance| instance.study));
        let is_twin = |at: usize| jobs[at].instance().is_some_and(|i| i.twin_of.is_some());
        let (twins, firsts): (Vec<usize>, Vec<usize>) =
            order.into_iter().partition(|&at| is_twin(at));
        let mut done: Vec<Option<Done>> = Vec::new();
        done.resize_with(jobs.len(), || None);
        let first: Vec<(usize, Done)> =
            firsts.into_par_iter().map(|at| (at, self.job(at))).collect();
        for (at, one) in first {
            done[at] = Some(one);
        }
        let twins: Vec<(usize, Done)> =
            twins.into_par_iter().map(|at| (at, self.job(at))).collect();
        for (at, mut twin) in twins {
            let first = jobs[at].instance().and_then(|instance| instance.twin_of);
            let first = first.and_then(|first| Some((first, done[first].as_ref()?)));
            twin.outcome = compare(twin.outcome, first);
            done[at] = Some(twin);
        }
        match self.staging.and_then(Staging::failure) {
            Some(failure) => Err(failure),
            None => Ok(done.into_iter().flatten().collect()),
        }
    }

    fn job(&self, at: usize) -> Done {
        let job = &self.plan.jobs[at];
        let done = match &job.fate {
            Fate::Held(held) => self.plain(job, None, Outcome::Held(Box::new(held.clone()))),
            Fate::Passed(passed) => self.plain(job, None, Outcome::Passed(*passed)),
            Fate::NotReached => Done { outcome: Outcome::NotReached, input: None },
            Fate::Instance(_) if self.watch.is_stopped() => {
                Done { outcome: Outcome::NotReached, input: None }
            }
            Fate::Instance(instance) => match self.finished.get(&at) {
                Some(entry) => self.again(job, instance, entry),
                None => self.guarded(at, job, instance),
            },
        };
        self.watch.tell(Step::Looked);
        done
    }

    /// An outcome, with the input's own digest where there is a report.
    fn plain(&self, job: &Job, seen: Option<&Seen>, outcome: Outcome) -> Done {
        let bytes = self.plan.kept(job).map(|(larder, kept)| larder.bytes(kept));
        let input =
            if self.settings.reported { digest(&job.input, bytes, seen).ok() } else { None };
        Done { outcome, input }
    }

    /// What an earlier run has done already: only a mapping is asked for again, because nothing
    /// that identifies was noted.
    fn again(&self, job: &Job, instance: &Instance, entry: &Entry) -> Done {
        let mut done = entry.done();
        if let (Some(mappings), Outcome::Clean(_)) = (self.mappings, &done.outcome) {
            let study = &self.plan.studies[instance.study];
            let mapped = guarded(|| {
                let scrubber = self.scrubber(study)?;
                let mut work = Mapped { scrubber: &scrubber, mappings };
                let kept = self.plan.kept(job);
                with_instance(&job.input, kept, Some(&instance.seen), &mut work).map_err(Held::from)
            });
            if let Err(held) = mapped {
                done.outcome = Outcome::Held(Box::new(held));
            }
        }
        done
    }

    fn guarded(&self, at: usize, job: &Job, instance: &Instance) -> Done {
        let study = &self.plan.studies[instance.study];
        let twin = instance.twin_of.is_some();
        let mut output = String::new();
        let done = guarded(|| self.instance(job, study, instance, &mut output));
        if self.watch.is_stopped() && done.is_err() {
            // Cut short, whatever it says; the study stays unfinished.
            return Done { outcome: Outcome::NotReached, input: None };
        }
        if let (false, Err(held)) = (twin, &done) {
            study.study.held_back(held.reason);
        }
        let outcome = match done {
            Ok(clean) => Outcome::Clean(Box::new(clean)),
            Err(held) => Outcome::Held(Box::new(held)),
        };
        let done = self.plain(job, Some(&instance.seen), outcome);
        if !twin {
            study.note(at, Entry::of(&done, &output));
            if study.left.fetch_sub(1, Ordering::AcqRel) == 1 {
                self.finish(study);
            }
        }
        done
    }

    /// The study's scrubber. Outputs are digested only where somebody compares or lists them.
    fn scrubber(&self, study: &Found<'p>) -> Result<Arc<StudyScrubber<'p>>, Reason> {
        study.study.scrubber(&Rules {
            profile: self.settings.profile,
            secret: &self.settings.secrets.project,
            hospital: None,
            attributes: false,
            digests: self.settings.reported || study.has_twins.load(Ordering::Relaxed),
        })
    }

    /// Puts a study in its place whose last instance went through.
    fn finish(&self, study: &Found<'p>) {
        if let Some(staging) = self.staging {
            if let Some((pseudonym, uid)) = study.place.get() {
                if let Some(certificate) = study.study.certificate(self.settings.profile) {
                    staging.certify(pseudonym, &certificate);
                }
                staging.publish(pseudonym, uid);
            }
            if let (Some(mark), Some(entries)) = (study.mark.get(), study.entries(self.plan)) {
                staging.finished(*mark, entries);
            }
        }
        // Twins come after all others, and ask for the scrubber again.
        if !study.has_twins.load(Ordering::Relaxed) {
            study.study.close();
        }
    }

    fn instance(
        &self,
        job: &Job,
        study: &Found<'p>,
        instance: &Instance,
        output: &mut String,
    ) -> Result<Clean, Held> {
        let twin = instance.twin_of.is_some();
        if self.staging.is_some_and(Staging::has_failed) {
            return Err(Held::unwritten());
        }
        let scrubber = self.scrubber(study)?;
        let mut work = One {
            scrubber: &scrubber,
            study: &study.place,
            staging: self.staging.filter(|_| !twin),
            mappings: self.mappings,
        };
        let scrubbed =
            with_instance(&job.input, self.plan.kept(job), Some(&instance.seen), &mut work)?;
        if !twin {
            study.study.clean(&scrubbed);
        }
        *output = path(&scrubbed);
        let details = self.settings.reported.then(|| Details {
            output: output.clone(),
            actions: scrubbed.actions().clone(),
            noticed: scrubbed
                .noticed()
                .iter()
                .map(|(what, count)| ((*what).to_owned(), *count))
                .collect(),
        });
        Ok(Clean { bytes: scrubbed.length(), digest: scrubbed.digest(), details })
    }
}

/// Decides on an instance whose SOP Instance UID an earlier input has too: by what comes out, for
/// the same instance can be wrapped in another file meta information or in another preamble.
fn compare(twin: Outcome, first: Option<(usize, &Done)>) -> Outcome {
    let conflict = || {
        let detail = "an earlier input has this SOP Instance UID and other content";
        Outcome::Held(Box::new(Reason::new(ReasonCode::UidConflict, detail).into()))
    };
    match (twin, first) {
        // Nothing to compare with.
        (_, Some((_, Done { outcome: Outcome::NotReached, .. }))) => Outcome::NotReached,
        (Outcome::Clean(twin), Some((at, done))) => match &done.outcome {
            Outcome::Clean(first) if first.digest.is_some() && first.digest == twin.digest => {
                Outcome::Duplicate(at)
            }
            _ => conflict(),
        },
        (Outcome::Clean(_), None) => conflict(),
        (other, _) => other,
    }
}

/// Where an instance goes, below the output folder.
fn path(scrubbed: &ScrubbedInstance) -> String {
    format!(
        "{}/{}/{}/{}.dcm",
        scrubbed.patient_pseudonym(),
        scrubbed.names().study.as_str(),
        scrubbed.names().series.as_str(),
        scrubbed.names().sop_instance.as_str(),
    )
}

/// One instance on its way through.
struct One<'o> {
    scrubber: &'o StudyScrubber<'o>,
    study: &'o OnceLock<(String, String)>,
    staging: Option<&'o Staging>,
    mappings: Option<&'o Mappings>,
}

impl Work for One<'_> {
    type Out = ScrubbedInstance;

    fn run<R: Read>(
        &mut self,
        header: &Header<'_>,
        body: Body<'_, R>,
    ) -> Result<ScrubbedInstance, Reason> {
        let prepared = self.scrubber.prepare(header)?;
        let scrubbed = match self.staging {
            None => prepared.write(body, io::sink())?,
            Some(staging) => self.write(staging, prepared, body)?,
        };
        if let Some(mappings) = self.mappings {
            mappings.add(self.scrubber.mapping(header)?);
        }
        Ok(scrubbed)
    }
}

/// An instance that is there already: its identifiers, old and new.
struct Mapped<'m> {
    scrubber: &'m StudyScrubber<'m>,
    mappings: &'m Mappings,
}

impl Work for Mapped<'_> {
    type Out = ();

    fn run<R: Read>(&mut self, header: &Header<'_>, _: Body<'_, R>) -> Result<(), Reason> {
        self.mappings.add(self.scrubber.mapping(header)?);
        Ok(())
    }
}

impl One<'_> {
    fn write<R: Read>(
        &self,
        staging: &Staging,
        prepared: Prepared<'_>,
        body: Body<'_, R>,
    ) -> Result<ScrubbedInstance, Reason> {
        let part = staging
            .create(&prepared)
            .map_err(|_| Reason::new(ReasonCode::Internal, "the output could not be written"))?;
        self.study.get_or_init(|| {
            let uid = prepared.names().study.as_str().to_owned();
            (prepared.patient_pseudonym().to_owned(), uid)
        });
        part.fill(|out| prepared.write(body, out))
    }
}
