//! A whole instance through a shipped profile: held back with a reason, or a data set that is read
//! again and is scrubbed to the same again. The first byte says by which profile.

#![no_main]

use libfuzzer_sys::fuzz_target;
use scanveil_dataset::{Limits, open_slice};
use scanveil_scrub::{Profile, ProjectSecret, StudyIdentity, StudyScrubber};
use std::sync::OnceLock;

fn profiles() -> &'static [Profile] {
    static PROFILES: OnceLock<Vec<Profile>> = OnceLock::new();
    PROFILES.get_or_init(|| Profile::builtin_names().filter_map(Profile::builtin).collect())
}

fn scrub(profile: &Profile, file: &[u8]) -> Option<Vec<u8>> {
    let secret = ProjectSecret::new(&[7; 32]);
    let (header, body) = open_slice(file, &Limits::default()).ok()?;
    let mut identity = StudyIdentity::new();
    identity.observe(&header).ok()?;
    let scrubber = StudyScrubber::new(profile, &secret, identity).ok()?;
    let mut out = Vec::new();
    scrubber.scrub(&header, body, &mut out).ok()?;
    Some(out)
}

fuzz_target!(|bytes: &[u8]| {
    let Some((&which, file)) = bytes.split_first() else { return };
    let profile = &profiles()[usize::from(which) % profiles().len()];
    let Some(out) = scrub(profile, file) else { return };
    assert!(open_slice(&out, &Limits::default()).is_ok(), "what came out is not read");
    assert!(scrub(profile, file).as_ref() == Some(&out), "not the same twice");
});
