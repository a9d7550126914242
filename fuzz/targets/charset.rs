//! Specific Character Set and the bytes under it: the first line declares, the rest is the value.
//! What is decoded can be written again, and says the same then.

#![no_main]

use libfuzzer_sys::fuzz_target;
use scanveil_dataset::CharacterSets;

fuzz_target!(|bytes: &[u8]| {
    let end = bytes.iter().position(|&byte| byte == b'\n').unwrap_or(bytes.len());
    let (declared, value) = bytes.split_at(end);
    let value = value.get(1..).unwrap_or(&[]);
    let _ = CharacterSets::evidence(&mut value.split(|&byte| byte == b'\n'));
    let Ok(sets) = CharacterSets::parse(declared) else { return };
    let Ok(text) = sets.decode(value) else { return };
    if let Some(encoded) = sets.encode(&text) {
        let again = sets.decode(&encoded).expect("what was encoded is decoded");
        assert!(again == text, "a text changes on its way");
    }
    if let Some(term) = sets.term() {
        let again = CharacterSets::parse(term.as_bytes()).expect("a term of ours is a term");
        assert_eq!(again.term(), sets.term());
    }
});
