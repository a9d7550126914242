//! The second look: every instance is scrubbed.

use super::held::Held;
use super::journal::Entry;
use super::output::Staging;
use super::plan::{Fate, Instance, Job, Plan, Study};
use super::private::Mappings;
use crate::inputs::{Passed, Seen, Work, digest, with_instance};
use crate::output::Failure;
use crate::stop::Stop;
use indicatif::ProgressBar;
use rayon::prelude::*;
use scanveil_dataset::{Body, Header};
use scanveil_model::{Action, Digest, Reason, ReasonCode};
use scanveil_scrub::{Prepared, Profile, ProjectSecret, ScrubbedInstance, StudyScrubber};
use std::collections::{BTreeMap, HashMap};
use std::io::{self, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;
use std::sync::atomic::Ordering;

/// What came of an input.
pub(super) enum Outcome {
    Clean(Box<Clean>),
    /// The same instance as that of an earlier input, by its index.
    Duplicate(usize),
    Held(Box<Held>),
    /// No instance, and nothing that anybody would miss.
    Passed(Passed),
    /// The run was stopped before.
    NotReached,
}

/// An instance that came out.
pub(super) struct Clean {
    pub(super) bytes: u64,
    /// Of the output; kept where there is a report, or another input to compare with.
    pub(super) digest: Option<Digest>,
    pub(super) details: Option<Details>,
}

/// What a report says of it.
pub(super) struct Details {
    pub(super) output: String,
    pub(super) actions: BTreeMap<Action, u32>,
    /// What was accepted by evidence, and written though it did not come in.
    pub(super) noticed: BTreeMap<String, u32>,
}

/// An outcome with the input's own digest and length, for the report.
pub(super) struct Done {
    pub(super) outcome: Outcome,
    pub(super) input: Option<(Digest, u64)>,
}

/// The settings of the second look.
pub(super) struct Scrubbing<'r, 'p> {
    pub(super) profile: &'p Profile,
    pub(super) secret: &'p ProjectSecret,
    pub(super) plan: &'r Plan<'p>,
    /// `None` in a dry run.
    pub(super) staging: Option<&'r Staging>,
    pub(super) mappings: Option<&'r Mappings>,
    pub(super) reported: bool,
    /// What an earlier run has finished, by the index of the input.
    pub(super) finished: HashMap<usize, Entry>,
    pub(super) stop: &'r Stop,
    pub(super) bar: &'r ProgressBar,
}

impl<'p> Scrubbing<'_, 'p> {
    /// Scrubs everything; outcomes are in the order of the inputs.
    pub(super) fn run(&self) -> Result<Vec<Done>, Failure> {
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
            Fate::Instance(_) if self.stop.is_asked() => {
                Done { outcome: Outcome::NotReached, input: None }
            }
            Fate::Instance(instance) => match self.finished.get(&at) {
                Some(entry) => self.again(job, instance, entry),
                None => self.guarded(at, job, instance),
            },
        };
        self.bar.inc(1);
        done
    }

    /// An outcome, with the input's own digest where there is a report.
    fn plain(&self, job: &Job, seen: Option<&Seen>, outcome: Outcome) -> Done {
        let bytes = self.plan.kept(job).map(|(larder, kept)| larder.bytes(kept));
        let input = if self.reported { digest(&job.input, bytes, seen).ok() } else { None };
        Done { outcome, input }
    }

    /// What an earlier run has done already: only a mapping is asked for again, because nothing
    /// that identifies was noted.
    fn again(&self, job: &Job, instance: &Instance, entry: &Entry) -> Done {
        let mut done = entry.done();
        if let (Some(mappings), Outcome::Clean(_)) = (self.mappings, &done.outcome) {
            let study = &self.plan.studies[instance.study];
            let mapped = catch_unwind(AssertUnwindSafe(|| {
                let scrubber = study.scrubber(self.profile, self.secret, self.reported)?;
                let mut work = Mapped { scrubber: &scrubber, mappings };
                let kept = self.plan.kept(job);
                with_instance(&job.input, kept, Some(&instance.seen), &mut work).map_err(Held::from)
            }));
            match mapped {
                Ok(Ok(())) => {}
                Ok(Err(held)) => done.outcome = Outcome::Held(Box::new(held)),
                Err(_) => done.outcome = Outcome::Held(Box::new(Held::panicked())),
            }
        }
        done
    }

    fn guarded(&self, at: usize, job: &Job, instance: &Instance) -> Done {
        let study = &self.plan.studies[instance.study];
        let twin = instance.twin_of.is_some();
        let mut output = String::new();
        let done =
            catch_unwind(AssertUnwindSafe(|| self.instance(job, study, instance, &mut output)));
        if self.stop.is_asked() && matches!(done, Ok(Err(_))) {
            // Cut short, whatever it says; the study stays unfinished.
            return Done { outcome: Outcome::NotReached, input: None };
        }
        if let (false, Ok(Err(held))) = (twin, &done) {
            study.certify(|certifying| certifying.held_back(held.reason));
        }
        let outcome = match done {
            Ok(Ok(clean)) => Outcome::Clean(Box::new(clean)),
            Ok(Err(held)) => Outcome::Held(Box::new(held)),
            Err(_) => Outcome::Held(Box::new(Held::panicked())),
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

    /// Puts a study in its place whose last instance went through.
    fn finish(&self, study: &Study<'p>) {
        if let Some(staging) = self.staging {
            if let Some((pseudonym, uid)) = study.place.get() {
                if let Some(certificate) = study.certificate(self.profile) {
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
            study.close();
        }
    }

    fn instance(
        &self,
        job: &Job,
        study: &Study<'p>,
        instance: &Instance,
        output: &mut String,
    ) -> Result<Clean, Held> {
        let twin = instance.twin_of.is_some();
        if self.staging.is_some_and(Staging::has_failed) {
            return Err(Held::unwritten());
        }
        let scrubber = study.scrubber(self.profile, self.secret, self.reported)?;
        let mut work = One {
            scrubber: &scrubber,
            study: &study.place,
            staging: self.staging.filter(|_| !twin),
            mappings: self.mappings,
        };
        let scrubbed =
            with_instance(&job.input, self.plan.kept(job), Some(&instance.seen), &mut work)?;
        if !twin {
            study.certify(|certifying| certifying.clean(&scrubbed));
        }
        *output = path(&scrubbed);
        let details = self.reported.then(|| Details {
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
