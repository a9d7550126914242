//! Other tools' recipes: the first byte says whose. Whatever is imported is a profile.

#![no_main]

use libfuzzer_sys::fuzz_target;
use scanveil_model::ProjectName;
use scanveil_profiles::{ImportKind, import};
use scanveil_scrub::Profile;

fuzz_target!(|bytes: &[u8]| {
    let Some((&kind, text)) = bytes.split_first() else { return };
    let Ok(text) = std::str::from_utf8(text) else { return };
    let (_, kind) = ImportKind::ALL[usize::from(kind) % ImportKind::ALL.len()];
    let name = ProjectName::parse("imported").expect("a name");
    let Ok(imported) = import(kind, &name, text) else { return };
    let toml = imported.to_toml().expect("a profile");
    assert!(Profile::from_toml(&toml).is_ok());
});
