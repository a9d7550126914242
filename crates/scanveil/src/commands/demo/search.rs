//! The search for planted identifiers in everything that the demonstration left on the disk.

use super::place::Place;
use crate::output::{Failure, io_failure};
use scanveil_synth::{
    Form, HuntReport, Hunter, Layer, Planted, PlantedKind, SEALED_MIN_FORM, TEXT_MIN_FORM,
};
use serde::Serialize;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// How the file of an object's tags ends in a folder store.
const TAGS: &str = ".tags.json";
/// Hits that are listed of each place.
const LISTED: usize = 10;

/// A place that was searched.
#[derive(Debug, Serialize)]
pub(super) struct Searched {
    pub(super) place: &'static str,
    pub(super) files: u64,
    pub(super) bytes: u64,
    pub(super) hits: u64,
    /// The first hits: where and of which kind, never the value.
    pub(super) first_hits: Vec<Found>,
}

/// One hit.
#[derive(Debug, Serialize)]
pub(super) struct Found {
    pub(super) path: String,
    pub(super) offset: u64,
    pub(super) kind: PlantedKind,
    pub(super) form: Form,
    pub(super) layer: Layer,
}

/// What was looked for, and what was found.
#[derive(Debug, Serialize)]
pub(super) struct Search {
    pub(super) planted: usize,
    pub(super) forms: usize,
    pub(super) seconds: f64,
    pub(super) places: Vec<Searched>,
    /// The same search in some of the files as they were sent: it must find something in each.
    pub(super) control: Control,
}

/// What the search finds where there is something to find.
#[derive(Debug, Serialize)]
pub(super) struct Control {
    pub(super) files: u64,
    pub(super) hits: u64,
    /// Files in which nothing was found.
    pub(super) blind: u64,
}

impl Search {
    pub(super) fn hits(&self) -> u64 {
        self.places.iter().map(|place| place.hits).sum()
    }
}

/// How a place's bytes are looked through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bytes {
    /// Text, tables, images: every spelling counts.
    Clear,
    /// Sealed, as good as random: a short spelling would be met by chance. Names, and the tags
    /// beside an object, are clear all the same.
    Sealed,
}

/// Both searches: one for clear data and names, one for sealed data.
pub(super) struct Hunters {
    clear: Hunter,
    sealed: Hunter,
    planted: usize,
}

impl Hunters {
    pub(super) fn new(planted: &BTreeSet<Planted>) -> Result<Self, Failure> {
        Ok(Self {
            clear: Hunter::new(planted, TEXT_MIN_FORM)?,
            sealed: Hunter::new(planted, SEALED_MIN_FORM)?,
            planted: planted.len(),
        })
    }

    /// The spool while it is full.
    pub(super) fn full_spool(&self, place: &Place) -> Result<Searched, Failure> {
        let spool = place.data().join("spool");
        self.search("spool, while full", Bytes::Sealed, &[spool])
    }

    /// Every file of the demonstration's folder, place by place.
    pub(super) fn everything(
        &self,
        place: &Place,
        full_spool: Option<Searched>,
        samples: &[&[u8]],
        bar: &indicatif::ProgressBar,
    ) -> Result<Search, Failure> {
        let begun = std::time::Instant::now();
        let mut rest = entries(&place.dir)?;
        rest.retain(|path| *path != place.data());
        rest.extend(entries(&place.data())?);
        let mut places: Vec<Searched> = full_spool.into_iter().collect();
        for (name, bytes, is_it) in PLACES {
            let (own, others) = rest.into_iter().partition(|path| is_it(&file_name(path)));
            rest = others;
            bar.set_message(name);
            bar.tick();
            places.push(self.search(name, bytes, &own)?);
        }
        bar.finish_and_clear();
        let seconds = begun.elapsed().as_secs_f64();
        let (planted, forms) = (self.planted, self.clear.forms());
        Ok(Search { planted, forms, seconds, places, control: self.control(samples)? })
    }

    fn control(&self, samples: &[&[u8]]) -> Result<Control, Failure> {
        let mut control = Control { files: 0, hits: 0, blind: 0 };
        for sample in samples {
            let report = self.clear.hunt_bytes(sample)?;
            let hits = report.hits.len() as u64 + report.hits_left_out;
            control.files += 1;
            control.hits += hits;
            control.blind += u64::from(hits == 0);
        }
        Ok(control)
    }

    fn search(
        &self,
        place: &'static str,
        bytes: Bytes,
        paths: &[PathBuf],
    ) -> Result<Searched, Failure> {
        let hunter = if bytes == Bytes::Clear { &self.clear } else { &self.sealed };
        let mut found = Searched { place, files: 0, bytes: 0, hits: 0, first_hits: Vec::new() };
        for path in paths {
            let name = file_name(path);
            if path.is_dir() {
                found.add(hunter.hunt_folder(path)?, &name);
                if bytes == Bytes::Sealed {
                    found.clear_parts(&self.clear, path)?;
                }
            } else {
                let content = fs::read(path).map_err(|error| failed(path, &error))?;
                found.add(hunter.hunt_bytes(&content)?, &name);
            }
            let own = self.clear.hunt_bytes(name.as_bytes())?;
            found.add(HuntReport { files: 0, bytes: 0, ..own }, &name);
        }
        Ok(found)
    }
}

impl Searched {
    fn add(&mut self, report: HuntReport, below: &str) {
        self.files += report.files;
        self.bytes += report.bytes;
        self.hits += report.hits.len() as u64 + report.hits_left_out;
        for hit in report.hits {
            if self.first_hits.len() < LISTED {
                let mut path = PathBuf::from(below);
                path.extend((!hit.path.is_empty()).then_some(&hit.path));
                let path = path.display().to_string();
                let (offset, layer) = (hit.offset, hit.layer);
                self.first_hits.push(Found { path, offset, kind: hit.kind, form: hit.form, layer });
            }
        }
    }

    /// Looks once more through the names and the tags below a folder, short spellings included.
    fn clear_parts(&mut self, hunter: &Hunter, folder: &Path) -> Result<(), Failure> {
        let mut pending = vec![folder.to_path_buf()];
        while let Some(folder) = pending.pop() {
            for path in entries(&folder)? {
                let name = file_name(&path);
                let mut clear = vec![name.clone().into_bytes()];
                if name.ends_with(TAGS) {
                    clear.push(fs::read(&path).map_err(|error| failed(&path, &error))?);
                }
                for bytes in clear {
                    let own = hunter.hunt_bytes(&bytes)?;
                    self.add(HuntReport { files: 0, bytes: 0, ..own }, &name);
                }
                if path.is_dir() {
                    pending.push(path);
                }
            }
        }
        Ok(())
    }
}

/// A place's name, its bytes, and which entries of the folders belong to it.
type Known = (&'static str, Bytes, fn(&str) -> bool);

/// The last one takes whatever the others left.
const PLACES: [Known; 7] = [
    ("release", Bytes::Clear, |name| name == "release"),
    ("object store", Bytes::Sealed, |name| name == "objects"),
    ("catalogue", Bytes::Clear, |name| name.starts_with("catalog.sqlite")),
    ("log", Bytes::Clear, |name| name == "service.log"),
    ("spool", Bytes::Sealed, |name| name == "spool"),
    ("keys", Bytes::Sealed, |name| name == "keys"),
    ("everything else", Bytes::Clear, |_| true),
];

fn file_name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// What a folder holds; nothing if it is gone, as a spool's folders may be at any moment.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let listing = match fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        listing => listing.map_err(|error| failed(folder, &error))?,
    };
    let mut paths = Vec::new();
    for entry in listing {
        paths.push(entry.map_err(|error| failed(folder, &error))?.path());
    }
    paths.sort();
    Ok(paths)
}

fn failed(path: &Path, error: &std::io::Error) -> Failure {
    io_failure(&path.display().to_string(), error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use indicatif::ProgressBar;

    fn planted() -> BTreeSet<Planted> {
        let word = |kind, value: &str| Planted {
            kind,
            value: value.to_owned(),
            encoded: value.as_bytes().to_vec(),
        };
        let name = word(PlantedKind::PersonName, "Quillfeather^Ada");
        BTreeSet::from([name, word(PlantedKind::Date, "19511103")])
    }

    /// A folder as the demonstration leaves it, with one thing more in it.
    fn searched(more: &str, content: &[u8]) -> Vec<(&'static str, u64)> {
        let folder = tempfile::tempdir().unwrap();
        let place = Place { dir: folder.path().to_owned(), token: String::new() };
        for (path, text) in [
            ("scanveil.toml", "data_dir = \"data\""),
            ("service.log", "{}"),
            ("release/manifest.json", "{}"),
            ("data/catalog.sqlite", "SQLite"),
            ("data/objects/research/a/00/00.svo", "sealed"),
            ("data/objects/research/a/00/00.tags.json", "{}"),
            ("data/spool/segments/1", "sealed"),
            ("data/keys/root.key", "key"),
        ] {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let path = folder.path().join(more);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
        let hunters = Hunters::new(&planted()).unwrap();
        let search = hunters.everything(&place, None, &[], &ProgressBar::hidden()).unwrap();
        assert_eq!(search.places.iter().map(|place| place.files).sum::<u64>(), 9, "{more}");
        let hit = search.places.iter().filter(|place| place.hits > 0);
        hit.map(|place| (place.place, place.hits)).collect()
    }

    #[test]
    fn a_planted_value_is_found_wherever_it_lies() {
        let name = b"... quillfeather ...".as_slice();
        for (path, content, place) in [
            ("release/data/1.dcm", name, Some("release")),
            ("release/tables/a.csv", b"1951-11-03", Some("release")),
            ("data/objects/vault/a/01/01.svo", name, Some("object store")),
            ("data/objects/vault/a/01/01.tags.json", b"\"ward 1951.11.03\"", Some("object store")),
            ("data/objects/vault/quillfeather/01.svo", b"", Some("object store")),
            ("data/catalog.sqlite-wal", name, Some("catalogue")),
            ("data/spool/large/1", name, Some("spool")),
            ("data/keys/a/1.key", name, Some("keys")),
            ("data/work/left.tmp", name, Some("everything else")),
            ("core.1234", name, Some("everything else")),
            ("quillfeather.txt", b"", Some("everything else")),
            ("release/data/2.dcm", b"nothing", None),
        ] {
            let found: Vec<_> = searched(path, content).into_iter().map(|hit| hit.0).collect();
            assert_eq!(found, Vec::from_iter(place), "{path}");
        }
    }

    #[test]
    fn a_search_that_finds_nothing_in_what_was_sent_is_blind() {
        let hunters = Hunters::new(&planted()).unwrap();
        let control =
            hunters.control(&[b"(Quillfeather)", b"nobody", b"ADA^QUILLFEATHER"]).unwrap();
        assert_eq!((control.files, control.blind), (3, 1));
        assert!(control.hits >= 2);
    }

    #[test]
    fn short_spellings_count_only_where_the_bytes_are_clear() {
        let value = "Edda".to_owned();
        let encoded = value.clone().into_bytes();
        let planted = BTreeSet::from([Planted { kind: PlantedKind::Text, value, encoded }]);
        let hunters = Hunters::new(&planted).unwrap();
        assert_eq!(hunters.clear.hunt_bytes(b"xx Edda xx").unwrap().hits.len(), 1);
        assert!(hunters.sealed.hunt_bytes(b"xx Edda xx").unwrap().is_clean());
    }
}
