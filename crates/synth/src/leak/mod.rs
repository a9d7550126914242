//! Files with canaries in every place where identity is known to hide, one case or more per row of
//! the project's table of leak vectors, each in every transfer syntax that can carry it.

mod header;
mod objects;
mod places;
mod structure;
mod text;

use crate::SynthError;
use crate::charset::Charset;
use crate::file::{FileParts, Syntax, put_pixels};
use crate::key::{Expect, Planted, PlantedKind, SynthInstance};
use crate::kinds;
use crate::pixels::{Frames, Noise, Phantom, noisy16};
use crate::rng::Rng;
use crate::study::{Draft, Study, present};
use crate::wire::{DataSet, Lengths, Vr};

/// One file that leaks in one known way.
#[derive(Clone)]
pub struct LeakVector {
    /// The row of the table of leak vectors.
    pub row: u8,
    /// Which case of that row; with the transfer syntax and the lengths it is unique.
    pub name: &'static str,
    /// How it is written.
    pub syntax: Syntax,
    /// Whether lengths are stated.
    pub lengths: Lengths,
    /// The file. Its study number is the case's number, so that two cases share a study only where
    /// that is the point.
    pub instance: SynthInstance,
}

/// Every leak vector for headers and file structure: rows 1 to 35, 40 to 44 and 47.
///
/// # Errors
/// [`SynthError`] when an encoder fails.
pub fn leak_vectors(seed: u64) -> Result<Vec<LeakVector>, SynthError> {
    let mut maker = Maker { seed, cases: 0, out: Vec::new() };
    structure::cases(&mut maker)?;
    header::cases(&mut maker)?;
    text::cases(&mut maker)?;
    places::cases(&mut maker)?;
    objects::cases(&mut maker)?;
    maker.out.sort_by_key(|vector| vector.row);
    Ok(maker.out)
}

/// The syntaxes of a case unless it names others.
const USUAL: &[Syntax] =
    &[Syntax::ImplicitLe, Syntax::ExplicitLe, Syntax::ExplicitBe, Syntax::Deflated, Syntax::Rle];
/// For cases whose point is a VR that stands in the file.
const EXPLICIT: &[Syntax] = &[Syntax::ExplicitLe, Syntax::ExplicitBe, Syntax::Deflated];

struct Maker {
    seed: u64,
    cases: usize,
    out: Vec<LeakVector>,
}

/// A case on its way: a small MR image to start from, and what is odd about its file.
struct Case {
    study: Study,
    draft: Draft,
    rng: Rng,
    /// What this case plants on top of its study's own identifiers.
    canaries: Vec<(PlantedKind, String)>,
    preamble: [u8; 128],
    meta: DataSet,
    trailing: Vec<u8>,
    after: Vec<u8>,
    /// Planted in bytes that are not the file's own character set.
    raw: Vec<Planted>,
    syntaxes: &'static [Syntax],
    lengths: &'static [Lengths],
}

impl Maker {
    fn study(&self, hospital: usize, index: usize, charset: Charset) -> Study {
        Study::invent(self.seed, hospital, 100 + index, index % 8, charset, "MR brain")
    }

    fn new_case(&mut self, hospital: usize, charset: Charset) -> Case {
        let index = self.cases;
        self.cases += 1;
        let study = self.study(hospital, index, charset);
        let draft = small_mr(&study);
        let rng = Rng::new(self.seed, &format!("canaries {index}"));
        Case {
            study,
            draft,
            rng,
            canaries: Vec::new(),
            preamble: [0; 128],
            meta: DataSet::new(Charset::Latin1),
            trailing: Vec::new(),
            after: Vec::new(),
            raw: Vec::new(),
            syntaxes: USUAL,
            lengths: &[Lengths::Undefined],
        }
    }

    /// One case on a Latin-1 study of the first hospital.
    fn case(
        &mut self,
        row: u8,
        name: &'static str,
        fill: impl FnOnce(&mut Case),
    ) -> Result<(), SynthError> {
        let mut case = self.new_case(0, Charset::Latin1);
        fill(&mut case);
        self.finish(row, name, case)
    }

    fn finish(&mut self, row: u8, name: &'static str, case: Case) -> Result<(), SynthError> {
        for &syntax in case.syntaxes {
            for &lengths in case.lengths {
                let instance = case.write(syntax, lengths)?;
                self.out.push(LeakVector { row, name, syntax, lengths, instance });
            }
        }
        Ok(())
    }
}

/// A 32 x 32 MR slice with the usual header.
fn small_mr(study: &Study) -> Draft {
    const SIDE: u16 = 32;
    let series = study.series(3, "MR", "t2 tse tra", "Imager");
    let draft = kinds::mr_header(study, &series, kinds::Slice { number: 0, of: 1 });
    let base = Phantom::Head.draw(SIDE, SIDE, 0.5);
    let frames = vec![noisy16(&base, &Noise::new(study.seed), study.index, 7)];
    draft.pixels(Frames::grey16(SIDE, SIDE, 12, frames))
}

impl Case {
    fn d(&mut self) -> &mut DataSet {
        &mut self.draft.data
    }

    /// A word that stands nowhere else.
    fn word(&mut self) -> String {
        let mut word = String::from("Qx");
        for _ in 0..10 {
            word.push(char::from(b'a' + self.rng.below(26) as u8));
        }
        word
    }

    /// A new word of the kind, noted as planted. The caller puts it into the file.
    fn canary(&mut self, kind: PlantedKind) -> String {
        let value = match kind {
            PlantedKind::PersonName => format!("{}^{}", self.word(), self.word()),
            PlantedKind::Date => format!("201603{:02}", 1 + self.rng.below(28)),
            PlantedKind::Uid => format!("1.3.6.1.4.1.58999.7.{}", self.rng.digits(14)),
            _ => self.word(),
        };
        self.plant(kind, &value);
        value
    }

    fn plant(&mut self, kind: PlantedKind, value: &str) {
        self.canaries.push((kind, value.to_owned()));
    }

    /// Writes a new canary into each of the elements.
    fn words(&mut self, elements: &[(u32, Vr)]) {
        for &(tag, vr) in elements {
            let kind = match vr {
                Vr::Pn => PlantedKind::PersonName,
                Vr::Da | Vr::Dt => PlantedKind::Date,
                Vr::Ui => PlantedKind::Uid,
                _ => PlantedKind::Text,
            };
            let word = self.canary(kind);
            let word = if vr == Vr::Dt { format!("{word}101112.123456") } else { word };
            self.d().text(tag, vr, &word);
        }
    }

    fn expect(&mut self, expected: Expect) {
        self.draft.expected = expected;
    }

    fn write(&self, syntax: Syntax, lengths: Lengths) -> Result<SynthInstance, SynthError> {
        let Draft { mut data, class, uid, pixels, expected, own } = self.draft.clone();
        if let Some(frames) = pixels {
            put_pixels(&mut data, frames, syntax)?;
        }
        let charset = data.charset();
        let mut parts = FileParts::new(data, class, &uid, syntax);
        parts.meta.merge(&self.meta);
        parts.lengths = lengths;
        parts.preamble = self.preamble;
        parts.trailing = self.trailing.clone();
        parts.after = self.after.clone();
        let encoded = parts.encode()?;
        let mut candidates = self.study.key();
        candidates.extend(own);
        candidates.push((PlantedKind::Uid, uid.clone()));
        let mut planted = present(candidates, charset, &encoded.readable);
        planted.extend(self.canaries.iter().map(|(kind, value)| Planted {
            kind: *kind,
            encoded: charset.encode(value),
            value: value.clone(),
        }));
        planted.extend(self.raw.iter().cloned());
        planted.sort();
        planted.dedup();
        Ok(SynthInstance {
            hospital: self.study.hospital,
            study: self.study.index,
            sop_class: class,
            sop_instance: uid,
            transfer_syntax: syntax.uid(),
            file: encoded.bytes,
            planted,
            expected,
        })
    }
}

#[cfg(test)]
mod tests;
