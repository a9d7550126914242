//! Lays the word lists of `data/` out as the tables that `src/table.rs` reads.

#[allow(dead_code)]
#[path = "src/table.rs"]
mod table;

#[path = "src/stem.rs"]
mod stem;

#[allow(dead_code)]
#[path = "src/words.rs"]
mod words;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::PathBuf;
use std::{env, fs, io};
use table::{
    CHARACTER, CLINICAL, COMMON, EASTERN, EASTERN_FAMILY, EPONYM, FAMILY, FIRM, FOREIGN, GERMAN,
    GIVEN, LENGTH_BITS, LONGEST, ORDINARY, PART, TERM,
};

/// Of a list while it is laid out: other words have the stems of its words.
const STEMMED: u16 = 1 << 15;
/// Words that share a bucket, on average.
const SHARE: usize = 3;

const LATIN: &[(&str, u16)] = &[
    ("clinical", CLINICAL | PART | STEMMED),
    ("parts", CLINICAL | PART | GERMAN | STEMMED),
    ("reports", CLINICAL | PART | STEMMED),
    ("languages", CLINICAL | STEMMED),
    ("abbreviations", CLINICAL),
    ("diseases", CLINICAL | STEMMED),
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
    println!("cargo::rerun-if-changed=src/stem.rs");
    println!("cargo::rerun-if-changed=src/words.rs");
    let out = env::var_os("OUT_DIR").map(PathBuf::from).ok_or(io::ErrorKind::NotFound)?;
    let folds = fs::read_to_string("data/fold.txt")?;
    let folds: HashMap<char, &str> = folds
        .lines()
        .filter_map(|line| line.chars().next().map(|from| (from, &line[from.len_utf8()..])))
        .collect();
    let words = merged(LATIN, &folds)?;
    let laid = [
        ("words.bin", table(&words)?),
        ("stems.bin", table(&stems(&words))?),
        ("eastern.bin", table(&merged(EASTERN_LISTS, &folds)?)?),
    ];
    for (name, bytes) in laid {
        fs::write(out.join(name), bytes)?;
    }
    Ok(())
}

/// The stems of the clinical words, but for those that names have as well.
fn stems(words: &BTreeMap<String, u16>) -> BTreeMap<String, u16> {
    let of = |wanted: u16| {
        let listed = words.iter().filter(move |(_, flags)| **flags & wanted != 0);
        listed.filter_map(|(word, _)| stem::stem(word))
    };
    let names: HashSet<String> = of(GIVEN | FAMILY).collect();
    of(STEMMED).filter(|stem| !names.contains(stem)).map(|stem| (stem, CLINICAL)).collect()
}

/// Merges lists into one. The lists are read folded; those in eastern scripts are written as
/// people write, with traditional characters.
fn merged(lists: &[(&str, u16)], folds: &HashMap<char, &str>) -> io::Result<BTreeMap<String, u16>> {
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
    Ok(words)
}

fn table(words: &BTreeMap<String, u16>) -> io::Result<Vec<u8>> {
    let small = |number: usize| u32::try_from(number).map_err(io::Error::other);
    let count = (words.len() / SHARE).max(1);
    let mut buckets: Vec<Vec<u8>> = vec![Vec::new(); count];
    for (word, flags) in words {
        let length = u16::try_from(word.len()).map_err(io::Error::other)?;
        let bucket = &mut buckets[table::bucket(word.as_bytes(), small(count)?) as usize];
        bucket.extend((((flags & !STEMMED) << LENGTH_BITS) | length).to_le_bytes());
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
