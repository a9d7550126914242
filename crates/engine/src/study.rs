//! One study on its way: who it is about, then its scrubber, then what was done to it.

use scanveil_dataset::Header;
use scanveil_model::{Reason, ReasonCode};
use scanveil_scrub::{
    Certificate, Certifying, Profile, ProjectSecret, ScrubbedInstance, StudyIdentity, StudyScrubber,
};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What a study is scrubbed by, and what is asked of its outputs.
#[derive(Clone, Copy)]
pub struct Rules<'p> {
    /// The rules.
    pub profile: &'p Profile,
    /// What its pseudonyms hang on.
    pub secret: &'p ProjectSecret,
    /// The hospital that it came from, where one is known.
    pub hospital: Option<&'p str>,
    /// Whether somebody fills a table with the outputs' attributes.
    pub attributes: bool,
    /// Whether somebody compares or lists the outputs.
    pub digests: bool,
}

/// One study, in whatever state it is. Its instances are shown to it, then scrubbed, by any thread.
pub struct Study<'p> {
    state: Mutex<State<'p>>,
    certifying: Mutex<Certifying>,
}

enum State<'p> {
    Gathering(Box<StudyIdentity>),
    Failed(Reason),
    Ready(Arc<StudyScrubber<'p>>),
    Done,
}

impl Default for Study<'_> {
    fn default() -> Self {
        Self::of(StudyIdentity::new())
    }
}

impl<'p> Study<'p> {
    /// A study that was looked at already.
    #[must_use]
    pub fn of(identity: StudyIdentity) -> Self {
        let state = Mutex::new(State::Gathering(Box::new(identity)));
        Self { state, certifying: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State<'p>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The first look: gathers whom an instance is about. What cannot be gathered of one instance
    /// fails the study: nobody would know what to look for in the others.
    pub(crate) fn observe(&self, header: &Header<'_>) {
        let mut state = self.state();
        if let State::Gathering(identity) = &mut *state
            && let Err(reason) = identity.observe(header)
        {
            *state = State::Failed(reason);
        }
    }

    /// The second look: the study's scrubber, made when it is first asked for. Once the study is
    /// closed, it knows of nobody.
    ///
    /// # Errors
    /// The [`Reason`] to hold back every instance of it.
    pub fn scrubber(&self, rules: &Rules<'p>) -> Result<Arc<StudyScrubber<'p>>, Reason> {
        let mut state = self.state();
        let identity = match &mut *state {
            State::Ready(scrubber) => return Ok(Arc::clone(scrubber)),
            State::Failed(reason) => return Err(reason.clone()),
            State::Gathering(identity) => std::mem::take(&mut **identity),
            State::Done => StudyIdentity::new(),
        };
        match StudyScrubber::new(rules.profile, rules.secret, identity) {
            Ok(scrubber) => {
                let scrubber = Arc::new(rules.ask_of(scrubber));
                *state = State::Ready(Arc::clone(&scrubber));
                Ok(scrubber)
            }
            Err(reason) => {
                *state = State::Failed(reason.clone());
                Err(reason)
            }
        }
    }

    fn certify(&self, note: impl FnOnce(&mut Certifying)) {
        note(&mut self.certifying.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Notes an instance that came out.
    pub fn clean(&self, scrubbed: &ScrubbedInstance) {
        self.certify(|certifying| certifying.clean(scrubbed));
    }

    /// Notes an instance that was held back, for the reason with this code.
    pub fn held_back(&self, reason: &'static str) {
        self.certify(|certifying| certifying.held_back(reason));
    }

    /// What was done to the study, when its last instance went through; nothing where none came
    /// out.
    #[must_use]
    pub fn certificate(&self, profile: &Profile) -> Option<Certificate> {
        let mut done = self.certifying.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *done).finish(profile)
    }

    /// Forgets the scrubber of a study whose last instance went through.
    pub(crate) fn close(&self) {
        *self.state() = State::Done;
    }
}

impl Rules<'_> {
    fn ask_of<'p>(&self, mut scrubber: StudyScrubber<'p>) -> StudyScrubber<'p> {
        if let Some(hospital) = self.hospital {
            scrubber = scrubber.of_hospital(hospital);
        }
        if !self.attributes {
            scrubber = scrubber.without_attributes();
        }
        if !self.digests {
            scrubber = scrubber.without_digests();
        }
        scrubber
    }
}

/// Runs code over an instance's bytes: a panic over them is a reason to hold it back.
///
/// # Errors
/// What the code says, or [`ReasonCode::Internal`].
pub fn guarded<T, E: From<Reason>>(code: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    catch_unwind(AssertUnwindSafe(code))
        .unwrap_or_else(|_| Err(Reason::new(ReasonCode::Internal, "the scrubber panicked").into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use scanveil_dataset::{Limits, open_slice};
    use scanveil_model::ProjectName;

    fn slices(seed: u64) -> Vec<Vec<u8>> {
        scanveil_synth::mr_slices(seed, 2, 64).map(|slice| slice.unwrap().file).collect()
    }

    #[test]
    fn a_study_goes_from_its_identity_to_its_certificate() {
        let profile = Profile::builtin("basic").unwrap();
        let secret = ProjectSecret::derive(&[7; 32], &ProjectName::parse("research").unwrap());
        let rules = |hospital, asked| Rules {
            profile: &profile,
            secret: &secret,
            hospital,
            attributes: asked,
            digests: asked,
        };
        for asked in [true, false] {
            let study = Study::default();
            let limits = Limits::default();
            for slice in slices(3) {
                study.observe(&open_slice(&slice, &limits).unwrap().0);
            }
            let scrubber = study.scrubber(&rules(Some("north"), asked)).unwrap();
            let again = study.scrubber(&rules(None, !asked)).unwrap();
            assert!(Arc::ptr_eq(&scrubber, &again), "made once");
            let slice = &slices(3)[0];
            let (header, body) = open_slice(slice, &limits).unwrap();
            let scrubbed = scrubber.scrub(&header, body, std::io::sink()).unwrap();
            assert_eq!(scrubbed.digest().is_some(), asked);
            assert!(study.certificate(&profile).is_none(), "nothing came out");
            study.clean(&scrubbed);
            let panicked: Result<(), Reason> = guarded(|| panic!("a value"));
            let reason = panicked.unwrap_err();
            assert_eq!(reason.code, ReasonCode::Internal);
            study.held_back(reason.code.as_str());
            let certificate = study.certificate(&profile).unwrap().to_json();
            assert!(certificate.contains("\"internal\": 1"), "{certificate}");
            study.close();
            let later = study.scrubber(&rules(None, asked)).unwrap();
            assert_ne!(later.pseudonym(), scrubber.pseudonym(), "nobody is remembered");
        }
    }

    #[test]
    fn a_study_of_two_patients_fails_for_all_its_instances() {
        let profile = Profile::builtin("basic").unwrap();
        let secret = ProjectSecret::derive(&[7; 32], &ProjectName::parse("research").unwrap());
        let rules = Rules {
            profile: &profile,
            secret: &secret,
            hospital: None,
            attributes: false,
            digests: false,
        };
        let study = Study::default();
        for slice in [&slices(3)[0], &slices(4)[0]] {
            study.observe(&open_slice(slice, &Limits::default()).unwrap().0);
        }
        for _ in 0..2 {
            let reason = study.scrubber(&rules).err().unwrap();
            assert_eq!(reason.code, ReasonCode::MixedPatients);
        }
    }
}
