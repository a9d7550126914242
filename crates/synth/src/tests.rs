use super::*;
use std::collections::BTreeSet;

fn tiny(seed: u64) -> Vec<SynthInstance> {
    Corpus::generate(seed, CorpusSpec::tiny()).collect::<Result<_, _>>().unwrap()
}

#[test]
fn a_corpus_depends_on_its_seed_alone() {
    let (a, b, c) = (tiny(1), tiny(1), tiny(2));
    assert!(a.iter().zip(&b).all(|(x, y)| x.file == y.file && x.planted == y.planted));
    assert!(a.iter().zip(&c).all(|(x, y)| x.file != y.file));
    assert_eq!(a.len(), Corpus::new(1, CorpusSpec::tiny()).len());
}

#[test]
fn a_corpus_has_every_kind_of_object_and_syntax() {
    let corpus = tiny(3);
    let classes: BTreeSet<_> = corpus.iter().map(|i| (i.hospital, i.sop_class)).collect();
    assert_eq!(classes.len(), 2 * 15);
    let syntaxes: BTreeSet<_> = corpus.iter().map(|i| i.transfer_syntax).collect();
    assert_eq!(syntaxes.len(), 6);
    let instances: BTreeSet<_> = corpus.iter().map(|i| &i.sop_instance).collect();
    assert_eq!(instances.len(), corpus.len());
    let held = corpus.iter().filter(|i| i.expected == Expect::Quarantine).count();
    assert_eq!(held, 2 * (2 + 1 + 1), "two ultrasound loops, one label, one document each");
}

#[test]
fn every_file_holds_what_its_key_says() {
    use PlantedKind as K;
    let all = [K::PersonName, K::PatientId, K::Accession, K::Date, K::Address, K::Phone];
    for instance in tiny(4) {
        let kinds: BTreeSet<_> = instance.planted.iter().map(|p| p.kind).collect();
        for kind in all.iter().chain(&[K::Institution, K::Device, K::Uid]) {
            assert!(kinds.contains(kind), "{kind:?} in {}", instance.sop_class);
        }
        let hunter = Hunter::new(&instance.planted, TEXT_MIN_FORM).unwrap();
        let report = hunter.hunt_bytes(&instance.file).unwrap();
        let found: BTreeSet<_> = report.hits.iter().map(|hit| hit.kind).collect();
        assert_eq!(found, kinds, "{}", instance.sop_class);
    }
}

#[test]
fn planted_dates_stay_within_one_month_so_that_shifts_cannot_meet() {
    for instance in tiny(5) {
        for planted in instance.planted.iter().filter(|p| p.kind == PlantedKind::Date) {
            let (year, month) = (&planted.value[..4], &planted.value[4..6]);
            let study = (year, month) == ("2016", "03");
            let birth = ["1911", "1931", "1951", "1971", "1991"].contains(&year) && month == "11";
            assert!(study || birth);
        }
    }
}

#[test]
fn names_are_written_in_their_own_character_sets() {
    let table: [(Charset, &str, &[u8]); 4] = [
        // Bytes from an independent codec.
        (Charset::Iso2022Jp, "さいおんじ^はると", b"\x1b$B$5$$$*$s$8\x1b(B^\x1b$B$O$k$H\x1b(B"),
        (Charset::Iso2022Kr, "皇甫^瑞英", b"\x1b$)C\xfc\xd5\xdc\xcb^\x1b$)C\xdf\xfa\xe7\xc8"),
        (Charset::Gb18030, "诸葛^明月", b"\xd6\xee\xb8\xf0^\xc3\xf7\xd4\xc2"),
        (Charset::Latin1, "Gr\u{fc}n", b"Gr\xfcn"),
    ];
    for (charset, text, bytes) in table {
        assert_eq!(charset.encode(text), bytes, "{charset:?}");
    }
}

#[test]
fn no_name_loses_a_character() {
    for (hospital, info) in HOSPITALS.iter().enumerate() {
        for &(charset, institution, address) in info.names {
            let mut names = vec![institution.to_owned(), address.to_owned()];
            for index in 0..8 {
                for seed in 0..4 {
                    let patient = people::Patient::invent(seed, hospital, index, charset);
                    names.extend([patient.name, patient.address]);
                }
                names.push(people::staff(charset, hospital, index).to_owned());
            }
            assert!(names.iter().all(|name| charset.plain(name).is_some()), "{charset:?}");
        }
    }
}

#[test]
fn patients_of_a_hospital_have_different_names() {
    for seed in 0..8 {
        let corpus = Corpus::new(seed, CorpusSpec::tiny());
        let names: BTreeSet<_> = corpus.patient_names().collect();
        assert_eq!(names.len(), 16, "two hospitals with eight patients each");
    }
}

#[test]
fn glyphs_are_in_order() {
    assert!(glyphs::GLYPHS.windows(2).all(|pair| pair[0].0 < pair[1].0));
}

#[test]
fn run_length_packing_unpacks_to_the_same_lines() {
    let frames = |rows: u16, bytes: Vec<u8>| pixels::Frames::grey16(160, rows, 16, vec![bytes]);
    let mut noise = vec![0; 160 * 2 * 4];
    rng::Rng::new(1, "rle").fill(&mut noise);
    noise[320..640].fill(7);
    let image = frames(4, noise.clone());
    let packed = rle::encode_frame(&noise, &image);
    let word = |at: usize| u32::from_le_bytes(packed[at..at + 4].try_into().unwrap()) as usize;
    assert_eq!(word(0), 2);
    let (high, low) = (unpack(&packed[word(4)..word(8)]), unpack(&packed[word(8)..]));
    let joined: Vec<u8> = low.iter().zip(&high).flat_map(|(l, h)| [*l, *h]).collect();
    assert_eq!(joined[..noise.len()], noise);
}

fn unpack(segment: &[u8]) -> Vec<u8> {
    let (mut out, mut at) = (Vec::new(), 0);
    while at + 1 < segment.len() {
        let n = segment[at] as i8;
        if n >= 0 {
            let count = n as usize + 1;
            out.extend(&segment[at + 1..at + 1 + count]);
            at += count + 1;
        } else {
            out.extend(std::iter::repeat_n(segment[at + 1], (1 - i32::from(n)) as usize));
            at += 2;
        }
    }
    out
}

#[test]
fn the_same_data_set_is_written_in_four_ways() {
    let encode = |syntax: Syntax, lengths| {
        let mut d = wire::DataSet::new(Charset::Latin1);
        d.us(0x0028_0010, &[0x1234]);
        d.text(0x0010_0010, Vr::Pn, "A^B");
        d.one(0x0008_1140, |item| {
            item.text(0x0008_1155, Vr::Ui, "1.2");
        });
        let mut out = Vec::new();
        d.encode(syntax.coding(), lengths, &mut out);
        out
    };
    let implicit = b"\x08\0\x40\x11\x14\0\0\0\xfe\xff\x00\xe0\x0c\0\0\0\x08\0\x55\x11\x04\0\0\0\
        1.2\0\x10\0\x10\0\x04\0\0\0A^B \x28\0\x10\0\x02\0\0\0\x34\x12";
    assert_eq!(encode(Syntax::ImplicitLe, Lengths::Defined), implicit);
    let explicit = b"\x08\0\x40\x11SQ\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff\
        \x08\0\x55\x11UI\x04\x001.2\0\xfe\xff\x0d\xe0\0\0\0\0\xfe\xff\xdd\xe0\0\0\0\0\
        \x10\0\x10\0PN\x04\0A^B \x28\0\x10\0US\x02\0\x34\x12";
    assert_eq!(encode(Syntax::ExplicitLe, Lengths::Undefined), explicit);
    let big = b"\0\x08\x11\x40SQ\0\0\0\0\0\x14\xff\xfe\xe0\x00\0\0\0\x0c\0\x08\x11\x55UI\0\x04\
        1.2\0\0\x10\0\x10PN\0\x04A^B \0\x28\0\x10US\0\x02\x12\x34";
    assert_eq!(encode(Syntax::ExplicitBe, Lengths::Defined), big);
}

#[test]
fn benchmark_corpora_have_the_sizes_asked_for() {
    let ct: Vec<_> = ct_slices(1, 2, 512).map(Result::unwrap).collect();
    assert!(ct.iter().all(|i| (512 * 512 * 2..512 * 512 * 2 + 8192).contains(&i.file.len())));
    let mr: Vec<_> = mr_slices(1, 3, 64).map(Result::unwrap).collect();
    assert!(mr.iter().all(|i| (64 * 64 * 2..64 * 64 * 2 + 8192).contains(&i.file.len())));
    assert_eq!(mr.iter().map(|i| &i.sop_instance).collect::<BTreeSet<_>>().len(), 3);
    let mut big = Vec::new();
    let length = big_multiframe(1, 3 << 20, &mut big).unwrap();
    assert_eq!(length, big.len() as u64);
    assert!((3 << 20..(3 << 20) + 8192).contains(&big.len()));
}

/// A corpus without its larger images.
fn tiny_headers(seed: u64) -> impl Iterator<Item = SynthInstance> {
    let spec = CorpusSpec { us_frames: 1, shrink: 16, ..CorpusSpec::tiny() };
    Corpus::generate(seed, spec).map(Result::unwrap)
}

/// The fixtures: one small file of each kind, and the digest of all that no library compressed.
fn fixtures() -> (Vec<(String, Vec<u8>)>, String) {
    const LARGEST: usize = 8 << 10;
    let compressed = [Syntax::Deflated.uid(), Syntax::JpegBaseline.uid()];
    let mut all = blake3::Hasher::new();
    let mut seen = BTreeSet::new();
    let mut files = Vec::new();
    for instance in tiny_headers(1).filter(|i| !compressed.contains(&i.transfer_syntax)) {
        all.update(&instance.file);
        let kind = instance.sop_class.trim_start_matches("1.2.840.10008.5.1.4.1.1.");
        let name = format!("corpus/{}-{kind}.dcm", HOSPITALS[instance.hospital].id);
        if instance.file.len() <= LARGEST && seen.insert(name.clone()) {
            files.push((name, instance.file));
        }
    }
    for vector in leak_vectors(1).unwrap() {
        if !compressed.contains(&vector.syntax.uid()) {
            all.update(&vector.instance.file);
        }
    }
    files.sort();
    (files, all.finalize().to_hex().to_string())
}

/// Regenerates the fixtures and compares; with SCANVEIL_WRITE_TESTDATA set, writes them.
#[test]
fn the_fixtures_in_testdata_are_what_the_generators_make() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata");
    let (files, digest) = fixtures();
    let mut manifest = String::from(
        "# Fixtures, made by the generators of crates/synth with seed 1. To make them again:\n\
         # SCANVEIL_WRITE_TESTDATA=1 cargo test -p scanveil-synth fixtures\n\
         # `generated` is the BLAKE3 digest of the whole test corpus and of all leak vectors,\n\
         # without those that a library deflated or compressed.\n",
    );
    manifest.push_str(&format!("version = 1\nseed = 1\ngenerated = \"{digest}\"\n"));
    for (path, bytes) in &files {
        let digest = blake3::hash(bytes).to_hex();
        let length = bytes.len();
        manifest.push_str(&format!(
            "\n[[file]]\npath = \"{path}\"\nbytes = {length}\nblake3 = \"{digest}\"\n"
        ));
    }
    if std::env::var_os("SCANVEIL_WRITE_TESTDATA").is_some() {
        std::fs::create_dir_all(root.join("corpus")).unwrap();
        std::fs::write(root.join("MANIFEST.toml"), &manifest).unwrap();
        files.iter().for_each(|(path, bytes)| std::fs::write(root.join(path), bytes).unwrap());
    }
    assert_eq!(std::fs::read_to_string(root.join("MANIFEST.toml")).unwrap(), manifest);
    assert!(files.iter().map(|f| f.1.len()).sum::<usize>() < 200_000);
    for (path, bytes) in &files {
        assert!(std::fs::read(root.join(path)).unwrap() == *bytes, "{path}");
    }
    let listed = std::fs::read_dir(root.join("corpus")).unwrap().count();
    assert_eq!(listed, files.len(), "a file that the manifest does not list");
}
