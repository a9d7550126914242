use crate::{Evidence, Kept, Residue, Verifier, What};
use scanveil_dataset::{
    CharacterSets, Encoding, Limits, Tag, TransferSyntax, Vr, Writer, file_meta, open_slice, tags,
};
use scanveil_model::ReasonCode;

mod corpora;
mod explained;
mod found;

const LE: Encoding = Encoding { explicit: true, big_endian: false };
const BE: Encoding = Encoding { explicit: true, big_endian: true };

type Value<'v> = (u32, Vr, &'v [u8]);

/// A file of these elements, in order of their tags.
fn file(values: &[Value<'_>]) -> Vec<u8> {
    file_in(TransferSyntax::EXPLICIT_LITTLE, LE, values)
}

fn file_in(syntax: &str, encoding: Encoding, values: &[Value<'_>]) -> Vec<u8> {
    let mut out = file_meta("1.2.840.10008.5.1.4.1.1.2", "2.25.1", syntax);
    let mut writer = Writer::new(&mut out);
    for (tag, vr, value) in values {
        writer.element(Tag(*tag), *vr, value, encoding);
    }
    out
}

/// The search for what identifies in these elements.
fn verifier(values: &[Value<'_>]) -> Verifier {
    verifier_keeping(values, &|_| false)
}

fn verifier_keeping(values: &[Value<'_>], retained: &dyn Fn(Tag) -> bool) -> Verifier {
    let bytes = file(values);
    let mut evidence = Evidence::new();
    let (header, _) = open_slice(&bytes, &Limits::default()).unwrap();
    evidence.observe(&header).unwrap();
    evidence.verifier(retained).unwrap()
}

const NAME: u32 = 0x0010_0010;

/// The search for one person's name.
fn named(name: &str) -> Verifier {
    verifier(&[(0x0008_0005, Vr::CS, b"ISO_IR 192"), (NAME, Vr::PN, name.as_bytes())])
}
