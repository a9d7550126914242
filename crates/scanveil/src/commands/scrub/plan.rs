//! The first look: which inputs are instances of which study, and who each study is about.

use super::held::Held;
use super::journal::{Entry, Finished};
use super::secret::MarkKey;
use crate::inputs::{Input, Keeper, Kept, Larder, Met, Passed, Place, Seen, with_header};
use crate::output::Failure;
use crate::stop::Stop;
use indicatif::ProgressBar;
use rayon::prelude::*;
use scanveil_dataset::{Header, tags};
use scanveil_model::{Digest, Reason};
use scanveil_scrub::{
    Certificate, Certifying, Profile, ProjectSecret, StudyIdentity, StudyScrubber, study_of,
};
use std::collections::{HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Bytes of small inputs that are kept from the first look to the second. More would save reading
/// and parsing, and cost as much for memory that nobody has touched yet.
const KEPT_BYTES: usize = 48 << 20;

/// One study, in whatever state it is.
pub(super) struct Study<'p> {
    state: Mutex<State<'p>>,
    /// Instances that are still to be scrubbed.
    pub(super) left: AtomicUsize,
    /// Whether an instance of it has the SOP Instance UID of an earlier input.
    pub(super) has_twins: AtomicBool,
    /// Pseudonym and new Study Instance UID, once an instance was written.
    pub(super) place: OnceLock<(String, String)>,
    certifying: Mutex<Certifying>,
    /// What a journal knows the study by; none where it has twins, which come after all others.
    pub(super) mark: OnceLock<Digest>,
    /// What has come of its instances so far, by the index of the input; nothing once one of them
    /// may go better the next time.
    entries: Mutex<Option<Vec<(usize, Entry)>>>,
}

enum State<'p> {
    Gathering(Box<StudyIdentity>),
    Failed(Reason),
    Ready(Arc<StudyScrubber<'p>>),
    Done,
}

impl Default for Study<'_> {
    fn default() -> Self {
        Self {
            state: Mutex::new(State::Gathering(Box::default())),
            left: AtomicUsize::new(0),
            has_twins: AtomicBool::new(false),
            place: OnceLock::new(),
            certifying: Mutex::default(),
            mark: OnceLock::new(),
            entries: Mutex::new(Some(Vec::new())),
        }
    }
}

impl<'p> Study<'p> {
    fn observe(&self, header: &Header<'_>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let State::Gathering(identity) = &mut *state
            && let Err(reason) = identity.observe(header)
        {
            *state = State::Failed(reason);
        }
    }

    /// The study's scrubber, made when it is first asked for. Outputs are digested only where
    /// somebody compares or lists them.
    pub(super) fn scrubber(
        &self,
        profile: &'p Profile,
        secret: &'p ProjectSecret,
        listed: bool,
    ) -> Result<Arc<StudyScrubber<'p>>, Reason> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let identity = match &mut *state {
            State::Ready(scrubber) => return Ok(Arc::clone(scrubber)),
            State::Failed(reason) => return Err(reason.clone()),
            State::Gathering(identity) => std::mem::take(&mut **identity),
            State::Done => StudyIdentity::new(),
        };
        match StudyScrubber::new(profile, secret, identity) {
            Ok(scrubber) => {
                let mut scrubber = scrubber.without_attributes();
                if !listed && !self.has_twins.load(Ordering::Relaxed) {
                    scrubber = scrubber.without_digests();
                }
                let scrubber = Arc::new(scrubber);
                *state = State::Ready(Arc::clone(&scrubber));
                Ok(scrubber)
            }
            Err(reason) => {
                *state = State::Failed(reason.clone());
                Err(reason)
            }
        }
    }

    /// Notes for a journal what came of an instance; of one that may go better the next time, that
    /// the study is to be done again.
    pub(super) fn note(&self, at: usize, entry: Option<Entry>) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        match entry {
            Some(entry) => entries.iter_mut().for_each(|all| all.push((at, entry.clone()))),
            None => *entries = None,
        }
    }

    /// What came of all its instances, in the order of what was seen of them.
    pub(super) fn entries(&self, plan: &Plan<'_>) -> Option<Vec<Entry>> {
        let noted = self.entries.lock().unwrap_or_else(PoisonError::into_inner).take()?;
        let seen = |at: usize| plan.jobs.get(at).and_then(Job::instance).map(|i| i.seen.bytes());
        let mut noted: Vec<_> = noted.into_iter().map(|(at, entry)| (seen(at), entry)).collect();
        noted.sort_unstable_by_key(|(seen, _)| *seen);
        Some(noted.into_iter().map(|(_, entry)| entry).collect())
    }

    /// Notes for the certificate what came of an instance.
    pub(super) fn certify(&self, note: impl FnOnce(&mut Certifying)) {
        note(&mut self.certifying.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// What was done to the study, when its last instance went through.
    pub(super) fn certificate(&self, profile: &Profile) -> Option<Certificate> {
        let mut done = self.certifying.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *done).finish(profile)
    }

    /// Forgets the scrubber of a study whose last instance went through.
    pub(super) fn close(&self) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = State::Done;
    }
}

/// What is to be done with one input.
pub(super) struct Job {
    pub(super) input: Input,
    pub(super) kept: Option<Kept>,
    pub(super) fate: Fate,
}

/// What the first look decided.
pub(super) enum Fate {
    Instance(Instance),
    Held(Held),
    Passed(Passed),
    NotReached,
}

impl Job {
    /// The instance that the input is, if it is to be scrubbed.
    pub(super) fn instance(&self) -> Option<&Instance> {
        match &self.fate {
            Fate::Instance(instance) => Some(instance),
            Fate::Held(_) | Fate::Passed(_) | Fate::NotReached => None,
        }
    }
}

/// An instance, as the first look saw it.
pub(super) struct Instance {
    /// Index of its study.
    pub(super) study: usize,
    /// Index of the first input with the same SOP Instance UID, if that is another.
    pub(super) twin_of: Option<usize>,
    /// What was looked at.
    pub(super) seen: Seen,
}

/// Everything the second look needs.
pub(super) struct Plan<'p> {
    /// By input: the files as they were found, then the members of archives.
    pub(super) jobs: Vec<Job>,
    pub(super) studies: Vec<Arc<Study<'p>>>,
    larder: Larder,
}

struct Look<'p, 's> {
    studies: Mutex<HashMap<Vec<u8>, Arc<Study<'p>>>>,
    keeper: Keeper,
    stop: &'s Stop,
}

/// What one input turned out to be.
enum Found<'p> {
    Archive,
    Held(Held),
    Passed(Passed),
    NotReached,
    Instance { study: Arc<Study<'p>>, sop: [u8; 16], kept: Option<Kept>, seen: Seen },
}

impl<'p> Look<'p, '_> {
    fn study(&self, uid: &[u8]) -> Arc<Study<'p>> {
        let mut studies = self.studies.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(study) = studies.get(uid) {
            return Arc::clone(study);
        }
        Arc::clone(studies.entry(uid.to_vec()).or_default())
    }

    fn look(&self, input: &Input) -> Found<'p> {
        if self.stop.is_asked() {
            return Found::NotReached;
        }
        if matches!(input.place(), Place::Unlisted(_)) {
            return Found::Held(Held::unlisted());
        }
        let met = catch_unwind(AssertUnwindSafe(|| {
            with_header(input, &self.keeper, |header| {
                let study = self.study(&study_of(header));
                study.observe(header);
                let said = header.data.text(tags::SOP_INSTANCE_UID).filter(|uid| !uid.is_empty());
                let uid = said.or(header.meta.sop_instance_uid.as_deref()).unwrap_or(b"");
                let mut sop = [0; 16];
                sop.copy_from_slice(&blake3::hash(uid).as_bytes()[..16]);
                Ok((study, sop))
            })
        }));
        match met {
            Ok(Ok(Met::Archive)) => Found::Archive,
            Ok(Ok(Met::Passed(passed))) => Found::Passed(passed),
            Ok(Ok(Met::Instance { out: (study, sop), kept, seen })) => {
                Found::Instance { study, sop, kept, seen }
            }
            Ok(Err(fault)) => Found::Held(fault.into()),
            Err(_) => Found::Held(Held::panicked()),
        }
    }

    fn look_all(&self, inputs: &[Input], bar: &ProgressBar) -> Vec<Found<'p>> {
        let one = |input: &Input| {
            let found = self.look(input);
            bar.inc(1);
            found
        };
        inputs.par_iter().map(one).collect()
    }
}

impl<'p> Plan<'p> {
    /// Looks at every input, and at every member of those that are archives.
    pub(super) fn make(inputs: Vec<Input>, bar: &ProgressBar, stop: &Stop) -> Self {
        let look = Look { studies: Mutex::default(), keeper: Keeper::new(KEPT_BYTES), stop };
        let found = look.look_all(&inputs, bar);
        let mut sorter = Sorter::default();
        let mut members = Vec::new();
        for (input, found) in inputs.into_iter().zip(found) {
            if !matches!(found, Found::Archive) {
                sorter.add(input, found);
                continue;
            }
            match input.archive() {
                Ok(archive) => members.extend(input.members(&archive)),
                Err(fault) => sorter.add(input, Found::Held(Held::archive(fault))),
            }
        }
        bar.inc_length(2 * members.len() as u64);
        let found = look.look_all(&members, bar);
        for (input, found) in members.into_iter().zip(found) {
            sorter.add(input, found);
        }
        let Sorter { jobs, studies, .. } = sorter;
        Self { jobs, studies, larder: look.keeper.finish() }
    }

    /// Gives every study the mark that a journal knows it by. What is seen of its inputs is sorted:
    /// they may have other numbers the next time.
    pub(super) fn mark(&self, key: &MarkKey, circumstances: &[u8]) -> HashSet<Digest> {
        let mut seen: Vec<Vec<[u8; 40]>> = vec![Vec::new(); self.studies.len()];
        for instance in self.jobs.iter().filter_map(Job::instance) {
            seen[instance.study].push(instance.seen.bytes());
        }
        let mut marks = HashSet::new();
        for (study, mut seen) in self.studies.iter().zip(seen) {
            if study.has_twins.load(Ordering::Relaxed) {
                continue;
            }
            seen.sort_unstable();
            let mark = key.mark(&[circumstances, seen.as_flattened()].concat());
            // Nobody else sets it.
            let _ = study.mark.set(mark);
            marks.insert(mark);
        }
        marks
    }

    /// Hands out what is finished already, by the index of the input.
    pub(super) fn finished(&self, finished: &Finished) -> HashMap<usize, Entry> {
        let mut instances: Vec<Vec<(usize, [u8; 40])>> = vec![Vec::new(); self.studies.len()];
        for (at, job) in self.jobs.iter().enumerate() {
            if let Some(instance) = job.instance() {
                instances[instance.study].push((at, instance.seen.bytes()));
            }
        }
        let mut found = HashMap::new();
        for (study, mut instances) in self.studies.iter().zip(instances) {
            let Some(entries) = study.mark.get().and_then(|mark| finished.get(mark)) else {
                continue;
            };
            instances.sort_unstable_by_key(|(_, seen)| *seen);
            if entries.len() == instances.len() {
                let each = instances.iter().zip(entries);
                found.extend(each.map(|((at, _), entry)| (*at, entry.clone())));
            }
        }
        found
    }

    /// Whether there is DICOM at all, or something that could not be looked into.
    ///
    /// # Errors
    /// When everything was passed over: a run over the wrong folder must not look like success.
    pub(super) fn has_something_to_do(&self) -> Result<(), Failure> {
        if self.jobs.iter().any(|job| !matches!(job.fate, Fate::Passed(_))) {
            return Ok(());
        }
        let files = self.jobs.len();
        Err(Failure::new(
            "SV-CLI-046",
            format!("no DICOM is in what the command line names: {files} other files are"),
            "name the folder that holds the instances; a DICOMDIR lies beside them",
        ))
    }

    /// What was kept of an input, and where.
    pub(super) fn kept<'k>(&'k self, job: &'k Job) -> Option<(&'k Larder, &'k Kept)> {
        Some((&self.larder, job.kept.as_ref()?))
    }
}

/// Numbers studies and finds twins, in the order of the inputs.
#[derive(Default)]
struct Sorter<'p> {
    jobs: Vec<Job>,
    studies: Vec<Arc<Study<'p>>>,
    numbers: HashMap<*const Study<'p>, usize>,
    first: HashMap<[u8; 16], usize>,
}

impl<'p> Sorter<'p> {
    fn add(&mut self, input: Input, found: Found<'p>) {
        let at = self.jobs.len();
        let (kept, fate) = match found {
            Found::Held(held) => (None, Fate::Held(held)),
            Found::Passed(passed) => (None, Fate::Passed(passed)),
            Found::NotReached => (None, Fate::NotReached),
            Found::Archive if input.is_clutter() => (None, Fate::Passed(Passed::Clutter)),
            Found::Archive => (None, Fate::Held(Held::nested())),
            Found::Instance { study, sop, kept, seen } => {
                let studies = &mut self.studies;
                let number = *self.numbers.entry(Arc::as_ptr(&study)).or_insert_with(|| {
                    studies.push(Arc::clone(&study));
                    studies.len() - 1
                });
                let first = *self.first.entry(sop).or_insert(at);
                let twin_of = (first != at).then_some(first);
                if twin_of.is_some() {
                    study.has_twins.store(true, Ordering::Relaxed);
                } else {
                    study.left.fetch_add(1, Ordering::Relaxed);
                }
                (kept, Fate::Instance(Instance { study: number, twin_of, seen }))
            }
        };
        self.jobs.push(Job { input, kept, fate });
    }
}
