//! Lays the word lists of `data/` out as the tables that `src/table.rs` reads.

#[allow(dead_code)]
#[path = "src/table.rs"]
mod table;

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::{env, fs, io};
use table::{
    CHARACTER, CLINICAL, COMMON, EASTERN, EASTERN_FAMILY, EPONYM, FAMILY, FIRM, FOREIGN, GERMAN,
    GIVEN, LENGTH_BITS, LONGEST, ORDINARY, PART, TERM,
};

/// Words that share a bucket, on average.
const SHARE: usize = 3;

const LATIN: &[(&str, u16)] = &[
    ("clinical", CLINICAL | PART),
    ("parts", CLINICAL | PART | GERMAN),
    ("reports", CLINICAL | PART),
    ("abbreviations", CLINICAL),
    ("diseases", CLINICAL),
    ("drugs", CLINICAL),
    ("english", ORDINARY),
    ("german", FOREIGN | GERMAN),
    ("french", FOREIGN),
    ("spanish", FOREIGN),
    ("portuguese", FOREIGN),
    ("given-names", GIVEN),
    ("family-names", FAMILY),
    ("eponyms", EPONYM),
    ("common-eponyms", COMMON),
    ("firm", FIRM),
];

const EASTERN_LISTS: &[(&str, u16)] = &[
    ("chinese", EASTERN | TERM),
    ("chinese-terms", EASTERN | TERM),
    ("chinese-words", EASTERN),
    ("japanese", EASTERN | TERM),
    ("japanese-terms", EASTERN | TERM),
    ("japanese-words", EASTERN),
    ("korean", EASTERN | TERM),
    ("korean-terms", EASTERN | TERM),
    ("korean-words", EASTERN),
    ("eastern-eponyms", EASTERN | TERM),
    ("eastern-reports", EASTERN | TERM),
    ("eastern-characters", EASTERN | TERM | CHARACTER),
    ("han-family-names", EASTERN_FAMILY),
    ("hangul-family-names", EASTERN_FAMILY),
];

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=data");
    println!("cargo::rerun-if-changed=src/table.rs");
    let out = env::var_os("OUT_DIR").map(PathBuf::from).ok_or(io::ErrorKind::NotFound)?;
    let folds = fs::read_to_string("data/fold.txt")?;
    let folds: HashMap<char, &str> = folds
        .lines()
        .filter_map(|line| line.chars().next().map(|from| (from, &line[from.len_utf8()..])))
        .collect();
    lay_out(LATIN, &folds, &out.join("words.bin"))?;
    lay_out(EASTERN_LISTS, &folds, &out.join("eastern.bin"))
}

/// Merges lists into one table. The lists are read folded; those in eastern scripts are written as
/// people write, with traditional characters.
fn lay_out(lists: &[(&str, u16)], folds: &HashMap<char, &str>, to: &Path) -> io::Result<()> {
    let mut words: BTreeMap<String, u16> = BTreeMap::new();
    for (name, flags) in lists {
        let text = fs::read_to_string(format!("data/{name}.txt"))?;
        for line in text.lines() {
            let mut word = String::with_capacity(line.len());
            for c in line.chars() {
                match folds.get(&c) {
                    Some(folded) => word.push_str(folded),
                    None => word.push(c),
                }
            }
            if word.is_empty() || word.len() > LONGEST {
                return Err(io::Error::other(format!("{name}.txt: `{line}` is no entry")));
            }
            *words.entry(word).or_default() |= flags;
        }
    }
    fs::write(to, table(&words)?)
}

fn table(words: &BTreeMap<String, u16>) -> io::Result<Vec<u8>> {
    let small = |number: usize| u32::try_from(number).map_err(io::Error::other);
    let count = (words.len() / SHARE).max(1);
    let mut buckets: Vec<Vec<u8>> = vec![Vec::new(); count];
    for (word, flags) in words {
        let length = u16::try_from(word.len()).map_err(io::Error::other)?;
        let bucket = &mut buckets[table::bucket(word.as_bytes(), small(count)?) as usize];
        bucket.extend(((flags << LENGTH_BITS) | length).to_le_bytes());
        bucket.extend(word.as_bytes());
    }
    let mut laid = small(count)?.to_le_bytes().to_vec();
    let mut at = (count + 2) * 4;
    for bucket in &buckets {
        laid.extend(small(at)?.to_le_bytes());
        at += bucket.len();
    }
    laid.extend(small(at)?.to_le_bytes());
    laid.extend(buckets.concat());
    Ok(laid)
}
