//! Profiles and their behaviour tests as people write them.

#![no_main]

use libfuzzer_sys::fuzz_target;
use scanveil_profiles::run;
use scanveil_scrub::Profile;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(profile) = Profile::from_toml(text) {
        let again = Profile::from_toml(text).expect("a profile the second time too");
        assert_eq!(again.digest(), profile.digest());
    }
    if let Some(basic) = Profile::builtin("basic") {
        let _ = run(text, &basic);
    }
});
