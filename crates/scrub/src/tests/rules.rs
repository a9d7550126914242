//! Which rules made an object follows from the code and the data that decide.

#[path = "../../build/rules.rs"]
mod decides;

use std::fs;
use std::path::Path;

const CODE: &str = "//! Rules.\n\n/// Caps ages.\nfn cap(age: u8) -> u8 {\n    age.min(89)\n}\n\n\
    #[cfg(test)]\nmod tests {\n    #[test]\n    fn at_the_cap() {}\n}\n";
const LOCK: &str = r#"
[[package]]
name = "scanveil-scrub"
version = "0.1.0"
dependencies = ["codec"]

[[package]]
name = "codec"
version = "1.2.3"
checksum = "00"

[[package]]
name = "server"
version = "4.5.6"
checksum = "11"
"#;

fn write(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn digest_with(path: &str, text: &str) -> [u8; 32] {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    write(root, "Cargo.lock", LOCK);
    write(root, "crates/scrub/src/ages.rs", CODE);
    write(root, "crates/text/data/words.txt", "axial\n");
    write(root, "crates/server/src/lib.rs", "fn main() {}\n");
    if !path.is_empty() {
        write(root, path, text);
    }
    decides::digest(root).unwrap()
}

#[test]
fn what_decides_changes_the_digest_and_nothing_else_does() {
    let before = digest_with("", "");
    let code = |from: &str, to: &str| {
        assert!(CODE.contains(from));
        digest_with("crates/scrub/src/ages.rs", &CODE.replace(from, to))
    };
    let lock = |from: &str, to: &str| digest_with("Cargo.lock", &LOCK.replace(from, to));
    let decides = [
        ("a number in code", code("89", "90")),
        ("a call", code("min", "max")),
        ("an attribute", code("fn cap", "#[inline] fn cap")),
        ("what stands behind tests", code("fn at_the_cap() {}\n}\n", "}\nfn more() {}\n")),
        ("a new file", digest_with("crates/dataset/src/more.rs", "fn more() {}")),
        ("a word", digest_with("crates/text/data/words.txt", "axial\ncoronal\n")),
        ("a table", digest_with("crates/scrub/tables/more.csv", "1\n")),
        ("a library", lock("1.2.3", "1.2.4")),
        ("a library's content", lock("\"00\"", "\"01\"")),
    ];
    for (name, digest) in decides {
        assert_ne!(digest, before, "{name}");
    }
    let same = [
        ("a comment", code("age.min(89)", "// Safe Harbor.\n    age.min( 89 )")),
        ("documentation", code("/// Caps ages.", "/// Caps ages, by 89.")),
        ("a test", code("fn at_the_cap() {}", "fn at_the_cap() { assert!(true); }")),
        ("a file of tests", digest_with("crates/scrub/src/tests/more.rs", "fn more() {}")),
        ("another crate", digest_with("crates/server/src/lib.rs", "fn other() {}")),
        ("a library of another crate", lock("4.5.6", "4.5.7")),
    ];
    for (name, digest) in same {
        assert_eq!(digest, before, "{name}");
    }
}

#[test]
fn labels_bear_the_digest_of_this_code() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    assert_eq!(decides::digest(&root).unwrap(), *crate::profile::RULES);
}
