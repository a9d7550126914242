//! The first look: which inputs are instances of which study, and who each study is about.

use crate::EngineError;
use crate::held::Held;
use crate::inputs::{Input, Keeper, Kept, Larder, Met, Passed, Seen, with_header};
use crate::journal::{Entry, Finished};
use crate::secret::MarkKey;
use crate::study::{Study, guarded};
use crate::watch::{Step, Watch};
use rayon::prelude::*;
use scanveil_dataset::tags;
use scanveil_model::Digest;
use scanveil_scrub::study_of;
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Bytes of small inputs that are kept from the first look to the second. More would save reading
/// and parsing, and cost as much for memory that nobody has touched yet.
const KEPT_BYTES: usize = 48 << 20;

/// One study of the inputs, and what is known of its instances.
pub(crate) struct Found<'p> {
    pub(crate) study: Study<'p>,
    /// Instances that are still to be scrubbed.
    pub(crate) left: AtomicUsize,
    /// Whether an instance of it has the SOP Instance UID of an earlier input.
    pub(crate) has_twins: AtomicBool,
    /// Pseudonym and new Study Instance UID, once an instance was written.
    pub(crate) place: OnceLock<(String, String)>,
    /// What a journal knows the study by; none where it has twins, which come after all others.
    pub(crate) mark: OnceLock<Digest>,
    /// What has come of its instances so far, by the index of the input; nothing once one of them
    /// may go better the next time.
    entries: Mutex<Option<Vec<(usize, Entry)>>>,
}

impl Default for Found<'_> {
    fn default() -> Self {
        Self {
            study: Study::default(),
            left: AtomicUsize::new(0),
            has_twins: AtomicBool::new(false),
            place: OnceLock::new(),
            mark: OnceLock::new(),
            entries: Mutex::new(Some(Vec::new())),
        }
    }
}

impl Found<'_> {
    /// Notes for a journal what came of an instance; of one that may go better the next time, that
    /// the study is to be done again.
    pub(crate) fn note(&self, at: usize, entry: Option<Entry>) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        match entry {
            Some(entry) => entries.iter_mut().for_each(|all| all.push((at, entry.clone()))),
            None => *entries = None,
        }
    }

    /// What came of all its instances, in the order of what was seen of them.
    pub(crate) fn entries(&self, plan: &Plan<'_>) -> Option<Vec<Entry>> {
        let noted = self.entries.lock().unwrap_or_else(PoisonError::into_inner).take()?;
        let seen = |at: usize| plan.jobs.get(at).and_then(Job::instance).map(|i| i.seen.bytes());
        let mut noted: Vec<_> = noted.into_iter().map(|(at, entry)| (seen(at), entry)).collect();
        noted.sort_unstable_by_key(|(seen, _)| *seen);
        Some(noted.into_iter().map(|(_, entry)| entry).collect())
    }
}

/// What is to be done with one input.
pub(crate) struct Job {
    pub(crate) input: Input,
    pub(crate) kept: Option<Kept>,
    pub(crate) fate: Fate,
}

/// What the first look decided.
pub(crate) enum Fate {
    Instance(Instance),
    Held(Held),
    Passed(Passed),
    NotReached,
}

impl Job {
    /// The instance that the input is, if it is to be scrubbed.
    pub(crate) fn instance(&self) -> Option<&Instance> {
        match &self.fate {
            Fate::Instance(instance) => Some(instance),
            Fate::Held(_) | Fate::Passed(_) | Fate::NotReached => None,
        }
    }
}

/// An instance, as the first look saw it.
pub(crate) struct Instance {
    /// Index of its study.
    pub(crate) study: usize,
    /// Index of the first input with the same SOP Instance UID, if that is another.
    pub(crate) twin_of: Option<usize>,
    /// What was looked at.
    pub(crate) seen: Seen,
}

/// Everything the second look needs.
pub(crate) struct Plan<'p> {
    /// By input: the files as they were found, then the members of archives.
    pub(crate) jobs: Vec<Job>,
    pub(crate) studies: Vec<Arc<Found<'p>>>,
    larder: Larder,
}

struct Look<'p, 's> {
    studies: Mutex<HashMap<Vec<u8>, Arc<Found<'p>>>>,
    keeper: Keeper,
    watch: &'s Watch<'s>,
}

/// What one input turned out to be.
enum Looked<'p> {
    Archive,
    Held(Held),
    Passed(Passed),
    NotReached,
    Instance { study: Arc<Found<'p>>, sop: [u8; 16], kept: Option<Kept>, seen: Seen },
}

impl<'p> Look<'p, '_> {
    fn study(&self, uid: &[u8]) -> Arc<Found<'p>> {
        let mut studies = self.studies.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(study) = studies.get(uid) {
            return Arc::clone(study);
        }
        Arc::clone(studies.entry(uid.to_vec()).or_default())
    }

    fn look(&self, input: &Input) -> Looked<'p> {
        if self.watch.is_stopped() {
            return Looked::NotReached;
        }
        if input.is_unlisted() {
            return Looked::Held(Held::unlisted());
        }
        let met = guarded(|| {
            with_header(input, &self.keeper, |header| {
                let study = self.study(&study_of(header));
                study.study.observe(header);
                let said = header.data.text(tags::SOP_INSTANCE_UID).filter(|uid| !uid.is_empty());
                let uid = said.or(header.meta.sop_instance_uid.as_deref()).unwrap_or(b"");
                let mut sop = [0; 16];
                sop.copy_from_slice(&blake3::hash(uid).as_bytes()[..16]);
                Ok((study, sop))
            })
        });
        match met {
            Ok(Met::Archive) => Looked::Archive,
            Ok(Met::Passed(passed)) => Looked::Passed(passed),
            Ok(Met::Instance { out: (study, sop), kept, seen }) => {
                Looked::Instance { study, sop, kept, seen }
            }
            Err(fault) => Looked::Held(fault.into()),
        }
    }

    fn look_all(&self, inputs: &[Input]) -> Vec<Looked<'p>> {
        let one = |input: &Input| {
            let found = self.look(input);
            self.watch.tell(Step::Looked);
            found
        };
        inputs.par_iter().map(one).collect()
    }
}

impl<'p> Plan<'p> {
    /// Looks at every input, and at every member of those that are archives.
    pub(crate) fn make(inputs: Vec<Input>, watch: &Watch<'_>) -> Self {
        let look = Look { studies: Mutex::default(), keeper: Keeper::new(KEPT_BYTES), watch };
        let found = look.look_all(&inputs);
        let mut sorter = Sorter::default();
        let mut members = Vec::new();
        for (input, found) in inputs.into_iter().zip(found) {
            if !matches!(found, Looked::Archive) {
                sorter.add(input, found);
                continue;
            }
            match input.archive() {
                Ok(archive) => members.extend(input.members(&archive)),
                Err(fault) => sorter.add(input, Looked::Held(Held::archive(fault))),
            }
        }
        watch.tell(Step::More(2 * members.len() as u64));
        let found = look.look_all(&members);
        for (input, found) in members.into_iter().zip(found) {
            sorter.add(input, found);
        }
        let Sorter { jobs, studies, .. } = sorter;
        Self { jobs, studies, larder: look.keeper.finish() }
    }

    /// Gives every study the mark that a journal knows it by. What is seen of its inputs is sorted:
    /// they may have other numbers the next time.
    pub(crate) fn mark(&self, key: &MarkKey, circumstances: &[u8]) -> HashSet<Digest> {
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
    pub(crate) fn finished(&self, finished: &Finished) -> HashMap<usize, Entry> {
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
    pub(crate) fn has_something_to_do(&self) -> Result<(), EngineError> {
        if self.jobs.iter().any(|job| !matches!(job.fate, Fate::Passed(_))) {
            return Ok(());
        }
        Err(EngineError::NoDicom { files: self.jobs.len() })
    }

    /// What was kept of an input, and where.
    pub(crate) fn kept<'k>(&'k self, job: &'k Job) -> Option<(&'k Larder, &'k Kept)> {
        Some((&self.larder, job.kept.as_ref()?))
    }
}

/// Numbers studies and finds twins, in the order of the inputs.
#[derive(Default)]
struct Sorter<'p> {
    jobs: Vec<Job>,
    studies: Vec<Arc<Found<'p>>>,
    numbers: HashMap<*const Found<'p>, usize>,
    first: HashMap<[u8; 16], usize>,
}

impl<'p> Sorter<'p> {
    fn add(&mut self, input: Input, found: Looked<'p>) {
        let at = self.jobs.len();
        let (kept, fate) = match found {
            Looked::Held(held) => (None, Fate::Held(held)),
            Looked::Passed(passed) => (None, Fate::Passed(passed)),
            Looked::NotReached => (None, Fate::NotReached),
            Looked::Archive if input.is_clutter() => (None, Fate::Passed(Passed::Clutter)),
            Looked::Archive => (None, Fate::Held(Held::nested())),
            Looked::Instance { study, sop, kept, seen } => {
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
